"""Chinese names of series and comparisons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nqpf_spatial.report.words import word

if TYPE_CHECKING:
    from nqpf_spatial.claims.evaluate.annual import Series
    from nqpf_spatial.claims.evaluate.comparisons import Comparison

_COUPLING = re.compile(r"coupling of \w+ and \w+ \((?P<how>[\w-]+)\)$")
_NORMALISED = {"min-max": "极差", "ranks": "位次", "z-scores": "标准分"}
_QUANTITIES: Mapping[str, str] = {
    "dispersion": "离散度",
    "gap": "差距",
    "share": "份额",
    "mean": "均值",
    "relative": "相对均值",
    "ratio": "之比",
    "polarisation": "极化",
    "esteban_ray": "Esteban-Ray 极化",
    "egr": "Esteban-Gradín-Ray 极化",
    "dagum": "组间部分（Dagum）",
    "theil": "组间部分（泰尔）",
    "loss": "资本错配损失",
}
_SCHEMES = {"block": "四大板块", "north_south": "南北方"}


def variable_zh(name: str) -> str:
    """Label of a variable without what stands in parentheses; other names stay.

    Examples
    --------
    >>> variable_zh("gdp_real_pc"), variable_zh("coupling of a and b (ranks)")
    ('人均实际地区生产总值', '内外循环协调度，位次')
    """
    from nqpf_spatial import data

    if found := _COUPLING.match(name):
        return f"内外循环协调度，{_NORMALISED[found['how']]}"
    book = data.codebook()
    if name not in book.index:
        return name
    return re.sub(r"[(（][^)）]*[)）]", "", str(book.loc[name, "label_zh"]))


def describe_zh(series: Series) -> str:
    """An annual series in Chinese.

    Examples
    --------
    >>> from nqpf_spatial.claims.evaluate.annual import Sample, Series
    >>> describe_zh(Series("gdp_real_pc", "gap", Sample((2013, 2024), groups="block", of=("East", "West"))))
    '人均实际地区生产总值：东部、西部差距'
    """
    of = "、".join(word(g, "zh") for g in series.sample.of)
    where = of or (_SCHEMES.get(series.sample.groups, "") if series.quantity == "gap" else "")
    kind = ("绝对" if series.absolute else "") + _QUANTITIES[series.quantity]
    alpha = f"（α={series.alpha:g}）" if series.alpha is not None else ""
    return f"{variable_zh(series.variable)}：{where}{kind}{alpha}"


def compared_zh(comparison: Comparison) -> str:
    """A comparison in Chinese.

    Examples
    --------
    >>> from nqpf_spatial.claims.evaluate.annual import Sample
    >>> from nqpf_spatial.claims.evaluate.comparisons import Comparison
    >>> compared_zh(Comparison("gdp_growth", ("East",), ("West",), Sample((2013, 2024), groups="block"), True))
    '实际地区生产总值增长率（期间均值）：东部高于西部'
    """
    above, below = (_sides_zh(side) for side in (comparison.above, comparison.below))
    mean = "（期间均值）" if comparison.window_mean else ""
    return f"{variable_zh(comparison.variable)}{mean}：{above}高于{below or '其余省份'}"


def _sides_zh(names: tuple[str, ...]) -> str:
    """Groups, or provinces by their Chinese names."""
    from nqpf_spatial import provinces

    return "、".join(
        provinces.resolve(n).name_zh if word(n, "zh") == n and provinces.is_province(n) else word(n, "zh")
        for n in names
    )
