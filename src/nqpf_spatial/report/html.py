"""Parts of self-contained HTML pages: one file each, no network, English and Chinese side by side."""

from __future__ import annotations

import base64
import html
import numbers
import re
import struct
from importlib import resources
from typing import TYPE_CHECKING, Any

from nqpf_spatial.fonts import embedded_font
from nqpf_spatial.report.words import word

if TYPE_CHECKING:
    import pandas as pd

#: nothing may be fetched: a page that would try is stopped by the browser
POLICY = "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

#: characters from which a cell is a sentence
SENTENCE = 28
#: flags, readings and effects in tables, which are shown in the language of the page
CELLS = frozenset({"yes", "no", "support", "contradict", "neither", "direct", "indirect", "total"})


def _file(name: str) -> str:
    return (resources.files("nqpf_spatial.report") / "files" / name).read_text(encoding="utf-8")


def text(value: object) -> str:
    """Escape text for HTML.

    Examples
    --------
    >>> text("p < 0.05")
    'p &lt; 0.05'
    """
    return html.escape(str(value))


def both(en: str, zh: str) -> str:
    """Put English and Chinese side by side; the page shows one of them.

    Examples
    --------
    >>> both("rule", "规则")
    '<span class="en">rule</span><span class="zh" lang="zh">规则</span>'
    """
    if en == zh:
        return text(en)
    return f'<span class="en">{text(en)}</span><span class="zh" lang="zh">{text(zh)}</span>'


def image(png: bytes, alt: str, lang: str | None = None) -> str:
    """Embed a picture.

    Parameters
    ----------
    png : bytes
    alt : str
        What the picture shows, for readers who do not see it.
    lang : {"en", "zh"}, optional
        Show it in one language only.

    Returns
    -------
    str
    """
    data = base64.b64encode(png).decode("ascii")
    shown = f' class="{lang}"' if lang else ""
    # the header of a PNG holds its size: with it a browser keeps the place before it decodes, and links to cards land where they should
    width, height = struct.unpack(">II", png[16:24])
    size = f'width="{width}" height="{height}" decoding="async"'
    return f'<img{shown} alt="{text(alt)}" {size} src="data:image/png;base64,{data}">'


def pictures(en: bytes, zh: bytes, alt: str) -> str:
    """Embed a picture in both languages, once where it is the same in both."""
    return image(en, alt) if en == zh else image(en, alt, "en") + image(zh, alt, "zh")


def number(value: Any) -> str:
    """Write a cell: four significant digits, blank for what does not exist, yes and no for flags.

    Large numbers are written out, with commas, as far as a reader takes them in.

    Examples
    --------
    >>> number(0.0452319), number(None), number(True), number(403), number(1.2e-7)
    ('0.04523', '', 'yes', '403', '1.2e-07')
    >>> number(31157.2), number(2.2e9), number(("Hebei", "Tianjin"))
    ('31,157', '2.2e+09', 'Hebei, Tianjin')
    """
    value = value.item() if hasattr(value, "item") else value
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    if isinstance(value, numbers.Integral):
        return str(value)
    if not isinstance(value, numbers.Real):
        return str(value)
    real = float(value)
    return f"{real:,.0f}" if 1e4 <= abs(real) < 1e8 else f"{real:.4g}"


def table(frame: pd.DataFrame, headers: dict[str, tuple[str, str]] | None = None) -> str:
    """Write a frame as an HTML table, index included, numbers to the right.

    Parameters
    ----------
    frame : DataFrame
    headers : dict of str to (str, str), optional
        Column -> its header in English and Chinese.

    Returns
    -------
    str
    """
    flat = frame.reset_index()
    known = headers or {}
    columns = ["_".join(map(str, c)).strip("_") if isinstance(c, tuple) else str(c) for c in flat.columns]
    right = [_kind(flat.iloc[:, i]) for i in range(flat.shape[1])]
    head = "".join(f"<th{_cls(r)}>{both(*known.get(c, (c, c)))}</th>" for c, r in zip(columns, right, strict=True))
    rows = []
    for cells in flat.astype(object).where(flat.notna(), None).itertuples(index=False):
        inner = "".join(f"<td{_cls(r)}>{_shown(number(c))}</td>" for c, r in zip(cells, right, strict=True))
        rows.append(f"<tr>{inner}</tr>")
    inside = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="scroll"><table>{inside}</table></div>'


def _kind(column: pd.Series) -> str:
    """Class of a column: numbers, or sentences, which must not be squeezed into one word a line."""
    if _numeric(column):
        return "n"
    return "t" if column.astype(str).str.len().max() > SENTENCE else ""


def _shown(cell: str) -> str:
    """A cell, in both languages where it is a flag or a reading."""
    return both(cell, word(cell, "zh")) if cell in CELLS else text(cell)


def _numeric(column: pd.Series) -> bool:
    """Whether a column holds numbers (flags are words)."""
    present = column.dropna().tolist()
    return bool(present) and all(isinstance(c, numbers.Real) and not isinstance(c, bool) for c in present)


def _cls(name: str) -> str:
    return f' class="{name}"' if name else ""


def page(title: str, body: str, *, lang: str = "en", script: bool = True) -> str:
    """Wrap a body into a complete page with style, script and the Chinese characters it uses.

    Parameters
    ----------
    title : str
    body : str
        HTML.
    lang : {"en", "zh"}
        Language shown first.
    script : bool
        Whether the page carries the language switch and filters.

    Returns
    -------
    str
        One file that asks the network for nothing.
    """
    font = embedded_font(re.sub(r'src="data:[^"]*"', "", title + body))
    code = f"<script>{_file('page.js')}</script>" if script else ""
    return (
        f'<!doctype html>\n<html lang="{lang}" data-lang="{lang}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{text(title)}</title><style>{font}{_file('page.css')}</style></head>\n"
        f"<body>{body}{code}</body></html>\n"
    )
