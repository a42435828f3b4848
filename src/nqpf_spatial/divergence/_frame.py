"""The boundary: labelled series in, arrays in canonical order out. Every input defect is an error here."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial import provinces
from nqpf_spatial.divergence._times import Missing, Years, complete, holes, numbered, occupied, shorten, window
from nqpf_spatial.errors import AlignmentError, PanelError

Array: TypeAlias = NDArray[np.float64]
GroupSpec: TypeAlias = str | Mapping[Any, Any] | pd.Series
WeightSpec: TypeAlias = str | Mapping[Any, float] | pd.Series | None

SCHEMES = ("block", "north_south", "hub", "cluster")
#: Chinese names of the groups of the schemes
_CHINESE = {
    "东部": "East", "中部": "Central", "西部": "West", "东北": "Northeast", "北方": "North", "南方": "South",
    "枢纽": "hub", "集群": "cluster", "其他": "other",
}  # fmt: skip
_TIME_NAMES = {"year", "time", "date", "period", "t", "年份", "年"}
_DIGITS = re.compile(r"(\d+)")


def key(label: Any) -> str:
    """Text that identifies a unit: the adcode of a province whatever its name is written in, else str."""
    text = str(label)
    if not (len(text) <= 2 and text.isascii()) and provinces.is_province(label):
        return str(provinces.resolve(label).adcode)
    return text


def all_provinces(labels: Iterable[Any]) -> bool:
    """Whether every label names a province."""
    return all(not (len(str(x)) <= 2 and str(x).isascii()) and provinces.is_province(x) for x in labels)


def canonical(labels: Iterable[Any]) -> list[Any]:
    """Provinces by adcode; numbers by size; anything else in natural order of its text."""
    items = list(labels)
    if all_provinces(items):
        return sorted(items, key=lambda x: int(key(x)))
    if all(isinstance(x, (int, float, np.number)) for x in items):
        return sorted(items)
    return sorted(items, key=lambda x: [(p.isdigit(), int(p) if p.isdigit() else p) for p in _split(str(x))])


def _split(text: str) -> list[str]:
    return [p for p in _DIGITS.split(text) if p]


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """A series as an array, one row per time and one column per unit.

    Attributes
    ----------
    values, weights : ndarray (T, N)
        Weights are ones where none were given.
    units, times : tuple
        Labels in canonical order; a cross-section has ``times = (None,)``.
    weighted : bool
    name : str
    unit_name, time_name : str
        Names of the index levels.
    note : str
        Span of the series where it starts later or ends earlier than its panel; what an explicit ``missing=``
        left out; empty otherwise.
    """

    values: Array
    weights: Array
    units: tuple[Hashable, ...]
    times: tuple[Any, ...]
    weighted: bool
    name: str
    unit_name: str
    time_name: str
    note: str

    @property
    def cross_section(self) -> bool:
        """Whether there is no time dimension."""
        return self.times == (None,)

    def index(self) -> pd.Index:
        """Index of a table with one row per time."""
        if self.cross_section:
            return pd.Index([self.name])
        return pd.Index(self.times, name=self.time_name)

    def frame(self) -> pd.DataFrame:
        """Values with labels, times in rows."""
        return pd.DataFrame(self.values, index=self.index(), columns=pd.Index(self.units, name=self.unit_name))

    def position(self, time: Any) -> int:
        """Row of a time, or an error that lists the times there are."""
        if time not in self.times:
            raise PanelError(f"{self.name} has no {self.time_name} {time}; it has {shorten(self.times, 30)}")
        return self.times.index(time)


def _pick(data: pd.Series | pd.DataFrame, value: str | None) -> pd.Series:
    if isinstance(data, pd.Series):
        if value is not None:
            raise PanelError(f"value={value!r} names a column of a DataFrame, but a Series was given; leave it out")
        return data
    if not isinstance(data, pd.DataFrame):
        raise PanelError(f"expected a labelled pandas Series or DataFrame, got {type(data).__name__}")
    if value is None and data.index.nlevels == 1 and data.shape[1] > 1:
        raise PanelError(
            "a table with times (or units) in columns must be stacked into one series first: "
            "table.rename_axis(index='unit', columns='year').stack().rename('x'), names swapped where the times are "
            f"in rows. If the columns are variables, say value=... one of {shorten(data.columns, 30)}"
        )
    if value is None and data.shape[1] == 1:
        return data.iloc[:, 0]
    if value is None or value not in data.columns:
        raise PanelError(f"say which column to use: value=... one of {shorten(data.columns, 30)}; got {value!r}")
    return data[value]


def levels(index: pd.MultiIndex) -> tuple[int, int]:
    """Positions of the unit and of the time level: by name where one is called year, else (unit, time)."""
    named = [i for i, n in enumerate(index.names) if str(n).lower() in _TIME_NAMES]
    return (1, 0) if named == [0] else (0, 1)


def _long_to_table(series: pd.Series, what: str) -> tuple[pd.DataFrame, str, str]:
    if not isinstance(series.index, pd.MultiIndex):
        table = series.to_frame().T
        table.index = pd.Index([None], dtype=object)
        names = (str(series.index.name or "unit"), "time")
    else:
        if series.index.nlevels != 2:
            raise PanelError(f"{what} needs an index (unit, time); it has levels {list(series.index.names)}")
        unit, time = levels(series.index)
        twice = series.index[series.index.duplicated()]
        if len(twice):
            raise PanelError(f"{what} has {len(twice)} repeated cells: {shorten(twice, 5)}")
        table = series.unstack(level=unit)
        names = (str(series.index.names[unit] or "unit"), str(series.index.names[time] or "time"))
    if not table.columns.is_unique:
        twice_units = table.columns[table.columns.duplicated()].unique()
        raise PanelError(f"{what} has repeated units: {shorten(twice_units)}")
    return table, *names


def wide(
    data: pd.Series | pd.DataFrame,
    *,
    value: str | None = None,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    min_units: int = 2,
) -> Wide:
    """Turn a labelled series into arrays in canonical order.

    Leading and trailing times in which no unit has a value are no part of the series (a column of a panel that
    starts earlier than the variable); the note names the span. Times without any value in between, and times in
    which some units lack a value, are missing cells.

    Raises
    ------
    PanelError
        Missing, infinite, repeated or non-numeric cells, named; too few units.
    AlignmentError
        Weights that do not cover the cells.
    """
    series = _pick(data, value)
    what = str(series.name) if series.name is not None else "the series"
    if not pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
        raise PanelError(f"{what} must be numeric, its dtype is {series.dtype}")
    if not len(series):
        raise PanelError(f"{what} has no rows")
    table, unit_name, time_name = _long_to_table(series.astype(float), what)
    if len({key(u) for u in table.columns}) < table.shape[1]:
        raise AlignmentError(f"{what}: several labels mean the same unit among {shorten(table.columns, 40)}")
    table = table[canonical(table.columns)]
    trimmed = ""
    if table.index[0] is not None:
        numbered(table.index, what, time_name)
        table, trimmed = occupied(table.sort_index(), what)
    table = window(table, years, what)
    table, note = complete(table, missing, what)
    note = "; ".join(n for n in (trimmed, note) if n)
    if table.shape[0] == 0 or table.shape[1] < min_units:
        raise PanelError(f"{what}: {table.shape[1]} units and {table.shape[0]} times are left, need {min_units} units")
    w = np.ones(table.shape)
    if weights is not None:
        source = data[weights] if isinstance(weights, str) and isinstance(data, pd.DataFrame) else weights
        w = _weights(source, table, what)
    times = tuple(t.item() if isinstance(t, np.generic) else t for t in table.index)
    return Wide(
        np.ascontiguousarray(table.to_numpy()), w, tuple(table.columns), times, weights is not None, what,
        unit_name, time_name, note,
    )  # fmt: skip


def _weights(weights: Any, table: pd.DataFrame, what: str) -> Array:
    if isinstance(weights, str):
        raise AlignmentError(f"weights={weights!r} names a column, but {what} came as a Series; pass the column itself")
    series = weights if isinstance(weights, pd.Series) else pd.Series(dict(weights), dtype=float)
    given, *_ = _long_to_table(series.astype(float), "weights")
    given.columns = pd.Index([key(u) for u in given.columns])
    wanted = [key(u) for u in table.columns]
    absent = [u for u, k in zip(table.columns, wanted, strict=True) if k not in given.columns]
    if absent:
        raise AlignmentError(f"weights lack {len(absent)} units of {what}: {shorten(absent)}")
    given = given[wanted]
    if isinstance(series.index, pd.MultiIndex):
        late = [t for t in table.index if t not in given.index]
        if late:
            raise AlignmentError(f"weights lack the times {shorten(late)} of {what}")
        out = given.loc[table.index].to_numpy()
    else:
        out = np.repeat(given.to_numpy(), len(table), axis=0)
    bad = ~np.isfinite(out) | (out < 0)
    if bad.any() or (out.sum(axis=1) <= 0).any():
        raise PanelError(f"weights must be finite, non-negative and not all zero; see {holes(bad, table)}")
    return np.ascontiguousarray(out)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of units: ``names`` in their order and ``codes (N,)`` into them."""

    names: tuple[Any, ...]
    codes: NDArray[np.intp]
    label: str

    def size(self) -> NDArray[np.intp]:
        """Number of units in each group."""
        return np.bincount(self.codes, minlength=len(self.names))

    def position(self, name: Any) -> int:
        """Code of a group (of a scheme of the provinces also by its Chinese name), or an error that lists them."""
        if name not in self.names and self.label in SCHEMES:
            name = _CHINESE.get(name, name)
        if name not in self.names:
            raise AlignmentError(f"there is no group {name!r}; the groups of {self.label} are {shorten(self.names)}")
        return self.names.index(name)


