"""Clusters on a line against every partition, mapclassify and scikit-learn."""

from itertools import combinations

import mapclassify
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from nqpf_spatial.kernels import partition


def brute(x, k):
    """Smallest within sum of squares over all ways to cut the sorted values."""
    s = np.sort(x)
    out = np.inf
    for cuts in combinations(range(1, len(s)), k - 1):
        parts = np.split(s, cuts)
        out = min(out, sum(((p - p.mean()) ** 2).sum() for p in parts))
    return out


@pytest.mark.parametrize("seed", range(3))
def test_the_partition_is_the_best_of_all(seed):
    x = np.random.default_rng(seed).exponential(size=12)
    totals, _ = partition.within(x, 5)
    for k in range(1, 6):
        assert totals[k - 1] == pytest.approx(brute(x, k))
        codes = partition.classes(x, k)
        assert sum(((x[codes == c] - x[codes == c].mean()) ** 2).sum() for c in range(k)) == pytest.approx(
            totals[k - 1]
        )
        means = [x[codes == c].mean() for c in range(k)]
        assert means == sorted(means)


@pytest.mark.filterwarnings("ignore:Numba not installed")
def test_the_partition_is_that_of_the_peers():
    x = np.random.default_rng(5).lognormal(size=31)
    for k in (2, 3, 4):
        mine = partition.classes(x, k)
        assert np.array_equal(mine, mapclassify.FisherJenks(x, k=k).yb)
        inertia = min(KMeans(k, n_init=50, random_state=s).fit(x[:, None]).inertia_ for s in range(2))
        assert partition.within(x, k)[0][k - 1] <= inertia + 1e-9


def test_sets_are_partitioned_one_by_one():
    x = np.random.default_rng(6).standard_normal((4, 9))
    together = partition.within(x, 3)[0]
    assert together == pytest.approx(np.stack([partition.within(row, 3)[0] for row in x]))


@pytest.mark.parametrize("k", [2, 3, 5])
def test_silhouette_of_scikit_learn(k):
    x = np.random.default_rng(7).exponential(size=20)
    x[0] = 40.0  # a cluster of one
    codes = partition.classes(x, k)
    assert partition.silhouette(x, codes) == pytest.approx(silhouette_score(x[:, None], codes))


def test_adjusted_rand_of_scikit_learn():
    rng = np.random.default_rng(8)
    for _ in range(20):
        a, b = rng.integers(0, 3, 31), rng.integers(0, 2, 31)
        assert partition.adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b))
    assert partition.adjusted_rand(["x"] * 5, [0] * 5) == 1.0


@pytest.mark.parametrize(("centres", "wanted"), [((0.0,), 1), ((0.0, 9.0), 2), ((0.0, 9.0, 30.0), 3)])
def test_the_criteria_find_clusters_that_are_there(centres, wanted):
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = np.concatenate([c + rng.uniform(-1, 1, 12) for c in centres])
        choice = partition.choose_k(x, 6, 100, seed)
        # the gap stops at the first k that suffices: three clusters may pass for two, never for one here
        hits += choice.gap == wanted or (wanted == 3 and choice.gap == 2)
        if wanted > 1:
            assert choice.silhouette in ((2,) if wanted == 2 else (2, 3))
    assert hits >= 18


def test_three_clusters_at_equal_distances_are_a_known_blind_spot_of_the_gap():
    x = np.concatenate([c + np.random.default_rng(1).uniform(-1, 1, 12) for c in (0.0, 9.0, 18.0)])
    choice = partition.choose_k(x, 6, 100, 1)
    assert (choice.silhouette, choice.gap) == (3, 1)
    assert choice.gaps.argmax() == 2


def test_gap_by_its_formula():
    x = np.random.default_rng(9).standard_normal(15)
    choice = partition.choose_k(x, 4, 50, 3)
    sets = np.random.default_rng(3).uniform(x.min(), x.max(), (50, 15))
    for k in range(1, 5):
        logs = np.log([brute(s, k) for s in sets[:50]])
        assert choice.gaps[k - 1] == pytest.approx(logs.mean() - np.log(brute(x, k)))
        assert choice.errors[k - 1] == pytest.approx(logs.std() * np.sqrt(1 + 1 / 50))


def test_order_of_units_plays_no_part():
    x = np.random.default_rng(10).lognormal(size=31)
    order = np.random.default_rng(11).permutation(31)
    assert np.array_equal(partition.classes(x, 3)[order], partition.classes(x[order], 3))


def test_refusals():
    with pytest.raises(ValueError, match="different values"):
        partition.classes([1.0, 1.0, 1.0], 2)
    with pytest.raises(ValueError, match="k_max"):
        partition.within([1.0, 2.0], 3)
    with pytest.raises(ValueError, match="at least two clusters"):
        partition.silhouette([1.0, 2.0], [0, 0])
    with pytest.raises(ValueError, match="more than 3 different"):
        partition.choose_k([1.0, 2.0, 3.0], 3, 10, 0)
    with pytest.raises(ValueError, match="same units"):
        partition.adjusted_rand([0, 1], [0, 1, 1])


def chosen(make):
    choices = [partition.choose_k(make(np.random.default_rng(r)), 6, 100, r) for r in range(60)]
    return np.mean([c.silhouette == 2 and not c.one_cluster for c in choices])


def test_two_classes_of_31_units_are_found_and_not_invented():
    """The criterion of WU-1.10: silhouette for k, gap statistic against one cluster."""
    assert chosen(lambda g: np.concatenate([g.normal(0, 0.2, 16), g.normal(1, 0.2, 15)])) > 0.9
    assert chosen(lambda g: np.concatenate([g.normal(0, 0.07, 16), g.normal(1, 0.2, 15)])) > 0.9
    assert chosen(lambda g: g.normal(size=31)) < 0.05
    assert chosen(lambda g: g.lognormal(0, 0.5, size=31)) < 0.08
    assert chosen(lambda g: g.uniform(size=31)) < 0.35
