r"""Panels with cells that are not there: every period on its observed sub-network, effects removed by projection.

.. math::
   y_t = \rho W_t y_t + Z_t\beta + D_t\delta + u_t, \qquad u_t = \lambda W_t u_t + e_t, \qquad e \sim N(0, \sigma^2 I)

with :math:`W_t` the weights among the units observed in period t and D the dummies of the units and / or periods. Cells are
stacked period by period; what is not observed has no place in the arrays. With :math:`M = I - D(D'D)^-D'` the score of
:math:`\rho` in the likelihood maximised over :math:`\delta` is :math:`(Wy)'Me/\sigma^2 - \sum_t tr(G_t)`,
:math:`G_t = W_t(I-\rho W_t)^{-1}`, whose expectation is :math:`\sum_t tr(M_{tt}G_t) - \sum_t tr(G_t)`. The score freed from
it (Meng and Yang 2025; Lee and Yu 2010 in a balanced panel) is that of

.. math::
   -\tfrac{n-r}{2}\ln SSE(\rho) + \sum_t tr[M_{tt}\ln(I-\rho W_t)], \qquad r = rank(D)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.ml import maximise_lag
from nqpf_spatial.kernels.moments import Reduced
from nqpf_spatial.kernels.replicate import Refits


@dataclass(frozen=True, slots=True)
class Effects:
    """Dummies of units and / or periods on n observed cells.

    Attributes
    ----------
    unit : (n,) int ndarray or None
        Unit of every cell; None without unit effects.
    counts : (N,) ndarray
        Cells per unit.
    basis : (n, q) ndarray
        Orthonormal basis of what the period dummies span beside the unit dummies; q = 0 without time effects.
    rank : int
        Rank of all dummies: N + T minus the components of the network of units and periods, with both effects.
    """

    unit: NDArray | None
    counts: NDArray
    basis: NDArray
    rank: int

    def remove(self, a: NDArray) -> NDArray:
        """Residuals of (..., n) cells on the dummies."""
        if self.unit is not None:
            a = a - self._unit_means(a)
        return a - (a @ self.basis) @ self.basis.T

    def _unit_means(self, a: NDArray) -> NDArray:
        assert self.unit is not None
        flat = a.reshape(int(np.prod(a.shape[:-1])), a.shape[-1])
        sums = np.empty((flat.shape[0], self.counts.size))
        for i, row in enumerate(flat):
            sums[i] = np.bincount(self.unit, row, self.counts.size)
        return (sums / self.counts)[:, self.unit].reshape(a.shape)

    def block(self, cells: slice) -> NDArray:
        """Block of the projector M at the cells of one period."""
        part = self.basis[cells]
        m = np.eye(part.shape[0]) - part @ part.T
        return m if self.unit is None else m - np.diag(1.0 / self.counts[self.unit[cells]])

    def dense(self) -> NDArray:
        """Orthonormal basis (n, rank) of all dummies."""
        if self.unit is None:
            return self.basis
        n = self.unit.size
        dummies = np.zeros((n, self.counts.size))
        dummies[np.arange(n), self.unit] = 1.0 / np.sqrt(self.counts[self.unit])
        return np.concatenate([dummies, self.basis], axis=1)


def effects(observed: NDArray, unit: bool, time: bool) -> Effects:
    """Effects on the cells of `observed` (T, N), each unit observed at least once."""
    periods, units = np.nonzero(observed)
    counts = observed.sum(axis=0).astype(float)
    basis = np.empty((units.size, 0))
    if time:
        dummies = np.zeros((units.size, observed.shape[0]))
        dummies[np.arange(units.size), periods] = 1.0
        if unit:
            means = np.stack([np.bincount(units, column, counts.size) for column in dummies.T]) / counts
            left, size, _ = sla.svd(dummies - means.T[units], full_matrices=False)
            basis = left[:, size > 1e-10 * size[0]] if size[0] > 1e-10 else basis
        else:
            basis = dummies / np.sqrt(observed.sum(axis=1))
    rank = basis.shape[1] + (counts.size if unit else 0)
    return Effects(units if unit else None, counts, basis, rank)


def period_cells(observed: NDArray) -> list[slice]:
    """Where the cells of every period are in the stack."""
    ends = np.concatenate([[0], np.cumsum(observed.sum(axis=1))])
    return [slice(int(a), int(b)) for a, b in pairwise(ends)]


def multiply(matrices: Sequence[NDArray], cells: Sequence[slice], a: NDArray) -> NDArray:
    """``W_t a_t`` for every period of stacked cells (..., n)."""
    out = np.empty(a.shape)
    for w, at in zip(matrices, cells, strict=True):
        out[..., at] = a[..., at] @ w.T
    return out


def solve(matrices: Sequence[NDArray], r: float, cells: Sequence[slice], a: NDArray) -> NDArray:
    """``(I - r W_t)^-1 a_t`` for every period of stacked cells (..., n)."""
    out = np.empty(a.shape)
    for w, at in zip(matrices, cells, strict=True):
        part = a[..., at].reshape(-1, w.shape[0])
        out[..., at] = sla.solve(np.eye(w.shape[0]) - r * w, part.T).T.reshape(a[..., at].shape)
    return out


def reduce_cells(base: NDArray, lagged: NDArray | None, removed: Effects) -> Reduced:
    """Compress stacked cells (p, n), ordered Z, y, Wy, to their triangular factor after removal of the effects."""
    p = base.shape[0]
    columns = base if lagged is None else np.concatenate([base, lagged])
    flat = removed.remove(columns).T
    factor = sla.qr(flat, mode="r", check_finite=False)[0][: flat.shape[1]]
    return Reduced(factor[:, :p], None if lagged is None else factor[:, p:], p - 2)


def refit(z: NDArray, y: NDArray, wy: NDArray, removed: Effects, n: int, logdet: LogDet | None) -> Refits:
    """Estimates of a lag model for R outcomes at once: cells `z` (k, n), `y` and `wy` (R, n); n observations of the likelihood."""
    basis, triangle = sla.qr(removed.remove(z).T, mode="economic", check_finite=False)
    y, wy = removed.remove(y), removed.remove(wy)
    py, pw = y @ basis, wy @ basis
    ww = np.einsum("rn,rn->r", wy, wy)
    a = np.einsum("rn,rn->r", y, y) - np.einsum("rk,rk->r", py, py)
    b = np.einsum("rn,rn->r", y, wy) - np.einsum("rk,rk->r", py, pw)
    c = ww - np.einsum("rk,rk->r", pw, pw)
    rho = np.zeros(y.shape[0]) if logdet is None else maximise_lag(a, b, c, n, 1, logdet, tol=1e-10)[0]
    sigma2 = (a - 2.0 * b * rho + c * rho**2) / n
    beta = sla.solve_triangular(triangle, (py - rho[:, None] * pw).T, check_finite=False).T if triangle.size else py
    return Refits(beta, rho, sigma2, np.column_stack([pw @ triangle, ww]) / sigma2[:, None])


def split_effects(values: NDArray, observed: NDArray, unit: bool, time: bool) -> tuple[float, NDArray, NDArray]:
    """Intercept, unit and time effects that sum to zero, of fitted effects (n,); the network must be connected."""
    periods, units = np.nonzero(observed)
    t, n = observed.shape
    n, t = n if unit else 0, t if time else 0
    rows = np.arange(values.size)
    design = np.zeros((values.size + 2, 1 + n + t))
    design[rows, 0] = 1.0
    if unit:
        design[rows, 1 + units], design[-2, 1 : 1 + n] = 1.0, 1.0
    if time:
        design[rows, 1 + n + periods], design[-1, 1 + n :] = 1.0, 1.0
    found = sla.lstsq(design, np.append(values, [0.0, 0.0]))[0]
    return float(found[0]), found[1 : 1 + n], found[1 + n :]
