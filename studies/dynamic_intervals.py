"""Intervals of the long-run total of a dynamic two-way SDM at N = 31: delta method, Fieller, recursive bootstrap; and of a finite horizon.

    python studies/dynamic_intervals.py [--samples 200] [--draws 399] [--seed 20261123] [--out studies/results/dynamic_intervals.csv]

Data sets that give no maximum, or an estimate that is not stable and so has no long run, are counted and left out of the coverage of
delta method and bootstrap; Fieller's set exists for all.
"""

from __future__ import annotations

import argparse
import itertools
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import nqpf_spatial as nq
from nqpf_spatial.errors import ConvergenceError, IdentificationWarning

PHI = ((0.3, 0.0, 0.3), (0.8, -0.2, 0.3), (0.6, 0.1, 0.25), (0.8, -0.3, 0.49))
PERIODS = (8, 13, 20)
BETA, THETA = 1.0, 0.5
HORIZON = 10
FORMULA = "y ~ x | unit + period"


def true_totals(phi: tuple[float, float, float]) -> tuple[float, float]:
    """Long run, and what a permanent change has done after `HORIZON` periods; W has rows that sum to one."""
    tau, eta, rho = phi
    root, first = (tau + eta) / (1.0 - rho), (BETA + THETA) / (1.0 - rho)
    return (BETA + THETA) / (1.0 - tau - eta - rho), first * sum(root**h for h in range(HORIZON + 1))


def one_sample(
    w: nq.weights.SpatialWeights, T: int, phi: tuple[float, float, float], draws: int, seed: int
) -> dict[str, float]:
    """Whether each interval covers; NaN where it does not exist."""
    tau, eta, rho = phi
    params = {"x": BETA, "W:x": THETA, "L:y": tau, "L:W:y": eta, "rho": rho}
    data = nq.simulate("SDM", w, T=T + 1, params=params, seed=seed)
    long, finite = true_totals(phi)
    found = dict.fromkeys(("delta", "fieller", "bootstrap", "finite_delta", "finite_bootstrap", "lost"), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentificationWarning)
        try:
            fit = nq.sdm(FORMULA, data, w, dynamic="both")
        except ConvergenceError:
            return {**found, "maximum": 0.0, "stable": np.nan}
    stable = fit.stability().stable
    sets = fit.impacts("fieller", horizon="long").sets.loc["x"]
    inside = sets["lower"] <= long <= sets["upper"]
    found["fieller"] = float({"interval": inside, "complement": not inside, "line": True}[sets["shape"]])
    refits = fit.impacts("bootstrap", draws=draws, seed=seed)
    found["lost"] = refits.outside
    found["finite_delta"] = _covers(fit.impacts(horizon=HORIZON, cumulative=True).table, finite)
    found["finite_bootstrap"] = _covers(refits.at(HORIZON, cumulative=True).table, finite)
    if stable:
        found["delta"] = _covers(fit.impacts(horizon="long").table, long)
        found["bootstrap"] = _covers(refits.long.table, long)
    return {**found, "maximum": 1.0, "stable": float(stable)}


def _covers(table: pd.DataFrame, truth: float) -> float:
    return float(table.loc["x", ("total", "lower")] <= truth <= table.loc["x", ("total", "upper")])


def run(samples: int, draws: int, seed: int, periods: tuple[int, ...] = PERIODS, phis: tuple = PHI) -> pd.DataFrame:
    """Shares per cell."""
    w = nq.weights.contiguity()
    rows = []
    for number, (T, phi) in enumerate(itertools.product(periods, phis)):
        each = pd.DataFrame([one_sample(w, T, phi, draws, seed + 10_000 * number + s) for s in range(samples)])
        rows.append({"T": T, "tau": phi[0], "eta": phi[1], "rho": phi[2], **each.mean()})
    return pd.DataFrame(rows).assign(samples=samples, draws=draws, seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--draws", type=int, default=399)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "dynamic_intervals.csv")
    options = parser.parse_args()
    table = run(options.samples, options.draws, options.seed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out, index=False, float_format="%.6g", lineterminator="\n")
    print(table.to_string(float_format=lambda v: f"{v:.3f}"))


if __name__ == "__main__":
    main()
