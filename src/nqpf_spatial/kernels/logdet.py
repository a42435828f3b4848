r"""Log-determinant of ``I - rho W`` and its derivatives, from the exact eigenvalues of W.

.. math:: \ln|I - \rho W| = \sum_i \ln|1 - \rho\,\omega_i|

(Ord 1975, eq. 2.5). Complex eigenvalues come in conjugate pairs and are summed as complex
numbers. The Lee-Yu transformation of time effects replaces W by F'WF, whose spectrum is that
of the row-stochastic W without one eigenvalue 1, so that its log-determinant is
``ln|I - rho W| - ln(1 - rho)`` (Lee and Yu 2010, eq. 16): `drop_unit_root` does just that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import spectrum

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
_BATCH = 4_000_000  # elements of a stack of inverses that are held at once


@dataclass(frozen=True, slots=True)
class LogDet:
    """``ln|I - r W|`` as a function of r on the admissible interval.

    Attributes
    ----------
    omega : (N,) real or complex ndarray
        Eigenvalues that enter the sum.
    low, high : float
        Open interval of r that is searched: ``I - r W`` is nonsingular on it and it contains 0.
    weights : (N,) ndarray or None
        Share of every eigenvalue in the sum; one where None (see `adjust`).
    """

    omega: NDArray
    low: float
    high: float
    weights: NDArray | None = None

    def __call__(self, r: ArrayLike) -> NDArray:
        """Value at r (any shape)."""
        if self.weights is None:
            return np.log(np.abs(self._factors(r))).sum(axis=-1)
        return (self.weights * np.log(self._factors(r).astype(complex))).sum(axis=-1).real

    def derivatives(self, r: ArrayLike) -> tuple[NDArray, NDArray]:
        """First and second derivative at r: ``-tr(G)`` and ``-tr(G G)`` with ``G = W (I - r W)^-1``."""
        g = self.omega / self._factors(r)
        if self.weights is None:
            return -g.sum(axis=-1).real, -(g * g).sum(axis=-1).real
        return -(self.weights * g).sum(axis=-1).real, -(self.weights * g * g).sum(axis=-1).real

    def _factors(self, r: ArrayLike) -> NDArray:
        return 1.0 - np.asarray(r, dtype=float)[..., None] * self.omega


def from_eigenvalues(omega: NDArray, interval: tuple[float, float] | None = None) -> LogDet:
    """Log-determinant from all eigenvalues of W and its admissible interval (from the eigenvalues if not given).

    Only real eigenvalues bound the interval (LeSage and Pace 2009, section 4.3.2). Where none bounds a side, the
    search ends at the reciprocal of the spectral radius, beyond which the spatial multiplier has no series.
    """
    radius = float(np.max(np.abs(omega), initial=0.0))
    edge = 1.0 / radius if radius > 0 else np.inf
    low, high = spectrum.interval(omega) if interval is None else interval
    return LogDet(omega, low if np.isfinite(low) else -edge, high if np.isfinite(high) else edge)


def drop_unit_root(logdet: LogDet) -> LogDet:
    """Log-determinant of ``F'WF``: one eigenvalue 1 of the row-stochastic W removed, same interval."""
    position = int(np.argmin(np.abs(logdet.omega - 1.0)))
    distance = abs(complex(logdet.omega[position]) - 1.0)
    if distance > 1e-6:
        raise IdentificationError(
            f"W has no eigenvalue 1 (nearest is {distance:.2g} away): its rows do not sum to one, so time effects "
            'cannot be transformed away. Use a row-standardised W, or correction="score".'
        )
    return LogDet(np.delete(logdet.omega, position), logdet.low, logdet.high)


