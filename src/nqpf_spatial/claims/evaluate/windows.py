"""Years and provinces of a claim's regressions, from the register's own fields."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.errors import DataSourceError

#: series that a hypothesis takes in logarithms although the claim lists them plainly: "log market_potential"
_LOG = re.compile(r"\blog(?: of)? (\w+)")


def logged_in(hypothesis: str) -> frozenset[str]:
    """Series that a hypothesis takes in logarithms.

    Examples
    --------
    >>> sorted(logged_in("Effect of log market_potential on y; falls in the log of dist_sea_gate"))
    ['dist_sea_gate', 'market_potential']
    """
    return frozenset(_LOG.findall(hypothesis))


def named(claim: Claim, regressor: str) -> str:
    """Name of a regressor in a formula: with its logarithm where the hypothesis takes it."""
    return f"ln_{regressor}" if regressor in logged_in(str(claim.hypothesis)) else regressor


def at_least_in(criterion: str) -> int:
    """Read "at least 2 of 3" (or ">= 2 of 3") out of a criterion.

    Examples
    --------
    >>> at_least_in("lag coefficient > 0 at 5 % for at least 3 of 4"), at_least_in("<0 for >= 2 of 3")
    (3, 2)
    """
    found = re.search(r"(?:at least|>=) (\d+) of \d+", criterion)
    if found is None:
        raise ValueError(f"the criterion names no 'at least k of n': {criterion!r}")
    return int(found.group(1))


def window(claim: Claim, variable: str) -> tuple[int, int]:
    """First and last year of a variable of a claim: its own window where the claim has one per variable."""
    return claim.years() if isinstance(claim.period, str) else claim.years(variable)


def years(claim: Claim, outcome: str, lagged: Sequence[str] = ()) -> tuple[int, ...]:
    """Years of the rows of a regression.

    Parameters
    ----------
    claim : Claim
    outcome : str
        Its window is that of the rows.
    lagged : sequence of str
        Regressors of the year before with a window of their own (or that of the claim): a row needs them inside it.

    Returns
    -------
    tuple of int
        Without years that the claim says are absent from any of its series.
    """
    first, last = window(claim, outcome)
    absent = {int(y) for own in claim.absent_years.values() for y in own}
    for name in lagged:
        start, end = window(claim, name)
        first, last = max(first, start + 1), min(last, end + 1)
    return tuple(y for y in range(first, last + 1) if y not in absent)


def text(span: Sequence[int]) -> str:
    """Write years: "2012-2024", with gaps named.

    Examples
    --------
    >>> text((2013, 2014, 2016)), text((2012, 2013))
    ('2013-2016 without 2015', '2012-2013')
    """
    gaps = [str(y) for y in range(span[0], span[-1] + 1) if y not in span]
    return f"{span[0]}-{span[-1]}" + (f" without {', '.join(gaps)}" if gaps else "")


def without_outcome(claim: Claim, ctx: Context, outcome: str) -> tuple[str, ...]:
    """Provinces that lack the outcome in the claim's window; their number must be the one the claim states."""
    stated = claim.provinces.get(outcome)
    if stated is None:
        return ()
    first, last = window(claim, outcome)
    series = ctx.panel[outcome]
    inside = series[(series.index.get_level_values("year") >= first) & (series.index.get_level_values("year") <= last)]
    present = inside.notna().groupby(level="province", sort=False).all()
    lacking = tuple(str(p) for p in present.index[~present])
    if len(present) - len(lacking) != stated:
        raise DataSourceError(
            f"claim {claim.id} states {stated} provinces with {outcome}, the panel has {len(present) - len(lacking)}"
        )
    return lacking
