"""Means of groups of units over time, and their picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _codebook, _frame, _style
from nqpf_spatial.divergence._frame import GroupSpec, Missing, WeightSpec, Years
from nqpf_spatial.divergence._result import Result
from nqpf_spatial.errors import PanelError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 7.0, 4.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GroupMeans(Result):
    """Means of groups by year.

    Attributes
    ----------
    table : DataFrame
        Times in rows; one column per group, and ``all units``.
    name, groups : str
        The variable and the grouping.
    weighted : bool
    note : str
    """

    table: pd.DataFrame
    name: str
    groups: str
    weighted: bool
    note: str = ""

    def _title(self) -> str:
        return f"{'Weighted means' if self.weighted else 'Means'} of {self.name} by {self.groups}"

    def _notes(self) -> list[str]:
        return [self.note] if self.note else []

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """One line per group with its name at the end; the mean of all units is dashed."""
        ax = _style.new_axes(ax, lang, (_WIDTH, _HEIGHT))
        if len(self.table) < 2:
            raise PanelError(f"{self.name} has one time only: there is no line to draw, see .table")
        colours = [*_style.COLOURS[: self.table.shape[1] - 1], "0.35"]
        names = [_ALL[lang == "zh"] if c == _ALL[0] else _style.word(c, lang) for c in self.table.columns]
        for column, colour in zip(self.table.columns, colours, strict=True):
            style = "--" if column == _ALL[0] else "-"
            ax.plot(self.table.index, self.table[column], style, color=colour, linewidth=1.8)
        _name_ends(ax, self.table, names, colours)
        ax.set_ylabel(_codebook.axis_label(self.name, lang))
        plain = ("means of the groups, units count equally", "各组均值，各地区等权")
        what = ("weighted means of the groups", "各组加权均值") if self.weighted else plain
        ax.set_title(what[lang == "zh"], loc="left", fontsize=10)
        _style.year_ticks(ax)
        return _style.finish(ax, lang)


#: the column of all units, in both languages
_ALL = ("all units", "全部")


def _name_ends(ax: Axes, table: pd.DataFrame, names: list[str], colours: list[str]) -> None:
    """Names at the ends of the lines, moved apart where they would lie over one another."""
    last = table.iloc[-1].to_numpy()
    gap, place = 0.055 * np.subtract(*ax.get_ylim()[::-1]), -np.inf
    for k in np.argsort(last, kind="stable"):
        place = max(place + gap, float(last[k]))
        ax.annotate(
            names[k], (table.index[-1], place), xytext=(5, 0), textcoords="offset points", fontsize=9, va="center",
            color=colours[k], annotation_clip=False,
        )  # fmt: skip


def group_means(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec = "block",
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> GroupMeans:
    """Means of groups of units by year.

    Parameters
    ----------
    data : Series or DataFrame
        Values by (unit, time) or by unit.
    groups : {"block", "north_south", ...}, Series, mapping or column name
        Group of each unit.
    weights : str, Series or mapping, optional
        Of the units, for instance the population; equal by default.
    years : (first, last), list or int, optional
    missing : {"raise", "drop_years", "drop_units"}
    value : str, optional
        Column of a DataFrame.

    Returns
    -------
    GroupMeans

    Raises
    ------
    PanelError
        Missing cells, or a group whose weights sum to zero in some year.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> income = nq.load_panel(["gdp_real_pc"], years=(2022, 2023))["gdp_real_pc"]
    >>> group_means(income, groups="north_south").table.columns.tolist()
    ['North', 'South', 'all units']
    """
    x = _frame.wide(data, value=value, weights=weights, years=years, missing=missing)
    g = _frame.membership(x, groups, data)
    member = np.eye(len(g.names))[g.codes]
    total = x.weights @ member
    if (total <= 0).any():
        empty = [
            f"{t}: {g.names[k]}" for t, row in zip(x.index(), total <= 0, strict=True) for k in np.flatnonzero(row)
        ]
        raise PanelError(f"the weights of a group sum to zero at {_frame.shorten(empty)}")
    table = pd.DataFrame((x.values * x.weights) @ member / total, index=x.index(), columns=list(g.names))
    table[_ALL[0]] = (x.values * x.weights).sum(axis=1) / x.weights.sum(axis=1)
    return GroupMeans(table, x.name, g.label, x.weighted, x.note)
