"""Stochastic convergence: are gaps to the mean stationary? Unit-root tests of statsmodels, unit by unit."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame, _style
from nqpf_spatial.divergence._frame import Missing, Years
from nqpf_spatial.divergence._result import Result, Test, check_choice
from nqpf_spatial.errors import PanelError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StochasticResult(Result):
    """Unit-root or stationarity tests of relative series.

    Attributes
    ----------
    table : DataFrame
        Per unit: statistic, p-value, lags.
    combined : Test or None
        Fisher combination of the p-values (Maddala and Wu 1999); None for KPSS, whose tabulated p-values
        are cut at 0.01 and 0.10.
    """

    table: pd.DataFrame
    combined: Test | None
    gaps: pd.DataFrame
    test: str
    regression: str
    name: str
    note: str = ""

    def _title(self) -> str:
        what = f"{self.test.upper()} of log gaps to the mean ({self.regression})"
        return f"Stochastic convergence of {self.name}: {what}"

    def _notes(self) -> list[str]:
        tests = [] if self.combined is None else [str(self.combined)]
        return [*tests, *([self.note] if self.note else [])]

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Log gaps to the mean over time."""
        ax = _style.new_axes(ax, lang)
        ax.plot(self.gaps.index, self.gaps, color=_style.COLOURS[0], lw=0.8, alpha=0.6)
        ax.axhline(0.0, color="black", lw=0.8)
        ax.set_ylabel(_style.word("logarithm", lang))
        ax.set_title(_style.title(self.name, lang), loc="left")
        _style.year_ticks(ax)
        return _style.finish(ax, lang)


def stochastic_convergence(
    data: pd.Series | pd.DataFrame,
    *,
    test: Literal["adf", "kpss"] = "adf",
    regression: Literal["c", "ct"] = "c",
    lags: int | None = None,
    min_years: int = 15,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> StochasticResult:
    """Test whether log gaps to the cross-section mean are stationary.

    Parameters
    ----------
    data : Series or DataFrame
        Positive values by (unit, time).
    test : {"adf", "kpss"}
        Null of a unit root (no convergence), or null of stationarity (convergence).
    regression : {"c", "ct"}
        With a constant (gaps settle at a level), or also a trend (they may close along a line).
    lags : int, optional
        Default: chosen by AIC (ADF) or by Hobijn et al. (KPSS), as statsmodels does.
    min_years : int
        Shorter panels are refused: the tests have next to no power there.

    Returns
    -------
    StochasticResult

    Notes
    -----
    Carlino and Mills (1993). The combination ``-2 sum ln p`` with 2 N degrees of freedom assumes independent
    units; gaps to a common mean are not quite, so read it as description.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> index = pd.MultiIndex.from_product([range(8), range(1980, 2020)], names=["unit", "year"])
    >>> x = pd.Series(np.exp(0.1 * rng.normal(size=320)), index=index, name="x")
    >>> stochastic_convergence(x, lags=0).combined.pvalue < 0.01
    True
    """
    check_choice("test", test, ("adf", "kpss"))
    check_choice("regression", regression, ("c", "ct"))
    x = _frame.wide(data, value=value, years=years, missing=missing, min_units=3)
    _frame.require(x, positive=True, what="a log gap")
    if len(x.times) < min_years:
        raise PanelError(f"unit-root tests need at least {min_years} years here, {x.name} has {len(x.times)}")
    if len(set(np.diff(np.asarray(x.times, dtype=float)))) > 1:
        raise PanelError(f"unit-root tests need equally spaced times; {x.name} has {_frame.shorten(x.times, 30)}")
    gaps = np.log(x.values) - np.log(x.values).mean(axis=1, keepdims=True)
    rows = [_adf(g, regression, lags) if test == "adf" else _kpss(g, regression, lags) for g in gaps.T]
    columns = pd.Index(x.units, name=x.unit_name)
    table = pd.DataFrame(rows, index=columns, columns=["statistic", "pvalue", "lags"])
    combined = None
    if test == "adf":
        from scipy.stats import combine_pvalues

        found = combine_pvalues(table["pvalue"], method="fisher")
        null = "every gap has a unit root"
        combined = Test("Fisher", float(found.statistic), 2.0 * len(table), float(found.pvalue), null)
    frame = pd.DataFrame(gaps, index=x.index(), columns=columns)
    return StochasticResult(table, combined, frame, test, regression, x.name, x.note)


def _plain(function: Callable[..., Any]) -> dict[str, bool]:
    """Ask newer versions of statsmodels, which change their return type, for the tuple."""
    return {"result_object": False} if "result_object" in signature(function).parameters else {}


def _adf(gap: Any, regression: str, lags: int | None) -> list[float]:
    from statsmodels.tsa.stattools import adfuller

    choice = "AIC" if lags is None else None
    found = adfuller(gap, regression=regression, maxlag=lags, autolag=choice, **_plain(adfuller))
    return [float(found[0]), float(found[1]), float(found[2])]


def _kpss(gap: Any, regression: str, lags: int | None) -> list[float]:
    from statsmodels.tools.sm_exceptions import InterpolationWarning
    from statsmodels.tsa.stattools import kpss

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterpolationWarning)  # p outside 0.01-0.10: the table says so
        found = kpss(gap, regression=regression, nlags="auto" if lags is None else lags, **_plain(kpss))
    return [float(found[0]), float(found[1]), float(found[2])]
