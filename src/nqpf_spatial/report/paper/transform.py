"""Changes of the data for the robustness table: lagged regressors, winsorised variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nqpf_spatial.report.paper.request import Request
from nqpf_spatial.report.paper.words import say


def lagged(request: Request) -> tuple[pd.DataFrame, Any, int] | str:
    """Regressors of earlier periods under their own names.

    Returns
    -------
    (DataFrame, first period, periods lost), or str
        The text says why there are none. The first period is that of the sample where the data hold the periods before it for
        every unit, else the first one for which they do.
    """
    lang, k, periods = request.lang, request.lag, request.design.periods
    formula = request.parsed.formula
    names = [str(v) for v in formula.rhs.required_variables if v in request.data.columns]
    both = sorted(set(names) & {str(v) for v in formula.lhs.required_variables})
    if both:
        return say("why lag outcome", lang, names=", ".join(both))
    times = request.data.index.get_level_values(1)
    every = sorted(set(times))
    upto = every[: every.index(periods[-1]) + 1]
    first = max(upto.index(periods[0]) - k, 0)
    used = upto[first:]
    if not _even(used):
        return say("why lag spacing", lang)
    if len(used) - k < 3:
        return say("why lag short", lang, k=k, t=len(periods))
    later = dict(zip(used[:-k], used[k:], strict=True))
    source = request.data.loc[np.asarray(times.isin(used[:-k])), names]
    moved = [(unit, later[time]) for unit, time in source.index]
    source = source.set_axis(pd.MultiIndex.from_tuples(moved, names=request.data.index.names))
    data = request.data.loc[np.asarray(times.isin(periods))].copy()
    data[names] = source.reindex(data.index)
    found = data[names].notna().all(axis=1).groupby(level=1).all()
    complete = [bool(found[period]) for period in periods[: k + 1]]
    lost = complete.index(True) if any(complete) else k
    if len(periods) - lost < 3:
        return say("why lag short", lang, k=k, t=len(periods))
    return data, periods[lost], lost


def _even(periods: list[Any]) -> bool:
    """Whether numbered periods follow each other at one distance; labels of another kind count by their order."""
    if not all(isinstance(p, (int, float, np.integer)) for p in periods):
        return True
    return len(set(np.diff(periods).tolist())) <= 1


def winsorised(request: Request) -> tuple[pd.DataFrame, dict[str, int]]:
    """Variables of the formula with both tails set to their quantiles over the sample, and how many cells that changed."""
    design, p = request.design, request.winsorize
    data = request.data
    if len(design.levels) == 2:
        data = data.loc[np.asarray(data.index.get_level_values(1).isin(design.periods))]
    data, changed = data.copy(), {}
    for name in request.parsed.variables:
        if name not in data.columns or not pd.api.types.is_numeric_dtype(data[name]) or data[name].nunique() <= 2:
            continue
        column = data[name].astype(float)
        data[name] = column.clip(column.quantile(p), column.quantile(1 - p))
        changed[name] = int((data[name] != column).sum())
    return data, changed
