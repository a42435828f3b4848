"""Impacts of the regressors with inference: direct, indirect (spillover) and total."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.kernels import impacts as kernel
from nqpf_spatial.kernels.factor import FactorLogDet
from nqpf_spatial.models.bayes.posterior import Prior
from nqpf_spatial.models.covariance import check_alpha
from nqpf_spatial.models.design import MEAN
from nqpf_spatial.models.dynamic.part import lag_names
from nqpf_spatial.models.estimate import Weights
from nqpf_spatial.models.frames import copies
from nqpf_spatial.models.impacts.marginal import Row, rows
from nqpf_spatial.models.impacts.samples import METHODS as SAMPLED
from nqpf_spatial.models.impacts.samples import admissible, sample_parameters, sign_probability, vcov_note
from nqpf_spatial.models.missing import impacts as unbalanced_impacts
from nqpf_spatial.models.missing.networks import networks_of, require_balanced
from nqpf_spatial.models.table_protocol import ImpactProtocol

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.results import SpatialFit

METHODS = ("delta", *SAMPLED)
EFFECTS = ("direct", "indirect", "total")
STATISTICS = ("estimate", "se", "z", "p", "lower", "upper")


@copies("table")
@dataclass(frozen=True, eq=False)
class Impacts(ImpactProtocol):
    """Impacts of one fit.

    Attributes
    ----------
    table : DataFrame
        Indexed by term; columns (direct, indirect, total) x (estimate, se, z, p, lower, upper).
    method : str
        How the inference was made.
    draws : int or None
        Number of draws or replicates used.
    outside : float or None
        Share of draws with rho outside its admissible interval; they are left out of the intervals.
    fit : SpatialFit
        The fit they belong to.
    alpha : float
        1 - level of the intervals.
    """

    table: pd.DataFrame
    method: str
    draws: int | None
    outside: float | None
    fit: SpatialFit
    alpha: float = field(default=0.05, kw_only=True)

    def tidy(self) -> pd.DataFrame:
        """Long form: one row per term and effect."""
        long = self.table.stack(level=0)
        long.index.names = ["term", "effect"]
        order = pd.MultiIndex.from_product([self.table.index, EFFECTS], names=["term", "effect"])
        return long.loc[order, list(STATISTICS)]

    def by_order(self, q: int = 5) -> pd.DataFrame:
        """Impacts by order of neighbourhood; see `nqpf_spatial.models.impacts.views.by_order`."""
        from nqpf_spatial.models.impacts.views import by_order

        return by_order(self.fit, q)

    def by_unit(self, term: str | None = None) -> pd.DataFrame:
        """Who receives and who sends; see `nqpf_spatial.models.impacts.views.by_unit`."""
        from nqpf_spatial.models.impacts.views import by_unit

        return by_unit(self.fit, term)

    def by_block(self, groups: str | Mapping[Any, Any] | pd.Series = "block", alpha: float = 0.05) -> pd.DataFrame:
        """Block to block with intervals; see `nqpf_spatial.models.impacts.views.by_block`."""
        from nqpf_spatial.models.impacts.views import by_block

        return by_block(self.fit, groups, alpha)

    def effect_matrix(self, term: str) -> NDArray:
        """(N, N) effects of one regressor column: row i, column j is the change in unit i per unit of change in j."""
        from nqpf_spatial.models.impacts.views import effect_matrix

        return effect_matrix(self.fit, term)

    def when(self, lang: str = "en") -> str:
        """The horizon in words; empty for static fits."""
        return ""

    def plot(self, ax: Axes | None = None, effects: tuple[str, ...] = EFFECTS, lang: str = "en") -> Axes:
        """Point estimates and intervals; see `nqpf_spatial.models.plots.impact_plot`."""
        from nqpf_spatial.models.plots import impact_plot

        return impact_plot(self, ax, effects, lang)

    def plot_blocks(
        self, term: str | None = None, kind: str = "matrix", groups: str | Mapping[Any, Any] | pd.Series = "block",
        lang: str = "en", ax: Axes | None = None,
    ) -> Axes:  # fmt: skip
        """Block to block as "matrix" or "chord"; see `nqpf_spatial.models.pictures.blocks.block_plot`."""
        from nqpf_spatial.models.pictures.blocks import block_plot

        return block_plot(self, term, kind, groups, lang, ax)

    def map(
        self, term: str, source: object = None, target: object = None, lang: str = "en", ax: Axes | None = None
    ) -> Axes:
        """Spillovers on the map of China; see `nqpf_spatial.models.plots.impact_map`."""
        from nqpf_spatial.models.plots import impact_map

        return impact_map(self, term, source, target, lang, ax)

    def _head(self) -> str:
        how = {
            "delta": "delta method",
            "simulate": f"{self.draws} draws",
            "bootstrap": f"{self.draws} replicates",
            "posterior": f"posterior mean, {self.draws} samples",
        }
        lost = f", {self.outside:.1%} of the draws outside the admissible interval" if self.outside else ""
        w = self.fit.w
        where = "" if w is None else f", W = {w.name}"
        return f"Impacts ({how[self.method]}{lost}); {self.fit.model}{where}{vcov_note(self.fit, self.method)}"

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.tidy().to_string(float_format=_number)}"

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>{self.tidy().to_html(float_format=_number)}"


def _number(value: float) -> str:
    """Four decimals; what would read as zero and is not, with its power of ten."""
    return f"{value:.4f}" if value == 0.0 or abs(value) >= 5e-5 else f"{value:.1e}"


def impacts(
    fit: SpatialFit,
    method: str = "delta",
    *,
    of: list[str] | None = None,
    draws: int | None = None,
    seed: int = 0,
    alpha: float = 0.05,
    kind: str | None = None,
    prior: Prior | str | None = None,
    horizon: int | str | None = None,
    cumulative: bool = False,
) -> Impacts:
    r"""Direct, indirect and total impacts.

    For regressor r, ``S_r = (I - rho W)^{-1} (beta_r I + theta_r W)``; direct is the mean of its diagonal, total
    the mean of its row sums, indirect the difference (LeSage and Pace 2009, eqs. 2.46-2.48). Without a spatial
    lag (OLS, SLX, SEM, SDEM) rho is 0: the indirect effect is theta times the mean row sum of W. On observed sub-networks S
    differs between periods: means over the observed cells (`nqpf_spatial.models.missing.impacts`).

    Parameters
    ----------
    fit : SpatialFit
    method : {"delta", "simulate", "bootstrap", "posterior"}
        Analytic gradient; draws from the normal distribution of the estimates (LeSage and Pace 2009, p. 39); refits
        of bootstrap samples; exact posterior samples (`nqpf_spatial.models.bayes.posterior.posterior`).
    of : list of str, optional
        Variables whose average marginal effect is wanted instead of the effect of their column, for instance
        ``["x"]`` in a model with ``log(x)``. Variables in several columns (squares, interactions) get one row anyway.
    draws, seed : int
        Number of draws or replicates (10,000 by default), and their seed.
    alpha : float
        Level of the intervals (1 - alpha).
    kind : str, optional
        Kind of bootstrap, see `nqpf_spatial.models.bootstrap.bootstrap`.
    prior : Prior or str, optional
        Prior of ``method="posterior"``; flat by default.
    horizon, cumulative : optional
        Of dynamic fits, see `nqpf_spatial.models.dynamic.impacts.dynamic_impacts`.

    Notes
    -----
    The point estimate is that at the estimated parameters, not the mean of draws, whose distribution is skewed as rho
    approaches its bound. ``method="posterior"`` is the exception: the estimate is the posterior mean, p is twice
    the smaller posterior probability of a sign. The se of draws and replicates is
    their standard deviation, as in spatialreg: ``b / (1 - rho)`` has no finite variance, so that near the bound it depends
    on the seed, and z and p with it. The interval is made of quantiles and is the one to trust there.
    """
    check_alpha(alpha)
    if lag_names(fit.estimate):
        if kind not in (None, "recursive") or prior is not None:
            raise ValueError(
                'kind= and prior= belong to static fits; the bootstrap of a fit with time lags is "recursive"'
            )
        from nqpf_spatial.models.dynamic.impacts import dynamic_impacts

        return dynamic_impacts(
            fit, horizon, method, cumulative=cumulative, of=of, draws=draws, seed=seed, alpha=alpha
        )  # fmt: skip
    draws = 10_000 if draws is None else draws
    _check(fit, method, draws, horizon is not None or cumulative)
    table_rows = rows(fit.estimate.design, regressors(fit), of)
    point = fit.params.to_numpy()[None]
    estimate = _evaluate(fit, table_rows, point)[0]
    used: int | None = None
    outside: float | None = None
    p: NDArray | None = None
    if method == "delta":
        se = _delta(fit, table_rows)
        half = stats.norm.isf(alpha / 2) * se
        lower, upper = estimate - half, estimate + half
    else:
        sample = sample_parameters(fit, method, draws, seed, kind, prior)
        inside = admissible(fit, sample)
        effects = _evaluate(fit, table_rows, sample[inside])
        used, outside = int(inside.sum()), float(1.0 - inside.mean())
        se = effects.std(axis=0, ddof=1)
        lower, upper = np.quantile(effects, [alpha / 2, 1 - alpha / 2], axis=0)
        if method == "posterior":
            estimate, p = effects.mean(axis=0), sign_probability(effects)
    names = [row.name for row in table_rows]
    return Impacts(impact_table(names, estimate, se, lower, upper, p), method, used, outside, fit, alpha=alpha)


def _check(fit: SpatialFit, method: str, draws: int, dynamic: bool) -> None:
    """What a static fit can be asked for."""
    if method == "fieller" or dynamic:
        raise ValueError(
            'the fit is static: method="fieller", horizon= and cumulative= are about time lags, nq.fit(..., dynamic="lag_y")'
        )
    if method not in METHODS:
        raise ValueError(f"method={method!r} is not known; choose one of {', '.join(map(repr, METHODS))}")
    if draws < 2:
        raise ValueError(f"draws={draws}: at least two are needed, some thousands are sensible")
    if not regressors(fit):
        raise ValueError("the model has no regressors, so there are no impacts")


def effects_at(fit: SpatialFit, params: NDArray, of: list[str] | None = None) -> tuple[list[str], NDArray]:
    """Names of the rows and (R, rows, 3) impacts at R parameter vectors."""
    table_rows = rows(fit.estimate.design, regressors(fit), of)
    return [row.name for row in table_rows], _evaluate(fit, table_rows, params)


def regressors(fit: SpatialFit) -> list[str]:
    """Regressor columns, own or lagged in space, without intercept, time lags and the unit means of the Mundlak form."""
    time_lags = lag_names(fit.estimate)
    names = dict.fromkeys(n.removeprefix("W:") for n in fit.estimate.columns.names if n not in time_lags)
    return [name for name in names if name != "Intercept" and not name.startswith(MEAN)]


def positions(fit: SpatialFit, terms: tuple[str, ...] | list[str]) -> NDArray:
    """Positions (C, 2) of beta and theta of columns in params; -1 where the model has none."""
    where = {name: i for i, name in enumerate(fit.estimate.columns.names)}
    return np.array([[where.get(t, -1), where.get(f"W:{t}", -1)] for t in terms], dtype=int).reshape(-1, 2)


def coefficients(params: NDArray, position: NDArray) -> NDArray:
    """(R, C, 2) coefficients from (R, p) parameters; absent ones are zero."""
    return np.where(position >= 0, params[:, position], 0.0)


def _rho(fit: SpatialFit, params: NDArray) -> NDArray:
    return np.zeros(params.shape[0]) if fit.rho is None else params[:, fit.params.index.get_loc("rho")]


def _evaluate(fit: SpatialFit, table_rows: list[Row], params: NDArray) -> NDArray:
    """(R, rows, 3) impacts at R parameter vectors."""
    rho = _rho(fit, params)
    out = np.empty((params.shape[0], len(table_rows), 3))
    plain = [i for i, row in enumerate(table_rows) if row.derivative is None]
    if plain:
        position = positions(fit, [table_rows[i].name for i in plain])
        out[:, plain] = kernel.impacts(coefficients(params, position), multiplier(fit, rho))
    varying = [(i, row.columns, row.derivative) for i, row in enumerate(table_rows) if row.derivative is not None]
    if varying:
        units = _unit_multiplier(fit, rho)
        for i, columns, derivative in varying:
            out[:, i] = kernel.varying_impacts(coefficients(params, positions(fit, columns)), derivative, units)
    return out


def _delta(fit: SpatialFit, table_rows: list[Row]) -> NDArray:
    """(rows, 3) standard errors by the analytic gradient."""
    params, covariance = fit.params.to_numpy()[None], fit.cov_params().to_numpy()
    rho, place = _rho(fit, params), fit.params.index.get_loc("rho") if fit.rho is not None else -1
    se = np.empty((len(table_rows), 3))
    plain = [i for i, row in enumerate(table_rows) if row.derivative is None]
    if plain:
        position = positions(fit, [table_rows[i].name for i in plain])
        index = np.column_stack([position, np.full(len(plain), place)])
        mult = multiplier(fit, rho)
        se[plain] = np.sqrt(kernel.delta_variances(coefficients(params, position), mult, covariance[None], index)[0])
    varying = [(i, row.columns, row.derivative) for i, row in enumerate(table_rows) if row.derivative is not None]
    if not varying:
        return se
    units = _unit_multiplier(fit, rho)
    for i, columns, derivative in varying:
        position = positions(fit, columns)
        coef, slope = kernel.varying_gradient(coefficients(params, position)[0], derivative, units)
        gradient = np.zeros((3, params.shape[1]))
        present = position >= 0
        gradient[:, position[present]] = coef[:, present]
        if place >= 0:
            gradient[:, place] = slope
        se[i] = np.sqrt(np.einsum("ip,pq,iq->i", gradient, covariance, gradient))
    return se


def multiplier(fit: SpatialFit, rho: NDArray) -> kernel.Multiplier:
    """Multiplier at the given rho; averaged over the observed cells where the network changes from period to period."""
    networks = networks_of(fit)
    if networks is None:
        return _multiplier(fit, fit.estimate.weights, rho)
    value, slope = np.zeros((rho.size, 2, 2)), np.zeros((rho.size, 2, 2))
    for part in networks.parts:
        found = _multiplier(fit, part.weights, rho)
        share = part.units.size * len(part.periods) / fit.nobs
        value, slope = value + share * found.value, slope + share * found.slope
    return kernel.Multiplier(value, slope)


def _multiplier(fit: SpatialFit, weights: Weights, rho: NDArray) -> kernel.Multiplier:
    """Multiplier of one network: by eigenvalues where they suffice, else by the Schur form."""
    lag, durbin = weights.lag, weights.durbin
    if lag is None and durbin is None:
        value = np.broadcast_to(np.array([[1.0, 0.0], [1.0, 0.0]]), (rho.size, 2, 2))
        return kernel.Multiplier(value, np.zeros((rho.size, 2, 2)))
    if lag is None:
        assert durbin is not None
        diagonal, total = float(durbin.sparse.diagonal().mean()), float(durbin.sparse.sum() / durbin.n)
        value = np.broadcast_to(np.array([[1.0, diagonal], [1.0, total]]), (rho.size, 2, 2))
        return kernel.Multiplier(value, np.zeros((rho.size, 2, 2)))
    if lag.is_row_stochastic and (durbin is None or durbin.checksum == lag.checksum):
        if isinstance(fit.estimate.likelihood.rho, FactorLogDet):
            return _by_log_determinant(fit.estimate.likelihood.rho, rho, lag.n)
        return kernel.multiplier_from_eigenvalues(rho, lag.eigenvalues())
    return kernel.multiplier(rho, kernel.decompose(lag.dense(), None if durbin is None else durbin.dense()))


def _by_log_determinant(logdet: FactorLogDet, rho: NDArray, n: int) -> kernel.Multiplier:
    """Large N, one rho: traces are derivatives of the log-determinant of W, its eigenvalue 1 included."""
    if rho.size > 20:
        raise ValueError(
            f"{rho.size} draws need as many factorisations of {n} units, for which there are no eigenvalues; use "
            'method="delta"'
        )
    return kernel.multiplier_from_derivatives(rho, *logdet.with_unit_root().derivatives(rho), n)


def dense_weights(fit: SpatialFit) -> tuple[NDArray, NDArray]:
    """Dense W of the lag and of the Durbin terms; zero matrices where the model has none."""
    if networks_of(fit) is not None:
        require_balanced(fit.estimate, "this")
    n = fit.estimate.design.shape[1]
    weights = fit.estimate.weights
    lag, durbin = weights.lag, weights.durbin
    return (
        np.zeros((n, n)) if lag is None else lag.dense(),
        np.zeros((n, n)) if durbin is None else durbin.dense(),
    )


def _unit_multiplier(fit: SpatialFit, rho: NDArray) -> kernel.UnitMultiplier:
    if networks_of(fit) is not None:
        return unbalanced_impacts.unit_multiplier(fit, rho)
    return kernel.unit_multiplier(rho, *dense_weights(fit))


def impact_table(
    terms: list[str], estimate: NDArray, se: NDArray, lower: NDArray, upper: NDArray, p: NDArray | None = None
) -> pd.DataFrame:
    """The one layout of impacts; p of the normal distribution unless given."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = estimate / se
    values = np.stack([estimate, se, z, 2 * stats.norm.sf(np.abs(z)) if p is None else p, lower, upper], axis=-1)
    columns = pd.MultiIndex.from_product([EFFECTS, STATISTICS], names=["effect", "statistic"])
    return pd.DataFrame(values.reshape(len(terms), -1), index=pd.Index(terms, name="term"), columns=columns)
