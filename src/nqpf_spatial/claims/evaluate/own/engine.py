"""From the criterion of a claim of R-OWN to its assessment: baseline, correction, variants, record.

Readings fixed before any verdict was computed:

* Where a claim states a sign (a correlation, an effect), a variant agrees when it has it. Where it states thresholds, a
  variant agrees when it satisfies the criterion in full: support_if where the baseline supports, contradict_if where it
  contradicts. "Significantly opposite" means that it satisfies the other criterion.
* Variants are judged with raw p-values, as in R-MECH.
* A variant that cannot be run, or does not apply to the series of the claim, is listed with its reason and is in no share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.assessment import Alternative, Assessment
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.criteria import noted as noted
from nqpf_spatial.claims.evaluate.own.settings import Setting
from nqpf_spatial.claims.record import Evidence, VariantResult
from nqpf_spatial.claims.record import Reading as Word
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import holm as holm_rule
from nqpf_spatial.claims.rules import multiverse
from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.errors import AlignmentError, ConvergenceError, IdentificationError, PanelError

if TYPE_CHECKING:
    import pandas as pd

#: what a run may refuse; the message becomes the reason why a variant did not run
REFUSALS = (PanelError, AlignmentError, IdentificationError, ConvergenceError, NotInRelease)

#: why measures of all provinces have no minimum detectable effect
NO_ERROR = "measures of all provinces have no sampling error: there is no minimum detectable effect"

Adjust = Callable[[float], float]


def word(yes: bool, no: bool = False) -> Word:
    """Read one number alone: for the claim, against it, or neither."""
    return "support" if yes else "contradict" if no else "neither"


def raw(p: float) -> float:
    """Leave a p-value as it is (variants)."""
    return p


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run of a claim measures.

    Attributes
    ----------
    numbers : object
        What the rule and the evidence look at.
    estimate, se, p : float or None
        The headline number, for the table of the variants.
    n : int
        Observations.
    sample : mapping
        Years, provinces and whatever else identifies the sample.
    sign : bool or None
        Whether the numbers lie the way support_if says, significant or not; None where the claim states thresholds.
    against : bool or None
        Whether they lie the way contradict_if says; by default wherever they do not have the stated sign.
    """

    numbers: Any
    estimate: float | None
    n: int
    sample: Mapping[str, Any]
    se: float | None = None
    p: float | None = None
    sign: bool | None = None
    against: bool | None = None
    tables: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    weights: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Criterion:
    """How one claim of R-OWN (or R-DID) is computed: functions, so that a test can call each alone.

    Attributes
    ----------
    limits : callable
        (claim, context) -> numbers of the criterion, all from the register.
    measure : callable
        (claim, context, setting) -> Measured.
    rule : callable
        (measured, adjust, limits) -> Outcome.
    evidence : callable
        (measured, adjust, limits) -> records.
    variants : mapping
        Variant id -> its runs.
    mde_note : str
        How the minimum detectable effect is computed, or why there is none.
    p_value : callable, optional
        Measured -> p-value the claim brings into its family.
    start : callable
        (claim, context) -> setting of the baseline.
    heavy : frozenset of str
        Variants a fast run leaves out.
    """

    limits: Callable[[Claim, Context], Mapping[str, Any]]
    measure: Callable[[Claim, Context, Any], Measured]
    rule: Callable[[Measured, Adjust, Mapping[str, Any]], Outcome]
    evidence: Callable[[Measured, Adjust, Mapping[str, Any]], Sequence[Evidence]]
    variants: Mapping[str, Callable[[Claim, Context], list[tuple[str, Any]]]]
    mde_note: str
    p_value: Callable[[Measured], float] | None = None
    start: Callable[[Claim, Context], Any] = lambda claim, ctx: Setting()
    heavy: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def baseline(criterion: Criterion, claim: Claim, ctx: Context) -> Measured:
    """Measure the baseline once per context."""
    return ctx.once(("own baseline", claim.id), lambda: criterion.measure(claim, ctx, criterion.start(claim, ctx)))


