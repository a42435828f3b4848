"""Dynamic models, posteriors, model probabilities and moments: durations, spreg beside where it has the model.

    python benchmarks/bench_extensions.py [--quick] [--out benchmarks/results/extensions.json]

Medians over repetitions on one BLAS thread, of wall-clock and of processor time: on a shared machine the second says what the work costs.
Budgets are for the first on a machine of its own. R and MATLAB peers were timed elsewhere (docs: dynamic models).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from record import SEED, run

PARAMS = {"a": 1.0, "b": 0.5, "c": -0.5, "W:a": 0.4, "W:b": 0.2, "W:c": 0.0, "rho": 0.3}
FORMULA = "y ~ a + b + c | unit + period"
#: seconds to reach
BUDGET = {
    "1,000 bootstrap refits, dynamic SDM, 31 x 13": 2.0,
    "posterior of an SDM, 10,000 samples, 31 x 13": 0.1,
    "model probabilities, 6 models x 7 weights, 31 x 13": 0.5,
}


@dataclass(frozen=True)
class Row:
    """One measurement: median wall-clock and processor seconds over `repeats`."""

    work: str
    software: str
    seconds: float
    processor: float
    repeats: int
    budget: float | None = None


def measure(work: str, call: Callable[[], object], repeats: int, software: str = "nqpf_spatial") -> Row:
    """Medians of a call after one that is not counted."""
    call()
    wall, processor = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    budget = BUDGET.get(work) if software == "nqpf_spatial" else None
    return Row(work, software, float(np.median(wall)), float(np.median(processor)), repeats, budget)


def dynamic_rows(few: int, many: int) -> list[Row]:
    """Dynamic SDM with both time lags and two-way effects, 31 units, 13 periods of estimation."""
    import nqpf_spatial as nq

    w = nq.weights.contiguity()
    data = nq.simulate("SDM", w, T=14, params={**PARAMS, "L:y": 0.5, "L:W:y": -0.1}, seed=SEED)
    fit = nq.sdm(FORMULA, data, w, dynamic="both")
    size = "dynamic SDM, 31 x 13"
    return [
        measure(f"fit, {size}", lambda: nq.sdm(FORMULA, data, w, dynamic="both").bse, many),
        measure(f"1,000 bootstrap refits, {size}", lambda: fit.bootstrap(replicates=1000), few),
        measure(f"short- and long-run impacts, delta, {size}", lambda: fit.impacts().runs, many),
        measure(f"long-run impacts, 10,000 draws, {size}", lambda: fit.impacts("simulate", horizon="long"), few),
        measure(f"long-run impacts, 1,000 refits, {size}", lambda: fit.impacts("bootstrap", horizon="long"), few),
    ]


def bayes_rows(few: int, many: int) -> list[Row]:
    """Posterior of one model, and probabilities of six models with seven weights."""
    import nqpf_spatial as nq

    w = nq.weights.contiguity()
    data = nq.simulate("SDM", w, T=13, params=PARAMS, seed=SEED)
    fit = nq.sdm(FORMULA, data, w)
    weights = {
        "queen": w,
        "4 nearest": nq.weights.knn(k=4),
        "6 nearest": nq.weights.knn(k=6),
        "1/d": nq.weights.inverse_distance(power=1),
        "1/d2": nq.weights.inverse_distance(power=2),
        "band": nq.weights.distance_band(),
        "computing": nq.weights.compute_network(),
    }
    found = nq.model_probabilities(FORMULA, data, weights)
    assert len(found.table) == 5 * 7 + 1  # OLS has no W
    return [
        measure("posterior of an SDM, 10,000 samples, 31 x 13", lambda: fit.posterior(draws=10_000).draws, many),
        measure("posterior impacts of an SDM, 10,000 samples, 31 x 13", lambda: fit.impacts("posterior"), many),
        measure(
            "model probabilities, 6 models x 7 weights, 31 x 13",
            lambda: nq.model_probabilities(FORMULA, data, weights),
            few,
        ),
        measure("model-averaged impacts over them, 10,000 samples", lambda: found.impacts(), few),
    ]


def moment_rows(many: int) -> list[Row]:
    """Two-stage least squares and the heteroskedasticity-robust SARAR on a cross-section of 900 cells, spreg beside."""
    import spreg

    import nqpf_spatial as nq
    from nqpf_spatial.models.gmm.estimate import gmm

    w = nq.weights.lattice(30, 30)
    data = nq.simulate("SAC", w, T=1, params={"a": 1.0, "b": 0.5, "rho": 0.4, "lambda": 0.3}, seed=SEED)
    y, x, classic = data[["y"]].to_numpy(), data[["a", "b"]].to_numpy(), w.to_W()
    formula = "y ~ a + b"
    lag, both = "2SLS of a SAR, two orders, n = 900", "GMM of a SAC, heteroskedastic, n = 900"
    return [
        measure(lag, lambda: gmm(formula, data, w, model="SAR").bse, many),
        measure(lag, lambda: spreg.GM_Lag(y, x, w=classic, w_lags=2), many, "spreg"),
        measure(both, lambda: gmm(formula, data, w, model="SAC", vcov="white").bse, max(3, many // 5)),
        measure(both, lambda: spreg.GM_Combo_Het(y, x, w=classic, w_lags=2, step1c=True), max(3, many // 5), "spreg"),
    ]


def report(rows: list[Row]) -> str:
    head = f"{'work':<58}{'software':<16}{'median s':>10}{'processor':>11}{'budget':>9}"
    lines = [head, "-" * len(head)]
    for r in rows:
        budget = "" if r.budget is None else f"{r.budget:g}"
        lines.append(f"{r.work:<58}{r.software:<16}{r.seconds:>10.4f}{r.processor:>11.4f}{budget:>9}")
    return "\n".join(lines)


def measure_all(quick: bool) -> list[Row]:
    """Everything, with few or many repetitions."""
    few, many = (3, 5) if quick else (7, 25)
    return [*dynamic_rows(few, many), *bayes_rows(few, many), *moment_rows(many)]


if __name__ == "__main__":
    run(__doc__, "extensions", ("nqpf-spatial", "numpy", "scipy", "pandas", "spreg"), measure_all, report)
