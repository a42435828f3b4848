"""What the robust covariances cover at N = 31, T = 13, under the departures they are made for and under others.

    python studies/robust_coverage.py [--replicates 2000] [--seed 20261123]

Every panel is fitted by ``nq.sdm`` (two-way, Lee-Yu); nominal 95 % intervals of rho, beta and theta are counted for each
covariance, and percentile intervals of the wild cluster bootstrap beside them.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import nqpf_spatial as nq
from nqpf_spatial.errors import FewClustersWarning

T, RHO, BETA, THETA = 13, 0.4, np.array([1.0, 0.5]), np.array([0.5, 0.2])
COVARIANCES = ("observed", "sandwich", "cluster", "driscoll-kraay")
DEPARTURES = ("normal", "t5", "chi2", "serial", "unit_variances", "variance_in_x", "common_shocks")


def errors(kind: str, x: NDArray, variances: NDArray, rng: np.random.Generator) -> NDArray:
    """(T, N) errors with about unit variance under one departure."""
    shape = x.shape[1:]
    if kind in ("normal", "t5", "chi2"):
        from nqpf_spatial.models.simulate import draw_errors

        return draw_errors(rng, kind, shape)
    if kind == "serial":  # AR(1) within units, coefficient 0.7
        e = rng.standard_normal(shape)
        for t in range(1, shape[0]):
            e[t] = 0.7 * e[t - 1] + np.sqrt(1 - 0.49) * e[t]
        return e
    if kind == "unit_variances":
        return variances * rng.standard_normal(shape)
    if kind == "variance_in_x":
        size = 0.4 + np.abs(x[0] - x[0].mean(axis=0))
        return size / np.sqrt((size**2).mean()) * rng.standard_normal(shape)
    loadings = variances / np.sqrt((variances**2).mean())
    return np.sqrt(0.5) * (rng.standard_normal((shape[0], 1)) * loadings + rng.standard_normal(shape))


def run(replicates: int, seed: int) -> pd.DataFrame:
    """Coverage by departure, covariance and parameter."""
    w = nq.weights.contiguity()
    fixed = np.random.default_rng([seed, 0])
    x = fixed.standard_normal((2, T, w.n)) + 0.6 * np.cumsum(fixed.standard_normal((2, T, w.n)), axis=1)
    variances = np.exp(0.6 * fixed.standard_normal(w.n))
    dense = w.dense()
    signal = np.tensordot(BETA, x, axes=1) + np.tensordot(THETA, x @ dense.T, axes=1)
    multiplier = np.linalg.inv(np.eye(w.n) - RHO * dense)
    index = pd.MultiIndex.from_product([w.ids, range(T)], names=["unit", "period"])
    truth = np.concatenate([BETA, THETA, [RHO]])
    rows = []
    for number, kind in enumerate(DEPARTURES, start=1):
        rng = np.random.default_rng([seed, number])
        hits: dict[str, list[NDArray]] = {}
        for _ in range(replicates):
            y = (signal + errors(kind, x, variances, rng)) @ multiplier.T
            data = pd.DataFrame({"y": y.T.ravel(), "a": x[0].T.ravel(), "b": x[1].T.ravel()}, index=index)
            fit = nq.sdm("y ~ a + b | unit + period", data, w)
            for vcov in COVARIANCES:
                other = fit.with_vcov(vcov)
                hits.setdefault(vcov, []).append(
                    np.abs(other.params.to_numpy() - truth) <= 1.959964 * other.bse.to_numpy()
                )
            interval = fit.bootstrap("wild-cluster", 399, seed=1).conf_int().to_numpy()
            hits.setdefault("wild-cluster bootstrap", []).append((interval[:, 0] <= truth) & (truth <= interval[:, 1]))
        for vcov, covered in hits.items():
            share = np.mean(covered, axis=0)
            rows += [(kind, vcov, name, value) for name, value in zip(fit.params.index, share, strict=True)]
    table = pd.DataFrame(rows, columns=["departure", "covariance", "parameter", "coverage"])
    return table.assign(replicates=replicates, seed=seed)


def main() -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "robust_coverage.csv")
    options = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewClustersWarning)  # that they are few is what is studied
        table = run(options.replicates, options.seed)
    table.to_csv(options.out, index=False, float_format="%.6g")
    print(
        table.pivot_table(index=["departure", "covariance"], columns="parameter", values="coverage")
        .round(3)
        .to_string()
    )


if __name__ == "__main__":
    main()
