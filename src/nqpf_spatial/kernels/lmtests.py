r"""Lagrange multiplier (score) tests of the spatial terms at an estimate without them.

In the general nesting model ``y = rho W1 y + X beta + W_d X theta + u``, ``u = lambda W2 u + e`` the score at
``rho = lambda = theta = 0`` is

.. math::
   d_\rho = e'W_1 y/s^2 - m\,tr A_1, \qquad d_\lambda = e'W_2 e/s^2 - m\,tr A_2, \qquad d_\theta = (W_dX)'e/s^2

with e and ``s2 = SSE / n`` of the restricted model (Anselin 1988; Anselin, Bera, Florax and Yoon 1996;
Koley and Bera 2024 for theta). Its variance, after beta and sigma2 are concentrated out, needs ``tr(A_i A_j + A_i'A_j)``
only. A is W for dummy-variable ML and F'WF, with one eigenvalue 1 less, where the Lee-Yu transformation removes time
effects (Debarsy and Ertur 2010 do the same); n and m are those of the likelihood. Every statistic is

* marginal: ``d_a' V_aa^-1 d_a``, valid while the other terms are absent, or
* robust: the same with what the score of b explains of d_a taken out (Bera and Yoon 1993), valid while the
  other terms are small; it equals the joint statistic of (a, b) less the marginal one of b.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import scaled

_SINGULAR = 1e-10  # share of the variance of a score left after the others: below it the test does not exist


@dataclass(frozen=True, slots=True)
class Traces:
    """Traces of A1 (lag) and A2 (error), the weights as the likelihood sees them.

    Attributes
    ----------
    t11, t12, t22 : float
        ``tr(A_i A_j + A_i' A_j)``.
    t1, t2 : float
        ``tr(A_i)``; zero for weights with a zero diagonal that are not projected.
    """

    t11: float
    t12: float
    t22: float
    t1: float
    t2: float


@dataclass(frozen=True, slots=True)
class Scores:
    """Score of (rho, lambda, theta) at the restricted estimate.

    Attributes
    ----------
    score : (2 + q,) ndarray
    variance : (2 + q, 2 + q) ndarray
        Expected, with beta and sigma2 concentrated out.
    """

    score: NDArray
    variance: NDArray


@dataclass(frozen=True, slots=True)
class ScoreTest:
    """A chi-squared statistic and its degrees of freedom."""

    statistic: float
    df: int


def traces(w1: NDArray, w2: NDArray, project: bool) -> Traces:
    """Traces of the weights or, with `project`, of ``F'WF`` (F orthonormal, orthogonal to the ones).

    Parameters
    ----------
    w1, w2 : (N, N) ndarray or sparse array
        Weights of the lag and of the error.
    project : bool
        Time effects are transformed away.

    Notes
    -----
    ``tr(F'AF F'BF) = tr(M A M B)`` with ``M = I - 11'/N``, so that no N x N product is formed.
    """
    same, cross, other = _pair(w1, w1, project), _pair(w1, w2, project), _pair(w2, w2, project)
    return Traces(same, cross, other, centred_trace(w1, project), centred_trace(w2, project))


def centred_trace(w: NDArray, project: bool) -> float:
    """``tr(W)`` or, with `project`, ``tr(M W)``."""
    trace = float(w.diagonal().sum())
    return trace - float(w.sum()) / w.shape[0] if project else trace


def _pair(a: NDArray, b: NDArray, project: bool) -> float:
    """``tr(AB + A'B)``, of the projected matrices with `project`."""
    total = float((a * b.T).sum() + (a * b).sum())
    if not project:
        return total
    n = a.shape[0]
    rows_a, cols_a, rows_b, cols_b = _sums(a, 1), _sums(a, 0), _sums(b, 1), _sums(b, 0)
    # tr(MAMB) and tr(MA'MB): the ones are taken out on both sides
    total -= (cols_a @ rows_b + cols_b @ rows_a + rows_a @ rows_b + cols_a @ cols_b) / n
    return float(total + 2.0 * rows_a.sum() * rows_b.sum() / n**2)


def _sums(w: NDArray, axis: int) -> NDArray:
    return np.asarray(w.sum(axis=axis)).ravel()


def efficient_scores(
    e: NDArray, z: NDArray, wx: NDArray, wy: NDArray, we1: NDArray, we2: NDArray, tr: Traces, n: int, m: int
) -> Scores:
    """Score of (rho, lambda, theta) and its variance at a model without them; effects removed from all arrays.

    Parameters
    ----------
    e : (T, N) ndarray
        Residuals of the regression on Z.
    z : (k, T, N) ndarray
        Regressors of the restricted model.
    wx : (q, T, N) ndarray
        Spatially lagged regressors under test; q = 0 leaves theta out.
    wy, we1, we2 : (T, N) ndarray
        ``W1 y``, ``W1 e`` and ``W2 e``.
    tr : Traces
    n, m : int
        Observations and periods of the likelihood.

    Raises
    ------
    IdentificationError
        If the residuals vanish.
    """
    flat = e.ravel()
    s2 = float(flat @ flat) / n
    if not s2 > 0:
        raise IdentificationError("the residuals vanish: the regressors explain the outcome exactly")
    added = np.column_stack([(wy - we1).ravel(), wx.reshape(wx.shape[0], flat.size).T])
    rest = _residuals(added, z.reshape(z.shape[0], flat.size).T)
    score = np.concatenate(
        [[flat @ wy.ravel() / s2 - m * tr.t1, flat @ we2.ravel() / s2 - m * tr.t2], rest[:, 1:].T @ flat / s2]
    )
    q = wx.shape[0]
    order = [0, *range(2, 2 + q)]
    variance = np.zeros((2 + q, 2 + q))
    variance[np.ix_(order, order)] = rest.T @ rest / s2
    quadratic = np.array([[tr.t11, tr.t12], [tr.t12, tr.t22]]) * m
    first = np.array([tr.t1, tr.t2]) * m
    variance[:2, :2] += quadratic - 2.0 / n * np.outer(first, first)  # the second term concentrates sigma2 out
    return Scores(score, variance)


def _residuals(target: NDArray, on: NDArray) -> NDArray:
    if not on.shape[1]:
        return target
    q, _ = sla.qr(on, mode="economic", check_finite=False)
    return target - q @ (q.T @ target)


def score_test(scores: Scores, tested: list[int], robust_to: list[int] | None = None) -> ScoreTest:
    """Marginal test of the parameters `tested`, or robust to local presence of `robust_to`.

    Raises
    ------
    IdentificationError
        If the others leave nothing of the tested score (for instance the robust LM lag test with an intercept only).
    """
    d, v = scores.score[tested], scores.variance[np.ix_(tested, tested)]
    own = np.diag(v).copy()
    nothing = IdentificationError(
        "the score under test is a linear combination of the other scores and of the regressors: this test does not exist for this design"
    )
    if not (np.diag(scores.variance)[[*tested, *(robust_to or [])]] > 0).all():
        raise nothing
    if robust_to:
        other = scores.variance[np.ix_(robust_to, robust_to)]
        weight = scaled.solve(other, scores.variance[np.ix_(robust_to, tested)])
        d = d - weight.T @ scores.score[robust_to]
        v = v - scores.variance[np.ix_(tested, robust_to)] @ weight
    if np.min(np.linalg.eigvalsh(v / np.sqrt(np.outer(own, own)))) < _SINGULAR:
        raise nothing
    return ScoreTest(float(d @ scaled.solve(v, d)), len(tested))


def nested_score_test(score: float, information: NDArray, position: int) -> ScoreTest:
    """Score test of one parameter when all the others are at their maximum.

    Parameters
    ----------
    score : float
        Score of the tested parameter; those of the others are zero.
    information : (p, p) ndarray
        Expected information of all parameters, the tested one among them.
    position : int

    Notes
    -----
    ``d^2 / (J_aa - J_ab J_bb^-1 J_ba)``: with the spatial lag estimated and the error lag under test this is the LM test
    for residual dependence of Anselin (1988), ``d^2 / (T_22 - T_21^2 Var(rho))``.
    """
    rest = [i for i in range(information.shape[0]) if i != position]
    cross = information[rest, position]
    inner = information[np.ix_(rest, rest)]
    left = information[position, position] - cross @ scaled.solve(inner, cross)
    if left <= _SINGULAR * information[position, position]:
        raise IdentificationError("the estimated parameters leave no information on the one under test")
    return ScoreTest(float(score**2 / left), 1)
