"""Quantities of regressions in short words, English and Chinese."""

from __future__ import annotations

import re

from nqpf_spatial.claims.evaluate.names_zh import variable_zh
from nqpf_spatial.claims.evaluate.series import parts
from nqpf_spatial.claims.exhibits.names import spelled_out
from nqpf_spatial.report.words import word

_PREFIXES_ZH = {"ln": "{}（对数）", "ln1p": "{}（加 1 后取对数）", "lag": "上年{}", "growth": "{}增长"}
_GROUPS_ZH = {"South": "南方", "North": "北方", "Northeast": "东北", "West": "西部", "Central": "中部", "East": "东部"}
_VERSIONS_ZH = {
    "wild bootstrap over provinces": "按省份的野自助法",
    "half-panel jackknife": "半面板刀切法",
    "own lag in the model": "加入自身滞后",
    "year effects only": "仅年份效应",
    "all provinces": "全部省份",
    "candidates as controls": "加入候选变量",
    "factors in deviations from province and year means": "因子去省份与年份均值",
}
#: pattern of a quantity -> how it is written in Chinese
_PATTERNS_ZH: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"(direct|indirect|total) effect of the product of (\w+) and (\w+) on (\w+)", "{2}与{3}之积对{4}的{1}效应"),
        (r"(direct|indirect|total) effect of (\w+) on (\w+) under (\w+)", "{2}对{3}的{1}效应（{4}）"),
        (r"(direct|indirect|total) effect of (\w+) on (\w+) without (.+)", "{2}对{3}的{1}效应（无交互项）"),
        (r"(direct|indirect|total) effect of (\w+) on (\w+)", "{2}对{3}的{1}效应"),
        (r"(direct|indirect|total) effect of (\w+) without (.+)", "{2}的{1}效应（无交互项）"),
        (r"(direct|indirect|total) effect of (\w+)", "{2}的{1}效应"),
        (r"coefficient of pairwise gaps in (\w+) on pairwise gaps in (\w+)", "{2}的成对差距对{1}成对差距的系数"),
        (r"coefficient of pairwise gaps in (\w+) on pairwise similarity behind (\w+)", "产业相似度对{1}成对差距的系数"),
        (r"coefficient of the mean distance to the best province, in standard deviations", "与最优省份平均距离的系数"),
        (r"coefficient of the distance in (\w+) alone", "仅{1}距离的系数"),
        (r"coefficient of (\w+) of ([\d-]+) on growth of (\w+)", "{2} 年{1}对{3}增长的系数"),
        (r"coefficient of (\w+) on (\w+) without (.+)", "{1}对{2}的系数（无交互项）"),
        (r"coefficient of (\w+) on (\w+)", "{1}对{2}的系数"),
        (r"coefficient of (\w+) without W", "{1}的系数（无空间项）"),
        (r"coefficient of (\w+) without (.+)", "{1}的系数（无交互项）"),
        (r"coefficient of (\w+)", "{1}的系数"),
        (r"elasticity of flows to (\w+), destination over origin", "流量对{1}（迁入地比迁出地）的弹性"),
        (r"second threshold in the spatial lag of (\w+)", "{1}空间滞后的第二门槛"),
        (r"threshold in the spatial lag of (\w+)", "{1}空间滞后的门槛"),
        (r"product with (\w+)", "与{1}的交互项"),
        (r"gap in (\w+)", "{1}的差距"),
        (r"change of the dispersion of (\w+), percent.*", "{1}离散度的变化（%）"),
        (r"share of specifications with the stated sign.*", "所述方向显著的设定比例"),
        (r"Shapley share.*", "能力距离的 Shapley 份额"),
        (r"(\w+) in the (North|South) minus the others, (.+) \(one-sided permutation\)", "{1}：{2}减其余（{3}）"),
    )
)
#: an effect or coefficient and the outcome it is on
_ON = re.compile(r"((?:effect|coefficient) of \w+) on (\w+)")
_WORDS_ZH = {
    "product": "交互项", "coefficient": "系数", "threshold": "门槛", "distance": "距离", "Shapley share": "Shapley 份额",
    "pairwise gap": "成对差距", "urban-rural ratio": "城乡收入比", "specifications": "设定比例",
}  # fmt: skip


