"""R-DID: every outcome it can return, at and around each number of the register."""

import math
from dataclasses import replace

import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims.rules import did, verdicts
from nqpf_spatial.claims.rules.mech import minimum_detectable_effect

REGISTER = claims.load()
RULE = dict(REGISTER.rules["R-DID"].parameters)
ALPHA, PRE = RULE["ri_alpha"], RULE["pretrend_p_gt"]
NO_GAIN = {**RULE, **REGISTER.claim("WU-2.8").parameters}
LIMIT = math.log1p(NO_GAIN["ci_excludes_pct"] / 100)


def group(estimate=1.0, p=0.01, pre=0.5, name="West hubs", post=2, p_holm=None, upper=None):
    return did.GroupEffect(name, estimate, 0.2, p, p if p_holm is None else p_holm, pre, post, None, upper)


@pytest.mark.parametrize(
    ("pre", "post", "waits"),
    [
        (PRE + 1e-9, RULE["min_post_years"], ""),
        (PRE, RULE["min_post_years"], "pre-trends"),
        (0.0, 2, "pre-trends"),
        (0.9, RULE["min_post_years"] - 1, "full years after"),
    ],
)
def test_when_the_rule_has_no_reading_yet(pre, post, waits):
    found = did.not_yet(group(pre=pre, post=post), RULE)
    assert (waits in found) if waits else found == ""


@pytest.mark.parametrize(
    ("estimate", "p_holm", "read"),
    [
        (1.0, ALPHA - 1e-9, "support"),
        (1.0, ALPHA, "neither"),
        (-1.0, ALPHA - 1e-9, "contradict"),
        (-1.0, 0.9, "neither"),
    ],
)
def test_reading_of_one_group(estimate, p_holm, read):
    assert did.reading(group(estimate, p=1e-6, p_holm=p_holm), RULE) == read
    assert did.reading(group(estimate, p=1e-6, p_holm=p_holm, pre=PRE), RULE) == "neither"


def both(west, east):
    return did.gain_of_all([west, replace(east, group="East hubs")], "West hubs", RULE)


def test_a_gain_of_both():
    out = both(group(), group())
    assert (out.support, out.contradict, out.clause, out.blocked) == (True, False, True, "")
    assert out.mde == pytest.approx(minimum_detectable_effect(0.2, ALPHA))


def test_one_of_two_is_a_clause():
    out = both(group(), group(p=0.5))
    assert (out.support, out.contradict, out.clause) == (False, False, True)
    assert not both(group(p=0.5), group(p=0.5)).clause


@pytest.mark.parametrize(("west", "east", "contradict"), [(-1, 1, True), (-1, -1, True), (1, -1, False)])
def test_only_a_loss_of_the_named_group_contradicts(west, east, contradict):
    assert both(group(west), group(east)).contradict == contradict


def test_a_failed_pretrend_waits_unless_the_named_group_contradicts():
    assert "East hubs" in both(group(), group(pre=0.01)).blocked
    assert "West hubs" in both(group(-1, pre=0.01), group()).blocked
    out = both(group(-1), group(pre=0.01))
    assert out.contradict and out.blocked == ""
    shares = claims.record.Multiverse("contradict", True, None, None, None, None, 0, 0, ())
    assert verdicts.decide(out, shares, "partial", REGISTER).word == "CONTRADICTED"
    waits = both(group(), group(pre=0.01))
    assert verdicts.decide(waits, shares, "partial", REGISTER).word == "NOT YET TESTABLE"


@pytest.mark.parametrize(
    ("estimate", "upper", "support"),
    [
        (0.0, LIMIT - 1e-9, True),
        (-0.1, LIMIT - 1e-9, True),
        (0.0, LIMIT, False),
        (1e-9, LIMIT - 1e-9, False),
        (-0.1, None, False),
    ],
)
def test_no_gain_needs_an_interval_below_the_stated_gain(estimate, upper, support):
    out = did.no_gain(group(estimate, p=0.6, upper=upper), NO_GAIN)
    assert (out.support, out.contradict) == (support, False)


def test_a_gain_contradicts_no_gain():
    out = did.no_gain(group(0.3, p=0.001, upper=0.5), NO_GAIN)
    assert (out.support, out.contradict) == (False, True)
    assert not did.no_gain(group(0.3, p=0.001, p_holm=ALPHA, upper=0.5), NO_GAIN).contradict
    blocked = did.no_gain(group(-0.3, upper=-0.1, pre=PRE), NO_GAIN)
    assert blocked.blocked and not blocked.support and not blocked.contradict


@pytest.mark.parametrize(
    ("effect", "slopes", "expected"),
    [
        (group(), (0.01, -0.01), (True, False, True)),
        (group(), (-0.01, -0.01), (False, False, True)),
        (group(p=0.5), (0.01, 0.0), (False, False, True)),
        (group(p=0.5), (0.0, 0.01), (False, False, False)),
        (group(-1), (0.01, 0.0), (False, True, True)),
        (group(pre=PRE), (0.01, 0.0), (False, False, False)),
    ],
)
def test_gain_and_evening(effect, slopes, expected):
    out = did.gain_and_evening(effect, *slopes, RULE)
    assert (out.support, out.contradict, out.clause) == expected
    assert bool(out.blocked) == (effect.pretrend_p <= PRE)
