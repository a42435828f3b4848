"""What every variant changes in a claim about trends or levels, and what cannot run."""

import pytest

from nqpf_spatial.claims import READINGS, load
from nqpf_spatial.claims.context import NotInRelease
from nqpf_spatial.claims.evaluate import frozen, levels, trends
from nqpf_spatial.claims.evaluate.settings import HEAVY, VARIANTS, Setting, expand
from nqpf_spatial.claims.evaluate.view import View
from nqpf_spatial.errors import DataSourceError

REGISTER = load()
OURS = {**trends.READINGS, **levels.READINGS, **frozen.READINGS}


def settings(world, claim, variant, fast=False):
    ctx = world(0.0, fast=fast)
    return expand(variant, REGISTER.claim(claim), ctx, READINGS[claim].options)


def view(world, claim, setting=None):
    return View(REGISTER.claim(claim), world(0.0), setting or Setting())


def test_every_variant_of_our_claims_is_written():
    asked = {v for c in OURS for v in REGISTER.claim(c).variants}
    assert asked <= set(VARIANTS) and set(VARIANTS) >= HEAVY
    assert set(VARIANTS) <= set(REGISTER.variants)


@pytest.mark.parametrize(
    ("claim", "variant", "swaps"),
    [
        ("WU-0.6", "alt_innovation", [{"rd_intensity": "patents_inv_pc"}, {"rd_intensity": "rd_fte_pc"}]),
        ("WU-0.2", "alt_tfp", [{"gdp_real_pc": "tfp_est (level)"}]),
        ("WU-1.2", "alt_tfp", [{"gdp_pc_growth": "tfp_growth_est"}]),
        ("WU-1.2", "alt_solow", [{"gdp_pc_growth": "tfp_solow_growth"}]),
        ("WU-4.8", "alt_tfp", [{"gdp_pc_growth": "tfp_growth_est"}]),
        ("WU-3.4", "alt_market", [{"soe_asset_share": "private_corporate_share"}]),
        ("WU-3.2", "alt_market", [{"private_asset_share": "private_corporate_share"}]),
        ("WU-P6", "alt_industry", [{"hitech_mfg_revenue": "va_industry"}]),
        ("WU-N1", "nine_sectors", [{"krugman3": "krugman9"}]),
        ("LG-3.5", "index_broad", [{"broadband_pc": "digital_index_broad"}]),
        ("WU-0.3", "index_equal", [{"gdp_real_pc": "nqpf_index (equal)"}]),
        ("WU-4.2", "index_pca", [{"hd_index_gdp": "hd_index_gdp (pca)"}]),
        (
            "WU-4.8",
            "firstpub_growth",
            [
                {
                    "gdp_growth": "gdp_growth (first published)",
                    "gdp_pc_growth": "gdp_pc_growth (first published)",
                }
            ],
        ),
        (
            "WU-4.2",
            "alt_schooling",
            [
                {
                    "schooling_years": "college_share",
                    "hd_index_gdp": "hd_index_gdp (college_share for schooling_years)",
                },
                {"schooling_years": "mean_years_schooling"},
            ],
        ),
        ("WU-4.11", "alt_schooling", [{"schooling_rel": "college_share"}, {"schooling_rel": "mean_years_schooling"}]),
    ],
)
def test_swaps(world, claim, variant, swaps):
    assert [dict(s.swap) for s in settings(world, claim, variant)] == swaps


def test_the_index_of_wu_4_5_takes_the_place_of_all_series(world):
    (setting,) = settings(world, "WU-4.5", "index_broad")
    claim = REGISTER.claim("WU-4.5")
    assert set(dict(setting.swap)) == set(claim.outcome)
    windows = {view(world, "WU-4.5", setting).window(v) for v in claim.outcome}
    assert windows == {tuple(range(2014, 2025))}
    assert len(settings(world, "WU-4.5", "index_drop_one")) == 3
    assert len(settings(world, "WU-4.5", "index_candidates")) == 2


