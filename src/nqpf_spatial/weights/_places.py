"""Where units are: capitals, centroids or the user's own points, and distances in kilometres."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial import provinces
from nqpf_spatial.kernels.geo import EARTH_RADIUS_KM, great_circle
from nqpf_spatial.provinces import Names
from nqpf_spatial.weights import _labels

if TYPE_CHECKING:
    import geopandas as gpd

At = Literal["capital", "centroid"]
Array = NDArray[np.float64]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp], Array]

_LON = ("lon", "longitude", "lng", "capital_lon")
_LAT = ("lat", "latitude", "capital_lat")


@dataclass(frozen=True, slots=True)
class Places:
    """Located units in canonical order.

    Attributes
    ----------
    ids : tuple
        Labels.
    xy : ndarray (N, 2)
        Longitude and latitude in degrees, or planar coordinates in km.
    geographic : bool
        Which of the two.
    what : str
        "provincial capitals", "centroids", ...
    """

    ids: tuple[Hashable, ...]
    xy: Array
    geographic: bool
    what: str

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.ids)

    def between(self, i: NDArray[np.intp], j: NDArray[np.intp]) -> Array:
        """Distance in km of pairs of positions; symmetric to the bit."""
        a, b = self.xy[i], self.xy[j]
        if self.geographic:
            return np.atleast_1d(great_circle(a[..., 0], a[..., 1], b[..., 0], b[..., 1]))
        return np.hypot(a[..., 0] - b[..., 0], a[..., 1] - b[..., 1])

    def tree_points(self) -> Array:
        """Coordinates for a KD-tree: the sphere in three dimensions (km), or the plane."""
        if not self.geographic:
            return self.xy
        lon, lat = np.radians(self.xy).T
        unit = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
        return EARTH_RADIUS_KM * unit

    def tree_radius(self, km: float) -> float:
        """Radius in the space of the tree that holds every pair up to ``km`` apart (a hair wider)."""
        if self.geographic:
            half_angle = min(km / (2 * EARTH_RADIUS_KM), np.pi / 2)
            km = 2 * EARTH_RADIUS_KM * float(np.sin(half_angle))
        return km * (1 + 1e-9) + 1e-6


def places(points: Any = None, ids: str | None = None, at: At = "capital", names: Names = "en") -> Places:
    """Locate units.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries or DataFrame, optional
        Points or polygons (their centroids) in any CRS, or a table with columns lon and lat in degrees.
        Default: the 31 provinces.
    ids : str, optional
        Column with the labels; default: the index.
    at : {"capital", "centroid"}
        Where a province is: at its capital, or at the centroid of its polygon (``maps`` extra).
    names : {"en", "zh", "adcode", "iso"}
        Labels of the provinces.

    Raises
    ------
    ValueError
        If there is no CRS, or a coordinate is missing or outside its range.
    """
    if points is None:
        return _provinces(at, names)
    if hasattr(points, "geometry"):
        return _from_geometry(points, ids)
    if isinstance(points, pd.DataFrame):
        return _from_table(points, ids)
    raise TypeError(
        "points must be a GeoDataFrame, a GeoSeries or a DataFrame with columns lon and lat, "
        f"got {type(points).__name__}"
    )


def _ordered(ids: Any, xy: Array, geographic: bool, what: str) -> Places:
    labels = _labels.check_ids(ids)
    bad = np.flatnonzero(~np.isfinite(xy).all(axis=1))
    if bad.size:
        raise ValueError(f"coordinates are missing for {_labels.shorten(labels[k] for k in bad.tolist())}")
    if geographic:
        lon, lat = xy.T
        outside = np.flatnonzero((lon < -180) | (lon > 360) | (np.abs(lat) > 90))
        if outside.size:
            raise ValueError(
                "longitude must lie in [-180, 360] and latitude in [-90, 90] degrees (swapped columns, or "
                f"metres?); not so for {_labels.shorten(labels[k] for k in outside.tolist())}"
            )
    order = _labels.canonical_positions(labels)
    return Places(tuple(labels[k] for k in order.tolist()), xy[order], geographic, what)


def _provinces(at: str, names: Names) -> Places:
    labels = [provinces.label(p, names) for p in provinces.PROVINCES]
    if at == "capital":
        xy = np.array([[p.lon, p.lat] for p in provinces.PROVINCES])
        return _ordered(labels, xy, True, "provincial capitals")
    if at != "centroid":
        raise ValueError(f"at={at!r} is not known; choose 'capital' or 'centroid'")
    from nqpf_spatial.maps.boundaries import province_polygons

    polygons = province_polygons("at='centroid'")
    return _ordered(labels, _lonlat_centroids(polygons.geometry), True, "centroids of the provinces")


def _from_table(table: pd.DataFrame, ids: str | None) -> Places:
    lower = {str(c).strip().lower(): c for c in table.columns}
    columns = [next((lower[x] for x in options if x in lower), None) for options in (_LON, _LAT)]
    if None in columns:
        raise ValueError(
            f"points needs columns lon and lat (degrees), has {_labels.shorten(table.columns)}; "
            "planar coordinates come as a GeoDataFrame with a CRS"
        )
    try:
        xy = table[columns].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"columns {columns[0]!r} and {columns[1]!r} must be degrees: {error}") from error
    return _ordered(_label_column(table, ids), xy, True, "points given")


def _label_column(table: pd.DataFrame, ids: str | None) -> Any:
    if ids is None:
        return table.index
    if ids not in table.columns:
        raise ValueError(f"ids={ids!r} is not a column; there are {_labels.shorten(table.columns)}")
    return table[ids]


def labelled_geometry(points: Any, ids: str | None) -> gpd.GeoSeries:
    """Geometries indexed by label, none missing or empty."""
    labels = _labels.check_ids(_label_column(points, ids) if isinstance(points, pd.DataFrame) else points.index)
    geometry = points.geometry
    bad = np.flatnonzero((geometry.isna() | geometry.is_empty).to_numpy())
    if bad.size:
        raise ValueError(f"geometry is missing or empty for {_labels.shorten(labels[k] for k in bad.tolist())}")
    return geometry.set_axis(pd.Index(list(labels), tupleize_cols=False))


def _from_geometry(points: Any, ids: str | None) -> Places:
    geometry = labelled_geometry(points, ids)
    if geometry.crs is None:
        raise ValueError(
            "the geometry has no CRS, so its distances have no unit: set it, e.g. gdf.set_crs('EPSG:4326') for degrees"
        )
    is_point = set(geometry.geom_type) == {"Point"}
    what = "points given" if is_point else "centroids given"
    if geometry.crs.is_geographic:
        xy = _coordinates(geometry.to_crs(4326)) if is_point else _lonlat_centroids(geometry)
        return _ordered(geometry.index, xy, True, what)
    to_km = _axis_unit_in_metres(geometry.crs) / 1000
    return _ordered(geometry.index, _coordinates(geometry if is_point else geometry.centroid) * to_km, False, what)


def _axis_unit_in_metres(crs: Any) -> float:
    """Length of one unit of a projected CRS; both axes must agree."""
    factors = {axis.unit_conversion_factor for axis in crs.axis_info[:2]}
    if len(factors) != 1:
        raise ValueError(f"the axes of {crs.name} have different units; reproject, e.g. to EPSG:4326")
    return float(factors.pop())


def _coordinates(geometry: gpd.GeoSeries) -> Array:
    return np.column_stack([geometry.x.to_numpy(), geometry.y.to_numpy()])


def _lonlat_centroids(geometry: gpd.GeoSeries) -> Array:
    """Centroids computed on an equal-area plane around the data, as longitude and latitude.

    A centroid in degrees is biased towards the pole, where a degree of longitude is short.
    """
    west, south, east, north = geometry.to_crs(4326).total_bounds
    plane = f"+proj=laea +lat_0={(south + north) / 2:.6f} +lon_0={(west + east) / 2:.6f} +datum=WGS84 +units=m"
    return _coordinates(geometry.to_crs(plane).centroid.to_crs(4326))


def refuse_coincident(units: Places, pairs: Pairs) -> None:
    """Raise if an inverse distance would be infinite."""
    rows, columns, distance = pairs
    same = np.flatnonzero(distance == 0)
    if same.size:
        shown = "; ".join(f"{units.ids[rows[k]]} and {units.ids[columns[k]]}" for k in same[:3])
        raise ValueError(
            f"units lie in the same place: {shown}. Their inverse distance is infinite: merge them or move one of them"
        )
