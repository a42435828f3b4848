"""Geographic distance: inverse distance, distance band, nearest neighbours, kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from nqpf_spatial.provinces import Names
from nqpf_spatial.weights._neighbours import all_pairs, nearest, pairs_within
from nqpf_spatial.weights._places import At, Pairs, Places, places, refuse_coincident
from nqpf_spatial.weights._powers import raised
from nqpf_spatial.weights._standardise import Transform
from nqpf_spatial.weights.core import Islands, SpatialWeights, check_islands
from nqpf_spatial.weights.guards import check_number

Array = NDArray[np.float64]


def inverse_distance(
    power: float = 1,
    cutoff: float | None = None,
    *,
    points: Any = None,
    ids: str | None = None,
    at: At = "capital",
    names: Names = "en",
    transform: Transform = "row",
    islands: Islands = "error",
) -> SpatialWeights:
    """Inverse great-circle distance, optionally up to a cutoff.

    Parameters
    ----------
    power : float
        Exponent p of the distance, positive.
    cutoff : float, optional
        Largest distance in km; beyond it the weight is zero. Needed beyond 5,000 units.
    points, ids, at, names
        Where the units are: see :func:`knn`.
    transform : {"row", "spectral", "minmax", "none"}
    islands : {"error", "keep"}
        What to do with units without a neighbour inside the cutoff.

    Returns
    -------
    SpatialWeights

    Raises
    ------
    ValueError
        If two units lie in the same place: their weight would be infinite.

    Notes
    -----
    w_ij = d_ij^(-p), d in km (Cliff and Ord 1973, 1981). The kilometre cancels under row, spectral and
    min-max standardisation.

    *Usual mistake*: distances in degrees, which shrink with latitude: one degree of longitude is 104 km in
    Haikou and 78 km in Harbin. And: without a cutoff the matrix is full, so that with time effects little is
    left to identify rho.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.inverse_distance(power=2, transform="none")
    >>> round(w.to_frame().loc["Beijing", "Tianjin"] ** -0.5)  # km
    114
    """
    check_number(power, "power")
    if not power > 0:
        raise ValueError(f"power={power!r} must be positive; for weights without distance decay use distance_band()")
    units = places(points, ids, at, names)
    pairs = all_pairs(units) if cutoff is None else pairs_within(units, _positive(cutoff, "cutoff"))
    refuse_coincident(units, pairs)
    reach = "" if cutoff is None else f", d <= {cutoff:g} km"
    suffix = "" if power == 1 else f"^{power:g}"
    return _build(
        units,
        pairs,
        lambda d: raised(d, -power),
        name=f"1/d{suffix}{'' if cutoff is None else f' < {cutoff:g} km'}",
        formula=f"w_ij = 1 / d_ij{suffix}{reach}",
        source="Cliff and Ord (1973, 1981)",
        transform=transform,
        islands=islands,
    )


def distance_band(
    threshold: float | None = None,
    power: float = 0,
    *,
    points: Any = None,
    ids: str | None = None,
    at: At = "capital",
    names: Names = "en",
    transform: Transform = "row",
    islands: Islands = "error",
) -> SpatialWeights:
    """All units within a distance.

    Parameters
    ----------
    threshold : float, optional
        Largest distance in km. Default: the smallest that leaves no unit without a neighbour (the largest
        distance to a nearest neighbour), stated in the report.
    power : float
        0: every neighbour counts the same; p: weight d^(-p).
    points, ids, at, names
        Where the units are: see :func:`knn`.
    transform, islands
        As everywhere.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    w_ij = 1 if 0 <= d_ij <= threshold (Anselin 1988, ch. 3).

    *Usual mistake*: one threshold for East and West. The 1,439 km that Urumqi
    needs to reach its first neighbour, Xining, give the average province 18 neighbours.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.distance_band(500, islands="keep")
    >>> w.islands
    ('Tibet', 'Xinjiang')
    """
    check_number(power, "power")
    units = places(points, ids, at, names)
    facts = {}
    if threshold is None:
        threshold = float(nearest(units, 1)[2].max())
        facts = {"threshold": f"{threshold:.3f} km, the largest distance to a nearest neighbour"}
    pairs = pairs_within(units, _positive(threshold, "threshold"))
    if power:
        refuse_coincident(units, pairs)
    return _build(
        units,
        pairs,
        lambda d: raised(d, -power),
        name=f"band {threshold:g} km",
        formula=f"w_ij = {_decay(power)} if d_ij <= {threshold:g} km",
        source="Anselin (1988)",
        transform=transform,
        islands=islands,
        facts=facts,
    )


def knn(
    k: int = 4,
    power: float = 0,
    *,
    symmetric: Literal["no", "union", "mutual"] = "no",
    points: Any = None,
    ids: str | None = None,
    at: At = "capital",
    names: Names = "en",
    transform: Transform = "row",
    islands: Islands = "error",
) -> SpatialWeights:
    """The k nearest units.

    Parameters
    ----------
    k : int
        Number of neighbours.
    power : float
        0: every neighbour counts the same; p: weight d^(-p).
    symmetric : {"no", "union", "mutual"}
        Leave the links one-way, add the opposite ones, or keep mutual ones only.
    points : GeoDataFrame, GeoSeries or DataFrame, optional
        Points or polygons (their centroids) in any CRS, or a table with columns lon and lat in degrees.
        Geographic coordinates give great-circle distances, projected ones planar distances in the unit of
        the CRS, both in km. Default: the 31 provinces.
    ids : str, optional
        Column with the labels; default: the index.
    at : {"capital", "centroid"}
        Where a province is: at its capital, or at the centroid of its polygon (``maps`` extra).
    names : {"en", "zh", "adcode", "iso"}
        Labels of the provinces.
    transform, islands
        As everywhere.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    w_ij = 1 if j is among the k nearest of i (Cliff and Ord 1981). Units that are equally far at the k-th
    place are taken in canonical order; the report counts such ties. Sparse throughout: a million points need
    no dense matrix.

    *Usual mistake*: taking the matrix for symmetric. Chengdu is the capital nearest to Lhasa, but Lhasa is
    the nearest of none; use ``symmetric=`` where a method needs symmetry.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.knn(3)
    >>> w.to_frame().loc["Shanghai"].loc[lambda x: x > 0].index.tolist()
    ['Jiangsu', 'Zhejiang', 'Anhui']
    """
    check_number(power, "power")
    units = places(points, ids, at, names)
    rows, columns, distance, ties = nearest(units, k)
    pairs = (rows, columns, distance)
    if power:
        refuse_coincident(units, pairs)
    matrix = _matrix(units, pairs, lambda d: raised(d, -power))
    if symmetric == "union":
        matrix = matrix.maximum(matrix.T)
    elif symmetric == "mutual":
        matrix = matrix.minimum(matrix.T)
    elif symmetric != "no":
        raise ValueError(f"symmetric={symmetric!r} is not known; choose 'no', 'union' or 'mutual'")
    suffix = "" if symmetric == "no" else f" {symmetric}"
    return SpatialWeights(
        units.ids,
        matrix,
        transform=transform,
        name=f"knn {k}{suffix}",
        date="time-invariant",
        formula=f"w_ij = {_decay(power)} if j is among the {k} nearest of i{suffix}",
        source="Cliff and Ord (1981)",
        facts={"located at": units.what} | ({"ties at place k": ties} if ties else {}),
        islands_allowed=check_islands(islands),
    )


#: Kernel functions of z = d / bandwidth and whether they are zero beyond z = 1.
_KERNELS: dict[str, tuple[Callable[[Array], Array], bool, str]] = {
    "uniform": (lambda z: np.full_like(z, 0.5), True, "1/2"),
    "triangular": (lambda z: 1 - z, True, "1 - z"),
    "epanechnikov": (lambda z: 0.75 * (1 - z**2), True, "3/4 (1 - z^2)"),
    "bisquare": (lambda z: 15 / 16 * (1 - z**2) ** 2, True, "15/16 (1 - z^2)^2"),
    "cosine": (lambda z: np.pi / 4 * np.cos(np.pi / 2 * z), True, "pi/4 cos(pi z / 2)"),
    "gaussian": (lambda z: np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), False, "exp(-z^2 / 2) / sqrt(2 pi)"),
    "exponential": (lambda z: np.exp(-z), False, "exp(-z)"),
}

#: Other names of the same functions (libpysal's).
_SYNONYMS = {"quartic": "bisquare"}

#: Neighbours that set the adaptive bandwidth if nothing is said.
_DEFAULT_K = 8

KernelName = Literal[
    "uniform", "triangular", "epanechnikov", "bisquare", "quartic", "cosine", "gaussian", "exponential"
]


def kernel(
    function: KernelName = "triangular",
    bandwidth: float | None = None,
    k: int | None = None,
    cutoff: float | None = None,
    *,
    points: Any = None,
    ids: str | None = None,
    at: At = "capital",
    names: Names = "en",
    transform: Transform = "row",
    islands: Islands = "error",
) -> SpatialWeights:
    """Kernel of the distance, with one bandwidth or one per unit.

    Parameters
    ----------
    function : {"uniform", "triangular", "epanechnikov", "bisquare", "cosine", "gaussian", "exponential"}
        "quartic" is another name of "bisquare".
    bandwidth : float, optional
        Bandwidth in km, the same for all.
    k : int, optional
        Instead: adaptive bandwidth, the distance of each unit to its k-th nearest; only these k units get a
        weight (functions that vanish at the bandwidth give the k-th itself none). 8 if neither is given.
    cutoff : float, optional
        Largest distance in km for "gaussian" and "exponential", which never vanish.
    points, ids, at, names
        Where the units are: see :func:`knn`.
    transform, islands
        As everywhere.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    w_ij = K(d_ij / h_i), zero diagonal. uniform 1/2 for z <= 1; triangular 1 - z; epanechnikov 3/4 (1 - z^2);
    bisquare 15/16 (1 - z^2)^2; cosine pi/4 cos(pi z / 2); these for z < 1; gaussian exp(-z^2 / 2) / sqrt(2 pi);
    exponential exp(-z). As covariance weights: Kelejian and Prucha (2007, Journal of Econometrics 140).

    *Usual mistake*: feeding a kernel matrix with ones on the diagonal (as in HAC estimation) into a lag
    model, where a unit must not be its own neighbour.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.kernel("gaussian", bandwidth=500)
    >>> w.n, w.is_row_stochastic
    (31, True)
    """
    function = _SYNONYMS.get(function, function)  # type: ignore[assignment]
    if function not in _KERNELS:
        raise ValueError(f"function={function!r} is not known; choose one of {', '.join((*_KERNELS, *_SYNONYMS))}")
    if bandwidth is not None and k is not None:
        raise ValueError("give either bandwidth= (km) or k= (adaptive bandwidth), not both")
    units = places(points, ids, at, names)
    text = _KERNELS[function][2]
    label = f"{bandwidth:g} km" if bandwidth is not None else f"{k or _DEFAULT_K} nearest"
    return SpatialWeights(
        units.ids,
        _kernel_matrix(units, function, bandwidth, k or _DEFAULT_K, cutoff),
        transform=transform,
        name=f"{function} {label}",
        date="time-invariant",
        formula=f"w_ij = K(d_ij / h{'' if bandwidth else '_i'}), K(z) = {text}, h = {label}",
        source="Kelejian and Prucha (2007)",
        facts={"located at": units.what},
        islands_allowed=check_islands(islands),
    )


def _kernel_matrix(units: Places, function: str, bandwidth: float | None, k: int, cutoff: float | None) -> csr_array:
    """Kernel of the distances over a fixed bandwidth, or over that of each unit's k-th nearest."""
    value, compact, _ = _KERNELS[function]
    if bandwidth is None:
        rows, columns, distance, _ = nearest(units, k)
        width = np.repeat(distance.reshape(units.n, k).max(axis=1), k)
    else:
        km = _positive(bandwidth, "bandwidth")
        reach = km if compact else cutoff
        rows, columns, distance = all_pairs(units) if reach is None else pairs_within(units, reach)
        width = np.full(distance.size, km)
    z = distance / width
    # the uniform function is the one that does not vanish at the bandwidth itself
    edge = z <= 1 if function == "uniform" else z < 1
    inside = edge if compact else np.ones(z.size, dtype=bool)
    if cutoff is not None:
        inside &= distance <= _positive(cutoff, "cutoff")
    return _matrix(units, (rows[inside], columns[inside], z[inside]), value)


def _build(
    units: Places,
    pairs: Pairs,
    weight: Callable[[Array], Array],
    *,
    name: str,
    formula: str,
    source: str,
    transform: Transform,
    islands: Islands,
    facts: dict[str, Any] | None = None,
) -> SpatialWeights:
    return SpatialWeights(
        units.ids,
        _matrix(units, pairs, weight),
        transform=transform,
        name=name,
        date="time-invariant",
        formula=f"{formula}; d = {'great-circle' if units.geographic else 'planar'} km between {units.what}",
        source=source,
        facts={"located at": units.what} | (facts or {}),
        islands_allowed=check_islands(islands),
    )


def _matrix(units: Places, pairs: Pairs, weight: Callable[[Array], Array]) -> csr_array:
    rows, columns, distance = pairs
    return coo_array((weight(distance), (rows, columns)), shape=(units.n, units.n)).tocsr()


def _decay(power: float) -> str:
    return "1" if not power else f"1 / d_ij^{power:g}"


def _positive(value: float, name: str) -> float:
    check_number(value, name)
    if not value > 0:
        raise ValueError(f"{name}={value!r} must be a positive distance in km")
    return float(value)
