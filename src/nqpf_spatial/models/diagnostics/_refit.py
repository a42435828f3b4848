"""What the tests need of an estimate: residuals, weights per role, and the same data under other terms or effects."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.moments import remove_effects, spatial_lag
from nqpf_spatial.models.design import MEAN, Design
from nqpf_spatial.models.determinant import EIGENVALUES_UP_TO
from nqpf_spatial.models.dynamic.part import lag_names, static_only
from nqpf_spatial.models.estimate import (
    IN_LIKELIHOOD,
    Columns,
    Estimate,
    Weights,
    build_columns,
    estimate,
    matrix,
)
from nqpf_spatial.models.labels import match
from nqpf_spatial.models.missing.networks import require_balanced
from nqpf_spatial.models.random_effects import RANDOM_ERRORS, estimate_random
from nqpf_spatial.models.spec import Model, get_model
from nqpf_spatial.weights.core import SpatialWeights
from nqpf_spatial.weights.guards import require_weights

EFFECTS = ("fit", "none", "unit", "time", "both")


@dataclass(frozen=True)
class View:
    """An estimate as a regression with iid errors: (y, Z) with at most fixed effects to remove.

    With random unit effects, independent of the errors' filter, quasi-demeaned data are such a regression: y and Z lose
    ``1 - sqrt(phi)`` times their unit means, which commutes with W.

    Attributes
    ----------
    y : (T, N) ndarray
    z : (k, T, N) ndarray
    e : (T, N) ndarray
        Residuals; effects removed, filtered by ``I - lambda W`` in models with a spatial error.
    unit, time : bool
        Effects to remove.
    """

    y: NDArray
    z: NDArray
    e: NDArray
    unit: bool
    time: bool


def view(est: Estimate) -> View:
    """The estimate as a regression with iid errors."""
    require_balanced(est, "this test")
    design, fit = est.design, est.fit
    if est.random is not None and est.random.error == "baltagi":
        raise IdentificationError(
            'with random_error="baltagi" the unit effects are outside the error filter: no transformation of the data over '
            'time makes the errors iid. Use random_error="kkp"'
        )
    share = 0.0 if est.random is None else 1.0 - np.sqrt(est.random.phi)
    y = design.y - share * design.y.mean(axis=0)
    z = est.columns.z - share * est.columns.z.mean(axis=1, keepdims=True)
    v = y - np.tensordot(fit.beta, z, axes=1)
    if est.weights.lag is not None:
        v = v - fit.rho * spatial_lag(matrix(est.weights.lag), y)
    if est.weights.error is not None:
        v = v - fit.lambda_ * spatial_lag(matrix(est.weights.error), v)
    return View(y, z, remove_effects(v, design.unit, design.time), design.unit, design.time)


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
    """Fixed effects of a design in words; empty for a cross-section."""
    if design.shape[0] == 1:
        return ""
    on = [level for level, flag in zip(design.levels, (design.unit, design.time), strict=True) if flag]
    return " + ".join(on) or "pooled"


def scope_of(est: Estimate) -> str:
    """Effects of an estimate in words, random ones among them."""
    if est.random is None:
        return scope(est.design)
    words = [f"random {est.design.levels[0]}", *([est.design.levels[1]] if est.design.time else [])]
    return " + ".join(words)


def with_effects(design: Design, unit: bool, time: bool) -> Design:
    """The design under other fixed effects.

    The intercept goes when effects absorb it and comes when none are left; unit effects also absorb the unit means of a
    Mundlak design.
    """
    names, x = design.names, design.x
    drop = ("Intercept",) if unit or time else ()
    keep = [i for i, name in enumerate(names) if name not in drop and not (unit and name.startswith(MEAN))]
    if len(keep) < len(names):
        names, x = tuple(names[i] for i in keep), x[keep]
    if (design.unit or design.time) and not (unit or time):
        ones = np.ones((1, *design.shape))
        if design.observed is not None and not design.integrated:
            ones[:, ~design.observed] = np.nan
        names, x = ("Intercept", *names), np.concatenate([ones, x])
    return replace(design, unit=unit, time=time, names=names, x=np.ascontiguousarray(x))


def without_means(design: Design) -> Design:
    """The design without the unit means of the Mundlak form."""
    keep = [i for i, name in enumerate(design.names) if not name.startswith(MEAN)]
    return replace(design, names=tuple(design.names[i] for i in keep), x=np.ascontiguousarray(design.x[keep]))


def lagged_names(est: Estimate) -> tuple[str, ...] | None:
    """Regressors whose spatial lag the model has; None if it has no such terms."""
    if not est.model.durbin:
        return None
    time_lags = lag_names(est)
    return tuple(n.removeprefix("W:") for n in est.columns.names if n.startswith("W:") and n not in time_lags)


def _lagged_in(est: Estimate, design: Design) -> tuple[str, ...] | None:
    """The lagged regressors of the model that a design still has."""
    names = lagged_names(est)
    return None if names is None else tuple(name for name in names if name in design.names)


def weights_of(est: Estimate, w: SpatialWeights | None = None) -> SpatialWeights:
    """Weights of the fit, or `w` for a fit without any.

    Raises
    ------
    ValueError
        If there are none, or if `w` is given although the fit has its own.
    """
    if w is not None:
        require_weights(w)
    own = est.weights.first()
    if own is not None and w is not None and own != w:
        raise ValueError(
            f"the fit has its own weights {own.name!r}; w= is for fits without any. Refit the model with the other weights"
        )
    found = own or w or est.weights.tests
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


def in_likelihood(correction: str) -> str:
    """The correction of the likelihood: a correction after the maximum belongs to dummy-variable ML."""
    return correction if correction in IN_LIKELIHOOD else "none"


def refit(
    est: Estimate,
    model: str,
    *,
    effects: tuple[bool, bool] | None = None,
    correction: str | None = None,
    w: SpatialWeights | None = None,
) -> Estimate:
    """Another model and / or other fixed effects on the same data and weights, through the one estimation path.

    Random effects are kept unless `effects` are given.
    """
    static_only(
        est,
        "the refit behind the test",
        "its correction belongs to the model that was fitted. Refit yourself with nq.fit",
    )
    spec = get_model(model)
    design = est.design if effects is None else with_effects(est.design, *effects)
    durbin = _lagged_in(est, design) if spec.durbin else None
    every = roles(est, w) if spec.lag or spec.durbin or spec.error else Weights(None, None, None)
    weights = weights_for(spec, every)
    if est.random is not None and effects is None:
        error = est.random.error if est.random.error in RANDOM_ERRORS else "kkp"
        return estimate_random(design, spec, weights, "random", error, durbin)
    return estimate(design, spec, weights, in_likelihood(correction or est.correction), durbin)


def at_maximum(est: Estimate) -> Estimate:
    """The maximum of the likelihood behind an estimate that was corrected after it."""
    return est if est.correction in IN_LIKELIHOOD else refit(est, est.model.name)


def durbin_columns(est: Estimate, design: Design, w: SpatialWeights | None = None) -> Columns:
    """Z with the spatial lags of the regressors that the fit lags, or of all if it lags none."""
    require_balanced(est, "this test")
    slx = get_model("SLX")
    return build_columns(design, slx, weights_for(slx, roles(est, w)), _lagged_in(est, design))


def transformed(est: Estimate, design: Design) -> bool:
    """Whether time effects are transformed away, so that W acts as F'WF."""
    return est.correction in ("transform", "score") and design.time


def effective(est: Estimate, design: Design) -> tuple[int, int]:
    """n and m of the likelihood under the correction of the fit and the effects of `design`."""
    t, n = design.shape
    transform = est.correction in ("transform", "score")
    m = t - 1 if transform and design.unit else t
    if m < 1:
        raise IdentificationError("unit effects need at least two periods; the panel has one")
    return m * (n - 1 if transform and design.time else n), m


def require_row_stochastic(est: Estimate, w: SpatialWeights) -> None:
    """The transformation needs rows of W that sum to one; the adjusted score does not."""
    if est.correction == "transform" and not w.is_row_stochastic:
        raise IdentificationError(
            f"with time effects and the transformation the rows of W must sum to one; those of {w.name!r} do not. Use "
            'w.with_transform("row") or fit with correction="score"'
        )


def dense(w: SpatialWeights, what: str) -> NDArray:
    """W as a dense array where N allows products of such."""
    if w.n > EIGENVALUES_UP_TO:
        raise IdentificationError(f"{what} needs N x N products and stops at N = {EIGENVALUES_UP_TO}; here N = {w.n}")
    return w.dense()
