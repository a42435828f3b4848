"""Permutation inference for Moran's I, global and local, in one pass over all permutations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

Array = NDArray[np.float64]

_CELLS = 4_000_000
"""Largest number of permuted values held at once."""


def permuted_moran(z: ArrayLike, w: csr_array, permutations: int, seed: int) -> Array:
    """Moran's I of randomly permuted values.

    Parameters
    ----------
    z : array_like, shape (T, n)
        Values, one row per period. Every row sees the same permutations of the units.
    w : csr_array, shape (n, n)
        Weights as they are.
    permutations : int
    seed : int

    Returns
    -------
    ndarray, shape (permutations, T)

    Notes
    -----
    ``I = n / S0 * z'Wz / z'z`` with z centred (Moran 1950; Cliff and Ord 1981, ch. 2.4).

    Examples
    --------
    >>> w = csr_array(np.ones((4, 4)) - np.eye(4))
    >>> permuted_moran([[1.0, 2.0, 3.0, 5.0]], w, 2, 0).round(12).tolist()
    [[-0.333333333333], [-0.333333333333]]
    """
    centred = np.atleast_2d(np.asarray(z, dtype=np.float64))
    centred = centred - centred.mean(axis=1, keepdims=True)
    n = centred.shape[1]
    scale = n / w.sum() / (centred**2).sum(axis=1)
    out = np.empty((permutations, len(centred)))
    for rows, order in _orders(n, permutations, seed):
        for t, values in enumerate(centred):
            mixed = values[order]
            out[rows, t] = scale[t] * (mixed * (w @ mixed.T).T).sum(axis=1)
    return out


@dataclass(frozen=True, slots=True)
class LocalReference:
    """Reference distribution of local statistics under conditional permutation.

    Attributes
    ----------
    at_least, at_most : ndarray of int, shape (n,)
        Permutations whose statistic is at least, at most the observed one.
    mean, sd : ndarray, shape (n,)
        Of the permuted statistics.
    """

    at_least: NDArray[np.int64]
    at_most: NDArray[np.int64]
    mean: Array
    sd: Array


def local_reference(z: ArrayLike, w: csr_array, permutations: int, seed: int) -> LocalReference:
    """Conditional permutations of the local Moran statistic.

    Parameters
    ----------
    z : array_like, shape (n,)
        Values.
    w : csr_array, shape (n, n)
        Weights as they are; zero diagonal.
    permutations : int
        The value of unit i stays, those of the others are permuted over its neighbours.
    seed : int

    Returns
    -------
    LocalReference

    Notes
    -----
    ``I_i = (n - 1) z_i sum_j w_ij z_j / sum_k z_k^2`` (Anselin 1995, Geographical Analysis 27, eqs 7 and 13
    with the scaling of PySAL). All units share the same random orders of their n - 1 others, as in PySAL's
    esda; written here in numpy because esda's compiled version takes half a minute for the first call.

    Examples
    --------
    A unit at the mean has a local statistic of zero whatever its neighbours are:

    >>> w = csr_array(np.array([[0.0, 1, 0], [0.5, 0, 0.5], [0, 1, 0]]))
    >>> local_reference([1.0, 2.0, 3.0], w, 99, 0).at_least.tolist()
    [48, 99, 51]
    """
    values = np.asarray(z, dtype=np.float64)
    values = values - values.mean()
    n = len(values)
    factor = (n - 1) * values / (values**2).sum()
    observed = factor * (w @ values)
    counts = np.zeros((2, n), dtype=np.int64)
    sums = np.zeros((2, n))
    slack = 1e-12 * (np.abs(observed) + np.abs(factor).max() * np.abs(values).max())
    for _, order in _orders(n - 1, permutations, seed):
        for i in range(n):
            row = slice(w.indptr[i], w.indptr[i + 1])
            others = np.delete(values, i)
            drawn = factor[i] * (others[order[:, : row.stop - row.start]] @ w.data[row])
            counts[0, i] += int((drawn >= observed[i] - slack[i]).sum())
            counts[1, i] += int((drawn <= observed[i] + slack[i]).sum())
            sums[:, i] += drawn.sum(), (drawn**2).sum()
    mean = sums[0] / permutations
    return LocalReference(counts[0], counts[1], mean, np.sqrt(np.maximum(sums[1] / permutations - mean**2, 0.0)))


def _orders(n: int, permutations: int, seed: int) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    """Random orders of n things in portions; the portions do not change the draws."""
    rng = np.random.default_rng(seed)
    size = max(1, _CELLS // n)
    for first in range(0, permutations, size):
        last = min(first + size, permutations)
        yield slice(first, last), np.argsort(rng.random((last - first, n)), axis=1)


def pseudo_p(at_least: ArrayLike, at_most: ArrayLike, permutations: int, alternative: str = "two-sided") -> Array:
    """Pseudo p-values from permutation counts.

    Parameters
    ----------
    at_least, at_most : array_like of int
        Permutations at least, at most as large as what was observed.
    permutations : int
    alternative : {"two-sided", "greater", "less", "directed"}
        "two-sided": twice the smaller tail, at most 1. "directed": the smaller tail itself, the ``p_sim`` of
        GeoDa and esda; it rejects twice as often as its size says unless a direction was fixed beforehand.

    Returns
    -------
    ndarray
        ``(count + 1) / (permutations + 1)`` (North, Curtis and Sham 2002). Ties count in both tails, since
        a tie is as extreme as what was observed; esda leaves them out of the lower tail, which shows for
        units with one or two neighbours.

    Raises
    ------
    ValueError
        Unknown alternative.

    Examples
    --------
    >>> pseudo_p([4, 60], [95, 40], 99).tolist()
    [0.1, 0.82]
    """
    upper = (np.asarray(at_least) + 1) / (permutations + 1)
    lower = (np.asarray(at_most) + 1) / (permutations + 1)
    smaller = np.minimum(upper, lower)
    choices = {
        "two-sided": np.minimum(1.0, 2 * smaller),
        "greater": upper,
        "less": lower,
        "directed": smaller,
    }
    if alternative not in choices:
        raise ValueError(f"alternative={alternative!r} is not known; choose one of {', '.join(choices)}")
    return np.asarray(choices[alternative], dtype=np.float64)
