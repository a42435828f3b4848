"""Claims of R-OWN on shares, quotients and dispersion: LG-2.2, WU-1.9, WU-1.11, WU-P4.

Readings fixed before any verdict was computed:

* LG-2.2: Theil-T of unweighted provinces, each year on its own; an endowment of one date is compared in that year.
* WU-1.9: the quotient of a total (software revenue) is taken against GDP, that of an amount per resident against
  population, which is the ratio to the national amount per resident. Ranks run over the provinces with data. Growth is
  from the first to the last year of the window; "above the median" is of all provinces with data, and must hold in an
  indicator in which the province also stands out. Without municipalities Chongqing is not there to be judged: the
  criterion then is about the other three.
* WU-1.11: the two clusters are those of the mean index of the window (see WU-1.10). What separates them is the distance
  of their mean index; the index is a sum, so the Shapley value of a component is its own weighted distance.
* WU-P4: each series in its latest year, against GDP of that year; "pop_weighted" takes population in the place of GDP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.own.engine import NO_ERROR, Adjust, Criterion, Measured, reading, word
from nqpf_spatial.claims.evaluate.own.prose import number
from nqpf_spatial.claims.evaluate.own.settings import (
    SHARED,
    Setting,
    build_index,
    components,
    groups,
    series,
    year_of,
)
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import own_shares as rules
from nqpf_spatial.kernels import partition

if TYPE_CHECKING:
    import pandas as pd

# --- LG-2.2 ---------------------------------------------------------------------------------------------------


def endowment_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of LG-2.2."""
    return {**claim.parameters, "contradict_le": number(claim.contradict_if, r"at most (\d+) of")}


