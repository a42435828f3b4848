"""Random effects against dense NT x NT covariance: value, maximum, Hessian, information, predictor."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import scipy.linalg as sla
from scipy import optimize, stats

from nqpf_spatial.kernels.logdet import LogDet, drop_unit_root, from_eigenvalues
from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.kernels.random_effects import REFit, fit_re, variance_components
from nqpf_spatial.kernels.random_effects_information import expected_information_re
from nqpf_spatial.kernels.random_effects_likelihood import build_problem, score_and_information, solve
from nqpf_spatial.kernels.random_effects_predict import random_effects_predict
from nqpf_spatial.kernels.spectrum import interval

N, T = 9, 4
CASES = [(lag, error) for lag in (False, True) for error in ("none", "kkp", "baltagi")]


def weights(n: int, seed: int, row: bool = True) -> np.ndarray:
    rng = np.random.default_rng(seed)
    w = rng.uniform(size=(n, n)) * (rng.uniform(size=(n, n)) < 0.5)
    np.fill_diagonal(w, 0.0)
    w[np.arange(n), (np.arange(n) + 1) % n] += 0.3
    return w / w.sum(axis=1, keepdims=True) if row else w / 2.0


def logdet_of(w: np.ndarray) -> LogDet:
    omega = np.linalg.eigvals(w)
    return from_eigenvalues(omega, interval(omega))


class Panel:
    """A small panel with different, asymmetric weights of lag and error."""

    def __init__(self, lag: bool, error: str, seed: int = 3, row: bool = True) -> None:
        rng = np.random.default_rng(seed)
        self.lag, self.error = lag, error
        self.w1, self.w2 = weights(N, 1, row), weights(N, 2, row)
        a, b = np.eye(N) - 0.4 * self.w1 * lag, np.eye(N) - 0.3 * self.w2 * (error != "none")
        self.z = np.stack([np.ones((T, N)), rng.normal(size=(T, N)), rng.normal(size=(T, N))])
        mu, e = rng.normal(size=N), 0.7 * rng.normal(size=(T, N))
        inner = mu + e if error != "baltagi" else e
        u = np.linalg.solve(b, inner.T).T + (mu if error == "baltagi" else 0.0)
        self.y = np.linalg.solve(a, (np.tensordot([1.0, 2.0, -1.0], self.z, axes=1) + u).T).T

    @property
    def wy(self) -> np.ndarray | None:
        return spatial_lag(self.w1, self.y) if self.lag else None

    @property
    def w_error(self) -> np.ndarray | None:
        return self.w2 if self.error != "none" else None

    def logdets(self) -> tuple:
        one, two = (logdet_of(w) for w in (self.w1, self.w2))
        return one if self.lag else None, two if self.error != "none" else None

    def fit(self) -> REFit:
        return fit_re(self.z, self.y, self.wy, self.w_error, *self.logdets(), self.error)

    def unpack(self, theta: np.ndarray) -> dict[str, float]:
        k = len(self.z)
        names = ["rho"] * self.lag + ["lambda"] * (self.error != "none") + ["phi", "sigma2"]
        return dict(zip(names, theta[k:], strict=True))

    def moments(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of y, period by period, from the definition of the model."""
        p = self.unpack(theta)
        a = np.eye(N) - p.get("rho", 0.0) * self.w1
        b = np.linalg.inv(np.eye(N) - p.get("lambda", 0.0) * self.w2)
        mu2 = p["sigma2"] * (1 / p["phi"] - 1) / T
        ones, eye = np.ones((T, T)), np.eye(T)
        if self.error == "baltagi":
            sigma = mu2 * np.kron(ones, np.eye(N)) + p["sigma2"] * np.kron(eye, b @ b.T)
        else:
            sigma = np.kron(mu2 * ones + p["sigma2"] * eye, b @ b.T)
        inverse = np.kron(eye, np.linalg.inv(a))
        mean = np.tensordot(theta[: len(self.z)], self.z, axes=1).ravel()
        return inverse @ mean, inverse @ sigma @ inverse.T

    def loglik(self, theta: np.ndarray) -> float:
        mean, covariance = self.moments(theta)
        return float(stats.multivariate_normal.logpdf(self.y.ravel(), mean, covariance))


