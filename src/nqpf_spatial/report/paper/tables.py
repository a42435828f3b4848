"""Pieces 1 to 9: what the data and the baseline are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nqpf_spatial.errors import AlignmentError, ConvergenceError, IdentificationError, PanelError
from nqpf_spatial.fonts import typeface
from nqpf_spatial.kernels.moments import remove_effects
from nqpf_spatial.models.diagnostics import Diagnosis, Test
from nqpf_spatial.models.impacts.inference import EFFECTS
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.report.compare import compare
from nqpf_spatial.report.figures import effects as draw_effects
from nqpf_spatial.report.grid import Table
from nqpf_spatial.report.paper.document import Piece
from nqpf_spatial.report.paper.request import Request
from nqpf_spatial.report.paper.words import note_of, say, scope_of
from nqpf_spatial.report.tables import table as print_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: what data, W or model may not allow
REFUSALS = (AlignmentError, PanelError, IdentificationError, ConvergenceError)


def heading(name: str, request: Request) -> str:
    """Title of a piece."""
    if name == "heterogeneity":
        return say(name, request.lang, what=request.label(request.of_interest))
    return say(name, request.lang)


def piece(name: str, request: Request, table: Table, **parts: Any) -> Piece:
    """A piece whose table carries its title."""
    title = heading(name, request)
    return Piece(name, title, replace(table, title=title), **parts)


def _frame(
    frame: pd.DataFrame, request: Request, notes: Sequence[str], labels: Mapping[str, str] | None = None
) -> Table:
    """A frame for print, its columns under their heads."""
    heads = {str(c): say(str(c), request.lang) for c in frame.columns}
    return print_table(frame, digits=request.digits, lang=request.lang, labels={**heads, **(labels or {})}, notes=notes)


# -- the data ------------------------------------------------------------------------------------------------


def descriptive(request: Request) -> Piece:
    """Moments of outcome and regressors, and variance inflation factors of the regressors."""
    columns = {request.design.outcome: request.design.y, **request.regressors}
    rows = {name: _moments(values) for name, values in columns.items()}
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("variable")
    frame["N"] = frame["N"].astype(int)
    names, x = list(request.regressors), np.stack(list(request.regressors.values()))
    frame["VIF"] = pd.Series(_inflation(x, constant=True), index=names)
    design = request.design
    if design.unit or design.time:
        within = remove_effects(x, design.unit, design.time)
        frame["VIF within"] = pd.Series(_inflation(within, constant=False), index=names)
    labels = {name: request.label(name) for name in columns}
    return piece("descriptive", request, _frame(frame, request, [say("note descriptive", request.lang)], labels))


def _moments(values: np.ndarray) -> dict[str, float]:
    flat = pd.Series(values.ravel())
    return {
        "N": flat.size,
        "mean": flat.mean(),
        "sd": flat.std(ddof=1),
        "min": flat.min(),
        "p50": flat.median(),
        "max": flat.max(),
    }


def _inflation(x: np.ndarray, *, constant: bool) -> list[float]:
    """Variance inflation factors by statsmodels; one regressor alone is not inflated."""
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    k = x.shape[0]
    if k == 1:
        return [1.0]
    exog = x.reshape(k, -1).T
    exog = np.column_stack([exog, np.ones(len(exog))]) if constant else exog
    return [float(variance_inflation_factor(exog, i)) for i in range(k)]


def moran(request: Request) -> Piece:
    """Moran's I of the outcome in every period."""
    from nqpf_spatial.divergence.space import moran_by_year

    lang = request.lang
    found = moran_by_year(request.outcome, request.w, permutations=request.permutations, seed=request.seed)
    note = say("note moran", lang, w=found.weights, permutations=found.permutations, seed=found.seed)
    figure = _drawn(lambda: found.plot(lang=lang).get_figure(), lang) if request.panel else None
    labels = {} if request.panel else {str(key): say("all units", lang) for key in found.table.index}
    return piece(
        "moran",
        request,
        _frame(found.table, request, [note], labels),
        figure=figure,
        caption=say("figure moran", lang),
    )


def _drawn(draw: Callable[[], Any], lang: str) -> Figure:
    """A figure that no list of open figures keeps."""
    import matplotlib.pyplot as plt

    with typeface(lang):
        figure: Figure = draw()
    plt.close(figure)
    return figure


def lisa(request: Request) -> Piece:
    """Local Moran clusters of the outcome in every period, on maps where there are shapes."""
    from nqpf_spatial.divergence.space import lisa_by_year

    lang = request.lang
    found = lisa_by_year(
        request.outcome, request.w, permutations=request.permutations, seed=request.seed, alpha=request.alpha
    )
    n = request.design.shape[1]
    notes = [
        say(
            "note lisa", lang, w=found.weights, permutations=found.permutations, seed=found.seed, n=n,
            alpha=f"{found.alpha:g}", chance=f"{n * found.alpha:.1f}",
        ),
        *_members(found.clusters().iloc[:, -1], request),
    ]  # fmt: skip
    figure, lacking = _cluster_map(found, request)
    labels = {} if request.panel else {str(key): say("all units", lang) for key in found.table.index}
    printed = replace(_frame(found.table, request, notes, labels), numbers=found.cells)
    return piece("lisa", request, printed, figure=figure, caption=say("figure lisa", lang), lacking=lacking)


