"""LaTeX tables that run over several pages: maketables' body inside a longtable, the heads repeated on every page."""

from __future__ import annotations

import re

_TABULAR = re.compile(r"\\begin\{tabular\}\{(?P<columns>[^\n]*)\}\n(?P<body>.*?)\\end\{tabular\}", re.S)
_NOTES = re.compile(r"\\noindent\\begin\{minipage\}.*?\\end\{minipage\}", re.S)
_SETUP = re.compile(r"\\begingroup\n(?P<lines>.*?)\\begin\{tabular\}", re.S)
_WORDS = {"en": ("continued", "continued on the next page"), "zh": ("续表", "接下页")}


def longtable(made: str, columns: int, caption: str | None, label: str | None, lang: str) -> str:
    r"""A table of maketables as longtable.

    Parameters
    ----------
    made : str
        With a ``tabular`` that has its rules by booktabs.
    columns : int
        With that of the labels.
    caption, label : str, optional
        In LaTeX already.
    lang : {"en", "zh"}

    Returns
    -------
    str
        No float: needs the package longtable beside those of the other tables. Rows that belong together, an estimate and
        its bracket, the head of a block and its first row, stay on one page.
    """
    if label is not None and caption is None:
        raise ValueError(f"label={label!r}: a longtable has a number to refer to with caption= only")
    table, setup, notes = _TABULAR.search(made), _SETUP.search(made), _NOTES.search(made)
    assert table is not None and setup is not None
    head, _, body = table["body"].partition("\\midrule\n")
    head, body = head.removeprefix("\\toprule\n"), body.partition("\\bottomrule")[0]
    again, more = _WORDS[lang]
    named = "" if label is None else rf"\label{{{label}}}"
    first = "" if caption is None else rf"\caption{{{caption}}}{named}\\" + "\n"
    later = "" if caption is None else rf"\caption[]{{{caption} ({again})}}\\" + "\n"
    lines = [
        r"\begingroup",
        setup["lines"].rstrip("\n"),
        rf"\begin{{longtable}}{{{table['columns']}}}",
        f"{first}\\toprule\n{head}\\midrule\n\\endfirsthead",
        f"{later}\\toprule\n{head}\\midrule\n\\endhead",
        rf"\midrule\multicolumn{{{columns}}}{{r}}{{\footnotesize {more}}}\\" + "\n\\endfoot",
        "\\bottomrule\n\\endlastfoot",
        _kept_together(body).rstrip("\n"),
        r"\end{longtable}",
        r"\endgroup",
        *([] if notes is None else [notes[0]]),
    ]
    return "\n".join(lines) + "\n"


def _kept_together(body: str) -> str:
    """No page break after the head of a block, nor before a row that continues the one above."""
    lines = body.split("\n")
    for i, line in enumerate(lines[:-1]):
        if line.endswith("\\\\") and (line.startswith("\\emph{") or lines[i + 1].startswith(" & ")):
            lines[i] = line + "*"
    return "\n".join(lines)
