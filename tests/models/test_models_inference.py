"""Robust covariances, bootstraps, corrections and permutation tests against definitions written out at full length."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import (
    AlignmentError,
    DataSourceError,
    EndogeneityWarning,
    FewClustersWarning,
    IdentificationError,
    IdentificationWarning,
    PanelError,
)
from nqpf_spatial.kernels import sandwich
from nqpf_spatial.models.covariance import expected, score_form
from nqpf_spatial.models.residuals import decompose

FORMULA = "y ~ a + b | unit + period"


def small_weights(n: int = 9, seed: int = 0, density: float = 0.4) -> nq.weights.SpatialWeights:
    rng = np.random.default_rng(seed)
    matrix = (rng.random((n, n)) < density).astype(float)
    matrix[np.arange(n), (np.arange(n) + 1) % n] = 1.0
    np.fill_diagonal(matrix, 0.0)
    return nq.weights.from_any(matrix, ids=[f"u{i:02d}" for i in range(n)])


@pytest.fixture(scope="module")
def w() -> nq.weights.SpatialWeights:
    return small_weights()


@pytest.fixture(scope="module")
def data(w) -> pd.DataFrame:
    params = {"a": 1.0, "b": 0.5, "W:a": 0.5, "W:b": 0.2, "rho": 0.4}
    return nq.simulate("SDM", w, T=5, params=params, errors="chi2", seed=2)


@pytest.fixture(scope="module")
def fits(w, data) -> dict[str, nq.models.SpatialFit]:
    return {m: nq.fit(FORMULA, data, w, model=m) for m in ("SDM", "SAC", "SEM", "SLX")}


def stacked_form(fit):
    """Score of a fit as L'e + e'Ae with full NT x NT matrices and the projector of the effects written out."""
    est = fit.estimate
    t, n = est.design.shape
    jt, jn = np.eye(t) - 1 / t, np.eye(n) - 1 / n
    q = np.kron(jt, jn)
    lag = np.zeros((n, n)) if est.weights.lag is None else est.weights.lag.dense()
    err = np.zeros((n, n)) if est.weights.error is None else est.weights.error.dense()
    a, b = np.eye(n) - est.fit.rho * lag, np.eye(n) - est.fit.lambda_ * err
    g1, g2 = lag @ np.linalg.inv(a), err @ np.linalg.inv(b)
    s2 = est.fit.sigma2
    full = lambda m: np.kron(np.eye(t), m)
    z = est.columns.z.reshape(len(est.columns.names), -1)
    linear = [q @ full(b) @ row / s2 for row in z]
    quadratic = [np.zeros((n * t, n * t))] * len(linear)
    if est.weights.lag is not None:
        linear.append(q @ full(b @ g1) @ (est.fit.beta @ z) / s2)
        quadratic.append(q @ full(b @ g1 @ np.linalg.inv(b)) @ q / s2)
    if est.weights.error is not None:
        linear.append(np.zeros(n * t))
        quadratic.append(q @ full(g2) @ q / s2)
    linear.append(np.zeros(n * t))
    quadratic.append(q / (2 * s2**2))
    e = decompose(est)[2].ravel()
    return np.array(linear), [(m + m.T) / 2 for m in quadratic], e


@pytest.mark.parametrize("model", ["SDM", "SAC", "SEM", "SLX"])
def test_qml_meat_is_the_variance_of_a_linear_quadratic_form(fits, model):
    fit = fits[model]
    linear, quadratic, _ = stacked_form(fit)
    form = score_form(fit.estimate)
    mu3, mu4 = sandwich.error_moments(form)
    s2 = form.sigma2
    p = len(linear)
    expected_meat = np.empty((p, p))
    for i, j in itertools.product(range(p), repeat=2):
        di, dj = np.diag(quadratic[i]), np.diag(quadratic[j])
        expected_meat[i, j] = (
            s2 * linear[i] @ linear[j]
            + 2 * s2**2 * np.sum(quadratic[i] * quadratic[j])
            + (mu4 - 3 * s2**2) * di @ dj
            + mu3 * (linear[i] @ dj + linear[j] @ di)
        )
    np.testing.assert_allclose(sandwich.qml_meat(form, expected(fit.estimate)), expected_meat, rtol=1e-9, atol=1e-9)


def test_error_moments_are_unbiased_after_removing_two_way_effects():
    rng = np.random.default_rng(5)
    t, n, replicates = 4, 6, 60_000
    e = rng.exponential(size=(replicates, t, n)) - 1.0  # third moment 2, fourth moment 9
    q = e - e.mean(1, keepdims=True)
    q = q - q.mean(2, keepdims=True)
    found = []
    for block in q[:4000]:
        form = sandwich.ScoreForm(np.zeros((1, t, n)), np.zeros((1, n, n)), block, 1.0, 1.0, (True, True))
        found.append(sandwich.error_moments(form))
    # with the true sigma2 the estimators are unbiased; 4000 draws leave a standard error of about 0.3
    third, fourth = np.mean(found, axis=0)
    assert abs(third - 2.0) < 0.25
    assert abs(fourth - 9.0) < 1.5
    # and without the correction they would be far off
    assert np.mean(q**3) < 0.75 * 2.0


def test_third_moment_needs_three_periods(w):
    data = nq.simulate("SAR", w, T=2, params={"a": 1.0, "b": 0.0, "rho": 0.3}, seed=1)
    fit = nq.sar("y ~ a | unit", data, w).with_vcov("sandwich")
    with pytest.raises(IdentificationError, match="two periods"):
        _ = fit.bse


@pytest.mark.parametrize("model", ["SDM", "SAC"])
@pytest.mark.parametrize("grouped", [False, True])
def test_cluster_meat_by_loops(fits, model, grouped):
    fit = fits[model]
    linear, quadratic, e = stacked_form(fit)
    t, n = fit.estimate.design.shape
    groups = np.arange(n) // 2 if grouped else np.arange(n)
    of = np.tile(groups, t)
    labels = np.unique(groups)
    p = len(linear)
    s2 = fit.sigma2
    kept = fit.n_effective / fit.nobs
    # the library's quadratic form acts on demeaned residuals with the demeaned N x N matrix of one period
    blocks = [m.reshape(t, n, t, n)[0, :, 0, :] / (1 - 1 / t) for m in quadratic]
    full = [np.kron(np.eye(t), m) for m in blocks]
    inside = np.zeros((labels.size, p))
    pairs = []
    for g in labels:
        mine = of == g
        for k in range(p):
            own = sum(blocks[k][i, i] for i in np.flatnonzero(groups == g)) * t * s2 * kept
            inside[g, k] = linear[k][mine] @ e[mine] + e[mine] @ full[k][np.ix_(mine, mine)] @ e[mine] - own
    for g, h in itertools.combinations(labels, 2):
        a, b = of == g, of == h
        pairs.append([2 * e[a] @ full[k][np.ix_(a, b)] @ e[b] for k in range(p)])
    meat = inside.T @ inside + np.array(pairs).T @ np.array(pairs)
    np.testing.assert_allclose(sandwich.cluster_meat(score_form(fit.estimate), groups), meat, rtol=1e-8, atol=1e-8)


def test_period_meat_by_loops_and_conley_limits(fits):
    fit = fits["SDM"]
    form = score_form(fit.estimate)
    t = form.e.shape[0]
    scores = np.array(
        [
            form.linear[:, s] @ form.e[s] + np.array([form.e[s] @ a @ form.e[s] for a in form.quadratic])
            for s in range(t)
        ]
    )
    scores -= scores.mean(axis=0)
    meat = sum(
        max(0.0, 1 - abs(i - j) / 3) * np.outer(scores[i], scores[j])
        for i in range(t)
        for j in range(t)
        if abs(i - j) <= 2
    )
    np.testing.assert_allclose(sandwich.period_meat(form, 2), meat, rtol=1e-9, atol=1e-9)
    ones = np.ones((form.e.shape[1],) * 2)
    assert (
        np.abs(sandwich.conley_meat(form, ones)).max()
        < 1e-12 * np.abs(sandwich.conley_meat(form, np.eye(len(ones)))).max()
    )


def test_conley_aligns_distances_by_label(w, data, fits):
    rng = np.random.default_rng(0)
    d = rng.random((w.n, w.n)) * 1000
    frame = pd.DataFrame((d + d.T) / 2, index=w.ids, columns=w.ids)
    shuffled = frame.sample(frac=1, random_state=1).sample(frac=1, axis=1, random_state=2)
    with pytest.warns(FewClustersWarning, match="9 units"):
        one = fits["SDM"].with_vcov("conley", distance=frame, cutoff=500).bse
    with pytest.warns(FewClustersWarning):
        two = fits["SDM"].with_vcov("conley", distance=shuffled, cutoff=500).bse
    pd.testing.assert_series_equal(one, two, check_exact=True)
    with pytest.raises(ValueError, match="needs distance="):
        _ = fits["SDM"].with_vcov("conley").bse


def test_unknown_covariances_and_options_are_refused(fits):
    with pytest.raises(ValueError, match=r"'hc9'.*'observed'"):
        fits["SDM"].with_vcov("hc9")
    with pytest.raises(ValueError, match="does not take lags"):
        _ = fits["SDM"].with_vcov("observed", lags=3).bse
    with pytest.raises(PanelError, match="fewer than three clusters"):
        _ = fits["SDM"].with_vcov("cluster", groups={f"u{i:02d}": i // 5 for i in range(9)}).bse
    with pytest.raises(PanelError, match="no entry for u08"):
        _ = fits["SDM"].with_vcov("cluster", groups={f"u{i:02d}": i for i in range(8)}).bse


def test_distances_that_are_none_are_refused(w, fits):
    units = list(w.ids)
    far = pd.DataFrame(np.abs(np.subtract.outer(np.arange(9.0), np.arange(9.0))), index=units, columns=units)

    def bse(frame, **options):
        return fits["SDM"].with_vcov("conley", **{"distance": frame, "cutoff": 3.0, **options}).bse

    hole, back, one_way = far.copy(), far.copy(), far.copy()
    hole.iloc[1, 2], back.iloc[1, 2], one_way.iloc[1, 2] = np.nan, -1.0, 50.0
    for wrong in (hole, back, one_way):
        with pytest.raises(PanelError, match="missing, negative or one-way distances"):
            bse(wrong)
    with pytest.raises(AlignmentError, match="the columns of distance="):
        bse(far.set_axis([f"c{i}" for i in range(9)], axis=1))
    with pytest.raises(PanelError, match="names a unit twice"):
        bse(pd.concat([far, far.iloc[:1]]))
    with pytest.raises(ValueError, match="cutoff='3': a distance in km is a positive number"):
        bse(far, cutoff="3")
    with pytest.raises(ValueError, match=r"lags=1\.5"):
        _ = fits["SDM"].with_vcov("driscoll-kraay", lags=1.5).bse


def test_units_without_a_group_are_no_cluster(w, fits):
    groups = pd.Series([i // 2 for i in range(9)], index=list(w.ids), dtype=float)
    groups.iloc[[0, 5]] = np.nan
    with pytest.raises(PanelError, match=r"groups= has no group for u00, u05"):
        _ = fits["SDM"].with_vcov("cluster", groups=groups).bse


def test_few_clusters_warn(fits):
    with pytest.warns(FewClustersWarning, match="9 clusters are few"):
        _ = fits["SDM"].with_vcov("cluster").bse
    with pytest.warns(FewClustersWarning, match="5 periods are few"):
        _ = fits["SDM"].with_vcov("driscoll-kraay").bse


@pytest.mark.parametrize("model", ["SLX", "SAR", "SDM", "SEM", "SAC"])
@pytest.mark.parametrize("correction", ["transform", "none"])
def test_replicates_equal_fits_of_the_same_panel(w, data, model, correction, monkeypatch):
    """A replicate whose errors are the residuals themselves is the original panel, so its refit is the fit."""
    fit = nq.fit(FORMULA, data, w, model=model, correction=correction)
    monkeypatch.setattr(
        "nqpf_spatial.models.bootstrap._errors", lambda *a: iter([np.stack([decompose(fit.estimate)[2]] * 2)])
    )
    boot = fit.bootstrap(replicates=2)
    np.testing.assert_allclose(boot.params.to_numpy(), np.tile(fit.params, (2, 1)), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(boot.sigma2, fit.sigma2, rtol=1e-8)


@pytest.mark.parametrize("model", ["SAR", "SEM"])
def test_bootstrap_of_a_panel_generated_by_hand(model):
    """Parametric replicates, refitted through the public path from panels built here."""
    w = small_weights(20, 4)
    data = nq.simulate("SAC", w, T=6, params={"a": 1.0, "b": 0.5, "rho": 0.3, "lambda": 0.2}, seed=2)
    fit = nq.fit(FORMULA, data, w, model=model)
    est = fit.estimate
    _, effects, residual = decompose(est)
    t, n = residual.shape
    rank = (t - 1) * (n - 1)
    sigma = np.sqrt(np.mean(residual**2) * t * n / rank)
    e = sigma * np.random.default_rng(3).standard_normal((4, t, n))
    boot = fit.bootstrap("parametric", replicates=4, seed=3)
    inverse = lambda value, m: np.linalg.inv(np.eye(n) - value * m)
    for r in range(4):
        u = e[r] @ inverse(est.fit.lambda_, w.dense()).T
        y = (np.tensordot(est.fit.beta, est.columns.z, axes=1) + effects + u) @ inverse(est.fit.rho, w.dense()).T
        frame = pd.DataFrame({"y": y.T.ravel(), "a": data["a"], "b": data["b"]}, index=data.index)
        again = nq.fit(FORMULA, frame, w, model=model)
        np.testing.assert_allclose(boot.params.iloc[r], again.params, rtol=1e-6, atol=1e-7)


def test_bootstrap_kinds_seeds_and_refusals(w, data):
    fit = nq.sdm(FORMULA, data, w)
    one, two = (fit.bootstrap("wild-cluster", 50, seed=4) for _ in range(2))
    pd.testing.assert_frame_equal(one.params, two.params, check_exact=True)
    assert not one.params.equals(fit.bootstrap("wild-cluster", 50, seed=5).params)
    with pytest.raises(ValueError, match="kind='pairs'"):
        fit.bootstrap("pairs")
    with pytest.raises(ValueError, match="at least two"):
        fit.bootstrap(replicates=1)
    with pytest.raises(ValueError, match="groups= has no meaning"):
        fit.bootstrap("wild", groups={})
    with pytest.raises(ValueError, match="after the likelihood"):
        nq.sdm(FORMULA, data, w, correction="bias").bootstrap()
    assert "50 replicates" in repr(one)


def test_bootstrap_agrees_with_information_when_errors_are_iid():
    w = small_weights(31, 3)
    data = nq.simulate("SDM", w, T=13, params={"a": 1.0, "b": 0.5, "W:a": 0.5, "W:b": 0.2, "rho": 0.4}, seed=6)
    fit = nq.sdm(FORMULA, data, w)
    for kind in ("residual", "parametric", "wild"):
        ratio = fit.bootstrap(kind, 4000, seed=1).params.std() / fit.bse
        assert ratio.between(0.85, 1.15).all(), (kind, ratio)


@pytest.mark.parametrize("correction", ["bias", "bootstrap"])
def test_corrections_remove_most_of_the_bias(correction):
    w = small_weights(20, 1, 0.15)
    truth, error, plain = 0.5, [], []
    for seed in range(40):
        data = nq.simulate("SAR", w, T=5, params={"a": 1.0, "b": 1.0, "rho": truth}, seed=seed)
        error.append(nq.sar(FORMULA, data, w, correction=correction).rho - truth)
        plain.append(nq.sar(FORMULA, data, w, correction="none").rho - truth)
    assert np.mean(plain) < -0.03, np.mean(plain)
    assert abs(np.mean(error)) < 0.4 * abs(np.mean(plain)), (np.mean(error), np.mean(plain))


def test_adjusted_score_equals_the_transformation_where_both_exist():
    w = small_weights(20, 1, 0.15)
    data = nq.simulate("SDM", w, T=6, params={"a": 1.0, "b": 0.5, "W:a": 0.3, "W:b": 0.0, "rho": 0.4}, seed=1)
    for model in ("SDM", "SEM", "SAC"):
        one, two = (nq.fit(FORMULA, data, w, model=model, correction=c) for c in ("transform", "score"))
        pd.testing.assert_frame_equal(one.tidy(), two.tidy())
        assert one.llf == two.llf


def test_adjusted_score_is_zero_in_expectation_for_weights_that_are_not_row_stochastic():
    """tr(JG) by dense algebra; its derivative and the information numerically."""
    from nqpf_spatial.kernels import logdet as ld

    for seed in (0, 1):
        w = small_weights(12, seed).with_transform("spectral").dense()
        if seed:
            w = (w + w.T) / 2
        adjusted = ld.adjust(ld.from_eigenvalues(np.linalg.eigvals(w)), w)
        for rho in (-0.5, 0.0, 0.6):
            g = w @ np.linalg.inv(np.eye(12) - rho * w)
            first, second = adjusted.derivatives(rho)
            assert first == pytest.approx(-(np.trace(g) - g.sum() / 12), rel=1e-9)
            h = 1e-5
            assert (adjusted(rho + h) - adjusted(rho - h)) / (2 * h) == pytest.approx(float(first), rel=1e-6)
            slope = (adjusted.derivatives(rho + h)[0] - adjusted.derivatives(rho - h)[0]) / (2 * h)
            assert slope == pytest.approx(float(second), rel=1e-5)


def test_adjusted_score_removes_the_bias_that_the_transformation_cannot():
    w = small_weights(20, 1, 0.15).with_transform("spectral")
    error, plain = [], []
    for seed in range(60):
        data = nq.simulate("SAR", w, T=8, params={"a": 1.0, "b": 1.0, "rho": 0.5}, seed=seed)
        error.append(nq.sar(FORMULA, data, w, correction="score").rho - 0.5)
        plain.append(nq.sar(FORMULA, data, w, correction="none").rho - 0.5)
    with pytest.raises(IdentificationError, match='correction="score"'):
        nq.sar(FORMULA, data, w)
    assert np.mean(plain) < -0.025
    assert abs(np.mean(error)) < 0.5 * abs(np.mean(plain)), (np.mean(error), np.mean(plain))


def test_permutation_test(w):
    data = nq.simulate("SDM", w, T=6, params={"a": 1.0, "b": 0.0, "W:a": 0.5, "W:b": 0.0, "rho": 0.3}, seed=9)
    fit = nq.sdm(FORMULA, data, w)
    strong = fit.permutation_test("a", permutations=99, seed=1)
    assert strong.statistic == pytest.approx(fit.impacts().table.loc["a", ("direct", "estimate")], rel=1e-12)
    assert strong.pvalue == pytest.approx(0.01)
    again = fit.permutation_test("a", permutations=99, seed=1)
    np.testing.assert_array_equal(strong.reference, again.reference)
    with pytest.raises(ValueError, match="no regressor"):
        fit.permutation_test("c")
    with pytest.raises(ValueError, match="effect='own'"):
        fit.permutation_test("a", effect="own")


def test_permutation_pvalues_are_uniform_when_the_variable_does_nothing():
    w = small_weights(20, 5, 0.08)
    values = []
    for seed in range(60):
        data = nq.simulate("SAR", w, T=4, params={"a": 0.0, "b": 1.0, "rho": 0.3}, seed=100 + seed)
        values.append(nq.sar("y ~ a | unit + period", data, w).permutation_test("a", permutations=19, seed=seed).pvalue)
    assert 0.35 < np.mean(values) < 0.68
    assert np.mean(np.array(values) <= 0.10) < 0.25


def test_by_order_adds_up_and_by_unit_averages_to_the_impacts(fits):
    for fit in fits.values():
        imp = fit.impacts()
        total = imp.by_order(3).groupby(level="term", sort=False).sum()
        estimates = imp.table.xs("estimate", axis=1, level=1)
        np.testing.assert_allclose(total.loc[estimates.index], estimates, rtol=1e-10, atol=1e-12)
        units = imp.by_unit()
        for term in imp.table.index:
            s = imp.by_unit(term)
            assert s.index.name == "to"
            assert np.trace(s) / len(s) == pytest.approx(estimates.loc[term, "direct"], rel=1e-10)
            assert units[term]["received"].mean() == pytest.approx(units[term]["sent"].mean())
            assert units[term]["received"].mean() == pytest.approx(estimates.loc[term, "indirect"], abs=1e-12)


def test_by_block_with_one_block_is_the_total_effect_and_its_error(fits):
    for name in ("SDM", "SLX", "SAC"):
        imp = fits[name].impacts()
        one = imp.by_block(dict.fromkeys(fits[name].w.ids, "all"))
        for term in imp.table.index:
            row = one.loc[(term, "all", "all")]
            assert row["estimate"] == pytest.approx(imp.table.loc[term, ("total", "estimate")], rel=1e-10)
            assert row["se"] == pytest.approx(imp.table.loc[term, ("total", "se")], rel=1e-8)


def test_by_block_standard_errors_by_numerical_gradient(fits):
    fit = fits["SDM"]
    groups = {u: "ab"[i % 2] for i, u in enumerate(fit.w.ids)}
    table = fit.impacts().by_block(groups)
    dense, n = fit.w.dense(), fit.w.n
    member = np.array([[groups[u] == g for g in "ab"] for u in fit.w.ids], dtype=float)

    def effect(p: np.ndarray) -> float:
        s = np.linalg.inv(np.eye(n) - p[4] * dense) @ (p[0] * np.eye(n) + p[2] * dense)
        return float((member[:, 0] / member[:, 0].sum()) @ s @ member[:, 1])

    point = fit.params.to_numpy()
    h = 1e-6
    gradient = np.array([(effect(point + h * d) - effect(point - h * d)) / (2 * h) for d in np.eye(5)])
    assert table.loc[("a", "a", "b"), "estimate"] == pytest.approx(effect(point), rel=1e-10)
    assert table.loc[("a", "a", "b"), "se"] == pytest.approx(np.sqrt(gradient @ fit.cov_params() @ gradient), rel=1e-6)


@pytest.fixture(scope="module")
def sparse_case() -> tuple[nq.weights.SpatialWeights, pd.DataFrame]:
    w = small_weights(24, 2, 0.1)
    params = {"a": 1.0, "b": 0.5, "W:a": 0.5, "W:b": 0.2, "rho": 0.3}
    return w, nq.simulate("SDM", w, T=6, params=params, seed=3)


def test_squares_and_interactions_have_the_effect_of_their_variable(sparse_case):
    w, data = sparse_case
    fit = nq.sdm("y ~ a + I(a**2) + a:b + b | unit + period", data, w)
    table = fit.impacts().table
    assert list(table.index) == ["a", "b"]
    dense, n = w.dense(), w.n
    inverse = np.linalg.inv(np.eye(n) - fit.rho * dense)
    a = data["a"].unstack().to_numpy()
    b = data["b"].unstack().to_numpy()
    p = fit.params
    direct, total = [], []
    for t in range(a.shape[1]):
        own = p["a"] + 2 * p["I(a ** 2)"] * a[:, t] + p["a:b"] * b[:, t]
        lag = p["W:a"] + 2 * p["W:I(a ** 2)"] * a[:, t] + p["W:a:b"] * b[:, t]
        s = inverse @ (np.diag(own) + dense @ np.diag(lag))
        direct.append(np.trace(s) / n)
        total.append(s.sum() / n)
    assert table.loc["a", ("direct", "estimate")] == pytest.approx(np.mean(direct), rel=1e-6)
    assert table.loc["a", ("total", "estimate")] == pytest.approx(np.mean(total), rel=1e-6)
    simulated = fit.impacts("simulate", draws=20_000, seed=1).table
    small = fit.impacts().table
    assert simulated.loc["a", ("direct", "se")] == pytest.approx(small.loc["a", ("direct", "se")], rel=0.1)


def test_marginal_effect_of_a_log_and_contrasts_of_a_factor(sparse_case):
    w, data = sparse_case
    frame = data.assign(
        c=np.exp(data["a"]), g=np.where(np.random.default_rng(1).random(len(data)) < 0.5, "high", "low")
    )
    fit = nq.sdm("y ~ log(c) + C(g) | unit + period", frame, w)
    table = fit.impacts().table
    assert list(table.index) == ["log(c)", "C(g)[T.low]"]
    of_c = fit.impacts(of=["c"]).table
    dense, n = w.dense(), w.n
    inverse = np.linalg.inv(np.eye(n) - fit.rho * dense)
    slope = (1 / frame["c"]).unstack().to_numpy().mean(axis=1)
    s = inverse @ (fit.params["log(c)"] * np.eye(n) + fit.params["W:log(c)"] * dense) @ np.diag(slope)
    assert of_c.loc["c", ("direct", "estimate")] == pytest.approx(np.trace(s) / n, rel=1e-6)
    crossed = nq.sdm("y ~ a*C(g) | unit + period", frame, w).impacts().table
    assert list(crossed.index) == ["a", "g: low - high"]
    with pytest.raises(ValueError, match="no variables of the formula"):
        fit.impacts(of=["q"])


def test_impacts_bootstrap_and_refusals(fits):
    fit = fits["SDM"]
    one = fit.impacts("bootstrap", draws=400, seed=2)
    delta = fit.impacts()
    pd.testing.assert_frame_equal(
        one.table.xs("estimate", axis=1, level=1),
        delta.table.xs("estimate", axis=1, level=1),
        check_exact=True,
    )
    assert one.draws == 400
    assert "400 replicates" in repr(one)
    with pytest.raises(ValueError, match="method='jackknife'"):
        fit.impacts("jackknife")
    with pytest.raises(ValueError, match="draws=1"):
        fit.impacts("simulate", draws=1)


def test_weights_from_the_sample_itself_warn():
    panel = nq.load_panel()
    formula = "ln_gdp_real_pc ~ ln_rd_intensity | province + year"
    nq.sdm(formula, panel, nq.weights.economic(years=(2005, 2010)), years=(2012, 2024))
    with pytest.warns(EndogeneityWarning, match="2012"):
        nq.sdm(formula, panel, nq.weights.economic(years=(2012, 2014)), years=(2012, 2024))


def test_terms_that_mix_gdp_vintages_are_refused():
    panel = nq.load_panel()
    with pytest.raises(DataSourceError, match="different GDP vintages"):
        nq.ols("ln_gdp_real_pc ~ I(va_secondary_v2023 / gdp) | province + year", panel, years=(2012, 2015))


@pytest.mark.parametrize("model", ["SAR", "SEM"])
def test_models_without_regressors(model):
    w = small_weights(24, 2, 0.1)
    data = nq.simulate("SAR", w, T=6, params={"a": 0.0, "rho": 0.4}, seed=1)
    fit = nq.fit("y ~ 1 | unit + period", data, w, model=model)
    for vcov in ("observed", "expected", "sandwich"):
        assert (fit.with_vcov(vcov).bse > 0).all()
    assert fit.bootstrap(replicates=20).params.shape == (20, len(fit.params))
    with pytest.raises(ValueError, match="no regressors"):
        fit.impacts()


def test_impact_map_colours_every_province_and_marks_the_one_it_is_about():
    import matplotlib.pyplot as plt

    panel, w = nq.load_panel(), nq.weights.contiguity()
    imp = nq.sdm("ln_gdp_real_pc ~ ln_rd_intensity | province + year", panel, w, years=(2012, 2024)).impacts()
    from nqpf_spatial.models.plots import _map_values

    values, title = _map_values(imp, "ln_rd_intensity", "北京", None, "en")
    assert len(values) == 31
    assert np.isnan(values[110000])
    assert "Beijing" in title
    matrix = imp.by_unit("ln_rd_intensity")
    assert values[130000] == pytest.approx(matrix.loc["Hebei", "Beijing"])
    into, _ = _map_values(imp, "ln_rd_intensity", None, "Beijing", "en")
    assert into[130000] == pytest.approx(matrix.loc["Beijing", "Hebei"])
    ax = imp.map("ln_rd_intensity", source="Beijing", lang="zh")
    assert "来自北京" in ax.get_title()
    with pytest.raises(ValueError, match="not both"):
        imp.map("ln_rd_intensity", source="Beijing", target="Hebei")
    assert imp.plot().get_legend() is not None
    plt.close("all")


def test_maps_need_provinces(fits):
    with pytest.raises(ValueError, match="not Chinese provinces"):
        fits["SDM"].impacts().map("a")


def test_variables_that_are_lagged_only(sparse_case):
    w, data = sparse_case
    fit = nq.sdm("y ~ a | unit + period", data, w, durbin=["a", "b"])
    assert list(fit.params.index) == ["a", "W:a", "W:b", "rho"]
    by_hand = nq.sar("y ~ a + wa + wb | unit + period", data.assign(wa=w.lag(data["a"]), wb=w.lag(data["b"])), w)
    np.testing.assert_allclose(fit.params, by_hand.params, rtol=1e-9)
    table = fit.impacts().table
    assert list(table.index) == ["a", "b"]
    inverse = np.linalg.inv(np.eye(w.n) - fit.rho * w.dense())
    direct = np.trace(inverse @ w.dense()) / w.n * fit.params["W:b"]
    assert table.loc["b", ("direct", "estimate")] == pytest.approx(direct, rel=1e-9)


def test_corrections_belong_to_fixed_effects(sparse_case):
    w, data = sparse_case
    with pytest.raises(ValueError, match="belongs to fixed effects"):
        nq.sar("y ~ a | period", data, w, effects="random", correction="none")
    assert nq.sar("y ~ a | period", data, w, effects="random").glance()["random effects"] == "random"
    assert nq.sar("y ~ a", data, w, effects="mundlak").random == "mundlak"
    assert nq.sar("y ~ a | period", data, w).random is None


def test_formulas_that_run_over_rows_or_names_of_parameters_are_refused(sparse_case):
    w, data = sparse_case
    with pytest.raises(ValueError, match="from one unit into the next"):
        nq.sar("y ~ np.roll(a, 1) | unit", data, w)
    with pytest.raises(PanelError, match="like parameters of the model"):
        nq.sar("y ~ rho | unit", data.rename(columns={"a": "rho"}), w)
    assert "poly(a, 2)[1]" in nq.sar("y ~ poly(a, 2) | unit", data, w).params.index
    with pytest.raises(ValueError, match="missing='drop'"):
        nq.sar("y ~ a | unit", data, w, missing="drop")
    with pytest.raises(ValueError, match="alpha=95"):
        nq.sar("y ~ a | unit", data, w).conf_int(95)


def test_years_before_units_are_refused_without_weights_too():
    panel = nq.load_panel(["ln_gdp_real_pc", "ln_rd_intensity"])
    with pytest.raises(PanelError, match="swaplevel"):
        nq.ols("ln_gdp_real_pc ~ ln_rd_intensity | province", panel.swaplevel(), years=(2012, 2024))


@pytest.mark.parametrize("seed", [9, 11, 12, 14])
def test_lambda_is_at_its_maximum_when_rho_is_at_its_bound(seed):
    """Small panels whose likelihood has no maximum inside: rho stays at the end, lambda still moves."""
    rng = np.random.default_rng(0)
    matrix = (rng.random((20, 20)) < 0.2).astype(float)
    np.fill_diagonal(matrix, 0)
    matrix[np.arange(20), (np.arange(20) + 1) % 20] = 1
    w = nq.weights.from_any(matrix, ids=[f"u{i:02d}" for i in range(20)])
    params = {"x": 0.3, "W:x": 0.2, "rho": 0.5, "lambda": -0.4}
    data = nq.simulate("GNS", w, T=4, params=params, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentificationWarning)
        est = nq.sac("y ~ x | unit + period", data, w).estimate
    from nqpf_spatial.kernels.ml import _concentrated

    best = _concentrated(est.reduced, est.likelihood, est.fit.rho, est.fit.lambda_)
    for lambda_ in np.linspace(est.likelihood.lambda_.low + 1e-6, est.likelihood.lambda_.high - 1e-6, 400):
        assert _concentrated(est.reduced, est.likelihood, est.fit.rho, lambda_) <= best + 1e-8


@pytest.mark.parametrize(("model", "error"), [("SAR", "kkp"), ("SEM", "kkp"), ("SEM", "baltagi")])
def test_parametric_bootstrap_with_random_effects(sparse_case, model, error):
    w, data = sparse_case
    fit = nq.fit("y ~ a + b", data, w, model=model, effects="random", random_error=error)
    boot = fit.bootstrap("parametric", 120, seed=1)
    ratio = boot.params.std() / fit.bse
    assert ratio.between(0.7, 1.4).all(), ratio
    pd.testing.assert_frame_equal(boot.params, fit.bootstrap("parametric", 120, seed=1).params, check_exact=True)
    assert np.isfinite(fit.impacts("bootstrap", kind="parametric", draws=30).table.loc["a", ("total", "se")])
    with pytest.raises(ValueError, match='is "parametric"'):
        fit.bootstrap("wild")


@pytest.mark.parametrize("model", ["SAC", "GNS"])
def test_lag_and_error_of_one_w_without_regressors_are_refused(sparse_case, model):
    w, data = sparse_case
    with pytest.raises(IdentificationError, match="can be exchanged"):
        nq.fit("y ~ 1 | unit + period", data, w, model=model)
