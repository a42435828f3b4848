"""Impacts from block to block: as a matrix of cells, or as a chord diagram of what blocks send each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.fonts import typeface
from nqpf_spatial.models.naming import check_lang
from nqpf_spatial.models.pictures.look import finish, outcome_name, term_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.impacts.inference import Impacts

KINDS = ("matrix", "chord")
#: Okabe and Ito (2008); a fifth block and later ones start anew
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A8F98", "#F0E442")
_ZH = {
    "East": "东部", "Central": "中部", "West": "西部", "Northeast": "东北", "North": "北方", "South": "南方",
    "hub": "枢纽", "cluster": "集群", "other": "其他",
}  # fmt: skip


def block_plot(
    impacts: Impacts,
    term: str | None = None,
    kind: str = "matrix",
    groups: str | Mapping[Any, Any] | pd.Series = "block",
    lang: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Mean change of y in the units of one block when a regressor rises by one in every unit of another.

    Parameters
    ----------
    impacts : Impacts
    term : str, optional
        A regressor; may be left out where there is one only.
    kind : {"matrix", "chord"}
        ``"matrix"``: every pair with its standard error, own blocks on the diagonal. ``"chord"``: what the blocks send
        each other, bands as wide as the effect and with the tip at the receiver; effects inside a block are left out,
        negative ones are hatched. A block sends the sum of the effects on the others, and receives the sum of theirs.
    groups : str, mapping or Series
        As in ``impacts.by_block``.
    lang : {"en", "zh"}
    ax : matplotlib Axes, optional

    Raises
    ------
    ValueError
        An unknown kind or term; a chord diagram without effects between blocks.
    """
    import matplotlib.pyplot as plt

    check_lang(lang)
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} is not known; choose 'matrix' or 'chord'")
    table = impacts.by_block(groups)
    chosen = _one_term(table, term)
    part = table.xs(chosen, level="term")
    order = list(part.index.unique("to"))
    values, se = (part[column].unstack("from").loc[order, order].to_numpy() for column in ("estimate", "se"))
    n = len(order)
    with typeface(lang):
        if ax is None:
            size = (3.4 + 0.85 * n, 2.2 + 0.62 * n) if kind == "matrix" else (6.4, 6.0)
            _, ax = plt.subplots(figsize=size, layout="constrained")
        names = [_ZH.get(str(name), str(name)) if lang == "zh" else str(name) for name in order]
        label = term_names(impacts.fit, [chosen], lang)[chosen]
        if kind == "matrix":
            _matrix(ax, values, se, names, outcome_name(impacts.fit, lang), lang)
        else:
            _chords(ax, values, names, lang)
        when = impacts.when(lang)
        ax.set_title(_title(label, kind, when, lang), fontsize=10)
        finish(ax, lang, frame=True)
    return ax


def _one_term(table: pd.DataFrame, term: str | None) -> str:
    terms = list(table.index.unique("term"))
    chosen = terms[0] if term is None and len(terms) == 1 else term
    if chosen not in terms:
        raise ValueError(f"term={term!r}: choose one of {', '.join(map(str, terms))}")
    return str(chosen)


def _title(label: str, kind: str, when: str, lang: str) -> str:
    zh = lang == "zh"
    what = {
        "matrix": ("effects from block to block", "区域之间的效应"),
        "chord": ("effects between blocks", "区域之间的效应"),
    }[kind][zh]
    return f"{label}{'：' if zh else ': '}{what}" + (f"{'，' if zh else ', '}{when}" if when else "")


def _digits(values: NDArray) -> int:
    """Decimals that give the largest number three figures, the same for all so that they compare at sight."""
    return max(0, 2 - int(np.floor(np.log10(np.abs(values).max() or 1.0))))


def _matrix(ax: Axes, values: NDArray, se: NDArray, names: list[str], outcome: str, lang: str) -> None:
    import matplotlib.pyplot as plt
    from matplotlib.colors import Normalize

    zh, n = lang == "zh", len(names)
    low, high = float(values.min()), float(values.max())
    if low < 0 < high:
        limit = max(-low, high)
        norm, palette = Normalize(-limit, limit), plt.get_cmap("PuOr_r")
    else:
        norm, palette = Normalize(min(low, 0.0), max(high, 0.0)), plt.get_cmap("YlGnBu" if low >= 0 else "YlOrBr_r")
    digits = _digits(values)
    image = ax.imshow(values, cmap=palette, norm=norm, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        red, green, blue, _ = palette(float(norm(value)))
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        text = f"{value:.{digits}f}\n({se[i, j]:.{digits}f})"
        ax.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if dark else "0.15")
    ax.set_xticks(range(n), names)
    ax.set_yticks(range(n), names)
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set_xlabel("变量上升 1 的区域" if zh else "block in which the regressor rises by one")
    ax.set_ylabel("受影响的区域" if zh else "block in which y changes")
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.85, pad=0.02)
    bar.set_label(f"{outcome}的变化（标准误）" if zh else f"change of {outcome}\n(standard error)", fontsize=8.5)
    bar.outline.set_visible(False)  # type: ignore[operator]
    finish(bar.ax, lang, frame=True)


