"""Pictures and Chinese reasons of R-MOD and R-COEF, and what R-MECH adds with several effects."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nqpf_spatial.claims.evaluate.parts import BOUNDARY
from nqpf_spatial.claims.exhibits.base import Exhibit
from nqpf_spatial.claims.exhibits.names import LINE, series_en
from nqpf_spatial.claims.exhibits.phrases import name_zh, outcome_of, quantity_zh, shorter, value_zh
from nqpf_spatial.claims.record import Evidence, Verdict

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_TABLES_ZH = {
    "with_product": "含交互项的模型",
    "without_product": "无交互项的模型",
    "coefficients": "系数",
    "provinces": "各省数值",
}


def draw(verdict: Verdict, lang: str) -> dict[str, Figure]:
    """Every coefficient over its standard error, the variants likewise, and the provinces of a cross-section."""
    out = {"coefficients": _coefficients(verdict, lang)}
    if any(v.ran and v.se is not None for v in verdict.variants):
        out["variants"] = variants(verdict, lang)
    if "provinces" in verdict.tables:
        out["provinces"] = _provinces(verdict, lang)
    return out


def critical(verdict: Verdict) -> float:
    """Two-sided critical value of the deciding test at the raw level."""
    from scipy.stats import norm, t

    alpha = float(verdict.parameters.get("alpha", 0.05))
    df = next((e.df for e in verdict.evidence if e.counted and e.df is not None), None)
    return float(norm.isf(alpha / 2) if df is None else t.isf(alpha / 2, df))


def _coefficients(verdict: Verdict, lang: str) -> Figure:
    """What decides (filled) and what stands beside (hollow)."""
    import pandas as pd

    from nqpf_spatial.report.figures import specification_curve

    rows = [e for e in verdict.evidence if e.se is not None and isinstance(e.estimate, float)]
    several = len({y for e in rows if (y := outcome_of(e.what))}) > 1
    repeated = {e.what for e in rows if sum(o.what == e.what for o in rows) > 1}
    title = "estimate over standard error" if lang == "en" else "估计值与标准误之比"
    frame = pd.DataFrame(
        {
            "panel": title,
            "row": [_label(e, lang, several, e.what in repeated) for e in rows],
            "ratio": [float(e.estimate) / float(e.se) for e in rows],  # type: ignore[arg-type]
            "counted": [e.counted for e in rows],
        }
    )
    return specification_curve(frame, critical=critical(verdict), lang=lang)


def _label(e: Evidence, lang: str, outcome: bool, under_w: bool) -> str:
    """Row of one figure, in lines; with its matrix where the figure stands there under several."""
    text = shorter(e.what, lang, outcome)
    if under_w and e.w:
        text = f"{e.w}: {text}" if lang == "en" else f"{e.w}：{text}"
    return "\n".join(textwrap.wrap(text, 60 if lang == "en" else 30))


def variants(verdict: Verdict, lang: str) -> Figure:
    """Every variant that ran and has a standard error, one panel per part of the criterion."""
    from nqpf_spatial.report.figures import specification_curve

    frame = verdict.variants_frame().query("ran").rename(columns={"counts": "counted"})
    frame = frame[frame["se"].notna()].copy()
    frame["ratio"] = frame["estimate"].astype(float) / frame["se"].astype(float)
    frame["boundary"] = frame["reason"] == BOUNDARY
    frame["row"] = [row_name(v, s) for v, s in zip(frame["variant"], frame["specification"], strict=True)]
    first = next(e.what for e in verdict.evidence if e.counted)
    # beside long names of rows the panel is narrow
    width = LINE if lang == "en" else LINE // 2
    names = {a: "\n".join(textwrap.wrap(shorter(a or first, lang), width)) for a in frame["alternative"].unique()}
    frame["panel"] = frame["alternative"].map(names)
    return specification_curve(frame, critical=critical(verdict), lang=lang)


def row_name(variant: str, specification: str) -> str:
    """Short name of one specification.

    Examples
    --------
    >>> row_name("alt_digital", "cable_pc for ln_broadband_pc"), row_name("no_tibet", "without Tibet")
    ('alt_digital: cable_pc', 'no_tibet')
    """
    head = specification.partition(" for ")[0].removeprefix("W ").removeprefix("digital_")
    several = {"w_others", "alt_digital", "alt_innovation", "alt_schooling", "index_drop_one"}
    return f"{variant}: {head}" if variant in several else variant


def _provinces(verdict: Verdict, lang: str) -> Figure:
    """Outcome against the regressor of a cross-section, provinces by name."""
    from nqpf_spatial.report.figures import scatter

    table: pd.DataFrame = verdict.tables["provinces"]
    x, y = table.columns[:2]
    labels = (name_zh(str(x)), name_zh(str(y))) if lang == "zh" else (series_en(str(x)), series_en(str(y)))
    if x == "distance":
        words = {
            "en": "mean distance to the best province, standard deviations",
            "zh": "与最优省份的平均距离（标准差）",
        }
        labels = (words[lang], labels[1])
    return scatter(table[x], table[y], xlabel=labels[0], ylabel=labels[1], lang=lang)


def found_zh(verdict: Verdict) -> str:
    """Every deciding figure in Chinese, with p-values and detectable effects."""
    return "".join(_one_zh(e) for e in verdict.evidence if e.counted)


def _one_zh(e: Evidence) -> str:
    numbers = [] if e.p is None else [f"p={e.p:.4f}", f"族内校正后 {e.p_holm:.4f}"]
    numbers += [] if e.mde is None else [f"最小可检测效应 {value_zh(e.mde)}"]
    shown = f"（{'，'.join(numbers)}）" if numbers else ""
    return f"{quantity_zh(e.what)}为 {value_zh(float(e.estimate))}{shown}；"  # type: ignore[arg-type]


def alternative_zh(name: str) -> str:
    """A stated alternative before its shares of variants."""
    return f"{quantity_zh(name)}：" if name else ""


_EXHIBIT = Exhibit(draw, found_zh, _TABLES_ZH, alternative_zh)
#: rule -> its exhibit
EXHIBITS: Mapping[str, Exhibit] = {"R-MOD": _EXHIBIT, "R-COEF": _EXHIBIT}
