"""2SLS and GMM against spatialreg, sphet, spreg and splm on public data (tests/golden)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from golden_support import FORMULAS, Compare, assert_all, base_key, data, entries, own_name, weights

from nqpf_spatial.kernels import gmm_error
from nqpf_spatial.models.gmm.estimate import gmm

CROSS = ("columbus", "columbusB", "columbusEig", "boston", "lattice1024")
SPREG = {"columbus": "columbus", "boston": "boston", "lattice_n1024": "lattice1024"}


def fitted(key: str, model: str, **options):
    return gmm(FORMULAS[base_key(key)], data(key), None if model == "OLS" else weights(key), model=model, **options)


def table(names, values) -> dict[str, float]:
    return {own_name(n): v for n, v in zip(names, values, strict=True)}


def against(fit, theirs: dict, se: dict, rtol: float = 1e-6, lambda_tol: float = 1e-6) -> list[Compare]:
    """Coefficients relative to themselves, or to their standard error where that is larger; se relative."""
    assert set(theirs) == set(fit.params.index)
    rows = []
    for name, value in theirs.items():
        tol = lambda_tol if name == "lambda" else rtol
        rows.append(Compare(name, fit.params[name], value, atol=tol * max(abs(value), fit.bse[name])))
        if name in se:
            rows.append(Compare(f"se {name}", fit.bse[name], se[name], tol))
    return rows


def no_constant(key: str) -> list[str]:
    """Lags of the constant, which sphet leaves out; they exist only where rows do not sum to one."""
    return [] if weights(key).is_row_stochastic else ["W:Intercept", "W2:Intercept"]


@pytest.mark.parametrize("key", CROSS)
@pytest.mark.parametrize("order", [1, 2])
def test_stsls_of_spatialreg(key: str, order: int) -> None:
    e = entries()[f"{key}.stsls" if order == 2 else f"{key}.stsls_noW2X"]
    fit = fitted(key, "SAR", lag_order=order)
    names = ["rho" if n == "Rho" else n for n in e["coefficients"]]
    theirs, se = table(names, e["coefficients"].values()), table(names, e["se"])
    assert_all([*against(fit, theirs, se), Compare("sigma2", fit.sigma2, e["sigma2"], 1e-6)])


@pytest.mark.parametrize("key", CROSS)
@pytest.mark.parametrize(("divisor", "kind"), [("n", "se_HC0"), ("n-k", "se_HC1")])
def test_robust_stsls_of_spatialreg(key: str, divisor: str, kind: str) -> None:
    e = entries()[f"{key}.stsls_robust"]
    fit = fitted(key, "SAR", vcov="white", divisor=divisor)
    names = ["rho" if n == "Rho" else n for n in e["coefficients"]]
    assert_all(against(fit, table(names, e["coefficients"].values()), table(names, e[kind])))


@pytest.mark.parametrize("key", [k for k in CROSS if k != "columbusB"])
def test_gm_error_of_spatialreg(key: str) -> None:
    e = entries()[f"{key}.gm_error"]
    fit = fitted(key, "SEM", moments="1999")
    theirs = {**table(e["coefficients"], e["coefficients"].values()), "lambda": e["lambda"]}
    data_, found = fit.estimate.error
    # their sigma2 is that of the least-squares residuals after the filter, ours that of the GLS residuals
    u = (fit.estimate.arrays[0] - fit.estimate.arrays[1] @ fit.estimate.stage.delta)[None]
    filtered = u - found.lambda_ * u @ data_.w.T
    sigma2 = Compare("sigma2", (filtered**2).mean(), e["sigma2"], 1e-6)
    scale = np.sqrt(e["sigma2"] / fit.sigma2)
    names = [n for n in fit.params.index if n != "lambda"]
    se = [Compare(f"se {n}", fit.bse[n] * scale, v, 1e-6) for n, v in zip(names, e["se"], strict=True)]
    assert_all([*against(fit, theirs, {}), sigma2, *se])


def test_spatialreg_leaves_the_admissible_interval() -> None:
    # GMerrorsar searches (-1, 1) whatever W is: with 0/1 weights it stops in a second valley beyond 1 / 5.9
    e = entries()["columbusB.gm_error"]
    fit = fitted("columbusB", "SEM", moments="1999")
    low, high = fit.w.rho_interval()
    assert low < fit.lambda_ < high < e["lambda"]
    w = fit.estimate.error[0].w
    u = (fit.estimate.arrays[0] - fit.estimate.arrays[1] @ fit.estimate.stage.delta)[None]
    level = (w**2).sum() / len(w)

    def objective(lambda_: float) -> float:
        eps = u[0] - lambda_ * w @ u[0]
        bar = w @ eps
        m = np.array([eps @ eps, bar @ bar, bar @ eps]) / len(w)
        loading = np.array([1.0, level, 0.0])
        return float(m @ m - (loading @ m) ** 2 / (loading @ loading))

    assert objective(fit.lambda_) < 0.1 * objective(e["lambda"])


@pytest.mark.parametrize("key", CROSS)
def test_gstsls_of_spatialreg(key: str) -> None:
    e = entries()[f"{key}.gstsls"]
    fit = fitted(key, "SAC", moments="1999", without=no_constant(key))
    names = ["rho" if n == "Rho_Wy" else n for n in e["coefficients"]]
    theirs = {**table(names, e["coefficients"].values()), "lambda": e["lambda_error"]}
    assert_all([*against(fit, theirs, {}, lambda_tol=1e-5), Compare("sigma2", fit.sigma2, e["sigma2"], 1e-6)])


def sphet_table(key: str, model: str, het: bool) -> tuple[dict, dict]:
    e = entries()[f"{key}.sphet_{model}{'_het' if het else ''}"]
    swap = {"lambda": "rho", "rho": "lambda"}
    return tuple({own_name(swap.get(n, n)): v for n, v in e[part].items()} for part in ("coefficients", "se"))


# without row-standardisation the filtered constant is not among their instruments: see the next test
SARAR = ("columbus", "boston", "lattice1024")


@pytest.mark.parametrize(
    ("model", "key"), [*((m, k) for m in ("ols", "lag") for k in CROSS), *(("sarar", k) for k in SARAR)]
)
@pytest.mark.parametrize("vcov", ["classical", "white"])
def test_sphet(key: str, model: str, vcov: str) -> None:
    theirs, se = sphet_table(key, model, vcov == "white")
    fit = fitted(
        key,
        {"ols": "OLS", "lag": "SAR", "sarar": "SAC"}[model],
        vcov=vcov,
        divisor="n" if vcov == "white" else "n-k",
        without=[] if model == "ols" else no_constant(key),
    )
    assert_all(against(fit, theirs, se, lambda_tol=1e-5))


@pytest.mark.parametrize("key", CROSS)
@pytest.mark.parametrize("het", [False, True])
@pytest.mark.parametrize("model", ["error", "sarar"])
def test_why_sphet_differs_with_a_spatial_error(key: str, model: str, het: bool) -> None:
    # it projects the filtered regressors on the unfiltered ones: (X'X*)^-1 X'y* instead of GLS, less efficient
    theirs, se = sphet_table(key, model, het)
    fit = fitted(key, {"error": "SEM", "sarar": "SAC"}[model], without=[] if model == "error" else no_constant(key))
    ours, _ = fit.estimate.error
    h = np.concatenate([ours.z[ours.exogenous], ours.h])
    found = gmm_error.fit_2010(replace(ours, exogenous=np.array([], dtype=int), h=h), fit.w.rho_interval(), het)
    names = list(fit.params.index)
    got = dict(zip(names, [*found.delta, found.lambda_], strict=True))
    bse = dict(zip(names, np.sqrt(np.diag(found.covariance)), strict=True))
    rows = [Compare(n, got[n], v, atol=1e-6 * max(abs(v), bse[n])) for n, v in theirs.items()]
    assert_all(rows + [Compare(f"se {n}", bse[n], v, 1e-6) for n, v in se.items()])


@pytest.mark.parametrize("key", SPREG)
@pytest.mark.parametrize(
    ("entry", "options"),
    [
        ("wlags1", {"lag_order": 1, "divisor": "n"}),
        ("wlags2", {"divisor": "n"}),
        ("wlags2_sig2n_k", {}),
        ("white", {"vcov": "white", "divisor": "n"}),
    ],
)
def test_gm_lag_of_spreg(key: str, entry: str, options: dict) -> None:
    e = entries()[f"{key}.spreg.gm_lag.{entry}"]
    fit = fitted(SPREG[key], "SAR", **options)
    rows = against(fit, table(e["coef_names"], e["coefficients"]), table(e["coef_names"], e["se"]))
    assert_all([*rows, *([Compare("sigma2", fit.sigma2, e["sigma2"], 1e-6)] if "sigma2" in e else [])])


@pytest.mark.parametrize("key", SPREG)
@pytest.mark.parametrize("kind", ["kp98", "hom", "het"])
@pytest.mark.parametrize(("entry", "model"), [("error", "SEM"), ("combo", "SAC")])
def test_gm_error_and_combo_of_spreg(key: str, entry: str, model: str, kind: str) -> None:
    e = entries()[f"{key}.spreg.gm_{entry}_{kind}"]
    options = {"kp98": {"moments": "1999", "divisor": "n"}, "hom": {}, "het": {"vcov": "white"}}[kind]
    fit = fitted(SPREG[key], model, **options)
    names = [*e["coef_names"], "lambda"] if kind == "kp98" else e["coef_names"]
    se = table(e["coef_names"], e["se"])
    assert_all(against(fit, table(names, e["coefficients"]), se, rtol=1e-5, lambda_tol=1e-5))


@pytest.mark.parametrize("key", ["produc", "rice"])
@pytest.mark.parametrize("model", ["error", "lag", "sarar"])
def test_within_spgm_of_splm(key: str, model: str) -> None:
    entry = {"error": "spgm_error.within.initial", "lag": "spgm_lag.within.w2sls", "sarar": "spgm_sarar.within.w2sls"}
    e = entries()[f"{key}.{entry[model]}"]
    name = {"error": "SEM", "lag": "SAR", "sarar": "SAC"}[model]
    options = {} if model == "lag" else {"moments": "1999"}
    fit = gmm(FORMULAS[key] + " | unit", data(key), weights(key), model=name, **options)
    theirs = {"rho" if n == "lambda" else n: v for n, v in e["coefficients"].items()}
    rows = [Compare(n, fit.params[n], v, atol=1e-6 * max(abs(v), fit.bse[n])) for n, v in theirs.items()]
    if model != "lag":
        rows.append(Compare("lambda", fit.lambda_, e["errcomp"][0], 1e-5))
    assert_all(rows)