def _members(last: pd.Series, request: Request) -> list[str]:
    """Which units the clusters of the last period are made of."""
    key, when = ("note members", {"when": last.name}) if request.panel else ("note members cross", {})
    comma = "、" if request.lang == "zh" else ", "
    found = []
    for quadrant in ("HH", "LL", "LH", "HL"):
        units = [request.unit_label(unit) for unit in last.index[last == quadrant]]
        if units:
            head = say(quadrant, request.lang)
            found.append(say(key, request.lang, quadrant=head, who=comma.join(units), **when))
    return found


def _cluster_map(found: Any, request: Request) -> tuple[Figure | None, dict[str, str]]:
    part = say("map", request.lang)
    if request.geometry is None and not request.provincial:
        return None, {part: say("why map", request.lang)}
    times = list(found.clusters().columns)
    shown = list(dict.fromkeys([times[0], times[(len(times) - 1) // 2], times[-1]]))
    try:
        draw = lambda: found.plot(lang=request.lang, years=shown, ncols=3, geometry=request.geometry)
        return _drawn(draw, request.lang), {}
    except ImportError:
        return None, {part: say("why map extra", request.lang)}
    except AlignmentError as error:
        return None, {part: str(error)}


# -- tests ---------------------------------------------------------------------------------------------------


def lm(request: Request) -> Piece:
    """LM tests of the regression without spatial terms, pooled and with the effects of the specification."""
    return _tests("lm", request, lambda test: test.group == "lm")


def hausman(request: Request) -> Piece:
    """Hausman's and Mundlak's tests."""
    return _tests("hausman", request, lambda test: test.key in ("hausman", "mundlak"), panel=True)


def effects(request: Request) -> Piece:
    """LR tests of unit and time effects."""
    return _tests("effects", request, lambda test: test.key in ("lr_unit", "lr_time"), panel=True)


def degeneration(request: Request) -> Piece:
    """LR and Wald tests of simpler models."""
    found = _tests("degeneration", request, lambda test: test.key in ("lr", "wald"))
    if found.table is None and not found.why:
        return replace(found, why=say("why simplest", request.lang, model=request.model))
    return found


def _tests(name: str, request: Request, wanted: Callable[[Test], bool], *, panel: bool = False) -> Piece:
    """Rows of the battery; a row without a number says why, and where no row has one the piece is missing."""
    title, lang = heading(name, request), request.lang
    if panel and not request.panel:
        return Piece(name, title, why=say("why cross effects", lang))
    tests = [test for test in request.diagnosis if wanted(test)]
    said = tuple(replace(t, scope=scope_of(t.scope, lang), note=note_of(t.note, lang)) for t in tests)
    if not any(test.computed for test in tests):
        reasons = [f"{t.names[lang == 'zh']}: {t.note}" for t in said]
        return Piece(name, title, why="; ".join(dict.fromkeys(reasons)))
    printed = print_table(Diagnosis(said, lang=lang, title=title), lang=lang)
    exact = Diagnosis(tuple(tests), lang=lang).table
    rows = tuple(replace(row, block="") for row in printed.rows)  # one group each: the title names it
    return piece(name, request, replace(printed, rows=rows, numbers=exact))


# -- the baseline --------------------------------------------------------------------------------------------


def baseline(request: Request) -> Piece:
    """The model beside OLS, SAR and SEM on the same data."""
    fits: dict[str, SpatialFit] = {}
    lacking: dict[str, str] = {}
    for model in dict.fromkeys(("OLS", "SAR", "SEM", request.model)):
        try:
            fits[model] = request.fit if model == request.model else request.refit(model=model)
        except REFUSALS as error:
            lacking[say("column", request.lang, name=model)] = str(error)
    both = compare(fits, digits=request.digits, lang=request.lang, labels=request.labels, alpha=request.alpha)
    return piece("baseline", request, both.table, lacking=lacking)


def decomposition(request: Request) -> Piece:
    """Impacts of the baseline, with a picture."""
    found = request.fit.impacts(alpha=request.alpha)
    printed = print_table(found, digits=request.digits, lang=request.lang, labels=request.labels, stars=True)
    rows = [
        {"panel": effect, "row": request.label(term), **found.table.loc[term, effect]}
        for effect in EFFECTS
        for term in found.table.index
    ]
    figure = intervals(pd.DataFrame(rows), request)
    return piece("decomposition", request, printed, figure=figure, caption=_interval_caption(request))


def _interval_caption(request: Request) -> str:
    level = f"{100 * (1 - request.alpha):g}%"
    return say("figure decomposition", request.lang).replace("95%", level)


def intervals(rows: pd.DataFrame, request: Request) -> Figure:
    """Estimates and intervals, one panel per effect; effects that the model does not have get none."""
    there = rows.groupby("panel")["upper"].transform(lambda upper: (upper != 0.0).any())
    rows = rows[there]
    known = rows.assign(panel=[say(effect, request.lang) for effect in rows["panel"]], counted=True)
    with typeface(request.lang):
        figure = draw_effects(known, lang=request.lang, level=1 - request.alpha)
        # small enough that the letters can be read between the margins of a page
        figure.set_size_inches(8.2, max(2.3, 0.34 * rows["row"].nunique() + 1.0))
        for ax in figure.axes:
            ax.locator_params(axis="x", nbins=4)
    return figure
