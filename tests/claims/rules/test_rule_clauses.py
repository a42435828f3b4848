"""Clauses and criteria: what holds, at which level, and what a variant adds."""

import pytest

from nqpf_spatial.claims.rules.clauses import (
    All,
    AtLeast,
    Corrected,
    Fact,
    Not,
    Significant,
    ends,
    holm_within,
    raw,
    some,
)
from nqpf_spatial.claims.rules.criterion import Criterion, alternatives, decide, joined, of_variant


def sig(p, stated=True, guard=True, mde=None, name="s", key=None):
    return Significant(name, stated, p, 0.05, guard, mde, key=key)


def times(m):
    return lambda p: min(1.0, m * p)


@pytest.mark.parametrize(
    ("p", "stated", "guard", "holds", "own"),
    [
        (0.049, True, True, True, 0.049),
        (0.05, True, True, False, 0.05),
        (0.001, False, True, False, 1.0),
        (0.001, True, False, False, 1.0),
    ],
)
def test_significant(p, stated, guard, holds, own):
    clause = sig(p, stated, guard)
    assert clause.holds(raw) is holds and clause.p() == own and clause.sign() is stated


def test_a_correction_only_makes_it_harder_and_never_easier_to_be_absent():
    clause = sig(0.02)
    assert clause.holds(raw) and not clause.holds(times(3))
    absent = Not("none", clause)
    assert not absent.holds(raw)
    assert not absent.holds(times(3))  # corrected p = 0.06, but absence is judged at the raw level
    assert absent.p() is None and absent.mde() is None
    assert Not("none", sig(0.5)).holds(raw)


def test_p_of_a_tree_is_the_smallest_level_at_which_it_holds():
    members = (sig(0.04), sig(0.01), sig(0.2), sig(0.001, stated=False))
    tree = AtLeast("two", 2, members)
    assert tree.p() == 0.04
    for p in (0.039, 0.041):  # brute force: replace the level
        held = sum(m.stated and m.p_value < p for m in members) >= 2
        assert held is (tree.p() < p)
    assert All("all", members[:3]).p() == 0.2
    assert All("all", (Fact("f", True), sig(0.03))).p() == 0.03
    assert All("facts", (Fact("f", True),)).p() is None
    assert AtLeast("two", 2, (Fact("f", True), sig(0.03))).p() is None
    with pytest.raises(ValueError, match="at least 3 of 2"):
        AtLeast("x", 3, members[:2])


def test_detectable_effects_combine_like_p():
    members = tuple(sig(0.5, mde=m) for m in (3.0, 1.0, 2.0))
    assert All("a", members).mde() == 3.0
    assert AtLeast("k", 2, members).mde() == 2.0
    assert some("one", members).mde() == 1.0


def test_sign_drops_significance_and_size():
    assert sig(0.9).sign() and not sig(0.9, stated=False).sign()
    assert Fact("growth at least 2", False, points=True).sign()
    assert not Fact("f", False).sign()
    assert AtLeast("k", 2, (sig(0.9), sig(0.9), sig(0.1, False))).sign()


def test_parts_of_a_criterion_that_count_alone():
    a, b = sig(0.01, name="a"), sig(0.5, name="b")
    assert joined(All("x", (a, b))) == (a, b)
    whole = All("x", (a, b), one=True)
    assert joined(whole) == (whole,)
    assert joined(some("x", [a, b])) == (some("x", [a, b]),)
    assert alternatives(some("x", [a, b])) == (a, b)
    assert list(ends(Not("n", All("x", (a, Not("m", b)))))) == [(a, False), (b, True)]


@pytest.mark.parametrize(
    ("support", "contradict", "expected"),
    [
        ((0.01, 0.02), 0.9, (True, False, True)),
        ((0.01, 0.20), 0.9, (False, False, True)),
        ((0.20, 0.20), 0.9, (False, False, False)),
        ((0.20, 0.20), 0.01, (False, True, False)),
        ((0.01, 0.20), 0.01, (False, True, False)),
    ],
)
def test_decide(support, contradict, expected):
    criterion = Criterion(All("x", tuple(sig(p) for p in support)), sig(contradict))
    outcome = decide(criterion, raw)
    assert (outcome.support, outcome.contradict, outcome.clause) == expected


