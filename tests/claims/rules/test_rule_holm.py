"""HOLM: membership, the bound while p-values are missing, Holm's step-down when all exist."""

import numpy as np
import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims.rules import holm

REGISTER = claims.load()
CLAIM = REGISTER.claim("WU-M4")


def by_hand(ps):
    """Holm (1979): p(i) * (m - i + 1), made monotone."""
    order = np.argsort(ps)
    m, running, out = len(ps), 0.0, np.empty(len(ps))
    for rank, i in enumerate(order):
        running = max(running, (m - rank) * ps[i])
        out[i] = min(1.0, running)
    return out


def test_members_are_runnable_and_rest_on_a_p_value():
    inside = holm.members(REGISTER, "WU-M")
    assert "WU-M4" in inside
    for c in REGISTER.family("WU-M"):
        if c.id in inside:
            assert c.testability in holm.RUNNABLE
        else:
            assert c.testability not in holm.RUNNABLE or c.rule == "R-OWN"
    assert "WU-M17" not in inside  # a mean correlation against fixed bounds
    assert "WU-M16" in inside  # homogeneity rejected at 5 %


def test_every_rule_with_a_level_is_a_testing_rule():
    with_level = {r.id for r in REGISTER.rules.values() if {"alpha", "ri_alpha"} & set(r.parameters)}
    assert with_level <= holm.TESTING_RULES
    assert set(REGISTER.rules) >= holm.TESTING_RULES


def test_missing_p_values_give_the_bound():
    how = holm.describe(CLAIM, REGISTER, {})
    m = len(holm.members(REGISTER, "WU-M"))
    assert (how.method, how.m) == ("bound", m)
    assert CLAIM.id not in how.missing
    assert len(how.missing) == m - 1
    assert holm.adjust(0.001, how, {}, CLAIM.id) == pytest.approx(m * 0.001)
    assert holm.adjust(0.5, how, {}, CLAIM.id) == 1.0
    assert f"m = {m}" in how.reason


def test_all_p_values_give_holm_and_the_bound_is_never_smaller():
    rng = np.random.default_rng(4)
    inside = holm.members(REGISTER, "WU-M")
    for _ in range(20):
        known = dict(zip(inside, rng.uniform(0, 0.2, len(inside)), strict=True))
        how = holm.describe(CLAIM, REGISTER, known)
        assert how.method == "holm"
        own = known[CLAIM.id]
        expected = by_hand(np.array([own, *(v for k, v in known.items() if k != CLAIM.id)]))[0]
        got = holm.adjust(own, how, known, CLAIM.id)
        assert got == pytest.approx(expected)
        assert got <= min(1.0, len(inside) * own) + 1e-15


def test_a_claim_without_p_value_has_no_correction():
    with pytest.raises(ValueError, match="WU-P8 has no p-value"):
        holm.describe(REGISTER.claim("WU-P8"), REGISTER, {})


def test_impossible_p_values_are_refused():
    how = holm.describe(CLAIM, REGISTER, {})
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        holm.adjust(1.2, how, {}, CLAIM.id)


def test_step_down_is_that_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(0)
    for m in (1, 2, 5, 11):
        p = np.round(rng.uniform(0, 0.3, m), 2)  # rounded, so that there are ties
        np.testing.assert_allclose(holm.step_down(p.tolist()), multipletests(p, method="holm")[1], rtol=1e-12)
