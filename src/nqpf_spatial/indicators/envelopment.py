"""Data envelopment analysis: radial efficiency per year and the Malmquist index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nqpf_spatial.errors import PanelError
from nqpf_spatial.indicators import _frame, _style
from nqpf_spatial.indicators.growth import check_positive
from nqpf_spatial.kernels import productivity as kernels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Orientation = Literal["output", "input"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MalmquistResult:
    """Malmquist productivity indices between adjacent years.

    Attributes
    ----------
    table : DataFrame
        Indexed by (unit, year), the year being the later of the two: ``malmquist = efficiency_change *
        technical_change`` and ``efficiency_change = pure_efficiency_change * scale_change``; above one is
        progress. Names end in ``_est`` where an input or output is an estimate.
    distances : DataFrame
        Indexed by (unit, year): efficiency against the frontier of the same year (``same_year``), of the
        year before (``previous_frontier``), of the year after (``next_frontier``), all under constant
        returns, and of the same year under variable returns (``variable_returns``).
    inputs, outputs : tuple of str
    orientation : str
    """

    table: pd.DataFrame
    distances: pd.DataFrame
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    orientation: str

    @property
    def estimated(self) -> bool:
        """Whether an input or output is an estimate."""
        return bool(_frame.suffix((*self.inputs, *self.outputs)))

    def means(self, by: Literal["year", "unit", "all"] = "year") -> pd.DataFrame:
        """Geometric means over units, over years, or over both.

        Parameters
        ----------
        by : {"year", "unit", "all"}

        Returns
        -------
        DataFrame
        """
        _frame.check_choice("by", by, ("year", "unit", "all"))
        logs = np.log(self.table)
        if by == "all":
            return np.exp(logs.mean()).to_frame("mean").T
        return np.exp(logs.groupby(level=1 if by == "year" else 0, sort=False).mean())

    def cumulative(self) -> pd.DataFrame:
        """Products from the second year on, first year = 1.

        The index is not transitive: the product of the annual indices is a chain, not the comparison of the
        last with the first year.
        """
        logs = np.log(self.table).groupby(level=0, sort=False).cumsum()
        first = _frame.years_of(self.distances)[0]
        units = _frame.units_of(self.table)
        index = pd.MultiIndex.from_product([units, [first]], names=self.table.index.names)
        start = pd.DataFrame(0.0, index=index, columns=self.table.columns)
        return np.exp(pd.concat([start, logs]).reindex(self.distances.index))

    def plot(self, *, lang: Literal["en", "zh"] = "en", ax: Axes | None = None) -> Axes:
        """Chained geometric means of the index and its two parts.

        Parameters
        ----------
        lang : {"en", "zh"}
        ax : matplotlib Axes, optional
        """
        ax = _style.new_axes(ax, lang)
        means = np.log(self.means()).cumsum()
        means.loc[_frame.years_of(self.distances)[0]] = 0.0
        means = np.exp(means.sort_index())
        note = f" ({_style.word('estimated', lang)})" if self.estimated else ""
        names = ("Malmquist index", "efficiency change", "technical change")
        for k, (column, name) in enumerate(zip(means.columns[:3], names, strict=True)):
            look: dict[str, Any] = {"color": ("black", *_style.COLOURS)[k], "linewidth": 2 if k == 0 else 1.4}
            ax.plot(means.index, means[column], label=_style.word(name, lang) + note, **look)
        ax.axhline(1, color="0.6", linewidth=0.8)
        ax.set_ylabel(_style.word("cumulative index", lang))
        _style.year_ticks(ax)
        ax.legend(frameon=False)
        return _style.finish(ax, lang)

    def _page(self) -> tuple[str, pd.DataFrame, list[str]]:
        text = f"Malmquist index ({self.orientation} orientation): geometric means over units"
        notes = [f"inputs {', '.join(map(str, self.inputs))}; outputs {', '.join(map(str, self.outputs))}"]
        if self.estimated:
            notes.append("ESTIMATE: an input or output is one, so the index is one")
        return text, self.means(), notes

    def __repr__(self) -> str:
        return _style.text_page(*self._page())

    def _repr_html_(self) -> str:
        return _style.html_page(*self._page())


def malmquist(
    frame: pd.DataFrame,
    inputs: str | Sequence[Any],
    outputs: str | Sequence[Any],
    *,
    orientation: Orientation = "output",
) -> MalmquistResult:
    """DEA-Malmquist index of total factor productivity and its decomposition.

    Parameters
    ----------
    frame : DataFrame indexed by (unit, year)
        Balanced; inputs and outputs positive and real (in constant prices).
    inputs, outputs : column or sequence of columns
    orientation : {"output", "input"}
        The index, efficiency change and technical change are under constant returns and do not depend on
        it; the split of efficiency change into pure efficiency and scale does.

    Returns
    -------
    MalmquistResult

    Raises
    ------
    PanelError
        Missing cells, values that are not positive, an unbalanced panel, fewer than two years.

    Notes
    -----
    Fare, Grosskopf, Norris and Zhang (1994), as in DEAP 2.1 (Coelli 1996); see
    `nqpf_spatial.kernels.productivity.malmquist`. With 31 units and two or three variables many
    units span the frontier: differences of a percent or two are within what a single outlying cell moves.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_product([["u", "v"], [2000, 2001]], names=["unit", "year"])
    >>> data = pd.DataFrame({"x": [2.0, 2, 4, 4], "y": [1.0, 2, 4, 6]}, index=index)
    >>> malmquist(data, ["x"], ["y"]).table["malmquist"].round(3).tolist()
    [2.0, 1.5]
    """
    _frame.check_choice("orientation", orientation, ("output", "input"))
    inputs, outputs = _frame.column_list(inputs), _frame.column_list(outputs)
    x, y, table = _arrays(frame, inputs, outputs, "malmquist")
    result = kernels.malmquist(x, y, orientation)
    units, years = _frame.units_of(table), _frame.years_of(table)
    names = (table.index.names[0], table.index.names[1])
    end = _frame.suffix((*inputs, *outputs))
    parts = {
        "malmquist": result.index,
        "efficiency_change": result.efficiency,
        "technical_change": result.technical,
        "pure_efficiency_change": result.pure,
        "scale_change": result.scale,
    }
    blank = np.full((1, len(units)), np.nan)
    d = result.distances
    distances = {
        "same_year": d.same,
        "previous_frontier": np.vstack([blank, d.ahead]),
        "next_frontier": np.vstack([d.back, blank]),
        "variable_returns": d.variable,
    }
    return MalmquistResult(
        table=pd.DataFrame({k + end: _frame.from_array(v, units, years[1:], names) for k, v in parts.items()}),
        distances=pd.DataFrame({k: _frame.from_array(v, units, years, names) for k, v in distances.items()}),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        orientation=orientation,
    )


def dea(
    frame: pd.DataFrame,
    inputs: str | Sequence[Any],
    outputs: str | Sequence[Any],
    *,
    orientation: Orientation = "output",
    returns: Literal["crs", "vrs"] = "crs",
) -> pd.Series:
    """Radial technical efficiency of every unit, against the frontier of its year.

    Parameters
    ----------
    frame : DataFrame
        Indexed by (unit, year), one frontier per year, or by unit.
    inputs, outputs : column or sequence of columns
        Positive.
    orientation : {"output", "input"}
    returns : {"crs", "vrs"}
        Constant or variable returns to scale.

    Returns
    -------
    Series
        In (0, 1], named ``dea_efficiency`` (with ``_est`` where an input or output is an estimate).

    Raises
    ------
    PanelError
        Missing cells or values that are not positive.

    Notes
    -----
    Charnes, Cooper and Rhodes (1978), Banker, Charnes and Cooper (1984); see
    `nqpf_spatial.kernels.productivity.dea`.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame({"x": [2.0, 4.0], "y": [1.0, 4.0]}, index=["u", "v"])
    >>> dea(data, ["x"], ["y"]).to_dict()
    {'u': 0.5, 'v': 1.0}
    """
    inputs, outputs = _frame.column_list(inputs), _frame.column_list(outputs)
    _check_named(inputs, outputs, "dea")
    table = _frame.canonical_table(frame, [*inputs, *outputs])
    check_positive(table, (*inputs, *outputs))
    values, m = table.to_numpy(), len(inputs)
    out = np.empty(len(table))
    years = _frame.years_of(table)
    stamps = table.index.get_level_values(1).to_numpy() if years else None
    for rows in [np.flatnonzero(stamps == t) for t in years] if stamps is not None else [slice(None)]:
        block = values[rows]
        out[rows] = kernels.dea(block[:, :m], block[:, m:], orientation=orientation, returns=returns)
    return pd.Series(out, index=table.index, name="dea_efficiency" + _frame.suffix((*inputs, *outputs)))


def _check_named(inputs: Sequence[Any], outputs: Sequence[Any], what: str) -> None:
    if not len(inputs) or not len(outputs):
        raise PanelError(f"{what} needs at least one input and one output; got {inputs!r} and {outputs!r}")


def _arrays(
    frame: pd.DataFrame, inputs: Sequence[Any], outputs: Sequence[Any], what: str
) -> tuple[_frame.Array, _frame.Array, pd.DataFrame]:
    _check_named(inputs, outputs, what)
    table = _frame.canonical_table(frame, [*inputs, *outputs])
    check_positive(table, (*inputs, *outputs))
    values = _frame.balanced(table, what)
    return values[..., : len(inputs)], values[..., len(inputs) :], table
