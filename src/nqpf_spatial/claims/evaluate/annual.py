"""Annual series that R-TREND, R-POLAR and R-OSSIFY look at, specified as data.

A `Series` says which column, which quantity of it, over which provinces and years. Quantities with four measures are those
of the register's gap measure, on provinces or on group means; the others have one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.columns import column
from nqpf_spatial.claims.evaluate.misallocation import annual_loss
from nqpf_spatial.claims.rules import polar
from nqpf_spatial.claims.rules.trend import Measure, detectable_change
from nqpf_spatial.errors import PanelError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Sample:
    """Which cells of a column.

    Attributes
    ----------
    years : tuple of int
    drop : tuple of str
        Provinces left out.
    groups : str
        Scheme of groups ("block", "north_south"), "" for none.
    of : tuple of str
        Groups it is about; all of them where empty.
    moved : tuple of (province, group)
        Provinces counted in another group of the scheme.
    weights : str or None
        Column that weighs the provinces.
    """

    years: tuple[int, ...]
    drop: tuple[str, ...] = ()
    groups: str = ""
    of: tuple[str, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    weights: str | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """An annual series: a quantity of a column over a sample.

    Attributes
    ----------
    variable : str
        Column of the panel, or one of :mod:`nqpf_spatial.claims.evaluate.columns`.
    quantity : str
        A key of `QUANTITIES`.
    sample : Sample
    absolute : bool
        Absolute gap or dispersion; shown, never decides.
    alpha : float or None
        Of Esteban-Ray.
    """

    variable: str
    quantity: str
    sample: Sample
    absolute: bool = False
    alpha: float | None = None


Quantity: TypeAlias = "Callable[[Context, Series], pd.DataFrame]"


def membership(sample: Sample, provinces: Iterable[str]) -> dict[str, str]:
    """Group of each province under the scheme of a sample, moved ones included.

    Examples
    --------
    >>> membership(Sample((2020,), groups="north_south", moved=(("Tibet", "North"),)), ["Tibet", "Yunnan"])
    {'Tibet': 'North', 'Yunnan': 'South'}
    """
    from nqpf_spatial import provinces as register

    known = register.groups(sample.groups)  # type: ignore[arg-type]
    moved = {province: group for province, group in sample.moved if group in known}
    return {p: moved.get(p) or str(register.group_of(p, sample.groups)) for p in provinces}  # type: ignore[arg-type]


def cells(ctx: Context, variable: str, sample: Sample, *, only_of: bool = True) -> pd.Series:
    """Cells of a column in a sample, index (province, year).

    Parameters
    ----------
    ctx : Context
    variable : str
    sample : Sample
    only_of : bool
        Only provinces of the groups the sample is about; False keeps all groups (a share needs its total).

    Returns
    -------
    Series

    Raises
    ------
    PanelError
        If a cell is missing, or nothing is left; nothing is filled.
    """
    values = column(ctx, variable)
    province, year = (values.index.get_level_values(level) for level in ("province", "year"))
    rows = values.loc[year.isin(sample.years) & ~province.isin(sample.drop)]
    if only_of and sample.of:
        groups = membership(sample, rows.index.unique("province"))
        keep = [p for p, g in groups.items() if g in sample.of]
        rows = rows.loc[rows.index.get_level_values("province").isin(keep)]
    absent = sorted(set(sample.years) - set(rows.index.unique("year")))
    if rows.empty or absent or rows.isna().any():
        bad = [f"{p} {y}" for p, y in rows.index[rows.isna()][:6]]
        raise PanelError(f"{variable}: no values at {', '.join([*bad, *map(str, absent)]) or 'any year of the window'}")
    return rows


def _weights(ctx: Context, sample: Sample) -> pd.Series | None:
    return None if sample.weights is None else column(ctx, sample.weights)


def _four(ctx: Context) -> list[str]:
    """The four measures of the register."""
    return list(ctx.register.conventions["gap_measure"]["measures"])


def _dispersion(ctx: Context, s: Series) -> pd.DataFrame:
    """Four measures over provinces; absolute: the standard deviation."""
    from nqpf_spatial import divergence

    wanted = ["sd"] if s.absolute else _four(ctx)
    x = cells(ctx, s.variable, s.sample)
    return divergence.inequality(x, wanted, weights=_weights(ctx, s.sample)).table


def _grouped(ctx: Context, s: Series) -> tuple[pd.Series, dict[str, Any]]:
    """Cells of a series, and the groups and weights its provinces have."""
    x = cells(ctx, s.variable, s.sample)
    return x, {"groups": membership(s.sample, x.index.unique("province")), "weights": _weights(ctx, s.sample)}


def _gap(ctx: Context, s: Series) -> pd.DataFrame:
    """Four measures over group means; absolute: their standard deviation."""
    from nqpf_spatial import divergence

    x, how = _grouped(ctx, s)
    if not s.absolute:
        return divergence.gap(x, **how).table[_four(ctx)]
    means = _group_means(x, how["groups"]).stack()
    means.index.names = ["year", "group"]
    return divergence.inequality(means.rename(s.variable), ["sd"]).table


def _group_means(x: pd.Series, groups: Mapping[str, str]) -> pd.DataFrame:
    """Unweighted means, years in rows, groups in columns."""
    group = x.index.get_level_values("province").map(dict(groups))
    return x.groupby([x.index.get_level_values("year"), group]).mean().unstack()


def _share(ctx: Context, s: Series) -> pd.DataFrame:
    """Share of the groups in the total of the sample's provinces."""
    x = cells(ctx, s.variable, s.sample, only_of=False)
    groups = membership(s.sample, x.index.unique("province"))
    inside = x.index.get_level_values("province").map(lambda p: groups[p] in s.sample.of)
    return (x[inside].groupby("year").sum() / x.groupby("year").sum()).to_frame("share")


