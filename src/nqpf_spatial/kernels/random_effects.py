r"""Maximum likelihood of static spatial panels with random unit effects.

The likelihood and its three error structures are in `random_effects_likelihood`. beta and sigma2 are
concentrated out; (rho, lambda, ln phi) are found by a scan of the whole admissible set, rho profiled out
exactly, followed by damped Newton steps with analytic derivatives from the best local maxima. phi = 1, no
unit heterogeneity, is a boundary of the parameter space and is reported as such.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.errors import ConvergenceError, IdentificationError
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.ml import maximise_lag, residual_quadratic
from nqpf_spatial.kernels.random_effects_likelihood import (
    REProblem,
    build_problem,
    score_and_information,
    solve,
    whitened,
)

ERRORS = ("none", "kkp", "baltagi")
_LOG_PHI = -np.array([0.0, 0.5, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0, 13.0, 17.0, 22.0])  # scan of ln phi
_LAMBDAS = 24  # points of the scan of lambda
_STARTS = 3  # local maxima of the scan that Newton's method starts from
_MARGIN = 1e-8  # relative distance kept from the ends of the admissible intervals
_LOWEST = -28.0  # of ln phi: below it K of the Baltagi error is singular to machine precision


@dataclass(frozen=True, slots=True)
class REFit:
    """Maximum of the likelihood with random unit effects.

    Attributes
    ----------
    beta : (k,) ndarray
    rho, lambda_ : float
        Zero where the model has no such parameter.
    sigma2 : float
        Variance of e, the sum of squares of the whitened residuals over n.
    sigma2_mu : float
        Variance of the unit effects, ``sigma2 (1/phi - 1) / T``.
    phi : float
        ``sigma2 / (sigma2 + T sigma2_mu)``; quasi-demeaning subtracts ``1 - sqrt(phi)`` times the unit means.
    llf : float
        Log-likelihood with all constants and Jacobians.
    information : (p, p) ndarray
        Observed information in the order of `parameters`.
    parameters : tuple of str
        ``beta0, ..., [rho], [lambda], [phi], sigma2``; phi is absent when it lies on its boundary 1, where
        the likelihood is that of the pooled model.
    n, units, periods : int
        Observations of the likelihood and their factors: N (N - 1 with time effects) and T.
    error : str
    time : bool
    boundary : tuple of str
        Parameters at an end of their interval: rho or lambda within 1e-4 of it, phi at 1.
    iterations : int
    """

    beta: NDArray
    rho: float
    lambda_: float
    sigma2: float
    sigma2_mu: float
    phi: float
    llf: float
    information: NDArray
    parameters: tuple[str, ...]
    n: int
    units: int
    periods: int
    error: str
    time: bool
    boundary: tuple[str, ...]
    iterations: int


def fit_re(
    z: NDArray,
    y: NDArray,
    wy: NDArray | None,
    w_error: NDArray | None,
    logdet_rho: LogDet | None,
    logdet_lambda: LogDet | None,
    error: str = "none",
    time: bool = False,
) -> REFit:
    r"""Maximise the likelihood of a spatial panel with random unit effects.

    Parameters
    ----------
    z : (k, T, N) ndarray
        Regressors, with intercept and lagged regressors where the model has them (no intercept with `time`).
    y : (T, N) ndarray
    wy : (T, N) ndarray or None
        Spatial lag of y; None without a lag, together with `logdet_rho`.
    w_error : (N, N) ndarray or None
        Weights of the error; None for ``error="none"``, together with `logdet_lambda`. A sparse array serves
        for ``"kkp"``; ``"baltagi"`` works with dense N x N matrices.
    logdet_rho, logdet_lambda : LogDet or None
        ``ln|I - r W|`` on N units; with `time` that of F'WF from
        `nqpf_spatial.kernels.logdet.drop_unit_root`.
    error : {"none", "kkp", "baltagi"}
        ``u = mu + e``; ``u = B^-1 (mu + e)`` (Kapoor, Kelejian and Prucha 2007); ``u = mu + B^-1 e``
        (Baltagi, Song and Koh 2003).
    time : bool
        Time effects removed by the orthonormal transformation F of Lee and Yu (2010), N - 1 units left. W of
        the lag and of the error need rows that sum to one.

    Returns
    -------
    REFit

    Raises
    ------
    IdentificationError
        One period, collinear columns, too few observations, vanishing residuals, or weights that do not allow
        `time`.
    ConvergenceError
        If Newton's method stops before its tolerance from every start.

    Notes
    -----
    Elhorst (2014, chapter 3) and spreg write :math:`\phi^2` for our :math:`\varphi`; splm prints
    :math:`\sigma_\mu^2/\sigma^2` as phi. With a lag or the KKP error the between part stays informative
    about rho and lambda however large the unit effects are, so that these estimates do not tend to those
    with fixed effects.

    Examples
    --------
    >>> import numpy as np
    >>> from nqpf_spatial.kernels.random_effects import fit_re
    >>> rng = np.random.default_rng(1)
    >>> z = np.stack([np.ones((6, 40)), rng.normal(size=(6, 40))])
    >>> y = 1 + 2 * z[1] + rng.normal(size=40) + 0.5 * rng.normal(size=(6, 40))
    >>> fit = fit_re(z, y, None, None, None, None)
    >>> fit.parameters, fit.boundary
    (('beta0', 'beta1', 'phi', 'sigma2'), ())
    >>> bool(abs(fit.beta[1] - 2) < 0.1 and 0.5 < fit.sigma2_mu < 2)
    True
    """
    _check(z, y, wy, w_error, logdet_rho, logdet_lambda, error, time)
    problem = build_problem(z, y, wy, w_error, (logdet_rho, logdet_lambda), error == "baltagi", time)
    _check_rank(problem)
    best: tuple[float, NDArray, int] | None = None
    failure: ConvergenceError | None = None
    for start in _starts(problem):
        try:
            found = _newton(problem, start)
        except ConvergenceError as stopped:
            failure = stopped
            continue
        if best is None or found[0] > best[0]:
            best = found
    if best is None:
        assert failure is not None
        raise failure
    return _result(problem, best[1], best[2], error, time)


def variance_components(fit: REFit) -> tuple[NDArray, NDArray]:
    """(sigma2_mu, sigma2) and their covariance by the delta method; zeros for sigma2_mu where phi is at 1."""
    covariance = np.linalg.inv(fit.information)
    values = np.array([fit.sigma2_mu, fit.sigma2])
    jacobian = np.zeros((2, len(fit.parameters)))
    jacobian[1, -1] = 1.0
    if "phi" in fit.parameters:
        jacobian[0, -1] = (1.0 / fit.phi - 1.0) / fit.periods
        jacobian[0, -2] = -fit.sigma2 / fit.phi**2 / fit.periods
    return values, jacobian @ covariance @ jacobian.T


# -- checks ------------------------------------------------------------------------------------------------
def _check(
    z: NDArray,
    y: NDArray,
    wy: NDArray | None,
    w_error: NDArray | None,
    logdet_rho: LogDet | None,
    logdet_lambda: LogDet | None,
    error: str,
    time: bool,
) -> None:
    periods, size = y.shape
    if error not in ERRORS:
        raise ValueError(f"error={error!r} is not known; choose one of {', '.join(map(repr, ERRORS))}")
    if z.ndim != 3 or z.shape[1:] != y.shape:
        raise ValueError(
            f"z has shape {z.shape}; it must be (k, T, N) with (T, N) = {y.shape}, the shape of y"
        )
    if (wy is None) != (logdet_rho is None):
        raise ValueError("wy and logdet_rho belong together: give both or neither")
    given = (w_error is not None, logdet_lambda is not None)
    if given != (error != "none",) * 2:
        raise ValueError(
            f"error={error!r} {'takes no' if error == 'none' else 'needs'} w_error and logdet_lambda"
        )
    if periods < 2:
        raise IdentificationError("random unit effects need at least two periods; the panel has one")
    units = size - time
    for name, logdet in (("logdet_rho", logdet_rho), ("logdet_lambda", logdet_lambda)):
        if logdet is not None and logdet.omega.size != units:
            hint = "; with time effects use drop_unit_root" if time else ""
            raise ValueError(f"{name} has {logdet.omega.size} eigenvalues for {units} units{hint}")
    if time and w_error is not None and np.max(np.abs(w_error @ np.ones(size) - 1.0)) > 1e-8:
        raise IdentificationError(
            "time effects cannot be transformed away: the rows of the error weights do not sum to one. Use "
            "row-standardised weights, or write the time effects as columns of the regression"
        )
    spatial = (wy is not None) + (w_error is not None)
    if units * periods <= z.shape[0] + spatial + 2:
        raise IdentificationError(
            f"{units * periods} effective observations for {z.shape[0]} coefficients, {spatial} spatial "
            "parameters and two variances"
        )


def _check_rank(problem: REProblem) -> None:
    k = problem.k
    stacked = np.concatenate([problem.within.base, problem.between.base])
    r = sla.qr(stacked[:, :k], mode="r", check_finite=False)[0]
    size = np.sqrt((stacked[:, :k] ** 2).sum(axis=0))
    rest = np.abs(np.diag(r)) if r.shape[0] >= k else np.zeros(k)
    bad = [j for j in range(k) if not rest[j] > 1e-10 * size[j]]
    if bad:
        raise IdentificationError(
            f"columns {bad} of z are linear combinations of the columns before them. Leave them out"
        )
    # squared residuals at roundoff count as zero
    y_floor, wy_floor = 1e-26 * (stacked[:, k:] ** 2).sum(axis=0)
    a, b, c = residual_quadratic(stacked, k)
    if a <= y_floor:
        raise IdentificationError("the residuals vanish: y is an exact linear function of the regressors")
    if problem.rho is not None and (c <= wy_floor or c * a - b * b <= 1e-14 * a * c):
        raise IdentificationError("Wy is a linear function of y and the regressors: rho is not identified")
    z, y = problem.within.base[:, :k], problem.within.base[:, k]
    if np.sum((y - z @ np.linalg.lstsq(z, y)[0]) ** 2) <= y_floor:
        raise IdentificationError(
            "the residuals do not vary within units: the two variances cannot be told apart"
        )


# -- maximisation over x = (rho, lambda, ln phi) -----------------------------------------------------------
def _starts(problem: REProblem) -> list[NDArray]:
    """Local maxima of the likelihood on a grid of (lambda, ln phi) with rho profiled out, best first."""
    lambdas = (
        np.zeros(1) if problem.lambda_ is None else np.linspace(*_inside(problem.lambda_), _LAMBDAS + 2)[1:-1]
    )
    grid = np.array([(lambda_, eta) for lambda_ in lambdas for eta in _LOG_PHI])
    quadratics, constants = np.empty((len(grid), 3)), np.empty(len(grid))
    for row, (lambda_, eta) in enumerate(grid):
        factor, constants[row] = whitened(problem, float(lambda_), float(np.exp(eta)))
        quadratics[row] = residual_quadratic(factor, problem.k)
    a, b, c = quadratics.T
    rho = np.zeros(len(grid))
    if problem.rho is not None:
        rho = maximise_lag(a, b, c, problem.n, problem.periods, problem.rho, tol=1e-6)[0]
        constants += problem.periods * problem.rho(rho)
    values = (constants - 0.5 * problem.n * np.log(a - 2.0 * b * rho + c * rho**2)).reshape(len(lambdas), -1)
    padded = np.pad(values, 1, constant_values=-np.inf)
    rows, columns = values.shape
    around = [padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
    peaks = np.flatnonzero((values >= np.max(around, axis=0)).ravel())
    order = peaks[np.argsort(-values.ravel()[peaks], kind="stable")][:_STARTS]
    return [np.array([rho[i], *grid[i]]) for i in order]


def _newton(problem: REProblem, x: NDArray, max_iter: int = 200) -> tuple[float, NDArray, int]:
    """Damped Newton with the bound ln phi <= 0: (log-likelihood, x, iterations)."""
    present = np.array([problem.rho is not None, problem.lambda_ is not None, True])
    value = _value(problem, x)
    for iteration in range(1, max_iter + 1):
        score, hessian = _derivatives(problem, x)
        free = present.copy()
        free[2] = x[2] < 0.0 or score[2] < 0.0
        if not free.any():
            return value, x, iteration
        direction = np.zeros(3)
        curvature, axes = np.linalg.eigh(hessian[np.ix_(free, free)])
        direction[free] = axes @ ((axes.T @ score[free]) / np.maximum(np.abs(curvature), 1e-10))
        new = _line_search(problem, x, value, direction)
        step = np.max(np.abs(new[1] - x))
        value, x = new
        if step <= 1e-11 * max(1.0, float(np.max(np.abs(x)))):
            if score @ direction > 1e-8:
                break
            return value, x, iteration
    raise ConvergenceError(
        f"(rho, lambda, ln phi) = {np.round(x, 6).tolist()} is no stationary point after {iteration} "
        f"iterations (expected gain {0.5 * float(score @ direction):.2g})"
    )


def _line_search(problem: REProblem, x: NDArray, value: float, direction: NDArray) -> tuple[float, NDArray]:
    """The first point x + scale * direction, scale = 1, 1/2, ..., inside the bounds and not below `value`."""
    scale = 1.0
    while scale > 1e-12:
        candidate = x + scale * direction
        candidate[2] = min(candidate[2], 0.0)
        if _admissible(problem, candidate):
            new = _value(problem, candidate)
            if new >= value - 1e-13 * abs(value):
                return new, candidate
        scale *= 0.5
    return value, x


def _value(problem: REProblem, x: NDArray) -> float:
    return solve(problem, float(x[0]), float(x[1]), float(np.exp(x[2])))[2]


def _derivatives(problem: REProblem, x: NDArray) -> tuple[NDArray, NDArray]:
    """Score and Hessian of the concentrated likelihood in (rho, lambda, ln phi)."""
    rho, lambda_, phi = float(x[0]), float(x[1]), float(np.exp(x[2]))
    k = problem.k
    beta, sse, _ = solve(problem, rho, lambda_, phi)
    score, information = score_and_information(problem, beta, rho, lambda_, phi, sse / problem.n)
    inner, outer = [*range(k), k + 3], [k, k + 1, k + 2]
    # units of the regressors differ by orders of magnitude: equilibrate before the Schur complement
    scale = 1.0 / np.sqrt(np.diag(information)[inner])
    block = information[np.ix_(inner, inner)] * scale[:, None] * scale
    cross = information[np.ix_(inner, outer)] * scale[:, None]
    hessian = -(information[np.ix_(outer, outer)] - cross.T @ sla.cho_solve(sla.cho_factor(block), cross))
    gradient = score[outer]
    chain = np.array([1.0, 1.0, phi])
    hessian = hessian * chain[:, None] * chain
    hessian[2, 2] += phi * gradient[2]
    return gradient * chain, hessian


def _admissible(problem: REProblem, x: NDArray) -> bool:
    pairs = ((problem.rho, x[0]), (problem.lambda_, x[1]))
    return x[2] > _LOWEST and all(
        logdet is None or _inside(logdet)[0] <= value <= _inside(logdet)[1] for logdet, value in pairs
    )


def _inside(logdet: LogDet) -> tuple[float, float]:
    """The admissible interval, closed a little inside its open ends (which may be infinite: then +-1e3)."""
    low, high = max(logdet.low, -1e3), min(logdet.high, 1e3)
    margin = _MARGIN * (high - low)
    return low + margin, high - margin


def _result(problem: REProblem, x: NDArray, iterations: int, error: str, time: bool) -> REFit:
    rho, lambda_, phi = float(x[0]), float(x[1]), float(np.exp(x[2]))
    beta, sse, llf = solve(problem, rho, lambda_, phi)
    sigma2 = sse / problem.n
    _, information = score_and_information(problem, beta, rho, lambda_, phi, sigma2)
    k = problem.k
    names = [f"beta{j}" for j in range(k)] + ["rho", "lambda", "phi", "sigma2"]
    absent = [problem.rho is None, problem.lambda_ is None, phi == 1.0]
    keep = [*range(k), *(k + j for j in range(3) if not absent[j]), k + 3]
    ends = {"rho": (problem.rho, rho), "lambda": (problem.lambda_, lambda_)}
    boundary = [
        name
        for name, (logdet, value) in ends.items()
        if logdet is not None and min(value - logdet.low, logdet.high - value) < 1e-4
    ]
    return REFit(
        beta=beta,
        rho=rho,
        lambda_=lambda_,
        sigma2=sigma2,
        sigma2_mu=sigma2 * (1.0 / phi - 1.0) / problem.periods,
        phi=phi,
        llf=llf,
        information=information[np.ix_(keep, keep)],
        parameters=tuple(names[j] for j in keep),
        n=problem.n,
        units=problem.units,
        periods=problem.periods,
        error=error,
        time=time,
        boundary=tuple(boundary + (["phi"] if phi == 1.0 else [])),
        iterations=iterations,
    )
