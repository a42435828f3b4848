"""R-CLUB: the number of convergence clubs of Phillips and Sul.

Pre-stated: log t test on the Hodrick-Prescott trend (`hp_lambda`), first share `r` of the years left out, global
convergence rejected where t < `reject_t_lt`; the number of clubs after merging is compared with the number stated. Panels
of fewer than `indicative_below_T` years are labelled indicative.

Readings fixed before any verdict was computed:

* More than one club presupposes that global convergence is rejected; that test is what the correction of the family
  acts on: its one-sided p-value, against the level of the critical value.
* Provinces in no club are named and are no club.
* The number of clubs has no standard error: there is no minimum detectable effect.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from nqpf_spatial.claims.rules.clauses import All, Clause, Fact, Significant


@dataclass(frozen=True, slots=True)
class Clubs:
    """Clubs of one variable.

    Attributes
    ----------
    number : int
        After merging.
    divergent : tuple of str
        Provinces in no club.
    t, p : float
        Log t test that all provinces converge; p one-sided, small where they do not.
    indicative : bool
        The panel is short.
    """

    number: int
    divergent: tuple[str, ...]
    t: float
    p: float
    indicative: bool


def level(parameters: Mapping[str, Any]) -> float:
    """Level of the one-sided test that belongs to the critical t.

    Examples
    --------
    >>> round(level({"reject_t_lt": -1.65}), 4)
    0.0495
    """
    from scipy.special import ndtr

    return float(ndtr(parameters["reject_t_lt"]))


def rejects(name: str, found: Clubs, parameters: Mapping[str, Any], key: Hashable = None) -> Significant:
    """Global convergence is rejected."""
    return Significant(
        name=f"{name}: global convergence rejected",
        stated=found.t < 0,
        p_value=found.p,
        alpha=level(parameters),
        found=f"log t {found.t:.2f}",
        key=key,
    )


def exactly(name: str, found: Clubs, stated: int, parameters: Mapping[str, Any], key: Hashable = None) -> Clause:
    """A stated number of clubs, with global convergence rejected where it is more than one."""
    outside = f", {len(found.divergent)} provinces in none" if found.divergent else ""
    short = " (indicative)" if found.indicative else ""
    count = Fact(f"{name}: {found.number} clubs{outside}{short}, stated {stated}", found.number == stated, key=key)
    if stated == 1:
        return count
    return All(f"{name}: {stated} clubs", (rejects(name, found, parameters, key), count), one=True)
