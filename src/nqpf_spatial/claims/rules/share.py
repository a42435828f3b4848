"""R-SHARE: mainly concentrated means a majority of the national total in the latest year.

Pre-stated: support above `support_share_gt_pct`, contradict below `contradict_share_lt_pct`, inconclusive in
between. Location quotients against GDP and population stand beside the share and never decide. A share of
published totals has no sampling error: there is no p-value, hence no Holm correction and no minimum
detectable effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from nqpf_spatial.claims.rules.base import Outcome


def share_pct(values: Mapping[str, float], group: str) -> float:
    """Return the share of one group in the total, percent.

    Parameters
    ----------
    values : mapping of str to float
        Non-negative totals by group.
    group : str
        One of the keys.

    Returns
    -------
    float

    Examples
    --------
    >>> share_pct({"East": 3.0, "West": 1.0}, "East")
    75.0
    """
    total = sum(values.values())
    if group not in values or total <= 0 or min(values.values()) < 0:
        raise ValueError(
            f"a share needs non-negative totals with a positive sum that include {group!r}; given {values}"
        )
    return 100.0 * values[group] / total


def read(pct: float, parameters: Mapping[str, Any]) -> Literal["support", "contradict", "neither"]:
    """Read one share against the two thresholds.

    Examples
    --------
    >>> numbers = {"support_share_gt_pct": 50, "contradict_share_lt_pct": 40}
    >>> [read(p, numbers) for p in (50.1, 50.0, 40.0, 39.9)]
    ['support', 'neither', 'neither', 'contradict']
    """
    if pct > parameters["support_share_gt_pct"]:
        return "support"
    return "contradict" if pct < parameters["contradict_share_lt_pct"] else "neither"


def concentration(
    deciding: Mapping[str, float],
    proxies: Mapping[str, float],
    min_proxies: int,
    parameters: Mapping[str, Any],
) -> Outcome:
    """Decide a claim that names a measured share and a number of stand-ins.

    Parameters
    ----------
    deciding : mapping of str to float
        Shares in percent of the measured concept: all must exceed the support threshold, and one below the
        other threshold contradicts.
    proxies : mapping of str to float
        Shares in percent of the stand-ins; at least `min_proxies` must exceed the support threshold. They
        cannot contradict.
    min_proxies : int
    parameters : mapping
        ``support_share_gt_pct`` and ``contradict_share_lt_pct`` of the rule.

    Returns
    -------
    Outcome
    """
    if not deciding or len(proxies) < min_proxies:
        raise ValueError(f"R-SHARE needs a deciding share and at least {min_proxies} proxies, given {len(proxies)}")
    main = [read(v, parameters) for v in deciding.values()]
    beside = [read(v, parameters) for v in proxies.values()]
    main_holds = all(r == "support" for r in main)
    proxies_hold = beside.count("support") >= min_proxies
    shown = ", ".join(f"{k} {v:.1f}" for k, v in {**deciding, **proxies}.items())
    reason = (
        f"shares in percent: {shown}; measured part {'above' if main_holds else 'not above'} "
        f"{parameters['support_share_gt_pct']}, {beside.count('support')} of {len(beside)} stand-ins above "
        f"(at least {min_proxies} needed)"
    )
    return Outcome(
        support=main_holds and proxies_hold,
        contradict="contradict" in main,
        reason=reason,
        clause=main_holds or proxies_hold,
    )
