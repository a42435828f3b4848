"""VERDICTS: every word, the order, the caps."""

import itertools

import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims import Multiverse
from nqpf_spatial.claims.rules import verdicts
from nqpf_spatial.claims.rules.base import Outcome

REGISTER = claims.load()


def shares(agrees):
    return Multiverse("support", agrees, 1.0, 0.0, 1.0, 0.0, 3, 3, ())


def word(support=False, contradict=False, clause=False, blocked="", agrees=True, testability="direct"):
    outcome = Outcome(support, contradict, "why", clause=clause, blocked=blocked)
    return verdicts.decide(outcome, shares(agrees), testability, REGISTER).word


def test_the_order_is_the_registers():
    parameters = REGISTER.rules["VERDICTS"].parameters
    stated = tuple(line.split(" if ")[0].split(" otherwise")[0] for line in parameters["order"])
    assert stated == verdicts.ORDER
    assert set(verdicts.ORDER) == set(parameters["vocabulary"])


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"support": True}, "SUPPORTED"),
        ({"support": True, "testability": "proxy"}, "SUPPORTED"),
        ({"support": True, "testability": "partial"}, "PARTLY"),
        ({"support": True, "agrees": False}, "MIXED"),
        ({"support": True, "agrees": False, "testability": "partial"}, "MIXED"),
        ({"contradict": True}, "CONTRADICTED"),
        ({"contradict": True, "testability": "partial"}, "CONTRADICTED"),
        ({"contradict": True, "agrees": False}, "MIXED"),
        ({"clause": True}, "PARTLY"),
        ({"clause": True, "agrees": False}, "PARTLY"),
        ({"clause": True, "contradict": True}, "CONTRADICTED"),
        ({}, "INCONCLUSIVE"),
        ({"agrees": False}, "INCONCLUSIVE"),
        ({"blocked": "no source"}, "NOT YET TESTABLE"),
        ({"blocked": "no source", "support": True}, "NOT YET TESTABLE"),
    ],
)
def test_every_word(case, expected):
    assert word(**case) == expected


def test_only_words_of_the_vocabulary_for_every_combination():
    flags = itertools.product([False, True], repeat=4)
    for (support, contradict, clause, agrees), kind in itertools.product(flags, ("direct", "proxy", "partial")):
        got = word(support, contradict, clause, agrees=agrees, testability=kind)
        assert got in verdicts.ORDER
        if kind == "partial":
            assert got != "SUPPORTED"
        if contradict and agrees:
            assert got == "CONTRADICTED"


@pytest.mark.parametrize("claim", REGISTER.claims.values(), ids=lambda c: c.id)
def test_words_from_the_register_alone(claim):
    expected = {"not-testable": "NOT TESTABLE", "needs-data": "NOT YET TESTABLE"}.get(claim.testability)
    assert verdicts.without_data(claim.rule, claim.testability) == expected


def test_inconclusive_always_says_what_could_have_been_found():
    outcome = Outcome(False, False, "why", mde=0.04321)
    assert "Minimum detectable effect 0.04321" in verdicts.decide(outcome, shares(True), "direct", REGISTER).reason


def test_the_first_word_in_the_order_wins_among_alternatives():
    def d(w):
        return verdicts.Decision(w, f"because {w}")

    out = verdicts.first([("direct", d("SUPPORTED")), ("total", d("CONTRADICTED"))])
    assert out.word == "CONTRADICTED"
    assert "direct: SUPPORTED (because SUPPORTED)" in out.reason
    assert verdicts.first([("direct", d("INCONCLUSIVE")), ("total", d("MIXED"))]).word == "MIXED"
    assert verdicts.first([("", d("PARTLY"))]) == d("PARTLY")
    with pytest.raises(ValueError, match="at least one"):
        verdicts.first([])
