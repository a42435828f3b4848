"""An executed notebook as one HTML file: no MathJax, no require.js, nothing remote."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from nqpf_spatial.report.html import page, text

if TYPE_CHECKING:
    from nbformat import NotebookNode

_ANCHOR = re.compile(r'<a class="anchor-link"[^>]*>[^<]*</a>')
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def notebook_page(notebook: NotebookNode, title: str, back: str = "../index.html") -> str:
    """Render an executed notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    title : str
    back : str
        Relative address of the report's first page.

    Returns
    -------
    str
    """
    cells = "".join(_cell(cell) for cell in notebook.cells)
    body = f'<main class="nb"><p><a href="{text(back)}">← report / 报告</a></p><section>{cells}</section></main>'
    return page(title, body, script=False)


def _markdown(source: str) -> str:
    """Render Markdown with the renderer nbconvert brings."""
    from nbconvert.filters import markdown2html_mistune

    return _ANCHOR.sub("", markdown2html_mistune(source))


def _cell(cell: Any) -> str:
    """One cell."""
    if cell.cell_type == "markdown":
        return f"<div>{_markdown(cell.source)}</div>"
    if cell.cell_type != "code":
        return f"<pre>{text(cell.source)}</pre>"
    count = "" if cell.execution_count is None else cell.execution_count
    outputs = "".join(_output(o) for o in cell.outputs)
    source = f'<pre class="source">{text(cell.source)}</pre>'
    code = f"<details><summary>code [{count}]</summary>{source}</details>"
    return f'{code}<div class="output">{outputs}</div>'


def _output(output: Any) -> str:
    """One output, in its richest form that needs no script."""
    if output.output_type == "stream":
        return f'<pre class="{text(output.name)}">{text(_ANSI.sub("", output.text))}</pre>'
    if output.output_type == "error":
        return f'<pre class="error">{text(_ANSI.sub("", chr(10).join(output.traceback)))}</pre>'
    data = output.data
    if "text/html" in data:
        return str(data["text/html"])
    if "image/png" in data:
        return f'<img alt="figure" src="data:image/png;base64,{html.escape(data["image/png"].strip())}">'
    if "text/markdown" in data:
        return f"<div>{_markdown(data['text/markdown'])}</div>"
    return f"<pre>{text(data.get('text/plain', ''))}</pre>"
