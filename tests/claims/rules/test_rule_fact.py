"""R-FACT on constructed numbers and lists."""

import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims.evaluate.facts import match_names, stated_list
from nqpf_spatial.claims.rules import fact

RULE = claims.load().rules["R-FACT"].parameters


def test_number_is_judged_at_the_registers_tolerance():
    tolerance = RULE["tolerance_pct"]
    official = 200.0
    at = official * (1 + tolerance / 100)
    assert fact.number(at, official, RULE).support
    beyond = fact.number(at + 0.01, official, RULE)
    assert beyond.contradict
    assert not beyond.support
    below = fact.number(official * (1 - tolerance / 100) - 0.01, official, RULE)
    assert below.contradict


def test_tolerance_is_relative_to_the_official_figure():
    # 98 is 2 percent below 100, but 100 is 2.04 percent above 98
    assert fact.number(98.0, 100.0, {"tolerance_pct": 2}).support
    assert fact.number(100.0, 98.0, {"tolerance_pct": 2}).contradict


def test_official_zero():
    assert fact.number(0.0, 0.0, RULE).support
    assert fact.number(1.0, 0.0, RULE).contradict


@pytest.mark.parametrize("outcome", [fact.number(1.0, None, RULE), fact.entries(["a"], None)])
def test_without_a_source_it_is_blocked(outcome):
    assert outcome.blocked
    assert not outcome.support
    assert not outcome.contradict


def test_lists_ignore_order_and_name_the_difference():
    assert fact.entries(["b", "a"], ["a", "b"]).support
    off = fact.entries(["a", "c"], ["a", "b"])
    assert off.contradict
    assert "stated but not official: c" in off.reason
    assert "official but not stated: b" in off.reason


def test_parts_join_with_and():
    good, bad = fact.entries(["a"], ["a"]), fact.number(1, 2, RULE)
    assert fact.every([good, good]).support
    joined = fact.every([good, bad])
    assert joined.contradict
    assert joined.clause
    assert fact.every([good, fact.entries(["a"], None)]).blocked
    with pytest.raises(ValueError, match="at least one"):
        fact.every([])


def test_stated_names_match_official_ones_by_full_words_only():
    official = ["Guangdong-Hong Kong-Macao Greater Bay Area", "Inner Mongolia", "Guizhou"]
    assert match_names(["Greater Bay Area", "Guizhou"], official) == [official[0], "Guizhou"]
    assert match_names(["Mongolia"], ["Inner Mongolia", "Outer Mongolia"]) == ["Mongolia"]
    assert match_names(["zhou"], official) == ["zhou"]


def test_the_stated_list_is_read_from_the_register():
    claim = claims.load().claim("WU-P8")
    assert len(stated_list(claim.hypothesis)) == claim.parameters["hubs"]
    with pytest.raises(ValueError, match="no list"):
        stated_list("There are eight.")
