"""R-OWN on shares and quotients: every outcome, at and around each number of the register."""

from dataclasses import replace

import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims.evaluate.own import mismatch as m_reading
from nqpf_spatial.claims.evaluate.own import shares as reading
from nqpf_spatial.claims.rules import own_shares as rules

REGISTER = claims.load()


def limits(function, claim):
    return function(REGISTER.claim(claim), claims.context.Context())


ENDOWMENTS = limits(reading.endowment_limits, "LG-2.2")


def test_numbers_of_the_criteria_come_from_the_text():
    assert ENDOWMENTS == {"min_endowments": 3, "endowments": 4, "contradict_le": 1}
    assert limits(reading.forerunner_limits, "WU-1.9") == {
        "quotient_gt": 1, "rank_le": 10, "named": 4, "contradict_ge": 2,
    }  # fmt: skip
    assert limits(reading.separation_limits, "WU-1.11") == {"support_ge": 50, "contradict_lt": 25, "k": 2}
    assert limits(reading.quotient_limits, "WU-P4") == {"quotients": 3, "threshold": 1, "contradict_ge": 2}


@pytest.mark.parametrize(
    ("above", "support", "contradict"),
    [
        ((True, True, True), True, False),
        ((True, True, False), False, False),
        ((True, False, False), False, False),  # with the one without data it may be two of four
        ((False, False, False), False, True),
    ],
)
def test_endowments(above, support, contradict):
    out = rules.endowments(dict(zip("abc", above, strict=True)), ENDOWMENTS)
    assert (out.support, out.contradict, out.clause) == (support, contradict, False)
    assert "1 of 4 without data" in out.reason


def province(name, leads, grew):
    keys = "ab"
    return rules.Forerunner(name, dict(zip(keys, leads, strict=True)), dict(zip(keys, grew, strict=True)))


GOOD, NEITHER = province("g", (True, False), (True, False)), province("n", (False, False), (False, False))
APART = province("x", (True, False), (False, True))  # leads in one, grew in another
LEADS, GREW = province("l", (True, False), (False, False)), province("r", (False, False), (True, False))
FORE = {"contradict_ge": 2}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([GOOD] * 4, (True, False, True)),
        ([GOOD] * 3 + [APART], (False, False, True)),
        ([GOOD] * 3 + [LEADS], (False, False, True)),
        ([GOOD] * 3 + [GREW], (False, False, True)),
        ([GOOD, GOOD, LEADS, GREW], (False, False, False)),
        ([GOOD] * 3 + [NEITHER], (False, False, False)),
        ([GOOD] * 2 + [NEITHER] * 2, (False, True, False)),
    ],
)
def test_forerunners(found, expected):
    out = rules.forerunners(found, FORE)
    assert (out.support, out.contradict, out.clause) == expected


@pytest.mark.parametrize(
    ("pct", "support", "contradict"),
    [(50.0, True, False), (49.99, False, False), (25.0, False, False), (24.99, False, True)],
)
def test_contribution_share(pct, support, contradict):
    out = rules.contribution_share(pct, {"support_ge": 50.0, "contradict_lt": 25.0})
    assert (out.support, out.contradict) == (support, contradict)


HOOVER = limits(m_reading.mismatch_limits, "WU-2.7")
FAR, NEAR = HOOVER["hoover_support_ge"], HOOVER["hoover_contradict_lt"]
PAIR = rules.Mismatch("users", FAR, 0.2, 0.01, 0.01, 0.05, 1.0)


def pair(**changes):
    return rules.mismatch([PAIR, replace(PAIR, demand="software", **changes)], HOOVER)


@pytest.mark.parametrize(
    ("changes", "support", "clause"),
    [
        ({}, True, True),
        ({"hoover": FAR - 1e-9}, False, True),
        ({"p_holm": HOOVER["bootstrap_alpha"]}, False, True),
        ({"reference": 0.5}, False, True),
        ({"east": 0.0}, False, True),
        ({"hoover": FAR - 0.01, "p_holm": 0.9, "east": -1.0}, False, False),
    ],
)
def test_mismatch_needs_all_of_both_demands(changes, support, clause):
    out = pair(**changes)
    assert (out.support, out.contradict, out.clause) == (support, False, clause)
    assert out.mde > 0


@pytest.mark.parametrize(("first", "contradict"), [(NEAR - 1e-9, True), (NEAR, False)])
def test_mismatch_is_contradicted_where_both_are_near(first, contradict):
    rows = [replace(PAIR, hoover=h) for h in (first, NEAR - 1e-9)]
    assert rules.mismatch(rows, HOOVER).contradict == contradict


THREE = {"quotients": 3, "threshold": 1.0, "contradict_ge": 2.0}


@pytest.mark.parametrize(
    ("values", "support", "contradict"),
    [
        ((1.01, 1.2, 1.3), True, False),
        ((1.0, 1.2, 1.3), False, False),
        ((0.9, 1.2, 1.3), False, False),
        ((0.9, 1.0, 1.3), False, False),
        ((0.9, 0.99, 1.3), False, True),
        ((0.9, 0.8, 0.7), False, True),
    ],
)
def test_quotients(values, support, contradict):
    out = rules.quotients(dict(zip("abc", values, strict=True)), THREE)
    assert (out.support, out.contradict) == (support, contradict)


def test_a_missing_quotient_is_refused():
    with pytest.raises(ValueError, match="needs 3 quotients"):
        rules.quotients({"a": 2.0}, THREE)
