"""Relative links of the Markdown files and notebooks lead somewhere; the script that says so finds what does not."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("check_links", ROOT / "scripts" / "check_links.py")
check_links = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(check_links)


def test_the_repository_has_no_dead_links():
    files = sorted({path for pattern in check_links.SOURCES for path in ROOT.glob(pattern)})
    assert len(files) > 40
    assert check_links.faults(files) == []


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.md").write_text("# One title, two words\n\n```\n# no heading\n```\n## 中文 标题\n", encoding="utf-8")
    (tmp_path / "a.html").write_text('<h1 id="one">x</h1><a name="two"></a>', encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "name, text, dead",
    [
        ("b.md", "[x](a.md) [y](a.md#one-title-two-words) [z](a.md#中文-标题) ![p](https://x.y/z)", []),
        ("b.md", "[x](c.md)", ["c.md"]),
        ("b.md", "[x](a.md#no-heading)", ["a.md#no-heading"]),
        ("b.md", "`[x](c.md)`\n```\n[x](c.md)\n```\n", []),
        ("b.html", '<a href="a.html#one"></a><a href="a.html#two"></a><a href="#"></a><img src="mailto:x@y">', []),
        ("b.html", '<a href="a.html#three"></a><img src="p.png">', ["a.html#three", "p.png"]),
        ("b.html", '<p id="here"></p><a href="#here"></a><a href="#there"></a>', ["#there"]),
    ],
)
def test_dead_links_are_found(folder, name, text, dead):
    page = folder / name
    page.write_text(text, encoding="utf-8")
    check_links.html.cache_clear()
    check_links.anchors.cache_clear()
    assert check_links.faults([page]) == [f"{page}: {target}" for target in dead]


def test_notebooks_are_read_in_their_prose(folder):
    cells = [{"cell_type": "markdown", "source": ["[x](c.md)"]}, {"cell_type": "code", "source": ["[y](d.md)"]}]
    (folder / "n.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert check_links.faults([folder / "n.ipynb"]) == [f"{folder / 'n.ipynb'}: c.md"]


def test_an_empty_folder_is_no_success(tmp_path, capsys):
    assert check_links.main([str(tmp_path)]) == 1
    assert "no pages" in capsys.readouterr().out
