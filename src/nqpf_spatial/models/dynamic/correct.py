"""Corrections of the bias that unit and time effects cause in dynamic models, after the maximum of the likelihood."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import ConvergenceError, IdentificationError
from nqpf_spatial.kernels import dynamic as kernel
from nqpf_spatial.kernels import scaled
from nqpf_spatial.kernels.dynamic_bias import time_dummy_bias, unit_effect_bias
from nqpf_spatial.kernels.information import expected_information
from nqpf_spatial.kernels.ml import Likelihood, MLFit, evaluate
from nqpf_spatial.kernels.moments import Reduced
from nqpf_spatial.models.estimate import Estimate


def correct_dynamic(
    est: Estimate, reduced: Reduced, qml: MLFit, free: tuple[int, ...], lags: int,
    adjustment: kernel.Adjustment, correction: str,
) -> tuple[MLFit, NDArray | None, NDArray | None]:  # fmt: skip
    if not est.design.unit and correction in ("transform", "score", "bias"):
        return qml, None, None
    if correction in ("transform", "score"):
        return _adjusted(reduced, est.likelihood, qml, free, lags, adjustment)
    if correction == "none":
        return qml, None, None
    return _one_step(est, reduced, qml, free, lags, adjustment, correction == "direct"), None, None


def lag_parameters(fit: MLFit, free: tuple[int, ...], lags: int) -> NDArray:
    phi = np.zeros(3)
    time = [i for i in free if i < 2]
    phi[time] = fit.beta[fit.beta.size - lags :]
    phi[2] = fit.rho
    return phi


def _adjusted(
    reduced: Reduced, like: Likelihood, qml: MLFit, free: tuple[int, ...], lags: int, adjustment: kernel.Adjustment
) -> tuple[MLFit, NDArray, NDArray]:
    """The adjusted likelihood, climbed from the QML estimate; its information is ``H J^{-1} H``."""
    k = reduced.k - lags
    low, high = (-np.inf, np.inf) if like.rho is None else (like.rho.low, like.rho.high)
    cross = kernel.cross_from_factor(reduced.base, k, free)
    found = kernel.maximise(cross, like.n, adjustment, free, lag_parameters(qml, free, lags)[None], (low, high))
    if not found.converged[0]:
        raise ConvergenceError(
            f"the adjusted likelihood has no maximum next to the QML estimate (tau, eta, rho) = {lag_parameters(qml, free, lags).round(4)}: "
            f'the process is too persistent for {adjustment.periods} periods. Use a longer window, or correction="bias"'
        )
    phi = found.phi[0]
    time = phi[[i for i in free if i < 2]]
    factor = reduced.base
    target = factor[:, reduced.k] - phi[2] * factor[:, reduced.k + 1] - factor[:, k : reduced.k] @ time
    own = np.linalg.lstsq(factor[:, :k], target, rcond=None)[0] if k else np.empty(0)
    residual = target - factor[:, :k] @ own
    sse = float(residual @ residual)
    sigma2 = sse / like.n
    columns = factor[:, : reduced.k] if like.rho is None else factor[:, [*range(reduced.k), reduced.k + 1]]
    hessian, variance = kernel.information(
        (columns.T @ columns)[None], (columns.T @ residual)[None], np.array([sse]), np.array([sigma2]), like.n,
        adjustment, phi[None], free,
    )  # fmt: skip
    godambe = hessian[0] @ np.linalg.solve(variance[0], hessian[0])
    boundary = like.rho is not None and min(phi[2] - low, high - phi[2]) < 1e-4
    beta = np.concatenate([own, time])
    fit = MLFit(beta, float(phi[2]), 0.0, sigma2, sse, float(found.llf[0]), godambe, found.iterations, boundary)
    return fit, hessian[0], variance[0]


def _one_step(
    est: Estimate, reduced: Reduced, qml: MLFit, free: tuple[int, ...], lags: int,
    adjustment: kernel.Adjustment, direct: bool,
) -> MLFit:  # fmt: skip
    """The analytic correction of `kernels.dynamic_bias` with the expected information."""
    like, (t, n), w = est.likelihood, est.design.shape, est.weights.lag
    units = n - 1 if est.design.time and not direct else n
    bias = np.zeros(4)
    if est.design.unit:
        bias = unit_effect_bias(
            adjustment.omega, adjustment.weights, t, units, lag_parameters(qml, free, lags), qml.sigma2
        )
    if direct and est.design.time:
        total = 0.0
        if w is not None:
            total = float((w.sparse @ np.linalg.solve(np.eye(n) - qml.rho * w.dense(), np.ones(n))).mean())
        bias = bias + time_dummy_bias(total, t, qml.sigma2)
    weight = expected(est)
    k = reduced.k
    score = np.zeros(weight.shape[0])
    place = [*range(k - lags, k), *([k] if w is not None else []), score.size - 1]
    score[place] = bias[[*free, 3]]
    theta = np.concatenate([qml.beta, [qml.rho] if w is not None else [], [qml.sigma2]])
    theta = theta + scaled.solve(weight, score)
    rho = float(theta[k]) if w is not None else 0.0
    if like.rho is not None and not like.rho.low < rho < like.rho.high:
        raise IdentificationError(
            f"the correction moves rho to {rho:.4g}, outside ({like.rho.low:.4g}, {like.rho.high:.4g}); the data carry too "
            "little information on it"
        )
    return evaluate(reduced, like, theta[:k], rho, 0.0, float(theta[-1]), qml.iterations)


def expected(est: Estimate) -> NDArray:
    """Expected information of (beta, [rho], sigma2) at the estimates, time lags at their observed values (their large-T limit)."""
    lag, time = est.weights.lag, est.design.time and est.correction not in ("direct", "none")
    return expected_information(
        est.columns.z,
        est.fit.beta,
        est.fit.sigma2,
        None if lag is None else (lag.dense(), est.fit.rho),
        None,
        (est.design.unit, est.design.time),
        est.likelihood.m,
        time,
        est.likelihood.n,
    )
