"""Pictures and Chinese reasons of R-OWN: one drawing per claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.exhibits import names
from nqpf_spatial.claims.exhibits.base import Exhibit
from nqpf_spatial.claims.exhibits.own_zh import FOUND_ZH, found_zh
from nqpf_spatial.claims.record import Verdict

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: colours of upper and lower, above and below
HIGH, LOW = "#0072B2", "#D55E00"


def _limits(verdict: Verdict, function: Callable[..., Mapping[str, Any]]) -> Mapping[str, Any]:
    """Numbers of the criterion, from the register's text."""
    from nqpf_spatial.claims.context import Context

    ctx = Context()
    return function(ctx.register.claim(verdict.claim), ctx)


def _say(lang: str, en: str, zh: str) -> str:
    return en if lang == "en" else zh


def _variables(index: pd.Index, lang: str) -> list[str]:
    return [names.variable(str(i), lang) for i in index]


def _provinces(index: pd.Index, lang: str) -> list[str]:
    return [names.province(str(i), lang) for i in index]


def dispersion(verdict: Verdict, lang: str) -> Figure:
    """LG-2.1: two dispersions, the first year being 100."""
    from nqpf_spatial.report import figures

    table = verdict.tables["theil_t"]
    relative = 100.0 * table / table.iloc[0]
    relative.columns = _wrapped(table.columns, lang)
    return figures.lines(relative, ylabel=_say(lang, "Theil-T, first year = 100", "泰尔指数，首年=100"), lang=lang)


def endowments(verdict: Verdict, lang: str) -> Figure:
    """LG-2.2: Theil-T of every endowment and of output in the years both have."""
    from nqpf_spatial.report import bars

    table = verdict.tables["theil_t"]
    *own, output = table.columns
    rows = {}
    for v in own:
        year = int(table[v].last_valid_index())
        rows[f"{names.variable(v, lang)} ({year})"] = (table.at[year, v], table.at[year, output])
    import pandas as pd

    columns = [_say(lang, "endowment", "自然条件"), names.variable(output, lang)]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return bars.grouped_bars(frame, xlabel=_say(lang, "Theil-T", "泰尔指数"), lang=lang)


def synthetic(verdict: Verdict, lang: str) -> Figure:
    """LG-5.3: observed and synthetic path of every analysis."""
    from nqpf_spatial.report import bars

    table = verdict.tables["paths"]
    frames, dates = {}, {}
    for analysis in dict.fromkeys(table.index.get_level_values("analysis")):
        name, _, year = analysis.partition(" after ")
        title = _say(lang, f"{names.variable(name, lang)}, {year}", f"{names.variable(name, lang)}（{year}年）")
        frames[title], dates[title] = table.loc[analysis], int(year)
    return bars.paths(frames, dates=dates, names=_provinces(table.columns, lang), lang=lang)


def partitions(verdict: Verdict, lang: str) -> Figure:
    """WU-1.1: share of Theil-T between the groups of every partition."""
    from nqpf_spatial.claims.evaluate.own.groups import partition_limits
    from nqpf_spatial.report import bars

    table = verdict.tables["partitions"][["block", "north_south", "digital"]]
    table = table.set_axis(_variables(table.index, lang), axis=0)
    table.columns = ["blocks", "North / South", "digital classes"] if lang == "en" else ["四大板块", "南北", "数字两类"]
    label = _say(lang, "share of Theil-T between groups, percent", "组间占泰尔指数的份额（%）")
    return bars.grouped_bars(
        table, xlabel=label, lang=lang, lines=(0.0, _limits(verdict, partition_limits)["share_ge"])
    )


def forerunners(verdict: Verdict, lang: str) -> Figure:
    """WU-1.9: where each province leads and grew."""
    import numpy as np

    from nqpf_spatial.claims.evaluate.own.shares import forerunner_limits
    from nqpf_spatial.report import bars

    table, limits = verdict.tables["standing"], _limits(verdict, forerunner_limits)
    leads = (table["quotient"] > limits["quotient_gt"]) | (table["rank"] <= limits["rank_le"])
    kind = np.select([leads & table["above_median"], leads, table["above_median"]], ["both", "first", "second"], "none")
    frame = table.assign(kind=kind)["kind"].unstack("indicator")
    frame = frame[list(dict.fromkeys(table.index.get_level_values("indicator")))]
    frame.index, frame.columns = _provinces(frame.index, lang), _wrapped(frame.columns, lang)
    words = {
        "both": _say(lang, "leads and grew faster", "领先且增速高于中位数"),
        "first": _say(lang, "leads", "仅领先"),
        "second": _say(lang, "grew faster", "仅增速高于中位数"),
        "none": _say(lang, "neither", "皆无"),
    }
    return bars.marks(frame, names=words, lang=lang)


def _wrapped(index: pd.Index, lang: str) -> list[str]:
    import textwrap

    width = 22 if lang == "en" else 10
    return ["\n".join(textwrap.wrap(v, width)) for v in _variables(index, lang)]


