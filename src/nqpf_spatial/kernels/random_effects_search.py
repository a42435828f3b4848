r"""Maximisation of the random-effects likelihood over (rho, lambda, ln phi), beta and sigma2 concentrated out.

A scan covers the whole admissible set: lambda on a grid, ln phi by bracketing, rho profiled out exactly. Damped
Newton steps with analytic derivatives, inside the box of the parameters, start from its best local maxima.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.errors import ConvergenceError
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.ml import maximise_lag
from nqpf_spatial.kernels.random_effects_likelihood import REProblem, Slice, score_and_information, solve

_WIDTH, _POINTS, _HALVINGS = 3.0, 10, 4  # scan of ln phi
# scan of lambda, as shares of either end of its interval: maxima crowd near the ends, and the interval of a dense W
# reaches far below -1
_SHARES = np.array([0.03, 0.1, 0.2, 0.32, 0.45, 0.58, 0.7, 0.8, 0.88, 0.94, 0.98])
_STARTS = 3  # local maxima of the scan that Newton's method starts from
_MARGIN = 1e-8  # relative distance kept from the ends of the admissible intervals
_LOWEST = -28.0  # of ln phi: below it K of the Baltagi error is singular to machine precision


def maximise_re(problem: REProblem) -> tuple[NDArray, int]:
    """(rho, lambda, ln phi) at the highest maximum found, and the Newton iterations it took.

    Raises
    ------
    ConvergenceError
        If Newton's method stops before its tolerance from every start.
    """
    best, result = -np.inf, None
    failure: ConvergenceError | None = None
    for start in _starts(problem):
        try:
            value, x, iterations = _newton(problem, start)
        except ConvergenceError as stopped:
            failure = stopped
            continue
        if value > best:
            best, result = value, (x, iterations)
    if result is None:
        raise failure or ConvergenceError("the scan of the likelihood found no finite value to start from")
    return result


def _starts(problem: REProblem) -> list[NDArray]:
    """Local maxima over a grid of lambda of the likelihood with rho and ln phi profiled out, best first.

    For given lambda the maxima in ln phi are bracketed on a coarse grid and halved in: their width shrinks with
    the number of units, so that a grid alone would miss them.
    """
    lambdas = np.zeros(1)
    if problem.lambda_ is not None:
        low, high = _inside(problem.lambda_)
        lambdas = np.concatenate([low * _SHARES[::-1], lambdas, high * _SHARES])
    slices = [Slice.at(problem, lambda_) for lambda_ in lambdas.tolist()]
    grid = -_WIDTH * np.arange(_POINTS)
    value, rho = _scan(problem, slices, np.tile(grid, (len(slices), 1)))
    padded = np.pad(value, ((0, 0), (1, 1)), constant_values=-np.inf)
    row, column = np.nonzero((value >= padded[:, :-2]) & (value >= padded[:, 2:]))
    value, rho, eta = value[row, column], rho[row, column], grid[column]
    each = np.arange(len(row))
    for halving in range(1, _HALVINGS + 1):
        trial = np.minimum(eta[:, None] + _WIDTH * 0.5**halving * np.array([-1.0, 1.0]), 0.0)
        values, rhos = _scan(problem, [slices[i] for i in row], trial)
        values, rhos = np.column_stack([value, values]), np.column_stack([rho, rhos])
        best = values.argmax(axis=1)
        eta = np.column_stack([eta, trial])[each, best]
        value, rho = values[each, best], rhos[each, best]
    top = np.full(len(lambdas) + 2, -np.inf)
    np.maximum.at(top, row + 1, value)
    peak = (value == top[row + 1]) & (value >= top[row]) & (value >= top[row + 2])
    chosen = np.flatnonzero(peak)[np.argsort(-value[peak], kind="stable")][:_STARTS]
    return [np.array([rho[i], lambdas[row[i]], eta[i]]) for i in chosen]


def _scan(problem: REProblem, slices: list[Slice], etas: NDArray) -> tuple[NDArray, NDArray]:
    """Log-likelihood up to a constant, rho profiled out, and that rho: (len(slices), points of ln phi)."""
    k = problem.k
    parts = [part.factors(np.exp(eta)) for part, eta in zip(slices, etas, strict=True)]
    r = np.concatenate([np.asarray(np.linalg.qr(stack, mode="r")) for stack, _ in parts])[:, k:, k:]
    value = np.concatenate([constant for _, constant in parts])
    a, b, c = r[:, 0, 0] ** 2, r[:, 0, 0] * r[:, 0, 1], (r[:, :, 1] ** 2).sum(axis=1)
    rho = np.zeros(len(a))
    if problem.rho is not None:
        rho = maximise_lag(a, b, c, problem.n, problem.periods, problem.rho, tol=1e-6)[0]
        value = value + problem.periods * problem.rho(rho)
    value = value - 0.5 * problem.n * np.log(a - 2.0 * b * rho + c * rho**2)
    return value.reshape(etas.shape), rho.reshape(etas.shape)


def _newton(problem: REProblem, x: NDArray, max_iter: int = 200) -> tuple[float, NDArray, int]:
    """Damped Newton inside the box of `_bounds`: (log-likelihood, x, iterations).

    A coordinate at an end of its interval whose score points outwards is held there.
    """
    low, high = _bounds(problem)
    value = _value(problem, x)
    for iteration in range(1, max_iter + 1):
        score, hessian = _derivatives(problem, x)
        near = 1e-9 * (high - low)
        held_low, held_high = (x - low <= near) & (score <= 0), (high - x <= near) & (score >= 0)
        x = np.where(held_low, low, np.where(held_high, high, x))
        free = ~(held_low | held_high)
        direction = np.zeros(3)
        if free.any():
            curvature, axes = np.linalg.eigh(hessian[np.ix_(free, free)])
            direction[free] = axes @ ((axes.T @ score[free]) / np.maximum(np.abs(curvature), 1e-10))
        value, new = _line_search(problem, x, direction, value, (low, high))
        step, x = float(np.max(np.abs(new - x))), new
        if step <= 1e-11 * max(1.0, float(np.max(np.abs(x)))):
            if score @ direction > 1e-8:
                break
            return value, x, iteration
    raise ConvergenceError(
        f"(rho, lambda, ln phi) = {np.round(x, 6).tolist()} is no stationary point after {iteration} "
        f"iterations (expected gain {0.5 * float(score @ direction):.2g})"
    )


def _line_search(
    problem: REProblem, x: NDArray, direction: NDArray, value: float, bounds: tuple[NDArray, NDArray]
) -> tuple[float, NDArray]:
    """The first point x + scale * direction, scale = 1, 1/2, ..., clipped to the box, not below `value`."""
    scale = 1.0
    while scale > 1e-12:
        candidate = np.clip(x + scale * direction, *bounds)
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


def _bounds(problem: REProblem) -> tuple[NDArray, NDArray]:
    """Ends of the box of (rho, lambda, ln phi); both 0 for an absent parameter."""
    ends = [(0.0, 0.0) if logdet is None else _inside(logdet) for logdet in (problem.rho, problem.lambda_)]
    low, high = np.array([*ends, (_LOWEST, 0.0)]).T
    return low, high


def _inside(logdet: LogDet) -> tuple[float, float]:
    """The admissible interval, closed a little inside its open ends (which may be infinite: then +-1e3)."""
    low, high = max(logdet.low, -1e3), min(logdet.high, 1e3)
    margin = _MARGIN * (high - low)
    return low + margin, high - margin
