"""R-OWN, criteria on co-movement, comparison of models and of halves (LG-2.1, LG-5.3, WU-M2, WU-M10, WU-M17, WU-P2).

Readings fixed before any verdict was computed:

* WU-M2: "geo" is two matrices; each difference must rise, and be positive in the second half, for support; both must
  fall for contradiction.
* WU-M10: the contribution of productivity is read in log points and as a share of growth; both must rise for support,
  both must fall for contradiction.
* LG-5.3: support needs every outcome the hypothesis names to place the province among the largest ratios with a positive
  gap, after at least one of the dates it names for that outcome. (That all dates must do so was the first version: the
  years before the second date contain the effect of the first, so that the two exclude each other, as constructed panels
  showed; changed before the panel was looked at.) A gap contradicts where some analysis places the province there with a
  negative gap and none with a positive one. A province fitted without any error before the treatment has no determined
  gap: it counts for neither.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.claims.rules.mech import POWER, minimum_detectable_effect


def detectable_correlation(n: int, alpha: float, power: float = POWER) -> float:
    """Smallest rank correlation a two-sided test finds with the given power.

    Notes
    -----
    Fisher's z with variance 1.06 / (n - 3) for Spearman's coefficient (Fieller, Hartley and Pearson 1957, Biometrika 44).

    Examples
    --------
    >>> round(detectable_correlation(10, 0.05), 3)
    0.797
    """
    from scipy.stats import norm

    z = norm.ppf(1.0 - alpha / 2.0) + norm.ppf(power)
    return math.tanh(float(z) * math.sqrt(1.06 / (n - 3)))


def co_movement(rho: float, p: float, p_holm: float, n: int, limits: Mapping[str, Any]) -> Outcome:
    """Decide that two series of changes move together (LG-2.1).

    Parameters
    ----------
    rho, p, p_holm : float
        Rank correlation with its raw and corrected two-sided p-value.
    n : int
        Observations.
    limits : mapping
        ``support_ge``, ``contradict_le``, ``alpha``.

    Returns
    -------
    Outcome
    """
    significant = p_holm < limits["alpha"]
    return Outcome(
        support=rho >= limits["support_ge"] and significant,
        contradict=rho <= limits["contradict_le"] and significant,
        reason=f"Spearman {rho:+.3f} over {n} changes (permutation p {p:.3g}, corrected {p_holm:.3g})",
        mde=max(limits["support_ge"], detectable_correlation(n, limits["alpha"])),
    )


def mean_correlation(value: float, limits: Mapping[str, Any]) -> Outcome:
    """Decide that provinces do not move in step (WU-M17).

    Parameters
    ----------
    value : float
        Mean pairwise correlation.
    limits : mapping
        ``support_lt`` and ``contradict_gt``.

    Returns
    -------
    Outcome
    """
    return Outcome(
        support=value < limits["support_lt"],
        contradict=value > limits["contradict_gt"],
        reason=f"mean pairwise correlation {value:.3f} (below {limits['support_lt']} supports, above {limits['contradict_gt']} contradicts)",
    )


def network_gain(gains: Mapping[str, tuple[float, float]]) -> Outcome:
    """Decide that a network-like W gains on geography (WU-M2).

    Parameters
    ----------
    gains : mapping of str to (float, float)
        Geographic W -> log-likelihood per observation of the network W less its own, first and second half.

    Returns
    -------
    Outcome
    """
    if not gains:
        raise ValueError("the criterion compares with at least one geographic W; none given")
    rises = all(b > a for a, b in gains.values())
    preferred = all(b > 0 for _, b in gains.values())
    return Outcome(
        support=rises and preferred,
        contradict=all(b < a for a, b in gains.values()),
        reason="; ".join(f"against {w}: {a:+.4f} then {b:+.4f} per observation" for w, (a, b) in gains.items()),
        clause=rises or preferred,
    )


@dataclass(frozen=True, slots=True)
class Contribution:
    """Contribution of productivity to growth in two halves: log points a year, and share of growth (WU-M10)."""

    points: tuple[float, float]
    share: tuple[float, float]
    se: float


def leaner_growth(found: Contribution, falling: int, counted: int, alpha: float, limits: Mapping[str, Any]) -> Outcome:
    """Decide that productivity contributes more and growth needs less energy (WU-M10).

    Parameters
    ----------
    found : Contribution
    falling, counted : int
        Provinces whose intensity fell, of those with data.
    alpha : float
        Level of the minimum detectable change of the contribution.
    limits : mapping
        ``min_provinces``.

    Returns
    -------
    Outcome
    """
    pairs = (found.points, found.share)
    rises = all(b > a for a, b in pairs)
    many = falling >= limits["min_provinces"]
    (p0, p1), (s0, s1) = pairs
    return Outcome(
        support=rises and many,
        contradict=all(b < a for a, b in pairs),
        reason=(
            f"contribution of productivity {p0:+.2f} then {p1:+.2f} log points a year, {s0:.1%} then {s1:.1%} of growth; "
            f"intensity fell in {falling} of {counted} provinces ({limits['min_provinces']} needed)"
        ),
        clause=rises or many,
        mde=minimum_detectable_effect(found.se, alpha),
    )


def first_of(effects: Mapping[str, float], focus: str) -> Outcome:
    """Decide that one candidate has the largest effect of all (WU-P2).

    Parameters
    ----------
    effects : mapping of str to float
        Candidate -> standardised effect, signed.
    focus : str

    Returns
    -------
    Outcome
    """
    if focus not in effects or len(effects) < 2:
        raise ValueError(f"a ranking of {focus!r} needs it and another candidate, given {', '.join(effects) or 'none'}")
    order = sorted(effects, key=lambda k: -effects[k])
    others = [v for k, v in effects.items() if k != focus]
    return Outcome(
        support=effects[focus] > max(others),
        contradict=effects[focus] < min(others),
        reason="standardised total effects: " + ", ".join(f"{k} {effects[k]:+.3f}" for k in order),
    )


@dataclass(frozen=True, slots=True)
class Synthetic:
    """One province against its synthetic control (LG-5.3).

    Attributes
    ----------
    outcome, name : str
        Outcome; outcome and treatment year.
    rank, units : int
        Rank of the ratio of post to pre error, of how many.
    gap : float
        Mean gap after the treatment.
    determined : bool
        False where the fit before the treatment is perfect.
    """

    outcome: str
    name: str
    rank: int
    units: int
    gap: float
    determined: bool


def boom(found: Sequence[Synthetic], growth: float, national: float, limits: Mapping[str, Any]) -> Outcome:
    """Decide that a province pulled away from its synthetic control and its industry outgrew the nation's (LG-5.3).

    Parameters
    ----------
    found : sequence of Synthetic
    growth, national : float
        Average annual growth of the industry in the province and in the nation, percent.
    limits : mapping
        ``rank_le`` and ``growth_ratio_ge``.

    Returns
    -------
    Outcome
    """
    extreme = [s for s in found if s.determined and s.rank <= limits["rank_le"]]
    ahead, behind = [s for s in extreme if s.gap > 0], [s for s in extreme if s.gap < 0]
    pulled = {s.outcome for s in ahead} == {s.outcome for s in found}
    fast = growth >= limits["growth_ratio_ge"] * national
    shown = "; ".join(
        f"{s.name}: rank {s.rank} of {s.units}, gap {s.gap:+.4g}{'' if s.determined else ' (perfect pre-fit, not determined)'}"
        for s in found
    )
    return Outcome(
        support=pulled and fast,
        contradict=(bool(behind) and not ahead) or growth < national,
        reason=f"{shown}; industry growth {growth:.1f} percent a year against {national:.1f} in the nation",
        clause=pulled or fast,
    )
