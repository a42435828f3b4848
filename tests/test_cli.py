"""The command line, through its runner."""

import json
import sys

import nbformat
import pytest
from typer.testing import CliRunner

import nqpf_spatial as nq
from nqpf_spatial import cli

v4 = nbformat.v4


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    runner = CliRunner()
    return lambda *arguments: runner.invoke(cli.app, [str(a) for a in arguments])


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "notebooks"
    made.mkdir()
    for name, source in (("01-data-and-provinces", "1 + 1"), ("05-spatial-durbin", "print('before')\nnot_there")):
        nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(source)]), made / f"{name}.ipynb")
    return made


def test_version_and_help(run):
    assert run("--version").output.strip() == f"nqpf_spatial {nq.__version__}"
    for command in ((), ("reproduce",), ("claims",), ("data",), ("weights",)):
        shown = run(*command, "--help")
        assert shown.exit_code == 0
        assert "Usage" in shown.output


def test_a_part_goes_to_its_own_folder(run, folder):
    done = run("reproduce", "--notebooks", folder, "--only", "WU-P8")
    assert done.exit_code == 0, done.output
    out = folder.parent / "reports" / "only"
    assert list(json.loads((out / "verdicts.json").read_text(encoding="utf-8"))) == ["WU-P8"]
    assert "WU-P8" in done.output
    assert "SUPPORTED" in done.output
    assert not (folder.parent / "reports" / "verdicts.json").exists()


def test_a_failing_notebook_gives_exit_code_1_and_is_shown(run, folder, tmp_path):
    done = run(
        "reproduce", "--notebooks", folder, "--only", "WU-M7", "--only", "WU-2.9", "--fast", "--out", tmp_path / "out"
    )
    assert done.exit_code == 1
    assert "05-spatial-durbin failed in code cell 1:" in done.output
    assert "not_there" in done.output
    assert "NameError" in done.output
    records = json.loads((tmp_path / "out" / "verdicts.json").read_text(encoding="utf-8"))
    assert records["WU-M7"]["fast"] is True
    assert records["WU-M7"]["verdict"] is None
    assert records["WU-2.9"]["verdict"] == "NOT TESTABLE"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("reproduce", "--only", "99"), "neither a claim id nor one of 01"),
        (("reproduce", "--only", "03"), "not written yet"),
        (("claims", "WU-M44"), "nearest: WU-M4"),
        (("claims", "--lang", "fr"), "choose 'en' or 'zh'"),
        (("data", "rd_intensit"), "rd_intensity"),
    ],
)
def test_wrong_requests_leave_with_code_2_and_a_hint(run, folder, arguments, message):
    if arguments[0] == "reproduce":
        arguments = (*arguments, "--notebooks", folder)
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.output


def test_missing_notebooks(run, tmp_path, monkeypatch):
    assert "no such folder" in run("reproduce", "--notebooks", tmp_path / "nowhere").output
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "REPOSITORY_NOTEBOOKS", tmp_path / "none")
    done = run("reproduce")
    assert done.exit_code == 2
    assert "--notebooks FOLDER" in done.output


def test_notebooks_of_the_working_folder_come_first(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert cli._notebook_folder(None) == folder
    monkeypatch.chdir("/")
    assert cli._notebook_folder(None) == cli.REPOSITORY_NOTEBOOKS


def test_claims(run):
    listed = run("claims").output
    for claim in nq.claims.load().claims:
        assert claim in listed
    assert "八处" in run("claims", "--lang", "zh").output
    shown = run("claims", "WU-P8", "--run").output
    assert "There are eight core computing hubs." in shown
    assert "WU-P8: SUPPORTED" in shown


def test_data(run):
    listed = run("data")
    assert listed.exit_code == 0
    assert "rd_intensity" in listed.output
    shown = run("data", "rd_intensity").output
    assert "100 * rd_expenditure / gdp" in shown
    assert "R&D经费投入强度" in shown
    assert "ren_gdp" in shown


def test_weights(run):
    shown = run("weights").output
    for name, w in nq.weights.w7().items():
        assert name in shown
        assert w.checksum[:12] in shown


def test_importing_the_command_line_stays_light():
    import subprocess

    code = (
        "import sys, nqpf_spatial.cli; "
        "print([m for m in ('pandas', 'matplotlib', 'nbclient', 'geopandas', 'statsmodels') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
