"""R-SHARE on science in the East and what it does for the rest (WU-P3).

Readings fixed before any verdict was computed:

* The share ratio is the East's share of R&D expenditure over its share of GDP in the latest year of the window.
* The spillover is that of a spatial Durbin model with the outcome, regressor, window and W the claim's own fields state,
  province and year effects and the Lee-Yu transformation: the mean change of the outcome in the provinces outside the East
  when the regressor rises by one in every eastern province. Delta method, two-sided; clustered by province beside.
* The claim's regressor stands alone in the model, as its fields say. The same effect with the controls of R-MECH stands
  beside and does not decide.
* w_others: the six other matrices, with the baseline's share ratio; a weakly identified one (sd of rho over a parametric
  bootstrap, as in R-MECH) is shown and not counted.
* Support needs both parts, either part reversed contradicts; a share ratio has no test, the level of the effect is read
  from support_if. The p-value of the claim is that of the effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate import texts
from nqpf_spatial.claims.evaluate.assessment import Alternative, Assessment
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.criteria import noted
from nqpf_spatial.claims.evaluate.parts import REFUSALS
from nqpf_spatial.claims.evaluate.shares import by_block
from nqpf_spatial.claims.evaluate.specification import REPLICATES, Specification, data_of, matrix_of
from nqpf_spatial.claims.evaluate.variants import MUNICIPALITIES
from nqpf_spatial.claims.record import Evidence, VariantResult
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import holm as holm_rule
from nqpf_spatial.claims.rules import mech, multiverse, share
from nqpf_spatial.claims.rules.clauses import Adjust, All, Fact, Significant, some
from nqpf_spatial.claims.rules.criterion import Criterion, decide, of_variant

GROUP, REST = "East", "rest"


@dataclass(frozen=True, slots=True)
class Spillover:
    """Effect of the East on the rest under one specification."""

    estimate: float
    se: float
    z: float
    p: float
    lower: float
    upper: float
    se_cluster: float | None
    p_cluster: float | None
    rho: float
    sd_rho: float
    n: int
    checksum: str
    notes: tuple[str, ...]


def share_ratio(ctx: Context, claim: Claim, drop: tuple[str, ...] = ()) -> tuple[float, float, int]:
    """East's share of the first outcome and of the second, in percent, in the latest year."""
    spent, produced = claim.outcome[:2]
    year = claim.years()[1]
    cross = ctx.panel.xs(year, level="year")
    first, second = (share.share_pct(by_block(cross[v], drop)[0], GROUP) for v in (spent, produced))
    return first, second, year


def specification(claim: Claim, w: str, drop: tuple[str, ...] = (), controls: tuple[str, ...] = ()) -> Specification:
    """Model of the spillover: the claim's own outcome, regressor and window."""
    first, last = claim.years()
    (focus,) = claim.regressors
    return Specification(
        outcome=claim.outcome[-1],
        regressors=(focus, *controls),
        focus=(focus,),
        years=tuple(range(first, last + 1)),
        w=w,
        drop=drop,
    )


def spillover(ctx: Context, spec: Specification) -> Spillover:
    """Fit a specification and take the effect of the East on the rest; once per context."""
    return ctx.once(("spillover", spec), lambda: _fit(ctx, spec))


def _fit(ctx: Context, spec: Specification) -> Spillover:
    import nqpf_spatial as nq

    notes: list[str] = []
    alpha = ctx.register.threshold("R-MECH", "alpha")
    with noted(notes):
        w = matrix_of(ctx, spec)
        fit = nq.fit(spec.formula, data_of(ctx, spec), w, model="SDM", correction=spec.correction)
        sides = {p: GROUP if nq.provinces.group_of(p) == GROUP else REST for p in w.ids}
        effect, robust = (
            f.impacts().by_block(sides, alpha=alpha).loc[(spec.focus[0], REST, GROUP)]
            for f in (fit, fit.with_vcov("cluster"))
        )
        replicates = fit.bootstrap("parametric", replicates=REPLICATES, seed=ctx.seed)
    numbers = {k: float(effect[k]) for k in ("estimate", "se", "z", "p", "lower", "upper")}
    return Spillover(
        **numbers,
        se_cluster=None if fit.estimate.fit.boundary else float(robust["se"]),
        p_cluster=None if fit.estimate.fit.boundary else float(robust["p"]),
        rho=float(fit.params["rho"]),
        sd_rho=float(replicates.params["rho"].std(ddof=1)),
        n=int(fit.nobs),
        checksum=w.checksum,
        notes=tuple(dict.fromkeys(notes)),
    )


def criterion(shares: tuple[float, float, int], effect: Spillover, claim: Claim) -> Criterion:
    """Share ratio above one and a positive spillover; either reversed contradicts."""
    first, second, year = shares
    ratio = first / second
    level = texts.level_in(str(claim.support_if))
    found = f"{effect.estimate:+.4g} (se {effect.se:.3g})"
    detectable = mech.minimum_detectable_effect(effect.se, level)

    def spill(name: str, stated: bool) -> Significant:
        return Significant(name, stated, effect.p, level, detectable=detectable, found=found)

    shown = f"share {first:.1f} over {second:.1f} percent in {year}: {ratio:.3f}"
    return Criterion(
        All(
            claim.id, (Fact(f"{shown}, above 1", ratio > 1.0), spill("East on the rest positive", effect.estimate > 0))
        ),
        some(
            "reversed",
            [Fact(f"{shown}, below 1", ratio < 1.0), spill("East on the rest negative", effect.estimate < 0)],
        ),
    )


def _baseline(claim: Claim, ctx: Context) -> Criterion:
    (w,) = claim.W
    return criterion(share_ratio(ctx, claim), spillover(ctx, specification(claim, w)), claim)


