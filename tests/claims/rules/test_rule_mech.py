"""R-MECH on constructed effects under constructed weight matrices."""

import numpy as np
import pytest
from scipy.stats import norm

from nqpf_spatial import claims
from nqpf_spatial.claims.rules import mech

REGISTER = claims.load()
RULE = REGISTER.rules["R-MECH"].parameters
W7 = REGISTER.weights["sets"][RULE["w_set"]]
BASE = RULE["baseline_w"]
WEAK = RULE["weak_w_sd_rho_gt"] + 0.01


def row(w, z, *, holm=10, sd=0.1):
    p = float(2 * norm.sf(abs(z)))
    return mech.EffectUnderW(w, estimate=0.1 * z, se=0.1, p=p, p_holm=min(1.0, holm * p), sd_rho=sd)


def rows(z_by_w, **options):
    return [row(w, z, **options) for w, z in zip(W7, z_by_w, strict=True)]


def read(table, sign=1, w_set=W7):
    out = mech.decide(table, w_set, sign, RULE)
    return out.support, out.contradict


def test_support_needs_the_baseline_and_four_of_seven():
    assert W7[0] == BASE
    assert read(rows([4, 4, 4, 4, 0.5, 0.5, 0.5])) == (True, False)
    assert read(rows([4, 4, 4, 0.5, 0.5, 0.5, 0.5])) == (False, False)
    assert read(rows([0.5, 4, 4, 4, 4, 4, 4])) == (False, False)


def test_the_corrected_p_decides():
    # z = 2.5: raw p 0.012 passes, ten times that does not
    assert read(rows([2.5] * 7, holm=1)) == (True, False)
    assert read(rows([2.5] * 7, holm=10)) == (False, False)


def test_one_significantly_opposite_matrix_blocks_support_at_the_raw_p():
    # z = -2.5 is not significant after the correction, but the guard looks at the raw p
    assert read(rows([4, 4, 4, 4, 4, 4, -2.5])) == (False, False)
    assert read(rows([4, 4, 4, 4, 4, 4, -1.5])) == (True, False)


def test_contradiction_is_the_opposite_sign_under_the_baseline_only():
    assert read(rows([-4, 4, 4, 4, 4, 4, 4])) == (False, True)
    assert read(rows([4, -4, -4, -4, -4, -4, -4])) == (False, False)
    assert read(rows([-2.5] * 7, holm=10)) == (False, False)


def test_the_stated_sign_can_be_negative():
    assert read(rows([-4] * 7), sign=-1) == (True, False)
    assert read(rows([4] * 7), sign=-1) == (False, True)


def test_weak_matrices_are_not_counted():
    # three of seven are too few, three of five counted ones reach the share that then applies
    table = rows([4, 4, 4, 0.5, 0.5, 0.5, 0.5])
    assert read(table) == (False, False)
    table[5:] = [row(w, 0.5, sd=WEAK) for w in W7[5:]]
    assert read(table)[0] == (RULE["counted_w_agree_share_ge"] <= 3 / 5)
    table[2] = row(W7[2], 0.5)
    assert read(table) == (False, False)
    out = mech.decide(table, W7, 1, RULE)
    assert "weakly identified, not counted: " + ", ".join(W7[5:]) in out.reason


def test_a_weak_matrix_cannot_block_and_a_weak_baseline_decides_nothing():
    table = rows([4, 4, 4, 4, 4, 4, 4])
    table[6] = row(W7[6], -6, sd=WEAK)
    assert read(table) == (True, False)
    for z in (6, -6):
        weak_base = [row(BASE, z, sd=WEAK), *rows([4] * 7)[1:]]
        assert read(weak_base) == (False, False)


def test_missing_matrices_block_support_and_are_named_but_not_contradiction():
    table = rows([4] * 7)[:5]
    out = mech.decide(table, W7, 1, RULE)
    assert not out.support
    assert f"not available in this release: {', '.join(W7[5:])}" in out.reason
    assert read(rows([-4] * 7)[:1]) == (False, True)


def test_without_the_baseline_matrix_there_is_no_reading():
    with pytest.raises(ValueError, match=BASE):
        mech.decide(rows([4] * 7)[1:], W7, 1, RULE)


def test_minimum_detectable_effect_has_the_stated_power():
    alpha, se = RULE["alpha"], 0.37
    mde = mech.minimum_detectable_effect(se, alpha)
    draws = np.random.default_rng(1).normal(mde, se, 400_000)
    power = np.mean(np.abs(draws) / se > norm.isf(alpha / 2))
    assert power == pytest.approx(mech.POWER, abs=0.003)
    assert mech.decide(rows([0.5] * 7), W7, 1, RULE).mde == pytest.approx(mech.minimum_detectable_effect(0.1, alpha))


def test_signs():
    assert [mech.sign_of(s) for s in "+-"] == [1, -1]
    with pytest.raises(ValueError, match="'positive'"):
        mech.sign_of("positive")


def test_fits_at_the_end_of_the_interval_are_counted_and_the_record_says_what_remains_without_them():
    found = mech.sides([row(W7[0], 4), row(W7[1], 4), row(W7[2], -2.5), row(W7[3], 4, sd=WEAK)], 1, RULE)
    assert (found.agree, found.opposite, found.weak) == (tuple(W7[:2]), (W7[2],), (W7[3],))
    note = mech.boundary_note(found, [W7[1], W7[2]])
    assert f"(agreeing: {W7[1]}; significantly opposite: {W7[2]})" in note
    assert note.endswith("Without them 1 of 1 counted W would agree, not 2 of 3")
    assert mech.boundary_note(found, []) == ""
