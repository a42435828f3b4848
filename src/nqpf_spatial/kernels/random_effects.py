r"""Maximum likelihood of static spatial panels with random unit effects.

The likelihood and its three error structures are in `random_effects_likelihood`, its maximisation in
`random_effects_search`. phi = 1, no unit heterogeneity, is a boundary of the parameter space and is reported as
such.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.ml import residual_quadratic
from nqpf_spatial.kernels.random_effects_likelihood import (
    REProblem,
    build_problem,
    score_and_information,
    solve,
)
from nqpf_spatial.kernels.random_effects_search import maximise_re

ERRORS = ("none", "kkp", "baltagi")


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
    x, iterations = maximise_re(problem)
    return _result(problem, x, iterations, error, time)


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
        raise ValueError(f"z has shape {z.shape}; it must be (k, T, N) with (T, N) = {y.shape}, the shape of y")
    if (wy is None) != (logdet_rho is None):
        raise ValueError("wy and logdet_rho belong together: give both or neither")
    given = (w_error is not None, logdet_lambda is not None)
    if given != (error != "none",) * 2:
        raise ValueError(f"error={error!r} {'takes no' if error == 'none' else 'needs'} w_error and logdet_lambda")
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
        raise IdentificationError("the residuals do not vary within units: the two variances cannot be told apart")


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
