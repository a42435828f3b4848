"""R-TREND claims: gaps, dispersion and shares that rise or fall.

Readings fixed before any verdict was computed (for all claims of this module; more in `rules.clauses`, `rules.trend` and
`settings`):

* "Between-block component", "North-South component" and "gap" are the four measures on group means (the adaptation of
  R-TREND): of the four blocks, of North and South, or of the two groups a claim names (East and West: their 22 provinces).
* "Within component of a block" (WU-0.5) is the dispersion of its own provinces. Its quadratic term is that of ln D on year,
  positive in at least as many measures as a label needs, in the same blocks that diverge; two-sided, the larger of the
  p-values with plain and with Newey-West (one lag) standard errors.
* East "first" in a total (LG-3.5) is the largest share of the four blocks in the latest year, without a test.
* WU-0.4: the level is R-LEVEL in full for support; "North at or above South" is the difference in the latest year.
* WU-0.6: a domain carries the label of more than half of its series; its p-value is the k-th smallest of theirs. The five
  domain p-values are corrected by Holm first, the correction of the family acts on the result.
* WU-1.7: growth of the South/North ratio is exp(Theil-Sen slope of its logarithm) - 1.
* WU-3.5: the level gaps are East above West and South above North (the direction WU-3.1 states); level and "not converging"
  of one divide are one clause. ln_fie_ratio stands beside, so its alternative changes nothing.
* WU-3.9: "below its population share" is every year of the window ("stays below").
* WU-4.2: a label of a series means both gaps, East-West and North-South, carry it; health needs both of its series.
* WU-4.11: the block figure of a share is the sum over its provinces in the total of the sample; of relative schooling the
  mean of its provinces over the mean of all. STABLE or rising contradicts, judged at the raw level.
* WU-P6: "neither" means that neither label is carried at the raw level.
* WU-M11: the figure of a block is the unweighted mean of its provinces that have the series in every year.
* Krugman's index keeps the mean structure of all 31 provinces when Tibet is left out of the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nqpf_spatial.claims.evaluate import texts
from nqpf_spatial.claims.evaluate.annual import Series, annual, cells, membership, trend_parameters
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.criteria import assess, baseline_p
from nqpf_spatial.claims.evaluate.view import View, describe
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.rules.clauses import Adjust, All, AtLeast, Clause, Fact, Not, Significant, holm_within, some
from nqpf_spatial.claims.rules.criterion import Criterion
from nqpf_spatial.claims.rules.level import above, at_or_below
from nqpf_spatial.claims.rules.trend import Label, Trend, needed

if TYPE_CHECKING:
    import pandas as pd

UP: Label = "DIVERGING"
DOWN: Label = "CONVERGING"
BLOCKS = ("East", "Central", "West", "Northeast")
EAST_WEST = ("block", ("East", "West"))
NORTH_SOUTH = ("north_south", ())


def one_series(quantity: str, support: Label, variable: str = "") -> Any:
    """Builder of claims about the trend of one series: a label supports, the opposite one contradicts."""

    def build(view: View) -> Criterion:
        series = view.series(variable or view.claim.outcome[0], quantity)
        return Criterion(view.trend(series, support), view.trend(series, DOWN if support == UP else UP))

    return build


def not_alike(view: View) -> Criterion:
    """WU-N1: specialisation does not fall."""
    falls = view.trend(view.series(view.claim.outcome[0], "mean"), DOWN)
    return Criterion(Not("rising or stable", falls), falls, by_sign=False)


def gap(view: View, variable: str, wanted: Label, groups: str = "block", of: tuple[str, ...] = ()) -> Trend:
    """The gap between groups of a variable carries a label."""
    return view.trend(view.series(variable, "gap", groups, of), wanted)


def first_of_blocks(view: View, variable: str, group: str) -> Fact:
    """A block has the largest share of a total in the latest year."""
    sample = view.sample(variable, "block")
    last = cells(view.ctx, view.setting.column(variable), sample).xs(sample.years[-1], level="year")
    shares = last.groupby(membership(sample, last.index)).sum() / last.sum()
    shown = ", ".join(f"{b} {100 * shares[b]:.1f}" for b in BLOCKS)
    name = f"{group} first in {view.setting.column(variable)} of {sample.years[-1]} (percent: {shown})"
    return Fact(name, shares.idxmax() == group, key=("first", variable, sample))


def east_leads(view: View) -> Criterion:
    """LG-3.5: the East first, the gap between blocks closing."""
    claim = view.claim
    leader, ratio = claim.outcome[0], claim.outcome[1]
    others = texts.listed(str(claim.support_if).partition("{")[2], claim.outcome)
    (k,) = texts.at_least(str(claim.support_if))
    closing = AtLeast("gaps between blocks converge", k, tuple(gap(view, v, DOWN) for v in others))
    inland = view.series(leader, "share", "block", ("Central", "West"))
    return Criterion(
        All(claim.id, (first_of_blocks(view, leader, "East"), gap(view, ratio, DOWN), closing)),
        some("against", [gap(view, ratio, UP), view.trend(inland, DOWN)]),
    )


def north_south(view: View) -> Criterion:
    """WU-0.4: the North-South gap rises and the South is ahead."""
    (variable,) = view.claim.outcome
    south = view.difference(variable, ("South",), ("North",), "north_south")
    return Criterion(
        All(view.claim.id, (gap(view, variable, UP, *NORTH_SOUTH), above(south, view.rule("R-LEVEL")))),
        some("against", [gap(view, variable, DOWN, *NORTH_SOUTH), at_or_below(south)]),
    )


def curvature(table: pd.DataFrame) -> pd.DataFrame:
    """Quadratic term of the logarithm of every column on year: coefficient and the larger of two p-values.

    Parameters
    ----------
    table : DataFrame
        Positive, years in rows.

    Returns
    -------
    DataFrame
        Columns ``quadratic`` and ``p`` (two-sided; plain or Newey-West with one lag, whichever is larger).
    """
    import pandas as pd
    import statsmodels.api as sm

    t = table.index.to_numpy(dtype=float)
    t = t - t.mean()
    design = np.column_stack([np.ones_like(t), t, t**2])
    rows = {}
    for name in table.columns:
        fit = sm.OLS(np.log(table[name].to_numpy(dtype=float)), design).fit()
        robust = fit.get_robustcov_results("HAC", maxlags=1, use_correction=True, use_t=True)
        rows[str(name)] = {"quadratic": float(fit.params[2]), "p": float(max(fit.pvalues[2], robust.pvalues[2]))}
    return pd.DataFrame.from_dict(rows, orient="index")


def _curvatures(view: View, series: Series) -> pd.DataFrame:
    return view.ctx.once(("curvature", series), lambda: curvature(annual(view.ctx, series)))


def _speeding(view: View, series: Series) -> Clause:
    """A block diverges at a growing pace."""
    level = float(view.parameters["quadratic_alpha"])
    table = _curvatures(view, series)
    tests = tuple(
        Significant(f"quadratic term of {m}", row["quadratic"] > 0, float(row["p"]), level)
        for m, row in table.iterrows()
    )
    bend = AtLeast("convex", needed(len(tests), trend_parameters(view.ctx)), tests)
    return All(f"{', '.join(series.sample.of)} diverges ever faster", (view.trend(series, UP), bend), one=True)


def _within(view: View) -> list[Series]:
    (variable,) = view.claim.outcome
    return [view.series(variable, "dispersion", "block", (b,)) for b in BLOCKS]


def within_blocks(view: View) -> Criterion:
    """WU-0.5: divergence inside the blocks, speeding up."""
    k, inside = int(view.parameters["min_blocks"]), _within(view)
    return Criterion(
        AtLeast("blocks inside which divergence speeds up", k, tuple(_speeding(view, s) for s in inside)),
        AtLeast("blocks inside which provinces converge", k, tuple(view.trend(s, DOWN) for s in inside)),
    )


def _quadratic_terms(view: View, adjust: Adjust) -> tuple[tuple[Evidence, ...], dict[str, Any]]:
    """Quadratic terms of WU-0.5 for the record."""
    level = float(view.parameters["quadratic_alpha"])
    rows = [
        Evidence(
            what=f"quadratic term of ln {m}, {describe(series)}",
            estimate=float(row["quadratic"]),
            level=1.0 - level,
            p=float(row["p"]),
            p_holm=adjust(float(row["p"])),
            reading="support" if row["quadratic"] > 0 and adjust(float(row["p"])) < level else "neither",
        )
        for series in _within(view)
        for m, row in _curvatures(view, series).iterrows()
    ]
    return tuple(rows), {}


def domains(view: View) -> Criterion:
    """WU-0.6: dispersion rises in several domains."""
    claim, p = view.claim, view.parameters
    found = texts.named_groups(str(claim.hypothesis), claim.outcome)
    if len(found) != p["domains"] or sum(map(len, found.values())) != len(claim.outcome):
        raise ValueError(f"claim {claim.id} states {p['domains']} domains of all its outcomes; read {found}")

    def of(wanted: Label) -> list[Clause]:
        return [
            AtLeast(name, len(vs) // 2 + 1, tuple(view.trend(view.series(v, "dispersion"), wanted) for v in vs))
            for name, vs in found.items()
        ]

    up, down = holm_within(of(UP), of(DOWN), float(trend_parameters(view.ctx)["alpha"]))
    k = int(p["min_domains"])
    return Criterion(AtLeast("domains diverge", k, up), AtLeast("domains converge", k, down))


def innovation_divide(view: View) -> Criterion:
    """WU-1.7: North and South drift apart fast."""
    claim, p = view.claim, view.parameters
    k_variables, k_fast = texts.at_least(str(claim.support_if))[:2]
    if k_variables != p["min_variables"]:
        raise ValueError(f"claim {claim.id}: {k_variables} variables in support_if, {p['min_variables']} as parameter")

    def fast(variable: str) -> Fact:
        series = view.series(variable, "ratio", "north_south", ("South", "North"))
        growth = 100.0 * float(np.expm1(view.trend(series, UP).measures[0].slope))
        name = f"{describe(series)} grows {growth:+.2f} % a year"
        return Fact(name, growth >= p["rapid_pct_per_year_ge"], growth > 0, key=series)

    def apart(wanted: Label) -> AtLeast:
        members = tuple(gap(view, v, wanted, *NORTH_SOUTH) for v in claim.outcome)
        return AtLeast(f"North-South gaps {wanted.lower()}", k_variables, members)

    rapid = AtLeast("fast", k_fast, tuple(fast(v) for v in claim.outcome))
    return Criterion(All(claim.id, (apart(UP), rapid)), apart(DOWN))


def chains(view: View) -> Criterion:
    """WU-3.5: level gaps in foreign firms that do not close."""
    variable, rule = view.claim.outcome[0], view.rule("R-LEVEL")
    divides = {
        "East-West": (EAST_WEST, view.difference(variable, ("East",), ("West",))),
        "North-South": (NORTH_SOUTH, view.difference(variable, ("South",), ("North",), "north_south")),
    }
    stays = tuple(
        All(name, (above(d, rule), Not("not converging", gap(view, variable, DOWN, *groups))), one=True)
        for name, (groups, d) in divides.items()
    )
    closing = tuple(gap(view, variable, DOWN, *groups) for groups, _ in divides.values())
    return Criterion(All(view.claim.id, stays), All("both converge", closing, one=True), by_sign=False)


def chains_beside(view: View) -> list[Any]:
    """Level gaps of the other outcome of WU-3.5 (a log ratio: no dispersion is defined for it)."""
    other = view.claim.outcome[1]
    pairs = ((("East",), ("West",), "block"), (("South",), ("North",), "north_south"))
    return [view.difference(other, a, b, groups).key for a, b, groups in pairs]


def western_trade(view: View) -> Criterion:
    """WU-3.9: the West's share of trade rises and stays below its share of people."""
    trade, people = (view.series(v, "share", "block", ("West",)) for v in view.claim.outcome)
    shares = annual(view.ctx, trade)["share"] - annual(view.ctx, people)["share"]
    below = Fact(
        f"West: {describe(trade)} below {describe(people)} in {int((shares < 0).sum())} of {len(shares)} years",
        bool((shares < 0).all()),
        key=people,
    )
    return Criterion(All(view.claim.id, (view.trend(trade, UP), below)), view.trend(trade, DOWN))


