"""Properties that hold for any matrix and any builder."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nqpf_spatial as nq
from nqpf_spatial.weights import SpatialWeights

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TRANSFORMS = ("row", "spectral", "minmax", "none")


@st.composite
def matrices(draw: st.DrawFn) -> tuple[list[str], np.ndarray]:
    """Labels and a non-negative matrix in which everybody has a neighbour and a cycle exists."""
    n = draw(st.integers(2, 9))
    size = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
    a = draw(hnp.arrays(np.float64, (n, n), elements=size))
    np.fill_diagonal(a, 0)
    a[np.arange(n), (np.arange(n) + 1) % n] += 1.0
    labels = draw(st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=3, max_size=6),
                           min_size=n, max_size=n, unique=True))  # fmt: skip
    return labels, a


@SETTINGS
@given(matrices(), st.sampled_from(TRANSFORMS), st.randoms(use_true_random=False))
def test_permutation_equivariance_to_the_bit(case, transform: str, random) -> None:
    labels, a = case
    w = SpatialWeights(labels, a, transform=transform)
    order = list(range(len(labels)))
    random.shuffle(order)
    again = SpatialWeights([labels[k] for k in order], a[np.ix_(order, order)], transform=transform)
    assert again.ids == w.ids and again.checksum == w.checksum
    np.testing.assert_array_equal(again.dense(), w.dense())
    as_frame = pd.DataFrame(
        a[np.ix_(order, order)], index=[labels[k] for k in order], columns=[labels[k] for k in order]
    )
    assert nq.weights.from_any(as_frame, transform=transform) == w


@SETTINGS
@given(matrices(), st.sampled_from(TRANSFORMS))
def test_what_every_matrix_keeps(case, transform: str) -> None:
    labels, a = case
    w = SpatialWeights(labels, a, transform=transform)
    dense = w.dense()
    assert np.isfinite(dense).all() and (dense >= 0).all() and not dense.diagonal().any()
    assert w.with_transform("none").with_transform(transform) == w
    assert ((dense > 0) == (w.base.toarray() > 0)).all()
    if transform == "row":
        np.testing.assert_allclose(dense.sum(axis=1), 1, rtol=1e-13)
    elif transform == "spectral":
        assert np.abs(np.linalg.eigvals(dense)).max() == pytest.approx(1, rel=1e-8)
    elif transform == "minmax":
        assert min(dense.sum(axis=0).max(), dense.sum(axis=1).max()) == pytest.approx(1, rel=1e-12)
    if transform != "none":
        assert np.abs(np.linalg.eigvals(dense)).max() <= 1 + 1e-8


@SETTINGS
@given(matrices())
def test_lag_equals_the_matrix_product_whatever_the_order(case) -> None:
    labels, a = case
    w = SpatialWeights(labels, a)
    x = pd.Series(np.linspace(-1, 1, w.n), index=list(w.ids))
    lagged = w.lag(x.iloc[::-1])
    np.testing.assert_allclose(lagged.loc[list(w.ids)], w.dense() @ x.to_numpy(), atol=1e-12)


@SETTINGS
@given(matrices())
def test_interval_encloses_no_singularity(case) -> None:
    labels, a = case
    w = SpatialWeights(labels, a)
    low, high = w.rho_interval()
    assert low < 0 < high == 1.0
    values = w.eigenvalues()
    np.testing.assert_allclose(
        np.sort_complex(values.astype(complex)),
        np.sort_complex(np.linalg.eigvals(w.dense()).astype(complex)),
        atol=1e-6,
    )
    for share in (0.05, 0.5, 0.95):
        assert np.linalg.det(np.eye(w.n) - share * high * w.dense()) > 0
        if np.isfinite(low):
            assert np.linalg.det(np.eye(w.n) - share * low * w.dense()) > 0


def _units(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"lon": rng.uniform(75, 130, n), "lat": rng.uniform(20, 52, n), "m": rng.uniform(1, 9, n)},
        index=[f"u{k}" for k in range(n)],
    )


BUILDERS = {
    "inverse distance": lambda t: nq.weights.inverse_distance(points=t, transform="none"),
    "distance band": lambda t: nq.weights.distance_band(points=t, transform="none"),
    "knn": lambda t: nq.weights.knn(3, points=t, transform="none"),
    "knn union": lambda t: nq.weights.knn(3, symmetric="union", points=t, transform="none"),
    "gaussian": lambda t: nq.weights.kernel("gaussian", bandwidth=700, points=t, transform="none"),
    "triangular": lambda t: nq.weights.kernel("triangular", k=4, points=t, transform="none"),
    "economic": lambda t: nq.weights.economic(t["m"], None, transform="none"),
    "similarity": lambda t: nq.weights.similarity(t["m"], None, form="exponential", transform="none"),
    "gravity": lambda t: nq.weights.gravity(t["m"], None, points=t, transform="none"),
    "block": lambda t: nq.weights.block((t["m"] > 5).rename("big"), transform="none"),
}
SYMMETRIC = {"inverse distance", "distance band", "knn union", "gaussian", "economic", "similarity", "gravity", "block"}


@pytest.mark.parametrize("name", list(BUILDERS))
@pytest.mark.parametrize("seed", range(4))
def test_builders_promise(name: str, seed: int) -> None:
    table = _units(17, seed)
    w = BUILDERS[name](table)
    dense = w.dense()
    assert np.isfinite(dense).all() and (dense >= 0).all() and not dense.diagonal().any()
    if name in SYMMETRIC:
        assert w.is_symmetric  # to the bit
    for k in range(3):
        assert BUILDERS[name](table.sample(frac=1, random_state=k)).checksum == w.checksum
    relabelled = BUILDERS[name](table.set_axis([f"v{k}" for k in range(17)]))
    np.testing.assert_array_equal(relabelled.dense(), dense)
    assert relabelled != w


@pytest.mark.parametrize(
    "name",
    [
        *("contiguity", "higher_order", "lattice", "inverse_distance", "distance_band", "knn", "kernel"),
        *("economic", "similarity", "asymmetric_economic", "gravity", "migration", "flows", "travel_cost"),
        *("block", "compute_network", "combine", "nested", "product", "union"),
    ],
)
def test_every_builder_gives_formula_source_and_usual_mistake(name: str) -> None:
    text = inspect.getdoc(getattr(nq.weights, name)) or ""
    notes = text.split("Notes\n-----\n")[1]
    assert re.search(r"w_\w*ij|W = ", notes), "no formula"
    assert re.search(r"\b(19|20)\d\d\b", notes), "no source"
    assert "*Usual mistake*" in notes


@pytest.mark.parametrize(
    "name",
    [
        *("contiguity", "inverse_distance", "distance_band", "knn", "kernel", "economic", "similarity", "nested"),
        *("asymmetric_economic", "gravity", "migration", "block", "compute_network"),
    ],
)
def test_one_call_each_gives_the_provinces(name: str) -> None:
    w = getattr(nq.weights, name)()
    assert w.n == 31 and w.is_row_stochastic and w.formula and w.source and w.date
    for transform in ("spectral", "minmax", "none"):
        assert getattr(nq.weights, name)(transform=transform) == w.with_transform(transform)


@pytest.mark.parametrize("name", list(nq.weights.REGISTERED))
def test_registered_matrices_have_a_sane_spectrum(name: str) -> None:
    w = nq.weights.registered(name)
    expected = np.sort_complex(np.linalg.eigvals(w.dense()).astype(complex))
    np.testing.assert_allclose(np.sort_complex(w.eigenvalues().astype(complex)), expected, atol=1e-9)
    low, high = w.rho_interval()
    assert low < -1 and high == 1.0
