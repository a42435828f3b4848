"""Standardisation of a canonical csr matrix: row, spectral, min-max, none."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nqpf_spatial.kernels.spectrum import spectral_radius

Transform = Literal["row", "spectral", "minmax", "none"]

#: A scale this close to one is left alone, so that standardising twice changes no bit.
UNIT_TOLERANCE = 1e-12


def check_transform(transform: str) -> Transform:
    """Return a valid transform or raise with the allowed ones."""
    allowed = get_args(Transform)
    if transform not in allowed:
        raise ValueError(f"transform={transform!r} is not known; choose one of {', '.join(allowed)}")
    return transform  # type: ignore[return-value]


def row_sums(w: csr_array) -> NDArray[np.float64]:
    """Sum of every row, summed from the left."""
    return np.asarray(w.sum(axis=1), dtype=np.float64).ravel()


def standardise(w: csr_array, transform: Transform) -> csr_array:
    """Standardise a matrix.

    Parameters
    ----------
    w : csr_array (N, N)
        Canonical, non-negative.
    transform : {"row", "spectral", "minmax", "none"}

    Returns
    -------
    csr_array (N, N)
        Shares the index arrays of ``w``. Rows without links stay zero.

    Raises
    ------
    ValueError
        If the scale is zero (no links, or a matrix all of whose eigenvalues are zero).

    Notes
    -----
    ``row``: w_ij / sum_j w_ij. ``spectral``: W / r(W), r the largest modulus of the eigenvalues.
    ``minmax``: W / min(max_i sum_j w_ij, max_j sum_i w_ij) (Kelejian and Prucha 2010, Journal of
    Econometrics 157, sec. 2.2). The last two change the scale of rho only and keep the relative size
    of the rows.
    """
    if transform == "none":
        return w
    if transform == "row":
        sums = row_sums(w)
        scale = np.where((sums == 0) | (np.abs(sums - 1) <= UNIT_TOLERANCE), 1.0, sums)
        return _scaled(w, np.repeat(scale, np.diff(w.indptr)))
    if transform == "spectral":
        size = spectral_radius(w)
    else:
        columns = np.bincount(w.indices, weights=w.data, minlength=w.shape[0])
        size = float(min(row_sums(w).max(), columns.max()))
    if size <= 0 or w.nnz == 0:
        raise ValueError(
            f"transform={transform!r}: the scale of the matrix is zero ({w.nnz} links); use transform='none'"
        )
    return w if abs(size - 1) <= UNIT_TOLERANCE else _scaled(w, size)


def _scaled(w: csr_array, scale: NDArray[np.float64] | float) -> csr_array:
    return csr_array((w.data / scale, w.indices, w.indptr), shape=w.shape)
