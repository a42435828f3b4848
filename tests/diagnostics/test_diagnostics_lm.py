"""LM tests against spdep, splm, Elhorst, spreg and dense brute force; their size; who is right where peers differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.linalg as sla
from diagnostics_support import EFFECTS, PANELS, arrays, fitted, frame, golden, panel, queen, weights
from scipy import stats
from scipy.sparse import csr_array

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.lmtests import efficient_scores, nested_score_test, score_test, traces
from nqpf_spatial.kernels.moments import remove_effects, spatial_lag
from nqpf_spatial.models.diagnostics import lm_tests

CROSS = ("columbus", "columbusB", "columbusEig", "boston", "lattice1024")
SPDEP = {"LMlag": "lm_lag", "LMerr": "lm_error", "RLMlag": "rlm_lag", "RLMerr": "rlm_error", "SARMA": "lm_sarma"}
OURS = ("lm_lag", "lm_error", "rlm_lag", "rlm_error")


@pytest.mark.parametrize("key", CROSS)
def test_cross_section_equals_spdep(key: str) -> None:
    tests = lm_tests(fitted(key), w=weights(key))
    for theirs, ours in SPDEP.items():
        expected = golden()[f"{key}.ols"]["lm_tests"][theirs]
        assert tests[ours].statistic == pytest.approx(expected["statistic"], rel=1e-9)
        assert tests[ours].df == expected["df"]
        assert tests[ours].pvalue == pytest.approx(expected["p.value"], rel=1e-8)


@pytest.mark.parametrize("key", ["columbus", "boston", "lattice_n1024"])
def test_lagged_regressors_equal_spreg(key: str) -> None:
    """Koley and Bera's tests; spreg's robust WX statistics are those of its OLS output."""
    name = {"lattice_n1024": "lattice1024"}.get(key, key)
    tests = lm_tests(fitted(name), w=weights(name))
    theirs = golden()[f"{key}.spreg.ols"]
    pairs = {
        "lm_wx": "lm_wx",
        "lm_sdm": "lm_spdurbin",
        "rlm_wx": "rlm_wx",
        "rlm_lag_wx": "rlm_durlag",
        "lm_sdem": "lm_slxerr",
    }
    for ours, spreg in pairs.items():
        assert tests[ours].statistic == pytest.approx(theirs[spreg][0], rel=1e-8)
        assert tests[ours].pvalue == pytest.approx(theirs[spreg][1], rel=1e-7)


@pytest.mark.parametrize("key", PANELS)
@pytest.mark.parametrize("effects", EFFECTS)
def test_panels_equal_splm_and_elhorst(key: str, effects: str) -> None:
    """Under their convention, at the tolerance of the golden numbers."""
    fit = fitted(key, "OLS", effects)
    tests = lm_tests(fit, w=weights(key), convention="elhorst")
    own = golden()[f"{key}.own.LM.{effects}"]
    splm = golden()[f"{key}.ols.{'pooling' if effects == 'none' else effects}"]["slmtest"]
    for name in OURS:
        assert tests[name].statistic == pytest.approx(own[name], rel=1e-9)
        assert tests[name].statistic == pytest.approx(splm[name]["statistic"], rel=1e-9)


@pytest.mark.parametrize("effects", EFFECTS)
def test_elhorst_routines_print_the_same(effects: str) -> None:
    tests = lm_tests(fitted("produc", "OLS", effects), w=weights("produc"), convention="elhorst")
    printed = golden()[f"produc.elhorst.LM.{'pooled' if effects == 'none' else effects}"]["printed"].splitlines()
    values = [float(line.split("=")[1].split(",")[0]) for line in printed]
    for name, value in zip(("lm_lag", "rlm_lag", "lm_error", "rlm_error"), values, strict=True):
        assert tests[name].statistic == pytest.approx(value, abs=5.1e-5)


@pytest.mark.parametrize("key", PANELS)
@pytest.mark.parametrize("effects", ["none", "individual"])
def test_the_likelihood_convention_agrees_where_no_unit_is_demeaned(key: str, effects: str) -> None:
    tests = lm_tests(fitted(key, "OLS", effects), w=weights(key))
    for name in OURS:
        assert tests[name].statistic == pytest.approx(golden()[f"{key}.own.LM.{effects}"][name], rel=1e-9)


def dummies(design_unit: bool, design_time: bool, t: int, n: int) -> np.ndarray:
    """Dummy columns of stacked (t, n) observations."""
    unit, time = np.tile(np.eye(n), (t, 1)), np.repeat(np.eye(t), n, axis=0)
    if design_unit and design_time:
        return np.column_stack([unit, time[:, 1:]])
    return unit if design_unit else time


def dense_lm(y: np.ndarray, z: np.ndarray, w: np.ndarray) -> dict[str, float]:
    """Textbook LM tests of a cross-section regression (Anselin et al. 1996), dense."""
    n = y.size
    q = np.linalg.qr(z)[0]
    project = lambda a: a - q @ (q.T @ a)
    e = project(y)
    s2 = e @ e / n
    trace = np.trace(w @ w + w.T @ w)
    d_lag, d_error = e @ w @ y / s2, e @ w @ e / s2
    mean = project(w @ (y - e))
    j = mean @ mean / s2 + trace
    return {
        "lm_lag": d_lag**2 / j,
        "lm_error": d_error**2 / trace,
        "rlm_lag": (d_lag - d_error) ** 2 / (j - trace),
        "rlm_error": (d_error - trace / j * d_lag) ** 2 / (trace * (1 - trace / j)),
    }


@pytest.mark.parametrize("effects", ["individual", "time", "twoways"])
def test_dummy_variables_on_a_block_diagonal_w_are_the_truth(effects: str) -> None:
    """produc's W is not doubly stochastic: with time effects splm, Elhorst are off, we equal OLS with explicit dummies."""
    y, x, w = arrays("produc")
    t, n = y.shape
    unit, time = effects in ("individual", "twoways"), effects in ("time", "twoways")
    z = np.column_stack([x.reshape(x.shape[0], -1).T, dummies(unit, time, t, n)])
    exact = dense_lm(y.ravel(), z, np.kron(np.eye(t), w))
    fit = fitted("produc", "OLS", effects)
    ours, theirs = lm_tests(fit, w=weights("produc")), lm_tests(fit, w=weights("produc"), convention="elhorst")
    for name in OURS:
        assert ours[name].statistic == pytest.approx(exact[name], rel=1e-8)
    if time:
        assert abs(theirs["lm_lag"].statistic / exact["lm_lag"] - 1) > 1e-3


