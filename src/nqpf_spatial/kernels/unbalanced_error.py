r"""Spatial errors and unit effects in an unbalanced panel: the likelihood of contrasts that are free of the effects.

In ``y = Z beta + D delta + B^-1 e``, ``B = I - lambda W`` period by period, the filter spreads the effects over units that
come and go, so that no transformation of the data takes them out for every lambda. The contrasts F'y with F'D = 0 do not
contain them; their exact density, of n - r observations, is

.. math::
   \ln L(\beta,\lambda,\sigma^2) = -\tfrac{n-r}2\ln(2\pi\sigma^2) + \sum_t\ln|B_t| - \tfrac12\ln|D'B'BD| - \tfrac1{2\sigma^2}
   |M_\lambda B(y-Z\beta)|^2

with orthonormal D and ``M_lambda = I - BD(D'B'BD)^-1 D'B'`` (Harville 1974 for the general form). With nothing missing and
row-stochastic W it is the likelihood of Lee and Yu (2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy import optimize

from nqpf_spatial.errors import ConvergenceError, IdentificationError
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.ml import MLFit, inside, scan
from nqpf_spatial.kernels.unbalanced import multiply


@dataclass(frozen=True, slots=True)
class ErrorSystem:
    """Stacked cells of a model with an error lag and no lag of y.

    Attributes
    ----------
    z : (k, n) ndarray
    y : (n,) ndarray
    dummies : (r, n) ndarray
        Orthonormal rows.
    matrices : sequence of (n_t, n_t) ndarray
        Error weights of every period.
    cells : sequence of slice
    logdet : LogDet
        ``sum_t ln|I - lambda W_t|``.
    """

    z: NDArray
    y: NDArray
    dummies: NDArray
    matrices: Sequence[NDArray]
    cells: Sequence[slice]
    logdet: LogDet

    @property
    def n(self) -> int:
        """Observations of the likelihood, n - r."""
        return int(self.y.size - self.dummies.shape[0])


@dataclass(frozen=True, slots=True)
class _Point:
    """Everything at one lambda, beta and sigma2 at their optimum: (n, .) arrays of the filtered system."""

    beta: NDArray
    e: NDArray
    sse: float
    bz: NDArray
    q: NDArray
    g: list[NDArray]


def fit_contrasts(system: ErrorSystem) -> MLFit:
    """Maximise the likelihood of the contrasts in lambda.

    Raises
    ------
    ConvergenceError
        If Newton's method does not settle.
    IdentificationError
        If the residuals vanish.
    """
    factor, lagged = _compressed(system)
    grid = scan(system.logdet)
    values = [_concentrated(system, factor - r * lagged, r) for r in grid]
    best = int(np.argmax(values))
    ends = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    search = optimize.minimize_scalar(
        lambda r: -_concentrated(system, factor - r * lagged, r), bounds=ends, method="bounded", options={"xatol": 1e-7}
    )
    low, high = inside(system.logdet)
    lambda_, iterations = float(search.x), int(search.nfev)
    for _ in range(20):
        score, curvature = _derivatives(system, lambda_)
        new = float(np.clip(lambda_ + score / curvature, low, high)) if curvature > 0 else lambda_
        change, lambda_, iterations = abs(new - lambda_), new, iterations + 1
        if change <= 1e-12 * max(1.0, abs(lambda_)):
            return at(system, lambda_, iterations)
    raise ConvergenceError(f"lambda = {lambda_:.6g} still moved by {change:.2g} after {iterations} iterations")


def at(system: ErrorSystem, lambda_: float, iterations: int = 0) -> MLFit:
    """The fit at a given lambda, beta and sigma2 at their optimum, with the observed information."""
    point = _at(system, lambda_)
    n, s2 = system.n, point.sse / system.n
    half = np.linalg.slogdet(_filtered_cross(system, lambda_))[1]
    llf = -0.5 * n * (np.log(2.0 * np.pi * s2) + 1.0) + float(system.logdet(lambda_)) - 0.5 * half
    ends = system.logdet.low, system.logdet.high
    boundary = min(lambda_ - ends[0], ends[1] - lambda_) < 1e-4 * min(-ends[0], ends[1])
    return MLFit(point.beta, 0.0, lambda_, s2, point.sse, llf, _information(system, point), iterations, boundary)


def filtered(system: ErrorSystem, lambda_: float, a: NDArray) -> NDArray:
    """``B a`` of stacked cells (..., n)."""
    return a - lambda_ * multiply(system.matrices, system.cells, a)


def _filtered_cross(system: ErrorSystem, lambda_: float) -> NDArray:
    bd = filtered(system, lambda_, system.dummies)
    return bd @ bd.T


def _compressed(system: ErrorSystem) -> tuple[NDArray, NDArray]:
    """Triangular factor of D, Z, y and of their spatial lags, in one rotation."""
    columns = np.concatenate([system.dummies, system.z, system.y[None]])
    both = np.concatenate([columns, multiply(system.matrices, system.cells, columns)]).T
    factor = sla.qr(both, mode="r", check_finite=False)[0][: both.shape[1]]
    return factor[:, : columns.shape[0]], factor[:, columns.shape[0] :]


def _concentrated(system: ErrorSystem, factor: NDArray, lambda_: float) -> float:
    diagonal = np.abs(np.diag(sla.qr(factor, mode="r", check_finite=False)[0]))
    r, n = system.dummies.shape[0], system.n
    if not diagonal[-1] > 0:
        raise IdentificationError("the residuals vanish: the model has as many parameters as observations")
    return float(-n * np.log(diagonal[-1]) + system.logdet(lambda_) - np.log(diagonal[:r]).sum())


def _at(system: ErrorSystem, lambda_: float) -> _Point:
    k = system.z.shape[0]
    columns = filtered(system, lambda_, np.concatenate([system.dummies, system.z, system.y[None]])).T
    r = system.dummies.shape[0]
    q = sla.qr(columns[:, :r], mode="economic", check_finite=False)[0]
    rest = columns[:, r:] - q @ (q.T @ columns[:, r:])
    beta = sla.lstsq(rest[:, :k], rest[:, k], check_finite=False)[0] if k else np.empty(0)
    e = rest[:, k] - rest[:, :k] @ beta
    g = [sla.solve((np.eye(w.shape[0]) - lambda_ * w).T, w.T).T for w in system.matrices]
    return _Point(beta, e, float(e @ e), rest[:, :k], q, g)


def _derivatives(system: ErrorSystem, lambda_: float) -> tuple[float, float]:
    """Score in lambda, and minus the second derivative, of the likelihood concentrated over beta and sigma2."""
    point = _at(system, lambda_)
    s2 = point.sse / system.n
    ge, gq = (multiply(point.g, system.cells, a) for a in (point.e, point.q.T))
    trace = sum(float(np.trace(g)) for g in point.g)
    score = float(point.e @ ge) / s2 - trace + float(np.sum(gq * point.q.T))
    information = _information(system, point)
    k = system.z.shape[0]
    inner = [*range(k), k + 1]
    cross = information[inner, k]
    return score, float(information[k, k] - cross @ np.linalg.solve(information[np.ix_(inner, inner)], cross))


def _information(system: ErrorSystem, point: _Point) -> NDArray:
    """Observed information of (beta, lambda, sigma2).

    With ``G = W B^-1``, ``K = G + G'`` and ``L = 2 (GG + G'G' + GG')``, first and second derivatives of the covariance
    ``(B'B)^-1`` are ``B^-1 K B^-T`` and ``B^-1 L B^-T``.
    """
    k, n, s2 = system.z.shape[0], system.n, point.sse / system.n
    first = [g + g.T for g in point.g]
    second = [2.0 * (g @ g + g.T @ g.T + g @ g.T) for g in point.g]
    cells, q, e = system.cells, point.q.T, point.e
    kq, lq = multiply(first, cells, q), multiply(second, cells, q)
    ke, le = multiply(first, cells, e), multiply(second, cells, e)
    inner = q @ kq.T
    trace_l = sum(float(np.trace(m)) for m in second) - float(np.sum(q * lq))
    trace_kk = sum(float(np.sum(m * m)) for m in first) - 2.0 * float(np.sum(kq * kq)) + float(np.sum(inner * inner))
    mke = ke - q.T @ (q @ ke)
    information = np.zeros((k + 2, k + 2))
    information[:k, :k] = point.bz.T @ point.bz / s2
    information[:k, k] = information[k, :k] = point.bz.T @ ke / s2
    information[k, k] = 0.5 * (trace_l - trace_kk) - 0.5 * float(e @ le) / s2 + float(ke @ mke) / s2
    information[k, k + 1] = information[k + 1, k] = 0.5 * float(e @ ke) / s2**2
    information[k + 1, k + 1] = 0.5 * n / s2**2
    return information
