"""What if: the response of every unit to changed regressors, with intervals, spillovers and a map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import counterfactual as kernel
from nqpf_spatial.models.bayes.posterior import Prior
from nqpf_spatial.models.impacts.samples import admissible, check_request, sample_parameters, vcov_note
from nqpf_spatial.models.impacts.views import membership
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.missing.networks import require_balanced
from nqpf_spatial.models.scenarios.changes import Change, change_frame, outcome_is_log
from nqpf_spatial.models.selection import select_periods, select_units
from nqpf_spatial.models.structure import Structure, structure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.results import SpatialFit

PARTS = ("total", "own", "spillover")
COLUMNS = ("estimate", "se", "lower", "upper")
#: the split needs the inverse of I - rho W
SPLIT_UP_TO = 2000


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """Response of the outcome to changed regressors.

    Attributes
    ----------
    table : DataFrame
        Indexed by unit, mean over the periods of the change: estimate, se, lower, upper, and the estimate split into ``own``
        (what the change in a unit does to itself) and ``spillover`` (what comes from the changes elsewhere).
    changes : dict
        Every change in words, as it was carried out.
    where : tuple
        Units that were changed.
    window : tuple
        Periods that were changed.
    method : str
        How the inference was made.
    draws : int or None
        Draws or replicates used.
    outside : float or None
        Share of draws with rho outside its admissible interval, left out.
    seed : int or None
    alpha : float
    fit : SpatialFit
        The fit it belongs to.
    """

    table: pd.DataFrame = field(init=False)
    changes: dict[str, str]
    where: tuple[Any, ...]
    window: tuple[Any, ...]
    method: str
    draws: int | None
    outside: float | None
    seed: int | None
    alpha: float
    fit: SpatialFit
    _dx: NDArray = field(repr=False)
    _sample: NDArray | None = field(repr=False)

    def __post_init__(self) -> None:
        design = self.fit.estimate.design
        index = pd.Index(design.units, name=design.levels[0])
        object.__setattr__(self, "table", self._with_split(self._mean_of_window, index))

    # -- views -----------------------------------------------------------------------------------------------
    def parts(self) -> pd.DataFrame:
        """Total, own and spillover response of every unit, each with its interval; columns (part) x (estimate, se, ...)."""
        design = self.fit.estimate.design
        if len(design.units) > SPLIT_UP_TO:
            raise ValueError(
                f"own and spillover need the inverse of I - rho W, too large with {len(design.units)} units; see .table"
            )
        index = pd.Index(design.units, name=design.levels[0])
        return pd.concat({part: self._summary(self._mean_of_window, index, part) for part in PARTS}, axis=1)

    def by_period(self) -> pd.DataFrame:
        """Response of every unit in every period: index (unit, period), columns as in `table`.

        With time lags a change goes on working: periods after the last change have responses too.
        """

        def cells(values: NDArray) -> NDArray:
            return values.swapaxes(-1, -2).reshape(*values.shape[:-2], -1)

        return self._with_split(cells, self.fit.estimate.design.frame_index())

    def by_block(self, groups: str | Mapping[Any, Any] | pd.Series = "block") -> pd.DataFrame:
        """Mean response of the units of every block, and of all; columns as in `table`.

        Parameters
        ----------
        groups : str, mapping or Series
            "block", "north_south", "hub", "cluster" for provinces; or a map from unit to block.
        """
        names, member = membership(self.fit, groups)
        average = np.column_stack([member / member.sum(axis=0), np.full(len(member), 1.0 / len(member))])
        index = pd.Index([*names, "all"], name="block")
        return self._with_split(lambda values: self._mean_of_window(values) @ average, index)

    def percent(self) -> pd.DataFrame:
        """`table` as per cent of the outcome, ``100 (exp(response) - 1)``; for outcomes in logarithms."""
        if not outcome_is_log(self.fit):
            raise ValueError(
                f"the outcome {self.fit.estimate.design.outcome} is no logarithm; its response is in its own units"
            )
        return 100.0 * np.expm1(self.table[["estimate", "lower", "upper"]])

    def plot(self, ax: Axes | None = None, lang: str = "en") -> Axes:
        """Own effect and spillover of every unit, with the interval of their sum; see `nqpf_spatial.models.scenarios.counterfactual_plots`."""
        from nqpf_spatial.models.scenarios.counterfactual_plots import counterfactual_plot

        return counterfactual_plot(self, ax, lang)

    def map(self, lang: str = "en", ax: Axes | None = None, values: str = "estimate") -> Axes:
        """A column of `table` on the map of China; see `nqpf_spatial.models.scenarios.counterfactual_plots`."""
        from nqpf_spatial.models.scenarios.counterfactual_plots import counterfactual_map

        return counterfactual_map(self, lang, ax, values)

    def provenance(self) -> dict[str, Any]:
        """What reproduces this result: the fit, the changes as carried out, method and seed."""
        return {
            "fit": self.fit.provenance(),
            "changes": dict(self.changes),
            "where": [str(unit) for unit in self.where],
            "window": [str(period) for period in self.window if period is not None],
            "method": self.method,
            "draws": self.draws,
            "seed": self.seed,
            "alpha": self.alpha,
        }

    # -- numbers ---------------------------------------------------------------------------------------------
    def _mean_of_window(self, values: NDArray) -> NDArray:
        """(..., T, N) to (..., N)."""
        kept = np.isin(np.arange(values.shape[-2]), [self.fit.estimate.design.periods.index(p) for p in self.window])
        return values[..., kept, :].mean(axis=-2)

    def _with_split(self, aggregate: Callable[[NDArray], NDArray], index: pd.Index) -> pd.DataFrame:
        frame = self._summary(aggregate, index, "total")
        if len(self.fit.estimate.design.units) > SPLIT_UP_TO:
            return frame
        own = self._summary(aggregate, index, "own", intervals=False)["estimate"]
        return frame.assign(own=own, spillover=frame["estimate"] - own)

    def _summary(
        self, aggregate: Callable[[NDArray], NDArray], index: pd.Index, part: str, intervals: bool = True
    ) -> pd.DataFrame:
        form, params = structure(self.fit), self.fit.params.to_numpy()
        if self.method == "posterior" or (intervals and self._sample is not None):
            assert self._sample is not None
            draws = _over_sample(form, self._dx, self._sample, part, aggregate)
        if self.method == "posterior":
            estimate = draws.mean(axis=0)
        else:
            estimate = aggregate(_value(form, self._dx, params, part))
        if not intervals:
            return pd.DataFrame({"estimate": estimate}, index=index)
        if self._sample is None:
            slopes = aggregate(form.spread(_gradient(form, self._dx, params, part), params.size))
            se = np.sqrt(np.einsum("pm,pq,qm->m", slopes, self.fit.cov_params().to_numpy(), slopes))
            half = stats.norm.isf(self.alpha / 2) * se
            lower, upper = estimate - half, estimate + half
        else:
            se = draws.std(axis=0, ddof=1)
            lower, upper = np.quantile(draws, [self.alpha / 2, 1 - self.alpha / 2], axis=0)
        return pd.DataFrame(dict(zip(COLUMNS, (estimate, se, lower, upper), strict=True)), index=index)

    # -- text ------------------------------------------------------------------------------------------------
    def headline(self) -> str:
        """What was changed, where and when, in one line."""
        design = self.fit.estimate.design
        what = "; ".join(f"{name} {how}" for name, how in self.changes.items())
        where = "everywhere" if len(self.where) == len(design.units) else f"in {enumerate_some(self.where, 4)}"
        when = "" if self.window[0] is None else f", {self.window[0]}-{self.window[-1]}"
        return f"Response of {design.outcome} to {what}; {where}{when}"

    def _how(self) -> str:
        lost = f", {self.outside:.1%} of the draws outside the admissible interval" if self.outside else ""
        how = "delta method" if self.method == "delta" else f"{self.method}, {self.draws} draws{lost}"
        w = "" if self.fit.w is None else f", W = {self.fit.w.name}"
        split = "" if "own" in self.table else f"; not split, more than {SPLIT_UP_TO} units"
        return f"{self.fit.model}{w}; {1 - self.alpha:.0%} intervals ({how}{vcov_note(self.fit, self.method)}){split}"

    def __repr__(self) -> str:
        return f"{self.headline()}\n{self._how()}\n{self.table.to_string(float_format=lambda v: f'{v:.5f}')}"

    def _repr_html_(self) -> str:
        table = self.table.to_html(float_format=lambda v: f"{v:.5f}")
        return f"<p><b>{self.headline()}</b><br><small>{self._how()}</small></p>{table}"


def counterfactual(
    fit: SpatialFit,
    changes: Mapping[str, Change],
    *,
    where: object = None,
    years: object = None,
    method: str = "delta",
    draws: int = 10_000,
    seed: int = 0,
    alpha: float = 0.05,
    kind: str | None = None,
    prior: Prior | str | None = None,
) -> Counterfactual:
    r"""Response of every unit to changed regressors, all else (effects, errors) as it was.

    .. math:: \Delta y_t = (I - \rho W)^{-1}\,[\Delta X_t\beta + W_d\,\Delta X_t\theta]

    (LeSage and Pace 2009, eq. 2.39, for the given change of X); with time lags the response also carries
    :math:`(\tau I + \eta W)\Delta y_{t-1}` on. X is evaluated anew from the changed variables, so that logarithms,
    squares and interactions of the formula move as they should.

    Parameters
    ----------
    fit : SpatialFit
    changes : mapping
        From variables of the formula (not columns: ``x`` for ``log(x)``) to changes:

        * ``"+10%"``, ``"-5%"`` or `percent(10)`: a relative change of the quantity. For a variable that is a logarithm
          already, as ``ln_rd_intensity``, this adds ln 1.1; the result says which it did.
        * a number: an absolute change, ``+0.1``.
        * a Series by unit or by (unit, period), a DataFrame units x periods: absolute changes by label, in any order.
        * a function: takes the selected values (a Series with labels), returns the new values.
    where : object, optional
        Units that change: labels, names of provinces in any language, adcodes, groups ("West", "西部"), or a mapping from every
        unit to True or False; all by default.
    years : object, optional
        Periods that change: one, or (first, last); all by default.
    method : {"delta", "simulate", "bootstrap", "posterior"}
        As in `nqpf_spatial.models.impacts.inference.impacts`; "delta" and "simulate" use the covariance of the fit, so that
        ``fit.with_vcov("cluster").counterfactual(...)`` has clustered intervals.
    draws, seed : int
    alpha : float
        Level of the intervals (1 - alpha).
    kind : str, optional
        Kind of bootstrap, as in ``fit.bootstrap``.
    prior : Prior or str, optional
        Prior of ``method="posterior"``.

    Returns
    -------
    Counterfactual

    Raises
    ------
    ValueError
        Unknown variables, ambiguous percentages (a variable that may or may not be a logarithm, growth rates, negative values).
    AlignmentError
        Labels that are no unit of the fit.

    Notes
    -----
    A change of the regressors that the data hold in another column too (a lag made by hand, an index that contains the
    variable) must be given for that column as well. In the Mundlak form the unit means stay: the change is one within units.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> panel = nq.load_panel()
    >>> res = nq.sdm("ln_gdp_real_pc ~ ln_rd_intensity | province + year", panel, nq.weights.contiguity(), years=(2012, 2024))
    >>> what_if = res.counterfactual({"ln_rd_intensity": "+10%"}, where="West")
    >>> what_if.changes
    {'ln_rd_intensity': '+10 % of the quantity behind the logarithm (+0.095310)'}
    >>> what_if.by_block().index.tolist()
    ['East', 'Central', 'West', 'Northeast', 'all']
    """
    check_request(method, draws, alpha)
    require_balanced(fit.estimate, "a counterfactual, a response of every unit in every period,")
    design = fit.estimate.design
    units, periods = select_units(where, design.units), select_periods(years, design)
    if not units.any():
        raise ValueError("where= selects no unit")
    frame, words = change_frame(fit, changes, units, periods)
    dx = changed_columns(fit, frame) - design.evaluate(design.frame)
    sample = outside = None
    if method != "delta":
        if len(design.units) > SPLIT_UP_TO:
            raise ValueError(
                f'every draw needs an inverse, too many with {len(design.units)} units; use method="delta"'
            )
        drawn = sample_parameters(fit, method, draws, seed, kind, prior)
        inside = admissible(fit, drawn)
        sample, outside = drawn[inside], float(1.0 - inside.mean())
    return Counterfactual(
        words,
        tuple(unit for unit, on in zip(design.units, units, strict=True) if on),
        tuple(period for period, on in zip(design.periods, periods, strict=True) if on),
        method,
        None if sample is None else len(sample),
        outside,
        None if sample is None else seed,
        alpha,
        fit,
        dx,
        sample,
    )


def changed_columns(fit: SpatialFit, frame: pd.DataFrame) -> NDArray:
    """Regressor columns (K, T, N) on a changed frame; cells that a transformation makes missing or infinite are an error."""
    design = fit.estimate.design
    with np.errstate(all="ignore"):  # the cells are named below
        columns = design.evaluate(frame)
    if np.isfinite(columns).all():
        return columns
    names = structure(fit).columns
    rows, cells = np.nonzero(~np.isfinite(columns.swapaxes(1, 2).reshape(len(names), -1)))
    bad = [f"{names[k]} {cell}" for k, cell in zip(rows, design.cell_names(cells), strict=True)]
    raise PanelError(f"the changes make {len(bad)} cells missing or infinite: {enumerate_some(bad, 6)}")


def _value(form: Structure, dx: NDArray, params: NDArray, part: str) -> NDArray:
    """Response (T, N) of one part at the estimates."""
    par = form.parameters(params[None])
    total = 0.0 if part == "own" else kernel.response_and_gradient(dx, par, form.space)[0]
    if part == "total":
        return np.asarray(total)
    own = kernel.own_responses(dx, par, form.dense())[0]
    return own if part == "own" else total - own


def _gradient(form: Structure, dx: NDArray, params: NDArray, part: str) -> NDArray:
    """Gradient (2K + 3, T, N) of one part at the estimates."""
    par = form.parameters(params[None])
    if part == "total":
        return kernel.response_and_gradient(dx, par, form.space)[1]
    own = kernel.own_gradient(dx, par, form.dense())
    return own if part == "own" else kernel.response_and_gradient(dx, par, form.space)[1] - own


def _over_sample(
    form: Structure, dx: NDArray, sample: NDArray, part: str, aggregate: Callable[[NDArray], NDArray]
) -> NDArray:
    """(R, M) aggregates of the response at R parameter vectors, block by block."""
    space, out = form.dense(), []
    size = max(1, min(2000, 4_000_000 // dx[0].size))
    for start in range(0, len(sample), size):
        par = form.parameters(sample[start : start + size])
        values = 0.0 if part == "own" else kernel.responses(dx, par, space)
        if part != "total":
            own = kernel.own_responses(dx, par, space)
            values = own if part == "own" else values - own
        out.append(aggregate(np.asarray(values)))
    return np.concatenate(out)
