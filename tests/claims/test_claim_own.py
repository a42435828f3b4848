"""R-OWN on shares, people and groups: numbers by hand, every word on constructed panels."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial import claims
from nqpf_spatial.claims.evaluate import own
from nqpf_spatial.claims.evaluate.own import engine, groups, mismatch, people, prose, settings, shares
from nqpf_spatial.claims.runner import decide
from nqpf_spatial.errors import DataSourceError, PanelError

REGISTER = claims.load()
BLOCKS = nq.provinces.groups("block")
BLOCK = pd.Series({p: b for b, members in BLOCKS.items() for p in members})
SOUTH = set(nq.provinces.groups("north_south")["South"])


@pytest.fixture(autouse=True, scope="module")
def few_permutations():
    with pytest.MonkeyPatch.context() as patch:
        for module in (groups, mismatch):
            patch.setattr(module, "permutations", lambda ctx: 499)
        patch.setattr(groups, "REFERENCES", 50)
        yield


def by_province(value, noise=0.0, seed=0):
    """A column that is constant over the years: `value` maps a province to a number."""

    def make(frame):
        province = frame.index.get_level_values("province")
        rng = np.random.default_rng(seed)
        column = province.map({p: float(value(p)) for p in province.unique()}).to_numpy(dtype=float)
        return pd.Series(column * np.exp(noise * rng.standard_normal(len(frame))), frame.index)

    return make


def judged(claim, ctx):
    return decide(REGISTER.claim(claim), ctx)


def row(verdict, start):
    (found,) = [e for e in verdict.evidence if e.what.startswith(start)]
    return found


# --- what all of them share -----------------------------------------------------------------------------------


def test_every_claim_of_the_rule_that_can_run_has_a_reading():
    wanted = {
        c.id
        for c in REGISTER.claims.values()
        if c.rule == "R-OWN" and c.testability not in ("needs-data", "not-testable")
    }
    assert set(own.READINGS) == wanted


@pytest.mark.parametrize("claim", sorted(own.READINGS))
def test_p_values_exactly_where_the_criterion_rests_on_one(claim):
    from nqpf_spatial.claims.rules.holm import rests_on_p

    assert (own.READINGS[claim].p_value is not None) == rests_on_p(REGISTER.claim(claim))


def test_numbers_in_words():
    assert prose.number("quotient < 1 in two", r"in (\w+)$") == 2
    for text in ("no number", "p<0.05 or p<0.1", None):
        with pytest.raises(DataSourceError, match="should state one number"):
            prose.number(text, r"p<([\d.]+)")
    with pytest.raises(DataSourceError, match="where a number is expected"):
        prose.number("in many", r"in (\w+)$")


def test_series_name_their_gaps_and_leave_out_absent_years(random_context):
    ctx = random_context()
    claim = REGISTER.claim("WU-P4")
    column = settings.series(claim, ctx, settings.Setting(), "hitech_mfg_revenue")
    assert 2017 not in column.index.get_level_values("year")
    ctx.panel.loc[("Gansu", 2015), "hitech_mfg_revenue"] = np.nan
    with pytest.raises(PanelError, match="Gansu 2015"):
        settings.series(claim, ctx, settings.Setting(), "hitech_mfg_revenue")
    with pytest.raises(DataSourceError, match="no variable 'nothing'"):
        settings.column_of(ctx, "nothing")
    revenue = settings.series(REGISTER.claim("WU-1.9"), ctx, settings.Setting(), "software_revenue")
    assert revenue.index.unique("province").size == 30


def test_groupings_change_as_a_variant_says():
    base = settings.groups("north_south", settings.Setting())
    tibet = settings.SHARED["ns_tibet_north"](None, None)[0][1]
    beijing = settings.SHARED["ns_no_beijing"](None, None)[0][1]
    assert (base["Tibet"], settings.groups("north_south", tibet)["Tibet"]) == ("South", "North")
    assert "Beijing" not in settings.groups("north_south", beijing)
    assert "Beijing" in settings.groups("block", beijing)


def test_indices_of_the_register_are_reproduced(random_context):
    panel = nq.load_panel()
    ctx = SimpleNamespace(register=REGISTER, panel=panel, once=lambda key, compute: compute())
    for index in ("digital_index", "digital_index_broad", "nqpf_index"):
        made = settings.build_index(ctx, index, "entropy").scores
        known = panel[index].dropna()
        assert made.reindex(known.index).to_numpy() == pytest.approx(known.to_numpy())


def variant(outcome, sign=None, against=None, direction="support"):
    found = engine.Measured(None, 1.0, 1, {}, sign=sign, against=against)
    out = claims.rules.base.Outcome(*outcome, "")
    r = engine._row("v", "", True, found, out, direction)
    return r.stated_sign, r.significant


def test_how_a_variant_agrees():
    assert variant((True, False)) == (True, False)
    assert variant((False, True)) == (False, True)
    assert variant((False, False)) == (False, False)
    # mirrored: a variant goes along with a contradiction if it contradicts, and not if it is inconclusive
    assert variant((False, True), direction="contradict") == (False, False)
    assert variant((False, False), direction="contradict") == (True, False)
    assert variant((True, False), direction="contradict") == (True, True)
    # where there is a sign, it decides
    assert variant((False, False), sign=True) == (True, False)
    assert variant((False, False), sign=False, direction="contradict") == (False, False)
    assert variant((False, False), sign=False, against=False, direction="contradict") == (True, False)


# --- LG-2.2 ---------------------------------------------------------------------------------------------------


def endowment_panel(random_context, unequal, equal=()):
    names = REGISTER.claim("LG-2.2").outcome
    spread = by_province(lambda p: 100.0 if p == "Tibet" else 90.0 if p in BLOCKS["West"] else 1.0)
    columns = {n: spread if n in unequal else by_province(lambda p: 1.0 + 0.01 * (p == "Hunan")) for n in names}
    return random_context(**columns, gdp_real_pc=by_province(lambda p: 1.0 + (p in BLOCKS["East"])))


@pytest.mark.parametrize(("k", "word"), [(3, "PARTLY"), (2, "INCONCLUSIVE"), (1, "INCONCLUSIVE"), (0, "CONTRADICTED")])
def test_endowments(random_context, k, word):
    names = REGISTER.claim("LG-2.2").outcome
    verdict = judged("LG-2.2", endowment_panel(random_context, names[:k]))
    assert verdict.verdict == word
    assert len([v for v in verdict.variants if v.counts]) == 2


def test_endowments_by_hand(random_context):
    ctx = random_context()
    table = judged("LG-2.2", ctx).tables["theil_t"]
    x = ctx.panel["water_resources_pc"].xs(2008, level="year")
    s = x / x.mean()
    assert table.loc[2008, "water_resources_pc"] == pytest.approx((s * np.log(s)).mean())
    assert table["nonfossil_generation_pc"].first_valid_index() == 2016
    weighted = shares.endowments(REGISTER.claim("LG-2.2"), ctx, settings.Setting(weighted=True))
    assert not np.isclose(weighted.tables["theil_t"].loc[2008, "land_pc"], table.loc[2008, "land_pc"])


# --- WU-1.9 ---------------------------------------------------------------------------------------------------


def test_forerunners_by_hand(random_context):
    ctx = random_context(seed=4)
    table = judged("WU-1.9", ctx).tables["standing"]
    last, first = (ctx.panel["software_revenue"].xs(y, level="year").dropna() for y in (2024, 2014))
    gdp = ctx.panel["gdp"].xs(2024, level="year").reindex(last.index)
    lq = (last / last.sum()) / (gdp / gdp.sum())
    growth = np.log(last / first)
    for p in ("Sichuan", "Chongqing", "Guizhou", "Jiangxi"):
        cell = table.loc[("software_revenue", p)]
        assert cell["quotient"] == pytest.approx(lq[p])
        assert cell["rank"] == last.rank(ascending=False)[p]
        assert cell["above_median"] == (growth[p] > growth.median())
    people = ctx.panel["population"].xs(2024, level="year")
    users = ctx.panel["broadband_pc"].xs(2024, level="year")
    nation = (users * people).sum() / people.sum()
    assert table.loc[("broadband_pc", "Guizhou"), "quotient"] == pytest.approx(users["Guizhou"] / nation)


def leaders(high, grew, others=0.0):
    """broadband_pc high and growing in some provinces; nothing else to lead in."""

    def make(frame):
        p, y = (frame.index.get_level_values(k) for k in ("province", "year"))
        level = 1.0 + 9.0 * p.isin(high)
        return pd.Series(level * np.exp(0.05 * (y - 2014) * (1 + 2 * p.isin(grew) + others)), frame.index)

    return make


NAMED = ("Sichuan", "Chongqing", "Guizhou", "Jiangxi")
LOW = by_province(lambda p: 0.01 if p in NAMED else 1.0)


@pytest.mark.parametrize(
    ("high", "grew", "word"),
    [
        (NAMED, NAMED, "PARTLY"),
        (NAMED[:3], NAMED, "PARTLY"),  # growth is a clause of its own
        (NAMED[:2], NAMED[:2], "CONTRADICTED"),
        (NAMED[:3], NAMED[:3], "INCONCLUSIVE"),
    ],
)
def test_forerunners(random_context, high, grew, word):
    columns = dict.fromkeys(("software_revenue", "ecommerce_pc", "mobile_traffic_pc"), LOW)
    flat = by_province(lambda p: 1.0)
    ctx = random_context(**columns, broadband_pc=leaders(high, grew), gdp=flat, population=flat)
    assert judged("WU-1.9", ctx).verdict == word


# --- WU-1.11 and WU-1.10 --------------------------------------------------------------------------------------


def test_separation_by_hand(random_context):
    ctx = random_context(seed=2)
    verdict = judged("WU-1.11", ctx)
    parts = settings.build_index(ctx, "digital_index_broad", "entropy")
    mean = ctx.panel["digital_index_broad"].loc[(slice(None), slice(2014, 2024))].groupby("province").mean()
    cut = max(range(1, 31), key=lambda k: _between(np.sort(mean.to_numpy()), k))
    upper = mean > np.sort(mean.to_numpy())[cut - 1]
    contribution = parts.contributions.groupby("province").mean()
    gap = contribution[upper].mean() - contribution[~upper].mean()
    assert verdict.tables["separation"]["share_pct"].to_dict() == pytest.approx((100 * gap / gap.sum()).to_dict())
    named = list(REGISTER.claim("WU-1.11").regressors)
    assert verdict.evidence[0].estimate == pytest.approx(100 * gap[named].sum() / gap.sum())
    assert "75 percent" in verdict.notes[0]


def _between(x, k):
    low, high = x[:k], x[k:]
    return len(low) * (low.mean() - x.mean()) ** 2 + len(high) * (high.mean() - x.mean()) ** 2


def index_of(members, seed=0):
    """Digital indices with two clear classes."""
    return by_province(lambda p: 1.0 if p in members else 0.2, 0.05, seed)


DIGITAL = ("digital_index", "digital_index_broad", "digital_index_net", "digital_index_use", "cable_pc")
PARTS = ("broadband_pc", "mobile_phone_penetration")
STATED = {*BLOCKS["East"], *BLOCKS["Central"], "Chongqing", "Sichuan"}


def classes(random_context, members):
    return random_context(**{n: index_of(members, k) for k, n in enumerate((*DIGITAL, *PARTS))})


def test_stated_classes_are_supported(random_context):
    verdict = judged("WU-1.10", classes(random_context, STATED))
    assert verdict.label == "SUPPORTED"
    assert row(verdict, "western provinces").estimate == 2
    listed = {v.variant: v for v in verdict.variants}
    assert set(listed) == set(REGISTER.claim("WU-1.10").variants)
    assert not listed["club_sens"].ran
    assert [v.specification for v in verdict.variants if v.variant == "alt_digital"] == [
        "cable_pc for digital_index", "digital_index_net for digital_index",
    ]  # fmt: skip


def test_other_classes_are_contradicted(random_context):
    east_only = {*BLOCKS["East"]}
    verdict = judged("WU-1.10", classes(random_context, east_only))
    assert verdict.verdict == "CONTRADICTED"
    assert "Central low" in verdict.reason
    assert verdict.tables["classes"]["upper_class"].sum() == 10


def test_a_variant_that_differs_alone_leaves_support(random_context):
    members = dict.fromkeys((*DIGITAL, *PARTS), STATED) | {"digital_index_use": set(BLOCKS["West"])}
    ctx = random_context(**{n: index_of(m, k) for k, (n, m) in enumerate(members.items())})
    verdict = judged("WU-1.10", ctx)
    assert verdict.verdict == "SUPPORTED"
    assert verdict.multiverse[0].same_share < 1


# --- WU-1.1 ---------------------------------------------------------------------------------------------------


def test_partitions(random_context):
    four = REGISTER.claim("WU-1.1").outcome
    # blocks differ, and so do North and South, and the two digital classes
    level = by_province(lambda p: (8.0 if p in BLOCKS["East"] else 1.0) * (4.0 if p in SOUTH else 1.0), 0.05)
    columns = {**dict.fromkeys(four, level), **{n: index_of({*BLOCKS["East"]}, k) for k, n in enumerate(DIGITAL)}}
    verdict = judged("WU-1.1", random_context(**columns))
    assert verdict.label == "SUPPORTED"
    assert verdict.holm is not None
    assert len(verdict.evidence) == 12
    table = verdict.tables["partitions"]
    peer = nq.divergence.theil(
        random_context(**columns).panel["rd_intensity"].xs(2024, level="year"), groups="north_south"
    ).table["between_pct"]
    assert table.loc["rd_intensity", "north_south"] == pytest.approx(peer.iloc[0])
    assert table.loc["rd_fte_pc", "year"] == 2023


def test_partitions_without_any_difference(random_context):
    four = REGISTER.claim("WU-1.1").outcome
    ctx = random_context(**{n: by_province(lambda p: 1.0, 0.2, k) for k, n in enumerate(four)})
    assert judged("WU-1.1", ctx).verdict == "CONTRADICTED"
    found = engine.baseline(groups.PARTITIONS, REGISTER.claim("WU-1.1"), ctx)
    assert found.p == sorted(f.p for f in found.numbers)[2]


# --- WU-2.7 ---------------------------------------------------------------------------------------------------


def mismatch_context(random_context, apart=True):
    east = by_province(lambda p: 8.0 if p in BLOCKS["East"] else 1.0)
    west = by_province(lambda p: 8.0 if p in BLOCKS["West"] else 1.0)
    flat = by_province(lambda p: 1.0)
    resource = west if apart else east
    return random_context(
        mobile_internet_users=east, software_revenue=east, nonfossil_generation=resource, generation_hydro=resource,
        land_area=resource, gdp=flat, population=flat,
    )  # fmt: skip


@pytest.mark.parametrize(("apart", "word"), [(True, "SUPPORTED (proxy)"), (False, "CONTRADICTED (proxy)")])
def test_mismatch(random_context, apart, word):
    verdict = judged("WU-2.7", mismatch_context(random_context, apart))
    assert verdict.label == word
    shown = [e for e in verdict.evidence if not e.counted]
    assert len(shown) == 2 and all("land" in e.what for e in shown)
    assert sum(v.variant == "alt_resource" for v in verdict.variants) == 2


def test_mismatch_by_hand(random_context):
    ctx = random_context(seed=6)
    verdict = judged("WU-2.7", ctx)
    cross = ctx.panel.xs(2024, level="year")
    d = cross["software_revenue"].dropna()
    r = cross["nonfossil_generation"].reindex(d.index)
    hoover = 0.5 * np.abs(d / d.sum() - r / r.sum()).sum()
    assert row(verdict, "Hoover distance of software_revenue and the resource").estimate == pytest.approx(hoover)
    g, p = (cross[v].reindex(d.index) for v in ("gdp", "population"))
    excess = row(verdict, "its excess over the distance of GDP and population, software_revenue")
    assert excess.estimate == pytest.approx(hoover - 0.5 * np.abs(g / g.sum() - p / p.sum()).sum())
    assert verdict.tables["shares"].loc["software_revenue"]["software_revenue"].sum() == pytest.approx(100)
    centre = nq.divergence.gravity_center(d).table["lon"].iloc[0]
    other = nq.divergence.gravity_center(r).table["lon"].iloc[0]
    assert row(verdict, "centre of software_revenue").estimate == pytest.approx(centre - other)


def test_bootstrap_draws_repeat_provinces():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(size=(2, 8))
    counts = rng.multinomial(8, np.full(8, 1 / 8), size=5)
    for c, value in zip(counts, mismatch.hoover_draws(a, b, counts.astype(float)), strict=True):
        drawn = np.repeat(np.arange(8), c)
        x, y = a[drawn], b[drawn]
        assert value == pytest.approx(0.5 * np.abs(x / x.sum() - y / y.sum()).sum())


# --- WU-P4 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("high", "word"), [(3, "PARTLY"), (2, "INCONCLUSIVE"), (1, "CONTRADICTED")])
def test_quotients(random_context, high, word):
    names = REGISTER.claim("WU-P4").outcome
    central = {
        n: by_province(lambda p, up=k < high: (2.0 if up else 0.5) if p in BLOCKS["Central"] else 1.0)
        for k, n in enumerate(names)
    }
    verdict = judged("WU-P4", random_context(**central, gdp=by_province(lambda p: 1.0)))
    assert verdict.verdict == word
    assert verdict.sample["year"] == {"generation_total": 2024, "hitech_mfg_revenue": 2023, "freight_traffic": 2019}
    share = (6 * (2.0 if high else 0.5)) / (6 * (2.0 if high else 0.5) + 25)
    assert verdict.evidence[0].estimate == pytest.approx(share / (6 / 31))


# --- WU-4.9 and WU-4.10 ---------------------------------------------------------------------------------------


def test_net_flows_by_hand():
    flows = nq.load_flows("5yr_2015", expanded=True)
    east = pd.Series({p: p in BLOCKS["East"] for p in flows.index})
    inside = [p for p in flows.index if east[p]]
    outside = [p for p in flows.index if not east[p]]
    by_hand = sum(flows.at[o, i] - flows.at[i, o] for o in outside for i in inside)
    assert people.net_flow(flows, east) == pytest.approx(by_hand)
    # what one group gains the rest loses, and flows inside a group cancel
    assert people.net_flow(flows, ~east) == pytest.approx(-by_hand)
    assert people.net_flow(flows.drop(index="Tibet", columns="Tibet"), east.drop("Tibet")) != by_hand


def fake_flows(monkeypatch, east=10.0, south=10.0, odd=None):
    """Flows of one person a pair, plus what the East and the South gain (the latter from the North's West)."""
    names = list(BLOCK.index)

    def load(name, expanded=False):
        gain = odd if odd is not None and name == "5yr_2005" else east
        table = pd.DataFrame(1.0, names, names)
        table.loc["Shaanxi", "Hebei"] += gain
        table.loc["Shaanxi", "Hunan"] += south
        return table

    monkeypatch.setattr(nq, "load_flows", load)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({}, "SUPPORTED"),
        ({"odd": -10.0}, "PARTLY"),  # the experimental interval cannot contradict
        ({"east": -10.0}, "CONTRADICTED"),
        ({"east": -10.0, "south": -20.0}, "CONTRADICTED"),
        ({"odd": 0.0}, "PARTLY"),
    ],
)
def test_words_on_net_flows(monkeypatch, random_context, options, word):
    fake_flows(monkeypatch, **options)
    verdict = judged("WU-4.9", random_context())
    assert verdict.verdict == word
    assert len(verdict.evidence) == 10
    assert verdict.sample["experimental"] == "5yr_2005"