def human_development(view: View) -> Criterion:
    """WU-4.2: gaps of an index and of its parts, East-West and North-South."""
    claim, p = view.claim, view.parameters
    parts = texts.named_parts(str(claim.hypothesis), claim.outcome)
    if len(parts) != p["parts"]:
        raise ValueError(f"claim {claim.id} states {p['parts']} parts; read {parts}")

    def both(names: tuple[str, ...], wanted: Label) -> Clause:
        gaps = tuple(gap(view, v, wanted, *groups) for v in names for groups in (EAST_WEST, NORTH_SOUTH))
        return All(f"gaps of {', '.join(names)} {wanted.lower()}", gaps, one=True)

    index = (claim.outcome[0],)
    wide = AtLeast("parts diverge", int(p["min_parts"]), tuple(both(v, UP) for v in parts.values()))
    return Criterion(All(claim.id, (both(index, UP), wide)), both(index, DOWN))


def _block_figure(view: View, variable: str, block: str) -> Series:
    """Share of a block, or its mean relative to all provinces, as the register defines the variable."""
    formula = next(d["formula"] for d in view.ctx.register.derived_variables if d["name"] == variable)
    quantity = "share" if "sum over provinces of" in formula else "relative"
    return view.series(variable, quantity, "block", (block,))


def draining(view: View) -> Criterion:
    """WU-4.11: people, researchers and relative schooling fall in West and Northeast."""
    claim = view.claim
    fall = {(v, b): view.trend(_block_figure(view, v, b), DOWN) for v in claim.outcome for b in ("West", "Northeast")}
    people, _, schooling = claim.outcome
    failing = [Not(f"{t.name} does not fall", t) for (v, _), t in fall.items() if v in (people, schooling)]
    return Criterion(All(claim.id, tuple(fall.values())), some("stable or rising", failing), by_sign=False)


