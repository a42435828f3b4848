"""Clusters of numbers on a line: the best partition into k, how many to choose, agreement of two partitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


def _sorted_costs(values: Array) -> Array:
    """Sum of squares around the mean of every run i..j of sorted values, shape (..., n, n)."""
    n = values.shape[-1]
    zero = np.zeros((*values.shape[:-1], 1))
    first = np.concatenate([zero, np.cumsum(values, axis=-1)], axis=-1)
    second = np.concatenate([zero, np.cumsum(values**2, axis=-1)], axis=-1)
    sums = first[..., None, 1:] - first[..., :-1, None]
    squares = second[..., None, 1:] - second[..., :-1, None]
    length = np.arange(1, n + 1)[None, :] - np.arange(n)[:, None]
    cost = squares - sums**2 / np.maximum(length, 1)
    return np.where(length > 0, np.maximum(cost, 0.0), np.inf)


def within(values: ArrayLike, k_max: int) -> tuple[Array, Array]:
    """Smallest within-cluster sum of squares for 1..k_max clusters, exactly.

    Parameters
    ----------
    values : array_like, shape (..., n)
        Sets of numbers; each is partitioned on its own.
    k_max : int

    Returns
    -------
    ndarray, shape (..., k_max)
        Sums of squares.
    ndarray, shape (..., k_max, n)
        For each k, and each sorted position taken as the last one, where its last cluster begins.

    Notes
    -----
    On a line clusters are intervals, so dynamic programming finds the optimum (Fisher 1958, Journal of the American
    Statistical Association 53; Wang and Song 2011, The R Journal 3): no starting values, no local optimum.

    Examples
    --------
    >>> within([1.0, 2.0, 9.0, 10.0], 3)[0].tolist()
    [65.0, 1.0, 0.5]
    """
    x = np.sort(np.asarray(values, dtype=np.float64), axis=-1)
    x = x - x.mean(axis=-1, keepdims=True)
    n = x.shape[-1]
    if not 1 <= k_max <= n:
        raise ValueError(f"k_max={k_max} must lie between 1 and the {n} values")
    cost = _sorted_costs(x)
    best = cost[..., 0, :]
    totals, starts = [best[..., -1]], [np.zeros(x.shape, dtype=np.intp)]
    for _ in range(1, k_max):
        before = np.concatenate([np.full((*x.shape[:-1], 1), np.inf), best[..., :-1]], axis=-1)
        table = before[..., :, None] + cost
        starts.append(table.argmin(axis=-2))
        best = table.min(axis=-2)
        totals.append(best[..., -1])
    return np.stack(totals, axis=-1), np.stack(starts, axis=-2)


def classes(values: ArrayLike, k: int) -> Codes:
    """Best partition of numbers into k clusters, coded 0 (lowest mean) to k - 1.

    Examples
    --------
    >>> classes([9.0, 1.0, 2.0, 10.0], 2).tolist()
    [1, 0, 0, 1]
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not 1 <= k <= len(np.unique(x)):
        raise ValueError(f"k={k} clusters need one list with at least {k} different values, given shape {x.shape}")
    _, starts = within(x, k)
    codes = np.empty(len(x), dtype=np.intp)
    end = len(x) - 1
    for code in range(k - 1, -1, -1):
        begin = int(starts[code, end])
        codes[begin : end + 1] = code
        end = begin - 1
    out = np.empty(len(x), dtype=np.intp)
    out[np.argsort(x, kind="stable")] = codes
    return out


def silhouette(values: ArrayLike, codes: ArrayLike) -> float:
    """Mean silhouette width of a partition; a unit alone in its cluster has width zero.

    Notes
    -----
    ``(b - a) / max(a, b)``: a the mean distance to the own cluster, b to the nearest other one (Rousseeuw 1987).

    Examples
    --------
    >>> round(silhouette([1.0, 2.0, 9.0, 10.0], [0, 0, 1, 1]), 4)
    0.8745
    """
    x, c = np.asarray(values, dtype=np.float64), np.asarray(codes)
    labels, own = np.unique(c, return_inverse=True)
    if len(labels) < 2:
        raise ValueError("a silhouette needs at least two clusters")
    member = (own[:, None] == np.arange(len(labels))).astype(np.float64)
    sums = np.abs(x[:, None] - x[None, :]) @ member
    size = member.sum(axis=0)
    here = np.arange(len(x)), own
    a = sums[here] / np.maximum(size[own] - 1.0, 1.0)
    means = sums / size
    means[here] = np.inf
    b = means.min(axis=1)
    width = np.where(size[own] > 1, (b - a) / np.maximum(np.maximum(a, b), np.finfo(float).tiny), 0.0)
    return float(width.mean())


