"""Claims of R-OWN on series over time: LG-2.1, WU-M10, WU-M17.

Readings fixed before any verdict was computed:

* LG-2.1: yearly differences of Theil-T of unweighted provinces; the p-value permutes the order of one of the two series,
  two-sided.
* WU-M10: the contribution of productivity is the unweighted mean of its growth over the provinces, in log points a year,
  and that mean over the mean growth of real GDP. The halves are those of the hypothesis. Intensity "falls" between the
  first and the last year of its window; provinces without a value in either are not counted. alt_tfp swaps the measure of
  productivity growth and keeps the halves. The standard error is that of the paired change over provinces.
* WU-M17: plain correlations of growth over the years of the window, mean over all pairs of provinces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.own.engine import Adjust, Criterion, Measured, permutations, reading, word
from nqpf_spatial.claims.evaluate.own.prose import number
from nqpf_spatial.claims.evaluate.own.settings import SHARED, Runs, Setting, index_variants, series, swapped
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import own_series as rules
from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.claims.rules.mech import minimum_detectable_effect
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.kernels.randomisation import spearman

if TYPE_CHECKING:
    import pandas as pd


# --- LG-2.1 ---------------------------------------------------------------------------------------------------


def movement_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of LG-2.1."""
    return {
        "support_ge": number(claim.support_if, r"Spearman >=\s*(-?[\d.]+)"),
        "contradict_le": number(claim.contradict_if, r"Spearman <=\s*(-?[\d.]+)"),
        "alpha": number(f"{claim.support_if}; {claim.contradict_if}", r"p\s*<\s*([\d.]+)"),
    }


