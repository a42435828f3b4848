r"""Expected information of the static models (Anselin 1988, section 6.2; Ord 1975).

With ``A = I - rho W1``, ``B = I - lambda W2``, ``G1 = W1 A^-1``, ``G2 = W2 B^-1`` and ``H = B G1 B^-1``, the
derivatives of the filtered error are ``-B Z``, ``-(B G1 Z beta + H e)`` and ``-G2 e``.
The observed information needs no N x N matrix and is the default; this is what spatialreg and spreg print.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.kernels.moments import remove_effects, spatial_lag


def expected_information(
    z: NDArray,
    beta: NDArray,
    sigma2: float,
    lag: tuple[NDArray, float] | None,
    error: tuple[NDArray, float] | None,
    effects: tuple[bool, bool],
    periods: int,
    project: bool,
    n: int,
    fixed: NDArray | float = 0.0,
) -> NDArray:
    """Expected information of (beta, [rho], [lambda], sigma2).

    Parameters
    ----------
    z : (k, T, N) ndarray
        Columns of Z before removal of the effects.
    lag, error : (W, parameter) or None
    effects : (unit, time)
    periods : int
        Periods that carry a Jacobian (m of the likelihood).
    project : bool
        Time effects transformed away: traces are those of F'MF.
    n : int
        Observations of the likelihood.
    fixed : (T, N) ndarray or 0
        Estimated effects: W spreads them too, and time effects do not drop out again unless its rows sum to one.
    """
    k, size = z.shape[0], z.shape[2]
    eye = np.eye(size)
    b = eye if error is None else eye - error[1] * error[0]
    columns = [spatial_lag(b, part) for part in z]
    g1 = h = g2 = None
    if lag is not None:
        g1 = sla.solve((eye - lag[1] * lag[0]).T, lag[0].T).T
        h = g1 if error is None else sla.solve(b.T, (b @ g1).T).T
        columns.append(spatial_lag(b @ g1, np.tensordot(beta, z, axes=1) + fixed))
    if error is not None:
        g2 = sla.solve(b.T, error[0].T).T
    unit, time = effects
    stacked = np.stack(columns) if columns else np.empty((0, *z.shape[1:]))
    flat = remove_effects(stacked, unit, time).reshape(len(columns), z.shape[1] * z.shape[2])
    spatial = [m for m in (h, g2) if m is not None]
    p = k + len(spatial) + 1
    information = np.zeros((p, p))
    information[: flat.shape[0], : flat.shape[0]] = flat @ flat.T / sigma2
    if project:
        centre = eye - 1.0 / size
        spatial = [centre @ m @ centre for m in spatial]
    for i, left in enumerate(spatial):
        for j, right in enumerate(spatial):
            information[k + i, k + j] += periods * (np.sum(left * right) + np.sum(left * right.T))
        information[k + i, -1] = information[-1, k + i] = periods * np.trace(left) / sigma2
    information[-1, -1] = n / (2.0 * sigma2**2)
    return information
