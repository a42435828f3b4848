r"""Tests on residuals: Moran's I with moments that know how the residuals came about, cross-section dependence, serial
correlation.

Residuals of a regression are ``e = M eps`` with a known M: they are dependent even when the errors are not. For normal
errors the ratio ``e'We / e'e`` has the moments (Cliff and Ord 1981, pp. 201-203; Tiefelsdorf and Boots 1995)

.. math:: E = \frac{tr(MW)}{s}, \qquad Var = \frac{2\,[s\,tr(MWMW) - tr(MW)^2]}{s^2 (s + 2)}, \qquad s = tr(M)

with the symmetric part of W. Here M removes unit and time effects as well as Z, so that within residuals get their
exact moments. The residuals of one year have ``V_t = M_tt``, which is no projector; there the same moments are those of
numerator and denominator, ``2 tr[(WV - E V)^2] / (tr(V)^2 + 2 tr(V^2))``, and both agree where V is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.lmtests import centred_trace
from nqpf_spatial.kernels.moments import remove_effects, spatial_lag


@dataclass(frozen=True, slots=True)
class MoranMoments:
    """Moran's I with its moments under independence: floats, or (T,) arrays for one value per period."""

    i: NDArray
    mean: NDArray
    variance: NDArray


@dataclass(frozen=True, slots=True)
class CrossDependence:
    """Statistics of the pairwise correlations of residuals.

    Attributes
    ----------
    cd : float
        Pesaran (2004), standard normal under independence.
    local : float
        The same over pairs of neighbours only (Pesaran 2004, CD(p)).
    lm : float
        Breusch and Pagan (1980), chi-squared with N(N-1)/2 degrees of freedom, for T much larger than N.
    pairs, neighbours : int
    """

    cd: float
    local: float
    lm: float
    pairs: int
    neighbours: int


@dataclass(frozen=True, slots=True)
class SlopeTest:
    """A regression slope, the value it has under the null, and the t-ratio of their difference."""

    slope: float
    null: float
    t: float
    df: int


def projected_basis(z: NDArray, unit: bool, time: bool) -> NDArray:
    """Orthonormal basis (k, T, N) of the regressors (k, T, N) once the effects are removed."""
    k, t, n = z.shape
    if not k:
        return z
    q, _ = sla.qr(remove_effects(z, unit, time).reshape(k, t * n).T, mode="economic", check_finite=False)
    return np.ascontiguousarray(q.T).reshape(z.shape)


def moran_pooled(e: NDArray, basis: NDArray, w: NDArray, unit: bool, time: bool) -> MoranMoments:
    """Moran's I over all periods, ``I_T (x) W``, with its exact moments for residuals of least squares.

    Parameters
    ----------
    e : (T, N) ndarray
        Residuals.
    basis : (k, T, N) ndarray
        From `projected_basis`.
    w : (N, N) ndarray or sparse array
    unit, time : bool
        Effects that were removed.
    """
    t, size = e.shape
    lagged = remove_effects(_symmetric_lag(w, basis), unit, time)
    cross = _products(basis, lagged)
    tr1, tr2 = _weight_traces(w, time)
    periods = t - 1 if unit else t
    rank = periods * (size - 1 if time else size) - basis.shape[0]
    first = periods * tr1 - np.trace(cross)
    second = periods * tr2 - 2.0 * np.sum(lagged * lagged) + np.sum(cross * cross.T)
    mean, variance = _ratio_moments(first, second, first, float(rank), float(rank))
    scale = size / float(w.sum())
    value = scale * float(np.sum(e * spatial_lag(w, e)) / np.sum(e * e))
    return MoranMoments(np.array(value), np.array(scale * mean), np.array(scale**2 * variance))


