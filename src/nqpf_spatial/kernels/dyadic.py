"""Covariances for observations on pairs of units: any two that share a unit may be dependent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def dyadic_meat(scores: NDArray, first: NDArray, second: NDArray) -> NDArray:
    """Sum of products of the scores of all observations that share a unit (Aronow, Samii and Assenova 2015, eq. 7).

    Parameters
    ----------
    scores : (n, k) ndarray
        Score of every observation.
    first, second : (n,) ndarray of int
        The two units of every observation, in any order; repeated pairs (periods, both directions) share both.

    Returns
    -------
    (k, k) ndarray

    Notes
    -----
    Sums over units count pairs of observations that share both units twice; their sum over pairs of units is taken off again:
    ``sum_u S_u S_u' - sum_pairs S_p S_p'``. Political Analysis 23, 564-577; Cameron and Miller (2014) for regressions.
    """
    first, second = np.asarray(first), np.asarray(second)
    if (first == second).any():
        raise ValueError("an observation on a pair has two different units")
    units = np.unique(np.concatenate([first, second]))
    at_first, at_second = np.searchsorted(units, first), np.searchsorted(units, second)
    by_unit = np.zeros((units.size, scores.shape[1]))
    np.add.at(by_unit, at_first, scores)
    np.add.at(by_unit, at_second, scores)
    low, high = np.minimum(at_first, at_second), np.maximum(at_first, at_second)
    _, code = np.unique(low * units.size + high, return_inverse=True)
    by_pair = np.zeros((code.max() + 1, scores.shape[1]))
    np.add.at(by_pair, code, scores)
    return by_unit.T @ by_unit - by_pair.T @ by_pair
