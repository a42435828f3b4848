"""Golden entries of panels: plm, splm, SDPDmod, Elhorst, spreg, first principles."""

from __future__ import annotations

import numpy as np
import pandas as pd
from dense_reference import profile_loglik
from golden_support import (
    FIXED,
    LOGLIK,
    PANELS,
    SPATIAL,
    Compare,
    compare_values,
    covers,
    fitted,
    named,
    own_name,
    panel_system,
    peer_vectors,
    scaled,
    vcov_comparisons,
    weights,
)

from nqpf_spatial.kernels import impacts as kernel


@covers(*(f"{key}.{m}.{ef}" for key in PANELS for m in ("ols", "slx") for ef in ("pooling", *FIXED)))
def plm_least_squares(e: dict) -> list[Compare]:
    key, model, plm_effects = e["id"].split(".")
    effects = "none" if plm_effects == "pooling" else plm_effects
    coefficients, se = peer_vectors(e)
    out = []
    for correction in ("none", "transform"):
        fit = fitted(key, model, effects, correction)
        out += compare_values("coefficient", fit.params, coefficients, 1e-8)
        out += compare_values("se", fit.bse * np.sqrt(fit.n_effective / e["df_residual"]), se, 1e-8)
    fit = fitted(key, model, effects, "none")
    return [
        *out,
        Compare("sigma2", fit.sigma2, e["sigma2_ml"], 1e-9),
        Compare("loglik", fit.llf, e["loglik"], atol=LOGLIK),
    ]


def splm_vectors(e: dict, model: str) -> tuple[dict[str, float], dict[str, float]]:
    """splm prints the spatial lag as lambda and the spatial error as rho: the reverse of everybody else."""
    coefficients, se = peer_vectors({**e, "rho": None})
    swap = {"lambda": "rho", "rho": "lambda"}
    return tuple({swap.get(k, k): v for k, v in part.items()} for part in (coefficients, se))


def close_panel(fit, coefficients: dict, se: dict, spatial_tol: float, coef_tol: float, se_tol: float) -> list[Compare]:
    """rho and lambda absolutely, slopes relative to themselves or their standard error, standard errors."""
    out = []
    for row in scaled("coefficient", fit.params, coefficients, se, coef_tol):
        spatial = row.what in ("coefficient rho", "coefficient lambda")
        out.append(Compare(row.what, row.ours, row.theirs, 0.0, spatial_tol) if spatial else row)
    return out + compare_values("se", fit.bse, se, se_tol)


@covers(
    *(f"{key}.splm.{m}.individual.{v}" for key in PANELS for m in (*SPATIAL, "sac") for v in ("ml", "LY")),
    # W of the rice farms is doubly stochastic (equal weights within villages): there W(Qy) = Q(Wy)
    *(f"rice.splm.{m}.{ef}.ml" for m in (*SPATIAL, "sac") for ef in ("time", "twoways")),
)
def splm_ml(e: dict) -> list[Compare]:
    key, _, model, effects, variant = e["id"].split(".")
    fit = fitted(key, model, effects, "transform" if variant == "LY" else "none")
    coefficients, se = splm_vectors(e, model)
    coef_tol = 1e-6 if model == "sac" else 2e-7
    out = close_panel(fit, coefficients, se, 5e-8, coef_tol, 2e-7)
    if model == "sac" or not (variant == "LY" and model in ("sem", "sdem")):
        out.append(Compare("sigma2", fit.sigma2, e["sigma2"], 1e-7))
    llf = e.get("loglik_exact", e.get("loglik"))
    if llf is not None and not (variant == "LY" and "loglik_exact" in e):  # there splm prints the uncorrected one
        out.append(Compare("loglik", fit.llf, llf, atol=LOGLIK))
    if "fixed_effects" in e and effects == "individual":
        effects_here = fit.fixed_effects()
        table = e["fixed_effects"]
        out.append(Compare("intercept", effects_here["intercept"].iloc[0], table["INTTable"]["est"], 1e-6))
        ours = effects_here["unit"][list(fit.w.ids)].to_numpy()
        out += [Compare(f"unit effect {k}", ours[k], v, 0, 1e-6) for k, v in enumerate(table["SETable"]["est"])]
    return out + panel_impacts(key, fit, e.get("impacts_point"), coefficients, 1e-6)


