"""From a claim to the numbers its rule looks at.

A `Reading` says how one claim is evaluated under its rule. Claims without an entry in `READINGS` are not run:
the runner says so by name and never returns a verdict for them.
"""

from __future__ import annotations

from nqpf_spatial.claims.evaluate.assessment import Assessment, Reading
from nqpf_spatial.claims.evaluate.facts import hub_list
from nqpf_spatial.claims.evaluate.mechanism import baseline_p, stated_effect
from nqpf_spatial.claims.evaluate.shares import east_share

#: claim id -> how it is evaluated
READINGS: dict[str, Reading] = {
    "WU-P8": Reading(hub_list),
    "WU-2.2": Reading(east_share),
    "WU-M4": Reading(stated_effect, {"focus": "ln_broadband_pc"}, baseline_p),
}

#: rules that exist as functions in this release
RULES_AS_CODE = frozenset({"R-FACT", "R-SHARE", "R-MECH", "R-NONE"})

__all__ = ["READINGS", "RULES_AS_CODE", "Assessment", "Reading"]
