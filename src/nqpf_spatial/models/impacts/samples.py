"""Samples of the parameters of a fit: normal draws, bootstrap replicates, posterior; and what is read off them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.models.bayes.posterior import Prior, posterior, warn_at_edge
from nqpf_spatial.models.bootstrap import bootstrap

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

METHODS = ("simulate", "bootstrap", "posterior")


def normal_draws(fit: SpatialFit, draws: int, seed: int) -> NDArray:
    """(draws, p) parameter vectors from the normal distribution of the estimates."""
    rng = np.random.default_rng(seed)
    factor = np.linalg.cholesky(fit.cov_params().to_numpy())
    return fit.params.to_numpy() + rng.standard_normal((draws, factor.shape[0])) @ factor.T


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
