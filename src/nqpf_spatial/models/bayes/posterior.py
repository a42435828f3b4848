"""Posterior of a fit: prior by name, exact samples and marginal likelihood; see `nqpf_spatial.kernels.posterior`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationWarning, warn
from nqpf_spatial.kernels import posterior as kernel
from nqpf_spatial.kernels import spectrum
from nqpf_spatial.kernels.factor import FactorLogDet
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.moments import Reduced
from nqpf_spatial.models.dynamic.part import static_only
from nqpf_spatial.models.estimate import IN_LIKELIHOOD, Estimate
from nqpf_spatial.models.missing.networks import require_balanced

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.impacts.inference import Impacts
    from nqpf_spatial.models.results import SpatialFit

BETA = ("flat", "g", "normal", "lesage")
_WINDOW = 12.0  # standard errors around the maximum where log-determinants are too dear for the whole interval


@dataclass(frozen=True, slots=True)
class Prior:
    r"""Prior of a static spatial model.

    Attributes
    ----------
    beta : {"flat", "g", "normal", "lesage"}
        ``"flat"``: density 1 for every coefficient. ``"g"``: Zellner's ``N(0, g sigma2 (Z'Z)^{-1})`` for all but the
        intercept, which is flat. ``"normal"``: independent ``N(mean, sigma2 scale^2)``. ``"lesage"``: flat, with the
        constants of SDPDmod after LeSage 2014 (see Notes), to compare with published values.
    g : float, optional
        Default ``max(n, k^2)``, k without intercept (Fernandez, Ley and Steel 2001).
    mean, scale : float or mapping of names
        Of the normal prior, in units of the error's standard deviation for `scale`; coefficients that a mapping of `scale`
        does not name are flat, means it does not name are zero.
    shape, rate : float
        Inverse gamma of sigma2; both zero: density ``1 / sigma2``.
    d : float
        Beta(d, d) of rho or lambda on `interval`; 1 is uniform, LeSage and Pace (2009, p. 142) use 1.01.
    interval : (low, high), optional
        Default: the admissible interval of W.

    Notes
    -----
    A flat prior leaves the scale of the marginal likelihood open: between models with different regressors it makes odds
    depend on the units of measurement. ``"lesage"`` has ``(2 pi)^(-nu/2)`` where the integral gives ``pi^(-nu/2)``, takes
    the number of fixed effects off nu also after they were transformed away, and the interval from the transformed
    spectrum.
    """

    beta: str = "flat"
    g: float | None = None
    mean: float | Mapping[str, float] = 0.0
    scale: float | Mapping[str, float] | None = None
    shape: float = 0.0
    rate: float = 0.0
    d: float = 1.0
    interval: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse what is not a prior."""
        if self.beta not in BETA:
            raise ValueError(f"beta={self.beta!r} is not known; choose one of {', '.join(map(repr, BETA))}")
        if (self.scale is None) == (self.beta == "normal"):
            raise ValueError('scale= belongs to beta="normal", which needs it: Prior(beta="normal", scale=10.0)')
        if self.g is not None and (self.beta != "g" or not self.g > 0):
            raise ValueError(f'g={self.g} belongs to beta="g" and is positive')
        if min(self.shape, self.rate) < 0 or (self.shape > 0) != (self.rate > 0):
            raise ValueError(f"shape={self.shape}, rate={self.rate}: both positive, or both zero for 1 / sigma2")
        if not self.d >= 1:
            raise ValueError(f"d={self.d}: the beta(d, d) prior of the spatial parameter needs d of at least 1")
        scales = self.scale.values() if isinstance(self.scale, Mapping) else [1.0 if self.scale is None else self.scale]
        if any(not value > 0 for value in scales):
            raise ValueError(f"scale={self.scale}: prior standard deviations are positive")


