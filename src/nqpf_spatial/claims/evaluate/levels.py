"""R-LEVEL claims: some provinces above others.

Readings fixed before any verdict was computed (for all claims of this module; more in `rules.clauses`, `rules.level` and
`settings`):

* WU-1.2, WU-3.1: "first" is above each of the three other blocks. "Not first" is at or below one of them in the latest year;
  in WU-1.2 on R&D intensity only, in WU-3.1 on either series.
* WU-2.4: one survey date, so "every year of the window" is that date. The clause on land supply has no data; the clause
  that has is the criterion, and the cap of partial claims does the rest.
* WU-2.6: power is one side with two series, both of which must be above; it is "at or below" where both are. Land is the
  other side. Each side is one clause; the Centre (against the East) stands beside.
* WU-3.2: four clauses, each series for East against all others and for South against North.
* WU-3.4: gov_share and private_asset_share stand beside.
* WU-3.7: coupling coordination of inner and outer circulation, D = sqrt(C T) with C = 2 sqrt(u v) / (u + v) and T = (u + v) / 2
  (so D = (u v)^(1/4)), under three normalisations inside each year: min-max, ranks ((r - 1/2) / n), and the normal distribution
  function of z-scores. Coast against all others. "<=" means that the difference in the latest year is zero or negative
  under as many normalisations as support needs.
* WU-3.8: East above Northeast and above West are the clauses, each on both series.
* WU-4.4: three gaps, of which "use" has two series: both must be significant for support; for "fewer than two significant"
  one of them is enough, at the raw level and without the condition on every year.
* WU-4.5: "East above Central and West" of a series is both comparisons. The contradiction counts signs in the latest year.
* WU-4.8: the permutation test is on mean growth over the window, East against each other block; the sign must hold in
  every year as R-LEVEL says. The share of the gap that broadband explains is 1 - b / a: a is the coefficient of an East
  dummy in growth on year effects, b the same with the digital series added (Gelbach 2016, Journal of Labor Economics 34,
  509-543); it exists where a > 0, and must reach the threshold for both growth series. "Central or West at or above the East" is the mean
  over the window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nqpf_spatial.claims.evaluate import texts
from nqpf_spatial.claims.evaluate.annual import cells, membership
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.columns import column, coupling
from nqpf_spatial.claims.evaluate.criteria import assess, baseline_p
from nqpf_spatial.claims.evaluate.view import View
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.rules.clauses import Adjust, All, AtLeast, Clause, Fact, Not, some
from nqpf_spatial.claims.rules.criterion import Criterion
from nqpf_spatial.claims.rules.level import Difference, above, at_or_below, positive, reversed_sign

OTHERS = ("Central", "West", "Northeast")


def _against(view: View, variable: str, below: str, **how: Any) -> Difference:
    """The East against another block."""
    return view.difference(variable, ("East",), (below,), **how)


def _south(view: View, variable: str) -> Difference:
    return view.difference(variable, ("South",), ("North",), "north_south")


def first(view: View, variable: str) -> All:
    """The East is above every other block."""
    members = tuple(above(_against(view, variable, b), view.parameters) for b in OTHERS)
    return All(f"East first in {variable}", members, one=True)


def not_first(view: View, variable: str) -> list[Clause]:
    """The East is at or below another block in the latest year."""
    return [at_or_below(_against(view, variable, b)) for b in OTHERS]


def momentum(view: View) -> Criterion:
    """WU-1.2: the East first in R&D intensity and in growth."""
    intensity, growth = view.claim.outcome
    return Criterion(
        All(view.claim.id, (first(view, intensity), first(view, growth))),
        some("not first", not_first(view, intensity)),
    )


def dense_east(view: View) -> Criterion:
    """WU-2.4: the East is built more densely than elsewhere."""
    d = view.difference(view.claim.outcome[0], ("East",))
    return Criterion(above(d, view.parameters), reversed_sign(d, view.parameters))


def land_and_power(view: View) -> Criterion:
    """WU-2.6: the West is above the East in non-thermal power and in land."""
    *power, land = (view.difference(v, ("West",), ("East",)) for v in view.claim.outcome)
    p = view.parameters
    return Criterion(
        All(view.claim.id, (All("power", tuple(above(d, p) for d in power), one=True), above(land, p))),
        some("either side", [All("power", tuple(at_or_below(d) for d in power), one=True), at_or_below(land)]),
    )


def centre_beside(view: View) -> list[Any]:
    """The Centre against the East on the series of WU-2.6."""
    return [view.difference(v, ("Central",), ("East",)).key for v in view.claim.outcome]


def openness(view: View) -> Criterion:
    """WU-3.1: the East first and the South above the North in trade and foreign investment."""
    outcome = view.claim.outcome
    clauses: list[Clause] = [first(view, v) for v in outcome]
    clauses += [above(_south(view, v), view.parameters) for v in outcome]
    return Criterion(
        All(view.claim.id, tuple(clauses)), some("not first", [c for v in outcome for c in not_first(view, v)])
    )


def markets(view: View) -> Criterion:
    """WU-3.2: markets and infrastructure, East against all others and South against North."""
    found = [d for v in view.claim.outcome for d in (view.difference(v, ("East",)), _south(view, v))]
    p = view.parameters
    return Criterion(
        All(view.claim.id, tuple(above(d, p) for d in found)), some("lower", [reversed_sign(d, p) for d in found])
    )


def state_share(view: View) -> Criterion:
    """WU-3.4: the state share is higher in the North."""
    d = view.difference(view.claim.outcome[0], ("North",), ("South",), "north_south")
    return Criterion(above(d, view.parameters), at_or_below(d))


def state_beside(view: View) -> list[Any]:
    """What the hypothesis of WU-3.4 names beside the state share."""
    names = texts.listed(str(view.claim.hypothesis), ("gov_share", "private_asset_share"))
    return [view.difference(v, ("North",), ("South",), "north_south").key for v in names]


def circulation(view: View) -> Criterion:
    """WU-3.7: coupling of inner and outer circulation on the south-east coast."""
    claim, k = view.claim, int(view.parameters["min_normalisations"])
    coast = texts.listed(str(claim.hypothesis), view.ctx.panel.index.unique("province"))
    inner, outer = claim.outcome
    found = [view.difference(name, coast, (), "") for name in coupling(inner, outer)]
    return Criterion(
        AtLeast("normalisations", k, tuple(above(d, view.parameters) for d in found)),
        AtLeast("normalisations", k, tuple(at_or_below(d) for d in found)),
    )


def lagging(view: View) -> Criterion:
    """WU-3.8: Northeast and West below the East in growth and trade."""
    growth, trade = view.claim.outcome
    blocks = ("Northeast", "West")
    clauses = tuple(
        All(f"{b} below East", tuple(above(_against(view, v, b), view.parameters) for v in (growth, trade)), one=True)
        for b in blocks
    )

    def ahead(block: str) -> Fact:
        d = _against(view, growth, block)
        return Fact(f"{block} above East in {growth}: {-d.estimate:+.4g} in {d.year}", d.estimate < 0, key=d.key)

    return Criterion(All(view.claim.id, clauses), some("above the East", [ahead(b) for b in blocks]))


def three_divides(view: View) -> Criterion:
    """WU-4.4: gaps in access, use and outcome between East and West."""
    gaps = texts.titled_before(str(view.claim.hypothesis), view.claim.outcome)
    if sum(map(len, gaps.values())) != len(view.claim.outcome):
        raise ValueError(f"claim {view.claim.id}: the hypothesis places {gaps}, outcomes are {view.claim.outcome}")
    found = {name: [_against(view, v, "West") for v in variables] for name, variables in gaps.items()}
    p = view.parameters
    loose = {**p, "same_sign_every_year": False}
    strict = tuple(All(name, tuple(above(d, p) for d in ds), one=True) for name, ds in found.items())
    lax = tuple(some(name, [above(d, loose) for d in ds]) for name, ds in found.items())
    fewer = Not("fewer than two significant", AtLeast("gaps", len(gaps) - 1, lax))
    return Criterion(All(view.claim.id, strict), fewer, by_sign=False)


def access(view: View) -> Criterion:
    """WU-4.5: the East above Central and West on most digital series."""
    claim, k = view.claim, int(view.parameters["min_series"])
    pairs = {v: [_against(view, v, b) for b in ("Central", "West")] for v in claim.outcome}
    p = view.parameters
    full = tuple(All(v, tuple(above(d, p) for d in ds), one=True) for v, ds in pairs.items())
    signs = tuple(All(v, tuple(positive(d) for d in ds), one=True) for v, ds in pairs.items())
    few = len(signs) - k + 1
    failing = tuple(Fact(f"{s.name}: East not above both", not s.sign()) for s in signs)
    return Criterion(AtLeast("series", k, full), AtLeast("series with East not above both", few, failing))


def explained(view: View, growth: str) -> tuple[float, float]:
    """Gap in mean growth between the East and the others, and the part the digital series explains.

    Returns
    -------
    float, float
        Coefficient of the East dummy, and 1 minus its ratio with the digital series added; NaN where the gap is not
        positive.
    """
    import pandas as pd
    import statsmodels.api as sm

    digital = view.claim.regressors[0]
    sample = view.sample(growth, "block")
    years = tuple(y for y in sample.years if y in view.window(digital))
    y = cells(view.ctx, view.setting.column(growth), sample)
    y = y[y.index.get_level_values("year").isin(years)]
    x = column(view.ctx, view.setting.column(digital)).reindex(y.index)
    groups = membership(sample, y.index.unique("province"))
    east = (y.index.get_level_values("province").map(groups) == "East").astype(float)
    dummies = pd.get_dummies(y.index.get_level_values("year"), dtype=float).to_numpy()
    weights = np.ones(len(y))
    if sample.weights is not None:
        weights = column(view.ctx, sample.weights).reindex(y.index).to_numpy(dtype=float)
    base = np.column_stack([np.asarray(east), dummies])
    gap = float(sm.WLS(y.to_numpy(), base, weights=weights).fit().params[0])
    full = sm.WLS(y.to_numpy(), np.column_stack([base, x.to_numpy()]), weights=weights).fit()
    return gap, 1.0 - float(full.params[0]) / gap if gap > 0 else float("nan")


def _explained(view: View, growth: str) -> tuple[float, float]:
    key = ("explained", view.sample(growth, "block"), view.setting.column(growth), _digital(view))
    return view.ctx.once(key, lambda: explained(view, growth))


def _digital(view: View) -> tuple[str, tuple[int, ...]]:
    digital = view.claim.regressors[0]
    return view.setting.column(digital), view.window(digital)


def growth_lead(view: View) -> Criterion:
    """WU-4.8: growth is highest in the East and broadband explains part of its lead."""
    need, outcome = float(view.parameters["digital_share_of_gap_ge"]), view.claim.outcome
    leads = {v: {b: _against(view, v, b, window_mean=True) for b in OTHERS} for v in outcome}
    clauses: list[Clause] = [
        All(f"East first in mean {v}", tuple(above(d, view.parameters) for d in ds.values()), one=True)
        for v, ds in leads.items()
    ]
    for v in outcome:
        gap, part = _explained(view, v)
        name = f"East minus others in {v} is {gap:+.3g}"
        name += f", {_digital(view)[0]} explains {part:.3f} of it" if gap > 0 else ": no lead to explain"
        clauses.append(Fact(name, part >= need, part > 0, key=("explained", v, *_digital(view))))
    behind = [at_or_below(ds[b]) for ds in leads.values() for b in ("Central", "West")]
    return Criterion(All(view.claim.id, tuple(clauses)), some("Central or West at or above the East", behind))


def _parts(view: View, adjust: Adjust) -> tuple[tuple[Evidence, ...], dict[str, Any]]:
    """Explained parts of WU-4.8 for the record."""
    need = float(view.parameters["digital_share_of_gap_ge"])
    rows = []
    for v in view.claim.outcome:
        gap, part = _explained(view, v)
        rows.append(Evidence(f"East minus others in mean {v}, year effects", gap, counted=False))
        reading = "support" if part >= need else "neither"
        what = f"share of the gap in {v} explained by {_digital(view)[0]}"
        rows.append(Evidence(what, part if np.isfinite(part) else None, reading=reading))  # type: ignore[arg-type]
    return tuple(rows), {}


def _reading(build: Any, **options: Any) -> ClaimReading:
    return ClaimReading(assess, {"build": build, **options}, baseline_p)


_FIVE = ("broadband_pc", "mobile_phone_penetration", "mobile_users_pc", "cable_pc", "base_stations_pc")

#: claims decided here
READINGS: Mapping[str, ClaimReading] = {
    "WU-1.2": _reading(momentum),
    "WU-2.4": _reading(dense_east),
    "WU-2.6": _reading(land_and_power, beside=centre_beside),
    "WU-3.1": _reading(openness),
    "WU-3.2": _reading(markets),
    "WU-3.4": _reading(state_share, beside=state_beside),
    "WU-3.7": _reading(circulation),
    "WU-3.8": _reading(lagging),
    "WU-4.4": _reading(three_divides),
    "WU-4.5": _reading(access, index="digital_index", index_replaces=_FIVE),
    "WU-4.8": _reading(growth_lead, index="digital_index", index_replaces=("ln_broadband_pc",), extra=_parts),
}