def name_zh(name: str) -> str:
    """A series in Chinese, prefixes and products included.

    Examples
    --------
    >>> name_zh("lag_ln_gdp_real_pc"), name_zh("in_South")
    ('上年人均实际地区生产总值的对数', '南方')
    >>> name_zh("ln_broadband_pc_x_in_South")
    '人均互联网宽带接入用户的对数×南方'
    """
    plain = variable_zh(name)
    if plain != name:
        return plain
    if "_x_" in name:
        left, _, right = name.partition("_x_")
        return f"{name_zh(left)}×{name_zh(right)}"
    if name.startswith("in_"):
        return "、".join(_GROUPS_ZH.get(g, g) for g in name.removeprefix("in_").split("_"))
    prefix, rest = parts(name)
    if prefix.startswith("at"):
        return f"{prefix.removeprefix('at')} 年{name_zh(rest)}"
    return _PREFIXES_ZH[prefix].format(name_zh(rest)) if prefix else name


def quantity_zh(what: str) -> str:
    """A quantity of the record in Chinese.

    Examples
    --------
    >>> quantity_zh("direct effect of pop_growth on ln_gdp_real_pc")
    '常住人口增长率对人均实际地区生产总值的对数的直接效应'
    >>> quantity_zh("product"), quantity_zh("direct effect of gov_share, half-panel jackknife")
    ('交互项', '一般公共预算支出占地区生产总值比重的直接效应，半面板刀切法')
    """
    if what in _WORDS_ZH:
        return _WORDS_ZH[what]
    head, comma, version = what.rpartition(", ")
    if comma and (version in _VERSIONS_ZH or version.startswith("change ")):
        return f"{quantity_zh(head)}，{_VERSIONS_ZH.get(version, version.replace('change ', '变化 '))}"
    for pattern, text in _PATTERNS_ZH:
        if found := pattern.fullmatch(what):
            return text.format("", *(_part_zh(g) for g in found.groups()))
    return name_zh(what)


def _part_zh(text: str) -> str:
    """A part of a quantity: an effect, a group or a series."""
    if text in ("direct", "indirect", "total", "North", "South"):
        return word(text, "zh")
    return name_zh(text).replace("mean of ", "均值 ")


def outcome_of(what: str) -> str:
    """Outcome that a quantity names, "" where it names none.

    Examples
    --------
    >>> outcome_of("direct effect of x on y, wild bootstrap over provinces"), outcome_of("product")
    ('y', '')
    """
    found = _ON.search(what)
    return found.group(2) if found else ""


def shorter(what: str, lang: str, outcome: bool = False) -> str:
    """A quantity for the axis of a picture: series by their labels, the outcome only where it is asked for.

    Examples
    --------
    >>> shorter("direct effect of ln_broadband_pc_x_in_South on y, wild bootstrap over provinces", "en")
    'direct effect of log broadband subscribers per resident × South, wild bootstrap over provinces'
    >>> shorter("direct effect of ln_broadband_pc on y", "zh")
    '人均互联网宽带接入用户的对数的直接效应'
    """
    text = what if outcome else _ON.sub(r"\1", what)
    return quantity_zh(text) if lang == "zh" else spelled_out(text)


def value_zh(value: float) -> str:
    """A figure for a sentence: four digits, whole numbers and large ones written out as far as a reader takes them in.

    Examples
    --------
    >>> value_zh(31.0), value_zh(0.28906), value_zh(18316.67), value_zh(2.2e9)
    ('31', '0.2891', '18317', '2.2e+09')
    """
    if abs(value) >= 1e8:
        return f"{value:.4g}"
    return f"{value:.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"
