"""Several lags and changing weights: dense likelihoods, nesting of the single W, impacts, errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from several_reference import PERIODS, UNITS, changing, dense, labelled, make_panel, matrices, named, reference

import nqpf_spatial as nq
from nqpf_spatial.errors import (
    AlignmentError,
    EndogeneityWarning,
    FewClustersWarning,
    IdentificationError,
    IdentificationWarning,
)
from nqpf_spatial.models import SpatialFit, diagnostics
from nqpf_spatial.models.several.results import SeveralFit

EFFECTS = {"none": "", "unit": " | unit", "time": " | period", "twoways": " | unit + period"}
W3 = named()
W2 = {k: W3[k] for k in ("near", "flow")}
SEQ = changing()


def flags(effects: str) -> dict[str, bool]:
    return {"unit": effects in ("unit", "twoways"), "time": effects in ("time", "twoways")}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return make_panel(list(W3.values()), [0.25, -0.15, 0.3], [0.4, 0.2, 0.0])


@pytest.fixture(scope="module")
def moving() -> pd.DataFrame:
    return make_panel([SEQ], [0.4], [0.4])


def check(ref, fit: SpatialFit, starts: list, rtol: float = 1e-4) -> None:
    """Estimates, likelihood and covariance of a fit against the dense maximum; the intercept is a dummy of the reference."""
    best = ref.maximise([np.asarray(s, dtype=float) for s in starts])
    params, se = fit.params.drop("Intercept", errors="ignore"), fit.bse.drop("Intercept", errors="ignore")
    cov = fit.cov_params().loc[params.index, params.index].to_numpy()
    assert fit.llf == pytest.approx(float(ref.loglik(best)), abs=1e-8)
    np.testing.assert_allclose(params, best[:-1], atol=2e-7)
    assert fit.sigma2 == pytest.approx(best[-1], abs=1e-7)
    covariance = np.linalg.inv(ref.information(best))
    np.testing.assert_allclose(se, np.sqrt(np.diag(covariance))[:-1], rtol=rtol)
    assert fit.sigma2_se == pytest.approx(np.sqrt(covariance[-1, -1]), rel=rtol)
    assert np.max(np.abs(cov - covariance[:-1, :-1]) / np.outer(se, se)) < rtol


# -- several lags ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("model", "effects", "correction", "names"),
    [
        ("SDM", "twoways", "transform", ("near", "flow")),
        ("SAR", "twoways", "transform", ("near", "far", "flow")),
        ("SDM", "twoways", "score", ("near", "far")),
        ("SDM", "twoways", "none", ("near", "flow")),
        ("SAR", "unit", "transform", ("near", "flow")),
        ("SAR", "time", "transform", ("far", "flow")),
        ("SAR", "none", "transform", ("near", "flow")),
    ],
)
def test_several_lags_are_the_maximum_of_the_dense_likelihood(data, model, effects, correction, names) -> None:
    chosen = {k: W3[k] for k in names}
    fit = nq.fit(f"y ~ x1 + x2{EFFECTS[effects]}", data, chosen, model=model, correction=correction)
    transform = correction != "none" and effects != "none"
    ref = reference(data, list(chosen.values()), "lags", **flags(effects), transform=transform, durbin=model == "SDM")
    m = len(names)
    starts = [np.full(m, 0.0), np.full(m, 0.2), np.array([0.4, *([-0.3] * (m - 1))])]
    check(ref, fit, starts)
    assert list(fit.params.index[-m:]) == [f"rho:{k}" for k in names]
    if model == "SDM":
        assert [f"W:{k}:{x}" for k in names for x in ("x1", "x2")] == list(fit.params.index[2 : 2 + 2 * m])


def test_several_matrices_over_rows_that_do_not_sum_to_one_with_unit_effects(data) -> None:
    weights = {k: labelled(m, k, "spectral") for k, m in zip(("near", "far"), matrices(), strict=False)}
    fit = nq.fit("y ~ x1 + x2 | unit", data, weights, model="SDM")
    ref = reference(data, list(weights.values()), "lags", unit=True, time=False, transform=True)
    check(ref, fit, [np.zeros(2), np.array([0.3, 0.2])])


def test_durbin_terms_with_matrices_of_their_own(data) -> None:
    fit = nq.fit(
        "y ~ x1 + x2 | unit + period", data, W3["near"], w_durbin={"far": W3["far"], "flow": W3["flow"]}, durbin=["x1"]
    )
    assert list(fit.params.index) == ["x1", "x2", "W:far:x1", "W:flow:x1", "rho"]
    ref = reference(data, [W3["near"]], "lags", unit=True, time=True, transform=True, durbin=False)
    units = list(W3["near"].ids)
    x1 = data["x1"].unstack("unit")[units].to_numpy()
    z = np.concatenate([ref.own, np.stack([x1 @ W3[k].dense().T for k in ("far", "flow")])])
    ref.z_of, ref.k = (lambda s: z), 4
    check(ref, fit, [np.zeros(1), np.array([0.4])])
    several = nq.fit("y ~ x1 + x2 | unit + period", data, W2, w_durbin=W3["far"], model="SDM")
    assert list(several.params.index) == ["x1", "x2", "W:x1", "W:x2", "rho:near", "rho:flow"]


def test_order_of_terms_rows_and_units_does_not_matter(data) -> None:
    formula = "y ~ x1 + x2 | unit + period"
    fit = nq.sdm(formula, data, W2)
    turned = {k: W2[k].reorder(W2[k].ids[::-1]) for k in ("flow", "near")}
    other = nq.sdm(formula, data.sample(frac=1.0, random_state=1), turned)
    pd.testing.assert_series_equal(other.params[fit.params.index], fit.params, rtol=1e-9)
    same = nq.sdm(formula, data.sample(frac=1.0, random_state=1), {k: W2[k].reorder(W2[k].ids[::-1]) for k in W2})
    pd.testing.assert_series_equal(same.params, fit.params, check_exact=True)
    pd.testing.assert_frame_equal(same.impacts().table, fit.impacts().table, check_exact=True)


def test_a_list_goes_by_the_names_of_its_matrices(data) -> None:
    fit = nq.sar("y ~ x1 | unit + period", data, [W3["near"], W3["flow"]])
    assert list(fit.params.index) == ["x1", "rho:near", "rho:flow"]
    assert set(fit.w) == {"near", "flow"}
    assert fit.w["near"] == W3["near"]
    with pytest.raises(ValueError, match="pass a mapping"):
        nq.sar("y ~ x1 | unit + period", data, [W3["near"], W3["flow"].renamed("near")])


def test_several_changing_matrices(moving) -> None:
    """Two lags, one of them changing: the dense likelihood of the time effects, where the transformation is exact."""
    weights = {"moving": SEQ, "far": W3["far"]}
    fit = nq.sar("y ~ x1 + x2 | period", moving, weights)
    ref = reference(moving, list(weights.values()), "lags", unit=False, time=True, transform=True, durbin=False)
    check(ref, fit, [np.zeros(2), np.array([0.4, 0.0])])
    assert list(fit.params.index) == ["x1", "x2", "rho:moving", "rho:far"]


# -- weights that change over time ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("model", "effects", "correction"),
    [
        ("SDM", "time", "transform"),
        ("SAR", "time", "transform"),
        ("SDM", "none", "transform"),
        ("SDM", "time", "none"),
        ("SDM", "unit", "none"),
        ("SDM", "twoways", "none"),
        ("SAR", "twoways", "none"),
    ],
)
def test_changing_weights_are_the_maximum_of_the_dense_likelihood(moving, model, effects, correction) -> None:
    fit = nq.fit(f"y ~ x1 + x2{EFFECTS[effects]}", moving, SEQ, model=model, correction=correction)
    transform = correction != "none" and effects != "none"
    ref = reference(moving, [SEQ], "lags", **flags(effects), transform=transform, durbin=model == "SDM")
    check(ref, fit, [np.zeros(1), np.array([0.4])])


@pytest.mark.parametrize("effects", ["unit", "twoways"])
def test_the_freed_score_solves_the_dense_estimating_equation(moving, effects: str) -> None:
    """With unit effects: the explicit pseudo-likelihood, and the sandwich H^-1 J H^-1 with J from NT x NT matrices."""
    fit = nq.sdm(f"y ~ x1 + x2{EFFECTS[effects]}", moving, SEQ, correction="score")
    ref = reference(moving, [SEQ], "lags", **flags(effects), transform=True)
    best = ref.maximise([np.zeros(1), np.array([0.4])])
    np.testing.assert_allclose(fit.params, best[:-1], atol=2e-7)
    assert fit.llf == pytest.approx(float(ref.loglik(best)), abs=1e-8)
    q, g = stacked(fit)
    gap = np.trace(q @ g @ (np.eye(len(q)) - q) @ g)
    hessian = ref.information(best)
    variance = hessian.copy()
    variance[-2, -2] -= gap
    covariance = np.linalg.inv(hessian) @ variance @ np.linalg.inv(hessian)
    np.testing.assert_allclose(fit.bse, np.sqrt(np.diag(covariance))[:-1], rtol=1e-5)
    assert abs(gap) > 1e-3
    assert abs(np.sqrt(np.linalg.inv(hessian)[-2, -2]) / fit.bse["rho"] - 1) > 1e-5


def stacked(fit: SeveralFit) -> tuple[np.ndarray, np.ndarray]:
    """The projector Q of the effects and G, block-diagonal over the periods, as NT x NT matrices (period by period)."""
    t, n = fit.estimate.design.shape
    jt = np.eye(t) - 1 / t if fit.estimate.design.unit else np.eye(t)
    jn = np.eye(n) - 1 / n if fit.estimate.design.time else np.eye(n)
    w = dense(fit.w, t)
    g = np.zeros((t * n, t * n))
    for k in range(t):
        g[k * n : (k + 1) * n, k * n : (k + 1) * n] = w[k] @ np.linalg.inv(np.eye(n) - fit.rho * w[k])
    return np.kron(jt, jn), g


@pytest.mark.parametrize("transform", ["row", "spectral"])
@pytest.mark.parametrize("effects", ["unit", "time", "twoways"])
def test_the_freed_score_has_expectation_zero_at_any_parameters(effects: str, transform: str) -> None:
    """E[(Wy)'Qe] / s2 = tr(QG) by NT x NT matrices; what "none" subtracts is tr(G), what "score" subtracts must be tr(QG)."""
    seq = changing(transform)
    frame = make_panel([seq], [0.3], [0.4])
    fit = nq.sar(f"y ~ x1 + x2{EFFECTS[effects]}", frame, seq, correction="score")
    q, g = stacked(fit)
    slope = fit.estimate.joint.logdet.derivatives(fit.estimate.ml.r)[0][0]
    assert -fit.estimate.likelihood.m * slope == pytest.approx(np.trace(q @ g), rel=1e-9)
    assert fit.n_effective == round(np.trace(q))
    none = nq.sar(f"y ~ x1 + x2{EFFECTS[effects]}", frame, seq, correction="none")
    _, g = stacked(none)
    slope = none.estimate.joint.logdet.derivatives(none.estimate.ml.r)[0][0]
    assert -none.estimate.likelihood.m * slope == pytest.approx(np.trace(g), rel=1e-9)


def test_score_form_and_expected_information_of_changing_weights(moving) -> None:
    """Linear and quadratic parts against NT x NT matrices; the variance of the form is the expected information."""
    from nqpf_spatial.kernels import sandwich
    from nqpf_spatial.models.covariance import expected, score_form
    from nqpf_spatial.models.residuals import decompose

    fit = nq.sdm("y ~ x1 + x2 | unit + period", moving, SEQ, correction="score")
    est = fit.estimate
    q, g = stacked(fit)
    z = est.columns.z.reshape(4, -1)
    fixed = decompose(est)[1].ravel()
    s2, n = fit.sigma2, len(q)
    linear = np.array([*(q @ row / s2 for row in z), q @ g @ (est.fit.beta @ z + fixed) / s2, np.zeros(n)])
    quadratic = [np.zeros((n, n))] * 4 + [q @ g @ q / s2, q / (2 * s2**2)]
    quadratic = [(a + a.T) / 2 for a in quadratic]
    want = np.array([[s2 * a @ b + 2 * s2**2 * np.sum(c * d) for b, d in zip(linear, quadratic, strict=True)]
                     for a, c in zip(linear, quadratic, strict=True)])  # fmt: skip
    np.testing.assert_allclose(expected(est), want, rtol=1e-9, atol=1e-9)
    form = score_form(est)
    np.testing.assert_allclose(form.linear.reshape(6, -1), linear, atol=1e-9)
    mu3, mu4 = sandwich.error_moments(form)
    meat = want.copy()
    for i, a in enumerate(quadratic):
        for j, b in enumerate(quadratic):
            meat[i, j] += (mu4 - 3 * s2**2) * np.diag(a) @ np.diag(b)
            meat[i, j] += mu3 * (linear[i] @ np.diag(b) + linear[j] @ np.diag(a))
    np.testing.assert_allclose(sandwich.qml_meat(form, expected(est)), meat, rtol=1e-8, atol=1e-8)
    bread = np.linalg.inv(est.fit.information)
    np.testing.assert_allclose(
        fit.with_vcov("sandwich").cov_params(), (bread @ meat @ bread)[:-1, :-1], rtol=1e-7, atol=1e-10
    )


def test_robust_covariances_of_changing_weights_reduce_to_those_of_one_w(moving) -> None:
    """Quadratic forms per period, all the same, must give the numbers of the form that is shared by the periods."""
    from dataclasses import replace

    from nqpf_spatial.kernels import sandwich
    from nqpf_spatial.models.covariance import score_form

    shared = score_form(nq.sdm("y ~ x1 | unit + period", moving, W3["near"]).estimate)
    per_period = replace(shared, quadratic=np.repeat(shared.quadratic[:, None], PERIODS, axis=1))
    distance = np.abs(np.subtract.outer(np.arange(UNITS), np.arange(UNITS))) / UNITS
    for meat in (
        lambda f: sandwich.cluster_meat(f, np.arange(UNITS) // 2),
        lambda f: sandwich.period_meat(f, 2),
        lambda f: sandwich.conley_meat(f, 1 - distance),
    ):
        np.testing.assert_allclose(meat(per_period), meat(shared), rtol=1e-10)
    fit = nq.sdm("y ~ x1 | unit + period", moving, SEQ, correction="score")
    with pytest.warns(FewClustersWarning):
        assert np.isfinite(fit.with_vcov("cluster").bse).all()


# -- nesting --------------------------------------------------------------------------------------------------
NESTED = [
    (effects, correction, transform)
    for effects in EFFECTS
    for correction in ("transform", "score", "none")
    for transform in ("row", "spectral")
    # the transformation of time effects needs rows that sum to one
    if not (transform == "spectral" and correction == "transform" and effects in ("time", "twoways"))
]


@pytest.mark.parametrize(("effects", "correction", "transform"), NESTED)
def test_a_constant_sequence_is_the_single_matrix(data, effects, correction, transform) -> None:
    w = labelled(matrices()[2], "flow", transform)
    seq = nq.weights.sequence({2001 + k: w for k in range(PERIODS)})
    formula = f"y ~ x1 + x2{EFFECTS[effects]}"
    one, many = (nq.sdm(formula, data, v, correction=correction) for v in (w, seq))
    assert isinstance(many, SeveralFit)
    pd.testing.assert_series_equal(many.params, one.params, check_exact=True)
    assert many.llf == one.llf
    assert many.nobs == one.nobs
    assert many.n_effective == one.n_effective
    assert many.k_params == one.k_params
    for vcov in ("observed", "expected", "sandwich"):
        np.testing.assert_allclose(
            many.with_vcov(vcov).cov_params(), one.with_vcov(vcov).cov_params(), rtol=1e-9, atol=1e-13
        )
    pd.testing.assert_frame_equal(many.impacts().table, one.impacts().table, rtol=1e-9)
    simulated = [f.impacts("simulate", draws=200, seed=3).table for f in (many, one)]
    pd.testing.assert_frame_equal(*simulated, rtol=1e-8)
    pd.testing.assert_series_equal(many.resid, one.resid, rtol=1e-9, atol=1e-12)
    pd.testing.assert_series_equal(many.predict(), one.predict(), rtol=1e-9)
    for name, values in one.fixed_effects().items():
        pd.testing.assert_series_equal(many.fixed_effects()[name], values, rtol=1e-8, atol=1e-11)
    replicates = [f.bootstrap("residual", 20, seed=2) for f in (many, one)]
    pd.testing.assert_frame_equal(replicates[0].params, replicates[1].params, rtol=1e-6, atol=1e-8)
    for period in (2001, 2006):
        np.testing.assert_allclose(many.impacts().by_period().loc[period], one.impacts().table, rtol=1e-9)


def test_slx_with_a_sequence_is_least_squares_on_its_lags(moving) -> None:
    fit = nq.slx("y ~ x1 + x2 | unit + period", moving, SEQ)
    units = list(SEQ.ids)
    wide = {c: moving[c].unstack("unit")[units].to_numpy() for c in ("y", "x1", "x2")}
    lags = [np.einsum("tij,tj->ti", dense(SEQ, PERIODS), wide[c]) for c in ("x1", "x2")]
    within = lambda a: a - a.mean(0) - a.mean(1, keepdims=True) + a.mean()
    z = np.stack([within(v).ravel() for v in (wide["x1"], wide["x2"], *lags)]).T
    beta = np.linalg.lstsq(z, within(wide["y"]).ravel(), rcond=None)[0]
    np.testing.assert_allclose(fit.params, beta, rtol=1e-9)
    assert fit.rho is None
    theta, total = fit.params["W:x1"], np.mean([dense(SEQ, PERIODS)[k].sum() for k in range(PERIODS)]) / UNITS
    assert fit.impacts().table.loc["x1", ("indirect", "estimate")] == pytest.approx(theta * total, rel=1e-9)


def test_lags_that_share_a_coefficient_are_those_of_the_mean_matrix(data) -> None:
    """On the line r1 = r2 the likelihood of two lags is that of twice their mean."""
    from nqpf_spatial.kernels.several import lags_at

    both = nq.sar("y ~ x1 + x2 | unit + period", data, W2)
    mean = nq.weights.combine(list(W2.values()), [0.5, 0.5])
    single = nq.sar("y ~ x1 + x2 | unit + period", data, mean)
    est = both.estimate
    at = lags_at(est.reduced.base, est.reduced.k, est.joint, np.full(2, single.rho / 2))
    assert at.llf == pytest.approx(single.llf, abs=1e-9)
    np.testing.assert_allclose(at.beta, single.params[:2], rtol=1e-9)
    assert both.llf >= single.llf


# -- impacts --------------------------------------------------------------------------------------------------
def effects_of(
    fit: SeveralFit, weights: list, params: np.ndarray, term: str, periods: list[int] | None = None
) -> np.ndarray:
    """Direct, indirect, total from the reduced form: derivative of E[y_t] by inverting every A_t."""
    p = pd.Series(params, index=fit.params.index)
    names = [t.name for t in fit.estimate.several.terms]
    w = [dense(one, PERIODS) for one in weights]
    if fit.estimate.ml.shares is not None:
        r = [p["rho"] * p[f"share:{k}"] for k in names]
        theta = [p.get(f"W:{term}", 0.0) * p[f"share:{k}"] for k in names]
    else:
        r = [p["rho"] if not k else p[f"rho:{k}"] for k in names]
        theta = [p.get(f"W:{term}" if not k else f"W:{k}:{term}", 0.0) for k in names]
    found = []
    for t in periods or range(PERIODS):
        a = np.eye(UNITS) - sum(c * m[t] for c, m in zip(r, w, strict=True))
        s = np.linalg.solve(a, p[term] * np.eye(UNITS) + sum(c * m[t] for c, m in zip(theta, w, strict=True)))
        direct, total = np.trace(s) / UNITS, s.sum() / UNITS
        found.append([direct, total - direct, total])
    return np.mean(found, axis=0)


def delta_by_differences(fit: SeveralFit, weights: list, term: str, periods: list[int] | None = None) -> np.ndarray:
    point, covariance = fit.params.to_numpy(), fit.cov_params().to_numpy()
    gradient = np.empty((3, point.size))
    for i in range(point.size):
        step = np.zeros(point.size)
        step[i] = 1e-6
        up, down = (effects_of(fit, weights, point + sign * step, term, periods) for sign in (1, -1))
        gradient[:, i] = (up - down) / 2e-6
    return np.sqrt(np.einsum("ip,pq,iq->i", gradient, covariance, gradient))


CASES = {
    "lags": (W2, {}),
    "shares": (W2, {"combine": True}),
    "changing": (SEQ, {"correction": "score"}),
    "both": ({"moving": SEQ, "far": W3["far"]}, {"correction": "score"}),
}


@pytest.fixture(scope="module")
def fits(data, moving) -> dict[str, SeveralFit]:
    frames = {"lags": data, "shares": data, "changing": moving, "both": moving}
    return {k: nq.sdm("y ~ x1 + x2 | unit + period", frames[k], w, **o) for k, (w, o) in CASES.items()}


@pytest.mark.parametrize("case", list(CASES))
def test_impacts_are_derivatives_of_the_reduced_form(fits, case: str) -> None:
    fit, w = fits[case], CASES[case][0]
    weights = list(w.values()) if isinstance(w, dict) else [w]
    table = fit.impacts().table
    assert list(table.columns.get_level_values(0).unique()) == ["direct", "indirect", "total"]
    assert list(table.columns.get_level_values(1).unique()) == ["estimate", "se", "z", "p", "lower", "upper"]
    by_period = fit.impacts().by_period()
    assert by_period.index.names == ["period", "term"]
    for term in ("x1", "x2"):
        want = effects_of(fit, weights, fit.params.to_numpy(), term)
        np.testing.assert_allclose(table.loc[term].xs("estimate", level=1), want, rtol=1e-9)
        se = delta_by_differences(fit, weights, term)
        np.testing.assert_allclose(table.loc[term].xs("se", level=1), se, rtol=1e-5)
        at = by_period.loc[(2003, term)]
        np.testing.assert_allclose(
            at.xs("estimate", level=1), effects_of(fit, weights, fit.params.to_numpy(), term, [2]), rtol=1e-9
        )
        np.testing.assert_allclose(at.xs("se", level=1), delta_by_differences(fit, weights, term, [2]), rtol=1e-5)
    mean = by_period.xs("estimate", axis=1, level=1).groupby(level="term").mean().loc[list(table.index)]
    np.testing.assert_allclose(mean, table.xs("estimate", axis=1, level=1), rtol=1e-9)


@pytest.mark.parametrize("case", list(CASES))
def test_views_of_impacts_add_up(fits, case: str) -> None:
    fit = fits[case]
    imp = fit.impacts()
    table = imp.table.xs("estimate", axis=1, level=1)
    orders = imp.by_order(3).groupby(level="term").sum().loc[list(table.index)]
    np.testing.assert_allclose(orders, table, rtol=1e-9)
    first = imp.by_order(0)
    np.testing.assert_allclose(first.loc[("x2", 0), "direct"], fit.params["x2"], rtol=1e-9)
    matrix = imp.by_unit("x1").to_numpy()
    assert np.trace(matrix) / UNITS == pytest.approx(table.loc["x1", "direct"], rel=1e-9)
    assert matrix.sum() / UNITS == pytest.approx(table.loc["x1", "total"], rel=1e-9)
    by_unit = imp.by_unit()
    assert by_unit[("x1", "received")].mean() == pytest.approx(table.loc["x1", "indirect"], rel=1e-9)
    whole = imp.by_block(dict.fromkeys(fit.estimate.design.units, "all"))
    np.testing.assert_allclose(whole.loc[("x1", "all", "all"), "estimate"], table.loc["x1", "total"], rtol=1e-9)
    np.testing.assert_allclose(whole.loc[("x1", "all", "all"), "se"], imp.table.loc["x1", ("total", "se")], rtol=1e-9)
    halves = imp.by_block({u: "a" if i < 5 else "b" for i, u in enumerate(fit.estimate.design.units)})
    assert halves["estimate"]["x1"].sum() / 2 == pytest.approx(table.loc["x1", "total"], rel=1e-9)


def test_marginal_effects_of_squares_use_the_derivative_of_every_period(moving) -> None:
    fit = nq.sar("y ~ x1 + I(x1**2) + x2 | unit + period", moving, SEQ, correction="score")
    table = fit.impacts().table
    assert list(table.index) == ["x1", "x2"]
    x = moving["x1"].unstack("unit")[list(SEQ.ids)].to_numpy()
    slope = fit.params["x1"] + 2 * fit.params["I(x1 ** 2)"] * x
    w = dense(SEQ, PERIODS)
    inverse = np.linalg.inv(np.eye(UNITS) - fit.rho * w)
    direct = np.mean([np.diag(inverse[t]) @ slope[t] for t in range(PERIODS)]) / UNITS
    total = np.mean([inverse[t].sum(0) @ slope[t] for t in range(PERIODS)]) / UNITS
    assert table.loc["x1", ("direct", "estimate")] == pytest.approx(direct, rel=1e-7)
    assert table.loc["x1", ("total", "estimate")] == pytest.approx(total, rel=1e-7)
    from nqpf_spatial.models.several.impacts import Lifted, _rows

    at = Lifted.of(fit).at(_rows(fit, None), fit.params.to_numpy()[None])[0]
    np.testing.assert_allclose(at, table.xs("estimate", axis=1, level=1), rtol=1e-10)


@pytest.mark.parametrize("case", list(CASES))
def test_simulated_impacts_are_those_of_every_draw(fits, case: str) -> None:
    from nqpf_spatial.models.several.impacts import _draws, admissible

    fit, w = fits[case], CASES[case][0]
    weights = list(w.values()) if isinstance(w, dict) else [w]
    found = fit.impacts("simulate", draws=60, seed=1)
    draws = _draws(fit, 60, 1)
    inside = admissible(fit.estimate, draws)
    if fit.estimate.ml.shares is not None:
        assert (((draws[:, -2:] < 0).any(axis=1)) <= ~inside).all()
        np.testing.assert_allclose(draws[:, -2:].sum(axis=1), 1.0, rtol=1e-12)
    assert found.draws == inside.sum() > 30
    assert found.outside == pytest.approx(1 - inside.mean())
    values = np.array([effects_of(fit, weights, p, "x1") for p in draws[inside]])
    np.testing.assert_allclose(found.table.loc["x1"].xs("se", level=1), values.std(axis=0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(
        found.table.loc["x1"].xs("lower", level=1), np.quantile(values, 0.025, axis=0), rtol=1e-9
    )
    # the draws have the covariance of the estimates
    many = _draws(fit, 40_000, 2)
    size = np.outer(fit.bse, fit.bse)
    assert np.max(np.abs(np.cov(many.T) - fit.cov_params().to_numpy()) / size) < 0.05
    again = fit.impacts("simulate", draws=60, seed=1)
    pd.testing.assert_frame_equal(again.table, found.table, check_exact=True)


@pytest.mark.parametrize("case", list(CASES))
def test_bootstrapped_impacts_are_those_of_every_replicate(fits, case: str) -> None:
    fit, w = fits[case], CASES[case][0]
    weights = list(w.values()) if isinstance(w, dict) else [w]
    found = fit.impacts("bootstrap", draws=25, seed=1, kind="parametric")
    replicates = fit.bootstrap("parametric", 25, seed=1).params.to_numpy()
    values = np.array([effects_of(fit, weights, p, "x1") for p in replicates])
    np.testing.assert_allclose(found.table.loc["x1"].xs("se", level=1), values.std(axis=0, ddof=1), rtol=1e-9)


def test_bootstrap_is_centred_at_the_estimate_and_repeats_itself(fits) -> None:
    fit = fits["changing"]
    boot = fit.bootstrap("parametric", 300, seed=4)
    spread = boot.params.std() / np.sqrt(300)
    assert (boot.bias().abs() < 4 * spread).all()
    np.testing.assert_allclose(boot.params.std(), fit.bse, rtol=0.2)
    pd.testing.assert_frame_equal(fit.bootstrap("parametric", 300, seed=4).params, boot.params, check_exact=True)
    assert fit.bootstrap("wild-cluster", 5, seed=4).params.shape == (5, 5)
    with pytest.raises(ValueError, match="kind='jackknife'"):
        fit.bootstrap("jackknife")


# -- the vocabulary of SpatialFit -----------------------------------------------------------------------------
@pytest.mark.parametrize("case", list(CASES))
def test_the_result_speaks_as_every_other(fits, case: str) -> None:
    fit = fits[case]
    assert isinstance(fit, SpatialFit)
    tidy = fit.tidy()
    assert list(tidy.columns) == ["estimate", "se", "z", "p", "lower", "upper"]
    assert list(tidy.index) == list(fit.params.index)
    text, html = fit.summary(), fit._repr_html_()
    for name in fit.params.index:
        assert name in text
        assert name in html
    assert "coefficients are not effects" in text
    for term in fit.estimate.several.all():
        assert term.label() in text
    glance = fit.glance()
    assert glance["n_effective"] == (UNITS - 1) * (PERIODS - 1)
    assert glance["w"] == fit.w.name
    origin = fit.provenance()
    checksums = str(origin["w"])
    over = [w for term in fit.estimate.several.terms for w in term.over(fit.estimate.design.periods)]
    assert all(w.checksum in checksums for w in over)
    np.testing.assert_allclose(
        fit.estimate.design.y.T.ravel() - fit.predict().to_numpy(),
        reduced_error(fit),
        atol=1e-9,
    )
    deviations = [fit.fixed_effects()[k].mean() for k in ("unit", "period")]
    np.testing.assert_allclose(deviations, 0.0, atol=1e-9)
    np.testing.assert_allclose(
        fit.predict("TS") + fit.resid, fit.estimate.design.series(fit.estimate.design.y, "y"), atol=1e-9
    )
    assert type(fit.with_vcov("expected")) is SeveralFit
    assert np.isfinite(fit.aic)
    assert repr(fit.impacts()).startswith("Impacts (delta method); SDM, W = ")
    assert fit.impacts().plot() is not None


def reduced_error(fit: SeveralFit) -> np.ndarray:
    """A_t^-1 e_t, unit by unit."""
    est = fit.estimate
    e = fit.resid.to_numpy().reshape(UNITS, PERIODS).T
    w = [dense(term.weights, PERIODS) for term in est.several.terms]
    a = np.eye(UNITS) - sum(c * m for c, m in zip(est.ml.r, w, strict=True))
    return np.linalg.solve(a, e[..., None])[..., 0].T.ravel()


def test_best_predictor_is_the_mean_given_the_other_units(fits) -> None:
    """Mean of the normal distribution of a unit given the others, by the partitioned covariance of its period."""
    fit = fits["changing"]
    t, unit = 2, 4
    y = fit.estimate.design.y[t]
    mean = fit.predict("TC").to_numpy().reshape(UNITS, PERIODS)[:, t]
    root = np.linalg.inv(np.eye(UNITS) - fit.rho * dense(SEQ, PERIODS)[t])
    covariance = root @ root.T
    rest = np.delete(np.arange(UNITS), unit)
    weights = np.linalg.solve(covariance[np.ix_(rest, rest)], covariance[rest, unit])
    expected = mean[unit] + weights @ (y - mean)[rest]
    assert fit.predict("BP").to_numpy().reshape(UNITS, PERIODS)[unit, t] == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="kind='BLUP'"):
        fit.predict("BLUP")


CALLS = {
    "posterior": lambda f: f.posterior(),
    "diagnose": lambda f: f.diagnose(),
    "random_counterpart": lambda f: f.random_counterpart(),
    "permutation_test": lambda f: f.permutation_test("x1"),
    "forecast": lambda f: f.forecast(pd.DataFrame()),
    "counterfactual": lambda f: f.counterfactual({"x1": 0.1}),
    "explain": lambda f: f.explain(),
    "predict other rows": lambda f: f.predict(data=pd.DataFrame()),
    "posterior impacts": lambda f: f.impacts("posterior"),
    "likelihood bootstrap of one W": lambda f: nq.models.bootstrap.bootstrap(f.estimate),
    "impacts of one W": lambda f: nq.models.impacts.inference.impacts(f),
    "the lag": lambda f: f.estimate.weights.lag,
    "Moran's I of the outcome": lambda f: diagnostics.moran_outcome(f),
    "LM tests": lambda f: diagnostics.lm_tests(f),
    "serial correlation": lambda f: diagnostics.serial(f),
    "model probabilities": lambda f: nq.models.compare_fits({("SDM", "a"): f, ("SDM", "b"): f}),
}


@pytest.mark.parametrize("what", list(CALLS))
@pytest.mark.parametrize("case", list(CASES))
def test_what_does_not_work_refuses_in_plain_words(fits, case: str, what: str) -> None:
    with pytest.raises(
        ValueError,
        match=r"not available with several or changing weights|the fit has several lags|posterior is that of",
    ):
        CALLS[what](fits[case])


def test_what_belongs_to_other_fits_says_so(fits) -> None:
    with pytest.raises(ValueError, match="rho:near, rho:flow"):
        _ = fits["lags"].rho
    assert fits["lags"].lambda_ is None
    assert fits["lags"].random is None
    assert fits["lags"].dynamic == ()
    for call in (lambda f: f.stability(), lambda f: f.impulse_responses()):
        with pytest.raises(ValueError, match="static"):
            call(fits["lags"])
    with pytest.raises(ValueError, match="fixed"):
        fits["lags"].random_effects()


def test_comparisons_show_fits_with_several_weights(fits, data) -> None:
    one = nq.sdm("y ~ x1 + x2 | unit + period", data, W3["near"])
    text = str(nq.compare({"one": one, "several": fits["lags"], "combined": fits["shares"]}))
    for label in ("ρ near", "ρ flow", "W[near]×x1", "share of near", "near + flow"):
        assert label in text, label


# -- errors ---------------------------------------------------------------------------------------------------
def test_periods_without_a_matrix_are_named(moving) -> None:
    short = nq.weights.sequence({y: SEQ[y] for y in (2001, 2002, 2004, 2005)})
    with pytest.raises(AlignmentError, match="no matrix for the periods 2003, 2006"):
        nq.sar("y ~ x1 | period", moving, short)
    with pytest.raises(AlignmentError, match="the weights 'moving': no matrix for the periods 2003, 2006"):
        nq.sar("y ~ x1 | period", moving, {"moving": short, "far": W3["far"]})
    fit = nq.sar("y ~ x1 | period", moving, short, years=(2004, 2005))
    assert fit.nobs == 2 * UNITS
    more = nq.weights.sequence({**dict(SEQ), 1990: SEQ[2001]})  # periods beyond the panel do no harm
    whole = nq.sar("y ~ x1 | period", moving, more)
    pd.testing.assert_series_equal(whole.params, nq.sar("y ~ x1 | period", moving, SEQ).params, check_exact=True)


def test_years_with_missing_cells_are_dropped_on_request(moving) -> None:
    holed = moving.copy()
    holed.loc[("c03", 2002), "x1"] = np.nan
    fit = nq.sar("y ~ x1 + x2 | unit + period", holed, SEQ, correction="score", missing="drop_years")
    whole = moving.drop(2002, level="period")
    same = nq.sar("y ~ x1 + x2 | unit + period", whole, SEQ, correction="score")
    pd.testing.assert_series_equal(fit.params, same.params, check_exact=True)
    assert "2002" in fit.summary()


def test_a_cross_section_has_no_sequence(moving) -> None:
    with pytest.raises(AlignmentError, match="cross-section"):
        nq.sar("y ~ x1", moving.xs(2001, level="period"), SEQ)


def test_units_that_differ_are_named(data) -> None:
    fewer = W3["flow"].subset(W3["flow"].ids[:-1])
    with pytest.raises(AlignmentError, match="c09"):
        nq.sar("y ~ x1 | unit", data, {"near": W3["near"], "flow": fewer})
    with pytest.raises(AlignmentError, match="c09"):
        nq.sar("y ~ x1 | unit", data, {"near": fewer, "flow": W3["near"].subset(fewer.ids, islands="keep")})


def test_matrices_that_are_not_distinct_are_named(data) -> None:
    with pytest.raises(IdentificationError, match="'near' and 'again' are identical"):
        nq.sar("y ~ x1 | unit", data, {"near": W3["near"], "again": W3["near"]})
    mean = nq.weights.combine([W3["near"], W3["far"]], [0.5, 0.5])
    with pytest.raises(IdentificationError, match="linear combinations of each other"):
        nq.sar("y ~ x1 | unit", data, {"near": W3["near"], "far": W3["far"], "mean": mean})
    constant = nq.weights.sequence({2001 + k: W3["near"] for k in range(PERIODS)})
    with pytest.raises(IdentificationError, match="identical"):
        nq.sar("y ~ x1 | unit", data, {"near": W3["near"], "same": constant}, combine=True)


def test_the_transformation_is_refused_where_it_does_not_exist(data, moving) -> None:
    for effects in (" | unit", " | unit + period"):
        with pytest.raises(IdentificationError, match='correction="score"'):
            nq.sar(f"y ~ x1{effects}", moving, SEQ)
    spectral = changing("spectral")
    with pytest.raises(IdentificationError, match="rows of W that sum to one"):
        nq.sar("y ~ x1 | period", moving, spectral)
    mixed = nq.weights.sequence({y: spectral[y] if y == 2002 else SEQ[y] for y in SEQ})
    with pytest.raises(IdentificationError, match=r"'w \(2002\)'"):
        nq.sar("y ~ x1 | period", moving, mixed)
    weights = {k: labelled(m, k, "spectral") for k, m in zip(("near", "far"), matrices(), strict=False)}
    for correction in ("transform", "score"):
        with pytest.raises(IdentificationError, match="those of 'far' do not"):  # the ring's rows are all alike
            nq.sar("y ~ x1 | unit + period", data, weights, correction=correction)
    for correction in ("bias", "bootstrap"):
        with pytest.raises(ValueError, match="not available with several or changing weights"):
            nq.sar("y ~ x1 | unit + period", data, W2, correction=correction)


@pytest.mark.parametrize("model", ["SEM", "SDEM", "SAC", "GNS", "OLS"])
def test_models_without_such_terms_refuse(data, model: str) -> None:
    with pytest.raises(ValueError, match="SAR, SDM and SLX"):
        nq.fit("y ~ x1 | unit", data, W2, model=model)


@pytest.mark.parametrize("options", [{}, {"combine": True}])
@pytest.mark.parametrize("model", ["SAR", "SDM"])
def test_regressors_that_cannot_be_told_apart_are_named(data, options: dict, model: str) -> None:
    twice = data.assign(x3=2.0 * data["x1"] - data["x2"], fixed=data["x1"].groupby(level=0).transform("mean"))
    with pytest.raises(IdentificationError, match=r"linear combinations of the regressors before them: .*x3"):
        nq.fit("y ~ x1 + x2 + x3 | unit + period", twice, W2, model=model, **options)
    with pytest.raises(IdentificationError, match=r"absorbed by the unit and period effects: .*fixed"):
        nq.fit("y ~ x1 + fixed | unit + period", twice, W2, model="SAR", **options)


def test_arguments_that_make_no_model(data) -> None:
    with pytest.raises(ValueError, match="at least two"):
        nq.sar("y ~ x1 | unit", data, {"near": W3["near"]})
    with pytest.raises(ValueError, match="at least two"):
        nq.sar("y ~ x1 | unit", data, [])
    with pytest.raises(ValueError, match="at least two matrices"):
        nq.sar("y ~ x1 | unit", data, W3["near"], combine=True)
    with pytest.raises(ValueError, match="at least two matrices"):
        nq.sar("y ~ x1 | unit", data, SEQ, combine=True)
    with pytest.raises(ValueError, match="does not have"):
        nq.slx("y ~ x1 | unit", data, W2, combine=True)
    with pytest.raises(TypeError, match=r"w\['far'\] is a ndarray"):
        nq.sar("y ~ x1 | unit", data, {"near": W3["near"], "far": np.eye(UNITS)})
    with pytest.raises(TypeError, match=r"w\[1\] is a ndarray"):
        nq.sar("y ~ x1 | unit", data, [W3["near"], np.eye(UNITS)])
    with pytest.raises(ValueError, match="Years belong"):
        nq.sar("y ~ x1 | unit", data, {2001: W3["near"], 2002: W3["far"]})
    with pytest.raises(ValueError, match="w_durbin has no meaning"):
        nq.sar("y ~ x1 | unit", data, W2, w_durbin=W3["far"])
    with pytest.raises(ValueError, match="effects='random'"):
        nq.sar("y ~ x1", data, W2, effects="random")
    with pytest.raises(ValueError, match="dynamic="):
        nq.sar("y ~ x1 | unit", data, W2, dynamic="lag_y")
    with pytest.raises(ValueError, match="missing='subnetwork'"):
        nq.sar("y ~ x1 | unit", data, W2, missing="subnetwork", subset="keep")
    with pytest.raises(TypeError, match="one matrix is needed here"):
        nq.gmm("y ~ x1 | unit", data, SEQ, model="SAR")


def test_predetermined_weights_are_checked_period_by_period(moving) -> None:
    from dataclasses import replace

    late = nq.weights.sequence({y: replace(SEQ[y], data_years=(1995, 2003)) for y in SEQ})
    with pytest.warns(EndogeneityWarning, match="1995-2003"):
        nq.sar("y ~ x1 | period", moving, late)
    early = nq.weights.sequence({y: replace(SEQ[y], data_years=(1995, y - 1)) for y in SEQ})
    nq.sar("y ~ x1 | period", moving, early)


# -- golden numbers, cross-sections ---------------------------------------------------------------------------
@pytest.mark.parametrize("entry", ["produc.splm.sdm.individual.LY", "produc.splm.sar.individual.ml"])
def test_golden_numbers_of_one_w_through_a_sequence(entry: str) -> None:
    """splm's numbers for the US states, W given as the same matrix for each of 17 years."""
    import golden_support as golden

    (peer,) = [e for e in golden.file("produc")["entries"] if e["id"] == entry]
    frame, w = golden.data("produc"), golden.weights("produc")
    years = frame.index.get_level_values(1).unique()
    seq = nq.weights.sequence({int(y): w for y in years})
    correction = "transform" if entry.endswith("LY") else "none"
    model = entry.split(".")[2]
    formula = golden.FORMULAS["produc"] + " | unit"
    fit = nq.fit(formula, frame, seq, model=model, correction=correction, vcov="expected")
    named = {"rho" if k == "lambda" else k.replace("W_", "W:"): k for k in peer["coefficients"]}
    for ours, theirs in named.items():
        assert fit.params[ours] == pytest.approx(peer["coefficients"][theirs], rel=1e-5, abs=1e-7), ours
        assert fit.bse[ours] == pytest.approx(peer["se"][theirs], rel=1e-5), ours
    if model == "sar":
        assert fit.llf == pytest.approx(peer["loglik"], abs=1e-6)
        point = pd.DataFrame(peer["impacts_point"]).T
        np.testing.assert_allclose(
            fit.impacts().table.xs("estimate", axis=1, level=1).loc[point.index], point, rtol=1e-5
        )


def test_several_lags_in_a_cross_section() -> None:
    n = 40
    weights = {k: v for k, v in named(n=n).items() if k != "far"}
    frame = make_panel(list(weights.values()), [0.3, 0.3], [0.0, 0.0], n=n, t=1)
    fit = nq.sar("y ~ x1 + x2", frame.droplevel("period"), weights)
    ref = reference(frame, list(weights.values()), "lags", unit=False, time=False, transform=True, durbin=False)
    check(ref, fit, [np.zeros(2), np.array([0.3, 0.3])])
    assert fit.impacts().table.index.tolist() == ["x1", "x2"]
    with pytest.raises(ValueError, match="cross-section"):
        fit.impacts().by_period()


def test_a_maximum_at_the_end_of_the_set_is_found_and_said() -> None:
    """Unit effects that the model leaves out are taken for spatial dependence: the sum of the coefficients goes to one."""
    frame = make_panel(list(W2.values()), [0.6, 0.39], [0.0, 0.0], t=3, scale=1.0, seed=0)
    with pytest.warns(IdentificationWarning, match="end of the admissible"):
        fit = nq.sar("y ~ x1 | period", frame, W2)
    assert fit.params[["rho:near", "rho:flow"]].sum() == pytest.approx(1.0, abs=1e-6)
    est = fit.estimate
    from nqpf_spatial.kernels.several import residual_cross, value_at

    cross = residual_cross(est.reduced.base, est.reduced.k)
    here = value_at(cross, est.joint, est.ml.r)
    for step in (-0.02, 0.02):  # along the end, and inwards
        assert value_at(cross, est.joint, est.ml.r + np.array([step, -step])) < here
        assert value_at(cross, est.joint, est.ml.r - abs(step)) < here
