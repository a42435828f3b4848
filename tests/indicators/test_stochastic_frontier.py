"""Stochastic frontiers against FRONTIER 4.1, StatsPAI, simulation and invariances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from indicator_support import shuffled

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError, PanelError

REFERENCE = Path(__file__).parent / "reference" / "front41.csv"


@pytest.fixture(scope="module")
def firms():
    return pd.read_csv(REFERENCE, index_col="firm")


@pytest.fixture(scope="module")
def frontier41(firms):
    return nq.indicators.sfa(firms, "output", ["capital", "labour"])


def test_estimates_against_frontier41(frontier41):
    # single precision of the program: five digits
    printed = [0.56161963, 0.28110205, 0.53647981, 0.21700046, 0.79720730]
    assert frontier41.params.to_numpy() == pytest.approx(printed, abs=4e-6)
    assert frontier41.llf == pytest.approx(-17.027229, abs=1e-5)
    assert frontier41.llf_ols == pytest.approx(-18.446849, abs=1e-5)
    assert frontier41.tests[0].statistic == pytest.approx(2.8392402, abs=1e-5)
    # lrtest of R's frontier 0.996 on the same data
    assert frontier41.tests[0].pvalue == pytest.approx(0.046, abs=5e-4)


def test_standard_errors_are_near_frontier41_s(frontier41):
    """Observed information here, a quasi-Newton approximation there."""
    printed = [0.20261668, 0.047643365, 0.045251553, 0.063909106, 0.13642399]
    assert frontier41.bse.to_numpy() == pytest.approx(printed, rel=0.02)


def test_efficiencies_against_frontier41(firms, frontier41):
    assert frontier41.efficiency.to_numpy() == pytest.approx(firms["efficiency"].to_numpy(), abs=3e-6)
    assert frontier41.efficiency.mean() == pytest.approx(0.74056772, abs=1e-6)


def battese_coelli(units=31, periods=12, seed=3):
    """Simulated as y = x b + v - exp(-0.05 (t - T)) u; the seed the peer's numbers belong to."""
    rng = np.random.default_rng(seed)
    u = np.abs(rng.normal(size=units)) * 0.4
    lead = np.tile(np.arange(periods) - periods + 1.0, units)
    x = rng.normal(size=(units * periods, 2)) * [1, 3] + [5, 10]
    y = 1 + x @ [0.4, 0.5] - np.exp(-0.05 * lead) * np.repeat(u, periods) + rng.normal(size=units * periods) * 0.1
    index = pd.MultiIndex.from_product([range(units), range(2000, 2000 + periods)], names=["unit", "year"])
    return pd.DataFrame({"y": y, "a": x[:, 0], "b": x[:, 1]}, index=index)


# StatsPAI 1.40.2, xtfrontier(model="ti" | "tvd"): coefficients, sigma_u, sigma_v, log-likelihood, standard errors
STATSPAI = {
    "invariant": (
        [0.950883, 0.399428, 0.502238], 0.5868902708114836, 0.1473635859009147, 123.03395423773864,
        [0.060941, 0.008164, 0.002622],
    ),
    "decay": (
        [0.987600, 0.405587, 0.500875], 0.4765785227993726, 0.10195316471330777, 247.5794968187833,
        [0.049435, 0.005667, 0.001820],
    ),
}  # fmt: skip


@pytest.mark.parametrize("model", ["invariant", "decay"])
def test_panels_against_statspai(model):
    beta, sigma_u, sigma_v, llf, se = STATSPAI[model]
    fit = nq.indicators.sfa(battese_coelli(), "y", ["a", "b"], model=model, log=False)
    assert fit.params.iloc[:3].to_numpy() == pytest.approx(beta, abs=2e-6)
    assert fit.params["sigma2"] == pytest.approx(sigma_u**2 + sigma_v**2, rel=1e-5)
    assert fit.params["gamma"] == pytest.approx(sigma_u**2 / (sigma_u**2 + sigma_v**2), rel=1e-6)
    assert fit.llf == pytest.approx(llf, abs=1e-7)
    assert fit.bse.iloc[:3].to_numpy() == pytest.approx(se, abs=2e-6)
    if model == "decay":
        assert (fit.params["eta"], fit.bse["eta"]) == pytest.approx((0.047280, 0.003119), abs=2e-6)
        assert fit.tests[1].statistic == pytest.approx(2 * (247.5794968 - 123.0339542), abs=1e-5)


def test_truth_is_found_and_covered():
    fit = nq.indicators.sfa(battese_coelli(units=300, seed=8), "y", ["a", "b"], model="decay", log=False)
    truth = pd.Series({"const": 1.0, "a": 0.4, "b": 0.5, "sigma2": 0.17, "gamma": 0.16 / 0.17, "eta": 0.05})
    assert (np.abs(fit.params - truth) / fit.bse).max() < 3.5
    assert fit.pvalues[["sigma2", "gamma"]].isna().all() and fit.pvalues["a"] < 1e-6


