"""WU-M16 (R-OWN): do slopes differ across blocks?

Readings fixed before any verdict was computed:

* Every block gets its own slope of the two regressors of the hypothesis; controls and spatial lags keep one. The test
  permutes the blocks over the provinces (rho as in the model without interactions); a Wald test with clustered
  covariance stands beside. Slopes are the coefficients, not the effects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.own.engine import Adjust, Criterion, Measured, noted, permutations, reading, word
from nqpf_spatial.claims.evaluate.own.models import ModelSetting, of_mech, start, unique
from nqpf_spatial.claims.evaluate.own.prose import number
from nqpf_spatial.claims.evaluate.own.settings import Setting, groups
from nqpf_spatial.claims.evaluate.specification import Specification, data_of, matrix_of
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import own_groups as rules
from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.claims.rules.mech import minimum_detectable_effect
from nqpf_spatial.kernels.slopes import slope_test

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.models.results import SpatialFit


def slope_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of WU-M16."""
    return {
        "alpha": number(claim.support_if, r"at (\d+)%") / 100.0,
        "within_pct": number(claim.contradict_if, r"within \+-(\d+)%"),
    }


def _by_block(frame: pd.DataFrame, names: tuple[str, ...], block: pd.Series) -> tuple[pd.DataFrame, list[str]]:
    """Columns that hold a regressor in one block and zero elsewhere."""
    label = block.reindex(frame.index.get_level_values("province")).to_numpy()
    made = {f"{x}_{b}": frame[x].where(label == b, 0.0) for x in names for b in block.unique()}
    return frame.assign(**made), list(made)


def _fits(ctx: Context, spec: Specification) -> tuple[SpatialFit, SpatialFit, pd.Series]:
    """The model with one slope for all, the one with a slope for every block, and the block of every unit of W."""
    import nqpf_spatial as nq

    focus, controls = spec.regressors[:2], spec.regressors[2:]
    w, data = matrix_of(ctx, spec), data_of(ctx, spec)
    assert w is not None
    pooled = nq.fit(spec.formula, data, w, model="SDM", correction=spec.correction)
    block = groups("block", Setting(drop=spec.drop)).reindex(list(w.ids))
    frame, made = _by_block(data, focus, block)
    formula = f"{spec.outcome} ~ {' + '.join([*made, *controls])} | province + year"
    split = nq.fit(formula, frame, w, model="SDM", durbin=[*spec.regressors], correction=spec.correction)
    return pooled, split, block


def slopes(claim: Claim, ctx: Context, setting: ModelSetting) -> Measured:
    """Slopes by block and the permutation test that they are the same."""
    import pandas as pd

    spec = setting.spec
    focus = spec.regressors[:2]
    notes: list[str] = []
    with noted(notes):
        pooled, split, block = _fits(ctx, spec)
        blocks = list(block.unique())
        covariance = split.with_vcov("cluster").cov_params()
    test = _permuted(pooled, focus, block, ctx)
    rows = [
        rules.Slopes(x, float(pooled.params[x]), {b: float(split.params[f"{x}_{b}"]) for b in blocks}) for x in focus
    ]
    wald = _wald(split.params, covariance, [[f"{x}_{b}" for b in blocks] for x in focus])
    errors = {x: _difference_errors(covariance, x, blocks) for x in focus}
    table = pd.DataFrame({s.regressor: {"pooled": s.pooled, **s.by_group} for s in rows}).T.rename_axis("regressor")
    n, provinces = int(pooled.nobs), len(block)
    sample = {"formula": spec.formula, "years": f"{spec.years[0]}-{spec.years[-1]}", "provinces": provinces, "n": n}
    return Measured(
        (test, rows, wald, errors), max(s.farthest_pct() for s in rows), n, sample, p=test.pvalue,
        tables={"slopes": table}, weights={pooled.w.name: pooled.w.checksum} if pooled.w else {}, notes=unique(notes),
    )  # fmt: skip


