"""WU-2.7 (R-OWN): demand for computing against land and non-thermal power.

Readings fixed before any verdict was computed:

* The latest year of the window; land, of its one date. The reference (GDP against population) is computed on the
  provinces of the demand series.
* Bootstrap of provinces as wholes, the same ones in both distances; p is one-sided, the
  share of draws in which demand and resource are no further apart than GDP and population. The centre is the centre of
  gravity over capitals, and "east" is its longitude. Land is shown and does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.own.engine import Adjust, Criterion, Measured, permutations, reading, word
from nqpf_spatial.claims.evaluate.own.settings import SHARED, Setting, swapped, year_of
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import own_shares as rules
from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.claims.rules.mech import minimum_detectable_effect

if TYPE_CHECKING:
    import pandas as pd


def hoover_draws(a: np.ndarray, b: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Hoover distance of two distributions when each unit is drawn `counts` times.

    Parameters
    ----------
    a, b : ndarray, shape (n,)
    counts : ndarray, shape (R, n)

    Returns
    -------
    ndarray, shape (R,)

    Examples
    --------
    >>> hoover_draws(np.array([3.0, 1.0]), np.array([1.0, 1.0]), np.ones((1, 2))).tolist()
    [0.25]
    """
    x, y = counts * a, counts * b
    return 0.5 * np.abs(x / x.sum(axis=1, keepdims=True) - y / y.sum(axis=1, keepdims=True)).sum(axis=1)


def _centre(column: pd.Series) -> float:
    """Longitude of the centre of gravity of one year."""
    from nqpf_spatial import divergence

    return float(divergence.gravity_center(column).table["lon"].iloc[0])


def _hoover(a: pd.Series, b: pd.Series) -> float:
    from nqpf_spatial import divergence

    return float(divergence.dissimilarity(a, b).table["dissimilarity"].iloc[0])


def _one_mismatch(
    claim: Claim, ctx: Context, setting: Setting, demand: str, resource: str
) -> tuple[rules.Mismatch, pd.DataFrame, int]:
    """Demand and resource of their latest years, against GDP and population of the year of demand."""
    import pandas as pd

    year, d = year_of(claim, ctx, setting, demand)
    r_year, supply = year_of(claim, ctx, setting, resource)
    cross = ctx.panel.xs(year, level="year")
    common = d.index.intersection(supply.index)
    d, r = d.reindex(common), supply.reindex(common)
    gdp, people = (cross[v].reindex(d.index) for v in claim.regressors)
    hoover, reference = _hoover(d, r), _hoover(gdp, people)
    rng = np.random.default_rng(ctx.seed)
    counts = rng.multinomial(len(d), np.full(len(d), 1.0 / len(d)), size=permutations(ctx)).astype(float)
    pairs = [(d, r), (gdp, people)]
    drawn = [hoover_draws(a.to_numpy(), b.to_numpy(), counts) for a, b in pairs]
    difference = drawn[0] - drawn[1]
    p = (1.0 + float((difference <= 0).sum())) / (1.0 + len(difference))
    found = rules.Mismatch(demand, hoover, reference, p, p, float(difference.std(ddof=1)), _centre(d) - _centre(r))
    shares = pd.DataFrame({demand: 100 * d / d.sum(), r.name: 100 * r / r.sum()})
    return found, shares.rename(columns={r.name: f"{r.name} {r_year}"}), year


def mismatch_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of WU-2.7."""
    return dict(claim.parameters)


def mismatch(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Both stand-ins of demand against the resource; land beside it in the baseline."""
    import pandas as pd

    *demands, resource, land = claim.outcome
    if len(demands) != claim.parameters["demand_proxies"]:
        raise ValueError(
            f"claim {claim.id} names {claim.parameters['demand_proxies']} stand-ins of demand, found {demands}"
        )
    rows, tables, years = [], {}, {}
    for demand in demands:
        found, shares, year = _one_mismatch(claim, ctx, setting, demand, resource)
        rows.append(found)
        tables[demand], years[demand] = shares, year
    beside = [_one_mismatch(claim, ctx, setting, d, land)[0] for d in demands] if setting == Setting() else []
    weakest = min(rows, key=lambda m: m.hoover)
    sample = {"year": years, "provinces": {d: len(t) for d, t in tables.items()}, "resource": setting.name(resource)}
    table = pd.concat(tables, names=["demand", "province"])
    p = max(m.p for m in rows)
    return Measured(
        (rows, beside), weakest.hoover, len(tables[demands[0]]), sample, weakest.se, p, tables={"shares": table}
    )


def _corrected(rows: list[rules.Mismatch], adjust: Adjust) -> list[rules.Mismatch]:
    return [replace(m, p_holm=adjust(m.p)) for m in rows]


def mismatch_rule(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> Outcome:
    """The criterion with corrected p-values."""
    return rules.mismatch(_corrected(found.numbers[0], adjust), limits)


def mismatch_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Hoover distances and centres; land shown beside."""
    rows, beside = found.numbers
    out = []
    for m in _corrected(rows, adjust):
        read = word(m.hoover >= limits["hoover_support_ge"], m.hoover < limits["hoover_contradict_lt"])
        out.append(Evidence(f"Hoover distance of {m.demand} and the resource", m.hoover, reading=read))
        above = m.hoover > m.reference and m.p_holm < limits["bootstrap_alpha"]
        detectable = minimum_detectable_effect(m.se, 2.0 * limits["bootstrap_alpha"])
        what = f"its excess over the distance of GDP and population, {m.demand}"
        out.append(
            Evidence(what, m.hoover - m.reference, m.se, p=m.p, p_holm=m.p_holm, mde=detectable, reading=word(above))
        )
        what = f"centre of {m.demand} east of that of the resource, degrees of longitude"
        out.append(Evidence(what, m.east, reading=word(m.east > 0)))
    return out + [Evidence(f"Hoover distance of {m.demand} and land (shown)", m.hoover, counted=False) for m in beside]


MISMATCH = Criterion(
    limits=mismatch_limits,
    measure=mismatch,
    rule=mismatch_rule,
    evidence=mismatch_evidence,
    variants={
        **{k: SHARED[k] for k in ("no_tibet", "no_municipalities")},
        "alt_resource": swapped(
            "nonfossil_generation", "generation_hydro", "land_area", years={"land_area": (2008, 2024)}
        ),
    },
    mde_note="one-sided: (z[1 - alpha] + z[0.8]) * bootstrap standard error of the excess over GDP and population",
    p_value=lambda found: max(m.p for m in found.numbers[0]),
)

#: claims decided here
READINGS: Mapping[str, ClaimReading] = {"WU-2.7": reading(MISMATCH)}
