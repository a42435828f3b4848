"""What the codebook says of a series that is one of the packaged variables."""

from __future__ import annotations

import re
from typing import Any

from nqpf_spatial.data._unit_words import unit_word

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


def axis_label(name: str, lang: str) -> str:
    """Label and unit of a packaged variable for an axis, on two lines where they are long; any other name stays as it is."""
    label, unit = label_of(name, lang), unit_of(name)
    if not unit or unit in label or unit.startswith("log "):
        return label  # a logarithm says so in its label
    if lang == "zh":
        return f"{label}（{unit_word(unit)}）" if len(label) < 16 else f"{label}\n{unit_word(unit)}"
    return f"{label}\n{unit}"
