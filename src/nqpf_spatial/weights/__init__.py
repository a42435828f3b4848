"""Spatial weights over the provinces and over any other units.

Every builder returns a frozen, labelled :class:`SpatialWeights`; ``from_any`` and ``read`` take weights
from elsewhere. All take ``transform="row" | "spectral" | "minmax" | "none"`` and refuse units without
neighbours unless ``islands="keep"`` is said.
"""

from __future__ import annotations

from nqpf_spatial.weights._compare import WeightsComparison, compare
from nqpf_spatial.weights._files import export, read, write
from nqpf_spatial.weights._moran import moran
from nqpf_spatial.weights._moran_plot import moran_plot
from nqpf_spatial.weights._plots import plot
from nqpf_spatial.weights._report import report
from nqpf_spatial.weights.combine import WeightsSequence, combine, nested, product, sequence, union
from nqpf_spatial.weights.contiguity import contiguity, higher_order, lattice
from nqpf_spatial.weights.core import SpatialWeights
from nqpf_spatial.weights.distance import distance_band, inverse_distance, kernel, knn
from nqpf_spatial.weights.economic import asymmetric_economic, economic, similarity
from nqpf_spatial.weights.flows import flows, gravity, migration, travel_cost
from nqpf_spatial.weights.groups import block, compute_network
from nqpf_spatial.weights.guards import check_presample
from nqpf_spatial.weights.interop import from_any, to_networkx
from nqpf_spatial.weights.registered import REGISTERED, registered, w7

__all__ = [
    "REGISTERED",
    "SpatialWeights",
    "WeightsComparison",
    "WeightsSequence",
    "asymmetric_economic",
    "block",
    "check_presample",
    "combine",
    "compare",
    "compute_network",
    "contiguity",
    "distance_band",
    "economic",
    "export",
    "flows",
    "from_any",
    "gravity",
    "higher_order",
    "inverse_distance",
    "kernel",
    "knn",
    "lattice",
    "migration",
    "moran",
    "moran_plot",
    "nested",
    "plot",
    "product",
    "read",
    "registered",
    "report",
    "sequence",
    "similarity",
    "to_networkx",
    "travel_cost",
    "union",
    "w7",
    "write",
]
