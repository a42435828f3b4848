"""``fit.explain()``: what was estimated, how to read each effect, what to be careful about; only computed facts."""

from __future__ import annotations

import re
import textwrap
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nqpf_spatial import data
from nqpf_spatial.data._unit_words import unit_word
from nqpf_spatial.errors import FewClustersWarning
from nqpf_spatial.models.dynamic.impacts import DynamicImpacts, dynamic_impacts
from nqpf_spatial.models.dynamic.part import LAG
from nqpf_spatial.models.explain.words import LANGUAGES, say
from nqpf_spatial.models.missing.choices import CUTTING
from nqpf_spatial.models.summary import WEAK

if TYPE_CHECKING:
    from nqpf_spatial.models.impacts.inference import Impacts
    from nqpf_spatial.models.results import SpatialFit

_LEVELS_ZH = {"province": "省份", "year": "年份", "unit": "个体", "period": "时期", "city": "城市", "county": "县域"}
_EFFECTS_ZH = {"direct": "直接效应", "indirect": "间接效应", "total": "总效应"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Sections of a text, each a heading and its sentences.

    Attributes
    ----------
    lang : {"en", "zh"}
    sections : tuple of (str, tuple of str)
    """

    lang: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]

    def __str__(self) -> str:
        blocks = []
        for head, sentences in self.sections:
            # Chinese has no spaces to break at
            lines = [
                textwrap.fill(s, 100, initial_indent="- ", subsequent_indent="  ") if self.lang == "en" else f"- {s}"
                for s in sentences
            ]
            blocks.append("\n".join([head, *lines]))
        return "\n\n".join(blocks)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "".join(
            f"<h4>{escape(head)}</h4><ul>{''.join(f'<li>{escape(s)}</li>' for s in sentences)}</ul>"
            for head, sentences in self.sections
        )


@dataclass(frozen=True, slots=True)
class _Quantity:
    """How a variable is spoken of: its label, whether it is a logarithm, its unit."""

    label: str
    log: bool
    unit: str


def explain(fit: SpatialFit, lang: str = "en") -> Explanation:
    """Explain a fit in words.

    Parameters
    ----------
    fit : SpatialFit
    lang : {"en", "zh"}

    Returns
    -------
    Explanation
        Every number in it is computed from the fit; labels and units come from the codebook where the data are packaged.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.contiguity()
    >>> panel = nq.load_panel()
    >>> res = nq.sdm("ln_gdp_real_pc ~ ln_rd_intensity + pop_growth | province + year", panel, w, years=(2012, 2024))
    >>> print(res.explain().sections[0][1][0])
    SDM model of real GDP per resident (log) on 2 regressors, by maximum likelihood on 403 observations: 31 units, 13 periods (2012 to 2024).
    """
    if lang not in LANGUAGES:
        raise ValueError(f"lang={lang!r} is not known; choose 'en' or 'zh'")
    impacts = fit.impacts() if _slopes(fit) else None
    table = None if impacts is None else impacts.table
    sections = [
        (say("head_what", lang), _what(fit, lang)),
        (say("head_read", lang), () if impacts is None else _effects(fit, impacts, lang)),
        (say("head_care", lang), _care(fit, table, lang)),
    ]
    return Explanation(lang, tuple((head, lines) for head, lines in sections if lines))


def _slopes(fit: SpatialFit) -> list[str]:
    return [n for n in fit.estimate.columns.names if n.removeprefix("W:") != "Intercept" and not n.startswith(LAG)]


def _quantity(name: str, fit: SpatialFit, lang: str) -> _Quantity:
    """From the codebook for packaged variables, else the name itself; a logarithm is spoken of by what is inside it."""
    if fit.release is not None and name in data.codebook().index:
        entry = data.codebook(name).loc[name]
        unit, text = str(entry["unit"]), str(entry[f"label_{lang}"])
        # the label opens a clause, except where it opens with an acronym
        text = text[0].lower() + text[1:] if lang == "en" and text[1:2].islower() else text
        log = unit.startswith("log of")
        return _Quantity(text.removeprefix("log ").removesuffix("的对数") if log else text, log, unit_word(unit, lang))
    inside = re.fullmatch(r"(?:np\.)?log\((\w+)\)", name.replace(" ", ""))
    return _Quantity(name, False, "") if inside is None else _Quantity(inside[1], True, "")


def _what(fit: SpatialFit, lang: str) -> tuple[str, ...]:
    design = fit.estimate.design
    t, n = design.shape
    periods = "" if design.periods[0] is None else say(
        "periods", lang, t=t, first=design.periods[0], last=design.periods[-1]
    )  # fmt: skip
    k = len(dict.fromkeys(name.removeprefix("W:") for name in _slopes(fit)))
    outcome = _quantity(design.outcome, fit, lang)
    label = say("in_logs", lang, label=outcome.label) if outcome.log else outcome.label
    lines = [say("model", lang, model=fit.model, outcome=label, k=k, nobs=fit.nobs, n=n, periods=periods)]
    if fit.dropped:
        out = fit.dropped.units if fit.dropped.asked.choice in CUTTING else fit.dropped.periods
        left = say("left_out", lang, names=say("join", lang).join(map(str, out))) if out else ""
        lines.append(say(fit.dropped.asked.choice, lang, cells=len(fit.dropped.cells), left=left))
    if fit.random is not None:
        lines.append(say(fit.random, lang))
    elif fit.effects:
        named = [_LEVELS_ZH.get(level, level) if lang == "zh" else level for level in fit.effects]
        lines.append(say("fixed", lang, effects=(" and " if lang == "en" else "、").join(named)))
    elif len(design.levels) == 2:
        lines.append(say("pooled", lang))
    if fit.w is not None:
        rows = say("rows_one" if fit.w.is_row_stochastic else "rows_other", lang)
        lines.append(say("w", lang, name=fit.w.name, links=fit.w.sparse.nnz / fit.w.n, rows=rows))
    bounds = fit.conf_int()
    for name in [name for name in ("rho", "lambda") if name in fit.params.index]:
        lower, upper = bounds.loc[name]
        move = "move_together" if lower > 0 else "move_apart" if upper < 0 else "move_unclear"
        lines.append(say(name, lang, value=fit.params[name], lower=lower, upper=upper, move=say(move, lang)))
    if fit.dynamic:
        found = fit.stability()
        state = say("not_stable" if not found.stable else "near_unit" if found.near_unit else "stable", lang)
        lines.append(say("time", lang, value=found.sum, lower=found.lower, upper=found.upper, state=state))
    return tuple(lines)


def _change(row: pd.Series, regressor: _Quantity, outcome: _Quantity, lang: str) -> str:
    """An effect as a change of the outcome: percent for logarithms, units otherwise; none if zero lies in the interval."""
    if row["lower"] <= 0 <= row["upper"]:
        return say("unclear", lang)
    size = abs(float(row["estimate"]))
    if regressor.log:
        size = size if outcome.log else size / 100.0
    elif outcome.log:
        # the exact change: 100 (e^b - 1) percent
        size = 100.0 * abs(float(np.expm1(row["estimate"])))
    spoken = (
        say("percent", lang, value=size) if outcome.log else say("units", lang, value=size, unit=outcome.unit).strip()
    )
    return say("higher" if row["estimate"] > 0 else "lower", lang, size=spoken)


def _step(regressor: _Quantity, lang: str) -> str:
    if regressor.log:
        return say("one_percent", lang)
    return say("one_unit", lang, unit=regressor.unit) if regressor.unit else say("one_plain", lang)


def _spoken(row: pd.Series, regressor: _Quantity, outcome: _Quantity, lang: str) -> tuple[str, str]:
    """An effect as a change of the outcome, and its number with the interval."""
    return _change(row, regressor, outcome, lang), say("interval", lang, **row[["estimate", "lower", "upper"]])


def _effects(fit: SpatialFit, impacts: Impacts, lang: str) -> tuple[str, ...]:
    table = impacts.table
    outcome = _quantity(fit.estimate.design.outcome, fit, lang)
    alone = fit.w is None or fit.model in ("OLS", "SEM")
    lines = [say("same_period", lang)] if fit.dynamic else []
    for term in table.index:
        regressor = _quantity(str(term), fit, lang)
        facts: dict[str, Any] = {"term": regressor.label, "step": _step(regressor, lang), "outcome": outcome.label}
        for effect, short in (("direct", "d"), ("indirect", "i"), ("total", "t")):
            facts[effect], facts[short] = _spoken(table.loc[term, effect], regressor, outcome, lang)
        lines.append(say("effect_alone" if alone else "effect", lang, **facts))
        if isinstance(impacts, DynamicImpacts) and fit.stability().stable:
            lines.append(_long_run(impacts, str(term), regressor, outcome, facts, lang))
    if not alone:
        lines.append(say("coefficients", lang))
    return tuple(lines)


def _long_run(
    impacts: DynamicImpacts, term: str, regressor: _Quantity, outcome: _Quantity, facts: Mapping[str, Any], lang: str
) -> str:
    """The total effect in the new equilibrium; near a sum of one the set of Fieller, which no bounded interval can replace."""
    fit = impacts.fit
    if not fit.stability().near_unit:
        total, t = _spoken(impacts.long.table.loc[term, "total"], regressor, outcome, lang)
        return say("long", lang, **{**facts, "total": total, "t": t})
    weights = (fit.estimate.weights.first(), fit.estimate.weights.durbin)
    if any(w is not None and not w.is_row_stochastic for w in weights):
        return say("long_unknown", lang, **facts)
    sets = dynamic_impacts(fit, "long", "fieller").sets
    assert sets is not None
    row = sets.loc[term]
    return say(f"long_{row['shape']}", lang, **facts, lower=row["lower"], upper=row["upper"])


def _care(fit: SpatialFit, table: pd.DataFrame | None, lang: str) -> tuple[str, ...]:
    lines = [*_spatial_cautions(fit, table, lang), *_inference_cautions(fit, table, lang)]
    if fit.release is not None:
        lines += _data_cautions(fit, lang)
    return (*lines, say("unexplained", lang))


def _spatial_cautions(fit: SpatialFit, table: pd.DataFrame | None, lang: str) -> list[str]:
    lines = []
    for name in ("rho", "lambda"):
        if name in fit.params.index and fit.bse[name] > WEAK:
            lines.append(say("weak", lang, name=name, se=fit.bse[name]))
    differ = [] if table is None or fit.rho is None else _theta_differs(fit, table)
    if differ:
        lines.append(
            say("theta_differs", lang, terms=say("join", lang).join(_quantity(d, fit, lang).label for d in differ))
        )
    w = fit.w
    start = fit.estimate.design.periods[0]
    if w is not None and w.data_years is not None and isinstance(start, int):
        first, last = w.data_years
        verdict = say("w_before" if last < start else "w_inside", lang)
        lines.append(say("w_data", lang, first=first, last=last, start=start, verdict=verdict))
    return lines


def _theta_differs(fit: SpatialFit, table: pd.DataFrame) -> list[str]:
    """Terms whose lag coefficient would be read differently from their indirect effect."""
    bounds, found = fit.conf_int(), []
    for term in table.index:
        lag = f"W:{term}"
        if lag not in fit.params.index:
            continue
        indirect = table.loc[term, "indirect"]
        sure = [not low <= 0 <= high for low, high in (bounds.loc[lag], indirect[["lower", "upper"]])]
        opposite = fit.params[lag] * indirect["estimate"] < 0
        if sure[0] != sure[1] or (opposite and any(sure)):
            found.append(str(term))
    return found


def _inference_cautions(fit: SpatialFit, table: pd.DataFrame | None, lang: str) -> list[str]:
    lines = []
    t, n = fit.estimate.design.shape
    if fit.correction == "none" and len(fit.effects) == 2 and fit.rho is not None:
        lines.append(say("no_correction", lang, n=n))
    # with time lags a clustered covariance and Moran's I of residuals are not derived
    design = fit.estimate.design
    static = fit.random is None and not fit.dynamic and not design.integrated
    if table is not None and static and t > 1 and fit.vcov in ("observed", "expected", "sandwich"):
        with warnings.catch_warnings():
            # the comparison is what this sentence is about; the number of clusters is in its text
            warnings.simplefilter("ignore", FewClustersWarning)
            clustered = fit.with_vcov("cluster").impacts().table
        changed = _changed(table, clustered, fit, lang)
        vcov = say(f"vcov_{fit.vcov}", lang)
        key = "cluster" if changed else "cluster_same"
        lines.append(say(key, lang, vcov=vcov, effects=say("join", lang).join(changed)))
    if fit.w is not None and static and design.observed is None and not fit.estimate.model.error:
        from nqpf_spatial.models.diagnostics import moran

        test = moran(fit).tests[0]
        if test.pvalue < 0.05 and test.estimate is not None:
            lines.append(say("moran", lang, value=test.estimate, z=test.statistic, p=test.pvalue))
    return lines


def _changed(table: pd.DataFrame, other: pd.DataFrame, fit: SpatialFit, lang: str) -> list[str]:
    """Effects whose interval contains zero under one covariance and not under the other."""
    found = []
    for term in table.index:
        for effect in ("direct", "indirect", "total"):
            sure = [not t.loc[term, (effect, "lower")] <= 0 <= t.loc[term, (effect, "upper")] for t in (table, other)]
            if sure[0] != sure[1]:
                label = _quantity(str(term), fit, lang).label
                found.append(f"{label} ({effect})" if lang == "en" else f"{label}（{_EFFECTS_ZH[effect]}）")
    return found


def _data_cautions(fit: SpatialFit, lang: str) -> list[str]:
    """Shared ingredients and documented steps of packaged variables inside the window."""
    design = fit.estimate.design
    known = data.codebook()
    terms = [v for v in dict.fromkeys(n.removeprefix("W:") for n in _slopes(fit)) if v in known.index]
    lines: list[str] = []
    if design.outcome in known.index:
        own = _roots(design.outcome, known)
        for term in terms:
            shared = sorted(own & _roots(term, known))
            if shared:
                names = {
                    "term": _quantity(term, fit, lang).label,
                    "outcome": _quantity(design.outcome, fit, lang).label,
                }
                lines.append(say("shared", lang, inputs=", ".join(shared), **names))
    first, last = design.periods[0], design.periods[-1]
    if isinstance(first, int) and isinstance(last, int):
        for term in [v for v in (design.outcome, *terms) if v in known.index]:
            steps = data.breaks(term).query("kind == 'step' and first_year > @first and first_year <= @last")
            label = _quantity(term, fit, lang).label
            lines += [say("step", lang, term=label, year=row.first_year, what=row.what) for row in steps.itertuples()]
    return lines


def _roots(name: str, known: pd.DataFrame) -> set[str]:
    """Published series behind a variable."""
    inputs = str(known.loc[name, "inputs"]).split() if name in known.index else []
    inputs = [i for i in inputs if i in known.index]
    return {name} if not inputs else set().union(*(_roots(i, known) for i in inputs))
