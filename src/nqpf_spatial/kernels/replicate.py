r"""Many refits of one spatial-lag design at once: the engine of bootstraps and coverage studies.

The design is fixed, so Z is decomposed once; replicate r differs by its errors only and enters the
likelihood through three numbers (a, b, c) of ``SSE(rho) = a - 2 b rho + c rho^2``. Demeaning over units is
folded into the multiplier matrices, demeaning over periods is done on the errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.ml import maximise_lag
from nqpf_spatial.kernels.moments import remove_effects

_BLOCK = 1024  # replicates per block: keeps the working set inside the cache


@dataclass(frozen=True, slots=True)
class LagDesign:
    """A fixed design and the parameters that generate replicates from it.

    Attributes
    ----------
    basis, triangle : (NT, k), (k, k) ndarray
        QR decomposition of the demeaned Z.
    mean_y, mean_wy : (T, N) ndarray
        Demeaned systematic part of y and of Wy.
    to_y, to_wy : (N, N) ndarray
        Transposed maps from errors to y and Wy, units already demeaned where there are time effects.
    unit : bool
        Unit effects.
    n, m : int
        Observations and periods of the likelihood.
    logdet : LogDet or None
        None for models without a lag.
    """

    basis: NDArray
    triangle: NDArray
    mean_y: NDArray
    mean_wy: NDArray
    to_y: NDArray
    to_wy: NDArray
    unit: bool
    n: int
    m: int
    logdet: LogDet | None


@dataclass(frozen=True, slots=True)
class Refits:
    """Estimates of R replicates.

    Attributes
    ----------
    beta : (R, k) ndarray
    rho, sigma2 : (R,) ndarray
    wy_cross : (R, k + 1) ndarray
        Cross-products of Wy with (Z, Wy) over sigma2, what the observed information needs.
    """

    beta: NDArray
    rho: NDArray
    sigma2: NDArray
    wy_cross: NDArray


def lag_design(
    z: NDArray,
    signal: NDArray,
    w: NDArray | None,
    rho: float,
    effects: tuple[bool, bool],
    n: int,
    m: int,
    logdet: LogDet | None,
) -> LagDesign:
    """Prepare a design; `z` (k, T, N) before demeaning, `signal` (T, N) = Z beta + fixed effects."""
    size = signal.shape[1]
    unit, time = effects
    flat = remove_effects(z, unit, time).reshape(z.shape[0], signal.size).T
    basis, triangle = (
        sla.qr(flat, mode="economic", check_finite=False)
        if flat.shape[1]
        else (np.empty((flat.shape[0], 0)), np.empty((0, 0)))
    )
    eye = np.eye(size)
    lagged = np.zeros((size, size)) if w is None else w
    inverse = eye if w is None else sla.inv(eye - rho * w)
    centre = eye - 1.0 / size if time else eye
    mean_y, mean_wy = (remove_effects(signal @ p.T, unit, time) for p in (inverse, lagged @ inverse))
    to_y, to_wy = ((centre @ p).T for p in (inverse, lagged @ inverse))
    return LagDesign(basis, triangle, mean_y, mean_wy, to_y, to_wy, unit, n, m, logdet)


def refit(design: LagDesign, errors: NDArray) -> Refits:
    """Estimate every replicate from its errors (R, T, N)."""
    parts = [_refit_block(design, errors[i : i + _BLOCK]) for i in range(0, errors.shape[0], _BLOCK)]
    return Refits(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("beta", "rho", "sigma2", "wy_cross"))
    )


def refit_stream(design: LagDesign, blocks: Iterator[NDArray]) -> Refits:
    """As `refit`, over blocks of errors that are made one at a time."""
    parts = [refit(design, block) for block in blocks]
    return Refits(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("beta", "rho", "sigma2", "wy_cross"))
    )


def _refit_block(design: LagDesign, errors: NDArray) -> Refits:
    if design.unit:
        errors = errors - errors.mean(axis=1, keepdims=True)
    replicates = errors.shape[0]
    y = (errors @ design.to_y + design.mean_y).reshape(replicates, -1)
    wy = (errors @ design.to_wy + design.mean_wy).reshape(replicates, -1)
    py, pw = y @ design.basis, wy @ design.basis
    a = np.einsum("rn,rn->r", y, y) - np.einsum("rk,rk->r", py, py)
    b = np.einsum("rn,rn->r", y, wy) - np.einsum("rk,rk->r", py, pw)
    ww = np.einsum("rn,rn->r", wy, wy)
    c = ww - np.einsum("rk,rk->r", pw, pw)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = a if design.logdet is None else a - b**2 / c
    empty = int(np.sum(~(least > 1e-15 * np.einsum("rn,rn->r", y, y))))
    if empty:
        raise IdentificationError(
            f"{empty} of {replicates} bootstrap samples are fitted without a residual: too few observations for a bootstrap"
        )
    if design.logdet is None:
        rho = np.zeros(replicates)
    else:
        rho, _ = maximise_lag(a, b, c, design.n, design.m, design.logdet, tol=1e-10)
    sigma2 = (a - 2 * b * rho + c * rho**2) / design.n
    k = design.triangle.shape[0]
    beta = sla.solve_triangular(design.triangle, (py - rho[:, None] * pw).T, check_finite=False).T if k else py
    cross = np.column_stack([pw @ design.triangle, ww]) / sigma2[:, None]
    return Refits(beta, rho, sigma2, cross)


def covariances(design: LagDesign, fits: Refits) -> NDArray:
    """(R, p, p) inverse observed information of (beta, [rho]) of every replicate, sigma2 concentrated out.

    With e'Wy / sigma2 = m tr(G) at the maximum, the sigma2 row adds -2 (m tr G)^2 / n to the rho-rho element.
    """
    k = design.triangle.shape[0]
    zz = design.triangle.T @ design.triangle  # (0, 0) without regressors
    if design.logdet is None:
        return np.linalg.inv(zz) * fits.sigma2[:, None, None]
    d1, d2 = design.logdet.derivatives(fits.rho)
    information = np.empty((fits.rho.size, k + 1, k + 1))
    information[:, :k, :k] = zz / fits.sigma2[:, None, None]
    information[:, :k, k] = information[:, k, :k] = fits.wy_cross[:, :k]
    information[:, k, k] = fits.wy_cross[:, k] - design.m * d2 - 2.0 * (design.m * d1) ** 2 / design.n
    return np.linalg.inv(information)
