"""Likelihood-ratio and Wald tests of a model against the simpler ones it contains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.errors import ConvergenceError, IdentificationError
from nqpf_spatial.kernels import scaled
from nqpf_spatial.models.diagnostics._refit import at_maximum, lagged_names, refit
from nqpf_spatial.models.diagnostics._result import Diagnosis, Test, make
from nqpf_spatial.models.dynamic.part import part, static_only
from nqpf_spatial.models.estimate import Estimate
from nqpf_spatial.models.spec import get_model

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

#: model -> simpler models inside it, with the restriction in words
NESTED: dict[str, dict[str, str]] = {
    "SLX": {"OLS": "theta = 0"},
    "SAR": {"OLS": "rho = 0"},
    "SEM": {"OLS": "lambda = 0"},
    "SDM": {"SAR": "theta = 0", "SLX": "rho = 0", "SEM": "theta = -rho beta"},
    "SDEM": {"SEM": "theta = 0", "SLX": "lambda = 0"},
    "SAC": {"SAR": "lambda = 0", "SEM": "rho = 0"},
    "GNS": {"SDM": "lambda = 0", "SDEM": "rho = 0", "SAC": "theta = 0"},
}


_NO_LR = (
    "the score of tau, eta and rho is adjusted for the unit effects and its variance is not its slope, so that twice the difference has no "
    "chi-squared distribution. Use wald_test"
)


def lr_test(fit: SpatialFit, restricted: SpatialFit | str) -> Test:
    """Likelihood-ratio test of a fit against a simpler one.

    Parameters
    ----------
    fit : SpatialFit
    restricted : SpatialFit or str
        The simpler fit, or the name of a simpler model, which is then fitted to the same sample with the same effects and
        correction.

    Returns
    -------
    Test
        ``df`` is the difference in the number of parameters.

    Raises
    ------
    ValueError
        If the likelihoods are not of the same observations, or the models are not nested.

    Notes
    -----
    ``2 (ln L - ln L0)``. Estimates that were corrected after the maximum (``correction="bias"``, ``"bootstrap"``) are
    compared by the dummy-variable likelihoods that they correct.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> from nqpf_spatial.models.diagnostics import lr_test
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SDM", w, T=6, params={"x": 1.0, "z": 1.0, "W:x": 0.5, "rho": 0.5}, seed=1)
    >>> lr_test(nq.sdm("y ~ x + z | unit + period", data, w), "SAR").df
    2
    """
    static_only(fit.estimate, "a likelihood-ratio test", _NO_LR)
    full = at_maximum(fit.estimate)
    small = _restricted(full, restricted) if isinstance(restricted, str) else at_maximum(restricted.estimate)
    return likelihood_ratio(full, small)


def likelihood_ratio(full: Estimate, small: Estimate) -> Test:
    """LR test between two estimates, refused where it means nothing."""
    static_only(small, "a likelihood-ratio test", _NO_LR)
    _same_likelihood(full, small)
    _require_nested(full, small)
    df = _count(full) - _count(small)
    if df < 1:
        raise ValueError(f"{small.model.name} has as many parameters as {full.model.name}: nothing is restricted")
    statistic = 2.0 * (full.fit.llf - small.fit.llf)
    if statistic < -1e-6 * max(1.0, abs(full.fit.llf)):
        raise ConvergenceError(
            f"the log-likelihood of {small.model.name} ({small.fit.llf:.6f}) exceeds that of {full.model.name} "
            f"({full.fit.llf:.6f}), which contains it: one of them is not at its maximum"
        )
    statistic = max(statistic, 0.0)
    where = _arrow(full, small)
    restriction = NESTED[full.model.name].get(small.model.name, "") if full.model != small.model else "fewer regressors"
    nulls = (restriction, restriction)
    return make("lr", statistic, df, stats.chi2.sf(statistic, df), scope=where, nulls=nulls)


def _arrow(full: Estimate, small: Estimate) -> str:
    return f"{full.model.name} -> {small.model.name}"


def _restricted(est: Estimate, name: str) -> Estimate:
    spec = get_model(name)
    inside = NESTED.get(est.model.name, {})
    if spec.name not in inside:
        raise ValueError(f"{spec.name} is not inside {est.model.name}; that contains {', '.join(inside) or 'none'}")
    _require_common_factor(est, spec.name)
    return refit(est, spec.name)


def _require_common_factor(est: Estimate, name: str) -> None:
    """SDM -> SEM needs a lag of every regressor, with the weights of the spatial lag."""
    if (est.model.name, name) != ("SDM", "SEM"):
        return
    lagged, w = lagged_names(est) or (), est.weights.lag
    assert w is not None
    needed = [n for n in est.design.names if n != "Intercept" or not w.is_row_stochastic]
    absent = [n for n in needed if n not in lagged]
    if absent:
        raise IdentificationError(f"the common factor needs W times every regressor; absent: {', '.join(absent)}")
    if est.weights.durbin != w:
        raise IdentificationError("the common factor needs the same weights in Wy and WX")


def _same_likelihood(full: Estimate, small: Estimate) -> None:
    a, b = full.likelihood, small.likelihood
    if (a.n, a.m) != (b.n, b.m):
        raise ValueError(
            f"the likelihoods are of {a.n} and {b.n} observations (correction {full.correction!r}, {small.correction!r}): "
            "they cannot be compared. Fit both models with the same data, effects and correction"
        )
    same = full.design.units == small.design.units and full.design.periods == small.design.periods
    if not same or not np.array_equal(full.design.y, small.design.y, equal_nan=True):
        raise ValueError("the fits are of different samples or outcomes: their likelihoods cannot be compared")
    if (full.design.unit, full.design.time) != (small.design.unit, small.design.time):
        raise ValueError("the fits have different fixed effects; for a test of effects use effects_tests")
    if (full.random is None) != (small.random is None):
        raise ValueError("one fit has random unit effects, the other has not: see hausman and effects_tests")
    if full.correction != small.correction:
        raise ValueError(f"the corrections differ: {full.correction!r} and {small.correction!r}")


def _require_nested(full: Estimate, small: Estimate) -> None:
    inside = small.model == full.model or small.model.name in NESTED.get(full.model.name, {})
    extra = [n for n in small.columns.names if n not in full.columns.names]
    if not inside or extra:
        detail = f"; only in the simpler one: {', '.join(extra)}" if extra else ""
        raise ValueError(f"{small.model.name} is not nested in {full.model.name}{detail}")
    _require_common_factor(full, small.model.name)
    pairs = ((full.weights.lag, small.weights.lag), (full.weights.error, small.weights.error))
    if any(a is not None and b is not None and a != b for a, b in pairs):
        raise ValueError("the fits use different weights: they are not nested")


def _count(est: Estimate) -> int:
    return len(est.columns.names) + est.model.lag + est.model.error


def wald_test(fit: SpatialFit, restricted: str) -> Test:
    r"""Wald test of a simpler model from the estimate and covariance of `fit` alone.

    Parameters
    ----------
    fit : SpatialFit
        Its ``vcov`` is used: ``fit.with_vcov("cluster")`` gives the robust test.
    restricted : str
        Name of a model inside that of the fit.

    Returns
    -------
    Test

    Notes
    -----
    ``g' (G V G')^-1 g`` with the restrictions g and their derivatives G; for SDM -> SEM the common factor
    ``g = theta + rho beta`` (Burridge 1981), whose G is ``(rho I, I, beta)``.
    """
    est = fit.estimate
    spec = get_model(restricted)
    inside = NESTED.get(est.model.name, {})
    if spec.name not in inside:
        raise ValueError(f"{spec.name} is not inside {est.model.name}; that contains {', '.join(inside) or 'none'}")
    if spec.name == "SEM":
        static_only(est, "the common factor", "a dynamic model with a spatial error restricts eta too")
    _require_common_factor(est, spec.name)
    value, jacobian = _restriction(est, inside[spec.name], list(fit.params.index), fit.params.to_numpy())
    covariance = jacobian @ fit.cov_params().to_numpy() @ jacobian.T
    scale = np.sqrt(np.diag(covariance))
    if np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0] < 1e-10:
        raise IdentificationError(
            f"the {fit.vcov} covariance is singular in the {value.size} restrictions: too few clusters or periods for a joint test"
        )
    statistic = float(value @ scaled.solve(covariance, value))
    where = f"{est.model.name} -> {spec.name}"
    nulls = (inside[spec.name], inside[spec.name])
    note = "" if fit.vcov == "observed" else f"covariance: {fit.vcov}"
    return make(
        "wald", statistic, value.size, stats.chi2.sf(statistic, value.size), scope=where, nulls=nulls, note=note
    )


def time_tests(fit: SpatialFit) -> Diagnosis:
    """Tests of a dynamic fit about time: are the time lags needed, and is the process stable?

    Returns
    -------
    Diagnosis
        ``time_lags``: Wald test that tau and eta are zero; ``stability``: Wald test that ``tau + rho + eta`` (the `estimate`) is one,
        whose note has the largest root. See `nqpf_spatial.models.dynamic.stability.stability`.
    """
    names = list(part(fit.estimate).names)
    value, block = fit.params[names].to_numpy(), fit.cov_params().loc[names, names].to_numpy()
    statistic, df = float(value @ scaled.solve(block, value)), len(names)
    found = fit.stability()
    note = f"largest root {found.radius:.4f}, {'stable' if found.stable else 'not stable'}"
    if found.near_unit:
        note += "; the interval of the sum reaches one"
    rows = (
        make("time_lags", statistic, df, stats.chi2.sf(statistic, df)),
        make("stability", found.statistic, found.df, found.pvalue, estimate=found.sum, note=note),
    )
    return Diagnosis(rows, title="Time lags and stability")


def _restriction(est: Estimate, words: str, terms: list[str], params: NDArray) -> tuple[NDArray, NDArray]:
    """g and its derivatives with respect to all parameters."""
    lagged = [f"W:{name}" for name in lagged_names(est) or ()]
    if words == "theta = 0":
        positions = [terms.index(name) for name in lagged]
    elif words != "theta = -rho beta":
        positions = [terms.index(words.split(" ")[0])]
    else:
        rho = terms.index("rho")
        theta = [terms.index(name) for name in lagged]
        beta = [terms.index(name.removeprefix("W:")) for name in lagged]
        jacobian = np.zeros((len(lagged), params.size))
        rows = np.arange(len(lagged))
        jacobian[rows, theta], jacobian[rows, beta], jacobian[:, rho] = 1.0, params[rho], params[beta]
        return params[theta] + params[rho] * params[beta], jacobian
    jacobian = np.zeros((len(positions), params.size))
    jacobian[np.arange(len(positions)), positions] = 1.0
    return params[positions], jacobian
