"""R-OSSIFY and R-POLAR: frozen gaps and polarisation, read on a panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame, dagum_gini, gaps, markov_chains, polarize, theil_groups, trends
from nqpf_spatial.divergence._frame import GroupSpec, Missing, WeightSpec, Years
from nqpf_spatial.divergence.rules import Reading, RuleResult
from nqpf_spatial.kernels import trend as _trend


def ossify(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec = "block",
    over: tuple[Any, Any] = ("East", "West"),
    spearman_ge: float = 0.9,
    shorrocks_le: float = 0.2,
    ratio_change_within_pct: float = 5.0,
    classes: int = 4,
    min_of_ii_to_iv: int = 2,
    relative: bool = True,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
    **trend: Any,
) -> RuleResult:
    """R-OSSIFY: has the gap between groups set hard?

    Parameters
    ----------
    data : Series or DataFrame
        Positive values by (unit, time); see :func:`inequality` for the common options.
    groups : scheme, Series, mapping or column name
    over : (str, str)
        Groups of the ratio of means in (iv).
    spearman_ge, shorrocks_le, ratio_change_within_pct : float
        Thresholds of (ii), (iii) and (iv).
    classes : int
        Pooled quantile classes of the Markov chain in (iii).
    min_of_ii_to_iv : int
    relative : bool
        Classes of values over the mean of their year, so that common growth is not mobility. The value with
        ``relative=False`` stands in the table as well and does not decide.
    **trend
        Parameters of :func:`trend_label` for (i).

    Returns
    -------
    RuleResult
        Rows of ``table``: (i) net between part of Dagum and between part of Theil T, (ii) Spearman of first
        and last year, (iii) Shorrocks, (iv) change of the ratio of means; with the value, the threshold and
        whether it holds.

    Notes
    -----
    Support: (i) both STABLE and at least ``min_of_ii_to_iv`` of (ii)-(iv). Contradiction: (i) fails, which by
    R-TREND means a significant trend. Weights enter (i) and (iv). Transitions over absent years are not
    counted.
    """
    common: dict[str, Any] = {"years": years, "missing": missing, "value": value}
    weighted = {**common, "weights": weights, "groups": groups}
    net = dagum_gini.dagum(data, **weighted)
    between = theil_groups.theil(data, **weighted).table["between"]
    evidence = pd.DataFrame({"dagum_net_between": net.table["net_between"], "theil_between": between})
    labels = trends.trend_table(evidence, **trend)
    rank, chain = _persistence(data, classes, common)
    means = gaps.ratio(data, over=over, **weighted)
    change = 100.0 * (means.iloc[-1] / means.iloc[0] - 1.0)
    rows = {
        "(ii) Spearman": [rank, f">= {spearman_ge:g}", rank >= spearman_ge],
        "(iii) Shorrocks": [chain[relative], f"<= {shorrocks_le:g}", chain[relative] <= shorrocks_le],
        f"(iv) {over[0]}/{over[1]}, change %": [
            change, f"+-{ratio_change_within_pct:g}", abs(change) <= ratio_change_within_pct
        ],
    }  # fmt: skip
    table = _clauses(labels, rows)
    count = int(table["holds"].iloc[2:].sum())
    reading: Reading = "otherwise"
    if not table["holds"].iloc[:2].all():
        reading = "contradict"
    elif count >= min_of_ii_to_iv:
        reading = "support"
    other = "not divided" if relative else "divided"
    reason = (
        f"(i) {' and '.join(labels['label'])}; {count} of (ii)-(iv) hold, {min_of_ii_to_iv} are needed; "
        f"Shorrocks of values {other} by the mean of the year: {chain[not relative]:.4f}"
    )
    return RuleResult("R-OSSIFY", reading, reading, table, evidence, reason, net.name, net.note)


def _persistence(
    data: pd.Series | pd.DataFrame, classes: int, common: dict[str, Any]
) -> tuple[float, dict[bool, float]]:
    """Spearman correlation of the first and the last year; Shorrocks of relative (True) and raw values."""
    ends = _frame.wide(data, **common).values[[0, -1]]
    rank = float(np.atleast_2d(np.corrcoef(_trend.average_ranks(ends)))[0, 1])
    options: dict[str, Any] = {"k": classes, "gaps": "skip", **common}
    return rank, {r: markov_chains.markov(data, relative=r, **options).shorrocks for r in (True, False)}


def _clauses(labels: pd.DataFrame, rows: dict[str, list[Any]]) -> pd.DataFrame:
    """Clause (i), one row per trend, above the others."""
    first = pd.DataFrame(
        {
            "value": labels["change_pct"].to_numpy(),
            "threshold": "STABLE",
            "holds": (labels["label"] == "STABLE").to_numpy(),
            "pvalue": labels["pvalue"].to_numpy(),
        },
        index=["(i) Dagum, change %", "(i) Theil, change %"],
    )
    rest = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "threshold", "holds"])
    return pd.concat([first, rest.assign(pvalue=np.nan)]).astype({"holds": bool, "value": float})


def polar(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec = "block",
    er_alpha: float = 1.3,
    er_alpha_sensitivity: Sequence[float] = (1.0, 1.6),
    both_must_agree: bool = True,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
    **trend: Any,
) -> RuleResult:
    """R-POLAR: do Wolfson and Esteban-Ray polarisation rise?

    Parameters
    ----------
    data : Series or DataFrame
        Non-negative values by (unit, time); see :func:`inequality` for the common options.
    groups : scheme, Series, mapping or column name
        Groups of Esteban-Ray and of Esteban-Gradin-Ray, which stands beside it.
    er_alpha : float
    er_alpha_sensitivity : sequence of float
        Further alphas; shown, never decide.
    both_must_agree : bool
        If False one label suffices as long as the other is not opposite.
    **trend
        Parameters of :func:`trend_label`.

    Returns
    -------
    RuleResult
        ``label`` is DIVERGING, CONVERGING or STABLE; ``reading`` takes DIVERGING for support.

    Notes
    -----
    With every unit its own group of equal weight Esteban-Ray is ``2 N^-alpha`` times the Gini index and says
    nothing of its own: it needs groups.
    """
    common: dict[str, Any] = {"weights": weights, "years": years, "missing": missing, "value": value}
    common["groups"] = groups
    main = polarize.polarization(data, ["wolfson", "esteban_ray", "egr"], alpha=er_alpha, **common)
    evidence = main.table[["wolfson", "esteban_ray"]].copy()
    for a in er_alpha_sensitivity:
        other = polarize.polarization(data, "esteban_ray", alpha=a, **common)
        evidence[f"esteban_ray({a:g})"] = other.table["esteban_ray"]
    table = trends.trend_table(evidence, **trend)
    table["decides"] = [c in ("wolfson", "esteban_ray") for c in table.index]
    deciding = table.loc[["wolfson", "esteban_ray"], "label"]
    label = _joint(deciding, both_must_agree)
    evidence["egr"] = main.table["egr"]
    start, end = main.table["egr"].iloc[[0, -1]]
    reading: Reading = "support" if label == "DIVERGING" else "contradict" if label == "CONVERGING" else "otherwise"
    reason = f"Wolfson {deciding.iloc[0]}, Esteban-Ray {deciding.iloc[1]}; Esteban-Gradin-Ray {start:.4f} to {end:.4f}"
    return RuleResult("R-POLAR", reading, label, table, evidence, reason, main.name, main.note)


def _joint(labels: pd.Series, both: bool) -> trends.Label:
    kinds = set(labels)
    if len(kinds) == 1:
        return kinds.pop()
    moving = kinds - {"STABLE"}
    return "STABLE" if both or len(moving) != 1 else moving.pop()
