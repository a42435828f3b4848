r"""Maximum likelihood with several spatial lags of the outcome, or with weights that change over time.

.. math::
   y_t = \sum_m \rho_m W_{mt} y_t + Z_t\beta + \mu + \alpha_t\iota + e_t, \qquad A_t(r) = I - \sum_m r_m W_{mt}

beta and sigma2 are concentrated out, the effects are removed after lagging:

.. math::
   \ln L(r) = -\tfrac n2\,[\ln(2\pi\,SSE(r)/n) + 1] + m\,\Lambda(r), \qquad
   \Lambda(r) = \tfrac1T\sum_t \big[\ln|A_t(r)| - \ln(1 - \iota'r)\big]

the last term where time effects are removed and all rows sum to one (Lee and Yu 2010 for one constant W; Lee and Yu 2012 for
W_t; Elhorst, Lacombe and Piras 2012 for several W). With unit effects and W_t the expected score of dummy-variable ML is
``tr(Q G_m) - tr(G_m)``, ``G_m`` block-diagonal with blocks ``G_mt = W_mt A_t^-1`` and Q the projector of the effects, and
``tr(Q G_m) = (1 - 1/T) sum_t tr(J G_mt)``: the likelihood above with ``m = T - 1`` has a score with expectation zero for every
N and T, although no transformation of the data has this likelihood (`mismatch` is what that costs the information equality).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.errors import ConvergenceError, IdentificationError
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.ml import Likelihood, MLFit, fit_ml
from nqpf_spatial.kernels.moments import Reduced

_STARTS = (400, 30)  # lattice points at most that are tried as starting points, cheap and dear determinants
_SMALL = 300  # units up to which determinants are cheap
EDGE = 1e-4  # slack below which a maximum counts as lying at the end of the admissible set
LIMIT = 1.0 - 1e-8  # sum of the coefficients where the time effects leave no barrier at one


@dataclass(frozen=True, slots=True)
class JointLogDet:
    r"""``sum_p s_p ln|I - sum_m r_m W_mp|`` as a function of r, freed from what the time effects take.

    Attributes
    ----------
    w : (P, M, N, N) ndarray
        The M matrices of each distinct pattern p of weights.
    share : (P,) ndarray
        Share of the periods that have the pattern.
    inner : (P, M, K, K) ndarray
        The matrices behind the determinants: w itself, or ``F'WF`` of rows that sum to one where time effects are removed, so
        that ``ln|I - sum r_m F'W_mF| = ln|I - sum r_m W_m| - ln(1 - sum r_m)`` without cancellation.
    drop : bool
        Whether it is ``F'WF``.
    spectral : LogDet or None
        The same function by exact eigenvalues, where there is one matrix per pattern.
    """

    w: NDArray
    share: NDArray
    inner: NDArray
    drop: bool
    spectral: LogDet | None = None

    @property
    def terms(self) -> int:
        """Number of lag terms M."""
        return int(self.w.shape[1])

    def __call__(self, r: NDArray) -> float:
        """Value at r (M,); minus infinity where a determinant is not positive."""
        if self.spectral is not None:
            return float(self.spectral(r[0]))
        sign, value = np.linalg.slogdet(_filters(self.inner, r))
        return -np.inf if (sign <= 0).any() else float(self.share @ value)

    def derivatives(self, r: NDArray) -> tuple[NDArray, NDArray]:
        """Gradient ``-tr(G_m)`` (M,) and Hessian ``-tr(G_m G_k)`` (M, M), averaged over patterns and freed."""
        if self.spectral is not None:
            d1, d2 = self.spectral.derivatives(r[0])
            return np.array([float(d1)]), np.array([[float(d2)]])
        g = self.inner @ np.linalg.inv(_filters(self.inner, r))[:, None]
        first = -np.einsum("p,pmii->m", self.share, g)
        return first, -np.einsum("p,pmij,pkji->mk", self.share, g, g, optimize=True)

    def multipliers(self, r: NDArray) -> NDArray:
        """``G_mp = W_mp A_p^-1``, (P, M, N, N)."""
        return self.w @ np.linalg.inv(_filters(self.w, r))[:, None]

    def mixed(self, r: NDArray) -> NDArray:
        """``sum_m r_m W_mp``, (P, N, N)."""
        return np.tensordot(self.w, r, axes=(1, 0))

    def slack(self, r: NDArray) -> float:
        """One minus the largest real eigenvalue of ``sum_m r_m W_mp``: positive on the admissible set.

        The set has every r for which no point of the segment from 0 to r makes A singular; for one W it is the interval
        between the reciprocals of the extreme real eigenvalues.
        """
        largest = -np.inf
        for matrix in self.mixed(r):
            values = np.linalg.eigvals(matrix)
            real = values.real[np.abs(values.imag) <= 1e-9 * max(1.0, float(np.abs(values).max()))]
            largest = max(largest, float(real.max(initial=-np.inf)))
        return 1.0 - largest

    def admissible(self, r: NDArray) -> bool:
        """Whether `slack` is positive; row sums settle it without eigenvalues nearly always."""
        if self.spectral is not None:
            return bool(self.spectral.low < r[0] < self.spectral.high)
        if self._room(r) > 0.0:
            return True
        return not (self.drop and r.sum() >= 1.0) and self.slack(r) > 0.0

    def at_edge(self, r: NDArray) -> bool:
        """Whether r lies at the end of the admissible set."""
        return self._room(r) < EDGE and self.slack(r) < EDGE

    def _room(self, r: NDArray) -> float:
        """A bound of `slack` from below that needs no eigenvalues: one minus the largest row sum of absolute values."""
        return 1.0 - float(np.abs(self.mixed(r)).sum(axis=2).max())


def _filters(w: NDArray, r: NDArray) -> NDArray:
    """``I - sum_m r_m W_mp`` (P, N, N)."""
    return np.eye(w.shape[-1]) - np.tensordot(w, r, axes=(1, 0))


def joint_logdet(w: NDArray, share: NDArray, drop: bool, spectral: LogDet | None = None) -> JointLogDet:
    """Log-determinant of w (P, M, N, N), with the time effects' eigenvalue left out if `drop`."""
    return JointLogDet(w, share, _within(w) if drop and spectral is None else w, drop, spectral)


