"""Verdict records: JSON that is the same byte for byte, statuses, cards."""

import json
import math

import numpy as np
import pytest

from nqpf_spatial import claims
from nqpf_spatial.claims import record, runner, verdict_file
from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.exhibits import mechanism, regressions
from nqpf_spatial.errors import DataSourceError

REGISTER = claims.load()
WITHOUT_DATA = [c.id for c in REGISTER.claims.values() if c.testability in ("needs-data", "not-testable")]
QUICK = ["WU-P8", "WU-2.2", "WU-2.9", "LG-3.2", "WU-0.3"]


@pytest.fixture(scope="module")
def quick():
    """Verdicts of a release in which one rule and one more reading are not written yet."""
    with pytest.MonkeyPatch.context() as patch:
        readings = {c: r for c, r in claims.READINGS.items() if c not in ("WU-0.3", "WU-M8")}
        patch.setattr(runner, "READINGS", readings)
        patch.setattr(runner, "RULES_AS_CODE", runner.RULES_AS_CODE - {"R-OSSIFY"})
        yield claims.run(QUICK)


def test_what_the_register_alone_decides():
    for v in claims.run(WITHOUT_DATA):
        claim = REGISTER.claim(v.claim)
        if claim.testability == "needs-data":
            assert v.verdict == "NOT YET TESTABLE"
            assert all(need in v.reason for need in claim.needs)
        else:
            assert v.verdict == "NOT TESTABLE"
            assert v.reason
        assert v.status == "decided"
        assert not v.evidence
        assert v.seed is None


def test_what_is_not_written_is_not_a_verdict(quick, monkeypatch):
    by_id = {v.claim: v for v in quick}
    readings = {c: r for c, r in runner.READINGS.items() if c != "WU-M8"}
    monkeypatch.setattr(runner, "READINGS", readings)
    ossify, (mech,) = by_id["WU-0.3"], claims.run("WU-M8")
    assert ossify.verdict is None
    assert ossify.status == ossify.label == "not run"
    assert ossify.reason == "not run: rule R-OSSIFY arrives later"
    assert "its reading for claim WU-M8 arrives later" in mech.reason
    assert not mech.proxy
    assert "not run" not in REGISTER.rules["VERDICTS"].parameters["vocabulary"]


def test_order_duplicates_and_unknown_ids():
    assert [v.claim for v in claims.run(["WU-P12", "WU-2.9"])] == ["WU-P12", "WU-2.9"]
    assert claims.run("WU-P12")[0].claim == "WU-P12"
    with pytest.raises(DataSourceError, match="WU-P99"):
        claims.run(["WU-P8", "WU-P99"])


def test_json_is_sorted_plain_and_identical_on_a_rerun(quick):
    first, second = verdict_file.to_json(quick), verdict_file.to_json(claims.run(QUICK[::-1]))
    assert first.encode() == second.encode()
    records = json.loads(first)
    assert list(records) == sorted(QUICK)
    for name, r in records.items():
        assert r["digits"] == record.DIGITS
        assert list(r) == sorted(r)
        assert r["register_checksum"] == REGISTER.checksum
        assert r["data_release"] == quick[0].data_release
        assert r["parameters"].keys() >= dict(REGISTER.claim(name).parameters).keys()
    assert records["WU-P8"]["verdict"] == "SUPPORTED"
    assert records["WU-0.3"]["verdict"] is None
    assert "NaN" not in first
    assert first.endswith("}\n")


def test_no_float_of_the_json_has_more_than_the_stated_digits(quick):
    def walk(x):
        if isinstance(x, dict):
            for v in x.values():
                yield from walk(v)
        elif isinstance(x, list):
            for v in x:
                yield from walk(v)
        elif isinstance(x, float):
            yield x

    floats = list(walk(json.loads(verdict_file.to_json(quick))))
    assert floats
    assert all(f == float(f"{f:.{record.DIGITS}g}") for f in floats)


