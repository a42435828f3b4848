"""``nq.claims.run``: from ids to verdicts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from nqpf_spatial.claims.context import SEED, Context
from nqpf_spatial.claims.evaluate import READINGS, RULES_AS_CODE, Assessment
from nqpf_spatial.claims.record import Verdict
from nqpf_spatial.claims.register import Claim, Register, load
from nqpf_spatial.claims.rules import holm, verdicts

#: set to "1" by `nqpf-spatial reproduce --fast` for the notebooks it executes
FAST_VARIABLE = "NQPF_SPATIAL_FAST"


def run(ids: Iterable[str] | str | None = None, *, seed: int = SEED, fast: bool | None = None) -> list[Verdict]:
    """Decide claims by their pre-stated rules.

    Parameters
    ----------
    ids : str or iterable of str, optional
        Claim ids; all of the register by default.
    seed : int
        Seed of every draw.
    fast : bool, optional
        Leave out the variants marked heavy; they are then listed as not run. By default False, unless the
        environment variable ``NQPF_SPATIAL_FAST`` is "1".

    Returns
    -------
    list of Verdict
        In the order of the ids given. A claim whose rule is not written yet has status "not run" and no
        verdict.

    Raises
    ------
    DataSourceError
        If an id is not in the register; the message shows the nearest ones.

    Examples
    --------
    >>> from nqpf_spatial import claims
    >>> [v.label for v in claims.run(["WU-P8", "WU-P12", "LG-3.2"])]
    ['SUPPORTED', 'NOT TESTABLE', 'NOT YET TESTABLE']
    """
    register = load()
    wanted = list(register.claims) if ids is None else [ids] if isinstance(ids, str) else list(ids)
    chosen = [register.claim(i) for i in wanted]
    if fast is None:
        fast = os.environ.get(FAST_VARIABLE) == "1"
    context = Context(register=register, seed=seed, fast=fast)
    return [decide(claim, context) for claim in chosen]


def decide(claim: Claim, ctx: Context) -> Verdict:
    """Decide one claim in a given context.

    Parameters
    ----------
    claim : Claim
    ctx : Context

    Returns
    -------
    Verdict
    """
    word = verdicts.without_data(claim.rule, claim.testability)
    if word is not None:
        return _without_data(claim, ctx, word)
    if claim.id not in READINGS:
        return _record(claim, ctx, None, _arrives(claim))
    reading = READINGS[claim.id]
    _gather_p_values(claim, ctx)
    assessment = reading.evaluate(claim, ctx, reading.options)
    decision = verdicts.first(
        [
            (a.name, verdicts.decide(a.outcome, a.multiverse, claim.testability, ctx.register))
            for a in assessment.alternatives
        ]
    )
    return _record(claim, ctx, decision.word, decision.reason, assessment)


def _gather_p_values(claim: Claim, ctx: Context) -> None:
    """Compute the p-values of the claim's family that are not known yet: the correction needs them all."""
    for member in holm.members(ctx.register, claim.family):
        if member in ctx.p_values or member == claim.id:
            continue
        reading = READINGS.get(member)
        has_p = reading is not None and reading.p_value is not None
        ctx.p_values[member] = (
            reading.p_value(ctx.register.claim(member), ctx, reading.options) if has_p else None  # type: ignore[union-attr,misc]
        )


def _arrives(claim: Claim) -> str:
    """Why a claim is not run, by name."""
    if claim.rule not in RULES_AS_CODE:
        return f"not run: rule {claim.rule} arrives later"
    return f"not run: rule {claim.rule} is written, its reading for claim {claim.id} arrives later"


def _without_data(claim: Claim, ctx: Context, word: str) -> Verdict:
    """Verdict that follows from the register alone, in its own words."""
    if word == "NOT YET TESTABLE":
        reason = f"waits for: {'; '.join(claim.needs)}"
    else:
        reason = str(claim.cannot_test or ctx.register.rules[claim.rule].text)
    return _record(claim, ctx, word, reason)


def _record(claim: Claim, ctx: Context, word: str | None, reason: str, found: Assessment | None = None) -> Verdict:
    """Put a verdict on record."""
    from nqpf_spatial import __version__, data

    register: Register = ctx.register
    extra: dict[str, Any] = {} if found is None else _found(found)
    return Verdict(
        claim=claim.id,
        verdict=word,
        status="decided" if word is not None else "not run",
        reason=reason,
        rule=claim.rule,
        testability=claim.testability,
        proxy=word is not None and claim.testability == "proxy",
        disclosure=claim.disclosure,
        disclosure_note=claim.disclosure_note,
        parameters={**register.rules[claim.rule].parameters, **claim.parameters},
        needs=claim.needs,
        data_release=str(data.release()["release"]),
        register_checksum=register.checksum,
        library=__version__,
        fast=ctx.fast,
        **extra,
    )


def _found(found: Assessment) -> dict[str, Any]:
    """Fields of a record that come from the evaluation."""
    return {
        "evidence": found.evidence,
        "variants": found.variants,
        "multiverse": tuple(a.multiverse for a in found.alternatives),
        "holm": found.holm,
        "mde_note": found.mde_note,
        "sample": found.sample,
        "weights": found.weights,
        "notes": found.notes,
        "seed": found.seed,
        "tables": found.tables,
    }
