r"""Generalised moments for the spatial error, ``u = lambda W u + e``, and the covariance that goes with them.

Moments are quadratic forms in the innovations, ``E[e'A_r e] = 0``, quadratic in lambda once the residuals are given:

.. math::
   m(\lambda) = g - \Gamma\,(\lambda, \lambda^2)', \qquad g_r = u'A_r u / n

so that ``m' V^{-1} m`` is a quartic, minimised exactly through the roots of its derivative. Kelejian and Prucha (1999)
use three moments with sigma2 as a second unknown; Kelejian and Prucha (2010) and Drukker, Egger and Prucha (2013) two,

* homoskedastic: ``A_1 = [W'W - tr(W'W)/n I] / (1 + (tr(W'W)/n)^2)``, ``A_2 = (W + W')/2 - tr(W)/n I``;
* heteroskedastic: ``A_1 = W'W - diag(W'W)``, ``A_2 = (W + W')/2 - diag(W)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.gmm import TwoStage, two_stage
from nqpf_spatial.kernels.moments import spatial_lag


@dataclass(frozen=True, slots=True)
class ErrorData:
    """Columns of a regression with a spatial error; effects already transformed away.

    Attributes
    ----------
    y : (T, N) ndarray
    z : (k, T, N) ndarray
        Regressors, endogenous ones and Wy included.
    exogenous : (x,) int ndarray
        Columns of `z` that instrument themselves, filtered as they are in the regression.
    h : (q, T, N) ndarray
        Further instruments, never filtered; q = 0 when every regressor is exogenous.
    w : (N, N) ndarray
        Error weights.
    normal : bool
        Take third and fourth moments of e from the normal distribution (transformed data are no longer iid otherwise).
    """

    y: NDArray
    z: NDArray
    exogenous: NDArray
    h: NDArray
    w: NDArray
    normal: bool = False


@dataclass(frozen=True, slots=True)
class ErrorFit:
    """Estimates with a spatial error.

    Attributes
    ----------
    delta : (k,) ndarray
    lambda_ : float
    start : float
        lambda of the first step, the filter behind `delta`.
    covariance : (k + 1, k + 1) ndarray
        Of (delta, lambda); the row of lambda is NaN for the moments of 1999, which have no distribution theory for it.
    sigma2, moment_sigma2 : float
        ``e'e / n``, and the solution of the moment equations (1999) or NaN.
    resid : (T, N) ndarray
        Filtered residuals e.
    stage : TwoStage
        The last regression, in filtered columns.
    """

    delta: NDArray
    lambda_: float
    start: float
    covariance: NDArray
    sigma2: float
    moment_sigma2: float
    resid: NDArray
    stage: TwoStage


def moment_matrices(w: NDArray, het: bool) -> tuple[NDArray, NDArray]:
    """A_1 and A_2, symmetric, of trace zero (homoskedastic) or zero diagonal (heteroskedastic)."""
    cross, half = w.T @ w, (w + w.T) / 2.0
    if het:
        return cross - np.diag(np.diag(cross)), half - np.diag(np.diag(half))
    eye, n = np.eye(w.shape[0]), w.shape[0]
    level = float(np.trace(cross)) / n
    return (cross - level * eye) / (1.0 + level**2), half - float(np.trace(half)) / n * eye


def moment_equations(u: NDArray, w: NDArray, matrices: tuple[NDArray, ...]) -> tuple[NDArray, NDArray]:
    """``(Gamma, g)`` of ``m(lambda) = g - Gamma (lambda, lambda^2)'`` from residuals `u` (T, N)."""
    wu, n = spatial_lag(w, u), u.size
    g, rows = [], []
    for a in matrices:
        au, awu = u @ a, wu @ a
        g.append((u * au).sum() / n)
        rows.append([2.0 * (wu * au).sum() / n, -(wu * awu).sum() / n])
    return np.array(rows), np.array(g)


