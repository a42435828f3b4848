"""The threshold kernel against explicit dummies, one candidate and one bootstrap sample at a time."""

import numpy as np
import pytest
import statsmodels.api as sm

from nqpf_spatial.kernels import threshold as kernel

T, N = 6, 9


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    x, z = rng.standard_normal((2, T, N)), rng.standard_normal((1, T, N))
    q = rng.standard_normal((T, N))
    y = x[0] * np.where(q > 0.2, 2.0, 0.5) - x[1] + z[0] + rng.standard_normal((T, N)) + rng.standard_normal(N)
    return y, x, z, q


def dummies(unit, time):
    t, n = (a.ravel() for a in np.meshgrid(np.arange(T), np.arange(N), indexing="ij"))
    columns = [np.ones(T * N)]
    columns += [(n == i).astype(float) for i in range(1, N)] if unit else []
    columns += [(t == s).astype(float) for s in range(1, T)] if time else []
    return columns


def sse(y, columns, effects):
    design = np.column_stack([*dummies(*effects), *(c.ravel() for c in columns)])
    return sm.OLS(y.ravel(), design).fit().ssr


EFFECTS = [(True, True), (True, False), (False, True), (False, False)]


@pytest.mark.parametrize("effects", EFFECTS)
def test_search_against_dummies(data, effects):
    y, x, z, q = data
    gamma = kernel.grid(q, 0.1, 400)
    found = kernel.search(y, kernel.candidates(x, z, q, effects, gamma), effects)
    by_hand = [sse(y, [*z, *(x * (q <= g)), *(x * (q > g))], effects) for g in gamma]
    best = int(np.argmin(by_hand))
    assert found.gamma == gamma[best]
    assert found.sse == pytest.approx(by_hand[best], rel=1e-10)
    assert found.sse_null == pytest.approx(sse(y, [*z, *x], effects), rel=1e-10)
    left = {(True, True): (T - 1) * (N - 1), (True, False): (T - 1) * N, (False, True): T * (N - 1)}
    rank = left.get(effects, T * N - 1)
    assert found.statistic == pytest.approx((found.sse_null - found.sse) / (found.sse / rank), rel=1e-9)
    profile = (np.array(by_hand) - by_hand[best]) / (by_hand[best] / rank)
    assert found.profile == pytest.approx(profile, abs=1e-8)


def test_a_second_threshold_given_the_first(data):
    y, x, z, q = data
    effects, first = (True, True), float(np.sort(q, axis=None)[20])
    gamma = kernel.grid(q, 0.1, 400, (first,))
    found = kernel.search(y, kernel.candidates(x, z, q, effects, gamma, (first,)), effects)
    by_hand = []
    for g in gamma:
        low, high = sorted((first, g))
        parts = [x * (q <= low), x * ((q > low) & (q <= high)), x * (q > high)]
        by_hand.append(sse(y, [*z, *(c for part in parts for c in part)], effects))
    assert found.gamma == gamma[int(np.argmin(by_hand))]
    assert found.sse == pytest.approx(min(by_hand), rel=1e-10)


def test_bootstrap_against_a_loop(data):
    y, x, z, q = data
    effects, replicates = (True, True), 7
    gamma = kernel.grid(q, 0.15, 400)
    options = kernel.candidates(x, z, q, effects, gamma)
    residual = kernel.residual(y, np.concatenate([z, *kernel.regimes(x, q, (0.2,))]), effects)
    signal = np.random.default_rng(5).standard_normal((T, N))
    draws = kernel.bootstrap_statistics(signal, residual, options, effects, replicates, np.random.default_rng(9), 4)
    rng = np.random.default_rng(9)
    paths = np.concatenate([rng.integers(0, N, (4, N)), rng.integers(0, N, (3, N))])
    for r in range(replicates):
        again = kernel.search(signal + residual[:, paths[r]], options, effects)
        assert draws[r] == pytest.approx(again.statistic, rel=1e-9)


def test_residuals_and_regimes(data):
    y, x, z, q = data
    split = kernel.regimes(x, q, (0.5, -0.5))
    assert split.shape == (3, 2, T, N)
    assert np.array_equal(split.sum(axis=0), x)
    assert np.array_equal(split[0], x * (q <= -0.5))
    left = kernel.residual(y, np.concatenate([z, *split]), (True, False))
    assert (left**2).sum() == pytest.approx(sse(y, [*z, *(c for part in split for c in part)], (True, False)))


def test_the_grid_keeps_the_share_in_every_regime():
    q = np.random.default_rng(0).standard_normal((20, 20)).round(2)
    for others in ((), (0.1,), (-0.6, 0.5)):
        gamma = kernel.grid(q, 0.07, 1000, others)
        assert gamma.size and np.all(np.diff(gamma) > 0)
        for g in gamma:
            counts = np.bincount(np.searchsorted(np.sort([*others, g]), q.ravel(), side="left"))
            assert counts.min() >= 0.07 * q.size
        outside = np.setdiff1d(np.unique(q), gamma)
        for g in outside:
            place = np.searchsorted(np.sort([*others, g]), q.ravel(), side="left")
            assert np.bincount(place, minlength=len(others) + 2).min() < 0.07 * q.size
    few = kernel.grid(q, 0.07, 11)
    assert few.size <= 11 and set(few) <= set(q.ravel())
    assert kernel.grid(np.ones((3, 3)), 0.1, 10).size == 0


def test_columns_that_do_not_split_add_nothing():
    rng = np.random.default_rng(1)
    q = rng.standard_normal((T, N))
    x = np.zeros((1, T, N))
    options = kernel.candidates(x, np.empty((0, T, N)), q, (True, True), kernel.grid(q, 0.1, 50))
    assert not options.basis.any()
    twice = np.stack([q, q])
    options = kernel.candidates(twice, np.empty((0, T, N)), q, (True, True), kernel.grid(q, 0.1, 50))
    rank = np.linalg.matrix_rank(options.basis[0])
    assert rank == 1


def test_critical_ratios_of_the_printed_table():
    # Hansen (2000, Econometrica 68), table I
    printed = {0.20: 4.50, 0.15: 5.10, 0.10: 5.94, 0.075: 6.53, 0.05: 7.35, 0.025: 8.75, 0.01: 10.59}
    assert {a: round(kernel.critical_ratio(a), 2) for a in printed} == printed
