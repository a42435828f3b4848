"""Permutation inference for Moran's I against esda and against full enumeration."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.sparse import csr_array

import nqpf_spatial as nq
from nqpf_spatial.kernels.autocorrelation import local_reference, permuted_moran, pseudo_p

# y = default_rng(1).normal(size=31) on nq.weights.contiguity(); esda 2.8.2 (numba), Moran_Local(..., seed=1),
# 99,999 conditional permutations: p_sim, to four digits
ESDA = [
    0.1545, 0.2635, 0.2718, 0.1861, 0.3769, 0.3209, 0.0957, 0.3872, 0.4125, 0.4111, 0.4619, 0.4401, 0.2319, 0.2655,
    0.158, 0.3119, 0.4761, 0.3849, 0.1998, 0.0617, 0.1017, 0.1702, 0.0334, 0.1374, 0.4355, 0.3517, 0.3473, 0.0079,
    0.2669, 0.4417, 0.1053,
]  # fmt: skip
Y = np.random.default_rng(1).normal(size=31)


def test_local_p_values_against_esda():
    n = 39_999
    weights = nq.weights.contiguity()
    r = local_reference(Y, weights.sparse, n, seed=4)
    p, peer = pseudo_p(r.at_least, r.at_most, n, "directed"), np.array(ESDA)
    error = 4 * np.sqrt(peer * (1 - peer) * (1 / n + 1 / 99_999)) + 5e-5
    hainan = weights.ids.index("Hainan")
    others = np.arange(31) != hainan
    assert (np.abs(p - peer) < error)[others].all()
    # one neighbour, 30 possible values: a draw in 30 ties with what was observed. A tie is as extreme as the
    # observation; esda leaves ties out of the lower tail
    ties = (r.at_least + r.at_most - n)[hainan] / n
    assert ties == pytest.approx(1 / 30, abs=0.004)
    assert p[hainan] == pytest.approx(peer[hainan] + ties, abs=error[hainan])


def test_local_reference_against_enumeration():
    """All 24 orders of four others: their moments are what random orders tend to."""
    w = np.array([[0, 1, 1, 0, 0], [1, 0, 1, 1, 0], [1, 1, 0, 0, 1], [0, 1, 0, 0, 1], [0, 0, 1, 1, 0.0]])
    w /= w.sum(axis=1, keepdims=True)
    y = np.array([1.0, 4, 2, 7, 3])
    z = y - y.mean()
    factor = 4 * z / (z**2).sum()
    r = local_reference(y, csr_array(w), 20_000, seed=0)
    for i in range(5):
        others = [j for j in range(5) if j != i]
        drawn = [
            factor[i] * sum(w[i, j] * z[k] for j, k in zip(others, order, strict=True))
            for order in permutations(others)
        ]
        assert r.mean[i] == pytest.approx(np.mean(drawn), abs=0.02)
        assert r.sd[i] == pytest.approx(np.std(drawn), rel=0.02)
        observed = factor[i] * (w[i] @ z)
        share = np.mean(np.array(drawn) >= observed - 1e-12)
        assert r.at_least[i] / 20_000 == pytest.approx(share, abs=0.02)


def test_permuted_moran_has_the_moments_of_randomisation():
    from esda.moran import Moran

    weights = nq.weights.contiguity()
    m = Moran(Y, weights.to_W(), transformation="O", permutations=0)
    drawn = permuted_moran(Y, weights.sparse, 20_000, seed=0)[:, 0]
    assert drawn.mean() == pytest.approx(m.EI, abs=4 * m.seI_rand / np.sqrt(20_000))
    assert drawn.std() == pytest.approx(m.seI_rand, rel=0.02)


def test_same_seed_same_draws_whatever_the_other_rows(monkeypatch):
    w = nq.weights.contiguity().sparse
    both = permuted_moran(np.stack([Y, Y**3]), w, 500, seed=9)
    assert np.array_equal(both[:, :1], permuted_moran(Y, w, 500, seed=9))
    monkeypatch.setattr("nqpf_spatial.kernels.autocorrelation._CELLS", 31 * 7)
    assert np.array_equal(both, permuted_moran(np.stack([Y, Y**3]), w, 500, seed=9))


def test_pseudo_p_conventions():
    assert pseudo_p(4, 96, 99, "greater") == pytest.approx(0.05)
    assert pseudo_p(4, 96, 99, "less") == pytest.approx(0.97)
    assert pseudo_p(4, 96, 99, "two-sided") == pytest.approx(0.10)
    assert pseudo_p(99, 99, 99) == 1.0
    with pytest.raises(ValueError, match="'both'"):
        pseudo_p(1, 2, 99, "both")
