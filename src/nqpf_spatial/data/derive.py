"""Derived variables: the table that maps every name of the claims register to its formula.

``nq.data.codebook(["gdp_real"])`` shows the formula in words. A value exists only in the years the register
states; nothing is filled.
"""

from __future__ import annotations

import numpy as np

from nqpf_spatial.data._formulas import (
    NINE_SECTORS,
    SURVEY_YEAR,
    Array,
    Formula,
    Table,
    capital_stock,
    capital_stock_est,
    dist_sea_gate,
    edu_gini,
    entropy_index,
    gdp_real,
    growth,
    krugman,
    labour_share,
    lag,
    log,
    log_ratio,
    market_potential,
    national_share,
    net_flow,
    over_land,
    ratio,
    relative,
    schooling,
    sector_share,
    solow_residual,
    tfp_est,
    tfp_solow_growth,
)


def formulas(windows: dict[str, frozenset[int]], expansion: dict[int, float]) -> dict[str, Formula]:
    """Name of every derived variable -> its formula.

    Parameters
    ----------
    windows : dict of str to frozenset of int
        Years in which a derived variable exists; indices are normalised over this window.
    expansion : dict of int to float
        Expansion factor of the five-year migration tables by date.

    Returns
    -------
    dict of str to Formula
        In an order in which inputs precede what is made of them.
    """
    digital = ("broadband_pc", "cable_pc", "mobile_phone_penetration")
    broad = (
        "broadband_pc",
        "cable_pc",
        "ports_pc",
        "mobile_users_pc",
        "mobile_traffic_pc",
        "ecommerce_pc",
        "computers_per_100_staff",
        "websites_per_100_firms",
    )
    innovation = ("rd_intensity", "rd_fte_pc", "patents_inv_pc")
    development = ("schooling_years", "beds_per_1000", "doctors_per_1000")
    sectors = ("primary", "secondary", "tertiary")

    def index(name: str, components: tuple[str, ...]) -> Formula:
        return entropy_index(components, min(windows[name]), max(windows[name]))

    return {
        "gdp_real": Formula(gdp_real, other_years=True),
        "gdp_real_pc": ratio("gdp_real", "population"),
        "ln_gdp_real_pc": log("gdp_real_pc"),
        "gdp_pc_growth": growth("gdp_real_pc"),
        "gdp_growth": Formula(lambda t: 100 * np.log(t["gdp_index"] / 100)),
        "gdp_real_per_urban_worker": ratio("gdp_real", "employment_urban_units"),
        **{f"share_{s}": sector_share(s) for s in sectors},
        "capital_stock": Formula(capital_stock, other_years=True),
        "capital_stock_est": Formula(capital_stock_est, other_years=True),
        "labour_share": Formula(labour_share),
        "solow_residual": Formula(solow_residual, other_years=True, other_provinces=True),
        "tfp_solow_growth": Formula(tfp_solow_growth, other_years=True),
        "tfp_est": Formula(tfp_est),
        "tfp_growth_est": Formula(lambda t: 100 * (t["tfp_est"] - lag(t["tfp_est"])), other_years=True),
        "rd_intensity": ratio("rd_expenditure", "gdp", 100),
        "ln_rd_intensity": log("rd_intensity"),
        "rd_fte_pc": ratio("rd_personnel_fte", "population"),
        "patents_inv_pc": ratio("patents_granted_invention", "population"),
        "tech_sales_ratio": ratio("tech_market_sales", "gdp"),
        "tech_purchases_ratio": ratio("tech_market_purchases", "gdp"),
        "hitech_ratio": ratio("hitech_mfg_revenue", "gdp"),
        "broadband_pc": ratio("broadband_subscribers", "population", 100),
        "ln_broadband_pc": log_ratio("broadband_subscribers", "population"),
        "cable_pc": ratio("optical_cable_length", "population"),
        "ports_pc": ratio("broadband_ports", "population"),
        "base_stations_pc": ratio("mobile_base_stations", "population"),
        "mobile_users_pc": ratio("mobile_internet_users", "population"),
        "mobile_traffic_pc": ratio("mobile_internet_traffic", "population"),
        "ecommerce_pc": ratio("ecommerce_sales", "population"),
        "express_pc": ratio("express_parcels", "population"),
        "ln_software_pc": log_ratio("software_revenue", "population"),
        "ln_it_service_pc": log_ratio("it_service_revenue", "population"),
        "ict_employment_share": ratio("employment_urban_units_ict", "employment_urban_units", 100),
        "digital_index": index("digital_index", digital),
        "digital_index_broad": index("digital_index_broad", broad),
        "digital_index_net": index("digital_index_net", ("broadband_pc", "cable_pc", "ports_pc")),
        "digital_index_use": index("digital_index_use", ("mobile_traffic_pc", "ecommerce_pc", "express_pc")),
        "nqpf_index": index("nqpf_index", (*innovation, *digital)),
        "pop_growth": growth("population"),
        "net_flow_5yr": Formula(net_flow(expansion)),
        "pop_share": national_share("population"),
        "rd_fte_share": national_share("rd_personnel_fte"),
        "gov_share": ratio("fiscal_expenditure", "gdp"),
        "fiscal_education_pc": ratio("fiscal_education", "population"),
        "retail_pc": ratio("retail_sales", "population"),
        "new_product_ratio": ratio("ind_new_product_sales", "gdp"),
        "va_industry_pc": ratio("va_industry", "population"),
        "ind_rd_pc": ratio("ind_rd_expenditure", "population"),
        "ln_trade_ratio": log_ratio("trade_total", "gdp"),
        "trade_share": national_share("trade_total"),
        "ln_fie_ratio": log_ratio("fie_total_investment", "gdp"),
        "investment_rate": ratio("gfcf", "gdp_v2018"),
        "market_potential": Formula(market_potential, other_provinces=True),
        "dist_sea_gate": Formula(dist_sea_gate),
        "rural_share": Formula(lambda t: 100 - t["urbanization_rate"]),
        "schooling_years": Formula(schooling),
        "college_share": ratio("survey_edu_college", "survey_pop_6plus", 100),
        "edu_gini": Formula(edu_gini),
        "schooling_rel": relative("schooling_years"),
        "schooling_rel_census": relative("mean_years_schooling"),
        "beds_per_1000": ratio("health_beds", "population", 1000),
        "doctors_per_1000": ratio("licensed_doctors", "population", 1000),
        "teachers_junior": Formula(lambda t: 100 / t["pupil_teacher_junior"]),
        "hd_index": index("hd_index", ("disposable_income_pc", *development)),
        "hd_index_gdp": index("hd_index_gdp", ("gdp_real_pc", *development)),
        "urban_rural_income_ratio": ratio("disposable_income_pc_urban", "disposable_income_pc_rural"),
        "electricity_pc": ratio("electricity_consumption", "population", 10_000),
        "ln_electricity_intensity": log_ratio("electricity_consumption", "gdp_real"),
        "rd_per_kwh": Formula(
            lambda t: t["rd_expenditure"] * (t["gdp_real"] / t["gdp"]) / t["electricity_consumption"]
        ),
        "nonfossil_generation": Formula(lambda t: t["generation_total"] - t["generation_thermal"]),
        "nonfossil_generation_pc": ratio("nonfossil_generation", "population", 10_000),
        "nonfossil_share": ratio("nonfossil_generation", "generation_total"),
        "land_pc": Formula(lambda t: t.at("land_area", SURVEY_YEAR) / (10 * t["population"]), other_years=True),
        "construction_density": ratio("construction_land", "land_area"),
        "transport_density": over_land("railway_length", "highway_length"),
        "rail_density": over_land("railway_length"),
        "soe_asset_share": ratio("ind_state_assets", "ind_assets"),
        "private_asset_share": ratio("ind_private_assets", "ind_assets"),
        "foreign_firm_share": ratio("ind_foreign_firms", "ind_firms"),
        "private_corporate_share": ratio("corporate_units_private", "corporate_units"),
        "krugman3": krugman(lambda t: [t[f"share_{s}"] for s in sectors]),
        "krugman9": krugman(lambda t: [t[v] / t["gdp"] for v in NINE_SECTORS]),
    }


def derive(
    published: dict[str, Array],
    years: tuple[int, ...],
    windows: dict[str, frozenset[int]],
    table: dict[str, Formula],
) -> dict[str, Array]:
    """Compute all derived variables.

    Parameters
    ----------
    published : dict of str to ndarray, shape (31, years)
        Published variables in canonical order of provinces; NaN where absent.
    years : tuple of int
        Years of the columns.
    windows : dict of str to frozenset of int
        Years in which a derived variable exists.
    table : dict of str to Formula
        From :func:`formulas`.

    Returns
    -------
    dict of str to ndarray, shape (31, years)
        Read-only arrays.
    """
    known = Table(dict(published), years)
    out: dict[str, Array] = {}
    for name, formula in table.items():
        inside = np.array([year in windows[name] for year in years])
        values = np.where(inside, formula.compute(known), np.nan)
        values.setflags(write=False)
        known.arrays[name] = out[name] = values
    return out
