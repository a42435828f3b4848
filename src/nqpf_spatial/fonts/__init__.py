"""A Chinese font that is always there.

The package carries one ("NQPF Sans SC", a cut of Noto Sans CJK SC under the SIL Open Font License), so that
figures and HTML pages show Chinese on machines without a CJK font, and look the same everywhere. The font of
frykit holds place names only: half of the characters of the claims are missing from it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

FAMILY = "NQPF Sans SC"


def font_path() -> Path:
    """Return the file of the packaged Chinese font."""
    return Path(str(resources.files("nqpf_spatial.fonts") / "nqpf-sans-sc.otf"))


@cache
def _covered() -> frozenset[int]:
    """Code points the packaged font holds."""
    from fontTools.ttLib import TTFont

    with TTFont(font_path(), lazy=True) as font:
        return frozenset(font.getBestCmap())


def missing_characters(text: str) -> str:
    """Return the characters of a text that the packaged font does not hold, each once.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> missing_characters("新质生产力 rho")
    ''
    """
    return "".join(sorted({c for c in text if c.isprintable() and ord(c) not in _covered()}))


def chinese_font(size: float | None = None) -> FontProperties:
    """Return the packaged Chinese font for matplotlib's ``fontproperties=``.

    Parameters
    ----------
    size : float, optional
        Points.

    Returns
    -------
    matplotlib.font_manager.FontProperties

    Examples
    --------
    >>> chinese_font(9).get_name()
    'NQPF Sans SC'
    """
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(font_path()), size=size)


@contextmanager
def typeface(lang: str) -> Iterator[None]:
    """Draw everything inside the block in a typeface that has the language's characters.

    Parameters
    ----------
    lang : {"en", "zh"}

    Raises
    ------
    ValueError
        For another language.
    """
    import matplotlib as mpl
    from matplotlib.font_manager import fontManager

    if lang not in ("en", "zh"):
        raise ValueError(f"lang={lang!r}: choose 'en' or 'zh'")
    # titles have one place: our ticks are below, and the search for one costs a tenth of the drawing
    settings: Any = {"axes.unicode_minus": lang == "en", "axes.titley": 1.0}
    if lang == "zh":
        if FAMILY not in fontManager.get_font_names():
            fontManager.addfont(str(font_path()))
        settings["font.family"] = [FAMILY, "DejaVu Sans"]
    # rc_context would also restore what the notebook's inline backend sets up at the first figure
    before: Any = {key: mpl.rcParams[key] for key in settings}
    mpl.rcParams.update(settings)
    try:
        yield
    finally:
        mpl.rcParams.update(before)


def embedded_font(text: str) -> str:
    """Return a CSS rule with the characters of a text cut out of the packaged font, for self-contained pages.

    Parameters
    ----------
    text : str
        Everything the page shows. Characters the font does not hold are left to the reader's system.

    Returns
    -------
    str
        An ``@font-face`` rule with the font as base64 WOFF; empty where the text needs no Chinese.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont

    wide = "".join(sorted({c for c in text if ord(c) > 0x2E7F and ord(c) in _covered()}))
    if not wide:
        return ""
    font = TTFont(font_path(), recalcTimestamp=False)
    cut = subset.Subsetter(subset.Options(layout_features=[], hinting=False, notdef_outline=True))
    cut.populate(text=wide)
    cut.subset(font)
    font.flavor = "woff"
    buffer = io.BytesIO()
    font.save(buffer)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    source = f"src:url(data:font/woff;base64,{data}) format('woff')"
    return f"@font-face{{font-family:'{FAMILY}';{source};font-display:block;unicode-range:U+2E80-FFEF}}"
