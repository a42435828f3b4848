"""What a dynamic fit says: stability, short- and long-run impacts, impulse responses, recursive bootstrap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.kernels import dynamic_replicate as replicate
from nqpf_spatial.kernels import dynamic_response as kernel
from nqpf_spatial.models.dynamic import part
from nqpf_spatial.models.residuals import decompose

if TYPE_CHECKING:
    from nqpf_spatial.models.estimate import Estimate
    from nqpf_spatial.models.results import SpatialFit

METHODS = ("delta", "fieller", "simulate", "bootstrap")
EFFECTS = ("direct", "indirect", "total")
STATISTICS = ("estimate", "se", "z", "p", "lower", "upper")
_BLOCK = 256


@dataclass(frozen=True)
class Stability:
    """Test of ``tau + rho + eta = 1`` and the roots of the process.

    Attributes
    ----------
    sum, se, lower, upper : float
        ``tau + rho + eta`` with its delta-method interval.
    statistic, df, pvalue, null : Wald test that the sum is one.
    roots : (N,) ndarray
        All eigenvalues of ``(I - rho W)^{-1}(tau I + eta W)``, largest modulus first, that of the unit vector included.
    radius : float
        Largest modulus.
    radius_within : float
        Largest modulus of those that enter the likelihood: transformed time effects absorb the common component.
    stable : bool
        ``radius < 1``: the exact condition. ``sum < 1`` alone is neither sufficient nor, with negative coefficients, the bound.
    near_unit : bool
        The interval of the sum contains one: long-run effects have no bounded confidence set.
    """

    sum: float
    se: float
    lower: float
    upper: float
    statistic: float
    df: int
    pvalue: float
    null: str
    roots: NDArray
    radius: float
    radius_within: float
    stable: bool
    near_unit: bool


def stability(fit: SpatialFit, alpha: float = 0.05) -> Stability:
    """Is the process stable, and how surely; see `Stability`."""
    dynamic = part(fit.estimate)
    names = _names(fit)
    chosen = [name for name in names if name is not None]
    total = float(fit.params[chosen].sum())
    se = float(np.sqrt(fit.cov_params().loc[chosen, chosen].to_numpy().sum()))
    half = float(stats.norm.isf(alpha / 2)) * se
    statistic = ((total - 1.0) / se) ** 2
    tau, eta, rho = dynamic.phi
    omega = _spectrum(fit.estimate).omega
    roots = (tau + eta * omega) / (1.0 - rho * omega)
    roots = roots[np.argsort(-np.abs(roots), kind="stable")]
    radius = float(np.abs(roots[0]))
    return Stability(
        total, se, total - half, total + half, statistic, 1, float(stats.chi2.sf(statistic, 1)), "tau + rho + eta = 1",
        roots, radius, float(np.abs(dynamic.roots).max()), radius < 1.0, total + half >= 1.0,
    )  # fmt: skip


@dataclass(frozen=True)
class DynamicImpacts:
    """Impacts of a dynamic fit at one horizon.

    Attributes
    ----------
    table : DataFrame
        Indexed by term; columns (direct, indirect, total) x (estimate, se, z, p, lower, upper).
    horizon : int or "long"
    method : str
    draws : int or None
        Draws or replicates used.
    outside : float or None
        Share of draws left out: roots at or beyond one (long run), rho outside its interval, or replicates without a maximum.
    shape : Series or None
        Fieller sets per term: "interval", "complement" (everything except lower to upper) or "line".
    """

    table: pd.DataFrame
    horizon: int | str
    method: str
    draws: int | None = None
    outside: float | None = None
    shape: pd.Series | None = None

    def tidy(self) -> pd.DataFrame:
        """Long form: one row per term and effect."""
        long = self.table.stack(level=0)
        long.index.names = ["term", "effect"]
        order = pd.MultiIndex.from_product([self.table.index, EFFECTS], names=["term", "effect"])
        return long.loc[order, list(STATISTICS)]

    def __repr__(self) -> str:
        when = {"long": "long run", 0: "short run"}.get(self.horizon, f"{self.horizon} periods later")
        lost = f", {self.outside:.1%} of the draws left out" if self.outside else ""
        sets = "" if self.shape is None else f"\nFieller sets of the total: {self.shape.to_dict()}"
        head = f"Impacts, {when} ({self.method}{'' if self.draws is None else f', {self.draws} draws'}{lost})"
        return f"{head}\n{self.tidy().to_string(float_format=lambda v: f'{v:.4f}')}{sets}"


def dynamic_impacts(
    fit: SpatialFit,
    horizon: int | str = "long",
    method: str = "delta",
    *,
    cumulative: bool = False,
    draws: int = 1000,
    seed: int = 0,
    alpha: float = 0.05,
) -> DynamicImpacts:
    r"""Direct, indirect and total impacts at a horizon.

    Parameters
    ----------
    fit : SpatialFit
        With time lags.
    horizon : int or "long"
        Periods after a change that lasts one period (0: short run); ``"long"``: new equilibrium after a permanent change.
    method : {"delta", "fieller", "simulate", "bootstrap"}
        ``"fieller"`` inverts the test of the ratio ``(beta + theta) / (1 - tau - rho - eta)`` (short run: ``1 - rho``): its sets
        keep their level as the denominator nears zero, where no bounded interval can (Dufour 1997). For totals with row-stochastic
        W; the other columns carry delta intervals. ``"bootstrap"`` refits recursive samples given y_0.
    cumulative : bool
        Sum over the horizons up to this one: the effect by then of a permanent change.
    draws, seed : int
    alpha : float

    Notes
    -----
    Draws with a root at or beyond one have no long run and are left out; ``outside`` is their share. Where it is not small, trust
    the Fieller sets or a finite horizon.
    """
    _check(fit, horizon, method, draws, cumulative)
    terms, position = _positions(fit)
    spec = _spectrum(fit.estimate)
    point = fit.params.to_numpy()[None]
    estimate = _evaluate(fit, point, position, spec, horizon, cumulative)[0]
    half = float(stats.norm.isf(alpha / 2))
    used, outside, shape = None, None, None
    if method in ("delta", "fieller"):
        se = _delta(fit, position, spec, horizon, cumulative)
        lower, upper = estimate - half * se, estimate + half * se
        if method == "fieller":
            shape = pd.Series(index=terms, dtype=object, name="shape")
            for i, term in enumerate(terms):
                lower[i, 2], upper[i, 2], shape[term] = _fieller(fit, position[i], horizon, half)
    else:
        sample = _draws(fit, draws, seed) if method == "simulate" else recursive_bootstrap(fit, draws, seed)[0]
        inside = _admissible(fit, sample, spec, horizon)
        values = _evaluate(fit, sample[inside], position, spec, horizon, cumulative)
        used, outside = int(inside.sum()), 1.0 - inside.sum() / draws
        if used < 2:
            raise ValueError(f"{used} of {draws} draws have effects at horizon {horizon!r}; choose a finite horizon")
        se = values.std(axis=0, ddof=1)
        lower, upper = np.quantile(values, [alpha / 2, 1 - alpha / 2], axis=0)
    return DynamicImpacts(_table(terms, estimate, se, lower, upper), horizon, method, used, outside, shape)


def impulse_responses(
    fit: SpatialFit, horizons: int = 10, *, cumulative: bool = False, alpha: float = 0.05
) -> pd.DataFrame:
    """Effects 0 to `horizons` periods after a change of one period (or, cumulative, of a permanent one), delta method.

    Returns
    -------
    DataFrame
        Index (term, horizon); columns as in `DynamicImpacts.table`.
    """
    if horizons < 0:
        raise ValueError(f"horizons={horizons}: give the number of periods after the change, 0 or more")
    parts = {h: dynamic_impacts(fit, h, cumulative=cumulative, alpha=alpha).table for h in range(horizons + 1)}
    table = pd.concat(parts, names=["horizon", "term"]).swaplevel()
    order = [(term, h) for term in parts[0].index for h in parts]
    return table.loc[order]


def recursive_bootstrap(fit: SpatialFit, replicates: int = 999, seed: int = 0) -> tuple[NDArray, NDArray, NDArray]:
    """Recursive residual bootstrap given y_0: residuals are drawn over all cells, y is rebuilt period by period.

    Returns
    -------
    params : (R, p) ndarray
        Replicates of ``fit.params`` that found a maximum; the others are left out and counted by R.
    sigma2 : (R,) ndarray
    converged : (replicates,) bool ndarray
    """
    est = fit.estimate
    dynamic = part(est)
    if est.design.unit and not dynamic.adjustment.unit and est.correction != "none":
        raise ValueError(
            f"correction={est.correction!r} changes the estimate after the likelihood; bootstrap a fit with "
            'correction="transform", "score" or "none"'
        )
    if replicates < 2:
        raise ValueError(f"replicates={replicates}: at least two are needed, 999 are usual")
    design, lags = _design(est), len(dynamic.terms)
    residual = decompose(est)[2]
    t, n = est.design.shape
    scale = np.sqrt(t * n / ((t - est.design.unit) * (n - est.design.time)))
    found = replicate.refit(design, _errors(residual * scale, replicates, np.random.default_rng(seed)))
    time = found.phi[:, [i for i in dynamic.free if i < 2]]
    assert time.shape[1] == lags
    params = np.column_stack([found.beta, time, *([found.phi[:, 2]] if est.model.lag else [])])
    return params[found.converged], found.sigma2[found.converged], found.converged


def _design(est: Estimate) -> replicate.DynamicDesign:
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


def _check(fit: SpatialFit, horizon: int | str, method: str, draws: int, cumulative: bool) -> None:
    part(fit.estimate)
    if method not in METHODS:
        raise ValueError(f"method={method!r} is not known; choose one of {', '.join(map(repr, METHODS))}")
    if not (horizon == "long" or (isinstance(horizon, (int, np.integer)) and horizon >= 0)):
        raise ValueError(f'horizon={horizon!r}: give a number of periods (0 is the short run) or "long"')
    if method in ("simulate", "bootstrap") and draws < 2:
        raise ValueError(f"draws={draws}: at least two are needed, some thousands are sensible")
    lag, durbin = fit.estimate.weights.lag, fit.estimate.weights.durbin
    if lag is not None and durbin is not None and lag.checksum != durbin.checksum:
        raise ValueError("dynamic impacts need the same W for the lag and the Durbin terms")
    if method == "fieller":
        w = fit.estimate.weights.first()
        if cumulative or horizon not in (0, "long"):
            raise ValueError('method="fieller" is for horizon=0 and horizon="long", where the total is a ratio')
        if w is not None and not w.is_row_stochastic:
            raise ValueError('method="fieller" needs rows of W that sum to one; use "delta" or "bootstrap"')


def _names(fit: SpatialFit) -> tuple[str | None, str | None, str | None]:
    """Names of (tau, eta, rho) in params, None where absent."""
    dynamic = part(fit.estimate)
    by_term = dict(zip(dynamic.terms, dynamic.names, strict=True))
    return by_term.get("lag_y"), by_term.get("lag_wy"), "rho" if fit.estimate.model.lag else None


def _positions(fit: SpatialFit) -> tuple[list[str], NDArray]:
    """Terms and the positions (K, 5) of beta, theta, tau, eta, rho in params; -1 where absent."""
    names, dynamic = fit.estimate.columns.names, part(fit.estimate)
    where = {name: i for i, name in enumerate(fit.params.index)}
    own = [n for n in names if n not in dynamic.names and n != "Intercept"]
    terms = list(dict.fromkeys(n.removeprefix("W:") for n in own))
    phi = [-1 if name is None else where[name] for name in _names(fit)]
    return terms, np.array([[where.get(t, -1), where.get(f"W:{t}", -1), *phi] for t in terms], dtype=int).reshape(-1, 5)


def _take(params: NDArray, position: NDArray) -> NDArray:
    return np.where(position >= 0, params[:, position], 0.0)


def _spectrum(est: Estimate) -> kernel.Spectrum:
    w = est.weights.first()
    n = est.design.shape[1]
    if w is None:
        return kernel.Spectrum(np.zeros(n), np.full(n, 1.0 / n))
    return kernel.spectrum(w.dense(), w.is_row_stochastic, w.eigenvalues())


def _phi(fit: SpatialFit, params: NDArray) -> NDArray:
    return _take(params, _positions(fit)[1][0, 2:])


def _evaluate(
    fit: SpatialFit, params: NDArray, position: NDArray, spec: kernel.Spectrum, horizon: int | str, cumulative: bool
) -> NDArray:
    """(R, K, 3) effects."""
    g, _ = kernel.response(_phi(fit, params), spec.omega, horizon, cumulative)
    return kernel.effects(_take(params, position[:, :2]), g, spec)


def _delta(fit: SpatialFit, position: NDArray, spec: kernel.Spectrum, horizon: int | str, cumulative: bool) -> NDArray:
    params, covariance = fit.params.to_numpy()[None], fit.cov_params().to_numpy()
    g, slope = kernel.response(_phi(fit, params), spec.omega, horizon, cumulative)
    gradient = kernel.gradients(_take(params, position[:, :2]), g, slope, spec)
    block = covariance[position[:, :, None], position[:, None, :]]
    present = position >= 0
    block = block * (present[:, :, None] & present[:, None, :])
    return np.sqrt(np.einsum("ksi,kij,ksj->ks", gradient, block, gradient))


def _fieller(fit: SpatialFit, position: NDArray, horizon: int | str, z: float) -> tuple[float, float, str]:
    """Both parts of the ratio are linear in the parameters: their covariance is exact."""
    p = len(fit.params)
    top, bottom = np.zeros(p), np.zeros(p)
    top[[i for i in position[:2] if i >= 0]] = 1.0
    bottom[[i for i in (position[2:] if horizon == "long" else position[4:]) if i >= 0]] = -1.0
    map_ = np.stack([top, bottom])
    values = map_ @ fit.params.to_numpy()
    return kernel.fieller(float(values[0]), 1.0 + float(values[1]), map_ @ fit.cov_params().to_numpy() @ map_.T, z)


def _draws(fit: SpatialFit, draws: int, seed: int) -> NDArray:
    rng = np.random.default_rng(seed)
    factor = np.linalg.cholesky(fit.cov_params().to_numpy())
    return fit.params.to_numpy() + rng.standard_normal((draws, factor.shape[0])) @ factor.T


def _admissible(fit: SpatialFit, sample: NDArray, spec: kernel.Spectrum, horizon: int | str) -> NDArray:
    phi, logdet = _phi(fit, sample), fit.estimate.likelihood.rho
    inside = np.ones(sample.shape[0], dtype=bool)
    if logdet is not None:
        inside = (phi[:, 2] > logdet.low) & (phi[:, 2] < logdet.high)
    if horizon == "long":
        roots = (phi[:, :1] + phi[:, 1:2] * spec.omega) / (1.0 - phi[:, 2:] * spec.omega)
        inside &= np.abs(roots).max(axis=1) < 1.0
    return inside


def _table(terms: list[str], estimate: NDArray, se: NDArray, lower: NDArray, upper: NDArray) -> pd.DataFrame:
    with np.errstate(divide="ignore", invalid="ignore"):
        z = estimate / se
    values = np.stack([estimate, se, z, 2 * stats.norm.sf(np.abs(z)), lower, upper], axis=-1)
    columns = pd.MultiIndex.from_product([EFFECTS, STATISTICS], names=["effect", "statistic"])
    return pd.DataFrame(values.reshape(len(terms), -1), index=pd.Index(terms, name="term"), columns=columns)