def minimise(gamma: NDArray, g: NDArray, weight: NDArray | None, interval: tuple[float, float]) -> float:
    """The lowest minimum of ``m' weight m`` inside `interval`, by the roots of the derivative.

    A quartic has at most two valleys; one whose bottom lies outside the interval is no solution, even where its slope
    reaches below the other's bottom at the end of the interval.

    Raises
    ------
    IdentificationError
        When no minimum lies inside the interval.
    """
    v = np.eye(g.size) if weight is None else weight
    poly = np.column_stack([g, -gamma])  # coefficients of 1, lambda, lambda^2
    cross = poly.T @ v @ poly
    quartic = np.zeros(5)
    for i in range(3):
        for j in range(3):
            quartic[4 - i - j] += cross[i, j]
    roots = np.roots(np.polyder(quartic))
    real = roots[np.abs(roots.imag) < 1e-7 * (1.0 + np.abs(roots.real))].real
    lowest = np.polyval(np.polyder(quartic, 2), real) > 0
    inside = real[(real > interval[0]) & (real < interval[1]) & lowest]
    if not inside.size:
        raise IdentificationError(
            f"the moments of the spatial error have no minimum inside ({interval[0]:.4g}, {interval[1]:.4g}), the admissible "
            "interval of lambda: the model or the error weights do not suit the data; leave the spatial error out "
            "or use other error weights"
        )
    return float(inside[np.polyval(quartic, inside).argmin()])


def minimise_1999(u: NDArray, w: NDArray, interval: tuple[float, float]) -> tuple[float, float]:
    """(lambda, sigma2) from the three unweighted moments of Kelejian and Prucha (1999, eq. 10)."""
    level = float((w**2).sum()) / w.shape[0]
    gamma, g = moment_equations(u, w, (np.eye(w.shape[0]), w.T @ w, (w + w.T) / 2.0))
    loading = np.array([1.0, level, float(np.trace(w)) / w.shape[0]])
    partial = np.eye(3) - np.outer(loading, loading) / (loading @ loading)
    lambda_ = minimise(gamma, g, partial, interval)
    m = g - gamma @ np.array([lambda_, lambda_**2])
    return lambda_, float(loading @ m / (loading @ loading))


def fit_1999(data: ErrorData, interval: tuple[float, float], lost: int) -> ErrorFit:
    """Generalised (spatial) two-stage least squares with the moments of 1999; `lost` is taken off n in the variance."""
    first = _regress(data, 0.0)
    lambda_, moment = minimise_1999(_composite(data, first.delta), data.w, interval)
    stage = _regress(data, lambda_)
    k, n = stage.delta.size, data.y.size
    covariance = np.full((k + 1, k + 1), np.nan)
    covariance[:k, :k] = stage.sse / (n - lost) * stage.bread
    resid = stage.resid.reshape(data.y.shape)
    return ErrorFit(stage.delta, lambda_, lambda_, covariance, stage.sse / n, moment, resid, stage)


def fit_2010(data: ErrorData, interval: tuple[float, float], het: bool, iterations: int = 1) -> ErrorFit:
    """Three steps of Kelejian and Prucha (2010): first lambda, filtered regression, weighted lambda.

    Parameters
    ----------
    iterations : int
        How often the last two steps are repeated.
    """
    matrices = moment_matrices(data.w, het)
    first = _regress(data, 0.0)
    gamma, g = moment_equations(_composite(data, first.delta), data.w, matrices)
    start = minimise(gamma, g, None, interval)
    lambda_ = start
    for _ in range(iterations):
        used = lambda_
        stage = _regress(data, used)
        u = _composite(data, stage.delta)
        gamma, g = moment_equations(u, data.w, matrices)
        psi = _variance(data, u, used, matrices, het)[0]
        lambda_ = minimise(gamma, g, sla.inv(psi), interval)
    covariance = _covariance(data, u, lambda_, matrices, gamma, het)
    resid = u - lambda_ * spatial_lag(data.w, u)
    return ErrorFit(stage.delta, lambda_, used, covariance, float((resid**2).mean()), np.nan, resid, stage)


def _flat(columns: NDArray) -> NDArray:
    return columns.reshape(columns.shape[0], columns.shape[1] * columns.shape[2]).T


