"""Forecasts of later periods: parameters, effects and errors all count in the intervals."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.kernels import counterfactual as kernel
from nqpf_spatial.models.bayes.posterior import Prior
from nqpf_spatial.models.impacts.samples import admissible, check_request, sample_parameters, vcov_note
from nqpf_spatial.models.missing.networks import require_balanced
from nqpf_spatial.models.scenarios.changes import outcome_is_log
from nqpf_spatial.models.scenarios.newdata import NewRows, check_consecutive, new_rows
from nqpf_spatial.models.scenarios.outlook import Outlook, outlook
from nqpf_spatial.models.scenarios.time_effects import Assumed, TimeEffect, assume

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.results import SpatialFit

_BLOCK = 2000


@dataclass(frozen=True, eq=False)
class Forecast:
    """Forecast of the outcome in later periods.

    Attributes
    ----------
    table : DataFrame
        Index (unit, period), or (unit) for a cross-section: estimate, se, lower, upper of the outcome itself, and ``se_mean``, the
        standard error of its expectation (parameters and effects, without the error).
    time_effect : str
        What was assumed of the time effects; empty for fits without.
    time_effects : Series
        The time effects assumed, as deviations like those of ``fit.fixed_effects()``.
    time_sd : float
        Standard deviation of the shocks to the time effects that the intervals allow for, in one period.
    method : str
    draws : int or None
    outside : float or None
        Share of draws with rho or lambda outside its admissible interval, left out.
    seed : int or None
    alpha : float
    fit : SpatialFit
    """

    table: pd.DataFrame
    time_effect: str
    time_effects: pd.Series = field(repr=False)
    time_sd: float
    method: str
    draws: int | None
    outside: float | None
    seed: int | None
    alpha: float
    fit: SpatialFit

    def levels(self) -> pd.DataFrame:
        """Forecast and interval of ``exp(outcome)``, for outcomes in logarithms; the estimate is the median, not the mean."""
        if not outcome_is_log(self.fit):
            raise ValueError(f"the outcome {self.fit.estimate.design.outcome} is no logarithm")
        return np.exp(self.table[["estimate", "lower", "upper"]])

    def plot(self, units: object = None, ax: Axes | None = None, lang: str = "en") -> Axes:
        """Past and forecast of some units; see `nqpf_spatial.models.scenarios.forecast_plot.forecast_plot`."""
        from nqpf_spatial.models.scenarios.forecast_plot import forecast_plot

        return forecast_plot(self, units, ax, lang)

    def provenance(self) -> dict[str, Any]:
        """What reproduces this result besides the new rows: the fit, the assumption on time effects, method and seed."""
        return {
            "fit": self.fit.provenance(),
            "time_effect": self.time_effect,
            "time_sd": self.time_sd,
            "time_effects": {str(k): float(v) for k, v in self.time_effects.items()},
            "method": self.method,
            "draws": self.draws,
            "seed": self.seed,
            "alpha": self.alpha,
        }

    def _head(self) -> str:
        how = "delta method" if self.method == "delta" else f"{self.method}, {self.draws} draws"
        lost = f", {self.outside:.1%} of the draws outside the admissible interval" if self.outside else ""
        shocks = f"with shocks of {self.time_sd:.4g}" if self.time_sd else "as if certain"
        when = f"; time effects assumed: {self.time_effect}, {shocks}" if self.time_effect else ""
        w = "" if self.fit.w is None else f", W = {self.fit.w.name}"
        outcome = self.fit.estimate.design.outcome
        return f"Forecast of {outcome} ({how}{lost}{vcov_note(self.fit, self.method)}); {self.fit.model}{w}{when}; {1 - self.alpha:.0%} intervals"

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.table.to_string(float_format=lambda v: f'{v:.4f}')}"

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>{self.table.to_html(float_format=lambda v: f'{v:.4f}')}"


def forecast(
    fit: SpatialFit,
    data: pd.DataFrame,
    *,
    time_effect: TimeEffect = None,
    time_sd: float | str = 0.0,
    method: str = "simulate",
    draws: int = 10_000,
    seed: int = 0,
    alpha: float = 0.05,
    kind: str | None = None,
    prior: Prior | str | None = None,
) -> Forecast:
    r"""Forecast later periods from their regressors, by the reduced form.

    .. math::
       \hat y_{T+h} = (I - \hat\rho W)^{-1}\,[Z_{T+h}\hat\beta + \hat\mu + \alpha_{T+h}\iota
                      + (\hat\tau I + \hat\eta W)\,\hat y_{T+h-1}]

    the last term with time lags only, iterated from the last observed y. Unit effects are estimated from the sample, or
    predicted (Goldberger 1962) if they are random.

    Parameters
    ----------
    fit : SpatialFit
    data : DataFrame
        Regressors of every unit in one or more later periods, indexed like the data of the fit; the outcome is not needed.
        For a fit of a cross-section: other values of the regressors for the same units.
    time_effect : str, float, mapping or Series
        Required for fits with fixed time effects, because nothing in the data says what they will be: ``"last"``, ``"mean"``, ``"trend"``
        (least squares through the estimated ones), a number, or numbers by period, on the scale of ``fit.fixed_effects()``.
    time_sd : float or "sample"
        Standard deviation of shocks to the time effects. With 0 (default) the intervals hold *given* the time effects assumed.
        ``"sample"`` takes it from the estimated ones: their changes (a random walk, for "last"), or their spread around mean or trend.
    method : {"simulate", "delta", "bootstrap", "posterior"}
        Where the parameter uncertainty comes from, as in ``fit.impacts``.
    draws, seed : int
    alpha : float
    kind : str, optional
        Kind of bootstrap.
    prior : Prior or str, optional

    Returns
    -------
    Forecast

    Raises
    ------
    ValueError
        No assumption on time effects; the message lists the choices.
    PanelError, AlignmentError
        The new rows do not fit: units, missing cells, periods within the sample, gaps before them with time lags.

    Notes
    -----
    The interval has four parts: parameters; effects, which given the parameters are averages of errors and have variance sigma2 / T per
    unit (and sigma2 / N per period that enters); shocks to time effects, if asked for; and the error of the new period with its spatial
    propagation. Errors are normal and independent over time. Given regressors are taken as certain.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SDM", w, T=8, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=1)
    >>> res = nq.sdm("y ~ x | unit + period", data, w, years=(1, 7))
    >>> ahead = res.forecast(data.xs(8, level="period", drop_level=False)[["x"]], time_effect="mean")
    >>> ahead.table.columns.tolist(), len(ahead.table)
    (['estimate', 'se', 'lower', 'upper', 'se_mean'], 31)
    """
    check_request(method, draws, alpha)
    rows, ahead, said = prepare(fit, data, time_effect, time_sd)
    params = fit.params.to_numpy()
    estimate = ahead.mean(params[None])[0]
    used: int | None = None
    outside: float | None = None
    if method == "delta":
        parameters, effects, errors = ahead.parameter_variance(fit.cov_params().to_numpy()), *ahead.variances()
        se_mean, se = np.sqrt(parameters + effects), np.sqrt(parameters + effects + errors)
        half = stats.norm.isf(alpha / 2) * se
        lower, upper = estimate - half, estimate + half
    else:
        sample = sample_parameters(fit, method, draws, seed, kind, prior)
        inside = admissible(fit, sample) & _error_admissible(fit, sample)
        used, outside = int(inside.sum()), float(1.0 - inside.mean())
        means, outcomes = _simulate(ahead, sample[inside], seed)
        se_mean, se = means.std(axis=0, ddof=1), outcomes.std(axis=0, ddof=1)
        lower, upper = np.quantile(outcomes, [alpha / 2, 1 - alpha / 2], axis=0)
    columns = {"estimate": estimate, "se": se, "lower": lower, "upper": upper, "se_mean": se_mean}
    table = pd.DataFrame({name: values.T.ravel() for name, values in columns.items()}, index=rows.index)
    assumed = pd.Series(ahead.time_effects, index=_period_index(fit, rows.periods), name="time effect")
    return Forecast(
        table, said.text, assumed, said.sd, method, used, outside, None if used is None else seed, alpha, fit
    )


def prepare(
    fit: SpatialFit, data: pd.DataFrame, time_effect: TimeEffect, time_sd: float | str
) -> tuple[NewRows, Outlook, Assumed]:
    """Aligned rows, the outlook from them, and what is assumed of time effects."""
    require_balanced(fit.estimate, "a forecast")
    design = fit.estimate.design
    rows = new_rows(fit, data)
    if fit.dynamic:
        check_consecutive(design, rows.periods)
    sample_effects = fit._parts[1].mean(axis=1) - fit._parts[1].mean() if design.time else np.zeros(design.shape[0])
    assumed = assume(design, rows.periods, time_effect, time_sd, sample_effects)
    ahead = outlook(fit, rows.z, assumed, assumed.weights @ sample_effects + assumed.values)
    return rows, ahead, assumed


def _error_admissible(fit: SpatialFit, sample: NDArray) -> NDArray:
    """Which draws have lambda inside its admissible interval; effects do not need it, errors do."""
    logdet = fit.estimate.likelihood.lambda_
    if logdet is None:
        return np.ones(len(sample), dtype=bool)
    lambda_ = sample[:, fit.params.index.get_loc("lambda")]
    return (lambda_ > logdet.low) & (lambda_ < logdet.high)


def _period_index(fit: SpatialFit, periods: tuple[Hashable, ...]) -> pd.Index:
    levels = fit.estimate.design.levels
    return pd.Index(periods if len(levels) == 2 else ["all"], name=levels[-1])


def _simulate(ahead: Outlook, sample: NDArray, seed: int) -> tuple[NDArray, NDArray]:
    """(R, H, N) draws of the expectation and of the outcome; the second adds errors to the first."""
    rng = np.random.default_rng([seed, 1])  # apart from the stream of the parameters
    size = min(_BLOCK, kernel.block_size(ahead.shape[1]))
    means, outcomes = [], []
    for start in range(0, len(sample), size):
        some = sample[start : start + size]
        effect, error = ahead.noise(rng, len(some))
        means.append(ahead.mean(some, effect))
        outcomes.append(ahead.mean(some, effect + error))
    return np.concatenate(means), np.concatenate(outcomes)
