"""`nqpf_spatial.paper`: the pieces in their order."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from nqpf_spatial.errors import AlignmentError, ConvergenceError, IdentificationError, PanelError
from nqpf_spatial.models.naming import check_lang
from nqpf_spatial.models.parallel import _bar
from nqpf_spatial.models.results import check_alpha
from nqpf_spatial.models.spec import get_model, parse_formula
from nqpf_spatial.report.paper import tables, variants
from nqpf_spatial.report.paper.document import Paper, Piece
from nqpf_spatial.report.paper.request import Request
from nqpf_spatial.report.paper.words import PIECES, say
from nqpf_spatial.weights.core import SpatialWeights

_MAKERS: Mapping[str, Callable[[Request], Piece]] = {
    "descriptive": tables.descriptive,
    "moran": tables.moran,
    "lisa": tables.lisa,
    "lm": tables.lm,
    "hausman": tables.hausman,
    "effects": tables.effects,
    "degeneration": tables.degeneration,
    "baseline": tables.baseline,
    "decomposition": tables.decomposition,
    "robustness": variants.robustness,
    "heterogeneity": variants.heterogeneity,
    "mechanism": variants.mechanism,
}


def paper(
    formula: str,
    data: pd.DataFrame,
    w: SpatialWeights,
    *,
    model: str = "SDM",
    years: tuple[object, object] | None = None,
    weights: Mapping[str, SpatialWeights] | None = None,
    drop: Mapping[str, Sequence[Hashable]] | None = None,
    lag: int = 1,
    winsorize: float = 0.01,
    heterogeneity: str | Mapping[Any, Any] | pd.Series | None = "block",
    mechanism: Mapping[str, Any] | None = None,
    focus: str | None = None,
    geometry: Any = None,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
    title: str = "",
    digits: int = 4,
    alpha: float = 0.05,
    permutations: int = 9999,
    replicates: int = 500,
    seed: int = 0,
    progress: bool | None = None,
    **options: Any,
) -> Paper:
    """The twelve tables of an empirical paper from one specification, in one Word, LaTeX or HTML document.

    Descriptive statistics with variance inflation factors; Moran's I by period; local Moran clusters; LM tests; Hausman and
    Mundlak; LR tests of the effects; tests of simpler models; baseline with OLS, SAR and SEM beside it; direct, indirect and
    total effects; robustness; heterogeneity; mechanism. What the data or the arguments do not allow is said at its place.

    Parameters
    ----------
    formula : str
        As in `nqpf_spatial.fit`.
    data : DataFrame
        Index (unit, period), or (unit) for a cross-section.
    w : SpatialWeights
    model : {"SDM", "SAR", "SLX", "OLS", "SEM", "SDEM", "SAC", "GNS"}
    years : (first, last), optional
    weights : mapping of str to SpatialWeights, optional
        Other matrices for the robustness table.
    drop : mapping of str to sequence of units, optional
        Units to leave out in the robustness table, one column per entry; by default the four municipalities where the units are
        the Chinese provinces. ``{}`` for none.
    lag : int
        Periods by which the regressors are lagged in the robustness table; 0 for no such column.
    winsorize : float
        Share of each tail of every variable of the formula that is set to the quantile there, in the robustness table; variables
        with two values are left alone. 0 for no such column.
    heterogeneity : {"block", "north_south", "hub", "cluster"}, mapping or Series of unit to group, or None
    mechanism : mapping, optional
        ``{"mediator": name}`` or several names: columns of the data that the formula does not have.
    focus : str, optional
        Regressor of interest, for heterogeneity, mechanism and the figure of robustness; by default the first of the formula.
    geometry : GeoDataFrame or GeoSeries indexed by unit, optional
        Shapes for the cluster maps where the units are not the provinces.
    lang : {"en", "zh"}
    labels : mapping, optional
        Name of a variable -> what to print.
    title : str
    digits : int
        Decimals.
    alpha : float
        1 - level of the intervals.
    permutations, replicates, seed : int
        Of Moran's I and LISA; of the simulation in the test battery; of both.
    progress : bool, optional
        Bar on the error stream; by default in terminals only.
    **options
        Handed to every `nqpf_spatial.fit`: ``correction=``, ``vcov=``, ``durbin=``, ``effects=``.

    Returns
    -------
    Paper
        ``tables``, ``frames``, ``figures``, ``missing``; ``to_word(path)``, ``to_latex(path)``, ``to_html(path)``, ``save(folder)``.

    Raises
    ------
    ValueError
        Unknown options or names, or a mediator that the formula has already.
    AlignmentError, PanelError, IdentificationError, ConvergenceError
        The baseline itself cannot be estimated. Where a later piece fails for such a reason, the document says so at its place.

    Warns
    -----
    IdentificationWarning
        As `nqpf_spatial.fit` and `SpatialFit.diagnose` do, for every fit.

    Notes
    -----
    Nothing is computed here: tests are rows of ``fit.diagnose()``, effects those of ``fit.impacts()``, Moran statistics those of
    `nqpf_spatial.divergence`, variance inflation factors those of statsmodels, tables those of `nqpf_spatial.report`. Lags and
    winsorising are changes of the data; the notes of the table say which periods were lost and how many cells changed.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SDM", w, T=6, params={"x": 1.0, "z": 0.5, "W:x": 0.5, "rho": 0.4}, seed=1)
    >>> made = nq.paper("y ~ x + z | unit + period", data, w, permutations=99, replicates=50)
    >>> list(made.tables)[:4], dict(made.missing)["mechanism"][:30]
    (['descriptive', 'moran', 'lisa', 'lm'], 'mechanism= names no mediator; ')
    >>> bool(made.frames["baseline"].loc[("Spatial", "rho"), ("SDM", "estimate")] == made.fit.rho)
    True
    """
    check_lang(lang)
    check_alpha(alpha)
    if not isinstance(lag, int) or isinstance(lag, bool) or lag < 0:
        raise ValueError(f"lag={lag!r}: give a whole number of periods, 0 for none")
    if not 0 <= winsorize < 0.5:
        raise ValueError(f"winsorize={winsorize!r}: give the share of one tail, at least 0 and below 0.5")
    if options.get("dynamic") is not None:
        raise ValueError(
            "dynamic= is not available here: the tests and tables of the sequence are those of static models"
        )
    request = Request(
        formula, data, w, get_model(model).name, years, dict(weights or {}), drop, lag, winsorize, heterogeneity, mechanism,
        focus, geometry, lang, dict(labels or {}), digits, alpha, permutations, replicates, seed, options,
    )  # fmt: skip
    _check(request)
    pieces = []
    with _bar(progress, "paper", len(PIECES)) as advance:
        for name in PIECES:
            pieces.append(_attempt(name, request))
            advance()
    heading = title or say("document", lang, what=request.label(request.design.outcome))
    return Paper(heading, _facts(request), tuple(pieces), request.fit, request.diagnosis, lang)


def _check(request: Request) -> None:
    """Arguments that are wrong whatever the data are; the baseline is fitted here and its errors are raised."""
    wrong = [k for k, v in request.weights.items() if not isinstance(v, SpatialWeights)]
    if wrong:
        raise TypeError(
            f"weights= {', '.join(map(repr, wrong))}: pass SpatialWeights, for instance nq.weights.knn(k=4)"
        )
    if not isinstance(request.w, SpatialWeights):
        raise TypeError(f"w is a {type(request.w).__name__}: pass SpatialWeights, for instance nq.weights.contiguity()")
    unknown = set(request.mechanism or ()) - {"mediator"}
    if unknown:
        raise ValueError(f"mechanism= has {', '.join(map(repr, sorted(unknown)))}; it takes 'mediator'")
    inside = [m for m in variants.mediators(request) if m in parse_formula(request.formula).variables]
    if inside:
        raise ValueError(f"the mediator {', '.join(inside)} is in the formula already: take it out, the steps add it")
    absent = [m for m in variants.mediators(request) if m not in request.data.columns]
    if absent:
        raise ValueError(f"the data have no column {', '.join(map(repr, absent))} for the mediator")
    assert request.of_interest
    variants.check_units(request)


def _attempt(name: str, request: Request) -> Piece:
    """A piece, or the reason why the data or the model do not allow it."""
    try:
        return _MAKERS[name](request)
    except (AlignmentError, PanelError, IdentificationError, ConvergenceError) as error:
        return Piece(name, tables.heading(name, request), why=str(error))


def _facts(request: Request) -> tuple[tuple[str, str], ...]:
    from nqpf_spatial import __version__

    lang, design = request.lang, request.design
    t, n = design.shape
    sample = (
        say("sample panel", lang, n=n, t=t, first=design.periods[0], last=design.periods[-1])
        if request.panel
        else say("sample cross", lang, n=n)
    )
    release = request.fit.release
    tool = f"nqpf_spatial {__version__}" + (
        "" if release is None else ", " + say("data release", lang, release=release)
    )
    return (
        (say("fact model", lang), request.model),
        (say("fact formula", lang), request.parsed.text),
        (say("fact w", lang), request.w.name),
        (say("fact sample", lang), sample),
        (say("fact made by", lang), tool),
    )
