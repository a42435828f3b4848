"""Pictures and Chinese reasons of R-TREND, R-LEVEL, R-OSSIFY, R-POLAR and R-CLUB."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nqpf_spatial.claims.evaluate.criteria import NO_SIGN
from nqpf_spatial.claims.exhibits.base import Exhibit
from nqpf_spatial.claims.exhibits.names import title_en
from nqpf_spatial.claims.exhibits.phrases import value_zh
from nqpf_spatial.claims.record import Evidence, Verdict
from nqpf_spatial.report.words import word

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: panels of one picture at most; the tables hold every series
PANELS = 16
#: label -> words for dispersion and gaps; and for a share, a mean or a ratio, which rises or falls
_LABELS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "en": {
        "DIVERGING": ("DIVERGING", "DIVERGING (rising)"),
        "CONVERGING": ("CONVERGING", "CONVERGING (falling)"),
        "STABLE": ("STABLE", "STABLE"),
    },
    "zh": {"DIVERGING": ("发散", "上升"), "CONVERGING": ("收敛", "下降"), "STABLE": ("稳定", "稳定")},
}
_SINGLE = frozenset({"share", "mean", "relative mean", "ratio", "loss"})
_MEASURES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "cv": "coefficient of variation",
        "theil_t": "Theil T",
        "gini": "Gini",
        "sd_log": "sd of logs",
        "net_between": "Dagum, net between",
        "between": "Theil T, between",
        "wolfson": "Wolfson",
        "esteban_ray": "Esteban-Ray",
    },
    "zh": {
        "cv": "变异系数",
        "theil_t": "泰尔 T",
        "gini": "基尼系数",
        "sd_log": "对数标准差",
        "net_between": "Dagum 组间净值",
        "between": "泰尔 T 组间部分",
        "wolfson": "Wolfson",
        "esteban_ray": "Esteban-Ray",
        "share": "份额",
        "mean": "均值",
        "relative mean": "相对均值",
        "ratio": "之比",
        "loss": "损失",
    },
}
_READINGS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "support": "criterion\nholds",
        "same sign": "stated sign,\nnot in full",
        "neither": "neither",
        "other sign": "not the\nstated sign",
        "contradict": "contradiction\nholds",
    },
    "zh": {
        "support": "满足支持条件",
        "same sign": "方向一致，\n未全部满足",
        "neither": "两者皆非",
        "other sign": "方向不一致",
        "contradict": "满足相悖条件",
    },
}


def draw(verdict: Verdict, lang: str) -> dict[str, Figure]:
    """Annual series, differences between groups, clubs, and the runs of the multiverse."""
    out: dict[str, Figure] = {}
    if "series" in verdict.tables:
        out["series"] = _series(verdict, lang)
    if "differences" in verdict.tables:
        out["differences"] = _differences(verdict, lang)
    if "transition_paths" in verdict.tables:
        out["clubs"] = _clubs(verdict, lang)
    if any(v.ran for v in verdict.variants):
        out["variants"] = _variants(verdict, lang)
    return out


def _title(name: str, lang: str, table: pd.DataFrame) -> str:
    """Name of a panel, wrapped."""
    if lang == "zh":
        variable, _, what = table.attrs["titles_zh"][name].partition("：")
        return "\n".join([*textwrap.wrap(variable, 20)[:2], what])
    return title_en(name, 36)


def _label(own: pd.DataFrame, lang: str) -> str:
    """Label of a series after the correction, in words."""
    return _LABELS[lang][str(own["series_label"].iloc[0])][set(own.index) <= _SINGLE]


def _series(verdict: Verdict, lang: str) -> Figure:
    """Every annual series relative to its first year, with its label."""
    from nqpf_spatial.report.panels import relative_to_first, series_panels

    table, trends = verdict.tables["series"], verdict.tables["trends"]
    frames = {}
    for name in list(dict.fromkeys(table.columns.get_level_values(0)))[:PANELS]:
        shown = _label(trends.loc[name], lang)
        frames[f"{_title(name, lang, table)}\n{shown}"] = relative_to_first(table[name].dropna(how="all"))
    ylabel = "first year = 100" if lang == "en" else "首年 = 100"
    return series_panels(frames, ylabel=ylabel, lang=lang, names=_MEASURES[lang])


def _differences(verdict: Verdict, lang: str) -> Figure:
    """Differences of group means by year, with the p-value that decides."""
    from nqpf_spatial.report.panels import series_panels

    table = verdict.tables["differences"]
    frames = {}
    for name in list(table.columns)[:PANELS]:
        p = next((e.p for e in verdict.evidence if e.what.startswith(f"{name}, ")), None)
        shown = "" if p is None else f"\n{_p_text(p)}"
        frames[f"{_title(str(name), lang, table)}{shown}"] = table[[name]].set_axis(["difference"], axis=1)
    ylabel = "difference of group means" if lang == "en" else "组均值之差"
    return series_panels(frames, ylabel=ylabel, lang=lang, zero=True)


def _p_text(p: float) -> str:
    """A p-value of a title.

    Examples
    --------
    >>> _p_text(0.0123), _p_text(0.00001)
    ('p = 0.012', 'p < 0.001')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _clubs(verdict: Verdict, lang: str) -> Figure:
    """Transition paths by club, in yuan."""
    from nqpf_spatial.report.panels import paths

    found = verdict.tables["clubs"]["yuan"]
    club = "club" if lang == "en" else "俱乐部"
    groups = found.map(lambda k: f"{club} {k}", na_action="ignore")
    return paths(
        verdict.tables["transition_paths"],
        groups,
        title="relative transition paths, logs in yuan" if lang == "en" else "相对转移路径（以元计的对数）",
        ylabel="relative to the mean" if lang == "en" else "相对均值",
        other="in no club" if lang == "en" else "不属于任何俱乐部",
        lang=lang,
    )


