"""Our weights, data and results in the hands of spreg, esda, giddy, geopandas and pandas, against their own numbers."""

import re

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq


@pytest.fixture(scope="module")
def w():
    return nq.weights.lattice(6, 6)


@pytest.fixture(scope="module")
def panel(w):
    return nq.simulate("SAR", w, T=5, params={"x": 1.0, "rho": 0.4}, seed=1)


@pytest.fixture(scope="module")
def cross(panel):
    return panel.xs(1, level="period")


def test_spreg_takes_our_w_and_finds_the_same_lag_model(w, cross, others_warn):
    spreg = pytest.importorskip("spreg")
    theirs = spreg.ML_Lag(cross[["y"]].to_numpy(), cross[["x"]].to_numpy(), w=w.to_W())
    ours = nq.sar("y ~ x", cross.sample(frac=1, random_state=0), w.reorder(reversed(w.ids)), vcov="expected")
    np.testing.assert_allclose(ours.params, theirs.betas.ravel(), atol=1e-6)
    np.testing.assert_allclose(ours.bse, theirs.std_err, rtol=1e-5)
    np.testing.assert_allclose(ours.llf, theirs.logll, rtol=1e-9)


def test_spreg_panel_stacks_by_period(w, panel, others_warn):
    spreg = pytest.importorskip("spreg")
    wide = [panel[name].unstack("period").loc[list(w.ids)].to_numpy() for name in ("y", "x")]
    theirs = spreg.Panel_FE_Lag(*wide, w.to_W())
    ours = nq.sar("y ~ x | unit", panel, w, correction="none")
    np.testing.assert_allclose(ours.params, theirs.betas.ravel(), atol=1e-5)


def test_spreg_diagnoses_the_residuals_of_our_ols(w, cross, others_warn):
    spreg = pytest.importorskip("spreg")
    theirs = spreg.OLS(cross[["y"]].to_numpy(), cross[["x"]].to_numpy(), w=w.to_W(), spat_diag=True)
    ours = nq.ols("y ~ x", cross)
    np.testing.assert_allclose(ours.params, theirs.betas.ravel(), rtol=1e-10)
    np.testing.assert_allclose(ours.resid.loc[list(w.ids)], theirs.u.ravel(), atol=1e-12)
    statistics = ours.diagnose(w=w).table["statistic"].astype(float).to_numpy()
    for statistic, _ in (theirs.lm_lag, theirs.lm_error, theirs.rlm_lag, theirs.rlm_error):
        assert np.isclose(statistics, statistic, rtol=1e-9).any()


@pytest.mark.parametrize("form", ["to_W", "to_graph"])
def test_esda_moran_of_a_column_and_of_residuals(w, cross, form, others_warn):
    esda = pytest.importorskip("esda")
    fit = nq.sar("y ~ x", cross, w)
    for column in (cross["y"], fit.resid):
        theirs = esda.Moran(column.loc[list(w.ids)].to_numpy(), getattr(w, form)(), permutations=0)
        ours = nq.weights.moran(column.sample(frac=1, random_state=3), w, permutations=99).iloc[0]
        assert np.isclose(ours["statistic"], theirs.I, rtol=1e-12)
        assert np.isclose(ours["expected"], theirs.EI, rtol=1e-12)


def test_giddy_spatial_markov_with_our_w(others_warn):
    markov = pytest.importorskip("giddy.markov")
    queen = nq.weights.contiguity()
    income = nq.load_panel(["gdp_real_pc"], (2012, 2023))["gdp_real_pc"]  # no documented break inside
    wide = income.unstack("year").loc[list(queen.ids)]
    theirs = markov.Spatial_Markov((wide / wide.mean()).to_numpy(), queen.to_W(), fixed=True, k=4, m=4)
    ours = nq.divergence.spatial_markov(income.sample(frac=1, random_state=0), queen, k=4)
    np.testing.assert_array_equal(ours.counts.to_numpy().reshape(4, 4, 4), theirs.T)
    np.testing.assert_allclose(ours.tests["lr"].statistic, theirs.LR, rtol=1e-9)


