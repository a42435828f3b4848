"""The document as HTML and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from nqpf_spatial.report.html import image, page, text
from nqpf_spatial.report.paper.words import say
from nqpf_spatial.report.write_files import tex
from nqpf_spatial.report.write_text import notebook_html

if TYPE_CHECKING:
    from nqpf_spatial.report.grid import Table
    from nqpf_spatial.report.paper.document import Paper, Piece


def numbered(paper: Paper) -> Iterator[tuple[Piece, str, str]]:
    """Pieces with the captions of their table and figure; numbers are places in the sequence."""
    figures = 0
    for n, piece in enumerate(paper.pieces, start=1):
        head = say("table", paper.lang, n=n, title=piece.title)
        below = ""
        if piece.figure is not None:
            figures += 1
            below = say("figure", paper.lang, n=figures, title=piece.caption)
        yield piece, head, below


def remarks(paper: Paper, piece: Piece) -> list[str]:
    """What of a piece could not be made."""
    whole = [say("not made", paper.lang, why=piece.why)] if piece.why else []
    return whole + [say("part not made", paper.lang, part=part, why=why) for part, why in piece.lacking.items()]


# -- HTML ----------------------------------------------------------------------------------------------------


def html(paper: Paper) -> str:
    """One self-contained page."""
    return page(paper.title, f"<main>{body(paper)}</main>", lang=paper.lang, script=False)


def body(paper: Paper) -> str:
    """The page without its frame."""
    facts = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in paper.facts)
    pieces = "".join(_section(paper, *parts) for parts in numbered(paper))
    return f'<div class="paper"><h1>{text(paper.title)}</h1><dl>{facts}</dl>{pieces}</div>'


def notebook(paper: Paper) -> str:
    """The page inside a notebook, whose own headings stand above it."""
    lower = {"h1>": "h3>", "h2>": "h4>"}
    style = "<style>.paper td,.paper th{padding:2px 8px}.paper img{max-width:100%}</style>"
    return style + re.sub(r"(?<=[</])h[12]>", lambda found: lower[found[0]], body(paper))


def _section(paper: Paper, piece: Piece, head: str, below: str) -> str:
    parts = [f"<h2>{text(head)}</h2>"]
    if piece.table is not None:
        parts.append(f'<div class="scroll">{notebook_html(_untitled(piece.table))}</div>')
    parts += [f'<p class="said">{text(line)}</p>' for line in remarks(paper, piece)]
    if below:
        parts.append(f"{image(paper.pictures[piece.name], below)}<p>{text(below)}</p>")
    return f'<section class="card" id="{piece.name}">{"".join(parts)}</section>'


def _untitled(table: Table) -> Table:
    """The table without the title that stands above it already."""
    return replace(table, title="")


# -- LaTeX ---------------------------------------------------------------------------------------------------

_PACKAGES = r"""\usepackage[a4paper,margin=2.2cm]{geometry}
\usepackage{booktabs,threeparttable,makecell,graphicx,adjustbox,float,longtable}
\setlength{\parindent}{0pt}"""


def latex(paper: Paper, folder: str) -> str:
    """One compilable document; pictures lie in `folder` beside it."""
    pieces = "\n".join(_tex_piece(paper, folder, *parts) for parts in numbered(paper))
    facts = "\n".join(rf"{tex(name)} & {tex(value)} \\" for name, value in paper.facts)
    front = (
        f"\\begin{{document}}\n\\section*{{{tex(paper.title)}}}\n"
        f"\\begin{{tabular}}{{@{{}}lp{{0.75\\textwidth}}@{{}}}}\n{facts}\n\\end{{tabular}}\n"
    )
    content = front + pieces
    if paper.lang == "zh":
        kind = "\\documentclass[UTF8,11pt]{ctexart}"
    elif any(ord(sign) > 0x2E7F for sign in content):
        kind = "\\documentclass[UTF8,11pt,scheme=plain]{ctexart}"
    else:
        kind = "\\documentclass[11pt]{article}"
    return f"{kind}\n{_PACKAGES}\n{content}\n\\end{{document}}\n"


def _tex_piece(paper: Paper, folder: str, piece: Piece, head: str, below: str) -> str:
    title = rf"\textbf{{\large {tex(head)}}}"
    parts = [_tex_table(piece.table, title) if piece.table is not None else rf"\par\bigskip {title}\par"]
    parts += [rf"\par\medskip\emph{{{tex(line)}}}\par" for line in remarks(paper, piece)]
    if below:
        parts.append(
            "\\begin{figure}[H]\n\\centering\n"
            f"\\includegraphics[width=\\textwidth,height=0.42\\textheight,keepaspectratio]{{{folder}/{piece.name}.png}}\n"
            f"\\\\[4pt] {tex(below)}\n\\end{{figure}}"
        )
    return "\n".join(parts)


#: rows and columns of a narrow table that would become unreadable on one page
_TALL, _NARROW = 45, 3


def _tex_table(table: Table, title: str) -> str:
    """Title and table in one box, no wider and no higher than the page; notes below, which may run over pages.

    A tall and narrow table runs over pages in its own size.
    """
    bare = replace(table, title="", notes=())
    notes = r"\\".join(tex(note) for note in table.notes)
    small = "max width=\\textwidth,max totalheight=0.85\\textheight"
    below = f"\n{{\\footnotesize\\raggedright {notes}\\par}}\\medskip" if notes else ""
    if len(table.rows) > _TALL and len(table.header[-1]) <= _NARROW:
        made = bare.to_latex(longtable=True).strip()
        return f"\\clearpage\n{title}\\par\n{{\\footnotesize\\setlength{{\\LTleft}}{{0pt}}\n{made}\n}}{below}"
    made = bare.to_latex()
    return (
        f"\\begin{{table}}[H]\n{title}\\par\\medskip\n\\begin{{adjustbox}}{{{small}}}\n{made.strip()}\n\\end{{adjustbox}}\n"
        f"\\end{{table}}{below}"
    )
