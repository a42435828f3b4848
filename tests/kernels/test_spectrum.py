"""Eigenvalues of W and the admissible interval of rho."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from nqpf_spatial.kernels import spectrum as sp


def _random(kind: str, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    a = rng.random((n, n)) * (rng.random((n, n)) < 0.4)
    np.fill_diagonal(a, 0.0)
    if kind in ("symmetric", "row of symmetric", "scaled symmetric"):
        a = a + a.T
    a[np.arange(n), (np.arange(n) + 1) % n] += 0.5  # a ring: no empty rows
    if kind in ("symmetric", "row of symmetric", "scaled symmetric"):
        a = (a + a.T) / 2
    if kind == "row of symmetric":
        a = a / a.sum(axis=1, keepdims=True)
    if kind == "scaled symmetric":
        a = a * rng.uniform(0.1, 5.0, n)[:, None]
    return a


@pytest.mark.parametrize("kind", ["symmetric", "row of symmetric", "scaled symmetric", "asymmetric"])
@pytest.mark.parametrize("seed", range(5))
def test_eigenvalues_are_those_of_numpy(kind: str, seed: int) -> None:
    a = _random(kind, 23, seed)
    result = sp.spectrum(csr_array(a))
    assert result.symmetric_similar == (kind != "asymmetric")
    expected = np.sort_complex(np.linalg.eigvals(a))
    np.testing.assert_allclose(np.sort_complex(result.values.astype(complex)), expected, atol=1e-10)
    assert result.values.dtype == (np.complex128 if kind == "asymmetric" else np.float64)
    assert result.radius == pytest.approx(np.abs(expected).max(), rel=1e-12)


def test_complex_spectrum_of_a_one_way_ring() -> None:
    n = 7
    ring = np.roll(np.eye(n), 1, axis=1)
    result = sp.spectrum(csr_array(ring))
    roots = np.exp(2j * np.pi * np.arange(n) / n)
    np.testing.assert_allclose(np.sort_complex(result.values), np.sort_complex(roots), atol=1e-12)
    assert (result.low, result.high) == (-np.inf, pytest.approx(1.0))  # 1 is the only real root of odd order


def test_even_ring_has_minus_one_too() -> None:
    result = sp.spectrum(csr_array(np.roll(np.eye(6), 1, axis=1)))
    assert (result.low, result.high) == (pytest.approx(-1.0), pytest.approx(1.0))


def test_hand_computed_path_of_three() -> None:
    path = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=float)
    result = sp.spectrum(csr_array(path))
    np.testing.assert_allclose(result.values, [-np.sqrt(2), 0, np.sqrt(2)], atol=1e-14)
    assert result.low == pytest.approx(-1 / np.sqrt(2))


def test_cycle_criterion_refuses_a_symmetric_pattern_with_circulation() -> None:
    # Links both ways, but the product around the triangle differs by direction: no D makes it symmetric.
    a = np.array([[0, 2, 1], [1, 0, 2], [2, 1, 0]], dtype=float)
    assert sp.symmetric_similar(csr_array(a)) is None
    result = sp.spectrum(csr_array(a))
    assert np.abs(result.values.imag).max() > 0.5
    np.testing.assert_allclose(result.values, np.sort_complex(np.linalg.eigvals(a)), atol=1e-12)


def test_several_components_and_empty_rows() -> None:
    a = np.zeros((7, 7))
    a[0, 1], a[1, 0], a[3, 4], a[4, 3], a[4, 5], a[5, 4] = 0.2, 5.0, 1.0, 2.0, 3.0, 4.0
    result = sp.spectrum(csr_array(a))
    assert result.symmetric_similar
    np.testing.assert_allclose(result.values, np.sort(np.linalg.eigvals(a).real), atol=1e-12)


def test_nilpotent_matrix_bounds_nothing() -> None:
    a = np.triu(np.ones((5, 5)), 1)
    result = sp.spectrum(csr_array(a))
    assert (result.low, result.high, result.radius) == (-np.inf, np.inf, 0.0)


def test_determinant_is_positive_inside_and_zero_at_the_ends() -> None:
    for seed in range(5):
        a = _random("asymmetric", 12, seed)
        s = sp.spectrum(csr_array(a))
        low = max(s.low, -1e3)
        for rho in np.linspace(low, s.high, 41)[1:-1]:
            assert np.linalg.det(np.eye(12) - rho * a) > 0
        assert abs(np.linalg.det(np.eye(12) - s.high * a)) < 1e-9


def test_scrambled_storage_gives_the_same_bits() -> None:
    a = csr_array(_random("row of symmetric", 15, 3))
    shuffled = a.tocoo()
    order = np.random.default_rng(0).permutation(shuffled.nnz)
    again = csr_array((shuffled.data[order], (shuffled.row[order], shuffled.col[order])), shape=a.shape)
    np.testing.assert_array_equal(sp.spectrum(a).values, sp.spectrum(again).values)


def _ring_lattice(n: int) -> csr_array:
    """Row-standardised symmetric ring with two neighbours on each side; spectrum known in closed form."""
    k = np.arange(n)
    rows = np.repeat(k, 4)
    columns = np.stack([(k - 1) % n, (k + 1) % n, (k - 2) % n, (k + 2) % n], axis=1).ravel()
    return csr_array((np.full(4 * n, 0.25), (rows, columns)), shape=(n, n))


def test_large_matrix_uses_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 600
    w = _ring_lattice(n)
    angle = 2 * np.pi * np.arange(n) / n
    exact = (np.cos(angle) + np.cos(2 * angle)) / 2
    monkeypatch.setattr(sp, "MAX_DENSE", 100)
    monkeypatch.setattr(sp, "_MAX_DENSE_RADIUS", 100)
    low, high = sp.extreme_interval(w)
    assert low == pytest.approx(1 / exact.min(), abs=2e-4)
    assert low >= 1 / exact.min() - 1e-12  # never wider than the truth
    assert high == pytest.approx(1.0, abs=2e-4)
    assert high <= 1.0
    assert sp.extreme_interval(w, row_stochastic=True)[1] == 1.0
    assert sp.spectral_radius(w) == pytest.approx(1.0, abs=1e-10)
    with pytest.raises(ValueError, match=r"600 x 600.*extreme_interval"):
        sp.spectrum(w)


def test_large_asymmetric_matrix_is_refused_and_its_radius_found(monkeypatch: pytest.MonkeyPatch) -> None:
    a = csr_array(_random("asymmetric", 60, 1))
    exact = sp.spectrum(a).radius
    monkeypatch.setattr(sp, "MAX_DENSE", 10)
    monkeypatch.setattr(sp, "_MAX_DENSE_RADIUS", 10)
    assert sp.spectral_radius(a) == pytest.approx(exact, rel=1e-10)
    with pytest.raises(ValueError, match="not similar to a symmetric matrix"):
        sp.extreme_interval(a)


def test_extreme_interval_of_a_small_matrix_is_the_exact_one() -> None:
    a = csr_array(_random("row of symmetric", 10, 0))
    s = sp.spectrum(a)
    assert sp.extreme_interval(a) == (s.low, s.high)
    assert sp.extreme_interval(a, row_stochastic=True) == (s.low, 1.0)
