"""Pieces 10 to 12: the specification changed in one respect at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from nqpf_spatial import provinces
from nqpf_spatial.models.diagnostics import lr_test
from nqpf_spatial.models.impacts.inference import EFFECTS
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.models.selection import align_units
from nqpf_spatial.report.compare import Comparison, compare
from nqpf_spatial.report.grid import Table
from nqpf_spatial.report.paper.document import Piece
from nqpf_spatial.report.paper.request import Request
from nqpf_spatial.report.paper.tables import REFUSALS, heading, intervals, piece
from nqpf_spatial.report.paper.transform import lagged, winsorised
from nqpf_spatial.report.paper.words import say
from nqpf_spatial.report.table_words import say as say_table
from nqpf_spatial.report.words import word

MUNICIPALITIES = ("Beijing", "Tianjin", "Shanghai", "Chongqing")
SCHEMES = ("block", "north_south", "hub", "cluster")


@dataclass(frozen=True)
class Variant:
    """One column of the robustness table, or the reason why there is none."""

    name: str
    fit: SpatialFit | None = None
    note: str = ""
    why: str = ""


def check_units(request: Request) -> None:
    """Refuse units in drop= and heterogeneity= that the sample does not have, and groups that are none."""
    for name, units in (request.drop or {}).items():
        align_units(units, request.design.units, f"drop={name!r}")
    if request.heterogeneity is not None and (request.provincial or not isinstance(request.heterogeneity, str)):
        _groups(request)


def _only_effects(found: Comparison, request: Request) -> Table:
    """Effects and spatial parameters of a comparison; its frame keeps the coefficients."""
    hidden = {say_table(block, request.lang) for block in ("Main", "Wx", "Variance")}
    table = found.table
    rows = tuple(row for row in table.rows if row.block not in hidden)
    return replace(table, rows=rows, notes=(*table.notes, say("note effects only", request.lang)))


def _compare(fits: Mapping[str, SpatialFit], request: Request, **options: Any) -> Comparison:
    style = {
        "digits": request.digits,
        "lang": request.lang,
        "alpha": request.alpha,
        "labels": request.labels,
        **options,
    }
    return compare(fits, show="both", **style)


# -- robustness ----------------------------------------------------------------------------------------------


def robustness(request: Request) -> Piece:
    """Other W, lagged regressors, winsorised variables, without some units."""
    found = [*_other_weights(request), _lagged(request), _winsorised(request), *_without(request)]
    lacking = {variant.name: variant.why for variant in found if variant.fit is None}
    made = [variant for variant in found if variant.fit is not None]
    if not made:
        title = heading("robustness", request)
        return Piece("robustness", title, why=say("why no variants", request.lang), lacking=lacking)
    fits = {say("base", request.lang): request.fit, **{v.name: v.fit for v in made if v.fit is not None}}
    table = _only_effects(_compare(fits, request), request)
    table = replace(table, notes=(*table.notes, *(v.note for v in made if v.note)))
    caption = say("figure robustness", request.lang, what=request.label(request.of_interest))
    return piece("robustness", request, table, figure=_curve(fits, request), caption=caption, lacking=lacking)


def _curve(fits: Mapping[str, SpatialFit], request: Request) -> Any:
    """The effects of the regressor of interest in every column."""
    rows = []
    for name, fit in fits.items():
        table = fit.impacts(alpha=request.alpha).table
        if request.of_interest in table.index:
            rows += [{"panel": e, "row": name, **table.loc[request.of_interest, e]} for e in EFFECTS]
    frame = pd.DataFrame(rows)
    return intervals(frame, request) if rows else None


def _tried(name: str, make: Callable[[], SpatialFit], note: str) -> Variant:
    try:
        return Variant(name, make(), note)
    except REFUSALS as error:
        return Variant(name, why=str(error))


def _other_weights(request: Request) -> list[Variant]:
    if not request.weights:
        return [Variant(say("part weights", request.lang), why=say("why no weights", request.lang))]
    return [
        _tried(name, lambda w=w: request.refit(w=w), say("note weights", request.lang, name=name, w=w.name))  # type: ignore[misc]
        for name, w in request.weights.items()
    ]


def _lagged(request: Request) -> Variant:
    part = say("part lag", request.lang)
    if not request.lag or not request.panel:
        return Variant(part, why=say("why no lag" if request.panel else "why cross lag", request.lang))
    found = lagged(request)
    if isinstance(found, str):
        return Variant(part, why=found)
    data, start, lost = found
    name = say("lagged", request.lang, k=request.lag)
    note = say(
        "note lag lost" if lost else "note lag kept", request.lang, name=name, k=request.lag, start=start, lost=lost
    )
    return _tried(name, lambda: request.refit(data=data, years=(start, request.design.periods[-1])), note)


def _winsorised(request: Request) -> Variant:
    if not request.winsorize:
        return Variant(say("part winsorize", request.lang), why=say("why no winsor", request.lang))
    p = request.winsorize
    name = say("winsorised", request.lang, p=f"{100 * p:g}%")
    data, changed = winsorised(request)
    comma = "，" if request.lang == "zh" else ", "
    cells = comma.join(f"{request.known.get(v, v)} {count}" for v, count in changed.items())
    note = say("note winsor", request.lang, name=name, low=f"{100 * p:g}%", high=f"{100 * (1 - p):g}%", cells=cells)
    return _tried(name, lambda: request.refit(data=data), note)


def _without(request: Request) -> list[Variant]:
    drop = request.drop
    if drop is None and not request.provincial:
        return [Variant(say("part drop", request.lang), why=say("why drop provinces", request.lang))]
    if drop is None:
        absent = {provinces.resolve(m) for m in MUNICIPALITIES}.isdisjoint(map(provinces.resolve, request.design.units))
        if absent:
            who = ", ".join(MUNICIPALITIES)
            return [Variant(say("part drop", request.lang), why=say("why drop absent", request.lang, who=who))]
        here = {provinces.resolve(unit) for unit in request.design.units}
        drop = {say("municipalities", request.lang): [m for m in MUNICIPALITIES if provinces.resolve(m) in here]}
    if not drop:
        return [Variant(say("part drop", request.lang), why=say("why no drop", request.lang))]
    return [_dropped(name, list(units), request) for name, units in drop.items()]


def _dropped(name: str, units: list[Hashable], request: Request) -> Variant:
    """The specification without some units; names that are no unit are an error of the caller."""
    everyone = request.design.units
    out = align_units(units, everyone, f"drop={name!r}")
    keep = [unit for i, unit in enumerate(everyone) if i not in out]
    who = ("、" if request.lang == "zh" else ", ").join(request.unit_label(everyone[i]) for i in sorted(out))
    data = request.data[request.data.index.get_level_values(0).isin(keep)]
    note = say("note drop", request.lang, name=name, who=who)
    return _tried(name, lambda: request.refit(data=data, w=request.w.subset(keep)), note)


# -- heterogeneity -------------------------------------------------------------------------------------------


def heterogeneity(request: Request) -> Piece:
    """The regressor of interest once per group of units."""
    lang, title = request.lang, heading("heterogeneity", request)
    if request.heterogeneity is None:
        return Piece("heterogeneity", title, why=say("why no groups", lang))
    if isinstance(request.heterogeneity, str) and not request.provincial:
        why = say("why groups provinces", lang, scheme=request.heterogeneity)
        return Piece("heterogeneity", title, why=why)
    groups = _groups(request)
    names = list(dict.fromkeys(groups.values()))
    if len(names) == 1:
        return Piece("heterogeneity", title, why=say("why one group", lang, group=names[0]))
    data, columns = _per_group(request, groups, names)
    focus = request.of_interest
    apart = request.refit(
        formula=request.with_terms(request.left, [focus], list(columns.values())),
        data=data,
        **_lags(request, [focus], list(columns.values())),
    )
    nested = request.refit(
        formula=request.with_terms(request.left, [], list(columns.values())[1:]),
        data=data,
        **_lags(request, [], list(columns.values())[1:]),
    )
    labels = {**request.labels, **{c: f"{request.label(focus)}: {word(str(g), lang)}" for g, c in columns.items()}}
    both = _compare({say("base", lang): request.fit, say("by group", lang): apart}, request, labels=labels)
    test = lr_test(nested, request.fit)
    p = "< 0.0001" if test.pvalue < 1e-4 else f"{test.pvalue:.4f}"
    sizes = {g: sum(v == g for v in groups.values()) for g in names}
    listed = ("，" if lang == "zh" else ", ").join(f"{word(str(g), lang)} ({k})" for g, k in sizes.items())
    equality = say("note equality", lang, statistic=f"{test.statistic:.4f}", df=test.df, p=p).replace("= <", "<")
    table = _only_effects(both, request)
    notes = (*table.notes, say("note groups", lang, groups=listed, what=request.label(focus)), equality)
    return piece("heterogeneity", request, replace(table, notes=notes))


def _lags(request: Request, gone: list[str], new: list[str]) -> dict[str, Any]:
    """durbin= of the specification with the group's columns in place of the regressor."""
    durbin = request.options.get("durbin")
    if durbin is None:
        return {}
    lagged_too = request.of_interest in durbin
    return {"durbin": [*(d for d in durbin if d not in gone), *(new if lagged_too else [])]}


