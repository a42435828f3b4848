"""The source of any cell."""

from __future__ import annotations

import numpy as np
import pytest

import nqpf_spatial as nq
from nqpf_spatial.data import _store
from nqpf_spatial.errors import DataSourceError

PANEL = nq.load_panel()


def test_the_list_of_sources() -> None:
    sources = nq.data.sources()
    assert sources.index.is_unique
    assert (sources[["repo"]] != "").all(axis=None)
    sources.loc[:, "repo"] = "x"
    assert not (nq.data.sources()["repo"] == "x").any()


def test_every_published_cell_has_a_described_source() -> None:
    cells = _store.cells()
    assert set(cells["source_id"]) <= set(nq.data.sources().index)
    assert len(cells) == int(PANEL[_store.variables().index].notna().to_numpy().sum())


def test_one_cell() -> None:
    found = nq.data.sources("population", "陕西", 2020)
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["variable"], row["province"], row["year"]) == ("population", "Shaanxi", 2020)
    assert row["value"] == PANEL.loc[("Shaanxi", 2020), "population"]
    assert row["official_origin"] == nq.data.sources().at[row["source_id"], "official_origin"]


def test_selections_add_up() -> None:
    by_year = sum(len(nq.data.sources("gdp", year=y)) for y in range(2006, 2025))
    by_province = sum(len(nq.data.sources("gdp", province=p)) for p in nq.provinces.PROVINCES)
    assert by_year == by_province == len(nq.data.sources("gdp")) == 589
    assert len(nq.data.sources(province="Tibet", year=2020)) == int(
        PANEL.loc[("Tibet", 2020), list(_store.variables().index)].notna().sum()
    )


def test_a_derived_cell_leads_to_the_cells_behind_it() -> None:
    found = nq.data.sources("rd_intensity", "Beijing", 2020)
    assert found[["variable", "province", "year"]].to_numpy().tolist() == [
        ["gdp", "Beijing", 2020],
        ["rd_expenditure", "Beijing", 2020],
    ]


def test_a_chained_cell_leads_to_all_years_of_its_inputs() -> None:
    found = nq.data.sources("gdp_real", "Beijing", 2020)
    assert set(found["variable"]) == {"gdp", "gdp_index"}
    assert set(found["province"]) == {"Beijing"}
    assert set(found["year"]) == set(range(2001, 2025))


def test_a_pooled_cell_leads_to_all_provinces_and_years() -> None:
    found = nq.data.sources("digital_index", "Beijing", 2020)
    inputs = {"population", "broadband_subscribers", "optical_cable_length", "mobile_phone_penetration"}
    assert set(found["variable"]) == inputs
    assert found["province"].nunique() == 31


def test_every_derived_variable_has_sources_but_geometry() -> None:
    for name in _store.definitions().index:
        n = len(nq.data.sources(name))
        assert (n == 0) == (name == "dist_sea_gate"), name


def test_attrs_hold_the_sources_of_the_chosen_variables() -> None:
    panel = nq.load_panel(["rd_intensity"])
    behind = set(nq.data.sources("gdp")["source_id"]) | set(nq.data.sources("rd_expenditure")["source_id"])
    assert set(panel.attrs["sources"]) == behind
    assert all("official_origin" in entry for entry in panel.attrs["sources"].values())


def test_names() -> None:
    assert nq.data.sources("gdp", 110000, 2020, names="zh")["province"].tolist() == ["北京"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gpd",), "unknown variable 'gpd'"),
        (("gdp", "Atlantis"), "unknown or ambiguous province 'Atlantis'"),
        (("gdp", "Beijing", 1989), "year=1989 is outside the release: 1990-2024"),
        (("gdp", "Beijing", 1999), "no value of gdp for Beijing in 1999; it has the years 2006 2007"),
        (("software_revenue", "Tibet"), "no value of software_revenue for Tibet in any year"),
        (("mean_years_schooling", None, 2011), "for any province in 2011; it has the years 2010 2020"),
    ],
)
def test_errors(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(DataSourceError, match=message):
        nq.data.sources(*arguments)  # type: ignore[arg-type]


def test_values_are_read_to_the_last_bit() -> None:
    """Numbers equal the nearest double of their text, which not every csv parser delivers."""
    from importlib import resources

    import pandas as pd

    with resources.as_file(resources.files("nqpf_spatial.data") / "files" / "panel.csv.gz") as path:
        text = pd.read_csv(path, dtype=str, usecols=["value"])["value"]
    assert np.array_equal(_store.cells()["value"].to_numpy(), np.array([float(v) for v in text]))
