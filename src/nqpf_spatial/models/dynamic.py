r"""Dynamic spatial panels on the one estimation path: time lags are columns of Z, the correction follows the maximum.

.. math:: y_t = \rho W y_t + X_t\beta + W X_t\theta + \tau y_{t-1} + \eta W y_{t-1} + \mu + \alpha_t\iota + e_t

The first period of the panel supplies y_0 and is lost to estimation.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import ConvergenceError, IdentificationError, IdentificationWarning, PanelError
from nqpf_spatial.kernels import dynamic as kernel
from nqpf_spatial.kernels.dynamic_bias import time_dummy_bias, unit_effect_bias
from nqpf_spatial.kernels.factor import FactorLogDet
from nqpf_spatial.kernels.information import expected_information
from nqpf_spatial.kernels.ml import Likelihood, MLFit, evaluate, fit_ml
from nqpf_spatial.kernels.moments import Reduced, reduce_columns, spatial_lag
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.estimate import (
    Columns,
    Estimate,
    Weights,
    build_columns,
    build_likelihood,
    check_absorbed,
    matrix,
)
from nqpf_spatial.models.estimate import _check_collinear as check_collinear
from nqpf_spatial.models.spec import Model
from nqpf_spatial.weights.core import SpatialWeights

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

TERMS = ("lag_y", "lag_wy")
CORRECTIONS = ("transform", "score", "bias", "direct", "none")
#: prefixes of the time lags in `params`: ``L:y`` and ``L:W:y`` with the name of the outcome
LAG, LAG_W = "L:", "L:W:"


@dataclass(frozen=True)
class DynamicPart:
    """What a dynamic estimate has beyond a static one.

    Attributes
    ----------
    terms : tuple of str
        Of ``("lag_y", "lag_wy")``.
    names : tuple of str
        Their names in ``params``.
    phi : (3,) ndarray
        (tau, eta, rho), zero where absent.
    free : tuple of int
        Positions of those that are estimated.
    first : (N,) ndarray
        y_0.
    first_period : hashable
        The period that supplies it.
    roots : (N,) ndarray
        Eigenvalues of ``(I - rho W)^{-1}(tau I + eta W)``; with transformed time effects without that of the unit vector.
    qml : MLFit
        The estimate before correction.
    adjustment : Adjustment
    hessian, variance : ndarray or None
        H and J of the adjusted score; None for the other corrections.
    """

    terms: tuple[str, ...]
    names: tuple[str, ...]
    phi: NDArray
    free: tuple[int, ...]
    first: NDArray
    first_period: object
    roots: NDArray
    qml: MLFit
    adjustment: kernel.Adjustment
    hessian: NDArray | None = None
    variance: NDArray | None = None


@dataclass(frozen=True)
class DynamicEstimate(Estimate):
    """An `Estimate` whose last columns of Z are the time lags."""

    dynamic: DynamicPart | None = None


def part(est: Estimate) -> DynamicPart:
    """The dynamic part of an estimate; an error for static ones."""
    found = getattr(est, "dynamic", None)
    if found is None:
        raise ValueError('the fit is static; estimate a dynamic model with dynamic=("lag_y", "lag_wy")')
    assert isinstance(found, DynamicPart)
    return found


def estimate_dynamic(
    design: Design,
    model: Model,
    weights: Weights,
    terms: tuple[str, ...] = TERMS,
    correction: str = "transform",
    durbin: tuple[str, ...] | None = None,
) -> DynamicEstimate:
    r"""Estimate a dynamic model with fixed effects; `design` has all periods, the first one is lost.

    Parameters
    ----------
    design : Design
    model : Model
        One without spatial error: SAR, SDM, OLS or SLX.
    weights : Weights
    terms : tuple of str
        ``"lag_y"`` (tau), ``"lag_wy"`` (eta) or both.
    correction : {"transform", "score", "bias", "direct", "none"}
        ``"transform"``: time effects by the Lee-Yu transformation, unit effects by the adjusted score, exact for every T;
        ``"score"``: the same for W whose rows do not sum to one. ``"bias"``: transformation of the time effects, then the one-step
        correction of Yu, de Jong and Lee (2008) and Lee and Yu (2010); ``"direct"``: the same after time dummies, with the
        second bias. ``"none"``: dummy-variable QML, biased by order 1/T.
    durbin : tuple of str, optional
        Regressors with a spatial lag.

    Raises
    ------
    ConvergenceError
        The adjusted likelihood has no maximum: persistence too close to one for so few periods.
    IdentificationError, PanelError, ValueError
        As for static models; gaps between the periods.

    Warns
    -----
    IdentificationWarning
        A root of the process is one or more.
    """
    terms = _check(design, model, weights, terms, correction)
    w = weights.first()
    short, first = _drop_first(design), design.y[0]
    columns, names = _columns(design, short, model, weights, terms, durbin)
    check_absorbed(columns, short)
    base = np.concatenate([columns.z, short.y[None], columns.wy[None]])
    reduced = reduce_columns(base, None, short.unit, short.time)
    check_collinear(reduced, columns)
    likelihood, adjustment = _likelihood(short, weights, w, correction)
    if likelihood.n <= len(columns.names) + 2:
        raise IdentificationError(
            f"{likelihood.n} effective observations for {len(columns.names)} coefficients, rho and sigma2"
        )
    qml = fit_ml(reduced, likelihood)
    free = tuple(i for i, on in enumerate(("lag_y" in terms, "lag_wy" in terms, model.lag)) if on)
    est = DynamicEstimate(model, short, weights, columns, correction, reduced, likelihood, qml)
    found, hessian, variance = _correct(est, reduced, qml, free, len(terms), adjustment, correction)
    phi = _phi(found, free, len(terms))
    roots = adjustment.roots(phi[None])[0]
    dynamic = DynamicPart(terms, names, phi, free, first, design.periods[0], roots, qml, adjustment, hessian, variance)
    _warn_explosive(roots, phi)
    return replace(est, fit=found, dynamic=dynamic)


def _check(design: Design, model: Model, weights: Weights, terms: tuple[str, ...], correction: str) -> tuple[str, ...]:
    given = tuple(terms)
    if not given or len(set(given)) != len(given) or set(given) - set(TERMS):
        raise ValueError(f"dynamic={terms!r}: choose from {', '.join(map(repr, TERMS))}, each once")
    if correction not in CORRECTIONS:
        raise ValueError(
            f"correction={correction!r} is not known in dynamic models; choose one of {', '.join(map(repr, CORRECTIONS))}"
        )
    if len(design.levels) == 1:
        raise PanelError("a dynamic model needs a panel with index (unit, period); the data are a cross-section")
    if model.error:
        raise ValueError(f"dynamic models have no spatial error ({model.name}); choose SAR, SDM, SLX or OLS")
    if "lag_wy" in given and weights.first() is None:
        raise ValueError('"lag_wy" needs spatial weights; pass w with model="SAR" or "SDM", or leave it out')
    needed = 2 + design.unit
    if design.shape[0] < needed:
        raise PanelError(f"{design.shape[0]} periods: a dynamic model with these effects needs at least {needed}")
    _check_consecutive(design)
    return tuple(term for term in TERMS if term in given)


def _check_consecutive(design: Design) -> None:
    """The period before must be the row before: numeric periods with unequal gaps are an error."""
    if not all(isinstance(p, (int, np.integer)) for p in design.periods):
        return
    periods = np.array(design.periods, dtype=int)
    gaps = np.diff(periods)
    if np.unique(gaps).size > 1:
        wide = [f"{periods[i]}-{periods[i + 1]}" for i in np.flatnonzero(gaps != gaps.min())]
        raise PanelError(
            f"the periods are not equally spaced ({', '.join(wide[:12])}), so that the row before is not always the period "
            "before; choose a window without gaps with years="
        )


def _drop_first(design: Design) -> Design:
    t, n = design.shape
    keep = np.tile(np.arange(t) > 0, n)
    frame = design.frame.loc[keep].reset_index(drop=True)
    return replace(design, y=design.y[1:], x=design.x[:, 1:], periods=design.periods[1:], frame=frame)


def _columns(
    design: Design, short: Design, model: Model, weights: Weights, terms: tuple[str, ...],
    durbin: tuple[str, ...] | None,
) -> tuple[Columns, tuple[str, ...]]:  # fmt: skip
    """Z with the time lags as its last columns."""
    static = build_columns(short, model, weights, durbin)
    before = design.y[:-1]
    lags, names = [], []
    for term in terms:
        w = weights.first()
        assert term == "lag_y" or w is not None
        lags.append(before if term == "lag_y" else spatial_lag(matrix(w), before))  # type: ignore[arg-type]
        names.append((LAG if term == "lag_y" else LAG_W) + design.outcome)
    return Columns(np.concatenate([static.z, np.stack(lags)]), (*static.names, *names), static.wy), tuple(names)


def _likelihood(
    short: Design, weights: Weights, w: SpatialWeights | None, correction: str
) -> tuple[Likelihood, kernel.Adjustment]:
    """n, m and log-determinant, and the adjustment on the same spectrum; without rho the spectrum still belongs to eta."""
    within = {"transform": "transform", "score": "score", "bias": "transform"}.get(correction, "none")
    # "bias" transforms the time effects alone: unit effects are what its formula is about
    effects = replace(short, unit=False) if correction == "bias" else short
    full = build_likelihood(effects, Weights(w, None, None), within)
    t, n = short.shape
    if isinstance(full.rho, FactorLogDet):
        raise ValueError(f"dynamic models need the eigenvalues of W, too many with {n} units")
    omega, shares = (np.zeros(n), None) if full.rho is None else (full.rho.omega, full.rho.weights)
    if full.rho is None and short.time and within != "none":
        omega = np.zeros(n - 1)
    unit = short.unit and correction in ("transform", "score")
    adjustment = kernel.Adjustment(np.asarray(omega), shares, t, full.m, unit)
    return (full if weights.lag is not None else replace(full, rho=None)), adjustment


def _correct(
    est: DynamicEstimate, reduced: Reduced, qml: MLFit, free: tuple[int, ...], lags: int,
    adjustment: kernel.Adjustment, correction: str,
) -> tuple[MLFit, NDArray | None, NDArray | None]:  # fmt: skip
    if not est.design.unit and correction in ("transform", "score", "bias"):
        return qml, None, None
    if correction in ("transform", "score"):
        return _adjusted(reduced, est.likelihood, qml, free, lags, adjustment)
    if correction == "none":
        return qml, None, None
    return _one_step(est, reduced, qml, free, lags, adjustment, correction == "direct"), None, None


def _phi(fit: MLFit, free: tuple[int, ...], lags: int) -> NDArray:
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
    found = kernel.maximise(cross, like.n, adjustment, free, _phi(qml, free, lags)[None], (low, high))
    if not found.converged[0]:
        raise ConvergenceError(
            f"the adjusted likelihood has no maximum next to the QML estimate (tau, eta, rho) = {_phi(qml, free, lags).round(4)}: "
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
    est: DynamicEstimate, reduced: Reduced, qml: MLFit, free: tuple[int, ...], lags: int,
    adjustment: kernel.Adjustment, direct: bool,
) -> MLFit:  # fmt: skip
    """The analytic correction of `kernels.dynamic_bias` with the expected information."""
    like, (t, n), w = est.likelihood, est.design.shape, est.weights.lag
    units = n - 1 if est.design.time and not direct else n
    bias = np.zeros(4)
    if est.design.unit:
        bias = unit_effect_bias(adjustment.omega, adjustment.weights, t, units, _phi(qml, free, lags), qml.sigma2)
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
    theta = theta + np.linalg.solve(weight, score)
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


def _warn_explosive(roots: NDArray, phi: NDArray) -> None:
    radius = float(np.abs(roots).max())
    if radius >= 1.0:
        warnings.warn(
            f"the estimated process is not stable: largest root {radius:.4f}, tau + rho + eta = {phi.sum():.4f}. Long-run "
            "effects do not exist; see stability(fit)",
            IdentificationWarning,
            stacklevel=3,
        )


def check_same_sample(*fits: SpatialFit) -> tuple[object, object]:
    """First and last period of fits that are to be compared; an error if units, periods or outcome differ.

    A dynamic fit on 2012-2024 is about 2013-2024: fit the static model with ``years=check_same_sample(dynamic)``.
    """
    samples = [(f.estimate.design.outcome, f.estimate.design.units, f.estimate.design.periods) for f in fits]
    for outcome, units, periods in samples[1:]:
        if (outcome, set(units), periods) != (samples[0][0], set(samples[0][1]), samples[0][2]):
            raise PanelError(
                f"fits of different samples: {_sample(samples[0])} and {_sample((outcome, units, periods))}. A dynamic model loses its "
                "first period; fit the static one with years= without it"
            )
    return samples[0][2][0], samples[0][2][-1]


def _sample(sample: tuple[str, tuple, tuple]) -> str:
    outcome, units, periods = sample
    return f"{outcome}, {len(units)} units, {periods[0]}-{periods[-1]}"
