"""Bias and coverage of the dynamic two-way SDM at N = 31, near-unit sums included.

    python studies/dynamic_coverage.py [--replicates 1000] [--seed 20261123] [--out studies/results/dynamic_coverage.csv]

For every T and (tau, eta, rho) paths are drawn given one y_0 (25 burn-in periods), re-estimated by the adjusted score ("transform"),
by the one-step analytic correction ("bias") and by dummy-variable QML ("none"), and the nominal 95 % intervals of the parameters,
of tau + rho + eta and of the long-run total effect (delta and Fieller) are counted. "no_maximum" is the share of samples whose
adjusted likelihood has no maximum: there the library raises an error, and they are left out of the other columns.
"near_unit" is the share that `stability` flags.
"""

from __future__ import annotations

import argparse
import itertools
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from formulaic import Formula
from numpy.typing import NDArray

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationWarning
from nqpf_spatial.kernels import dynamic_replicate as rep
from nqpf_spatial.kernels import logdet as ld
from nqpf_spatial.kernels.dynamic import Adjustment
from nqpf_spatial.kernels.dynamic_response import fieller
from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.dynamic.estimate import estimate_dynamic
from nqpf_spatial.models.estimate import Weights
from nqpf_spatial.models.simulate import draw_errors
from nqpf_spatial.models.spec import get_model

BETA, THETA, BURN_IN = 1.0, 0.4, 25
NAMES = ("beta", "theta", "tau", "eta", "rho")
GRID = {
    "T": (8, 13, 20),
    # sums 0.6, 0.9, 0.95, 0.99 and 1
    "phi": ((0.3, 0.0, 0.3), (0.8, -0.2, 0.3), (0.6, 0.1, 0.25), (0.8, -0.3, 0.49), (0.8, -0.1, 0.3)),
    "variant": (("transform", "normal"), ("transform", "t5"), ("bias", "normal"), ("none", "normal")),
}


def one_cell(
    w: nq.weights.SpatialWeights,
    T: int,
    phi: tuple[float, float, float],
    correction: str,
    errors: str,
    replicates: int,
    seed: list[int],
) -> pd.DataFrame:
    """Bias, spread and coverage in one cell of the grid."""
    rng = np.random.default_rng(seed)
    n, dense = w.n, w.dense()
    mu, alpha = rng.standard_normal(n), rng.standard_normal(T + BURN_IN)
    x = rng.standard_normal((T + BURN_IN, n)) + 0.5 * (mu + alpha[:, None])
    z = np.stack([x, spatial_lag(dense, x)])
    signal = BETA * z[0] + THETA * z[1] + mu + alpha[:, None]
    logdet = ld.drop_unit_root(ld.from_eigenvalues(w.eigenvalues(), w.rho_interval()))
    adjustment = Adjustment(logdet.omega, None, T, T - 1)

    def design(first: NDArray, rows: slice) -> rep.DynamicDesign:
        size = (n - 1) * (T - 1)
        return rep.dynamic_design(
            z[:, rows], signal[rows], first, dense, np.array(phi), (True, True), size, adjustment, (0, 1, 2), w.rho_interval()
        )  # fmt: skip

    burn = rep.paths(design(np.zeros(n), slice(0, BURN_IN)), draw_errors(rng, errors, (1, BURN_IN, n)))
    sample = design(burn[0, -1], slice(BURN_IN, None))
    drawn = draw_errors(rng, errors, (replicates, T, n))
    if correction == "transform":
        fits = rep.refit(sample, iter([drawn]), covariance=True)
        keep = fits.converged
        assert fits.covariance is not None
        estimate, covariance = np.column_stack([fits.beta, fits.phi])[keep], fits.covariance[keep][:, :5, :5]
    else:
        estimate, covariance = one_by_one(w, x[BURN_IN:], rep.paths(sample, drawn), correction)
    table = count(estimate, covariance, np.array([BETA, THETA, *phi]))
    table["no_maximum"] = 1.0 - len(estimate) / replicates
    return table


