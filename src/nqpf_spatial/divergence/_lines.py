"""Measures over time as lines: levels, or relative to the first year where that means anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def measure_lines(
    table: pd.DataFrame,
    heading: str,
    lang: str,
    ax: Axes | None = None,
    *,
    lower: pd.DataFrame | None = None,
    upper: pd.DataFrame | None = None,
) -> Axes:
    """Draw the columns over time, with bands where there are any.

    One column is drawn as it is. Of several, those that are positive in every year are drawn relative to their
    first year; the others, which a division would turn upside down, each in a panel of its own below.
    """
    ax = _style.new_axes(ax, lang)
    positive = [c for c in table.columns if (table[c] > 0).all()] if table.shape[1] > 1 else []
    panels: list[list[str]] = ([positive] if positive else []) + [[c] for c in table.columns if c not in positive]
    axes = _stacked(ax, len(panels))
    for one, columns in zip(axes, panels, strict=True):
        relative = columns is positive
        for column in columns:
            k = int(np.flatnonzero(table.columns == column)[0])
            colour = _style.COLOURS[k % len(_style.COLOURS)]
            base = table[column].iloc[0] if relative else 1.0
            label = _style.word(column, lang)
            one.plot(table.index, table[column] / base, color=colour, marker="o", ms=3.5, label=label)
            if lower is not None and upper is not None and column in lower:
                low, high = lower[column] / base, upper[column] / base
                one.fill_between(
                    table.index, low, high, color=colour, alpha=0.18 if table.shape[1] == 1 else 0.1, linewidth=0
                )
        if relative:
            one.set_ylabel(_style.word("index, first year = 1", lang))
            one.legend(frameon=False)
        else:
            one.set_ylabel(_style.word(columns[0], lang))
        _style.year_ticks(one)
    axes[0].set_title(heading, loc="left")
    for one in axes:
        _style.finish(one, lang)
    return axes[0]


def _stacked(ax: Axes, n: int) -> list[Axes]:
    """The axes divided into ``n`` panels, one below the other."""
    if n == 1:
        return [ax]
    spec = ax.get_subplotspec()
    if spec is None:
        raise ValueError("this picture needs several panels: pass an axes of a grid (plt.subplots), or none")
    grid = spec.subgridspec(n, 1)
    ax.set_subplotspec(grid[0])
    figure = ax.get_figure()
    assert figure is not None  # an axes with a subplot specification is always on a figure
    return [ax, *(figure.add_subplot(grid[k], sharex=ax) for k in range(1, n))]
