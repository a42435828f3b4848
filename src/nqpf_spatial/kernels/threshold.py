r"""Threshold regression on a balanced panel with fixed effects (Hansen 1999, Journal of Econometrics 93, 345-368).

.. math::
   y_{it} = \mu_i + \alpha_t + z_{it}'\delta + x_{it}'\beta_1 1\{q_{it} \le \gamma\} + x_{it}'\beta_2 1\{q_{it} > \gamma\} + e_{it}

For a given threshold the model is linear, so gamma minimises the concentrated sum of squares S(gamma) (eq. 9-11). Adding the
columns ``x 1{q <= gamma}`` to the linear model lowers its sum of squares by the squared length of y on what is new in them; this
gain is computed for all candidates at once, and for all bootstrap samples in one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.kernels.moments import remove_effects

#: what is left of a column after projection on the others, relative to its length, below which it is no new column
_RANK = 1e-9


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidate thresholds, reduced to what every search over them needs.

    Attributes
    ----------
    gamma : (G,) ndarray
        Candidate values, ascending.
    basis : (G, S, n) ndarray
        Orthonormal rows spanning what the switching columns of a candidate add to the model without it; zero rows where they
        add nothing.
    null : (n, k) ndarray
        Orthonormal basis of the model without the new threshold, effects removed.
    rank : int
        Observations that the effects leave, (N-1)(T-1) with both.
    """

    gamma: NDArray
    basis: NDArray
    null: NDArray
    rank: int


@dataclass(frozen=True, slots=True)
class Search:
    """The best candidate.

    Attributes
    ----------
    gamma : float
        Estimated threshold.
    sse, sse_null : float
        Sums of squares with and without it.
    statistic : float
        ``F = (S0 - S1) / s2`` with ``s2 = S1 / rank`` (eq. 12).
    profile : (G,) ndarray
        Likelihood ratio ``(S(gamma) - S1) / s2`` of every candidate (eq. 15).
    """

    gamma: float
    sse: float
    sse_null: float
    statistic: float
    profile: NDArray


def grid(q: NDArray, trim: float, size: int, others: tuple[float, ...] = ()) -> NDArray:
    """Candidate thresholds: distinct values of q that leave at least ``trim`` of the observations on each side.

    Parameters
    ----------
    q : ndarray
        Threshold variable, any shape.
    trim : float
        Smallest share of observations in a regime, in (0, 0.5).
    size : int
        At most so many candidates; beyond, that many quantiles of the admissible values (Hansen 1999, section 3.3).
    others : tuple of float
        Thresholds already there; the regimes between must hold the share too.

    Returns
    -------
    (G,) ndarray
        Ascending; empty where no candidate is left.

    Examples
    --------
    >>> grid(np.arange(10.0), 0.2, 100)
    array([1., 2., 3., 4., 5., 6., 7.])
    >>> grid(np.arange(10.0), 0.2, 100, (4.0,))
    array([1., 2., 6., 7.])
    """
    flat = np.sort(q, axis=None)
    distinct = np.unique(flat)
    least = trim * flat.size
    at = np.searchsorted(flat, distinct, side="right")
    kept = (at >= least) & (flat.size - at >= least)
    for other in others:
        between = np.abs(at - np.searchsorted(flat, other, side="right"))
        kept &= between >= least
    chosen = distinct[kept]
    if chosen.size <= size:
        return chosen
    return np.unique(np.quantile(chosen, np.linspace(0.0, 1.0, size), method="nearest"))


def regimes(x: NDArray, q: NDArray, thresholds: tuple[float, ...]) -> NDArray:
    """Switching columns by regime: (S, T, N) and m thresholds -> (m + 1, S, T, N), zero outside the regime."""
    place = np.searchsorted(np.sort(np.asarray(thresholds, dtype=float)), q, side="left")
    return np.stack([x * (place == r) for r in range(len(thresholds) + 1)])


def candidates(
    x: NDArray,
    z: NDArray,
    q: NDArray,
    effects: tuple[bool, bool],
    gamma: NDArray,
    others: tuple[float, ...] = (),
) -> Candidates:
    """Prepare a search.

    Parameters
    ----------
    x : (S, T, N) ndarray
        Columns whose slope switches.
    z : (K, T, N) ndarray
        Columns whose slope does not.
    q : (T, N) ndarray
    effects : (bool, bool)
        Unit and time effects to remove; without both an intercept is removed.
    gamma : (G,) ndarray
    others : tuple of float
        Thresholds already in the model.

    Returns
    -------
    Candidates
    """
    t, n = q.shape
    own = np.concatenate([z, *regimes(x, q, others)]) if others else np.concatenate([z, x])
    null = _orthonormal(_within(own, effects))
    split = _within(x[None] * (q <= gamma[:, None, None])[:, None], effects)  # (G, S, n)
    size = np.sqrt((split**2).sum(axis=-1, keepdims=True))
    left = split - (split @ null) @ null.T
    left -= (left @ null) @ null.T  # twice, so that what is left is orthogonal to rounding
    basis = _rows(left, size)
    rank = (t - effects[0]) * (n - effects[1]) if any(effects) else t * n - 1
    return Candidates(gamma, basis, null, rank)


