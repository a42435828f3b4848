"""Trends of annual series: Theil-Sen, Mann-Kendall with Hamed-Rao, one break, and the label of R-TREND."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame, _style
from nqpf_spatial.divergence._frame import Array
from nqpf_spatial.divergence._result import Result, Test, check_choice, p_text
from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import trend as _kernel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Label = Literal["DIVERGING", "CONVERGING", "STABLE"]
Correction = Literal["hamed_rao", "none"]
Undefined = Literal["raise", "plain"]


def annual(series: pd.Series, least: int, what: str) -> tuple[Array, Array, str]:
    """Values and years of one annual series in order, or an error that names what is wrong."""
    if not isinstance(series, pd.Series):
        raise PanelError(f"{what} needs a Series indexed by year, got {type(series).__name__}")
    name = str(series.name) if series.name is not None else "the series"
    if series.index.nlevels != 1 or not pd.api.types.is_numeric_dtype(series.index.dtype):
        raise PanelError(f"{what}: {name} must be indexed by year (numbers), not by {list(series.index.names)}")
    ordered = series.astype(float).sort_index()
    if ordered.index.has_duplicates:
        twice = ordered.index[ordered.index.duplicated()]
        raise PanelError(f"{what}: {name} has repeated years {_frame.shorten(twice)}")
    bad = ordered.index[~np.isfinite(ordered.to_numpy())]
    if len(bad):
        raise PanelError(f"{what}: {name} is missing at {_frame.shorten(bad, 30)}; leave these years out yourself")
    if len(ordered) < least:
        raise PanelError(f"{what} needs at least {least} years, {name} has {len(ordered)}")
    return ordered.to_numpy(), ordered.index.to_numpy(dtype=float), name


@dataclass(frozen=True, slots=True)
class Slope:
    """Theil-Sen line: ``value = intercept + slope * year`` with an interval for the slope."""

    slope: float
    intercept: float
    lower: float
    upper: float


def theil_sen(series: pd.Series, *, level: float = 0.95) -> Slope:
    """Theil-Sen slope per year.

    Parameters
    ----------
    series : Series
        Indexed by year; absent years are fine, distances between years are the true ones.
    level : float
        Level of the interval (Sen 1968).

    Returns
    -------
    Slope

    Examples
    --------
    >>> import pandas as pd
    >>> theil_sen(pd.Series([1.0, 2.0, 9.0, 4.0], index=[2000, 2001, 2002, 2003])).slope
    1.0
    """
    y, t, _ = annual(series, 3, "Theil-Sen")
    slope, intercept = _kernel.theil_sen(y, t)
    low, high = _kernel.theil_sen_interval(y, t, 1.0 - level)
    return Slope(slope, intercept, low, high)


def mann_kendall(
    series: pd.Series,
    *,
    correction: Correction = "hamed_rao",
    alpha: float = 0.05,
    if_undefined: Undefined = "raise",
) -> Test:
    """Mann-Kendall test for a monotone trend, two-sided.

    Parameters
    ----------
    series : Series
        Indexed by year. Lags count observations: with an absent year they are not exactly years.
    correction : {"hamed_rao", "none"}
        Variance for autocorrelated series (Hamed and Rao 1998) or for independent observations.
    alpha : float
        Significance a lag needs to enter the correction.
    if_undefined : {"raise", "plain"}
        What to do where the corrected variance is not positive (about one short series in a hundred):
        an error, or the uncorrected variance, which the note of the test then says.

    Returns
    -------
    Test
        ``statistic`` is the standard normal score.

    Notes
    -----
    ``Z = (S - sign S) / sqrt(Var S)``. The correction relies on estimated autocorrelations; simulation with
    12 observations of an AR(1) with coefficient 0.6 rejects a true null in a quarter of the cases at
    5 percent, with and without it: a small p-value of a short persistent series proves little.

    Examples
    --------
    >>> import pandas as pd
    >>> y = pd.Series([1.0, 1.2, 1.1, 1.4, 1.5, 1.7, 1.6, 1.9], index=range(2000, 2008))
    >>> round(mann_kendall(y, correction="none").pvalue, 4)
    0.0044
    """
    y, t, _ = annual(series, 4, "Mann-Kendall")
    return _test(y, t, correction, alpha, if_undefined)


def _test(y: Array, t: Array, correction: Correction, alpha: float, if_undefined: Undefined) -> Test:
    check_choice("correction", correction, ("hamed_rao", "none"))
    check_choice("if_undefined", if_undefined, ("raise", "plain"))
    found = _kernel.mann_kendall(y, t, correct=correction == "hamed_rao", alpha=alpha)
    note = ""
    if correction == "hamed_rao":
        note = f"Hamed-Rao factor {found.factor:.3f}, lags {list(found.lags)}"
    if np.isnan(found.pvalue):
        if if_undefined == "raise":
            raise ValueError(
                f"the Hamed-Rao variance is not positive ({note}): "
                "no correction exists for this series; use correction='none' or if_undefined='plain'"
            )
        found = _kernel.mann_kendall(y, t, correct=False, alpha=alpha)
        note = f"plain variance used, {note} is not positive"
    return Test("Mann-Kendall", found.statistic, None, found.pvalue, "no monotone trend", note)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TrendResult(Result):
    """Label of one series under R-TREND.

    Attributes
    ----------
    label : {"DIVERGING", "CONVERGING", "STABLE"}
    slope : float
        Theil-Sen slope of the logarithm, per year.
    change_pct : float
        Fitted end over fitted start minus one, percent.
    pvalue : float
    test : Test
    n : int
    table : DataFrame
        Observed and fitted values by year.
    """

    label: Label
    slope: float
    change_pct: float
    pvalue: float
    test: Test
    n: int
    table: pd.DataFrame
    name: str

    def _title(self) -> str:
        return (
            f"{self.name}: {self.label} (slope of the log {self.slope:+.4f} a year, "
            f"change {self.change_pct:+.1f} %, {p_text(self.pvalue)}, {self.n} years)"
        )

    def _notes(self) -> list[str]:
        return [str(self.test)]

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Series on a log scale with its fitted line."""
        ax = _style.new_axes(ax, lang)
        years = self.table.index
        ax.plot(
            years,
            self.table["observed"],
            "o",
            color=_style.COLOURS[0],
            ms=4,
            label=_style.word("observed", lang),
        )
        ax.plot(years, self.table["fitted"], color=_style.COLOURS[1], label=_style.word("fitted", lang))
        heading = f"{_style.title(self.name, lang)}: {_style.word(self.label, lang)}, {p_text(self.pvalue)}"
        ax.set_title(heading, loc="left")
        ax.set_ylabel(_style.word("value", lang))
        ax.legend(frameon=False)
        _style.year_ticks(ax)
        return _style.finish(ax, lang)


