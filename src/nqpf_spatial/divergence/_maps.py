"""Maps of this room: provinces in colours, paths and ellipses, on the official boundaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nqpf_spatial import provinces
from nqpf_spatial.divergence import _frame, _style
from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.fonts import font_path
from nqpf_spatial.maps.base import draw, project

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FONT = font_path()

#: ColorBrewer RdBu, which readers with any of the usual colour deficiencies can tell apart
CLUSTERS = {"HH": "#CA0020", "LL": "#0571B0", "LH": "#92C5DE", "HL": "#F4A582", "": "#EDEDED"}
_CLUSTER_NAMES = {
    "en": {"HH": "high-high", "LL": "low-low", "LH": "low-high", "HL": "high-low", "": "not significant"},
    "zh": {"HH": "高-高", "LL": "低-低", "LH": "低-高", "HL": "高-低", "": "不显著"},
}
_ZH = {
    "mean centre": "重心", "standard ellipse": "标准差椭圆", "longitude": "经度", "latitude": "纬度",
    "Moran's I": "莫兰指数", "middle 95 % of permutations": "置换分布中间95%",
    "dissimilarity": "差异指数", "mismatch": "空间错位指数(%)", "hhi": "赫芬达尔指数", "krugman": "克鲁格曼专业化指数",
    "Dissimilarity": "差异指数", "Spatial mismatch": "空间错位", "Herfindahl-Hirschman index": "赫芬达尔指数",
    "Krugman specialisation": "克鲁格曼专业化指数", "Krugman concentration": "克鲁格曼集中指数",
}  # fmt: skip


def word(text: str, lang: str) -> str:
    """A phrase of this room, or one of the general list."""
    return _ZH.get(text, _style.word(text, lang)) if lang == "zh" else _style.word(text, lang)


def use_chinese(texts: Sequence[Any]) -> None:
    """Give texts with characters beyond Latin the packaged Chinese font; sizes and weights stay."""
    from matplotlib.font_manager import FontProperties

    for text in texts:
        if any(ord(ch) > 0x2E7F for ch in text.get_text()):
            text.set_fontproperties(FontProperties(fname=str(_FONT), size=text.get_size()))


def finish(ax: Axes, lang: str, *, grid: bool = True) -> Axes:
    """Remove clutter and, for Chinese, set the font of every text of the axes."""
    from matplotlib.text import Text

    _style.finish(ax, "en", grid=grid)
    if lang == "zh":
        use_chinese(ax.findobj(lambda artist: isinstance(artist, Text)))
    return ax


def unit_name(unit: Any, lang: str) -> str:
    """Name of a province in the language asked for; other units stay as they are."""
    if not _frame.all_provinces([unit]):
        return str(unit)
    return str(provinces.label(unit, "zh" if lang == "zh" else "en"))


def cluster_maps(clusters: Mapping[Any, Mapping[Any, str]], lang: str, ncols: int, geometry: Any = None) -> Figure:
    """Small multiples of LISA clusters: time -> unit -> "HH", "LL", "LH", "HL" or ""."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    _style.check_lang(lang)
    columns = min(ncols, len(clusters))
    rows = -(-len(clusters) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.7 * columns, 2.25 * rows + 0.5), squeeze=False, layout="constrained"
    )
    for ax in axes.ravel():
        ax.set_axis_off()
    for ax, (time, members) in zip(axes.ravel(), clusters.items(), strict=False):
        _one_cluster_map(ax, members, geometry)
        if time is not None:
            ax.set_title(str(time), fontsize=9)
    names = _CLUSTER_NAMES[lang]
    handles = [Patch(facecolor=c, edgecolor="0.55", label=names[k]) for k, c in CLUSTERS.items()]
    legend = figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    if lang == "zh":
        use_chinese(legend.get_texts())
    return figure


