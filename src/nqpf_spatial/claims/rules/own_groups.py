"""R-OWN, criteria on groups of provinces (WU-1.1, WU-1.10, WU-M16).

Readings fixed before any verdict was computed:

* Where not rejecting contradicts ("p >= 0.05 for 3 of 4", "homogeneity not rejected"), the raw p-value is used: the
  correction raises p-values and must not make a contradiction easier. Support uses the corrected ones.
* k clusters are "chosen" where the silhouette chooses k and the gap statistic does not say that there is one cluster only
  (the silhouette cannot say so). "k other than 2" contradicts where the silhouette chooses another k. That the gap statistic
  should choose the same k was the first version; with two clear classes of unequal spread, which the tests construct, it
  splits the wider one more often than not. This was changed before any index of the panel had been looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nqpf_spatial.claims.rules.base import Outcome


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A variable under several partitions (WU-1.1): p-value of the first one, share of dispersion between groups, percent."""

    variable: str
    p: float
    p_holm: float
    shares: Mapping[str, float]


def partitions(found: Sequence[Partitioned], limits: Mapping[str, Any]) -> Outcome:
    """Decide that groups differ and every partition explains a share (WU-1.1).

    Parameters
    ----------
    found : sequence of Partitioned
    limits : mapping
        ``alpha``, ``min_variables``, ``contradict_min_variables``, ``share_ge`` (percent).

    Returns
    -------
    Outcome
    """
    differ = [f.variable for f in found if f.p_holm < limits["alpha"]]
    same = [f.variable for f in found if f.p >= limits["alpha"]]
    low = [f"{f.variable} {k}" for f in found for k, v in f.shares.items() if v < limits["share_ge"]]
    enough = len(differ) >= limits["min_variables"]
    return Outcome(
        support=enough and not low,
        contradict=len(same) >= limits["contradict_min_variables"],
        reason=(
            f"blocks differ in {len(differ)} of {len(found)} variables ({limits['min_variables']:g} needed): "
            f"{', '.join(differ) or 'none'}; share between groups below {limits['share_ge']:g} percent: {', '.join(low) or 'none'}"
        ),
        clause=enough or not low,
    )


@dataclass(frozen=True, slots=True)
class Classes:
    """Two clusters of provinces and how they compare with the stated ones (WU-1.10).

    Attributes
    ----------
    silhouette_k : int
        Number of clusters, two or more, the silhouette chooses.
    one_cluster : bool
        Whether the gap statistic sees one cluster only.
    ari : float
        Adjusted Rand index of the two clusters and the stated membership.
    high, size : mapping of str to int
        Block -> provinces in the upper cluster, and provinces.
    """

    silhouette_k: int
    one_cluster: bool
    ari: float
    high: Mapping[str, int]
    size: Mapping[str, int]

    def low(self, block: str) -> int:
        """Provinces of a block in the lower cluster."""
        return self.size[block] - self.high[block]


def two_classes(found: Classes, limits: Mapping[str, Any]) -> Outcome:
    """Decide that there are two digital classes with the stated members (WU-1.10).

    Parameters
    ----------
    found : Classes
    limits : mapping
        ``k``, ``ari_support_ge``, ``ari_contradict_lt``, ``central_high_ge``, ``northeast_low_ge``, ``west_high_le``.

    Returns
    -------
    Outcome
    """
    chosen = found.silhouette_k == limits["k"]
    clauses = {
        f"k = {limits['k']} chosen": chosen and not found.one_cluster,
        "agreement with the stated members": found.ari >= limits["ari_support_ge"],
        "Central high": found.high["Central"] >= limits["central_high_ge"],
        "Northeast low": found.low("Northeast") >= limits["northeast_low_ge"],
        "West mostly low": found.high["West"] <= limits["west_high_le"],
    }
    against = {
        f"k other than {limits['k']}": not chosen,
        "Central low": found.low("Central") >= limits["central_high_ge"],
        "no agreement with the stated members": found.ari < limits["ari_contradict_lt"],
    }
    held, broken = [k for k, v in clauses.items() if v], [k for k, v in against.items() if v]
    counts = ", ".join(f"{b} {found.high[b]}/{found.size[b]}" for b in found.size)
    return Outcome(
        support=len(held) == len(clauses),
        contradict=bool(broken),
        reason=(
            f"clusters: {found.silhouette_k} by the silhouette, {'one' if found.one_cluster else 'more than one'} by the gap; adjusted Rand index {found.ari:.3f}; "
            f"in the upper class: {counts}; holds: {', '.join(held) or 'nothing'}; against: {', '.join(broken) or 'nothing'}"
        ),
        clause=bool(held),
    )


@dataclass(frozen=True, slots=True)
class Slopes:
    """Slopes of one regressor: pooled and by group (WU-M16)."""

    regressor: str
    pooled: float
    by_group: Mapping[str, float]

    def farthest_pct(self) -> float:
        """Largest distance of a group's slope from the pooled one, percent of the pooled one."""
        return 100.0 * max(abs(b - self.pooled) for b in self.by_group.values()) / abs(self.pooled)


def homogeneity(p: float, p_holm: float, slopes: Sequence[Slopes], limits: Mapping[str, Any]) -> Outcome:
    """Decide that slopes differ across groups (WU-M16).

    Parameters
    ----------
    p, p_holm : float
        Of the joint test that they do not.
    slopes : sequence of Slopes
    limits : mapping
        ``alpha`` and ``within_pct``.

    Returns
    -------
    Outcome
    """
    close = all(s.farthest_pct() <= limits["within_pct"] for s in slopes)
    shown = "; ".join(
        f"{s.regressor}: pooled {s.pooled:.4g}, farthest block {s.farthest_pct():.0f} percent off" for s in slopes
    )
    return Outcome(
        support=p_holm < limits["alpha"],
        contradict=p >= limits["alpha"] and close,
        reason=f"homogeneity p {p:.3g}, corrected {p_holm:.3g}; {shown}",
    )
