r"""Exact posterior of the static spatial models with one spatial parameter, without Markov chains.

Given r (rho of a lag or lambda of an error) the prior is conjugate, so beta and sigma2 integrate out in closed form.
With nu = n minus the number of coefficients under a flat prior and an inverse-gamma (s, t) prior for sigma2,

.. math::
   p(y \mid r) = (2\pi)^{-\nu/2}\,\frac{t^{s}}{\Gamma(s)}\,\Gamma(\tfrac\nu2 + s)\,
   [\tfrac12 SSE(r) + t]^{-(\nu/2 + s)}\,|D(r)|^{-1/2}\,|I - rW|^{m}

(LeSage and Pace 2009, section 6.3; LeSage 2014, section 3). What is left is an integral over one bounded interval: adaptive
panels of Gauss-Legendre nodes give it to rounding, and the same nodes give the distribution function of r, from which
independent samples are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.linalg as sla
from numpy.polynomial.chebyshev import Chebyshev
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, gammaln

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.moments import Reduced
from nqpf_spatial.kernels.quadrature import Density, normalise

_CHEBYSHEV = 40  # log-determinants behind an interpolant


class LogDeterminant(Protocol):
    """What the integral needs of a log-determinant: its value and the open interval it is defined on."""

    @property
    def low(self) -> float:
        """Lower end."""

    @property
    def high(self) -> float:
        """Upper end."""

    def __call__(self, r: ArrayLike) -> NDArray:
        """Value at r (any shape)."""


@dataclass(frozen=True, slots=True)
class InterpolatedLogDet:
    """Chebyshev interpolant of an expensive log-determinant on the part of its interval that carries the posterior."""

    low: float
    high: float
    series: Chebyshev

    def __call__(self, r: ArrayLike) -> NDArray:
        """Value at r (any shape)."""
        return np.asarray(self.series(np.asarray(r, dtype=float)))


def interpolate_logdet(logdet: LogDeterminant, low: float, high: float) -> InterpolatedLogDet:
    """Replace a log-determinant on [low, high] by its interpolant through 40 exact values."""
    return InterpolatedLogDet(low, high, Chebyshev.interpolate(logdet, _CHEBYSHEV - 1, domain=[low, high]))


@dataclass(frozen=True, slots=True)
class ConjugatePrior:
    """Prior of a model with k coefficients in arrays.

    Attributes
    ----------
    flat : (k,) bool ndarray
        Coefficients with a flat prior.
    g : float or None
        The others have ``N(0, g sigma2 (Z'Z)^-1)``, Z filtered and free of the flat columns (Zellner 1986).
    mean, scale : (k,) ndarray or None
        Without g they have independent ``N(mean, sigma2 scale^2)``; entries of flat coefficients are not read.
    shape, rate : float
        Inverse gamma of sigma2; both zero: density 1 / sigma2.
    d : float
        Beta(d, d) of the spatial parameter, one: uniform.
    interval : (low, high) or None
        Its support; the interval of the log-determinant where None.
    """

    flat: NDArray
    g: float | None
    mean: NDArray | None
    scale: NDArray | None
    shape: float
    rate: float
    d: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class SpatialLikelihood:
    """n, m and the log-determinant of the one spatial parameter; `error` tells lambda from rho."""

    n: int
    m: int
    logdet: LogDeterminant | None
    error: bool


@dataclass(frozen=True, slots=True)
class Marginal:
    """Marginal likelihood and posterior of the spatial parameter r.

    Attributes
    ----------
    log_marginal : float
        ``ln p(y)``, all constants of the likelihood and of the proper priors included.
    density : Density or None
        Posterior of r; None without a spatial parameter.
    low, high : float
        Support of the prior of r.
    """

    log_marginal: float
    density: Density | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Samples:
    """Independent samples: beta (D, k), r (D,) (zero without spatial parameter), sigma2 (D,)."""

    beta: NDArray
    r: NDArray
    sigma2: NDArray


@dataclass(frozen=True, slots=True)
class _Conditional:
    """Quantities of the normal-inverse-gamma posterior given r, at G values of r or at one for all.

    In coordinates u = R beta the posterior of u is independent normal with mean ``shrink * (py - rho pw)`` and
    variance ``sigma2 * shrink``; ``quad`` holds (a, b, c) of ``SSE(rho) = a - 2 b rho + c rho^2``.
    """

    triangle: NDArray  # (G, k, k)
    py: NDArray  # (G, k)
    pw: NDArray
    quad: NDArray  # (G, 3)
    half_logdet: NDArray  # (G,)


def integrate(data: Reduced, like: SpatialLikelihood, prior: ConjugatePrior) -> Marginal:
    """Marginal likelihood and posterior of the spatial parameter.

    Raises
    ------
    IdentificationError
        If the prior interval leaves the range on which the log-determinant exists, or the residuals vanish.
    ConvergenceError
        If the panels do not converge.
    """
    constant = _constant(like.n, prior)
    if like.logdet is None:
        value = constant + float(_log_conditional(data, like, prior, np.zeros(1))[0])
        return Marginal(value, None, np.nan, np.nan)
    low, high = _support(like.logdet, prior)
    begin, end = low, high
    if isinstance(like.logdet, InterpolatedLogDet):
        begin, end = max(low, like.logdet.low), min(high, like.logdet.high)
    logdet = like.logdet

    def integrand(r: NDArray) -> NDArray:
        unit = (r - low) / (high - low)
        value = (
            like.m * logdet(r) + _log_conditional(data, like, prior, r) - np.log(high - low) - betaln(prior.d, prior.d)
        )
        return value + (prior.d - 1.0) * (np.log(unit) + np.log1p(-unit)) if prior.d != 1.0 else value

    density = normalise(integrand, begin, end)
    return Marginal(constant + density.log_integral, density, low, high)


def sample(
    data: Reduced, like: SpatialLikelihood, prior: ConjugatePrior, marginal: Marginal, draws: int, seed: int
) -> Samples:
    """Independent samples of (beta, r, sigma2): r by its inverse distribution function, the others given r."""
    rng = np.random.default_rng(seed)
    k = data.k
    uniform, gamma = rng.random(draws), rng.standard_gamma(0.5 * _nu(like.n, prior) + prior.shape, draws)
    normal = rng.standard_normal((draws, k))
    r = np.zeros(draws) if marginal.density is None else marginal.density.quantile(uniform)
    rho = np.zeros(draws) if like.error else r
    triangles = _by_cholesky(data, prior, r, float(np.median(r))) if like.error else _by_qr(data, prior, np.zeros(1))
    parts = _conditional(triangles, k, prior)
    sigma2 = (0.5 * _sse(parts.quad, rho) + prior.rate) / gamma
    shrink = _shrinkage(prior)
    u = shrink * (parts.py - rho[:, None] * parts.pw) + np.sqrt(sigma2[:, None] * shrink) * normal
    if not k:
        return Samples(u, r, sigma2)
    ordered = (
        np.linalg.solve(parts.triangle, u[..., None])[..., 0] if like.error else u @ np.linalg.inv(parts.triangle[0]).T
    )
    beta = np.empty_like(ordered)
    beta[:, _order(prior)] = ordered
    return Samples(beta, r, sigma2)


def _nu(n: int, prior: ConjugatePrior) -> int:
    return n - int(prior.flat.sum())


def _order(prior: ConjugatePrior) -> NDArray:
    """Flat coefficients first: the g-prior of the others lives in what they leave."""
    return np.argsort(~prior.flat, kind="stable")


def _shrinkage(prior: ConjugatePrior) -> NDArray:
    shrink = np.ones(prior.flat.size)
    if prior.g is not None:
        shrink[int(prior.flat.sum()) :] = prior.g / (1.0 + prior.g)
    return shrink


def _constant(n: int, prior: ConjugatePrior) -> float:
    """Logarithm of what does not depend on r."""
    nu, proper = _nu(n, prior), int((~prior.flat).sum())
    if nu <= 0:
        raise IdentificationError(f"{n} observations of the likelihood for {prior.flat.size} coefficients")
    value = -0.5 * nu * np.log(2.0 * np.pi) + gammaln(0.5 * nu + prior.shape)
    if prior.shape > 0:
        value += prior.shape * np.log(prior.rate) - gammaln(prior.shape)
    if prior.g is not None:
        value -= 0.5 * proper * np.log1p(prior.g)
    elif prior.scale is not None:
        value -= float(np.log(prior.scale[~prior.flat]).sum())
    return float(value)


def _support(logdet: LogDeterminant, prior: ConjugatePrior) -> tuple[float, float]:
    low, high = (logdet.low, logdet.high) if prior.interval is None else prior.interval
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise IdentificationError(f"the prior of the spatial parameter needs a finite interval, not ({low}, {high})")
    omega = getattr(logdet, "omega", None)
    if omega is not None:
        real = omega[np.abs(omega.imag) <= 1e-12 * np.maximum(1.0, np.abs(omega))].real
        worst = 1.0 - max(low * real.min(initial=0.0), high * real.max(initial=0.0))
        if worst < -1e-9:
            raise IdentificationError(
                f"I - r W is singular inside the prior interval ({low:.6g}, {high:.6g}); it may not leave "
                f"({logdet.low:.6g}, {logdet.high:.6g})"
            )
    return float(low), float(high)


def _columns(data: Reduced, prior: ConjugatePrior) -> tuple[NDArray, NDArray | None]:
    """Columns Z, y, Wy and their error lags, flat ones first; a normal prior adds rows ``mean = beta + scale e``."""
    k, order = data.k, _order(prior)
    columns = np.concatenate([order, [k, k + 1]])
    base, lagged = data.base[:, columns], None if data.lagged is None else data.lagged[:, columns]
    if prior.scale is not None and prior.mean is not None:
        proper = np.flatnonzero(~prior.flat[order])
        rows = np.zeros((proper.size, k + 2))
        rows[np.arange(proper.size), proper] = 1.0 / prior.scale[order][proper]
        rows[:, k] = (prior.mean / prior.scale)[order][proper]
        base = np.concatenate([base, rows])
        lagged = None if lagged is None else np.concatenate([lagged, np.zeros_like(rows)])
    if base.shape[0] < k + 2:
        # zero rows keep the trailing block of the triangle in place
        padding = np.zeros((k + 2 - base.shape[0], k + 2))
        base = np.concatenate([base, padding])
        lagged = None if lagged is None else np.concatenate([lagged, padding])
    return base, lagged


def _by_qr(data: Reduced, prior: ConjugatePrior, lambda_: NDArray) -> NDArray:
    """Triangular factors (G, k + 2, k + 2) of the filtered columns."""
    base, lagged = _columns(data, prior)
    factor = base[None] if lagged is None else base - lambda_[:, None, None] * lagged
    return np.asarray(np.linalg.qr(factor, mode="r"))


def _by_cholesky(data: Reduced, prior: ConjugatePrior, lambda_: NDArray, centre: float) -> NDArray:
    """The same for many values around a centre, without Wy: in columns orthonormal at the centre nothing is squared away."""
    base, lagged = _columns(data, prior)
    assert lagged is not None
    p = data.k + 1
    first = np.linalg.qr((base - centre * lagged)[:, :p], mode="r")
    b, g = (sla.solve_triangular(first, part[:, :p].T, trans="T", check_finite=False) for part in (base, lagged))
    x = lambda_[:, None, None]
    cross = b @ b.T - x * (b @ g.T + g @ b.T) + x**2 * (g @ g.T)
    found = np.zeros((lambda_.size, p + 1, p + 1))
    found[:, :p, :p] = np.swapaxes(np.linalg.cholesky(cross), 1, 2) @ first
    return found


def _conditional(triangles: NDArray, k: int, prior: ConjugatePrior) -> _Conditional:
    """Read the posterior given r off triangular factors of (Z, y, Wy)."""
    flat = int(prior.flat.sum())
    rest = triangles[:, k:, k:]
    if prior.g is not None:
        rest = np.concatenate([triangles[:, flat:k, k:] / np.sqrt(1.0 + prior.g), rest], axis=1)
    cross = np.swapaxes(rest, 1, 2) @ rest
    quad = np.stack([cross[:, 0, 0], cross[:, 0, 1], cross[:, 1, 1]], axis=-1)
    counted = flat if prior.g is not None else k
    diagonal = np.diagonal(triangles, axis1=1, axis2=2)[:, :k]
    half_logdet = np.log(np.abs(diagonal[:, :counted])).sum(axis=1)
    # the signs of the rows are rounding; fixed, so that samples are a continuous function of the data
    rows = triangles[:, :k] * np.where(diagonal < 0, -1.0, 1.0)[:, :, None]
    return _Conditional(rows[:, :, :k], rows[:, :, k], rows[:, :, k + 1], quad, half_logdet)


def _sse(quad: NDArray, rho: NDArray) -> NDArray:
    return quad[:, 0] - 2.0 * quad[:, 1] * rho + quad[:, 2] * rho**2


def _log_conditional(data: Reduced, like: SpatialLikelihood, prior: ConjugatePrior, r: NDArray) -> NDArray:
    """``ln p(y | r)`` up to `_constant` and the Jacobian."""
    parts = _conditional(_by_qr(data, prior, r if like.error else np.zeros(1)), data.k, prior)
    half = 0.5 * _sse(parts.quad, np.zeros(1) if like.error else r) + prior.rate
    if not np.all(half > 0):
        raise IdentificationError("the residuals vanish: the model has as many parameters as observations")
    return -(0.5 * _nu(like.n, prior) + prior.shape) * np.log(half) - parts.half_logdet
