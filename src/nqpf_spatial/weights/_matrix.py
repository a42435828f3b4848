"""Validation of raw weight matrices and small csr helpers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.weights._labels import shorten


def canonical_csr(matrix: Any, ids: Sequence[Hashable]) -> csr_array:
    """Validate a matrix of weights and return it as csr: no stored zeros, sorted indices, float64.

    Parameters
    ----------
    matrix : array-like or sparse (N, N)
        Weights, rows and columns in the order of ``ids``.
    ids : sequence
        Validated labels.

    Raises
    ------
    AlignmentError
        If the shape does not fit the labels.
    ValueError
        If a weight is not a finite non-negative number or the diagonal is not zero; the units are named.
    """
    w = _as_csr(matrix)
    n = len(ids)
    if len(w.shape) != 2 or w.shape[0] != w.shape[1]:
        raise AlignmentError(f"a weight matrix is square, got shape {w.shape}")
    if w.shape[0] != n:
        raise AlignmentError(f"the matrix has {w.shape[0]} rows, but there are {n} ids")
    w.sum_duplicates()
    _refuse(w, ~np.isfinite(w.data), ids, "not finite")
    _refuse(w, w.data < 0, ids, "negative")
    w.eliminate_zeros()
    w.sort_indices()
    own = np.flatnonzero(w.diagonal())
    if own.size:
        shown = shorten((ids[k] for k in own.tolist()), 5)
        raise ValueError(
            f"{own.size} units are their own neighbours (non-zero diagonal): {shown}. "
            "Set the diagonal to zero, or pass diagonal='drop' to from_any()"
        )
    return w


def _as_csr(matrix: Any) -> csr_array:
    """Any numeric matrix as a fresh float64 csr array."""
    if not issparse(matrix):
        matrix = np.asarray(matrix)
        if matrix.ndim != 2:
            raise AlignmentError(f"a weight matrix has two dimensions, got shape {matrix.shape}")
    if matrix.dtype.kind not in "biuf":
        raise ValueError(f"weights must be real numbers, got an array of type {matrix.dtype}")
    return csr_array(matrix, dtype=np.float64, copy=True)


def _refuse(w: csr_array, bad: NDArray[np.bool_], ids: Sequence[Hashable], what: str) -> None:
    """Raise for the first offending elements, named as pairs."""
    where = np.flatnonzero(bad)
    if not where.size:
        return
    rows = np.searchsorted(w.indptr, where[:3], side="right") - 1
    pairs = "; ".join(f"{ids[i]} <- {ids[w.indices[k]]}: {w.data[k]:g}" for i, k in zip(rows, where[:3], strict=True))
    more = " ..." if where.size > 3 else ""
    raise ValueError(
        f"weights must be finite and not negative; {where.size} {what}: {pairs}{more}. Put zero where there is no link"
    )


def permuted(w: csr_array, order: NDArray[np.intp]) -> csr_array:
    """Rows and columns in another order, values untouched."""
    out = csr_array(w[order, :][:, order])
    out.sort_indices()
    return out


def freeze(w: csr_array) -> csr_array:
    """Same matrix with read-only arrays."""
    for part in (w.data, w.indices, w.indptr):
        part.flags.writeable = False
    return w
