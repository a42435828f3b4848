"""Pictures of a divergence accounting: stacked contributions, and the way from the first level to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nqpf_spatial.models.accounting.setup import INITIAL, OTHER, RESIDUAL, SPILLOVERS, TIME, TOTAL, UNIT
from nqpf_spatial.models.naming import check_lang, variable_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.accounting.divergence import Accounting

#: Okabe and Ito (2008); effects, residual and initial conditions in greys
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C510A", "#5E3C99")
_FIXED = {SPILLOVERS: "#F0E442", UNIT: "#7F7F7F", TIME: "#404040", RESIDUAL: "#BFBFBF", INITIAL: "#A0A0C8"}

_ZH = {
    SPILLOVERS: "空间溢出", UNIT: "个体效应", TIME: "时间效应", RESIDUAL: "残差", INITIAL: "初始条件", OTHER: "其他解释变量",
    TOTAL: "合计", "change": "变化", "level": "水平", "digital": "数字基础设施", "digital infrastructure": "数字基础设施",
    "innovation": "创新", "population": "人口", "population flows": "人口流动", "human capital": "人力资本", "openness": "对外开放",
    "industry": "产业", "transport": "交通", "energy": "能源", "government": "政府", "market": "市场", "finance": "金融",
    "urbanisation": "城镇化", "urbanization": "城镇化",
}  # fmt: skip
_MEASURES = {
    "theil_t": ("Theil T", "泰尔 T 指数"), "theil_l": ("Theil L", "泰尔 L 指数"), "gini": ("Gini index", "基尼系数"),
    "dagum": ("Gini index", "基尼系数"), "cv": ("coefficient of variation", "变异系数"),
    "sd_log": ("standard deviation of logs", "对数标准差"),
}  # fmt: skip


def component_name(result: Accounting, name: str, lang: str) -> str:
    """Name of a component: variables by the codebook, known words in the language, anything else as given."""
    if result.groups.get(name) == (name,):
        return variable_name(name, lang)
    return _ZH.get(name, name) if lang == "zh" else name


def accounting_plot(result: Accounting, kind: str = "bars", ax: Axes | None = None, lang: str = "en") -> Axes:
    """Contributions as a picture.

    Parameters
    ----------
    result : Accounting
    kind : {"bars", "waterfall"}
        Stacked contributions to both levels and to the change; or the way from the first level to the last, with intervals.
    ax : matplotlib Axes, optional
    lang : {"en", "zh"}
    """
    import matplotlib.pyplot as plt

    from nqpf_spatial.fonts import typeface

    check_lang(lang)
    if kind not in ("bars", "waterfall"):
        raise ValueError(f"kind={kind!r} is not known; choose 'bars' or 'waterfall'")
    if kind == "waterfall" and "change" not in result.table:
        raise ValueError("a waterfall needs two periods: account with years=(first, last)")
    with typeface(lang):
        if ax is None:
            size = (7.2, 4.2) if kind == "bars" else (7.2, 1.2 + 0.36 * len(result.table))
            _, ax = plt.subplots(figsize=size, layout="constrained")
        (_bars if kind == "bars" else _waterfall)(result, ax, lang)
        ax.spines[["top", "right"]].set_visible(False)
    return ax


def _shown(result: Accounting) -> list[str]:
    """Components that contribute anything."""
    estimates = result.table.xs("estimate", axis=1, level=1).drop(index=TOTAL)
    return [name for name in estimates.index if (estimates.loc[name] != 0.0).any()]


def _colour(result: Accounting, name: str) -> str:
    return _FIXED.get(name) or _COLOURS[list(result.groups).index(name) % len(_COLOURS)]


def _bars(result: Accounting, ax: Axes, lang: str) -> None:
    quantities = list(dict.fromkeys(result.table.columns.get_level_values(0)))
    place = np.arange(len(quantities))
    top, bottom = np.zeros(len(place)), np.zeros(len(place))
    for name in _shown(result):
        value = np.array([result.table.loc[name, (q, "estimate")] for q in quantities])
        start = np.where(value >= 0, top, bottom)
        label = component_name(result, name, lang)
        ax.bar(
            place, value, bottom=start, width=0.55, color=_colour(result, name), edgecolor="white", lw=0.6, label=label
        )
        top, bottom = top + np.clip(value, 0, None), bottom + np.clip(value, None, 0)
    total = [result.table.loc[TOTAL, (q, "estimate")] for q in quantities]
    ax.plot(place, total, "D", color="black", ms=5, ls="none", label=component_name(result, TOTAL, lang))
    ax.axhline(0.0, color="0.3", lw=0.8)
    ax.set_xticks(place, [_ZH.get(q, q) if lang == "zh" else q for q in quantities])
    ax.set_ylabel(_MEASURES[result.measure][lang == "zh"])
    ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _waterfall(result: Accounting, ax: Axes, lang: str) -> None:
    first, last, _ = dict.fromkeys(result.table.columns.get_level_values(0))
    change = result.table["change"]
    names = [name for name in _shown(result) if change.loc[name, "estimate"] != 0.0]
    at = float(result.table.loc[TOTAL, (first, "estimate")])
    # levels are points: the axis does not begin at zero, so that bars would mislead
    rows: list[tuple[str, float, float, str | None, str]] = [(first, at, 0.0, None, "black")]
    for name in names:
        step = float(change.loc[name, "estimate"])
        rows.append((component_name(result, name, lang), at, step, name, _colour(result, name)))
        at += step
    rows.append((last, at, 0.0, None, "black"))
    for i, (_, start, width, component, colour) in enumerate(rows):
        if component is None:
            ax.plot(start, i, "D", color=colour, ms=6)
        ax.barh(i, width, left=start, height=0.62, color=colour)
        if i + 1 < len(rows):
            ax.plot([start + width] * 2, [i, i + 1], color="0.5", lw=0.8, zorder=0)
        if component is not None and "lower" in change:
            ends = change.loc[component, ["lower", "upper"]].to_numpy(dtype=float)
            ax.plot(start + ends, [i, i], color="black", lw=1.1, solid_capstyle="butt")
    ax.set_yticks(range(len(rows)), [label for label, *_ in rows])
    ax.invert_yaxis()
    ax.use_sticky_edges = False
    ax.margins(x=0.08)
    ax.set_xlabel(_MEASURES[result.measure][lang == "zh"])
