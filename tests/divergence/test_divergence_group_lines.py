"""Means of groups over time against pandas, and their picture."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import PanelError

D = nq.divergence


@pytest.fixture(scope="module")
def panel():
    return nq.load_panel(["gdp_real_pc", "population"], years=(2015, 2020))


def test_means_are_those_of_pandas(panel):
    found = D.group_means(panel["gdp_real_pc"].sample(frac=1, random_state=1), groups="north_south")
    side = panel.index.get_level_values("province").map(lambda p: nq.provinces.group_of(p, "north_south"))
    expected = panel["gdp_real_pc"].groupby([panel.index.get_level_values("year"), side]).mean().unstack()
    np.testing.assert_allclose(found.table[["North", "South"]], expected[["North", "South"]])
    np.testing.assert_allclose(found.table["all units"], panel["gdp_real_pc"].groupby(level="year").mean())
    weighted = D.group_means(panel, value="gdp_real_pc", weights="population", groups="block")
    total = (panel["gdp_real_pc"] * panel["population"]).groupby(level="year").sum()
    np.testing.assert_allclose(weighted.table["all units"], total / panel["population"].groupby(level="year").sum())
    assert "Weighted means of gdp_real_pc by block" in str(weighted)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_lines_carry_their_names_and_the_unit(panel, lang):
    mine = plt.subplots()[1]
    ax = D.group_means(panel["gdp_real_pc"]).plot(lang=lang, ax=mine)
    assert ax is mine and len(ax.get_lines()) == 5
    ax.figure.canvas.draw()
    names = {t.get_text() for t in ax.texts}
    assert ({"东部", "全部"} if lang == "zh" else {"East", "all units"}) <= names
    assert ("万元/人" if lang == "zh" else "10 thousand yuan per resident") in ax.get_ylabel()
    plt.close("all")


def test_refusals(panel):
    one = D.group_means(panel["gdp_real_pc"].xs(2020, level="year"))
    assert one.table.shape == (1, 5)
    with pytest.raises(PanelError, match="one time only"):
        one.plot()
    none = pd.Series(1.0, index=panel.index.unique("province")) * [
        nq.provinces.group_of(p, "block") != "East" for p in panel.index.unique("province")
    ]
    with pytest.raises(PanelError, match="2015: East"):
        D.group_means(panel["gdp_real_pc"], weights=none)
