"""Phillips and Sul's log t test, club clustering and merging, on a units-by-time array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Setup:
    """Choices of the log t regression.

    Attributes
    ----------
    start : int
        First period of the regression, counted from 1.
    textbook : bool
        Long-run variance from all residuals over their number (Andrews 1991); else as in the authors' code.
    critical : float
        One-sided critical value, -1.65.
    """

    start: int
    textbook: bool = False
    critical: float = -1.65


@dataclass(frozen=True, slots=True)
class LogT:
    """log t regression: slope (twice the speed of convergence), its standard error, t, one-sided p."""

    beta: float
    se: float
    tstat: float
    pvalue: float
    intercept: float


def relative_paths(y: Array) -> Array:
    """``h_it = y_it / mean_i y_it`` (Phillips and Sul 2007), ``(N, T)``."""
    return y / y.mean(axis=0)


def variances(y: Array, sets: Sequence[NDArray[np.intp]]) -> Array:
    """``H_t = mean_i (h_it - 1)^2`` inside each set of units, ``(sets, T)``."""
    centre = y.mean(axis=0)
    d = y - centre
    out = np.empty((len(sets), y.shape[1]))
    for k, members in enumerate(sets):
        part = d[members]
        own = part.mean(axis=0)
        out[k] = ((part - own) ** 2).mean(axis=0) / (centre + own) ** 2
    return out


def _quadratic_spectral(x: Array) -> Array:
    """Quadratic spectral kernel with its limits 1 at 0 and 0 at infinity."""
    z = 1.2 * np.pi * x
    near = z < 1e-3
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 3.0 / z**2 * (np.sin(z) / z - np.cos(z))
    return np.where(near, 1.0 - z**2 / 10.0, np.where(np.isfinite(z), value, 0.0))


def long_run_variance(u: Array, textbook: bool) -> Array:
    """Long-run variance of residuals, quadratic spectral kernel, AR(1) plug-in bandwidth.

    Parameters
    ----------
    u : ndarray (..., m)
        Residuals.
    textbook : bool
        False: the arithmetic of the authors' GAUSS program, which R's ConvergenceClubs and Stata's logtreg
        follow: autocovariances of the first m - 1 residuals over m - 1, the variance of all m over m - 1.
        True: all m residuals over m.

    Notes
    -----
    Andrews (1991): bandwidth ``1.3221 (a m)^(1/5)``, ``a = 4 b^2 / (1 - b)^4``, b the AR(1) coefficient.
    """
    m = u.shape[-1]
    first, second = u[..., :-1], u[..., 1:]
    power = (first**2).sum(axis=-1)
    b = np.divide((first * second).sum(axis=-1), power, out=np.zeros_like(power), where=power > 0)
    with np.errstate(divide="ignore"):
        width = 1.3221 * (4.0 * b**2 / (1.0 - b) ** 4 * m) ** 0.2
        lags = np.arange(1, m)
        weight = _quadratic_spectral(lags / width[..., None])
    n = m if textbook else m - 1
    v = u[..., :n]
    products = np.stack([(v[..., : n - k] * v[..., k:]).sum(axis=-1) for k in range(1, n)], axis=-1)
    return ((u**2).sum(axis=-1) + 2.0 * (weight[..., : n - 1] * products).sum(axis=-1)) / n


def log_t_many(h: Array, setup: Setup) -> tuple[Array, Array, Array, Array]:
    """log t regressions for several variance paths at once.

    Parameters
    ----------
    h : ndarray (S, T)
        ``H_t`` of each set of units.

    Returns
    -------
    beta, se, tstat, intercept : ndarray (S,)
        NaN where some ``H_t`` is zero (identical units) or the long-run variance is not positive.

    Notes
    -----
    Phillips and Sul (2007, 2009): regress ``log(H_1/H_t) - 2 log(log t)`` on a constant and ``log t`` for
    ``t = start .. T``; ``se^2`` is the long-run variance times the diagonal of ``(X'X)^-1``.
    """
    t = np.arange(setup.start, h.shape[1] + 1, dtype=float)
    log_t = np.log(t)
    usable: NDArray[np.bool_] = np.min(h, axis=1) > 0.0
    safe = np.where(usable[:, None], h, 1.0)
    left = np.log(safe[:, :1] / safe[:, setup.start - 1 :]) - 2.0 * np.log(log_t)
    x = log_t - log_t.mean()
    sxx = float(x @ x)
    beta = left @ x / sxx
    intercept = left.mean(axis=1) - beta * log_t.mean()
    u = left - intercept[:, None] - beta[:, None] * log_t
    variance = long_run_variance(u, setup.textbook) / sxx
    good = usable & (variance > 0)
    se = np.sqrt(np.where(good, variance, np.nan))
    return np.where(usable, beta, np.nan), se, np.where(usable, beta, np.nan) / se, intercept


def log_t(y: Array, setup: Setup, members: NDArray[np.intp] | None = None) -> LogT:
    """log t test of a set of units of ``y (N, T)``."""
    who = np.arange(len(y)) if members is None else members
    beta, se, t, a = (float(v[0]) for v in log_t_many(variances(y, [who]), setup))
    return LogT(beta, se, t, float(ndtr(t)), a)


def _tstats(y: Array, sets: Sequence[NDArray[np.intp]], setup: Setup) -> Array:
    return log_t_many(variances(y, sets), setup)[2]


def core_group(y: Array, order: NDArray[np.intp], setup: Setup) -> NDArray[np.intp] | None:
    """Step 2: the leading units, in the given order, with the largest t among those that converge."""
    n = len(order)
    for first in range(n - 1):
        best, best_t = None, -np.inf
        for last in range(first + 2, n + 1):
            t = float(_tstats(y, [order[first:last]], setup)[0])
            if not t > setup.critical:
                break
            if t > best_t:
                best, best_t = order[first:last], t
        if best is not None:
            return best
    return None


def sieve(
    y: Array, core: NDArray[np.intp], rest: NDArray[np.intp], setup: Setup, method: str, c: float, step: float
) -> NDArray[np.intp]:
    """Step 3: add units to the core.

    ``"raise"``: all units with ``t(core + unit) > c``; while the club fails its own test, raise ``c`` by
    ``step`` (Phillips and Sul 2007). ``"fixed"``: the same without raising. ``"one_by_one"``: if the club
    fails, add its candidates singly, best first, while it passes (Schnurbus, Haupt and Meier 2016).
    """
    if not len(rest):
        return core
    single = _tstats(y, [np.append(core, u) for u in rest], setup)
    single = np.where(np.isnan(single), -np.inf, single)

    def passes(members: NDArray[np.intp]) -> bool:
        return bool(_tstats(y, [members], setup)[0] > setup.critical)

    club = np.concatenate([core, rest[single > c]])
    if method == "fixed" or passes(club):
        return club
    if method == "one_by_one":
        return _grow(y, core, rest[single > c], setup)
    while len(club) > len(core):
        c += step
        club = np.concatenate([core, rest[single > c]])
        if passes(club):
            break
    return club


def _grow(y: Array, core: NDArray[np.intp], candidates: NDArray[np.intp], setup: Setup) -> NDArray[np.intp]:
    club, left = core, candidates
    while len(left):
        t = _tstats(y, [np.append(club, u) for u in left], setup)
        best = int(np.argmax(np.where(np.isnan(t), -np.inf, t)))
        if not t[best] > setup.critical:
            break
        club, left = np.append(club, left[best]), np.delete(left, best)
    return club


def find_clubs(
    y: Array, key: Array, setup: Setup, method: str, c: float, step: float
) -> tuple[list[NDArray[np.intp]], NDArray[np.intp]]:
    """Clustering of Phillips and Sul (2007, section 4; 2009).

    Parameters
    ----------
    y : ndarray (N, T)
    key : ndarray (N,)
        Units are ordered by it, highest first (step 1).
    setup : Setup
    method : {"raise", "fixed", "one_by_one"}
        See :func:`sieve`.
    c, step : float
        Sieve criterion and its increment.

    Returns
    -------
    clubs : list of ndarray of int
        Positions of the members, highest club first.
    divergent : ndarray of int
        Units in no club.
    """
    left = np.argsort(-key, kind="stable")
    clubs: list[NDArray[np.intp]] = []
    while len(left) > 1:
        if _tstats(y, [left], setup)[0] > setup.critical:
            return [*clubs, np.sort(left)], left[:0]
        core = core_group(y, left, setup)
        if core is None:
            break
        rest = left[~np.isin(left, core)]
        club = sieve(y, core, rest, setup, method, c, step)
        clubs.append(np.sort(club))
        left = left[~np.isin(left, club)]
    return clubs, np.sort(left)


def merge_in_turn(y: Array, clubs: list[NDArray[np.intp]], setup: Setup) -> list[list[int]]:
    """Phillips and Sul (2009): absorb the next club while the union passes, else start from that club."""
    merged: list[list[int]] = [[0]]
    for k in range(1, len(clubs)):
        union = np.concatenate([clubs[i] for i in [*merged[-1], k]])
        if _tstats(y, [union], setup)[0] > setup.critical:
            merged[-1].append(k)
        else:
            merged.append([k])
    return merged


def merge_best(y: Array, clubs: list[NDArray[np.intp]], setup: Setup) -> list[list[int]]:
    """von Lyncker and Thoennessen (2017): merge the first pair that passes and beats the next; restart."""
    merged = [[k] for k in range(len(clubs))]
    while len(merged) > 1:
        unions = [np.concatenate([clubs[i] for i in a + b]) for a, b in pairwise(merged)]
        t = _tstats(y, unions, setup)
        after = np.append(t[1:], -np.inf)
        hits = np.flatnonzero((t > setup.critical) & (t > after))
        if not len(hits):
            break
        k = int(hits[0])
        merged[k : k + 2] = [merged[k] + merged[k + 1]]
    return merged


def absorb(
    y: Array, clubs: list[NDArray[np.intp]], divergent: NDArray[np.intp], setup: Setup
) -> tuple[list[NDArray[np.intp]], NDArray[np.intp]]:
    """von Lyncker and Thoennessen (2017): divergent units join clubs, best match first, while one passes."""
    clubs, left = list(clubs), divergent
    while len(left) and clubs:
        pairs = [(k, u) for k in range(len(clubs)) for u in left]
        t = _tstats(y, [np.append(clubs[k], u) for k, u in pairs], setup)
        best = int(np.argmax(np.where(np.isnan(t), -np.inf, t)))
        if not t[best] > setup.critical:
            break
        k, unit = pairs[best]
        clubs[k] = np.sort(np.append(clubs[k], unit))
        left = left[left != unit]
    return clubs, left
