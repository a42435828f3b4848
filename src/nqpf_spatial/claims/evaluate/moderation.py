"""R-MOD: interactions.

Readings fixed before any verdict was computed (with those of :mod:`nqpf_spatial.claims.evaluate.regression` on covariance, effects of
products in spatial models and centring):

* Models of growth: only the level is of the year before, as the hypotheses write ("lagged level", "lagged ln_gdp_real_pc"); the digital
  series, innovation and controls are of the year itself. The plain estimate decides; a half-panel jackknife (Dhaene and Jochmans
  2015), a long difference and a version with factors in deviations from province and year means stand beside, as the rule asks for a
  bias-corrected and a long-difference version.
* WU-1.8: "in the spatial model" is the Durbin model under the baseline W. The specifications of "at least 2/3 of the specifications" are
  the spatial and the non-spatial baseline and every counted run of a variant; one counts where its product has the stated sign at the
  raw p of 5 percent; the share is taken over runs and over variants (a variant of six matrices weighs as one), and the smaller of the
  two must reach the number. Only the spatial model can contradict.
* LG-1.1: one growth model with both products, no controls beyond the register's regressors; both products are one clause, both total
  effects on share_tertiary (R-MECH in full, with the level of the year before as the third regressor) the other. Contradiction:
  both products, or both total effects ("interaction > 0", "total effect < 0").
* WU-1.4: the product of rd_intensity with membership in the South. That the level is higher in the South is shown by a permutation of
  labels and does not decide (support_if does not name it).
* WU-P5: products with membership in Northeast or West, and in Central, so that the East is what is compared with; the first decides.
* WU-4.3: the factor is the outcome's own value in the initial year that the hypothesis names, a constant of the province.
* WU-P15: growth of the logarithm in log points on its own lagged logarithm, one model per service over the window of that service;
  "at least k" for support and for contradiction are the register's numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate import windows
from nqpf_spatial.claims.evaluate.assessment import Assessment
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.beside import beside, without_products
from nqpf_spatial.claims.evaluate.compound import Question, assess, family_p
from nqpf_spatial.claims.evaluate.levels_beside import level_beside
from nqpf_spatial.claims.evaluate.mechanism import effect_of, w_set
from nqpf_spatial.claims.evaluate.parts import Component, Measured, Number, evidence
from nqpf_spatial.claims.evaluate.regression import component, described, table_of
from nqpf_spatial.claims.evaluate.series import root
from nqpf_spatial.claims.evaluate.specification import Specification, product
from nqpf_spatial.claims.record import Evidence, VariantResult
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import mod
from nqpf_spatial.claims.rules.coef import Part
from nqpf_spatial.claims.rules.combination import Criterion, all_of, any_of, at_least

if TYPE_CHECKING:
    import pandas as pd

LEVEL = "ln_gdp_real_pc"
SPECIFICATIONS = "specifications"


def growth_model(
    claim: Claim, ctx: Context, outcome: str, level: str, moderators: Sequence[str], controls: Sequence[str]
) -> Specification:
    """Growth on the level of the year before, moderators and their products with the level."""
    lagged = f"lag_{level}"
    pairs = tuple((lagged, m) for m in moderators)
    return Specification(
        outcome=outcome,
        regressors=(lagged, *moderators, *controls),
        focus=tuple(product(*p) for p in pairs),
        years=windows.years(claim, root(outcome)),
        w=ctx.register.threshold("R-MECH", "baseline_w"),
        products=pairs,
    )


def _digital(claim: Claim, ctx: Context) -> str:
    """The digital series among the claim's regressors, by the register's baseline."""
    name = str(ctx.register.threshold("R-MECH", "baseline")["digital"])
    if name not in claim.regressors:
        raise ValueError(f"claim {claim.id} has no regressor {name}")
    return name


def _rest(claim: Claim, *taken: str) -> tuple[str, ...]:
    return tuple(r for r in claim.regressors if r not in taken)


Parts = tuple[tuple[Component, ...], Criterion]


def convergence(claim: Claim, ctx: Context) -> Parts:
    """WU-1.8: does growth fall more in the level where the digital series is high?"""
    digital = _digital(claim, ctx)
    spec = growth_model(claim, ctx, claim.outcome[0], LEVEL, (digital,), _rest(claim, LEVEL, digital))
    own = component(spec, 0, -1, "product")
    return (own,), Criterion((all_of(["product"]), all_of([SPECIFICATIONS])), any_of(["product"]))


def complement(claim: Claim, ctx: Context) -> Parts:
    """LG-1.1: products with two series on growth, total effects of the two on the tertiary share."""
    growth, share = claim.outcome
    moderators = _rest(claim, LEVEL)
    spec = growth_model(claim, ctx, growth, LEVEL, moderators, ())
    products = [component(spec, i, -1, f"product with {m}") for i, m in enumerate(moderators)]
    level = Specification(share, (f"lag_{LEVEL}", *moderators), moderators, windows.years(claim, share), spec.w)
    totals = [
        effect_of(level, i, "total", 1, w_set(ctx), f"total effect of {m} on {share}") for i, m in enumerate(moderators)
    ]
    names = ([c.name for c in products], [c.name for c in totals])
    return (*products, *totals), Criterion((all_of(names[0]), all_of(names[1])), (*all_of(names[0]), *all_of(names[1])))


def regional(claim: Claim, ctx: Context, inside: str, others: tuple[str, ...] = ()) -> Parts:
    """WU-1.4 and WU-P5: is an effect larger inside some provinces?"""
    first = claim.regressors[0]
    pairs = tuple((first, group) for group in (inside, *others))
    spec = Specification(
        outcome=claim.outcome[0],
        regressors=claim.regressors,
        focus=(product(*pairs[0]),),
        years=windows.years(claim, claim.outcome[0]),
        w=ctx.register.threshold("R-MECH", "baseline_w"),
        products=pairs,
    )
    return (component(spec, 0, 1, "product"),), Criterion((all_of(["product"]),), any_of(["product"]))


def initial(claim: Claim, ctx: Context) -> Parts:
    """WU-4.3: is an effect larger where the outcome was high at the start?"""
    found = re.search(r"initial level of (\d{4})", str(claim.hypothesis))
    if found is None:
        raise ValueError(f"the hypothesis of claim {claim.id} names no year of the initial level")
    digital, outcome = _digital(claim, ctx), claim.outcome[0]
    pair = (digital, f"at{found.group(1)}_{outcome}")
    spec = Specification(
        outcome=outcome,
        regressors=claim.regressors,
        focus=(product(*pair),),
        years=windows.years(claim, outcome),
        w=ctx.register.threshold("R-MECH", "baseline_w"),
        products=(pair,),
    )
    return (component(spec, 0, 1, "product"),), Criterion((all_of(["product"]),), any_of(["product"]))


def services(claim: Claim, ctx: Context) -> Parts:
    """WU-P15: do services converge faster where the digital series is high?"""
    digital = _digital(claim, ctx)
    specs = [
        growth_model(claim, ctx, f"growth_{y}", f"ln_{y}", (digital,), _rest(claim, digital)) for y in claim.outcome
    ]
    found = tuple(component(s, 0, -1, y) for s, y in zip(specs, claim.outcome, strict=True))
    support = at_least(claim.parameters["min_services"], claim.outcome)
    return found, Criterion((support,), at_least(windows.at_least_in(str(claim.contradict_if)), claim.outcome))


def baseline_p(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> float | None:
    """p-value of the products (and total effects) in the baseline."""
    components, criterion = options["parts"](claim, ctx)
    return family_p(components, {"": criterion}, ctx)


def interaction(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> Assessment:
    """Decide a claim about interactions.

    Parameters
    ----------
    claim : Claim
    ctx : Context
    options : mapping
        ``parts``: (claim, context) -> components and criterion; ``level_of``: group whose level is compared beside.

    Returns
    -------
    Assessment
    """
    components, criterion = options["parts"](claim, ctx)
    products = [c for c in components if not c.across]
    specs = tuple(dict.fromkeys(c.spec for c in products))
    shown = [e for c in products for e in beside(c, ctx)]
    shown += [e for s in specs for e in without_products(ctx, s)]
    if "level_of" in options:
        shown.append(level_beside(ctx, claim.outcome[0], windows.years(claim, claim.outcome[0]), options["level_of"]))
    last = None
    if any(SPECIFICATIONS in s for sets in criterion.clauses for s in sets):

        def last(measured: Mapping[str, Measured], rows: Sequence[VariantResult]) -> tuple[str, Part, Evidence]:
            return _share(claim, ctx, products[0], measured, rows)

    question = Question(
        components, {"": criterion}, described(ctx, specs), tuple(shown), _tables(ctx, specs), last_part=last
    )
    return assess(claim, ctx, question, seed=ctx.seed)


def _share(
    claim: Claim, ctx: Context, own: Component, measured: Mapping[str, Measured], rows: Sequence[VariantResult]
) -> tuple[str, Part, Evidence]:
    """Share of the specifications with the stated sign at 5 percent."""
    alpha, need = ctx.register.threshold("R-MOD", "alpha"), claim.parameters["min_share_of_specifications"]
    numbers = [own.measure(ctx, own.spec), own.measure(ctx, replace(own.spec, w=None))]
    base = [own.sign * n.estimate > 0 and n.p is not None and n.p < alpha for n in numbers]
    counted = [(r.variant, bool(r.stated_sign and r.significant)) for r in rows if r.ran and r.counts]
    by_run, by_variant, part = mod.share_of_specifications(base, counted, need)
    what = f"share of specifications with the stated sign at {alpha:g}"
    number = Number(
        min(by_run, by_variant), len(counted) + len(base), checks={"by_run": by_run, "by_variant": by_variant}
    )
    return SPECIFICATIONS, part, evidence(what, number, None, alpha, reading="support" if part.support else "neither")


def _tables(ctx: Context, specs: Sequence[Specification]) -> dict[str, pd.DataFrame]:
    """The models with and without the products."""
    out: dict[str, pd.DataFrame] = {}
    for spec in specs:
        tail = f"_{spec.outcome}" if len(specs) > 1 else ""
        factors = tuple(dict.fromkeys(f for pair in spec.products for f in pair if f in spec.regressors))
        out[f"with_product{tail}"] = table_of(ctx, spec)
        out[f"without_product{tail}"] = table_of(ctx, replace(spec, products=(), focus=factors))
    return out


def _reading(parts: Any, **options: Any) -> ClaimReading:
    return ClaimReading(interaction, {"parts": parts, **options}, baseline_p)


#: claims decided here
READINGS: Mapping[str, ClaimReading] = {
    "LG-1.1": _reading(complement),
    "WU-1.4": _reading(lambda claim, ctx: regional(claim, ctx, "in_South"), level_of="South"),
    "WU-1.8": _reading(convergence),
    "WU-4.3": _reading(initial),
    "WU-P5": _reading(lambda claim, ctx: regional(claim, ctx, "in_Northeast_West", ("in_Central",))),
    "WU-P15": _reading(services),
}