def _within(a: NDArray, effects: tuple[bool, bool]) -> NDArray:
    """Effects (or the mean) removed, periods and units in one axis: (..., T, N) -> (..., T N)."""
    out = remove_effects(a, *effects) if any(effects) else a - a.mean(axis=(-2, -1), keepdims=True)
    return out.reshape(*a.shape[:-2], -1)


def _orthonormal(columns: NDArray) -> NDArray:
    """(n, r) orthonormal basis of the rows of a (k, n) array."""
    if not columns.shape[0]:
        return np.empty((columns.shape[-1], 0))
    size = np.sqrt((columns**2).sum(axis=1))
    q, r, _ = sla.qr((columns / np.where(size > 0, size, 1.0)[:, None]).T, mode="economic", pivoting=True)
    return q[:, np.abs(np.diag(r)) > _RANK]


def _rows(left: NDArray, size: NDArray) -> NDArray:
    """Orthonormal rows of (G, S, n) by Gram-Schmidt; rows that are nothing but rounding become zero."""
    out = np.zeros_like(left)
    for s in range(left.shape[1]):
        row = left[:, s]
        for before in range(s):
            row = row - np.einsum("gn,gn->g", row, out[:, before])[:, None] * out[:, before]
        length = np.sqrt(np.einsum("gn,gn->g", row, row))[:, None]
        known = length > _RANK * np.where(size[:, s] > 0, size[:, s], 1.0)
        out[:, s] = np.divide(row, length, out=np.zeros_like(row), where=known & (length > 0))
    return out


def gains(y: NDArray, options: Candidates) -> tuple[NDArray, NDArray]:
    """How much every candidate lowers the sum of squares of every outcome.

    Parameters
    ----------
    y : (R, n) ndarray
        Outcomes with effects removed, one per row.
    options : Candidates

    Returns
    -------
    (R,) ndarray, (G, R) ndarray
        Sum of squares without the new threshold, and what each candidate takes off it.
    """
    rest = y - (y @ options.null) @ options.null.T
    g, s, n = options.basis.shape
    projected = options.basis.reshape(g * s, n) @ rest.T
    return (rest**2).sum(axis=1), (projected.reshape(g, s, -1) ** 2).sum(axis=1)


def search(y: NDArray, options: Candidates, effects: tuple[bool, bool]) -> Search:
    """Find the threshold of an outcome.

    Parameters
    ----------
    y : (T, N) ndarray
    options : Candidates
    effects : (bool, bool)

    Returns
    -------
    Search
    """
    null, gain = gains(_within(y, effects)[None], options)
    best = int(np.argmax(gain[:, 0]))
    sse_null, sse = float(null[0]), float(null[0] - gain[best, 0])
    sigma2 = sse / options.rank
    profile = (gain[best, 0] - gain[:, 0]) / sigma2
    return Search(float(options.gamma[best]), sse, sse_null, (sse_null - sse) / sigma2, profile)


def bootstrap_statistics(
    signal: NDArray,
    residual: NDArray,
    options: Candidates,
    effects: tuple[bool, bool],
    replicates: int,
    rng: np.random.Generator,
    block: int = 256,
) -> NDArray:
    """F statistics of outcomes generated under the model without the new threshold (Hansen 1999, section 3.4).

    Whole residual paths of units are drawn with replacement; regressors and threshold variable stay.

    Parameters
    ----------
    signal : (T, N) ndarray
        Fitted values under the null; zeros where the null is linear, as the statistic does not depend on them.
    residual : (T, N) ndarray
        Residuals under the alternative.
    options : Candidates
    effects : (bool, bool)
    replicates : int
    rng : Generator
    block : int
        Outcomes handled at once.

    Returns
    -------
    (replicates,) ndarray
    """
    n = residual.shape[1]
    out = np.empty(replicates)
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        drawn = residual[:, rng.integers(0, n, (size, n))].transpose(1, 0, 2)  # (R, T, N)
        null, gain = gains(_within(signal + drawn, effects), options)
        best = gain.max(axis=0)
        out[start : start + size] = best / ((null - best) / options.rank)
    return out


def critical_ratio(alpha: float) -> float:
    """Critical value of the likelihood ratio of a threshold, ``-2 ln(1 - sqrt(1 - alpha))`` (Hansen 1999, section 4.2).

    Examples
    --------
    >>> round(critical_ratio(0.05), 2)
    7.35
    """
    return float(-2.0 * np.log(1.0 - np.sqrt(1.0 - alpha)))


def residual(y: NDArray, columns: NDArray, effects: tuple[bool, bool]) -> NDArray:
    """Residuals (T, N) of a linear regression of y (T, N) on columns (K, T, N), effects removed."""
    basis = _orthonormal(_within(columns, effects))
    flat = _within(y, effects)
    return (flat - basis @ (basis.T @ flat)).reshape(y.shape)
