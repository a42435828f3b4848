"""Documented indices: their tables, windows, and the variables of the packaged panel."""

from __future__ import annotations

import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import PanelError

SCHEMES = ("register", "dimensions", "core", "broad", "net", "use")


@pytest.fixture(scope="module")
def full():
    return nq.load_panel()


@pytest.mark.parametrize(
    ("scheme", "variable"),
    [
        ("core", "digital_index"),
        ("broad", "digital_index_broad"),
        ("net", "digital_index_net"),
        ("use", "digital_index_use"),
    ],
)
def test_digital_indices_are_those_of_the_register(full, scheme, variable):
    found = nq.indicators.digital_index(full, scheme=scheme)
    packaged = full[variable].dropna()
    assert found.scores.index.equals(packaged.index)
    assert found.scores.to_numpy() == pytest.approx(packaged.to_numpy(), abs=1e-14)


def test_nqpf_index_is_that_of_the_register(full):
    found = nq.indicators.nqpf_index(full)
    assert found.scores.to_numpy() == pytest.approx(full["nqpf_index"].dropna().to_numpy(), abs=1e-14)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tables_name_variables_of_the_codebook(scheme):
    book = set(nq.data.codebook().index)
    table = nq.indicators.indicator_table(scheme)
    assert {v for text in table["inputs"] for v in text.split()} <= book
    assert table.index.is_unique and (table["first_year"] < table["last_year"]).all()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_indicator_has_a_chinese_name(scheme):
    from nqpf_spatial.indicators._style import chinese_font, variable_label

    labels = [variable_label(name, "zh") for name in nq.indicators.indicator_table(scheme).index]
    assert all(any(ord(ch) > 0x2E7F for ch in label) for label in labels)
    assert chinese_font(labels) == "NQPF Sans SC"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_indicator_is_complete_in_its_window(full, scheme):
    table = nq.indicators.indicator_table(scheme)
    first, last = table["first_year"].iloc[0], table["last_year"].iloc[0]
    stamps = full.index.get_level_values("year")
    part = full[(stamps >= first) & (stamps <= last)]
    assert part[[v for text in table["inputs"] for v in text.split()]].notna().all(axis=None)


def test_dimensions_add_up_to_the_index(full):
    index = nq.indicators.nqpf_index(full, scheme="dimensions")
    parts = index.dimension_scores()
    assert list(parts) == ["labourers", "means of labour", "objects of labour"]
    assert parts.sum(axis=1).to_numpy() == pytest.approx(index.scores.to_numpy(), abs=1e-12)
    effort = full["ind_new_product_rd"] / full["gdp"]
    z = index.normalised["new_product_effort"]
    used = effort.reindex(z.index)
    assert z.to_numpy() == pytest.approx(((used - used.min()) / (used.max() - used.min())).to_numpy(), abs=1e-12)


def test_default_panel_and_other_labels(full):
    a = nq.indicators.digital_index(scheme="net", years=(2011, 2019))
    b = nq.indicators.digital_index(nq.load_panel(names="zh"), scheme="net", years=(2011, 2019))
    assert b.scores.index[0][0] == "北京"
    assert a.scores.to_numpy().tolist() == b.scores.to_numpy().tolist()
    assert a.provenance()["release"] == nq.data.release()["release"]


def test_methods_and_windows(full):
    index = nq.indicators.nqpf_index(full, method="topsis", weights="equal", years=(2013, 2020))
    assert index.method == "topsis" and index.provenance()["years"] == [2013, 2020]


def test_errors(full):
    with pytest.raises(PanelError, match=r"outside \(2011, 2023\)"):
        nq.indicators.nqpf_index(full, years=(2011, 2024))
    with pytest.raises(PanelError, match="lacks cable_pc"):
        nq.indicators.digital_index(full.drop(columns="cable_pc"))
    with pytest.raises(ValueError, match="scheme='wide'"):
        nq.indicators.digital_index(full, scheme="wide")
    with pytest.raises(PanelError, match="no dimensions"):
        nq.indicators.equal_index(full.loc["Hebei":"Shanxi", ["broadband_pc", "cable_pc"]].dropna()).dimension_scores()
