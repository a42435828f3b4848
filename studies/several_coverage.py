"""Bias and coverage with several and changing weights at N = 31: the freed score, several lags, shares and their boundary.

    python studies/several_coverage.py [--replicates 10000] [--seed 20261127] [--date 2026-11-27] [--out studies/results/several_coverage.csv]

Four designs over the 31 provinces, two-way effects correlated with the regressors, W from land borders (queen) and census
migration: (changing) W_t moves from the one to the other, estimated by the freed score and by dummy-variable ML; (frozen) the same
data with the mean W throughout; (lags) a lag by each; (shares) a convex combination with shares inside the simplex, and at its corner. Parameters,
average impacts and shares are counted; shares also by profile likelihood, and the test of a zero share by its size. Coverage is over the replicates
whose standard error exists (shares at a bound have none); ``at_edge`` is the share of estimates at an end of the admissible set, which stay in. The
results are committed; a short version runs in the tests.
"""

from __future__ import annotations

import argparse
import itertools
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationWarning
from nqpf_spatial.kernels.combination import fit_combination
from nqpf_spatial.kernels.several import SeveralML
from nqpf_spatial.models.impacts.marginal import Row
from nqpf_spatial.models.several.bootstrap import Sampler
from nqpf_spatial.models.several.estimate import score_gap
from nqpf_spatial.models.several.impacts import Lifted, stacks
from nqpf_spatial.models.several.results import SeveralFit
from nqpf_spatial.models.simulate import draw_errors

BETA, THETA, FIRST = 1.0, 0.4, 2012
FORMULA = "y ~ x | unit + period"
Z95 = stats.norm.isf(0.025)
COLUMNS = [
    "design",
    "T",
    "rho",
    "errors",
    "correction",
    "parameter",
    "truth",
    "bias",
    "median_bias",
    "sd",
    "mean_se",
    "coverage",
    "at_edge",
]
LAST = ["replicates", "seed", "date"]


def matrices() -> dict[str, nq.weights.SpatialWeights]:
    """Queen and migration weights under the same labels."""
    near = nq.weights.contiguity()
    return {"near": near, "mig": nq.weights.migration("5yr_2010").with_names("en")}


def moving(t: int) -> nq.weights.WeightsSequence:
    """W_t from nearly all borders to nearly all migration."""
    pair = list(matrices().values())
    shares = np.linspace(0.05, 0.95, t)
    return nq.weights.sequence({FIRST + k: nq.weights.combine(pair, [1 - s, s]) for k, s in enumerate(shares)})


def panel(t: int, seed: list[int]) -> pd.DataFrame:
    """Regressor and placeholder outcome; the regressor has unit and time components."""
    rng = np.random.default_rng(seed)
    units = matrices()["near"].ids
    x = rng.standard_normal((t, 31)) + rng.standard_normal(31) + rng.standard_normal((t, 1))
    y = rng.standard_normal((t, 31)) + 2.0 * rng.standard_normal(31) + rng.standard_normal((t, 1)) + x
    index = pd.MultiIndex.from_product([units, range(FIRST, FIRST + t)], names=["unit", "period"])
    return pd.DataFrame({"y": y.T.ravel(), "x": x.T.ravel()}, index=index)


