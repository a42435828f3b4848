"""Tests of the effects: plm, Elhorst, spreg; Hausman that may be negative; Mundlak against statsmodels and a jackknife."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from diagnostics_support import PANELS, arrays, fitted, golden, panel, queen
from scipy import stats

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.residual_tests import jackknife_residuals, unit_meat
from nqpf_spatial.kernels.sandwich import cluster_meat
from nqpf_spatial.models.covariance import score_form
from nqpf_spatial.models.diagnostics import effects_test, effects_tests, hausman, mundlak


@pytest.mark.parametrize("key", PANELS)
def test_joint_significance_equals_elhorst(key: str) -> None:
    expected = golden()[f"{key}.plm_tests"]["lr_joint_individual"]
    tests = effects_tests(fitted(key, "OLS", "twoways"))
    for ours, theirs in (("lr_unit", "individual"), ("lr_time", "time")):
        assert tests[ours].statistic == pytest.approx(expected[theirs]["statistic"], abs=1e-6)
        assert tests[ours].df == expected[theirs]["df"]


@pytest.mark.parametrize("key", PANELS)
def test_f_tests_equal_plm(key: str) -> None:
    expected = golden()[f"{key}.plm_tests"]
    pooled, two = (effects_tests(fitted(key, "OLS", e), form="F") for e in ("none", "twoways"))
    for test, theirs in (
        (pooled["f_unit"], "pF_individual"),
        (pooled["f_time"], "pF_time"),
        (two["f_time"], "pF_twoways_vs_individual"),
    ):
        assert test.statistic == pytest.approx(expected[theirs]["statistic"], rel=1e-7)
        assert [test.df, test.df_denominator] == expected[theirs]["parameter"]
        assert test.pvalue == pytest.approx(expected[theirs]["p.value"], rel=1e-4)


@pytest.mark.parametrize("model", ["SAR", "SDM", "SEM"])
def test_lr_of_effects_is_the_difference_of_dummy_variable_likelihoods(model: str) -> None:
    """Whatever the correction of the fit; degrees of freedom N - 1 = 47 and T - 1 = 16."""
    own = {e: golden()[f"produc.own.{model.lower()}.{e}"] for e in ("individual", "time", "twoways")}
    llf = {e: fitted("produc", model, e).llf for e in own}
    for correction in ("transform", "none"):
        fit = fitted("produc", model, "twoways", correction)
        tests = effects_tests(fit)
        assert tests["lr_unit"].statistic == pytest.approx(2 * (llf["twoways"] - llf["time"]), abs=1e-7)
        assert tests["lr_time"].statistic == pytest.approx(2 * (llf["twoways"] - llf["individual"]), abs=1e-7)
        assert (tests["lr_unit"].df, tests["lr_time"].df) == (47, 16)
        assert effects_test(fit, "time") == tests["lr_time"]


def test_pooled_fits_gain_an_intercept_and_lose_it_again() -> None:
    tests = effects_tests(fitted("produc", "SAR", "individual"))
    assert tests["lr_unit"].scope == "unit against pooled" and tests["lr_unit"].df == 47
    assert tests["lr_time"].scope == "unit + period against unit" and tests["lr_time"].df == 16


def test_bartlett_factor_repairs_the_size_in_ols() -> None:
    """Unit effects, 31 units and 8 years: the plain LR rejects near 10 % at the 5 % level, the corrected one does not."""
    rng = np.random.default_rng(7)
    t, n, plain, corrected = 8, 31, [], []
    for _ in range(400):
        y = rng.standard_normal((t, n))
        pooled = np.sum((y - y.mean()) ** 2)
        within = np.sum((y - y.mean(axis=0)) ** 2)
        lr, size = t * n * np.log(pooled / within), t * n
        plain.append(stats.chi2.sf(lr, n - 1))
        corrected.append(stats.chi2.sf(lr * (size - n + (n - 1) / 2 - 1) / size, n - 1))
    low, high = stats.binom.ppf([5e-4, 1 - 5e-4], 400, 0.05)
    assert np.sum(np.array(plain) < 0.05) > high
    assert low <= np.sum(np.array(corrected) < 0.05) <= high


def test_bartlett_note_states_the_corrected_statistic() -> None:
    test = effects_tests(fitted("produc", "OLS", "individual"))["lr_unit"]
    p, n, df = 4 + 48, 816, 47
    assert f"Bartlett-corrected {test.statistic * (n - p + df / 2 - 1) / n:.4g}" in test.note
    assert "p = 0.0000" not in test.note


def swamy_arora(key: str) -> tuple[SimpleNamespace, SimpleNamespace]:
    """Within and Swamy-Arora estimates with plm's covariances, as objects with params and cov_params()."""
    y, x, _ = arrays(key)
    t, n = y.shape
    names = list(fitted(key, "OLS", "individual").params.index)
    theta = 1 - golden()[f"{key}.plm_tests"]["random"]["ercomp"]["theta"]
    idios = golden()[f"{key}.plm_tests"]["random"]["ercomp"]["idios"]

    def gls(share: float, intercept: bool) -> tuple[np.ndarray, np.ndarray]:
        z = np.concatenate([np.ones((1, t, n)), x]) if intercept else x
        zs = (z - (1 - share) * z.mean(axis=1, keepdims=True)).reshape(z.shape[0], -1).T
        ys = (y - (1 - share) * y.mean(axis=0)).ravel()
        inverse = np.linalg.inv(zs.T @ zs)
        return inverse @ zs.T @ ys, inverse * idios

    def result(b: np.ndarray, v: np.ndarray, labels: list[str]) -> SimpleNamespace:
        frame = pd.DataFrame(v, index=labels, columns=labels)
        return SimpleNamespace(params=pd.Series(b, index=labels), cov_params=lambda: frame)

    fe = result(*gls(0.0, False), names)
    re_b, re_v = gls(theta, True)
    # plm scales the covariance by the residual variance of the quasi-demeaned regression
    z = np.concatenate([np.ones((1, t, n)), x])
    zs = (z - (1 - theta) * z.mean(axis=1, keepdims=True)).reshape(z.shape[0], -1).T
    ys = (y - (1 - theta) * y.mean(axis=0)).ravel()
    s2 = np.sum((ys - zs @ re_b) ** 2) / (ys.size - zs.shape[1])
    return fe, result(re_b, re_v * s2 / idios, ["Intercept", *names])


