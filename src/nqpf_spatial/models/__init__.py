"""Spatial models: formula and labels in, frozen results out. `fit` is the one path; the rest are its fronts."""

from __future__ import annotations

import importlib
from typing import Any

from nqpf_spatial.models.accounting.divergence import Accounting, divergence_accounting
from nqpf_spatial.models.bayes.averaging import ModelProbabilities, compare_fits, model_probabilities
from nqpf_spatial.models.bayes.posterior import Posterior, Prior
from nqpf_spatial.models.dynamic.impacts import DynamicImpacts
from nqpf_spatial.models.dynamic.part import check_same_sample
from nqpf_spatial.models.dynamic.paths import ImpulseResponses
from nqpf_spatial.models.dynamic.stability import Stability
from nqpf_spatial.models.fit import fit, gns, ols, sac, sar, sdem, sdm, sem, slx
from nqpf_spatial.models.impacts.inference import Impacts
from nqpf_spatial.models.jackknife import HalfPanel, half_panel_jackknife
from nqpf_spatial.models.profile import RhoProfile
from nqpf_spatial.models.qap import QapResult, mrqap, pairwise_gaps
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.models.scenarios.changes import percent
from nqpf_spatial.models.scenarios.counterfactual import Counterfactual
from nqpf_spatial.models.scenarios.forecast import Forecast
from nqpf_spatial.models.several.impacts import SeveralImpacts
from nqpf_spatial.models.several.results import SeveralFit
from nqpf_spatial.models.several.shares import ShareTest
from nqpf_spatial.models.simulate import simulate
from nqpf_spatial.models.threshold import ThresholdFit, threshold

__all__ = [
    "Accounting",
    "Counterfactual",
    "DynamicImpacts",
    "Forecast",
    "HalfPanel",
    "Impacts",
    "ImpulseResponses",
    "ModelProbabilities",
    "Posterior",
    "Prior",
    "QapResult",
    "RhoProfile",
    "SeveralFit",
    "SeveralImpacts",
    "ShareTest",
    "SpatialFit",
    "Stability",
    "ThresholdFit",
    "check_same_sample",
    "compare_fits",
    "diagnostics",
    "divergence_accounting",
    "fit",
    "gns",
    "half_panel_jackknife",
    "model_probabilities",
    "mrqap",
    "ols",
    "pairwise_gaps",
    "percent",
    "sac",
    "sar",
    "sdem",
    "sdm",
    "sem",
    "simulate",
    "slx",
    "threshold",
]


def __getattr__(name: str) -> Any:
    """Load the module of tests on first use (PEP 562)."""
    if name != "diagnostics":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return importlib.import_module(f"{__name__}.diagnostics")
