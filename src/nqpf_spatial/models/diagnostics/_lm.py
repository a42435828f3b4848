"""LM tests of the spatial terms: which of rho, lambda and theta a regression without them lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.lmtests import Scores, efficient_scores, score_test, traces
from nqpf_spatial.kernels.moments import remove_effects, spatial_lag
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.diagnostics._refit import (
    durbin_columns,
    effective,
    flags,
    require_row_stochastic,
    roles,
    scope,
    transformed,
    with_effects,
)
from nqpf_spatial.models.diagnostics._result import Diagnosis, Test, make, not_computed
from nqpf_spatial.models.dynamic.part import static_only
from nqpf_spatial.models.estimate import Estimate, matrix
from nqpf_spatial.weights.core import SpatialWeights

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

BASES = ("OLS", "SLX")
CONVENTIONS = ("likelihood", "elhorst")
_RHO, _LAMBDA = 0, 1
#: key -> (tested, robust to); "theta" stands for the lagged regressors
_TESTS: dict[str, tuple[tuple[object, ...], tuple[object, ...]]] = {
    "lm_lag": ((_RHO,), ()),
    "lm_error": ((_LAMBDA,), ()),
    "rlm_lag": ((_RHO,), (_LAMBDA,)),
    "rlm_error": ((_LAMBDA,), (_RHO,)),
    "lm_sarma": ((_RHO, _LAMBDA), ()),
    "lm_wx": (("theta",), ()),
    "rlm_wx": (("theta",), (_RHO,)),
    "rlm_lag_wx": ((_RHO,), ("theta",)),
    "lm_sdm": ((_RHO, "theta"), ()),
    "lm_sdem": ((_LAMBDA, "theta"), ()),
}
_SLX_TESTS = ("lm_lag", "lm_error", "rlm_lag", "rlm_error")


def lm_tests(
    fit: SpatialFit,
    *,
    w: SpatialWeights | None = None,
    effects: str = "fit",
    base: str = "OLS",
    convention: str = "likelihood",
) -> Diagnosis:
    r"""LM and robust LM tests of the spatial lag, the spatial error and the lagged regressors.

    The regression without spatial terms is fitted to the sample of `fit`; what kind of model `fit` is does not matter.

    Parameters
    ----------
    fit : SpatialFit
    w : SpatialWeights, optional
        For fits without weights (OLS).
    effects : {"fit", "none", "unit", "time", "both"}
        Fixed effects of the regression: those of the fit, or others on the same data.
    base : {"OLS", "SLX"}
        ``"OLS"`` tests rho, lambda and theta in ``y = X beta + e``; ``"SLX"`` tests rho and lambda with WX in the model.
    convention : {"likelihood", "elhorst"}
        ``"likelihood"`` takes n, the number of periods and the weights as the likelihood of the fit sees them: with
        ``correction="transform"`` the tests are those of the transformed data (Debarsy and Ertur 2010), with ``"none"``
        those of dummy-variable ML. ``"elhorst"`` is the number of Elhorst's routines and of splm, see Notes.

    Returns
    -------
    Diagnosis
        Rows ``lm_lag, lm_error, rlm_lag, rlm_error, lm_sarma, lm_wx, rlm_wx, rlm_lag_wx, lm_sdm, lm_sdem``, or
        ``lm_lag_slx, lm_error_slx, rlm_lag_slx, rlm_error_slx``.

    Notes
    -----
    Statistics of `nqpf_spatial.kernels.lmtests`. On demeaned data Elhorst and splm keep n = NT and T, which makes the
    squared score too large by about T / (T - 1), and they do not demean ``W X b`` over units, which changes its sum of
    squares unless W is doubly stochastic. The robust LM lag test against WX equals the LM error test (both are
    ``e'We``): with all lagged regressors allowed for, nothing else of Wy is left.

    References
    ----------
    Anselin, L., A. Bera, R. Florax and M. Yoon (1996). Simple diagnostic tests for spatial dependence. Regional Science
    and Urban Economics 26, 77-104. Debarsy, N. and C. Ertur (2010). Testing for spatial autocorrelation in a fixed
    effects panel data model. Regional Science and Urban Economics 40, 453-470. Koley, M. and A. Bera (2024). To use, or
    not to use the spatial Durbin model? Spatial Economic Analysis 19, 30-56.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> from nqpf_spatial.models.diagnostics import lm_tests
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "rho": 0.5}, seed=1)
    >>> tests = lm_tests(nq.sar("y ~ x | unit + period", data, w))
    >>> tests["lm_lag"].df, bool(tests["lm_lag"].pvalue < 0.01)
    (1, True)
    """
    if base not in BASES:
        raise ValueError(f"base={base!r} is not known; choose one of {', '.join(map(repr, BASES))}")
    if convention not in CONVENTIONS:
        raise ValueError(f"convention={convention!r} is not known; choose one of {', '.join(map(repr, CONVENTIONS))}")
    est = fit.estimate
    static_only(
        est,
        "an LM test",
        "the regression it starts from would carry the bias of the time lags. Use wald_test and moran",
    )
    design = with_effects(est.design, *flags(est.design, effects))
    scores, no_theta = _scores(est, design, w, base, convention)
    where = scope(design) + (", Elhorst's convention" if convention == "elhorst" else "")
    keys = _SLX_TESTS if base == "SLX" else tuple(_TESTS)
    suffix = "_slx" if base == "SLX" else ""
    theta = list(range(2, scores.score.size))
    rows = []
    for key in keys:
        needs_theta = "theta" in (*_TESTS[key][0], *_TESTS[key][1])
        why = no_theta if needs_theta and not theta else ""
        rows.append(not_computed(key, why, where) if why else _row(key, key + suffix, scores, theta, where))
    return Diagnosis(tuple(rows), title="LM tests")


def _row(key: str, name: str, scores: Scores, theta: list[int], where: str) -> Test:
    tested, robust = (_positions(part, theta) for part in _TESTS[key])
    try:
        found = score_test(scores, tested, robust)
    except IdentificationError as error:
        return not_computed(name, str(error), where)
    return make(name, found.statistic, found.df, stats.chi2.sf(found.statistic, found.df), scope=where)


def _positions(parts: tuple[object, ...], theta: list[int]) -> list[int]:
    found: list[int] = []
    for part in parts:
        found += theta if part == "theta" else [int(part)]  # type: ignore[call-overload]
    return found


def _scores(est: Estimate, design: Design, w: SpatialWeights | None, base: str, convention: str) -> tuple[Scores, str]:
    """Scores at the regression on X (or X and WX) with the effects of `design`; why theta is not among them."""
    every = roles(est, w)
    assert every.lag is not None and every.error is not None
    columns = durbin_columns(est, design, w)
    own = len(design.names)
    within = remove_effects(columns.z, design.unit, design.time)
    no_theta = _why_no_theta(within[:own], within[own:], columns.names[own:])
    if base == "SLX" and no_theta:
        raise IdentificationError(no_theta)
    k = len(columns.names) if base == "SLX" else own
    y = remove_effects(design.y, design.unit, design.time)
    z, wx = within[:k], within[k:]
    wx = wx[:0] if no_theta else wx
    e = y - _fitted(y, z)
    w1, w2 = matrix(every.lag), matrix(every.error)
    if convention == "elhorst":
        n, m, project = y.size, y.shape[0], False
        wy, we1, we2 = spatial_lag(w1, y), spatial_lag(w1, e), spatial_lag(w2, e)
    else:
        (n, m), project = effective(est, design), transformed(est, design)
        if project:
            require_row_stochastic(est, every.lag)
            require_row_stochastic(est, every.error)
        lags = (spatial_lag(w1, design.y), spatial_lag(w1, e), spatial_lag(w2, e))
        wy, we1, we2 = (remove_effects(a, design.unit, design.time) for a in lags)
    return efficient_scores(e, z, wx, wy, we1, we2, traces(w1, w2, project), n, m), no_theta


def _fitted(y: NDArray, z: NDArray) -> NDArray:
    if not z.shape[0]:
        return np.zeros_like(y)
    flat = z.reshape(z.shape[0], -1).T
    q, r, _ = sla.qr(flat, mode="economic", pivoting=True, check_finite=False)
    size = np.abs(np.diag(r))
    if size[-1] <= 1e-10 * size[0] * np.sqrt(size.size):
        _collinear()
    return (q @ (q.T @ y.ravel())).reshape(y.shape)


def _collinear() -> None:
    raise IdentificationError(
        "the regressors are collinear, or absorbed, under these effects: the regression behind the test does not exist"
    )


def _why_no_theta(z: NDArray, wx: NDArray, names: tuple[str, ...]) -> str:
    """Why the lagged regressors cannot be tested: there are none, or they add nothing to the regressors."""
    if not wx.shape[0]:
        return "the regression has no regressors to lag"
    flat, lagged = z.reshape(z.shape[0], wx[0].size).T, wx.reshape(wx.shape[0], -1).T
    q, _ = sla.qr(flat, mode="economic", check_finite=False)
    rest = lagged - q @ (q.T @ lagged)
    gone = [n for n, a, b in zip(names, (rest**2).sum(axis=0), (lagged**2).sum(axis=0), strict=True) if a <= 1e-18 * b]
    if not gone:
        return ""
    return (
        f"{', '.join(gone)} are linear combinations of the regressors or absorbed by the effects; name the regressors to "
        "lag with durbin= in the fit"
    )