@cache
def case(lag: bool, error: str) -> tuple[Panel, REFit, np.ndarray]:
    p = Panel(lag, error)
    fit = p.fit()
    spatial = [fit.rho] * lag + [fit.lambda_] * (error != "none")
    return p, fit, np.array([*fit.beta, *spatial, fit.phi, fit.sigma2])


def numerical_hessian(f, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Second derivatives by central differences, extrapolated once (Richardson)."""

    def at(scale: float) -> np.ndarray:
        p = len(x)
        step = np.diag(h * scale)
        out = np.empty((p, p))
        for i in range(p):
            for j in range(i + 1):
                parts = [f(x + a * step[i] + b * step[j]) * a * b for a in (1, -1) for b in (1, -1)]
                out[i, j] = out[j, i] = sum(parts) / (4 * step[i, i] * step[j, j])
        return out

    return (4 * at(0.5) - at(1.0)) / 3


@pytest.mark.parametrize(("lag", "error"), CASES)
@pytest.mark.parametrize("row", [True, False])
def test_log_likelihood_is_that_of_the_multivariate_normal(lag: bool, error: str, row: bool) -> None:
    p = Panel(lag, error, row=row)
    problem = build_problem(p.z, p.y, p.wy, p.w_error, p.logdets(), error == "baltagi", False)
    rng = np.random.default_rng(0)
    for _ in range(5):
        rho, lambda_ = rng.uniform(-0.6, 0.6, 2) * [lag, error != "none"]
        phi = rng.uniform(0.02, 1.0)
        beta, sse, value = solve(problem, rho, lambda_, phi)
        theta = [*beta, *[rho] * lag, *[lambda_] * (error != "none"), phi, sse / problem.n]
        assert value == pytest.approx(p.loglik(np.array(theta)), abs=1e-8)


@pytest.mark.parametrize(("lag", "error"), CASES)
def test_maximum_is_global(lag: bool, error: str) -> None:
    p, fit, theta = case(lag, error)
    assert fit.llf == pytest.approx(p.loglik(theta), abs=1e-9)
    k, bounds = len(p.z), [(-0.95, 0.95)] * (lag + (error != "none"))

    def negative(free: np.ndarray) -> float:
        """Dense likelihood, with beta and sigma2 from generalised least squares."""
        trial = np.array([*np.zeros(k), *free, 1.0])
        _, covariance = p.moments(trial)
        inverse = np.linalg.inv(np.eye(N) - p.unpack(trial).get("rho", 0.0) * p.w1)
        x = np.stack([(column @ inverse.T).ravel() for column in p.z]).T
        root = np.linalg.cholesky(covariance)
        x, y = (sla.solve_triangular(root, v, lower=True) for v in (x, p.y.ravel()))
        trial[:k] = np.linalg.lstsq(x, y, rcond=None)[0]
        trial[-1] = np.mean((y - x @ trial[:k]) ** 2)
        return -p.loglik(trial)

    rng = np.random.default_rng(1)
    best = np.inf
    for _ in range(4):
        start = [*rng.uniform(-0.5, 0.7, len(bounds)), rng.uniform(0.05, 0.9)]
        found = optimize.minimize(negative, start, bounds=[*bounds, (1e-3, 1.0)], method="L-BFGS-B", tol=1e-12)
        if found.fun < best:
            best, argument = found.fun, found.x
    assert -best == pytest.approx(fit.llf, abs=1e-6)
    np.testing.assert_allclose(argument, theta[k:-1], atol=2e-3)


@pytest.mark.parametrize(("lag", "error"), CASES)
def test_information_is_the_numerical_hessian(lag: bool, error: str) -> None:
    p, fit, theta = case(lag, error)
    h = 2e-2 / np.sqrt(np.diag(fit.information)) / np.sqrt(len(theta))
    numerical = -numerical_hessian(p.loglik, theta, h)
    scale = np.sqrt(np.diag(fit.information))
    np.testing.assert_allclose(fit.information / np.outer(scale, scale), numerical / np.outer(scale, scale), atol=2e-6)


@pytest.mark.parametrize(("lag", "error"), CASES)
def test_score_and_information_away_from_the_maximum(lag: bool, error: str) -> None:
    p, _, theta = case(lag, error)
    problem = build_problem(p.z, p.y, p.wy, p.w_error, p.logdets(), error == "baltagi", False)
    theta = theta * np.linspace(0.8, 1.25, len(theta))
    values = p.unpack(theta)
    point = (theta[:3], values.get("rho", 0.0), values.get("lambda", 0.0), values["phi"], values["sigma2"])
    score, information = score_and_information(problem, *point)
    keep = [0, 1, 2, *[3] * lag, *[4] * (error != "none"), 5, 6]
    h = 1e-3 * np.maximum(np.abs(theta), 0.05)
    steps = np.diag(h)
    slope = np.array([(p.loglik(theta + s) - p.loglik(theta - s)) / (2 * s.sum()) for s in steps])
    np.testing.assert_allclose(score[keep], slope, rtol=1e-4, atol=1e-4 * np.abs(slope).max())
    numerical = -numerical_hessian(p.loglik, theta, 4 * h)
    np.testing.assert_allclose(
        information[np.ix_(keep, keep)], numerical, rtol=1e-4, atol=1e-5 * np.abs(numerical).max()
    )


@pytest.mark.parametrize(("lag", "error"), CASES)
def test_expected_information_is_that_of_the_normal_law(lag: bool, error: str) -> None:
    """m_i' V^-1 m_j + tr(V^-1 V_i V^-1 V_j) / 2 with dense V and numerical derivatives."""
    p, fit, theta = case(lag, error)
    _, v = p.moments(theta)
    inverse = np.linalg.inv(v)
    slopes = []
    for i, h in enumerate(1e-4 * np.maximum(np.abs(theta), 0.1)):
        step = h * (np.arange(len(theta)) == i)
        (m1, v1), (m0, v0) = p.moments(theta + step), p.moments(theta - step)
        slopes.append(((m1 - m0) / (2 * h), inverse @ (v1 - v0) / (2 * h)))
    dense = [[mi @ inverse @ mj + 0.5 * np.sum(vi * vj.T) for mj, vj in slopes] for mi, vi in slopes]
    found = expected_information_re(p.z, fit, p.w1 if lag else None, p.w_error)
    scale = np.sqrt(np.diag(found))
    np.testing.assert_allclose(found / np.outer(scale, scale), dense / np.outer(scale, scale), atol=1e-6)


@pytest.mark.parametrize(("lag", "error"), CASES)
def test_predictor_is_the_conditional_expectation(lag: bool, error: str) -> None:
    p, fit, theta = case(lag, error)
    found = random_effects_predict(fit, p.z, p.y, p.wy, p.w_error)
    v = p.y - np.tensordot(fit.beta, p.z, axes=1) - (fit.rho * p.wy if lag else 0.0)
    covariance = composite_covariance(p, theta)
    b = np.linalg.inv(np.eye(N) - fit.lambda_ * p.w2)
    effect = np.kron(np.ones((1, T)), b.T if error == "kkp" else np.eye(N)) * fit.sigma2_mu  # Cov(mu, u)
    np.testing.assert_allclose(found.mu, effect @ np.linalg.solve(covariance, v.ravel()), atol=1e-10)
    np.testing.assert_allclose(found.unit_effect, b @ found.mu if error == "kkp" else found.mu, atol=1e-12)
    # y - rho W y = Z beta + unit effect + B^-1 e
    np.testing.assert_allclose(v, found.unit_effect + found.resid @ b.T, atol=1e-10)
    assert np.sum(found.whitened**2) == pytest.approx(fit.n * fit.sigma2, rel=1e-10)


def composite_covariance(p: Panel, theta: np.ndarray) -> np.ndarray:
    """Covariance of the composite error u: the model at rho = 0."""
    without = theta.copy()
    if p.lag:
        without[len(p.z)] = 0.0
    return p.moments(without)[1]


@pytest.mark.parametrize("error", ["none", "kkp", "baltagi"])
def test_whitened_residuals_have_scalar_covariance(error: str) -> None:
    """The map from u to the whitened residuals, column by column, applied to the covariance of u."""
    p, fit, theta = case(False, error)
    bare = replace(fit, beta=np.empty(0))
    none = np.empty((0, T, N))
    columns = [random_effects_predict(bare, none, u.reshape(T, N), None, p.w_error) for u in np.eye(N * T)]
    mapping = np.stack([c.whitened.ravel() for c in columns], axis=1)
    found = mapping @ composite_covariance(p, theta) @ mapping.T
    np.testing.assert_allclose(found, fit.sigma2 * np.eye(N * T), atol=1e-12)


@pytest.mark.parametrize(("lag", "error"), CASES)
def test_time_effects_are_those_of_the_explicit_transformation(lag: bool, error: str) -> None:
    """F'y with F'WF as weights, by brute force, equals demeaning with one unit root less."""
    p = Panel(lag, error)
    rotation = sla.helmert(N)
    z = p.z[1:]
    logdets = [None if d is None else drop_unit_root(d) for d in p.logdets()]
    found = fit_re(z, p.y, p.wy, p.w_error, *logdets, error, time=True)
    w1, w2 = (rotation @ w @ rotation.T for w in (p.w1, p.w2))
    explicit = [None if d is None else logdet_of(w) for d, w in zip(logdets, (w1, w2), strict=True)]
    y, zr = p.y @ rotation.T, z @ rotation.T
    wy, w_error = spatial_lag(w1, y) if lag else None, w2 if error != "none" else None
    brute = fit_re(zr, y, wy, w_error, *explicit, error)
    assert found.llf == pytest.approx(brute.llf, abs=1e-9)
    assert found.parameters == brute.parameters
    np.testing.assert_allclose(found.beta, brute.beta, rtol=1e-7)
    np.testing.assert_allclose(found.information, brute.information, rtol=1e-6, atol=1e-6)
    expected = expected_information_re(z, found, p.w1 if lag else None, p.w_error)
    direct = expected_information_re(zr, brute, w1 if lag else None, w_error)
    np.testing.assert_allclose(expected, direct, rtol=1e-6, atol=1e-6)
    ours = random_effects_predict(found, z, p.y, p.wy, p.w_error)
    theirs = random_effects_predict(brute, zr, y, wy, w_error)
    for name in ("mu", "unit_effect", "resid", "whitened"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name) @ rotation, atol=1e-7, err_msg=name)


@pytest.mark.parametrize(("lag", "error"), CASES)
def test_variance_components_by_the_delta_method(lag: bool, error: str) -> None:
    """Against the Hessian of the dense likelihood written in (sigma2_mu, sigma2) instead of (phi, sigma2)."""
    p, fit, theta = case(lag, error)

    def loglik(x: np.ndarray) -> float:
        phi = x[-1] / (x[-1] + T * x[-2])
        return p.loglik(np.array([*x[:-2], phi, x[-1]]))

    values, covariance = variance_components(fit)
    x = np.array([*theta[:-2], *values])
    h = 2e-2 * np.sqrt([*np.diag(np.linalg.inv(fit.information))[:-2], *np.diag(covariance)]) / np.sqrt(len(x))
    numerical = np.linalg.inv(-numerical_hessian(loglik, x, h))
    np.testing.assert_allclose(covariance, numerical[-2:, -2:], rtol=1e-4)
