"""Claims under R-LEVEL in constructed worlds: East and South ahead, behind, or neither."""

import numpy as np
import pytest

import nqpf_spatial as nq
from nqpf_spatial.claims import load
from nqpf_spatial.claims.evaluate import levels
from nqpf_spatial.claims.evaluate.criteria import NO_SIGN, assess
from nqpf_spatial.claims.evaluate.settings import Setting
from nqpf_spatial.claims.evaluate.view import View
from nqpf_spatial.claims.rules import holm
from nqpf_spatial.claims.rules.clauses import raw
from nqpf_spatial.claims.rules.criterion import decide

REGISTER = load()
EAST_AHEAD, EAST_BEHIND = 1.0, -1.0


def criterion(claim, ctx, setting=None):
    return levels.READINGS[claim].options["build"](View(REGISTER.claim(claim), ctx, setting or Setting()))


def word(found):
    return "support" if found.support else "contradict" if found.contradict else "neither"


def outcome(claim, ctx, setting=None):
    return decide(criterion(claim, ctx, setting), raw)


def year_of(panel):
    return panel.index.get_level_values("year").to_numpy()


def block_of(panel):
    return np.array([nq.provinces.group_of(p) for p in panel.index.get_level_values("province")])


def raised(names, block, factor, last_only=False):
    """Multiply variables in one block (in their last year only)."""

    def edit(panel):
        for name in names:
            rows = block_of(panel) == block
            if last_only:
                rows &= year_of(panel) == panel[name].dropna().index.get_level_values("year").max()
            panel.loc[rows, name] *= factor
        return panel

    return edit


@pytest.mark.parametrize(
    ("claim", "ahead", "behind"),
    [
        ("WU-1.2", "support", "contradict"),
        ("WU-2.4", "support", "contradict"),
        ("WU-2.6", "contradict", "support"),
        ("WU-3.1", "support", "contradict"),
        ("WU-3.2", "support", "contradict"),
        ("WU-3.4", "contradict", "support"),
        ("WU-3.7", "support", "contradict"),
        ("WU-3.8", "support", "contradict"),
        ("WU-4.4", "support", "contradict"),
        ("WU-4.5", "support", "contradict"),
        ("WU-4.8", "support", "contradict"),
    ],
)
def test_ahead_and_behind(world, claim, ahead, behind):
    assert word(outcome(claim, world(0.0, sign=EAST_AHEAD))) == ahead
    assert word(outcome(claim, world(0.0, sign=EAST_BEHIND))) == behind


def test_not_first_on_growth_alone_does_not_contradict_wu_1_2(world):
    ctx = world(0.0, edit=raised(["gdp_pc_growth"], "Northeast", 50.0))
    found = outcome("WU-1.2", ctx)
    assert word(found) == "neither" and found.clause  # PARTLY: first on R&D intensity
    assert word(outcome("WU-1.2", world(0.0, edit=raised(["rd_intensity"], "Northeast", 50.0)))) == "contradict"


def test_the_sign_of_every_year_bars_support_and_not_more(world):
    def once(panel):
        rows = (year_of(panel) == 2015) & (block_of(panel) == "East")
        panel.loc[rows, ["rd_intensity", "gdp_pc_growth"]] /= 50.0
        return panel

    found = outcome("WU-1.2", world(0.0, edit=once))
    assert word(found) == "neither" and "not the same sign in every year" in found.reason


def test_one_side_of_wu_2_6_is_enough_against_it(world):
    west = ["nonfossil_generation_pc", "nonfossil_share"]
    assert word(outcome("WU-2.6", world(0.0, edit=raised(west, "West", 50.0)))) == "contradict"  # land is not
    assert word(outcome("WU-2.6", world(0.0, edit=raised([*west, "land_pc"], "West", 50.0)))) == "support"
    one = world(0.0, edit=raised([west[0], "land_pc"], "West", 50.0))
    assert word(outcome("WU-2.6", one)) == "neither"  # one of two power series: neither above nor at or below


def test_wu_3_2_asks_for_significance_against_it(world):
    """South slightly behind: reversed, not significant, so neither."""

    def edit(panel):
        south = panel.index.get_level_values("province").isin(list(nq.provinces.groups("north_south")["South"]))
        for name in ("private_asset_share", "transport_density"):
            noise = np.sin(np.arange(len(panel)) * 12.9898)
            panel[name] = (2.0 + noise - 0.01 * south).astype(float)
            panel.loc[block_of(panel) == "East", name] += 5.0
        return panel

    found = outcome("WU-3.2", world(0.0, edit=edit))
    assert not found.contradict


def test_wu_3_8_is_contradicted_by_growth_and_not_by_trade(world):
    assert word(outcome("WU-3.8", world(0.0, edit=raised(["gdp_pc_growth"], "West", 50.0)))) == "contradict"
    assert word(outcome("WU-3.8", world(0.0, edit=raised(["ln_trade_ratio"], "West", 50.0)))) == "neither"


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (["ports_pc"], "neither"),
        (["mobile_traffic_pc"], "neither"),
        (["mobile_traffic_pc", "ecommerce_pc"], "neither"),
        (["ports_pc", "disposable_income_pc"], "contradict"),
        (["ports_pc", "mobile_traffic_pc"], "neither"),
        (["ports_pc", "mobile_traffic_pc", "ecommerce_pc"], "contradict"),
    ],
)
def test_three_divides(world, series, expected):
    """Gaps that are taken away: two of three must stay, and use stays with one of its two series."""
    assert word(outcome("WU-4.4", world(0.0, edit=raised(series, "West", 50.0)))) == expected


