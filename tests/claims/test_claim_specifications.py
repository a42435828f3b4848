"""Baselines and variants of the regressions of all claims: names, years and provinces (availability, no estimate)."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial import claims, provinces
from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate import coefficients, cross_section, gravity, mechanism, moderation, series, windows
from nqpf_spatial.claims.evaluate.specification import SYMMETRIC, Specification, data_of, matrix_of
from nqpf_spatial.claims.evaluate.variants import Untouched, expand, stated_window, swap, too_few_years, within
from nqpf_spatial.errors import DataSourceError, PanelError

REGISTER = claims.load()
MODULES = (mechanism, moderation, coefficients)
IDS = [c for m in MODULES for c in m.READINGS]


@pytest.fixture(scope="module")
def context():
    return Context()


def components_of(claim_id, context):
    claim = REGISTER.claim(claim_id)
    for module in MODULES:
        if claim_id in module.READINGS:
            options = module.READINGS[claim_id].options
            if module is mechanism:
                return mechanism.parts_of(claim, context, options)[0]
            return options["parts"](claim, context)[0]
    raise AssertionError(claim_id)


def test_every_runnable_claim_of_the_three_rules_has_a_reading():
    runnable = {
        c.id
        for c in REGISTER.claims.values()
        if c.rule in ("R-MECH", "R-MOD", "R-COEF") and c.testability in ("direct", "proxy", "partial")
    }
    # WU-M2 is read with another module
    assert runnable - {"WU-M2"} == set(IDS) - {"WU-M2"}


@pytest.mark.parametrize("claim_id", IDS)
def test_baselines_are_complete_in_every_cell(claim_id, context):
    claim = REGISTER.claim(claim_id)
    for component in components_of(claim_id, context):
        spec = component.spec
        if isinstance(spec, gravity.Gravity):
            assert not gravity.frame(context, spec).isna().any(axis=None)
        elif isinstance(spec, cross_section.CrossSection):
            assert len(cross_section.frame(context, spec)) == 31
        elif spec.outcome.startswith("krugman") or not spec.regressors:
            assert context.panel[spec.outcome].unstack("year")[list(spec.years)].notna().all(axis=None)
        else:
            rows = data_of(context, spec)
            assert not rows.isna().any(axis=None)
            assert len(rows) == len(spec.years) * (31 - len(spec.drop))
            stated = {windows.named(claim, r) for r in claim.regressors} | {*claim.regressors, *claim.outcome}
            assert {series.root(r) for r in spec.regressors} <= {series.root(r) for r in stated}


@pytest.mark.parametrize("claim_id", IDS)
def test_every_variant_is_a_run_or_has_a_reason(claim_id, context):
    for variant in REGISTER.claim(claim_id).variants:
        concerned = False
        for component in components_of(claim_id, context):
            if component.fixed:
                continue
            try:
                runs = component.expand(variant, component.spec, context)
            except Untouched:
                continue
            concerned = True
            assert runs
            for label, spec in runs:
                assert label
                if isinstance(spec, Specification) and spec.regressors and not spec.outcome.startswith("krugman"):
                    assert spec != component.spec
                    if too_few_years(spec):
                        continue
                    assert not data_of(context, spec).isna().any(axis=None), (variant, label)
                    if spec.w is not None:
                        assert matrix_of(context, spec).n == 31 - len(spec.drop)
        assert concerned or (claim_id, variant) == ("WU-1.5", "ns_tibet_north")


@pytest.mark.parametrize(
    ("claim_id", "outcome", "years", "provinces_used"),
    [
        ("WU-4.12", "ln_gdp_real_pc", range(2012, 2020), 31),
        ("WU-M3", "ln_electricity_intensity", range(2012, 2025), 29),
        ("WU-M5", "rd_fte_pc", range(2012, 2024), 31),
        ("WU-M5", "tech_purchases_ratio", range(2012, 2024), 31),
        ("WU-M18", "ln_gdp_real_pc", range(2012, 2025), 31),
        ("LG-1.1", "gdp_pc_growth", range(2012, 2025), 31),
        ("LG-1.1", "share_tertiary", range(2012, 2025), 31),
        ("WU-1.4", "hitech_ratio", [y for y in range(2013, 2024) if y != 2017], 31),
        ("WU-1.8", "gdp_pc_growth", range(2012, 2025), 31),
        ("WU-4.3", "hd_index", range(2013, 2020), 31),
        ("WU-P15", "growth_beds_per_1000", range(2012, 2024), 31),
        ("WU-P15", "growth_doctors_per_1000", range(2012, 2020), 31),
        ("LG-4.1", "ln_va_industry_pc", range(2017, 2025), 31),
        ("LG-4.1", "ln_ind_rd_pc", range(2017, 2025), 31),
        ("WU-1.6", "rd_intensity", range(2011, 2021), 15),
        ("WU-3.3", "ln_trade_ratio", range(2013, 2025), 28),
        ("WU-4.1", "schooling_years", range(2012, 2020), 31),
        ("WU-4.1", "urbanization_rate", range(2013, 2025), 31),
        ("WU-4.6", "mobile_users_pc", [y for y in range(2014, 2025) if y != 2020], 31),
        ("WU-4.7", "urban_rural_income_ratio", range(2013, 2021), 31),
        ("WU-4.7", "ln_disposable_income_pc", range(2013, 2025), 31),
        ("WU-1.12", "krugman3", range(2013, 2025), 31),
        ("WU-M9", "ln_gdp_real_pc", range(2012, 2025), 31),
        ("WU-M13", "ln_gdp_real_pc", range(2012, 2020), 31),
    ],
)  # fmt: skip
def test_windows_and_provinces(claim_id, outcome, years, provinces_used, context):
    specs = [c.spec for c in components_of(claim_id, context) if c.spec.outcome == outcome]
    spec = specs[0]
    assert spec.years == tuple(years)
    assert 31 - len(spec.drop) == provinces_used


def test_what_leaves_the_sample(context):
    assert components_of("WU-M3", context)[0].spec.drop == ("Ningxia", "Xinjiang")
    assert set(components_of("WU-3.3", context)[0].spec.drop) == {"Tianjin", "Shanghai", "Guangdong"}
    assert set(components_of("WU-1.6", context)[0].spec.drop) == set(provinces.groups("north_south")["South"])
    claim = replace(REGISTER.claim("WU-M3"), provinces={"ln_electricity_intensity": 30})
    with pytest.raises(DataSourceError, match="states 30 provinces"):
        mechanism.baseline(claim, context, "ln_broadband_pc")
    claim = replace(REGISTER.claim("WU-1.6"), parameters={"sample": "North, 14 provinces", "lag": 1})
    with pytest.raises(DataSourceError, match="states 14 provinces"):
        coefficients.northern(claim, context)


def runs(claim_id, variant, context, position=0):
    component = components_of(claim_id, context)[position]
    return component.expand(variant, component.spec, context)


def test_variants_that_reach_beyond_the_window_of_the_claim(context):
    ((_, spec),) = runs("WU-4.12", "drop_schooling", context)
    assert spec.years == stated_window(context, "drop_schooling") == tuple(range(2012, 2025))
    assert spec.focus == ("pop_growth", "")
    ((_, spec),) = runs("WU-4.3", "alt_income", context)
    assert spec.years == stated_window(context, "alt_income") == tuple(range(2013, 2025))
    assert spec.products == (("ln_broadband_pc", "at2013_ln_disposable_income_pc"),)
    with pytest.raises(DataSourceError, match="no window"):
        stated_window(context, "no_tibet")


def test_census_schooling_runs_on_its_own_dates(context):
    (_, college), (_, census) = runs("WU-4.1", "alt_schooling", context, 1)
    assert college.outcome == "college_share" and college.years == tuple(range(2012, 2020))
    assert census.outcome == "mean_years_schooling" and census.years == (2010, 2020)
    (_, _), (_, short) = runs("WU-4.12", "alt_schooling", context)
    assert too_few_years(short) == "1 years with all provinces, at least 2 are needed"
    with pytest.raises(Untouched):
        runs("WU-4.1", "alt_schooling", context, 0)


def test_productivity_converges_to_itself(context):
    ((_, spec),) = runs("WU-1.8", "alt_tfp", context)
    assert (spec.outcome, spec.regressors[0]) == ("tfp_growth_est", "lag_tfp_est")
    assert spec.focus == ("lag_tfp_est_x_ln_broadband_pc",)
    assert spec.years == tuple(range(2012, 2023))
    ((_, spec),) = runs("WU-1.8", "alt_solow", context)
    assert (spec.outcome, spec.years[-1]) == ("tfp_solow_growth", 2017)
    ((_, spec),) = runs("WU-M13", "alt_solow", context)
    assert (spec.outcome, spec.years) == ("solow_residual", tuple(range(2012, 2018)))


def test_indices_of_the_outcome_and_of_the_digital_series(context):
    assert [s.outcome for _, s in runs("WU-4.3", "index_drop_one", context)] == [
        f"hd_index_without_{c}"
        for c in ("disposable_income_pc", "schooling_years", "beds_per_1000", "doctors_per_1000")
    ]
    ((_, spec),) = runs("WU-4.3", "alt_health", context)
    assert spec.outcome == "hd_index_without_beds_per_1000"
    assert spec.products[0][1] == "at2013_hd_index_without_beds_per_1000"
    ((_, spec),) = runs("WU-1.8", "index_pca", context)
    assert spec.regressors[1] == "digital_index_pca" and spec.years == tuple(range(2012, 2024))


def test_groups_and_their_variants(context):
    panel = context.panel
    south = series.column(panel, "in_South").groupby("province").first()
    assert south.sum() == 16 and south["Tibet"] == 1
    ((_, spec),) = runs("WU-1.4", "ns_tibet_north", context)
    assert series.column(panel, "in_South", dict(spec.regroup)).groupby("province").first()["Tibet"] == 0
    ((_, spec),) = runs("WU-1.4", "ns_no_beijing", context)
    assert spec.drop == ("Beijing",)
    ((_, spec),) = runs("WU-1.6", "ns_tibet_north", context)
    assert 31 - len(spec.drop) == 16 and "Tibet" not in spec.drop
    with pytest.raises(DataSourceError, match="one scheme"):
        series.column(panel, "in_South_West")
    east = {p for p, g in zip(south.index, map(provinces.group_of, south.index), strict=True) if g == "East"}
    rest = series.column(panel, "in_Northeast_West").groupby("province").first()
    central = series.column(panel, "in_Central").groupby("province").first()
    assert set(rest.index[(rest == 0) & (central == 0)]) == east


def test_long_differences_by_hand(context):
    ((label, spec),) = runs("WU-1.8", "long_difference", context)
    assert label == "change 2012-2024" and spec.long and " | " not in spec.formula
    rows = data_of(context, spec)
    panel = context.panel
    assert rows.shape[0] == 31 and rows.index.name == "province"
    change = np.log(panel["gdp_real_pc"].xs(2024, level="year") / panel["gdp_real_pc"].xs(2012, level="year"))
    assert rows["gdp_pc_growth"].to_numpy() == pytest.approx((100 * change / 12).to_numpy())
    start = panel.xs(2012, level="year")
    assert rows["lag_ln_gdp_real_pc"].to_numpy() == pytest.approx(start["ln_gdp_real_pc"].to_numpy())
    level, digital = (start[c] - start[c].mean() for c in ("ln_gdp_real_pc", "ln_broadband_pc"))
    assert rows[spec.focus[0]].to_numpy() == pytest.approx((level * digital).to_numpy())
    ((_, spec),) = runs("LG-1.1", "long_difference", context, 2)
    assert not spec.long and spec.years == (2012, 2024)


def test_products_by_hand(context):
    spec = components_of("WU-1.8", context)[0].spec
    rows = data_of(context, spec)
    level, digital = rows["lag_ln_gdp_real_pc"], rows["ln_broadband_pc"]
    assert rows.loc[("Hubei", 2015), "lag_ln_gdp_real_pc"] == context.panel.loc[("Hubei", 2014), "ln_gdp_real_pc"]
    by_hand = (level - level.mean()) * (digital - digital.mean())
    assert rows[spec.focus[0]].to_numpy() == pytest.approx(by_hand.to_numpy())
    own = data_of(context, replace(spec, within_products=True))[spec.focus[0]]
    parts = [
        c - c.groupby("province").transform("mean") - c.groupby("year").transform("mean") + c.mean()
        for c in (level, digital)
    ]
    assert own.to_numpy() == pytest.approx((parts[0] * parts[1]).to_numpy())
    group = components_of("WU-P5", context)[0].spec
    rows = data_of(context, group)
    inside = rows.index.get_level_values("province") == "Gansu"
    digital = rows["ln_broadband_pc"] - rows["ln_broadband_pc"].mean()
    assert rows.loc[inside, group.focus[0]].to_numpy() == pytest.approx(digital[inside].to_numpy())
    assert (rows.loc[rows.index.get_level_values("province") == "Fujian", group.focus[0]] == 0).all()


def test_names_with_prefixes():
    index = pd.MultiIndex.from_product([["A", "B"], [2012, 2013, 2014]], names=["province", "year"])
    panel = pd.DataFrame({"x": [1.0, 2.0, 4.0, 3.0, 0.0, 5.0]}, index=index)
    assert series.column(panel, "lag_x").tolist()[1:3] == [1.0, 2.0]
    assert np.isnan(series.column(panel, "lag_x").iloc[3])
    assert series.column(panel, "growth_x").iloc[1] == pytest.approx(100 * np.log(2))
    assert np.isnan(series.column(panel, "ln_x").iloc[4]) and np.isnan(series.column(panel, "growth_x").iloc[4])
    assert series.column(panel, "ln1p_x").iloc[4] == 0.0
    assert series.column(panel, "at2013_x").tolist() == [2.0, 2.0, 2.0, 0.0, 0.0, 0.0]
    with pytest.raises(DataSourceError, match="no variable 'y'"):
        series.column(panel, "lag_y")


def test_swaps_follow_products_and_focus():
    spec = Specification(
        "growth_x", ("lag_ln_x", "d"), ("lag_ln_x_x_d", "d"), (2012,), None, products=(("lag_ln_x", "d"),)
    )
    out = swap(spec, "d", "e")
    assert (out.products, out.focus) == ((("lag_ln_x", "e"),), ("lag_ln_x_x_e", "e"))
    out = swap(spec, "x", "z")
    assert (out.outcome, out.regressors, out.focus[0]) == ("growth_z", ("lag_ln_z", "d"), "lag_ln_z_x_d")


def test_the_symmetric_matrix_is_shown_only(context):
    ((_, spec),) = runs("WU-M8", "w_mig_symmetric", context)
    assert spec.w == SYMMETRIC and not REGISTER.variants["w_mig_symmetric"]["counts"]
    flows = nq.load_flows("5yr_2010")
    both = (flows + flows.T).to_numpy()
    assert matrix_of(context, spec).dense() == pytest.approx(both / both.sum(axis=1, keepdims=True))


def test_a_fast_run_and_unknown_variants(context):
    spec = components_of("WU-M9", context)[0].spec
    with pytest.raises(NotInRelease, match="fast"):
        expand("alt_digital", spec, Context(fast=True))
    cross, flows = components_of("WU-0.7", context)[0].spec, components_of("WU-4.13", context)[0].spec
    for module, own in ((cross_section, cross), (gravity, flows)):
        with pytest.raises(NotInRelease, match="not written"):
            module.expand("w_others", own, context)
        with pytest.raises(DataSourceError, match="no variant 'nothing'"):
            module.expand("nothing", own, context)
    assert within(context, spec, (2012, 2013), "gov_share") == (2012, 2013)


def test_flows_and_dates_are_those_of_the_hypothesis(context):
    spec = components_of("WU-4.13", context)[0].spec
    assert spec.flows == (("5yr_2015", 2009), ("5yr_2020", 2014))
    claim = replace(REGISTER.claim("WU-4.13"), hypothesis="Flows of 5yr_2015 rise in gaps of 2011")
    with pytest.raises(DataSourceError, match="year before each interval"):
        gravity.stated(claim)
    rows = gravity.frame(context, spec)
    assert len(rows) == 2 * 31 * 30
    row = rows[
        (rows["origin"] == "Hunan") & (rows["destination"] == "Guangdong") & (rows["interval"] == "5yr_2015")
    ].iloc[0]
    assert row["flow"] == nq.load_flows("5yr_2015").loc["Hunan", "Guangdong"]
    values = context.panel["beds_per_1000"].xs(2009, level="year")
    assert row["beds_per_1000"] == pytest.approx(np.log(values["Guangdong"] / values["Hunan"]))
    weights = nq.weights.inverse_distance(transform="none").to_frame()
    assert row["ln_distance"] == pytest.approx(-np.log(weights.loc["Hunan", "Guangdong"]))


def test_cross_sections_by_hand(context):
    spec = components_of("WU-0.7", context)[0].spec
    assert [n for n, _, _ in spec.candidates] == ["pop_growth", "urbanization_rate", "gov_share", "share_secondary"]
    assert {(a, b) for _, a, b in (*spec.initial, *spec.candidates)} == {(2012, 2012)}
    (_, college), (census_label, census) = cross_section.expand("alt_schooling", spec, context)
    assert college.initial[0] == ("college_share", 2012, 2012)
    assert census.initial[0] == ("mean_years_schooling", 2010, 2010) and "2010" in census_label
    ((_, tfp),) = cross_section.expand("alt_tfp", spec, context)
    assert (tfp.outcome, tfp.years[0], tfp.years[-1]) == ("tfp_growth_est", 2013, 2022)
    invest = components_of("WU-1.5", context)[0].spec
    rows = cross_section.frame(context, invest)
    own = context.panel["investment_rate"].xs("Hubei").loc[2005:2012]
    assert rows.loc["Hubei", "investment_rate"] == pytest.approx(own.mean()) and len(own) == 8
    rd = context.panel["rd_intensity"].xs("Hubei")
    assert rows.loc["Hubei", "rd_intensity"] == pytest.approx(100 * np.log(rd[2024] / rd[2013]) / 11)
    ((label, energy),) = cross_section.expand("alt_energy", invest, context)
    assert energy.initial == (("ln_electricity_intensity", 2006, 2012),) and "2006-2012" in label
    missing = replace(spec, initial=(("hitech_ratio", 2017, 2017),))
    with pytest.raises(PanelError, match="hitech_ratio Beijing"):
        cross_section.frame(context, missing)


def test_numbers_in_the_texts_are_read_not_typed():
    for claim_id, text, k in (
        ("WU-1.12", "support_if", 2), ("WU-1.12", "contradict_if", 2), ("WU-4.1", "contradict_if", 3),
        ("WU-P15", "contradict_if", 2),
    ):  # fmt: skip
        assert windows.at_least_in(getattr(REGISTER.claim(claim_id), text)) == k
    with pytest.raises(ValueError, match="at least k of n"):
        windows.at_least_in("coefficient > 0")
    assert re.search(r"\d+", windows.text((2012, 2014)))
