"""The frozen result of `gmm`, in the vocabulary of `SpatialFit`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.errors import FewClustersWarning, warn
from nqpf_spatial.kernels import gmm as kernel
from nqpf_spatial.kernels import gmm_error
from nqpf_spatial.kernels.ml import Likelihood
from nqpf_spatial.models.covariance import FEW
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.determinant import log_determinant
from nqpf_spatial.models.estimate import Columns, Weights
from nqpf_spatial.models.pictures.of_fit import FitPictures
from nqpf_spatial.models.spec import Model, ParsedFormula
from nqpf_spatial.models.table_protocol import TableProtocol
from nqpf_spatial.weights.core import SpatialWeights

if TYPE_CHECKING:
    from nqpf_spatial.models.impacts.inference import Impacts


@dataclass(frozen=True, eq=False)
class GMMEstimate:
    """Arrays behind a `GMMFit`; shares its attribute names with `Estimate` where both have them.

    Attributes
    ----------
    names : tuple of str
        Columns of Z: own regressors, Durbin terms, ``rho`` for Wy.
    endogenous, exogenous : int ndarray
        Positions among `names`.
    excluded : tuple of str
        Instruments outside the regression.
    arrays : (y, Z, H)
        (n,), (n, k), (n, q) freed from the effects, period by period.
    stage : TwoStage
    error : (ErrorData, ErrorFit) or None
    """

    model: Model
    design: Design
    weights: Weights
    columns: Columns
    names: tuple[str, ...]
    endogenous: NDArray
    exogenous: NDArray
    excluded: tuple[str, ...]
    arrays: tuple[NDArray, NDArray, NDArray]
    stage: kernel.TwoStage
    error: tuple[gmm_error.ErrorData, gmm_error.ErrorFit] | None

    @property
    def delta(self) -> NDArray:
        """Coefficients of Z."""
        return self.stage.delta if self.error is None else self.error[1].delta

    @property
    def n(self) -> int:
        """Observations left by the fixed effects."""
        t, n = self.design.shape
        return int((t - self.design.unit) * (n - self.design.time))

    @cached_property
    def likelihood(self) -> Likelihood:
        """Log-determinant of the lag, for the impacts; there is no likelihood in these estimates."""
        lag = self.weights.lag
        return Likelihood(self.n, self.design.shape[0], None if lag is None else log_determinant(lag), None)


@dataclass(frozen=True)
class IVTest:
    """Test of overidentifying restrictions."""

    name: str
    statistic: float
    df: int
    pvalue: float
    null: str

    def __repr__(self) -> str:
        return f"{self.name}: {self.statistic:.4f}, df {self.df}, p {self.pvalue:.4f}; null: {self.null}"


@dataclass(frozen=True, eq=False)
class GMMFit(TableProtocol, FitPictures):
    """Result of `nqpf_spatial.models.gmm.estimate.gmm`.

    Attributes
    ----------
    estimate : GMMEstimate
    parsed : ParsedFormula
    options : mapping
        ``vcov``, ``divisor``, ``moments`` as given.
    release : str or None
        Data release of the packaged panel.
    """

    estimate: GMMEstimate
    parsed: ParsedFormula
    options: Mapping[str, Any]
    release: str | None

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.estimate.model.name

    @property
    def formula(self) -> str:
        """The formula as given."""
        return self.parsed.text

    @property
    def dynamic(self) -> tuple[str, ...]:
        """Time lags: these estimators have none."""
        return ()

    @property
    def vcov(self) -> str:
        """Covariance in use."""
        return str(self.options["vcov"])

    @property
    def effects(self) -> tuple[str, ...]:
        """Fixed effects by the names of the index levels."""
        design = self.estimate.design
        return tuple(level for level, on in zip(design.levels, (design.unit, design.time), strict=False) if on)

    @property
    def w(self) -> SpatialWeights | None:
        """Spatial weights of the lag (or of the other spatial terms where there is no lag)."""
        return self.estimate.weights.first()

    @property
    def endogenous(self) -> tuple[str, ...]:
        """Endogenous columns; ``rho`` stands for Wy."""
        return tuple(self.estimate.names[i] for i in self.estimate.endogenous)

    @property
    def instruments(self) -> tuple[str, ...]:
        """Excluded instruments; the exogenous regressors instrument themselves."""
        return self.estimate.excluded

    @cached_property
    def params(self) -> pd.Series:
        """Coefficients: regressors, ``W:name`` for their spatial lags, then ``rho`` and / or ``lambda``."""
        names, values = list(self.estimate.names), list(self.estimate.delta)
        if self.estimate.error is not None:
            names, values = [*names, "lambda"], [*values, self.estimate.error[1].lambda_]
        return pd.Series(values, index=pd.Index(names, name="term"), name="estimate", dtype=float)

    @property
    def rho(self) -> float | None:
        """Spatial autoregressive coefficient, None in models without one."""
        return float(self.estimate.delta[-1]) if self.estimate.model.lag else None

    @property
    def lambda_(self) -> float | None:
        """Spatial error coefficient, None in models without one."""
        return None if self.estimate.error is None else self.estimate.error[1].lambda_

    @property
    def nobs(self) -> int:
        """Observations N T."""
        return int(self.estimate.design.y.size)

    @property
    def n_effective(self) -> int:
        """Observations left by the fixed effects."""
        return self.estimate.n

    @property
    def _divisor(self) -> int:
        return self.estimate.n - (len(self.estimate.names) if self.options["divisor"] == "n-k" else 0)

    @property
    def sigma2(self) -> float:
        """Error variance SSE / divisor; with the moments of 2010 SSE / n, as in their covariance."""
        error = self.estimate.error
        if error is None:
            return self.estimate.stage.sse / self._divisor
        return error[1].sigma2 if self.options["moments"] == "2010" else error[1].stage.sse / self._divisor

    @cached_property
    def _covariance(self) -> NDArray:
        est = self.estimate
        if est.error is not None:
            return est.error[1].covariance
        if self.vcov == "classical":
            return kernel.classical(est.stage, self._divisor)
        small = self.options["divisor"] == "n-k"
        if self.vcov == "white":
            return kernel.robust(est.stage) * (self.nobs / self._divisor if small else 1.0)
        units, codes = est.design.shape[1], self._clusters()
        if units < FEW:
            warn(
                f'{units} clusters: intervals tend to be too short below {FEW}; compare with vcov="classical"',
                FewClustersWarning,
            )
        # unit effects lie within the clusters and cost nothing; time effects and the constant do
        lost = est.design.shape[0] if est.design.time else int(est.design.unit)
        factor = units / (units - 1) * (self.nobs - 1) / (self.nobs - len(est.names) - lost)
        return kernel.robust(est.stage, codes) * (factor if small else 1.0)

    def _clusters(self) -> NDArray | None:
        if self.vcov != "cluster":
            return None
        t, n = self.estimate.design.shape
        return np.tile(np.arange(n), t)

    def cov_params(self) -> pd.DataFrame:
        """Covariance matrix of `params`."""
        return pd.DataFrame(self._covariance, index=self.params.index, columns=self.params.index)

    @cached_property
    def bse(self) -> pd.Series:
        """Standard errors; NaN for lambda with the moments of 1999."""
        return pd.Series(np.sqrt(np.diag(self._covariance)), index=self.params.index, name="se")

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
        half = stats.norm.isf(alpha / 2) * self.bse
        return pd.DataFrame({"lower": self.params - half, "upper": self.params + half})

    def impacts(self, method: str = "delta", **options: Any) -> Impacts:
        """Direct, indirect and total impacts; see `nqpf_spatial.models.impacts.inference.impacts` (``"delta"``, ``"simulate"``)."""
        from nqpf_spatial.models.impacts.inference import impacts

        if method not in ("delta", "simulate"):
            raise ValueError(f"method={method!r} is not available for gmm; choose 'delta' or 'simulate'")
        if self.options["moments"] == "1999":
            raise ValueError('moments="1999" give no joint covariance; use moments="2010" for impacts')
        return impacts(self, method=method, **options)  # type: ignore[arg-type]

    def first_stage(self) -> pd.DataFrame:
        """Strength of the excluded instruments, one row per endogenous column.

        Returns
        -------
        DataFrame
            ``f, df, df_resid, pvalue, partial_r2`` of the first stage and, the same in every row, the Cragg-Donald statistic;
            all under iid errors. A common rule reads an F (or Cragg-Donald) below 10 as weak (Staiger and Stock 1997).
        """
        est = self.estimate
        if not est.endogenous.size:
            raise ValueError("the model has no endogenous column: there is no first stage")
        _, z, h = est.arrays
        found = kernel.first_stage(z, h, est.endogenous, est.exogenous, est.n)
        table = {
            "f": found.f,
            "df": found.df[0],
            "df_resid": found.df[1],
            "pvalue": found.pvalue,
            "partial_r2": found.partial_r2,
            "cragg_donald": found.cragg_donald,
        }
        names = ["Wy" if name == "rho" else name for name in self.endogenous]
        return pd.DataFrame(table, index=pd.Index(names, name="endogenous"))

    def overid(self) -> IVTest:
        """Test of the overidentifying restrictions: Sargan under iid errors, Hansen's J under robust covariances.

        Raises
        ------
        ValueError
            Exactly identified model, or robust covariance with a spatial error.
        """
        est = self.estimate
        extra = len(est.excluded) - est.endogenous.size
        if extra <= 0:
            raise ValueError("the model is exactly identified: there is no overidentifying restriction to test")
        y, z, h = est.arrays
        if self.vcov != "classical":
            if est.error is not None:
                raise ValueError('with a spatial error the test needs vcov="classical"')
            name, (statistic, df) = "Hansen J", kernel.hansen(y, z, h, est.stage, self._clusters())
        elif est.error is not None:
            used = gmm_error.instruments(est.error[0], est.error[1].start)
            name, (statistic, df) = "Sargan", kernel.sargan(est.error[1].stage, used, est.n)
        else:
            name, (statistic, df) = "Sargan", kernel.sargan(est.stage, h, est.n)
        return IVTest(name, statistic, df, float(stats.chi2.sf(statistic, df)), "the instruments are exogenous")

    @cached_property
    def resid(self) -> pd.Series:
        """Residuals ``y - Z delta`` freed from the effects; with a spatial error before the filter ``I - lambda W``."""
        y, z, _ = self.estimate.arrays
        return self.estimate.design.series((y - z @ self.estimate.delta).reshape(self.estimate.design.shape), "resid")

    def tidy(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row per coefficient: estimate, se, z, p, lower, upper."""
        return pd.concat([self.params, self.bse, self.zvalues, self.pvalues, self.conf_int(alpha)], axis=1)

    def glance(self) -> pd.Series:
        """One line about the fit."""
        t, n = self.estimate.design.shape
        values = {
            "model": self.model,
            "estimator": self.estimator,
            "effects": " + ".join(self.effects) or "none",
            "vcov": self.vcov,
            "w": None if self.w is None else self.w.name,
            "N": n,
            "T": t,
            "nobs": self.nobs,
            "n_effective": self.n_effective,
            "sigma2": self.sigma2,
            "instruments": len(self.instruments),
        }
        return pd.Series(values, name=self.estimate.design.outcome, dtype=object)

    @property
    def estimator(self) -> str:
        """What was done, in words."""
        base = "2SLS" if self.estimate.endogenous.size else "least squares"
        if self.estimate.error is None:
            return base
        kind = "1999" if self.options["moments"] == "1999" else ("2010, het" if self.vcov == "white" else "2010, hom")
        return f"generalised {base}, GM error ({kind})"

    def _notes(self) -> list[str]:
        t, n = self.estimate.design.shape
        lines = [
            f"{self.estimator}; covariance {self.vcov}; fixed effects {' + '.join(self.effects) or 'none'}",
            f"N = {n}, T = {t}, observations {self.nobs}, after fixed effects {self.n_effective}, sigma2 {self.sigma2:.5g}",
        ]
        if self.endogenous:
            names = ["Wy" if name == "rho" else name for name in self.endogenous]
            lines.append(f"endogenous: {', '.join(names)}; excluded instruments: {', '.join(self.instruments)}")
            lines.append("first-stage F: " + ", ".join(f"{k} {v:.1f}" for k, v in self.first_stage()["f"].items()))
            robust_error = self.estimate.error is not None and self.vcov != "classical"
            if len(self.instruments) > len(self.endogenous) and not robust_error:
                lines.append(repr(self.overid()))
        if self.options["moments"] == "1999":
            lines.append("the moments of Kelejian and Prucha (1999) give lambda no standard error")
        return lines

    def summary(self) -> str:
        """Plain-text table."""
        table = self.tidy().to_string(float_format=lambda v: f"{v:.5g}", na_rep="")
        return "\n".join([f"{self.model}  {self.formula}", table, *self._notes()])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        head = f"<p><b>{self.model}</b> <code>{escape(self.formula)}</code></p>"
        table = self.tidy().to_html(float_format=lambda v: f"{v:.5g}", na_rep="")
        return f"{head}{table}<small>{'<br>'.join(escape(line) for line in self._notes())}</small>"
