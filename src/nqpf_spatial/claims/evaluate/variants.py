"""Variants of regressions: what each entry of the register changes in the baseline specification.

Readings fixed before any variant was run (for R-MECH on WU-M4: those of the index and of the six other W after its baseline was
seen; for all other claims before any of their outcomes):

* Names are taken as the register writes them: ``patents_inv_pc`` and ``cable_pc`` enter in levels. The outcome keeps the logarithm
  of the baseline (alt_urban_labour swaps the measure of labour, not the form). A series is swapped wherever the claim has it:
  outcome, regressor, factor of a product.
* The window is that of the claim, cut to the years in which the variable swapped in exists for every province of the specification
  (availability by year, never a value). Where the text of the variant states a window that reaches beyond the claim's, that window
  is taken, cut likewise (drop_schooling, alt_income).
* alt_solow, alt_tfp: where the outcome is a level ``solow_residual`` or ``tfp_est`` takes its place; where it is growth,
  ``tfp_solow_growth`` or ``tfp_growth_est``, and a lagged level on the right becomes that of the same series (a series converges to
  itself).
* base_2023: level and ratios of total GDP in the 4th-census vintage; the sector shares keep their registered definition, because
  sectors of that vintage end in 2019.
* w_others: the other matrices of the set, each with the baseline regressors; one that is weakly identified is shown, not counted, as
  R-MECH says.
* index_*: where the outcome is an index of the register, that index made another way; otherwise a digital index made another way
  in the place of the baseline digital series.
* alt_health on an index: the index without beds, so that doctors alone stand for health.
* alt_schooling: ``college_share``, and the census years of schooling on their own dates, which the outcome and the other regressors
  must have too.
* ns_no_beijing: Beijing leaves panel and W. ns_tibet_north: Tibet counts as North.
* long_difference: where the outcome is growth, growth a year between the first and the last year of the window on level, products and
  controls of the first (a cross-section); where it is a level, the panel of the first and the last year.
* alt_income: log disposable income in the place of the index, the initial level with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.indices import DEVELOPMENT, INDEX, VARIANTS_OF, without
from nqpf_spatial.claims.evaluate.series import root, swapped
from nqpf_spatial.claims.evaluate.specification import SYMMETRIC, Specification, complete_years, has_levels
from nqpf_spatial.errors import DataSourceError

MUNICIPALITIES = ("Beijing", "Tianjin", "Shanghai", "Chongqing")

#: what is changed, and the run
Specifications = list[tuple[str, Specification]]
Expand = Callable[[Specification, Context], Specifications]

#: variants of several refits, left out by a fast run
HEAVY = frozenset({"alt_digital", "alt_innovation", "index_pca", "index_topsis", "index_drop_one"})
#: years a panel with province effects needs
LEAST_YEARS = 2
_CENSUS = "mean_years_schooling"


class Untouched(NotInRelease):
    """A variant does not concern a specification: what it changes is not in it."""


def within(ctx: Context, spec: Specification, years: tuple[int, ...], *names: str) -> tuple[int, ...]:
    """Cut a window to the years in which all series exist for every province of the specification."""
    present = frozenset.intersection(*(complete_years(ctx, spec, n) for n in names))
    return tuple(y for y in years if y in present)


def stated_window(ctx: Context, variant: str) -> tuple[int, ...]:
    """Years of the window that the register's text of a variant ends with."""
    found = re.findall(r"(\d{4})-(\d{4})", str(ctx.register.variants[variant]["text"]))
    if not found:
        raise DataSourceError(f"the register states no window for variant {variant!r}")
    first, last = map(int, found[-1])
    return tuple(range(first, last + 1))


