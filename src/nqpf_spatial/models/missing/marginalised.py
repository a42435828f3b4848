"""``missing="marginalise"``: outcomes that are missing integrated out of a model of the whole network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.integrated import Whole, effects_of, fit_integrated
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.ml import Likelihood
from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.kernels.unbalanced import effects, reduce_cells
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.determinant import EIGENVALUES_UP_TO, log_determinant
from nqpf_spatial.models.estimate import (
    Columns,
    Estimate,
    Weights,
    _check_size,
    build_columns,
    check_absorbed,
    check_collinear,
)
from nqpf_spatial.models.spec import Model


def estimate_marginalised(
    design: Design, model: Model, weights: Weights, correction: str, durbin: tuple[str, ...] | None
) -> Estimate:
    """Estimate one model from the exact density of the observed outcomes."""
    if model.lag and model.error:
        raise IdentificationError(
            f'missing="marginalise" is for models with one spatial parameter; a {model.name} model has two. Use SDM or SDEM, '
            'or missing="subnetwork"'
        )
    if design.shape[1] > EIGENVALUES_UP_TO:
        raise IdentificationError(
            f'missing="marginalise" factorises N x N covariances and stops at N = {EIGENVALUES_UP_TO}; here N = '
            f"{design.shape[1]}"
        )
    _require_connected(design)
    columns = build_columns(design, model, weights, durbin)
    columns = replace(columns, wy=_known_lag(design, weights))
    check_absorbed(columns, design)
    whole = _whole(design, model, weights, columns, correction)
    seen = design.observed
    assert seen is not None
    base = np.concatenate([columns.z[:, seen], np.zeros((2, design.nobs))])
    check_collinear(reduce_cells(base, None, effects(seen, design.unit, design.time)), columns)
    _check_size(design.nobs - design.effects_rank, len(columns.names))
    logdets = (whole.interval, None) if model.lag else (None, whole.interval)
    likelihood = Likelihood(whole.n, design.shape[0], *logdets)
    return Estimate(model, design, weights, columns, correction, None, likelihood, fit_integrated(whole))


def decompose(est: Estimate) -> tuple[NDArray, NDArray, NDArray]:
    """Composite ``y - rho Wy - Z beta`` and its error, NaN where a unit or a neighbour is missing; effects of all cells."""
    fit, columns = est.fit, est.columns
    fixed = effects_of(_whole(est.design, est.model, est.weights, columns, est.correction), fit)
    composite = est.design.y - np.tensordot(fit.beta, columns.z, axes=1)
    if est.model.lag:
        composite = composite - fit.rho * columns.wy
    e = composite - fixed
    if est.weights.error is not None:
        e = e - fit.lambda_ * _lag_where_known(est.weights.error.sparse, e)
    return composite, fixed, e


def _whole(design: Design, model: Model, weights: Weights, columns: Columns, correction: str) -> Whole:
    seen = design.observed
    assert seen is not None
    adjust = correction != "none" and (design.unit or design.time)
    w = weights.lag if model.lag else weights.error
    if adjust and correction == "transform" and model.lag and w is not None:
        _require_score(design, w.is_row_stochastic)
    basis = effects(np.ones(design.shape, dtype=bool), design.unit, design.time).dense().T
    logdet = None if w is None else log_determinant(w)
    assert logdet is None or isinstance(logdet, LogDet)  # N is bounded
    return Whole(
        design.y,
        columns.z,
        basis.reshape(-1, *design.shape),
        seen,
        None if w is None else w.dense(),
        model.error,
        adjust,
        logdet,
    )


def _require_score(design: Design, row_stochastic: bool) -> None:
    if design.unit or not row_stochastic:
        raise IdentificationError(
            'correction="transform" does not exist where outcomes are missing: no transformation of what is observed is free of '
            'the effects for every rho. Use correction="score", or correction="none", which carries the incidental-parameter bias'
        )


def _require_connected(design: Design) -> None:
    t, n = design.shape
    if design.unit and design.time and design.effects_rank < n + t - 1:
        raise IdentificationError(
            "the observed cells fall into groups of units and periods that share none: their effects cannot be told apart. Use "
            'one kind of fixed effects, another window with years=, or missing="subnetwork"'
        )


def _known_lag(design: Design, weights: Weights) -> NDArray:
    return np.zeros(design.shape) if weights.lag is None else _lag_where_known(weights.lag.sparse, design.y)


def _lag_where_known(w: NDArray, values: NDArray) -> NDArray:
    """Spatial lag (T, N) where all neighbours have a value; NaN elsewhere."""
    absent = ~np.isfinite(values)
    lag = spatial_lag(w, np.where(absent, 0.0, values))
    lag[spatial_lag(w, absent.astype(float)) > 0] = np.nan
    return lag
