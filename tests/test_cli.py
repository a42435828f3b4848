"""The command line, through its runner."""

import json
import sys

import nbformat
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import nqpf_spatial as nq
from nqpf_spatial import cli
from nqpf_spatial.cli import rerun

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
    for command in ((), ("reproduce",), ("claims",), ("data",), ("weights",), ("fit",)):
        shown = run(*command, "--help")
        assert shown.exit_code == 0
        assert "Usage" in shown.output


def test_a_part_goes_to_its_own_folder(run, folder, monkeypatch):
    monkeypatch.setattr(rerun, "SILENT", 0.0)
    done = run("reproduce", "--notebooks", folder, "--only", "WU-P8")
    assert done.exit_code == 0, done.output
    out = folder.parent / "reports" / "only"
    assert list(json.loads((out / "verdicts.json").read_text(encoding="utf-8"))) == ["WU-P8"]
    assert "WU-P8" in done.output
    assert "SUPPORTED" in done.output
    assert "of 3 steps done, the last: WU-P8" in done.output
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
    assert records["WU-M7"]["status"] == "decided"
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
    monkeypatch.setattr(rerun, "REPOSITORY_NOTEBOOKS", tmp_path / "none")
    done = run("reproduce")
    assert done.exit_code == 2
    assert "--notebooks FOLDER" in done.output


