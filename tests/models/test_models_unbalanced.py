"""Missing cells: what is left out and said, and likelihoods of what is there against dense normal densities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.linalg as sla
from panels import EFFECTS, SWITCHES, panel, weights
from scipy import stats

import nqpf_spatial as nq
from nqpf_spatial.errors import (
    AlignmentError,
    FewClustersWarning,
    IdentificationError,
    IdentificationWarning,
    PanelError,
)
from nqpf_spatial.kernels import integrated
from nqpf_spatial.kernels.logdet import LogDet, TraceLogDet
from nqpf_spatial.models.covariance import covariance
from nqpf_spatial.models.diagnostics import lr_test, wald_test
from nqpf_spatial.models.missing.choices import Dropped, Missing
from nqpf_spatial.models.missing.marginalised import _whole, estimate_marginalised
from nqpf_spatial.models.missing.unbalanced import estimate_unbalanced

FORMULA = "y ~ x1 + x2"
HOLES = [("c01", 2002), ("c01", 2003), ("c04", 2001), ("c06", 2006), ("c08", 2004), ("c08", 2001)]
N, T = 10, 6


def holed(kind: str = "graph", column: str = "y", holes: list = HOLES, **options) -> pd.DataFrame:
    frame = panel(kind, N, T, **options).copy()
    frame.loc[holes, column] = np.nan
    return frame


def fit(model: str, effects: str = "none", frame: pd.DataFrame | None = None, kind: str = "graph", **options):
    frame = holed(kind) if frame is None else frame
    w = None if model == "OLS" else weights(kind, N)
    if options.get("missing", "subnetwork") == "subnetwork" and model != "OLS":
        options = {"subset": "restandardise", "islands": "keep", **options}
    return nq.fit(FORMULA + EFFECTS[effects], frame, w, **{"model": model, "missing": "subnetwork", **options})


class Dense:
    """The stacked system of the observed cells of a frame, from numpy alone: W cut by hand, dummies as they are."""

    def __init__(self, frame: pd.DataFrame, w: np.ndarray, units: tuple, subset: str, intercept: bool, durbin: bool):
        wide = {c: frame[c].unstack("unit")[list(units)].to_numpy() for c in ("y", "x1", "x2")}
        self.seen = ~np.isnan(wide["y"]) & ~np.isnan(wide["x1"]) & ~np.isnan(wide["x2"])
        blocks = []
        for t in range(T):
            at = np.flatnonzero(self.seen[t])
            part = w[np.ix_(at, at)]
            if subset == "restandardise":
                sums = part.sum(axis=1, keepdims=True)
                part = np.divide(part, sums, out=np.zeros_like(part), where=sums > 0)
            blocks.append(part)
        self.w, self.y = sla.block_diag(*blocks), wide["y"][self.seen]
        own = [wide["x1"][self.seen], wide["x2"][self.seen]]
        # the lag of the intercept is another regressor unless all rows sum to one
        varying = own if np.allclose(self.w.sum(axis=1), 1) or not intercept else [np.ones(self.y.size), *own]
        own = [np.ones(self.y.size), *own] if intercept else own
        self.z = np.column_stack([*own, *(self.w @ c for c in varying if durbin)])
        self.periods, self.units = np.nonzero(self.seen)
        self.n = self.y.size

    def dummies(self, unit: bool, time: bool) -> np.ndarray:
        columns = [np.eye(N)[self.units]] * unit + [np.eye(T)[self.periods][:, int(unit) :]] * time
        return np.concatenate(columns, axis=1) if columns else np.empty((self.n, 0))

    def covariance(self, rho: float, lambda_: float) -> np.ndarray:
        s = np.linalg.inv(np.eye(self.n) - rho * self.w)
        b = np.linalg.inv(np.eye(self.n) - lambda_ * self.w)
        return s @ b @ b.T @ s.T


def dense(frame: pd.DataFrame, model: str, effects: str, subset: str, kind: str = "graph") -> Dense:
    return Dense(frame, weights(kind, N).dense(), weights(kind, N).ids, subset, effects == "none", SWITCHES[model][1])


def logpdf(y: np.ndarray, mean: np.ndarray, covariance_: np.ndarray) -> float:
    return float(stats.multivariate_normal.logpdf(y, mean, covariance_))


# -- nothing missing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("correction", ["none", "score", "transform"])
@pytest.mark.parametrize("effects", list(EFFECTS))
@pytest.mark.parametrize("model", list(SWITCHES))
def test_with_nothing_missing_both_kernels_are_the_balanced_fit(model, effects, correction):
    lag, _, error = SWITCHES[model]
    frame = panel("graph", N, T, rho=0.35 * lag, lambda_=0.3 * error)
    balanced = nq.fit(FORMULA + EFFECTS[effects], frame, None if model == "OLS" else weights("graph", N), model=model, correction=correction)  # fmt: skip
    est = balanced.estimate
    unit = est.design.unit
    for choice, estimator in (("subnetwork", estimate_unbalanced), ("marginalise", estimate_marginalised)):
        if choice == "marginalise" and lag and error:
            continue
        whole = replace(est.design, observed=np.ones((T, N), dtype=bool), dropped=Dropped(Missing(choice)))
        if unit and ((lag and correction == "transform") or (lag and error and correction == "score")):
            with pytest.raises(IdentificationError, match=r'correction="score"|correction="none"'):
                estimator(whole, est.model, est.weights, correction, None)
            continue
        found = estimator(whole, est.model, est.weights, correction, None)
        ours, theirs = found.fit, est.fit
        assert found.likelihood.n == est.likelihood.n
        np.testing.assert_allclose(ours.beta, theirs.beta, rtol=0, atol=1e-10)
        for name in ("rho", "lambda_", "sigma2", "llf"):
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-10)
        scale = np.sqrt(np.outer(*[np.diag(theirs.information)] * 2))
        np.testing.assert_allclose(ours.information / scale, theirs.information / scale, rtol=0, atol=2e-9)
        for vcov in ("observed", "expected") if choice == "subnetwork" else ("observed",):
            a, b = covariance(found, vcov, {}), covariance(est, vcov, {})
            size = np.sqrt(np.outer(*[np.diag(b)] * 2))
            np.testing.assert_allclose(a / size, b / size, rtol=0, atol=5e-9, err_msg=vcov)


@pytest.mark.parametrize("effects", ["none", "unit", "time", "twoways"])
def test_with_nothing_missing_the_sandwich_of_a_lag_model_is_the_balanced_one(effects):
    balanced = nq.sdm(FORMULA + EFFECTS[effects], panel("knn", N, T), weights("knn", N), correction="score")
    whole = replace(
        balanced.estimate.design, observed=np.ones((T, N), dtype=bool), dropped=Dropped(Missing("subnetwork"))
    )
    found = estimate_unbalanced(whole, balanced.estimate.model, balanced.estimate.weights, "score", None)
    np.testing.assert_allclose(
        covariance(found, "sandwich", {}), covariance(balanced.estimate, "sandwich", {}), rtol=1e-9, atol=1e-14
    )


@pytest.mark.parametrize("choice", ["drop_units", "drop_years", "subnetwork", "marginalise"])
def test_a_choice_changes_nothing_where_nothing_is_missing(choice):
    frame, w = panel("graph", N, T), weights("graph", N)
    asked = nq.sdm(FORMULA + EFFECTS["twoways"], frame, w, missing=choice)
    plain = nq.sdm(FORMULA + EFFECTS["twoways"], frame, w)
    pd.testing.assert_series_equal(asked.params, plain.params, rtol=0, atol=0)
    assert asked.llf == plain.llf
    assert not asked.dropped
    assert asked.summary() == plain.summary()
    pd.testing.assert_series_equal(asked.glance(), plain.glance())


# -- dense normal densities ------------------------------------------------------------------------------------


@pytest.mark.parametrize("subset", ["keep", "restandardise"])
@pytest.mark.parametrize("effects", ["none", "twoways"])
@pytest.mark.parametrize("model", list(SWITCHES))
def test_likelihood_is_the_dense_normal_density_of_the_observed_cells(model, effects, subset):
    """Dummies are part of the mean; the density of the subnetworks with covariance s2 S S'."""
    result = (
        fit(model, effects, correction="none", subset=subset)
        if model != "OLS"
        else fit(model, effects, correction="none")
    )
    system = dense(holed(), model, effects, subset)
    signal = system.z @ result.estimate.fit.beta + result._parts[1][system.seen]
    mean = np.linalg.solve(np.eye(system.n) - (result.rho or 0.0) * system.w, signal)
    cov = result.sigma2 * system.covariance(result.rho or 0.0, result.lambda_ or 0.0)
    assert result.llf == pytest.approx(logpdf(system.y, mean, cov), abs=1e-8)
    assert result.nobs == system.n == N * T - len(HOLES)