@dataclass(frozen=True, slots=True)
class Choice:
    """How many clusters two published criteria choose.

    Attributes
    ----------
    silhouette : int
        The k of 2..k_max with the largest mean silhouette width.
    gap : int
        The smallest k with ``Gap(k) >= Gap(k + 1) - s(k + 1)``; one cluster is possible; k_max if there is none.
    widths : ndarray, shape (k_max - 1,)
        Silhouette widths of 2..k_max.
    gaps, errors : ndarray, shape (k_max,)
    """

    silhouette: int
    gap: int
    widths: Array
    gaps: Array
    errors: Array

    @property
    def one_cluster(self) -> bool:
        """Whether the gap statistic sees no more than one cluster."""
        return self.gap == 1


def choose_k(values: ArrayLike, k_max: int, references: int, seed: int | None) -> Choice:
    """Choose the number of clusters by the silhouette and by the gap statistic.

    Parameters
    ----------
    values : array_like, shape (n,)
        Not all equal, at least k_max different ones.
    k_max : int
    references : int
        Uniform reference sets of the gap statistic.
    seed : int or None

    Returns
    -------
    Choice

    Notes
    -----
    Silhouette: Rousseeuw (1987), Journal of Computational and Applied Mathematics 20; it cannot say "one cluster". Gap:
    Tibshirani, Walther and Hastie (2001), JRSS B 63, section 3: ``Gap(k) = mean ln W* - ln W`` against sets uniform
    over the range, ``s(k) = sd sqrt(1 + 1/B)``, smallest k within one s of the next.

    Examples
    --------
    >>> x = np.concatenate([np.linspace(0, 1, 15), np.linspace(9, 10, 15)])
    >>> c = choose_k(x, 5, 200, 0)
    >>> c.silhouette, c.gap
    (2, 2)
    """
    x = np.asarray(values, dtype=np.float64)
    if k_max < 2 or len(np.unique(x)) <= k_max:
        raise ValueError(f"k_max={k_max} needs more than {k_max} different values, given {len(np.unique(x))}")
    widths = np.array([silhouette(x, classes(x, k)) for k in range(2, k_max + 1)])
    rng = np.random.default_rng(seed)
    sets = rng.uniform(x.min(), x.max(), (references, len(x)))
    logs = np.log(within(sets, k_max)[0])
    gaps = logs.mean(axis=0) - np.log(within(x, k_max)[0])
    errors = logs.std(axis=0) * np.sqrt(1.0 + 1.0 / references)
    enough = np.flatnonzero(gaps[:-1] >= gaps[1:] - errors[1:])
    gap = int(enough[0]) + 1 if len(enough) else k_max
    return Choice(int(widths.argmax()) + 2, gap, widths, gaps, errors)


def adjusted_rand(a: ArrayLike, b: ArrayLike) -> float:
    """Adjusted Rand index of two partitions: one if they are the same, zero on average for random ones.

    Notes
    -----
    Hubert and Arabie (1985), Journal of Classification 2, equation 5.

    Examples
    --------
    >>> adjusted_rand([0, 0, 1, 1], ["x", "x", "y", "y"])
    1.0
    """
    from scipy.special import comb

    _, first = np.unique(np.asarray(a), return_inverse=True)
    _, second = np.unique(np.asarray(b), return_inverse=True)
    if first.shape != second.shape:
        raise ValueError(f"two partitions of the same units are needed, given {first.shape} and {second.shape}")
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1.0)
    both = comb(table, 2).sum()
    rows, columns, pairs = comb(table.sum(axis=1), 2).sum(), comb(table.sum(axis=0), 2).sum(), comb(len(first), 2)
    expected, most = rows * columns / pairs, (rows + columns) / 2.0
    return 1.0 if most == expected else float((both - expected) / (most - expected))
