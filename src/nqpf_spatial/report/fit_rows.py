"""Rows below the coefficients of a comparison: W, effects, n, likelihood."""

from __future__ import annotations

from collections.abc import Sequence

from nqpf_spatial.report.grid import Cell, Row, count, number
from nqpf_spatial.report.readings import Reading
from nqpf_spatial.report.table_words import level_name, say

_COUNTS = ("units", "periods", "nobs", "n", "instruments")
#: decimals of likelihoods and F statistics, which are large numbers
_FEW = 2


def fit_rows(readings: Sequence[Reading], groups: Sequence[str], digits: int, lang: str) -> list[Row]:
    """Rows of the last block; those that no result has are left out."""
    head = say("Fit", lang)
    rows = [Row(head, say("w", lang), tuple(Cell(" + ".join(r.facts["w names"])) for r in readings))]
    for level in dict.fromkeys(level for r in readings for level in r.levels):
        cells = tuple(Cell(say(r.levels[level], lang) if level in r.levels else "") for r in readings)
        rows.append(Row(head, say("effects row", lang, level=level_name(level, lang)), cells))
    estimators = [str(r.facts["estimator"]) for r in readings]
    if set(estimators) != {"ML"}:
        rows.append(Row(head, say("estimator", lang), tuple(map(Cell, estimators))))
    for key in (
        "units",
        "periods",
        "nobs",
        "n",
        "instruments",
        "first stage",
        "r2",
        "llf",
        "log marginal",
        "aic",
        "bic",
    ):
        places = _FEW if key in ("llf", "log marginal", "aic", "bic", "first stage") else digits
        values = [r.facts.get(key) for r in readings]
        cells = tuple(Cell() if v is None else count(v) if key in _COUNTS else number(v, places) for v in values)
        rows.append(Row(head, say(key, lang), cells))
    if len(set(groups) - {""}) > 1:
        rows.append(Row(head, say("group", lang), tuple(map(Cell, groups))))
    return [row for row in rows if any(cell.text for cell in row.cells)]
