"""R-SHARE on data and computing resources in the East (WU-2.2).

Readings fixed beforehand:

* The measured part is computing capacity: the published block shares of compute_facts (one date, the latest
  there is). Only its East share can contradict.
* The stand-ins are the claim's three outcomes in the year of its window; "at least 2 of 3" is read from
  support_if. A stand-in without a province (software revenue has no Tibet) is the share of the provinces it
  has, and the record says how many.
* A block share published as a whole cannot be computed without a province: variants vary the stand-ins and
  keep the published figure.
* Location quotients, share over share of GDP or of population, stand beside and never decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Alternative, Assessment
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.variants import MUNICIPALITIES
from nqpf_spatial.claims.record import Evidence, VariantResult
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import multiverse, share
from nqpf_spatial.errors import DataSourceError

if TYPE_CHECKING:
    import pandas as pd

#: group the claim is about, the variables its quotients are taken against, the published computing fact
GROUP = "East"
AGAINST = ("gdp", "population")
FACT = "regional share of intelligent computing power"
_LEFT_OUT: Mapping[str, tuple[str, ...]] = {"no_tibet": ("Tibet",), "no_municipalities": MUNICIPALITIES}


def block_shares(facts: pd.DataFrame, fact: str = FACT) -> tuple[dict[str, float], str]:
    """Read a published split over the blocks: ``"... : East/Central/..."`` with values ``"55.9/10.6/..."``.

    Parameters
    ----------
    facts : DataFrame
        Columns date, fact, value, unit, source.
    fact : str
        How the entry begins; the latest date is taken.

    Returns
    -------
    dict of str to float, str
        Figure by block, and the date.
    """
    rows = facts[facts["fact"].str.startswith(f"{fact}:")].sort_values("date")
    if rows.empty:
        raise DataSourceError(f"compute_facts has no entry {fact!r}; it has {', '.join(facts['fact'])}")
    row = rows.iloc[-1]
    blocks = [b.strip() for b in row["fact"].partition(":")[2].split("/")]
    values = [float(v) for v in row["value"].split("/")]
    return dict(zip(blocks, values, strict=True)), str(row["date"])


def by_block(column: pd.Series, left_out: tuple[str, ...] = ()) -> tuple[dict[str, float], int]:
    """Add up one year of a variable over the blocks; also return how many provinces have a value."""
    from nqpf_spatial import provinces

    present = column.dropna()
    present = present[~present.index.isin(left_out)]
    sums = present.groupby([provinces.group_of(p) for p in present.index]).sum()
    return {str(k): float(v) for k, v in sums.items()}, len(present)


def min_proxies(support_if: str) -> int:
    """Read "at least 2 of 3" out of a criterion.

    Examples
    --------
    >>> min_proxies("East share > 50 percent for at least 2 of 3 data proxies")
    2
    """
    found = re.search(r"at least (\d+) of \d+", support_if)
    if found is None:
        raise ValueError(f"the criterion names no 'at least k of n': {support_if!r}")
    return int(found.group(1))


def _table(claim: Claim, ctx: Context, left_out: tuple[str, ...]) -> pd.DataFrame:
    """East share and location quotients of every stand-in, percent and ratios."""
    import pandas as pd

    year = claim.years()[1]
    cross = ctx.panel.xs(year, level="year")
    rows = {}
    for name in claim.outcome:
        sums, n = by_block(cross[name], left_out)
        pct = share.share_pct(sums, GROUP)
        absent = tuple(p for p in cross.index if p in left_out or pd.isna(cross.at[p, name]))
        quotients = {f"lq_{b}": pct / share.share_pct(by_block(cross[b], absent)[0], GROUP) for b in AGAINST}
        rows[name] = {"year": year, "provinces": n, "east_share_pct": pct, **quotients}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("variable")


def _variant(name: str, claim: Claim, ctx: Context, computing: float) -> VariantResult:
    """Judge the claim again without some provinces."""
    parameters = ctx.register.rules[claim.rule].parameters
    left_out = _LEFT_OUT[name]
    shares = _table(claim, ctx, left_out)["east_share_pct"]
    need = min_proxies(str(claim.support_if))
    outcome = share.concentration({"computing": computing}, shares.to_dict(), need, parameters)
    return VariantResult(
        variant=name,
        specification=f"without {', '.join(left_out)}; published computing share kept",
        counts=bool(ctx.register.variants[name]["counts"]),
        ran=True,
        stated_sign=outcome.support,
        significant=outcome.contradict,
        estimate=float(shares.min()),
        n=len(ctx.panel.index.unique("province")) - len(left_out),
        reason=outcome.reason,
    )


def _evidence(table: pd.DataFrame, computing: float, date: str, parameters: Mapping[str, Any]) -> tuple[Evidence, ...]:
    """Deciding shares, then the quotients that stand beside them."""
    what = f"{GROUP} share of intelligent computing power, percent ({date}, published)"
    rows = [Evidence(what, computing, reading=share.read(computing, parameters))]
    for name, row in table.iterrows():
        what = f"{GROUP} share of {name}, percent ({row['year']:.0f}, {row['provinces']:.0f} provinces)"
        rows.append(Evidence(what, row["east_share_pct"], reading=share.read(row["east_share_pct"], parameters)))
        for base in AGAINST:
            what = f"location quotient of {name} against {base}, {GROUP}"
            rows.append(Evidence(what, row[f"lq_{base}"], counted=False))
    return tuple(rows)


def east_share(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> Assessment:
    """Decide whether data and computing resources sit mainly in the East."""
    from nqpf_spatial import data

    parameters = ctx.register.rules[claim.rule].parameters
    published, date = block_shares(data.compute_facts())
    computing = share.share_pct(published, GROUP)
    table = _table(claim, ctx, ())
    need = min_proxies(str(claim.support_if))
    outcome = share.concentration({"computing": computing}, table["east_share_pct"].to_dict(), need, parameters)
    rows = tuple(_variant(name, claim, ctx, computing) for name in claim.variants)
    shares = multiverse.judge(
        rows, "contradict" if outcome.contradict else "support", ctx.register.rules["MULTIVERSE"].parameters
    )
    year = claim.years()[1]
    return Assessment(
        alternatives=(Alternative("", outcome, shares),),
        evidence=_evidence(table, computing, date, parameters),
        variants=rows,
        sample={
            "year": year,
            "provinces": {str(k): int(v) for k, v in table["provinces"].items()},
            "computing": date,
        },
        mde_note="shares of published totals have no sampling error: there is no minimum detectable effect",
        notes=("the computing share is one published split at one date; it is not the year of the stand-ins",),
        tables={"shares": table, "computing_by_block": _frame(published, date)},
    )


def _frame(published: Mapping[str, float], date: str) -> pd.DataFrame:
    """The published split as a table."""
    import pandas as pd

    return pd.DataFrame({"date": date, "share_pct": dict(published)}).rename_axis("block")


#: claims decided here
READINGS: Mapping[str, ClaimReading] = {"WU-2.2": ClaimReading(east_share)}
