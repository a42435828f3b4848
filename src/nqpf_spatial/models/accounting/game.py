"""The game behind a divergence accounting: coalitions of components, their values, and errors of the contributions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import accounting as kernel
from nqpf_spatial.kernels.counterfactual import Parameters, inverses, lagged
from nqpf_spatial.kernels.shapley import weights
from nqpf_spatial.models.accounting.setup import (
    INITIAL,
    MOST,
    RESIDUAL,
    SPILLOVERS,
    TIME,
    UNIT,
    Measure,
    at_mean,
    at_period,
    regressors_off,
)
from nqpf_spatial.models.bootstrap import bootstrap, error_blocks
from nqpf_spatial.models.design import MEAN
from nqpf_spatial.models.dynamic.bootstrap import recursive_bootstrap, recursive_errors
from nqpf_spatial.models.dynamic.part import part
from nqpf_spatial.models.structure import Structure, structure

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

_WORK = 6_000_000  # counterfactual values in memory at once


@dataclass(frozen=True, eq=False)
class Game:
    """Everything the accounting of one fit computes from; see `contributions`."""

    fit: SpatialFit
    form: Structure
    measure: Measure
    groups: dict[str, tuple[str, ...]]
    players: tuple[str, ...]
    idle: tuple[str, ...]  # players that change nothing, whatever the coalition: left out of the enumeration
    quantities: tuple[str, ...]
    periods: tuple[int, ...]
    change: str
    level_x: NDArray  # (2^G, K, T, N), off at the mean of the units
    change_x: NDArray | None  # (2^G, K, 1, N), off at the first period
    z: NDArray  # columns without time lags

    @property
    def spatial(self) -> bool:
        space = self.form.space
        return space.lag is not None or space.durbin is not None or space.time is not None

    def at_estimates(self) -> tuple[NDArray, kernel.Components]:
        """Parameters (1, p) and components of the fit."""
        est = self.fit.estimate
        params = self.fit.params.to_numpy()[None]
        if est.random is None:
            return params, self.components(params, est.design.y[None])
        composite, effects, _ = self.fit._parts
        unit = effects.mean(axis=0) - effects.mean() * est.design.time
        common = effects.mean(axis=1) * est.design.time
        return params, kernel.Components(unit[None], common[None], (composite - effects)[None])

    def signal(self, params: NDArray) -> NDArray:
        """``Z beta`` (R, T, N), time lags excluded."""
        return np.einsum("rk,ktn->rtn", params[:, : len(self.z)], self.z)

    def components(self, params: NDArray, y: NDArray) -> kernel.Components:
        """Components of outcomes (R, T, N) at R parameter vectors, by the fixed effects of the fit."""
        est = self.fit.estimate
        design = est.design
        first = np.broadcast_to(part(est).first, (len(params), y.shape[2])) if self.fit.dynamic else None
        error = None
        if est.weights.error is not None:
            error = est.weights.error.dense(), params[:, self.form.lambda_]
        par, space = self.form.parameters(params), self.form.dense()
        return kernel.components(y, self.signal(params), par, space, (design.unit, design.time), first, error)

    def totals(self) -> NDArray:
        """(quantities, P) the measure of the observed outcomes, and its change."""
        levels = self.measure(self.fit.estimate.design.y[list(self.periods)])
        return np.concatenate([levels, levels[1:] - levels[:1]])

    def contributions(self, params: NDArray, parts: kernel.Components) -> NDArray:
        """(R, quantities, players, P) Shapley values."""
        par = self.form.parameters(params)
        parts = self._with_means(params, parts)
        inverse = inverses(self.form.dense().lag, par.rho, parts.unit.shape[1])
        values = [self._level(par, parts, t, inverse) for t in self.periods]
        if len(self.periods) == 2:
            values.append(values[1] - values[0] if self.change == "levels" else self._change(par, parts, inverse))
        return np.stack(values, axis=1)

    def _with_means(self, params: NDArray, parts: kernel.Components) -> kernel.Components:
        """Unit means of the Mundlak form, own and lagged, belong to the unit effects."""
        names = self.fit.estimate.columns.names
        rows = [k for k, name in enumerate(names) if name.removeprefix("W:").startswith(MEAN)]
        if not rows:
            return parts
        return kernel.Components(parts.unit + params[:, rows] @ self.z[rows, 0], parts.common, parts.error)

    def _level(self, par: Parameters, parts: kernel.Components, t: int, inverse: NDArray) -> NDArray:
        """(R, players, P) contributions to the level of period t."""
        window = slice(0 if self.fit.dynamic else t, t + 1)
        error = parts.error[:, window]
        unit = np.broadcast_to(parts.unit[:, None], error.shape)
        common = np.broadcast_to(parts.common[:, window, None], error.shape)
        average = np.broadcast_to(parts.common.mean(axis=1)[:, None, None], error.shape)
        others = {UNIT: _pair(_mean(unit), unit), TIME: _pair(average, common), RESIDUAL: _pair(_mean(error), error)}
        first = None
        if self.fit.dynamic:
            start = np.broadcast_to(part(self.fit.estimate).first, parts.unit.shape)
            first = _pair(_mean(start), start)
        own, through = self._regressors(par, self.level_x[:, :, window])
        chosen = [pair for name, pair in others.items() if name in self.players and name not in self.idle]
        value = self.measure(kernel.coalition_outcomes(own, through, chosen, par, self.form.dense(), first, inverse))
        return self._all_players(_shapley(value), self.idle)

    def _change(self, par: Parameters, parts: kernel.Components, inverse: NDArray) -> NDArray:
        """(R, players, P) contributions to the change, off at the first period; unit effects do not change."""
        assert self.change_x is not None
        t0, t1 = self.periods
        own, through = self._regressors(par, self.change_x)
        error, common = parts.error, np.broadcast_to(parts.common[..., None], parts.error.shape)
        pairs = {TIME: (common[:, [t0]], common[:, [t1]]), RESIDUAL: (error[:, [t0]], error[:, [t1]])}
        chosen = [_pair(*pair) for name, pair in pairs.items() if name in self.players and name not in self.idle]
        moving = own + parts.unit[:, None, None]
        value = self.measure(kernel.coalition_outcomes(moving, through, chosen, par, self.form.dense(), None, inverse))
        empty = np.arange(value.shape[1]) & ((1 << len(self.groups)) if self.spatial else 0)
        return self._all_players(_shapley(value - value[:, empty]), (*self.idle, UNIT))

    def _all_players(self, found: NDArray, absent: tuple[str, ...]) -> NDArray:
        """Zeros for the players that were left out."""
        out = np.zeros((found.shape[0], len(self.players), found.shape[2]))
        out[:, [i for i, name in enumerate(self.players) if name not in absent]] = found
        return out

    def _regressors(self, par: Parameters, x: NDArray) -> tuple[NDArray, NDArray | None]:
        own = np.einsum("rk,sktn->rstn", par.beta, x)
        if not self.spatial:
            return own, None
        return own, np.einsum("rk,sktn->rstn", par.theta, lagged(self.form.dense().durbin, x))


def _pair(off: NDArray, on: NDArray) -> NDArray:
    return np.stack([off, on], axis=1)


def _mean(a: NDArray) -> NDArray:
    return np.broadcast_to(a.mean(axis=-1, keepdims=True), a.shape)


def _shapley(value: NDArray) -> NDArray:
    """(R, m, P) from the values (R, 2^m, P) of the coalitions."""
    m = int(value.shape[1]).bit_length() - 1
    return np.einsum("mc,rcp->rmp", weights(m), value)


def make_game(
    fit: SpatialFit, measure: Measure, groups: dict[str, tuple[str, ...]], years: object, change: str
) -> Game:
    est, form = fit.estimate, structure(fit)
    design = est.design
    periods = _periods(fit, years)
    spatial = any(w is not None for w in (form.space.lag, form.space.durbin, form.space.time))
    present = {
        SPILLOVERS: spatial, UNIT: design.unit or est.random is not None, TIME: design.time, RESIDUAL: True, INITIAL: bool(fit.dynamic),
    }  # fmt: skip
    players = (*groups, *(name for name, on in present.items() if on))
    if len(players) > MOST:
        raise ValueError(
            f"{len(players)} components have {2 ** len(players)} coalitions; put variables together with groups= ({MOST} at most)"
        )
    # the same number added to every logarithm, before and after a multiplier whose rows have one sum
    weights_ = [w for w in (est.weights.lag, est.weights.first() if fit.dynamic else None) if w is not None]
    idle = (TIME,) if measure.log and design.time and all(w.is_row_stochastic for w in weights_) else ()
    change_x = None
    if len(periods) == 2 and change == "first year":
        change_x = regressors_off(fit, groups, at_period(periods[0]))[:, :, [periods[1]]]
    labels = [str(design.periods[t]) if len(design.levels) == 2 else "level" for t in periods]
    quantities = (*labels, *(["change"] if len(periods) == 2 else []))
    lags = len(fit.dynamic)
    return Game(
        fit, form, measure, groups, players, idle, quantities, periods, change, regressors_off(fit, groups, at_mean), change_x,
        est.columns.z[: len(est.columns.z) - lags],
    )  # fmt: skip


def _periods(fit: SpatialFit, years: object) -> tuple[int, ...]:
    design = fit.estimate.design
    last = len(design.periods) - 1
    if years is None:
        return (0,) if last == 0 else (0, last)
    if len(design.levels) == 1:
        raise PanelError("years= needs a panel; the fit is of a cross-section")
    given = list(years) if isinstance(years, (tuple, list)) else [years]
    if len(given) not in (1, 2):
        raise ValueError(f"years={years!r}: give one period or (first, last)")
    absent = [str(p) for p in given if p not in design.periods]
    if absent:
        raise PanelError(
            f"years={years!r}: the fit has no {', '.join(absent)}; it covers {design.periods[0]} to {design.periods[-1]}"
        )
    found = tuple(design.periods.index(p) for p in given)
    if len(found) == 2 and found[0] >= found[-1]:
        raise ValueError(f"years={years!r}: the first period comes before the last")
    return found


def bootstrap_errors(game: Game, replicates: int, kind: str | None, seed: int) -> NDArray:
    """(R, quantities, players, P) errors of the contributions over bootstrap replicates."""
    fit = game.fit
    est = fit.estimate
    if est.random is not None:
        raise ValueError(
            "intervals are made by drawing errors around fixed effects: for random effects set replicates=0"
        )
    if fit.dynamic:
        params, _, converged = recursive_bootstrap(est, replicates, seed)
        blocks, keep = recursive_errors(est, replicates, seed), converged
    else:
        chosen = kind or "residual"
        params = bootstrap(est, chosen, replicates, seed)[0]
        blocks, keep = error_blocks(est, chosen, replicates, seed), np.ones(replicates, dtype=bool)
    truth, facts = game.at_estimates()
    back: NDArray = np.eye(est.design.shape[1])
    if est.weights.error is not None:
        back = np.linalg.inv(back - est.fit.lambda_ * est.weights.error.dense())
    size = max(
        1,
        _WORK
        // (
            2 ** len(game.players) * est.design.y.size if fit.dynamic else 2 ** len(game.players) * est.design.shape[1]
        ),
    )
    found: list[NDArray] = []
    start = 0
    for errors in _pieces(blocks, keep, size):
        r = len(errors)
        unit, common = (np.repeat(a, r, axis=0) for a in (facts.unit, facts.common))
        parts = kernel.Components(unit, common, errors @ back.T)
        same = np.repeat(truth, r, axis=0)
        first = np.broadcast_to(part(est).first, (r, errors.shape[2])) if fit.dynamic else None
        y = kernel.outcomes(game.signal(same), parts, game.form.parameters(same), game.form.dense(), first)
        estimates = params[start : start + r]
        again = game.contributions(estimates, game.components(estimates, y))
        found.append(again - game.contributions(same, parts))
        start += r
    return np.concatenate(found)


def _pieces(blocks: Iterator[NDArray], keep: NDArray, size: int) -> Iterator[NDArray]:
    """Errors of the replicates that count, in pieces that fit the memory."""
    start = 0
    for block in blocks:
        chosen = block[keep[start : start + len(block)]]
        start += len(block)
        for i in range(0, len(chosen), size):
            yield chosen[i : i + size]