def transformation(size: int) -> np.ndarray:
    """Orthonormal columns orthogonal to the ones."""
    return np.linalg.svd(np.eye(size) - 1.0 / size)[0][:, : size - 1]


@pytest.mark.parametrize(("unit", "time"), [(True, True), (True, False), (False, True)])
def test_transformation_is_a_textbook_test_of_the_transformed_data(unit: bool, time: bool) -> None:
    """Lee-Yu: y* = F_T' y F_N, W* = F_N' W F_N; the score gains m because W* has lost an eigenvalue 1."""
    rng = np.random.default_rng(3)
    w = queen(4, 5)
    t, n = 4, w.n
    x, y = rng.standard_normal((2, t, n)), rng.standard_normal((t, n))
    data = panel(w, y, a=x[0], b=x[1])
    bars = " + ".join(name for name, on in (("unit", unit), ("period", time)) if on)
    tests = lm_tests(nq.ols(f"y ~ a + b | {bars}", data), w=w)
    ft = transformation(t) if unit else np.eye(t)
    fn = transformation(n) if time else np.eye(n)
    star = lambda a: (ft.T @ a @ fn).ravel()
    ws = np.kron(np.eye(ft.shape[1]), fn.T @ w.dense() @ fn)
    z, ys = np.column_stack([star(a) for a in x]), star(y)
    nn = ys.size
    q = np.linalg.qr(z)[0]
    e = ys - q @ (q.T @ ys)
    s2 = e @ e / nn
    tr, square = np.trace(ws), np.trace(ws @ ws + ws.T @ ws)
    d = np.array([e @ ws @ ys / s2 - tr, e @ ws @ e / s2 - tr])
    mean = ws @ (ys - e)
    mean = mean - q @ (q.T @ mean)
    v = np.array([[mean @ mean / s2 + square, square], [square, square]]) - 2.0 * tr**2 / nn
    assert tests["lm_lag"].statistic == pytest.approx(d[0] ** 2 / v[0, 0], rel=1e-9)
    assert tests["lm_error"].statistic == pytest.approx(d[1] ** 2 / v[1, 1], rel=1e-9)
    joint = d @ np.linalg.solve(v, d)
    assert tests["lm_sarma"].statistic == pytest.approx(joint, rel=1e-9)
    assert tests["rlm_lag"].statistic == pytest.approx(joint - d[1] ** 2 / v[1, 1], rel=1e-7)
    if time:
        assert tr == pytest.approx(-ft.shape[1])


