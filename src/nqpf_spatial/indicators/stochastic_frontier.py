"""Stochastic production frontiers: pooled, with constant, or with decaying inefficiency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from nqpf_spatial.errors import IdentificationError, PanelError
from nqpf_spatial.indicators import _frame, _style
from nqpf_spatial.indicators.growth import check_positive
from nqpf_spatial.kernels.frontier import FrontierData, FrontierFit, fit_frontier

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Model = Literal["pooled", "invariant", "decay"]
_VARIANCES = ("sigma2", "gamma")


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """A likelihood-ratio test.

    Attributes
    ----------
    statistic : float
    df : float
    pvalue : float
    null : str
    note : str
    """

    statistic: float
    df: float
    pvalue: float
    null: str
    note: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FrontierResult:
    """A stochastic production frontier.

    Attributes
    ----------
    params, bse : Series
        Frontier coefficients (``const``, inputs, ``trend``), then ``sigma2``, ``gamma`` and, in the decay
        model, ``eta``.
    cov : DataFrame
        Inverse of the observed information.
    llf, llf_ols : float
        Log-likelihoods of the frontier and of least squares, with all constants.
    nobs : int
    efficiency : Series
        Technical efficiency of every row; the name ends in ``_est`` where an input or the output is an
        estimate.
    tests : tuple of LikelihoodRatio
    model : str
    output : str
    inputs : tuple of str
    logged : bool
    """

    params: pd.Series
    bse: pd.Series
    cov: pd.DataFrame
    llf: float
    llf_ols: float
    nobs: int
    efficiency: pd.Series
    tests: tuple[LikelihoodRatio, ...]
    model: str
    output: str
    inputs: tuple[str, ...]
    logged: bool

    @property
    def zvalues(self) -> pd.Series:
        """Estimate over standard error; empty for variances, whose null is a boundary (see ``tests``)."""
        return (self.params / self.bse).mask(self.params.index.isin(_VARIANCES))

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided normal p-values; empty where :attr:`zvalues` is."""
        return pd.Series(2 * norm.sf(np.abs(self.zvalues)), index=self.params.index)

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return -2 * self.llf + 2 * len(self.params)

    @property
    def bic(self) -> float:
        """Schwarz's criterion with ``nobs`` rows."""
        return -2 * self.llf + float(np.log(self.nobs)) * len(self.params)

    @property
    def returns_to_scale(self) -> float:
        """Sum of the elasticities of the inputs (logged frontiers).

        Raises
        ------
        PanelError
            The frontier is not in logs.
        """
        if not self.logged:
            raise PanelError("returns to scale are the sum of elasticities: the frontier must be in logs")
        return float(self.params[list(self.inputs)].sum())

    def summary(self) -> pd.DataFrame:
        """Estimates, standard errors, z and p."""
        columns = {"estimate": self.params, "se": self.bse, "z": self.zvalues, "p": self.pvalues}
        return pd.DataFrame(columns)

    def plot(self, *, lang: Literal["en", "zh"] = "en", ax: Axes | None = None) -> Axes:
        """Mean technical efficiency of every unit with its range over the years, best on top.

        Parameters
        ----------
        lang : {"en", "zh"}
        ax : matplotlib Axes, optional
        """
        grouped = self.efficiency.groupby(level=0, sort=False)
        mean = grouped.mean().sort_values(ascending=False)
        ax = _style.new_axes(ax, lang, (6.4, 0.9 + 0.2 * len(mean)))
        y = np.arange(len(mean))
        ax.hlines(y, grouped.min()[mean.index], grouped.max()[mean.index], color="0.7", linewidth=2)
        ax.plot(mean, y, "o", color=_style.COLOURS[0], markersize=4)
        ax.set_yticks(y, [_style.unit_label(u, lang) for u in mean.index], fontsize=8)
        ax.set_ylim(len(y) - 0.4, -0.6)
        note = f" ({_style.word('estimated', lang)})" if str(self.efficiency.name).endswith("_est") else ""
        ax.set_xlabel(_style.word("technical efficiency", lang) + note)
        return _style.finish(ax, lang, grid="x")

    def _page(self) -> tuple[str, pd.DataFrame, list[str]]:
        notes = [
            f"log-likelihood {self.llf:.4f} (least squares {self.llf_ols:.4f}), {self.nobs} rows, "
            f"mean efficiency {self.efficiency.mean():.4f}"
        ]
        for t in self.tests:
            notes.append(f"LR test of {t.null}: {t.statistic:.4f}, p = {t.pvalue:.4f} ({t.note})")
        if str(self.efficiency.name).endswith(_frame.ESTIMATE):
            notes.append("ESTIMATE: an input or the output is one")
        return f"Stochastic frontier of {self.output}, half-normal, {self.model}", self.summary(), notes

    def __repr__(self) -> str:
        return _style.text_page(*self._page())

    def _repr_html_(self) -> str:
        return _style.html_page(*self._page())