def skeleton(w: Any, t: int, seed: list[int], **options: Any) -> SeveralFit:
    """A fit whose design, weights and effects are used; its estimates are not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentificationWarning)
        return nq.sdm(FORMULA, panel(t, seed), w, **options)


def at_truth(fit: SeveralFit, beta: NDArray, r: NDArray, shares: NDArray | None = None) -> SeveralML:
    """The maximum replaced by true parameters, sigma2 = 1."""
    rho = float(r.sum())
    return replace(fit.several.ml, beta=beta, rho=rho, r=r, shares=shares, sigma2=1.0)


def estimates(fit: SeveralFit, ml: SeveralML) -> SeveralFit:
    """The fit of a replicate as a result, for its covariance and impacts."""
    est = fit.several
    return replace(fit, estimate=replace(est, fit=ml, gap=score_gap(est, ml)))


def replicate(fit: SeveralFit, truth: SeveralML, errors: str, count: int, seed: list[int]) -> list[SeveralML]:
    """Estimates of samples drawn at the truth."""
    sampler, rng = Sampler(fit.several, truth), np.random.default_rng(seed)
    t, n = fit.several.design.shape
    return [sampler.refit(draw_errors(rng, errors, (t, n))) for _ in range(count)]


def count_up(fit: SeveralFit, truth: SeveralML, found: list[SeveralML]) -> list[dict[str, Any]]:
    """One row per parameter and impact."""
    matrices_of = stacks(fit.several)
    true_params, true_impacts = params_of(fit, truth), impacts_at(estimates(fit, truth), matrices_of)[0]
    names = [*fit.params.index, *(f"{effect} x" for effect in ("direct", "indirect", "total"))]
    values, ses = [], []
    for ml in found:
        one = estimates(fit, ml)
        impacts, se = impacts_at(one, matrices_of)
        values.append(np.concatenate([params_of(fit, ml), impacts]))
        ses.append(np.concatenate([one.bse.to_numpy(), se]))
    value, se, true = np.array(values), np.array(ses), np.concatenate([true_params, true_impacts])
    with np.errstate(invalid="ignore"):
        covered = np.abs(value - true) <= Z95 * se
    # a share at its bound has no normal interval
    valid = np.isfinite(se)
    return [
        {
            "parameter": name,
            "truth": true[i],
            "bias": value[:, i].mean() - true[i],
            # impacts have no moments where 1 - iota'r comes near zero: a single replicate can make the mean
            "median_bias": np.median(value[:, i]) - true[i],
            "sd": value[:, i].std(ddof=1),
            "mean_se": se[valid[:, i], i].mean() if valid[:, i].any() else np.nan,
            "coverage": covered[valid[:, i], i].mean() if valid[:, i].any() else np.nan,
            "at_edge": np.mean([ml.boundary for ml in found]),
        }
        for i, name in enumerate(names)
    ]


def params_of(fit: SeveralFit, ml: SeveralML) -> NDArray:
    """In the order of ``fit.params``."""
    return np.concatenate([ml.beta, ml.r if ml.shares is None else np.append(ml.rho, ml.shares)])


def impacts_at(fit: SeveralFit, matrices_of: tuple) -> tuple[NDArray, NDArray]:
    """Direct, indirect, total of x with delta-method standard errors."""
    estimate, se = Lifted.on(fit, *matrices_of).delta([Row("x", ("x",), None)])
    return estimate[0], se[0]


def share_rows(
    fit: SeveralFit, truth: SeveralML, factors: list[NDArray], found: list[SeveralML]
) -> list[dict[str, Any]]:
    """Coverage of the profile intervals of the first share, rejections of its absence, and how often it lies at a bound."""
    assert truth.shares is not None
    data = fit.several.data
    assert data is not None
    share = float(truth.shares[0])
    inside, rejected = [], []
    for factor, ml in zip(factors, found, strict=True):
        own = replace(data, factor=factor)
        ratio = {c: 2 * (ml.llf - fit_combination(own, {0: c}, [(ml.rho, ml.shares)]).llf) for c in {share, 0.0}}
        inside.append(ratio[share] <= stats.chi2.isf(0.05, 1))
        rejected.append(0.5 * stats.chi2.sf(max(ratio[0.0], 0.0), 1) < 0.05)
    at_bound = np.mean([ml.shares[0] in (0.0, 1.0) for ml in found])
    return [
        {"parameter": "share:near, profile", "truth": share, "coverage": np.mean(inside)},
        {"parameter": "share:near = 0, rejected at 5 %", "truth": share, "coverage": np.mean(rejected)},
        {"parameter": "share:near, at a bound", "truth": share, "coverage": at_bound},
    ]


def changing_cells(replicates: int, seed: int, grid: dict[str, tuple]) -> pd.DataFrame:
    """W_t: freed score, dummy-variable ML, and the mean W in place of W_t."""
    parts = []
    for cell, (t, rho, errors) in enumerate(itertools.product(*grid.values())):
        w, key = moving(t), [seed, 1, cell]
        fits = {c: skeleton(w, t, key, correction=c) for c in ("score", "none")}
        for correction, fit in fits.items():
            truth = at_truth(fit, np.array([BETA, THETA]), np.array([rho]))
            rows = count_up(fit, truth, replicate(fit, truth, errors, replicates, [*key, 7]))
            parts.append(
                pd.DataFrame(rows).assign(design="changing", T=t, rho=rho, errors=errors, correction=correction)
            )
    return pd.concat(parts, ignore_index=True)


def frozen_cell(replicates: int, seed: int, t: int, rho: float) -> pd.DataFrame:
    """Data with W_t, estimated with the mean W: what ignoring the change costs."""
    w, key = moving(t), [seed, 1, 99]
    mean = nq.weights.combine(list(matrices().values()), [0.5, 0.5])
    truth_fit = skeleton(w, t, key, correction="score")
    constant = skeleton(nq.weights.sequence(dict.fromkeys(w.years, mean)), t, key)
    truth = at_truth(truth_fit, np.array([BETA, THETA]), np.array([rho]))
    sampler, rng = Sampler(truth_fit.several, truth), np.random.default_rng([*key, 7])
    own = Sampler(constant.several, at_truth(constant, np.array([BETA, THETA]), np.array([rho])))
    found = []
    for _ in range(replicates):
        y = np.einsum("tij,tj->ti", sampler.to_y, sampler.signal + draw_errors(rng, "normal", (t, 31)))
        # the errors under which the constant design has this y
        e = np.linalg.solve(own.to_y, y[..., None])[..., 0] - own.signal
        found.append(own.refit(e))
    rows = count_up(constant, at_truth(constant, np.array([BETA, THETA]), np.array([rho])), found)
    kept = [row for row in rows if row["parameter"] in ("x", "W:x", "rho")]
    return pd.DataFrame(kept).assign(design="frozen", T=t, rho=rho, errors="normal", correction="transform")


def lag_cells(replicates: int, seed: int, t: int, pairs: tuple) -> pd.DataFrame:
    """A lag by each matrix."""
    parts = []
    for cell, (r, errors) in enumerate(itertools.product(pairs, ("normal", "t5"))):
        key = [seed, 2, cell]
        fit = skeleton(matrices(), t, key)
        truth = at_truth(fit, np.array([BETA, THETA, 0.2]), np.array(r))
        rows = count_up(fit, truth, replicate(fit, truth, errors, replicates, [*key, 7]))
        label = {
            "design": f"lags {r[0]:g} {r[1]:g}",
            "T": t,
            "rho": sum(r),
            "errors": errors,
            "correction": "transform",
        }
        parts.append(pd.DataFrame(rows).assign(**label))
    return pd.concat(parts, ignore_index=True)


def share_cells(replicates: int, seed: int, t: int, cases: tuple) -> pd.DataFrame:
    """Shares inside the simplex and at its corner."""
    parts = []
    for cell, (share, rho) in enumerate(cases):
        key = [seed, 3, cell]
        fit = skeleton(matrices(), t, key, combine=True)
        g = np.array([share, 1 - share])
        truth = at_truth(fit, np.array([BETA, THETA]), rho * g, g)
        sampler, rng = Sampler(fit.several, truth), np.random.default_rng([*key, 7])
        factors = [sampler.factor(rng.standard_normal((t, 31))) for _ in range(replicates)]
        assert fit.several.data is not None
        found = [fit_combination(replace(fit.several.data, factor=f)) for f in factors]
        rows = count_up(fit, truth, found) + share_rows(fit, truth, factors, found)
        label = {"design": f"shares {share:g}", "T": t, "rho": rho, "errors": "normal", "correction": "transform"}
        parts.append(pd.DataFrame(rows).assign(**label))
    return pd.concat(parts, ignore_index=True)


GRID = {"T": (5, 13), "rho": (0.3, 0.6), "errors": ("normal",)}


DESIGNS = ("changing", "frozen", "lags", "shares")


def run(replicates: int, seed: int, date: str, designs: tuple[str, ...] = DESIGNS) -> pd.DataFrame:
    """The designs; every cell has its own seed, so that cells can be rerun alone."""
    parts = []
    if "changing" in designs:
        parts.append(changing_cells(replicates, seed, GRID))
    if "frozen" in designs:
        parts.append(frozen_cell(replicates, seed, 13, 0.6))
    if "lags" in designs:
        parts.append(lag_cells(replicates, seed, 13, ((0.3, 0.2), (0.4, -0.2))))
    if "shares" in designs:
        parts.append(share_cells(replicates, seed, 13, ((0.6, 0.5), (0.0, 0.5), (0.6, 0.2))))
    return pd.concat(parts, ignore_index=True)[COLUMNS].assign(replicates=replicates, seed=seed, date=date)[
        [*COLUMNS, *LAST]
    ]


def main() -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--date", default="2026-11-27", help="written into the table")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "several_coverage.csv")
    options = parser.parse_args()
    table = run(options.replicates, options.seed, options.date)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out, index=False, float_format="%.6g")
    print(table.drop(columns=LAST).round(3).to_string())


if __name__ == "__main__":
    main()