@pytest.mark.parametrize("key", PANELS)
def test_hausman_equals_plm(key: str) -> None:
    expected = golden()[f"{key}.plm_tests"]["hausman"]
    test = hausman(*swamy_arora(key))
    assert test.statistic == pytest.approx(expected["statistic"], rel=1e-5)
    assert test.df == expected["parameter"]
    assert test.pvalue == pytest.approx(expected["p.value"], rel=1e-4)


@pytest.mark.parametrize("key", PANELS)
def test_hausman_of_the_error_model_equals_splm(key: str) -> None:
    """Slopes only, FE dummy-variable ML against RE with the KKP error. In lag models splm's covariance lacks a block."""
    fe = fitted(key, "SEM", "individual")
    re = fe.random_counterpart("kkp").with_vcov("expected")
    slopes = [name for name in fe.params.index if name != "lambda"]
    expected = golden()[f"{key}.hausman.error.ML"]["test"]
    test = hausman(fe, re, terms=slopes)
    assert test.statistic == pytest.approx(expected["statistic"], rel=2e-6) and test.df == expected["parameter"]


def spreg_results() -> tuple[SimpleNamespace, SimpleNamespace]:
    """spreg's panel lag models on produc as objects with params and cov_params()."""
    import libpysal
    import spreg

    y, x, w = arrays("produc")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = libpysal.weights.util.full2W(w)
        design = (y.reshape(-1, 1), x.reshape(x.shape[0], -1).T, matrix)
        fe, re = spreg.Panel_FE_Lag(*design), spreg.Panel_RE_Lag(*design)
    names = [f"x{i}" for i in range(x.shape[0])]

    def result(b: np.ndarray, v: np.ndarray, labels: list[str]) -> SimpleNamespace:
        frame = pd.DataFrame(v, index=labels, columns=labels)
        return SimpleNamespace(params=pd.Series(b.ravel(), index=labels), cov_params=lambda: frame)

    return (
        result(fe.betas, fe.varb, [*names, "rho"]),
        result(re.betas[:-1], re.varb, ["Intercept", *names, "rho"]),
    )