def squares(n=4):
    geopandas = pytest.importorskip("geopandas")
    from shapely.geometry import box

    cells = [(i, j) for i in range(n) for j in range(n)]
    shapes = [box(j, i, j + 1, i + 1) for i, j in cells]
    return geopandas.GeoDataFrame({"id": [f"s{i}{j}" for i, j in cells]}, geometry=shapes)


def test_geopandas_frame_to_weights_to_fit_and_back_to_the_frame():
    from libpysal.graph import Graph

    gdf = squares().sample(frac=1, random_state=4)
    w = nq.weights.contiguity(gdf=gdf, ids="id", transform="none")
    peer = Graph.build_contiguity(gdf.set_index("id"), rook=False)
    assert nq.weights.from_any(peer, transform="none") == w
    rowed = w.with_transform("row")
    data = nq.simulate("SDM", rowed, T=6, params={"x": 1.0, "W:x": 0.5, "rho": 0.3}, seed=2)
    fit = nq.sdm("y ~ x | unit + period", data, rowed)
    effects = fit.impacts().by_unit()["x"]
    joined = gdf.merge(effects, left_on="id", right_index=True, validate="one_to_one")
    assert type(joined) is type(gdf) and len(joined) == 16
    multiplier = np.linalg.inv(np.eye(16) - fit.rho * rowed.dense())
    partial = multiplier @ (fit.params["x"] * np.eye(16) + fit.params["W:x"] * rowed.dense())
    direct = pd.Series(np.diag(partial), index=list(rowed.ids))
    np.testing.assert_allclose(joined["own"], direct.loc[joined["id"]], rtol=1e-10)


@pytest.fixture(scope="module")
def fits(w, panel):
    return {"unit": nq.sdm("y ~ x | unit", panel, w), "both": nq.sdm("y ~ x | unit + period", panel, w)}


def test_pandas_styles_the_tables(fits):
    pytest.importorskip("jinja2")
    tidy = fits["both"].tidy()
    page = tidy.style.format("{:.6f}").highlight_max(axis=0).to_html()
    cells = re.findall(r"<td[^>]*>([^<]+)</td>", page)
    assert cells == [f"{v:.6f}" for v in tidy.to_numpy().ravel()]
    impacts = fits["both"].impacts().table
    tex = impacts.style.format("{:.4f}").to_latex(multicol_align="c")
    for effect in ("direct", "indirect", "total"):
        assert f"{impacts.loc['x', (effect, 'estimate')]:.4f}" in tex


def test_pandas_joins_tables_and_panels_with_their_attributes(fits):
    stacked = pd.concat({name: fit.tidy() for name, fit in fits.items()}, names=["fit"])
    for name, fit in fits.items():
        pd.testing.assert_frame_equal(stacked.loc[name], fit.tidy(), check_names=False)
    panel = nq.load_panel(["gdp", "rd_expenditure"], (2020, 2023))
    beside = pd.concat([panel[["gdp"]], panel[["rd_expenditure"]].sample(frac=1, random_state=0)], axis=1)
    pd.testing.assert_frame_equal(beside.sort_index(), panel.sort_index())
    merged = panel[["gdp"]].merge(panel[["rd_expenditure"]], left_index=True, right_index=True)
    pd.testing.assert_frame_equal(merged, panel)


def test_statsmodels_and_linear_algebra_take_the_vectors_as_they_are(fits, w, panel):
    import statsmodels.api as sm

    fit = fits["unit"]
    lagged = w.lag(panel["x"]).rename("wx")
    frame = panel.join(lagged)
    within = frame - frame.groupby(level="unit").transform("mean")
    wy = w.lag(panel["y"])
    outcome = within["y"] - fit.rho * (wy - wy.groupby(level="unit").transform("mean"))
    peer = sm.OLS(outcome, within[["x", "wx"]]).fit()  # the slopes of the likelihood, given its rho
    np.testing.assert_allclose(fit.params[["x", "W:x"]], peer.params, rtol=1e-9)
