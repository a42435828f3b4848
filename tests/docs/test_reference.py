"""The reference lists every public name and every class that a public function returns, and has an entry for each."""

from __future__ import annotations

import inspect
import re

import pytest
from pages_support import ROOT, annotated

import nqpf_spatial as nq

SPACES = ["nq", *(name for name in nq.__all__ if inspect.ismodule(getattr(nq, name))), "models.diagnostics"]


def _module(space):
    return nq if space == "nq" else nq.models.diagnostics if space == "models.diagnostics" else getattr(nq, space)


def _public(space):
    module = _module(space)
    names = getattr(module, "__all__", None) or [k for k, v in vars(module).items() if inspect.isclass(v)]
    values = {name: getattr(module, name) for name in names}
    return {name: v for name, v in values.items() if not inspect.ismodule(v) and name != "__version__"}


def _listed():
    """Object -> path in the tables of reference.md."""
    found = {}
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for module, block in re.findall(r"\.\. currentmodule:: (\S+)\n(.*?)^```", text, re.M | re.S):
        for name in re.findall(r"^   ([A-Za-z_][\w.]*)$", block, re.M):
            value = _at(f"{module}.{name}")
            found[f"{module}.{name}"] = value
    for path in re.findall(r"{py:data}`~(\S+)`", text):
        found[path] = _at(path)
    return found


def _at(path):
    parts = path.split(".")
    value = nq
    for i, part in enumerate(parts[1:], 2):
        value = getattr(value, part) if hasattr(value, part) else __import__(".".join(parts[:i]), fromlist=[part])
    return value


def _entries():
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md"))
    return set(re.findall(r"^\.\. (?:auto\w+|data):: (\S+)$", text, re.M))


@pytest.mark.parametrize("space", SPACES)
def test_every_public_name_is_listed(space):
    listed = _listed()
    values = [id(v) for v in listed.values()]
    missing = [name for name, value in _public(space).items() if id(value) not in values]
    assert not missing, (
        f"docs/reference.md lacks {', '.join(missing)} of {space}; add them and an entry in docs/reference/"
    )


def test_what_public_functions_return_is_listed():
    values = {id(v) for v in _listed().values()}
    missing = set()
    for space in SPACES:
        for function in filter(inspect.isfunction, _public(space).values()):
            kind = annotated(inspect.signature(function).return_annotation, function.__module__)
            missing |= {c.__qualname__ for c in (kind.classes if kind else ()) if id(c) not in values}
    assert not missing


def test_every_listed_name_has_an_entry():
    listed, entries = set(_listed()), _entries()
    assert len(listed) > 150
    assert not listed - entries