def one_by_one(w: nq.weights.SpatialWeights, x: NDArray, paths: NDArray, correction: str) -> tuple[NDArray, NDArray]:
    """The library's own path from design to estimate, for the corrections without a batched kernel."""
    t, n = x.shape
    full = np.concatenate([np.zeros((1, n)), x])
    frame, weights = pd.DataFrame(index=range(n * (t + 1))), Weights(w, w, None)
    shell = Design(
        paths[0], full[None], ("x",), "y", w.ids, tuple(range(t + 1)), ("unit", "period"), True, True, frame, Formula("y ~ x")
    )  # fmt: skip
    estimates, covariances = [], []
    for y in paths:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IdentificationWarning)
            est = estimate_dynamic(
                Design(**{**shell.__dict__, "y": y}), get_model("SDM"), weights, correction=correction
            )
        estimates.append(np.append(est.fit.beta, est.fit.rho))
        covariances.append(np.linalg.inv(est.fit.information)[:5, :5])
    return np.array(estimates), np.array(covariances)


def count(estimate: NDArray, covariance: NDArray, truth: NDArray) -> pd.DataFrame:
    """Rows: parameters, their sum, and the long-run total by delta and Fieller intervals."""
    pick = np.zeros((2, 5))
    pick[0, :2], pick[1, 2:] = 1.0, -1.0
    top, bottom = estimate[:, :2].sum(axis=1), 1.0 - estimate[:, 2:].sum(axis=1)
    two = pick @ covariance @ pick.T
    rows = []
    se = np.sqrt(np.einsum("rii->ri", covariance))
    for i, name in enumerate(NAMES):
        rows.append(_row(name, estimate[:, i], se[:, i], truth[i]))
    total, sum_se = 1.0 - bottom, np.sqrt(two[:, 1, 1])
    rows.append(_row("tau+rho+eta", total, sum_se, truth[2:].sum()))
    gap = 1.0 - truth[2:].sum()
    if abs(gap) > 1e-9:
        long, target = top / bottom, truth[:2].sum() / gap
        gradient = np.stack([1.0 / bottom, -top / bottom**2], axis=1)
        row = _row("long-run total (delta)", long, np.sqrt(np.einsum("ri,rij,rj->r", gradient, two, gradient)), target)
        # no moments exist near one: medians
        rows.append({**row, "bias": float(np.median(long)) - target, "sd": np.nan, "se": np.nan})
        sets = [fieller(a, b, v, 1.959964) for a, b, v in zip(top, bottom, two, strict=True)]
        covered = [
            shape == "line" or ((low <= target <= high) if shape == "interval" else (target <= low or target >= high))
            for low, high, shape in sets
        ]
        bounded = np.mean([shape == "interval" for *_, shape in sets])
        rows.append(
            {
                "parameter": "long-run total (Fieller)",
                "true": target,
                "coverage": np.mean(covered),
                "bounded": bounded,
            }
        )
    table = pd.DataFrame(rows)
    table["near_unit"] = float(np.mean(total + 1.959964 * sum_se >= 1.0))
    return table


def _row(name: str, values: NDArray, se: NDArray, truth: float) -> dict[str, float | str]:
    covered = np.abs(values - truth) <= 1.959964 * se
    return {
        "parameter": name,
        "true": float(truth),
        "bias": float(values.mean() - truth),
        "sd": float(values.std(ddof=1)),
        "se": float(se.mean()),
        "coverage": float(covered.mean()),
    }


def run(replicates: int, seed: int, grid: dict | None = None) -> pd.DataFrame:
    """All cells of the grid."""
    grid = GRID if grid is None else grid
    w = nq.weights.contiguity()
    parts = []
    for number, (T, phi) in enumerate(itertools.product(grid["T"], grid["phi"])):
        for correction, errors in grid["variant"]:
            # the same seed for every variant of a cell: they are compared on the same paths
            table = one_cell(w, T, phi, correction, errors, replicates, [seed, number])
            keys = {"T": T, "tau": phi[0], "eta": phi[1], "rho": phi[2], "correction": correction, "errors": errors}
            parts.append(pd.DataFrame({**{k: [v] * len(table) for k, v in keys.items()}, **table.to_dict("list")}))
    return pd.concat(parts, ignore_index=True).assign(replicates=replicates, seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "dynamic_coverage.csv")
    options = parser.parse_args()
    run(options.replicates, options.seed).round(5).to_csv(options.out, index=False)


if __name__ == "__main__":
    main()
