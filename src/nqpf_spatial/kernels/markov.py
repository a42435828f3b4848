"""Markov chains of classes: counts, transition probabilities, long run, mobility."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


def classify(values: Array, cutoffs: Array) -> Codes:
    """Class of each value: class k holds ``cutoff[k-1] < value <= cutoff[k]``."""
    return np.searchsorted(cutoffs, values, side="left").astype(np.intp)


def quantile_cutoffs(values: Array, k: int) -> Array:
    """The ``k - 1`` inner quantiles of all values, linear between order statistics."""
    return np.quantile(values, np.arange(1, k) / k)


def transition_counts(origin: Codes, destination: Codes, k: int) -> Array:
    """``(k, k)`` counts of moves; the arguments are flat arrays of class codes."""
    return np.bincount(origin * k + destination, minlength=k * k).reshape(k, k).astype(float)


def probabilities(counts: Array) -> Array:
    """Maximum likelihood transition probabilities; a class nobody leaves from or stays in gets NaN."""
    rows = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, rows, out=np.full_like(counts, np.nan), where=rows > 0)


@dataclass(frozen=True, slots=True)
class LongRun:
    """Recurrent classes of a chain and the stationary distribution on each.

    Attributes
    ----------
    recurrent : tuple of tuple of int
        Sets of classes that are never left.
    stationary : ndarray (len(recurrent), k)
        One distribution per recurrent set; a unique ergodic distribution has one row.
    """

    recurrent: tuple[tuple[int, ...], ...]
    stationary: Array


def long_run(p: Array) -> LongRun:
    """Stationary distributions of a transition matrix ``(k, k)``."""
    k = len(p)
    reach = (p > 0) | np.eye(k, dtype=bool)
    for _ in range(k):
        reach = reach | ((reach.astype(int) @ reach.astype(int)) > 0)
    sets, rows = [], []
    for i in range(k):
        inside = np.flatnonzero(reach[i] & reach[:, i])
        if inside[0] != i or not (reach[i] == (reach[i] & reach[:, i])).all():
            continue  # not the first of its set, or the set can be left
        block = p[np.ix_(inside, inside)]
        system = np.vstack([(np.eye(len(inside)) - block.T)[:-1], np.ones(len(inside))])
        target = np.zeros(len(inside))
        target[-1] = 1.0
        row = np.zeros(k)
        row[inside] = np.linalg.solve(system, target)
        sets.append(tuple(int(i) for i in inside))
        rows.append(row)
    order = sorted(range(len(sets)), key=lambda i: sets[i])
    return LongRun(tuple(sets[i] for i in order), np.array([rows[i] for i in order]))


def shorrocks(p: Array) -> float:
    """Trace index ``(k - tr P) / (k - 1)`` of Shorrocks (1978): 0 nobody moves, 1 the origin is forgotten."""
    k = len(p)
    return float((k - np.trace(p)) / (k - 1))
