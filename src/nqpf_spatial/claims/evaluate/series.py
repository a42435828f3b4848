"""Columns of a specification: series of the panel, what is made of them by name, and what variants put in their place.

A name is a variable of the panel, or one with a prefix: ``ln_x``, ``ln1p_x`` (of 1 + x), ``lag_x`` (year before), ``growth_x`` (log points a year),
``at2013_x`` (the value of that year in every year), ``in_North`` or ``in_Northeast_West`` (1 inside the groups, 0 outside). Prefixes
may follow one another: ``lag_ln_x``.

Levels of GDP vintages are never spliced. With province effects the level of the base year drops out of the logarithm of real GDP:
changing the vintage moves the ratios, changing the index moves the growth.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from nqpf_spatial.claims.evaluate.indices import VARIANTS_OF
from nqpf_spatial.errors import DataSourceError

if TYPE_CHECKING:
    import pandas as pd

#: year of the prices of real GDP (the register's gdp_real)
BASE_YEAR = 2010
_PREFIX = re.compile(r"(ln1p|ln|lag|growth|at\d{4})_(.+)")


def parts(name: str) -> tuple[str, str]:
    """Split a prefix off a name.

    Examples
    --------
    >>> parts("lag_ln_x"), parts("at2013_x"), parts("population")
    (('lag', 'ln_x'), ('at2013', 'x'), ('', 'population'))
    """
    found = _PREFIX.fullmatch(name)
    return (found.group(1), found.group(2)) if found else ("", name)


def swapped(name: str, old: str, new: str) -> str:
    """Put a series in the place of another, under whatever prefixes it stands.

    Examples
    --------
    >>> swapped("lag_ln_x", "x", "z"), swapped("ln_x", "ln_x", "z"), swapped("ln_xx", "x", "z")
    ('lag_ln_z', 'z', 'ln_xx')
    """
    if name == old:
        return new
    prefix, rest = parts(name)
    return f"{prefix}_{swapped(rest, old, new)}" if prefix else name


def root(name: str) -> str:
    """Variable of the register behind a name.

    Examples
    --------
    >>> root("lag_ln_gdp_real_pc"), root("growth_beds_per_1000")
    ('gdp_real_pc', 'beds_per_1000')
    """
    prefix, rest = parts(name)
    return root(rest) if prefix else name


def column(panel: pd.DataFrame, name: str, regroup: Mapping[str, str] | None = None) -> pd.Series:
    """Return a series by its name, prefixes carried out.

    Parameters
    ----------
    panel : DataFrame
        Index (province, year).
    name : str
        See the module.
    regroup : mapping of province to group, optional
        Provinces that a variant counts to another group.

    Returns
    -------
    Series
        Missing where it cannot be computed.

    Raises
    ------
    DataSourceError
        If neither the panel nor a prefix explains the name.
    """
    if name in panel.columns:
        return panel[name]
    if name.startswith("in_"):
        return _inside(panel, name.removeprefix("in_").split("_"), regroup or {})
    prefix, rest = parts(name)
    if not prefix:
        raise DataSourceError(f"the panel has no variable {name!r}; see nq.data.codebook()")
    inner = column(panel, rest, regroup)
    if prefix == "ln":
        return np.log(inner.where(inner > 0))
    if prefix == "ln1p":
        return np.log1p(inner)
    if prefix == "lag":
        return _lagged(inner)
    if prefix == "growth":
        level = np.log(inner.where(inner > 0))
        return 100.0 * (level - _lagged(level))
    start = inner.xs(int(prefix.removeprefix("at")), level="year")
    return start.reindex(panel.index.get_level_values("province")).set_axis(panel.index)


def _lagged(series: pd.Series) -> pd.Series:
    """The value of the year before, by label."""
    return series.rename(lambda year: year + 1, level="year").reindex(series.index)


def _inside(panel: pd.DataFrame, names: list[str], regroup: Mapping[str, str]) -> pd.Series:
    """Membership in one of several groups of a scheme."""
    import pandas as pd

    from nqpf_spatial import provinces

    schemes: tuple[Literal["block", "north_south"], ...] = ("block", "north_south")
    scheme = next((s for s in schemes if set(names) <= set(provinces.groups(s))), None)
    if scheme is None:
        raise DataSourceError(f"{', '.join(names)} are not groups of one scheme: blocks, or North and South")
    labels = panel.index.get_level_values("province")
    group = {p: regroup.get(str(p), provinces.group_of(p, scheme)) for p in labels.unique()}
    return pd.Series([float(group[p] in names) for p in labels], index=panel.index)


def chained(level: pd.Series, index: pd.Series, base: int = BASE_YEAR) -> pd.Series:
    """Chain a growth index on the level of a base year.

    Parameters
    ----------
    level, index : Series
        Index (province, year); `index` has the preceding year = 100.
    base : int
        Year whose level is kept.

    Returns
    -------
    Series
        level[base] * prod(index / 100) forwards and backwards from the base year; missing where the index
        has a gap on the way.

    Examples
    --------
    >>> import pandas as pd
    >>> at = pd.MultiIndex.from_product([["A"], [2010, 2011, 2012]], names=["province", "year"])
    >>> chained(pd.Series([50.0, 0.0, 0.0], at), pd.Series([100.0, 110.0, 120.0], at)).round(6).tolist()
    [50.0, 55.0, 66.0]
    """
    growth = np.log(index / 100.0).unstack("year").sort_index(axis=1)
    onward = growth.loc[:, growth.columns > base].cumsum(axis=1, skipna=False)
    back = -growth.loc[:, growth.columns <= base].iloc[:, ::-1].cumsum(axis=1, skipna=False)
    back.columns = back.columns - 1  # growth of year s leads from s - 1 to s
    start = level.xs(base, level="year").reindex(growth.index)
    relative = back.join(onward)
    relative[base] = 0.0
    out = np.exp(relative).mul(start, axis=0).stack().rename(level.name)
    return out.reindex(level.index)


def _base_2023(panel: pd.DataFrame) -> dict[str, pd.Series]:
    """GDP of the 4th-census vintage in the level and in the ratios that rest on total GDP.

    The secondary share keeps the register's own definition: sectors of that vintage end in 2019 and must not
    be divided into, or joined with, another one.
    """
    real = chained(panel["gdp_v2023"], panel["gdp_index"])
    return {
        **_of_real_gdp(panel, real),
        "ln_rd_intensity": np.log(100.0 * panel["rd_expenditure"] / panel["gdp_v2023"]),
        "gov_share": panel["fiscal_expenditure"] / panel["gdp_v2023"],
        "ln_trade_ratio": np.log(panel["trade_total"] / panel["gdp_v2023"]),
        "tech_purchases_ratio": panel["tech_market_purchases"] / panel["gdp_v2023"],
    }


def _firstpub_growth(panel: pd.DataFrame) -> dict[str, pd.Series]:
    """Real GDP chained with the index as first published."""
    return _of_real_gdp(panel, chained(panel["gdp"], panel["gdp_index_firstpub"]))


def _of_real_gdp(panel: pd.DataFrame, real: pd.Series) -> dict[str, pd.Series]:
    """Real GDP and everything the register makes of it and the claims use."""
    level = np.log(real / panel["population"])
    return {
        "gdp_real": real,
        "ln_gdp_real_pc": level,
        "gdp_pc_growth": 100.0 * (level - _lagged(level)),
        "ln_electricity_intensity": np.log(panel["electricity_consumption"] / real),
        "market_potential": market_potential(real),
    }


def market_potential(real: pd.Series) -> pd.Series:
    """Real GDP of all other provinces over the distance to them, as the register defines it.

    Parameters
    ----------
    real : Series
        Index (province, year), all provinces in every year.

    Returns
    -------
    Series
        Missing where a province has no value.
    """
    import pandas as pd

    from nqpf_spatial import weights

    table = real.unstack("year")
    inverse = weights.inverse_distance(transform="none").to_frame().loc[table.index, table.index]
    values = inverse.to_numpy() @ table.to_numpy()
    potential = pd.DataFrame(values, index=table.index, columns=table.columns).stack()
    return potential.rename("market_potential").reindex(real.index)


#: name of a patch -> function of the panel that returns the columns it replaces or adds
PATCHES: Mapping[str, Callable[[pd.DataFrame], dict[str, pd.Series]]] = {
    "base_2023": _base_2023,
    "firstpub_growth": _firstpub_growth,
    **{
        column: build
        for variants in VARIANTS_OF.values()
        for columns in variants.values()
        for column, build in columns.items()
    },
}
