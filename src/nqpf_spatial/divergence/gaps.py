"""Gaps between groups of units by year: the four measures of R-TREND on group means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame, _resample, measures
from nqpf_spatial.divergence._frame import Array, GroupSpec, Missing, WeightSpec, Wide, Years
from nqpf_spatial.divergence.measures import InequalityResult
from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import inequality as _kernel

#: columns of :func:`gap`
GAP_MEASURES = ("cv", "theil_t", "gini", "sd_log")


def _evaluate(x: Wide, w: Array, member: Array, pair: bool) -> Array:
    p = _kernel.shares(w)
    share = _kernel.by_group(p, member)
    totals = _kernel.by_group(p * x.values, member)
    mean = np.divide(totals, share, out=np.full_like(totals, np.nan), where=share > 0)
    one = np.ones_like(mean)
    log_gap = np.abs(np.log(mean[..., 0] / mean[..., 1])) if pair else _kernel.sd_log(mean, one)
    return np.stack([_kernel.cv(mean, one), _kernel.theil_t(mean, share), _kernel.gini(mean, share), log_gap], axis=-1)


def gap(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> InequalityResult:
    """Dispersion of group means by year.

    Parameters
    ----------
    data : Series or DataFrame
        Positive values by (unit, time) or by unit; see :func:`inequality` for the other options.
    groups : {"block", "north_south", ...}, Series, mapping or column name
        Group of each unit. With ``weights`` the group means are weighted, and so are the groups in
        ``theil_t`` and ``gini``.
    bootstrap : int
        Replicates over units inside each group.

    Returns
    -------
    InequalityResult
        Columns ``cv`` (of the group means, each group once), ``theil_t`` (between part), ``gini`` (net
        between part of Dagum, which is the Gini index of the group means), ``sd_log`` (of the group means,
        each group once; with two groups the absolute log ratio).

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.Series([1.0, 3.0, 3.0, 5.0], index=list("abcd"), name="x")
    >>> gap(x, groups={"a": "A", "b": "A", "c": "B", "d": "B"}).table.round(4)
            cv  theil_t    gini  sd_log
    x  0.3333   0.0566  0.1667  0.6931
    """
    x = _frame.wide(data, value=value, weights=weights, years=years, missing=missing)
    _frame.require(x, positive=False, what="a gap between groups")
    g = _frame.membership(x, groups, data)
    member = _kernel.indicator(g.codes, len(g.names))
    pair = len(g.names) == 2
    empty = _kernel.by_group(x.values * x.weights, member) <= 0
    if empty.any():
        where = [f"{t}: {g.names[k]}" for t, row in zip(x.index(), empty, strict=True) for k in np.flatnonzero(row)]
        raise PanelError(f"the mean of a group must be positive; it is not at {_frame.shorten(where)}")
    names = list(GAP_MEASURES)
    point = pd.DataFrame(_evaluate(x, x.weights, member, pair), index=x.index(), columns=names)
    draws = None
    if bootstrap:
        counts = _resample.multiplicities(len(x.units), bootstrap, seed, g.codes)
        size = len(g.names) * x.values.size
        draws = _resample.collect(counts, size, lambda c: _evaluate(x, c[:, None, :] * x.weights, member, pair))
    title = f"{x.name} between groups of {g.label}"
    return InequalityResult(
        point, *measures.spread(draws, point.index, names, level), draws, title, x.weighted, level, x.note
    )


def ratio(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec,
    over: tuple[Any, Any],
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> pd.Series:
    """Ratio of the means of two groups by year, e.g. ``over=("East", "West")``.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.Series([1.0, 3.0, 3.0, 5.0], index=list("abcd"), name="x")
    >>> ratio(x, groups={"a": "A", "b": "A", "c": "B", "d": "B"}, over=("B", "A")).tolist()
    [2.0]
    """
    x = _frame.wide(data, value=value, weights=weights, years=years, missing=missing)
    g = _frame.membership(x, groups, data)
    means = []
    if isinstance(over, str) or len(over) != 2:
        raise ValueError(f"over={over!r}: give two groups, for instance over=({g.names[0]!r}, {g.names[1]!r})")
    for name in over:
        mine = g.codes == g.position(name)
        w = x.weights[:, mine]
        if (w.sum(axis=1) <= 0).any():
            raise PanelError(f"the weights of group {name!r} sum to zero in some year")
        means.append((x.values[:, mine] * w).sum(axis=1) / w.sum(axis=1))
    if (means[1] == 0).any():
        raise PanelError(f"the mean of {over[1]!r} is zero in some year: the ratio does not exist")
    return pd.Series(means[0] / means[1], index=x.index(), name=f"{x.name}: {over[0]} / {over[1]}")
