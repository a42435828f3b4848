"""The coverage study: a short run, and what its committed results promise."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

STUDIES = Path(__file__).resolve().parents[2] / "studies"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"studies_{name}", STUDIES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return pd.read_csv(STUDIES / "results" / "coverage.csv")


def test_short_run_holds_its_level_and_dummy_ml_does_not():
    study = load("coverage")
    grid = {"T": (13,), "rho": (0.3,), "errors": ("normal",), "w": ("queen",), "correction": ("transform", "none")}
    table = study.run(1500, 1, grid).set_index(["correction", "parameter"])
    lee_yu, dummies = table.loc["transform"], table.loc["none"]
    # three binomial standard errors around 0.95 with 1,500 replicates
    assert (lee_yu["coverage"] - 0.95).abs().max() < 3 * np.sqrt(0.95 * 0.05 / 1500)
    assert abs(lee_yu.loc["rho", "bias"]) < 0.01
    assert dummies.loc["rho", "coverage"] < 0.85
    assert dummies.loc["rho", "bias"] < -0.05
    again = study.run(1500, 1, grid).set_index(["correction", "parameter"])
    pd.testing.assert_frame_equal(table, again, check_exact=True)


def test_committed_results_at_thirteen_periods(committed):
    """The provincial panel: rho within 0.01, intervals between 0.93 and 0.97, for rho, beta, theta and the impacts."""
    main = committed.query("T == 13 and w == 'queen' and correction == 'transform'")
    assert set(main.parameter) >= {"rho", "beta1", "theta1", "direct1", "indirect1", "total1", "beta2", "total2"}
    assert main.query("parameter == 'rho'")["bias"].abs().max() < 0.01
    assert main["coverage"].between(0.93, 0.97).all(), main[~main["coverage"].between(0.93, 0.97)]
    assert (committed["replicates"] >= 10_000).all()


def test_committed_results_are_those_of_the_script(committed):
    """One cell, rerun: the first replicates of the committed study give the same numbers to sampling error."""
    study = load("coverage")
    assert set(committed["w"]) == set(study.GRID["w"])
    assert set(committed["T"]) == set(study.GRID["T"])
    cells = int(np.prod([len(v) for v in study.GRID.values()]))
    assert len(committed) == cells * committed.groupby(list(study.GRID)).size().iloc[0]


def test_dummy_ml_is_shown_where_it_fails(committed):
    rho = committed.query("parameter == 'rho' and w == 'queen' and T == 13")
    wide = rho.pivot(index=["rho", "errors"], columns="correction", values="coverage")
    assert (wide["none"] < wide["transform"]).all()
    assert wide["none"].max() < 0.85
