"""Dynamic models through `nq.fit`: every public method works or refuses in plain words; effects by rebuilding the paths."""

from __future__ import annotations

import hashlib
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError, IdentificationWarning, PanelError
from nqpf_spatial.kernels import dynamic_response as kernel
from nqpf_spatial.models import compare_fits
from nqpf_spatial.models import diagnostics as dg
from nqpf_spatial.models.design import build_design
from nqpf_spatial.models.dynamic.bootstrap import recursive_bootstrap
from nqpf_spatial.models.dynamic.estimate import estimate_dynamic
from nqpf_spatial.models.dynamic.impacts import DynamicImpacts
from nqpf_spatial.models.estimate import Weights
from nqpf_spatial.models.impacts.inference import EFFECTS, STATISTICS
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.models.spec import get_model, parse_formula
from nqpf_spatial.weights import from_any

PARAMS = {"x": 1.0, "z": -0.5, "W:x": 0.4, "W:z": 0.2, "L:y": 0.5, "L:W:y": -0.1, "rho": 0.3}
FORMULA = "y ~ x + z | unit + period"
N, T = 20, 10


@pytest.fixture(scope="module")
def w():
    a = sum(np.roll(np.eye(N), k, axis=1) for k in (1, -1, 3))
    return from_any(a, ids=[f"c{i:02d}" for i in range(N)], transform="row", name="ring")


@pytest.fixture(scope="module")
def data(w):
    return nq.simulate("SDM", w, T=T, params=PARAMS, seed=4)


@pytest.fixture(scope="module")
def fit(data, w) -> SpatialFit:
    return nq.sdm(FORMULA, data, w, dynamic="both")


# -- the keyword --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("front", "given", "terms"),
    [
        (nq.sdm, "both", ("lag_y", "lag_wy")),
        (nq.sdm, ("lag_wy", "lag_y"), ("lag_y", "lag_wy")),
        (nq.sar, "lag_wy", ("lag_wy",)),
        (nq.slx, ["lag_y"], ("lag_y",)),
        (nq.ols, "lag_y", ("lag_y",)),
    ],
)
@pytest.mark.parametrize("correction", ["transform", "bias", "none"])
def test_fronts_give_the_estimates_of_the_module(front, given, terms, correction, data, w):
    name = front.__name__.upper()
    weights = () if front is nq.ols else (w,)
    found = front(FORMULA, data, *weights, dynamic=given, correction=correction)
    parsed, spec = parse_formula(FORMULA), get_model(name)
    both = Weights(w if spec.lag else None, w if spec.durbin else None, None)
    direct = estimate_dynamic(build_design(parsed, data, w.ids), spec, both, terms, correction)
    assert found.dynamic == terms
    np.testing.assert_array_equal(found.estimate.fit.beta, direct.fit.beta)
    lags = [{"lag_y": "L:y", "lag_wy": "L:W:y"}[term] for term in terms]
    assert [name for name in found.params.index if name.startswith("L:")] == lags
    assert found.estimate.dynamic.first_period == 1
    assert found.nobs == N * (T - 1)


def test_shuffled_input_is_the_same_fit(fit, data, w):
    order = np.random.default_rng(2).permutation(N)
    again = nq.sdm(FORMULA, data.sample(frac=1.0, random_state=1), w.reorder([w.ids[i] for i in order]), dynamic="both")
    pd.testing.assert_series_equal(fit.params, again.params, rtol=0, atol=0)
    assert fit.provenance() == again.provenance()
    pd.testing.assert_frame_equal(fit.impacts("bootstrap", draws=50).table, again.impacts("bootstrap", draws=50).table)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"dynamic": "lag_x"}, ValueError, r'dynamic=\'lag_x\': choose "lag_y".*"both"'),
        ({"dynamic": ("lag_y", "lag_y")}, ValueError, "choose"),
        ({"dynamic": ()}, ValueError, "None is static"),
        ({"dynamic": "lag_y", "effects": "random"}, ValueError, "needs fixed effects"),
        ({"dynamic": "lag_y", "correction": "bootstrap"}, ValueError, "choose one of 'transform', 'score', 'bias', 'direct', 'none'"),
        ({"correction": "direct"}, ValueError, "choose one of 'transform', 'score', 'none', 'bias', 'bootstrap'"),
        ({"dynamic": "lag_y", "model": "SEM"}, ValueError, "no spatial error"),
        ({"dynamic": "lag_y", "vcov": "cluster"}, ValueError, "vcov='cluster' is not available for a fit with time lags.*'observed'"),
        ({"dynamic": "lag_y", "years": (1, 2)}, PanelError, "at least 3"),
    ],
)  # fmt: skip
def test_what_the_keyword_refuses(options, error, words, data, w):
    with pytest.raises(error, match=words):
        nq.fit(FORMULA, data, w, **options)


def with_periods(data: pd.DataFrame, labels: list) -> pd.DataFrame:
    index = pd.MultiIndex.from_arrays([data.index.get_level_values(0), [labels[t - 1] for t in data.index.get_level_values(1)]], names=data.index.names)  # fmt: skip
    return data.set_axis(index)


