"""Random and correlated random (Mundlak) unit effects on the same path: another likelihood, the same result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels.factor import FactorLogDet
from nqpf_spatial.kernels.ml import Likelihood, MLFit
from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.kernels.random_effects import REFit, fit_re
from nqpf_spatial.kernels.random_effects_information import expected_information_re
from nqpf_spatial.kernels.random_effects_predict import REPrediction, random_effects_predict
from nqpf_spatial.models.design import MEAN, Design
from nqpf_spatial.models.estimate import (
    Columns,
    Estimate,
    Weights,
    build_columns,
    build_likelihood,
    check_absorbed,
    matrix,
)
from nqpf_spatial.models.spec import Model

EFFECTS = ("fixed", "random", "mundlak")
RANDOM_ERRORS = ("kkp", "baltagi")


def estimate_random(
    design: Design,
    model: Model,
    weights: Weights,
    effects: str,
    random_error: str,
    durbin: tuple[str, ...] | None,
) -> Estimate:
    """Estimate with random unit effects; time effects, if any, stay fixed and are transformed away.

    ``effects="mundlak"`` adds the unit means of the regressors and, with Durbin terms, their spatial lags (Mundlak 1978;
    Debarsy 2012, eq. 9), so that the unit effects may be correlated with the regressors.
    """
    _check(design, effects)
    if effects == "mundlak":
        design, means = _with_means(design)
        durbin = None if durbin is None else (*durbin, *(MEAN + d for d in durbin if MEAN + d in means))
    columns = build_columns(design, model, weights, durbin)
    check_absorbed(columns, design)
    likelihood = build_likelihood(design, weights, "transform")
    found = _fit(design, columns, weights, likelihood, random_error if model.error else "none")
    boundary = any(name in ("rho", "lambda") for name in found.boundary)
    fit = MLFit(
        found.beta,
        found.rho,
        found.lambda_,
        found.sigma2,
        found.sigma2 * found.n,
        found.llf,
        found.information,
        found.iterations,
        boundary,
    )
    return Estimate(model, design, weights, columns, "transform", None, replace(likelihood, n=found.n), fit, found)


def random_counterpart(est: Estimate, random_error: str = "kkp") -> Estimate:
    """The same regression with random instead of fixed unit effects, what a Hausman test compares it with."""
    design = replace(est.design, unit=False)
    if not design.time:
        ones = np.ones((1, *design.shape))
        design = replace(design, x=np.concatenate([ones, design.x]), names=("Intercept", *design.names))
    lagged = tuple(n.removeprefix("W:") for n in est.columns.names if n.startswith("W:"))
    return estimate_random(design, est.model, est.weights, "random", random_error, lagged if est.model.durbin else None)


def _check(design: Design, effects: str) -> None:
    if len(design.levels) == 1:
        raise PanelError(f'effects="{effects}" needs a panel with index (unit, period); the data are a cross-section')
    if design.unit:
        raise PanelError(
            f'effects="{effects}" and fixed effects of {design.levels[0]!r} exclude each other: leave '
            f"{design.levels[0]!r} out after '|'"
        )


def _with_means(design: Design) -> tuple[Design, list[str]]:
    """Unit means of every regressor that varies over time in some unit; the others are their own means."""
    mean = np.broadcast_to(design.x.mean(axis=1, keepdims=True), design.x.shape)
    scale = np.abs(design.x).max(axis=(1, 2))
    varies = np.abs(design.x - mean).max(axis=(1, 2)) > 1e-12 * scale
    rows = [i for i, name in enumerate(design.names) if varies[i] and name != "Intercept"]
    names = [MEAN + design.names[i] for i in rows]
    return replace(design, x=np.concatenate([design.x, mean[rows]]), names=(*design.names, *names)), names


def _fit(design: Design, columns: Columns, weights: Weights, likelihood: Likelihood, error: str) -> REFit:
    w_error = None if weights.error is None else weights.error.dense()
    wy = None if weights.lag is None else columns.wy
    if isinstance(likelihood.rho, FactorLogDet) or isinstance(likelihood.lambda_, FactorLogDet):
        raise ValueError(f"random effects need the eigenvalues of W, too many with {design.shape[1]} units")
    return fit_re(columns.z, design.y, wy, w_error, likelihood.rho, likelihood.lambda_, error, design.time)


def replicates(est: Estimate, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Parametric bootstrap: (R, p) estimates and (R,) sigma2 from panels drawn from the fitted model, effects included."""
    assert est.random is not None
    rng, (t, n) = np.random.default_rng(seed), est.design.shape
    signal = np.tensordot(est.fit.beta, est.columns.z, axes=1)
    lag, error = est.weights.lag, est.weights.error
    inverse = [
        np.eye(n) if w is None else np.linalg.inv(np.eye(n) - v * w.dense())
        for w, v in ((lag, est.fit.rho), (error, est.fit.lambda_))
    ]
    params, sigma2 = [], []
    for _ in range(count):
        mu = np.sqrt(est.random.sigma2_mu) * rng.standard_normal(n)
        e = np.sqrt(est.fit.sigma2) * rng.standard_normal((t, n))
        u = (mu + e) @ inverse[1].T if est.random.error == "kkp" else mu + e @ inverse[1].T
        y = (signal + u) @ inverse[0].T
        columns = replace(est.columns, wy=est.columns.wy if lag is None else spatial_lag(matrix(lag), y))
        found = _fit(replace(est.design, y=y), columns, est.weights, est.likelihood, est.random.error)
        spatial = [v for v, on in ((found.rho, est.model.lag), (found.lambda_, est.model.error)) if on]
        params.append(np.append(found.beta, spatial))
        sigma2.append(found.sigma2)
    return np.array(params), np.array(sigma2)


def expected(est: Estimate) -> np.ndarray:
    """Expected information of (beta, [rho], [lambda], [phi], sigma2)."""
    assert est.random is not None
    lag, error = est.weights.lag, est.weights.error
    return expected_information_re(
        est.columns.z, est.random, None if lag is None else lag.dense(), None if error is None else error.dense()
    )


def predict(est: Estimate) -> REPrediction:
    """Predicted unit effects and residuals."""
    assert est.random is not None
    lag, error = est.weights.lag, est.weights.error
    wy = None if lag is None else est.columns.wy
    return random_effects_predict(est.random, est.columns.z, est.design.y, wy, None if error is None else matrix(error))
