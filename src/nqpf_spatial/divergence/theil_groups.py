"""Theil indices split exactly by groups, on one or two levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame, _resample, _style, measures
from nqpf_spatial.divergence._frame import Array, Groups, GroupSpec, Missing, WeightSpec, Wide, Years
from nqpf_spatial.divergence._result import Result, Test, check_choice
from nqpf_spatial.divergence.measures import InequalityResult, _two_rows
from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import inequality as _kernel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["T", "L"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TheilResult(Result):
    """Theil index by year, split by groups.

    Attributes
    ----------
    table : DataFrame
        ``total``, the between parts (one per level), ``within``, and each as percent of the total.
    groups : DataFrame
        Columns (group, quantity): ``index`` inside the group, ``population`` and ``income`` share,
        ``contribution`` to ``within``. With ``nested=`` the groups are the cells (outer / inner).
    se, lower, upper : DataFrame or None
        Bootstrap (stratified by group) of the columns of ``table`` that are not percentages.
    permutation : DataFrame or None
        By year: between part, its p-value under random group labels.
    draws : ndarray (R, T, parts) or None
    kind : {"T", "L"}
    levels : tuple of str
        Names of the groupings, outer first.
    """

    table: pd.DataFrame
    groups: pd.DataFrame
    se: pd.DataFrame | None
    lower: pd.DataFrame | None
    upper: pd.DataFrame | None
    permutation: pd.DataFrame | None
    draws: Array | None
    kind: Kind
    levels: tuple[str, ...]
    name: str
    weighted: bool
    level: float
    note: str

    def _title(self) -> str:
        by = " / ".join(self.levels)
        return f"Theil {self.kind} of {self.name} by {by}, {'weighted' if self.weighted else 'unweighted'}"

    def _notes(self) -> list[str]:
        return [self.note] if self.note else []

    @property
    def parts(self) -> list[str]:
        """Columns of the table that are not percentages."""
        return [c for c in self.table.columns if not c.endswith("_pct")]

    def test(self, time: Any = None) -> Test:
        """Permutation test: are the groups no different from random ones?

        Of one year, or of all years together (the mean over the years, under the same rearrangements).
        """
        return permutation_test(self.permutation, time, f"between part of Theil {self.kind}")

    def change(self, first: Any = None, last: Any = None) -> pd.DataFrame:
        """Exact split of the change of the index between two times.

        Rows: the between part(s); for each group the part due to its inside becoming more or less unequal
        (``index``) and the part due to its weight changing (``weight``). They add up to the change.

        Notes
        -----
        ``Delta(v_g I_g) = mean(v_g) Delta I_g + mean(I_g) Delta v_g`` with means over the two dates: the
        two-factor Shapley value, exact without a residual (compare Mookherjee and Shorrocks 1982, whose split
        of L is approximate). The weight ``v_g`` is the income share for T, the population share for L.
        """
        a, b = _two_rows(self.table, first, last)
        between = [c for c in self.parts if c.startswith("between")]
        rows = {(c, "between"): self.table[c].iloc[b] - self.table[c].iloc[a] for c in between}
        weight = "income" if self.kind == "T" else "population"
        for g in dict.fromkeys(self.groups.columns.get_level_values(0)):
            index, share = self.groups[(g, "index")].to_numpy(), self.groups[(g, weight)].to_numpy()
            rows[(g, "index")] = (share[a] + share[b]) / 2.0 * (index[b] - index[a])
            rows[(g, "weight")] = (index[a] + index[b]) / 2.0 * (share[b] - share[a])
        total = self.table["total"].iloc[b] - self.table["total"].iloc[a]
        out = pd.Series(rows).rename_axis(["part", "through"]).to_frame("change")
        out["percent_of_change"] = 100.0 * out["change"] / total if total != 0 else np.nan
        return out

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Stacked parts over time; the line is the total."""
        ax = _style.new_axes(ax, lang)
        parts = [c for c in self.parts if c != "total"]
        texts = ["between groups"] if len(self.levels) == 1 else _between_texts(self.levels[0], self.levels[1], lang)
        stacked_parts(ax, self.table, list(zip(parts, [*texts, "within groups"], strict=True)), lang)
        ax.set_ylabel(_style.word("contribution to the Theil index", lang))
        ax.set_title(_style.title(self.name, lang), loc="left")
        return _style.finish(ax, lang)


