"""Dense likelihoods of the static models written from the equations alone: no concentration, no shortcut.

The panel system, with fixed effects removed by orthonormal matrices (F'F = I, F'1 = 0) or kept as dummies, is

    y* = rho W1* y* + Z* b + u*,   u* = lambda W2* u* + e*,   e* ~ N(0, s2 I)

with ``y*`` the (units, periods) matrix ``F_N' Y F_T``, ``W* = F_N' W F_N`` and identities in place of F where
an effect is not transformed away. Everything is analytic in the parameters: gradients by complex steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize


def helmert(n: int) -> np.ndarray:
    """Orthonormal (n, n - 1) matrix whose columns sum to zero."""
    f = np.zeros((n, n - 1))
    for k in range(1, n):
        f[:k, k - 1], f[k, k - 1] = 1.0, -k
        f[:, k - 1] /= np.sqrt(k * (k + 1.0))
    return f


def log_abs_det(a: np.ndarray) -> complex:
    """ln|det a|, continued analytically to complex arguments near the real line."""
    sign, value = np.linalg.slogdet(a)
    if np.iscomplexobj(a):
        angle = np.angle(sign)
        return value + 1j * (angle if abs(angle) < np.pi / 2 else angle - np.sign(angle) * np.pi)
    return value


class Derivatives:
    """Score and information of a class with a likelihood ``loglik`` that takes complex parameters, sigma2 last."""

    def score(self, p: np.ndarray) -> np.ndarray:
        """Gradient by complex steps: exact to rounding."""
        out = np.empty(p.size)
        for i in range(p.size):
            step = p.astype(complex)
            step[i] += 1e-30j
            out[i] = self.loglik(step).imag / 1e-30
        return out

    def information(self, p: np.ndarray) -> np.ndarray:
        """Minus the Hessian: central differences of the score, two step sizes extrapolated (Richardson)."""
        hessian = np.empty((p.size, p.size))
        for i in range(p.size):
            h = 1e-4 * max(1.0, abs(p[i])) if i < p.size - 1 else 1e-3 * p[i]
            step = np.zeros(p.size)
            step[i] = h
            wide = (self.score(p + step) - self.score(p - step)) / (2 * h)
            narrow = (self.score(p + step / 2) - self.score(p - step / 2)) / h
            hessian[i] = (4 * narrow - wide) / 3
        return -0.5 * (hessian + hessian.T)


@dataclass(frozen=True)
class Dense(Derivatives):
    """One model on one panel.

    Attributes
    ----------
    y : (units, periods) ndarray
        Outcome after the transformation.
    z : (K, units, periods) ndarray
        Regressors after the transformation, spatial lags and dummies included.
    w1, w2 : (units, units) ndarray or None
        Weights of the lag and of the error after the transformation.
    """

    y: np.ndarray
    z: np.ndarray
    w1: np.ndarray | None
    w2: np.ndarray | None

    @property
    def k(self) -> int:
        return self.z.shape[0]

    @property
    def size(self) -> int:
        """Number of parameters: b, [rho], [lambda], s2."""
        return self.k + (self.w1 is not None) + (self.w2 is not None) + 1

    def split(self, p: np.ndarray) -> tuple:
        b, rest = p[: self.k], list(p[self.k :])
        rho = rest.pop(0) if self.w1 is not None else 0.0
        lambda_ = rest.pop(0) if self.w2 is not None else 0.0
        return b, rho, lambda_, rest[0]

    def residual(self, p: np.ndarray) -> np.ndarray:
        b, rho, lambda_, _ = self.split(p)
        e = self.y - np.tensordot(b, self.z, axes=1)
        if self.w1 is not None:
            e = e - rho * (self.w1 @ self.y)
        return e if self.w2 is None else e - lambda_ * (self.w2 @ e)

    def loglik(self, p: np.ndarray) -> complex:
        _, rho, lambda_, s2 = self.split(p)
        e = self.residual(p)
        n, m = self.y.size, self.y.shape[1]
        value = -0.5 * n * np.log(2 * np.pi * s2) - 0.5 * (e * e).sum() / s2
        for w, r in ((self.w1, rho), (self.w2, lambda_)):
            if w is not None:
                value = value + m * log_abs_det(np.eye(w.shape[0]) - r * w)
        return value

    def start(self, rho: float, lambda_: float) -> np.ndarray:
        """Least squares with the given spatial parameters."""
        y = self.y if self.w1 is None else self.y - rho * (self.w1 @ self.y)
        flat = self.z.reshape(self.k, -1).T
        b = np.linalg.lstsq(flat, y.ravel(), rcond=None)[0]
        e = y.ravel() - flat @ b
        middle = [v for v, w in ((rho, self.w1), (lambda_, self.w2)) if w is not None]
        return np.concatenate([b, middle, [e @ e / e.size]])

    def maximise(self, starts: tuple = ((-0.3, 0.3), (0.0, 0.0), (0.5, -0.2))) -> np.ndarray:
        """Highest maximum over the starts, polished by Newton steps on the full likelihood."""
        best, where = -np.inf, None
        walls = [admissible(w) for w in (self.w1, self.w2) if w is not None]
        for rho, lambda_ in starts if walls else starts[:1]:
            q = self.start(rho, lambda_)
            q[-1] = np.log(q[-1])
            options = {"gtol": 1e-5, "maxiter": 500}
            found = optimize.minimize(self._objective, q, (walls,), "BFGS", self._gradient, options=options)
            if -found.fun > best:
                best, where = -found.fun, np.append(found.x[:-1], np.exp(found.x[-1]))
        curvature = self.information(where)
        for _ in range(6):
            where = where + np.linalg.solve(curvature, self.score(where))
        assert np.abs(self.score(where)).max() < 1e-6
        return where

    def _objective(self, q: np.ndarray, walls: list) -> float:
        """Minus the likelihood in (b, rho, lambda, ln s2); a wall outside the admissible set."""
        if any(not low < r < high for r, (low, high) in zip(q[self.k : -1], walls, strict=True)):
            return 1e10
        return -float(self.loglik(np.append(q[:-1], np.exp(np.clip(q[-1], -30.0, 30.0)))))

    def _gradient(self, q: np.ndarray, walls: list) -> np.ndarray:
        p = np.append(q[:-1], np.exp(np.clip(q[-1], -30.0, 30.0)))
        score = self.score(p)
        score[-1] *= p[-1]
        return -score


def admissible(w: np.ndarray) -> tuple[float, float]:
    """Interval around 0 on which I - r W stays invertible: it ends where a real eigenvalue is 1 / r."""
    values = np.linalg.eigvals(w)
    real = values.real[np.abs(values.imag) < 1e-9]
    low = 1.0 / real.min() if (real < -1e-9).any() else -np.inf
    return low, 1.0 / real.max() if (real > 1e-9).any() else np.inf


def system(
    y: np.ndarray,
    x: np.ndarray,
    w: dict[str, np.ndarray | None],
    *,
    unit: bool,
    time: bool,
    transform: bool,
) -> Dense:
    """The system of a panel.

    Parameters
    ----------
    y : (T, N) ndarray
    x : (K, T, N) ndarray
        Own regressors (an intercept among them where there are no effects).
    w : dict
        "lag", "durbin", "error": (N, N) or None.
    transform : bool
        Effects removed by orthonormal transformation, or kept as dummies.
    """
    t, n = y.shape
    fn = helmert(n) if transform and time else np.eye(n)
    ft = helmert(t) if transform and unit else np.eye(t)

    def star(a: np.ndarray) -> np.ndarray:
        return fn.T @ a.T @ ft

    def weights(role: str) -> np.ndarray | None:
        return None if w.get(role) is None else fn.T @ w[role] @ fn

    z = [star(a) for a in x]
    durbin = weights("durbin")
    if durbin is not None:
        # lagged in the transformed space, W* X*; the library lags first and transforms afterwards
        varying = [a for a in x if not np.allclose(a, a.flat[0])]
        z += [durbin @ star(a) for a in varying] if transform else [(a @ w["durbin"].T).T for a in varying]
    if not transform:
        if unit:
            z += [np.repeat(row[:, None], t, axis=1) for row in np.eye(n)]
        if time:
            z += [np.tile(row, (n, 1)) for row in np.eye(t)[unit:]]
    return Dense(star(y), np.stack(z), weights("lag"), weights("error"))


def profile_loglik(dense: Dense, slopes: np.ndarray, rho: float, lambda_: float) -> float:
    """Likelihood at given slopes and spatial parameters, maximised over the rest (dummies) and s2."""
    eye = np.eye(dense.y.shape[0])
    error = eye if dense.w2 is None else eye - lambda_ * dense.w2
    lag = eye if dense.w1 is None else eye - rho * dense.w1
    k = len(slopes)
    e = (error @ (lag @ dense.y - np.tensordot(slopes, dense.z[:k], axes=1))).ravel()
    if k < dense.k:
        rest = (error @ dense.z[k:]).reshape(dense.k - k, -1).T
        e = e - rest @ np.linalg.lstsq(rest, e, rcond=None)[0]
    n, m = e.size, dense.y.shape[1]
    jacobian = log_abs_det(lag) + log_abs_det(error)
    return float(-0.5 * n * (np.log(2 * np.pi * (e @ e) / n) + 1.0) + m * jacobian)
