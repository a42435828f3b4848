"""Parts of a criterion: how each is measured, in the baseline and in every variant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.specification import Specification
from nqpf_spatial.claims.evaluate.variants import Untouched, expand, too_few_years
from nqpf_spatial.claims.record import Evidence, Reading, VariantResult
from nqpf_spatial.claims.rules import coef, mech
from nqpf_spatial.errors import AlignmentError, ConvergenceError, IdentificationError, PanelError

#: what a fit may refuse; the message becomes the reason why a variant did not run
REFUSALS = (PanelError, AlignmentError, IdentificationError, ConvergenceError)

Adjust = Callable[[float], float]

#: reason of a component whose regressor a variant leaves out: the criterion is asked of the others
LEFT_OUT = "left out by this variant"

#: what stands beside a fit whose rho is at an end of its interval
BOUNDARY = "rho at an end of its admissible interval, where no covariance exists"


class LeftOut(NotInRelease):
    """A variant leaves out the regressor a component is about."""


@dataclass(frozen=True, slots=True)
class Number:
    """One figure, whatever it was estimated with.

    Attributes
    ----------
    estimate : float
    se, statistic, df, p, lower, upper, mde : float or None
        None where the figure has none; `df` None also for a normal reference.
    n : int
        Observations.
    holds : bool or None
        For parts that hold or do not (a rank).
    sd_rho : float or None
        Sd of rho of a spatial model, the measure of weak identification.
    boundary : bool
        Whether the likelihood is highest at an end of the admissible interval of rho. No rule of the register leaves such a fit out.
    weights : mapping of str to str
        Checksums of the matrices used.
    checks : mapping of str to float or None
        Shown beside, never deciding.
    notes : tuple of str
        Warnings of the library.
    """

    estimate: float
    n: int
    se: float | None = None
    statistic: float | None = None
    df: float | None = None
    p: float | None = None
    lower: float | None = None
    upper: float | None = None
    mde: float | None = None
    holds: bool | None = None
    sd_rho: float | None = None
    boundary: bool = False
    weights: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    checks: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a criterion.

    Attributes
    ----------
    name : str
        Short, unique within the claim.
    what : str
        The quantity in words.
    spec : object
        What is estimated; variants change it.
    measure : callable
        (context, spec) -> Number.
    sign : {1, -1}
        Stated sign.
    kind : str
        See :mod:`nqpf_spatial.claims.rules.coef`.
    across : tuple of str
        Matrices over which R-MECH reads it; empty for a single number.
    expand : callable
        (variant, spec, context) -> list of (what is changed, spec).
    fixed : bool
        Variants leave it at its baseline.
    """

    name: str
    what: str
    spec: Any
    measure: Callable[[Context, Any], Number]
    sign: int = 1
    kind: coef.Kind = "sign"
    across: tuple[str, ...] = ()
    expand: Callable[[str, Any, Context], list[tuple[str, Any]]] = expand
    fixed: bool = False

    @property
    def w(self) -> str | None:
        """Id of the matrix of the baseline."""
        return getattr(self.spec, "w", None)


