"""Flows between provinces: Poisson pseudo-maximum likelihood with origin and destination effects (WU-4.13)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.parts import Number
from nqpf_spatial.claims.evaluate.regression import student
from nqpf_spatial.claims.evaluate.variants import Untouched, check
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.errors import DataSourceError, IdentificationError, PanelError

if TYPE_CHECKING:
    import pandas as pd

#: years of an interval, and the year before it is one more
_SPAN = 5


@dataclass(frozen=True, slots=True)
class Gravity:
    """A model of flows.

    Attributes
    ----------
    flows : tuple of (matrix, year)
        Migration matrices, each with the year before its interval.
    regressors : tuple of str
        Series whose log gap, destination minus origin, explains them.
    drop : tuple of str
    """

    flows: tuple[tuple[str, int], ...]
    regressors: tuple[str, ...]
    drop: tuple[str, ...] = ()


def stated(claim: Claim) -> Gravity:
    """Flows and years that the hypothesis names: the year before an interval must be one of those it lists."""
    text = str(claim.hypothesis)
    names = re.findall(r"\b5yr_\d{4}\b", text)
    before = {int(y) for y in re.findall(r"\b(\d{4})\b", text)}
    flows = tuple((name, int(name[-4:]) - _SPAN - 1) for name in names)
    if not flows or not {year for _, year in flows} <= before:
        raise DataSourceError(
            f"the hypothesis of claim {claim.id} names no flows with the year before each interval: {text}"
        )
    return Gravity(flows, claim.regressors)


def frame(ctx: Context, spec: Gravity) -> pd.DataFrame:
    """One row per pair and interval: flow, origin, destination, interval, log distance, log gaps.

    Raises
    ------
    PanelError
        Missing or non-positive cells, by name.
    """
    import pandas as pd

    from nqpf_spatial import weights

    km = 1.0 / weights.inverse_distance(transform="none").to_frame().replace(0.0, np.nan)
    out = []
    for name, year in spec.flows:
        table = ctx.flows(name)
        kept = [p for p in table.index if p not in spec.drop]
        rows = (
            table.loc[kept, kept]
            .rename_axis(index="origin", columns="destination")
            .stack()
            .rename("flow")
            .reset_index()
        )
        rows = rows[rows["origin"] != rows["destination"]].assign(interval=name)
        rows["ln_distance"] = np.log([km.at[o, d] for o, d in zip(rows["origin"], rows["destination"], strict=True)])
        for regressor in spec.regressors:
            value = ctx.panel[regressor].xs(year, level="year").loc[kept]
            bad = [f"{p} {year}" for p in kept if not value[p] > 0]
            if bad:
                raise PanelError(f"{regressor} has no positive value: {', '.join(bad)}")
            level = np.log(value)
            rows[regressor] = rows["destination"].map(level) - rows["origin"].map(level)
        out.append(rows)
    return pd.concat(out, ignore_index=True)


def _dummies(rows: pd.DataFrame) -> pd.DataFrame:
    """Origin, destination and interval effects, one of each left out beside the constant."""
    import pandas as pd

    parts = [
        pd.get_dummies(rows[c], prefix=c, drop_first=True, dtype=float) for c in ("origin", "destination", "interval")
    ]
    return pd.concat(parts, axis=1)


def fitted(ctx: Context, spec: Gravity) -> tuple[pd.DataFrame, int]:
    """Elasticities with dyadic standard errors: columns estimate and se, and the number of provinces (once per context).

    Notes
    -----
    The gap of a pair moves with each of its provinces, in all flows that start or end there: errors of any two observations that
    share a province may be dependent (Aronow, Samii and Assenova 2015). Factor G / (G - 1).
    """
    return ctx.once(("gravity", spec), lambda: _fit(ctx, spec))


def _fit(ctx: Context, spec: Gravity) -> tuple[pd.DataFrame, int]:
    import pandas as pd
    import statsmodels.api as sm

    from nqpf_spatial.kernels.dyadic import dyadic_meat

    rows = frame(ctx, spec)
    own = [*spec.regressors, "ln_distance"]
    x = np.column_stack([rows[own].to_numpy(), np.ones(len(rows)), _dummies(rows).to_numpy()])
    fit = sm.GLM(rows["flow"].to_numpy(), x, family=sm.families.Poisson()).fit(maxiter=200, tol=1e-10)
    mu = fit.fittedvalues
    bread = np.linalg.inv(x.T @ (mu[:, None] * x))
    units = sorted(set(rows["origin"]))
    codes = {unit: i for i, unit in enumerate(units)}
    first, second = (rows[c].map(codes).to_numpy() for c in ("origin", "destination"))
    meat = dyadic_meat((rows["flow"].to_numpy() - mu)[:, None] * x, first, second)
    g = len(units)
    variance = np.diag(g / (g - 1.0) * bread @ meat @ bread)[: len(own)]
    if not (variance > 0).all():
        raise IdentificationError("the dyadic covariance has a variance that is not positive")
    table = pd.DataFrame({"estimate": fit.params[: len(own)], "se": np.sqrt(variance)}, index=own)
    return table.assign(
        se_robust=np.sqrt(np.diag(bread @ _robust(x, rows["flow"].to_numpy() - mu) @ bread))[: len(own)]
    ), g


def _robust(x: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Meat for independent observations, for comparison."""
    return (x * (residual**2)[:, None]).T @ x


def elasticity(ctx: Context, spec: Gravity, position: int) -> Number:
    """Elasticity of flows to the gap in one regressor; t with provinces - 1 degrees of freedom."""
    table, g = fitted(ctx, spec)
    row = table.loc[spec.regressors[position]]
    n = len(spec.flows) * g * (g - 1)
    alpha = ctx.register.threshold("R-COEF", "alpha")
    checks = {"se_robust": float(row["se_robust"])}
    return student(float(row["estimate"]), float(row["se"]), g - 1, n, alpha, checks=checks)


def expand(variant: str, spec: Gravity, ctx: Context) -> list[tuple[str, Gravity]]:
    """List the runs of a variant; see :func:`nqpf_spatial.claims.evaluate.variants.expand`."""
    check(variant, ctx)
    if variant == "no_tibet":
        return [("without Tibet", replace(spec, drop=(*spec.drop, "Tibet")))]
    if variant == "alt_health":
        old, new = "beds_per_1000", "doctors_per_1000"
        if old not in spec.regressors:
            raise Untouched(f"the claim has no {old} to replace")
        return [(f"{new} for {old}", replace(spec, regressors=tuple(new if r == old else r for r in spec.regressors)))]
    raise NotInRelease(f"variant {variant} is not written for flows yet")
