"""Dynamic models: golden numbers, limits, bootstrap, impacts by the definition, messages."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from golden_support import data, entries, weights

from nqpf_spatial.errors import ConvergenceError, IdentificationError, IdentificationWarning, PanelError
from nqpf_spatial.kernels import dynamic as kernel
from nqpf_spatial.kernels.dynamic_bias import time_dummy_bias, unit_effect_bias
from nqpf_spatial.kernels.dynamic_response import fieller
from nqpf_spatial.kernels.ml import fit_ml
from nqpf_spatial.kernels.moments import reduce_columns, remove_effects, spatial_lag
from nqpf_spatial.models.covariance import covariance
from nqpf_spatial.models.design import build_design
from nqpf_spatial.models.dynamic.bootstrap import recursive_bootstrap, replicate_design
from nqpf_spatial.models.dynamic.correct import expected
from nqpf_spatial.models.dynamic.estimate import estimate_dynamic
from nqpf_spatial.models.dynamic.impacts import dynamic_impacts
from nqpf_spatial.models.dynamic.part import CORRECTIONS, check_same_sample
from nqpf_spatial.models.dynamic.paths import impulse_responses
from nqpf_spatial.models.dynamic.stability import stability
from nqpf_spatial.models.estimate import Weights, estimate
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.models.spec import get_model, parse_formula
from nqpf_spatial.weights import SpatialWeights, from_any

PRODUC = "lgsp ~ lpcap + lpc + lemp + unemp"
EFFECTS = {"individual": " | unit", "twoways": " | unit + period"}
TERMS = {"tl": ("lag_y",), "tl_stl": ("lag_y", "lag_wy")}
BOTH = ("lag_y", "lag_wy")


def fitted(formula, frame, w, model="SDM", terms=BOTH, correction="transform", vcov="observed") -> SpatialFit:
    parsed = parse_formula(formula)
    switches = get_model(model)
    design = build_design(parsed, frame, None if w is None else w.ids)
    chosen = Weights(w if switches.lag else None, w if switches.durbin else None, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentificationWarning)
        est = estimate_dynamic(design, switches, chosen, terms, correction)
    return SpatialFit(est, parsed, vcov, None)


def produc(model: str, effects: str, lags: str, correction: str) -> SpatialFit:
    return fitted(
        PRODUC + EFFECTS[effects], data("produc"), weights("produc"), model.upper(), TERMS[lags], correction, "expected"
    )


def ours_by_golden_name(values: pd.Series) -> dict[str, float]:
    names = {"L:lgsp": "y(t-1)", "L:W:lgsp": "W*y(t-1)"}
    return {names.get(k, k.replace("W:", "W_")): v for k, v in values.items()}


def assert_close(ours: dict[str, float], theirs: dict[str, float], rtol: float) -> None:
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=rtol), name


CASES = [(m, lags) for m in ("sar", "sdm") for lags in TERMS]


@pytest.mark.parametrize(("model", "lags"), CASES)
@pytest.mark.parametrize(("name", "effects"), [("individual", "individual"), ("twoways_transform", "twoways")])
def test_golden_qml_and_one_step_correction(model, lags, name, effects):
    golden = entries()[f"produc.own_dyn.{model}.{name}.{lags}"]
    fit = produc(model, effects, lags, "bias")
    qml = fit.estimate.dynamic.qml
    values = pd.Series([*qml.beta, qml.rho, qml.sigma2], index=[*fit.params.index, "sigma2"])
    assert_close(ours_by_golden_name(values), golden["qml"]["theta"], 1e-7)
    assert qml.llf == pytest.approx(golden["qml"]["loglik"], abs=1e-9)
    corrected = golden["bias_corrected"]
    values = pd.Series([*fit.params, fit.sigma2], index=[*fit.params.index, "sigma2"])
    assert_close(ours_by_golden_name(values), corrected["theta"], 2e-7)
    errors = pd.Series(np.sqrt(np.diag(np.linalg.inv(expected(fit.estimate)))), index=values.index)
    assert_close(ours_by_golden_name(errors), corrected["se_info"], 2e-7)
    np.testing.assert_allclose(fit.bse, errors.drop("sigma2"), rtol=1e-9)  # vcov="expected" of the fit is this one
    for horizon, key in ((0, "impacts_short"), ("long", "impacts_long")):
        if horizon == "long" and not fit.stability().stable:
            with pytest.raises(IdentificationError, match="not stable"):
                fit.impacts(horizon=horizon)
            continue  # the oracle evaluates the formula all the same
        table = fit.impacts(horizon=horizon).table
        for term, effect in corrected[key].items():
            for what, value in effect.items():
                assert table.loc[term, (what, "estimate")] == pytest.approx(value, rel=2e-5), (key, term, what)


@pytest.mark.parametrize(("model", "lags"), CASES)
def test_golden_dummy_qml(model, lags):
    golden = entries()[f"produc.own_dyn.{model}.twoways_dummy.{lags}"]["qml"]
    fit = produc(model, "twoways", lags, "none")
    values = pd.Series([*fit.params, fit.sigma2], index=[*fit.params.index, "sigma2"])
    assert_close(ours_by_golden_name(values), golden["theta"], 1e-7)
    assert fit.llf == pytest.approx(golden["loglik"], abs=1e-9)


@pytest.mark.parametrize(("model", "lags"), CASES)
def test_golden_demeaned_is_the_lag_of_the_demeaned_variable(model, lags):
    """`twoways_demean` takes W(Qy) for Q(Wy): not the maximum of the likelihood; rebuilt here it agrees, ours differs."""
    golden = entries()[f"produc.own_dyn.{model}.twoways_demean.{lags}"]["qml"]
    est = produc(model, "twoways", lags, "none").estimate
    w = est.weights.lag.dense()
    z, y = remove_effects(est.columns.z, True, True), remove_effects(est.design.y, True, True)
    columns = np.concatenate([z, y[None], spatial_lag(w, y)[None]])
    found = fit_ml(reduce_columns(columns, None, False, False), est.likelihood)
    assert found.rho == pytest.approx(golden["theta"]["rho"], rel=1e-6)
    assert found.llf == pytest.approx(golden["loglik"], abs=1e-6)
    assert abs(est.fit.rho / found.rho - 1) > 1e-3


@pytest.mark.parametrize(("model", "lags"), [("sar", "tl"), ("sar", "tl_stl"), ("sdm", "tl_stl")])
def test_golden_direct(model, lags):
    """The bias terms agree; the oracle's information leaves the period means of G Z delta in, ours removes them (1e-2)."""
    golden = entries()[f"produc.own_dyn.{model}.direct.{lags}"]
    fit = produc(model, "twoways", lags, "direct")
    est, dynamic = fit.estimate, fit.estimate.dynamic
    values = pd.Series([*fit.params, fit.sigma2], index=[*fit.params.index, "sigma2"])
    theirs = golden["bias_corrected"]["theta"]
    assert_close(ours_by_golden_name(values), theirs, 1e-2)
    w, qml, (t, n) = est.weights.lag.dense(), dynamic.qml, est.design.shape
    g = w @ np.linalg.inv(np.eye(n) - qml.rho * w)
    z = remove_effects(est.columns.z, True, True)
    columns = np.concatenate([z, spatial_lag(g, np.tensordot(qml.beta, z, axes=1))[None]]).reshape(len(z) + 1, -1)
    k = len(z)
    information = np.zeros((k + 2, k + 2))
    information[:-1, :-1] = columns @ columns.T / qml.sigma2
    information[k, k] += t * (np.sum(g * g) + np.trace(g @ g))
    information[k, -1] = information[-1, k] = t * np.trace(g) / qml.sigma2
    information[-1, -1] = n * t / (2 * qml.sigma2**2)
    phi = np.zeros(3)
    phi[: len(dynamic.terms)] = qml.beta[k - len(dynamic.terms) :]
    phi[2] = qml.rho
    b = unit_effect_bias(w_eigenvalues(w), None, t, n, phi, qml.sigma2) + time_dummy_bias(
        1 / (1 - qml.rho), t, qml.sigma2
    )
    score = np.zeros(k + 2)
    score[[*range(k - len(dynamic.terms), k), k, k + 1]] = b[[*dynamic.free, 3]]
    again = np.concatenate([qml.beta, [qml.rho, qml.sigma2]]) + np.linalg.solve(information, score)
    assert_close(ours_by_golden_name(pd.Series(again, index=values.index)), theirs, 1e-7)


