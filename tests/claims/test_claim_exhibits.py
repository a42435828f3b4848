"""The dispatch of exhibits: one for every reading, a claim's own before its rule's."""

from types import SimpleNamespace

import pytest

from nqpf_spatial.claims import READINGS, exhibits, load, runner, verdict_file
from nqpf_spatial.claims.rules import holm


@pytest.mark.parametrize("claim", list(READINGS))
def test_every_reading_has_an_exhibit(claim):
    verdict = SimpleNamespace(claim=claim, rule=load().claim(claim).rule)
    assert exhibits.exhibit(verdict) in exhibits.EXHIBITS.values()


def test_a_claim_comes_before_its_rule(monkeypatch):
    own, shared = object(), object()
    monkeypatch.setattr(exhibits, "EXHIBITS", {"R-MECH": shared, "WU-M4": own})
    assert exhibits.exhibit(SimpleNamespace(claim="WU-M4", rule="R-MECH")) is own
    assert exhibits.exhibit(SimpleNamespace(claim="WU-M2", rule="R-MECH")) is shared
    with pytest.raises(KeyError, match="no exhibit for claim WU-9 or rule R-NONE"):
        exhibits.exhibit(SimpleNamespace(claim="WU-9", rule="R-NONE"))


def test_keys_are_claims_or_rules():
    assert all(key in load().claims or key in load().rules for key in exhibits.EXHIBITS)


@pytest.fixture(scope="module")
def decided(world):
    """Verdicts of constructed data, one or two for every rule of this module."""
    ctx = world(0.03)
    out = {}
    for claim in ("WU-0.4", "WU-1.2", "WU-0.2", "WU-1.3", "WU-P7", "WU-3.7", "WU-4.2"):
        for member in holm.members(ctx.register, ctx.register.claim(claim).family):
            ctx.p_values.setdefault(member, None)
        out[claim] = runner.decide(ctx.register.claim(claim), ctx)
    return out


@pytest.mark.parametrize(
    ("claim", "names"),
    [
        ("WU-0.4", {"series", "differences", "variants"}),
        ("WU-1.2", {"differences", "variants"}),
        ("WU-0.2", {"series", "variants"}),
        ("WU-1.3", {"series", "variants"}),
        ("WU-P7", {"clubs", "variants"}),
        ("WU-3.7", {"differences", "variants"}),
        ("WU-4.2", {"series", "variants"}),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pictures_are_drawn_with_every_glyph(decided, claim, names, lang):
    found = exhibits.figures(decided[claim], lang)
    assert set(found) == names
    for figure in found.values():
        figure.draw_without_rendering()  # a missing glyph is a warning, and a warning an error


def test_reasons_in_chinese(decided):
    reason = exhibits.reason_zh(decided["WU-0.4"])
    assert reason.startswith("判定：支持。人均实际地区生产总值：南北方差距发散（拟合变化中位数 +")
    assert "人均实际地区生产总值：南方高于北方：差" in reason and "个计入的变体中同向比例" in reason
    assert "俱乐部个数（以元计）" in exhibits.reason_zh(decided["WU-P7"])
    assert "上海、江苏、浙江、福建、广东高于其余省份" in exhibits.reason_zh(decided["WU-3.7"])
    assert "（仅供参考）" in exhibits.reason_zh(decided["WU-1.3"])


def test_titles_of_tables(decided):
    verdict = decided["WU-0.4"]
    assert {exhibits.table_title_zh(verdict, n) for n in exhibits.tables(verdict)} == {
        "证据",
        "变体",
        "年度序列",
        "趋势检验",
        "各年组间差",
    }


def test_records_of_constructed_verdicts_are_plain(decided):
    text = verdict_file.to_json(decided.values())
    assert text == verdict_file.to_json(decided.values()) and "NaN" not in text