def swap(spec: Specification, old: str, new: str) -> Specification:
    """Put a series in the place of another wherever a specification has it."""

    def name(n: str) -> str:
        return swapped(n, old, new)

    products = tuple((name(a), name(b)) for a, b in spec.products)
    renamed = {f"{a}_x_{b}": f"{c}_x_{d}" for (a, b), (c, d) in zip(spec.products, products, strict=True)}
    return replace(
        spec,
        outcome=name(spec.outcome),
        regressors=tuple(map(name, spec.regressors)),
        focus=tuple(renamed.get(f, name(f)) for f in spec.focus),
        products=products,
    )


def has(spec: Specification, series: str) -> bool:
    """Tell whether a specification has a series under any prefix."""
    return any(swapped(n, series, "") != n for n in spec.names)


def _baseline(ctx: Context) -> Mapping[str, Any]:
    return ctx.register.threshold("R-MECH", "baseline")


def _replaced(spec: Specification, ctx: Context, old: tuple[str, ...], new: str) -> tuple[str, Specification]:
    """Another series for the one of `old` that the specification has, in its years."""
    present = [o for o in old if has(spec, o)]
    if not present:
        raise Untouched(f"the claim has no {' or '.join(old)} to replace")
    changed = swap(spec, present[0], new)
    names = [n for n in changed.names if swapped(n, new, "") != n]
    return f"{new} for {present[0]}", replace(changed, years=within(ctx, changed, spec.years, *names))


def _stands_for(ctx: Context, role: str) -> tuple[str, ...]:
    """Baseline series of a role, with and without its logarithm."""
    old = str(_baseline(ctx)[role])
    return (old, old.removeprefix("ln_"))


def _alternatives(role: str) -> Expand:
    """One run per alternative series of a role, as listed by the rule."""

    def expand(spec: Specification, ctx: Context) -> Specifications:
        listed = _baseline(ctx)["alternatives"][role]
        return [_replaced(spec, ctx, _stands_for(ctx, role), new) for new in listed]

    return expand


def _one(new: str, *old: str) -> Expand:
    return lambda spec, ctx: [_replaced(spec, ctx, old, new)]


def _in_role(role: str, new: str) -> Expand:
    return lambda spec, ctx: [_replaced(spec, ctx, _stands_for(ctx, role), new)]


def _outcome(new: str) -> Expand:
    """Another outcome, in its years."""

    def expand(spec: Specification, ctx: Context) -> Specifications:
        changed = replace(spec, outcome=new)
        return [(f"outcome {new}", replace(changed, years=within(ctx, changed, spec.years, new)))]

    return expand


def _productivity(level: str, growth: str) -> Expand:
    """A measure of total factor productivity in the place of output per resident."""

    def expand(spec: Specification, ctx: Context) -> Specifications:
        if not has_levels(spec.outcome):
            return _outcome(level)(spec, ctx)
        changed = replace(swap(spec, "ln_gdp_real_pc", level), outcome=growth)
        names = [n for n in changed.names if root(n) in (level, growth)]
        return [(f"outcome {growth}", replace(changed, years=within(ctx, changed, spec.years, *names)))]

    return expand


def _add(new: str) -> Expand:
    def expand(spec: Specification, ctx: Context) -> Specifications:
        if new in spec.regressors:
            raise Untouched(f"{new} is in the baseline already")
        changed = replace(spec, regressors=(*spec.regressors, new))
        return [(f"with {new}", replace(changed, years=within(ctx, changed, spec.years, new)))]

    return expand


def _leave_out(old: str, variant: str = "") -> Expand:
    """Without a regressor; with a variant's name, in the window its text states."""

    def expand(spec: Specification, ctx: Context) -> Specifications:
        if old not in spec.regressors:
            raise Untouched(f"{old} is not a regressor of this claim")
        if not variant and old in spec.focus:
            raise Untouched(f"{old} is not a control of this claim")
        changed = replace(
            spec,
            regressors=tuple(r for r in spec.regressors if r != old),
            focus=tuple("" if f == old else f for f in spec.focus),
        )
        if variant:
            changed = replace(changed, years=within(ctx, changed, stated_window(ctx, variant), *changed.names))
        return [(f"without {old}", changed)]

    return expand


