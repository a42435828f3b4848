"""Rules of the claims register as functions: R-TREND on a panel, R-SHARE, R-LEVEL, R-OSSIFY, R-POLAR."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame, _resample, _style, gaps, measures, trends
from nqpf_spatial.divergence._frame import Array, Groups, GroupSpec, Missing, WeightSpec, Wide, Years
from nqpf_spatial.divergence._lines import measure_lines
from nqpf_spatial.divergence._result import Result
from nqpf_spatial.errors import AlignmentError, PanelError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Reading = Literal["support", "contradict", "otherwise"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RuleResult(Result):
    """A rule read on data.

    Attributes
    ----------
    rule : str
        Id in the register.
    reading : {"support", "contradict", "otherwise"}
        For R-TREND of a panel: ``label`` says which way, the reading is left to the claim.
    label : str
        Label of the series (R-TREND, R-POLAR), else the reading again.
    table : DataFrame
        The numbers it rests on.
    evidence : DataFrame
        Annual series behind the table.
    reason : str
        The comparison in words.
    limits : tuple of (str, float)
        Thresholds of R-SHARE (percent) and R-LEVEL (zero, for the sign) in the picture.
    """

    rule: str
    reading: Reading
    label: str
    table: pd.DataFrame
    evidence: pd.DataFrame
    reason: str
    name: str
    note: str = ""
    limits: tuple[tuple[str, float], ...] = ()

    def _title(self) -> str:
        return f"{self.rule} on {self.name}: {self.label}"

    def _notes(self) -> list[str]:
        return [self.reason, *([self.note] if self.note else [])]

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """The annual series behind the rule: what it compares with a threshold as it is, else relative."""
        heading = f"{self.rule}, {_style.title(self.name, lang)}: {_style.word(self.label, lang)}"
        if self.rule not in ("R-SHARE", "R-LEVEL"):
            return measure_lines(self.evidence, heading, lang, ax)
        percent = self.rule == "R-SHARE"
        shown = 100.0 * self.evidence if percent else self.evidence
        ax = measure_lines(
            shown.set_axis(["share of the total, %" if percent else "mean difference"], axis=1), heading, lang, ax
        )
        for (text, value), style in zip(self.limits, ("--", ":"), strict=False):
            label = f"{_style.word(text, lang)} {value:g}"
            ax.axhline(value, color="0.35", lw=1.0, ls=style, label=label)
        ax.legend(frameon=False, fontsize="small")
        return _style.finish(ax, lang)


def agreed(labels: pd.Series, needed: int) -> trends.Label:
    """Label that at least ``needed`` measures carry; otherwise STABLE."""
    for label in ("DIVERGING", "CONVERGING"):
        if (labels == label).sum() >= needed:
            return label  # type: ignore[return-value]
    return "STABLE"


def trend_rule(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec | None = None,
    min_measures_agreeing: int = 3,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
    **trend: Any,
) -> RuleResult:
    """R-TREND on a panel: four dispersion measures, or four gaps between groups, must agree.

    Parameters
    ----------
    data : Series or DataFrame
        Positive values by (unit, time); see :func:`inequality` for the common options.
    groups : scheme, Series, mapping or column name, optional
        With groups the measures are those of :func:`gap` (group means), without those of
        :func:`inequality` (CV, Theil T, Gini, sd of logs).
    min_measures_agreeing : int
        Of four.
    **trend
        Parameters of :func:`trend_label`: ``alpha``, ``diverging_change_pct_ge``,
        ``converging_change_pct_le``, ``min_years``, ``correction``, ``if_undefined``.

    Returns
    -------
    RuleResult
        ``label`` is DIVERGING, CONVERGING or STABLE; ``reading`` takes DIVERGING for support.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> index = pd.MultiIndex.from_product([list("abcd"), range(2010, 2020)], names=["unit", "year"])
    >>> gap = np.array([[-2.0], [-1.0], [1.0], [2.0]]) * 1.03 ** np.arange(10)
    >>> trend_rule(pd.Series(np.exp(gap).ravel(), index=index, name="x")).label
    'DIVERGING'
    """
    common: dict[str, Any] = {"weights": weights, "years": years, "missing": missing, "value": value}
    found = measures.inequality(data, **common) if groups is None else gaps.gap(data, groups=groups, **common)
    table = trends.trend_table(found.table, **trend)
    label = agreed(table["label"], min_measures_agreeing)
    count = int((table["label"] == label).sum())
    readings: dict[str, Reading] = {"DIVERGING": "support", "CONVERGING": "contradict", "STABLE": "otherwise"}
    reason = f"{count} of {len(table)} measures are {label}; {min_measures_agreeing} must agree"
    return RuleResult("R-TREND", readings[label], label, table, found.table, reason, found.name, found.note)


def share(
    data: pd.Series | pd.DataFrame,
    group: Any,
    *,
    groups: GroupSpec = "block",
    against: pd.DataFrame | None = None,
    support_share_gt_pct: float = 50.0,
    contradict_share_lt_pct: float = 40.0,
    year: Any = "latest",
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> RuleResult:
    """R-SHARE: is the national total mainly in one group?

    Parameters
    ----------
    data : Series or DataFrame
        Non-negative totals (not per head) by (unit, time) or by unit.
    group : str
        The group in question, e.g. ``"East"``.
    groups : scheme, Series, mapping or column name
    against : DataFrame, optional
        Totals to compare with (GDP, population), indexed alike: location quotients are shown, never decide.
    support_share_gt_pct, contradict_share_lt_pct : float
        Thresholds in percent.
    year : "latest" or label
        The year that decides.

    Returns
    -------
    RuleResult
        ``table``: share by group and location quotients in the deciding year; ``evidence``: share of the
        group by year.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.Series([6.0, 1.0, 3.0], index=list("abc"), name="ports")
    >>> share(x, "A", groups={"a": "A", "b": "A", "c": "B"}).reading
    'support'
    """
    x = _frame.wide(data, value=value, years=years, missing=missing)
    _frame.require(x, positive=False, what="a share of a total")
    g = _frame.membership(x, groups, data)
    k = g.position(group)
    at = len(x.times) - 1 if year == "latest" else x.position(year)
    shares = _shares(x, g)
    table = pd.DataFrame({"share_pct": 100.0 * shares[at]}, index=pd.Index(g.names, name=g.label))
    if against is not None:
        when = None if x.cross_section else [x.times[at]]
        for column in against.columns:
            other = _frame.wide(against[column], years=when)
            if [_frame.key(u) for u in other.units] != [_frame.key(u) for u in x.units]:
                raise AlignmentError(f"the units of {column} ({len(other.units)}) are not those of {x.name}")
            table[f"lq_{column}"] = shares[at] / _shares(other, g)[0]
    decisive = 100.0 * shares[at, k]
    reading: Reading = "otherwise"
    if decisive > support_share_gt_pct:
        reading = "support"
    elif decisive < contradict_share_lt_pct:
        reading = "contradict"
    date = "" if x.cross_section else f" in {x.times[at]}"
    reason = (
        f"{group} has {decisive:.1f} % of {x.name}{date}; support above {support_share_gt_pct:g}, "
        f"contradiction below {contradict_share_lt_pct:g}"
    )
    evidence = pd.DataFrame({"share": shares[:, k]}, index=x.index())
    limits = (("support above", support_share_gt_pct), ("contradiction below", contradict_share_lt_pct))
    return RuleResult("R-SHARE", reading, reading, table, evidence, reason, x.name, x.note, limits)


def _shares(x: Wide, g: Groups) -> Array:
    """Share of each group in the total, ``(T, K)``."""
    sums = np.stack([x.values[:, g.codes == k].sum(axis=1) for k in range(len(g.names))], axis=1)
    total = sums.sum(axis=1, keepdims=True)
    if (total <= 0).any():
        raise PanelError(f"the total of {x.name} is not positive: there are no shares")
    return sums / total


def _mean_gap(values: Array, weights: Array, a: Array, b: Array) -> Array:
    """Difference of weighted means for indicator rows ``a``, ``b (..., N)``."""
    wa, wb = a * weights, b * weights
    return (wa * values).sum(axis=-1) / wa.sum(axis=-1) - (wb * values).sum(axis=-1) / wb.sum(axis=-1)


def _label_draws(inside: Array, draws: int, seed: int | None) -> tuple[Array, bool]:
    """Indicator rows of random (or of all) choices of as many units, and whether they are all of them."""
    n, m = len(inside), int(inside.sum())
    if comb(n, m) <= draws:
        rows = np.zeros((comb(n, m), n))
        for r, chosen in enumerate(combinations(range(n), m)):
            rows[r, list(chosen)] = 1.0
        return rows, True
    return _resample.permutations(inside.astype(np.intp), draws, seed).astype(float), False


def level_permutation(
    data: pd.Series | pd.DataFrame,
    above: Any,
    below: Any = None,
    *,
    groups: GroupSpec = "block",
    permutations: int = 10000,
    alpha: float = 0.05,
    sides: int = 1,
    same_sign_every_year: bool = True,
    seed: int | None = 0,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> RuleResult:
    """R-LEVEL: is the mean of one group above that of another (or of all others)?

    Parameters
    ----------
    data : Series or DataFrame
        Values by (unit, time) or by unit; the latest year decides.
    above, below
        Groups; ``below=None`` means all units outside ``above``. Only their units are permuted.
    permutations : int
        Random rearrangements of the labels; all of them if there are no more than that (the p-value is then
        exact).
    alpha : float
    sides : {1, 2}
    same_sign_every_year : bool
        Support needs the same sign in every year of the window.
    weights : Series, mapping or column name, optional
        Weighted means; weights travel with their unit.

    Returns
    -------
    RuleResult
        ``table``: difference, p-value above, p-value below in the latest year; ``evidence``: difference by
        year.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.Series([5.0, 6.0, 7.0, 1.0, 2.0, 3.0], index=list("abcdef"), name="x")
    >>> r = level_permutation(x, "A", groups=dict(zip("abcdef", "AAABBB")))
    >>> r.reading, float(r.table["pvalue"].iloc[0])
    ('otherwise', 0.05)
    """
    if sides not in (1, 2):
        raise ValueError(f"sides={sides} must be 1 or 2")
    x = _frame.wide(data, value=value, weights=weights, years=years, missing=missing)
    g = _frame.membership(x, groups, data)
    top = g.codes == g.position(above)
    rest = ~top if below is None else g.codes == g.position(below)
    used = top | rest
    inside = top[used].astype(float)
    v, w = x.values[:, used], x.weights[:, used]
    gap = _mean_gap(v, w, inside, 1.0 - inside)
    rows, exact = _label_draws(inside, permutations, seed)
    random = _mean_gap(v[-1], w[-1], rows, 1.0 - rows)
    up, down = (_tail(sign * random, sign * gap[-1], exact) for sign in (1.0, -1.0))
    p_up, p_down = (up, down) if sides == 1 else (min(1.0, 2.0 * up), min(1.0, 2.0 * down))
    same = bool((np.sign(gap) == np.sign(gap[-1])).all())
    reading: Reading = "otherwise"
    if p_up < alpha and (same or not same_sign_every_year):
        reading = "support"
    elif p_down < alpha:
        reading = "contradict"
    other = "the others" if below is None else str(below)
    columns = {"difference": [gap[-1]], "pvalue": [p_up], "pvalue_below": [p_down], "same_sign": [same]}
    when = x.index()[-1]
    table = pd.DataFrame(columns, index=pd.Index([when], name=x.time_name))
    draws = f"all {len(rows)} arrangements" if exact else f"{len(rows)} permutations"
    reason = (
        f"{above} minus {other} is {gap[-1]:.4g} at {when} (p = {p_up:.4f}, {draws}); "
        f"{'same' if same else 'not the same'} sign in all {len(gap)} years"
    )
    evidence = pd.DataFrame({"mean difference": gap}, index=x.index())
    limits = (("threshold of the sign", 0.0),)
    return RuleResult("R-LEVEL", reading, reading, table, evidence, reason, x.name, x.note, limits)


def _tail(draws: Array, observed: float, exact: bool) -> float:
    """Share of arrangements at least as large; with random ones the observed one counts as well."""
    count = float((draws >= observed - 1e-12 * max(1.0, abs(observed))).sum())
    return count / len(draws) if exact else (1.0 + count) / (1.0 + len(draws))
