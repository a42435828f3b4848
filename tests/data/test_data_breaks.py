"""Documented breaks: the table, inheritance, and when a warning is due."""

from __future__ import annotations

import warnings

import pytest

import nqpf_spatial as nq
from nqpf_spatial.data import _store
from nqpf_spatial.data._break_table import BREAKS
from nqpf_spatial.data._breaks import ancestors
from nqpf_spatial.errors import DataBreakWarning, DataSourceError


def warned(variables: list[str], years: tuple[int, int]) -> str:
    """Text of the one warning, or an empty string."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nq.load_panel(variables, years=years)
    assert len(caught) <= 1
    assert all(item.category is DataBreakWarning for item in caught)
    assert all(item.filename == __file__ for item in caught)
    return str(caught[0].message) if caught else ""


def test_the_table_names_known_variables_and_years_they_have() -> None:
    for entry in BREAKS:
        assert entry.kind in ("step", "cells", "note")
        assert entry.rule in ("codebook", "data") or entry.rule.startswith("rule ")
        for name in entry.variables:
            present = _store.years_with_values(name)
            if entry.kind != "note":
                assert entry.crossed(present), (name, entry)


@pytest.mark.parametrize(
    ("variables", "years", "expected"),
    [
        (["population"], (2000, 2024), ["2005", "2010", "2011"]),
        (["population"], (2009, 2010), ["2010: census step"]),
        (["gdp_real_pc"], (2008, 2012), ["through population", "2010", "2011"]),
        (["share_secondary"], (2012, 2024), ["2016: two vintages"]),
        (["krugman3"], (2012, 2024), ["through share_primary", "2016: two vintages"]),
        (["rd_intensity_published"], (2018, 2019), ["GDP vintage changes"]),
        (["nqpf_index"], (2011, 2023), ["through mobile_phone_penetration", "2020"]),
        (["capital_stock_est"], (2012, 2022), ["2018: investment is extrapolated", "2020: deflated by rpi"]),
        (["tfp_est"], (2012, 2022), ["through capital_stock_est"]),
        (["telecom_business_volume"], (2012, 2019), ["2016: price base"]),
        (["medical_insured"], (2017, 2023), ["comparable from 2019"]),
        (["inflow_5yr"], (2010, 2020), ["2015: instrument", "2020: instrument"]),
        (["net_flow_5yr"], (2000, 2010), ["through inflow_5yr", "experimental"]),
        (["software_revenue"], (2012, 2022), ["2021: Inner Mongolia"]),
        (["cable_pc"], (2020, 2024), ["Tibet doubles in 2024"]),
        (["electricity_pc"], (2012, 2020), ["no Ningxia, no Xinjiang"]),
        (["investment_rate"], (1993, 2000), ["Chongqing stands as 0"]),
        (["employment_urban_units_ict"], (2008, 2019), ["2013: coverage"]),
    ],
)
def test_a_crossed_break_warns(variables: list[str], years: tuple[int, int], expected: list[str]) -> None:
    message = warned(variables, years)
    for text in expected:
        assert text in message


@pytest.mark.parametrize(
    ("variables", "years"),
    [
        (["population"], (2011, 2024)),
        (["gdp", "gdp_index", "gdp_real"], (2000, 2024)),
        (["ln_gdp_real_pc", "ln_broadband_pc", "ln_rd_intensity", "pop_growth"], (2012, 2024)),
        (["share_secondary"], (2016, 2024)),
        (["share_secondary"], (2000, 2015)),
        (["rd_intensity_published"], (2019, 2024)),
        (["capital_stock_est"], (2001, 2017)),
        (["software_revenue"], (2012, 2020)),
        (["cable_pc"], (2011, 2023)),
        (["mobile_phone_penetration"], (2010, 2019)),
        (["medical_insured"], (2019, 2023)),
        (["net_flow_5yr"], (2011, 2020)),
        (["labour_compensation", "gdp"], (2006, 2017)),
    ],
)
def test_a_window_on_one_side_is_silent(variables: list[str], years: tuple[int, int]) -> None:
    assert warned(variables, years) == ""


def test_one_warning_lists_everything_once() -> None:
    message = warned(["population", "gdp_real_pc", "pop_share", "share_secondary"], (2009, 2024))
    assert message.count("2010: census step") == 1
    assert "population, gdp_real_pc (through population), pop_share (through population): 2010" in message
    assert "share_secondary: 2016" in message


def test_without_names_or_without_window_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nq.load_panel()
        nq.load_panel(years=(2000, 2024))
        nq.load_panel(["population", "share_secondary"])


def test_the_table_for_users() -> None:
    everything = nq.data.breaks()
    assert set(everything["kind"]) == {"step", "cells", "note"}
    one = nq.data.breaks("ln_gdp_real_pc")
    assert one["through"].unique().tolist() == ["population"]
    assert one["first_year"].tolist() == [2005, 2010, 2011]
    assert nq.data.breaks(["pop_growth"]).empty
    with pytest.raises(DataSourceError, match="unknown variable 'popp'"):
        nq.data.breaks("popp")


def test_the_codebook_carries_the_breaks() -> None:
    book = nq.data.codebook()
    assert "census step" in book.at["population", "break_note"]
    assert "(through population)" in book.at["gdp_real_pc", "break_note"]
    assert "after the 4th census" in book.at["labour_compensation", "break_note"]
    assert book.at["pop_growth", "break_note"] == ""
    listed = set(nq.data.breaks()["variable"])
    assert listed == set(book.index[book["break_note"] != ""])


def test_inputs_are_followed_to_the_end() -> None:
    assert ancestors("ln_gdp_real_pc") == {"gdp_real_pc", "gdp_real", "gdp", "gdp_index", "population"}
    assert ancestors("gdp") == frozenset()
