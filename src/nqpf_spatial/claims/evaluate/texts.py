"""Lists that the register states in prose, read out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAMES = r"[a-z][a-z0-9_]*"


def named_groups(text: str, known: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read "title (variable, variable)" out of a hypothesis: title -> known variables.

    Examples
    --------
    >>> named_groups("Dispersion rises in prosperity (income, ratio) and pull (people).", ["income", "ratio", "people"])
    {'prosperity': ('income', 'ratio'), 'pull': ('people',)}
    """
    variables = set(known)
    out = {}
    for title, inside in re.findall(r"([\w-]+(?: quality)?) \(([^()]*)\)", text):
        names = tuple(n for n in re.findall(_NAMES, inside) if n in variables)
        if names:
            out[title] = names
    return out


def named_parts(text: str, known: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read "part: variable, variable; part: variable" out of a hypothesis.

    Examples
    --------
    >>> named_parts("parts (income: a; health: b, c) rise", ["a", "b", "c"])
    {'income': ('a',), 'health': ('b', 'c')}
    """
    variables = set(known)
    out = {}
    for title, inside in re.findall(r"([a-z]+): ([^;:()]*)", text):
        names = tuple(n for n in re.findall(_NAMES, inside) if n in variables)
        if names:
            out[title] = names
    return out


def titled_before(text: str, known: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read "variable and variable (title), variable (title)" out of a hypothesis.

    Examples
    --------
    >>> titled_before("gaps in a (access), b and c (use)", ["a", "b", "c"])
    {'access': ('a',), 'use': ('b', 'c')}
    """
    variables = set(known)
    out = {}
    for inside, title in re.findall(rf"((?:{_NAMES} and )?{_NAMES}) \((\w+)\)", text):
        names = tuple(n for n in re.findall(_NAMES, inside) if n in variables)
        if names:
            out[title] = names
    return out


def listed(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """Known names in the order in which a text mentions them.

    Examples
    --------
    >>> listed("higher in Shanghai, Jiangsu than elsewhere", ["Jiangsu", "Shanghai", "Beijing"])
    ('Shanghai', 'Jiangsu')
    """
    found = {n: m.start() for n in known if (m := re.search(rf"\b{re.escape(n)}\b", text))}
    return tuple(sorted(found, key=found.__getitem__))


def at_least(text: str) -> tuple[int, ...]:
    """Read the counts of "at least k of" and ">= k of" out of a criterion, in order.

    Examples
    --------
    >>> at_least("A AND B for at least 2 of {x, y, z}"), at_least("diverging for >= 2 of 3 and ratio for >= 1")
    ((2,), (2, 1))
    """
    return tuple(int(n) for n in re.findall(r"(?:at least|>=)\s*(\d+)(?!\s*(?:%|\d|\.\d|percent))", text))


def level_in(text: str) -> float:
    """Read the level of "at 5%" or "p < 0.05" out of a criterion.

    Examples
    --------
    >>> level_in("indirect effect > 0 at 5%"), level_in("p < 0.05 in the latest year")
    (0.05, 0.05)
    """
    if found := re.search(r"at (\d+(?:\.\d+)?)\s*%", text):
        return float(found.group(1)) / 100.0
    if found := re.search(r"p\s*<\s*(0\.\d+)", text):
        return float(found.group(1))
    raise ValueError(f"the criterion names no level: {text!r}")


def clubs_in(text: str) -> int:
    """Read the number of clubs out of a criterion.

    Examples
    --------
    >>> clubs_in("3 clubs"), clubs_in("1 club")
    (3, 1)
    """
    found = re.search(r"(\d+) clubs?\b", text)
    if found is None:
        raise ValueError(f"the criterion names no number of clubs: {text!r}")
    return int(found.group(1))
