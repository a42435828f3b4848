"""Pictures of evidence: effects under several W, curves of specifications, shares."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nqpf_spatial.fonts import typeface
from nqpf_spatial.report.words import word

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL import Image

#: Okabe and Ito's colours, told apart by readers with colour-vision deficiency
BLUE, ORANGE, GREEN, GREY, RED = "#0072B2", "#E69F00", "#009E73", "#8A8F98", "#D55E00"


def png(figure: Figure, dpi: int = 150, *, palette: bool = False) -> bytes:
    """Render a figure without a creation date or a software stamp.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    dpi : int
    palette : bool
        Keep at most 256 colours, for the screen: a third of the bytes, and faster to write. Our pictures have a dozen colours, the
        rest are shades at the edges of letters.

    Returns
    -------
    bytes
        PNG.
    """
    buffer = io.BytesIO()
    if not palette:
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        return buffer.getvalue()
    from PIL import Image

    # octree: faster than median cut, closer to our pictures, and it can hold transparency
    cut = _drawn(figure, dpi).quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    if cut.palette is not None and cut.palette.mode == "RGB":
        # the octree averages white with the lightest edges of letters; on a white page that shows as a grey sheet
        cut.putpalette([255 if shade >= 253 else shade for shade in cut.getpalette() or []])
    cut.save(buffer, "PNG")
    return buffer.getvalue()


def _drawn(figure: Figure, dpi: int) -> Image.Image:
    """Draw once: savefig draws twice, to lay out and to paint, and a constrained layout is laid out while it is painted."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    before = figure.dpi
    figure.set_dpi(dpi)
    try:
        canvas.draw()
        picture = Image.frombytes("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
    finally:
        figure.set_dpi(before)
    return picture.convert("RGB") if picture.getchannel("A").getextrema() == (255, 255) else picture


@cache
def _picture_class() -> type[Figure]:
    """A figure that belongs to no window and shows itself in Jupyter without pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class Picture(Figure):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            FigureCanvasAgg(self)

        def _repr_png_(self) -> bytes:
            return png(self, 110, palette=True)

        def _ipython_display_(self) -> None:
            """Show the picture as it is: the inline backend would draw it several times over, in a resolution of its own."""
            from IPython.display import display

            display({"image/png": self._repr_png_(), "text/plain": repr(self)}, raw=True)

    return Picture


def _figure(width: float, height: float, columns: int = 1, sharey: bool = True) -> tuple[Figure, Any]:
    """An empty picture and its panels."""
    figure = _picture_class()(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, sharey=sharey, squeeze=False)[0]


def _clean(ax: Axes) -> None:
    """Take away what carries no information."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=3, labelsize=8)
    ax.grid(axis="x", color="#E5E7EB", linewidth=0.6)
    ax.set_axisbelow(True)


def effects(frame: pd.DataFrame, *, lang: str = "en", level: float = 0.95) -> Figure:
    """Draw an effect and its interval under every weight matrix, one panel per effect.

    Parameters
    ----------
    frame : DataFrame
        Columns ``panel``, ``row`` (matrix), ``estimate``, ``lower``, ``upper``, ``counted``; optionally ``boundary``: rows whose size means
        nothing, which the frame does not follow.
    lang : {"en", "zh"}
    level : float
        Level of the intervals, for the axis label.

    Returns
    -------
    matplotlib.figure.Figure
        Hollow grey points are shown and not counted. An interval that leaves the frame ends in an arrow.
    """
    panels = list(dict.fromkeys(frame["panel"]))
    rows = list(dict.fromkeys(frame["row"]))[::-1]
    with typeface(lang):
        figure, axes = _figure(3.6 * len(panels) + 1.2, 0.36 * len(rows) + 1.2, len(panels))
        for ax, panel in zip(axes, panels, strict=True):
            part = frame[frame["panel"] == panel].set_index("row").loc[rows]
            _intervals(ax, part)
            ax.set_title(panel, fontsize=9)
            share = f"{level:.0%}"
            ax.set_xlabel(f"estimate, {share} interval" if lang == "en" else f"估计值与{share}区间", fontsize=8)
        axes[0].set_yticks(range(len(rows)), rows)
    return figure


def _intervals(ax: Axes, part: pd.DataFrame) -> None:
    """Points with intervals; the frame follows the counted rows so that one wide interval hides nothing."""
    framed = part["counted"].to_numpy(dtype=bool) & ~_at_boundary(part)
    shown = part[framed] if framed.any() else part
    reach = float((shown["upper"] - shown["lower"]).median())
    low = min(0.0, float(shown["estimate"].min())) - reach
    high = max(0.0, float(shown["estimate"].max())) + reach
    for i, (_, row) in enumerate(part.iterrows()):
        colour = BLUE if row["counted"] else GREY
        left, right = max(row["lower"], low), min(row["upper"], high)
        if left < right:
            ax.plot([left, right], [i, i], color=colour, linewidth=1.6, solid_capstyle="butt")
        for cut, at, mark in ((row["lower"] < low, low, "<"), (row["upper"] > high, high, ">")):
            if cut:
                ax.plot([at], [i], marker=mark, color=colour, markersize=4, clip_on=False)
        if not low <= row["estimate"] <= high:
            ax.plot(
                [np.clip(row["estimate"], low, high)], [i], marker=_arrow(row["estimate"]), color=colour, markersize=6
            )
        else:
            face = colour if row["counted"] else "white"
            ax.plot([row["estimate"]], [i], "o", color=colour, markerfacecolor=face, markersize=5)
    ax.axvline(0.0, color="black", linewidth=0.8)
    ax.set_xlim(low, high)
    _clean(ax)


def specification_curve(frame: pd.DataFrame, *, critical: float, lang: str = "en") -> Figure:
    """Draw every variant as estimate over standard error, one panel per effect, sorted.

    Ratios are drawn, not estimates, because variants measure the regressor in different units.

    Parameters
    ----------
    frame : DataFrame
        Columns ``panel``, ``row``, ``ratio`` and ``counted``; optionally ``boundary``: rows whose size means nothing, drawn as arrows at
        the end of the frame.
    critical : float
        Two-sided critical value, drawn as dashed lines.
    lang : {"en", "zh"}

    Returns
    -------
    matplotlib.figure.Figure
    """
    panels = list(dict.fromkeys(frame["panel"]))
    parts = [frame[frame["panel"] == p].sort_values(["ratio", "row"]).reset_index(drop=True) for p in panels]
    places = [_places(part["row"]) for part in parts]
    height = max(ends for _, ends in places)
    with typeface(lang):
        figure, axes = _figure(5.4 * len(panels), height + 1.1, len(panels), sharey=False)
        for ax, panel, part, (at, ends) in zip(axes, panels, parts, places, strict=True):
            _ratios(ax, part, at, critical)
            ax.set_yticks(at, part["row"])
            ax.set_ylim(-0.05, ends + 0.05)
            for line in (-critical, critical):
                ax.axvline(line, color="black", linewidth=0.7, linestyle="--")
            ax.axvline(0.0, color="black", linewidth=0.8)
            ax.set_title(panel, fontsize=9)
            ax.set_xlabel("estimate / standard error" if lang == "en" else "估计值 / 标准误", fontsize=8)
            _clean(ax)
            ax.tick_params(axis="y", labelsize=6.5)
    return figure


def _places(names: pd.Series) -> tuple[np.ndarray, float]:
    """Inches at which rows stand, by the lines of their names, and the inches of all."""
    heights = np.array([0.08 + 0.12 * (1 + str(name).count("\n")) for name in names])
    return np.cumsum(heights) - heights / 2, float(heights.sum())


def _ratios(ax: Axes, part: pd.DataFrame, at: np.ndarray, critical: float) -> None:
    """Stems and heads; rows at a boundary end in an arrow where the others end."""
    at_end, counted = _at_boundary(part), part["counted"].to_numpy(dtype=bool)
    ratio = part["ratio"].to_numpy(dtype=float)
    reach = 1.15 * float(np.abs(np.append(ratio[~at_end], critical)).max())
    ratio = np.where(at_end, np.clip(ratio, -reach, reach), ratio)
    colours = [_ratio_colour(r, critical) if c else GREY for r, c in zip(ratio, counted, strict=True)]
    ax.hlines(at, 0.0, ratio, color=colours, linewidth=1.0)
    faces = [k if c else "white" for k, c in zip(colours, counted, strict=True)]
    for mark, rows in (("o", ~at_end), (">", at_end & (ratio > 0)), ("<", at_end & (ratio <= 0))):
        own = np.flatnonzero(rows).tolist()
        if own:
            edges = [colours[i] for i in own]
            ax.scatter(ratio[own], at[own], s=20, c=[faces[i] for i in own], edgecolors=edges, marker=mark, zorder=3)


def _at_boundary(part: pd.DataFrame) -> np.ndarray:
    """Rows marked as fits at a boundary; none where the column is absent."""
    return part["boundary"].to_numpy(dtype=bool) if "boundary" in part else np.zeros(len(part), dtype=bool)


def _arrow(value: float) -> str:
    """Marker that points to where a value lies."""
    return ">" if value > 0 else "<"


def _ratio_colour(ratio: float, critical: float) -> str:
    """Blue: significantly positive; red: significantly negative; black: neither."""
    if abs(ratio) <= critical:
        return "#374151"
    return BLUE if ratio > 0 else RED


def shares(values: pd.Series, *, support: float, contradict: float, xlabel: str, lang: str = "en") -> Figure:
    """Draw shares against the two thresholds of a rule.

    Parameters
    ----------
    values : Series
        Shares in percent, labelled.
    support, contradict : float
        Thresholds in percent.
    xlabel : str
    lang : {"en", "zh"}

    Returns
    -------
    matplotlib.figure.Figure
    """
    ordered = values.iloc[::-1]
    with typeface(lang):
        figure, (ax,) = _figure(6.4, 0.42 * len(values) + 1.3)
        colours = [BLUE if v > support else RED if v < contradict else GREY for v in ordered]
        ax.barh(range(len(ordered)), ordered.to_numpy(), color=colours, height=0.62)
        ax.set_yticks(range(len(ordered)), list(ordered.index))
        for i, v in enumerate(ordered):
            ax.text(v + 1, i, f"{v:.1f}", va="center", fontsize=8)
        for at, name, side in ((support, "support", "left"), (contradict, "contradict", "right")):
            ax.axvline(at, color="black", linewidth=0.8, linestyle="--")
            ax.text(at, len(ordered) - 0.4, f" {word(name, lang)} ", ha=side, va="bottom", fontsize=7)
        ax.set_xlim(0, 100)
        ax.set_ylim(-0.6, len(ordered) - 0.1)
        ax.set_xlabel(xlabel, fontsize=8)
        _clean(ax)
    return figure


def _end_labels(ax: Axes, frame: pd.DataFrame, palette: Sequence[str]) -> None:
    """Write the names at the ends of the lines, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    gap = 0.045 * (high - low)
    ends = sorted((frame[n].dropna().iloc[-1], frame[n].dropna().index[-1], i) for i, n in enumerate(frame.columns))
    place = -np.inf
    for value, at, i in ends:
        place = max(place + gap, value)
        colour = palette[i % len(palette)]
        name = str(frame.columns[i])
        ax.annotate(name, (at, place), xytext=(4, 0), textcoords="offset points", fontsize=8, va="center", color=colour)


def lines(frame: pd.DataFrame, *, ylabel: str, lang: str = "en", colours: Sequence[str] | None = None) -> Figure:
    """Draw series over years, one line per column, labelled at their ends.

    Parameters
    ----------
    frame : DataFrame
        Index years, one column per series.
    ylabel : str
    lang : {"en", "zh"}
    colours : sequence of str, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    palette = list(colours or (BLUE, ORANGE, GREEN, RED, GREY))
    with typeface(lang):
        figure, (ax,) = _figure(6.4, 3.4)
        for i, name in enumerate(frame.columns):
            ax.plot(frame.index, frame[name], color=palette[i % len(palette)], linewidth=1.8)
        _end_labels(ax, frame, palette)
        ax.set_ylabel(ylabel, fontsize=8)
        _clean(ax)
        ax.margins(x=0.12)
        ticks = np.unique(np.linspace(frame.index.min(), frame.index.max(), 7).round().astype(int))
        ax.set_xticks(ticks)
    return figure


def scatter(x: pd.Series, y: pd.Series, *, xlabel: str, ylabel: str, lang: str = "en") -> Figure:
    """Draw one variable against another with the least-squares line, units by name.

    Parameters
    ----------
    x, y : Series
        Indexed by unit; provinces get their short names in the language.
    xlabel, ylabel : str
    lang : {"en", "zh"}

    Returns
    -------
    matplotlib.figure.Figure
    """
    from nqpf_spatial import provinces

    both = x.index.intersection(y.index)
    a, b = x.loc[both].to_numpy(dtype=float), y.loc[both].to_numpy(dtype=float)
    slope, intercept = np.polyfit(a, b, 1)
    ends = np.array([a.min(), a.max()])
    with typeface(lang):
        figure, (ax,) = _figure(6.4, 4.2)
        ax.plot(ends, intercept + slope * ends, color=ORANGE, linewidth=1.4)
        ax.scatter(a, b, s=14, color=BLUE, zorder=3)
        for unit, i, j in zip(both, a, b, strict=True):
            text = provinces.label(unit, "zh" if lang == "zh" else "en") if provinces.is_province(unit) else str(unit)
            ax.annotate(str(text), (i, j), xytext=(3, 2), textcoords="offset points", fontsize=6.5, color="#374151")
        ax.set_xlabel(xlabel, fontsize=8)
        ax.set_ylabel(ylabel, fontsize=8)
        _clean(ax)
        ax.margins(0.08)
    return figure


def profile(ratio: pd.Series, *, critical: float, xlabel: str, ylabel: str, inside: str, lang: str = "en") -> Figure:
    """Draw a likelihood ratio over candidates; those below the dashed line are the confidence set.

    Parameters
    ----------
    ratio : Series
        Indexed by candidate, zero at the best.
    critical : float
    xlabel, ylabel, inside : str
        Labels of the axes and of the dashed line.
    lang : {"en", "zh"}

    Returns
    -------
    matplotlib.figure.Figure
    """
    with typeface(lang):
        figure, (ax,) = _figure(6.4, 3.4)
        ax.plot(ratio.index, ratio, color=BLUE, linewidth=1.2)
        ax.axhline(critical, color="black", linewidth=0.8, linestyle="--", label=inside)
        ax.set_ylim(0.0, None)
        ax.set_xlabel(xlabel, fontsize=8)
        ax.set_ylabel(ylabel, fontsize=8)
        ax.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        _clean(ax)
    return figure
