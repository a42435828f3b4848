"""Composite kernels against hand computation, the book example of TOPSIS, pymcdm and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest

from nqpf_spatial.errors import IdentificationError, PanelError
from nqpf_spatial.kernels import composite as kernels

X = np.array(
    [[3.1, 120, 8.2, 0.9], [2.4, 180, 6.1, 1.4], [5.0, 150, 7.7, 0.7],
     [4.2, 90, 9.6, 1.1], [3.6, 200, 5.0, 2.0], [2.9, 110, 6.9, 1.2]]
)  # fmt: skip
NEGATIVE = [False, False, False, True]


def test_minmax_by_hand():
    z = kernels.minmax(X, NEGATIVE)
    assert z[0, 0] == (3.1 - 2.4) / (5.0 - 2.4)
    assert z[0, 3] == (2.0 - 0.9) / (2.0 - 0.7)
    assert z.min() == 0.0 and z.max() == 1.0


def test_minmax_ignores_units_of_measurement():
    assert np.allclose(kernels.minmax(X * [2, 0.5, 1e6, 4] + [1, -7, 0, 3]), kernels.minmax(X), atol=1e-12)


def test_entropy_by_hand():
    z = np.array([[0.0, 0.2], [0.5, 0.2], [1.0, 0.6]])
    e1 = -(1 / 3 * np.log(1 / 3) + 2 / 3 * np.log(2 / 3)) / np.log(3)
    e2 = -(2 * 0.2 * np.log(0.2) + 0.6 * np.log(0.6)) / np.log(3)
    expected = np.array([1 - e1, 1 - e2]) / (2 - e1 - e2)
    assert kernels.entropy_weights(z) == pytest.approx(expected, abs=1e-15)


def test_entropy_against_pymcdm():
    # pymcdm 1.4.0, weights.entropy_weights on the raw (positive) matrix
    peer = [0.20447321, 0.2627288, 0.14661718, 0.38618082]
    assert kernels.entropy_weights(X) == pytest.approx(peer, abs=5e-9)


def test_entropy_needs_no_shift_of_zeros():
    """The limit 0 ln 0 = 0 is what ever smaller shifts tend to."""
    z = kernels.minmax(X, NEGATIVE)
    apart = [np.abs(kernels.entropy_weights(z + s) - kernels.entropy_weights(z)).max() for s in (1e-4, 1e-8)]
    assert apart[1] < 1e-6 < apart[0]


def test_an_even_column_has_no_entropy_weight():
    z = np.column_stack([np.full(5, 0.4), np.arange(5.0)])
    assert kernels.entropy_weights(z).tolist() == [0.0, 1.0]


def test_critic_against_pymcdm():
    # pymcdm 1.4.0, weights.critic_weights on the normalised matrix
    peer = [0.1905223, 0.4035928, 0.21227316, 0.19361174]
    assert kernels.critic_weights(kernels.minmax(X, NEGATIVE)) == pytest.approx(peer, abs=5e-9)


def test_critic_by_definition():
    z = kernels.minmax(X, NEGATIVE)
    information = z.std(axis=0, ddof=1) * (1 - np.corrcoef(z.T)).sum(axis=1)
    assert kernels.critic_weights(z) == pytest.approx(information / information.sum(), abs=1e-14)


def test_topsis_fighter_aircraft():
    """Hwang and Yoon (1981), ch. 3.6: vector normalisation, one cost, closeness to three digits."""
    craft = np.array(
        [[2.0, 1500, 20000, 5.5, 5, 9], [2.5, 2700, 18000, 6.5, 3, 5],
         [1.8, 2000, 21000, 4.5, 7, 7], [2.2, 1800, 20000, 5.0, 5, 5]]
    )  # fmt: skip
    r = craft / np.sqrt((craft**2).sum(axis=0)) * [1, 1, 1, -1, 1, 1]
    scores = kernels.topsis(r, [0.2, 0.1, 0.1, 0.1, 0.2, 0.3]).scores
    assert scores.round(3).tolist() == [0.643, 0.268, 0.614, 0.312]


def test_topsis_against_pymcdm():
    # pymcdm 1.4.0, methods.TOPSIS(minmax_normalization)
    peer = [0.48036726, 0.55287732, 0.61975656, 0.45407438, 0.52483044, 0.32889942]
    found = kernels.topsis(kernels.minmax(X, NEGATIVE), [0.1, 0.4, 0.3, 0.2]).scores
    assert found == pytest.approx(peer, abs=5e-9)


def test_first_component_against_statsmodels():
    from statsmodels.multivariate.pca import PCA

    rng = np.random.default_rng(2)
    data = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4))
    found = kernels.first_component(kernels.zscore(data))
    peer = PCA(data, standardize=True, normalize=False)
    assert np.abs(found.loadings) == pytest.approx(np.abs(peer.loadings[:, 0]), abs=1e-10)
    assert found.share == pytest.approx(peer.eigenvals[0] / peer.eigenvals.sum(), abs=1e-12)


def test_first_component_agrees_with_the_mean_of_indicators():
    data = np.random.default_rng(4).normal(size=(40, 3)) + np.arange(40)[:, None] / 20
    for sign in (1, -1):
        c = kernels.zscore(sign * data)
        assert np.corrcoef(kernels.first_component(c).scores, c.mean(axis=1))[0, 1] > 0


def test_first_component_of_opposites_has_a_stated_sign():
    c = kernels.zscore(np.column_stack([np.arange(6.0), -np.arange(6.0)]))
    found = kernels.first_component(c)
    assert abs(found.scores @ c.mean(axis=1)) < 1e-9
    assert found.loadings[np.argmax(np.abs(found.loadings))] > 0


def test_arbitrary_component_is_refused():
    square = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    with pytest.raises(IdentificationError, match="arbitrary"):
        kernels.first_component(square)


def test_obstacles_by_hand_and_sum():
    z, w = kernels.minmax(X, NEGATIVE), np.array([0.1, 0.4, 0.3, 0.2])
    o = kernels.obstacle_degrees(z, w)
    assert o.sum(axis=1) == pytest.approx(np.ones(6), abs=1e-14)
    gap = 0.1 * (1 - z[0, 0]) + 0.4 * (1 - z[0, 1]) + 0.3 * (1 - z[0, 2]) + 0.2 * (1 - z[0, 3])
    assert o[0, 1] == pytest.approx(0.4 * (1 - z[0, 1]) / gap, abs=1e-15)
    assert np.allclose(kernels.obstacle_degrees(z, 7 * w), o, atol=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernels.minmax([[1.0, 2.0], [1.0, 3.0]]), r"constant columns.*\[0\]"),
        (lambda: kernels.minmax([[np.nan, 2.0], [1.0, 3.0]]), r"missing or infinite.*\(0, 0\)"),
        (lambda: kernels.minmax([1.0, 2.0]), "array with n >= 2"),
        (lambda: kernels.minmax(X, [True]), "4 booleans"),
        (lambda: kernels.entropy_weights([[-0.1, 1.0], [0.3, 2.0]]), r"non-negative.*\[0\]"),
        (lambda: kernels.entropy_weights([[0.0, 1.0], [0.0, 2.0]]), r"\[0\] have no positive value"),
        (lambda: kernels.entropy_weights([[1.0, 2.0], [1.0, 2.0]]), "spread evenly"),
        (lambda: kernels.critic_weights([[1.0], [2.0]]), "at least two indicators"),
        (lambda: kernels.critic_weights([[1.0, 2.0], [2.0, 3.0]]), "perfectly correlated"),
        (lambda: kernels.topsis(X, [0.5, 0.5]), "4 non-negative numbers"),
        (lambda: kernels.topsis([[1.0, 2.0], [1.0, 2.0]], [0.5, 0.5]), "rows are equal"),
        (lambda: kernels.obstacle_degrees([[2.0], [0.0]], [1.0]), r"\[0, 1\]"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(PanelError, match=message):
        call()
