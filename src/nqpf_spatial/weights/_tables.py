"""Tables and binary formats: CSV, Excel, Stata, MATLAB."""

from __future__ import annotations

import datetime
import struct
import zipfile
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nqpf_spatial.errors import AlignmentError, DataSourceError
from nqpf_spatial.weights import _labels
from nqpf_spatial.weights._text import decode_all
from nqpf_spatial.weights.interop import LONG_COLUMNS, from_pandas

if TYPE_CHECKING:
    from nqpf_spatial.weights.core import SpatialWeights

Read = tuple[Any, list[Any] | None]

_ID_COLUMNS = ("unit", "id", "_id", "label", "name", "province", "adcode", "code")
_BARE_HINT = "A matrix without labels needs ids=[...] in the order of its rows"
_EXCEL_HINT = "Excel files need openpyxl: pip install 'nqpf-spatial[tables]'"


def _from_cells(file: Path, cells: pd.DataFrame) -> Read:
    """Matrix of a table of cells: long, or square with labels in its first row and column."""
    if cells.empty or not len(cells.columns):
        raise DataSourceError(f"{file.name} is empty")
    names = [str(c).strip().lower() for c in cells.columns]
    if any(set(long) <= set(names) for long in LONG_COLUMNS):
        cells.columns = pd.Index(names)
        long = next(x for x in LONG_COLUMNS if set(x) <= set(names))
        table = cells[list(long)].copy()
        for column in long[:2]:
            table[column] = _units(file, table[column].tolist())
        table[long[2]] = _weights(file, table[[long[2]]])[:, 0]
        return from_pandas(table)
    rows, columns = _units(file, cells.iloc[:, 0].tolist()), _units(file, list(cells.columns[1:]))
    if len(rows) != len(columns):
        raise DataSourceError(
            f"{file.name}: {len(rows)} labelled rows but {len(columns)} labelled columns; expected a square "
            "table with labels in its first row and column, or columns origin, destination, weight"
        )
    square = pd.DataFrame(
        _weights(file, cells.iloc[:, 1:]),
        index=pd.Index(rows, dtype=object, tupleize_cols=False),
        columns=pd.Index(columns, dtype=object, tupleize_cols=False),
    )
    return from_pandas(square)


def _units(file: Path, cells: list[Any]) -> list[Hashable]:
    """Labels of a row or column of cells."""
    words = [str(_labels.plain(x)).strip() if x is not None and x == x else "" for x in cells]
    blank = [k + 1 for k, x in enumerate(words) if not x]
    if blank:
        raise AlignmentError(f"{file.name}: labels are blank at positions {_labels.shorten(blank)}")
    return decode_all(words, escaped=False)


def _weights(file: Path, cells: pd.DataFrame) -> np.ndarray:
    """Cells as floats, read to the last bit; blanks and words are errors that name the cell."""
    out = np.empty(cells.shape)
    for k in range(cells.shape[1]):
        column = cells.iloc[:, k]
        for r, cell in enumerate(column.tolist()):
            try:
                out[r, k] = float(cell)
            except (TypeError, ValueError):
                raise DataSourceError(
                    f"{file.name}: the cell in data row {r + 1}, column {cells.columns[k]!r} is not a number: {cell!r}"
                ) from None
    return out


def read_csv(file: Path, encoding: str) -> Read:
    """Comma-separated cells, kept as text until they are needed as numbers."""
    try:
        cells = pd.read_csv(file, dtype=str, keep_default_na=False, encoding=encoding, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning) as error:
        raise DataSourceError(f"{file.name} is no regular csv table: {error}") from error
    _no_double_columns(file, encoding, len(cells.columns))
    return _from_cells(file, cells)


def _no_double_columns(file: Path, encoding: str, width: int) -> None:
    """Refuse doubled labels in the header, which pandas would rename silently."""
    head = pd.read_csv(file, dtype=str, keep_default_na=False, encoding=encoding, header=None, nrows=1)
    names = head.iloc[0, 1:width].tolist()
    double = sorted({x for x in names if names.count(x) > 1})
    if double:
        raise AlignmentError(
            f"{file.name}: labels occur more than once in the first row: {_labels.shorten(double)}. {_BARE_HINT}"
        )


