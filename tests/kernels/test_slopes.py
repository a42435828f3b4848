"""Slopes by group: F of a regression with dummies, permutations one by one, level under serial correlation."""

import numpy as np
import pytest
import statsmodels.api as sm

from nqpf_spatial.kernels.moments import remove_effects
from nqpf_spatial.kernels.slopes import slope_test


def panel(seed, t=9, n=15, slope=0.0, rho=0.0):
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    x = rng.standard_normal((2, t, n)) * (1 + codes)
    control = rng.standard_normal((t, n))
    e = rng.standard_normal((t, n))
    for s in range(1, t):
        e[s] += rho * e[s - 1]
    y = x[0] + 0.5 * control + slope * codes * x[0] + e + rng.standard_normal(n) + rng.standard_normal((t, 1))
    return y, np.concatenate([x, control[None]]), x, codes


def dummies(y, common, focus, codes):
    """F of the interactions by least squares with all dummies."""
    t, n = y.shape
    units, years = np.kron(np.ones((t, 1)), np.eye(n)), np.kron(np.eye(t), np.ones((n, 1)))[:, 1:]
    parts = [(f * (codes == g)).ravel() for g in range(1, codes.max() + 1) for f in focus]
    z = np.column_stack([*parts, common.reshape(len(common), -1).T, units, years])
    fit = sm.OLS(y.ravel(), z).fit()
    test = fit.f_test(np.eye(len(parts), z.shape[1]))
    return float(test.fvalue), float(test.pvalue), fit.df_resid


@pytest.mark.parametrize("seed", range(3))
def test_f_is_that_of_the_regression_with_dummies(seed):
    y, common, focus, codes = panel(seed, slope=0.2)
    found = slope_test(y, common, focus, codes, 99, 0)
    f, p, left = dummies(y, common, focus, codes)
    assert found.statistic == pytest.approx(f)
    assert found.f_pvalue == pytest.approx(p)
    assert (found.df, found.df_residual) == (4, left)


def test_every_permutation_is_the_regression_under_other_labels():
    y, common, focus, codes = panel(4, t=6, n=9)
    found = slope_test(y, common, focus, codes, 60, 7)
    rows = np.random.default_rng(7).permuted(np.broadcast_to(codes, (60, 9)), axis=1)
    random = np.array([dummies(y, common, focus, row)[0] for row in rows])
    assert found.pvalue == pytest.approx((1 + (random >= found.statistic - 1e-9).sum()) / 61)


def test_names_of_groups_and_order_of_units_play_no_part():
    y, common, focus, codes = panel(5)
    first = slope_test(y, common, focus, codes, 99, 0)
    renamed = slope_test(y, common, focus, np.array([2, 0, 1])[codes], 99, 0)
    order = np.random.default_rng(0).permutation(15)
    moved = slope_test(y[:, order], common[..., order], focus[..., order], codes[order], 99, 0)
    assert renamed.statistic == pytest.approx(first.statistic)
    assert moved.statistic == pytest.approx(first.statistic)


def test_effects_and_common_slopes_change_nothing():
    y, common, focus, codes = panel(6)
    shifted = y + 3 * common[2] - 2 * focus[1] + np.arange(15) + np.arange(9)[:, None] ** 2
    a, b = (slope_test(v, common, focus, codes, 99, 0) for v in (y, shifted))
    assert (a.statistic, a.pvalue) == pytest.approx((b.statistic, b.pvalue))


def test_level_under_serial_correlation_and_power():
    """AR(1) errors of 0.8: the F distribution rejects a true null too often, the permutation does not."""
    by_labels, by_f = [], []
    for r in range(300):
        y, common, focus, codes = panel(r, rho=0.8)
        y = remove_effects(y, True, True)
        focus = np.cumsum(focus, axis=1)  # persistent regressors, where serial correlation bites
        common = np.concatenate([focus, common[2:]])
        codes = np.random.default_rng(r).permutation(codes)
        found = slope_test(y, common, focus, codes, 199, r)
        by_labels.append(found.pvalue < 0.05)
        by_f.append(found.f_pvalue < 0.05)
    assert 0.02 < np.mean(by_labels) < 0.085
    assert np.mean(by_f) > 0.2
    strong = panel(1, slope=0.6)
    assert slope_test(*strong, 199, 0).pvalue < 0.02


def test_refusals():
    y, common, focus, codes = panel(2)
    with pytest.raises(ValueError, match="two groups"):
        slope_test(y, common, focus, np.zeros(15, dtype=int), 9, 0)
    with pytest.raises(ValueError, match="collinear"):
        slope_test(y, np.concatenate([common, common[:1]]), focus, codes, 9, 0)
