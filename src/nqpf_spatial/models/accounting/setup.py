"""Players of a divergence accounting, and the regressors with some of them switched off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial import provinces
from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import accounting as kernel
from nqpf_spatial.kernels.shapley import members
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.impacts.marginal import columns_of_variables, is_factor
from nqpf_spatial.models.impacts.views import membership
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.structure import structure

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

SPILLOVERS, UNIT, TIME, RESIDUAL = "spillovers", "unit effects", "time effects", "residual"
INITIAL, OTHER, TOTAL = "initial conditions", "other regressors", "total"
RESERVED = (SPILLOVERS, UNIT, TIME, RESIDUAL, INITIAL, OTHER, TOTAL)
#: coalitions double with every player
MOST = 13

#: name -> (function of values (..., N) and group codes, names of its parts, values that it is defined for)
MEASURES: dict[str, tuple[Callable[[NDArray, NDArray | None], NDArray], tuple[str, ...], str]] = {
    "theil_t": (partial(kernel.theil, kind="T"), ("between", "within"), "positive"),
    "theil_l": (partial(kernel.theil, kind="L"), ("between", "within"), "positive"),
    "gini": (kernel.dagum, (), "non-negative"),
    "dagum": (kernel.dagum, ("within", "net between", "transvariation"), "non-negative"),
    "cv": (partial(kernel.spread, kind="cv"), (), "any"),
    "sd_log": (partial(kernel.spread, kind="sd_log"), (), "positive"),
}
ALIASES = {"theil": "theil_t"}


@dataclass(frozen=True, eq=False)
class Measure:
    """A measure of inequality with its parts, as a function of outcomes.

    Attributes
    ----------
    name : str
    parts : tuple of str
        Names of the P values: the total first.
    codes : (N,) int ndarray or None
        Groups of units.
    log : bool
        Whether outcomes are logarithms of what is measured.
    """

    name: str
    parts: tuple[str, ...]
    codes: NDArray | None
    log: bool

    def __call__(self, outcome: NDArray) -> NDArray:
        """(..., P) from outcomes (..., N)."""
        function, _, domain = MEASURES[self.name]
        if self.log:  # the measures do not depend on the scale
            values = np.exp(outcome - outcome.mean(axis=-1, keepdims=True))
        else:
            values = outcome
            bad = (values <= 0) if domain == "positive" else (values < 0)
            if domain != "any" and bad.any():
                raise PanelError(
                    f"{self.name} needs {domain} values, and {int(bad.any(axis=-1).sum())} of the counterfactual distributions have "
                    'others: the outcome is in levels. Model its logarithm, or use measure="cv"'
                )
        return function(values, self.codes)


def measure_of(
    fit: SpatialFit, name: str, blocks: str | Mapping[Any, Any] | pd.Series | None, log: bool
) -> tuple[Measure, tuple[str, ...]]:
    """The measure by its name, and the names of the groups of units."""
    known = ALIASES.get(name, name)
    if known not in MEASURES:
        raise ValueError(f"measure={name!r} is not known; choose one of {', '.join(map(repr, [*ALIASES, *MEASURES]))}")
    parts = MEASURES[known][1]
    if known == "dagum" and blocks is None:
        blocks = "block" if all(map(provinces.is_province, fit.estimate.design.units)) else None
    if known == "dagum" and blocks is None:
        raise ValueError(
            'measure="dagum" splits the Gini index by groups of units: pass blocks="block" or a mapping from units'
        )
    if blocks is None:
        return Measure(known, (TOTAL,), None, log), ()
    if not parts:
        raise ValueError(
            f'measure={name!r} has no parts between and within blocks=; use "theil" or "dagum", or leave blocks= out'
        )
    names, member = membership(fit, blocks)
    return Measure(known, (TOTAL, *parts), member.argmax(axis=1), log), tuple(names)


def group_variables(design: Design, groups: Mapping[str, Sequence[str] | str] | None) -> dict[str, tuple[str, ...]]:
    """Variables of every group of regressors; variables in no group make up "other regressors"."""
    known = [v for v in columns_of_variables(design) if design.names]
    if groups is None:
        return {v: (v,) for v in known}
    chosen = {str(g): (v,) if isinstance(v, str) else tuple(v) for g, v in groups.items()}
    taken = [g for g in chosen if g in RESERVED]
    if taken:
        raise ValueError(f"groups= uses names of other components: {enumerate_some(taken)}; choose others")
    listed = [v for vs in chosen.values() for v in vs]
    unknown = [v for v in listed if v not in known]
    if unknown:
        raise ValueError(
            f"groups= names {enumerate_some(unknown)}, no variables of the formula; it uses {', '.join(known)}"
        )
    twice = sorted({v for v in listed if listed.count(v) > 1})
    if twice:
        raise ValueError(f"groups= has {enumerate_some(twice)} in two groups")
    empty = [g for g, vs in chosen.items() if not vs]
    if empty:
        raise ValueError(f"groups= has no variables for {enumerate_some(empty)}")
    rest = tuple(v for v in known if v not in listed)
    return chosen | ({OTHER: rest} if rest else {})


def regressors_off(
    fit: SpatialFit, groups: dict[str, tuple[str, ...]], off: Callable[[Design, str], pd.Series]
) -> NDArray:
    """(2^G, K, T, N) columns for every subset of groups that is on.

    Parameters
    ----------
    off : callable
        Values of a variable that is switched off, for the rows of the frame behind the fit.
    """
    design = fit.estimate.design
    on = design.evaluate(design.frame)
    used = columns_of_variables(design)
    order = structure(fit).columns
    owners: list[set[int]] = [set() for _ in order]  # groups that a column depends on
    for g, variables in enumerate(groups.values()):
        for variable in variables:
            for column in used[variable]:
                owners[order.index(column)].add(g)

    def without(present: NDArray) -> NDArray:
        gone = [v for (vs, here) in zip(groups.values(), present, strict=True) if not here for v in vs]
        # the mean of labels is no label: of factors the columns are averaged; the label of another period is one
        factors = [v for v in gone if off is at_mean and is_factor(design, v)]
        frame = design.frame.assign(**{v: off(design, v) for v in gone if v not in factors})
        columns = design.evaluate(frame)
        for column in {c for v in factors for c in used[v]}:
            k = order.index(column)
            columns[k] = columns[k].mean(axis=1, keepdims=True)
        return columns

    present = members(len(groups))
    if all(len(owner) <= 1 for owner in owners):
        nothing = without(np.zeros(len(groups), dtype=bool))
        keep = np.array([[not owner or bool(row[next(iter(owner))]) for owner in owners] for row in present])
        return np.where(keep[:, :, None, None], on, nothing)
    return np.stack([without(row) for row in present])


def at_mean(design: Design, variable: str) -> pd.Series:
    """A variable at the mean of the units in every period."""
    values = design.frame[variable].to_numpy(dtype=float).reshape(len(design.units), -1)
    mean = np.broadcast_to(values.mean(axis=0), values.shape)
    return pd.Series(mean.ravel(), index=design.frame.index)


def at_period(period: int) -> Callable[[Design, str], pd.Series]:
    """A variable at its value of one period in every unit."""

    def values(design: Design, variable: str) -> pd.Series:
        wide = design.frame[variable].to_numpy().reshape(len(design.units), -1)
        return pd.Series(np.broadcast_to(wide[:, [period]], wide.shape).ravel(), index=design.frame.index)

    return values
