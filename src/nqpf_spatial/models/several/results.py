"""The frozen result of a fit with several or changing weights: the vocabulary of `SpatialFit`, or a refusal in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.models.bootstrap import Bootstrap
from nqpf_spatial.models.covariance import covariance
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.models.scenarios.predict import KINDS
from nqpf_spatial.models.several.estimate import SeveralEstimate, free_covariance
from nqpf_spatial.models.several.weights import ONE_W, AnyWeights, NamedWeights, stack
from nqpf_spatial.weights.combine import WeightsSequence, combine
from nqpf_spatial.weights.core import SpatialWeights

if TYPE_CHECKING:
    from nqpf_spatial.models.several.impacts import SeveralImpacts
    from nqpf_spatial.models.several.shares import ShareTest


@dataclass(frozen=True, eq=False, repr=False)
class SeveralFit(SpatialFit):
    """Result of `nqpf_spatial.fit` with several matrices, a convex combination, or W that changes over time.

    Everything a `SpatialFit` offers works on it, or says why not. Parameters after the regressors: ``rho`` with one changing W,
    ``rho:name`` with several lags, ``rho`` and ``share:name`` with a combination; lags of regressors ``W:name:x``, or ``W:x``.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> panel, years = nq.load_panel(), (2012, 2024)
    >>> formula = "ln_gdp_real_pc ~ ln_rd_intensity | province + year"
    >>> near, far = nq.weights.contiguity(), nq.weights.inverse_distance(power=2)
    >>> lags = nq.sdm(formula, panel, {"near": near, "far": far}, years=years)
    >>> lags.params.index.tolist()
    ['ln_rd_intensity', 'W:near:ln_rd_intensity', 'W:far:ln_rd_intensity', 'rho:near', 'rho:far']
    >>> mixed = nq.sdm(formula, panel, {"near": near, "far": far}, years=years, combine=True)
    >>> mixed.params[["share:near", "share:far"]].sum().round(12)
    np.float64(1.0)
    >>> changing = nq.weights.sequence({year: near if year < 2020 else far for year in range(2012, 2025)})
    >>> moving = nq.sdm(formula, panel, changing, years=years, correction="score")
    >>> moving.impacts().by_period().shape
    (13, 18)
    """

    @property
    def several(self) -> SeveralEstimate:
        """The estimate with its terms."""
        assert isinstance(self.estimate, SeveralEstimate)
        return self.estimate

    # -- what was fitted -------------------------------------------------------------------------------------
    @property
    def w(self) -> NamedWeights | WeightsSequence:  # type: ignore[override]
        """The matrices by name, or the one sequence of a model with a changing W."""
        terms = self.several.several.all()
        if len(terms) == 1 and isinstance(terms[0].weights, WeightsSequence):
            return terms[0].weights
        return NamedWeights(terms)

    def combined(self) -> AnyWeights:
        """The convex combination at the estimated shares, as weights (a sequence where its matrices change).

        Shares at zero are left out. Row-standardised matrices only: `nqpf_spatial.weights.combine` would standardise others anew.
        """
        est = self.several
        terms, chosen = est.several.terms, est.ml.shares
        if chosen is None:
            raise ValueError("the fit has no shares: combined() belongs to nq.fit(..., combine=True)")
        assert est.lag is not None
        if not est.lag.stochastic:
            raise ValueError(
                "the rows of the matrices do not sum to one; add share times matrix yourself, see fit.params"
            )
        kept = [m for m in range(chosen.size) if chosen[m] > 0]

        def at(ws: list[SpatialWeights]) -> SpatialWeights:
            if len(ws) == 1:
                return ws[0]
            return combine(ws, list(chosen[kept] / chosen[kept].sum()))

        over = [terms[m].over(est.design.periods) for m in kept]
        if not est.changing:
            return at([o[0] for o in over])
        periods = est.design.periods
        return WeightsSequence({p: at([o[t] for o in over]) for t, p in enumerate(periods)})  # type: ignore[misc]

    # -- estimates -------------------------------------------------------------------------------------------
    @cached_property
    def _params(self) -> pd.Series:
        est = self.several
        values = np.append(est.fit.beta, est.spatial_values)
        index = pd.Index([*est.columns.names, *est.spatial_names], name="term")
        return pd.Series(values, index=index, name="estimate", dtype=float)

    @property
    def rho(self) -> float | None:
        """The coefficient of the lag; several lags have one each, ``fit.params["rho:name"]``."""
        if len(self.several.several.terms) > 1 and self.several.ml.shares is None:
            raise ValueError(
                f"the fit has several lags: {', '.join(self.several.spatial_names)} in fit.params. With rows that sum to one the total "
                "multiplier is 1 / (1 - their sum)"
            )
        return self.several.ml.rho if self.several.model.lag else None

    @property
    def k_params(self) -> int:
        """Parameters behind the likelihood; shares sum to one, so that one of them is none."""
        return super().k_params - (self.several.ml.shares is not None)

    @cached_property
    def _covariance(self) -> NDArray:
        """Covariance of (params, sigma2), zero for shares held at zero."""
        return free_covariance(self.several.ml, self.free_cov())

    def free_cov(self) -> NDArray:
        """Covariance of the free parameters and sigma2: without the shares at zero and one of the others."""
        return covariance(self.estimate, self.vcov, self.vcov_options)

    @property
    def bse(self) -> pd.Series:
        """Standard errors; none (NaN) for a share at its bound, which has no normal distribution: see `shares`."""
        se = super().bse
        shares = self.several.ml.shares
        if shares is not None:
            se.iloc[-shares.size :] = np.where((shares > 0) & (shares < 1), se.iloc[-shares.size :], np.nan)
        return se

    # -- shares ----------------------------------------------------------------------------------------------
    def shares(self, alpha: float = 0.05) -> pd.DataFrame:
        """Shares with profile-likelihood intervals and tests of zero; see `nqpf_spatial.models.several.shares.shares`."""
        from nqpf_spatial.models.several.shares import shares

        return shares(self, alpha)

    def share_test(self, name: str, method: str = "mixture", replicates: int = 199, seed: int = 0) -> ShareTest:
        """Test that a matrix has no share; see `nqpf_spatial.models.several.shares.share_test`."""
        from nqpf_spatial.models.several.shares import share_test

        return share_test(self, name, method, replicates, seed)

    # -- inference -------------------------------------------------------------------------------------------
    def bootstrap(
        self,
        kind: str | None = None,
        replicates: int = 999,
        seed: int = 0,
        groups: pd.Series | Mapping[Any, Any] | str | None = None,
    ) -> Bootstrap:
        """Replicates of the estimates; kinds as in `nqpf_spatial.models.bootstrap.bootstrap`."""
        from nqpf_spatial.models.several.bootstrap import bootstrap

        chosen = kind or "residual"
        params, sigma2 = bootstrap(self.several, chosen, replicates, seed, groups)
        frame = pd.DataFrame(params, columns=self.params.index)
        return Bootstrap(frame, pd.Series(sigma2, name="sigma2"), self.params, chosen, seed, replicates)

    def impacts(self, method: str = "delta", **options: Any) -> SeveralImpacts:  # type: ignore[override]
        """Direct, indirect and total impacts; see `nqpf_spatial.models.several.impacts.impacts`.

        With weights that change over time they are averages over the periods; ``.by_period()`` has each.
        """
        from nqpf_spatial.models.several.impacts import impacts

        return impacts(self, method=method, **options)

    def posterior(self, *args: Any, **options: Any) -> NoReturn:
        """Not available: the posterior is that of a model with one W."""
        _refuse("the exact posterior integrates over one rho with one W", 'impacts(method="simulate") or bootstrap()')

    def permutation_test(self, *args: Any, **options: Any) -> NoReturn:
        """Not available."""
        _refuse("permutation tests refit models with one W", "bootstrap()")

    def random_counterpart(self, *args: Any, **options: Any) -> NoReturn:
        """Not available: random effects take one W."""
        _refuse("random effects take one W", "fixed effects")

    def diagnose(self, **options: Any) -> NoReturn:
        """Not available: the battery is about models with one W."""
        _refuse(
            "the tests of diagnose() are about one W",
            "shares() and share_test() for a combination, z values of rho:name for several lags, and fits with each W alone",
        )

    # -- values per observation ------------------------------------------------------------------------------
    def predict(self, kind: str = "TC", data: pd.DataFrame | None = None, time_effect: Any = None) -> pd.Series:
        """Predictions in the sample, period by period with its W; kinds as in `nqpf_spatial.models.scenarios.predict.predict`."""
        if data is not None or time_effect is not None:
            raise ValueError(f"{ONE_W} (data= and time_effect= predict other rows). predict(kind) in the sample works")
        if kind not in KINDS:
            raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(map(repr, KINDS))}")
        return self.estimate.design.series(predicted(self.several, kind, self._parts), "predicted")

    def forecast(self, data: pd.DataFrame, **options: Any) -> NoReturn:
        """Not available: later periods would need a W each."""
        _refuse("a forecast takes one constant W", "predict() in the sample")

    def counterfactual(self, changes: Mapping[str, Any], **options: Any) -> NoReturn:
        """Not available."""
        _refuse(
            "counterfactuals take one constant W",
            "impacts(), with by_unit(term) for the response of every unit to every other",
        )

    def explain(self, lang: str = "en") -> NoReturn:
        """Not available."""
        _refuse("explain() speaks of one W", "summary(), impacts() and shares()")


def predicted(est: SeveralEstimate, kind: str, parts: tuple[NDArray, NDArray, NDArray]) -> NDArray:
    """In-sample predictions (T, N) of one kind; `parts` as of `residuals.decompose`."""
    _, effects, e = parts
    trend = np.tensordot(est.fit.beta, est.columns.z, axes=1) + effects
    if kind == "trend":
        return trend
    if kind == "TS":
        return est.design.y - e
    lag = stack(est.several.terms, est.design.periods, est.design.shape[1])
    filters = (np.eye(trend.shape[1]) - np.tensordot(lag.w, est.ml.r, axes=(1, 0)))[lag.pattern]
    reduced = np.linalg.solve(filters, trend[..., None])[..., 0]
    if kind == "TC":
        return reduced
    precision = filters.transpose(0, 2, 1) @ filters
    away = np.einsum("tij,tj->ti", precision, est.design.y - reduced)
    return est.design.y - away / np.diagonal(precision, axis1=1, axis2=2)


def _refuse(why: str, instead: str) -> NoReturn:
    raise ValueError(f"not available with several or changing weights: {why}. Use {instead}")
