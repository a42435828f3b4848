"""Reader of users' own tables, long or wide, and their combination."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from nqpf_spatial.data._files import read_bytes, rows_of, to_number, to_year
from nqpf_spatial.data._labelled import province_index
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces import Names, is_province, resolve, resolve_many

Layout = Literal["long", "wide"]
Mode = Literal["require", "allow"]
_SHOWN = 10
_WHOLE = re.compile(r"(\d+)(?:\.0)?")
_NBS_HEADING = re.compile(r"(数据库|指标|时间|地区)\s*[：:]")


def read_table(
    table: str | Path | pd.DataFrame,
    unit: str = "province",
    time: str | None = "year",
    layout: Layout = "long",
    value: str | Sequence[str] | None = None,
    *,
    ignore: Sequence[str] = (),
    provinces: Mode = "require",
    names: Names = "en",
    sheet: str | int = 0,
    encoding: str | None = None,
) -> pd.DataFrame:
    """Read a table of one's own (csv, xls, xlsx, Stata dta, or a DataFrame) as a panel.

    Parameters
    ----------
    table : str, Path or DataFrame
        File or frame; a frame's named index levels count as columns.
    unit, time : str
        Columns of the units and of the years (``time`` is not used by the wide layout; None: a cross-section).
    layout : {"long", "wide"}
        Long: a row per unit and year. Wide: a row per unit, a column per year; headings may be ``2015``,
        ``2015年`` or, as Stata writes them, the variable and the year (``gdp2015``, ``gdp_2015``).
    value : str or sequence of str, optional
        Long: the columns to keep, by default all. Wide: the name of the variable, required.
    ignore : sequence of str
        Columns to leave out.
    provinces : {"require", "allow"}
        "require": every unit must be one of the 31 provinces, under any of its names, every time a year. "allow": units
        may be anything (cities, counties, US states) and keep their labels, times may be periods 1, 2, ...
    names : {"en", "zh", "adcode", "iso"}
        Form of the province labels, with ``provinces="require"``.
    sheet : str or int
        Sheet of a workbook.
    encoding : str, optional
        Encoding of a csv, if neither UTF-8 nor GBK.

    Returns
    -------
    pandas.DataFrame
        Indexed by (province, year), or by (``unit``, ``time``) with ``provinces="allow"``, without the years in a
        cross-section; sorted; float columns. Empty cells are missing (NaN), never zero; absent rows stay absent; wholly empty rows of the
        file are skipped.

    Raises
    ------
    DataSourceError
        A column is missing or unrecognised, a row is no province, a cell is no number, a time no year, a
        unit and year are given twice; the message names them. An export of the NBS database is for :func:`read_nbs`.

    Examples
    --------
    >>> import pandas as pd, nqpf_spatial as nq
    >>> wide = pd.DataFrame({"省份": ["陕西省", "山西"], "gdp2022": [3, 1], "gdp2023": [4, None]})
    >>> nq.data.read_table(wide, unit="省份", layout="wide", value="gdp")
                   gdp
    province year
    Shanxi   2022  1.0
             2023  NaN
    Shaanxi  2022  3.0
             2023  4.0
    """
    frame, where = _open(table, sheet, encoding)
    if layout not in ("long", "wide") or provinces not in ("require", "allow"):
        raise DataSourceError(
            f"layout={layout!r}, provinces={provinces!r}: choose 'long' or 'wide', 'require' or 'allow'"
        )
    if time is None:
        if layout == "wide":
            raise DataSourceError("time=None is for a cross-section, a row per unit; the wide layout has years")
        return _cross_section(frame, unit, value, ignore, provinces, names, where)
    _require_columns(frame, [unit, *ignore] + ([time] if layout == "long" else []), where)
    frame = frame.drop(columns=list(ignore)).dropna(how="all")
    if layout == "wide":
        frame = _stack(frame, unit, time, value, where)
    elif value is not None:
        chosen = [value] if isinstance(value, str) else list(value)
        _require_columns(frame, chosen, where)
        frame = frame[[unit, time, *chosen]]
    out = frame.drop(columns=[unit, time]).apply(_numbers, args=(frame[unit], frame[time], where))
    years = _years(frame[time], frame[unit], where, provinces == "allow")
    if provinces == "require":
        out.index = province_index([resolve(u) for u in _known(frame[unit], where)], years, names)
    else:
        out.index = pd.MultiIndex.from_arrays([_labels(frame[unit], where), years], names=[unit, time])
    twice = out.index[out.index.duplicated()]
    if len(twice):
        raise DataSourceError(f"{where}: given twice: {_some(f'{u} {y}' for u, y in twice)}")
    out = out.sort_index() if provinces == "allow" else out.iloc[np.lexsort(tuple(out.index.codes)[::-1])]
    out.columns.name = None
    out.attrs = {"files": [where]}
    return out


def _cross_section(
    frame: pd.DataFrame, unit: str, value: str | Sequence[str] | None, ignore: Sequence[str], provinces: Mode, names: Names,
    where: str,
) -> pd.DataFrame:  # fmt: skip
    """A row per unit, read like a panel of one year that is taken off again."""
    _require_columns(frame, [unit, *ignore], where)
    year = "__year__"
    frame = frame.drop(columns=list(ignore)).dropna(how="all").assign(**{year: 2000})
    found = read_table(frame, unit, year, value=value, provinces=provinces, names=names)
    found = found.droplevel(1)
    found.attrs = {"files": [where]}
    return found


def _open(table: str | Path | pd.DataFrame, sheet: str | int, encoding: str | None) -> tuple[pd.DataFrame, str]:
    """Read the file as it is: text stays text, nothing is guessed to be missing but empty cells."""
    if isinstance(table, pd.DataFrame):
        named = [level for level in table.index.names if level is not None]
        frame = table.reset_index(level=named) if named else table.reset_index(drop=True)
        return frame.rename(columns=str), "the table"
    name = Path(table).name
    if Path(table).suffix.lower() == ".dta":
        # dates are left as numbers: the yearly format of Stata is the year itself
        frame = pd.read_stata(io.BytesIO(read_bytes(table)), convert_dates=False)
        return frame.rename(columns=str), name
    rows = rows_of(table, sheet, encoding)
    while rows and not any(rows[0]):
        rows = rows[1:]
    if not rows:
        raise DataSourceError(f"{name} is empty")
    if _NBS_HEADING.match(rows[0][0]):
        raise DataSourceError(f"{name} begins with {rows[0][0]!r}: {_nbs_hint(name)}")
    header, body = rows[0], rows[1:]
    long = [k for k, row in enumerate(body) if any(row[len(header) :])]
    if long:
        raise DataSourceError(f"{name}: row {long[0] + 2} has more cells than the header: {body[long[0]]}")
    cells = [[cell or None for cell in row[: len(header)]] + [None] * (len(header) - len(row)) for row in body]
    if "" in header or len(set(header)) < len(header):
        raise DataSourceError(
            f"{name}: a column has no heading, or two have the same: {', '.join(header)}. Give every column a heading "
            "of its own; R leaves out the row names, which have none, with write.csv(..., row.names = FALSE)"
        )
    return pd.DataFrame(cells, columns=pd.Index(header), dtype=object), name


def _nbs_hint(name: str) -> str:
    """What to do with a file that looks as the NBS database writes them."""
    return f"an export of the NBS database, which nq.data.read_nbs({name!r}) reads (in Python, .to_csv(...) then writes a plain table)"


def _require_columns(frame: pd.DataFrame, wanted: list[str], where: str) -> None:
    """Stop if a named column is not there."""
    absent = [name for name in wanted if name not in frame.columns]
    if absent:
        hint = f". If it is {_nbs_hint(where)}" if frame.columns[0] in ("地区", "指标", "时间") else ""
        raise DataSourceError(
            f"{where} has no column {', '.join(absent)}; it has {', '.join(map(str, frame.columns))}; "
            f"unit, time, value and ignore say which columns are meant{hint}"
        )


def _stack(frame: pd.DataFrame, unit: str, time: str, value: str | Sequence[str] | None, where: str) -> pd.DataFrame:
    """Turn a column per year into a row per year."""
    if not isinstance(value, str):
        raise DataSourceError("layout='wide' needs value='...', the name of the variable")
    pattern = re.compile(rf"(?:{re.escape(value)}_?)?(\d{{4}}(?:\.0)?\s*年?)")
    years: dict[str, int | None] = {}
    for column in frame.columns.drop(unit):
        match = pattern.fullmatch(column)
        years[column] = to_year(match[1]) if match else None
    unknown = [column for column, year in years.items() if year is None]
    if unknown:
        raise DataSourceError(
            f"{where}: columns that are no years: {', '.join(unknown)}; ignore=[...] leaves columns out"
        )
    parts = [pd.DataFrame({unit: frame[unit], time: year, value: frame[column]}) for column, year in years.items()]
    return pd.concat(parts, ignore_index=True)


def _numbers(column: pd.Series, units: pd.Series, times: pd.Series, where: str) -> pd.Series:
    """Numbers of a column; text that is none is an error with its place."""
    texts = ["" if missing else str(x) for x, missing in zip(column, column.isna(), strict=True)]
    # a list, because a Series would turn the None of a text into a missing number
    parsed = [to_number(text) for text in texts]
    bad = [f"{u} {t}: {x!r}" for u, t, x, n in zip(units, times, texts, parsed, strict=True) if n is None]
    if bad:
        marked = any(text.strip() in ("NA", ".") for text in texts)
        hint = '; a missing value is an empty cell, in R write.csv(..., na = "")' if marked else ""
        raise DataSourceError(
            f"{where}: {column.name} is no number in {_some(bad)}; ignore=[...] leaves columns out{hint}"
        )
    return pd.Series(parsed, index=column.index, dtype="float64")


def _years(times: pd.Series, units: pd.Series, where: str, any_whole: bool) -> list[int]:
    """Years of the rows; units that are no provinces may have periods 1, 2, ... as well."""
    years = [to_year(t) for t in times]
    if any_whole and None in years:
        whole = [_WHOLE.fullmatch(str(t).strip()) for t in times]
        years = [None if w is None else int(w[1]) for w in whole]
    bad = [(t, u) for t, u, y in zip(times, units, years, strict=True) if y is None]
    if bad:
        counted = not any_whole and all(_WHOLE.fullmatch(str(t).strip()) for t, _ in bad)
        hint = "; provinces='allow' takes periods 1, 2, ... too, and units of any kind" if counted else ""
        raise DataSourceError(f"{where}: not a year: {_some(f'{t!r} ({u})' for t, u in bad)}{hint}")
    return [y for y in years if y is not None]


def _labels(units: pd.Series, where: str) -> list[object]:
    """Labels of units that may be anything but empty."""
    if units.isna().any():
        raise DataSourceError(f"{where}: {int(units.isna().sum())} rows have no unit in column {units.name!r}")
    return [u.strip() if isinstance(u, str) else u for u in units]


def _known(units: pd.Series, where: str) -> list[object]:
    """Labels of provinces; all that are none are named at once."""
    labels = _labels(units, where)
    unknown = list(dict.fromkeys(label for label in labels if not is_province(label)))
    if not unknown:
        return labels
    try:
        resolve_many(unknown[:_SHOWN])
    except DataSourceError as error:
        raise DataSourceError(
            f"{where}: {len(unknown)} labels in column {units.name!r} are no province; provinces='allow' "
            f"takes units of any kind\n{error}"
        ) from None
    return labels


def _some(items: Iterable[str]) -> str:
    """The first few items of a list."""
    shown = list(items)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


def combine(frames: Sequence[pd.DataFrame], tolerance: float = 0.0) -> pd.DataFrame:
    """Combine panels that hold other variables, provinces or years of the same table.

    Parameters
    ----------
    frames : sequence of DataFrame
        Panels from :func:`read_nbs`, :func:`read_table` or :func:`nqpf_spatial.load_panel`, with indices of
        the same two names. Provinces may be labelled in different forms; the result has the form of the
        first.
    tolerance : float
        Largest relative difference at which two values of one cell count as the same (the first is kept).

    Returns
    -------
    pandas.DataFrame
        Union of rows and columns. A cell that no frame holds is missing. ``attrs`` keeps ``units``, ``notes``
        and ``files`` of the readers.

    Raises
    ------
    DataSourceError
        Two frames hold different values of a cell, or state different units of a variable; the message names
        them.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> a, b = (nq.load_panel("gdp", years=y) for y in ((2020, 2022), (2022, 2023)))
    >>> nq.data.combine([a, b]).shape
    (124, 1)
    """
    if not frames:
        raise DataSourceError("combine needs at least one panel")
    level_names = list(frames[0].index.names)
    for frame in frames:
        if list(frame.index.names) != level_names or frame.index.nlevels != 2:
            raise DataSourceError(f"indices differ: {level_names} and {list(frame.index.names)}")
        if frame.index.has_duplicates:
            raise DataSourceError(f"rows given twice: {_some(map(str, frame.index[frame.index.duplicated()]))}")
        if frame.empty:
            raise DataSourceError("a panel without rows or columns cannot be combined")
    units = _merge_units(frames)
    form = _form_of(frames[0]) if level_names[0] == "province" else None
    aligned = [_relabel(frame, form) if form else frame for frame in frames]
    out = aligned[0]
    for frame in aligned[1:]:
        _refuse_conflicts(out, frame, tolerance)
        columns = list(dict.fromkeys([*out.columns, *frame.columns]))
        out = out.combine_first(frame)[columns]
    out = out if form is None else _relabel(out, form)
    lists = {key: [x for f in frames for x in f.attrs.get(key, [])] for key in ("notes", "files")}
    out.attrs = {"units": units, **{key: list(dict.fromkeys(x)) for key, x in lists.items()}}
    return out.sort_index() if form is None else out


def _merge_units(frames: Sequence[pd.DataFrame]) -> dict[str, str]:
    """Units stated by the frames; a variable in two units is an error."""
    units: dict[str, str] = {}
    for frame in frames:
        for name, unit in frame.attrs.get("units", {}).items():
            if units.setdefault(name, unit) != unit:
                raise DataSourceError(f"{name} comes in two units: {units[name]!r} and {unit!r}")
    return units


def _form_of(frame: pd.DataFrame) -> Names:
    """Form in which a frame names its provinces."""
    first = frame.index[0][0]
    p = resolve(first)
    forms: dict[object, Names] = {p.name_en: "en", p.iso: "iso", p.adcode: "adcode"}
    return forms.get(first, "zh")


def _relabel(frame: pd.DataFrame, names: Names) -> pd.DataFrame:
    """The frame in canonical order, provinces named in one form."""
    found = resolve_many(frame.index.get_level_values(0))
    out = frame.set_axis(province_index(found, list(frame.index.get_level_values(1)), names))
    return out.iloc[np.lexsort(tuple(out.index.codes)[::-1])]


def _refuse_conflicts(a: pd.DataFrame, b: pd.DataFrame, tolerance: float) -> None:
    """Stop if two frames hold different values of a cell."""
    rows = a.index.intersection(b.index)
    problems = []
    for name in [c for c in a.columns if c in b.columns]:
        x, y = a.loc[rows, name], b.loc[rows, name]
        gap = (x - y).abs() > tolerance * np.maximum(x.abs(), y.abs())
        problems += [f"{name} of {u} {t}: {x[(u, t)]:.10g} and {y[(u, t)]:.10g}" for u, t in rows[gap.to_numpy()]]
    if problems:
        raise DataSourceError(f"{len(problems)} cells have two values: {_some(problems)}")
