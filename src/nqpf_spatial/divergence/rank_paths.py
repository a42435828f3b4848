"""Rank mobility: do the same units stay on top?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from nqpf_spatial.divergence import _frame, _style
from nqpf_spatial.divergence._frame import GroupSpec, Missing, Years
from nqpf_spatial.divergence._result import Result, Test
from nqpf_spatial.divergence.measures import _two_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RankResult(Result):
    """Ranks over time.

    Attributes
    ----------
    table : DataFrame
        Per unit: rank in the first and the last year (1 the highest; ties share the mean rank), the move.
    paths : DataFrame
        Ranks by year, years in rows.
    correlations : DataFrame
        By year: Spearman and Kendall (tau-b) correlation with the first year and with the year before.
    spearman, kendall : Test
        First against last year.
    """

    table: pd.DataFrame
    paths: pd.DataFrame
    correlations: pd.DataFrame
    spearman: Test
    kendall: Test
    name: str
    groups: pd.Series | None
    note: str

    def _title(self) -> str:
        numbers = f"Spearman {self.spearman.statistic:.4f}, Kendall {self.kendall.statistic:.4f}"
        return f"Rank mobility of {self.name}: {numbers}"

    def _notes(self) -> list[str]:
        return [str(self.spearman), str(self.kendall), *([self.note] if self.note else [])]

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Rank paths, coloured by group where groups were given; names at the right."""
        ax = _style.new_axes(ax, lang, (7.2, 6.4))
        names = [] if self.groups is None else list(dict.fromkeys(self.groups))
        for unit in self.paths.columns:
            colour = "0.4" if self.groups is None else _style.COLOURS[names.index(self.groups[unit]) % 8]
            ax.plot(self.paths.index, self.paths[unit], color=colour, lw=1.1, alpha=0.8)
            ax.text(
                self.paths.index[-1],
                self.paths[unit].iloc[-1],
                f"  {_style.unit(unit, lang)}",
                va="center",
                fontsize=7,
                color=colour,
            )
        for k, n in enumerate(names):
            ax.plot([], [], color=_style.COLOURS[k % 8], label=_style.word(n, lang))
        if names:
            ax.legend(frameon=False, ncols=len(names), loc="lower center", bbox_to_anchor=(0.5, 1.0))
        ax.set_ylim(len(self.table) + 0.5, 0.5)
        ax.set_ylabel(_style.word("rank", lang))
        _style.year_ticks(ax)
        return _style.finish(ax, lang, grid=False)


def ranks(
    data: pd.Series | pd.DataFrame,
    *,
    first: Any = None,
    last: Any = None,
    groups: GroupSpec | None = None,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> RankResult:
    """Rank paths and rank correlations.

    Parameters
    ----------
    data : Series or DataFrame
        Values by (unit, time); see :func:`inequality` for ``years``, ``missing``, ``value``.
    first, last
        Years to compare; default the first and the last.
    groups : scheme, Series, mapping or column name, optional
        Only colours the picture.

    Returns
    -------
    RankResult

    Notes
    -----
    Spearman's rho and Kendall's tau-b, p-values by scipy (exact where it can). A null of no association is
    hardly ever the question here: compare the size of the correlation.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_product([list("abcd"), [2000, 2010]], names=["unit", "year"])
    >>> r = ranks(pd.Series([1, 2, 2, 1, 3, 3, 4, 4.0], index=index, name="x"))
    >>> round(r.spearman.statistic, 4), round(r.kendall.statistic, 4)
    (0.8, 0.6667)
    """
    from scipy.stats import kendalltau, rankdata, spearmanr

    x = _frame.wide(data, value=value, years=years, missing=missing, min_units=3)
    a, b = _two_rows(x.frame(), first, last)
    r = rankdata(-x.values, axis=1)
    columns = pd.Index(x.units, name=x.unit_name)
    paths = pd.DataFrame(r, index=x.index(), columns=columns)
    rows = []
    for i in range(len(r)):
        pairs = [(r[a], r[i]), (r[max(i - 1, 0)], r[i])]
        rows.append([float(f(*pair)[0]) for pair in pairs for f in (spearmanr, kendalltau)])
    names = ["spearman_first", "kendall_first", "spearman_before", "kendall_before"]
    correlations = pd.DataFrame(rows, index=x.index(), columns=names)
    rho, tau = spearmanr(x.values[a], x.values[b]), kendalltau(x.values[a], x.values[b])
    null = f"ranks of {x.times[a]} and {x.times[b]} are not associated"
    tests = [
        Test("Spearman", float(rho.statistic), float(len(x.units) - 2), float(rho.pvalue), null),
        Test("Kendall tau-b", float(tau.statistic), None, float(tau.pvalue), null),
    ]
    table = pd.DataFrame({"first": r[a], "last": r[b], "rise": r[a] - r[b]}, index=columns)
    g = None if groups is None else _frame.membership(x, groups, data)
    shown = None if g is None else pd.Series([g.names[c] for c in g.codes], index=columns)
    return RankResult(table, paths, correlations, tests[0], tests[1], x.name, shown, x.note)