def _without(*provinces: str) -> Expand:
    return lambda spec, ctx: [(f"without {', '.join(provinces)}", replace(spec, drop=(*spec.drop, *provinces)))]


def _patch(name: str, source: str) -> Expand:
    """Replaced columns, in the years in which their source series exists."""

    def expand(spec: Specification, ctx: Context) -> Specifications:
        years = within(ctx, spec, spec.years, source)
        return [(name, replace(spec, patches=(*spec.patches, name), years=years))]

    return expand


def _lagged(spec: Specification, ctx: Context) -> Specifications:
    present = frozenset.intersection(*(complete_years(ctx, spec, r) for r in spec.regressors))
    return [
        ("regressors of the year before", replace(spec, lag=1, years=tuple(y for y in spec.years if y - 1 in present)))
    ]


def _until(variant: str) -> Expand:
    """A window that ends in the year the variant is named after."""
    last = int(variant.removeprefix("to_"))
    return lambda spec, ctx: [(f"to {last}", replace(spec, years=tuple(y for y in spec.years if y <= last)))]


def _other_w(spec: Specification, ctx: Context) -> Specifications:
    if spec.w is None:
        raise Untouched("there is no W in this part of the claim")
    w_set = ctx.register.weights["sets"][ctx.register.threshold("R-MECH", "w_set")]
    return [(f"W {w}", replace(spec, w=w)) for w in w_set if w != spec.w]


def _symmetric(spec: Specification, ctx: Context) -> Specifications:
    if spec.w is None:
        raise Untouched("there is no W in this part of the claim")
    return [(f"W {SYMMETRIC}", replace(spec, w=SYMMETRIC))]


def _index(variant: str) -> Expand:
    """An index made another way: that of the outcome, or a digital index for the digital series."""

    def expand(spec: Specification, ctx: Context) -> Specifications:
        own = spec.outcome if spec.outcome in VARIANTS_OF else INDEX
        old = (own,) if own == spec.outcome else _stands_for(ctx, "digital")
        out: Specifications = []
        for column in VARIANTS_OF[own][variant]:
            label, changed = _replaced(replace(spec, patches=(*spec.patches, column)), ctx, old, column)
            out.append((label, changed))
        return out

    return expand


def _health(spec: Specification, ctx: Context) -> Specifications:
    if spec.outcome == DEVELOPMENT:
        column = without(DEVELOPMENT, "beds_per_1000")
        return [_replaced(replace(spec, patches=(*spec.patches, column)), ctx, (DEVELOPMENT,), column)]
    return [_replaced(spec, ctx, ("beds_per_1000",), "doctors_per_1000")]


def _schooling(spec: Specification, ctx: Context) -> Specifications:
    label, changed = _replaced(spec, ctx, ("schooling_years",), "college_share")
    census = swap(spec, "schooling_years", _CENSUS)
    dates = within(ctx, census, tuple(sorted(complete_years(ctx, census, _CENSUS))), *census.names)
    return [(label, changed), (f"{_CENSUS} for schooling_years, census years", replace(census, years=dates))]


def _income(spec: Specification, ctx: Context) -> Specifications:
    changed = swap(spec, spec.outcome, "ln_disposable_income_pc")
    years = within(ctx, changed, stated_window(ctx, "alt_income"), *changed.names)
    return [("outcome ln_disposable_income_pc", replace(changed, years=years))]


def _internet(spec: Specification, ctx: Context) -> Specifications:
    changed = replace(spec, outcome="internet_penetration")
    years = within(ctx, changed, stated_window(ctx, "alt_internet"), *changed.names)
    return [("outcome internet_penetration", replace(changed, years=years))]


