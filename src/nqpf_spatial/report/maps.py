"""Maps of the provinces on the official boundaries (the `maps` extra), with names in English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nqpf_spatial import provinces
from nqpf_spatial.fonts import typeface
from nqpf_spatial.maps.base import draw, project
from nqpf_spatial.maps.choropleth import write_names
from nqpf_spatial.report.figures import BLUE, GREEN, ORANGE, RED, _figure
from nqpf_spatial.report.words import word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {
    "block": {"East": BLUE, "Central": GREEN, "West": ORANGE, "Northeast": "#CC79A7"},
    "north_south": {"North": BLUE, "South": ORANGE},
    "hub": {"hub": RED, "other": "#E5E7EB"},
    "cluster": {"cluster": RED, "other": "#E5E7EB"},
}


def province_map(
    scheme: str = "block", *, lang: str = "en", labels: bool = True, marked: Mapping[str, str] | None = None
) -> Figure:
    """Draw the provinces coloured by a grouping.

    Parameters
    ----------
    scheme : {"block", "north_south", "hub", "cluster"}
        Grouping of :func:`nqpf_spatial.provinces.groups`.
    lang : {"en", "zh"}
        Language of names and legend.
    labels : bool
        Whether names are written on the map.
    marked : mapping of str to str, optional
        Province -> colour of an extra dot at its capital.

    Returns
    -------
    matplotlib.figure.Figure
        Units outside the 31 mainland provinces are drawn without colour; the South China Sea stands in an
        inset, as on official maps.
    """
    if scheme not in _COLOURS:
        raise ValueError(f"scheme={scheme!r}: choose one of {', '.join(_COLOURS)}")
    fill = {p.adcode: _COLOURS[scheme][provinces.group_of(p.adcode, scheme)] for p in provinces.PROVINCES}  # type: ignore[arg-type]
    with typeface(lang):
        figure, (ax,) = _figure(7.6, 6.0)
        draw(ax, fill, land="white")
        if labels:
            write_names(ax, lang)
        _mark(ax, marked or {})
        handles = _handles(scheme, lang)
        ax.legend(handles=handles, loc="lower left", fontsize=8, frameon=False)
    return figure


def _mark(ax: Any, marked: Mapping[str, str]) -> None:
    """Put dots at the capitals of some provinces."""
    if not marked:
        return
    chosen = {provinces.resolve(name): colour for name, colour in marked.items()}
    points = project([p.lon for p in chosen], [p.lat for p in chosen])
    ax.scatter(points[:, 0], points[:, 1], s=22, c=list(chosen.values()), edgecolors="white", linewidths=0.8, zorder=5)


def _handles(scheme: str, lang: str) -> list[Any]:
    """Legend entries with the number of provinces in each group."""
    from matplotlib.patches import Patch

    sizes = {name: len(members) for name, members in provinces.groups(scheme).items()}  # type: ignore[arg-type]
    return [
        Patch(color=colour, label=f"{word(name, lang)} ({sizes[name]})") for name, colour in _COLOURS[scheme].items()
    ]
