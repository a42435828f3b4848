"""Composite indices on labelled frames: definitions, packaged variables, invariances, errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from indicator_support import panel, shuffled

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError, PanelError
from nqpf_spatial.kernels import composite as kernels

METHODS = ("entropy", "equal", "critic", "pca", "topsis")


@pytest.mark.parametrize("method", METHODS)
def test_order_of_rows_and_columns_does_not_matter(method):
    data = panel()
    a = nq.indicators.composite(data, method, negative=["b"])
    b = nq.indicators.composite(shuffled(data), method, negative=["b"])
    pd.testing.assert_series_equal(a.scores, b.scores, check_exact=True)
    pd.testing.assert_series_equal(a.weights, b.weights[a.weights.index], check_exact=True)
    pd.testing.assert_frame_equal(a.contributions, b.contributions[a.contributions.columns], check_exact=True)
    assert a.provenance()["data_sha256"] == b.provenance()["data_sha256"]


@pytest.mark.parametrize("method", METHODS)
def test_units_of_measurement_do_not_matter(method):
    data = panel()
    a = nq.indicators.composite(data, method)
    b = nq.indicators.composite(data * [1e6, 1e-3, 2, 1] + [0, 0, 5, 0], method)
    assert b.scores.to_numpy() == pytest.approx(a.scores.to_numpy(), abs=1e-9)


def test_year_first_index_and_other_names_give_the_same():
    data = panel()
    swapped = data.swaplevel().sort_index()
    a, b = nq.indicators.entropy_index(data), nq.indicators.entropy_index(swapped)
    pd.testing.assert_series_equal(a.scores, b.scores, check_exact=True)
    assert a.scores.index.names == ["province", "year"]


@pytest.mark.parametrize("method", ["entropy", "equal", "critic"])
def test_linear_index_by_definition(method):
    data = panel()
    z = kernels.minmax(data.to_numpy(), [False, True, False, False])
    w = {
        "entropy": kernels.entropy_weights(z),
        "critic": kernels.critic_weights(z),
        "equal": np.full(4, 0.25),
    }[method]
    result = nq.indicators.composite(data, method, negative=["b"])
    assert result.scores.to_numpy() == pytest.approx(z @ w, abs=1e-14)
    assert result.weights.to_numpy() == pytest.approx(w, abs=1e-14)
    assert result.contributions.sum(axis=1).to_numpy() == pytest.approx(result.scores.to_numpy(), abs=1e-14)
    assert result.weights.sum() == pytest.approx(1.0)


def test_topsis_takes_rules_and_given_weights():
    data = panel()
    equal = nq.indicators.topsis_index(data, weights="equal")
    given = nq.indicators.topsis_index(data, weights=dict.fromkeys("abcd", 0.25))
    pd.testing.assert_series_equal(equal.scores, given.scores)
    entropy = nq.indicators.topsis_index(data)
    assert entropy.weights.to_numpy() == pytest.approx(nq.indicators.entropy_index(data).weights.to_numpy())
    d = entropy.details
    assert (d["d_minus"] / (d["d_plus"] + d["d_minus"])).to_numpy() == pytest.approx(entropy.scores.to_numpy())
    assert entropy.scores.between(0, 1).all()


def test_pca_sign_share_and_contributions():
    data = panel()
    result = nq.indicators.pca_index(data, negative=["b"])
    values = np.linalg.eigvalsh(np.corrcoef((data * [1, -1, 1, 1]).to_numpy().T))
    assert result.variance_share == pytest.approx(values[-1] / 4)
    assert result.scores.corr(nq.indicators.equal_index(data, negative=["b"]).scores) > 0
    assert (result.weights**2).sum() == pytest.approx(1.0)
    assert result.contributions.sum(axis=1).to_numpy() == pytest.approx(result.scores.to_numpy(), abs=1e-12)
    assert abs(result.scores.mean()) < 1e-12
    assert "holds" in repr(result)


def test_packaged_indices_are_reproduced():
    columns = ["broadband_pc", "cable_pc", "ports_pc", "digital_index_net"]
    data = _window(columns, (2011, 2024))
    found = nq.indicators.entropy_index(data, columns=columns[:3])
    assert found.scores.to_numpy() == pytest.approx(data["digital_index_net"].to_numpy(), abs=1e-14)


def _window(columns, years):
    """The panel without the warning that the window crosses a documented break."""
    full = nq.load_panel(columns)
    stamps = full.index.get_level_values("year")
    return full[(stamps >= years[0]) & (stamps <= years[1])]


def test_yearly_normalisation_warns_and_destroys_the_trend():
    data = panel()
    pooled = nq.indicators.entropy_index(data)
    with pytest.warns(nq.indicators.TrendWarning, match="common trend is gone"):
        yearly = nq.indicators.entropy_index(data, normalise="yearly")
    growth = pooled.scores.groupby(level=1).mean()
    assert growth.iloc[-1] > 1.2 * growth.iloc[0]
    scaled = data.mul(1 + (data.index.get_level_values("year").to_numpy() - 2010.0), axis=0)
    with pytest.warns(nq.indicators.TrendWarning):
        again = nq.indicators.entropy_index(scaled, normalise="yearly")
    # multiplying every cell of a year by the same number changes nothing
    assert again.scores.to_numpy() == pytest.approx(yearly.scores.to_numpy(), abs=1e-12)
    assert yearly.normalised.groupby(level=1).max().eq(1.0).all(axis=None)
    assert "common trend" in repr(yearly)


def test_obstacles_sum_to_one_and_match_the_model():
    data = panel()
    result = nq.indicators.entropy_index(data)
    o = result.obstacles
    assert o.sum(axis=1).to_numpy() == pytest.approx(np.ones(len(o)))
    expected = kernels.obstacle_degrees(result.normalised.to_numpy(), result.weights.to_numpy())
    assert o.to_numpy() == pytest.approx(expected, abs=1e-12)
    top = result.top_obstacles(2)
    row = o.loc[("Tibet", 2010)].sort_values(ascending=False)
    assert top.loc[("Tibet", 2010), (1, "indicator")] == row.index[0]
    assert top.loc[("Tibet", 2010), (2, "degree")] == pytest.approx(row.iloc[1])


def test_the_best_row_has_no_obstacle():
    data = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 1.0, 5.0]}, index=["u", "v", "w"])
    result = nq.indicators.equal_index(data)
    assert result.obstacles.loc["w"].isna().all()
    assert result.top_obstacles(1).loc["w"].isna().all()


def test_obstacles_of_a_component_with_negative_loading_are_refused():
    t = np.arange(8.0)
    data = pd.DataFrame({"a": t, "b": t + np.sin(t), "c": -t}, index=[f"u{i}" for i in range(8)])
    result = nq.indicators.pca_index(data)
    assert result.weights["c"] < 0
    with pytest.raises(PanelError, match="runs against c"):
        _ = result.obstacles


def test_estimates_keep_their_ending():
    data = panel().rename(columns={"a": "a_est"})
    assert nq.indicators.equal_index(data).scores.name == "equal_index_est"
    assert nq.indicators.equal_index(panel()).scores.name == "equal_index"


def test_given_weights_are_taken_as_they_are():
    data = panel()
    w = {"a": 0.7, "b": 0.1, "c": 0.1, "d": 0.1}
    result = nq.indicators.composite(data, "linear", weights=w)
    z = kernels.minmax(data.to_numpy())
    assert result.scores.to_numpy() == pytest.approx(z @ [0.7, 0.1, 0.1, 0.1])


def test_a_cross_section_of_any_units():
    data = pd.DataFrame({"a": [3.0, 1, 2], "b": [1.0, 4, 2]}, index=["unit 10", "unit 9", "unit 1"])
    result = nq.indicators.entropy_index(data)
    assert result.scores.index.tolist() == ["unit 1", "unit 9", "unit 10"]
    assert result.provenance()["years"] == []


def holed(cell):
    data = panel()
    data.loc[cell, "c"] = np.nan
    return data


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nq.indicators.entropy_index(holed(("Tibet", 2012))), PanelError, "c of Tibet 2012"),
        (lambda: nq.indicators.entropy_index(panel().assign(c=1.0)), PanelError, "constant columns.*: c"),
        (lambda: nq.indicators.entropy_index(panel().assign(c="x")), PanelError, "columns c of frame are not numeric"),
        (lambda: nq.indicators.entropy_index(pd.concat([panel(), panel()])), PanelError, "repeated rows"),
        (lambda: nq.indicators.entropy_index(panel(), columns=["a", "z"]), PanelError, "no columns z"),
        (lambda: nq.indicators.entropy_index(panel(), negative=["z"]), PanelError, "negative names no column: z"),
        (lambda: nq.indicators.composite(panel(), "magic"), ValueError, "method='magic'.*'entropy'"),
        (lambda: nq.indicators.composite(panel(), normalise="log"), ValueError, "normalise='log'"),
        (lambda: nq.indicators.composite(panel(), "linear"), PanelError, "needs weights"),
        (lambda: nq.indicators.composite(panel(), "pca", weights={"a": 1.0}), PanelError, "loadings"),
        (lambda: nq.indicators.composite(panel(), weights="equal"), PanelError, "makes its own weights"),
        (
            lambda: nq.indicators.composite(panel(), "linear", weights={"a": 0.5, "b": 0.5}),
            PanelError,
            "must name the indicators",
        ),
        (
            lambda: nq.indicators.composite(panel(), "linear", weights=dict.fromkeys("abcd", 0.3)),
            PanelError,
            "sum to one.*1.2",
        ),
        (lambda: nq.indicators.entropy_index([1, 2]), PanelError, "must be a pandas DataFrame"),
        (lambda: nq.indicators.entropy_index(panel().rename(index={"Tibet": np.nan})), AlignmentError, "missing"),
        (
            lambda: nq.indicators.equal_index(panel(units=("Beijing", "北京", "Hebei"))),
            AlignmentError,
            "mean the same province",
        ),
    ],
)
def test_errors_name_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_column_constant_in_one_year_is_named_with_the_year():
    data = panel()
    data.loc[(slice(None), 2013), "d"] = 5.0
    with pytest.warns(nq.indicators.TrendWarning), pytest.raises(PanelError, match="d in 2013"):
        nq.indicators.entropy_index(data, normalise="yearly")


def test_the_frame_is_left_alone():
    data = panel()
    before = data.copy()
    nq.indicators.pca_index(data, negative=["a"])
    pd.testing.assert_frame_equal(data, before)


def test_no_module_hides_a_function():
    """Importing a submodule puts it on the package: none may be called like a public function."""
    import pkgutil

    assert not {m.name for m in pkgutil.iter_modules(nq.indicators.__path__)} & set(nq.indicators.__all__)


def test_names_are_listed_and_unknown_ones_refused():
    assert "malmquist" in dir(nq.indicators)
    with pytest.raises(AttributeError, match="entropy_index"):
        _ = nq.indicators.nothing


def test_the_common_span_of_the_series_is_used_and_named():
    book = nq.data.codebook()
    columns = ["broadband_pc", "cable_pc", "mobile_phone_penetration"]
    everything = nq.load_panel()[columns]
    result = nq.indicators.entropy_index(everything)
    first, last = book.loc[columns, "first_year"].max(), book.loc[columns, "last_year"].min()
    expected = nq.indicators.entropy_index(everything.loc[(slice(None), slice(first, last)), :])
    pd.testing.assert_series_equal(result.scores, expected.scores)
    assert result.left_out[0] == 1990 and expected.left_out == ()
    assert f"years {first}-{last}; left out 1990-{first - 1}" in repr(result)
    assert "left out" not in repr(expected)
    assert result.provenance()["years_left_out"] == list(result.left_out)


def test_gaps_inside_or_of_some_units_stay_errors():
    inside = panel()
    inside.loc[(slice(None), 2012), "a"] = np.nan
    with pytest.raises(PanelError, match="6 missing or infinite cells: a of Beijing 2012"):
        nq.indicators.entropy_index(inside)
    partial = panel()
    partial.loc[("Tibet", 2010), "a"] = np.nan
    with pytest.raises(PanelError, match="a of Tibet 2010"):
        nq.indicators.entropy_index(partial)
    apart = panel()
    apart.loc[(slice(None), [2010, 2011, 2012]), "a"] = np.nan
    apart.loc[(slice(None), [2013, 2014, 2015]), "b"] = np.nan
    with pytest.raises(PanelError, match=r"no year has values of every column; .*a 2013-2015, b 2010-2012"):
        nq.indicators.entropy_index(apart)


def test_one_negative_column_as_a_string():
    one, many = (nq.indicators.entropy_index(panel(), negative=x) for x in ("b", ["b"]))
    pd.testing.assert_series_equal(one.scores, many.scores)
    with pytest.raises(PanelError, match="negative names no column: patents"):
        nq.indicators.entropy_index(panel(), negative="patents")


def test_a_principal_component_shows_no_mean_contributions():
    assert "mean contribution" not in repr(nq.indicators.pca_index(panel()))
    assert "mean contribution" in repr(nq.indicators.entropy_index(panel()))


def test_a_frame_without_rows_is_named() -> None:
    empty = pd.DataFrame({"a": [], "b": []}, dtype=float)
    with pytest.raises(PanelError, match="frame has no rows"):
        nq.indicators.entropy_index(empty)


def test_a_window_of_years_is_that_of_the_rows():
    panel = nq.load_panel(["rd_intensity", "broadband_pc"])
    inside = panel[panel.index.get_level_values("year") >= 2015]
    found = nq.indicators.entropy_index(panel, years=(2015, 2024))
    pd.testing.assert_series_equal(found.scores, nq.indicators.entropy_index(inside).scores)
    with pytest.raises(PanelError, match=r"years=\(2015, 2030\): frame runs from 2010 to 2024"):
        nq.indicators.equal_index(panel, years=(2015, 2030))
    with pytest.raises(PanelError, match="units alone"):
        nq.indicators.pca_index(panel.xs(2020, level="year"), years=(2015, 2024))