def moran_by_period(e: NDArray, basis: NDArray, w: NDArray, unit: bool, time: bool) -> MoranMoments:
    """Moran's I of every period; arguments as in `moran_pooled`. Exact moments for a cross-section."""
    t, size = e.shape
    c = 1.0 - 1.0 / t if unit else 1.0
    tr1, tr2 = _weight_traces(w, time)
    rank = float(size - 1 if time else size)
    lagged = remove_effects(_symmetric_lag(w, basis), False, time)
    scale = size / float(w.sum())
    moments = []
    for period in range(t):
        b, wb = basis[:, period].T, lagged[:, period].T
        bb, cross = b.T @ b, b.T @ wb
        wv = c * tr1 - np.trace(cross)
        wvwv = c**2 * tr2 - 2.0 * c * np.sum(wb * wb) + np.sum(cross * cross.T)
        wvv = c**2 * tr1 - 2.0 * c * np.trace(cross) + np.sum(cross * bb)
        v = c * rank - np.trace(bb)
        vv = c**2 * rank - 2.0 * c * np.trace(bb) + np.sum(bb * bb)
        moments.append(_ratio_moments(wv, wvwv, wvv, v, vv))
    mean, variance = np.array(moments).T
    value = scale * np.sum(e * spatial_lag(w, e), axis=1) / np.sum(e * e, axis=1)
    return MoranMoments(value, scale * mean, scale**2 * variance)


def score_bias(basis: NDArray, g: NDArray, unit: bool, time: bool, n: int, m: int, project: bool) -> float:
    """Expected score of rho at its true value, which removal of the regressors moves away from zero.

    Parameters
    ----------
    basis : (k, T, N) ndarray
        From `projected_basis`.
    g : (N, N) ndarray
        ``W (I - rho W)^-1``.
    unit, time : bool
        Effects that were removed.
    n, m : int
        Observations and periods of the likelihood.
    project : bool
        Time effects are transformed away.

    Notes
    -----
    ``n tr(MG) / tr(M) - m tr(G*)``, G* as the likelihood sees it. rho is estimated from a score with this mean, so that
    its estimate, and with it the residuals' dependence, is off by the same amount in the other direction.
    """
    _, t, size = basis.shape
    lagged = np.stack([spatial_lag(g, part) for part in basis]) if basis.shape[0] else basis
    periods = t - 1 if unit else t
    rank = periods * (size - 1 if time else size) - basis.shape[0]
    inner = periods * centred_trace(g, time) - float(np.sum(basis * lagged))
    return n * inner / rank - m * centred_trace(g, project)


def _symmetric_lag(w: NDArray, basis: NDArray) -> NDArray:
    if not basis.shape[0]:
        return basis
    return np.stack([0.5 * (spatial_lag(w, part) + spatial_lag(w.T, part)) for part in basis])


def _products(a: NDArray, b: NDArray) -> NDArray:
    size = a.shape[1] * a.shape[2]
    return a.reshape(a.shape[0], size) @ b.reshape(b.shape[0], size).T


def _weight_traces(w: NDArray, centred: bool) -> tuple[float, float]:
    """``tr(QS)`` and ``tr(QSQS)`` for the symmetric part S of W; Q centres over units or does nothing."""
    squares = 0.5 * float((w * w).sum() + (w * w.T).sum())
    if not centred:
        return centred_trace(w, False), squares
    n = w.shape[0]
    row = 0.5 * (np.asarray(w.sum(axis=0)).ravel() + np.asarray(w.sum(axis=1)).ravel())
    return centred_trace(w, True), squares - 2.0 * float(row @ row) / n + float(row.sum()) ** 2 / n**2


def _ratio_moments(wv: float, wvwv: float, wvv: float, v: float, vv: float) -> tuple[float, float]:
    """Mean and variance of ``e'We / e'e`` for ``e ~ N(0, V)`` from traces of products of W and V."""
    if v <= 0:
        raise IdentificationError("no degrees of freedom are left for the residuals")
    mean = wv / v
    return mean, 2.0 * (wvwv - 2.0 * mean * wvv + mean**2 * vv) / (v**2 + 2.0 * vv)


def cross_dependence(e: NDArray, w: NDArray | None = None) -> CrossDependence:
    """Pesaran's CD, its local form and the Breusch-Pagan LM statistic from residuals (T, N).

    Parameters
    ----------
    e : (T, N) ndarray
    w : (N, N) ndarray or sparse array, optional
        Pairs with a positive weight in either direction are neighbours; without it `local` is NaN.

    Notes
    -----
    ``CD = sqrt(2T / (N(N-1))) sum_{i<j} r_ij`` (Pesaran 2004), r the correlation over time.
    """
    t, n = e.shape
    if t < 3 or n < 2:
        raise IdentificationError(f"correlations over time need three periods and two units; there are {t} and {n}")
    centred = e - e.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    if np.any(size <= 1e-12 * np.abs(e).max()):
        raise IdentificationError("the residuals of a unit do not vary over time: correlations do not exist")
    r = (centred / size).T @ (centred / size)
    pair = np.triu_indices(n, 1)
    values = r[pair]
    cd = float(np.sqrt(2.0 * t / (n * (n - 1.0))) * values.sum())
    local, count = float("nan"), 0
    if w is not None:
        dense = w if isinstance(w, np.ndarray) else w.toarray()
        near = ((dense > 0) | (dense.T > 0))[pair]
        count = int(near.sum())
        local = float(np.sqrt(t / count) * values[near].sum()) if count else local
    return CrossDependence(cd, local, float(t * np.sum(values**2)), values.size, count)


