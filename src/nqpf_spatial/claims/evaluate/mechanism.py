"""R-MECH: stated effects of regressors in the spatial Durbin model.

Readings fixed before any verdict was computed. For WU-M4 the baseline had been estimated once as a check of the estimator; WU-M7 and
WU-M8 share its regression, so that the fitted model of that check contains their coefficients too, which were not looked at for these
claims. For all claims but WU-M4 the readings were fixed before any of their effects was read. After they had been written and committed an
assertion message of an older test printed the verdict of WU-M8 on the panel; nothing of that claim's reading changed afterwards.

* "Direct (or total) effect > 0" is a choice of the claim (WU-M4): support needs one of the two to satisfy the rule in full, variants
  included, and a contradiction of either outranks it (see the order of VERDICTS).
* The measure of weak identification is the standard deviation of rho over the replicates of a parametric bootstrap of the fit.
* Variants run with the baseline W; significance in a variant is the raw two-sided p-value at the rule's alpha. A variant that fails
  (missing cells, no convergence) is listed with its message and is in no share.
* The rule asks for the seven W of its own set; a claim that lists fewer (WU-M5, WU-M18) is still read over all of them.
* Several effects: each is read by the rule in full, then combined as in :mod:`nqpf_spatial.claims.rules.combination`. WU-4.12: two clauses
  (the register speaks of "both clauses"), either contradicts ("a direct effect"). WU-M5: four effects (two regressors, two outcomes) in
  one clause; both regressors of one outcome contradict. WU-M18: one clause of both, either contradicts. WU-M7: the indirect effects of
  both regressors named in the hypothesis are one clause, the threshold is the other; both indirect effects contradict.
* WU-M8: the hypothesis names W migration_flow; beside R-MECH the total effect must have its sign at 5 percent under that W too, and
  not be weakly identified there. It cannot contradict, which the register leaves to the baseline. net_migration_rate is the variant
  alt_migration, as the rule lists it.
* WU-M7, threshold: Hansen (1999) with province and year effects; the threshold variable is the spatial lag of the digital series under
  the W of the specification; the slopes of the two regressors the hypothesis names switch, controls do not. The spatial lags of all
  regressors are among the controls, as in the Durbin model: without them a linear spillover, which the first clause is about, passes
  for a threshold (found on constructed data). The test of none against one threshold decides, with its p corrected like the others; one against two is shown. Trimming 5 percent, 999 replicates (the register
  asks for at least 500). In a variant a threshold that is not significant counts as not along.
* WU-M3: the provinces without the outcome leave panel and W; their number must be the one the claim states.
* WU-M18: main effects from the model without the product; the product is shown beside and does not decide (support_if does not name it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate import windows
from nqpf_spatial.claims.evaluate.assessment import Assessment
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.compound import Question, assess, family_p
from nqpf_spatial.claims.evaluate.parts import Component, LeftOut, Number, evidence
from nqpf_spatial.claims.evaluate.specification import EFFECTS, Specification, product, run
from nqpf_spatial.claims.evaluate.thresholds import threshold_number, threshold_profile, threshold_tests
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import mech
from nqpf_spatial.claims.rules.combination import Criterion, all_of, any_of

if TYPE_CHECKING:
    import pandas as pd

#: matrix that WU-M8 names beside the rule's set
NAMED_W = "migration_flow"


def baseline(claim: Claim, ctx: Context, *focus: str, outcome: str = "") -> Specification:
    """Return the baseline specification of a claim under R-MECH.

    Parameters
    ----------
    claim : Claim
    ctx : Context
    *focus : str
        Regressors whose effects the claim states.
    outcome : str
        One of the claim's outcomes; the first by default.

    Returns
    -------
    Specification
    """
    y = outcome or claim.outcome[0]
    named = tuple(windows.named(claim, r) for r in claim.regressors)
    if unknown := [f for f in focus if f not in named]:
        raise ValueError(
            f"claim {claim.id} has no regressor {', '.join(map(repr, unknown))}; it has {', '.join(named)}"
        )
    return Specification(
        outcome=y,
        regressors=named,
        focus=focus,
        years=windows.years(claim, y),
        w=ctx.register.threshold("R-MECH", "baseline_w"),
        drop=windows.without_outcome(claim, ctx, y),
    )


def effect_number(ctx: Context, spec: Specification, position: int, effect: str) -> Number:
    """Effect of one of the regressors of the focus, by draws.

    Parameters
    ----------
    ctx : Context
    spec : Specification
    position : int
        In the focus.
    effect : {"direct", "indirect", "total"}

    Returns
    -------
    Number

    Raises
    ------
    LeftOut
        If the specification has left the regressor out.
    """
    if not spec.focus[position]:
        raise LeftOut("")
    r = run(ctx, spec)
    e = r.effects[spec.focus[position]][effect]
    checks = {k: getattr(e, k) for k in ("se_delta", "p_delta", "se_cluster", "p_cluster")}
    return Number(
        estimate=e.estimate,
        n=r.n,
        se=e.se,
        statistic=e.z,
        p=e.p,
        lower=e.lower,
        upper=e.upper,
        mde=mech.minimum_detectable_effect(e.se, ctx.register.threshold("R-MECH", "alpha")),
        sd_rho=r.sd_rho,
        weights={str(spec.w): r.checksum},
        checks={**checks, "rho": r.rho, "sd_rho": r.sd_rho},
        boundary=r.boundary,
        notes=r.notes,
    )


def effect_of(
    spec: Specification, position: int, effect: str, sign: int, across: tuple[str, ...], name: str = ""
) -> Component:
    """One stated effect, read over the W set."""
    what = f"{effect} effect of {spec.focus[position]} on {spec.outcome}"
    measured = partial(effect_number, position=position, effect=effect)
    return Component(name or what, what, spec, measured, sign, across=across)


def w_set(ctx: Context) -> tuple[str, ...]:
    """Matrices the rule asks for."""
    return tuple(ctx.register.weights["sets"][ctx.register.threshold("R-MECH", "w_set")])


def stated_effects(claim: Claim) -> tuple[str, ...]:
    """Names of the effects a claim states: one, or several alternatives."""
    stated = claim.parameters["effect"]
    effects = (stated,) if isinstance(stated, str) else tuple(stated)
    if unknown := set(effects) - set(EFFECTS):
        raise ValueError(f"claim {claim.id} states unknown effects {sorted(unknown)}; known: {', '.join(EFFECTS)}")
    return effects


def parts_of(
    claim: Claim, ctx: Context, options: Mapping[str, Any]
) -> tuple[tuple[Component, ...], dict[str, Criterion]]:
    """Components and criteria of a claim.

    Parameters
    ----------
    claim : Claim
        With ``effect`` (one name or several alternatives) and ``sign`` among its parameters.
    ctx : Context
    options : mapping
        ``focus``: the regressors; ``clauses``: "each" where every effect is a clause of its own; ``contradict``: "either", "both" or
        "both on one outcome"; ``threshold`` and ``named_w`` for what WU-M7 and WU-M8 add.

    Returns
    -------
    tuple of Component, dict of str to Criterion
    """
    focus, sign, across = tuple(options["focus"]), mech.sign_of(claim.parameters["sign"]), w_set(ctx)
    effects = stated_effects(claim)
    specs = [baseline(claim, ctx, *focus, outcome=y) for y in claim.outcome]
    if len(effects) > 1:
        alternatives = tuple(effect_of(specs[0], 0, e, sign, across, e) for e in effects)
        return alternatives, {e: Criterion((all_of([e]),), any_of([e])) for e in effects}
    found = [effect_of(s, i, effects[0], sign, across) for s in specs for i in range(len(focus))]
    names = [c.name for c in found]
    clauses = [all_of([n]) for n in names] if options.get("clauses") == "each" else [all_of(names)]
    against = {
        "either": any_of(names),
        "both": all_of(names),
        "both on one outcome": tuple(
            frozenset(names[k * len(focus) : (k + 1) * len(focus)]) for k in range(len(specs))
        ),
    }[options.get("contradict", "either")]
    if options.get("threshold"):
        what = f"threshold in the spatial lag of {focus[options['threshold']]}"
        measured = partial(threshold_number, position=options["threshold"])
        found.append(Component("threshold", what, specs[0], measured, kind="test"))
        clauses.append(all_of(["threshold"]))
    if options.get("named_w"):
        under = replace(specs[0], w=options["named_w"])
        what = f"{names[0]} under {options['named_w']}"
        measured = partial(effect_number, position=0, effect=effects[0])
        found.append(Component(what, what, under, measured, sign, fixed=True))
        clauses = [all_of([*names, what])]
    return tuple(found), {"": Criterion(tuple(clauses), against)}


def baseline_p(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> float | None:
    """p-value of the stated effects under the baseline W; the largest where all must hold and of alternatives."""
    return family_p(*parts_of(claim, ctx, options), ctx)


def stated_effect(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> Assessment:
    """Decide a claim about effects of regressors.

    Parameters
    ----------
    claim : Claim
    ctx : Context
    options : mapping
        See :func:`parts_of`.

    Returns
    -------
    Assessment
    """
    components, criteria = parts_of(claim, ctx, options)
    shown = [e for extra in options.get("shown", ()) for e in extra(claim, ctx, options)]
    tables = _tables(components, ctx)
    if options.get("threshold"):
        tables["threshold_profile"] = threshold_profile(ctx, components[0].spec, options["threshold"])
    question = Question(components, criteria, _sample(components, ctx), tuple(shown), tables)
    return assess(claim, ctx, question, seed=ctx.seed)


def _sample(components: Sequence[Component], ctx: Context) -> dict[str, Any]:
    """What the baseline was fitted on."""
    specs = list(dict.fromkeys(c.spec for c in components if c.across))
    r, missing = run(ctx, specs[0]), ctx.available(w_set(ctx))[1]
    return {
        "formula": "; ".join(s.formula for s in specs),
        "years": windows.text(specs[0].years),
        "provinces": r.provinces,
        "n": r.n,
        "effects": "province and year",
        "correction": "Lee-Yu transformation",
        "w_missing": dict(missing),
    }


def _tables(components: Sequence[Component], ctx: Context) -> dict[str, pd.DataFrame]:
    """Impacts under every W and the overlap of outcome and regressors; one pair of tables per outcome."""
    import pandas as pd

    out: dict[str, pd.DataFrame] = {}
    specs = list(dict.fromkeys(c.spec for c in components if c.across))
    for spec in specs:
        built = ctx.available(w_set(ctx))[0]
        tail = f"_{spec.outcome}" if len(specs) > 1 else ""
        runs = {w: run(ctx, replace(spec, w=w)).impacts for w in built}
        out[f"impacts_by_w{tail}"] = pd.concat(runs, names=["w"])
        out[f"overlap{tail}"] = overlap(ctx, spec)
    return out


def overlap(ctx: Context, base: Specification) -> pd.DataFrame:
    """List the published series that outcome and regressors share by definition.

    Parameters
    ----------
    ctx : Context
    base : Specification

    Returns
    -------
    DataFrame
        One row per regressor, column ``shared_with_outcome``.
    """
    import pandas as pd

    from nqpf_spatial.claims.evaluate.series import root

    inputs = {d["name"]: d["inputs"] for d in ctx.register.derived_variables}

    def roots(name: str) -> set[str]:
        known = name if name in inputs else root(name)
        return {known} if known not in inputs else set().union(*(roots(i) for i in inputs[known]))

    own = roots(base.outcome)
    rows = {r: ", ".join(sorted(own & roots(r))) for r in base.regressors}
    return pd.DataFrame({"shared_with_outcome": rows}).rename_axis("regressor")


def _product_beside(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Evidence]:
    """The product of the two regressors of the focus, in a model that has it; shown, not deciding."""
    base = baseline(claim, ctx, *options["focus"])
    pair = (base.focus[0], base.focus[1])
    spec = replace(base, products=(pair,), focus=(product(*pair),))
    number = effect_number(ctx, spec, 0, "total")
    what = f"total effect of the product of {pair[0]} and {pair[1]} on {base.outcome}"
    return [evidence(what, number, base.w, ctx.register.threshold("R-MECH", "alpha"), counted=False)]


def _second_threshold(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Evidence]:
    """One against two thresholds; shown, not deciding."""
    base = baseline(claim, ctx, *options["focus"])
    number = threshold_tests(ctx, base, options["threshold"])[1]
    what = f"second threshold in the spatial lag of {base.focus[options['threshold']]}"
    return [evidence(what, number, base.w, ctx.register.threshold("R-MECH", "alpha"), counted=False)]


def _reading(*focus: str, **options: Any) -> ClaimReading:
    return ClaimReading(stated_effect, {"focus": focus, **options}, baseline_p)


#: claims decided here
READINGS: Mapping[str, ClaimReading] = {
    "WU-4.12": _reading("pop_growth", "schooling_years", clauses="each", contradict="either"),
    "WU-M3": _reading("ln_broadband_pc"),
    "WU-M4": _reading("ln_broadband_pc"),
    "WU-M5": _reading("ln_broadband_pc", "transport_density", contradict="both on one outcome"),
    "WU-M7": _reading("ln_rd_intensity", "ln_broadband_pc", contradict="both", threshold=1, shown=(_second_threshold,)),
    "WU-M8": _reading("pop_growth", named_w=NAMED_W),
    "WU-M18": _reading("ln_market_potential", "ln_trade_ratio", contradict="either", shown=(_product_beside,)),
}
