r"""Maximum likelihood of the static spatial models, one path for all of them.

.. math::
   y = \rho W_1 y + Z\beta + u, \qquad u = \lambda W_2 u + e, \qquad e \sim N(0, \sigma^2 I)

with Z = [X, W_d X] after removal of the effects. beta and sigma2 are concentrated out:

.. math::
   \ln L(\rho,\lambda) = -\tfrac n2\,[\ln(2\pi\,SSE/n) + 1] + m\,\ln|I-\rho W_1| + m\,\ln|I-\lambda W_2|

(Anselin 1988, section 12.1; Lee and Yu 2010, eqs. 7 and 17). n is the number of observations the likelihood
is about and m the number of periods that carry a Jacobian; the Lee-Yu transformation changes n, m and the
spectrum behind the log-determinant and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy import optimize

from nqpf_spatial.errors import ConvergenceError, IdentificationError
from nqpf_spatial.kernels.factor import FactorLogDet
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.moments import Reduced

_GRID = 48  # starting points inside the admissible interval: the likelihood may have several maxima
_NEWTON = 30  # steps on expensive log-determinants
_COARSE, _FINE = 1e-4, 1e-7  # Brent's search before Newton's method, and in its place
_MARGIN = 1e-8  # relative distance kept from the ends of the interval


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What the likelihood needs besides the data: n, m and one log-determinant per spatial parameter (or None)."""

    n: int
    m: int
    rho: LogDet | FactorLogDet | None
    lambda_: LogDet | FactorLogDet | None


@dataclass(frozen=True, slots=True)
class MLFit:
    """Maximum of the likelihood.

    Attributes
    ----------
    beta : (k,) ndarray
    rho, lambda_ : float
        Zero where the model has no such parameter.
    sigma2, sse, llf : float
        ``sigma2 = SSE / n``; the log-likelihood carries all constants.
    information : (p, p) ndarray
        Observed information of (beta, [rho], [lambda], sigma2).
    iterations : int
    boundary : bool
        The maximum lies at an end of the admissible interval, within 1e-4 of its distance from zero.
    """

    beta: NDArray
    rho: float
    lambda_: float
    sigma2: float
    sse: float
    llf: float
    information: NDArray
    iterations: int
    boundary: bool


def fit_ml(data: Reduced, like: Likelihood, start: tuple[float, float] | None = None) -> MLFit:
    """Maximise the likelihood of a static spatial model.

    `start` = (rho, lambda) spares models with an error lag the scan for a starting point.

    Raises
    ------
    ConvergenceError
        If Newton's method stops before its tolerance.
    IdentificationError
        If the residuals vanish (more parameters than the data can bear).
    """
    if like.lambda_ is None:
        rho, iterations = (0.0, 0) if like.rho is None else _fit_lag(data.base, data.k, like)
        lambda_ = 0.0
    else:
        rho, lambda_, iterations = _fit_error(data, like) if start is None else _newton(data, like, np.array(start))
    return _at(data, like, rho, lambda_, iterations)


def residual_quadratic(factor: NDArray, k: int) -> tuple[float, float, float]:
    """(a, b, c) of ``SSE(rho) = a - 2 b rho + c rho^2`` after Z is partialled out."""
    q, _ = sla.qr(factor[:, :k], mode="economic", check_finite=False)
    rest = factor[:, k:] - q @ (q.T @ factor[:, k:])
    cross = rest.T @ rest
    return float(cross[0, 0]), float(cross[0, 1]), float(cross[1, 1])


