"""R-FACT: a number or a list of an article against an independent official source.

Pre-stated: support within `tolerance_pct` percent or with an identical list; contradict otherwise; not yet
testable while no official source is at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nqpf_spatial.claims.rules.base import Outcome


def number(stated: float, official: float | None, parameters: Mapping[str, Any]) -> Outcome:
    """Compare a stated number with the official one.

    Parameters
    ----------
    stated, official : float
        Same unit; None for `official` while no source is at hand.
    parameters : mapping
        Needs ``tolerance_pct``, of the official figure.

    Returns
    -------
    Outcome

    Examples
    --------
    >>> [number(stated, 100.0, {"tolerance_pct": 2}).support for stated in (101.0, 103.0)]
    [True, False]
    """
    if official is None:
        return Outcome(False, False, "", blocked=f"no official figure at hand for the stated {stated:g}")
    tolerance = parameters["tolerance_pct"]
    off = 100.0 * abs(stated - official) / abs(official) if official else float("inf") if stated else 0.0
    inside = off <= tolerance
    relation = "within" if inside else "outside"
    reason = f"stated {stated:g}, official {official:g}: {off:.2f} percent apart, {relation} {tolerance} percent"
    return Outcome(inside, not inside, reason, clause=inside)


def entries(stated: Iterable[str], official: Iterable[str] | None) -> Outcome:
    """Compare a stated list with the official one; order does not matter, every entry does.

    Parameters
    ----------
    stated, official : iterable of str
        Entries under the same names; None for `official` while no source is at hand.

    Returns
    -------
    Outcome

    Examples
    --------
    >>> entries(["a", "b"], ["b", "a"]).support, entries(["a"], ["b", "a"]).contradict
    (True, True)
    """
    said = set(stated)
    if official is None:
        return Outcome(False, False, "", blocked=f"no official list at hand for {', '.join(sorted(said))}")
    known = set(official)
    if said == known:
        return Outcome(True, False, f"the {len(known)} entries of the official list are the stated ones", clause=True)
    extra, missing = sorted(said - known), sorted(known - said)
    parts = [f"stated but not official: {', '.join(extra)}"] if extra else []
    parts += [f"official but not stated: {', '.join(missing)}"] if missing else []
    return Outcome(False, True, "; ".join(parts))


def every(outcomes: Iterable[Outcome]) -> Outcome:
    """Join the parts of one fact (its number and its list): all must hold, one that differs contradicts.

    Examples
    --------
    >>> every([entries(["a"], ["a"]), number(1, 2, {"tolerance_pct": 2})]).contradict
    True
    """
    parts = list(outcomes)
    if not parts:
        raise ValueError("R-FACT needs at least one comparison")
    if blocked := "; ".join(o.blocked for o in parts if o.blocked):
        return Outcome(False, False, "", blocked=blocked)
    support = all(o.support for o in parts)
    reason = "; ".join(o.reason for o in parts)
    return Outcome(support, not support, reason, clause=any(o.support for o in parts))
