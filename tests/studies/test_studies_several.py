"""The study of several and changing weights: short runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_studies_coverage import STUDIES, load

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


# -- the committed results ------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return pd.read_csv(STUDIES / "results" / "several_coverage.csv")


IMPACTS = ["direct x", "indirect x", "total x"]


def test_committed_results_are_those_of_the_script(committed, study) -> None:
    assert list(committed.columns) == [*study.COLUMNS, *study.LAST]
    assert set(committed["replicates"]) == {10_000}
    assert (set(committed["seed"]), set(committed["date"])) == ({20261127}, {"2026-11-27"})
    short = study.run(4, 20261127, "2026-11-27")
    keys = ["design", "T", "rho", "errors", "correction", "parameter"]
    pd.testing.assert_frame_equal(short[keys], committed[keys])
    assert short["truth"].to_numpy() == pytest.approx(committed["truth"].to_numpy(), rel=1e-5)


def test_the_freed_score_holds_its_level_and_dummy_ml_does_not(committed) -> None:
    changing = committed[committed["design"] == "changing"].set_index(["correction", "parameter"])
    score, none = changing.loc["score"], changing.loc["none"]
    # six binomial standard errors of 10,000 replicates around 0.95 for the estimates themselves
    own = score.drop(index=["indirect x", "total x"])
    assert own["coverage"].between(0.937, 0.963).all()
    # the delta method is short where T is five and rho large, and nowhere else
    impacts = score.loc[["indirect x", "total x"]]
    hard = (impacts["T"] == 5) & (impacts["rho"] == 0.6)
    assert impacts.loc[~hard, "coverage"].between(0.937, 0.963).all()
    assert impacts.loc[hard, "coverage"].between(0.90, 0.92).all()
    assert score.loc["rho", "bias"].abs().max() < 0.025 < 0.09 < none.loc["rho", "bias"].abs().min()
    assert none.loc["rho", "coverage"].max() < 0.85
    assert score.loc["rho", "mean_se"].to_numpy() == pytest.approx(score.loc["rho", "sd"].to_numpy(), rel=0.03)


def test_lags_and_shares_in_the_committed_results(committed) -> None:
    lags = committed[committed["design"].str.startswith("lags")]
    own = lags[~lags["parameter"].isin(IMPACTS)]
    assert own["coverage"].between(0.937, 0.963).all()
    # one sample in 10,000 has no bounded impacts; medians do not mind
    assert lags["at_edge"].max() <= 1e-4
    assert lags["median_bias"].abs().max() < 0.05
    shares = committed[committed["design"].str.startswith("shares")].set_index(["design", "rho", "parameter"])[
        "coverage"
    ]
    profile = shares.xs("share:near, profile", level="parameter")
    assert profile.between(0.94, 0.98).all()
    assert 0.045 < shares["shares 0", 0.5, "share:near = 0, rejected at 5 %"] < 0.06
    assert shares["shares 0", 0.5, "share:near, at a bound"] == pytest.approx(0.5, abs=0.03)
    assert shares.xs("total x", level="parameter").between(0.88, 0.93).all()
