"""The replications: executed here again, every number beside a peer's, every difference with a reason that was checked."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from test_notebooks_committed import narrative_strings, typed_numbers

FOLDER = Path(__file__).parents[2] / "notebooks" / "replications"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
#: what a replication may import beside the library
MODULES = {"json", "pathlib", "pandas", "IPython.display"}


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    return [c for c in notebook.cells if c.cell_type == "code"]


def said(notebook):
    """What the last cell printed."""
    return code(notebook)[-1].outputs[0].text


def test_there_are_three_beside_the_notebooks_of_the_register():
    assert [p.stem[:2] for p in NOTEBOOKS] == ["r1", "r2", "r3"]
    # nqpf-spatial reproduce executes what lies directly in notebooks/
    assert not [p for p in FOLDER.parent.glob("*.ipynb") if p.stem.startswith("r")]


def test_they_were_run_in_order_without_errors(notebook):
    nbformat.validate(notebook)
    assert [c.execution_count for c in code(notebook)] == list(range(1, len(code(notebook)) + 1))
    for cell in code(notebook):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text
    assert re.fullmatch(r"\d{3,} numbers of \d{2,} entries; .*\n", said(notebook))
    assert "NOT EXPLAINED" not in "".join(str(c.outputs) for c in code(notebook))


def test_no_number_is_typed_and_only_the_public_face_is_used(notebook):
    for cell in notebook.cells:
        texts = [cell.source] if cell.cell_type == "markdown" else narrative_strings(cell.source)
        for text in texts:
            assert not typed_numbers(text), text[:80]
    tree = ast.parse("\n".join(c.source for c in code(notebook)))
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            used |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            used.add(node.module)
        elif isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_"), node.attr
    assert used <= MODULES | {"nqpf_spatial", "nqpf_spatial.models.diagnostics"}


def test_nothing_volatile_is_kept(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    text = nbformat.writes(notebook)
    assert not re.search(r"/(?:work|root|home|tmp|Users)/", text)
    assert not re.search(r"0x[0-9a-f]{6,}", text)


def test_run_again_it_compares_the_same_numbers_and_explains_every_difference(notebook, monkeypatch, capsys):
    monkeypatch.chdir(FOLDER)
    space = {}
    for cell in code(notebook):
        exec(compile(cell.source, "cell", "exec"), space)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.partition(";")[0] == said(notebook).partition(";")[0]
    table = space["table"]
    assert table["ours"].notna().all() and table["peer"].notna().all()
    # the proof of a reason can fail: the same number shifted is not explained
    rows = space["rows"]
    first = rows[0]
    space["beside"](first["entry"], {"x": 1.0}, {"x": 1.1}, 1e-6, why="no proof", within=0.01)
    assert rows[-1]["why"] == "NOT EXPLAINED"


def test_without_the_golden_files_it_says_where_to_start(notebook, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="clone"):
        exec(compile(code(notebook)[0].source, "cell", "exec"), {})
