"""From parts to a word: criteria, variants that concern some parts only, parts that fail or are left out."""

from dataclasses import replace

import pytest
from regression_support import random_context

from nqpf_spatial import claims
from nqpf_spatial.claims.context import NotInRelease
from nqpf_spatial.claims.evaluate import compound
from nqpf_spatial.claims.evaluate.parts import LEFT_OUT, Component, LeftOut, Number
from nqpf_spatial.claims.evaluate.specification import Specification
from nqpf_spatial.claims.evaluate.variants import Untouched
from nqpf_spatial.claims.rules import verdicts
from nqpf_spatial.claims.rules.coef import Part
from nqpf_spatial.claims.rules.combination import Criterion, all_of, any_of
from nqpf_spatial.errors import PanelError

REGISTER = claims.load()
VARIANTS = ("no_tibet", "no_municipalities", "drop_urbanization")
STRONG, WEAK = 1e-6, 0.4


def number(z, sd_rho=None):
    """An estimate whose p-value survives any correction where |z| > 5."""
    return Number(
        0.1 * z,
        100,
        se=0.1,
        statistic=z,
        p=STRONG if abs(z) > 5 else WEAK if abs(z) < 1.5 else 0.04,
        mde=0.28,
        sd_rho=sd_rho,
    )


def part(name, base, table, **options):
    """A component with z-scores: in the baseline and by variant; an exception is raised, None means untouched."""

    def measure(ctx, spec):
        if isinstance(spec, Exception):
            raise spec
        return spec if isinstance(spec, Number) else number(spec)

    def expand(variant, spec, ctx):
        own = table.get(variant, spec) if isinstance(table, dict) else table
        if own is None:
            raise Untouched(f"{variant} is not in {name}")
        return [(variant, own)]

    return Component(name, f"effect of {name}", base, measure, expand=expand, **options)


def decide(parts, criterion, variants=VARIANTS, testability="direct", **question):
    claim = replace(REGISTER.claim("WU-4.12"), variants=variants, testability=testability)
    found = compound.assess(claim, random_context(), compound.Question(tuple(parts), {"": criterion}, {}, **question))
    (alternative,) = found.alternatives
    return verdicts.decide(alternative.outcome, alternative.multiverse, testability, REGISTER), found


BOTH = Criterion((all_of("a"), all_of("b")), any_of("ab"))


def test_every_word():
    good, bad, none = (part("a", z, z) for z in (6.0, -6.0, 0.5))
    b = part("b", 6.0, 6.0)
    assert decide([good, b], BOTH)[0].word == "SUPPORTED"
    assert decide([good, b], BOTH, testability="partial")[0].word == "PARTLY"
    assert decide([bad, b], BOTH)[0].word == "CONTRADICTED"
    # one clause holds, in the variants too, and nothing contradicts
    assert decide([none, b], BOTH)[0].word == "PARTLY"
    assert decide([none, part("b", 0.5, 0.5)], BOTH)[0].word == "INCONCLUSIVE"
    turned = part("b", 6.0, -6.0)
    assert decide([good, turned], BOTH)[0].word == "MIXED"
    assert decide([none, turned], BOTH)[0].word == "INCONCLUSIVE"
    assert decide([part("a", -6.0, 6.0), b], BOTH)[0].word == "MIXED"


def test_the_corrected_p_decides():
    # p = 0.04 in the baseline passes alone and not after the correction
    word, found = decide([part("a", 2.0, 2.0), part("b", 2.0, 2.0)], BOTH)
    assert word.word == "INCONCLUSIVE"
    assert all(e.p == 0.04 and e.p_holm > 0.05 and e.reading == "neither" for e in found.evidence)
    assert "detectable 0.28" in word.reason


def test_a_variant_of_one_part_keeps_the_other_at_its_baseline():
    untouched = dict.fromkeys(VARIANTS)
    _, found = decide([part("a", 6.0, 6.0), part("b", 6.0, {**untouched, "no_tibet": -6.0})], BOTH)
    (shares,) = [a.multiverse for a in found.alternatives]
    assert shares.variants_counted == 3
    assert shares.same_share == pytest.approx(2 / 3) and shares.opposite_share == pytest.approx(1 / 3)
    assert {(v.variant, v.alternative) for v in found.variants} == {*((v, "a") for v in VARIANTS), ("no_tibet", "b")}


def test_a_part_that_a_variant_does_not_concern_stays_at_its_baseline():
    either = Criterion((any_of("ab"),), any_of("ab"), unopposed=True, alternatives=True)
    a = part("a", 6.0, {"no_tibet": -6.0, "no_municipalities": None, "drop_urbanization": None})
    _, found = decide([a, part("b", 0.5, 0.5)], either)
    shares = found.alternatives[0].multiverse
    assert shares.variants_counted == 3 and shares.variants_not_run == ()
    assert shares.same_share == pytest.approx(2 / 3) and shares.opposite_share == pytest.approx(1 / 3)


