"""Coefficients of a fit with their intervals, by the blocks of its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nqpf_spatial.fonts import typeface
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.pictures.look import BLUE, GREEN, ORANGE, PINK, finish, outcome_name, term_names, wrapped
from nqpf_spatial.models.term_labels import block_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLOCKS = {
    "Main": (BLUE, "own regressors", "本地变量"),
    "Wx": (ORANGE, "spatial lags of regressors", "变量的空间滞后"),
    "Time": (PINK, "time lags", "时间滞后"),
    "Spatial": (GREEN, "spatial parameters", "空间参数"),
}


def coefficient_plot(
    fit: Any, terms: Sequence[str] | None = None, alpha: float = 0.05, lang: str = "en", ax: Axes | None = None
) -> Axes:
    """Estimates and intervals, one line per parameter in the order of the table.

    Parameters
    ----------
    fit : SpatialFit or GMMFit
    terms : sequence of str, optional
        Names as in ``fit.params``; all but the constant by default. Regressors in other units of measurement have
        coefficients of other sizes: choose those that can share an axis.
    alpha : float
        1 - level of the intervals.
    lang : {"en", "zh"}
    ax : matplotlib Axes, optional

    Raises
    ------
    ValueError
        Terms that the fit does not have.
    """
    import matplotlib.pyplot as plt

    chosen = _chosen(fit, terms)
    table = fit.tidy(alpha).loc[chosen]
    zh, n = lang == "zh", len(chosen)
    with typeface(lang):
        if ax is None:
            _, ax = plt.subplots(figsize=(7.2, 1.3 + 0.36 * n), layout="constrained")
        place = np.arange(n)[::-1]
        several = getattr(fit, "several", None)
        matrices = {} if several is None else several.matrix_terms()
        blocks = np.array(
            ["Spatial" if matrices.get(t, ("W",))[0] != "W" else block_of(t, fit.endog_names) for t in chosen]
        )
        for block, (colour, *names) in _BLOCKS.items():
            mine = blocks == block
            if mine.any():
                part = table[mine]
                error = np.vstack([part["estimate"] - part["lower"], part["upper"] - part["estimate"]])
                ax.errorbar(part["estimate"], place[mine], xerr=error, fmt="o", ms=5, lw=1.6, capsize=2.5, color=colour,
                            label=names[zh])  # fmt: skip
        ax.axvline(0.0, color="0.6", lw=0.8, zorder=0)
        ax.set_yticks(place, wrapped(term_names(fit, chosen, lang).values()))
        ax.set_ylim(-0.6, n - 0.4)
        level = f"{1 - alpha:.0%}"
        ax.set_xlabel(f"系数估计值与{level}置信区间" if zh else f"coefficient with its {level} interval")
        ax.set_title(f"{outcome_name(fit, lang)}{'：' if zh else ': '}{fit.model}", fontsize=10, pad=26)
        ax.legend(frameon=False, fontsize=8.5, ncols=4, loc="lower right", bbox_to_anchor=(1.0, 1.0))
        finish(ax, lang)
    return ax


def _chosen(fit: Any, terms: Sequence[str] | None) -> list[str]:
    known = [str(term) for term in fit.params.index]
    if terms is None:
        return [term for term in known if term != "Intercept"]
    if isinstance(terms, str):
        raise ValueError(f'terms={terms!r}: give a list of names, ["{terms}"]')
    unknown = [term for term in terms if term not in known]
    if unknown or not len(terms):
        raise ValueError(f"terms= names {enumerate_some(unknown) or 'nothing'}; the fit has {', '.join(known)}")
    return list(terms)