def run_reading(stated: bool, significant: bool) -> str:
    """Reading of one run of a multiverse.

    Examples
    --------
    >>> [run_reading(s, k) for s, k in ((True, True), (True, False), (False, False), (False, True))]
    ['support', 'same sign', 'other sign', 'contradict']
    """
    if stated:
        return "support" if significant else "same sign"
    return "contradict" if significant else "other sign"


def _variants(verdict: Verdict, lang: str) -> Figure:
    """Every run of the multiverse at its reading."""
    from nqpf_spatial.report.panels import runs

    frame = verdict.variants_frame().query("ran").rename(columns={"counts": "counted"})
    several = frame["variant"].duplicated(keep=False)
    frame["row"] = [
        f"{v}: {s.partition(' for ')[0]}" if many else v
        for v, s, many in zip(frame["variant"], frame["specification"], several, strict=True)
    ]
    frame["reading"] = [
        run_reading(bool(s), bool(k)) for s, k in zip(frame["stated_sign"], frame["significant"], strict=True)
    ]
    left_out = {"neither"}
    if NO_SIGN in verdict.notes:
        left_out = {"same sign", "other sign"}
        frame["reading"] = frame["reading"].replace(dict.fromkeys(left_out, "neither"))
    words = {k: w for k, w in _READINGS[lang].items() if k not in left_out}
    xlabel = "hollow: shown, not counted" if lang == "en" else "空心：仅展示，不计入"
    return runs(frame, words=words, xlabel=xlabel, lang=lang)


def found_zh(verdict: Verdict) -> str:
    """Labels of the series, differences with their p-values, other figures on record."""
    parts = [*_trends_zh(verdict), *_levels_zh(verdict)]
    parts += [text for e in verdict.evidence if (text := _other_zh(e))]
    detectable = [e.mde for e in verdict.evidence if e.counted and e.mde is not None]
    if verdict.verdict == "INCONCLUSIVE" and detectable:
        parts.append("各项最小可检测效应见证据表")
    return "；".join(parts) + "；" if parts else ""


def _trends_zh(verdict: Verdict) -> list[str]:
    """One phrase per annual series."""
    if "series" not in verdict.tables:
        return []
    titles, trends = verdict.tables["series"].attrs["titles_zh"], verdict.tables["trends"]
    beside = {e.what for e in verdict.evidence if not e.counted}
    out = []
    for name in dict.fromkeys(trends.index.get_level_values(0)):
        own = trends.loc[name]
        shown = "（仅供参考）" if any(f", {name}, change in percent" in w for w in beside) else ""
        label = _label(own, "zh")
        out.append(f"{titles[name]}{shown}{label}（拟合变化中位数 {own['change_pct'].median():+.1f}%）")
    return out


def _value(e: Evidence) -> str:
    """A figure for a sentence, whether it is a number or a word."""
    return value_zh(e.estimate) if isinstance(e.estimate, float) else str(e.estimate)


def _levels_zh(verdict: Verdict) -> list[str]:
    """One phrase per comparison of groups."""
    if "differences" not in verdict.tables:
        return []
    titles = verdict.tables["differences"].attrs["titles_zh"]
    out = []
    for e in verdict.evidence:
        name = next((n for n in titles if e.what.startswith(f"{n}, ")), None)
        if name is not None and e.p is not None:
            shown = "（仅供参考）" if not e.counted else ""
            corrected = "" if e.p_holm is None else f"，族内校正后 {e.p_holm:.4f}"
            out.append(f"{titles[name]}{shown}：差 {_value(e)}（单侧 p={e.p:.4f}{corrected}）")
    return out


#: beginning of a record -> how it is written in Chinese
_OTHERS = {
    "(ii) Spearman": "首末年位次相关（Spearman）",
    "(iii) Shorrocks": "Shorrocks 流动性",
    "(iv) change": "东西部均值比变化（%）",
    "number of clubs": "俱乐部个数",
    "share of the gap": "数字变量解释的差距份额",
}


def _other_zh(e: Evidence) -> str:
    """A figure of R-OSSIFY, R-CLUB or a share that was explained; "" for any other record."""
    if e.what.startswith("Silverman") and e.p is not None:
        return f"Silverman 双峰检验 p={e.p:.3f}"
    head = next((h for h in _OTHERS if e.what.startswith(h)), None)
    if head is None or not isinstance(e.estimate, float):
        return ""
    unit = "（以元计）" if " in yuan" in e.what else "（以万元计，仅供参考）" if "10,000 yuan" in e.what else ""
    return f"{_OTHERS[head]}{unit} {value_zh(e.estimate)}"


_TITLES = {
    "series": "年度序列",
    "trends": "趋势检验",
    "differences": "各年组间差",
    "clubs": "俱乐部成员",
    "transition_paths": "相对转移路径",
    "egr": "Esteban-Gradín-Ray 极化指数",
}

#: rule -> its exhibit
EXHIBITS: Mapping[str, Exhibit] = {
    rule: Exhibit(draw, found_zh, _TITLES, lambda name: f"{word(name, 'zh')}：" if name else "")
    for rule in ("R-TREND", "R-LEVEL", "R-OSSIFY", "R-POLAR", "R-CLUB")
}
