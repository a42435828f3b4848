"""load_panel and the codebook: labels, coverage, units, metadata, errors."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
from importlib import resources

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces import PROVINCES


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    """The whole panel."""
    return nq.load_panel()


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    """The packaged long table, read without the package."""
    with resources.as_file(resources.files("nqpf_spatial.data") / "files" / "panel.csv.gz") as path:
        return pd.read_csv(path)


def test_shape_and_index(panel: pd.DataFrame) -> None:
    assert panel.shape == (31 * 35, 181 + 84)
    assert panel.index.names == ["province", "year"]
    assert panel.index.get_level_values("province").unique().tolist() == [p.name_en for p in PROVINCES]
    assert panel.loc["Beijing"].index.tolist() == list(range(1990, 2025))
    assert not panel.index.has_duplicates
    assert not panel.columns.has_duplicates
    assert (panel.dtypes == np.float64).all()


def test_every_published_cell_is_there_and_no_other(panel: pd.DataFrame, raw: pd.DataFrame) -> None:
    labels = {p.adcode: p.name_en for p in PROVINCES}
    wide = raw.assign(province=raw["adcode"].map(labels)).pivot(
        index=["province", "year"], columns="variable", values="value"
    )
    published = panel[wide.columns]
    pd.testing.assert_frame_equal(published.sort_index(), wide.sort_index(), check_names=False, check_index_type=False)
    assert int(published.notna().to_numpy().sum()) == len(raw)


def test_codebook_counts_hold_in_the_panel(panel: pd.DataFrame) -> None:
    book = nq.data.codebook()
    assert book.index.tolist() == panel.columns.tolist()
    counts = panel.groupby(level="year").count()
    for name, row in book.iterrows():
        n = counts[name][counts[name] > 0]
        assert (n.index.min(), n.index.max(), n.sum(), (n == 31).sum()) == (
            row["first_year"],
            row["last_year"],
            row["cells"],
            row["years_complete"],
        ), name


def test_codebook_says_what_the_source_codebook_says() -> None:
    with resources.as_file(resources.files("nqpf_spatial.data") / "files" / "codebook.csv") as path:
        stated = pd.read_csv(path, keep_default_na=False).set_index("variable")
    book = nq.data.codebook()
    book = book[~book["derived"]]
    columns = [
        "group",
        "unit",
        "label_en",
        "label_zh",
        "first_year",
        "last_year",
        "cells",
        "years_complete",
        "note",
    ]
    pd.testing.assert_frame_equal(book[columns], stated[columns], check_dtype=False)
    assert (book["years_partial"] == stated["years_partial"]).all()


def test_every_variable_has_unit_and_labels_in_two_languages() -> None:
    book = nq.data.codebook()
    assert (book[["group", "unit", "label_en", "label_zh"]] != "").all(axis=None)
    assert book["label_zh"].str.contains("[一-鿿]").all()
    assert (book["formula"] != "").equals(book["derived"])
    assert book.index[book["estimate"]].tolist() == ["capital_stock_est", "tfp_est", "tfp_growth_est"]
    assert not book["label_zh"].duplicated().any()


@pytest.mark.parametrize("names", ["en", "zh", "adcode", "iso"])
def test_names(names: str, panel: pd.DataFrame) -> None:
    other = nq.load_panel(names=names)  # type: ignore[arg-type]
    labels = [nq.provinces.label(p, names) for p in PROVINCES]  # type: ignore[arg-type]
    assert other.index.get_level_values(0).unique().tolist() == labels
    assert np.array_equal(other.to_numpy(), panel.to_numpy(), equal_nan=True)


def test_selection_of_variables_and_years(panel: pd.DataFrame) -> None:
    part = nq.load_panel(["population", "gdp"], years=(2012, 2015))
    assert part.columns.tolist() == ["population", "gdp"]
    assert part.shape == (31 * 4, 2)
    expected = panel.loc[panel.index.get_level_values("year").isin(range(2012, 2016)), ["population", "gdp"]]
    assert np.array_equal(part.to_numpy(), expected.to_numpy())
    assert nq.load_panel("gdp").columns.tolist() == ["gdp"]


def test_rows_cover_the_years_with_any_value() -> None:
    census = nq.load_panel(["mean_years_schooling"])
    assert census.index.get_level_values("year").unique().tolist() == [2010, 2020]
    both = nq.load_panel(["mean_years_schooling", "gfcf"])
    assert both.index.get_level_values("year").unique().tolist() == [*range(1990, 2018), 2020]


def test_absent_cells_stay_absent() -> None:
    part = nq.load_panel(["gfcf", "software_revenue"], years=(2017, 2018))
    assert part["gfcf"].xs(2018, level="year").isna().all()
    assert part["software_revenue"].isna().groupby(level="province").all().pipe(lambda s: s[s].index.tolist()) == [
        "Tibet"
    ]


def test_labels_select_without_warnings(panel: pd.DataFrame) -> None:
    assert panel.loc[("Guangdong", 2010), "gdp"] == 46821.3
    assert len(panel.loc["Tibet"]) == 35
    assert panel.loc[("Hebei", 2011) : ("Hebei", 2013), "gdp"].index.get_level_values(1).tolist() == [
        2011,
        2012,
        2013,
    ]


def test_unknown_variable_shows_candidates() -> None:
    with pytest.raises(DataSourceError, match=r"'gpd_real'.*gdp_real.*; 'xyzzy'"):
        nq.load_panel(["gdp", "gpd_real", "xyzzy"])
    with pytest.raises(DataSourceError, match="given twice: gdp"):
        nq.load_panel(["gdp", "gdp"])
    with pytest.raises(DataSourceError, match="variables is empty"):
        nq.load_panel([])
    with pytest.raises(DataSourceError, match="unknown variable 'nope'"):
        nq.data.codebook("nope")


@pytest.mark.parametrize("years", [(2015, 2012), (1980, 2000), (2012, 2030)])
def test_impossible_windows(years: tuple[int, int]) -> None:
    with pytest.raises(DataSourceError, match="not a window inside the release: 1990 to 2024"):
        nq.load_panel(["gdp"], years=years)


@pytest.mark.parametrize("years", [2012, (2012,), (2012, 2013, 2014), "2012", ("a", "b")])
def test_malformed_windows(years: object) -> None:
    with pytest.raises(DataSourceError, match="years must be"):
        nq.load_panel(["gdp"], years=years)  # type: ignore[arg-type]


def test_unknown_form_of_name() -> None:
    with pytest.raises(DataSourceError, match="choose one of en, zh, adcode, iso"):
        nq.load_panel(["gdp"], names="pinyin")  # type: ignore[arg-type]


def test_metadata_is_plain(panel: pd.DataFrame) -> None:
    again = json.loads(json.dumps(panel.attrs))
    assert again["codebook"]["gdp"]["unit"] == "100 million yuan, current prices"
    assert again["codebook"]["ln_gdp_real_pc"]["formula"] == "ln(gdp_real_pc)"
    assert again["release"] == nq.data.release()["release"]
    assert set(again["codebook"]) == set(panel.columns)
    assert set(again["sources"]) == set(nq.data.sources("gdp").pipe(lambda t: t["source_id"])) | set(again["sources"])
    small = nq.load_panel(["gdp"])
    assert list(small.attrs["codebook"]) == ["gdp"]
    assert set(small.attrs["sources"]) == set(nq.data.sources("gdp")["source_id"])


def test_metadata_survives_operations(panel: pd.DataFrame) -> None:
    for derived in (
        panel[["gdp"]],
        panel.copy(),
        panel.loc[["Tibet"]],
        pd.concat([panel, panel]),
        copy.deepcopy(panel),
    ):
        assert derived.attrs["codebook"]["gdp"]["label_zh"] == "地区生产总值(第五次经济普查口径)"
    thawed = pickle.loads(pickle.dumps(panel.attrs))  # noqa: S301
    assert thawed == panel.attrs


def test_shared_metadata_cannot_be_changed(panel: pd.DataFrame) -> None:
    with pytest.raises(TypeError, match="cannot be changed"):
        panel.attrs["codebook"]["gdp"]["unit"] = "yuan"
    with pytest.raises(TypeError, match="cannot be changed"):
        panel.attrs["sources"].clear()
    mine = dict(panel.attrs["codebook"]["gdp"])
    mine["unit"] = "yuan"
    assert panel.attrs["codebook"]["gdp"]["unit"] != "yuan"


def test_the_frame_is_the_callers_own() -> None:
    mine = nq.load_panel(["gdp"])
    mine.loc[:, "gdp"] = 0.0
    assert nq.load_panel(["gdp"])["gdp"].max() > 1e5


def test_plain_loading_is_silent() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nq.load_panel()
        nq.load_panel(years=(2000, 2024))
        nq.load_panel(["population"])


def test_years_as_text_are_years() -> None:
    pd.testing.assert_frame_equal(
        nq.load_panel(["gdp"], years=("2012", "2014")),  # type: ignore[arg-type]
        nq.load_panel(["gdp"], years=(2012, 2014)),
    )
    for odd in ((2012.5, 2014), ("a", "b"), (None, 2014), 2012):
        with pytest.raises(DataSourceError, match=r"years must be \(first, last\)"):
            nq.load_panel(["gdp"], years=odd)  # type: ignore[arg-type]


def test_what_names_no_variable() -> None:
    with pytest.raises(DataSourceError, match="variables=5: give a name or several"):
        nq.load_panel(5)  # type: ignore[arg-type]
    with pytest.raises(DataSourceError, match=r"unknown variable 'GDP' \(nearest: gdp"):
        nq.load_panel("GDP")
