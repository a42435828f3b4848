"""Specifications of the variants: windows against the register's own words, replaced columns by hand."""

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial import claims
from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate import indices, mechanism, series
from nqpf_spatial.claims.evaluate.specification import data_of, matrix_of
from nqpf_spatial.claims.evaluate.variants import MUNICIPALITIES, VARIANTS, expand, too_few_years

REGISTER = claims.load()
CLAIM = REGISTER.claim("WU-M4")


@pytest.fixture(scope="module")
def context():
    return Context()


@pytest.fixture(scope="module")
def base(context):
    return mechanism.baseline(CLAIM, context, "ln_broadband_pc")


def only(variant, base, context):
    ((_, spec),) = expand(variant, base, context)
    return spec


def test_the_baseline_is_the_registers(base):
    stated = REGISTER.threshold("R-MECH", "baseline")
    first, last = stated["period"].split("-")
    assert base.years == tuple(range(int(first), int(last) + 1))
    assert base.outcome == stated["outcome"]
    assert set(base.regressors) == {
        stated["digital"], stated["innovation"], stated["population_flows"], *stated["controls"],
    }  # fmt: skip
    assert base.w == REGISTER.weights["baseline"] == REGISTER.threshold("R-MECH", "baseline_w")
    assert base.formula.startswith("ln_gdp_real_pc ~ ln_broadband_pc + ")


def test_the_baseline_is_complete_in_every_cell(base, context):
    rows = data_of(context, base)
    assert rows.shape == (31 * 13, 7)
    assert not rows.isna().any(axis=None)


@pytest.mark.parametrize(
    ("variant", "years"),
    [
        ("alt_migration", [*range(2012, 2020), 2021]),
        ("alt_urban_labour", range(2013, 2025)),
        ("alt_tfp", range(2012, 2023)),
        ("alt_solow", range(2012, 2018)),
        ("add_trade", range(2012, 2025)),
        ("add_schooling", range(2012, 2020)),
        ("base_2023", range(2012, 2024)),
        ("lag_regressors", range(2013, 2025)),
        ("index_broad", range(2014, 2025)),
        ("to_2019", range(2012, 2020)),
        ("firstpub_growth", range(2012, 2025)),
    ],
)
def test_windows_are_those_the_register_states(variant, years, base, context):
    spec = only(variant, base, context)
    assert spec.years == tuple(years)
    assert not data_of(context, spec).isna().any(axis=None)
    stated = [int(y) for y in pd.Series([REGISTER.variants[variant]["text"]]).str.findall(r"\b20\d\d\b")[0]]
    assert set(stated) <= {*spec.years}


def test_swaps_and_drops(base, context):
    names = [spec.focus for _, spec in expand("alt_digital", base, context)]
    assert names == [("cable_pc",), ("digital_index",), ("digital_index_net",)]
    for _, spec in expand("alt_digital", base, context):
        assert "ln_broadband_pc" not in spec.regressors
        assert len(spec.regressors) == len(base.regressors)
    innovations = expand("alt_innovation", base, context)
    assert [s.regressors[1] for _, s in innovations] == ["patents_inv_pc", "rd_fte_pc"]
    assert {s.focus for _, s in innovations} == {("ln_broadband_pc",)}
    assert "share_secondary" not in only("drop_secondary", base, context).regressors
    assert only("plain_ml", base, context).correction == "none"
    assert only("add_trade", base, context).regressors[-1] == "ln_trade_ratio"
    others = [spec.w for _, spec in expand("w_others", base, context)]
    assert others == [w for w in CLAIM.W if w != "queen"]


def test_what_does_not_apply_says_so(base, context):
    other = mechanism.baseline(CLAIM, context, "pop_growth")
    assert only("alt_migration", other, context).focus == ("net_migration_rate",)
    from dataclasses import replace

    thin = replace(base, regressors=("ln_broadband_pc",))
    for variant in ("alt_innovation", "drop_secondary"):
        with pytest.raises(NotInRelease):
            expand(variant, thin, context)
    with pytest.raises(NotInRelease, match="in the baseline already"):
        expand("add_trade", replace(base, regressors=(*base.regressors, "ln_trade_ratio")), context)
    with pytest.raises(NotInRelease, match="not written for regressions"):
        expand("hub_narrow", base, context)
    ((_, short),) = expand("alt_solow", replace(base, years=(2017, 2018)), context)
    assert too_few_years(short) == "1 years with all provinces, at least 2 are needed"
    assert too_few_years(base) == ""
    with pytest.raises(nq.errors.DataSourceError, match="no variant 'nothing'"):
        expand("nothing", base, context)
    with pytest.raises(ValueError, match="no regressor 'gdp'"):
        mechanism.baseline(CLAIM, context, "gdp")
    with pytest.raises(NotInRelease, match="fast"):
        expand("index_pca", base, Context(fast=True))


