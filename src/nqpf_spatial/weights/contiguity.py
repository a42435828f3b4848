"""Contiguity: common borders, first and higher order, and regular lattices."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.sparse import coo_array, csr_array

from nqpf_spatial import provinces
from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.provinces import Names
from nqpf_spatial.weights._standardise import Transform
from nqpf_spatial.weights.core import Islands, SpatialWeights, check_islands
from nqpf_spatial.weights.guards import require_weights

if TYPE_CHECKING:
    import geopandas as gpd

Criterion = Literal["queen", "rook"]
Hainan = Literal["guangdong", "island", "drop"]
Source = Literal["auto", "boundaries", "adjacency"]

_GUANGDONG, _HAINAN = 440000, 460000

_HAINAN_FACTS = {
    "guangdong": "linked to Guangdong across the Qiongzhou Strait (about 16 km), the usual convention",
    "island": "no land border: kept without neighbours, its spatial lag is zero",
    "drop": "no land border: dropped, 30 units",
}


def contiguity(
    order: int = 1,
    hainan: Hainan = "guangdong",
    names: Names = "en",
    transform: Transform = "row",
    *,
    criterion: Criterion = "queen",
    include_lower: bool = False,
    source: Source = "auto",
    gdf: gpd.GeoDataFrame | None = None,
    ids: str | None = None,
    strict: bool = False,
    islands: Islands = "error",
) -> SpatialWeights:
    """Contiguity of the provinces, or of the polygons of a GeoDataFrame.

    Parameters
    ----------
    order : int
        1: units with a common border; k: units whose shortest path over borders has k steps.
    hainan : {"guangdong", "island", "drop"}
        Hainan has no land border. Link it to Guangdong across the strait, keep it without neighbours,
        or leave it out. Provinces only.
    names : {"en", "zh", "adcode", "iso"}
        Labels of the provinces.
    transform : {"row", "spectral", "minmax", "none"}
    criterion : {"queen", "rook"}
        Queen: a common point is enough; rook: a common line. For the provinces both give the same 68
        pairs (no two of them meet in a point only).
    include_lower : bool
        With ``order`` k: also the pairs 1 to k - 1 steps apart.
    source : {"auto", "boundaries", "adjacency"}
        Where the borders of the provinces come from: ``"boundaries"`` computes them from the official
        polygons (``maps`` extra, some seconds), ``"adjacency"`` reads the packaged list of pairs (some
        milliseconds). A test holds the two to the same checksum, therefore ``"auto"`` takes the list.
    gdf : GeoDataFrame, optional
        Polygons of other units, in any CRS; libpysal computes their contiguity.
    ids : str, optional
        Column of ``gdf`` with the labels; default: its index.
    strict : bool
        For ``gdf``: compare geometries instead of vertices, for polygons whose common borders do not
        share all their vertices (see ``libpysal.graph.Graph.build_contiguity``).
    islands : {"error", "keep"}
        What to do with units without neighbours.

    Returns
    -------
    SpatialWeights

    Raises
    ------
    AlignmentError
        If units have no neighbours and ``islands`` is "error".
    ImportError
        For ``source="boundaries"`` without the ``maps`` extra.

    Notes
    -----
    w_ij = 1 if i and j have a common border, else 0 (Moran 1948, JRSS B 10; Cliff and Ord 1973). Higher
    orders without circular paths: Anselin and Smirnov (1996, Journal of Regional Science 36).

    *Usual mistake*: squaring W to get second-order neighbours counts i itself and first-order neighbours
    again; and a data set of polygons silently leaves Hainan without neighbours, so that its row is zero.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.contiguity()
    >>> w.n, w.sparse.nnz // 2, w.is_row_stochastic
    (31, 69, True)
    >>> nq.weights.contiguity(hainan="island").islands
    ('Hainan',)
    """
    if gdf is not None:
        labels, pattern = _from_polygons(gdf, ids, criterion, strict)
        facts: dict[str, Any] = {}
        origin, date = "polygons given", ""
        keep = check_islands(islands)
    else:
        labels, pattern = _provinces(hainan, names, source, criterion)
        facts = {"Hainan": _HAINAN_FACTS[hainan]}
        origin = "official boundaries (Tianditu), land borders"
        date = "provinces since 1997"
        keep = check_islands(islands) or hainan == "island"
    pattern = steps(pattern, order, include_lower)
    label = criterion if order == 1 else f"{criterion}{'1-' if include_lower else ''}{order}"
    reach = "up to" if include_lower else "exactly"
    return SpatialWeights(
        labels,
        pattern,
        transform=transform,
        name=label,
        date=date,
        formula=f"w_ij = 1 if {_border(criterion)}" if order == 1 else f"w_ij = 1 if {reach} {order} borders apart",
        source=f"{origin}; Moran (1948)" + ("" if order == 1 else "; Anselin and Smirnov (1996)"),
        facts=facts,
        islands_allowed=keep,
    )


def _border(criterion: str) -> str:
    return "i and j share a border " + ("(a point suffices)" if criterion == "queen" else "line")


def higher_order(
    w: SpatialWeights,
    order: int = 2,
    *,
    include_lower: bool = False,
    transform: Transform | None = None,
    islands: Islands = "error",
) -> SpatialWeights:
    """Units whose shortest path over the links of any W has ``order`` steps.

    Parameters
    ----------
    w : SpatialWeights
        Its links count, its weights do not.
    order : int
    include_lower : bool
        Also the pairs with shorter paths.
    transform : str, optional
        Default: that of ``w``.
    islands : {"error", "keep"}

    Returns
    -------
    SpatialWeights

    Notes
    -----
    w_ij = 1 if the shortest path from i to j has exactly (up to) ``order`` links (Anselin and Smirnov 1996).

    *Usual mistake*: using the square of W, which counts paths, among them those back to i.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> second = nq.weights.higher_order(nq.weights.contiguity(), 2)
    >>> second == nq.weights.contiguity(order=2)
    True
    """
    require_weights(w)
    pattern = steps(_binary(w.base), order, include_lower)
    return SpatialWeights(
        w.ids,
        pattern,
        transform=transform or w.transform,
        name=f"{w.name} order {'1-' if include_lower else ''}{order}",
        date=w.date,
        formula=f"w_ij = 1 if {'up to' if include_lower else 'exactly'} {order} links of {w.name} apart",
        note=w.note,
        source=f"{w.source}; Anselin and Smirnov (1996)",
        data_years=w.data_years,
        facts=w.facts,
        islands_allowed=check_islands(islands),
        order=w.order,
    )


def lattice(
    rows: int,
    columns: int,
    criterion: Criterion = "queen",
    transform: Transform = "row",
) -> SpatialWeights:
    """Contiguity of a regular lattice, cells numbered row by row from 0.

    Parameters
    ----------
    rows, columns : int
        A million cells take about a second; nothing dense is made.
    criterion : {"queen", "rook"}
    transform : {"row", "spectral", "minmax", "none"}

    Returns
    -------
    SpatialWeights

    Notes
    -----
    w_ij = 1 for the up to eight cells around a cell (queen) or the up to four with a common side (rook)
    (Moran 1948).

    *Usual mistake*: numbering the cells of an image column by column and the data row by row.

    Examples
    --------
    >>> w = lattice(3, 3, transform="none")
    >>> w.dense()[4].astype(int).tolist(), w.dense()[0].astype(int).tolist()
    ([1, 1, 1, 1, 0, 1, 1, 1, 1], [0, 1, 0, 1, 1, 0, 0, 0, 0])
    """
    if rows < 1 or columns < 1 or rows * columns < 2:
        raise ValueError(f"a lattice needs at least two cells, got {rows} x {columns}")
    _check_criterion(criterion)
    cell = np.arange(rows * columns).reshape(rows, columns)
    sides = [(cell[:, :-1], cell[:, 1:]), (cell[:-1, :], cell[1:, :])]
    corners = [(cell[:-1, :-1], cell[1:, 1:]), (cell[:-1, 1:], cell[1:, :-1])]
    pairs = sides + corners if criterion == "queen" else sides
    first = np.concatenate([a.ravel() for a, _ in pairs])
    second = np.concatenate([b.ravel() for _, b in pairs])
    return SpatialWeights(
        tuple(range(rows * columns)),
        symmetric_pattern(first, second, rows * columns),
        transform=transform,
        name=f"{criterion} lattice {rows} x {columns}",
        formula=f"w_ij = 1 if {_border(criterion)}",
        source="regular lattice; Moran (1948)",
    )


def symmetric_pattern(first: np.ndarray, second: np.ndarray, n: int) -> csr_array:
    """Binary symmetric matrix out of unordered pairs."""
    rows, columns = np.concatenate([first, second]), np.concatenate([second, first])
    return coo_array((np.ones(rows.size), (rows, columns)), shape=(n, n)).tocsr()


def steps(pattern: csr_array, order: int, include_lower: bool) -> csr_array:
    """Pairs whose shortest path over the links has exactly (or up to) ``order`` steps."""
    if order in ("queen", "rook"):
        raise ValueError(f"order={order!r} must be a whole number; the kind of border is criterion={order!r}")
    if not isinstance(order, int | np.integer) or isinstance(order, bool) or order < 1:
        raise ValueError(f"order={order!r} must be a whole number of at least 1")
    reached = frontier = pattern
    for _ in range(order - 1):
        onward = _binary(frontier @ pattern)
        onward = csr_array(onward - onward.multiply(reached))  # what was reached earlier is not new
        onward.setdiag(0)
        onward.eliminate_zeros()
        frontier, reached = onward, csr_array(reached + onward)
    return reached if include_lower else frontier


def _binary(w: csr_array) -> csr_array:
    out = csr_array(w, copy=True)
    out.data = np.ones_like(out.data)
    return out


def _check_criterion(criterion: str) -> None:
    if criterion not in ("queen", "rook"):
        raise ValueError(f"criterion={criterion!r} is not known; choose 'queen' or 'rook'")


def _from_polygons(
    gdf: gpd.GeoDataFrame, ids: str | None, criterion: str, strict: bool
) -> tuple[tuple[Hashable, ...], csr_array]:
    """Contiguity of polygons through libpysal."""
    from libpysal.graph import Graph

    from nqpf_spatial.weights._places import labelled_geometry

    _check_criterion(criterion)
    geometry = labelled_geometry(gdf, ids)
    other = sorted(set(geometry.geom_type) - {"Polygon", "MultiPolygon"})
    if other:
        raise AlignmentError(
            f"contiguity needs polygons, got {', '.join(other)}; for points use knn() or distance_band()"
        )
    labels = tuple(geometry.index)
    numbered = geometry.reset_index(drop=True)
    graph = Graph.build_contiguity(numbered, rook=criterion == "rook", strict=strict)
    return labels, csr_array(graph.sparse)


def _provinces(hainan: str, names: Names, source: str, criterion: str) -> tuple[tuple[Hashable, ...], csr_array]:
    """Contiguity of the provinces with the policy for Hainan applied."""
    if hainan not in _HAINAN_FACTS:
        raise ValueError(f"hainan={hainan!r} is not known; choose one of {', '.join(_HAINAN_FACTS)}")
    if source not in ("auto", "boundaries", "adjacency"):
        raise ValueError(f"source={source!r} is not known; choose 'auto', 'boundaries' or 'adjacency'")
    _check_criterion(criterion)
    codes = [p.adcode for p in provinces.PROVINCES]
    pairs = _border_pairs(criterion) if source == "boundaries" else _listed_pairs()
    if hainan == "guangdong":
        pairs = pairs | {(_GUANGDONG, _HAINAN)}
    elif hainan == "drop":
        codes.remove(_HAINAN)
    place = {code: k for k, code in enumerate(codes)}
    first, second = (np.array([place[pair[k]] for pair in sorted(pairs)]) for k in (0, 1))
    labels = tuple(provinces.label(code, names) for code in codes)
    return labels, symmetric_pattern(first, second, len(codes))


def _listed_pairs() -> set[tuple[int, int]]:
    """Land borders of the packaged list."""
    from nqpf_spatial.data import adjacency

    table = adjacency(names="adcode")
    land = table[table["shares_land_border"]]
    return set(zip(land["province_i"].tolist(), land["province_j"].tolist(), strict=True))


def _border_pairs(criterion: str) -> set[tuple[int, int]]:
    """Land borders computed from the official polygons."""
    from nqpf_spatial.maps.boundaries import province_polygons

    polygons = province_polygons("contiguity(source='boundaries')")
    labels, pattern = _from_polygons(polygons, None, criterion, strict=False)
    links = pattern.tocoo()
    return {
        (labels[i], labels[j])  # type: ignore[misc]
        for i, j in zip(links.row.tolist(), links.col.tolist(), strict=True)
        if i < j
    }
