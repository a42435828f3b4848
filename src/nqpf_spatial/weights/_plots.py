"""Pictures of a matrix: network on a map, heat map, degrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial import provinces
from nqpf_spatial.weights import _labels
from nqpf_spatial.weights._report import effective_neighbours
from nqpf_spatial.weights._texts import Lang, matrix_name, texts, typeface
from nqpf_spatial.weights.guards import require_weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.weights.core import SpatialWeights

#: Okabe and Ito's palette, safe for colour-blind readers, by block.
BLOCK_COLOURS = {"East": "#0072B2", "Central": "#E69F00", "West": "#009E73", "Northeast": "#CC79A7"}
_OTHER = "#0072B2"

#: Links drawn in a network; of a denser matrix the strongest.
_MAX_LINKS = 150


def plot(
    w: SpatialWeights,
    kind: Literal["network", "heatmap", "degree"] = "network",
    *,
    lang: Lang = "en",
    ax: Axes | None = None,
    points: Any = None,
    ids: str | None = None,
    background: bool = True,
    max_links: int = _MAX_LINKS,
) -> Axes:
    """Draw a matrix.

    Parameters
    ----------
    w : SpatialWeights
    kind : {"network", "heatmap", "degree"}
        network: links between the units on the map, thicker for larger weights; heatmap: the weights,
        provinces ordered by block; degree: neighbours of each unit.
    lang : {"en", "zh"}
        Language of names and texts.
    ax : Axes, optional
        Where to draw; default: a new figure.
    points, ids
        For a network of units other than provinces: where they are, see :func:`nqpf_spatial.weights.knn`.
    background : bool
        For provinces: draw the official boundaries with the South China Sea inset (``maps`` extra).
    max_links : int
        For a network: largest number of links drawn; the title says when only the strongest are.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If the ``maps`` extra is needed and missing.
    """
    require_weights(w)
    if lang not in ("en", "zh"):
        raise ValueError(f"lang={lang!r} is not known; choose 'en' or 'zh'")
    if kind not in ("network", "heatmap", "degree"):
        raise ValueError(f"kind={kind!r} is not known; choose 'network', 'heatmap' or 'degree'")
    with typeface(lang) as families:
        if ax is None:
            ax = _new_axes(kind, w.n)
        if kind == "network":
            _network(w, ax, lang, points, ids, background, max_links)
        elif kind == "heatmap":
            _heatmap(w, ax, lang)
        else:
            _degree(w, ax, lang)
        if families:  # the texts that axes bring along were made before, in the typeface of then
            ticks = [*ax.get_xticklabels(), *ax.get_yticklabels()]
            for text in (ax.title, ax.xaxis.label, ax.yaxis.label, *ticks):
                text.set_fontfamily(families)
    return ax


def _new_axes(kind: str, n: int) -> Axes:
    import matplotlib.pyplot as plt

    rows = min(max(n, 12), 60)
    sizes = {"network": (9.0, 6.7), "heatmap": (9.2, 8.2), "degree": (6.4, 1.2 + 0.21 * rows)}
    return plt.subplots(figsize=sizes[kind], layout="constrained")[1]


def _names(w: SpatialWeights, lang: str) -> list[str]:
    if _labels.province_codes(w.ids) is None:
        return [str(x) for x in w.ids]
    return [str(provinces.label(x, lang)) for x in w.ids]  # type: ignore[arg-type]


def _blocks(w: SpatialWeights) -> list[str] | None:
    if _labels.province_codes(w.ids) is None:
        return None
    return [provinces.group_of(x, "block") for x in w.ids]


def _network(
    w: SpatialWeights, ax: Axes, lang: Lang, points: Any, ids: str | None, background: bool, max_links: int
) -> None:
    from matplotlib.collections import LineCollection

    xy = _positions(w, ax, points, ids, background)
    both = (w.sparse + w.sparse.T).tocoo()
    upper = both.row < both.col
    first, second, weight = both.row[upper], both.col[upper], both.data[upper]
    strongest = np.sort(np.argsort(-weight, kind="stable")[:max_links])
    first, second, drawn = first[strongest], second[strongest], weight[strongest]
    relative = drawn / drawn.max() if drawn.size else drawn
    lines = np.stack([xy[first], xy[second]], axis=1)
    ax.add_collection(
        LineCollection(list(lines), linewidths=0.4 + 2.6 * relative, colors="#333333", alpha=0.55, zorder=3)
    )
    blocks = _blocks(w)
    colours = [_OTHER] * w.n if blocks is None else [BLOCK_COLOURS[b] for b in blocks]
    ax.scatter(xy[:, 0], xy[:, 1], c=colours, s=26, edgecolors="white", linewidths=0.6, zorder=4)
    if w.n <= 60:
        codes = _labels.province_codes(w.ids) or (0,) * w.n
        for name, code, (x, y) in zip(_names(w, lang), codes, xy, strict=True):
            _label(ax, name, x, y, _OFFSETS.get(code, (3, 3)))
    if blocks is not None:
        _block_legend(ax, lang)
    text = texts(lang)
    shown = text.links.format(total=weight.size) if drawn.size == weight.size else None
    subtitle = shown or text.strongest.format(shown=drawn.size, total=weight.size)
    ax.set_title(f"{matrix_name(w.name, lang)}{text.colon}{subtitle}", fontsize=11)


#: Where the name of a province stands beside its capital (points), in the crowded parts of the map.
_OFFSETS = {
    110000: (4, 4),
    120000: (5, -1),
    130000: (4, -8),
    140000: (-4, 4),
    150000: (-4, 3),
    310000: (5, -1),
    320000: (3, 5),
    330000: (5, -7),
    340000: (-4, 4),
    620000: (3, -9),
    630000: (-4, 4),
}


def _label(ax: Axes, name: str, x: float, y: float, offset: tuple[int, int]) -> None:
    from matplotlib import patheffects

    ax.annotate(
        name,
        (x, y),
        offset,
        textcoords="offset points",
        ha="right" if offset[0] < 0 else "left",
        fontsize=7,
        zorder=5,
        path_effects=[patheffects.withStroke(linewidth=2.0, foreground="white", alpha=0.85)],
        clip_on=True,
    )


def _positions(w: SpatialWeights, ax: Axes, points: Any, ids: str | None, background: bool) -> NDArray[np.float64]:
    """Coordinates of the units in the plane of the axes, with the base map drawn below."""
    from nqpf_spatial.weights._places import places

    if points is None and _labels.province_codes(w.ids) is None:
        raise ValueError(f"{w.name}: a network of units that are no provinces needs points= (where they are)")
    where = places(points, ids)
    order = _labels.locate(where.ids, w.ids, "the weights", complete=False)
    xy = where.xy[order]
    if points is None and background:
        from nqpf_spatial.maps.base import draw, project

        draw(ax)
        return project(xy[:, 0], xy[:, 1])
    if where.geographic:  # true to scale in the middle of the picture
        ax.set_aspect(1 / np.cos(np.radians(xy[:, 1].mean())))
    else:
        ax.set_aspect("equal")
    return xy


def _block_legend(ax: Axes, lang: Lang) -> None:
    from matplotlib.lines import Line2D

    names = texts(lang).blocks
    handles = [
        Line2D([], [], marker="o", linestyle="", color=colour, label=names[block])
        for block, colour in BLOCK_COLOURS.items()
    ]
    ax.legend(handles=handles, loc="lower left", fontsize=8, frameon=False)


def _heatmap(w: SpatialWeights, ax: Axes, lang: Lang) -> None:
    from matplotlib.colors import PowerNorm

    text, blocks = texts(lang), _blocks(w)
    ranks = list(BLOCK_COLOURS)
    order = np.arange(w.n)
    if blocks is not None:
        order = np.array(sorted(range(w.n), key=lambda k: (ranks.index(blocks[k]), k)))
    values = w.dense()[np.ix_(order, order)]
    shown = np.where(values > 0, values, np.nan)
    # The square root opens up the many small weights of a full matrix.
    scale = PowerNorm(0.5, vmin=0, vmax=float(values.max()))
    image = ax.imshow(shown, cmap="cividis_r", norm=scale, interpolation="nearest")
    ax.set_facecolor("white")
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.8, pad=0.02)
    bar.set_label(text.weight, fontsize=9)
    bar.ax.tick_params(labelsize=8)
    if w.n <= 60:
        names = _names(w, lang)
        ticks = [names[k] for k in order.tolist()]
        ax.set_xticks(range(w.n), ticks, rotation=90, fontsize=7)
        ax.set_yticks(range(w.n), ticks, fontsize=7)
    if blocks is not None:
        _separate_blocks(ax, [blocks[k] for k in order.tolist()], lang)
    ax.set_xlabel(text.neighbour, fontsize=9)
    ax.set_ylabel(text.unit, fontsize=9)
    ax.set_title(
        f"{matrix_name(w.name, lang)}{text.colon}{text.heatmap}", fontsize=11, pad=22 if blocks is not None else 6
    )


def _separate_blocks(ax: Axes, blocks: list[str], lang: Lang) -> None:
    """Lines between blocks and their names above."""
    names = texts(lang).blocks
    start = 0
    for k in range(1, len(blocks) + 1):
        if k < len(blocks) and blocks[k] == blocks[start]:
            continue
        if k < len(blocks):
            ax.axhline(k - 0.5, color="#222222", linewidth=0.8)
            ax.axvline(k - 0.5, color="#222222", linewidth=0.8)
        middle = (start + k - 1) / 2
        colour = BLOCK_COLOURS[blocks[start]]
        ax.annotate(
            names[blocks[start]],
            (middle, -0.5),
            (0, 4),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8,
            color=colour,
            annotation_clip=False,
        )
        start = k


def _degree(w: SpatialWeights, ax: Axes, lang: Lang) -> None:
    text, blocks = texts(lang), _blocks(w)
    degree = np.diff(w.sparse.indptr)
    effective = effective_neighbours(w)
    order = np.lexsort((np.arange(w.n), -effective, -degree))[::-1]
    colours = [_OTHER] * w.n if blocks is None else [BLOCK_COLOURS[blocks[k]] for k in order.tolist()]
    place = np.arange(w.n)
    ax.barh(place, degree[order], color=colours, height=0.72, alpha=0.75)
    ax.plot(effective[order], place, "o", color="black", markersize=3.5, label=text.effective)
    if w.n <= 60:
        names = _names(w, lang)
        ax.set_yticks(place, [names[k] for k in order.tolist()], fontsize=7)
    else:
        ax.set_yticks([])
    ax.set_xlabel(text.neighbours, fontsize=9)
    ax.margins(y=0.01)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(f"{matrix_name(w.name, lang)}{text.colon}{text.degree}", fontsize=11)
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], marker="o", linestyle="", color="black", markersize=4, label=text.effective)]
    if blocks is not None:
        handles += [
            Line2D([], [], linewidth=6, alpha=0.75, color=colour, label=text.blocks[block])
            for block, colour in BLOCK_COLOURS.items()
        ]
    below = (0.5, -3.0 / max(12, min(w.n, 60)))
    ax.legend(handles=handles, fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=below, ncols=3)