def endowments(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Theil-T of every endowment against that of output per resident, year by year."""
    import pandas as pd

    from nqpf_spatial import divergence

    (output,) = claim.regressors

    def theil(variable: str) -> pd.Series:
        column = series(claim, ctx, setting, variable)
        weights = ctx.panel["population"].reindex(column.index) if setting.weighted else None
        return divergence.inequality(column, "theil_t", weights=weights).table["theil_t"]

    table = pd.DataFrame({v: theil(v) for v in (*claim.outcome, output)}).rename_axis("year")
    margins = {v: (table[v] - table[output]).dropna() for v in claim.outcome}
    above = {v: bool((m > 0).all()) for v, m in margins.items()}
    smallest = min(float(m.min()) for m in margins.values())
    provinces = {v: int(series(claim, ctx, setting, v).index.unique("province").size) for v in (*claim.outcome, output)}
    years = {v: f"{m.index.min()}-{m.index.max()}" for v, m in margins.items()}
    sample = {"provinces": provinces, "years": years, "weighted": setting.weighted}
    return Measured((above, margins), smallest, int(table.notna().sum().sum()), sample, tables={"theil_t": table})


def endowment_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Smallest margin of every endowment over its years."""
    above, margins = found.numbers
    return [
        Evidence(
            f"smallest margin of Theil-T of {v} over that of output per resident, {len(m)} years",
            float(m.min()),
            reading=word(above[v], not above[v]),
        )
        for v, m in margins.items()
    ]


ENDOWMENTS = Criterion(
    limits=endowment_limits,
    measure=endowments,
    rule=lambda found, adjust, limits: rules.endowments(found.numbers[0], limits),
    evidence=endowment_evidence,
    variants={k: SHARED[k] for k in ("no_tibet", "no_municipalities", "pop_weighted")},
    mde_note=NO_ERROR,
)


# --- WU-1.9 ---------------------------------------------------------------------------------------------------

#: the provinces the claim names: Chengdu-Chongqing are two
NAMED = ("Sichuan", "Chongqing", "Guizhou", "Jiangxi")


def forerunner_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of WU-1.9."""
    return {
        "quotient_gt": number(claim.support_if, r"LQ>(\d+)"),
        "rank_le": number(claim.support_if, r"top-(\d+) rank"),
        "named": number(claim.support_if, r"each of the (\w+) "),
        "contradict_ge": number(claim.contradict_if, r"(\w+) or more of"),
    }


def _standing(claim: Claim, ctx: Context, setting: Setting, variable: str) -> pd.DataFrame:
    """Quotient, rank and growth of every province in one indicator."""
    import pandas as pd

    from nqpf_spatial import divergence

    column = series(claim, ctx, setting, variable)
    years = column.index.get_level_values("year")
    first, last = (column.xs(y, level="year") for y in (years.min(), years.max()))
    cross = ctx.panel.xs(years.max(), level="year").reindex(last.index)
    total, base = (
        (last * cross["population"], cross["population"]) if variable.endswith("_pc") else (last, cross["gdp"])
    )
    growth = np.log(last / first)
    out = {
        "quotient": divergence.location_quotient(total.rename(variable), base),
        "rank": last.rank(ascending=False),
        "growth_log": growth,
        "above_median": growth > growth.median(),
    }
    return pd.DataFrame(out)


def forerunners(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Where the named provinces stand in every indicator."""
    import pandas as pd

    limits = forerunner_limits(claim, ctx)
    if len(NAMED) != limits["named"]:
        raise ValueError(f"claim {claim.id} is about {limits['named']:.0f} provinces, {len(NAMED)} are named")
    tables = {v: _standing(claim, ctx, setting, v) for v in claim.outcome}
    named = [p for p in NAMED if p not in setting.drop]

    def leads(v: str, p: str) -> bool:
        row = tables[v].loc[p]
        return bool(row["quotient"] > limits["quotient_gt"] or row["rank"] <= limits["rank_le"])

    found = [
        rules.Forerunner(
            p,
            {v: leads(v, p) for v in claim.outcome},
            {v: bool(tables[v].loc[p, "above_median"]) for v in claim.outcome},
        )
        for p in named
    ]
    standing = pd.concat({v: t.loc[named] for v, t in tables.items()}, names=["indicator", "province"])
    first, last = claim.years(claim.outcome[0])
    sample = {"years": f"{first}-{last}", "provinces": {v: len(t) for v, t in tables.items()}}
    meets = float(sum(f.meets for f in found))
    return Measured(found, meets, len(named), sample, tables={"standing": standing})


def forerunner_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Indicators in which each named province both stands out and grew faster than the median."""
    out = []
    for f in found.numbers:
        good = [k for k in f.leads if f.leads[k] and f.grew[k]]
        neither = not any(f.leads.values()) and not any(f.grew.values())
        what = f"{f.province}: indicators with a lead and growth above the median ({', '.join(good) or 'none'})"
        out.append(Evidence(what, float(len(good)), reading=word(f.meets, neither)))
    return out


FORERUNNERS = Criterion(
    limits=forerunner_limits,
    measure=forerunners,
    rule=lambda found, adjust, limits: rules.forerunners(found.numbers, limits),
    evidence=forerunner_evidence,
    variants={"no_municipalities": SHARED["no_municipalities"]},
    mde_note=NO_ERROR,
)


# --- WU-1.11 --------------------------------------------------------------------------------------------------


def separation_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of WU-1.11; the number of classes is that of WU-1.10, whose classes they are."""
    return {
        "support_ge": number(claim.support_if, r">=\s*(\d+)%"),
        "contradict_lt": number(claim.contradict_if, r"<\s*(\d+)%"),
        "k": int(ctx.register.claim("WU-1.10").parameters["k"]),
    }


def separation(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Weighted distance of the two clusters in every component of the index."""
    import pandas as pd

    (index,) = claim.outcome
    level = series(claim, ctx, setting, index).groupby(level="province").mean()
    upper = pd.Series(partition.classes(level.to_numpy(), separation_limits(claim, ctx)["k"]), level.index) > 0
    parts = build_index(ctx, index, "entropy").contributions
    mean = parts.groupby(level="province").mean().reindex(level.index)
    distance = mean[upper].mean() - mean[~upper].mean()
    pct = 100.0 * distance / distance.sum()
    named = float(pct[list(claim.regressors)].sum())
    table = pd.DataFrame({"distance": distance, "share_pct": pct, "named": pct.index.isin(claim.regressors)})
    first, last = claim.years()
    sample = {"years": f"{first}-{last}", "provinces": len(level), "upper_class": int(upper.sum())}
    of_all = f"{len(claim.regressors)} of the {len(components(ctx, index))} components are named by the claim"
    note = f"{of_all}: with equal distances they would hold {100 * len(claim.regressors) / len(pct):.0f} percent"
    return Measured((named, pct), named, len(level), sample, tables={"separation": table}, notes=(note,))


def separation_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Share of the named components, then of each component."""
    named, pct = found.numbers
    read = word(named >= limits["support_ge"], named < limits["contradict_lt"])
    rows = [Evidence("share of the named components in the distance of the two classes, percent", named, reading=read)]
    return rows + [Evidence(f"share of {k}, percent", float(v), counted=False) for k, v in pct.items()]


SEPARATION = Criterion(
    limits=separation_limits,
    measure=separation,
    rule=lambda found, adjust, limits: rules.contribution_share(found.numbers[0], limits),
    evidence=separation_evidence,
    variants={"no_tibet": SHARED["no_tibet"]},
    mde_note=NO_ERROR,
)


# --- WU-P4 ----------------------------------------------------------------------------------------------------

#: the block the claim is about
BLOCK = "Central"


def quotient_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of WU-P4."""
    return {
        "quotients": claim.parameters["quotients"],
        "threshold": number(f"{claim.support_if}; {claim.contradict_if}", r"quotient [<>] (\d+)"),
        "contradict_ge": number(claim.contradict_if, r"in (\w+)$"),
    }


def quotients(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Location quotient of the block in every activity, each in its latest year."""
    import pandas as pd

    (base,) = claim.regressors
    against = "population" if setting.weighted else base
    inside = groups("block", setting) == BLOCK
    rows = {}
    for variable in claim.outcome:
        year, column = year_of(claim, ctx, setting, variable)
        total = ctx.panel[against].xs(year, level="year").reindex(column.index)
        member = inside.reindex(column.index).to_numpy(dtype=bool)
        quotient = float((column[member].sum() / column.sum()) / (total[member].sum() / total.sum()))
        rows[variable] = {
            "year": year,
            "quotient": quotient,
            "share_pct": 100.0 * float(column[member].sum() / column.sum()),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("activity")
    values = table["quotient"].to_dict()
    sample = {"year": {k: int(v) for k, v in table["year"].items()}, "against": against, "block": BLOCK}
    return Measured(values, min(values.values()), len(inside), sample, tables={"quotients": table})


def quotient_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """The quotients."""
    at = limits["threshold"]
    years = found.sample["year"]
    return [
        Evidence(f"location quotient of {k}, {BLOCK} ({years[k]})", v, reading=word(v > at, v < at))
        for k, v in found.numbers.items()
    ]


QUOTIENTS = Criterion(
    limits=quotient_limits,
    measure=quotients,
    rule=lambda found, adjust, limits: rules.quotients(found.numbers, limits),
    evidence=quotient_evidence,
    variants={"pop_weighted": SHARED["pop_weighted"]},
    mde_note=NO_ERROR,
)

#: claims decided here
READINGS: Mapping[str, ClaimReading] = {
    "LG-2.2": reading(ENDOWMENTS),
    "WU-1.9": reading(FORERUNNERS),
    "WU-1.11": reading(SEPARATION),
    "WU-P4": reading(QUOTIENTS),
}
