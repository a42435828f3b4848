"""The study of missing cells: a short run, what its committed results promise, and the table of the page."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_studies_coverage import STUDIES, load


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return pd.read_csv(STUDIES / "results" / "missing_cells.csv", keep_default_na=False)


def test_short_run_is_the_beginning_of_the_committed_one(committed):
    study = load("missing_cells")
    short = study.run(400, 0, 20261123, (0.05,))
    keys = ["truth", "share", "missing", "subset", "correction", "parameter"]
    both = short.merge(committed, on=keys, suffixes=("", "_all"))
    assert len(both) == len(short) == 24
    assert ((both["bias"] - both["bias_all"]).abs() < 4 * both["sd_all"] / np.sqrt(400)).all()
    assert ((both["coverage"] - both["coverage_all"]).abs() < 4 * np.sqrt(0.25 / 400)).all()
    assert np.allclose(both["mean_se"], both["mean_se_all"], rtol=0.03)


def test_the_adjusted_score_holds_its_level_where_the_network_is_right(committed):
    right = committed[(committed.truth != "whole") & (committed.correction == "score")]
    assert len(right) == 18
    assert right["coverage"].between(0.935, 0.965).all()
    assert right.query("parameter == 'rho'")["bias"].abs().max() < 0.01
    dummies = committed[
        (committed.truth != "whole") & (committed.correction == "none") & (committed.parameter == "rho")
    ]
    assert (dummies["coverage"] < 0.85).all()
    assert (dummies["bias"] < -0.05).all()


def test_the_wrong_network_costs_more_the_more_is_missing(committed):
    rho = committed[(committed.truth == "whole") & (committed.correction == "score") & (committed.parameter == "rho")]
    wrong = rho[rho.missing == "subnetwork"]
    assert (wrong["bias"] < -0.03).all()
    assert (wrong.query("share == 0.15")["coverage"] < 0.8).all()
    right = rho[rho.missing == "marginalise"]
    assert (right["bias"].abs() < 2.5 * right["sd"] / np.sqrt(right["replicates"])).all()
    inside = float((right["coverage"] * right["replicates"]).sum() / right["replicates"].sum())
    assert abs(inside - 0.95) < 3 * np.sqrt(0.95 * 0.05 / right["replicates"].sum())


def test_the_page_shows_the_committed_numbers(committed):
    page = (Path(STUDIES).parent / "docs" / "missing.md").read_text(encoding="utf-8")
    shown = re.findall(r"([+-]\d\.\d{3}) / (\d\.\d{3})", page)
    rho = committed[committed.parameter == "rho"]
    numbers = {(f"{b:+.3f}", f"{c:.3f}") for b, c in zip(rho["bias"], rho["coverage"], strict=True)}
    assert len(shown) == len(rho) == 27
    assert set(shown) == numbers
