"""Units of measurement of the codebook in Chinese."""

from __future__ import annotations

_UNITS_ZH = {
    "percent": "%", "per mille": "‰", "ratio": "比率", "years": "年", "persons": "人", "pieces": "件", "units": "个",
    "firms": "家", "enterprises": "家", "km": "公里", "km2": "平方公里", "yuan per person": "元/人",
    "index between 0 and 1": "0至1的指数", "preceding year = 100": "上年 = 100", "10 thousand persons": "万人",
    "100 million yuan, current prices": "亿元，当年价", "100 million yuan, 2010 prices": "亿元，2010年价",
    "10 thousand yuan": "万元", "10 thousand yuan per resident": "万元/人", "100 million kWh": "亿千瓦时",
    "10 thousand yuan per resident, 2010 prices": "万元/人，2010年价", "10 thousand km": "万公里",
    "10 thousand yuan per employed person, 2010 prices": "万元/从业人员，2010年价", "kWh per resident": "千瓦时/人",
    "log points (100 x log change)": "对数点（100×对数变化）", "10 thousand subscribers": "万户",
    "10 thousand households": "万户", "person-years": "人年", "subscriptions per 100 residents": "户/百人",
}  # fmt: skip


def unit_word(unit: str, lang: str = "zh") -> str:
    """A unit of the codebook in the language; those without a translation stay as the codebook has them.

    Examples
    --------
    >>> unit_word("percent"), unit_word("yuan per person", "en"), unit_word("10 thousand tons")
    ('%', 'yuan per person', '10 thousand tons')
    """
    return _UNITS_ZH.get(unit, unit) if lang == "zh" else unit
