"""Concentration and specialisation: location quotient, dissimilarity, mismatch, Herfindahl."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame, _maps, _style
from nqpf_spatial.divergence._frame import Array, Missing, Wide, Years
from nqpf_spatial.divergence._result import Result
from nqpf_spatial.errors import AlignmentError, PanelError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ConcentrationResult(Result):
    """A measure of concentration by time, and what each unit has to do with it.

    Attributes
    ----------
    table : DataFrame
        One row per time, one column per measure.
    by_unit : DataFrame
        Units in rows, times in columns; ``unit_meaning`` says what.
    measure : str
    unit_meaning : str
    name : str
    drawn : tuple
        Columns of ``table`` in the picture.
    """

    table: pd.DataFrame
    by_unit: pd.DataFrame
    measure: str
    unit_meaning: str
    name: str
    drawn: tuple[Any, ...]
    note: str = ""

    def _title(self) -> str:
        return f"{self.measure}: {self.name}"

    def _notes(self) -> list[str]:
        return [f".by_unit: {self.unit_meaning}", *([self.note] if self.note else [])]

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Draw the measure over time; for a single time, bars of the units.

        Parameters
        ----------
        lang : {"en", "zh"}
        ax : matplotlib Axes, optional
        """
        if len(self.table) > 1:
            ax = _style.new_axes(ax, lang)
            for k, column in enumerate(self.drawn):
                look: dict[str, Any] = {
                    "color": _style.COLOURS[k % len(_style.COLOURS)],
                    "label": _label(column, lang),
                }
                ax.plot(self.table.index, self.table[column], "o-", ms=3.5, **look)
            if len(self.drawn) > 1:
                ax.legend(frameon=False, fontsize=8, ncols=2)
            else:
                ax.set_ylabel(_label(self.drawn[0], lang))
            ax.set_title(_style.title(self.name, lang), loc="left", fontsize=10)
            _style.year_ticks(ax)
            return _maps.finish(ax, lang)
        title = self.unit_meaning if lang == "en" else _maps.word(self.measure, lang)
        return _bars(self.by_unit.iloc[:, 0], title, lang, ax)


def _label(column: Any, lang: str) -> str:
    """A measure in words; a sector that is a packaged variable by its label in the codebook."""
    text = _maps.word(str(column), lang)
    return _style.title(text, lang) if text == str(column) else text


def _bars(values: pd.Series, title: str, lang: str, ax: Axes | None) -> Axes:
    values = values.sort_values()
    ax = _style.new_axes(ax, lang, (6.2, 0.9 + 0.2 * len(values)))
    colours = np.where(values < 0, _style.COLOURS[1], _style.COLOURS[0])
    ax.barh(range(len(values)), values, color=colours, height=0.7)
    ax.set_yticks(range(len(values)), [_maps.unit_name(u, lang) for u in values.index], fontsize=8)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_title(title, loc="left", fontsize=9)
    return _maps.finish(ax, lang, grid=False)


def location_quotient(
    activity: pd.Series | pd.DataFrame,
    base: pd.Series | None = None,
    *,
    years: Years = None,
    missing: Missing = "raise",
) -> pd.Series | pd.DataFrame:
    """Location quotient: a unit's share of an activity over its share of a base.

    Parameters
    ----------
    activity : Series or DataFrame
        Non-negative quantities indexed by (unit, time) or by unit. A DataFrame holds one sector per column.
    base : Series, optional
        What the activity is measured against (GDP, population); required for a Series. For a DataFrame it
        defaults to the sum of the sectors.
    years, missing
        As in the other measures (a Series); a DataFrame must be complete.

    Returns
    -------
    Series or DataFrame
        Like ``activity``, in canonical order; above one where the activity is over-represented.

    Raises
    ------
    PanelError
        Negative or missing cells, a base that is not positive, an activity that is zero everywhere.
    AlignmentError
        Cells of activity that base lacks.

    Notes
    -----
    ``LQ_i = (x_i / sum x) / (b_i / sum b)``, with totals of each time (Florence 1939; Isard 1960, ch. 7).

    Examples
    --------
    >>> import pandas as pd
    >>> firms = pd.Series({"u": 30.0, "v": 10.0})
    >>> location_quotient(firms, pd.Series({"u": 50.0, "v": 50.0})).tolist()
    [1.5, 0.5]
    """
    if isinstance(activity, pd.DataFrame):
        total = activity.sum(axis=1) if base is None else base
        parts = {c: _lq(activity[c].rename(str(c)), total, years, missing) for c in activity.columns}
        return pd.DataFrame(parts)
    if base is None:
        raise PanelError("a location quotient of one activity needs a base: GDP, population, all sectors, ...")
    return _lq(activity, base, years, missing)


