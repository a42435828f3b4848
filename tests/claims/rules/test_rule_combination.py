"""Criteria of several parts: every way of combining them, in the baseline and in variants."""

import pytest

from nqpf_spatial.claims.rules import combination as rule
from nqpf_spatial.claims.rules.coef import Part
from nqpf_spatial.claims.rules.combination import Criterion, all_of, any_of, at_least

YES = Part(True, False, True, False, "yes", 0.1)
NO = Part(False, False, False, False, "no", 0.2)
MAYBE = Part(False, False, True, False, "raw only")
AGAINST = Part(False, True, False, True, "against")
OPPOSED = Part(False, False, False, True, "raw opposite")


def decide(criterion, **parts):
    out = rule.decide(criterion, parts)
    return out.support, out.contradict


def test_both_and_either():
    both = Criterion((all_of("ab"),), any_of("ab"))
    assert decide(both, a=YES, b=YES) == (True, False)
    assert decide(both, a=YES, b=NO) == (False, False)
    assert decide(both, a=YES, b=AGAINST) == (False, True)
    whole = Criterion((all_of("ab"),), all_of("ab"))
    assert decide(whole, a=YES, b=AGAINST) == (False, False)
    assert decide(whole, a=AGAINST, b=AGAINST) == (False, True)


def test_both_on_one_outcome():
    # two regressors (1, 2) on two outcomes (x, y)
    criterion = Criterion((all_of(["x1", "x2", "y1", "y2"]),), (frozenset({"x1", "x2"}), frozenset({"y1", "y2"})))
    assert decide(criterion, x1=AGAINST, x2=YES, y1=YES, y2=AGAINST) == (False, False)
    assert decide(criterion, x1=YES, x2=YES, y1=AGAINST, y2=AGAINST) == (False, True)


def test_at_least_k():
    criterion = Criterion((at_least(2, "abc"),), at_least(2, "abc"))
    assert decide(criterion, a=YES, b=NO, c=YES) == (True, False)
    assert decide(criterion, a=YES, b=NO, c=NO) == (False, False)
    assert decide(criterion, a=AGAINST, b=YES, c=AGAINST) == (False, True)
    with pytest.raises(ValueError, match="at least 4 of 3"):
        at_least(4, "abc")


def test_clauses_are_joined_and_found():
    criterion = Criterion((all_of("a"), at_least(1, "bc")), any_of("a"))
    assert decide(criterion, a=YES, b=NO, c=YES) == (True, False)
    assert decide(criterion, a=YES, b=NO, c=NO) == (False, False)
    assert rule.clauses_that_hold(criterion, {"a": YES, "b": NO, "c": NO}) == (0,)
    assert rule.clauses_that_hold(criterion, {"a": NO, "b": YES, "c": NO}) == (1,)
    assert criterion.only(1).clauses == (at_least(1, "bc"),)


def test_on_neither_looks_at_the_raw_p():
    criterion = Criterion((any_of("ab"),), any_of("ab"), unopposed=True, alternatives=True)
    assert decide(criterion, a=YES, b=NO) == (True, False)
    assert decide(criterion, a=YES, b=OPPOSED) == (False, False)
    assert decide(criterion, a=YES, b=AGAINST) == (False, False)
    assert decide(criterion, a=AGAINST, b=NO) == (False, True)
    assert decide(criterion, a=AGAINST, b=MAYBE) == (False, False)


def test_reason_and_detectable_effect():
    one = rule.decide(Criterion((all_of("a"),), any_of("a")), {"a": YES})
    assert (one.reason, one.mde) == ("yes", 0.1)
    two = rule.decide(Criterion((all_of("ab"),), any_of("ab")), {"a": YES, "b": NO})
    assert (two.reason, two.mde) == ("a: yes, detectable 0.1; b: no, detectable 0.2", None)


def flags(criterion, signs, strong, contradict=False):
    return rule.flags(criterion, {k: v == "+" for k, v in signs.items()}, {k: k in strong for k in signs}, contradict)


def test_variants_in_the_direction_of_support():
    criterion = Criterion((all_of("ab"),), any_of("ab"))
    assert flags(criterion, {"a": "+", "b": "+"}, "ab") == (True, True)
    assert flags(criterion, {"a": "+", "b": "+"}, "a") == (True, False)
    assert flags(criterion, {"a": "+", "b": "-"}, "a") == (False, False)
    assert flags(criterion, {"a": "+", "b": "-"}, "b") == (False, True)
    # a part that the variant leaves out is not asked for
    assert flags(criterion, {"a": "+"}, "a") == (True, True)
    assert flags(criterion, {"b": "-"}, "b") == (False, True)
    whole = Criterion((all_of("ab"),), all_of("ab"))
    assert flags(whole, {"a": "+", "b": "-"}, "ab") == (False, False)
    assert flags(whole, {"a": "-", "b": "-"}, "ab") == (False, True)


def test_variants_in_the_direction_of_contradiction_are_mirrored():
    criterion = Criterion((all_of("ab"),), any_of("a"))  # narrowed to the part that contradicted
    assert flags(criterion, {"a": "-", "b": "+"}, "a", True) == (False, True)
    assert flags(criterion, {"a": "-", "b": "+"}, "b", True) == (False, False)
    assert flags(criterion, {"a": "+", "b": "-"}, "a", True) == (True, True)
    assert flags(criterion, {"a": "+", "b": "-"}, "b", True) == (True, False)


def test_variants_are_judged_on_what_carried_the_baseline():
    criterion = Criterion((at_least(2, "abc"),), at_least(2, "abc"))
    parts = {"a": YES, "b": NO, "c": YES}
    narrowed = rule.carried(criterion, parts, contradict=False)
    assert narrowed.clauses == ((frozenset("ac"),),)
    assert flags(narrowed, {"a": "+", "b": "+", "c": "-"}, "") == (False, False)
    assert flags(criterion, {"a": "+", "b": "+", "c": "-"}, "") == (True, False)
    nothing = rule.carried(criterion, {"a": NO, "b": NO, "c": NO}, contradict=False)
    assert nothing.clauses == criterion.clauses
    against = rule.carried(criterion, {"a": AGAINST, "b": AGAINST, "c": NO}, contradict=True)
    assert against.contradict == (frozenset("ab"),)


def test_the_p_value_a_claim_brings():
    p = {"a": 0.2, "b": 0.01, "c": 0.04, "state": None}
    assert rule.family_p(Criterion((all_of("abc"),), ()), p) == 0.2
    assert rule.family_p(Criterion((at_least(2, "abc"),), ()), p) == 0.04
    assert rule.family_p(Criterion((any_of("bc"),), ()), p) == 0.01
    assert rule.family_p(Criterion((any_of("bc"),), (), alternatives=True), p) == 0.04
    assert rule.family_p(Criterion((all_of("b"), all_of("c")), ()), p) == 0.04
    assert rule.family_p(Criterion((all_of("b"), all_of(["state"])), ()), p) == 0.01
    assert rule.family_p(Criterion((all_of(["state"]),), ()), p) is None