def membership(x: Wide, groups: GroupSpec, data: Any = None) -> Groups:
    """Group of every unit: a scheme of the provinces, a column of ``data``, a Series or a mapping."""
    if isinstance(groups, str):
        if isinstance(data, pd.DataFrame) and groups in data.columns:
            return _from_pairs(x, _constant(data[groups]), groups, _order_of(data[groups]))
        if groups not in SCHEMES:
            raise AlignmentError(f"groups={groups!r} is neither a column of the data nor one of {', '.join(SCHEMES)}")
        if not all_provinces(x.units):
            raise AlignmentError(
                f"groups={groups!r} needs Chinese provinces, the units are {shorten(x.units, 5)}; "
                "pass a Series or dict label -> group"
            )
        pairs = {key(u): provinces.group_of(u, groups) for u in x.units}  # type: ignore[arg-type]
        return _from_pairs(x, pairs, groups, tuple(provinces.groups(groups)))  # type: ignore[arg-type]
    if isinstance(groups, pd.Series):
        return _from_pairs(x, _constant(groups), str(groups.name or "groups"), _order_of(groups))
    if not isinstance(groups, Mapping):
        raise AlignmentError(
            f"groups= takes one of {', '.join(SCHEMES)}, a column of the data, or a Series or mapping from unit to group; got a "
            f"{type(groups).__name__}"
        )
    listed = [g for g, units in groups.items() if isinstance(units, list | tuple | set | frozenset)]
    if listed:
        raise AlignmentError(
            f"groups= maps units to groups, not groups to units: turn it round, {{unit: group for group, units in groups.items() "
            f"for unit in units}} ({shorten(listed)} hold several units)"
        )
    return _from_pairs(x, {key(u): g for u, g in groups.items()}, "groups", None)


