r"""Dynamic spatial panels with unit effects: the likelihood freed from the incidental parameters, for any T.

.. math::
   y_t = \rho W y_t + \tau y_{t-1} + \eta W y_{t-1} + Z_t\beta + \mu + \alpha_t\iota + e_t

Given y_0 the model is static in Z, ``y_{t-1}`` and ``W y_{t-1}``, and `kernels.ml` maximises its likelihood. Removing the unit
means correlates the demeaned ``y_{t-1}`` with the demeaned error: the score of (tau, eta, rho) has expectation
``tr(M L_j)``, with M the within projection and ``L_j = D_j R^{-1}``, where R maps the whole path of y to the errors and
``D_j`` is the lag that parameter j multiplies. It depends on (tau, eta, rho) alone, holds for every T and every y_0, and
needs no stationarity. All lags are functions of one W and of the shift, so that the expectation is the gradient of

.. math::
   K(\rho,\tau,\eta) = (T-1)\sum_i w_i \ln(1-\rho\omega_i) + \sum_{h=1}^{T-1}\frac{T-h}{T h}\sum_i w_i a_i^h,
   \qquad a_i = \frac{\tau + \eta\,\omega_i}{1-\rho\,\omega_i}

and the score minus its expectation is that of ``-n/2 ln(2 pi s2) - SSE/(2 s2) + K`` with n = N (T-1): the adjusted
likelihood of Dhaene and Jochmans (2016) carried over to spatial lags, an M-estimator in the sense of Yang (2018). The
weights ``w_i`` remove the time effects (one eigenvalue 1 less for row-stochastic W, Lee and Yu 2010). At tau = eta = 0
it is the Lee-Yu transformation. The one-step correction of Yu, de Jong and Lee (2008) replaces the expectation
by its limit for large T; see `kernels.dynamic_bias`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: order of the dynamic parameters in every array here
PARAMETERS = ("tau", "eta", "rho")
_STEP = 0.15  # longest step: beyond the maximum the adjusted likelihood turns upwards again without bound
_FAR = 1.5  # |a_i| beyond which a search has left every maximum behind


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The function K and its derivatives.

    Attributes
    ----------
    omega : (N,) real or complex ndarray
        Eigenvalues of W (zeros without a spatial lag) that enter the likelihood.
    weights : (N,) ndarray or None
        Share of every eigenvalue; one where None.
    periods : int
        T, the estimation periods.
    jacobian : int
        Periods that carry a Jacobian: T - 1 with unit effects removed, T without.
    unit : bool
        False: K is the log-determinant alone (no unit effects, or no correction for them).
    """

    omega: NDArray
    weights: NDArray | None
    periods: int
    jacobian: int
    unit: bool = True

    def derivatives(self, phi: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Value (R,), gradient (R, 3) and Hessian (R, 3, 3) at R points ``phi`` = (tau, eta, rho)."""
        omega = np.asarray(self.omega)
        weights = np.ones(omega.shape) if self.weights is None else self.weights
        s = 1.0 / (1.0 - phi[:, 2:] * omega)
        a = (phi[:, :1] + phi[:, 1:2] * omega) * s
        f0, f1, f2 = self._series(a)
        slope = np.stack([s, omega * s, a * omega * s])  # of a in (tau, eta, rho)
        value = ((f0 - self.jacobian * np.log(s.astype(complex))) * weights).sum(axis=1).real
        gradient = f1 * slope
        gradient[2] -= self.jacobian * omega * s
        hessian = np.einsum("jrn,krn,rn,n->rjk", slope, slope, f2, weights)
        bend = f1 * omega * s * weights
        cross = np.stack([bend * s, bend * omega * s, 2.0 * bend * a * omega * s]).sum(axis=2).T
        hessian[:, :, 2] += cross
        hessian[:, 2, :2] += cross[:, :2]
        hessian[:, 2, 2] -= self.jacobian * ((omega * s) ** 2 * weights).sum(axis=1)
        return value, (gradient * weights).sum(axis=2).T.real, hessian.real

    def _series(self, a: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """``sum_h (T-h)/(T h) a^h`` and its first two derivatives in a, by Horner's rule."""
        f0, f1, f2 = np.zeros_like(a), np.zeros_like(a), np.zeros_like(a)
        if not self.unit:
            return f0, f1, f2
        t = self.periods
        for h in range(t - 1, 0, -1):
            f2 = f2 * a + 2.0 * f1
            f1 = f1 * a + f0
            f0 = f0 * a + (t - h) / (t * h)
        # the sum starts at a^1: one more factor a
        return f0 * a, f1 * a + f0, f2 * a + 2.0 * f1

    def roots(self, phi: NDArray) -> NDArray:
        """Eigenvalues (R, N) of ``(I - rho W)^{-1} (tau I + eta W)`` that enter the likelihood."""
        return (phi[:, :1] + phi[:, 1:2] * self.omega) / (1.0 - phi[:, 2:] * self.omega)


@dataclass(frozen=True, slots=True)
class Cross:
    """Cross-products of y with itself and the lags after Z and the effects are partialled out; R data sets.

    ``SSE(phi) = yy - 2 phi'b + phi'C phi``; parameters that a model has not carry zeros.
    """

    c: NDArray  # (R, 3, 3)
    b: NDArray  # (R, 3)
    yy: NDArray  # (R,)

    def sse(self, phi: NDArray) -> NDArray:
        """Residual sum of squares (R,)."""
        return self.yy - 2.0 * np.einsum("rj,rj->r", phi, self.b) + np.einsum("rj,rjk,rk->r", phi, self.c, phi)


@dataclass(frozen=True, slots=True)
class Solution:
    """Maxima of R adjusted likelihoods; rows where `converged` is False are no maxima."""

    phi: NDArray
    sse: NDArray
    llf: NDArray
    converged: NDArray
    iterations: int


def cross_from_factor(factor: NDArray, k: int, free: tuple[int, ...]) -> Cross:
    """From the triangular factor of (Z, time lags, y, Wy), k columns in Z; `free` are the parameters of the model."""
    lags = [i for i in free if i < 2]
    rest = factor[k:, k:]
    moments = rest.T @ rest
    place = {parameter: i for i, parameter in enumerate(lags)}
    y = len(lags)
    place[2] = y + 1
    c, b = np.zeros((1, 3, 3)), np.zeros((1, 3))
    for j in free:
        b[0, j] = moments[place[j], y]
        for i in free:
            c[0, i, j] = moments[place[i], place[j]]
    return Cross(c, b, moments[y, y][None])


def maximise(
    cross: Cross,
    n: int,
    adjustment: Adjustment,
    free: tuple[int, ...],
    start: NDArray,
    interval: tuple[float, float],
    tol: float = 1e-11,
    max_iter: int = 80,
) -> Solution:
    """Climb from `start` (R, 3) to the nearest maximum of every adjusted likelihood at once.

    Newton steps on the concentrated function, short and never downhill. Dummy-variable estimates lie below the maximum in
    the direction of growing persistence, and the adjusted likelihood is unbounded far above it, so that the maximum next to them is the
    estimator (Dhaene and Jochmans 2016). Where there is none, `converged` is False.
    """
    index = np.array(free)
    phi = np.array(start, dtype=float)
    value, score, hessian = _concentrated(cross, n, adjustment, phi)
    active = np.ones(phi.shape[0], dtype=bool)
    converged = np.zeros(phi.shape[0], dtype=bool)
    iterations = 0
    while active.any() and iterations < max_iter:
        iterations += 1
        step = np.zeros_like(phi)
        step[:, index] = _direction(score[:, index], hessian[:, index[:, None], index])
        step[~active] = 0.0
        phi, found = _climb(cross, n, adjustment, phi, step, value, interval)
        value, score, hessian = found
        small = np.abs(step).max(axis=1) <= tol
        concave = np.linalg.eigvalsh(hessian[:, index[:, None], index])[:, -1] < 0
        converged |= active & small & concave
        far = np.abs(adjustment.roots(phi)).max(axis=1) > _FAR
        active &= ~small & ~far
    sse = cross.sse(phi)
    llf = value - 0.5 * n * (np.log(2.0 * np.pi / n) + 1.0)
    return Solution(phi, sse, llf, converged, iterations)


def _concentrated(cross: Cross, n: int, adjustment: Adjustment, phi: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """``-n/2 ln SSE + K`` with gradient and Hessian."""
    sse = cross.sse(phi)
    rest = cross.b - np.einsum("rjk,rk->rj", cross.c, phi)
    value, gradient, hessian = adjustment.derivatives(phi)
    ratio = rest / sse[:, None]
    hessian = hessian - n * cross.c / sse[:, None, None] + 2.0 * n * ratio[:, :, None] * ratio[:, None, :]
    return value - 0.5 * n * np.log(sse), gradient + n * ratio, hessian


def _direction(score: NDArray, hessian: NDArray) -> NDArray:
    """Newton step where the function is concave, uphill everywhere, no longer than `_STEP`."""
    values, vectors = np.linalg.eigh(hessian)
    along = np.einsum("rij,ri->rj", vectors, score)
    step = np.einsum("rij,rj->ri", vectors, along / np.maximum(np.abs(values), 1e-8 * np.abs(values).max()))
    longest = np.abs(step).max(axis=1, keepdims=True)
    return step * np.minimum(1.0, _STEP / np.maximum(longest, 1e-300))


def _climb(
    cross: Cross, n: int, adjustment: Adjustment, phi: NDArray, step: NDArray, value: NDArray, interval: tuple[float, float]
) -> tuple[NDArray, tuple[NDArray, NDArray, NDArray]]:  # fmt: skip
    """Halve the steps that lead downhill or out of the interval of rho."""
    low, high = interval
    scale = np.ones(phi.shape[0])
    for _ in range(40):
        candidate = phi + scale[:, None] * step
        outside = (candidate[:, 2] <= low) | (candidate[:, 2] >= high)
        candidate[outside] = phi[outside]
        found = _concentrated(cross, n, adjustment, candidate)
        bad = outside | (found[0] < value - 1e-11 * np.abs(value))
        if not bad.any():
            break
        scale = np.where(bad, 0.5 * scale, scale)
    return candidate, found


def information(
    gram: NDArray, residual: NDArray, sse: NDArray, sigma2: NDArray, n: int, adjustment: Adjustment, phi: NDArray,
    free: tuple[int, ...],
) -> tuple[NDArray, NDArray]:  # fmt: skip
    r"""Minus the Hessian H and the variance J of the adjusted score of (beta, [tau], [eta], [rho], sigma2), normal errors.

    ``H_jk = x_j'x_k / s2 + tr(M L_j L_k)`` and ``J_jk = x_j'x_k / s2 + tr(M L_j M L_k)``, M the projection off all effects: the
    score is not that of a likelihood, and its covariance is ``H^{-1} J H^{-1}``. J is unbiased given y_0: the stochastic part of ``x_j'x_k`` and
    ``s2 tr(L_j'M L_k)``, the other half of the variance of a quadratic form, cancel.

    Parameters
    ----------
    gram : (R, k + f, k + f) ndarray
        Cross-products of the demeaned columns of Z and of the f lags in `free`.
    residual : (R, k + f) ndarray
        Their cross-products with the residual.
    sse, sigma2 : (R,) ndarray
    phi : (R, 3) ndarray
    """
    size = gram.shape[1]
    place, pick = size - len(free) + np.arange(len(free)), np.array(free)
    s2 = sigma2[:, None]
    hessian = np.zeros((gram.shape[0], size + 1, size + 1))
    hessian[:, :size, :size] = gram / s2[..., None]
    _, gradient, second = adjustment.derivatives(phi)
    hessian[:, place[:, None], place] -= second[:, pick[:, None], pick]
    hessian[:, size, :size] = hessian[:, :size, size] = residual / s2**2
    hessian[:, size, size] = sse / sigma2**3 - 0.5 * n / sigma2**2
    variance = hessian.copy()
    if adjustment.unit:
        gap = _gap(adjustment, phi) + _time_gap(adjustment, phi)
        variance[:, place[:, None], place] -= gap[:, pick[:, None], pick]
    variance[:, size, :size] = variance[:, :size, size] = 0.0
    variance[:, size, place] = variance[:, place, size] = -gradient[:, pick] / s2
    variance[:, size, size] = 0.5 * n / sigma2**2
    return hessian, variance


def _gap(adjustment: Adjustment, phi: NDArray) -> NDArray:
    """What the unit effects take, (R, 3, 3): ``(L_j'i)'M(L_k i) / T`` of the shift, summed over eigenvalues, symmetrised."""
    t, omega = adjustment.periods, np.asarray(adjustment.omega)
    weights = np.ones(omega.shape) if adjustment.weights is None else adjustment.weights
    s = 1.0 / (1.0 - phi[:, 2:] * omega)
    a = (phi[:, :1] + phi[:, 1:2] * omega) * s
    forward = np.cumsum(a ** np.arange(t)[:, None, None], axis=0)  # (T, R, N): sum over h < t of a^h
    lagged = np.concatenate([np.zeros_like(forward[:1]), forward[:-1]])
    right = np.stack([lagged * s, lagged * omega * s, forward * omega * s])
    left = right[:, ::-1]  # L'i is L i in reversed time: L is a function of the shift
    centred = right - right.mean(axis=1, keepdims=True)
    gap = (np.einsum("jtrn,ktrn,n->rjk", left, centred, weights, optimize=True) / t).real
    return 0.5 * (gap + gap.transpose(0, 2, 1))


def _time_gap(adjustment: Adjustment, phi: NDArray) -> NDArray:
    r"""What the time effects take beside, (R, 3, 3): ``tr[(M_T J) L_j (M_T (I - J)) L_k]``; zero for rows of W that sum to one.

    ``L_j`` is a sum over h of ``S^h`` (the shift) with functions ``f_jh`` of W, so that this is
    ``sum_hg tr(M_T S^h M_T S^g) cov(f_jh, f_kg)``, the covariance over the eigenvalues with what `logdet.adjust` takes from each.
    """
    if adjustment.weights is None:
        return np.zeros((phi.shape[0], 3, 3))
    t, omega, taken = adjustment.periods, np.asarray(adjustment.omega), 1.0 - adjustment.weights
    s = 1.0 / (1.0 - phi[:, 2:] * omega)
    powers = ((phi[:, :1] + phi[:, 1:2] * omega) * s) ** np.arange(t)[:, None, None]
    lagged = np.concatenate([np.zeros_like(powers[:1]), powers[:-1]])
    f = np.stack([lagged * s, lagged * omega * s, powers * omega * s])
    f = f - (f @ taken)[..., None]
    left = t - np.arange(t)
    traces = np.multiply.outer(left, left) / t - 2.0 * np.maximum(np.add.outer(left, left) - t, 0)
    traces[0, 0] += t * t
    return np.einsum("jhrn,kgrn,n,hg->rjk", f, f, taken, traces / t, optimize=True).real
