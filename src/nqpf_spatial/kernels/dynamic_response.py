r"""Responses of a dynamic spatial process over time, through the eigenvalues of W.

A unit change of regressor k in period t alone moves ``E y_{t+h}`` by ``A^h S^{-1} (beta_k I + theta_k W)`` with ``S = I - rho W`` and
``A = S^{-1}(tau I + eta W)``; a permanent change moves it in the long run by
``[(1 - tau) I - (rho + eta) W]^{-1} (beta_k I + theta_k W)`` (Debarsy, Ertur and LeSage 2012; Elhorst 2014,
section 4.3). All are functions of W, ``f(W) = V f(diag(omega)) V^{-1}``: the mean diagonal is the mean of ``f(omega)``, the mean row sum
its mean with weights ``c_j = (i'v_j)(u_j'i)/N``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Eigenvalues of W with their share in the mean row sum (one for the eigenvalue 1 of a row-stochastic W)."""

    omega: NDArray
    share: NDArray


def spectrum(w: NDArray, row_stochastic: bool, omega: NDArray) -> Spectrum:
    """Shares of the eigenvalues; eigenvectors are needed only where rows do not sum to one."""
    n = w.shape[0]
    if row_stochastic:
        share = np.zeros(n)
        share[int(np.argmin(np.abs(omega - 1.0)))] = 1.0
        return Spectrum(np.asarray(omega), share)
    if np.array_equal(w, w.T):
        values, vectors = np.linalg.eigh(w)
        return Spectrum(values, vectors.sum(axis=0) ** 2 / n)
    values, vectors = np.linalg.eig(w)
    if np.linalg.cond(vectors) > 1e8:
        raise IdentificationError("W has no full set of eigenvectors; use a row-standardised W for dynamic impacts")
    return Spectrum(values, vectors.sum(axis=0) * np.linalg.solve(vectors, np.ones(n)) / n)


def response(phi: NDArray, omega: NDArray, horizon: int | str, cumulative: bool = False) -> tuple[NDArray, NDArray]:
    """Response g (R, N) per eigenvalue and its gradient (3, R, N) in (tau, eta, rho).

    Parameters
    ----------
    phi : (R, 3) ndarray
    horizon : int or "long"
        Periods after the change (0 is the short run); ``"long"`` is the new equilibrium after a permanent change.
    cumulative : bool
        Sum over the periods 0 to `horizon`: what a permanent change has done by then.
    """
    tau, eta, rho = (phi[:, i : i + 1] for i in range(3))
    if horizon == "long":
        g = 1.0 / (1.0 - tau - (rho + eta) * omega)
        return g, np.stack([g * g, omega * g * g, omega * g * g])
    s = 1.0 / (1.0 - rho * omega)
    a = (tau + eta * omega) * s
    slope = np.stack([s, omega * s, a * omega * s])
    power = np.ones_like(a)  # a^h
    derivative = np.zeros_like(a)  # h a^(h-1)
    total, change = power, derivative
    for _ in range(int(horizon)):
        derivative = derivative * a + power
        power = power * a
        total, change = (total + power, change + derivative) if cumulative else (power, derivative)
    gradient = change * slope * s
    gradient[2] += total * omega * s * s
    return total * s, gradient


def matrix_response(phi: NDArray, w: NDArray, horizon: int | str, cumulative: bool = False) -> tuple[NDArray, NDArray]:
    """`response` as matrices: G (R, N, N) and its gradient (3, R, N, N), for effects that differ between units."""
    tau, eta, rho = (phi[:, i, None, None] for i in range(3))
    eye = np.eye(w.shape[0])
    if horizon == "long":
        g = np.linalg.inv((1.0 - tau) * eye - (rho + eta) * w)
        across = g @ w @ g
        return g, np.stack([g @ g, across, across])
    s = np.linalg.inv(eye - rho * w)
    a = s @ (tau * eye + eta * w)
    power = np.broadcast_to(eye, a.shape)  # a^h
    derivative = np.zeros_like(a)  # h a^(h-1); all factors are functions of w and commute
    total, change = power, derivative
    for _ in range(int(horizon)):
        derivative = derivative @ a + power
        power = power @ a
        total, change = (total + power, change + derivative) if cumulative else (power, derivative)
    first = change @ s @ s
    return total @ s, np.stack([first, first @ w, first @ w @ a + total @ s @ w @ s])


def unit_response(
    phi: NDArray, w: NDArray, w_durbin: NDArray, horizon: int | str, cumulative: bool = False, block: int = 500
) -> tuple[NDArray, NDArray]:
    """What `kernels.impacts.UnitMultiplier` holds, for G: value (R, 2, 2, N) and slopes (3, R, 2, 2, N) in (tau, eta, rho)."""

    def both(a: NDArray) -> NDArray:
        parts = [np.stack([np.diagonal(m, axis1=1, axis2=2), m.sum(axis=1)], axis=1) for m in (a, a @ w_durbin)]
        return np.stack(parts, axis=2)

    values, slopes = [], []
    for i in range(0, phi.shape[0], block):
        g, slope = matrix_response(phi[i : i + block], w, horizon, cumulative)
        values.append(both(g))
        slopes.append(np.stack([both(part) for part in slope]))
    return np.concatenate(values), np.concatenate(slopes, axis=1)


def effects(coefficients: NDArray, g: NDArray, spec: Spectrum) -> NDArray:
    """(R, K, 3) direct, indirect and total effects from ``coefficients`` (R, K, 2) = (beta, theta)."""
    n = spec.omega.size
    both = np.stack([g.sum(axis=1) / n, (g * spec.omega).sum(axis=1) / n], axis=-1).real
    rows = np.stack([g @ spec.share, (g * spec.omega) @ spec.share], axis=-1).real
    direct = np.einsum("rkc,rc->rk", coefficients, both)
    total = np.einsum("rkc,rc->rk", coefficients, rows)
    return np.stack([direct, total - direct, total], axis=-1)


def gradients(coefficients: NDArray, g: NDArray, slope: NDArray, spec: Spectrum) -> NDArray:
    """(K, 3, 5) gradients of (direct, indirect, total) in (beta_k, theta_k, tau, eta, rho) at one point."""
    k = coefficients.shape[1]
    unit = np.eye(2)[None]
    out = np.empty((k, 3, 5))
    out[:, :, :2] = effects(unit, g, spec)[0].T[None]
    for j in range(3):
        out[:, :, 2 + j] = effects(coefficients, slope[j], spec)[0]
    return out


def fieller(numerator: float, denominator: float, covariance: NDArray, z: float) -> tuple[float, float, str]:
    r"""Confidence set of a ratio by Fieller's theorem: all x with ``(numerator - x denominator)^2 <= z^2 Var``.

    Returns
    -------
    lower, upper : float
    shape : {"interval", "complement", "line"}
        ``"complement"``: everything except the open interval (lower, upper), the denominator may be zero; ``"line"``: the data
        exclude no value.
    """
    a = denominator**2 - z**2 * covariance[1, 1]
    b = numerator * denominator - z**2 * covariance[0, 1]
    c = numerator**2 - z**2 * covariance[0, 0]
    root = b * b - a * c
    if a > 0:
        half = np.sqrt(max(root, 0.0))
        return float((b - half) / a), float((b + half) / a), "interval"
    if root <= 0:
        return -np.inf, np.inf, "line"
    ends = sorted(((b - np.sqrt(root)) / a, (b + np.sqrt(root)) / a))
    return float(ends[0]), float(ends[1]), "complement"
