r"""Responses of the outcome to changes of the regressors, through space and over time.

The model in differences between a counterfactual and the facts, effects and errors as they were:

.. math:: \Delta y_t = S\,[\Delta X_t\beta + W_d\,\Delta X_t\theta + (\tau I + \eta W_\tau)\,\Delta y_{t-1}],
          \qquad S = (I - \rho W)^{-1}

(LeSage and Pace 2009, eq. 2.39, written for any change instead of a unit change; with time lags Debarsy, Ertur and
LeSage 2012). It is linear in (beta, theta), and its derivative in every parameter solves the same recursion with another forcing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

#: of complex-step derivatives: no subtraction, so no cancellation (Squire and Trapp 1998)
STEP = 1e-30
_WORK = 4_000_000  # elements of a block of inverses


@dataclass(frozen=True, slots=True)
class Parameters:
    """R parameter vectors, absent ones zero.

    Attributes
    ----------
    beta, theta : (R, K) ndarray
        Coefficients of K regressors and of their spatial lags.
    rho, tau, eta : (R,) ndarray
        Coefficients of Wy, of y one period before, and of its spatial lag.
    """

    beta: NDArray
    theta: NDArray
    rho: NDArray
    tau: NDArray
    eta: NDArray

    @property
    def dynamic(self) -> bool:
        """Whether the past matters."""
        return bool(np.any(self.tau != 0.0) or np.any(self.eta != 0.0))

    def block(self, start: int, stop: int) -> Parameters:
        """Rows `start` to `stop`."""
        return Parameters(*(getattr(self, name)[start:stop] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Space:
    """Weights (N, N), dense or sparse, of Wy, of the regressors and of y one period before; None where there is none."""

    lag: NDArray | None
    durbin: NDArray | None
    time: NDArray | None


def lagged(w: NDArray | None, a: NDArray) -> NDArray:
    """``W a`` along the last axis of (..., N); zeros without W."""
    if w is None:
        return np.zeros_like(a)
    return np.asarray((w @ a.reshape(-1, a.shape[-1]).T).T).reshape(a.shape)


def solver(w: NDArray | None, rho: complex) -> Callable[[NDArray], NDArray]:
    """``(I - rho W)^{-1}`` along the last axis, from one factorisation, sparse for a sparse W."""
    if w is None or rho == 0.0:
        return lambda a: a
    if sparse.issparse(w):
        factor = splu(sparse.csc_array(sparse.eye_array(w.shape[0]) - rho * w))
        return lambda a: factor.solve(np.ascontiguousarray(a.reshape(-1, a.shape[-1]).T)).T.reshape(a.shape)
    dense = sla.lu_factor(np.eye(w.shape[0]) - rho * w, check_finite=False)
    return lambda a: sla.lu_solve(dense, a.reshape(-1, a.shape[-1]).T, check_finite=False).T.reshape(a.shape)


def inverses(w: NDArray | None, rho: NDArray, n: int) -> NDArray:
    """``(I - rho_r W)^{-1}`` (R, N, N)."""
    if w is None:
        return np.broadcast_to(np.eye(n), (rho.size, n, n))
    distinct = rho[:1] if (rho == rho[0]).all() else rho
    return np.broadcast_to(np.linalg.inv(np.eye(n) - distinct[:, None, None] * w), (rho.size, n, n))


def block_size(n: int) -> int:
    """Parameter vectors whose inverses stay in memory together."""
    return int(max(1, min(2000, _WORK // n**2)))


def propagate(
    forcing: NDArray, par: Parameters, space: Space, first: NDArray | None = None, inverse: NDArray | None = None
) -> NDArray:
    """Solve ``y_t = S [f_t + (tau I + eta W) y_{t-1}]`` for R parameter vectors.

    Parameters
    ----------
    forcing : (R, ..., T, N) ndarray
    par : Parameters
    space : Space
    first : (R, ..., N) ndarray, optional
        y before the first period; zero by default.
    inverse : (R, N, N) ndarray, optional
        `inverses` of the same parameters, if they are at hand.

    Returns
    -------
    (R, ..., T, N) ndarray
    """
    shape, n = forcing.shape, forcing.shape[-1]
    turned = (inverses(space.lag, par.rho, n) if inverse is None else inverse).swapaxes(-1, -2)
    if not par.dynamic and first is None:
        return (forcing.reshape(shape[0], -1, n) @ turned).reshape(shape)
    flat = forcing.reshape(shape[0], -1, *shape[-2:])
    before = np.zeros(flat.shape[:2] + (n,)) if first is None else first.reshape(flat.shape[0], -1, n)
    out = np.empty(flat.shape, dtype=np.result_type(flat, turned))
    for t in range(shape[-2]):
        past = par.tau[:, None, None] * before + par.eta[:, None, None] * lagged(space.time, before)
        before = out[:, :, t] = (flat[:, :, t] + past) @ turned
    return out.reshape(shape)


def responses(dx: NDArray, par: Parameters, space: Space) -> NDArray:
    """Response (R, T, N) of the outcome to changes ``dx`` (K, T, N) of the regressors."""
    wdx, size = lagged(space.durbin, dx), block_size(dx.shape[-1])
    parts = []
    for start in range(0, par.rho.size, size):
        some = par.block(start, start + size)
        forcing = np.einsum("rk,ktn->rtn", some.beta, dx) + np.einsum("rk,ktn->rtn", some.theta, wdx)
        parts.append(propagate(forcing, some, space))
    return np.concatenate(parts)


def response_and_gradient(dx: NDArray, par: Parameters, space: Space) -> tuple[NDArray, NDArray]:
    """Response (T, N) at one parameter vector, and its gradient (2K + 3, T, N) in (beta, theta, rho, tau, eta).

    One factorisation: the gradient solves the recursion with the forcing ``dx_k``, ``W_d dx_k``, ``W dy_t``,
    ``dy_{t-1}`` and ``W dy_{t-1}``.
    """
    wdx = lagged(space.durbin, dx)
    solve = solver(space.lag, float(par.rho[0]))
    tau, eta = float(par.tau[0]), float(par.eta[0])

    def run(forcing: NDArray) -> NDArray:
        if not par.dynamic:
            return solve(forcing)
        out, before = np.empty_like(forcing), np.zeros_like(forcing[:, 0])
        for t in range(forcing.shape[1]):
            before = out[:, t] = solve(forcing[:, t] + tau * before + eta * lagged(space.time, before))
        return out

    value = run((np.tensordot(par.beta[0], dx, axes=1) + np.tensordot(par.theta[0], wdx, axes=1))[None])[0]
    past = np.concatenate([np.zeros_like(value[:1]), value[:-1]])
    spatial = np.stack([lagged(space.lag, value), past, lagged(space.time, past)])
    return value, run(np.concatenate([dx, wdx, spatial]))


def own_responses(dx: NDArray, par: Parameters, space: Space) -> NDArray:
    """What the change in a unit does to that unit itself, feedback through others included; (R, T, N).

    ``sum_h [diag(A^h S) (dX_{t-h} beta) + diag(A^h S W_d) (dX_{t-h} theta)]`` with ``A = S (tau I + eta W)``; the rest of
    the response is spillover.
    """
    size = block_size(dx.shape[-1])
    parts = []
    for start in range(0, par.rho.size, size):
        some = par.block(start, start + size)
        own = np.einsum("rk,ktn->rtn", some.beta, dx)
        through = np.einsum("rk,ktn->rtn", some.theta, dx)
        parts.append(_convolve(_diagonals(some, space, dx.shape[1:]), own, through))
    return np.concatenate(parts)


def own_gradient(dx: NDArray, par: Parameters, space: Space) -> NDArray:
    """Gradient (2K + 3, T, N) of `own_responses` at one parameter vector, in the order of `response_and_gradient`."""
    k = dx.shape[0]
    diagonals = _diagonals(par, space, dx.shape[1:])
    zero = np.zeros_like(dx)
    linear = [_convolve(diagonals, dx, zero), _convolve(diagonals, zero, dx)]
    spatial = np.zeros((3, *dx.shape[1:]))
    for j, w in enumerate((space.lag, True, space.time)):
        if w is None or (j > 0 and not par.dynamic):
            continue
        step = [value.astype(complex) for value in (par.rho, par.tau, par.eta)]
        step[j] = step[j] + 1j * STEP
        moved = own_responses(dx, Parameters(par.beta, par.theta, *step), space)
        spatial[j] = moved[0].imag / STEP
    return np.concatenate([*linear, spatial]).reshape(2 * k + 3, *dx.shape[1:])


def powers(par: Parameters, space: Space, n: int, horizons: int) -> list[NDArray]:
    """``A^h S`` for h below `horizons`, every one (R, N, N); without time lags only the first, the others are zero."""
    found = [inverses(space.lag, par.rho, n)]
    if not par.dynamic:
        return found
    time = np.zeros((n, n)) if space.time is None else space.time
    carry = found[0] @ (par.tau[:, None, None] * np.eye(n) + par.eta[:, None, None] * time)
    for _ in range(horizons - 1):
        found.append(carry @ found[-1])
    return found


def _diagonals(par: Parameters, space: Space, shape: tuple[int, ...]) -> tuple[NDArray, NDArray]:
    """(R, H, N) diagonals of ``A^h S`` and of ``A^h S W_d``; H is 1 without time lags."""
    plain, durbin = [], []
    for power in powers(par, space, shape[1], shape[0]):
        plain.append(np.diagonal(power, axis1=1, axis2=2))
        durbin.append(
            np.zeros_like(plain[-1]) if space.durbin is None else np.einsum("rij,ji->ri", power, space.durbin)
        )
    return np.stack(plain, axis=1), np.stack(durbin, axis=1)


def _convolve(diagonals: tuple[NDArray, NDArray], own: NDArray, through: NDArray) -> NDArray:
    """Sum over lags h of ``diagonals[:, h] * x[:, t - h]``; (R or 1, T, N) and (R or M, T, N)."""
    plain, durbin = diagonals
    out = np.zeros(np.broadcast_shapes(own.shape, (plain.shape[0], 1, 1)), dtype=np.result_type(plain, own))
    t = own.shape[1]
    for h in range(plain.shape[1]):
        out[:, h:] += plain[:, h, None] * own[:, : t - h] + durbin[:, h, None] * through[:, : t - h]
    return out