def test_spreg_subtracts_the_covariances_the_wrong_way_round() -> None:
    """It prints -71.38 with p = 1 on produc; with V_fe - V_re the same estimates give +71.38, a rejection."""
    test = hausman(*spreg_results())
    printed = golden()["produc.spreg.hausman.lag"]["result"]
    assert printed[0] < 0 and printed[1] == 1.0
    assert test.statistic == pytest.approx(-printed[0], rel=1e-6)
    assert test.pvalue < 1e-10


def test_a_negative_statistic_stays_negative_and_has_no_p_value() -> None:
    """splm would print 0.5 with p = 0.48 here."""
    frames = [pd.DataFrame([[v]], index=["x"], columns=["x"]) for v in (1.0, 3.0)]
    fe, re = (
        SimpleNamespace(params=pd.Series({"x": b}), cov_params=lambda v=v: v)
        for b, v in zip((1.0, 2.0), frames, strict=True)
    )
    test = hausman(fe, re)
    assert test.statistic == pytest.approx(-0.5) and np.isnan(test.pvalue)
    assert "not positive definite" in test.note and "Mundlak" in test.note
    assert hausman(re, fe).statistic == pytest.approx(0.5) and hausman(re, fe).note == ""


def test_hausman_terms() -> None:
    fe, re = swamy_arora("produc")
    assert hausman(fe, re, terms=["lpcap", "lpc"]).df == 2
    with pytest.raises(ValueError, match=r"\['nope'\] are not in both fits; common to them are lpcap"):
        hausman(fe, re, terms=["nope"])
    with pytest.raises(IdentificationError, match="singular"):
        hausman(fe, SimpleNamespace(params=fe.params, cov_params=fe.cov_params))


def mundlak_data(seed: int, t: int = 6, rho: float = 0.0, correlated: float = 0.0) -> tuple:
    w = nq.weights.contiguity()
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((t, w.n)) + rng.standard_normal(w.n)
    mu = rng.standard_normal(w.n) + correlated * x.mean(axis=0)
    y = np.linalg.solve(np.eye(w.n) - rho * w.dense(), (mu + x + rng.standard_normal((t, w.n))).T).T
    return panel(w, y, x=x), w, x, y


def test_mundlak_of_ols_is_a_delete_one_unit_jackknife() -> None:
    """Least squares on [1, x, mean x]; covariance (N-1)/N sum of squared changes when a unit is left out."""
    data, _, x, y = mundlak_data(1)
    t, n = y.shape
    z = np.stack([np.ones((t, n)), x, np.tile(x.mean(axis=0), (t, 1))])

    def slope(keep: np.ndarray) -> float:
        flat = z[:, :, keep].reshape(3, -1).T
        return float(np.linalg.lstsq(flat, y[:, keep].ravel(), rcond=None)[0][2])

    every = np.arange(n)
    full = slope(every)
    variance = (n - 1) / n * sum((slope(np.delete(every, i)) - full) ** 2 for i in range(n))
    test = mundlak(nq.ols("y ~ x | unit", data))
    assert test.statistic == pytest.approx(full**2 / variance, rel=1e-8)
    assert (test.df, test.df_denominator) == (1, n - 1)
    assert test.pvalue == pytest.approx(stats.f.sf(test.statistic, 1, n - 1))


def test_mundlak_coefficient_is_between_less_within_and_statsmodels_agrees() -> None:
    data, _, x, y = mundlak_data(2, correlated=2.0)
    t, n = y.shape
    exog = np.column_stack([np.ones(t * n), x.T.ravel(), np.repeat(x.mean(axis=0), t)])
    fit = sm.OLS(y.T.ravel(), exog).fit(
        cov_type="cluster", cov_kwds={"groups": np.repeat(np.arange(n), t), "use_correction": False}
    )
    wald = float(mundlak(nq.ols("y ~ x | unit", data)).note.split()[2])
    # the jackknife is a little larger than the plain clustered covariance
    assert 0.75 * fit.tvalues[2] ** 2 < wald < fit.tvalues[2] ** 2
    between = np.polyfit(x.mean(axis=0), y.mean(axis=0), 1)[0]
    xw, yw = x - x.mean(axis=0), y - y.mean(axis=0)
    assert fit.params[2] == pytest.approx(between - np.sum(xw * yw) / np.sum(xw**2), rel=1e-10)


