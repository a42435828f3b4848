"""R-OSSIFY: (i) and at least two of (ii)-(iv), at and around each threshold."""

import pytest

from nqpf_spatial.claims import load
from nqpf_spatial.claims.rules.clauses import raw
from nqpf_spatial.claims.rules.ossify import Persistence, frozen
from nqpf_spatial.claims.rules.trend import Measure, Moving

REGISTER = load()
RULE, TREND = dict(REGISTER.rules["R-OSSIFY"].parameters), dict(REGISTER.rules["R-TREND"].parameters)
RANK, MOBILITY, RATIO = RULE["spearman_ge"], RULE["shorrocks_le"], RULE["ratio_change_within_pct"]


def part(change=0.0, p=0.9):
    return Moving("between", (Measure("gini", change, p, 0.0, change, change, 0.0, 8.0, 12),), TREND)


def numbers(rank=0.95, mobility=0.1, ratio=1.0):
    return Persistence(rank, mobility, 0.9, ratio)


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        (numbers(), True),
        (numbers(rank=RANK, mobility=MOBILITY, ratio=99.0), True),
        (numbers(rank=RANK - 1e-9, mobility=MOBILITY, ratio=99.0), False),
        (numbers(rank=RANK, mobility=MOBILITY + 1e-9, ratio=99.0), False),
        (numbers(rank=0.0, mobility=MOBILITY, ratio=RATIO), True),
        (numbers(rank=0.0, mobility=MOBILITY, ratio=-RATIO), True),
        (numbers(rank=0.0, mobility=MOBILITY, ratio=-RATIO - 1e-9), False),
    ],
)
def test_two_of_three(found, holds):
    assert frozen("x", (part(), part()), found, RULE).holds(raw) is holds


@pytest.mark.parametrize(
    ("parts", "holds"),
    [
        ((part(), part()), True),
        ((part(20.0, 0.01), part()), False),
        ((part(), part(-20.0, 0.01)), False),
        ((part(20.0, 0.06), part()), True),
        ((part(4.0, 0.0001), part()), True),
    ],
)
def test_both_between_parts_must_be_stable(parts, holds):
    assert frozen("x", parts, numbers(), RULE).holds(raw) is holds


def test_a_correction_does_not_make_a_trend_stable():
    clause = frozen("x", (part(20.0, 0.04), part()), numbers(), RULE)
    assert not clause.holds(lambda p: min(1.0, 10 * p))


def test_plain_shorrocks_does_not_decide():
    assert frozen("x", (part(), part()), Persistence(0.0, 0.1, 0.99, 0.0), RULE).holds(raw)
    assert not frozen("x", (part(), part()), Persistence(0.0, 0.5, 0.0, 0.0), RULE).holds(raw)
