"""Many refits of one dynamic design at once: recursive paths from given first values, adjusted likelihood per replicate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.kernels.dynamic import Adjustment, Cross, Solution, information, maximise
from nqpf_spatial.kernels.moments import remove_effects

_BLOCK = 256  # replicates per block: keeps the working set inside the cache


@dataclass(frozen=True, slots=True)
class DynamicDesign:
    """A fixed design and the parameters that generate replicates from it.

    Attributes
    ----------
    basis, triangle : (NT, k), (k, k) ndarray
        QR decomposition of the demeaned Z (without the time lags).
    signal : (T, N) ndarray
        ``Z beta`` plus the effects.
    first : (N,) ndarray
        y_0.
    w : (N, N) ndarray
        Weights of the spatial lags; zeros without any.
    phi : (3,) ndarray
        (tau, eta, rho) that generate the paths and start the search.
    effects : (unit, time)
    n : int
        Observations of the likelihood.
    """

    basis: NDArray
    triangle: NDArray
    signal: NDArray
    first: NDArray
    w: NDArray
    phi: NDArray
    effects: tuple[bool, bool]
    n: int
    adjustment: Adjustment
    free: tuple[int, ...]
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class DynamicRefits:
    """Estimates of R replicates; rows where `converged` is False found no maximum.

    Attributes
    ----------
    beta : (R, k) ndarray
    phi : (R, 3) ndarray
    sigma2 : (R,) ndarray
    converged : (R,) bool ndarray
    covariance : (R, p, p) ndarray or None
        ``H^{-1} J H^{-1}`` of (beta, [tau], [eta], [rho], sigma2), on request.
    """

    beta: NDArray
    phi: NDArray
    sigma2: NDArray
    converged: NDArray
    covariance: NDArray | None


def dynamic_design(
    z: NDArray, signal: NDArray, first: NDArray, w: NDArray, phi: NDArray, effects: tuple[bool, bool], n: int,
    adjustment: Adjustment, free: tuple[int, ...], interval: tuple[float, float],
) -> DynamicDesign:  # fmt: skip
    """Prepare a design; `z` is (k, T, N) before demeaning."""
    flat = remove_effects(z, *effects).reshape(z.shape[0], signal.size).T
    basis, triangle = sla.qr(flat, mode="economic", check_finite=False)
    return DynamicDesign(basis, triangle, signal, first, w, phi, effects, n, adjustment, free, interval)


def paths(design: DynamicDesign, errors: NDArray) -> NDArray:
    """y (R, T + 1, N) from errors (R, T, N), y_0 included."""
    eye = np.eye(design.w.shape[0])
    tau, eta, rho = design.phi
    to_y = sla.inv(eye - rho * design.w).T
    carry = (tau * eye + eta * design.w).T @ to_y
    shocks = (errors + design.signal) @ to_y
    y = np.empty((errors.shape[0], errors.shape[1] + 1, eye.shape[0]))
    y[:, 0] = design.first
    for t in range(errors.shape[1]):
        y[:, t + 1] = y[:, t] @ carry + shocks[:, t]
    return y


def refit(design: DynamicDesign, blocks: Iterator[NDArray], covariance: bool = False) -> DynamicRefits:
    """Estimate every replicate from blocks (R, T, N) of errors."""
    parts = [
        _refit_block(design, block[i : i + _BLOCK], covariance)
        for block in blocks
        for i in range(0, block.shape[0], _BLOCK)
    ]
    return DynamicRefits(
        np.concatenate([part.beta for part in parts]),
        np.concatenate([part.phi for part in parts]),
        np.concatenate([part.sigma2 for part in parts]),
        np.concatenate([part.converged for part in parts]),
        np.concatenate([part.covariance for part in parts if part.covariance is not None]) if covariance else None,
    )


def _refit_block(design: DynamicDesign, errors: NDArray, covariance: bool) -> DynamicRefits:
    y = paths(design, errors)
    lags = {0: lambda: y[:, :-1], 1: lambda: y[:, :-1] @ design.w.T, 2: lambda: y[:, 1:] @ design.w.T}
    columns = np.stack([*(lags[j]() for j in design.free), y[:, 1:]], axis=1)
    flat = remove_effects(columns, *design.effects).reshape(*columns.shape[:2], -1)
    projected = flat @ design.basis
    moments = flat @ flat.transpose(0, 2, 1)
    rest = moments - projected @ projected.transpose(0, 2, 1)
    f, pick = len(design.free), np.array(design.free)
    c, b = np.zeros((errors.shape[0], 3, 3)), np.zeros((errors.shape[0], 3))
    c[:, pick[:, None], pick], b[:, pick] = rest[:, :f, :f], rest[:, :f, f]
    start = np.broadcast_to(design.phi, b.shape)
    found = maximise(
        Cross(c, b, rest[:, f, f]), design.n, design.adjustment, design.free, start, design.interval, tol=1e-9
    )
    chosen = found.phi[:, pick]
    left = projected[:, f] - np.einsum("rj,rjk->rk", chosen, projected[:, :f])
    k = design.triangle.shape[0]
    beta = sla.solve_triangular(design.triangle, left.T, check_finite=False).T if k else left
    sigma2 = found.sse / design.n
    cov = _covariances(design, found, projected, moments, rest, sigma2) if covariance else None
    return DynamicRefits(beta, found.phi, sigma2, found.converged, cov)


def _covariances(
    design: DynamicDesign, found: Solution, projected: NDArray, moments: NDArray, rest: NDArray, sigma2: NDArray
) -> NDArray:
    k, f = design.triangle.shape[0], len(design.free)
    gram = np.empty((sigma2.size, k + f, k + f))
    gram[:, :k, :k] = design.triangle.T @ design.triangle
    gram[:, k:, :k] = projected[:, :f] @ design.triangle
    gram[:, :k, k:] = gram[:, k:, :k].transpose(0, 2, 1)
    gram[:, k:, k:] = moments[:, :f, :f]
    residual = np.zeros((sigma2.size, k + f))  # Z is orthogonal to the residual
    residual[:, k:] = rest[:, :f, f] - np.einsum("rij,rj->ri", rest[:, :f, :f], found.phi[:, list(design.free)])
    hessian, variance = information(
        gram, residual, found.sse, sigma2, design.n, design.adjustment, found.phi, design.free
    )
    return sandwich(hessian, variance)


def sandwich(hessian: NDArray, variance: NDArray) -> NDArray:
    """``H^{-1} J H^{-1}``, batched."""
    return np.linalg.solve(hessian, np.linalg.solve(hessian, variance).transpose(0, 2, 1))
