"""LG-5.3 (R-OWN): Guizhou against its synthetic control.

Readings fixed before any verdict was computed:

* Three analyses, as the hypothesis names them: GDP per resident after 2016, software revenue per resident after 2016 and
  after 2022 (one of these two must hold for support, see the rule). The treatment year itself is in neither period (as in R-DID). Outcomes enter as the register names them:
  GDP per resident in levels, software revenue in logarithms.
* Synthetic control of Abadie, Diamond and Hainmueller (2010) on the outcomes of all years before the treatment, equally
  weighted, without covariates; every other province with data is a donor. Every province is treated in turn and the
  ratios of post to pre error are ranked, ties and perfect fits against the province.
* Where fewer years than donors lie before the treatment, many provinces are fitted without error and their ratios are
  infinite: such a province counts as more extreme. If that is Guizhou itself, its gap is not determined.
* Industry growth is the compound growth rate of software revenue from the first treatment year to the last year of the
  window, the nation the sum of all provinces with data; variants do not change the nation.
* Beside, not counted: the same with every province's mean before the treatment taken out first (Ferman and Pinto 2021),
  because a province at the edge of the distribution has no synthetic control in levels.
* The weights come from :mod:`nqpf_spatial.kernels.synthetic`, an exact solver. The library pysyncon stops its search early
  (errors off by a quarter in a test of this shape) and the ratios hang on small errors: it serves as a peer in the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.own.engine import Adjust, Criterion, Measured, reading, word
from nqpf_spatial.claims.evaluate.own.prose import number
from nqpf_spatial.claims.evaluate.own.settings import SHARED, Setting, series, swapped
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import own_series as rules
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.kernels.synthetic import placebos

if TYPE_CHECKING:
    import pandas as pd

#: province that stands for Guiyang; outcome and treatment year of the analyses the hypothesis names
PROVINCE = "Guizhou"
ANALYSES = (("gdp_real_pc", 2016), ("ln_software_pc", 2016), ("ln_software_pc", 2022))


def limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of LG-5.3."""
    return {
        "rank_le": number(f"{claim.support_if}; {claim.contradict_if}", r"rank <=\s*(\d+)"),
        "growth_ratio_ge": number(claim.support_if, r"growth >=\s*(\d+)x"),
    }


def compound_growth(first: float, last: float, years: int) -> float:
    """Average annual growth, percent.

    Examples
    --------
    >>> round(compound_growth(100.0, 121.0, 2), 6)
    10.0
    """
    return 100.0 * ((last / first) ** (1.0 / years) - 1.0)


def _industry(ctx: Context, outcome: str) -> str:
    """The revenue behind a logarithm per resident, from the register's own definition."""
    found = [d["inputs"] for d in ctx.register.derived_variables if d["name"] == outcome]
    if not found:
        raise DataSourceError(f"the register derives no variable {outcome!r}")
    return str(next(i for i in found[0] if i != "population"))


def _analysis(wide: pd.DataFrame, year: int, outcome: str) -> tuple[rules.Synthetic, pd.DataFrame, dict[str, float]]:
    """One outcome and treatment year: the verdict's numbers, the two paths, and figures to show."""
    import pandas as pd

    years, name = wide.index.to_numpy(), f"{outcome} after {year}"
    if PROVINCE not in wide.columns:
        raise DataSourceError(f"{name} has no value of {PROVINCE}")
    unit = list(wide.columns).index(PROVINCE)
    values = wide.to_numpy()
    found = placebos(values, years < year, years > year)
    level = placebos(values - values[years < year].mean(axis=0), years < year, years > year)
    paths = pd.DataFrame({PROVINCE: values[:, unit], "synthetic": found.paths[:, unit]}, index=wide.index)
    figures = {
        "pre_rmspe": float(found.pre[unit]),
        "post_rmspe": float(found.post[unit]),
        "perfect_fits": float(found.perfect.sum()),
        "demeaned_rank": float(level.rank(unit)),
        "demeaned_gap": float(level.gap[unit]),
    }
    result = rules.Synthetic(
        outcome, name, found.rank(unit), wide.shape[1], float(found.gap[unit]), not found.perfect[unit]
    )
    donors = pd.Series(found.weights[unit], wide.columns)
    paths.attrs["donors"] = donors[donors > 1e-6].sort_values(ascending=False).to_dict()
    return result, paths, figures


