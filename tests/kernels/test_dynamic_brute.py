"""The adjusted likelihood against dense matrices: expectation of the score, its derivative, its variance, the maximum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from nqpf_spatial.kernels import dynamic as kernel
from nqpf_spatial.kernels import logdet as ld
from nqpf_spatial.kernels.dynamic_bias import time_dummy_bias, unit_effect_bias
from nqpf_spatial.kernels.moments import reduce_columns, spatial_lag

N, T = 7, 5
PHI = np.array([0.5, -0.2, 0.4])


def network(symmetric: bool = False, row: bool = True) -> np.ndarray:
    rng = np.random.default_rng(3)
    w = rng.random((N, N)) * (rng.random((N, N)) < 0.7)
    np.fill_diagonal(w, 0.0)
    w = w + w.T if symmetric else w
    return w / w.sum(axis=1, keepdims=True) if row else w / np.abs(np.linalg.eigvals(w)).max()


def within(time: bool) -> np.ndarray:
    centre = np.eye(N) - 1.0 / N if time else np.eye(N)
    return np.kron(np.eye(T) - 1.0 / T, centre)


def operators(phi: np.ndarray, w: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, list[np.ndarray]]:
    """Lags D_j, the map R from the path to the errors, and L_j = D_j R^-1, all NT x NT."""
    shift = np.eye(T, k=-1)
    lags = [np.kron(shift, np.eye(N)), np.kron(shift, w), np.kron(np.eye(T), w)]
    r = np.eye(N * T) - sum(p * d for p, d in zip(phi, lags, strict=True))
    return lags, r, [d @ np.linalg.inv(r) for d in lags]


def adjustment(w: np.ndarray, time: bool, row: bool) -> kernel.Adjustment:
    logdet = ld.from_eigenvalues(np.linalg.eigvals(w))
    if time:
        logdet = ld.drop_unit_root(logdet) if row else ld.adjust(logdet, w)
    return kernel.Adjustment(np.asarray(logdet.omega), logdet.weights, T, T - 1)


CASES = [(False, True, False), (True, True, False), (True, False, True), (False, False, False)]


@pytest.mark.parametrize(("time", "row", "symmetric"), CASES)
def test_gradient_is_minus_the_expected_score_and_hessian_its_derivative(time, row, symmetric):
    w = network(symmetric, row)
    _, gradient, hessian = adjustment(w, time, row).derivatives(PHI[None])
    m = within(time)
    _, _, ls = operators(PHI, w)
    np.testing.assert_allclose(gradient[0], [-np.trace(m @ a) for a in ls], rtol=1e-10)
    np.testing.assert_allclose(hessian[0], [[-np.trace(m @ a @ b) for a in ls] for b in ls], rtol=1e-10)


@pytest.mark.parametrize("time", [False, True])
def test_value_is_the_trace_of_the_logarithm(time):
    """K = tr(M log R): for unit effects alone (T - 1) ln|S| and the series in the powers of A."""
    from scipy.linalg import logm

    w = network()
    _, r, _ = operators(PHI, w)
    value = adjustment(w, time, True).derivatives(PHI[None])[0][0]
    assert value == pytest.approx(np.trace(within(time) @ logm(r)).real, rel=1e-9)


def test_without_time_lags_it_is_the_lee_yu_transformation():
    w = network()
    logdet = ld.drop_unit_root(ld.from_eigenvalues(np.linalg.eigvals(w)))
    value, gradient, _ = adjustment(w, True, True).derivatives(np.array([[0.0, 0.0, 0.4]]))
    assert value[0] == pytest.approx((T - 1) * float(logdet(0.4)), rel=1e-12)
    assert gradient[0, 2] == pytest.approx((T - 1) * float(logdet.derivatives(0.4)[0]), rel=1e-12)


@pytest.mark.parametrize(("time", "row", "symmetric"), [*CASES, (True, False, False)])
def test_variance_of_the_score_by_dense_matrices(time, row, symmetric):
    """J given the deterministic part of the path: linear part plus 2 tr of the symmetrised quadratic form, exactly."""
    w = network(symmetric, row)
    m = within(time)
    _, r, ls = operators(PHI, w)
    rng = np.random.default_rng(5)
    path = np.linalg.inv(r) @ rng.standard_normal(N * T)  # deterministic part: Z beta, effects, y_0
    lags, _, _ = operators(PHI, w)
    sigma2 = 1.7
    linear = [m @ d @ path for d in lags]
    quadratic = [0.5 * (m @ a + a.T @ m) for a in ls]
    exact = np.array(
        [
            [linear[j] @ linear[k] / sigma2 + 2.0 * np.trace(quadratic[j] @ quadratic[k]) for j in range(3)]
            for k in range(3)
        ]
    )
    # the kernel takes the observed cross-products, whose expectation is put in here
    gram = np.array(
        [
            [linear[j] @ linear[k] + sigma2 * np.trace(ls[j].T @ m @ ls[k]) for j in range(3)]
            for k in range(3)
        ]
    )  # fmt: skip
    n = (N - time) * (T - 1)
    hessian, variance = kernel.information(
        gram[None], np.zeros((1, 3)), np.array([n * sigma2]), np.array([sigma2]), n, adjustment(w, time, row), PHI[None], (0, 1, 2)
    )  # fmt: skip
    np.testing.assert_allclose(variance[0, :3, :3], exact, rtol=1e-10)
    scores = [np.trace(quadratic[j] @ m) / sigma2 for j in range(3)]
    np.testing.assert_allclose(variance[0, 3, :3], scores, rtol=1e-10)
    assert variance[0, 3, 3] == pytest.approx(n / (2 * sigma2**2))
    second = [[np.trace(m @ a @ b) for a in ls] for b in ls]
    np.testing.assert_allclose(hessian[0, :3, :3], gram / sigma2 + np.array(second), rtol=1e-10)


@pytest.mark.parametrize("free", [(0, 1, 2), (0, 2), (1, 2), (0, 1), (2,)])
def test_maximum_against_a_general_optimiser(free):
    rng = np.random.default_rng(11)
    n, t = 30, 8
    w = (rng.random((n, n)) < 0.15).astype(float)
    np.fill_diagonal(w, 0.0)
    w[np.arange(n), (np.arange(n) + 1) % n] = 1.0
    w /= w.sum(axis=1, keepdims=True)
    phi = np.where(np.isin(np.arange(3), free), np.array([0.5, -0.1, 0.3]), 0.0)
    x, mu = rng.standard_normal((t + 1, n)), rng.standard_normal(n)
    s = np.linalg.inv(np.eye(n) - phi[2] * w)
    y = np.zeros((t + 1, n))
    for period in range(1, t + 1):
        carry = phi[0] * y[period - 1] + phi[1] * w @ y[period - 1]
        y[period] = s @ (carry + x[period] + mu + rng.standard_normal(n))
    now, before = y[1:], y[:-1]
    lags = [c for j, c in enumerate((before, spatial_lag(w, before))) if j in free]
    base = np.stack([x[1:], *lags, now, spatial_lag(w, now)])
    reduced = reduce_columns(base, None, True, True)
    cross = kernel.cross_from_factor(reduced.base, 1, free)
    omega = ld.drop_unit_root(ld.from_eigenvalues(np.linalg.eigvals(w))).omega
    adj, size = kernel.Adjustment(np.asarray(omega), None, t, t - 1), (n - 1) * (t - 1)
    found = kernel.maximise(cross, size, adj, free, np.zeros((1, 3)), (-1.0, 1.0))
    assert found.converged[0]

    def minus(values: np.ndarray) -> float:
        point = np.zeros(3)
        point[list(free)] = values
        columns = [x[1:], *lags]
        coefficients = [v for j, v in enumerate(point) if j in free and j < 2]
        left = now - point[2] * spatial_lag(w, now) - sum(c * v for c, v in zip(coefficients, columns[1:], strict=True))

        def demean(a: np.ndarray) -> np.ndarray:
            a = a - a.mean(axis=0)
            return (a - a.mean(axis=1, keepdims=True)).ravel()

        z, target = demean(x[1:])[:, None], demean(left)
        rest = target - z @ np.linalg.lstsq(z, target, rcond=None)[0]
        a = np.linalg.solve(np.eye(n) - point[2] * w, point[0] * np.eye(n) + point[1] * w)
        centre = np.eye(n) - 1.0 / n
        k = (t - 1) * (np.linalg.slogdet(np.eye(n) - point[2] * w)[1] - np.log(1 - point[2]))
        k += sum((t - h) / (t * h) * np.trace(centre @ np.linalg.matrix_power(a, h)) for h in range(1, t))
        return 0.5 * size * np.log(rest @ rest) - k

    best = optimize.minimize(minus, found.phi[0, list(free)] + 0.05, method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(found.phi[0, list(free)], best.x, atol=2e-6)
    assert found.llf[0] == pytest.approx(-best.fun - 0.5 * size * (np.log(2 * np.pi / size) + 1), abs=1e-8)


def test_no_maximum_is_reported():
    """A random walk with drift per unit over three periods: the adjusted likelihood only climbs."""
    rng = np.random.default_rng(0)
    y = np.cumsum(rng.standard_normal((4, 40)), axis=0) * np.array([1.0, 2.0, 4.0, 8.0])[:, None]
    reduced = reduce_columns(np.stack([y[:-1], y[1:], np.zeros((3, 40))]), None, True, False)
    cross = kernel.cross_from_factor(reduced.base, 0, (0,))
    found = kernel.maximise(cross, 80, kernel.Adjustment(np.zeros(40), None, 3, 2), (0,), np.zeros((1, 3)), (-9.0, 9.0))
    assert not found.converged[0]


def test_one_step_bias_by_dense_matrices_and_its_rule_for_unit_roots():
    w = network()
    eye = np.eye(N)
    tau, eta, rho = PHI
    s = np.linalg.inv(eye - rho * w)
    a = s @ (tau * eye + eta * w)
    series = np.linalg.inv(eye - a) @ s
    g = w @ s
    dense = [np.trace(series), np.trace(w @ series), np.trace(g @ (tau * eye + eta * w) @ series) + np.trace(g)]
    found = unit_effect_bias(np.linalg.eigvals(w), None, T, N, PHI, 2.0)
    np.testing.assert_allclose(found, [*dense, N / 4.0], rtol=1e-10)
    # tau + eta + rho = 1: the eigenvalue 1 of W has the root one, its series is cut to 1 + T/2
    unit = unit_effect_bias(np.array([1.0]), None, T, 10, np.array([0.5, 0.1, 0.4]), 1.0)
    np.testing.assert_allclose(unit[:3], [1 / 0.6 + T / 2 / 0.6] * 2 + [2 / 0.6 + T / 2 / 0.6])
    np.testing.assert_allclose(time_dummy_bias(1 / 0.6, T, 2.0), [0, 0, T / 0.6, T / 4])