def test_score_is_the_derivative_of_the_likelihood() -> None:
    """Marginal LM statistics from numerical scores of the concentrated likelihood of the transformed data."""
    rng = np.random.default_rng(5)
    w = queen(4, 4)
    t, n = 3, w.n
    x, y = rng.standard_normal((t, n)), rng.standard_normal((t, n))
    fit = nq.sar("y ~ x | unit + period", panel(w, y, x=x), w)
    like, data = fit.estimate.likelihood, fit.estimate.reduced

    def llf(rho: float) -> float:
        f = data.base
        q = np.linalg.qr(f[:, :1])[0]
        target = f[:, 1] - rho * f[:, 2]
        e = target - q @ (q.T @ target)
        return -0.5 * like.n * np.log(e @ e) + like.m * float(like.rho(rho))

    score = (llf(1e-5) - llf(-1e-5)) / 2e-5
    z, yw = (remove_effects(a, True, True) for a in (x[None], y))
    e = yw - z[0] * (np.sum(z[0] * yw) / np.sum(z[0] ** 2))
    array = w.dense()
    lags = [remove_effects(spatial_lag(array, a), True, True) for a in (y, e, e)]
    found = efficient_scores(e, z, np.empty((0, t, n)), *lags, traces(array, array, True), like.n, like.m)
    assert found.score[0] == pytest.approx(score, rel=1e-7)


def test_traces_of_projected_weights() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 7, 7))
    m = np.eye(7) - 1 / 7
    pa, pb = m @ a @ m, m @ b @ m
    found = traces(a, b, True)
    expected = (
        np.trace(pa @ pa + pa.T @ pa),
        np.trace(pa @ pb + pa.T @ pb),
        np.trace(pb @ pb + pb.T @ pb),
        np.trace(pa),
        np.trace(pb),
    )
    assert (found.t11, found.t12, found.t22, found.t1, found.t2) == pytest.approx(expected, rel=1e-12)
    sparse = traces(csr_array(a), csr_array(b), True)
    assert (sparse.t11, sparse.t12, sparse.t22) == pytest.approx((found.t11, found.t12, found.t22), rel=1e-12)


@pytest.mark.parametrize("effects", ["fit", "none"])
def test_robust_is_joint_less_marginal_and_lag_robust_to_wx_is_error(effects: str) -> None:
    w = nq.weights.contiguity()
    data = nq.simulate("SDM", w, T=5, params={"x": 1.0, "z": -1.0, "W:x": 0.4, "rho": 0.3}, seed=4)
    tests = lm_tests(nq.sdm("y ~ x + z | unit + period", data, w), effects=effects)
    s = {t.key: t.statistic for t in tests}
    assert s["rlm_lag"] == pytest.approx(s["lm_sarma"] - s["lm_error"], rel=1e-9)
    assert s["rlm_error"] == pytest.approx(s["lm_sarma"] - s["lm_lag"], rel=1e-7)
    assert s["rlm_wx"] == pytest.approx(s["lm_sdm"] - s["lm_lag"], rel=1e-7)
    assert s["rlm_lag_wx"] == pytest.approx(s["lm_sdm"] - s["lm_wx"], rel=1e-7)
    assert s["rlm_lag_wx"] == pytest.approx(s["lm_error"], rel=1e-9)
    assert s["lm_sdem"] == pytest.approx(s["lm_wx"] + s["lm_error"], rel=1e-9)
    assert [tests[k].df for k in ("lm_wx", "lm_sdm", "lm_sdem")] == [2, 3, 3]


def test_slx_base_is_ols_with_the_lags_among_the_regressors() -> None:
    tests = lm_tests(fitted("columbus"), w=weights("columbus"), base="SLX")
    data, w = frame("columbus"), weights("columbus")
    wide = data.assign(**{f"W{c}": w.lag(data[c]) for c in ("INC", "HOVAL")})
    plain = lm_tests(nq.ols("CRIME ~ INC + HOVAL + WINC + WHOVAL", wide), w=w)
    for name in OURS:
        assert tests[f"{name}_slx"].statistic == pytest.approx(plain[name].statistic, rel=1e-10)


