"""Notes below a comparison: everything a reader must know to judge or repeat it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.summary import WEAK
from nqpf_spatial.report.readings import Reading
from nqpf_spatial.report.table_words import comma, level_name, say, semicolon

if TYPE_CHECKING:
    from nqpf_spatial.report.style import Style


def columns_by(names: Sequence[Any]) -> list[str]:
    """Names of the columns for use in a sentence: numbers without their brackets."""
    heads = [" ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in names]
    return [re.sub(r"^\((\d+)\)$", r"\1", head) for head in heads]


def notes(
    readings: Sequence[Reading],
    heads: Sequence[str],
    style: Style,
    labels: Mapping[str, str],
    groups: Mapping[Any, str],
    names: Sequence[Any],
    hidden: Sequence[str],
) -> list[str]:
    """The notes in their order."""
    lang = style.lang
    lines = [_outcomes(readings, labels, lang), _legend(style)]
    for key, text in (
        ("note effects", _effects),
        ("note correction", _correction),
        ("note covariance", _covariance),
        ("note w", _weights),
        ("note missing", _missing),
        ("note delta", _inference),
        ("note horizon", _horizon),
        ("note posterior", _posterior),
        ("note dynamic", _dynamic),
        ("note window", _sample),
    ):
        what = _by_value(readings, heads, lang, text)
        if text is _sample and len({_sample(r, lang) for r in readings}) > 1:
            what = _by_value(readings, heads, lang, _window)  # the numbers have rows of their own
        if what:
            lines.append(say(key, lang, what=what))
    if hidden:
        lines.append(say("note hidden", lang, what=comma(lang).join(labels.get(term, term) for term in hidden)))
    lines += _weak(readings, heads, lang)
    if any(((r.effects["estimate"] == 0.0) & (r.effects["se"] == 0.0)).any() for r in readings):
        lines.append(say("note zero", lang))
    shared = any(matrix[0] == "share" for r in readings for matrix in r.facts.get("matrix terms", {}).values())
    if style.show != "impacts" and shared:
        lines.append(say("note shares", lang))
    if style.show == "coefficients" and any(r.facts["lag"] for r in readings):
        lines.append(say("note lag", lang))
    if len(set(groups.values())) > 1:
        lines.append(say("note groups", lang, what=_group_list(readings, heads, groups, names, lang)))
    return [line for line in lines if line]


def _by_value(readings: Sequence[Reading], heads: Sequence[str], lang: str, text: Callable[[Reading, str], str]) -> str:
    """Each distinct text with the columns it belongs to; no columns where all agree."""
    found: dict[str, list[str]] = {}
    for reading, head in zip(readings, heads, strict=True):
        found.setdefault(text(reading, lang), []).append(head)
    found.pop("", None)
    covered = sum(map(len, found.values()))
    if len(found) == 1 and covered == len(readings):
        return next(iter(found))
    mark = "{what}（{who}）" if lang == "zh" else "{what} ({who})"
    return semicolon(lang).join(mark.format(what=what, who=comma(lang).join(who)) for what, who in found.items())


def _outcomes(readings: Sequence[Reading], labels: Mapping[str, str], lang: str) -> str:
    names = [labels[name] for name in dict.fromkeys(r.outcome for r in readings)]
    if len(names) == 1:
        return say("outcome", lang, name=names[0])
    return say("outcomes", lang, names=semicolon(lang).join(names))


def _legend(style: Style) -> str:
    level = f"{100 * (1 - style.alpha):g}%"
    start = say(f"brackets {style.brackets}", style.lang, level=level)
    if not style.stars:
        return start + say("no stars", style.lang)
    levels = comma(style.lang).join(f"{mark} p < {level:g}" for mark, level in style.stars.items())
    return start + say("stars", style.lang, list=levels)


def _effects(reading: Reading, lang: str) -> str:
    fixed = [level_name(level, lang).lower() for level, kind in reading.levels.items() if kind == "fixed"]
    parts = [" + ".join(fixed)] if fixed else []
    parts += [say(f"note {kind}", lang) for kind in reading.levels.values() if kind in ("random", "mundlak")]
    if not parts:
        return "" if reading.facts.get("foreign") else say("none at all", lang)
    return comma(lang).join(parts)


def _correction(reading: Reading, lang: str) -> str:
    name = reading.facts.get("correction")
    if name is None:
        return ""
    return say(name, lang)


def _covariance(reading: Reading, lang: str) -> str:
    if "vcov" not in reading.facts:  # a posterior has samples instead
        return ""
    name, detail = reading.facts["vcov"]
    try:
        kind = say(name, lang)
    except KeyError:  # a foreign result names its covariance itself
        kind = name
    if "by" in detail:
        return say("by", lang, kind=kind, level=level_name(str(detail["by"]), lang).lower())
    options = comma(lang).join(f"{key} {value}" for key, value in detail.items())
    return f"{kind} ({options})" if options else kind


def _weights(reading: Reading, lang: str) -> str:
    return comma(lang).join(f"{name}{comma(lang)}{say('W ' + kind, lang)}" for name, kind in reading.facts["w"])


def _missing(reading: Reading, lang: str) -> str:
    dropped = reading.facts.get("missing")
    if dropped is None:
        return ""
    asked = dropped.asked
    left_out = dropped.periods if asked.choice == "drop_years" else dropped.units
    cut = [say(f"missing {asked.subset}", lang)] if asked.subset else []
    what = say(f"missing {asked.choice}", lang)
    named = f"{what}{say('colon', lang)}{enumerate_some(left_out)}" if left_out else what
    return comma(lang).join([say("cells", lang, count=len(dropped.cells)), *cut, named])


def _inference(reading: Reading, lang: str) -> str:
    method, draws = reading.facts.get("effects by", (None, None))
    if method is None:
        return ""
    return say("bootstrap draws" if method == "bootstrap" else method, lang, draws=draws)


def _horizon(reading: Reading, lang: str) -> str:
    """When the effects of a column are, where its rows do not say it."""
    blocks = reading.effects.index.get_level_values("block")
    return reading.facts["when"](lang) if "when" in reading.facts and "total" in blocks else ""


def _posterior(reading: Reading, lang: str) -> str:
    if "posterior" not in reading.facts or reading.coefficients.empty:
        return ""
    prior, draws = reading.facts["posterior"]
    return say("prior", lang, prior=prior, draws=draws)


def _dynamic(reading: Reading, lang: str) -> str:
    if "dynamic" not in reading.facts:
        return ""
    first, stability = reading.facts["dynamic"]
    verdict = "unstable" if not stability.stable else "near unit" if stability.near_unit else "stable"
    numbers = {name: f"{getattr(stability, name):.3f}" for name in ("sum", "lower", "upper", "radius")}
    return say("stability", lang, first=first, verdict=say(verdict, lang), **numbers)


def _window(reading: Reading, lang: str) -> str:
    window = reading.facts.get("window")
    return "" if window is None else f"{window[0]}-{window[1]}"


def _sample(reading: Reading, lang: str) -> str:
    facts = reading.facts
    if facts.get("foreign"):
        return say("sample foreign", lang, nobs=int(facts["nobs"])) if "nobs" in facts else ""
    window = facts["window"]
    span = "" if window is None else (f"（{window[0]}-{window[1]}）" if lang == "zh" else f" ({window[0]}-{window[1]})")
    key = "sample" if facts["estimator"] in ("ML", "Bayes") else "sample gmm"
    return say(key, lang, n=facts["units"], t=facts["periods"], window=span, nobs=facts["nobs"], used=facts["n"])


def _weak(readings: Sequence[Reading], heads: Sequence[str], lang: str) -> list[str]:
    """Parameters of space with large standard errors, as in the summary of a fit."""
    found = []
    for reading, head in zip(readings, heads, strict=True):
        rows = reading.coefficients
        for name, sign in (("rho", "ρ"), ("lambda", "λ")):
            if ("Spatial", name) in rows.index and rows.loc[("Spatial", name), "se"] > WEAK:
                found.append(sign if not head else f"{sign}（{head}）" if lang == "zh" else f"{sign} ({head})")
    return [say("note weak", lang, what=comma(lang).join(found), limit=WEAK)] if found else []


def _group_list(
    readings: Sequence[Reading], heads: Sequence[str], groups: Mapping[Any, str], names: Sequence[Any], lang: str
) -> str:
    members: dict[str, list[str]] = {}
    sizes: dict[str, object] = {}
    for reading, head, name in zip(readings, heads, names, strict=True):
        if name in groups and reading.likelihood is not None:
            members.setdefault(groups[name], []).append(head)
            sizes[groups[name]] = reading.likelihood["n"]
    mark = "{group}，n = {n}（{who}）" if lang == "zh" else "{group}, n = {n} ({who})"
    parts = [mark.format(group=g, n=sizes[g], who=comma(lang).join(who)) for g, who in members.items()]
    return semicolon(lang).join(parts)