def _within(w: NDArray) -> NDArray:
    """``F'WF`` with the orthonormal columns F of the complement of the unit vector, by one Householder reflection."""
    n = w.shape[-1]
    v = np.full(n, 1.0 / np.sqrt(n))
    v[0] += 1.0
    reflection = np.eye(n) - 2.0 * np.outer(v, v) / (v @ v)
    f = reflection[:, 1:]
    return f.T @ w @ f


def pooled(logdets: list[LogDet], share: NDArray) -> LogDet:
    """Weighted sum of log-determinants in one rho as one, on the interval common to all; a single one is returned as it is."""
    if len(logdets) == 1:
        return logdets[0]
    weights = [
        s * (np.ones(d.omega.size) if d.weights is None else d.weights) for s, d in zip(share, logdets, strict=True)
    ]
    low, high = max(d.low for d in logdets), min(d.high for d in logdets)
    return LogDet(np.concatenate([d.omega for d in logdets]), low, high, np.concatenate(weights))


@dataclass(frozen=True, slots=True)
class SeveralLikelihood:
    """n, m and the log-determinant (None without a lag of the outcome)."""

    n: int
    m: int
    logdet: JointLogDet | None


@dataclass(frozen=True, slots=True)
class SeveralML(MLFit):
    """Maximum of the likelihood; `rho` of the base is the sum of the coefficients of the lags.

    Attributes
    ----------
    r : (M,) ndarray
        Coefficients of the lag terms; ``rho`` times the shares in a convex combination.
    shares : (M,) ndarray or None
        Shares of a convex combination.
    tangent : (p, q) ndarray or None
        Derivative of (beta, rho, shares, sigma2) with respect to the free parameters, whose information is `information`: shares sum
        to one and those at zero are held there. None where all parameters are free.
    """

    r: NDArray
    shares: NDArray | None
    tangent: NDArray | None