@pytest.mark.parametrize("subset", ["keep", "restandardise"])
@pytest.mark.parametrize("model", ["SAR", "SDM", "SEM", "SAC"])
def test_the_estimate_maximises_the_dense_density(model, subset):
    result = fit(model, "twoways", correction="none", subset=subset)
    system = dense(holed(), model, "twoways", subset)
    d = system.dummies(True, True)

    def profile(rho: float, lambda_: float) -> float:
        """Density maximised over beta, effects and s2 by generalised least squares."""
        s = np.linalg.inv(np.eye(system.n) - rho * system.w)
        v = system.covariance(rho, lambda_)
        root = np.linalg.cholesky(v)
        x, y = np.linalg.solve(root, s @ np.column_stack([system.z, d])), np.linalg.solve(root, system.y)
        e = y - x @ np.linalg.lstsq(x, y)[0]
        s2 = e @ e / system.n
        return -0.5 * system.n * (np.log(2 * np.pi * s2) + 1) - np.log(np.diag(root)).sum()

    best = profile(result.rho or 0.0, result.lambda_ or 0.0)
    assert result.llf == pytest.approx(best, abs=1e-8)
    for name, step in (("rho", 1e-3), ("lambda_", 1e-3)):
        if getattr(result, name) is not None:
            here = {"rho": result.rho or 0.0, "lambda_": result.lambda_ or 0.0}
            for sign in (-1, 1):
                assert profile(**{**here, name: here[name] + sign * step}) < best


@pytest.mark.parametrize("effects", ["unit", "twoways"])
@pytest.mark.parametrize("model", ["OLS", "SLX", "SEM", "SDEM"])
def test_without_a_lag_the_transformation_is_the_density_of_contrasts(model, effects):
    """F'y with F'D = 0 has density N(F'Zb, s2 F'(B'B)^-1 F), and its information is minus the second derivative."""
    result = fit(model, effects)
    system = dense(holed(), model, effects, "restandardise")
    f = sla.null_space(system.dummies(True, effects == "twoways").T)
    k = system.z.shape[1]

    def density(theta: np.ndarray) -> float:
        lambda_ = theta[k] if model in ("SEM", "SDEM") else 0.0
        return logpdf(f.T @ system.y, f.T @ system.z @ theta[:k], theta[-1] * f.T @ system.covariance(0.0, lambda_) @ f)

    theta = np.append(result.params.to_numpy(), result.sigma2)
    assert result.n_effective == f.shape[1]
    assert result.llf == pytest.approx(density(theta), abs=1e-8)
    hessian = numerical_hessian(density, theta)
    np.testing.assert_allclose(result._covariance, np.linalg.inv(-hessian), rtol=2e-4, atol=1e-7)
    score = fit(model, effects, correction="score")
    np.testing.assert_allclose(score.params, result.params, rtol=0, atol=1e-12)


def numerical_hessian(function, at: np.ndarray) -> np.ndarray:
    """Central differences, extrapolated once."""

    def plain(h: float) -> np.ndarray:
        steps = h * np.diag(np.maximum(np.abs(at), 0.1))
        out = np.empty((at.size, at.size))
        for i, a in enumerate(steps):
            for j, b in enumerate(steps):
                total = function(at + a + b) - function(at + a - b) - function(at - a + b) + function(at - a - b)
                out[i, j] = total / (4 * a[i] * b[j])
        return out

    return (4 * plain(2e-3) - plain(4e-3)) / 3


@pytest.mark.parametrize("effects", ["none", "time"])
def test_two_spatial_parameters_without_unit_effects(effects):
    """SAC and GNS have a likelihood as long as the filter leaves the effects alone."""
    for model in ("SAC", "GNS"):
        result = fit(model, effects, frame=holed(lambda_=0.3))
        system = dense(holed(lambda_=0.3), model, effects, "restandardise")
        assert result.n_effective == system.n - (T if effects == "time" else 0)
        if effects == "none":
            theta = result.params.to_numpy()
            k = system.z.shape[1]
            s = np.linalg.inv(np.eye(system.n) - result.rho * system.w)
            cov = result.sigma2 * system.covariance(result.rho, result.lambda_)
            assert result.llf == pytest.approx(logpdf(system.y, s @ system.z @ theta[:k], cov), abs=1e-8)


def test_time_effects_are_transformed_away_period_by_period():
    """F_t'y_t of every period: N(., s2 (F'AF)^-1 (F'AF)^-T) with F_t'W_t = (F_t'W_tF_t)F_t'."""
    result = fit("SDM", "time")
    system = dense(holed(), "SDM", "time", "restandardise")
    total = 0.0
    for t in range(T):
        at = system.periods == t
        f = sla.null_space(np.ones((1, at.sum())))
        a = np.eye(at.sum() - 1) - result.rho * f.T @ system.w[np.ix_(at, at)] @ f
        s = np.linalg.inv(a)
        total += logpdf(f.T @ system.y[at], s @ f.T @ system.z[at] @ result.estimate.fit.beta, result.sigma2 * s @ s.T)
    assert result.llf == pytest.approx(total, abs=1e-8)
    np.testing.assert_allclose(fit("SDM", "time", correction="score").params, result.params, atol=1e-10)


