"""R-OSSIFY: a gap between groups that has set hard.

Pre-stated: (i) the between-group parts of Dagum and Theil are STABLE under R-TREND; (ii) Spearman rank correlation of
first and last year >= `spearman_ge`; (iii) Shorrocks mobility of the pooled-quartile annual Markov matrix <=
`shorrocks_le`; (iv) the ratio of the East mean over the West mean changes by no more than `ratio_change_within_pct`.
Support: (i) and at least `min_of_ii_to_iv` of (ii)-(iv); contradict: (i) fails with a significant trend.

Readings fixed before any verdict was computed:

* (i) asks for both parts; STABLE is judged by raw p-values (see `clauses`), a trend by corrected ones.
* Quartiles of (iii) are those of values over the mean of their year: relative dispersion decides, and common growth is no
  mobility. The figure for plain values stands beside.
* The rule has no standard error for (ii)-(iv). The minimum detectable effect is that of the trends of (i).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from nqpf_spatial.claims.rules.clauses import All, AtLeast, Clause, Fact, Not
from nqpf_spatial.claims.rules.trend import Moving


@dataclass(frozen=True, slots=True)
class Persistence:
    """Numbers of (ii)-(iv).

    Attributes
    ----------
    spearman : float
    shorrocks, shorrocks_plain : float
        Of relative values (decides) and of plain values (beside).
    ratio_change_pct : float
        Change of the ratio of means from first to last year, percent.
    """

    spearman: float
    shorrocks: float
    shorrocks_plain: float
    ratio_change_pct: float


def frozen(
    name: str, parts: tuple[Moving, ...], found: Persistence, parameters: Mapping[str, Any], key: Hashable = None
) -> Clause:
    """R-OSSIFY in full.

    Parameters
    ----------
    name : str
    parts : tuple of Moving
        Between-group parts of Dagum and Theil, one measure each.
    found : Persistence
    parameters : mapping
        Of R-OSSIFY.

    Returns
    -------
    Clause
        (i) and at least `min_of_ii_to_iv` of (ii)-(iv).
    """
    ratio = abs(found.ratio_change_pct)
    facts = (
        Fact(f"(ii) Spearman {found.spearman:.4f}", found.spearman >= parameters["spearman_ge"], key=key),
        Fact(f"(iii) Shorrocks {found.shorrocks:.4f}", found.shorrocks <= parameters["shorrocks_le"], key=key),
        Fact(f"(iv) ratio {found.ratio_change_pct:+.2f} %", ratio <= parameters["ratio_change_within_pct"], key=key),
    )
    stable = All(f"(i) {name} stable", tuple(Not("no trend", part) for part in parts))
    return All(f"{name} frozen", (stable, AtLeast("(ii)-(iv)", int(parameters["min_of_ii_to_iv"]), facts)))
