r"""Profile likelihood of rho: the concentrated likelihood of `nqpf_spatial.kernels.ml` over fixed values of rho.

.. math:: LR(\rho) = 2\,[\ln L(\hat\rho) - \max_{\beta,\sigma^2,\lambda} \ln L(\rho, \beta, \sigma^2, \lambda)]

The values of rho that a likelihood-ratio test does not reject are the confidence set (Barndorff-Nielsen and Cox 1994, section 3.4).
It needs no standard error and, unlike the Wald interval, follows the likelihood where it is lopsided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from nqpf_spatial.kernels.ml import Likelihood, fit_ml, inside, residual_quadratic, scan
from nqpf_spatial.kernels.moments import Reduced


@dataclass(frozen=True, slots=True)
class ConfidenceSet:
    """Values of rho whose likelihood ratio is below a critical value.

    Attributes
    ----------
    pieces : (P, 2) ndarray
        Intervals in rising order; one, unless the likelihood has several maxima of about the same height.
    open_low, open_high : bool
        The set reaches the end of the admissible interval, where no root bounds it.
    """

    pieces: NDArray
    open_low: bool
    open_high: bool


def profile_rho(data: Reduced, like: Likelihood, rho: ArrayLike) -> NDArray:
    """Maximum of the log-likelihood, with all constants, at every given rho.

    Without a spatial error all values come from one quadratic at once; with one, the error model of ``y - rho Wy`` is
    maximised for every rho by the estimator itself.

    Parameters
    ----------
    data : Reduced
    like : Likelihood
        With a log-determinant of rho.
    rho : (R,) array_like
        Inside the admissible interval.

    Returns
    -------
    (R,) ndarray
    """
    values = np.atleast_1d(np.asarray(rho, dtype=float))
    assert like.rho is not None
    jacobian = like.m * like.rho(values)
    if like.lambda_ is None:
        a, b, c = residual_quadratic(data.base, data.k)
        sse = a - 2.0 * b * values + c * values**2
        return -0.5 * like.n * (np.log(2.0 * np.pi * sse / like.n) + 1.0) + jacobian
    rest = Likelihood(like.n, like.m, None, like.lambda_)
    return np.array([fit_ml(_given(data, r), rest).llf for r in values]) + jacobian


def _given(data: Reduced, rho: float) -> Reduced:
    """Columns of the model of ``y - rho Wy``."""

    def moved(columns: NDArray) -> NDArray:
        found = columns.copy()
        found[:, data.k] -= rho * columns[:, data.k + 1]
        return found

    return Reduced(moved(data.base), None if data.lagged is None else moved(data.lagged), data.k)


def confidence_set(data: Reduced, like: Likelihood, rho: float, llf: float, cut: float) -> ConfidenceSet:
    """Values of rho with a likelihood ratio of at most `cut`.

    Parameters
    ----------
    data, like
        As in `profile_rho`.
    rho, llf : float
        The maximum.
    cut : float
        Quantile of the chi-squared distribution with one degree of freedom.

    Notes
    -----
    Changes of sign between the starting points of the estimator and the maximum are refined by Brent's method to rounding.
    """
    assert like.rho is not None
    low, high = inside(like.rho)
    grid = np.unique(np.append(scan(like.rho), np.clip(rho, low, high)))
    distance = profile_rho(data, like, grid) - (llf - 0.5 * cut)
    kept = distance >= 0.0

    def height(r: float) -> float:
        return float(profile_rho(data, like, r)[0]) - (llf - 0.5 * cut)

    ends = [low] if kept[0] else []
    ends += [_root(height, *grid[i : i + 2]) for i in np.flatnonzero(kept[1:] != kept[:-1])]
    ends += [high] if kept[-1] else []
    return ConfidenceSet(np.array(ends).reshape(-1, 2), bool(kept[0]), bool(kept[-1]))


def _root(height: Callable[[float], float], left: float, right: float) -> float:
    return float(optimize.brentq(height, left, right, xtol=1e-14, rtol=4 * np.finfo(float).eps))
