"""Golden entries of cross-sections: spatialreg, spreg, lm."""

from __future__ import annotations

import numpy as np
from dense_reference import Dense, profile_loglik
from golden_support import (
    KEYS,
    LOGLIK,
    SPREG_KEYS,
    Compare,
    compare_values,
    covers,
    entries,
    fitted,
    own_name,
    peer_vectors,
    scaled,
    vcov_comparisons,
    weights,
)
from scipy import stats

from nqpf_spatial.kernels import impacts as kernel

#: relative tolerance of coefficients, rho, lambda and standard errors
CROSS = {"sar": 1e-6, "sdm": 1e-6, "sem": 2e-6, "sdem": 2e-6, "sac": 1e-4, "gns": 1e-4}
#: peers whose own optimiser stopped further from the maximum; our likelihood must be the higher one there
STOPPED_EARLY = {"boston.spreg.ml_sdem": 2e-5, "boston.spreg.ml_error": 5e-6}
#: the 2,000 draws of this entry lie 5.4 % above 200,000 independent draws from the same distribution
SIMULATED = {"lattice1024.sar_ml": 0.07}


def split_cross(i: str) -> tuple[str, str]:
    key, rest = i.split(".", 1)
    return ("lattice1024" if key == "lattice_n1024" else key), rest


@covers(*(f"{key}.{m}_ml" for key in KEYS for m in CROSS))
def spatialreg_ml(e: dict) -> list[Compare]:
    key, rest = split_cross(e["id"])
    model = rest.removesuffix("_ml")
    fit, tol = fitted(key, model), CROSS[model]
    coefficients, se = peer_vectors(e)
    out = scaled("coefficient", fit.params, coefficients, se, tol)
    out += compare_values("se", fit.bse, se, tol)
    out += [
        Compare("sigma2", fit.sigma2, e["sigma2"], tol),
        Compare("SSE", fit.estimate.fit.sse, e["SSE"], tol),
        Compare("loglik", fit.llf, e["loglik"], atol=LOGLIK),
        Compare("AIC", fit.aic, e["AIC"], atol=2 * LOGLIK),
        Compare("number of parameters", fit.k_params, e["k"]),
    ]
    out += vcov_comparisons(fit, e.get("vcov"), tol) + value_comparisons(fit, e, tol)
    return out + impact_comparisons(key, fit, e, coefficients, tol)


def value_comparisons(fit, e: dict, tol: float) -> list[Compare]:
    """First residuals, signals and reduced-form predictions, in units of the residuals."""
    units = list(fit.w.ids)
    size = tol * np.sqrt(e["sigma2"])
    resid = fit.resid[units].to_numpy()
    signal = fit.estimate.design.y[0] - resid
    scale = max(1.0, abs(fit.estimate.design.y).max() / np.sqrt(e["sigma2"]))
    pairs = [("resid", resid, e["resid_head"]), ("fitted", signal, e["fitted_head"])]
    if fit.rho is not None and fit.lambda_ is None:
        kinds = {kind: fit.predict(kind)[units].to_numpy() for kind in ("TS", "TC", "BP", "trend")}
        pairs += [(kind, ours, e["predict"].get(kind) or []) for kind, ours in kinds.items()]
    return [
        Compare(f"{what} {i}", ours[i], value, atol=scale * size)
        for what, ours, theirs in pairs
        for i, value in enumerate(theirs)
    ]


def impact_comparisons(key: str, fit, e: dict, coefficients: dict, tol: float) -> list[Compare]:
    if "impacts_point_own_dense" not in e:
        return []
    w, rho = weights(key), coefficients["rho"]
    if w.n > 600:  # the Schur form takes seconds there, and W is row-stochastic
        rows = kernel.multiplier_from_eigenvalues(np.array([rho]), w.eigenvalues())
    else:
        rows = kernel.multiplier(np.array([rho]), kernel.decompose(w.dense()))
    out = []
    table = fit.impacts().table
    for name, row in e["impacts_point_own_dense"].items():
        term = own_name(name)
        both = np.array([[[coefficients[term], coefficients.get(f"W:{term}", 0.0)]]])
        at_theirs = kernel.impacts(both, rows)[0, 0]
        for position, effect in enumerate(("direct", "indirect", "total")):
            # the kernel at the peer's parameters, then the impacts of our fit
            out.append(Compare(f"{effect} of {term} at their estimate", at_theirs[position], row[effect], 1e-9))
            size = max(abs(row[effect]), table.loc[term, (effect, "se")])
            out.append(
                Compare(
                    f"{effect} of {term}",
                    table.loc[term, (effect, "estimate")],
                    row[effect],
                    atol=5 * tol * size,
                )
            )
    if w.is_row_stochastic:  # spatialreg takes (1 - rho) for the total of any W: wrong for the other two
        out += [
            Compare(f"{effect} of {term} (spatialreg)", e["impacts_exact"][term][effect], value, 1e-9)
            for term, row in e["impacts_point_own_dense"].items()
            for effect, value in row.items()
        ]
        out += simulated_comparisons(fit, e)
    return out


def simulated_comparisons(fit, e: dict) -> list[Compare]:
    if not e.get("impacts_sim"):
        return []
    table = fit.impacts(method="simulate", draws=20_000, seed=1).table
    tol = SIMULATED.get(e["id"], 0.05)
    return [
        Compare(
            f"simulated se of {effect} {name}",
            table.loc[own_name(name), (effect, "se")],
            row[effect]["se"],
            tol,
        )
        for name, row in e["impacts_sim"]["vars"].items()
        for effect in ("direct", "indirect", "total")
    ]


