"""Are there unit and time effects, and are the unit effects correlated with the regressors?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import scaled
from nqpf_spatial.kernels.residual_tests import jackknife_residuals, unit_meat
from nqpf_spatial.models.covariance import score_form
from nqpf_spatial.models.design import MEAN
from nqpf_spatial.models.diagnostics._refit import (
    dense,
    in_likelihood,
    lagged_names,
    refit,
    scope,
    with_effects,
    without_means,
)
from nqpf_spatial.models.diagnostics._result import Diagnosis, Test, make
from nqpf_spatial.models.dynamic.part import static_only
from nqpf_spatial.models.estimate import Estimate, Weights, build_columns, estimate
from nqpf_spatial.models.missing.networks import require_balanced
from nqpf_spatial.models.spec import get_model

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

FORMS = ("lr", "F")


def effects_tests(fit: SpatialFit, *, form: str = "lr") -> Diagnosis:
    """Tests of the unit effects and of the time effects, each given the other effects of the fit.

    Parameters
    ----------
    fit : SpatialFit
        A panel fit; the model, W and regressors are kept.
    form : {"lr", "F"}
        ``"lr"`` works for every model; ``"F"``, exact with normal errors, for OLS and SLX only.

    Returns
    -------
    Diagnosis
        Rows ``lr_unit, lr_time`` or ``f_unit, f_time``.

    Notes
    -----
    Both models are fitted by dummy-variable ML whatever the correction of the fit: the transformed likelihoods of models
    with different effects are of different observations and cannot be compared. Degrees of freedom are the difference in
    parameters, N - 1 and T - 1 (one less where the effects absorb a lagged intercept). The number of restrictions df grows
    with N or T, so that the statistic is only roughly chi-squared and rejects too often (at 5 %, 10 % of the time for 31
    units and 8 years). The note gives it times Bartlett's factor ``(n - p + df / 2 - 1) / n`` (Anderson 2003, section 8.5;
    p parameters in the larger model), which repairs most of that in OLS; with a spatial lag and time effects the bias of
    dummy-variable ML remains. Elhorst (2014) reports the uncorrected statistic.
    """
    if form not in FORMS:
        raise ValueError(f"form={form!r} is not known; choose one of {', '.join(map(repr, FORMS))}")
    design = fit.estimate.design
    if design.shape[0] == 1:
        raise ValueError("a cross-section has no unit and time effects to test")
    test = _lr_effects if form == "lr" else _f_effects
    pairs = (
        ("unit", (True, design.time), (False, design.time)),
        ("time", (design.unit, True), (design.unit, False)),
    )
    return Diagnosis(
        tuple(test(fit.estimate, name, big, small) for name, big, small in pairs), title="Unit and time effects"
    )


def effects_test(fit: SpatialFit, which: str, *, form: str = "lr") -> Test:
    """One of `effects_tests`: `which` is ``"unit"`` or ``"time"``."""
    if which not in ("unit", "time"):
        raise ValueError(f"which={which!r} is not known; choose 'unit' or 'time'")
    design = fit.estimate.design
    big = (True, design.time) if which == "unit" else (design.unit, True)
    small = (False, design.time) if which == "unit" else (design.unit, False)
    return (_lr_effects if form == "lr" else _f_effects)(fit.estimate, which, big, small)


def _both(est: Estimate, big: tuple[bool, bool], small: tuple[bool, bool]) -> tuple[Estimate, Estimate, int, int]:
    static_only(est, "a test of the effects", "dummy-variable likelihoods with and without them carry different biases")
    full = refit(est, est.model.name, effects=big, correction="none")
    less = refit(est, est.model.name, effects=small, correction="none")
    return full, less, _parameters(full), _parameters(less)


def _parameters(est: Estimate) -> int:
    """Coefficients, spatial parameters and dummies."""
    return int(len(est.columns.names) + est.model.lag + est.model.error + est.design.effects_rank)


def _given(full: Estimate, less: Estimate) -> str:
    return f"{scope(full.design)} against {scope(less.design)}"


def _lr_effects(est: Estimate, name: str, big: tuple[bool, bool], small: tuple[bool, bool]) -> Test:
    full, less, p, q = _both(est, big, small)
    statistic, n, df = 2.0 * (full.fit.llf - less.fit.llf), full.design.nobs, p - q
    corrected = statistic * (n - p + 0.5 * df - 1.0) / n
    p_corrected = float(stats.chi2.sf(corrected, df))
    tail = "p < 0.0001" if p_corrected < 1e-4 else f"p = {p_corrected:.4f}"
    note = f"dummy-variable likelihoods of {n} observations; Bartlett-corrected {corrected:.4g}, {tail}"
    return make(f"lr_{name}", statistic, df, stats.chi2.sf(statistic, df), scope=_given(full, less), note=note)


def _f_effects(est: Estimate, name: str, big: tuple[bool, bool], small: tuple[bool, bool]) -> Test:
    if est.model.lag or est.model.error:
        raise ValueError(f"the F test is for OLS and SLX fits, not {est.model.name}; use form='lr'")
    full, less, p, q = _both(est, big, small)
    df = full.design.nobs - p
    statistic = (less.fit.sse - full.fit.sse) / (p - q) / (full.fit.sse / df)
    pvalue = stats.f.sf(statistic, p - q, df)
    return make(f"f_{name}", statistic, p - q, pvalue, scope=_given(full, less), df_denominator=df)


def hausman(fe_fit: SpatialFit, re_fit: SpatialFit, *, terms: Sequence[str] | None = None) -> Test:
    """Hausman's test of fixed against random effects from two results.

    Parameters
    ----------
    fe_fit : SpatialFit
        Consistent under both hypotheses (fixed effects).
    re_fit : SpatialFit
        Efficient under the null (random effects); anything with ``params`` and ``cov_params()``.
    terms : sequence of str, optional
        Coefficients to compare; by default all that both have, without the intercept.

    Returns
    -------
    Test
        A negative statistic is reported as it is, with a NaN p-value. It can only occur where the difference of the
        covariances is not positive definite; the note says so whenever that is the case, because the statistic has no
        chi-squared distribution then. The `mundlak` test has no such problem.

    Notes
    -----
    ``d' (V_fe - V_re)^-1 d`` with d the difference of the estimates (Hausman 1978; Mutl and Pfaffermayr 2011 for spatial
    panels). splm takes the absolute value of the statistic, which turns a failure into a rejection; spreg subtracts the
    covariances the other way round, which makes a regular statistic negative.
    """
    for fit in (fe_fit, re_fit):
        static_only(
            getattr(fit, "estimate", None), "the Hausman test", "y_{t-1} is correlated with random unit effects"
        )
    common = [t for t in fe_fit.params.index if t in re_fit.params.index and t not in ("Intercept", "sigma2")]
    chosen = common if terms is None else list(terms)
    unknown = [t for t in chosen if t not in common]
    if unknown or not chosen:
        raise ValueError(
            f"terms={unknown or chosen} are not in both fits; common to them are {', '.join(common) or 'none'}"
        )
    d = (fe_fit.params[chosen] - re_fit.params[chosen]).to_numpy()
    v = _submatrix(fe_fit.cov_params(), chosen) - _submatrix(re_fit.cov_params(), chosen)
    scale = np.sqrt(np.abs(np.diag(v)))
    if np.any(scale == 0) or np.linalg.matrix_rank(v / np.outer(scale, scale)) < len(chosen):
        raise IdentificationError("the difference of the two covariances is singular: no Hausman statistic exists")
    scaled = v / np.outer(scale, scale)
    statistic = float(d / scale @ np.linalg.solve(scaled, d / scale))
    pvalue = float(stats.chi2.sf(statistic, len(chosen))) if statistic >= 0 else float("nan")
    doubt = "V_fe - V_re is not positive definite: the chi-squared distribution does not hold; see the Mundlak test"
    note = "" if np.linalg.eigvalsh(scaled)[0] > 0 else doubt
    return make("hausman", statistic, len(chosen), pvalue, note=note)


def _submatrix(frame: pd.DataFrame, terms: list[str]) -> NDArray:
    return frame.loc[terms, terms].to_numpy(dtype=float)


def mundlak(fit: SpatialFit) -> Test:
    r"""Robust form of the Hausman test: do the units' means of the regressors belong in the model without unit effects?

    .. math:: y_t = \rho W y_t + X_t\beta + WX_t\theta + \bar X\gamma + W\bar X\delta + u_t, \qquad H_0: \gamma = \delta = 0

    Parameters
    ----------
    fit : SpatialFit
        OLS, SLX, SAR or SDM fit of a panel. Time effects are kept, unit effects are replaced by the means.

    Returns
    -------
    Test
        ``statistic`` is F(q, N - q) with q means under test; the note has the Wald statistic itself.

    Raises
    ------
    ValueError
        For a cross-section and for models with a spatial error.

    Notes
    -----
    Mundlak (1978); Debarsy (2012) adds the spatial lags of the means. The covariance is clustered by unit, so that neither
    the unit effects in u nor heteroskedasticity or serial correlation matter, and the statistic cannot be negative. With
    few units the plain clustered covariance is too small (the 5 % test rejects 26 % of the time in an SDM with 31 units):
    the scores take jackknife residuals (CR3; Bell and McCaffrey 2002) and the Wald statistic is scaled by
    ``(N - q) / (q (N - 1))`` as Hotelling's T-squared, which brings it to 4 to 8 %.
    """
    est = fit.estimate
    if est.design.shape[0] == 1:
        raise ValueError("a cross-section has no unit effects to test")
    if est.model.error:
        raise ValueError(
            f"the Mundlak test clusters by unit, which the spatial error of a {est.model.name} fit contradicts; use the "
            "model without it"
        )
    static_only(est, "the Mundlak test", "y_{t-1} is correlated with the unit effects by construction")
    require_balanced(est, "the Mundlak test")
    augmented, means = _with_means(est)
    if est.weights.lag is not None:
        dense(est.weights.lag, "the clustered covariance")
    positions = [augmented.columns.names.index(name) for name in means]
    form = score_form(augmented)
    n, q = est.design.shape[1], len(means)
    if q >= n - 1:
        raise IdentificationError(f"{q} means under test with {n} clusters: the clustered covariance is singular")
    bread = scaled.inverse(augmented.fit.information)
    e = jackknife_residuals(form.e, form.linear, augmented.design.time)
    meat = unit_meat(e, form.linear, form.quadratic, form.sigma2 * form.kept)
    covariance = bread @ meat @ bread * ((n - 1.0) / n)
    gamma = augmented.fit.beta[positions]
    wald = float(gamma @ scaled.solve(covariance[np.ix_(positions, positions)], gamma))
    statistic = wald * (n - q) / (q * (n - 1.0))
    note = f"Wald statistic {wald:.4g} on {q} means, clustered by unit"
    pvalue, where = stats.f.sf(statistic, q, n - q), scope(augmented.design)
    return make("mundlak", statistic, q, pvalue, scope=where, df_denominator=n - q, note=note)


def _with_means(est: Estimate) -> tuple[Estimate, list[str]]:
    """The fit's regression without unit effects, with the means over time of every regressor that varies over both."""
    pooled = without_means(with_effects(est.design, False, est.design.time))
    lagged = tuple(name for name in lagged_names(est) or () if name in pooled.names)
    columns = build_columns(pooled, est.model, est.weights, lagged if est.model.durbin else None)
    z, names = columns.z, columns.names
    means = np.repeat(z.mean(axis=1, keepdims=True), z.shape[1], axis=1)
    size = np.sqrt((z**2).sum(axis=(1, 2)))
    varies = np.sqrt(((z - means) ** 2).sum(axis=(1, 2))) > 1e-9 * size
    across = means - means.mean(axis=2, keepdims=True)
    differs = np.sqrt((across**2).sum(axis=(1, 2))) > 1e-9 * size
    chosen = [i for i in range(len(names)) if varies[i] and differs[i]]
    if not chosen:
        raise IdentificationError("no regressor varies both over time and between units: there are no means to test")
    added = [f"{MEAN}{names[i]}" for i in chosen]
    design = replace(pooled, x=np.concatenate([z, means[chosen]]), names=(*names, *added))
    model = get_model("SAR" if est.model.lag else "OLS")
    weights = Weights(est.weights.lag, None, None)
    return estimate(design, model, weights, in_likelihood(est.correction), None), added