def test_the_model_of_the_fit_does_not_matter_and_row_order_neither() -> None:
    data, w = frame("produc"), weights("produc")
    formula = "lgsp ~ lpcap + lpc + lemp + unemp | unit + period"
    base = lm_tests(nq.ols(formula, data), w=w).table["statistic"]
    shuffled = lm_tests(nq.sem(formula, data.sample(frac=1.0, random_state=1), w)).table["statistic"]
    pd.testing.assert_series_equal(base, shuffled, rtol=1e-12)


def test_scaling_y_and_x_changes_nothing() -> None:
    data, w = frame("columbus"), weights("columbus")
    a = lm_tests(nq.ols("CRIME ~ INC + HOVAL", data), w=w).table["statistic"]
    scaled = data.assign(CRIME=1e3 * data["CRIME"] + 7, INC=data["INC"] / 50)
    b = lm_tests(nq.ols("CRIME ~ INC + HOVAL", scaled), w=w).table["statistic"]
    pd.testing.assert_series_equal(a, b, rtol=1e-8)


def test_spreg_panel_lm_lag_squares_the_trace() -> None:
    """Its J has tr(WW + W'W) squared where T times it belongs (Elhorst 2014): 0.1153 for 0.1161 on produc, with SSE/(NT-k)."""
    y, x, w = arrays("produc")
    t = y.shape[0]
    z = np.column_stack([np.ones(y.size), x.reshape(x.shape[0], -1).T])
    e = y.ravel() - z @ np.linalg.lstsq(z, y.ravel(), rcond=None)[0]
    s2 = e @ e / (y.size - z.shape[1])
    block = np.kron(np.eye(t), w)
    mean = block @ (y.ravel() - e)
    mean = mean - z @ np.linalg.lstsq(z, mean, rcond=None)[0]
    trace = np.trace(w @ w + w.T @ w)
    spreg = (e @ block @ y.ravel() / s2) ** 2 / (mean @ mean / s2 + trace**2)
    assert spreg == pytest.approx(golden()["produc.spreg.panel_LMlag"]["result"][0], rel=1e-6)
    right = (e @ block @ y.ravel() / s2) ** 2 / (mean @ mean / s2 + t * trace)
    ours = lm_tests(fitted("produc"), w=weights("produc"))["lm_lag"].statistic
    assert ours == pytest.approx(dense_lm(y.ravel(), z, block)["lm_lag"], rel=1e-9)
    assert abs(right / spreg - 1) > 1e-3


@pytest.fixture(scope="module")
def rejections() -> dict[str, np.ndarray]:
    """p-values of 600 panels without spatial terms, N = 31, T = 5, two-way effects, by convention."""
    w = nq.weights.contiguity()
    array, n, t = w.dense(), w.n, 5
    rng = np.random.default_rng(12)
    x = rng.standard_normal((2, t, n))
    x[1] += spatial_lag(array, x[1])
    within = remove_effects(x, True, True)
    wx = remove_effects(np.stack([spatial_lag(array, a) for a in x]), True, True)
    q = np.linalg.qr(within.reshape(2, -1).T)[0]
    found: dict[str, list[float]] = {}
    for _ in range(600):
        y = rng.standard_normal((t, n))
        yw = remove_effects(y, True, True)
        e = yw - (q @ (q.T @ yw.ravel())).reshape(t, n)
        lags = [remove_effects(spatial_lag(array, a), True, True) for a in (y, e, e)]
        for name, project, size, m in (("transform", True, (n - 1) * (t - 1), t - 1), ("none", False, n * t, t)):
            s = efficient_scores(e, within, wx, *lags, traces(array, array, project), size, m)
            cases = (
                ([0], []),
                ([1], []),
                ([0], [1]),
                ([1], [0]),
                ([0, 1], []),
                ([2, 3], []),
                ([2, 3], [0]),
                ([0, 2, 3], []),
            )
            for tested, robust in cases:
                result = score_test(s, tested, robust)
                found.setdefault(f"{name}{tested}{robust}", []).append(stats.chi2.sf(result.statistic, result.df))
    return {key: np.array(values) for key, values in found.items()}


