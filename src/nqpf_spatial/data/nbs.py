"""Reader of the exports that the NBS database calls 分省年度数据."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from nqpf_spatial.data._files import rows_of, to_number, to_year
from nqpf_spatial.data._labelled import labelled_panel
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces import Names, is_province, resolve

_DIMENSIONS = ("地区", "指标", "时间")
_HEADING = re.compile(r"(数据库|指标|时间|地区)\s*[：:]\s*(.*)")
_FOOTER = re.compile(r"(注|数据来源|资料来源|来源)\s*[：:]")
_UNIT = re.compile(r"(.*?)\s*[（(]([^（()）]*)[)）]\s*")

_NO_HEADER = (
    "is neither a heading line (数据库：, 指标：, 时间：) nor the header row, which begins with "
    "地区, 指标 or 时间: is this an NBS export?"
)

Cell = tuple[str, str, str, str]


@dataclass(slots=True)
class _Export:
    """Parts of an export: heading lines, table, lines after the table."""

    heading: dict[str, str] = field(default_factory=dict)
    header: list[str] = field(default_factory=list)
    body: list[tuple[int, list[str]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_nbs(
    path: str | Path,
    value: str | None = None,
    year: int | None = None,
    names: Names = "en",
    encoding: str | None = None,
) -> pd.DataFrame:
    """Read an export of the NBS database 分省年度数据 (csv, xls or xlsx).

    Understands the layouts of the old and the new site: heading lines (数据库, 指标, 时间, 地区), a table of
    provinces by years, provinces by indicators, indicators by years and so on, and the notes after it.

    Parameters
    ----------
    path : str or Path
        The file as downloaded. Text may be UTF-8 or GBK.
    value : str, optional
        Name for the column, for a file with one indicator; needed where the file has no 指标 line. By
        default the indicator as printed, without its unit.
    year : int, optional
        Year of the figures, for a table without years whose 时间 line does not give one.
    names : {"en", "zh", "adcode", "iso"}
        Form of the province labels.
    encoding : str, optional
        Encoding of a csv, if neither UTF-8 nor GBK.

    Returns
    -------
    pandas.DataFrame
        Indexed by (province, year) in canonical order, one column per indicator. Empty cells are missing
        (NaN), never zero. ``attrs``: ``units``, ``notes`` (as printed), ``files``.

    Raises
    ------
    DataSourceError
        No header row, a row that is no province, a cell that is no number, a province or year given twice;
        the message names the file, row and text.

    Examples
    --------
    >>> import nqpf_spatial as nq, tempfile, pathlib
    >>> lines = ["数据库：分省年度数据", "指标：示例(亿元)", "时间：最近2年", "地区,2023年,2022年"]
    >>> lines += ["北京市,2,1", "陕西省,,3", "数据来源：国家统计局"]
    >>> file = pathlib.Path(tempfile.mkdtemp(), "export.csv")
    >>> _ = file.write_bytes("\\n".join(lines).encode("gbk"))
    >>> nq.data.read_nbs(file, value="x")
                       x
    province year
    Beijing  2022    1.0
             2023    2.0
    Shaanxi  2022    3.0
             2023    NaN
    """
    name = Path(path).name
    export = _split(rows_of(path, encoding=encoding), name)
    cells = _label_cells(export, name, value, year)
    units: dict[str, str] = {}
    records = []
    for province, indicator, when, text in cells:
        number = to_number(text)
        if number is None:
            raise DataSourceError(f"{name}: {text!r} is not a number ({province}, {indicator}, {when})")
        title, unit = _split_unit(indicator)
        units[title] = unit
        records.append((resolve(province), int(when), title, number))
    if value is not None:
        if len(units) > 1:
            raise DataSourceError(f"{name} holds {len(units)} indicators ({', '.join(units)}); leave value out")
        units = dict.fromkeys([value], "".join(units.values()))
        records = [(province, when, value, number) for province, when, _, number in records]
    frame = labelled_panel(records, names, name)
    frame.attrs = {"units": units, "notes": export.notes, "files": [name]}
    return frame


def _split(rows: list[list[str]], name: str) -> _Export:
    """Sort the rows into heading, table and notes."""
    export = _Export()
    for number, row in enumerate(rows, start=1):
        filled = [cell for cell in row if cell]
        if not filled:
            continue
        heading = _HEADING.fullmatch(filled[0]) if len(filled) == 1 and not export.header else None
        if heading:
            export.heading[heading[1]] = heading[2].strip()
        elif not export.header:
            if row[0] not in _DIMENSIONS or len(filled) < 2:
                raise DataSourceError(f"{name}, row {number}: {filled[0]!r} {_NO_HEADER}")
            while not row[-1]:
                row = row[:-1]
            export.header = row
        elif export.notes and is_province(row[0]):
            raise DataSourceError(f"{name}, row {number}: {row[0]!r} stands after the notes of the table")
        elif export.notes or _FOOTER.match(filled[0]):
            export.notes.append(",".join(filled))
        else:
            export.body.append((number, row))
    if not export.header:
        raise DataSourceError(f"{name}: no header row that begins with 地区, 指标 or 时间; is this an NBS export?")
    return export


def _label_cells(export: _Export, name: str, value: str | None, year: int | None) -> list[Cell]:
    """Give every cell of the table its province, indicator and year."""
    row_kind, column_kind = export.header[0], _kind_of_columns(export.header, name)
    (fixed_kind,) = set(_DIMENSIONS) - {row_kind, column_kind}
    fixed = _fixed_label(export, fixed_kind, name, value, year)
    cells = []
    for number, row in export.body:
        label = row[0]
        if row_kind == "地区" and not is_province(label):
            resolve_row(label, f"{name}, row {number}")
        if row_kind == "时间" and to_year(label) is None:
            raise DataSourceError(f"{name}, row {number}: {label!r} is not a year")
        if not label or any(row[len(export.header) :]):
            raise DataSourceError(f"{name}, row {number}: cells outside the header ({row!r})")
        padded = row + [""] * (len(export.header) - len(row))
        for title, text in zip(export.header[1:], padded[1:], strict=False):
            place = {row_kind: label, column_kind: title, fixed_kind: fixed}
            when = to_year(place["时间"])
            cells.append((place["地区"], place["指标"], str(when), text))
    return cells


def resolve_row(label: str, where: str) -> None:
    """Raise for a row that is no province, saying where it stands."""
    try:
        resolve(label)
    except DataSourceError as error:
        raise DataSourceError(f"{where}: {error}") from None


def _kind_of_columns(header: list[str], name: str) -> str:
    """What the columns are: years, provinces or indicators; a mixture is an error."""
    for kind, belongs in (("时间", lambda t: to_year(t) is not None), ("地区", is_province)):
        strangers = [title for title in header[1:] if not belongs(title)]
        if kind != header[0] and not strangers:
            return kind
        if len(strangers) < len(header) - 1 or (kind == "地区" and header[0] == "指标"):
            raise DataSourceError(f"{name}: the columns {', '.join(strangers)} do not fit the others ({kind})")
    return "指标"


def _fixed_label(export: _Export, kind: str, name: str, value: str | None, year: int | None) -> str:
    """The indicator, year or province that the whole table is about."""
    stated = export.heading.get(kind, "")
    if kind == "指标":
        if not stated and value is None:
            raise DataSourceError(f"{name} does not name its indicator (no 指标 line): give value='...'")
        return stated or str(value)
    if kind == "时间":
        if year is not None:
            return str(year)
        if to_year(stated) is None:
            raise DataSourceError(f"{name}: 时间 is {stated!r}, not one year: give year=...")
        return stated
    resolve_row(stated, f"{name}, line 地区")
    return stated


def _split_unit(indicator: str) -> tuple[str, str]:
    """Indicator and the unit printed in brackets after it."""
    match = _UNIT.fullmatch(indicator)
    return (match[1], match[2]) if match and match[1] else (indicator, "")