def sfa(
    frame: pd.DataFrame,
    output: str,
    inputs: str | Sequence[str],
    *,
    model: Model = "pooled",
    log: bool = True,
    trend: bool = False,
) -> FrontierResult:
    """Stochastic production frontier with half-normal inefficiency, by maximum likelihood.

    Parameters
    ----------
    frame : DataFrame
        Indexed by (unit, year), or by unit for a cross-section. Units may have different years.
    output : str
    inputs : str or sequence of str
        A constant is added.
    model : {"pooled", "invariant", "decay"}
        Inefficiency drawn anew for every row; one draw per unit; one draw per unit that changes as
        ``exp(-eta (t - T_i))`` (Battese and Coelli 1992).
    log : bool
        Take logs (Cobb-Douglas); False if the columns are logs already.
    trend : bool
        Add year minus first year to the frontier (neutral technical change).

    Returns
    -------
    FrontierResult

    Raises
    ------
    PanelError
        Missing cells, values without a logarithm, too few rows, collinear inputs, "invariant" or "decay"
        for a cross-section.
    IdentificationError
        No inefficiency is found in the data.

    Notes
    -----
    ``y = x b + v - u``, ``v ~ N(0, s_v^2)``, ``u ~ |N(0, s_u^2)|``; ``sigma2 = s_u^2 + s_v^2``,
    ``gamma = s_u^2 / sigma2`` (Aigner, Lovell and Schmidt 1977; Battese and Corra 1977). The test of no
    inefficiency has the mixture ``1/2 chi2(0) + 1/2 chi2(1)`` as null distribution (Coelli 1995).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=500)
    >>> y = 1 + 0.5 * x + 0.2 * rng.normal(size=500) - np.abs(0.6 * rng.normal(size=500))
    >>> fit = sfa(pd.DataFrame({"y": y, "x": x}), "y", ["x"], log=False)
    >>> fit.params.round(2).to_dict()
    {'const': 0.98, 'x': 0.5, 'sigma2': 0.4, 'gamma': 0.9}
    """
    _frame.check_choice("model", model, ("pooled", "invariant", "decay"))
    inputs = _frame.column_list(inputs)
    if not inputs:
        raise PanelError("sfa needs at least one input; got none")
    table = _frame.canonical_table(frame, [output, *inputs])
    if model != "pooled" or trend:
        _frame_has_years(table, model)
    if log:
        check_positive(table, (output, *inputs))
    values = np.log(table.to_numpy()) if log else table.to_numpy()
    years = table.index.get_level_values(1).to_numpy(dtype=float) if _frame.has_years(table) else None
    columns = [np.ones(len(table)), *values[:, 1:].T]
    names = ["const", *inputs]
    if trend and years is not None:
        columns.append(years - years.min())
        names.append("trend")
    data = _data(table, values[:, 0], np.column_stack(columns), years, model)
    try:
        fit = fit_frontier(data, decay=model == "decay")
    except IdentificationError as error:
        if model != "pooled" or years is None:
            raise
        raise IdentificationError(
            f"{error}. model='pooled' does not use that the same units are seen year after year: model='invariant' "
            "(one inefficiency per unit) and model='decay' (changing at one rate) do"
        ) from error
    return _labelled(fit, table, names, data, model, output, tuple(inputs), log)


def _frame_has_years(table: pd.DataFrame, model: str) -> None:
    if not _frame.has_years(table):
        raise PanelError(f"model={model!r} and a trend need a panel indexed by (unit, year)")


def _data(
    table: pd.DataFrame, y: _frame.Array, x: _frame.Array, years: _frame.Array | None, model: str
) -> FrontierData:
    n = len(table)
    if model == "pooled" or years is None:
        return FrontierData(y, x, np.arange(n), np.zeros(n))
    units = table.index.get_level_values(0)
    codes = pd.factorize(units)[0]
    start = np.flatnonzero(np.diff(codes, prepend=-1))
    last = np.maximum.reduceat(years, start)
    return FrontierData(y, x, start, years - last[codes])


def _labelled(
    fit: FrontierFit,
    table: pd.DataFrame,
    names: list[str],
    data: FrontierData,
    model: str,
    output: str,
    inputs: tuple[str, ...],
    logged: bool,
) -> FrontierResult:
    labels = [*names, *_VARIANCES, *(["eta"] if model == "decay" else [])]
    values: list[Any] = [*fit.beta, fit.sigma2, fit.gamma, *([fit.eta] if model == "decay" else [])]
    name = "technical_efficiency" + _frame.suffix((output, *inputs))
    return FrontierResult(
        params=pd.Series(values, index=labels, name="estimate"),
        bse=pd.Series(np.sqrt(np.diag(fit.cov)), index=labels, name="se"),
        cov=pd.DataFrame(fit.cov, index=labels, columns=labels),
        llf=fit.llf,
        llf_ols=fit.llf_ols,
        nobs=len(table),
        efficiency=pd.Series(fit.efficiency, index=table.index, name=name),
        tests=_tests(fit, data, model),
        model=model,
        output=output,
        inputs=inputs,
        logged=logged,
    )


def _tests(fit: FrontierFit, data: FrontierData, model: str) -> tuple[LikelihoodRatio, ...]:
    if model != "decay":
        return (_no_inefficiency(fit.llf, fit.llf_ols),)
    try:
        constant = fit_frontier(data).llf
    except IdentificationError:
        # without decay the likelihood is largest at least squares
        constant = fit.llf_ols
    statistic = max(2 * (fit.llf - constant), 0.0)
    decay = LikelihoodRatio(statistic, 1.0, float(chi2.sf(statistic, 1)), "constant inefficiency (eta = 0)", "chi2(1)")
    return (_no_inefficiency(constant, fit.llf_ols), decay)


def _no_inefficiency(llf: float, llf_ols: float) -> LikelihoodRatio:
    statistic = max(2 * (llf - llf_ols), 0.0)
    p = 0.5 * float(chi2.sf(statistic, 1)) if statistic > 0 else 1.0
    return LikelihoodRatio(statistic, 1.0, p, "no inefficiency (gamma = 0)", "1/2 chi2(0) + 1/2 chi2(1), eta = 0")
