"""The Shapley value against all orders of arrival."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nqpf_spatial.kernels import shapley as kernel


@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_parts_are_means_over_all_orders_of_arrival(m: int) -> None:
    v = np.random.default_rng(m).normal(size=2**m)
    expected = np.zeros(m)
    orders = list(itertools.permutations(range(m)))
    for order in orders:
        coalition = 0
        for player in order:
            expected[player] += v[coalition | 1 << player] - v[coalition]
            coalition |= 1 << player
    np.testing.assert_allclose(kernel.shapley(v), expected / len(orders), atol=1e-13)
    assert kernel.shapley(v).sum() == pytest.approx(v[-1] - v[0], abs=1e-13)


def test_axioms_and_shapes() -> None:
    v = np.random.default_rng(0).normal(size=(3, 4, 8))
    dummy = np.concatenate([v, v], axis=-1)  # a fourth player who changes nothing
    parts = kernel.shapley(dummy)
    np.testing.assert_allclose(parts[..., 3], 0.0, atol=1e-15)
    np.testing.assert_allclose(parts[..., :3], kernel.shapley(v), atol=1e-14)
    present = kernel.members(3)
    worth = np.array([0.5, -2.0, 4.0])
    np.testing.assert_allclose(kernel.shapley(present @ worth), worth, atol=1e-14)
    with pytest.raises(ValueError, match="no power of two"):
        kernel.shapley(np.ones(6))
