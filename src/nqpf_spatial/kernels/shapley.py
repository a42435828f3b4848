"""Shapley shares of the R2 of a regression: what each group of regressors adds, averaged over all orders of entry."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray

#: the number of regressions doubles with every group
_MOST = 16


def r_squared(y: NDArray, x: NDArray) -> float:
    """R2 of a least-squares regression of y (n,) on a constant and x (n, k)."""
    centred = y - y.mean()
    if not x.shape[1]:
        return 0.0
    columns = x - x.mean(axis=0)
    beta, *_ = np.linalg.lstsq(columns, centred, rcond=None)
    rest = centred - columns @ beta
    return float(1.0 - rest @ rest / (centred @ centred))


def shapley_r2(y: NDArray, groups: Sequence[NDArray]) -> NDArray:
    """Split the R2 of the full regression over groups of regressors (Shorrocks 2013, Journal of Economic Inequality 11, 99-126).

    Parameters
    ----------
    y : (n,) ndarray
    groups : sequence of (n, k_g) ndarray
        Columns of each group; a group enters or leaves as a whole (Owen value).

    Returns
    -------
    (G,) ndarray
        Shares that add up to the R2 of all groups together.

    Examples
    --------
    >>> x = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([[0.0], [1.0], [0.0], [1.0]])
    >>> shapley_r2(2 * x[0][:, 0] + x[1][:, 0], x).round(2).tolist()
    [0.8, 0.2]
    """
    g = len(groups)
    if not 1 <= g <= _MOST:
        raise ValueError(f"{g} groups: between 1 and {_MOST} can be split, the number of regressions is 2 ** groups")
    value: dict[frozenset[int], float] = {}
    for size in range(g + 1):
        for chosen in combinations(range(g), size):
            x = np.column_stack([groups[c] for c in chosen]) if chosen else np.empty((y.size, 0))
            value[frozenset(chosen)] = r_squared(y, x)
    weight = [factorial(s) * factorial(g - s - 1) / factorial(g) for s in range(g)]
    return np.array([sum(weight[len(s)] * (value[s | {i}] - value[s]) for s in value if i not in s) for i in range(g)])
