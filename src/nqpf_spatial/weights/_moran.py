"""Moran's I under several matrices, with permutation inference by esda."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

import numpy as np
import pandas as pd

from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.weights import _labels
from nqpf_spatial.weights._compare import by_name
from nqpf_spatial.weights.core import SpatialWeights

Alternative = Literal["two-sided", "greater", "less"]


def moran(
    y: pd.Series,
    weights: SpatialWeights | Sequence[SpatialWeights] | Mapping[str, SpatialWeights],
    permutations: int = 9999,
    seed: int = 0,
    alternative: Alternative = "two-sided",
) -> pd.DataFrame:
    """Moran's I of a variable under one or several matrices.

    Parameters
    ----------
    y : Series
        One value per unit, by label.
    weights : SpatialWeights, sequence or mapping
        Taken as they are: nothing is standardised anew.
    permutations : int
        Random permutations of the values over the units.
    seed : int
        Same seed, same p-values. Every matrix sees the same permutations.
    alternative : {"two-sided", "greater", "less"}
        greater: positive autocorrelation.

    Returns
    -------
    DataFrame
        One row per matrix: statistic (I), expected (-1 / (n - 1)), mean and sd over the permutations, z,
        pvalue. ``attrs`` holds null, alternative, permutations and seed.

    Raises
    ------
    AlignmentError
        If the units differ or a value is missing.

    Notes
    -----
    I = (n / S0) (z' W z) / (z' z), z = y - mean, S0 the sum of all weights (Moran 1950, Biometrika 37;
    Cliff and Ord 1981). esda computes I and its permutations. The two-sided p-value is twice the smaller
    tail, (1 + count) / (permutations + 1) each, at most 1; esda's own ``p_sim`` is the smaller tail itself
    and rejects twice as often as its size says when no direction was fixed beforehand.

    esda draws from numpy's global generator: it is seeded for the duration of the call and put back
    afterwards.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> income = nq.load_panel("ln_gdp_real_pc").xs(2012, level="year")["ln_gdp_real_pc"]
    >>> table = nq.weights.moran(income, [nq.weights.contiguity(), nq.weights.knn(4)], permutations=999)
    >>> bool((table["pvalue"] < 0.01).all())
    True
    """
    if not isinstance(y, pd.Series):
        raise AlignmentError(f"moran() aligns by label and needs a Series indexed by unit, got {type(y).__name__}")
    if y.index.nlevels > 1:
        raise AlignmentError("moran() takes one period: choose it, for instance y.xs(2020, level='year')")
    if alternative not in ("two-sided", "greater", "less"):
        raise ValueError(f"alternative={alternative!r} is not known; choose 'two-sided', 'greater' or 'less'")
    if not isinstance(permutations, int | np.integer) or permutations < 99:
        raise ValueError(f"permutations={permutations!r} must be a whole number of at least 99")
    named = by_name(weights)
    rows = {name: _one(y, w, permutations, seed, alternative) for name, w in named.items()}
    table = pd.DataFrame(rows).T.rename_axis("weights")
    table.attrs = {
        "null": "no spatial autocorrelation: the values are exchangeable over the units",
        "alternative": alternative,
        "permutations": int(permutations),
        "seed": seed,
    }
    return table


def _one(y: pd.Series, w: SpatialWeights, permutations: int, seed: int, alternative: str) -> dict[str, float]:
    from esda.moran import Moran

    values = _values(y, w)
    with _global_seed(seed):
        result = Moran(values, w.to_W(), transformation="O", permutations=int(permutations))
    sims = result.sim
    upper = (1 + int((sims >= result.I).sum())) / (permutations + 1)
    lower = (1 + int((sims <= result.I).sum())) / (permutations + 1)
    pvalue = {"greater": upper, "less": lower, "two-sided": min(1.0, 2 * min(upper, lower))}[alternative]
    return {
        "statistic": float(result.I),
        "expected": float(result.EI),
        "mean": float(sims.mean()),
        "sd": float(sims.std(ddof=1)),
        "z": float((result.I - sims.mean()) / sims.std(ddof=1)),
        "pvalue": float(pvalue),
    }


def _values(y: pd.Series, w: SpatialWeights) -> np.ndarray:
    """Values in the order of the units of W, complete and not constant."""
    place = _labels.locate(w.ids, y.index, str(y.name or "y"))
    values = np.empty(w.n)
    values[place] = pd.to_numeric(y).to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(values)).tolist()
    if bad:
        raise AlignmentError(f"{y.name or 'y'} is missing or infinite for {_labels.shorten(w.ids[k] for k in bad)}")
    if np.ptp(values) == 0:
        raise ValueError(f"{y.name or 'y'} is constant: Moran's I is not defined")
    return values


@contextmanager
def _global_seed(seed: int) -> Iterator[None]:
    """Seed numpy's global generator, which esda uses, and restore it afterwards."""
    before = np.random.get_state()  # noqa: NPY002  (esda takes no generator)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
