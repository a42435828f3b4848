"""Gaps between pairs of provinces: MRQAP on the series of a specification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.parts import LeftOut, Number
from nqpf_spatial.claims.evaluate.series import column
from nqpf_spatial.claims.evaluate.specification import Specification, patched
from nqpf_spatial.claims.rules import mech

if TYPE_CHECKING:
    import pandas as pd

#: rearrangements of the provinces; the register fixes none
PERMUTATIONS = 4999


def shares_behind(ctx: Context, index: str) -> tuple[str, ...]:
    """Sectors behind one of the register's specialisation indices: shares, or value added to be divided by GDP."""
    inputs = next(d["inputs"] for d in ctx.register.derived_variables if d["name"] == index)
    return tuple(str(i) for i in inputs)


def matrices(ctx: Context, spec: Specification, name: str) -> Any:
    """Pairwise gaps in a series, by year; of a specialisation index minus the distance behind it (similarity)."""
    import pandas as pd

    from nqpf_spatial.models import pairwise_gaps

    panel = patched(ctx, spec.patches)
    if name.startswith("krugman"):
        inputs = shares_behind(ctx, name)
        sectors = [i for i in inputs if i != "gdp"]
        values = pd.DataFrame({s: panel[s] / panel["gdp"] if "gdp" in inputs else panel[s] for s in sectors})
    else:
        values = column(panel, name, dict(spec.regroup)).to_frame(name)
    gaps = pairwise_gaps(_rows(values, spec))
    sign = -1.0 if name.startswith("krugman") else 1.0
    return {year: sign * m for year, m in gaps.items()}


def _rows(values: pd.DataFrame, spec: Specification) -> pd.DataFrame:
    province, year = (values.index.get_level_values(level) for level in ("province", "year"))
    return values.loc[year.isin(spec.years) & ~province.isin(spec.drop)]


def gap_number(ctx: Context, spec: Specification, position: int) -> Number:
    """Coefficient of the gap in one series of the focus, with its permutation p.

    Parameters
    ----------
    ctx : Context
    spec : Specification
        ``effects`` names the effects of :func:`nqpf_spatial.models.mrqap`.
    position : int
        In the focus.

    Returns
    -------
    Number
        ``se`` is the standard deviation of the coefficient over the rearrangements: its spread where there is no relation.
    """
    if not spec.focus[position]:
        raise LeftOut("")
    return ctx.once(("dyads", spec, position), lambda: _gap_number(ctx, spec, position))


def _gap_number(ctx: Context, spec: Specification, position: int) -> Number:
    from nqpf_spatial.models import mrqap

    regressors = {name: matrices(ctx, spec, name) for name in spec.regressors}
    found = mrqap(
        matrices(ctx, spec, spec.outcome),
        regressors,
        effects=spec.effects,
        tested=[spec.focus[position]],
        permutations=PERMUTATIONS,
        seed=ctx.seed,
    )
    row = found.table.loc[spec.focus[position]]
    alpha = ctx.register.threshold("R-COEF", "alpha")
    return Number(
        estimate=float(row["estimate"]),
        n=found.nobs,
        se=float(row["null_sd"]),
        statistic=float(row["t"]),
        p=float(row["p"]),
        mde=mech.minimum_detectable_effect(float(row["null_sd"]), alpha),
        checks={"r2": found.r2},
    )
