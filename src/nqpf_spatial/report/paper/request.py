"""What the document is made from: one specification, its fit, and the same specification changed in one respect."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from nqpf_spatial import provinces
from nqpf_spatial.models.design import MEAN, Design
from nqpf_spatial.models.diagnostics import Diagnosis
from nqpf_spatial.models.fit import fit as fit_model
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.models.spec import ParsedFormula, parse_formula
from nqpf_spatial.models.term_labels import known_labels, term_label
from nqpf_spatial.weights.core import SpatialWeights


@dataclass(frozen=True)
class Request:
    """The arguments of `nqpf_spatial.paper`, and what follows from them."""

    formula: str
    data: pd.DataFrame
    w: SpatialWeights
    model: str
    years: tuple[object, object] | None
    weights: Mapping[str, SpatialWeights]
    drop: Mapping[str, Sequence[Hashable]] | None
    lag: int
    winsorize: float
    heterogeneity: str | Mapping[Any, Any] | pd.Series | None
    mechanism: Mapping[str, Any] | None
    focus: str | None
    geometry: Any
    lang: str
    labels: Mapping[str, str]
    digits: int
    alpha: float
    permutations: int
    replicates: int
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)

    # -- fits ------------------------------------------------------------------------------------------------
    def refit(self, **changes: Any) -> SpatialFit:
        """The specification through the one estimation path; `changes` are arguments of `nqpf_spatial.fit`."""
        given: dict[str, Any] = {
            "formula": self.formula,
            "data": self.data,
            "w": self.w,
            "model": self.model,
            "years": self.years,
            **self.options,
        }
        given |= changes
        if given["model"] in ("OLS", "SAR", "SEM", "SAC"):
            given.pop("durbin", None)
        if given["model"] == "OLS":
            given["w"] = None
        return fit_model(given.pop("formula"), given.pop("data"), given.pop("w"), **given)

    @cached_property
    def fit(self) -> SpatialFit:
        """The fit of the specification."""
        return self.refit()

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """The test battery of the fit."""
        w = self.w if self.fit.w is None else None
        return self.fit.diagnose(w=w, replicates=self.replicates, seed=self.seed, lang=self.lang)

    # -- the specification in parts --------------------------------------------------------------------------
    @property
    def parsed(self) -> ParsedFormula:
        """The formula in parts."""
        return parse_formula(self.formula)

    @property
    def design(self) -> Design:
        """Outcome and regressors as the fit uses them."""
        return self.fit.estimate.design

    @property
    def outcome(self) -> pd.Series:
        """The outcome of the fit, named by its label."""
        return self.design.series(self.design.y, self.label(self.design.outcome))

    @cached_property
    def regressors(self) -> dict[str, np.ndarray]:
        """Name -> (T, N) values of the regressors, without intercept and Mundlak's unit means."""
        pairs = zip(self.design.names, self.design.x, strict=True)
        return {name: x for name, x in pairs if name != "Intercept" and not name.startswith(MEAN)}

    @cached_property
    def of_interest(self) -> str:
        """The regressor whose heterogeneity and robustness are drawn: focus=, or the first of the formula."""
        names = list(self.regressors)
        if self.focus is not None and self.focus not in names:
            raise ValueError(f"focus={self.focus!r} is no regressor; there are {', '.join(names)}")
        if not names:
            raise ValueError(f"the formula {self.formula!r} has no regressors: there is nothing to report on")
        return names[0] if self.focus is None else self.focus

    def with_terms(self, left: str, drop: Sequence[str] = (), add: Sequence[str] = ()) -> str:
        """The formula with another outcome, without some terms and with others."""
        terms = [str(t) for t in self.parsed.formula.rhs if str(t) != "1" and str(t) not in drop]
        start = [] if self.parsed.intercept else ["0"]
        effects = f" | {' + '.join(self.parsed.effects)}" if self.parsed.effects else ""
        return f"{left} ~ {' + '.join([*start, *terms, *add])}{effects}"

    @property
    def left(self) -> str:
        """The outcome as the formula writes it."""
        return self.formula.partition("~")[0].strip()

    # -- units and words -------------------------------------------------------------------------------------
    @cached_property
    def panel(self) -> bool:
        """More than one period."""
        return len(self.design.levels) == 2 and self.design.shape[0] > 1

    @cached_property
    def provincial(self) -> bool:
        """Every unit is a Chinese province."""
        return all(map(provinces.is_province, self.design.units))

    @cached_property
    def known(self) -> dict[str, str]:
        """Labels of variables: those given, and the codebook's for the packaged panel."""
        packaged = known_labels(self.lang) if self.fit.release is not None else {}
        return {**packaged, **self.labels}

    def label(self, term: str) -> str:
        """Label of a term."""
        return term_label(term, self.known, self.lang, self.design.outcome)

    def unit_label(self, unit: Hashable) -> str:
        """Name of a unit in the language of the document."""
        return str(provinces.label(unit, "zh" if self.lang == "zh" else "en")) if self.provincial else str(unit)