def panel_impacts(key: str, fit, rows: dict | None, coefficients: dict, tol: float) -> list[Compare]:
    if not rows:
        return []
    out, table, w = [], fit.impacts().table, weights(key)
    mult = kernel.multiplier_from_eigenvalues(np.array([coefficients["rho"]]), w.eigenvalues())
    for term, row in rows.items():
        both = np.array([[[coefficients[term], coefficients.get(f"W:{term}", 0.0)]]])
        at_theirs = kernel.impacts(both, mult)[0, 0]
        for position, effect in enumerate(("direct", "indirect", "total")):
            size = max(abs(row[effect]), table.loc[term, (effect, "se")])
            out.append(
                Compare(
                    f"{effect} of {term} at their estimate",
                    at_theirs[position],
                    row[effect],
                    1e-8,
                    1e-9 * size,
                )
            )
            out.append(
                Compare(f"{effect} of {term}", table.loc[term, (effect, "estimate")], row[effect], atol=tol * size)
            )
    return out


@covers(*(f"{key}.splm_pool.{m}" for key in PANELS for m in ("sar", "sem", "sarsem")))
def splm_pooled(e: dict) -> list[Compare]:
    """Optimised numerically in all parameters at once; its standard errors leave the cross block out."""
    key, _, model = e["id"].split(".")
    fit = fitted(key, {"sarsem": "sac"}.get(model, model))
    coefficients = named(e["coefficients"])
    for part, name in (("arcoef", "rho"), ("errcomp", "lambda")):
        if part in e:
            coefficients[name] = next(iter(e[part].values()))
    size = fit.bse.to_dict()
    out = [
        Compare(r.what, r.ours, r.theirs, 0, 5e-4 * size[n])
        for r, n in zip(compare_values("coefficient", fit.params, coefficients, 0), coefficients, strict=True)
    ]
    return [*out, Compare("loglik", fit.llf, e["loglik"], atol=1e-6)]


def own_vectors(block: dict, spatial: str, se: dict | None = None) -> tuple[dict, dict, float]:
    """Coefficients, standard errors and the one of sigma2 of a first-principles entry."""
    coefficients, errors = named(block["coefficients"]), named(se or block["se"])
    coefficients[spatial], errors[spatial] = block["spatial"], errors.pop("spatial")
    return coefficients, errors, errors.pop("sigma2")


def own_comparisons(key: str, fit, e: dict, spatial: str) -> list[Compare]:
    """One first-principles ML entry: everything it has."""
    coefficients, se, sigma2_se = own_vectors(e["ml"], spatial)
    out = close_panel(fit, coefficients, se, 4e-8, 1e-8, 1e-7)
    out += [
        Compare("sigma2", fit.sigma2, e["ml"]["sigma2"], 1e-9),
        Compare("se of sigma2", fit.sigma2_se, sigma2_se, 1e-7),
        Compare("loglik", fit.llf, e["loglik"], atol=1e-8),
    ]
    names = [
        own_name(n) if n not in ("spatial", "sigma2") else {"spatial": spatial, "sigma2": "sigma"}[n]
        for n in e["vcov_order"]
    ]
    out += vcov_comparisons(fit, {"names": names, "matrix": e["vcov"]}, 1e-7)
    out += panel_impacts(key, fit, e["ml"].get("impacts"), coefficients, 1e-7)
    return out + wald_comparisons(key, fit, e)


