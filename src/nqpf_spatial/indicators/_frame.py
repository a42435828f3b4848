"""The boundary of the indicators: labelled frames in, tables in one canonical order out."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.errors import AlignmentError, PanelError
from nqpf_spatial.weights._labels import canonical_positions, check_ids, province_codes, shorten

Array = NDArray[np.float64]

ESTIMATE = "_est"
"""Ending of names that hold estimates; what is computed from them carries it on."""

_TIME_NAMES = {"year", "time", "date", "period", "t", "年份", "年"}


class TrendWarning(UserWarning):
    """A choice that removes the common trend from an index (normalising every year on its own)."""


def check_choice(name: str, value: object, allowed: Iterable[object]) -> None:
    """Raise a ValueError that shows the given value and the allowed ones."""
    choices = list(allowed)
    if value not in choices:
        raise ValueError(f"{name}={value!r} is not known; choose one of {', '.join(map(repr, choices))}")


def column_list(value: Any) -> list[Any]:
    """Columns named by one string or by a sequence."""
    return [value] if isinstance(value, str) else list(value)


def canonical_table(
    frame: pd.DataFrame,
    columns: Sequence[Any] | None = None,
    what: str = "frame",
    *,
    span: bool = False,
    years: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """Check a frame and put it into canonical order.

    Parameters
    ----------
    frame : DataFrame
        Indexed by (unit, year) in either order of the levels, or by unit.
    columns : sequence, optional
        Columns to take; default all.
    what : str
        What the frame is called in messages.
    span : bool
        Leave out the years at either end in which some column has no value for any unit (its series starts later
        or ends earlier); ``.attrs["left_out"]`` of the result lists them.
    years : (int, int), optional
        First and last year; the others are no part of the table.

    Returns
    -------
    DataFrame
        Float, index (unit, year) or unit: units in canonical order (provinces by adcode), years ascending.

    Raises
    ------
    PanelError
        Not a frame, unknown or repeated columns, non-numeric columns, repeated rows, missing or infinite
        cells, fewer than two rows.
    AlignmentError
        Two labels that mean the same unit.
    """
    if not isinstance(frame, pd.DataFrame):
        raise PanelError(f"{what} must be a pandas DataFrame, got {type(frame).__name__}")
    wanted = list(frame.columns) if columns is None else column_list(columns)
    unknown = [c for c in wanted if c not in frame.columns]
    if unknown:
        raise PanelError(f"{what} has no columns {shorten(unknown)}; it has {shorten(frame.columns, 30)}")
    if not wanted or len(set(wanted)) < len(wanted) or not frame.columns.is_unique:
        raise PanelError(f"{what} needs distinct columns; got {shorten(wanted, 30)}")
    if not len(frame):
        raise PanelError(f"{what} has no rows")
    table = frame[wanted]
    text = [c for c in wanted if not pd.api.types.is_numeric_dtype(table[c]) or table[c].dtype == bool]
    if text:
        raise PanelError(f"columns {shorten(text)} of {what} are not numeric")
    ordered = _window(_sorted(table.astype(float), what), years, what)
    return _complete(_common_span(ordered, what) if span else ordered, what)


def _common_span(table: pd.DataFrame, what: str) -> pd.DataFrame:
    """Years from the first to the last in which every column has a value for some unit."""
    if not has_years(table):
        return table
    known = table.notna().groupby(level=1).any().sort_index()
    full = known.index[known.all(axis=1)]
    if not len(full):
        spans = [f"{c} {s.index[s][0]}-{s.index[s][-1]}" if s.any() else f"{c} never" for c, s in known.items()]
        raise PanelError(f"{what}: no year has values of every column; there are {shorten(spans, 30)}")
    years = table.index.get_level_values(1)
    out = table[(years >= full[0]) & (years <= full[-1])]
    out.attrs["left_out"] = tuple(t for t in known.index if not full[0] <= t <= full[-1])
    return out


def span_notes(left_out: Sequence[Any], years: Sequence[Any]) -> list[str]:
    """Sentence on the years a common span left out; none if it left out none."""
    if not left_out:
        return []
    before, after = ([t for t in left_out if side(t)] for side in (lambda t: t < years[0], lambda t: t > years[-1]))
    gone = " and ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in (before, after) if part)
    return [f"years {years[0]}-{years[-1]}; left out {gone}, where some indicator has no value for any unit"]


def _window(table: pd.DataFrame, years: tuple[int, int] | None, what: str) -> pd.DataFrame:
    """The years asked for; years that are not there are an error."""
    if years is None:
        return table
    if table.index.nlevels == 1:
        raise PanelError(f"years= chooses from a panel; the index of {what} has units alone")
    first, last = years
    have = table.index.get_level_values(1)
    if first > last or not {first, last} <= set(have):
        raise PanelError(f"years=({first}, {last}): {what} runs from {have.min()} to {have.max()}")
    return table[(have >= first) & (have <= last)]


def _sorted(table: pd.DataFrame, what: str) -> pd.DataFrame:
    index = table.index
    if index.nlevels > 2:
        raise PanelError(f"{what} must be indexed by unit or by (unit, year); levels are {list(index.names)}")
    if not index.is_unique:
        raise PanelError(f"{what} has repeated rows: {shorten(index[index.duplicated()], 5)}")
    if index.nlevels == 2:
        if str(index.names[0]).lower() in _TIME_NAMES:
            table = table.swaplevel(axis=0)
        units = list(table.index.get_level_values(0).unique())
        rank = {u: k for k, u in enumerate(in_order(units))}
        place = np.array([rank[u] for u in table.index.get_level_values(0)])
        return table.iloc[np.lexsort((table.index.get_level_values(1).to_numpy(), place))]
    rank = {u: k for k, u in enumerate(in_order(list(index)))}
    return table.iloc[np.argsort([rank[u] for u in index], kind="stable")]


def in_order(units: Sequence[Hashable]) -> list[Hashable]:
    """Units in canonical order: provinces by adcode, others in natural order of their text."""
    check_ids(units)
    return [units[k] for k in canonical_positions(units).tolist()]


def _complete(table: pd.DataFrame, what: str) -> pd.DataFrame:
    values = table.to_numpy()
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        cells = [f"{table.columns[j]} of {name(table.index[i])}" for i, j in bad[:6]]
        more = f" and {len(bad) - 6} more" if len(bad) > 6 else ""
        raise PanelError(
            f"{what} has {len(bad)} missing or infinite cells: {', '.join(cells)}{more}. Take a window or "
            "units in which every column is complete; nothing is filled and no row is dropped"
        )
    if len(table) < 2:
        raise PanelError(f"{what} needs at least two rows, it has {len(table)}")
    return table


def name(row: object) -> str:
    """A row of the index as text: "Tibet 2017" or "Tibet"."""
    return " ".join(str(part) for part in row) if isinstance(row, tuple) else str(row)


def has_years(table: pd.DataFrame | pd.Series) -> bool:
    """Whether the index is (unit, year)."""
    return bool(table.index.nlevels == 2)


def years_of(table: pd.DataFrame | pd.Series) -> list[Any]:
    """Years of a table in ascending order; empty for a cross-section."""
    return sorted(table.index.get_level_values(1).unique()) if has_years(table) else []


def units_of(table: pd.DataFrame | pd.Series) -> list[Any]:
    """Units of a table in canonical order."""
    return list(table.index.get_level_values(0).unique())


def are_provinces(units: Sequence[Hashable]) -> bool:
    """Whether every unit is one of the 31 provinces, under any of their names."""
    try:
        return province_codes(tuple(units)) is not None
    except AlignmentError:
        return False


def balanced(table: pd.DataFrame, what: str) -> Array:
    """A panel as an array (T, N, columns).

    Raises
    ------
    PanelError
        No years, fewer than two of them, or units that lack years (named).
    """
    if not has_years(table):
        raise PanelError(f"{what} needs a panel indexed by (unit, year)")
    years, units = years_of(table), units_of(table)
    if len(years) < 2:
        raise PanelError(f"{what} needs at least two years, there is only {years}")
    if len(table) != len(years) * len(units):
        counts = table.groupby(level=0, sort=False).size()
        raise PanelError(
            f"{what} needs a balanced panel; without all of the {len(years)} years: "
            f"{shorten(counts.index[counts < len(years)])}"
        )
    return np.ascontiguousarray(table.to_numpy().reshape(len(units), len(years), table.shape[1]).transpose(1, 0, 2))


def from_array(values: Array, units: Sequence[Any], years: Sequence[Any], names: tuple[Any, Any]) -> pd.Series:
    """An array (T, N) as a Series indexed by (unit, year)."""
    index = pd.MultiIndex.from_product([units, years], names=names)
    return pd.Series(values.T.ravel(), index=index)


def suffix(names: Iterable[object]) -> str:
    """``_est`` if any of the names is an estimate, else nothing."""
    return ESTIMATE if any(str(n).endswith(ESTIMATE) for n in names) else ""


def fingerprint(table: pd.DataFrame) -> str:
    """SHA-256 of labels and values of a canonical table."""
    digest = hashlib.sha256("\x1f".join(map(str, table.columns)).encode())
    digest.update("\x1f".join(name(row) for row in table.index).encode())
    digest.update(np.ascontiguousarray(table.to_numpy()).tobytes())
    return digest.hexdigest()