def test_a_variant_that_concerns_nothing_at_all_is_listed():
    _, found = decide([part("a", 6.0, {"no_tibet": None}), part("b", 6.0, {"no_tibet": None})], BOTH)
    rows = [v for v in found.variants if v.variant == "no_tibet"]
    assert len(rows) == 2 and not any(v.ran for v in rows)
    assert all("is not in a; no_tibet is not in b" in v.reason for v in rows)
    assert found.alternatives[0].multiverse.variants_not_run == ("no_tibet",)


def test_parts_that_fail_end_a_variant_and_parts_left_out_do_not():
    b = part("b", 6.0, {"no_tibet": PanelError("missing cells"), "no_municipalities": LeftOut("")})
    _, found = decide([part("a", 6.0, 6.0), b], BOTH)
    shares = found.alternatives[0].multiverse
    assert shares.variants_counted == 2 and shares.variants_not_run == ("no_tibet",)
    by_variant = {v.variant: v for v in found.variants if v.alternative == "b"}
    assert by_variant["no_tibet"].reason == "PanelError: missing cells"
    assert by_variant["no_municipalities"].reason == LEFT_OUT
    short = Specification("y", (), (), (2012,), None)
    _, found = decide([part("a", 6.0, 6.0), part("b", 6.0, {"no_tibet": short})], BOTH)
    assert next(v for v in found.variants if v.alternative == "b").reason.startswith("1 years with all provinces")


def test_weak_identification_is_shown_and_not_counted():
    weak = number(6.0, sd_rho=0.5)
    _, found = decide([part("a", 6.0, {"no_tibet": weak}), part("b", 6.0, 6.0)], BOTH)
    row = next(v for v in found.variants if v.variant == "no_tibet" and v.alternative == "a")
    assert row.ran and not row.counts and "weakly identified" in row.reason
    assert found.alternatives[0].multiverse.variants_counted == 2
    word, _ = decide([part("a", weak, 6.0), part("b", 6.0, 6.0)], BOTH)
    assert word.word == "PARTLY" and "weakly identified W, not counted" in word.reason


def test_guards_and_states_do_not_earn_partly():
    guard = part("b", 0.5, 0.5, kind="guard")
    state = part("b", Number(0.4, 31, holds=True), Number(0.4, 31, holds=True), kind="state")
    for quiet in (guard, state):
        word, found = decide([part("a", 0.5, 0.5), quiet], BOTH)
        assert word.word == "INCONCLUSIVE"
        assert "none for b" in found.mde_note
    assert decide([part("a", 6.0, 6.0), state], BOTH)[0].word == "SUPPORTED"


def test_a_part_about_the_variants_themselves():
    criterion = Criterion((all_of("a"), all_of(["share"])), any_of("a"))

    def last(measured, rows):
        share = sum(bool(r.significant and r.stated_sign) for r in rows) / len(rows)
        holds = share > 0.5
        from nqpf_spatial.claims.record import Evidence

        return "share", Part(holds, False, holds, False, f"{share:.2f}"), Evidence("share", share)

    a = part("a", 6.0, 6.0)
    assert decide([a], criterion, last_part=last)[0].word == "SUPPORTED"
    word, found = decide([part("a", 6.0, 1.0)], criterion, last_part=last)
    assert word.word == "PARTLY" and found.evidence[-1].what == "share"


def test_what_a_fast_run_leaves_out_and_unknown_variants():
    claim = replace(REGISTER.claim("WU-4.12"), variants=("alt_digital",))
    question = compound.Question((part("a", 6.0, 6.0),), {"": Criterion((all_of("a"),), any_of("a"))}, {})
    found = compound.assess(claim, random_context(fast=True), question)
    assert [v.reason for v in found.variants] == ["left out by the fast run"]
    assert not found.alternatives[0].multiverse.agrees

    def nothing(variant, spec, ctx):
        raise NotInRelease("not written")

    question = compound.Question((replace(part("a", 6.0, 6.0), expand=nothing),), question.criteria, {})
    found = compound.assess(claim, random_context(), question)
    assert [v.reason for v in found.variants] == ["not written"]


def test_the_p_value_of_the_family():
    parts = [part("a", 6.0, 6.0), part("b", 2.0, 2.0), part("c", 0.5, 0.5, kind="guard")]
    criterion = Criterion((all_of("a"), all_of("b"), all_of("c")), any_of("ab"))
    assert compound.family_p(parts, {"": criterion}, random_context()) == 0.04
    assert compound.family_p(parts[2:], {"": Criterion((all_of("c"),), any_of("c"))}, random_context()) is None
    alternatives = {n: Criterion((all_of(n),), any_of(n)) for n in "ab"}
    assert compound.family_p(parts[:2], alternatives, random_context()) == 0.04
