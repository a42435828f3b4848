"""Bias and coverage of the two-way SDM at N = 31 where 5 to 15 % of the outcomes are missing.

    python studies/missing_cells.py [--replicates 4000] [--slow 150] [--seed 20261123] [--out studies/results/missing_cells.csv]

Outcomes are drawn from one of two truths: every period has the network of the units observed in it ("subnetwork"), or the network
is whole and some of its outcomes were not recorded ("whole"). Which cells are missing is drawn once per cell of the grid, completely
at random. Each truth is estimated by ``missing="subnetwork"`` (W cut by subset="keep" or "restandardise"; adjusted score or dummy-variable ML)
and, the whole network, by ``missing="marginalise"``. Nominal 95 % intervals are counted. The regressors are fixed; sub-networks are refitted by the library's kernel, which equals
``nq.fit`` (tests/models); marginalised fits go through ``nq.fit`` one by one, with fewer replicates (--slow).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import nqpf_spatial as nq
from nqpf_spatial.kernels.unbalanced import multiply, refit
from nqpf_spatial.models.missing.inference import excess
from nqpf_spatial.models.missing.networks import Networks

BETA, THETA, RHO, T = 1.0, 0.4, 0.4, 13
SHARES = (0.05, 0.10, 0.15)
TRUTHS = ("subnetwork keep", "subnetwork restandardise", "whole")
ESTIMATORS = (
    ("subnetwork", "keep", "score"),
    ("subnetwork", "keep", "none"),
    ("subnetwork", "restandardise", "score"),
    ("subnetwork", "restandardise", "none"),
    ("marginalise", None, "score"),
)


def frame(
    w: nq.weights.SpatialWeights, share: float, rng: np.random.Generator
) -> tuple[pd.DataFrame, NDArray, NDArray]:
    """A panel with holes in y, the regressor (T, N) and the effects (T, N)."""
    n = w.n
    mu, alpha = rng.standard_normal(n), rng.standard_normal(T)
    x = rng.standard_normal((T, n)) + 0.5 * (mu + alpha[:, None])
    seen = rng.random((T, n)) >= share
    index = pd.MultiIndex.from_product([w.ids, range(1, T + 1)], names=["unit", "period"])
    # any outcome will do for the design: the holes and the regressors are what it is about
    y = np.where(seen, rng.standard_normal((T, n)), np.nan)
    return pd.DataFrame({"y": y.T.ravel(), "x": x.T.ravel()}, index=index), x, mu + alpha[:, None]


def outcomes(
    truth: str, networks: Networks, w: NDArray, x: NDArray, effects: NDArray, rng: np.random.Generator, replicates: int
) -> NDArray:
    """(R, n) observed outcomes under a truth."""
    seen = networks.observed
    e = rng.standard_normal((replicates, *x.shape))
    if truth == "whole":
        s = np.linalg.inv(np.eye(w.shape[0]) - RHO * w)
        return ((BETA * x + THETA * x @ w.T + effects + e) @ s.T)[:, seen]
    matrices, cells = networks.matrices("lag"), networks.cells
    signal = BETA * x[seen] + THETA * multiply(matrices, cells, x[seen]) + effects[seen] + e[:, seen]
    out = np.empty_like(signal)
    for m, at in zip(matrices, cells, strict=True):
        out[:, at] = np.linalg.solve(np.eye(m.shape[0]) - RHO * m, signal[:, at].T).T
    return out


def subnetworks(fit: nq.models.SpatialFit, y: NDArray) -> tuple[NDArray, NDArray]:
    """Estimates (R, 3) and standard errors of (beta, theta, rho) for outcomes (R, n)."""
    est = fit.estimate
    networks, logdet = est.networks, est.likelihood.rho
    z = est.columns.z[:, networks.observed]
    found = refit(
        z, y, multiply(networks.matrices("lag"), networks.cells, y), networks.removed, est.likelihood.n, logdet
    )
    within = networks.removed.remove(z)
    first, second = logdet.derivatives(found.rho)
    information = np.empty((len(y), 3, 3))
    information[:, :2, :2] = within @ within.T / found.sigma2[:, None, None]
    information[:, :2, 2] = information[:, 2, :2] = found.wy_cross[:, :2]
    # e'Wy / s2 = -first at the estimate; concentrating sigma2 out takes 2 (e'Wy)^2 / n
    information[:, 2, 2] = found.wy_cross[:, 2] - second - 2.0 * first**2 / est.likelihood.n
    bread = np.linalg.inv(information)
    # hardly differs between replicates: that of the fit stands for all
    covariance = bread + excess(est) * bread[:, :, 2:] @ bread[:, 2:, :]
    return np.column_stack([found.beta, found.rho]), np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))


def marginalised(
    data: pd.DataFrame, seen: NDArray, y: NDArray, w: nq.weights.SpatialWeights, correction: str
) -> tuple[NDArray, NDArray]:
    """The same through ``nq.fit``, one by one."""
    estimates, errors = [], []
    for values in y:
        grid = np.full(seen.shape, np.nan)
        grid[seen] = values
        fit = nq.sdm(
            "y ~ x | unit + period", data.assign(y=grid.T.ravel()), w, missing="marginalise", correction=correction
        )
        estimates.append(fit.params.to_numpy())
        errors.append(fit.bse.to_numpy())
    return np.array(estimates), np.array(errors)


def run(replicates: int, slow: int, seed: int, shares: tuple[float, ...] = SHARES) -> pd.DataFrame:
    """The whole grid."""
    w, rows = nq.weights.contiguity(), []
    for number, share in enumerate(shares):
        data, x, effects = frame(w, share, np.random.default_rng([seed, number]))
        fits = {
            (subset, correction): nq.sdm(
                "y ~ x | unit + period", data, w, missing=missing, subset=subset, islands="keep", correction=correction
            )
            for missing, subset, correction in ESTIMATORS
            if missing == "subnetwork"
        }
        for truth in TRUTHS:
            cut = "restandardise" if truth.endswith("restandardise") else "keep"
            networks = fits[cut, "score"].estimate.networks
            draws = np.random.default_rng([seed, number, TRUTHS.index(truth)])
            y = outcomes(truth, networks, w.dense(), x, effects, draws, replicates)
            for missing, subset, correction in ESTIMATORS:
                if truth != "whole" and subset != cut:
                    continue  # the truth has one network, and no other
                if missing == "subnetwork":
                    count, found = replicates, subnetworks(fits[subset, correction], y)
                elif slow and truth == "whole":
                    count, found = slow, marginalised(data, networks.observed, y[:slow], w, correction)
                else:
                    continue
                rows += summarise(
                    {
                        "truth": truth,
                        "share": share,
                        "missing": missing,
                        "subset": subset or "",
                        "correction": correction,
                    },
                    *found,
                    {"replicates": count, "seed": seed},
                )
    return pd.DataFrame(rows)


def summarise(where: dict, estimates: NDArray, errors: NDArray, how: dict) -> list[dict]:
    """One row per parameter: bias, standard deviation, mean standard error, coverage."""
    rows = []
    for j, (name, truth) in enumerate((("beta", BETA), ("theta", THETA), ("rho", RHO))):
        inside = np.abs(estimates[:, j] - truth) <= 1.959963984540054 * errors[:, j]
        numbers = {
            "parameter": name,
            "bias": float(estimates[:, j].mean() - truth),
            "sd": float(estimates[:, j].std(ddof=1)),
            "mean_se": float(errors[:, j].mean()),
            "coverage": float(inside.mean()),
        }
        rows.append({**where, **numbers, **how})
    return rows


def main() -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=4000)
    parser.add_argument("--slow", type=int, default=150)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "missing_cells.csv")
    options = parser.parse_args()
    table = run(options.replicates, options.slow, options.seed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out, index=False, float_format="%.6g")
    print(table[table.parameter == "rho"].drop(columns=["seed"]).to_string(index=False))


if __name__ == "__main__":
    main()
