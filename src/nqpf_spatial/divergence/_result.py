"""What every result of this room shows: a table, a text, a page of HTML, a picture."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def number(value: float) -> str:
    """Four decimals, scientific where these would show nothing, empty for NaN."""
    if pd.isna(value):
        return ""
    return f"{value:.3e}" if value != 0 and abs(value) < 5e-4 else f"{value:.4f}"


class Result:
    """Text and HTML of a frozen result with a ``table``; sub-classes name themselves and draw themselves."""

    __slots__ = ()
    table: pd.DataFrame

    def _title(self) -> str:
        raise NotImplementedError

    def _notes(self) -> list[str]:
        return []

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Draw the result; sub-classes say what."""
        raise NotImplementedError

    def __str__(self) -> str:
        """Title, table and notes."""
        body = self.table.to_string(float_format=number, na_rep="")
        return "\n".join([self._title(), body, *self._notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same for a notebook."""
        notes = "".join(f"<p><small>{escape(n)}</small></p>" for n in self._notes())
        body = self.table.to_html(float_format=number, na_rep="", border=0)
        return f"<p><b>{escape(self._title())}</b></p>{body}{notes}"


@dataclass(frozen=True, slots=True)
class Test:
    """A test: statistic, degrees of freedom (None where it has none), p-value and the null hypothesis."""

    #: not a pytest class
    __test__ = False

    name: str
    statistic: float
    df: float | None
    pvalue: float
    null: str
    note: str = ""

    def __str__(self) -> str:
        """One line."""
        df = "" if self.df is None else f", df = {self.df:g}"
        tail = f" [{self.note}]" if self.note else ""
        return f"{self.name}: {self.statistic:.4f}{df}, p = {self.pvalue:.4f}; H0: {self.null}{tail}"


def check_choice(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Raise a ValueError that shows the given value and the allowed ones."""
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is not known; choose one of {', '.join(map(repr, allowed))}")
