"""Check that every relative link points to a file, and every anchor to a place in it.

``python scripts/check_links.py`` reads the Markdown files and the notebooks of the repository; with a folder of
built pages (``python scripts/check_links.py docs/_build``) their HTML too. Links to the outside are not fetched:
``sphinx-build -b linkcheck docs docs/_build/linkcheck`` does that where there is a network.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    "*.md",
    "docs/*.md",
    "docs/reference/*.md",
    "studies/*.md",
    "benchmarks/*.md",
    "tests/**/*.md",
    "notebooks/**/*.md",
    "notebooks/**/*.ipynb",
)
_LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.I)


def faults(files: Iterable[Path]) -> list[str]:
    """Links that lead nowhere, one line each."""
    found = []
    for path in files:
        for target in links(path):
            if not _OUTSIDE.match(target) and not leads_somewhere(path, target):
                found.append(f"{path}: {target}")
    return found


def leads_somewhere(path: Path, target: str) -> bool:
    """Whether a link of a file points to a file and, if it names one, to an anchor in it."""
    name, _, anchor = target.partition("#")
    name = unquote(name.partition("?")[0])
    goal = path if not name else (path.parent / name)
    if goal.is_dir():
        return not anchor and (path.suffix != ".html" or (goal / "index.html").is_file())
    if not goal.is_file():
        return False
    return not anchor or unquote(anchor) in anchors(goal)


def links(path: Path) -> Iterator[str]:
    """Targets of the links of a file."""
    if path.suffix == ".html":
        yield from html(path)[0]
    else:
        text = re.sub(r"^```.*?^```", "", markdown(path), flags=re.M | re.S)
        yield from _LINK.findall(re.sub(r"`[^`\n]*`", "", text))


@cache
def anchors(path: Path) -> frozenset[str]:
    """Places in a file that a link can name: ids of HTML, headings of Markdown as GitHub and MyST write them."""
    if path.suffix == ".html":
        return frozenset(html(path)[1])
    text = re.sub(r"^```.*?^```", "", markdown(path), flags=re.M | re.S)
    headings = re.findall(r"^#+\s+(.*?)\s*$", text, re.M)
    return frozenset(re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings)


def markdown(path: Path) -> str:
    """The text of a Markdown file, or of the Markdown cells of a notebook."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@cache
def html(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Targets and ids of a page."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return tuple(reader.targets), tuple(reader.ids)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value and value != "#":
                self.targets.append(value)
            elif value and (name == "id" or (tag == "a" and name == "name")):
                self.ids.append(value)


def main(folders: list[str]) -> int:
    """Print what is wrong; the number of faults is the status."""
    files = sorted({path for pattern in SOURCES for path in ROOT.glob(pattern)})
    for folder in folders:
        pages = sorted(p for p in Path(folder).glob("**/*.html") if "_static" not in p.parts)
        if not pages:
            print(f"no pages in {folder}")
            return 1
        files += pages
    wrong = faults(files)
    print("\n".join([*wrong, f"{len(files)} files, {len(wrong)} links that lead nowhere"]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
