"""R-OWN on groups of provinces: every outcome, at and around each number of the register."""

from dataclasses import replace

import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims.evaluate.own import groups as reading
from nqpf_spatial.claims.evaluate.own import slopes as slope_reading
from nqpf_spatial.claims.rules import own_groups as rules

REGISTER = claims.load()


def limits(function, claim):
    return function(REGISTER.claim(claim), claims.context.Context())


PARTS = limits(reading.partition_limits, "WU-1.1")
SHARE = PARTS["share_ge"]


def test_numbers_of_the_criteria_come_from_the_text():
    assert PARTS == {"alpha": 0.05, "min_variables": 3, "contradict_min_variables": 3, "share_ge": 5}
    assert limits(slope_reading.slope_limits, "WU-M16") == {"alpha": 0.05, "within_pct": 25}


def variables(ps, p_holm=None, shares=(50.0, SHARE, 9.0)):
    holm = ps if p_holm is None else p_holm
    named = dict(zip(("block", "north_south", "digital"), shares, strict=True))
    return [rules.Partitioned(f"v{k}", p, h, named) for k, (p, h) in enumerate(zip(ps, holm, strict=True))]


@pytest.mark.parametrize(
    ("ps", "expected"),
    [
        ((0.01, 0.01, 0.0499, 0.9), (True, False, True)),
        ((0.01, 0.01, 0.05, 0.9), (False, False, True)),
        ((0.01, 0.05, 0.05, 0.9), (False, True, True)),
    ],
)
def test_partitions_by_p(ps, expected):
    out = rules.partitions(variables(ps), PARTS)
    assert (out.support, out.contradict, out.clause) == expected


def test_every_share_must_reach_the_limit():
    low = variables((0.01,) * 4)
    low[2] = replace(low[2], shares={**low[2].shares, "digital": SHARE - 1e-9})
    out = rules.partitions(low, PARTS)
    assert (out.support, out.clause) == (False, True)
    assert "v2 digital" in out.reason
    assert not rules.partitions(variables((0.9,) * 4, shares=(1.0, 1.0, 1.0)), PARTS).clause


def test_the_correction_counts_for_support_and_not_against():
    out = rules.partitions(variables((0.01,) * 4, p_holm=(0.2,) * 4), PARTS)
    assert (out.support, out.contradict) == (False, False)


CLASSES = limits(reading.class_limits, "WU-1.10")
SIZE = {"East": 10, "Central": 6, "West": 12, "Northeast": 3}
STATED = rules.Classes(2, False, CLASSES["ari_support_ge"], {"East": 10, "Central": 4, "West": 5, "Northeast": 1}, SIZE)


def high(**changes):
    return {"high": {**STATED.high, **changes}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (True, False)),
        ({"silhouette_k": 3}, (False, True)),
        ({"one_cluster": True}, (False, False)),
        ({"silhouette_k": 3, "one_cluster": True}, (False, True)),
        ({"ari": CLASSES["ari_support_ge"] - 1e-9}, (False, False)),
        ({"ari": CLASSES["ari_contradict_lt"]}, (False, False)),
        ({"ari": CLASSES["ari_contradict_lt"] - 1e-9}, (False, True)),
        (high(Central=3), (False, False)),
        (high(Central=2), (False, True)),
        (high(Northeast=2), (False, False)),
        (high(West=6), (False, False)),
    ],
)
def test_two_classes(changes, expected):
    out = rules.two_classes(replace(STATED, **changes), CLASSES)
    assert (out.support, out.contradict) == expected
    assert out.clause


SLOPES = limits(slope_reading.slope_limits, "WU-M16")


def slopes(off):
    return [rules.Slopes("x", 2.0, {"a": 2.0, "b": 2.0 * (1 + off)}), rules.Slopes("z", -1.0, {"a": -1.0, "b": -1.0})]


@pytest.mark.parametrize(
    ("p", "p_holm", "off", "expected"),
    [
        (0.01, 0.0499, 9.0, (True, False)),
        (0.01, 0.05, 0.0, (False, False)),  # not rejected through the correction only
        (0.05, 0.4, 0.25, (False, True)),
        (0.05, 0.4, -0.25, (False, True)),
        (0.05, 0.4, 0.2501, (False, False)),
        (0.0499, 0.4, 0.0, (False, False)),
    ],
)
def test_homogeneity(p, p_holm, off, expected):
    out = rules.homogeneity(p, p_holm, slopes(off), SLOPES)
    assert (out.support, out.contradict) == expected
