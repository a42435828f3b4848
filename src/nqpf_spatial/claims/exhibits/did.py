"""Pictures and Chinese reasons of R-DID: event study, average effects, variants, dispersion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nqpf_spatial.claims.exhibits import names
from nqpf_spatial.claims.exhibits.base import Exhibit
from nqpf_spatial.claims.record import Verdict

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw(verdict: Verdict, lang: str) -> dict[str, Figure]:
    """Event study of both groups of hubs, their average effects, the variants, and dispersion where the claim names it."""
    from scipy.stats import norm

    from nqpf_spatial.report import bars, figures

    outcome = names.variable(str(verdict.sample["outcome"]), lang)
    table = verdict.tables["event_study"]
    treatment, base = int(verdict.sample["treatment_year"]), int(str(verdict.sample["pre"]).split("-")[1])
    renamed = table.rename(lambda g: names.group(g, lang), level="group")
    gap = f"{outcome}:\ndifference to provinces without a hub" if lang == "en" else f"{outcome}：\n与非枢纽省份之差"
    out = {
        "event_study": bars.event_study(renamed, treatment=treatment, base=base, ylabel=gap, lang=lang),
        "effects": figures.effects(_effects(verdict, lang), lang=lang, level=float(verdict.sample["interval"])),
    }
    ran = verdict.variants_frame().query("ran") if verdict.variants else verdict.variants_frame()
    if len(ran):
        critical = float(norm.isf(verdict.parameters["ri_alpha"] / 2))
        out["variants"] = figures.specification_curve(_variants(ran, lang), critical=critical, lang=lang)
    if "dagum" in verdict.tables:
        label = "Dagum Gini" if lang == "en" else "达古姆基尼系数"
        out["dagum"] = figures.lines(verdict.tables["dagum"].rename(columns={"dagum": label}), ylabel=label, lang=lang)
    return out


def _effects(verdict: Verdict, lang: str) -> pd.DataFrame:
    """Rows of the picture of the average effects; an unbounded interval is drawn to the frame."""
    frame = verdict.evidence_frame()
    frame = frame[frame["what"].str.startswith("average effect")].copy()
    frame["row"] = [names.group(w.removeprefix("average effect on ").split(",")[0], lang) for w in frame["what"]]
    frame["panel"] = names.variable(str(verdict.sample["outcome"]), lang)
    spread = 10.0 * frame["se"].astype(float)
    for side, sign in (("lower", -1.0), ("upper", 1.0)):
        frame[side] = frame[side].astype(float).fillna(frame["estimate"].astype(float) + sign * spread)
    return frame[["panel", "row", "estimate", "lower", "upper", "counted"]]


def _variants(ran: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Effect over its standard deviation in every variant, western hubs."""
    frame = ran.rename(columns={"counts": "counted"}).copy()
    frame["ratio"] = frame["estimate"].astype(float) / frame["se"].astype(float)
    frame["row"] = [_row(v, s) for v, s in zip(frame["variant"], frame["specification"], strict=True)]
    frame["panel"] = names.group("West hubs", lang)
    return frame


def _row(variant: str, specification: str) -> str:
    """Short name of one specification.

    Examples
    --------
    >>> _row("alt_digital", "cable_pc for digital_index_broad"), _row("hub_narrow", "treated: ...")
    ('alt_digital: cable_pc', 'hub_narrow')
    """
    if variant == "alt_digital":
        return f"{variant}: {specification.partition(' for ')[0]}"
    return f"{variant}: {specification.partition('without ')[2]}" if variant == "index_drop_one" else variant


def found_zh(verdict: Verdict) -> str:
    """Effects, p-values and pre-trends."""
    parts = []
    for e in verdict.evidence:
        if not e.counted or e.se is None:
            continue
        group = names.group(e.what.removeprefix("average effect on ").split(",")[0], "zh")
        parts.append(
            f"{group}平均效应 {e.estimate:.4f}（随机化检验 p={e.p:.4f}，族内校正后 {e.p_holm:.4f}；"
            f"前期趋势联合检验 p={e.checks['pretrend_p']:.4f}；最小可检测效应 {e.mde:.4f}）；"
        )
    slope = [e for e in verdict.evidence if "Dagum" in e.what]
    parts += [f"ln 达古姆系数的年斜率由 {e.checks['before']:.4f} 变为 {e.checks['after']:.4f}；" for e in slope]
    return "".join(parts)


#: rule -> its exhibit
EXHIBITS: Mapping[str, Exhibit] = {
    "R-DID": Exhibit(
        draw, found_zh, {"event_study": "事件研究", "members": "处理组与对照组", "dagum": "达古姆基尼系数"}
    )
}