def energy_use(view: View) -> Criterion:
    """WU-M11: R&D over electricity rises in every block."""
    (variable,) = view.claim.outcome
    blocks = [view.series(variable, "mean", "block", (b,)) for b in BLOCKS]
    return Criterion(
        All(view.claim.id, tuple(view.trend(s, UP) for s in blocks)),
        some("falls in a block", [view.trend(s, DOWN) for s in blocks]),
    )


def relocation(view: View) -> Criterion:
    """WU-P6: technology bought inland rises, the East's high-tech share falls."""
    bought, made = view.claim.outcome
    rises = view.trend(view.series(bought, "share", "block", ("Central", "West")), UP)
    falls = view.trend(view.series(made, "share", "block", ("East",)), DOWN)
    return Criterion(
        All(view.claim.id, (rises, falls)),
        Not("neither", some("one of the two", [rises, falls])),
        by_sign=False,
    )


def services(view: View) -> Criterion:
    """WU-N2: dispersion of income and of services falls."""
    claim, p = view.claim, view.parameters
    income, *others = (view.series(v, "dispersion") for v in claim.outcome)
    if len(others) != p["services"]:
        raise ValueError(f"claim {claim.id} states {p['services']} services, it has {len(others)}")
    falling = AtLeast("services converge", int(p["min_services"]), tuple(view.trend(s, DOWN) for s in others))
    return Criterion(All(claim.id, (view.trend(income, DOWN), falling)), view.trend(income, UP))


def _reading(build: Any, **options: Any) -> ClaimReading:
    return ClaimReading(assess, {"build": build, **options}, baseline_p)


#: claims decided here
READINGS: Mapping[str, ClaimReading] = {
    "LG-3.5": _reading(east_leads, index="digital_index", index_replaces=("broadband_pc",)),
    "LG-5.4": _reading(one_series("mean", UP)),
    "WU-0.4": _reading(north_south),
    "WU-0.5": _reading(within_blocks, extra=_quadratic_terms),
    "WU-0.6": _reading(domains),
    "WU-0.8": _reading(one_series("loss", UP, "gdp_real")),
    "WU-1.7": _reading(innovation_divide),
    "WU-3.5": _reading(chains, beside=chains_beside),
    "WU-3.9": _reading(western_trade),
    "WU-4.2": _reading(human_development, index="hd_index_gdp"),
    "WU-4.11": _reading(draining),
    "WU-M11": _reading(energy_use),
    "WU-P6": _reading(relocation),
    "WU-N1": _reading(not_alike),
    "WU-N2": _reading(services),
}