def test_periods_must_follow_each_other(fit, data, w):
    annual = list(pd.period_range("2001", periods=T, freq="Y"))
    dates = list(pd.date_range("2001-12-31", periods=T, freq="YE"))
    for labels in (annual, dates):
        again = nq.sdm(FORMULA, with_periods(data, labels), w, dynamic="both")
        np.testing.assert_array_equal(fit.params, again.params)
        with pytest.raises(PanelError, match="equally spaced"):
            nq.sdm(FORMULA, with_periods(data, labels).drop(index=labels[4], level=1), w, dynamic="both")
    with pytest.raises(PanelError, match=r"'a0' \(str\) do not say which one comes before which"):
        nq.sdm(FORMULA, with_periods(data, [f"a{t}" for t in range(T)]), w, dynamic="both")
    named = data.rename(columns={"x": "L"}).assign(y=data["y"])
    with pytest.raises(PanelError, match="read like time lags"):
        nq.sdm("y ~ L:y + z | unit + period", named, w, dynamic="lag_y")


# -- what a fit says ----------------------------------------------------------------------------------------


def test_every_public_name_of_a_fit_is_decided_here(fit):
    """A new method of SpatialFit must be tried on a dynamic fit (here or in its own test file) before it gets into these lists."""
    works = {
        "account", "aic", "bic", "bootstrap", "bse", "conf_int", "correction", "counterfactual", "cov_params", "cov_type", "diagnose", "dynamic",
        "effects", "endog_names", "estimate", "exog_names", "explain", "fixed_effects", "forecast", "formula", "glance", "impacts",
        "impulse_responses", "k_params", "lambda_", "llf", "model", "n_effective", "nobs", "params", "parsed", "phi", "plot", "predict",
        "provenance", "pvalues", "random", "release", "resid", "rho", "sigma2", "sigma2_mu", "sigma2_se", "stability", "summary",
        "dropped", "tidy", "tvalues", "vcov", "vcov_options", "w", "with_vcov", "zvalues",
    }  # fmt: skip
    refuses = {"permutation_test", "posterior", "profile", "random_counterpart", "random_effects"}
    assert {name for name in dir(fit) if not name.startswith("_")} == works | refuses


def test_values_that_only_static_or_random_fits_have(fit):
    assert (fit.lambda_, fit.phi, fit.sigma2_mu, fit.random, fit.release) == (None,) * 5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda f: f.posterior(), "posterior is not available for a fit with time lags"),
        (lambda f: f.permutation_test("x"), "permutation test is not available for a fit with time lags"),
        (lambda f: f.random_counterpart(), "random-effects counterpart is not available for a fit with time lags"),
        (lambda f: f.profile(), "profile of rho is not available for a fit with time lags"),
        (lambda f: f.plot("profile"), "profile of rho is not available for a fit with time lags"),
        (lambda f: f.random_effects(), "see fixed_effects"),
        (lambda f: f.impacts("posterior"), "exact posterior exists for static models only"),
        (lambda f: f.impacts("bootstrap", kind="wild"), "recursive"),
        (lambda f: f.impacts(prior="flat"), "prior="),
        (lambda f: f.impacts(horizon="short"), r'horizon=\'short\'.*"long"'),
        (lambda f: f.impacts(horizon=2).by_order(), "geometric series"),
        (lambda f: f.bootstrap("wild"), '"recursive"'),
        (lambda f: f.bootstrap(groups="block"), "groups="),
        (lambda f: f.with_vcov("cluster"), "vcov='cluster'.*use 'observed'"),
        (lambda f: f.with_vcov("expected"), "vcov='expected'.*use 'observed'"),
        (lambda f: f.impulse_responses(-1), "horizons=-1"),
        (lambda f: f.stability(1.5), "alpha=1.5"),
        (lambda f: dg.lr_test(f, "SAR"), "likelihood-ratio.*wald_test"),
        (lambda f: dg.wald_test(f, "SEM"), "common factor"),
        (lambda f: dg.lm_tests(f), "LM test"),
        (lambda f: dg.lm_residual(f), "LM test of the residuals"),
        (lambda f: dg.effects_tests(f), "different biases"),
        (lambda f: dg.hausman(f, f), "Hausman"),
        (lambda f: dg.mundlak(f), "Mundlak"),
        (lambda f: dg.bsk(f), "Baltagi-Song-Koh"),
    ],
)  # fmt: skip
def test_what_a_dynamic_fit_refuses(call, words, fit):
    with pytest.raises(ValueError, match=words):
        call(fit)


@pytest.mark.parametrize(
    "call",
    [
        lambda f: f.stability(),
        lambda f: f.impulse_responses(),
        lambda f: f.bootstrap("recursive"),
        lambda f: f.impacts(horizon=0),
        lambda f: f.impacts("fieller"),
        lambda f: f.impacts(cumulative=True),
        dg.time_tests,
    ],
)
def test_what_belongs_to_dynamic_fits_says_so_on_static_ones(call, data, w):
    with pytest.raises(ValueError, match="the fit is static"):
        call(nq.sdm(FORMULA, data, w))


