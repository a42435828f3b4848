"""The one-dimensional maximisation over rho, for many problems at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import ml
from nqpf_spatial.kernels.logdet import LogDet, from_eigenvalues
from nqpf_spatial.kernels.moments import reduce_columns, remove_effects


def knn(n: int, seed: int = 0) -> np.ndarray:
    """Row-stochastic, one-way, with complex eigenvalues."""
    rng = np.random.default_rng(seed)
    w = np.zeros((n, n))
    for i in range(n):
        w[i, rng.choice(np.delete(np.arange(n), i), 2, replace=False)] = 1.0
        w[i, (i + 1) % n] = 1.0
    return w / w.sum(axis=1, keepdims=True)


def logdet(n: int = 20, seed: int = 0) -> LogDet:
    return from_eigenvalues(np.linalg.eigvals(knn(n, seed)))


def objective(rho: float, a: float, b: float, c: float, n: int, m: int, ld: LogDet) -> float:
    return -0.5 * n * np.log(a - 2 * b * rho + c * rho**2) + m * float(ld(rho))


def test_agrees_with_a_fine_grid_and_a_scalar_optimiser() -> None:
    ld, n, m = logdet(), 200, 10
    rng = np.random.default_rng(1)
    a, c = rng.uniform(20, 200, 40), rng.uniform(20, 200, 40)
    b = rng.uniform(-0.98, 0.98, 40) * np.sqrt(a * c)
    found, _ = ml.maximise_lag(a, b, c, n, m, ld)
    fine = np.linspace(ld.low, ld.high, 20001)[1:-1]
    for k in range(40):
        values = [-0.5 * n * np.log(a[k] - 2 * b[k] * fine + c[k] * fine**2) + m * ld(fine)]
        start = fine[int(np.argmax(values[0]))]
        width = fine[1] - fine[0]
        best = optimize.minimize_scalar(
            lambda r, k=k: -objective(r, a[k], b[k], c[k], n, m, ld),
            bounds=(start - width, start + width),
            method="bounded",
            options={"xatol": 1e-12},
        )
        assert objective(found[k], a[k], b[k], c[k], n, m, ld) >= -best.fun - 1e-10
        assert found[k] == pytest.approx(best.x, abs=1e-6)


def test_many_problems_together_give_the_bits_of_each_alone() -> None:
    ld = logdet()
    rng = np.random.default_rng(3)
    a, c = rng.uniform(20, 200, 30), rng.uniform(20, 200, 30)
    b = rng.uniform(-0.9, 0.9, 30) * np.sqrt(a * c)
    together, _ = ml.maximise_lag(a, b, c, 200, 10, ld)
    alone = [ml.maximise_lag(a[k : k + 1], b[k : k + 1], c[k : k + 1], 200, 10, ld)[0][0] for k in range(30)]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-13)


def test_converges_close_to_the_end_of_the_interval() -> None:
    """Newton steps there are rounding of size eps / (1 - rho): no tolerance below it may be asked for."""
    ld = logdet()
    distance = 10.0 ** -np.arange(1, 7, dtype=float)
    c = np.full(6, 100.0)
    b = c * (1 - distance)
    a = b**2 / c * (1 + 1e-4 * distance)
    found, _ = ml.maximise_lag(a, b, c, 200, 10, ld)
    assert np.all((found > 0.5) & (found < ld.high))
    # the very problem on which the search over lambda in a real SAC fit once stopped
    omega = np.concatenate([np.full(165, -1 / 18), np.ones(6)])
    one = ml.maximise_lag(
        *(np.array([v]) for v in (7748.66742095, 7726.78177035, 7919.31125835)), 1026, 6, from_eigenvalues(omega)
    )
    assert 0.9 < one[0][0] < 1.0


def test_thousands_of_random_problems_converge() -> None:
    ld = logdet(31, 5)
    rng = np.random.default_rng(9)
    a, c = rng.uniform(1, 1e4, 20_000), rng.uniform(1, 1e4, 20_000)
    b = np.tanh(rng.normal(scale=2, size=20_000)) * np.sqrt(a * c) * (1 - 1e-9)
    rho, _ = ml.maximise_lag(a, b, c, 400, 13, ld)
    sse, slope = a - 2 * b * rho + c * rho**2, c * rho - b
    first, second = ld.derivatives(rho)
    score = -400 * slope / sse + 13 * first
    curvature = -400 * (c / sse - 2 * slope**2 / sse**2) + 13 * second
    interior = (rho > ld.low + 1e-6) & (rho < ld.high - 1e-6)
    assert interior.mean() > 0.99
    assert np.max(np.abs(score / curvature)[interior]) < 1e-10


def test_highest_of_several_maxima_is_found() -> None:
    """A wide interval and complex eigenvalues: a hump near 0 and another near -3.5."""
    ld = from_eigenvalues(np.array([1.0, -1 / 6, -5 / 12 + 0.4j, -5 / 12 - 0.4j]))
    n, m = 20, 5
    a, b, c = 990.0, 118.0, 14.1
    fine = np.linspace(ld.low, ld.high, 400_001)[1:-1]
    values = -0.5 * n * np.log(a - 2 * b * fine + c * fine**2) + m * ld(fine)
    humps = np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] > values[2:])) + 1
    assert len(humps) == 2 and abs(values[humps[0]] - values[humps[1]]) > 0.1
    found, _ = ml.maximise_lag(*(np.array([v]) for v in (a, b, c)), n, m, ld)
    assert found[0] == pytest.approx(fine[int(values.argmax())], abs=1e-4)


def test_reduction_has_the_cross_products_of_the_demeaned_columns() -> None:
    rng = np.random.default_rng(2)
    base, lagged = rng.normal(size=(5, 4, 7)), rng.normal(size=(5, 4, 7))
    for unit in (False, True):
        for time in (False, True):
            found = reduce_columns(base, lagged, unit, time)
            for lambda_ in (0.0, 0.7, -1.3):
                flat = remove_effects(base - lambda_ * lagged, unit, time).reshape(5, -1)
                np.testing.assert_allclose(found.at(lambda_).T @ found.at(lambda_), flat @ flat.T, atol=1e-11)
            assert found.k == 3


def test_removing_effects_is_the_projection_on_dummies() -> None:
    rng = np.random.default_rng(5)
    a = rng.normal(size=(4, 6))
    unit = np.kron(np.ones((4, 1)), np.eye(6))
    time = np.kron(np.eye(4), np.ones((6, 1)))
    for flags, d in (((True, False), unit), ((False, True), time), ((True, True), np.hstack([unit, time]))):
        fitted = d @ np.linalg.lstsq(d, a.ravel(), rcond=None)[0]
        np.testing.assert_allclose(remove_effects(a, *flags).ravel(), a.ravel() - fitted, atol=1e-12)


def _data(w: np.ndarray, rho: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = w.shape[0]
    x = rng.normal(size=(2, 8, n))
    y = np.linalg.solve(np.eye(n) - rho * w, (x[0] - x[1] + 0.3 * rng.normal(size=(8, n))).T).T
    return y, x


def test_information_is_minus_the_numerical_hessian_of_the_likelihood() -> None:
    w = knn(12, 4)
    y, x = _data(w, 0.4)
    lag = lambda a: a @ w.T
    base = np.concatenate([x, y[None], lag(y)[None]])
    reduced = reduce_columns(base, lag(base), True, True)
    ld = from_eigenvalues(np.linalg.eigvals(w))
    like = ml.Likelihood(96, 8, ld, ld)
    fit = ml.fit_ml(reduced, like)
    theta = np.concatenate([fit.beta, [fit.rho, fit.lambda_, fit.sigma2]])

    def value(p: np.ndarray) -> float:
        return ml.evaluate(reduced, like, p[:2], p[2], p[3], p[4]).llf

    def gradient(p: np.ndarray) -> np.ndarray:
        steps = 1e-5 * np.eye(5)
        return np.array([(value(p + h) - value(p - h)) / 2e-5 for h in steps])

    score, information = ml.score_and_information(reduced, like, fit)
    assert np.max(np.abs(score) / np.sqrt(np.diag(information))) < 1e-9
    hessian = np.array([(gradient(theta + h) - gradient(theta - h)) / 4e-4 for h in 2e-4 * np.eye(5)])
    size = np.sqrt(np.outer(np.diag(information), np.diag(information)))
    np.testing.assert_allclose(information / size, -hessian / size, atol=2e-4)
    away = theta + np.array([0.1, -0.1, 0.05, -0.05, 0.01])
    at = ml.evaluate(reduced, like, away[:2], *away[2:])
    off, _ = ml.score_and_information(reduced, like, at)
    np.testing.assert_allclose(off, gradient(away), rtol=1e-4, atol=1e-3)


def test_equal_weights_with_time_effects_do_not_identify_rho() -> None:
    n = 9
    w = (np.ones((n, n)) - np.eye(n)) / (n - 1)
    y, x = _data(w, 0.2)
    reduced = reduce_columns(np.concatenate([x, y[None], (y @ w.T)[None]]), None, False, True)
    with pytest.raises(IdentificationError, match="rho is not identified"):
        ml.fit_ml(reduced, ml.Likelihood(72, 8, from_eigenvalues(np.linalg.eigvalsh(w)), None))


def test_as_many_parameters_as_observations() -> None:
    rng = np.random.default_rng(0)
    reduced = reduce_columns(rng.normal(size=(6, 2, 2)), None, False, False)
    with pytest.raises(IdentificationError, match=r"residuals vanish|not identified"):
        ml.fit_ml(reduced, ml.Likelihood(4, 2, None, None))
