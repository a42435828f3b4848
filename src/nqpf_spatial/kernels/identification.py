r"""How much the data say about the spatial parameter: its distribution over data sets drawn from the fitted model.

The lag models go through `kernels.replicate`. For the error model the residual sum of squares of a replicate is, for
every lambda, a quadratic form in cross-products that are computed once:

.. math:: SSE(\lambda) = |f|^2 - f'Z_\lambda (Z_\lambda'Z_\lambda)^{-1} Z_\lambda'f, \qquad f = (I - \lambda W) u,\; Z_\lambda = (I - \lambda W) Z
"""

from __future__ import annotations

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.moments import remove_effects, spatial_lag

_GRID = 401  # values of lambda; the maximum is interpolated between them


def error_replicates(
    z: NDArray, w: NDArray, lambda_: float, errors: NDArray, effects: tuple[bool, bool], n: int, m: int, logdet: LogDet
) -> NDArray:
    """Estimates of lambda (R,) from data sets with the given errors.

    Parameters
    ----------
    z : (k, T, N) ndarray
        Regressors before removal of the effects.
    w : (N, N) ndarray
        Error weights.
    lambda_ : float
        Value that generates the data.
    errors : (R, T, N) ndarray
    effects : (unit, time)
    n, m : int
        Observations and periods of the likelihood.
    logdet : LogDet
    """
    replicates = errors.shape[0]
    u = remove_effects(errors @ sla.inv(np.eye(w.shape[0]) - lambda_ * w).T, *effects)
    wu = remove_effects(u @ w.T, *effects).reshape(replicates, -1)
    u = u.reshape(replicates, -1)
    z = remove_effects(z, *effects)
    wz = remove_effects(np.stack([spatial_lag(w, part) for part in z]), *effects) if z.shape[0] else z
    z, wz = (part.reshape(z.shape[0], u.shape[1]) for part in (z, wz))
    squares = [np.einsum("rn,rn->r", a, b) for a, b in ((u, u), (u, wu), (wu, wu))]
    cross = [a @ b.T for a, b in ((u, z), (wu, z), (u, wz), (wu, wz))]
    grid = np.linspace(max(logdet.low, -1e3), min(logdet.high, 1e3), _GRID + 2)[1:-1]
    values = np.empty((_GRID, replicates))
    for i, x in enumerate(grid):
        sse = squares[0] - 2.0 * x * squares[1] + x**2 * squares[2]
        if z.shape[0]:
            q = sla.cholesky((z - x * wz) @ (z - x * wz).T, lower=True)
            zf = cross[0] - x * (cross[1] + cross[2]) + x**2 * cross[3]
            sse = sse - (sla.solve_triangular(q, zf.T, lower=True) ** 2).sum(axis=0)
        values[i] = -0.5 * n * np.log(sse) + m * float(logdet(x))
    return _interpolated(grid, values)


def _interpolated(grid: NDArray, values: NDArray) -> NDArray:
    """Vertex of the parabola through the highest point of every column and its neighbours."""
    best = np.clip(values.argmax(axis=0), 1, grid.size - 2)
    column = np.arange(values.shape[1])
    left, middle, right = (values[best + shift, column] for shift in (-1, 0, 1))
    curvature = left - 2.0 * middle + right
    shift = np.where(curvature < 0, 0.5 * (left - right) / np.where(curvature < 0, curvature, -1.0), 0.0)
    return grid[best] + np.clip(shift, -1.0, 1.0) * (grid[1] - grid[0])