def _one_cluster_map(ax: Axes, members: Mapping[Any, str], geometry: Any) -> None:
    if geometry is None:
        if not _frame.all_provinces(members):
            raise AlignmentError(
                "the units are not Chinese provinces: pass geometry=, a GeoDataFrame or GeoSeries indexed by unit"
            )
        draw(ax, {int(_frame.key(u)): CLUSTERS[c] for u, c in members.items()}, land="white")
        return
    absent = [u for u in members if u not in geometry.index]
    if absent:
        raise AlignmentError(f"geometry lacks {_frame.shorten(absent)}")
    shapes = geometry.loc[list(members)]
    shapes.plot(ax=ax, color=[CLUSTERS[c] for c in members.values()], edgecolor="0.55", linewidth=0.3)
    ax.set_axis_off()


def path(
    lonlat: np.ndarray,
    times: Sequence[Any],
    outlines: Mapping[Any, np.ndarray],
    on_map: bool,
    lang: str,
    ax: Axes | None,
) -> Axes:
    """Draw mean centres as a path (n, 2), with the outlines of ellipses by time, all in degrees."""
    from matplotlib import colormaps

    ax = _style.new_axes(ax, lang, (6.2, 5.4))
    place = (lambda a: project(a[:, 0], a[:, 1])) if on_map else (lambda a: a)
    xy = place(lonlat)
    ellipses = {t: place(o) for t, o in outlines.items()}
    if on_map:
        draw(ax, land="white", inset=bool(ellipses))
    shades = colormaps["cividis"](np.linspace(0, 0.92, len(times)))
    ax.plot(xy[:, 0], xy[:, 1], color="0.35", linewidth=0.9, zorder=3)
    ax.scatter(xy[:, 0], xy[:, 1], c=shades, s=8 if ellipses else 26, zorder=4)
    for t, outline in ellipses.items():
        look: dict[str, Any] = {"color": shades[list(times).index(t)], "label": str(t)}
        ax.plot(outline[:, 0], outline[:, 1], linewidth=1.4, zorder=3, **look)
    texts = [ax.set_title(word("standard ellipse" if ellipses else "mean centre", lang), loc="left", fontsize=10)]
    if ellipses:
        texts += ax.legend(frameon=False, loc="lower left").get_texts()
    else:
        _name_ends(ax, xy, times)
        _zoom(ax, xy, on_map)
    if not on_map:
        ax.set(xlabel=word("longitude", lang), ylabel=word("latitude", lang), aspect="equal")
        return finish(ax, lang)
    if lang == "zh":
        use_chinese(texts)
    return ax


def _name_ends(ax: Axes, xy: np.ndarray, times: Sequence[Any]) -> None:
    """Write the first and the last time beside their points, away from the path."""
    for k in sorted({0, len(times) - 1}):
        away = xy[k] - xy.mean(axis=0)
        up = 9 if away[1] >= 0 else -15
        ax.annotate(str(times[k]), xy[k], xytext=(4, up), textcoords="offset points", fontsize=9, zorder=5)


def _zoom(ax: Axes, xy: np.ndarray, on_map: bool) -> None:
    """Limits around the path; on a map also a scale and where in the country this is."""
    middle = (xy.min(axis=0) + xy.max(axis=0)) / 2
    half = max(float(np.ptp(xy, axis=0).max()) * 0.9, 1e4 if on_map else 0.05)
    ax.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half))
    if not on_map:
        return
    length = 10.0 ** np.floor(np.log10(half))
    left, low = middle[0] - 0.95 * half, middle[1] - 0.93 * half
    ax.plot([left, left + length], [low, low], color="black", linewidth=2, solid_capstyle="butt")
    ax.annotate(f"{length / 1000:g} km", (left, low), xytext=(0, 4), textcoords="offset points", fontsize=8)
    corners = {(x, y): 0 for x in (0.66, 0.0) for y in (0.7, 0.08)}
    for x, y in (xy - middle) / (2 * half) + 0.5:
        for left_edge, bottom in corners:
            corners[left_edge, bottom] += (
                left_edge - 0.08 <= x <= left_edge + 0.42 and bottom - 0.1 <= y <= bottom + 0.4
            )
    x0, y0 = min(corners, key=lambda c: corners[c])
    inset = ax.inset_axes((x0, y0, 0.34, 0.3))
    draw(inset, land="white", inset=False)
    inset.plot(middle[0], middle[1], "s", color=_style.COLOURS[1], markersize=5)
