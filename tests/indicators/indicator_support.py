"""Small panels for the tests of the indicators."""

from __future__ import annotations

import numpy as np
import pandas as pd

UNITS = ("Beijing", "Hebei", "Shanghai", "Zhejiang", "Guizhou", "Tibet")


def panel(years=range(2010, 2016), units=UNITS, seed=0, columns=("a", "b", "c", "d")) -> pd.DataFrame:
    """Positive indicators that grow, indexed by (province, year) in canonical order."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([units, years], names=["province", "year"])
    trend = 1 + 0.1 * (index.get_level_values("year").to_numpy() - min(years))
    level = np.repeat(np.exp(rng.normal(size=(len(units), len(columns)))), len(list(years)), axis=0)
    noise = np.exp(0.1 * rng.normal(size=(len(index), len(columns))))
    return pd.DataFrame(level * trend[:, None] * noise, index=index, columns=list(columns))


def shuffled(frame: pd.DataFrame, seed: int = 1) -> pd.DataFrame:
    """The same rows and columns in another order."""
    rng = np.random.default_rng(seed)
    return frame.iloc[rng.permutation(len(frame)), rng.permutation(frame.shape[1])]
