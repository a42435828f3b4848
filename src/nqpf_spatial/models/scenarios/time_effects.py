"""What is assumed of time effects beyond the sample: always said, never chosen silently."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.errors import PanelError
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.scenarios.newdata import positions

TimeEffect: TypeAlias = str | float | Mapping[Hashable, float] | pd.Series | None
RULES = ("last", "mean", "trend")


@dataclass(frozen=True, eq=False)
class Assumed:
    """Time effects of new periods as a linear function of those of the sample.

    Attributes
    ----------
    weights : (H, T) ndarray
        ``a_h = sum_t weights[h, t] a_t + values[h]``, a_t deviations that sum to zero.
    values : (H,) ndarray
    shock : (H, H) ndarray
        Covariance of the shocks common to all units that the intervals allow for.
    text : str
    sd : float
        Standard deviation of a shock in one period.
    """

    weights: NDArray
    values: NDArray
    shock: NDArray
    text: str
    sd: float


def assume(
    design: Design, periods: tuple[Hashable, ...], time_effect: TimeEffect, time_sd: float | str, effects: NDArray
) -> Assumed:
    """Turn the argument into weights; `effects` (T,) are the estimated time effects.

    Raises
    ------
    ValueError
        No assumption for a fit with time effects, or one for a fit without.
    """
    t, h = len(design.periods), len(periods)
    none = np.zeros((h, t)), np.zeros(h)
    if not design.time:
        if time_effect is not None or time_sd != 0.0:
            raise ValueError(
                "time_effect= and time_sd= are about fixed time effects, and the fit has none; leave them out"
            )
        return Assumed(*none, np.zeros((h, h)), "", 0.0)
    if time_effect is None:
        raise ValueError(
            f"the fit has fixed effects of {design.levels[1]!r}, and those of {enumerate_some(list(periods), 4)} are unknown. Say what to "
            'assume: time_effect="last" (that of the last period), "mean" (the average of the sample), "trend" (a straight line '
            "through them), a number, or one number per period, on the scale of fit.fixed_effects()"
        )
    if isinstance(time_effect, str):
        if time_effect not in RULES:
            raise ValueError(
                f"time_effect={time_effect!r} is not known; choose one of {', '.join(map(repr, RULES))} or numbers"
            )
        weights = _weights(design, periods, time_effect)
        sd = _sd(time_effect, time_sd, effects)
        return Assumed(weights, np.zeros(h), _shock(design, periods, time_effect, sd), time_effect, sd)
    values = _values(periods, time_effect)
    if time_sd == "sample":
        raise ValueError(
            'time_sd="sample" goes with a rule (last, mean, trend); with time effects of your own give a number'
        )
    sd = _sd("given", time_sd, effects)
    return Assumed(none[0], values, _shock(design, periods, "given", sd), "given", sd)


def _weights(design: Design, periods: tuple[Hashable, ...], rule: str) -> NDArray:
    t, h = len(design.periods), len(periods)
    if rule == "mean":
        return np.zeros((h, t))  # they sum to zero
    if rule == "last":
        return np.tile(np.eye(t)[-1], (h, 1))
    if t < 3:
        raise PanelError(f"a trend through {t} time effects says nothing; choose another time_effect=")
    old, new = positions(design, periods)
    line = np.column_stack([np.ones(t), old])
    return np.column_stack([np.ones(h), new]) @ np.linalg.pinv(line)


def _sd(rule: str, time_sd: float | str, effects: NDArray) -> float:
    """Standard deviation of shocks: as given, or of the changes of the effects ("last"), or around their mean or trend."""
    if not isinstance(time_sd, str):
        if not np.isfinite(time_sd) or time_sd < 0:
            raise ValueError(f"time_sd={time_sd}: a standard deviation is not negative")
        return float(time_sd)
    if time_sd != "sample":
        raise ValueError(f'time_sd={time_sd!r} is not known; give a number or "sample"')
    if rule == "last":
        return float(np.sqrt(np.mean(np.diff(effects) ** 2)))
    lost = 1 if rule == "mean" else 2
    line = np.column_stack([np.ones(effects.size), np.arange(effects.size)])[:, :lost]
    rest = effects - line @ np.linalg.lstsq(line, effects)[0]
    return float(np.sqrt(rest @ rest / (effects.size - lost)))


def _shock(design: Design, periods: tuple[Hashable, ...], rule: str, sd: float) -> NDArray:
    """Random walk from the last effect, or independent shocks around mean, trend and given values."""
    if rule != "last" or sd == 0.0:
        return sd**2 * np.eye(len(periods))
    steps = positions(design, periods)[1] - (len(design.periods) - 1)
    return sd**2 * np.minimum.outer(steps, steps)


def _values(periods: tuple[Hashable, ...], given: float | Mapping[Hashable, float] | pd.Series) -> NDArray:
    if isinstance(given, (Mapping, pd.Series)):
        known = dict(given)
        absent = [p for p in periods if p not in known]
        if absent:
            raise ValueError(f"time_effect= has no value for {enumerate_some(absent)}")
        values = np.array([float(known[p]) for p in periods])
    elif isinstance(given, (int, float, np.number)) and not isinstance(given, bool):
        values = np.full(len(periods), float(given))
    else:
        raise TypeError(
            f"time_effect= is a {type(given).__name__}; give a rule, a number, or a mapping from periods to numbers"
        )
    if not np.isfinite(values).all():
        raise ValueError("time_effect= has missing or infinite values")
    return values
