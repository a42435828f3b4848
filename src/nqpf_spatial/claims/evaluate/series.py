"""Columns that variants put in place of those of the panel.

Levels of GDP vintages are never spliced. With province effects the level of the base year drops out of the
logarithm of real GDP: changing the vintage moves the ratios, changing the index moves the growth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from nqpf_spatial.claims.evaluate.indices import INDEX_VARIANTS

if TYPE_CHECKING:
    import pandas as pd

#: year of the prices of real GDP (the register's gdp_real)
BASE_YEAR = 2010


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
        "gdp_real": real,
        "ln_gdp_real_pc": np.log(real / panel["population"]),
        "ln_rd_intensity": np.log(100.0 * panel["rd_expenditure"] / panel["gdp_v2023"]),
        "gov_share": panel["fiscal_expenditure"] / panel["gdp_v2023"],
        "ln_trade_ratio": np.log(panel["trade_total"] / panel["gdp_v2023"]),
    }


def _firstpub_growth(panel: pd.DataFrame) -> dict[str, pd.Series]:
    """Real GDP chained with the index as first published."""
    real = chained(panel["gdp"], panel["gdp_index_firstpub"])
    return {"gdp_real": real, "ln_gdp_real_pc": np.log(real / panel["population"])}


def _ln_urban_worker(panel: pd.DataFrame) -> dict[str, pd.Series]:
    """Logarithm of real GDP per employed person in urban units."""
    return {"ln_gdp_real_per_urban_worker": np.log(panel["gdp_real_per_urban_worker"])}


def _ln_gdp_real(panel: pd.DataFrame) -> dict[str, pd.Series]:
    """Logarithm of real GDP."""
    return {"ln_gdp_real": np.log(panel["gdp_real"])}


#: name of a patch -> function of the panel that returns the columns it replaces or adds
PATCHES: Mapping[str, Callable[[pd.DataFrame], dict[str, pd.Series]]] = {
    "base_2023": _base_2023,
    "firstpub_growth": _firstpub_growth,
    "ln_urban_worker": _ln_urban_worker,
    "ln_gdp_real": _ln_gdp_real,
    **{column: build for columns in INDEX_VARIANTS.values() for column, build in columns.items()},
}