def test_corrections_after_the_maximum_have_both_information_matrices_and_no_bootstrap(data, w):
    one = nq.sdm(FORMULA, data, w, dynamic="lag_y", correction="bias")
    assert not np.allclose(one.bse, one.with_vcov("expected").bse, rtol=1e-6)
    with pytest.raises(ValueError, match="changes the estimate after the likelihood"):
        one.bootstrap()
    time_only = nq.sdm("y ~ x + z | period", data, w, dynamic="lag_y", correction="direct")
    with pytest.raises(ValueError, match="changes the estimate after the likelihood"):
        time_only.bootstrap()
    note = one.diagnose()["identification"].note
    assert "changes the estimate after the likelihood" in note


def test_glance_tidy_summary_html_provenance(fit, data, w):
    line = fit.glance()
    assert (line["time lags"], line["periods lost"], line["T"], line["nobs"]) == (
        "lag_y + lag_wy",
        1,
        T - 1,
        N * (T - 1),
    )
    static = nq.sdm(FORMULA, data, w).glance()
    assert (static["time lags"], static["periods lost"]) == ("none", 0)
    assert list(static.index) == list(line.index)
    assert list(fit.tidy().index) == list(fit.params.index) == ["x", "z", "W:x", "W:z", "L:y", "L:W:y", "rho"]
    text, page = fit.summary(), fit._repr_html_()
    for shown in (text, page):
        for words in ("dynamic SDM", "Time", "tau + rho + eta", "first period 1 lost", "adjusted for the unit effects"):
            assert words in shown
    lines = text.splitlines()
    at = {name: lines.index(name) for name in ("Main", "Wx", "Time", "Spatial")}
    assert lines[at["Time"] + 1].split()[0] == "L:y"
    assert lines[at["Wx"] + 3] == "Time"
    record = fit.provenance()
    first = data["y"].xs(1, level=1).to_numpy()
    assert record["dynamic"] == {
        "terms": ["lag_y", "lag_wy"],
        "first_period": "1",
        "first_checksum": hashlib.sha256(first.tobytes()).hexdigest(),
    }
    assert record["durbin"] == ["x", "z"]
    assert nq.sdm(FORMULA, data, w).provenance()["dynamic"] is None


@pytest.mark.parametrize(
    ("correction", "formula", "dummies", "n"),
    [
        ("transform", FORMULA, 0, (N - 1) * (T - 2)),
        ("bias", FORMULA, N - 1, (N - 1) * (T - 1)),
        ("bias", "y ~ x + z | unit", N, N * (T - 1)),
        ("bias", "y ~ x + z | period", 0, (N - 1) * (T - 1)),
        ("direct", FORMULA, N + T - 2, N * (T - 1)),
        ("none", FORMULA, N + T - 2, N * (T - 1)),
    ],
)
def test_parameters_behind_the_likelihood(correction, formula, dummies, n, data, w):
    found = nq.sdm(formula, data, w, dynamic="both", correction=correction)
    assert found.n_effective == n
    assert found.k_params == 7 + 1 + dummies
    assert found.aic == pytest.approx(-2 * found.llf + 2 * found.k_params)
    assert found.bic == pytest.approx(-2 * found.llf + np.log(n) * found.k_params)


def arrays(data: pd.DataFrame) -> dict[str, np.ndarray]:
    """(T, N) arrays of every column."""
    return {name: data[name].unstack(0).to_numpy() for name in data.columns}


def test_residuals_effects_and_prediction_rebuild_the_outcome(fit, data, w):
    values, dense, p = arrays(data), w.dense(), fit.params
    effects, resid = fit.fixed_effects(), fit.resid.unstack(0).to_numpy()
    y, before = values["y"][1:], values["y"][:-1]
    signal = p["L:y"] * before + p["L:W:y"] * before @ dense.T
    for name in ("x", "z"):
        signal = signal + p[name] * values[name][1:] + p[f"W:{name}"] * values[name][1:] @ dense.T
    fixed = effects["intercept"].iloc[0] + effects["unit"].to_numpy() + effects["period"].to_numpy()[:, None]
    np.testing.assert_allclose(y, p["rho"] * y @ dense.T + signal + fixed + resid, atol=1e-10)
    assert abs(effects["unit"].sum()) < 1e-10
    assert list(effects["period"].index) == list(range(2, T + 1))
    predicted = np.linalg.solve(np.eye(N) - p["rho"] * dense, (signal + fixed).T).T
    np.testing.assert_allclose(fit.predict().unstack(0).to_numpy(), predicted, atol=1e-10)
    assert fit.predict().index.equals(fit.resid.index)


def test_bootstrap_is_the_recursive_one(fit):
    found = fit.bootstrap(replicates=100, seed=3)
    params, sigma2, converged = recursive_bootstrap(fit.estimate, 100, 3)
    np.testing.assert_array_equal(found.params, params)
    np.testing.assert_array_equal(found.sigma2, sigma2)
    assert (found.kind, found.attempted, len(found.params)) == ("recursive", 100, converged.sum())
    pd.testing.assert_frame_equal(found.params, fit.bootstrap("recursive", replicates=100, seed=3).params)