def classes(verdict: Verdict, lang: str) -> Figure:
    """WU-1.10: the provinces in the order of their index, coloured by class."""
    from nqpf_spatial.report import bars

    table = verdict.tables["classes"]
    label = names.variable(str(verdict.sample["index"]), lang)
    frame = table[["index"]].rename(columns={"index": label})
    blocks = [names.group(str(b), lang) for b in table["block"]]
    frame.index = [f"{p} ({b})" for p, b in zip(_provinces(table.index, lang), blocks, strict=True)]
    colours = [HIGH if up else LOW for up in table["upper_class"]]
    note = _say(lang, "mean of the window; blue: upper class", "窗口均值；蓝色为高类")
    return bars.grouped_bars(
        frame, xlabel=f"{label}, {note}" if lang == "en" else f"{label}（{note}）", lang=lang, colours=colours
    )


def separation(verdict: Verdict, lang: str) -> Figure:
    """WU-1.11: share of every component in the distance of the two classes."""
    from nqpf_spatial.report import bars

    table = verdict.tables["separation"].sort_values("share_pct", ascending=False)
    label = _say(
        lang, "share of the distance of the classes, percent (blue: named)", "占两类距离的份额（%，蓝色为所述指标）"
    )
    frame = table[["share_pct"]].set_axis(_variables(table.index, lang))
    colours = [HIGH if named else "#8A8F98" for named in table["named"]]
    return bars.grouped_bars(frame, xlabel=label, lang=lang, colours=colours)


def mismatch(verdict: Verdict, lang: str) -> Figure:
    """WU-2.7: share of demand less share of the resource, by province."""
    import pandas as pd

    from nqpf_spatial.report import bars

    table = verdict.tables["shares"]
    columns = {}
    for demand in dict.fromkeys(table.index.get_level_values("demand")):
        part = table.loc[demand].dropna(axis=1, how="all")
        resource = next(c for c in part.columns if c != demand)
        columns[names.variable(demand, lang)] = part[demand] - part[resource]
    frame = pd.DataFrame(columns)
    frame = frame.loc[frame.mean(axis=1).sort_values(ascending=False).index]
    frame.index = _provinces(frame.index, lang)
    label = _say(lang, "share of demand less share of the resource, points", "需求份额减资源份额（百分点）")
    return bars.grouped_bars(frame, xlabel=label, lang=lang)


def net_inflow(verdict: Verdict, lang: str) -> Figure:
    """WU-4.9: net inflow of both groups in every interval."""
    from nqpf_spatial.report import bars

    table = verdict.tables["net_inflow_thousand"]
    frame = (table.drop(columns="status") / 1000.0).rename(columns=lambda g: names.group(g, lang))
    ends = [int(str(i).removeprefix("5yr_")) for i in frame.index]
    mark = _say(lang, " (experimental)", "（试验性）")
    frame.index = [
        f"{y - 5}-{y}{mark if 'experimental' in s else ''}" for y, s in zip(ends, table["status"], strict=True)
    ]
    return bars.grouped_bars(frame, xlabel=_say(lang, "net inflow, million persons", "净流入（百万人）"), lang=lang)


def gains(verdict: Verdict, lang: str) -> Figure:
    """WU-4.10: gain of both groups in the two decades."""
    from nqpf_spatial.report import bars

    table = verdict.tables["share_pct"]
    first, middle, last = table.columns
    frame = table.assign(
        **{f"{first}-{middle}": table[middle] - table[first], f"{middle}-{last}": table[last] - table[middle]}
    )
    frame = frame.iloc[:, -2:].rename(index=lambda g: names.group(g, lang))
    return bars.grouped_bars(
        frame, xlabel=_say(lang, "gain of population share, points", "人口份额变动（百分点）"), lang=lang
    )


def likelihoods(verdict: Verdict, lang: str) -> Figure:
    """WU-M2: log-likelihood per observation of every W less that of the first geographic one, by half."""
    from nqpf_spatial.report import bars

    table = verdict.tables["llf_per_observation"]
    network = str(verdict.sample["network"])
    frame = table.loc[network] - table.drop(index=network)
    frame.index = [_say(lang, f"less {w}", f"减 {w}") for w in frame.index]
    label = _say(
        lang, f"log-likelihood per observation, {network} less another W", f"每观测对数似然，{network} 减其他权重"
    )
    return bars.grouped_bars(frame, xlabel=label, lang=lang)


def contribution(verdict: Verdict, lang: str) -> Figure:
    """WU-M10: change of electricity intensity by province."""
    from nqpf_spatial.report import bars

    table = verdict.tables["intensity_change"].sort_values("change")
    frame = table.set_axis(_provinces(table.index, lang))
    years = str(verdict.sample["intensity_years"])
    label = _say(lang, f"change of log electricity intensity, {years}", f"电力强度对数的变化，{years}")
    return bars.grouped_bars(frame, xlabel=label, lang=lang, colours=[HIGH if v < 0 else LOW for v in table["change"]])


