"""Pairs of units by distance, without a dense matrix where one is not asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.weights._places import Places

if TYPE_CHECKING:
    from scipy.spatial import KDTree

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Largest number of units between which all distances are formed.
MAX_ALL_PAIRS = 5_000

#: Relative difference of two distances up to which they count as equal.
_TIE = 1e-9

#: Units handled at a time, to bound memory.
_BLOCK = 100_000


def all_pairs(units: Places) -> tuple[Index, Index, Array]:
    """Ordered pairs i != j with their distances."""
    n = units.n
    if n > MAX_ALL_PAIRS:
        size = n * (n - 1) * 12 / 2**30
        raise ValueError(
            f"{n} units have {n * (n - 1):,} pairs ({size:.0f} GiB as a sparse matrix): give cutoff= in km, "
            f"or use knn() or distance_band(); all pairs are formed up to {MAX_ALL_PAIRS:,} units"
        )
    rows, columns = np.nonzero(~np.eye(n, dtype=bool))
    return rows, columns, units.between(rows, columns)


def pairs_within(units: Places, km: float) -> tuple[Index, Index, Array]:
    """Ordered pairs i != j up to ``km`` apart."""
    from scipy.spatial import KDTree

    found = KDTree(units.tree_points()).query_pairs(units.tree_radius(km), output_type="ndarray")
    distance = units.between(found[:, 0], found[:, 1])
    found, distance = found[distance <= km], distance[distance <= km]
    rows = np.concatenate([found[:, 0], found[:, 1]])
    columns = np.concatenate([found[:, 1], found[:, 0]])
    return rows, columns, np.concatenate([distance, distance])


def nearest(units: Places, k: int) -> tuple[Index, Index, Array, int]:
    """The k nearest of each unit, nearest first, and the number of units with a tie at the k-th place.

    Units equally far at the k-th place are taken in canonical order, so that the result depends neither on
    the order of the input nor on how the tree happened to be built.
    """
    n = units.n
    if not isinstance(k, int | np.integer) or isinstance(k, bool) or not 1 <= k < n:
        raise ValueError(f"k={k!r} must be a whole number from 1 to {n - 1} (one less than the number of units)")
    from scipy.spatial import KDTree

    tree = KDTree(units.tree_points())
    chosen = np.empty((n, k), dtype=np.intp)
    distance = np.empty((n, k))
    ties = 0
    for block in np.array_split(np.arange(n), -(-n // _BLOCK)):
        rows, width = block, min(n, k + 9)
        while rows.size:
            found, gap, tied, settled = _nearest_block(units, tree, rows, k, width)
            chosen[rows[settled]], distance[rows[settled]] = found[settled], gap[settled]
            ties += int(tied[settled].sum())
            rows, width = rows[~settled], min(n, 4 * width)
    return np.repeat(np.arange(n), k), chosen.ravel(), distance.ravel(), ties


def _nearest_block(
    units: Places, tree: KDTree, rows: Index, k: int, width: int
) -> tuple[Index, Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """The k nearest of some units among their ``width`` candidates: positions, distances, tied, settled."""
    _, candidates = tree.query(tree.data[rows], k=width)
    gap = units.between(np.repeat(rows, width).reshape(-1, width), candidates)
    gap[candidates == rows[:, None]] = -1.0  # the unit itself sorts first and is then left out
    order = np.lexsort((candidates, gap), axis=-1)
    candidates, gap = (np.take_along_axis(x, order, axis=1)[:, 1:] for x in (candidates, gap))
    edge = gap[:, k - 1 : k]
    level = np.abs(gap - edge) <= _TIE * edge
    order = np.lexsort((candidates, np.where(level, edge, gap)), axis=-1)[:, :k]
    found, near = (np.take_along_axis(x, order, axis=1) for x in (candidates, gap))
    # If the last candidate is level with the k-th, units beyond the candidates may be so too.
    settled = ~level[:, -1] | (width == units.n)
    tied = np.any(level[:, k:], axis=1)
    return found, near, np.asarray(tied), settled
