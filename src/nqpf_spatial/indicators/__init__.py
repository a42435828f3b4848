"""Indicators: composite indices, capital stocks, total factor productivity.

Every function takes a labelled frame (a panel indexed by province and year, or any other units), puts it
into one canonical order, and returns a frozen result with its table, a picture and what it was made of.
"""

from __future__ import annotations

import importlib
from typing import Any

_WHERE = {
    "composite_index": ("CompositeResult", "composite"),
    "methods": ("critic_index", "entropy_index", "equal_index", "pca_index", "topsis_index"),
    "multiverse": ("IndexMultiverse", "index_multiverse"),
    "overlap": ("Overlap", "overlap_check"),
    "tables": ("digital_index", "indicator_table", "nqpf_index"),
    "capital": ("CapitalStock", "capital_stock"),
    "growth": ("SolowResult", "labour_productivity", "solow"),
    "envelopment": ("MalmquistResult", "dea", "malmquist"),
    "stochastic_frontier": ("FrontierResult", "sfa"),
    "_frame": ("TrendWarning",),
}

#: public name -> module of this package that defines it
_NAMES = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Names for tab completion."""
    return sorted(__all__)