@covers(*(f"{key}.{m}" for key in KEYS for m in ("ols", "slx")))
def r_least_squares(e: dict) -> list[Compare]:
    key, model = split_cross(e["id"])
    fit = fitted(key, model)
    coefficients, se = peer_vectors(e)
    n, k = fit.nobs, len(coefficients)
    out = scaled("coefficient", fit.params, coefficients, se, 1e-9)
    out += compare_values("se", fit.bse * np.sqrt(n / (n - k)), se, 1e-9)  # ML divides by n, lm by n - k
    out += [
        Compare("sigma2", fit.sigma2 * n / (n - k), e["sigma2_unbiased"], 1e-9),
        Compare("loglik", fit.llf, e["loglik"], atol=LOGLIK),
    ]
    if model == "ols":
        out += [Compare("AIC", fit.aic, e["AIC"], 1e-12), Compare("BIC", fit.bic, e["BIC"], 1e-12)]
    return out


@covers(*(f"{key}.lr_tests" for key in KEYS))
def likelihood_ratios(e: dict) -> list[Compare]:
    key, _ = split_cross(e["id"])
    pairs = {
        "sdm_vs_sar": ("sdm", "sar"),
        "sdm_vs_sem_common_factor": ("sdm", "sem"),
        "sdem_vs_sem": ("sdem", "sem"),
        "sac_vs_sar": ("sac", "sar"),
        "sac_vs_sem": ("sac", "sem"),
        "gns_vs_sdm": ("gns", "sdm"),
        "sar_vs_ols": ("sar", "ols"),
        "sem_vs_ols": ("sem", "ols"),
        "sdm_vs_slx": ("sdm", "slx"),
    }
    out = []
    for name, (large, small) in pairs.items():
        a, b = fitted(key, large), fitted(key, small)
        statistic, df = 2 * (a.llf - b.llf), a.k_params - b.k_params
        out.append(Compare(f"{name} statistic", statistic, e[name]["statistic"], atol=4 * LOGLIK))
        out.append(Compare(f"{name} df", df, e[name]["parameter"]))
        out.append(Compare(f"{name} p", stats.chi2.sf(statistic, df), e[name]["p.value"], 1e-6, 1e-14))
    return out


def cross_likelihood(fit, coefficients: dict) -> float:
    """Dense likelihood at given parameters (printed ones of other packages carry rounding of 1e-8)."""
    w, z = fit.w.dense(), fit.estimate.columns.z.transpose(0, 2, 1)
    dense = Dense(fit.estimate.design.y.T, z, w, w)
    slopes = np.array([coefficients[n] for n in fit.estimate.columns.names])
    return profile_loglik(dense, slopes, coefficients.get("rho", 0.0), coefficients.get("lambda", 0.0))


SPREG = {"ml_lag": "sar", "ml_sdm": "sdm", "ml_error": "sem", "ml_sdem": "sdem"}


@covers(
    *(f"{key}.spreg.{m}.{method}" for key in SPREG_KEYS for m in ("ml_lag", "ml_sdm") for method in ("full", "ord")),
    *(f"{key}.spreg.{m}" for key in SPREG_KEYS for m in ("ml_error", "ml_sdem")),
)
def spreg_ml(e: dict) -> list[Compare]:
    key, rest = split_cross(e["id"])
    model = SPREG[rest.split(".")[1]]
    fit, tol = fitted(key, model), STOPPED_EARLY.get(e["id"], CROSS[model])
    coefficients, se = peer_vectors({**e, "rho": None})
    out = scaled("coefficient", fit.params, coefficients, se, tol)
    out += [Compare("sigma2", fit.sigma2, e["sigma2"], tol)] if "sigma2" in e else []
    out.append(Compare("loglik", fit.llf, e["loglik"], atol=LOGLIK))
    if "schwarz" in e:  # spreg does not count sigma2 among the parameters
        out.append(Compare("BIC", fit.bic - np.log(fit.nobs), e["schwarz"], atol=2 * LOGLIK))
    if e["id"] in STOPPED_EARLY:
        assert fit.llf > cross_likelihood(fit, coefficients)
    if rest.endswith(".ord"):
        # spreg's method "ord" puts tr(G G) for tr(G'G) into the information: its own "full" contradicts it
        full = entries()[e["id"].replace(".ord", ".full")]
        assert not np.allclose(e["se"], full["se"], rtol=1e-3)
        return out
    out += compare_values("se", fit.bse, se, tol)
    if e.get("vm") is not None:
        names = [own_name(n) for n in [*e["coef_names"], "sigma"]]
        out += vcov_comparisons(fit, {"names": names, "matrix": e["vm"]}, tol)
    return out


@covers(*(f"{key}.spreg.{m}" for key in SPREG_KEYS for m in ("ols", "slx")))
def spreg_least_squares(e: dict) -> list[Compare]:
    key, rest = split_cross(e["id"])
    fit = fitted(key, rest.split(".")[1])
    coefficients, se = peer_vectors(e)
    n, k = fit.nobs, len(coefficients)
    out = scaled("coefficient", fit.params, coefficients, se, 1e-8)
    out += compare_values("se", fit.bse * np.sqrt(n / (n - k)), se, 1e-8)
    return [*out, Compare("loglik", fit.llf, e["loglik"], atol=LOGLIK)]
