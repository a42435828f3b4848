"""Picture and Chinese reason of WU-2.2 (R-SHARE)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nqpf_spatial.claims.exhibits.base import Exhibit
from nqpf_spatial.claims.record import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: series of R-SHARE in Chinese; English shows the codebook's name
_SERIES_ZH = {
    "computing": "智能算力",
    "broadband_ports": "宽带接入端口",
    "domain_names": "域名",
    "software_revenue": "软件业务收入",
}


def draw(verdict: Verdict, lang: str) -> dict[str, Figure]:
    """Deciding shares against the two thresholds."""
    return {"shares": _shares(verdict, lang)}


def _shares(verdict: Verdict, lang: str) -> Figure:
    """Deciding shares against the two thresholds."""
    import pandas as pd

    from nqpf_spatial.report.figures import shares

    table = verdict.tables["shares"]["east_share_pct"]
    computing = verdict.tables["computing_by_block"].loc["East", "share_pct"]
    values = pd.concat([pd.Series({"computing": computing}), table])
    if lang == "zh":
        values.index = pd.Index([_SERIES_ZH.get(str(name), str(name)) for name in values.index])
    return shares(
        values,
        support=verdict.parameters["support_share_gt_pct"],
        contradict=verdict.parameters["contradict_share_lt_pct"],
        xlabel="share of the East, percent" if lang == "en" else "东部所占份额（%）",
        lang=lang,
    )


def found_zh(verdict: Verdict) -> str:
    """Shares of the East in percent."""
    named = {"computing": verdict.tables["computing_by_block"].loc["East", "share_pct"]}
    named |= verdict.tables["shares"]["east_share_pct"].to_dict()
    return "东部份额（%）：" + "、".join(f"{_SERIES_ZH.get(k, k)} {v:.1f}" for k, v in named.items()) + "；"


#: claim -> its exhibit
EXHIBITS: Mapping[str, Exhibit] = {
    "WU-2.2": Exhibit(draw, found_zh, {"shares": "份额与区位商", "computing_by_block": "算力的区域份额"})
}
