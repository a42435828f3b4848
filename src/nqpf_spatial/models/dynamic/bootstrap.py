"""Recursive bootstrap of a dynamic fit: paths rebuilt from y_0, every replicate re-estimated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import dynamic_replicate as replicate
from nqpf_spatial.models.dynamic.part import part
from nqpf_spatial.models.estimate import Estimate
from nqpf_spatial.models.residuals import decompose

_BLOCK = 256


def recursive_bootstrap(est: Estimate, replicates: int = 999, seed: int = 0) -> tuple[NDArray, NDArray, NDArray]:
    """Recursive residual bootstrap given y_0: residuals are drawn over all cells, y is rebuilt period by period.

    Returns
    -------
    params : (R, p) ndarray
        Replicates of the coefficients, in the order of ``fit.params``, that found a maximum; the others are left out and counted by R.
    sigma2 : (R,) ndarray
    converged : (replicates,) bool ndarray
    """
    dynamic = part(est)
    check_refitted(est)
    if replicates < 2:
        raise ValueError(f"replicates={replicates}: at least two are needed, 999 are usual")
    found = replicate.refit(replicate_design(est), recursive_errors(est, replicates, seed))
    lagged = found.phi[:, [i for i in dynamic.free if i < 2]]
    params = np.column_stack([found.beta, lagged, *([found.phi[:, 2]] if est.model.lag else [])])
    return params[found.converged], found.sigma2[found.converged], found.converged


def check_refitted(est: Estimate) -> None:
    """Replicates are maxima of the (adjusted) likelihood: a one-step correction after it is not repeated."""
    unit, time = est.design.unit, est.design.time
    if (est.correction == "bias" and unit) or (est.correction == "direct" and (unit or time)):
        raise IdentificationError(
            f"correction={est.correction!r} changes the estimate after the likelihood; bootstrap a fit with "
            'correction="transform", "score" or "none"'
        )


def recursive_errors(est: Estimate, replicates: int, seed: int) -> Iterator[NDArray]:
    """The errors (r, T, N) behind the replicates, block by block: the same seed gives the same errors."""
    t, n = est.design.shape
    scale = np.sqrt(t * n / ((t - est.design.unit) * (n - est.design.time)))
    return _errors(decompose(est)[2] * scale, replicates, np.random.default_rng(seed))


def replicate_design(est: Estimate) -> replicate.DynamicDesign:
    """The design whose refits are estimates of the same kind as `est`."""
    dynamic = part(est)
    own = len(est.columns.names) - len(dynamic.terms)
    z = est.columns.z[:own]
    signal = np.tensordot(est.fit.beta[:own], z, axes=1) + decompose(est)[1]
    w = est.weights.first()
    n = est.design.shape[1]
    logdet = est.likelihood.rho
    interval = (-np.inf, np.inf) if logdet is None else (logdet.low, logdet.high)
    return replicate.dynamic_design(
        z, signal, dynamic.first, np.zeros((n, n)) if w is None else w.dense(), dynamic.phi,
        (est.design.unit, est.design.time), est.likelihood.n, dynamic.adjustment, dynamic.free, interval,
    )  # fmt: skip


def _errors(residual: NDArray, replicates: int, rng: np.random.Generator) -> Iterator[NDArray]:
    for start in range(0, replicates, _BLOCK):
        size = (min(_BLOCK, replicates - start), *residual.shape)
        yield residual.ravel()[rng.integers(0, residual.size, size)]
