"""Variants of R-MECH: what each entry of the register changes in the baseline specification.

Readings fixed before any variant was run (those of the index and of the six other W after the baseline was seen):

* Names are taken as the register writes them: ``patents_inv_pc`` and ``cable_pc`` enter in levels. The
  outcome keeps the logarithm of the baseline (alt_urban_labour swaps the measure of labour, not the form).
* The window is that of the claim, cut to the years in which the variable swapped in exists for every province
  (availability by year, never a value). Where the register states the window too, a test compares both.
* alt_solow: the claim's outcome is a level, so ``solow_residual`` takes its place; ``tfp_solow_growth``
  belongs to claims on growth.
* base_2023: level and ratios of total GDP in the 4th-census vintage; the secondary share keeps its registered
  definition, because sectors of that vintage end in 2019.
* w_others: the other matrices of the set, each with the baseline regressors; one that is weakly identified is
  shown, not counted, as R-MECH says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.indices import INDEX, INDEX_VARIANTS
from nqpf_spatial.claims.evaluate.specification import Specification
from nqpf_spatial.errors import DataSourceError

MUNICIPALITIES = ("Beijing", "Tianjin", "Shanghai", "Chongqing")

Specifications = list[tuple[str, Specification]]

#: variants of several refits, left out by a fast run
HEAVY = frozenset({"alt_digital", "alt_innovation", "index_pca", "index_topsis", "index_drop_one"})


def _within(ctx: Context, years: tuple[int, ...], *names: str) -> tuple[int, ...]:
    """Cut a window to the years in which all variables exist for every province."""
    present = frozenset.intersection(*(ctx.complete_years(n) for n in names))
    return tuple(y for y in years if y in present)


def _baseline(ctx: Context) -> Mapping[str, Any]:
    return ctx.register.threshold("R-MECH", "baseline")


def _swap(
    base: Specification, ctx: Context, role: str, new: str, availability: str | None = None
) -> tuple[str, Specification]:
    """Put another series in the place of the baseline series of a role (digital, innovation, flows)."""
    old = _baseline(ctx)[role]
    if old not in base.regressors:
        raise NotInRelease(f"the claim has no {old} to replace")
    regressors = tuple(new if r == old else r for r in base.regressors)
    focus = new if base.focus == old else base.focus
    years = _within(ctx, base.years, availability or new)
    return f"{new} for {old}", replace(base, regressors=regressors, focus=focus, years=years)


def _alternatives(role: str) -> Callable[[Specification, Context], Specifications]:
    """One run per alternative series of a role, as listed by the rule."""

    def expand(base: Specification, ctx: Context) -> Specifications:
        return [_swap(base, ctx, role, new) for new in _baseline(ctx)["alternatives"][role]]

    return expand


def _one(role: str, new: str) -> Callable[[Specification, Context], Specifications]:
    return lambda base, ctx: [_swap(base, ctx, role, new)]


def _outcome(new: str, source: str, patch: str | None = None) -> Callable[[Specification, Context], Specifications]:
    """Another outcome, in the years in which its source series exists."""

    def expand(base: Specification, ctx: Context) -> Specifications:
        patches = base.patches if patch is None else (*base.patches, patch)
        years = _within(ctx, base.years, source)
        return [(f"outcome {new}", replace(base, outcome=new, years=years, patches=patches))]

    return expand


def _add(new: str) -> Callable[[Specification, Context], Specifications]:
    def expand(base: Specification, ctx: Context) -> Specifications:
        if new in base.regressors:
            raise NotInRelease(f"{new} is in the baseline already")
        years = _within(ctx, base.years, new)
        return [(f"with {new}", replace(base, regressors=(*base.regressors, new), years=years))]

    return expand


def _leave_out(old: str) -> Callable[[Specification, Context], Specifications]:
    def expand(base: Specification, ctx: Context) -> Specifications:
        if old not in base.regressors or old == base.focus:
            raise NotInRelease(f"{old} is not a control of this claim")
        return [(f"without {old}", replace(base, regressors=tuple(r for r in base.regressors if r != old)))]

    return expand


def _without(*provinces: str) -> Callable[[Specification, Context], Specifications]:
    return lambda base, ctx: [(f"without {', '.join(provinces)}", replace(base, drop=(*base.drop, *provinces)))]


def _patch(name: str, *sources: str) -> Callable[[Specification, Context], Specifications]:
    """Replaced columns, in the years in which their source series exist."""

    def expand(base: Specification, ctx: Context) -> Specifications:
        years = _within(ctx, base.years, *sources)
        return [(name, replace(base, patches=(*base.patches, name), years=years))]

    return expand


def _lagged(base: Specification, ctx: Context) -> Specifications:
    present = frozenset.intersection(*(ctx.complete_years(r) for r in base.regressors))
    years = tuple(y for y in base.years if y - 1 in present)
    return [("regressors of the year before", replace(base, lag=1, years=years))]


def _until(variant: str) -> Callable[[Specification, Context], Specifications]:
    """A window that ends in the year the variant is named after."""
    last = int(variant.removeprefix("to_"))

    def expand(base: Specification, ctx: Context) -> Specifications:
        return [(f"to {last}", replace(base, years=tuple(y for y in base.years if y <= last)))]

    return expand


def _other_w(base: Specification, ctx: Context) -> Specifications:
    w_set = ctx.register.weights["sets"][ctx.register.threshold("R-MECH", "w_set")]
    return [(f"W {w}", replace(base, w=w)) for w in w_set if w != base.w]


def _index(variant: str) -> Callable[[Specification, Context], Specifications]:
    """A digital index made another way, in the years of the register's digital index."""

    def expand(base: Specification, ctx: Context) -> Specifications:
        out = []
        for column in INDEX_VARIANTS[variant]:
            label, swapped = _swap(base, ctx, "digital", column, availability=INDEX)
            out.append((label, replace(swapped, patches=(*base.patches, column))))
        return out

    return expand


