"""Which cells of an incomplete panel a fit uses: the choices of ``missing=``, and the record of what was left out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.errors import PanelError
from nqpf_spatial.models.labels import enumerate_some

CHOICES = ("raise", "drop_units", "drop_years", "subnetwork", "marginalise")
SUBSETS = ("keep", "restandardise")
ISLANDS = ("error", "keep")
#: choices that take units out of W, for good or for a year
CUTTING = ("drop_units", "subnetwork")
#: a network of two units has one link each way: nothing is left to estimate a spatial lag from
LEAST_UNITS = 3


@dataclass(frozen=True)
class Missing:
    """What a user wants done about missing cells."""

    choice: str = "raise"
    subset: str | None = None
    islands: str = "error"

    def __post_init__(self) -> None:
        """Refuse unknown and meaningless combinations at once."""
        for name, value, allowed in (("missing", self.choice, CHOICES), ("islands", self.islands, ISLANDS)):
            if value not in allowed:
                raise ValueError(f"{name}={value!r} is not known; choose one of {', '.join(map(repr, allowed))}")
        if self.subset is not None and self.subset not in SUBSETS:
            raise ValueError(f"subset={self.subset!r} is not known; choose one of {', '.join(map(repr, SUBSETS))}")
        if self.choice not in CUTTING and (self.subset is not None or self.islands != "error"):
            raise ValueError(
                f"subset= and islands= say how W is cut; missing={self.choice!r} does not cut it. They belong to "
                f"{' and '.join(f'missing={c!r}' for c in CUTTING)}"
            )


@dataclass(frozen=True, eq=False)
class Dropped:
    """What a fit left out, and on whose word.

    Attributes
    ----------
    asked : Missing
        ``missing=``, ``subset=`` and ``islands=`` of the fit.
    units, periods : tuple
        Units and periods left out altogether.
    cells : tuple of (unit, period)
        Incomplete cells of the data inside ``years=``.
    why : tuple of tuples of str
        Per incomplete cell, the variables that are missing, or "no row" alone.
    """

    asked: Missing = field(default_factory=Missing)
    units: tuple[Hashable, ...] = ()
    periods: tuple[Hashable, ...] = ()
    cells: tuple[tuple[Hashable, Hashable], ...] = ()
    why: tuple[tuple[str, ...], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was left out."""
        return bool(self.cells)

    def to_frame(self) -> pd.DataFrame:
        """One row per incomplete cell: unit, period, and the variables that are missing there."""
        units, periods = zip(*self.cells, strict=True) if self.cells else ((), ())
        return pd.DataFrame({"unit": list(units), "period": list(periods), "missing": [", ".join(w) for w in self.why]})

    def named(self) -> list[str]:
        """Incomplete cells with what they lack, for messages."""
        return [f"{cell_name(*cell)} ({', '.join(w)})" for cell, w in zip(self.cells, self.why, strict=True)]

    def short(self) -> str:
        """For a row of a comparison."""
        if not self:
            return "none"
        words = [f"{len(self.cells)} cells incomplete", self.asked.choice]
        return ", ".join([*words, *([f"W: {self.asked.subset}"] if self.asked.subset else [])])

    def facts(self) -> dict[str, Any]:
        """For provenance: plain values only."""
        return {
            "missing": self.asked.choice,
            "subset": self.asked.subset,
            "islands": self.asked.islands,
            "units": [str(u) for u in self.units],
            "periods": [str(p) for p in self.periods],
            "cells": [cell_name(*cell) for cell in self.cells],
        }

    def line(self) -> str:
        """One sentence for the summary."""
        named = enumerate_some([cell_name(*cell) for cell in self.cells], 8)
        count = f"{len(self.cells)} {'cell is' if len(self.cells) == 1 else 'cells are'} incomplete ({named})"
        choice = self.asked.choice
        if choice == "drop_units":
            return f"{count}; units left out: {enumerate_some(self.units)}{self._cut()}"
        if choice == "drop_years":
            return f"{count}; periods left out: {enumerate_some(self.periods)}"
        if choice == "subnetwork":
            never = f"; never observed, left out: {enumerate_some(self.units)}" if self.units else ""
            return f"{count}: every period on its observed sub-network{self._cut()}{never}"
        return f"{count}: the likelihood is that of the observed outcomes in the whole network, nothing is filled in"

    def _cut(self) -> str:
        if self.asked.subset is None:
            return ""
        how = {
            "keep": "elements of W kept as they are",
            "restandardise": "W standardised anew among the units that are there",
        }
        return f"; {how[self.asked.subset]}"


@dataclass(frozen=True, eq=False)
class Selection:
    """Rows of the data that a design is made of.

    Attributes
    ----------
    rows : (R,) int ndarray
        Positions of the rows used, unit by unit, period by period.
    units, periods : tuple
    observed : (T, N) bool ndarray or None
        Cells that count; None if all do.
    dropped : Dropped
    """

    rows: NDArray
    units: tuple[Hashable, ...]
    periods: tuple[Hashable, ...]
    observed: NDArray | None
    dropped: Dropped


def cell_name(unit: Hashable, period: Hashable) -> str:
    """A cell in messages."""
    return f"{unit}" if period is None else f"{unit} {period}"


