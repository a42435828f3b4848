r"""Outcomes that are missing integrated out of a model of the whole network: the density of what was observed, exactly.

.. math::
   y_t = S(Z_t\beta + D_t\delta + B^{-1}e_t), \quad S = (I-\rho W_1)^{-1},\; B = I-\lambda W_2, \qquad
   y_o \sim N\big(\tilde Z\beta + \tilde D\delta,\; \sigma^2 V\big)

with tilde for rows of S times the columns of all units, and V the observed block of ``S (B'B)^-1 S'``. Marginal densities of a
normal vector are blocks of its moments: nothing is predicted or filled in. It needs the regressors of all units.

With the effects estimated by generalised least squares the score of a spatial parameter r has the expectation
:math:`\tfrac12 tr(\Pi\dot V) - \tfrac12 tr(V^{-1}\dot V)`, :math:`\Pi = V^{-1} - V^{-1}\tilde D(\tilde D'V^{-1}\tilde D)^{-1}\tilde D'V^{-1}`,
whatever the distribution of e; the adjusted score is free of it, and equals that of `nqpf_spatial.kernels.unbalanced` when all is
observed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy import optimize

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.ml import MLFit, scan

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(32)


@dataclass(frozen=True, slots=True)
class Whole:
    """A model of the whole network with at most one spatial parameter, observed in part.

    Attributes
    ----------
    y : (T, N) ndarray
    z : (k, T, N) ndarray
        Complete.
    dummies : (r, T, N) ndarray
        Basis of the fixed effects on all cells; r = 0 without.
    observed : (T, N) bool ndarray
    w : (N, N) ndarray or None
        Weights of the lag, or of the error.
    error : bool
        Whether `w` is that of the error.
    adjust : bool
        Adjusted score, n minus the rank of the effects; or dummy-variable likelihood.
    interval : LogDet or None
        Admissible values of the parameter.
    """

    y: NDArray
    z: NDArray
    dummies: NDArray
    observed: NDArray
    w: NDArray | None
    error: bool
    adjust: bool
    interval: LogDet | None

    @property
    def n(self) -> int:
        """Observations of the likelihood."""
        return int(self.observed.sum()) - (self.dummies.shape[0] if self.adjust else 0)


@dataclass(frozen=True, slots=True)
class _Point:
    """The whitened regression at one value of the parameter.

    `q` is an orthonormal basis of the whitened effects, `z` and `y` are free of them; `slopes` are the derivatives of V
    whitened on both sides, per period, and `trace` is that of them the score needs.
    """

    q: NDArray
    z: NDArray
    y: NDArray
    half_logdet: float
    slopes: list[NDArray]
    moved: Callable[[NDArray], NDArray]

    def beta(self) -> NDArray:
        return sla.lstsq(self.z, self.y)[0] if self.z.shape[1] else np.empty(0)

    def trace(self, adjust: bool) -> float:
        whole = sum(float(np.trace(v)) for v in self.slopes)
        if not adjust or not self.q.shape[1]:
            return whole
        at = np.cumsum([0, *(v.shape[0] for v in self.slopes)])
        parts = zip(at, self.slopes, strict=False)
        return whole - sum(
            float(np.sum(self.q[a : a + v.shape[0]] * (v @ self.q[a : a + v.shape[0]]))) for a, v in parts
        )


def fit_integrated(model: Whole) -> MLFit:
    """Maximise the likelihood of the observed outcomes (or solve its adjusted score).

    Raises
    ------
    IdentificationError
        If the residuals vanish, or the columns are collinear on what is observed.
    """
    if model.w is None:
        return _at(model, 0.0, 0)
    assert model.interval is not None
    grid = scan(model.interval)[1:-1:3]  # a score costs a factorisation of every period
    scores = np.array([_profile_score(model, r) for r in grid])
    falls = np.flatnonzero((scores[:-1] > 0) & (scores[1:] <= 0))
    if not falls.size:
        return _at(model, float(grid[0] if scores[0] < 0 else grid[-1]), grid.size)
    roots = [optimize.brentq(lambda r: _profile_score(model, r), grid[i], grid[i + 1], xtol=1e-14) for i in falls]
    best = max(roots, key=lambda r: _profile(model, r)) if len(roots) > 1 else roots[0]
    return _at(model, float(best), grid.size)


def effects_of(model: Whole, fit: MLFit) -> NDArray:
    """Estimated effects (T, N) of all cells, by generalised least squares."""
    if not model.dummies.shape[0]:
        return np.zeros(model.y.shape)
    d, z, y = _whiten(model, fit.rho + fit.lambda_)[1]
    delta = sla.lstsq(d, y - z @ fit.beta)[0]
    return np.tensordot(delta, model.dummies, axes=1)


def _whiten(model: Whole, r: float) -> tuple[_Point, tuple[NDArray, NDArray, NDArray]]:
    """The regression of the observed cells divided by the root of their covariance."""
    t, size = model.y.shape
    eye = np.eye(size)
    inverse = eye if model.w is None else sla.inv(eye - r * model.w)
    spread = eye if model.error else inverse
    covariance = inverse @ inverse.T
    if model.w is None:
        slope = np.zeros((size, size))
    else:
        half = inverse @ model.w @ inverse @ inverse.T
        slope = half + half.T
    columns = np.concatenate([model.dummies, model.z])
    moved = columns @ spread.T
    slopes, roots, rows, logdet = [], [], [], 0.0
    for period in range(t):
        at = np.flatnonzero(model.observed[period])
        root = sla.cholesky(covariance[np.ix_(at, at)], lower=True)
        inner = sla.solve_triangular(root, slope[np.ix_(at, at)], lower=True)
        slopes.append(sla.solve_triangular(root, inner.T, lower=True))
        both = np.concatenate([moved[:, period, at], model.y[period, at][None]]).T
        rows.append(sla.solve_triangular(root, both, lower=True))
        roots.append(root)
        logdet += float(np.log(np.diag(root)).sum())
    stack = np.concatenate(rows)
    k = model.dummies.shape[0]
    d, z, y = stack[:, :k], stack[:, k:-1], stack[:, -1]
    q = sla.qr(d, mode="economic")[0]

    def change(signal: NDArray) -> NDArray:
        """Whitened derivative of the mean of the observed cells, for a (T, N) signal."""
        if model.error or model.w is None:
            return np.zeros(y.size)
        means = signal @ (inverse @ model.w @ inverse).T
        parts = [sla.solve_triangular(root, means[p, model.observed[p]], lower=True) for p, root in enumerate(roots)]
        return np.concatenate(parts)

    return _Point(q, z - q @ (q.T @ z), y - q @ (q.T @ y), logdet, slopes, change), (d, z, y)


def _gradient(
    model: Whole, r: float, beta: NDArray | None = None, sigma2: float | None = None
) -> tuple[NDArray, float, float]:
    """Gradient in (beta, r, sigma2), SSE and sigma2; beta and sigma2 at their optimum where not given."""
    point, (d, z, y) = _whiten(model, r)
    beta = point.beta() if beta is None else beta
    e = point.y - point.z @ beta
    sse = float(e @ e)
    s2 = sse / model.n if sigma2 is None else sigma2
    signal = np.tensordot(beta, model.z, axes=1)
    if model.dummies.shape[0]:
        delta = sla.lstsq(d, y - z @ beta)[0]
        signal = signal + np.tensordot(delta, model.dummies, axes=1)
    at = np.cumsum([0, *(v.shape[0] for v in point.slopes)])
    quadratic = sum(
        float(e[a : a + v.shape[0]] @ v @ e[a : a + v.shape[0]]) for a, v in zip(at, point.slopes, strict=False)
    )
    in_r = (float(e @ point.moved(signal)) + 0.5 * quadratic) / s2 - 0.5 * point.trace(model.adjust)
    gradient = np.concatenate([point.z.T @ e / s2, [in_r, -0.5 * model.n / s2 + 0.5 * sse / s2**2]])
    return gradient, sse, s2


def _profile_score(model: Whole, r: float) -> float:
    return float(_gradient(model, r)[0][-2])


def _profile(model: Whole, r: float) -> float:
    """Likelihood at r, everything else at its optimum; adjusted, it is the integral of the adjusted score."""
    point, _ = _whiten(model, r)
    e = point.y - point.z @ point.beta()
    n, sse = model.n, float(e @ e)
    if not sse > 1e-20 * float(point.y @ point.y):
        raise IdentificationError("the residuals vanish: the model has as many parameters as observations")
    value = -0.5 * n * (np.log(2.0 * np.pi * sse / n) + 1.0)
    if not model.adjust or model.w is None or not model.dummies.shape[0]:
        return value - point.half_logdet
    assert model.interval is not None
    end = model.interval.low if r < 0 else model.interval.high
    top = -np.log1p(-r / end)
    u = 0.5 * top * (_NODES + 1.0)
    traces = np.array([_whiten(model, float(v))[0].trace(True) for v in -end * np.expm1(-u)])
    return value - 0.5 * float(0.5 * top * end * ((traces * np.exp(-u)) @ _NODE_WEIGHTS))


def _at(model: Whole, r: float, iterations: int) -> MLFit:
    point, _ = _whiten(model, r)
    beta = point.beta()
    llf = _profile(model, r)
    _, sse, s2 = _gradient(model, r)
    rho, lambda_ = (0.0, r) if model.error else (r, 0.0)
    boundary = False
    if model.interval is not None:
        low, high = model.interval.low, model.interval.high
        boundary = min(r - low, high - r) < 1e-4 * min(-low, high)
    information = _information(model, point, beta, r, s2)
    return MLFit(beta, rho, lambda_, s2, sse, llf, information, iterations, boundary)


def _information(model: Whole, point: _Point, beta: NDArray, r: float, s2: float) -> NDArray:
    """Minus the derivative of the gradient: analytic but in r, where central differences are extrapolated (Richardson)."""
    k = beta.size
    information = np.zeros((k + 2, k + 2))
    information[:k, :k] = point.z.T @ point.z / s2
    information[k + 1, k + 1] = 0.5 * model.n / s2**2
    keep = [*range(k), k, k + 1]
    if model.w is None:
        keep.remove(k)
    else:
        assert model.interval is not None
        step = 1e-3 * min(r - model.interval.low, model.interval.high - r, 1.0)
        wide, narrow = (
            (_gradient(model, r + h, beta, s2)[0] - _gradient(model, r - h, beta, s2)[0]) / (2.0 * h)
            for h in (step, step / 2.0)
        )
        information[:, k] = information[k, :] = -(4.0 * narrow - wide) / 3.0
    return information[np.ix_(keep, keep)]
