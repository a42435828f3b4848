"""Files of the user as rows of cells: csv in any usual encoding, xls, xlsx, dta."""

from __future__ import annotations

import csv
import io
import math
import re
import struct
import zipfile
from pathlib import Path
from typing import Any

from nqpf_spatial.errors import DataSourceError

_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")


def read_bytes(path: str | Path) -> bytes:
    """Content of a file, or an error that names it."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataSourceError(f"cannot read {Path(path).name}: {error.strerror}") from error


def decode(content: bytes, name: str, encoding: str | None) -> str:
    """Text of a csv: in the given encoding, else UTF-8, UTF-16 by its mark, or GB 18030 (includes GBK)."""
    if encoding is None and content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    for candidate in [encoding] if encoding else ["utf-8-sig", "gb18030"]:
        try:
            return content.decode(candidate)
        except UnicodeDecodeError:
            continue
    tried = encoding or "UTF-8 and GB 18030"
    raise DataSourceError(f"{name} cannot be decoded as {tried}; give encoding=...")


_XLSX = b"PK\x03\x04"
_XLS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def rows_of(path: str | Path, sheet: str | int = 0, encoding: str | None = None) -> list[list[str]]:
    """All rows of a csv, xls or xlsx file as stripped text; empty cells are empty strings.

    The content decides what the file is, not its extension. Nothing but an empty cell counts as missing.
    """
    content, name = read_bytes(path), Path(path).name
    raw: list[list[Any]]
    try:
        if content.startswith(_XLSX):
            raw = _xlsx_rows(content, sheet)
        elif content.startswith(_XLS):
            raw = _xls_rows(content, sheet)
        else:
            raw = list(csv.reader(io.StringIO(decode(content, name, encoding), newline="")))
    except ImportError as error:
        raise DataSourceError(
            f'reading {name} needs a package that is missing ({error}): pip install "nqpf-spatial[tables]"'
        ) from error
    except (KeyError, IndexError, ValueError, zipfile.BadZipFile) as error:
        raise DataSourceError(f"{name}, sheet {sheet!r}: {error}") from error
    return [[_cell_text(cell).replace("\u3000", " ").strip() for cell in row] for row in raw]


def _xlsx_rows(content: bytes, sheet: str | int) -> list[list[Any]]:
    """Values of a workbook of the current format."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    names = book.sheetnames
    chosen = book[names[sheet] if isinstance(sheet, int) else sheet]
    return [list(row) for row in chosen.iter_rows(values_only=True)]


def _xls_rows(content: bytes, sheet: str | int) -> list[list[Any]]:
    """Values of a workbook of the old binary format."""
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO())
        chosen = book.sheet_by_index(sheet) if isinstance(sheet, int) else book.sheet_by_name(sheet)
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, struct.error) as error:
        raise ValueError(str(error)) from error

    def value(cell: Any) -> Any:
        if cell.ctype == xlrd.XL_CELL_ERROR:
            return xlrd.error_text_from_code.get(cell.value, "#ERROR")
        if cell.ctype == xlrd.XL_CELL_DATE:
            return xlrd.xldate_as_datetime(cell.value, book.datemode)
        return cell.value

    return [[value(cell) for cell in row] for row in chosen.get_rows()]


def _cell_text(value: Any) -> str:
    """Text of a cell; whole numbers without decimals, so that years stay years."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)


def to_number(text: str) -> float | None:
    """Number in a cell (thousands separators allowed); NaN if the cell is empty; None if it is no number."""
    stripped = text.strip()
    if not stripped:
        return math.nan
    if _THOUSANDS.fullmatch(stripped):
        stripped = stripped.replace(",", "")
    try:
        number = float(stripped)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def to_year(label: object) -> int | None:
    """Year meant by a plain label (2015, 2015.0, "2015年"); None if it is none."""
    match = re.fullmatch(r"((?:18|19|20|21)\d{2})(?:\.0)?\s*年?", str(label).strip())
    return int(match[1]) if match else None
