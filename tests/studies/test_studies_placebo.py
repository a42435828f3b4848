"""The placebo study: a short run, what its committed results say, and the table of the page."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import binom
from test_studies_coverage import STUDIES, load

from nqpf_spatial.claims.rules.base import Outcome

KEYS = ["rule", "setting", "data"]


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return pd.read_csv(STUDIES / "results" / "placebo.csv")


@pytest.fixture(scope="module")
def study():
    return load("placebo")


def test_columns_seed_and_replicates(committed, study):
    assert list(committed.columns) == study.COLUMNS
    assert set(committed["seed"]) == {20261127}
    assert set(committed["date"]) == {"2026-11-27"}
    assert not committed.duplicated(KEYS).any()
    assert set(committed["replicates"]) == set(study.REPLICATES.values())
    rules = {"R-TREND", "R-POLAR", "R-LEVEL", "R-DID", "R-MECH", "R-COEF", "R-OSSIFY", "R-CLUB", "R-OWN"}
    assert rules | {"beside"} == set(committed["rule"])


def test_bounds_and_the_word_exceeds_follow_from_the_shares(committed, study):
    for row in committed.itertuples():
        over = []
        for side, share in (("support", row.supported), ("contradict", row.contradicted)):
            level, bound = getattr(row, f"level_{side}"), getattr(row, f"bound_{side}")
            assert bound == pytest.approx(binom.ppf(study.QUANTILE, row.replicates, level) / row.replicates, rel=1e-5)
            over += [side] if share > bound + 1e-6 else []
        assert row.exceeds == (" and ".join(over) or "no")


def test_a_rule_that_always_supports_is_found_out(study):
    fair = [Outcome(i % 40 == 0, i % 40 == 1, "") for i in range(400)]
    assert study.tally("x", "x", "x", fair, 0.025, 0.025)["exceeds"] == "no"
    row = study.tally("x", "x", "x", [Outcome(True, False, "")] * 400, 0.025, 0.025)
    assert row["exceeds"] == "support"
    row = study.tally("x", "x", "x", [Outcome(False, i % 10 == 0, "") for i in range(400)], 0.025, 0.025)
    assert row["exceeds"] == "contradict"


def test_randomisation_rules_hold_their_level(committed):
    # their null hypothesis is what the placebo makes true, so that no excess can be explained away
    exact = committed[committed["rule"].isin(["R-LEVEL", "R-DID"])]
    assert len(exact) == 7
    assert (exact["exceeds"] == "no").all()
    assert exact["supported"].sum() > 0


def test_short_run_agrees_with_the_committed_one(committed, study):
    short = study.run(0.1, 20261127, "2026-11-27", ("level", "did", "own"))
    both = short.merge(committed, on=KEYS, suffixes=("", "_all"))
    assert len(both) == len(short) == 9
    for row in both.itertuples():
        # the short run sees the first replicates of the same streams: between zero and all of the long run's counts
        n, k = row.replicates, round(row.supported * row.replicates)
        assert k <= round(row.supported_all * row.replicates_all)
        assert binom.cdf(k, n, row.level_support) < 0.9999


def test_short_run_of_the_models_is_reproducible(study):
    one, two = (study.run(0.01, 7, "d", ("mech",)) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert len(one) == 10


def test_the_page_names_every_excess_and_shows_the_committed_shares(committed):
    page = (Path(STUDIES).parent / "docs" / "placebo.md").read_text(encoding="utf-8")
    rows = [
        [c.strip() for c in line.strip("|\n ").split("|")]
        for line in page.splitlines()
        if re.match(r"\| (R-|bes)", line)
    ]
    assert len(rows) == len(committed)
    for shown, row in zip(rows, committed.itertuples(), strict=True):
        assert shown[:3] == [row.rule, row.setting, row.data]
        assert shown[3:6] == [str(row.replicates), f"{row.supported:.3f}", f"{row.contradicted:.3f}"]
        assert shown[-1] == ("no" if row.exceeds == "no" else f"**{row.exceeds}**")