def test_bootstrap_says_how_many_replicates_have_no_maximum(w):
    short = nq.simulate("SDM", w, T=7, params={"x": 1.0, "L:y": 0.6, "L:W:y": 0.05, "rho": 0.2}, seed=2)
    found = nq.sdm("y ~ x | unit + period", short, w, dynamic="both").bootstrap(replicates=200)
    lost = 200 - len(found.params)
    assert lost > 0
    assert f"{lost} of 200 without a maximum left out" in repr(found)


# -- impacts ------------------------------------------------------------------------------------------------


def responses(
    fit: SpatialFit, data: pd.DataFrame, w, variable: str, horizons: int, permanent: bool, formula=None
) -> np.ndarray:
    """(horizons + 1, N, N) by brute force: the variable moves by a small step in one unit, the path is rebuilt period by period.

    `formula` gives the columns as functions of the data; the change starts in every period in turn and the effects are averaged.
    """
    p, dense, values = fit.params, w.dense(), arrays(data)
    columns = formula or {name: (lambda v, name=name: v[name]) for name in ("x", "z")}
    solve = np.linalg.inv(np.eye(N) - p["rho"] * dense)
    carry = solve @ (p["L:y"] * np.eye(N) + p["L:W:y"] * dense)
    step, out = 1e-4, np.zeros((horizons + 1, N, N))

    def path(changed, start):
        y, found = np.zeros(N), []
        for h in range(horizons + 1):
            t = (start + h) % T  # only the period of the change matters for its effect
            z = sum(p[c] * f(changed)[t] + p[f"W:{c}"] * dense @ f(changed)[t] for c, f in columns.items())
            y = carry @ y + solve @ z
            found.append(y)
        return np.array(found)

    starts = range(1, T) if formula else (1,)
    for start in starts:
        for j in range(N):
            found = []
            for sign in (1.0, -1.0):
                changed = {name: v.copy() for name, v in values.items()}
                last = None if permanent else start + 1  # permanent changes start early enough not to wrap around
                changed[variable][start:last, j] += sign * step
                found.append(path(changed, start))
            out[:, :, j] += (found[0] - found[1]) / (2 * step) / len(starts)
    return out


def summarise(matrix: np.ndarray) -> list[float]:
    direct, total = np.trace(matrix) / N, matrix.sum() / N
    return [direct, total - direct, total]


def point(table: pd.DataFrame, term: str) -> np.ndarray:
    return table.loc[term, [(effect, "estimate") for effect in EFFECTS]].to_numpy(dtype=float)


@pytest.mark.parametrize("permanent", [False, True])
def test_impacts_and_responses_against_rebuilt_paths(permanent, fit, data, w):
    truth = responses(fit, data, w, "x", 4, permanent)
    table = fit.impulse_responses(4, cumulative=permanent).table
    for h in range(5):
        found = fit.impacts(horizon=h, cumulative=permanent)
        np.testing.assert_allclose(point(found.table, "x"), summarise(truth[h]), atol=1e-8)
        np.testing.assert_array_equal(table.loc[("x", h)], found.table.loc["x"])
        np.testing.assert_allclose(found.by_unit("x"), truth[h], atol=1e-8)
        np.testing.assert_array_equal(found.effect_matrix("x"), found.by_unit("x"))
        sums = found.by_unit().loc[:, "x"]
        np.testing.assert_allclose(sums["sent"] + sums["own"], truth[h].sum(axis=0), atol=1e-8)


def test_the_table_is_that_of_the_short_run_and_the_long_run_stands_beside(fit):
    found = fit.impacts()
    assert isinstance(found, DynamicImpacts)
    assert found.horizon == 0
    assert list(found.table.columns) == [(e, s) for e in EFFECTS for s in STATISTICS]
    pd.testing.assert_frame_equal(found.table, fit.impacts(horizon=0).table)
    pd.testing.assert_frame_equal(found.long.table, fit.impacts(horizon="long").table)
    pd.testing.assert_frame_equal(found.long.short.table, found.table)
    pd.testing.assert_frame_equal(found.runs.loc["long"], found.long.table)
    for shown in (repr(found), found._repr_html_()):
        assert "short run" in shown
        assert "long run" in shown
        assert "tau + rho + eta" in shown
    assert "short run" not in repr(found.long)
    far = fit.impacts(horizon=300, cumulative=True)
    np.testing.assert_allclose(point(far.table, "x"), point(found.long.table, "x"), rtol=1e-8)
    b, theta, tau, eta, rho = fit.params[["z", "W:z", "L:y", "L:W:y", "rho"]]
    assert found.long.table.loc["z", ("total", "estimate")] == pytest.approx((b + theta) / (1 - tau - eta - rho))


def test_one_sample_serves_short_and_long_run(fit):
    found = fit.impacts("bootstrap", draws=60, seed=2)
    pd.testing.assert_frame_equal(found.long.table, fit.impacts("bootstrap", horizon="long", draws=60, seed=2).table)
    assert found.long.sample is found.sample
    assert fit.impacts("simulate", seed=1).draws == 10_000


