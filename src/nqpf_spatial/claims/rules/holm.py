"""HOLM: one correction inside each family of claims (Holm 1979, Scandinavian Journal of Statistics 6, 65-70).

Reading fixed before any verdict was computed:

* The family counts every claim that is runnable (direct, proxy or partial) and whose criterion rests on a
  p-value: the rules with a significance level, and the claims of R-OWN and R-SHARE whose own criterion names
  one. Priority plays no part: the register says "inside each family".
* While a member's p-value does not exist yet, m * p (Bonferroni) stands in: Holm's p-value is never larger.
* A claim with two stated alternatives ("direct or total") is judged one alternative at a time, each with
  the correction the claim would get.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nqpf_spatial.claims.record import Holm
from nqpf_spatial.claims.register import Claim, Register

#: rules whose criterion is a test (R-POLAR and R-OSSIFY through R-TREND, R-CLUB through its t)
TESTING_RULES = frozenset({"R-LEVEL", "R-TREND", "R-OSSIFY", "R-POLAR", "R-CLUB", "R-MECH", "R-MOD", "R-DID", "R-COEF"})
RUNNABLE = frozenset({"direct", "proxy", "partial"})
_LEVEL_IN_TEXT = re.compile(r"p\s*(<|>=)\s*0\.\d|at\s+\d+\s*%")


def rests_on_p(claim: Claim) -> bool:
    """Tell whether the criterion of a claim rests on a p-value.

    Examples
    --------
    >>> from nqpf_spatial import claims
    >>> [rests_on_p(claims.load().claim(c)) for c in ("WU-M4", "WU-M16", "WU-M17")]
    [True, True, False]
    """
    if claim.rule in TESTING_RULES:
        return True
    return bool(_LEVEL_IN_TEXT.search(f"{claim.support_if} {claim.contradict_if}"))


def members(register: Register, family: str) -> tuple[str, ...]:
    """List the claims a family's correction runs over, in the order of the register."""
    return tuple(c.id for c in register.family(family) if c.testability in RUNNABLE and rests_on_p(c))


def describe(claim: Claim, register: Register, known: Mapping[str, float | None]) -> Holm:
    """State how the p-values of a claim are corrected.

    Parameters
    ----------
    claim : Claim
    register : Register
    known : mapping of str to float or None
        p-values of the other members, None where one does not exist yet.

    Returns
    -------
    Holm

    Raises
    ------
    ValueError
        If the claim is not a member of its own family's correction.
    """
    inside = members(register, claim.family)
    if claim.id not in inside:
        raise ValueError(f"claim {claim.id} has no p-value, so it is outside the correction of family {claim.family}")
    missing = tuple(i for i in inside if i != claim.id and known.get(i) is None)
    if missing:
        reason = (
            f"{len(missing)} of the {len(inside)} p-values of family {claim.family} do not exist in this "
            f"release: the bound m * p with m = {len(inside)} stands in, never smaller than Holm's p-value"
        )
        return Holm(claim.family, "bound", len(inside), inside, missing, reason)
    reason = f"Holm's step-down over the {len(inside)} p-values of family {claim.family}"
    return Holm(claim.family, "holm", len(inside), inside, (), reason)


def adjust(p: float, holm: Holm, known: Mapping[str, float | None], own: str) -> float:
    """Correct one p-value of a claim.

    Parameters
    ----------
    p : float
        Raw p-value of the claim (or of one of its alternatives).
    holm : Holm
        As :func:`describe` gives it.
    known : mapping of str to float or None
        p-values of the other members.
    own : str
        Id of the claim.

    Returns
    -------
    float
        In [0, 1].
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"a p-value lies in [0, 1], given {p} for {own}")
    if holm.method == "bound":
        return min(1.0, holm.m * p)
    others = [value for member in holm.members if member != own and (value := known[member]) is not None]
    return step_down([p, *others])[0]


def step_down(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given.

    The j-th smallest of m becomes the largest of ``(m - i + 1) p_(i)`` over i up to j, at most 1. The same as
    ``statsmodels.stats.multitest.multipletests(method="holm")``, which collects garbage at every call.

    Examples
    --------
    >>> step_down([0.25, 0.0625, 0.03125])
    [0.25, 0.125, 0.09375]
    """
    m = len(p_values)
    order = sorted(range(m), key=lambda i: p_values[i])
    out, largest = [0.0] * m, 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (m - rank) * p_values[i]))
        out[i] = largest
    return out