@pytest.mark.parametrize(("variant", "left_out"), [("no_tibet", ("Tibet",)), ("no_municipalities", MUNICIPALITIES)])
def test_sub_samples_cut_rows_and_weights_alike(variant, left_out, base, context):
    spec = only(variant, base, context)
    kept = [p for p in context.panel.index.unique("province") if p not in left_out]
    assert data_of(context, spec).index.unique("province").tolist() == kept
    w = matrix_of(context, spec)
    assert list(w.ids) == kept
    full = nq.weights.contiguity().to_frame().loc[kept, kept]
    by_hand = full.to_numpy() / full.to_numpy().sum(axis=1, keepdims=True)
    assert np.allclose(w.dense(), by_hand)
    assert not np.allclose(w.dense(), full.to_numpy())


def test_lags_are_by_label(base, context):
    rows = data_of(context, only("lag_regressors", base, context))
    panel = context.panel
    for province, year in (("Tibet", 2013), ("Beijing", 2024)):
        row = rows.loc[(province, year)]
        assert row["ln_broadband_pc"] == panel.loc[(province, year - 1), "ln_broadband_pc"]
        assert row["ln_gdp_real_pc"] == panel.loc[(province, year), "ln_gdp_real_pc"]


def test_chaining_both_ways_by_hand():
    at = pd.MultiIndex.from_product([["A", "B"], range(2008, 2013)], names=["province", "year"])
    index = pd.Series([np.nan, 105.0, 110.0, 120.0, 90.0] * 2, at)
    level = pd.Series(range(100, 110), at, dtype=float)
    out = series.chained(level, index)
    assert out.loc["A"].round(9).tolist() == pytest.approx(
        [102 / 1.10 / 1.05, 102 / 1.10, 102, 102 * 1.2, 102 * 1.2 * 0.9]
    )
    assert out.loc[("B", 2010)] == 107
    gap = index.copy()
    gap.loc[("A", 2011)] = np.nan
    broken = series.chained(level, gap)
    assert broken.loc["A"].isna().tolist() == [False, False, False, True, True]


def test_real_gdp_of_the_panel_is_reproduced(context):
    panel = context.panel
    again = series.chained(panel["gdp"], panel["gdp_index"])
    both = panel["gdp_real"].notna()
    assert again[both].to_numpy() == pytest.approx(panel.loc[both, "gdp_real"].to_numpy(), rel=1e-12)


def test_other_vintages_change_ratios_and_growth_as_stated(context):
    panel = context.panel
    vintage = series.PATCHES["base_2023"](panel)
    at = ("Tianjin", 2017)
    assert vintage["gov_share"][at] == panel.loc[at, "fiscal_expenditure"] / panel.loc[at, "gdp_v2023"]
    # the level of the base year is absorbed by province effects: within a province growth is the same
    moved = (vintage["ln_gdp_real_pc"] - panel["ln_gdp_real_pc"]).loc[(slice(None), slice(2012, 2023))]
    assert moved.groupby("province").std().max() < 1e-12
    first = series.PATCHES["firstpub_growth"](panel)["ln_gdp_real_pc"]
    step = first[("Beijing", 2012)] - first[("Beijing", 2011)]
    growth = np.log(panel.loc[("Beijing", 2012), "gdp_index_firstpub"] / 100)
    people = np.log(panel.loc[("Beijing", 2012), "population"] / panel.loc[("Beijing", 2011), "population"])
    assert step == pytest.approx(growth - people)


def test_index_variants(context):
    panel = context.panel
    assert indices.components() == ("broadband_pc", "cable_pc", "mobile_phone_penetration")
    window = panel.loc[(slice(None), slice(2011, 2023)), list(indices.components())]
    equal = series.PATCHES["digital_index_equal"](panel)["digital_index_equal"]
    scaled = (window - window.min()) / (window.max() - window.min())
    assert equal.dropna().to_numpy() == pytest.approx(scaled.mean(axis=1).to_numpy())
    assert equal.isna().sum() == len(panel) - len(window)
    entropy = indices.build(panel, "entropy", indices.components())
    known = panel["digital_index"].notna()
    assert entropy[known].to_numpy() == pytest.approx(panel.loc[known, "digital_index"].to_numpy())
    columns = list(indices.INDEX_VARIANTS["index_drop_one"])
    assert columns == [f"digital_index_without_{c}" for c in indices.components()]
    left = series.PATCHES["digital_index_without_cable_pc"](panel)["digital_index_without_cable_pc"]
    changed = panel.assign(cable_pc=panel["cable_pc"] * 2)
    again = series.PATCHES["digital_index_without_cable_pc"](changed)["digital_index_without_cable_pc"]
    assert left.equals(again)
    for index in indices.VARIANTS_OF:
        assert {v: len(c) for v, c in indices.VARIANTS_OF[index].items()} == {
            "index_equal": 1, "index_pca": 1, "index_topsis": 1, "index_drop_one": len(indices.components(index)),
        }  # fmt: skip


def test_every_variant_written_is_one_of_the_register():
    assert set(VARIANTS) <= set(REGISTER.variants)
    assert set(CLAIM.variants) <= set(VARIANTS)