def as_prior(prior: Prior | str) -> Prior:
    """A prior from its name or itself."""
    return prior if isinstance(prior, Prior) else Prior(beta=prior)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Posterior of one fit.

    Attributes
    ----------
    draws : DataFrame
        Independent samples of the parameters, columns as in ``fit.params``.
    sigma2 : Series
        Samples of the error variance.
    log_marginal : float
        Log marginal likelihood, for `fit.n_effective` observations.
    prior : Prior
    marginal : Marginal
        Density of rho or lambda on a grid (kernel object).
    fit : SpatialFit
    seed : int
    """

    draws: pd.DataFrame
    sigma2: pd.Series
    log_marginal: float
    prior: Prior
    marginal: kernel.Marginal
    fit: SpatialFit
    seed: int

    def summary(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row per parameter: moments, quantiles, the shortest interval, and the probability of a positive value."""
        columns = pd.concat([self.draws, self.sigma2], axis=1)
        values = np.sort(columns.to_numpy(), axis=0)
        lower, median, upper = np.quantile(values, [alpha / 2, 0.5, 1 - alpha / 2], axis=0)
        shortest = highest_density(values, alpha)
        table = {
            "mean": values.mean(axis=0),
            "sd": values.std(axis=0, ddof=1),
            "median": median,
            "lower": lower,
            "upper": upper,
            "hpd_lower": shortest[0],
            "hpd_upper": shortest[1],
            "p_positive": (values > 0).mean(axis=0),
        }
        return pd.DataFrame(table, index=pd.Index(columns.columns, name="term"))

    def density(self) -> pd.Series:
        """Exact posterior density of rho or lambda at the points of the adaptive grid."""
        found = self.marginal.density
        if found is None:
            raise ValueError(f"a {self.fit.model} model has neither rho nor lambda")
        name = "rho" if self.fit.rho is not None else "lambda"
        return pd.Series(found.density, index=pd.Index(found.grid, name=name), name="density")

    def impacts(self, **options: Any) -> Impacts:
        """Impacts from as many samples; see `nqpf_spatial.models.impacts.inference.impacts` with ``method="posterior"``."""
        given = {"draws": len(self.draws), "seed": self.seed, "prior": self.prior}
        return self.fit.impacts(method="posterior", **{**given, **options})

    def plot(self, term: str | None = None, ax: Axes | None = None, lang: str = "en") -> Axes:
        """Posterior of one parameter (default: the spatial one): exact density or histogram, and the ML estimate."""
        from nqpf_spatial.models.pictures.posteriors import posterior_plot

        return posterior_plot(self, term, ax, lang)

    def _head(self) -> str:
        where = "" if self.fit.w is None else f", W = {self.fit.w.name}"
        vcov = "" if self.fit.vcov == "observed" else f"; vcov {self.fit.vcov!r} of the fit does not enter"
        return (
            f"Posterior ({len(self.draws)} independent samples, beta prior {self.prior.beta}); {self.fit.model}{where}; "
            f"log marginal likelihood {self.log_marginal:.4f}, n = {self.fit.n_effective}{vcov}"
        )

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.summary().to_string(float_format=lambda v: f'{v:.4f}')}"

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>{self.summary().to_html(float_format=lambda v: f'{v:.4f}')}"


