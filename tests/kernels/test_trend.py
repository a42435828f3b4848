"""Trend kernels: ranks, Theil-Sen and Kendall against scipy, sup-F against two regressions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import kendalltau, rankdata, theilslopes

from nqpf_spatial.kernels import trend as kernel

RNG = np.random.default_rng(11)


def test_average_ranks_are_those_of_scipy() -> None:
    x = RNG.integers(0, 6, size=(4, 15)).astype(float)
    np.testing.assert_array_equal(kernel.average_ranks(x), rankdata(x, axis=1))


@pytest.mark.parametrize("n", [5, 8, 12, 15, 30])
def test_theil_sen_and_its_interval_are_those_of_scipy(n: int) -> None:
    t = np.sort(RNG.choice(np.arange(2000, 2060), n, replace=False)).astype(float)
    y = RNG.normal(size=n) + 0.05 * t
    slope, _ = kernel.theil_sen(y, t)
    peer = theilslopes(y, t, 0.95)
    low, high = kernel.theil_sen_interval(y, t, 0.05)
    assert (slope, low, high) == pytest.approx((peer.slope, peer.low_slope, peer.high_slope), abs=1e-12)


def test_score_and_variance_match_kendalls_tau_b_with_ties() -> None:
    y = np.array([1.0, 2.0, 2.0, 5.0, 3.0, 3.0, 3.0, 8.0, 9.0, 7.0])
    n = len(y)
    pairs = n * (n - 1) / 2
    tied = 1 + 3
    tau_b = kernel.kendall_score(y) / np.sqrt(pairs * (pairs - tied))
    assert tau_b == pytest.approx(kendalltau(np.arange(n), y).statistic)
    by_hand = (n * (n - 1) * (2 * n + 5) - 2 * 1 * 9 - 3 * 2 * 11) / 18
    assert kernel.kendall_variance(y) == pytest.approx(by_hand)


def test_a_constant_series_has_no_trend_and_p_one() -> None:
    found = kernel.mann_kendall(np.full(9, 2.0), np.arange(9.0), correct=True, alpha=0.05)
    assert (found.score, found.statistic, found.pvalue, found.factor) == (0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize(("seed", "n"), [(1, 14), (2, 14), (3, 15), (4, 19), (5, 22)])
def test_hamed_rao_factor_by_hand_with_exact_arithmetic(seed: int, n: int) -> None:
    """With an odd number of pairs the slope is that of one pair, whose residuals are tied: they must stay so."""
    y = np.random.default_rng(seed).integers(0, 900, size=n).astype(float)
    t = np.arange(2001.0, 2001.0 + n)
    slopes = sorted(Fraction(int(y[j] - y[i]), j - i) for i in range(n) for j in range(i + 1, n))
    m = len(slopes)
    slope = slopes[m // 2] if m % 2 else (slopes[m // 2 - 1] + slopes[m // 2]) / 2
    rest = [Fraction(int(v)) - slope * k for k, v in enumerate(y)]
    ranks = np.array([sum(b < a for b in rest) + (sum(b == a for b in rest) + 1) / 2 for a in rest])
    assert len(set(rest)) < n  # there are ties
    c = ranks - ranks.mean()
    total = 0.0
    used = []
    for k in range(1, n):
        r = (c[k:] @ c[:-k]) / (c @ c)
        if abs(r) > 1.959963984540054 / np.sqrt(n):
            total += (n - k) * (n - k - 1) * (n - k - 2) * r
            used.append(k)
    factor, lags = kernel.hamed_rao_factor(y, t, 0.05)
    assert factor == pytest.approx(1 + 2 * total / (n * (n - 1) * (n - 2)), abs=1e-12)
    assert list(lags) == used


@pytest.mark.parametrize("kind", ["level", "slope", "both"])
def test_sup_f_is_the_f_of_two_regressions(kind: str) -> None:
    t = np.arange(2005.0, 2019.0)
    y = RNG.normal(size=14)
    base = np.column_stack([np.ones(14), t - t.mean()])
    at, extra = kernel.break_designs(t, kind, 3)
    found = kernel.sup_f(y, base, extra)
    for k, columns, f in zip(at, extra, found, strict=True):
        full = np.column_stack([base, columns])
        rss0 = np.linalg.lstsq(base, y, rcond=None)[1][0]
        rss1 = np.linalg.lstsq(full, y, rcond=None)[1][0]
        q = columns.shape[1]
        assert f == pytest.approx((rss0 - rss1) / q / (rss1 / (14 - 2 - q)))
        assert (columns[:k] == 0).all()


def test_sup_f_does_not_depend_on_level_slope_or_scale() -> None:
    t = np.arange(12.0)
    y = RNG.normal(size=12)
    base = np.column_stack([np.ones(12), t])
    _, extra = kernel.break_designs(t, "both", 3)
    np.testing.assert_allclose(kernel.sup_f(5 + 3 * t + 7 * y, base, extra), kernel.sup_f(y, base, extra), rtol=1e-9)