def test_estimated_efficiency_follows_the_true_one():
    data = battese_coelli(units=200, seed=5)
    rng = np.random.default_rng(5)
    u = np.abs(rng.normal(size=200)) * 0.4
    fit = nq.indicators.sfa(data, "y", ["a", "b"], model="decay", log=False)
    last = fit.efficiency.xs(2011, level=1)
    assert np.corrcoef(last, np.exp(-u))[0, 1] > 0.97
    assert fit.efficiency.between(0, 1).all()


def test_logs_units_and_order():
    data = np.exp(battese_coelli())
    a = nq.indicators.sfa(data, "y", ["a", "b"], model="invariant")
    b = nq.indicators.sfa(shuffled(data), "y", ["a", "b"], model="invariant")
    pd.testing.assert_series_equal(a.params, b.params, check_exact=True)
    pd.testing.assert_series_equal(a.efficiency, b.efficiency, check_exact=True)
    c = nq.indicators.sfa(data * [1e3, 1e-2, 1], "y", ["a", "b"], model="invariant")
    assert c.params[["a", "b", "gamma"]].to_numpy() == pytest.approx(a.params[["a", "b", "gamma"]].to_numpy(), rel=1e-6)
    assert a.returns_to_scale == pytest.approx(a.params["a"] + a.params["b"])


def test_unbalanced_panels_count_from_each_unit_s_last_year():
    data = battese_coelli()
    cut = data[~((data.index.get_level_values(0) < 5) & (data.index.get_level_values(1) > 2008))]
    fit = nq.indicators.sfa(cut, "y", ["a", "b"], model="decay", log=False)
    eta = fit.params["eta"]
    # u_it = exp(-eta (t - T_i)) u_i: the unit's last year is its reference, so efficiency rises towards it
    short = fit.efficiency.loc[0]
    assert eta > 0 and (np.diff(short) > 0).all() and short.index[-1] == 2008


def test_trend_is_neutral_technical_change():
    data = battese_coelli()
    years = data.index.get_level_values(1).to_numpy()
    shifted = data.assign(y=data["y"] + 0.03 * (years - 2000))
    fit = nq.indicators.sfa(shifted, "y", ["a", "b"], model="invariant", log=False, trend=True)
    base = nq.indicators.sfa(data, "y", ["a", "b"], model="invariant", log=False, trend=True)
    assert fit.params["trend"] - base.params["trend"] == pytest.approx(0.03, abs=1e-7)
    assert fit.llf == pytest.approx(base.llf, abs=1e-6)


def test_information_criteria_and_text(frontier41):
    assert frontier41.aic == pytest.approx(2 * 17.027225 + 10, abs=1e-4)
    assert frontier41.bic == pytest.approx(2 * 17.027225 + 5 * np.log(60), abs=1e-4)
    assert "LR test of no inefficiency" in repr(frontier41) and "1/2 chi2(0)" in frontier41._repr_html_()


def test_errors(firms):
    with pytest.raises(PanelError, match="model='decay' and a trend need a panel"):
        nq.indicators.sfa(firms, "output", ["capital"], model="decay")
    with pytest.raises(ValueError, match="model='spline'"):
        nq.indicators.sfa(firms, "output", ["capital"], model="spline")
    with pytest.raises(PanelError, match="labour of 3"):
        nq.indicators.sfa(firms.assign(labour=firms["labour"].where(firms.index != 3, -1.0)), "output", ["labour"])
    with pytest.raises(PanelError, match="at least one input"):
        nq.indicators.sfa(firms, "output", [])
    with pytest.raises(IdentificationError, match="skewed") as cross:
        nq.indicators.sfa((-np.log(firms)), "output", ["capital", "labour"], log=False)
    assert "invariant" not in str(cross.value)  # of no use to a cross-section
    with pytest.raises(PanelError, match="must be in logs"):
        _ = nq.indicators.sfa(np.log(firms), "output", ["capital", "labour"], log=False).returns_to_scale


def test_one_input_as_a_string(firms):
    one, many = (nq.indicators.sfa(firms, "output", x) for x in ("labour", ["labour"]))
    pd.testing.assert_series_equal(one.params, many.params)


def test_no_inefficiency_in_a_pooled_panel_names_the_panel_models(firms):
    rows = -np.log(firms)
    index = pd.MultiIndex.from_product([range(len(rows) // 4), range(4)], names=["unit", "year"])
    with pytest.raises(IdentificationError, match=r"model='invariant'.*model='decay'"):
        nq.indicators.sfa(rows.set_axis(index), "output", ["capital", "labour"], log=False)
