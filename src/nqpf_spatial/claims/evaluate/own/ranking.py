"""WU-P2 (R-OWN): which candidate has the largest standardised total effect?

Readings fixed before any verdict was computed:

* Total effect times the standard deviation of the regressor over that of the outcome, both after province and year
  effects are taken out, since only that variation identifies the effects. The largest is the largest with its sign.
* drop_schooling runs on the window its text states; the second half of alt_schooling needs series of 2010 and 2020.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.own.engine import Adjust, Criterion, Measured, noted, reading, word
from nqpf_spatial.claims.evaluate.own.models import ModelSetting, fit_durbin, of_mech, specification, start, unique
from nqpf_spatial.claims.evaluate.specification import data_of
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import own_series as rules
from nqpf_spatial.claims.rules.mech import minimum_detectable_effect
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.kernels.moments import remove_effects

if TYPE_CHECKING:
    import pandas as pd


def within_sd(column: pd.Series) -> float:
    """Standard deviation once province and year means are taken out.

    Examples
    --------
    >>> import pandas as pd
    >>> at = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["province", "year"])
    >>> within_sd(pd.Series([1.0, 2.0, 3.0, 6.0], at))
    0.5
    """
    return float(remove_effects(column.unstack("province").to_numpy(), True, True).std())


def ranking(claim: Claim, ctx: Context, setting: ModelSetting) -> Measured:
    """Standardised total effects of the candidates."""
    import pandas as pd

    spec = setting.spec
    notes: list[str] = []
    with noted(notes):
        fit = fit_durbin(ctx, spec)
        table = fit.impacts(method="delta", alpha=ctx.register.threshold("R-MECH", "alpha")).table
    data = data_of(ctx, spec)
    scale = {x: within_sd(data[x]) / within_sd(data[spec.outcome]) for x in spec.regressors}
    rows = {
        x: {
            "total": float(table.loc[x, ("total", "estimate")]),
            "standardised": float(table.loc[x, ("total", "estimate")]) * scale[x],
            "se": float(table.loc[x, ("total", "se")]) * scale[x],
            "p": float(table.loc[x, ("total", "p")]),
        }
        for x in spec.regressors
    }
    effects = pd.DataFrame.from_dict(rows, orient="index").rename_axis("candidate")
    (focus,) = spec.focus
    lead = float(effects.loc[focus, "standardised"] - effects["standardised"].drop(focus).max())
    sample = {
        "formula": spec.formula,
        "years": f"{spec.years[0]}-{spec.years[-1]}",
        "provinces": fit.w.n if fit.w else 0,
        "n": int(fit.nobs),
    }
    weights = {str(spec.w): fit.w.checksum} if fit.w else {}
    return Measured(
        (effects, focus),
        lead,
        int(fit.nobs),
        sample,
        tables={"effects": effects},
        weights=weights,
        notes=unique(notes),
    )


def ranking_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Every candidate, and the lead of the one the claim is about."""
    effects, focus = found.numbers
    best, worst = effects["standardised"].idxmax(), effects["standardised"].idxmin()
    return [
        Evidence(
            f"standardised total effect of {x}",
            float(row["standardised"]),
            float(row["se"]),
            p=float(row["p"]),
            mde=minimum_detectable_effect(float(row["se"]), limits["alpha"]),
            reading=word(x == focus == best, x == focus == worst),
            checks={"total": float(row["total"])},
        )
        for x, row in effects.iterrows()
    ]


def _without_schooling(claim: Claim, ctx: Context) -> list[tuple[str, Any]]:
    """Three candidates on the window the variant states."""
    text = str(ctx.register.variants["drop_schooling"]["text"])
    found = re.fullmatch(r"without (\w+), (\d{4})-(\d{4})", text)
    if found is None:
        raise DataSourceError(f"the variant drop_schooling states no series and window: {text!r}")
    name, first, last = found.groups()
    spec = specification(claim, ctx)
    kept = tuple(r for r in spec.regressors if r != name)
    return [(text, ModelSetting(replace(spec, regressors=kept, years=tuple(range(int(first), int(last) + 1)))))]


def _other_schooling(claim: Claim, ctx: Context) -> list[tuple[str, Any]]:
    """Another series of schooling, in the years of the window in which it exists for every province."""
    spec = specification(claim, ctx)
    out: list[tuple[str, Any]] = []
    for new in ("college_share", "mean_years_schooling"):
        years = tuple(y for y in spec.years if y in ctx.complete_years(new))
        swapped = tuple(new if r == "schooling_years" else r for r in spec.regressors)
        out.append((f"{new} for schooling_years", ModelSetting(replace(spec, regressors=swapped, years=years))))
    return out


def ranking_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """The criterion ranks; the level of the detectable effects is that of R-MECH."""
    return {"alpha": ctx.register.threshold("R-MECH", "alpha")}


RANKING = Criterion(
    limits=ranking_limits,
    measure=ranking,
    rule=lambda found, adjust, limits: rules.first_of(found.numbers[0]["standardised"].to_dict(), found.numbers[1]),
    evidence=ranking_evidence,
    variants={
        **{v: of_mech(v) for v in ("w_others", "no_tibet", "alt_digital", "alt_solow")},
        "drop_schooling": _without_schooling,
        "alt_schooling": _other_schooling,
    },
    mde_note="of every effect: (z[1 - alpha/2] + z[0.8]) * delta-method standard error; the ranking itself has no test",
    start=start,
)

#: claims decided here
READINGS: Mapping[str, ClaimReading] = {"WU-P2": reading(RANKING)}
