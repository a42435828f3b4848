"""Draws shared by bootstrap and permutation inference: units as wholes, so that every year moves together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: numbers held at once by a block of replicates
_BLOCK = 4_000_000


def check_count(name: str, value: object) -> None:
    """Refuse numbers of replicates that are none."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 2:
        raise ValueError(f"{name}={value!r}: give a whole number of at least 2, 999 is usual, or 0 for none")


def multiplicities(n: int, replicates: int, seed: int | None, strata: NDArray[np.intp] | None = None) -> Array:
    """How often each unit is drawn, ``(R, N)``: with replacement, inside each stratum if there are any."""
    check_count("bootstrap", replicates)
    rng = np.random.default_rng(seed)
    out = np.zeros((replicates, n))
    groups = [np.arange(n)] if strata is None else [np.flatnonzero(strata == g) for g in np.unique(strata)]
    for members in groups:
        size = len(members)
        out[:, members] = rng.multinomial(size, np.full(size, 1.0 / size), size=replicates)
    return out


def permutations(codes: NDArray[np.intp], replicates: int, seed: int | None) -> NDArray[np.intp]:
    """``(R, N)`` random rearrangements of group codes."""
    check_count("permutations", replicates)
    rng = np.random.default_rng(seed)
    return rng.permuted(np.broadcast_to(codes, (replicates, len(codes))), axis=1)


def blocks(total: int, per_replicate: int) -> Iterator[slice]:
    """Slices of replicates that keep temporary arrays small."""
    step = max(1, _BLOCK // max(1, per_replicate))
    for start in range(0, total, step):
        yield slice(start, min(total, start + step))


def collect(draws: Array, per_replicate: int, function: Callable[[Array], Array]) -> Array:
    """Apply ``function`` to blocks of draws and put the pieces together along the first axis."""
    return np.concatenate([function(draws[part]) for part in blocks(len(draws), per_replicate)])


def interval(draws: Array, level: float) -> tuple[Array, Array]:
    """Percentile interval along the first axis."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level={level} must lie between 0 and 1, e.g. 0.95")
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail], axis=0)
    return low, high


def upper_p(draws: Array, observed: Array) -> Array:
    """Share of draws at least as large as the observed value, which counts as a draw of its own."""
    slack = 1e-12 * np.maximum(1.0, np.abs(observed))
    return (1.0 + (draws >= observed - slack).sum(axis=0)) / (1.0 + len(draws))


def permutation_table(draws: Array, observed: Array, index: pd.Index) -> pd.DataFrame:
    """Statistic and p-value by time; ``attrs["all"]`` holds those of the mean over the times."""
    out = pd.DataFrame({"statistic": observed, "pvalue": upper_p(draws, observed)}, index=index)
    mean = float(observed.mean())
    out.attrs["all"] = (mean, float(upper_p(draws.mean(axis=1), np.asarray(mean))))
    return out


def change_table(point: Array, draws: Array | None, first: int, last: int, names: Any, level: float) -> pd.DataFrame:
    """Level at two dates, change, percent change and, where there are draws, the interval of the change."""
    a, b = point[first], point[last]
    percent = 100.0 * np.divide(b - a, a, out=np.full_like(a, np.nan), where=a != 0)
    out = pd.DataFrame({"start": a, "end": b, "change": b - a, "change_pct": percent}, index=names)
    if draws is not None:
        delta = draws[:, last] - draws[:, first]
        out["se"] = delta.std(axis=0, ddof=1)
        out["lower"], out["upper"] = interval(delta, level)
    return out
