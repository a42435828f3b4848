"""Expected information against the exact expectation of numerical Hessians.

The log-likelihood and its derivatives are quadratic in the errors, so that their expectation is exact from
values at zero and at plus and minus one standard deviation of every error: no sampling.
"""

from __future__ import annotations

import numpy as np
import pytest

from nqpf_spatial.kernels.information import expected_information
from nqpf_spatial.kernels.moments import spatial_lag

T, N, SIGMA2 = 3, 5, 0.7


def weights(kind: str) -> np.ndarray:
    rng = np.random.default_rng(4)
    a = rng.random((N, N)) * (rng.random((N, N)) < 0.7) + 0.2 * np.roll(np.eye(N), 1, axis=1)
    np.fill_diagonal(a, 0.0)
    return a / (a.sum(axis=1, keepdims=True) if kind == "row" else np.abs(np.linalg.eigvals(a)).max())


def helmert(n: int) -> np.ndarray:
    q = np.linalg.qr(np.column_stack([np.ones(n), np.eye(n)[:, 1:]]))[0]
    return q[:, 1:]


def transforms(effects: tuple[bool, bool], project: bool) -> tuple[np.ndarray, np.ndarray]:
    unit, time = effects
    return (helmert(N) if time and project else np.eye(N)), (helmert(T) if unit and project else np.eye(T))


def dummies(effects: tuple[bool, bool], project: bool) -> np.ndarray:
    """(d, N, T) dummies that stay in the model."""
    unit, time = effects
    rows = []
    if unit and not project:
        rows += [np.repeat(r[:, None], T, axis=1) for r in np.eye(N)]
    if time and not project:
        rows += [np.tile(r, (N, 1)) for r in np.eye(T)[int(unit) :]]
    return np.array(rows).reshape(-1, N, T)


def numerical(z, beta, rho, lambda_, w1, w2, effects, project, delta) -> np.ndarray:
    """Expected information of (b, dummies, [rho], [lambda], s2) by brute force, reduced to the non-dummies."""
    fn, ft = transforms(effects, project)
    star = lambda a: fn.T @ a @ ft
    kept = dummies(effects, project)
    columns = np.stack([*(star(v.T) for v in z), *kept])
    s1, s2 = (None if w is None else fn.T @ w @ fn for w in (w1, w2))
    size = columns[0].shape
    eye = np.eye(size[0])
    b = np.concatenate([beta, delta])
    truth = np.concatenate([b, [v for v, w in ((rho, s1), (lambda_, s2)) if w is not None], [SIGMA2]])
    inverse_a = np.linalg.inv(eye if s1 is None else eye - rho * s1)
    inverse_b = np.linalg.inv(eye if s2 is None else eye - lambda_ * s2)

    def loglik(p: np.ndarray, y: np.ndarray) -> complex:
        rest = list(p[len(b) : -1])
        r = rest.pop(0) if s1 is not None else 0.0
        m = rest.pop(0) if s2 is not None else 0.0
        e = y - np.tensordot(p[: len(b)], columns, axes=1) - (0 if s1 is None else r * (s1 @ y))
        e = e if s2 is None else e - m * (s2 @ e)
        value = -0.5 * y.size * np.log(p[-1]) - 0.5 * (e * e).sum() / p[-1]
        for w, v in ((s1, r), (s2, m)):
            if w is not None:
                sign, logarithm = np.linalg.slogdet(eye - v * w)
                value = value + size[1] * (logarithm + 1j * np.angle(sign))
        return value

    def score(p: np.ndarray, y: np.ndarray) -> np.ndarray:
        out = np.empty(p.size)
        for j in range(p.size):
            q = p.astype(complex)
            q[j] += 1e-30j
            out[j] = loglik(q, y).imag / 1e-30
        return out

    def information(y: np.ndarray) -> np.ndarray:
        steps = 1e-4 * np.eye(truth.size)
        return np.array([(score(truth - h, y) - score(truth + h, y)) / 2e-4 for h in steps])

    mean = np.tensordot(b, columns, axes=1)
    at = lambda e: information(inverse_a @ (mean + inverse_b @ e))
    centre = at(np.zeros(size))
    total = centre.copy()
    for i in range(size[0]):
        for t in range(size[1]):
            e = np.zeros(size)
            e[i, t] = np.sqrt(SIGMA2)
            total += 0.5 * (at(e) + at(-e) - 2 * centre)
    covariance = np.linalg.inv(total)
    keep = [*range(len(beta)), *range(len(b), truth.size)]
    return np.linalg.inv(covariance[np.ix_(keep, keep)])


CASES = [
    ("row", True, True, (True, True), True),
    ("row", True, True, (False, True), True),
    ("row", True, False, (True, True), False),
    ("row", False, True, (False, True), False),
    ("spectral", True, True, (True, False), True),
    ("spectral", True, True, (False, False), False),
    ("spectral", True, False, (False, True), False),
]


@pytest.mark.parametrize(("kind", "lag", "error", "effects", "project"), CASES)
def test_expected_information(kind: str, lag: bool, error: bool, effects: tuple[bool, bool], project: bool) -> None:
    rng = np.random.default_rng(8)
    w1, w2 = (weights(kind) if on else None for on in (lag, error))
    z = rng.normal(size=(2, T, N))
    beta, rho, lambda_ = np.array([1.0, -0.5]), 0.3 * lag, 0.25 * error
    delta = rng.normal(size=len(dummies(effects, project)))
    units = N - 1 if project and effects[1] else N
    periods = T - 1 if project and effects[0] else T
    found = expected_information(
        z,
        beta,
        SIGMA2,
        (w1, rho) if lag else None,
        (w2, lambda_) if error else None,
        effects,
        periods,
        project and effects[1],
        units * periods,
        np.tensordot(delta, dummies(effects, project), axes=1).T if delta.size else 0.0,
    )
    expected = numerical(z, beta, rho, lambda_, w1, w2, effects, project, delta)
    size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(found / size, expected / size, atol=2e-6)


def test_no_regressors() -> None:
    w = weights("row")
    found = expected_information(
        np.empty((0, T, N)), np.empty(0), 1.0, (w, 0.2), None, (True, True), T - 1, True, (N - 1) * (T - 1)
    )
    assert found.shape == (2, 2)
    assert np.all(np.linalg.eigvalsh(found) > 0)


def test_spatial_lag_works_period_by_period() -> None:
    rng = np.random.default_rng(0)
    w, a = rng.normal(size=(4, 4)), rng.normal(size=(3, 4))
    np.testing.assert_allclose(spatial_lag(w, a), [w @ row for row in a], rtol=1e-13)
    both = np.stack([a, 2 * a], axis=-1)
    np.testing.assert_allclose(spatial_lag(w, both)[..., 1], 2 * spatial_lag(w, a), rtol=1e-13)
