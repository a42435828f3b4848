"""Pictures of counterfactuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nqpf_spatial import provinces
from nqpf_spatial.models.naming import check_lang, describe, unit_name, variable_name
from nqpf_spatial.models.plots import COLOURS, province_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.scenarios.counterfactual import Counterfactual

_WORDS = {
    "own": {"en": "own change", "zh": "本地变化"},
    "spillover": {"en": "spillover", "zh": "溢出"},
    "total": {"en": "sum", "zh": "合计"},
    "estimate": {"en": "response", "zh": "响应"},
}


def counterfactual_plot(result: Counterfactual, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Bars of own effect and spillover, unit by unit in falling order, with the interval of their sum.

    Parameters
    ----------
    result : Counterfactual
    ax : matplotlib Axes, optional
    lang : {"en", "zh"}
    """
    import matplotlib.pyplot as plt

    from nqpf_spatial.fonts import typeface

    check_lang(lang)
    table = result.table.sort_values("estimate", kind="stable")
    place = np.arange(len(table))
    with typeface(lang):
        if ax is None:
            _, ax = plt.subplots(figsize=(7.2, 1.4 + 0.2 * len(table)), layout="constrained")
        start = np.zeros((2, len(table)))  # where the next positive and the next negative bar begins
        split = (("own", COLOURS["direct"]), ("spillover", COLOURS["indirect"]))
        for part, colour in split if "own" in table else (("estimate", COLOURS["total"]),):
            width = table[part].to_numpy()
            left = np.where(width >= 0, start[0], start[1])
            ax.barh(place, width, left=left, height=0.72, color=colour, alpha=0.85, label=_WORDS[part][lang])
            start += np.stack([np.clip(width, 0, None), np.clip(width, None, 0)])
        error = np.vstack([table["estimate"] - table["lower"], table["upper"] - table["estimate"]])
        ax.errorbar(
            table["estimate"], place, xerr=error, fmt="o", ms=3, lw=1.0, color="black",
            label=f"{_WORDS['total'][lang]}, {1 - result.alpha:.0%}",
        )  # fmt: skip
        ax.axvline(0.0, color="0.4", lw=0.8)
        ax.set_yticks(place, [unit_name(unit, lang) for unit in table.index], fontsize=8)
        ax.set_ylim(-0.7, len(table) - 0.3)
        ax.set_xlabel(variable_name(result.fit.estimate.design.outcome, lang))
        ax.set_title(describe(result, lang), fontsize=10, loc="left")
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, loc="lower right", fontsize=8)
    return ax


def counterfactual_map(
    result: Counterfactual, lang: str = "en", ax: Axes | None = None, values: str = "estimate"
) -> Axes:
    """A column of the table on the map of China.

    Parameters
    ----------
    result : Counterfactual
        Of a fit on the provinces.
    lang : {"en", "zh"}
    ax : matplotlib Axes, optional
    values : {"estimate", "own", "spillover"}
    """
    check_lang(lang)
    known = [column for column in ("estimate", "own", "spillover") if column in result.table]
    if values not in known:
        raise ValueError(f"values={values!r} is not known; choose one of {', '.join(map(repr, known))}")
    units = result.fit.estimate.design.units
    if not all(map(provinces.is_province, units)):
        raise ValueError("the units are not Chinese provinces; draw .table on your own map")
    shown = {provinces.resolve(unit).adcode: float(result.table.loc[unit, values]) for unit in units}
    label = f"{variable_name(result.fit.estimate.design.outcome, lang)}"
    if values != "estimate":
        label += f" ({_WORDS[values][lang]})"
    return province_map(shown, describe(result, lang), label, lang, ax)