@pytest.mark.parametrize("horizon", [0, 3, "long"])
def test_squares_and_interactions_are_effects_of_the_variable(horizon, data, w):
    """Average marginal effects through the columns of a variable, against rebuilt paths; their errors by differences."""
    fit = nq.sdm("y ~ x + I(x ** 2) + x:z + z | unit + period", data, w, dynamic="both")
    columns = {
        "x": lambda v: v["x"], "I(x ** 2)": lambda v: v["x"] ** 2, "x:z": lambda v: v["x"] * v["z"], "z": lambda v: v["z"],
    }  # fmt: skip
    found = fit.impacts(horizon=horizon)
    assert list(found.table.index) == ["x", "z"]
    if horizon != "long":
        truth = responses(fit, data, w, "x", 3, False, columns)[horizon]
        np.testing.assert_allclose(point(found.table, "x"), summarise(truth), rtol=1e-6)
    p, covariance, step = fit.params.to_numpy(), fit.cov_params().to_numpy(), 1e-6
    dense, eye = w.dense(), np.eye(N)
    v = {name: a[1:] for name, a in arrays(data).items()}
    slopes = {"x": np.ones(N), "I(x ** 2)": 2 * v["x"].mean(axis=0), "x:z": v["z"].mean(axis=0)}
    names = list(fit.params.index)

    def effects(q):
        tau, eta, rho = (q[names.index(n)] for n in ("L:y", "L:W:y", "rho"))
        s = np.linalg.inv(eye - rho * dense)
        a = s @ (tau * eye + eta * dense)
        g = (
            np.linalg.inv((1 - tau) * eye - (rho + eta) * dense)
            if horizon == "long"
            else np.linalg.matrix_power(a, horizon) @ s
        )
        first = sum((q[names.index(c)] * eye + q[names.index(f"W:{c}")] * dense) * d for c, d in slopes.items())
        return np.array(summarise(g @ first))

    np.testing.assert_allclose(point(found.table, "x"), effects(p), rtol=1e-8)
    jacobian = np.array([(effects(p + step * e) - effects(p - step * e)) / (2 * step) for e in np.eye(p.size)])
    expected = np.sqrt(np.diag(jacobian.T @ covariance @ jacobian))
    np.testing.assert_allclose([found.table.loc["x", (e, "se")] for e in EFFECTS], expected, rtol=1e-5)


def test_another_w_for_the_durbin_terms(data, w):
    other = from_any(
        np.roll(np.eye(N), 5, axis=1) + np.roll(np.eye(N), -2, axis=1), ids=w.ids, transform="row", name="o"
    )
    fit = nq.sdm("y ~ x + z | unit + period", data, w, w_durbin=other, dynamic="both")
    b, theta, tau, eta, rho = fit.params[["x", "W:x", "L:y", "L:W:y", "rho"]]
    g = np.linalg.inv((1 - tau) * np.eye(N) - (rho + eta) * w.dense())
    expected = g @ (b * np.eye(N) + theta * other.dense())
    found = fit.impacts(horizon="long")
    np.testing.assert_allclose(point(found.table, "x"), summarise(expected), rtol=1e-9)
    np.testing.assert_allclose(found.by_unit("x"), expected, rtol=1e-9)
    p, step, names = fit.params.to_numpy(), 1e-6, list(fit.params.index)

    def effects(q):
        b, theta, *phi = (q[names.index(n)] for n in ("x", "W:x", "L:y", "L:W:y", "rho"))
        g = kernel.matrix_response(np.array([phi]), w.dense(), 1)[0][0]
        return np.array(summarise(g @ (b * np.eye(N) + theta * other.dense())))

    jacobian = np.array([(effects(p + step * e) - effects(p - step * e)) / (2 * step) for e in np.eye(p.size)])
    expected = np.sqrt(np.diag(jacobian.T @ fit.cov_params().to_numpy() @ jacobian))
    delta, simulated = (fit.impacts(m, horizon=1).table.loc["x"].xs("se", level=1) for m in ("delta", "simulate"))
    np.testing.assert_allclose(delta, expected, rtol=1e-5)
    np.testing.assert_allclose(simulated, delta, rtol=0.25)


@pytest.mark.parametrize("transform", ["row", "spectral"])
@pytest.mark.parametrize("cumulative", [False, True])
@pytest.mark.parametrize("horizon", [0, 1, 4, "long"])
def test_matrices_and_eigenvalues_agree(horizon, cumulative, transform, w):
    if horizon == "long" and cumulative:
        return
    array = w.dense() if transform == "row" else w.dense() * (1.0 + np.arange(N) % 3) * 0.3
    phi = np.array([[0.5, -0.1, 0.3], [0.2, 0.1, -0.4]])
    spec = kernel.spectrum(array, transform == "row", np.linalg.eigvals(array))
    g, slope = kernel.response(phi, spec.omega, horizon, cumulative)
    matrix, slopes = kernel.matrix_response(phi, array, horizon, cumulative)
    both = np.array([[[1.0, 0.0]]] * 2)
    for eigen, full in [(g, matrix), *zip(slope, slopes, strict=True)]:
        expected = np.array([summarise(m) for m in full])
        np.testing.assert_allclose(kernel.effects(both, eigen, spec)[:, 0], expected, rtol=1e-8, atol=1e-12)


