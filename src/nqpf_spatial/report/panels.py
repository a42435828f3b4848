"""Pictures of many annual series side by side, of transition paths, and of the runs of a multiverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from nqpf_spatial.fonts import typeface
from nqpf_spatial.report.figures import BLUE, GREEN, GREY, ORANGE, RED, _clean, _picture_class

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = (BLUE, ORANGE, GREEN, RED, GREY)
#: more series than that in one picture: further colours of Okabe and Ito, brown and black
MANY = (*PALETTE, "#56B4E9", "#CC79A7", "#7A5C00", "#111827")
#: marker of the first nine series, of the next nine
MARKERS = ("o", "s")
#: readings of a run -> marker, colour
MARKS: Mapping[str, tuple[str, str]] = {
    "support": ("o", BLUE),
    "same sign": ("^", "#56B4E9"),
    "neither": ("D", GREY),
    "other sign": ("v", ORANGE),
    "contradict": ("X", RED),
}


def _grid(n: int, width: float = 3.1, height: float = 2.3) -> tuple[Figure, list[Axes]]:
    """Panels in rows of at most four; spare ones are taken away."""
    columns = min(4, n) if n != 5 else 3
    rows = ceil(n / columns)
    figure = _picture_class()(figsize=(max(5.0, width * columns), height * rows + 0.5), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for spare in axes[n:]:
        spare.remove()
    return figure, axes[:n]


def _years(ax: Axes, years: Any) -> None:
    """At most five whole years on the axis."""
    first, last = int(min(years)), int(max(years))
    ticks = np.unique(np.linspace(first, last, min(4, last - first + 1)).round().astype(int))
    ax.set_xticks(ticks)
    ax.set_xlim(first - 0.4, last + 0.4)


def series_panels(
    frames: Mapping[str, pd.DataFrame],
    *,
    ylabel: str,
    lang: str = "en",
    zero: bool = False,
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Draw one panel per table of annual series.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Title of the panel -> years in rows, series in columns. Absent years are bridged by a thin dashed line.
    ylabel : str
    lang : {"en", "zh"}
    zero : bool
        Draw the line of zero.
    names : mapping, optional
        Name of a series -> its entry in the legend.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    if not frames:
        raise ValueError("series_panels needs at least one table")
    shown = list(dict.fromkeys(c for f in frames.values() for c in f.columns))
    looks = {c: (MANY[i % len(MANY)], MARKERS[i // len(MANY) % len(MARKERS)]) for i, c in enumerate(shown)}
    with typeface(lang):
        figure, axes = _grid(len(frames))
        for ax, (title, frame) in zip(axes, frames.items(), strict=True):
            for c in frame.columns:
                _broken(ax, frame[c].dropna(), *looks[c])
            if zero:
                ax.axhline(0.0, color="black", linewidth=0.8)
            ax.set_title(title, fontsize=8)
            _clean(ax)
            ax.tick_params(labelsize=7)
            ax.grid(axis="y", color="#E5E7EB", linewidth=0.6)
            _years(ax, frame.dropna(how="all").index)
            ax.ticklabel_format(axis="y", useOffset=False)
        figure.supylabel(ylabel, fontsize=8)
        if len(shown) > 1:
            handles = [axes[0].plot([], [], color=k, marker=m, markersize=3)[0] for k, m in looks.values()]
            labels = [(names or {}).get(c, c) for c in shown]
            figure.legend(handles, labels, loc="outside lower center", ncols=len(shown), fontsize=7.5, frameon=False)
    return figure


def _broken(ax: Axes, series: pd.Series, colour: str, marker: str = "o") -> None:
    """A line that is thin and dashed over absent years."""
    years = series.index.to_numpy()
    ax.plot(years, series.to_numpy(), color=colour, linewidth=0.7, linestyle="--")
    for part in np.split(np.arange(len(years)), np.flatnonzero(np.diff(years) > 1) + 1):
        ax.plot(years[part], series.to_numpy()[part], color=colour, linewidth=1.5, marker=marker, markersize=2.6)


def paths(frame: pd.DataFrame, groups: pd.Series, *, title: str, ylabel: str, other: str, lang: str = "en") -> Figure:
    """Draw one thin line per unit and a thick one per group of units.

    Parameters
    ----------
    frame : DataFrame
        Years in rows, units in columns.
    groups : Series
        Group of each unit, missing for units in none.
    title, ylabel, other : str
        `other` names the units in no group.
    lang : {"en", "zh"}

    Returns
    -------
    matplotlib.figure.Figure
    """
    with typeface(lang):
        figure, (ax,) = _grid(1, 6.6, 3.6)
        for i, (name, units) in enumerate(groups.dropna().groupby(groups.dropna()).groups.items()):
            colour = PALETTE[i % len(PALETTE)]
            ax.plot(frame.index, frame[list(units)], color=colour, linewidth=0.6, alpha=0.5)
            ax.plot(
                frame.index,
                frame[list(units)].mean(axis=1),
                color=colour,
                linewidth=2.2,
                label=f"{name} ({len(units)})",
            )
        rest = list(groups.index[groups.isna()])
        if rest:
            lines = ax.plot(frame.index, frame[rest], color="0.4", linewidth=0.8, linestyle=":")
            lines[0].set_label(f"{other} ({len(rest)})")
        ax.axhline(1.0, color="black", linewidth=0.7)
        ax.set_ylabel(ylabel, fontsize=8)
        ax.set_title(title, fontsize=9)
        ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
        _clean(ax)
        _years(ax, frame.index)
    return figure


def runs(frame: pd.DataFrame, *, words: Mapping[str, str], xlabel: str, lang: str = "en") -> Figure:
    """Draw every run of a multiverse at its reading.

    Parameters
    ----------
    frame : DataFrame
        Columns ``row`` (name of the run), ``reading`` (a key of `MARKS`) and ``counted``.
    words : mapping
        Reading -> its name on the axis; the readings that have a place on it.
    xlabel : str
    lang : {"en", "zh"}

    Returns
    -------
    matplotlib.figure.Figure
        Hollow marks are shown and not counted.
    """
    order = [m for m in list(MARKS)[::-1] if m in words]
    ordered = frame.iloc[::-1].reset_index(drop=True)
    with typeface(lang):
        figure, (ax,) = _grid(1, 6.4, 0.22 * len(ordered) + 0.7)
        for i, row in ordered.iterrows():
            marker, colour = MARKS[row["reading"]]
            face = colour if row["counted"] else "white"
            at = order.index(row["reading"])
            ax.plot([at], [i], marker=marker, color=colour, markerfacecolor=face, markersize=7)
        ax.set_yticks(range(len(ordered)), list(ordered["row"]))
        ax.set_xticks(range(len(order)), [words[o] for o in order])
        ax.set_xlim(-0.5, len(order) - 0.5)
        ax.set_ylim(-0.7, len(ordered) - 0.3)
        ax.set_xlabel(xlabel, fontsize=8)
        _clean(ax)
        ax.tick_params(axis="y", labelsize=7)
    return figure


def relative_to_first(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns over their first value, times 100.

    Examples
    --------
    >>> import pandas as pd
    >>> relative_to_first(pd.DataFrame({"a": [2.0, 3.0]}, index=[2013, 2014]))["a"].tolist()
    [100.0, 150.0]
    """
    return 100.0 * frame / frame.bfill().iloc[0]


def wrapped(parts: Sequence[str]) -> str:
    """Join the parts of a title, one line each."""
    return "\n".join(p for p in parts if p)
