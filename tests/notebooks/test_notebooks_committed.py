"""The committed notebooks: executed in order, no errors, no typed numbers, public names only, nothing volatile."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

import nqpf_spatial as nq

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
REGISTER = nq.claims.load()

#: what may stand in the text: years, ids of claims, rules, tensions and sets, names of variables and matrices
ALLOWED = re.compile(
    r"\b(?:19|20)\d\d\b|\b(?:WU|LG)-[A-Z]?\d+(?:\.\d+)?[a-z]?\b|\b[RT]\d?-?[A-Z]*\b|\bW7\b|`[^`]*`|\bsha256\b"
)
WORDS = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|half|twice)\b(?!-(?:sided|way))",
    re.I,
)
SAID = [c.says_en.rstrip(".").lower() for c in REGISTER.claims.values()]


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_the_notebooks_are_those_of_the_register():
    listed = {n["file"] for n in REGISTER.notebooks}
    assert {p.name for p in NOTEBOOKS} <= listed
    assert {"01-data-and-provinces.ipynb", "05-spatial-durbin.ipynb"} <= {p.name for p in NOTEBOOKS}


def test_they_are_valid_and_were_run_in_order_without_errors(notebook):
    nbformat.validate(notebook)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1))
    for cell in code:
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text
    assert sum(bool(c.outputs) for c in code) >= len(code) - 1


def typed_numbers(text):
    """Numbers of a narrative text that nobody computed."""
    plain = text.lower()
    for said in SAID:
        plain = plain.replace(said, "")
    rest = ALLOWED.sub("", re.sub(r"\b(?:wu|lg)-[a-z]?\d+(?:\.\d+)?[a-z]?\b", "", plain))
    return re.findall(r"\d[\d.,]*", rest) + WORDS.findall(rest)


def narrative_strings(source):
    """Text parts of strings in code that hold prose (a space and a letter)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"[a-z] [a-z]", node.value):
            yield node.value


def test_no_number_is_typed(notebook):
    found = {}
    for i, cell in enumerate(notebook.cells):
        texts = [cell.source] if cell.cell_type == "markdown" else narrative_strings(cell.source)
        for text in texts:
            if numbers := typed_numbers(text):
                found[i] = (numbers, text[:80])
    assert not found


def test_the_scan_finds_typed_numbers():
    assert typed_numbers("an effect of 0.045 in 31 provinces, twice the other") == ["0.045", "31", "twice"]
    assert typed_numbers("Lee and Yu (2010) on WU-M4 and WU-2.2 under R-MECH with `ln_x2`") == []
    assert typed_numbers("## WU-P8: there are eight core computing hubs") == []
    assert list(narrative_strings('f"rho is 0.3 and {x:.3f}"; "ab"')) == ["rho is 0.3 and "]


def test_only_the_public_face_is_used(notebook):
    source = "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    tree = ast.parse(source)
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module)
        elif isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_"), node.attr
    assert modules <= {"nqpf_spatial", "pandas", "IPython.display", "warnings"}


def test_nothing_volatile_is_kept(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert dict(notebook.metadata["language_info"]) == {"name": "python"}
    for cell in notebook.cells:
        assert "execution" not in cell.metadata
    text = nbformat.writes(notebook)
    assert not re.search(r"/(?:work|root|home|tmp|Users)/", text)
    assert not re.search(r"0x[0-9a-f]{6,}", text)
    assert not re.search(r"\d\d:\d\d:\d\d", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_each_decided_claim_is_shown_with_its_verdict_and_disclosure(path):
    notebook = nbformat.read(path, as_version=4)
    text = nbformat.writes(notebook)
    decided = REGISTER.decided_in(path.name)
    assert decided
    for claim_id in decided:
        claim = REGISTER.claim(claim_id)
        assert f"**{claim_id}: " in text
        assert claim.says_zh in text
        if claim.disclosure_note:
            assert claim.disclosure_note in text
        assert "判定" in text


def test_chinese_of_the_notebooks_is_in_the_packaged_font():
    from nqpf_spatial.fonts import missing_characters

    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        assert missing_characters("".join(c for c in text if "\u2e80" < c < "\uff00")) == ""