def wald_comparisons(key: str, fit, e: dict) -> list[Compare]:
    """Wald tests of theta = 0 and of theta + rho beta = 0: they use the whole covariance."""
    if "wald_sdm_vs_sar" not in e:
        return []
    b, v = fit.params, fit.cov_params()
    x = list(PANELS[key][1])
    theta = [f"W:{n}" for n in x]
    sar = b[theta] @ np.linalg.solve(v.loc[theta, theta], b[theta])
    spatial = fit.rho
    gradient = pd.DataFrame(0.0, index=theta, columns=b.index)
    for own, lag in zip(x, theta, strict=True):
        gradient.loc[lag, [lag, own, "rho"]] = [1.0, spatial, b[own]]
    common = b[theta].to_numpy() + spatial * b[x].to_numpy()
    middle = (gradient @ v @ gradient.T).to_numpy()
    sem = common @ np.linalg.solve(middle, common)
    return [
        Compare("Wald SDM against SAR", sar, e["wald_sdm_vs_sar"], 1e-6),
        Compare("Wald SDM against SEM", sem, e["wald_sdm_vs_sem"], 1e-6),
    ]


@covers(*(f"{key}.own.{m}.{ef}" for key in PANELS for m in SPATIAL for ef in ("none", *FIXED)))
def own_exact(e: dict) -> list[Compare]:
    """First principles: dummy-variable ML, the transformed likelihood of unit effects, the bias formula."""
    key, _, model, effects = e["id"].split(".")
    spatial = SPATIAL[model]
    fit = fitted(key, model, effects, "none")
    out = own_comparisons(key, fit, e.get("dummy_ml", e), spatial)
    if effects == "individual":
        block = e["lee_yu"]
        coefficients, se, sigma2_se = own_vectors(block, spatial, block["se_transformed_TminusT1"])
        transformed = fitted(key, model, effects, "transform")
        out += close_panel(transformed, coefficients, se, 4e-8, 1e-8, 1e-7)
        out += [
            Compare("sigma2, transformed", transformed.sigma2, block["sigma2"], 1e-9),
            Compare("se of sigma2, transformed", transformed.sigma2_se, sigma2_se, 1e-7),
            Compare("loglik, transformed", transformed.llf, block["loglik_transformed"], atol=1e-8),
        ]
    if effects == "twoways":
        block = e["dummy_ml"]["lee_yu"]
        coefficients, se, sigma2_se = own_vectors(block, spatial)
        corrected = fitted(key, model, effects, "bias")
        out += close_panel(corrected, coefficients, se, 4e-8, 1e-7, 1e-7)
        out += [
            Compare("sigma2, bias formula", corrected.sigma2, block["sigma2"], 1e-8),
            Compare("se of sigma2, bias formula", corrected.sigma2_se, sigma2_se, 1e-7),
        ]
    return out


@covers(*(f"{key}.own.LR.{ef}" for key in PANELS for ef in ("none", *FIXED)))
def own_likelihood_ratios(e: dict) -> list[Compare]:
    key, _, _, effects = e["id"].split(".")
    block = e.get("dummy_ml", e)
    llf = {m: fitted(key, m, effects, "none").llf for m in SPATIAL}
    pairs = {"sdm_vs_sar": ("sdm", "sar"), "sdm_vs_sem": ("sdm", "sem"), "sdem_vs_sem": ("sdem", "sem")}
    return [Compare(name, 2 * (llf[a] - llf[b]), block[name], atol=1e-7) for name, (a, b) in pairs.items()]


@covers(*(f"{key}.own_transform.{m}.twoways" for key in PANELS for m in SPATIAL))
def own_transform(e: dict) -> list[Compare]:
    """Lee-Yu transformation, the default: exact."""
    key, _, model, effects = e["id"].split(".")
    fit = fitted(key, model, effects, "transform")
    coefficients, se, sigma2_se = own_vectors(e, SPATIAL[model])
    out = close_panel(fit, coefficients, se, 1e-8, 1e-8, 1e-8)
    out += [
        Compare("sigma2", fit.sigma2, e["sigma2"], 1e-9),
        Compare("se of sigma2", fit.sigma2_se, sigma2_se, 1e-8),
        Compare("loglik", fit.llf, e["loglik"], atol=1e-8),
    ]
    return out + panel_impacts(key, fit, e.get("impacts"), coefficients, 1e-8)


