"""What the release holds: the codebook and the source of any cell."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from nqpf_spatial.data import _store
from nqpf_spatial.data._breaks import ancestors, break_note
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces import PROVINCES, Names, label, resolve


@cache
def entry(variable: str) -> dict[str, Any]:
    """Codebook entry of a variable, as plain values that json can write."""
    is_derived = variable in _store.definitions().index
    row = (_store.definitions() if is_derived else _store.variables()).loc[variable]
    counts = np.isfinite(_store.arrays()[variable]).sum(axis=0)
    present = {year: int(n) for year, n in zip(_store.years(), counts, strict=True) if n}
    return _store.FrozenDict(
        variable=variable,
        group=row["group"],
        unit=row["unit"],
        label_en=row["label_en"],
        label_zh=row["label_zh"],
        derived=is_derived,
        estimate=variable.endswith("_est"),
        formula=row["formula"] if is_derived else "",
        inputs=row["inputs"].replace(";", " ") if is_derived else "",
        first_year=min(present),
        last_year=max(present),
        cells=sum(present.values()),
        years_complete=sum(n == len(PROVINCES) for n in present.values()),
        years_partial=" ".join(f"{year}:{n}" for year, n in present.items() if n < len(PROVINCES)),
        years_absent=" ".join(str(y) for y in range(min(present), max(present)) if y not in present),
        note=row["coverage_note"] if is_derived else row["note"],
        break_note=break_note(variable),
    )


@cache
def source_entry(source: str) -> dict[str, Any]:
    """Description of a source as a plain dict."""
    return _store.FrozenDict(_store.sources().loc[source].to_dict())


@cache
def _published_sources() -> dict[str, frozenset[str]]:
    """Published variable -> its sources."""
    grouped = _store.cells().groupby("variable", observed=True)["source_id"]
    return {str(name): frozenset(map(str, values.unique())) for name, values in grouped}


def published_inputs(variable: str) -> list[str]:
    """The published variables behind a variable: itself, or those its formula goes back to."""
    if variable in _store.variables().index:
        return [variable]
    return [name for name in _store.variables().index if name in ancestors(variable)]


def sources_of(variable: str) -> frozenset[str]:
    """Source ids of all cells behind a variable."""
    return frozenset().union(*(_published_sources()[name] for name in published_inputs(variable)))


def codebook(variables: Iterable[str] | str | None = None) -> pd.DataFrame:
    """Return the codebook: one row per published and per derived variable.

    Parameters
    ----------
    variables : str or iterable of str, optional
        All by default.

    Returns
    -------
    pandas.DataFrame
        Indexed by variable: group, unit, label_en, label_zh, derived, estimate (names ending in ``_est``),
        formula and inputs of derived variables, first_year, last_year, cells, years_complete (years with
        all 31 provinces), years_partial ("year:provinces"), years_absent (gaps inside the span), note,
        break_note.

    Raises
    ------
    DataSourceError
        A variable is unknown.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.data.codebook("rd_intensity").loc["rd_intensity", ["formula", "label_zh"]].tolist()
    ['100 * rd_expenditure / gdp', 'R&D经费投入强度']
    """
    names = list(_store.arrays()) if variables is None else _store.known(variables)
    return pd.DataFrame([dict(entry(name)) for name in names]).set_index("variable")


def sources(
    variable: str | None = None, province: object = None, year: int | None = None, names: Names = "en"
) -> pd.DataFrame:
    """Return the sources of the release, or where given cells were read.

    Parameters
    ----------
    variable : str, optional
        A variable. For a derived one the cells of all published variables behind it are listed.
    province : optional
        Any name of a province.
    year : int, optional
        A year.
    names : {"en", "zh", "adcode", "iso"}
        Form of the province labels.

    Returns
    -------
    pandas.DataFrame
        Without arguments: the list of sources, indexed by ``source_id`` (repository and path read, commit,
        licence stated there, official origin, note). Otherwise one row per published cell: variable,
        province, year, value, source_id and the description of the source. For a derived variable the rows
        are the cells its value rests on; where the formula reaches across years (chained indices, pooled
        ranges) or provinces (sums, means), all years or all provinces of its inputs.

    Raises
    ------
    DataSourceError
        Unknown variable, province or year; or no such cell.

    Notes
    -----
    Most figures were read in public copies of NBS downloads; ``official_origin`` names the official table.
    Cite that table.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.data.sources("gdp", "广东", 2023)[["province", "year", "value", "source_id"]].values.tolist()
    [['Guangdong', 2023, 137905.4, 'ren_gdp']]
    """
    if variable is None and province is None and year is None:
        return _store.sources().copy()
    table = _store.cells()
    keep = np.ones(len(table), dtype=bool)
    adcode = None if province is None else resolve(province).adcode
    if year is not None and year not in _store.years():
        raise DataSourceError(f"year={year!r} is outside the release: {_store.years()[0]}-{_store.years()[-1]}")
    other_years = other_provinces = False
    if variable is not None:
        _store.known([variable])
        _require_value(variable, adcode, year)
        other_years, other_provinces = reach(variable)
        keep &= table["variable"].isin(published_inputs(variable)).to_numpy()
    if adcode is not None and not other_provinces:
        keep &= (table["adcode"] == adcode).to_numpy()
    if year is not None and not other_years:
        keep &= (table["year"] == year).to_numpy()
    found = table[keep].astype({"variable": str, "source_id": str})
    labels = {p.adcode: label(p, names) for p in PROVINCES}
    found.insert(1, "province", found.pop("adcode").map(labels))
    return found.join(_store.sources(), on="source_id").reset_index(drop=True)


def _require_value(variable: str, adcode: int | None, year: int | None) -> None:
    """Stop unless the variable has a value for this province and year (None: any)."""
    values = _store.arrays()[variable]
    rows = slice(None) if adcode is None else _store.ADCODES.index(adcode)
    columns = slice(None) if year is None else _store.years().index(year)
    if not np.isfinite(values[rows, columns]).any():
        where = "any province" if adcode is None else label(adcode)
        when = "any year" if year is None else year
        raise DataSourceError(
            f"the release has no value of {variable} for {where} in {when}; "
            f"it has the years {' '.join(map(str, _store.years_with_values(variable)))}"
        )


@cache
def reach(variable: str) -> tuple[bool, bool]:
    """Whether a cell of a variable rests on other years, on other provinces."""
    known = _store.formulas()
    chain = [known[name] for name in (variable, *ancestors(variable)) if name in known]
    return any(f.other_years for f in chain), any(f.other_provinces for f in chain)
