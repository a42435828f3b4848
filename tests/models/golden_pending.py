"""Golden entries that no estimator or test of ours covers yet, with the reason."""

from __future__ import annotations

from golden_support import FIXED, KEYS, PANELS, SPATIAL, SPREG_KEYS


def ids(*parts: object) -> set[str]:
    """All combinations of the parts, joined by dots; a part is one word or several."""
    out = [""]
    for part in parts:
        options = (part,) if isinstance(part, str) else tuple(part)
        out = [f"{head}.{tail}" if head else tail for head in out for tail in options]
    return set(out)


_P, _LAGS = tuple(PANELS), ("sar", "sdm")
_SPHET = tuple(f"sphet_{m}{h}" for m in ("lag", "error", "sarar", "ols") for h in ("", "_het"))
_STSLS = ("stsls", "stsls_robust", "stsls_noW2X", "gm_error", "gstsls")
_GM_LAG = ("wlags1", "wlags2", "wlags2_sig2n_k", "white")
_GM = tuple(f"gm_{m}_{v}" for m in ("error", "combo") for v in ("kp98", "hom", "het"))
_RE = ("re", "semre", "semre_durbin", "sem2re", "sarre", "sdmre", "sarsemre", "sarsem2re")
_LM = ("panel_LMlag", "panel_LMerror", "panel_rLMlag", "panel_rLMerror")
_DYN = ("individual", "twoways_transform", "twoways_demean", "twoways_dummy", "direct")
_SDPD = ("twoways.LY.tl_stl", "twoways.LY.tl", "twoways.no.tl_stl", "twoways.DIR.tl_stl")
_SDPD_UNIT = ("individual.LY.tl_stl", "individual.LY.tl", "individual.no.tl_stl")

NOT_COVERED: dict[str, set[str]] = {
    "two-stage least squares and GMM of cross-sections (see test_models_gmm_golden.py)": ids(KEYS, (*_STSLS, *_SPHET))
    | ids(SPREG_KEYS, "spreg", _GM)
    | ids(SPREG_KEYS, "spreg.gm_lag", _GM_LAG),
    "GMM of panels (within: see test_models_gmm_golden.py; with random effects: no estimator of ours)": ids(
        _P, "spgm_error", ("within", "random"), ("initial", "weights", "fullweights")
    )
    | ids(_P, "spgm_lag", ("within.w2sls", "random.b2sls", "random.g2sls", "random.ec2sls"))
    | ids(_P, "spgm_sarar", ("within.w2sls", "random.g2sls", "random.ec2sls"))
    | ids(_P, "spreg", ("gm_kkp", "gm_kkp_full")),
    "random effects (see tests/kernels/test_random_effects_golden.py)": ids(_P, ("splm_re", "own.re"), _RE)
    | ids(_P, "spreml", ("semsrre", "srre", "semsr", "sr"))
    | ids(_P, "spreg", ("re_lag.sar", "re_lag.sdm", "re_error.sem", "re_error.sdem"))
    | ids("produc.elhorst_re", SPATIAL)
    | ids("produc.elhorst_re_timeFE", _LAGS),
    "tests (LM, Hausman, joint significance; see tests/diagnostics)": ids(SPREG_KEYS, "spreg.lmtests")
    | ids(_P, "plm_tests")
    | ids(_P, "bsk", ("LMH", "LM1", "LM2", "CLMlambda", "CLMmu"))
    | ids(_P, "bsjk", ("C.1", "C.2", "C.3", "J"))
    | ids(_P, "hausman", ("lag.ML", "lag.GM", "error.ML", "sarar.ML", "sarar.GM"))
    | ids(_P, "own.LM", ("none", *FIXED))
    | ids("produc.elhorst.LM", ("pooled", *FIXED))
    | ids(_P, "spreg", (*_LM, "hausman.lag", "hausman.error")),
    "log marginal likelihoods (see tests/kernels/test_posterior.py; blmp is off by a missing logarithm)": ids(
        _P, "own.logmarginal", FIXED, ("no", "LY")
    )
    | ids(_P, "own.logmarginal.none.no")
    | ids("produc.blmp", ("twoways", "individual"), ("no", "LY"), ("uniform", "beta"))
    | ids("produc.blmp", ("time.no", "time.LY", "none.no"), "uniform")
    | ids("produc.blmp_dyn", ("individual", "twoways"), ("no", "LY")),
    "dynamic models (see tests/kernels/test_dynamic_*.py)": ids("produc.own_dyn", _LAGS, _DYN, ("tl_stl", "tl"))
    | ids("produc.SDPDm_dyn", _LAGS, (*_SDPD, *_SDPD_UNIT)),
    "Elhorst rescales sigma2 with time effects and leaves rho: no estimator of ours": ids(
        "produc.elhorst", SPATIAL, "time.LYbc"
    ),
}