def maximise_lag(
    a: NDArray,
    b: NDArray,
    c: NDArray,
    n: int,
    m: int,
    logdet: LogDet,
    tol: float = 1e-13,
    max_iter: int = 60,
) -> tuple[NDArray, int]:
    """Maximise ``-n/2 ln(a - 2 b rho + c rho^2) + m ln|I - rho W|`` for every element of a, b, c at once.

    A grid brackets the global maximum, Newton steps kept inside the bracket find it.
    """
    a, b, c = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (a, b, c))
    grid = scan(logdet)
    sse = a[:, None] - 2.0 * b[:, None] * grid + c[:, None] * grid**2
    best = (-0.5 * n * np.log(sse) + m * logdet(grid)).argmax(axis=1)
    left, right = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, _GRID - 1)]
    rho = grid[best].copy()
    for iteration in range(1, max_iter + 1):
        sse, first = a - 2.0 * b * rho + c * rho**2, c * rho - b
        d1, d2 = logdet.derivatives(rho)
        score = -n * first / sse + m * d1
        hessian = -n * (c / sse - 2.0 * first**2 / sse**2) + m * d2
        left, right = np.where(score > 0, rho, left), np.where(score > 0, right, rho)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = rho - score / hessian
        # an element at its maximum stays there: rounding of its score must not send it into the bracket again
        limit = tol * np.maximum(1.0, np.abs(rho))
        done = ((hessian < 0) & (np.abs(step - rho) <= limit)) | (right - left <= limit)
        inside = (hessian < 0) & (step > left) & (step < right)
        new = np.where(done, rho, np.where(inside, step, 0.5 * (left + right)))
        change, rho = np.max(np.abs(new - rho)), new
        if done.all():
            return rho, iteration
    raise ConvergenceError(f"rho moved by {change:.2g} in the last of {max_iter} iterations; tolerance {tol:g}")


def _fit_lag(factor: NDArray, k: int, like: Likelihood) -> tuple[float, int]:
    a, b, c = residual_quadratic(factor, k)
    # when Wy lies in the span of Z, c is rounding, and so is what it is compared with
    size = float(np.sum(factor[:, k + 1] ** 2))
    if a <= 0 or c <= 1e-26 * size or c * a - b * b <= 1e-14 * a * c:
        raise IdentificationError("Wy is an exact linear function of y and the regressors: rho is not identified")
    assert like.rho is not None
    if isinstance(like.rho, FactorLogDet):
        return _fit_lag_by_factors(a, b, c, like, like.rho)
    rho, iterations = maximise_lag(np.array([a]), np.array([b]), np.array([c]), like.n, like.m, like.rho)
    return float(rho[0]), iterations


def _fit_lag_by_factors(a: float, b: float, c: float, like: Likelihood, logdet: FactorLogDet) -> tuple[float, int]:
    """Few, expensive log-determinants: Brent's search on exact values finds the place, Newton's method the maximum."""
    low, high = inside(logdet)
    rho, evaluations = _brent(a, b, c, like, logdet, _COARSE)
    for step in range(1, _NEWTON + 1):
        sse, first = a - 2.0 * b * rho + c * rho**2, c * rho - b
        d1, d2 = logdet.derivatives(rho)
        score = -like.n * first / sse + like.m * float(d1)
        hessian = -like.n * (c / sse - 2.0 * first**2 / sse**2) + like.m * float(d2)
        if hessian >= 0:  # no curvature for Newton next to an end of the interval: search on
            rho, more = _brent(a, b, c, like, logdet, _FINE)
            return rho, evaluations + step + more
        change = -score / hessian
        rho = min(max(rho + change, low), high)
        if abs(change) <= 1e-11 or rho in (low, high):
            return rho, evaluations + step
    raise ConvergenceError(f"rho = {rho:.6g} still moved by {change:.2g} after {_NEWTON} steps")


def _brent(a: float, b: float, c: float, like: Likelihood, logdet: FactorLogDet, xatol: float) -> tuple[float, int]:
    """Maximum of the concentrated likelihood by its values alone, and how many it took."""
    search = optimize.minimize_scalar(
        lambda r: 0.5 * like.n * np.log(a - 2.0 * b * r + c * r * r) - like.m * float(logdet(r)),
        bounds=inside(logdet),
        method="bounded",
        options={"xatol": xatol},
    )
    if not search.success:
        raise ConvergenceError(f"the search for rho stopped at {search.x:.6g}: {search.message}")
    return float(search.x), int(search.nfev)


def _fit_error(data: Reduced, like: Likelihood) -> tuple[float, float, int]:
    """(rho, lambda) of a model with an error lag: a scan of lambda for the start, then damped Newton."""
    assert like.lambda_ is not None
    best, start = -np.inf, (0.0, 0.0)
    for lambda_ in scan(like.lambda_)[1:-1]:
        rho = 0.0 if like.rho is None else _fit_lag(data.at(lambda_), data.k, like)[0]
        value = _concentrated(data, like, rho, lambda_)
        if value > best:
            best, start = value, (rho, float(lambda_))
    return _newton(data, like, np.array(start))


