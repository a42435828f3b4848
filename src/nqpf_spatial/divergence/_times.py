"""Which times of a series enter: its own span, a window, complete cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.errors import PanelError

Years: TypeAlias = int | tuple[int, int] | Sequence[int] | None
Missing: TypeAlias = Literal["raise", "drop_years", "drop_units"]


def shorten(items: Iterable[object], limit: int = 10) -> str:
    """List items for a message, at most ``limit`` of them."""
    texts = [str(x) for x in items]
    return ", ".join(texts[:limit]) + (f", ... ({len(texts)} in all)" if len(texts) > limit else "")


def numbered(times: pd.Index, what: str, level: str) -> None:
    """Refuse times that are no numbers: windows, gaps and trends all count with them."""
    if not pd.api.types.is_numeric_dtype(times.dtype):
        raise PanelError(
            f"the times of {what} (index level {level!r}) must be numbers such as 2011, they are {times[0]!r}, ...; "
            f"convert them first: data.reset_index().astype({{{level!r}: int}}).set_index([unit, {level!r}])"
        )


def occupied(table: pd.DataFrame, what: str) -> tuple[pd.DataFrame, str]:
    """Without the leading and trailing times in which no unit has a value, and a note of the span left."""
    filled = np.flatnonzero(table.notna().to_numpy().any(axis=1))
    if not len(filled):
        raise PanelError(f"{what} has no value at all in {_span(table.index)}")
    if filled[0] == 0 and filled[-1] == len(table) - 1:
        return table, ""
    kept = table.iloc[filled[0] : filled[-1] + 1]
    return kept, f"series {_span(kept.index)}"


def _span(times: pd.Index) -> str:
    return f"{times[0]}-{times[-1]}" if len(times) > 1 else str(times[0])


def window(table: pd.DataFrame, years: Years, what: str) -> pd.DataFrame:
    """Times asked for; those the series does not have are an error that names them."""
    if years is None:
        return table
    wanted = [years] if isinstance(years, (int, np.integer)) else list(years)  # type: ignore[arg-type]
    if isinstance(years, str) or not all(isinstance(t, (int, float, np.number)) for t in wanted):
        raise PanelError(f"years={years!r} must be numbers: a year, (first, last) or a list of years")
    if table.index[0] is None:
        raise PanelError(f"{what} is a cross-section without times; leave years={years!r} out")
    if isinstance(years, tuple) and len(years) == 2:
        first, last = years
        if first > last:
            raise PanelError(f"years={years} must be (first, last) with first <= last")
        outside = [t for t in range(int(first), int(last) + 1) if not table.index[0] <= t <= table.index[-1]]
        kept = table.loc[[t for t in table.index if first <= t <= last]]
        if outside or kept.empty:
            raise PanelError(
                f"{what} has no times {shorten(outside or [years])} of years={years}; "
                f"it has {shorten(table.index, 30)}: narrow the window"
            )
        return kept
    absent = [t for t in wanted if t not in table.index]
    if absent:
        raise PanelError(f"{what} has no times {shorten(absent)}; it has {shorten(table.index, 30)}")
    return table.loc[sorted(wanted)]


def holes(bad: NDArray[np.bool_], table: pd.DataFrame) -> str:
    """Units of the bad cells by time, for a message."""
    rows = []
    for r in np.flatnonzero(bad.any(axis=1))[:6]:
        units = [str(table.columns[c]) for c in np.flatnonzero(bad[r])]
        when = "" if table.index[r] is None else f"{table.index[r]}: "
        rows.append(when + ("all units" if bad[r].all() else shorten(units, 5)))
    more = int(bad.any(axis=1).sum()) - len(rows)
    return "; ".join(rows) + (f"; and {more} more times" if more > 0 else "")


def complete(table: pd.DataFrame, missing: Missing, what: str) -> tuple[pd.DataFrame, str]:
    """Complete cells only: an error, or fewer times or units where ``missing=`` says so, with a note."""
    bad = ~np.isfinite(table.to_numpy())
    if not bad.any():
        return table, ""
    if missing == "drop_years":
        if bad.any(axis=1).all():
            never = table.columns[bad.all(axis=0)]
            who = f": {shorten(never, 31)} in every year; say missing='drop_units'" if len(never) else "; narrow years="
            raise PanelError(f"{what}: missing='drop_years' leaves no year, cells are missing in all of them{who}")
        gone = table.index[bad.any(axis=1)]
        return table.drop(index=gone), f"times left out because cells are missing: {shorten(gone, 30)}"
    if missing == "drop_units":
        if bad.any(axis=0).all():
            holed = table.index[bad.all(axis=1)]
            when = f" ({shorten(holed, 30)} for every unit)" if len(holed) else ""
            raise PanelError(
                f"{what}: missing='drop_units' leaves no unit, cells are missing in all of them{when}; narrow the "
                "window with years=, or say missing='drop_years'"
            )
        lost = table.columns[bad.any(axis=0)]
        return table.drop(columns=lost), f"units left out because cells are missing: {shorten(lost, 31)}"
    if missing != "raise":
        raise PanelError(f"missing={missing!r} is not known; choose 'raise', 'drop_years' or 'drop_units'")
    raise PanelError(
        f"{what} has {int(bad.sum())} missing or infinite cells ({holes(bad, table)}). Narrow the window "
        "with years=(first, last), or say missing='drop_years' or missing='drop_units'; nothing is filled"
    )
