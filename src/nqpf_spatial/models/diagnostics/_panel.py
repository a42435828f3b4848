"""Baltagi-Song-Koh tests, cross-section dependence, serial correlation, heteroskedasticity, normality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import linalg as sla
from scipy import stats

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import bsk_tests
from nqpf_spatial.kernels.moments import remove_effects
from nqpf_spatial.kernels.residual_tests import cross_dependence, projected_basis, serial_correlation
from nqpf_spatial.models.diagnostics._refit import dense, refit, scope_of, view, weights_of
from nqpf_spatial.models.diagnostics._result import Diagnosis, Test, make
from nqpf_spatial.models.dynamic.part import static_only
from nqpf_spatial.models.estimate import Estimate
from nqpf_spatial.models.missing.networks import require_balanced
from nqpf_spatial.weights.core import SpatialWeights

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

_NAN = float("nan")
_TIME_EFFECTS = (
    "no p-value: residuals of a model with time effects sum to zero over units, and CD has no normal distribution (Juodis "
    "and Reese 2022)"
)


def bsk(fit: SpatialFit, *, w: SpatialWeights | None = None) -> Diagnosis:
    """Tests of Baltagi, Song and Koh (2003) for random unit effects and a spatial error in the pooled regression.

    Parameters
    ----------
    fit : SpatialFit
        A panel fit; its regressors (WX included, if it has them) with an intercept make the pooled regression.
    w : SpatialWeights, optional
        For fits without weights.

    Returns
    -------
    Diagnosis
        ``bsk_joint`` (LMH), ``bsk_unit`` (LM1), ``bsk_spatial`` (LM2), ``bsk_unit_standardised`` (SLM1),
        ``bsk_spatial_standardised`` (SLM2), ``bsk_spatial_given_unit`` (CLM-lambda), ``bsk_unit_given_spatial`` (CLM-mu).

    Notes
    -----
    A variance cannot be negative: tests for unit effects are one-sided, those for lambda two-sided, and the joint one has
    the mixture of chi-squared distributions with weights 1/4, 1/2, 1/4 for 0, 1 and 2 degrees of freedom. splm prints
    two-sided p-values for all; the statistics are the same. LM1 is below its nominal level in small panels (2 % instead of
    5 % for 31 units and 8 years), SLM1 is not. CLM-lambda takes random-effects ML residuals, CLM-mu those of
    the pooled spatial error model.
    """
    est = fit.estimate
    if est.design.shape[0] == 1:
        raise ValueError("the Baltagi-Song-Koh tests need a panel")
    static_only(est, "a Baltagi-Song-Koh test", "the pooled regression behind it has no place for y_{t-1}")
    weights = weights_of(est, w)
    array = dense(weights, "the conditional test for unit effects")
    model = "SLX" if est.model.durbin else "OLS"
    pooled = refit(est, model, effects=(False, False), w=w)
    e = view(pooled).e
    found = bsk_tests.marginal(e, array)
    exact = bsk_tests.standardised(e, projected_basis(pooled.columns.z, False, False), array)
    joint, pvalue = _joint(found.unit, found.spatial)
    u = bsk_tests.random_effects_residuals(pooled.design.y, pooled.columns.z)
    given_unit = bsk_tests.conditional_spatial(u, array)
    u, lambda_ = _pooled_error(est, w)
    given_spatial = bsk_tests.conditional_unit(u, array, lambda_)
    rows = (
        make("bsk_joint", joint, None, pvalue, scope="pooled", note="mixture of chi-squared with 0, 1 and 2 df"),
        make("bsk_unit", found.unit, None, stats.norm.sf(found.unit), scope="pooled", note="one-sided"),
        make("bsk_spatial", found.spatial, None, 2 * stats.norm.sf(abs(found.spatial)), scope="pooled"),
        make("bsk_unit_standardised", exact.unit, None, stats.norm.sf(exact.unit), scope="pooled", note="one-sided"),
        make("bsk_spatial_standardised", exact.spatial, None, 2 * stats.norm.sf(abs(exact.spatial)), scope="pooled"),
        make("bsk_spatial_given_unit", given_unit, None, 2 * stats.norm.sf(abs(given_unit)), scope="pooled"),
        make(
            "bsk_unit_given_spatial",
            given_spatial,
            None,
            stats.norm.sf(given_spatial),
            scope="pooled",
            note="one-sided",
        ),
    )
    return Diagnosis(rows, title="Baltagi-Song-Koh tests")


def _joint(unit: float, spatial: float) -> tuple[float, float]:
    statistic = max(unit, 0.0) ** 2 + max(spatial, 0.0) ** 2
    if statistic == 0.0:
        return 0.0, 1.0
    return statistic, float(0.5 * stats.chi2.sf(statistic, 1) + 0.25 * stats.chi2.sf(statistic, 2))


def _pooled_error(est: Estimate, w: SpatialWeights | None) -> tuple[NDArray, float]:
    """Unfiltered residuals and lambda of the pooled spatial error model."""
    fitted = refit(est, "SDEM" if est.model.durbin else "SEM", effects=(False, False), w=w)
    u = fitted.design.y - np.tensordot(fitted.fit.beta, fitted.columns.z, axes=1)
    return u, fitted.fit.lambda_


def pesaran_cd(fit: SpatialFit, *, local: bool = False, w: SpatialWeights | None = None) -> Test:
    """Pesaran's (2004) CD test of cross-section dependence of the residuals, over all pairs or over neighbours.

    Parameters
    ----------
    fit : SpatialFit
        A panel fit with three periods or more.
    local : bool
        Only pairs with a positive weight, Pesaran's CD(p).
    w : SpatialWeights, optional
        For ``local=True`` on fits without weights.

    Returns
    -------
    Test
        With time effects the p-value is NaN: the residuals of each period then sum to zero, pairs have a correlation of
        about -1 / (N - 1) without any dependence, and CD is close to a constant (Juodis and Reese 2022). Moran's I of the
        residuals allows for it.
    """
    design = fit.estimate.design
    array = weights_of(fit.estimate, w).dense() if local else None
    found = cross_dependence(view(fit.estimate).e, array)
    statistic = found.local if local else found.cd
    key = "pesaran_cd_local" if local else "pesaran_cd"
    pvalue = _NAN if design.time else 2 * stats.norm.sf(abs(statistic))
    pairs = f"{found.neighbours if local else found.pairs} pairs"
    note = f"{pairs}; {_TIME_EFFECTS}" if design.time else pairs
    return make(key, statistic, None, pvalue, scope=scope_of(fit.estimate), note=note)


def breusch_pagan_lm(fit: SpatialFit) -> Test:
    """Breusch and Pagan's (1980) LM test of all pairwise correlations of the residuals, for panels with T far above N."""
    design = fit.estimate.design
    found = cross_dependence(view(fit.estimate).e)
    t, n = design.shape
    note = "" if t > n else f"its distribution is for T far above N; here T = {t}, N = {n}: it rejects too often"
    return make(
        "breusch_pagan_lm",
        found.lm,
        found.pairs,
        stats.chi2.sf(found.lm, found.pairs),
        scope=scope_of(fit.estimate),
        note=note,
    )


