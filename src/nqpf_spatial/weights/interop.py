"""Weights from and to other libraries: libpysal, scipy, pandas, networkx."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array, issparse

from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.weights import _labels
from nqpf_spatial.weights._standardise import Transform
from nqpf_spatial.weights.core import Islands, SpatialWeights, check_islands
from nqpf_spatial.weights.guards import require_weights

if TYPE_CHECKING:
    from libpysal.graph import Graph
    from libpysal.weights import W

Diagonal = Literal["error", "drop"]

#: Column names of a long table that are recognised without being named, in this order of preference.
LONG_COLUMNS = (
    ("origin", "destination", "weight"),
    ("focal", "neighbor", "weight"),
    ("from", "to", "weight"),
    ("from", "to", "weights"),
    ("i", "j", "w"),
)


def from_any(
    obj: Any,
    ids: Iterable[Any] | None = None,
    transform: Transform | None = None,
    *,
    islands: Islands = "error",
    diagonal: Diagonal = "error",
    name: str | None = None,
) -> SpatialWeights:
    """Weights out of whatever holds them.

    Parameters
    ----------
    obj : object
        * :class:`SpatialWeights`: returned as it is (restandardised if ``transform`` is given);
        * libpysal ``Graph`` or ``W``: its own ids;
        * square labelled DataFrame: the same labels on rows and columns, in any order;
        * long DataFrame with columns origin, destination, weight (also focal / neighbor, from / to,
          i / j / w) or a Series with a two-level index: ``origin`` is the row i, ``destination`` the
          neighbour j of w_ij;
        * mapping of every unit to its neighbours, a list of them (weight 1) or a mapping of them to weights;
        * networkx graph: edge attribute ``weight``, 1 where absent; i -> j is w_ij;
        * scipy sparse or ndarray (N, N): needs ``ids`` in the order of its rows;
        * str or Path: a file, see :func:`read`.
    ids : iterable, optional
        Labels of an unlabelled matrix in the order of its rows; for a long table, all units (also
        those without links). The result has its units sorted (provinces by adcode, others in the natural
        order of their labels) and rows and columns with them, so its ``ids`` need not be in this order.
    transform : {"row", "spectral", "minmax", "none"}, optional
        Standardisation; default "row", except that a SpatialWeights keeps its own.
    islands : {"error", "keep"}
        Whether units without neighbours are accepted.
    diagonal : {"error", "drop"}
        A non-zero diagonal is an error unless dropping it is asked for.
    name : str, optional
        Name of the result.

    Returns
    -------
    SpatialWeights

    Raises
    ------
    AlignmentError
        If labels are missing, double or do not agree.
    ValueError
        If a weight is negative, not finite or not a number; the units are named.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame([[0, 2], [5, 0]], index=["x", "y"], columns=["x", "y"])
    >>> from_any(table, transform="none").dense().tolist()
    [[0.0, 2.0], [5.0, 0.0]]
    >>> w = from_any([[0, 2, 0], [5, 0, 0], [1, 0, 0]], ids=["z", "y", "x"], transform="none")
    >>> w.ids, w.dense().tolist()
    (('x', 'y', 'z'), [[0.0, 0.0, 1.0], [0.0, 0.0, 5.0], [0.0, 2.0, 0.0]])
    >>> from_any([[0, 1], [1, 0]])
    Traceback (most recent call last):
        ...
    nqpf_spatial.errors.AlignmentError: an unlabelled 2 x 2 matrix needs ids=[...] ...
    """
    if isinstance(obj, str | os.PathLike):
        from nqpf_spatial.weights._files import read

        return read(obj, ids=ids, transform=transform, islands=islands, diagonal=diagonal, name=name)
    if isinstance(obj, SpatialWeights):
        out = obj if ids is None else obj.reorder(ids)
        out = out if transform is None else out.with_transform(transform)
        return out if name is None else out.renamed(name)
    matrix, labels = _extract(obj, None if ids is None else list(ids))
    if diagonal not in ("error", "drop"):
        raise ValueError(f"diagonal={diagonal!r} is not known; choose 'error' or 'drop'")
    if diagonal == "drop":
        matrix = without_diagonal(matrix)
    return SpatialWeights(
        tuple(labels),
        matrix,
        transform=transform or "row",
        name=name or "W",
        formula="as given",
        source=f"from a {type(obj).__name__}",
        islands_allowed=check_islands(islands),
    )


def _extract(obj: Any, ids: list[Any] | None) -> tuple[Any, Sequence[Hashable]]:
    """Matrix and labels of any supported object."""
    kind = f"{type(obj).__module__}.{type(obj).__name__}"
    if isinstance(obj, Mapping) and any(isinstance(w, SpatialWeights) for w in obj.values()):
        years = [str(year) for year in obj]
        raise TypeError(
            f"this holds one W per year ({_labels.shorten(years)}), not one matrix. For a W that changes over time give "
            f"nq.fit the nq.weights.sequence() of them; else take one by its year, for instance [{years[0]}]"
        )
    if isinstance(obj, Mapping):
        return _from_mapping(obj, ids)
    if isinstance(obj, pd.DataFrame | pd.Series):
        return from_pandas(obj, ids)
    if kind.startswith("libpysal.graph"):
        return _relabel(obj.sparse, list(obj.unique_ids), ids)
    if kind.startswith("libpysal.weights"):
        return _relabel(obj.sparse, list(obj.id_order), ids)
    if kind.startswith("networkx."):
        return _from_networkx(obj, ids)
    if issparse(obj) or isinstance(obj, np.ndarray | list | tuple):
        return _unlabelled(obj if issparse(obj) else _as_array(obj), ids)
    raise TypeError(
        f"cannot read weights from {kind}; give SpatialWeights, a libpysal Graph or W, a labelled or long "
        "DataFrame, a mapping of neighbours, a networkx graph, a scipy sparse or numpy matrix with ids=, or the path of a file"
    )


def _from_mapping(obj: Mapping[Any, Any], ids: list[Any] | None) -> tuple[Any, list[Any]]:
    """Unit -> its neighbours, as libpysal's W takes them, or unit -> {neighbour: weight}."""
    bad = [unit for unit, near in obj.items() if isinstance(near, str) or not isinstance(near, Iterable)]
    if bad:
        raise TypeError(f"neighbours are given as a list or a mapping to weights; not so for {_labels.shorten(bad)}")
    pairs = {i: near.items() if isinstance(near, Mapping) else [(j, 1.0) for j in near] for i, near in obj.items()}
    table = [(i, j, w) for i, near in pairs.items() for j, w in near]
    if strange := [f"{j} of {i}" for i, j, _ in table if j not in pairs]:
        raise AlignmentError(f"neighbours that are no units of the mapping: {_labels.shorten(strange)}")
    rows, columns, weights = ([link[k] for link in table] for k in range(3))
    return from_triplets(rows, columns, weights, list(pairs) if ids is None else ids)


