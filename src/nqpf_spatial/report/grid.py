"""A printed table as data: labelled rows of cells that know the number behind their text, and how to become a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

#: stars of economics journals
STARS: Mapping[str, float] = {"*": 0.1, "**": 0.05, "***": 0.01}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text : str
        What is printed, without stars.
    value : float or None
        The number behind the text in full precision; None for words and for pairs of numbers.
    pattern : str
        Excel's number format that prints `value` as `text` and `stars`.
    stars : str
        Marks of significance behind the text.
    """

    text: str = ""
    value: float | None = None
    pattern: str = ""
    stars: str = ""

    @property
    def printed(self) -> str:
        """Text and stars."""
        return self.text + self.stars


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the block it belongs to ("" without blocks), its label ("" continues the row above) and its cells."""

    block: str
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A table ready to be printed in any format.

    Attributes
    ----------
    title : str
        First line of the text and caption where a caption is asked for.
    header : tuple of tuple of str
        Levels of column heads, outermost first; equal neighbours in the outer levels are printed once.
    rows : tuple of Row
    notes : tuple of str
    lang : {"en", "zh"}
    numbers : DataFrame or None
        Numbers in full precision for the second sheet of `to_excel`.
    """

    title: str
    header: tuple[tuple[str, ...], ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    lang: str = "en"
    numbers: pd.DataFrame | None = field(default=None, repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """The printed cells as strings; rows (block, label), columns as in the header."""
        levels = [list(level) for level in self.header]
        columns = pd.MultiIndex.from_arrays(levels) if len(levels) > 1 else pd.Index(levels[0])
        index: pd.Index = pd.MultiIndex.from_tuples(
            [(row.block, row.label) for row in self.rows], names=["block", "label"]
        )
        if not any(row.block for row in self.rows):
            index = index.droplevel("block")
        return pd.DataFrame([[c.printed for c in row.cells] for row in self.rows], index=index, columns=columns)

    def to_text(self, path: str | PathLike[str] | None = None) -> str:
        """Fixed-width text; Chinese characters count for two columns. With `path` also written there, as UTF-8."""
        from nqpf_spatial.report.write_text import text

        return _written(text(self), path)

    def to_markdown(self, path: str | PathLike[str] | None = None) -> str:
        """A pipe table of GitHub's Markdown, notes below. With `path` also written there, as UTF-8."""
        from nqpf_spatial.report.write_text import markdown

        return _written(markdown(self), path)

    def to_latex(
        self,
        path: str | PathLike[str] | None = None,
        *,
        caption: str | None = None,
        label: str | None = None,
        longtable: bool = False,
    ) -> str:
        r"""LaTeX with booktabs rules, by maketables.

        Parameters
        ----------
        path : path, optional
            Also written there, as UTF-8.
        caption, label : str, optional
            Of the float; without them there is no float around the table.
        longtable : bool
            For tables longer than a page: a ``longtable``, no float, with the heads repeated on every page.

        Returns
        -------
        str
            Needs ``\usepackage{booktabs,threeparttable,makecell}``, and ``longtable`` for one; Chinese text needs XeLaTeX or LuaLaTeX with ctex.
        """
        from nqpf_spatial.report.write_files import latex

        made = latex(self, caption, label, longtable)
        if path is not None:
            Path(path).write_text(made, encoding="utf-8", newline="\n")
        return made

    def to_html(self, path: str | PathLike[str] | None = None, *, caption: str | None = None) -> str:
        """HTML with its own style, by maketables and Great Tables; the same table gives the same bytes."""
        from nqpf_spatial.report.write_files import html

        made = html(self, caption)
        if path is not None:
            Path(path).write_text(made, encoding="utf-8", newline="\n")
        return made

    def to_word(self, path: str | PathLike[str], *, caption: str | None = None) -> None:
        """A Word document with one table, by maketables; the same table gives the same bytes."""
        from nqpf_spatial.report.write_files import word_document

        Path(path).write_bytes(word_document(self, caption))

    def to_excel(self, path: str | PathLike[str]) -> None:
        """A workbook: "table" as printed, with numbers as numbers in full precision; "numbers" with all statistics behind it."""
        from nqpf_spatial.report.write_files import workbook

        Path(path).write_bytes(workbook(self))

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        from nqpf_spatial.report.write_text import notebook_html

        return notebook_html(self)


def number(value: Any, digits: int, around: tuple[str, str] = ("", ""), stars: str = "") -> Cell:
    """A cell with one number.

    Numbers that `digits` decimals would print as zero are printed in scientific notation; NaN is an empty cell.

    Examples
    --------
    >>> number(-0.12345, 3, stars="**").printed, number(0.00001234, 3, ("(", ")")).text, number(float("nan"), 3).text
    ('-0.123**', '(1.2e-05)', '')
    """
    value = float(value)
    if math.isnan(value):
        return Cell()
    text, pattern = f"{value:.{digits}f}", "0." + "0" * digits if digits else "0"
    if value != 0.0 and float(text) == 0.0:
        text, pattern = f"{value:.1e}", "0.0E+00"
    if value == 0.0:
        text = f"{0.0:.{digits}f}"
    if math.isinf(value):
        return Cell(f"{around[0]}{'-' if value < 0 else ''}∞{around[1]}", None, "", stars)
    left, right = around
    return Cell(f"{left}{text}{right}", value, _pattern(pattern, left, right + stars), stars)


def significant(value: Any, digits: int, around: tuple[str, str] = ("", "")) -> Cell:
    """A cell with one number in `digits` significant figures, for variances of any size."""
    value = float(value)
    if math.isnan(value):
        return Cell()
    magnitude = 0 if value == 0.0 else math.floor(math.log10(abs(value)))
    if -5 < magnitude < digits:
        return number(value, digits - 1 - magnitude, around)
    text = f"{value:.{digits - 1}e}"
    return Cell(f"{around[0]}{text}{around[1]}", value, _pattern(f"0.{'0' * (digits - 1)}E+00", *around))


def probability(value: Any, digits: int, around: tuple[str, str] = ("", "")) -> Cell:
    """A cell with a p-value; ``<0.001`` where the decimals would show nothing."""
    value = float(value)
    least = 10.0**-digits
    if math.isnan(value) or value >= least:
        return number(value, digits, around)
    small, plain = f"<{least:.{digits}f}", "0." + "0" * digits
    pattern = (
        f"[<{least:.{digits}f}]{_quoted(around[0] + small + around[1])};{_quoted(around[0])}{plain}{_quoted(around[1])}"
    )
    return Cell(f"{around[0]}{small}{around[1]}", value, pattern)


def count(value: Any) -> Cell:
    """A cell with a whole number."""
    return Cell(str(int(value)), float(value), "0")


def _pattern(digits: str, left: str, right: str) -> str:
    """Excel's format of a number between two texts; the sign goes inside the bracket."""
    if not left and not right:
        return digits
    whole = f"{_quoted(left)}{digits}{_quoted(right)}"
    return f"{whole};{_quoted(left + '-')}{digits}{_quoted(right)}"


def _quoted(text: str) -> str:
    return f'"{text}"' if text else ""


def stars_of(pvalue: float, levels: Mapping[str, float]) -> str:
    """The mark of the smallest level above a p-value.

    Examples
    --------
    >>> stars_of(0.03, {"*": 0.1, "**": 0.05, "***": 0.01}), stars_of(float("nan"), {"*": 0.1})
    ('**', '')
    """
    reached = [(level, mark) for mark, level in levels.items() if pvalue < level]
    return min(reached)[1] if reached else ""


def star_levels(stars: bool | Mapping[str, float] | tuple[float, ...] | list[float]) -> dict[str, float]:
    """Marks and their levels from any way to choose them.

    Raises
    ------
    ValueError
        Levels outside (0, 1), repeated, or more than four without marks.
    """
    if stars is True:
        return dict(STARS)
    if stars is False or stars is None:
        return {}
    if not isinstance(stars, Mapping):
        levels = sorted((float(v) for v in stars), reverse=True)
        stars = {"*" * (i + 1): level for i, level in enumerate(levels)}
    found = {str(mark): float(level) for mark, level in stars.items()}
    distinct = len(set(found.values())) == len(found)
    if not distinct or len(found) > 4 or not all(0.0 < level < 1.0 for level in found.values()) or not all(found):
        raise ValueError(
            f"stars={stars!r}: give True, False, levels such as (0.1, 0.05, 0.01), or marks with their levels such as "
            '{"*": 0.1, "**": 0.05}; at most four different levels between 0 and 1'
        )
    return found


def _written(text: str, path: str | PathLike[str] | None) -> str:
    """The text, which also goes to a file if there is a path."""
    if path is not None:
        Path(path).write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8", newline="\n")
    return text
