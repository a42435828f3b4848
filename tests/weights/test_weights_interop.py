"""Weights from and to pandas, scipy, libpysal, spreg, networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph
from libpysal.weights import KNN, W
from scipy import sparse

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.weights import SpatialWeights, from_any

TABLE = pd.DataFrame(
    [[0.0, 2.0, 0.0], [1.0, 0.0, 4.0], [0.5, 0.0, 0.0]], index=["b", "a", "c"], columns=["b", "a", "c"]
)


@pytest.fixture
def w() -> SpatialWeights:
    return from_any(TABLE, transform="none")


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.lil_matrix, np.asarray])
def test_matrices_with_ids(kind, w: SpatialWeights) -> None:
    assert from_any(kind(TABLE.to_numpy()), ids=["b", "a", "c"], transform="none") == w
    with pytest.raises(AlignmentError, match=r"unlabelled 3 x 3 matrix needs ids"):
        from_any(kind(TABLE.to_numpy()))


def test_labelled_frames_align_by_label(w: SpatialWeights) -> None:
    for seed in range(6):
        rows = TABLE.sample(frac=1, random_state=seed)
        assert from_any(rows.sample(frac=1, axis=1, random_state=seed + 10), transform="none") == w


def test_positions_would_have_been_wrong() -> None:
    swapped = TABLE[["c", "a", "b"]]
    assert from_any(swapped, transform="none").to_frame().loc["b", "a"] == 2.0
    assert swapped.to_numpy()[0, 1] == 2.0 and swapped.to_numpy()[0, 2] == 0.0


def test_long_tables(w: SpatialWeights) -> None:
    stacked = TABLE.stack().loc[lambda s: s != 0]
    long = stacked.rename_axis(["origin", "destination"]).rename("weight").reset_index()
    assert from_any(long, transform="none") == w
    assert from_any(stacked, transform="none") == w
    assert from_any(long.sample(frac=1, random_state=1), transform="none") == w
    for names in (("focal", "neighbor", "weight"), ("from", "to", "weight"), ("i", "j", "w"), ("I", "J", "W")):
        assert from_any(long.set_axis(list(names), axis=1), transform="none") == w
    wider = from_any(long, ids=["a", "b", "c", "d"], islands="keep", transform="none")
    assert wider.islands == ("d",)
    with pytest.raises(AlignmentError, match="not in ids: c"):
        from_any(long, ids=["a", "b"])
    with pytest.raises(AlignmentError, match="more than once: "):
        from_any(pd.concat([long, long.iloc[:1]]))


def test_a_frame_called_i_j_w_is_square_all_the_same() -> None:
    labels = ["i", "j", "w"]
    square = pd.DataFrame(TABLE.to_numpy(), index=labels, columns=labels)
    assert from_any(square, transform="none").to_frame().loc["i", "j"] == 2.0


def test_numbered_frames_are_not_labelled() -> None:
    bare = pd.DataFrame(TABLE.to_numpy())
    with pytest.raises(AlignmentError, match="needs ids"):
        from_any(bare)
    assert from_any(bare, ids=["b", "a", "c"], transform="none") == from_any(TABLE, transform="none")
    with pytest.raises(AlignmentError, match=r"numbered 0\.\.2 while its columns are named"):
        from_any(TABLE.reset_index(drop=True))


def test_libpysal_both_ways(w: SpatialWeights) -> None:
    assert from_any(w.to_graph(), transform="none") == w
    assert from_any(w.to_W(), transform="none") == w
    graph, old = w.to_graph(), w.to_W()
    assert list(graph.unique_ids) == list(old.id_order) == list(w.ids)
    np.testing.assert_array_equal(graph.sparse.toarray(), w.dense())
    np.testing.assert_array_equal(old.sparse.toarray(), w.dense())


def test_libpysal_keeps_islands() -> None:
    w = nq.weights.contiguity(hainan="island", transform="none")
    assert list(w.to_graph().isolates) == ["Hainan"] and w.to_W().islands == ["Hainan"]
    for peer in (w.to_graph(), w.to_W()):
        assert from_any(peer, transform="none", islands="keep") == w
        with pytest.raises(AlignmentError, match="Hainan"):
            from_any(peer)


def test_libpysal_reordered_ids() -> None:
    peer = W(
        {"b": ["a"], "a": ["b", "c"], "c": ["b"]}, {"b": [2.0], "a": [1.0, 4.0], "c": [0.5]}, id_order=["c", "a", "b"]
    )
    assert from_any(peer, transform="none") == from_any(TABLE, transform="none")
    graph = Graph.from_arrays(["b", "a", "a", "c"], ["a", "b", "c", "b"], [2.0, 1.0, 4.0, 0.5])
    assert from_any(graph, transform="none") == from_any(TABLE, transform="none")
    with pytest.raises(AlignmentError, match="not in the weights: z"):
        from_any(graph, ids=["a", "b", "z"])


def test_networkx_both_ways(w: SpatialWeights) -> None:
    graph = nq.weights.to_networkx(w)
    assert isinstance(graph, nx.DiGraph) and graph["a"]["c"]["weight"] == 4.0
    assert from_any(graph, transform="none") == w
    undirected = nx.Graph([("x", "y"), ("y", "z")])
    assert from_any(undirected, transform="none").dense().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    with pytest.raises(ValueError, match="multigraph"):
        from_any(nx.MultiGraph([(0, 1), (0, 1)]))


@pytest.mark.filterwarnings("ignore")  # spreg's own, with the pandas of today
def test_spreg_takes_the_matrix() -> None:
    from spreg import OLS

    w = nq.weights.contiguity()
    panel = nq.load_panel(["ln_gdp_real_pc", "ln_rd_intensity"], years=(2015, 2015)).droplevel("year").loc[list(w.ids)]
    y = panel[["ln_gdp_real_pc"]].to_numpy()
    x = panel[["ln_rd_intensity"]].to_numpy()
    fit = OLS(y, x, w=w.to_W(), spat_diag=True, moran=True)
    residual = np.asarray(fit.u).ravel()
    lm = (residual @ w.dense() @ residual / (residual @ residual / 31)) ** 2
    trace = np.trace(w.dense() @ w.dense() + w.dense().T @ w.dense())
    assert fit.lm_error[0] == pytest.approx(lm / trace, rel=1e-10)


def test_a_spatialweights_passes_through() -> None:
    w = nq.weights.contiguity(transform="spectral")
    assert from_any(w) is w
    assert from_any(w, transform="row") == nq.weights.contiguity()
    assert from_any(w, name="x").name == "x"
    assert from_any(w, ids=list(reversed(w.ids))).ids == tuple(reversed(w.ids))


def test_diagonal_only_on_request() -> None:
    own = TABLE + np.eye(3)
    with pytest.raises(ValueError, match=r"own neighbours.*diagonal='drop'"):
        from_any(own)
    assert from_any(own, diagonal="drop") == from_any(TABLE)
    assert from_any(sparse.csr_array(own.to_numpy()), ids=list("bac"), diagonal="drop") == from_any(TABLE)
    with pytest.raises(ValueError, match="'ignore' is not known"):
        from_any(own, diagonal="ignore")  # type: ignore[arg-type]


def test_knn_of_libpysal_comes_in_with_its_ids() -> None:
    points = np.random.default_rng(0).random((12, 2))
    peer = KNN.from_array(points, k=3, ids=[f"p{k}" for k in range(12)])
    w = from_any(peer)
    np.testing.assert_allclose(w.dense(), peer.sparse.toarray() / 3)


def test_compound_labels_stay_ours() -> None:
    w = SpatialWeights([("a", 1), ("b", 2)], np.ones((2, 2)) - np.eye(2))
    assert from_any(w.to_frame()) == w
    with pytest.raises(ValueError, match="cannot hold tuples as labels"):
        w.to_graph()


def test_mappings_of_neighbours(w: SpatialWeights) -> None:
    near = {"b": {"a": 2.0}, "a": {"b": 1.0, "c": 4.0}, "c": {"b": 0.5}}
    assert from_any(near, transform="none") == w
    lists = {"b": ["a"], "a": ["b", "c"], "c": ["b"]}
    np.testing.assert_array_equal(from_any(lists).dense(), from_any(W(lists, silence_warnings=True)).dense())
    with pytest.raises(AlignmentError, match="no units of the mapping: q of a"):
        from_any({"a": ["b", "q"], "b": ["a"]})
    with pytest.raises(AlignmentError, match="more than once"):
        from_any({"a": ["b", "b"], "b": ["a"]})
    for bad in ({"a": 1}, {"a": "b", "b": ["a"]}):
        with pytest.raises(TypeError, match="not so for a"):
            from_any(bad)


def test_unknown_objects() -> None:
    with pytest.raises(TypeError, match=r"cannot read weights from builtins\.set"):
        from_any({"a", "b"})
