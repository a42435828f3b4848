"""Bootstraps of a fit: replicates of the estimates, refitted in blocks by the replicate kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg as sla

from nqpf_spatial.errors import ConvergenceError
from nqpf_spatial.kernels import replicate
from nqpf_spatial.kernels.factor import FactorLogDet
from nqpf_spatial.kernels.ml import fit_ml
from nqpf_spatial.kernels.moments import reduce_columns
from nqpf_spatial.models import random_effects
from nqpf_spatial.models.covariance import group_codes
from nqpf_spatial.models.dynamic.bootstrap import recursive_bootstrap
from nqpf_spatial.models.dynamic.part import dynamic_terms
from nqpf_spatial.models.estimate import IN_LIKELIHOOD, Estimate
from nqpf_spatial.models.missing import inference as unbalanced_inference
from nqpf_spatial.models.missing.networks import require_balanced
from nqpf_spatial.models.residuals import decompose

KINDS = ("residual", "parametric", "wild", "wild-cluster", "recursive")
_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Replicates of the estimates of one fit.

    Attributes
    ----------
    params : DataFrame
        (replicates, terms), columns as in ``fit.params``.
    sigma2 : Series
    estimate : Series
        The estimates that were bootstrapped.
    kind : str
    seed : int
    attempted : int
        Replicates drawn; those of a dynamic fit whose likelihood has no maximum are not among `params`.
    """

    params: pd.DataFrame
    sigma2: pd.Series
    estimate: pd.Series
    kind: str
    seed: int
    attempted: int

    def bias(self) -> pd.Series:
        """Mean of the replicates minus the estimate."""
        return (self.params.mean() - self.estimate).rename("bias")

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the replicates."""
        return self.params.cov()

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Percentile intervals at level 1 - alpha."""
        bounds = self.params.quantile([alpha / 2, 1 - alpha / 2])
        return pd.DataFrame({"lower": bounds.iloc[0], "upper": bounds.iloc[1]})

    def __repr__(self) -> str:
        table = pd.DataFrame(
            {"estimate": self.estimate, "bias": self.bias(), "se": self.params.std(ddof=1), **self.conf_int()}
        )
        lost = self.attempted - len(self.params)
        without = f", {lost} of {self.attempted} without a maximum left out" if lost else ""
        head = f"{self.kind} bootstrap, {len(self.params)} replicates, seed {self.seed}{without}"
        return f"{head}\n{table.to_string(float_format=lambda v: f'{v:.5g}')}"


def bootstrap(
    est: Estimate,
    kind: str = "residual",
    replicates: int = 999,
    seed: int = 0,
    groups: pd.Series | Mapping[Any, Any] | str | None = None,
) -> tuple[NDArray, NDArray]:
    """Replicates (R, p) of (beta, [rho], [lambda]) and (R,) of sigma2.

    Parameters
    ----------
    est : Estimate
        With ``correction`` "transform" or "none": replicates are estimated as the estimate was.
    kind : {"residual", "parametric", "wild", "wild-cluster", "recursive"}
        Residuals drawn with replacement over all cells (iid errors); normal draws; residuals times a random sign per
        cell (heteroskedastic errors); residuals times a random sign per unit or group (any dependence over time
        within it). ``"recursive"`` is that of dynamic fits: residuals drawn over all cells, y rebuilt period by period from y_0.
    replicates, seed : int
    groups : mapping, Series or str, optional
        Clusters of units for ``"wild-cluster"``; units by default.
    """
    _check(est, kind, replicates, groups)
    if kind == "recursive":
        return recursive_bootstrap(est, replicates, seed)[:2]
    if est.random is not None:
        return random_effects.replicates(est, replicates, seed)
    _check_refits(est)
    blocks = error_blocks(est, kind, replicates, seed, groups)
    if est.networks is not None:
        return unbalanced_inference.replicates(est, blocks)
    signal = np.tensordot(est.fit.beta, est.columns.z, axes=1) + decompose(est)[1]
    if est.weights.error is not None:
        return _refit_error(est, signal, blocks)
    like = est.likelihood
    assert not isinstance(like.rho, FactorLogDet)
    design = replicate.lag_design(
        est.columns.z,
        signal,
        None if est.weights.lag is None else est.weights.lag.dense(),
        est.fit.rho,
        (est.design.unit, est.design.time),
        like.n,
        like.m,
        like.rho,
    )
    fits = replicate.refit_stream(design, blocks)
    params = fits.beta if est.weights.lag is None else np.column_stack([fits.beta, fits.rho])
    return params, fits.sigma2


