"""Columns of the panel, and those that variants construct beside them, by name.

A constructed column has a name of its own, so that a specification stays a label: ``tfp_est (level)``,
``nqpf_index (pca)``, ``hd_index_gdp (without schooling_years)``.

Readings fixed before any verdict was computed:

* Log indices (``tfp_est``, ``solow_residual``) enter dispersions and gaps as levels, exp(x): their scale drops out.
* An index rebuilt in another way keeps the components, window and pooled normalisation of the register.
* Money per head in clubs and transition paths is in yuan, TFP in yuan and persons (see `frozen`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from nqpf_spatial.claims.evaluate import indices
from nqpf_spatial.claims.evaluate.series import chained
from nqpf_spatial.errors import DataSourceError

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.claims.context import Context

_COUPLING = re.compile(r"coupling of (?P<inner>\w+) and (?P<outer>\w+) \((?P<how>[\w-]+)\)$")
#: methods of an index other than the register's entropy weights
METHODS = ("equal", "pca", "topsis")
_INDEX = re.compile(r"(?P<index>\w+) \((?P<how>.+)\)$")
_OVER_PROVINCES = re.compile(r"/ (sum|mean) over provinces of")
_INSTEAD = re.compile(r"(?P<new>\w+) for (?P<old>\w+)$")


def _firstpub_pc_growth(panel: pd.DataFrame) -> pd.Series:
    """Log points of growth of real GDP per resident with the index as first published."""
    per_head = np.log(chained(panel["gdp"], panel["gdp_index_firstpub"]) / panel["population"]).unstack("year")
    growth = 100.0 * per_head.sort_index(axis=1).diff(axis=1)
    return growth.stack().reindex(panel.index).where(panel["gdp_pc_growth"].notna())


def _min_max(table: pd.DataFrame) -> pd.DataFrame:
    low, high = table.min(axis=1), table.max(axis=1)
    return table.sub(low, axis=0).div(high - low, axis=0)


def _ranks(table: pd.DataFrame) -> pd.DataFrame:
    return (table.rank(axis=1) - 0.5).div(table.notna().sum(axis=1), axis=0)


def _normal_scores(table: pd.DataFrame) -> pd.DataFrame:
    from scipy.special import ndtr

    scores = table.sub(table.mean(axis=1), axis=0).div(table.std(axis=1, ddof=0), axis=0)
    return scores.apply(ndtr)


#: how values of one year are brought to [0, 1]
NORMALISATIONS: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "min-max": _min_max,
    "ranks": _ranks,
    "z-scores": _normal_scores,
}


def coupling(inner: str, outer: str) -> tuple[str, ...]:
    """Names of the coupling coordination degree of two variables under every normalisation.

    Examples
    --------
    >>> coupling("retail_pc", "ln_trade_ratio")[0]
    'coupling of retail_pc and ln_trade_ratio (min-max)'
    """
    return tuple(f"coupling of {inner} and {outer} ({how})" for how in NORMALISATIONS)


def _coupled(panel: pd.DataFrame, inner: str, outer: str, how: str) -> pd.Series:
    """D = sqrt(C T), C = 2 sqrt(u v) / (u + v), T = (u + v) / 2, both normalised inside each year."""
    u, v = (NORMALISATIONS[how](panel[name].unstack("province")) for name in (inner, outer))
    together = np.sqrt(np.sqrt(u * v))
    return together.stack().reorder_levels(["province", "year"]).reindex(panel.index)


#: constructed column -> function of the panel
COLUMNS: Mapping[str, Callable[[pd.DataFrame], pd.Series]] = {
    "tfp_est (level)": lambda panel: np.exp(panel["tfp_est"]),
    "solow_residual (level)": lambda panel: np.exp(panel["solow_residual"]),
    "gdp per resident (current prices)": lambda panel: panel["gdp"] / panel["population"],
    "ln_fie_ratio (registered capital)": lambda panel: np.log(panel["fie_registered_capital"] / panel["gdp"]),
    "gdp_growth (first published)": lambda panel: 100.0 * np.log(panel["gdp_index_firstpub"] / 100.0),
    "gdp_pc_growth (first published)": _firstpub_pc_growth,
}


def index_variants(index: str) -> dict[str, tuple[str, ...]]:
    """Names of the columns of an index made in other ways, by variant of the register.

    Examples
    --------
    >>> index_variants("digital_index")["index_drop_one"][0]
    'digital_index (without broadband_pc)'
    """
    out: dict[str, tuple[str, ...]] = {f"index_{m}": (f"{index} ({m})",) for m in METHODS}
    out["index_drop_one"] = tuple(f"{index} (without {c})" for c in indices.components(index))
    return out


def _index_column(panel: pd.DataFrame, index: str, how: str) -> pd.Series:
    """An index by another method, without a component, or with one component for another."""
    own = indices.components(index)
    if how in METHODS:
        return indices.build(panel, how, own, index)
    if how.startswith("without "):
        left_out = how.removeprefix("without ")
        return indices.build(panel, "entropy", tuple(c for c in own if c != left_out), index)
    swapped = _INSTEAD.match(how)
    if swapped is None or swapped["old"] not in own:
        raise DataSourceError(f"no way {how!r} to build {index}; its components are {', '.join(own)}")
    columns = tuple(swapped["new"] if c == swapped["old"] else c for c in own)
    return indices.build(panel, "entropy", columns, index)


def column(ctx: Context, name: str) -> pd.Series:
    """Return a column of the panel, or construct it.

    Parameters
    ----------
    ctx : Context
    name : str

    Returns
    -------
    Series
        Index (province, year) in sorted order, whatever the order of the panel; named `name`.

    Raises
    ------
    DataSourceError
        If neither the panel nor this module knows the name.
    """

    def find() -> pd.Series:
        panel = ctx.panel
        if name in panel.columns:
            return panel[name]
        if name in COLUMNS:
            return COLUMNS[name](panel).rename(name)
        if pair := _COUPLING.match(name):
            return _coupled(panel, **pair.groupdict()).rename(name)
        parts = _INDEX.match(name)
        if parts is None or parts["index"] not in panel.columns:
            raise DataSourceError(f"no column {name!r}; see nq.data.codebook() and {', '.join(COLUMNS)}")
        return _index_column(panel, parts["index"], parts["how"]).rename(name)

    return ctx.once(("column", name), lambda: find().sort_index())


def base_of(ctx: Context, name: str) -> str:
    """Return the series a share or relative figure of the register is made of; other names stay.

    Examples
    --------
    >>> from nqpf_spatial.claims.context import Context
    >>> [base_of(Context(), n) for n in ("pop_share", "trade_share", "schooling_rel", "gdp")]
    ['population', 'trade_total', 'schooling_years', 'gdp']
    """
    for entry in ctx.register.derived_variables:
        if entry["name"] == name and _OVER_PROVINCES.search(entry["formula"]):
            (base,) = entry["inputs"]
            return str(base)
    return name
