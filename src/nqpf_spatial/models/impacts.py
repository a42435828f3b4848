"""Impacts of the regressors with inference: direct, indirect (spillover) and total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.kernels import impacts as kernel

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

METHODS = ("delta", "simulate")
EFFECTS = ("direct", "indirect", "total")
STATISTICS = ("estimate", "se", "z", "p", "lower", "upper")


@dataclass(frozen=True)
class Impacts:
    """Impacts of one fit.

    Attributes
    ----------
    table : DataFrame
        Indexed by term; columns (direct, indirect, total) x (estimate, se, z, p, lower, upper).
    method : str
        How the inference was made.
    draws : int or None
        Number of draws used (simulation).
    outside : float or None
        Share of draws with rho outside its admissible interval; they are left out of the intervals.
    note : str
        What model and W the impacts belong to.
    """

    table: pd.DataFrame
    method: str
    draws: int | None
    outside: float | None
    note: str

    def tidy(self) -> pd.DataFrame:
        """Long form: one row per term and effect."""
        long = self.table.stack(level=0)
        long.index.names = ["term", "effect"]
        order = pd.MultiIndex.from_product([self.table.index, EFFECTS], names=["term", "effect"])
        return long.loc[order, list(STATISTICS)]

    def _head(self) -> str:
        how = "delta method" if self.method == "delta" else f"{self.draws} draws"
        lost = f", {self.outside:.1%} of the draws outside the admissible interval" if self.outside else ""
        return f"Impacts ({how}{lost}); {self.note}"

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.tidy().to_string(float_format=lambda v: f'{v:.4f}')}"

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>{self.tidy().to_html(float_format=lambda v: f'{v:.4f}')}"


def impacts(
    fit: SpatialFit, method: str = "delta", draws: int = 10_000, seed: int = 0, alpha: float = 0.05
) -> Impacts:
    r"""Direct, indirect and total impacts.

    For regressor r, ``S_r = (I - rho W)^{-1} (beta_r I + theta_r W)``; direct is the mean of its diagonal, total
    the mean of its row sums, indirect the difference (LeSage and Pace 2009, eqs. 2.46-2.48). Without a spatial
    lag (OLS, SLX, SDEM) rho is 0: the indirect effect is theta times the mean row sum of W.

    Parameters
    ----------
    fit : SpatialFit
    method : {"delta", "simulate"}
        Analytic gradient, or draws from the normal distribution of the estimates (LeSage and Pace 2009, p. 39).
    draws, seed : int
        Number and seed of the draws.
    alpha : float
        Level of the intervals (1 - alpha).

    Notes
    -----
    The point estimate is always that at the estimated parameters, never the mean of draws, whose distribution
    is skewed as rho approaches its bound.
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r} is not known; choose one of {', '.join(map(repr, METHODS))}")
    terms, position = _terms(fit)
    point = _coefficients(fit.params.to_numpy()[None], position)
    mult = _multiplier(fit, np.array([fit.rho or 0.0]))
    estimate = kernel.impacts(point, mult)[0]
    covariance = fit.cov_params().to_numpy()
    if method == "delta":
        se = _delta_se(fit, point, mult, covariance, position)
        half = stats.norm.isf(alpha / 2) * se
        lower, upper, used, outside = estimate - half, estimate + half, None, None
    else:
        sample, outside = _simulate(fit, covariance, position, draws, seed)
        se = sample.std(axis=0, ddof=1)
        lower, upper = np.quantile(sample, [alpha / 2, 1 - alpha / 2], axis=0)
        used = sample.shape[0]
    w = fit.w
    note = f"{fit.model}" + ("" if w is None else f", W = {w.name}") + f", vcov {fit.vcov}"
    return Impacts(_table(terms, estimate, se, lower, upper), method, used, outside, note)


def _terms(fit: SpatialFit) -> tuple[list[str], NDArray]:
    """Regressors and the positions (K, 2) of their beta and theta in params; -1 where there is none."""
    names = [n for n in fit.estimate.columns.names]
    terms = [n for n in dict.fromkeys(n.removeprefix("W:") for n in names) if n != "Intercept"]
    where = {name: i for i, name in enumerate(names)}
    return terms, np.array([[where.get(t, -1), where.get(f"W:{t}", -1)] for t in terms], dtype=int).reshape(-1, 2)


def _coefficients(params: NDArray, position: NDArray) -> NDArray:
    """(R, K, 2) coefficients from (R, p) parameters; absent ones are zero."""
    return np.where(position >= 0, params[:, position], 0.0)


def _multiplier(fit: SpatialFit, rho: NDArray) -> kernel.Multiplier:
    """Multiplier at the given rho: by eigenvalues where they suffice, else by the Schur form."""
    weights = fit.estimate.weights
    lag, durbin = weights.lag, weights.durbin
    if lag is None and durbin is None:
        value = np.broadcast_to(np.array([[1.0, 0.0], [1.0, 0.0]]), (rho.size, 2, 2))
        return kernel.Multiplier(value, np.zeros((rho.size, 2, 2)))
    if lag is None:
        assert durbin is not None
        return kernel.multiplier(np.zeros(rho.size), kernel.decompose(durbin.dense()))
    if lag.is_row_stochastic and (durbin is None or durbin is lag or durbin.checksum == lag.checksum):
        return kernel.multiplier_from_eigenvalues(rho, lag.eigenvalues())
    return kernel.multiplier(rho, kernel.decompose(lag.dense(), None if durbin is None else durbin.dense()))


def _delta_se(
    fit: SpatialFit, point: NDArray, mult: kernel.Multiplier, covariance: NDArray, position: NDArray
) -> NDArray:
    """(K, 3) standard errors by the analytic gradient."""
    rho = fit.params.index.get_loc("rho") if fit.rho is not None else -1
    index = np.column_stack([position, np.full(len(position), rho)])
    return np.sqrt(kernel.delta_variances(point, mult, covariance[None], index)[0])


def _simulate(
    fit: SpatialFit, covariance: NDArray, position: NDArray, draws: int, seed: int
) -> tuple[NDArray, float]:
    """(R, K, 3) impacts of the admissible draws and the share of the others."""
    if draws < 2:
        raise ValueError(f"draws={draws}: at least two are needed, some thousands are sensible")
    rng = np.random.default_rng(seed)
    factor = np.linalg.cholesky(covariance)
    sample = fit.params.to_numpy() + rng.standard_normal((draws, factor.shape[0])) @ factor.T
    if fit.rho is None:
        return kernel.impacts(_coefficients(sample, position), _multiplier(fit, np.zeros(draws))), 0.0
    rho = sample[:, fit.params.index.get_loc("rho")]
    logdet = fit.estimate.likelihood.rho
    assert logdet is not None
    inside = (rho > logdet.low) & (rho < logdet.high)
    kept = sample[inside]
    return kernel.impacts(_coefficients(kept, position), _multiplier(fit, rho[inside])), float(1 - inside.mean())


def _table(terms: list[str], estimate: NDArray, se: NDArray, lower: NDArray, upper: NDArray) -> pd.DataFrame:
    with np.errstate(divide="ignore", invalid="ignore"):
        z = estimate / se
    values = np.stack([estimate, se, z, 2 * stats.norm.sf(np.abs(z)), lower, upper], axis=-1)
    columns = pd.MultiIndex.from_product([EFFECTS, STATISTICS], names=["effect", "statistic"])
    return pd.DataFrame(values.reshape(len(terms), -1), index=pd.Index(terms, name="term"), columns=columns)
