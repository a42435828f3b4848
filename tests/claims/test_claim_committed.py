"""The committed verdicts are those of this code: a change of verdict shows up here."""

import json
from pathlib import Path

import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims import verdict_file

FILE = Path(__file__).parents[2] / "reports" / "verdicts.json"


@pytest.fixture(scope="module")
def committed():
    return json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def computed():
    return json.loads(verdict_file.to_json(claims.run(fast=False)))


def test_every_claim_has_a_record_of_a_full_run(committed):
    assert list(committed) == sorted(claims.load().claims)
    assert not any(r["fast"] for r in committed.values())


def test_words_and_reasons_for_not_running_are_the_same(committed, computed):
    for name, record in computed.items():
        for key in ("verdict", "label", "status", "rule", "testability", "proxy", "disclosure"):
            assert committed[name][key] == record[key], (name, key)
        if record["status"] == "not run":
            assert committed[name]["reason"] == record["reason"]


def compare(old, new, where=""):
    """Numbers to four digits (draws and another linear-algebra library), everything else exactly."""
    if isinstance(new, dict):
        assert old.keys() == new.keys(), where
        for key in new:
            if key not in ("reason", "library"):
                compare(old[key], new[key], f"{where}.{key}")
    elif isinstance(new, list):
        assert len(old) == len(new), where
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            compare(a, b, f"{where}[{i}]")
    elif isinstance(new, float) and isinstance(old, float):
        assert old == pytest.approx(new, rel=1e-4, abs=1e-9), where
    else:
        assert old == new, where


def test_numbers_are_the_same(committed, computed):
    compare(committed, computed)
