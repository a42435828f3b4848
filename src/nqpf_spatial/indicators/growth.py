"""Growth accounting: the Solow residual, labour productivity."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from nqpf_spatial.errors import PanelError
from nqpf_spatial.indicators import _frame, _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SolowResult:
    """Growth accounts of every unit and year.

    Attributes
    ----------
    table : DataFrame
        Indexed by (unit, year). Growth in log points (first year empty): ``output``, ``capital`` and
        ``labour`` (contributions: share times growth), ``tfp`` (the residual; they add up). ``ln_tfp`` is
        the log level under a constant share; under shares that move, the cumulated residual with the
        first year at zero. Names end in ``_est`` where an input's does.
    share : str
        What was used as the share of capital.
    constant_share : bool
    inputs : tuple of str
        Columns of output, capital and labour.
    """

    table: pd.DataFrame
    share: str
    constant_share: bool
    inputs: tuple[str, str, str]

    @property
    def estimated(self) -> bool:
        """Whether an input, hence the residual, is an estimate."""
        return bool(_frame.suffix(self.inputs))

    def means(self, by: Literal["year", "unit"] = "year") -> pd.DataFrame:
        """Means of the growth accounts over units, or over years."""
        _frame.check_choice("by", by, ("year", "unit"))
        growth = self.table.drop(columns=[c for c in self.table if c.startswith("ln_")])
        return growth.groupby(level=1 if by == "year" else 0, sort=False).mean().dropna()

    def plot(self, *, lang: Literal["en", "zh"] = "en", ax: Axes | None = None) -> Axes:
        """Mean contributions per year, stacked, with output growth as a line.

        Parameters
        ----------
        lang : {"en", "zh"}
        ax : matplotlib Axes, optional
        """
        ax = _style.new_axes(ax, lang)
        means = self.means()
        up, down = np.zeros(len(means)), np.zeros(len(means))
        for k, column in enumerate(c for c in means if not c.startswith("output")):
            value = means[column].to_numpy()
            base = np.where(value >= 0, up, down)
            name = _style.word(column.removesuffix(_frame.ESTIMATE), lang)
            if column.endswith(_frame.ESTIMATE):
                name += f" ({_style.word('estimated', lang)})"
            ax.bar(means.index, value, bottom=base, color=_style.COLOURS[k], width=0.75, label=name)
            up, down = up + np.maximum(value, 0), down + np.minimum(value, 0)
        output = next(c for c in means if c.startswith("output"))
        ax.plot(means.index, means[output], "o-", color="black", markersize=3, label=_style.word("output", lang))
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set_ylabel(_style.word("log points per year", lang))
        _style.year_ticks(ax)
        ax.legend(frameon=False, ncols=2)
        return _style.finish(ax, lang)

    def _notes(self) -> list[str]:
        notes = [f"inputs {', '.join(self.inputs)}; capital share: {self.share}; means over units, log points"]
        if self.estimated:
            notes.append("ESTIMATE: an input is one, so the residual is one")
        return notes

    def __repr__(self) -> str:
        return _style.text_page("Growth accounts (Solow residual)", self.means(), self._notes())

    def _repr_html_(self) -> str:
        return _style.html_page("Growth accounts (Solow residual)", self.means(), self._notes())


def solow(
    frame: pd.DataFrame,
    output: str,
    capital: str,
    labour: str,
    *,
    capital_share: float | None = None,
    labour_share: str | float | None = None,
) -> SolowResult:
    """Solow residual in levels and growth rates.

    Parameters
    ----------
    frame : DataFrame indexed by (unit, year)
    output, capital, labour : str
        Columns; positive. Residents standing in for labour are a choice to state in the table.
    capital_share : float, optional
        Output elasticity of capital, in (0, 1).
    labour_share : str or float, optional
        In place of ``capital_share``: a column with the labour share of income (growth then uses the mean
        of both years, Tornqvist), or a number.

    Returns
    -------
    SolowResult

    Raises
    ------
    PanelError
        Missing cells, values that are not positive, shares outside (0, 1), years with gaps, both or neither
        share given.

    Notes
    -----
    ``ln A = ln Y - a ln K - (1 - a) ln L`` and ``d ln A = d ln Y - a d ln K - (1 - a) d ln L`` (Solow 1957),
    with ``a = (a_t + a_{t-1}) / 2`` where shares move. Constant returns and competitive factor markets are
    assumed, not tested.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_product([["u"], [2000, 2001]], names=["unit", "year"])
    >>> data = pd.DataFrame({"y": [1.0, 1.1], "k": [1.0, 1.2], "n": [1.0, 1.0]}, index=index)
    >>> solow(data, "y", "k", "n", capital_share=0.5).table["tfp"].round(3).tolist()
    [nan, 0.415]
    """
    if (capital_share is None) == (labour_share is None):
        raise PanelError("give exactly one of capital_share and labour_share")
    inputs = (output, capital, labour)
    wanted = [*inputs, *([labour_share] if isinstance(labour_share, str) else [])]
    table = _frame.canonical_table(frame, wanted)
    values = _frame.balanced(table, "solow")
    years = _frame.years_of(table)
    if any(b - a != 1 for a, b in pairwise(years)):
        raise PanelError(f"solow needs consecutive years; got {_frame.shorten(years, 30)}")
    check_positive(table, inputs)
    y, k, n = np.log(values[..., :3]).transpose(2, 0, 1)
    if isinstance(labour_share, str):
        a, text = 1 - values[..., 3], f"1 - {labour_share}"
    else:
        constant = capital_share if capital_share is not None else 1 - float(labour_share or 0)
        a, text = np.full(y.shape, constant), f"{constant:g}"
    if not ((a > 0) & (a < 1)).all():
        raise PanelError(f"shares must lie in (0, 1); the capital share runs from {a.min():.4g} to {a.max():.4g}")
    mid = (a[1:] + a[:-1]) / 2
    parts = {"output": np.diff(y, axis=0), "capital": mid * np.diff(k, axis=0)}
    parts["labour"] = (1 - mid) * np.diff(n, axis=0)
    parts["tfp"] = parts["output"] - parts["capital"] - parts["labour"]
    blank = np.full((1, y.shape[1]), np.nan)
    columns = {name: np.vstack([blank, 100 * value]) for name, value in parts.items()}
    moving = isinstance(labour_share, str)
    columns["ln_tfp"] = (
        np.vstack([np.zeros_like(blank), np.cumsum(parts["tfp"], axis=0)]) if moving else y - a * k - (1 - a) * n
    )
    return SolowResult(_labelled(columns, table, inputs), text, not moving, inputs)


def _labelled(columns: dict[str, _frame.Array], table: pd.DataFrame, inputs: tuple[str, str, str]) -> pd.DataFrame:
    units, years = _frame.units_of(table), _frame.years_of(table)
    ends = {
        "output": _frame.suffix(inputs[:1]),
        "capital": _frame.suffix(inputs[1:2]),
        "labour": _frame.suffix(inputs[2:]),
        "tfp": _frame.suffix(inputs),
        "ln_tfp": _frame.suffix(inputs),
    }
    names = (table.index.names[0], table.index.names[1])
    return pd.DataFrame({k + ends[k]: _frame.from_array(v, units, years, names) for k, v in columns.items()})


def check_positive(table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Raise a PanelError that names cells of these columns that are not positive."""
    bad = [(c, row) for c in columns for row in table.index[~(table[c] > 0)]]
    if bad:
        cells = ", ".join(f"{c} of {_frame.name(row)}" for c, row in bad[:6])
        raise PanelError(f"{len(bad)} cells are not positive, so they have no logarithm or ratio: {cells}")


def labour_productivity(frame: pd.DataFrame, output: str, labour: str) -> pd.Series:
    """Output per unit of labour.

    Parameters
    ----------
    frame : DataFrame
        Indexed by (unit, year) or unit.
    output, labour : str
        Columns; positive. Real output, if levels of different years are to be compared.

    Returns
    -------
    Series
        Named ``output_per_labour`` after its columns; the name ends in ``_est`` where one of theirs does.

    Raises
    ------
    PanelError
        Missing cells or values that are not positive.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame({"gdp_real": [8.0, 9.0], "employees": [2.0, 3.0]}, index=["u", "v"])
    >>> labour_productivity(data, "gdp_real", "employees").to_dict()
    {'u': 4.0, 'v': 3.0}
    """
    table = _frame.canonical_table(frame, [output, labour])
    check_positive(table, (output, labour))
    stem = f"{output.removesuffix(_frame.ESTIMATE)}_per_{labour.removesuffix(_frame.ESTIMATE)}"
    return (table[output] / table[labour]).rename(stem + _frame.suffix((output, labour)))