def select(
    cell: NDArray,
    columns: Mapping[str, Any],
    outcome: set[str],
    labels: tuple[tuple[Hashable, ...], tuple[Hashable, ...]],
    asked: Missing,
) -> Selection:
    """Rows to use under a choice other than "raise".

    Parameters
    ----------
    cell : (R,) int ndarray
        Number of the cell of every row, unit by unit, period by period; no cell twice.
    columns : mapping
        Values of the variables of the formula.
    outcome : set of str
        Variables of the outcome.
    labels : (units, periods)
    """
    units, periods = labels
    shape = len(units), len(periods)
    if shape[1] == 1 and periods[0] is None and asked.choice != "drop_units":
        raise PanelError(
            f'missing={asked.choice!r} is for panels; a cross-section knows missing="drop_units", which is its observed '
            "sub-network"
        )
    row: NDArray = np.full(shape[0] * shape[1], -1)
    row[cell] = np.arange(cell.size)
    gaps = _gaps(row, {name: np.asarray(pd.isna(values), dtype=bool) for name, values in columns.items()})
    complete: NDArray = np.isin(np.arange(row.size), list(gaps), invert=True).reshape(shape)
    cells = tuple((units[c // shape[1]], periods[c % shape[1]]) for c in gaps)
    dropped = Dropped(asked, cells=cells, why=tuple(gaps.values()))
    if asked.choice == "marginalise":
        _require_regressors(dropped, outcome)
    keep = _kept(complete, asked.choice)
    _require_some(*keep, dropped)
    kept = np.ix_(*keep)
    whole, part = row.reshape(shape)[kept], np.asarray(complete[kept])
    observed = None if part.all() else part.T
    if observed is not None:
        _require_networks(observed, units, periods, dropped)
    used = whole.ravel() if observed is None or asked.choice == "marginalise" else whole[observed.T]
    of_units, of_periods = (_split(labels[side], keep[side]) for side in (0, 1))
    left_out = replace(dropped, units=of_units[1], periods=of_periods[1])
    return Selection(used, of_units[0], of_periods[0], observed, left_out)


def _kept(complete: NDArray, choice: str) -> tuple[NDArray, NDArray]:
    """Which units and periods stay, from what is complete (N, T)."""
    units: NDArray = np.ones(complete.shape[0], dtype=bool)
    periods: NDArray = np.ones(complete.shape[1], dtype=bool)
    if choice == "drop_units":
        units = np.asarray(complete.all(axis=1))
    elif choice == "drop_years":
        periods = np.asarray(complete.all(axis=0))
    elif choice == "subnetwork":
        units = np.asarray(complete.any(axis=1))
    return units, periods


def _split(labels: tuple[Hashable, ...], keep: NDArray) -> tuple[tuple[Hashable, ...], tuple[Hashable, ...]]:
    """Labels that stay and labels that go."""
    pairs = list(zip(labels, keep, strict=True))
    return tuple(label for label, on in pairs if on), tuple(label for label, on in pairs if not on)


def _gaps(row: NDArray, null: Mapping[str, NDArray]) -> dict[int, tuple[str, ...]]:
    """Incomplete cells and what they lack."""
    found: dict[int, tuple[str, ...]] = {}
    names = list(null)
    table = np.column_stack([null[name] for name in names])
    gaps = np.count_nonzero(table, axis=1)
    for cell, position in enumerate(row):
        if position < 0:
            found[cell] = ("no row",)
        elif gaps[position]:
            found[cell] = tuple(name for name, absent in zip(names, table[position], strict=True) if absent)
    return found


def _require_regressors(dropped: Dropped, outcome: set[str]) -> None:
    """Outcomes may be integrated out of the likelihood; regressors have no distribution to do that with."""
    named = zip(dropped.named(), dropped.why, strict=True)
    bad = [name for name, why in named if not set(why) <= outcome]
    if bad:
        raise PanelError(
            f'missing="marginalise" is for missing outcomes; regressors are missing in {len(bad)} cells: '
            f'{enumerate_some(bad)}. Use missing="subnetwork", or multiple imputation and nq.pool'
        )


def _require_some(units: NDArray, periods: NDArray, dropped: Dropped) -> None:
    if units.any() and periods.any():
        return
    lost, other = ("unit", "drop_years") if not units.any() else ("period", "drop_units")
    raise PanelError(
        f"missing={dropped.asked.choice!r} leaves no {lost}: incomplete are {enumerate_some(dropped.named(), 6)}. Use missing={other!r} or "
        'missing="subnetwork", another window with years=, or other variables'
    )


def _require_networks(
    observed: NDArray, units: tuple[Hashable, ...], periods: tuple[Hashable, ...], dropped: Dropped
) -> None:
    seen = np.count_nonzero(observed, axis=1)
    small = [t for t in range(len(periods)) if seen[t] < LEAST_UNITS]
    if small:
        counted = enumerate_some([f"{periods[t]} ({seen[t]})" for t in small])
        raise PanelError(
            f"periods with fewer than {LEAST_UNITS} observed units: {counted}. Leave them out with years=, or use "
            'missing="drop_years"'
        )
    never = [units[i] for i in range(observed.shape[1]) if not np.any(observed[:, i])]
    if dropped.asked.choice == "marginalise" and never:
        raise PanelError(
            f"the outcome is never observed in {enumerate_some(never)}: drop the units, and take them out of W with w.subset"
        )
