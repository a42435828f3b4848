"""Small labelled panels and weights for the model tests, made without the library's own simulator."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from nqpf_spatial.weights import SpatialWeights, from_any

SWITCHES = {
    "OLS": (False, False, False),
    "SLX": (False, True, False),
    "SAR": (True, False, False),
    "SEM": (False, False, True),
    "SDM": (True, True, False),
    "SDEM": (False, True, True),
    "SAC": (True, False, True),
    "GNS": (True, True, True),
}
EFFECTS = {"none": "", "unit": " | unit", "time": " | period", "twoways": " | unit + period"}


def pattern(kind: str, n: int) -> np.ndarray:
    """0/1 links: "ring" (two neighbours each), "graph" (symmetric, unequal degrees), "knn" (one-way)."""
    rng = np.random.default_rng(17)
    if kind == "ring":
        a = np.roll(np.eye(n), 1, axis=1)
        return a + a.T
    if kind == "graph":
        a = pattern("ring", n)
        for _ in range(n // 2):
            i, j = rng.choice(n, 2, replace=False)
            a[i, j] = a[j, i] = 1.0
        return a
    a = np.zeros((n, n))
    for i in range(n):
        others = np.delete(np.arange(n), i)
        a[i, rng.choice(others, 1)] = 1.0
        a[i, (i + 1) % n] = 1.0
    return a


@cache
def weights(kind: str, n: int = 10, transform: str = "row", scale: float = 1.0) -> SpatialWeights:
    """Labelled weights of one of the patterns; units c00, c01, ..."""
    ids = [f"c{i:02d}" for i in range(n)]
    return from_any(scale * pattern(kind, n), ids=ids, transform=transform, name=f"{kind}-{transform}")


@cache
def panel(
    kind: str,
    n: int = 10,
    t: int = 6,
    transform: str = "row",
    rho: float = 0.35,
    lambda_: float = 0.0,
    theta: float = 0.4,
    seed: int = 3,
) -> pd.DataFrame:
    """Panel whose unit and time effects are correlated with the regressors; T = 1 gives a cross-section."""
    w = weights(kind, n, transform).dense()
    rng = np.random.default_rng(seed)
    mu, alpha = rng.normal(size=n), rng.normal(size=t)
    x = rng.normal(size=(2, t, n)) + 0.5 * mu + 0.5 * alpha[:, None]
    eye = np.eye(n)
    u = np.linalg.solve(eye - lambda_ * w, rng.normal(scale=0.5, size=(t, n)).T).T
    signal = x[0] - 0.5 * x[1] + theta * x[0] @ w.T + mu + alpha[:, None] + u
    y = np.linalg.solve(eye - rho * w, signal.T).T
    units = weights(kind, n, transform).ids
    index = pd.MultiIndex.from_product([units, range(2001, 2001 + t)], names=["unit", "period"])
    frame = pd.DataFrame({"y": y.T.ravel(), "x1": x[0].T.ravel(), "x2": x[1].T.ravel()}, index=index)
    return frame.droplevel(1) if t == 1 else frame


def arrays(frame: pd.DataFrame, units: tuple) -> tuple[np.ndarray, np.ndarray]:
    """y (T, N) and own regressors (2, T, N)."""
    wide = {c: frame[c].unstack("unit")[list(units)].to_numpy() for c in ("y", "x1", "x2")}
    return wide["y"], np.stack([wide["x1"], wide["x2"]])
