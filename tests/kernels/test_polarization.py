"""Polarisation kernels: hand values, axioms of the papers, brute force, the relation to Gini and Wolfson."""

from __future__ import annotations

from itertools import combinations

import inequality as pysal
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from nqpf_spatial.kernels import inequality as ineq
from nqpf_spatial.kernels import polarization as kernel

X = np.random.default_rng(7).lognormal(size=(4, 12))
ONE = np.ones(12)


def test_esteban_ray_by_hand() -> None:
    share, place = np.array([0.5, 0.5]), np.array([0.5, 1.5])
    assert kernel.esteban_ray(share, place, 1.0) == pytest.approx(2 * 0.25 * 0.5)
    three = kernel.esteban_ray(np.array([0.25, 0.5, 0.25]), np.array([0.0, 1.0, 2.0]), 1.0)
    by_hand = 0.0
    for a, pa in ((0.0, 0.25), (1.0, 0.5), (2.0, 0.25)):
        for b, pb in ((0.0, 0.25), (1.0, 0.5), (2.0, 0.25)):
            by_hand += pa**2 * pb * abs(a - b)
    assert three == pytest.approx(by_hand)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 1.3, 1.6])
def test_two_equal_poles_are_the_most_polarised(alpha: float) -> None:
    place = np.array([0.0, 1.0, 2.0])
    poles = kernel.esteban_ray(np.array([0.5, 0.0, 0.5]), place, alpha)
    for middle in (0.1, 0.3, 0.6):
        side = (1 - middle) / 2
        assert kernel.esteban_ray(np.array([side, middle, side]), place, alpha) < poles


def test_alpha_zero_is_twice_the_gini() -> None:
    share = np.full(12, 1 / 12)
    np.testing.assert_allclose(
        kernel.esteban_ray(share, X / X.mean(axis=1, keepdims=True), 0.0), 2 * ineq.gini(X, ONE), atol=1e-14
    )
    for h in (0.1, 3.0):
        found = kernel.duclos_esteban_ray(X, ONE, 0.0, np.full(4, h))
        np.testing.assert_allclose(found, 2 * ineq.gini(X, ONE), atol=1e-14)


def test_egr_is_er_less_the_inequality_it_hides() -> None:
    codes = np.array([0] * 4 + [1] * 5 + [2] * 3)
    member = ineq.indicator(codes, 3)
    parts = kernel.esteban_gradin_ray(X, ONE, member, 1.3, 0.8)
    means = np.stack([X[:, codes == k].mean(axis=1) for k in range(3)], axis=1)[:, codes]
    np.testing.assert_allclose(parts.gini_between, ineq.gini(means, ONE), atol=1e-14)
    np.testing.assert_allclose(parts.error, ineq.gini(X, ONE) - parts.gini_between, atol=1e-14)
    np.testing.assert_allclose(parts.index, parts.simple - 0.8 * parts.error, atol=1e-14)


def test_wolfson_is_twice_pysal_and_egr_of_two_halves() -> None:
    np.testing.assert_allclose(kernel.wolfson(X, ONE), [2 * pysal.wolfson.wolfson(x) for x in X], atol=1e-13)
    odd = X[:, :11]
    np.testing.assert_allclose(
        kernel.wolfson(odd, np.ones(11)), [2 * pysal.wolfson.wolfson(x) for x in odd], atol=1e-13
    )
    # Esteban, Gradin and Ray (2007): W = 2 (mu/m) P(alpha=1, beta=1) for the split at the median
    for x in X:
        codes = (np.argsort(np.argsort(x)) >= 6).astype(int)
        p = kernel.esteban_gradin_ray(x, ONE, ineq.indicator(codes, 2), 1.0, 1.0).index
        assert kernel.wolfson(x, ONE) == pytest.approx(2 * x.mean() / np.median(x) * p, abs=1e-13)


def test_wolfson_runs_from_zero_to_one() -> None:
    assert kernel.wolfson(np.full(6, 3.0), np.ones(6)) == pytest.approx(0.0, abs=1e-14)
    assert kernel.wolfson(np.array([0.0, 0.0, 2.0, 2.0]), np.ones(4)) == pytest.approx(1.0)


