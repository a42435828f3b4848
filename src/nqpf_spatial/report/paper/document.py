"""The finished document: pieces that are a table, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pandas as pd

from nqpf_spatial.models.diagnostics import Diagnosis
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.report.figures import png
from nqpf_spatial.report.grid import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Piece:
    """One piece of the sequence.

    Attributes
    ----------
    name : str
        Key in `Paper.tables`.
    title : str
    table : Table or None
    why : str
        Why there is no table.
    figure : Figure or None
    caption : str
        Of the figure.
    lacking : mapping
        Parts that could not be made (a column, the map) -> why.
    """

    name: str
    title: str
    table: Table | None = None
    why: str = ""
    figure: Figure | None = None
    caption: str = ""
    lacking: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Paper:
    """The twelve tables of an empirical paper, made by `nqpf_spatial.paper`.

    Attributes
    ----------
    title : str
    facts : tuple of (str, str)
        What was estimated on what.
    pieces : tuple of Piece
        In their order; pieces without a table are among them.
    fit : SpatialFit
        The baseline.
    diagnosis : Diagnosis
        Its whole test battery, of which the document prints a part.
    lang : {"en", "zh"}
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    pieces: tuple[Piece, ...]
    fit: SpatialFit = field(repr=False)
    diagnosis: Diagnosis = field(repr=False)
    lang: str = "en"

    @property
    def tables(self) -> Mapping[str, Table]:
        """Name -> printed table, in the order of the document."""
        return MappingProxyType({p.name: p.table for p in self.pieces if p.table is not None})

    @property
    def frames(self) -> Mapping[str, pd.DataFrame]:
        """Name -> the numbers behind the table in full precision."""
        numbers = {name: table.numbers for name, table in self.tables.items()}
        return MappingProxyType({name: frame.copy() for name, frame in numbers.items() if frame is not None})

    @property
    def figures(self) -> Mapping[str, Figure]:
        """Name -> figure."""
        return MappingProxyType({p.name: p.figure for p in self.pieces if p.figure is not None})

    @property
    def missing(self) -> Mapping[str, str]:
        """What could not be made -> why; parts of a piece as ``"robustness: other weights"``."""
        found = {}
        for piece in self.pieces:
            if piece.why:
                found[piece.name] = piece.why
            found |= {f"{piece.name}: {part}": why for part, why in piece.lacking.items()}
        return MappingProxyType(found)

    @cached_property
    def pictures(self) -> Mapping[str, bytes]:
        """Name -> the figure as PNG; drawn once, so that every format holds the same bytes."""
        return MappingProxyType({name: png(figure, 200) for name, figure in self.figures.items()})

    def to_word(self, path: str | PathLike[str]) -> None:
        """One Word document."""
        from nqpf_spatial.report.paper.write_word import word

        Path(path).write_bytes(word(self))

    def to_latex(self, path: str | PathLike[str]) -> None:
        """One compilable LaTeX document; its pictures lie beside it in ``NAME-figures``.

        XeLaTeX or LuaLaTeX where there is Chinese text (class ctexart), any LaTeX otherwise.
        """
        from nqpf_spatial.report.paper.write import latex

        target = Path(path)
        folder = f"{target.stem}-figures"
        target.write_text(latex(self, folder), encoding="utf-8", newline="\n")
        if self.pictures:
            (target.parent / folder).mkdir(exist_ok=True)
        for name, picture in self.pictures.items():
            (target.parent / folder / f"{name}.png").write_bytes(picture)

    def to_html(self, path: str | PathLike[str] | None = None) -> str:
        """One HTML file that asks the network for nothing; the text is returned, and written where a path is given."""
        from nqpf_spatial.report.paper.write import html

        made = html(self)
        if path is not None:
            Path(path).write_text(made, encoding="utf-8", newline="\n")
        return made

    def save(self, folder: str | PathLike[str]) -> None:
        """Word, LaTeX and HTML documents, the pictures, and every table as CSV in full precision, in one folder."""
        target = Path(folder)
        (target / "tables").mkdir(parents=True, exist_ok=True)
        self.to_word(target / "paper.docx")
        self.to_latex(target / "paper.tex")
        self.to_html(target / "paper.html")
        order = [piece.name for piece in self.pieces]
        for name, frame in self.frames.items():
            file = target / "tables" / f"{order.index(name) + 1:02d}-{name}.csv"
            file.write_text(frame.to_csv(lineterminator="\n"), encoding="utf-8-sig", newline="\n")

    def __repr__(self) -> str:
        lines = [self.title, *(f"{name}: {value}" for name, value in self.facts)]
        for n, piece in enumerate(self.pieces, start=1):
            lines.append(f"{n:2d} {piece.name}: {piece.why or piece.title}")
            lines += [f"   {part}: {why}" for part, why in piece.lacking.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from nqpf_spatial.report.paper.write import notebook

        return notebook(self)
