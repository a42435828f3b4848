"""R-OWN on where people go: signs, ties, the experimental interval."""

import pytest

from nqpf_spatial.claims.rules import own_people as rules

EXPERIMENTAL = frozenset({"b"})


@pytest.mark.parametrize(
    ("east", "south", "expected"),
    [
        ((1, 1), (1, 1), (True, False, True)),
        ((1, 1), (0, 1), (False, False, True)),
        ((1, -1), (1, 1), (False, False, True)),  # the experimental one cannot contradict
        ((-1, 1), (1, 1), (False, True, True)),
        ((-1, 1), (1, -1), (False, True, False)),
        ((0, 1), (1, 0), (False, False, False)),
    ],
)
def test_net_inflow(east, south, expected):
    flows = {"East": dict(zip("ab", east, strict=True)), "South": dict(zip("ab", south, strict=True))}
    out = rules.net_inflow(flows, EXPERIMENTAL)
    assert (out.support, out.contradict, out.clause) == expected


@pytest.mark.parametrize(
    ("east", "south", "expected"),
    [
        ((1, 2), (1, 2), (True, False, True)),
        ((1, 2), (2, 2), (False, False, True)),
        ((1, 2), (2, 1), (False, False, True)),
        ((2, 2), (2, 1), (False, False, False)),
        ((2, 1), (2, 1), (False, True, False)),
        ((-2, -1), (-3, -2), (True, False, True)),
    ],
)
def test_faster_gain(east, south, expected):
    out = rules.faster_gain({"East": east, "South": south})
    assert (out.support, out.contradict, out.clause) == expected