def _mean(ctx: Context, s: Series) -> pd.DataFrame:
    """Unweighted mean over the provinces (of the groups)."""
    return cells(ctx, s.variable, s.sample).groupby("year").mean().to_frame("mean")


def _relative(ctx: Context, s: Series) -> pd.DataFrame:
    """Unweighted mean of the groups over that of all provinces of the sample."""
    every = cells(ctx, s.variable, s.sample, only_of=False).groupby("year").mean()
    own = cells(ctx, s.variable, s.sample).groupby("year").mean()
    return (own / every).to_frame("relative mean")


def _ratio(ctx: Context, s: Series) -> pd.DataFrame:
    """Ratio of the means of the first and the second group."""
    from nqpf_spatial import divergence

    first, second = s.sample.of
    x, how = _grouped(ctx, s)
    return divergence.ratio(x, over=(first, second), **how).to_frame("ratio")


def _polarisation(*indices: str) -> Quantity:
    """Polarisation indices of the groups."""

    def compute(ctx: Context, s: Series) -> pd.DataFrame:
        from nqpf_spatial import divergence

        x, how = _grouped(ctx, s)
        alpha = {} if s.alpha is None else {"alpha": s.alpha}
        return divergence.polarization(x, list(indices), **how, **alpha).table

    return compute


def _dagum(ctx: Context, s: Series) -> pd.DataFrame:
    """Net between part of the Gini index (Dagum)."""
    from nqpf_spatial import divergence

    x, how = _grouped(ctx, s)
    return divergence.dagum(x, **how).table[["net_between"]]


def _theil(ctx: Context, s: Series) -> pd.DataFrame:
    """Between part of Theil T."""
    from nqpf_spatial import divergence

    x, how = _grouped(ctx, s)
    return divergence.theil(x, **how).table[["between"]]


def _loss(ctx: Context, s: Series) -> pd.DataFrame:
    """Output lost because marginal products of capital differ between provinces."""
    parts = {
        name: cells(ctx, name, s.sample).unstack("province") for name in (s.variable, "capital_stock", "labour_share")
    }
    labour = float(parts["labour_share"].to_numpy().mean())
    return annual_loss(parts[s.variable], parts["capital_stock"], 1.0 - labour).to_frame("loss")


#: quantity -> function of (context, series) that returns years x measures
QUANTITIES: Mapping[str, Quantity] = {
    "dispersion": _dispersion,
    "gap": _gap,
    "share": _share,
    "mean": _mean,
    "relative": _relative,
    "ratio": _ratio,
    "polarisation": _polarisation(*polar.DECIDING),
    "esteban_ray": _polarisation("esteban_ray"),
    "egr": _polarisation("egr"),
    "dagum": _dagum,
    "theil": _theil,
    "loss": _loss,
}


def annual(ctx: Context, series: Series) -> pd.DataFrame:
    """Compute an annual series, years in rows, measures in columns; once per context.

    Raises
    ------
    PanelError
        Missing cells, or values a measure is not defined for, named.
    """
    return ctx.once(series, lambda: QUANTITIES[series.quantity](ctx, series))


def trend_parameters(ctx: Context) -> dict[str, Any]:
    """The numbers of R-TREND."""
    return dict(ctx.register.rules["R-TREND"].parameters)


def measures(ctx: Context, series: Series) -> tuple[Measure, ...]:
    """Trends of all measures of a series; once per context.

    Returns
    -------
    tuple of Measure

    Raises
    ------
    PanelError
        Fewer years than R-TREND needs, or a series without a logarithm.
    """
    return ctx.once(("trend", series), lambda: trends_of(ctx, annual(ctx, series)))


def trends_of(ctx: Context, table: pd.DataFrame) -> tuple[Measure, ...]:
    """Trends of the columns of a table of annual series."""
    from nqpf_spatial import divergence

    p = trend_parameters(ctx)
    known = ("alpha", "diverging_change_pct_ge", "converging_change_pct_le", "min_years")
    out = []
    for name in table.columns:
        found = divergence.trend_label(table[name], **{k: p[k] for k in known})
        line = divergence.theil_sen(np.log(table[name]), level=1.0 - p["alpha"])
        span = float(table.index.max() - table.index.min())
        lower, upper = (100.0 * float(np.expm1(s * span)) for s in (line.lower, line.upper))
        se = (line.upper - line.lower) / (2.0 * _critical(p["alpha"]))
        out.append(
            Measure(
                name=str(name),
                change_pct=found.change_pct,
                p=found.pvalue,
                slope=found.slope,
                lower_pct=lower,
                upper_pct=upper,
                statistic=found.test.statistic,
                detectable_pct=detectable_change(se, span, p),
                n=found.n,
                note=found.test.note,
            )
        )
    return tuple(out)


def _critical(alpha: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(1.0 - alpha / 2.0))
