"""The result object: what it says, what it derives, and that nothing in it changes."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from panels import SWITCHES, panel, weights
from scipy import stats

import nqpf_spatial as nq

FORMULA = "y ~ x1 + x2 | unit + period"
MODELS = tuple(SWITCHES)


def fit_of(model: str = "SDM", effects: str = " | unit + period", **options) -> nq.models.SpatialFit:
    lag, durbin, error = SWITCHES[model]
    frame = panel("knn", rho=0.35 * lag, lambda_=0.3 * error, theta=0.4 * durbin)
    w = None if model == "OLS" else weights("knn")
    return nq.fit(f"y ~ x1 + x2{effects}", frame, w, model=model, **options)


@pytest.fixture(scope="module")
def sdm() -> nq.models.SpatialFit:
    return fit_of()


# -- vocabulary ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("effects", ["", " | unit + period"])
def test_names_of_the_coefficients(model: str, effects: str) -> None:
    fit = fit_of(model, effects)
    lag, durbin, error = SWITCHES[model]
    names = ["x1", "x2"] if effects else ["Intercept", "x1", "x2"]
    names += ["W:x1", "W:x2"] if durbin else []
    names += ["rho"] if lag else []
    names += ["lambda"] if error else []
    assert list(fit.params.index) == names
    assert list(fit.bse.index) == list(fit.zvalues.index) == list(fit.pvalues.index) == names
    assert (fit.rho is not None) == lag and (fit.lambda_ is not None) == error
    if lag:
        assert fit.params["rho"] == fit.rho
    if error:
        assert fit.params["lambda"] == fit.lambda_
    assert (fit.w is None) == (model == "OLS")
    assert fit.model == model and fit.effects == (("unit", "period") if effects else ())


def test_fronts_are_the_models() -> None:
    frame, w = panel("knn"), weights("knn")
    for model in MODELS:
        front = getattr(nq, model.lower())
        fit = front(FORMULA, frame) if model == "OLS" else front(FORMULA, frame, w)
        same = nq.fit(FORMULA, frame, None if model == "OLS" else w, model=model.lower())
        assert fit.model == model and fit.llf == same.llf
    assert nq.fit(FORMULA, frame, w).model == "SDM"


def test_inference_from_the_covariance(sdm) -> None:
    v = sdm.cov_params()
    assert list(v.index) == list(v.columns) == list(sdm.params.index)
    np.testing.assert_allclose(v, v.T, rtol=1e-12)
    np.testing.assert_allclose(sdm.bse, np.sqrt(np.diag(v)), rtol=1e-14)
    np.testing.assert_allclose(sdm.zvalues, sdm.params / sdm.bse, rtol=1e-14)
    np.testing.assert_allclose(sdm.pvalues, 2 * (1 - stats.norm.cdf(abs(sdm.zvalues))), atol=1e-14)
    for alpha in (0.05, 0.1, 0.5):
        interval = sdm.conf_int(alpha)
        assert list(interval.columns) == ["lower", "upper"]
        z = stats.norm.ppf(1 - alpha / 2)
        np.testing.assert_allclose(interval["lower"], sdm.params - z * sdm.bse, rtol=1e-12)
        np.testing.assert_allclose(interval["upper"], sdm.params + z * sdm.bse, rtol=1e-12)


@pytest.mark.parametrize("correction", ["transform", "none"])
def test_counts_and_information_criteria(correction: str) -> None:
    fit = fit_of("SDM", correction=correction)
    n, t = 10, 6
    assert fit.nobs == n * t
    assert fit.n_effective == ((n - 1) * (t - 1) if correction == "transform" else n * t)
    k = 5 + 1 + (n + t - 1 if correction == "none" else 0)
    assert fit.k_params == k
    assert fit.aic == pytest.approx(-2 * fit.llf + 2 * k, rel=1e-14)
    assert fit.bic == pytest.approx(-2 * fit.llf + np.log(fit.n_effective) * k, rel=1e-14)
    sse = float((fit.resid**2).sum())
    assert fit.sigma2 == pytest.approx(sse / fit.n_effective, rel=1e-10)


@pytest.mark.parametrize("correction", ["bias"])
def test_corrected_dummy_variable_fits_count_their_dummies(correction: str) -> None:
    assert fit_of("SDM", correction=correction).k_params == fit_of("SDM", correction="none").k_params


# -- nothing is mutated --------------------------------------------------------------------------------------
def test_with_vcov_is_a_new_result(sdm) -> None:
    before = sdm.bse.copy()
    other = sdm.with_vcov("expected")
    assert other is not sdm and other.vcov == "expected" and sdm.vcov == "observed"
    assert not np.allclose(other.bse, before, rtol=1e-6)
    pd.testing.assert_series_equal(sdm.bse, before, check_exact=True)
    pd.testing.assert_series_equal(other.params, sdm.params, check_exact=True)
    assert other.with_vcov("observed").bse.equals(before)
    same = nq.fit(FORMULA, panel("knn"), weights("knn"), vcov="expected")
    assert same.bse.equals(nq.fit(FORMULA, panel("knn"), weights("knn")).with_vcov("expected").bse)


@pytest.mark.parametrize("name", ["params", "vcov", "estimate", "llf", "anything"])
def test_attributes_are_frozen(sdm, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(sdm, name, None)
    with pytest.raises(AttributeError):
        sdm.impacts().table = None


@pytest.mark.parametrize("name", ["params", "bse", "resid"])
def test_writing_into_a_returned_series_leaves_the_result_alone(name: str) -> None:
    fit = fit_of()
    before = getattr(fit, name).copy()
    handed_out = getattr(fit, name)
    with contextlib.suppress(ValueError):  # read-only data would do as well
        handed_out.iloc[0] = 99.0
    assert getattr(fit, name).equals(before)


def test_the_data_are_left_alone_and_not_referred_to() -> None:
    frame = panel("knn").copy()
    copy_ = frame.copy(deep=True)
    fit = nq.sdm(FORMULA, frame, weights("knn"))
    pd.testing.assert_frame_equal(frame, copy_, check_exact=True)
    resid = fit.resid.copy()
    frame.iloc[:, :] = 0.0
    assert nq.sdm(FORMULA, copy_, weights("knn")).resid.equals(resid)
    assert fit.impacts().table.equals(nq.sdm(FORMULA, copy_, weights("knn")).impacts().table)


def test_results_can_be_compared_and_hashed() -> None:
    a, b = fit_of(), fit_of()
    assert a == b or a != b
    assert a in [b, a]
    hash(a)


def test_results_travel_between_processes(sdm) -> None:
    for again in (pickle.loads(pickle.dumps(sdm)), copy.deepcopy(sdm)):  # noqa: S301
        assert again.params.equals(sdm.params) and again.bse.equals(sdm.bse)
        assert again.summary() == sdm.summary()
        assert again.impacts().table.equals(sdm.impacts().table)


# -- values per observation ----------------------------------------------------------------------------------
def wide(series: pd.Series) -> np.ndarray:
    """(T, N) in the order of the weights."""
    return series.unstack("unit")[list(weights("knn").ids)].to_numpy()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("effects", ["", " | unit", " | period", " | unit + period"])
@pytest.mark.parametrize("correction", ["transform", "none"])
def test_outcome_is_signal_plus_effects_plus_residual(model: str, effects: str, correction: str) -> None:
    """``y = rho W y + Z b + effects + u`` with ``(I - lambda W) u = resid``, cell by cell."""
    fit = fit_of(model, effects, correction=correction)
    lag, durbin, error = SWITCHES[model]
    frame = panel("knn", rho=0.35 * lag, lambda_=0.3 * error, theta=0.4 * durbin)
    w = weights("knn").dense()
    y, x = wide(frame["y"]), np.stack([wide(frame["x1"]), wide(frame["x2"])])
    signal = np.tensordot(fit.params[["x1", "x2"]], x, axes=1) + fit.params.get("Intercept", 0.0)
    if durbin:
        signal = signal + np.tensordot(fit.params[["W:x1", "W:x2"]], x @ w.T, axes=1)
    found = fit.fixed_effects()
    assert list(found) == ([] if not effects else ["intercept", *fit.effects])
    total = np.zeros_like(y)
    if effects:
        total = total + found["intercept"].iloc[0]
        for name, part in found.items():
            if name == "unit":
                total = total + part[list(weights("knn").ids)].to_numpy()
            if name == "period":
                total = total + part.to_numpy()[:, None]
            if name != "intercept":
                assert abs(part.sum()) < 1e-9 and part.index.name == name
    u = y - (fit.rho or 0.0) * y @ w.T - signal - total
    e = u - (fit.lambda_ or 0.0) * u @ w.T
    np.testing.assert_allclose(e, wide(fit.resid), atol=1e-9)
    eye = np.eye(10)
    predicted = np.linalg.solve(eye - (fit.rho or 0.0) * w, (signal + total).T).T
    np.testing.assert_allclose(wide(fit.predict()), predicted, atol=1e-9)
    if "unit" in effects:
        np.testing.assert_allclose(wide(fit.resid).mean(axis=0), 0.0, atol=1e-9)
    if "period" in effects:
        np.testing.assert_allclose(wide(fit.resid).mean(axis=1), 0.0, atol=1e-9)


def test_fixed_effects_of_least_squares_are_dummy_coefficients() -> None:
    fit = fit_of("OLS", " | unit + period", correction="none")
    frame = panel("knn", rho=0.0, theta=0.0)
    dummies = nq.ols("y ~ x1 + x2 + C(unit) + C(period)", frame)
    found = fit.fixed_effects()
    unit = dummies.params.filter(like="C(unit)").to_numpy()
    np.testing.assert_allclose(found["unit"].iloc[1:] - found["unit"].iloc[0], unit, atol=1e-9)
    period = dummies.params.filter(like="C(period)").to_numpy()
    np.testing.assert_allclose(found["period"].iloc[1:] - found["period"].iloc[0], period, atol=1e-9)
    np.testing.assert_allclose(fit.params, dummies.params[["x1", "x2"]], rtol=1e-9)
    np.testing.assert_allclose(fit.bse, dummies.bse[["x1", "x2"]], rtol=1e-9)
    assert fit.llf == pytest.approx(dummies.llf, abs=1e-9)
    assert fit.aic == pytest.approx(dummies.aic, abs=1e-9)


def test_labels_of_observations(sdm) -> None:
    for series, name in ((sdm.resid, "resid"), (sdm.predict(), "predicted")):
        assert series.name == name and series.index.names == ["unit", "period"] and len(series) == 60
        assert series.index.is_unique
    cross = nq.sar("y ~ x1", panel("knn").xs(2003, level=1), weights("knn"))
    assert list(cross.resid.index) == list(weights("knn").ids) and cross.resid.index.name == "unit"
    assert cross.fixed_effects() == {}


# -- tables --------------------------------------------------------------------------------------------------
def test_tidy_and_glance(sdm) -> None:
    table = sdm.tidy()
    assert list(table.columns) == ["estimate", "se", "z", "p", "lower", "upper"]
    assert table.index.name == "term" and list(table.index) == list(sdm.params.index)
    assert (sdm.tidy(alpha=0.5)["upper"] < table["upper"]).all()
    line = sdm.glance()
    assert line["model"] == "SDM" and line["effects"] == "unit + period" and line["w"] == "knn-row"
    assert (line["N"], line["T"], line["nobs"], line["n_effective"]) == (10, 6, 60, 45)
    assert line["llf"] == sdm.llf and line["aic"] == sdm.aic and line.name == "y"
    assert fit_of("OLS", "").glance()["correction"] == "not needed"


def test_summary_says_what_a_reader_must_know(sdm) -> None:
    text = sdm.summary()
    assert text == repr(sdm)
    for part in (
        *("SDM", FORMULA, "Main", "Wx", "Spatial", "Variance", "sigma2", "log-likelihood", "AIC", "BIC"),
        *("N = 10, T = 6 (2001-2006), observations 60, of the likelihood 45", "Lee-Yu (2010) transformation"),
        *("fixed effects: unit + period", "observed information", "knn-row", weights("knn").checksum[:12]),
        "coefficients are not effects: see .impacts()",
    ):
        assert part in text, part
    for name, value in sdm.params.items():
        line = next(row for row in text.splitlines() if row.strip().startswith(f"{name} "))
        assert f"{value:.5g}" in line and f"{sdm.bse[name]:.5g}" in line
    assert len({len(row) for row in text.splitlines() if row.startswith("  ") and "sigma2" not in row}) == 1
    assert "no correction of the incidental-parameter bias" in fit_of(correction="none").summary()
    assert "Wx" not in fit_of("SAR").summary() and "Spatial" not in fit_of("OLS").summary()


def test_summary_names_the_covariance(sdm) -> None:
    with pytest.warns(UserWarning):
        assert "cluster information" not in sdm.with_vcov("cluster").summary()


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_html_is_well_formed_and_escaped() -> None:
    frame = panel("knn").assign(d=lambda f: (f["x2"] > 0).map({True: "<b>", False: "a&b"}))
    fit = nq.sar("y ~ x1 + C(d) | unit", frame, weights("knn"))
    parser = _Tags()
    parser.feed(fit._repr_html_())
    assert parser.open == []
    text = " ".join(parser.text)
    assert any("<b>" in name or "a&b" in name for name in fit.params.index)
    for name in fit.params.index:
        assert name in text
    assert f"{fit.llf:.4f}" in text and "of the likelihood 50" in text


def test_text_of_results_has_no_clock_times_and_no_paths(sdm) -> None:
    imp = sdm.impacts()
    whole = "\n".join([sdm.summary(), sdm._repr_html_(), repr(imp), imp._repr_html_(), json.dumps(sdm.provenance())])
    assert not re.search(r"\b\d{1,2}:\d{2}\b", whole)
    assert not re.search(r"(?<![<\w])/(home|root|tmp|usr|work|Users)\b", whole)
    assert "0x" not in whole


# -- provenance ----------------------------------------------------------------------------------------------
def test_provenance(sdm) -> None:
    record = sdm.provenance()
    assert json.loads(json.dumps(record)) == record
    assert record["formula"] == FORMULA and record["model"] == "SDM" and record["correction"] == "transform"
    assert record["w"]["lag"]["checksum"] == weights("knn").checksum
    assert set(record["w"]) == {"lag", "durbin"}
    assert {"nqpf_spatial", "numpy", "scipy", "pandas", "python"} <= set(record["versions"])
    assert record["data_release"] is None
    assert fit_of().provenance() == record


def test_provenance_follows_the_data_and_the_release() -> None:
    frame = panel("knn").copy()
    base = nq.sdm(FORMULA, frame, weights("knn")).provenance()
    frame.iloc[7, 1] += 1e-12
    assert nq.sdm(FORMULA, frame, weights("knn")).provenance()["data_checksum"] != base["data_checksum"]
    china = nq.load_panel()
    fit = nq.sar("ln_gdp_real_pc ~ pop_growth | province + year", china, nq.weights.contiguity(), years=(2012, 2015))
    assert fit.provenance()["data_release"] == str(china.attrs["release"])
    assert fit.provenance()["periods"] == ["2012", "2013", "2014", "2015"]


@pytest.mark.parametrize("change", [{"durbin": ["x1"]}, {"effects": "random"}])
def test_provenance_tells_different_estimates_apart(change: dict) -> None:
    base, other = (nq.sdm("y ~ x1 + x2 | period", panel("knn"), weights("knn"), **c) for c in ({}, change))
    assert base.llf != other.llf
    assert base.provenance() != other.provenance()


def test_coefficients_have_different_names() -> None:
    frame = panel("knn").rename(columns={"x2": "W"})
    try:
        fit = nq.sdm("y ~ x1 + W + W:x1 | unit", frame, weights("knn"))
    except ValueError:
        return
    assert fit.params.index.is_unique
