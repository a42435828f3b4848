"""The figures against published totals, published cells and the identities of the accounts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import nqpf_spatial as nq

REFERENCE = Path(__file__).parent / "reference"
PANEL = nq.load_panel()
SUMS = PANEL.groupby(level="year").sum(min_count=1)
TOTALS = pd.read_csv(REFERENCE / "national_totals.csv")
CELLS = pd.read_csv(REFERENCE / "published_cells.csv")

# Totals of the 31 provinces themselves: relative difference at most this.
TOLERANCE = {
    "express_parcels": 1e-4,
    "fiscal_education": 1e-5,
    "fiscal_science_tech": 1e-5,
    "hitech_mfg_firms": 0.0,
    "hitech_mfg_profit": 2e-4,
    "hitech_mfg_revenue": 2e-5,
    "rd_applied": 1e-5,
    "rd_basic": 1e-5,
    "rd_enterprise_funds": 1e-5,
    "rd_expenditure": 1e-6,
    "rd_experimental": 1e-6,
    "rd_gov_funds": 1e-5,
    "rd_personnel_fte": 2e-5,
    "rd_researchers_fte": 3e-5,
    "exports_operating_unit": 0.002,
    "expressway_length": 0.002,
    "highway_length": 0.001,
    "ind_firms": 0.003,
    "passenger_traffic_rail": 0.001,
    "railway_length": 0.004,
    "fie_number": 0.004,
    "fie_total_investment": 0.002,
    "fie_registered_capital": 0.002,
}
# Enterprises registered with central bodies are in the national stock and in no province.
CENTRAL = {2000, 2001, 2002, 2003, 2004, 2007, 2008, 2009, 2010, 2011, 2012, 2013}
# (variable, years) -> (bounds of province sum / national - 1, why)
EXCEPTIONS = {
    ("railway_length", frozenset({2000})): (
        -0.15,
        -0.14,
        "the provinces lack 10 000 km of the national network",
    ),
    ("highway_length", frozenset({2000})): (-0.17, -0.16, "national total revised, provinces not"),
    ("highway_length", frozenset({2005})): (
        -0.43,
        -0.42,
        "national total restated with village roads, provinces not",
    ),
    ("passenger_traffic_rail", frozenset({2014})): (
        0.02,
        0.03,
        "provinces above the national total at source",
    ),
    ("fie_number", frozenset({2005, 2006, 2007})): (-0.30, -0.26, "branches counted nationally before 2008"),
    ("ind_firms", frozenset({2018})): (0.009, 0.010, "census year: provinces not revised"),
    ("rd_enterprise_funds", frozenset({2012})): (-0.05, -0.04, "one province has no figure"),
    ("fie_total_investment", frozenset(CENTRAL)): (-0.05, -0.02, "registered with central bodies"),
    ("fie_registered_capital", frozenset(CENTRAL)): (-0.05, -0.03, "registered with central bodies"),
}


def exception(variable: str, year: int) -> tuple[float, float, str] | None:
    """The known exception a total falls under."""
    return next((e for (v, years), e in EXCEPTIONS.items() if v == variable and year in years), None)


@pytest.mark.parametrize("variable", TOLERANCE)
def test_provinces_add_up_to_the_mainland_total(variable: str) -> None:
    rows = TOTALS[(TOTALS["variable"] == variable) & (TOTALS["scope"] == "mainland")]
    assert len(rows) >= 5
    for row in rows.itertuples():
        gap = SUMS.at[row.year, variable] / row.national - 1
        known = exception(variable, row.year)
        low, high = known[:2] if known else (-TOLERANCE[variable], TOLERANCE[variable])
        assert low <= gap <= high, (row.year, gap, known)


def test_every_exception_is_about_a_total_that_exists() -> None:
    have = set(zip(TOTALS["variable"], TOTALS["year"], strict=True))
    assert all((variable, year) in have for variable, years in EXCEPTIONS for year in years)


@pytest.mark.parametrize("variable", sorted(set(TOTALS.loc[TOTALS["scope"] != "mainland", "variable"])))
def test_provinces_stay_below_a_wider_total(variable: str) -> None:
    """Patents include Hong Kong, Macao and Taiwan, contracts also foreign parties: 0.1 to 22 percent more."""
    rows = TOTALS[TOTALS["variable"] == variable].set_index("year")["national"]
    share = SUMS.loc[rows.index, variable] / rows
    widest = 0.77 if variable.startswith("tech_market") else 0.89
    assert share.between(widest, 0.999).all(), share


def test_all_totals_are_used() -> None:
    assert set(TOTALS["variable"]) == set(TOLERANCE) | set(TOTALS.loc[TOTALS["scope"] != "mainland", "variable"])
    assert (TOTALS["source"] != "").all()


def test_published_cells() -> None:
    """Cells of official pages and bulletins: to 0.1 percent, preliminary or rounded ones to 0.7 percent."""
    rough = {("Hebei", "mobile_base_stations"), ("Hebei", "mobile_phone_penetration")}
    for row in CELLS.itertuples():
        column = PANEL[row.variable].xs(row.year, level="year")
        mine = column.sum() if row.area == "China" else column[row.area]
        rel = 0.007 if (row.area, row.variable) in rough else 0.001
        assert mine == pytest.approx(row.published, rel=rel), row
    assert len(CELLS) > 170


def worst_gap(parts: list[str], whole: str) -> tuple[float, int]:
    """Largest relative gap between a sum and its total, and the number of cells compared."""
    gap = (PANEL[parts].sum(axis=1, min_count=len(parts)) / PANEL[whole] - 1).abs().dropna()
    return float(gap.max()), len(gap)


@pytest.mark.parametrize(
    ("parts", "whole", "tolerance", "cells"),
    [
        ("va_primary va_secondary va_tertiary", "gdp", 1e-4, 279),
        ("va_primary_v2023 va_secondary_v2023 va_tertiary_v2023", "gdp_v2023", 1e-3, 620),
        # services to agriculture belong to the tertiary sector and to none of the nine: up to 1 percent
        (
            "va_primary va_industry va_construction va_trade va_transport_post va_hotels va_finance "
            "va_real_estate va_other_services",
            "gdp",
            0.0095,
            279,
        ),
        ("rd_basic rd_applied rd_experimental", "rd_expenditure", 1.1e-3, 434),
        (
            "patents_applied_invention patents_applied_utility patents_applied_design",
            "patents_applied",
            0,
            433,
        ),
        (
            "patents_granted_invention patents_granted_utility patents_granted_design",
            "patents_granted",
            0,
            434,
        ),
        ("patents_valid_invention patents_valid_utility patents_valid_design", "patents_valid", 0, 465),
        ("broadband_subscribers_urban broadband_subscribers_rural", "broadband_subscribers", 0.0135, 424),
        (
            "survey_edu_none survey_edu_primary survey_edu_junior survey_edu_senior survey_edu_college",
            "survey_pop_6plus",
            1e-3,
            527,
        ),
    ],
)
def test_parts_add_up(parts: str, whole: str, tolerance: float, cells: int) -> None:
    gap, n = worst_gap(parts.split(), whole)
    assert n == cells
    assert gap <= tolerance


INCOME = ["labour_compensation", "depreciation", "net_production_tax", "operating_surplus"]
FINAL_USE = ["final_consumption", "gross_capital_formation", "net_outflow_goods_services"]


def test_vintage_of_the_income_accounts() -> None:
    """They sum to the GDP after the 4th census (the source note says before); the guard relies on this."""
    income = PANEL[INCOME].sum(axis=1, min_count=4)
    after = (income / PANEL["gdp_v2023"] - 1).abs().dropna()
    before = (income / PANEL["gdp_v2018"] - 1).abs().dropna()
    assert len(after) == 558
    assert (after < 0.002).sum() == 557
    assert (before < 0.002).sum() < 100
    assert before.max() > 0.3


def test_vintage_of_the_expenditure_accounts() -> None:
    """They sum to the GDP before the 4th census, up to statistical discrepancies of provinces."""
    use = PANEL[FINAL_USE].sum(axis=1, min_count=3)
    before = (use / PANEL["gdp_v2018"] - 1).abs().dropna()
    after = (use / PANEL["gdp_v2023"] - 1).abs().dropna()
    assert len(before) == 558
    assert before.median() < 1e-6
    assert (before < 0.002).sum() > 450
    assert after.median() > 0.02


def test_population_growth_is_consistent_with_vital_rates() -> None:
    gap = (PANEL["birth_rate"] - PANEL["death_rate"] - PANEL["natural_growth_rate"]).abs().dropna()
    assert len(gap) == 558
    assert gap.max() < 0.0101


def test_urbanisation_is_urban_over_total_population() -> None:
    rate = 100 * PANEL["population_urban"] / PANEL["population"]
    gap = (rate - PANEL["urbanization_rate"]).abs().dropna()
    assert len(gap) == 279
    assert gap.max() < 0.15


def test_signs_and_ranges() -> None:
    """Nothing but balances, growth rates and logs is negative; shares and percentages stay in range."""
    negative = {name for name in PANEL.columns if (PANEL[name] < 0).any()}
    logs = {name for name in PANEL.columns if name.startswith("ln_")} | {"solow_residual", "tfp_est"}
    rates = {"gdp_growth", "gdp_pc_growth", "pop_growth", "tfp_solow_growth", "tfp_growth_est", "fai_growth"}
    balances = {"net_outflow_goods_services", "natural_growth_rate", "net_migration_rate", "net_flow_5yr"}
    assert negative - logs - rates - balances == {"ind_profit", "hitech_mfg_profit"}
    book = nq.data.codebook()
    percent = book.index[(book["unit"] == "percent")]
    assert (PANEL[percent].max() <= 100).all()
    parts = [name for name in book.index[book["unit"] == "ratio"] if "share" in name and name != "gov_share"]
    assert len(parts) == 9
    assert (PANEL[parts].max() < 1).all()
    assert PANEL["urban_rural_income_ratio"].dropna().between(1, 4).all()


def test_zeros_are_few_and_known() -> None:
    """A zero is a figure, not a blank: each variable that has one is listed."""
    published = nq.data.codebook().query("not derived").index
    zeros = PANEL[published].eq(0).sum()
    assert zeros[zeros > 0].to_dict() == {
        "natural_growth_rate": 1,
        "gfcf": 3,  # Chongqing 1993-95: no measurement, flagged in nq.data.breaks()
        "expressway_length": 2,
        "hitech_mfg_profit": 1,
        "generation_hydro": 1,
        "net_migration_rate": 1,
    }
    assert PANEL.index[PANEL["gfcf"].eq(0)].tolist() == [("Chongqing", y) for y in (1993, 1994, 1995)]
