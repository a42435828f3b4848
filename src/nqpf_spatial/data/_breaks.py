"""Breaks of the series: which a variable has or inherits, and which a window of years crosses."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pandas as pd

from nqpf_spatial.data import _store
from nqpf_spatial.data._break_table import BREAKS, Break


@cache
def ancestors(variable: str) -> frozenset[str]:
    """The variables a derived variable is computed from, directly or through others."""
    table = _store.definitions()
    if variable not in table.index:
        return frozenset()
    direct = [name for name in table.at[variable, "inputs"].split(";") if name]
    return frozenset(direct).union(*(ancestors(name) for name in direct))


@cache
def breaks_of(variable: str) -> tuple[tuple[Break, str], ...]:
    """Breaks of a variable, each with the input it comes through ("" for its own)."""
    found: list[tuple[Break, str]] = []
    for entry in BREAKS:
        if variable in entry.variables:
            found.append((entry, ""))
        elif entry.passes_on:
            found.extend((entry, name) for name in entry.variables if name in ancestors(variable))
    return tuple(found)


def crossings(variables: Iterable[str], window: tuple[int, int]) -> list[str]:
    """Describe every break that the values of these variables in a window of years cross.

    Parameters
    ----------
    variables : iterable of str
        Known names.
    window : tuple of int
        First and last year.

    Returns
    -------
    list of str
        One line per break, naming the variables it concerns.
    """
    lines: dict[str, list[str]] = {}
    for variable in variables:
        present = [year for year in _store.years_with_values(variable) if window[0] <= year <= window[1]]
        for entry, through in breaks_of(variable):
            if entry.crossed(present):
                what = f"{_when(entry)}: {entry.what} [{entry.rule}]"
                lines.setdefault(what, []).append(f"{variable} (through {through})" if through else variable)
    return [f"{', '.join(names)}: {what}" for what, names in lines.items()]


def break_note(variable: str) -> str:
    """All breaks of a variable inside its own years, in one line; empty if there is none."""
    present = _store.years_with_values(variable)
    parts = []
    for entry, through in breaks_of(variable):
        if entry.kind == "note" or entry.crossed(present):
            when = f"{_when(entry)}: " if entry.first else ""
            parts.append(f"{when}{entry.what}{f' (through {through})' if through else ''} [{entry.rule}]")
    return "; ".join(dict.fromkeys(parts))


def _when(entry: Break) -> str:
    """Year or years of a break."""
    return str(entry.first) if entry.first == entry.last else f"{entry.first}-{entry.last}"


def breaks(variables: Iterable[str] | str | None = None) -> pd.DataFrame:
    """List the documented breaks.

    Parameters
    ----------
    variables : str or iterable of str, optional
        Variables to look up, derived ones included; all by default.

    Returns
    -------
    pandas.DataFrame
        One row per variable and break: ``variable``, ``through`` (the input a derived variable inherits the
        break from), ``kind`` (step: values before and from ``first_year`` differ in kind; cells: values of
        these years are doubtful; note: never a warning), ``first_year``, ``last_year`` (missing for undated
        notes), ``what``, ``rule`` (rule of the release notes, "codebook" or "data").

    Raises
    ------
    DataSourceError
        A variable is unknown.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.data.breaks("population")[["kind", "first_year"]].values.tolist()
    [['step', 2005], ['step', 2010], ['step', 2011]]
    """
    names = list(_store.arrays()) if variables is None else _store.known(variables)
    rows = []
    for name in names:
        present = _store.years_with_values(name)
        for b, through in breaks_of(name):
            if b.kind == "note" or b.crossed(present):
                rows.append((name, through, b.kind, b.first or None, b.last or None, b.what, b.rule))
    columns = ["variable", "through", "kind", "first_year", "last_year", "what", "rule"]
    return pd.DataFrame(rows, columns=columns).astype({"first_year": "Int64", "last_year": "Int64"})
