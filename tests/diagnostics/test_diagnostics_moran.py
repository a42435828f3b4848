"""Moran's I and the LM test of the term left out: spdep, spatialreg, esda, dense algebra and simulation."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from diagnostics_support import arrays, fitted, frame, golden, panel, queen, weights

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.moments import remove_effects
from nqpf_spatial.kernels.residual_tests import moran_by_period, moran_pooled, projected_basis, score_bias
from nqpf_spatial.models.diagnostics import lm_residual, moran, moran_outcome

SWITCHES = [(u, t) for u in (False, True) for t in (False, True)]


@pytest.mark.parametrize("key", ["columbus", "columbusB", "columbusEig", "boston", "lattice1024"])
def test_residuals_of_a_cross_section_equal_spdep(key: str) -> None:
    (test,) = moran(fitted(key), w=weights(key))
    expected = golden()[f"{key}.ols"]["moran_resid"]
    assert test.estimate == pytest.approx(expected["estimate"]["Observed Moran I"], rel=1e-9)
    assert test.statistic == pytest.approx(expected["statistic"], rel=1e-9)
    assert test.pvalue == pytest.approx(expected["p.value"], rel=1e-8)


@pytest.mark.parametrize("effects", ["none", "individual", "time", "twoways"])
@pytest.mark.parametrize("key", ["produc", "rice"])
def test_pooled_i_equals_the_stacked_one(key: str, effects: str) -> None:
    test = moran(fitted(key, "OLS", effects), w=weights(key))["moran", "all periods"]
    assert test.estimate == pytest.approx(golden()[f"{key}.own.LM.{effects}"]["moran"], rel=1e-10)


def projector(z: np.ndarray, t: int, n: int, unit: bool, time: bool) -> np.ndarray:
    """Dense M that removes effects and Z from stacked (t, n) observations."""
    q = np.kron(np.eye(t) - (1 / t if unit else 0), np.eye(n) - (1 / n if time else 0))
    qz = q @ z.reshape(z.shape[0], t * n).T
    return q - qz @ np.linalg.solve(qz.T @ qz, qz.T)


@pytest.fixture
def small() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Asymmetric W (not row-stochastic), regressors, outcome: T = 4, N = 7."""
    rng = np.random.default_rng(1)
    w = rng.random((7, 7)) * (rng.random((7, 7)) < 0.5)
    np.fill_diagonal(w, 0)
    return w, rng.standard_normal((2, 4, 7)), rng.standard_normal((4, 7))


@pytest.mark.parametrize(("unit", "time"), SWITCHES)
def test_moments_equal_dense_algebra(small: tuple, unit: bool, time: bool) -> None:
    w, z, y = small
    t, n = y.shape
    m = projector(z, t, n, unit, time)
    e, basis, scale = (m @ y.ravel()).reshape(t, n), projected_basis(z, unit, time), n / w.sum()
    d, s = np.kron(np.eye(t), (w + w.T) / 2), np.trace(m)
    mean = np.trace(m @ d) / s
    variance = 2 * (s * np.trace(m @ d @ m @ d) - np.trace(m @ d) ** 2) / (s**2 * (s + 2))
    found = moran_pooled(e, basis, w, unit, time)
    assert float(found.i) == pytest.approx(scale * (e.ravel() @ d @ e.ravel()) / (e.ravel() @ e.ravel()), rel=1e-12)
    assert float(found.mean) == pytest.approx(scale * mean, rel=1e-10)
    assert float(found.variance) == pytest.approx(scale**2 * variance, rel=1e-10)
    yearly, sym = moran_by_period(e, basis, w, unit, time), (w + w.T) / 2
    for p in range(t):
        v = m[p * n : (p + 1) * n, p * n : (p + 1) * n]
        first = np.trace(sym @ v) / np.trace(v)
        centred = sym @ v - first * v
        second = 2 * np.trace(centred @ centred) / (np.trace(v) ** 2 + 2 * np.trace(v @ v))
        assert yearly.mean[p] == pytest.approx(scale * first, rel=1e-9)
        assert yearly.variance[p] == pytest.approx(scale**2 * second, rel=1e-9)