def test_rounding():
    assert record.stable(1 / 3) == 0.333333
    assert record.stable(-1e-15) == 0.0
    assert math.copysign(1, record.stable(-1e-15)) == 1
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            record.stable(bad)
    assert record.plain({"a": (np.float64(0.1), np.int64(3), np.bool_(True), None)}) == {"a": [0.1, 3, True, None]}
    assert [type(x) for x in record.plain((np.int64(3), True, 2))] == [int, bool, int]
    with pytest.raises(TypeError, match="set"):
        record.plain({"a": {1, 2}})


def test_csv_has_a_line_per_claim(quick):
    lines = verdict_file.to_csv(quick).splitlines()
    assert lines[0].split(",") == list(verdict_file.COLUMNS)
    assert len(lines) == len(quick) + 1
    assert lines[1].startswith("WU-P8,SUPPORTED,SUPPORTED,decided,R-FACT,direct,outcome-seen,False,")
    assert ",not run,,not run," in next(line for line in lines if line.startswith("WU-0.3"))


def test_cards_show_what_a_verdict_rests_on(quick):
    for v in quick:
        text = " ".join(str(v).split())
        assert f"{v.claim}: {v.label}" in text
        assert v.disclosure in text
        assert " ".join(v.reason.split())[:60] in text
        assert v.claim in v._repr_html_()
        if v.disclosure_note:
            assert v.disclosure_note in text


def test_frames_and_tables(quick):
    shares = next(v for v in quick if v.claim == "WU-2.2")
    assert len(shares.evidence_frame()) == len(shares.evidence)
    assert shares.evidence_frame().columns[0] == "what"
    assert set(claims.tables(shares)) == {"evidence", "variants", "shares", "computing_by_block"}
    nothing = next(v for v in quick if v.claim == "WU-2.9")
    assert nothing.evidence_frame().empty
    assert "estimate" in nothing.evidence_frame().columns
    assert claims.tables(nothing) == {}
    assert claims.figures(nothing) == {}


def test_chinese_reasons(quick):
    reasons = {v.claim: claims.reason_zh(v) for v in quick}
    assert reasons["WU-2.2"].startswith("判定：部分支持。东部份额（%）：智能算力 55.9")
    assert "R-OSSIFY" in reasons["WU-0.3"]
    assert "等待官方数据" in reasons["LG-3.2"]
    assert "不作检验" in reasons["WU-2.9"]


def test_the_fast_flag_follows_the_environment(monkeypatch):
    monkeypatch.setenv("NQPF_SPATIAL_FAST", "1")
    assert claims.run(["WU-P12"])[0].fast
    assert not claims.run(["WU-P12"], fast=False)[0].fast
    monkeypatch.setenv("NQPF_SPATIAL_FAST", "0")
    assert not claims.run(["WU-P12"])[0].fast


def test_weights_of_the_register():
    context = Context()
    built, missing = context.available(REGISTER.weights["sets"]["W7"])
    assert list(built) == list(REGISTER.weights["matrices"])
    assert missing == {}
    assert all(w.is_row_stochastic for w in built.values())
    assert context.weights("queen") is built["queen"]
    with pytest.raises(DataSourceError, match="no weight matrix 'rook'"):
        context.weights("rook")
    with pytest.raises(DataSourceError, match="no variable 'gpd'"):
        context.complete_years("gpd")
    assert context.complete_years("schooling_years") >= {2011, 2019}
    assert 2010 not in context.complete_years("schooling_years")


def test_short_names_of_specifications():
    assert regressions.row_name("w_others", "W economic") == "w_others: economic"
    assert mechanism.effect_name("total effect of x on y", "en") == "total effect of x"


def test_a_list_of_verdicts_is_short(quick):
    assert repr(quick[2]) == "<Verdict WU-2.9: NOT TESTABLE, rule R-NONE; print it for the record>"
    assert max(len(repr(v)) for v in quick) < 100