def _lq(activity: pd.Series, base: pd.Series, years: Years, missing: Missing) -> pd.Series:
    x, b = _pair(activity, base, years, missing)
    if (b.values <= 0).any():
        raise PanelError(f"the base {b.name} must be positive in every cell")
    return _like(_shares(x) / _shares(b), x).rename("location_quotient")


def dissimilarity(
    a: pd.Series, b: pd.Series, *, years: Years = None, missing: Missing = "raise"
) -> ConcentrationResult:
    """Index of dissimilarity of two distributions over units.

    Parameters
    ----------
    a, b : Series
        Non-negative quantities indexed by (unit, time) or by unit.
    years, missing
        As in the other measures.

    Returns
    -------
    ConcentrationResult
        ``dissimilarity`` in [0, 1]: the share of a that would have to move to be distributed like b.
        ``.by_unit``: ``(share of a - share of b) / 2``, whose absolute values add up to it.

    Raises
    ------
    PanelError
        Negative or missing cells, a total of zero.
    AlignmentError
        Cells that one of the two lacks.

    Notes
    -----
    ``D = 1/2 sum_i |a_i / A - b_i / B|`` (Duncan and Duncan 1955, American Sociological Review 20).

    Examples
    --------
    >>> import pandas as pd
    >>> a, b = pd.Series({"u": 30.0, "v": 10.0}), pd.Series({"u": 50.0, "v": 50.0})
    >>> dissimilarity(a, b).table["dissimilarity"].tolist()
    [0.25]
    """
    x, y = _pair(a, b, years, missing)
    gap = (_shares(x) - _shares(y)) / 2
    table = pd.DataFrame({"dissimilarity": np.abs(gap).sum(axis=1)}, index=x.index())
    meaning = f"half the share of {x.name} less the share of {y.name}"
    return ConcentrationResult(
        table, _units(gap, x), "Dissimilarity", meaning, f"{x.name} / {y.name}", ("dissimilarity",), x.note
    )


def mismatch_index(
    activity: pd.Series, base: pd.Series, *, years: Years = None, missing: Missing = "raise"
) -> ConcentrationResult:
    """Spatial mismatch of an activity and a base (jobs and people, demand and supply).

    Parameters
    ----------
    activity, base : Series
        Non-negative quantities indexed by (unit, time) or by unit.
    years, missing
        As in the other measures.

    Returns
    -------
    ConcentrationResult
        ``mismatch`` in percent: the share of the activity that lies where the base does not.
        ``.by_unit``: share of the activity less share of the base, percentage points; positive where the
        activity leads.

    Raises
    ------
    PanelError, AlignmentError
        As in :func:`dissimilarity`.

    Notes
    -----
    ``SMI = 1 / (2 P) sum_i |e_i / E * P - p_i|`` (Martin 2001, 2004, Journal of Urban Economics 56;
    Raphael and Stoll 2002), times 100: the dissimilarity index under another name. The provincial
    literature reports the signed terms ``(e_i / E - p_i / P) * 100`` of each unit.

    Examples
    --------
    >>> import pandas as pd
    >>> jobs, people = pd.Series({"u": 30.0, "v": 10.0}), pd.Series({"u": 50.0, "v": 50.0})
    >>> m = mismatch_index(jobs, people)
    >>> m.table["mismatch"].tolist(), m.by_unit.iloc[:, 0].tolist()
    ([25.0], [25.0, -25.0])
    """
    x, y = _pair(activity, base, years, missing)
    gap = 100 * (_shares(x) - _shares(y))
    table = pd.DataFrame({"mismatch": np.abs(gap).sum(axis=1) / 2}, index=x.index())
    meaning = f"share of {x.name} less share of {y.name}, percentage points"
    return ConcentrationResult(
        table, _units(gap, x), "Spatial mismatch", meaning, f"{x.name} / {y.name}", ("mismatch",), x.note
    )