def _between_texts(outer: str, inner: str, lang: str) -> list[str]:
    """Legend of the two between parts of a nested split."""
    a, b = _style.grouping(outer, lang), _style.grouping(inner, lang)
    return [f"{a}之间", f"{a}内部:{b}之间"] if lang == "zh" else [f"between {a}", f"between {b} within {a}"]


def stacked_parts(ax: Axes, table: pd.DataFrame, parts: list[tuple[str, str]], lang: str) -> None:
    """Stacked bars of the parts by time with the total on top."""
    bottom = np.zeros(len(table))
    where = np.arange(len(table)) if table.index.dtype == object else table.index.to_numpy()
    for k, (column, text) in enumerate(parts):
        height = table[column].to_numpy()
        ax.bar(where, height, bottom=bottom, width=0.72, color=_style.COLOURS[k], label=_style.word(text, lang))
        bottom = bottom + height
    ax.plot(where, table["total"], color="black", marker="o", ms=3, lw=1, label=_style.word("total", lang))
    ax.set_ylim(0, float(table["total"].max()) * 1.28)
    ax.legend(frameon=False, ncols=2, loc="upper left", fontsize="small")
    if table.index.dtype == object:
        ax.set_xticks(where, [str(t) for t in table.index])
    else:
        _style.year_ticks(ax)


def permutation_test(table: pd.DataFrame | None, time: Any, name: str) -> Test:
    """One row of a permutation table, or the mean over all of them, as a test."""
    if table is None:
        raise ValueError("there is no permutation inference here; call with permutations=999 and a seed")
    null = "group labels are exchangeable"
    if time is None:
        statistic, pvalue = table.attrs["all"]
        when = f"mean over {len(table)} times" if len(table) > 1 else ""
        return Test(name, statistic, None, pvalue, null, when)
    if time not in table.index:
        raise PanelError(f"there is no time {time}; the result has {_frame.shorten(table.index, 30)}")
    row = table.loc[time]
    return Test(name, float(row["statistic"]), None, float(row["pvalue"]), null)


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """Outer groups and, where nested, the cells inside them."""

    outer: Groups
    cells: Groups
    nested: bool

    def evaluate(self, x: Wide, w: Array, kind: str) -> tuple[Array, _kernel.TheilParts]:
        """``(..., T, parts)`` and the parts of the finest level."""
        fine = _kernel.theil_parts(x.values, w, _kernel.indicator(self.cells.codes, len(self.cells.names)), kind)
        if not self.nested:
            return np.stack([fine.total, fine.between, fine.within], axis=-1), fine
        coarse = _kernel.theil_parts(x.values, w, _kernel.indicator(self.outer.codes, len(self.outer.names)), kind)
        middle = fine.between - coarse.between
        return np.stack([fine.total, coarse.between, middle, fine.within], axis=-1), fine


def _tree(x: Wide, groups: GroupSpec, nested: GroupSpec | None, data: Any) -> _Tree:
    outer = _frame.membership(x, groups, data)
    if nested is None:
        return _Tree(outer, outer, False)
    inner = _frame.membership(x, nested, data)
    both = sorted(set(zip(outer.codes.tolist(), inner.codes.tolist(), strict=True)))
    names = tuple(f"{outer.names[a]} / {inner.names[b]}" for a, b in both)
    codes = np.asarray([both.index(c) for c in zip(outer.codes.tolist(), inner.codes.tolist(), strict=True)])
    return _Tree(outer, Groups(names, codes.astype(np.intp), inner.label), True)


def _columns(tree: _Tree) -> list[str]:
    if not tree.nested:
        return ["total", "between", "within"]
    return [
        "total",
        f"between_{tree.outer.label}",
        f"between_{tree.cells.label}_in_{tree.outer.label}",
        "within",
    ]


