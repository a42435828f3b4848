"""What is computed from a result, as its methods: each hands over to the module that does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

if TYPE_CHECKING:
    from nqpf_spatial.models.accounting.divergence import Accounting
    from nqpf_spatial.models.bayes.posterior import Posterior, Prior
    from nqpf_spatial.models.diagnostics import Diagnosis
    from nqpf_spatial.models.dynamic.paths import ImpulseResponses
    from nqpf_spatial.models.dynamic.stability import Stability
    from nqpf_spatial.models.explain.facts import Explanation
    from nqpf_spatial.models.impacts.inference import Impacts
    from nqpf_spatial.models.permutation import Permutation
    from nqpf_spatial.models.profile import RhoProfile
    from nqpf_spatial.models.results import SpatialFit
    from nqpf_spatial.models.scenarios.counterfactual import Counterfactual
    from nqpf_spatial.models.scenarios.forecast import Forecast
    from nqpf_spatial.models.scenarios.time_effects import TimeEffect


def _fit(front: FitFronts) -> SpatialFit:
    return cast("SpatialFit", front)


class FitFronts:
    """Impacts, tests, scenarios and texts of a fit with a likelihood; imported when they are asked for."""

    __slots__ = ()

    def impacts(self, method: str = "delta", **options: Any) -> Impacts:
        """Direct, indirect and total impacts of the regressors; see `nqpf_spatial.models.impacts.inference.impacts`.

        Parameters
        ----------
        method : {"delta", "simulate", "bootstrap", "posterior"}
        **options
            ``draws=10000``, ``seed=0``, ``alpha=0.05``, ``prior="flat"`` (posterior). For dynamic fits ``horizon=`` and
            ``cumulative=``, and ``method="fieller"``: see `nqpf_spatial.models.dynamic.impacts.dynamic_impacts`.
        """
        from nqpf_spatial.models.impacts.inference import impacts

        return impacts(_fit(self), method=method, **options)

    def profile(self, alpha: float = 0.05, points: int | None = None) -> RhoProfile:
        """Profile likelihood of rho with the likelihood-ratio interval; see `nqpf_spatial.models.profile.profile`."""
        from nqpf_spatial.models.profile import profile

        return profile(_fit(self), alpha, points)

    def stability(self, alpha: float = 0.05) -> Stability:
        """Dynamic fits: ``tau + rho + eta`` with its test and the roots; see `nqpf_spatial.models.dynamic.stability.stability`."""
        from nqpf_spatial.models.dynamic.stability import stability

        return stability(_fit(self), alpha)

    def impulse_responses(
        self, horizons: int = 10, *, cumulative: bool = False, alpha: float = 0.05
    ) -> ImpulseResponses:
        """Dynamic fits: effects over time; see `nqpf_spatial.models.dynamic.paths.impulse_responses`."""
        from nqpf_spatial.models.dynamic.paths import impulse_responses

        return impulse_responses(_fit(self), horizons, cumulative=cumulative, alpha=alpha)

    def counterfactual(self, changes: Mapping[str, Any], **options: Any) -> Counterfactual:
        """Response of every unit to changed regressors; see `nqpf_spatial.models.scenarios.counterfactual.counterfactual`.

        Parameters
        ----------
        changes : mapping
            From variables to changes: ``"+10%"``, ``+0.1``, a labelled Series or DataFrame, or a function.
        **options
            ``where=None``, ``years=None``, ``method="delta"``, ``draws=10000``, ``seed=0``, ``alpha=0.05``.
        """
        from nqpf_spatial.models.scenarios.counterfactual import counterfactual

        return counterfactual(_fit(self), changes, **options)

    def account(self, measure: str = "theil", **options: Any) -> Accounting:
        """Attribute an inequality and its change to the parts of the model; see `nqpf_spatial.divergence_accounting`."""
        from nqpf_spatial.models.accounting.divergence import divergence_accounting

        return divergence_accounting(_fit(self), measure, **options)

    def posterior(self, draws: int = 10_000, seed: int = 0, prior: Prior | str = "flat") -> Posterior:
        """Exact posterior samples and marginal likelihood; see `nqpf_spatial.models.bayes.posterior.posterior`."""
        from nqpf_spatial.models.bayes.posterior import posterior

        return posterior(_fit(self), draws, seed, prior)

    def permutation_test(
        self, term: str, effect: str = "direct", permutations: int = 999, seed: int = 0
    ) -> Permutation:
        """Permutation test of one regressor; see `nqpf_spatial.models.permutation.permutation_test`."""
        from nqpf_spatial.models.permutation import permutation_test

        return permutation_test(_fit(self), term, effect, permutations, seed)

    def diagnose(self, **options: Any) -> Diagnosis:
        """The whole test battery as one table; see `nqpf_spatial.models.diagnostics.diagnose` for the options."""
        from nqpf_spatial.models.diagnostics import diagnose

        return diagnose(_fit(self), **options)

    def predict(self, kind: str = "TC", data: pd.DataFrame | None = None, time_effect: TimeEffect = None) -> pd.Series:
        """Predictions; see `nqpf_spatial.models.scenarios.predict.predict`.

        By default the reduced form in the sample, ``(I - rho W)^-1 (Z beta + effects)``: the error is set to zero, also its
        spatial part. Other kinds use the outcomes of other units: ``"TS"`` (``y - resid``), ``"BP"``, and ``"trend"``. With
        time lags every period is predicted from the observed y of the period before. With `data` the reduced form of other rows.
        """
        from nqpf_spatial.models.scenarios.predict import predict

        return predict(_fit(self), kind, data, time_effect)

    def forecast(self, data: pd.DataFrame, **options: Any) -> Forecast:
        """Later periods from their regressors, with intervals; see `nqpf_spatial.models.scenarios.forecast.forecast`.

        Parameters
        ----------
        data : DataFrame
        **options
            ``time_effect=`` (required with fixed time effects: "last", "mean", "trend" or numbers), ``time_sd=0.0``,
            ``method="simulate"``, ``draws=10000``, ``seed=0``, ``alpha=0.05``.
        """
        from nqpf_spatial.models.scenarios.forecast import forecast

        return forecast(_fit(self), data, **options)

    def explain(self, lang: str = "en") -> Explanation:
        """What was estimated, how to read each effect, what to be careful about, in English or Chinese ("zh")."""
        from nqpf_spatial.models.explain.facts import explain

        return explain(_fit(self), lang)