#: variant id -> its specifications
VARIANTS: Mapping[str, Callable[[Specification, Context], Specifications]] = {
    "w_others": _other_w,
    "no_tibet": _without("Tibet"),
    "no_municipalities": _without(*MUNICIPALITIES),
    "alt_digital": _alternatives("digital"),
    "alt_innovation": _alternatives("innovation"),
    "alt_migration": _one("population_flows", "net_migration_rate"),
    "alt_urban_labour": _outcome("ln_gdp_real_per_urban_worker", "gdp_real_per_urban_worker", "ln_urban_worker"),
    "alt_tfp": _outcome("tfp_est", "tfp_est"),
    "alt_solow": _outcome("solow_residual", "solow_residual"),
    "alt_gdp_total": _outcome("ln_gdp_real", "gdp_real", "ln_gdp_real"),
    "add_trade": _add("ln_trade_ratio"),
    "add_schooling": _add("schooling_years"),
    "base_2023": _patch("base_2023", "gdp_v2023"),
    "firstpub_growth": _patch("firstpub_growth", "gdp_index_firstpub"),
    "drop_secondary": _leave_out("share_secondary"),
    "drop_urbanization": _leave_out("urbanization_rate"),
    "lag_regressors": _lagged,
    "plain_ml": lambda base, ctx: [("dummy-variable ML", replace(base, correction="none"))],
    "to_2019": _until("to_2019"),
    "index_broad": _one("digital", "digital_index_broad"),
    "index_equal": _index("index_equal"),
    "index_pca": _index("index_pca"),
    "index_topsis": _index("index_topsis"),
    "index_drop_one": _index("index_drop_one"),
}


def expand(variant: str, base: Specification, ctx: Context) -> Specifications:
    """List the runs of a variant.

    Parameters
    ----------
    variant : str
        Id in the register.
    base : Specification
        Baseline of the claim.
    ctx : Context

    Returns
    -------
    list of (str, Specification)
        What is changed, and the run.

    Raises
    ------
    NotInRelease
        If the variant, or something it needs, is not in this release; the message is the reason shown.
    DataSourceError
        If the register has no such variant.
    """
    if variant not in ctx.register.variants:
        raise DataSourceError(f"the register has no variant {variant!r}; it has {', '.join(ctx.register.variants)}")
    if variant not in VARIANTS:
        raise NotInRelease(f"variant {variant} is not written for R-MECH yet")
    if ctx.fast and variant in HEAVY:
        raise NotInRelease("left out by the fast run")
    runs = VARIANTS[variant](base, ctx)
    for label, spec in runs:
        if len(spec.years) < 2:
            raise NotInRelease(f"{label}: {len(spec.years)} years with all provinces, at least two are needed")
    return runs
