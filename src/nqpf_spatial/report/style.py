"""What a comparison shows and how: options, choice and order of rows, labels."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.naming import check_lang
from nqpf_spatial.models.results import check_alpha
from nqpf_spatial.models.term_labels import BLOCKS, base_of, known_labels, matrix_label, term_label
from nqpf_spatial.report.grid import star_levels
from nqpf_spatial.report.readings import Reading

SHOW = ("coefficients", "impacts", "both")
BRACKETS = ("se", "t", "p", "ci", "none")
_EFFECT_BLOCKS = tuple(run + effect for run in ("", "short ", "long ") for effect in ("direct", "indirect", "total"))
_ALWAYS = ("Spatial", "Variance")


@dataclass(frozen=True)
class Style:
    """How a comparison is printed."""

    show: str
    stars: Mapping[str, float]
    brackets: str
    digits: int
    alpha: float
    lang: str
    labels: Mapping[str, str]
    keep: tuple[str, ...]
    drop: tuple[str, ...]
    order: tuple[str, ...]
    title: str


def make_style(
    show: str,
    stars: Any,
    brackets: str,
    digits: int,
    alpha: float,
    lang: str,
    labels: Mapping[str, str] | None,
    keep: Sequence[str],
    drop: Sequence[str],
    order: Sequence[str],
    title: str,
) -> Style:
    """Checked options."""
    for name, value, allowed in (("show", show, SHOW), ("brackets", brackets, BRACKETS)):
        if value not in allowed:
            raise ValueError(f"{name}={value!r} is not known; choose one of {', '.join(map(repr, allowed))}")
    if not isinstance(digits, int) or not 0 <= digits <= 12:
        raise ValueError(f"digits={digits!r}: give a number of decimals between 0 and 12")
    check_alpha(alpha)
    check_lang(lang)
    lists = {"keep": keep, "drop": drop, "order": order}
    wrong = [name for name, value in lists.items() if isinstance(value, str)]
    if wrong:
        raise ValueError(f'{wrong[0]}={lists[wrong[0]]!r}: give a list of names, ["{lists[wrong[0]]}"]')
    return Style(
        show=show,
        stars=star_levels(stars),
        brackets=brackets,
        digits=digits,
        alpha=alpha,
        lang=lang,
        labels=dict(labels or {}),
        keep=tuple(keep),
        drop=tuple(drop),
        order=tuple(order),
        title=title,
    )


def numbers_of(reading: Reading) -> pd.DataFrame:
    """Coefficients and effects of a result, one after the other."""
    return pd.concat([part for part in (reading.coefficients, reading.effects) if len(part)])


def _matches(term: str, outcome: str, patterns: Iterable[str]) -> list[str]:
    """Patterns that mean this parameter: by its own name, or by that of its variable."""
    own, base = term, base_of(term, outcome)
    return [p for p in patterns if p in (own, base) or fnmatch.fnmatchcase(own, p) or fnmatch.fnmatchcase(base, p)]


def _terms(readings: Iterable[Reading]) -> list[tuple[str, str, str]]:
    """(block, term, outcome) of all results in order of appearance, blocks in their order."""
    seen = dict.fromkeys((block, term, r.outcome) for r in readings for block, term in numbers_of(r).index)
    places = [*BLOCKS, *_EFFECT_BLOCKS]
    return sorted(seen, key=lambda key: places.index(key[0]))


def select(readings: Iterable[Reading], style: Style) -> list[tuple[str, str]]:
    """(block, term) of the rows to show, in their order."""
    chosen: dict[tuple[str, str], int] = {}
    for block, term, outcome in _terms(readings):
        inner = block in _ALWAYS
        if style.keep and not inner and not _matches(term, outcome, style.keep):
            continue
        if term in style.drop or (not inner and _matches(term, outcome, style.drop)):
            continue
        wanted = [i for i, p in enumerate(style.order) if _matches(term, outcome, [p])]
        chosen.setdefault((block, term), min(wanted, default=len(style.order)))
    places = [*BLOCKS, *_EFFECT_BLOCKS]
    return sorted(chosen, key=lambda key: (places.index(key[0]), chosen[key]))


def check_names(readings: Iterable[Reading], style: Style) -> None:
    """Refuse names in keep=, drop= and order= that no result has."""
    terms = _terms(readings)
    known = sorted({term for _, term, _ in terms})
    for name in ("keep", "drop", "order"):
        unknown = [p for p in getattr(style, name) if not any(_matches(t, o, [p]) for _, t, o in terms)]
        if unknown:
            raise ValueError(
                f"{name}= names {enumerate_some(unknown)}, which no result has; they have {', '.join(known)}"
            )
    if not select(readings, style):
        raise ValueError("keep= and drop= leave nothing to show")


def labels_of(readings: Sequence[Reading], style: Style) -> dict[str, str]:
    """Label of every term; codebook labels only for results on the packaged panel."""
    found: dict[str, str] = {}
    for reading in readings:
        known = {**(known_labels(style.lang) if reading.packaged else {}), **style.labels}
        for term in [reading.outcome, *(term for _, term in numbers_of(reading).index)]:
            matrix = reading.facts.get("matrix terms", {}).get(term)
            if matrix is not None and term not in known:
                kind, name, regressor = matrix
                label = matrix_label(kind, name, regressor, known, style.lang)
            else:
                label = term_label(term, known, style.lang, reading.outcome)
            if found.get(term, term) == term:
                found[term] = label
    return found
