"""The document as Word: the tables of `nqpf_spatial.report`, one after the other, wide ones on pages turned sideways."""

from __future__ import annotations

import io
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from nqpf_spatial.report.paper.write import numbered, remarks
from nqpf_spatial.report.write_files import LATIN, saved, set_east_asian, word_table

if TYPE_CHECKING:
    from nqpf_spatial.report.grid import Table
    from nqpf_spatial.report.paper.document import Paper, Piece

#: cm between the margins of a page upright and turned
_UPRIGHT, _TURNED = 16.6, 25.3
_LONG, _SHORT, _MARGIN = 29.7, 21.0, 2.2
#: cm of a digit at 10 points, and between columns
_SIGN, _GAP = 0.18, 0.25


def word(paper: Paper) -> bytes:
    """One Word document; the same paper gives the same bytes."""
    try:
        from docx import Document
    except ImportError as error:
        raise ImportError("Word documents are made by python-docx; install the extra: nqpf-spatial[tables]") from error
    document = Document()
    _page(document.sections[0], turned=False)
    _paragraph(document, paper.title, size=16, bold=True)
    for name, value in paper.facts:
        _paragraph(document, f"{name}: {value}" if paper.lang == "en" else f"{name}：{value}")
    turned = False
    for piece, head, below in numbered(paper):
        wide = piece.table is not None and sum(_widths(piece.table)[0]) > _UPRIGHT
        if wide != turned:
            from docx.enum.section import WD_SECTION

            _page(document.add_section(WD_SECTION.NEW_PAGE), turned=wide)
            turned = wide
        _add(document, paper, piece, head, below, _TURNED if wide else _UPRIGHT)
    set_east_asian(document)
    return saved(document, paper.title)


def _page(section: Any, *, turned: bool) -> None:
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm

    section.orientation = WD_ORIENT.LANDSCAPE if turned else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (Cm(_LONG), Cm(_SHORT)) if turned else (Cm(_SHORT), Cm(_LONG))
    for side in ("left", "right", "top", "bottom"):
        setattr(section, f"{side}_margin", Cm(_MARGIN))


def _widths(table: Table) -> tuple[list[float], list[float]]:
    """cm that labels and columns need at least, numbers in one line, and what they would like, everything in one line."""
    labels = _SIGN * max(cell_len(row.label) for row in table.rows) + _GAP
    least, liked = [min(labels, 4.2)], [labels]
    for j in range(len(table.header[-1])):
        words = max(cell_len(part) for level in table.header for part in [*level[j].split(), ""])
        numbers = max(
            (cell_len(row.cells[j].printed) for row in table.rows if row.cells[j].value is not None), default=0
        )
        whole = max(cell_len(text) for text in [*(row.cells[j].printed for row in table.rows), table.header[-1][j]])
        least.append(_SIGN * max(numbers, min(words, 14), min(whole, 12)) + _GAP)
        liked.append(max(least[-1], _SIGN * whole + _GAP))
    return least, liked


def _fitted(table: Table, width: float) -> list[float]:
    """Widths that fill the page: what is left beyond the least goes to the columns that would like more."""
    least, liked = _widths(table)
    left = width - sum(least)
    wish = [b - a for a, b in zip(least, liked, strict=True)]
    share = min(1.0, left / sum(wish)) if sum(wish) > 0 else 0.0
    widths = [a + share * more for a, more in zip(least, wish, strict=True)]
    rest = (width - sum(widths)) / len(widths)
    return [w + rest for w in widths]


def _add(document: Any, paper: Paper, piece: Piece, head: str, below: str, width: float) -> None:
    from docx.shared import Cm

    _paragraph(document, head, size=12, bold=True, before=14, keep=True)
    if piece.table is not None:
        inner = word_table(piece.table, None, _fitted(piece.table, width))
        document.element.body.insert(len(document.element.body) - 1, deepcopy(inner.tables[0]._tbl))
        document.add_paragraph()
    for line in remarks(paper, piece):
        _paragraph(document, line, italic=True)
    if below:
        run = document.add_paragraph().add_run()
        run._r.getparent().get_or_add_pPr().get_or_add_keepNext()
        run.add_picture(io.BytesIO(paper.pictures[piece.name]), width=Cm(min(width, _UPRIGHT)))
        _paragraph(document, below, size=10, bold=True)


def _paragraph(
    document: Any,
    text: str,
    *,
    size: int = 11,
    bold: bool = False,
    italic: bool = False,
    before: int = 0,
    keep: bool = False,
) -> None:
    from docx.shared import Pt

    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_before = Pt(before)
    paragraph.paragraph_format.space_after = Pt(4)
    paragraph.paragraph_format.keep_with_next = keep
    run = paragraph.add_run(text)
    run.font.name, run.font.size, run.bold, run.italic = LATIN, Pt(size), bold, italic
