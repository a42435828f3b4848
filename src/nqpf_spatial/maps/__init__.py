"""Maps of China: official boundaries, the base map that every picture shares, and values by province in colours."""

from __future__ import annotations

from nqpf_spatial.maps.base import PROJECTION, draw, project
from nqpf_spatial.maps.boundaries import national_polygons, province_polygons
from nqpf_spatial.maps.choropleth import choropleth

__all__ = ["PROJECTION", "choropleth", "draw", "national_polygons", "project", "province_polygons"]
