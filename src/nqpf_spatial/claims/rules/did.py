"""R-DID: did the treated group move away from the comparison after a common date?

Pre-stated: event study; joint test of pre-trends; sign of the average effect by randomisation inference over province
labels. Support: pre-trend p above `pretrend_p_gt` and the stated sign with randomisation p below `ri_alpha`; contradict:
the opposite sign with randomisation p below `ri_alpha`; NOT YET TESTABLE with fewer than `min_post_years` years after the
treatment or a pre-trend p at or below `pretrend_p_gt`.

Readings fixed before any verdict was computed:

* The randomisation p-value is two-sided and the sign is looked at separately; the corrected one decides, for and against
  ("the corrected p replaces the raw p in the rule of the claim").
* The joint test of pre-trends brings a raw p-value: it is a condition, and a correction must not make it easier to pass.
* A group whose own pre-trends fail says nothing, for or against. A claim on two groups is NOT YET TESTABLE where one of
  them fails, unless the group its contradict_if names passes and contradicts.
* The interval of a claim that states its level is read at that level, uncorrected: the register corrects p-values.
* "Excludes +2 %" of an outcome in logarithms: the upper bound lies below ln 1.02.
* Minimum detectable effect: that of R-MECH, with the standard deviation over the arrangements as standard error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nqpf_spatial.claims.record import Reading
from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.claims.rules.mech import minimum_detectable_effect


@dataclass(frozen=True, slots=True)
class GroupEffect:
    """Average effect on one treated group.

    Attributes
    ----------
    group : str
        Name of the group.
    estimate, se : float
        Difference of the mean changes, and its standard deviation over the arrangements.
    p, p_holm : float
        Two-sided randomisation p-value, raw and corrected.
    pretrend_p : float
        Of the joint test that the group moved like the comparison before the treatment.
    post_years : int
        Full years after the treatment.
    lower, upper : float or None
        Interval at the level a claim states; None on a side on which nothing can be excluded.
    """

    group: str
    estimate: float
    se: float
    p: float
    p_holm: float
    pretrend_p: float
    post_years: int
    lower: float | None = None
    upper: float | None = None


def not_yet(effect: GroupEffect, parameters: Mapping[str, Any]) -> str:
    """Say why the rule has no reading of a group yet ("" where it has one)."""
    if effect.post_years < parameters["min_post_years"]:
        return (
            f"{effect.group}: {effect.post_years} full years after the treatment, at least "
            f"{parameters['min_post_years']} are needed"
        )
    if not effect.pretrend_p > parameters["pretrend_p_gt"]:
        return (
            f"{effect.group}: the joint test of pre-trends has p {effect.pretrend_p:.3g}, "
            f"above {parameters['pretrend_p_gt']} is needed"
        )
    return ""


def reading(effect: GroupEffect, parameters: Mapping[str, Any]) -> Reading:
    """Read one group where the claim states a gain."""
    if not_yet(effect, parameters) or effect.p_holm >= parameters["ri_alpha"]:
        return "neither"
    return "support" if effect.estimate > 0 else "contradict"


def _mde(effects: Sequence[GroupEffect], parameters: Mapping[str, Any]) -> float:
    """Largest minimum detectable effect of the groups that must hold."""
    return max(minimum_detectable_effect(e.se, parameters["ri_alpha"]) for e in effects)


def _words(effect: GroupEffect) -> str:
    """One group in words."""
    return (
        f"{effect.group} {effect.estimate:+.4g} (randomisation p {effect.p:.3g}, corrected {effect.p_holm:.3g}, "
        f"pre-trend p {effect.pretrend_p:.3g})"
    )


def gain_of_all(effects: Sequence[GroupEffect], against: str, parameters: Mapping[str, Any]) -> Outcome:
    """Decide that every group gained; a significant loss of one named group contradicts (LG-2.3c).

    Parameters
    ----------
    effects : sequence of GroupEffect
        All groups of one design.
    against : str
        The group whose loss contradicts.
    parameters : mapping
        ``pretrend_p_gt``, ``ri_alpha`` and ``min_post_years``.

    Returns
    -------
    Outcome
    """
    read = {e.group: reading(e, parameters) for e in effects}
    waits = "; ".join(filter(None, (not_yet(e, parameters) for e in effects)))
    contradict = read[against] == "contradict"
    return Outcome(
        support=all(r == "support" for r in read.values()),
        contradict=contradict,
        reason="; ".join(_words(e) for e in effects) + (f"; {waits}" if waits else ""),
        clause="support" in read.values(),
        blocked="" if contradict else waits,
        mde=_mde(effects, parameters),
    )


def no_gain(effect: GroupEffect, parameters: Mapping[str, Any]) -> Outcome:
    """Decide that a group did not gain: not positive, and an interval that excludes a stated gain (WU-2.8).

    Parameters
    ----------
    effect : GroupEffect
        With its interval; the outcome is a logarithm.
    parameters : mapping
        Those of the rule, ``ci_level`` and ``ci_excludes_pct``.

    Returns
    -------
    Outcome
        The part of the criterion that rests on series which do not exist is left to the testability of the claim.
    """
    waits = not_yet(effect, parameters)
    limit = math.log1p(parameters["ci_excludes_pct"] / 100.0)
    excluded = effect.upper is not None and effect.upper < limit
    upper = "unbounded" if effect.upper is None else f"{effect.upper:.4g}"
    return Outcome(
        support=not waits and effect.estimate <= 0 and excluded,
        contradict=reading(effect, parameters) == "support",
        reason=f"{_words(effect)}; upper bound of the {parameters['ci_level']:.0%} interval {upper}, below {limit:.4g} needed",
        blocked=waits,
        mde=_mde([effect], parameters),
    )


def gain_and_evening(
    effect: GroupEffect, slope_before: float, slope_after: float, parameters: Mapping[str, Any]
) -> Outcome:
    """Decide that a group gained and dispersion came to fall faster, or rise less (WU-P10).

    Parameters
    ----------
    effect : GroupEffect
    slope_before, slope_after : float
        Yearly change of the log dispersion before and after the treatment.
    parameters : mapping
        Those of the rule.

    Returns
    -------
    Outcome
    """
    waits = not_yet(effect, parameters)
    read = reading(effect, parameters)
    falls = slope_after < slope_before
    return Outcome(
        support=read == "support" and falls,
        contradict=read == "contradict",
        reason=f"{_words(effect)}; slope of ln Dagum {slope_before:+.4g} a year before, {slope_after:+.4g} after",
        clause=not waits and (read == "support" or falls),
        blocked=waits,
        mde=_mde([effect], parameters),
    )