def w_eigenvalues(w: np.ndarray) -> np.ndarray:
    return np.linalg.eigvals(w)


def test_default_on_produc():
    """T = 16: the exact expectation of the score is not its limit, and the covariance is H^-1 J H^-1."""
    fit = produc("sar", "twoways", "tl_stl", "transform")
    dynamic = fit.estimate.dynamic
    assert fit.params["L:lgsp"] > dynamic.qml.beta[-2] + 0.1
    assert np.linalg.eigvalsh(dynamic.hessian)[0] > 0
    assert dynamic.variance[-4, -4] > dynamic.hessian[-4, -4]
    sandwich = np.linalg.inv(dynamic.hessian) @ dynamic.variance @ np.linalg.inv(dynamic.hessian)
    np.testing.assert_allclose(covariance(fit.estimate, "observed", {}), sandwich, rtol=1e-6)
    with pytest.raises(ConvergenceError, match="too persistent for 16 periods"):
        produc("sdm", "twoways", "tl_stl", "transform")


# -- a small labelled panel with known parameters ------------------------------------------------------------


def ring(n: int = 20) -> SpatialWeights:
    a = np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1) + np.roll(np.eye(n), 3, axis=1)
    return from_any(a, ids=[f"c{i:02d}" for i in range(n)], transform="row", name="ring")


