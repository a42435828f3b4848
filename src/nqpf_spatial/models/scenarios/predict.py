"""Predictions in the sample, in the kinds of the literature on spatial prediction, and point forecasts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from nqpf_spatial.kernels.counterfactual import lagged, solver
from nqpf_spatial.models.estimate import matrix
from nqpf_spatial.models.missing import unbalanced
from nqpf_spatial.models.missing.networks import require_balanced
from nqpf_spatial.models.scenarios.forecast import prepare
from nqpf_spatial.models.scenarios.time_effects import TimeEffect

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

KINDS = ("TC", "TS", "BP", "trend")


def predict(
    fit: SpatialFit, kind: str = "TC", data: pd.DataFrame | None = None, time_effect: TimeEffect = None
) -> pd.Series:
    r"""Predict y in the sample, or by the reduced form from other regressors.

    With ``A = I - rho W``, ``B = I - lambda W_e``, v the effects and ``m = A^{-1}(Z beta + v)``:

    ========= ============================================================= ======================================
    kind      prediction                                                    uses
    ========= ============================================================= ======================================
    ``TC``    m, the reduced form ("trend corrected")                       regressors and effects
    ``TS``    y minus the filtered residual, ``Z beta + v + rho Wy`` in     y of the neighbours, and with a
              lag models ("trend and signal")                               spatial error of the unit itself
    ``BP``    ``y - diag(Q)^{-1} Q (y - m)``, ``Q = A'B'BA``                y of all other units of the period
    ``trend`` ``Z beta + v``                                                regressors and effects
    ========= ============================================================= ======================================

    (Goulard, Laurent and Thomas-Agnan 2017, section 2, whose in-sample predictors these are; names as in spatialreg.) BP is
    the best predictor of a unit from all others: the mean of its normal distribution given them.

    Parameters
    ----------
    fit : SpatialFit
    kind : {"TC", "TS", "BP", "trend"}
    data : DataFrame, optional
        Later periods of a panel, or other regressors for the units of a cross-section: point predictions by the reduced
        form; see `nqpf_spatial.models.scenarios.forecast.forecast` for intervals.
    time_effect : optional
        As in `nqpf_spatial.models.scenarios.forecast.forecast`; required with `data` if the fit has fixed time effects.

    Returns
    -------
    Series
        Indexed like the data of the fit, or like `data`. On observed sub-networks the observed cells, each in the network of its
        period; with ``missing="marginalise"`` all cells.
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(map(repr, KINDS))}")
    if data is None:
        if time_effect is not None:
            raise ValueError("time_effect= is about periods after the sample: pass their regressors as data=")
        if fit.estimate.design.observed is not None:
            return _partly_observed(fit, kind)
        return fit.estimate.design.series(_in_sample(fit, kind), "predicted")
    if kind != "TC":
        raise ValueError(f'kind={kind!r} needs the observed y; with data= there is kind="TC" only')
    rows, ahead, _ = prepare(fit, data, time_effect, 0.0)
    values = ahead.mean(fit.params.to_numpy()[None])[0]
    return pd.Series(values.T.ravel(), index=rows.index, name="predicted")


def _partly_observed(fit: SpatialFit, kind: str) -> pd.Series:
    """Observed cells in the network of their period; all cells of a whole network, whose regressors are all there."""
    est, design = fit.estimate, fit.estimate.design
    allowed = ("TC", "trend") if design.integrated else ("TC", "TS", "trend")
    if kind not in allowed:
        require_balanced(est, f"kind={kind!r}, which uses the outcomes of other units,")
    if kind == "TS":
        return design.series(design.y - fit._parts[2], "predicted")
    signal, reduced = unbalanced.predict(est, fit._parts[1])
    whole = replace(design, observed=None) if design.integrated else design
    return whole.series(signal if kind == "trend" else reduced, "predicted")


def _in_sample(fit: SpatialFit, kind: str) -> NDArray:
    est = fit.estimate
    trend = np.tensordot(est.fit.beta, est.columns.z, axes=1) + fit._parts[1]
    if kind == "trend":
        return trend
    if kind == "TS":
        return est.design.y - fit._parts[2]
    lag, error = (None if w is None else matrix(w) for w in (est.weights.lag, est.weights.error))
    reduced = solver(lag, est.fit.rho)(trend)
    if kind == "TC":
        return reduced
    eye = sparse.eye_array(trend.shape[1], format="csr")
    a = eye if lag is None else eye - est.fit.rho * sparse.csr_array(lag)
    b = eye if error is None else eye - est.fit.lambda_ * sparse.csr_array(error)
    filter_ = b @ a
    away = lagged(filter_.T, lagged(filter_, est.design.y - reduced))  # Q (y - m)
    return est.design.y - away / np.asarray(filter_.multiply(filter_).sum(axis=0)).ravel()
