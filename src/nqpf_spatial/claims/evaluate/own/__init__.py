"""Claims of R-OWN: the criterion is written out in support_if and contradict_if of the claim.

``engine`` turns a criterion into an assessment, ``settings`` holds what variants change, ``prose`` reads the numbers a
criterion states in words. The other modules are the claims, by kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from nqpf_spatial.claims.evaluate.assessment import Reading
from nqpf_spatial.claims.evaluate.own import (
    groups,
    likelihood,
    mismatch,
    people,
    ranking,
    series,
    shares,
    slopes,
    synthetic,
)

#: claim id -> how it is evaluated
READINGS: Mapping[str, Reading] = {
    k: v
    for module in (shares, mismatch, people, groups, series, likelihood, slopes, ranking, synthetic)
    for k, v in module.READINGS.items()
}