def measure(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """All analyses, and the growth of the industry."""
    import pandas as pd

    found, tables, donors, shown = [], {}, {}, {}
    for outcome, year in ANALYSES:
        wide = series(claim, ctx, setting, outcome).unstack("province")
        result, paths, figures = _analysis(wide, year, setting.name(outcome))
        found.append(result)
        name = result.name
        tables[name], shown[name], donors[name] = paths, figures, paths.attrs["donors"]
    industry = _industry(ctx, setting.name(ANALYSES[1][0]))
    first, last = ANALYSES[1][1], claim.years(ANALYSES[1][0])[1]
    revenue = ctx.panel[industry].unstack("year")[[first, last]].dropna()
    before, after = revenue[first], revenue[last]
    own = compound_growth(float(before[PROVINCE]), float(after[PROVINCE]), last - first)
    nation = compound_growth(float(before.sum()), float(after.sum()), last - first)
    paths = pd.concat(tables, names=["analysis", "year"])
    weights = pd.DataFrame(
        [{"analysis": a, "donor": p, "weight": v} for a, by in donors.items() for p, v in by.items()]
    ).set_index("analysis")
    growth = pd.DataFrame({"growth_pct_a_year": {PROVINCE: own, "nation": nation}}).rename_axis("industry")
    sample = {
        "province": PROVINCE,
        "units": {s.name: s.units for s in found},
        "industry": f"{industry} {first}-{last}, {len(revenue)} provinces",
    }
    worst = max(s.rank for s in found)
    return Measured(
        (found, own, nation, shown), float(worst), max(s.units for s in found), sample,
        tables={"paths": paths, "donors": weights, "growth": growth},
    )  # fmt: skip


def evidence(found: Measured, adjust: Adjust, numbers: Mapping[str, Any]) -> list[Evidence]:
    """Rank and gap of every analysis, the figures beside them, and the growth of the industry."""
    analyses, own, nation, shown = found.numbers
    out = []
    for s in analyses:
        extreme = s.determined and s.rank <= numbers["rank_le"]
        what = f"rank of post over pre error, {s.name}, of {s.units}"
        out.append(
            Evidence(
                what, float(s.rank), reading=word(extreme and s.gap > 0, extreme and s.gap < 0), checks=shown[s.name]
            )
        )
        out.append(Evidence(f"mean gap to the synthetic province, {s.name}", s.gap, counted=s.determined))
    fast, slow = own >= numbers["growth_ratio_ge"] * nation, own < nation
    out.append(Evidence("industry growth over that of the nation, ratio", own / nation, reading=word(fast, slow)))
    out.append(Evidence(f"industry growth, {PROVINCE}, percent a year", own, counted=False))
    return out + [Evidence("industry growth, nation, percent a year", nation, counted=False)]


SYNTHETIC = Criterion(
    limits=limits,
    measure=measure,
    rule=lambda found, adjust, numbers: rules.boom(found.numbers[0], found.numbers[1], found.numbers[2], numbers),
    evidence=evidence,
    variants={
        "no_municipalities": SHARED["no_municipalities"],
        "it_service": swapped("ln_software_pc", "ln_it_service_pc"),
    },
    mde_note="the criterion ranks placebos: with n units the smallest attainable level is 1/n, and there is no standard error",
)

#: claims decided here
READINGS: Mapping[str, ClaimReading] = {"LG-5.3": reading(SYNTHETIC)}
