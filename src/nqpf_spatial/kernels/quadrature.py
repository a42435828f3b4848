"""One-dimensional densities known up to a constant: their integral, distribution function and quantiles, to rounding.

Panels of Gauss-Legendre nodes are halved until the halves agree with the whole. The polynomial through the nodes of an
accepted panel then gives the distribution function on cells inside it, at no further evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from nqpf_spatial.errors import ConvergenceError

_NODES = 16  # of a panel
_CELLS = 16  # a panel is cut into for quantiles
_START = 12  # first panels, closer together towards the ends of the interval
_TOLERANCE = 1e-11  # relative to the integral; a panel is halved until it contributes less to the error
_NEGLIGIBLE = 45.0  # logarithms below the highest value; such panels are not halved
_LEVELS = 60


@dataclass(frozen=True, slots=True)
class Density:
    """A normalised density.

    Attributes
    ----------
    log_integral : float
        Logarithm of the integral of the function before it was normalised.
    grid, density, distribution : (C,) ndarray
        Points, density and distribution function.
    evaluations : int
        Points at which the function was computed.
    """

    log_integral: float
    grid: NDArray
    density: NDArray
    distribution: NDArray
    evaluations: int

    def quantile(self, probability: NDArray) -> NDArray:
        """Quantiles: the monotone cubic through values and slopes of the distribution function, inverted.

        Newton steps are kept inside a shrinking bracket.
        """
        x, f = self.grid, self.distribution
        cell = np.clip(np.searchsorted(f, probability, side="right") - 1, 0, x.size - 2)
        width, rise = (x[1:] - x[:-1])[cell], (f[1:] - f[:-1])[cell]
        target = np.where(rise > 0, (probability - f[cell]) / np.where(rise > 0, rise, 1.0), 0.5)
        # slopes in units of the cell, limited so that the cubic is monotone (Fritsch and Carlson 1980)
        ratio = width / np.where(rise > 0, rise, 1.0)
        left, right = (np.clip(self.density[cell + shift] * ratio, 0.0, 3.0) for shift in (0, 1))
        a, b = np.zeros(target.shape), np.ones(target.shape)
        s = np.clip(target, 0.0, 1.0)
        for _ in range(40):
            value = s * (left + s * (3.0 - 2.0 * left - right + s * (left + right - 2.0)))
            slope = left + s * (2.0 * (3.0 - 2.0 * left - right) + 3.0 * s * (left + right - 2.0))
            low = value < target
            a, b = np.where(low, s, a), np.where(low, b, s)
            newton = s - (value - target) / np.where(slope > 0, slope, 1.0)
            new = np.where((slope > 0) & (newton >= a) & (newton <= b), newton, 0.5 * (a + b))
            if np.max(np.abs(new - s), initial=0.0) < 1e-13:
                break
            s = new
        return x[cell] + width * s


def normalise(log_function: Callable[[NDArray], NDArray], begin: float, end: float) -> Density:
    """Integrate the exponential of a function over (begin, end).

    Parameters
    ----------
    log_function : callable
        Vectorised; finite inside the interval, free to diverge at its ends, which are never evaluated.

    Raises
    ------
    ConvergenceError
        If a panel does not converge, for instance because the integral does not exist.
    """
    edges = begin + (end - begin) * 0.5 * (1.0 - np.cos(np.pi * np.arange(_START + 1) / _START))
    nodes, weights = _gauss()

    def values(a: NDArray, b: NDArray) -> NDArray:
        x = 0.5 * (a + b)[:, None] + 0.5 * (b - a)[:, None] * nodes
        return log_function(x.ravel()).reshape(x.shape)

    a, b = edges[:-1], edges[1:]
    f = values(a, b)
    top, count = float(f.max()), f.size
    done: list[tuple[NDArray, NDArray, NDArray]] = []
    for _ in range(_LEVELS):
        low = f.max(axis=1) < top - _NEGLIGIBLE
        done.append((a[low], b[low], f[low]))
        a, b, f = a[~low], b[~low], f[~low]
        left, right = np.stack([a, 0.5 * (a + b)], axis=1), np.stack([0.5 * (a + b), b], axis=1)
        halves = values(left.ravel(), right.ravel()).reshape(a.size, 2, _NODES)
        count, top = count + halves.size, max(top, float(halves.max(initial=top)))
        whole = 0.5 * (b - a) * (np.exp(f - top) @ weights)
        parts = 0.25 * (b - a)[:, None] * (np.exp(halves - top) @ weights)
        total = parts.sum() + sum(0.5 * (y - x) @ (np.exp(v - top) @ weights) for x, y, v in done)
        bad = np.abs(parts.sum(axis=1) - whole) > _TOLERANCE * total
        done.append((left[~bad].ravel(), right[~bad].ravel(), halves[~bad].reshape(-1, _NODES)))
        a, b, f = left[bad].ravel(), right[bad].ravel(), halves[bad].reshape(-1, _NODES)
        if not a.size:
            return _tabulate(done, top, count)
    raise ConvergenceError(f"the integral over ({begin:.6g}, {end:.6g}) did not converge in {_LEVELS} halvings")


def _tabulate(panels: list[tuple[NDArray, NDArray, NDArray]], top: float, count: int) -> Density:
    """Distribution function and density on cells inside the panels, from the values at their nodes."""
    a, b, f = (np.concatenate([p[i] for p in panels]) for i in range(3))
    order = np.argsort(a)
    a, b, f = a[order], b[order], f[order]
    to_edges, to_mass = _cell_matrices()
    height = np.exp(f - top)
    mass = np.clip(0.5 * (b - a)[:, None] * (height @ to_mass.T), 0.0, None)
    total = float(mass.sum())
    cut = np.arange(_CELLS + 1) / _CELLS
    grid = np.append((a[:, None] + (b - a)[:, None] * cut[:-1]).ravel(), b[-1])
    at_edges = np.clip(height @ to_edges.T, 0.0, None) / total
    density = np.append(at_edges[:, :-1].ravel(), at_edges[-1, -1])
    distribution = np.append(0.0, np.cumsum(mass.ravel()) / total)
    exact = float((0.5 * (b - a) * (height @ _gauss()[1])).sum())
    return Density(top + float(np.log(exact)), grid, density, distribution, count)


@cache
def _gauss() -> tuple[NDArray, NDArray]:
    """Nodes and weights of a panel; an eigenvalue problem, hence computed once."""
    return legendre.leggauss(_NODES)


@cache
def _cell_matrices() -> tuple[NDArray, NDArray]:
    """From values at the nodes of a panel to values at the edges of its cells and to integrals over them."""
    nodes, _ = _gauss()
    edges = np.linspace(-1.0, 1.0, _CELLS + 1)
    # Legendre series through the nodes: coefficients from the discrete orthogonality of the polynomials
    degree = np.arange(_NODES)
    fit = np.linalg.inv(legendre.legvander(nodes, _NODES - 1))
    high = legendre.legvander(edges, _NODES)
    primitive = np.empty((edges.size, _NODES))
    primitive[:, 0] = edges
    primitive[:, 1:] = (high[:, 2:] - high[:, :-2]) / (2.0 * degree[1:] + 1.0)
    return high[:, :_NODES] @ fit, np.diff(primitive, axis=0) @ fit
