"""The study of several and changing weights: short runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_studies_coverage import load

GRID = {"T": (13,), "rho": (0.6,), "errors": ("normal",)}


@pytest.fixture(scope="module")
def study():
    return load("several_coverage")


def test_short_run_of_the_freed_score_and_of_dummy_ml(study) -> None:
    replicates = 250
    table = study.changing_cells(replicates, 3, GRID).set_index(["correction", "parameter"])
    score, dummies = table.loc["score"], table.loc["none"]
    spread = np.sqrt(0.95 * 0.05 / replicates)
    assert (score["coverage"] - 0.95).abs().max() < 4 * spread
    assert abs(score.loc["rho", "bias"]) < 4 * score.loc["rho", "sd"] / np.sqrt(replicates)
    assert score.loc["rho", "mean_se"] == pytest.approx(score.loc["rho", "sd"], rel=0.15)
    assert dummies.loc["rho", "bias"] < -0.05
    assert dummies.loc["rho", "coverage"] < 0.85


def test_short_runs_repeat_themselves_and_shares_have_their_rows(study) -> None:
    cases = ((0.0, 0.5),)
    first, second = (study.share_cells(12, 3, 5, cases) for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    rows = first.set_index("parameter")["coverage"]
    assert rows["share:near, profile"] >= 0.7
    assert 0.1 <= rows["share:near, at a bound"] <= 0.95
    lags = study.lag_cells(8, 3, 5, ((0.3, 0.2),))
    assert set(lags["parameter"]) >= {"rho:near", "rho:mig", "W:near:x", "direct x"}
