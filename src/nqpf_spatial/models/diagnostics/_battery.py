"""The whole battery as one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nqpf_spatial.errors import ConvergenceError, IdentificationError, PanelError
from nqpf_spatial.models.determinant import EIGENVALUES_UP_TO
from nqpf_spatial.models.diagnostics._effects import effects_test, hausman, mundlak
from nqpf_spatial.models.diagnostics._identification import identification
from nqpf_spatial.models.diagnostics._lm import lm_tests
from nqpf_spatial.models.diagnostics._moran import lm_residual, moran, moran_outcome
from nqpf_spatial.models.diagnostics._nested import NESTED, lr_test, time_tests, wald_test
from nqpf_spatial.models.diagnostics._panel import bsk, collinearity, heteroskedasticity, normality, pesaran_cd, serial
from nqpf_spatial.models.diagnostics._refit import refit
from nqpf_spatial.models.diagnostics._result import Diagnosis, Test, not_computed
from nqpf_spatial.weights.core import SpatialWeights

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

_NO_WEIGHTS = "the fit has no spatial weights; pass them, diagnose(w=...)"
_NO_RE = "it compares a fit with fixed unit effects and its random_counterpart(): hausman(fe_fit, re_fit)"


def diagnose(
    fit: SpatialFit,
    *,
    w: SpatialWeights | None = None,
    re_fit: SpatialFit | None = None,
    replicates: int = 500,
    seed: int = 0,
    lang: str = "en",
) -> Diagnosis:
    """The test battery of a fit as one table.

    Parameters
    ----------
    fit : SpatialFit
    w : SpatialWeights, optional
        For fits without weights (OLS): what the spatial tests test against.
    re_fit : SpatialFit, optional
        Random effects fit for the Hausman row; by default ``fit.random_counterpart()``.
    replicates, seed : int
        Of the simulation behind the identification row.
    lang : {"en", "zh"}
        Language of test names and null hypotheses.

    Returns
    -------
    Diagnosis
        ``.table`` has one row per test with statistic, df, pvalue, null, source and note. A test that the data, W or the
        model do not allow keeps its row; the note says why there is no number.

    Warns
    -----
    IdentificationWarning
        If the spatial parameter is hardly identified, see `identification`.

    Notes
    -----
    The table has dozens of rows, so that some reject at 5 % when nothing is wrong. Every row is also a function of its own,
    listed in the docs page on diagnostics with its equation.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> from nqpf_spatial.models.diagnostics import diagnose
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SDM", w, T=6, params={"x": 1.0, "W:x": 0.5, "rho": 0.5}, seed=1)
    >>> d = diagnose(nq.sdm("y ~ x | unit + period", data, w))
    >>> d["lr", "SDM -> SAR"].df, list(d.table.columns[:6])
    (1, ['scope', 'estimate', 'statistic', 'df', 'pvalue', 'null'])
    """
    has_w = w is not None or fit.estimate.weights.for_tests() is not None
    rows = [
        *_spatial(fit, w, has_w),
        *_nested(fit),
        *(time_tests(fit) if fit.dynamic else ()),
        *_effects(fit, w, has_w, re_fit),
        *_residuals(fit, w, has_w),
        *_identification(fit, replicates, seed),
    ]
    title = f"Diagnosis of {fit.model}  {fit.formula}"
    return Diagnosis(tuple(rows), lang=lang, title=title)


def _attempt(key: str, where: str, call: Callable[[], Test | Iterable[Test]]) -> list[Test]:
    """Rows of a test, or one row that says why the data or the model do not allow it."""
    try:
        found = call()
    except (IdentificationError, PanelError, ConvergenceError) as error:
        return [not_computed(key, str(error), where)]
    return [found] if isinstance(found, Test) else list(found)


def _spatial(fit: SpatialFit, w: SpatialWeights | None, has_w: bool) -> list[Test]:
    if not has_w:
        return [not_computed(key, _NO_WEIGHTS) for key in ("moran_outcome", "lm_lag", "lm_error")]
    rows = _attempt("moran_outcome", "", partial(moran_outcome, fit, w=w))
    effects = ("none", "fit") if fit.effects else ("fit",)
    for chosen in effects:
        where = "pooled" if chosen == "none" else ""
        rows += _attempt("lm_lag", where, partial(lm_tests, fit, w=w, effects=chosen))
        rows += _attempt("lm_lag_slx", where, partial(lm_tests, fit, w=w, effects=chosen, base="SLX"))
    return rows


def _nested(fit: SpatialFit) -> list[Test]:
    rows = []
    for small in NESTED.get(fit.model, {}):
        where = f"{fit.model} -> {small}"
        rows += _attempt("lr", where, partial(lr_test, fit, small))
        rows += _attempt("wald", where, partial(wald_test, fit, small))
    return rows


def _effects(fit: SpatialFit, w: SpatialWeights | None, has_w: bool, re_fit: SpatialFit | None) -> list[Test]:
    if fit.estimate.design.shape[0] == 1:
        return []
    rows = _attempt("lr_unit", "", partial(effects_test, fit, "unit"))
    rows += _attempt("lr_time", "", partial(effects_test, fit, "time"))
    rows += _attempt("hausman", "", partial(_hausman, fit, re_fit))
    if fit.estimate.model.error:
        rows.append(not_computed("mundlak", "it clusters by unit, which a spatial error contradicts"))
    else:
        rows += _attempt("mundlak", "", partial(mundlak, fit))
    if has_w:
        rows += _attempt("bsk_joint", "pooled", partial(bsk, fit, w=w))
    else:
        rows.append(not_computed("bsk_joint", _NO_WEIGHTS, "pooled"))
    return rows


def _hausman(fit: SpatialFit, re_fit: SpatialFit | None) -> Test:
    """Hausman's test of the fit and its counterpart.

    Covariances are the inverse expected information, whose difference is positive definite far more often than that of the
    observed one.
    """
    est = fit.estimate
    if est.design.shape[1] > EIGENVALUES_UP_TO:
        raise IdentificationError(f"random effects stop at N = {EIGENVALUES_UP_TO}")
    if est.random is not None:
        other = refit(est, fit.model, effects=(True, est.design.time))
        fixed, random = replace(fit, estimate=other, vcov="observed", vcov_options={}), fit
    elif est.design.unit:
        fixed, random = fit, fit.random_counterpart() if re_fit is None else re_fit
    else:
        raise IdentificationError(_NO_RE)
    return hausman(fixed.with_vcov("expected"), random.with_vcov("expected"))


def _residuals(fit: SpatialFit, w: SpatialWeights | None, has_w: bool) -> list[Test]:
    model = fit.estimate.model
    rows = _attempt("moran", "", partial(moran, fit, w=w)) if has_w else [not_computed("moran", _NO_WEIGHTS)]
    if model.lag != model.error:
        rows += _attempt("lm_residual", "", partial(lm_residual, fit))
    if fit.estimate.design.shape[0] > 1:
        rows += _attempt("pesaran_cd", "", partial(pesaran_cd, fit))
        if has_w:
            rows += _attempt("pesaran_cd_local", "", partial(pesaran_cd, fit, local=True, w=w))
        rows += _attempt("serial", "", partial(serial, fit))
    rows += _attempt("koenker", "", partial(heteroskedasticity, fit))
    rows += _attempt("jarque_bera", "", partial(normality, fit))
    return rows


def _identification(fit: SpatialFit, replicates: int, seed: int) -> list[Test]:
    rows = []
    model = fit.estimate.model
    if model.lag != model.error:
        rows += _attempt("identification", "", partial(identification, fit, replicates=replicates, seed=seed))
    elif model.lag:
        rows.append(
            not_computed("identification", "rho and lambda are estimated together; simulated for one of them only")
        )
    rows += _attempt("condition", "", partial(collinearity, fit))
    return rows