def fit_lags(factor: NDArray, k: int, like: SeveralLikelihood, start: NDArray | None = None) -> SeveralML:
    """Maximise the likelihood with M free coefficients.

    Parameters
    ----------
    factor : (q, k + 1 + M) ndarray
        Triangular factor of the columns Z, y, W_1 y, ..., W_M y after removal of the effects.
    k : int
        Columns of Z.
    like : SeveralLikelihood
    start : (M,) ndarray, optional
        Spares the scan for a starting point.

    Raises
    ------
    ConvergenceError, IdentificationError
    """
    if like.logdet is None or like.logdet.spectral is not None:
        one = Likelihood(like.n, like.m, None if like.logdet is None else like.logdet.spectral, None)
        columns = factor if like.logdet is not None else np.column_stack([factor, np.zeros(factor.shape[0])])
        found = fit_ml(Reduced(columns, None, k), one)
        r = np.array([found.rho]) if like.logdet is not None else np.empty(0)
        return SeveralML(
            found.beta, found.rho, 0.0, found.sigma2, found.sse, found.llf, found.information, found.iterations, found.boundary,
            r, None, None,
        )  # fmt: skip
    cross = residual_cross(factor, k)
    _check_independent(cross)
    r, iterations = _climb(cross, like, _start(cross, like) if start is None else start)
    return lags_at(factor, k, like, r, iterations)


def residual_cross(factor: NDArray, k: int) -> NDArray:
    """Cross-products (1 + M, 1 + M) of y and its lags after Z is partialled out: ``SSE(r) = (1, -r) C (1, -r)'``."""
    q, _ = sla.qr(factor[:, :k], mode="economic", check_finite=False)
    rest = factor[:, k:] - q @ (q.T @ factor[:, k:])
    return rest.T @ rest


def lags_at(factor: NDArray, k: int, like: SeveralLikelihood, r: NDArray, iterations: int = 0) -> SeveralML:
    """The fit at given r, beta and sigma2 at their optimum."""
    assert like.logdet is not None
    target = factor[:, k] - factor[:, k + 1 :] @ r
    q, triangle = sla.qr(factor[:, :k], mode="economic", check_finite=False)
    projected = q.T @ target
    beta = sla.solve_triangular(triangle, projected, check_finite=False) if k else np.empty(0)
    e = target - q @ projected
    sse = float(e @ e)
    if not sse > 0:
        raise IdentificationError("the residuals vanish: the model has as many parameters as observations")
    sigma2 = sse / like.n
    jacobian = np.column_stack([factor[:, :k], factor[:, k + 1 :]])
    p = jacobian.shape[1]
    information = np.zeros((p + 1, p + 1))
    information[:p, :p] = jacobian.T @ jacobian / sigma2
    information[k:p, k:p] -= like.m * like.logdet.derivatives(r)[1]
    information[:p, p] = information[p, :p] = jacobian.T @ e / sigma2**2
    information[p, p] = 0.5 * like.n / sigma2**2
    llf = -0.5 * like.n * (np.log(2 * np.pi * sigma2) + 1.0) + like.m * like.logdet(r)
    edge = like.logdet.at_edge(r)
    return SeveralML(beta, float(r.sum()), 0.0, sigma2, sse, llf, information, iterations, edge, r, None, None)


def _check_independent(cross: NDArray) -> None:
    size = np.sqrt(np.diag(cross))
    if not (size > 0).all() or np.linalg.eigvalsh(cross / np.outer(size, size))[0] < 1e-12:
        raise IdentificationError(
            "the outcome and its spatial lags are linearly dependent once the effects and the regressors are removed: their "
            "coefficients are not identified"
        )


def value_at(cross: NDArray, like: SeveralLikelihood, r: NDArray) -> float:
    """Concentrated likelihood up to constants; minus infinity outside the admissible set."""
    assert like.logdet is not None
    u = np.append(1.0, -r)
    return -0.5 * like.n * float(np.log(u @ cross @ u)) + like.m * like.logdet(r)


def _start(cross: NDArray, like: SeveralLikelihood) -> NDArray:
    """The best point of a lattice inside the admissible set, zero included."""
    assert like.logdet is not None
    points = lattice(like.logdet)
    values = [value_at(cross, like, r) for r in points]
    return points[int(np.argmax(values))]


def lattice(logdet: JointLogDet) -> NDArray:
    """Points (G, M) with ``sum_m |r_m| / b_m < 1``, b_m the reciprocal of the largest row sum of W_m: all admissible."""
    bound = 1.0 / np.abs(logdet.w).sum(axis=3).max(axis=(0, 2))
    most = _STARTS[0] if logdet.w.shape[-1] <= _SMALL else _STARTS[1]
    steps = 9
    while steps > 3 and steps**logdet.terms > 4 * most:
        steps -= 2
    axis = np.linspace(-1.0, 1.0, steps + 2)[1:-1]
    points = np.array([p for p in product(axis, repeat=logdet.terms) if np.abs(p).sum() < 1.0])
    order = np.argsort(np.abs(points).sum(axis=1), kind="stable")[:most]
    return points[order] * bound