def trend_label(
    series: pd.Series,
    *,
    alpha: float = 0.05,
    diverging_change_pct_ge: float = 5.0,
    converging_change_pct_le: float = -5.0,
    min_years: int = 8,
    correction: Correction = "hamed_rao",
    if_undefined: Undefined = "plain",
) -> TrendResult:
    """Label an annual dispersion or gap series as diverging, converging or stable (R-TREND).

    Parameters
    ----------
    series : Series
        Positive values indexed by year.
    alpha : float
        Level of the Mann-Kendall test (and of the lags of its correction).
    diverging_change_pct_ge, converging_change_pct_le : float
        Size of the fitted change, percent, that a label needs besides significance.
    min_years : int
        Fewer observations are refused.
    correction, if_undefined : str
        See :func:`mann_kendall`; here the uncorrected variance stands in where the correction does not
        exist, and ``result.test.note`` says so.

    Returns
    -------
    TrendResult

    Raises
    ------
    PanelError
        Fewer than ``min_years`` years, missing values, or values that have no logarithm, named.

    Notes
    -----
    DIVERGING: p < alpha and change >= +5 percent; CONVERGING: p < alpha and change <= -5 percent; STABLE:
    neither. Change is ``exp(slope (last - first)) - 1`` with the Theil-Sen slope of the logarithm.

    Examples
    --------
    >>> import pandas as pd
    >>> d = pd.Series([0.30, 0.31, 0.30, 0.33, 0.34, 0.36, 0.35, 0.38], index=range(2013, 2021), name="gini")
    >>> trend_label(d).label
    'DIVERGING'
    """
    y, t, name = annual(series, min_years, "the trend rule")
    if (y <= 0).any():
        bad = t[y <= 0].astype(int)
        raise PanelError(f"the trend rule needs positive values; {name} is not at {_frame.shorten(bad, 30)}")
    test = _test(np.log(y), t, correction, alpha, if_undefined)
    slope, intercept = _kernel.theil_sen(np.log(y), t)
    change = 100.0 * (np.exp(slope * (t[-1] - t[0])) - 1.0)
    label: Label = "STABLE"
    if test.pvalue < alpha and change >= diverging_change_pct_ge:
        label = "DIVERGING"
    elif test.pvalue < alpha and change <= converging_change_pct_le:
        label = "CONVERGING"
    index = pd.Index(t.astype(int), name=series.index.name or "year")
    table = pd.DataFrame({"observed": y, "fitted": np.exp(intercept + slope * t)}, index=index)
    return TrendResult(label, slope, float(change), test.pvalue, test, len(y), table, name)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BreakResult(Result):
    """Most likely single break of a trend.

    Attributes
    ----------
    table : DataFrame
        F statistic of every candidate year.
    year : int
        First year of the second regime under the largest F.
    test : Test
        Sup-F with its Monte Carlo p-value.
    fitted : Series
        Fit with that break.
    """

    table: pd.DataFrame
    year: int
    test: Test
    fitted: pd.Series
    observed: pd.Series
    name: str

    def _title(self) -> str:
        return f"{self.name}: most likely break in {self.year}"

    def _notes(self) -> list[str]:
        return [str(self.test)]

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Series with the broken trend."""
        ax = _style.new_axes(ax, lang)
        ax.plot(self.observed.index, self.observed, "o", color=_style.COLOURS[0], ms=4)
        ax.plot(self.fitted.index, self.fitted, color=_style.COLOURS[1])
        ax.axvline(self.year - 0.5, color="0.5", ls=":", label=f"{_style.word('break', lang)} {self.year}")
        ax.legend(frameon=False)
        ax.set_title(f"{_style.title(self.name, lang)}, {p_text(self.test.pvalue)}", loc="left")
        _style.year_ticks(ax)
        return _style.finish(ax, lang)


def structural_break(
    series: pd.Series,
    *,
    kind: Literal["level", "slope", "both"] = "both",
    margin: int = 3,
    draws: int = 1999,
    seed: int | None = 0,
) -> BreakResult:
    """Test for one break at an unknown year in a linear trend.

    Parameters
    ----------
    series : Series
        Indexed by year, at least 8 observations.
    kind : {"level", "slope", "both"}
        What may break.
    margin : int
        Observations on each side of a break, at least 2.
    draws : int
        Simulated series for the p-value.
    seed : int, optional

    Returns
    -------
    BreakResult

    Notes
    -----
    Sup-F of Andrews (1993). His critical values are asymptotic; with a dozen years the p-value is simulated
    instead: under independent normal errors the statistic does not depend on the parameters, so the Monte
    Carlo test is exact (Dufour 2006). Positive autocorrelation makes it too small.

    Examples
    --------
    >>> import pandas as pd
    >>> y = pd.Series([1.0, 1.1, 0.9, 1.0, 1.1, 3.0, 3.1, 2.9, 3.0, 3.1], index=range(2010, 2020), name="y")
    >>> structural_break(y, kind="level", seed=1).year
    2015
    """
    check_choice("kind", kind, ("level", "slope", "both"))
    y, t, name = annual(series, 8, "a break test")
    if not 2 <= margin <= len(y) // 2 - 1:
        raise ValueError(f"margin={margin} must lie between 2 and {len(y) // 2 - 1} for {len(y)} observations")
    base = np.column_stack([np.ones(len(t)), t - t.mean()])
    at, extra = _kernel.break_designs(t, kind, margin)
    observed = _kernel.sup_f(y, base, extra)
    noise = np.random.default_rng(seed).standard_normal((len(y), draws))
    simulated = _kernel.sup_f(noise, base, extra).max(axis=0)
    best = int(np.argmax(observed))
    p = (1.0 + float((simulated >= observed[best]).sum())) / (1.0 + draws)
    design = np.column_stack([base, extra[best]])
    fit = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    years = pd.Index(t.astype(int), name=series.index.name or "year")
    table = pd.DataFrame({"F": observed}, index=years[at])
    test = Test("sup-F", float(observed[best]), None, p, "one linear trend without a break", f"{draws} draws")
    return BreakResult(
        table,
        int(t[at[best]]),
        test,
        pd.Series(fit, years, name="fitted"),
        pd.Series(y, years, name=name),
        name,
    )


def trend_table(table: pd.DataFrame, **parameters: Any) -> pd.DataFrame:
    """Labels of every column of a table of annual series, one row each; parameters as in :func:`trend_label`.

    Examples
    --------
    >>> import pandas as pd
    >>> years = range(2013, 2021)
    >>> frame = pd.DataFrame({"up": [1.1**k for k in range(8)], "flat": [1.0] * 8}, index=years)
    >>> trend_table(frame)["label"].to_dict()
    {'up': 'DIVERGING', 'flat': 'STABLE'}
    """
    rows = {}
    for column in table.columns:
        r = trend_label(table[column], **parameters)
        rows[column] = [r.label, r.slope, r.change_pct, r.pvalue, r.n, r.test.note]
    return pd.DataFrame.from_dict(rows, orient="index", columns=["label", "slope", "change_pct", "pvalue", "n", "note"])