# -- the adjusted score ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["graph", "knn"])
@pytest.mark.parametrize("subset", ["keep", "restandardise"])
@pytest.mark.parametrize("effects", ["unit", "twoways", "time"])
def test_the_adjusted_score_is_zero_at_the_estimate_and_has_expectation_zero(effects, subset, kind):
    """Solved by hand with dense matrices; the traces are the expectations of the quadratic forms of normal errors."""
    result = fit("SDM", effects, frame=holed(kind), kind=kind, subset=subset, correction="score")
    system = dense(holed(kind), "SDM", effects, subset, kind)
    d = system.dummies(effects != "time", effects != "unit")
    if effects == "time":
        d = np.eye(T)[system.periods]
    m = np.eye(system.n) - d @ np.linalg.pinv(d)
    rho, s2, beta = result.rho, result.sigma2, result.estimate.fit.beta
    e = m @ (system.y - rho * system.w @ system.y - system.z @ beta)
    g = system.w @ np.linalg.inv(np.eye(system.n) - rho * system.w)
    np.testing.assert_allclose(system.z.T @ e, 0.0, atol=1e-9)
    assert (system.w @ system.y) @ e / s2 == pytest.approx(np.trace(m @ g), abs=1e-8)
    assert s2 == pytest.approx(e @ e / (system.n - np.linalg.matrix_rank(d)), rel=1e-10)
    assert result.n_effective == system.n - np.linalg.matrix_rank(d)
    # covariance: expected derivatives and variance of the score from the same matrices
    a = m @ g
    spread = np.trace(a @ a) - np.trace(m @ g @ g)
    bread = np.linalg.inv(result.estimate.fit.information)
    at = len(beta)
    np.testing.assert_allclose(
        result._covariance, bread + spread * np.outer(bread[at], bread[at]), rtol=1e-9, atol=1e-14
    )


def test_information_is_minus_the_derivative_of_the_adjusted_score():
    result = fit("SDM", "twoways", correction="score")
    system = dense(holed(), "SDM", "twoways", "restandardise")
    d = system.dummies(True, True)
    m = np.eye(system.n) - d @ np.linalg.pinv(d)
    k = system.z.shape[1]

    def score(theta: np.ndarray) -> np.ndarray:
        beta, rho, s2 = theta[:k], theta[k], theta[-1]
        e = m @ (system.y - rho * system.w @ system.y - system.z @ beta)
        g = system.w @ np.linalg.inv(np.eye(system.n) - rho * system.w)
        in_rho = (system.w @ system.y) @ e / s2 - np.trace(m @ g)
        return np.concatenate([system.z.T @ e / s2, [in_rho, -0.5 * result.n_effective / s2 + 0.5 * e @ e / s2**2]])

    theta = np.append(result.params.to_numpy(), result.sigma2)
    jacobian = np.column_stack(
        [(score(theta + h) - score(theta - h)) / (2 * h.sum()) for h in 1e-6 * np.eye(theta.size)]
    )
    np.testing.assert_allclose(result.estimate.fit.information, -jacobian, rtol=1e-5, atol=1e-4)


def test_log_determinants_of_weights_without_eigenvectors():
    """One-way links: traces and their integral against matrix logarithms."""
    result = fit("SDM", "twoways", frame=holed("knn"), kind="knn", correction="score")
    found = result.estimate.likelihood.rho
    assert isinstance(found, TraceLogDet)
    system = dense(holed("knn"), "SDM", "twoways", "restandardise", "knn")
    d = system.dummies(True, True)
    m = np.eye(system.n) - d @ np.linalg.pinv(d)
    for r in (-0.9, -0.2, 0.0, 0.5, 0.95):
        a = np.eye(system.n) - r * system.w
        assert float(found(r)) == pytest.approx(np.trace(m @ sla.logm(a)).real, abs=1e-9)
        first, second = found.derivatives(r)
        g = system.w @ np.linalg.inv(a)
        assert float(first) == pytest.approx(-np.trace(m @ g), abs=1e-10)
        assert float(second) == pytest.approx(-np.trace(m @ g @ g), abs=1e-10)
    assert found(np.array([[0.1, 0.2]])).shape == (1, 2)
    similar = fit("SDM", "twoways", correction="score").estimate.likelihood.rho
    assert type(similar) is LogDet


def test_large_networks_of_one_way_links_are_refused_in_words(monkeypatch):
    monkeypatch.setattr("nqpf_spatial.models.missing.unbalanced.TRACES_UP_TO", 5)
    with pytest.raises(IdentificationError, match=r"stops at 5 units; here are 10\. Use links that go both ways"):
        fit("SDM", "twoways", frame=holed("knn"), kind="knn", correction="score")
    assert fit("SDM", "twoways", correction="score").rho is not None
    monkeypatch.setattr("nqpf_spatial.models.missing.unbalanced.EIGENVALUES_UP_TO", 5)
    with pytest.raises(IdentificationError, match=r"networks of 10 units: .*stops at 5 units"):
        fit("SDM", "twoways", correction="none")
    monkeypatch.setattr("nqpf_spatial.models.missing.marginalised.EIGENVALUES_UP_TO", 5)
    with pytest.raises(IdentificationError, match="stops at N = 5; here N = 10"):
        fit("SDM", missing="marginalise")
    monkeypatch.undo()
    result = fit("SDM", "twoways", correction="score")
    monkeypatch.setattr("nqpf_spatial.models.missing.inference.CELLS_UP_TO", 5)
    with pytest.raises(IdentificationError, match='stops at 5 cells; there are 54: use vcov="observed"'):
        _ = result.with_vcov("sandwich").bse


@pytest.mark.parametrize("correction", ["score", "none"])
def test_the_adjusted_score_frees_rho_from_the_bias_of_the_dummies(correction):
    """N = 31, T = 8, 10 % missing: 2,000 panels drawn from a fit on its own sub-networks."""
    w = nq.weights.contiguity()
    data = nq.simulate("SDM", w, T=8, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=3)
    data.loc[np.random.default_rng(1).random(len(data)) < 0.1, "y"] = np.nan
    result = nq.sdm("y ~ x | unit + period", data, w, missing="subnetwork", subset="keep", islands="keep", correction=correction)  # fmt: skip
    draws = result.bootstrap("parametric", replicates=2000, seed=5)
    bias, error = draws.bias()["rho"], draws.params["rho"].std() / np.sqrt(2000)
    if correction == "score":
        assert abs(bias) < 0.01
    else:
        assert bias < -0.03
    assert error < 0.003


# -- outcomes integrated out -----------------------------------------------------------------------------------


