"""Moran's I of the outcome and of residuals, and the LM test for the spatial term a model leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.information import expected_information
from nqpf_spatial.kernels.lmtests import ScoreTest, centred_trace, nested_score_test
from nqpf_spatial.kernels.moments import remove_effects, spatial_lag
from nqpf_spatial.kernels.residual_tests import MoranMoments, moran_by_period, moran_pooled, projected_basis, score_bias
from nqpf_spatial.models.diagnostics._refit import (
    View,
    at_maximum,
    dense,
    roles,
    scope_of,
    transformed,
    view,
    weights_of,
)
from nqpf_spatial.models.diagnostics._result import Diagnosis, Test, make
from nqpf_spatial.models.dynamic.part import static_only
from nqpf_spatial.models.estimate import Estimate, matrix
from nqpf_spatial.models.missing.networks import require_balanced
from nqpf_spatial.weights.core import SpatialWeights

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

_FILTERED = "lambda was chosen to leave none: the I of filtered residuals has no distribution of its own"


def moran_outcome(fit: SpatialFit, *, w: SpatialWeights | None = None) -> Diagnosis:
    """Moran's I of the outcome, period by period, under randomisation (`esda.Moran`).

    Parameters
    ----------
    fit : SpatialFit
    w : SpatialWeights, optional
        For fits without weights.

    Returns
    -------
    Diagnosis
        Rows ``moran_outcome``, one per period; ``estimate`` is I, ``statistic`` its two-sided z.
    """
    from esda.moran import Moran

    require_balanced(fit.estimate, "Moran's I of the outcome")
    design = fit.estimate.design
    if design.shape[1] < 4:
        raise IdentificationError(
            f"Moran's I under randomisation needs four units or more, its variance does not exist for {design.shape[1]}"
        )
    classic = weights_of(fit.estimate, w).to_W()
    rows = []
    for period, values in zip(design.periods, design.y, strict=True):
        if np.ptp(values) <= 1e-12 * np.abs(values).max():
            raise IdentificationError(
                f"{design.outcome} is the same in all units in {period}: Moran's I does not exist"
            )
        found = Moran(values, classic, transformation="o", permutations=0)
        where = "" if period is None else str(period)
        rows.append(make("moran_outcome", found.z_rand, None, found.p_rand, scope=where, estimate=float(found.I)))
    return Diagnosis(tuple(rows), title=f"Moran's I of {design.outcome}")


def moran(fit: SpatialFit, *, w: SpatialWeights | None = None) -> Diagnosis:
    r"""Moran's I of the residuals, over all periods and period by period.

    Parameters
    ----------
    fit : SpatialFit
    w : SpatialWeights, optional
        For fits without weights.

    Returns
    -------
    Diagnosis
        Rows ``moran``: ``estimate`` is I, ``statistic`` its z. In a panel the first row is all periods together.

    Notes
    -----
    The moments are those of residuals ``M eps`` (Cliff and Ord 1981; spdep's ``lm.morantest`` for a cross-section), with
    fixed effects among what M removes: without that, I of two-way residuals is biased towards -1 / (N - 1). In models with
    a spatial lag estimating rho takes away part of the variance, the factor ``1 - T_21^2 Var(rho) / T_22`` of the LM test
    for residual dependence (Anselin 1988), and moves the mean by the same regression on the score of rho. Residuals of
    models with a spatial error are filtered by the lambda that leaves none; their I is reported without a z.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> from nqpf_spatial.models.diagnostics import moran
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "rho": 0.5}, seed=1)
    >>> rows = moran(nq.ols("y ~ x | unit + period", data), w=w)
    >>> len(rows), bool(rows["moran", "all periods"].pvalue < 0.01)
    (7, True)
    """
    est = fit.estimate
    weights, seen = weights_of(est, w), view(est)
    array, basis = matrix(weights), projected_basis(seen.z, seen.unit, seen.time)
    yearly = moran_by_period(seen.e, basis, array, seen.unit, seen.time)
    labels = ["" if period is None else str(period) for period in est.design.periods]
    if est.model.lag and not est.model.error:
        keep, shift = _after_rho(est, seen, weights, basis)
    else:
        keep, shift = 1.0, 0.0
    t = len(labels)
    rows: list[Test] = []
    if t > 1:
        pooled = moran_pooled(seen.e, basis, array, seen.unit, seen.time)
        rows += _rows(_corrected(pooled, keep, shift), ["all periods"], est.model.error)
    rows += _rows(_corrected(yearly, 1.0 - (1.0 - keep) / t, shift), labels, est.model.error)
    return Diagnosis(tuple(rows), title="Moran's I of the residuals")


def _corrected(found: MoranMoments, keep: float, shift: float) -> MoranMoments:
    if keep <= 1e-8:
        raise IdentificationError(
            "the estimated rho takes up all the dependence that residuals could show: no variance is left"
        )
    if not np.min(found.variance) > 1e-14:
        raise IdentificationError(
            "Moran's I of these residuals is the same whatever the data are (two units with time effects, for instance): there is "
            "nothing to test"
        )
    return MoranMoments(found.i, found.mean - shift, keep * found.variance)


def _rows(found: MoranMoments, labels: list[str], filtered: bool) -> list[Test]:
    if filtered:
        nan = float("nan")
        values = np.atleast_1d(found.i)
        return [
            make("moran", nan, None, nan, scope=label, estimate=float(i), note=_FILTERED)
            for label, i in zip(labels, values, strict=True)
        ]
    z = np.atleast_1d((found.i - found.mean) / np.sqrt(found.variance))
    return [
        make("moran", value, None, 2.0 * stats.norm.sf(abs(value)), scope=label, estimate=float(i))
        for label, i, value in zip(labels, np.atleast_1d(found.i), z, strict=True)
    ]


def _after_rho(est: Estimate, seen: View, w: SpatialWeights, basis: NDArray) -> tuple[float, float]:
    """What estimating rho does to Moran's I: the share of the variance that is left, and the shift of the mean."""
    lag, like = est.weights.lag, est.likelihood
    assert lag is not None
    information, position = _nesting_information(est, seen, lag, w)
    rest = [i for i in range(information.shape[0]) if i != position]
    weight = np.linalg.solve(information[np.ix_(rest, rest)], information[rest, position])
    keep = 1.0 - float(weight @ information[rest, position]) / information[position, position]
    array = lag.dense()
    g = np.linalg.solve((np.eye(lag.n) - est.fit.rho * array).T, array.T).T
    bias = score_bias(basis, g, seen.unit, seen.time, like.n, like.m, transformed(est, est.design))
    return keep, w.n / float(w.sparse.sum()) * weight[rest.index(position - 1)] * bias / like.n