def test_transformed_tests_have_their_size(rejections: dict[str, np.ndarray]) -> None:
    """Rejections at 5 % within 99.9 % binomial bounds of 600 replicates, for every statistic."""
    low, high = stats.binom.ppf([5e-4, 1 - 5e-4], 600, 0.05)
    for key, pvalues in rejections.items():
        if key.startswith("transform"):
            assert low <= (pvalues < 0.05).sum() <= high, key


def test_untransformed_tests_reject_too_often(rejections: dict[str, np.ndarray]) -> None:
    """With T = 5 dummy-variable LM tests are above the bounds: the reason for the default."""
    high = stats.binom.ppf(1 - 5e-4, 600, 0.05)
    for key in ("none[0][]", "none[1][]", "none[0, 1][]"):
        assert (rejections[key] < 0.05).sum() > high


def test_intercept_only_has_no_robust_lag_test() -> None:
    w = queen(3, 4)
    data = pd.DataFrame({"y": np.random.default_rng(0).standard_normal(12)}, index=pd.Index(w.ids, name="unit"))
    tests = lm_tests(nq.ols("y ~ 1", data), w=w)
    assert not tests["rlm_lag"].computed and "does not exist" in tests["rlm_lag"].note
    assert not tests["lm_wx"].computed and "no regressors to lag" in tests["lm_wx"].note
    assert tests["lm_lag"].statistic == pytest.approx(tests["lm_error"].statistic, rel=1e-10)


def test_nested_score_test_refuses_an_empty_direction() -> None:
    with pytest.raises(IdentificationError, match="no information"):
        nested_score_test(1.0, np.array([[1.0, 1.0], [1.0, 1.0]]), 1)
    assert nested_score_test(2.0, np.diag([3.0, 4.0]), 1).statistic == pytest.approx(1.0)


def test_messages() -> None:
    fit = fitted("produc", "OLS", "twoways")
    with pytest.raises(ValueError, match="no spatial weights: pass w="):
        lm_tests(fit)
    with pytest.raises(ValueError, match=r"base='X' is not known; choose one of 'OLS', 'SLX'"):
        lm_tests(fit, w=weights("produc"), base="X")
    with pytest.raises(ValueError, match="effects='all' is not known"):
        lm_tests(fit, w=weights("produc"), effects="all")
    with pytest.raises(ValueError, match="convention='splm' is not known"):
        lm_tests(fit, w=weights("produc"), convention="splm")
    with pytest.raises(IdentificationError, match="cross-section has no unit or time effects"):
        lm_tests(fitted("columbus"), w=weights("columbus"), effects="both")
    sar = fitted("columbus", "SAR")
    with pytest.raises(ValueError, match="has its own weights"):
        lm_tests(sar, w=weights("columbusB"))


def test_transformation_needs_rows_that_sum_to_one() -> None:
    w = queen(3, 4).with_transform("none")
    rng = np.random.default_rng(2)
    data = panel(w, rng.standard_normal((3, 12)), x=rng.standard_normal((3, 12)))
    with pytest.raises(IdentificationError, match=r'with_transform\("row"\)'):
        lm_tests(nq.ols("y ~ x | unit + period", data), w=w)
    assert lm_tests(nq.ols("y ~ x | unit + period", data, correction="none"), w=w)["lm_lag"].computed


def test_effects_that_absorb_a_regressor_are_refused() -> None:
    w = queen(3, 4)
    rng = np.random.default_rng(2)
    fixed = np.tile(rng.standard_normal(12), (3, 1))
    data = panel(w, rng.standard_normal((3, 12)), x=fixed)
    with pytest.raises(IdentificationError, match="absorbed"):
        lm_tests(nq.ols("y ~ x", data), w=w, effects="unit")


def test_dense_reference_of_this_file_agrees_with_scipy() -> None:
    """The reference itself: J from a QR equals the one from normal equations."""
    y, x, w = arrays("produc")
    z = np.column_stack([np.ones(y.shape[1]), x[:, 0].T])
    first = dense_lm(y[0], z, w)
    beta = sla.solve(z.T @ z, z.T @ y[0])
    e = y[0] - z @ beta
    s2 = e @ e / e.size
    mean = w @ z @ beta
    j = (mean @ mean - mean @ z @ sla.solve(z.T @ z, z.T @ mean)) / s2 + np.trace(w @ w + w.T @ w)
    assert first["lm_lag"] == pytest.approx((e @ w @ y[0] / s2) ** 2 / j, rel=1e-7)
