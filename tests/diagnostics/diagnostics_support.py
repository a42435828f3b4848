"""Golden data sets and fits for the tests of the diagnostics (source and definitions: tests/golden/README.md)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

import nqpf_spatial as nq
from nqpf_spatial.models import SpatialFit
from nqpf_spatial.weights import SpatialWeights, from_any

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
PANELS = ("produc", "rice")
EFFECTS = {"none": "", "individual": " | unit", "time": " | period", "twoways": " | unit + period"}
FORMULAS = {
    "columbus": "CRIME ~ INC + HOVAL",
    "boston": "log(CMEDV) ~ CRIM + ZN + INDUS + CHAS + I(NOX**2) + I(RM**2) + AGE + log(DIS) + log(RAD) + TAX + PTRATIO"
    " + B + log(LSTAT)",
    "lattice1024": "y ~ x1 + x2",
    "produc": "lgsp ~ lpcap + lpc + lemp + unemp",
    "rice": "lgout ~ lseed + lurea + ltotlab + lsize",
}


@cache
def golden() -> dict[str, dict]:
    """All entries by id."""
    found = {}
    for name in ("columbus", "boston", "lattice1024", "produc", "rice"):
        document = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
        found |= {e["id"]: e for e in document["entries"]}
    return found


def stem(key: str) -> str:
    """columbusB and columbusEig are columbus under other weights."""
    return "columbus" if key.startswith("columbus") else key


@cache
def frame(key: str) -> pd.DataFrame:
    name = {"lattice1024": "lattice_n1024"}.get(key, stem(key))
    found = pd.read_csv(GOLDEN / "data" / f"{name}.csv", skipinitialspace=True)
    if key in PANELS:
        unit, period = {"produc": ("state", "year"), "rice": ("id", "time")}[key]
        found = found.rename(columns={unit: "unit", period: "period"})
        found["unit"] = [f"u{u}" for u in found["unit"]]
        return found.set_index(["unit", "period"])
    return found.set_index(pd.Index([f"u{i}" for i in range(len(found))], name="unit"))


@cache
def weights(key: str) -> SpatialWeights:
    name = {"lattice1024": "lattice_n1024"}.get(key, stem(key))
    links = pd.read_csv(GOLDEN / "data" / f"{name}_W.csv", skipinitialspace=True)
    units = frame(key).index.get_level_values(0).unique()
    values = links["w"].to_numpy() if key == stem(key) else np.ones(len(links))
    matrix = sp.coo_array((values, (links["i"] - 1, links["j"] - 1)), shape=(len(units),) * 2).tocsr()
    return from_any(matrix, ids=units, transform="spectral" if key == "columbusEig" else "none", name=key)


@cache
def fitted(key: str, model: str = "OLS", effects: str = "none", correction: str = "none") -> SpatialFit:
    formula = FORMULAS[stem(key)] + EFFECTS[effects]
    w = None if model == "OLS" else weights(key)
    return nq.fit(formula, frame(key), w, model=model, correction=correction, vcov="expected")


def arrays(key: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y (T, N), regressors (K, T, N) without intercept, dense W, in the order of the weights."""
    est = fitted(key, "OLS", "individual").estimate
    units = list(est.design.units)
    w = weights(key)
    order = [w.ids.index(u) for u in units]
    return est.design.y, est.design.x, w.dense()[np.ix_(order, order)]


def queen(rows: int = 5, columns: int = 5) -> SpatialWeights:
    """Row-standardised queen contiguity of a lattice; not doubly stochastic."""
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    links = np.array([[float(0 < max(abs(a - c), abs(b - d)) <= 1) for c, d in cells] for a, b in cells])
    return from_any(links, ids=[f"c{r}{c}" for r, c in cells], transform="row", name="lattice")


def panel(w: SpatialWeights, y: np.ndarray, **columns: np.ndarray) -> pd.DataFrame:
    """Labelled frame from (T, N) arrays in the order of W."""
    t = y.shape[0]
    index = pd.MultiIndex.from_product([w.ids, range(2001, 2001 + t)], names=["unit", "period"])
    return pd.DataFrame({"y": y.T.ravel(), **{k: v.T.ravel() for k, v in columns.items()}}, index=index)