def _order_of(series: pd.Series) -> tuple[Any, ...] | None:
    return tuple(series.cat.categories) if isinstance(series.dtype, pd.CategoricalDtype) else None


def _constant(series: pd.Series) -> dict[str, Any]:
    """Group of each unit; an error names the units whose group changes over time."""
    labels = series.index.get_level_values(levels(series.index)[0] if series.index.nlevels == 2 else 0)
    pairs: dict[str, Any] = {}
    moving = []
    for unit, group in zip(labels, series, strict=True):
        if pairs.setdefault(key(unit), group) != group and not pd.isna(group):
            moving.append(unit)
    if moving:
        raise AlignmentError(f"the group of these units changes over time: {shorten(dict.fromkeys(moving))}")
    return pairs


def _from_pairs(x: Wide, pairs: Mapping[str, Any], label: str, order: tuple[Any, ...] | None) -> Groups:
    absent = [u for u in x.units if key(u) not in pairs or pd.isna(pairs[key(u)])]
    if absent:
        raise AlignmentError(f"{len(absent)} units have no group: {shorten(absent)}; give them one or leave them out")
    mine = [pairs[key(u)] for u in x.units]
    present = set(mine)
    names = tuple(g for g in order if g in present) if order is not None else tuple(canonical(present))
    if len(names) < 2:
        raise AlignmentError(f"groups need at least two different values, all units are in {names[0]!r}")
    return Groups(names, np.asarray([names.index(g) for g in mine], dtype=np.intp), label)


def require(x: Wide, *, positive: bool, what: str) -> None:
    """Check the domain of a measure and name the cells outside it."""
    bad = x.values <= 0 if positive else x.values < 0
    if bad.any():
        rule = "positive values" if positive else "non-negative values"
        raise PanelError(f"{what} needs {rule}; {x.name} has {int(bad.sum())} cells outside: {holes(bad, x.frame())}")
    empty = (x.values * x.weights).sum(axis=1) <= 0
    if empty.any():
        times = [t for t, e in zip(x.index(), empty, strict=True) if e]
        raise PanelError(f"{what} needs a positive mean; the mean of {x.name} is not positive at {shorten(times)}")


def require_times(x: Wide, what: str) -> None:
    """Refuse a cross-section where change is meant."""
    if len(x.times) < 2:
        raise PanelError(f"{what} needs at least two times, {x.name} has {len(x.times)}")
