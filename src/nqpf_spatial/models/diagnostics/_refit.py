"""What the tests need of an estimate: residuals, weights per role, and the same data under other terms or effects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.moments import remove_effects, spatial_lag
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.estimate import Columns, Estimate, Weights, build_columns, estimate, matrix
from nqpf_spatial.models.labels import match
from nqpf_spatial.models.spec import Model, get_model
from nqpf_spatial.weights.core import SpatialWeights

EFFECTS = ("fit", "none", "unit", "time", "both")
DENSE_UP_TO = 2000  # tests that need N x N products stop here and say so


def flags(design: Design, effects: str) -> tuple[bool, bool]:
    """(unit, time) for one of `EFFECTS`; ``"fit"`` are those of the design."""
    if effects not in EFFECTS:
        raise ValueError(f"effects={effects!r} is not known; choose one of {', '.join(map(repr, EFFECTS))}")
    if effects == "fit":
        return design.unit, design.time
    wanted = {"none": (False, False), "unit": (True, False), "time": (False, True), "both": (True, True)}[effects]
    if any(wanted) and design.shape[0] == 1:
        raise IdentificationError("a cross-section has no unit or time effects")
    return wanted


def scope(design: Design) -> str:
    """Effects of a design in words; empty for a cross-section."""
    if design.shape[0] == 1:
        return ""
    on = [level for level, flag in zip(design.levels, (design.unit, design.time), strict=True) if flag]
    return " + ".join(on) or "pooled"


def with_effects(design: Design, unit: bool, time: bool) -> Design:
    """The design under other fixed effects; the intercept goes when effects absorb it and comes when none are left."""
    if (unit, time) == (design.unit, design.time):
        return design
    names, x = design.names, design.x
    if unit or time:
        keep = [i for i, name in enumerate(names) if name != "Intercept"]
        names, x = tuple(names[i] for i in keep), x[keep]
    elif "Intercept" not in names:
        names, x = ("Intercept", *names), np.concatenate([np.ones((1, *design.shape)), x])
    return replace(design, unit=unit, time=time, names=names, x=np.ascontiguousarray(x))


def lagged_names(est: Estimate) -> tuple[str, ...] | None:
    """Regressors whose spatial lag the model has; None if it has no such terms."""
    if not est.model.durbin:
        return None
    return tuple(name.removeprefix("W:") for name in est.columns.names[len(est.design.names) :])


def weights_of(est: Estimate, w: SpatialWeights | None = None) -> SpatialWeights:
    """Weights of the fit, or `w` for a fit without any.

    Raises
    ------
    ValueError
        If there are none, or if `w` is given although the fit has its own.
    """
    own = est.weights.first()
    if own is not None and w is not None and own != w:
        raise ValueError(
            f"the fit has its own weights {own.name!r}; w= is for fits without any. Refit the model with the other weights"
        )
    found = own or w
    if found is None:
        raise ValueError(
            f"a {est.model.name} fit has no spatial weights: pass w=, for instance nq.weights.contiguity()"
        )
    place = match(est.design.units, found.ids)
    order = [place[unit] for unit in est.design.units]
    return found if order == list(range(found.n)) else found.reorder([found.ids[i] for i in order])


def roles(est: Estimate, w: SpatialWeights | None = None) -> Weights:
    """Weights for every role, those of the fit where it has them."""
    first = weights_of(est, w)
    own = est.weights
    return Weights(own.lag or first, own.durbin or first, own.error or first)


def weights_for(model: Model, every: Weights) -> Weights:
    """The weights a model uses out of those for every role."""
    return Weights(
        every.lag if model.lag else None, every.durbin if model.durbin else None, every.error if model.error else None
    )


def refit(
    est: Estimate,
    model: str,
    *,
    effects: tuple[bool, bool] | None = None,
    correction: str | None = None,
    w: SpatialWeights | None = None,
) -> Estimate:
    """Another model and / or other effects on the same data and weights, through the one estimation path."""
    spec = get_model(model)
    design = est.design if effects is None else with_effects(est.design, *effects)
    durbin = lagged_names(est)
    if durbin is not None:
        durbin = tuple(name for name in durbin if name in design.names)
    every = Weights(None, None, None)
    if spec.lag or spec.durbin or spec.error:
        every = roles(est, w)
    return estimate(
        design, spec, weights_for(spec, every), correction or est.correction, durbin if spec.durbin else None
    )


def durbin_columns(est: Estimate, design: Design, w: SpatialWeights | None = None) -> Columns:
    """Z with the spatial lags of the regressors that the fit lags, or of all if it lags none."""
    durbin = lagged_names(est)
    if durbin is not None:
        durbin = tuple(name for name in durbin if name in design.names)
    slx = get_model("SLX")
    return build_columns(design, slx, weights_for(slx, roles(est, w)), durbin)


def residuals(est: Estimate) -> NDArray:
    """Residuals e (T, N): effects removed, filtered by ``I - lambda W`` in models with a spatial error."""
    design, fit = est.design, est.fit
    v = design.y - fit.rho * est.columns.wy - np.tensordot(fit.beta, est.columns.z, axes=1)
    e = remove_effects(v, design.unit, design.time)
    if est.weights.error is not None:
        e = e - fit.lambda_ * spatial_lag(matrix(est.weights.error), e)
    return e


def transformed(est: Estimate, design: Design) -> bool:
    """Whether time effects are transformed away, so that W acts as F'WF."""
    return est.correction == "transform" and design.time


def effective(est: Estimate, design: Design) -> tuple[int, int]:
    """n and m of the likelihood under the correction of the fit and the effects of `design`."""
    t, n = design.shape
    transform = est.correction == "transform"
    m = t - 1 if transform and design.unit else t
    if m < 1:
        raise IdentificationError("unit effects need at least two periods; the panel has one")
    return m * (n - 1 if transform and design.time else n), m


def require_row_stochastic(w: SpatialWeights) -> None:
    """Time effects can be transformed away only where the rows of W sum to one."""
    if not w.is_row_stochastic:
        raise IdentificationError(
            f"with time effects and the transformation the rows of W must sum to one; those of {w.name!r} do not. Use "
            'w.with_transform("row") or fit with correction="none"'
        )


def dense(w: SpatialWeights, what: str) -> NDArray:
    """W as a dense array where N allows products of such."""
    if w.n > DENSE_UP_TO:
        raise IdentificationError(f"{what} needs N x N products and stops at N = {DENSE_UP_TO}; here N = {w.n}")
    return w.dense()
