r"""Lagrange multiplier tests of Baltagi, Song and Koh (2003) in the pooled panel regression.

.. math:: y_t = X_t\beta + u_t, \qquad u_t = \mu + \varepsilon_t, \qquad \varepsilon_t = \lambda W\varepsilon_t + v_t

Joint, marginal and conditional tests for the variance of mu and for lambda. Score and information are those of the
covariance ``sigma2_mu (J_T (x) I) + sigma2_v (I_T (x) (B'B)^-1)``, ``B = I - lambda W``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import scaled
from nqpf_spatial.kernels.residual_tests import moran_pooled


@dataclass(frozen=True, slots=True)
class Marginal:
    """Standard normal statistics of the marginal tests, from residuals of pooled least squares.

    Attributes
    ----------
    unit : float
        LM1, no unit effects given no spatial error (eq. 2.12; Honda 1985).
    spatial : float
        LM2, no spatial error given no unit effects (eq. 2.16).
    """

    unit: float
    spatial: float


def marginal(e: NDArray, w: NDArray) -> Marginal:
    """LM1 and LM2 from pooled least-squares residuals (T, N) and weights (N, N)."""
    t, n = e.shape
    if t < 2:
        raise IdentificationError("unit effects need at least two periods; the panel has one")
    total = float(np.sum(e * e))
    g = float(np.sum(e.sum(axis=0) ** 2)) / total - 1.0
    h = float(np.sum(e * np.asarray((w @ e.T).T))) / total
    return Marginal(float(np.sqrt(n * t / (2.0 * (t - 1.0))) * g), float(np.sqrt(n**2 * t / _twice(w)) * h))


def standardised(e: NDArray, basis: NDArray, w: NDArray) -> Marginal:
    """SLM1 and SLM2: LM1 and LM2 with their exact mean and variance for residuals of least squares.

    Parameters
    ----------
    e : (T, N) ndarray
        Pooled least-squares residuals.
    basis : (k, T, N) ndarray
        Orthonormal basis of the regressors, from `residual_tests.projected_basis`.
    w : (N, N) ndarray

    Notes
    -----
    Mean and variance of ``e'De / e'e`` with ``D = J_T (x) I_N`` and ``D = I_T (x) W`` (Moulton and Randolph 1989; Baltagi,
    Song and Koh 2003): the means of LM1 and LM2 are below zero in small samples.
    """
    t, n = e.shape
    rank = float(e.size - basis.shape[0])
    sums = basis.sum(axis=1)
    inner = sums @ sums.T
    first = n * t - np.trace(inner)
    second = n * t**2 - 2.0 * t * np.trace(inner) + np.sum(inner * inner)
    mean = first / rank
    variance = 2.0 * (second - first**2 / rank) / (rank * (rank + 2.0))
    ratio = float(np.sum(e.sum(axis=0) ** 2) / np.sum(e * e))
    found = moran_pooled(e, basis, w, False, False)
    return Marginal((ratio - mean) / float(np.sqrt(variance)), float((found.i - found.mean) / np.sqrt(found.variance)))


def _twice(w: NDArray) -> float:
    """``tr(WW + W'W)``."""
    return float((w * w.T).sum() + (w * w).sum())


def random_effects_residuals(y: NDArray, z: NDArray) -> NDArray:
    """``y - Z beta`` (T, N) at the maximum likelihood estimate with normal unit effects and no spatial term.

    Parameters
    ----------
    y : (T, N) ndarray
    z : (k, T, N) ndarray

    Notes
    -----
    Quasi-demeaning ``y - (1 - theta) ybar`` with ``theta^2 = sigma2_v / (sigma2_v + T sigma2_mu)`` in (0, 1] concentrates
    the likelihood to ``-NT/2 ln SSE(theta) + N ln theta`` (Breusch 1987); cross-products within and between units are
    all it takes.
    """
    t, n = y.shape
    # any combination of Z may be taken off first: without the level of y the cross-products keep their digits
    flat = z.reshape(z.shape[0], -1).T
    y = y - (flat @ np.linalg.lstsq(flat, y.ravel())[0]).reshape(t, n)
    columns = np.concatenate([z, y[None]])
    means = columns.mean(axis=1)
    within = (columns - means[:, None, :]).reshape(columns.shape[0], -1)
    s_within, s_between = within @ within.T, t * means @ means.T

    def negative(theta: float) -> float:
        return 0.5 * n * t * np.log(_profile(s_within + theta**2 * s_between)[1]) - n * np.log(theta)

    found = minimize_scalar(negative, bounds=(1e-8, 1.0), method="bounded", options={"xatol": 1e-12})
    beta, _ = _profile(s_within + float(found.x) ** 2 * s_between)
    return y - np.tensordot(beta, z, axes=1)


def _profile(cross: NDArray) -> tuple[NDArray, float]:
    """Slopes and residual sum of squares from cross-products, the outcome last."""
    beta = scaled.solve(cross[:-1, :-1], cross[:-1, -1])
    return beta, float(cross[-1, -1] - cross[:-1, -1] @ beta)


def conditional_spatial(u: NDArray, w: NDArray) -> float:
    """CLM-lambda: no spatial error, unit effects allowed (eqs. 2.24-2.25); `u` from `random_effects_residuals`."""
    t, n = u.shape
    mean = u.mean(axis=0)
    s1 = t * float(mean @ mean) / n
    sv = float(np.sum((u - mean) ** 2)) / (n * (t - 1.0))
    between = t * float(mean @ np.asarray(w @ mean))
    within = float(np.sum(u * np.asarray((w @ u.T).T))) - between
    score = sv / s1**2 * between + within / sv
    return score / float(np.sqrt((t - 1.0 + sv**2 / s1**2) * _twice(w)))


def conditional_unit(u: NDArray, w: NDArray, lambda_: float) -> float:
    """CLM-mu: no unit effects, spatial error allowed (eqs. 2.26-2.31).

    Parameters
    ----------
    u : (T, N) ndarray
        ``y - Z beta`` of the pooled spatial error model at its maximum.
    w : (N, N) ndarray
    lambda_ : float
    """
    t, n = u.shape
    b = np.eye(n) - lambda_ * w
    bb = b.T @ b
    slope = w.T @ b + b.T @ w
    sigma2 = float(np.sum((u @ b.T) ** 2)) / (n * t)
    ratio = sla.solve(bb, slope, assume_a="pos").T
    total = u.sum(axis=0)
    score = 0.5 * float(np.sum((bb @ total) ** 2)) / sigma2**2 - 0.5 * t * float(np.trace(bb)) / sigma2
    information = np.array(
        [
            [n / sigma2**2, np.trace(ratio) / sigma2, np.trace(bb) / sigma2**2],
            [np.trace(ratio) / sigma2, np.sum(ratio * ratio.T), np.trace(slope) / sigma2],
            [np.trace(bb) / sigma2**2, np.trace(slope) / sigma2, t * np.sum(bb * bb) / sigma2**2],
        ]
    ) * (0.5 * t)  # of (sigma2_v, lambda, sigma2_mu)
    return score * float(np.sqrt(scaled.inverse(information)[2, 2]))
