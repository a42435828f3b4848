"""Levels of different GDP vintages are never combined."""

from __future__ import annotations

import re

import pytest

import nqpf_spatial as nq
from nqpf_spatial.data import _store
from nqpf_spatial.data.vintages import VINTAGES
from nqpf_spatial.errors import DataSourceError


@pytest.mark.parametrize(
    "expression",
    [
        ["gdp", "va_secondary"],
        ["gdp_v2023", "va_secondary_v2023", "population"],
        ["gfcf", "gdp_v2018"],
        ["labour_compensation", "gdp_v2023"],
        "va_primary / gdp",
        "gdp",
        "y ~ np.log(gdp) + I(va_secondary_v2023 / gdp_v2023) | province + year",
        "gdp ~ gdp_v2023",
        "share_secondary + gdp_index * gdp",
    ],
)
def test_one_vintage_passes(expression: object) -> None:
    nq.data.check_vintages(expression)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "pairs"),
    [
        (["va_secondary_v2023", "gdp"], ["gdp (after the 5th", "va_secondary_v2023 (after the 4th"]),
        ("va_secondary_v2023 / gdp", ["gdp (after the 5th", "va_secondary_v2023 (after the 4th"]),
        ("gdp + gdp_v2018", ["gdp_v2018 (before the 4th"]),
        ("y ~ x + I(va_primary + va_secondary_v2023)", ["va_primary (after the 5th"]),
        ("y ~ gdp:gdp_v2018", ["gdp_v2018 (before the 4th"]),
        ("gfcf / gdp", ["gfcf (before the 4th"]),
        ("labour_compensation / gdp_v2018", ["labour_compensation (after the 4th"]),
        (["gdp_real", "gdp_v2023"], ["gdp_real (after the 5th"]),
    ],
)
def test_mixed_vintages_are_named(expression: object, pairs: list[str]) -> None:
    with pytest.raises(DataSourceError) as caught:
        nq.data.check_vintages(expression)  # type: ignore[arg-type]
    assert all(pair in str(caught.value) for pair in pairs)
    assert "gdp_v2023" in str(caught.value)


def test_the_table_covers_all_levels_of_the_accounts() -> None:
    book = nq.data.codebook()
    assert set(VINTAGES) <= set(book.index)
    levels = book.index[(book["group"] == "output") & (book["unit"] == "100 million yuan, current prices")]
    assert set(levels) <= set(VINTAGES)


def test_no_formula_of_the_register_mixes_vintages_inside_a_ratio() -> None:
    for name, row in _store.definitions().iterrows():
        for part in re.split(r",|:|;| before", row["formula"]):
            nq.data.check_vintages(part)
        assert name in _store.arrays()
