"""Do the data say anything about the spatial parameter?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError, IdentificationWarning, warn
from nqpf_spatial.kernels.dynamic_replicate import refit as refit_dynamic
from nqpf_spatial.kernels.identification import error_replicates
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.kernels.replicate import lag_design, refit
from nqpf_spatial.models.diagnostics._refit import dense, scope_of, view
from nqpf_spatial.models.diagnostics._result import Test, make
from nqpf_spatial.models.dynamic.bootstrap import check_refitted, replicate_design
from nqpf_spatial.models.dynamic.part import dynamic_terms
from nqpf_spatial.models.estimate import Estimate, matrix
from nqpf_spatial.models.missing.inference import replicates as redraw

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

_STREAM = 19_881_123  # any number: it sets the stream of the replicates apart
WEAK = 0.25  # sd from which a 95 % interval of rho is about as long as the interval from 0 to 1


def identification(fit: SpatialFit, *, replicates: int = 500, seed: int = 0) -> Test:
    """Standard deviation of rho (or lambda) over data sets drawn from the fitted model, with a flag above 0.25.

    Parameters
    ----------
    fit : SpatialFit
        A fit with a spatial lag or a spatial error, not both.
    replicates : int
        Data sets, normal errors, the regressors and effects of the fit.
    seed : int

    Returns
    -------
    Test
        ``statistic`` is the standard deviation, ``estimate`` the parameter; no p-value.

    Warns
    -----
    IdentificationWarning
        If the standard deviation exceeds 0.25.

    Notes
    -----
    Near-complete or equal weights with time effects leave next to nothing of Wy: the likelihood is flat and the asymptotic
    standard error says little. Every replicate is re-estimated by the same likelihood, all at once.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> from nqpf_spatial.models.diagnostics import identification
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "rho": 0.5}, seed=1)
    >>> test = identification(nq.sar("y ~ x | unit + period", data, w))
    >>> bool(0.03 < test.statistic < 0.15)
    True
    """
    est = fit.estimate
    if est.model.lag == est.model.error:
        why = "rho and lambda are estimated together" if est.model.lag else "it has no spatial parameter"
        raise ValueError(f"identification is simulated for one spatial parameter; in a {est.model.name} fit {why}")
    if replicates < 50:
        raise ValueError(f"replicates={replicates}: a standard deviation needs at least 50")
    draws = spatial_draws(est, replicates, seed)
    sd = float(np.std(draws, ddof=1))
    name = "rho" if est.model.lag else "lambda"
    value = est.fit.rho if est.model.lag else est.fit.lambda_
    note = f"of {name}, {replicates} replicates, 95 % of them in ({np.quantile(draws, 0.025):.3f}, {np.quantile(draws, 0.975):.3f})"
    if sd > WEAK:
        note = f"WEAK: {note}"
        warn(weak_message(name, value, sd), IdentificationWarning)
    return make("identification", sd, None, float("nan"), scope=scope_of(est), estimate=value, note=note)


def weak_message(name: str, value: float, sd: float, simulated: bool = True) -> str:
    """What `identification` and `nqpf_spatial.fit` warn of."""
    what = "over data sets drawn from the fit its standard deviation" if simulated else "its standard error"
    return (
        f"{name} = {value:.3f} is hardly identified: {what} is {sd:.2f}. "
        "Weights with fewer links, more periods or another model carry more information"
    )


def spatial_draws(est: Estimate, replicates: int, seed: int) -> NDArray:
    """Estimates of rho (or lambda) over data sets drawn from an estimate, normal errors."""
    return _lag_draws(est, replicates, seed) if est.model.lag else _error_draws(est, replicates, seed)


def _errors(est: Estimate, replicates: int, seed: int) -> NDArray:
    shape = (replicates, *est.design.shape)
    if np.prod(shape) > 5e7:
        raise IdentificationError(
            f"{replicates} replicates of {est.design.y.size} observations are too many; lower replicates="
        )
    # a stream of its own: data that were simulated with the same small seed must not come back as errors
    rng = np.random.default_rng([seed, _STREAM])
    return np.sqrt(est.fit.sigma2) * rng.standard_normal(shape)


def _lag_draws(est: Estimate, replicates: int, seed: int) -> NDArray:
    """rho of every replicate; of a dynamic fit those that find a maximum, paths rebuilt period by period."""
    if est.networks is not None:
        return _networks_draws(est, replicates, seed)
    if dynamic_terms(est):
        check_refitted(est)
        found = refit_dynamic(replicate_design(est), iter([_errors(est, replicates, seed)]))
        return found.phi[found.converged, 2]
    like, w, seen = est.likelihood, est.weights.lag, view(est)
    assert w is not None
    array = dense(w, "the simulation of rho")
    assert isinstance(like.rho, LogDet)  # dense() lets no other through
    signal = seen.y - est.fit.rho * spatial_lag(matrix(w), seen.y) - seen.e  # Z beta and the effects
    prepared = lag_design(seen.z, signal, array, est.fit.rho, (seen.unit, seen.time), like.n, like.m, like.rho)
    return refit(prepared, _errors(est, replicates, seed)).rho


def _networks_draws(est: Estimate, replicates: int, seed: int) -> NDArray:
    """rho of every replicate on the observed sub-networks."""
    if est.design.nobs * replicates > 5e7:
        raise IdentificationError(
            f"{replicates} replicates of {est.design.nobs} observations are too many; lower replicates="
        )
    errors = np.random.default_rng([seed, _STREAM]).standard_normal((replicates, 1, est.design.nobs))
    return redraw(est, iter([np.sqrt(est.fit.sigma2) * errors]))[0][:, -1]


def _error_draws(est: Estimate, replicates: int, seed: int) -> NDArray:
    """lambda of every replicate."""
    like, w, seen = est.likelihood, est.weights.error, view(est)
    assert w is not None
    array = dense(w, "the simulation of lambda")
    assert isinstance(like.lambda_, LogDet)  # dense() lets no other through
    errors = _errors(est, replicates, seed)
    effects = (seen.unit, seen.time)
    return error_replicates(seen.z, array, est.fit.lambda_, errors, effects, like.n, like.m, like.lambda_)
