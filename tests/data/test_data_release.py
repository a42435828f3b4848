"""The packaged files: checksums, counts, and the script that builds them."""

from __future__ import annotations

import gzip
import importlib.util
import json
import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import yaml

import nqpf_spatial as nq
from nqpf_spatial.data import _store
from nqpf_spatial.errors import DataSourceError

FILES = resources.files("nqpf_spatial.data") / "files"
SCRIPT = Path(__file__).parents[2] / "scripts" / "build_data.py"


def read(name: str) -> pd.DataFrame:
    """A packaged table with every cell as text."""
    with resources.as_file(FILES / name) as path:
        return pd.read_csv(path, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """The build script as a module."""
    spec = importlib.util.spec_from_file_location("build_data", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written_back(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of source tables, written back from the packaged files, rows of the panel shuffled."""
    tmp_path = tmp_path_factory.mktemp("source")
    folder = tmp_path / "data"
    (folder / "flows").mkdir(parents=True)
    (folder / "geo").mkdir()

    def write(table: pd.DataFrame, name: str) -> None:
        table.to_csv(folder / name, index=False)

    panel = read("panel.csv.gz").sample(frac=1, random_state=1)
    write(panel[["adcode", "year", "variable", "value", "source_id"]], "panel_long.csv")
    for name in ("codebook", "sources", "provinces", "compute_hubs", "compute_facts"):
        write(read(f"{name}.csv"), f"{name}.csv")
    write(read("flows_index.csv"), "flows/index.csv")
    for matrix, rows in read("flows.csv.gz").groupby("matrix"):
        columns = {"origin": "origin_adcode", "destination": "destination_adcode"}
        write(rows.rename(columns=columns).drop(columns="matrix"), f"flows/{matrix}.csv")
    write(read("adjacency.csv"), "geo/adjacency.csv")
    (tmp_path / "register.yaml").write_text(yaml.safe_dump({"derived_variables": register()}, allow_unicode=True))
    return tmp_path


@pytest.fixture
def source(written_back: Path, tmp_path: Path) -> Path:
    """A copy of the source tables that a test may spoil."""
    return shutil.copytree(written_back, tmp_path / "copy") / "data"


def register() -> list[dict[str, object]]:
    """Derived variables in the form of the claims register."""
    entries = []
    for row in read("derived.csv").itertuples():
        entry: dict[str, object] = {"name": row.name, "label": row.label_en, "formula": row.formula}
        entry["inputs"] = [name for name in row.inputs.split(";") if name]
        entry["years"] = f"{row.first_year}-{row.last_year}"
        if row.absent_years:
            entry["absent_years"] = [int(y) for y in row.absent_years.split(";")]
        if row.provinces != "31":
            entry["provinces"] = int(row.provinces)
        if row.coverage_note:
            entry["coverage_note"] = row.coverage_note
        entries.append(entry)
    return entries


def test_verify_passes_and_covers_every_file() -> None:
    names = {item.name for item in FILES.iterdir()}
    assert set(nq.data.verify()) == names - {"release.json"}


@pytest.mark.parametrize("name", ["codebook.csv", "panel.csv.gz"])
def test_a_changed_file_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = _store.read_bytes

    def tampered(wanted: str) -> bytes:
        raw = honest(wanted)
        if wanted != name:
            return raw
        return gzip.compress(gzip.decompress(raw) + b"\n") if name.endswith(".gz") else raw + b"\n"

    monkeypatch.setattr(_store, "read_bytes", tampered)
    with pytest.raises(DataSourceError, match=f"differ from release 20.*{name}"):
        nq.data.verify()


def test_a_damaged_archive_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = _store.read_bytes
    monkeypatch.setattr(_store, "read_bytes", lambda n: honest(n)[:1000] if n == "panel.csv.gz" else honest(n))
    with pytest.raises(DataSourceError, match=r"panel\.csv\.gz cannot be decompressed"):
        nq.data.verify()


def test_a_missing_file_is_named() -> None:
    with pytest.raises(DataSourceError, match=r"nothing\.csv is missing"):
        _store.read_bytes("nothing.csv")


def test_release_counts() -> None:
    note = nq.data.release()
    panel = read("panel.csv.gz")
    assert note["release"].count(".") == 1
    assert note["cells"] == len(panel) == 86429
    assert note["variables"] == panel["variable"].nunique() == 181
    assert note["derived_variables"] == 84
    assert (note["provinces"], note["first_year"], note["last_year"]) == (31, 1990, 2024)
    note["files"].clear()
    assert nq.data.release()["files"]


def test_the_wheel_stays_small() -> None:
    assert sum(len(item.read_bytes()) for item in FILES.iterdir()) < 1_000_000


def test_files_name_no_machine() -> None:
    for item in FILES.iterdir():
        raw = item.read_bytes()
        content = gzip.decompress(raw) if item.name.endswith(".gz") else raw
        assert not any(f"/{folder}/".encode() in content for folder in ("root", "home", "tmp", "Users"))


def test_build_reproduces_the_packaged_bytes(build: ModuleType, source: Path) -> None:
    files = build.build(source, source.parent / "register.yaml", nq.data.release()["release"])
    assert set(files) == {item.name for item in FILES.iterdir()}
    for name, content in files.items():
        packed = (FILES / name).read_bytes()
        # the bytes of gzip may differ between versions of zlib, the content must not
        same = gzip.decompress(content) == gzip.decompress(packed) if name.endswith(".gz") else content == packed
        assert same, name
    again = build.build(source, source.parent / "register.yaml", nq.data.release()["release"])
    assert again == files


def test_build_writes_and_checks(build: ModuleType, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = source.parent / "out"
    options = [str(source), "--register", str(source.parent / "register.yaml"), "--out", str(out)]
    assert build.main(options) == 0
    assert json.loads((out / "release.json").read_text())["cells"] == 86429
    assert build.main([*options, "--check"]) == 0
    (out / "codebook.csv").write_text("x")
    assert build.main([*options, "--check"]) == 1
    assert "codebook.csv" in capsys.readouterr().out


def edit(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], None]:
    """An edit of one source table."""

    def apply(folder: Path) -> None:
        table = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
        change(table).to_csv(folder / name, index=False)

    return apply


def put(column: str, value: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Overwrite the first cell of a column."""
    return lambda t: t.assign(**{column: [value, *t[column].iloc[1:]]})


DEFECTS = {
    "cells given twice": edit("panel_long.csv", lambda t: pd.concat([t, t.head(1)])),
    "not finite": edit("panel_long.csv", put("value", "n/a")),
    r"source_id not in sources\.csv": edit("panel_long.csv", put("source_id", "hearsay")),
    "adcodes differ": edit("panel_long.csv", put("adcode", "710000")),
    "codebook of .*: states": edit("panel_long.csv", lambda t: t.iloc[1:]),
    "variables of panel and codebook differ": edit("codebook.csv", lambda t: t.iloc[1:]),
    "a variable has no unit": edit("codebook.csv", put("unit", "")),
    "not 31 provinces": edit("provinces.csv", lambda t: t.iloc[1:]),
    "5yr_2010: not the 930 pairs": edit("flows/5yr_2010.csv", lambda t: t.iloc[1:]),
    "5yr_2010: sum": edit("flows/5yr_2010.csv", put("persons", "0")),
    "a pair is given twice": edit("geo/adjacency.csv", lambda t: pd.concat([t, t.head(1)])),
    "adcode_i < adcode_j": edit("geo/adjacency.csv", put("adcode_i", "650000")),
}


@pytest.mark.parametrize("message", DEFECTS)
def test_build_refuses_defective_sources(message: str, build: ModuleType, source: Path) -> None:
    DEFECTS[message](source)
    with pytest.raises(build.BuildError, match=message):
        build.build(source, source.parent / "register.yaml", "test")


def test_build_refuses_a_register_without_labels(build: ModuleType, source: Path) -> None:
    entries = [
        *register(),
        {"name": "new", "label": "New", "formula": "gdp", "inputs": ["gdp"], "years": "2010-2011"},
    ]
    file = source.parent / "register.yaml"
    file.write_text(yaml.safe_dump({"derived_variables": entries}))
    with pytest.raises(build.BuildError, match=r"derived_labels.csv: \['new'\]"):
        build.build(source, file, "test")


def test_adjacency() -> None:
    pairs = nq.data.adjacency()
    assert len(pairs) == 69
    assert pairs["shares_land_border"].dtype == bool
    strait = pairs[~pairs["shares_land_border"]]
    assert strait[["province_i", "province_j"]].to_numpy().tolist() == [["Guangdong", "Hainan"]]
    codes = nq.data.adjacency(names="adcode")
    assert (codes["province_i"] < codes["province_j"]).all()
    assert len(set(codes["province_i"]) | set(codes["province_j"])) == 31
    # spot checks on the map: Inner Mongolia has eight neighbours, Hainan one
    ends = pd.concat([pairs["province_i"], pairs["province_j"]]).value_counts()
    assert ends["Inner Mongolia"] == 8
    assert ends["Hainan"] == 1


def test_compute_hubs_agree_with_the_register() -> None:
    hubs = nq.data.compute_hubs()
    members = {p for row in hubs["hub_provinces"] for p in row}
    hosts = {p for row in hubs["cluster_provinces"] for p in row}
    assert members == set(nq.provinces.groups("hub")["hub"])
    assert hosts == set(nq.provinces.groups("cluster")["cluster"])


def test_compute_facts_carry_a_source() -> None:
    facts = nq.data.compute_facts()
    assert (facts["source"] != "").all()
    assert pd.to_datetime(facts["date"]).is_monotonic_increasing
