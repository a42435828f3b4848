r"""Fits of the same model on several imputations of the same data, combined by Rubin's rules.

.. math::
   \bar q = \tfrac1m\sum_l q_l, \qquad T = \bar U + (1 + \tfrac1m)B, \qquad
   \bar U = \tfrac1m\sum_l U_l, \quad B = \tfrac1{m-1}\sum_l (q_l - \bar q)(q_l - \bar q)'

(Rubin 1987, eqs. 3.1.2-3.1.5). The imputations are the user's: this module never makes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.models.covariance import check_alpha
from nqpf_spatial.models.impacts.inference import EFFECTS, STATISTICS, Impacts
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.missing.choices import cell_name
from nqpf_spatial.models.results import SpatialFit


@dataclass(frozen=True, eq=False)
class Combined:
    """Estimates combined by Rubin's rules, element by element.

    Attributes
    ----------
    estimate, se, df, riv, fmi : ndarray
        Mean, standard error, degrees of freedom, relative increase of the variance by the missing data, and fraction of
        missing information.
    """

    estimate: NDArray
    se: NDArray
    df: NDArray
    riv: NDArray
    fmi: NDArray

    def bounds(self, alpha: float) -> tuple[NDArray, NDArray]:
        """Interval of Student's t."""
        half = stats.t.isf(alpha / 2.0, self.df) * self.se
        return self.estimate - half, self.estimate + half

    def pvalues(self) -> NDArray:
        """Two-sided, of Student's t."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return 2.0 * stats.t.sf(np.abs(self.estimate / self.se), self.df)


def rubin(estimates: NDArray, variances: NDArray, df_complete: float = np.inf) -> Combined:
    r"""Combine m estimates and their variances, each (m, ...).

    Parameters
    ----------
    estimates, variances : (m, ...) ndarray
    df_complete : float
        Degrees of freedom that complete data would leave.

    Notes
    -----
    With ``r = (1 + 1/m) B / U`` and ``g = r / (1 + r)``, Rubin's degrees of freedom ``(m - 1) / g^2`` (1987, eq. 3.1.6) may exceed
    those of complete data; Barnard and Rubin (1999, eq. 3) take
    ``1 / df = g^2 / (m - 1) + 1 / df_obs``, ``df_obs = (nu + 1) / (nu + 3) nu (1 - g)``, nu those of complete data. The fraction of
    missing information is ``(r + 2 / (df + 3)) / (r + 1)`` (Rubin 1987, eq. 3.1.10).
    """
    m = estimates.shape[0]
    within, between = variances.mean(axis=0), estimates.var(axis=0, ddof=1)
    total = within + (1.0 + 1.0 / m) * between
    share = (1.0 + 1.0 / m) * between / total
    observed = 1.0 - share
    if np.isfinite(df_complete):
        observed = (df_complete + 1.0) / (df_complete + 3.0) * df_complete * observed
        df = 1.0 / (share**2 / (m - 1.0) + 1.0 / observed)
    else:
        with np.errstate(divide="ignore"):
            df = (m - 1.0) / share**2
    riv = share / (1.0 - share)
    return Combined(estimates.mean(axis=0), np.sqrt(total), df, riv, (riv + 2.0 / (df + 3.0)) / (riv + 1.0))


@dataclass(frozen=True, eq=False)
class PooledFit:
    """Fits on several imputations of one data set, combined; made by `pool`.

    Attributes
    ----------
    fits : tuple of SpatialFit
        One per imputation.
    df_complete : float
        Degrees of freedom that complete data would leave.
    """

    fits: tuple[SpatialFit, ...]
    df_complete: float

    @property
    def m(self) -> int:
        """Number of imputations."""
        return len(self.fits)

    @property
    def params(self) -> pd.Series:
        """Mean of the estimates."""
        return self._frame()["estimate"]

    @property
    def bse(self) -> pd.Series:
        """Standard errors, within and between imputations."""
        return self._frame()["se"]

    @property
    def df(self) -> pd.Series:
        """Degrees of freedom of Barnard and Rubin (1999)."""
        return self._frame()["df"]

    @property
    def fmi(self) -> pd.Series:
        """Fraction of missing information."""
        return self._frame()["fmi"]

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values of Student's t with `df`."""
        return pd.Series(self._combined().pvalues(), index=self._names(), name="p")

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Intervals of Student's t at level 1 - alpha: columns lower and upper."""
        check_alpha(alpha)
        lower, upper = self._combined().bounds(alpha)
        return pd.DataFrame({"lower": lower, "upper": upper}, index=self._names())

    def cov_within(self) -> pd.DataFrame:
        """Mean of the covariances."""
        return sum(fit.cov_params() for fit in self.fits) / self.m

    def cov_between(self) -> pd.DataFrame:
        """Covariance of the estimates between imputations."""
        return pd.DataFrame([fit.params for fit in self.fits]).cov()

    def cov_params(self) -> pd.DataFrame:
        """Total covariance, ``within + (1 + 1/m) between``."""
        return self.cov_within() + (1.0 + 1.0 / self.m) * self.cov_between()

    def tidy(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row per coefficient: estimate, se, t, p, lower, upper, df, riv, fmi."""
        frame, bounds = self._frame(), self.conf_int(alpha)
        first = frame[["estimate", "se"]].assign(t=frame["estimate"] / frame["se"], p=self.pvalues)
        return pd.concat([first, bounds, frame[["df", "riv", "fmi"]]], axis=1)

    def imputed(self) -> pd.DataFrame:
        """Cells that differ between the imputations: unit, period and the columns of the model that differ."""
        design = self.fits[0].estimate.design
        names = [design.outcome, *design.names]
        values = np.stack([np.concatenate([f.estimate.design.y[None], f.estimate.design.x]) for f in self.fits])
        same = np.all((values == values[0]) | (np.isnan(values) & np.isnan(values[0])), axis=0)
        rows = [
            (design.units[i], design.periods[t], ", ".join(names[k] for k in np.flatnonzero(~same[:, t, i])))
            for i, t in zip(*np.nonzero((~same.all(axis=0)).T), strict=True)
        ]
        return pd.DataFrame(rows, columns=["unit", "period", "imputed"])

    def impacts(self, method: str = "delta", *, alpha: float = 0.05, **options: Any) -> PooledImpacts:
        """Impacts of every fit, combined on their own scale.

        Parameters
        ----------
        method, **options
            As in `nqpf_spatial.models.impacts.inference.impacts`, for every fit.
        alpha : float
            Level of the intervals (1 - alpha).

        Returns
        -------
        PooledImpacts
            ``.table`` in the layout of every impact table; p and the interval are of Student's t.
        """
        check_alpha(alpha)
        each = tuple(fit.impacts(method=method, alpha=alpha, **options) for fit in self.fits)
        return PooledImpacts(each, self.df_complete, alpha)

    def provenance(self) -> dict[str, Any]:
        """What reproduces the result: that of every fit."""
        return {"imputations": self.m, "df_complete": self.df_complete, "fits": [f.provenance() for f in self.fits]}

    def summary(self) -> str:
        """Plain-text table."""
        first, cells = self.fits[0], self.imputed()
        where = "the frames do not differ: nothing was imputed, or the same frame was fitted" if cells.empty else None
        named = enumerate_some([f"{r.unit} {r.period}" for r in cells.itertuples()], 6)
        head = f"{first.model}  {first.formula}  pooled over {self.m} imputations (Rubin 1987)"
        notes = [
            where or f"cells that differ between the imputations: {len(cells)} of {first.nobs} ({named})",
            f"df of Barnard and Rubin (1999), complete data {self.df_complete:g}; covariance of each fit: {first.vcov}",
            "coefficients are not effects: see .impacts()",
        ]
        table = self.tidy().to_string(float_format=lambda v: f"{v:.4g}")
        return "\n".join([head, table, *notes])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        first = self.fits[0]
        head = f"{first.model}, pooled over {self.m} imputations"
        return f"<p>{head}</p>{self.tidy().to_html(float_format=lambda v: f'{v:.4g}')}"

    def _names(self) -> pd.Index:
        return self.fits[0].params.index

    def _combined(self) -> Combined:
        estimates = np.stack([fit.params.to_numpy() for fit in self.fits])
        variances = np.stack([np.diag(fit.cov_params()) for fit in self.fits])
        return rubin(estimates, variances, self.df_complete)

    def _frame(self) -> pd.DataFrame:
        found = self._combined()
        return pd.DataFrame(
            {name: getattr(found, name) for name in ("estimate", "se", "df", "riv", "fmi")}, index=self._names()
        )


@dataclass(frozen=True, eq=False)
class PooledImpacts:
    """Impacts combined over imputations.

    Attributes
    ----------
    each : tuple of Impacts
        One per imputation.
    df_complete, alpha : float
    """

    each: tuple[Impacts, ...]
    df_complete: float
    alpha: float

    @property
    def table(self) -> pd.DataFrame:
        """Indexed by term; columns (direct, indirect, total) x (estimate, se, z, p, lower, upper); z is the t ratio."""
        found = self._combined()
        lower, upper = found.bounds(self.alpha)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = found.estimate / found.se
        parts = [found.estimate, found.se, ratio, found.pvalues(), lower, upper]
        first = self.each[0].table
        columns = pd.MultiIndex.from_product([EFFECTS, STATISTICS], names=first.columns.names)
        return pd.DataFrame(np.stack(parts, axis=-1).reshape(len(first), -1), index=first.index, columns=columns)

    @property
    def df(self) -> pd.DataFrame:
        """Degrees of freedom per term and effect."""
        return self._per_effect("df")

    @property
    def fmi(self) -> pd.DataFrame:
        """Fraction of missing information per term and effect."""
        return self._per_effect("fmi")

    def tidy(self) -> pd.DataFrame:
        """Long form: one row per term and effect."""
        long = self.table.stack(level=0, future_stack=True)
        long.index.names = ["term", "effect"]
        return long[list(STATISTICS)]

    def __repr__(self) -> str:
        head = f"Impacts pooled over {len(self.each)} imputations ({self.each[0].method}); Student's t"
        return f"{head}\n{self.tidy().to_string(float_format=lambda v: f'{v:.4f}')}"

    def _repr_html_(self) -> str:
        head = f"Impacts pooled over {len(self.each)} imputations ({self.each[0].method}); Student's t"
        return f"<p>{head}</p>{self.tidy().to_html(float_format=lambda v: f'{v:.4f}')}"

    def _combined(self) -> Combined:
        def of(statistic: str) -> NDArray:
            return np.stack([i.table.xs(statistic, axis=1, level=1)[list(EFFECTS)].to_numpy() for i in self.each])

        return rubin(of("estimate"), of("se") ** 2, self.df_complete)

    def _per_effect(self, name: str) -> pd.DataFrame:
        return pd.DataFrame(getattr(self._combined(), name), index=self.each[0].table.index, columns=list(EFFECTS))


def pool(fits: Sequence[SpatialFit], *, df_complete: float | None = None) -> PooledFit:
    """Combine fits of one model on several imputations of one data set by Rubin's rules.

    Parameters
    ----------
    fits : sequence of SpatialFit
        One per imputed frame, at least two: same model, formula, effects, correction, covariance, units, periods, observed cells
        and weights (by checksum). Only the imputed values may differ.
    df_complete : float, optional
        Degrees of freedom that complete data would leave; by default the observations of the likelihood minus the coefficients.
        ``numpy.inf`` gives Rubin's large-sample rule.

    Returns
    -------
    PooledFit
        ``params``, ``bse``, ``df``, ``fmi``, ``conf_int()``, ``tidy()``, ``impacts()``, ``imputed()``.

    Raises
    ------
    TypeError
        Something is no fit.
    ValueError
        Fewer than two fits, or fits that differ in more than the imputed values; the message says in what.

    Notes
    -----
    The rules are for estimates that are roughly normal: impacts are combined on their own scale, not computed from combined
    coefficients. The imputation model is the user's responsibility: it should contain the outcome, the spatial lags and the effects
    of the model (Rubin 1987, chapter 4), else spillovers are attenuated.

    References
    ----------
    Rubin, D. B. (1987). Multiple Imputation for Nonresponse in Surveys. Wiley. Barnard, J. and D. B. Rubin (1999). Small-sample
    degrees of freedom with multiple imputation. Biometrika 86, 948-955.

    Examples
    --------
    >>> import numpy as np
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "rho": 0.4}, seed=1)
    >>> rng, fits = np.random.default_rng(0), []
    >>> for _ in range(5):
    ...     frame = data.copy()
    ...     frame.iloc[:9, 1] = rng.normal(size=9)  # stands for a draw from an imputation model
    ...     fits.append(nq.sar("y ~ x | unit + period", frame, w))
    >>> pooled = nq.pool(fits)
    >>> pooled.m, len(pooled.imputed()), list(pooled.impacts().table.index)
    (5, 9, ['x'])
    """
    fits = tuple(fits)
    for position, fit in enumerate(fits):
        if not isinstance(fit, SpatialFit):
            raise TypeError(f"fits[{position}] is a {type(fit).__name__}; pool takes results of nq.fit")
    if len(fits) < 2:
        raise ValueError(f"{len(fits)} fit: the variance between imputations needs at least two, twenty are usual")
    first = _facts(fits[0])
    for position, fit in enumerate(fits[1:], start=1):
        other = _facts(fit)
        differ = [
            f"{name} ({_short(first.get(name))} against {_short(other.get(name))})"
            for name in {**first, **other}
            if first.get(name) != other.get(name)
        ]
        if differ:
            raise ValueError(
                f"fits[0] and fits[{position}] are not the same model on imputations of the same data; they differ in "
                f"{'; '.join(differ)}"
            )
    free = float(fits[0].n_effective - len(fits[0].params)) if df_complete is None else float(df_complete)
    if not free > 0:
        raise ValueError(f"df_complete={df_complete}: degrees of freedom are positive")
    return PooledFit(fits, free)


def _short(fact: object) -> str:
    """A fact in a message: long ones by their number and beginning."""
    if isinstance(fact, dict) and {"name", "checksum"} <= set(fact):
        return f"{fact['name']} {str(fact['checksum'])[:12]}"
    return f"{len(fact)}: {enumerate_some(fact, 6)}" if isinstance(fact, tuple) else str(fact)


def _facts(fit: SpatialFit) -> dict[str, object]:
    """What must not differ between imputations."""
    design = fit.estimate.design
    return {
        "model": fit.model,
        "formula": fit.formula,
        "terms": ", ".join(fit.params.index),
        "effects": " + ".join(fit.effects) or "none",
        "random effects": fit.random or "none",
        "correction": fit.correction,
        "covariance": (fit.vcov, *(f"{name}={value}" for name, value in fit.vcov_options.items())),
        "missing=": fit.dropped.asked,
        "units": design.units,
        "periods": design.periods,
        "incomplete cells": tuple(cell_name(*cell) for cell in fit.dropped.cells),
        **{f"W of the {role}": w for role, w in fit.provenance()["w"].items()},
    }
