"""R-OWN, criteria on where people go (WU-4.9, WU-4.10).

Readings fixed before any verdict was computed:

* "All intervals available" includes the experimental one for support; it cannot contradict.
* A gain is the change of a group's share of the national population, in percentage points per decade.
"""

from __future__ import annotations

from collections.abc import Mapping

from nqpf_spatial.claims.rules.base import Outcome


def net_inflow(flows: Mapping[str, Mapping[str, float]], experimental: frozenset[str]) -> Outcome:
    """Decide that every group gains people in every interval (WU-4.9).

    Parameters
    ----------
    flows : mapping of str to mapping of str to float
        Group -> interval -> net inflow.
    experimental : frozenset of str
        Intervals that cannot contradict.

    Returns
    -------
    Outcome
    """
    cells = [(g, i, v) for g, by in flows.items() for i, v in by.items()]
    not_positive = [f"{g} {i}" for g, i, v in cells if not v > 0]
    against = [f"{g} {i}" for g, i, v in cells if v < 0 and i not in experimental]
    held = [g for g, by in flows.items() if all(v > 0 for v in by.values())]
    return Outcome(
        support=not not_positive,
        contradict=bool(against),
        reason=(
            f"net inflow in every interval: {', '.join(held) or 'none'}; not positive: {', '.join(not_positive) or 'none'}"
            f"; experimental: {', '.join(sorted(experimental)) or 'none'}"
        ),
        clause=bool(held),
    )


def faster_gain(gains: Mapping[str, tuple[float, float]]) -> Outcome:
    """Decide that every group gains more in the second period than in the first (WU-4.10).

    Parameters
    ----------
    gains : mapping of str to (float, float)
        Group -> gain in the first and in the second period.

    Returns
    -------
    Outcome
    """
    faster = [g for g, (first, second) in gains.items() if second > first]
    slower = [g for g, (first, second) in gains.items() if second < first]
    return Outcome(
        support=len(faster) == len(gains),
        contradict=len(slower) == len(gains),
        reason="; ".join(f"{g}: {a:+.3f} then {b:+.3f} points" for g, (a, b) in gains.items()),
        clause=bool(faster),
    )