def test_hypotheses_are_read():
    assert people.intervals(REGISTER.claim("WU-4.9").hypothesis) == (
        "5yr_2000",
        "5yr_2005",
        "5yr_2010",
        "5yr_2015",
        "5yr_2020",
    )
    assert people.decades(REGISTER.claim("WU-4.10").hypothesis) == ((2000, 2010), (2010, 2020))
    for function in (people.intervals, people.decades):
        with pytest.raises(DataSourceError, match="hypothesis"):
            function("nothing")


def shares_over_time(east, south):
    """Population shares whose East and South gain so much in the two decades."""

    def make(frame):
        p, y = (frame.index.get_level_values(k) for k in ("province", "year"))
        decade = np.clip((y - 2000) / 10, 0, 2)

        def path(gain):
            return gain[0] * np.minimum(decade, 1) + gain[1] * np.maximum(decade - 1, 0)

        gains = path(east) * (p == "Hebei") + path(south) * (p == "Hunan")
        return pd.Series(30.0 + gains - (path(east) + path(south)) * (p == "Xinjiang"), frame.index)

    return make


@pytest.mark.parametrize(
    ("east", "south", "word"),
    [((1, 3), (1, 3), "PARTLY"), ((3, 1), (1, 3), "PARTLY"), ((3, 1), (3, 1), "CONTRADICTED")],
)
def test_words_on_gains(random_context, east, south, word):
    verdict = judged("WU-4.10", random_context(pop_share=shares_over_time(east, south)))
    assert verdict.verdict == word


def test_gains_by_hand(random_context):
    ctx = random_context(seed=8)
    verdict = judged("WU-4.10", ctx)
    share = ctx.panel["pop_share"].unstack("year")[[2000, 2010, 2020]]
    east = 100 * share.loc[BLOCKS["East"]].sum() / share.sum()
    assert row(verdict, "gain of East in the second decade").estimate == pytest.approx(east[2020] - east[2010])
    assert row(verdict, "gain of East, second").estimate == pytest.approx(east[2020] - 2 * east[2010] + east[2000])
