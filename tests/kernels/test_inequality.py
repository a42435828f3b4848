"""Inequality kernels against definitions written as loops, against PySAL, and by invariances."""

from __future__ import annotations

import inequality as pysal
import numpy as np
import pytest

from nqpf_spatial.kernels import inequality as kernel

RNG = np.random.default_rng(20240501)
X = RNG.lognormal(size=(3, 11))
W = RNG.uniform(0.2, 3.0, size=(3, 11))
CODES = np.array([0, 1, 2, 0, 1, 1, 2, 0, 0, 2, 1])
K = 3
ONE = np.ones(11)

SCALARS = {
    "gini": kernel.gini,
    "theil_t": kernel.theil_t,
    "theil_l": kernel.theil_l,
    "cv": kernel.cv,
    "sd_log": kernel.sd_log,
    "atkinson": lambda x, w: kernel.atkinson(x, w, 0.7),
}


def gini_by_pairs(x: np.ndarray, w: np.ndarray) -> float:
    p = w / w.sum()
    total = sum(p[i] * p[j] * abs(x[i] - x[j]) for i in range(len(x)) for j in range(len(x)))
    return total / (2 * (p @ x))


def dagum_by_definition(x: np.ndarray, w: np.ndarray, codes: np.ndarray, k: int) -> dict[str, float]:
    """Dagum (1997) with d_jh and p_jh as mean positive and mean negative differences."""
    p, mu = w / w.sum(), float(w @ x / w.sum())
    share = np.array([p[codes == j].sum() for j in range(k)])
    mean = np.array([p[codes == j] @ x[codes == j] / share[j] for j in range(k)])
    income = share * mean / mu
    out = {"within": 0.0, "net": 0.0, "trans": 0.0}
    for j in range(k):
        a = codes == j
        out["within"] += gini_by_pairs(x[a], w[a]) * share[j] * income[j]
        for h in range(k):
            if mean[j] <= mean[h]:
                continue
            b = codes == h
            up = down = 0.0
            for xi, pi in zip(x[a], p[a] / share[j], strict=True):
                for xr, pr in zip(x[b], p[b] / share[h], strict=True):
                    up += pi * pr * max(xi - xr, 0.0)
                    down += pi * pr * max(xr - xi, 0.0)
            g = (up + down) / (mean[j] + mean[h])
            d = (up - down) / (up + down)
            weight = share[j] * income[h] + share[h] * income[j]
            out["net"] += g * weight * d
            out["trans"] += g * weight * (1 - d)
    return out


def test_gini_equals_the_double_sum_weighted_and_not() -> None:
    for x, w in zip(X, W, strict=True):
        assert kernel.gini(x, w) == pytest.approx(gini_by_pairs(x, w), abs=1e-14)
    np.testing.assert_allclose(kernel.gini(X, ONE), [gini_by_pairs(x, ONE) for x in X], atol=1e-14)


def test_pysal_has_the_same_gini_theil_and_atkinson() -> None:
    np.testing.assert_allclose(kernel.gini(X, ONE), [pysal.gini.Gini(x).g for x in X], atol=1e-14)
    np.testing.assert_allclose(kernel.theil_t(X, ONE), pysal.theil.Theil(X.T).T, atol=1e-14)
    for eps in (0.5, 1.0, 2.0):
        np.testing.assert_allclose(
            kernel.atkinson(X, ONE, eps), [pysal.atkinson.atkinson(x, eps) for x in X], atol=1e-14
        )
    parts = kernel.theil_parts(X, ONE, kernel.indicator(CODES, K), "T")
    peer = pysal.theil.TheilD(X.T, CODES)
    np.testing.assert_allclose(parts.between, peer.bg, atol=1e-14)
    np.testing.assert_allclose(parts.within, peer.wg, atol=1e-14)


def test_hand_computed_values() -> None:
    x, w = np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4)
    assert kernel.gini(x, w) == pytest.approx(0.25)
    assert kernel.cv(x, w) == pytest.approx(np.sqrt(1.25) / 2.5)
    assert kernel.theil_t(np.array([0.0, 2.0]), np.ones(2)) == pytest.approx(np.log(2.0))
    assert kernel.gini(np.array([0.0, 0.0, 1.0]), np.ones(3)) == pytest.approx(2 / 3)
    two = np.array([1.0, np.e])
    assert kernel.sd_log(two, np.ones(2)) == pytest.approx(0.5)
    assert kernel.theil_l(two, np.ones(2)) == pytest.approx(np.log((1 + np.e) / 2) - 0.5)


@pytest.mark.parametrize("name", SCALARS)
def test_scale_replication_and_anonymity(name: str) -> None:
    f = SCALARS[name]
    base = f(X, W)
    np.testing.assert_allclose(f(37.5 * X, W), base, rtol=1e-12)
    np.testing.assert_allclose(f(np.tile(X, 3), np.tile(W, 3)), base, rtol=1e-12)
    order = np.random.default_rng(0).permutation(11)
    np.testing.assert_allclose(f(X[:, order], W[:, order]), base, rtol=1e-12)
    np.testing.assert_allclose(f(X, 5.0 * W), base, rtol=1e-12)


