r"""Regression on pairs of units with permutation inference (MRQAP).

Pairs share units, so their errors are dependent in a way that no number of pairs averages out. The permutation of units keeps that
dependence: the residual of one regressor on the others, written as a matrix, has its rows and columns rearranged together, the
regression is run again, and the t statistic of the data is compared with those of the rearrangements (double semi-partialling:
Dekker, Krackhardt and Snijders 2007, Psychometrika 72, 563-581, section 3.4). With several periods one rearrangement serves all of
them, so that dependence over time is kept as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class QapFit:
    """Coefficients of a regression on pairs.

    Attributes
    ----------
    beta, t : (K,) ndarray
        Least-squares coefficients and their t statistics as if pairs were independent.
    p : (K,) ndarray
        Two-sided: share of rearrangements, the data included, with a t at least as large in absolute value.
    null_sd : (K,) ndarray
        Standard deviation of the coefficient over the rearrangements.
    reference : (K, R) ndarray
        t statistics of the rearrangements.
    n, df : int
        Pairs times periods, and those left by effects and regressors.
    r2 : float
        Share explained after removal of the effects.
    """

    beta: NDArray
    t: NDArray
    p: NDArray
    null_sd: NDArray
    reference: NDArray
    n: int
    df: int
    r2: float


def within(a: NDArray, pair: bool, period: bool) -> NDArray:
    """Remove pair and period effects from (..., T, P) arrays; without either the overall mean."""
    if not (pair or period):
        return a - a.mean(axis=(-2, -1), keepdims=True)
    if pair:
        a = a - a.mean(axis=-2, keepdims=True)
    return a - a.mean(axis=-1, keepdims=True) if period else a


def mrqap(
    y: NDArray,
    x: NDArray,
    pairs: tuple[NDArray, NDArray],
    effects: tuple[bool, bool],
    permutations: int,
    rng: np.random.Generator,
    tested: tuple[int, ...] | None = None,
    block: int = 128,
) -> QapFit:
    """Fit and test.

    Parameters
    ----------
    y : (T, N, N) ndarray
    x : (K, T, N, N) ndarray
        Linearly independent after removal of the effects.
    pairs : ((P,) ndarray, (P,) ndarray)
        Rows and columns of the pairs used: one triangle of symmetric matrices, or all cells off the diagonal.
    effects : (bool, bool)
        Pair and period effects.
    permutations : int
    rng : Generator
    tested : tuple of int, optional
        Positions of the regressors that are tested; all by default. The others have no p, null_sd and reference (NaN).
    block : int
        Rearrangements handled at once.

    Returns
    -------
    QapFit
    """
    k, t, n = x.shape[0], x.shape[1], x.shape[2]
    i, j = pairs
    target = within(y[:, i, j], *effects).ravel()
    columns = within(x[:, :, i, j], *effects).reshape(k, -1)
    df = _df(t, i.size, effects) - k
    orders = np.array([rng.permutation(n) for _ in range(permutations)]).reshape(permutations, n)
    out, beta = np.full((3, k), np.nan), np.empty(k)
    reference = np.full((k, permutations), np.nan)
    for focus in range(k):
        others = np.delete(columns, focus, axis=0)
        basis = sla.orth(others.T) if k > 1 else np.empty((target.size, 0))
        rest = _off(target, basis)
        own = _off(columns[focus], basis)
        beta[focus], out[0, focus] = _partial(own @ rest, own @ own, float(rest @ rest), df)
        if tested is not None and focus not in tested:
            continue
        draws, reference[focus] = _rearranged(own.reshape(t, -1), rest, basis, pairs, n, orders, df, block)
        extreme = (np.abs(reference[focus]) >= np.abs(out[0, focus]) * (1.0 - 1e-12)).sum()
        out[1:, focus] = (1.0 + extreme) / (1.0 + permutations), draws.std(ddof=1)
    residual = target - beta @ columns
    r2 = float(1.0 - residual @ residual / (target @ target))
    return QapFit(beta, out[0], out[1], out[2], reference, target.size, df, r2)


def _df(t: int, p: int, effects: tuple[bool, bool]) -> int:
    pair, period = effects
    return (t - pair) * (p - period) if (pair or period) else t * p - 1


def _off(a: NDArray, basis: NDArray) -> NDArray:
    """Residual of the last axis on an orthonormal basis (n, r)."""
    return a - (a @ basis) @ basis.T


def _partial(product: NDArray, size: NDArray, total: float, df: int) -> tuple[NDArray, NDArray]:
    """Slopes and t statistics from cross-product and squared length, both freed from the other regressors."""
    slope = product / size
    sse = np.maximum(total - slope**2 * size, 0.0)
    return slope, slope / np.sqrt(sse / df / size)


def _rearranged(
    own: NDArray,
    rest: NDArray,
    basis: NDArray,
    pairs: tuple[NDArray, NDArray],
    n: int,
    orders: NDArray,
    df: int,
    block: int,
) -> tuple[NDArray, NDArray]:
    """Slopes and t statistics with the residual matrix (T, P) of one regressor rearranged.

    Rearranging units maps pairs on pairs and periods on themselves: effects stay removed and the length stays the same, so that only
    the products with the outcome and with the other regressors are new.
    """
    i, j = pairs
    t, p = own.shape
    matrix = np.zeros((n, n, t))
    if not np.array_equal(np.sort(i * n + j), np.sort(j * n + i)):  # one triangle: the other is its mirror
        matrix[j, i] = own.T
    matrix[i, j] = own.T
    against = np.column_stack([rest, basis]).reshape(t, p, -1).transpose(1, 0, 2).reshape(t * p, -1)
    length, total = float((own**2).sum()), float(rest @ rest)
    slopes, statistics = np.empty(len(orders)), np.empty(len(orders))
    for start in range(0, len(orders), block):
        order = orders[start : start + block]
        products = matrix[order[:, i], order[:, j]].reshape(len(order), -1) @ against
        size = length - (products[:, 1:] ** 2).sum(axis=1)
        part = slice(start, start + len(order))
        slopes[part], statistics[part] = _partial(products[:, 0], size, total, df)
    return slopes, statistics