def bare_csv(file: Path, encoding: str, n: int) -> np.ndarray | None:
    """The matrix of a file that is nothing but n x n numbers, which has no place for labels; None if it is not that."""
    try:
        cells = pd.read_csv(file, dtype=str, keep_default_na=False, encoding=encoding, header=None, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning):
        return None
    return _bare(cells, n)


def bare_xlsx(file: Path, encoding: str, n: int) -> np.ndarray | None:
    """The same for the first sheet of a workbook."""
    try:
        return _bare(pd.read_excel(file, header=None, dtype=object, keep_default_na=False, na_values=[]), n)
    except (ImportError, ValueError, KeyError, OSError, zipfile.BadZipFile):
        return None


def _bare(cells: pd.DataFrame, n: int) -> np.ndarray | None:
    if cells.shape != (n, n):
        return None
    try:
        return cells.map(float).to_numpy(dtype=float)
    except (TypeError, ValueError):
        return None


def write_csv(w: SpatialWeights, file: Path) -> None:
    """Square table with labels; floats in the shortest form that reads back to the same bits."""
    frame = w.to_frame()
    frame.index.name = "unit"
    frame.to_csv(file, lineterminator="\n", encoding="utf-8")


def read_xlsx(file: Path, encoding: str) -> Read:
    """First sheet of an Excel workbook."""
    try:
        raw = pd.read_excel(file, header=None, dtype=object, keep_default_na=False, na_values=[])
    except ImportError as error:
        raise ImportError(_EXCEL_HINT) from error
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise DataSourceError(f"{file.name} is no Excel workbook: {error}") from error
    if raw.shape[0] < 2 or raw.shape[1] < 2:
        raise DataSourceError(f"{file.name}: the first sheet holds no table of weights")
    head = [_labels.plain(x) for x in raw.iloc[0].tolist()]
    cells = raw.iloc[1:].reset_index(drop=True)
    names = [str(x) for x in head[1:]]
    double = sorted({x for x in names if names.count(x) > 1 and x != "nan"})
    if double:
        raise AlignmentError(
            f"{file.name}: labels occur more than once in the first row: {_labels.shorten(double)}. {_BARE_HINT}"
        )
    cells.columns = pd.Index(head, dtype=object, tupleize_cols=False)
    return _from_cells(file, cells)


def write_xlsx(w: SpatialWeights, file: Path) -> None:
    """One sheet, labels in its first row and column."""
    frame = w.to_frame()
    frame.index.name = "unit"
    try:
        with pd.ExcelWriter(file, engine="openpyxl") as book:
            frame.to_excel(book, sheet_name="W")
            for cells in book.sheets["W"].iter_rows(min_row=2, min_col=2):
                for cell in cells:
                    # openpyxl writes 16 digits, which loses the last bit; text in a number cell is written as is.
                    cell._value = repr(float(cell.value))
            book.book.properties.created = book.book.properties.modified = _FIXED
    except ImportError as error:
        raise ImportError(_EXCEL_HINT) from error


#: Time stamp of every file that must have one: outputs carry no clock time.
_FIXED = datetime.datetime(2000, 1, 1)


def read_dta(file: Path, encoding: str) -> Read:
    """Stata: a long table, or a column of labels (optional) and one column of weights per unit."""
    try:
        with pd.read_stata(file, iterator=True) as reader:
            texts = reader.variable_labels()
            table = reader.read(convert_categoricals=False)
    except (ValueError, OSError, KeyError, IndexError, TypeError, struct.error) as error:
        reason = "it ends too early" if isinstance(error, struct.error) else error
        raise DataSourceError(f"{file.name} is no Stata file: {reason}") from error
    names = [str(c).lower() for c in table.columns]
    if any(set(long) <= set(names) for long in LONG_COLUMNS):
        return _from_cells(file, table.astype(object))
    label_column = _label_column(file, table)
    weights = table if label_column is None else table.drop(columns=label_column)
    if weights.shape[0] != weights.shape[1]:
        raise DataSourceError(f"{file.name}: {weights.shape[0]} rows but {weights.shape[1]} columns of weights")
    values = _weights(file, weights)
    if label_column is None:
        return values, None
    units = _units(file, table[label_column].tolist())
    columns = _units(file, [texts.get(c) or c for c in weights.columns])
    if set(map(str, columns)) == set(map(str, units)):
        place = {str(x): k for k, x in enumerate(columns)}
        values = values[:, [place[str(x)] for x in units]]
    return values, units