@pytest.mark.parametrize(("lost", "expected"), [(2, "support"), (3, "contradict")])
def test_three_of_five_series(world, lost, expected):
    names = list(REGISTER.claim("WU-4.5").outcome)[:lost]
    assert word(outcome("WU-4.5", world(0.0, edit=raised(names, "Central", 50.0)))) == expected


def test_wu_4_5_with_an_index_in_the_place_of_the_five(world):
    swap = tuple((v, "digital_index_net") for v in REGISTER.claim("WU-4.5").outcome)
    found = criterion("WU-4.5", world(0.0), Setting("index", swap=swap))
    assert len(found.keys()) == 2  # against Central and against West, once each
    assert decide(found, raw).support


def growth_world(panel, slope, block_effect):
    """Growth = slope * broadband + effect of the East + noise; broadband is higher in the East."""
    rng = np.random.default_rng(11)
    east = (block_of(panel) == "East").astype(float)
    x = 2.0 * east + 0.3 * rng.standard_normal(len(panel))
    kept = panel["ln_broadband_pc"].notna()
    panel["ln_broadband_pc"] = np.where(kept, x, np.nan)
    for name in ("gdp_growth", "gdp_pc_growth"):
        own = panel[name].notna()
        panel[name] = np.where(
            own, 5 + slope * x + block_effect * east + 0.01 * rng.standard_normal(len(panel)), np.nan
        )
    return panel


@pytest.mark.parametrize(
    ("slope", "effect", "part", "expected"),
    [(1.0, 0.0, 1.0, "support"), (0.5, 1.0, 0.5, "support"), (0.1, 1.8, 0.1, "neither"), (0.0, 2.0, 0.0, "neither")],
)
def test_part_of_the_gap_that_broadband_explains(world, slope, effect, part, expected):
    ctx = world(0.0, edit=lambda p: growth_world(p, slope, effect))
    view = View(REGISTER.claim("WU-4.8"), ctx, Setting())
    gap, found = levels.explained(view, "gdp_growth")
    assert gap == pytest.approx(2.0, abs=0.05) and found == pytest.approx(part, abs=0.02)
    assert word(outcome("WU-4.8", ctx)) == expected


def test_no_part_is_explained_of_a_gap_that_is_not_there(world):
    ctx = world(0.0, edit=lambda p: growth_world(p, 0.0, -1.0))
    gap, part = levels.explained(View(REGISTER.claim("WU-4.8"), ctx, Setting()), "gdp_growth")
    assert gap < 0 and np.isnan(part)
    found = assess_with_bound("WU-4.8", ctx)
    (row,) = [e for e in found.evidence if "explained" in e.what and "gdp_growth" in e.what]
    assert row.estimate is None  # no number in the record where there is none
    assert "nan" not in found.alternatives[0].outcome.reason


def test_the_contradiction_of_wu_4_8_is_about_the_mean_of_the_window(world):
    def late(panel):
        rows = (block_of(panel) == "West") & (year_of(panel) == 2024)
        panel.loc[rows, ["gdp_growth", "gdp_pc_growth"]] *= 5.0
        return panel

    found = outcome("WU-4.8", world(0.0, edit=late))
    assert word(found) == "neither"  # West ahead in one year: the sign of every year fails, the mean does not


def assess_with_bound(claim, ctx):
    for member in holm.members(REGISTER, REGISTER.claim(claim).family):
        ctx.p_values.setdefault(member, None)
    return assess(REGISTER.claim(claim), ctx, levels.READINGS[claim].options)


def test_assessment(world):
    ctx = world(0.0)
    found = assess_with_bound("WU-3.4", ctx)
    (alternative,) = found.alternatives
    assert alternative.outcome.contradict and alternative.multiverse.direction == "contradict"
    by_variant = {v.variant: v for v in found.variants}
    assert by_variant["alt_market"].stated_sign  # the turned direction: the South has more private firms here
    assert not by_variant["no_tibet"].stated_sign and by_variant["no_tibet"].significant
    (main,) = [e for e in found.evidence if e.counted]
    assert main.reading == "contradict" and main.p > 0.9 and main.se > 0 and main.mde > main.se
    assert {e.what.partition(" in ")[2].partition(",")[0] for e in found.evidence if not e.counted} == {
        "gov_share",
        "private_asset_share",
    }
    assert list(found.tables["differences"].index) == list(range(2013, 2020))


def test_provinces_without_the_series_are_in_no_mean(world):
    found = assess_with_bound("WU-2.4", world(0.0))
    assert found.sample == {"construction_density": "2008-2008, 30 provinces"}
    (row,) = found.evidence
    assert row.checks["provinces_above"] == 10 and row.checks["provinces_below"] == 20


def test_criteria_without_a_sign_say_so(world):
    assert NO_SIGN in assess_with_bound("WU-4.4", world(0.0)).notes
    assert NO_SIGN not in assess_with_bound("WU-1.2", world(0.0)).notes


@pytest.mark.parametrize("claim", list(levels.READINGS))
def test_p_values(world, claim):
    reading = levels.READINGS[claim]
    p = reading.p_value(REGISTER.claim(claim), world(0.0), reading.options)
    assert 0.0 < p <= 1.0
    rows = [e for e in assess_with_bound(claim, world(0.0)).evidence if e.counted and e.p is not None]
    if claim not in ("WU-2.6", "WU-3.4", "WU-3.7"):
        assert p == pytest.approx(max(e.p for e in rows)) or claim == "WU-4.5"
