"""Records and tables of the numbers a criterion looked at."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.annual import Series, annual, cells, measures, trend_parameters
from nqpf_spatial.claims.evaluate.comparisons import Comparison, by_year, difference
from nqpf_spatial.claims.evaluate.names_zh import compared_zh, describe_zh
from nqpf_spatial.claims.evaluate.view import describe
from nqpf_spatial.claims.record import Evidence, Reading
from nqpf_spatial.claims.rules import level
from nqpf_spatial.claims.rules.clauses import Adjust, Clause, ends, raw
from nqpf_spatial.claims.rules.criterion import Criterion
from nqpf_spatial.claims.rules.trend import Measure, Moving, Trend, joint_label, label_of

if TYPE_CHECKING:
    import pandas as pd


def _holding(clause: Clause, adjust: Adjust, measure: Measure | None) -> bool:
    """Whether an end holds; for a trend, whether one of its measures carries the label."""
    if measure is not None and isinstance(clause, Trend | Moving):
        label = label_of(measure.change_pct, adjust(measure.p), clause.parameters)
        return label == clause.wanted if isinstance(clause, Trend) else label != "STABLE"
    return clause.holds(adjust)


def reading(criterion: Criterion, key: Hashable, adjust: Adjust, measure: Measure | None = None) -> Reading:
    """How the criterion reads one number alone.

    Parameters
    ----------
    criterion : Criterion
    key : hashable
        What was computed.
    adjust : callable
    measure : Measure, optional
        One measure of a trend.

    Returns
    -------
    {"support", "contradict", "neither"}
        What must be absent speaks for the side that asks for its absence.
    """
    sides: tuple[tuple[Reading, Clause], ...] = (("support", criterion.support), ("contradict", criterion.contradict))
    for must in (True, False):
        for side, clause in sides:
            own = [c for c, positive in ends(clause) if positive is must and c.key == key]
            if own and any(_holding(c, adjust if must else raw, measure) is must for c in own):
                return side
    return "neither"


def trend_rows(ctx: Context, key: Series, adjust: Adjust, criterion: Criterion) -> list[Evidence]:
    """One record per measure of an annual series: change in percent, Sen's interval, p-values."""
    alpha = trend_parameters(ctx)["alpha"]
    years = key.sample.years
    return [
        Evidence(
            what=f"{m.name}, {describe(key)}, change in percent {years[0]}-{years[-1]}",
            estimate=m.change_pct,
            lower=m.lower_pct,
            upper=m.upper_pct,
            level=1.0 - alpha,
            statistic=m.statistic,
            p=m.p,
            p_holm=adjust(m.p),
            mde=m.detectable_pct,
            reading=reading(criterion, key, adjust, m),
            checks={"slope": m.slope, "years": float(m.n)},
        )
        for m in measures(ctx, key)
    ]


def level_row(ctx: Context, key: Comparison, adjust: Adjust, criterion: Criterion) -> Evidence:
    """Record of a difference between groups: one-sided p-value in the stated direction."""
    parameters = ctx.register.rules["R-LEVEL"].parameters
    d = difference(ctx, key)
    return Evidence(
        what=f"{d.name}, {d.year}",
        estimate=d.estimate,
        se=d.sd,
        p=d.p_above,
        p_holm=adjust(d.p_above),
        mde=level.detectable(d, parameters),
        reading=reading(criterion, key, adjust),
        checks={
            "p_below": d.p_below,
            "same_sign_every_year": float(d.same_sign),
            "provinces_above": float(d.above),
            "provinces_below": float(d.below),
        },
    )


def rows(ctx: Context, criterion: Criterion, beside: Iterable[Hashable], adjust: Adjust) -> tuple[Evidence, ...]:
    """Records of everything the criterion looked at, then of what stands beside and never decides."""
    out: list[Evidence] = []
    shown = tuple(beside)
    for key in (*criterion.keys(), *shown):
        own: list[Evidence] = []
        if isinstance(key, Series):
            own = trend_rows(ctx, key, adjust, criterion)
        elif isinstance(key, Comparison):
            own = [level_row(ctx, key, adjust, criterion)]
        out += [replace(e, counted=False, reading="neither", p_holm=None) for e in own] if key in shown else own
    return tuple(out)


def tables(ctx: Context, keys: Iterable[Hashable], adjust: Adjust) -> dict[str, pd.DataFrame]:
    """Annual series, their trends, differences by year."""
    import pandas as pd

    every = tuple(dict.fromkeys(keys))
    series = [k for k in every if isinstance(k, Series)]
    levels = [k for k in every if isinstance(k, Comparison)]
    out: dict[str, pd.DataFrame] = {}
    if series:
        parts = {describe(k): annual(ctx, k) for k in series}
        out["series"] = pd.concat(parts, axis=1, names=["series", "measure"]).sort_index()
        out["series"].attrs["titles_zh"] = {describe(k): describe_zh(k) for k in series}
        out["trends"] = _trend_table(ctx, series, adjust)
    if levels:
        out["differences"] = pd.concat({k.name: by_year(ctx, k) for k in levels}, axis=1).sort_index()
        out["differences"].index.name = "year"
        out["differences"].attrs["titles_zh"] = {k.name: compared_zh(k) for k in levels}
    return out


def _trend_table(ctx: Context, keys: Iterable[Series], adjust: Adjust) -> pd.DataFrame:
    """Label, change and p-values of every measure, and the joint label of its series (after the correction)."""
    import pandas as pd

    parameters = trend_parameters(ctx)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for k in keys:
        own = measures(ctx, k)
        for m in own:
            found[(describe(k), m.name)] = {
                "series_label": joint_label(own, parameters, adjust),
                "label": label_of(m.change_pct, m.p, parameters),
                "label_corrected": label_of(m.change_pct, adjust(m.p), parameters),
                "change_pct": m.change_pct,
                "slope": m.slope,
                "p": m.p,
                "p_holm": adjust(m.p),
                "years": m.n,
                "test": m.note,
            }
    return pd.DataFrame.from_dict(found, orient="index").rename_axis(["series", "measure"])


def sample(ctx: Context, keys: Iterable[Hashable]) -> dict[str, Any]:
    """Years and provinces of every variable that was looked at."""
    out: dict[str, Any] = {}
    for k in keys:
        rows = getattr(k, "sample", None)
        if rows is None:
            continue
        first, last = rows.years[0], rows.years[-1]
        gaps = [str(y) for y in range(first, last + 1) if y not in rows.years]
        part = getattr(k, "quantity", "") not in ("share", "relative")
        n = cells(ctx, k.variable, rows, only_of=part).index.unique("province").size  # type: ignore[attr-defined]
        of = f" of {', '.join(rows.of)}" if part and rows.of else ""
        text = f"{first}-{last}{' without ' + ', '.join(gaps) if gaps else ''}, {n} provinces{of}"
        known = out.get(k.variable, "")  # type: ignore[attr-defined]
        if text not in known:
            out[k.variable] = f"{known}; {text}" if known else text  # type: ignore[attr-defined]
    return out


def notes(ctx: Context, keys: Iterable[Hashable]) -> tuple[str, ...]:
    """Series for which the Hamed-Rao correction does not exist, so that the plain variance stands in."""
    out = []
    for k in keys:
        if isinstance(k, Series):
            out += [f"{m.name}, {describe(k)}: {m.note}" for m in measures(ctx, k) if m.note.startswith("plain")]
    return tuple(out)
