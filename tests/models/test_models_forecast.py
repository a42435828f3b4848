"""Predictions and forecasts: textbook variances, conditional normals, brute-force paths, coverage, and what must be said."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from panels import EFFECTS, SWITCHES, panel, weights

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError, PanelError

N, LAST = 12, 2009


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return panel("knn", n=N, t=11)


@pytest.fixture(scope="module")
def past(frame) -> pd.DataFrame:
    return frame[frame.index.get_level_values(1) <= LAST]


@pytest.fixture(scope="module")
def ahead(frame) -> pd.DataFrame:
    return frame.loc[frame.index.get_level_values(1) > LAST, ["x1", "x2"]]


def fitted(past: pd.DataFrame, model: str, effects: str = "twoways", **options):
    w = None if model == "OLS" else weights("knn", N)
    return nq.fit(f"y ~ x1 + x2{EFFECTS[effects]}", past, w, model=model, **options)


def rule(effects: str, name: str = "last") -> str | None:
    return name if effects in ("time", "twoways") else None


# -- in the sample ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", ["SAR", "SEM", "SAC", "GNS", "OLS"])
def test_best_predictor_is_the_conditional_mean_of_the_normal_distribution(model, past) -> None:
    fit = fitted(past, model, "unit")
    w = np.zeros((N, N)) if fit.w is None else weights("knn", N).dense()
    a = np.eye(N) - (fit.rho or 0.0) * w
    b = np.eye(N) - (fit.lambda_ or 0.0) * w
    covariance = np.linalg.inv(a.T @ b.T @ b @ a)
    units = list(weights("knn", N).ids)
    y, m, found = (s.unstack("unit")[units].to_numpy() for s in (past["y"], fit.predict(), fit.predict("BP")))
    for i in (0, 5, 11):
        others = np.delete(np.arange(N), i)
        weight = np.linalg.solve(covariance[np.ix_(others, others)], covariance[others, i])
        np.testing.assert_allclose(found[:, i], m[:, i] + (y[:, others] - m[:, others]) @ weight, rtol=1e-9, atol=1e-10)


def test_kinds_in_a_lag_model(past) -> None:
    fit = fitted(past, "SDM")
    w = weights("knn", N)
    pd.testing.assert_series_equal(fit.predict("TS"), past["y"] - fit.resid, check_names=False)
    wy = w.lag(past["y"])
    pd.testing.assert_series_equal(
        fit.predict("trend"), fit.predict("TS") - fit.rho * wy, check_names=False, rtol=1e-9, atol=1e-10
    )
    m = fit.predict()
    np.testing.assert_allclose(m - fit.rho * w.lag(m), fit.predict("trend"), atol=1e-10)
    with pytest.raises(ValueError, match="kind='xy'"):
        fit.predict("xy")
    with pytest.raises(ValueError, match="after the sample"):
        fit.predict(time_effect="last")


def test_large_weights_stay_sparse() -> None:
    """1,600 units, beyond the dense algebra of the estimates."""
    n = 40
    line = np.arange(n * n).reshape(n, n)
    pairs = [
        *zip(line[:, :-1].ravel(), line[:, 1:].ravel(), strict=True),
        *zip(line[:-1].ravel(), line[1:].ravel(), strict=True),
    ]
    rows = pd.DataFrame(
        [(i, j, 1.0) for i, j in pairs] + [(j, i, 1.0) for i, j in pairs], columns=["focal", "neighbor", "weight"]
    )
    w = nq.weights.from_any(rows, ids=[int(i) for i in line.ravel()])
    data = nq.simulate("SAR", w, params={"x": 1.0, "rho": 0.4}, seed=2)
    fit = nq.sar("y ~ x", data, w)
    m, bp = fit.predict(), fit.predict("BP")
    wm = w.lag(m)
    np.testing.assert_allclose(m - fit.rho * wm, fit.params["Intercept"] + fit.params["x"] * data["x"], atol=1e-8)
    errors = [float(((data["y"] - v) ** 2).mean()) for v in (m, bp)]
    assert errors[1] < errors[0]


# -- paths ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("effects", list(EFFECTS))
@pytest.mark.parametrize("model", list(SWITCHES))
def test_point_forecast_is_the_reduced_form_with_the_effects_of_the_fit(model, effects, past, ahead) -> None:
    fit = fitted(past, model, effects)
    w, p = weights("knn", N), fit.params
    dense = w.dense()
    units = list(w.ids)
    signal = sum(
        p.get(x, 0.0) * ahead[x].unstack("unit")[units].to_numpy()
        + p.get(f"W:{x}", 0.0) * ahead[x].unstack("unit")[units].to_numpy() @ dense.T
        for x in ("x1", "x2")
    ) + p.get("Intercept", 0.0)
    fixed = fit.fixed_effects()
    level = fixed.get("intercept", pd.Series([0.0])).iloc[0]
    unit = fixed["unit"][units].to_numpy() if "unit" in fixed else np.zeros(N)
    choices = {None: (0.0, 0.0)} if "period" not in fixed else {
        "last": (fixed["period"].iloc[-1],) * 2,
        "mean": (0.0, 0.0),
        "trend": tuple(np.polyval(np.polyfit(np.arange(9), fixed["period"], 1), [9, 10])),
    }  # fmt: skip
    if "period" in fixed:
        choices[0.25] = (0.25, 0.25)
    for choice, steps in choices.items():
        eye = np.eye(N)
        expected = np.stack(
            [
                np.linalg.solve(eye - p.get("rho", 0.0) * dense, s + level + unit + a)
                for s, a in zip(signal, steps, strict=True)
            ]
        )
        result = fit.forecast(ahead, time_effect=choice, method="delta")
        found = result.table["estimate"].unstack("unit")[units].to_numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
        pd.testing.assert_series_equal(
            fit.predict(data=ahead, time_effect=choice), result.table["estimate"], check_names=False, rtol=1e-12
        )


@pytest.mark.parametrize("assumed", ["last", "mean", "trend"])
def test_variance_is_that_of_the_textbook_regression_with_dummies(assumed, past, ahead) -> None:
    """Without spatial terms: x0'(X'X)^{-1} x0 with unit and time dummies, the new time effect a contrast of the old ones."""
    fit = fitted(past, "OLS")
    t = 9
    ordered = past.sort_index()
    index = ordered.index
    unit_d = pd.get_dummies(index.get_level_values(0), dtype=float).to_numpy()
    time_d = pd.get_dummies(index.get_level_values(1), dtype=float).to_numpy()
    x = np.column_stack([ordered[["x1", "x2"]], unit_d, time_d])
    inverse = np.linalg.pinv(x.T @ x)
    trend = np.array([[1, 9.0], [1, 10.0]]) @ np.linalg.pinv(np.column_stack([np.ones(t), np.arange(t)]))
    contrast = {"last": np.eye(t)[[-1, -1]], "mean": np.full((2, t), 1 / t), "trend": trend}[assumed]
    result = fit.forecast(ahead, time_effect=assumed, method="delta").table
    for (unit, period), row in result.iterrows():
        new = np.concatenate(
            [ahead.loc[(unit, period)], np.eye(N)[list(weights("knn", N).ids).index(unit)], contrast[period - 2010]]
        )
        variance = fit.sigma2 * new @ inverse @ new
        assert row["se_mean"] ** 2 == pytest.approx(variance, rel=1e-9)
        assert row["se"] ** 2 == pytest.approx(variance + fit.sigma2, rel=1e-9)
    dof = len(past) - np.linalg.matrix_rank(x) + 2  # sigma2 of the transformation likelihood does not count the slopes
    assert fit.sigma2 == pytest.approx(sm.OLS(ordered["y"], x[:, :-1]).fit().ssr / dof, rel=1e-9)


@pytest.mark.parametrize("effects", ["none", "time"])
def test_variance_without_unit_effects(effects, past, ahead) -> None:
    fit = fitted(past, "OLS", effects)
    ordered = past.sort_index()
    time_d = pd.get_dummies(ordered.index.get_level_values(1), dtype=float).to_numpy()
    x = np.column_stack([ordered[["x1", "x2"]], time_d if effects == "time" else np.ones(len(ordered))])
    new = np.column_stack(
        [ahead, np.tile(np.eye(9)[-1], (len(ahead), 1)) if effects == "time" else np.ones(len(ahead))]
    )
    variance = fit.sigma2 * np.einsum("ij,jk,ik->i", new, np.linalg.inv(x.T @ x), new)
    table = fit.forecast(ahead, time_effect=rule(effects), method="delta").table.reindex(ahead.index)
    np.testing.assert_allclose(table["se_mean"] ** 2, variance, rtol=1e-9)


def test_draws_agree_with_the_delta_method(past) -> None:
    data = panel("knn", n=30, t=15)
    w = weights("knn", 30)
    train, new = (
        data[data.index.get_level_values(1) < 2014],
        data.loc[data.index.get_level_values(1) >= 2014, ["x1", "x2"]],
    )
    for model, effects in (("SDM", "twoways"), ("SAC", "unit"), ("SDEM", "time")):
        fit = nq.fit(f"y ~ x1 + x2{EFFECTS[effects]}", train, w, model=model)
        options = {"time_effect": rule(effects), "time_sd": 0.3 if rule(effects) else 0.0}
        delta = fit.forecast(new, method="delta", **options).table
        drawn = fit.forecast(new, draws=6_000, seed=1, **options)
        np.testing.assert_allclose(drawn.table["se"], delta["se"], rtol=0.05)
        np.testing.assert_allclose(drawn.table["se_mean"], delta["se_mean"], rtol=0.06)
        np.testing.assert_array_equal(drawn.table["estimate"], delta["estimate"])
        again = fit.forecast(new, draws=6_000, seed=1, **options)
        pd.testing.assert_frame_equal(again.table, drawn.table, check_exact=True)
    other = fit.forecast(new, method="bootstrap", draws=400, time_effect="last").table  # SDEM, residual bootstrap
    np.testing.assert_allclose(
        other["se"], fit.forecast(new, method="delta", time_effect="last").table["se"], rtol=0.25
    )


@pytest.mark.parametrize(("model", "error"), [("SAR", None), ("SEM", "kkp"), ("SEM", "baltagi"), ("SDM", None)])
@pytest.mark.parametrize("time", [False, True])
def test_random_effects_enter_as_their_best_predictor(model, error, time, past) -> None:
    options = {} if error is None else {"random_error": error}
    formula = "y ~ x1 + x2 | period" if time else "y ~ x1 + x2"
    fit = nq.fit(formula, past, weights("knn", N), model=model, effects="random", **options)
    assert fit.sigma2_mu > 0
    same = past.xs(LAST, level=1).assign(period=LAST + 1).set_index("period", append=True)
    result = fit.forecast(same[["x1", "x2"]], time_effect="last" if time else None, method="delta")
    np.testing.assert_allclose(
        result.table["estimate"].droplevel(1),
        fit.predict().xs(LAST, level=1)[same.index.get_level_values(0)],
        atol=1e-9,
    )
    # the variance of the effects is that of the posterior: below the prior, below that of a fixed effect
    fixed = fitted(past, model, "twoways" if time else "unit")
    assert (
        result.table["se_mean"]
        < fixed.forecast(same[["x1", "x2"]], time_effect="last" if time else None, method="delta").table["se_mean"]
        * 1.5
    ).all()


def test_posterior_variance_of_random_effects_by_brute_force(past) -> None:
    fit = nq.fit("y ~ x1 + x2", past, weights("knn", N), model="SEM", effects="random", random_error="baltagi")
    from nqpf_spatial.models.scenarios.forecast import prepare

    same = past.xs(LAST, level=1).assign(period=LAST + 1).set_index("period", append=True)[["x1", "x2"]]
    outlook = prepare(fit, same, None, 0.0)[1]
    b = np.eye(N) - fit.lambda_ * weights("knn", N).dense()
    noise = fit.sigma2 * np.linalg.inv(b.T @ b)
    # mu ~ N(0, s I), mean of T observations mu + N(0, noise / T)
    prior = fit.sigma2_mu * np.eye(N)
    gain = prior @ np.linalg.inv(prior + noise / 9)
    np.testing.assert_allclose(outlook._unit_covariance(), prior - gain @ prior, rtol=1e-8)
    v = fit._parts[0].mean(axis=0)
    np.testing.assert_allclose(fit.random_effects(), gain @ v, rtol=1e-8)


# -- time lags --------------------------------------------------------------------------------------------------
def dynamic_panel(seed: int, t: int, n: int = 31, phi: tuple[float, float, float] = (0.5, -0.1, 0.3)) -> pd.DataFrame:
    w = nq.weights.contiguity()
    rng = np.random.default_rng(seed)
    tau, eta, rho = phi
    x, mu = rng.normal(size=(t + 20, n)), rng.normal(size=n)
    inverse, y, rows = np.linalg.inv(np.eye(n) - rho * w.dense()), np.zeros(n), []
    for s in range(t + 20):
        y = inverse @ (tau * y + eta * w.dense() @ y + x[s] + mu + rng.normal(size=n))
        rows.append(y)
    index = pd.MultiIndex.from_product([w.ids, range(2001, 2001 + t)], names=["province", "year"])
    return pd.DataFrame({"y": np.array(rows)[20:].T.ravel(), "x": x[20:].T.ravel()}, index=index)


def test_paths_with_time_lags_are_iterated_from_the_last_observation() -> None:
    data = dynamic_panel(1, 14)
    w = nq.weights.contiguity()
    new = data.loc[data.index.get_level_values(1) >= 2012, ["x"]]
    fit = nq.sar("y ~ x | province", data, w, years=(2001, 2011), dynamic="both")
    p, units = fit.params, list(w.ids)
    fixed = fit.fixed_effects()
    mu = (fixed["province"][units] + fixed["intercept"].iloc[0]).to_numpy()
    y, inverse = data["y"].xs(2011, level=1)[units].to_numpy(), np.linalg.inv(np.eye(31) - p["rho"] * w.dense())
    delta = fit.forecast(new, method="delta")
    cells = delta.table["estimate"].unstack("year").loc[units]
    for year in (2012, 2013, 2014):
        y = inverse @ (
            p["x"] * new["x"].xs(year, level=1)[units].to_numpy() + mu + p["L:y"] * y + p["L:W:y"] * w.dense() @ y
        )
        np.testing.assert_allclose(cells[year], y, rtol=1e-9, atol=1e-10)
    drawn = fit.forecast(new, draws=10_000, seed=2).table
    np.testing.assert_allclose(drawn["se"], delta.table["se"], rtol=0.05)
    spread = delta.table["se"].groupby("year").mean()
    assert spread.is_monotonic_increasing
    with pytest.raises(PanelError, match=r"period by period from 2011; data= has 2013, 2014"):
        fit.forecast(new[new.index.get_level_values(1) > 2012])


# -- coverage ---------------------------------------------------------------------------------------------------
def test_intervals_cover_outcomes_that_were_held_out() -> None:
    """Two-way SDM, N = 31, T = 13, the true time effect given: 95 % nominal over 120 samples x 31 provinces.

    In 600 other samples the intervals cover 95.2 % of the outcomes; without the uncertainty of parameters and effects 93.9 %.
    """
    w = nq.weights.contiguity()
    dense, inside, bare = w.dense(), [], []
    inverse = np.linalg.inv(np.eye(31) - 0.4 * dense)
    index = pd.MultiIndex.from_product([w.ids, range(1, 15)], names=["unit", "period"])
    for seed in range(120):
        rng = np.random.default_rng(seed)
        mu, alpha = rng.normal(size=31), rng.normal(size=14)
        x = rng.normal(size=(14, 31)) + 0.5 * mu
        y = (x + 0.5 * x @ dense.T + mu + alpha[:, None] + rng.normal(size=(14, 31))) @ inverse.T
        data = pd.DataFrame({"y": y.T.ravel(), "x": x.T.ravel()}, index=index)
        fit = nq.sdm("y ~ x | unit + period", data, w, years=(1, 13))
        new = data.xs(14, level=1, drop_level=False)
        table = fit.forecast(new[["x"]], time_effect=alpha[13] - alpha[:13].mean(), method="delta").table
        miss = (new["y"].reindex(table.index) - table["estimate"]).abs()
        inside.append((miss <= 1.96 * table["se"]).mean())
        bare.append((miss <= 1.96 * np.sqrt(table["se"] ** 2 - table["se_mean"] ** 2)).mean())
    assert abs(np.mean(inside) - 0.95) < 0.015
    assert np.mean(bare) < np.mean(inside) - 0.01


def test_intervals_cover_paths_with_time_lags() -> None:
    inside = []
    w = nq.weights.contiguity()
    for seed in range(60):
        data = dynamic_panel(100 + seed, 16)
        new = data[data.index.get_level_values(1) >= 2014]
        fit = nq.sar("y ~ x | province", data, w, years=(2001, 2013), dynamic="both")
        table = fit.forecast(new[["x"]], method="delta").table
        covered = (new["y"].reindex(table.index) - table["estimate"]).abs() <= 1.96 * table["se"]
        inside.append(covered.groupby("year").mean())
    coverage = np.mean(inside, axis=0)
    assert np.abs(coverage - 0.95).max() < 0.025, coverage


# -- what must be said ------------------------------------------------------------------------------------------
def test_time_effects_are_never_chosen_silently(past, ahead) -> None:
    fit = fitted(past, "SAR")
    with pytest.raises(ValueError, match=r"those of 2010, 2011 are unknown.*\"last\".*\"mean\".*\"trend\""):
        fit.forecast(ahead)
    with pytest.raises(ValueError, match="are unknown"):
        fit.predict(data=ahead)
    with pytest.raises(ValueError, match="time_effect='next'"):
        fit.forecast(ahead, time_effect="next")
    with pytest.raises(ValueError, match="no value for 2011"):
        fit.forecast(ahead, time_effect={2010: 0.1})
    with pytest.raises(ValueError, match="the fit has none"):
        fitted(past, "SAR", "unit").forecast(ahead, time_effect="last")
    with pytest.raises(TypeError, match="bool"):
        fit.forecast(ahead, time_effect=True)
    given = fit.forecast(ahead, time_effect=pd.Series({2010: 0.1, 2011: 0.3}), method="delta")
    assert given.time_effect == "given" and given.time_effects.tolist() == [0.1, 0.3]
    assert "time effects assumed: given, as if certain" in repr(given)
    with pytest.raises(ValueError, match="give a number"):
        fit.forecast(ahead, time_effect=0.0, time_sd="sample")


def test_common_shocks_widen_the_intervals(past, ahead) -> None:
    fit = fitted(past, "SEM")
    fixed = fit.fixed_effects()["period"]
    bare = fit.forecast(ahead, time_effect="last", method="delta").table["se"] ** 2
    walking = fit.forecast(ahead, time_effect="last", time_sd="sample", method="delta")
    walk = walking.table["se"] ** 2
    step = float((fixed.diff().dropna() ** 2).mean())
    assert walking.time_sd == pytest.approx(step**0.5)
    assert f"with shocks of {step**0.5:.4g}" in repr(walking)
    extra = (walk - bare).groupby("period").agg(["min", "max"])
    np.testing.assert_allclose(extra.loc[2010], step, rtol=1e-8)
    np.testing.assert_allclose(extra.loc[2011], 2 * step, rtol=1e-8)
    around = fit.forecast(ahead, time_effect="mean", time_sd="sample", method="delta").table["se"] ** 2
    mean = fit.forecast(ahead, time_effect="mean", method="delta").table["se"] ** 2
    np.testing.assert_allclose(around - mean, fixed.var(ddof=1), rtol=1e-8)
    line = fit.forecast(ahead, time_effect="trend", time_sd="sample", method="delta").table["se"] ** 2
    trend = fit.forecast(ahead, time_effect="trend", method="delta").table["se"] ** 2
    rest = fixed - np.polyval(np.polyfit(np.arange(9), fixed, 1), np.arange(9))
    np.testing.assert_allclose(line - trend, (rest**2).sum() / 7, rtol=1e-8)


def test_new_rows_align_by_label_and_defects_are_named(past, ahead) -> None:
    fit = fitted(past, "SDM")
    plain = fit.forecast(ahead, time_effect="last", method="delta").table
    shuffled = fit.forecast(
        ahead.sample(frac=1.0, random_state=3)[["x2", "x1"]], time_effect="last", method="delta"
    ).table
    pd.testing.assert_frame_equal(shuffled, plain, check_exact=True)
    with pytest.raises(AlignmentError, match=r"data= and the fit.*Only in the fit: c03"):
        fit.forecast(ahead.drop("c03"), time_effect="last")
    hole = ahead.copy()
    hole.loc[("c02", 2011), "x1"] = np.nan
    with pytest.raises(PanelError, match="x1 c02 2011"):
        fit.forecast(hole, time_effect="last")
    with pytest.raises(PanelError, match="absent: c02 2011"):
        fit.forecast(ahead.drop(("c02", 2011)), time_effect="last")
    with pytest.raises(PanelError, match="no column 'x2'"):
        fit.forecast(ahead[["x1"]], time_effect="last")
    with pytest.raises(PanelError, match=r"not after the last one of the fit \(2009\): 2009"):
        fit.forecast(past.xs(2009, level=1, drop_level=False), time_effect="last")
    with pytest.raises(PanelError, match="DataFrame with index"):
        fit.forecast(ahead.xs(2010, level=1), time_effect="last")
    with pytest.raises(ValueError, match="TC"):
        fit.predict("BP", ahead, "last")


def test_provinces_by_any_name_and_packaged_data() -> None:
    panel_ = nq.load_panel(["ln_gdp_real_pc", "ln_rd_intensity"], years=(2012, 2024))
    fit = nq.sdm(
        "ln_gdp_real_pc ~ ln_rd_intensity | province + year", panel_, nq.weights.contiguity(), years=(2012, 2023)
    )
    new = nq.load_panel(["ln_rd_intensity"], years=(2024, 2024), names="zh")
    result = fit.forecast(new, time_effect="trend", method="delta")
    assert result.table.index[0] == ("北京", 2024)
    english = fit.forecast(
        panel_.xs(2024, level=1, drop_level=False)[["ln_rd_intensity"]], time_effect="trend", method="delta"
    )
    np.testing.assert_array_equal(result.table, english.table)
    np.testing.assert_allclose(result.levels()["upper"], np.exp(result.table["upper"]))
    truth = panel_["ln_gdp_real_pc"].xs(2024, level=1).to_numpy()
    assert np.abs(english.table["estimate"].to_numpy() - truth).mean() < 0.1


def test_transformed_regressors_and_factors(past, ahead) -> None:
    data, new = (d.assign(g=np.where(d.index.get_level_values(0) < "c05", "a", "b")) for d in (past, ahead))
    fit = nq.sdm("y ~ I(x1**2) + center(x2) + C(g):x1 | period", data, weights("knn", N))
    moved = fit.forecast(new, time_effect="mean", method="delta").table["estimate"]
    # center() subtracts the mean of the sample, whatever the new rows are
    shifted = fit.forecast(new.assign(x2=new["x2"] + 1.0), time_effect="mean", method="delta").table["estimate"]
    total = (fit.params["center(x2)"] + fit.params["W:center(x2)"]) / (1 - fit.rho)
    np.testing.assert_allclose(shifted - moved, total, rtol=1e-9)
    with pytest.raises(PanelError, match="has not seen"):
        fit.forecast(new.assign(g="c"), time_effect="mean")


def test_cross_sections_take_other_regressors(past) -> None:
    cross = past.xs(2005, level=1)
    fit = nq.sdm("y ~ x1", cross, weights("knn", N))
    pd.testing.assert_series_equal(fit.predict(data=cross[["x1"]]), fit.predict(), rtol=1e-10)
    other = cross.assign(x1=cross["x1"] + 1.0)
    response = fit.counterfactual({"x1": 1.0}).table["estimate"]
    np.testing.assert_allclose(fit.predict(data=other) - fit.predict(), response, rtol=1e-8)
    table = fit.forecast(other, method="delta").table
    assert (table["se"] > table["se_mean"]).all()
    assert list(table.index) == list(fit.predict().index)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_picture_text_and_provenance(lang, past, ahead) -> None:
    import matplotlib.pyplot as plt

    result = fitted(past, "SAR").forecast(ahead, time_effect="trend", draws=200, seed=3)
    ax = result.plot(lang=lang)
    assert len(ax.lines) == 7 and len(ax.collections) == 3
    assert (
        ax.get_title(loc="left")
        == {"en": "forecast, 95%; time effects: trend", "zh": "预测, 95%;时间效应:线性趋势"}[lang]
    )
    ax.figure.canvas.draw()
    result.plot(["c01", "c02"])
    plt.close("all")
    assert "<table" in result._repr_html_()
    told = json.loads(json.dumps(result.provenance()))
    assert told["time_effect"] == "trend" and set(told["time_effects"]) == {"2010", "2011"}
    with pytest.raises(ValueError, match="no logarithm"):
        result.levels()
