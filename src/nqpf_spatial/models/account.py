"""What a fit is, in one line and in full: the row of a comparison, and what reproduces it."""

from __future__ import annotations

import hashlib
import platform
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nqpf_spatial.kernels.factor import FactorLogDet
from nqpf_spatial.kernels.ml import Likelihood
from nqpf_spatial.models.dynamic.part import lag_names, part

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit


def dummies(fit: SpatialFit) -> int:
    """Fixed effects that are parameters of the likelihood: those that the correction has not transformed away."""
    design, correction = fit.estimate.design, fit.correction
    if correction in ("transform", "score"):
        return 0
    if fit.dynamic and correction == "bias":  # the time effects are transformed away, N - 1 units are left
        return (design.shape[1] - design.time) * design.unit
    return design.effects_rank


def glance(fit: SpatialFit) -> pd.Series:
    """One line about the fit."""
    design, w = fit.estimate.design, fit.w
    t, n = design.shape
    return pd.Series(
        {
            "model": fit.model,
            "time lags": " + ".join(fit.dynamic) or "none",
            "effects": " + ".join(fit.effects) or "none",
            "random effects": fit.random or "none",
            "correction": fit.correction if fit.effects else "not needed",
            "vcov": fit.vcov,
            "w": None if w is None else w.name,
            "N": n,
            "T": t,
            "periods lost": int(bool(fit.dynamic)),
            "missing": fit.dropped.short(),
            "nobs": fit.nobs,
            "n_effective": fit.n_effective,
            "sigma2": fit.sigma2,
            "llf": fit.llf,
            "aic": fit.aic,
            "bic": fit.bic,
        },
        name=design.outcome,
        dtype=object,
    )


def _methods(likelihood: Likelihood) -> dict[str, str]:
    """What computed ``ln|I - r W|`` of the lag and of the error."""
    parts = {"lag": likelihood.rho, "error": likelihood.lambda_}
    return {
        role: part.method if isinstance(part, FactorLogDet) else "eigenvalues"
        for role, part in parts.items()
        if part is not None
    }


def provenance(fit: SpatialFit) -> dict[str, Any]:
    """What reproduces a fit: versions, data release, checksums; no clock times, no paths."""
    import scipy

    from nqpf_spatial import __version__

    est = fit.estimate
    versions = {"nqpf_spatial": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
    dynamic = part(est) if fit.dynamic else None
    time_lags = lag_names(est)
    return {
        "formula": fit.formula,
        "model": fit.model,
        "dynamic": None
        if dynamic is None
        else {
            "terms": list(dynamic.terms),
            "first_period": str(dynamic.first_period),
            "first_checksum": hashlib.sha256(np.ascontiguousarray(dynamic.first).tobytes()).hexdigest(),
        },
        "effects": {"fixed": list(fit.effects), "random": fit.random},
        "durbin": [n.removeprefix("W:") for n in est.columns.names if n.startswith("W:") and n not in time_lags],
        "correction": fit.correction,
        "log_determinant": _methods(est.likelihood),
        "vcov": fit.vcov,
        "vcov_options": {key: str(value) for key, value in fit.vcov_options.items()},
        "missing": fit.dropped.facts(),
        "data_release": fit.release,
        "data_checksum": est.design.checksum(),
        "w": est.weights.traced(),
        "periods": [str(p) for p in est.design.periods if p is not None],
        "versions": {**versions, "pandas": pd.__version__, "python": platform.python_version()},
    }
