"""LR and Wald tests against spatialreg, spreg and the golden panels; degrees of freedom; refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from diagnostics_support import EFFECTS, FORMULAS, PANELS, fitted, frame, golden, panel, queen, weights
from scipy import optimize, stats

import nqpf_spatial as nq
from nqpf_spatial.errors import ConvergenceError, IdentificationError
from nqpf_spatial.models.diagnostics import lr_test, wald_test

CROSS = ("columbus", "columbusB", "columbusEig", "boston", "lattice1024")
PAIRS = {
    "sdm_vs_sar": ("SDM", "SAR"),
    "sdm_vs_sem_common_factor": ("SDM", "SEM"),
    "sdem_vs_sem": ("SDEM", "SEM"),
    "sac_vs_sar": ("SAC", "SAR"),
    "sac_vs_sem": ("SAC", "SEM"),
    "gns_vs_sdm": ("GNS", "SDM"),
    "sar_vs_ols": ("SAR", "OLS"),
    "sem_vs_ols": ("SEM", "OLS"),
    "sdm_vs_slx": ("SDM", "SLX"),
}


@pytest.mark.parametrize("key", CROSS)
@pytest.mark.parametrize("pair", PAIRS)
def test_likelihood_ratio_equals_spatialreg(key: str, pair: str) -> None:
    """Binary and spectral W have a lagged intercept in the Durbin models: one degree of freedom more."""
    full, small = PAIRS[pair]
    expected = golden()[f"{key}.lr_tests"][pair]
    test = lr_test(fitted(key, full), small)
    assert test.statistic == pytest.approx(expected["statistic"], abs=2e-7)
    assert test.df == expected["parameter"]
    assert test.pvalue == pytest.approx(expected["p.value"], rel=1e-6)


@pytest.mark.parametrize("key", PANELS)
@pytest.mark.parametrize("effects", EFFECTS)
def test_panels_equal_dummy_variable_likelihoods(key: str, effects: str) -> None:
    entry = golden()[f"{key}.own.LR.{effects}"]
    expected = entry.get("dummy_ml", entry)
    for pair, small in (("sdm_vs_sar", "SAR"), ("sdm_vs_sem", "SEM")):
        test = lr_test(fitted(key, "SDM", effects), small)
        assert test.statistic == pytest.approx(expected[pair], abs=1e-7)
        assert test.df == entry["df"]
    assert lr_test(fitted(key, "SDEM", effects), "SEM").statistic == pytest.approx(expected["sdem_vs_sem"], abs=1e-7)


def test_transformation_likelihoods_are_compared_among_themselves() -> None:
    """Two-way transformation ML: twice the difference of the golden log-likelihoods."""
    loglik = {m: golden()[f"produc.own_transform.{m}.twoways"]["loglik"] for m in ("sar", "sdm", "sem")}
    fit = fitted("produc", "SDM", "twoways", "transform")
    assert lr_test(fit, "SAR").statistic == pytest.approx(2 * (loglik["sdm"] - loglik["sar"]), abs=1e-5)
    assert lr_test(fit, "SEM").statistic == pytest.approx(2 * (loglik["sdm"] - loglik["sem"]), abs=1e-5)


def test_a_fit_serves_as_well_as_a_name() -> None:
    full = fitted("columbus", "SDM")
    assert lr_test(full, fitted("columbus", "SAR")) == lr_test(full, "SAR")


def test_fewer_regressors_of_the_same_model() -> None:
    data, w = frame("columbus"), weights("columbus")
    test = lr_test(nq.sar("CRIME ~ INC + HOVAL", data, w), nq.sar("CRIME ~ INC", data, w))
    assert test.df == 1 and test.null == "fewer regressors" and test.statistic > 0


@pytest.mark.parametrize("key", ["columbus", "boston", "lattice1024"])
def test_common_factor_wald_equals_spreg(key: str) -> None:
    name = {"lattice1024": "lattice_n1024"}.get(key, key)
    statistic, pvalue = golden()[f"{name}.spreg.ml_sdm.full"]["cfh_test"]
    test = wald_test(fitted(key, "SDM"), "SEM")
    assert test.statistic == pytest.approx(statistic, rel=1e-6)
    assert test.pvalue == pytest.approx(pvalue, rel=1e-4)


@pytest.mark.parametrize("model", ["SAR", "SDM", "SEM"])
def test_single_parameter_wald_equals_spatialreg(model: str) -> None:
    """spatialreg's Wald of rho (SAR, SDM) or lambda (SEM), with the expected information."""
    expected = golden()[f"columbus.{model.lower()}_ml"]["Wald"]
    test = wald_test(fitted("columbus", model), {"SAR": "OLS", "SDM": "SLX", "SEM": "OLS"}[model])
    assert test.statistic == pytest.approx(expected["statistic"], rel=1e-5)
    assert test.df == expected["parameter"]


def test_delta_method_jacobian_of_the_common_factor() -> None:
    """The nonlinear restriction by numerical differentiation."""
    fit = fitted("columbus", "SDM")
    p, names = fit.params.to_numpy(), list(fit.params.index)
    x, wx, rho = ([names.index(n) for n in group] for group in (["INC", "HOVAL"], ["W:INC", "W:HOVAL"], ["rho"]))
    g = lambda v: v[wx] + v[rho[0]] * v[x]
    jacobian = optimize.approx_fprime(p, g, 1e-7)
    expected = g(p) @ np.linalg.solve(jacobian @ fit.cov_params().to_numpy() @ jacobian.T, g(p))
    assert wald_test(fit, "SEM").statistic == pytest.approx(expected, rel=1e-5)


