"""Pictures of evidence that come in panels: event studies, paths beside a synthetic one, grouped bars, marks."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nqpf_spatial.fonts import typeface
from nqpf_spatial.report.figures import BLUE, GREEN, GREY, ORANGE, RED, _clean, _figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PALETTE = (BLUE, ORANGE, GREEN, RED, GREY)


def event_study(frame: pd.DataFrame, *, treatment: int, base: int, ylabel: str, lang: str = "en") -> Figure:
    """Draw the yearly differences of every group to its comparison, one panel per group.

    Parameters
    ----------
    frame : DataFrame
        Index (group, year), columns ``estimate``, ``lower``, ``upper``; the base year is not in it.
    treatment, base : int
        Treatment year, and the year all differences are measured from.
    ylabel : str
    lang : {"en", "zh"}

    Returns
    -------
    matplotlib.figure.Figure
    """
    groups = list(dict.fromkeys(frame.index.get_level_values(0)))
    with typeface(lang):
        figure, axes = _figure(4.4 * len(groups) + 0.6, 3.2, len(groups))
        for ax, group in zip(axes, groups, strict=True):
            part = frame.loc[group]
            ax.axvspan(treatment - 0.5, treatment + 0.5, color="#F3F4F6")
            ax.axhline(0.0, color="black", linewidth=0.8)
            ax.vlines(part.index, part["lower"], part["upper"], color=BLUE, linewidth=1.6)
            ax.plot(part.index, part["estimate"], "o", color=BLUE, markersize=4.5)
            ax.plot([base], [0.0], "o", color=BLUE, markerfacecolor="white", markersize=4.5)
            ax.set_title(group, fontsize=9)
            years = sorted([*part.index, base])
            ax.set_xticks(years[:: max(1, len(years) // 5)])
            _clean(ax)
            ax.grid(axis="y", color="#E5E7EB", linewidth=0.6)
        axes[0].set_ylabel(ylabel, fontsize=8)
    return figure


def paths(
    frames: Mapping[str, pd.DataFrame], *, dates: Mapping[str, int], names: Sequence[str], lang: str = "en"
) -> Figure:
    """Draw pairs of paths (observed, synthetic), one panel per analysis.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Title -> two columns over years.
    dates : mapping of str to int
        Title -> treatment year.
    names : sequence of str
        Names of the two paths.
    lang : {"en", "zh"}

    Returns
    -------
    matplotlib.figure.Figure
    """
    with typeface(lang):
        figure, axes = _figure(3.7 * len(frames) + 0.4, 3.1, len(frames), sharey=False)
        for ax, (title, frame) in zip(axes, frames.items(), strict=True):
            for column, colour, style, name in zip(frame.columns, (BLUE, ORANGE), ("-", "--"), names, strict=True):
                ax.plot(frame.index, frame[column], style, color=colour, linewidth=1.8, label=name)
            ax.axvline(dates[title], color=GREY, linewidth=1.0)
            ax.set_title("\n".join(textwrap.wrap(title, 34)), fontsize=8.5)
            _clean(ax)
            ax.set_xticks(np.unique(np.linspace(frame.index.min(), frame.index.max(), 5).round().astype(int)))
        axes[0].legend(frameon=False, fontsize=8)
    return figure


def grouped_bars(
    frame: pd.DataFrame,
    *,
    xlabel: str,
    lang: str = "en",
    lines: Sequence[float] = (0.0,),
    colours: Sequence[str] | None = None,
) -> Figure:
    """Draw horizontal bars, one group per row and one bar per column.

    Parameters
    ----------
    frame : DataFrame
        Rows are drawn from top to bottom; missing cells have no bar.
    xlabel : str
    lang : {"en", "zh"}
    lines : sequence of float
        Where vertical lines stand: zero and the thresholds of a rule.
    colours : sequence of str, optional
        One per column; or one per row where there is a single column.

    Returns
    -------
    matplotlib.figure.Figure
    """
    n, k = frame.shape
    by_row = k == 1 and colours is not None and len(colours) == n
    palette = list(colours or PALETTE)
    height = 0.8 / k
    thick = 0.19 if n > 14 else 0.3
    with typeface(lang):
        figure, (ax,) = _figure(6.4, thick * n * max(1.0, 0.62 * k) + 1.1)
        for j, column in enumerate(frame.columns):
            at = np.arange(n) - 0.4 + height * (j + 0.5)
            colour = palette if by_row else palette[j % len(palette)]
            ax.barh(
                at, frame[column], height=0.92 * height, color=colour, label="\n".join(textwrap.wrap(str(column), 26))
            )
        ax.set_yticks(range(n), ["\n".join(textwrap.wrap(str(i), 34)) for i in frame.index])
        ax.invert_yaxis()
        for line in lines:
            ax.axvline(line, color="black", linewidth=0.8, linestyle="-" if line == 0 else "--")
        ax.set_xlabel(xlabel, fontsize=8)
        if k > 1:
            ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        _clean(ax)
        if n > 14:
            ax.tick_params(axis="y", labelsize=7)
            ax.margins(y=0.01)
    return figure


def marks(frame: pd.DataFrame, *, names: Mapping[str, str], lang: str = "en") -> Figure:
    """Draw a table of marks: which of two conditions a row meets in a column.

    Parameters
    ----------
    frame : DataFrame
        Cells "both", "first", "second" or "none".
    names : mapping of str to str
        Words for the four, in the order in which the legend shows them.
    lang : {"en", "zh"}

    Returns
    -------
    matplotlib.figure.Figure
    """
    colours = {"both": BLUE, "first": ORANGE, "second": GREEN, "none": "#E5E7EB"}
    with typeface(lang):
        figure, (ax,) = _figure(1.6 * frame.shape[1] + 2.4, 0.42 * len(frame) + 1.4)
        for kind, name in names.items():
            cells = [(j, i) for i in range(len(frame)) for j in range(frame.shape[1]) if frame.iloc[i, j] == kind]
            x, y = zip(*cells, strict=True) if cells else ((), ())
            ax.scatter(x, y, s=150, marker="s", color=colours[kind], label=name)
        ax.set_xticks(range(frame.shape[1]), list(frame.columns))
        ax.set_yticks(range(len(frame)), list(frame.index))
        ax.set_xlim(-0.6, frame.shape[1] - 0.4)
        ax.set_ylim(len(frame) - 0.4, -0.6)
        for side in ("top", "right", "left", "bottom"):
            ax.spines[side].set_visible(False)
        ax.tick_params(length=0, labelsize=8)
        ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