def panel(phi=(0.5, -0.1, 0.3), n: int = 20, t: int = 9, seed: int = 4, scale: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    w = ring(n).dense()
    tau, eta, rho = phi
    s = np.linalg.inv(np.eye(n) - rho * w)
    mu, alpha = rng.standard_normal(n), rng.standard_normal(t)
    x = rng.standard_normal((t, n))
    y = np.empty((t, n))
    y[0] = mu / (1 - tau) + rng.standard_normal(n)
    for p in range(1, t):
        y[p] = s @ (
            tau * y[p - 1] + eta * w @ y[p - 1] + x[p] + 0.4 * w @ x[p] + mu + alpha[p] + scale * rng.standard_normal(n)
        )
    index = pd.MultiIndex.from_product(
        [[f"c{i:02d}" for i in range(n)], range(2001, 2001 + t)], names=["unit", "period"]
    )
    return pd.DataFrame({"y": y.T.ravel(), "x": x.T.ravel()}, index=index)


FORMULA = "y ~ x | unit + period"


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_exact_data_give_the_parameters_back(correction):
    """Without noise every estimator is exact up to the order of the noise, and names are in their documented order."""
    fit = fitted(FORMULA, panel(scale=1e-6), ring(), correction=correction)
    assert fit.params.index.tolist() == ["x", "W:x", "L:y", "L:W:y", "rho"]
    np.testing.assert_allclose(fit.params, [1.0, 0.4, 0.5, -0.1, 0.3], atol=1e-5)


def test_labels_not_positions():
    frame, w = panel(), ring()
    first = fitted(FORMULA, frame, w)
    shuffled = frame.sample(frac=1.0, random_state=1)
    order = np.random.default_rng(2).permutation(w.n)
    again = fitted(FORMULA, shuffled, w.reorder([w.ids[i] for i in order]))
    pd.testing.assert_series_equal(first.params, again.params, rtol=1e-9)
    assert first.estimate.design.periods == tuple(range(2002, 2010))
    assert first.estimate.dynamic.first_period == 2001
    assert first.nobs == 20 * 8


def test_score_correction_equals_transformation_for_row_stochastic_w_and_takes_any_other():
    frame, w = panel(), ring()
    pd.testing.assert_series_equal(
        fitted(FORMULA, frame, w).params, fitted(FORMULA, frame, w, correction="score").params, rtol=1e-9
    )
    spectral = from_any((w.dense() > 0) * (1.0 + np.arange(20) % 3), ids=w.ids, transform="spectral", name="s")
    assert fitted(FORMULA, frame, spectral, correction="score").params.notna().all()


def test_without_unit_effects_nothing_is_corrected():
    frame, w = panel(), ring()
    transform = fitted("y ~ x | period", frame, w)
    np.testing.assert_array_equal(transform.estimate.fit.beta, transform.estimate.dynamic.qml.beta)


def test_static_likelihood_is_the_limit_and_comparisons_need_the_same_years():
    """The adjusted log-likelihood at tau = eta = 0 is the Lee-Yu one of the static fit on the years without the first."""
    frame, w = panel((0.0, 0.0, 0.3)), ring()
    dynamic = fitted(FORMULA, frame, w)
    parsed, model, both = parse_formula(FORMULA), get_model("SDM"), Weights(w, w, None)
    whole = SpatialFit(
        estimate(build_design(parsed, frame, w.ids), model, both, "transform", None), parsed, "observed", None
    )
    with pytest.raises(PanelError, match=r"2002-2009.*2001-2009"):
        check_same_sample(dynamic, whole)
    years = check_same_sample(dynamic)
    assert years == (2002, 2009)
    short = estimate(build_design(parsed, frame, w.ids, years), model, both, "transform", None)
    assert check_same_sample(dynamic, SpatialFit(short, parsed, "observed", None)) == years
    part = dynamic.estimate.dynamic
    value = part.adjustment.derivatives(np.array([[0.0, 0.0, short.fit.rho]]))[0][0]
    n = dynamic.estimate.likelihood.n
    assert n == short.likelihood.n
    assert -0.5 * n * (np.log(2 * np.pi * short.fit.sigma2) + 1) + value == pytest.approx(short.fit.llf, abs=1e-9)
    assert dynamic.llf > short.fit.llf


@pytest.mark.parametrize("correction", ["transform", "none"])
def test_refits_of_the_bootstrap_are_the_estimates_of_the_library(correction):
    from nqpf_spatial.kernels import dynamic_replicate as rep

    frame, w = panel(), ring()
    fit = fitted(FORMULA, frame, w, correction=correction)
    design = replicate_design(fit.estimate)
    errors = np.random.default_rng(1).standard_normal((3, 8, 20))
    found, y = rep.refit(design, iter([errors]), covariance=True), rep.paths(design, errors)
    for r in range(3):
        again = frame.assign(y=y[r].T.ravel())
        one = fitted(FORMULA, again, w, correction=correction)
        np.testing.assert_allclose([*found.beta[r], *found.phi[r]], one.params, atol=1e-8)
        np.testing.assert_allclose(found.covariance[r], covariance(one.estimate, "observed", {}), rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize(
    ("model", "terms"), [("SAR", ("lag_wy",)), ("SLX", BOTH), ("OLS", ("lag_y",)), ("SDM", ("lag_y",))]
)
def test_bootstrap_of_every_variant(model, terms):
    fit = fitted(FORMULA, panel(), None if model == "OLS" else ring(), model, terms)
    params, sigma2, converged = recursive_bootstrap(fit.estimate, 300, seed=3)
    assert params.shape == (converged.sum(), len(fit.params))
    assert converged.mean() > 0.98
    np.testing.assert_allclose(params.std(axis=0), fit.bse, rtol=0.25)
    np.testing.assert_array_equal(params, recursive_bootstrap(fit.estimate, 300, seed=3)[0])
    assert sigma2.mean() == pytest.approx(fit.sigma2, rel=0.1)


@pytest.mark.parametrize("transform", ["row", "spectral"])
def test_impacts_by_their_definition(transform):
    w = ring().with_transform("row")
    if transform == "spectral":
        w = from_any((w.dense() > 0) * (1.0 + np.arange(20) % 3), ids=w.ids, transform="spectral", name="s")
    fit = fitted(FORMULA, panel(), w, correction="transform" if transform == "row" else "score")
    b, theta, tau, eta, rho = fit.params
    eye, dense = np.eye(20), w.dense()
    s = np.linalg.inv(eye - rho * dense)
    a, x = s @ (tau * eye + eta * dense), b * eye + theta * dense
    definitions = {
        (0, False): s @ x,
        (3, False): np.linalg.matrix_power(a, 3) @ s @ x,
        (2, True): (eye + a + a @ a) @ s @ x,
        ("long", False): np.linalg.solve((1 - tau) * eye - (rho + eta) * dense, x),
    }
    for (horizon, cumulative), matrix in definitions.items():
        row = dynamic_impacts(fit, horizon, cumulative=cumulative).table.loc["x"]
        direct, total = np.trace(matrix) / 20, matrix.sum() / 20
        found = [row[(e, "estimate")] for e in ("direct", "indirect", "total")]
        np.testing.assert_allclose(found, [direct, total - direct, total], rtol=1e-9)
    # a permanent change accumulates to the long run
    far = dynamic_impacts(fit, 400, cumulative=True).table
    np.testing.assert_allclose(
        far.xs("estimate", axis=1, level=1),
        dynamic_impacts(fit, "long").table.xs("estimate", axis=1, level=1),
        rtol=1e-8,
    )


@pytest.mark.parametrize("horizon", [0, 4, "long"])
def test_delta_errors_by_numerical_derivatives(horizon):
    fit = fitted(FORMULA, panel(), ring())
    table = dynamic_impacts(fit, horizon, cumulative=horizon == 4).table
    covariance_ = fit.cov_params().to_numpy()
    dense, eye = ring().dense(), np.eye(20)

    def effects(p):
        b, theta, tau, eta, rho = p
        x = b * eye + theta * dense
        if horizon == "long":
            m = np.linalg.solve((1 - tau) * eye - (rho + eta) * dense, x)
        else:
            s = np.linalg.inv(eye - rho * dense)
            a = s @ (tau * eye + eta * dense)
            m = sum(np.linalg.matrix_power(a, h) for h in range(horizon + 1)) @ s @ x
        direct, total = np.trace(m) / 20, m.sum() / 20
        return np.array([direct, total - direct, total])

    point, step = fit.params.to_numpy(), 1e-6
    jacobian = np.array([(effects(point + step * e) - effects(point - step * e)) / (2 * step) for e in np.eye(5)])
    expected = np.sqrt(np.diag(jacobian.T @ covariance_ @ jacobian))
    np.testing.assert_allclose(
        [table.loc["x", (e, "se")] for e in ("direct", "indirect", "total")], expected, rtol=1e-6
    )


def test_methods_agree_far_from_one_and_fieller_opens_near_it():
    calm = fitted(FORMULA, panel((0.2, 0.0, 0.2), t=20), ring())
    tables = {
        m: dynamic_impacts(calm, "long", m, draws=2000, seed=1).table["total"]
        for m in ("delta", "fieller", "simulate", "bootstrap")
    }
    for method, table in tables.items():
        np.testing.assert_allclose(
            table[["lower", "upper"]], tables["delta"][["lower", "upper"]], atol=0.35, err_msg=method
        )
    lower, upper, shape = fieller(1.0, 0.05, np.diag([0.01, 0.01]), 1.96)
    assert shape == "complement"
    for x in (lower, upper):
        assert (1.0 - 0.05 * x) ** 2 == pytest.approx(1.96**2 * (0.01 + 0.01 * x**2))
    assert fieller(0.0, 0.05, np.diag([0.01, 0.01]), 1.96) == (-np.inf, np.inf, "line")
    low, high, shape = fieller(1.0, 1.0, np.diag([0.01, 0.0]), 1.96)
    assert (shape, low, high) == ("interval", pytest.approx(1 - 0.196), pytest.approx(1 + 0.196))


def test_stability_and_warning_at_the_unit_root():
    fit = fitted(FORMULA, panel(), ring())
    found = stability(fit)
    tau, eta, rho = fit.params[["L:y", "L:W:y", "rho"]]
    w = ring().dense()
    roots = np.linalg.eigvals(np.linalg.solve(np.eye(20) - rho * w, tau * np.eye(20) + eta * w))
    assert found.radius == pytest.approx(np.abs(roots).max(), rel=1e-9)
    assert found.sum == pytest.approx(tau + eta + rho)
    block = fit.cov_params().loc[["L:y", "L:W:y", "rho"], ["L:y", "L:W:y", "rho"]].to_numpy()
    assert found.statistic == pytest.approx((found.sum - 1) ** 2 / block.sum())
    assert found.stable
    frame = panel((0.9, 0.1, 0.3), t=14)
    parsed = parse_formula(FORMULA)
    design = build_design(parsed, frame, ring().ids)
    with pytest.warns(IdentificationWarning, match=r"not stable.*tau \+ rho \+ eta"):
        est = estimate_dynamic(design, get_model("SDM"), Weights(ring(), ring(), None), correction="none")
    explosive = SpatialFit(est, parsed, "observed", None)
    assert not stability(explosive).stable
    assert stability(explosive).near_unit


def test_impulse_responses_are_the_impacts_horizon_by_horizon():
    fit = fitted(FORMULA, panel(), ring())
    table = impulse_responses(fit, 3).table
    assert table.index.tolist() == [("x", h) for h in range(4)]
    for h in range(4):
        np.testing.assert_array_equal(table.loc[("x", h)], dynamic_impacts(fit, h).table.loc["x"])


def test_messages():
    frame, w, parsed = panel(), ring(), parse_formula(FORMULA)
    design, both, sdm = build_design(parsed, frame, w.ids), Weights(w, w, None), get_model("SDM")
    with pytest.raises(ValueError, match=r'"lag_y".*"lag_wy".*"both"'):
        estimate_dynamic(design, sdm, both, ("lag_x",))
    with pytest.raises(ValueError, match="choose one of 'transform', 'score'"):
        estimate_dynamic(design, sdm, both, correction="bootstrap")
    with pytest.raises(ValueError, match="no spatial error"):
        estimate_dynamic(design, get_model("SEM"), Weights(None, None, w))
    with pytest.raises(ValueError, match="needs spatial weights"):
        estimate_dynamic(design, get_model("OLS"), Weights(None, None, None))
    gap = build_design(parsed, frame.drop(index=2004, level=1), w.ids)
    with pytest.raises(PanelError, match="2003-2005"):
        estimate_dynamic(gap, sdm, both)
    with pytest.raises(PanelError, match="2 periods"):
        estimate_dynamic(build_design(parsed, frame, w.ids, (2001, 2002)), sdm, both)
    fit = fitted(FORMULA, frame, w)
    with pytest.raises(ValueError, match="horizon=-1"):
        dynamic_impacts(fit, -1)
    with pytest.raises(ValueError, match="choose one of 'delta'"):
        dynamic_impacts(fit, method="posterior")
    with pytest.raises(ValueError, match="is a ratio"):
        dynamic_impacts(fit, 3, "fieller")
    with pytest.raises(ValueError, match="changes the estimate after"):
        recursive_bootstrap(fitted(FORMULA, frame, w, correction="bias").estimate)
    static = SpatialFit(estimate(design, sdm, both, "transform", None), parsed, "observed", None)
    with pytest.raises(ValueError, match="the fit is static"):
        stability(static)


def test_no_maximum_is_an_error_with_a_way_out():
    """Explosive data over three periods: the search leaves every maximum behind."""
    frame = panel((1.4, 0.0, 0.1), t=4, seed=1)
    with pytest.raises(ConvergenceError, match='correction="bias"'):
        fitted("y ~ x | unit", frame, ring(), "SAR", ("lag_y",))


def test_estimating_equation_has_mean_zero_in_samples_of_any_length():
    """The score at the true parameters, averaged over draws, vanishes with the adjustment and does not without it."""
    from nqpf_spatial.kernels import dynamic_replicate as rep

    w, rng, phi = ring(), np.random.default_rng(8), np.array([0.7, -0.1, 0.3])
    omega = np.delete(w.eigenvalues(), np.argmin(np.abs(w.eigenvalues() - 1)))
    t, n, draws = 4, 20, 4000
    adjustment = kernel.Adjustment(omega, None, t, t - 1)
    design = rep.dynamic_design(
        np.empty((0, t, n)), rng.standard_normal((t, n)), 3 * rng.standard_normal(n), w.dense(), phi, (True, True),
        (n - 1) * (t - 1), adjustment, (0, 1, 2), w.rho_interval(),
    )  # fmt: skip
    e = rng.standard_normal((draws, t, n))
    y = rep.paths(design, e)
    residual = remove_effects(e, True, True)
    lags = (y[:, :-1], y[:, :-1] @ w.dense().T, y[:, 1:] @ w.dense().T)
    raw = np.stack([(remove_effects(x, True, True) * residual).sum(axis=(1, 2)) for x in lags], axis=1)
    error = raw.std(axis=0) / np.sqrt(draws)
    _, gradient, _ = adjustment.derivatives(phi[None])
    assert (np.abs(raw.mean(axis=0) + gradient[0]) < 4 * error).all()
    assert abs(raw[:, 0].mean()) > 20 * error[0]


# -- the committed study -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).resolve().parents[2] / "studies" / "results" / "dynamic_coverage.csv")


def test_committed_coverage(study):
    """1,000 replicates: three binomial standard errors are 0.021; a little more for the 120 cells that must all hold."""
    default = study.query("correction == 'transform'")
    named = default[default["parameter"].isin(["beta", "theta", "tau", "eta", "rho", "tau+rho+eta"])]
    assert len(named) == 3 * 5 * 2 * 6
    assert named["coverage"].between(0.92, 0.98).all()
    assert named.query("parameter == 'tau'")["bias"].abs().max() < 0.011
    dummies = study.query("correction == 'none' and parameter == 'tau' and tau == 0.8")
    assert dummies["coverage"].max() < 0.5
    assert dummies["bias"].max() < -0.04
    totals = default.set_index("parameter")["coverage"]
    assert totals["long-run total (Fieller)"].between(0.93, 0.98).all()
    assert totals["long-run total (delta)"].min() < 0.5
    near = default.query("tau + eta + rho > 0.985 and parameter == 'tau'")
    assert (near["near_unit"] > 0.9).all()


def test_short_run_of_the_study_gives_the_committed_cell(study):
    path = Path(__file__).resolve().parents[2] / "studies" / "dynamic_coverage.py"
    spec = importlib.util.spec_from_file_location("studies_dynamic_coverage", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    grid = {"T": (8,), "phi": ((0.3, 0.0, 0.3),), "variant": (("transform", "normal"), ("bias", "normal"))}
    again = module.run(60, int(study["seed"].iloc[0]), grid)
    assert set(again["parameter"]) == set(study["parameter"])
    tau = again.query("parameter == 'tau'").set_index("correction")
    committed = study.query("T == 8 and tau == 0.3 and errors == 'normal' and parameter == 'tau'").set_index(
        "correction"
    )
    for correction in ("transform", "bias"):
        gap = tau.loc[correction, "bias"] - committed.loc[correction, "bias"]
        assert abs(gap) < 4 * committed.loc[correction, "sd"] / np.sqrt(60)


# -- the study of intervals ----------------------------------------------------------------------------------


def study_of_intervals():
    path = Path(__file__).resolve().parents[2] / "studies" / "dynamic_intervals.py"
    spec = importlib.util.spec_from_file_location("studies_dynamic_intervals", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, pd.read_csv(path.parent / "results" / "dynamic_intervals.csv")


def test_committed_intervals():
    """200 samples: three binomial standard errors are 0.046."""
    module, table = study_of_intervals()
    assert len(table) == len(module.PERIODS) * len(module.PHI)
    assert table["fieller"].between(0.90, 0.98).all()
    total = table["tau"] + table["eta"] + table["rho"]
    assert (table.loc[total > 0.985, "delta"] < 0.7).all()
    assert (table.loc[total < 0.96, "bootstrap"] > 0.84).all()
    assert (table["finite_bootstrap"] > 0.85).all()
    np.testing.assert_allclose(
        [module.true_totals(phi)[0] for phi in module.PHI], [1.5 / (1 - sum(phi)) for phi in module.PHI]
    )


def test_short_run_of_the_intervals_gives_the_committed_cell():
    module, table = study_of_intervals()
    again = module.run(25, 49, int(table["seed"].iloc[0]), (8,), (module.PHI[0],))
    assert set(again.columns) == set(table.columns)
    for name in ("delta", "fieller"):
        assert again[name].iloc[0] == pytest.approx(table[name].iloc[0], abs=4 * np.sqrt(0.1 * 0.9 / 25))
    assert again["stable"].iloc[0] == 1.0
