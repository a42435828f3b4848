"""Randomisation inference over labels: draws of who is treated, differences of means, the interval behind them.

Sharp null hypothesis: the values would be the same whoever carried the label. Its p-values are exact when all
arrangements are enumerated (Fisher 1935; Imbens and Rubin 2015, ch. 5) and valid at any number of random ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: relative slack of comparisons of a draw with the observed value: rounding must not break ties
_SLACK = 1e-12


@dataclass(frozen=True, slots=True)
class LabelSets:
    """Arrangements of a label over units.

    Attributes
    ----------
    rows : ndarray, shape (R, n)
        One where the unit carries the label, zero elsewhere.
    exact : bool
        Whether they are all the arrangements there are (the observed one is among them).
    """

    rows: Array
    exact: bool


def label_sets(n: int, m: int, draws: int, seed: int | None) -> LabelSets:
    """Return all choices of m of n units if there are at most `draws`, else `draws` random ones.

    Parameters
    ----------
    n, m : int
        Units, and how many of them carry the label (0 < m < n).
    draws : int
    seed : int or None

    Returns
    -------
    LabelSets

    Examples
    --------
    >>> label_sets(4, 2, 100, None).rows.shape, label_sets(30, 6, 100, 1).exact
    ((6, 4), False)
    """
    if not 0 < m < n:
        raise ValueError(f"a label needs units with and without it; {m} of {n} units carry it")
    total = comb(n, m)
    if total <= draws:
        chosen = np.fromiter(chain.from_iterable(combinations(range(n), m)), dtype=np.intp, count=total * m)
        rows = np.zeros((total, n))
        np.put_along_axis(rows, chosen.reshape(total, m), 1.0, axis=1)
        return LabelSets(rows, True)
    base = (np.arange(n) < m).astype(np.float64)
    return LabelSets(np.random.default_rng(seed).permuted(np.broadcast_to(base, (draws, n)), axis=1), False)


def mean_difference(values: Array, rows: Array) -> Array:
    """Difference of means between units with and without the label.

    Parameters
    ----------
    values : ndarray, shape (n,) or (n, p)
    rows : ndarray, shape (R, n)
        Indicators.

    Returns
    -------
    ndarray, shape (R,) or (R, p)

    Examples
    --------
    >>> mean_difference(np.array([1.0, 2.0, 6.0]), np.array([[0.0, 0.0, 1.0]])).tolist()
    [4.5]
    """
    m = rows.sum(axis=1)
    n = rows.shape[1]
    inside = rows @ values
    total = values.sum(axis=0)
    if values.ndim == 2:
        m = m[:, None]
    return inside / m - (total - inside) / (n - m)


def tail(draws: Array, observed: float, exact: bool) -> float:
    """Share of draws at least as large as the observed value, which counts itself where draws are random.

    Examples
    --------
    >>> tail(np.array([1.0, 2.0, 3.0]), 3.0, exact=True), tail(np.array([1.0, 2.0, 3.0]), 9.0, exact=False)
    (0.3333333333333333, 0.25)
    """
    count = float((draws >= observed - _SLACK * max(1.0, abs(observed))).sum())
    return count / len(draws) if exact else (1.0 + count) / (1.0 + len(draws))


@dataclass(frozen=True, slots=True)
class DifferenceTest:
    """A difference of means under random labels.

    Attributes
    ----------
    estimate : float
    pvalue : float
        Two-sided: twice the smaller tail, at most one.
    sd : float
        Standard deviation of the difference over the arrangements once the estimate is taken off the treated: what
        stands in for a standard error.
    lower, upper : float
        Values of a constant effect that the two-sided test does not reject at 1 - level; infinite where the
        arrangements are too few to exclude anything.
    arrangements : int
    exact : bool
    """

    estimate: float
    pvalue: float
    sd: float
    lower: float
    upper: float
    arrangements: int
    exact: bool


def difference_test(
    values: Array, treated: NDArray[np.bool_], draws: int, seed: int | None, level: float
) -> DifferenceTest:
    """Test and bound a difference of means by permuting the label.

    Parameters
    ----------
    values : ndarray, shape (n,)
    treated : ndarray of bool, shape (n,)
    draws : int
        All arrangements are enumerated where there are no more.
    seed : int or None
    level : float
        Of the interval.

    Returns
    -------
    DifferenceTest

    Notes
    -----
    The interval inverts the test: a constant effect c is kept where the values, less c for the treated, give a p-value
    of at least 1 - level. Under arrangement S their difference is ``d(S) - c a(S)``, with a(S) that of the treatment
    indicator, against ``d - c`` under the observed one. S is in the upper tail if ``c >= r(S)`` and in the lower one if
    ``c <= r(S)``, with ``r(S) = (d - d(S)) / (1 - a(S))``: the bounds are order statistics of r, without any grid.

    Examples
    --------
    >>> x = np.array([5.0, 6.0, 7.0, 1.0, 2.0, 3.0])
    >>> t = difference_test(x, np.arange(6) < 3, 100, None, 0.9)
    >>> t.estimate, t.pvalue, t.exact
    (4.0, 0.1, True)
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level={level} must lie between 0 and 1, e.g. 0.9")
    sets = label_sets(len(values), int(treated.sum()), draws, seed)
    own = treated.astype(np.float64)
    estimate = float(mean_difference(values, own[None])[0])
    random = mean_difference(values, sets.rows)
    up, down = tail(random, estimate, sets.exact), tail(-random, -estimate, sets.exact)
    overlap = mean_difference(own, sets.rows)
    lower, upper = _inverted(random, overlap, estimate, 1.0 - level, sets.exact)
    sd = float(np.sqrt(np.mean((random - estimate * overlap) ** 2)))
    return DifferenceTest(estimate, min(1.0, 2.0 * min(up, down)), sd, lower, upper, len(random), sets.exact)