def _as_array(obj: Any) -> np.ndarray:
    try:
        return np.asarray(obj)
    except ValueError as error:
        raise AlignmentError(f"the rows of the matrix differ in length: {error}") from error


def _unlabelled(matrix: Any, ids: list[Any] | None) -> tuple[Any, list[Any]]:
    if ids is None:
        size = " x ".join(str(k) for k in matrix.shape)
        raise AlignmentError(
            f"an unlabelled {size} matrix needs ids=[...] in the order of its rows; "
            "without them nothing says which row is which unit"
        )
    return matrix, ids


def _relabel(matrix: Any, own: list[Any], ids: list[Any] | None) -> tuple[Any, list[Any]]:
    """Keep the object's own labels; given ids must be the same units."""
    if ids is not None:
        _labels.locate(_labels.check_ids(own), ids, "ids")
    return matrix, own


def from_pandas(table: pd.DataFrame | pd.Series, ids: list[Any] | None = None) -> tuple[Any, list[Any]]:
    """Matrix and labels of a square labelled frame or of a long table."""
    if isinstance(table, pd.Series):
        if table.index.nlevels != 2:
            raise AlignmentError(
                f"a Series of weights needs a two-level index (i, j), got {table.index.nlevels} level(s)"
            )
        return from_triplets(table.index.get_level_values(0), table.index.get_level_values(1), table.array, ids)
    columns = [str(c).strip().lower() for c in table.columns]
    same = set(columns) == {str(x).strip().lower() for x in table.index}
    for names in LONG_COLUMNS:
        if not same and set(names) <= set(columns):
            i, j, w = (table.iloc[:, columns.index(c)] for c in names)
            return from_triplets(i, j, w, ids)
    return _square(table, ids)


def _square(table: pd.DataFrame, ids: list[Any] | None) -> tuple[Any, list[Any]]:
    """Square frame, columns aligned to rows by label."""
    if table.index.nlevels > 1 or table.columns.nlevels > 1:
        raise AlignmentError("a labelled weight matrix has one level of labels on rows and on columns")
    numbered = isinstance(table.index, pd.RangeIndex)
    if numbered and isinstance(table.columns, pd.RangeIndex):
        return _unlabelled(numeric(table), ids)
    rows, columns = _labels.check_ids(table.index), _labels.check_ids(table.columns)
    if numbered:
        raise AlignmentError(
            f"the rows of the frame are numbered 0..{len(table) - 1} while its columns are named "
            f"({_labels.shorten(columns, 4)}): set the index to the same labels, or give a long table "
            "with columns origin, destination, weight"
        )
    order = _labels.locate(rows, columns, "the columns")
    values = numeric(table)
    aligned = np.empty_like(values)
    aligned[:, order] = values
    return _relabel(aligned, list(rows), ids)


