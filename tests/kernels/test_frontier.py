"""The frontier likelihood against quadrature, and its gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import norm

from nqpf_spatial.errors import IdentificationError, PanelError
from nqpf_spatial.kernels.frontier import FrontierData, fit_frontier, frontier_efficiency, frontier_loglik

THETA = np.array([0.8, 0.45, 0.5, np.log(0.2), np.log(0.02), 0.04])


def simulated(units=31, periods=12, seed=3, eta=0.05):
    rng = np.random.default_rng(seed)
    u = np.abs(rng.normal(size=units)) * 0.4
    lead = np.tile(np.arange(periods) - periods + 1.0, units)
    x = rng.normal(size=(units * periods, 2)) * [1, 3] + [5, 10]
    noise = rng.normal(size=units * periods) * 0.1
    y = 1 + x @ [0.4, 0.5] - np.exp(-eta * lead) * np.repeat(u, periods) + noise
    design = np.column_stack([np.ones(len(y)), x])
    return FrontierData(y, design, np.arange(0, len(y), periods), lead)


def one_unit(data, i, periods=12):
    rows = slice(i * periods, (i + 1) * periods)
    return FrontierData(data.y[rows], data.x[rows], np.array([0]), data.lead[rows])


@pytest.mark.parametrize("unit", [0, 7, 30])
def test_likelihood_and_efficiency_against_quadrature(unit):
    """The joint density integrated over u on a fine grid."""
    data = one_unit(simulated(), unit)
    e, h = data.y - data.x @ THETA[:3], np.exp(-THETA[5] * data.lead)
    su, sv = np.exp(THETA[3] / 2), np.exp(THETA[4] / 2)
    u = np.linspace(0, 8 * su, 40_001)
    log_joint = norm.logpdf(e[:, None] + h[:, None] * u, scale=sv).sum(axis=0) + norm.logpdf(u, scale=su) + np.log(2)
    top = log_joint.max()
    density = np.exp(log_joint - top)
    mass = np.trapezoid(density, u)
    assert frontier_loglik(data, THETA)[0] == pytest.approx(top + np.log(mass), abs=1e-9)
    for t in (0, 11):
        expected = np.trapezoid(density * np.exp(-h[t] * u), u) / mass
        assert frontier_efficiency(data, THETA)[t] == pytest.approx(expected, abs=1e-9)


def test_gradient_against_differences():
    data = simulated()
    gradient = frontier_loglik(data, THETA)[1]
    numeric = approx_fprime(THETA, lambda z: frontier_loglik(data, z)[0], 1e-7)
    assert gradient == pytest.approx(numeric, rel=1e-4, abs=0.05)


def test_one_row_per_unit_is_the_normal_half_normal_density():
    """Aigner, Lovell and Schmidt (1977): 2/s phi(e/s) Phi(-e lambda / s)."""
    e = np.array([-1.2, 0.3, 0.9])
    data = FrontierData(e, np.zeros((3, 1)), np.arange(3), np.zeros(3))
    su, sv = 0.7, 0.4
    s = np.hypot(su, sv)
    expected = np.sum(np.log(2 / s) + norm.logpdf(e / s) + norm.logcdf(-e * su / sv / s))
    theta = [0.0, 2 * np.log(su), 2 * np.log(sv), 0.0]
    assert frontier_loglik(data, theta)[0] == pytest.approx(expected, abs=1e-12)


def test_far_tails_stay_finite():
    data = FrontierData(np.array([1e4, -1e4]), np.ones((2, 1)), np.arange(2), np.zeros(2))
    llf, gradient = frontier_loglik(data, [0.0, 0.0, -10.0, 0.0])
    assert np.isfinite(llf) and np.isfinite(gradient).all()


def test_maximum_is_one():
    data = simulated()
    fit = fit_frontier(data, decay=True)
    theta = [*fit.beta, np.log(fit.gamma * fit.sigma2), np.log((1 - fit.gamma) * fit.sigma2), fit.eta]
    assert frontier_loglik(data, theta)[0] == pytest.approx(fit.llf, abs=1e-8)
    assert np.abs(frontier_loglik(data, theta)[1]).max() < 1e-3
    for k in range(6):
        for step in (-0.02, 0.02):
            near = np.array(theta)
            near[k] += step
            assert frontier_loglik(data, near)[0] < fit.llf


def test_rescaled_regressors_rescale_coefficients():
    data = simulated()
    fit = fit_frontier(data)
    scaled = fit_frontier(FrontierData(data.y, data.x * [1, 1e4, 1e-4], data.start, data.lead))
    assert scaled.beta == pytest.approx(fit.beta / [1, 1e4, 1e-4], rel=1e-5)
    assert scaled.llf == pytest.approx(fit.llf, abs=1e-7)
    assert np.sqrt(np.diag(scaled.cov))[1] == pytest.approx(np.sqrt(fit.cov[1, 1]) / 1e4, rel=1e-3)


def test_wrong_skewness_is_an_error():
    """Inefficiency with the wrong sign: the likelihood is largest without any (Waldman 1982)."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=200) * 0.1 + np.abs(rng.normal(size=200))
    data = FrontierData(y, np.ones((200, 1)), np.arange(200), np.zeros(200))
    with pytest.raises(IdentificationError, match="no inefficiency is identified"):
        fit_frontier(data)


def test_degenerate_designs():
    data = simulated(units=4)
    with pytest.raises(PanelError, match="collinear"):
        fit_frontier(FrontierData(data.y, np.column_stack([data.x, data.x[:, 1]]), data.start, data.lead))
    with pytest.raises(PanelError, match="too few"):
        fit_frontier(one_unit(data, 0, periods=5))
