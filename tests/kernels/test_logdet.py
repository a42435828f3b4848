"""ln|I - rho W| and its derivatives against dense determinants, finite differences and explicit transformations."""

from __future__ import annotations

import numpy as np
import pytest

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import logdet as ld


def random_w(n: int, kind: str, seed: int = 0) -> np.ndarray:
    """Weights with symmetric, real and complex spectra; "cycle" has only complex eigenvalues besides 1."""
    rng = np.random.default_rng(seed)
    if kind == "cycle":
        return np.roll(np.eye(n), 1, axis=1)
    a = (rng.random((n, n)) < 0.4) * rng.random((n, n))
    a[np.arange(n), (np.arange(n) + 1) % n] = 0.5
    np.fill_diagonal(a, 0.0)
    if kind == "asymmetric":
        return a
    if kind == "stochastic":
        return a / a.sum(axis=1, keepdims=True)
    s = a + a.T
    return s if kind == "symmetric" else s / s.sum(axis=1, keepdims=True)


def make(w: np.ndarray) -> ld.LogDet:
    return ld.from_eigenvalues(np.linalg.eigvals(w))


@pytest.mark.parametrize("kind", ["symmetric", "similar", "asymmetric", "stochastic", "cycle"])
@pytest.mark.parametrize("n", [3, 12, 31])
def test_equals_slogdet_inside_the_interval(kind: str, n: int) -> None:
    w = random_w(n, kind)
    found = make(w)
    for share in (-0.95, -0.4, 0.0, 0.3, 0.99):
        r = share * (found.high if share > 0 else -found.low)
        sign, value = np.linalg.slogdet(np.eye(n) - r * w)
        assert sign == 1.0
        assert float(found(r)) == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize("kind", ["symmetric", "similar", "asymmetric", "stochastic", "cycle"])
def test_derivatives_are_traces_and_finite_differences(kind: str) -> None:
    w = random_w(14, kind, 3)
    found = make(w)
    for r in (0.6 * found.low, 0.0, 0.7 * found.high):
        g = np.linalg.solve((np.eye(14) - r * w).T, w.T).T
        first, second = found.derivatives(r)
        assert float(first) == pytest.approx(-np.trace(g), abs=1e-9)
        assert float(second) == pytest.approx(-np.trace(g @ g), abs=1e-9)
        h = 1e-4
        assert float(first) == pytest.approx(float(found(r + h) - found(r - h)) / (2 * h), rel=1e-5, abs=1e-5)
        ahead, behind = found.derivatives(r + h)[0], found.derivatives(r - h)[0]
        assert float(second) == pytest.approx(float(ahead - behind) / (2 * h), rel=1e-5, abs=1e-4)


def test_many_values_at_once() -> None:
    found = make(random_w(9, "stochastic"))
    r = np.linspace(-0.5, 0.9, 6).reshape(2, 3)
    assert found(r).shape == (2, 3)
    np.testing.assert_allclose(found(r), [[float(found(v)) for v in row] for row in r], rtol=1e-13)
    np.testing.assert_allclose(
        found.derivatives(r)[1], [[float(found.derivatives(v)[1]) for v in row] for row in r], rtol=1e-13
    )


@pytest.mark.parametrize("kind", ["symmetric", "similar", "asymmetric", "stochastic"])
def test_interval_ends_where_the_determinant_vanishes(kind: str) -> None:
    w = random_w(13, kind, 5)
    found = make(w)
    low, high = found.low, found.high
    eye = np.eye(13)
    for end, inner in ((low, 1 - 1e-7), (high, 1 - 1e-7)):
        assert abs(np.linalg.det(eye - end * w)) < 1e-6 * abs(np.linalg.det(eye - 0.5 * end * w))
        signs = [np.linalg.slogdet(eye - f * end * w)[0] for f in np.linspace(0, inner, 200)]
        assert set(signs) == {1.0}
    if kind in ("similar", "stochastic"):
        assert high == pytest.approx(1.0, abs=1e-12)


def test_complex_eigenvalues_do_not_bound_the_interval() -> None:
    """A directed cycle of odd length has the one real eigenvalue 1: below, the spectral radius bounds rho."""
    found = make(random_w(5, "cycle"))
    assert (found.low, found.high) == pytest.approx((-1.0, 1.0), abs=1e-12)
    found = ld.from_eigenvalues(np.array([0.9, -0.2, 0.1 + 5j, 0.1 - 5j]))
    assert (found.low, found.high) == pytest.approx((-5.0, 1 / 0.9))


def test_zero_matrix_is_not_bounded() -> None:
    found = ld.from_eigenvalues(np.zeros(4))
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert float(found(3.0)) == 0.0


@pytest.mark.parametrize("kind", ["similar", "stochastic", "cycle"])
def test_dropping_the_unit_root_is_the_determinant_after_the_transformation(kind: str) -> None:
    n = 11
    w = random_w(n, kind)
    f = np.linalg.svd(np.eye(n) - 1 / n)[0][:, : n - 1]
    assert np.allclose(f.T @ f, np.eye(n - 1)) and np.allclose(f.sum(axis=0), 0)
    reduced, full = ld.drop_unit_root(make(w)), make(w)
    for r in (-0.7, 0.2, 0.9):
        expected = np.linalg.slogdet(np.eye(n - 1) - r * f.T @ w @ f)[1]
        assert float(reduced(r)) == pytest.approx(expected, abs=1e-10)
        assert float(reduced(r)) == pytest.approx(float(full(r)) - np.log(1 - r), abs=1e-10)
    assert (reduced.low, reduced.high) == (full.low, full.high)


def test_without_a_unit_root_there_is_no_transformation() -> None:
    with pytest.raises(IdentificationError, match=r"no eigenvalue 1 \(nearest is 0\.5 away\)"):
        ld.drop_unit_root(ld.from_eigenvalues(np.array([-0.2, 0.1, 0.5])))


@pytest.mark.parametrize("kind", ["symmetric", "asymmetric", "stochastic", "cycle"])
def test_adjusted_derivative_is_the_trace_after_removing_period_means(kind: str) -> None:
    w = random_w(10, kind, 7)
    found = ld.adjust(make(w), w)
    centre = np.eye(10) - 0.1
    for r in (0.5 * found.low, 0.0, 0.6 * found.high):
        g = np.linalg.solve((np.eye(10) - r * w).T, w.T).T
        assert float(found.derivatives(r)[0]) == pytest.approx(-np.trace(centre @ g), abs=1e-9)
        h = 1e-4
        slope = (float(found(r + h)) - float(found(r - h))) / (2 * h)
        assert float(found.derivatives(r)[0]) == pytest.approx(slope, rel=1e-5, abs=1e-5)
