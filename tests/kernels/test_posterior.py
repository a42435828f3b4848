"""Exact posterior of one spatial parameter: golden values, brute-force integrals, calibration by simulation."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg as sla
from scipy import integrate as quad
from scipy import stats
from scipy.special import betaln, gammaln

sys.path.append(str(Path(__file__).resolve().parents[1] / "models"))

from golden_support import EFFECTS, PANELS, entries, fitted, weights

from nqpf_spatial.errors import ConvergenceError, IdentificationError
from nqpf_spatial.kernels import logdet as ld
from nqpf_spatial.kernels import posterior as kernel
from nqpf_spatial.kernels.moments import Reduced, reduce_columns, remove_effects, spatial_lag
from nqpf_spatial.kernels.posterior import ConjugatePrior, SpatialLikelihood
from nqpf_spatial.kernels.quadrature import normalise

MODELS = ("ols", "slx", "sar", "sdm", "sem", "sdem")


def flat_prior(k: int, **changes: object) -> ConjugatePrior:
    return replace(ConjugatePrior(np.ones(k, dtype=bool), None, None, None, 0.0, 0.0, 1.0, None), **changes)


# -- golden values -------------------------------------------------------------------------------------------
def published(key: str, model: str, effects: str, correction: str, span: float, reduced: Reduced | None = None):
    """Log marginal likelihood by the conventions of the golden numbers.

    They write (2 pi)^(-nu/2) where the integral has pi^(-nu/2), take the number of effects off nu even after the
    effects were transformed away, and let rho run over the interval of the transformed spectrum.
    """
    est = fitted(key, model, effects, correction).estimate
    like, (t, n) = est.likelihood, est.design.shape
    logdet = like.rho if like.rho is not None else like.lambda_
    unit, time = est.design.unit, est.design.time
    periods = t - 1 if correction == "transform" and unit else t
    units = n - 1 if correction == "transform" and time else n
    nu = like.n - (units * unit + periods * time - (unit and time)) - est.reduced.k
    low = weights(key).rho_interval()[0]
    prior = flat_prior(est.reduced.k, interval=None if logdet is None else (low, low + span))
    spatial = SpatialLikelihood(nu + est.reduced.k, like.m, logdet, like.lambda_ is not None)
    return kernel.integrate(reduced or est.reduced, spatial, prior).log_marginal - 0.5 * nu * np.log(2.0)


GOLDEN = [
    (key, effects, correction)
    for key in PANELS
    for effects in EFFECTS
    for correction in (("none",) if effects == "none" else ("none", "transform"))
]


def golden_entry(key: str, effects: str, correction: str) -> dict:
    return entries()[f"{key}.own.logmarginal.{effects}.{'no' if correction == 'none' else 'LY'}"]


@pytest.mark.parametrize(("key", "effects", "correction"), GOLDEN)
def test_golden_log_marginals(key, effects, correction):
    e = golden_entry(key, effects, correction)
    for model in MODELS:
        reduced = None
        if correction == "none" and effects in ("time", "twoways") and model not in ("ols", "slx"):
            reduced = lagged_after_demeaning(key, model, effects)
        found = published(key, model, effects, correction, e["D"], reduced)
        assert found == pytest.approx(e["lmarginal"][model], abs=1e-7), model


def lagged_after_demeaning(key: str, model: str, effects: str) -> Reduced:
    """Statistics with W(Qy) for Q(Wy): what the golden numbers with time effects and no transformation use."""
    est = fitted(key, model, effects, "none").estimate
    w, design = weights(key).dense(), est.design
    z, y = (remove_effects(a, design.unit, design.time) for a in (est.columns.z, design.y))
    wy = spatial_lag(w, y) if model in ("sar", "sdm") else np.zeros_like(y)
    base = np.concatenate([z, y[None], wy[None]])
    lagged = np.stack([spatial_lag(w, part) for part in base]) if model in ("sem", "sdem") else None
    return reduce_columns(base, lagged, False, False)


@pytest.mark.parametrize("effects", ["time", "twoways"])
def test_order_of_demeaning_and_lagging_matters_unless_w_is_doubly_stochastic(effects):
    e = golden_entry("produc", effects, "none")
    assert abs(published("produc", "sem", effects, "none", e["D"]) - e["lmarginal"]["sem"]) > 0.2
    e = golden_entry("rice", effects, "none")
    assert published("rice", "sem", effects, "none", e["D"]) == pytest.approx(e["lmarginal"]["sem"], abs=1e-7)


# -- brute force ---------------------------------------------------------------------------------------------
def tiny(error: bool, seed: int = 0, n: int = 7, t: int = 2):
    """Columns, W, statistics and likelihood of a tiny problem with an intercept and one regressor."""
    rng = np.random.default_rng(seed)
    w = np.roll(np.eye(n), 1, axis=1) + 0.5 * np.roll(np.eye(n), 2, axis=1) + np.diag(np.full(n - 1, 0.3), -1)
    w /= w.sum(axis=1, keepdims=True)
    z = np.stack([np.ones((t, n)), rng.normal(size=(t, n))])
    inverse = np.linalg.inv(np.eye(n) - 0.4 * w)
    noise, signal = rng.normal(size=(t, n)), 0.5 + 0.8 * z[1]
    y = signal + noise @ inverse.T if error else (signal + noise) @ inverse.T
    base = np.concatenate([z, y[None], (np.zeros_like(y) if error else spatial_lag(w, y))[None]])
    lagged = np.stack([spatial_lag(w, part) for part in base]) if error else None
    logdet = ld.from_eigenvalues(np.linalg.eigvals(w))
    return z, y, w, reduce_columns(base, lagged, False, False), SpatialLikelihood(n * t, t, logdet, error)


def dense_covariance(w: np.ndarray, r: float, t: int) -> np.ndarray:
    inverse = np.linalg.inv(np.eye(w.shape[0]) - r * w)
    return np.kron(np.eye(t), inverse @ inverse.T)


@pytest.mark.parametrize("error", [False, True])
def test_normal_prior_against_a_dense_multivariate_t_integrated_by_quad(error):
    """With proper priors y given r is multivariate t: no cross-products, no triangular factors."""
    z, y, w, reduced, like = tiny(error)
    scale, mean, shape, rate, d = np.array([2.0, 0.7]), np.array([0.3, -0.2]), 2.5, 1.3, 1.7
    prior = ConjugatePrior(np.zeros(2, dtype=bool), None, mean, scale, shape, rate, d, None)
    t, n = y.shape
    low, high = like.logdet.low, like.logdet.high
    stacked = z.reshape(2, -1).T

    def density(r: float) -> float:
        filtered = np.kron(np.eye(t), np.linalg.inv(np.eye(n) - r * w))
        x = stacked if error else filtered @ stacked
        v = dense_covariance(w, r, t) + x @ np.diag(scale**2) @ x.T
        location = x @ mean
        beta = ((r - low) * (high - r) / (high - low) ** 2) ** (d - 1) / np.exp(betaln(d, d)) / (high - low)
        return beta * stats.multivariate_t.pdf(y.ravel(), location, rate / shape * v, df=2 * shape)

    value, _ = quad.quad(density, low, high, epsabs=0, epsrel=1e-11, limit=400)
    assert kernel.integrate(reduced, like, prior).log_marginal == pytest.approx(np.log(value), abs=1e-9)


@pytest.mark.parametrize("error", [False, True])
def test_flat_prior_against_two_dimensional_quadrature(error):
    """Over r and ln sigma2 of the density of y, beta integrated by its Gaussian formula."""
    z, y, w, reduced, like = tiny(error, seed=3)
    t, n = y.shape
    stacked = z.reshape(2, -1).T
    low, high = like.logdet.low, like.logdet.high

    def at(r: float) -> tuple[float, float, float]:
        a = np.kron(np.eye(t), np.eye(n) - r * w)
        x, target = (a @ stacked if error else stacked), a @ y.ravel()
        beta = np.linalg.lstsq(x, target, rcond=None)[0]
        sse = float(((target - x @ beta) ** 2).sum())
        return sse, np.linalg.slogdet(x.T @ x)[1], t * np.linalg.slogdet(np.eye(n) - r * w)[1]

    def density(s: float, r: float) -> float:  # s = ln sigma2: the prior 1 / sigma2 is flat in it
        sse, logdet, jacobian = at(r)
        nu = n * t - 2
        return np.exp(-0.5 * nu * (np.log(2 * np.pi) + s) - 0.5 * sse * np.exp(-s) - 0.5 * logdet + jacobian) / (
            high - low
        )

    value, _ = quad.dblquad(density, low, high, -6.0, 6.0, epsabs=0, epsrel=1e-7)
    assert kernel.integrate(reduced, like, flat_prior(2)).log_marginal == pytest.approx(np.log(value), abs=1e-6)


def test_g_prior_is_the_normal_prior_with_its_covariance():
    """Without intercept and error lag, N(0, g sigma2 (Z'Z)^-1): rotate Z to orthonormal columns and use normal scales."""
    _, _, _, reduced, like = tiny(False, seed=5)
    factor = reduced.base
    g = 23.0
    prior = replace(flat_prior(2), flat=np.zeros(2, dtype=bool), g=g)
    rotated = factor.copy()
    rotated[:, :2] = factor[:, :2] @ np.linalg.inv(factor[:2, :2])
    normal = ConjugatePrior(np.zeros(2, bool), None, np.zeros(2), np.full(2, np.sqrt(g)), 0.0, 0.0, 1.0, None)
    ours = kernel.integrate(reduced, like, prior)
    theirs = kernel.integrate(Reduced(rotated, None, 2), like, normal)
    # |Z'Z|^(1/2) of the prior cancels against that of the integral, so the values agree without a Jacobian
    assert ours.log_marginal == pytest.approx(theirs.log_marginal, abs=1e-9)
    one = kernel.sample(reduced, like, prior, ours, 40_000, 1)
    other = kernel.sample(Reduced(rotated, None, 2), like, normal, theirs, 40_000, 1)
    np.testing.assert_allclose(one.r, other.r, atol=1e-9)
    np.testing.assert_allclose(one.sigma2, other.sigma2, rtol=1e-9)
    mine = one.beta @ factor[:2, :2].T
    np.testing.assert_allclose(mine.mean(axis=0), other.beta.mean(axis=0), atol=0.03 * mine.std())
    np.testing.assert_allclose(np.cov(mine.T), np.cov(other.beta.T), atol=0.04 * mine.var())


@pytest.mark.parametrize("error", [False, True])
def test_g_prior_with_flat_intercept_does_not_depend_on_units_or_origin(error):
    z, y, w, reduced, like = tiny(error, seed=6)
    prior = replace(flat_prior(2), flat=np.array([True, False]), g=14.0)
    value = kernel.integrate(reduced, like, prior).log_marginal
    moved = z.copy()
    moved[1] = 1000.0 * z[1] - 7.0
    base = np.concatenate([moved, y[None], (np.zeros_like(y) if error else spatial_lag(w, y))[None]])
    lagged = np.stack([spatial_lag(w, part) for part in base]) if error else None
    other = reduce_columns(base, lagged, False, False)
    assert kernel.integrate(other, like, prior).log_marginal == pytest.approx(value, abs=1e-8)
    assert abs(kernel.integrate(other, like, flat_prior(2)).log_marginal - value) > 1.0


def test_without_spatial_parameter_the_value_is_the_textbook_formula():
    _, _, _, reduced, like = tiny(False, seed=8)
    like = SpatialLikelihood(like.n, like.m, None, False)
    q, r = sla.qr(reduced.base[:, :2], mode="economic")
    rest = reduced.base[:, 2] - q @ (q.T @ reduced.base[:, 2])
    nu = like.n - 2
    expected = gammaln(nu / 2) - nu / 2 * np.log(np.pi * (rest @ rest)) - np.log(np.abs(np.diag(r))).sum()
    marginal = kernel.integrate(reduced, like, flat_prior(2))
    assert marginal.log_marginal == pytest.approx(expected, abs=1e-12)
    drawn = kernel.sample(reduced, like, flat_prior(2), marginal, 20_000, 0)
    theory = stats.t(df=nu, loc=0, scale=1)
    beta = sla.solve_triangular(r, q.T @ reduced.base[:, 2])
    se = np.sqrt(np.diag(np.linalg.inv(r.T @ r)) * (rest @ rest) / nu)
    for j in range(2):
        assert stats.kstest((drawn.beta[:, j] - beta[j]) / se[j], theory.cdf).pvalue > 0.001


@pytest.mark.parametrize("error", [False, True])
def test_samples_follow_the_joint_posterior(error):
    """First and second moments of (beta, r, sigma2) against a fine grid of r with closed forms given r."""
    z, y, w, reduced, like = tiny(error, seed=4, t=6)
    prior = flat_prior(2, shape=2.0, rate=1.0)
    marginal = kernel.integrate(reduced, like, prior)
    drawn = kernel.sample(reduced, like, prior, marginal, 200_000, 7)
    t, n = y.shape
    stacked, grid = z.reshape(2, -1).T, np.linspace(like.logdet.low, like.logdet.high, 2003)[1:-1]
    shape = 0.5 * (n * t - 2) + 2.0
    logs, rows = [], []
    for r in grid:
        a = np.kron(np.eye(t), np.eye(n) - r * w)
        x, target = (a @ stacked if error else stacked), a @ y.ravel()
        inverse = np.linalg.inv(x.T @ x)
        beta = inverse @ x.T @ target
        half = 0.5 * float(((target - x @ beta) ** 2).sum()) + 1.0
        logs.append(
            t * np.linalg.slogdet(np.eye(n) - r * w)[1] - shape * np.log(half) + 0.5 * np.linalg.slogdet(inverse)[1]
        )
        s2 = half / (shape - 1.0)
        rows.append([*beta, r, s2, *(beta**2 + s2 * np.diag(inverse)), r * r, half**2 / (shape - 1) / (shape - 2)])
    weight = np.exp(np.array(logs) - max(logs))
    expected = weight @ np.array(rows) / weight.sum()
    sample = np.column_stack([drawn.beta, drawn.r, drawn.sigma2])
    both = np.column_stack([sample, sample**2])
    error_of_mean = both.std(axis=0) / np.sqrt(both.shape[0])
    assert np.all(np.abs(both.mean(axis=0) - expected) < 4.5 * error_of_mean + 1e-6)


def test_error_samples_do_not_depend_on_how_the_triangles_are_computed():
    _, _, _, reduced, _ = tiny(True, seed=9, t=4)
    r = np.linspace(-0.6, 0.9, 40)
    prior = replace(flat_prior(2), flat=np.array([False, True]), g=9.0)
    slow, fast = kernel._by_qr(reduced, prior, r), kernel._by_cholesky(reduced, prior, r, 0.3)
    sign = np.sign(np.diagonal(slow, axis1=1, axis2=2))[:, :3, None]
    other = np.sign(np.diagonal(fast, axis1=1, axis2=2))[:, :3, None]
    np.testing.assert_allclose((slow[:, :3] * sign), (fast[:, :3] * other), atol=1e-11)


# -- simulation-based calibration ----------------------------------------------------------------------------
def calibration(error: bool, replicates: int, seed: int, jacobian: bool = True) -> np.ndarray:
    """p-values of uniform ranks of (beta, r, sigma2, total impact) among 99 posterior samples (Talts et al. 2018)."""
    draws, n, t = 99, 8, 3
    rng = np.random.default_rng(seed)
    w = sum(np.roll(np.eye(n), shift, axis=1) for shift in (1, 2, -3)) / 3.0
    logdet = ld.from_eigenvalues(np.linalg.eigvals(w))
    like = SpatialLikelihood(n * t, t if jacobian else 0, logdet, error)
    mean, scale, shape, rate, d = np.array([0.5, -0.5]), np.array([1.0, 0.8]), 4.0, 3.0, 3.0
    prior = ConjugatePrior(np.zeros(2, dtype=bool), None, mean, scale, shape, rate, d, None)
    z = np.stack([np.ones((t, n)), rng.normal(size=(t, n))])
    r = logdet.low + (logdet.high - logdet.low) * rng.beta(d, d, replicates)
    sigma2 = rate / rng.standard_gamma(shape, replicates)
    beta = mean + scale * np.sqrt(sigma2)[:, None] * rng.standard_normal((replicates, 2))
    noise = np.sqrt(sigma2)[:, None, None] * rng.standard_normal((replicates, t, n))
    inverse = np.swapaxes(np.linalg.inv(np.eye(n) - r[:, None, None] * w), 1, 2)
    signal = np.einsum("rk,ktn->rtn", beta, z)
    y = signal + noise @ inverse if error else (signal + noise) @ inverse
    ranks = np.empty((replicates, 5), dtype=int)
    for i in range(replicates):
        wy = np.zeros_like(y[i]) if error else y[i] @ w.T
        base = np.concatenate([z, y[i][None], wy[None]])
        reduced = reduce_columns(base, base @ w.T if error else None, False, False)
        found = kernel.sample(reduced, like, prior, kernel.integrate(reduced, like, prior), draws, seed * 10**6 + i)
        truth = np.array([*beta[i], r[i], sigma2[i], beta[i, 1] / (1.0 - r[i])])
        sample = np.column_stack([found.beta, found.r, found.sigma2, found.beta[:, 1] / (1.0 - found.r)])
        ranks[i] = (sample < truth).sum(axis=0)
    return np.array([stats.chisquare(np.bincount(column // 10, minlength=10)).pvalue for column in ranks.T])


@pytest.mark.parametrize("error", [False, True])
def test_simulation_based_calibration(error):
    assert calibration(error, 1000, seed=2).min() > 0.002


def test_calibration_notices_a_likelihood_without_jacobian():
    assert calibration(False, 300, seed=2, jacobian=False)[2] < 1e-6


# -- quadrature ----------------------------------------------------------------------------------------------
def test_quadrature_of_densities_with_known_integral():
    for distribution, low, high in (
        (stats.norm(0.3, 0.001), -1.0, 1.0),
        (stats.norm(0.999, 0.01), -18.0, 1.0),
        (stats.beta(1.5, 4.0), 0.0, 1.0),
        (stats.t(3), -50.0, 40.0),
    ):
        found = normalise(distribution.logpdf, low, high)
        mass = distribution.cdf(high) - distribution.cdf(low)
        assert found.log_integral == pytest.approx(np.log(mass), abs=1e-9)
        p = np.array([1e-6, 0.001, 0.1, 0.5, 0.9, 0.999, 1 - 1e-6])
        reached = (distribution.cdf(found.quantile(p)) - distribution.cdf(low)) / mass
        np.testing.assert_allclose(reached, p, atol=2e-6)


def test_two_far_peaks_are_both_integrated():
    def log_density(x):
        return np.logaddexp(stats.norm(-0.8, 0.004).logpdf(x), stats.norm(0.7, 0.02).logpdf(x))

    found = normalise(log_density, -1.0, 1.0)
    assert found.log_integral == pytest.approx(np.log(2.0), abs=1e-9)
    assert found.quantile(np.array([0.25]))[0] == pytest.approx(-0.8, abs=1e-6)


def test_integral_that_does_not_exist_is_an_error():
    with pytest.raises(ConvergenceError, match="did not converge"):
        normalise(lambda x: -np.log(x), 0.0, 1.0)


def test_interpolated_log_determinant_gives_the_same_posterior():
    _, _, _, reduced, like = tiny(False, seed=2, t=40)
    prior = flat_prior(2, interval=(like.logdet.low, like.logdet.high))
    exact = kernel.integrate(reduced, like, prior)
    near = exact.density.quantile(np.array([1e-12, 1 - 1e-12]))
    proxy = kernel.interpolate_logdet(like.logdet, float(near[0]) - 0.02, min(float(near[1]) + 0.02, 0.999))
    found = kernel.integrate(reduced, replace(like, logdet=proxy), prior)
    assert found.log_marginal == pytest.approx(exact.log_marginal, abs=1e-8)


def test_prior_interval_must_keep_the_system_regular():
    _, _, _, reduced, like = tiny(False)
    with pytest.raises(IdentificationError, match="singular inside the prior interval"):
        kernel.integrate(reduced, like, flat_prior(2, interval=(-0.5, 1.2)))
    with pytest.raises(IdentificationError, match="finite interval"):
        kernel.integrate(reduced, like, flat_prior(2, interval=(0.5, 0.5)))
    inner = kernel.integrate(reduced, like, flat_prior(2, interval=(0.0, 0.5)))
    assert inner.density.grid[0] == 0.0 and inner.density.grid[-1] == 0.5


def test_more_coefficients_than_observations_is_an_error():
    _, _, _, reduced, like = tiny(False)
    with pytest.raises(IdentificationError, match="2 observations"):
        kernel.integrate(reduced, replace(like, n=2), flat_prior(2))