def _newton(data: Reduced, like: Likelihood, x: NDArray, max_iter: int = 100) -> tuple[float, float, int]:
    """Damped Newton on the concentrated likelihood in x = (rho, lambda), kept in the box of admissible values.

    A parameter at an end of its interval with the score pointing outwards stays there while the other moves.
    """
    present = np.array([like.rho is not None, True])
    box = np.array([(0.0, 0.0) if ld is None else inside(ld) for ld in (like.rho, like.lambda_)])
    value = _concentrated(data, like, *x)
    for iteration in range(1, max_iter + 1):
        score, hessian = _concentrated_derivatives(data, like, *x)
        stuck = ((x <= box[:, 0]) & (score < 0)) | ((x >= box[:, 1]) & (score > 0))
        free = present & ~stuck
        direction = np.zeros(2)
        if free.any():
            values, vectors = sla.eigh(hessian[np.ix_(free, free)], check_finite=False)
            direction[free] = vectors @ ((vectors.T @ score[free]) / np.maximum(np.abs(values), 1e-10))
        scale, new = 1.0, value
        while scale > 1e-12:
            candidate = np.clip(x + scale * direction, box[:, 0], box[:, 1])
            new = _concentrated(data, like, *candidate)
            if new >= value - 1e-12 * abs(value):
                break
            scale *= 0.5
        change = float(np.max(np.abs(candidate - x)))
        x, value = candidate, new
        # below the second limit the steps are rounding: near an end of the interval they do not get smaller
        if change <= 1e-12 * max(1.0, float(np.max(np.abs(x)))) or (iteration > 20 and change <= 1e-9):
            return float(x[0]), float(x[1]), iteration
    raise ConvergenceError(f"(rho, lambda) = {x} still moved by {change:.2g} after {max_iter} iterations")


def scan(logdet: LogDet | FactorLogDet) -> NDArray:
    """Starting points, closer together towards the ends: intervals of dense W are wide and maxima sit near their end."""
    low, high = inside(logdet)
    return low + (high - low) * 0.5 * (1.0 - np.cos(np.pi * np.arange(_GRID) / (_GRID - 1)))


def inside(logdet: LogDet | FactorLogDet) -> tuple[float, float]:
    """The admissible interval, closed a little inside its open ends (which may be infinite: then +-1e3)."""
    low = logdet.low if np.isfinite(logdet.low) else -1e3
    high = logdet.high if np.isfinite(logdet.high) else 1e3
    margin = _MARGIN * (high - low)
    return low + margin, high - margin


def _solve(data: Reduced, rho: float, lambda_: float) -> tuple[NDArray, NDArray, NDArray]:
    """beta, residuals in the rotated space, and the filtered factor at (rho, lambda)."""
    factor = data.at(lambda_)
    target = factor[:, data.k] - rho * factor[:, data.k + 1]
    q, r = sla.qr(factor[:, : data.k], mode="economic", check_finite=False)
    projected = q.T @ target
    beta = sla.solve_triangular(r, projected, check_finite=False) if data.k else np.empty(0)
    return beta, target - q @ projected, factor


def _jacobian(like: Likelihood, rho: float, lambda_: float) -> float:
    total = 0.0 if like.rho is None else float(like.rho(rho))
    return like.m * (total + (0.0 if like.lambda_ is None else float(like.lambda_(lambda_))))


def _concentrated(data: Reduced, like: Likelihood, rho: float, lambda_: float) -> float:
    _, e, _ = _solve(data, rho, lambda_)
    return -0.5 * like.n * np.log(e @ e) + _jacobian(like, rho, lambda_)


def _concentrated_derivatives(data: Reduced, like: Likelihood, rho: float, lambda_: float) -> tuple[NDArray, NDArray]:
    """Score and Hessian of the concentrated likelihood in (rho, lambda)."""
    k, n = data.k, like.n
    beta, e, _ = _solve(data, rho, lambda_)
    sse = float(e @ e)
    fit = MLFit(beta, rho, lambda_, sse / n, sse, 0.0, np.empty((0, 0)), 0, False)
    score, information = score_and_information(data, _both(like), fit)
    # sigma2 and beta are concentrated out: Schur complement of their block
    inner = [*range(k), k + 2]
    outer = [k, k + 1]
    cross = information[np.ix_(inner, outer)]
    schur = information[np.ix_(outer, outer)] - cross.T @ np.linalg.solve(information[np.ix_(inner, inner)], cross)
    return score[outer], -schur


