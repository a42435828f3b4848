"""Golden data sets, fits and comparisons for the tests against other software."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from dense_reference import Dense, system

import nqpf_spatial as nq
from nqpf_spatial.weights import SpatialWeights, from_any

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FILES = ("columbus", "boston", "lattice1024", "produc", "rice")
PANELS = {
    "produc": ("lgsp", ("lpcap", "lpc", "lemp", "unemp")),
    "rice": ("lgout", ("lseed", "lurea", "ltotlab", "lsize")),
}
#: tolerance of a log-likelihood
LOGLIK = 1e-7
KEYS = ("columbus", "columbusB", "columbusEig", "boston", "lattice1024")
SPREG_KEYS = ("columbus", "boston", "lattice_n1024")
FIXED = ("individual", "time", "twoways")
#: the spatial parameter of the models that have one
SPATIAL = {"sar": "rho", "sdm": "rho", "sem": "lambda", "sdem": "lambda"}
EFFECTS = {"none": "", "individual": " | unit", "time": " | period", "twoways": " | unit + period"}
#: (lag, durbin, error)
MODEL_SWITCHES = {
    "ols": (False, False, False),
    "slx": (False, True, False),
    "sar": (True, False, False),
    "sem": (False, False, True),
    "sdm": (True, True, False),
    "sdem": (False, True, True),
    "sac": (True, False, True),
    "gns": (True, True, True),
}
FORMULAS = {
    "columbus": "CRIME ~ INC + HOVAL",
    "boston": "log(CMEDV) ~ CRIM + ZN + INDUS + CHAS + I(NOX**2) + I(RM**2) + AGE + log(DIS) + log(RAD) + TAX"
    " + PTRATIO + B + log(LSTAT)",
    "lattice1024": "y ~ x1 + x2",
    **{key: f"{y} ~ {' + '.join(x)}" for key, (y, x) in PANELS.items()},
}
#: R and spreg names of transformed regressors -> names of formulaic
RENAMED = {
    "I(NOX^2)": "I(NOX ** 2)",
    "I(RM^2)": "I(RM ** 2)",
    "NOX2": "I(NOX ** 2)",
    "RM2": "I(RM ** 2)",
    "lDIS": "log(DIS)",
    "lRAD": "log(RAD)",
    "lLSTAT": "log(LSTAT)",
    **{f"log.{n}.": f"log({n})" for n in ("DIS", "RAD", "LSTAT")},
    **{f"I.{n}.2.": f"I({n} ** 2)" for n in ("NOX", "RM")},
    "CHAS1": "CHAS",  # CHAS is a factor in R and 0/1 here
    "(Intercept)": "Intercept",
    ".Intercept.": "Intercept",
    "const": "Intercept",
    "X.Intercept.": "Intercept",
}


@dataclass(frozen=True)
class Compare:
    """One number of ours beside the peer's, and how far they may be apart."""

    what: str
    ours: float
    theirs: float
    rtol: float = 0.0
    atol: float = 0.0

    @property
    def relative(self) -> float:
        return abs(self.ours - self.theirs) / max(abs(self.theirs), 1e-300)

    @property
    def ok(self) -> bool:
        return bool(abs(self.ours - self.theirs) <= self.atol + self.rtol * abs(self.theirs))

    def __str__(self) -> str:
        return f"{self.what}: {self.ours!r} against {self.theirs!r} (relative {self.relative:.1e})"


def assert_all(comparisons: list[Compare]) -> None:
    """Every comparison holds; there is at least one, or the test would be empty."""
    assert comparisons
    bad = [str(c) for c in comparisons if not c.ok]
    assert not bad, "\n".join(bad)


@cache
def file(name: str) -> dict:
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


@cache
def entries() -> dict[str, dict]:
    found = [e for name in FILES for e in file(name)["entries"]]
    table = {e["id"]: e for e in found}
    assert len(table) == len(found)
    return table


def own_name(name: str) -> str:
    """Name of a coefficient as `fit.params` writes it."""
    name = name.removeprefix("I(x - lambda * WX)")
    for prefix in ("lag.", "W_", "W*"):
        if name.startswith(prefix):
            rest = name[len(prefix) :]
            return f"W:{RENAMED.get(rest, rest)}"
    return RENAMED.get(name, name)


def named(values: dict[str, float]) -> dict[str, float]:
    return {own_name(k): v for k, v in values.items()}


def base_key(key: str) -> str:
    """columbusB and columbusEig are columbus with other weights."""
    return "columbus" if key.startswith("columbus") else key


@cache
def data(key: str) -> pd.DataFrame:
    """Labelled data: index (unit) or (unit, period)."""
    stem = "lattice_n1024" if key == "lattice1024" else base_key(key)
    frame = pd.read_csv(GOLDEN / "data" / f"{stem}.csv", skipinitialspace=True)
    if key in PANELS:
        frame = frame.rename(columns={file(key)["meta"]["id"]: "unit", file(key)["meta"]["time"]: "period"})
        frame["unit"] = frame["unit"].map(lambda u: f"u{u}")
        return frame.set_index(["unit", "period"])
    return frame.set_index(pd.Index([f"u{k:04d}" for k in range(1, len(frame) + 1)], name="unit"))