@covers(*(f"produc.spatialreg_dummies.{m}.{ef}" for m in SPATIAL for ef in ("time", "twoways")))
def spatialreg_with_dummies(e: dict) -> list[Compare]:
    """The stacked system with explicit dummies; its error models stop 3e-6 from the maximum."""
    key, _, model, effects = e["id"].split(".")
    fit = fitted(key, model, effects, "none")
    spatial = SPATIAL[model]
    coefficients = {**named(e["coefficients"]), spatial: e["spatial"]}
    tol = 2e-6 if spatial == "rho" else 4e-6
    out = close_panel(fit, coefficients, fit.bse.to_dict(), tol, 10 * tol, 1.0)
    assert fit.llf > likelihood_at(key, model, effects, False, coefficients)
    return [
        *out,
        Compare("loglik", fit.llf, e["loglik"], atol=1e-6),
        Compare("sigma2", fit.sigma2, e["sigma2"], 10 * tol),
    ]


@covers(
    *(
        f"{key}.spreg.{kind}.{m}"
        for key in PANELS
        for kind, m in (("fe_lag", "sar"), ("fe_lag", "sdm"), ("fe_error", "sem"), ("fe_error", "sdem"))
    )
)
def spreg_panel(e: dict) -> list[Compare]:
    key, _, _, model = e["id"].split(".")
    fit = fitted(key, model, "individual", "none")
    coefficients, se = peer_vectors({**e, "rho": None})
    out = close_panel(fit, coefficients, se, 4e-8 if model != "sdem" else 7e-8, 2e-7, 1e-7)
    return [
        *out,
        Compare("sigma2", fit.sigma2, e["sigma2"], 1e-7),
        Compare("loglik", fit.llf, e["loglik_exact"], atol=1e-8),
    ]


@covers(*(f"produc.elhorst.{m}.{ef}.ml" for m in SPATIAL for ef in ("pooled", *FIXED)))
def elhorst(e: dict) -> list[Compare]:
    """His log-determinant is a 0.001 grid: rho to 1e-2, likelihood at his parameters to 0.25.

    His printed likelihood is not compared with time effects: the error models and the residuals of the
    time-effects Durbin model lag the demeaned data there.
    """
    _, _, model, effects, _ = e["id"].split(".")
    effects = "none" if effects == "pooled" else effects
    fit = fitted("produc", model, effects, "none")
    coefficients = {own_name(n): v for n, v in zip(e["param_names"], e["param"], strict=True)}
    spatial = SPATIAL[model]
    limit = 1.2e-2 if e["id"] == "produc.elhorst.sdem.twoways.ml" else 1e-2
    out = [Compare(spatial, fit.params[spatial], coefficients[spatial], atol=limit)]
    out += [
        Compare(f"coefficient {n}", fit.params[n], v, atol=0.15 * fit.bse[n])
        for n, v in coefficients.items()
        if n != spatial
    ]
    if effects in ("none", "individual"):
        out.append(Compare("loglik", fit.llf, e["loglik"], atol=0.25))
    else:
        assert 0 < fit.llf - likelihood_at("produc", model, effects, False, coefficients) < 0.25
    return out + panel_impacts("produc", fit, e.get("impacts_point"), coefficients, 0.2)


@covers(*(f"produc.elhorst.{m}.individual.LYbc" for m in SPATIAL))
def elhorst_unit_effects_corrected(e: dict) -> list[Compare]:
    """With unit effects the correction changes sigma2 only, by T / (T - 1)."""
    model = e["id"].split(".")[2]
    fit = fitted("produc", model, "individual", "transform")
    return [
        Compare("spatial", fit.params[SPATIAL[model]], e["param"][-1], atol=1e-2),
        Compare("sigma2", fit.sigma2, e["sigma2"], 1e-2),
    ]