def _inverted(random: Array, overlap: Array, estimate: float, alpha: float, exact: bool) -> tuple[float, float]:
    """Bounds of the constant effects that are not rejected: order statistics of the crossing points."""
    other = overlap < 1.0 - _SLACK
    crossing = np.sort((estimate - random[other]) / (1.0 - overlap[other]))
    same = int((~other).sum()) + (0 if exact else 1)
    total = len(random) + (0 if exact else 1)
    # a tail of c holds the draws that are the observed arrangement and those whose crossing lies on its side of c
    needed = int(np.ceil(alpha / 2.0 * total - same - 1e-9))
    if needed <= 0:
        return -np.inf, np.inf
    return float(crossing[needed - 1]), float(crossing[len(crossing) - needed])


@dataclass(frozen=True, slots=True)
class JointTest:
    """Several differences of means at once under random labels.

    Attributes
    ----------
    differences : ndarray, shape (p,)
    statistic : float
        Hotelling's T squared.
    pvalue : float
        Share of arrangements with a statistic at least as large.
    f_pvalue : float
        Of the F distribution the statistic has under normality.
    """

    differences: Array
    statistic: float
    pvalue: float
    f_pvalue: float


def joint_test(values: Array, treated: NDArray[np.bool_], draws: int, seed: int | None) -> JointTest:
    """Test that p differences of means are all zero, whatever the correlation of the p columns.

    Parameters
    ----------
    values : ndarray, shape (n, p)
        n > p + 2.
    treated : ndarray of bool, shape (n,)
    draws : int
    seed : int or None

    Returns
    -------
    JointTest

    Raises
    ------
    ValueError
        If there are too few units, or the columns are linearly dependent.

    Notes
    -----
    ``T2 = m (n - m) / n d' S^-1 d`` with the pooled covariance S within the two groups (Hotelling 1931); it is a
    monotone function of the same form in the covariance around the common mean, which no arrangement changes, so that
    one factorisation serves all of them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> joint_test(rng.standard_normal((20, 3)), np.arange(20) < 8, 999, 0).pvalue > 0.05
    True
    """
    from scipy import stats

    n, p = values.shape
    if n <= p + 2:
        raise ValueError(f"a joint test of {p} differences needs more than {p + 2} units, given {n}")
    centred = values - values.mean(axis=0)
    root, triangle = np.linalg.qr(centred)
    size = np.abs(np.diag(triangle))
    if size.min() <= 1e-10 * size.max():
        raise ValueError(f"the {p} columns of a joint test are linearly dependent")
    sets = label_sets(n, int(treated.sum()), draws, seed)
    own = treated.astype(np.float64)[None]
    m = float(own.sum())
    # root has orthonormal columns: the quadratic form in the total scatter is a plain sum of squares, at most one
    share = m * (n - m) / n * (mean_difference(root, own)[0] ** 2).sum()
    random = m * (n - m) / n * (mean_difference(root, sets.rows) ** 2).sum(axis=1)
    statistic = (n - 2) * share / (1.0 - share)
    f = statistic * (n - p - 1) / (p * (n - 2))
    differences = mean_difference(values, own)[0]
    return JointTest(
        differences, float(statistic), tail(random, float(share), sets.exact), float(stats.f.sf(f, p, n - p - 1))
    )


@dataclass(frozen=True, slots=True)
class RankCorrelation:
    """Spearman's coefficient with its permutation p-value (two-sided, by absolute value)."""

    rho: float
    pvalue: float
    n: int


def spearman(x: Array, y: Array, draws: int, seed: int | None) -> RankCorrelation:
    """Spearman's rank correlation, tested by permuting one of the two series.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    draws : int
    seed : int or None

    Returns
    -------
    RankCorrelation

    Examples
    --------
    >>> spearman(np.arange(6.0), np.arange(6.0) ** 2, 999, 1).rho
    1.0
    """
    from scipy.stats import rankdata

    if len(x) != len(y) or len(x) < 4:
        raise ValueError(
            f"a rank correlation needs two series of equal length of at least 4, given {len(x)} and {len(y)}"
        )
    a, b = (rankdata(v) - (len(v) + 1) / 2.0 for v in (x, y))
    scale = float(np.sqrt((a @ a) * (b @ b)))
    if scale == 0.0:
        raise ValueError("a series without variation has no rank correlation")
    rho = float(a @ b) / scale
    shuffled = np.random.default_rng(seed).permuted(np.broadcast_to(b, (draws, len(b))), axis=1)
    random = np.abs(shuffled @ a) / scale
    return RankCorrelation(rho, tail(random, abs(rho), exact=False), len(x))