def test_only_the_counterpart_turns_the_direction(world):
    assert settings(world, "WU-3.4", "alt_market")[0].reverse == ("soe_asset_share",)
    assert settings(world, "WU-3.2", "alt_market")[0].reverse == ()
    turned = view(world, "WU-3.4", settings(world, "WU-3.4", "alt_market")[0])
    d = turned.difference("soe_asset_share", ("North",), ("South",), "north_south")
    assert d.name == "South above North in private_corporate_share"
    with pytest.raises(NotInRelease, match="cannot be turned"):
        turned.difference("soe_asset_share", ("North",))


@pytest.mark.parametrize(
    ("claim", "variant", "why"),
    [
        ("WU-0.4", "alt_innovation", "no rd_intensity to replace"),
        ("WU-0.5", "alt_digital", "no ln_broadband_pc or broadband_pc"),
        ("WU-0.4", "alt_schooling", "no schooling_years or schooling_rel"),
        ("WU-0.4", "alt_market", "no private_asset_share or soe_asset_share"),
        ("WU-0.4", "firstpub_growth", "no gdp_growth or gdp_pc_growth"),
        ("WU-0.4", "index_equal", "no index"),
        ("WU-0.4", "index_broad", "no variable an index stands for"),
        ("WU-0.4", "hub_narrow", "not written for R-TREND"),
    ],
)
def test_what_has_no_meaning_says_why(world, claim, variant, why):
    with pytest.raises(NotInRelease, match=why):
        settings(world, claim, variant)


def test_parameters_of_the_sensitivities_come_from_the_register(world):
    assert [s.er_alpha for s in settings(world, "WU-0.2", "er_alpha")] == [1.0, 1.6]
    clubs = settings(world, "WU-P7", "club_sens")
    assert [(s.hp_lambda, s.r) for s in clubs] == [(6.25, None), (None, 0.3333)]
    digital = REGISTER.threshold("R-MECH", "baseline")["alternatives"]["digital"]
    assert [dict(s.swap)["ln_broadband_pc"] for s in settings(world, "WU-4.8", "alt_digital")] == list(digital)


def test_a_fast_run_leaves_the_heavy_ones_out(world):
    for variant in ("index_drop_one", "club_sens"):
        with pytest.raises(NotInRelease, match="left out by the fast run"):
            settings(world, "WU-0.3", variant, fast=True)
    assert settings(world, "WU-0.3", "no_tibet", fast=True)


def test_windows(world):
    assert view(world, "LG-3.5").window("hitech_mfg_revenue") == (*range(2013, 2017), *range(2018, 2024))
    assert view(world, "WU-0.6").window("new_product_ratio") == (2013, *range(2015, 2025))
    assert view(world, "WU-0.6", Setting(start=2012)).window("new_product_ratio") == (2012, 2013, *range(2015, 2025))
    assert view(world, "WU-0.6", Setting(start=2012)).window("disposable_income_pc") == tuple(range(2013, 2025))
    assert view(world, "WU-0.6", Setting(start=2012)).window("doctors_per_1000") == tuple(range(2012, 2020))
    assert view(world, "WU-0.3", Setting(start=2000)).window("gdp_real_pc") == tuple(range(2000, 2025))
    assert view(world, "WU-0.3", Setting(end=2019)).window("gdp_real_pc") == tuple(range(2013, 2020))
    swapped = Setting(swap=(("gdp_real_pc", "tfp_est (level)"),))
    assert view(world, "WU-0.3", swapped).window("gdp_real_pc") == tuple(range(2013, 2023))
    with pytest.raises(NotInRelease, match="exists in no year of 2030-2024"):
        view(world, "WU-0.3", Setting(start=2030)).window("gdp_real_pc")


def test_provinces_without_a_series_are_those_the_register_counts(world):
    assert view(world, "WU-M11").absent("rd_per_kwh") == ("Ningxia", "Xinjiang")
    assert view(world, "WU-2.4").absent("construction_density") == ("Xinjiang",)
    assert view(world, "WU-0.3").absent("gdp_real_pc") == ()

    def without_hunan(panel):
        panel.loc[("Hunan", 2020), "rd_per_kwh"] = float("nan")
        return panel

    with pytest.raises(DataSourceError, match="states 29 provinces for rd_per_kwh; 28"):
        View(REGISTER.claim("WU-M11"), world(0.0, edit=without_hunan), Setting()).absent("rd_per_kwh")
