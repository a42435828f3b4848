"""R-SHARE on constructed totals."""

import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims.rules import share

RULE = claims.load().rules["R-SHARE"].parameters
HIGH, LOW = RULE["support_share_gt_pct"], RULE["contradict_share_lt_pct"]
MIDDLE = (HIGH + LOW) / 2


def test_share_is_of_the_total():
    assert share.share_pct({"East": 3.0, "West": 1.0, "Central": 2.0}, "East") == pytest.approx(50.0)


@pytest.mark.parametrize("values", [{"West": 1.0}, {"East": 0.0}, {"East": 2.0, "West": -1.0}])
def test_impossible_totals_are_refused(values):
    with pytest.raises(ValueError, match="non-negative totals"):
        share.share_pct(values, "East")


def test_thresholds_are_strict():
    assert share.read(HIGH, RULE) == "neither"
    assert share.read(HIGH + 1e-9, RULE) == "support"
    assert share.read(LOW, RULE) == "neither"
    assert share.read(LOW - 1e-9, RULE) == "contradict"


@pytest.mark.parametrize(
    ("computing", "proxies", "support", "contradict", "clause"),
    [
        (HIGH + 5, (60, 60, 30), True, False, True),
        (HIGH + 5, (60, 30, 30), False, False, True),  # measured part holds alone
        (MIDDLE, (60, 60, 60), False, False, True),  # stand-ins hold alone
        (MIDDLE, (60, 30, 30), False, False, False),
        (LOW - 5, (60, 60, 60), False, True, True),
        (HIGH + 5, (10, 10, 10), False, False, True),  # stand-ins cannot contradict
    ],
)
def test_every_reading(computing, proxies, support, contradict, clause):
    named = dict(zip("abc", map(float, proxies), strict=True))
    out = share.concentration({"computing": float(computing)}, named, 2, RULE)
    assert (out.support, out.contradict, out.clause) == (support, contradict, clause)
    assert out.mde is None


def test_too_few_proxies_are_refused():
    with pytest.raises(ValueError, match="at least 2 proxies"):
        share.concentration({"computing": 60.0}, {"a": 60.0}, 2, RULE)
