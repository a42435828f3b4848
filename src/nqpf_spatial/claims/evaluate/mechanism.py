"""R-MECH on claims that state the effect of one regressor (WU-M4).

Readings fixed before any verdict was computed (the baseline had been estimated once as a check of the estimator):

* "Direct (or total) effect > 0" is a choice of the claim: support needs one of the two to satisfy the rule in
  full, variants included, and a contradiction of either outranks it (see the order of VERDICTS).
* The measure of weak identification is the standard deviation of rho over the replicates of a parametric
  bootstrap of the fit.
* Variants run with the baseline W; significance in a variant is the raw two-sided p-value at the rule's
  alpha. A variant that fails (missing cells, no convergence) is listed with its message and is in no share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.assessment import Alternative, Assessment
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.specification import EFFECTS, Run, Specification, run
from nqpf_spatial.claims.evaluate.variants import expand
from nqpf_spatial.claims.record import Evidence, Holm, Reading, VariantResult
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import holm as holm_rule
from nqpf_spatial.claims.rules import mech, multiverse
from nqpf_spatial.errors import AlignmentError, ConvergenceError, IdentificationError, PanelError

if TYPE_CHECKING:
    import pandas as pd

#: what a fit may refuse; the message becomes the reason why a variant did not run
REFUSALS = (PanelError, AlignmentError, IdentificationError, ConvergenceError)


def baseline(claim: Claim, ctx: Context, focus: str) -> Specification:
    """Return the baseline specification of a claim under R-MECH.

    Parameters
    ----------
    claim : Claim
    ctx : Context
    focus : str
        Regressor whose effects the claim states.

    Returns
    -------
    Specification
    """
    first, last = claim.years()
    if focus not in claim.regressors:
        raise ValueError(f"claim {claim.id} has no regressor {focus!r}; it has {', '.join(claim.regressors)}")
    return Specification(
        outcome=claim.outcome[0],
        regressors=claim.regressors,
        focus=focus,
        years=tuple(range(first, last + 1)),
        w=ctx.register.threshold("R-MECH", "baseline_w"),
    )


def baseline_run(ctx: Context, spec: Specification) -> Run:
    """Fit a specification once per context: baselines serve several claims."""
    return ctx.once(spec, lambda: run(ctx, spec))


def _runs_by_w(claim: Claim, ctx: Context, base: Specification) -> tuple[dict[str, Run], dict[str, str]]:
    """Fit the baseline under every matrix of the claim that can be built."""
    built, missing = ctx.available(claim.W)
    fields = {name: getattr(base, name) for name in base.__slots__}
    specifications = {w: Specification(**{**fields, "w": w}) for w in built}
    return {w: baseline_run(ctx, spec) for w, spec in specifications.items()}, missing


def _under_w(
    runs: Mapping[str, Run], effect: str, correction: Holm, claim: Claim, ctx: Context
) -> list[mech.EffectUnderW]:
    """Rows of the rule for one stated effect."""
    rows = []
    for w, r in runs.items():
        e = r.effects[effect]
        rows.append(
            mech.EffectUnderW(
                w, e.estimate, e.se, e.p, holm_rule.adjust(e.p, correction, ctx.p_values, claim.id), r.sd_rho
            )
        )
    return rows


def _reading(row: mech.EffectUnderW, sign: int, parameters: Mapping[str, Any]) -> Reading:
    """How one effect under one W reads alone, after the correction."""
    if mech.is_weak(row, parameters) or row.p_holm >= parameters["alpha"]:
        return "neither"
    return "support" if sign * row.estimate > 0 else "contradict"


def _evidence(
    runs: Mapping[str, Run],
    rows: list[mech.EffectUnderW],
    effect: str,
    sign: int,
    parameters: Mapping[str, Any],
) -> list[Evidence]:
    """One record per W for one stated effect."""
    out = []
    for row in rows:
        r = runs[row.w]
        e, spec = r.effects[effect], r.specification
        checks = {k: getattr(e, k) for k in ("se_delta", "p_delta", "se_cluster", "p_cluster")}
        out.append(
            Evidence(
                what=f"{effect} effect of {spec.focus} on {spec.outcome}",
                estimate=e.estimate,
                se=e.se,
                lower=e.lower,
                upper=e.upper,
                level=1.0 - parameters["alpha"],
                statistic=e.z,
                p=e.p,
                p_holm=row.p_holm,
                mde=mech.minimum_detectable_effect(e.se, parameters["alpha"]),
                w=row.w,
                counted=not mech.is_weak(row, parameters),
                reading=_reading(row, sign, parameters),
                checks={**checks, "rho": r.rho, "sd_rho": r.sd_rho},
            )
        )
    return out


def _variant_rows(
    r: Run,
    variant: str,
    label: str,
    counts: bool,
    effects: tuple[str, ...],
    sign: int,
    alpha: float,
    reason: str,
) -> list[VariantResult]:
    """Record one run for every stated effect."""
    return [
        VariantResult(
            variant=variant,
            specification=label,
            counts=counts,
            ran=True,
            alternative=effect,
            stated_sign=sign * r.effects[effect].estimate > 0,
            significant=r.effects[effect].p < alpha,
            estimate=r.effects[effect].estimate,
            se=r.effects[effect].se,
            p=r.effects[effect].p,
            n=r.n,
            w=r.specification.w,
            reason=reason,
        )
        for effect in effects
    ]


def _run_variant(
    variant: str,
    base: Specification,
    ctx: Context,
    effects: tuple[str, ...],
    sign: int,
    parameters: Mapping[str, Any],
) -> list[VariantResult]:
    """Run all specifications of one variant; what cannot run is listed with its reason."""
    counts = bool(ctx.register.variants[variant]["counts"])

    def absent(label: str, reason: str) -> list[VariantResult]:
        return [VariantResult(variant, label, counts, False, alternative=e, reason=reason) for e in effects]

    try:
        specifications = expand(variant, base, ctx)
    except NotInRelease as error:
        return absent(str(ctx.register.variants[variant]["text"]), str(error))
    rows: list[VariantResult] = []
    for label, spec in specifications:
        try:
            r = run(ctx, spec)
        except (NotInRelease, *REFUSALS) as error:
            rows += absent(label, f"{type(error).__name__}: {error}")
            continue
        weak = r.sd_rho > parameters["weak_w_sd_rho_gt"]
        reason = "weakly identified W, shown and not counted" if weak else ""
        rows += _variant_rows(r, variant, label, counts and not weak, effects, sign, parameters["alpha"], reason)
    return rows


def _sample(runs: Mapping[str, Run], base: Specification, missing: Mapping[str, str]) -> dict[str, Any]:
    """What the baseline was fitted on."""
    r = runs[base.w]
    return {
        "formula": base.formula,
        "years": f"{base.years[0]}-{base.years[-1]}",
        "provinces": r.provinces,
        "n": r.n,
        "effects": "province and year",
        "correction": "Lee-Yu transformation",
        "w_missing": dict(missing),
    }


def _tables(runs: Mapping[str, Run], ctx: Context, base: Specification) -> dict[str, pd.DataFrame]:
    """Impacts under every W and the overlap of outcome and regressors."""
    import pandas as pd

    impacts = pd.concat({w: r.impacts for w, r in runs.items()}, names=["w"])
    return {"impacts_by_w": impacts, "overlap": overlap(ctx, base)}


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

    inputs = {d["name"]: d["inputs"] for d in ctx.register.derived_variables}

    def roots(name: str) -> set[str]:
        return {name} if name not in inputs else set().union(*(roots(i) for i in inputs[name]))

    own = roots(base.outcome)
    rows = {r: ", ".join(sorted(own & roots(r))) for r in base.regressors}
    return pd.DataFrame({"shared_with_outcome": rows}).rename_axis("regressor")


def stated_effects(claim: Claim) -> tuple[str, ...]:
    """Names of the effects a claim states: one, or several alternatives."""
    stated = claim.parameters["effect"]
    effects = (stated,) if isinstance(stated, str) else tuple(stated)
    if unknown := set(effects) - set(EFFECTS):
        raise ValueError(f"claim {claim.id} states unknown effects {sorted(unknown)}; known: {', '.join(EFFECTS)}")
    return effects


def baseline_p(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> float:
    """p-value of the stated effect under the baseline W; of alternatives the larger."""
    spec = baseline(claim, ctx, options["focus"])
    effects = baseline_run(ctx, spec).effects
    return max(effects[effect].p for effect in stated_effects(claim))


def stated_effect(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> Assessment:
    """Decide a claim about the effect of one regressor.

    Parameters
    ----------
    claim : Claim
        With ``effect`` (one name or several alternatives) and ``sign`` among its parameters.
    ctx : Context
    options : mapping
        ``focus``: the regressor.

    Returns
    -------
    Assessment
    """
    parameters = {**ctx.register.rules["R-MECH"].parameters, **claim.parameters}
    effects = stated_effects(claim)
    sign = mech.sign_of(parameters["sign"])
    base = baseline(claim, ctx, options["focus"])
    runs, missing = _runs_by_w(claim, ctx, base)
    correction = holm_rule.describe(claim, ctx.register, ctx.p_values)
    rows = [row for v in claim.variants for row in _run_variant(v, base, ctx, effects, sign, parameters)]
    alternatives, evidence = [], []
    for effect in effects:
        under = _under_w(runs, effect, correction, claim, ctx)
        outcome = mech.decide(under, claim.W, sign, parameters)
        shares = multiverse.judge(
            [r for r in rows if r.alternative == effect],
            "contradict" if outcome.contradict else "support",
            ctx.register.rules["MULTIVERSE"].parameters,
            effect,
        )
        alternatives.append(Alternative(effect if len(effects) > 1 else "", outcome, shares))
        evidence += _evidence(runs, under, effect, sign, parameters)
    return Assessment(
        alternatives=tuple(alternatives),
        evidence=tuple(evidence),
        variants=tuple(rows),
        sample=_sample(runs, base, missing),
        mde_note=f"(z[1 - alpha/2] + z[{mech.POWER}]) * se, two-sided, raw alpha {parameters['alpha']}",
        holm=correction,
        weights={w: r.checksum for w, r in runs.items()},
        notes=_notes(runs),
        seed=ctx.seed,
        tables=_tables(runs, ctx, base),
    )


def _notes(runs: Mapping[str, Run]) -> tuple[str, ...]:
    """Warnings of the fits, each with the matrices it came up under."""
    shared: dict[str, list[str]] = {}
    for w, r in runs.items():
        for text in r.notes:
            shared.setdefault(text, []).append(w)
    return tuple(f"{', '.join(matrices)}: {text}" for text, matrices in shared.items())


#: claims decided here
READINGS: Mapping[str, ClaimReading] = {"WU-M4": ClaimReading(stated_effect, {"focus": "ln_broadband_pc"}, baseline_p)}
