"""Markov kernels against giddy, mapclassify and hand-made chains."""

from __future__ import annotations

import mapclassify
import numpy as np
import pytest
from giddy.ergodic import steady_state
from giddy.markov import Markov
from giddy.mobility import markov_mobility

from nqpf_spatial.kernels import markov as kernel

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("k", [3, 4, 5])
def test_pooled_classes_are_those_of_mapclassify(k: int) -> None:
    values = RNG.lognormal(size=(31, 12))
    peer = mapclassify.Quantiles(values.ravel(), k=k)
    cut = kernel.quantile_cutoffs(values, k)
    np.testing.assert_allclose(cut, peer.bins[:-1])
    np.testing.assert_array_equal(kernel.classify(values, cut).ravel(), peer.yb)


def test_counts_probabilities_long_run_and_shorrocks_are_those_of_giddy() -> None:
    codes = RNG.integers(0, 4, size=(20, 15))
    peer = Markov(codes, summary=False)
    counts = kernel.transition_counts(codes[:, :-1].ravel(), codes[:, 1:].ravel(), 4)
    p = kernel.probabilities(counts)
    np.testing.assert_array_equal(counts, peer.transitions)
    np.testing.assert_allclose(p, peer.p)
    np.testing.assert_allclose(kernel.long_run(p).stationary[0], peer.steady_state, atol=1e-12)
    assert kernel.shorrocks(p) == pytest.approx(markov_mobility(p, measure="P"))


@pytest.mark.parametrize(
    ("p", "recurrent"),
    [
        ([[0.5, 0.25, 0.25], [0.5, 0.0, 0.5], [0.25, 0.25, 0.5]], ((0, 1, 2),)),  # Kemeny and Snell's Land of Oz
        ([[0.5, 0.5, 0.0], [0.2, 0.8, 0.0], [0.0, 0.0, 1.0]], ((0, 1), (2,))),
        ([[0.5, 0.5, 0.0], [0.2, 0.7, 0.1], [0.0, 0.0, 1.0]], ((2,),)),
        ([[0.0, 1.0], [1.0, 0.0]], ((0, 1),)),
    ],
)
def test_recurrent_sets_and_their_distributions(p: list[list[float]], recurrent: tuple) -> None:
    matrix = np.array(p)
    found = kernel.long_run(matrix)
    assert found.recurrent == recurrent
    np.testing.assert_allclose(found.stationary @ matrix, found.stationary, atol=1e-12)
    np.testing.assert_allclose(found.stationary.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.squeeze(found.stationary), np.squeeze(steady_state(matrix)), atol=1e-12)


def test_shorrocks_at_its_ends() -> None:
    assert kernel.shorrocks(np.eye(4)) == 0.0
    assert kernel.shorrocks(np.full((4, 4), 0.25)) == pytest.approx(1.0)


def test_a_class_without_departures_has_no_probabilities() -> None:
    p = kernel.probabilities(np.array([[2.0, 1.0], [0.0, 0.0]]))
    assert np.isnan(p[1]).all() and p[0].tolist() == pytest.approx([2 / 3, 1 / 3])