@covers(*(f"produc.elhorst.{m}.twoways.LYbc" for m in SPATIAL))
def elhorst_two_way_corrected(e: dict) -> list[Compare]:
    model = e["id"].split(".")[2]
    fit = fitted("produc", model, "twoways", "bias")
    limit = 1.2e-2 if model == "sdem" else 1e-2
    return [
        Compare("spatial", fit.params[SPATIAL[model]], e["param"][-1], atol=limit),
        Compare("sigma2", fit.sigma2, e["sigma2"], 1e-2),
    ]


@covers(*(f"produc.SDPDm.{m}.individual.{v}" for m in ("sar", "sdm") for v in ("no", "LY", "LYdemn")))
def sdpdmod_unit_effects(e: dict) -> list[Compare]:
    """Grid log-determinant again; its standard errors pass through a nearest positive definite repair."""
    _, _, model, effects, variant = e["id"].split(".")
    fit = fitted("produc", model, effects, "none" if variant == "no" else "transform")
    return [
        Compare("rho", fit.rho, e["rho"], atol=1e-2),
        Compare("loglik", fit.llf, e["loglik"], atol=0.25),
        Compare("sigma2", fit.sigma2, e["sigma2"], 1e-2),
    ]


# -- two-way and time numbers that are wrong -----------------------------------------------------------------
def likelihood_at(key: str, model: str, effects: str, transform: bool, coefficients: dict) -> float:
    """Dense likelihood at given parameters, dummies and sigma2 at their best."""
    x = PANELS[key][1]
    names = [*x, *(f"W:{n}" for n in x)] if model in ("sdm", "sdem", "slx") else list(x)
    slopes = np.array([coefficients[n] for n in names])
    system = panel_system(key, model, effects, transform)
    return profile_loglik(system, slopes, coefficients.get("rho", 0.0), coefficients.get("lambda", 0.0))


def _wrong(e: dict) -> list[Compare]:
    """Their estimate is no maximum: ours has the higher likelihood, so says the dense likelihood."""
    i = e["id"].split(".")
    key, software, model, effects, variant = i
    corrected = variant in ("LY", "LYdemn")
    fit = fitted(key, model, effects, "transform" if corrected else "none")
    coefficients = splm_vectors(e, model)[0] if software == "splm" else {**named(e["coefficients"]), "rho": e["rho"]}
    at_theirs = likelihood_at(key, model, effects, corrected, coefficients)
    at_ours = likelihood_at(key, model, effects, corrected, fit.params.to_dict())
    assert at_theirs < at_ours - 1e-7, (at_theirs, at_ours)
    return [Compare("dense likelihood at our estimate", fit.llf, at_ours, atol=1e-7)]


covers(
    *(f"produc.splm.{m}.{ef}.{v}" for m in (*SPATIAL, "sac") for ef in ("time", "twoways") for v in ("ml", "LY")),
    *(f"rice.splm.{m}.{ef}.LY" for m in (*SPATIAL, "sac") for ef in ("time", "twoways")),
    *(f"produc.SDPDm.{m}.twoways.{v}" for m in ("sar", "sdm") for v in ("no", "LYdemn")),
    *(f"produc.SDPDm.{m}.time.{v}" for m in ("sar", "sdm") for v in ("no", "LY")),
    "produc.SDPDm.sar.twoways.LY",
)(_wrong)


@covers("produc.SDPDm.sdm.twoways.LY")
def sdpdmod_outside_the_interval(e: dict) -> list[Compare]:
    """Its correction leaves the admissible interval: rho = 1.47."""
    assert e["rho"] > weights("produc").rho_interval()[1] == 1.0
    return [
        Compare(
            "rho of the transformation is inside",
            fitted("produc", "sdm", "twoways", "transform").rho,
            0.41,
            atol=0.01,
        )
    ]
