r"""Corrections of dummy-variable ML for the incidental-parameter bias, applied after the maximum.

``"bias"`` is the analytic correction of Lee and Yu (2010, section 4.2): one step against the expected score,

.. math:: \theta_c = \hat\theta + I(\hat\theta)^{-1}\, T\,(0,\ \iota'G\iota/N,\ 1/(2\sigma^2))', \qquad
          \sigma^2_c \leftarrow \sigma^2_c\, T/(T-1)

where ``iota'G iota / N`` is ``1/(1-rho)`` for a row-stochastic W and is computed for any other, which the
transformation does not allow; with a spatial error it is ``iota'B G B^{-1} iota / N``, ``B = I - lambda W``. ``"bootstrap"`` subtracts the mean bias of bootstrap replicates.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import scipy.linalg as sla

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import scaled
from nqpf_spatial.kernels.ml import MLFit, evaluate
from nqpf_spatial.models.bootstrap import bootstrap
from nqpf_spatial.models.covariance import expected
from nqpf_spatial.models.estimate import Estimate
from nqpf_spatial.models.missing.networks import require_balanced

REPLICATES, SEED = 999, 0


def correct(est: Estimate, correction: str) -> Estimate:
    """The estimate after dummy-variable ML (`est`, correction "none") with another correction."""
    if not (est.design.unit or est.design.time):
        return replace(est, correction=correction)
    require_balanced(est, f"correction={correction!r}")
    fit = _bias(est) if correction == "bias" else _bootstrap(est)
    return replace(est, fit=fit, correction=correction)


def _bias(est: Estimate) -> MLFit:
    fit, (t, _) = est.fit, est.design.shape
    theta = _vector(est)
    if est.design.time:
        score = np.zeros(theta.size)
        score[len(est.columns.names) : -1] = _time_shares(est, fit, 1)
        score[-1] = 1.0 / (2.0 * fit.sigma2)
        theta = theta + _step(est, t * score)
    if est.design.unit:
        theta[-1] *= t / (t - 1.0)
    return _at(est, theta)


def _step(est: Estimate, score: np.ndarray) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", sla.LinAlgWarning)
            return scaled.solve(expected(est), score)
    except (sla.LinAlgWarning, np.linalg.LinAlgError) as error:
        raise IdentificationError(
            f'correction="bias" steps by the expected information, which is singular here: the parameters of a {est.model.name} model '
            "cannot be told apart in these data"
        ) from error


def _time_shares(est: Estimate, fit: MLFit, power: int) -> list[float]:
    """What time dummies take from ``tr(G^power)`` of every spatial parameter, per period: ``iota'B G^power B^{-1} iota / N``."""
    found: list[float] = []
    for w, value in ((est.weights.lag, fit.rho), (est.weights.error, fit.lambda_)):
        if w is None:
            continue
        spread, away, error = np.ones(w.n), np.eye(w.n) - value * w.dense(), est.weights.error
        for _ in range(power):
            spread = w.sparse @ sla.solve(away, spread)
        if len(found) == 0 and est.model.lag and error is not None:
            # rows of the error weights sum to one here, so that B iota = (1 - lambda) iota
            spread = (spread - fit.lambda_ * (error.sparse @ spread)) / (1.0 - fit.lambda_)
        found.append(float(spread.mean()))
    return found


def _information(est: Estimate, fit: MLFit) -> np.ndarray:
    """Observed information of what the dummies leave; that of the transformation for row-stochastic W.

    The curvature of dummy-variable ML belongs to its own maximum: at the corrected sigma2 it counts observations that the effects have used up.
    """
    assert est.reduced is not None
    (t, n), (unit, time) = est.design.shape, (est.design.unit, est.design.time)
    like = replace(est.likelihood, n=(t - unit) * (n - time), m=t - unit)
    found = evaluate(est.reduced, like, fit.beta, fit.rho, fit.lambda_, fit.sigma2).information
    if time:
        places = np.arange(len(est.columns.names), found.shape[0] - 1)
        found[places, places] -= like.m * np.array(_time_shares(est, fit, 2))
    return found


def _bootstrap(est: Estimate) -> MLFit:
    params, sigma2 = bootstrap(est, "residual", REPLICATES, SEED)
    theta = _vector(est)
    t, n = est.design.shape
    unbiased = est.fit.sse / ((t - est.design.unit) * (n - est.design.time))
    theta[:-1] = 2.0 * theta[:-1] - params.mean(axis=0)
    # replicates have variance `unbiased`; the ratio of their estimate to it is the factor to undo
    theta[-1] *= unbiased / float(sigma2.mean())
    return _at(est, theta)


def _vector(est: Estimate) -> np.ndarray:
    fit = est.fit
    spatial = [v for v, on in ((fit.rho, est.model.lag), (fit.lambda_, est.model.error)) if on]
    return np.concatenate([fit.beta, spatial, [fit.sigma2]])


def _at(est: Estimate, theta: np.ndarray) -> MLFit:
    k = len(est.columns.names)
    rest = list(theta[k:-1])
    rho = rest.pop(0) if est.model.lag else 0.0
    lambda_ = rest.pop(0) if est.model.error else 0.0
    for name, value, logdet in (("rho", rho, est.likelihood.rho), ("lambda", lambda_, est.likelihood.lambda_)):
        if logdet is not None and not logdet.low < value < logdet.high:
            raise IdentificationError(
                f"the correction moves {name} to {value:.4g}, outside ({logdet.low:.4g}, {logdet.high:.4g}); the data carry "
                "too little information on it"
            )
    assert est.reduced is not None
    fit = evaluate(est.reduced, est.likelihood, theta[:k], float(rho), float(lambda_), float(theta[-1]))
    return replace(fit, information=_information(est, fit))