def _check(est: Estimate, kind: str, replicates: int, groups: object) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(map(repr, KINDS))}")
    if replicates < 2:
        raise ValueError(f"replicates={replicates}: at least two are needed, 999 are usual")
    if groups is not None and kind != "wild-cluster":
        raise ValueError(f'groups= has no meaning for kind={kind!r}; use "wild-cluster"')
    if dynamic_terms(est) and kind != "recursive":
        raise ValueError(
            f'kind={kind!r}: with time lags the bootstrap is "recursive", paths are rebuilt period by period'
        )
    if est.random is not None and kind not in ("parametric", "recursive"):
        raise ValueError(f'kind={kind!r}: with random effects the bootstrap is "parametric", unit effects redrawn')


def _check_refits(est: Estimate) -> None:
    """What the refits of a fit with fixed effects cannot do."""
    if isinstance(est.likelihood.rho, FactorLogDet) or isinstance(est.likelihood.lambda_, FactorLogDet):
        raise ValueError(f"bootstraps need the eigenvalues of W, too many with {est.design.shape[1]} units")
    if est.design.integrated:
        require_balanced(est, "the bootstrap")
    if est.correction not in IN_LIKELIHOOD:
        raise ValueError(
            f"correction={est.correction!r} changes the estimate after the likelihood; bootstrap a fit with "
            'correction="transform" or "none"'
        )


def error_blocks(
    est: Estimate, kind: str, replicates: int, seed: int, groups: pd.Series | Mapping[Any, Any] | str | None = None
) -> Iterator[NDArray]:
    """The errors (r, T, N) behind the replicates of `bootstrap`, block by block: the same seed gives the same errors.

    (r, 1, n) on the cells of observed sub-networks.
    """
    codes = group_codes(est, groups) if kind == "wild-cluster" else None
    if est.networks is not None:
        e = decompose(est)[2][est.networks.observed][None]
        codes = None if codes is None else unbalanced_inference.unit_cells(est, codes)
        e = e * np.sqrt(e.size / (e.size - est.networks.removed.rank))
        return _errors(kind, e, codes, replicates, np.random.default_rng(seed))
    residual = decompose(est)[2] * np.sqrt(est.design.y.size / _rank(est))
    return _errors(kind, residual, codes, replicates, np.random.default_rng(seed))


def _rank(est: Estimate) -> int:
    """Degrees of freedom that the effects leave to the errors."""
    t, n = est.design.shape
    return (t - est.design.unit) * (n - est.design.time)


def _errors(
    kind: str, residual: NDArray, codes: NDArray | None, replicates: int, rng: np.random.Generator
) -> Iterator[NDArray]:
    t, n = residual.shape
    sigma = float(np.sqrt(np.mean(residual**2)))
    for start in range(0, replicates, _BLOCK):
        size = min(_BLOCK, replicates - start)
        if kind == "residual":
            yield residual.ravel()[rng.integers(0, t * n, (size, t, n))]
        elif kind == "parametric":
            yield sigma * rng.standard_normal((size, t, n))
        elif codes is None:
            yield residual * (2.0 * rng.integers(0, 2, (size, t, n)) - 1.0)
        else:
            signs = 2.0 * rng.integers(0, 2, (size, int(codes.max()) + 1)) - 1.0
            yield residual * signs[:, None, codes]


def _refit_error(est: Estimate, signal: NDArray, blocks: Iterator[NDArray]) -> tuple[NDArray, NDArray]:
    """Models with an error lag: one Newton search per replicate, started at the parameters that generated it."""
    design, weights = est.design, est.weights
    assert weights.error is not None
    eye = np.eye(design.shape[1])
    w_error = weights.error.dense()
    to_u = sla.inv(eye - est.fit.lambda_ * w_error).T
    w_lag = np.zeros_like(eye) if weights.lag is None else weights.lag.dense()
    to_y = sla.inv(eye - est.fit.rho * w_lag).T
    z_lagged = est.columns.z @ w_error.T
    start = (est.fit.rho, est.fit.lambda_)
    params: list[NDArray] = []
    sigma2: list[float] = []
    for errors in blocks:
        for e in errors:
            y = (signal + e @ to_u) @ to_y
            pair = np.stack([y, y @ w_lag.T])
            base = np.concatenate([est.columns.z, pair])
            lagged = np.concatenate([z_lagged, pair @ w_error.T])
            reduced = reduce_columns(base, lagged, design.unit, design.time)
            try:
                fit = fit_ml(reduced, est.likelihood, start)
            except ConvergenceError as error:
                raise ConvergenceError(f"replicate {len(sigma2)} of the bootstrap did not converge: {error}") from error
            spatial = [v for v, on in ((fit.rho, est.model.lag), (fit.lambda_, est.model.error)) if on]
            params.append(np.append(fit.beta, spatial))
            sigma2.append(fit.sigma2)
    return np.array(params), np.array(sigma2)