def serial_correlation(e: NDArray, unit: bool) -> SlopeTest:
    """Slope of ``e_it`` on ``e_i,t-1`` with a covariance clustered by unit, against its value without serial correlation.

    Parameters
    ----------
    e : (T, N) ndarray
    unit : bool
        Unit effects were removed: uncorrelated errors then give a slope of ``-1 / (T - 1)``.

    Notes
    -----
    Wooldridge (2010, section 10.5.4). The t-ratio has N - 1 degrees of freedom.
    """
    t, n = e.shape
    if t < 3:
        raise IdentificationError(f"serial correlation of residuals needs three periods; there are {t}")
    if n < 3:
        raise IdentificationError(
            f"the t-ratio of serial correlation is clustered by unit and needs three; there are {n}"
        )
    now, before = e[1:], e[:-1] - e[:-1].mean()
    size = float(np.sum(before**2))
    slope = float(np.sum(before * now)) / size
    rest = now - now.mean() - slope * before
    meat = float(np.sum((before * rest).sum(axis=0) ** 2))
    observations = n * (t - 1)
    scale = n / (n - 1.0) * (observations - 1.0) / (observations - 2.0)
    null = -1.0 / (t - 1.0) if unit else 0.0
    return SlopeTest(slope, null, (slope - null) / float(np.sqrt(scale * meat) / size), n - 1)


def jackknife_residuals(e: NDArray, columns: NDArray, time: bool) -> NDArray:
    """Residuals of every unit from the regression without that unit.

    Parameters
    ----------
    e : (T, N) ndarray
        Residuals of least squares.
    columns : (p, T, N) ndarray
        Regressors with time effects removed if `time`; columns of zeros are left out.
    time : bool
        Time effects are among the regressors.

    Notes
    -----
    ``(I - H_ii)^-1 e_i`` with H_ii the T x T block of the hat matrix (Bell and McCaffrey 2002, CR3): scores built on them
    give the delete-one-unit jackknife covariance in linear regression.
    """
    t, n = e.shape
    flat = columns.reshape(columns.shape[0], t * n)
    size = np.linalg.norm(flat, axis=1)
    used = flat[size > 0] / size[size > 0, None]
    left, values, _ = sla.svd(used.T, full_matrices=False, check_finite=False)
    basis = left[:, values > 1e-10 * values[0]].T.reshape(-1, t, n)
    hat = np.einsum("kti,ksi->its", basis, basis) + (np.eye(t) / n if time else 0.0)
    rest = np.eye(t) - hat
    if np.linalg.eigvalsh(rest).min() < 1e-10:
        raise IdentificationError("a coefficient rests on one unit alone: it does not exist without that unit")
    return np.linalg.solve(rest, e.T[:, :, None])[:, :, 0].T


def unit_meat(e: NDArray, linear: NDArray, quadratic: NDArray, sigma2: float) -> NDArray:
    """Variance of the score for errors independent between units, anything within them.

    Parameters
    ----------
    e : (T, N) ndarray
        Residuals.
    linear : (p, T, N) ndarray
    quadratic : (p, N, N) ndarray
        Symmetric; the score is ``linear'e + sum_t e_t' quadratic e_t`` less its expectation.
    sigma2 : float
        Variance of the residuals, which centres the own squares.

    Notes
    -----
    `kernels.sandwich.cluster_meat` for clusters that are single units, where no N x G products are needed.
    """
    terms = quadratic * (e.T @ e)
    own = np.diagonal(quadratic, axis1=1, axis2=2)
    inside = np.einsum("ptn,tn->pn", linear, e) + np.diagonal(terms, axis1=1, axis2=2) - e.shape[0] * sigma2 * own
    upper = np.triu_indices(e.shape[1], 1)
    between = 2.0 * terms[:, upper[0], upper[1]]
    return inside @ inside.T + between @ between.T
