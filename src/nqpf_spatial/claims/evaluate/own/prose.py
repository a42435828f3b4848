"""Numbers a criterion of R-OWN states in words: read from the register's text, never typed."""

from __future__ import annotations

import re

from nqpf_spatial.errors import DataSourceError

_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


def number(text: str | None, pattern: str) -> float:
    """Return the one number a pattern finds in a text of the register.

    Parameters
    ----------
    text : str or None
        ``support_if``, ``contradict_if`` or ``hypothesis`` of a claim.
    pattern : str
        Regular expression with one group; the group is a number in digits, or one of "one" to "five".

    Returns
    -------
    float

    Raises
    ------
    DataSourceError
        If the pattern is found nowhere, or more than once with different numbers: the text of the register has changed
        and the reading must be looked at again.

    Examples
    --------
    >>> number("Spearman >= 0.6 and permutation p<0.05", r"p\\s*<\\s*([\\d.]+)")
    0.05
    >>> number("quotient < 1 in two", r"in (\\w+)$")
    2.0
    """
    found = {_value(hit) for hit in re.findall(pattern, text or "")}
    if len(found) != 1:
        raise DataSourceError(
            f"the register's text {text!r} should state one number as {pattern!r}, found {sorted(found) or 'none'}"
        )
    return found.pop()


def _value(hit: str) -> float:
    if hit in _WORDS:
        return float(_WORDS[hit])
    try:
        return float(hit.rstrip("."))
    except ValueError as error:
        raise DataSourceError(f"the register's text states {hit!r} where a number is expected") from error
