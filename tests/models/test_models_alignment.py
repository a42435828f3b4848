"""Labels, never positions: the same data in any order and under any name give the same bits; defects are named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from panels import panel, weights

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError, IdentificationError, IdentificationWarning, PanelError
from nqpf_spatial.weights import from_any

FORMULA = "ln_gdp_real_pc ~ ln_rd_intensity + pop_growth | province + year"
SMALL = "y ~ x1 + x2 | unit + period"


@pytest.fixture(scope="module")
def china() -> pd.DataFrame:
    return nq.load_panel()


@pytest.fixture(scope="module")
def queen() -> nq.weights.SpatialWeights:
    return nq.weights.contiguity()


@pytest.fixture(scope="module")
def base(china, queen) -> nq.models.SpatialFit:
    return nq.sdm(FORMULA, china, queen, years=(2012, 2024))


def assert_same_bits(fit: nq.models.SpatialFit, base: nq.models.SpatialFit) -> None:
    assert list(fit.params.index) == list(base.params.index)
    assert np.array_equal(fit.params.to_numpy(), base.params.to_numpy())
    assert np.array_equal(fit.bse.to_numpy(), base.bse.to_numpy())
    assert fit.llf == base.llf and fit.sigma2 == base.sigma2
    assert np.array_equal(fit.resid.to_numpy(), base.resid.to_numpy())
    ours, theirs = fit.provenance(), base.provenance()
    assert ours["data_checksum"] == theirs["data_checksum"]
    assert [w["checksum"] for w in ours["w"].values()] == [w["checksum"] for w in theirs["w"].values()]
    assert np.array_equal(fit.impacts().table.to_numpy(), base.impacts().table.to_numpy())


# -- the same bits -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [0, 1])
def test_shuffled_rows(china, queen, base, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(china))
    assert_same_bits(nq.sdm(FORMULA, china.iloc[order], queen, years=(2012, 2024)), base)


def test_shuffled_provinces_and_reversed_years(china, queen, base) -> None:
    names = list(china.index.get_level_values(0).unique())
    np.random.default_rng(3).shuffle(names)
    moved = pd.concat([china.loc[[n]].iloc[::-1] for n in names])
    assert_same_bits(nq.sdm(FORMULA, moved, queen, years=(2012, 2024)), base)


@pytest.mark.parametrize("names", ["zh", "adcode", "iso"])
@pytest.mark.parametrize("w_names", ["en", "zh"])
def test_names_in_any_form(base, names: str, w_names: str) -> None:
    panel_, w = nq.load_panel(names=names), nq.weights.contiguity(names=w_names)
    fit = nq.sdm(FORMULA, panel_, w, years=(2012, 2024))
    assert_same_bits(fit, base)
    mixed = panel_.iloc[np.random.default_rng(7).permutation(len(panel_))]
    assert_same_bits(nq.sdm(FORMULA, mixed, w, years=(2012, 2024)), base)
    assert list(fit.resid.index.get_level_values(0).unique()) == list(panel_.index.get_level_values(0).unique())


def test_weights_built_in_another_order(china, queen, base) -> None:
    frame = queen.to_frame()
    order = np.random.default_rng(5).permutation(31)
    w = from_any(frame.iloc[order, order], transform="none", name="queen")
    assert w.checksum == queen.checksum
    assert_same_bits(nq.sdm(FORMULA, china, w, years=(2012, 2024)), base)
    rows_only = from_any(frame.iloc[order], transform="none")
    assert_same_bits(nq.sdm(FORMULA, china, rows_only, years=(2012, 2024)), base)


def test_reordered_weights(china, queen, base) -> None:
    w = queen.reorder(list(queen.ids)[::-1])
    assert w.checksum == queen.checksum
    assert_same_bits(nq.sdm(FORMULA, china, w, years=(2012, 2024)), base)


@pytest.mark.parametrize("other", ["order", "language"])
def test_second_weights_in_another_order_or_language(china, queen, other: str) -> None:
    second = queen.reorder(list(queen.ids)[::-1]) if other == "order" else nq.weights.contiguity(names="zh")
    fit = nq.sdm(FORMULA, china, queen, w_durbin=second, years=(2012, 2024))
    same = nq.sdm(FORMULA, china, queen, w_durbin=queen, years=(2012, 2024))
    np.testing.assert_allclose(fit.params, same.params, rtol=1e-12)


def test_several_weights_of_different_units_are_refused_by_name() -> None:
    small = weights("knn").subset([f"c{i:02d}" for i in range(9)], islands="keep")
    with pytest.raises(AlignmentError, match="c09"):
        nq.sdm(SMALL, panel("knn"), weights("knn"), w_durbin=small)


def test_any_labels_in_any_order() -> None:
    """Numbers, text with numbers in it and mixed lengths: "u2" before "u10" or after, the result is the same."""
    w, frame = weights("knn"), panel("knn")
    for rename in (lambda u: int(u[1:]) + 1, lambda u: f"u{int(u[1:]) + 1}", lambda u: f"州{u}"):
        table = {u: rename(u) for u in w.ids}
        renamed = from_any(w.dense(), ids=[table[u] for u in w.ids], transform="none")
        moved = frame.rename(index=table, level=0).sample(frac=1.0, random_state=1)
        fit, same = nq.sdm(SMALL, moved, renamed), nq.sdm(SMALL, frame, w)
        np.testing.assert_allclose(fit.params, same.params, rtol=1e-10)
        assert fit.llf == pytest.approx(same.llf, rel=1e-13)
        back = nq.sdm(SMALL, moved.sample(frac=1.0, random_state=2), renamed)
        assert np.array_equal(back.params.to_numpy(), fit.params.to_numpy())


def test_results_come_back_under_the_labels_of_the_panel() -> None:
    w, frame = weights("knn"), panel("knn")
    fit = nq.sar(SMALL, frame.sample(frac=1.0, random_state=3), w)
    y = fit.resid + (frame["y"] - fit.resid)
    pd.testing.assert_series_equal(y.sort_index(), frame["y"].sort_index(), check_names=False)
    for t in (2001, 2004):
        wy = w.lag(frame["y"].xs(t, level=1))
        composite = frame["y"].xs(t, level=1) - fit.rho * wy
        assert composite.index.equals(pd.Index(w.ids, name="unit"))


# -- units and rows ------------------------------------------------------------------------------------------
def test_weights_that_lack_a_province(china, queen) -> None:
    w = queen.subset([u for u in queen.ids if u != "Qinghai"])
    with pytest.raises(AlignmentError, match=r"Only in the panel: Qinghai\. Add them to W or take them out"):
        nq.sdm(FORMULA, china, w, years=(2012, 2024))


def test_panel_that_lacks_a_province(china, queen) -> None:
    with pytest.raises(AlignmentError, match=r"Only in W: Tibet\. Take them out with w\.subset"):
        nq.sdm(FORMULA, china.drop("Tibet", level=0), queen, years=(2012, 2024))


def test_both_lack_one(china, queen) -> None:
    w = queen.subset([u for u in queen.ids if u != "Qinghai"])
    with pytest.raises(AlignmentError) as caught:
        nq.sdm(FORMULA, china.drop("Tibet", level=0), w, years=(2012, 2024))
    assert "Only in the panel: Qinghai" in str(caught.value) and "Only in W: Tibet" in str(caught.value)


def test_one_province_under_two_names(china, queen) -> None:
    twice = pd.concat([china, china.loc[["Beijing"]].rename(index={"Beijing": "北京"}, level=0)])
    with pytest.raises(AlignmentError, match=r"Beijing, 北京|北京, Beijing"):
        nq.sdm(FORMULA, twice, queen, years=(2012, 2024))


def test_shaanxi_and_shanxi_are_not_confused(china, queen, base) -> None:
    swapped = china.rename(index={"Shaanxi": "Shanxi", "Shanxi": "Shaanxi"}, level=0)
    fit = nq.sdm(FORMULA, swapped, queen, years=(2012, 2024))
    assert abs(fit.rho - base.rho) > 1e-4


def test_a_province_that_lacks_a_year(china, queen) -> None:
    with pytest.raises(PanelError, match="not balanced, these rows are absent: Gansu 2015"):
        nq.sdm(FORMULA, china.drop(("Gansu", 2015)), queen, years=(2012, 2024))


def test_a_row_that_occurs_twice(china, queen) -> None:
    twice = pd.concat([china, china.loc[[("Gansu", 2015)]]])
    with pytest.raises(PanelError, match="more than once: Gansu 2015"):
        nq.sdm(FORMULA, twice, queen, years=(2012, 2024))


def test_levels_in_the_wrong_order(china, queen) -> None:
    with pytest.raises(PanelError, match=r"in the order \(year, province\); use data\.swaplevel"):
        nq.sdm(FORMULA, china.swaplevel(), queen)
    with pytest.raises(PanelError, match=r"use data\.swaplevel"):
        nq.sdm(FORMULA, china.swaplevel(), queen, years=(2012, 2024))


def test_numbers_and_text_that_look_alike_are_told_apart() -> None:
    ids = [str(k) for k in range(1, 11)]
    w = from_any(weights("knn").dense(), ids=[int(k) for k in ids], transform="none")
    frame = panel("knn").rename(index=dict(zip(weights("knn").ids, ids, strict=True)), level=0)
    with pytest.raises(AlignmentError, match=r"str|text|type"):
        nq.sar(SMALL, frame, w)


# -- cells and columns ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", ["y", "x2"])
def test_missing_and_infinite_cells(value: float, column: str) -> None:
    frame = panel("knn").copy()
    frame.loc[("c03", 2004), column] = value
    with pytest.raises(PanelError, match=f"missing or infinite values in 1 cells: {column} c03 2004"):
        nq.sdm(SMALL, frame, weights("knn"))
    frame["x3"] = frame["x2"]
    frame.loc[("c03", 2004), column] = 0.0
    frame.loc[("c05", 2002), "x3"] = value
    assert np.isfinite(nq.sdm(SMALL, frame, weights("knn")).llf)  # a cell that is not used does not matter


def test_missing_cells_of_nullable_columns() -> None:
    frame = panel("knn").astype({"x2": "Float64"})
    frame.loc[("c03", 2004), "x2"] = pd.NA
    with pytest.raises(PanelError, match="x2 c03 2004"):
        nq.sdm(SMALL, frame, weights("knn"))


def test_text_columns() -> None:
    frame = panel("knn").assign(x2=lambda d: d["x2"].map("{:.3f}".format))
    with pytest.raises(PanelError, match=r"not numeric: 'x2' .*pd\.to_numeric, or write C\(x2\)"):
        nq.sdm(SMALL, frame, weights("knn"))


def test_unknown_variable_names_the_nearest() -> None:
    with pytest.raises(PanelError, match=r"no column 'x11' \(nearest: x1"):
        nq.sdm("y ~ x11 | unit", panel("knn"), weights("knn"))


def test_a_column_that_occurs_twice() -> None:
    frame = panel("knn")
    double = pd.concat([frame, frame[["x1"]]], axis=1)
    with pytest.raises(PanelError, match="occur twice in the data: x1"):
        nq.sdm(SMALL, double, weights("knn"))


@pytest.mark.parametrize(
    ("effects", "maker"),
    [
        ("unit", lambda d: d.groupby(level=0)["x1"].transform("mean")),
        ("period", lambda d: d.groupby(level=1)["x1"].transform("mean")),
        ("unit + period", lambda d: d.groupby(level=0)["x1"].transform("mean")),
        (
            "unit + period",
            lambda d: d.groupby(level=0)["x1"].transform("mean") + d.groupby(level=1)["x2"].transform("sum"),
        ),
        ("unit", lambda d: 7.0 + 0.0 * d["x1"]),
        ("period", lambda d: 7.0 + 0.0 * d["x1"]),
    ],
)
def test_columns_that_the_effects_absorb(effects: str, maker) -> None:
    frame = panel("knn")
    frame = frame.assign(area=maker(frame) + 1e6)
    with pytest.raises(IdentificationError, match=f"absorbed by the {effects.replace('+', 'and')} effects: area"):
        nq.sar(f"y ~ x1 + area | {effects}", frame, weights("knn"))


def test_a_trend_and_its_lag_are_absorbed() -> None:
    frame = panel("ring")
    year = frame.index.get_level_values(1).to_numpy(dtype=float)
    with pytest.raises(IdentificationError, match="absorbed by the unit and period effects: trend, W:trend"):
        nq.sdm("y ~ x1 + trend | unit + period", frame.assign(trend=year), weights("ring"))


def test_constant_and_collinear_columns() -> None:
    frame = panel("knn").assign(one=3.0, both=lambda d: 2 * d["x1"] - d["x2"])
    with pytest.raises(IdentificationError, match="linear combinations of the regressors before them: one"):
        nq.sar("y ~ x1 + one", frame, weights("knn"))
    with pytest.raises(IdentificationError, match="linear combinations of the regressors before them: both"):
        nq.sar("y ~ x1 + x2 + both | unit", frame, weights("knn"))
    with pytest.raises(IdentificationError, match="W:both"):
        nq.sdm("y ~ x1 + x2 + both", frame, weights("knn"))


def test_more_coefficients_than_observations() -> None:
    frame = panel("knn").xs(2001, level=1)
    rng = np.random.default_rng(0)
    wide = frame.assign(**{f"z{k}": rng.normal(size=len(frame)) for k in range(8)})
    with pytest.raises(IdentificationError, match=r"observations|linear combinations"):
        nq.sdm("y ~ x1 + x2 + " + " + ".join(f"z{k}" for k in range(8)), wide, weights("knn"))


# -- arguments -----------------------------------------------------------------------------------------------
def test_unknown_effects_models_and_options() -> None:
    frame, w = panel("knn"), weights("knn")
    with pytest.raises(PanelError, match=r"'province' are not levels of the index; the index has 'unit', 'period'"):
        nq.sdm("y ~ x1 | province", frame, w)
    with pytest.raises(ValueError, match="model='SDN' is not known; choose one of OLS, SLX, SAR"):
        nq.fit("y ~ x1", frame, w, model="SDN")
    with pytest.raises(ValueError, match="correction='lee-yu' is not known; choose one of 'transform'"):
        nq.sdm("y ~ x1", frame, w, correction="lee-yu")
    with pytest.raises(ValueError, match="vcov='robust' is not known; choose one of 'observed'"):
        nq.sdm("y ~ x1", frame, w, vcov="robust")
    with pytest.raises(ValueError, match="needs spatial weights"):
        nq.fit("y ~ x1", frame, model="SDM")
    with pytest.raises(ValueError, match="durbin= has no meaning in a SAR model"):
        nq.sar("y ~ x1", frame, w, durbin=["x1"])
    with pytest.raises(ValueError, match="the data have no column 'z'"):
        nq.sdm("y ~ x1 | unit", frame, w, durbin=["z"])
    with pytest.raises(ValueError, match="w_error has no meaning in a SAR model"):
        nq.sar("y ~ x1", frame, w, w_error=w)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ x1 | unit | period", "more than one"),
        ("y ~ x1 |", "names no effects"),
        ("y ~ x1 | unit + unit", "names an effect twice"),
        ("~ x1", "exactly one outcome"),
        ("y + x2 ~ x1", "exactly one outcome"),
        ("y ~ x1 +* x2", "cannot be read"),
    ],
)
def test_formulas_that_are_none(formula: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nq.sar(formula, panel("knn"), weights("knn"))


def test_years() -> None:
    frame, w = panel("knn"), weights("knn")
    fit = nq.sar(SMALL, frame, w, years=(2002, 2005))
    assert fit.nobs == 40 and fit.provenance()["periods"] == ["2002", "2003", "2004", "2005"]
    inside = frame[frame.index.get_level_values(1).isin([2002, 2003, 2004, 2005])]
    assert nq.sar(SMALL, inside, w).llf == fit.llf
    with pytest.raises(PanelError, match="have no 1999; they run from 2001 to 2006"):
        nq.sar(SMALL, frame, w, years=(1999, 2005))
    with pytest.raises(ValueError, match=r"give \(first, last\)"):
        nq.sar(SMALL, frame, w, years=2005)
    with pytest.raises(PanelError, match="cross-section"):
        nq.sar("y ~ x1", frame.xs(2001, level=1), w, years=(2001, 2001))


def test_effects_in_a_cross_section() -> None:
    with pytest.raises(PanelError, match="a cross-section has no fixed effects"):
        nq.sar("y ~ x1 | unit", panel("knn").xs(2001, level=1), weights("knn"))


def test_unlabelled_objects() -> None:
    frame, w = panel("knn"), weights("knn")
    with pytest.raises(TypeError, match=r"w is a ndarray; turn it into labelled weights with nq\.weights\.from_any"):
        nq.sar(SMALL, frame, w.dense())
    with pytest.raises(TypeError, match="w_durbin is a W"):
        nq.sdm(SMALL, frame, w, w_durbin=w.to_W())
    with pytest.raises(PanelError, match="data must be a DataFrame with index"):
        nq.sar(SMALL, frame.to_numpy(), w)
    with pytest.raises(PanelError, match="the index has 3 levels"):
        nq.sar(SMALL, pd.concat([frame], keys=["a"], names=["k"]), w)
    with pytest.raises(PanelError, match="no rows"):
        nq.sar(SMALL, frame.iloc[:0], w)


# -- weights -------------------------------------------------------------------------------------------------
def test_islands_are_refused_when_weights_are_made_and_with_time_effects() -> None:
    alone = weights("knn").dense()
    alone[3] = 0.0
    with pytest.raises(AlignmentError, match="no neighbours: c03"):
        from_any(alone, ids=weights("knn").ids)
    kept = from_any(alone, ids=weights("knn").ids, islands="keep")
    with pytest.raises(IdentificationError, match="needs rows of W that sum to one"):
        nq.sar(SMALL, panel("knn"), kept)
    assert np.isfinite(nq.sar("y ~ x1 + x2 | unit", panel("knn"), kept).rho)


@pytest.mark.parametrize("model", ["SAR", "SDM", "SEM", "SAC"])
def test_transformation_of_time_effects_needs_rows_that_sum_to_one(model: str) -> None:
    w = weights("graph", transform="none")
    with pytest.raises(IdentificationError, match=r"graph-none.*with_transform"):
        nq.fit("y ~ x1 + x2 | unit + period", panel("graph"), w, model=model)
    with pytest.raises(IdentificationError, match="graph-none"):
        nq.fit("y ~ x1 + x2 | period", panel("graph"), w, model=model)


def test_error_weights_that_change_the_time_effects_are_refused() -> None:
    with pytest.raises(IdentificationError, match=r"so the error filter changes the time.*C\(period\)"):
        nq.sem(SMALL, panel("graph"), weights("graph", transform="none"), correction="none")


def test_one_period_has_no_unit_effects() -> None:
    one = panel("knn").loc[(slice(None), slice(2001, 2001)), :]
    with pytest.raises(IdentificationError, match="absorbed by the unit effects: x1"):
        nq.sar("y ~ x1 | unit", one, weights("knn"))
    with pytest.raises(IdentificationError, match="unit effects need at least two periods"):
        nq.sar("y ~ 1 | unit", one, weights("knn"))


def test_maximum_at_the_end_of_the_interval_warns() -> None:
    """An outcome that is its own lag times one, and noise: the likelihood rises up to rho = 1."""
    w = weights("ring")
    rng = np.random.default_rng(1)
    frame = panel("ring").copy()
    level = rng.normal(size=6).cumsum()[None, :] * np.ones((10, 1))
    frame["y"] = (100 * level + 1e-4 * rng.normal(size=(10, 6))).ravel()
    with pytest.warns(IdentificationWarning, match="end of the admissible interval"):
        nq.sar("y ~ x1", frame, w)


def test_equal_weights_with_time_effects_do_not_identify_lambda() -> None:
    w = from_any(np.ones((10, 10)) - np.eye(10), ids=weights("knn").ids)
    with pytest.raises(IdentificationError):
        nq.sem(SMALL, panel("knn"), w)


def test_equal_weights_with_time_effects_do_not_identify_rho() -> None:
    w = from_any(np.ones((10, 10)) - np.eye(10), ids=weights("knn").ids)
    with pytest.raises(IdentificationError, match="rho is not identified"):
        nq.sar(SMALL, panel("knn"), w)


def test_sequences_of_weights_are_refused_where_one_matrix_is_needed(china, queen) -> None:
    """As w they are estimated with (tests/models/test_models_several.py); the weights of an error are one matrix."""
    from nqpf_spatial.weights import sequence

    both = sequence({2012: queen, 2013: queen})
    with pytest.raises(
        TypeError, match=r"w_error is a sequence of weights; one matrix is needed here, w_error\[year\]"
    ):
        nq.sem(FORMULA, china, queen, w_error=both, years=(2012, 2013))
    with pytest.raises(ValueError, match="a spatial error takes one matrix"):
        nq.sem(FORMULA, china, both, years=(2012, 2013))


@pytest.mark.parametrize(
    ("label", "given", "words"),
    [
        (lambda t: str(2000 + t), (2001, 2004), r"holds text, not int: .* years=\('2001', '2005'\)"),
        (lambda t: pd.Period(str(2000 + t), "Y"), (2001, 2004), r"holds Period, not int: .*pd.Period\('2001'\)"),
        (lambda t: pd.Timestamp(2000 + t, 12, 31), (2001, 2004), r"holds Timestamp, not int: .*pd.Timestamp\('2001-12-31'\)"),
        # any day of 2004 would be "in" the index, and all of them lie after the first
        (lambda t: pd.Timestamp(2000 + t, 12, 31), ("2001", "2004"), "holds Timestamp, not str"),
        (lambda t: 2000 + t, ("2001", "2004"), r"holds numbers, not str: .*years=\(2001, 2005\)"),
        (lambda t: 2000 + t, (1999, 2004), "the data have no 1999; they run from 2001 to 2005$"),
    ],
)  # fmt: skip
def test_years_of_another_kind_than_the_labels(label, given, words) -> None:
    w = nq.weights.contiguity()
    data = nq.simulate("SAR", w, T=5, params={"x": 1.0, "rho": 0.3}, seed=1)
    named = [label(t) for t in data.index.get_level_values(1)]
    data = data.set_axis(pd.MultiIndex.from_arrays([data.index.get_level_values(0), named], names=["province", "year"]))
    with pytest.raises(PanelError, match=words):
        nq.sar("y ~ x", data, w, years=given)
    kinds = words.split(":")[0].removesuffix("; they run from 2001 to 2005$").replace("the data have", "the fit has")
    with pytest.raises(PanelError, match=kinds):
        nq.sar("y ~ x", data, w).counterfactual({"x": 1.0}, years=given)
    own = nq.sar("y ~ x", data, w, years=(label(2), label(4)))
    assert own.estimate.design.periods == (label(2), label(3), label(4))


def test_least_squares_keep_w_for_their_tests_and_pictures_alone() -> None:
    w, other = nq.weights.contiguity(), nq.weights.inverse_distance()
    data = nq.simulate("SAR", w, T=5, params={"x": 1.0, "rho": 0.3}, seed=1)
    plain, given = nq.ols("y ~ x | unit + period", data), nq.ols("y ~ x | unit + period", data, w)
    pd.testing.assert_frame_equal(given.tidy(), plain.tidy())
    assert given.w is None and given.glance()["w"] is None
    assert f"W of the tests alone: {w.name}" in given.summary() and w.name not in plain.summary()
    assert given.provenance()["w"] == {"tests": {"name": w.name, "checksum": w.checksum}}
    pd.testing.assert_frame_equal(given.diagnose().table, plain.diagnose(w=w).table)
    pd.testing.assert_frame_equal(given.diagnose(w=other).table, plain.diagnose(w=other).table)
    with pytest.raises(AlignmentError, match="Tibet"):
        nq.ols("y ~ x", data.drop("Tibet", level=0), w)
    dropped = data.copy()
    dropped.iloc[0, 0] = np.nan
    units = nq.ols("y ~ x", dropped, w, missing="drop_units", subset="restandardise")
    assert units.estimate.weights.tests.n == units.estimate.design.shape[1] == 30


def test_least_squares_take_one_w() -> None:
    w = nq.weights.contiguity()
    data = nq.simulate("SAR", w, T=5, params={"x": 1.0, "rho": 0.3}, seed=1)
    with pytest.raises(ValueError, match="not for OLS, which has no spatial term"):
        nq.ols("y ~ x", data, [w, nq.weights.inverse_distance()])


def test_categories_without_rows_do_not_matter() -> None:
    w, formula = nq.weights.contiguity().subset(["Beijing", "Tianjin", "Hebei", "Shanxi", "Henan"]), "y ~ x | unit"
    data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "rho": 0.3}, seed=1)
    plain = data.reset_index().assign(period=lambda d: d["period"] + 2010)
    coded = plain.assign(
        unit=pd.Categorical(plain["unit"], categories=[*nq.weights.contiguity().ids, "Total"]),
        period=pd.Categorical(plain["period"], categories=range(2000, 2020), ordered=True),
    )
    first, again = (d.set_index(["unit", "period"]) for d in (plain, coded))
    for years in (None, (2012, 2015)):
        pd.testing.assert_series_equal(
            nq.sar(formula, first, w, years=years).params, nq.sar(formula, again, w, years=years).params
        )
    numbers = coded.assign(
        unit=pd.Categorical(plain["unit"].map(dict(zip(w.ids, range(5), strict=True))), categories=range(9))
    )
    by_number = nq.weights.from_any(w.dense(), ids=range(5))
    found = nq.sar(formula, numbers.set_index(["unit", "period"]), by_number)
    assert found.rho == pytest.approx(nq.sar(formula, first, w).rho, rel=1e-9)


@pytest.mark.parametrize("ordered", [False, True])
def test_categories_of_periods_have_the_order_of_what_they_are(ordered: bool) -> None:
    """A categorical level keeps the order in which its values were met; years go by their numbers whatever that is."""
    w = nq.weights.contiguity()
    data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "L:y": 0.2, "rho": 0.2}, seed=1)
    flat = data.reset_index()
    flat["period"] = pd.Categorical(flat["period"], categories=[6, 5, 4, 3, 2, 1], ordered=ordered)
    mixed = flat.set_index(["unit", "period"])
    for options in ({}, {"years": (2, 5)}, {"dynamic": "lag_y"}):
        one, two = (nq.sar("y ~ x | unit + period", d, w, **options) for d in (data, mixed))
        assert one.estimate.design.periods == two.estimate.design.periods
        pd.testing.assert_series_equal(one.params, two.params)


def test_ordered_words_for_periods_keep_their_order() -> None:
    w = nq.weights.contiguity()
    flat = nq.simulate("SAR", w, T=3, params={"x": 1.0, "rho": 0.3}, seed=1).reset_index()
    flat["period"] = pd.Categorical.from_codes(flat["period"] - 1, ["start", "middle", "end"], ordered=True)
    fit = nq.sar("y ~ x | unit", flat.set_index(["unit", "period"]), w, years=("start", "middle"))
    assert fit.estimate.design.periods == ("start", "middle")


def test_levels_of_one_name_are_an_error() -> None:
    w = nq.weights.contiguity()
    data = nq.simulate("SAR", w, T=3, params={"x": 1.0, "rho": 0.3}, seed=1)
    data.index.names = ["unit", "unit"]
    with pytest.raises(PanelError, match="both levels of the index are named 'unit'"):
        nq.sar("y ~ x | unit", data, w)


def test_error_weights_are_refused_with_advice_that_works() -> None:
    w = nq.weights.contiguity(transform="spectral")
    data = nq.simulate("SAR", w, T=3, params={"x": 1.0, "rho": 0.3}, seed=1)
    for correction in ("transform", "score", "none"):
        with pytest.raises(IdentificationError, match="error filter changes the time effects"):
            nq.sem("y ~ x | period", data, w, correction=correction)