@dataclass(frozen=True, slots=True)
class Measured:
    """A component in the baseline: its reading, its record, and what the record says about fits at a boundary."""

    part: coef.Part
    evidence: tuple[Evidence, ...]
    numbers: Mapping[str, Number]
    boundary: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A component in one specification of a variant: its number, or why there is none."""

    number: Number | None
    reason: str = ""
    w: str | None = None


def measure(component: Component, ctx: Context, parameters: Mapping[str, Any], adjust: Adjust) -> Measured:
    """Read a component in the baseline.

    Parameters
    ----------
    component : Component
    ctx : Context
    parameters : mapping
        Of the rule.
    adjust : callable
        Raw p-value -> p-value corrected inside the family.

    Returns
    -------
    Measured
    """
    if component.across:
        return _across(component, ctx, parameters, adjust)
    number = component.measure(ctx, component.spec)
    p_holm = None if number.p is None else adjust(number.p)
    alpha = parameters["alpha"]
    text = f"{number.estimate:.4g}"
    if number.p is not None and p_holm is not None:
        text += f" (p {number.p:.3g}, corrected {p_holm:.3g})"
    if component.kind == "state":
        text += " (holds)" if number.holds else " (does not hold)"
    part = coef.read(
        component.kind, component.sign, number.estimate, number.p, p_holm, number.holds, alpha, text, number.mde
    )
    if is_weak(number, ctx):
        part = replace(part, support=False, contradict=False, reason=f"{part.reason}; weakly identified W, not counted")
    found = (record(component, number, component.w, p_holm, part, alpha),)
    return Measured(part, found, {component.w or "": number}, f"{BOUNDARY}; it counts" if number.boundary else "")


def record(
    component: Component, number: Number, w: str | None, p_holm: float | None, part: coef.Part, alpha: float
) -> Evidence:
    """Put one figure on record."""
    reading: Reading = "support" if part.support else "contradict" if part.contradict else "neither"
    return evidence(component.what, number, w, alpha, p_holm=p_holm, reading=reading)


def evidence(
    what: str,
    number: Number,
    w: str | None,
    alpha: float,
    *,
    p_holm: float | None = None,
    reading: Reading = "neither",
    counted: bool = True,
) -> Evidence:
    """Write a figure as evidence; `counted` False for what is shown beside the decision."""
    return Evidence(
        what=what,
        estimate=number.estimate,
        se=number.se,
        lower=number.lower,
        upper=number.upper,
        level=None if number.lower is None else 1.0 - alpha,
        statistic=number.statistic,
        df=number.df,
        p=number.p,
        p_holm=p_holm,
        mde=number.mde,
        w=w,
        counted=counted,
        reading=reading,
        checks=dict(number.checks),
    )


def _across(component: Component, ctx: Context, parameters: Mapping[str, Any], adjust: Adjust) -> Measured:
    """R-MECH: the baseline W and the rest of its set."""
    built = ctx.available(component.across)[0]
    numbers = {w: component.measure(ctx, replace(component.spec, w=w)) for w in built}
    rows = []
    for w, number in numbers.items():
        assert number.se is not None and number.p is not None and number.sd_rho is not None
        rows.append(mech.EffectUnderW(w, number.estimate, number.se, number.p, adjust(number.p), number.sd_rho))
    outcome = mech.decide(rows, component.across, component.sign, parameters)
    alpha = parameters["alpha"]
    base = numbers[parameters["baseline_w"]]
    assert base.p is not None
    raw = coef.read("sign", component.sign, base.estimate, base.p, base.p, None, alpha, "")
    part = coef.Part(outcome.support, outcome.contradict, raw.along, raw.against, outcome.reason, outcome.mde)
    found = []
    for row in rows:
        weak = mech.is_weak(row, parameters)
        alone = coef.read("sign", component.sign, row.estimate, row.p, row.p_holm, None, alpha, "")
        reading: Reading = "neither"
        if not weak:
            reading = "support" if alone.support else "contradict" if alone.contradict else "neither"
        found.append(
            evidence(component.what, numbers[row.w], row.w, alpha, p_holm=row.p_holm, reading=reading, counted=not weak)
        )
    ends = [w for w, number in numbers.items() if number.boundary]
    note = mech.boundary_note(mech.sides(rows, component.sign, parameters), ends)
    return Measured(part, tuple(found), numbers, note)


def is_weak(number: Number, ctx: Context) -> bool:
    """Whether W identifies rho too weakly to be counted, by the measure of R-MECH."""
    return number.sd_rho is not None and number.sd_rho > ctx.register.threshold("R-MECH", "weak_w_sd_rho_gt")


def trials(component: Component, variant: str, ctx: Context) -> dict[str, Trial]:
    """Run all specifications of a variant for one component.

    Parameters
    ----------
    component : Component
    variant : str
        Id in the register.
    ctx : Context

    Returns
    -------
    dict of str to Trial
        By what is changed; what cannot run is listed with its reason.

    Raises
    ------
    Untouched
        If the variant does not concern the component.
    NotInRelease
        If the whole variant cannot run.
    """
    if component.fixed:
        raise Untouched(f"{component.name} stays as it is")
    out: dict[str, Trial] = {}
    for label, spec in component.expand(variant, component.spec, ctx):
        if isinstance(spec, Specification) and (few := too_few_years(spec)):
            out[label] = Trial(None, few)
            continue
        try:
            out[label] = Trial(component.measure(ctx, spec), w=getattr(spec, "w", None))
        except LeftOut:
            out[label] = Trial(None, LEFT_OUT)
        except (NotInRelease, *REFUSALS) as error:
            out[label] = Trial(None, f"{type(error).__name__}: {error}")
    return out


def row(
    component: Component, trial: Trial, variant: str, label: str, alternative: str, ctx: Context, alpha: float
) -> VariantResult:
    """Record one component in one specification of a variant."""
    counts = bool(ctx.register.variants[variant]["counts"])
    number = trial.number
    if number is None:
        return VariantResult(variant, label, counts, False, alternative=alternative, reason=trial.reason)
    weak = is_weak(number, ctx)
    stated, significant = coef.direction(component.kind, component.sign, number.estimate, number.p, number.holds, alpha)
    return VariantResult(
        variant=variant,
        specification=label,
        counts=counts and not weak,
        ran=True,
        alternative=alternative,
        stated_sign=stated,
        significant=significant,
        estimate=number.estimate,
        se=number.se,
        p=number.p,
        n=number.n,
        w=trial.w,
        reason="weakly identified W, shown and not counted" if weak else BOUNDARY if number.boundary else "",
    )