def _groups(request: Request) -> dict[Hashable, Hashable]:
    """Unit -> group, groups in the order of the register or of their names."""
    units, chosen = request.design.units, request.heterogeneity
    if isinstance(chosen, str):
        if chosen not in SCHEMES:
            raise ValueError(
                f"heterogeneity={chosen!r} is no grouping; choose one of {', '.join(SCHEMES)} or a mapping"
            )
        found: dict[Hashable, Hashable] = {u: provinces.group_of(u, chosen) for u in units}  # type: ignore[arg-type]
        order: list[Hashable] = [g for g in provinces.groups(chosen) if g in found.values()]  # type: ignore[arg-type]
    else:
        given = dict(chosen.items()) if chosen is not None else {}
        place = align_units(given, units, "heterogeneity=")
        absent = [str(u) for i, u in enumerate(units) if i not in place]
        if absent:
            raise ValueError(f"heterogeneity= has no group for {', '.join(absent)}")
        found = {u: given[place[i]] for i, u in enumerate(units)}
        order = sorted(set(found.values()), key=str)
    return {u: g for group in order for u, g in found.items() if g == group}


def _per_group(
    request: Request, groups: Mapping[Hashable, Hashable], names: list[Hashable]
) -> tuple[pd.DataFrame, dict[Hashable, str]]:
    """The sample with one column per group: the regressor inside the group, zero outside."""
    design = request.design
    values = design.series(request.regressors[request.of_interest], "x")
    member = pd.Series([groups[u] for u in design.units], index=pd.Index(design.units))
    rows = values.index.get_level_values(0)
    base = "".join(c if c.isalnum() else "_" for c in request.of_interest)
    columns: dict[Hashable, str] = {}
    data = request.data.loc[_in_sample(request)].copy()
    for i, group in enumerate(names, start=1):
        tail = str(group) if str(group).isidentifier() else str(i)
        columns[group] = f"{base}_{tail}"
        if columns[group] in data.columns:
            raise ValueError(f"the data have a column {columns[group]!r} already: rename it")
        inside = (member.reindex(rows) == group).to_numpy()
        data[columns[group]] = values.where(inside, 0.0).reindex(data.index)
    return data, columns


