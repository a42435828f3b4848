"""The profile of rho: dense likelihoods maximised anew at fixed rho, invariants of the interval, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from dense_reference import Dense
from panels import panel, weights
from scipy import optimize, stats
from test_models_brute_force import build

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError, IdentificationWarning, PanelError

CASES = [
    ("SAR", "ring", "twoways", True),
    ("SDM", "knn", "twoways", True),
    ("SDM", "graph", "unit", False),
    ("SAR", "graph", "none", False),
    ("SAC", "graph", "unit", True),
    ("SAC", "knn", "twoways", True),
]


def highest(dense: Dense, rho: float, start: np.ndarray) -> float:
    """The dense likelihood over everything but rho, from its own gradient; ln s2 keeps the variance positive."""
    free = np.delete(np.arange(dense.size), dense.k)

    def full(q: np.ndarray) -> np.ndarray:
        p = np.insert(q, dense.k, rho)
        p[-1] = np.exp(q[-1])
        return p

    def slope(q: np.ndarray) -> np.ndarray:
        p = full(q)
        score = dense.score(p)[free]
        score[-1] *= p[-1]
        return -score

    found = []
    for lambda_ in (-0.6, 0.0, 0.6) if dense.w2 is not None else (0.0,):  # there may be several maxima in lambda
        first = np.append(start[free][:-1], np.log(start[-1]))
        if dense.w2 is not None:
            first[dense.k] = lambda_
        options = {"gtol": 1e-9}
        found.append(
            optimize.minimize(lambda q: -dense.loglik(full(q)), first, jac=slope, method="BFGS", options=options)
        )
    return -float(min(one.fun for one in found))


@pytest.mark.parametrize(("model", "kind", "effects", "transform"), CASES)
def test_every_value_is_the_dense_likelihood_maximised_anew(model, kind, effects, transform):
    dense, fit = build(model, kind, effects, transform)
    found = fit.profile(points=11)
    start = np.zeros(dense.size)
    start[-1] = fit.sigma2
    k = dense.k if effects == "none" or transform else len(fit.params) - 1 - (model == "SAC")
    start[:k] = fit.params.iloc[:k]
    for rho in found.table.index[:: len(found.table) // 6]:
        if abs(rho) < 0.97:
            np.testing.assert_allclose(found.table.loc[rho, "llf"], highest(dense, rho, start), rtol=1e-8)


@pytest.mark.parametrize(("model", "kind", "effects", "transform"), CASES)
def test_invariants(model, kind, effects, transform):
    fit = build(model, kind, effects, transform)[1]
    found = fit.profile(alpha=0.1)
    assert found.table["llf"].idxmax() == fit.rho == found.rho
    np.testing.assert_allclose(found.table.loc[fit.rho, "llf"], fit.llf, rtol=1e-12)
    assert (found.table["lr"] >= -1e-9).all()
    cut = stats.chi2.ppf(0.9, 1)
    assert found.cut == pytest.approx(cut)
    low, high = found.intervals.loc["lr"]
    assert low < fit.rho < high and len(found.pieces) == 1
    from nqpf_spatial.kernels.profile import profile_rho

    at_ends = profile_rho(fit.estimate.reduced, fit.estimate.likelihood, [low, high])
    np.testing.assert_allclose(2.0 * (fit.llf - at_ends), cut, atol=1e-8)
    inside = (found.table.index > low) & (found.table.index < high)
    assert ((found.table["lr"] < cut) == inside).all()
    np.testing.assert_allclose(found.intervals.loc["wald"], fit.conf_int(0.1).loc["rho"])
    logdet = fit.estimate.likelihood.rho
    assert tuple(found.intervals.loc["admissible"]) == (logdet.low, logdet.high)


def test_curvature_at_the_maximum_is_the_standard_error():
    fit = build("SDM", "graph", "twoways", True)[1]
    from nqpf_spatial.kernels.profile import profile_rho

    h = 1e-4
    a, b, c = profile_rho(fit.estimate.reduced, fit.estimate.likelihood, fit.rho + h * np.array([-1.0, 0.0, 1.0]))
    assert fit.bse["rho"] == pytest.approx((-(a - 2 * b + c) / h**2) ** -0.5, rel=1e-4)


def test_a_nested_level_lies_inside_and_the_text_says_the_numbers():
    fit = build("SAR", "graph", "twoways", True)[1]
    wide, narrow = fit.profile(0.01), fit.profile(0.5)
    assert wide.intervals.loc["lr", "lower"] < narrow.intervals.loc["lr", "lower"]
    assert narrow.intervals.loc["lr", "upper"] < wide.intervals.loc["lr", "upper"]
    text = repr(wide)
    assert "99% likelihood-ratio" in text and f"{wide.intervals.loc['lr', 'lower']:.4f}" in text and "observed" in text


def test_the_wald_interval_is_that_of_the_covariance_in_use():
    fit = build("SAR", "graph", "twoways", True)[1]
    robust = fit.with_vcov("sandwich").profile()
    np.testing.assert_allclose(robust.intervals.loc["wald"], fit.with_vcov("sandwich").conf_int().loc["rho"])
    np.testing.assert_allclose(robust.intervals.loc["lr"], fit.profile().intervals.loc["lr"])


def test_a_likelihood_that_bounds_rho_on_no_side_says_so():
    near = np.ones((6, 6)) - np.eye(6) + 0.05 * np.random.default_rng(1).random((6, 6)) * (1 - np.eye(6))
    w = nq.weights.from_any(near, ids=[f"u{i}" for i in range(6)])
    data = nq.simulate("SAR", w, T=3, params={"x": 0.1, "rho": 0.3}, seed=1)
    with pytest.warns(IdentificationWarning):
        fit = nq.sar("y ~ x | unit + period", data, w)
    found = fit.profile(alpha=1e-8)
    assert any(found.unbounded) and "does not bound rho" in repr(found)
    assert found.intervals.loc["lr"].between(*found.intervals.loc["admissible"]).all()
    assert not any(fit.profile(alpha=0.9).unbounded) or fit.estimate.fit.boundary


def test_many_units_use_factorisations():
    w = nq.weights.lattice(40, 40)
    data = nq.simulate("SAR", w, T=1, params={"x": 1.0, "rho": 0.5}, seed=1)
    fit = nq.sar("y ~ x", data, w)
    found = fit.profile(points=7)
    assert found.intervals.loc["lr", "lower"] < 0.5 < found.intervals.loc["lr", "upper"]
    assert found.table["lr"].min() == pytest.approx(0.0, abs=1e-8)


def test_refusals_say_why():
    w, frame = weights("graph"), panel("graph")
    with pytest.raises(ValueError, match=r"SEM model has no rho.*SAR, SDM, SAC, GNS"):
        nq.sem("y ~ x1 | unit", frame, w).profile()
    with pytest.raises(ValueError, match="fixed effects"):
        nq.sar("y ~ x1", frame, w, effects="random").profile()
    with pytest.raises(ValueError, match="moves rho away"):
        nq.sar("y ~ x1 | unit + period", frame, w, correction="bias").profile()
    with pytest.raises(IdentificationError, match="time lags"):
        nq.sar("y ~ x1 | unit + period", frame, w, dynamic="lag_y").profile()
    with pytest.raises(ValueError, match="one rho with one W"):
        nq.sar("y ~ x1 | unit", frame, {"a": w, "b": weights("ring")}, combine=True).profile()
    with pytest.raises(ValueError, match="one rho with one W"):
        nq.sar("y ~ x1 | unit", frame, {"a": w, "b": weights("ring")}).profile()
    holes = frame.copy()
    holes.iloc[3, 0] = np.nan
    with pytest.raises(PanelError, match="every unit is observed"):
        nq.sar("y ~ x1 | unit", holes, w, missing="subnetwork", subset="keep", correction="score").profile()
    with pytest.raises(ValueError, match="points=2"):
        nq.sar("y ~ x1 | unit", frame, w).profile(points=2)
    with pytest.raises(ValueError, match="no likelihood"):
        nq.gmm("y ~ x1 | unit", frame, w).plot("profile")
