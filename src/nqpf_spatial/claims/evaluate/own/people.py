"""Claims of R-OWN on where people go: WU-4.9, WU-4.10.

Readings fixed before any verdict was computed:

* WU-4.9: net flow of a group is what its provinces receive from the other provinces less what they send there, from the
  five-year matrices themselves; its sign does not depend on the expansion factor. The experimental matrix is shown and
  counts for support only. A province taken out of a grouping is taken out of both ends of every flow of that grouping;
  the East keeps its members.
* WU-4.10: shares of the population of the provinces in the grouping, in the census years at the ends of the two decades
  of the hypothesis. A province taken out of the grouping North / South is taken out of that total as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.own.engine import NO_ERROR, Adjust, Criterion, Measured, noted, reading, word
from nqpf_spatial.claims.evaluate.own.settings import SHARED, Setting, groups, series
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import own_people as rules
from nqpf_spatial.errors import DataSourceError

if TYPE_CHECKING:
    import pandas as pd

#: the two groups both claims name, with the grouping each belongs to
GROUPS = {"East": "block", "South": "north_south"}


def _no_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """The criterion compares with zero or with itself."""
    return {}


# --- WU-4.9 ---------------------------------------------------------------------------------------------------


def intervals(hypothesis: str | None) -> tuple[str, ...]:
    """Names of the five-year matrices a hypothesis spans: "5yr_2000 to 5yr_2020", every five years.

    Examples
    --------
    >>> intervals("matrices 5yr_2000 to 5yr_2010")
    ('5yr_2000', '5yr_2005', '5yr_2010')
    """
    found = re.search(r"5yr_(\d{4}) to 5yr_(\d{4})", hypothesis or "")
    if found is None:
        raise DataSourceError(f"the hypothesis names no matrices '5yr_... to 5yr_...': {hypothesis!r}")
    first, last = (int(y) for y in found.groups())
    return tuple(f"5yr_{y}" for y in range(first, last + 1, 5))


def net_flow(flows: pd.DataFrame, member: pd.Series) -> float:
    """Persons a group receives from the other units less those it sends there.

    Parameters
    ----------
    flows : DataFrame
        Origins in rows, destinations in columns.
    member : Series of bool
        Indexed by the units that count; the others are left out at both ends.

    Returns
    -------
    float

    Examples
    --------
    >>> import pandas as pd
    >>> f = pd.DataFrame([[0, 5], [2, 0]], index=["a", "b"], columns=["a", "b"])
    >>> net_flow(f, pd.Series({"a": True, "b": False}))
    -3.0
    """
    inside, outside = member.index[member], member.index[~member]
    return float(flows.loc[outside, inside].to_numpy().sum() - flows.loc[inside, outside].to_numpy().sum())


def flows(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Net inflow of both groups in every interval, thousands of persons of the population."""
    import pandas as pd

    import nqpf_spatial as nq

    notes: list[str] = []
    index = nq.data.flows_index()
    names = intervals(claim.hypothesis)
    experimental = frozenset(n for n in names if str(index.at[n, "status"]).startswith("experimental"))
    rows: dict[str, dict[str, float]] = {g: {} for g in GROUPS}
    for name in names:
        with noted(notes):
            matrix = nq.load_flows(name, expanded=True)
        for group, scheme in GROUPS.items():
            rows[group][name] = net_flow(matrix, groups(scheme, setting) == group) / 1000.0
    table = pd.DataFrame(rows).rename_axis("interval")
    table["status"] = index.loc[list(names), "status"]
    smallest = min(v for by in rows.values() for v in by.values())
    sample = {"intervals": ", ".join(names), "experimental": ", ".join(sorted(experimental)) or "none"}
    return Measured(
        (rows, experimental), smallest, len(names), sample, tables={"net_inflow_thousand": table}, notes=tuple(notes)
    )


def flow_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Every group in every interval."""
    rows, experimental = found.numbers
    return [
        Evidence(
            f"net inflow of {g}, {i}{' (experimental)' if i in experimental else ''}, thousand persons",
            v,
            reading=word(v > 0, v < 0 and i not in experimental),
        )
        for g, by in rows.items()
        for i, v in by.items()
    ]


NET_INFLOW = Criterion(
    limits=_no_limits,
    measure=flows,
    rule=lambda found, adjust, limits: rules.net_inflow(*found.numbers),
    evidence=flow_evidence,
    variants={k: SHARED[k] for k in ("ns_tibet_north", "ns_no_beijing", "no_tibet")},
    mde_note="the sign of counted flows has no sampling error in the rule: there is no minimum detectable effect",
)


# --- WU-4.10 --------------------------------------------------------------------------------------------------


def decades(hypothesis: str | None) -> tuple[tuple[int, int], tuple[int, int]]:
    """Read the two periods of "is larger in 2010-2020 than in 2000-2010", the earlier first.

    Examples
    --------
    >>> decades("Gain is larger in 2010-2020 than in 2000-2010.")
    ((2000, 2010), (2010, 2020))
    """
    found = [(int(a), int(b)) for a, b in re.findall(r"(\d{4})-(\d{4})", hypothesis or "")]
    if len(found) != 2:
        raise DataSourceError(f"the hypothesis should name two periods, found {found}: {hypothesis!r}")
    first, second = sorted(found)
    return first, second


def gains(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Change of the share of both groups in the two decades, percentage points per decade."""
    import pandas as pd

    (variable,) = claim.outcome
    share = series(claim, ctx, setting, variable).unstack("year")
    periods = decades(claim.hypothesis)
    years = sorted({y for p in periods for y in p})
    rows = {}
    for group, scheme in GROUPS.items():
        label = groups(scheme, setting).reindex(share.index).dropna()
        total = share.loc[label.index, years].sum()
        rows[group] = 100.0 * share.loc[label.index[label == group], years].sum() / total
    table = pd.DataFrame(rows).T.rename_axis("group")
    found = {g: tuple(float(table.at[g, b] - table.at[g, a]) / (b - a) * 10.0 for a, b in periods) for g in table.index}
    smallest = min(second - first for first, second in found.values())
    sample = {"years": ", ".join(map(str, years)), "provinces": len(share), "periods": str(periods)}
    return Measured(found, smallest, len(share), sample, tables={"share_pct": table})


def gain_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Gain of every group in both decades, and its acceleration."""
    out = []
    for group, (first, second) in found.numbers.items():
        out.append(Evidence(f"gain of {group} in the first decade, points", first, counted=False))
        out.append(Evidence(f"gain of {group} in the second decade, points", second, counted=False))
        what = f"gain of {group}, second decade less first, points"
        out.append(Evidence(what, second - first, reading=word(second > first, second < first)))
    return out


FASTER = Criterion(
    limits=_no_limits,
    measure=gains,
    rule=lambda found, adjust, limits: rules.faster_gain(found.numbers),
    evidence=gain_evidence,
    variants={k: SHARED[k] for k in ("ns_tibet_north", "ns_no_beijing")},
    mde_note=NO_ERROR,
)

#: claims decided here
READINGS: Mapping[str, ClaimReading] = {"WU-4.9": reading(NET_INFLOW), "WU-4.10": reading(FASTER)}
