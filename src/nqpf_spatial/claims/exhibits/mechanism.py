"""Pictures and Chinese reasons of R-MECH: effects under every W, curve of the variants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nqpf_spatial.claims.exhibits.base import Exhibit
from nqpf_spatial.claims.record import Verdict
from nqpf_spatial.report.words import word

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(verdict: Verdict, lang: str) -> dict[str, Figure]:
    """Stated effects under every matrix, and every variant that ran."""
    return {"effects": _effects(verdict, lang), "variants": _variants(verdict, lang)}


def _effects(verdict: Verdict, lang: str) -> Figure:
    """Stated effects under every matrix."""
    from nqpf_spatial.report.figures import effects

    frame = verdict.evidence_frame().rename(columns={"w": "row"})
    frame["panel"] = [effect_name(what, lang) for what in frame["what"]]
    return effects(frame, lang=lang, level=float(frame["level"].iloc[0]))


def effect_name(what: str, lang: str) -> str:
    """Write the name of an effect for a panel title.

    Examples
    --------
    >>> effect_name("direct effect of x on y", "zh")
    '直接效应'
    """
    kind, _, rest = what.partition(" effect of ")
    return f"{word(kind, lang)}效应" if lang == "zh" else f"{kind} effect of {rest.partition(' on ')[0]}"


def _variants(verdict: Verdict, lang: str) -> Figure:
    """Every variant that ran, as estimate over standard error."""
    from scipy.stats import norm

    from nqpf_spatial.report.figures import specification_curve

    frame = verdict.variants_frame().query("ran").rename(columns={"counts": "counted"})
    frame["ratio"] = frame["estimate"].astype(float) / frame["se"].astype(float)
    frame["row"] = [_row(v, s) for v, s in zip(frame["variant"], frame["specification"], strict=True)]
    frame["panel"] = [f"{word(a, lang)}{'效应' if lang == 'zh' else ' effect'}" for a in frame["alternative"]]
    critical = float(norm.isf(verdict.parameters["alpha"] / 2))
    return specification_curve(frame, critical=critical, lang=lang)


def _row(variant: str, specification: str) -> str:
    """Short name of one specification.

    Examples
    --------
    >>> _row("alt_digital", "cable_pc for ln_broadband_pc"), _row("no_tibet", "without Tibet")
    ('alt_digital: cable_pc', 'no_tibet')
    """
    head = specification.partition(" for ")[0].removeprefix("W ").removeprefix("digital_")
    several = {"w_others", "alt_digital", "alt_innovation", "index_drop_one"}
    return f"{variant}: {head}" if variant in several else variant


def found_zh(verdict: Verdict) -> str:
    """Stated effects under the baseline W, with p-values and the agreeing matrices."""
    counted = [e for e in verdict.evidence if e.counted]
    base = verdict.parameters["baseline_w"]
    parts = []
    for what in dict.fromkeys(e.what for e in verdict.evidence):
        own = [e for e in counted if e.what == what]
        agree = sum(e.reading == "support" for e in own)
        parts += [
            f"{effect_name(what, 'zh')}在基准权重 {base} 下为 {e.estimate:.4f}"
            f"（p={e.p:.4f}，族内校正后 {e.p_holm:.4f}），"
            f"最小可检测效应 {e.mde:.4f}，{len(own)} 个计入的权重中 {agree} 个一致；"
            for e in verdict.evidence
            if e.what == what and e.w == base
        ]
    return "".join(parts)


#: rule -> its exhibit
EXHIBITS: Mapping[str, Exhibit] = {
    "R-MECH": Exhibit(draw, found_zh, {"impacts_by_w": "各权重下的效应", "overlap": "指标重叠"})
}