def test_jackknife_residuals_with_time_effects() -> None:
    """Against regressions with explicit time dummies that leave out a unit."""
    rng = np.random.default_rng(3)
    t, n = 4, 9
    x, y = rng.standard_normal((2, t, n)), rng.standard_normal((t, n))
    z = np.column_stack([x.reshape(2, -1).T, np.repeat(np.eye(t), n, axis=0)])
    columns = x - x.mean(axis=2, keepdims=True)
    e = (y.ravel() - z @ np.linalg.lstsq(z, y.ravel(), rcond=None)[0]).reshape(t, n)
    found = jackknife_residuals(e, np.concatenate([columns, np.zeros((1, t, n))]), True)
    unit = np.tile(np.arange(n), t)
    for i in range(n):
        b = np.linalg.lstsq(z[unit != i], y.ravel()[unit != i], rcond=None)[0]
        assert np.allclose(found[:, i], y[:, i] - z[unit == i] @ b)
    with pytest.raises(IdentificationError, match="one unit alone"):
        jackknife_residuals(e, (np.arange(n) == 0) * np.ones((1, t, n)), False)


def test_unit_meat_is_cluster_meat_of_single_units() -> None:
    form = score_form(fitted("produc", "SDM", "time").estimate)
    found = unit_meat(form.e, form.linear, form.quadratic, form.sigma2 * form.kept)
    assert np.allclose(found, cluster_meat(form, np.arange(48)), rtol=1e-9, atol=0)


@pytest.mark.parametrize("model", ["OLS", "SDM"])
def test_mundlak_keeps_its_size_with_random_effects(model: str) -> None:
    """80 panels whose unit effects are independent of x: rejections at 5 % within 99.9 % binomial bounds."""
    pvalues = []
    for seed in range(80):
        data, w, _, _ = mundlak_data(seed, rho=0.0 if model == "OLS" else 0.4)
        fit = nq.fit("y ~ x | unit + period", data, None if model == "OLS" else w, model=model)
        pvalues.append(mundlak(fit).pvalue)
    low, high = stats.binom.ppf([5e-4, 1 - 5e-4], 80, 0.05)
    assert low <= np.sum(np.array(pvalues) < 0.05) <= high


def test_mundlak_sees_correlated_effects_and_has_the_lags_of_the_means() -> None:
    data, w, _, _ = mundlak_data(1, rho=0.4, correlated=3.0)
    test = mundlak(nq.sdm("y ~ x | unit + period", data, w))
    assert test.pvalue < 1e-4 and test.df == 2  # mean of x and mean of Wx
    assert mundlak(nq.sar("y ~ x | unit + period", data, w)).df == 1


def test_refusals() -> None:
    with pytest.raises(ValueError, match="cross-section has no unit effects"):
        mundlak(fitted("columbus", "SAR"))
    with pytest.raises(ValueError, match="spatial error of a SEM fit contradicts"):
        mundlak(fitted("produc", "SEM", "individual"))
    with pytest.raises(ValueError, match="cross-section has no unit and time effects"):
        effects_tests(fitted("columbus"))
    with pytest.raises(ValueError, match="form='wald' is not known"):
        effects_tests(fitted("produc"), form="wald")
    with pytest.raises(ValueError, match="which='year' is not known"):
        effects_test(fitted("produc"), "year")
    with pytest.raises(ValueError, match="F test is for OLS and SLX fits, not SAR"):
        effects_tests(fitted("produc", "SAR", "individual"), form="F")
    w = queen(3, 4)
    rng = np.random.default_rng(0)
    common = np.repeat(rng.standard_normal((4, 1)), 12, axis=1)
    data = panel(w, rng.standard_normal((4, 12)), x=common)
    with pytest.raises(IdentificationError, match="no means to test"):
        mundlak(nq.ols("y ~ x", data))
