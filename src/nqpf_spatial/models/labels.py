"""Matching of unit labels: the panel's and those of W, exactly or as names of the same provinces."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial import provinces
from nqpf_spatial.errors import AlignmentError


def canonical(labels: Sequence[Hashable]) -> list[Hashable]:
    """Labels in one order whatever order they come in: provinces by adcode, others sorted."""
    if all(provinces.is_province(label) for label in labels):
        return sorted(labels, key=lambda label: provinces.resolve(label).adcode)
    try:
        return sorted(labels)  # type: ignore[type-var]
    except TypeError:
        return sorted(labels, key=lambda label: (type(label).__name__, str(label)))


def match(
    labels: Sequence[Hashable], ids: Sequence[Hashable], sides: tuple[str, str] = ("the panel", "W")
) -> dict[Hashable, int]:
    """Position in `ids` of every label; both must name the same units. `sides` are their names in messages.

    Raises
    ------
    AlignmentError
        Naming the units that only one side has.
    """
    position = {unit: i for i, unit in enumerate(ids)}
    if set(labels) == set(ids):
        return {label: position[label] for label in labels}
    keys, names = _keys(labels), _keys(ids)
    if keys is not None and names is not None:
        if len(set(keys)) < len(keys):
            raise AlignmentError(f"{sides[0]} names the same province in two ways: {_repeated(labels, keys)}")
        place = {key: i for i, key in enumerate(names)}
        if set(keys) == set(names):
            return {label: place[key] for label, key in zip(labels, keys, strict=True)}
        only_panel = [label for label, key in zip(labels, keys, strict=True) if key not in place]
        only_w = [unit for unit, key in zip(ids, names, strict=True) if key not in set(keys)]
    else:
        only_panel = [label for label in labels if label not in position]
        only_w = [unit for unit in ids if unit not in set(labels)]
    raise AlignmentError(_mismatch(only_panel, only_w, sides))


def _keys(labels: Sequence[Hashable]) -> list[int] | None:
    """adcodes when every label is a province, else None."""
    if not all(provinces.is_province(label) for label in labels):
        return None
    return [provinces.resolve(label).adcode for label in labels]


def _repeated(labels: Sequence[Hashable], keys: Sequence[int]) -> str:
    return ", ".join(str(label) for label, key in zip(labels, keys, strict=True) if list(keys).count(key) > 1)


def _mismatch(only_panel: list[Hashable], only_w: list[Hashable], sides: tuple[str, str]) -> str:
    parts = [f"{sides[0]} and {sides[1]} do not cover the same units."]
    if only_panel and sorted(map(str, only_panel)) == sorted(map(str, only_w)):
        kinds = [" and ".join(sorted({type(v).__name__ for v in side})) for side in (only_panel, only_w)]
        return f"{parts[0]} The labels read alike but are {kinds[0]} in {sides[0]} and {kinds[1]} in {sides[1]}: convert one side."
    if only_panel:
        parts.append(f"Only in {sides[0]}: {enumerate_some(only_panel)}. Add them to {sides[1]} or take them out.")
    if only_w:
        parts.append(
            f"Only in {sides[1]}: {enumerate_some(only_w)}. Take them out with w.subset([...], transform=...), "
            "which re-standardises openly, or add their rows."
        )
    return " ".join(parts)


def enumerate_some(items: Sequence[object], limit: int = 12) -> str:
    """Comma-separated items, the first `limit` of them and how many more."""
    text = ", ".join(str(item) for item in items[:limit])
    return text if len(items) <= limit else f"{text} and {len(items) - limit} more"


def complete_window(missing: NDArray, periods: Sequence[Hashable]) -> str:
    """The longest run of periods in which no unit misses a value, in words; empty if it has fewer than two.

    Parameters
    ----------
    missing : array (units, periods) of bool
    periods : sequence

    Examples
    --------
    >>> complete_window(np.array([[True, False, False], [False, False, False]]), (2010, 2011, 2012))
    ' (nothing is missing from 2011 to 2012)'
    """
    best, start = (0, 0), 0
    for k, gap in enumerate([*np.any(missing, axis=0).tolist(), True]):
        if gap:
            best, start = max(best, (k - start, start)), k + 1
    length, first = best
    if length < 2:
        return ""
    return f" (nothing is missing from {periods[first]} to {periods[first + length - 1]})"


def kind_hint(edge: object, period: pd.Index, level: str) -> str:
    """What the labels of the periods are, where years= names them as something else."""
    first, last = period.min(), period.max()
    if isinstance(edge, type(first)) or (isinstance(edge, Real) and isinstance(first, Real)):
        return ""
    if isinstance(first, Real):
        kind, pair = "numbers", f"({first}, {last})"
    elif isinstance(first, str):
        kind, pair = "text", f"({first!r}, {last!r})"
    else:
        kind = type(first).__name__
        name = f"pd.{kind}" if isinstance(first, (pd.Period, pd.Timestamp)) else kind
        shown = [str(v.date()) if isinstance(v, pd.Timestamp) and v == v.normalize() else str(v) for v in (first, last)]
        pair = f"({name}({shown[0]!r}), {name}({shown[1]!r}))"
    return f". The level {level!r} holds {kind}, not {type(edge).__name__}: give labels of that kind, years={pair}"
