r"""Likelihood of static spatial panels with random unit effects: one form for three error structures.

.. math::
   y_t = \rho W_1 y_t + Z_t\beta + u_t, \qquad A = I - \rho W_1, \quad B = I - \lambda W_2

==============  ===========================================  ================================================
error           u_t                                          covariance of the scaled time mean of u
==============  ===========================================  ================================================
``"none"``      :math:`\mu + e_t`                            :math:`\sigma^2\,\varphi^{-1} I`
``"kkp"``       :math:`B^{-1}(\mu + e_t)`                    :math:`\sigma^2\,\varphi^{-1} (B'B)^{-1}`
``"baltagi"``   :math:`\mu + B^{-1} e_t`                     :math:`\sigma^2[(\varphi^{-1}-1) I + (B'B)^{-1}]`
==============  ===========================================  ================================================

with :math:`\varphi = \sigma^2/(\sigma^2 + T\sigma_\mu^2)` in (0, 1]. An orthogonal rotation over time
splits the panel into T - 1 within vectors with covariance :math:`\sigma^2 (B'B)^{-1}` and one between
vector, the time mean times the root of T. With :math:`K = \varphi I + (1-\varphi) BB'` for ``"baltagi"``
and K = I otherwise,

.. math::
   \ln L = -\tfrac n2\ln 2\pi\sigma^2 + T\ln|A| + T\ln|B| + \tfrac N2\ln\varphi - \tfrac12\ln|K|
           - \frac{1}{2\sigma^2}\Big[\|Bv_w\|^2 + \varphi\,(Bv_b)'K^{-1}Bv_b\Big]

where v is ``y - rho W1 y - Z beta``. This joins the likelihoods of Elhorst (2014, chapter 3) for
``"none"``, of Kapoor, Kelejian and Prucha (2007) for ``"kkp"`` and of Baltagi, Song and Koh (2003) for
``"baltagi"``; the form with K needs neither the inverse of B'B nor the eigenvectors of W, which are not
orthogonal unless W is normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.moments import Reduced, reduce_columns, spatial_lag


@dataclass(frozen=True, slots=True)
class Mixing:
    """What ``S = BB' = I - lambda (W + W') + lambda^2 WW'`` needs; only for the Baltagi error."""

    symmetric: NDArray
    gram: NDArray

    def s(self, lambda_: float) -> NDArray:
        """S at lambda."""
        return np.eye(self.gram.shape[0]) - lambda_ * self.symmetric + lambda_**2 * self.gram

    def k(self, lambda_: float, phi: float) -> NDArray:
        """``K = phi I + (1 - phi) S``."""
        out = (1.0 - phi) * self.s(lambda_)
        out[np.diag_indices_from(out)] += phi
        return out


@dataclass(frozen=True, slots=True)
class REProblem:
    """Reduced data and log-determinants of a panel with random unit effects.

    Attributes
    ----------
    within, between : Reduced
        Columns Z (k), y, Wy of the T - 1 within vectors and of the between vector. Triangular factors, except
        the between part of the Baltagi error, which keeps its N rows because K depends on the parameters.
    mixing : Mixing or None
        Present for the Baltagi error.
    units, periods : int
        N (N - 1 after time effects are transformed away) and T.
    rho, lambda_ : LogDet or None
        None where the model has no such parameter.
    """

    within: Reduced
    between: Reduced
    mixing: Mixing | None
    units: int
    periods: int
    rho: LogDet | None
    lambda_: LogDet | None

    @property
    def n(self) -> int:
        """Observations of the likelihood."""
        return self.units * self.periods

    @property
    def k(self) -> int:
        """Columns of Z."""
        return self.within.k


def build_problem(
    z: NDArray,
    y: NDArray,
    wy: NDArray | None,
    w_error: NDArray | None,
    logdets: tuple[LogDet | None, LogDet | None],
    baltagi: bool,
    time: bool,
) -> REProblem:
    """Split (k, T, N) columns into within and between parts and reduce them; `time` removes time effects."""
    periods, size = y.shape
    base = np.concatenate([z, y[None], (np.zeros_like(y) if wy is None else wy)[None]])
    lagged = None if w_error is None else np.stack([spatial_lag(w_error, part) for part in base])
    within = reduce_columns(base, lagged, unit=True, time=time)
    means = np.sqrt(periods) * base.mean(axis=1)
    lagged_means = None if lagged is None else np.sqrt(periods) * lagged.mean(axis=1)
    mixing = None
    if baltagi:
        assert w_error is not None and lagged_means is not None
        w = np.asarray(w_error)
        if time:
            rotation = sla.helmert(size)
            means, lagged_means = means @ rotation.T, lagged_means @ rotation.T
            w = rotation @ w @ rotation.T
        between = Reduced(means.T, lagged_means.T, within.k)
        mixing = Mixing(w + w.T, w @ w.T)
    else:
        lifted = None if lagged_means is None else lagged_means[:, None, :]
        between = reduce_columns(means[:, None, :], lifted, unit=False, time=time)
    return REProblem(within, between, mixing, size - time, periods, *logdets)