@pytest.mark.parametrize("correction", ["none", "score"])
@pytest.mark.parametrize("effects", ["none", "twoways"])
@pytest.mark.parametrize("model", ["OLS", "SLX", "SAR", "SDM", "SEM", "SDEM"])
def test_marginal_density_of_the_observed_outcomes(model, effects, correction):
    """Blocks of the mean and covariance of the whole network; with the adjusted score, its equation solved by hand."""
    frame = holed()
    result = fit(model, effects, frame=frame, missing="marginalise", correction=correction)
    system = dense(panel("graph", N, T), model, effects, "keep")
    seen = ~np.isnan(frame["y"].unstack("unit")[list(weights("graph", N).ids)].to_numpy()).ravel()
    rho, lambda_ = result.rho or 0.0, result.lambda_ or 0.0
    s = np.linalg.inv(np.eye(system.n) - rho * system.w)
    v = system.covariance(rho, lambda_)[np.ix_(seen, seen)]
    y = system.y[seen]
    mean = (s @ (system.z @ result.estimate.fit.beta + result._parts[1].ravel()))[seen]
    if effects == "none" or correction == "none":
        assert result.llf == pytest.approx(logpdf(y, mean, result.sigma2 * v), abs=1e-8)
    d = (s @ system.dummies(effects != "none", effects != "none"))[seen]
    inverse = np.linalg.inv(v)
    project = inverse - inverse @ d @ np.linalg.pinv(d.T @ inverse @ d) @ d.T @ inverse
    z = (s @ system.z)[seen]
    np.testing.assert_allclose(z.T @ inverse @ (y - mean), 0.0, atol=1e-7)
    if model in ("OLS", "SLX"):
        return
    name = "lambda_" if result.rho is None else "rho"
    h = 1e-5
    up, down = (
        {"rho": rho, "lambda_": lambda_, name: v0 + sign * h} for v0, sign in ((rho + lambda_, 1), (rho + lambda_, -1))
    )
    slope = (system.covariance(**up) - system.covariance(**down))[np.ix_(seen, seen)] / (2 * h)
    moved = np.zeros_like(y)
    if name == "rho":
        moved = (s @ system.w @ s @ (system.z @ result.estimate.fit.beta + result._parts[1].ravel()))[seen]
    u = inverse @ (y - mean)
    adjust = project if correction == "score" and effects != "none" else inverse
    equation = (u @ moved + 0.5 * u @ slope @ u) / result.sigma2 - 0.5 * np.trace(adjust @ slope)
    assert equation == pytest.approx(0.0, abs=1e-5)


def test_the_adjusted_score_of_the_observed_outcomes_has_expectation_zero():
    """2,000 draws of a panel whose holes stay: the mean of the score at the truth is zero within its error."""
    result = fit("SDM", "twoways", missing="marginalise", correction="score")
    est = result.estimate
    model = _whole(est.design, est.model, est.weights, est.columns, "score")
    w, rng = weights("graph", N).dense(), np.random.default_rng(2)
    s = np.linalg.inv(np.eye(N) - 0.4 * w)
    beta = np.array([1.0, -0.5, 0.3, 0.2])
    signal = np.tensordot(beta, est.columns.z, axes=1) + rng.normal(size=N) + rng.normal(size=(T, 1))
    scores = []
    for _ in range(2000):
        y = (signal + rng.normal(size=(T, N))) @ s.T
        scores.append(integrated._gradient(replace(model, y=np.where(model.observed, y, np.nan)), 0.4, beta, 1.0)[0])
    mean, error = np.mean(scores, axis=0), np.std(scores, axis=0) / np.sqrt(2000)
    assert (np.abs(mean) < 3.5 * error).all()
    unadjusted = replace(model, adjust=False)
    biased = mean[-2] + 0.5 * (
        integrated._whiten(model, 0.4)[0].trace(True) - integrated._whiten(unadjusted, 0.4)[0].trace(False)
    )
    assert abs(biased) > 10 * error[-2]


def test_marginalised_adjusted_likelihood_is_the_integral_of_its_score():
    result = fit("SAR", "twoways", missing="marginalise", correction="score")
    est = result.estimate
    model = _whole(est.design, est.model, est.weights, est.columns, "score")
    for r in (-0.4, 0.1, 0.6):
        slope = (integrated._profile(model, r + 1e-4) - integrated._profile(model, r - 1e-4)) / 2e-4
        assert slope == pytest.approx(integrated._profile_score(model, r), abs=1e-5)


# -- never a filled cell ---------------------------------------------------------------------------------------


def test_what_is_in_an_incomplete_cell_has_no_influence():
    """Regressors of cells without an outcome, and the outcome of cells without a regressor, are not used."""
    clean, poisoned = holed(), holed()
    poisoned.loc[HOLES, ["x1", "x2"]] = 1e6
    plain, other = (fit("SDM", "twoways", frame=f, correction="score") for f in (clean, poisoned))
    pd.testing.assert_series_equal(plain.params, other.params, rtol=0, atol=0)
    by_x = panel("graph", N, T).copy()
    by_x.loc[HOLES, "x1"] = np.nan
    absent = panel("graph", N, T).drop(index=HOLES)
    for frame in (by_x, absent):
        same = fit("SDM", "twoways", frame=frame, correction="score")
        pd.testing.assert_series_equal(plain.params, same.params, rtol=0, atol=0)
    assert set(fit("SDM", frame=by_x).dropped.to_frame()["missing"]) == {"x1"}
    assert set(fit("SDM", frame=absent).dropped.to_frame()["missing"]) == {"no row"}


def test_arrays_hold_nothing_where_nothing_is_observed():
    design = fit("SDM", "twoways", correction="score").estimate
    gone = ~design.design.observed
    assert gone.sum() == len(HOLES)
    for array in (design.design.y, design.design.x, design.columns.z, design.columns.wy):
        assert np.isnan(array[..., gone]).all()
        assert np.isfinite(array[..., ~gone]).all()


@pytest.mark.parametrize("missing", ["subnetwork", "marginalise"])
def test_shuffled_rows_and_weights_give_the_same_bits(missing):
    frame, w = holed(), weights("graph", N)
    order = np.random.default_rng(4).permutation(N)
    options = {"missing": missing, "correction": "score"}
    if missing == "subnetwork":
        options |= {"subset": "keep", "islands": "keep"}
    one = nq.sdm(FORMULA + EFFECTS["twoways"], frame, w, **options)
    two = nq.sdm(FORMULA + EFFECTS["twoways"], frame.sample(frac=1, random_state=2), w.reorder([w.ids[i] for i in order]), **options)  # fmt: skip
    pd.testing.assert_series_equal(one.params, two.params, rtol=0, atol=0)
    pd.testing.assert_frame_equal(one.impacts().table, two.impacts().table, rtol=0, atol=0)
    assert one.provenance() == two.provenance()
    assert one.summary() == two.summary()


# -- units and periods left out --------------------------------------------------------------------------------


@pytest.mark.parametrize("subset", ["keep", "restandardise"])
def test_units_left_out(subset):
    result = fit("SDM", "unit", holed(holes=HOLES[:3]), missing="drop_units", subset=subset, correction="score")
    gone = ["c01", "c04"]
    kept = [u for u in weights("graph", N).ids if u not in gone]
    w = weights("graph", N)
    if subset == "keep":
        cut = nq.weights.from_any(w.to_frame().loc[kept, kept].to_numpy(), ids=kept, transform="none")
    else:
        cut = w.subset(kept)
    by_hand = nq.sdm(FORMULA + EFFECTS["unit"], panel("graph", N, T).drop(index=gone, level=0), cut, correction="score")
    pd.testing.assert_series_equal(result.params, by_hand.params, rtol=1e-12)
    assert result.dropped.units == tuple(gone)
    assert set(result.dropped.cells) == set(HOLES[:3])
    assert result.w.is_row_stochastic == (subset == "restandardise")
    text = result.summary()
    assert "3 cells are incomplete (c01 2002, c01 2003, c04 2001)" in text
    assert "units left out: c01, c04" in text
    assert ("elements of W kept as they are" if subset == "keep" else "standardised anew") in text
    assert result.glance()["missing"] == f"3 cells incomplete, drop_units, W: {subset}"
    facts = result.provenance()["missing"]
    assert facts["units"] == gone
    assert facts["subset"] == subset
    assert "c04 2001" in facts["cells"]


