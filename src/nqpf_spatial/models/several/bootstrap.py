"""Bootstraps of a fit with several or changing weights: samples from the reduced form, refitted as the estimate was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.errors import ConvergenceError
from nqpf_spatial.kernels.combination import fit_combination
from nqpf_spatial.kernels.moments import reduce_columns
from nqpf_spatial.kernels.several import SeveralML, fit_lags
from nqpf_spatial.models.bootstrap import KINDS, _errors, _rank
from nqpf_spatial.models.covariance import group_codes
from nqpf_spatial.models.estimate import Columns
from nqpf_spatial.models.residuals import decompose
from nqpf_spatial.models.several.estimate import SeveralEstimate
from nqpf_spatial.models.several.weights import lag_over

STATIC_KINDS = tuple(kind for kind in KINDS if kind != "recursive")


def bootstrap(
    est: SeveralEstimate,
    kind: str = "residual",
    replicates: int = 999,
    seed: int = 0,
    groups: pd.Series | Mapping[Any, Any] | str | None = None,
) -> tuple[NDArray, NDArray]:
    """Replicates (R, p) of the parameters and (R,) of sigma2; see `nqpf_spatial.models.bootstrap.bootstrap`."""
    fits = refits(est, est.ml, kind, replicates, seed, groups)
    params = [np.concatenate([f.beta, f.r if f.shares is None else np.append(f.rho, f.shares)]) for f in fits]
    return np.array(params), np.array([f.sigma2 for f in fits])


def refits(
    est: SeveralEstimate,
    truth: SeveralML,
    kind: str,
    replicates: int,
    seed: int,
    groups: pd.Series | Mapping[Any, Any] | str | None = None,
) -> list[SeveralML]:
    """Estimates from samples whose parameters are those of `truth`, a fit of the same model."""
    if kind not in STATIC_KINDS:
        raise ValueError(f"kind={kind!r} is not known here; choose one of {', '.join(map(repr, STATIC_KINDS))}")
    if replicates < 2:
        raise ValueError(f"replicates={replicates}: at least two are needed, 999 are usual")
    if groups is not None and kind != "wild-cluster":
        raise ValueError(f'groups= has no meaning for kind={kind!r}; use "wild-cluster"')
    sampler = Sampler(est, truth)
    scale = np.sqrt(est.design.y.size / _rank(est))
    codes = group_codes(est, groups) if kind == "wild-cluster" else None
    found: list[SeveralML] = []
    for block in _errors(kind, sampler.resid * scale, codes, replicates, np.random.default_rng(seed)):
        for e in block:
            try:
                found.append(sampler.refit(e))
            except ConvergenceError as error:
                raise ConvergenceError(f"replicate {len(found)} of the bootstrap did not converge: {error}") from error
    return found


class Sampler:
    """Reduced form of a fit: errors in, estimates of the sample with these errors out."""

    def __init__(self, est: SeveralEstimate, truth: SeveralML) -> None:
        assert est.lag is not None
        self.est, self.truth = est, truth
        design = est.design
        columns = _columns(est, truth)
        at_truth = replace(est, columns=columns, fit=truth)
        _, effects, self.resid = decompose(at_truth)
        self.signal = np.tensordot(truth.beta, columns.z, axes=1) + effects
        eye = np.eye(design.shape[1])
        self.to_y = np.linalg.inv(eye - np.tensordot(est.lag.w, truth.r, axes=(1, 0)))[est.lag.pattern]
        self.fixed = _stacked_z(est)

    def factor(self, e: NDArray) -> NDArray:
        """Triangular factor of the sample with errors e (T, N)."""
        est, design = self.est, self.est.design
        y = np.einsum("tij,tj->ti", self.to_y, self.signal + e)
        lags = [lag_over(term, design.periods, y) for term in est.several.terms]
        base = np.concatenate([self.fixed, np.stack([y, *lags])])
        return reduce_columns(base, None, design.unit, design.time).base

    def refit(self, e: NDArray) -> SeveralML:
        """The estimate from the sample with errors e (T, N)."""
        est, factor = self.est, self.factor(e)
        assert est.reduced is not None
        assert est.joint is not None
        if est.data is not None:
            return fit_combination(replace(est.data, factor=factor))
        return fit_lags(factor, est.reduced.k, est.joint, self.truth.r if self.truth.r.size > 1 else None)


def _stacked_z(est: SeveralEstimate) -> NDArray:
    """Columns before y: Z, or X and the lags of every matrix in a combination."""
    if est.data is None or not est.data.d:
        return est.columns.z
    names = [name.removeprefix("W:") for name in est.columns.names[est.data.k :]]
    lagged = [
        lag_over(term, est.design.periods, est.design.x[est.design.names.index(name)])
        for term in est.several.terms
        for name in names
    ]
    return np.concatenate([est.columns.z[: est.data.k], np.stack(lagged)])


def _columns(est: SeveralEstimate, truth: SeveralML) -> Columns:
    """Z and the composite lag at the parameters of `truth`."""
    if truth is est.fit or not est.several.terms:
        return est.columns
    lags = np.stack([lag_over(term, est.design.periods, est.design.y) for term in est.several.terms])
    wy = np.tensordot(truth.r / truth.r.sum(), lags, axes=1)
    if est.data is None or truth.shares is None:
        return replace(est.columns, wy=wy)
    k, d, m = est.data.k, est.data.d, est.data.terms
    stacked = _stacked_z(est)
    lagged = stacked[k:].reshape(m, d, *est.design.shape) if d else np.zeros((m, 0, *est.design.shape))
    return replace(est.columns, z=np.concatenate([stacked[:k], np.tensordot(truth.shares, lagged, axes=1)]), wy=wy)
