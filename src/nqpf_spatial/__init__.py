"""Spatial econometrics of the Chinese provinces, and of any other units.

The public names below are loaded on first use, so that ``import nqpf_spatial``
costs next to nothing. Start with ``nq.load_panel()``, ``nq.weights.contiguity()``
and ``nq.sdm(...)``; ``help(nq.fit)`` explains the one estimation path.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

#: public function -> module that defines it
_FUNCTIONS = {
    "load_panel": "nqpf_spatial.data",
    "load_flows": "nqpf_spatial.data",
    "fit": "nqpf_spatial.models",
    "ols": "nqpf_spatial.models",
    "slx": "nqpf_spatial.models",
    "sar": "nqpf_spatial.models",
    "sdm": "nqpf_spatial.models",
    "sem": "nqpf_spatial.models",
    "sdem": "nqpf_spatial.models",
    "sac": "nqpf_spatial.models",
    "gns": "nqpf_spatial.models",
    "gmm": "nqpf_spatial.models.gmm.estimate",
    "divergence_accounting": "nqpf_spatial.models.accounting.divergence",
    "model_probabilities": "nqpf_spatial.models",
    "pool": "nqpf_spatial.models.missing.pooling",
    "simulate": "nqpf_spatial.models",
    "compare": "nqpf_spatial.report",
    "paper": "nqpf_spatial.report.paper",
    "sweep": "nqpf_spatial.models.sweep.run",
}
_MODULES = ("claims", "data", "divergence", "errors", "indicators", "maps", "models", "provinces", "report", "weights")

__all__ = ["__version__", *sorted(_FUNCTIONS), *_MODULES]


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name in _FUNCTIONS:
        value = getattr(importlib.import_module(_FUNCTIONS[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Names for tab completion."""
    return sorted(__all__)