def posterior(fit: SpatialFit, draws: int = 10_000, seed: int = 0, prior: Prior | str = "flat") -> Posterior:
    """Independent samples from the posterior and the exact log marginal likelihood.

    Parameters
    ----------
    fit : SpatialFit
        Any of OLS, SLX, SAR, SDM, SEM, SDEM with fixed or no effects.
    draws, seed : int
    prior : Prior or {"flat", "g", "lesage"}

    Raises
    ------
    ValueError
        Random effects, two spatial parameters (SAC, GNS), or a correction applied after the maximum.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SAR", w, T=8, params={"x": 1.0, "rho": 0.4}, seed=1)
    >>> post = nq.sar("y ~ x | unit + period", data, w).posterior(draws=2000, seed=1)
    >>> post.summary().columns.tolist()
    ['mean', 'sd', 'median', 'lower', 'upper', 'hpd_lower', 'hpd_upper', 'p_positive']
    """
    if draws < 2:
        raise ValueError(f"draws={draws}: at least two are needed, some thousands are sensible")
    chosen = as_prior(prior)
    data, like, arrays = kernel_inputs(fit.estimate, chosen)
    marginal = kernel.integrate(data, like, arrays)
    found = kernel.sample(data, like, arrays, marginal, draws, seed)
    columns = [found.beta] if like.logdet is None else [found.beta, found.r[:, None]]
    frame = pd.DataFrame(np.concatenate(columns, axis=1), columns=fit.params.index)
    value = marginal.log_marginal - _published(like.n, arrays, chosen)
    return Posterior(frame, pd.Series(found.sigma2, name="sigma2"), value, chosen, marginal, fit, seed)


def log_marginal(fit: SpatialFit, prior: Prior | str = "flat") -> float:
    """Log marginal likelihood of a fit, without samples."""
    chosen = as_prior(prior)
    data, like, arrays = kernel_inputs(fit.estimate, chosen)
    return kernel.integrate(data, like, arrays).log_marginal - _published(like.n, arrays, chosen)


def kernel_inputs(est: Estimate, prior: Prior) -> tuple[Reduced, kernel.SpatialLikelihood, kernel.ConjugatePrior]:
    """Statistics, likelihood and prior of an estimate in arrays."""
    _check(est)
    assert est.reduced is not None
    like = est.likelihood
    logdet = like.rho if like.rho is not None else like.lambda_
    interval = prior.interval
    if prior.beta == "lesage" and interval is None and isinstance(logdet, LogDet):
        interval = spectrum.interval(logdet.omega)
    spatial: kernel.LogDeterminant | None = logdet
    if isinstance(logdet, FactorLogDet):
        interval = _inside(logdet, interval)
        spatial = _interpolated(est, logdet)
    n = like.n - _effects_in(est, prior)
    likelihood = kernel.SpatialLikelihood(n, like.m, spatial, like.rho is None and like.lambda_ is not None)
    return est.reduced, likelihood, _arrays(est.columns.names, like.n, prior, interval)


def warn_at_edge(posterior: Posterior) -> None:
    """Moments of impacts hang on few samples when rho has mass next to the end of its interval."""
    if posterior.fit.rho is None:
        return
    low, high = posterior.marginal.low, posterior.marginal.high
    share = float((posterior.draws["rho"] > high - 0.01 * (high - low)).mean())
    if share > 1e-3:
        warn(
            f"{share:.1%} of the posterior of rho lies in the last hundredth of ({low:.4g}, {high:.4g}): means and standard "
            "deviations of indirect and total impacts hang on a few samples; read the quantiles, or choose a prior with d > 2",
            IdentificationWarning,
        )


def highest_density(ordered: NDArray, alpha: float) -> tuple[NDArray, NDArray]:
    """Shortest interval with a share 1 - alpha of the ordered samples, per column."""
    size = ordered.shape[0]
    inside = min(size - 1, int(np.ceil((1.0 - alpha) * size)))
    first = (ordered[inside:] - ordered[: size - inside]).argmin(axis=0)
    column = np.arange(ordered.shape[1])
    return ordered[first, column], ordered[first + inside, column]


