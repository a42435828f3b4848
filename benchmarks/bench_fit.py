"""Import time, one fit, its kernel and its impacts, beside spreg in the same run.

    python benchmarks/bench_fit.py [--quick] [--out benchmarks/results/fit.json]

Every number is the median over repetitions on one BLAS thread. The two-way spatial Durbin model goes from formula and labels
to coefficients with standard errors; spreg has unit effects only and gets the arrays, spatial lags of X included.
The file written holds versions, seed, cores and measured durations, nothing else about the machine.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from record import SEED, run

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.weights import SpatialWeights

PARAMS = {"a": 1.0, "b": 0.5, "c": -0.5, "W:a": 0.4, "W:b": 0.2, "W:c": 0.0, "rho": 0.4}
FORMULA = "y ~ a + b + c | unit + period"
#: seconds to reach (docs: performance); None where no budget was set
BUDGET = {
    "import": 0.1,
    "fit 31 x 13": 0.005,
    "kernel 31 x 13": 0.0005,
    "impacts 31 x 13": 0.02,
    "fit 300 x 20": 0.05,
}


@dataclass(frozen=True)
class Row:
    """One measurement: median seconds over `repeats`, with the lower and upper quartile."""

    work: str
    software: str
    seconds: float
    lower: float
    upper: float
    repeats: int
    budget: float | None = None


def measure(work: str, software: str, call: Callable[[], object], repeats: int) -> Row:
    """Median duration of a call after one that is not counted."""
    call()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return summarise(work, software, taken)


def summarise(work: str, software: str, taken: list[float]) -> Row:
    low, middle, high = np.quantile(taken, [0.25, 0.5, 0.75])
    budget = BUDGET.get(work) if software == "nqpf_spatial" else None
    return Row(work, software, float(middle), float(low), float(high), len(taken), budget)


def import_time(module: str, repeats: int) -> Row:
    """Import in a fresh interpreter, measured inside it."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    run = lambda: float(
        subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, check=True).stdout
    )
    run()
    return summarise("import", module, [run() for _ in range(repeats)])


def first_fit(repeats: int) -> Row:
    """Import, weights of the provinces and one fit in a fresh interpreter: what a user waits for first."""
    code = (
        "import time; t = time.perf_counter(); import nqpf_spatial as nq; w = nq.weights.contiguity(); "
        f"d = nq.simulate('SDM', w, T=13, params={PARAMS!r}, seed=1); nq.sdm({FORMULA!r}, d, w).bse; "
        "print(time.perf_counter() - t)"
    )
    run = lambda: float(
        subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, check=True).stdout
    )
    run()
    return summarise("first fit of a session", "nqpf_spatial", [run() for _ in range(repeats)])


def panel_rows(n: int, t: int, repeats: int) -> list[Row]:
    """Fit, kernel, impacts and spreg's one-way fit on one simulated panel."""
    import nqpf_spatial as nq
    from nqpf_spatial.kernels.ml import fit_ml
    from nqpf_spatial.kernels.moments import reduce_columns

    w = nq.weights.contiguity() if n == 31 else nq.weights.lattice(n // 15, 15)
    assert w.n == n
    data = nq.simulate("SDM", w, T=t, params=PARAMS, seed=SEED)
    size = f"{n} x {t}"
    fit = nq.sdm(FORMULA, data, w)
    est = fit.estimate
    base = np.concatenate([est.columns.z, est.design.y[None], est.columns.wy[None]])
    kernel = lambda: fit_ml(reduce_columns(base, None, True, True), est.likelihood)
    same = kernel()
    assert same.rho == fit.rho
    rows = [
        measure(f"fit {size}", "nqpf_spatial", lambda: nq.sdm(FORMULA, data, w).bse, repeats),
        measure(f"kernel {size}", "nqpf_spatial", kernel, repeats),
        measure(f"impacts {size}", "nqpf_spatial", lambda: fit.impacts("simulate", draws=10_000), repeats),
        measure(f"delta impacts {size}", "nqpf_spatial", lambda: fit.impacts(), repeats),
    ]
    return [*rows, spreg_row(data, w, t, size, max(3, repeats // 10))]


def spreg_row(data: pd.DataFrame, w: SpatialWeights, t: int, size: str, repeats: int) -> Row:
    """spreg's maximum likelihood with unit effects on the same data; arrays period by period."""
    import spreg

    by_period = data.swaplevel().sort_index()
    wide = by_period.reindex([(p, u) for p in range(1, t + 1) for u in w.ids])
    y = wide[["y"]].to_numpy()
    x = wide[["a", "b", "c"]].to_numpy()
    lagged = np.vstack([w.sparse @ part for part in np.split(x, t)])
    columns, weights = np.hstack([x, lagged]), w.to_W()
    return measure(f"fit {size}", "spreg (unit effects only)", lambda: spreg.Panel_FE_Lag(y, columns, weights), repeats)


def report(rows: list[Row]) -> str:
    head = f"{'work':<24}{'software':<28}{'median s':>12}{'quartiles':>24}{'budget':>10}"
    lines = [head, "-" * len(head)]
    for r in rows:
        between = f"{r.lower:.5f} - {r.upper:.5f}"
        lines.append(
            f"{r.work:<24}{r.software:<28}{r.seconds:>12.5f}{between:>24}{'' if r.budget is None else r.budget:>10}"
        )
    return "\n".join(lines)


def measure_all(quick: bool) -> list[Row]:
    """Everything, with few or many repetitions."""
    few, many = (3, 10) if quick else (7, 100)
    rows = [import_time(m, few) for m in ("nqpf_spatial", "libpysal", "spreg")]
    rows.append(first_fit(few))
    rows += panel_rows(31, 13, many)
    return rows + panel_rows(300, 20, max(5, many // 5))


if __name__ == "__main__":
    packages = ("nqpf-spatial", "numpy", "scipy", "pandas", "formulaic", "libpysal", "spreg")
    run(__doc__, "fit", packages, measure_all, report)
