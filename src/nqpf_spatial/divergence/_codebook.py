"""What the codebook says of a series that is one of the packaged variables."""

from __future__ import annotations

import re
from typing import Any

_INTENSIVE = re.compile(
    r"\b(percent|ratio|per|index|log|coefficient|mean)\b|^years|preceding year = 100", re.IGNORECASE
)


def _entry(name: str) -> dict[str, Any] | None:
    # imported here: the room serves any labelled series, the release is read only when it is asked for
    from nqpf_spatial.data import _store, catalogue

    known = name in _store.variables().index or name in _store.definitions().index
    return catalogue.entry(name) if known else None


def unit_of(name: str) -> str:
    """Unit of measurement of a packaged variable; empty for any other series."""
    entry = _entry(name)
    return "" if entry is None else str(entry["unit"])


def is_intensity(name: str) -> bool:
    """Whether a packaged variable is a rate, ratio, index or amount per head by its unit: such cells do not add up."""
    return bool(_INTENSIVE.search(unit_of(name)))


def label_of(name: str, lang: str) -> str:
    """Label of a packaged variable in the language; any other name stays as it is."""
    entry = _entry(name)
    return name if entry is None else str(entry[f"label_{lang}"])
