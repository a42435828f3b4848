"""A fit taken apart: systematic part, effects and error of every observation."""

from __future__ import annotations

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.kernels.moments import remove_effects, spatial_lag
from nqpf_spatial.models import random_effects
from nqpf_spatial.models.estimate import Estimate, matrix
from nqpf_spatial.models.missing import unbalanced


def decompose(est: Estimate) -> tuple[NDArray, NDArray, NDArray]:
    """Composite ``y - rho Wy - Z beta``, its fixed effects, and the filtered residual e; all (T, N)."""
    design = est.design
    if est.random is not None:
        return _decompose_random(est)
    if est.design.observed is not None:
        return unbalanced.decompose(est)
    composite = design.y - est.fit.rho * est.columns.wy - np.tensordot(est.fit.beta, est.columns.z, axes=1)
    if est.weights.error is None:
        e = remove_effects(composite, design.unit, design.time)
        return composite, composite - e, e
    # the likelihood removes the effects after the filter: with W that is not doubly stochastic the period means before and
    # after it differ
    w = est.weights.error
    e = remove_effects(composite - est.fit.lambda_ * spatial_lag(matrix(w), composite), design.unit, design.time)
    return composite, composite - _unfiltered(est, e), e


def _decompose_random(est: Estimate) -> tuple[NDArray, NDArray, NDArray]:
    """As `decompose`, with predicted unit effects; what is left after them and the error are the time effects."""
    composite = est.design.y - est.fit.rho * est.columns.wy - np.tensordot(est.fit.beta, est.columns.z, axes=1)
    e = random_effects.predict(est).resid
    return composite, composite - _unfiltered(est, e), e


def _unfiltered(est: Estimate, e: NDArray) -> NDArray:
    """``(I - lambda W)^{-1} e_t``."""
    w = est.weights.error
    return e if w is None else sla.solve(np.eye(w.n) - est.fit.lambda_ * w.dense(), e.T).T
