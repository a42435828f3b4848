"""MULTIVERSE on constructed variants."""

import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims import VariantResult
from nqpf_spatial.claims.rules import multiverse

RULE = claims.load().rules["MULTIVERSE"].parameters


def run(variant, stated=True, significant=False, counts=True):
    return VariantResult(variant, "s", counts, True, stated_sign=stated, significant=significant)


def absent(variant, counts=True):
    return VariantResult(variant, "s", counts, False, reason="no data")


def variants(same, other, opposite=0):
    rows = [run(f"s{i}") for i in range(same)] + [run(f"o{i}", stated=False) for i in range(other)]
    return rows + [run(f"x{i}", stated=False, significant=True) for i in range(opposite)]


def test_two_thirds_of_the_same_sign():
    # the register writes 2/3 as 0.6667: two of three must pass
    assert multiverse.judge(variants(2, 1), "support", RULE).agrees
    assert multiverse.judge(variants(67, 33), "support", RULE).agrees
    assert not multiverse.judge(variants(66, 34), "support", RULE).agrees


def test_one_sixth_significantly_opposite():
    assert multiverse.judge(variants(5, 0, 1), "support", RULE).agrees
    assert multiverse.judge(variants(84, 0, 16), "support", RULE).agrees
    assert not multiverse.judge(variants(83, 0, 17), "support", RULE).agrees


def test_a_contradiction_is_mirrored():
    rows = [run(f"a{i}", stated=False, significant=True) for i in range(5)] + [run("b", stated=True)]
    assert not multiverse.judge(rows, "support", RULE).agrees
    mirrored = multiverse.judge(rows, "contradict", RULE)
    assert mirrored.agrees
    assert mirrored.same_share == pytest.approx(5 / 6)
    assert mirrored.opposite_share == 0.0
    turned = multiverse.judge([*rows, run("b2", significant=True), run("b3", significant=True)], "contradict", RULE)
    assert not turned.agrees


def test_a_variant_of_many_runs_weighs_one():
    rows = [run("w_others", stated=False) for _ in range(6)] + [run(f"v{i}") for i in range(5)]
    out = multiverse.judge(rows, "support", RULE)
    assert out.same_share == pytest.approx(5 / 6)
    assert out.same_share_specifications == pytest.approx(5 / 11)
    assert (out.variants_counted, out.specifications_counted) == (6, 11)
    half = multiverse.judge([run("a"), run("a", stated=False), run("b")], "support", RULE)
    assert half.same_share == pytest.approx(0.75)


def test_what_did_not_run_and_what_does_not_count_is_in_no_share():
    rows = [run("a"), absent("b"), run("shown", stated=False, significant=True, counts=False)]
    out = multiverse.judge(rows, "support", RULE)
    assert out.agrees
    assert out.same_share == 1.0
    assert out.variants_not_run == ("b",)
    assert out.variants_counted == 1


def test_nothing_run_establishes_nothing_and_nothing_stated_fails_nothing():
    assert not multiverse.judge([absent("a")], "support", RULE).agrees
    assert multiverse.judge([], "support", RULE).agrees
    assert multiverse.judge([absent("shown", counts=False)], "support", RULE).agrees
