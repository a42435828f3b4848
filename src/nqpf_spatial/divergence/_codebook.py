"""What the codebook says of a series that is one of the packaged variables."""

from __future__ import annotations

import re
from typing import Any

_INTENSIVE = re.compile(
    r"\b(percent|ratio|per|index|log|coefficient|mean)\b|^years|preceding year = 100", re.IGNORECASE
)

#: units of measurement that pictures in Chinese translate; the others stay as the codebook has them
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


def _entry(name: str) -> dict[str, Any] | None:
    # imported here: the room serves any labelled series, the release is read only when it is asked for
    from nqpf_spatial.data import _store, catalogue

    known = name in _store.variables().index or name in _store.definitions().index
    return catalogue.entry(name) if known else None


def unit_of(name: str) -> str:
    """Unit of measurement of a packaged variable; empty for any other series."""
    entry = _entry(name)
    return "" if entry is None else str(entry["unit"])


def is_intensity(name: str) -> bool:
    """Whether a packaged variable is a rate, ratio, index or amount per head by its unit: such cells do not add up."""
    return bool(_INTENSIVE.search(unit_of(name)))


def label_of(name: str, lang: str) -> str:
    """Label of a packaged variable in the language; any other name stays as it is."""
    entry = _entry(name)
    return name if entry is None else str(entry[f"label_{lang}"])


def axis_label(name: str, lang: str) -> str:
    """Label and unit of a packaged variable for an axis, on two lines where they are long; any other name stays as it is."""
    label, unit = label_of(name, lang), unit_of(name)
    if not unit or unit in label or unit.startswith("log "):
        return label  # a logarithm says so in its label
    if lang == "zh":
        return f"{label}（{_UNITS_ZH.get(unit, unit)}）" if len(label) < 16 else f"{label}\n{_UNITS_ZH.get(unit, unit)}"
    return f"{label}\n{unit}"
