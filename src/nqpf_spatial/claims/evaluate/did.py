"""R-DID: the computing hubs of 2022 (LG-2.3c, WU-2.8, WU-P10).

Readings fixed before any verdict was computed:

* Western and eastern hubs are two treated groups of one design; the comparison of both is the provinces without a hub
  that have data. The one hub province in the Central block is in neither.
* The average effect is the mean over the full years after the treatment less the mean over the years before, treated
  against comparison; the treatment year itself is in neither. All hubs are dated 2022, so that the two-way estimate is
  this difference and no estimator for staggered adoption is needed.
* Randomisation permutes the label of one treated group among its own provinces and the comparison, the other group staying
  where it is: all arrangements where there are no more than the register's number of permutations, else that many.
* Pre-trends: the differences of all years before to the last one are jointly zero, by Hotelling's statistic under the same
  permutations. A Wald test clustered by province rejects a true null far too often with six treated provinces.
* The first outcome of a claim is its baseline; the second enters as the variant it_service.
* WU-P10: D is the Dagum Gini of the index over all provinces of the series; slopes of ln D are Theil-Sen, over the years
  before the treatment and from the treatment year on (with two years after it there is no slope without it). "Falls" is
  a smaller slope afterwards.
* hub_narrow treats the provinces that host a cluster; hub provinces without one are in neither group. same_block_controls
  takes the comparison from the block of the treated. long_pre starts in the first year the series has. Where an outcome is
  an index, the variants of the index and alt_digital replace it.
* The interval is at the level the claim states (WU-2.8) or at that of the test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.did_design import (
    GroupStudy,
    Window,
    event_study,
    groups_of,
    stated_groups,
    study,
    wide_of,
    window_of,
)
from nqpf_spatial.claims.evaluate.own.engine import Adjust, Criterion, Measured, permutations, reading, word
from nqpf_spatial.claims.evaluate.own.settings import column_of, recipes
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import did as rules
from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.claims.rules.mech import minimum_detectable_effect

if TYPE_CHECKING:
    import pandas as pd

#: the claim whose parameters name both treated groups of the design
DESIGN = "LG-2.3c"
#: provinces of the variant no_nm_sn
JUMPS = ("Inner Mongolia", "Shaanxi")


@dataclass(frozen=True, slots=True)
class DidSetting:
    """A run of the design."""

    outcome: str
    window: Window
    narrow: bool = False
    same_block: bool = False
    drop: tuple[str, ...] = ()


def start(claim: Claim, ctx: Context) -> DidSetting:
    """Baseline: the first outcome on the years the claim states."""
    return DidSetting(claim.outcome[0], window_of(claim))


def limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of the rule and of the claim."""
    return {**ctx.register.rules["R-DID"].parameters, **claim.parameters}


def _dagum(column: pd.Series, setting: DidSetting) -> pd.Series:
    """Dagum's Gini of the outcome by year, provinces of the series."""
    from nqpf_spatial import divergence

    province, year = (column.index.get_level_values(k) for k in ("province", "year"))
    kept = column[year.isin(setting.window.years) & ~province.isin(setting.drop)].dropna()
    return divergence.dagum(kept, groups="block").table["total"]


def _slopes(gini: pd.Series, window: Window) -> tuple[float, float]:
    """Theil-Sen slopes of ln D before the treatment, and from the treatment year on."""
    from nqpf_spatial import divergence

    logs = np.log(gini)
    before, after = logs.loc[list(window.pre)], logs.loc[[window.treatment, *window.post]]
    return divergence.theil_sen(before).slope, divergence.theil_sen(after).slope


def _sizes(studies: Mapping[str, GroupStudy]) -> dict[str, str]:
    return {g: f"{len(s.treated)} treated, {len(s.control)} comparison" for g, s in studies.items()}