def numeric(table: pd.DataFrame) -> np.ndarray:
    """Values as floats; a cell that is no number is an error that names row and column."""
    try:
        return table.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        for label, column in table.items():
            values = pd.to_numeric(column, errors="coerce")
            bad = values.isna() & column.notna()
            if bad.any():
                at = int(np.flatnonzero(bad)[0])
                raise ValueError(
                    f"weight in row {column.index[at]!r}, column {label!r} is not a number: {column.iloc[at]!r}"
                ) from None
        raise


def from_triplets(origins: Any, destinations: Any, weights: Any, ids: list[Any] | None) -> tuple[csr_array, list[Any]]:
    """Matrix of a long table; units are those that occur, or ``ids``."""
    column = pd.DataFrame({"weight": pd.Series(np.asarray(weights, dtype=object), dtype=object)})
    values = numeric(column)[:, 0]
    i, j = ([_labels.plain(x) for x in side] for side in (origins, destinations))
    for side, name in ((i, "origin"), (j, "destination")):
        gaps = [k for k, x in enumerate(side) if x is None or x != x]
        if gaps:
            raise AlignmentError(f"the {name} is missing in row {_labels.shorten(gaps)} of the long table")
    labels = list(_labels.check_ids(ids if ids is not None else dict.fromkeys([*i, *j])))
    place = {str(x): k for k, x in enumerate(labels)}
    unknown = sorted({str(x) for x in [*i, *j]} - set(place))
    if unknown:
        raise AlignmentError(f"the long table names units that are not in ids: {_labels.shorten(unknown)}")
    pairs = pd.Series(list(zip((str(x) for x in i), (str(x) for x in j), strict=True)), dtype=object)
    twice = pairs[pairs.duplicated()]
    if len(twice):
        raise AlignmentError(f"{len(twice)} pairs occur more than once: {_labels.shorten(twice.unique(), 4)}")
    rows, columns = ([place[str(x)] for x in side] for side in (i, j))
    n = len(labels)
    return coo_array((values, (rows, columns)), shape=(n, n)).tocsr(), labels


def _from_networkx(graph: Any, ids: list[Any] | None) -> tuple[Any, list[Any]]:
    import networkx as nx

    if graph.is_multigraph():
        raise ValueError("a networkx multigraph may hold several weights for one pair; give a simple graph")
    nodes = list(graph.nodes)
    return _relabel(nx.to_scipy_sparse_array(graph, nodelist=nodes, weight="weight", dtype=float), nodes, ids)


def without_diagonal(matrix: Any) -> Any:
    """Copy with a zero diagonal."""
    if issparse(matrix):
        links = coo_array(matrix)
        off = links.row != links.col
        return coo_array((links.data[off], (links.row[off], links.col[off])), shape=links.shape)
    out = np.array(matrix, copy=True)
    if out.ndim == 2 and out.shape[0] == out.shape[1]:
        np.fill_diagonal(out, 0)
    return out


def to_graph(w: SpatialWeights) -> Graph:
    """Weights as a libpysal Graph: same labels, same order, same values; islands as isolates."""
    from libpysal.graph import Graph

    require_weights(w)
    compound = [x for x in w.ids if isinstance(x, tuple)]
    if compound:
        raise ValueError(f"a libpysal Graph cannot hold tuples as labels: {_labels.shorten(compound, 3)}")
    return Graph.from_sparse(w.sparse.copy(), ids=list(w.ids))


def to_w(w: SpatialWeights) -> W:
    """Weights as a classic libpysal W in the order of ``w.ids``."""
    from libpysal.weights import W

    rows = np.split(np.arange(w.sparse.nnz), w.sparse.indptr[1:-1])
    neighbors = {i: [w.ids[j] for j in w.sparse.indices[r]] for i, r in zip(w.ids, rows, strict=True)}
    values = {i: w.sparse.data[r].tolist() for i, r in zip(w.ids, rows, strict=True)}
    return W(neighbors, values, id_order=list(w.ids), silence_warnings=True)


def to_networkx(w: SpatialWeights) -> Any:
    """Weights as a directed networkx graph: i -> j carries ``weight`` w_ij.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> g = nq.weights.to_networkx(nq.weights.contiguity())
    >>> g.number_of_nodes(), g.number_of_edges(), round(g["Hainan"]["Guangdong"]["weight"], 3)
    (31, 138, 1.0)
    """
    import networkx as nx

    require_weights(w)
    graph = nx.DiGraph()
    graph.add_nodes_from(w.ids)
    links = w.sparse.tocoo()
    for i, j, value in zip(links.row.tolist(), links.col.tolist(), links.data.tolist(), strict=True):
        graph.add_edge(w.ids[i], w.ids[j], weight=value)
    return graph