def _both(like: Likelihood) -> Likelihood:
    """The same likelihood with a zero log-determinant where a parameter is absent."""
    zero = LogDet(np.zeros(1), -np.inf, np.inf)
    return Likelihood(like.n, like.m, like.rho or zero, like.lambda_ or zero)


def score_and_information(data: Reduced, like: Likelihood, fit: MLFit) -> tuple[NDArray, NDArray]:
    """Score and observed information of (beta, [rho], [lambda], sigma2) at a point, by analytic derivatives.

    With ``v = y - rho Wy - Z beta`` and e its filtered form, every second derivative is a product of
    ``d e`` with ``d e`` plus ``e`` with ``d2 e`` (Anselin 1988, section 6.2.2).
    """
    k, s2 = data.k, fit.sigma2
    factor = data.at(fit.lambda_)
    u = np.concatenate([-fit.beta, [1.0, -fit.rho]])
    e = factor @ u
    lagged = np.zeros_like(factor) if data.lagged is None else data.lagged
    jacobian = np.column_stack([factor[:, :k], factor[:, k + 1], lagged @ u])  # -de/d(beta, rho, lambda)
    information = np.zeros((k + 3, k + 3))
    information[: k + 2, : k + 2] = jacobian.T @ jacobian / s2
    # e' d2e: the filter multiplies Z and Wy, so (beta, lambda) and (rho, lambda) have a cross derivative
    second = np.append(lagged[:, :k].T @ e, lagged[:, k + 1] @ e) / s2
    information[: k + 1, k + 1] += second
    information[k + 1, : k + 1] += second
    score = np.append(jacobian.T @ e / s2, -0.5 * like.n / s2 + 0.5 * (e @ e) / s2**2)
    for position, logdet, value in ((k, like.rho, fit.rho), (k + 1, like.lambda_, fit.lambda_)):
        if logdet is not None:
            d1, d2 = logdet.derivatives(value)
            score[position] += like.m * float(d1)
            information[position, position] -= like.m * float(d2)
    information[: k + 2, k + 2] = information[k + 2, : k + 2] = jacobian.T @ e / s2**2
    information[k + 2, k + 2] = -0.5 * like.n / s2**2 + (e @ e) / s2**3
    keep = [*range(k), *([k] if like.rho is not None else []), *([k + 1] if like.lambda_ is not None else []), k + 2]
    return score[keep], information[np.ix_(keep, keep)]


def _at(data: Reduced, like: Likelihood, rho: float, lambda_: float, iterations: int) -> MLFit:
    """The fit at given spatial parameters, beta and sigma2 at their optimum."""
    beta, e, _ = _solve(data, rho, lambda_)
    sse = float(e @ e)
    if not sse > 0:
        raise IdentificationError("the residuals vanish: the model has as many parameters as observations")
    return evaluate(data, like, beta, rho, lambda_, sse / like.n, iterations)


def evaluate(
    data: Reduced, like: Likelihood, beta: NDArray, rho: float, lambda_: float, sigma2: float, iterations: int = 0
) -> MLFit:
    """Likelihood and information at any parameters."""
    e = data.at(lambda_) @ np.concatenate([-beta, [1.0, -rho]])
    sse = float(e @ e)
    llf = -0.5 * like.n * np.log(2 * np.pi * sigma2) - 0.5 * sse / sigma2 + _jacobian(like, rho, lambda_)
    boundary = any(
        ld is not None and min(value - ld.low, ld.high - value) < 1e-4 * min(-ld.low, ld.high)
        for ld, value in ((like.rho, rho), (like.lambda_, lambda_))
    )
    fit = MLFit(beta, rho, lambda_, sigma2, sse, llf, np.empty((0, 0)), iterations, boundary)
    _, information = score_and_information(data, like, fit)
    return MLFit(beta, rho, lambda_, sigma2, sse, llf, information, iterations, boundary)
