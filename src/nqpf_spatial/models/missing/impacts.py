"""Impacts where units come and go: averages over the observed cells, each in the network of its period.

``S_t = (I - rho W_t)^-1 (beta I + theta W_t)`` differs between periods. Direct is the mean of the diagonals of all S_t, total the
mean of their row sums, over the n observed cells: what a rise by one in every observed unit does on average to one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.kernels import impacts as kernel
from nqpf_spatial.models.missing.networks import Network, Networks

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit


@dataclass(frozen=True)
class _Spread:
    """``(I - rho W)^-1`` of one network and what belongs to it; `count` periods share it."""

    units: NDArray
    count: int
    inverse: NDArray
    w: NDArray
    wd: NDArray


def unit_multiplier(fit: SpatialFit, rho: NDArray) -> kernel.UnitMultiplier:
    """The multiplier cell by cell, in the order of the stacked cells."""
    networks = _networks(fit)
    value, slope = (np.empty((rho.size, 2, 2, fit.nobs)) for _ in range(2))
    for part in networks.parts:
        found = kernel.unit_multiplier(rho, *_dense(part))
        for t in part.periods:
            value[..., networks.cells[t]], slope[..., networks.cells[t]] = found.value, found.slope
    return kernel.UnitMultiplier(value, slope)


def order_parts(fit: SpatialFit, pair: NDArray, q: int) -> list[tuple[float, float]]:
    """(direct, total) of the orders 0 to q of neighbourhood and of the rest, for (beta, theta) of a regressor."""
    rho = fit.rho or 0.0
    sums = np.zeros((q + 2, 2))
    for part in _spreads(fit):
        matrix = pair[0] * np.eye(part.units.size) + pair[1] * part.wd
        left = part.inverse @ matrix
        for order in range(q + 1):
            sums[order] += part.count * np.array([np.trace(matrix), matrix.sum()])
            left = left - matrix
            matrix = rho * (part.w @ matrix)
        sums[q + 1] += part.count * np.array([np.trace(left), left.sum()])
    return [(float(a), float(b)) for a, b in sums / fit.nobs]


def unit_parts(fit: SpatialFit, pair: NDArray) -> NDArray:
    """(N, 3) own, received and sent effects of every unit, means over the periods in which it is observed."""
    out = np.zeros((fit.estimate.design.shape[1], 3))
    for part in _spreads(fit):
        s = part.inverse @ (pair[0] * np.eye(part.units.size) + pair[1] * part.wd)
        own = np.diag(s)
        out[part.units] += part.count * np.stack([own, s.sum(axis=1) - own, s.sum(axis=0) - own], axis=1)
    return out / _networks(fit).observed.sum(axis=0)[:, None]


def effect_matrix(fit: SpatialFit, pair: NDArray) -> NDArray:
    """(N, N) effects between units, means over the periods in which both are observed; NaN if there is none."""
    n = fit.estimate.design.shape[1]
    total, count = np.zeros((n, n)), np.zeros((n, n))
    for part in _spreads(fit):
        at = np.ix_(part.units, part.units)
        total[at] += part.count * (part.inverse @ (pair[0] * np.eye(part.units.size) + pair[1] * part.wd))
        count[at] += part.count
    return np.divide(total, count, out=np.full((n, n), np.nan), where=count > 0)


def between(fit: SpatialFit, member: NDArray) -> tuple[NDArray, NDArray]:
    """Effects between groups (2, G, G) of the own and the lagged regressor, and their derivatives with respect to rho.

    `member` (N, G) are zeros and ones. Means over the observed cells of the receiving group, of the sums over the sending one.
    """
    g = member.shape[1]
    value, slope, size = np.zeros((2, g, g)), np.zeros((2, g, g)), np.zeros(g)
    for part in _spreads(fit):
        inside = member[part.units]
        size += part.count * inside.sum(axis=0)
        change = part.inverse @ part.w @ part.inverse
        for row, first in enumerate((np.eye(part.units.size), part.wd)):
            value[row] += part.count * inside.T @ part.inverse @ first @ inside
            slope[row] += part.count * inside.T @ change @ first @ inside
    return value / size[:, None], slope / size[:, None]


def _networks(fit: SpatialFit) -> Networks:
    assert fit.estimate.networks is not None
    return fit.estimate.networks


def _spreads(fit: SpatialFit) -> Iterator[_Spread]:
    for part in _networks(fit).parts:
        w, wd = _dense(part)
        inverse = np.linalg.inv(np.eye(w.shape[0]) - (fit.rho or 0.0) * w)
        yield _Spread(part.units, len(part.periods), inverse, w, wd)


def _dense(part: Network) -> tuple[NDArray, NDArray]:
    zero = np.zeros((part.units.size, part.units.size))
    lag, durbin = part.weights.lag, part.weights.durbin
    return zero if lag is None else lag.dense(), zero if durbin is None else durbin.dense()
