"""Moran's scatter plot: values against those of the neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.weights import _labels
from nqpf_spatial.weights._moran import _values, moran
from nqpf_spatial.weights._plots import _names
from nqpf_spatial.weights._texts import Lang, matrix_name, texts, typeface
from nqpf_spatial.weights.core import SpatialWeights
from nqpf_spatial.weights.guards import require_weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: units named in the picture: those farthest from the middle
_NAMED = 9
#: Okabe and Ito (2008), by quadrant
_COLOURS = {"HH": "#D55E00", "LL": "#0072B2", "HL": "#E69F00", "LH": "#56B4E9"}
_WORDS = {
    "en": {"HH": "high-high", "LL": "low-low", "HL": "high-low", "LH": "low-high", "x": "{name}\n(standard deviations from the mean)",
           "y": "mean of the neighbours", "sum": "weighted sum of the neighbours", "I": "Moran's I = {value:.3f}",
           "p": ", p = {p:.4f} ({n} permutations)"},
    "zh": {"HH": "高-高", "LL": "低-低", "HL": "高-低", "LH": "低-高", "x": "{name}\n（与均值之差，以标准差计）",
           "y": "邻居的均值", "sum": "邻居的加权和", "I": "莫兰指数 = {value:.3f}", "p": "，p = {p:.4f}（{n}次置换）"},
}  # fmt: skip


def moran_plot(
    y: pd.Series,
    w: SpatialWeights,
    *,
    permutations: int = 9999,
    seed: int = 0,
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Axes:
    """Values against those of the neighbours, with the line of Moran's I.

    Parameters
    ----------
    y : Series
        One value per unit, by label; named packaged variables get their label.
    w : SpatialWeights
        Taken as it is. With rows that sum to one the slope of the line is Moran's I.
    permutations, seed : int
        As in :func:`nqpf_spatial.weights.moran`, two-sided; 0 leaves the p-value out.
    lang : {"en", "zh"}
    ax : Axes, optional
        Where to draw; default: a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    AlignmentError
        If the units differ or a value is missing.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> income = nq.load_panel("ln_gdp_real_pc").xs(2023, level="year")["ln_gdp_real_pc"]
    >>> ax = nq.weights.moran_plot(income, nq.weights.contiguity(), permutations=999)
    >>> ax.get_title().split(",")[0]
    "Moran's I = 0.412"
    """
    import matplotlib.pyplot as plt

    require_weights(w)
    if lang not in _WORDS:
        raise ValueError(f"lang={lang!r} is not known; choose 'en' or 'zh'")
    if permutations:
        found = moran(y, w, permutations, seed).iloc[0]
        value, p = float(found["statistic"]), float(found["pvalue"])
    values = _values(y, w)
    z = (values - values.mean()) / values.std()
    lag = np.asarray(w.sparse @ z).ravel()
    if not permutations:
        value, p = float(len(z) / w.sparse.sum() * (z @ lag) / (z @ z)), np.nan
    words = _WORDS[lang]
    with typeface(lang) as families:
        if ax is None:
            _, ax = plt.subplots(figsize=(5.8, 5.2), layout="constrained")
        _points(ax, z, lag, _names(w, lang), words)
        title = words["I"].format(value=value)
        ax.set_title(title + (words["p"].format(p=p, n=permutations) if permutations else ""), fontsize=10)
        ax.set_xlabel(words["x"].format(name=_title(y, lang)))
        ax.set_ylabel(f"{words['y' if w.is_row_stochastic else 'sum']}{texts(lang).colon}{matrix_name(w.name, lang)}")
        if families:  # the texts that axes bring along were made before, in the typeface of then
            for text in (ax.title, ax.xaxis.label, ax.yaxis.label):
                text.set_fontfamily(families)
    return ax


def _points(ax: Axes, z: NDArray, lag: NDArray, names: list[str], words: dict[str, str]) -> None:
    quadrant = np.array([a + b for a, b in zip(np.where(z >= 0, "H", "L"), np.where(lag >= 0, "H", "L"), strict=True)])
    ax.axhline(0.0, color="0.6", lw=0.8, zorder=0)
    ax.axvline(0.0, color="0.6", lw=0.8, zorder=0)
    for kind, colour in _COLOURS.items():
        mine = quadrant == kind
        label = f"{words[kind]} ({int(mine.sum())})"
        ax.scatter(z[mine], lag[mine], s=26, color=colour, edgecolors="white", linewidths=0.5, zorder=3, label=label)
    ends = np.array([z.min(), z.max()])
    ax.plot(ends, (z @ lag) / (z @ z) * ends, color="0.25", lw=1.3, zorder=2)
    ax.margins(0.1)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8, loc="best")
    _name_far(ax, z, lag, names)


def _name_far(ax: Axes, z: NDArray, lag: NDArray, names: list[str]) -> None:
    """Names of the units farthest out, each on the first side of its point where no other name stands."""
    size = 7.5
    taken: list[tuple[float, float, float, float]] = []
    pixels = ax.figure.dpi / 72.0  # type: ignore[union-attr]
    for k in np.argsort(-(z**2 + lag**2), kind="stable")[:_NAMED]:
        wide = sum(1.0 if ord(c) > 0x2E7F else 0.62 for c in names[k]) * size * pixels
        x, y = ax.transData.transform((z[k], lag[k]))
        for right, up in ((1, 1), (0, 1), (1, 0), (0, 0)):
            left, low = x + 4 * pixels if right else x - 4 * pixels - wide, y + (3 if up else -3 - size) * pixels
            box = (left, low, left + wide, low + size * pixels)
            if not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
                break
        taken.append(box)
        ax.annotate(
            names[k], (z[k], lag[k]), xytext=(4 if right else -4, 3 if up else -3), textcoords="offset points",
            ha="left" if right else "right", va="bottom" if up else "top", fontsize=size,
        )  # fmt: skip


def _title(y: pd.Series, lang: str) -> str:
    """Label of a packaged variable; any other name as it is."""
    from nqpf_spatial.data import catalogue, codebook

    name = str(y.name or "y")
    return str(catalogue.entry(name)[f"label_{lang}"]) if name in codebook().index else _labels.shorten([name])
