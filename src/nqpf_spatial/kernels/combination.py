r"""Convex combinations of weights with estimated shares: one rho, ``W(g) = sum_m g_m W_m``, g on the simplex.

.. math:: y = \rho W(g) y + X\beta + W(g) X\theta + e, \qquad g_m \ge 0, \quad \iota'g = 1

(Debarsy and LeSage 2018; LeSage 2020). Given the shares this is a model with one W, whose likelihood `maximise_lag` profiles
exactly over rho: a lattice of shares gives the starting point. From there Newton's method moves (rho, g) with beta, theta and sigma2
concentrated out; shares that reach zero are held there as long as the likelihood falls in their direction (Kuhn-Tucker).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.errors import ConvergenceError, IdentificationError
from nqpf_spatial.kernels import logdet as ld
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.ml import maximise_lag, residual_quadratic
from nqpf_spatial.kernels.several import LIMIT, JointLogDet, SeveralLikelihood, SeveralML, ascent, pooled

#: lattice steps along an edge of the simplex by number of matrices; beyond, corners and centre
_STEPS = {1: 1, 2: 10, 3: 8, 4: 5, 5: 4}
_SMALL = 300  # units up to which eigenvalues of a lattice of matrices are cheap
_TOLERANCE = 1e-7  # slope of the likelihood towards a share at zero that counts as none


@dataclass(frozen=True, slots=True)
class Mixture:
    """Data and likelihood of a convex combination.

    Attributes
    ----------
    factor : (q, k + M d + 1 + M) ndarray
        Triangular factor of the columns X (k), W_1 X .. W_M X (d each), y, W_1 y .. W_M y after removal of the effects.
    k, d : int
    like : SeveralLikelihood
    points : (G, M) ndarray
        Lattice of shares, and
    logdets : tuple of LogDet
        the log-determinants of W(g) on it.
    """

    factor: NDArray
    k: int
    d: int
    like: SeveralLikelihood
    points: NDArray
    logdets: tuple[LogDet, ...]

    @property
    def terms(self) -> int:
        """Number of matrices M."""
        return int(self.points.shape[1])

    def blocks(self) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """X (q, k), WX (M, q, d), y (q,), Wy (q, M)."""
        own, y = self.factor[:, : self.k], self.factor[:, self.k + self.terms * self.d]
        lagged = self.factor[:, self.k : self.k + self.terms * self.d]
        lagged = lagged.reshape(self.factor.shape[0], self.terms, self.d).transpose(1, 0, 2)
        return own, lagged, y, self.factor[:, self.k + self.terms * self.d + 1 :]

    def columns(self, shares: NDArray) -> NDArray:
        """Factor (q, k + d + 2) of X, W(g)X, y, W(g)y at given shares."""
        own, lagged, y, wy = self.blocks()
        return np.column_stack([own, np.tensordot(shares, lagged, axes=1), y, wy @ shares])


@dataclass(frozen=True, slots=True)
class _Point:
    """(rho, shares) with beta and sigma2 at their optimum."""

    rho: float
    shares: NDArray
    beta: NDArray
    e: NDArray
    value: float


def mixture(factor: NDArray, k: int, d: int, like: SeveralLikelihood) -> Mixture:
    """Prepare the lattice of starting points; it depends on the weights alone and serves every bootstrap replicate."""
    assert like.logdet is not None
    points = simplex(like.logdet.terms, like.logdet.w.shape[-1])
    return Mixture(factor, k, d, like, points, tuple(mixed_logdet(like.logdet, g) for g in points))


def simplex(terms: int, n: int) -> NDArray:
    """Lattice (G, M) of shares; corners and centre where many matrices or large ones make a finer one dear."""
    steps = _STEPS.get(terms, 1) if n <= _SMALL else 1
    lattice = [p for p in product(range(steps + 1), repeat=terms) if sum(p) == steps] if terms <= 5 else np.eye(terms)
    points = np.array(lattice, dtype=float) / (steps if terms <= 5 else 1)
    return points if steps > 1 or terms == 1 else np.vstack([points, np.full(terms, 1.0 / terms)])


def mixed_logdet(logdet: JointLogDet, shares: NDArray) -> LogDet:
    """Log-determinant in rho of the combination with given shares, by exact eigenvalues."""
    parts = []
    for matrix in logdet.mixed(shares):
        one = ld.from_eigenvalues(np.linalg.eigvals(matrix))
        parts.append(ld.drop_unit_root(one) if logdet.drop else one)
    return pooled(parts, logdet.share)


def fit_combination(
    data: Mixture, held: dict[int, float] | None = None, starts: list[tuple[float, NDArray]] | None = None
) -> SeveralML:
    """Maximise the likelihood over rho and the simplex.

    Parameters
    ----------
    data : Mixture
    held : dict, optional
        Shares held at given values, by position: what a profile likelihood needs. The rest sums to what they leave.
    starts : list of (rho, shares), optional
        Further starting points.

    Raises
    ------
    ConvergenceError, IdentificationError
    """
    held = held or {}
    found = [_climb(data, held, rho, _place(shares, held)) for rho, shares in [*(starts or []), *_starts(data, held)]]
    best, iterations = max(found, key=lambda pair: pair[0].value)
    return _at(data, best, iterations, held)


def profile(data: Mixture, near: NDArray | None = None) -> tuple[NDArray, NDArray]:
    """Concentrated likelihood and rho at the lattice points (or those of them that `near` marks), maximised over rho exactly."""
    chosen = np.arange(len(data.points)) if near is None else np.flatnonzero(near)
    n, m = data.like.n, data.like.m
    value, best = np.full(len(data.points), -np.inf), np.zeros(len(data.points))
    for i in chosen:
        a, b, c = residual_quadratic(data.columns(data.points[i]), data.k + data.d)
        if not (c > 0 and a > 0):
            raise IdentificationError("Wy is an exact linear function of the regressors: rho is not identified")
        logdet = data.logdets[i]
        rho = float(maximise_lag(np.array([a]), np.array([b]), np.array([c]), n, m, logdet, tol=1e-8)[0][0])
        value[i], best[i] = -0.5 * n * np.log(a - 2 * b * rho + c * rho**2) + m * float(logdet(rho)), rho
    return value, best


def _starts(data: Mixture, held: dict[int, float]) -> list[tuple[float, NDArray]]:
    """Lattice points with the highest likelihoods; with shares held, the best near those values."""
    near = None
    if held:
        away = np.max([np.abs(data.points[:, m] - v) for m, v in held.items()], axis=0)
        near = away <= away.min() + 1e-9
    value, rho = profile(data, near)
    kept: list[int] = []
    for i in np.argsort(-value, kind="stable"):
        # two starts, apart from each other: the likelihood may have a maximum in more than one corner
        apart = not kept or (len(kept) < 2 and np.abs(data.points[i] - data.points[kept[0]]).max() > 0.3)
        if np.isfinite(value[i]) and apart:
            kept.append(int(i))
    return [(float(rho[i]), data.points[i]) for i in kept]


def _place(shares: NDArray, held: dict[int, float]) -> NDArray:
    """Shares with some held at their values and the others scaled to what these leave."""
    if not held:
        return shares / shares.sum()
    out = np.where(np.isin(np.arange(shares.size), list(held)), 0.0, np.maximum(shares, 1e-3))
    out *= (1.0 - sum(held.values())) / out.sum()
    for position, value in held.items():
        out[position] = value
    return out


def _evaluate(data: Mixture, rho: float, shares: NDArray) -> _Point:
    assert data.like.logdet is not None
    columns = data.columns(shares)
    k = data.k + data.d
    target = columns[:, k] - rho * columns[:, k + 1]
    q, triangle = sla.qr(columns[:, :k], mode="economic", check_finite=False)
    projected = q.T @ target
    beta = sla.solve_triangular(triangle, projected, check_finite=False) if k else np.empty(0)
    e = target - q @ projected
    value = -0.5 * data.like.n * float(np.log(e @ e)) + data.like.m * data.like.logdet(rho * shares)
    return _Point(rho, shares, beta, e, value)


def _full(data: Mixture, point: _Point) -> tuple[NDArray, NDArray]:
    """Score and observed information of (beta, theta, rho, g_1 .. g_M, sigma2), shares taken as free."""
    logdet, n, m = data.like.logdet, data.like.n, data.like.m
    assert logdet is not None
    own, lagged, _, wy = data.blocks()
    k, kd, e, g = data.k, data.k + data.d, point.e, point.shares
    s2 = float(e @ e) / n
    theta = point.beta[k:]
    by_share = point.rho * wy + np.einsum("mqd,d->qm", lagged, theta)
    jacobian = np.column_stack([own, np.tensordot(g, lagged, axes=1), wy @ g, by_share])  # minus the derivative of e
    p = jacobian.shape[1]
    information = np.zeros((p + 1, p + 1))
    information[:p, :p] = jacobian.T @ jacobian / s2
    # shares multiply rho and theta: e has cross derivatives
    cross = np.vstack([-np.einsum("q,mqd->dm", e, lagged), -(e @ wy)[None]]) / s2
    information[k : kd + 1, kd + 1 : p] += cross
    information[kd + 1 : p, k : kd + 1] += cross.T
    d1, d2 = logdet.derivatives(point.rho * g)
    information[kd, kd] -= m * g @ d2 @ g
    mixed = m * (d1 + point.rho * d2 @ g)
    information[kd, kd + 1 : p] -= mixed
    information[kd + 1 : p, kd] -= mixed
    information[kd + 1 : p, kd + 1 : p] -= m * point.rho**2 * d2
    information[:p, p] = information[p, :p] = jacobian.T @ e / s2**2
    information[p, p] = 0.5 * n / s2**2
    score = np.append(jacobian.T @ e / s2, 0.0)
    score[kd] += m * g @ d1
    score[kd + 1 : p] += m * point.rho * d1
    return score, information


def _concentrated(data: Mixture, point: _Point) -> tuple[NDArray, NDArray]:
    """Score and Hessian in (rho, g) with beta, theta and sigma2 concentrated out."""
    score, information = _full(data, point)
    kd, p = data.k + data.d, score.size - 1
    inner, outer = [*range(kd), p], list(range(kd, p))
    cross = information[np.ix_(inner, outer)]
    schur = information[np.ix_(outer, outer)] - cross.T @ np.linalg.solve(information[np.ix_(inner, inner)], cross)
    return score[outer], -schur


def _basis(free: list[int], terms: int, shares: NDArray) -> NDArray:
    """Directions (1 + M, |free|) of (rho, g) that keep the sum: rho, and every free share against the largest of them."""
    reference = max(free, key=lambda m: shares[m], default=-1)
    basis = np.zeros((1 + terms, max(1, len(free))))
    basis[0, 0] = 1.0
    for column, m in enumerate((m for m in free if m != reference), start=1):
        basis[1 + m, column], basis[1 + reference, column] = 1.0, -1.0
    return basis


def _climb(
    data: Mixture, held: dict[int, float], rho: float, shares: NDArray, max_iter: int = 300
) -> tuple[_Point, int]:
    """Newton with an active set: free shares are positive, the others are held or at zero."""
    point = _evaluate(data, rho, shares)
    free = [m for m in range(shares.size) if m not in held and shares[m] > 0]
    for iteration in range(1, max_iter + 1):
        score, hessian = _concentrated(data, point)
        basis = _basis(free, shares.size, point.shares)
        if data.like.logdet is not None and data.like.logdet.drop and point.rho >= LIMIT - 1e-10 and score[0] > 0:
            basis = basis[:, 1:]  # rho stays at its end while the shares move
        step = basis @ ascent(basis.T @ score, basis.T @ hessian @ basis) if basis.size else np.zeros(score.size)
        new, free = _move(data, point, step, free)
        change = max(abs(new.rho - point.rho), float(np.abs(new.shares - point.shares).max()))
        point = new
        if change > 1e-11 and not (iteration > 20 and change <= 1e-8):
            continue
        entering = _entering(data, point, free, held)
        if entering is None:
            return point, iteration
        free = sorted([*free, entering])
    raise ConvergenceError(
        f"rho = {point.rho:.6g} and the shares {point.shares.round(4)} did not settle in {max_iter} iterations"
    )


def _move(data: Mixture, point: _Point, step: NDArray, free: list[int]) -> tuple[_Point, list[int]]:
    """As far along the step as the simplex, the admissible set and the likelihood allow; shares that reach zero leave `free`."""
    assert data.like.logdet is not None
    falling = [m for m in free if step[1 + m] < 0]
    limits = {m: -point.shares[m] / step[1 + m] for m in falling}
    upwards = data.like.logdet.drop and step[0] > 0
    longest = min([1.0, *limits.values(), (LIMIT - point.rho) / step[0] if upwards else 1.0])
    scale = longest
    while scale > 1e-13:
        shares = np.maximum(point.shares + scale * step[1:], 0.0)
        hit = [m for m in falling if scale == longest and limits[m] <= longest]
        shares[hit] = 0.0
        rho = point.rho + scale * step[0]
        if data.like.logdet.admissible(rho * shares):
            new = _evaluate(data, rho, shares)
            if new.value >= point.value - 1e-12 * abs(point.value):
                return new, [m for m in free if m not in hit]
        scale *= 0.5
    return point, free


def _entering(data: Mixture, point: _Point, free: list[int], held: dict[int, float]) -> int | None:
    """The share at zero towards which the likelihood rises most, if any does."""
    if not free:
        return None
    slope = _concentrated(data, point)[0][1:]
    reference = max(slope[m] for m in free)
    outside = [m for m in range(slope.size) if m not in free and m not in held]
    rising = [m for m in outside if slope[m] - reference > _TOLERANCE * max(1.0, abs(point.value))]
    return max(rising, key=lambda m: slope[m]) if rising else None


def _at(data: Mixture, point: _Point, iterations: int, held: dict[int, float]) -> SeveralML:
    """The fit with its information on the free parameters."""
    assert data.like.logdet is not None
    n, e = data.like.n, point.e
    sse = float(e @ e)
    if not sse > 0:
        raise IdentificationError("the residuals vanish: the model has as many parameters as observations")
    free = [m for m in range(point.shares.size) if m not in held and point.shares[m] > 0]
    tangent = sla.block_diag(np.eye(data.k + data.d), _basis(free, point.shares.size, point.shares), np.eye(1))
    information = tangent.T @ _full(data, point)[1] @ tangent
    llf = point.value + 0.5 * n * (np.log(n / (2 * np.pi)) - 1.0)
    r = point.rho * point.shares
    edge = data.like.logdet.at_edge(r)
    return SeveralML(
        point.beta, point.rho, 0.0, sse / n, sse, llf, information, iterations, edge, r, point.shares, tangent
    )  # fmt: skip
