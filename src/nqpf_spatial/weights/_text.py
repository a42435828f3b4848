"""Plain-text formats: GAL, GWT, Matrix Market, and the text of Stata's spmatrix import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.weights import _labels

if TYPE_CHECKING:
    from nqpf_spatial.weights.core import SpatialWeights

_ESCAPES = {"%": "%25", " ": "%20", "\t": "%09"}

#: Comment that carries a label in a Matrix Market file.
_MTX_LABEL = "%unit "


def encode(label: Hashable) -> str:
    """Label as one word: blanks and percent signs escaped as in addresses."""
    return "".join(_ESCAPES.get(ch, ch) for ch in str(label))


def decode_all(words: Sequence[str], escaped: bool = True) -> list[Any]:
    """Labels out of words: whole numbers become int if all are (and none has a leading zero)."""
    if words and all(x.isascii() and x.isdigit() and str(int(x)) == x for x in words):
        return [int(x) for x in words]
    if not escaped:
        return list(words)
    return [x.replace("%20", " ").replace("%09", "\t").replace("%25", "%") for x in words]


def number_codes(w: SpatialWeights) -> list[int]:
    """A whole number for every unit: adcode, the label itself if it is one, else the position."""
    codes = _labels.province_codes(w.ids)
    if codes is not None:
        return list(codes)
    if all(isinstance(x, int) for x in w.ids):
        return list(w.ids)  # type: ignore[arg-type]
    return list(range(1, w.n + 1))


def _lines(file: Path, encoding: str) -> list[str]:
    text = file.read_text(encoding=encoding)
    if not text.strip():
        raise DataSourceError(f"{file.name} is empty")
    if "\x00" in text:
        raise DataSourceError(f"{file.name} is not a text file")
    return text.splitlines()


def _count(file: Path, header: str) -> int:
    """Number of units in the first line of a GAL or GWT file: alone, or second after a 0."""
    words = header.split()
    word = words[1] if len(words) > 1 else words[0] if words else ""
    if not (word.isascii() and word.isdigit() and int(word) > 0):
        raise DataSourceError(
            f"{file.name}, line 1: expected the number of units ('31' or '0 31 name id'), found {header!r}"
        )
    return int(word)


def number(file: Path, line: int, word: str) -> float:
    """A weight, or an error that names line and word."""
    try:
        return float(word)
    except ValueError:
        raise DataSourceError(f"{file.name}, line {line}: {word!r} is not a number") from None


def read_gal(file: Path, encoding: str) -> tuple[csr_array, list[Any]]:
    """Links of a GAL file: for each unit its label, the number of neighbours, and their labels."""
    lines = _lines(file, encoding)
    n, units, neighbours, at = _count(file, lines[0]), [], [], 1
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        words = lines[at].split()
        if len(words) != 2 or not words[1].isdigit():
            raise DataSourceError(
                f"{file.name}, line {at + 1}: expected a label and the number of its neighbours, found {lines[at]!r}"
            )
        listed = lines[at + 1].split() if int(words[1]) and at + 1 < len(lines) else []
        if len(listed) != int(words[1]):
            raise DataSourceError(
                f"{file.name}, line {at + 2}: unit {words[0]} should have {words[1]} neighbours, found {len(listed)}"
            )
        units.append(words[0])
        neighbours.append(listed)
        at += 2 if int(words[1]) else 1
    if len(units) != n:
        raise DataSourceError(f"{file.name}: the first line says {n} units, the file has {len(units)}")
    pairs = [(i, j, 1.0) for i, listed in zip(units, neighbours, strict=True) for j in listed]
    return _assemble(file, units, pairs)


def _assemble(file: Path, units: list[str], triplets: list[tuple[str, str, float]]) -> tuple[csr_array, list[Any]]:
    """Matrix of named triplets; unknown, double or missing units are errors."""
    _labels.check_ids(units)
    place = {x: k for k, x in enumerate(units)}
    unknown = sorted({x for pair in triplets for x in pair[:2]} - set(place))
    if unknown:
        raise DataSourceError(f"{file.name}: neighbours that are no unit of the file: {_labels.shorten(unknown)}")
    twice = [f"{i} {j}" for (i, j), k in Counter((i, j) for i, j, _ in triplets).items() if k > 1]
    if twice:
        raise DataSourceError(f"{file.name}: pairs that occur more than once: {_labels.shorten(twice, 4)}")
    rows, columns = [place[t[0]] for t in triplets], [place[t[1]] for t in triplets]
    values = np.array([t[2] for t in triplets], dtype=np.float64)
    shape = (len(units), len(units))
    return coo_array((values, (rows, columns)), shape=shape).tocsr(), decode_all(units)


def write_gal(w: SpatialWeights, file: Path) -> None:
    """Write links; refuse a matrix that is not a standardisation of its links."""
    from nqpf_spatial.weights.core import SpatialWeights

    pattern = csr_array((np.ones(w.sparse.nnz), w.sparse.indices, w.sparse.indptr), shape=w.sparse.shape)
    binary = SpatialWeights(w.ids, pattern, transform=w.transform, islands_allowed=True, order=w.order)
    if binary.checksum != w.checksum:
        raise ValueError(
            f"{w.name}: a .gal file holds links without weights and would lose these weights; use .gwt, .mtx or .csv"
        )
    names = [encode(x) for x in w.ids]
    lines = [f"0 {w.n} unknown id"]
    for k, name in enumerate(names):
        own = w.sparse.indices[w.sparse.indptr[k] : w.sparse.indptr[k + 1]]
        lines += [f"{name} {own.size}", " ".join(names[j] for j in own)]
    _save(file, lines)


def read_gwt(file: Path, encoding: str) -> tuple[csr_array, list[Any]]:
    """Weights of a GWT file: lines of label, label, weight."""
    lines = _lines(file, encoding)
    n = _count(file, lines[0])
    triplets = []
    for k, line in enumerate(lines[1:], start=2):
        words = line.split()
        if not words:
            continue
        if len(words) != 3:
            raise DataSourceError(f"{file.name}, line {k}: expected 'label label weight', found {line!r}")
        triplets.append((words[0], words[1], number(file, k, words[2])))
    units = list(dict.fromkeys(x for pair in triplets for x in pair[:2]))
    if len(units) < n:
        units = _with_islands(file, units, n)
    if len(units) != n:
        raise DataSourceError(f"{file.name}: the first line says {n} units, the lines name {len(units)}")
    return _assemble(file, units, triplets)


def _with_islands(file: Path, units: list[str], n: int) -> list[str]:
    """Units of a GWT file that lists no link for some: their labels must stand beside it."""
    import pandas as pd

    beside = file.with_name(f"{file.name}.ids.csv")
    if beside.is_file():
        tokens = pd.read_csv(beside, dtype=str, keep_default_na=False, encoding="utf-8-sig").get("token")
        if tokens is not None and len(tokens) == n and set(units) <= set(tokens):
            return tokens.tolist()
    raise DataSourceError(
        f"{file.name}: the first line says {n} units, the lines name {len(units)}; a .gwt file cannot name "
        f"units without links, and no {beside.name} lists them"
    )


def write_gwt(w: SpatialWeights, file: Path) -> None:
    """Write label, label, weight; every digit of the weight."""
    names = [encode(x) for x in w.ids]
    links = w.sparse.tocoo()
    triplets = zip(links.row.tolist(), links.col.tolist(), links.data.tolist(), strict=True)
    _save(file, [f"0 {w.n} unknown id", *(f"{names[i]} {names[j]} {value!r}" for i, j, value in triplets)])


def read_mtx(file: Path, encoding: str) -> tuple[Any, list[Any] | None]:
    """Matrix Market, with labels if it carries them as comments."""
    from scipy.io import mmread

    lines = _lines(file, encoding)
    words = [x[len(_MTX_LABEL) :].strip() for x in lines if x.startswith(_MTX_LABEL)]
    try:
        matrix = mmread(file)
    except (ValueError, OverflowError, TypeError) as error:
        raise DataSourceError(f"{file.name} is no Matrix Market file: {error}") from error
    return matrix, decode_all(words) if words else None


def write_mtx(w: SpatialWeights, file: Path) -> None:
    """Matrix Market, coordinate format, labels as comments."""
    links = w.sparse.tocoo()
    triplets = zip(links.row.tolist(), links.col.tolist(), links.data.tolist(), strict=True)
    _save(
        file,
        [
            "%%MatrixMarket matrix coordinate real general",
            *(f"{_MTX_LABEL}{encode(x)}" for x in w.ids),
            f"{w.n} {w.n} {w.sparse.nnz}",
            *(f"{i + 1} {j + 1} {value!r}" for i, j, value in triplets),
        ],
    )


def read_spmatrix(file: Path, encoding: str) -> tuple[Any, list[Any] | None]:
    """Text of Stata's spmatrix: N, then per line a numeric id and N weights.

    The numbers are codes of the file, not labels: a file ``.ids.csv`` beside it translates them.
    """
    lines = [x for x in _lines(file, encoding) if x.strip()]
    head = lines[0].split()
    if len(head) != 1 or not head[0].isdigit() or int(head[0]) < 1:
        raise DataSourceError(f"{file.name}, line 1: expected the number of units alone, found {lines[0]!r}")
    n = int(head[0])
    if len(lines) != n + 1:
        raise DataSourceError(f"{file.name}: line 1 says {n} units, {len(lines) - 1} lines follow")
    rows = [line.split() for line in lines[1:]]
    odd = [k + 2 for k, row in enumerate(rows) if len(row) != n + 1]
    if odd:
        raise DataSourceError(
            f"{file.name}, line {odd[0]}: expected an id and {n} weights, found {len(rows[odd[0] - 2])} words"
        )
    matrix = np.array([[number(file, k + 2, x) for x in row[1:]] for k, row in enumerate(rows)])
    codes = [row[0] for row in rows]
    return matrix, translate(file, codes)


def translate(file: Path, codes: list[str]) -> list[Any]:
    """Labels of numeric codes, from the file beside if there is one."""
    import pandas as pd

    beside = file.with_name(f"{file.name}.ids.csv")
    if beside.is_file():
        table = pd.read_csv(beside, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        if table.get("code") is None or table["code"].tolist() != codes:
            raise DataSourceError(f"{beside.name} does not list the codes of {file.name} in their order")
        return decode_all(table["label"].tolist(), escaped=False)
    return decode_all(codes)


def write_spmatrix(w: SpatialWeights, file: Path) -> None:
    """Text for Stata's spmatrix import; provinces under their adcode."""
    rows = w.dense().tolist()
    codes = number_codes(w)
    _save(file, [str(w.n), *(f"{c} {' '.join(map(repr, row))}" for c, row in zip(codes, rows, strict=True))])


def _save(file: Path, lines: list[str]) -> None:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