def test_blocks_add_up_and_their_errors_are_differences(fit, w):
    groups = {unit: "ab"[i % 2] if i < 15 else "c" for i, unit in enumerate(w.ids)}
    for horizon in (0, 2, "long"):
        found = fit.impacts(horizon=horizon)
        table = found.by_block(groups)
        size = pd.Series(groups).value_counts() / N
        sums = table.loc["x", "estimate"].groupby(level="to").sum()
        assert float((sums * size).sum()) == pytest.approx(found.table.loc["x", ("total", "estimate")])
        member = np.array([[g == name for name in "abc"] for g in groups.values()], dtype=float)
        p, step, dense = fit.params.to_numpy(), 1e-6, w.dense()
        names = list(fit.params.index)

        def between(q, horizon=horizon, member=member, dense=dense, names=names):
            b, theta, *phi = (q[names.index(n)] for n in ("x", "W:x", "L:y", "L:W:y", "rho"))
            g = kernel.matrix_response(np.array([phi]), dense, horizon)[0][0]
            return ((member / member.sum(axis=0)).T @ g @ (b * np.eye(N) + theta * dense) @ member).ravel()

        jacobian = np.array([(between(p + step * e) - between(p - step * e)) / (2 * step) for e in np.eye(p.size)])
        expected = np.sqrt(np.diag(jacobian.T @ fit.cov_params().to_numpy() @ jacobian))
        order = [(to, source) for to in "abc" for source in "abc"]
        np.testing.assert_allclose(table.loc["x"].loc[order, "se"], expected, rtol=1e-5)


@pytest.mark.parametrize("horizon", [0, "long"])
def test_orders_add_up(horizon, fit):
    found = fit.impacts(horizon=horizon)
    orders = found.by_order(3)
    np.testing.assert_allclose(orders.loc["x"].sum(), point(found.table, "x"), rtol=1e-9)
    if horizon == "long":
        b, theta, tau, eta, rho = fit.params[["x", "W:x", "L:y", "L:W:y", "rho"]]
        second = ((rho + eta) / (1 - tau)) ** 2 * (b + theta) / (1 - tau)
        assert orders.loc[("x", 2), "total"] == pytest.approx(second)


def test_a_counterfactual_over_time_is_the_response(fit):
    """A rise of one everywhere in the first period: the mean response of every later period is the total effect at that horizon."""
    found = fit.counterfactual({"x": 1.0}, years=(2, 2)).by_period()["estimate"].groupby(level="period").mean()
    totals = fit.impulse_responses(4).table.loc["x", ("total", "estimate")]
    np.testing.assert_allclose(found.iloc[:5], totals, rtol=1e-9)


def test_a_fit_in_words_names_its_time_lags(fit):
    assert f"tau + rho + eta = {fit.stability().sum:.3f}" in " ".join(str(fit.explain()).split())
    assert "long run" in str(fit.explain())


def near_one(w, correction="transform", seed=2):
    frame = nq.simulate("SAR", w, T=14, params={"x": 1.0, "L:y": 0.75, "rho": 0.22}, seed=seed)
    return nq.sar("y ~ x | unit + period", frame, w, dynamic="lag_y", correction=correction)


def test_fieller_near_one(w):
    fit = near_one(w)
    assert fit.stability().stable
    assert fit.stability().near_unit
    found = fit.impacts("fieller", horizon="long")
    row, table = found.sets.loc["x"], found.table.loc["x", "total"]
    assert row["shape"] == "complement"
    assert (table["lower"], table["upper"]) == (-np.inf, np.inf)
    for end in (row["lower"], row["upper"]):  # the ends are where the test of b - end (1 - tau - rho) = 0 has p = 0.05
        top = np.array([1.0, end, end])
        names = ["x", "L:y", "rho"]
        value = fit.params["x"] - end * (1 - fit.params["L:y"] - fit.params["rho"])
        variance = top @ fit.cov_params().loc[names, names].to_numpy() @ top
        assert abs(value) / np.sqrt(variance) == pytest.approx(stats.norm.isf(0.025), rel=1e-8)
    assert table["p"] == pytest.approx(fit.pvalues["x"])
    for shown in (repr(found), found._repr_html_()):
        assert "every value except" in shown
        assert "no bounded interval covers the long run" in shown
    ax = fit.impacts("fieller", horizon="long").plot()
    assert "no bounded set" in [text.get_text() for text in ax.texts]
    plt.close(ax.figure)