def _filtered(data: ErrorData, lambda_: float) -> tuple[NDArray, NDArray]:
    """y (n,) and Z (n, k) filtered by ``I - lambda W``."""
    y = data.y - lambda_ * spatial_lag(data.w, data.y)
    z = np.stack([part - lambda_ * spatial_lag(data.w, part) for part in data.z])
    return y.ravel(), _flat(z)


def instruments(data: ErrorData, lambda_: float) -> NDArray:
    """All instruments (n, x + q) of the regression filtered by ``I - lambda W``."""
    return _with_own(data, _filtered(data, lambda_)[1])


def _with_own(data: ErrorData, z: NDArray) -> NDArray:
    return np.column_stack([z[:, data.exogenous], _flat(data.h)])


def _regress(data: ErrorData, lambda_: float) -> TwoStage:
    y, z = _filtered(data, lambda_)
    return two_stage(y, z, _with_own(data, z))


def _composite(data: ErrorData, delta: NDArray) -> NDArray:
    return data.y - np.tensordot(delta, data.z, axes=1)


def _variance(
    data: ErrorData, u: NDArray, lambda_: float, matrices: tuple[NDArray, NDArray], het: bool
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Variance psi (2, 2) of the moments, what the estimated delta adds to them (n, 2), their link to delta, and P (n, k).

    ``delta_hat - delta = P'e / n``; ``a_r = P alpha_r`` with ``alpha_r = -2 Z*'A_r e / n`` (Kelejian and Prucha 2010,
    eqs. 23-25; Drukker, Egger and Prucha 2013, eqs. 14-16). Exogenous regressors have ``alpha_r = 0``.
    """
    n = u.size
    e = u - lambda_ * spatial_lag(data.w, u)
    _, z = _filtered(data, lambda_)
    q, _ = sla.qr(_with_own(data, z), mode="economic")
    projected = q @ (q.T @ z)
    p = n * projected @ sla.inv(projected.T @ projected)
    flat = e.ravel()
    alpha = np.stack([-2.0 * z.T @ (e @ a).ravel() / n for a in matrices], axis=1)
    a = np.zeros((n, 2)) if data.exogenous.size == z.shape[1] else p @ alpha
    if het:
        square = e**2
        quadratic = np.array([[_het_trace(r, s, square) for s in matrices] for r in matrices])
        linear = flat[:, None] ** 2 * a
        return (quadratic + a.T @ linear) / n, a, p.T @ linear / n, p
    sigma2 = float((flat**2).mean())
    third, fourth = (0.0, 3.0 * sigma2**2) if data.normal else (float((flat**3).mean()), float((flat**4).mean()))
    periods = u.shape[0]
    diagonal = np.stack([np.tile(np.diag(m), periods) for m in matrices], axis=1)
    traces = np.array([[periods * (r * s).sum() for s in matrices] for r in matrices])
    mixed = a.T @ diagonal
    psi = 2.0 * sigma2**2 * traces + sigma2 * a.T @ a + (fourth - 3.0 * sigma2**2) * diagonal.T @ diagonal
    psi = psi + third * (mixed + mixed.T)
    return psi / n, a, p.T @ (sigma2 * a + third * diagonal) / n, p


def _het_trace(r: NDArray, s: NDArray, square: NDArray) -> float:
    """``2 tr(A_r S A_s S)`` summed over periods, S = diag(e_t^2)."""
    return float(2.0 * np.einsum("ti,ij,tj->", square, r * s, square, optimize=True))


def _covariance(
    data: ErrorData, u: NDArray, lambda_: float, matrices: tuple[NDArray, NDArray], gamma: NDArray, het: bool
) -> NDArray:
    """Joint covariance of (delta, lambda)."""
    n = u.size
    psi, _, link, p = _variance(data, u, lambda_, matrices, het)
    e = (u - lambda_ * spatial_lag(data.w, u)).ravel()
    inner = p.T @ (p * e[:, None] ** 2) / n if het else float((e**2).mean()) * p.T @ p / n
    slope = gamma @ np.array([1.0, 2.0 * lambda_])
    weight = sla.solve(psi, slope, assume_a="pos")
    variance = 1.0 / (slope @ weight)
    cross = link @ weight * variance
    top = np.column_stack([inner, cross])
    return np.vstack([top, [*cross, variance]]) / n