def test_notebooks_of_the_working_folder_come_first(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert rerun._notebook_folder(None) == folder
    monkeypatch.chdir("/")
    assert rerun._notebook_folder(None) == rerun.REPOSITORY_NOTEBOOKS


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


def test_panel_written_to_files_is_the_panel(run, tmp_path):
    panel = nq.load_panel(["rd_intensity", "gdp"], (2020, 2024), names="zh")
    for name in ("panel.csv", "panel.xlsx", "panel.dta"):
        made = tmp_path / name
        done = run("data", "rd_intensity", "gdp", "--years", "2020-2024", "--names", "zh", "--out", made)
        assert done.exit_code == 0, done.output
        again = nq.data.read_table(made, names="zh")
        pd.testing.assert_frame_equal(again, panel, check_names=False, check_index_type=False, rtol=1e-14)
        assert (tmp_path / "panel.sources.csv").stat().st_size > 1000
    assert run("data", "gdp", "--out", tmp_path / "panel.pdf").exit_code == 2


def test_weights_reported_and_written(run, tmp_path):
    assert "138" in run("weights", "queen").output
    made = tmp_path / "w.gal"
    assert run("weights", "queen", "--names", "zh", "--out", made).exit_code == 0
    assert nq.weights.read(made) == nq.weights.contiguity()
    assert "queen" in run("weights", "--out", made).output and run("weights", "quen").exit_code == 2


@pytest.fixture
def files(tmp_path):
    """A panel of other units, with weights without labels in another order than the data."""
    w = nq.weights.lattice(4, 5)
    data = nq.simulate("SDM", w, T=6, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=1)
    data.sample(frac=1, random_state=0).reset_index().to_stata(tmp_path / "panel.dta", write_index=False)
    np.savetxt(tmp_path / "w.csv", w.with_transform("none").dense(), delimiter=",")
    pd.DataFrame(w.with_transform("none").dense(), columns=[f"w{i}" for i in range(20)]).to_stata(
        tmp_path / "W.dta", write_index=False
    )
    (tmp_path / "ids.txt").write_text("\n".join(map(str, w.ids)), encoding="utf-8")
    return tmp_path, data, w


def test_fit_from_files_equals_fit_from_python(run, files):
    folder, data, w = files
    arguments = ("--data", folder / "panel.dta", "--unit", "unit", "--time", "period", "--weights", folder / "W.dta")
    out = folder / "table.xlsx"
    done = run("fit", "y ~ x | unit + period", *arguments, "--ids", folder / "ids.txt", "--out", out, "--explain")
    assert done.exit_code == 0, done.output
    res = nq.sdm("y ~ x | unit + period", data, w)
    assert f"{res.rho:.4f}" in done.output and "How to read the effects" in done.output
    values = pd.read_excel(out, sheet_name="numbers").select_dtypes("number").to_numpy().ravel()
    assert (
        np.isclose(values[:, None], [res.rho, *res.impacts().table.loc["x", "total"][["estimate", "se"]]], rtol=1e-9)
        .any(axis=0)
        .all()
    )


def test_what_to_do_about_missing_cells_is_said_by_an_option(run, files):
    folder, data, w = files
    holes = data.reset_index()
    holes.loc[holes["unit"] == w.ids[3], "x"] = np.nan
    holes.to_csv(folder / "holes.csv", index=False)
    nq.weights.write(w, folder / "w.gal")
    call = ("fit", "y ~ x | unit + period", "--data", folder / "holes.csv", "--unit", "unit", "--time", "period")
    call = (*call, "--weights", folder / "w.gal")
    refused = run(*call)
    assert refused.exit_code == 2 and "missing" in refused.output
    done = run(*call, "--missing", "drop_units", "--subset", "restandardise")
    assert done.exit_code == 0, done.output
    rho = nq.sdm(
        "y ~ x | unit + period", holes.set_index(["unit", "period"]), w, missing="drop_units", subset="restandardise"
    ).rho
    assert f"{rho:.4f}" in done.output


def test_ids_may_be_the_file_written_beside_weights(run, files):
    folder, data, w = files
    pd.DataFrame({"position": range(1, 21), "label": w.ids}).to_csv(folder / "other.ids.csv", index=False)
    arguments = ("--data", folder / "panel.dta", "--unit", "unit", "--time", "period", "--weights", folder / "W.dta")
    done = run("fit", "y ~ x | unit + period", *arguments, "--ids", folder / "other.ids.csv")
    assert done.exit_code == 0, done.output
    assert f"{nq.sdm('y ~ x | unit + period', data, w).rho:.4f}" in done.output
    pd.DataFrame({"name": w.ids}).to_csv(folder / "wrong.csv", index=False)
    done = run("fit", "y ~ x | unit + period", *arguments, "--ids", folder / "wrong.csv")
    assert done.exit_code != 0 and "needs the columns position and label" in done.output


def test_an_nbs_export_is_sent_to_its_reader(run, tmp_path):
    file = tmp_path / "export.csv"
    file.write_bytes("数据库：分省年度数据\n指标：示例(亿元)\n地区,2023年\n北京市,2\n".encode("gb18030"))
    for arguments in (("fit", "y ~ x", "--data", file), ("data", file)):
        done = run(*arguments)
        assert done.exit_code == 2 and "read_nbs" in done.output and "Traceback" not in done.output


def test_fit_side_by_side_in_every_format(run, tmp_path):
    for ending in (".docx", ".tex", ".html", ".md", ".txt"):
        made = tmp_path / f"t{ending}"
        done = run(
            "fit", "ln_gdp_real_pc ~ urbanization_rate | province + year", "--years", "2012-2024", "--model", "SDM",
            "--model", "ols", "--weights", "queen", "--weights", "digital", "--lang", "zh", "--out", made,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        assert made.stat().st_size > 500
    assert "人均实际地区生产总值" in done.output and "digital" in done.output


def test_cross_section_from_the_terminal(run, files):
    folder, data, w = files
    data.xs(1, level="period").reset_index().to_csv(folder / "cross.csv", index=False)
    nq.weights.write(w, folder / "w.gal")
    done = run(
        "fit",
        "y ~ x",
        "--data",
        folder / "cross.csv",
        "--unit",
        "unit",
        "--time",
        "none",
        "--weights",
        folder / "w.gal",
    )
    assert done.exit_code == 0, done.output
    assert f"{nq.sdm('y ~ x', data.xs(1, level='period'), w).rho:.4f}" in done.output


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("gdp",), 2, "exactly one outcome"),
        (("gdp ~ not_there",), 2, "no column 'not_there'"),
        (("ln_gdp_real_pc ~ rd_intensity", "--years", "2012"), 2, "2012-2024"),
        (("ln_gdp_real_pc ~ rd_intensity", "--years", "2012-2024", "--out", "t.pdf"), 2, ".docx"),
        (("ln_gdp_real_pc ~ rd_intensity", "--years", "2012-2024", "--model", "SDMX"), 2, "choose one of"),
        (("ln_gdp_real_pc ~ rd_intensity", "--weights", "nowhere.gal"), 2, "no file"),
        (
            ("ln_gdp_real_pc ~ rd_intensity", "--weights", "rook"),
            2,
            "neither a file nor a matrix of the register: queen",
        ),
        (
            ("ln_gdp_real_pc ~ rd_intensity + I(2 * rd_intensity) | province + year", "--years", "2012-2024"),
            1,
            "linear combinations",
        ),
    ],
)
def test_fit_says_what_is_wrong(run, arguments, code, message):
    done = run("fit", *arguments)
    assert done.exit_code == code, done.output
    assert message in done.output


def test_importing_the_command_line_stays_light():
    import subprocess

    code = (
        "import sys, nqpf_spatial.cli; "
        "print([m for m in ('pandas', 'matplotlib', 'nbclient', 'geopandas', 'statsmodels') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_runs_as_a_module() -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "nqpf_spatial", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("nqpf_spatial ")