def test_an_unstable_process_has_no_long_run(w):
    frame = nq.simulate("SAR", w, T=14, params={"x": 1.0, "L:y": 0.75, "rho": 0.22}, seed=2)
    trend = frame.assign(
        y=frame["y"] + 1.6 ** frame.index.get_level_values(1) * 0.1 * frame.groupby(level=0)["x"].transform("first")
    )
    with pytest.warns(IdentificationWarning, match=r"not stable.*fit\.stability\(\)"):
        fit = nq.sar("y ~ x | unit + period", trend, w, dynamic="lag_y", correction="none")
    assert not fit.stability().stable
    assert "not stable" in repr(fit.stability())
    assert "not stable" in fit.stability()._repr_html_()
    found = fit.impacts()
    assert list(found.runs.index.unique("run")) == ["short"]
    assert "long-run effects do not exist" in repr(found)
    for call in (
        lambda: found.long,
        lambda: fit.impacts(horizon="long"),
        lambda: fit.impacts("fieller", horizon="long").by_unit(),
    ):
        with pytest.raises(IdentificationError, match="has no long run"):
            call()
    fieller = fit.impacts("fieller", horizon="long")
    assert fieller.table.loc["x", ("total", "estimate")] != fieller.table.loc["x", ("total", "estimate")]  # NaN
    assert fieller.sets.loc["x", "shape"] in ("interval", "complement", "line")


def test_stability_in_a_table(fit):
    found = fit.stability()
    row = found.to_frame().loc["tau + rho + eta"]
    assert row["estimate"] == found.sum
    assert found.near_unit == (row["upper"] >= 1)
    names = ["L:y", "L:W:y", "rho"]
    assert row["se"] == pytest.approx(np.sqrt(fit.cov_params().loc[names, names].to_numpy().sum()))
    assert fit.stability(0.5).upper < found.upper


def test_without_w_there_are_no_spillovers_and_the_sum_is_tau(data):
    fit = nq.ols(FORMULA, data, dynamic="lag_y")
    for horizon in (0, 3, "long"):
        table = fit.impacts(horizon=horizon).table.loc["x"]
        assert table[("indirect", "estimate")] == table[("indirect", "se")] == 0.0
        assert np.isnan(table[("indirect", "z")])
        assert table[("direct", "estimate")] == table[("total", "estimate")]
    found = fit.stability()
    assert (found.label, found.null, found.radius) == ("tau", "tau = 1", fit.params["L:y"])
    assert found.sum == fit.params["L:y"]


@pytest.mark.parametrize(
    ("effects", "correction", "words"),
    [
        (
            "unit + period",
            "transform",
            "Lee-Yu (2010) transformation of the time effects, score adjusted for the unit effects",
        ),
        ("unit", "transform", "fixed effects: unit; score adjusted for the unit effects, exact for this T"),
        ("period", "transform", "fixed effects: period; Lee-Yu (2010) transformation of the time effects"),
        ("unit + period", "score", "score adjusted for the time effects, score adjusted for the unit effects"),
        ("unit + period", "bias", "one-step bias correction of Yu, de Jong and Lee (2008) for the unit effects"),
        ("unit + period", "direct", "time dummies with the bias correction of Lee and Yu (2010), one-step"),
        ("unit", "none", "no correction of the bias of order 1/T"),
    ],
)
def test_the_summary_says_how_the_effects_were_treated(effects, correction, words, data, w):
    assert words in nq.sar(f"y ~ x | {effects}", data, w, dynamic="lag_y", correction=correction).summary()


def test_pictures(fit):
    found = fit.impulse_responses(4)
    assert list(found.tidy().columns) == list(STATISTICS)
    with pytest.raises(ValueError, match="choose one of x, z"):
        found.plot()
    with pytest.raises(ValueError, match="effects="):
        found.plot("x", effects=("sum",))
    ax = found.plot("x", effects=("direct", "total"))
    assert [line.get_label() for line in ax.get_lines()[:2]] == ["direct", "total"]
    np.testing.assert_allclose(ax.get_lines()[1].get_ydata(), found.table.loc["x", ("total", "estimate")])
    zh = fit.impulse_responses(4, cumulative=True).plot("x", lang="zh", ax=plt.subplots()[1])
    assert "永久变化" in zh.get_title(loc="left")
    zh.figure.canvas.draw()  # a glyph that is missing would be a warning, hence an error
    for drawn in (ax, zh, fit.impacts().plot()):
        plt.close(drawn.figure)
    assert "a change of one period" in repr(found)
    assert "<table" in found._repr_html_()


def test_responses_of_packaged_variables_have_their_labels():
    formula = "ln_gdp_real_pc ~ pop_growth | province + year"
    fit = nq.sar(formula, nq.load_panel(), nq.weights.contiguity(), years=(2014, 2024), dynamic="lag_y")
    ax = fit.impulse_responses(2).plot("pop_growth", lang="zh")
    assert ax.get_title(loc="left") == "常住人口增长率：一期变化的响应"
    plt.close(ax.figure)


def test_map_of_a_dynamic_fit():
    panel, w = nq.load_panel(), nq.weights.contiguity()
    fit = nq.sdm("pop_growth ~ ln_rd_intensity | province + year", panel, w, years=(2012, 2024), dynamic="lag_y")
    ax = fit.impacts(horizon=1).map("ln_rd_intensity", source="Beijing", lang="zh")
    assert "1 期之后" in ax.get_title()
    plt.close(ax.figure)


