"""Pictures of composite indices and of their multiverse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nqpf_spatial import provinces
from nqpf_spatial.indicators import _frame, _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.indicators.composite_index import CompositeResult
    from nqpf_spatial.indicators.multiverse import IndexMultiverse


def composite_scores(result: CompositeResult, lang: str, ax: Axes | None) -> Axes:
    """Mean and middle half over the years, block means for provinces; bars for a cross-section."""
    if not _frame.has_years(result.scores):
        return _bars(result.scores.sort_values(), "score", lang, ax)
    wide = result.scores.unstack()
    ax = _style.new_axes(ax, lang)
    low, high = wide.quantile(0.25), wide.quantile(0.75)
    ax.fill_between(wide.columns, low, high, color="0.85", linewidth=0, label=_style.word("middle half", lang))
    ax.plot(wide.columns, wide.mean(), color="black", linewidth=2, label=_style.word("mean", lang))
    if _frame.are_provinces(list(wide.index)):
        blocks = [provinces.group_of(u, "block") for u in wide.index]
        for k, (block, mean) in enumerate(wide.groupby(blocks, sort=False).mean().iterrows()):
            ax.plot(mean.index, mean, color=_style.COLOURS[k], label=_style.word(block, lang), linewidth=1.4)
    ax.set_ylabel(_style.word("score", lang))
    ax.set_xlim(wide.columns[0], wide.columns[-1])
    _style.year_ticks(ax)
    ax.legend(frameon=False, ncols=2, loc="upper left")
    return _style.finish(ax, lang)


def composite_weights(result: CompositeResult, lang: str, ax: Axes | None) -> Axes:
    """Bars of the weights, coloured by dimension."""
    weights = result.weights[::-1]
    name = "loading" if result.method == "pca" else "weight"
    return _bars(weights, name, lang, ax, result.dimensions)


def composite_obstacles(result: CompositeResult, lang: str, ax: Axes | None) -> Axes:
    """Mean obstacle degrees, stacked over the years."""
    degrees = result.obstacles
    if not _frame.has_years(degrees):
        return _bars(degrees.mean().sort_values(), "obstacle degree", lang, ax)
    mean = degrees.groupby(level=1).mean()
    ax = _style.new_axes(ax, lang, (9.6, 4.2))
    labels = [_style.variable_label(c, lang) for c in mean.columns]
    colours = _palette(mean.shape[1])
    ax.stackplot(mean.index, mean.to_numpy().T, labels=labels, colors=colours, edgecolor="white", linewidth=0.4)
    ax.set(ylim=(0, 1), xlim=(mean.index[0], mean.index[-1]), ylabel=_style.word("obstacle degree", lang))
    _style.year_ticks(ax)
    handles, texts = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], texts[::-1], frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return _style.finish(ax, lang)


def _palette(n: int) -> list[Any]:
    from matplotlib import colormaps

    return [colormaps["cividis"](k) for k in np.linspace(0.05, 0.95, n)]


def _bars(values: pd.Series, name: str, lang: str, ax: Axes | None, groups: pd.Series | None = None) -> Axes:
    ax = _style.new_axes(ax, lang, (8.0, 0.9 + 0.28 * len(values)))
    labels = [_style.unit_label(_style.variable_label(i, lang), lang) for i in values.index]
    kinds = list(dict.fromkeys(groups)) if groups is not None else []
    for k, kind in enumerate(kinds or [None]):
        rows = [i for i, label in enumerate(values.index) if kind is None or groups[label] == kind]  # type: ignore[index]
        text = None if kind is None else _style.word(kind, lang)
        ax.barh(rows, values.iloc[rows], color=_style.COLOURS[k], label=text, height=0.7)
    ax.set_yticks(range(len(values)), labels)
    ax.set_xlabel(_style.word(name, lang))
    ax.axvline(0, color="black", linewidth=0.8)
    if kinds:
        ax.legend(frameon=False)
    return _style.finish(ax, lang, grid="x")


def multiverse_curve(result: IndexMultiverse, lang: str, ax: Axes | None) -> Axes:
    """Rank correlation with the baseline of every specification, sorted, and what each one chose."""
    table = result.table.sort_values("spearman", kind="stable")
    ax = _style.new_axes(ax, lang, (8.6, 6.4))
    choices = [
        ("method", _style.word("method", lang)),
        ("normalise", _style.word("normalisation", lang)),
        ("dropped", _style.word("indicators", lang)),
        ("units", _style.word("units", lang)),
    ]
    rows: list[tuple[str, Any, str]] = []
    for column, _ in choices:
        for value in dict.fromkeys(result.table[column]):
            rows.append((column, value, _choice_label(column, value, lang)))
    x = np.arange(len(table))
    base = table["is_baseline"].to_numpy()
    lower = ax.inset_axes((0, 0, 1, 0.62))
    upper = ax.inset_axes((0, 0.66, 1, 0.34), sharex=lower)
    ax.set_axis_off()
    upper.scatter(x[~base], table["spearman"].to_numpy()[~base], s=14, color=_style.COLOURS[0], linewidths=0)
    upper.scatter(
        x[base], table["spearman"].to_numpy()[base], s=42, marker="D", color=_style.COLOURS[1],
        label=_style.word("baseline", lang),
    )  # fmt: skip
    upper.set_ylabel(_style.word("rank correlation with the baseline", lang), fontsize=8)
    upper.legend(frameon=False, loc="lower right")
    upper.tick_params(labelbottom=False)
    for k, (column, value, _) in enumerate(rows):
        hit = (table[column] == value).to_numpy()
        lower.scatter(x[hit], np.full(hit.sum(), k), s=9, marker="|", color="black", linewidths=0.9)
    lower.set_yticks(range(len(rows)), [r[2] for r in rows], fontsize=7)
    lower.set_ylim(len(rows) - 0.4, -0.6)
    lower.set_xlabel(_style.word("specifications, sorted", lang))
    starts = np.cumsum([0] + [len(set(result.table[c])) for c, _ in choices])
    for edge in starts[1:-1]:
        lower.axhline(edge - 0.5, color="0.75", linewidth=0.6)
    _style.finish(upper, lang)
    _style.finish(lower, lang, grid="x")
    return ax


def multiverse_ranks(result: IndexMultiverse, lang: str, ax: Axes | None) -> Axes:
    """Range and middle half of each unit's rank over the specifications."""
    ranks = result.ranks()
    order = result.baseline_ranks().sort_values()
    ax = _style.new_axes(ax, lang, (6.6, 0.9 + 0.2 * len(order)))
    y = np.arange(len(order))
    data = ranks.loc[order.index]
    ax.hlines(y, data.min(axis=1), data.max(axis=1), color="0.75", linewidth=1.2)
    ax.hlines(y, data.quantile(0.25, axis=1), data.quantile(0.75, axis=1), color=_style.COLOURS[0], linewidth=4)
    ax.plot(order, y, "D", color=_style.COLOURS[1], markersize=4, label=_style.word("baseline", lang))
    ax.set_yticks(y, [_style.unit_label(u, lang) for u in order.index], fontsize=8)
    ax.set_ylim(len(order) - 0.4, -0.6)
    last = result.last_year
    ax.set_xlabel(_style.word("rank", lang) if last is None else _style.phrase("rank, {}", last, lang))
    ax.legend(frameon=False, loc="lower left")
    return _style.finish(ax, lang, grid="x")


def _choice_label(column: str, value: Any, lang: str) -> str:
    if column == "dropped":
        if value == "none":
            return _style.word("all", lang)
        return _style.phrase("without {}", _style.variable_label(value, lang), lang)
    return _style.word(value, lang)
