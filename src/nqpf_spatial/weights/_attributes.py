"""Attributes of units (income, broadband, ...) that economic weights are built from."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.errors import AlignmentError, PanelError
from nqpf_spatial.provinces import Names
from nqpf_spatial.weights import _labels


@dataclass(frozen=True, slots=True)
class Attribute:
    """One number per unit, in canonical order.

    Attributes
    ----------
    ids : tuple
        Labels.
    values : ndarray (N,)
    name : str
        Name of the variable.
    years : (int, int) or None
        Years averaged; None when the user gave the values.
    breaks : tuple of str
        Documented breaks of the packaged series inside these years.
    """

    ids: tuple[Hashable, ...]
    values: NDArray[np.float64]
    name: str
    years: tuple[int, int] | None
    breaks: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, str]:
        """Lines for the report of a matrix."""
        return {"breaks in the data": "; ".join(self.breaks)} if self.breaks else {}

    @property
    def when(self) -> str:
        """Years as text."""
        if self.years is None:
            return ""
        first, last = self.years
        return str(first) if first == last else f"{first}-{last}"


def attribute(
    variable: str | pd.Series,
    years: int | tuple[int, int] | None,
    data: pd.DataFrame | None = None,
    names: Names = "en",
) -> Attribute:
    """Mean of a variable over some years, per unit.

    Parameters
    ----------
    variable : str or Series
        Variable of the packaged panel or of ``data``; or one value per unit, or per (unit, year).
    years : int, (first, last) or None
        Year, or first and last year of the mean. With one value per unit: the years that they are from.
    data : DataFrame, optional
        The user's own panel, MultiIndex (unit, year).
    names : {"en", "zh", "adcode", "iso"}
        Labels of the packaged panel.

    Raises
    ------
    PanelError
        If a cell of these years is missing (a mean over different years is not comparable).
    """
    if isinstance(variable, pd.Series):
        if data is not None:
            raise ValueError("give the values as a Series or name a column of data=, not both")
        if variable.index.nlevels == 2:
            name = str(variable.name or "values")
            return attribute(name, years, variable.to_frame(name))
        return _ordered(variable.index, variable, str(variable.name or "values"), _span(years))
    span = _span(years)
    if span is None:
        raise ValueError(f"years= is needed to average {variable!r}: a year, or (first, last)")
    breaks: tuple[str, ...] = ()
    if data is None:
        from nqpf_spatial.data import load_panel

        # All years are loaded and breaks go to the report: a mean over a census step is a choice that the
        # matrix states, not a warning at every use.
        panel = load_panel(variables=[variable], names=names)
        breaks = _breaks(variable, span)
    else:
        panel = _checked(data, variable)
    wide = panel[variable].unstack(level=_year_level(panel.index))
    absent = [y for y in range(span[0], span[1] + 1) if y not in wide.columns]
    if absent:
        raise PanelError(f"{variable} has no year {_labels.shorten(absent)}; there are {_labels.shorten(wide.columns)}")
    cells = wide.loc[:, list(range(span[0], span[1] + 1))]
    rows, columns = np.nonzero(cells.isna().to_numpy())
    holes = [f"{cells.index[i]} {cells.columns[j]}" for i, j in zip(rows, columns, strict=True)]
    if holes:
        raise PanelError(f"{variable} is missing for {_labels.shorten(holes)}; choose years in which every unit has it")
    found = _ordered(cells.index, cells.mean(axis=1), variable, span)
    return replace(found, breaks=breaks)


def _breaks(variable: str, span: tuple[int, int]) -> tuple[str, ...]:
    """Documented breaks of a packaged variable inside some years."""
    from nqpf_spatial.data import breaks

    table = breaks(variable)
    step = (table["kind"] == "step") & (table["first_year"] > span[0]) & (table["first_year"] <= span[1])
    cells = (table["kind"] == "cells") & (table["first_year"] <= span[1]) & (table["last_year"] >= span[0])
    found = table[(step | cells).fillna(False).astype(bool)]
    return tuple(f"{row.first_year}: {row.what}" for row in found.itertuples())


def _checked(data: pd.DataFrame, variable: str) -> pd.DataFrame:
    if data.index.nlevels != 2:
        raise PanelError(f"data= needs a two-level index (unit, year), got {data.index.nlevels} level(s)")
    if variable not in data.columns:
        raise PanelError(f"{variable!r} is not a column of data=; there are {_labels.shorten(data.columns)}")
    if data.index.has_duplicates:
        twice = data.index[data.index.duplicated()]
        raise PanelError(f"data= has more than one row for {_labels.shorten(map(tuple, twice.tolist()), 4)}")
    return data


def _year_level(index: pd.Index) -> int:
    """The level of the years: by name where one is called so, else the second."""
    return 0 if str(index.names[0]).lower() in ("year", "time", "period", "date", "年份", "年") else 1


def _span(years: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if years is None:
        return None
    if isinstance(years, int | np.integer):
        return int(years), int(years)
    try:
        first, last = (int(y) for y in years)
    except (TypeError, ValueError) as error:
        raise ValueError(f"years={years!r} must be a year or (first, last)") from error
    if first > last:
        raise ValueError(f"years={years!r}: the first year comes after the last")
    return first, last


def _ordered(index: Any, values: pd.Series, name: str, years: tuple[int, int] | None) -> Attribute:
    ids = _labels.check_ids(index)
    try:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise PanelError(f"{name} has values that are not numbers: {error}") from error
    bad = np.flatnonzero(~np.isfinite(numbers)).tolist()
    if bad:
        raise PanelError(f"{name} is missing or infinite for {_labels.shorten(ids[k] for k in bad)}")
    order = _labels.canonical_positions(ids)
    return Attribute(tuple(ids[k] for k in order.tolist()), numbers[order], name, years)


def same_units(a: tuple[Hashable, ...], b: tuple[Hashable, ...], what_a: str, what_b: str) -> None:
    """Raise unless two canonical tuples of labels are the same units."""
    ta, tb = _labels.tokens(a), _labels.tokens(b)
    if ta == tb:
        return
    only_a = [x for x, t in zip(a, ta, strict=True) if t not in set(tb)]
    only_b = [x for x, t in zip(b, tb, strict=True) if t not in set(ta)]
    raise AlignmentError(
        f"{what_a} and {what_b} hold different units; only in {what_a}: {_labels.shorten(only_a) or 'none'}; "
        f"only in {what_b}: {_labels.shorten(only_b) or 'none'}"
    )
