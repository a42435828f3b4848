"""``nq.fit`` and its one-line fronts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from nqpf_spatial.data import check_vintages
from nqpf_spatial.errors import IdentificationError, IdentificationWarning, PanelError, warn
from nqpf_spatial.models.arguments import check_choice, check_durbin, given_weights
from nqpf_spatial.models.correct import correct
from nqpf_spatial.models.covariance import check_holds, check_vcov
from nqpf_spatial.models.design import Design, build_design
from nqpf_spatial.models.dynamic.estimate import estimate_dynamic
from nqpf_spatial.models.dynamic.part import CORRECTIONS as DYNAMIC_CORRECTIONS
from nqpf_spatial.models.dynamic.part import parse_terms
from nqpf_spatial.models.estimate import CORRECTIONS, IN_LIKELIHOOD, Estimate, Weights, estimate
from nqpf_spatial.models.missing.choices import Missing
from nqpf_spatial.models.missing.networks import cut_units
from nqpf_spatial.models.random_effects import EFFECTS, RANDOM_ERRORS, estimate_random
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.models.several.estimate import SeveralEstimate, estimate_several
from nqpf_spatial.models.several.results import SeveralFit
from nqpf_spatial.models.several.shares import warn_shares
from nqpf_spatial.models.several.weights import (
    SeveralWeights,
    WeightsArgument,
    check_static_balanced,
    parse_weights,
    wanted,
)
from nqpf_spatial.models.spec import Model, get_model, parse_formula
from nqpf_spatial.models.weak import warn_weak
from nqpf_spatial.weights.core import SpatialWeights
from nqpf_spatial.weights.guards import check_presample

_Front = TypeVar("_Front", bound=Callable[..., SpatialFit])


def fit(
    formula: str,
    data: pd.DataFrame,
    w: WeightsArgument | None = None,
    *,
    model: str = "SDM",
    years: tuple[object, object] | None = None,
    durbin: list[str] | tuple[str, ...] | None = None,
    w_durbin: WeightsArgument | None = None,
    w_error: SpatialWeights | None = None,
    combine: bool = False,
    effects: str = "fixed",
    random_error: str = "kkp",
    dynamic: str | Sequence[str] | None = None,
    correction: str = "transform",
    vcov: str = "observed",
    missing: str = "raise",
    subset: str | None = None,
    islands: str = "error",
) -> SpatialFit:
    r"""Fit a static or dynamic spatial model to a cross-section or a panel by maximum likelihood.

    .. math::
       y_t = \rho W y_t + X_t\beta + W X_t\theta + [\tau y_{t-1} + \eta W y_{t-1}] + \mu + \alpha_t\iota + u_t, \qquad
       u_t = \lambda W u_t + e_t

    Parameters
    ----------
    formula : str
        ``"y ~ x1 + x2 | province + year"``: regressors left of ``|`` as in R and formulaic (``log(x)``,
        ``I(x**2)``, ``x:z``, ``C(g)``), fixed effects right of it, named as the levels of the index (none, one
        or both).
    data : DataFrame
        Index (unit, period) for a panel, (unit) for a cross-section. Row order does not matter.
    w : SpatialWeights, WeightsSequence, or mapping or list of them
        Spatial weights with the same units, in any order and under any of their names. A sequence (`nqpf_spatial.weights.sequence`)
        has a W per period; a mapping of names gives a lag per matrix, ``rho:name`` (SAR, SDM, SLX): see the docs page on several weights.
    model : {"SDM", "SAR", "SLX", "OLS", "SEM", "SDEM", "SAC", "GNS"}
        Which of rho, theta and lambda the model has.
    years : (first, last), optional
        Window of periods, both ends included.
    durbin : list of str, optional
        Regressors that get a spatial lag; all by default. Variables that the formula does not have are lagged only.
    w_durbin, w_error : SpatialWeights, optional
        Weights of the Durbin terms and of the error; `w` by default. `w_durbin` takes what `w` takes.
    combine : bool
        With several matrices: one rho and shares that sum to one, ``W = sum g_m W_m`` (Debarsy and LeSage 2018), instead of a
        coefficient per matrix.
    effects : {"fixed", "random", "mundlak"}
        ``"random"``: random unit effects by maximum likelihood, beside the fixed time effects that the formula may
        name; ``"mundlak"``: the same with the unit means of the regressors (and their spatial lags) as controls, so that the
        effects may be correlated with them.
    random_error : {"kkp", "baltagi"}
        With random effects and a spatial error: whether the filter applies to the unit effects too (Kapoor, Kelejian and
        Prucha 2007) or to e alone (Baltagi, Song and Koh 2003).
    dynamic : {"lag_y", "lag_wy", "both"} or sequence of the first two, optional
        Time lags among the regressors: ``y_{t-1}`` (tau), ``W y_{t-1}`` (eta) or both; static by default. SAR, SDM, SLX and OLS with
        fixed effects. The first period of the window supplies ``y_0`` and is lost. ``correction=`` then also removes the bias that unit effects
        cause: ``"transform"`` and ``"score"`` exactly for every T, ``"bias"`` as Yu, de Jong and Lee (2008) and Lee and Yu (2010),
        ``"direct"`` the same with time dummies, ``"none"`` not at all; see the docs page on dynamic models.
    correction : {"transform", "score", "none", "bias", "bootstrap"}
        ``"transform"`` (default) is the transformation of Lee and Yu (2010), free of the incidental-parameter
        bias: n = (N-1)(T-1) with both effects. It needs a row-stochastic W when there are time effects; ``"score"`` solves the
        score freed from its expectation under any W, and equals the transformation where both exist. ``"none"`` is dummy-variable ML, the number other packages print.
    vcov : {"observed", "expected", "sandwich", "cluster", "driscoll-kraay"}
        Covariance of the estimates; see `SpatialFit.with_vcov`, which also takes the options some of them need.
    missing : {"raise", "drop_units", "drop_years", "subnetwork", "marginalise"}
        Missing cells and absent rows: an error that names them; leave out the units, or the periods, that have some; the
        likelihood of the network observed in every period; the likelihood of the observed outcomes in the whole network (missing
        outcomes integrated out, regressors complete). Nothing is ever filled in; ``fit.dropped`` says what was left out.
    subset : {"keep", "restandardise"}, optional
        How W is cut where units are not there, to be said whenever it is cut: elements as they are, or standardised anew.
    islands : {"error", "keep"}
        Units that lose all their neighbours by that: an error that names them, or a spatial lag of zero.

    Returns
    -------
    SpatialFit
        Frozen result: ``params``, ``bse``, ``impacts()``, ``tidy()``, ...

    Raises
    ------
    AlignmentError
        Units of the panel and of W differ, or a sequence of weights lacks periods of the panel; the message names them.
    PanelError
        Missing cells, duplicated or absent rows, text columns; the message names them.
    DataSourceError
        Levels of different GDP vintages of the packaged panel in one term.
    IdentificationError
        Collinear or absorbed regressors, or a correction that W does not allow.
    ConvergenceError
        A dynamic model too persistent for so few periods.

    Warns
    -----
    IdentificationWarning
        The maximum lies at an end of the admissible interval of rho or lambda; W is near-complete under time effects and rho hardly
        identified (standard deviation over data sets drawn from the fit above 0.25); a dynamic process is not stable.
    EndogeneityWarning
        W was built from economic data of the sample itself.

    Notes
    -----
    With time effects the demeaned spatial lag is Q(Wy), not W(Qy); packages that use the latter do not maximise
    the likelihood unless W is doubly stochastic. ``sigma2`` is SSE / n with the n of the likelihood. The
    log-likelihood carries all constants. Coefficients are not effects: see ``fit.impacts()``.

    References
    ----------
    Lee, L.-F. and J. Yu (2010). Estimation of spatial autoregressive panel data models with fixed effects.
    Journal of Econometrics 154, 165-185. Elhorst, J. P. (2014). Spatial Econometrics. Springer. Yu, J., R. de Jong and L.-F. Lee
    (2008). Quasi-maximum likelihood estimators for spatial dynamic panel data. Journal of Econometrics 146, 118-134.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> panel = nq.load_panel()
    >>> w = nq.weights.contiguity()
    >>> res = nq.fit("ln_gdp_real_pc ~ ln_rd_intensity + pop_growth | province + year", panel, w, years=(2012, 2024))
    >>> res.params.index.tolist()
    ['ln_rd_intensity', 'pop_growth', 'W:ln_rd_intensity', 'W:pop_growth', 'rho']
    >>> res.nobs, res.n_effective
    (403, 360)
    >>> res = nq.fit("ln_gdp_real_pc ~ ln_rd_intensity + pop_growth | province + year", panel, w, years=(2012, 2024),
    ...              dynamic="lag_y")
    >>> res.params.index.tolist()[-2:], res.nobs
    (['L:ln_gdp_real_pc', 'rho'], 372)
    """
    spec = get_model(model)
    terms = parse_terms(dynamic)
    check_choice("correction", correction, DYNAMIC_CORRECTIONS if terms else CORRECTIONS)
    check_choice("effects", effects, EFFECTS)
    check_choice("random_error", random_error, RANDOM_ERRORS)
    asked = Missing(missing, subset, islands)
    check_vcov(vcov)
    several = combine or wanted(w, w_durbin)
    if several:
        check_static_balanced(terms, effects, missing)
    weights = (
        parse_weights(spec, w, w_durbin, w_error, combine) if several else given_weights(spec, w, w_durbin, w_error)
    )
    _check_given(spec, formula, data, durbin)
    design = _design(formula, data, weights.ids(), years, durbin, asked)
    weights = cut_units(weights, design.units, design.dropped.units, asked)
    if isinstance(weights, SeveralWeights):
        weights.check_predetermined(design.periods)
    else:
        _check_predetermined(weights, design.periods[0])
    _check_missing(design, terms, effects)
    _check_effects(effects, dynamic if terms else None, correction)
    lagged = None if durbin is None else tuple(durbin)
    if effects != "fixed":
        est: Estimate = estimate_random(design, spec, weights, effects, random_error, lagged)
    elif terms:
        est = estimate_dynamic(design, spec, weights, terms, correction, lagged)
    else:
        est = _static(design, spec, weights, correction, lagged)
    check_holds(est, vcov)
    _check_identified(est)
    if est.fit.boundary:
        warn(_edge(est), IdentificationWarning)
    elif isinstance(est, SeveralEstimate):
        warn_shares(est)
    else:
        warn_weak(est)
    release = data.attrs.get("release")
    result = SeveralFit if several else SpatialFit
    return result(est, parse_formula(formula), vcov, None if release is None else str(release))


def _check_given(spec: Model, formula: str, data: pd.DataFrame, durbin: object) -> None:
    """What needs no design to be seen."""
    check_durbin(spec, durbin)
    parse_formula(formula)
    if isinstance(data, pd.DataFrame) and "release" in data.attrs:
        check_vintages(formula.partition("|")[0])


def _static(design: Design, spec: Model, weights: Weights, correction: str, durbin: tuple[str, ...] | None) -> Estimate:
    """The estimate without time lags and random effects."""
    if isinstance(weights, SeveralWeights):
        return estimate_several(design, spec, weights, correction, durbin)
    if correction in IN_LIKELIHOOD:
        return estimate(design, spec, weights, correction, durbin)
    return correct(estimate(design, spec, weights, "none", durbin), correction)


def _edge(est: Estimate) -> str:
    return (
        f"the likelihood is highest at an end of the admissible interval (rho = {est.fit.rho:.4f}, lambda = "
        f"{est.fit.lambda_:.4f}); standard errors are not reliable there"
    )


def _design(
    formula: str,
    data: pd.DataFrame,
    ids: tuple[Hashable, ...] | None,
    years: tuple[object, object] | None,
    durbin: Sequence[str] | None,
    asked: Missing,
) -> Design:
    """The design; variables that durbin= names beyond the formula are lagged only."""
    design = build_design(parse_formula(formula), data, ids, years, asked)
    known = {name.replace(" ", "") for name in design.names}
    beyond = [term for term in durbin or () if term.replace(" ", "") not in known]
    if not beyond:
        return design
    main, bar, effects = formula.partition("|")
    whole = build_design(parse_formula(f"{main} + {' + '.join(beyond)} {bar}{effects}"), data, ids, years, asked)
    return replace(whole, lag_only=tuple(name for name in whole.names if name not in design.names))


def _check_missing(design: Design, terms: tuple[str, ...], effects: str) -> None:
    """What time lags and random effects cannot take."""
    asked = design.dropped.asked.choice
    if terms and asked in ("drop_years", "subnetwork", "marginalise"):
        raise PanelError(
            f'missing={asked!r} leaves gaps that the time lags of dynamic= would reach across; use missing="drop_units" or another '
            "window with years="
        )
    if effects != "fixed" and design.observed is not None:
        raise PanelError(
            f'effects={effects!r} is for panels in which every unit is observed in every period; use missing="drop_units" or '
            '"drop_years", or effects="fixed"'
        )


def _check_effects(effects: str, dynamic: object, correction: str) -> None:
    """What random effects cannot take."""
    if effects == "fixed":
        return
    if dynamic is not None:
        raise ValueError(f"dynamic={dynamic!r} needs fixed effects; effects={effects!r} is available for static models")
    if correction != "transform":
        raise ValueError(
            f'correction={correction!r} belongs to fixed effects; with effects="{effects}" there is nothing to correct but '
            "the time effects, which are always transformed away: leave correction= out"
        )


def _check_predetermined(weights: Weights, first: Hashable) -> None:
    """Weights built from data of the sample itself are said to be endogenous."""
    if isinstance(first, int):
        for present in {id(v): v for v in (weights.lag, weights.durbin, weights.error) if v is not None}.values():
            check_presample(present, first)


def _check_identified(est: Estimate) -> None:
    """A likelihood that is flat in a parameter has no estimate; rounding would choose one."""
    error = est.weights.error
    lag = None if error is None else est.weights.lag
    slopes = [name for name in est.columns.names if name.removeprefix("W:") != "Intercept"]
    if lag is not None and error is not None and lag.checksum == error.checksum and not slopes:
        raise IdentificationError(
            f"without regressors rho and lambda of a {est.model.name} model with one W can be exchanged: the model is not "
            "identified. Use SAR or SEM, another w_error, or add regressors"
        )
    information = est.fit.information
    scale = np.sqrt(np.abs(np.diag(information)))
    readable = np.isfinite(information).all() and (scale > 0).all()
    if not readable or np.min(np.linalg.eigvalsh(information / np.outer(scale, scale))) < 1e-10:
        raise IdentificationError(
            "the likelihood is flat at its maximum: the data and W do not identify every parameter (with equal weights and "
            "time effects they never identify rho or lambda). Use another W, or fewer effects or terms"
        )


def _with_options(front: _Front) -> _Front:
    """Show the options of `fit` in the signature of a front, which passes them on."""
    own = inspect.signature(front)
    options = [p for p in inspect.signature(fit).parameters.values() if p.kind is p.KEYWORD_ONLY and p.name != "model"]
    named = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
    front.__signature__ = own.replace(parameters=[*named, *options])  # type: ignore[attr-defined]
    return front


@_with_options
def ols(formula: str, data: pd.DataFrame, w: SpatialWeights | None = None, **options: Any) -> SpatialFit:
    """Least squares without spatial terms on the same path (fixed effects, corrections): ``fit(model="OLS")``.

    A `w` plays no part in the estimates; the tests of `SpatialFit.diagnose` and the pictures of the residuals use it.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.contiguity()
    >>> res = nq.ols("ln_gdp_real_pc ~ ln_rd_intensity + pop_growth | province + year", nq.load_panel(), w, years=(2012, 2024))
    >>> bool((res.params == nq.ols(res.formula, nq.load_panel(), years=(2012, 2024)).params).all())
    True
    >>> res.diagnose()["lm_lag", "province + year"].df
    1
    """
    return fit(formula, data, w, model="OLS", **options)


@_with_options
def slx(formula: str, data: pd.DataFrame, w: SpatialWeights, **options: Any) -> SpatialFit:
    """Spatial lags of the regressors only, ``y = X beta + WX theta + e``: ``fit(model="SLX")``."""
    return fit(formula, data, w, model="SLX", **options)


@_with_options
def sar(formula: str, data: pd.DataFrame, w: SpatialWeights, **options: Any) -> SpatialFit:
    """Spatial lag model, ``y = rho W y + X beta + e``: ``fit(model="SAR")``."""
    return fit(formula, data, w, model="SAR", **options)


@_with_options
def sdm(formula: str, data: pd.DataFrame, w: SpatialWeights, **options: Any) -> SpatialFit:
    """Spatial Durbin model, ``y = rho W y + X beta + WX theta + e``: ``fit(model="SDM")``. See `fit` for the options.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> panel = nq.load_panel()
    >>> res = nq.sdm("ln_gdp_real_pc ~ ln_rd_intensity | province + year", panel, nq.weights.contiguity(),
    ...              years=(2012, 2024))
    >>> list(res.impacts().table.index)
    ['ln_rd_intensity']
    """
    return fit(formula, data, w, model="SDM", **options)


@_with_options
def sem(formula: str, data: pd.DataFrame, w: SpatialWeights, **options: Any) -> SpatialFit:
    """Spatial error model, ``y = X beta + u, u = lambda W u + e``: ``fit(model="SEM")``."""
    return fit(formula, data, w, model="SEM", **options)


@_with_options
def sdem(formula: str, data: pd.DataFrame, w: SpatialWeights, **options: Any) -> SpatialFit:
    """Spatial Durbin error model, ``y = X beta + WX theta + u, u = lambda W u + e``: ``fit(model="SDEM")``."""
    return fit(formula, data, w, model="SDEM", **options)


@_with_options
def sac(formula: str, data: pd.DataFrame, w: SpatialWeights, **options: Any) -> SpatialFit:
    """Lag and error, ``y = rho W y + X beta + u, u = lambda W u + e``: ``fit(model="SAC")``."""
    return fit(formula, data, w, model="SAC", **options)


@_with_options
def gns(formula: str, data: pd.DataFrame, w: SpatialWeights, **options: Any) -> SpatialFit:
    """General nesting spatial model, SDM with a spatial error: ``fit(model="GNS")``. Weakly identified in practice."""
    return fit(formula, data, w, model="GNS", **options)
