"""Eigenvalues of a non-negative weight matrix and the admissible interval of rho."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csgraph, csr_array
from scipy.sparse.linalg import eigs, eigsh

#: Largest matrix whose eigenvalues are all computed (dense, time of order N cubed).
MAX_DENSE = 4000

#: Largest matrix whose spectral radius is taken from all eigenvalues; beyond, one by iteration.
_MAX_DENSE_RADIUS = 1000

#: |imaginary part| relative to the spectral radius up to which an eigenvalue counts as real. Rounding
#: splits a double real eigenvalue into a pair about sqrt(eps) off the real axis; counting such a pair as
#: real can only narrow the interval, never widen it.
REAL_TOLERANCE = 1e-7

#: Disagreement of log(d_i w_ij) and log(d_j w_ji) up to which W counts as similar to a symmetric matrix.
_SIMILAR_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Spectrum of W.

    Attributes
    ----------
    values : ndarray (N,)
        All eigenvalues, ascending; float if W is similar to a symmetric matrix, else complex, sorted by
        real then imaginary part.
    symmetric_similar : bool
        Whether W = D^-1 S with a positive diagonal D and a symmetric S, so that every eigenvalue is real.
    radius : float
        Largest modulus.
    low, high : float
        Admissible interval of rho, see :func:`interval`.
    """

    values: NDArray[np.float64] | NDArray[np.complex128]
    symmetric_similar: bool
    radius: float
    low: float
    high: float


def _edge_log_ratio(w: csr_array) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]] | None:
    """Rows, columns and log(w_ij / w_ji) of the links, or None if some link is one-way."""
    back = csr_array(w.T)
    back.sort_indices()
    if not (np.array_equal(w.indptr, back.indptr) and np.array_equal(w.indices, back.indices)):
        return None
    rows = np.repeat(np.arange(w.shape[0]), np.diff(w.indptr))
    return rows, w.indices.astype(np.intp), np.log(w.data) - np.log(back.data)


def _log_scale(w: csr_array, ratio: csr_array) -> NDArray[np.float64]:
    """log d along a spanning forest: log d_j = log d_i + log(w_ij / w_ji), 0 at every root.

    A virtual root joined to one unit of each component makes the forest one tree, so that a single
    breadth-first pass serves any number of components.
    """
    n = w.shape[0]
    _, component = csgraph.connected_components(w, directed=False)
    roots = np.unique(component, return_index=True)[1]
    links = w.tocoo()
    rows = np.concatenate([links.row, np.full(roots.size, n)])
    cols = np.concatenate([links.col, roots])
    joined = coo_array((np.ones(rows.size), (rows, cols)), shape=(n + 1, n + 1)).tocsr()
    _, parent = csgraph.breadth_first_order(joined, n, directed=True)
    parent[n] = n
    step = np.zeros(n + 1)
    inner = np.flatnonzero(parent[:n] != n)
    if inner.size:
        step[inner] = np.asarray(ratio[parent[inner], inner]).ravel()
    while not (parent == n).all():  # pointer doubling: depth is halved in every round
        step = step + step[parent]
        parent = parent[parent]
    return step[:n]


def symmetric_similar(w: csr_array) -> csr_array | None:
    """Symmetric matrix with the eigenvalues of W, if W is a rescaled symmetric matrix.

    Parameters
    ----------
    w : csr_array (N, N)
        Non-negative, no stored zeros, sorted indices.

    Returns
    -------
    csr_array (N, N) or None
        D^(1/2) W D^(-1/2), whose elements are sqrt(w_ij w_ji); None if no such D exists.

    Notes
    -----
    Ord (1975, JASA 70) uses W = D^-1 S for row-standardised symmetric S. The general condition is
    Kolmogorov's cycle criterion: a positive d with d_i w_ij = d_j w_ji for all i, j.
    """
    edges = _edge_log_ratio(w)
    if edges is None:
        return None
    rows, cols, log_ratio = edges
    log_d = _log_scale(w, csr_array((log_ratio, w.indices, w.indptr), shape=w.shape))
    if np.any(np.abs(log_d[rows] + log_ratio - log_d[cols]) > _SIMILAR_TOLERANCE):
        return None
    back = csr_array(w.T)
    back.sort_indices()
    return csr_array((np.sqrt(w.data) * np.sqrt(back.data), w.indices, w.indptr), shape=w.shape)


def similar_eigensystem(w: csr_array) -> tuple[NDArray, NDArray, NDArray] | None:
    """Eigenvalues (N,), eigenvectors in columns (N, N) and their inverse, of a W that is similar to a symmetric matrix.

    Repeated eigenvalues, one per component of the network, have independent eigenvectors on this way. None for any other W,
    whose eigenvectors may be dependent.
    """
    w = _canonical(w)
    similar, edges = symmetric_similar(w), _edge_log_ratio(w)
    if similar is None or edges is None:
        return None
    scale = np.exp(0.5 * _log_scale(w, csr_array((edges[2], w.indices, w.indptr), shape=w.shape)))
    values, vectors = np.linalg.eigh(similar.toarray())
    return values, vectors / scale[:, None], vectors.T * scale


