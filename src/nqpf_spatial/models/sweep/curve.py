"""The specification curve: sorted estimates with intervals above, the choices behind each below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.fonts import typeface
from nqpf_spatial.models.naming import check_lang, unit_name
from nqpf_spatial.models.sweep.choices import NONE
from nqpf_spatial.models.sweep.result import is_absent
from nqpf_spatial.models.term_labels import known_labels, term_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.sweep.result import Sweep

#: Okabe and Ito (2008): significantly positive, significantly negative, neither
_POSITIVE, _NEGATIVE, _NEITHER = "#0072B2", "#D55E00", "#8A8F98"
_MANY = 14  # values of one choice that still get a row each
_WORDS = {
    "outcome": ("outcome", "被解释变量"),
    "swap": ("measure of", "度量："),
    "add": ("controls", "控制变量"),
    "fixed": ("fixed effects", "固定效应"),
    "drop": ("left out", "剔除"),
    "years": ("years", "样本期"),
    "model": ("model", "模型"),
    "w": ("W", "空间权重矩阵"),
    "correction": ("correction", "偏差修正"),
    "vcov": ("covariance", "协方差"),
    "direct": ("direct effect", "直接效应"),
    "indirect": ("indirect effect", "间接效应"),
    "total": ("total effect", "总效应"),
    "short": ("short-run", "短期"),
    "long": ("long-run", "长期"),
    "province": ("province", "省份"),
    "year": ("year", "年份"),
    "unit": ("unit", "个体"),
    "period": ("period", "时期"),
    "none": ("none", "无"),
    "all": ("all", "全部"),
    "others": ("{n} others", "其余{n}项"),
    "positive": ("significantly positive", "显著为正"),
    "negative": ("significantly negative", "显著为负"),
    "neither": ("not significant", "不显著"),
    "axis": ("specifications, sorted", "模型设定（由小到大）"),
    "interval": ("{level:.0%} interval", "{level:.0%}置信区间"),
    "interval_cut": ("{level:.0%} interval, the longest cut off", "{level:.0%}置信区间（最长者截断）"),
    "z": ("estimate / standard error", "估计值 / 标准误"),
    "left": ("{shown} of {all} specifications", "共{all}个设定，图示{shown}个"),
    "failed": ("{n} failed", "{n}个无法估计"),
    "absent": ("{n} without such an effect", "{n}个不含该效应"),
    "base": ("base", "基准"),
}


def _say(key: str, lang: str, **parts: object) -> str:
    text = _WORDS[key][lang == "zh"]
    return text.format(**parts) if parts else text


def specification_curve(
    result: Sweep, term: str | None = None, effect: str = "total", lang: str = "en", statistic: str = "estimate"
) -> NDArray:
    """Estimates of one effect in rising order with their intervals, and a dot for every choice behind them.

    Parameters
    ----------
    result : Sweep
    term : str, optional
        The first regressor by default.
    effect : str
        ``"direct"``, ``"indirect"``, ``"total"``; with time lags ``"short total"``, ``"long total"``, ...
    lang : {"en", "zh"}
    statistic : {"estimate", "z"}
        ``"z"`` draws estimates over their standard errors, between critical values: for variants in different units of measurement.

    Returns
    -------
    (2,) ndarray of matplotlib Axes
        The curve and the field of choices. Choices with one value have no row; of more than fourteen values the first is set
        apart from the others. Specifications that failed, or whose model has no such effect, are counted in the title.

    References
    ----------
    Simonsohn, U., J. P. Simmons and L. D. Nelson (2020). Specification curve analysis. Nature Human Behaviour 4, 1208-1214.
    """
    import matplotlib.pyplot as plt

    check_lang(lang)
    if statistic not in ("estimate", "z"):
        raise ValueError(f"statistic={statistic!r} is not known; choose 'estimate' or 'z'")
    rows = result.of(term, effect)
    absent = is_absent(rows)
    shown = rows[~absent].sort_values(statistic, kind="stable")
    if shown.empty:
        raise ValueError(
            f"no specification has the {effect} effect of {rows['term'].iloc[0]}: there is nothing to draw"
        )
    choices = _field(result, shown, lang)
    lines = sum(len(values) for _, values in choices)
    heights = [2.8, max(0.2 * (lines + len(choices)), 0.3)]
    width = min(6.0 + 0.025 * len(shown), 11.0)
    with typeface(lang):
        _, axes = plt.subplots(
            2, 1, figsize=(width, sum(heights) + 0.8), sharex=True, height_ratios=heights, layout="constrained"
        )
        _curve(axes[0], shown, result, lang, statistic)
        _dots(axes[1], shown, choices, _colours(shown, result.alpha))
        axes[0].set_title(_title(result, rows, int(absent.sum()), len(shown), lang), fontsize=9.5, loc="left")
        axes[1].set_xlabel(_say("axis", lang), fontsize=8.5)
        room = 0.5 + 0.01 * len(shown)
        axes[0].set_xlim(-room, len(shown) - 1 + room)
    return np.asarray(axes)


def _colours(shown: pd.DataFrame, alpha: float) -> list[str]:
    significant = shown["p"] < alpha
    return [
        _NEITHER if not sure else _POSITIVE if value > 0 else _NEGATIVE
        for sure, value in zip(significant, shown["estimate"], strict=True)
    ]


def _curve(ax: Axes, shown: pd.DataFrame, result: Sweep, lang: str, statistic: str) -> None:
    place = np.arange(len(shown))
    colours = _colours(shown, result.alpha)
    many = len(shown) > 120
    if statistic == "estimate":
        ax.vlines(place, shown["lower"], shown["upper"], color=colours, lw=0.7 if many else 1.2, alpha=0.75)
        cut = _limits(ax, shown)
        label = _say("interval_cut" if cut else "interval", lang, level=1 - result.alpha)
    else:
        limit = float(stats.norm.isf(result.alpha / 2))
        for at in (-limit, limit):
            ax.axhline(at, color="0.4", lw=0.8, ls="--", zorder=0)
        label = _say("z", lang)
    ax.scatter(place, shown[statistic], s=6 if many else 14, c=colours, zorder=3, linewidths=0)
    if 0 in shown.index:
        at = shown.index.get_loc(0)
        ax.scatter([at], [shown[statistic].iloc[at]], s=46, facecolors="none", edgecolors="black", lw=1.1, zorder=4)
    ax.axhline(0.0, color="0.4", lw=0.8, zorder=0)
    ax.set_ylabel(label, fontsize=8.5)
    ax.tick_params(labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    for key, colour in (("positive", _POSITIVE), ("negative", _NEGATIVE), ("neither", _NEITHER)):
        if colour in colours:
            ax.scatter([], [], s=16, c=colour, label=_say(key, lang))
    if 0 in shown.index:
        ax.scatter([], [], s=40, facecolors="none", edgecolors="black", label=_say("base", lang))
    ax.legend(frameon=False, fontsize=8, loc="upper left", ncols=2)


def _limits(ax: Axes, shown: pd.DataFrame) -> bool:
    """Cut the axis where a few long intervals would press all others flat; every estimate stays in sight."""
    low, high = float(shown["lower"].min()), float(shown["upper"].max())
    ends = shown[["lower", "upper"]].quantile([0.1, 0.9])
    bottom = min(float(shown["estimate"].min()), float(ends.loc[0.1, "lower"]), 0.0)
    top = max(float(shown["estimate"].max()), float(ends.loc[0.9, "upper"]), 0.0)
    if not high - low > 2.5 * (top - bottom):
        return False
    margin = 0.15 * (top - bottom)
    ax.set_ylim(max(bottom - margin, low), min(top + 3 * margin, high))  # room for the legend above
    return True


def _dots(ax: Axes, shown: pd.DataFrame, choices: list[tuple[str, dict[str, NDArray]]], colours: list[str]) -> None:
    """One line per value of a choice; lines of a choice stand together under its name."""
    line, ticks, labels, heads = 0, [], [], []
    size = float(np.clip(260.0 / len(shown), 0.5, 3.0))
    colour = np.array(colours)
    for head, values in choices:
        heads.append(line)
        ticks.append(line)
        labels.append(head)
        line += 1
        for label, used in values.items():
            place = np.flatnonzero(used)
            ax.vlines(place, line - 0.3, line + 0.3, color=colour[place], lw=size)
            ax.axhline(line, color="0.92", lw=0.6, zorder=0)
            ticks.append(line)
            labels.append(label)
            line += 1
    ax.set_yticks(ticks, labels, fontsize=7.5)
    for at, text in zip(ticks, ax.get_yticklabels(), strict=True):
        if at in heads:  # the packaged Chinese font has one weight
            text.set(color="#0b5394", fontsize=8.5)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelsize=8)
    ax.set_ylim(line - 0.4, -0.6)
    ax.spines[["top", "right", "left"]].set_visible(False)


def _field(result: Sweep, shown: pd.DataFrame, lang: str) -> list[tuple[str, dict[str, NDArray]]]:
    """(name of a choice, label of a value -> which specifications have it), for choices that vary."""
    known = known_labels(lang) if result.packaged else {}
    found = []
    for name in result.varying:
        column = shown[name]
        values = list(dict.fromkeys(result.table[name]))
        if len(values) > _MANY:
            first = values[0]
            rest = _say("others", lang, n=len(values) - 1)
            found.append((_head(name, known, lang), {_value(name, first, known, lang): (column == first).to_numpy(),
                                                     rest: (column != first).to_numpy()}))  # fmt: skip
            continue
        dots = {_value(name, value, known, lang): (column == value).to_numpy() for value in values}
        found.append((_head(name, known, lang), dots))
    return found


def _head(name: str, known: dict[str, str], lang: str) -> str:
    if name.startswith("swap: "):
        space = "" if lang == "zh" else " "
        return _say("swap", lang) + space + term_label(name.removeprefix("swap: "), known, lang)
    return _say(name, lang)


def _value(name: str, value: str, known: dict[str, str], lang: str) -> str:
    if value == NONE:
        return _say("none", lang)
    if name == "years" and value == "all":
        return _say("all", lang)
    if name == "drop":
        return unit_name(value, lang)
    if name == "fixed":
        return " + ".join(_say(part, lang) if part in _WORDS else part for part in value.split(" + "))
    if name == "add":
        return " + ".join(term_label(part.strip(), known, lang) for part in value.split("+"))
    return term_label(value, known, lang) if name == "outcome" or name.startswith("swap: ") else value


def _title(result: Sweep, rows: pd.DataFrame, absent: int, shown: int, lang: str) -> str:
    known = known_labels(lang) if result.packaged else {}
    run, _, kind = rows["effect"].iloc[0].rpartition(" ")
    effect = (_say(run, lang) + ("" if lang == "zh" else " ") if run else "") + _say(kind, lang)
    joint = "：" if lang == "zh" else ": "
    parts = [_say("left", lang, shown=shown, all=len(result.specs))]
    failed = len(result.failures)
    parts += [_say("failed", lang, n=failed)] if failed else []
    parts += [_say("absent", lang, n=absent)] if absent else []
    comma = "，" if lang == "zh" else ", "
    return f"{term_label(rows['term'].iloc[0], known, lang)}{joint}{effect}\n{comma.join(parts)}"
