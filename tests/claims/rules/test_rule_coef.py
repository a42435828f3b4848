"""R-COEF and R-MOD on single numbers: signs, tests, states, guards, at and around the level."""

import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims.rules import coef, mod

ALPHA = claims.load().threshold("R-COEF", "alpha")
LOW, HIGH = ALPHA - 1e-9, ALPHA


def read(kind, estimate, p, corrected, sign=1, holds=None):
    part = coef.read(kind, sign, estimate, p, corrected, holds, ALPHA, "why")
    assert part.reason == "why"
    return part.support, part.contradict, part.along, part.against


def test_the_levels_of_the_two_rules_are_one():
    assert claims.load().threshold("R-MOD", "alpha") == ALPHA


@pytest.mark.parametrize(
    ("estimate", "p", "corrected", "sign", "expected"),
    [
        (0.3, LOW, LOW, 1, (True, False, True, False)),
        (0.3, LOW, HIGH, 1, (False, False, True, False)),
        (0.3, HIGH, HIGH, 1, (False, False, False, False)),
        (-0.3, LOW, LOW, 1, (False, True, False, True)),
        (-0.3, LOW, HIGH, 1, (False, False, False, True)),
        (-0.3, LOW, LOW, -1, (True, False, True, False)),
        (0.3, LOW, LOW, -1, (False, True, False, True)),
        (0.0, LOW, LOW, 1, (False, False, False, False)),
    ],
)
def test_a_sign_at_the_corrected_level(estimate, p, corrected, sign, expected):
    assert read("sign", estimate, p, corrected, sign) == expected


def test_a_test_holds_at_the_corrected_level_and_never_contradicts():
    assert read("test", -5.0, LOW, LOW) == (True, False, True, False)
    assert read("test", 5.0, LOW, HIGH) == (False, False, True, False)
    assert read("test", 5.0, 0.9, 0.9) == (False, False, False, False)


def test_a_state_holds_or_does_not():
    assert read("state", 0.4, None, None, holds=True) == (True, False, True, False)
    assert read("state", 0.4, None, None, holds=False) == (False, False, False, False)


def test_a_guard_holds_unless_the_opposite_is_significant():
    assert read("guard", -8.0, HIGH, HIGH)[:2] == (True, False)
    assert read("guard", 8.0, LOW, LOW)[:2] == (True, False)
    # significant at the raw p: no support; contradiction needs the corrected p
    assert read("guard", -8.0, LOW, HIGH)[:2] == (False, False)
    assert read("guard", -8.0, LOW, LOW)[:2] == (False, True)
    assert read("guard", -8.0, LOW, HIGH)[3] and not read("guard", -8.0, HIGH, HIGH)[3]


def test_directions_of_variants():
    assert coef.direction("sign", -1, -0.1, 0.5, None, ALPHA) == (True, False)
    assert coef.direction("sign", 1, -0.1, LOW, None, ALPHA) == (False, True)
    assert coef.direction("test", 1, -0.1, LOW, None, ALPHA) == (True, True)
    assert coef.direction("test", 1, -0.1, HIGH, None, ALPHA) == (False, False)
    assert coef.direction("state", 1, 0.0, None, False, ALPHA) == (False, False)
    assert coef.direction("guard", 1, -3.0, LOW, None, ALPHA) == (False, True)
    assert coef.direction("guard", 1, -3.0, HIGH, None, ALPHA) == (True, False)
    with pytest.raises(ValueError, match="kind='rank'"):
        coef.direction("rank", 1, 0.0, 0.5, None, ALPHA)


NEED = claims.load().claim("WU-1.8").parameters["min_share_of_specifications"]


def test_the_share_of_specifications_at_and_around_two_thirds():
    def holds(base, counted):
        return mod.share_of_specifications(base, counted, NEED)[2].support

    two_of_three = [("a", True), ("b", False)]
    assert holds([True], two_of_three)
    assert not holds([False], two_of_three)
    # many runs of one variant do not outvote the others, nor the other way round
    by_run, by_variant, part = mod.share_of_specifications(
        [True], [("a", True)] * 6 + [("b", False), ("c", False)], NEED
    )
    assert (by_run, by_variant) == (7 / 9, 0.5) and not part.support
    by_run, by_variant, part = mod.share_of_specifications(
        [True], [("a", False)] * 6 + [("b", True), ("c", True)], NEED
    )
    assert (by_run, by_variant) == (3 / 9, 0.75) and not part.support
    assert not part.contradict and not part.against
    assert holds([True, True], [])
    with pytest.raises(ValueError, match="at least one baseline"):
        holds([], two_of_three)