def test_units_left_out_of_a_dynamic_fit():
    frame, w = holed(holes=HOLES[:3]), weights("graph", N)
    result = nq.sdm(
        FORMULA + EFFECTS["twoways"], frame, w, dynamic="lag_y", missing="drop_units", subset="restandardise"
    )
    kept = [u for u in w.ids if u not in ("c01", "c04")]
    by_hand = nq.sdm(FORMULA + EFFECTS["twoways"], frame.loc[kept], w.subset(kept), dynamic="lag_y")
    pd.testing.assert_series_equal(result.params, by_hand.params, rtol=1e-12)
    assert result.dropped.units == ("c01", "c04")


def test_periods_left_out():
    frame = panel("graph", N, T).copy()
    frame.loc[[("c01", 2002), ("c07", 2005)], "x2"] = np.nan
    result = nq.sdm(FORMULA + EFFECTS["twoways"], frame, weights("graph", N), missing="drop_years")
    by_hand = nq.sdm(
        FORMULA + EFFECTS["twoways"], panel("graph", N, T).drop(index=[2002, 2005], level=1), weights("graph", N)
    )
    pd.testing.assert_series_equal(result.params, by_hand.params, rtol=0, atol=0)
    assert result.dropped.periods == (2002, 2005)
    assert "periods left out: 2002, 2005" in result.summary()
    assert result.estimate.weights.lag == weights("graph", N)


def test_units_that_are_never_observed_are_left_out_and_named():
    frame = holed(holes=[("c03", t) for t in range(2001, 2007)] + [("c05", 2002)])
    result = fit("SAR", "unit", frame=frame, correction="score")
    assert result.dropped.units == ("c03",)
    assert "never observed, left out: c03" in result.summary()
    assert result.estimate.design.shape == (T, N - 1)
    fe = result.fixed_effects()["unit"]
    assert "c03" not in fe.index


def test_provinces_under_other_names():
    w = nq.weights.contiguity()
    data = nq.simulate("SAR", w, T=5, params={"x": 1.0, "rho": 0.4}, seed=2)
    data.loc[[("Tibet", 2), ("Gansu", 4)], "y"] = np.nan
    zh = data.rename(index={u: nq.provinces.resolve(u).name_zh for u in w.ids}, level=0)
    for missing in ("drop_units", "subnetwork"):
        options = {"missing": missing, "subset": "restandardise", "islands": "keep", "correction": "score"}
        one, two = (nq.sar("y ~ x | unit + period", d, w, **options) for d in (data, zh))
        np.testing.assert_array_equal(one.params, two.params)
    assert one.dropped.cells == (("Tibet", 2), ("Gansu", 4))
    assert (
        two.dropped.cells == (("西藏自治区", 2), ("甘肃省", 4))
        or two.dropped.cells[0][0] == nq.provinces.resolve("Tibet").name_zh
    )


def test_explanations_say_what_was_left_out():
    frame = holed(holes=HOLES[:3])
    words = {
        "drop_units": (
            {"subset": "keep"},
            "the units that have some are left out (c01, c04)",
            "含缺失的单元已剔除",
        ),
        "subnetwork": ({"subset": "keep", "islands": "keep"}, "network of the units observed in it", "子网络"),
        "marginalise": ({}, "integrated out of the likelihood", "积分消去"),
    }
    for missing, (options, english, chinese) in words.items():
        result = nq.slx(FORMULA, frame, weights("graph", N), missing=missing, **options)
        assert english in " ".join(str(result.explain()).split())
        assert chinese in str(result.explain("zh"))


def test_comparisons_say_what_was_left_out():
    frame, w = holed(holes=HOLES[:3]), weights("graph", N)
    fits = {
        "a": nq.slx(FORMULA, frame, w, missing="subnetwork", subset="keep", islands="keep"),
        "b": nq.slx(FORMULA, frame, w, missing="drop_units", subset="restandardise"),
        "c": nq.slx(FORMULA, frame, w, missing="marginalise"),
        "d": nq.slx(FORMULA, panel("graph", N, T), w),
    }
    english = " ".join(str(nq.compare(fits)).split())
    assert (
        "Incomplete cells: 3, elements of W kept, every period on its observed sub-network (a); 3, W standardised anew, units left "
        "out: c01, c04 (b); 3, missing outcomes integrated out (c)."
    ) in english
    assert "不完整的单元格：3个，W元素不变，各期仅用当期有观测的子网络（a）" in str(nq.compare(fits, lang="zh"))
    assert "Incomplete" not in str(nq.compare({"d": fits["d"]}))


# -- errors ----------------------------------------------------------------------------------------------------


def test_the_default_names_the_cells_and_the_choices():
    frame = holed()
    with pytest.raises(
        PanelError, match=r'in 6 cells: y c01 2002, y c01 2003.*missing="drop_units", "drop_years" or "subnetwork"'
    ):
        nq.sdm(FORMULA, frame, weights("graph", N))
    with pytest.raises(PanelError, match=r'absent: c04 2001\. .*missing="drop_units"'):
        nq.sdm(FORMULA, panel("graph", N, T).drop(index=[("c04", 2001)]), weights("graph", N))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"missing": "fill"}, ValueError, r"missing='fill' is not known; choose one of 'raise', 'drop_units'"),
        ({"missing": "subnetwork", "subset": "row"}, ValueError, r"subset='row' is not known.*'keep', 'restandardise'"),
        ({"missing": "subnetwork", "subset": "keep", "islands": "drop"}, ValueError, "islands='drop' is not known"),
        ({"missing": "drop_years", "subset": "keep"}, ValueError, r"missing='drop_years' does not cut it"),
        ({"subset": "keep"}, ValueError, "missing='raise' does not cut it"),
        ({"missing": "marginalise", "islands": "keep"}, ValueError, "does not cut it"),
        ({"missing": "subnetwork"}, ValueError, r'W is cut by the units.*subset="keep".*subset="restandardise"'),
        ({"missing": "drop_units"}, ValueError, r'W is cut by c01, c04, c06, c08; say how.*subset="keep"'),
        ({"missing": "subnetwork", "subset": "keep", "correction": "bias"}, PanelError, "correction='bias' is for panels"),
        ({"missing": "subnetwork", "subset": "keep", "correction": "bootstrap"}, PanelError, "correction='bootstrap'"),
        ({"missing": "subnetwork", "subset": "keep"}, IdentificationError, r'the lag spreads unit effects over units that come.*"score"'),
        ({"missing": "subnetwork", "subset": "keep", "effects": "random"}, PanelError, "effects='random' is for panels"),
        ({"missing": "subnetwork", "subset": "keep", "correction": "score", "vcov": "conley"}, ValueError, "vcov='conley' is for panels"),
        ({"missing": "marginalise", "correction": "score", "vcov": "cluster"}, ValueError, "with missing='marginalise' use 'observed'"),
        ({"missing": "marginalise"}, IdentificationError, 'does not exist where outcomes are missing.*correction="score"'),
        ({"missing": "subnetwork", "subset": "keep", "dynamic": "lag_y"}, PanelError, "gaps that the time lags"),
        ({"missing": "drop_years", "dynamic": "lag_y"}, PanelError, "gaps that the time lags"),
        ({"missing": "subnetwork", "subset": "keep", "correction": "score", "model": "SAC"}, IdentificationError, "SAC model with unit"),
        ({"missing": "marginalise", "correction": "score", "model": "GNS"}, IdentificationError, "one spatial parameter"),
    ],
)  # fmt: skip
def test_what_is_refused(options, error, words):
    options = (
        {"islands": "keep", **options} if options.get("subset") and options.get("missing") != "drop_years" else options
    )
    options = {k: v for k, v in options.items() if not (k == "islands" and options.get("missing") is None)}
    with pytest.raises(error, match=words):
        nq.fit(
            FORMULA + EFFECTS["unit"],
            holed(holes=HOLES if options.get("missing") != "drop_years" else HOLES[:1]),
            weights("graph", N),
            **{"model": "SDM", **options},
        )