def test_wolfson_rises_when_the_middle_dissolves_while_gini_falls() -> None:
    """The example that made Wolfson's case: transfers inside each half raise polarisation and lower the Gini."""
    spread, poles = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.array([2.0, 2.0, 2.0, 5.0, 5.0, 5.0])
    one = np.ones(6)
    assert ineq.gini(poles, one) < ineq.gini(spread, one)
    assert kernel.wolfson(poles, one) > kernel.wolfson(spread, one)


def test_weighted_median_and_half_lorenz_are_those_of_repeated_values() -> None:
    times = np.array([1, 3, 2, 1, 1, 2, 1, 1, 4, 1, 1, 2])
    long = np.repeat(X, times, axis=1)
    ones = np.ones(long.shape[1])
    np.testing.assert_allclose(kernel.median(X, times.astype(float)), np.median(long, axis=1), atol=1e-14)
    np.testing.assert_allclose(kernel.lorenz_half(X, times.astype(float)), kernel.lorenz_half(long, ones), atol=1e-13)


def test_der_equals_the_loops() -> None:
    x, w, alpha, h = X[0], np.random.default_rng(1).uniform(0.5, 2, 12), 0.6, 0.35
    p = w / w.sum()
    total = 0.0
    for i in range(12):
        density = sum(p[j] * norm.pdf(x[i], x[j], h) for j in range(12))
        total += p[i] * density**alpha * sum(p[j] * abs(x[i] - x[j]) for j in range(12))
    expected = total / (p @ x) ** (1 - alpha)
    assert kernel.duclos_esteban_ray(x, w, alpha, np.array(h)) == pytest.approx(expected, abs=1e-13)


def test_der_of_many_normal_values_is_the_integral() -> None:
    mu, sd, alpha = 10.0, 2.0, 0.5
    x = norm.ppf((np.arange(3000) + 0.5) / 3000, mu, sd)

    def inner(v: float) -> float:
        z = (v - mu) / sd
        away = sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z))
        return norm.pdf(v, mu, sd) ** (1 + alpha) * away

    expected = quad(inner, mu - 10 * sd, mu + 10 * sd)[0] / mu ** (1 - alpha)
    h = kernel.der_bandwidth(x, np.ones(3000), alpha)
    assert kernel.duclos_esteban_ray(x, np.ones(3000), alpha, h) == pytest.approx(expected, rel=0.01)


def test_der_does_not_depend_on_the_unit() -> None:
    h = kernel.der_bandwidth(X, ONE, 0.5)
    a = kernel.duclos_esteban_ray(X, ONE, 0.5, h)
    b = kernel.duclos_esteban_ray(100 * X, ONE, 0.5, kernel.der_bandwidth(100 * X, ONE, 0.5))
    np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_optimal_partition_beats_every_other(k: int) -> None:
    x, w = X[1], np.random.default_rng(5).uniform(0.5, 2, 12)
    order = np.argsort(x)
    best = -1.0
    for cuts in combinations(range(1, 12), k - 1):
        codes = np.zeros(12, dtype=int)
        codes[order] = np.searchsorted(cuts, np.arange(12), side="right")
        share, place = kernel.group_moments(x, w, ineq.indicator(codes, k))
        best = max(best, float(kernel.esteban_ray(share, place, 0.0)) / 2)
    found = kernel.optimal_partition(x, w, k)
    share, place = kernel.group_moments(x, w, ineq.indicator(found, k))
    assert float(kernel.esteban_ray(share, place, 0.0)) / 2 == pytest.approx(best, abs=1e-13)
    assert (np.diff(found[order]) >= 0).all()


def test_ties_stay_together_in_the_partition() -> None:
    codes = kernel.optimal_partition(np.array([1.0, 1.0, 1.0, 5.0, 5.0, 9.0]), np.ones(6), 3)
    assert codes.tolist() == [0, 0, 0, 1, 1, 2]
