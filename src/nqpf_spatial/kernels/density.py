"""Kernel densities with a Gaussian kernel, the number of their modes, Silverman's test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: numbers held at once while densities of replicates are evaluated
_BLOCK = 600_000


def silverman_bandwidth(x: Array, w: Array) -> float:
    """Rule of thumb ``0.9 min(sd, IQR / 1.349) n^(-1/5)`` (Silverman 1986, p. 48), n = 1 / sum p^2."""
    p = w / w.sum()
    n = 1.0 / float((p**2).sum())
    centre = float(p @ x)
    sd = np.sqrt(float(p @ (x - centre) ** 2) * n / (n - 1.0))
    order = np.argsort(x, kind="stable")
    f = np.cumsum(p[order]) - p[order] / 2.0
    low, high = np.interp([0.25, 0.75], f, x[order])
    spread = min(sd, (high - low) / 1.349) if high > low else sd
    return float(0.9 * spread * n**-0.2)


def density(x: Array, w: Array, h: float, grid: Array) -> Array:
    """Gaussian kernel density of ``x (N,)`` with weights ``w`` on ``grid (G,)``."""
    p = w / w.sum()
    z = (grid[:, None] - x) / h
    return np.exp(-0.5 * z**2) @ p / (h * np.sqrt(2.0 * np.pi))


def count_modes(x: Array, h: float, points: int) -> NDArray[np.intp]:
    """Number of modes of the Gaussian kernel density of each row of ``x (R, N)``, on a grid of ``points``."""
    rows = np.atleast_2d(x)
    out = np.empty(len(rows), dtype=np.intp)
    step = max(1, _BLOCK // (rows.shape[1] * points))
    unit = np.linspace(0.0, 1.0, points)
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        low, high = part.min(axis=1) - 2.0 * h, part.max(axis=1) + 2.0 * h
        grid = low[:, None] + (high - low)[:, None] * unit
        f = np.exp(-0.5 * ((grid[:, :, None] - part[:, None, :]) / h) ** 2).sum(axis=2)
        rising = np.diff(f, axis=1) > 0
        out[start : start + step] = (rising[:, :-1] & ~rising[:, 1:]).sum(axis=1)
    return out


def critical_bandwidth(x: Array, modes: int, points: int, tolerance: float = 1e-5) -> float:
    """Smallest bandwidth at which the density of ``x (N,)`` has at most ``modes`` modes.

    The number of modes of a Gaussian kernel density falls as the bandwidth grows (Silverman 1981), so
    bisection finds it, here to ``tolerance`` times the range of the data.
    """
    span = float(x.max() - x.min())
    low, high = span * 1e-4, span
    while high - low > tolerance * span:
        middle = (low + high) / 2.0
        if count_modes(x, middle, points)[0] <= modes:
            high = middle
        else:
            low = middle
    return high


def silverman_draws(x: Array, h: float, replicates: int, rng: np.random.Generator) -> Array:
    """Smoothed bootstrap samples ``(R, N)`` from the density with bandwidth ``h``, variance kept (1981)."""
    n = len(x)
    drawn = x[rng.integers(0, n, size=(replicates, n))]
    noise = h * rng.standard_normal((replicates, n))
    centre = drawn.mean(axis=1, keepdims=True)
    return centre + (drawn - centre + noise) / np.sqrt(1.0 + h**2 / x.var())
