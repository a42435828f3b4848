"""From a claim to the numbers its rule looks at.

A `Reading` says how one claim is evaluated under its rule. Claims without an entry in `READINGS` are not run:
the runner says so by name and never returns a verdict for them. Each module lists its own claims in a `READINGS` of its
own; this file only joins them.
"""

from __future__ import annotations

from nqpf_spatial.claims.evaluate import (
    coefficients,
    did,
    facts,
    frozen,
    levels,
    mechanism,
    moderation,
    own,
    shares,
    spillover,
    trends,
)
from nqpf_spatial.claims.evaluate.assessment import Assessment, Reading

#: claim id -> how it is evaluated
READINGS: dict[str, Reading] = {
    **facts.READINGS,
    **shares.READINGS,
    **spillover.READINGS,
    **trends.READINGS,
    **levels.READINGS,
    **frozen.READINGS,
    **mechanism.READINGS,
    **moderation.READINGS,
    **coefficients.READINGS,
    **did.READINGS,
    **own.READINGS,
}

#: rules that exist as functions
RULES_AS_CODE = frozenset(
    {
        *("R-FACT", "R-SHARE", "R-LEVEL", "R-TREND", "R-OSSIFY", "R-POLAR", "R-CLUB"),
        *("R-MECH", "R-MOD", "R-COEF", "R-DID", "R-OWN", "R-NONE"),
    }
)

__all__ = ["READINGS", "RULES_AS_CODE", "Assessment", "Reading"]
