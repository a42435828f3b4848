"""Labels of units: canonical order, identity across naming forms, alignment by name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial import provinces
from nqpf_spatial.errors import AlignmentError

_DIGITS = re.compile(r"(\d+)")


def shorten(labels: Iterable[object], limit: int = 12) -> str:
    """List labels for a message, at most ``limit`` of them."""
    items = [str(x) for x in labels]
    more = f", ... ({len(items)} in all)" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more


def plain(label: Any) -> Hashable:
    """Label as a plain Python object: numpy scalars unpacked, whole floats (1.0) as the equal int."""
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return label


def check_ids(labels: Iterable[Any]) -> tuple[Hashable, ...]:
    """Validate identifiers: hashable, not missing, unique also when written as text.

    Raises
    ------
    AlignmentError
        Naming the offending labels.
    """
    ids = tuple(labels)
    if set(map(type, ids)) == {int}:  # a million running numbers pass in a blink
        if len(set(ids)) == len(ids):
            return ids
    else:
        ids = tuple(plain(x) for x in ids)
    if not ids:
        raise AlignmentError("ids are empty: a weight matrix needs at least two labelled units")
    unhashable = [x for x in ids if not isinstance(x, Hashable)]
    if unhashable:
        raise AlignmentError(f"ids must be hashable (names or codes), got {shorten(unhashable, 3)}")
    missing = [i for i, x in enumerate(ids) if x is None or x != x or str(x).strip() == ""]
    if missing:
        raise AlignmentError(f"ids are missing (None, NaN or blank) at positions {shorten(missing)}")
    counts = Counter(str(x) for x in ids)
    if len(counts) < len(ids):
        raise AlignmentError(
            f"ids are not unique, these occur more than once: {shorten(sorted(t for t, k in counts.items() if k > 1))}"
        )
    return ids


def province_codes(ids: Sequence[Hashable]) -> tuple[int, ...] | None:
    """Adcodes if every label is a province, else None.

    Bare codes of one or two ASCII characters ("SD", 11) are left alone: they are as likely to be states,
    districts or running numbers.

    Raises
    ------
    AlignmentError
        If two labels mean the same province.
    """
    if len(ids) > len(provinces.PROVINCES):
        if all(_means_province(x) for x in ids):
            raise AlignmentError(f"{len(ids)} labels for 31 provinces: some mean the same province")
        return None
    if not all(_means_province(x) for x in ids):
        return None
    codes = tuple(p.adcode for p in provinces.resolve_many(ids))
    if len(set(codes)) < len(codes):
        twice = [x for x, c in zip(ids, codes, strict=True) if codes.count(c) > 1]
        raise AlignmentError(f"several labels mean the same province: {shorten(twice)}")
    return codes


def _means_province(label: Hashable) -> bool:
    text = str(label)
    return not (len(text) <= 2 and text.isascii()) and provinces.is_province(label)


def _natural(text: str) -> tuple[list[Any], str]:
    """Sort key under which "unit 9" comes before "unit 10"."""
    parts = _DIGITS.split(text)
    return [int(p) if k % 2 else p for k, p in enumerate(parts)], text


def canonical_positions(ids: Sequence[Hashable]) -> NDArray[np.intp]:
    """Positions that put ids into canonical order.

    Provinces (in any form of name): ascending adcode. Anything else: natural order of the labels as text
    ("unit 9" before "unit 10"), so that the order does not depend on how the labels came.
    """
    codes = province_codes(ids)
    if codes is not None:
        return np.argsort(np.asarray(codes), kind="stable")
    if set(map(type, ids)) == {int}:
        numbers = np.asarray(ids)
        if numbers.dtype.kind == "i" and numbers.min() >= 0:
            return np.argsort(numbers, kind="stable")
    texts = [str(x) for x in ids]
    return np.asarray(sorted(range(len(texts)), key=lambda k: _natural(texts[k])), dtype=np.intp)


def tokens(ids: Sequence[Hashable]) -> list[str]:
    """Text that identifies each unit: the adcode of a province whatever its name is written in, else str."""
    codes = province_codes(ids)
    return [str(x) for x in (ids if codes is None else codes)]


def locate(ids: Sequence[Hashable], labels: Iterable[Any], what: str, *, complete: bool = True) -> NDArray[np.intp]:
    """Position in ``ids`` of each label.

    Parameters
    ----------
    ids : sequence
        Identifiers of the matrix.
    labels : iterable
        Labels to find; provinces match under any form of name.
    what : str
        What carries the labels, for the message.
    complete : bool
        Whether every id must be among the labels too.

    Raises
    ------
    AlignmentError
        Naming the labels that do not match.
    """
    given = check_ids(labels)
    codes = province_codes(ids)
    own = [str(x) for x in (ids if codes is None else codes)]
    other = [str(x) for x in given]
    if codes is not None:
        other = [str(provinces.resolve(x).adcode) if provinces.is_province(x) else str(x) for x in given]
        if len(set(other)) < len(other):
            twice = [x for x, key in zip(given, other, strict=True) if other.count(key) > 1]
            raise AlignmentError(f"several labels of {what} mean the same province: {shorten(twice)}")
    place = {x: k for k, x in enumerate(own)}
    unknown = [x for x, key in zip(given, other, strict=True) if key not in place]
    wanted = set(other)
    absent = [x for x, key in zip(ids, own, strict=True) if key not in wanted] if complete else []
    if unknown or absent:
        parts = [f"not in the weights: {shorten(unknown)}"] if unknown else []
        parts += [f"missing from {what}: {shorten(absent)}"] if absent else []
        advice = ". To use the weights among fewer units: w.subset([...])" if absent else ""
        raise AlignmentError(f"units of {what} and of the weights differ; {'; '.join(parts)}{advice}")
    return np.asarray([place[key] for key in other], dtype=np.intp)


def apart(ids: Sequence[Hashable], name: str, others: Sequence[Hashable], to: str) -> str:
    """Message on the units two matrices do not share, and how to take both among those they do."""
    own, other = (dict(zip(tokens(x), x, strict=True)) for x in (ids, others))
    sides = ((name, [own[k] for k in own if k not in other]), (to, [other[k] for k in other if k not in own]))
    only = "; ".join(f"only in {side}: {shorten(units)}" for side, units in sides if units)
    return f"{name} and {to} are not over the same units; {only}. Take both among the units they share: w.subset([...])"
