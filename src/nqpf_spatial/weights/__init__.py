"""Spatial weights over the provinces and over any other units.

Every builder returns a frozen, labelled :class:`SpatialWeights`; ``from_any`` and ``read`` take weights
from elsewhere. All take ``transform="row" | "spectral" | "minmax" | "none"`` and refuse units without
neighbours unless ``islands="keep"`` is said.
"""

from __future__ import annotations

from nqpf_spatial.weights.contiguity import contiguity, higher_order, lattice
from nqpf_spatial.weights.core import SpatialWeights
from nqpf_spatial.weights.interop import from_any, to_networkx

__all__ = [
    "SpatialWeights",
    "contiguity",
    "from_any",
    "higher_order",
    "lattice",
    "to_networkx",
]
