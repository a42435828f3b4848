"""Stochastic production frontiers with half-normal inefficiency by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import log_ndtr

from nqpf_spatial.errors import ConvergenceError, IdentificationError, PanelError

Array = NDArray[np.float64]

_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True)
class FrontierData:
    """A panel for a frontier, rows sorted by unit.

    Attributes
    ----------
    y : ndarray, shape (n,)
        Log output.
    x : ndarray, shape (n, k)
        Regressors, constant included.
    start : ndarray of int, shape (N,)
        First row of each unit.
    lead : ndarray, shape (n,)
        Year minus the last year of the unit, ``t - T_i <= 0``.
    """

    y: Array
    x: Array
    start: NDArray[np.intp]
    lead: Array


@dataclass(frozen=True, slots=True)
class FrontierFit:
    """Maximum-likelihood estimate of a stochastic frontier.

    Attributes
    ----------
    beta : ndarray, shape (k,)
    sigma2, gamma : float
        ``sigma_u^2 + sigma_v^2`` and ``sigma_u^2 / sigma2``.
    eta : float
        Decay of inefficiency; 0 where it was not estimated.
    cov : ndarray, shape (k + 2, k + 2) or (k + 3, k + 3)
        Covariance of (beta, sigma2, gamma[, eta]) from the observed information.
    llf, llf_ols : float
        Log-likelihoods of the frontier and of least squares (no inefficiency), all constants included.
    efficiency : ndarray, shape (n,)
        ``E[exp(-u_it) | e_i]`` of every row.
    gradient : float
        Largest absolute element of the score at the optimum, in standard units.
    """

    beta: Array
    sigma2: float
    gamma: float
    eta: float
    cov: Array
    llf: float
    llf_ols: float
    efficiency: Array
    gradient: float


def frontier_loglik(data: FrontierData, theta: ArrayLike) -> tuple[float, Array]:
    """Log-likelihood and its gradient.

    Parameters
    ----------
    data : FrontierData
    theta : array_like, shape (k + 3,)
        beta, ``ln sigma_u^2``, ``ln sigma_v^2``, eta.

    Returns
    -------
    llf : float
    gradient : ndarray, shape (k + 3,)

    Notes
    -----
    ``y_it = x_it b + v_it - h_it u_i``, ``h_it = exp(-eta (t - T_i))``, ``v ~ N(0, s_v^2)``,
    ``u_i ~ |N(0, s_u^2)|`` (Battese and Coelli 1992, Journal of Productivity Analysis 3, with mu = 0; one
    row per unit gives Aigner, Lovell and Schmidt 1977). With ``A = sum_t h^2``, ``B = sum_t h e``,
    ``c = s_v^2 + A s_u^2`` and ``r = -B s_u / (s_v sqrt(c))``, a unit with T rows contributes ``ln 2
    - T/2 ln 2 pi - (T - 1) ln s_v - 1/2 ln c - sum e^2 / (2 s_v^2) + r^2 / 2 + ln Phi(r)``.

    Examples
    --------
    Without inefficiency to speak of it is the normal log-likelihood:

    >>> d = FrontierData(np.array([1.0]), np.ones((1, 1)), np.array([0]), np.zeros(1))
    >>> round(frontier_loglik(d, [0.0, -60.0, 0.0, 0.0])[0], 6)
    -1.418939
    """
    theta = np.asarray(theta, dtype=np.float64)
    k = data.x.shape[1]
    a, b, eta = np.exp(theta[k]), np.exp(theta[k + 1]), theta[k + 2]
    e = data.y - data.x @ theta[:k]
    h = np.exp(-eta * data.lead)
    slope = -data.lead * h
    aa, bb, ee, da, db = _by_unit(data, np.stack([h * h, h * e, e * e, 2 * h * slope, slope * e]))
    periods = np.diff(np.append(data.start, len(data.y)))
    c = b + aa * a
    scale = np.sqrt(a / (b * c))
    r = -bb * scale
    log_cdf = log_ndtr(r)
    llf = np.log(2) - 0.5 * (periods * _LOG_2PI + (periods - 1) * theta[k + 1] + np.log(c) + ee / b - r * r)
    g = r + np.exp(-0.5 * r * r - 0.5 * _LOG_2PI - log_cdf)
    gradient = np.empty(k + 3)
    gradient[:k] = e @ data.x / b + (np.repeat(g * scale, periods) * h) @ data.x
    gradient[k] = np.sum(-0.5 * aa * a / c + g * r * b / (2 * c))
    gradient[k + 1] = np.sum(-0.5 * b / c - 0.5 * (periods - 1) + ee / (2 * b) - 0.5 * g * r * (1 + b / c))
    gradient[k + 2] = np.sum(-0.5 * a * da / c + g * (-scale * db - r * a * da / (2 * c)))
    return float(np.sum(llf + log_cdf)), gradient


def frontier_efficiency(data: FrontierData, theta: ArrayLike) -> Array:
    """Technical efficiency of every row, ``E[exp(-h_it u_i) | e_i]``.

    Parameters
    ----------
    data : FrontierData
    theta : array_like, shape (k + 3,)
        As in `frontier_loglik`.

    Returns
    -------
    ndarray, shape (n,)
        In (0, 1].

    Notes
    -----
    ``exp(-h m + h^2 s^2 / 2) Phi(m / s - h s) / Phi(m / s)`` with ``m = -B s_u^2 / c`` and
    ``s^2 = s_u^2 s_v^2 / c`` (Battese and Coelli 1988; 1992, eq. 9 with mu = 0).
    """
    theta = np.asarray(theta, dtype=np.float64)
    k = data.x.shape[1]
    a, b = np.exp(theta[k]), np.exp(theta[k + 1])
    e = data.y - data.x @ theta[:k]
    h = np.exp(-theta[k + 2] * data.lead)
    aa, bb = _by_unit(data, np.stack([h * h, h * e]))
    c = b + aa * a
    periods = np.diff(np.append(data.start, len(data.y)))
    m, s = np.repeat(-bb * a / c, periods), np.repeat(np.sqrt(a * b / c), periods)
    return np.exp(-h * m + 0.5 * (h * s) ** 2 + log_ndtr(m / s - h * s) - log_ndtr(m / s))


def fit_frontier(data: FrontierData, decay: bool = False) -> FrontierFit:
    """Estimate a stochastic frontier.

    Parameters
    ----------
    data : FrontierData
        One row per unit for a cross-section (or for a pooled panel), several for a panel.
    decay : bool
        Estimate eta; otherwise it is zero (inefficiency constant over time).

    Returns
    -------
    FrontierFit

    Raises
    ------
    PanelError
        Fewer rows than parameters, or collinear regressors.
    IdentificationError
        No inefficiency is found: the likelihood is largest at ``sigma_u = 0``, where it equals that of
        least squares (wrong skewness, Waldman 1982).
    ConvergenceError
        The maximum was not reached.

    Notes
    -----
    Starts on a grid of gamma with the moment correction of FRONTIER 4.1 (Coelli 1996), quasi-Newton steps
    in orthogonalised regressors, Newton steps at the end. Standard errors come from the observed
    information (FRONTIER's come from the quasi-Newton approximation of it, and differ).
    """
    n, k = data.x.shape
    if n <= k + 2 + decay:
        raise PanelError(f"{n} rows are too few for {k + 2 + decay} parameters")
    q, upper = np.linalg.qr(data.x)
    if np.abs(np.diag(upper)).min() < 1e-10 * np.abs(np.diag(upper)).max():
        raise PanelError("the regressors of the frontier are collinear: leave one out")
    root = np.sqrt(n)
    work = FrontierData(data.y, q * root, data.start, data.lead)
    free = np.append(np.ones(k + 2, dtype=bool), decay)
    ols = q.T @ data.y / root
    mse = float(np.mean((data.y - work.x @ ols) ** 2))
    llf_ols = -0.5 * n * (_LOG_2PI + np.log(mse) + 1.0)
    theta = _newton(work, _search(work, free, ols, mse), free)
    llf, score = frontier_loglik(work, theta)
    if not llf > llf_ols + 1e-7 or theta[k] - theta[k + 1] < -18:
        raise IdentificationError(
            "no inefficiency is identified: the likelihood is largest without it (the residuals are skewed "
            "the wrong way, Waldman 1982). Least squares is the estimate; reconsider the specification"
        )
    gradient = float(np.abs(score[free]).max())
    if gradient > 1e-4 * n:
        raise ConvergenceError(f"the frontier did not converge: largest score {gradient:.3g} after Newton steps")
    back = np.linalg.inv(upper) * root
    su2, sv2 = float(np.exp(theta[k])), float(np.exp(theta[k + 1]))
    return FrontierFit(
        beta=back @ theta[:k],
        sigma2=su2 + sv2,
        gamma=su2 / (su2 + sv2),
        eta=float(theta[k + 2]),
        cov=_covariance(work, theta, free, back),
        llf=llf,
        llf_ols=llf_ols,
        efficiency=frontier_efficiency(work, theta),
        gradient=gradient,
    )


def _by_unit(data: FrontierData, rows: Array) -> Array:
    return np.add.reduceat(rows, data.start, axis=1)


def _search(data: FrontierData, free: NDArray[np.bool_], ols: Array, mse: float) -> Array:
    """Best quasi-Newton optimum over a grid of starting values of gamma."""
    k = len(ols)
    # the constant is the only direction in which half-normal noise shifts the regression
    constant = data.x.T @ np.ones(len(data.y)) / len(data.y)

    def objective(z: Array) -> tuple[float, Array]:
        theta = np.zeros(k + 3)
        theta[free] = z
        llf, score = frontier_loglik(data, theta)
        return -llf, -score[free]

    best, best_value = None, np.inf
    for gamma in (0.1, 0.3, 0.5, 0.7, 0.9, 0.97):
        sigma2 = mse / (1 - 2 * gamma / np.pi)
        start = np.zeros(k + 3)
        start[:k] = ols + constant * np.sqrt(2 * gamma * sigma2 / np.pi)
        start[k : k + 2] = np.log(gamma * sigma2), np.log((1 - gamma) * sigma2)
        bounds = [(None, None)] * k + [(np.log(mse) - 25, np.log(mse) + 10)] * 2 + [(-3.0, 3.0)]
        found = minimize(
            objective,
            start[free],
            jac=True,
            method="L-BFGS-B",
            bounds=[b for b, f in zip(bounds, free, strict=True) if f],
            options={"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-9},
        )
        if found.fun < best_value - 1e-9:
            best, best_value = found.x, found.fun
    theta = np.zeros(k + 3)
    theta[free] = best
    return theta


def _hessian(data: FrontierData, theta: Array, free: NDArray[np.bool_]) -> Array:
    """Central differences of the analytic score with respect to the free parameters."""
    columns = []
    for j in np.flatnonzero(free):
        step = np.zeros_like(theta)
        step[j] = 1e-5 * max(1.0, abs(theta[j]))
        up, down = frontier_loglik(data, theta + step)[1], frontier_loglik(data, theta - step)[1]
        columns.append((up - down)[free] / (2 * step[j]))
    hessian = np.array(columns)
    return (hessian + hessian.T) / 2


def _newton(data: FrontierData, theta: Array, free: NDArray[np.bool_], steps: int = 12) -> Array:
    """Newton steps that are kept only while the log-likelihood does not fall."""
    llf, score = frontier_loglik(data, theta)
    for _ in range(steps):
        hessian = _hessian(data, theta, free)
        if np.linalg.eigvalsh(hessian)[-1] >= 0:
            break
        trial = theta.copy()
        trial[free] -= np.linalg.solve(hessian, score[free])
        new, new_score = frontier_loglik(data, trial)
        if not new >= llf - 1e-10 * abs(llf):
            break
        theta, llf, score = trial, new, new_score
        if np.abs(score[free]).max() < 1e-9 * len(data.y):
            break
    return theta


def _covariance(data: FrontierData, theta: Array, free: NDArray[np.bool_], back: Array) -> Array:
    """Inverse observed information, carried to (beta, sigma2, gamma[, eta]) by the delta method."""
    hessian = _hessian(data, theta, free)
    if np.linalg.eigvalsh(hessian)[-1] >= 0:
        raise ConvergenceError("the information matrix of the frontier is not positive definite")
    k = len(back)
    su2, sv2 = np.exp(theta[k]), np.exp(theta[k + 1])
    jacobian = np.eye(k + 3)
    jacobian[:k, :k] = back
    gamma = su2 / (su2 + sv2)
    jacobian[k : k + 2, k : k + 2] = [[su2, sv2], [gamma * (1 - gamma), -gamma * (1 - gamma)]]
    jacobian = jacobian[np.ix_(free, free)]
    return jacobian @ np.linalg.inv(-hessian) @ jacobian.T
