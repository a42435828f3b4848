"""Trend of a short annual series: Theil-Sen slope, Mann-Kendall test, Hamed-Rao correction, one break."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]


def theil_sen(y: Array, t: Array) -> tuple[float, float]:
    """Median of the pairwise slopes, and the median of ``y - slope t`` (Theil 1950; Sen 1968)."""
    i, j = np.triu_indices(len(y), 1)
    slope = float(np.median((y[j] - y[i]) / (t[j] - t[i])))
    return slope, float(np.median(y - slope * t))


def theil_sen_interval(y: Array, t: Array, alpha: float) -> tuple[float, float]:
    """Confidence interval of the slope from the order statistics of the pairwise slopes (Sen 1968)."""
    i, j = np.triu_indices(len(y), 1)
    slopes = np.sort((y[j] - y[i]) / (t[j] - t[i]))
    reach = ndtri(1.0 - alpha / 2.0) * np.sqrt(kendall_variance(y))
    low = int(np.round((len(slopes) - reach) / 2.0)) - 1
    high = int(np.round((len(slopes) + reach) / 2.0))
    return float(slopes[max(low, 0)]), float(slopes[min(high, len(slopes) - 1)])


def average_ranks(x: Array) -> Array:
    """Ranks from 1 along the last axis, ties sharing their mean rank.

    The same as ``scipy.stats.rankdata``, whose import alone takes longer than an analysis here.
    """
    below = (x[..., None, :] < x[..., :, None]).sum(axis=-1)
    equal = (x[..., None, :] == x[..., :, None]).sum(axis=-1)
    return below + (equal + 1.0) / 2.0


def kendall_score(y: Array) -> int:
    """``S = sum_{i<j} sign(y_j - y_i)``."""
    return int(np.sign(y[None, :] - y[:, None])[np.triu_indices(len(y), 1)].sum())


def kendall_variance(y: Array) -> float:
    """Variance of S without autocorrelation, with Kendall's (1975) correction for ties."""
    n = len(y)
    ties = np.unique(y, return_counts=True)[1].astype(float)
    return float((n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18.0)


@dataclass(frozen=True, slots=True)
class MannKendall:
    """Mann-Kendall test.

    Attributes
    ----------
    score : int
        S.
    variance : float
        Variance the statistic used, after the correction.
    factor : float
        Correction of the variance, ``n / n*`` of Hamed and Rao; 1 without correction.
    lags : tuple of int
        Lags whose autocorrelation of ranks was significant and entered the correction.
    statistic : float
        ``(S - sign(S)) / sqrt(variance)``; NaN where the corrected variance is not positive.
    pvalue : float
        Two-sided, standard normal; NaN likewise.
    tau : float
        ``S / (n (n - 1) / 2)``.
    """

    score: int
    variance: float
    factor: float
    lags: tuple[int, ...]
    statistic: float
    pvalue: float
    tau: float


def hamed_rao_factor(y: Array, t: Array, alpha: float) -> tuple[float, tuple[int, ...]]:
    """Variance correction of Hamed and Rao (1998) and the lags it used.

    Notes
    -----
    ``n/n* = 1 + 2 / (n (n-1) (n-2)) sum_i (n-i)(n-i-1)(n-i-2) r_i`` with ``r_i`` the autocorrelation of the
    ranks of the series after its Theil-Sen trend is taken out, over lags significant at ``alpha``
    (outside +- z / sqrt(n)). It can fall to zero or below in short series.
    """
    n = len(y)
    rest = y - theil_sen(y, t)[0] * (t - t[0])
    scale = max(float(np.abs(y).max()), np.finfo(float).tiny)
    ranks = average_ranks(np.round(rest / scale, 12))  # ties that only rounding errors would break stay ties
    centred = ranks - ranks.mean()
    power = float(centred @ centred)
    if power == 0.0:
        return 1.0, ()
    bound = ndtri(1.0 - alpha / 2.0) / np.sqrt(n)
    lags = np.arange(1, n)
    r = np.array([centred[k:] @ centred[:-k] for k in lags]) / power
    used = np.abs(r) > bound
    weight = (n - lags) * (n - lags - 1.0) * (n - lags - 2.0)
    factor = 1.0 + 2.0 / (n * (n - 1.0) * (n - 2.0)) * float((weight * r)[used].sum())
    return factor, tuple(int(k) for k in lags[used])


def mann_kendall(y: Array, t: Array, *, correct: bool, alpha: float) -> MannKendall:
    """Mann-Kendall test for a monotone trend, optionally with the Hamed-Rao variance."""
    n = len(y)
    score = kendall_score(y)
    factor, lags = hamed_rao_factor(y, t, alpha) if correct else (1.0, ())
    variance = kendall_variance(y) * factor
    if variance > 0.0:
        z = (score - np.sign(score)) / np.sqrt(variance)
        p = 2.0 * float(ndtr(-abs(z)))
    else:
        z, p = (0.0, 1.0) if kendall_variance(y) == 0.0 else (np.nan, np.nan)
    return MannKendall(score, variance, factor, lags, float(z), p, score / (n * (n - 1) / 2.0))


def break_designs(t: Array, kind: str, margin: int) -> tuple[NDArray[np.intp], list[Array]]:
    """Candidate break positions (first index of the second regime) and the columns each adds."""
    at = np.arange(margin, len(t) - margin + 1)
    extra = []
    for k in at:
        step = (np.arange(len(t)) >= k).astype(float)
        bend = step * (t - t[k])
        extra.append({"level": step[:, None], "slope": bend[:, None], "both": np.column_stack([step, bend])}[kind])
    return at, extra


def sup_f(y: Array, base: Array, extra: list[Array]) -> Array:
    """F statistics of adding the columns of each candidate break.

    Parameters
    ----------
    y : ndarray (n,) or (n, R)
        One series or R simulated ones.
    base : ndarray (n, k)
        Regressors without a break.
    extra : list of ndarray (n, q)

    Returns
    -------
    ndarray (candidates,) or (candidates, R)
    """
    out = []
    q0 = np.linalg.qr(base)[0]
    r0 = y - q0 @ (q0.T @ y)
    rss0 = (r0**2).sum(axis=0)
    for columns in extra:
        added = columns - q0 @ (q0.T @ columns)
        q1 = np.linalg.qr(added)[0]
        gain = ((q1.T @ r0) ** 2).sum(axis=0)
        df = len(y) - base.shape[1] - columns.shape[1]
        out.append(gain / columns.shape[1] / ((rss0 - gain) / df))
    return np.array(out)
