"""Does a gap close? R-TREND on the dispersion of a series, as a part of a criterion."""

from __future__ import annotations

import numpy as np

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.parts import LeftOut, Number
from nqpf_spatial.claims.evaluate.series import column
from nqpf_spatial.claims.evaluate.specification import Specification, patched

#: parameters of R-TREND that its measures take
_TAKEN = ("alpha", "diverging_change_pct_ge", "converging_change_pct_le", "min_years")


def converging(ctx: Context, spec: Specification) -> Number:
    """Median change of the dispersion measures, with the p-value at which their joint label turns to CONVERGING.

    Parameters
    ----------
    ctx : Context
    spec : Specification
        Its outcome is the series.

    Returns
    -------
    Number
        ``p`` is the k-th smallest p of the measures whose change reaches the threshold (k must agree), 1 where fewer than k do:
        the label is CONVERGING at a level exactly where p is below it.

    Raises
    ------
    LeftOut
        If there are fewer years than the rule needs: such series never decide.
    """
    from nqpf_spatial import divergence

    rule = ctx.register.rules["R-TREND"].parameters
    if len(spec.years) < rule["min_years"]:
        raise LeftOut("")
    series = column(patched(ctx, spec.patches), spec.outcome)
    province, year = (series.index.get_level_values(level) for level in ("province", "year"))
    rows = series[year.isin(spec.years) & ~province.isin(spec.drop)].rename(spec.outcome)
    need = rule["min_measures_agreeing"]
    found = divergence.trend_rule(rows, min_measures_agreeing=need, **{k: rule[k] for k in _TAKEN})
    table = found.table
    falling = table.loc[table["change_pct"] <= rule["converging_change_pct_le"], "pvalue"]
    p = float(np.sort(falling)[need - 1]) if len(falling) >= need else 1.0
    checks = {f"change_{name}": float(v) for name, v in table["change_pct"].items()}
    checks |= {f"p_{name}": float(v) for name, v in table["pvalue"].items()}
    return Number(float(table["change_pct"].median()), len(spec.years), p=p, checks=checks)
