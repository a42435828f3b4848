"""Names on pictures in both languages: variables by the codebook, provinces by the register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nqpf_spatial import provinces
from nqpf_spatial.data import catalogue, codebook
from nqpf_spatial.models.selection import group_name

if TYPE_CHECKING:
    from nqpf_spatial.models.scenarios.counterfactual import Counterfactual


def check_lang(lang: str) -> None:
    """Refuse a language there is none of."""
    if lang not in ("en", "zh"):
        raise ValueError(f"lang={lang!r} is not known; choose 'en' or 'zh'")


def variable_name(name: str, lang: str) -> str:
    """Label of a packaged variable; any other name as it is."""
    return str(catalogue.entry(name)[f"label_{lang}"]) if name in codebook().index else name


def unit_name(unit: Any, lang: str) -> str:
    """Name of a unit; provinces by their Chinese short names in Chinese."""
    return str(provinces.label(unit, "zh" if lang == "zh" else "en")) if provinces.is_province(unit) else str(unit)


def quantity_name(name: str, lang: str) -> str:
    """Name of the quantity behind a logarithm."""
    label = variable_name(name, lang)
    if label == name:
        return f"exp({name})"
    if lang == "zh":
        return label.removesuffix("的对数")
    bare = label.removeprefix("Log ")
    return bare[0].upper() + bare[1:]


def describe(result: Counterfactual, lang: str) -> str:
    """Title of a counterfactual: what changed, where, when."""
    return "\n".join([(";" if lang == "zh" else "; ").join(_changes(result, lang)), _place(result, lang)])


def _changes(result: Counterfactual, lang: str) -> list[str]:
    lines = []
    for name, how in result.changes.items():
        short, behind, _ = how.partition(" of the quantity")
        if lang == "zh":
            short = {"set by a function": "按函数设定"}.get(
                short, "按给定值变化" if short.startswith("plus values") else short
            )
        lines.append(f"{(quantity_name if behind else variable_name)(name, lang)} {short}")
    return lines


def _place(result: Counterfactual, lang: str) -> str:
    units, zh = result.fit.estimate.design.units, lang == "zh"
    shown = [unit_name(unit, lang) for unit in result.where]
    group = group_name(result.where, units, lang)
    if len(result.where) == len(units):
        place = "全部地区" if zh else "all units"
    elif group is not None:
        place = group
    elif len(shown) > 3:
        place = f"{len(shown)} 个地区" if zh else f"{len(shown)} units"
    else:
        place = ("、" if zh else ", ").join(shown)
    if result.window[0] is None:
        return place
    first, last = result.window[0], result.window[-1]
    window = f"{first}" if first == last else f"{first}-{last}"
    return f"{place},{window} 年" if zh else f"{place}, {window}"