def test_wald_of_theta_is_the_squared_z_with_one_lag_and_follows_the_covariance() -> None:
    data, w = frame("columbus"), weights("columbus")
    fit = nq.sdm("CRIME ~ INC + HOVAL", data, w, durbin=["INC"])
    test = wald_test(fit, "SAR")
    assert test.df == 1 and test.statistic == pytest.approx(fit.zvalues["W:INC"] ** 2, rel=1e-10)
    robust = fit.with_vcov("sandwich")
    assert wald_test(robust, "SAR").statistic == pytest.approx(robust.zvalues["W:INC"] ** 2, rel=1e-10)
    assert wald_test(robust, "SAR").note == "covariance: sandwich"


def test_lr_and_wald_agree_when_the_null_is_nearly_true() -> None:
    w = nq.weights.contiguity()
    data = nq.simulate("SAR", w, T=20, params={"x": 1.0, "rho": 0.4}, seed=3)
    fit = nq.sdm("y ~ x | unit + period", data, w)
    assert lr_test(fit, "SAR").statistic == pytest.approx(wald_test(fit, "SAR").statistic, rel=0.05)
    assert lr_test(fit, "SLX").statistic > 50


@pytest.mark.parametrize("small", ["SAR", "SEM"])
def test_size_of_the_likelihood_ratio(small: str) -> None:
    """80 panels under the null: rejections at 5 % within 99.9 % binomial bounds."""
    w = nq.weights.contiguity()
    params = {"x": 1.0, "rho": 0.4} if small == "SAR" else {"x": 1.0, "lambda": 0.4}
    pvalues = []
    for seed in range(80):
        data = nq.simulate(small, w, T=5, params=params, seed=seed)
        pvalues.append(lr_test(nq.sdm("y ~ x | unit + period", data, w), small).pvalue)
    low, high = stats.binom.ppf([5e-4, 1 - 5e-4], 80, 0.05)
    assert low <= np.sum(np.array(pvalues) < 0.05) <= high


def test_different_likelihoods_are_refused() -> None:
    full = fitted("produc", "SDM", "twoways", "transform")
    with pytest.raises(ValueError, match="752 and 816 observations"):
        lr_test(full, fitted("produc", "SAR", "twoways", "none"))
    with pytest.raises(ValueError, match="different fixed effects; for a test of effects use effects_tests"):
        lr_test(fitted("produc", "SDM", "twoways"), fitted("produc", "SAR", "individual"))
    data, w = frame("columbus"), weights("columbus")
    other = nq.sar("HOVAL ~ INC", data, w)
    with pytest.raises(ValueError, match="different samples or outcomes"):
        lr_test(fitted("columbus", "SDM"), other)


def test_models_that_are_not_nested_are_refused() -> None:
    with pytest.raises(ValueError, match="SEM is not inside SAR; that contains OLS"):
        lr_test(fitted("columbus", "SAR"), "SEM")
    with pytest.raises(ValueError, match="SDM is not nested in SAR"):
        lr_test(fitted("columbus", "SAR"), fitted("columbus", "SDM"))
    with pytest.raises(ValueError, match="SEM is not inside SAR"):
        wald_test(fitted("columbus", "SAR"), "SEM")
    data, w = frame("columbus"), weights("columbus")
    with pytest.raises(ValueError, match="only in the simpler one: HOVAL"):
        lr_test(nq.sar("CRIME ~ INC", data, w), nq.sar("CRIME ~ HOVAL", data, w))
    with pytest.raises(ValueError, match="nothing is restricted"):
        lr_test(fitted("columbus", "SAR"), fitted("columbus", "SAR"))
    with pytest.raises(ValueError, match="different weights"):
        lr_test(
            fitted("columbus", "SDM"), nq.sar(FORMULAS["columbus"], data, weights("columbusEig"), correction="none")
        )


def test_common_factor_needs_every_lag_and_the_same_weights() -> None:
    data, w = frame("columbus"), weights("columbus")
    partial = nq.sdm("CRIME ~ INC + HOVAL", data, w, durbin=["INC"])
    with pytest.raises(IdentificationError, match="absent: HOVAL"):
        lr_test(partial, "SEM")
    with pytest.raises(IdentificationError, match="absent: HOVAL"):
        wald_test(partial, "SEM")
    two = nq.sdm("CRIME ~ INC + HOVAL", data, w, w_durbin=weights("columbusEig"), durbin=["INC", "HOVAL"])
    with pytest.raises(IdentificationError, match="same weights in Wy and WX"):
        lr_test(two, "SEM")


def test_a_restricted_model_with_the_higher_likelihood_is_an_error() -> None:
    full = fitted("columbus", "SDM")
    low = replace(full, estimate=replace(full.estimate, fit=replace(full.estimate.fit, llf=-200.0)))
    with pytest.raises(ConvergenceError, match="not at its maximum"):
        lr_test(low, "SAR")


def test_degrees_of_freedom_follow_the_lagged_regressors() -> None:
    w = queen(4, 4)
    rng = np.random.default_rng(0)
    data = panel(w, rng.standard_normal((6, 16)), a=rng.standard_normal((6, 16)), b=rng.standard_normal((6, 16)))
    assert lr_test(nq.sdm("y ~ a + b | unit", data, w), "SAR").df == 2
    assert lr_test(nq.sdm("y ~ a + b | unit", data, w, durbin=["b"]), "SAR").df == 1
    assert lr_test(nq.sdm("y ~ a + b", data, w.with_transform("none")), "SAR").df == 3