# -- tests of a dynamic fit ---------------------------------------------------------------------------------


def test_diagnose(fit):
    found = fit.diagnose(replicates=100)
    computed = {test.key for test in found if test.computed}
    assert computed == {
        "moran_outcome", "wald", "time_lags", "stability", "moran", "pesaran_cd", "pesaran_cd_local", "serial", "koenker",
        "breusch_pagan", "jarque_bera", "identification", "condition", "vif",
    }  # fmt: skip
    silent = [test for test in found if not test.computed and test.key != "moran"]
    assert all("not available for a fit with time lags" in test.note for test in silent)
    p, v = fit.params, fit.cov_params()
    for names, test in ((["W:x", "W:z"], found["wald", "SDM -> SAR"]), (["rho"], found["wald", "SDM -> SLX"]), (["L:y", "L:W:y"], found["time_lags"])):  # fmt: skip
        expected = p[names] @ np.linalg.inv(v.loc[names, names]) @ p[names]
        assert (test.statistic, test.df) == (pytest.approx(expected), len(names))
    assert found["stability"].estimate == fit.stability().sum
    assert found["stability"].pvalue == fit.stability().pvalue
    assert "时间滞后与稳定性" in repr(found.with_lang("zh"))


def test_identification_rebuilds_the_paths(fit):
    """The sd of rho over simulated data sets is that of the recursive bootstrap, not that with y_{t-1} held fixed."""
    found = dg.identification(fit, replicates=400)
    assert found.statistic == pytest.approx(fit.bootstrap(replicates=400).params["rho"].std(), rel=0.15)


def test_wald_counts_durbin_terms_beyond_the_formula(data, w):
    """Variables that are lagged only are regressors of the design, but not among its own columns."""
    static = nq.sdm("y ~ x | unit + period", data, w, durbin=["x", "z"])
    assert dg.wald_test(static, "SAR").df == 2
    assert dg.lr_test(static, "SAR").df == 2


@pytest.mark.parametrize("correction", ["transform", "none"])
def test_comparisons_need_the_same_years_and_static_models(correction, data, w):
    dynamic = nq.sdm(FORMULA, data, w, dynamic="lag_y", correction=correction)
    whole = nq.sdm(FORMULA, data, w, correction=correction)
    with pytest.raises(ValueError, match=r"not likelihoods of the same observations.*periods \(1-10 against 2-10\)"):
        compare_fits({("SDM", "ring"): whole, ("dynamic", "ring"): dynamic})
    same = nq.sdm(FORMULA, data, w, years=(2, T), correction=correction)
    with pytest.raises(ValueError, match=r"time lags \(none against lag_y\)"):
        compare_fits({("SDM", "ring"): same, ("dynamic", "ring"): dynamic})
    with pytest.raises(ValueError, match="posterior is not available for a fit with time lags"):
        compare_fits({("dynamic", "ring"): dynamic})


# -- simulated data -----------------------------------------------------------------------------------------


def test_simulated_panels_follow_the_equation(w):
    params = {**PARAMS, "sigma2": 1e-12}
    frame = nq.simulate("SDM", w, T=8, params=params, seed=3)
    found = nq.sdm(FORMULA, frame, w, dynamic="both", correction="none")
    np.testing.assert_allclose(found.params, [PARAMS[name] for name in found.params.index], atol=1e-5)
    with pytest.raises(ValueError, match="largest root is"):
        nq.simulate("SAR", w, T=8, params={"x": 1.0, "L:y": 0.8, "rho": 0.3})
    with pytest.raises(ValueError, match="without spatial error"):
        nq.simulate("SEM", w, T=8, params={"x": 1.0, "L:y": 0.5})
    static = nq.simulate("SDM", w, T=8, params={"x": 1.0, "rho": 0.3}, seed=3)
    again = nq.simulate("SDM", w, T=8, params={"x": 1.0, "rho": 0.3, "L:y": 0.0}, seed=3)
    pd.testing.assert_frame_equal(static, again)


def test_simulated_paths_start_from_their_stationary_distribution(w):
    """The variance of y over units is the same in the first and in later periods."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = [nq.simulate("SAR", w, T=6, params={"x": 1.0, "L:y": 0.7, "rho": 0.2}, effects=False, seed=s)["y"].unstack(0).var(axis=1) for s in range(60)]  # fmt: skip
    mean = np.array(parts).mean(axis=0)
    assert mean.max() / mean.min() < 1.2


def test_jackknife_leaves_time_lags_to_their_own_corrections(data, w):
    with pytest.raises(ValueError, match=r"dynamic='lag_y' corrects the bias of time lags itself"):
        nq.models.half_panel_jackknife(FORMULA, data, w, model="SAR", dynamic="lag_y")


def test_examples_of_the_page_run():
    import doctest
    import re
    from pathlib import Path

    page = Path(__file__).parents[2] / "docs" / "dynamic.md"
    blocks = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S))
    test = doctest.DocTestParser().get_doctest(blocks, {}, "docs/dynamic.md", str(page), 0)
    assert len(test.examples) > 8
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
