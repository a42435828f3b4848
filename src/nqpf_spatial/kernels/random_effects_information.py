r"""Expected information of panels with random unit effects.

y is normal with mean ``A^-1 Z beta`` and covariance ``A^-1 Sigma A'^-1``. Sigma is block-diagonal after
rotation over time: T - 1 within blocks and one between block, so that with ``G = W1 A^-1`` each block adds

.. math::
   D'\Sigma_b^{-1}D + \tfrac12\mathrm{tr}(M_i M_j), \quad D = [Z, GZ\beta], \quad
   M_i = \Sigma_b^{-1}\,\partial\Sigma_b/\partial\theta_i, \quad M_\rho = \Sigma_b^{-1}G\Sigma_b + G'

(Magnus 1978, in the coordinates of the composite error). It is the expectation of the observed information
that `nqpf_spatial.kernels.random_effects.fit_re` returns.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.kernels.random_effects import REFit


def expected_information_re(z: NDArray, fit: REFit, w_lag: NDArray | None, w_error: NDArray | None) -> NDArray:
    """Expected information in the order of ``fit.parameters``.

    Parameters
    ----------
    z : (k, T, N) ndarray
        Regressors as given to `fit_re`.
    fit : REFit
    w_lag, w_error : (N, N) ndarray or None
        Weights of the lag and of the error, as the model has them.
    """
    if fit.time:
        rotation = sla.helmert(z.shape[2])
        z = z @ rotation.T
        w_lag = None if w_lag is None else rotation @ w_lag @ rotation.T
        w_error = None if w_error is None else rotation @ w_error @ rotation.T
    size, periods = fit.units, fit.periods
    columns = list(z)
    g = None
    if w_lag is not None:
        g = np.linalg.solve((np.eye(size) - fit.rho * w_lag).T, np.asarray(w_lag).T).T
        columns.append(spatial_lag(g, np.tensordot(fit.beta, z, axes=1)))
    stacked = np.stack(columns) if columns else np.empty((0, periods, size))
    means = np.sqrt(periods) * stacked.mean(axis=1, keepdims=True)
    within = stacked - stacked.mean(axis=1, keepdims=True)
    total = np.zeros((len(fit.parameters), len(fit.parameters)))
    for part, copies, derivatives in (
        (within, periods - 1, _within_block(fit, w_error)),
        (means, 1, _between_block(fit, w_error)),
    ):
        total += _block_information(part, copies, derivatives, g, fit)
    return total


def _block_information(
    columns: NDArray, copies: int, block: dict[str, NDArray], g: NDArray | None, fit: REFit
) -> NDArray:
    """Contribution of one kind of block; `block` maps parameters to derivatives, ``""`` to the covariance."""
    covariance = block[""]
    inverse = np.linalg.inv(covariance)
    p, k = len(fit.parameters), fit.beta.size
    information = np.zeros((p, p))
    mean = columns.shape[0]
    flat = columns.reshape(mean, -1)
    information[:mean, :mean] = flat @ (columns @ inverse).reshape(mean, -1).T if mean else 0.0
    relative = {}
    for name in fit.parameters[k:]:
        if name == "rho":
            assert g is not None
            relative[name] = inverse @ g @ covariance + g.T
        elif name in block:
            relative[name] = inverse @ block[name]
    for name, left in relative.items():
        for other, right in relative.items():
            i, j = fit.parameters.index(name), fit.parameters.index(other)
            information[i, j] += 0.5 * copies * float(np.sum(left * right.T))
    return information


def _error_covariance(fit: REFit, w_error: NDArray | None) -> tuple[NDArray, NDArray | None]:
    """``(B'B)^-1`` and its derivative in lambda."""
    if w_error is None:
        return np.eye(fit.units), None
    b = np.linalg.inv(np.eye(fit.units) - fit.lambda_ * w_error)
    g = w_error @ b
    return b @ b.T, b @ (g + g.T) @ b.T


def _within_block(fit: REFit, w_error: NDArray | None) -> dict[str, NDArray]:
    c, slope = _error_covariance(fit, w_error)
    block = {"": fit.sigma2 * c, "sigma2": c}
    return block if slope is None else {**block, "lambda": fit.sigma2 * slope}


def _between_block(fit: REFit, w_error: NDArray | None) -> dict[str, NDArray]:
    c, slope = _error_covariance(fit, w_error)
    if fit.error == "baltagi":
        assert slope is not None
        eye = np.eye(fit.units)
        c = (1.0 / fit.phi - 1.0) * eye + c
        return {
            "": fit.sigma2 * c,
            "sigma2": c,
            "phi": -fit.sigma2 / fit.phi**2 * eye,
            "lambda": fit.sigma2 * slope,
        }
    c = c / fit.phi
    block = {"": fit.sigma2 * c, "sigma2": c, "phi": -fit.sigma2 / fit.phi * c}
    return block if slope is None else {**block, "lambda": fit.sigma2 / fit.phi * slope}