def hhi(data: pd.Series, *, years: Years = None, missing: Missing = "raise") -> ConcentrationResult:
    """Herfindahl-Hirschman index of the distribution over units.

    Parameters
    ----------
    data : Series
        Non-negative quantities indexed by (unit, time) or by unit.
    years, missing
        As in the other measures.

    Returns
    -------
    ConcentrationResult
        ``hhi`` in [1/n, 1], ``normalised`` in [0, 1], ``equivalent_units`` (1 / hhi). ``.by_unit``: shares.

    Raises
    ------
    PanelError
        Negative or missing cells, a total of zero.

    Notes
    -----
    ``H = sum_i s_i^2`` (Herfindahl 1950; Hirschman 1964), ``(H - 1/n) / (1 - 1/n)``. With shares in
    percent it is 10,000 times as large.

    Examples
    --------
    >>> import pandas as pd
    >>> hhi(pd.Series({"u": 3.0, "v": 1.0})).table.iloc[0].tolist()
    [0.625, 0.25, 1.6]
    """
    x = _checked(_frame.wide(data, years=years, missing=missing))
    shares = _shares(x)
    h, n = (shares**2).sum(axis=1), shares.shape[1]
    columns = {"hhi": h, "normalised": (h - 1 / n) / (1 - 1 / n), "equivalent_units": 1 / h}
    table = pd.DataFrame(columns, index=x.index())
    return ConcentrationResult(
        table, _units(shares, x), "Herfindahl-Hirschman index", "shares", x.name, ("hhi",), x.note
    )


def _pair(a: Any, b: Any, years: Years, missing: Missing) -> tuple[Wide, Wide]:
    """Two series on the same units and times: those of the first."""
    x = _checked(_frame.wide(a, years=years, missing=missing))
    if not isinstance(b, pd.Series):
        raise PanelError(f"expected a labelled Series, got {type(b).__name__}")
    level = _frame.levels(b.index)[0] if b.index.nlevels == 2 else 0
    wanted = {_frame.key(u) for u in x.units}
    near = b[[_frame.key(u) in wanted for u in b.index.get_level_values(level)]]
    absent = wanted - {_frame.key(u) for u in near.index.get_level_values(level)}
    if absent:
        lost = [u for u in x.units if _frame.key(u) in absent]
        raise AlignmentError(f"{b.name or 'the base'} lacks {_frame.shorten(lost)}, which {x.name} has")
    if x.cross_section != (near.index.nlevels == 1):
        raise AlignmentError(f"{x.name} and {b.name or 'the base'} must both have times, or both be cross-sections")
    y = _checked(_frame.wide(near, years=None if x.cross_section else list(x.times)))
    return x, y


def _checked(x: Wide) -> Wide:
    negative = [(u, t) for k, u in enumerate(x.units) for r, t in enumerate(x.times) if x.values[r, k] < 0]
    if negative:
        cells = ", ".join(f"{u} {'' if t is None else t}".strip() for u, t in negative[:6])
        raise PanelError(f"{x.name} has {len(negative)} negative cells, which have no share: {cells}")
    empty = [t for t, v in zip(x.times, x.values, strict=True) if v.sum() <= 0]
    if empty:
        raise PanelError(f"{x.name} adds up to zero in {_frame.shorten(empty)}: shares do not exist")
    return x


def _shares(x: Wide) -> Array:
    return x.values / x.values.sum(axis=1, keepdims=True)


def _units(values: Array, x: Wide) -> pd.DataFrame:
    return pd.DataFrame(values.T, index=pd.Index(x.units, name=x.unit_name), columns=x.index())


def _like(values: Array, x: Wide) -> pd.Series:
    if x.cross_section:
        return pd.Series(values[0], index=pd.Index(x.units, name=x.unit_name))
    index = pd.MultiIndex.from_product([x.units, x.times], names=[x.unit_name, x.time_name])
    return pd.Series(values.T.ravel(), index=index)


def quotient_plot(quotients: pd.Series, time: Any = None, lang: str = "en", ax: Axes | None = None) -> Axes:
    """Location quotients of one year as bars around one, the largest on top.

    Parameters
    ----------
    quotients : Series
        From `location_quotient`, indexed by unit or by (unit, time).
    time : optional
        Year to draw; the last one by default.
    lang : {"en", "zh"}
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    if quotients.index.nlevels == 2:
        times = quotients.index.get_level_values(1)
        chosen = times.max() if time is None else time
        if chosen not in times:
            raise ValueError(f"time={time!r}: the quotients run from {times.min()} to {times.max()}")
        values = quotients.xs(chosen, level=1)
    else:
        chosen, values = None, quotients
    values = values.sort_values()
    ax = _style.new_axes(ax, lang, (6.0, 0.19 * len(values) + 1.0))
    names = [_maps.unit_name(unit, lang) for unit in values.index]
    places = np.arange(len(values))
    ax.barh(places, values - 1.0, left=1.0, color=["#0072B2" if v >= 1 else "#D55E00" for v in values], height=0.7)
    ax.set_yticks(places, names)
    ax.axvline(1.0, color="0.3", linewidth=0.8)
    ax.set_xlabel("区位商" if lang == "zh" else "location quotient")
    if chosen is not None:
        ax.set_title(str(chosen))
    ax.margins(y=0.01)
    return _maps.finish(ax, lang, grid=False)