def _in_sample(request: Request) -> np.ndarray:
    """Rows of the data that the fit uses."""
    if len(request.design.levels) == 1:
        return np.ones(len(request.data), dtype=bool)
    return np.asarray(request.data.index.get_level_values(1).isin(request.design.periods))


# -- mechanism -----------------------------------------------------------------------------------------------


def mediators(request: Request) -> list[str]:
    """Names of the mediators."""
    given = (request.mechanism or {}).get("mediator", ())
    return [given] if isinstance(given, str) else list(given)


def mechanism(request: Request) -> Piece:
    """Outcome on regressors, mediator on regressors, outcome on both."""
    lang = request.lang
    names = mediators(request)
    if not names:
        return Piece("mechanism", heading("mechanism", request), why=say("why no mediator", lang))
    fits, lacking = {say("step total", lang): request.fit}, {}
    extra = (lambda m: {"durbin": [*request.options["durbin"], m]}) if request.options.get("durbin") else (lambda m: {})
    for i, name in enumerate(names):
        steps = {
            say("step mediator", lang, n=2 * i + 2): (request.with_terms(name), {}),
            say("step both", lang, n=2 * i + 3): (request.with_terms(request.left, add=[name]), extra(name)),
        }
        for head, (formula, more) in steps.items():
            try:
                fits[head] = request.refit(formula=formula, **more)
            except REFUSALS as error:
                lacking[say("column", lang, name=f"{head} {request.label(name)}")] = str(error)
    table = _only_effects(_compare(fits, request, keep=[request.of_interest, *names] if len(fits) > 1 else ()), request)
    notes = (*table.notes, say("note mechanism", lang))
    return piece("mechanism", request, replace(table, notes=notes), lacking=lacking)
