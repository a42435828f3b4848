"""Polarisation indices on plain arrays; shapes as in :mod:`nqpf_spatial.kernels.inequality`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.kernels import inequality as _ineq

Array = NDArray[np.float64]


def group_moments(x: Array, w: Array, member: Array) -> tuple[Array, Array]:
    """Shares ``(..., K)`` and relative means ``mu_g / mu`` of the groups; an empty group has mean 0."""
    p = _ineq.shares(w)
    pg = _ineq.by_group(p, member)
    totals = _ineq.by_group(p * x, member) / _ineq.mean(x, p)[..., None]
    return pg, np.divide(totals, pg, out=np.zeros_like(totals), where=pg > 0)


def esteban_ray(share: Array, location: Array, alpha: float) -> Array:
    """Esteban and Ray (1994, Theorem 1), K = 1: ``sum_jk p_j^(1+alpha) p_k |location_j - location_k|``."""
    gap = np.abs(location[..., :, None] - location[..., None, :])
    return (share[..., :, None] ** (1.0 + alpha) * share[..., None, :] * gap).sum(axis=(-2, -1))


@dataclass(frozen=True, slots=True)
class EgrParts:
    """Esteban-Gradin-Ray index and its pieces, all ``(...)``.

    Attributes
    ----------
    index : ndarray
        ``simple - beta * error``.
    simple : ndarray
        Esteban-Ray index of the grouped distribution.
    error : ndarray
        ``G(f) - G(rho)``: inequality that the grouping hides (lack of identification).
    gini, gini_between : ndarray
        Gini of the values and of the group means.
    """

    index: Array
    simple: Array
    error: Array
    gini: Array
    gini_between: Array


def esteban_gradin_ray(x: Array, w: Array, member: Array, alpha: float, beta: float) -> EgrParts:
    """Esteban, Gradin and Ray (2007) for a given partition."""
    share, location = group_moments(x, w, member)
    simple = esteban_ray(share, location, alpha)
    whole = _ineq.gini(x, w)
    between = esteban_ray(share, location, 0.0) / 2.0
    error = whole - between
    return EgrParts(simple - beta * error, simple, error, whole, between)


def optimal_partition(x: Array, w: Array, k: int) -> NDArray[np.intp]:
    """Partition into ``k`` income classes that hides the least inequality.

    Parameters
    ----------
    x, w : ndarray (N,)
        Values and weights.
    k : int
        Number of classes, at most the number of distinct values.

    Returns
    -------
    ndarray (N,) of int
        Class of each unit, 0 the lowest; equal values share a class.

    Notes
    -----
    Minimises ``G(f) - G(rho)`` (Esteban, Gradin and Ray 2007; Aghevli and Mehran 1981;
    Davies and Shorrocks 1989). One minus the grouped Gini is a sum over classes of
    ``(F_k - F_{k-1}) (L_k + L_{k-1})``, so dynamic programming over sorted distinct values is exact.
    """
    values, place = np.unique(x, return_inverse=True)
    mass = np.bincount(place, weights=_ineq.shares(w))
    f = np.concatenate([[0.0], np.cumsum(mass)])
    lorenz = np.concatenate([[0.0], np.cumsum(mass * values)])
    lorenz = lorenz / lorenz[-1]
    n = len(values)
    cost = (f[None, :] - f[:, None]) * (lorenz[None, :] + lorenz[:, None])
    best = np.full((k + 1, n + 1), np.inf)
    best[0, 0] = 0.0
    cut = np.zeros((k + 1, n + 1), dtype=np.intp)
    for c in range(1, k + 1):
        for end in range(c, n + 1):
            options = best[c - 1, :end] + cost[:end, end]
            cut[c, end] = int(np.argmin(options))
            best[c, end] = options[cut[c, end]]
    label = np.zeros(n, dtype=np.intp)
    end = n
    for c in range(k, 0, -1):
        start = cut[c, end]
        label[start:end] = c - 1
        end = start
    return label[place]


def median(x: Array, w: Array) -> Array:
    """Weighted median along the last axis: the mean of the lower and the upper median."""
    values, p = _ineq.by_rank(x, w)
    f = np.cumsum(p, axis=-1)
    tiny = 8.0 * np.finfo(float).eps * x.shape[-1]
    lower = np.argmax(f >= 0.5 - tiny, axis=-1)
    upper = np.argmax(f > 0.5 + tiny, axis=-1)
    picked = [np.take_along_axis(values, at[..., None], axis=-1)[..., 0] for at in (lower, upper)]
    return (picked[0] + picked[1]) / 2.0


def lorenz_half(x: Array, w: Array) -> Array:
    """Share of the poorer half of the weights: the Lorenz curve at 1/2, linear between its points."""
    values, p = _ineq.by_rank(x, w)
    before = np.cumsum(p, axis=-1) - p
    inside = np.clip(0.5 - before, 0.0, p)
    return (inside * values).sum(axis=-1) / _ineq.mean(values, p)


def wolfson(x: Array, w: Array) -> Array:
    """Wolfson (1994): ``2 (2 T - G) mu / m`` with ``T = 1/2 - L(1/2)``, m the median; between 0 and 1."""
    p = _ineq.shares(w)
    spread = 2.0 * (0.5 - lorenz_half(x, p)) - _ineq.gini(x, p)
    return 2.0 * spread * _ineq.mean(x, p) / median(x, p)


def der_bandwidth(x: Array, w: Array, alpha: float) -> Array:
    """Duclos, Esteban and Ray (2004): ``4.7 n^(-1/2) sigma alpha^0.1`` with n = 1 / sum p^2."""
    p = _ineq.shares(w)
    n = 1.0 / (p**2).sum(axis=-1)
    return 4.7 * n**-0.5 * _ineq.sd(x, p) * alpha**0.1


def duclos_esteban_ray(x: Array, w: Array, alpha: float, bandwidth: Array) -> Array:
    """Duclos, Esteban and Ray (2004, eqs. 8-9) with a Gaussian kernel, over ``mu^(1-alpha)``.

    Parameters
    ----------
    x, w : ndarray (T, N)
    alpha : float
        At 0 the index is twice the Gini index, whatever the bandwidth.
    bandwidth : ndarray (T,)
    """
    p = _ineq.shares(w)
    gap = x[..., :, None] - x[..., None, :]
    h = np.asarray(bandwidth)[..., None, None]
    kernel = np.exp(-0.5 * (gap / h) ** 2) / (h * np.sqrt(2.0 * np.pi))
    density = (kernel * p[..., None, :]).sum(axis=-1)
    alienation = (np.abs(gap) * p[..., None, :]).sum(axis=-1)
    raw = (p * density**alpha * alienation).sum(axis=-1)
    return raw / _ineq.mean(x, p) ** (1.0 - alpha)