def _expand(criterion: Criterion, variant: str, claim: Claim, ctx: Context) -> list[tuple[str, Any]]:
    """Runs of one variant, or the reason why there are none."""
    if variant not in criterion.variants:
        raise NotInRelease("the variant changes nothing this claim is computed from")
    if ctx.fast and variant in criterion.heavy:
        raise NotInRelease("left out by the fast run")
    return criterion.variants[variant](claim, ctx)


def _row(variant: str, label: str, counts: bool, found: Measured, outcome: Outcome, direction: str) -> VariantResult:
    """Record one run in the direction of the baseline."""
    if direction == "support":
        towards = outcome.support if found.sign is None else found.sign
    else:
        turned = (None if found.sign is None else not found.sign) if found.against is None else found.against
        towards = not (outcome.contradict if turned is None else turned)
    return VariantResult(
        variant=variant,
        specification=label,
        counts=counts,
        ran=True,
        stated_sign=towards,
        significant=outcome.contradict if direction == "support" else outcome.support,
        estimate=found.estimate,
        se=found.se,
        p=found.p,
        n=found.n,
        reason=outcome.reason,
    )


def run_variants(criterion: Criterion, claim: Claim, ctx: Context, direction: str) -> list[VariantResult]:
    """Run every variant of a claim; what cannot run is listed with its reason."""
    limits = criterion.limits(claim, ctx)
    rows: list[VariantResult] = []
    for variant in claim.variants:
        counts = bool(ctx.register.variants[variant]["counts"])
        text = str(ctx.register.variants[variant]["text"])
        try:
            runs = _expand(criterion, variant, claim, ctx)
        except NotInRelease as error:
            rows.append(VariantResult(variant, text, counts, False, reason=str(error)))
            continue
        for label, setting in runs:
            try:
                found = criterion.measure(claim, ctx, setting)
            except REFUSALS as error:
                rows.append(VariantResult(variant, label, counts, False, reason=f"{type(error).__name__}: {error}"))
                continue
            rows.append(_row(variant, label, counts, found, criterion.rule(found, raw, limits), direction))
    return rows


def assess(criterion: Criterion, claim: Claim, ctx: Context) -> Assessment:
    """Decide a claim by its criterion.

    Parameters
    ----------
    criterion : Criterion
    claim : Claim
    ctx : Context

    Returns
    -------
    Assessment
    """
    limits = criterion.limits(claim, ctx)
    found = baseline(criterion, claim, ctx)
    correction = None if criterion.p_value is None else holm_rule.describe(claim, ctx.register, ctx.p_values)

    def adjust(p: float) -> float:
        return p if correction is None else holm_rule.adjust(p, correction, ctx.p_values, claim.id)

    outcome = criterion.rule(found, adjust, limits)
    direction = "contradict" if outcome.contradict else "support"
    rows = run_variants(criterion, claim, ctx, direction)
    shares = multiverse.judge(rows, direction, ctx.register.rules["MULTIVERSE"].parameters)  # type: ignore[arg-type]
    return Assessment(
        alternatives=(Alternative("", outcome, shares),),
        evidence=tuple(criterion.evidence(found, adjust, limits)),
        variants=tuple(rows),
        sample=found.sample,
        mde_note=criterion.mde_note,
        holm=correction,
        weights=found.weights,
        notes=(*found.notes, *criterion.notes),
        seed=ctx.seed,
        tables=found.tables,
    )


def reading(criterion: Criterion) -> ClaimReading:
    """Wrap a criterion as the reading of a claim."""
    p_value = criterion.p_value
    if p_value is None:
        return ClaimReading(lambda claim, ctx, options: assess(criterion, claim, ctx))
    return ClaimReading(
        lambda claim, ctx, options: assess(criterion, claim, ctx),
        p_value=lambda claim, ctx, options: p_value(baseline(criterion, claim, ctx)),
    )


def permutations(ctx: Context) -> int:
    """Number of random arrangements: the one the register states for R-LEVEL serves all permutation tests."""
    return int(ctx.register.threshold("R-LEVEL", "permutations"))
