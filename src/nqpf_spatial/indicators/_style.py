"""Looks of the pictures of this room: one palette, both languages, the Chinese font when it is needed."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from nqpf_spatial.fonts import font_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Okabe and Ito (2008): told apart by colour-blind readers
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")

_ZH = {
    "year": "年份", "weight": "权重", "loading": "载荷", "score": "得分", "mean": "均值",
    "obstacle degree": "障碍度", "middle half": "中间50%", "East": "东部", "Central": "中部",
    "West": "西部", "Northeast": "东北", "labourers": "劳动者", "means of labour": "劳动资料",
    "objects of labour": "劳动对象", "rank correlation with the baseline": "与基准指数的秩相关",
    "specifications, sorted": "按相关系数排序的设定", "rank, {}": "{}年位次", "rank": "位次",
    "method": "方法", "normalisation": "标准化", "indicators": "指标", "units": "样本", "baseline": "基准",
    "all": "全部", "pooled": "整体", "yearly": "逐年", "without {}": "剔除{}", "entropy": "熵权",
    "equal": "等权", "critic": "CRITIC", "pca": "主成分", "topsis": "TOPSIS",
    "cumulative index": "累积指数", "efficiency change": "效率变化", "technical change": "技术进步",
    "Malmquist index": "Malmquist指数", "capital": "资本", "labour": "劳动", "tfp": "全要素生产率",
    "log points per year": "对数百分点/年", "capital stock": "资本存量", "observed": "观测",
    "estimated": "估计", "technical efficiency": "技术效率", "output": "产出",
    "hei_students_pc": "人均高校在校生数", "education_effort": "教育支出占财政支出比重",
    "new_product_effort": "新产品开发经费占GDP比重", "ecommerce_ratio": "电子商务销售额占GDP比重",
}  # fmt: skip


#: Indicators that documented indices make out of packaged variables.
_EN = {
    "hei_students_pc": "Students in higher education per resident",
    "education_effort": "Education, share of budget expenditure",
    "new_product_effort": "Expenditure on new products, share of GDP",
    "ecommerce_ratio": "E-commerce sales over GDP",
}

_PACKAGED = font_path()
_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "SimHei", "PingFang SC"),
    *("Heiti SC", "Songti SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Arial Unicode MS"),
)


def word(text: Any, lang: str) -> str:
    """A fixed phrase in the language asked for; what is not in the list stays as it is."""
    return _ZH.get(str(text), str(text)) if lang == "zh" else str(text)


def phrase(pattern: str, value: Any, lang: str) -> str:
    """A fixed phrase with one value in it."""
    return word(pattern, lang).format(value)


def variable_label(variable: Any, lang: str) -> str:
    """Label of a packaged variable in the codebook, the phrase for a documented ratio; else as it is."""
    from nqpf_spatial.data import codebook

    book = codebook()
    if variable in book.index:
        return str(book.loc[variable, f"label_{lang}"])
    return word(variable, lang) if lang == "zh" else _EN.get(str(variable), str(variable))


def unit_label(unit: Any, lang: str) -> str:
    """Name of a province in the language asked for; other units stay as they are."""
    from nqpf_spatial import provinces

    text = str(unit)
    if (len(text) <= 2 and text.isascii()) or not provinces.is_province(unit):
        return text
    return str(provinces.label(unit, "zh" if lang == "zh" else "en"))


def new_axes(ax: Axes | None, lang: str, size: tuple[float, float] = (7.0, 4.2)) -> Axes:
    """The axes given, or new ones; checks the language first."""
    if lang not in ("en", "zh"):
        raise ValueError(f"lang={lang!r} is not known; choose 'en' or 'zh'")
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def chinese_font(texts: Iterable[str]) -> str:
    """Family name of a font that has every Chinese character of the texts.

    The packaged font first, then the fonts of the system.

    Raises
    ------
    ImportError
        No font has them all; the message names some that are missing.
    """
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    needed = {ord(ch) for text in texts for ch in text if ord(ch) > 0x2E7F}
    known = {f.name: f.fname for f in font_manager.fontManager.ttflist}
    missing = needed
    for path in (str(_PACKAGED), *(known[name] for name in _FONTS if name in known)):
        missing = needed - set(FT2Font(path).get_charmap())
        if not missing:
            family = font_manager.FontProperties(fname=path).get_name()
            if family not in known:
                font_manager.fontManager.addfont(path)
            return family
    some = "".join(chr(c) for c in sorted(missing)[:8])
    raise ImportError(
        f"no installed font has the Chinese characters of this picture (missing: {some}). Install one, for "
        "example Noto Sans CJK SC"
    )


def finish(ax: Axes, lang: str, grid: str = "y") -> Axes:
    """Remove clutter and, for Chinese, set the font of every text of the axes."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis=grid, color="0.9", linewidth=0.6)  # type: ignore[arg-type]
    ax.set_axisbelow(True)
    if lang == "zh":
        from matplotlib.text import Text

        texts = ax.findobj(Text)
        family = chinese_font(text.get_text() for text in texts)  # type: ignore[attr-defined]
        for text in texts:
            text.set_fontfamily(family)  # type: ignore[attr-defined]
        ax.tick_params(labelfontfamily=family)
    return ax


def year_ticks(ax: Axes) -> None:
    """Whole numbers on the time axis."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))


def number(value: float) -> str:
    """Four decimals, scientific where these would show nothing, empty for NaN."""
    if pd.isna(value):
        return ""
    return f"{value:.3e}" if value != 0 and abs(value) < 5e-4 else f"{value:.4f}"


def text_page(title: str, table: pd.DataFrame, notes: Iterable[str]) -> str:
    """Title, table and notes as plain text."""
    return "\n".join([title, table.to_string(float_format=number, na_rep=""), *notes])


def html_page(title: str, table: pd.DataFrame, notes: Iterable[str]) -> str:
    """The same for a notebook."""
    lines = "".join(f"<p><small>{escape(n)}</small></p>" for n in notes)
    return f"<p><b>{escape(title)}</b></p>{table.to_html(float_format=number, na_rep='', border=0)}{lines}"