def adjust(logdet: LogDet, w: NDArray) -> LogDet:
    r"""Log-determinant with what removing time effects takes from it, for any W.

    Removing the period mean leaves ``tr(JG) = tr(G) - i'Gi/N`` of the trace in the expected score of rho
    (``J = I - ii'/N``). With ``W = V diag(omega) V^-1`` and ``c_j = (i'v_j)(u_j'i)/N``, which sum to one, this is the score of

    .. math:: \sum_j (1 - c_j) \ln(1 - \rho\,\omega_j)

    For a row-stochastic W, c is one for the eigenvalue 1 and zero for the others: the Lee-Yu transformation.
    """
    if np.array_equal(w, w.T):
        omega, vectors = np.linalg.eigh(w)
        share = vectors.sum(axis=0) ** 2 / w.shape[0]
        return LogDet(omega, logdet.low, logdet.high, 1.0 - share)
    omega, vectors = np.linalg.eig(w)
    if np.linalg.cond(vectors) > 1e8:
        raise IdentificationError(
            'W has no full set of eigenvectors, which correction="score" needs; use correction="bias" or a '
            "row-standardised W"
        )
    share = vectors.sum(axis=0) * np.linalg.solve(vectors, np.ones(w.shape[0])) / w.shape[0]
    return LogDet(omega, logdet.low, logdet.high, 1.0 - share)


@dataclass(frozen=True, slots=True)
class TraceLogDet(LogDet):
    r"""``sum_p tr[M_p ln(I - r W_p)]`` for weights without a full set of eigenvectors (one-way links).

    Derivatives are exact traces, ``-tr(M G)`` and ``-tr(M G G)``; the value is their integral from zero by Gauss's rule in pieces
    of :math:`u = -\ln(1 - r/\bar r)`, which takes the pole at the end :math:`\bar r` of the interval away.

    Attributes
    ----------
    omega : (n,) ndarray
        Eigenvalues of all W, for their interval only.
    blocks : tuple of ((n_p, n_p), (n_p, n_p)) ndarrays
        W and M of every set of observed units; M summed over the periods that share it.
    """

    blocks: tuple[tuple[NDArray, NDArray], ...] = ()

    def __call__(self, r: ArrayLike) -> NDArray:
        """Value at r (any shape): the pieces between neighbouring values are integrated once and added up."""
        given = np.asarray(r, dtype=float)
        flat, out = given.ravel(), np.zeros(given.size)
        for end, side in ((self.low, flat < 0), (self.high, flat > 0)):
            if side.any():
                points, where = np.unique(-np.log1p(-flat[side] / end), return_inverse=True)
                out[side] = np.cumsum(self._pieces(np.concatenate([[0.0], points]), end))[where]
        return out.reshape(given.shape)

    def _pieces(self, u: NDArray, end: float) -> NDArray:
        """Integrals of the first derivative between neighbouring points, in pieces no longer than one."""
        count = np.maximum(1, np.ceil(np.diff(u)).astype(int))
        start = np.concatenate([a + (b - a) * np.arange(k) / k for a, b, k in zip(u[:-1], u[1:], count, strict=True)])
        length = np.repeat(np.diff(u) / count, count)
        nodes = start[:, None] + 0.5 * length[:, None] * (_NODES + 1.0)
        first = self._first((-end * np.expm1(-nodes)).ravel()).reshape(nodes.shape)
        found = 0.5 * length * end * ((first * np.exp(-nodes)) @ _NODE_WEIGHTS)
        return np.add.reduceat(found, np.concatenate([[0], np.cumsum(count)[:-1]]))

    def _first(self, r: NDArray) -> NDArray:
        out = np.zeros(r.size)
        for w, m in self.blocks:
            mw = (m @ w).T
            for part, inverse in _inverses(w, r):
                out[part] -= np.einsum("ij,rij->r", mw, inverse)
        return out

    def derivatives(self, r: ArrayLike) -> tuple[NDArray, NDArray]:
        """First and second derivative at r (any shape)."""
        given = np.asarray(r, dtype=float)
        flat = given.ravel()
        first, second = np.zeros(flat.size), np.zeros(flat.size)
        for w, m in self.blocks:
            for part, inverse in _inverses(w, flat):
                g = w @ inverse
                first[part] -= np.einsum("ij,rji->r", m, g)
                second[part] -= np.einsum("ij,rji->r", m, g @ g)
        return first.reshape(given.shape), second.reshape(given.shape)


def _inverses(w: NDArray, r: NDArray) -> Iterator[tuple[slice, NDArray]]:
    """``(I - r W)^-1`` for all r, a stack at a time."""
    step = max(1, _BATCH // w.size)
    for at in range(0, r.size, step):
        part = slice(at, at + step)
        yield part, np.linalg.inv(np.eye(w.shape[0]) - r[part, None, None] * w)