def test_units_without_neighbours_are_named_with_their_period():
    frame = holed("ring", holes=[("c00", 2003), ("c02", 2003)])
    with pytest.raises(
        AlignmentError, match=r'without neighbours in the network of the period: c01 2003\. Say islands="keep"'
    ):
        fit("SDM", frame=frame, kind="ring", islands="error")
    for subset in ("keep", "restandardise"):
        result = fit("SDM", "twoways", frame=frame, kind="ring", subset=subset, correction="score")
        assert result.estimate.networks.islands == (("c01", 2003),)
        assert "spatial lag zero: c01 2003" in result.summary()
        assert result.estimate.columns.wy[2, 1] == 0.0
    with pytest.raises(AlignmentError, match="without c00, c02, these units have no neighbours: c01"):
        fit("SDM", frame=frame, kind="ring", missing="drop_units", subset="keep")


def test_small_periods_and_empty_selections_are_errors():
    few = [(f"c{i:02d}", 2004) for i in range(8)]
    with pytest.raises(PanelError, match=r"fewer than 3 observed units: 2004 \(2\)"):
        fit("SAR", frame=holed(holes=few))
    all_units = [(f"c{i:02d}", 2001 + i % T) for i in range(N)]
    with pytest.raises(PanelError, match=r"leaves no unit: incomplete are c00 2001 \(y\).*missing='drop_years'"):
        fit("SAR", frame=holed(holes=all_units), missing="drop_units", subset="keep")
    with pytest.raises(PanelError, match="leaves no period"):
        fit("SAR", frame=holed(holes=all_units), missing="drop_years")
    apart = [("c00", 2001), ("c02", 2001), ("c04", 2001), ("c06", 2001), ("c08", 2001)]
    ring = holed("ring", holes=apart)
    with pytest.raises(PanelError, match="no links among the 5 units observed in 2001"):
        fit("SAR", frame=ring, kind="ring")


def test_values_that_the_formula_breaks_are_not_missing_cells():
    frame = panel("graph", N, T).copy()
    frame["x1"] = frame["x1"].abs()
    frame.loc[("c03", 2002), "x1"] = 0.0
    frame.loc[("c05", 2004), "y"] = np.nan
    for missing in ("drop_units", "drop_years", "subnetwork"):
        options = {"subset": "keep", "islands": "keep"} if missing != "drop_years" else {}
        with pytest.raises(
            PanelError, match=r"infinite or undefined values of data that are there, in 1 cells: log\(x1\) c03 2002"
        ):
            nq.sdm("y ~ log(x1) + x2", frame, weights("graph", N), missing=missing, **options)
    frame.loc[("c03", 2002), "x1"] = np.inf
    with pytest.raises(PanelError, match="x1 c03 2002"):
        nq.sdm("y ~ x1 + x2", frame, weights("graph", N), missing="subnetwork", subset="keep", islands="keep")


def test_regressors_must_be_there_to_integrate_outcomes_out():
    frame = holed()
    frame.loc[("c02", 2005), "x2"] = np.nan
    with pytest.raises(PanelError, match=r"regressors are missing in 1 cells: c02 2005 \(x2\).*nq.pool"):
        fit("SDM", frame=frame, missing="marginalise")
    with pytest.raises(PanelError, match="is for panels"):
        fit("SAR", frame=panel("graph", N, 1), missing="marginalise")
    never = holed(holes=[("c03", t) for t in range(2001, 2007)])
    with pytest.raises(PanelError, match="never observed in c03"):
        fit("SAR", frame=never, missing="marginalise")


def test_effects_of_groups_that_share_nothing_cannot_be_compared():
    """Units c00-c04 in 2001-2003 only, the others in 2004-2006 only."""
    holes = [(f"c{i:02d}", t) for i in range(N) for t in range(2001, 2007) if (i < 5) == (t > 2003)]
    result = fit("SAR", "twoways", frame=holed(holes=holes), correction="score", subset="keep")
    assert result.n_effective == 30 - (N + T - 2)
    with pytest.raises(IdentificationError, match="groups of units and periods that share none"):
        result.fixed_effects()
    with pytest.raises(IdentificationError, match="cannot be told apart"):
        fit("SAR", "twoways", frame=holed(holes=holes), correction="score", missing="marginalise")


def test_cross_sections():
    frame = panel("graph", N, 1).copy()
    frame.loc["c02", "y"] = np.nan
    result = nq.slx(FORMULA, frame, weights("graph", N), missing="drop_units", subset="restandardise")
    assert result.dropped.units == ("c02",)
    assert result.dropped.cells == (("c02", None),)
    with pytest.raises(PanelError, match='a cross-section knows missing="drop_units"'):
        nq.slx(FORMULA, frame, weights("graph", N), missing="subnetwork", subset="keep")


# -- every method of a fit -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sdm():
    return fit("SDM", "twoways", correction="score")


@pytest.fixture(scope="module")
def whole_network():
    return fit("SDM", "twoways", correction="score", missing="marginalise")


