"""R-OWN on series, models and halves: every outcome, at and around each number of the register."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from nqpf_spatial import claims
from nqpf_spatial.claims.evaluate.own import series as reading
from nqpf_spatial.claims.evaluate.own import synthetic as synthetic_reading
from nqpf_spatial.claims.rules import own_series as rules

REGISTER = claims.load()


def limits(function, claim):
    return function(REGISTER.claim(claim), claims.context.Context())


MOVE = limits(reading.movement_limits, "LG-2.1")
STEP = limits(reading.step_limits, "WU-M17")
BOOM = limits(synthetic_reading.limits, "LG-5.3")


def test_numbers_of_the_criteria_come_from_the_text():
    assert MOVE == {"support_ge": 0.6, "contradict_le": -0.6, "alpha": 0.05}
    assert STEP == {"support_lt": 0.6, "contradict_gt": 0.8}
    assert BOOM == {"rank_le": 2, "growth_ratio_ge": 2}
    assert limits(reading.leaner_limits, "WU-M10") == {"min_provinces": 25, "alpha": 0.05}


@pytest.mark.parametrize(
    ("rho", "p_holm", "expected"),
    [
        (0.6, 0.0499, (True, False)),
        (0.599, 0.01, (False, False)),
        (0.9, 0.05, (False, False)),
        (-0.6, 0.0499, (False, True)),
        (-0.599, 0.01, (False, False)),
        (-0.9, 0.05, (False, False)),
    ],
)
def test_co_movement(rho, p_holm, expected):
    out = rules.co_movement(rho, 0.001, p_holm, 10, MOVE)
    assert (out.support, out.contradict) == expected


def test_detectable_correlation_has_its_power():
    """By simulation with 20 observations; the sample correlation spreads as Fisher's z says."""
    n, alpha = 20, 0.05
    rho = rules.detectable_correlation(n, alpha)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3000, n))
    pearson = 2 * np.sin(np.pi * rho / 6)  # of normal variables whose Spearman coefficient is rho
    y = pearson * x + np.sqrt(1 - pearson**2) * rng.standard_normal((3000, n))
    hits = np.mean([stats.spearmanr(a, b).pvalue < alpha for a, b in zip(x, y, strict=True)])
    assert hits == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.599, (True, False)), (0.6, (False, False)), (0.8, (False, False)), (0.801, (False, True))],
)
def test_mean_correlation(value, expected):
    out = rules.mean_correlation(value, STEP)
    assert (out.support, out.contradict) == expected


@pytest.mark.parametrize(
    ("queen", "distance", "expected"),
    [
        ((-1, 1), (0, 1), (True, False, True)),
        ((-1, 1), (-3, -1), (False, False, True)),  # rises, but not preferred
        ((2, 1), (-3, 1), (False, False, True)),  # preferred, but rises against one only
        ((1, 1), (0, 1), (False, False, True)),
        ((2, 1), (3, 1), (False, True, True)),
        ((2, -1), (3, 1), (False, True, False)),
        ((2, -1), (1, 3), (False, False, False)),
    ],
)
def test_network_gain(queen, distance, expected):
    out = rules.network_gain({"queen": queen, "inv": distance})
    assert (out.support, out.contradict, out.clause) == expected


def test_network_gain_needs_a_geographic_w():
    with pytest.raises(ValueError, match="at least one"):
        rules.network_gain({})


@pytest.mark.parametrize(
    ("points", "share", "falling", "expected"),
    [
        ((1, 2), (0.1, 0.2), 25, (True, False, True)),
        ((1, 2), (0.1, 0.2), 24, (False, False, True)),
        ((1, 2), (0.2, 0.1), 25, (False, False, True)),
        ((1, 2), (0.2, 0.1), 24, (False, False, False)),
        ((2, 1), (0.2, 0.1), 29, (False, True, True)),
        ((2, 1), (0.1, 0.1), 24, (False, False, False)),
    ],
)
def test_leaner_growth(points, share, falling, expected):
    out = rules.leaner_growth(rules.Contribution(points, share, 0.5), falling, 29, 0.05, {"min_provinces": 25})
    assert (out.support, out.contradict, out.clause) == expected
    assert out.mde == pytest.approx(2.8016 * 0.5, rel=1e-4)


@pytest.mark.parametrize(
    ("digital", "expected"),
    [(0.9, (True, False)), (0.5, (False, False)), (0.3, (False, False)), (0.1, (False, False)), (0.05, (False, True))],
)
def test_first_of(digital, expected):
    out = rules.first_of({"digital": digital, "rd": 0.5, "school": 0.1, "trade": 0.3}, "digital")
    assert (out.support, out.contradict) == expected


def test_a_ranking_needs_candidates():
    for effects in ({"rd": 1.0, "trade": 2.0}, {"digital": 1.0}):
        with pytest.raises(ValueError, match="another candidate"):
            rules.first_of(effects, "digital")


AHEAD = rules.Synthetic("gdp", "gdp after 2016", 2, 31, 1.0, True)
SOFTWARE = replace(AHEAD, outcome="software", name="software after 2016")


def boom(second, growth=20.0, national=10.0):
    return rules.boom([AHEAD, second], growth, national, BOOM)


@pytest.mark.parametrize(
    ("second", "growth", "expected"),
    [
        ({}, 20.0, (True, False, True)),
        ({}, 19.99, (False, False, True)),
        ({"rank": 3}, 20.0, (False, False, True)),
        ({"rank": 3}, 19.0, (False, False, False)),
        ({"determined": False, "rank": 1}, 20.0, (False, False, True)),
        ({"gap": -1.0}, 20.0, (False, False, True)),  # one ahead, one behind: no contradiction
        ({}, 9.99, (False, True, True)),
        ({}, 10.0, (False, False, True)),
    ],
)
def test_boom(second, growth, expected):
    out = boom(replace(SOFTWARE, **second), growth)
    assert (out.support, out.contradict, out.clause) == expected


def test_one_of_two_dates_suffices_for_an_outcome():
    late = replace(SOFTWARE, name="software after 2022")
    for first, second, support in ((2, 9, True), (9, 2, True), (9, 9, False)):
        rows = [AHEAD, replace(SOFTWARE, rank=first), replace(late, rank=second)]
        assert rules.boom(rows, 20.0, 10.0, BOOM).support == support
    assert not rules.boom([replace(AHEAD, rank=9), SOFTWARE, late], 20.0, 10.0, BOOM).support


def test_a_gap_behind_contradicts_where_none_is_ahead():
    rows = [replace(AHEAD, rank=9), replace(AHEAD, gap=-1.0)]
    assert rules.boom(rows, 20.0, 10.0, BOOM).contradict
    undetermined = [rows[0], replace(rows[1], determined=False)]
    assert not rules.boom(undetermined, 20.0, 10.0, BOOM).contradict
