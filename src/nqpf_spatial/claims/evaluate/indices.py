"""Digital indices that variants put in the place of the baseline digital series.

Components and window are those of the register (``digital_index`` unless another index is named); normalisation is pooled
over all province-years of the window, as there. An index is built on all 31 provinces before any sub-sample is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from nqpf_spatial.claims.register import load

if TYPE_CHECKING:
    import pandas as pd

INDEX = "digital_index"


def components(index: str = INDEX) -> tuple[str, ...]:
    """Components of an index of the register.

    Examples
    --------
    >>> components()
    ('broadband_pc', 'cable_pc', 'mobile_phone_penetration')
    """
    return next(d["inputs"] for d in load().derived_variables if d["name"] == index)


def _window(index: str) -> tuple[int, int]:
    """First and last year of an index of the register."""
    first, last = next(d["years"] for d in load().derived_variables if d["name"] == index).split("-")
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
    years = panel.index.get_level_values("year")
    frame = panel.loc[(years >= first) & (years <= last), list(columns)]
    result = indicators.composite(frame, method)
    return result.scores.reindex(panel.index)


def _method(method: str) -> Callable[[pd.DataFrame], dict[str, pd.Series]]:
    return lambda panel: {f"{INDEX}_{method}": build(panel, method, components())}


def _without(left_out: str) -> Callable[[pd.DataFrame], dict[str, pd.Series]]:
    kept = tuple(c for c in components() if c != left_out)
    return lambda panel: {f"{INDEX}_without_{left_out}": build(panel, "entropy", kept)}


#: variant id -> the columns it builds, each with its function of the panel
INDEX_VARIANTS: Mapping[str, Mapping[str, Callable[[pd.DataFrame], dict[str, pd.Series]]]] = {
    "index_equal": {f"{INDEX}_equal": _method("equal")},
    "index_pca": {f"{INDEX}_pca": _method("pca")},
    "index_topsis": {f"{INDEX}_topsis": _method("topsis")},
    "index_drop_one": {f"{INDEX}_without_{c}": _without(c) for c in components()},
}
