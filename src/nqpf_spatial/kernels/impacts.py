r"""Direct, indirect and total impacts through the spatial multiplier.

For ``y = rho W y + X beta + W_d X theta + ...`` the derivative of E[y] with respect to regressor r is

.. math:: S_r = (I - \rho W)^{-1} (\beta_r I + \theta_r W_d)

(LeSage and Pace 2009, eq. 2.39): direct is the mean of its diagonal, total the mean of its row sums and
indirect their difference. Both are linear in (beta, theta) with four functions of rho as coefficients, so
that draws, replicates and gradients cost no matrix inversion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Multiplier:
    """The four functions of rho behind the impacts, and their derivatives, at R values of rho.

    Attributes
    ----------
    value, slope : (R, 2, 2) ndarray
        ``[:, 0]`` mean diagonal, ``[:, 1]`` mean row sum; ``[..., 0]`` of ``(I - rho W)^-1``,
        ``[..., 1]`` of ``(I - rho W)^-1 W_d``.
    """

    value: NDArray
    slope: NDArray


@dataclass(frozen=True, slots=True)
class Schur:
    """Complex Schur form ``W = Q T Q^H`` with what the traces need; stable for any W, diagonalisable or not."""

    triangular: NDArray
    left: NDArray  # Q^H applied to 1 / N from the left: (1' Q) / N
    right: NDArray  # Q^H 1
    durbin: NDArray | None  # Q^H W_d Q, or None if W_d is W


def decompose(w: NDArray, w_durbin: NDArray | None = None) -> Schur:
    """Schur form of a dense W (N, N); `w_durbin` only if it differs from `w`."""
    t, q = sla.schur(w, output="complex", check_finite=False)
    n = w.shape[0]
    durbin = None if w_durbin is None else q.conj().T @ w_durbin @ q
    return Schur(t, q.sum(axis=0) / n, q.conj().sum(axis=0), durbin)


def multiplier_from_eigenvalues(rho: NDArray, omega: NDArray) -> Multiplier:
    """Multiplier for a row-stochastic W that is also the Durbin W: eigenvalues are all it takes."""
    rho = np.atleast_1d(np.asarray(rho, dtype=float))
    inverse = 1.0 / (1.0 - rho[:, None] * omega)
    ratio = omega * inverse
    n = omega.size
    value, slope = np.empty((rho.size, 2, 2)), np.empty((rho.size, 2, 2))
    value[:, 0, 0], value[:, 0, 1] = inverse.sum(axis=1).real / n, ratio.sum(axis=1).real / n
    slope[:, 0, 0], slope[:, 0, 1] = (ratio * inverse).sum(axis=1).real / n, (ratio * ratio).sum(axis=1).real / n
    value[:, 1, :] = (1.0 / (1.0 - rho))[:, None]
    slope[:, 1, :] = (1.0 / (1.0 - rho) ** 2)[:, None]
    return Multiplier(value, slope)


def multiplier_from_derivatives(rho: NDArray, first: NDArray, second: NDArray, n: int) -> Multiplier:
    """Multiplier for a row-stochastic W from the derivatives of ``ln|I - rho W|``: ``-tr(G)`` and ``-tr(G G)``.

    ``tr[(I - rho W)^-1 W] = tr(G)`` and ``(I - rho W)^-1 = I + rho (I - rho W)^-1 W``.
    """
    value, slope = np.empty((rho.size, 2, 2)), np.empty((rho.size, 2, 2))
    value[:, 0, 1], slope[:, 0, 1] = -first / n, -second / n
    value[:, 0, 0], slope[:, 0, 0] = 1.0 + rho * value[:, 0, 1], value[:, 0, 1] + rho * slope[:, 0, 1]
    value[:, 1, :] = (1.0 / (1.0 - rho))[:, None]
    slope[:, 1, :] = (1.0 / (1.0 - rho) ** 2)[:, None]
    return Multiplier(value, slope)


def multiplier(rho: NDArray, schur: Schur, block: int | None = None) -> Multiplier:
    """Multiplier for any W and any Durbin W, by triangular solves batched over rho."""
    rho = np.atleast_1d(np.asarray(rho, dtype=float))
    # a block of complex (N, N) solutions stays in memory
    block = block or max(1, min(2000, 4_000_000 // schur.triangular.size))
    parts = [_multiplier_block(rho[i : i + block], schur) for i in range(0, rho.size, block)]
    return Multiplier(np.concatenate([p.value for p in parts]), np.concatenate([p.slope for p in parts]))


def _multiplier_block(rho: NDArray, schur: Schur) -> Multiplier:
    t, n = schur.triangular, schur.triangular.shape[0]
    d = t if schur.durbin is None else schur.durbin
    # d/d rho (I - rho W)^-1 = (I - rho W)^-1 W (I - rho W)^-1
    s1 = _solve_triangular(rho, t, np.broadcast_to(schur.right[:, None], (n, 1)))
    sd = _solve_triangular(rho, t, (d @ schur.right)[:, None])
    slope1, sloped = (_solve_triangular(rho, t, t @ part) for part in (s1, sd))
    value, slope = np.empty((rho.size, 2, 2)), np.empty((rho.size, 2, 2))
    for column, (v, s) in enumerate(((s1, slope1), (sd, sloped))):
        value[:, 1, column] = np.einsum("n,rnk->r", schur.left, v).real
        slope[:, 1, column] = np.einsum("n,rnk->r", schur.left, s).real
    omega = np.diag(t)
    inverse = 1.0 / (1.0 - rho[:, None] * omega)
    value[:, 0, 0] = inverse.sum(axis=1).real / n
    slope[:, 0, 0] = (omega * inverse**2).sum(axis=1).real / n
    if schur.durbin is None:
        value[:, 0, 1] = (omega * inverse).sum(axis=1).real / n
        slope[:, 0, 1] = ((omega * inverse) ** 2).sum(axis=1).real / n
    else:
        full = _solve_triangular(rho, t, d)
        value[:, 0, 1] = np.einsum("rnn->r", full).real / n
        slope[:, 0, 1] = np.einsum("rnn->r", _solve_triangular(rho, t, t @ full)).real / n
    return Multiplier(value, slope)


def _solve_triangular(rho: NDArray, t: NDArray, rhs: NDArray) -> NDArray:
    """Solve ``(I - rho_r T) x_r = rhs_r`` by back substitution for all r at once; T upper triangular."""
    n = t.shape[0]
    x = np.array(np.broadcast_to(rhs, (rho.size, n, rhs.shape[-1])), dtype=complex)
    for row in range(n - 1, -1, -1):
        if row < n - 1:
            x[:, row] += rho[:, None] * np.einsum("j,rjk->rk", t[row, row + 1 :], x[:, row + 1 :])
        x[:, row] /= (1.0 - rho * t[row, row])[:, None]
    return x


def impacts(coefficients: NDArray, mult: Multiplier) -> NDArray:
    """Impacts (R, K, 3) = direct, indirect, total from ``coefficients`` (R, K, 2) = (beta, theta)."""
    both = np.einsum("rkc,rsc->rks", coefficients, mult.value)
    return np.stack([both[..., 0], both[..., 1] - both[..., 0], both[..., 1]], axis=-1)


def delta_variances(coefficients: NDArray, mult: Multiplier, covariance: NDArray, index: NDArray) -> NDArray:
    """Variances (R, K, 3) of direct, indirect and total by the analytic gradient (delta method).

    Parameters
    ----------
    coefficients : (R, K, 2) ndarray
        (beta, theta) of every regressor.
    covariance : (R, p, p) ndarray
        Covariance of the parameters.
    index : (K, 3) int ndarray
        Positions of beta_k, theta_k and rho among the parameters; -1 for those a model does not have.
    """
    gradient = impact_gradients(coefficients, mult)
    block = covariance[:, index[:, :, None], index[:, None, :]]
    present = index >= 0
    block = block * (present[:, :, None] & present[:, None, :])
    return np.einsum("rksi,rkij,rksj->rks", gradient, block, gradient)


def impact_gradients(coefficients: NDArray, mult: Multiplier) -> NDArray:
    """Gradients (R, K, 3, 3) of (direct, indirect, total) with respect to (beta_k, theta_k, rho)."""
    r, k, _ = coefficients.shape
    gradient = np.empty((r, k, 3, 3))
    for row, source in ((0, 0), (2, 1)):
        gradient[:, :, row, :2] = mult.value[:, None, source]
        gradient[:, :, row, 2] = np.einsum("rkc,rc->rk", coefficients, mult.slope[:, source])
    gradient[:, :, 1] = gradient[:, :, 2] - gradient[:, :, 0]
    return gradient


@dataclass(frozen=True, slots=True)
class UnitMultiplier:
    """The multiplier unit by unit, for effects whose size differs between units.

    Attributes
    ----------
    value, slope : (R, 2, 2, N) ndarray
        ``[:, 0]`` diagonal, ``[:, 1]`` column sums; ``[:, :, 0]`` of ``(I - rho W)^-1``, ``[:, :, 1]`` of that
        times W_d; slope is the derivative with respect to rho.
    """

    value: NDArray
    slope: NDArray


def unit_multiplier(rho: NDArray, w: NDArray, w_durbin: NDArray, block: int = 1000) -> UnitMultiplier:
    """Multiplier unit by unit at R values of rho, by batched dense inverses."""
    parts = [_unit_block(rho[i : i + block], w, w_durbin) for i in range(0, rho.size, block)]
    return UnitMultiplier(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))


def _unit_block(rho: NDArray, w: NDArray, w_durbin: NDArray) -> tuple[NDArray, NDArray]:
    inverse = np.linalg.inv(np.eye(w.shape[0]) - rho[:, None, None] * w)
    slope = inverse @ w @ inverse

    def both(a: NDArray) -> NDArray:
        return np.stack(
            [np.stack([np.diagonal(m, axis1=1, axis2=2), m.sum(axis=1)], axis=1) for m in (a, a @ w_durbin)], axis=2
        )

    return both(inverse), both(slope)


def varying_impacts(coefficients: NDArray, derivative: NDArray, mult: UnitMultiplier) -> NDArray:
    """Average marginal effects (R, 3) of a variable that enters through several columns.

    ``direct = sum_c [beta_c diag(A^-1) + theta_c diag(A^-1 W)]' d_c / N`` with d_c (N) the derivative of column c with
    respect to the variable, averaged over periods.

    Parameters
    ----------
    coefficients : (R, C, 2) ndarray
    derivative : (C, N) ndarray
    """
    both = np.einsum("rcx,cn,rsxn->rs", coefficients, derivative, mult.value) / derivative.shape[1]
    return np.stack([both[:, 0], both[:, 1] - both[:, 0], both[:, 1]], axis=-1)


def varying_gradient(coefficients: NDArray, derivative: NDArray, mult: UnitMultiplier) -> tuple[NDArray, NDArray]:
    """Gradient of `varying_impacts` at one point: (3, C, 2) in the coefficients and (3,) in rho."""
    n = derivative.shape[1]
    coef = np.einsum("cn,sxn->scx", derivative, mult.value[0]) / n
    rho = np.einsum("cx,cn,sxn->s", coefficients, derivative, mult.slope[0]) / n
    return np.stack([coef[0], coef[1] - coef[0], coef[1]]), np.array([rho[0], rho[1] - rho[0], rho[1]])
