r"""Score and expected information with several or changing weights.

The score of lag m is ``l_m'Qe + e'Q G_m e`` over sigma2 minus its expectation, with ``l_m = G_m (Z beta + effects)`` and ``G_m``
block-diagonal over the periods; in a convex combination those of rho and the shares follow by the chain rule.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.kernels.moments import remove_effects
from nqpf_spatial.kernels.sandwich import ScoreForm
from nqpf_spatial.kernels.several import score_traces
from nqpf_spatial.models.several.estimate import SeveralEstimate, coefficient_map
from nqpf_spatial.models.several.weights import lag_over


def _linear(est: SeveralEstimate, fixed: NDArray, g: NDArray) -> NDArray:
    """(q, T, N) minus the expected derivative of the error in the free parameters, sigma2 last, effects not yet removed."""
    assert est.lag is not None
    fit, z, design = est.ml, est.columns.z, est.design
    signal = np.tensordot(fit.beta, z, axes=1) + fixed
    lags = np.einsum("tmij,tj->mti", g[est.lag.pattern], signal, optimize=True)
    nothing = np.zeros((1, *design.shape))
    if fit.shares is None or fit.tangent is None:
        return np.concatenate([z, lags, nothing])
    rho = np.tensordot(fit.shares, lags, axes=1)[None]
    shares = fit.rho * lags + _lagged_signal(est)
    return np.tensordot(fit.tangent.T, np.concatenate([z, rho, shares, nothing]), axes=1)


def _lagged_signal(est: SeveralEstimate) -> NDArray:
    """``W_m X theta`` (M, T, N) where the Durbin terms share the combination, else zero."""
    assert est.data is not None
    design, terms = est.design, est.several.terms
    out = np.zeros((len(terms), *design.shape))
    names = est.columns.names[est.data.k :]
    for value, name in zip(est.ml.beta[est.data.k :], names, strict=True):
        x = design.x[design.names.index(name.removeprefix("W:"))]
        for m, term in enumerate(terms):
            out[m] += value * lag_over(term, design.periods, x)
    return out


def _multipliers(est: SeveralEstimate) -> NDArray:
    """``G_mp`` (P, M, N, N); no terms without a lag of the outcome."""
    assert est.joint is not None
    assert est.lag is not None
    if est.joint.logdet is None:
        return est.lag.w
    return est.joint.logdet.multipliers(est.ml.r)


def expected(est: SeveralEstimate, fixed: NDArray) -> NDArray:
    """Variance of the score of the free parameters under normal errors: the expected information where the two agree."""
    assert est.lag is not None
    design, fit = est.design, est.ml
    g, by = _multipliers(est), coefficient_map(fit, fit.beta.size)
    effects = (design.unit, design.time)
    linear = remove_effects(_linear(est, fixed, g), *effects)
    flat = linear.reshape(linear.shape[0], -1)
    freed = est.correction in ("transform", "score")
    used = effects if freed else (False, False)
    traces = score_traces(g, est.lag.share, design.shape[0], used)
    information = flat @ flat.T / fit.sigma2 + by.T @ traces @ by
    centred = g - g.mean(axis=2, keepdims=True) if used[1] else g
    trace = est.likelihood.m * np.einsum("p,pmii->m", est.lag.share, centred) / fit.sigma2
    information[-1] += trace @ by
    information[:, -1] += trace @ by
    information[-1, -1] = est.likelihood.n / (2.0 * fit.sigma2**2)
    return information


def score_form(est: SeveralEstimate, fixed: NDArray, e: NDArray) -> ScoreForm:
    """The score of the free parameters as a linear-quadratic form in the error."""
    assert est.lag is not None
    design, fit = est.design, est.ml
    g, by = _multipliers(est), coefficient_map(fit, fit.beta.size)
    t, n = design.shape
    quadratic = np.einsum("mq,pmij->qpij", by, g) / fit.sigma2
    quadratic[-1] += np.eye(n) / (2.0 * fit.sigma2**2)
    if design.time:
        quadratic = quadratic - quadratic.mean(axis=2, keepdims=True)
        quadratic = quadratic - quadratic.mean(axis=3, keepdims=True)
    quadratic = 0.5 * (quadratic + quadratic.transpose(0, 1, 3, 2))
    shaped = quadratic[:, est.lag.pattern] if est.changing else quadratic[:, 0]
    linear = remove_effects(_linear(est, fixed, g), design.unit, design.time) / fit.sigma2
    return ScoreForm(linear, shaped, e, fit.sigma2, est.likelihood.n / (t * n), (design.unit, design.time))
