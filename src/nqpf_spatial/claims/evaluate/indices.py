"""Indices made another way, which variants put in the place of a baseline series.

Components and window are those of the register's own index; normalisation is pooled over all of its province-years, as there. An
index is built on all 31 provinces before any sub-sample is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from nqpf_spatial.claims.register import load

if TYPE_CHECKING:
    import pandas as pd

#: digital index, the stand-in of variants that make "an index" where the baseline is a single digital series
INDEX = "digital_index"
#: human-development index, an outcome of its own
DEVELOPMENT = "hd_index"

#: name of a column -> function of the panel that builds it
Builders = Mapping[str, Callable[["pd.DataFrame"], dict[str, "pd.Series"]]]


def _definition(index: str) -> Mapping[str, object]:
    return next(d for d in load().derived_variables if d["name"] == index)


def components(index: str = INDEX) -> tuple[str, ...]:
    """Components of one of the register's indices.

    Examples
    --------
    >>> components()
    ('broadband_pc', 'cable_pc', 'mobile_phone_penetration')
    """
    return tuple(str(c) for c in _definition(index)["inputs"])  # type: ignore[attr-defined]


def _window(index: str) -> tuple[int, int]:
    """First and last year of an index."""
    first, last = str(_definition(index)["years"]).split("-")
    return int(first), int(last)


def build(panel: pd.DataFrame, method: str, columns: tuple[str, ...], index: str = INDEX) -> pd.Series:
    """Scores of an index over the register's window, missing outside it.

    Parameters
    ----------
    panel : DataFrame
        Index (province, year), with the components.
    method : str
        "entropy", "equal", "pca" or "topsis".
    columns : tuple of str
        Components used.
    index : str
        Index of the register whose window is taken.

    Returns
    -------
    Series
        Indexed like `panel`.
    """
    from nqpf_spatial import indicators

    first, last = _window(index)
    year = panel.index.get_level_values("year")
    frame = panel.loc[(year >= first) & (year <= last), list(columns)]
    result = indicators.composite(frame, method)
    return result.scores.reindex(panel.index)


def _method(index: str, method: str) -> Callable[[pd.DataFrame], dict[str, pd.Series]]:
    return lambda panel: {f"{index}_{method}": build(panel, method, components(index), index)}


def without(index: str, left_out: str) -> str:
    """Name of an index without one component."""
    return f"{index}_without_{left_out}"


def _without(index: str, left_out: str) -> Callable[[pd.DataFrame], dict[str, pd.Series]]:
    kept = tuple(c for c in components(index) if c != left_out)
    return lambda panel: {without(index, left_out): build(panel, "entropy", kept, index)}


def _variants(index: str) -> Mapping[str, Builders]:
    return MappingProxyType(
        {
            **{f"index_{m}": {f"{index}_{m}": _method(index, m)} for m in ("equal", "pca", "topsis")},
            "index_drop_one": {without(index, c): _without(index, c) for c in components(index)},
        }
    )


#: index -> variant id -> the columns it builds, each with its function of the panel
VARIANTS_OF: Mapping[str, Mapping[str, Builders]] = {index: _variants(index) for index in (INDEX, DEVELOPMENT)}
#: those of the digital index
INDEX_VARIANTS: Mapping[str, Builders] = VARIANTS_OF[INDEX]
