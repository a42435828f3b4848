"""What the pages say can be typed: names, keywords, files; the README's blocks run as they are printed."""

from __future__ import annotations

import re
import shlex
import warnings

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from pages_support import PAGES, ROOT, Checker, Code, Known, parse, pieces, roots
from typer.testing import CliRunner

import nqpf_spatial as nq
from nqpf_spatial import cli

#: pages whose bare names are those of a namespace
NAMESPACES = {
    "docs/weights.md": nq.weights,
    "docs/divergence.md": nq.divergence,
    "docs/indicators.md": nq.indicators,
    "docs/diagnostics.md": nq.models.diagnostics,
}


def _checker(page: str) -> Checker:
    names = roots()
    space = NAMESPACES.get(page)
    if space is not None:
        names |= {name: Known(getattr(space, name)) for name in space.__all__}
    return Checker(names)


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_names_and_keywords_exist(path):
    checker = _checker(str(path.relative_to(ROOT)))
    for code in pieces(path):
        checker.run(code)
    assert not checker.faults, "\n".join(checker.faults)


def test_rows_of_a_diagnosis_exist():
    """``fit.diagnose()["hausman"]`` and its like, asked of a fit of the kind that the pages have."""
    checker = Checker(roots())
    for path in PAGES:
        for code in pieces(path):
            checker.run(code)
    assert checker.checked > 300 and "hausman" in checker.keys
    w = nq.weights.contiguity()
    data = nq.simulate("SDM", w, T=5, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the tests say of simulated data is not the matter here
        diagnosis = nq.sdm("y ~ x | unit + period", data, w).diagnose(replicates=50)
    for key in checker.keys:
        assert diagnosis[key].key == (key[0] if isinstance(key, tuple) else key)


@pytest.mark.parametrize(
    "text",
    [
        "nq.sdn(formula, panel, W)",
        "nq.sdm(formula, panel, W, corection='none')",
        "fit.impact()",
        "fit.impacts(metod='simulate')",
        "fit.impacts().by_unitt()",
        "nq.compare([fit]).to_wort('t.docx')",
        "nq.weights.read('W.dta', id=...)",
        "models.several_impacts",
    ],
)
def test_a_wrong_name_is_found(text):
    checker = Checker(roots())
    checker.run(Code("page", 1, text, False))
    assert checker.faults


def test_spans_of_other_programs_are_left_alone():
    assert parse(Code("page", 1, "xsmle y x, wmat(W) model(sdm)", False)) is None
    checker = Checker(roots())
    checker.run(Code("page", 1, "esda.Moran(y, w)", False))
    assert not checker.faults


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_named_exist(path):
    named = re.findall(
        r"(?<![\w/.])((?:tests|studies|benchmarks|scripts|notebooks)/[\w./*-]*\w)", path.read_text(encoding="utf-8")
    )
    assert [name for name in named if not list(ROOT.glob(name))] == []


def test_tests_named_exist():
    """The diagnostics page gives a test for every difference from another program."""
    names = re.findall(r"`(test_\w+)`", "".join(path.read_text(encoding="utf-8") for path in PAGES))
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("**/test_*.py"))
    assert len(names) > 5 and [name for name in names if f"def {name}(" not in source] == []


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_readme_runs_as_written(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code in pieces(ROOT / name):
        if code.block:
            with warnings.catch_warnings(record=True):
                warnings.simplefilter("always")
                exec(compile(code.text, name, "exec"), names)
    plt.close("all")
    assert list(tmp_path.glob("*.docx"))


def _commands():
    """Every ``nqpf-spatial fit`` of the pages that is complete."""
    for path in PAGES:
        for line in re.findall(r'nqpf-spatial (fit "[^`\n]*)', path.read_text(encoding="utf-8")):
            yield pytest.param(shlex.split(line), id=f"{path.name}: {line[:30]}")


@pytest.mark.parametrize("arguments", list(_commands()))
def test_commands_run_as_written(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    w = nq.weights.lattice(4, 5)
    data = nq.simulate("SDM", w, T=5, params={"x1": 1.0, "x2": 0.5, "rho": 0.4}, seed=1).reset_index()
    data = data.rename(columns={"unit": "id", "period": "year"}).assign(x=data["x1"], year=lambda d: d["year"] + 2010)
    data.to_stata("panel.dta", write_index=False)
    pd.DataFrame(w.with_transform("none").dense(), columns=[f"w{i}" for i in range(20)]).to_stata(
        "W.dta", write_index=False
    )
    (tmp_path / "ids.txt").write_text("\n".join(map(str, w.ids)), encoding="utf-8")
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 0, done.output
    assert (tmp_path / arguments[arguments.index("--out") + 1]).is_file()


def test_the_claims_page_quotes_the_placebo_study():
    study = pd.read_csv(ROOT / "studies" / "results" / "placebo.csv")
    row = study[(study.rule == "R-MECH") & study.exceeds.str.contains("support") & study.setting.str.contains(" or ")]
    quoted = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    assert "(placebo.md)" in quoted and len(row) == 1
    for share in (row.supported.iloc[0], row.contradicted.iloc[0]):
        assert f"{share:.0%}".replace("%", " %") in quoted
    assert f"{row.replicates.iloc[0]} placebos" in quoted
    seen = sum(claim.disclosure != "blind" for claim in nq.claims.load().claims.values())
    assert seen == 22 and "Twenty-two claims carry a disclosure" in quoted
