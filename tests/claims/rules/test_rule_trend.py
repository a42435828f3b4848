"""R-TREND: labels at and around every threshold, how many measures must agree, detectable changes."""

from math import exp, log

import numpy as np
import pytest
from scipy import stats

from nqpf_spatial.claims import load
from nqpf_spatial.claims.rules.clauses import raw
from nqpf_spatial.claims.rules.trend import (
    Measure,
    Moving,
    Trend,
    detectable_change,
    joint_label,
    label_of,
    needed,
)

RULE = dict(load().rules["R-TREND"].parameters)
ALPHA, UP, DOWN = RULE["alpha"], RULE["diverging_change_pct_ge"], RULE["converging_change_pct_le"]


def measure(change, p, name="cv", mde=9.0):
    return Measure(name, change, p, 0.0, change, change, 0.0, mde, 12)


@pytest.mark.parametrize(
    ("change", "p", "label"),
    [
        (UP, ALPHA - 1e-9, "DIVERGING"),
        (UP, ALPHA, "STABLE"),
        (UP - 1e-9, 0.0, "STABLE"),
        (DOWN, ALPHA - 1e-9, "CONVERGING"),
        (DOWN, ALPHA, "STABLE"),
        (DOWN + 1e-9, 0.0, "STABLE"),
        (0.0, 0.0, "STABLE"),
    ],
)
def test_label_at_the_thresholds(change, p, label):
    assert label_of(change, p, RULE) == label


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ((10, 10, 10, 10), "DIVERGING"),
        ((10, 10, 10, -10), "DIVERGING"),
        ((10, 10, -10, -10), "STABLE"),
        ((10, -10, -10, -10), "CONVERGING"),
        ((10, 10, 1, 1), "STABLE"),
        ((10,), "DIVERGING"),
        ((-10,), "CONVERGING"),
        ((10, -10), "STABLE"),
        ((10, 1), "STABLE"),
        ((10, 10), "DIVERGING"),
    ],
)
def test_measures_that_must_agree(changes, label):
    assert joint_label([measure(c, 0.001) for c in changes], RULE) == label


def test_needed_follows_the_register():
    assert needed(RULE["measures_total"], RULE) == RULE["min_measures_agreeing"] == 3
    assert [needed(n, RULE) for n in (1, 2)] == [1, 2]


def trend(rows, wanted="DIVERGING"):
    return Trend("t", wanted, tuple(measure(c, p) for c, p in rows), RULE)


ROWS = ((10, 0.01), (12, 0.03), (9, 0.02), (11, 0.2))


def test_p_is_the_level_at_which_three_measures_carry_the_label():
    up = trend(ROWS)
    assert up.p() == 0.03 and up.holds(raw) and up.sign()
    assert not trend(ROWS, "CONVERGING").holds(raw) and trend(ROWS, "CONVERGING").p() == 1.0
    # the third smallest p after a correction crosses the level exactly when three times p does
    assert up.holds(lambda p: 1.6 * p) and not up.holds(lambda p: 1.7 * p)


def test_p_needs_the_size_and_the_sign_does_not():
    small = trend(((4.9, 0.001),) * 4)
    assert small.p() == 1.0 and small.sign() and not small.holds(raw)
    mixed = trend(((10, 0.001), (10, 0.002), (4.0, 0.003), (-1.0, 0.004)))
    assert mixed.p() == 1.0 and mixed.sign()
    assert not trend(((10, 0.9), (10, 0.9), (-1, 0.9), (-1, 0.9))).sign()


def test_moving_is_either_label():
    for sign in (1, -1):
        moving = Moving("m", tuple(measure(sign * c, p) for c, p in ROWS), RULE)
        assert moving.holds(raw) and moving.p() == 0.03 and moving.sign()
        assert not moving.holds(lambda p: 2 * p)
    still = Moving("m", (measure(1.0, 0.001),), RULE)
    assert not still.holds(raw) and still.p() == 1.0


def test_detectable_change_of_the_median_measure():
    rows = tuple(measure(10, 0.5, mde=m) for m in (8.0, 6.0, 7.0, 20.0))
    assert Trend("t", "DIVERGING", rows, RULE).mde() == 8.0  # the third smallest: three measures suffice
    assert Trend("t", "DIVERGING", rows, RULE).middle() == 10.0


def test_detectable_change_has_the_stated_power():
    """A trend of that size is found four times of five when the slope is normal with that standard error."""
    se, span = 0.01, 11.0
    change = detectable_change(se, span, RULE)
    slope = log(1.0 + change / 100.0) / span
    z = np.random.default_rng(0).normal(slope, se, 200_000) / se
    found = (2.0 * stats.norm.sf(np.abs(z)) < ALPHA) & (z > 0)
    assert found.mean() == pytest.approx(0.8, abs=0.005)
    assert detectable_change(0.0, span, RULE) == UP
    assert detectable_change(0.01, 0.0, RULE) == UP
    assert exp(slope * span) - 1 == pytest.approx(change / 100)


def test_text():
    assert trend(ROWS).text(raw) == "t DIVERGING (+10.5 %, p 0.03)"
    assert trend(ROWS).text(lambda p: 4 * p) == "t STABLE (+10.5 %, p 0.03, corrected 0.12)"