def baseline_p(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> float | None:
    """Two-sided p-value of the spillover under the claim's W."""
    return spillover(ctx, specification(claim, claim.W[0])).p


def _settings(variant: str, claim: Claim, ctx: Context) -> list[tuple[str, str, tuple[str, ...]]]:
    """Label, W and provinces left out of every run of a variant."""
    (base,) = claim.W
    if variant == "no_municipalities":
        return [(f"without {', '.join(MUNICIPALITIES)}", base, MUNICIPALITIES)]
    if variant == "w_others":
        every = ctx.register.weights["sets"][ctx.register.threshold("R-MECH", "w_set")]
        return [(f"W {w}", w, ()) for w in every if w != base]
    raise NotInRelease(f"variant {variant} is not written for {claim.rule} yet")


def _variants(variant: str, claim: Claim, ctx: Context, direction: Any) -> list[VariantResult]:
    """Run a variant; what cannot run is listed with its reason."""
    entry = ctx.register.variants[variant]
    counts, rows = bool(entry["counts"]), []
    weak_above = ctx.register.threshold("R-MECH", "weak_w_sd_rho_gt")
    try:
        settings = _settings(variant, claim, ctx)
    except NotInRelease as error:
        return [VariantResult(variant, str(entry["text"]), counts, False, reason=str(error))]
    for label, w, drop in settings:
        try:
            effect = spillover(ctx, specification(claim, w, drop))
        except (NotInRelease, *REFUSALS) as error:
            rows.append(VariantResult(variant, label, counts, False, reason=f"{type(error).__name__}: {error}"))
            continue
        stated, significant = of_variant(criterion(share_ratio(ctx, claim, drop), effect, claim), direction)
        weak = effect.sd_rho > weak_above
        rows.append(
            VariantResult(
                variant=variant,
                specification=label,
                counts=counts and not weak,
                ran=True,
                stated_sign=stated,
                significant=significant,
                estimate=effect.estimate,
                se=effect.se,
                p=effect.p,
                n=effect.n,
                w=w,
                reason="weakly identified W, shown and not counted" if weak else "",
            )
        )
    return rows


def _evidence(
    claim: Claim, ctx: Context, effect: Spillover, controlled: Spillover, adjust: Adjust
) -> tuple[Evidence, ...]:
    """Shares, their ratio, the spillover and the one with controls."""
    first, second, year = share_ratio(ctx, claim)
    (w,) = claim.W
    level = texts.level_in(str(claim.support_if))
    rows = [
        Evidence(f"{GROUP} share of {claim.outcome[0]}, percent ({year})", first, counted=False),
        Evidence(f"{GROUP} share of {claim.outcome[1]}, percent ({year})", second, counted=False),
        Evidence("share ratio", first / second, reading="support" if first > second else "contradict"),
    ]
    for e, what, counted in ((effect, "", True), (controlled, ", controls of R-MECH", False)):
        significant = counted and adjust(e.p) < level
        rows.append(
            Evidence(
                what=f"effect of {claim.regressors[0]} in the {GROUP} on {claim.outcome[-1]} of the rest{what}",
                estimate=e.estimate,
                se=e.se,
                lower=e.lower,
                upper=e.upper,
                level=1.0 - ctx.register.threshold("R-MECH", "alpha"),
                statistic=e.z,
                p=e.p,
                p_holm=adjust(e.p) if counted else None,
                mde=mech.minimum_detectable_effect(e.se, level),
                w=w,
                counted=counted,
                reading="neither" if not significant else "support" if e.estimate > 0 else "contradict",
                checks={"se_cluster": e.se_cluster, "p_cluster": e.p_cluster, "rho": e.rho, "sd_rho": e.sd_rho},
            )
        )
    return tuple(rows)


def science_source(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> Assessment:
    """Decide whether the East leads in science and lifts the rest."""
    import pandas as pd

    correction = holm_rule.describe(claim, ctx.register, ctx.p_values)
    adjust = partial(holm_rule.adjust, holm=correction, known=ctx.p_values, own=claim.id)
    (w,) = claim.W
    effect = spillover(ctx, specification(claim, w))
    mechanism = ctx.register.threshold("R-MECH", "baseline")
    controls = (mechanism["digital"], mechanism["population_flows"], *mechanism["controls"])
    controlled = spillover(ctx, specification(claim, w, controls=controls))
    found = _baseline(claim, ctx)
    outcome = decide(found, adjust)
    direction = "contradict" if outcome.contradict else "support"
    rows = tuple(r for v in claim.variants for r in _variants(v, claim, ctx, direction))
    shares = multiverse.judge(rows, direction, ctx.register.rules["MULTIVERSE"].parameters)  # type: ignore[arg-type]
    first, second, year = share_ratio(ctx, claim)
    table = pd.DataFrame({"year": year, "east_share_pct": {claim.outcome[0]: first, claim.outcome[1]: second}})
    return Assessment(
        alternatives=(Alternative("", outcome, shares),),
        evidence=_evidence(claim, ctx, effect, controlled, adjust),
        variants=rows,
        sample={"formula": specification(claim, w).formula, "years": claim.period, "n": effect.n, "share_year": year},
        mde_note=f"spillover: (z[1 - alpha/2] + z[{mech.POWER}]) * se, two-sided; a share ratio has no sampling error",
        holm=correction,
        weights={w: effect.checksum},
        notes=effect.notes,
        seed=ctx.seed,
        tables={"shares": table.rename_axis("variable")},
    )


#: claims decided here
READINGS: Mapping[str, ClaimReading] = {"WU-P3": ClaimReading(science_source, {}, baseline_p)}
