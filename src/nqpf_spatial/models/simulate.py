"""Data with known parameters: the data-generating process of every model, labelled like a panel."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.models.spec import get_model
from nqpf_spatial.weights.core import SpatialWeights
from nqpf_spatial.weights.guards import require_weights

_ERRORS = ("normal", "t5", "chi2")
_BURN = 100  # periods before the first one that is kept


def simulate(
    model: str,
    w: SpatialWeights,
    T: int = 1,
    params: Mapping[str, float] | None = None,
    *,
    effects: bool = True,
    errors: str = "normal",
    seed: int = 0,
) -> pd.DataFrame:
    r"""Draw a panel from a static or dynamic spatial model.

    .. math:: y_t = (I-\rho W)^{-1}[X_t\beta + WX_t\theta + \tau y_{t-1} + \eta Wy_{t-1} + \mu + \alpha_t\iota + (I-\lambda W)^{-1} e_t]

    Parameters
    ----------
    model : str
        One of OLS, SLX, SAR, SEM, SDM, SDEM, SAC, GNS.
    w : SpatialWeights
    T : int
        Periods; 1 gives a cross-section with an index of units only.
    params : mapping
        Names as in ``fit.params``: regressors, ``W:name``, ``rho``, ``lambda``, and ``sigma2`` (default 1). ``"L:y"`` (tau) and
        ``"L:W:y"`` (eta) make the panel dynamic; it then runs for 100 periods before the first one that is kept.
    effects : bool
        Unit and time effects, correlated with the regressors, in panels.
    errors : {"normal", "t5", "chi2"}
        Distribution of e, scaled to variance sigma2 (t with 5 degrees of freedom; centred chi-squared with 3).
    seed : int

    Returns
    -------
    DataFrame
        Index (unit, period) or (unit); columns y and the regressors.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> data = nq.simulate("SDM", nq.weights.contiguity(), T=5, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=1)
    >>> data.shape, list(data.columns)
    ((155, 2), ['y', 'x'])
    >>> data = nq.simulate("SDM", nq.weights.contiguity(), T=9, params={"x": 1.0, "L:y": 0.5, "rho": 0.3}, seed=1)
    >>> nq.sdm("y ~ x | unit + period", data, nq.weights.contiguity(), dynamic="lag_y").nobs
    248
    """
    spec = get_model(model)
    require_weights(w)
    given = _numbers(params or {})
    rho, lambda_, sigma2 = (float(given.pop(k, d)) for k, d in (("rho", 0.0), ("lambda", 0.0), ("sigma2", 1.0)))
    tau, eta = (float(given.pop(k, 0.0)) for k in ("L:y", "L:W:y"))
    _check_names(given, sigma2, T)
    _check(spec.name, spec.lag, spec.error, spec.durbin, rho, lambda_, given, w, errors)
    _check_stable(spec.error, T, w, tau, eta, rho)
    kept, T = T, T + (_BURN if tau or eta else 0)
    names = list(dict.fromkeys(name.removeprefix("W:") for name in given))
    rng = np.random.default_rng(seed)
    mu = rng.standard_normal(w.n) * (effects and T > 1)
    alpha = rng.standard_normal(T) * (effects and T > 1)
    x = rng.standard_normal((len(names), T, w.n)) + 0.5 * (mu + alpha[:, None])
    e = np.sqrt(sigma2) * draw_errors(rng, errors, (T, w.n))
    dense, eye = w.dense(), np.eye(w.n)
    signal = mu + alpha[:, None] + np.linalg.solve(eye - lambda_ * dense, e.T).T
    for name, values in zip(names, x, strict=True):
        signal = signal + given.get(name, 0.0) * values + given.get(f"W:{name}", 0.0) * (values @ dense.T)
    y = np.linalg.solve(eye - rho * dense, signal.T).T
    if kept < T:
        y = _path(y, np.linalg.solve(eye - rho * dense, tau * eye + eta * dense))[-kept:]
        x = x[:, -kept:]
    if kept == 1:
        index: pd.Index = pd.Index(w.ids, name="unit")
    else:
        index = pd.MultiIndex.from_product([w.ids, range(1, kept + 1)], names=["unit", "period"])
    columns = {"y": y.T.ravel(), **{name: values.T.ravel() for name, values in zip(names, x, strict=True)}}
    return pd.DataFrame(columns, index=index)


def _numbers(params: Mapping[str, float]) -> dict[str, float]:
    """Parameters by name, all finite numbers."""
    wrong = {
        name: value
        for name, value in params.items()
        if isinstance(value, bool) or not isinstance(value, Real) or not np.isfinite(value)
    }
    if wrong:
        raise ValueError(
            f"params needs one finite number per name of fit.params, got {wrong}; for instance "
            '{"x1": 1.0, "W:x1": 0.5, "rho": 0.4}'
        )
    return {name: float(value) for name, value in params.items()}


def _path(shocks: NDArray, carry: NDArray) -> NDArray:
    """``y_t = carry y_{t-1} + shocks_t`` from zero."""
    y = np.empty_like(shocks)
    before = np.zeros(shocks.shape[1])
    for t, shock in enumerate(shocks):
        before = y[t] = carry @ before + shock
    return y


def _check_stable(error: bool, periods: int, w: SpatialWeights, tau: float, eta: float, rho: float) -> None:
    if not (tau or eta):
        return
    if error or periods < 2:
        raise ValueError("L:y and L:W:y need a model without spatial error (SAR, SDM, SLX, OLS) and T of at least two")
    omega = w.eigenvalues()
    radius = float(np.abs((tau + eta * omega) / (1.0 - rho * omega)).max())
    if radius >= 1.0:
        raise ValueError(f"the process is not stable, its largest root is {radius:.4g}: lower L:y, L:W:y or rho")


def _check_names(given: Mapping[str, float], sigma2: float, periods: int) -> None:
    wrong = [name for name in given if name.removeprefix("W:") in ("Intercept", "intercept", "lambda_", "sigma", "tau")]
    if wrong:
        raise ValueError(
            f"params has {', '.join(wrong)}, which would become a random regressor; the parameters are rho, lambda and sigma2, "
            "and the effects hold the intercept"
        )
    if not sigma2 > 0:
        raise ValueError(f"sigma2={sigma2}: a variance is positive")
    if periods < 1:
        raise ValueError(f"T={periods}: at least one period is needed")


def _check(
    name: str, lag: bool, error: bool, durbin: bool, rho: float, lambda_: float, given: dict[str, float],
    w: SpatialWeights, errors: str,
) -> None:  # fmt: skip
    low, high = w.rho_interval()
    for label, value, allowed in (("rho", rho, lag), ("lambda", lambda_, error)):
        if value and not allowed:
            raise ValueError(f"a {name} model has no {label}; leave it out of params or choose another model")
        if not low < value < high:
            raise ValueError(f"{label}={value} lies outside the admissible interval ({low:.4g}, {high:.4g}) of W")
    lagged = [n for n in given if n.startswith("W:")]
    if lagged and not durbin:
        raise ValueError(f"a {name} model has no {', '.join(lagged)}; choose SLX, SDM, SDEM or GNS")
    if errors not in _ERRORS:
        raise ValueError(f"errors={errors!r} is not known; choose one of {', '.join(map(repr, _ERRORS))}")


def draw_errors(rng: np.random.Generator, errors: str, shape: tuple[int, ...]) -> NDArray:
    """Errors with mean 0 and variance 1: normal, Student t with 5 degrees of freedom, centred chi-squared with 3."""
    if errors == "t5":
        return rng.standard_t(5, shape) / np.sqrt(5 / 3)
    if errors == "chi2":
        return (rng.chisquare(3, shape) - 3) / np.sqrt(6)
    return rng.standard_normal(shape)
