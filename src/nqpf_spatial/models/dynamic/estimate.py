r"""Dynamic spatial panels on the one estimation path: time lags are columns of Z, the correction follows the maximum.

.. math:: y_t = \rho W y_t + X_t\beta + W X_t\theta + \tau y_{t-1} + \eta W y_{t-1} + \mu + \alpha_t\iota + e_t

The first period of the panel supplies y_0 and is lost to estimation.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError, IdentificationWarning, PanelError, warn
from nqpf_spatial.kernels import dynamic as kernel
from nqpf_spatial.kernels.factor import FactorLogDet
from nqpf_spatial.kernels.ml import Likelihood, fit_ml
from nqpf_spatial.kernels.moments import reduce_columns, spatial_lag
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.dynamic.correct import correct_dynamic, lag_parameters
from nqpf_spatial.models.dynamic.part import CORRECTIONS, LAG, LAG_W, TERMS, DynamicEstimate, DynamicPart, parse_terms
from nqpf_spatial.models.estimate import (
    Columns,
    Weights,
    build_columns,
    build_likelihood,
    check_absorbed,
    check_collinear,
    check_explained,
    matrix,
)
from nqpf_spatial.models.spec import Model
from nqpf_spatial.weights.core import SpatialWeights


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
    check_explained(reduced, columns)
    likelihood, adjustment = _likelihood(short, weights, w, correction)
    if likelihood.n <= len(columns.names) + 2:
        raise IdentificationError(
            f"{likelihood.n} effective observations for {len(columns.names)} coefficients, rho and sigma2"
        )
    qml = fit_ml(reduced, likelihood)
    free = tuple(i for i, on in enumerate(("lag_y" in terms, "lag_wy" in terms, model.lag)) if on)
    est = DynamicEstimate(model, short, weights, columns, correction, reduced, likelihood, qml)
    found, hessian, variance = correct_dynamic(est, reduced, qml, free, len(terms), adjustment, correction)
    phi = lag_parameters(found, free, len(terms))
    roots = adjustment.roots(phi[None])[0]
    dynamic = DynamicPart(terms, names, phi, free, first, design.periods[0], roots, qml, adjustment, hessian, variance)
    _warn_explosive(roots, phi)
    return replace(est, fit=found, dynamic=dynamic)


def _check(design: Design, model: Model, weights: Weights, terms: tuple[str, ...], correction: str) -> tuple[str, ...]:
    given = parse_terms(terms)
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
    clash = [name for name in (LAG + design.outcome, LAG_W + design.outcome) if name in design.names]
    if clash:
        raise PanelError(f"regressors named {', '.join(clash)} read like time lags of the model; rename the variables")
    needed = 2 + design.unit
    if design.shape[0] < needed:
        raise PanelError(f"{design.shape[0]} periods: a dynamic model with these effects needs at least {needed}")
    _check_consecutive(design.periods)
    return given


def _check_consecutive(periods: tuple[Hashable, ...]) -> None:
    """The row before must be the period before: periods need an order in time and equal distances."""
    if all(isinstance(p, (int, np.integer)) for p in periods):
        steps = [int(p) for p in periods]  # type: ignore[call-overload]
    elif all(isinstance(p, pd.Period) for p in periods):
        steps = [p.ordinal for p in periods]  # type: ignore[attr-defined]
    elif all(isinstance(p, pd.Timestamp) for p in periods):
        dates = pd.DatetimeIndex(periods)
        months = np.unique(np.diff(12 * dates.year.to_numpy() + dates.month.to_numpy()))
        if np.unique(np.diff(dates.to_numpy())).size > 1 and (months.size > 1 or months[0] == 0):
            raise PanelError(
                "the dates of the panel are not equally spaced in days or months, so that the row before is not always the period before; choose a "
                "window without gaps with years=, or turn the level into periods with .to_period()"
            )
        return
    else:
        raise PanelError(
            f"periods such as {periods[0]!r} ({type(periods[0]).__name__}) do not say which one comes before which; a dynamic model "
            "needs whole numbers (years), dates or pandas periods in the second level of the index"
        )
    gaps = np.diff(steps)
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


def _warn_explosive(roots: NDArray, phi: NDArray) -> None:
    radius = float(np.abs(roots).max())
    if radius >= 1.0:
        warn(
            f"the estimated process is not stable: largest root {radius:.4f}, tau + rho + eta = {phi.sum():.4f}. Long-run "
            "effects do not exist; see fit.stability()",
            IdentificationWarning,
        )
