"""Regional divergence: inequality, polarisation, convergence, mobility, concentration and trend rules.

Every function takes a labelled Series indexed by (unit, time), or by unit alone, aligns weights and groups
by label, computes all years at once, and returns a frozen result with ``.table``, ``.plot(lang=, ax=)`` and
a text.
"""

from __future__ import annotations

import importlib
from typing import Any

_WHERE = {
    "measures": ("inequality", "gini", "atkinson", "cv", "sd_log"),
    "theil_groups": ("theil",),
    "polarize": ("polarization", "esteban_ray", "egr", "der", "wolfson", "zhang_kanbur"),
    "rules": ("trend_rule", "share", "level_permutation"),
    "rules_frozen": ("ossify", "polar"),
    "space": ("moran_by_year", "lisa_by_year", "gravity_center", "standard_ellipse"),
    "_centres": ("IntensityWarning",),
    "concentration": ("location_quotient", "quotient_plot", "dissimilarity", "mismatch_index", "hhi"),
    "sectoral": ("krugman",),
    "dagum_gini": ("dagum", "gini_change"),
    "distributions": ("densities", "silverman_test"),
    "rank_paths": ("ranks",),
    "stochastic": ("stochastic_convergence",),
    "sigmas": ("sigma",),
    "betas": ("beta", "beta_design", "half_life", "NickellBiasWarning"),
    "phillips_sul": ("log_t", "clubs", "UnitDependenceWarning"),
    "relative": ("transition_paths",),
    "gaps": ("gap", "ratio"),
    "group_lines": ("group_means",),
    "markov_chains": ("markov", "spatial_markov"),
    "trends": ("theil_sen", "mann_kendall", "trend_label", "trend_table", "structural_break"),
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