def movement(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Rank correlation of the yearly changes of two dispersions."""
    import pandas as pd

    from nqpf_spatial import divergence

    names = (*claim.regressors, *claim.outcome)
    columns = {v: series(claim, ctx, setting, v) for v in names}
    table = pd.DataFrame({v: divergence.inequality(c, "theil_t").table["theil_t"] for v, c in columns.items()}).dropna()
    changes = table.diff().dropna()
    x, y = (changes[v].to_numpy() for v in names)
    found = spearman(x, y, permutations(ctx), ctx.seed)
    provinces = int(columns[names[0]].index.unique("province").size)
    sample = {"years": f"{table.index.min()}-{table.index.max()}", "changes": found.n, "provinces": provinces}
    return Measured(
        found,
        found.rho,
        found.n,
        sample,
        p=found.pvalue,
        sign=found.rho > 0,
        tables={"theil_t": table.rename_axis("year")},
    )


def movement_rule(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> Outcome:
    """The criterion with the corrected p-value."""
    s = found.numbers
    return rules.co_movement(s.rho, s.pvalue, adjust(s.pvalue), s.n, limits)


def movement_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """The correlation."""
    s = found.numbers
    p_holm = adjust(s.pvalue)
    small = p_holm < limits["alpha"]
    read = word(s.rho >= limits["support_ge"] and small, s.rho <= limits["contradict_le"] and small)
    detectable = rules.detectable_correlation(s.n, limits["alpha"])
    what = "Spearman correlation of the yearly changes of the two dispersions"
    return [Evidence(what, s.rho, p=s.pvalue, p_holm=p_holm, mde=detectable, reading=read)]


MOVEMENT = Criterion(
    limits=movement_limits,
    measure=movement,
    rule=movement_rule,
    evidence=movement_evidence,
    variants={**index_variants("nqpf_index"), "no_tibet": SHARED["no_tibet"]},
    mde_note="Fisher's z with variance 1.06 / (n - 3), two-sided, power 0.8; never below the threshold itself",
    p_value=lambda found: float(found.numbers.pvalue),
)


# --- WU-M10 ---------------------------------------------------------------------------------------------------


def halves(hypothesis: str | None) -> tuple[tuple[int, int], tuple[int, int]]:
    """Read "between 2012-2014 and 2015-2017".

    Examples
    --------
    >>> halves("rises between 2012-2014 and 2015-2017, and falls")
    ((2012, 2014), (2015, 2017))
    """
    found = re.search(r"between (\d{4})-(\d{4}) and (\d{4})-(\d{4})", hypothesis or "")
    if found is None:
        raise DataSourceError(f"the hypothesis names no two halves: {hypothesis!r}")
    a, b, c, d = (int(y) for y in found.groups())
    return (a, b), (c, d)


def _means(column: pd.Series, half: tuple[int, int]) -> pd.Series:
    """Mean of every province over the years of a half."""
    year = column.index.get_level_values("year")
    return column[(year >= half[0]) & (year <= half[1])].groupby(level="province").mean()


def leaner(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Contribution of productivity in two halves, and how many provinces lowered their intensity."""
    import pandas as pd

    productivity, intensity = claim.outcome
    tfp = series(claim, ctx, setting, productivity)
    growth = ctx.panel["gdp_growth"].reindex(tfp.index)
    parts = [(_means(tfp, h), _means(growth, h)) for h in halves(claim.hypothesis)]
    points = tuple(float(t.mean()) for t, _ in parts)
    share = tuple(float(t.mean() / g.mean()) for t, g in parts)
    paired = parts[1][0] - parts[0][0]
    se = float(paired.std(ddof=1) / np.sqrt(len(paired)))
    found = rules.Contribution(points, share, se)  # type: ignore[arg-type]
    first, last = claim.years(intensity)
    wide = ctx.panel[intensity].unstack("year")[[first, last]].dropna()
    change = (wide[last] - wide[first]).drop(index=[p for p in setting.drop if p in wide.index])
    falling = int((change < 0).sum())
    labels = [f"{a}-{b}" for a, b in halves(claim.hypothesis)]
    table = pd.DataFrame({"points": points, "share_of_growth": share}, index=pd.Index(labels, name="half"))
    sample = {
        "halves": ", ".join(labels),
        "measure": setting.name(productivity),
        "provinces": {productivity: len(paired), intensity: len(change)},
        "intensity_years": f"{first}-{last}",
    }
    tables = {"contribution": table, "intensity_change": change.rename("change").to_frame()}
    return Measured((found, falling, len(change)), points[1] - points[0], len(paired), sample, se, tables=tables)


def leaner_rule(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> Outcome:
    """The criterion; the level of the detectable change is the project's."""
    contribution, falling, counted = found.numbers
    return rules.leaner_growth(contribution, falling, counted, limits["alpha"], limits)


def leaner_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Changes of the contribution, in both readings, and the count."""
    c, falling, counted = found.numbers
    rise = (c.points[1] - c.points[0], c.share[1] - c.share[0])
    detectable = minimum_detectable_effect(c.se, limits["alpha"])
    many = falling >= limits["min_provinces"]
    return [
        Evidence(
            "change of the contribution of productivity, log points a year",
            rise[0],
            c.se,
            mde=detectable,
            reading=word(rise[0] > 0, rise[0] < 0),
        ),
        Evidence("change of its share of growth", rise[1], reading=word(rise[1] > 0, rise[1] < 0)),
        Evidence(f"provinces whose electricity intensity fell, of {counted}", float(falling), reading=word(many)),
    ]


def leaner_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of WU-M10; the level of the detectable change is that of R-COEF."""
    return {**claim.parameters, "alpha": ctx.register.threshold("R-COEF", "alpha")}


def _alt_tfp(claim: Claim, ctx: Context) -> Runs:
    """Growth of the estimated productivity: the claim is on growth, the variant names its level."""
    return swapped(claim.outcome[0], "tfp_growth_est")(claim, ctx)


LEANER = Criterion(
    limits=leaner_limits,
    measure=leaner,
    rule=leaner_rule,
    evidence=leaner_evidence,
    variants={"no_tibet": SHARED["no_tibet"], "alt_tfp": _alt_tfp},
    mde_note="change of the contribution: (z[1 - alpha/2] + z[0.8]) * paired standard error over provinces",
)


# --- WU-M17 ---------------------------------------------------------------------------------------------------


def step_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of WU-M17."""
    return {
        "support_lt": number(claim.support_if, r"<\s*([\d.]+)"),
        "contradict_gt": number(claim.contradict_if, r">\s*([\d.]+)"),
    }


def step(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Mean pairwise correlation of growth."""
    wide = series(claim, ctx, setting, claim.outcome[0]).unstack("province")
    matrix = wide.corr()
    upper = np.triu_indices(len(matrix), 1)
    pairs = matrix.to_numpy()[upper]
    mean = float(pairs.mean())
    sample = {"years": f"{wide.index.min()}-{wide.index.max()}", "provinces": len(matrix), "pairs": len(pairs)}
    others = (matrix.sum() - 1.0) / (len(matrix) - 1)
    table = others.rename("mean_correlation").to_frame().sort_values("mean_correlation")
    return Measured(
        (mean, float(np.quantile(pairs, 0.1)), float(np.quantile(pairs, 0.9))),
        mean,
        len(pairs),
        sample,
        tables={"by_province": table},
    )


def step_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Mean, with the spread of the pairs beside it."""
    mean, low, high = found.numbers
    read = word(mean < limits["support_lt"], mean > limits["contradict_gt"])
    return [
        Evidence("mean pairwise correlation of growth", mean, reading=read),
        Evidence("tenth percentile of the pairs", low, counted=False),
        Evidence("ninetieth percentile of the pairs", high, counted=False),
    ]


STEP = Criterion(
    limits=step_limits,
    measure=step,
    rule=lambda found, adjust, limits: rules.mean_correlation(found.numbers[0], limits),
    evidence=step_evidence,
    variants={
        "no_tibet": SHARED["no_tibet"],
        "from_2005": lambda claim, ctx: [("from 2005", Setting(years=(2005, claim.years()[1])))],
    },
    mde_note="the criterion compares a mean of correlations with two thresholds: it has no standard error",
)

#: claims decided here
READINGS: Mapping[str, ClaimReading] = {
    "LG-2.1": reading(MOVEMENT),
    "WU-M10": reading(LEANER),
    "WU-M17": reading(STEP),
}