def measure(claim: Claim, ctx: Context, setting: DidSetting) -> Measured:
    """Effects on both groups, pre-trends, the event study, and the slopes of dispersion where the claim names them."""
    import pandas as pd

    window = setting.window
    if len(window.pre) < 3:
        raise NotInRelease(f"{len(window.pre)} years before the treatment, at least three are needed")
    blocks = stated_groups(ctx.register.claim(DESIGN))
    who = groups_of(blocks, narrow=setting.narrow, same_block=setting.same_block, drop=setting.drop)
    column = column_of(ctx, setting.outcome)
    wide = wide_of(column, window, who)
    level = float(limits(claim, ctx).get("ci_level", 1.0 - limits(claim, ctx)["ri_alpha"]))
    studies = study(wide, window, who, permutations(ctx), ctx.seed, level)
    own = [*stated_groups(claim)]
    slopes, tables = None, {"event_study": event_study(wide, window, who)}
    if claim.parameters.get("dagum_slope_falls"):
        gini = _dagum(column, setting)
        slopes = _slopes(gini, window)
        tables["dagum"] = gini.rename("dagum").to_frame().rename_axis("year")
    members = {
        g: pd.Series({**dict.fromkeys(s.treated, "treated"), **dict.fromkeys(s.control, "comparison")})
        for g, s in studies.items()
    }
    tables["members"] = pd.DataFrame(members).fillna("").rename_axis("province")
    west = studies[own[0]].effect
    signs = [studies[g].effect.estimate > 0 for g in own]
    sample = {
        "outcome": setting.outcome,
        "pre": f"{window.pre[0]}-{window.pre[-1]}",
        "treatment_year": window.treatment,
        "post": f"{window.post[0]}-{window.post[-1]}",
        "provinces": _sizes(studies),
        "interval": level,
    }
    sign, against = _signs(claim, signs, slopes)
    return Measured(
        (studies, own, slopes, len(window.post)), west.estimate, wide.size, sample, west.sd, max(studies[g].effect.pvalue for g in own),
        sign=sign, against=against, tables=tables,
    )  # fmt: skip


def _signs(claim: Claim, positive: list[bool], slopes: tuple[float, float] | None) -> tuple[bool, bool]:
    """Whether the numbers lie the way support_if, and the way contradict_if, says."""
    if "ci_excludes_pct" in claim.parameters:
        return not positive[0], positive[0]
    even = slopes is None or slopes[1] < slopes[0]
    return all(positive) and even, not positive[0]


def _effect(group: str, s: GroupStudy, post: int, adjust: Adjust) -> rules.GroupEffect:
    e = s.effect
    lower, upper = (v if math.isfinite(v) else None for v in (e.lower, e.upper))
    return rules.GroupEffect(group, e.estimate, e.sd, e.pvalue, adjust(e.pvalue), s.pretrend.pvalue, post, lower, upper)


def _effects(found: Measured, adjust: Adjust) -> list[rules.GroupEffect]:
    """Effects on the groups the claim names."""
    studies, own, _, post = found.numbers
    return [_effect(g, studies[g], post, adjust) for g in own]


def gain_rule(found: Measured, adjust: Adjust, numbers: Mapping[str, Any]) -> Outcome:
    """LG-2.3c: both gain; the first group the claim names is the one whose loss contradicts."""
    effects = _effects(found, adjust)
    return rules.gain_of_all(effects, effects[0].group, numbers)


def no_gain_rule(found: Measured, adjust: Adjust, numbers: Mapping[str, Any]) -> Outcome:
    """WU-2.8: no gain of the western hubs."""
    return rules.no_gain(_effects(found, adjust)[0], numbers)


def even_rule(found: Measured, adjust: Adjust, numbers: Mapping[str, Any]) -> Outcome:
    """WU-P10: a gain of the western hubs, and dispersion that falls faster."""
    before, after = found.numbers[2]
    return rules.gain_and_evening(_effects(found, adjust)[0], before, after, numbers)


def evidence(found: Measured, adjust: Adjust, numbers: Mapping[str, Any]) -> list[Evidence]:
    """Average effect on every group of the design; groups the claim does not name are shown."""
    studies, own, slopes, post = found.numbers
    out = []
    for group, s in studies.items():
        e = _effect(group, s, post, adjust if group in own else lambda p: p)
        out.append(
            Evidence(
                what=f"average effect on {group}, {found.sample['outcome']}",
                estimate=e.estimate,
                se=e.se,
                lower=e.lower,
                upper=e.upper,
                level=found.sample["interval"],
                p=e.p,
                p_holm=e.p_holm if group in own else None,
                mde=minimum_detectable_effect(e.se, numbers["ri_alpha"]),
                counted=group in own,
                reading=_read(e, numbers) if group in own else "neither",
                checks={
                    "pretrend_p": s.pretrend.pvalue,
                    "pretrend_p_F": s.pretrend.f_pvalue,
                    "se_cluster": s.se_cluster,
                    "p_cluster": s.p_cluster,
                    "treated": float(len(s.treated)),
                    "comparison": float(len(s.control)),
                    "arrangements": float(s.effect.arrangements),
                },
            )
        )
    if slopes is not None:
        change = slopes[1] - slopes[0]
        what = f"change of the yearly slope of ln Dagum of {found.sample['outcome']}"
        out.append(Evidence(what, change, reading=word(change < 0), checks={"before": slopes[0], "after": slopes[1]}))
    return out


