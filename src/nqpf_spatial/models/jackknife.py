"""Half-panel jackknife: the bias of unit effects in short panels, taken off with two halves of the panel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from nqpf_spatial.errors import PanelError
from nqpf_spatial.models.fit import fit
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.weights.core import SpatialWeights

#: periods a half needs for unit effects and an error variance
_LEAST = 3


@dataclass(frozen=True, slots=True, eq=False)
class HalfPanel:
    """Result of `half_panel_jackknife`.

    Attributes
    ----------
    table : DataFrame
        One row per quantity: full (whole panel), halves (weighted mean of the halves), corrected (2 full - halves), se (of the
        whole panel).
    halves : tuple of (first, last) pairs
        The windows used; four with an odd number of periods.
    fit : SpatialFit
        Fit of the whole panel.
    """

    table: pd.DataFrame
    halves: tuple[tuple[object, object], ...]
    fit: SpatialFit

    def _head(self) -> str:
        windows = ", ".join(f"{a}-{b}" for a, b in self.halves)
        return f"Half-panel jackknife of a {self.fit.model} model, halves {windows}; se of the whole panel ({self.fit.vcov})"

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.table.to_string(float_format=lambda v: f'{v:.4g}')}"

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>{self.table.to_html(float_format=lambda v: f'{v:.4g}')}"


def half_panel_jackknife(
    formula: str,
    data: pd.DataFrame,
    w: SpatialWeights | None = None,
    *,
    model: str = "OLS",
    years: tuple[object, object] | None = None,
    effect: str | None = None,
    **options: Any,
) -> HalfPanel:
    r"""Correct a fixed-effects fit for the bias of order 1/T that predetermined regressors bring.

    .. math::
       \tilde\theta = 2\hat\theta - \left(\tfrac{T_1}{T}\hat\theta_1 + \tfrac{T_2}{T}\hat\theta_2\right)

    Parameters
    ----------
    formula, data, w, model, years, **options
        As in `nqpf_spatial.fit`; `w` where the model needs one. ``dynamic=`` is refused: it has corrections of its own.
    effect : {"direct", "indirect", "total"}, optional
        Correct the impacts of the regressors instead of the coefficients.

    Returns
    -------
    HalfPanel

    Raises
    ------
    PanelError
        Fewer than six periods.

    Notes
    -----
    A lagged outcome, or anything made of one such as its product with another variable, is correlated with the unit mean of the
    error (Nickell 1981). The bias is B/T in the whole panel and 2B/T in a half, so that the combination is free of it, whatever B is:
    no formula for the bias is needed. With an odd T both splits are used and averaged. The standard error is that of the whole
    panel, which is right for long panels (Dhaene and Jochmans 2015, theorem 3.1) and too small in short ones, where halves vary more (by
    a third at T = 12 in the tests): an estimate to set beside the plain one. Both halves must share the parameters; a break between them is not removed but
    extrapolated.

    References
    ----------
    Dhaene, G. and K. Jochmans (2015). Split-panel jackknife estimation of fixed-effect models. Review of Economic Studies 82,
    991-1030. Chudik, A., M. H. Pesaran and J.-C. Yang (2018). Half-panel jackknife fixed-effects estimation of linear panels with
    weakly exogenous regressors. Journal of Applied Econometrics 33, 816-836. Nickell, S. (1981). Econometrica 49, 1417-1426.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> from nqpf_spatial.models import half_panel_jackknife
    >>> data = nq.simulate("SAR", nq.weights.contiguity(), T=8, params={"x": 1.0, "rho": 0.0}, seed=1)
    >>> res = half_panel_jackknife("y ~ x | unit + period", data)
    >>> res.halves
    ((1, 4), (5, 8))
    >>> list(res.table.columns)
    ['full', 'halves', 'corrected', 'se']
    """
    if effect not in (None, "direct", "indirect", "total"):
        raise ValueError(f"effect={effect!r}: choose direct, indirect, total, or leave it out for the coefficients")
    if options.get("dynamic") is not None:
        raise ValueError(
            f"dynamic={options['dynamic']!r} corrects the bias of time lags itself, for every T: use nq.fit. The half-panel jackknife is for "
            "lagged outcomes among the columns"
        )
    if data.index.nlevels != 2:
        raise PanelError("the half-panel jackknife needs a panel with index (unit, period)")
    whole = fit(formula, data, w, model=model, years=years, **options)
    periods = list(whole.estimate.design.periods)
    if len(periods) < 2 * _LEAST:
        raise PanelError(f"{len(periods)} periods: the halves need at least {_LEAST} each")
    read = _quantity(effect)
    full, se = read(whole)
    parts: list[pd.Series] = []
    halves: list[tuple[object, object]] = []
    splits = {len(periods) // 2, len(periods) - len(periods) // 2}
    for split in sorted(splits):
        for window in (periods[:split], periods[split:]):
            half = fit(formula, data, w, model=model, years=(window[0], window[-1]), **options)
            parts.append(read(half)[0] * (len(window) / len(periods)))
            halves.append((window[0], window[-1]))
    mean = sum(parts[1:], start=parts[0]) / len(splits)
    table = pd.DataFrame({"full": full, "halves": mean, "corrected": 2.0 * full - mean, "se": se})
    return HalfPanel(table, tuple(halves), whole)


def _quantity(effect: str | None) -> Callable[[SpatialFit], tuple[pd.Series, pd.Series]]:
    """What is corrected: estimates and standard errors of a fit."""
    if effect is None:
        return lambda found: (found.params, found.bse)

    def impact(found: SpatialFit) -> tuple[pd.Series, pd.Series]:
        table = found.impacts().table[effect]
        return table["estimate"], table["se"]

    return impact