def _climb(cross: NDArray, like: SeveralLikelihood, r: NDArray, max_iter: int = 200) -> tuple[NDArray, int]:
    """Damped Newton inside the admissible set, where the log-determinant is a barrier."""
    assert like.logdet is not None
    value = value_at(cross, like, r)
    for iteration in range(1, max_iter + 1):
        u = np.append(1.0, -r)
        sse, first = float(u @ cross @ u), -(cross @ u)[1:]
        d1, d2 = like.logdet.derivatives(r)
        score = -like.n * first / sse + like.m * d1
        hessian = -like.n * (cross[1:, 1:] / sse - 2.0 * np.outer(first, first) / sse**2) + like.m * d2
        direction, scale = _towards(r, score, hessian, like.logdet.drop)
        new = value
        while scale > 1e-12:
            candidate = r + scale * direction
            if like.logdet.admissible(candidate):
                new = value_at(cross, like, candidate)
                if new >= value - 1e-12 * abs(value):
                    break
            scale *= 0.5
        else:
            candidate, new = r, value
        change = float(np.max(np.abs(candidate - r)))
        r, value = candidate, new
        # below the second limit the steps are rounding: near an end of the set they do not get smaller
        if change <= 1e-12 * max(1.0, float(np.max(np.abs(r)))) or (iteration > 20 and change <= 1e-9):
            return r, iteration
    raise ConvergenceError(f"the coefficients of the lags {r} still moved by {change:.2g} after {max_iter} iterations")


def _towards(r: NDArray, score: NDArray, hessian: NDArray, drop: bool) -> tuple[NDArray, float]:
    """Newton's direction and the longest step along it; where time effects are removed nothing stops r at a sum of one but this."""
    direction = ascent(score, hessian)
    rise, left = float(direction.sum()), LIMIT - float(r.sum())
    if not drop or rise <= left:
        return direction, 1.0
    if left > 1e-10:
        return direction, left / rise
    along = sla.null_space(np.ones((1, r.size)))
    return along @ ascent(along.T @ score, along.T @ hessian @ along), 1.0


def ascent(score: NDArray, hessian: NDArray) -> NDArray:
    """Newton's direction with the curvature turned downwards where it is not."""
    values, vectors = sla.eigh(hessian, check_finite=False)
    return vectors @ ((vectors.T @ score) / np.maximum(np.abs(values), 1e-10))


def mismatch(g: NDArray, share: NDArray, periods: int, effects: tuple[bool, bool]) -> NDArray:
    r"""What the variance of the freed score lacks to its expected curvature: ``tr(Q G_m (I - Q) G_k)``, (M, M).

    Zero for the transformations, which are likelihoods: one constant W for unit effects, rows that sum to one for time effects.

    Parameters
    ----------
    g : (P, M, N, N) ndarray
    share : (P,) ndarray
    periods : int
    effects : (unit, time)
    """
    unit, time = effects
    left = g - g.mean(axis=2, keepdims=True) if time else g  # J G
    whole = periods * (1.0 - unit / periods) * np.einsum("p,pmij,pkji->mk", share, left, g, optimize=True)
    return whole - _over_time(left, left, share, periods, unit)


def score_traces(g: NDArray, share: NDArray, periods: int, effects: tuple[bool, bool]) -> NDArray:
    """``tr(Q G_m Q G_k) + tr(Q G_m Q G_k' Q)``, (M, M): the quadratic part of the variance of the freed score over sigma to the fourth.

    What Q removes from the errors is in the estimated effects, which enter the linear part.
    """
    unit, time = effects
    if time:
        g = g - g.mean(axis=2, keepdims=True)
        g = g - g.mean(axis=3, keepdims=True)
    return _over_time(g, g, share, periods, unit) + _over_time(g, g.swapaxes(-1, -2), share, periods, unit)


def _over_time(a: NDArray, b: NDArray, share: NDArray, periods: int, unit: bool) -> NDArray:
    """``sum_ts q_ts^2 tr(a_mt b_ks)``, q the projector of the unit effects or the identity."""
    found = periods * np.einsum("p,pmij,pkji->mk", share, a, b, optimize=True)
    if not unit:
        return found
    mean_a, mean_b = (np.einsum("p,pmij->mij", share, part) for part in (a, b))
    return found * (1.0 - 2.0 / periods) + np.einsum("mij,kji->mk", mean_a, mean_b, optimize=True)
