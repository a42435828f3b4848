"""Do slopes differ across groups of units? A test that permutes the groups, in a balanced two-way panel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.kernels.moments import remove_effects
from nqpf_spatial.kernels.randomisation import tail

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class SlopeTest:
    """Joint test that slopes are the same in all groups.

    Attributes
    ----------
    statistic : float
        F of the interactions of the regressors with the groups.
    df, df_residual : int
    pvalue : float
        Share of random group labels with a statistic at least as large.
    f_pvalue : float
        Of the F distribution, which holds for independent normal errors only.
    """

    statistic: float
    df: int
    df_residual: int
    pvalue: float
    f_pvalue: float


def slope_test(y: Array, common: Array, focus: Array, codes: Codes, draws: int, seed: int | None) -> SlopeTest:
    """Test the interactions of some regressors with groups of units by permuting the groups over units.

    Parameters
    ----------
    y : ndarray, shape (T, N)
        Outcome; that of a spatial lag model is filtered first, ``y - rho W y`` at the rho of the model without
        interactions, which no label enters.
    common : ndarray, shape (K, T, N)
        Regressors with one slope for all, the ones of `focus` among them.
    focus : ndarray, shape (J, T, N)
        Regressors whose slopes may differ.
    codes : ndarray of int, shape (N,)
        Group of every unit, 0 to G - 1.
    draws : int
    seed : int or None

    Returns
    -------
    SlopeTest

    Notes
    -----
    Unit and time effects are removed. Under the null no slope hangs on the group, so groups can be dealt out among the
    units: whatever dependence the errors of a unit have over time travels with it (Freedman and Lane 1983; Anderson and
    Robinson 2001). All arrangements share the regression without interactions: the sums of squares explained are quadratic
    forms in sums of unit moments over groups.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, e = rng.standard_normal((2, 8, 12))
    >>> slope_test(x + e, x[None], x[None], np.arange(12) % 3, 499, 1).pvalue > 0.05
    True
    """
    from scipy import stats

    t, n = y.shape
    groups, j = int(codes.max()) + 1, len(focus)
    if groups < 2 or (np.bincount(codes, minlength=groups) == 0).any():
        raise ValueError(
            f"slopes are compared across at least two groups with units, given {np.bincount(codes).tolist()}"
        )
    basis = _basis(common, t, n)
    flat = y.ravel()
    residual = (flat - basis.T @ (basis @ flat)).reshape(t, n)
    moments = _Moments(
        np.einsum("jtn,tn->nj", focus, residual),
        np.einsum("jtn,ktn->njk", focus, focus),
        np.einsum("jtn,ptn->njp", focus, basis.reshape(-1, t, n)),
    )
    rows = np.random.default_rng(seed).permuted(np.broadcast_to(codes, (draws, n)), axis=1)
    explained = moments.explained(codes[None], groups)[0]
    random = np.concatenate([moments.explained(part, groups) for part in np.array_split(rows, max(1, draws // 500))])
    df = (groups - 1) * j
    left = t * n - len(basis) - df
    statistic = (explained / df) / (((residual**2).sum() - explained) / left)
    return SlopeTest(
        float(statistic), df, left, tail(random, float(explained), exact=False), float(stats.f.sf(statistic, df, left))
    )


def _basis(common: Array, t: int, n: int) -> Array:
    """Orthonormal rows that span the effects and the common regressors."""
    z = remove_effects(common, True, True).reshape(len(common), t * n)
    within, triangle = np.linalg.qr(z.T)
    size = np.abs(np.diag(triangle))
    if size.min() <= 1e-10 * size.max():
        raise ValueError("the common regressors are collinear within units and years")
    units = np.kron(np.ones((1, t)), np.eye(n)) / np.sqrt(t)
    years = np.linalg.qr((np.eye(t) - 1.0 / t)[:, : t - 1])[0].T
    return np.vstack([units, np.kron(years, np.ones((1, n))) / np.sqrt(n), within.T])


@dataclass(frozen=True, slots=True)
class _Moments:
    """What every unit adds to the moments of an interaction: with the residual, with itself, with the basis."""

    residual: Array
    own: Array
    basis: Array

    def explained(self, codes: Codes, groups: int) -> Array:
        """Sum of squares the interactions explain, for rows of labels ``(R, N)``."""
        member = (codes[:, None, :] == np.arange(1, groups)[None, :, None]).astype(np.float64)
        r, g, n = member.shape
        j, p = self.basis.shape[1:]
        score = (member @ self.residual).reshape(r, g * j)
        shadow = (member @ self.basis.reshape(n, j * p)).reshape(r, g * j, p)
        gram = -shadow @ shadow.transpose(0, 2, 1)
        own = (member @ self.own.reshape(n, j * j)).reshape(r, g, j, j)
        for k in range(g):
            gram[:, k * j : (k + 1) * j, k * j : (k + 1) * j] += own[:, k]
        return (score * np.linalg.solve(gram, score[..., None])[..., 0]).sum(axis=1)
