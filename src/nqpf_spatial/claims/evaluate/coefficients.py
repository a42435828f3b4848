"""R-COEF: coefficients of the regressions that claims state.

Readings fixed before any verdict was computed (with those of :mod:`nqpf_spatial.claims.evaluate.regression` on covariance and effects):

* Panel models have province and year effects unless the hypothesis names others (WU-3.3: year effects). WU-4.6 states none and gets
  both; year effects alone are shown beside. Levels and logarithms as the hypothesis writes them.
* LG-4.1: each outcome on the other series of the year before, no own lag (none is listed); both outcomes and lags inside the window, so
  that one vintage serves both. A version with the own lag stands beside.
* WU-0.7: the stated regression is mean growth on one composite, the mean of the three distances to the best province in standard
  deviations; least squares, HC3, t. "Pre-listed candidates": the only list the register states beforehand, the other regressors of the
  R-MECH baseline (population flows and controls) in the year of the distances; the three distances enter as one group, and their
  Shapley share must exceed every other. "Coefficient" and "largest share" are two clauses. With candidates as controls: shown.
* WU-1.5: change of the logarithm of R&D intensity over the window, log points a year, on the mean investment rate of its own; the clause
  on a break has no data. That the rate is higher in the North is shown by a permutation of labels.
* WU-1.6: the northern provinces by the register's column, their number as the claim states; the mining clause has no data.
* WU-1.12: gaps pooled over the years with year effects ("go with"); similarity is minus the distance over the sectors behind the index;
  of the three outcomes the register names two exist, and the number it asks for must hold among them.
* WU-3.3: the logarithm of zero does not exist: the provinces that are a sea gate leave the sample (the more cautious of the two ways
  out, as they trade most); ln(1 + km) with all provinces is shown beside.
* WU-4.1: one Durbin model per outcome, the level of the year before as its only regressor, inside the windows the claim states; gaps by
  R-TREND over the window of each outcome. "Not CONVERGING" is a guard: at the raw p for support, at the corrected p for contradiction;
  the p of a label is the k-th smallest of its measures whose change reaches the threshold (k: measures that must agree).
* WU-4.7: pairwise gaps with pair and year effects ("raise": changes of a gap with changes of another), gaps in the other regressors as
  controls; the ratio by its direct effect in the Durbin model. Alternatives of one clause, "on neither" at the raw p. Gaps across
  pairs (year effects only) and the Durbin effects on income itself are shown.
* WU-4.13: elasticities of flows to destination over origin, one for each series, both intervals pooled with origin, destination and
  interval effects and distance; effects by interval would absorb every gap. Support needs all, contradiction all.
* WU-4.6, WU-4.13: "both" and the plural carry over to contradict_if.
* Pairs: 4999 rearrangements (the register fixes none); the detectable effect uses the spread of the coefficient over them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate import cross_section, dyads, gravity, windows
from nqpf_spatial.claims.evaluate.assessment import Assessment
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.beside import beside
from nqpf_spatial.claims.evaluate.compound import Question, assess, family_p
from nqpf_spatial.claims.evaluate.converging import converging
from nqpf_spatial.claims.evaluate.levels_beside import level_beside
from nqpf_spatial.claims.evaluate.parts import Component, evidence
from nqpf_spatial.claims.evaluate.regression import coefficient, component, described, table_of
from nqpf_spatial.claims.evaluate.series import root
from nqpf_spatial.claims.evaluate.specification import TWO_WAY, Specification
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules.combination import Criterion, all_of, any_of, at_least
from nqpf_spatial.errors import DataSourceError

if TYPE_CHECKING:
    import pandas as pd

Parts = tuple[tuple[Component, ...], Criterion]
LEVEL = "ln_gdp_real_pc"


def _w(claim: Claim, ctx: Context) -> str | None:
    """Baseline W where the claim names any."""
    return str(ctx.register.threshold("R-MECH", "baseline_w")) if claim.W else None


def plain(claim: Claim, ctx: Context, sign: int, focus: int = 1, effects: str = TWO_WAY) -> Parts:
    """The first `focus` regressors of the claim have the stated sign; all of them, and all must be opposite to contradict."""
    regressors = tuple(windows.named(claim, r) for r in claim.regressors)
    outcome = claim.outcome[0]
    years = windows.years(claim, outcome)
    spec = Specification(outcome, regressors, regressors[:focus], years, _w(claim, ctx), effects=effects)
    found = tuple(component(spec, i, sign) for i in range(focus))
    names = [c.name for c in found]
    return found, Criterion((all_of(names),), all_of(names))


def sea(claim: Claim, ctx: Context) -> Parts:
    """WU-3.3: trade falls in the distance to the sea gates."""
    (own,), criterion = plain(claim, ctx, -1, effects="year")
    km = ctx.panel[claim.regressors[0]].xs(own.spec.years[0], level="year")
    gates = tuple(str(p) for p in km.index[km == 0])
    return (replace(own, spec=replace(own.spec, drop=gates)),), criterion


def mutual(claim: Claim, ctx: Context) -> Parts:
    """LG-4.1: each of two series on the other of the year before."""
    found = []
    for outcome, other in zip(claim.outcome, claim.regressors, strict=True):
        lagged = f"lag_ln_{other}"
        years = windows.years(claim, outcome, lagged=(other,))
        spec = Specification(f"ln_{outcome}", (lagged,), (lagged,), years, _w(claim, ctx))
        found.append(component(spec, 0, 1))
    names = [c.name for c in found]
    return tuple(found), Criterion((all_of(names),), any_of(names))


def northern(claim: Claim, ctx: Context) -> Parts:
    """WU-1.6: a falling state share goes before falling R&D intensity, in the North."""
    from nqpf_spatial import provinces

    group, count = re.match(r"(\w+), (\d+) provinces", str(claim.parameters["sample"])).groups()  # type: ignore[union-attr]
    members = provinces.groups("north_south")
    if len(members[group]) != int(count):
        raise DataSourceError(
            f"claim {claim.id} states {count} provinces in the {group}, there are {len(members[group])}"
        )
    outside = tuple(str(p) for g, own in members.items() if g != group for p in own)
    (regressor,), outcome = claim.regressors, claim.outcome[0]
    lagged = "lag_" * int(claim.parameters["lag"]) + regressor
    years = windows.years(claim, outcome, lagged=(regressor,))
    spec = Specification(outcome, (lagged,), (lagged,), years, None, drop=outside)
    return (component(spec, 0, 1, "coefficient"),), Criterion((all_of(["coefficient"]),), any_of(["coefficient"]))


def transmission(claim: Claim, ctx: Context) -> Parts:
    """WU-4.1: output leads to later gaps elsewhere, and these do not close."""
    lagged = f"lag_{LEVEL}"
    w, coefficients, guards = _w(claim, ctx), [], []
    for outcome in claim.outcome:
        years = windows.years(claim, outcome, lagged=(LEVEL,))
        coefficients.append(component(Specification(outcome, (lagged,), (lagged,), years, w), 0, 1, outcome))
        first, last = windows.window(claim, outcome)
        series = Specification(outcome, (), (), tuple(range(first, last + 1)), None)
        what = f"change of the dispersion of {outcome}, percent (median of the measures)"
        guards.append(Component(f"gap in {outcome}", what, series, converging, kind="guard"))
    names, gaps = [c.name for c in coefficients], [c.name for c in guards]
    numbers = claim.parameters
    return (*coefficients, *guards), Criterion(
        (at_least(numbers["min_positive"], names), at_least(numbers["min_not_converging"], gaps)),
        at_least(windows.at_least_in(str(claim.contradict_if)), gaps),
    )


def _gap(claim: Claim, outcome: str, regressors: tuple[str, ...], effects: str, name: str) -> Component:
    """The coefficient of pairwise gaps in the first regressor."""
    years = windows.years(claim, next(y for y in claim.outcome if y in (outcome, root(outcome))))
    spec = Specification(outcome, regressors, regressors[:1], years, None, effects=effects)
    what = f"coefficient of pairwise gaps in {regressors[0]} on pairwise "
    what += f"similarity behind {outcome}" if outcome.startswith("krugman") else f"gaps in {outcome}"
    return Component(name, what, spec, partial(dyads.gap_number, position=0))


def dyadic(claim: Claim, ctx: Context) -> Parts:
    """WU-1.12: gaps in the digital series go with gaps in output and with similar sectors."""
    found = tuple(_gap(claim, y, claim.regressors, "period", y) for y in claim.outcome)
    need, against = (windows.at_least_in(str(text)) for text in (claim.support_if, claim.contradict_if))
    return found, Criterion((at_least(need, claim.outcome),), at_least(against, claim.outcome))


def incomes(claim: Claim, ctx: Context) -> Parts:
    """WU-4.7: pairwise gaps in income, and the ratio of urban to rural income."""
    income, ratio = claim.outcome
    gap = _gap(claim, windows.named(claim, income), claim.regressors, "pair + period", "pairwise gap")
    spec = Specification(ratio, claim.regressors, claim.regressors[:1], windows.years(claim, ratio), _w(claim, ctx))
    names = ["pairwise gap", "urban-rural ratio"]
    return (gap, component(spec, 0, 1, names[1])), Criterion(
        (any_of(names),), any_of(names), unopposed=True, alternatives=True
    )


def flows(claim: Claim, ctx: Context) -> Parts:
    """WU-4.13: people move to where wages and services are better."""
    spec = gravity.stated(claim)
    found = tuple(
        Component(r, f"elasticity of flows to {r}, destination over origin", spec, partial(gravity.elasticity, position=i), expand=gravity.expand)
        for i, r in enumerate(spec.regressors)
    )  # fmt: skip
    return found, Criterion((all_of(spec.regressors),), all_of(spec.regressors))


def brake(claim: Claim, ctx: Context) -> Parts:
    """WU-0.7: distance to the best province in capabilities, and its share among candidates."""
    baseline = ctx.register.threshold("R-MECH", "baseline")
    initial = tuple((r, *windows.window(claim, r)) for r in claim.regressors)
    at = initial[0][1:]
    candidates = tuple((str(c), *at) for c in (baseline["population_flows"], *baseline["controls"]))
    years = windows.years(claim, claim.outcome[0])
    spec = cross_section.CrossSection(claim.outcome[0], years, False, initial, True, candidates)
    parts = (
        Component("distance", "coefficient of the mean distance to the best province, in standard deviations", spec, cross_section.coefficient, -1, expand=cross_section.expand),
        Component("Shapley share", "Shapley share of the distances in the R2, as one group", spec, cross_section.shapley, kind="state", expand=cross_section.expand),
    )  # fmt: skip
    return parts, Criterion((all_of(["distance"]), all_of(["Shapley share"])), any_of(["distance"]))


def investment(claim: Claim, ctx: Context) -> Parts:
    """WU-1.5: investment before, R&D intensity after."""
    initial = tuple((r, *windows.window(claim, r)) for r in claim.regressors)
    spec = cross_section.CrossSection(claim.outcome[0], windows.years(claim, claim.outcome[0]), True, initial)
    what = f"coefficient of {claim.regressors[0]} of {initial[0][1]}-{initial[0][2]} on growth of {claim.outcome[0]}"
    own = Component("coefficient", what, spec, cross_section.coefficient, -1, expand=cross_section.expand)
    return (own,), Criterion((all_of(["coefficient"]),), any_of(["coefficient"]))


# -- what stands beside ---------------------------------------------------------------------------------------------------------


def _alpha(ctx: Context) -> float:
    return float(ctx.register.threshold("R-COEF", "alpha"))


def _own_lag(claim: Claim, ctx: Context, components: tuple[Component, ...]) -> list[Evidence]:
    """LG-4.1 with the own lag of the outcome."""
    out = []
    for c in components:
        spec = replace(c.spec, regressors=(*c.spec.regressors, f"lag_{c.spec.outcome}"))
        out.append(
            evidence(f"{c.what}, own lag in the model", coefficient(ctx, spec, 0), spec.w, _alpha(ctx), counted=False)
        )
    return out


def _year_effects(claim: Claim, ctx: Context, components: tuple[Component, ...]) -> list[Evidence]:
    """WU-4.6 across provinces."""
    return [
        evidence(f"{c.what}, year effects only", coefficient(ctx, replace(c.spec, effects="year"), i), None, _alpha(ctx), counted=False)
        for i, c in enumerate(components)
    ]  # fmt: skip


def _all_provinces(claim: Claim, ctx: Context, components: tuple[Component, ...]) -> list[Evidence]:
    """WU-3.3 with ln(1 + km) and the sea gates."""
    spec = components[0].spec
    near = f"ln1p_{claim.regressors[0]}"
    patched = replace(spec, regressors=(near,), focus=(near,), drop=())
    what = f"coefficient of {near} on {spec.outcome}, all provinces"
    return [evidence(what, coefficient(ctx, patched, 0), None, _alpha(ctx), counted=False)]


def _across_pairs(claim: Claim, ctx: Context, components: tuple[Component, ...]) -> list[Evidence]:
    """WU-4.7: gaps across pairs, and the Durbin effects on income itself."""
    gap, ratio = components
    across = dyads.gap_number(ctx, replace(gap.spec, effects="period"), 0)
    income = replace(ratio.spec, outcome=gap.spec.outcome, years=gap.spec.years)
    rows = [
        (f"{gap.what}, year effects only", across, None),
        (f"direct effect of {income.focus[0]} on {income.outcome}", coefficient(ctx, income, 0), income.w),
    ]
    return [evidence(what, number, w, _alpha(ctx), counted=False) for what, number, w in rows]


def _single_distances(claim: Claim, ctx: Context, components: tuple[Component, ...]) -> list[Evidence]:
    """WU-0.7: with the candidates as controls, and each distance alone."""
    spec = components[0].spec
    controlled = cross_section.coefficient(ctx, spec, candidates=True)
    rows = [(f"{components[0].what}, candidates as controls", controlled)]
    for entry in spec.initial:
        alone = cross_section.coefficient(ctx, replace(spec, initial=(entry,)))
        rows.append((f"coefficient of the distance in {entry[0]} alone", alone))
    return [evidence(what, number, None, _alpha(ctx), counted=False) for what, number in rows]


def _higher_in_the_north(claim: Claim, ctx: Context, components: tuple[Component, ...]) -> list[Evidence]:
    """WU-1.5: the investment rate of the North."""
    name, first, last = components[0].spec.initial[0]
    return [level_beside(ctx, name, tuple(range(first, last + 1)), "North", average=True)]


Beside = Callable[[Claim, Context, tuple[Component, ...]], list[Evidence]]


def baseline_p(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> float | None:
    """p-value of the coefficients in the baseline."""
    components, criterion = options["parts"](claim, ctx)
    return family_p(components, {"": criterion}, ctx)


def stated_coefficients(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> Assessment:
    """Decide a claim about coefficients.

    Parameters
    ----------
    claim : Claim
    ctx : Context
    options : mapping
        ``parts``: (claim, context) -> components and criterion; ``shown``: functions of (claim, context, components).

    Returns
    -------
    Assessment
    """
    components, criterion = options["parts"](claim, ctx)
    panels = [c for c in components if getattr(c.measure, "func", None) is coefficient]
    shown = [e for c in panels for e in beside(c, ctx)]
    shown += [e for extra in options.get("shown", ()) for e in extra(claim, ctx, components)]
    specs = tuple(dict.fromkeys(c.spec for c in panels))
    tables: dict[str, pd.DataFrame] = {
        f"coefficients_{s.outcome}" if len(specs) > 1 else "coefficients": table_of(ctx, s) for s in specs
    }
    for c in components:
        if isinstance(c.spec, cross_section.CrossSection):
            rows = cross_section.frame(ctx, c.spec)
            x = cross_section.regressor(rows, c.spec)
            if c.spec.change:
                rows = rows.rename(columns={c.spec.outcome: f"growth_{c.spec.outcome}"})
            tables["provinces"] = x.join(rows.drop(columns=[n for n in x.columns if n in rows.columns]))
    question = Question(components, {"": criterion}, _sample(ctx, components, specs), tuple(shown), tables)
    return assess(claim, ctx, question, seed=ctx.seed)


def _sample(ctx: Context, components: tuple[Component, ...], specs: tuple[Specification, ...]) -> dict[str, Any]:
    """What the baselines were estimated on."""
    found: dict[str, Any] = described(ctx, specs) if specs else {}
    for c in components:
        spec = c.spec
        if isinstance(spec, cross_section.CrossSection):
            rows = cross_section.frame(ctx, spec)
            found = {
                "outcome": f"{spec.outcome} {windows.text(spec.years)}",
                "regressors": "; ".join(f"{n} {a}-{b}" if a != b else f"{n} {a}" for n, a, b in spec.initial),
                "candidates": "; ".join(f"{n} {a}" for n, a, _ in spec.candidates),
                "provinces": len(rows),
                "n": len(rows),
                "covariance": "HC3, t reference with n - k degrees of freedom",
            }
        elif isinstance(spec, gravity.Gravity):
            found = {
                "flows": "; ".join(f"{name}, gaps of {year}" for name, year in spec.flows),
                "provinces": gravity.fitted(ctx, spec)[1],
                "n": c.measure(ctx, spec).n,
                "covariance": "dyadic (pairs that share a province), t reference with provinces - 1 degrees of freedom",
            }
        elif getattr(c.measure, "func", None) is dyads.gap_number:
            found[f"pairs, {spec.outcome}"] = (
                f"{c.measure(ctx, spec).n} over {windows.text(spec.years)}, {spec.effects} effects"
            )
    return {"provinces": len(ctx.panel.index.unique("province")), **found}


def _reading(parts: Callable[[Claim, Context], Parts], *shown: Beside) -> ClaimReading:
    return ClaimReading(stated_coefficients, {"parts": parts, "shown": shown}, baseline_p)


#: claims decided here
READINGS: Mapping[str, ClaimReading] = {
    "LG-4.1": _reading(mutual, _own_lag),
    "WU-0.7": _reading(brake, _single_distances),
    "WU-1.5": _reading(investment, _higher_in_the_north),
    "WU-1.6": _reading(northern),
    "WU-1.12": _reading(dyadic),
    "WU-3.3": _reading(sea, _all_provinces),
    "WU-4.1": _reading(transmission),
    "WU-4.6": _reading(lambda claim, ctx: plain(claim, ctx, -1, focus=2), _year_effects),
    "WU-4.7": _reading(incomes, _across_pairs),
    "WU-4.13": _reading(flows),
    "WU-M9": _reading(lambda claim, ctx: plain(claim, ctx, 1)),
    "WU-M13": _reading(lambda claim, ctx: plain(claim, ctx, -1)),
}
