"""Dense likelihoods with several or changing weights, written from the equations alone.

    y_t = sum_m r_m(s) W_mt y_t + Z_t(s) b + effects + e_t,   e_t ~ N(0, s2 I)

``r(s)`` and ``Z(s)`` are functions of the spatial parameters s, so that the same class serves free coefficients and shares on the
simplex. Effects are removed by orthonormal matrices, or as dummies by the explicit NT x NT projector on their complement (the
likelihood maximised over their coefficients: the inverse of its information is a block of the inverse of the whole). Gradients
by complex steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from dense_reference import Derivatives, helmert, log_abs_det
from scipy import optimize

from nqpf_spatial.weights import SpatialWeights, WeightsSequence, from_any, sequence

PERIODS = 6
UNITS = 10


def matrices(n: int = UNITS, seed: int = 5) -> list[np.ndarray]:
    """Three patterns of links that do not commute: ring, random graph, one-way neighbours."""
    rng = np.random.default_rng(seed)
    ring = np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)
    graph = np.triu((rng.random((n, n)) < 0.25).astype(float), 1)
    graph = graph + graph.T + np.roll(np.eye(n), 2, axis=1)
    one_way = np.zeros((n, n))
    for i in range(n):
        one_way[i, rng.choice(np.delete(np.arange(n), i), 2, replace=False)] = [1.0, 0.5]
    return [ring, graph, one_way]


def labelled(matrix: np.ndarray, name: str, transform: str = "row") -> SpatialWeights:
    ids = [f"c{i:02d}" for i in range(matrix.shape[0])]
    return from_any(matrix, ids=ids, transform=transform, name=name)


def named(transform: str = "row", n: int = UNITS) -> dict[str, SpatialWeights]:
    """Three labelled matrices: near, far, flow."""
    return {k: labelled(m, k, transform) for k, m in zip(("near", "far", "flow"), matrices(n), strict=True)}


def changing(transform: str = "row", n: int = UNITS, t: int = PERIODS) -> WeightsSequence:
    """Weights that differ in most periods; two periods share theirs."""
    rng = np.random.default_rng(11)
    near, far, flow = matrices(n)
    weights = {}
    shares = rng.dirichlet(np.ones(3), t)
    shares[3] = shares[2]
    for k, a in enumerate(shares):
        weights[2001 + k] = labelled(a[0] * near + a[1] * far + a[2] * flow, f"w{k}", transform)
    return sequence(weights)


def dense(w: SpatialWeights | WeightsSequence, t: int) -> np.ndarray:
    """(T, N, N)."""
    if isinstance(w, WeightsSequence):
        return np.array([w[2001 + k].dense() for k in range(t)])
    return np.array([w.dense()] * t)


def make_panel(
    weights: list,
    r: list[float],
    theta: list[float],
    *,
    n: int = UNITS,
    t: int = PERIODS,
    seed: int = 3,
    scale: float = 0.5,
) -> pd.DataFrame:
    """Panel with effects correlated with the regressors; theta multiplies the lags of x1."""
    rng = np.random.default_rng(seed)
    w = np.array([dense(one, t) for one in weights])  # (M, T, N, N)
    mu, alpha = rng.normal(size=n), rng.normal(size=t)
    x = rng.normal(size=(2, t, n)) + 0.5 * mu + 0.5 * alpha[:, None]
    lagged = sum(c * np.einsum("tij,tj->ti", m, x[0]) for c, m in zip(theta, w, strict=False))
    signal = x[0] - 0.5 * x[1] + lagged + mu + alpha[:, None] + rng.normal(scale=scale, size=(t, n))
    a = np.eye(n) - np.tensordot(np.array(r), w, axes=1)
    y = np.linalg.solve(a, signal[..., None])[..., 0]
    index = pd.MultiIndex.from_product(
        [[f"c{i:02d}" for i in range(n)], range(2001, 2001 + t)], names=["unit", "period"]
    )
    return pd.DataFrame({"y": y.T.ravel(), "x1": x[0].T.ravel(), "x2": x[1].T.ravel()}, index=index)


@dataclass
class Reference(Derivatives):
    """The likelihood of one model on one panel.

    Attributes
    ----------
    y : (T, N) ndarray
    own : (K, T, N) ndarray
        Regressors.
    w : (M, T, N, N) ndarray
    lagged : (M, d, T, N) ndarray
        Lags of the regressors by every matrix.
    unit, time : bool
        Effects removed by orthonormal transformation.
    r_of, z_of : functions of s
        Coefficients of the lags, and Z (k, T, N).
    spatial : int
        Length of s.
    dummies : (D, T, N) ndarray
        Regressors whose coefficients are maximised over.
    """

    y: np.ndarray
    own: np.ndarray
    w: np.ndarray
    lagged: np.ndarray
    unit: bool
    time: bool
    r_of: Callable[[np.ndarray], np.ndarray]
    z_of: Callable[[np.ndarray], np.ndarray]
    spatial: int
    dummies: np.ndarray

    def __post_init__(self) -> None:
        t, n = self.y.shape
        d = self.dummies.reshape(len(self.dummies), t * n).T
        self.complement = np.eye(t * n) - d @ np.linalg.pinv(d)
        self.fn = helmert(n) if self.time else np.eye(n)
        self.ft = helmert(t) if self.unit else np.eye(t)
        self.k = self.z_of(np.full(self.spatial, 0.3)).shape[0]

    def residual(self, b: np.ndarray, s: np.ndarray) -> np.ndarray:
        """(T - 1, N - 1) transformed errors."""
        lag = np.einsum("m,mtij,tj->ti", self.r_of(s), self.w, self.y)
        e = self.y - lag - np.tensordot(b, self.z_of(s), axes=1)
        return self.ft.T @ (self.complement @ e.ravel()).reshape(e.shape) @ self.fn

    def log_det(self, s: np.ndarray) -> complex:
        """Sum over periods of ln|F'A_tF|, scaled by (T - 1) / T where unit effects are transformed away."""
        r, (t, n) = self.r_of(s), self.y.shape
        total = 0.0
        for k in range(t):
            a = np.eye(n) - np.tensordot(r, self.w[:, k], axes=1)
            total = total + log_abs_det(self.fn.T @ a @ self.fn)
        return total * (self.ft.shape[1] / t)

    def loglik(self, p: np.ndarray) -> complex:
        b, s, s2 = p[: self.k], p[self.k : -1], p[-1]
        e = self.residual(b, s)
        return -0.5 * e.size * np.log(2 * np.pi * s2) - 0.5 * (e * e).sum() / s2 + self.log_det(s)

    def start(self, s: np.ndarray) -> np.ndarray:
        zero = self.residual(np.zeros(self.k), s).ravel()
        columns = np.stack([zero - self.residual(np.eye(self.k)[i], s).ravel() for i in range(self.k)]).T
        b = np.linalg.lstsq(columns, zero, rcond=None)[0]
        e = zero - columns @ b
        return np.concatenate([b, s, [e @ e / e.size]])

    def maximise(self, starts: list[np.ndarray]) -> np.ndarray:
        """Highest maximum over the starts (Nelder-Mead over s with the rest concentrated out), polished by Newton steps."""

        def objective(s: np.ndarray) -> float:
            a = np.eye(self.y.shape[1]) - np.einsum("m,mtij->tij", self.r_of(s), self.w)
            if (np.linalg.det(a) <= 0).any():
                return 1e10
            return -float(self.loglik(self.start(s)))

        options = {"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000, "maxfev": 4000}
        found = [optimize.minimize(objective, s, method="Nelder-Mead", options=options) for s in starts]
        where = self.start(min(found, key=lambda f: f.fun).x)
        for _ in range(8):
            where = where + np.linalg.solve(self.information(where), self.score(where))
        assert np.abs(self.score(where)).max() < 1e-5
        return where


def reference(
    frame: pd.DataFrame, weights: list, kind: str, *, unit: bool, time: bool, transform: bool, durbin: bool = True
) -> Reference:
    """The likelihood for a panel of `make_panel`.

    Parameters
    ----------
    kind : {"lags", "shares"}
        Free coefficients r = s, or ``s = (rho, g_1 .. g_{M-1})``.
    """
    units = sorted(frame.index.get_level_values(0).unique())
    wide = {c: frame[c].unstack("unit")[units].to_numpy() for c in ("y", "x1", "x2")}
    y, x = wide["y"], np.stack([wide["x1"], wide["x2"]])
    t, n = y.shape
    w = np.array([dense(one, t) for one in weights])
    lagged = np.einsum("mtij,ktj->mkti", w, x)
    dummies = []
    if not (unit or time):
        dummies = [np.ones((t, n))]
    if not transform:
        dummies += [np.tile(row, (t, 1)) for row in np.eye(n)] if unit else []
        dummies += [np.repeat(row[:, None], n, axis=1) for row in np.eye(t)[int(unit) :]] if time else []
    out = np.array(dummies).reshape(-1, t, n)
    removed = (transform and unit, transform and time)
    if kind == "lags":
        z = np.concatenate([x, *(lagged if durbin else [])])
        return Reference(y, x, w, lagged, *removed, lambda s: s, lambda s: z, len(weights), out)

    def shares(s: np.ndarray) -> np.ndarray:
        return np.append(s[1:], 1.0 - s[1:].sum())

    def columns(s: np.ndarray) -> np.ndarray:
        combined = np.tensordot(shares(s), lagged, axes=1) if durbin else np.empty((0, t, n))
        return np.concatenate([x.astype(combined.dtype), combined])

    return Reference(y, x, w, lagged, *removed, lambda s: s[0] * shares(s), columns, len(weights), out)
