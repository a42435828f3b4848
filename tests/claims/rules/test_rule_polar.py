"""R-POLAR: both indices must carry the label."""

import pytest

from nqpf_spatial.claims import load
from nqpf_spatial.claims.rules.clauses import raw
from nqpf_spatial.claims.rules.polar import DECIDING, polarises
from nqpf_spatial.claims.rules.trend import Measure

TREND = dict(load().rules["R-TREND"].parameters)


def measures(wolfson, esteban_ray, p=0.01, names=DECIDING):
    return tuple(Measure(n, c, p, 0.0, c, c, 0.0, 8.0, 12) for n, c in zip(names, (wolfson, esteban_ray), strict=True))


@pytest.mark.parametrize(
    ("changes", "up", "down"),
    [
        ((10, 10), True, False),
        ((10, 4.9), False, False),
        ((10, -10), False, False),
        ((-10, -10), False, True),
        ((0, 0), False, False),
    ],
)
def test_labels(changes, up, down):
    assert polarises("x", "DIVERGING", measures(*changes), TREND).holds(raw) is up
    assert polarises("x", "CONVERGING", measures(*changes), TREND).holds(raw) is down


def test_both_must_be_significant():
    clause = polarises("x", "DIVERGING", measures(10, 10, 0.03), TREND)
    assert clause.p() == 0.03 and clause.holds(raw) and not clause.holds(lambda p: 2 * p)


def test_the_register_asks_for_both():
    assert load().threshold("R-POLAR", "both_must_agree") is True
    with pytest.raises(ValueError, match="needs the trends of wolfson, esteban_ray"):
        polarises("x", "DIVERGING", measures(1, 1, names=("esteban_ray", "egr")), TREND)
