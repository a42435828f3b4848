"""Centrography of weighted points, in the plane and on the sphere: mean centre, standard ellipse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nqpf_spatial.errors import ConvergenceError
from nqpf_spatial.kernels.geo import EARTH_RADIUS_KM

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Standard deviational ellipse.

    Attributes
    ----------
    center : ndarray, shape (2,)
        Weighted mean (x east, y north), in the unit of the coordinates.
    major, minor : float
        Semi-axes: weighted standard deviations along the principal directions.
    bearing : float
        Direction of the major axis, degrees clockwise from north (the y axis), in [0, 180).
    """

    center: Array
    major: float
    minor: float
    bearing: float

    @property
    def area(self) -> float:
        """Area ``pi major minor``."""
        return float(np.pi * self.major * self.minor)


def _checked(xy: ArrayLike, weights: ArrayLike | None) -> tuple[Array, Array]:
    points = np.asarray(xy, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 1:
        raise ValueError(f"xy must be an (n, 2) array; got shape {points.shape}")
    w = np.ones(len(points)) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != (len(points),):
        raise ValueError(f"weights must have shape ({len(points)},); got {w.shape}")
    if not (np.isfinite(points).all() and np.isfinite(w).all()):
        raise ValueError("coordinates and weights must be finite")
    if (w < 0).any() or w.sum() <= 0:
        raise ValueError("weights must be non-negative and not all zero")
    return points, w / w.sum()


def mean_center(xy: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """Weighted mean centre.

    Parameters
    ----------
    xy : array_like, shape (n, 2)
        Planar coordinates.
    weights : array_like, shape (n,), optional
        Non-negative; default equal.

    Returns
    -------
    ndarray, shape (2,)

    Raises
    ------
    ValueError
        Wrong shapes, cells that are not finite, negative weights or weights that sum to zero.

    Notes
    -----
    ``sum w_i x_i / sum w_i`` (Lefever 1926, American Journal of Sociology 32).

    Examples
    --------
    >>> mean_center([[0.0, 0.0], [4.0, 0.0]], [3.0, 1.0])
    array([1., 0.])
    """
    points, p = _checked(xy, weights)
    return p @ points


def standard_ellipse(xy: ArrayLike, weights: ArrayLike | None = None) -> Ellipse:
    """Weighted standard deviational ellipse.

    Parameters
    ----------
    xy : array_like, shape (n, 2)
        Planar coordinates, x east and y north.
    weights : array_like, shape (n,), optional
        Non-negative; default equal.

    Returns
    -------
    Ellipse
        A circle reports bearing 0.

    Raises
    ------
    ValueError
        See `mean_center`.

    Notes
    -----
    The semi-axes are the square roots of the eigenvalues of the weighted covariance matrix
    ``sum p_i (x_i - m)(x_i - m)'`` with ``p_i = w_i / sum w``: Yuill (1971), Geografiska Annaler B 53,
    without degrees-of-freedom correction. Yuill's angle formula and this eigenvector agree. CrimeStat and
    pointpats multiply the axes by ``sqrt(2 n / (n - 2))`` and ArcGIS by ``sqrt(2)``; the direction and the
    ratio of the axes are the same.

    Examples
    --------
    >>> e = standard_ellipse([[-2.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> round(e.major, 4), round(e.minor, 4), e.bearing
    (1.4142, 0.7071, 90.0)
    """
    points, p = _checked(xy, weights)
    center = p @ points
    d = points - center
    (sxx, sxy), (_, syy) = ((p[:, None] * d).T @ d).tolist()
    half = float(np.hypot((sxx - syy) / 2, sxy))
    middle = (sxx + syy) / 2
    # angle of the major axis from the x axis; a circle has none
    angle = 0.5 * np.arctan2(2 * sxy, sxx - syy) if half > 1e-12 * middle else np.pi / 2
    bearing = float(np.degrees(np.pi / 2 - angle) % 180.0)
    return Ellipse(center, float(np.sqrt(middle + half)), float(np.sqrt(max(middle - half, 0.0))), bearing)


def azimuthal(lon: ArrayLike, lat: ArrayLike, lon0: float, lat0: float) -> Array:
    """Azimuthal equidistant projection of the sphere: distance and direction from a point are exact.

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        Degrees.
    lon0, lat0 : float
        Centre, degrees.

    Returns
    -------
    ndarray, shape (n, 2)
        Kilometres east and north of the centre.

    Notes
    -----
    Snyder (1987), Map Projections: A Working Manual, eqs 22-4, 22-5 and 25-2, on the sphere of
    `kernels.geo`.

    Examples
    --------
    >>> azimuthal([105.0], [36.0], 105.0, 35.0).round(2) + 0.0
    array([[  0. , 111.2]])
    """
    phi, phi0 = np.radians(np.asarray(lat, dtype=np.float64)), np.radians(lat0)
    delta = np.radians(np.asarray(lon, dtype=np.float64) - lon0)
    x = np.cos(phi) * np.sin(delta)
    y = np.cos(phi0) * np.sin(phi) - np.sin(phi0) * np.cos(phi) * np.cos(delta)
    sine = np.hypot(x, y)
    angle = np.arctan2(sine, np.sin(phi0) * np.sin(phi) + np.cos(phi0) * np.cos(phi) * np.cos(delta))
    stretch = np.divide(angle, sine, out=np.ones_like(angle), where=sine > 0)
    return EARTH_RADIUS_KM * np.column_stack([stretch * x, stretch * y])


def azimuthal_inverse(xy: ArrayLike, lon0: float, lat0: float) -> Array:
    """Longitude and latitude of points in the azimuthal equidistant projection.

    Parameters
    ----------
    xy : array_like, shape (n, 2)
        Kilometres east and north of the centre.
    lon0, lat0 : float
        Centre, degrees.

    Returns
    -------
    ndarray, shape (n, 2)
        Longitude in [-180, 180) and latitude, degrees.

    Notes
    -----
    Snyder (1987), eqs 20-14 and 20-15.

    Examples
    --------
    >>> azimuthal_inverse([[0.0, 0.0]], 105.0, 35.0)
    array([[105.,  35.]])
    """
    x, y = np.atleast_2d(np.asarray(xy, dtype=np.float64)).T
    phi0 = np.radians(lat0)
    rho = np.hypot(x, y)
    c = rho / EARTH_RADIUS_KM
    unit = np.divide(y, rho, out=np.zeros_like(rho), where=rho > 0)
    lat = np.degrees(np.arcsin(np.clip(np.cos(c) * np.sin(phi0) + unit * np.sin(c) * np.cos(phi0), -1, 1)))
    turn = np.arctan2(x * np.sin(c), rho * np.cos(phi0) * np.cos(c) - y * np.sin(phi0) * np.sin(c))
    lon = (lon0 + np.degrees(turn) + 180.0) % 360.0 - 180.0
    # no direction at the centre itself
    return np.column_stack([np.where(rho > 0, lon, lon0), np.where(rho > 0, lat, lat0)])


def spherical_center(lon: ArrayLike, lat: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """Weighted centre of gravity of points on the sphere.

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        Degrees.
    weights : array_like, shape (n,), optional
        Non-negative; default equal.

    Returns
    -------
    ndarray, shape (2,)
        Longitude and latitude of the point c at which the weighted mean of the azimuthal equidistant
        coordinates around c is zero.

    Raises
    ------
    ValueError
        See `mean_center`.
    ConvergenceError
        The points do not lie in one half of the globe.

    Notes
    -----
    The intrinsic (Karcher 1977) mean: it minimises the weighted sum of squared great-circle distances and
    does not depend on a projection, unlike the mean of degrees of longitude and latitude.

    Examples
    --------
    >>> spherical_center([0.0, 90.0], [0.0, 0.0]).round(9)
    array([45.,  0.])
    """
    points = np.column_stack([np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)])
    points, p = _checked(points, weights)
    center = p @ points
    for _ in range(200):
        step = p @ azimuthal(points[:, 0], points[:, 1], center[0], center[1])
        if np.hypot(*step) < 1e-9:
            return center
        center = azimuthal_inverse(step, center[0], center[1])[0]
    raise ConvergenceError(
        f"the centre of gravity did not settle (last step {np.hypot(*step):.3g} km): do the points lie all round "
        "the globe?"
    )


def ellipse_outline(ellipse: Ellipse, n: int = 181, scale: float = 1.0) -> Array:
    """Points on an ellipse, for drawing.

    Parameters
    ----------
    ellipse : Ellipse
    n : int
        Number of points; first and last coincide.
    scale : float
        Multiple of the semi-axes.

    Returns
    -------
    ndarray, shape (n, 2)

    Examples
    --------
    >>> ellipse_outline(Ellipse(np.zeros(2), 2.0, 1.0, 90.0), n=5).round(9) + 0.0
    array([[ 2.,  0.],
           [ 0.,  1.],
           [-2.,  0.],
           [ 0., -1.],
           [ 2.,  0.]])
    """
    t = np.linspace(0.0, 2 * np.pi, n)
    angle = np.pi / 2 - np.radians(ellipse.bearing)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-np.sin(angle), np.cos(angle)])
    u, v = scale * ellipse.major * np.cos(t), scale * ellipse.minor * np.sin(t)
    return ellipse.center + u[:, None] * along + v[:, None] * across