def serial(fit: SpatialFit) -> Test:
    """Wooldridge's test of first-order serial correlation on the (within) residuals, clustered by unit.

    Returns
    -------
    Test
        ``estimate`` is the slope of ``e_t`` on ``e_{t-1}``. With unit effects it is -1 / (T - 1) under the null; ``statistic``
        is the F(1, N - 1) of that hypothesis.
    """
    design = fit.estimate.design
    found = serial_correlation(view(fit.estimate).e, design.unit)
    note = f"slope under the null {found.null:.4f}" if design.unit else ""
    return make(
        "serial",
        found.t**2,
        1,
        2 * stats.t.sf(abs(found.t), found.df),
        scope=scope_of(fit.estimate),
        estimate=found.slope,
        df_denominator=found.df,
        note=note,
    )


def heteroskedasticity(fit: SpatialFit) -> Diagnosis:
    """Koenker-Bassett (studentised) and Breusch-Pagan tests: squared residuals on the regressors (statsmodels).

    Returns
    -------
    Diagnosis
        Rows ``koenker`` and ``breusch_pagan``. The residuals are filtered in models with a spatial error; the regressors are
        those of the model before demeaning, with an intercept.
    """
    from statsmodels.stats.diagnostic import het_breuschpagan

    est = fit.estimate
    require_balanced(est, "the test for heteroskedasticity")
    z = est.columns.z.reshape(est.columns.z.shape[0], est.design.y.size)
    keep = [name != "Intercept" for name in est.columns.names]
    exog = np.column_stack([np.ones(z.shape[1]), z[keep].T])
    if np.linalg.matrix_rank(exog / np.linalg.norm(exog, axis=0)) < exog.shape[1] or exog.shape[1] == 1:
        raise IdentificationError(
            "heteroskedasticity needs regressors that vary and are not collinear with an intercept"
        )
    e = view(est).e.ravel()
    rows = []
    for key, robust in (("koenker", True), ("breusch_pagan", False)):
        statistic, pvalue = het_breuschpagan(e, exog, robust=robust)[:2]
        rows.append(make(key, statistic, exog.shape[1] - 1, pvalue, scope=scope_of(est)))
    return Diagnosis(tuple(rows), title="Heteroskedasticity")


def normality(fit: SpatialFit) -> Test:
    """Jarque-Bera test of the residuals (statsmodels)."""
    from statsmodels.stats.stattools import jarque_bera

    statistic, pvalue, _, _ = jarque_bera(view(fit.estimate).e.ravel())
    note = "removing effects draws residuals towards the normal" if fit.effects else ""
    return make("jarque_bera", statistic, 2, pvalue, scope=scope_of(fit.estimate), note=note)


def collinearity(fit: SpatialFit) -> Diagnosis:
    """Condition number and largest variance inflation factor of the within design.

    Returns
    -------
    Diagnosis
        ``condition``: ratio of the extreme singular values of Z after removal of the effects, columns scaled to unit length
        (Belsley, Kuh and Welsch 1980; above 30 is commonly called strong). ``vif``: largest ``1 / (1 - R^2)`` of a regressor
        on the others; the note names it.
    """
    est, seen = fit.estimate, view(fit.estimate)
    flat = remove_effects(seen.z, seen.unit, seen.time).reshape(seen.z.shape[0], seen.y.size).T
    if not flat.shape[1]:
        raise IdentificationError("the model has no regressors")
    values = sla.svdvals(flat / np.linalg.norm(flat, axis=0))
    rows = [make("condition", values[0] / values[-1], None, _NAN, scope=scope_of(fit.estimate))]
    names = [name for name in est.columns.names if name != "Intercept"]
    varying = flat[:, [est.columns.names.index(name) for name in names]]
    varying = varying - varying.mean(axis=0)
    if names:
        correlation = np.corrcoef(varying, rowvar=False).reshape(len(names), len(names))
        factors = np.diag(sla.inv(correlation))
        worst = int(np.argmax(factors))
        rows.append(make("vif", factors[worst], None, _NAN, scope=scope_of(fit.estimate), note=f"of {names[worst]}"))
    return Diagnosis(tuple(rows), title="Collinearity")
