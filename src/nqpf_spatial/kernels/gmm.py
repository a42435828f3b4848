r"""Two-stage least squares with spatial instruments, its covariances and the tests of its instruments.

.. math::
   \hat\delta = (\hat Z'Z)^{-1}\hat Z'y, \qquad \hat Z = H(H'H)^{-1}H'Z

with Z = [X, WX, endogenous regressors, Wy] and H the exogenous columns with their spatial lags (Kelejian and Prucha 1998,
section 2.1). All columns come in after removal of the effects; Wy is lagged first and freed from the effects afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy import stats

_RANK = 1e-10  # what is left of a column after projection on the ones before it, relative to its length


@dataclass(frozen=True, slots=True)
class TwoStage:
    """Estimates of one 2SLS regression.

    Attributes
    ----------
    delta : (k,) ndarray
    resid : (n,) ndarray
        ``y - Z delta`` with the columns as given, not their projections.
    projected : (n, k) ndarray
        ``P_H Z``.
    bread : (k, k) ndarray
        ``(Z' P_H Z)^-1``.
    sse : float
    """

    delta: NDArray
    resid: NDArray
    projected: NDArray
    bread: NDArray
    sse: float


@dataclass(frozen=True, slots=True)
class FirstStage:
    """Strength of the excluded instruments for m endogenous columns.

    Attributes
    ----------
    f, partial_r2, pvalue : (m,) ndarray
        F of the excluded instruments in the regression of each endogenous column on all instruments.
    df : (int, int)
    cragg_donald : float
        Smallest eigenvalue of the matrix analogue of F (Cragg and Donald 1993); equals F when m = 1.
    """

    f: NDArray
    partial_r2: NDArray
    pvalue: NDArray
    df: tuple[int, int]
    cragg_donald: float


def dependent_columns(a: NDArray) -> NDArray:
    """Positions of columns of `a` (n, p) that are linear combinations of the columns before them."""
    size = np.sqrt((a**2).sum(axis=0))
    scaled = a / np.where(size > 0, size, 1.0)
    kept: list[NDArray] = []
    bad = []
    for position in range(a.shape[1]):
        rest = scaled[:, position]
        for _ in range(2):  # twice is enough: the second pass removes what rounding left of the first
            if kept:
                basis = np.stack(kept)
                rest = rest - basis.T @ (basis @ rest)
        left = np.sqrt(rest @ rest)
        if left <= _RANK:
            bad.append(position)
        else:
            kept.append(rest / left)
    return np.array(bad, dtype=int)


def two_stage(y: NDArray, z: NDArray, h: NDArray) -> TwoStage:
    """2SLS of `y` (n,) on `z` (n, k) with instruments `h` (n, q), both of full column rank."""
    q, _ = sla.qr(h, mode="economic", check_finite=False)
    projected = q @ (q.T @ z)
    left, right = sla.qr(projected, mode="economic", check_finite=False)
    delta = sla.solve_triangular(right, left.T @ y)
    inverse = sla.solve_triangular(right, np.eye(z.shape[1]))
    resid = y - z @ delta
    return TwoStage(delta, resid, projected, inverse @ inverse.T, float(resid @ resid))


def classical(fit: TwoStage, divisor: float) -> NDArray:
    """``SSE / divisor (Z' P_H Z)^-1``."""
    return fit.sse / divisor * fit.bread


def robust(fit: TwoStage, clusters: NDArray | None = None) -> NDArray:
    """White (1980) covariance, or that of independent clusters (Liang and Zeger 1986), without small-sample factor.

    Parameters
    ----------
    clusters : (n,) int ndarray, optional
        Codes 0, 1, ... of the clusters; every observation is its own without.
    """
    score = fit.projected * fit.resid[:, None]
    meat = _meat(score, clusters)
    return fit.bread @ meat @ fit.bread


def _meat(score: NDArray, clusters: NDArray | None) -> NDArray:
    if clusters is not None:
        total = np.zeros((int(clusters.max()) + 1, score.shape[1]))
        np.add.at(total, clusters, score)
        score = total
    return score.T @ score


def first_stage(z: NDArray, h: NDArray, endogenous: NDArray, exogenous: NDArray, df: int) -> FirstStage:
    """First-stage statistics.

    Parameters
    ----------
    z : (n, k) ndarray
        Regressors.
    h : (n, q) ndarray
        Instruments, the exogenous regressors included.
    endogenous, exogenous : int ndarray
        Columns of `z`.
    df : int
        Observations left after the fixed effects.
    """
    target, controls = z[:, endogenous], z[:, exogenous]
    if controls.shape[1]:
        q, _ = sla.qr(controls, mode="economic")
        target = target - q @ (q.T @ target)
    q, _ = sla.qr(h, mode="economic")
    rest = z[:, endogenous] - q @ (q.T @ z[:, endogenous])
    within, total = rest.T @ rest, target.T @ target
    explained = total - within
    excluded, left = h.shape[1] - exogenous.size, df - h.shape[1]
    share = np.diag(explained) / np.diag(total)
    f = np.diag(explained) / excluded / (np.diag(within) / left)
    smallest = sla.eigh(explained / excluded, within / left, eigvals_only=True)[0]
    return FirstStage(f, share, stats.f.sf(f, excluded, left), (excluded, left), float(smallest))


def sargan(fit: TwoStage, h: NDArray, n: int) -> tuple[float, int]:
    """Sargan's (1958) statistic ``n e'P_H e / e'e`` and its degrees of freedom."""
    q, _ = sla.qr(h, mode="economic")
    part = q.T @ fit.resid
    return float(n * (part @ part) / fit.sse), h.shape[1] - fit.delta.size


def hansen(y: NDArray, z: NDArray, h: NDArray, fit: TwoStage, clusters: NDArray | None = None) -> tuple[float, int]:
    """Hansen's (1982) J at the efficient two-step estimate, weights from the 2SLS residuals, and its degrees of freedom."""
    q, _ = sla.qr(h, mode="economic")
    factor = sla.cholesky(_meat(q * fit.resid[:, None], clusters), lower=True)
    a, b = sla.solve_triangular(factor, q.T @ z, lower=True), sla.solve_triangular(factor, q.T @ y, lower=True)
    delta = sla.lstsq(a, b)[0]
    rest = b - a @ delta
    return float(rest @ rest), h.shape[1] - z.shape[1]
