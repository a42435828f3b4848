"""Relative transition paths of Phillips and Sul."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from nqpf_spatial.divergence import _style
from nqpf_spatial.divergence._frame import Missing, Years
from nqpf_spatial.divergence._result import Result
from nqpf_spatial.divergence.phillips_sul import _prepare
from nqpf_spatial.kernels import convergence as _kernel

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TransitionResult(Result):
    """Relative transition paths.

    Attributes
    ----------
    table : DataFrame
        ``h_it``, years in rows, units in columns; every row has mean one.
    """

    table: pd.DataFrame
    name: str
    note: str

    def _title(self) -> str:
        return f"Relative transition paths of {self.name}"

    def _notes(self) -> list[str]:
        return [self.note] if self.note else []

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """One line per unit; names of the highest and the lowest at the right."""
        ax = _style.new_axes(ax, lang)
        last = self.table.iloc[-1]
        for unit in self.table.columns:
            ends = unit in (last.idxmax(), last.idxmin())
            colour = _style.COLOURS[0] if ends else "0.55"
            ax.plot(self.table.index, self.table[unit], color=colour, lw=1.6 if ends else 0.7)
            if ends:
                ax.text(self.table.index[-1], last[unit], f"  {_style.unit(unit, lang)}", va="center", fontsize=8)
        ax.axhline(1.0, color="black", lw=0.7)
        ax.set_ylabel(_style.word("relative transition path", lang))
        ax.set_title(_style.title(self.name, lang), loc="left")
        _style.year_ticks(ax)
        return _style.finish(ax, lang)


def transition_paths(
    data: pd.Series | pd.DataFrame,
    *,
    hp_lambda: float | None = 400.0,
    log: bool = True,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> TransitionResult:
    """Relative transition paths ``h_it = y_it / mean_i y_it``; options as in :func:`log_t`.

    Returns
    -------
    TransitionResult
        ``.table``: years in rows, units in columns.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_product([list("ab"), [2000, 2001]], names=["unit", "year"])
    >>> x = pd.Series([1.0, 2.0, 3.0, 2.0], index=index, name="x")
    >>> transition_paths(x, log=False, hp_lambda=None).table
    unit    a    b
    year
    2000  0.5  1.5
    2001  1.0  1.0
    """
    x, y = _prepare(data, value, years, missing, log, hp_lambda)
    paths = pd.DataFrame(_kernel.relative_paths(y).T, index=x.index(), columns=pd.Index(x.units, name=x.unit_name))
    return TransitionResult(paths, x.name, x.note)
