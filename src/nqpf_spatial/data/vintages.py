"""Guard against combining levels of different GDP vintages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nqpf_spatial.errors import DataSourceError

_AFTER_5TH = (
    *("gdp", "gdp_real", "va_primary", "va_secondary", "va_tertiary", "va_industry", "va_construction"),
    *("va_trade", "va_transport_post", "va_hotels", "va_finance", "va_real_estate", "va_other_services"),
)
_AFTER_4TH = (
    *("gdp_v2023", "va_primary_v2023", "va_secondary_v2023", "va_tertiary_v2023"),
    *("va_industry_v2023", "va_finance_v2023"),
    # the income items sum to gdp_v2023 in every year (tests/data), not to gdp_v2018
    *("labour_compensation", "depreciation", "net_production_tax", "operating_surplus"),
)
_BEFORE_4TH = (
    *("gdp_v2018", "final_consumption", "household_consumption", "gross_capital_formation"),
    *("net_outflow_goods_services", "gfcf"),
)
VINTAGES: dict[str, str] = {
    **dict.fromkeys(_AFTER_5TH, "after the 5th economic census"),
    **dict.fromkeys(_AFTER_4TH, "after the 4th economic census"),
    **dict.fromkeys(_BEFORE_4TH, "before the 4th economic census"),
}
"""Level variables of the national accounts -> their vintage. Indices, ratios and chained stocks have none."""


def check_vintages(columns: str | Iterable[str]) -> None:
    """Refuse an expression that combines levels of different GDP vintages.

    Parameters
    ----------
    columns : str or iterable of str
        Names of the columns that are combined; or an expression such as ``"va_secondary / gdp"``; or a model
        formula (it contains ``~``), of which each term is checked by itself: two ratios, each inside its own
        vintage, may stand side by side.

    Raises
    ------
    DataSourceError
        Levels of different vintages are combined; the message names the pairs.

    Notes
    -----
    Each economic census revises the whole history of provincial GDP: the vintage after the 4th census stands
    0.67 to 1.13 times that before it in 2017. A ratio across vintages measures the revision.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.data.check_vintages("y ~ I(va_secondary_v2023 / gdp_v2023) + np.log(gdp)")
    >>> nq.data.check_vintages(["va_secondary_v2023", "gdp"])
    Traceback (most recent call last):
        ...
    nqpf_spatial.errors.DataSourceError: levels of different GDP vintages are combined: gdp (after the 5th ...
    """
    if isinstance(columns, str):
        parts = _terms(columns) if "~" in columns else [columns]
        combined = [re.findall(r"[^\W\d]\w*", part) for part in parts]
    else:
        combined = [list(columns)]
    clashes: dict[str, None] = {}
    for names in combined:
        levels = sorted({name for name in names if name in VINTAGES})
        for i, a in enumerate(levels):
            for b in levels[i + 1 :]:
                if VINTAGES[a] != VINTAGES[b]:
                    clashes[f"{a} ({VINTAGES[a]}) with {b} ({VINTAGES[b]})"] = None
    if clashes:
        raise DataSourceError(
            f"levels of different GDP vintages are combined: {'; '.join(clashes)}. Divide each by the GDP of "
            "its own vintage: va_x / gdp, va_x_v2023 / gdp_v2023, gfcf / gdp_v2018; for real growth chain "
            "gdp with gdp_index"
        )


def _terms(formula: str) -> list[str]:
    """Split a model formula at ``~``, ``|`` and ``+`` outside brackets."""
    terms, depth = [""], 0
    for character in formula:
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and character in "~|+":
            terms.append("")
        else:
            terms[-1] += character
    return terms
