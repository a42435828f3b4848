"""The multiverse of an index: what is crossed, what is compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from indicator_support import panel, shuffled
from scipy.stats import spearmanr

import nqpf_spatial as nq
from nqpf_spatial.errors import PanelError


@pytest.fixture(scope="module")
def result():
    return nq.indicators.index_multiverse(panel(), negative=["b"])


def test_everything_is_crossed_once(result):
    # 5 methods x 2 normalisations x (none + 4 indicators) x 2 samples
    assert len(result.table) == 100
    assert not result.table.duplicated(["method", "normalise", "dropped", "units"]).any()
    assert set(result.table["units"]) == {"6", "5"}
    assert set(result.table["dropped"]) == {"none", "a", "b", "c", "d"}


def test_the_first_is_the_baseline(result):
    first = result.table.iloc[0]
    assert first[["method", "normalise", "dropped", "units"]].tolist() == ["entropy", "pooled", "none", "6"]
    assert first["is_baseline"] and first["spearman"] == 1.0 and first["max_rank_shift"] == 0
    expected = nq.indicators.entropy_index(panel(), negative=["b"]).scores
    pd.testing.assert_series_equal(result.scores[0], expected, check_names=False)


def test_every_specification_is_what_composite_gives(result):
    row = result.table.query("method == 'topsis' and normalise == 'pooled' and dropped == 'c' and units == '5'")
    data = panel(columns=("a", "b", "c", "d")).drop(columns="c").drop("Tibet", level=0)
    expected = nq.indicators.topsis_index(data, negative=["b"]).scores
    found = result.scores[row.index[0]]
    assert found.dropna().to_numpy() == pytest.approx(expected.to_numpy())
    assert found.loc["Tibet"].isna().all()


def test_comparisons_by_definition(result):
    k = result.table.index[result.table["units"] == "5"][3]
    both = result.scores[[0, k]].dropna()
    assert result.table.loc[k, "spearman"] == pytest.approx(spearmanr(both[0], both[k]).statistic)
    last = both.xs(2015, level=1)
    assert result.table.loc[k, "spearman_last"] == pytest.approx(spearmanr(last[0], last[k]).statistic)
    shift = (last[0].rank() - last[k].rank()).abs()
    assert result.table.loc[k, "max_rank_shift"] == shift.max()
    wide = result.scores[k].unstack().loc[last.index]
    trend = (wide[2015].mean() - wide[2010].mean()) / result.scores[k].std(ddof=0)
    assert result.table.loc[k, "trend"] == pytest.approx(trend)
    assert result.table.loc[k, "dispersion"] == pytest.approx(wide[2015].std() / wide[2010].std())


def test_yearly_specifications_lose_the_trend(result):
    by = result.table.groupby("normalise")["trend"].median()
    assert abs(by["yearly"]) < 0.3 < by["pooled"]


def test_order_does_not_matter(result):
    again = nq.indicators.index_multiverse(shuffled(panel()), negative=["b"])
    keys = ["method", "normalise", "dropped", "units"]
    a = result.table.set_index(keys)["spearman"].sort_index()
    b = again.table.set_index(keys)["spearman"].sort_index()
    pd.testing.assert_series_equal(a, b, check_exact=True)


def test_samples_and_cross_sections():
    data = panel(years=range(2015, 2016)).droplevel("year")
    m = nq.indicators.index_multiverse(
        data, normalise=("pooled",), methods=("equal", "pca"), samples={"all": [], "coast": ["Guizhou", "Tibet"]}
    )
    assert len(m.table) == 2 * 5 * 2 and m.last_year is None
    assert m.table["trend"].isna().all()
    assert set(m.table["n_units"]) == {6, 4}
    assert sorted(m.baseline_ranks()) == [1, 2, 3, 4, 5, 6]


def test_rank_correlations_are_symmetric(result):
    r = result.rank_correlations
    assert r.shape == (100, 100) and np.allclose(r, r.T, equal_nan=True)
    assert "Index multiverse: 100 specifications" in repr(result)


def test_errors():
    with pytest.raises(PanelError, match="at least three indicators"):
        nq.indicators.index_multiverse(panel()[["a", "b"]])
    with pytest.raises(PanelError, match="unknown units: Atlantis"):
        nq.indicators.index_multiverse(panel(), samples={"x": ["Atlantis"]})
    with pytest.raises(ValueError, match="methods='linear'"):
        nq.indicators.index_multiverse(panel(), methods=("linear",))
    with pytest.raises(PanelError, match="negative names no column: z"):
        nq.indicators.index_multiverse(panel(), negative=["z"])


def test_units_to_leave_out_are_named_in_any_form():
    data, few = panel(), {"methods": ("equal",), "normalise": ("pooled",), "drop_one": False}
    forms = ([], "Tibet", ["西藏"], [540000], ["西藏自治区"])
    scores = [
        nq.indicators.index_multiverse(data, leave_out={"all": [], "x": f}, **few).scores[1].isna() for f in forms
    ]
    assert not scores[0].any()
    for found in scores[1:]:
        assert set(found.index[found].get_level_values(0)) == {"Tibet"}
    same = nq.indicators.index_multiverse(data, samples={"all": [], "x": "Tibet"}, **few)
    assert same.table["n_units"].tolist() == [6, 5]


def test_units_to_keep_in_place_of_units_to_leave_out():
    keep = ["Beijing", "Hebei", "Shanghai", "Zhejiang", "Guizhou"]
    with pytest.raises(PanelError, match=r"sample '30' leaves 1 unit: Tibet; .* to leave out, not those to keep"):
        nq.indicators.index_multiverse(panel(), samples={"31": [], "30": keep})
    with pytest.raises(PanelError, match="another name of leave_out"):
        nq.indicators.index_multiverse(panel(), samples={"a": []}, leave_out={"a": []})


def test_years_without_a_series_are_left_out_and_named():
    data = panel()
    data.loc[(slice(None), [2010, 2011]), "a"] = np.nan
    m = nq.indicators.index_multiverse(data, negative="b")
    assert m.left_out == (2010, 2011) and "left out 2010-2011" in repr(m)
    expected = nq.indicators.index_multiverse(
        panel(years=range(2010, 2016)).drop([2010, 2011], level=1), negative=["b"]
    )
    pd.testing.assert_frame_equal(m.table, expected.table)
