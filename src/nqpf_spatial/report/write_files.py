"""Tables as LaTeX, HTML, Word (maketables) and Excel (openpyxl), with the same bytes for the same table."""

from __future__ import annotations

import hashlib
import io
import numbers
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.cells import cell_len

if TYPE_CHECKING:
    from nqpf_spatial.report.grid import Cell, Row, Table

#: typefaces of Word tables: Latin and East Asian
LATIN, EAST_ASIAN = "Times New Roman", "宋体"
_TEX_STYLE: dict[str, object] = {
    "tab_width": None, "data_addlinespace": None, "first_row_addlinespace": None, "tabcolsep": "6pt",
}  # fmt: skip
_WORD_STYLE: dict[str, object] = {
    "font_name": LATIN, "font_size_pt": 10, "notes_align": "left",
    "cell_margins_dxa": {"left": 40, "right": 40, "top": 20, "bottom": 20},
}  # fmt: skip
_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": r"\textbar{}",
    "ρ": r"$\rho$", "λ": r"$\lambda$", "σ": r"$\sigma$", "μ": r"$\mu$", "²": "$^2$", "×": r"$\times$", "χ": r"$\chi$",
    "≤": r"$\leq$", "≥": r"$\geq$", "−": "$-$", "∞": r"$\infty$",
}  # fmt: skip
_TEX_SIGNS = re.compile("|".join(map(re.escape, ["σ²_μ", "σ²", *_TEX])))
_TEX_PAIRS = {"σ²_μ": r"$\sigma^2_\mu$", "σ²": r"$\sigma^2$"}
_MARKS = {"†": r"\dagger", "‡": r"\ddagger", "#": r"\#", "%": r"\%", "&": r"\&"}
_DATED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")
_PAGE = 40  # rows beyond which a Word table may break between pages
_TEXT_WIDTH = 15.2  # cm between the margins of Word's default page
_UNSEEN = "\u200b"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def _maketables() -> Any:
    try:
        import maketables
    except ImportError as error:
        raise ImportError(
            "LaTeX, HTML and Word tables are made by maketables; install the extra: nqpf-spatial[tables]"
        ) from error
    return maketables


def tex(text: str) -> str:
    r"""Text for LaTeX: special signs escaped, Greek letters as mathematics.

    Examples
    --------
    >>> tex("R&D_share ρ < 5 %")
    'R\\&D\\_share $\\rho$ $<$ 5 \\%'
    """
    return _TEX_SIGNS.sub(lambda found: _TEX_PAIRS.get(found[0]) or _TEX[found[0]], text)


def _tex_cell(cell: Cell) -> str:
    """Numbers as mathematics, so that minus signs are minus signs and stars are raised."""
    if not re.match(r"[\[(<]*-?[\d∞]", cell.text) or re.search(r"[^\d\s.,()\[\]<>e+∞-]", cell.text):
        return tex(cell.text) + (f"$^{{{_tex_marks(cell.stars)}}}$" if cell.stars else "")
    body = re.sub(r"(\d)e([+-])0*(\d+)", lambda m: rf"{m[1]}\times 10^{{{m[2].replace('+', '')}{m[3]}}}", cell.text)
    body = body.replace("∞", r"\infty").replace(", ", r",\ ")
    return f"${body}^{{{_tex_marks(cell.stars)}}}$" if cell.stars else f"${body}$"


def _tex_marks(stars: str) -> str:
    return "".join(_MARKS.get(mark, mark) for mark in stars)


def latex(table: Table, caption: str | None, label: str | None, longtable: bool = False) -> str:
    """The table in LaTeX; see `Table.to_latex`."""
    if longtable:
        from nqpf_spatial.report.write_longtable import longtable as over_pages

        named = None if caption is None else tex(caption)
        return over_pages(latex(table, None, None), len(table.header[-1]) + 1, named, label, table.lang)
    frame = _escaped_frame(table)
    notes = "\n".join(tex(note) for note in table.notes)
    made = _maketables().MTable(
        frame, notes=notes, caption=None if caption is None else tex(caption), tab_label=label, rgroup_sep="t"
    )
    return made.make("tex", tex_style=_TEX_STYLE) + "\n"


def _escaped_frame(table: Table) -> pd.DataFrame:
    frame = table.frame
    cells = [[_tex_cell(cell) for cell in row.cells] for row in table.rows]
    grouped = isinstance(frame.index, pd.MultiIndex)
    index = [(tex(row.block), tex(row.label)) if grouped else tex(row.label) for row in table.rows]
    heads = [[tex(head) for head in level] for level in table.header]
    return pd.DataFrame(
        cells,
        index=pd.MultiIndex.from_tuples(index) if grouped else pd.Index(index),
        columns=pd.MultiIndex.from_arrays(heads) if len(heads) > 1 else pd.Index(heads[0]),
    )


