"""WU-P8 and WU-2.2 against hand computations, and on constructed tables."""

import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial import claims, data
from nqpf_spatial.claims.evaluate import shares as share_reading
from nqpf_spatial.claims.runner import decide

REGISTER = claims.load()


@pytest.fixture
def context(constructed):
    return claims.context.Context()


def test_hub_list(context):
    verdict = decide(REGISTER.claim("WU-P8"), context)
    assert verdict.label == "SUPPORTED"
    assert verdict.evidence[0].estimate == data.compute_hubs()["hub_en"].nunique() == 8
    assert verdict.holm is None
    assert verdict.mde_note


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda t: t[t["hub_en"] != "Gansu"], "CONTRADICTED"),
        (lambda t: t.replace({"hub_en": {"Gansu": "Qinghai"}}), "CONTRADICTED"),
        (lambda t: t.sample(frac=1, random_state=1), "SUPPORTED"),
    ],
)
def test_hub_list_on_changed_sources(context, monkeypatch, change, word):
    changed = change(data.compute_hubs())
    monkeypatch.setattr(data, "compute_hubs", lambda: changed)
    assert decide(REGISTER.claim("WU-P8"), context).verdict == word


def test_a_hub_without_a_cluster_province_turns_the_variant_only(context, monkeypatch):
    table = data.compute_hubs()
    table["hub_provinces"] = [
        ("Qinghai",) if hub == "Gansu" else cell
        for hub, cell in zip(table["hub_en"], table["hub_provinces"], strict=True)
    ]
    monkeypatch.setattr(data, "compute_hubs", lambda: table)
    verdict = decide(REGISTER.claim("WU-P8"), context)
    assert verdict.verdict == "MIXED"
    assert verdict.variants[0].estimate == 7


def test_shares_by_hand(context):
    verdict = decide(REGISTER.claim("WU-2.2"), context)
    panel = nq.load_panel(["software_revenue", "gdp", "domain_names", "population"])
    cross = panel.xs(2024, level="year")
    east = cross.index.isin(nq.provinces.groups("block")["East"])
    table = verdict.tables["shares"]
    pct = 100 * cross.loc[east, "software_revenue"].sum() / cross["software_revenue"].sum()
    assert table.loc["software_revenue", "east_share_pct"] == pytest.approx(pct)
    assert table.loc["software_revenue", "provinces"] == 30
    no_tibet = cross.drop(index="Tibet")
    gdp = 100 * no_tibet.loc[no_tibet.index.isin(nq.provinces.groups("block")["East"]), "gdp"].sum()
    assert table.loc["software_revenue", "lq_gdp"] == pytest.approx(pct / (gdp / no_tibet["gdp"].sum()))
    domains = cross["domain_names"]
    people = cross["population"]
    lq = (domains[east].sum() / domains.sum()) / (people[east].sum() / people.sum())
    assert table.loc["domain_names", "lq_population"] == pytest.approx(lq)


def test_partial_testability_caps_the_word(context):
    verdict = decide(REGISTER.claim("WU-2.2"), context)
    assert verdict.testability == "partial"
    assert verdict.verdict == "PARTLY"
    assert not verdict.proxy
    assert len(verdict.variants) == len(REGISTER.claim("WU-2.2").variants)


def facts(split, date="2026-06-30"):
    return pd.DataFrame(
        {"date": [date], "fact": [f"{share_reading.FACT}: East/Central/West/Northeast"], "value": [split]}
    )


@pytest.mark.parametrize(
    ("split", "word"),
    [
        ("60/20/10/10", "PARTLY"),
        ("45/25/20/10", "PARTLY"),  # the stand-ins hold alone
        ("39/31/20/10", "CONTRADICTED"),
    ],
)
def test_words_by_published_split(context, monkeypatch, split, word):
    monkeypatch.setattr(data, "compute_facts", lambda: facts(split))
    assert decide(REGISTER.claim("WU-2.2"), context).verdict == word


def test_the_latest_split_is_taken_and_a_missing_one_is_named():
    two = pd.concat([facts("10/20/30/40", "2024-01-01"), facts("40/30/20/10", "2025-01-01")])
    assert share_reading.block_shares(two) == (
        {"East": 40.0, "Central": 30.0, "West": 20.0, "Northeast": 10.0},
        "2025-01-01",
    )
    with pytest.raises(nq.errors.DataSourceError, match="has no entry"):
        share_reading.block_shares(facts("1/1/1/1"), "racks by block")


def test_variants_leave_out_what_they_say():
    column = nq.load_panel(["gdp"], years=(2024, 2024))["gdp"].droplevel("year")
    sums, n = share_reading.by_block(column, share_reading.MUNICIPALITIES)
    assert n == 27
    kept = column.drop(index=list(share_reading.MUNICIPALITIES))
    assert sum(sums.values()) == pytest.approx(kept.sum())
    text = REGISTER.variants["no_municipalities"]["text"]
    assert all(name in text for name in share_reading.MUNICIPALITIES)
    assert "27" in text


def test_the_number_of_stand_ins_is_read_from_the_register():
    assert share_reading.min_proxies(REGISTER.claim("WU-2.2").support_if) == 2
    with pytest.raises(ValueError, match="at least k of n"):
        share_reading.min_proxies("all of them")
