"""Sigma, beta and stochastic convergence."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy.stats import pearsonr
from statsmodels.tsa.stattools import adfuller, kpss

import nqpf_spatial as nq
from nqpf_spatial import provinces
from nqpf_spatial.divergence import sigmas
from nqpf_spatial.errors import AlignmentError, IdentificationError, PanelError

D = nq.divergence
NAMES = [p.name_en for p in provinces.PROVINCES]


@pytest.fixture(scope="module")
def x() -> pd.Series:
    rng = np.random.default_rng(6)
    index = pd.MultiIndex.from_product([NAMES, range(2005, 2025)], names=["province", "year"])
    gap = rng.normal(0, 0.5, (31, 1)) * 0.97 ** np.arange(20)
    y = 2 + 0.06 * np.arange(20) + gap + np.cumsum(rng.normal(0, 0.01, (31, 20)), axis=1)
    return pd.Series(np.exp(y).ravel(), index=index, name="gdp")


def test_carree_klomp_is_the_test_of_pitman_and_morgan() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=31)
    b = 0.7 * a + rng.normal(size=31) * 0.4
    r = pearsonr(a - b, a + b).statistic
    found = sigmas.variance_test(a, b, "z")
    assert found.statistic == pytest.approx(-(31 - 2.5) * np.log(1 - r**2))
    assert (found.df, found.note) == (1.0, "it fell")
    assert found.pvalue == pytest.approx(pearsonr(a - b, a + b).pvalue, abs=0.004)
    assert sigmas.variance_test(b, a, "z").note == "it rose"
    with pytest.raises(PanelError, match="perfectly correlated"):
        sigmas.variance_test(a, 2 * a, "z")


def test_size_of_the_variance_test() -> None:
    rng = np.random.default_rng(1)
    rejections = 0
    for _ in range(600):
        common = rng.normal(size=31)
        rejections += (
            sigmas.variance_test(common + rng.normal(size=31), common + rng.normal(size=31), "z").pvalue < 0.05
        )
    assert 0.03 < rejections / 600 < 0.075


def test_sigma_reports_measures_and_labels(x: pd.Series) -> None:
    r = D.sigma(x)
    pd.testing.assert_frame_equal(r.table, D.inequality(x).table)
    assert (r.trends["label"] == "CONVERGING").all() and r.test.pvalue < 0.01
    assert D.sigma(x, measures=["gini"], years=(2010, 2024)).table.shape == (15, 1)
    with pytest.raises(PanelError, match="needs at least 8 years"):
        D.sigma(x, years=(2018, 2024))


def test_cross_section_beta_is_ols_with_hc3(x: pd.Series) -> None:
    wide = np.log(x.unstack(1))
    frame = pd.DataFrame({"growth": (wide[2024] - wide[2005]) / 19, "level": wide[2005]})
    frame["z"] = np.linspace(0, 1, 31)
    r = D.beta(x, frame[["z"]])
    peer = smf.ols("growth ~ level + z", frame).fit(cov_type="HC3", use_t=True)
    for term in ("level", "z"):
        assert r.table.loc[term, "estimate"] == pytest.approx(peer.params[term])
        assert r.table.loc[term, "se"] == pytest.approx(peer.bse[term])
        assert r.table.loc[term, "p"] == pytest.approx(peer.pvalues[term])
    assert (r.nobs, r.kind, r.vcov) == (31, "cross", "HC3")
    b, tau = peer.params["level"], 19
    assert r.half_life.speed == pytest.approx(-np.log(1 + b * tau) / tau)
    assert r.half_life.years == pytest.approx(np.log(2) / r.half_life.speed)


def test_panel_beta_is_the_dummy_regression_and_warns(x: pd.Series) -> None:
    with pytest.warns(D.NickellBiasWarning, match=r"T = 19: the coefficient -\d.*come out near -0.150"):
        r = D.beta(x, kind="panel")
    frame = D.beta_design(x).reset_index()
    peer = smf.ols("growth ~ level + C(province) + C(year)", frame).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(frame["province"])[0]}, use_t=True
    )
    assert r.table.loc["level", "estimate"] == pytest.approx(peer.params["level"])
    assert r.table.loc["level", "se"] == pytest.approx(peer.bse["level"])
    assert list(r.table.index) == ["level"]


def test_nickell_bias_is_of_the_size_the_warning_states() -> None:
    """Random walks, no convergence at all: the estimate tends to -3/(T + 1) (Harris and Tzavalis 1999)."""
    rng = np.random.default_rng(2)
    index = pd.MultiIndex.from_product([range(60), range(2010, 2024)], names=["unit", "year"])
    estimates = []
    for _ in range(25):
        y = np.cumsum(rng.normal(0, 0.05, (60, 14)), axis=1)
        with pytest.warns(D.NickellBiasWarning):
            estimates.append(
                D.beta(pd.Series(np.exp(y).ravel(), index=index, name="y"), kind="panel").table.loc["level", "estimate"]
            )
    assert np.mean(estimates) == pytest.approx(-3 / 14, rel=0.06)


def test_design_lags_levels_and_controls(x: pd.Series) -> None:
    control = (x * 3).rename("c").sample(frac=1, random_state=0).to_frame()
    d = D.beta_design(x, control, lag=2)
    row = d.loc[("Hebei", 2010)]
    assert row["growth"] == pytest.approx(np.log(x["Hebei", 2010] / x["Hebei", 2008]) / 2)
    assert row["level"] == pytest.approx(np.log(x["Hebei", 2008]))
    assert row["c"] == pytest.approx(3 * x["Hebei", 2008])
    assert d.index.names == ["province", "year"] and len(d) == 31 * 18
    with pytest.raises(PanelError, match=r"control c is missing at .*'Tibet', 2005"):
        D.beta_design(x, control.drop(index=("Tibet", 2005)))
    with pytest.raises(PanelError, match="consecutive years"):
        D.beta_design(x, years=[2005, 2006, 2008])
    with pytest.raises(PanelError, match="needs more than 30 times"):
        D.beta_design(x, lag=30)


def test_half_life_of_two_percent_is_thirty_five_years() -> None:
    h = D.half_life(-(1 - np.exp(-0.02)))
    assert h.speed == pytest.approx(0.02) and h.years == pytest.approx(34.657, abs=1e-3) and np.isnan(h.lower)
    average = D.half_life(-(1 - np.exp(-0.02 * 10)) / 10, period=10)
    assert average.speed == pytest.approx(0.02)


def test_delta_interval_of_the_half_life_by_simulation() -> None:
    h = D.half_life(-0.05, 0.01)
    draws = -np.log(1 + np.random.default_rng(0).normal(-0.05, 0.01, 200_000))
    assert h.speed_se == pytest.approx(draws.std(), rel=0.02)
    low, high = np.quantile(np.log(2) / draws, [0.025, 0.975])
    assert (h.lower, h.upper) == pytest.approx((low, high), rel=0.05)
    wide = D.half_life(-0.01, 0.02)
    assert wide.upper == np.inf and wide.lower > 0
    assert D.half_life(0.01, 0.001).years < 0  # divergence: no half-life
    with pytest.raises(IdentificationError, match="overshooting"):
        D.half_life(-0.2, period=10)


def test_half_life_reads_any_fit_with_params(x: pd.Series) -> None:
    frame = D.beta_design(x)
    fit = sm.OLS(frame["growth"], sm.add_constant(frame[["level"]])).fit()
    h = D.half_life(fit, term="level")
    assert (h.coefficient, h.se) == (pytest.approx(fit.params["level"]), pytest.approx(fit.bse["level"]))
    with pytest.raises(KeyError, match="no term 'lnx'"):
        D.half_life(fit, term="lnx")


def test_beta_refuses_what_it_cannot_estimate(x: pd.Series) -> None:
    z = pd.DataFrame({"z": np.arange(31.0)}, index=NAMES)
    with pytest.raises(AlignmentError, match="control z lacks Tibet"):
        D.beta(x, z.drop("Tibet"))
    with pytest.raises(IdentificationError, match="collinear"):
        D.beta(x, pd.DataFrame({"a": z["z"], "b": 2 * z["z"] + 1}))
    with pytest.raises(ValueError, match="needs kind='panel'"):
        D.beta(x, vcov="cluster")
    with pytest.raises(PanelError, match="at least two times"):
        D.beta(x, years=2010)


@pytest.mark.parametrize("test", ["adf", "kpss"])
def test_unit_root_tests_are_those_of_statsmodels(x: pd.Series, test: str) -> None:
    r = D.stochastic_convergence(x, test=test, lags=1)
    logs = np.log(x.unstack(1))
    gap = (logs - logs.mean()).loc["Hubei"].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels announces its next return type, and cut p-values
        peer = adfuller(gap, maxlag=1, autolag=None) if test == "adf" else kpss(gap, nlags=1)
    if test == "adf":
        fisher = -2 * np.log(r.table["pvalue"]).sum()
        assert r.combined.statistic == pytest.approx(fisher) and r.combined.df == 62
    else:
        assert r.combined is None
    assert r.table.loc["Hubei", ["statistic", "pvalue"]].tolist() == pytest.approx([peer[0], peer[1]])


def test_short_panels_have_no_unit_root_test(x: pd.Series) -> None:
    with pytest.raises(PanelError, match="at least 15 years here, gdp has 12"):
        D.stochastic_convergence(x, years=(2013, 2024))
    with pytest.raises(PanelError, match="equally spaced"):
        D.stochastic_convergence(x.drop(index=2010, level=1))
