r"""What a fit implies for later periods at any parameters: effects recomputed from the sample, paths iterated, noise added.

In the space of the filtered errors the composite of the sample, ``g = B (y - rho Wy - Z beta)`` with ``B = I - lambda W_e``, is effects
plus e. Effects are averages of g, hence linear in (y, Wy, Z) at given rho and lambda: a few averages of the columns serve any
number of parameter vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.kernels import counterfactual as kernel
from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.models.estimate import matrix
from nqpf_spatial.models.scenarios.time_effects import Assumed
from nqpf_spatial.models.structure import Structure, structure

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit


@dataclass(frozen=True, eq=False)
class Outlook:
    """Forecasts as a function of the parameters.

    Attributes
    ----------
    z : (k, H, N) ndarray
        Columns of the new periods, time lags excluded.
    unit : (2, k' + 2, N) ndarray
        Unit part of the averages of (y, Wy, Z), plain and lagged by the error weights; zeros without unit effects.
    common : (2, k' + 2, H) ndarray
        Their part common to all units of a period.
    given : (H,) ndarray
        Time effects given as numbers.
    last : (N,) ndarray or None
        Where paths with time lags start.
    error : (N, N) ndarray or None
        Weights of the error.
    form : Structure
    sigma2, lambda_ : float
    shrink : float or None
        ``phi`` of random unit effects.
    deviations : bool
        Random effects beside time effects: deviations from the mean of the units.
    filtered : bool
        Whether unit effects pass through the error filter too (fixed ones, and KKP).
    spread : (H, H) ndarray
        Covariance over the new periods of the errors in the common part, in units of sigma2.
    shock : (H, H) ndarray
        Covariance of shocks to the time effects.
    periods : int
        T behind every unit effect; 0 without unit effects.
    time_effects : (H,) ndarray
        As assumed, at the estimates.
    params : (p,) ndarray
    """

    z: NDArray
    unit: NDArray
    common: NDArray
    given: NDArray
    last: NDArray | None
    error: NDArray | None
    form: Structure
    sigma2: float
    lambda_: float
    shrink: float | None
    deviations: bool
    filtered: bool
    spread: NDArray
    shock: NDArray
    periods: int
    time_effects: NDArray
    params: NDArray

    @property
    def shape(self) -> tuple[int, int]:
        """(H, N)."""
        return self.z.shape[1:]  # type: ignore[return-value]

    def mean(self, params: NDArray, noise: NDArray | None = None) -> NDArray:
        """Paths (R, H, N) at R parameter vectors; `noise` (R, H, N) is added to the effects, before every multiplier.

        `noise` lives in the space of filtered errors.
        """
        par, lambda_ = self.form.parameters(params), self._lambda(params)
        back = kernel.inverses(self.error, lambda_, self.shape[1])
        forcing = np.einsum("rk,khn->rhn", params[:, : self.z.shape[0]], self.z)
        forcing = forcing + self._effects(params, par.rho, lambda_, back)
        if noise is not None:
            forcing = forcing + noise @ back.swapaxes(-1, -2)
        first = None if self.last is None else np.broadcast_to(self.last, (len(params), self.last.size))
        return kernel.propagate(forcing, par, self.form.dense(), first)

    def parameter_variance(self, covariance: NDArray) -> NDArray:
        """(H, N) variance from the parameters, by the gradient (complex steps)."""
        p = self.params.size
        moved = self.params + 1j * kernel.STEP * np.eye(p)
        slopes = self.mean(moved).imag / kernel.STEP
        return np.einsum("phn,pq,qhn->hn", slopes, covariance, slopes)

    def variances(self) -> tuple[NDArray, NDArray]:
        """(H, N) variances at the estimates from the effects, and from shocks and errors."""
        h, n = self.shape
        par = self.form.parameters(self.params[None])
        back = kernel.inverses(self.error, np.array([self.lambda_]), n)[0]
        powers = [power[0] for power in kernel.powers(par, self.form.dense(), n, h)]
        ones = back @ np.ones(n)
        unit, root = self._unit_covariance(), self.sigma2**0.5 * back
        effect, error = np.empty((h, n)), np.empty((h, n))
        for at in range(h):
            reach = [powers[at - s] for s in range(at + 1)] if par.dynamic else [powers[0]]
            start = 0 if par.dynamic else at
            total = sum(reach)
            paths = np.stack([g @ ones for g in reach])  # of a unit of the common part in every period so far
            window = slice(start, at + 1)
            effect[at] = np.einsum("ij,jk,ik->i", total, unit, total)
            effect[at] += self.sigma2 * np.einsum("si,su,ui->i", paths, self.spread[window, window], paths)
            shock = (1.0 - self.lambda_) ** 2 * self.shock[window, window]
            error[at] = np.einsum("si,su,ui->i", paths, shock, paths) + sum(
                ((g @ root) ** 2).sum(axis=1) for g in reach
            )
        return effect, error

    def noise(self, rng: np.random.Generator, count: int) -> tuple[NDArray, NDArray]:
        """(R, H, N) draws of the errors in the effects, and of the errors and shocks of the new periods; filtered space."""
        h, n = self.shape
        unit = rng.standard_normal((count, n)) @ _root(self._unit_covariance()).T
        if self.error is not None:  # the covariance is that of what enters y
            unit = unit - self.lambda_ * unit @ self.error.T
        common = rng.standard_normal((count, h)) @ (self.sigma2**0.5 * _root(self.spread)).T
        shock = rng.standard_normal((count, h)) @ ((1.0 - self.lambda_) * _root(self.shock)).T
        error = self.sigma2**0.5 * rng.standard_normal((count, h, n))
        return unit[:, None] + common[..., None], error + shock[..., None]

    def _lambda(self, params: NDArray) -> NDArray:
        return params[:, self.form.lambda_] if self.form.lambda_ >= 0 else np.zeros(len(params))

    def _effects(self, params: NDArray, rho: NDArray, lambda_: NDArray, back: NDArray) -> NDArray:
        """(R, H, N) unit and time effects as they enter y."""
        k = self.unit.shape[1] - 2
        weight = np.column_stack([np.ones(len(params)), -rho, -params[:, :k]])
        unit, common = weight @ self.unit[0], weight @ self.common[0]
        if self.error is not None:
            common = common - lambda_[:, None] * (weight @ self.common[1])
            if self.filtered:
                unit = unit - lambda_[:, None] * (weight @ self.unit[1])
        common = common + (1.0 - lambda_[:, None]) * self.given
        if self.shrink is not None:
            b = self._filter(lambda_)
            unit = (_posterior(self.shrink, b) @ b.swapaxes(-1, -2) @ b @ unit[..., None])[..., 0]
        if self.filtered:
            return (unit[:, None] + common[..., None]) @ back.swapaxes(-1, -2)
        # these unit effects escape the error filter; with time effects their filtered mean belongs to the level
        if self.deviations and self.error is not None:
            common = common - (unit - lambda_[:, None] * unit @ self.error.T).mean(axis=1)[:, None]
        level = np.broadcast_to(common[..., None], (*common.shape, unit.shape[-1]))
        return unit[:, None] + level @ back.swapaxes(-1, -2)

    def _filter(self, lambda_: NDArray) -> NDArray:
        """(R, N, N) filter that shrinks random effects: identity unless they escape the error filter."""
        n = self.shape[1]
        if self.filtered or self.error is None:
            return np.broadcast_to(np.eye(n), (lambda_.size, n, n))
        b = np.eye(n) - lambda_[:, None, None] * self.error
        centre = np.eye(n) - 1.0 / n if self.deviations else np.eye(n)
        return centre @ b @ centre

    def _unit_covariance(self) -> NDArray:
        """(N, N) covariance of the errors in the unit effects as they enter y before the lag multiplier."""
        n = self.shape[1]
        if self.periods == 0:
            return np.zeros((n, n))
        lambda_ = np.array([self.lambda_])
        back = kernel.inverses(self.error, lambda_, n)[0]
        if self.shrink is None:
            return self.sigma2 / self.periods * back @ back.T
        left = self.sigma2 / self.periods * _posterior(self.shrink, self._filter(lambda_))[0]
        if self.deviations:
            centre = np.eye(n) - 1.0 / n
            left = centre @ left @ centre
        return back @ left @ back.T if self.filtered else left


def outlook(fit: SpatialFit, z: NDArray, assumed: Assumed, time_effects: NDArray) -> Outlook:
    """Averages of the sample that forecasts need, under the assumption on time effects."""
    est, form = fit.estimate, structure(fit)
    design = est.design
    t, n = design.shape
    random = est.random
    has_unit = design.unit or random is not None
    w_error = est.weights.error
    error = None if w_error is None else w_error.dense()
    stack = np.concatenate([design.y[None], est.columns.wy[None], est.columns.z])
    layers = [stack] if w_error is None else [stack, np.stack([spatial_lag(matrix(w_error), a) for a in stack])]
    unit = np.stack([_unit_part(a, has_unit, design.time) for a in layers])
    common = np.stack([_common_part(a, design.time, assumed.weights) for a in layers])
    centred = assumed.weights - assumed.weights.mean(axis=1, keepdims=True)
    spread = centred @ centred.T / n + (1.0 / (n * t) if not design.unit else 0.0)
    return Outlook(
        z=z, unit=unit, common=common, given=assumed.values, last=design.y[-1] if fit.dynamic else None, error=error,
        form=form, sigma2=fit.sigma2, lambda_=est.fit.lambda_, shrink=None if random is None else random.phi, deviations=random is not None and design.time,
        filtered=random is None or random.error != "baltagi", spread=spread * design.time, shock=assumed.shock,
        periods=t if has_unit else 0, time_effects=time_effects, params=fit.params.to_numpy(),
    )  # fmt: skip


def _unit_part(a: NDArray, has_unit: bool, time: bool) -> NDArray:
    """(m, N) means over time, deviations from the grand mean where time effects carry the level."""
    if not has_unit:
        return np.zeros((a.shape[0], a.shape[2]))
    mean = a.mean(axis=1)
    return mean - mean.mean(axis=1, keepdims=True) if time else mean


def _common_part(a: NDArray, time: bool, weights: NDArray) -> NDArray:
    """(m, H) grand mean plus the weighted deviations of the period means."""
    if not time:
        return np.zeros((a.shape[0], weights.shape[0]))
    by_period = a.mean(axis=2)
    grand = by_period.mean(axis=1, keepdims=True)
    return grand + (by_period - grand) @ weights.T


def _posterior(phi: float, b: NDArray) -> NDArray:
    """``[phi / (1 - phi) I + B'B]^{-1}`` (R, N, N): variance of random effects given the sample, over sigma2 / T."""
    cross = b.swapaxes(-1, -2) @ b
    return (1.0 - phi) * np.linalg.inv(phi * np.eye(b.shape[-1]) + (1.0 - phi) * cross)


def _root(covariance: NDArray) -> NDArray:
    """A square root that exists for singular matrices too."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.clip(values, 0.0, None))