def _read(effect: rules.GroupEffect, numbers: Mapping[str, Any]) -> Any:
    """Read a group for the claim: where it states that there is no gain, a gain speaks against it."""
    if "ci_excludes_pct" not in numbers:
        return rules.reading(effect, numbers)
    outcome = rules.no_gain(effect, numbers)
    return word(outcome.support, outcome.contradict)


# --- variants -------------------------------------------------------------------------------------------------

Runs = list[tuple[str, Any]]


def _changed(label: str, **changes: Any) -> Callable[[Claim, Context], Runs]:
    return lambda claim, ctx: [(label, replace(start(claim, ctx), **changes))]


def _second_outcome(claim: Claim, ctx: Context) -> Runs:
    """The outcome the variant names in the place of the first."""
    _, new = claim.outcome
    return [(f"{new} for {claim.outcome[0]}", replace(start(claim, ctx), outcome=new))]


def _long_pre(claim: Claim, ctx: Context) -> Runs:
    """From the first year of the series."""
    base = start(claim, ctx)
    years = column_of(ctx, base.outcome).dropna().index.get_level_values("year")
    first = int(years.min())
    window = replace(base.window, pre=tuple(range(first, base.window.pre[-1] + 1)))
    return [(f"years before from {first}", replace(base, window=window))]


def _index(variant: str) -> Callable[[Claim, Context], Runs]:
    def expand(claim: Claim, ctx: Context) -> Runs:
        made = recipes(ctx, variant, claim.outcome[0])
        return [(r.label, replace(start(claim, ctx), outcome=r.column)) for r in made]

    return expand


def _other_digital(claim: Claim, ctx: Context) -> Runs:
    """The other digital series of R-MECH in the place of the index."""
    listed = ctx.register.threshold("R-MECH", "baseline")["alternatives"]["digital"]
    return [(f"{new} for {claim.outcome[0]}", replace(start(claim, ctx), outcome=new)) for new in listed]


_SHARED: Mapping[str, Callable[[Claim, Context], Runs]] = {
    "hub_narrow": _changed("treated: provinces that host a cluster", narrow=True),
    "same_block_controls": _changed("comparison inside the same block", same_block=True),
    "long_pre": _long_pre,
}
_REVENUE = {**_SHARED, "it_service": _second_outcome, "no_nm_sn": _changed(f"without {', '.join(JUMPS)}", drop=JUMPS)}
_INDEX = {
    **_SHARED,
    "no_tibet": _changed("without Tibet", drop=("Tibet",)),
    "alt_digital": _other_digital,
    **{v: _index(v) for v in ("index_equal", "index_pca", "index_topsis", "index_drop_one")},
}

MDE_NOTE = (
    "(z[1 - alpha/2] + z[0.8]) * standard deviation of the difference over the arrangements (effect taken off); of several "
    "groups that must hold, the largest"
)


def _criterion(
    rule: Callable[[Measured, Adjust, Mapping[str, Any]], Outcome], variants: Mapping[str, Any]
) -> Criterion:
    return Criterion(
        limits=limits,
        measure=measure,
        rule=rule,
        evidence=evidence,
        variants=variants,
        mde_note=MDE_NOTE,
        p_value=lambda found: float(found.p),  # type: ignore[arg-type]
        start=start,
        heavy=frozenset({"index_drop_one"}),
        notes=("the register names the earlier national big-data zones (2015-16) as a confounder",),
    )


#: claims decided here
READINGS: Mapping[str, ClaimReading] = {
    "LG-2.3c": reading(_criterion(gain_rule, _REVENUE)),
    "WU-2.8": reading(_criterion(no_gain_rule, _REVENUE)),
    "WU-P10": reading(_criterion(even_rule, _INDEX)),
}
