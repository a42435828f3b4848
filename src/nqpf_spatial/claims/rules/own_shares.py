"""R-OWN, criteria on shares, quotients and measures of one year (LG-2.2, WU-1.9, WU-1.11, WU-2.7, WU-P4).

Each function is the criterion of one claim, as its support_if and contradict_if state it, with the register's numbers in
``limits``. Readings fixed before any verdict was computed:

* A part of a count that has no series is unknown: it does not hold for support, and it may hold against contradiction
  ("above for at most 1 of 4" needs the known ones plus the unknown ones to be at most 1).
* Where a criterion joins conditions by "and", each one that holds in full is a clause for PARTLY.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.claims.rules.mech import minimum_detectable_effect


def endowments(above: Mapping[str, bool], limits: Mapping[str, Any]) -> Outcome:
    """Decide that endowments differ more than output per resident (LG-2.2).

    Parameters
    ----------
    above : mapping of str to bool
        Endowment -> whether its dispersion exceeds that of output in every year with data.
    limits : mapping
        ``min_endowments`` that must, of ``endowments`` in all; ``contradict_le``.

    Returns
    -------
    Outcome
    """
    yes, unknown = sum(above.values()), limits["endowments"] - len(above)
    names = ", ".join(k for k, v in above.items() if v) or "none"
    return Outcome(
        support=yes >= limits["min_endowments"],
        contradict=yes + unknown <= limits["contradict_le"],
        reason=f"more unequal than output per resident in every year: {names}; {unknown} of {limits['endowments']} without data",
    )


@dataclass(frozen=True, slots=True)
class Forerunner:
    """One province of WU-1.9: by indicator, whether it stands out (quotient above one, or a top rank) and grew faster."""

    province: str
    leads: Mapping[str, bool]
    grew: Mapping[str, bool]

    @property
    def meets(self) -> bool:
        """Some indicator both stands out and grew faster than the median."""
        return any(self.leads[k] and self.grew[k] for k in self.leads)


def forerunners(found: Sequence[Forerunner], limits: Mapping[str, Any]) -> Outcome:
    """Decide that each named province leads in some field and grew faster than the median (WU-1.9).

    Parameters
    ----------
    found : sequence of Forerunner
    limits : mapping
        ``contradict_ge``: how many provinces that meet neither condition contradict.

    Returns
    -------
    Outcome
    """
    leads, grew = ([any(getattr(f, k).values()) for f in found] for k in ("leads", "grew"))
    neither = [f.province for f, a, b in zip(found, leads, grew, strict=True) if not a and not b]
    meets = [f.province for f in found if f.meets]
    return Outcome(
        support=len(meets) == len(found),
        contradict=len(neither) >= limits["contradict_ge"],
        reason=(
            f"{len(meets)} of {len(found)} provinces lead in an indicator in which they also grew faster than the median "
            f"({', '.join(meets) or 'none'}); neither anywhere: {', '.join(neither) or 'none'}"
        ),
        clause=all(leads) or all(grew),
    )


def contribution_share(pct: float, limits: Mapping[str, Any]) -> Outcome:
    """Decide that named components carry a share of what separates two classes (WU-1.11).

    Parameters
    ----------
    pct : float
        Share in percent.
    limits : mapping
        ``support_ge`` and ``contradict_lt``, percent.

    Returns
    -------
    Outcome
    """
    return Outcome(
        support=pct >= limits["support_ge"],
        contradict=pct < limits["contradict_lt"],
        reason=f"the named components hold {pct:.1f} percent of the distance between the classes (at least {limits['support_ge']:g} needed)",
    )


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Demand against a resource (WU-2.7).

    Attributes
    ----------
    hoover, reference : float
        Hoover distance of demand and resource, and of output and residents.
    p, p_holm : float
        One-sided bootstrap p-value of "hoover is not above the reference".
    se : float
        Bootstrap standard error of the difference.
    east_km : float
        How far the centre of demand lies east of that of the resource (degrees of longitude).
    """

    demand: str
    hoover: float
    reference: float
    p: float
    p_holm: float
    se: float
    east: float


def mismatch(found: Sequence[Mismatch], limits: Mapping[str, Any]) -> Outcome:
    """Decide that demand and resources lie apart, further than output and residents, demand in the east (WU-2.7).

    Parameters
    ----------
    found : sequence of Mismatch
        One per stand-in of demand; all must hold.
    limits : mapping
        ``hoover_support_ge``, ``hoover_contradict_lt``, ``bootstrap_alpha``.

    Returns
    -------
    Outcome
    """
    far = all(m.hoover >= limits["hoover_support_ge"] for m in found)
    further = all(m.hoover > m.reference and m.p_holm < limits["bootstrap_alpha"] for m in found)
    east = all(m.east > 0 for m in found)
    shown = "; ".join(
        f"{m.demand}: Hoover {m.hoover:.3f} against {m.reference:.3f} (p {m.p:.3g}, corrected {m.p_holm:.3g}), centre "
        f"{m.east:+.2f} degrees east"
        for m in found
    )
    return Outcome(
        support=far and further and east,
        contradict=all(m.hoover < limits["hoover_contradict_lt"] for m in found),
        reason=shown,
        clause=far or further or east,
        # the criterion is one-sided: the two-sided formula at twice the level
        mde=max(minimum_detectable_effect(m.se, 2.0 * limits["bootstrap_alpha"]) for m in found),
    )


def quotients(values: Mapping[str, float], limits: Mapping[str, Any]) -> Outcome:
    """Decide that a block is over-represented in every named activity (WU-P4).

    Parameters
    ----------
    values : mapping of str to float
        Location quotients.
    limits : mapping
        ``quotients``: how many there must be; ``threshold``; ``contradict_ge``: how many below it contradict.

    Returns
    -------
    Outcome
    """
    if len(values) != limits["quotients"]:
        raise ValueError(f"the criterion needs {limits['quotients']} quotients, given {', '.join(values) or 'none'}")
    above = [k for k, v in values.items() if v > limits["threshold"]]
    below = [k for k, v in values.items() if v < limits["threshold"]]
    return Outcome(
        support=len(above) == len(values),
        contradict=len(below) >= limits["contradict_ge"],
        reason="quotients: " + ", ".join(f"{k} {v:.3f}" for k, v in values.items()),
    )
