"""Which units and which periods: by any name of a province, by block, by label, by a yes or no for every unit."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial import provinces
from nqpf_spatial.errors import AlignmentError, PanelError
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.labels import enumerate_some, kind_hint

#: names of groups of provinces -> (scheme, group)
_BLOCKS = {
    "east": ("block", "East"), "东部": ("block", "East"), "central": ("block", "Central"), "中部": ("block", "Central"),
    "west": ("block", "West"), "西部": ("block", "West"), "northeast": ("block", "Northeast"),
    "东北": ("block", "Northeast"), "north": ("north_south", "North"), "北方": ("north_south", "North"),
    "south": ("north_south", "South"), "南方": ("north_south", "South"), "hub": ("hub", "hub"), "枢纽": ("hub", "hub"),
    "cluster": ("cluster", "cluster"), "集群": ("cluster", "cluster"),
}  # fmt: skip


def select_units(where: object, units: tuple[Hashable, ...]) -> NDArray[np.bool_]:
    """(N,) units meant by `where`.

    Parameters
    ----------
    where : object
        None (all); a label or a list of labels, each a unit as the data write it, any name of a province
        ("Sichuan", "四川", 510000) or a group of provinces ("West", "西部", "North", "hub"); or a mapping or Series from every unit to
        True or False.
    units : tuple
        Units of the fit.

    Raises
    ------
    AlignmentError
        A label that is no unit; the message names it and the nearest units.
    """
    if where is None:
        return np.ones(len(units), dtype=bool)
    if isinstance(where, (Mapping, pd.Series)):
        return _flags(where, units)
    if isinstance(where, (str, bytes)) or not isinstance(where, Iterable):
        where = [where]
    wanted = list(where)
    if not wanted:
        raise ValueError("where= is empty; leave it out for all units")
    codes = _codes(units)
    chosen = np.zeros(len(units), dtype=bool)
    unknown = []
    for label in wanted:
        found = _positions(label, units, codes)
        if not found:
            unknown.append(label)
        chosen[found] = True
    if unknown:
        raise AlignmentError(_unknown(unknown, units, codes is not None))
    return chosen


def group_name(chosen: tuple[Hashable, ...], units: tuple[Hashable, ...], lang: str) -> str | None:
    """Name of the group of provinces that `chosen` is, if it is one."""
    if not all(map(provinces.is_province, units)):
        return None
    for name, (scheme, group) in _BLOCKS.items():
        if name.isascii() == (lang == "en"):
            members = [unit for unit in units if provinces.group_of(unit, scheme) == group]  # type: ignore[arg-type]
            if set(members) == set(chosen):
                return group if lang == "en" else name
    return None


def align_units(labels: Iterable[Hashable], units: tuple[Hashable, ...], what: str) -> dict[int, Hashable]:
    """Label of `labels` for every unit it names, by position of the unit; labels that are no unit are an error."""
    codes = _codes(units)
    found: dict[int, Hashable] = {}
    unknown = []
    for label in labels:
        position = _positions(label, units, codes, groups=False)
        if not position:
            unknown.append(label)
        elif position[0] in found:
            raise AlignmentError(f"{what}: {found[position[0]]!r} and {label!r} are the same unit")
        else:
            found[position[0]] = label
    if unknown:
        raise AlignmentError(f"{what}: {_unknown(unknown, units, False)}")
    return found


def select_periods(years: object, design: Design) -> NDArray[np.bool_]:
    """(T,) periods meant by `years`: None (all), one period, or (first, last), both ends included."""
    periods = design.periods
    if years is None:
        return np.ones(len(periods), dtype=bool)
    if len(design.levels) == 1:
        raise PanelError("years= needs a panel; the fit is of a cross-section")
    if isinstance(years, (tuple, list)) and len(years) != 2:
        raise ValueError(f"years={years!r}: give one period or (first, last)")
    ends = list(years) if isinstance(years, (tuple, list)) else [years, years]
    absent = [edge for edge in dict.fromkeys(ends) if edge not in periods]
    if absent:
        hint = kind_hint(absent[0], pd.Index(periods), design.levels[1])
        raise PanelError(
            f"years={years!r}: the fit has no {enumerate_some(absent)}; it covers {periods[0]} to {periods[-1]}{hint}"
        )
    first, last = (periods.index(edge) for edge in ends)
    if first > last:
        raise ValueError(f"years={years!r}: the first period comes after the last")
    chosen = np.zeros(len(periods), dtype=bool)
    chosen[first : last + 1] = True
    return chosen


def _codes(units: tuple[Hashable, ...]) -> dict[int, int] | None:
    """Position by adcode when every unit is a province, else None."""
    if not all(map(provinces.is_province, units)):
        return None
    return {provinces.resolve(unit).adcode: i for i, unit in enumerate(units)}


def _positions(label: Any, units: tuple[Hashable, ...], codes: dict[int, int] | None, groups: bool = True) -> list[int]:
    if isinstance(label, Hashable) and label in units:
        return [units.index(label)]
    if codes is None:
        return []
    if provinces.is_province(label):
        code = provinces.resolve(label).adcode
        return [codes[code]] if code in codes else []
    key = str(label).strip().casefold().removesuffix("地区")
    if not groups or key not in _BLOCKS:
        return []
    scheme, group = _BLOCKS[key]
    return [i for i, unit in enumerate(units) if provinces.group_of(unit, scheme) == group]  # type: ignore[arg-type]


def _flags(where: Mapping[Any, Any] | pd.Series, units: tuple[Hashable, ...]) -> NDArray[np.bool_]:
    given = dict(where)
    known = align_units(given, units, "where=")
    absent = [str(unit) for i, unit in enumerate(units) if i not in known]
    if absent:
        raise AlignmentError(f"where= says nothing about {enumerate_some(absent)}; give True or False for every unit")
    values = [given[known[i]] for i in range(len(units))]
    if not all(isinstance(value, (bool, np.bool_)) for value in values):
        raise TypeError("where= as a mapping or Series holds True or False for every unit")
    return np.array(values, dtype=bool)


def _unknown(labels: list[Any], units: tuple[Hashable, ...], china: bool) -> str:
    known = [str(unit) for unit in units]
    near = difflib.get_close_matches(str(labels[0]), known, n=3)
    hint = f" (nearest: {', '.join(near)})" if near else f"; the units are {enumerate_some(known, 6)}"
    groups = (
        ". Groups: East, Central, West, Northeast, North, South, hub, cluster, or 东部, 中部, 西部, 东北, 北方, 南方"
    )
    return f"no unit of the fit: {enumerate_some([repr(label) for label in labels])}{hint}{groups if china else ''}"
