"""Picture of a forecast: the past, the prediction and its interval."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.models.naming import check_lang, unit_name, variable_name
from nqpf_spatial.models.selection import select_units

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.design import Design
    from nqpf_spatial.models.scenarios.forecast import Forecast

#: colour-blind safe (Okabe and Ito 2008)
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_WORDS = {"forecast": {"en": "forecast", "zh": "预测"}, "effect": {"en": "time effects: {}", "zh": "时间效应:{}"}}
_RULES_ZH = {"last": "与末期相同", "mean": "样本均值", "trend": "线性趋势", "given": "给定值"}


def forecast_plot(result: Forecast, units: object = None, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Lines of some units with the forecast and its interval behind the last observation.

    Parameters
    ----------
    result : Forecast
        Of a panel.
    units : object, optional
        Up to seven, under any of their names; by default the first, the middle and the last by forecast.
    ax : matplotlib Axes, optional
    lang : {"en", "zh"}
    """
    import matplotlib.pyplot as plt

    from nqpf_spatial.fonts import typeface

    check_lang(lang)
    design = result.fit.estimate.design
    if len(design.levels) == 1:
        raise ValueError("a forecast of a cross-section has no time axis; see .table")
    n = design.shape[1]
    wide = {c: result.table[c].to_numpy().reshape(n, -1) for c in ("estimate", "lower", "upper")}
    shown = _shown(result, units, wide["estimate"][:, -1])
    periods = list(result.time_effects.index) if result.time_effect else list(result.table.index.unique(1))
    labels = [*design.periods, *periods]
    with typeface(lang):
        if ax is None:
            _, ax = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
        _draw(ax, design, shown, wide, labels, lang)
        ax.set_ylabel(variable_name(design.outcome, lang))
        ax.set_title(_title(result, lang), fontsize=10, loc="left")
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize=8)
    return ax


def _shown(result: Forecast, units: object, last: NDArray) -> list[int]:
    """Positions of the units drawn: those asked for, or the first, the middle and the last by forecast."""
    if units is None:
        order = np.argsort(last, kind="stable")
        return [int(order[i]) for i in dict.fromkeys((last.size - 1, last.size // 2, 0))]
    shown = [int(i) for i in np.flatnonzero(select_units(units, result.fit.estimate.design.units))]
    if len(shown) > len(_COLOURS):
        raise ValueError(f"{len(shown)} units are too many for one picture; choose up to {len(_COLOURS)} with units=")
    return shown


def _draw(
    ax: Axes, design: Design, shown: list[int], wide: dict[str, NDArray], labels: list[Hashable], lang: str
) -> None:
    """The lines and bands, over the periods as numbers where they are some, else evenly spaced."""
    t = design.shape[0]
    place = (
        np.arange(len(labels))
        if not all(isinstance(p, (int, float)) for p in labels)
        else np.array(labels, dtype=float)
    )
    for i, colour in zip(shown, _COLOURS, strict=False):
        ax.plot(place[:t], design.y[:, i], color=colour, lw=1.5, label=unit_name(design.units[i], lang))
        ahead = {c: np.append(design.y[-1, i], values[i]) for c, values in wide.items()}
        ax.plot(place[t - 1 :], ahead["estimate"], color=colour, lw=1.5, ls="--")
        ax.fill_between(place[t - 1 :], ahead["lower"], ahead["upper"], color=colour, alpha=0.18, lw=0)
    ax.axvline(place[t - 1], color="0.6", lw=0.8, ls=":")
    if place[0] == 0:
        ax.set_xticks(place, [str(label) for label in labels])
    else:
        from matplotlib.ticker import MaxNLocator

        ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _title(result: Forecast, lang: str) -> str:
    assumed = _RULES_ZH.get(result.time_effect, result.time_effect) if lang == "zh" else result.time_effect
    title = f"{_WORDS['forecast'][lang]}, {1 - result.alpha:.0%}"
    return title + ("; " if lang == "en" else ";") + _WORDS["effect"][lang].format(assumed) if assumed else title
