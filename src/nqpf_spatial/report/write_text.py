"""Tables as plain text, Markdown and HTML for notebooks; nothing beyond pandas is needed."""

from __future__ import annotations

import re
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from nqpf_spatial.report.grid import Cell, Row, Table

_TAIL = re.compile(r"\D*$")


def text(table: Table) -> str:
    """Fixed width: labels to the left, cells to the right with their last digits below each other."""
    columns = [_column(table, j) for j in range(len(table.header[-1]))]
    widths = [max(map(cell_len, column)) for column in columns]
    blocks = any(row.block for row in table.rows)
    indent = "  " if blocks else ""
    stub = max([cell_len(indent + row.label) for row in table.rows] + [cell_len(r.block) for r in table.rows] + [0])
    width = stub + sum(w + 2 for w in widths)
    levels = len(table.header)
    lines = [table.title] if table.title else []
    lines.append("=" * width)
    lines += [_line("", [c[i] for c in columns], stub, widths) for i in range(levels)]
    lines.append("-" * width)
    position = levels
    for block, rows in groupby(table.rows, key=lambda row: row.block):
        if block:
            lines.append(block)
        for row in rows:
            label = indent + row.label if row.label else ""
            lines.append(_line(label, [c[position] for c in columns], stub, widths))
            position += 1
    lines.append("-" * width)
    return "\n".join([line.rstrip() for line in lines] + list(table.notes))


def _line(label: str, cells: list[str], stub: int, widths: list[int]) -> str:
    padded = [" " * (2 + width - cell_len(cell)) + cell for cell, width in zip(cells, widths, strict=True)]
    return label + " " * (stub - cell_len(label)) + "".join(padded)


def _column(table: Table, j: int) -> list[str]:
    """Heads and cells of a column; blanks behind the numbers bring their last digits into line."""
    cells = [row.cells[j] for row in table.rows]
    reach = max([_tail(cell) for cell in cells if cell.value is not None], default=0)
    body = [c.printed + (" " * (reach - _tail(c)) if c.value is not None else "") for c in cells]
    return [level[j] for level in table.header] + body


def _tail(cell: Cell) -> int:
    found = _TAIL.search(cell.printed)
    return len(found[0]) if found else 0


def markdown(table: Table) -> str:
    """Pipe table; header levels are joined by line breaks, blocks are bold rows."""
    n = len(table.header[-1])
    heads = ["<br>".join(_escaped(level[j]) for level in table.header if level[j]) for j in range(n)]
    lines = [_pipes(["", *heads]), _pipes([":---", *["---:"] * n])]
    for block, rows in groupby(table.rows, key=lambda row: row.block):
        if block:
            lines.append(_pipes([f"**{_escaped(block)}**", *[""] * n]))
        lines += [_pipes([_escaped(row.label), *(_escaped(c.printed) for c in row.cells)]) for row in rows]
    title = [f"**{_escaped(table.title)}**", ""] if table.title else []
    notes = ["", *("  \n".join(_escaped(note) for note in table.notes)).split("\n")] if table.notes else []
    return "\n".join([*title, *lines, *notes]) + "\n"


def _pipes(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _escaped(value: str) -> str:
    """Markdown's own signs as plain characters."""
    return re.sub(r"([\\*_|<\[\]`#])", r"\\\1", value.replace("\n", " "))


def notebook_html(table: Table) -> str:
    """HTML for notebooks, in the style of the notebook."""
    n = len(table.header[-1])
    head = "".join(f"<tr><th></th>{_spans(level, last=level is table.header[-1])}</tr>" for level in table.header)
    body = []
    for block, rows in groupby(table.rows, key=lambda row: row.block):
        if block:
            body.append(f'<tr><th colspan="{n + 1}" style="text-align:left">{escape(block)}</th></tr>')
        body += [_html_row(row) for row in rows]
    title = f"<caption style='text-align:left'><b>{escape(table.title)}</b></caption>" if table.title else ""
    notes = "<br>".join(escape(note) for note in table.notes)
    return f"<table>{title}<thead>{head}</thead><tbody>{''.join(body)}</tbody></table><small>{notes}</small>"


def _html_row(row: Row) -> str:
    cells = "".join(f"<td>{escape(c.printed)}</td>" for c in row.cells)
    return f'<tr><td style="text-align:left">{escape(row.label)}</td>{cells}</tr>'


def _spans(level: tuple[str, ...], last: bool) -> str:
    """Heads of one level; equal neighbours share a cell except in the last level."""
    runs = [(head, len(list(same))) for head, same in groupby(level)]
    if last:
        runs = [(head, 1) for head in level]
    return "".join(f'<th colspan="{size}" style="text-align:center">{escape(head)}</th>' for head, size in runs)
