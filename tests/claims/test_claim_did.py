"""R-DID from end to end on constructed panels: the design, its numbers against a regression, every word."""

from functools import cached_property
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from conftest import random_panel

import nqpf_spatial as nq
from nqpf_spatial import claims
from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate import did, did_design
from nqpf_spatial.claims.runner import decide
from nqpf_spatial.errors import DataSourceError

REGISTER = claims.load()
BOTH, NO_GAIN, EVEN = (REGISTER.claim(c) for c in ("LG-2.3c", "WU-2.8", "WU-P10"))
HUBS = set(nq.provinces.groups("hub")["hub"])
BLOCKS = nq.provinces.groups("block")
WEST = tuple(p for p in BLOCKS["West"] if p in HUBS)
EAST = tuple(p for p in BLOCKS["East"] if p in HUBS)
WINDOW = did_design.window_of(BOTH)
DRAWS = 999
REVENUE = ("ln_software_pc", "ln_it_service_pc")


@pytest.fixture(autouse=True, scope="module")
def few_permutations():
    """Fewer arrangements than the register's: the words here do not hang on them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(did, "permutations", lambda ctx: DRAWS)
        yield


def steps(west=0.0, east=0.0, drift=0.0, seed=5):
    """Revenue per resident: province level, common years, a step of the hubs from 2022 on, a drift of the western ones."""

    def column(frame):
        rng = np.random.default_rng(seed)
        province = frame.index.get_level_values("province")
        year = frame.index.get_level_values("year").to_numpy()
        level = province.map(dict(zip(province.unique(), rng.normal(0, 1, 31), strict=True))).to_numpy(dtype=float)
        after, inside = year >= 2022, province.isin(WEST)
        jump = west * (inside & after) + east * (province.isin(EAST) & after)
        return pd.Series(
            level + 0.1 * (year - 2016) + jump + drift * (year - 2021) * inside + rng.normal(0, 0.05, len(frame)),
            frame.index,
        )

    return dict.fromkeys(REVENUE, column)


def test_the_design_is_read_from_the_register():
    assert did_design.Window(tuple(range(2016, 2022)), 2022, (2023, 2024)) == WINDOW
    assert did_design.stated_groups(BOTH) == {"West hubs": "West", "East hubs": "East"}
    assert did_design.stated_groups(NO_GAIN) == {"West hubs": "West"}
    wrong = SimpleNamespace(id="X", parameters={"treated_west": "block West and compute_hub 1 (5 provinces)"})
    with pytest.raises(DataSourceError, match="states 5 hub provinces in West, there are 6"):
        did_design.stated_groups(wrong)
    with pytest.raises(DataSourceError, match="is not 'block"):
        did_design.stated_groups(SimpleNamespace(id="X", parameters={"treated_west": "the hubs"}))


def groups(**options):
    return did_design.groups_of(
        did_design.stated_groups(BOTH), **{"narrow": False, "same_block": False, "drop": (), **options}
    )


def test_who_is_treated_and_who_is_not():
    who = groups()
    assert who.treated == {"West hubs": WEST, "East hubs": EAST}
    assert (len(WEST), len(EAST)) == (6, 7)
    assert set(who.control["West hubs"]) == set(who.control["East hubs"])
    assert len(who.control["West hubs"]) == 17 and not HUBS & set(who.control["West hubs"])
    narrow = groups(narrow=True)
    assert set(EAST) - set(narrow.treated["East hubs"]) == {"Beijing", "Tianjin"}
    assert narrow.control == who.control  # hubs without a cluster are in neither group
    inside = groups(same_block=True)
    assert set(inside.control["East hubs"]) == {"Fujian", "Shandong", "Hainan"}
    assert "Tibet" in inside.control["West hubs"]
    dropped = groups(drop=("Inner Mongolia", "Shaanxi"))
    assert "Inner Mongolia" not in dropped.treated["West hubs"] and "Shaanxi" not in dropped.control["East hubs"]


@pytest.fixture(scope="module")
def wide(random_context):
    ctx = random_context(**steps(0.3, 0.2))
    return did_design.wide_of(ctx.panel["ln_software_pc"], WINDOW, groups())


def long_of(wide, members, label):
    part = wide.loc[list(members)]
    frame = part.stack().rename("y").reset_index()
    frame.columns = ["province", "year", "y"]
    frame["treated"] = frame["province"].isin(label).astype(float)
    return frame


def test_the_average_effect_is_the_two_way_estimate(wide):
    who = groups()
    found = did_design.study(wide, WINDOW, who, 500, 0, 0.95)
    for group, label in (("West hubs", WEST), ("East hubs", EAST)):
        control = [p for p in who.control[group] if p != "Tibet"]
        frame = long_of(wide, [*label, *control], label).query("year != 2022")
        frame["d"] = frame["treated"] * (frame["year"] > 2022)
        ols = smf.ols("y ~ d + C(province) + C(year)", frame).fit(
            cov_type="cluster", cov_kwds={"groups": frame["province"].astype("category").cat.codes}, use_t=True
        )
        assert found[group].effect.estimate == pytest.approx(ols.params["d"])
        assert found[group].se_cluster == pytest.approx(ols.bse["d"])
        assert found[group].control == tuple(control)


def test_the_event_study_is_one_regression_of_differences(wide):
    who = groups()
    table = did_design.event_study(wide, WINDOW, who)
    control = [p for p in who.control["West hubs"] if p in wide.index]
    for group, label in (("West hubs", WEST), ("East hubs", EAST)):
        own = wide.sub(wide[2021], axis=0)
        by_hand = own.loc[list(label)].mean() - own.loc[control].mean()
        assert table.loc[group, "estimate"].to_dict() == pytest.approx(by_hand.drop(2021).to_dict())
    apart = did_design.event_study(wide, WINDOW, groups(same_block=True))
    assert not np.allclose(apart.loc["West hubs", "estimate"], table.loc["West hubs", "estimate"])
    found = did_design.study(wide, WINDOW, who, 200, 0, 0.9)["West hubs"]
    assert found.pretrend.differences == pytest.approx(table.loc["West hubs", "estimate"].loc[2016:2020].to_numpy())


def test_clustered_wald_tests_of_pretrends_reject_too_often_and_permutations_do_not():
    """Random walks without any effect: why the joint test permutes labels."""
    who = did_design.Groups({"g": tuple("abcdef")}, {"g": tuple(f"u{k}" for k in range(16))})
    names = [*who.treated["g"], *who.control["g"]]
    wald, permuted = [], []
    for r in range(120):
        walk = np.cumsum(np.random.default_rng(r).normal(size=(22, 9)), axis=1)
        wide = pd.DataFrame(walk, names, list(WINDOW.years))
        frame = long_of(wide, names, who.treated["g"])
        cells = [y for y in WINDOW.years if y != 2021]
        x = np.array([(frame["treated"] * (frame["year"] == y)).to_numpy().reshape(22, 9) for y in cells])
        fit = did_design._regression(wide.to_numpy(), x)
        wald.append(float(fit.f_test(np.eye(5, len(fit.params))).pvalue) <= 0.1)
        permuted.append(did_design.study(wide, WINDOW, who, 199, r, 0.9)["g"].pretrend.pvalue <= 0.1)
    assert np.mean(wald) > 0.2
    assert np.mean(permuted) < 0.17


def test_series_that_do_not_reach_are_named(random_context):
    ctx = random_context()
    with pytest.raises(claims.context.NotInRelease, match="no values in 2024"):
        did_design.wide_of(ctx.panel["digital_index"], WINDOW, groups())
    short = ctx.panel["ln_software_pc"].copy()
    short.loc[("Gansu", 2018)] = np.nan
    with pytest.raises(claims.context.NotInRelease, match="Gansu 2018"):
        did_design.wide_of(short, WINDOW, groups())


@pytest.mark.parametrize(
    ("effects", "word"),
    [
        ({"west": 0.5, "east": 0.5}, "PARTLY"),  # the testability of the claim caps it
        ({"west": -0.5}, "CONTRADICTED"),
        ({"west": 0.5, "drift": 0.1}, "NOT YET TESTABLE"),
        ({}, "INCONCLUSIVE"),
    ],
)
def test_words_on_a_gain_of_both(random_context, effects, word):
    verdict = decide(BOTH, random_context(**steps(**effects)))
    assert verdict.verdict == word
    assert [e.what.split(",")[0] for e in verdict.evidence] == [
        "average effect on West hubs", "average effect on East hubs",
    ]  # fmt: skip
    assert {v.variant for v in verdict.variants} == set(BOTH.variants) and all(v.ran for v in verdict.variants)
    assert all(e.mde == pytest.approx(2.8016 * e.se, rel=1e-4) for e in verdict.evidence)
    if word == "INCONCLUSIVE":
        assert "Minimum detectable effect" in verdict.reason
    if word == "NOT YET TESTABLE":
        assert "pre-trends" in verdict.reason


def test_variants_that_turn_make_it_mixed(random_context):
    columns = {**steps(0.5, 0.5), "ln_it_service_pc": steps(-0.5, -0.5)["ln_it_service_pc"]}
    verdict = decide(BOTH, random_context(**columns))
    (row,) = [v for v in verdict.variants if v.variant == "it_service"]
    assert (row.stated_sign, row.significant) == (False, True)
    assert verdict.multiverse[0].opposite_share == pytest.approx(0.2)
    assert verdict.verdict == "MIXED"


@pytest.mark.parametrize(("west", "word"), [(-0.5, "PARTLY"), (0.5, "CONTRADICTED"), (0.0, "INCONCLUSIVE")])
def test_words_on_no_gain(random_context, west, word):
    verdict = decide(NO_GAIN, random_context(**steps(west)))
    assert verdict.verdict == word
    level = NO_GAIN.parameters["ci_level"]
    assert [e.level for e in verdict.evidence] == [level, level]
    assert [e.counted for e in verdict.evidence] == [True, False]  # the eastern hubs are shown


def raise_components(size, shift=2):
    """All components of the broad index rise in western hubs; `size` below zero lowers them."""
    names = next(d["inputs"] for d in REGISTER.derived_variables if d["name"] == "digital_index_broad")

    def column(name):
        def make(frame):
            rng = np.random.default_rng(sum(map(ord, name)) + shift)
            province = frame.index.get_level_values("province")
            year = frame.index.get_level_values("year").to_numpy()
            start = 3.0 + 1.0 * ~province.isin(WEST)
            gap = size * (province.isin(WEST) & (year >= 2022)) * (1.0 + 0.2 * (year - 2022))
            return pd.Series(start + gap + rng.normal(0, 0.02, len(frame)), frame.index)

        return make

    every = (*names, "digital_index_broad", "digital_index_net")
    return {n: column(n) for n in every}


@pytest.mark.parametrize(("size", "word"), [(0.5, "SUPPORTED (proxy)"), (-0.5, "CONTRADICTED (proxy)")])
def test_words_on_an_even_digital_economy(random_context, size, word):
    verdict = decide(EVEN, random_context(**raise_components(size)))
    assert verdict.label == word
    ran = {v.specification: v.ran for v in verdict.variants}
    assert not ran["digital_index for digital_index_broad"]  # ends in 2023: one year after the treatment
    assert ran["cable_pc for digital_index_broad"]
    assert sum(v.variant == "index_drop_one" for v in verdict.variants) == 8
    slope = next(e for e in verdict.evidence if "Dagum" in e.what)
    gini = verdict.tables["dagum"]["dagum"]
    assert slope.checks["after"] == pytest.approx(nq.divergence.theil_sen(np.log(gini.loc[2022:2024])).slope)


def test_windows_of_the_variants(random_context):
    ctx = random_context()
    ((_, long),) = did._REVENUE["long_pre"](BOTH, ctx)
    assert long.window.pre == tuple(range(2012, 2022))
    ((_, broad),) = did._INDEX["long_pre"](EVEN, ctx)
    assert broad.window.pre == tuple(range(2014, 2022))
    ((_, other),) = did._REVENUE["it_service"](BOTH, ctx)
    assert other.outcome == "ln_it_service_pc"


def test_p_values_for_the_family(random_context):
    ctx = random_context(**steps(0.5, 0.0))
    both = did.READINGS["LG-2.3c"].p_value(BOTH, ctx, {})
    west = did.READINGS["WU-2.8"].p_value(NO_GAIN, ctx, {})
    assert west == pytest.approx(2 / (DRAWS + 1)) and both > west  # the larger of the two that must hold


def test_order_of_rows_plays_no_part(random_context):
    class Shuffled(Context):
        @cached_property
        def panel(self):
            frame = random_panel(0, **steps(0.2)).sample(frac=1, random_state=3)
            frame.attrs = {"release": "shuffled"}
            return frame

    a = decide(NO_GAIN, random_context(**steps(0.2))).to_dict()
    b = decide(NO_GAIN, Shuffled(seed=0)).to_dict()
    assert a["evidence"] == b["evidence"]
