"""Synthetic control: the convex combination of other units that is nearest before the treatment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: root mean square error before the treatment, relative to the spread of the units, below which a fit is perfect
PERFECT = 1e-6


def simplex_weights(target: Array, donors: Array) -> Array:
    """Weights w >= 0 that add up to one and minimise ``|target - donors w|``.

    Parameters
    ----------
    target : ndarray, shape (p,)
    donors : ndarray, shape (p, n)

    Returns
    -------
    ndarray, shape (n,)

    Notes
    -----
    With ``D = donors - target`` the problem is the point of a convex hull nearest to the origin. For u >= 0 the
    minimiser of ``|D u|^2 + (1'u - 1)^2`` is a multiple of the wanted w, so that non-negative least squares solves it
    exactly (Lawson and Hanson 1974, ch. 23). Where the target lies inside the hull, w is not unique.

    Examples
    --------
    >>> simplex_weights(np.array([1.0, 3.0]), np.array([[0.0, 2.0, 9.0], [2.0, 4.0, 9.0]])).round(6).tolist()
    [0.5, 0.5, 0.0]
    """
    from scipy.optimize import nnls

    if donors.ndim != 2 or donors.shape[0] != len(target) or donors.shape[1] < 2:
        raise ValueError(f"donors must have shape ({len(target)}, n) with n >= 2, given {donors.shape}")
    gap = donors - target[:, None]
    scale = float(np.abs(gap).max())
    if scale == 0.0:
        return np.full(donors.shape[1], 1.0 / donors.shape[1])
    system = np.vstack([gap / scale, np.ones(donors.shape[1])])
    u, _ = nnls(system, np.append(np.zeros(len(target)), 1.0))
    return u / u.sum()


@dataclass(frozen=True, slots=True)
class Placebos:
    """Synthetic controls of every unit.

    Attributes
    ----------
    paths : ndarray, shape (T, n)
        Synthetic value of every unit.
    pre, post : ndarray, shape (n,)
        Root mean square gap before and after the treatment.
    gap : ndarray, shape (n,)
        Mean gap after the treatment, unit less synthetic unit.
    perfect : ndarray of bool, shape (n,)
        Fitted without error before the treatment: weights and gap are not determined.
    weights : ndarray, shape (n, n)
        Row of each unit; zero on the diagonal.
    """

    paths: Array
    pre: Array
    post: Array
    gap: Array
    perfect: NDArray[np.bool_]
    weights: Array

    def rank(self, unit: int) -> int:
        """Rank of a unit's ratio of post to pre error, 1 the largest; ties and perfect fits count against it."""
        own = np.inf if self.perfect[unit] else self.post[unit] / self.pre[unit]
        ratios = np.where(self.perfect, np.inf, self.post / np.where(self.perfect, 1.0, self.pre))
        return int((ratios >= own).sum())


def placebos(values: Array, pre: NDArray[np.bool_], post: NDArray[np.bool_]) -> Placebos:
    """Fit a synthetic control for every unit from all the others.

    Parameters
    ----------
    values : ndarray, shape (T, n)
        Outcome by year and unit.
    pre, post : ndarray of bool, shape (T,)
        Years before and after the treatment; years in neither are predicted and in no error.

    Returns
    -------
    Placebos

    Notes
    -----
    Abadie, Diamond and Hainmueller (2010), Journal of the American Statistical Association 105: every unit is treated
    in turn, the treated one joins the donors of the others. Predictors are the outcomes of all years before the
    treatment, equally weighted.

    Examples
    --------
    >>> y = np.array([[0.0, 1.0, 2.0, 5.0], [0.0, 1.1, 2.0, 5.0], [0.0, 4.0, 2.0, 5.0]])
    >>> p = placebos(y, np.array([True, True, False]), np.array([False, False, True]))
    >>> round(float(p.gap[1]), 2)
    2.95
    """
    if not pre.any() or not post.any() or (pre & post).any():
        raise ValueError("a synthetic control needs years before and years after the treatment, and none in both")
    n = values.shape[1]
    weights = np.zeros((n, n))
    for i in range(n):
        others = np.arange(n) != i
        weights[i, others] = simplex_weights(values[pre, i], values[np.ix_(pre, others)])
    paths = values @ weights.T
    gap = values - paths
    before, after = (np.sqrt((gap[rows] ** 2).mean(axis=0)) for rows in (pre, post))
    spread = float(values[pre].std())
    perfect = before <= PERFECT * spread
    return Placebos(paths, before, after, gap[post].mean(axis=0), perfect, weights)
