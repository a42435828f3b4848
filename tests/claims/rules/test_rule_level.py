"""R-LEVEL: sign, significance and the condition on every year; standard deviation under random labels."""

from itertools import combinations

import numpy as np
import pytest

from nqpf_spatial.claims import load
from nqpf_spatial.claims.rules import level
from nqpf_spatial.claims.rules.clauses import raw

RULE = dict(load().rules["R-LEVEL"].parameters)
ALPHA = RULE["alpha"]


def difference(estimate=1.0, p_above=0.01, p_below=0.99, same=True, sd=0.5, spread=2.0):
    return level.Difference("A above B", estimate, p_above, p_below, same, sd, spread, "2024", 10, 12)


@pytest.mark.parametrize(
    ("d", "holds"),
    [
        (difference(p_above=ALPHA - 1e-9), True),
        (difference(p_above=ALPHA), False),
        (difference(same=False), False),
        (difference(estimate=-1.0, p_above=0.99, p_below=0.01), False),
        (difference(estimate=0.0), False),
    ],
)
def test_above(d, holds):
    assert level.above(d, RULE).holds(raw) is holds


def test_without_the_condition_on_every_year():
    loose = {**RULE, "same_sign_every_year": False}
    assert level.above(difference(same=False), loose).holds(raw)


@pytest.mark.parametrize(("p", "holds"), [(ALPHA - 1e-9, True), (ALPHA, False)])
def test_reversed_sign_does_not_ask_for_every_year(p, holds):
    d = difference(estimate=-1.0, p_above=0.99, p_below=p, same=False)
    assert level.reversed_sign(d, RULE).holds(raw) is holds
    assert not level.reversed_sign(difference(), RULE).holds(raw)


@pytest.mark.parametrize(("estimate", "up", "down"), [(1e-9, True, False), (0.0, False, True), (-1e-9, False, True)])
def test_signs_alone(estimate, up, down):
    d = difference(estimate=estimate, p_above=0.5, p_below=0.5)
    assert level.positive(d).holds(raw) is up
    assert level.at_or_below(d).holds(raw) is down


def test_the_correction_replaces_the_one_sided_p():
    clause = level.above(difference(p_above=0.02), RULE)
    assert clause.p() == 0.02
    assert clause.holds(lambda p: 2 * p) and not clause.holds(lambda p: 3 * p)
    assert level.above(difference(same=False), RULE).p() == 1.0


def test_sd_under_random_labels_is_that_of_all_arrangements():
    x = np.random.default_rng(1).normal(size=9)
    gaps = []
    for chosen in combinations(range(9), 4):
        inside = np.isin(np.arange(9), chosen)
        gaps.append(x[inside].mean() - x[~inside].mean())
    sd, spread = level.random_sd(x.tolist(), 4)
    assert sd == pytest.approx(np.std(gaps), rel=1e-12)
    assert spread == pytest.approx(x.std(ddof=1))
    with pytest.raises(ValueError, match="9 of 9"):
        level.random_sd(x.tolist(), 9)


def test_detectable_difference_is_one_sided_and_over_the_spread():
    d = difference()
    assert level.detectable(d, RULE) == pytest.approx((1.6448536 + 0.8416212) * 0.5)
    assert level.detectable(d, {**RULE, "sides": 2}) == pytest.approx((1.959964 + 0.8416212) * 0.5)
    assert level.above(d, RULE).mde() == pytest.approx(level.detectable(d, RULE) / 2.0)
    assert level.above(difference(spread=0.0), RULE).mde() is None
