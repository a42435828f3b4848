"""Pictures and Chinese reasons of R-MECH: effects under every W, curve of the variants, profile of a threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nqpf_spatial.claims.evaluate.parts import BOUNDARY
from nqpf_spatial.claims.exhibits.base import Exhibit
from nqpf_spatial.claims.exhibits.names import series_en, title_en
from nqpf_spatial.claims.exhibits.phrases import name_zh, quantity_zh
from nqpf_spatial.claims.exhibits.regressions import row_name
from nqpf_spatial.claims.record import Evidence, Verdict
from nqpf_spatial.report.words import word

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw(verdict: Verdict, lang: str) -> dict[str, Figure]:
    """Stated effects under every matrix, every variant that ran, and the profile of a threshold."""
    out = {"effects": _effects(verdict, lang), "variants": _variants(verdict, lang)}
    if "threshold_profile" in verdict.tables:
        out["threshold"] = _threshold(verdict, lang)
    return out


def _under_w(verdict: Verdict) -> list[Evidence]:
    """Effects that were read over the W set (what stands beside has one W only)."""
    rows = [e for e in verdict.evidence if e.se is not None and e.w is not None]
    several = {e.what for e in rows if sum(o.what == e.what for o in rows) > 1}
    return [e for e in rows if e.what in several]


def _effects(verdict: Verdict, lang: str) -> Figure:
    """Stated effects under every matrix."""
    import pandas as pd

    from nqpf_spatial.report.figures import effects

    rows = _under_w(verdict)
    names = _panels(dict.fromkeys(e.what for e in rows), lang)
    frame = pd.DataFrame(
        {
            "panel": [names[e.what] for e in rows],
            "row": [e.w for e in rows],
            "estimate": [e.estimate for e in rows],
            "lower": [e.lower for e in rows],
            "upper": [e.upper for e in rows],
            "counted": [e.counted for e in rows],
            "boundary": [e.at_boundary for e in rows],
        }
    )
    return effects(frame, lang=lang, level=float(rows[0].level or 0.95))


def _panels(whats: Mapping[str, None], lang: str) -> dict[str, str]:
    """Titles of the panels: the effect and its regressor, the outcome where there are several."""
    outcomes = {what.partition(" on ")[2] for what in whats}
    return {what: effect_name(what, lang, len(outcomes) > 1) for what in whats}


def effect_name(what: str, lang: str, outcome: bool = False) -> str:
    """Write the name of an effect for a panel title.

    Examples
    --------
    >>> effect_name("direct effect of gov_share on y", "zh")
    '一般公共预算支出占地区生产总值比重\\n直接效应'
    >>> effect_name("direct effect of gdp_real_pc on y", "en", True).splitlines()
    ['direct effect of real GDP per', 'resident', 'on y']
    """
    kind, _, rest = what.partition(" effect of ")
    regressor, _, y = rest.partition(" on ")
    if lang == "zh":
        return f"{name_zh(regressor)}\n{'对' + name_zh(y) + '的' if outcome else ''}{word(kind, lang)}效应"
    return title_en(f"{kind} effect of {regressor}") + (f"\n{title_en(f'on {y}')}" if outcome else "")


def _variants(verdict: Verdict, lang: str) -> Figure:
    """Every variant that ran, as estimate over standard error."""
    from scipy.stats import norm

    from nqpf_spatial.report.figures import specification_curve

    frame = verdict.variants_frame().query("ran").rename(columns={"counts": "counted"})
    frame = frame[frame["se"].notna()].copy()
    frame["ratio"] = frame["estimate"].astype(float) / frame["se"].astype(float)
    frame["boundary"] = frame["reason"] == BOUNDARY
    frame["row"] = [row_name(v, s) for v, s in zip(frame["variant"], frame["specification"], strict=True)]
    names = {a: _alternative(a, verdict, lang) for a in frame["alternative"].unique()}
    frame["panel"] = frame["alternative"].map(names)
    critical = float(norm.isf(verdict.parameters["alpha"] / 2))
    return specification_curve(frame, critical=critical, lang=lang)


def _alternative(name: str, verdict: Verdict, lang: str) -> str:
    """Title of the panel of one alternative or part."""
    if name in ("direct", "indirect", "total"):
        return f"{word(name, lang)}{'效应' if lang == 'zh' else ' effect'}"
    whats = dict.fromkeys(e.what for e in _under_w(verdict))
    return _panels(whats, lang)[name or next(iter(whats))]


def _threshold(verdict: Verdict, lang: str) -> Figure:
    """Likelihood ratio over the candidate thresholds."""
    from nqpf_spatial.kernels.threshold import critical_ratio
    from nqpf_spatial.report.figures import profile

    table: pd.DataFrame = verdict.tables["threshold_profile"]
    e = next(e for e in verdict.evidence if e.what.startswith("threshold"))
    name = e.what.rpartition(" of ")[2]
    alpha = float(verdict.parameters["alpha"])
    words = {
        "en": (f"spatial lag of {series_en(name)}", "likelihood ratio", f"{1 - alpha:.0%} confidence set"),
        "zh": (f"{name_zh(name)}的空间滞后", "似然比", f"{1 - alpha:.0%}置信集"),
    }[lang]
    return profile(
        table["LR"], critical=critical_ratio(alpha), xlabel=words[0], ylabel=words[1], inside=words[2], lang=lang
    )


def found_zh(verdict: Verdict) -> str:
    """Stated effects under the baseline W, with p-values and the agreeing matrices; other parts after them."""
    counted = [e for e in verdict.evidence if e.counted]
    base = verdict.parameters["baseline_w"]
    over = _under_w(verdict)
    several = len({e.what for e in over}) > 1
    found = []
    for what in dict.fromkeys(e.what for e in over):
        own = [e for e in counted if e.what == what]
        agree = sum(e.reading == "support" for e in own)
        e = next(e for e in over if e.what == what and e.w == base)
        name = quantity_zh(what) if several else f"{word(what.partition(' ')[0], 'zh')}效应"
        found.append(
            f"{name}在基准权重 {base} 下为 {e.estimate:.4f}（p={e.p:.4f}，族内校正后 {e.p_holm:.4f}），"
            f"最小可检测效应 {e.mde:.4f}，{len(own)} 个计入的权重中 {agree} 个一致；{_boundary_zh(own)}"
        )
    for e in counted:
        if e not in over and e.p is not None:
            found.append(f"{quantity_zh(e.what)}为 {e.estimate:.4f}（p={e.p:.4f}，族内校正后 {e.p_holm:.4f}）；")
    return "".join(found)


def _boundary_zh(counted: Sequence[Evidence]) -> str:
    """Say which counted matrices put rho at an end of its interval, and the count without them."""
    ends = [e for e in counted if e.at_boundary]
    if not ends:
        return ""
    roles = {"support": "一致", "contradict": "显著反向", "neither": "两者皆非"}
    said = "、".join(f"{e.w}（{roles[e.reading]}）" for e in ends)
    left = [e for e in counted if not e.at_boundary]
    agree = sum(e.reading == "support" for e in left)
    return f"其中 {said} 的 rho 处于可行区间端点，该处不存在协方差，规则未予排除故仍计入；除去它们则 {len(left)} 个中 {agree} 个一致；"


#: rule -> its exhibit
EXHIBITS: Mapping[str, Exhibit] = {
    "R-MECH": Exhibit(
        draw, found_zh, {"impacts_by_w": "各权重下的效应", "overlap": "指标重叠", "threshold_profile": "门槛的似然比"}
    )
}
