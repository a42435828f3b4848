"""The frozen result of a fit: labels around the kernel's numbers; every method computes, none mutates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.models import account
from nqpf_spatial.models.bootstrap import Bootstrap, bootstrap
from nqpf_spatial.models.covariance import check_alpha, check_holds, check_vcov, covariance
from nqpf_spatial.models.design import MEAN
from nqpf_spatial.models.dynamic.part import dynamic_terms, static_only
from nqpf_spatial.models.estimate import Estimate
from nqpf_spatial.models.fronts import FitFronts
from nqpf_spatial.models.missing import unbalanced
from nqpf_spatial.models.missing.choices import Dropped
from nqpf_spatial.models.missing.networks import require_balanced
from nqpf_spatial.models.pictures.of_fit import FitPictures
from nqpf_spatial.models.random_effects import predict as predict_random
from nqpf_spatial.models.random_effects import random_counterpart
from nqpf_spatial.models.residuals import decompose
from nqpf_spatial.models.spec import ParsedFormula
from nqpf_spatial.models.table_protocol import TableProtocol
from nqpf_spatial.weights.core import SpatialWeights


@dataclass(frozen=True, eq=False)
class SpatialFit(TableProtocol, FitPictures, FitFronts):
    """Result of `nqpf_spatial.fit`; computed on demand from the frozen estimate.

    Attributes
    ----------
    estimate : Estimate
        Design arrays, weights, reduced data, likelihood and its maximum (for those who extend the library).
    parsed : ParsedFormula
    vcov : str
        Covariance in use; `with_vcov` gives a new result with another one.
    release : str or None
        Data release of the packaged panel, if the data came from `load_panel`.
    """

    estimate: Estimate
    parsed: ParsedFormula
    vcov: str
    release: str | None
    vcov_options: Mapping[str, Any] = field(default_factory=dict)

    # -- what was fitted -------------------------------------------------------------------------------------
    @property
    def model(self) -> str:
        """Name of the model."""
        return self.estimate.model.name

    @property
    def formula(self) -> str:
        """The formula as given."""
        return self.parsed.text

    @property
    def effects(self) -> tuple[str, ...]:
        """Fixed effects by the names of the index levels."""
        design = self.estimate.design
        return tuple(level for level, on in zip(design.levels, (design.unit, design.time), strict=False) if on)

    @property
    def random(self) -> str | None:
        """``"random"`` or ``"mundlak"`` unit effects; None with fixed effects."""
        if self.estimate.random is None:
            return None
        return "mundlak" if any(name.startswith(MEAN) for name in self.estimate.design.names) else "random"

    @property
    def dynamic(self) -> tuple[str, ...]:
        """Time lags of the model, of ``("lag_y", "lag_wy")``; empty for a static one."""
        return dynamic_terms(self.estimate)

    @property
    def phi(self) -> float | None:
        """``sigma2 / (sigma2 + T sigma2_mu)``, None with fixed effects."""
        return None if self.estimate.random is None else self.estimate.random.phi

    @property
    def sigma2_mu(self) -> float | None:
        """Variance of the random unit effects, None with fixed effects."""
        return None if self.estimate.random is None else self.estimate.random.sigma2_mu

    @property
    def correction(self) -> str:
        """``"transform"`` or ``"none"``; without fixed effects there is nothing to correct and both agree."""
        return self.estimate.correction

    @property
    def dropped(self) -> Dropped:
        """Incomplete cells, and the units and periods left out because of them; empty where nothing was missing."""
        return self.estimate.design.dropped

    @property
    def w(self) -> SpatialWeights | None:
        """Spatial weights of the lag (or of the other spatial terms where there is no lag)."""
        return self.estimate.weights.first()

    # -- estimates -------------------------------------------------------------------------------------------
    @property
    def params(self) -> pd.Series:
        """Coefficients: regressors, ``W:name`` for their spatial lags, then ``rho`` and / or ``lambda``."""
        return self._params.copy()

    @cached_property
    def _params(self) -> pd.Series:
        fit = self.estimate.fit
        names, values = list(self.estimate.columns.names), list(fit.beta)
        if self.estimate.model.lag:
            names, values = [*names, "rho"], [*values, fit.rho]
        if self.estimate.model.error:
            names, values = [*names, "lambda"], [*values, fit.lambda_]
        return pd.Series(values, index=pd.Index(names, name="term"), name="estimate", dtype=float)

    @property
    def rho(self) -> float | None:
        """Spatial autoregressive coefficient, None in models without one."""
        return self.estimate.fit.rho if self.estimate.model.lag else None

    @property
    def lambda_(self) -> float | None:
        """Spatial error coefficient, None in models without one."""
        return self.estimate.fit.lambda_ if self.estimate.model.error else None

    @property
    def sigma2(self) -> float:
        """Error variance SSE / n, n that of the likelihood."""
        return self.estimate.fit.sigma2

    @property
    def llf(self) -> float:
        """Log-likelihood with all constants; it belongs to `n_effective` observations."""
        return self.estimate.fit.llf

    @property
    def nobs(self) -> int:
        """Observed cells, N T in a balanced panel."""
        return self.estimate.design.nobs

    @property
    def n_effective(self) -> int:
        """Observations of the likelihood, (N-1)(T-1) for the two-way transformation."""
        return self.estimate.likelihood.n

    @property
    def k_params(self) -> int:
        """Parameters behind the likelihood: coefficients, sigma2 and, for dummy-variable ML, the fixed effects."""
        variances = 1 if self.estimate.random is None else 2
        return len(self.params) + variances + account.dummies(self)

    @property
    def aic(self) -> float:
        """Akaike's criterion; comparable only between fits of the same data, effects and correction."""
        return -2.0 * self.llf + 2.0 * self.k_params

    @property
    def bic(self) -> float:
        """Schwarz's criterion with ln(n_effective)."""
        return -2.0 * self.llf + np.log(self.n_effective) * self.k_params

    # -- inference -------------------------------------------------------------------------------------------
    @cached_property
    def _covariance(self) -> NDArray:
        """Covariance of (params, sigma2)."""
        return covariance(self.estimate, self.vcov, self.vcov_options)

    def cov_params(self) -> pd.DataFrame:
        """Covariance matrix of `params`."""
        k = len(self.params)
        return pd.DataFrame(self._covariance[:k, :k], index=self.params.index, columns=self.params.index)

    @property
    def bse(self) -> pd.Series:
        """Standard errors."""
        k = len(self.params)
        return pd.Series(np.sqrt(np.diag(self._covariance)[:k]), index=self.params.index, name="se")

    @property
    def sigma2_se(self) -> float:
        """Standard error of sigma2."""
        return float(np.sqrt(self._covariance[-1, -1]))

    @property
    def zvalues(self) -> pd.Series:
        """Estimates over standard errors."""
        return (self.params / self.bse).rename("z")

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values of the normal distribution."""
        return pd.Series(2 * stats.norm.sf(np.abs(self.zvalues)), index=self.params.index, name="p")

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Intervals at level 1 - alpha: columns lower and upper."""
        check_alpha(alpha)
        half = stats.norm.isf(alpha / 2) * self.bse
        return pd.DataFrame({"lower": self.params - half, "upper": self.params + half})

    def with_vcov(self, vcov: str, **options: Any) -> SpatialFit:
        """The same estimates with another covariance; a new result.

        Parameters
        ----------
        vcov : str
            ``"observed"`` and ``"expected"`` information (iid normal errors); ``"sandwich"`` (iid errors of any
            distribution: QML with third and fourth moments, Lee 2004); ``"cluster"`` (independent between units, or
            between ``groups=``: a mapping or "block"); ``"driscoll-kraay"`` (independent between distant periods,
            ``lags=``); ``"conley"`` (``distance=`` a labelled frame, ``cutoff=``, both in km).
        **options
            As named above.
        """
        check_vcov(vcov, options)
        check_holds(self.estimate, vcov)
        return replace(self, vcov=vcov, vcov_options=options)

    def bootstrap(
        self,
        kind: str | None = None,
        replicates: int = 999,
        seed: int = 0,
        groups: pd.Series | Mapping[Any, Any] | str | None = None,
    ) -> Bootstrap:
        """Replicates of the estimates; see `nqpf_spatial.models.bootstrap.bootstrap` for the kinds.

        Parameters
        ----------
        kind : str, optional
            ``"residual"`` by default, ``"recursive"`` for dynamic fits, which take no other.

        Examples
        --------
        >>> import nqpf_spatial as nq
        >>> w = nq.weights.contiguity()
        >>> data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "rho": 0.4}, seed=1)
        >>> res = nq.sar("y ~ x | unit + period", data, w)
        >>> res.bootstrap(replicates=200, seed=1).params.shape
        (200, 2)
        """
        chosen = kind or ("recursive" if self.dynamic else "residual")
        params, sigma2 = bootstrap(self.estimate, chosen, replicates, seed, groups)
        frame = pd.DataFrame(params, columns=self.params.index)
        return Bootstrap(frame, pd.Series(sigma2, name="sigma2"), self.params, chosen, seed, replicates)

    def random_counterpart(self, random_error: str = "kkp") -> SpatialFit:
        """The same regression with random unit effects; what `diagnose` uses for the Hausman row."""
        require_balanced(self.estimate, "the random-effects counterpart")
        static_only(self.estimate, "the random-effects counterpart", "y_{t-1} is correlated with random unit effects")
        if not self.estimate.design.unit:
            raise ValueError("the fit has no fixed unit effects to replace by random ones")
        return replace(self, estimate=random_counterpart(self.estimate, random_error), vcov="observed", vcov_options={})

    # -- values per observation ------------------------------------------------------------------------------
    @cached_property
    def _parts(self) -> tuple[NDArray, NDArray, NDArray]:
        """Composite ``y - rho Wy - Z beta``, estimated fixed effects, filtered residual; (T, N)."""
        return decompose(self.estimate)

    @property
    def resid(self) -> pd.Series:
        """Residuals e, for models with a spatial error after the filter ``I - lambda W``.

        Of observed cells; with ``missing="marginalise"`` of those whose neighbours are observed too.
        """
        found = self.estimate.design.series(self._parts[2], "resid")
        return found.dropna() if self.estimate.design.integrated else found

    def fixed_effects(self) -> dict[str, pd.Series]:
        """Estimated fixed effects: ``"intercept"`` and, per index level, deviations that sum to zero."""
        if self.estimate.random is not None:
            raise ValueError("the unit effects are random: see random_effects() for their prediction")
        design, v = self.estimate.design, self._parts[1]
        found: dict[str, pd.Series] = {}
        mean, by_unit, by_period = v.mean(), v.mean(axis=0) - v.mean(), v.mean(axis=1) - v.mean()
        if design.observed is not None:
            mean, by_unit, by_period = unbalanced.split_effects(self.estimate, v)
        if design.unit or design.time:
            found["intercept"] = pd.Series([mean], index=["intercept"], name="intercept")
        if design.unit:
            name = design.levels[0]
            found[name] = pd.Series(by_unit, index=pd.Index(design.units, name=name), name=name)
        if design.time:
            name = design.levels[1]
            found[name] = pd.Series(by_period, index=pd.Index(design.periods, name=name), name=name)
        return found

    def random_effects(self) -> pd.Series:
        """Best linear unbiased predictor of the random unit effects, shrunk towards zero."""
        if self.estimate.random is None:
            raise ValueError("the effects are fixed: see fixed_effects()")
        design = self.estimate.design
        index = pd.Index(design.units, name=design.levels[0])
        return pd.Series(predict_random(self.estimate).mu, index=index, name="random effect")

    # -- tables ----------------------------------------------------------------------------------------------
    def tidy(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row per coefficient: estimate, se, z, p, lower, upper."""
        parts = [self.params, self.bse, self.zvalues, self.pvalues, self.conf_int(alpha)]
        return pd.concat(parts, axis=1)

    def glance(self) -> pd.Series:
        """One line about the fit."""
        return account.glance(self)

    def provenance(self) -> dict[str, Any]:
        """What reproduces this result: versions, data release, checksums; no clock times, no paths."""
        return account.provenance(self)

    def summary(self) -> str:
        """Plain-text table, in the blocks Main, Wx, Time, Spatial, Variance."""
        from nqpf_spatial.models.summary import text

        return text(self)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from nqpf_spatial.models.summary import html

        return html(self)
