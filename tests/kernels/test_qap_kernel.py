"""MRQAP against a loop of regressions, the dyadic covariance and Shapley shares against their definitions."""

from itertools import permutations
from math import factorial

import numpy as np
import pytest
import statsmodels.api as sm

from nqpf_spatial.kernels import dyadic, qap, shapley

N, T = 7, 3


def gaps(a):
    return np.abs(a[:, :, None] - a[:, None, :])


@pytest.fixture
def cube():
    rng = np.random.default_rng(2)
    a, b, c = rng.standard_normal((3, T, N))
    x = np.stack([gaps(a), gaps(0.5 * a + b)])
    return x[0] - 0.3 * x[1] + gaps(c), x


def dummies(pair, period, count):
    t, p = (v.ravel() for v in np.meshgrid(np.arange(T), np.arange(count), indexing="ij"))
    out = [np.ones(T * count)]
    out += [(p == i).astype(float) for i in range(1, count)] if pair else []
    return out + ([(t == s).astype(float) for s in range(1, T)] if period else [])


@pytest.mark.parametrize("effects", [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("directed", [False, True])
def test_mrqap_against_a_loop(cube, effects, directed):
    y, x = cube
    if directed:
        rng = np.random.default_rng(8)
        y, x = y + rng.standard_normal(y.shape), x + rng.standard_normal(x.shape)
    pairs = np.nonzero(~np.eye(N, dtype=bool)) if directed else np.triu_indices(N, 1)
    found = qap.mrqap(y, x, pairs, effects, 40, np.random.default_rng(4), block=7)
    base = dummies(*effects, pairs[0].size)
    columns = [m[:, pairs[0], pairs[1]].ravel() for m in x]
    target = y[:, pairs[0], pairs[1]].ravel()
    plain = sm.OLS(target, np.column_stack([*columns, *base])).fit()
    assert found.beta == pytest.approx(plain.params[:2])
    assert found.t == pytest.approx(plain.tvalues[:2])
    assert found.df == plain.df_resid
    rng = np.random.default_rng(4)
    orders = [rng.permutation(N) for _ in range(40)]
    for k in range(2):
        other = columns[1 - k]
        own = sm.OLS(columns[k], np.column_stack([other, *base])).fit().resid.reshape(T, -1)
        matrix = np.zeros((T, N, N))
        if not directed:
            matrix[:, pairs[1], pairs[0]] = own
        matrix[:, pairs[0], pairs[1]] = own
        t = []
        for order in orders:
            moved = matrix[:, order][:, :, order][:, pairs[0], pairs[1]].ravel()
            t.append(sm.OLS(target, np.column_stack([moved, other, *base])).fit().tvalues[0])
        assert found.reference[k] == pytest.approx(np.array(t))
        assert found.p[k] == (1 + (np.abs(t) >= abs(plain.tvalues[k])).sum()) / 41


def test_dyadic_covariance_by_its_definition():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 6, 80)
    second = (first + rng.integers(1, 6, 80)) % 6
    scores = rng.standard_normal((80, 3))
    by_hand = np.zeros((3, 3))
    for a in range(80):
        for b in range(80):
            if {first[a], second[a]} & {first[b], second[b]}:
                by_hand += np.outer(scores[a], scores[b])
    assert dyadic.dyadic_meat(scores, first, second) == pytest.approx(by_hand)
    assert dyadic.dyadic_meat(scores, second, first) == pytest.approx(by_hand)
    with pytest.raises(ValueError, match="two different units"):
        dyadic.dyadic_meat(scores, first, first)


def test_shapley_shares_are_averages_over_all_orders():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((30, 5))
    y = x @ [1.0, 0.5, 0.0, -1.0, 0.2] + rng.standard_normal(30)
    groups = [x[:, :2], x[:, 2:3], x[:, 3:4], x[:, 4:]]
    shares = shapley.shapley_r2(y, groups)
    by_hand = np.zeros(4)
    for order in permutations(range(4)):
        for i, g in enumerate(order):
            before = np.column_stack([groups[o] for o in order[:i]]) if i else np.empty((30, 0))
            with_it = np.column_stack([before, groups[g]])
            by_hand[g] += shapley.r_squared(y, with_it) - shapley.r_squared(y, before)
    assert shares == pytest.approx(by_hand / factorial(4))
    assert shares.sum() == pytest.approx(sm.OLS(y, sm.add_constant(x)).fit().rsquared)
    with pytest.raises(ValueError, match="0 groups"):
        shapley.shapley_r2(y, [])