def _label_column(file: Path, table: pd.DataFrame) -> str | None:
    """Column that names the rows: the only text column, or one called id, unit, adcode, ..."""
    if table.shape[1] == table.shape[0] and all(pd.api.types.is_numeric_dtype(t) for t in table.dtypes):
        return None
    text = [c for c in table.columns if not pd.api.types.is_numeric_dtype(table[c])]
    named = [c for c in table.columns if str(c).lower() in _ID_COLUMNS]
    candidates = text or named
    if len(candidates) != 1:
        raise DataSourceError(
            f"{file.name}: cannot tell which column names the units; expected one text column or one called "
            f"{', '.join(_ID_COLUMNS)}, found {_labels.shorten(candidates) or 'none'}"
        )
    return str(candidates[0])


def write_dta(w: SpatialWeights, file: Path) -> None:
    """Column ``unit`` and columns w1..wN whose variable labels are the units."""
    labels = [str(x) for x in w.ids]
    long = [x for x in labels if len(x) > 80]
    if long:
        raise ValueError(f"Stata allows labels of 80 characters; too long: {_labels.shorten(long, 3)}")
    frame = pd.DataFrame(w.dense(), columns=[f"w{k + 1}" for k in range(w.n)])
    frame.insert(0, "unit", labels)
    texts = {"unit": "unit of the row", **{f"w{k + 1}": x for k, x in enumerate(labels)}}
    frame.to_stata(
        file, write_index=False, version=118, variable_labels=texts, time_stamp=_FIXED, data_label=w.name[:80]
    )


def read_mat(file: Path, encoding: str) -> Read:
    """MATLAB up to version 7: a square matrix and a cell array of labels."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = {k: v for k, v in loadmat(file).items() if not k.startswith("__")}
    except NotImplementedError as error:
        raise DataSourceError(f"{file.name} is a MATLAB 7.3 file; save it with -v7") from error
    except (ValueError, TypeError, OSError, EOFError, KeyError, IndexError, MatReadError) as error:
        raise DataSourceError(f"{file.name} is no MATLAB file: {error}") from error
    square = {
        k: v
        for k, v in content.items()
        if getattr(v, "ndim", 0) == 2 and v.shape[0] == v.shape[1] and v.dtype.kind in "biuf" and v.shape[0] > 1
    }
    named = [k for k in square if k in ("W", "w")] or list(square)
    if len(named) != 1:
        raise DataSourceError(
            f"{file.name}: expected one square matrix or one called W, found "
            f"{_labels.shorten(named) or 'none'} among {_labels.shorten(content) or 'no variables'}"
        )
    ids = next((content[k] for k in ("ids", "id", "labels", "names") if k in content), None)
    return square[named[0]], None if ids is None else _mat_labels(file, ids)


def _mat_labels(file: Path, ids: np.ndarray) -> list[Any]:
    """Labels of a cell array, a character matrix or a vector of numbers."""
    cells = [x.item() if isinstance(x, np.ndarray) and x.size == 1 else x for x in np.ravel(ids).tolist()]
    return _units(file, cells)


def write_mat(w: SpatialWeights, file: Path) -> None:
    """Variables W (sparse), ids (cell array) and name."""
    from scipy.io import savemat
    from scipy.sparse import csc_array

    labels = np.array([[str(x)] for x in w.ids], dtype=object)
    savemat(file, {"W": csc_array(w.sparse), "ids": labels, "name": w.name}, do_compression=True)