@pytest.mark.parametrize("name", [n for n in SCALARS if n != "sd_log"])
def test_a_transfer_to_the_poorer_lowers_inequality(name: str) -> None:
    x = np.array([1.0, 2.0, 5.0, 9.0])
    after = x + np.array([0.0, 0.5, 0.0, -0.5])
    assert SCALARS[name](after, np.ones(4)) < SCALARS[name](x, np.ones(4))


def test_integer_weights_are_repetitions() -> None:
    times = np.array([1, 3, 2, 1, 1, 2, 1, 1, 4, 1, 1])
    for f in SCALARS.values():
        np.testing.assert_allclose(f(X[0], times.astype(float)), f(np.repeat(X[0], times), np.ones(18)), rtol=1e-12)


def test_dagum_equals_the_definition_by_loops() -> None:
    member = kernel.indicator(CODES, K)
    found = kernel.dagum_parts(X, W, member)
    for t in range(3):
        expected = dagum_by_definition(X[t], W[t], CODES, K)
        assert found.within[t] == pytest.approx(expected["within"], abs=1e-13)
        assert found.net[t] == pytest.approx(expected["net"], abs=1e-13)
        assert found.transvariation[t] == pytest.approx(expected["trans"], abs=1e-13)


@pytest.mark.parametrize("weights", [np.ones((3, 11)), W])
def test_identities_hold_to_1e_12(weights: np.ndarray) -> None:
    member = kernel.indicator(CODES, K)
    d = kernel.dagum_parts(X, weights, member)
    np.testing.assert_allclose(d.within + d.net + d.transvariation, d.total, atol=1e-12)
    np.testing.assert_allclose(d.net_pair.sum(axis=(1, 2)) / 2, d.net, atol=1e-12)
    for kind, f in (("T", kernel.theil_t), ("L", kernel.theil_l)):
        p = kernel.theil_parts(X, weights, member, kind)
        np.testing.assert_allclose(p.between + p.within, f(X, weights), atol=1e-12)
        inside = [f(X[:, g == CODES], weights[:, g == CODES]) for g in range(K)]
        np.testing.assert_allclose(p.index, np.stack(inside, axis=1), atol=1e-12)


def test_net_between_is_the_gini_of_group_means_and_d_is_one_without_overlap() -> None:
    x = np.array([1.0, 2.0, 3.0, 10.0, 11.0, 30.0])
    codes = np.array([0, 0, 0, 1, 1, 2])
    d = kernel.dagum_parts(x, np.ones(6), kernel.indicator(codes, 3))
    means = np.array([2.0, 2.0, 2.0, 10.5, 10.5, 30.0])
    assert d.net == pytest.approx(float(kernel.gini(means, np.ones(6))), abs=1e-14)
    assert d.transvariation == pytest.approx(0.0, abs=1e-14)
    np.testing.assert_allclose(d.affluence, 1.0 - np.eye(3), atol=1e-14)
    assert d.index[2, 2] == 0.0  # a group of one


def test_equal_means_have_no_net_part_and_constants_no_distance() -> None:
    x = np.array([1.0, 3.0, 2.0, 2.0])
    d = kernel.dagum_parts(x, np.ones(4), kernel.indicator(np.array([0, 0, 1, 1]), 2))
    assert d.net == 0.0 and d.affluence[0, 1] == 0.0 and d.transvariation > 0
    flat = kernel.dagum_parts(np.full(4, 2.0), np.ones(4), kernel.indicator(np.array([0, 0, 1, 1]), 2))
    assert flat.total == pytest.approx(0.0, abs=1e-15) and flat.affluence[0, 1] == 0.0


def test_replicates_are_weights_and_an_emptied_group_adds_nothing() -> None:
    draws = np.random.default_rng(3).multinomial(11, np.full(11, 1 / 11), size=5).astype(float)
    draws[0, CODES == 2] = 0.0
    member = kernel.indicator(CODES, K)
    batch = kernel.dagum_parts(X, draws[:, None, :] * W, member)
    for r in range(5):
        one = kernel.dagum_parts(X, draws[r] * W, member)
        np.testing.assert_allclose(batch.net[r], one.net, atol=1e-15)
        chosen = np.repeat(np.arange(11), draws[r].astype(int))
        np.testing.assert_allclose(batch.total[r], kernel.gini(X[:, chosen], W[:, chosen]), atol=1e-13)
    assert np.isfinite(batch.total).all() and (batch.population[0, :, 2] == 0).all()


def test_concentration_is_the_gini_in_its_own_order_and_minus_it_reversed() -> None:
    np.testing.assert_allclose(kernel.concentration(X, X, W), kernel.gini(X, W), atol=1e-14)
    np.testing.assert_allclose(kernel.concentration(X, -X, W), -kernel.gini(X, W), atol=1e-14)
