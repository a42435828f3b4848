"""Malmquist indices and DEA efficiency on labelled panels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from indicator_support import panel, shuffled

import nqpf_spatial as nq
from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import productivity as kernels

# Coelli (1996), A Guide to DEAP 2.1, example 4
INDEX = pd.MultiIndex.from_product([["f1", "f2", "f3", "f4", "f5"], [1, 2, 3]], names=["firm", "year"])
DEAP = pd.DataFrame(
    {
        "output": [1, 1, 1, 2, 3, 3, 3, 4, 4, 4, 3, 3, 5, 5, 5],
        "input": [2, 2, 2, 4, 4, 4, 3, 3, 3, 5, 5, 5, 6, 5, 5],
    },
    index=INDEX,
)


def test_against_deap():
    m = nq.indicators.malmquist(DEAP, ["input"], ["output"])
    second = m.table.xs(2, level=1).round(3)
    assert second["malmquist"].tolist() == [1.0, 1.5, 1.333, 0.75, 1.2]
    assert second["scale_change"].tolist() == [0.75, 0.92, 1.0, 0.865, 0.9]
    # DEAP prints geometric means: effch 0.844, techch 1.333, pech 0.955, sech 0.883, tfpch 1.125
    assert m.means().loc[2].round(3).tolist() == [1.125, 0.844, 1.333, 0.955, 0.883]
    assert m.distances["previous_frontier"].xs(1, level=1).isna().all()


def test_labels_do_not_lose_their_cells():
    data = panel()
    m = nq.indicators.malmquist(data, ["a", "b"], ["c"])
    x = data[["a", "b"]].to_numpy().reshape(6, 6, 2).transpose(1, 0, 2)
    y = data[["c"]].to_numpy().reshape(6, 6, 1).transpose(1, 0, 2)
    expected = kernels.malmquist(x, y)
    assert m.table["malmquist"].loc[("Tibet", 2015)] == expected.index[4, 5]
    assert m.table["technical_change"].loc[("Hebei", 2011)] == expected.technical[0, 1]
    again = nq.indicators.malmquist(shuffled(data), ["a", "b"], ["c"])
    pd.testing.assert_frame_equal(m.table, again.table, check_exact=True)


def test_cumulative_chains_the_years():
    m = nq.indicators.malmquist(panel(), ["a", "b"], ["c"])
    chained = m.cumulative()
    assert (chained.xs(2010, level=1) == 1.0).all(axis=None)
    product = m.table["malmquist"].groupby(level=0).prod()
    assert chained["malmquist"].xs(2015, level=1).sort_index().to_numpy() == pytest.approx(
        product.sort_index().to_numpy()
    )
    assert m.means("all").loc["mean", "malmquist"] == pytest.approx(np.exp(np.log(m.table["malmquist"]).mean()))


def test_estimates_keep_their_ending():
    m = nq.indicators.malmquist(panel().rename(columns={"a": "k_est"}), ["k_est", "b"], ["c"])
    assert all(c.endswith("_est") for c in m.table) and m.estimated
    assert "ESTIMATE" in repr(m)
    eff = nq.indicators.dea(panel().rename(columns={"a": "k_est"}), ["k_est"], ["c"])
    assert eff.name == "dea_efficiency_est"


def test_dea_has_a_frontier_every_year():
    eff = nq.indicators.dea(panel(), ["a", "b"], ["c"])
    assert eff.groupby(level=1).max().to_numpy() == pytest.approx(np.ones(6))
    one = panel().xs(2012, level=1)
    alone = nq.indicators.dea(one, ["a", "b"], ["c"])
    assert alone.to_numpy() == pytest.approx(eff.xs(2012, level=1).to_numpy())
    assert (nq.indicators.dea(panel(), ["a", "b"], ["c"], returns="vrs") >= eff - 1e-12).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(("Tibet", 2010)), "balanced panel.*Tibet"),
        (lambda f: f.assign(a=f["a"].mask(f["a"] == f["a"].max(), 0.0)), "1 cells are not positive.*a of"),
        (lambda f: f[f.index.get_level_values(1) == 2010], "at least two years"),
    ],
)
def test_errors_name_what_is_wrong(change, message):
    with pytest.raises(PanelError, match=message):
        nq.indicators.malmquist(change(panel()), ["a", "b"], ["c"])


def test_one_input_and_one_output_as_strings():
    data = panel().rename(columns={"a": "capital", "c": "output"})
    one, many = (nq.indicators.malmquist(data, x, y) for x, y in (("capital", "output"), (["capital"], ["output"])))
    pd.testing.assert_frame_equal(one.table, many.table)
    assert one.inputs == ("capital",) and one.outputs == ("output",)
    series = (nq.indicators.dea(data, x, y) for x, y in (("capital", "output"), (["capital"], ["output"])))
    pd.testing.assert_series_equal(*series)
    for function in (nq.indicators.malmquist, nq.indicators.dea):
        with pytest.raises(PanelError, match="at least one input and one output"):
            function(data, [], "output")
    with pytest.raises(PanelError, match="frame has no columns k"):
        nq.indicators.malmquist(data, "k", "output")


def test_orientation_is_checked():
    with pytest.raises(ValueError, match="orientation='both'"):
        nq.indicators.malmquist(panel(), ["a"], ["c"], orientation="both")
