"""R-POLAR: Wolfson and Esteban-Ray polarisation under R-TREND.

Pre-stated: both indices (Esteban-Ray with `er_alpha`) must carry the label; the Esteban-Gradin-Ray index of the four
blocks and the alphas of `er_alpha_sensitivity` stand beside.

Readings fixed before any verdict was computed:

* Esteban-Ray is that of the four blocks: with every province a group of its own it is a multiple of the Gini index.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from nqpf_spatial.claims.rules.trend import Label, Measure, Trend

#: indices that decide
DECIDING = ("wolfson", "esteban_ray")


def polarises(
    name: str,
    wanted: Label,
    measures: tuple[Measure, ...],
    trend_parameters: Mapping[str, Any],
    key: Hashable = None,
) -> Trend:
    """R-POLAR as a clause: both deciding indices carry the label.

    Parameters
    ----------
    name : str
    wanted : {"DIVERGING", "CONVERGING"}
    measures : tuple of Measure
        The deciding indices, by name.
    trend_parameters : mapping
        Of R-TREND.

    Returns
    -------
    Trend
    """
    if tuple(m.name for m in measures) != DECIDING:
        raise ValueError(f"R-POLAR needs the trends of {', '.join(DECIDING)}, given {[m.name for m in measures]}")
    return Trend(name, wanted, measures, trend_parameters, key)
