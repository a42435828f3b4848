"""Files of the user as rows of cells: csv in any usual encoding, xls, xlsx, dta."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

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


def is_excel(content: bytes) -> bool:
    """Whether the content is an xls or xlsx file, whatever its extension says."""
    return content[:4] == b"PK\x03\x04" or content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def excel(reader: Callable[..., Any], name: str, *args: Any, **options: Any) -> Any:
    """Call a pandas excel reader; a missing engine becomes an instruction."""
    try:
        return reader(*args, **options)
    except ImportError as error:
        raise DataSourceError(
            f'reading {name} needs an Excel engine ({error}); pip install "nqpf-spatial[tables]"'
        ) from error


def rows_of(path: str | Path, sheet: str | int = 0, encoding: str | None = None) -> list[list[str]]:
    """All rows of a csv, xls or xlsx file as stripped text; empty cells are empty strings."""
    content, name = read_bytes(path), Path(path).name
    if is_excel(content):
        frame = excel(pd.read_excel, name, io.BytesIO(content), sheet_name=sheet, header=None, dtype=object)
        raw = [[_cell_text(value) for value in row] for row in frame.itertuples(index=False)]
    else:
        raw = list(csv.reader(io.StringIO(decode(content, name, encoding), newline="")))
    return [[cell.replace("　", " ").strip() for cell in row] for row in raw]


def _cell_text(value: Any) -> str:
    """Text of a spreadsheet cell; whole numbers without decimals, so that years stay years."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NaT:
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