def interval(values: NDArray[np.float64] | NDArray[np.complex128]) -> tuple[float, float]:
    """Admissible interval of rho around zero, from the real eigenvalues.

    Parameters
    ----------
    values : ndarray (N,)
        All eigenvalues of W.

    Returns
    -------
    low, high : float
        ``1 / smallest`` and ``1 / largest`` real eigenvalue; infinite where no real eigenvalue has that sign.

    Notes
    -----
    det(I - rho W) = prod_k (1 - rho w_k) is positive between the reciprocals of the extreme real
    eigenvalues; a complex pair contributes |1 - rho w_k|^2 > 0 (LeSage and Pace 2009, sec. 4.3.2).
    """
    radius = float(np.abs(values).max(initial=0.0))
    real = values.real[np.abs(values.imag) <= REAL_TOLERANCE * radius]
    # Zero eigenvalues of a defective matrix come out as sqrt(eps)-sized noise and bound nothing.
    real = real[np.abs(real) > REAL_TOLERANCE * radius]
    low = 1.0 / real.min() if (real < 0).any() else -np.inf
    high = 1.0 / real.max() if (real > 0).any() else np.inf
    return float(low), float(high)


def spectrum(w: csr_array) -> Spectrum:
    """All eigenvalues of W, exactly.

    Parameters
    ----------
    w : csr_array (N, N)
        Non-negative weights, N at most ``MAX_DENSE``.

    Returns
    -------
    Spectrum

    Raises
    ------
    ValueError
        If N is larger.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> s = spectrum(csr_array(np.array([[0, 1.0, 0], [0.5, 0, 0.5], [0, 1.0, 0]])))
    >>> s.symmetric_similar, bool(np.allclose(s.values, [-1, 0, 1])), (round(s.low, 9), round(s.high, 9))
    (True, True, (-1.0, 1.0))
    """
    if w.shape[0] > MAX_DENSE:
        raise ValueError(
            f"all eigenvalues of a {w.shape[0]} x {w.shape[0]} matrix were asked for; they are computed "
            f"up to N = {MAX_DENSE}. For larger W use extreme_interval() or a sparse log-determinant."
        )
    w = _canonical(w)
    similar = symmetric_similar(w)
    values: NDArray[np.float64] | NDArray[np.complex128]
    if similar is not None:
        values = np.linalg.eigvalsh(similar.toarray())
    else:
        values = np.sort_complex(np.linalg.eigvals(w.toarray()).astype(np.complex128))
    low, high = interval(values)
    return Spectrum(values, similar is not None, float(np.abs(values).max(initial=0.0)), low, high)


def spectral_radius(w: csr_array) -> float:
    """Largest modulus of the eigenvalues: the Perron root of the non-negative W.

    Parameters
    ----------
    w : csr_array (N, N)
        Non-negative weights, any N.

    Returns
    -------
    float
    """
    if w.shape[0] <= _MAX_DENSE_RADIUS:
        return spectrum(w).radius
    similar = symmetric_similar(_canonical(w))
    start = np.ones(w.shape[0])  # fixed start: the same bits in every run
    if similar is not None:
        return float(eigsh(similar, k=1, which="LA", v0=start, return_eigenvectors=False)[0])
    return float(eigs(w, k=1, which="LR", v0=start, return_eigenvectors=False)[0].real)


def extreme_interval(w: csr_array, *, row_stochastic: bool = False) -> tuple[float, float]:
    """Admissible interval of rho for a W of any size that is similar to a symmetric matrix.

    Parameters
    ----------
    w : csr_array (N, N)
        Non-negative weights.
    row_stochastic : bool
        Whether every row sums to one; the upper end is then 1 and is not computed.

    Returns
    -------
    low, high : float
        Beyond ``MAX_DENSE`` units the extreme eigenvalues come from the Lanczos method, and each is moved
        outwards by its residual (of order 1e-5), so that the interval is not too wide.

    Raises
    ------
    ValueError
        If N exceeds ``MAX_DENSE`` and W is not similar to a symmetric matrix: its smallest *real*
        eigenvalue cannot be isolated by an iterative method.
    """
    if w.shape[0] <= MAX_DENSE:
        s = spectrum(w)
        return s.low, 1.0 if row_stochastic else s.high
    similar = symmetric_similar(_canonical(w))
    if similar is None:
        raise ValueError(
            f"W has {w.shape[0]} units and is not similar to a symmetric matrix: the smallest real "
            "eigenvalue is not available; (-1/radius, 1/radius) with spectral_radius() is a safe inner bound"
        )
    start = np.random.default_rng(0).standard_normal(w.shape[0])
    upper = 1.0 if row_stochastic else _lanczos_end(similar, "LA", start)
    ends = [_lanczos_end(similar, "SA", start), upper]
    return interval(np.asarray(ends))


def _lanczos_end(s: csr_array, which: str, start: NDArray[np.float64]) -> float:
    """Smallest ("SA") or largest ("LA") eigenvalue, moved outwards by the residual of its vector.

    On a fine lattice the lower end of the spectrum is crowded: full accuracy would take minutes, while the
    error of the value is of the order of the squared residual.
    """
    value, vector = eigsh(s, k=1, which=which, v0=start, tol=1e-4, ncv=20)
    residual = float(np.linalg.norm(s @ vector[:, 0] - value[0] * vector[:, 0]))
    return float(value[0]) + (residual if which == "LA" else -residual)


def _canonical(w: csr_array) -> csr_array:
    """Copy with summed duplicates, no stored zeros and sorted indices."""
    w = csr_array(w, dtype=np.float64, copy=True)
    w.sum_duplicates()
    w.eliminate_zeros()
    w.sort_indices()
    return w