def test_one_clause_of_a_contradiction_bars_partly():
    support = All("x", (sig(0.01), sig(0.5)))
    both = All("both", (sig(0.01), sig(0.5)))
    assert not decide(Criterion(support, both), raw).contradict
    assert not decide(Criterion(support, both), raw).clause
    assert decide(Criterion(support, All("both", (sig(0.5), sig(0.5)))), raw).clause


def test_the_correction_decides_and_the_effect_of_either_side_is_reported():
    criterion = Criterion(Not("stable", sig(0.02, mde=7.0)), sig(0.02, mde=7.0))
    assert decide(criterion, raw).contradict
    between = decide(criterion, times(3))
    assert not between.support and not between.contradict and between.mde == 7.0


@pytest.mark.parametrize(
    ("up", "down", "stated", "significant"),
    [
        (sig(0.01), sig(1.0, False), True, True),
        (sig(0.4), sig(0.6, False), True, False),
        (sig(0.6, False), sig(0.4), False, False),
        (sig(1.0, False), sig(0.01), False, True),
    ],
)
def test_variants_with_a_sign(up, down, stated, significant):
    for direction in ("support", "contradict"):
        assert of_variant(Criterion(up, down), direction) == (stated, significant)


@pytest.mark.parametrize(
    ("p", "direction", "along"),
    [(0.5, "support", True), (0.01, "support", False), (0.01, "contradict", True), (0.5, "contradict", False)],
)
def test_variants_without_a_sign_go_along_only_in_full(p, direction, along):
    criterion = Criterion(Not("stable", sig(p)), sig(p), by_sign=False)
    stated, _ = of_variant(criterion, direction)
    assert (stated == (direction == "support")) is along


def test_a_variant_that_meets_neither_side_of_a_criterion_without_a_sign_is_never_along():
    neither = Criterion(sig(0.5), sig(0.5, False), by_sign=False)
    assert of_variant(neither, "support") == (False, False)
    assert of_variant(neither, "contradict") == (True, False)


def test_p_of_a_claim():
    assert Criterion(sig(0.3), sig(1.0, False)).p() == 0.3
    assert Criterion(sig(0.7, False), sig(0.01)).p() == 0.01
    assert Criterion(sig(0.7, False), Fact("at or below", True)).p() == 1.0
    assert Criterion(Not("n", sig(0.2)), sig(0.2)).p() == 0.2
    assert Criterion(sig(0.3), sig(0.3), p_value=0.9).p() == 0.9


def test_keys_are_listed_once_in_order():
    criterion = Criterion(All("x", (sig(0.1, key="a"), Not("n", sig(0.1, key="b")))), sig(0.1, key="a"))
    assert criterion.keys() == ("a", "b")


def test_holm_inside_a_claim_by_hand():
    ups = [sig(p, name=n) for n, p in (("a", 0.01), ("b", 0.04), ("c", 0.012))]
    downs = [sig(1.0, False) for _ in ups]
    downs[1] = sig(0.002)
    up, down = holm_within(ups, downs, 0.05)
    # two-sided p of the parts: 0.01, 0.002, 0.012 -> Holm: 0.002*3, 0.01*2, 0.012*1 made monotone
    assert [c.p() for c in up] == pytest.approx([0.02, 1.0, 0.02])
    assert [c.p() for c in down] == pytest.approx([1.0, 0.006, 1.0])
    assert up[0].holds(raw) and not up[0].holds(times(3))
    assert up[0].sign() and up[0].parts() == (ups[0],)
    assert isinstance(up[0], Corrected) and "inside the claim" in up[0].text(raw)


def test_texts_name_what_holds_and_what_fails():
    criterion = Criterion(
        All("x", (sig(0.01, name="first"), AtLeast("some", 1, (sig(0.5, name="second"),)))), Not("none", sig(0.5))
    )
    reason = decide(criterion, times(2)).reason
    assert reason.startswith("holds: first: p 0.01, corrected 0.02; fails: some: 0 of 1, at least 1 needed [second")
    assert "against: none" in reason
