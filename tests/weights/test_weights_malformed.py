"""Malformed frames and files: a clear error for each, never a wrong matrix."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.io import savemat

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError, DataSourceError
from nqpf_spatial.weights import from_any, read

LABELS = ["Beijing", "Tianjin", "Hebei", "Shanxi"]
GOOD = np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0]], dtype=float)


def _frame() -> pd.DataFrame:
    return pd.DataFrame(GOOD, index=LABELS, columns=LABELS)


def _set(i: int, j: int, value: Any) -> Callable[[], pd.DataFrame]:
    def change() -> pd.DataFrame:
        frame = _frame().astype(object)
        frame.iloc[i, j] = value
        return frame

    return change


BAD_CELLS = [np.nan, None, pd.NA, np.inf, -np.inf, -1, -1e-300, "x", "1,5", "", "nan?", 1 + 2j]
FRAMES: dict[str, Callable[[], Any]] = {
    f"cell {i},{j} = {value!r}": _set(i, j, value)
    for (i, j), value in itertools.product([(0, 1), (2, 3), (3, 2)], BAD_CELLS)
}
FRAMES |= {f"diagonal {k}": _set(k, k, 1.0) for k in range(4)}
FRAMES |= {f"row {k} empty": (lambda k=k: _frame().mul((np.arange(4) != k).astype(float), axis=0)) for k in range(4)}
FRAMES |= {f"row {k} missing": (lambda k=k: _frame().drop(index=LABELS[k])) for k in range(4)}
FRAMES |= {f"column {k} missing": (lambda k=k: _frame().drop(columns=LABELS[k])) for k in range(4)}
FRAMES |= {
    f"column {k} misspelt": (lambda k=k: _frame().rename(columns={LABELS[k]: LABELS[k] + "g"})) for k in range(4)
}
FRAMES |= {f"row {k} misspelt": (lambda k=k: _frame().rename(index={LABELS[k]: "Shnxi"})) for k in range(4)}
FRAMES |= {f"row {k} twice": (lambda k=k: pd.concat([_frame(), _frame().iloc[[k]]])) for k in range(4)}
FRAMES |= {
    f"label {bad!r} in row {k}": (lambda k=k, bad=bad: _frame().set_axis([*LABELS[:k], bad, *LABELS[k + 1 :]]))
    for k in range(3)
    for bad in (None, np.nan, "", LABELS[3])
}
FRAMES |= {
    "no labels": lambda: pd.DataFrame(GOOD),
    "numbered rows": lambda: _frame().reset_index(drop=True),
    "numbered columns": lambda: _frame().set_axis(range(4), axis=1),
    "labels in a column": lambda: _frame().reset_index(),
    "two-level rows": lambda: _frame().set_axis(pd.MultiIndex.from_product([["a", "b"], [1, 2]])),
    "two names for one province": lambda: (
        _frame()
        .set_axis(["Beijing", "北京", "Hebei", "Shanxi"])
        .set_axis(["Beijing", "北京", "Hebei", "Shanxi"], axis=1)
    ),
    "empty": lambda: pd.DataFrame(),
    "one unit": lambda: pd.DataFrame([[0.0]], index=["a"], columns=["a"]),
    "dates": lambda: _frame().astype(object).map(lambda _: pd.Timestamp("2020-01-01")),
    "lists": lambda: _frame().astype(object).map(lambda _: [1]),
    "ndarray": lambda: GOOD,
    "list of lists": lambda: GOOD.tolist(),
    "ragged list": lambda: [[0, 1], [1]],
    "vector": lambda: GOOD[0],
    "cube": lambda: GOOD[None],
    "sparse": lambda: sparse.csr_array(GOOD),
    "number": lambda: 3,
    "nothing": lambda: None,
    "dict": lambda: {"a": ["b"]},
    "series by unit": lambda: pd.Series(1.0, index=LABELS),
}


def _long(**changes: Any) -> pd.DataFrame:
    table = pd.DataFrame(
        {"origin": LABELS, "destination": [*LABELS[1:], LABELS[0]], "weight": [1.0, 2.0, 3.0, 4.0]}
    ).astype(object)
    for column, (row, value) in changes.items():
        table.loc[row, column] = value
    return table


LONG: dict[str, Callable[[], pd.DataFrame]] = {
    f"long {column}[{row}] = {value!r}": (lambda c=column, r=row, v=value: _long(**{c: (r, v)}))
    for row in (0, 2, 3)
    for column, value in [
        *(("weight", v) for v in (np.nan, None, -2.0, np.inf, "many", "")),
        *(("origin", v) for v in (None, np.nan)),
        *(("destination", v) for v in (None, np.nan)),
    ]
}
LONG |= {
    f"long, pair {row} twice": (lambda r=row: pd.concat([_long(), _long().iloc[[r]]], ignore_index=True))
    for row in range(4)
}
LONG |= {f"long, unit {row} to itself": (lambda r=row: _long(destination=(r, LABELS[r]))) for row in range(4)}
LONG |= {"long, a unit that only receives": lambda: _long().iloc[:3], "long, two columns": lambda: _long().iloc[:, :2]}


@pytest.mark.parametrize("case", [*FRAMES, *LONG])
def test_frames(case: str) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        from_any((FRAMES | LONG)[case]())
    _is_clear(caught.value)


def _is_clear(error: BaseException) -> None:
    """A sentence of ours, not a traceback of numpy or pandas."""
    text = str(error)
    assert len(text) > 12, text
    foreign = (
        "could not convert",
        "truth value",
        "object is not",
        "'NoneType'",
        "invalid literal",
        "unpack",
        "codec can't",
    )
    assert not any(x in text for x in foreign), text


GAL = (
    "0 4 map id\nBeijing 2\nTianjin Hebei\nTianjin 2\nBeijing Hebei\nHebei 3\nBeijing Tianjin Shanxi\nShanxi 1\nHebei\n"
)
GWT = "0 4 map id\nBeijing Tianjin 1\nTianjin Beijing 1\nHebei Shanxi 2.5\nShanxi Hebei 2\n"
MTX = "%%MatrixMarket matrix coordinate real general\n%unit a\n%unit b\n2 2 2\n1 2 1.0\n2 1 2.0\n"
TXT = "2\n110000 0 1\n120000 1 0\n"
CSV = ",a,b,c\na,0,1,2\nb,1,0,3\nc,2,3,0\n"

TEXTS: dict[tuple[str, str], str] = {
    ("gal", "empty"): "",
    ("gal", "blank"): "\n\n",
    ("gal", "no header"): GAL.split("\n", 1)[1],
    ("gal", "header in words"): GAL.replace("0 4 map id", "four units", 1),
    ("gal", "negative count"): GAL.replace("0 4", "0 -4", 1),
    ("gal", "count too large"): GAL.replace("0 4", "0 5", 1),
    ("gal", "count too small"): GAL.replace("0 4", "0 3", 1),
    ("gal", "truncated"): GAL[: len(GAL) // 2],
    ("gal", "last line lost"): GAL.rsplit("Hebei\n", 1)[0],
    ("gal", "neighbour count too large"): GAL.replace("Hebei 3", "Hebei 4"),
    ("gal", "neighbour count too small"): GAL.replace("Hebei 3", "Hebei 2"),
    ("gal", "unknown neighbour"): GAL.replace("Tianjin Shanxi", "Tianjin Shaanxi"),
    ("gal", "own neighbour"): GAL.replace("Tianjin Hebei", "Beijing Hebei", 1),
    ("gal", "neighbour twice"): GAL.replace("Tianjin Hebei", "Tianjin Tianjin", 1),
    ("gal", "unit twice"): GAL.replace("Tianjin 2", "Beijing 2"),
    ("gal", "label with a blank"): GAL.replace("Shanxi", "Inner Mongolia"),
    ("gal", "count not a number"): GAL.replace("Hebei 3", "Hebei three"),
    ("gal", "island"): GAL.replace("Shanxi 1\nHebei\n", "Shanxi 0\n\n"),
    ("gal", "nul bytes"): "\x00" * 40,
    ("gwt", "empty"): "",
    ("gwt", "no header"): GWT.split("\n", 1)[1],
    ("gwt", "count too large"): GWT.replace("0 4", "0 6", 1),
    ("gwt", "count too small"): GWT.replace("0 4", "0 2", 1),
    ("gwt", "two words"): GWT.replace("Hebei Shanxi 2.5", "Hebei Shanxi"),
    ("gwt", "four words"): GWT.replace("Hebei Shanxi 2.5", "Inner Mongolia Shanxi 2.5"),
    ("gwt", "weight in words"): GWT.replace("2.5", "much"),
    ("gwt", "comma decimal"): GWT.replace("2.5", "2,5"),
    ("gwt", "negative"): GWT.replace("2.5", "-2.5"),
    ("gwt", "nan"): GWT.replace("2.5", "nan"),
    ("gwt", "inf"): GWT.replace("2.5", "inf"),
    ("gwt", "pair twice"): GWT + "Hebei Shanxi 2.5\n",
    ("gwt", "own neighbour"): GWT.replace("Hebei Shanxi", "Hebei Hebei"),
    ("mtx", "empty"): "",
    ("mtx", "no banner"): MTX.split("\n", 1)[1],
    ("mtx", "wrong banner"): MTX.replace("MatrixMarket", "MatrixSupermarket"),
    ("mtx", "complex"): MTX.replace("real", "complex").replace("1.0", "1.0 2.0").replace("2.0\n", "2.0 1.0\n"),
    ("mtx", "index out of range"): MTX.replace("1 2 1.0", "1 3 1.0"),
    ("mtx", "zero index"): MTX.replace("1 2 1.0", "0 2 1.0"),
    ("mtx", "truncated"): MTX[:-8],
    ("mtx", "too many entries"): MTX + "1 1 3\n",
    ("mtx", "not square"): MTX.replace("2 2 2", "2 3 2"),
    ("mtx", "one label"): MTX.replace("%unit b\n", ""),
    ("mtx", "no labels"): MTX.replace("%unit a\n%unit b\n", ""),
    ("mtx", "label twice"): MTX.replace("%unit b", "%unit a"),
    ("mtx", "word"): MTX.replace("1.0", "one"),
    ("mtx", "negative"): MTX.replace("1.0", "-1.0"),
    ("mtx", "nan"): MTX.replace("1.0", "nan"),
    ("mtx", "diagonal"): MTX.replace("1 2 1.0", "1 1 1.0"),
    ("txt", "empty"): "",
    ("txt", "no count"): TXT.split("\n", 1)[1],
    ("txt", "count too large"): TXT.replace("2\n", "3\n", 1),
    ("txt", "row too short"): TXT.replace("0 1\n", "0\n", 1),
    ("txt", "row too long"): TXT.replace("0 1\n", "0 1 1\n", 1),
    ("txt", "word"): TXT.replace("110000 0 1", "110000 0 one"),
    ("txt", "id twice"): TXT.replace("120000", "110000"),
    ("txt", "negative"): TXT.replace("120000 1", "120000 -1"),
    ("txt", "diagonal"): TXT.replace("110000 0", "110000 5"),
    ("csv", "empty"): "",
    ("csv", "header only"): ",a,b,c\n",
    ("csv", "row missing"): CSV.replace("c,2,3,0\n", ""),
    ("csv", "column missing"): ",a,b\na,0,1\nb,1,0\nc,2,3\n",
    ("csv", "row too long"): CSV.replace("b,1,0,3", "b,1,0,3,4"),
    ("csv", "cell missing"): CSV.replace("b,1,0,3", "b,1,,3"),
    ("csv", "row too short"): CSV.replace("b,1,0,3", "b,1,0"),
    ("csv", "word"): CSV.replace("b,1,0,3", "b,one,0,3"),
    ("csv", "NA"): CSV.replace("b,1,0,3", "b,NA,0,3"),
    ("csv", "nan"): CSV.replace("b,1,0,3", "b,nan,0,3"),
    ("csv", "negative"): CSV.replace("b,1,0,3", "b,-1,0,3"),
    ("csv", "infinite"): CSV.replace("b,1,0,3", "b,inf,0,3"),
    ("csv", "label twice in rows"): CSV.replace("b,1", "a,1"),
    ("csv", "label twice in columns"): CSV.replace(",a,b,c", ",a,b,b"),
    ("csv", "label blank"): CSV.replace("b,1", ",1"),
    ("csv", "labels differ"): CSV.replace("b,1", "d,1"),
    ("csv", "diagonal"): CSV.replace("b,1,0", "b,1,7"),
    ("csv", "island"): CSV.replace("b,1,0,3", "b,0,0,0"),
    ("csv", "semicolons"): CSV.replace(",", ";"),
    ("csv", "comma decimals"): CSV.replace(",", ";").replace("2", "2,5"),
    ("csv", "no labels"): "0,1\n1,0\n",
    ("csv", "open quote"): CSV.replace("b,1", '"b,1'),
    ("csv", "prose"): "Dear reader,\nthe matrix is in the attachment.\n",
    ("csv", "long without weight"): "origin,destination\na,b\nb,a\n",
    ("csv", "long, blank weight"): "origin,destination,weight\na,b,\nb,a,1\n",
    ("csv", "long, blank unit"): "origin,destination,weight\na,,1\nb,a,1\n",
    ("csv", "long, pair twice"): "origin,destination,weight\na,b,1\na,b,2\nb,a,1\n",
}


@pytest.mark.parametrize("case", list(TEXTS), ids=lambda c: f"{c[0]}: {c[1]}")
def test_text_files(tmp_path: Path, case: tuple[str, str]) -> None:
    path = tmp_path / f"w.{case[0]}"
    path.write_text(TEXTS[case], encoding="utf-8", newline="\n")
    with pytest.raises((DataSourceError, AlignmentError, ValueError)) as caught:
        read(path)
    _is_clear(caught.value)


@pytest.mark.parametrize(("ending", "text"), [("gal", GAL), ("gwt", GWT), ("mtx", MTX), ("txt", TXT), ("csv", CSV)])
def test_the_texts_these_were_made_from_are_fine(tmp_path: Path, ending: str, text: str) -> None:
    path = tmp_path / f"w.{ending}"
    path.write_text(text, encoding="utf-8")
    assert read(path).n in (2, 3, 4)


def _dta(frame: pd.DataFrame) -> Callable[[Path], None]:
    return lambda path: frame.to_stata(path, write_index=False)


def _xlsx(frame: pd.DataFrame, **options: Any) -> Callable[[Path], None]:
    return lambda path: frame.to_excel(path, **options)


def _mat(**content: Any) -> Callable[[Path], None]:
    return lambda path: savemat(path, content)


SQUARE = pd.DataFrame([[0, 1.0], [2.0, 0]], columns=["w1", "w2"])
BINARY: dict[tuple[str, str], Callable[[Path], Any]] = {
    **{(kind, "random bytes"): (lambda p: p.write_bytes(bytes(range(256)) * 4)) for kind in ("mat", "dta", "xlsx", "gal", "csv")},
    **{(kind, "empty"): (lambda p: p.write_bytes(b"")) for kind in ("mat", "dta", "xlsx")},
    **{(kind, "text"): (lambda p: p.write_text("not what it says")) for kind in ("mat", "dta", "xlsx", "mtx")},
    ("mat", "no matrix"): _mat(note="hello"),
    ("mat", "not square"): _mat(W=np.ones((2, 3))),
    ("mat", "two matrices"): _mat(A=GOOD, B=GOOD),
    ("mat", "no ids"): _mat(W=GOOD),
    ("mat", "too few ids"): _mat(W=GOOD, ids=np.array([["a"], ["b"]], dtype=object)),
    ("mat", "ids twice"): _mat(W=GOOD, ids=np.array([["a"], ["b"], ["a"], ["c"]], dtype=object)),
    ("mat", "negative"): _mat(W=-GOOD, ids=np.array([[x] for x in LABELS], dtype=object)),
    ("mat", "complex"): _mat(W=GOOD * 1j, ids=np.array([[x] for x in LABELS], dtype=object)),
    ("mat", "nan"): _mat(W=np.where(GOOD > 0, np.nan, 0), ids=np.array([[x] for x in LABELS], dtype=object)),
    ("dta", "no ids"): _dta(SQUARE),
    ("dta", "two text columns"): _dta(SQUARE.assign(unit=["a", "b"], other=["c", "d"])),
    ("dta", "number columns without a name"): _dta(SQUARE.assign(x=[1.0, 2.0])),
    ("dta", "too many rows"): _dta(pd.concat([SQUARE, SQUARE]).assign(unit=["a", "b", "c", "d"])),
    ("dta", "missing cell"): _dta(SQUARE.replace(2.0, np.nan).assign(unit=["a", "b"])),
    ("dta", "blank unit"): _dta(SQUARE.assign(unit=["a", ""])),
    ("dta", "unit twice"): _dta(SQUARE.assign(unit=["a", "a"])),
    ("dta", "diagonal"): _dta((SQUARE + 1).assign(unit=["a", "b"])),
    ("xlsx", "empty sheet"): _xlsx(pd.DataFrame(), index=False),
    ("xlsx", "no labels"): _xlsx(pd.DataFrame(GOOD), index=False, header=False),
    ("xlsx", "column missing"): _xlsx(_frame().drop(columns="Hebei")),
    ("xlsx", "labels differ"): _xlsx(_frame().rename(index={"Hebei": "Henan"})),
    ("xlsx", "blank cell"): _xlsx(_frame().replace(0.0, None)),
    ("xlsx", "word"): _xlsx(_set(0, 1, "one")()),
    ("xlsx", "label twice"): _xlsx(_frame().rename(columns={"Hebei": "Beijing"})),
    ("xlsx", "negative"): _xlsx(-_frame()),
}  # fmt: skip


@pytest.mark.parametrize("case", list(BINARY), ids=lambda c: f"{c[0]}: {c[1]}")
def test_binary_files(tmp_path: Path, case: tuple[str, str]) -> None:
    path = tmp_path / f"w.{case[0]}"
    BINARY[case](path)
    with pytest.raises((DataSourceError, AlignmentError, ValueError)) as caught:
        read(path)
    _is_clear(caught.value)


def test_there_are_more_than_two_hundred_cases() -> None:
    assert len(FRAMES) + len(LONG) + len(TEXTS) + len(BINARY) > 200


def test_ids_beside_must_fit(tmp_path: Path) -> None:
    nq.weights.write(nq.weights.contiguity(), tmp_path / "w.txt")
    beside = tmp_path / "w.txt.ids.csv"
    beside.write_text("\n".join(beside.read_text().splitlines()[:-1]))
    with pytest.raises(DataSourceError, match="does not list the codes"):
        read(tmp_path / "w.txt")
    beside.unlink()
    beside = tmp_path / "order.csv"
    for text, message in (("a,b\n1,2\n", "needs the columns"), ("position,label\n2,a\n1,b\n", "do not run from 1")):
        beside.write_text(text)
        with pytest.raises(DataSourceError, match=message):
            read(tmp_path / "w.txt", ids=beside)
    with pytest.raises(DataSourceError, match=r"no file none\.csv"):
        read(tmp_path / "w.txt", ids=tmp_path / "none.csv")


@pytest.mark.parametrize(
    "call",
    [
        nq.weights.report,
        nq.weights.plot,
        nq.weights.higher_order,
        nq.weights.to_networkx,
        lambda w: nq.weights.check_presample(w, 2012),
        lambda w: nq.weights.write(w, "never.gal"),
        lambda w: nq.weights.export(w, "never", "r"),
        lambda w: nq.weights.combine([nq.weights.contiguity(), w], [0.5, 0.5]),
        lambda w: nq.weights.compare({"a": nq.weights.contiguity(), "b": w}),
        lambda w: nq.weights.compare([nq.weights.contiguity(), w]),
        lambda w: nq.weights.moran(pd.Series(1.0, index=w.index), w),
        lambda w: nq.weights.moran_plot(pd.Series(1.0, index=w.index), w),
        lambda w: nq.simulate("SAR", w, T=2, params={"x": 1.0}),
        lambda w: nq.ols("y ~ x", nq.simulate("SAR", nq.weights.contiguity(), params={"x": 1.0})).diagnose(w=w),
    ],
)
def test_a_table_where_weights_are_meant(call: Callable[[pd.DataFrame], Any]) -> None:
    with pytest.raises(TypeError, match=r"is a DataFrame; turn it into labelled weights with nq\.weights\.from_any"):
        call(nq.weights.contiguity().to_frame())
