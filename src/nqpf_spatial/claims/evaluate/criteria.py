"""From a builder of a criterion to an assessment: baseline, variants, evidence, tables.

A claim's reading names its builder: a function of a :class:`View` that returns the criterion (`support_if` and
`contradict_if` as clauses). The same builder serves the baseline and every variant.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate import evidence
from nqpf_spatial.claims.evaluate.assessment import Alternative, Assessment
from nqpf_spatial.claims.evaluate.settings import NothingToReplace, Setting, expand, variables
from nqpf_spatial.claims.evaluate.view import View
from nqpf_spatial.claims.record import Holm, VariantResult
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import holm as holm_rule
from nqpf_spatial.claims.rules import multiverse
from nqpf_spatial.claims.rules.clauses import Adjust, Clause, ends
from nqpf_spatial.claims.rules.criterion import Criterion, Direction, decide, of_variant, summary
from nqpf_spatial.claims.rules.trend import Trend
from nqpf_spatial.errors import DataSourceError, PanelError

Build = Callable[[View], Criterion]

#: what a specification may refuse; the message becomes the reason why a variant did not run
REFUSALS = (NotInRelease, PanelError, DataSourceError)

MDE_NOTE = (
    "trends: change in percent found with power 0.8, from Sen's interval of the Theil-Sen slope (independent years); "
    "levels: difference over the standard deviation of the provinces, from the permutation distribution; raw alpha"
)

#: note of the record where significance leaves no direction behind
NO_SIGN = (
    "the criterion has no sign: a variant goes along with the baseline only where the same criterion holds in full"
)


@contextmanager
def noted(notes: list[str]) -> Iterator[None]:
    """Turn the library's own warnings into notes of the record; any other warning stays one."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for entry in caught:
        if entry.category.__module__.startswith("nqpf_spatial"):
            notes.append(f"{entry.category.__name__}: {entry.message}")
        else:
            warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)


def baseline(claim: Claim, ctx: Context, build: Build) -> tuple[Criterion, tuple[str, ...]]:
    """Build the criterion of a claim on its baseline, once per context, with the library's warnings."""

    def compute() -> tuple[Criterion, tuple[str, ...]]:
        notes: list[str] = []
        with noted(notes):
            criterion = build(View(claim, ctx, Setting()))
        return criterion, tuple(dict.fromkeys(notes))

    return ctx.once(("criterion", claim.id), compute)


def baseline_p(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> float | None:
    """Raw p-value of the baseline for the correction of the family (see :class:`Criterion`)."""
    return baseline(claim, ctx, options["build"])[0].p()


def assess(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> Assessment:
    """Decide a claim whose criterion is made of clauses.

    Parameters
    ----------
    claim : Claim
    ctx : Context
    options : mapping
        ``build``: builder of the criterion; ``beside``: function of a view that returns keys shown and not counted;
        ``extra``: function of a view and the correction that returns further evidence and tables; ``index``, ``index_replaces``: see :mod:`nqpf_spatial.claims.evaluate.settings`; ``notes``: for the record.

    Returns
    -------
    Assessment
    """
    criterion, notes = baseline(claim, ctx, options["build"])
    correction, adjust = _correction(claim, ctx)
    outcome = decide(criterion, adjust)
    direction: Direction = "contradict" if outcome.contradict else "support"
    rows = tuple(r for v in claim.variants for r in _variant(v, claim, ctx, options, criterion, direction))
    shares = multiverse.judge(rows, direction, ctx.register.rules["MULTIVERSE"].parameters)
    view = View(claim, ctx, Setting())
    keys = criterion.keys()
    beside = tuple(k for k in options["beside"](view) if k not in keys) if "beside" in options else ()
    warned: list[str] = []
    with noted(warned):
        extra, more = options["extra"](view, adjust) if "extra" in options else ((), {})
    no_sign = () if criterion.by_sign else (NO_SIGN,)
    return Assessment(
        alternatives=(Alternative("", outcome, shares),),
        evidence=(*evidence.rows(ctx, criterion, beside, adjust), *extra),
        variants=rows,
        sample=evidence.sample(ctx, keys),
        mde_note=options.get("mde_note", MDE_NOTE),
        holm=correction,
        notes=(*options.get("notes", ()), *no_sign, *dict.fromkeys((*notes, *warned)), *evidence.notes(ctx, keys)),
        seed=ctx.seed,
        tables={**evidence.tables(ctx, (*keys, *beside), adjust), **more},
    )


def _correction(claim: Claim, ctx: Context) -> tuple[Holm, Adjust]:
    """Correction of the family, and what it does to one p-value of the claim."""
    correction = holm_rule.describe(claim, ctx.register, ctx.p_values)
    return correction, partial(_adjust, correction, ctx, claim.id)


def _adjust(correction: Holm, ctx: Context, own: str, p: float) -> float:
    return holm_rule.adjust(p, correction, ctx.p_values, own)


def _variant(
    variant: str, claim: Claim, ctx: Context, options: Mapping[str, Any], base: Criterion, direction: Direction
) -> list[VariantResult]:
    """Run all settings of a variant; what cannot run is listed with its reason."""
    entry = ctx.register.variants[variant]
    counts = bool(entry["counts"])
    try:
        settings = expand(variant, claim, ctx, options)
    except NothingToReplace as error:
        # the register's text would name series that this claim does not use
        uses = f"nothing: the claim uses {', '.join(variables(claim))}"
        return [VariantResult(variant, uses, counts, False, reason=str(error))]
    except REFUSALS as error:
        return [VariantResult(variant, str(entry["text"]), counts, False, reason=str(error))]
    rows = []
    for setting in settings:
        try:
            with noted([]):
                criterion = options["build"](View(claim, ctx, setting))
            if criterion.keys() == base.keys():
                raise NotInRelease("it changes nothing in the criterion")
        except REFUSALS as error:
            rows.append(VariantResult(variant, setting.label, counts, False, reason=str(error)))
            continue
        rows.append(_row(variant, setting, counts, criterion, direction))
    return rows


def _row(variant: str, setting: Setting, counts: bool, criterion: Criterion, direction: Direction) -> VariantResult:
    """Record one run of a variant; its number is that of the first clause with one."""
    stated, significant = of_variant(criterion, direction)
    return VariantResult(
        variant=variant,
        specification=setting.label,
        counts=counts,
        ran=True,
        stated_sign=stated,
        significant=significant,
        estimate=_number(criterion.support),
        p=criterion.p(),
        reason=summary(criterion),
    )


def _number(clause: Clause) -> float | None:
    """Median change of the first trend of a criterion, None where it has none."""
    return next((c.middle() for c, _ in ends(clause) if isinstance(c, Trend)), None)