def _check(est: Estimate) -> None:
    static_only(est, "the posterior", "given y_{t-1} it would carry the bias of order 1/T. See bootstrap()")
    if type(est) is not Estimate:
        raise ValueError(
            "the posterior is that of a static model estimated by maximum likelihood (nq.fit); for other estimates use "
            "their own intervals"
        )
    if est.random is not None:
        raise ValueError(
            'random effects have a second variance parameter: the posterior is available for effects="fixed" only; use '
            'impacts(method="simulate") or fit.bootstrap'
        )
    if est.model.lag and est.model.error:
        raise ValueError(
            f"a {est.model.name} model has two spatial parameters; the exact posterior is for one. Use SDM or SDEM, which "
            'nest SEM and SLX, or impacts(method="simulate")'
        )
    if est.reduced is None:
        raise ValueError(
            'the posterior needs a likelihood with sufficient statistics of fixed size, which neither missing="marginalise" nor a '
            'spatial error with effects on sub-networks has; use impacts(method="simulate")'
        )
    if est.correction not in IN_LIKELIHOOD:
        raise ValueError(
            f"correction={est.correction!r} changes the estimate after the maximum and belongs to no likelihood; a "
            f"posterior needs one of {', '.join(map(repr, IN_LIKELIHOOD))}"
        )


def _effects_in(est: Estimate, prior: Prior) -> int:
    """Fixed effects with a flat prior that are integrated out: each takes one observation off nu."""
    design = est.design
    if est.correction == "none":
        return design.effects_rank
    if prior.beta != "lesage":
        return 0
    require_balanced(est, 'the prior "lesage", whose published constants are those of the transformation,')
    t, n = design.shape[0] - design.unit, design.shape[1] - design.time
    return int(n * design.unit + t * design.time - (design.unit and design.time))


def _arrays(
    names: tuple[str, ...], n: int, prior: Prior, interval: tuple[float, float] | None
) -> kernel.ConjugatePrior:
    k = len(names)
    plain = kernel.ConjugatePrior(np.ones(k, dtype=bool), None, None, None, prior.shape, prior.rate, prior.d, interval)
    if prior.beta == "g":
        flat = np.array([name == "Intercept" for name in names], dtype=bool)
        g = prior.g if prior.g is not None else float(max(n, int((~flat).sum()) ** 2))
        return replace(plain, flat=flat, g=g)
    if prior.beta != "normal":
        return plain
    mean, scale = (
        dict(value) if isinstance(value, Mapping) else dict.fromkeys(names, value)
        for value in (prior.mean, prior.scale)
    )
    unknown = [name for name in {**mean, **scale} if name not in names]
    if unknown:
        raise ValueError(f"the prior names {', '.join(unknown)}, which the model has not; it has {', '.join(names)}")
    flat = np.array([name not in scale for name in names], dtype=bool)
    values = np.array([[mean.get(name, 0.0), scale.get(name, 1.0)] for name in names], dtype=float).reshape(k, 2)
    return replace(plain, flat=flat, mean=values[:, 0], scale=values[:, 1])


def _published(n: int, arrays: kernel.ConjugatePrior, prior: Prior) -> float:
    """What the constant of the published routines falls short of the integral."""
    return 0.5 * (n - arrays.flat.size) * float(np.log(2.0)) if prior.beta == "lesage" else 0.0


def _inside(logdet: FactorLogDet, interval: tuple[float, float] | None) -> tuple[float, float]:
    low, high = (logdet.low, logdet.high) if interval is None else interval
    if low < logdet.low or high > logdet.high:
        raise ValueError(f"interval=({low}, {high}) leaves the admissible ({logdet.low:.6g}, {logdet.high:.6g}) of W")
    return low, high


def _interpolated(est: Estimate, logdet: FactorLogDet) -> kernel.InterpolatedLogDet:
    """Exact log-determinants at Chebyshev points of the part of the interval that carries the posterior."""
    fit = est.fit
    value = fit.rho if est.likelihood.rho is not None else fit.lambda_
    position = len(est.columns.names)
    half = _WINDOW * float(np.sqrt(np.linalg.inv(fit.information)[position, position]))
    edge = 1e-6 * (logdet.high - logdet.low)
    return kernel.interpolate_logdet(
        logdet, max(logdet.low + edge, value - half), min(logdet.high - edge, value + half)
    )