def _permuted(pooled: SpatialFit, focus: tuple[str, ...], block: pd.Series, ctx: Context) -> Any:
    """Permutation test of the interactions, at the rho of the model without them."""
    est = pooled.estimate
    names = list(est.columns.names)
    units = [str(u) for u in est.design.units]
    codes = block.reindex(units).astype("category").cat.codes.to_numpy(dtype=np.intp)
    assert pooled.w is not None and pooled.rho is not None
    lagged = est.design.y @ pooled.w.dense().T
    x = est.columns.z[[names.index(name) for name in focus]]
    return slope_test(est.design.y - pooled.rho * lagged, est.columns.z, x, codes, permutations(ctx), ctx.seed)


def _wald(params: pd.Series, covariance: pd.DataFrame, members: list[list[str]]) -> tuple[float, int, float]:
    """Statistic, degrees of freedom and p-value of equal slopes: every block against the first, regressor by regressor."""
    from scipy.stats import chi2

    order = list(params.index)
    r = np.zeros((sum(len(names) - 1 for names in members), len(order)))
    pairs = [(names[0], other) for names in members for other in names[1:]]
    for k, (first, other) in enumerate(pairs):
        r[k, order.index(other)], r[k, order.index(first)] = 1.0, -1.0
    gap = r @ params.to_numpy()
    statistic = float(gap @ np.linalg.solve(r @ covariance.to_numpy() @ r.T, gap))
    return statistic, len(r), float(chi2.sf(statistic, len(r)))


def _difference_errors(covariance: pd.DataFrame, x: str, blocks: list[str]) -> dict[str, float]:
    """Clustered standard error of the slope of a block less the mean slope of the others."""
    names = [f"{x}_{b}" for b in blocks]
    part = covariance.loc[names, names].to_numpy()
    out = {}
    for k, b in enumerate(blocks):
        row = np.full(len(blocks), -1.0 / (len(blocks) - 1))
        row[k] = 1.0
        out[b] = float(np.sqrt(row @ part @ row))
    return out


def slope_rule(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> Outcome:
    """The criterion with the corrected p-value and the largest detectable difference of a block."""
    test, rows, _, errors = found.numbers
    outcome = rules.homogeneity(test.pvalue, adjust(test.pvalue), rows, limits)
    widest = max(e for by in errors.values() for e in by.values())
    return replace(outcome, mde=minimum_detectable_effect(widest, limits["alpha"]))


def slope_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """The joint test, then every block's slope against the mean of the others."""
    test, rows, (statistic, df, p), errors = found.numbers
    p_holm = adjust(test.pvalue)
    out = [
        Evidence(
            "F of different slopes across blocks, permutation of the blocks",
            test.statistic,
            statistic=test.statistic,
            df=float(test.df),
            p=test.pvalue,
            p_holm=p_holm,
            reading=word(p_holm < limits["alpha"]),
            checks={"p_F": test.f_pvalue, "wald_cluster": statistic, "wald_df": float(df), "p_wald_cluster": p},
        )
    ]
    for s in rows:
        out.append(Evidence(f"pooled slope of {s.regressor}", s.pooled, counted=False))
        for b, slope in s.by_group.items():
            others = [v for k, v in s.by_group.items() if k != b]
            gap, se = slope - float(np.mean(others)), errors[s.regressor][b]
            detectable = minimum_detectable_effect(se, limits["alpha"])
            what = f"slope of {s.regressor} in {b} less the mean of the other blocks"
            out.append(Evidence(what, gap, se, mde=detectable, counted=False, checks={"slope": slope}))
        close = s.farthest_pct() <= limits["within_pct"]
        what = f"farthest block from the pooled slope of {s.regressor}, percent"
        out.append(Evidence(what, s.farthest_pct(), reading=word(False, close and test.pvalue >= limits["alpha"])))
    return out


SLOPES = Criterion(
    limits=slope_limits,
    measure=slopes,
    rule=slope_rule,
    evidence=slope_evidence,
    variants={v: of_mech(v) for v in ("no_tibet", "alt_digital", "alt_innovation")},
    mde_note="difference of one block from the mean of the others: (z[1 - alpha/2] + z[0.8]) * clustered standard error; the largest is quoted",
    p_value=lambda found: float(found.numbers[0].pvalue),
    start=start,
)

#: claims decided here
READINGS: Mapping[str, ClaimReading] = {"WU-M16": reading(SLOPES)}
