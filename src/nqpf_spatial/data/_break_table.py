"""The table of documented breaks: where a series stops being comparable with itself.

Numbers of rules are those of the data release (``rule``); ``codebook`` stands for the note of the variable
itself, ``data`` for something visible in the figures that no note explains.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Break:
    """One documented break.

    Attributes
    ----------
    variables : tuple of str
        Variables it is about.
    kind : {"step", "cells", "note"}
        A step: values before and from ``first`` are not of one kind. Cells: values of the years ``first`` to
        ``last`` are doubtful or of another kind. A note: to be known, never a warning.
    first, last : int
        Years; equal for a step. 0 for notes without a date.
    what : str
        The break in words.
    rule : str
        Where it is documented.
    passes_on : bool
        Whether variables computed from these inherit it.
    """

    variables: tuple[str, ...]
    kind: str
    first: int
    last: int
    what: str
    rule: str
    passes_on: bool = True

    def crossed(self, present: Iterable[int]) -> bool:
        """Whether values of these years lie on both sides of a step, or touch doubtful cells."""
        if self.kind == "note":
            return False
        if self.kind == "cells":
            return any(self.first <= year <= self.last for year in present)
        return any(year < self.first for year in present) and any(year >= self.first for year in present)


def _step(names: str, year: int, what: str, rule: str, passes_on: bool = True) -> Break:
    return Break(tuple(names.split()), "step", year, year, what, rule, passes_on)


def _cells(names: str, first: int, last: int, what: str, rule: str, passes_on: bool = True) -> Break:
    return Break(tuple(names.split()), "cells", first, last, what, rule, passes_on)


def _note(names: str, what: str, rule: str, first: int = 0, last: int = 0) -> Break:
    return Break(tuple(names.split()), "note", first, last, what, rule, passes_on=False)


_INCOME_ACCOUNTS = "labour_compensation depreciation net_production_tax operating_surplus"
_EXPENDITURE = "final_consumption household_consumption gross_capital_formation net_outflow_goods_services"
_OLD_SECTORS = ("primary", "secondary", "tertiary", "industry", "finance")
_SURVEY = " ".join(f"survey_edu_{c}" for c in ("none", "primary", "junior", "senior", "college"))

BREAKS: tuple[Break, ...] = (
    _note("gdp", "vintage after the 5th economic census: never splice with gdp_v2023 or gdp_v2018", "rule 1"),
    _note("gdp_v2023", "vintage after the 4th economic census: never splice with gdp", "rule 1"),
    _note("gdp_v2018", "vintage before the 4th economic census: never splice with gdp or gdp_v2023", "rule 1"),
    _note(
        "gdp_index",
        "4th-census values to 2015, 5th-census values from 2016 (at most 0.3 points apart where both exist); "
        "the pair to chain with gdp",
        "rule 1",
        2016,
        2016,
    ),
    _note("gdp_index_firstpub", "as first published; 2023-24 preliminary", "codebook", 2023, 2024),
    _note(
        " ".join(f"va_{s}_v2023" for s in _OLD_SECTORS),
        "vintage after the 4th economic census: divide by gdp_v2023, never by gdp",
        "rule 1",
    ),
    _note(
        _INCOME_ACCOUNTS,
        "the four items sum to gdp_v2023: vintage after the 4th census, whatever the note of the source says",
        "data",
    ),
    _note(f"{_EXPENDITURE} gfcf", "vintage before the 4th census: final use sums to gdp_v2018", "rule 1"),
    _step(
        "share_primary share_secondary share_tertiary",
        2016,
        "two vintages joined as ratios, each inside its own (secondary share: 0.8 points on average)",
        "rule 1",
    ),
    _step(
        "rd_intensity_published",
        2019,
        "GDP vintage changes between 2018 and 2019, up to 36 percent",
        "rule 2",
    ),
    _step("population", 2005, "benchmark step of the resident population in 2005", "rule 3"),
    _step("population", 2010, "census step of the resident population (Shanxi +4.3 %, Guangxi -5.1 %)", "rule 3"),
    _step("population", 2011, "2010 rests on the 2010 census, 2011-2019 on the 2020 census", "rule 3"),
    _note(
        "net_migration_rate",
        "residual; Hubei 2020-21 in the year-end figure; 2020 missing",
        "rule 3",
        2020,
        2021,
    ),
    _note("natural_growth_rate", "not revised with the 2020 census; 2020 not published", "codebook", 2020, 2020),
    _step(
        "employment_urban_units_ict employment_urban_units_science",
        2013,
        "coverage of urban-unit employment widens between 2012 and 2013",
        "rule 4",
    ),
    _cells(
        "gfcf",
        1993,
        1995,
        "Chongqing stands as 0 at source (it became a municipality in 1997): not a measurement",
        "data",
    ),
    _step("capital_stock_est", 2018, "investment is extrapolated after 2017: an estimate", "rule 5"),
    _step("capital_stock_est", 2020, "deflated by rpi after 2019: an estimate", "rule 5"),
    *(
        _step(
            "inflow_5yr outflow_5yr",
            year,
            f"instrument of {year} unlike that of the date before: expand before comparing",
            "rule 6",
            passes_on=False,
        )
        for year in (2005, 2010, 2015, 2020)
    ),
    _cells("inflow_5yr outflow_5yr", 2005, 2005, "the 2005 matrix is experimental (two suspect cells)", "rule 6"),
    _note(
        "disposable_income_pc_urban disposable_income_pc_rural disposable_income_urban_oldsurvey "
        "net_income_rural_oldsurvey",
        "the survey before 2013 and the unified one from 2013 are never joined",
        "rule 7",
    ),
    _note(
        f"{_SURVEY} survey_pop_6plus",
        "small annual samples; none in the census year 2010",
        "rule 7",
        2010,
        2010,
    ),
    _step("share_65plus", 2021, "small annual samples; jump between 2019 and 2021 (no value in 2020)", "rule 7"),
    _step("telecom_business_volume", 2011, "price base changes to 2010 prices", "rule 7"),
    _step("telecom_business_volume", 2016, "price base changes to 2015 prices", "rule 7"),
    _step("postal_business_volume", 2011, "price base changes to 2010 prices", "rule 7"),
    _note("postal_business_volume", "the national sum rises by 66 percent in 2007", "data", 2007, 2007),
    _cells(
        "medical_insured",
        2009,
        2018,
        "rural schemes merged in 2012-2018: comparable from 2019 only",
        "rule 7",
    ),
    _step("mobile_phone_penetration", 2020, "denominator changes to the 2020 census", "codebook"),
    _step(
        "electricity_consumption",
        2016,
        "31 provinces before, 29 from 2016: no Ningxia, no Xinjiang",
        "rule 8",
    ),
    _note("domain_names", "volatile", "rule 8"),
    _cells("optical_cable_length", 2024, 2024, "Tibet doubles in 2024", "rule 8"),
    _cells("software_revenue", 2021, 2021, "Inner Mongolia jumps at source", "rule 8"),
    _cells("software_revenue", 2024, 2024, "Shaanxi jumps at source", "rule 8"),
    _note("software_revenue it_service_revenue", "no Tibet", "rule 8"),
    _note("fie_number fie_total_investment fie_registered_capital", "registered stocks, not inflows", "rule 9"),
    _cells("fie_number", 2000, 2007, "use from 2008: the national sum jumps by half in 2008", "codebook"),
    _cells("fie_total_investment", 2017, 2017, "Hunan and Gansu jump at source", "codebook"),
    _cells("fie_total_investment", 2019, 2019, "Sichuan jumps at source", "codebook"),
    _step("highway_length", 2006, "village roads enter between 2005 and 2006", "codebook"),
    _note("railway_length", "2020-2023 to 100 km only", "codebook", 2020, 2023),
    _note("trade_total", "some values of 2021-24 are rounded to 10 million dollars", "codebook", 2021, 2024),
    *(_step("passenger_traffic", year, "scope of the count changes", "codebook") for year in (2008, 2013, 2023)),
    _note("hitech_mfg_revenue", "main business revenue in older editions, business revenue later", "codebook"),
    _note("rd_expenditure", "2024 from the bulletin, to 0.1 only", "codebook", 2024, 2024),
    _note("mobile_base_stations", "2013 and 2020 rounded", "codebook", 2013, 2020),
    _cells("library_collections", 2000, 2007, "incomplete: use from 2008", "codebook"),
    _cells("dibao_urban dibao_rural", 2018, 2018, "Guangxi is an outlier at source", "codebook"),
    _cells("licensed_doctors", 2009, 2009, "Inner Mongolia is an outlier at source", "codebook"),
    _note(
        "hei_students hei_graduates hei_count",
        "label widened to general and vocational from 2016",
        "codebook",
    ),
)
