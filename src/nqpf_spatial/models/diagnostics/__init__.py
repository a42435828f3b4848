"""Tests of a fit: `diagnose` gives the battery as one table, every row of it is a function of its own.

Each function takes a `SpatialFit` and returns a frozen `Test`, or a `Diagnosis` (a table of them) where tests belong
together. The docs page on diagnostics lists test, equation, function and source.
"""

from __future__ import annotations

from nqpf_spatial.models.diagnostics._battery import diagnose
from nqpf_spatial.models.diagnostics._effects import effects_test, effects_tests, hausman, mundlak
from nqpf_spatial.models.diagnostics._identification import identification
from nqpf_spatial.models.diagnostics._lm import lm_tests
from nqpf_spatial.models.diagnostics._moran import lm_residual, moran, moran_outcome
from nqpf_spatial.models.diagnostics._nested import lr_test, time_tests, wald_test
from nqpf_spatial.models.diagnostics._panel import (
    breusch_pagan_lm,
    bsk,
    collinearity,
    heteroskedasticity,
    normality,
    pesaran_cd,
    serial,
)
from nqpf_spatial.models.diagnostics._result import Diagnosis, Test

__all__ = [
    "Diagnosis",
    "Test",
    "breusch_pagan_lm",
    "bsk",
    "collinearity",
    "diagnose",
    "effects_test",
    "effects_tests",
    "hausman",
    "heteroskedasticity",
    "identification",
    "lm_residual",
    "lm_tests",
    "lr_test",
    "moran",
    "moran_outcome",
    "mundlak",
    "normality",
    "pesaran_cd",
    "serial",
    "time_tests",
    "wald_test",
]
