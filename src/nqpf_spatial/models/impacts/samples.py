"""Samples of the parameters of a fit: normal draws, bootstrap replicates, posterior; and what is read off them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.models.bayes.posterior import Prior, posterior, warn_at_edge
from nqpf_spatial.models.bootstrap import bootstrap
from nqpf_spatial.models.covariance import check_alpha

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

METHODS = ("simulate", "bootstrap", "posterior")


def normal_draws(fit: SpatialFit, draws: int, seed: int) -> NDArray:
    """(draws, p) parameter vectors from the normal distribution of the estimates."""
    rng = np.random.default_rng(seed)
    factor = root(fit.cov_params().to_numpy())
    return fit.params.to_numpy() + rng.standard_normal((draws, factor.shape[0])) @ factor.T


def root(covariance: NDArray) -> NDArray:
    """F with ``F F' = covariance``; one of few clusters or periods has no full rank, and draws then stay in the space it spans."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        scale = np.sqrt(np.diag(covariance))
        values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
        return scale[:, None] * vectors * np.sqrt(np.maximum(values, 0.0))


def sample_parameters(
    fit: SpatialFit, method: str, draws: int, seed: int, kind: str | None = None, prior: Prior | str | None = None
) -> NDArray:
    """(draws, p) parameter vectors by any method but "delta"."""
    if method == "simulate":
        return normal_draws(fit, draws, seed)
    if method == "bootstrap":
        return bootstrap(fit.estimate, kind or ("recursive" if fit.dynamic else "residual"), draws, seed)[0]
    found = posterior(fit, draws, seed, prior or "flat")
    warn_at_edge(found)
    return found.draws.to_numpy()


def check_request(method: str, draws: int, alpha: float) -> None:
    """What intervals of a function of the parameters can be asked for."""
    if method not in ("delta", *METHODS):
        raise ValueError(f"method={method!r} is not known; choose one of {', '.join(map(repr, ('delta', *METHODS)))}")
    check_alpha(alpha)
    if method != "delta" and draws < 2:
        raise ValueError(f"draws={draws}: at least two are needed, some thousands are sensible")


def vcov_note(fit: SpatialFit, method: str) -> str:
    """Which covariance the inference takes, or that the one chosen with ``with_vcov`` has no part in it: replicates and posteriors make their own.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> data = nq.simulate("SAR", nq.weights.contiguity(), T=6, params={"x": 1.0, "rho": 0.4}, seed=1)
    >>> fit = nq.sar("y ~ x | unit + period", data, nq.weights.contiguity()).with_vcov("sandwich")
    >>> vcov_note(fit, "delta"), vcov_note(fit, "bootstrap")
    (', vcov sandwich', "; vcov 'sandwich' of the fit does not enter")
    """
    if method not in ("bootstrap", "posterior"):
        return f", vcov {fit.vcov}"
    return "" if fit.vcov == "observed" else f"; vcov {fit.vcov!r} of the fit does not enter"


def sign_probability(effects: NDArray, weights: NDArray | None = None) -> NDArray:
    """Twice the smaller probability of a sign over samples on the first axis."""
    positive = np.average(effects > 0, axis=0, weights=weights)
    negative = np.average(effects < 0, axis=0, weights=weights)
    return np.minimum(1.0, 2.0 * np.minimum(positive, negative))


def admissible(fit: SpatialFit, sample: NDArray) -> NDArray:
    """Which draws have rho inside its admissible interval."""
    logdet = fit.estimate.likelihood.rho
    if logdet is None:
        return np.ones(sample.shape[0], dtype=bool)
    rho = sample[:, fit.params.index.get_loc("rho")]
    return (rho > logdet.low) & (rho < logdet.high)