@cache
def weights(key: str) -> SpatialWeights:
    """W of a data set; columbusB is its 0/1 pattern, columbusEig that pattern over its spectral radius."""
    stem = "lattice_n1024_W" if key == "lattice1024" else f"{base_key(key)}_W"
    links = pd.read_csv(GOLDEN / "data" / f"{stem}.csv", skipinitialspace=True)
    units = data(key).index.get_level_values(0).unique()
    values = np.ones(len(links)) if key in ("columbusB", "columbusEig") else links["w"].to_numpy()
    matrix = sp.coo_array((values, (links["i"] - 1, links["j"] - 1)), shape=(len(units),) * 2).tocsr()
    return from_any(matrix, ids=units, transform="spectral" if key == "columbusEig" else "none", name=key)


@cache
def fitted(key: str, model: str, effects: str = "none", correction: str = "none") -> nq.models.SpatialFit:
    formula = FORMULAS[base_key(key)] + EFFECTS[effects]
    w = None if model.upper() == "OLS" else weights(key)
    return nq.fit(formula, data(key), w, model=model, correction=correction, vcov="expected", years=None)


def compare_values(
    what: str, ours: pd.Series | dict, theirs: dict[str, float], rtol: float, complete: bool = True
) -> list[Compare]:
    """Coefficients or standard errors by name; both sides must have the same names."""
    ours = dict(ours)
    if complete:
        assert set(ours) == set(theirs), (sorted(ours), sorted(theirs))
    return [Compare(f"{what} {k}", float(ours[k]), float(v), rtol) for k, v in theirs.items()]


def multiplier(w: np.ndarray, rho: float) -> np.ndarray:
    return np.linalg.inv(np.eye(w.shape[0]) - rho * w)


def dense_impacts(w: np.ndarray, rho: float, beta: float, theta: float) -> dict[str, float]:
    """Direct, indirect and total impact by the definition."""
    s = multiplier(w, rho) @ (beta * np.eye(w.shape[0]) + theta * w)
    direct, total = float(np.trace(s)) / w.shape[0], float(s.sum()) / w.shape[0]
    return {"direct": direct, "indirect": total - direct, "total": total}


@cache
def panel_system(key: str, model: str, effects: str, transform: bool) -> Dense:
    """Dense system of a golden panel; columns: own regressors, their lags, dummies."""
    y, names = PANELS[key]
    frame, w = data(key), weights(key)
    grids = {name: frame[name].unstack("unit")[list(w.ids)].to_numpy() for name in (y, *names)}
    lag, durbin, error = MODEL_SWITCHES[model]
    return system(
        grids[y],
        np.stack([grids[name] for name in names]),
        {
            "lag": w.dense() if lag else None,
            "durbin": w.dense() if durbin else None,
            "error": w.dense() if error else None,
        },
        unit=effects in ("individual", "twoways"),
        time=effects in ("time", "twoways"),
        transform=transform,
    )


CASES: dict[str, Callable[[dict], list[Compare]]] = {}


def covers(*ids: str) -> Callable:
    """Register one check for the given golden entries."""

    def register(check: Callable[[dict], list[Compare]]) -> Callable:
        for i in ids:
            assert i not in CASES, f"{i} is checked twice"
            CASES[i] = check
        return check

    return register


def scaled(what: str, ours: pd.Series, theirs: dict[str, float], se: dict[str, float], tol: float) -> list[Compare]:
    """Coefficients relative to themselves or, where they are smaller than that, to their standard error."""
    rows = compare_values(what, ours, theirs, 0.0)
    names = list(theirs)
    return [
        Compare(r.what, r.ours, r.theirs, tol, tol * se[n] if abs(r.theirs) < se[n] else 0.0)
        for r, n in zip(rows, names, strict=True)
    ]


def peer_vectors(e: dict) -> tuple[dict[str, float], dict[str, float]]:
    """Coefficients and standard errors of an entry under our names, spatial parameters included."""
    coefficients, se = e["coefficients"], e["se"]
    if isinstance(coefficients, list):
        coefficients, se = (dict(zip(e["coef_names"], values, strict=True)) for values in (coefficients, se))
    coefficients, se = named(coefficients), named(se)
    for name in ("rho", "lambda"):
        if e.get(name) is not None and name not in coefficients:
            coefficients[name], se[name] = e[name], e[f"{name}_se"]
    return coefficients, se


def vcov_comparisons(fit, vcov: dict | None, tol: float) -> list[Compare]:
    """Every element of the full covariance matrix, relative to the standard errors it belongs to."""
    if vcov is None:
        return []
    names = [own_name(n) for n in vcov["names"]]
    keep = [i for i, n in enumerate(names) if n != "sigma"]
    theirs = pd.DataFrame(vcov["matrix"], index=names, columns=names).iloc[keep, keep]
    ours = fit.cov_params().loc[theirs.index, theirs.columns]
    size = np.sqrt(np.outer(np.diag(theirs), np.diag(theirs)))
    out = [
        Compare(f"cov {a}, {b}", ours.loc[a, b], theirs.loc[a, b], atol=2 * tol * size[i, j])
        for i, a in enumerate(theirs.index)
        for j, b in enumerate(theirs.columns)
    ]
    se = np.sqrt(vcov["matrix"][names.index("sigma")][names.index("sigma")])
    return [*out, Compare("se of sigma2", fit.sigma2_se, se, tol)]