def whitened(problem: REProblem, lambda_: float, phi: float) -> tuple[NDArray, float]:
    """Columns with scalar error covariance at (lambda, phi), and the terms of ln L in these alone."""
    constant = 0.5 * problem.units * np.log(phi)
    if problem.lambda_ is not None:
        constant += problem.periods * float(problem.lambda_(lambda_))
    between = problem.between.at(lambda_)
    if problem.mixing is not None:
        root = sla.cholesky(problem.mixing.k(lambda_, phi), lower=True, check_finite=False)
        between = sla.solve_triangular(root, between, lower=True, check_finite=False)
        constant -= float(np.log(np.diag(root)).sum())
    return np.concatenate([problem.within.at(lambda_), np.sqrt(phi) * between]), constant


@dataclass(frozen=True, slots=True)
class Slice:
    """The likelihood at one lambda, prepared for many values of phi.

    Attributes
    ----------
    within, between : (q, k + 2), (r, k + 2) ndarray
        Filtered columns; those of the Baltagi error rotated to the eigenvectors of S.
    spectrum : (r,) ndarray or None
        Eigenvalues of S.
    constant : float
        ``T ln|B|``.
    units : int
    """

    within: NDArray
    between: NDArray
    spectrum: NDArray | None
    constant: float
    units: int

    @classmethod
    def at(cls, problem: REProblem, lambda_: float) -> Slice:
        """Prepare one lambda."""
        constant = 0.0 if problem.lambda_ is None else problem.periods * float(problem.lambda_(lambda_))
        between, spectrum = problem.between.at(lambda_), None
        if problem.mixing is not None:
            spectrum, vectors = np.linalg.eigh(problem.mixing.s(lambda_))
            spectrum, between = np.maximum(spectrum, 0.0), vectors.T @ between
        return cls(problem.within.at(lambda_), between, spectrum, constant, problem.units)

    def factors(self, phi: NDArray) -> tuple[NDArray, NDArray]:
        """What `whitened` returns up to a rotation, stacked for every phi."""
        weight, constant = phi[:, None], self.constant + 0.5 * self.units * np.log(phi)
        if self.spectrum is not None:
            k = weight + (1.0 - weight) * self.spectrum
            weight, constant = weight / k, constant - 0.5 * np.log(k).sum(axis=1)
        within = np.broadcast_to(self.within, (len(phi), *self.within.shape))
        return np.concatenate([within, np.sqrt(weight)[:, :, None] * self.between], axis=1), constant


def solve(problem: REProblem, rho: float, lambda_: float, phi: float) -> tuple[NDArray, float, float]:
    """beta, sum of squares and ln L (all constants) at (rho, lambda, phi); beta, sigma2 concentrated out."""
    factor, constant = whitened(problem, lambda_, phi)
    k, n = problem.k, problem.n
    target = factor[:, k] - rho * factor[:, k + 1]
    q, r = sla.qr(factor[:, :k], mode="economic", check_finite=False)
    projected = q.T @ target
    rest = target - q @ projected
    sse = float(rest @ rest)
    beta = sla.solve_triangular(r, projected, check_finite=False) if k else np.empty(0)
    if problem.rho is not None:
        constant += problem.periods * float(problem.rho(rho))
    return beta, sse, constant - 0.5 * n * (np.log(2.0 * np.pi * sse / n) + 1.0)


