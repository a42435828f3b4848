"""Great-circle distances against an ellipsoidal geodesic, hand values and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from nqpf_spatial.kernels.geo import EARTH_RADIUS_KM, distance_matrix, great_circle
from nqpf_spatial.provinces import PROVINCES

LON = np.array([p.lon for p in PROVINCES])
LAT = np.array([p.lat for p in PROVINCES])


def test_agrees_with_the_geodesic_between_all_capitals() -> None:
    i, j = np.triu_indices(len(LON), k=1)
    _, _, metres = Geod(ellps="WGS84").inv(LON[i], LAT[i], LON[j], LAT[j])
    np.testing.assert_allclose(great_circle(LON[i], LAT[i], LON[j], LAT[j]), metres / 1000, rtol=0.005)


def test_quarter_and_half_of_a_great_circle_to_the_millimetre() -> None:
    quarter = np.pi / 2 * EARTH_RADIUS_KM
    assert great_circle(0, 0, 90, 0) == pytest.approx(quarter, abs=5.1e-7)
    assert great_circle(100, 0, 13, 90) == pytest.approx(quarter, abs=5.1e-7)
    assert great_circle(0, 0, 180, 0) == pytest.approx(2 * quarter, abs=5.1e-7)
    # the haversine loses half the digits at the antipode: 0.2 m
    assert great_circle(30, 40, -150, -40) == pytest.approx(2 * quarter, rel=1e-7)


def test_agrees_with_the_chord_of_unit_vectors() -> None:
    lon, lat = np.radians(LON), np.radians(LAT)
    xyz = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    chord = np.linalg.norm(xyz[:, None] - xyz[None], axis=2)
    np.testing.assert_allclose(
        distance_matrix(LON, LAT), (2 * EARTH_RADIUS_KM * np.arcsin(chord / 2)).round(6), rtol=1e-14
    )


def test_matrix_is_symmetric_to_the_bit_with_zero_diagonal() -> None:
    d = distance_matrix(LON, LAT)
    assert d.shape == (31, 31)
    assert np.array_equal(d, d.T)
    assert not d.diagonal().any()
    assert (d[~np.eye(31, dtype=bool)] > 50).all()


def test_triangle_inequality() -> None:
    d = distance_matrix(LON, LAT)
    assert (d[:, None, :] <= d[:, :, None] + d[None, :, :] + 1e-9).all()


def test_longitudes_may_run_to_360() -> None:
    assert great_circle(350, 10, 10, 10) == pytest.approx(great_circle(-10, 10, 10, 10), rel=1e-12)


@pytest.mark.parametrize(
    ("point", "name"),
    [((0, 0, 0, 91), "lat_b"), ((400, 0, 0, 0), "lon_a"), ((0, np.nan, 0, 0), "lat_a")],
)
def test_impossible_coordinates_are_named(point: tuple[float, ...], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        great_circle(*point)


def test_shapes_must_match() -> None:
    with pytest.raises(ValueError, match="vectors of one length"):
        distance_matrix([1.0, 2.0], [1.0])
