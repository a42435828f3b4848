"""Files: the same matrix read back has the same checksum; other programs' files; exports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.io import loadmat, mmwrite, savemat

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError, DataSourceError
from nqpf_spatial.weights import SpatialWeights, read, write

ALL = ["gwt", "swm", "mtx", "mat", "dta", "csv", "xlsx", "txt"]


def _matrices() -> dict[str, SpatialWeights]:
    rng = np.random.default_rng(0)
    base = rng.random((9, 9)) * (rng.random((9, 9)) < 0.5)
    np.fill_diagonal(base, 0)
    base[np.arange(9), (np.arange(9) + 1) % 9] = 1 / 3
    odd = ["a b", "100% sure", "ünïcode", "北京 市", "x,y", 'quo"te', "NA", "001", "tab\tbed"]
    return {
        "queen": nq.weights.contiguity(),
        "migration": nq.weights.migration(),
        "zh": nq.weights.inverse_distance(names="zh", transform="spectral"),
        "odd labels": SpatialWeights(odd, base),
        "numbers": SpatialWeights(range(100, 109), base),
        "zero-padded": SpatialWeights([f"0{k}" for k in range(1, 10)], base),
        "island": nq.weights.contiguity(hainan="island"),
    }


MATRICES = _matrices()


@pytest.mark.parametrize("ending", ALL)
@pytest.mark.parametrize("name", list(MATRICES))
def test_round_trip_keeps_the_checksum(tmp_path: Path, ending: str, name: str) -> None:
    w = MATRICES[name]
    paths = write(w, tmp_path / f"w.{ending}")
    assert [p.name for p in paths] == [f"w.{ending}", f"w.{ending}.ids.csv"]
    transform = "none" if w.transform == "spectral" else "row"
    again = read(paths[0], transform=transform, islands="keep")
    assert again.checksum == w.checksum
    assert [str(x) for x in again.ids] == [str(x) for x in w.ids]


@pytest.mark.parametrize("ending", ALL)
def test_base_and_given_order_survive(tmp_path: Path, ending: str) -> None:
    w = nq.weights.migration().reorder(reversed(nq.weights.migration().ids))
    path = write(w, tmp_path / f"w.{ending}", what="base")[0]
    assert read(path, transform="none") == w.with_transform("none")
    assert read(path) == w


@pytest.mark.parametrize("ending", [*ALL, "gal"])
def test_writing_twice_gives_the_same_bytes(tmp_path: Path, ending: str) -> None:
    w = nq.weights.contiguity()
    first, second = (write(w, tmp_path / folder / f"w.{ending}") for folder in _folders(tmp_path))
    if ending in ("xlsx", "mat"):  # containers with a clock of their own: same content
        assert read(first[0]) == read(second[0])
    else:
        assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def _folders(root: Path) -> list[str]:
    for name in ("one", "two"):
        (root / name).mkdir()
    return ["one", "two"]


@pytest.mark.parametrize("name", ["queen", "island"])
def test_gal_holds_links(tmp_path: Path, name: str) -> None:
    w = MATRICES[name]
    path = write(w, tmp_path / "w.gal")[0]
    assert read(path, islands="keep") == w
    assert path.read_text().splitlines()[:3] == ["0 31 unknown id", "Beijing 2", "Tianjin Hebei"]
    assert "Inner%20Mongolia" in path.read_text()
    with pytest.raises(ValueError, match=r"would lose these weights; use \.gwt"):
        write(nq.weights.migration(), tmp_path / "m.gal")


def test_libpysal_reads_what_we_write_and_we_read_what_it_writes(tmp_path: Path) -> None:
    from libpysal.graph import read_gal, read_gwt

    w = nq.weights.contiguity(transform="none", names="adcode")
    peer = read_gal(write(w, tmp_path / "w.gal")[0])
    np.testing.assert_array_equal(peer.sparse.toarray(), w.dense())
    peer.to_gal(tmp_path / "p.gal")
    assert read(tmp_path / "p.gal", transform="none") == w
    weighted = nq.weights.inverse_distance(names="adcode", transform="none")
    peer = read_gwt(write(weighted, tmp_path / "w.gwt")[0])
    np.testing.assert_allclose(peer.sparse.toarray(), weighted.dense())
    peer.to_gwt(tmp_path / "p.gwt")  # seven decimals
    np.testing.assert_allclose(read(tmp_path / "p.gwt", transform="none").dense(), weighted.dense(), atol=1e-7)


def test_ids_written_beside(tmp_path: Path) -> None:
    beside = pd.read_csv(write(nq.weights.contiguity(), tmp_path / "w.mat")[1])
    assert beside.loc[4].to_dict() == {
        "position": 5, "label": "Inner Mongolia", "token": "Inner%20Mongolia", "code": 150000,
        "name_en": "Inner Mongolia", "name_zh": "内蒙古",
    }  # fmt: skip


def test_matrix_market_of_others_needs_ids(tmp_path: Path) -> None:
    a = np.array([[0, 1, 0], [2, 0, 3], [0, 4, 0.0]])
    mmwrite(tmp_path / "bare.mtx", a)
    with pytest.raises(AlignmentError, match=r"bare\.mtx carries no labels: give ids=.* its 3 rows"):
        read(tmp_path / "bare.mtx")
    w = read(tmp_path / "bare.mtx", ids=["c", "b", "a"], transform="none")
    assert w.to_frame().loc["b", "a"] == 3
    (tmp_path / "order.csv").write_text("position,label\n1,c\n2,b\n3,a\n")
    assert read(tmp_path / "bare.mtx", ids=tmp_path / "order.csv", transform="none") == w
    (tmp_path / "bare.mtx.ids.csv").write_text("position,label\n1,c\n2,b\n3,a\n")
    assert read(tmp_path / "bare.mtx", transform="none") == w
    assert nq.weights.from_any(str(tmp_path / "bare.mtx"), transform="none") == w


def test_matlab_of_others(tmp_path: Path) -> None:
    a = np.array([[0, 1, 0], [2, 0, 3], [0, 4, 0.0]])
    savemat(tmp_path / "w.mat", {"Wmat": a, "T": 12, "ids": np.array(["x", "yy", "z"])})  # character matrix
    assert read(tmp_path / "w.mat", transform="none").to_frame().loc["yy", "z"] == 3
    savemat(tmp_path / "n.mat", {"W": a, "other": a, "ids": np.array([[11.0], [12.0], [13.0]])})
    assert read(tmp_path / "n.mat").ids == (11, 12, 13)
    content = loadmat(write(nq.weights.contiguity(), tmp_path / "q.mat")[0])
    assert content["ids"][4, 0].item() == "Inner Mongolia" and content["W"].shape == (31, 31)


def test_stata_of_spatwmat(tmp_path: Path) -> None:
    a = pd.DataFrame([[0, 1, 0], [2, 0, 3], [0, 4, 0.0]], columns=["w1", "w2", "w3"])
    a.to_stata(tmp_path / "bare.dta", write_index=False)
    with pytest.raises(AlignmentError, match="carries no labels"):
        read(tmp_path / "bare.dta")
    w = read(tmp_path / "bare.dta", ids=["c", "b", "a"], transform="none")
    assert w.to_frame().loc["b", "a"] == 3
    a.assign(adcode=[130000, 120000, 110000]).to_stata(tmp_path / "id.dta", write_index=False)
    assert read(tmp_path / "id.dta", transform="none").to_frame().loc[120000, 110000] == 3
    long = pd.DataFrame({"origin": ["b", "c"], "destination": ["c", "b"], "weight": [2.0, 5.0]})
    long.to_stata(tmp_path / "long.dta", write_index=False)
    assert read(tmp_path / "long.dta", transform="none").to_frame().loc["c", "b"] == 5


def test_stata_columns_align_by_their_variable_labels(tmp_path: Path) -> None:
    frame = pd.DataFrame({"unit": ["b", "a"], "w1": [7.0, 0.0], "w2": [0.0, 9.0]})
    labels = {"w1": "a", "w2": "b"}  # columns in another order than the rows
    frame.to_stata(tmp_path / "w.dta", write_index=False, variable_labels=labels)
    assert read(tmp_path / "w.dta", transform="none").to_frame().loc["b", "a"] == 7


def test_stata_spmatrix_text(tmp_path: Path) -> None:
    w = nq.weights.contiguity()
    paths = write(w, tmp_path / "w.txt")
    lines = paths[0].read_text().splitlines()
    assert lines[0] == "31" and lines[1].startswith("110000 0.0 0.5 0.5 0.0")
    assert read(paths[0]).ids == w.ids
    paths[1].unlink()
    assert read(paths[0]) == w and read(paths[0]).ids[0] == 110000  # without the file beside: the codes


def test_numbers_of_a_text_file_are_translated_by_the_ids_given(tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_text("2\n1 0 5\n2 1 0\n")
    assert read(tmp_path / "w.txt").ids == (1, 2)
    w = read(tmp_path / "w.txt", ids=["y", "x"], transform="none")
    assert w.to_frame().loc["y", "x"] == 5
    (tmp_path / "p.txt").write_text("2\n120000 0 5\n110000 1 0\n")  # codes that do stand for units
    with pytest.raises(AlignmentError, match="not in the weights: Hebei"):
        read(tmp_path / "p.txt", ids=["Beijing", "Hebei"])
    assert read(tmp_path / "p.txt", ids=["Beijing", "Tianjin"], transform="none").to_frame().loc[120000, 110000] == 5


def test_csv_square_and_long(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(",b,a\na,2,0\nb,0,3\n")
    w = read(tmp_path / "s.csv", transform="none")
    assert w.to_frame().loc["a", "b"] == 2 and w.to_frame().loc["b", "a"] == 3
    (tmp_path / "l.csv").write_text("origin,destination,weight\na,b,2\nb,a,3\n")
    assert read(tmp_path / "l.csv", transform="none") == w
    (tmp_path / "x.csv").write_text("id,01,02\n01,0,1\n02,1,0\n")
    assert read(tmp_path / "x.csv").ids == ("01", "02")
    (tmp_path / "gb.csv").write_bytes(",北京,天津\n北京,0,1\n天津,1,0\n".encode("gb18030"))
    with pytest.raises(DataSourceError, match="try encoding='gb18030'"):
        read(tmp_path / "gb.csv")
    assert read(tmp_path / "gb.csv", encoding="gb18030").ids == ("北京", "天津")
    (tmp_path / "bom.csv").write_bytes(",北京,天津\n北京,0,1\n天津,1,0\n".encode("utf-8-sig"))
    assert read(tmp_path / "bom.csv") == read(tmp_path / "gb.csv", encoding="gb18030")


def test_format_by_name_and_diagonal(tmp_path: Path) -> None:
    (tmp_path / "w.dat").write_text(",b,a\na,2,1\nb,1,3\n")
    with pytest.raises(DataSourceError, match="'dat' is not known; give format= as one of gal, gwt"):
        read(tmp_path / "w.dat")
    with pytest.raises(ValueError, match="own neighbours"):
        read(tmp_path / "w.dat", format="csv")
    assert read(tmp_path / "w.dat", format="csv", diagonal="drop", name="mine").name == "mine"
    with pytest.raises(ValueError, match="'keep' is not known"):
        read(tmp_path / "w.dat", format="csv", diagonal="keep")  # type: ignore[arg-type]
    with pytest.raises(DataSourceError, match=r"no file nothing\.csv"):
        read(tmp_path / "nothing.csv")
    with pytest.raises(ValueError, match="'all' is not known"):
        write(nq.weights.contiguity(), tmp_path / "w.csv", what="all")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "files"),
    [
        ("stata", {"W.txt", "W.txt.ids.csv", "W.dta", "W.dta.ids.csv", "W.do"}),
        ("r", {"W.csv", "W.csv.ids.csv", "W.triplets.csv", "W.R"}),
        ("matlab", {"W.mat", "W.mat.ids.csv", "W.m"}),
    ],
)
def test_exports(tmp_path: Path, target: str, files: set[str]) -> None:
    w = nq.weights.migration()
    paths = nq.weights.export(w, tmp_path, target)  # type: ignore[arg-type]
    assert {p.name for p in paths} == files and all(p.is_file() for p in paths)
    script = paths[-1].read_text()
    assert ".ids.csv" in script or "ids" in script
    assert str(tmp_path) not in script
    if target == "r":
        triplets, order = pd.read_csv(tmp_path / "W.triplets.csv"), pd.read_csv(tmp_path / "W.csv.ids.csv")
        a = np.zeros((31, 31))
        a[triplets["from"] - 1, triplets["to"] - 1] = triplets["weights"]
        again = nq.weights.from_any(a, ids=order["label"])
        np.testing.assert_allclose(again.dense(), w.dense(), rtol=1e-15)
        assert 'style = "W"' in script
    with pytest.raises(ValueError, match="'sas' is not known"):
        nq.weights.export(w, tmp_path, "sas")  # type: ignore[arg-type]
    made = nq.weights.export(w, tmp_path / "new" / "folder", target)  # type: ignore[arg-type]
    assert [p.read_bytes() for p in made if p.suffix != ".mat"] == [p.read_bytes() for p in paths if p.suffix != ".mat"]
    with pytest.raises(DataSourceError, match=r"W\.\w+ is a file"):
        nq.weights.export(w, paths[0], target)  # type: ignore[arg-type]


def test_swm_of_libpysal(tmp_path: Path) -> None:
    from libpysal.io import open as open_weights
    from libpysal.weights import lat2W

    path, links = tmp_path / "lattice.swm", lat2W(3, 4)
    file = open_weights(str(path), "w")
    file.write(links)
    file.close()
    w = read(path, transform="none")
    assert w.ids == tuple(range(12))
    np.testing.assert_array_equal(w.dense(), links.full()[0])
    assert read(path, ids=range(12)) == read(path)
    with pytest.raises(AlignmentError):  # the rows of the file are in no order that names could follow
        read(path, ids=[f"cell {k}" for k in range(12)])


@pytest.mark.filterwarnings("ignore:The weights matrix is not fully connected")
def test_swm_read_by_libpysal(tmp_path: Path) -> None:
    from libpysal.io import open as open_weights

    w = nq.weights.contiguity(hainan="island", names="adcode", islands="keep")
    file = open_weights(str(write(w, tmp_path / "w.swm")[0]))
    links = file.read()
    file.close()
    assert list(links.neighbors) == list(w.ids) and links.neighbors[460000] == []
    for unit in w.ids:
        np.testing.assert_array_equal(
            w.to_frame().loc[unit, links.neighbors[unit]].to_numpy(), np.array(links.weights[unit])
        )


@pytest.mark.parametrize("content", [b"", b"hello", b"VERSION@10;x\n", b"a;b\n\x05\x00\x00\x00\x00\x00\x00\x00\x01"])
def test_swm_that_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.swm").write_bytes(content)
    with pytest.raises(DataSourceError, match=r"w\.swm is no ArcGIS file"):
        read(tmp_path / "w.swm")


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_matrix_without_labels_takes_ids(tmp_path: Path, ending: str) -> None:
    w, path = nq.weights.contiguity(transform="none"), tmp_path / f"w.{ending}"
    frame, options = w.to_frame(), {"index": False, "header": False}
    if ending == "csv":
        frame.to_csv(path, **options)
    else:
        frame.to_excel(path, **options)
    assert read(path, ids=list(w.ids), transform="none") == w
    for wrong in ({}, {"ids": w.ids[:30]}):
        with pytest.raises(AlignmentError, match=r"A matrix without labels needs ids=\[\.\.\.\]"):
            read(path, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_numbers_as_labels_stay_labels(tmp_path: Path, ending: str) -> None:
    w = MATRICES["numbers"]
    path = write(w, tmp_path / f"w.{ending}")[0]
    assert read(path, ids=list(w.ids)) == w
