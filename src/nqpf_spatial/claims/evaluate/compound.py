"""From the parts of a claim to its assessment: correction, criterion, variants.

Every claim whose criterion is made of coefficients and effects goes through :func:`assess`; the modules of the rules say which parts
it has and how they combine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.assessment import Alternative, Assessment
from nqpf_spatial.claims.evaluate.parts import LEFT_OUT, Component, Measured, Trial, measure, row, trials
from nqpf_spatial.claims.evaluate.variants import Untouched, check
from nqpf_spatial.claims.record import Evidence, Multiverse, VariantResult
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import combination as rule
from nqpf_spatial.claims.rules import holm as holm_rule
from nqpf_spatial.claims.rules import mech, multiverse
from nqpf_spatial.claims.rules.coef import Part
from nqpf_spatial.claims.rules.combination import Criterion

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Question:
    """What a claim asks: its parts and how they combine.

    Attributes
    ----------
    components : tuple of Component
    criteria : mapping of str to Criterion
        By stated alternative; "" where there is one.
    sample : mapping
        What the baseline was estimated on.
    shown : tuple of Evidence
        Figures beside the decision.
    tables : mapping of str to DataFrame
    notes : tuple of str
        What the record says beside the warnings of the fits.
    last_part : callable, optional
        (measured parts, rows of the variants) -> (name, Part, Evidence) of a part that is about the variants themselves.
    """

    components: tuple[Component, ...]
    criteria: Mapping[str, Criterion]
    sample: Mapping[str, Any]
    shown: tuple[Evidence, ...] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    last_part: Callable[[Mapping[str, Measured], Sequence[VariantResult]], tuple[str, Part, Evidence]] | None = None


#: a variant's specification: variant, what is changed, and every component in it
Group = tuple[str, str, Mapping[str, VariantResult]]


def family_p(components: Sequence[Component], criteria: Mapping[str, Criterion], ctx: Context) -> float | None:
    """Raw p-value that a claim brings into its family, from the baseline alone."""
    by_name = {c.name: c.measure(ctx, c.spec).p if c.kind in ("sign", "test") else None for c in components}
    known = [p for c in criteria.values() if (p := rule.family_p(c, {**_absent(c), **by_name})) is not None]
    return max(known) if known else None


def _absent(criterion: Criterion) -> dict[str, float | None]:
    """Parts of a criterion that are no components bring no p-value."""
    return {name: None for sets in (*criterion.clauses, criterion.contradict) for s in sets for name in s}


def assess(claim: Claim, ctx: Context, question: Question, *, seed: int | None = None) -> Assessment:
    """Decide a claim from its parts.

    Parameters
    ----------
    claim : Claim
    ctx : Context
    question : Question
    seed : int, optional
        Of the draws behind the parts.

    Returns
    -------
    Assessment
    """
    parameters = _parameters(claim, ctx)
    correction = holm_rule.describe(claim, ctx.register, ctx.p_values)

    def adjust(p: float) -> float:
        return holm_rule.adjust(p, correction, ctx.p_values, claim.id)

    measured = {c.name: measure(c, ctx, parameters, adjust) for c in question.components}
    groups = [g for v in claim.variants for g in _groups(v, question.components, measured, ctx, parameters)]
    rows = [r for _, _, own in groups for r in own.values() if r.variant]
    parts = {name: m.part for name, m in measured.items()}
    evidence = [e for m in measured.values() for e in m.evidence]
    if question.last_part is not None:
        name, part, last = question.last_part(measured, rows)
        parts, evidence = {**parts, name: part}, [*evidence, last]
    return Assessment(
        alternatives=tuple(
            _alternative(name, c, parts, question.components, groups, ctx, parameters)
            for name, c in question.criteria.items()
        ),
        evidence=(*evidence, *question.shown),
        variants=tuple(rows),
        sample=question.sample,
        mde_note=_mde_note(question.components, measured, parameters),
        holm=correction,
        weights=_weights(measured),
        notes=(*_notes(measured), *question.notes),
        seed=seed,
        tables=question.tables,
    )


def _parameters(claim: Claim, ctx: Context) -> dict[str, Any]:
    """Numbers of R-MECH, of the claim's own rule, and of the claim."""
    rules = ctx.register.rules
    return {**rules["R-MECH"].parameters, **rules[claim.rule].parameters, **claim.parameters}


def _mde_note(components: Sequence[Component], measured: Mapping[str, Measured], parameters: Mapping[str, Any]) -> str:
    """How the detectable effects were computed, and which parts have none."""
    numbers = [n for m in measured.values() for n in m.numbers.values()]
    reference = "t" if any(n.df is not None for n in numbers) else "z"
    note = f"({reference}[1 - alpha/2] + {reference}[{mech.POWER}]) * se, two-sided, raw alpha {parameters['alpha']}"
    if reference == "t":
        note += "; z for effects without degrees of freedom"
    without = [c.name for c in components if c.kind != "sign"]
    return note + (f"; none for {', '.join(without)}: no standard error" if without else "")


