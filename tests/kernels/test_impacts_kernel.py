"""The spatial multiplier and its derivatives against dense inverses."""

from __future__ import annotations

import numpy as np
import pytest

from nqpf_spatial.kernels import impacts as k


def w_of(kind: str, n: int = 9) -> np.ndarray:
    rng = np.random.default_rng(6)
    a = (rng.random((n, n)) < 0.5) * rng.random((n, n)) + 0.1 * np.roll(np.eye(n), 1, axis=1)
    np.fill_diagonal(a, 0.0)
    if kind == "row":
        return a / a.sum(axis=1, keepdims=True)
    if kind == "defective":  # one-way chain: nilpotent, no basis of eigenvectors
        return np.eye(n, k=1)
    return a / np.abs(np.linalg.eigvals(a)).max()


def dense(rho: complex, w: np.ndarray, d: np.ndarray) -> np.ndarray:
    """(2, 2) means of diagonal and row sums of A^-1 and A^-1 D, analytic in rho."""
    n = w.shape[0]
    a = np.linalg.inv(np.eye(n) - rho * w)
    return np.array([[np.trace(m) / n for m in (a, a @ d)], [m.sum() / n for m in (a, a @ d)]])


@pytest.mark.parametrize("kind", ["row", "spectral", "defective"])
@pytest.mark.parametrize("separate", [False, True])
def test_multiplier_and_slope(kind: str, separate: bool) -> None:
    w = w_of(kind)
    d = w_of("row").T if separate else w
    rho = np.array([-0.6, 0.0, 0.3, 0.9])
    found = k.multiplier(rho, k.decompose(w, d if separate else None))
    for i, r in enumerate(rho):
        np.testing.assert_allclose(found.value[i], dense(r, w, d), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(found.slope[i], dense(r + 1e-30j, w, d).imag / 1e-30, rtol=1e-9, atol=1e-11)
    if kind == "row" and not separate:
        quick = k.multiplier_from_eigenvalues(rho, np.linalg.eigvals(w))
        np.testing.assert_allclose(quick.value, found.value, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(quick.slope, found.slope, rtol=1e-10, atol=1e-11)


def test_blocks_of_rho_do_not_change_the_result() -> None:
    form = k.decompose(w_of("spectral"))
    rho = np.linspace(-0.5, 0.8, 23)
    whole, parts = k.multiplier(rho, form), k.multiplier(rho, form, block=5)
    np.testing.assert_array_equal(whole.value, parts.value)
    np.testing.assert_array_equal(whole.slope, parts.slope)


def test_impacts_and_gradients_at_many_points() -> None:
    w = w_of("spectral")
    rng = np.random.default_rng(0)
    rho, coefficients = np.array([0.2, 0.5]), rng.normal(size=(2, 3, 2))
    form = k.decompose(w)
    mult = k.multiplier(rho, form)
    found, gradient = k.impacts(coefficients, mult), k.impact_gradients(coefficients, mult)
    for r in range(2):
        for c in range(3):

            def effect(p: np.ndarray) -> np.ndarray:
                value = dense(p[2], w, w)
                direct, total = p[0] * value[0, 0] + p[1] * value[0, 1], p[0] * value[1, 0] + p[1] * value[1, 1]
                return np.array([direct, total - direct, total])

            p = np.append(coefficients[r, c], rho[r])
            np.testing.assert_allclose(found[r, c], effect(p), rtol=1e-11)
            for j in range(3):
                step = p.astype(complex)
                step[j] += 1e-30j
                np.testing.assert_allclose(gradient[r, c, :, j], effect(step).imag / 1e-30, rtol=1e-9)


def test_delta_variance_is_the_quadratic_form_and_ignores_absent_parameters() -> None:
    w = w_of("row")
    mult = k.multiplier(np.array([0.4]), k.decompose(w))
    coefficients = np.array([[[1.0, 0.0], [0.5, -0.2]]])
    root = np.random.default_rng(1).normal(size=(4, 4))
    covariance = root @ root.T
    index = np.array([[0, -1, 3], [1, 2, 3]])  # the first regressor has no lag
    found = k.delta_variances(coefficients, mult, covariance[None], index)[0]
    gradient = k.impact_gradients(coefficients, mult)[0]
    for c, row in enumerate(index):
        keep = row >= 0
        g, v = gradient[c][:, keep], covariance[np.ix_(row[keep], row[keep])]
        np.testing.assert_allclose(found[c], np.diag(g @ v @ g.T), rtol=1e-12)


def test_unit_multiplier_has_diagonals_and_column_sums() -> None:
    w, d = w_of("spectral"), w_of("row")
    found = k.unit_multiplier(np.array([0.3, -0.2]), w, d, block=1)
    for i, r in enumerate((0.3, -0.2)):
        a = np.linalg.inv(np.eye(9) - r * w)
        slope = a @ w @ a
        for j, (value, change) in enumerate(((a, slope), (a @ d, slope @ d))):
            np.testing.assert_allclose(found.value[i, 0, j], np.diag(value), rtol=1e-12)
            np.testing.assert_allclose(found.value[i, 1, j], value.sum(axis=0), rtol=1e-12)
            np.testing.assert_allclose(found.slope[i, 1, j], change.sum(axis=0), rtol=1e-12)
