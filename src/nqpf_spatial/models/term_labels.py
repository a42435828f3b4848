"""Names of parameters for readers: the block a parameter belongs to, and labels from the codebook in two languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from nqpf_spatial.data import codebook
from nqpf_spatial.models.design import MEAN
from nqpf_spatial.models.naming import check_lang

#: order of the blocks, as xsmle prints them; "Time" holds the time lags of dynamic models
BLOCKS = ("Main", "Wx", "Time", "Spatial", "Variance")
_SPATIAL = ("rho", "lambda")
_VARIANCES = ("sigma2", "sigma2_mu")
_SYMBOLS = {"rho": "ρ", "lambda": "λ", "sigma2": "σ²", "sigma2_mu": "σ²_μ"}
_CONSTANTS = ("Intercept", "const")
_NAME = re.compile(r"[^\W\d]\w*")
_LEVEL = re.compile(r"C\(\s*(\w+)[^\[]*\)\[(?:T\.)?(.+)\]")
_SQUARE = re.compile(r"I\((\w+)\s*\*\*\s*2\)")


def block_of(term: str, outcome: str = "") -> str:
    """Block of a parameter; `outcome` tells a time lag ``L:y`` from an interaction with a variable ``L``.

    Examples
    --------
    >>> block_of("x"), block_of("W:x"), block_of("L:W:y", "y"), block_of("rho"), block_of("sigma2")
    ('Main', 'Wx', 'Time', 'Spatial', 'Variance')
    """
    if term in _SPATIAL:
        return "Spatial"
    if term in _VARIANCES:
        return "Variance"
    if outcome and term in (f"L:{outcome}", f"L:W:{outcome}"):
        return "Time"
    return "Wx" if term.startswith("W:") else "Main"


def base_of(term: str, outcome: str = "") -> str:
    """The variable behind a parameter: ``x`` for ``W:x``, the outcome for its time lags."""
    if block_of(term, outcome) == "Time":
        return outcome
    return term.removeprefix("W:").removeprefix(MEAN)


@cache
def _codebook(lang: str) -> dict[str, str]:
    return {str(name): str(text) for name, text in codebook()[f"label_{lang}"].items()}


def known_labels(lang: str) -> dict[str, str]:
    """Labels of all packaged variables."""
    check_lang(lang)
    return dict(_codebook(lang))


def term_label(term: str, known: Mapping[str, str], lang: str = "en", outcome: str = "") -> str:
    """Label of a parameter.

    Parameters
    ----------
    term : str
        As in ``fit.params``.
    known : mapping
        Labels of variables, or of whole terms; these come first.
    lang : {"en", "zh"}
    outcome : str
        Name of the dependent variable.

    Returns
    -------
    str
        ``W×`` in front of spatial lags; interactions with ``×``; the name itself where nothing is known.

    Examples
    --------
    >>> term_label("W:x", {"x": "Income"}), term_label("x:z", {"x": "Income"}), term_label("rho", {})
    ('W×Income', 'Income × z', 'ρ')
    >>> term_label("L:W:y", {"y": "人均产出"}, "zh", "y"), term_label("C(block)[T.West]", {})
    ('W×人均产出（滞后一期）', 'block: West')
    """
    if term in known:
        return known[term]
    if term in _SYMBOLS:
        return _SYMBOLS[term]
    zh = lang == "zh"
    if term in _CONSTANTS:
        return "常数项" if zh else "Constant"
    if block_of(term, outcome) == "Time":
        lagged = "W×" if term.startswith("L:W:") else ""
        return lagged + term_label(outcome, known, lang) + ("（滞后一期）" if zh else " (t-1)")
    if term.startswith("W:"):
        return "W×" + term_label(term.removeprefix("W:"), known, lang)
    if term.startswith(MEAN):
        inner = term_label(term.removeprefix(MEAN), known, lang)
        return f"{inner}（个体均值）" if zh else f"Unit mean: {inner}"
    return " × ".join(_factor(part, known) for part in _split(term))


def matrix_label(kind: str, matrix: str, regressor: str, known: Mapping[str, str], lang: str = "en") -> str:
    """Label of a parameter that belongs to one of several matrices.

    Examples
    --------
    >>> matrix_label("rho", "near", "", {}), matrix_label("share", "near", "", {}), matrix_label("W", "near", "x", {"x": "Income"})
    ('ρ near', 'share of near', 'W[near]×Income')
    """
    if kind == "W":
        return f"W[{matrix}]×{term_label(regressor, known, lang)}"
    if kind == "rho":
        return f"ρ {matrix}"
    return f"{matrix} 的份额" if lang == "zh" else f"share of {matrix}"


def _factor(text: str, known: Mapping[str, str]) -> str:
    """Label of one factor of a term: a name, a level of a category, or a function of names."""
    if text in known:
        return known[text]
    level = _LEVEL.fullmatch(text)
    if level:
        return f"{known.get(level[1], level[1])}: {level[2]}"
    square = _SQUARE.fullmatch(text)
    if square:
        return f"{known.get(square[1], square[1])}²"
    return _NAME.sub(lambda found: known.get(found[0], found[0]), text)


def _split(term: str) -> list[str]:
    """Factors of an interaction; colons inside brackets do not separate."""
    parts, depth = [""], 0
    for sign in term:
        depth += (sign in "([") - (sign in ")]")
        if sign == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts
