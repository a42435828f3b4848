"""Solow residual and labour productivity against packaged variables and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from indicator_support import panel, shuffled

import nqpf_spatial as nq
from nqpf_spatial.errors import PanelError

COLUMNS = [
    "gdp_real", "capital_stock", "capital_stock_est", "population", "labour_share", "solow_residual",
    "tfp_solow_growth", "tfp_est", "tfp_growth_est",
]  # fmt: skip


@pytest.fixture(scope="module")
def full():
    return nq.load_panel(COLUMNS)


def window(frame, first, last):
    stamps = frame.index.get_level_values("year")
    return frame[(stamps >= first) & (stamps <= last)]


def test_packaged_level_with_one_share(full):
    data = window(full, 2005, 2017)
    share = float(data["labour_share"].mean())
    found = nq.indicators.solow(data, "gdp_real", "capital_stock", "population", labour_share=share).table
    assert found["ln_tfp"].to_numpy() == pytest.approx(data["solow_residual"].to_numpy(), abs=1e-12)


def test_packaged_growth_with_moving_shares(full):
    data = window(full, 2011, 2017)
    found = nq.indicators.solow(data, "gdp_real", "capital_stock", "population", labour_share="labour_share").table
    expected = data["tfp_solow_growth"].dropna()
    assert found["tfp"].reindex(expected.index).to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-11)


def test_packaged_estimate_keeps_its_ending(full):
    data = window(full, 2005, 2022)
    result = nq.indicators.solow(data, "gdp_real", "capital_stock_est", "population", capital_share=0.5)
    assert list(result.table) == ["output", "capital_est", "labour", "tfp_est", "ln_tfp_est"]
    assert result.table["ln_tfp_est"].to_numpy() == pytest.approx(data["tfp_est"].to_numpy(), abs=1e-12)
    later = window(data, 2012, 2022)["tfp_growth_est"]
    assert result.table["tfp_est"].reindex(later.index).to_numpy() == pytest.approx(later.to_numpy(), abs=1e-10)
    assert result.estimated and "ESTIMATE" in repr(result)


def test_parts_add_up_and_moving_levels_cumulate():
    data = panel().assign(d=lambda f: 0.3 + 0.4 * f["d"] / f["d"].max())
    result = nq.indicators.solow(data, "a", "b", "c", labour_share="d")
    t = result.table
    assert (t["capital"] + t["labour"] + t["tfp"]).dropna().to_numpy() == pytest.approx(t["output"].dropna().to_numpy())
    assert t["ln_tfp"].xs(2010, level=1).tolist() == [0.0] * 6
    assert t.groupby(level=0)["tfp"].sum().to_numpy() / 100 == pytest.approx(
        t["ln_tfp"].groupby(level=0).last().to_numpy()
    )
    assert not result.constant_share


def test_units_of_measurement_shift_the_level_only():
    data = panel()
    a = nq.indicators.solow(data, "a", "b", "c", capital_share=0.4).table
    b = nq.indicators.solow(data * [1, 1e3, 1e-2, 1], "a", "b", "c", capital_share=0.4).table
    assert b["tfp"].to_numpy() == pytest.approx(a["tfp"].to_numpy(), nan_ok=True)
    assert np.ptp((b["ln_tfp"] - a["ln_tfp"]).to_numpy()) < 1e-12


def test_order_does_not_matter():
    a = nq.indicators.solow(panel(), "a", "b", "c", capital_share=0.4).table
    b = nq.indicators.solow(shuffled(panel()), "a", "b", "c", capital_share=0.4).table
    pd.testing.assert_frame_equal(a, b, check_exact=True)


def test_means():
    result = nq.indicators.solow(panel(), "a", "b", "c", capital_share=0.4)
    assert result.means("unit").loc["Tibet", "tfp"] == pytest.approx(result.table.loc["Tibet", "tfp"].mean())
    assert list(result.means().index) == [2011, 2012, 2013, 2014, 2015]


def test_labour_productivity_and_its_name(full):
    data = window(full, 2010, 2012)
    found = nq.indicators.labour_productivity(data, "gdp_real", "population")
    assert found.name == "gdp_real_per_population"
    assert found.loc[("Tibet", 2010)] == data.loc[("Tibet", 2010), "gdp_real"] / data.loc[("Tibet", 2010), "population"]
    renamed = data.rename(columns={"gdp_real": "gdp_est"})
    assert nq.indicators.labour_productivity(renamed, "gdp_est", "population").name == "gdp_per_population_est"


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda f: f, {}, "exactly one of capital_share and labour_share"),
        (lambda f: f, {"capital_share": 0.4, "labour_share": 0.6}, "exactly one"),
        (lambda f: f, {"capital_share": 1.2}, r"shares must lie in \(0, 1\)"),
        (lambda f: f.drop(2012, level=1), {"capital_share": 0.4}, "consecutive years"),
        (lambda f: f.drop(("Tibet", 2010)), {"capital_share": 0.4}, "without all of the 6 years: Tibet"),
        (lambda f: f.assign(b=-f["b"]), {"capital_share": 0.4}, "b of Beijing 2010"),
        (lambda f: f.droplevel(1).groupby(level=0).first(), {"capital_share": 0.4}, "panel indexed by"),
    ],
)
def test_errors_name_what_is_wrong(change, arguments, message):
    with pytest.raises(PanelError, match=message):
        nq.indicators.solow(change(panel()), "a", "b", "c", **arguments)