@pytest.mark.parametrize(("unit", "time"), SWITCHES)
def test_moments_equal_simulation(small: tuple, unit: bool, time: bool) -> None:
    """20,000 draws of normal errors: pooled moments are exact, those of a year good to a few per cent."""
    w, z, _ = small
    t, n = z.shape[1:]
    m = projector(z, t, n, unit, time)
    draws = (np.random.default_rng(4).standard_normal((20_000, t * n)) @ m).reshape(-1, t, n)
    lagged, scale = draws @ w.T, n / w.sum()
    pooled = scale * (draws * lagged).sum(axis=(1, 2)) / (draws**2).sum(axis=(1, 2))
    first = scale * (draws * lagged)[:, 0].sum(axis=1) / (draws[:, 0] ** 2).sum(axis=1)
    basis = projected_basis(z, unit, time)
    exact, yearly = (f(draws[0], basis, w, unit, time) for f in (moran_pooled, moran_by_period))
    error = pooled.std() / np.sqrt(pooled.size)
    assert abs(pooled.mean() - exact.mean) < 4 * error
    assert pooled.var() == pytest.approx(float(exact.variance), rel=0.05)
    assert first.mean() == pytest.approx(yearly.mean[0], abs=0.03 * first.std())
    assert first.var() == pytest.approx(yearly.variance[0], rel=0.06)


def test_ignoring_the_effects_would_bias_two_way_residuals() -> None:
    """The mean of I of two-way residuals is near -1/(N-1), not 0: over data sets z averages 0 only with our moments."""
    w = nq.weights.contiguity()
    z, raw = [], []
    for seed in range(60):
        data = nq.simulate("OLS", w, T=5, params={"x": 1.0}, seed=seed)
        test = moran(nq.ols("y ~ x | unit + period", data), w=w)["moran", "all periods"]
        z.append(test.statistic)
        raw.append(test.estimate)
    assert abs(np.mean(z)) < 0.4 and 0.75 < np.std(z) < 1.25
    assert np.mean(raw) == pytest.approx(-1 / 30, abs=0.02)


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_z_of_a_lag_model_is_centred_with_unit_variance(rho: float) -> None:
    """Estimating rho takes variance away; without the factor the z of SDM residuals would have a sd near 0.5."""
    w = nq.weights.contiguity()
    z = []
    for seed in range(80):
        data = nq.simulate("SDM", w, T=5, params={"x": 1.0, "W:x": 0.0, "rho": rho}, seed=seed)
        z.append(moran(nq.sdm("y ~ x | unit + period", data, w))["moran", "all periods"].statistic)
    assert abs(np.mean(z)) < 0.35 and 0.8 < np.std(z) < 1.25


def test_score_bias_equals_dense_algebra(small: tuple) -> None:
    w, z, y = small
    t, n = y.shape
    m = projector(z, t, n, True, False)
    found = score_bias(projected_basis(z, True, False), w, True, False, 21, 3, False)
    assert found == pytest.approx(21 * np.trace(m @ np.kron(np.eye(t), w)) / np.trace(m) - 3 * np.trace(w), rel=1e-10)


