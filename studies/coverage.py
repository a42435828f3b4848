"""Bias and coverage of the two-way SDM at N = 31: what the default promises, measured.

    python studies/coverage.py [--replicates 10000] [--seed 20261123] [--out studies/results/coverage.csv]

For every cell of the grid T x rho x errors x W x correction, panels are drawn with fixed regressors, refitted with
the library's own kernel, and the nominal 95 % intervals of rho, beta, theta and the three impacts are counted.
The refitting kernel equals ``nq.fit`` to 1e-9 (tests/models). The results are committed; a short version of this
study runs in the tests.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import nqpf_spatial as nq
from nqpf_spatial.kernels import impacts as imp
from nqpf_spatial.kernels import logdet as ld
from nqpf_spatial.kernels import replicate as rep
from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.models.simulate import draw_errors

BETA, THETA = np.array([1.0, -0.5]), np.array([0.4, 0.3])
GRID = {
    "T": (4, 8, 13, 20),
    "rho": (0.0, 0.3, 0.6),
    "errors": ("normal", "t5"),
    "w": ("queen", "inverse_distance"),
    "correction": ("transform", "none"),
}


def one_cell(
    w: nq.weights.SpatialWeights, T: int, rho: float, errors: str, correction: str, replicates: int, seed: list[int]
) -> pd.DataFrame:
    """Bias, spread and coverage of every parameter and impact in one cell of the grid."""
    rng = np.random.default_rng(seed)
    n = w.n
    x = (
        rng.standard_normal((BETA.size, T, n))
        + rng.standard_normal((BETA.size, 1, n))
        + rng.standard_normal((BETA.size, T, 1))
    )
    z = np.concatenate([x, np.stack([spatial_lag(w.dense(), part) for part in x])])
    logdet, obs, periods = ld.from_eigenvalues(w.eigenvalues(), w.rho_interval()), n * T, T
    if correction == "transform":
        logdet, obs, periods = ld.drop_unit_root(logdet), (n - 1) * (T - 1), T - 1
    signal = np.tensordot(np.concatenate([BETA, THETA]), z, axes=1)
    design = rep.lag_design(z, signal, w.dense(), rho, (True, True), obs, periods, logdet)
    fits = rep.refit_stream(design, (draw_errors(rng, errors, (size, T, n)) for size in block_sizes(replicates)))
    covariance = rep.covariances(design, fits)
    k = BETA.size
    position = np.column_stack([np.arange(k), np.arange(k, 2 * k), np.full(k, 2 * k)])
    coefficients = np.stack([fits.beta[:, :k], fits.beta[:, k:]], axis=-1)
    mult = imp.multiplier_from_eigenvalues(fits.rho, w.eigenvalues())
    estimates = imp.impacts(coefficients, mult)
    variances = imp.delta_variances(coefficients, mult, covariance, position)
    truth = imp.impacts(
        np.stack([BETA, THETA], axis=-1)[None], imp.multiplier_from_eigenvalues(np.array([rho]), w.eigenvalues())
    )[0]
    se = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    rows = [summarise("rho", fits.rho, se[:, 2 * k], rho)]
    for j in range(k):
        rows.append(summarise(f"beta{j + 1}", fits.beta[:, j], se[:, j], BETA[j]))
        rows.append(summarise(f"theta{j + 1}", fits.beta[:, k + j], se[:, k + j], THETA[j]))
        rows += [
            summarise(f"{name}{j + 1}", estimates[:, j, e], np.sqrt(variances[:, j, e]), truth[j, e])
            for e, name in enumerate(("direct", "indirect", "total"))
        ]
    return pd.DataFrame(rows)


def block_sizes(replicates: int, size: int = 1000) -> list[int]:
    """Block sizes that add up to the replicates."""
    return [size] * (replicates // size) + ([replicates % size] if replicates % size else [])


def summarise(name: str, estimate: NDArray, se: NDArray, truth: float) -> dict[str, float | str]:
    """One row: truth, bias, standard deviation, mean standard error, coverage of the 95 % interval."""
    covered = np.abs(estimate - truth) <= 1.959963984540054 * se
    return {
        "parameter": name,
        "truth": truth,
        "bias": float(estimate.mean() - truth),
        "sd": float(estimate.std(ddof=1)),
        "mean_se": float(se.mean()),
        "coverage": float(covered.mean()),
    }


def run(replicates: int, seed: int, grid: dict[str, tuple] = GRID) -> pd.DataFrame:
    """The whole grid; every cell has its own seed, so that cells can be rerun alone."""
    weights = {"queen": nq.weights.contiguity(), "inverse_distance": nq.weights.inverse_distance()}
    parts = []
    for cell, values in enumerate(itertools.product(*grid.values())):
        setting = dict(zip(grid, values, strict=True))
        w = weights[setting["w"]]
        # the two corrections see the same data: the seed leaves the last dimension out
        data_seed = [seed, cell // len(grid["correction"])]
        table = one_cell(
            w, setting["T"], setting["rho"], setting["errors"], setting["correction"], replicates, data_seed
        )
        parts.append(table.assign(**setting, replicates=replicates, seed=seed))
    columns = [*grid, "parameter", "truth", "bias", "sd", "mean_se", "coverage", "replicates", "seed"]
    return pd.concat(parts, ignore_index=True)[columns]


def main() -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "coverage.csv")
    options = parser.parse_args()
    table = run(options.replicates, options.seed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out, index=False, float_format="%.6g")
    shown = table[table.parameter.isin(["rho", "beta1", "theta1", "direct1", "indirect1", "total1"])]
    print(shown.pivot_table(index=list(GRID), columns="parameter", values="coverage").round(3).to_string())


if __name__ == "__main__":
    main()