# ---- chords ----------------------------------------------------------------------------------------------------

_RADIUS, _RING, _TIP = 1.0, 0.07, 0.09
_GAP = 0.05  # of the circle, between neighbouring blocks


def _chords(ax: Axes, values: NDArray, names: list[str], lang: str) -> None:
    """Blocks as arcs as long as all they send and receive; what one sends to another as a band with a tip."""
    from matplotlib.patches import PathPatch, Wedge

    between = values * (1.0 - np.eye(len(names)))
    size = np.abs(between)
    if not size.sum() > 0:
        raise ValueError("there are no effects between blocks: the model has no spillovers, or there is one block")
    spans, ends = _layout(size)
    digits = _digits(between)
    for k, (start, stop) in enumerate(spans):
        colour = PALETTE[k % len(PALETTE)]
        ax.add_patch(Wedge((0, 0), _RADIUS + _RING, *np.degrees([start, stop]), width=_RING, color=colour, lw=0))
        flows = [f"{between[:, k].sum():.{digits}f}", f"{between[k].sum():.{digits}f}"]
        _name(ax, names[k], flows, (start + stop) / 2, lang)
    for (i, j), (source, target) in sorted(ends.items(), key=lambda item: -size[item[0]]):
        negative = between[i, j] < 0
        ax.add_patch(
            PathPatch(
                _band(source, target), facecolor=PALETTE[j % len(PALETTE)], alpha=0.62, edgecolor="white", lw=0.6,
                hatch="////" if negative else None,
            )
        )  # fmt: skip
    ax.set(xlim=(-1.62, 1.62), ylim=(-1.4, 1.4), aspect="equal")
    ax.set_axis_off()
    note = {
        "en": "bands in the colour of the sender, tip at the receiver; inside blocks not drawn",
        "zh": "带的颜色为发出区域，尖端指向接受区域；区域内部的效应未画出",
    }[lang] + (("; hatched: negative" if lang == "en" else "；斜线：负效应") if (between < 0).any() else "")
    ax.text(0.5, 0.0, note, transform=ax.transAxes, ha="center", va="bottom", fontsize=8, color="0.35")


Arc = tuple[float, float]


def _layout(size: NDArray) -> tuple[list[Arc], dict[tuple[int, int], tuple[Arc, Arc]]]:
    """Arcs of the blocks, and for every pair (to, from) the part of the sender's and of the receiver's arc.

    Along an arc the partners follow each other against the order of the circle, so that bands cross as little as can be.
    """
    n = len(size)
    unit = 2.0 * np.pi * (1.0 - n * _GAP) / (2.0 * size.sum())
    spans: list[Arc] = []
    sends: dict[tuple[int, int], Arc] = {}
    receives: dict[tuple[int, int], Arc] = {}
    at = np.pi / 2
    for k in range(n):
        start = at
        for step in range(1, n):
            other = (k - step) % n
            for pair, side in (((other, k), sends), ((k, other), receives)):
                side[pair] = (at, at + unit * size[pair])
                at = side[pair][1]
        spans.append((start, at))
        at += 2.0 * np.pi * _GAP
    return spans, {pair: (sends[pair], receives[pair]) for pair in sends if size[pair] > 0}


def _band(source: Arc, target: Arc) -> Any:
    """Outline of a band: along the sender's arc, through the middle to the tip at the receiver, and back."""
    from matplotlib.path import Path

    def on(angle: float, radius: float = _RADIUS) -> NDArray:
        return radius * np.array([np.cos(angle), np.sin(angle)])

    arc = [on(a) for a in np.linspace(*source, 24)]
    # the tip rises from the inner circle to the arc and falls again
    tip = [
        on(a, _RADIUS - _TIP * abs(t)) for a, t in zip(np.linspace(*target, 25), np.linspace(-1, 1, 25), strict=True)
    ]
    middle = np.zeros(2)
    points = [*arc, middle, *tip, middle, arc[0]]
    line, curve = Path.LINETO, Path.CURVE3
    codes = [Path.MOVETO, *[line] * (len(arc) - 1), curve, curve, *[line] * (len(tip) - 1), curve, curve]
    return Path(np.array(points), codes)


def _name(ax: Axes, name: str, flows: list[str], angle: float, lang: str) -> None:
    words = ("发出", "接受") if lang == "zh" else ("sends", "receives")
    x, y = np.cos(angle), np.sin(angle)
    side = "center" if abs(x) < 0.35 else "left" if x > 0 else "right"
    height = "center" if abs(y) < 0.55 else "bottom" if y > 0 else "top"
    away = _RADIUS + _RING + 0.05
    lines = [name, *(f"{word} {flow}" for word, flow in zip(words, flows, strict=True))]
    ax.text(away * x, away * y, "\n".join(lines), ha=side, va=height, fontsize=8.5)