def test_outcome_equals_esda_year_by_year() -> None:
    from esda.moran import Moran

    fit = fitted("produc", "SAR", "twoways")
    rows = moran_outcome(fit)
    y, _, w = arrays("produc")
    assert [r.scope for r in rows] == [str(p) for p in fit.estimate.design.periods]
    for row, values in zip(rows, y, strict=True):
        centred = values - values.mean()
        assert row.estimate == pytest.approx(48 / w.sum() * centred @ w @ centred / (centred @ centred), rel=1e-10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Moran(
            frame("produc")["lgsp"].xs(1980, level=1), weights("produc").to_W(), transformation="o", permutations=0
        )
    assert rows["moran_outcome", "1980"].statistic == pytest.approx(theirs.z_rand, rel=1e-10)


@pytest.mark.parametrize("key", ["columbus", "columbusB", "columbusEig", "boston", "lattice1024"])
@pytest.mark.parametrize("model", ["SAR", "SDM"])
def test_lm_of_the_error_left_out_equals_spatialreg(key: str, model: str) -> None:
    expected = golden()[f"{key}.{model.lower()}_ml"]["LM_resid_autocorr"]
    test = lm_residual(fitted(key, model))
    # spatialreg stops its line search for rho at 1e-8 or so; the statistic inherits that
    assert test.statistic == pytest.approx(expected["statistic"], rel=2e-5)
    assert test.pvalue == pytest.approx(expected["p.value"], rel=2e-5)


def numerical_lm(fit: nq.models.SpatialFit, which: str) -> float:
    """Score test: numerical derivative of the likelihood, information from Gaussian moments of dense quadratic forms."""
    est = fit.estimate
    w = est.weights.first().dense()
    y, z = est.design.y.ravel(), est.columns.z.reshape(est.columns.z.shape[0], -1).T
    n, k = y.size, z.shape[1]
    beta, s2 = est.fit.beta, est.fit.sigma2
    rho, lam = est.fit.rho, est.fit.lambda_

    def llf(theta: np.ndarray) -> float:
        a, b = np.eye(n) - theta[k] * w, np.eye(n) - theta[k + 1] * w
        e = b @ (a @ y - z @ theta[:k])
        logdets = np.linalg.slogdet(a)[1] + np.linalg.slogdet(b)[1]
        return -0.5 * n * np.log(2 * np.pi * theta[-1]) + logdets - 0.5 * e @ e / theta[-1]

    theta = np.r_[beta, rho, lam, s2]
    at = k + 1 if which == "lambda" else k
    step = np.zeros(theta.size)
    step[at] = 1e-5
    score = (llf(theta + step) - llf(theta - step)) / 2e-5
    # expected information = covariance of the score; its parts from the Gaussian moments of e
    a, b = np.eye(n) - rho * w, np.eye(n) - lam * w
    g = b @ w @ np.linalg.inv(a) @ np.linalg.inv(b)
    h = w @ np.linalg.inv(b)
    linear = [b @ z[:, i] / s2 for i in range(k)] + [b @ w @ np.linalg.inv(a) @ z @ beta / s2, np.zeros(n), np.zeros(n)]
    quadratic = [np.zeros((n, n))] * k + [g / s2, h / s2, np.eye(n) / (2 * s2**2)]
    info = np.empty((k + 3, k + 3))
    for i in range(k + 3):
        for j in range(k + 3):
            qi, qj = (quadratic[i] + quadratic[i].T) / 2, (quadratic[j] + quadratic[j].T) / 2
            info[i, j] = s2 * linear[i] @ linear[j] + 2 * s2**2 * np.trace(qi @ qj)
    rest = [i for i in range(k + 3) if i != at]
    left = info[at, at] - info[at, rest] @ np.linalg.solve(info[np.ix_(rest, rest)], info[rest, at])
    return score**2 / left


@pytest.mark.parametrize(("model", "which"), [("SAR", "lambda"), ("SDM", "lambda"), ("SEM", "rho"), ("SDEM", "rho")])
def test_lm_of_the_term_left_out_equals_brute_force(model: str, which: str) -> None:
    fit = fitted("columbus", model)
    test = lm_residual(fit)
    assert test.statistic == pytest.approx(numerical_lm(fit, which), rel=1e-6)
    assert test.null.startswith(which)


def test_filtered_residuals_have_no_z_and_say_why() -> None:
    rows = moran(fitted("columbus", "SEM"))
    assert not rows.tests[0].computed and rows.tests[0].estimate == pytest.approx(0, abs=0.1)
    assert "lambda was chosen" in rows.tests[0].note


def test_messages() -> None:
    with pytest.raises(ValueError, match="use lm_tests for fits without"):
        lm_residual(fitted("columbus"))
    with pytest.raises(ValueError, match="it has both terms"):
        lm_residual(fitted("columbus", "SAC"))
    w = queen(3, 4)
    data = panel(w, np.tile(np.array([[1.0], [2.0]]), (1, 12)), x=np.random.default_rng(0).standard_normal((2, 12)))
    with pytest.raises(IdentificationError, match="y is the same in all units in 2001"):
        moran_outcome(nq.ols("y ~ x", data), w=w)


def test_row_order_does_not_matter() -> None:
    formula = "lgsp ~ lpcap + lpc + lemp + unemp | unit + period"
    data, w = frame("produc"), weights("produc")
    a = moran(nq.sdm(formula, data, w)).table["statistic"].to_numpy()
    b = moran(nq.sdm(formula, data.sample(frac=1.0, random_state=2), w)).table["statistic"].to_numpy()
    assert np.array_equal(a, b)


def test_removal_of_effects_is_the_projector_used_here(small: tuple) -> None:
    _, z, y = small
    m = projector(z[:0], 4, 7, True, True)
    assert np.allclose((m @ y.ravel()).reshape(4, 7), remove_effects(y, True, True), atol=1e-14)
