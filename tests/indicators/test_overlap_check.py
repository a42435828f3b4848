"""Shared inputs of outcomes and regressors, followed through definitions."""

from __future__ import annotations

import pytest
from indicator_support import panel

import nqpf_spatial as nq
from nqpf_spatial.errors import DataSourceError

BOOK = {
    "gdp": (), "people": (), "rd": (), "lines": (),
    "gdp_pc": ("gdp", "people"), "ln_gdp_pc": ("gdp_pc",), "rd_share": ("rd", "gdp"), "lines_pc": ("lines", "people"),
    "index": ("rd_share", "lines_pc"),
}  # fmt: skip


def test_common_denominator_is_found_through_two_levels():
    found = nq.indicators.overlap_check("ln_gdp_pc", ["rd_share", "lines_pc", "lines"], BOOK)
    assert dict(found) == {"rd_share": ("gdp",), "lines_pc": ("people",), "lines": ()}
    row = found.table.iloc[0]
    assert row["kind"] == "common ingredient"
    assert row["way from the outcome"] == "ln_gdp_pc <- gdp_pc <- gdp"
    assert "nothing shared with lines" in repr(found)
    assert found


def test_regressor_inside_the_outcome_and_the_other_way_round():
    inside = nq.indicators.overlap_check("index", ["rd_share"], BOOK).table.iloc[0]
    assert (inside["shared"], inside["kind"]) == ("rd_share", "regressor inside outcome")
    outside = nq.indicators.overlap_check("rd_share", ["index"], BOOK).table.iloc[0]
    assert (outside["shared"], outside["kind"]) == ("rd_share", "outcome inside regressor")


def test_what_lies_under_a_shared_variable_is_not_listed_again():
    found = nq.indicators.overlap_check("index", ["rd_share"], BOOK)
    assert found.table["shared"].tolist() == ["rd_share"]


def test_indicators_of_an_index_are_checked_one_by_one():
    data = panel(columns=("rd_share", "lines_pc", "people"))
    index = nq.indicators.equal_index(data)
    found = nq.indicators.overlap_check(index, ["gdp_pc", "rd"], BOOK)
    assert dict(found) == {"gdp_pc": ("gdp", "people", "people"), "rd": ("rd",)}


def test_nothing_in_common():
    found = nq.indicators.overlap_check("lines", ["rd", "gdp"], BOOK)
    assert not found and len(found.table) == 0


def test_packaged_codebook_knows_the_register_s_overlaps():
    found = dict(
        nq.indicators.overlap_check(
            "ln_gdp_real_pc", ["ln_rd_intensity", "gov_share", "pop_growth", "urbanization_rate"]
        )
    )
    # stated in the register: R&D intensity and the budget share have nominal GDP below the line, population growth
    # shares population
    assert found == {
        "ln_rd_intensity": ("gdp",), "gov_share": ("gdp",), "pop_growth": ("population",), "urbanization_rate": (),
    }  # fmt: skip
    assert (
        "broadband_subscribers"
        in dict(nq.indicators.overlap_check("nqpf_index", ["ln_broadband_pc"]))["ln_broadband_pc"]
    )


def test_ratios_made_for_an_index_are_known():
    found = nq.indicators.overlap_check(["new_product_effort"], ["rd_intensity"])
    assert dict(found) == {"rd_intensity": ("gdp",)}


def test_unknown_names_are_refused_with_a_hint():
    with pytest.raises(DataSourceError, match=r"not in the codebook: rd_intensty; near.*rd_intensity"):
        nq.indicators.overlap_check("gdp", ["rd_intensty"])