def score_and_information(
    problem: REProblem, beta: NDArray, rho: float, lambda_: float, phi: float, sigma2: float
) -> tuple[NDArray, NDArray]:
    """Score and observed information of (beta, rho, lambda, phi, sigma2) at a point; zeros for absent ones.

    Analytic: the sum of squares and ``ln|K|`` are differentiated twice, everything else is scalar.
    """
    k, n, size = problem.k, problem.n, problem.units
    u = np.concatenate([-beta, [1.0, -rho]])
    value, first, second = _quadratic(problem.within, u, lambda_, None)
    state = None if problem.mixing is None else _MixingState.at(problem.mixing, lambda_, phi)
    q, q1, q2 = _quadratic(problem.between, u, lambda_, state)
    value, first, second = value + phi * q, first + phi * q1, second + phi * q2
    first[k + 2] += q
    second[k + 2] += q1
    second[:, k + 2] += q1
    score, information = np.zeros(k + 4), np.zeros((k + 4, k + 4))
    score[:-1] = -0.5 * first / sigma2
    information[:-1, :-1] = 0.5 * second / sigma2
    information[-1, :-1] = information[:-1, -1] = -0.5 * first / sigma2**2
    score[-1] = 0.5 * (value / sigma2 - n) / sigma2
    information[-1, -1] = (value / sigma2 - 0.5 * n) / sigma2**2
    for position, logdet, r in ((k, problem.rho, rho), (k + 1, problem.lambda_, lambda_)):
        if logdet is not None:
            d1, d2 = logdet.derivatives(r)
            score[position] += problem.periods * float(d1)
            information[position, position] -= problem.periods * float(d2)
    score[k + 2] += 0.5 * size / phi
    information[k + 2, k + 2] += 0.5 * size / phi**2
    if state is not None:
        score[k + 1 : k + 3] -= 0.5 * state.trace1
        information[k + 1 : k + 3, k + 1 : k + 3] += 0.5 * state.trace2
    return score, information


@dataclass(frozen=True, slots=True)
class _MixingState:
    """K, its inverse and the derivatives in (lambda, phi) at a point.

    ``trace1`` and ``trace2`` are the gradient and the Hessian of ``ln|K|``.
    """

    inverse: NDArray
    d_lambda: NDArray
    d_phi: NDArray
    d_lambda_lambda: NDArray
    d_lambda_phi: NDArray
    trace1: NDArray
    trace2: NDArray

    @classmethod
    def at(cls, mixing: Mixing, lambda_: float, phi: float) -> _MixingState:
        s = mixing.s(lambda_)
        s1 = 2.0 * lambda_ * mixing.gram - mixing.symmetric
        eye = np.eye(s.shape[0])
        inverse = sla.cho_solve(sla.cho_factor(mixing.k(lambda_, phi), check_finite=False), eye, check_finite=False)
        d_lambda, d_phi, d_ll, d_lp = (1.0 - phi) * s1, eye - s, 2.0 * (1.0 - phi) * mixing.gram, -s1
        left = [inverse @ d_lambda, inverse @ d_phi]
        trace1 = np.array([np.trace(m) for m in left])
        trace2 = -np.array([[np.sum(a * b.T) for b in left] for a in left])
        trace2[0, 0] += np.sum(inverse * d_ll)
        cross = np.sum(inverse * d_lp)
        trace2[0, 1] += cross
        trace2[1, 0] += cross
        return cls(inverse, d_lambda, d_phi, d_ll, d_lp, trace1, trace2)


def _quadratic(
    block: Reduced, u: NDArray, lambda_: float, state: _MixingState | None
) -> tuple[float, NDArray, NDArray]:
    """q = z'K^-1 z, z = (base - lambda lagged) u, with gradient and Hessian in (beta, rho, lambda, phi).

    With ``p = K^-1 z`` and ``E_i = z_i - K_i p``: ``q_i = 2 p'z_i - p'K_i p`` and
    ``q_ij = 2 E_i'K^-1 E_j + 2 p'z_ij - p'K_ij p``.
    """
    k = block.k
    factor = block.at(lambda_)
    z = factor @ u
    slopes = np.zeros((factor.shape[0], k + 3))
    slopes[:, :k], slopes[:, k] = -factor[:, :k], -factor[:, k + 1]
    if block.lagged is not None:
        slopes[:, k + 1] = -(block.lagged @ u)
    p = z if state is None else state.inverse @ z
    first = 2.0 * (slopes.T @ p)
    if state is None:
        second = 2.0 * (slopes.T @ slopes)
    else:
        moved = np.column_stack([state.d_lambda @ p, state.d_phi @ p])
        first[k + 1 :] -= moved.T @ p
        slopes[:, k + 1 :] -= moved
        second = 2.0 * (slopes.T @ (state.inverse @ slopes))
        second[k + 1, k + 1] -= p @ state.d_lambda_lambda @ p
        cross = p @ state.d_lambda_phi @ p
        second[k + 1, k + 2] -= cross
        second[k + 2, k + 1] -= cross
    if block.lagged is not None:
        # the filter multiplies Z and Wy, so (beta, lambda) and (rho, lambda) have a cross derivative
        mixed = 2.0 * (np.delete(block.lagged, k, axis=1).T @ p)
        second[: k + 1, k + 1] += mixed
        second[k + 1, : k + 1] += mixed
    return float(z @ p), first, second
