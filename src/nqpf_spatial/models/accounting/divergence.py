"""Divergence accounting: how much of an inequality, and of its change, a model attributes to which of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.models.accounting.game import Game, bootstrap_errors, make_game
from nqpf_spatial.models.accounting.setup import TOTAL, group_variables, measure_of
from nqpf_spatial.models.covariance import check_alpha
from nqpf_spatial.models.scenarios.changes import outcome_is_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.results import SpatialFit

CHANGES = ("first year", "levels")


@dataclass(frozen=True, eq=False)
class Accounting:
    """Contributions to the level of an inequality and to its change.

    Attributes
    ----------
    table : DataFrame
        Indexed by component and ``"total"``; columns (quantity) x (estimate, share, se, lower, upper): the levels of the first and the
        last period, and ``"change"``. Without replicates estimate and share only.
    bias : DataFrame or None
        Mean error of the estimates over the replicates, component x quantity; the intervals allow for it.
    parts : dict of str to DataFrame
        The same table for every part of the measure between and within blocks of units.
    measure : str
    groups : dict
        Variables behind every component of regressors.
    blocks : tuple of str
    log : bool
        Whether ``exp(outcome)`` is measured.
    change : str
        What switched off means for the change.
    replicates, seed : int
    kind : str or None
    alpha : float
    fit : SpatialFit
    """

    table: pd.DataFrame
    bias: pd.DataFrame | None
    parts: dict[str, pd.DataFrame]
    measure: str
    groups: dict[str, tuple[str, ...]]
    blocks: tuple[str, ...]
    log: bool
    change: str
    replicates: int
    kind: str | None
    seed: int
    alpha: float
    fit: SpatialFit

    def tidy(self) -> pd.DataFrame:
        """Long form: index (quantity, component)."""
        quantities = list(dict.fromkeys(self.table.columns.get_level_values(0)))
        return pd.concat({q: self.table[q] for q in quantities}, names=["quantity", "component"])

    def plot(self, kind: str = "bars", ax: Axes | None = None, lang: str = "en") -> Axes:
        """Stacked bars of levels and change, or a waterfall of the change; see `nqpf_spatial.models.accounting.plots`."""
        from nqpf_spatial.models.accounting.plots import accounting_plot

        return accounting_plot(self, kind, ax, lang)

    def provenance(self) -> dict[str, Any]:
        """What reproduces this result."""
        return {
            "fit": self.fit.provenance(),
            "measure": self.measure,
            "groups": {name: list(variables) for name, variables in self.groups.items()},
            "blocks": list(self.blocks),
            "log": self.log,
            "change": self.change,
            "kind": self.kind,
            "replicates": self.replicates,
            "seed": self.seed,
            "alpha": self.alpha,
        }

    def notes(self) -> list[str]:
        """What the numbers mean."""
        what = f"exp({self.fit.estimate.design.outcome})" if self.log else self.fit.estimate.design.outcome
        off = {
            "first year": "at their values of the first period",
            "levels": "difference of the two levels",
        }[self.change]
        blocks = f", by {', '.join(self.blocks)}" if self.blocks else ""
        lines = [
            f"{self.measure} of {what}{blocks}, {self.fit.estimate.design.shape[1]} units; Shapley values over all coalitions of components",
            f"switched off, level: at the mean of the units; change: {off}; spillovers: theta and rho (and eta) zero",
            *(f"{name}: {', '.join(variables)}" for name, variables in self.groups.items() if variables != (name,)),
        ]
        if self.replicates:
            lines.append(
                f"{1 - self.alpha:.0%} intervals, {self.kind} bootstrap, {self.replicates} replicates, seed {self.seed}"
            )
        return lines

    def __repr__(self) -> str:
        w = "" if self.fit.w is None else f", W = {self.fit.w.name}"
        head = f"Divergence accounting; {self.fit.model}{w}"
        return "\n".join([head, self.table.to_string(float_format=lambda v: f"{v:.5f}"), *self.notes()])

    def _repr_html_(self) -> str:
        notes = "<br>".join(self.notes())
        return f"<p><b>Divergence accounting</b>, {self.fit.model}</p>{self.table.to_html(float_format=lambda v: f'{v:.5f}')}<small>{notes}</small>"


def divergence_accounting(
    fit: SpatialFit,
    measure: str = "theil",
    *,
    groups: Mapping[str, Sequence[str] | str] | None = None,
    years: tuple[object, object] | object | None = None,
    blocks: str | Mapping[Any, Any] | pd.Series | None = None,
    scale: str = "auto",
    change: str | None = None,
    replicates: int = 999,
    kind: str | None = None,
    seed: int = 0,
    alpha: float = 0.05,
) -> Accounting:
    r"""Attribute the inequality of the outcome, and its change, to the parts of a fitted model.

    The model reproduces the outcome exactly from groups of regressors, spillovers, effects and residuals. Every coalition C of these
    components gives a counterfactual distribution, in which the others are switched off, and its inequality v(C). The contribution
    of a component is its Shapley value, the mean of what it adds over all orders of entry,

    .. math:: \phi_i = \sum_{C \not\ni i} \frac{|C|!\,(m-|C|-1)!}{m!}\,[v(C \cup i) - v(C)],

    (Shorrocks 2013, Journal of Economic Inequality 11, 99-126; regression-based accounting as in Fiorio and Jenkins
    2007), so that contributions sum to the whole without a remainder. All coalitions are enumerated.

    Parameters
    ----------
    fit : SpatialFit
        Static or dynamic.
    measure : {"theil", "theil_l", "dagum", "gini", "cv", "sd_log"}
        "theil" is Theil's T. With `blocks` the Theil indices come with their parts between and within blocks, "dagum" (the Gini
        index) with within, net between and transvariation; every part has an accounting of its own that sums to it.
    groups : mapping, optional
        Component name -> variables of the formula, for instance ``{"digital": ["ln_broadband_pc"], ...}``; every variable on its own by
        default. Variables in no group make up "other regressors".
    years : (first, last) or one period, optional
        First and last period of the fit by default; one period gives its level only.
    blocks : str, mapping or Series, optional
        "block", "north_south", ... for provinces; or a map from unit to block. "dagum" takes "block" for provinces unless told otherwise.
    scale : {"auto", "exp", "none"}
        What is measured: ``exp(outcome)`` or the outcome. "auto" takes exp for outcomes ``log(...)`` and names ``ln_...``, and the result
        says which.
    change : {"first year", "levels"}, optional
        "first year" (default of static fits): components that are switched off keep their values of the first period; with
        spillovers off the change is that of a world without them. "levels" (what dynamic fits have): difference of the two
        accountings of levels.
    replicates : int
        Bootstrap replicates of the intervals; 0 for none.
    kind : str, optional
        Kind of bootstrap, as in ``fit.bootstrap``.
    seed : int
    alpha : float

    Returns
    -------
    Accounting

    Notes
    -----
    Switched off, for a level: a variable is at the mean of the units in that period (columns of factors at their mean); unit
    effects and residuals are at their mean over units; time effects at their mean over periods; spillovers have theta = rho
    = eta = 0. A spatial error stays in the residual. Common components add nothing to the inequality of a logarithmic model with row-stochastic W.
    In the Mundlak form the unit means and their lags count as unit effects. With time lags a component is off in every period up to
    the one accounted for, and the deviations of y_0 from its mean are "initial conditions".

    The observed inequality is not uncertain, its attribution is. A replicate draws errors, rebuilds the outcomes from the estimates,
    estimates again and accounts again; its error is the difference to the accounting of the same outcomes with the
    parameters, effects and errors that made them. Intervals are the estimate minus the quantiles of these errors, so that the part
    of the errors that estimated unit effects absorb (sigma2 / T) is allowed for. An estimate may lie outside its interval where that bias is large:
    see ``bias``.

    An accounting distributes what the model says; it is causal only as far as the model is.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> panel = nq.load_panel()
    >>> res = nq.sdm("ln_gdp_real_pc ~ ln_broadband_pc + ln_rd_intensity | province + year", panel, nq.weights.contiguity(),
    ...              years=(2012, 2024))
    >>> parts = nq.divergence_accounting(res, groups={"digital": ["ln_broadband_pc"], "innovation": ["ln_rd_intensity"]}, replicates=0)
    >>> parts.table.index.tolist()
    ['digital', 'innovation', 'spillovers', 'unit effects', 'time effects', 'residual', 'total']
    """
    log = _scale(fit, scale)
    found, names = measure_of(fit, measure, blocks, log)
    how = _change(fit, change)
    check_alpha(alpha)
    game = make_game(fit, found, group_variables(fit.estimate.design, groups), years, how)
    errors = bootstrap_errors(game, replicates, kind, seed) if replicates else None
    point, totals = game.contributions(*game.at_estimates()), game.totals()
    tables = [
        _table(game, point[0, ..., p], totals[:, p], None if errors is None else errors[..., p], alpha)
        for p in range(len(found.parts))
    ]
    chosen = None if not replicates else kind or ("recursive" if fit.dynamic else "residual")
    bias = None
    if errors is not None:
        bias = pd.DataFrame(errors[..., 0].mean(axis=0).T, index=tables[0].index[:-1], columns=game.quantities)
    return Accounting(
        tables[0], bias, dict(zip(found.parts[1:], tables[1:], strict=True)), found.name, game.groups, names, log, how,
        0 if errors is None else len(errors), chosen, seed, alpha, fit,
    )  # fmt: skip


def _scale(fit: SpatialFit, scale: str) -> bool:
    if scale not in ("auto", "exp", "none"):
        raise ValueError(f'scale={scale!r} is not known; choose "auto", "exp" or "none"')
    return outcome_is_log(fit) if scale == "auto" else scale == "exp"


def _change(fit: SpatialFit, change: str | None) -> str:
    if change is None:
        return "levels" if fit.dynamic else "first year"
    if change not in CHANGES:
        raise ValueError(f"change={change!r} is not known; choose one of {', '.join(map(repr, CHANGES))}")
    if fit.dynamic and change == "first year":
        raise ValueError(
            "with time lags every year carries its past on, and no component can be held at its first value alone: use "
            'change="levels"'
        )
    return change


def _table(game: Game, point: NDArray, totals: NDArray, errors: NDArray | None, alpha: float) -> pd.DataFrame:
    """(quantity) x (estimate, share, ...) from contributions (quantities, players), the whole, and errors (R, ...)."""
    whole = np.column_stack([point, totals])
    index = pd.Index([*game.players, TOTAL], name="component")
    parts = {}
    for q, name in enumerate(game.quantities):
        columns = {"estimate": whole[q], "share": whole[q] / whole[q, -1] + 0.0}  # no negative zeros
        if errors is not None:
            error = np.column_stack([errors[:, q], np.zeros(len(errors))])  # the total is observed
            low, high = np.quantile(error, [alpha / 2, 1 - alpha / 2], axis=0)
            columns |= {"se": error.std(axis=0, ddof=1), "lower": whole[q] - high, "upper": whole[q] - low}
        parts[name] = pd.DataFrame(columns, index=index)
    return pd.concat(parts, axis=1, names=["quantity", "statistic"])
