"""Picture and Chinese reason of WU-P3: effect of the East on the rest under every matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nqpf_spatial.claims.exhibits.base import Exhibit
from nqpf_spatial.claims.record import Evidence, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _effect(verdict: Verdict) -> Evidence:
    """The spillover that decides."""
    return next(e for e in verdict.evidence if e.counted and e.what.startswith("effect of"))


def draw(verdict: Verdict, lang: str) -> dict[str, Figure]:
    """The spillover under the baseline W and in every variant."""
    import pandas as pd
    from scipy.special import ndtri

    from nqpf_spatial.report.figures import effects

    base = _effect(verdict)
    level = float(base.level or 0.95)
    rows = [{"row": base.w, "estimate": base.estimate, "lower": base.lower, "upper": base.upper, "counted": True}]
    reach = float(ndtri(0.5 + level / 2.0))
    for v in verdict.variants:
        if v.ran and v.estimate is not None and v.se is not None:
            row = v.w if v.variant == "w_others" else v.variant
            ends = {"lower": v.estimate - reach * v.se, "upper": v.estimate + reach * v.se}
            rows.append({"row": row, "estimate": v.estimate, **ends, "counted": v.counts})
    title = "R&D intensity of the East: effect on the rest" if lang == "en" else "东部研发强度对其余省份的效应"
    return {"spillover": effects(pd.DataFrame(rows).assign(panel=title), lang=lang, level=level)}


def found_zh(verdict: Verdict) -> str:
    """Shares of the East and the spillover."""
    shares = verdict.tables["shares"]["east_share_pct"]
    spent, produced = (float(x) for x in shares)
    e = _effect(verdict)
    return (
        f"东部研发经费份额 {spent:.1f}%，地区生产总值份额 {produced:.1f}%，比值 {spent / produced:.3f}；"
        f"东部研发强度对其余省份的效应 {e.estimate:.4f}（p={e.p:.4f}，族内校正后 {e.p_holm:.4f}），"
        f"最小可检测效应 {e.mde:.4f}；"
    )


#: claim -> its exhibit
EXHIBITS: Mapping[str, Exhibit] = {"WU-P3": Exhibit(draw, found_zh, {"shares": "东部份额"})}
