"""Covariance of the estimates under several views of the error; one function per view, chosen by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg as sla

from nqpf_spatial import provinces
from nqpf_spatial.errors import FewClustersWarning, IdentificationError, PanelError, warn
from nqpf_spatial.kernels import sandwich
from nqpf_spatial.kernels import unbalanced_score as kernel
from nqpf_spatial.kernels.information import expected_information
from nqpf_spatial.kernels.several import mismatch
from nqpf_spatial.models import random_effects
from nqpf_spatial.models.dynamic.correct import expected as expected_dynamic
from nqpf_spatial.models.dynamic.part import check_dynamic_vcov, dynamic_terms
from nqpf_spatial.models.estimate import Estimate
from nqpf_spatial.models.labels import match
from nqpf_spatial.models.missing import inference as unbalanced_inference
from nqpf_spatial.models.missing.networks import require_balanced
from nqpf_spatial.models.residuals import decompose
from nqpf_spatial.models.several import covariance as several_covariance
from nqpf_spatial.models.several.estimate import SeveralEstimate

#: below this number of clusters, units or periods the coverage page shows intervals that are too short
FEW = 40


def covariance(est: Estimate, vcov: str, options: Mapping[str, Any]) -> NDArray:
    """Covariance of (beta, [rho], [lambda], sigma2)."""
    if est.random is not None and vcov not in ("observed", "expected"):
        raise ValueError(
            f'vcov={vcov!r} is not available with random effects; use "observed" or "expected", or fixed effects'
        )
    check_holds(est, vcov)
    function, _ = METHODS[vcov]
    return function(est, **options)


def check_holds(est: Estimate, vcov: str) -> None:
    """Refuse a covariance that does not hold for the estimate; the errors name those that do."""
    check_dynamic_vcov(est, vcov)
    _check_missing_vcov(est, vcov)


def _check_missing_vcov(est: Estimate, vcov: str) -> None:
    """The covariances that hold where cells are missing; an error names them."""
    if est.design.observed is None:
        return
    allowed = ("observed",) if est.design.integrated else ("observed", "expected", "sandwich", "cluster")
    if vcov not in allowed:
        raise ValueError(
            f"vcov={vcov!r} is for panels in which every unit is observed in every period; with "
            f"missing={est.design.dropped.asked.choice!r} use {', '.join(map(repr, allowed))}"
        )


def _inverse(information: NDArray) -> NDArray:
    try:
        factor = sla.cho_factor(information)
    except sla.LinAlgError as error:
        raise IdentificationError(
            "the information matrix is not positive definite at the maximum: a parameter is not identified"
        ) from error
    return sla.cho_solve(factor, np.eye(information.shape[0]))


def _observed(est: Estimate) -> NDArray:
    bread = _inverse(est.fit.information)
    if isinstance(est, SeveralEstimate):
        return bread if est.gap is None else bread - bread @ est.gap @ bread
    return _widened(bread, est, _excess(est))


def _expected(est: Estimate) -> NDArray:
    variance = expected(est)
    if isinstance(est, SeveralEstimate):
        if est.gap is None:
            return _inverse(variance)
        bread = _inverse(variance + est.gap)
        return bread - bread @ est.gap @ bread
    excess = _excess(est)
    if excess and est.networks is None:
        # `expected` is the variance of the score, of which the expected derivative is one part
        position = len(est.columns.names)
        variance[position, position] -= excess
    return _widened(_inverse(variance), est, excess)


def _widened(bread: NDArray, est: Estimate, excess: float) -> NDArray:
    """Covariance of a score that no likelihood has: its variance is the expected derivative and something in rho."""
    if not excess:
        return bread
    position = len(est.columns.names)
    return bread + excess * np.outer(bread[position], bread[position])


def _excess(est: Estimate) -> float:
    """Variance of the freed score of rho beyond its expected derivative; zero where the score is that of a likelihood."""
    if est.networks is not None:
        return unbalanced_inference.excess(est)
    lag, design = est.weights.lag, est.design
    if est.correction != "score" or lag is None or lag.is_row_stochastic or not design.time:
        return 0.0
    if design.observed is not None or est.random is not None or (dynamic_terms(est) and design.unit):
        return 0.0  # these have variances of their own
    w = lag.dense()
    g = sla.solve((np.eye(lag.n) - est.fit.rho * w).T, w.T).T
    return -float(mismatch(g[None, None], np.ones(1), design.shape[0], (design.unit, design.time))[0, 0])


def expected(est: Estimate) -> NDArray:
    """Expected information of (beta, [rho], [lambda], sigma2)."""
    if est.random is not None:
        return random_effects.expected(est)
    if dynamic_terms(est):
        return expected_dynamic(est)
    if est.networks is not None:
        return _expected_cells(est)
    if isinstance(est, SeveralEstimate):
        return several_covariance.expected(est, decompose(est)[1])
    lag, error = _parameters(est)
    effects = (est.design.unit, est.design.time)
    project = est.correction in ("transform", "score") and est.design.time
    like = est.likelihood
    fixed = decompose(est)[1]
    return expected_information(
        est.columns.z, est.fit.beta, est.fit.sigma2, lag, error, effects, like.m, project, like.n, fixed
    )


def _expected_cells(est: Estimate) -> NDArray:
    found = kernel.normal_variance(unbalanced_inference.score(est, project=est.correction != "none"))
    if est.model.lag:
        position = len(est.columns.names)
        found[position, position] -= unbalanced_inference.excess(est)
    return found


def _parameters(est: Estimate) -> tuple[tuple[NDArray, float] | None, tuple[NDArray, float] | None]:
    lag, error = est.weights.lag, est.weights.error
    return (
        None if lag is None else (lag.dense(), est.fit.rho),
        None if error is None else (error.dense(), est.fit.lambda_),
    )


def score_form(est: Estimate) -> sandwich.ScoreForm:
    """The score of an estimate as a linear-quadratic form in the error."""
    require_balanced(est, "this test")
    design, fit = est.design, est.fit
    _, fixed, e = decompose(est)
    if isinstance(est, SeveralEstimate):
        return several_covariance.score_form(est, fixed, e)
    lag, error = _parameters(est)
    effects = (design.unit, design.time)
    return sandwich.score_form(est.columns.z, fit.beta, fit.sigma2, e, lag, error, effects, est.likelihood.n, fixed)


def _between(est: Estimate, meat: NDArray) -> NDArray:
    bread = _inverse(est.fit.information)
    return bread @ meat @ bread


def _sandwich(est: Estimate) -> NDArray:
    if est.networks is not None:
        return _between(est, kernel.qml_variance(unbalanced_inference.score(est)))
    return _between(est, sandwich.qml_meat(score_form(est), expected(est)))


def _cluster(est: Estimate, groups: pd.Series | Mapping[Any, Any] | str | None = None) -> NDArray:
    labels = group_codes(est, groups)
    g = np.unique(labels).size
    _warn_few(g, "clusters")
    n, k = est.likelihood.n, len(est.columns.names)
    scale = g / (g - 1.0) * (n - 1.0) / (n - k)
    if est.networks is not None:
        codes = unbalanced_inference.unit_cells(est, labels)
        return scale * _between(est, kernel.cluster_variance(unbalanced_inference.score(est), codes))
    return scale * _between(est, sandwich.cluster_meat(score_form(est), labels))


def group_codes(est: Estimate, groups: pd.Series | Mapping[Any, Any] | str | None) -> NDArray:
    """Cluster number (N,) of every unit; units are their own clusters by default."""
    units = list(est.design.units)
    if groups is None:
        if len(units) < 3:
            raise PanelError(f"{len(units)} units are fewer than three clusters; a clustered covariance needs many")
        return np.arange(len(units))
    if isinstance(groups, str):
        named = [provinces.group_of(unit, groups) for unit in units]  # type: ignore[arg-type]
    else:
        given = dict(groups)
        absent = [unit for unit in units if unit not in given]
        if absent:
            raise PanelError(f"groups= has no entry for {', '.join(map(str, absent[:12]))}")
        named = [given[unit] for unit in units]
        nameless = [unit for unit, name in zip(units, named, strict=True) if pd.isna(name)]
        if nameless:
            raise PanelError(
                f"groups= has no group for {', '.join(map(str, nameless[:12]))}: they are no cluster together"
            )
    code = np.unique(np.array([str(name) for name in named]), return_inverse=True)[1]
    if code.max() < 2:
        raise PanelError("groups= makes fewer than three clusters; a clustered covariance needs many")
    return code


def _driscoll_kraay(est: Estimate, lags: int | None = None) -> NDArray:
    t = est.design.shape[0]
    if t < 4:
        raise PanelError(f"the Driscoll-Kraay covariance averages over periods; {t} are too few")
    chosen = int(np.floor(4.0 * (t / 100.0) ** (2.0 / 9.0))) if lags is None else lags
    if not isinstance(chosen, (int, np.integer)) or not 0 <= chosen < t - 1:
        raise ValueError(f"lags={lags}: choose between 0 and {t - 2}")
    _warn_few(t, "periods")
    return _between(est, sandwich.period_meat(score_form(est), chosen))


def _conley(est: Estimate, distance: pd.DataFrame | None = None, cutoff: float | None = None) -> NDArray:
    if distance is not None and not isinstance(distance, pd.DataFrame):
        raise TypeError(
            f"distance= is a {type(distance).__name__}; give a DataFrame with the units as index and columns"
        )
    if cutoff is not None and not (isinstance(cutoff, (int, float, np.number)) and cutoff > 0):
        raise ValueError(f"cutoff={cutoff!r}: a distance in km is a positive number")
    if distance is None or cutoff is None:
        raise ValueError('vcov="conley" needs distance= (a labelled square frame, in km) and cutoff= (in km)')
    units = list(est.design.units)
    aligned = _aligned(distance, units)
    kernel = np.clip(1.0 - aligned / float(cutoff), 0.0, None)
    np.fill_diagonal(kernel, 1.0)
    _warn_few(len(units), "units")
    return _between(est, sandwich.conley_meat(score_form(est), kernel))


def _aligned(distance: pd.DataFrame, units: list[Any]) -> NDArray:
    """Distances (N, N) in the order of the units, checked."""
    if not (distance.index.is_unique and distance.columns.is_unique):
        raise PanelError("distance= names a unit twice")
    place = match(units, list(distance.index), ("the fit", "the index of distance="))
    across = match(units, list(distance.columns), ("the fit", "the columns of distance="))
    rows, columns = ([where[unit] for unit in units] for where in (place, across))
    found = distance.to_numpy(dtype=float)[np.ix_(rows, columns)]
    if not (np.isfinite(found).all() and (found >= 0).all() and np.allclose(found, found.T)):
        raise PanelError(
            "distance= holds missing, negative or one-way distances: give km between every two units, the same both ways"
        )
    return found


def _warn_few(count: int, what: str) -> None:
    if count < FEW:
        warn(
            f"{count} {what} are few for this covariance; see the coverage page for what its intervals cover and compare "
            'with fit.bootstrap("wild-cluster")',
            FewClustersWarning,
        )


METHODS: dict[str, tuple[Callable[..., NDArray], tuple[str, ...]]] = {
    "observed": (_observed, ()),
    "expected": (_expected, ()),
    "sandwich": (_sandwich, ()),
    "cluster": (_cluster, ("groups",)),
    "driscoll-kraay": (_driscoll_kraay, ("lags",)),
    "conley": (_conley, ("distance", "cutoff")),
}


def check_vcov(vcov: str, options: Mapping[str, Any] | None = None) -> None:
    """Refuse an unknown covariance or option at once, not at the first standard error."""
    if vcov not in METHODS:
        raise ValueError(f"vcov={vcov!r} is not known; choose one of {', '.join(map(repr, METHODS))}")
    allowed = METHODS[vcov][1]
    unknown = set(options or {}) - set(allowed)
    if unknown:
        raise ValueError(
            f"vcov={vcov!r} does not take {', '.join(sorted(unknown))}; it takes {', '.join(allowed) or 'no options'}"
        )


def check_alpha(alpha: float) -> None:
    """A level between 0 and 1: 0.05 for intervals of 95 %."""
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha={alpha}: give the share outside the interval, 0.05 for 95 %")
