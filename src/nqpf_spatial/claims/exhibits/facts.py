"""Map and Chinese reason of WU-P8 (R-FACT)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nqpf_spatial.claims.exhibits.base import Exhibit
from nqpf_spatial.claims.record import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(verdict: Verdict, lang: str) -> dict[str, Figure]:
    """Map of the provinces with computing hubs."""
    from nqpf_spatial.report.maps import province_map

    return {"hubs": province_map("hub", lang=lang)}


def found_zh(verdict: Verdict) -> str:
    """Whether the official list is the stated one."""
    counted = [e for e in verdict.evidence if e.counted]
    return "官方名单与陈述一致；" if counted and counted[0].reading == "support" else "官方名单与陈述不一致；"


#: claim -> its exhibit
EXHIBITS: Mapping[str, Exhibit] = {"WU-P8": Exhibit(draw, found_zh, {"hubs": "枢纽与集群"})}
