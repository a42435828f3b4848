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


def p_text(pvalue: float) -> str:
    """``p = 0.0312``, or ``p < 0.001`` where four decimals would show next to nothing."""
    return "p < 0.001" if pvalue < 0.001 else f"p = {pvalue:.4f}"


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


@dataclass(frozen=True, slots=True, repr=False)
class Test:
    """A test: statistic, degrees of freedom (None where it has none), p-value and the null hypothesis.

    ``decision`` is empty where p at 5 percent decides.
    """

    #: not a pytest class
    __test__ = False

    name: str
    statistic: float
    df: float | None
    pvalue: float
    null: str
    note: str = ""
    decision: str = ""

    def __str__(self) -> str:
        """One line: statistic, degrees of freedom, p-value, null hypothesis, decision, note."""
        df = "" if self.df is None else f", df = {self.df:g}"
        tail = f" [{self.note}]" if self.note else ""
        return f"{self.name}: {self.statistic:.4f}{df}, {p_text(self.pvalue)}; H0: {self.null}, {self._said()}{tail}"

    __repr__ = __str__

    def _said(self) -> str:
        """The decision of the test's own rule, or that of p at 5 percent."""
        if self.decision:
            return self.decision
        return "rejected at 5 %" if self.pvalue < 0.05 else "not rejected at 5 %"


def check_choice(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Raise a ValueError that shows the given value and the allowed ones."""
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is not known; choose one of {', '.join(map(repr, allowed))}")