def _regrouped(spec: Specification, ctx: Context) -> Specifications:
    from nqpf_spatial import provinces

    if set(provinces.groups("north_south")["South"]) <= set(spec.drop):  # the sample is the North
        return [("Tibet counted North", replace(spec, drop=tuple(p for p in spec.drop if p != "Tibet")))]
    if not any(n.startswith("in_") for n in spec.names):
        raise Untouched("the split of North and South does not enter this part of the claim")
    return [("Tibet counted North", replace(spec, regroup=(*spec.regroup, ("Tibet", "North"))))]


def _long(spec: Specification, ctx: Context) -> Specifications:
    ends = (spec.years[0], spec.years[-1])
    return [(f"change {ends[0]}-{ends[1]}", replace(spec, years=ends, long=has_levels(spec.outcome)))]


#: variant id -> its specifications
VARIANTS: Mapping[str, Expand] = {
    "w_others": _other_w,
    "w_mig_symmetric": _symmetric,
    "no_tibet": _without("Tibet"),
    "no_municipalities": _without(*MUNICIPALITIES),
    "alt_digital": _alternatives("digital"),
    "alt_innovation": _alternatives("innovation"),
    "alt_migration": _in_role("population_flows", "net_migration_rate"),
    "alt_urban_labour": _outcome("ln_gdp_real_per_urban_worker"),
    "alt_tfp": _productivity("tfp_est", "tfp_growth_est"),
    "alt_solow": _productivity("solow_residual", "tfp_solow_growth"),
    "alt_gdp_total": _outcome("ln_gdp_real"),
    "nine_sectors": _one("krugman9", "krugman3"),
    "alt_transport": _one("rail_density", "transport_density"),
    "alt_health": _health,
    "alt_schooling": _schooling,
    "alt_income": _income,
    "alt_internet": _internet,
    "add_trade": _add("ln_trade_ratio"),
    "add_schooling": _add("schooling_years"),
    "base_2023": _patch("base_2023", "gdp_v2023"),
    "firstpub_growth": _patch("firstpub_growth", "gdp_index_firstpub"),
    "drop_secondary": _leave_out("share_secondary"),
    "drop_urbanization": _leave_out("urbanization_rate"),
    "drop_schooling": _leave_out("schooling_years", "drop_schooling"),
    "lag_regressors": _lagged,
    "plain_ml": lambda spec, ctx: [("dummy-variable ML", replace(spec, correction="none"))],
    "to_2019": _until("to_2019"),
    "long_difference": _long,
    "ns_tibet_north": _regrouped,
    "ns_no_beijing": _without("Beijing"),
    "index_broad": _in_role("digital", "digital_index_broad"),
    **{variant: _index(variant) for variant in VARIANTS_OF[INDEX]},
}


def check(variant: str, ctx: Context) -> None:
    """Refuse a variant the register does not know, or one that a fast run leaves out."""
    if variant not in ctx.register.variants:
        raise DataSourceError(f"the register has no variant {variant!r}; it has {', '.join(ctx.register.variants)}")
    if ctx.fast and variant in HEAVY:
        raise NotInRelease("left out by the fast run")


def expand(variant: str, spec: Specification, ctx: Context) -> Specifications:
    """List the runs of a variant.

    Parameters
    ----------
    variant : str
        Id in the register.
    spec : Specification
        Baseline of the claim.
    ctx : Context

    Returns
    -------
    list of (str, Specification)
        What is changed, and the run; see :func:`too_few_years`.

    Raises
    ------
    Untouched
        If the specification has nothing that the variant changes.
    NotInRelease
        If the variant, or something it needs, is not in this release; the message is the reason shown.
    DataSourceError
        If the register has no such variant.
    """
    check(variant, ctx)
    if variant not in VARIANTS:
        raise NotInRelease(f"variant {variant} is not written for regressions yet")
    return VARIANTS[variant](spec, ctx)


def too_few_years(spec: Specification) -> str:
    """Why a specification cannot run for want of years, "" where it can."""
    if len(spec.years) >= LEAST_YEARS:
        return ""
    return f"{len(spec.years)} years with all provinces, at least {LEAST_YEARS} are needed"
