"""Composite indicators on plain arrays: normalisation and weighting of an (n, k) table of indicators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import PanelError

Array = NDArray[np.float64]


def _table(x: object, what: str) -> Array:
    """A finite float (n, k) array with at least two rows, or an error that names the cells."""
    a = np.asarray(x, dtype=np.float64, order="C")
    if a.ndim != 2 or a.shape[0] < 2 or a.shape[1] < 1:
        raise PanelError(f"{what} must be an (n, k) array with n >= 2 and k >= 1; got shape {a.shape}")
    bad = np.argwhere(~np.isfinite(a))
    if len(bad):
        cells = ", ".join(f"({i}, {j})" for i, j in bad[:5])
        raise PanelError(f"{what} has {len(bad)} missing or infinite cells, first (row, column): {cells}")
    return a


def minmax(x: object, negative: Sequence[bool] | NDArray[np.bool_] | None = None) -> Array:
    """Column-wise min-max normalisation to [0, 1].

    Parameters
    ----------
    x : array_like, shape (n, k)
        Indicators in columns.
    negative : sequence of bool, length k, optional
        True for indicators of which less is better; they are mirrored.

    Returns
    -------
    ndarray, shape (n, k)
        ``(x - min) / (max - min)``; ``(max - x) / (max - min)`` for negative indicators.

    Raises
    ------
    PanelError
        A missing or infinite cell, or a constant column (its range is zero).

    Notes
    -----
    OECD/JRC (2008), Handbook on Constructing Composite Indicators, section 5 (Min-Max).

    Examples
    --------
    >>> minmax([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0]], negative=[False, True])
    array([[0. , 1. ],
           [0.5, 0. ],
           [1. , 0.5]])
    """
    a = _table(x, "the indicator table")
    low, high = a.min(axis=0), a.max(axis=0)
    constant = np.flatnonzero(high == low)
    if len(constant):
        raise PanelError(
            f"constant columns cannot be normalised (max = min): columns {constant.tolist()}; leave them out"
        )
    z = (a - low) / (high - low)
    if negative is None:
        return z
    flip = np.asarray(negative, dtype=bool)
    if flip.shape != (a.shape[1],):
        raise PanelError(f"negative must hold {a.shape[1]} booleans, one per column; got shape {flip.shape}")
    z[:, flip] = (high[flip] - a[:, flip]) / (high[flip] - low[flip])
    return z


def entropy_weights(z: object) -> Array:
    """Entropy weights of non-negative indicators.

    Parameters
    ----------
    z : array_like, shape (n, k)
        Non-negative values, normally the output of `minmax`. Zeros stay zeros (``0 ln 0 = 0``).

    Returns
    -------
    ndarray, shape (k,)
        Weights that sum to one; an indicator spread evenly over the rows gets weight 0.

    Raises
    ------
    PanelError
        A negative, missing or infinite cell, a column without a positive value, or a table in which
        every column is spread evenly.

    Notes
    -----
    With ``p_ij = z_ij / sum_i z_ij`` and ``e_j = -sum_i p_ij ln p_ij / ln n``,
    ``w_j = (1 - e_j) / sum_j (1 - e_j)`` (Shannon 1948; Zeleny 1982, ch. 5.4; Hwang and Yoon 1981, ch. 3).
    Many applications add a small number to every z so that the logarithm exists; the weights
    then depend on that number. The limit ``0 ln 0 = 0`` needs none.

    Examples
    --------
    >>> entropy_weights([[0.0, 0.0], [0.5, 0.0], [1.0, 1.0]]).round(4)
    array([0.2961, 0.7039])
    """
    a = _table(z, "the normalised table")
    if (a < 0).any():
        raise PanelError(
            f"entropy weights need non-negative values; columns {_columns((a < 0).any(axis=0))} do not"
        )
    total = a.sum(axis=0)
    if (total == 0).any():
        raise PanelError(f"columns {_columns(total == 0)} have no positive value")
    p = a / total
    logs = np.log(np.where(p > 0, p, 1.0))
    divergence = 1.0 + (p * logs).sum(axis=0) / np.log(a.shape[0])
    # an even column gives +-1e-16, which must not become a negative weight
    divergence = np.where(np.ptp(a, axis=0) == 0, 0.0, np.maximum(divergence, 0.0))
    if divergence.sum() == 0:
        raise PanelError("every column is spread evenly over the rows: entropy weights do not exist")
    return divergence / divergence.sum()


def _columns(mask: NDArray[np.bool_]) -> list[int]:
    return np.flatnonzero(mask).tolist()
