"""Kernels of 2SLS and GM error: definitions, exact minimisation, sampling variance by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import gmm, gmm_error
from nqpf_spatial.kernels.gmm_error import ErrorData


def ring(n: int) -> np.ndarray:
    """Each unit with two neighbours on one side and one on the other, rows summing to one; W is not symmetric."""
    eye = np.eye(n)
    return (np.roll(eye, 1, axis=1) + np.roll(eye, -1, axis=1) + np.roll(eye, 2, axis=1)) / 3.0


def sample(seed: int, n: int = 80, lambda_: float = 0.5, rho: float = 0.0, het: bool = False) -> ErrorData:
    """Cross-section with skewed or heteroskedastic errors; regressors do not depend on the seed."""
    w = ring(n)
    fixed = np.random.default_rng(99)
    x = np.stack([np.ones(n), fixed.uniform(-2.0, 2.0, size=n), fixed.normal(size=n)])
    rng = np.random.default_rng(seed)
    e = rng.normal(size=n) * np.linspace(0.4, 1.6, n) if het else (rng.chisquare(2, n) - 2.0) / 2.0
    u = np.linalg.solve(np.eye(n) - lambda_ * w, e)
    y = np.linalg.solve(np.eye(n) - rho * w, x.T @ [1.0, 1.0, -1.0] + u)
    own, h = np.arange(3), np.empty((0, 1, n))
    z = x[:, None]
    if rho:
        z = np.concatenate([z, (w @ y)[None, None]])
        h = np.stack([w @ x[1], w @ x[2], w @ w @ x[1], w @ w @ x[2]])[:, None]
    return ErrorData(y[None], z, own, h, w)


INTERVAL = (-1.2, 1.0)


def admissible(samples: list[ErrorData], het: bool) -> list[gmm_error.ErrorFit]:
    """Fits of the samples whose moments have a minimum inside the interval; one or two in a hundred have none."""
    found = []
    for data in samples:
        try:
            found.append(gmm_error.fit_2010(data, INTERVAL, het))
        except IdentificationError:
            continue
    return found


def test_moment_equations_are_the_quadratic_forms() -> None:
    data = sample(1)
    u = np.random.default_rng(2).normal(size=(3, 80))
    for het in (False, True):
        matrices = gmm_error.moment_matrices(data.w, het)
        gamma, g = gmm_error.moment_equations(u, data.w, matrices)
        for lambda_ in (-0.7, 0.2, 0.9):
            e = u - lambda_ * u @ data.w.T
            direct = [sum(row @ a @ row for row in e) / u.size for a in matrices]
            np.testing.assert_allclose(g - gamma @ [lambda_, lambda_**2], direct, rtol=1e-10)
        for a in matrices:
            np.testing.assert_allclose(np.diag(a) if het else np.trace(a), 0.0, atol=1e-12)
            np.testing.assert_allclose(a, a.T, atol=0)


def test_minimum_is_the_lowest_inside_and_exact() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        gamma, g = rng.normal(size=(2, 2)), rng.normal(size=2)

        def value(v: float, gamma: np.ndarray = gamma, g: np.ndarray = g) -> float:
            m = g - gamma @ np.array([v, v * v])
            return float(m @ m)

        grid = np.linspace(-1, 1, 2001)
        values = np.array([value(v) for v in grid])
        valleys = np.flatnonzero((values[1:-1] < values[:-2]) & (values[1:-1] < values[2:])) + 1
        if not valleys.size:
            with pytest.raises(IdentificationError, match="no minimum inside"):
                gmm_error.minimise(gamma, g, None, (-1.0, 1.0))
            continue
        best = grid[valleys[np.argmin(values[valleys])]]
        found = gmm_error.minimise(gamma, g, None, (-1.0, 1.0))
        peer = optimize.minimize_scalar(value, bounds=(best - 1e-3, best + 1e-3), method="bounded")
        assert value(found) <= peer.fun + 1e-12
        assert abs(found - best) < 2e-3


def test_three_moments_by_a_numerical_optimiser() -> None:
    data = sample(4)
    u = data.y - np.tensordot(gmm.two_stage(data.y[0], data.z[:, 0].T, data.z[:, 0].T).delta, data.z, axes=1)
    lambda_, sigma2 = gmm_error.minimise_1999(u, data.w, INTERVAL)

    def moments(theta: np.ndarray) -> np.ndarray:
        e = u[0] - theta[0] * data.w @ u[0]
        bar = data.w @ e
        level = np.trace(data.w.T @ data.w) / 80
        return np.array([e @ e, bar @ bar, bar @ e]) / 80 - theta[1] * np.array([1.0, level, 0.0])

    peer = optimize.least_squares(moments, [0.3, 1.0], xtol=1e-14, ftol=1e-14, gtol=1e-14).x
    np.testing.assert_allclose([lambda_, sigma2], peer, rtol=1e-7)


@pytest.mark.parametrize("het", [False, True])
@pytest.mark.parametrize("rho", [0.0, 0.3])
def test_covariance_is_the_sampling_variance(rho: float, het: bool) -> None:
    fits = admissible([sample(seed, n=200, rho=rho, het=het) for seed in range(400)], het)
    assert len(fits) >= 390
    estimates = np.array([[*f.delta, f.lambda_] for f in fits])
    covariances = np.array([f.covariance for f in fits])
    truth = np.array([1.0, 1.0, -1.0, *([rho] if rho else []), 0.5])
    se = np.sqrt(np.einsum("rii->ri", covariances))
    ratio = np.median(se, axis=0) / estimates.std(axis=0)
    assert (ratio > 0.8).all() and (ratio < 1.15).all(), ratio
    coverage = (np.abs(estimates - truth) < 1.96 * se).mean(axis=0)
    assert (coverage > 0.87).all(), coverage
    # the estimates of rho and lambda are tied to each other: that must show in the covariance too
    size = np.sqrt(np.diag(covariances.mean(axis=0)))
    correlation = (covariances.mean(axis=0) / np.outer(size, size))[-1]
    np.testing.assert_allclose(correlation, np.corrcoef(estimates.T)[-1], atol=0.15)


def test_own_filtered_regressors_are_the_better_instruments() -> None:
    # what sphet does, (X'X*)^-1 X'y*, against GLS, (X*'X*)^-1 X*'y*: both unbiased, GLS with the smaller variance
    data = [sample(seed, lambda_=0.7) for seed in range(300)]
    raw = [replace(d, exogenous=np.array([], dtype=int), h=d.z) for d in data]
    both = [np.array([f.delta[2] for f in admissible(samples, False)]) for samples in (data, raw)]
    assert both[0].std() < 0.97 * both[1].std()
    for values in both:
        assert values.size > 280
        assert abs(values.mean() + 1.0) < 3.0 * values.std() / np.sqrt(values.size)


def test_dependent_columns_are_named_once() -> None:
    rng = np.random.default_rng(5)
    a = rng.normal(size=(30, 4))
    a = np.column_stack([a[:, :2], a[:, 0] - 3.0 * a[:, 1], a[:, 2], np.zeros(30), 1e-6 * a[:, 3], a[:, 3] * 1e5])
    assert gmm.dependent_columns(a).tolist() == [2, 4, 6]


def test_exactly_identified_2sls_is_the_ratio_of_moments() -> None:
    rng = np.random.default_rng(6)
    z, h, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 3)), rng.normal(size=40)
    h[:, 0] = z[:, 0]
    fit = gmm.two_stage(y, z, h)
    np.testing.assert_allclose(fit.delta, np.linalg.solve(h.T @ z, h.T @ y), rtol=1e-8)
    singles = gmm.robust(fit, np.arange(40))
    np.testing.assert_allclose(singles, gmm.robust(fit), rtol=1e-12)
    assert gmm.sargan(fit, h, 40)[1] == 0
    assert gmm.sargan(fit, h, 40)[0] == pytest.approx(0.0, abs=1e-16)
