"""Sigma convergence: dispersion over time, its trend and a test of the first against the last year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from nqpf_spatial.divergence import _frame, trends
from nqpf_spatial.divergence import measures as _measures
from nqpf_spatial.divergence._frame import Array, Missing, WeightSpec, Years
from nqpf_spatial.divergence._result import Result, Test
from nqpf_spatial.errors import PanelError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SigmaResult(Result):
    """Dispersion over time with its trend.

    Attributes
    ----------
    table : DataFrame
        Dispersion measures by year.
    trends : DataFrame
        Label, slope of the log, change and p-value of each measure (see :func:`~nqpf_spatial.divergence.trend_label`).
    test : Test
        Carree and Klomp (1997): is the variance of logs the same in the first and the last year?
    """

    table: pd.DataFrame
    trends: pd.DataFrame
    test: Test
    inequality: _measures.InequalityResult
    name: str

    def _title(self) -> str:
        labels = ", ".join(f"{m} {row.label}" for m, row in self.trends.iterrows())
        return f"Sigma convergence of {self.name}: {labels}"

    def _notes(self) -> list[str]:
        return [str(self.test), *self.inequality._notes()]

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Measures over time relative to the first year."""
        return self.inequality.plot(lang=lang, ax=ax)


def variance_test(first: Array, last: Array, name: str) -> Test:
    """Likelihood-ratio test of equal variances of two correlated samples (Carree and Klomp 1997, T2).

    Notes
    -----
    ``(N - 2.5) ln(1 + (s1 - s2)^2 / (4 (s1 s2 - s12^2)))``, chi-squared with one degree of freedom: the test
    of Pitman (1939) and Morgan (1939) in another form.
    """
    c = np.cov(first, last, ddof=1)
    rest = c[0, 0] * c[1, 1] - c[0, 1] ** 2
    null = "the variance of logs has not changed"
    if rest <= 1e-14 * max(c[0, 0] * c[1, 1], np.finfo(float).tiny):
        raise PanelError(
            f"{name}: the first and the last year are perfectly correlated; the test of the variance of logs does not exist"
        )
    statistic = (len(first) - 2.5) * np.log1p((c[0, 0] - c[1, 1]) ** 2 / (4.0 * rest))
    direction = "fell" if c[1, 1] < c[0, 0] else "rose"
    return Test("Carree-Klomp", float(statistic), 1.0, float(chdtrc(1, statistic)), null, f"it {direction}")


def sigma(
    data: pd.Series | pd.DataFrame,
    *,
    measures: Sequence[str] = _measures.DEFAULT,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
    **trend: Any,
) -> SigmaResult:
    """Sigma convergence: does dispersion fall?

    Parameters
    ----------
    data : Series or DataFrame
        Positive values by (unit, time); see :func:`inequality` for the common options.
    measures : sequence of str
        Dispersion measures, as in :func:`inequality`.
    **trend
        Parameters of :func:`~nqpf_spatial.divergence.trend_label` (``alpha``, ``min_years``, ...).

    Returns
    -------
    SigmaResult

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> index = pd.MultiIndex.from_product([list("abcd"), range(2010, 2020)], names=["unit", "year"])
    >>> gap = np.array([[-2.0], [-1.0], [1.0], [2.0]]) * 0.9 ** np.arange(10) + np.tile([0.01, -0.01], (4, 5))
    >>> gap[0] += 0.01 * np.arange(10) ** 0.5
    >>> sigma(pd.Series(np.exp(gap).ravel(), index=index, name="x")).trends["label"].unique().tolist()
    ['CONVERGING']
    """
    x = _frame.wide(data, value=value, weights=weights, years=years, missing=missing, min_units=4)
    _frame.require_times(x, "sigma convergence")
    _frame.require(x, positive=True, what="sigma convergence")
    found = _measures.inequality(data, measures, weights=weights, years=years, missing=missing, value=value)
    logs = np.log(x.values)
    test = variance_test(logs[0], logs[-1], x.name)
    return SigmaResult(found.table, trends.trend_table(found.table, **trend), test, found, x.name)