def per_period(result, term: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Units and S of every period, by hand."""
    system = dense(holed(), "SDM", "twoways", "restandardise")
    beta, theta = result.params[term], result.params[f"W:{term}"]
    found = []
    for t in range(T):
        at = np.flatnonzero(system.periods == t)
        w = system.w[np.ix_(at, at)]
        s = np.linalg.inv(np.eye(at.size) - result.rho * w) @ (beta * np.eye(at.size) + theta * w)
        found.append((system.units[at], s))
    return found


def test_impacts_are_means_over_the_observed_cells(sdm):
    for term in ("x1", "x2"):
        parts = [s for _, s in per_period(sdm, term)]
        direct, total = sum(np.trace(s) for s in parts) / sdm.nobs, sum(s.sum() for s in parts) / sdm.nobs
        row = sdm.impacts().table.loc[term].xs("estimate", level=1)
        assert row["direct"] == pytest.approx(direct, abs=1e-12)
        assert row["total"] == pytest.approx(total, abs=1e-12)
        assert row["indirect"] == pytest.approx(total - direct, abs=1e-12)


def test_standard_errors_of_impacts_by_numerical_gradient(sdm):
    table = sdm.impacts().table
    names, at = sdm.params.index, sdm.params.to_numpy()

    def total(theta: np.ndarray) -> float:
        moved = pd.Series(theta, index=names)
        parts = per_period_at(moved)
        return sum(s.sum() for s in parts) / sdm.nobs

    def per_period_at(params: pd.Series) -> list[np.ndarray]:
        fake = type("P", (), {"params": params, "rho": params["rho"]})
        return [s for _, s in per_period(fake, "x1")]

    gradient = np.array([(total(at + h) - total(at - h)) / (2 * h.sum()) for h in 1e-6 * np.eye(at.size)])
    expected = np.sqrt(gradient @ sdm.cov_params().to_numpy() @ gradient)
    assert table.loc["x1", ("total", "se")] == pytest.approx(expected, rel=1e-6)


def test_views_of_the_impacts_add_up(sdm):
    table = sdm.impacts().table
    seen = sdm.estimate.networks.observed.sum(axis=0)
    unit = sdm.impacts().by_unit()["x1"]
    assert (unit["own"] * seen).sum() / sdm.nobs == pytest.approx(table.loc["x1", ("direct", "estimate")], abs=1e-12)
    for side in ("received", "sent"):
        mean = (unit[side] * seen).sum() / sdm.nobs
        assert mean == pytest.approx(table.loc["x1", ("indirect", "estimate")], abs=1e-12)
    orders = sdm.impacts().by_order(3).loc["x1"].sum()
    for effect in ("direct", "indirect", "total"):
        assert orders[effect] == pytest.approx(table.loc["x1", (effect, "estimate")], abs=1e-12)
    groups = {u: "abc"[i % 3] for i, u in enumerate(weights("graph", N).ids)}
    block = sdm.impacts().by_block(groups).loc["x1"]
    size = pd.Series(seen, index=list(groups)).groupby(groups).sum()
    into = block["estimate"].groupby("to").sum()
    assert (into * size).sum() / sdm.nobs == pytest.approx(table.loc["x1", ("total", "estimate")], abs=1e-12)
    matrix = sdm.impacts().by_unit("x1")
    parts = [(units, s) for units, s in per_period(sdm, "x1")]
    both = [s[list(u).index(1), list(u).index(8)] for u, s in parts if 1 in u and 8 in u]
    assert matrix.loc["c01", "c08"] == pytest.approx(np.mean(both), abs=1e-12)
    together = fit("SDM", "twoways", correction="score", frame=holed(holes=[("c00", 2001)] + [("c09", t) for t in range(2002, 2007)]))  # fmt: skip
    assert np.isnan(together.impacts().by_unit("x1").loc["c00", "c09"])


def test_squares_have_one_row_averaged_over_the_observed_cells():
    result = nq.sdm("y ~ x1 + I(x1**2) | unit + period", holed(), weights("graph", N), missing="subnetwork", subset="restandardise", islands="keep", correction="score")  # fmt: skip
    system = dense(holed(), "SDM", "twoways", "restandardise")
    x1 = holed()["x1"].unstack("unit").to_numpy()[system.seen]
    b = result.params
    own = b["x1"] + 2 * b["I(x1 ** 2)"] * x1
    lagged = b["W:x1"] + 2 * b["W:I(x1 ** 2)"] * x1
    s = np.linalg.inv(np.eye(system.n) - result.rho * system.w)
    marginal = s @ (np.diag(own) + system.w @ np.diag(lagged))
    row = result.impacts().table.loc["x1"].xs("estimate", level=1)
    assert row["direct"] == pytest.approx(np.trace(marginal) / system.n, abs=1e-8)
    assert row["total"] == pytest.approx(marginal.sum() / system.n, abs=1e-8)


def test_impacts_of_the_whole_network_are_those_of_w(whole_network):
    w = weights("graph", N).dense()
    p = whole_network.params
    s = np.linalg.inv(np.eye(N) - p["rho"] * w) @ (p["x1"] * np.eye(N) + p["W:x1"] * w)
    row = whole_network.impacts().table.loc["x1"].xs("estimate", level=1)
    assert row["direct"] == pytest.approx(np.trace(s) / N, abs=1e-12)
    assert row["total"] == pytest.approx(s.sum() / N, abs=1e-12)


def test_residuals_predictions_and_effects(sdm, whole_network):
    system = dense(holed(), "SDM", "twoways", "restandardise")
    wide = sdm.resid.unstack("unit").to_numpy()
    e = wide[system.seen]
    fe = sdm.fixed_effects()
    effects = fe["intercept"].iloc[0] + fe["unit"].to_numpy()[system.units] + fe["period"].to_numpy()[system.periods]
    assert abs(fe["unit"].sum()) + abs(fe["period"].sum()) < 1e-9
    y = system.y
    np.testing.assert_allclose(y - sdm.rho * system.w @ y - system.z @ sdm.estimate.fit.beta - effects, e, atol=1e-9)
    predicted = sdm.predict()
    assert list(predicted.index) == list(sdm.resid.index)
    assert len(predicted) == sdm.nobs
    mean = np.linalg.solve(np.eye(system.n) - sdm.rho * system.w, system.z @ sdm.estimate.fit.beta + effects)
    np.testing.assert_allclose(predicted.unstack("unit").to_numpy()[system.seen], mean, atol=1e-9)
    # in the whole network every cell has a prediction, and a residual exists where all neighbours are observed
    assert len(whole_network.predict()) == N * T
    assert not set(HOLES) & set(whole_network.resid.index)
    frame, w = holed(), weights("graph", N).to_frame()
    for unit, period in whole_network.resid.index[:20]:
        assert frame.loc[[(u, period) for u in w.columns[w.loc[unit] > 0]], "y"].notna().all()


def test_error_models_filter_their_residuals():
    result = fit("SDEM", "twoways")
    system = dense(holed(), "SDEM", "twoways", "restandardise")
    b = np.eye(system.n) - result.lambda_ * system.w
    bd = b @ system.dummies(True, True)
    v = b @ (system.y - system.z @ result.estimate.fit.beta)
    e = v - bd @ np.linalg.lstsq(bd, v)[0]
    np.testing.assert_allclose(result.resid.unstack("unit").to_numpy()[system.seen], e, atol=1e-9)
    assert result.sigma2 == pytest.approx(e @ e / result.n_effective, rel=1e-10)


def test_bootstraps_refit_on_the_same_networks(sdm):
    draws = sdm.bootstrap("parametric", replicates=30, seed=7)
    pd.testing.assert_frame_equal(draws.params, sdm.bootstrap("parametric", replicates=30, seed=7).params)
    # the first replicate, refitted through the front door
    system = dense(holed(), "SDM", "twoways", "restandardise")
    e = sdm.resid.unstack("unit").to_numpy()[system.seen]
    e = e * np.sqrt(e.size / (e.size - (N + T - 1)))
    noise = np.sqrt(np.mean(e**2)) * np.random.default_rng(7).standard_normal((30, 1, system.n))[0, 0]
    s = np.linalg.inv(np.eye(system.n) - sdm.rho * system.w)
    signal = system.z @ sdm.estimate.fit.beta + sdm._parts[1][system.seen]
    values = np.full((T, N), np.nan)
    values[system.seen] = s @ (signal + noise)
    frame = holed()
    frame["y"] = pd.DataFrame(values, index=pd.Index(range(2001, 2007), name="period"), columns=pd.Index(weights("graph", N).ids, name="unit")).T.stack(future_stack=True)  # fmt: skip
    again = fit("SDM", "twoways", frame=frame, correction="score")
    np.testing.assert_allclose(draws.params.iloc[0], again.params, atol=1e-8)
    for kind in ("residual", "wild", "wild-cluster"):
        assert sdm.bootstrap(kind, replicates=20).params.shape == (20, 5)
    assert fit("SLX", "twoways").bootstrap(replicates=20).params.shape == (20, 4)


def test_other_covariances(sdm):
    assert (sdm.with_vcov("sandwich").bse > 0).all()
    with pytest.warns(FewClustersWarning):
        assert (sdm.with_vcov("cluster").bse > 0).all()
    # iid normal errors of a large panel: all agree
    w = nq.weights.knn(k=4)
    data = nq.simulate("SDM", w, T=40, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=8)
    data.loc[np.random.default_rng(2).random(len(data)) < 0.05, "y"] = np.nan
    large = nq.sdm("y ~ x | unit + period", data, nq.weights.contiguity(), missing="subnetwork", subset="keep", islands="keep", correction="score")  # fmt: skip
    for vcov in ("expected", "sandwich"):
        np.testing.assert_allclose(large.with_vcov(vcov).bse, large.bse, rtol=0.08)
    with pytest.warns(FewClustersWarning):
        np.testing.assert_allclose(large.with_vcov("cluster").bse, large.bse, rtol=0.45)


@pytest.mark.parametrize("missing", ["subnetwork", "marginalise"])
def test_nested_tests_work_and_the_others_say_why_not(missing):
    result = fit("SDM", "twoways", correction="score", missing=missing)
    found = result.diagnose().table
    computed = found[found["statistic"].notna() | ~found["note"].str.startswith("not computed")]
    names = set(computed.index)
    assert {"LR", "Wald", "LR of the unit effects", "LR of the time effects"} <= names
    assert ("sd of the spatial parameter" in names) == (missing == "subnetwork")
    rest = found[found["statistic"].isna()]
    assert rest["note"].str.contains("every unit is observed in every period").all()
    test = lr_test(result, "SAR")
    small = fit("SAR", "twoways", correction="score", missing=missing)
    assert test.statistic == pytest.approx(2 * (result.llf - small.llf), abs=1e-9)
    assert wald_test(result, "SAR").df == test.df == 2


METHODS = {
    "subnetwork": (
        {"posterior": lambda f: f.posterior(draws=50), "simulate": lambda f: f.impacts("simulate", draws=50),
         "bootstrap": lambda f: f.impacts("bootstrap", draws=50), "posterior impacts": lambda f: f.impacts("posterior", draws=50),
         "tidy": lambda f: f.tidy(), "glance": lambda f: f.glance(), "html": lambda f: f._repr_html_(),
         "intervals": lambda f: f.conf_int(), "plot": lambda f: f.impacts().plot(), "coefficients": lambda f: f.plot(), "llf": lambda f: (f.llf, f.aic, f.bic, f.k_params)},
        {"permutation": (lambda f: f.permutation_test("x1"), PanelError), "profile": (lambda f: f.profile(), PanelError), "random": (lambda f: f.random_counterpart(), PanelError),
         "counterfactual": (lambda f: f.counterfactual({"x1": "+1"}), PanelError),
         "random effects": (lambda f: f.random_effects(), ValueError), "driscoll": (lambda f: f.with_vcov("driscoll-kraay"), ValueError),
         "stability": (lambda f: f.stability(), ValueError)},
    ),
    "marginalise": (
        {"simulate": lambda f: f.impacts("simulate", draws=50), "tidy": lambda f: f.tidy(), "glance": lambda f: f.glance(),
         "orders": lambda f: f.impacts().by_order(), "units": lambda f: f.impacts().by_unit("x1"), "html": lambda f: f._repr_html_()},
        {"permutation": (lambda f: f.permutation_test("x1"), PanelError), "random": (lambda f: f.random_counterpart(), PanelError),
         "posterior": (lambda f: f.posterior(), ValueError), "bootstrap": (lambda f: f.bootstrap(), PanelError),
         "counterfactual": (lambda f: f.counterfactual({"x1": "+1"}), PanelError),
         "sandwich": (lambda f: f.with_vcov("sandwich"), ValueError)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("missing", list(METHODS))
def test_every_method_works_or_refuses_in_words(missing, sdm, whole_network):
    result = sdm if missing == "subnetwork" else whole_network
    works, refuses = METHODS[missing]
    for name, call in works.items():
        assert call(result) is not None, name
    for call, error in refuses.values():
        with pytest.raises(error, match=r"every unit is observed|whole networks|missing=|fixed|static"):
            call(result)


def test_models_without_regressors():
    """Without regressors and with two-way effects a lag and an error lag are the same model of the whole network."""
    lag, error = (
        nq.fit(
            "y ~ 1 | unit + period",
            holed(),
            weights("graph", N),
            model=model,
            missing="marginalise",
            correction="score",
        )
        for model in ("SAR", "SEM")
    )
    assert lag.llf == pytest.approx(error.llf, abs=1e-9)
    assert lag.rho == pytest.approx(error.lambda_, abs=1e-9)
    options = {"missing": "subnetwork", "subset": "keep", "islands": "keep", "correction": "score"}
    for model in ("SAR", "SEM"):
        found = nq.fit("y ~ 1 | unit + period", holed(), weights("graph", N), model=model, **options)
        assert len(found.params) == 1
        assert found.bse.iloc[0] > 0


def test_near_complete_weights_are_warned_of():
    """As in a complete panel: by simulation where there is one, by the standard error elsewhere."""
    w = nq.weights.inverse_distance()
    data = nq.simulate("SAR", w, T=5, params={"x": 0.3, "rho": 0.3}, seed=1)
    data.loc[np.random.default_rng(0).random(len(data)) < 0.08, "y"] = np.nan
    cases = [
        (
            {"model": "SAR", "missing": "subnetwork", "subset": "keep", "correction": "score"},
            "rho = .* over data sets drawn",
        ),
        ({"model": "SEM", "missing": "subnetwork", "subset": "keep"}, "lambda = .* its standard error is"),
        ({"model": "SAR", "missing": "marginalise", "correction": "score"}, "rho = .* its standard error is"),
    ]
    for options, words in cases:
        with pytest.warns(IdentificationWarning, match=words):
            nq.fit("y ~ x | unit + period", data, w, **options)


def test_parameters_are_counted_by_the_rank_of_the_dummies():
    result = fit("SDM", "twoways", correction="none")
    assert result.k_params == 5 + 1 + N + T - 1
    assert fit("SDM", "twoways", correction="score").k_params == 6


def test_posterior_is_that_of_the_adjusted_likelihood(sdm):
    """Independent samples agree with the estimate and its standard errors; dummies integrated out cost their degrees of freedom."""
    draws = sdm.posterior(draws=4000, seed=1)
    np.testing.assert_allclose(draws.draws.mean(), sdm.params, atol=4 * sdm.bse.max() / np.sqrt(40))
    with pytest.raises(PanelError, match="lesage"):
        sdm.posterior(draws=50, prior="lesage")
    with pytest.raises(ValueError, match="statistics of fixed size"):
        fit("SDEM", "twoways").posterior()
