"""Centrography against pointpats, pyproj, brute force and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod, Proj
from scipy.optimize import minimize

from nqpf_spatial.errors import ConvergenceError
from nqpf_spatial.kernels import centrography as kernels
from nqpf_spatial.kernels.geo import EARTH_RADIUS_KM, great_circle

RNG = np.random.default_rng(5)
POINTS = RNG.normal(size=(40, 2)) @ [[3, 1], [0, 1]] + [10, 20]
LON, LAT = RNG.uniform(75, 130, 31), RNG.uniform(18, 52, 31)
WEIGHTS = RNG.random(31)


def test_ellipse_against_pointpats():
    """pointpats 2.5.5, centrography.ellipse(POINTS): semi-axes carry sqrt(2 n / (n - 2)), theta from the x axis."""
    major, minor, theta = 4.382833775974113, 1.1403514859089283, 0.379373138660248
    e = kernels.standard_ellipse(POINTS)
    factor = np.sqrt(2 * 40 / 38)
    assert (e.major * factor, e.minor * factor) == pytest.approx((major, minor), rel=1e-12)
    assert e.bearing == pytest.approx(90 - np.degrees(theta), abs=1e-9)


def test_semi_axes_are_the_largest_and_smallest_standard_deviation():
    d = POINTS - POINTS.mean(axis=0)
    angles = np.radians(np.linspace(0, 180, 3601))
    spread = np.std(d @ np.array([np.sin(angles), np.cos(angles)]), axis=0)
    e = kernels.standard_ellipse(POINTS)
    assert (e.major, e.minor) == pytest.approx((spread.max(), spread.min()), rel=1e-6)
    assert e.bearing == pytest.approx(np.degrees(angles[spread.argmax()]), abs=0.06)


def test_weights_are_replications():
    w = np.array([2, 1, 3])
    xy = np.array([[0.0, 0], [4, 1], [1, 5]])
    a, b = kernels.standard_ellipse(xy, w), kernels.standard_ellipse(np.repeat(xy, w, axis=0))
    assert (a.major, a.minor, a.bearing) == pytest.approx((b.major, b.minor, b.bearing), rel=1e-12)


@pytest.mark.parametrize("turn", [10.0, 75.0, 170.0])
def test_a_turned_cloud_turns_its_ellipse(turn):
    e = kernels.standard_ellipse(POINTS)
    t = np.radians(turn)
    # clockwise, as bearings count
    turned = kernels.standard_ellipse(POINTS @ np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]))
    assert turned.bearing == pytest.approx((e.bearing + turn) % 180, abs=1e-9)
    assert (turned.major, turned.minor) == pytest.approx((e.major, e.minor), rel=1e-12)


def test_outline_has_the_ellipse_as_its_spread():
    e = kernels.standard_ellipse(POINTS)
    around = kernels.standard_ellipse(kernels.ellipse_outline(e, n=721, scale=np.sqrt(2))[:-1])
    assert (around.major, around.minor, around.bearing) == pytest.approx((e.major, e.minor, e.bearing), rel=1e-9)
    assert np.allclose(around.center, e.center)


def test_projection_against_pyproj():
    proj = Proj(proj="aeqd", lon_0=105, lat_0=35, R=1000 * EARTH_RADIUS_KM)
    x, y = proj(LON, LAT)
    xy = kernels.azimuthal(LON, LAT, 105, 35)
    assert np.allclose(xy, np.column_stack([x, y]) / 1000, atol=1e-8)
    assert np.allclose(kernels.azimuthal_inverse(xy, 105, 35), np.column_stack([LON, LAT]), atol=1e-11)
    assert np.allclose(np.hypot(*xy.T), great_circle(LON, LAT, 105, 35), atol=1e-8)


def test_center_minimises_squared_great_circle_distances():
    center = kernels.spherical_center(LON, LAT, WEIGHTS)
    # distances of another library: ours are rounded to the millimetre, which a minimiser sees as steps
    sphere = Geod(a=EARTH_RADIUS_KM, b=EARTH_RADIUS_KM)

    def squares(c):
        return float(WEIGHTS @ sphere.inv(LON, LAT, np.full_like(LON, c[0]), np.full_like(LAT, c[1]))[2] ** 2)

    best = minimize(
        squares,
        center + 0.5,
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 2000},
    )
    assert center == pytest.approx(best.x, abs=1e-6)


def test_sphere_and_ellipsoid_are_close():
    """The mean on the WGS84 ellipsoid, by iteration on geodesics, lies within a few km."""
    geod = Geod(ellps="WGS84")
    center = kernels.spherical_center(LON, LAT, WEIGHTS)
    lon, lat = center
    for _ in range(50):
        azimuth, _, distance = geod.inv(np.full(31, lon), np.full(31, lat), LON, LAT)
        step = WEIGHTS @ np.column_stack(
            [distance * np.sin(np.radians(azimuth)), distance * np.cos(np.radians(azimuth))]
        )
        step /= WEIGHTS.sum()
        lon, lat, _ = geod.fwd(lon, lat, np.degrees(np.arctan2(*step)), np.hypot(*step))
    assert great_circle(lon, lat, *center) < 4.0


def test_center_turns_with_the_globe():
    a, b = kernels.spherical_center(LON, LAT, WEIGHTS), kernels.spherical_center(LON + 40, LAT, WEIGHTS)
    assert b - a == pytest.approx([40, 0], abs=1e-9)


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1.0, -1.0], "non-negative"), ([0.0, 0.0], "not all zero"), ([1.0], "shape"), ([1.0, np.nan], "finite")],
)
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        kernels.mean_center([[0.0, 0.0], [1.0, 1.0]], weights)


def test_points_round_the_globe_have_no_center():
    with pytest.raises(ConvergenceError, match="do the points lie all round"):
        kernels.spherical_center([0.0, 120.0, 240.0, 10.0], [0.0, 0.0, 0.0, 89.0], [1, 1, 1, 1e-3])