def html(table: Table, caption: str | None) -> str:
    """The table in HTML; see `Table.to_html`."""
    content = repr((table.title, table.header, table.rows, table.notes, caption))
    frame = table.frame
    if len(table.header) > 1:
        frame.columns = pd.MultiIndex.from_arrays(_unlike(table.header))
    made = _maketables().MTable(frame, notes="\n".join(table.notes), caption=caption, rgroup_sep="t")
    page = made.make("gt", gt_style={"source_notes_font_size": "12px"}).as_raw_html().replace(_UNSEEN, "")
    drawn = re.search(r'<div id="([a-z]+)"', page)
    if drawn is not None:  # Great Tables draws the id of the element at random
        page = page.replace(drawn[1], "nq-" + hashlib.sha256(content.encode()).hexdigest()[:10])
    return page + "\n"


def _unlike(header: tuple[tuple[str, ...], ...]) -> list[list[str]]:
    """Heads that Great Tables can tell apart: it takes a label that spans columns twice for one and the same."""
    used: set[str] = set()
    levels = []
    for level in header[:-1]:
        heads: list[str] = []
        for head, size in _runs(level, last=False):
            while head in used:
                head += _UNSEEN
            used.add(head)
            heads += [head] * size
        levels.append(heads)
    return [*levels, list(header[-1])]


def word_document(table: Table, caption: str | None) -> bytes:
    """The table in a Word document; see `Table.to_word`."""
    document = word_table(table, caption)
    set_east_asian(document)
    return saved(document)


def word_table(table: Table, caption: str | None, widths: Sequence[float] | None = None) -> Any:
    """A python-docx document that holds the table; `widths` in cm of the labels and of every column."""
    frame = _stacked(table).frame
    heads = frame.columns.get_level_values(-1)
    if isinstance(frame.columns, pd.MultiIndex) and any(a == b for a, b in pairwise(heads)):
        # equal neighbours would be merged although they belong to different heads
        frame.columns = pd.Index(["\n".join(map(str, column)) for column in frame.columns])
    made = _maketables().MTable(frame, notes="\n".join(table.notes), caption=caption, rgroup_sep="t")
    document = made.make("docx", docx_style=_WORD_STYLE | {"prevent_page_breaks": len(frame) < _PAGE})
    columns = len(table.header[-1])
    _lay_out(document.tables[0], widths or _widths(max(cell_len(row.label) for row in table.rows), columns))
    if caption is not None and table.lang == "zh":
        document.paragraphs[0].runs[0].text = "表 "
    return document


def set_east_asian(document: Any) -> None:
    """The East Asian typeface for every run that names a Latin one."""
    from docx.oxml.ns import qn

    for run in document.element.body.iter(qn("w:rFonts")):
        run.set(qn("w:eastAsia"), EAST_ASIAN)


def saved(document: Any, title: str = "") -> bytes:
    """The bytes of a python-docx document, without clock times; its properties name a title and no author."""
    properties = document.core_properties
    properties.title, properties.author, properties.comments = title[:255], "", ""
    buffer = io.BytesIO()
    document.save(buffer)
    return _undated(buffer.getvalue())


def _widths(stub: int, columns: int) -> list[float]:
    """Room for the labels, equal widths for the numbers."""
    first = max(min(max(0.19 * stub, 2.5), _TEXT_WIDTH - 2.0 * columns, 7.0), 2.5)
    return [first] + [(_TEXT_WIDTH - first) / columns] * columns


def _lay_out(table: Any, widths: Sequence[float]) -> None:
    """Widths of the columns, and no row split between pages."""
    from docx.oxml import OxmlElement
    from docx.shared import Cm

    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Cm(width)
    for row in table.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        at = 0
        for cell in row._tr.tc_lst:
            cell.width = Cm(sum(widths[at : at + cell.grid_span]))
            at += cell.grid_span


def _stacked(table: Table) -> Table:
    """Rows that continue the one above join its cells, so that a long label leaves no gap between estimate and bracket."""
    rows: list[Row] = []
    for row in table.rows:
        if row.label or not rows or rows[-1].block != row.block:
            rows.append(row)
            continue
        pairs = zip(rows[-1].cells, row.cells, strict=True)
        rows[-1] = replace(
            rows[-1],
            cells=tuple(replace(a, text=f"{a.printed}\n{b.printed}", stars="") if b.text else a for a, b in pairs),
        )
    return replace(table, rows=tuple(rows))


