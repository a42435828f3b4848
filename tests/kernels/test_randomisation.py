"""Label permutations against brute force, the library's own R-LEVEL, statsmodels, scipy and coverage."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nqpf_spatial.kernels import randomisation as kernel


def treated(n, m):
    return np.arange(n) < m


def test_all_arrangements_are_enumerated_once():
    sets = kernel.label_sets(7, 3, 35, None)
    assert sets.exact and sets.rows.shape == (35, 7)
    assert {tuple(np.flatnonzero(r)) for r in sets.rows} == set(combinations(range(7), 3))
    some = kernel.label_sets(7, 3, 34, 0)
    assert not some.exact and (some.rows.sum(axis=1) == 3).all()
    assert np.array_equal(some.rows, kernel.label_sets(7, 3, 34, 0).rows)


@pytest.mark.parametrize(("n", "m"), [(5, 0), (5, 5)])
def test_a_label_needs_both_sides(n, m):
    with pytest.raises(ValueError, match="units with and without"):
        kernel.label_sets(n, m, 10, 0)


def test_differences_of_means_by_hand():
    rng = np.random.default_rng(1)
    values = rng.standard_normal((9, 2))
    rows = kernel.label_sets(9, 4, 200, None).rows
    found = kernel.mean_difference(values, rows)
    for row, d in zip(rows, found, strict=True):
        assert d == pytest.approx(values[row == 1].mean(axis=0) - values[row == 0].mean(axis=0))
    assert kernel.mean_difference(values[:, 0], rows) == pytest.approx(found[:, 0])


@pytest.mark.parametrize("draws", [1000, 200])
def test_p_value_is_that_of_the_level_rule_of_the_library(draws):
    from nqpf_spatial.divergence import level_permutation

    rng = np.random.default_rng(3)
    values = rng.standard_normal(11) + 0.8 * treated(11, 4)
    mine = kernel.difference_test(values, treated(11, 4), draws, 5, 0.9)
    units = [f"u{i}" for i in range(11)]
    peer = level_permutation(
        pd.Series(values, units, name="x"), "A", groups=dict(zip(units, "AAAABBBBBBB", strict=True)), sides=2,
        permutations=1000,
    )  # fmt: skip
    p = min(peer.table["pvalue"].iloc[0], peer.table["pvalue_below"].iloc[0])
    assert mine.estimate == pytest.approx(peer.table["difference"].iloc[0])
    assert mine.pvalue == pytest.approx(p, abs=1e-12 if draws == 1000 else 0.08)
    assert mine.exact == (draws == 1000)


def p_of(values, label, c):
    return kernel.difference_test(values - c * label, label, 1000, None, 0.9).pvalue


@pytest.mark.parametrize("seed", range(4))
def test_the_interval_holds_what_the_test_does_not_reject(seed):
    rng = np.random.default_rng(seed)
    label = treated(10, 4)
    values = rng.standard_normal(10) + 2.0 * label
    t = kernel.difference_test(values, label, 1000, None, 0.9)
    for bound, side in ((t.lower, -1), (t.upper, 1)):
        assert p_of(values, label, bound - 1e-6 * side) >= 0.1 - 1e-12
        assert p_of(values, label, bound + 1e-6 * side) < 0.1
    assert t.lower < t.estimate < t.upper


def test_too_few_arrangements_exclude_nothing():
    t = kernel.difference_test(np.array([9.0, 1.0, 2.0, 3.0]), treated(4, 1), 100, None, 0.9)
    assert (t.lower, t.upper) == (-np.inf, np.inf)
    with pytest.raises(ValueError, match="level"):
        kernel.difference_test(np.arange(4.0), treated(4, 1), 100, None, 90)


def test_coverage_and_sd_with_random_arrangements():
    """Five of 22 units, skewed errors: 90 % intervals cover, and the sd is that of the estimator."""
    label = treated(22, 5)
    inside, sds, estimates = [], [], []
    for r in range(400):
        rng = np.random.default_rng(r)
        t = kernel.difference_test(rng.exponential(size=22) + 0.7 * label, label, 400, r, 0.9)
        inside.append(t.lower <= 0.7 <= t.upper)
        sds.append(t.sd)
        estimates.append(t.estimate)
    assert 0.86 < np.mean(inside) < 0.95
    assert np.sqrt(np.mean(np.square(sds))) == pytest.approx(np.std(estimates), rel=0.12)


def test_joint_test_is_hotellings_of_statsmodels():
    from statsmodels.stats.multivariate import test_mvmean_2indep as hotelling

    rng = np.random.default_rng(7)
    label = treated(22, 6)
    values = rng.standard_normal((22, 5)) @ rng.standard_normal((5, 5))
    t = kernel.joint_test(values, label, 2000, 1)
    peer = hotelling(values[label], values[~label])
    assert t.statistic == pytest.approx(peer.t2)
    assert t.f_pvalue == pytest.approx(peer.pvalue)
    assert t.pvalue == pytest.approx(t.f_pvalue, abs=0.05)
    assert t.differences == pytest.approx(values[label].mean(axis=0) - values[~label].mean(axis=0))


def test_joint_test_by_brute_force():
    rng = np.random.default_rng(8)
    label = treated(9, 4)
    values = rng.standard_normal((9, 2)) + 0.9 * label[:, None]

    def t2(mask):
        a, b = values[mask], values[~mask]
        s = ((a - a.mean(axis=0)).T @ (a - a.mean(axis=0)) + (b - b.mean(axis=0)).T @ (b - b.mean(axis=0))) / 7
        d = a.mean(axis=0) - b.mean(axis=0)
        return 20 / 9 * d @ np.linalg.solve(s, d)

    all_t2 = np.array([t2(row == 1) for row in kernel.label_sets(9, 4, 1000, None).rows])
    t = kernel.joint_test(values, label, 1000, None)
    assert t.statistic == pytest.approx(t2(label))
    assert t.pvalue == pytest.approx(np.mean(all_t2 >= t2(label) - 1e-9))


def test_joint_test_keeps_its_level_under_serial_correlation():
    label, rejections = treated(22, 6), 0
    for r in range(500):
        rng = np.random.default_rng(r)
        walk = np.cumsum(rng.standard_normal((22, 5)), axis=1)
        rejections += kernel.joint_test(walk, label, 300, r).pvalue <= 0.1
    assert 0.07 < rejections / 500 < 0.135


def test_joint_test_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="more than 7 units"):
        kernel.joint_test(np.random.default_rng(0).standard_normal((7, 5)), treated(7, 3), 10, 0)
    x = np.random.default_rng(0).standard_normal((12, 2))
    with pytest.raises(ValueError, match="linearly dependent"):
        kernel.joint_test(np.column_stack([x, x.sum(axis=1)]), treated(12, 3), 10, 0)


def test_spearman_against_scipy():
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal(7), rng.standard_normal(7)
    y[2] = y[3]
    found = kernel.spearman(x, y, 20_000, 0)
    peer = stats.permutation_test(
        (x,), lambda a: abs(stats.spearmanr(a, y).statistic), permutation_type="pairings", alternative="greater",
        n_resamples=6000,
    )  # fmt: skip
    assert found.rho == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.pvalue == pytest.approx(peer.pvalue, abs=0.012)
    with pytest.raises(ValueError, match="without variation"):
        kernel.spearman(x, np.ones(7), 10, 0)
    with pytest.raises(ValueError, match="equal length"):
        kernel.spearman(x, y[:5], 10, 0)
