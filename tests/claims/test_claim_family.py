"""The correction of a family sees the p-values of all its members, whatever claims were asked for."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from nqpf_spatial.claims import load, runner
from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Reading
from nqpf_spatial.claims.rules import holm


@pytest.fixture
def family(monkeypatch):
    """Readings of family WU-M that only bring p-values: 0.01, 0.02, ..."""
    register = load()
    inside = holm.members(register, "WU-M")
    values = {claim: 0.01 * (i + 1) for i, claim in enumerate(inside)}
    asked = []

    def p_value(claim, ctx, options):
        asked.append(claim.id)
        return values[claim.id]

    readings = {claim: Reading(lambda *a: None, p_value=p_value) for claim in inside}
    monkeypatch.setattr(runner, "READINGS", MappingProxyType(readings))
    return register, inside, values, asked


def test_all_members_are_asked_once_and_holm_replaces_the_bound(family):
    register, inside, values, asked = family
    ctx = Context(register=register)
    first, second = register.claim(inside[0]), register.claim(inside[1])
    runner._gather_p_values(first, ctx)
    assert asked == [c for c in inside if c != first.id]
    correction = holm.describe(first, register, ctx.p_values)
    assert correction.method == "holm" and correction.missing == ()
    assert holm.adjust(values[first.id], correction, ctx.p_values, first.id) == pytest.approx(len(inside) * 0.01)
    runner._gather_p_values(second, ctx)
    assert sorted(asked) == sorted(inside)


def test_a_member_without_a_reading_keeps_the_bound(family, monkeypatch):
    register, inside, _, _ = family
    rest = {c: r for c, r in runner.READINGS.items() if c != inside[-1]}
    monkeypatch.setattr(runner, "READINGS", MappingProxyType(rest))
    ctx = Context(register=register)
    claim = register.claim(inside[0])
    runner._gather_p_values(claim, ctx)
    correction = holm.describe(claim, register, ctx.p_values)
    assert correction.method == "bound" and correction.missing == (inside[-1],)


def test_once_computes_once():
    ctx, calls = Context(), []
    assert [ctx.once("key", lambda: calls.append(1) or 7) for _ in range(3)] == [7, 7, 7]
    assert len(calls) == 1 and replace(ctx).once("key", lambda: 8) == 8
