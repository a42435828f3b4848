"""Composite indicators on plain arrays: normalisation and weighting of an (n, k) table of indicators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError, PanelError

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
        raise PanelError(f"entropy weights need non-negative values; columns {_columns(np.min(a, axis=0) < 0)} do not")
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


def zscore(x: object, negative: Sequence[bool] | NDArray[np.bool_] | None = None) -> Array:
    """Column-wise standardisation to mean 0 and (population) standard deviation 1.

    Parameters
    ----------
    x : array_like, shape (n, k)
        Indicators in columns.
    negative : sequence of bool, length k, optional
        True for indicators of which less is better; their sign is turned.

    Returns
    -------
    ndarray, shape (n, k)

    Raises
    ------
    PanelError
        A missing or infinite cell, or a constant column.

    Examples
    --------
    >>> zscore([[1.0], [3.0]], negative=[True]).tolist()
    [[1.0], [-1.0]]
    """
    # through minmax, so that a huge offset or scale of a column costs no digits and constants are caught
    z = minmax(x, negative)
    return (z - z.mean(axis=0)) / z.std(axis=0)


def critic_weights(z: object) -> Array:
    """CRITIC weights: contrast of an indicator times its conflict with the others.

    Parameters
    ----------
    z : array_like, shape (n, k)
        Normalised indicators, more is better, k >= 2.

    Returns
    -------
    ndarray, shape (k,)
        Weights that sum to one.

    Raises
    ------
    PanelError
        One column only, a constant column, or columns that are all perfectly correlated.

    Notes
    -----
    ``C_j = s_j sum_k (1 - r_jk)``, ``w_j = C_j / sum_j C_j`` with the standard deviation s_j of the
    normalised indicator and the correlations r_jk (Diakoulaki, Mavrotas and Papayannakis 1995,
    Computers and Operations Research 22, eqs 5 and 6). Population or sample s_j give the same weights.

    Examples
    --------
    The first two columns tell the same story, the third its own:

    >>> critic_weights([[0.0, 0.0, 1.0], [0.5, 0.5, 0.0], [1.0, 1.0, 0.5]]).round(3)
    array([0.25, 0.25, 0.5 ])
    """
    a = _table(z, "the normalised table")
    if a.shape[1] < 2:
        raise PanelError("CRITIC weights need at least two indicators")
    sd = a.std(axis=0)
    if (np.ptp(a, axis=0) == 0).any():
        raise PanelError(f"columns {_columns(np.ptp(a, axis=0) == 0)} are constant: correlations do not exist")
    c = (a - a.mean(axis=0)) / sd
    conflict = np.maximum(1.0 - c.T @ c / len(c), 0.0)
    information = sd * conflict.sum(axis=1)
    if information.sum() < 1e-12:
        raise PanelError("all indicators are perfectly correlated: CRITIC weights do not exist")
    return information / information.sum()


@dataclass(frozen=True, slots=True)
class Topsis:
    """Closeness to the ideal.

    Attributes
    ----------
    scores : ndarray, shape (n,)
        ``d_minus / (d_plus + d_minus)``, in [0, 1].
    d_plus, d_minus : ndarray, shape (n,)
        Euclidean distances to the ideal and to the anti-ideal.
    """

    scores: Array
    d_plus: Array
    d_minus: Array


def topsis(z: object, weights: object) -> Topsis:
    """TOPSIS: relative closeness to the best and the worst value of each weighted indicator.

    Parameters
    ----------
    z : array_like, shape (n, k)
        Normalised indicators, more is better. Any normalisation will do.
    weights : array_like, shape (k,)
        Non-negative weights.

    Returns
    -------
    Topsis

    Raises
    ------
    PanelError
        Missing cells, weights of the wrong shape or sign, or rows that are all equal.

    Notes
    -----
    With ``v_ij = w_j z_ij``, ideal ``max_i v_ij`` and anti-ideal ``min_i v_ij`` (Hwang and Yoon 1981,
    Multiple Attribute Decision Making, ch. 3.6). They normalise by the Euclidean length of the column;
    applications to Chinese provinces nearly always by min-max, which is what `nqpf_spatial` feeds in.

    Examples
    --------
    >>> topsis([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.5, 0.5]).scores
    array([0.5, 0.5, 1. ])
    """
    a = _table(z, "the normalised table")
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (a.shape[1],) or not (w >= 0).all():
        raise PanelError(f"weights must be {a.shape[1]} non-negative numbers; got {w.tolist()}")
    v = a * w
    d_plus = np.sqrt(((v.max(axis=0) - v) ** 2).sum(axis=1))
    d_minus = np.sqrt(((v - v.min(axis=0)) ** 2).sum(axis=1))
    if not (d_plus + d_minus > 0).all():
        raise PanelError("all rows are equal in every weighted indicator: TOPSIS scores do not exist")
    return Topsis(d_minus / (d_plus + d_minus), d_plus, d_minus)


@dataclass(frozen=True, slots=True)
class FirstComponent:
    """First principal component.

    Attributes
    ----------
    scores : ndarray, shape (n,)
        Mean zero; variance ``eigenvalues[0]``.
    loadings : ndarray, shape (k,)
        Eigenvector of unit length.
    share : float
        Share of the total variance, ``eigenvalues[0] / k``.
    eigenvalues : ndarray, shape (k,)
        Of the correlation matrix, descending.
    """

    scores: Array
    loadings: Array
    share: float
    eigenvalues: Array


def first_component(c: object) -> FirstComponent:
    """First principal component of standardised indicators.

    Parameters
    ----------
    c : array_like, shape (n, k)
        Columns with mean 0 and standard deviation 1 (`zscore`), more is better.

    Returns
    -------
    FirstComponent

    Raises
    ------
    IdentificationError
        The two largest eigenvalues coincide: the first direction is arbitrary.

    Notes
    -----
    Eigenvector of the correlation matrix (Hotelling 1933). A component has no sign of its own: here it
    correlates positively with the mean of the indicators (the equal-weight index), and where that
    correlation is zero the largest loading is positive.

    Examples
    --------
    >>> pc = first_component(zscore([[1.0, 2.0], [2.0, 5.0], [3.0, 4.0], [4.0, 7.0]]))
    >>> pc.loadings.round(4), round(pc.share, 4)
    (array([0.7071, 0.7071]), 0.9341)
    """
    a = _table(c, "the standardised table")
    values, vectors = np.linalg.eigh(a.T @ a / len(a))
    values, loadings = values[::-1], vectors[:, -1]
    if len(values) > 1 and values[0] - values[1] <= 1e-9 * values[0]:
        raise IdentificationError(
            f"the two largest eigenvalues coincide ({values[0]:.6g}): the first component is arbitrary"
        )
    scores = a @ loadings
    with_mean = float(scores @ a.mean(axis=1))
    if abs(with_mean) <= 1e-12 * len(a):
        with_mean = float(loadings[np.argmax(np.abs(loadings))])
    sign = 1.0 if with_mean > 0 else -1.0
    return FirstComponent(sign * scores, sign * loadings, float(values[0] / values.sum()), values)


def obstacle_degrees(z: object, weights: object) -> Array:
    """Share of each indicator in the distance of a row from the best value of all indicators.

    Parameters
    ----------
    z : array_like, shape (n, k)
        Min-max normalised indicators in [0, 1], more is better.
    weights : array_like, shape (k,)
        Positive weights (only their proportions count).

    Returns
    -------
    ndarray, shape (n, k)
        Rows sum to one; a row that is best in every indicator has no obstacle: NaN.

    Raises
    ------
    PanelError
        Missing cells, values outside [0, 1], or a weight that is negative.

    Notes
    -----
    Obstacle degree model: factor contribution w_j, deviation ``1 - z_ij``,
    ``O_ij = w_j (1 - z_ij) / sum_k w_k (1 - z_ik)``.

    Examples
    --------
    >>> obstacle_degrees([[0.0, 0.5], [1.0, 1.0]], [0.5, 0.5]).round(3)
    array([[0.667, 0.333],
           [  nan,   nan]])
    """
    a = _table(z, "the normalised table")
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (a.shape[1],) or not (w >= 0).all():
        raise PanelError(f"obstacle degrees need {a.shape[1]} non-negative weights; got {w.tolist()}")
    if a.min() < 0 or a.max() > 1:
        raise PanelError(f"obstacle degrees need values in [0, 1]; got {a.min():.6g} to {a.max():.6g}")
    gap = w * (1.0 - a)
    total = gap.sum(axis=1, keepdims=True)
    return np.divide(gap, total, out=np.full_like(gap, np.nan), where=total > 0)


def _columns(mask: NDArray[np.bool_]) -> list[int]:
    return [int(j) for j in np.flatnonzero(mask)]