def slopes(verdict: Verdict, lang: str) -> Figure:
    """WU-M16: slopes of both regressors by block, with the pooled one."""
    from nqpf_spatial.report import bars

    table = verdict.tables["slopes"]
    frame = table.T
    frame.index = [_say(lang, "pooled", "合并") if b == "pooled" else names.group(str(b), lang) for b in frame.index]
    frame.columns = _variables(table.index, lang)
    return bars.grouped_bars(frame, xlabel=_say(lang, "slope", "斜率"), lang=lang)


def steps(verdict: Verdict, lang: str) -> Figure:
    """WU-M17: mean correlation of every province with the others."""
    from nqpf_spatial.claims.evaluate.own.series import step_limits
    from nqpf_spatial.report import bars

    limits = _limits(verdict, step_limits)
    table = verdict.tables["by_province"].sort_values("mean_correlation", ascending=False)
    label = _say(lang, "mean correlation of growth with the other provinces", "与其他省份增速的平均相关系数")
    return bars.grouped_bars(
        table.set_axis(_provinces(table.index, lang)),
        xlabel=label,
        lang=lang,
        lines=(0.0, limits["support_lt"], limits["contradict_gt"]),
    )


def ranking(verdict: Verdict, lang: str) -> Figure:
    """WU-P2: standardised total effects with their intervals."""
    from scipy.stats import norm

    from nqpf_spatial.report import figures

    table = verdict.tables["effects"].sort_values("standardised", ascending=False)
    half = float(norm.ppf(0.975)) * table["se"]
    frame = table.assign(
        estimate=table["standardised"], lower=table["standardised"] - half, upper=table["standardised"] + half
    )
    frame = frame.assign(
        row=_wrapped(table.index, lang), panel=_say(lang, "standardised total effect", "标准化总效应"), counted=True
    )
    return figures.effects(frame, lang=lang)


def quotients(verdict: Verdict, lang: str) -> Figure:
    """WU-P4: location quotients of the block."""
    from nqpf_spatial.claims.evaluate.own.shares import quotient_limits
    from nqpf_spatial.report import bars

    at = _limits(verdict, quotient_limits)["threshold"]
    table = verdict.tables["quotients"]
    frame = table[["quotient"]].copy()
    frame.index = [f"{names.variable(str(v), lang)} ({y})" for v, y in table["year"].items()]
    colours = [HIGH if q > at else LOW for q in frame["quotient"]]
    label = _say(lang, "location quotient of the Central block", "中部区位商")
    return bars.grouped_bars(frame, xlabel=label, lang=lang, lines=(at,), colours=colours)


#: claim -> name of its picture, how it is drawn, its tables in Chinese
_DRAWINGS: Mapping[str, tuple[str, Callable[[Verdict, str], Figure], Mapping[str, str]]] = {
    "LG-2.1": ("dispersion", dispersion, {"theil_t": "泰尔指数"}),
    "LG-2.2": ("endowments", endowments, {"theil_t": "泰尔指数"}),
    "LG-5.3": ("synthetic", synthetic, {"paths": "实际与合成路径", "donors": "对照省份权重", "growth": "产业增速"}),
    "WU-1.1": ("partitions", partitions, {"partitions": "组间份额"}),
    "WU-1.9": ("standing", forerunners, {"standing": "四省市各指标的位置"}),
    "WU-1.10": ("classes", classes, {"classes": "数字两类", "number_of_clusters": "类别数"}),
    "WU-1.11": ("separation", separation, {"separation": "各指标对两类距离的贡献"}),
    "WU-2.7": ("mismatch", mismatch, {"shares": "需求与资源份额"}),
    "WU-4.9": ("net_inflow", net_inflow, {"net_inflow_thousand": "净流入（千人）"}),
    "WU-4.10": ("gains", gains, {"share_pct": "人口份额（%）"}),
    "WU-M2": ("likelihoods", likelihoods, {"llf_per_observation": "每观测对数似然"}),
    "WU-M10": ("intensity", contribution, {"contribution": "生产率贡献", "intensity_change": "电力强度变化"}),
    "WU-M16": ("slopes", slopes, {"slopes": "分板块斜率"}),
    "WU-M17": ("steps", steps, {"by_province": "各省平均相关"}),
    "WU-P2": ("ranking", ranking, {"effects": "标准化总效应"}),
    "WU-P4": ("quotients", quotients, {"quotients": "区位商"}),
}


def _exhibit(claim: str) -> Exhibit:
    name, function, titles = _DRAWINGS[claim]
    return Exhibit(lambda verdict, lang: {name: function(verdict, lang)}, FOUND_ZH.get(claim, found_zh), titles)


#: claim -> its exhibit
EXHIBITS: Mapping[str, Exhibit] = {claim: _exhibit(claim) for claim in _DRAWINGS}