def theil(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec | None = None,
    nested: GroupSpec | None = None,
    kind: Kind = "T",
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    permutations: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> TheilResult | InequalityResult:
    """Theil index by year, with an exact split by groups where groups are given.

    Parameters
    ----------
    data : Series or DataFrame
        Values indexed by (unit, time) or by unit; see :func:`inequality` for ``value``, ``weights``,
        ``years``, ``missing``, ``level`` and ``seed``.
    groups : {"block", "north_south", "hub", "cluster"}, Series, mapping or column name, optional
        Group of each unit. Without it the result is that of :func:`inequality` for T and L.
    nested : same, optional
        A second grouping inside the first; the cells are the combinations that occur (the block East has
        provinces in the North and in the South), so the split is exact for any two groupings.
    kind : {"T", "L"}
        T weighs groups by their share of the total, L by their share of units (or of ``weights``).
    bootstrap : int
        Replicates of a bootstrap over units inside each (finest) group.
    permutations : int
        Random rearrangements of the group labels, the same in all years, for the (outer) between part.

    Returns
    -------
    TheilResult or InequalityResult

    Notes
    -----
    ``T = sum_g s_g ln(mu_g / mu) + sum_g s_g T_g`` (Theil 1967; Shorrocks 1980); on two levels
    ``T = between outer + sum_outer s (between inner inside outer) + within``. Exact to rounding. A group of
    one unit has an inside of zero.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.Series([1.0, 3.0, 2.0, 6.0], index=list("abcd"), name="x")
    >>> theil(x, groups={"a": "A", "b": "A", "c": "B", "d": "B"}).table.round(4)
        total  between  within  between_pct  within_pct
    x  0.1874   0.0566  0.1308      30.2131     69.7869
    """
    check_choice("kind", kind, ("T", "L"))
    if groups is None:
        if nested is not None or permutations:
            raise ValueError("nested= and permutations= need groups=")
        return measures.inequality(
            data, ["theil_t", "theil_l"], weights=weights, years=years, missing=missing, bootstrap=bootstrap,
            level=level, seed=seed, value=value,
        )  # fmt: skip
    x = _frame.wide(data, value=value, weights=weights, years=years, missing=missing)
    measures.check_domain(x, f"Theil {kind}", "positive" if kind == "L" else "non-negative")
    tree = _tree(x, groups, nested, data)
    point, fine = tree.evaluate(x, x.weights, kind)
    names = _columns(tree)
    table = pd.DataFrame(point, index=x.index(), columns=names)
    for column in names[1:]:
        table[f"{column}_pct"] = 100.0 * (table[column] / table["total"]).where(table["total"] > 0)
    draws = _draws(x, tree, kind, bootstrap, seed)
    se, low, high = measures.spread(draws, table.index, names, level)
    permuted = _permute(x, tree, kind, permutations, seed)
    levels = (tree.outer.label, tree.cells.label) if tree.nested else (tree.outer.label,)
    detail = _group_table(fine, tree.cells, x)
    spread = (se, low, high, permuted, draws)
    return TheilResult(table, detail, *spread, kind, levels, x.name, x.weighted, level, x.note)


def _group_table(parts: _kernel.TheilParts, groups: Groups, x: Wide) -> pd.DataFrame:
    columns = {
        (g, quantity): getattr(parts, quantity)[:, k]
        for k, g in enumerate(groups.names)
        for quantity in ("index", "population", "income", "contribution")
    }
    out = pd.DataFrame(columns, index=x.index())
    out.columns.names = ["group", "quantity"]
    return out


def _draws(x: Wide, tree: _Tree, kind: str, replicates: int, seed: int | None) -> Array | None:
    if not replicates:
        return None
    counts = _resample.multiplicities(len(x.units), replicates, seed, tree.cells.codes)
    return _resample.collect(counts, 3 * x.values.size, lambda c: tree.evaluate(x, c[:, None, :] * x.weights, kind)[0])


def _permute(x: Wide, tree: _Tree, kind: str, replicates: int, seed: int | None) -> pd.DataFrame | None:
    if not replicates:
        return None
    k = len(tree.outer.names)
    codes = _resample.permutations(tree.outer.codes, replicates, seed)

    def between(block: Array) -> Array:
        member = _kernel.indicator(block.astype(np.intp), k)[:, None]
        return _kernel.theil_parts(x.values, x.weights, member, kind).between

    observed = _kernel.theil_parts(x.values, x.weights, _kernel.indicator(tree.outer.codes, k), kind).between
    draws = _resample.collect(codes.astype(float), k * x.values.size, between)
    return _resample.permutation_table(draws, observed, x.index())
