"""Execution of notebooks and the whole run, on small notebooks of our own."""

import json
import sys
from html.parser import HTMLParser

import nbformat
import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims import notebooks, reproduce
from nqpf_spatial.errors import DataSourceError

v4 = nbformat.v4
GOOD = ["import os, sys, warnings", "print(sys.executable, os.environ['NQPF_SPATIAL_FAST'])", "1 + 1"]
BAD = ["x = 1", "raise ValueError('the panel is gone')", "x"]


def write(folder, name, sources):
    cells = [v4.new_markdown_cell("# Title"), *map(v4.new_code_cell, sources)]
    path = folder / name
    nbformat.write(v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python", "version": "9"}}), path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("notebooks")
    write(made, "01-data-and-provinces.ipynb", GOOD)
    write(made, "05-spatial-durbin.ipynb", BAD)
    return made


@pytest.fixture(scope="module")
def good(folder):
    return notebooks.execute(folder / "01-data-and-provinces.ipynb", fast=True)


def test_the_kernel_is_this_interpreter_and_knows_a_fast_run(good):
    assert good.ok
    assert good.name == "01-data-and-provinces"
    assert good.notebook.cells[2].outputs[0].text.split() == [sys.executable, "1"]
    assert good.notebook.cells[3].outputs[0].data["text/plain"] == "2"


def test_nothing_volatile_stays_and_the_file_is_untouched(good, folder):
    assert dict(good.notebook.metadata["language_info"]) == {"name": "python"}
    assert all("execution" not in c.metadata for c in good.notebook.cells)
    source = nbformat.read(folder / "01-data-and-provinces.ipynb", as_version=4)
    assert all(not c.get("outputs") for c in source.cells)


def test_a_failing_cell_is_named(folder):
    run = notebooks.execute(folder / "05-spatial-durbin.ipynb")
    assert not run.ok
    assert run.failure.startswith("code cell 2:\nraise ValueError")
    assert run.failure.endswith("ValueError: the panel is gone")
    assert run.notebook.cells[3].outputs == []


def test_a_dead_kernel_is_reported(tmp_path):
    path = write(tmp_path, "01-data-and-provinces.ipynb", ["import os; os._exit(1)"])
    assert "DeadKernelError" in notebooks.execute(path).failure


def test_a_missing_extra_says_how_to_get_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbclient", None)
    with pytest.raises(ImportError, match=r"nqpf-spatial\[notebooks\]"):
        notebooks.execute(folder / "01-data-and-provinces.ipynb")


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(DataSourceError, match="no notebooks"):
        notebooks.find(tmp_path)


FILES = ["01-data-and-provinces.ipynb", "05-spatial-durbin.ipynb"]


@pytest.mark.parametrize(
    ("only", "books", "ids"),
    [
        ((), FILES, None),
        (("05",), FILES[1:], claims.load().decided_in("05")),
        (("01-data-and-provinces",), FILES[:1], ("WU-P8", "WU-2.2")),
        (("WU-P8",), FILES[:1], ("WU-P8",)),
        (("WU-1.3",), [], ("WU-1.3",)),
        (("LG-1.1",), [], ("LG-1.1",)),
        (("01", "WU-P8"), FILES[:1], ("WU-P8", "WU-2.2")),
    ],
)
def test_selection(only, books, ids):
    register = claims.load()
    chosen = reproduce.select(register, FILES, only)
    assert chosen.notebooks == frozenset(books)
    assert chosen.claims == (tuple(register.claims) if ids is None else tuple(ids))
    assert reproduce.steps(register, FILES, only) == len(chosen.claims) + len(books) + 1


def test_selection_errors():
    with pytest.raises(DataSourceError, match="77: neither a claim id nor one of 01"):
        reproduce.select(claims.load(), FILES, ["77"])
    with pytest.raises(DataSourceError, match=r"03-gaps-and-poles.ipynb: in the register, not written yet"):
        reproduce.select(claims.load(), FILES, ["03"])


@pytest.fixture(scope="module")
def results(folder, tmp_path_factory):
    """Two complete runs over claims that need no model."""
    out = []
    only = ["01", "WU-2.9", "LG-3.2", "WU-N1"]
    for name in ("first", "second"):
        target = tmp_path_factory.mktemp(name)
        stale = target / "tables"
        stale.mkdir()
        (stale / "old.csv").write_text("old")
        seen = []
        result = reproduce.run_all(folder, target, only=only, fast=True, progress=seen.append)
        out.append((result, seen))
    return out


def test_a_run_writes_everything(results):
    result, seen = results[0]
    out = result.out
    assert {p.name for p in out.iterdir()} == {
        "index.html", "verdicts.json", "verdicts.csv", "verdicts-en.tex", "verdicts-zh.tex", "verdicts-en.docx", "verdicts-zh.docx",
        "tables", "figures", "notebooks",
    }  # fmt: skip
    records = json.loads((out / "verdicts.json").read_text(encoding="utf-8"))
    assert set(records) == {"WU-P8", "WU-2.2", "WU-2.9", "LG-3.2", "WU-N1"}
    assert not (out / "tables" / "old.csv").exists()
    assert (out / "tables" / "WU-2.2-shares.csv").read_text(encoding="utf-8").startswith("variable,year,provinces")
    assert {p.name for p in (out / "figures").iterdir()} == {
        f"{c}-{lang}.png"
        for c in ("WU-2.2-shares", "WU-P8-hubs", "WU-N1-series", "WU-N1-variants")
        for lang in ("en", "zh")
    }
    assert {p.name for p in (out / "notebooks").iterdir()} == {
        "01-data-and-provinces.html", "01-data-and-provinces.ipynb",
    }  # fmt: skip
    claims_seen = ["WU-P8", "WU-2.2", "WU-2.9", "LG-3.2", "WU-N1"]
    assert sorted(seen) == sorted([*claims_seen, "01-data-and-provinces.ipynb", "report"])


def test_two_runs_are_identical_byte_for_byte(results):
    (first, _), (second, _) = results
    files = sorted(p.relative_to(first.out) for p in first.out.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(second.out) for p in second.out.rglob("*") if p.is_file())
    for name in files:
        assert (first.out / name).read_bytes() == (second.out / name).read_bytes(), name


def test_the_page_orders_cards_by_what_they_rest_on(results):
    page = (results[0][0].out / "index.html").read_text(encoding="utf-8")
    order = [page.index(f'id="{c}"') for c in ("WU-2.2", "WU-P8", "WU-N1", "LG-3.2", "WU-2.9")]
    assert order == sorted(order)
    assert 'href="notebooks/01-data-and-provinces.html"' in page
    for lang in ("en", "zh"):
        assert page.count(f'<img class="{lang}"') == 4


def test_a_failure_stops_nothing_else(folder, tmp_path):
    result = reproduce.run_all(folder, tmp_path / "out", only=["01", "WU-M7"])
    assert [e.name for e in result.executed] == ["01-data-and-provinces", "05-spatial-durbin"]
    assert [e.name for e in result.failures] == ["05-spatial-durbin"]
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "(failed)" in page
    shown = (tmp_path / "out" / "notebooks" / "05-spatial-durbin.html").read_text(encoding="utf-8")
    assert "the panel is gone" in shown


class Links(HTMLParser):
    """Ids, links, decodable pictures, and the language of every piece of text in the order of the page."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.pictures, self.languages, self.options = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if tag == "a" else []
        self.pictures += [found] if tag == "img" else []
        self.languages += [c for c in (found.get("class") or "").split() if c in ("en", "zh")]
        self.options += [found] if tag == "option" else []


def test_every_link_of_the_report_leads_somewhere_and_every_text_has_its_partner(results):
    out = results[0][0].out
    page = Links()
    page.feed((out / "index.html").read_text(encoding="utf-8"))
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        assert link.removeprefix("#") in page.ids if link.startswith("#") else (out / link).is_file()
    assert any(link.startswith("notebooks/") for link in page.links)
    assert page.languages == ["en", "zh"] * (len(page.languages) // 2)
    assert all(o["data-en"] and o["data-zh"] for o in page.options)
    assert all(p["alt"] and int(p["width"]) > 0 for p in page.pictures)
    book = Links()
    book.feed((out / "notebooks" / "01-data-and-provinces.html").read_text(encoding="utf-8"))
    assert all((out / "notebooks" / link).is_file() for link in book.links if not link.startswith(("#", "http")))