def workbook(table: Table) -> bytes:
    """The table in an Excel workbook; see `Table.to_excel`."""
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise ImportError("Excel tables are made by openpyxl; install the extra: nqpf-spatial[tables]") from error
    book = Workbook()
    sheet = book.active
    sheet.title = "table"
    _fill_printed(sheet, table)
    if table.numbers is not None:
        _fill_numbers(book.create_sheet("numbers"), table.numbers)
    buffer = io.BytesIO()
    book.save(buffer)
    return _undated(buffer.getvalue())


def _fill_printed(sheet: Any, table: Table) -> None:
    from openpyxl.styles import Alignment, Border, Font, Side

    n, line, thick = len(table.header[-1]), 1, Side(style="medium")
    for level in table.header:
        column = 2
        for head, size in _runs(level, last=level is table.header[-1]):
            cell = sheet.cell(line, column, head)
            cell.font, cell.alignment = Font(bold=True), Alignment(horizontal="center", wrap_text=True)
            if size > 1:
                sheet.merge_cells(start_row=line, end_row=line, start_column=column, end_column=column + size - 1)
            column += size
        line += 1
    for column in range(1, n + 2):
        sheet.cell(1, column).border = Border(top=thick, bottom=thick if line == 2 else None)
        if line > 2:
            sheet.cell(line - 1, column).border = Border(bottom=thick)
    for block, rows in groupby(table.rows, key=lambda row: row.block):
        if block:
            sheet.cell(line, 1, block).font = Font(italic=True)
            line += 1
        for row in rows:
            _text(sheet.cell(line, 1), row.label)
            for j, cell in enumerate(row.cells):
                _fill(sheet.cell(line, j + 2), cell)
            line += 1
    for column in range(1, n + 2):
        sheet.cell(line - 1, column).border = Border(bottom=thick)
    for note in table.notes:
        _text(sheet.cell(line, 1), note)
        line += 1
    _set_widths(sheet, table)


def _fill(target: Any, cell: Cell) -> None:
    """Numbers stay numbers: the format adds brackets and stars."""
    from openpyxl.styles import Alignment

    if cell.value is None:
        _text(target, cell.printed)
    else:
        target.value, target.number_format = cell.value, cell.pattern
    target.alignment = Alignment(horizontal="center")


def _text(target: Any, text: str) -> None:
    """Text as text, also where it begins with the sign of a formula."""
    target.value = text or None
    target.data_type = "s" if text else "n"


def _set_widths(sheet: Any, table: Table) -> None:
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.properties import PageSetupProperties

    stub = max([cell_len(row.label) for row in table.rows] + [10])
    sheet.column_dimensions["A"].width = stub + 2
    for j in range(len(table.header[-1])):
        parts = [level[j] for level in table.header[-1:]] + [row.cells[j].printed for row in table.rows]
        sheet.column_dimensions[get_column_letter(j + 2)].width = max(map(cell_len, parts)) + 3
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToHeight = 0
    sheet.freeze_panes = sheet.cell(len(table.header) + 1, 2)


def _fill_numbers(sheet: Any, frame: pd.DataFrame) -> None:
    flat = _flat(frame)
    names = [
        " | ".join(str(part) for part in c if part != "") if isinstance(c, tuple) else str(c) for c in flat.columns
    ]
    for j, name in enumerate(names):
        _text(sheet.cell(1, j + 1), name)
    for i, values in enumerate(flat.astype(object).itertuples(index=False)):
        for j, value in enumerate(values):
            if isinstance(value, str):
                _text(sheet.cell(i + 2, j + 1), value)
            elif not pd.isna(value):
                sheet.cell(i + 2, j + 1, value if isinstance(value, numbers.Number) else str(value))


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Index levels as columns, under names that no column has."""
    taken = {str(c[0] if isinstance(c, tuple) else c) for c in frame.columns}
    names = [
        str(name) if name is not None and str(name) not in taken else f"row {i + 1}"
        for i, name in enumerate(frame.index.names)
    ]
    return frame.rename_axis(index=names).reset_index()


def _runs(level: tuple[str, ...], last: bool) -> list[tuple[str, int]]:
    return [(head, 1) for head in level] if last else [(head, len(list(same))) for head, same in groupby(level)]


def _undated(data: bytes) -> bytes:
    """The same archive without clock times: those of the entries and those in its properties."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _DATED.sub(rb"\g<1>2000-01-01T00:00:00Z\g<2>", content)
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return out.getvalue()
