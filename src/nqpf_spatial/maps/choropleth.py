"""Values by province in colours."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nqpf_spatial import provinces
from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.fonts import typeface
from nqpf_spatial.maps.base import draw, province_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: provinces the values do not name
ABSENT = "#d9d9d9"
_NAMED = 4
#: characters of a line of the legend's title, so that it stays off the land
_LABEL_WIDTH = 26
SCHEMES = ("Quantiles", "EqualInterval", "FisherJenks", "NaturalBreaks", "StdMean")


def choropleth(
    values: pd.Series | Mapping[Any, float],
    *,
    title: str = "",
    label: str = "",
    scheme: str | None = None,
    k: int = 5,
    cmap: str | None = None,
    names: bool = False,
    lang: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Map of values by province.

    Parameters
    ----------
    values : Series or mapping
        Indexed by province, under any of its names. NaN and provinces that are not named are drawn grey and said so in
        the legend.
    title, label : str
        Of the picture and of its scale.
    scheme : str, optional
        Classes by `mapclassify` (``"Quantiles"``, ``"FisherJenks"``, ...); a continuous scale by default.
    k : int
        Number of classes.
    cmap : str, optional
        Matplotlib palette; by default one colour from light to dark, two around zero where values have both signs.
    names : bool
        Whether names are written on the map.
    lang : {"en", "zh"}
    ax : matplotlib Axes, optional

    Raises
    ------
    AlignmentError
        Units that are no provinces, or named twice.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> panel = nq.load_panel()
    >>> ax = nq.maps.choropleth(panel["rd_intensity"].xs(2024, level="year"), label="R&D over GDP, percent")
    """
    import matplotlib.pyplot as plt
    from matplotlib.cm import ScalarMappable

    given = _by_adcode(pd.Series(values, dtype=float))
    shown = given[np.isfinite(given)]
    if shown.empty:
        raise AlignmentError("no province has a finite value; nothing to draw")
    with typeface(lang):
        if ax is None:
            _, ax = plt.subplots(figsize=(7.2, 5.2), layout="constrained")
        palette = plt.get_cmap(cmap or ("PuOr_r" if shown.min() < 0 < shown.max() else "YlGnBu"))
        if scheme is None:
            norm = _norm(shown)
            fill = {int(c): palette(float(norm(v))) for c, v in shown.items()}
            bar = ax.figure.colorbar(ScalarMappable(norm, palette), ax=ax, shrink=0.6, pad=0.01)
            bar.set_label(label)
            bar.outline.set_visible(False)  # type: ignore[operator]
        else:
            fill = _classes(ax, shown, scheme, k, palette, label)
        corner = draw(ax, {p.adcode: ABSENT for p in provinces.PROVINCES} | fill, land="white")
        assert corner is not None
        _note_absent(ax, [p for p in provinces.PROVINCES if p.adcode not in shown.index], lang)
        if names:
            write_names(ax, lang)
        ax.set_title(title, fontsize=10)
    return ax


def _by_adcode(values: pd.Series) -> pd.Series:
    bad = [u for u in values.index if not provinces.is_province(u)]
    if values.index.nlevels > 1:
        names = ", ".join(str(name) for name in values.index.names)
        raise AlignmentError(
            f"a map shows one value per province, the index is ({names}): choose, as .xs(2024, level='year') does"
        )
    if bad:
        raise AlignmentError(
            f"no provinces: {', '.join(map(str, bad[:5]))}; index the values by the names of provinces"
        )
    codes = [provinces.resolve(u).adcode for u in values.index]
    twice = sorted({c for c in codes if codes.count(c) > 1})
    if twice:
        named = ", ".join(provinces.resolve(c).name_en for c in twice)
        raise AlignmentError(
            f"more than one value for {named}; choose one year, for instance with .xs(2024, level='year')"
        )
    return pd.Series(values.to_numpy(), index=codes)


def _norm(shown: pd.Series) -> Any:
    from matplotlib.colors import Normalize, TwoSlopeNorm

    low, high = float(shown.min()), float(shown.max())
    if low < 0 < high:
        limit = max(-low, high)
        return TwoSlopeNorm(0.0, -limit, limit)
    return Normalize(low, high if high > low else low + 1.0)


def _classes(ax: Axes, shown: pd.Series, scheme: str, k: int, palette: Any, label: str) -> dict[int, Any]:
    """Colours by class and the legend that explains them."""
    import mapclassify
    from matplotlib.patches import Patch

    if scheme not in SCHEMES:
        raise ValueError(f"scheme={scheme!r} is not known; choose one of {', '.join(SCHEMES)}, or None for a scale")
    found = getattr(mapclassify, scheme)(shown.to_numpy(), **({} if scheme == "StdMean" else {"k": k}))
    shades = palette(np.linspace(0.1, 0.95, found.k))
    texts = found.get_legend_classes(fmt="{:.3g}")
    handles = [Patch(color=shades[i], label=f"{text} ({found.counts[i]})") for i, text in enumerate(texts)]
    title = textwrap.fill(label, _LABEL_WIDTH) or None
    ax.legend(
        handles=handles, title=title, loc="lower left", fontsize=8, title_fontsize=8, frameon=False, alignment="left"
    )
    return {int(code): shades[i] for code, i in zip(shown.index, found.yb, strict=True)}


def _note_absent(ax: Axes, absent: list[Any], lang: str) -> None:
    """Say which provinces have no value; how many, where the names would fill the map."""
    if not absent:
        return
    zh = lang == "zh"
    named = ("、" if zh else ", ").join(p.name_zh if zh else p.name_en for p in absent)
    counted = f"{len(absent)} 个省份" if zh else f"{len(absent)} provinces"
    who = named if len(absent) <= _NAMED else counted
    text = f"灰色：{who}无数据" if zh else f"grey: no value for {who}"
    ax.text(0.01, 0.99, text, transform=ax.transAxes, va="top", fontsize=8, color="0.35")


#: where names would lie over one another, in points
_SHIFTS = {110000: (0, 6), 120000: (14, -3), 130000: (0, -14), 310000: (14, 0)}


def write_names(ax: Axes, lang: str) -> None:
    """Write the names of the 31 provinces at points inside them."""
    from matplotlib.patheffects import withStroke

    points = province_points()
    for p in provinces.PROVINCES:
        ax.annotate(
            p.name_zh if lang == "zh" else p.name_en,
            tuple(points[p.adcode]),
            xytext=_SHIFTS.get(p.adcode, (0, 0)),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=7 if lang == "zh" else 6,
            path_effects=[withStroke(linewidth=1.6, foreground="white")],
        )
