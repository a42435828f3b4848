"""R-CLUB: the number of clubs, and the test that several presuppose."""

import pytest
from scipy import stats

from nqpf_spatial.claims import load
from nqpf_spatial.claims.rules import club
from nqpf_spatial.claims.rules.clauses import raw

RULE = dict(load().rules["R-CLUB"].parameters)


def found(number, t=-10.0, divergent=()):
    return club.Clubs(number, divergent, t, float(stats.norm.cdf(t)), True)


@pytest.mark.parametrize(
    ("number", "t", "stated", "holds"),
    [
        (3, -10.0, 3, True),
        (2, -10.0, 3, False),
        (4, -10.0, 3, False),
        (1, 0.0, 3, False),
        (1, 0.0, 1, True),
        (2, -10.0, 1, False),
        (3, RULE["reject_t_lt"] - 1e-6, 3, True),
        (3, RULE["reject_t_lt"], 3, False),
        (3, RULE["reject_t_lt"] + 1e-6, 3, False),
    ],
)
def test_number_of_clubs(number, t, stated, holds):
    assert club.exactly("x", found(number, t), stated, RULE).holds(raw) is holds


def test_the_correction_acts_on_the_test_of_global_convergence():
    clause = club.exactly("x", found(2, -1.9), 2, RULE)  # one-sided p 0.0287
    assert clause.holds(raw) and clause.holds(lambda p: 1.5 * p) and not clause.holds(lambda p: 2 * p)
    assert club.exactly("x", found(1, -1.9), 1, RULE).p() is None


def test_provinces_in_no_club_are_named_and_are_no_club():
    clause = club.exactly("x", found(2, divergent=("Tibet",)), 2, RULE)
    assert clause.holds(raw)
    assert "1 provinces in none (indicative), stated 2" in clause.text(raw)
