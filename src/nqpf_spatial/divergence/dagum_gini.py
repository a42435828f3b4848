"""Dagum's decomposition of the Gini index by groups, and the change of the Gini index of a panel."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame, _resample, _style, measures
from nqpf_spatial.divergence._frame import Array, Groups, GroupSpec, Missing, WeightSpec, Wide, Years
from nqpf_spatial.divergence._result import Result, Test
from nqpf_spatial.divergence.measures import _two_rows
from nqpf_spatial.divergence.theil_groups import permutation_test, stacked_parts
from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import inequality as _kernel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PARTS = ["total", "within", "net_between", "transvariation"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DagumResult(Result):
    """Dagum's Gini decomposition by year.

    Attributes
    ----------
    table : DataFrame
        ``total``, ``within`` (Gw), ``net_between`` (Gnb), ``transvariation`` (Gt) and their percentages.
    group_gini : DataFrame
        Gini index inside each group (G_jj), groups in columns.
    pair_gini, pair_affluence : DataFrame
        G_jh and D_jh, pairs of groups in columns.
    contributions : DataFrame
        Columns (part, group or pair): what each adds to Gw, Gnb and Gt.
    shares : DataFrame
        Columns (population | income, group).
    se, lower, upper : DataFrame or None
        Bootstrap (stratified by group) of the four parts.
    permutation : DataFrame or None
        By year: net between part and its p-value under random group labels.
    draws : ndarray (R, T, 4) or None
    """

    table: pd.DataFrame
    group_gini: pd.DataFrame
    pair_gini: pd.DataFrame
    pair_affluence: pd.DataFrame
    contributions: pd.DataFrame
    shares: pd.DataFrame
    se: pd.DataFrame | None
    lower: pd.DataFrame | None
    upper: pd.DataFrame | None
    permutation: pd.DataFrame | None
    draws: Array | None
    name: str
    groups: tuple[Any, ...]
    by: str
    weighted: bool
    level: float
    note: str

    def _title(self) -> str:
        return f"Dagum decomposition of the Gini index of {self.name} by {self.by}" + (
            ", weighted" if self.weighted else ""
        )

    def _notes(self) -> list[str]:
        return [self.note] if self.note else []

    def pairs(self, time: Any) -> pd.DataFrame:
        """Block table of one time: G_jj on the diagonal, G_jh below, D_jh above."""
        if time not in self.table.index:
            raise PanelError(f"there is no time {time}; the result has {_frame.shorten(self.table.index, 30)}")
        out = pd.DataFrame(np.nan, index=list(self.groups), columns=list(self.groups))
        for g in self.groups:
            out.loc[g, g] = self.group_gini.loc[time, g]
        for a, b in combinations(self.groups, 2):
            out.loc[b, a] = self.pair_gini.loc[time, f"{a} - {b}"]
            out.loc[a, b] = self.pair_affluence.loc[time, f"{a} - {b}"]
        return out

    def test(self, time: Any = None) -> Test:
        """Permutation test: are the groups no different from random ones?

        Of one year, or of all years together (the mean over the years, under the same rearrangements).
        """
        return permutation_test(self.permutation, time, "net between part of the Gini index")

    def change(self, first: Any = None, last: Any = None) -> pd.DataFrame:
        """Change of the index and of its parts between two times; the parts add up to the total."""
        a, b = _two_rows(self.table, first, last)
        out = _resample.change_table(self.table[PARTS].to_numpy(), self.draws, a, b, PARTS, self.level)
        total = out.loc["total", "change"]
        out.insert(4, "percent_of_change", 100.0 * out["change"] / total if total != 0 else np.nan)
        return out

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Stacked contributions over time; the line is the Gini index."""
        ax = _style.new_axes(ax, lang)
        parts = [
            ("net_between", "net between groups"),
            ("transvariation", "transvariation"),
            ("within", "within groups"),
        ]
        stacked_parts(ax, self.table, parts, lang)
        ax.set_ylabel(_style.word("contribution to the Gini index", lang))
        ax.set_title(_style.title(self.name, lang), loc="left")
        return _style.finish(ax, lang)

    def plot_pairs(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Gini index between each pair of groups over time."""
        ax = _style.new_axes(ax, lang)
        for k, column in enumerate(self.pair_gini.columns):
            text = " - ".join(_style.words(column.split(" - "), lang))
            ax.plot(
                self.pair_gini.index,
                self.pair_gini[column],
                color=_style.COLOURS[k % 8],
                marker="o",
                ms=3,
                label=text,
            )
        ax.set_ylabel("$G_{jh}$")
        ax.set_title(_style.title(self.name, lang), loc="left")
        ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
        _style.year_ticks(ax)
        return _style.finish(ax, lang)


def dagum(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    permutations: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> DagumResult:
    """Split the Gini index of every year into within, net between and transvariation.

    Parameters
    ----------
    data : Series or DataFrame
        Values indexed by (unit, time) or by unit; see :func:`inequality` for ``value``, ``weights``,
        ``years``, ``missing``, ``level`` and ``seed``.
    groups : {"block", "north_south", "hub", "cluster"}, Series, mapping or column name
        Group of each unit.
    bootstrap : int
        Replicates of a bootstrap over units inside each group (group sizes stay fixed).
    permutations : int
        Random rearrangements of the group labels, the same in all years, for the net between part.

    Returns
    -------
    DagumResult

    Raises
    ------
    PanelError
        Missing or negative cells, named; a year whose mean is zero.
    AlignmentError
        Units without a group.

    Notes
    -----
    Dagum (1997). ``G = G_w + G_nb + G_t`` holds to rounding. A group of one unit has ``G_jj = 0``. Two groups
    of equal constants have ``G_jh = 0`` and ``D_jh`` is set to 0. With ``weights`` the shares ``p_j`` are
    shares of the weights.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.Series([1.0, 3.0, 2.0, 6.0], index=list("abcd"), name="x")
    >>> d = dagum(x, groups={"a": "A", "b": "A", "c": "B", "d": "B"})
    >>> d.table[["total", "within", "net_between", "transvariation"]].round(4)
            total  within  net_between  transvariation
    x  0.3333   0.125       0.1667          0.0417
    >>> d.pairs("x").round(4)
            A     B
    A  0.2500  0.80
    B  0.4167  0.25
    """
    x = _frame.wide(data, value=value, weights=weights, years=years, missing=missing)
    _frame.require(x, positive=False, what="the Gini index")
    g = _frame.membership(x, groups, data)
    member = _kernel.indicator(g.codes, len(g.names))
    parts = _kernel.dagum_parts(x.values, x.weights, member)
    table = pd.DataFrame(_stack(parts), index=x.index(), columns=PARTS)
    for column in PARTS[1:]:
        table[f"{column}_pct"] = 100.0 * (table[column] / table["total"]).where(table["total"] > 0)
    draws = None
    if bootstrap:
        counts = _resample.multiplicities(len(x.units), bootstrap, seed, g.codes)
        size = len(g.names) * x.values.size
        draws = _resample.collect(
            counts, size, lambda c: _stack(_kernel.dagum_parts(x.values, c[:, None, :] * x.weights, member))
        )
    se, low, high = measures.spread(draws, table.index, PARTS, level)
    spread = (se, low, high, _permute(x, g, permutations, seed), draws)
    detail = _group_tables(parts, g, x)
    return DagumResult(table, *detail, *spread, x.name, g.names, g.label, x.weighted, level, x.note)


def _stack(parts: _kernel.DagumParts) -> Array:
    return np.stack([parts.total, parts.within, parts.net, parts.transvariation], axis=-1)


def _group_tables(
    parts: _kernel.DagumParts, g: Groups, x: Wide
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    index, names = x.index(), list(g.names)
    own = {a: parts.index[:, k, k] for k, a in enumerate(names)}
    pairs = [(j, h, f"{names[j]} - {names[h]}") for j, h in combinations(range(len(names)), 2)]
    contributions = {("within", a): parts.within_group[:, k] for k, a in enumerate(names)}
    contributions |= {("net_between", text): parts.net_pair[:, j, h] for j, h, text in pairs}
    contributions |= {("transvariation", text): parts.transvariation_pair[:, j, h] for j, h, text in pairs}
    shares = {(s, a): getattr(parts, s)[:, k] for s in ("population", "income") for k, a in enumerate(names)}
    return (
        pd.DataFrame(own, index=index),
        pd.DataFrame({text: parts.index[:, j, h] for j, h, text in pairs}, index=index),
        pd.DataFrame({text: parts.affluence[:, j, h] for j, h, text in pairs}, index=index),
        pd.DataFrame(contributions, index=index),
        pd.DataFrame(shares, index=index),
    )


def _permute(x: Wide, g: Groups, replicates: int, seed: int | None) -> pd.DataFrame | None:
    if not replicates:
        return None
    k = len(g.names)
    codes = _resample.permutations(g.codes, replicates, seed)

    def net(block: Array) -> Array:
        member = _kernel.indicator(block.astype(np.intp), k)[:, None]
        return _kernel.dagum_parts(x.values, x.weights, member).net

    observed = _kernel.dagum_parts(x.values, x.weights, _kernel.indicator(g.codes, k)).net
    draws = _resample.collect(codes.astype(float), k * x.values.size, net)
    return _resample.permutation_table(draws, observed, x.index())


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GiniChangeResult(Result):
    """Change of the Gini index between two years, split into progressivity and reranking.

    Attributes
    ----------
    table : DataFrame
        One row per pair of years: ``start``, ``end``, ``change``, ``progressivity``, ``reranking``;
        ``change = reranking - progressivity``.
    """

    table: pd.DataFrame
    name: str
    weighted: bool
    note: str

    def _title(self) -> str:
        return f"Change of the Gini index of {self.name}: reranking minus progressivity"

    def _notes(self) -> list[str]:
        return [self.note] if self.note else []

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Change and its two parts as bars."""
        ax = _style.new_axes(ax, lang)
        where = np.arange(len(self.table))
        for k, column in enumerate(["change", "progressivity", "reranking"]):
            sign = -1.0 if column == "progressivity" else 1.0
            label = f"-{column}" if sign < 0 else column
            ax.bar(
                where + 0.26 * (k - 1),
                sign * self.table[column],
                0.25,
                color=_style.COLOURS[k],
                label=_style.word(label, lang),
            )
        ax.set_xticks(where, [f"{a}-{b}" for a, b in self.table.index])
        ax.axhline(0, color="black", lw=0.8)
        ax.legend(frameon=False)
        ax.set_title(_style.title(self.name, lang), loc="left")
        return _style.finish(ax, lang)


def gini_change(
    data: pd.Series | pd.DataFrame,
    *,
    dates: list[int] | None = None,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> GiniChangeResult:
    """Split the change of the Gini index into progressive growth and reranking.

    Parameters
    ----------
    data : Series or DataFrame
        Values indexed by (unit, time); other options as in :func:`inequality`. Weights are those of the
        first of two dates.
    dates : list, optional
        Times to compare, each with the next; default the first and the last.

    Returns
    -------
    GiniChangeResult

    Notes
    -----
    Jenkins and Van Kerm (2006): ``G_1 - G_0 = R - P`` with ``P = G_0 - C_1``, ``R = G_1 - C_1`` and ``C_1``
    the concentration index of the later values in the earlier order. ``P > 0`` is beta convergence (growth
    favours the poor), ``R`` what leapfrogging takes back: sigma convergence is their difference (O'Neill and
    Van Kerm 2008).

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_product([list("ab"), [0, 1]], names=["unit", "year"])
    >>> gini_change(pd.Series([1.0, 3.0, 3.0, 1.0], index=index, name="x")).table.round(4).iloc[0].to_dict()
    {'start': 0.25, 'end': 0.25, 'change': 0.0, 'progressivity': 0.5, 'reranking': 0.5}
    """
    x = _frame.wide(data, value=value, weights=weights, years=years, missing=missing)
    _frame.require(x, positive=False, what="the Gini index")
    _two_rows(x.frame(), None, None)
    chosen = [x.times[0], x.times[-1]] if dates is None else list(dates)
    rows = {}
    for a, b in pairwise(chosen):
        i, j = x.position(a), x.position(b)
        w = x.weights[i]
        start, end = float(_kernel.gini(x.values[i], w)), float(_kernel.gini(x.values[j], w))
        cross = float(_kernel.concentration(x.values[j], x.values[i], w))
        rows[(a, b)] = [start, end, end - start, start - cross, end - cross]
    columns = ["start", "end", "change", "progressivity", "reranking"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    table.index = pd.MultiIndex.from_tuples(table.index, names=["from", "to"])
    return GiniChangeResult(table, x.name, x.weighted, x.note)