def _groups(
    variant: str,
    components: Sequence[Component],
    measured: Mapping[str, Measured],
    ctx: Context,
    parameters: Mapping[str, Any],
) -> list[Group]:
    """All specifications of a variant, each with every component; what it does not concern stays at its baseline."""
    found: dict[str, dict[str, Trial]] = {}
    untouched: dict[str, str] = {}
    try:
        check(variant, ctx)
        for component in components:
            try:
                found[component.name] = trials(component, variant, ctx)
            except Untouched as reason:
                untouched[component.name] = str(reason)
        if not found:
            raise NotInRelease("; ".join(dict.fromkeys(untouched.values())))
    except NotInRelease as error:
        text = str(ctx.register.variants[variant]["text"])
        absent = Trial(None, str(error))
        found = {c.name: {text: absent} for c in components}
        untouched = {}
    labels = dict.fromkeys(label for own in found.values() for label in own)
    return [_group(variant, label, components, found, measured, ctx, parameters) for label in labels]


def _group(
    variant: str,
    label: str,
    components: Sequence[Component],
    found: Mapping[str, Mapping[str, Trial]],
    measured: Mapping[str, Measured],
    ctx: Context,
    parameters: Mapping[str, Any],
) -> Group:
    """One specification of a variant; rows of untouched components have no variant's name and stay out of the record."""
    out: dict[str, VariantResult] = {}
    for component in components:
        alternative = component.name if len(components) > 1 else ""
        trial = found.get(component.name, {}).get(label)
        if trial is not None:
            out[component.name] = row(component, trial, variant, label, alternative, ctx, parameters["alpha"])
            continue
        number = measured[component.name].numbers[component.w or ""]
        kept = row(component, Trial(number), variant, label, alternative, ctx, parameters["alpha"])
        out[component.name] = replace(kept, variant="", counts=True)
    return variant, label, out


def _alternative(
    name: str,
    criterion: Criterion,
    parts: Mapping[str, Part],
    components: Sequence[Component],
    groups: Sequence[Group],
    ctx: Context,
    parameters: Mapping[str, Any],
) -> Alternative:
    """Outcome and variants of one stated alternative."""
    named = {n for sets in (*criterion.clauses, criterion.contradict) for s in sets for n in s}
    own = {n: p for n, p in parts.items() if n in named}
    outcome = rule.decide(criterion, own)
    shares = _judge(name, criterion, own, components, groups, ctx, outcome.contradict)
    tested = frozenset(c.name for c in components if c.kind in ("sign", "test"))
    clause = not outcome.contradict and any(
        _judge(name, criterion.only(i), own, components, groups, ctx, False).agrees
        for i in rule.clauses_that_hold(criterion, own)
        if any(s & tested for s in criterion.clauses[i])
    )
    return Alternative(name, replace(outcome, clause=clause), shares)


def _judge(
    name: str,
    criterion: Criterion,
    parts: Mapping[str, Part],
    components: Sequence[Component],
    groups: Sequence[Group],
    ctx: Context,
    contradict: bool,
) -> Multiverse:
    """Shares of the variants, each specification judged as a whole."""
    narrowed = rule.carried(criterion, parts, contradict)
    named = {n for sets in (*narrowed.clauses, narrowed.contradict) for s in sets for n in s}
    used = [c for c in components if c.name in named]
    rows = [_whole(variant, label, own, used, narrowed, contradict, ctx) for variant, label, own in groups]
    stated = ctx.register.rules["MULTIVERSE"].parameters
    return multiverse.judge(rows, "contradict" if contradict else "support", stated, name)


def _whole(
    variant: str,
    label: str,
    own: Mapping[str, VariantResult],
    used: Sequence[Component],
    criterion: Criterion,
    contradict: bool,
    ctx: Context,
) -> VariantResult:
    """A specification of a variant as one row; parts left out by it are not asked for, parts that failed end it."""
    rows = {c.name: own[c.name] for c in used}
    counts = bool(ctx.register.variants[variant]["counts"]) and all(r.counts for r in rows.values() if r.ran)
    left_out = {n for n, r in rows.items() if not r.ran and r.reason == LEFT_OUT}
    failed = [n for n, r in rows.items() if not r.ran and n not in left_out]
    present = {n: r for n, r in rows.items() if r.ran}
    if failed or not present:
        reason = "; ".join(f"{n}: {rows[n].reason}" for n in failed)
        return VariantResult(variant, label, counts, False, reason=reason)
    signs = {n: bool(r.stated_sign) for n, r in present.items()}
    strong = {n: bool(r.significant) for n, r in present.items()}
    stated, significant = rule.flags(criterion, signs, strong, contradict)
    return VariantResult(variant, label, counts, True, stated_sign=stated, significant=significant)


def _weights(measured: Mapping[str, Measured]) -> dict[str, str]:
    """Checksums of the matrices of the baselines."""
    return {w: c for m in measured.values() for number in m.numbers.values() for w, c in number.weights.items()}


def _notes(measured: Mapping[str, Measured]) -> tuple[str, ...]:
    """Warnings of the fits, each with the matrices (or parts) it came up under; then what fits at a boundary do to the counts."""
    shared: dict[str, dict[str, None]] = {}
    for name, m in measured.items():
        for w, number in m.numbers.items():
            for text in number.notes:
                shared.setdefault(text, {})[w or name] = None
    ends = [f"{name}: {m.boundary}" for name, m in measured.items() if m.boundary]
    return (*(f"{', '.join(where)}: {text}" for text, where in shared.items()), *ends)