def _nesting_information(est: Estimate, seen: View, lag: SpatialWeights, error: SpatialWeights) -> tuple[NDArray, int]:
    """Expected information at the estimate in the model with both spatial terms; position of lambda.

    The split of the error variance within and between units, which random effects add, changes nothing of it: both parts
    of sigma2 together take as much information from rho and lambda as one sigma2 does.
    """
    fit, k = est.fit, seen.z.shape[0]
    information = expected_information(
        seen.z,
        fit.beta,
        fit.sigma2,
        (dense(lag, "the information on rho and lambda"), fit.rho),
        (dense(error, "the information on rho and lambda"), fit.lambda_),
        (seen.unit, seen.time),
        est.likelihood.m,
        transformed(est, est.design),
        est.likelihood.n,
    )
    return information, k + 1


def lm_residual(fit: SpatialFit) -> Test:
    r"""LM test of the spatial term that the model leaves out, the other one being estimated.

    In SAR and SDM fits lambda = 0, in SEM and SDEM fits rho = 0.

    Parameters
    ----------
    fit : SpatialFit

    Returns
    -------
    Test

    Raises
    ------
    ValueError
        For OLS and SLX fits (see `lm_tests`) and for fits that have both terms.

    Notes
    -----
    ``d^2 / (J_aa - J_ab J_bb^-1 J_ba)`` with the score d and the expected information J of the model with both terms
    (Anselin 1988). spatialreg prints it under SAR fits.
    """
    model = fit.estimate.model
    if model.lag == model.error:
        instead = "it has both terms" if model.lag else "use lm_tests for fits without spatial lag and error"
        raise ValueError(f"a {model.name} fit leaves no single spatial term out: {instead}")
    static_only(fit.estimate, "the LM test of the residuals", "its information belongs to static models. Use moran")
    est = at_maximum(fit.estimate)
    found = _error_left_out(est) if model.lag else _lag_left_out(est)
    term = "lambda = 0" if model.lag else "rho = 0"
    nulls = (f"{term} in the {model.name}", f"{model.name} 中 {term}")
    where = scope_of(est)
    return make("lm_residual", found.statistic, 1, stats.chi2.sf(found.statistic, 1), scope=where, nulls=nulls)


def _error_left_out(est: Estimate) -> ScoreTest:
    lag, w, seen = est.weights.lag, roles(est).error, view(est)
    assert lag is not None and w is not None
    score = float(np.sum(seen.e * spatial_lag(matrix(w), seen.e))) / est.fit.sigma2
    score -= est.likelihood.m * centred_trace(matrix(w), transformed(est, est.design))
    information, position = _nesting_information(est, seen, lag, w)
    return nested_score_test(score, information, position)


def _lag_left_out(est: Estimate) -> ScoreTest:
    every, seen = roles(est), view(est)
    lag, error = every.lag, every.error
    assert lag is not None and error is not None
    wy = spatial_lag(matrix(lag), seen.y)
    wy = remove_effects(wy - est.fit.lambda_ * spatial_lag(matrix(error), wy), seen.unit, seen.time)
    score = float(np.sum(seen.e * wy)) / est.fit.sigma2
    score -= est.likelihood.m * centred_trace(matrix(lag), transformed(est, est.design))
    information, position = _nesting_information(est, seen, lag, error)
    return nested_score_test(score, information, position - 1)
