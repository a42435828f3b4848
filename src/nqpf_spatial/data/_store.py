"""Reading of the packaged release: each file parsed once per process."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.data import derive
from nqpf_spatial.data._formulas import Formula
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces import PROVINCES

ADCODES: tuple[int, ...] = tuple(p.adcode for p in PROVINCES)


class FrozenDict(dict[str, Any]):
    """A dict that refuses changes, so that frames can share it.

    pandas deep-copies ``attrs`` at every operation on a frame; a codebook of 265 entries would cost
    milliseconds each time. What cannot change need not be copied.
    """

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("shared metadata of the packaged release cannot be changed; work on dict(...) of it")

    __setitem__ = __delitem__ = update = pop = popitem = clear = setdefault = __ior__ = _refuse  # type: ignore[assignment]

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenDict:
        return self

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, Any]]]:
        return FrozenDict, (dict(self),)


def read_bytes(name: str) -> bytes:
    """Raw content of a packaged file."""
    try:
        return (resources.files("nqpf_spatial.data") / "files" / name).read_bytes()
    except FileNotFoundError as error:
        raise DataSourceError(f"packaged file {name} is missing: the installation is damaged, reinstall") from error


def read_csv(name: str, **options: Any) -> pd.DataFrame:
    """Parse a packaged csv; blank text stays an empty string."""
    path = resources.files("nqpf_spatial.data") / "files" / name
    with resources.as_file(path) as file:
        return pd.read_csv(file, encoding="utf-8", keep_default_na=False, na_values=[], **options)


@cache
def release() -> dict[str, Any]:
    """Content of release.json."""
    return FrozenDict(json.loads(read_bytes("release.json")))


@cache
def variables() -> pd.DataFrame:
    """Codebook of the published variables, indexed by name."""
    return read_csv("codebook.csv").set_index("variable")


@cache
def definitions() -> pd.DataFrame:
    """Definitions of the derived variables, indexed by name."""
    return read_csv("derived.csv").set_index("name")


@cache
def sources() -> pd.DataFrame:
    """Sources, indexed by source_id."""
    return read_csv("sources.csv").set_index("source_id")


@cache
def cells() -> pd.DataFrame:
    """All published cells: variable, adcode, year, value, source_id."""
    types = {"variable": "category", "source_id": "category", "value": str}
    table = read_csv("panel.csv.gz", dtype=types)
    # from text, because the csv parser of some pandas versions is off by one bit
    table["value"] = table["value"].to_numpy(dtype=object).astype(np.float64)
    return table


@cache
def years() -> tuple[int, ...]:
    """Years of the release."""
    note = release()
    return tuple(range(note["first_year"], note["last_year"] + 1))


@cache
def published() -> dict[str, NDArray[np.float64]]:
    """Published variables as read-only arrays of shape (31, years); a missing cell is NaN."""
    table = cells()
    shape = (len(table["variable"].cat.categories), len(ADCODES), len(years()))
    cube = np.full(shape, np.nan)
    province = np.searchsorted(ADCODES, table["adcode"].to_numpy())
    cube[table["variable"].cat.codes.to_numpy(), province, table["year"].to_numpy() - years()[0]] = table["value"]
    cube.setflags(write=False)
    return dict(zip(table["variable"].cat.categories, cube, strict=True))


@cache
def windows() -> dict[str, frozenset[int]]:
    """Years in which each derived variable exists: the stated span less the absent years."""
    spans = {}
    for row in definitions().itertuples():
        absent = {int(year) for year in row.absent_years.split(";") if year}
        spans[row.Index] = frozenset(range(row.first_year, row.last_year + 1)) - absent
    return spans


@cache
def flows_index() -> pd.DataFrame:
    """Instrument, expansion factor and status of each migration matrix, indexed by its name."""
    return read_csv("flows_index.csv").set_index("matrix")


@cache
def formulas() -> dict[str, Formula]:
    """Derived variable -> its formula."""
    factors = flows_index()["expansion_factor"]
    expansion = {int(name.removeprefix("5yr_")): f for name, f in factors.items() if name.startswith("5yr_")}
    return derive.formulas(windows(), expansion)


@cache
def arrays() -> dict[str, NDArray[np.float64]]:
    """Published and derived variables as read-only arrays of shape (31, years), in codebook order."""
    in_order = {name: published()[name] for name in variables().index}
    return in_order | derive.derive(in_order, years(), windows(), formulas())


@cache
def years_with_values(name: str) -> tuple[int, ...]:
    """Years in which a variable has a value for at least one province."""
    filled = np.asarray(np.isfinite(arrays()[name]).any(axis=0))
    return tuple(year for year, any_value in zip(years(), filled, strict=True) if any_value)


def known(names: Iterable[str]) -> list[str]:
    """Check names of variables against the release, or say which are unknown and what resembles them."""
    if not isinstance(names, Iterable):
        raise DataSourceError(f"variables={names!r}: give a name or several, for example ['gdp', 'population']")
    given = [names] if isinstance(names, str) else list(names)
    have = arrays()
    problems = []
    for name in given:
        if name not in have:
            near = difflib.get_close_matches(str(name).lower(), have, n=5, cutoff=0.6)
            problems.append(f"{name!r} (nearest: {', '.join(near)})" if near else f"{name!r}")
    if problems:
        raise DataSourceError(
            f"unknown variable {'; '.join(problems)}. nq.data.codebook() lists the {len(have)} variables"
        )
    twice = sorted({name for name in given if given.count(name) > 1})
    if twice:
        raise DataSourceError(f"variables given twice: {', '.join(twice)}")
    return given
