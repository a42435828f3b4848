"""Combinations, products, unions, sequences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError


@pytest.fixture
def queen() -> nq.weights.SpatialWeights:
    return nq.weights.contiguity()


@pytest.fixture
def near() -> nq.weights.SpatialWeights:
    return nq.weights.inverse_distance()


def test_convex_combination_by_hand(queen, near) -> None:
    w = nq.weights.combine([queen, near], [0.3, 0.7])
    np.testing.assert_allclose(w.dense(), 0.3 * queen.dense() + 0.7 * near.dense(), atol=1e-16)
    raw = nq.weights.combine([queen, near], [0.5, 0.5], standardise_first="none", transform="none")
    np.testing.assert_allclose(raw.dense(), (queen.base.toarray() + near.base.toarray()) / 2, atol=1e-16)
    spectral = nq.weights.combine([queen, near], [0.5, 0.5], standardise_first="spectral", transform="none")
    parts = [w.with_transform("spectral").dense() for w in (queen, near)]
    np.testing.assert_allclose(spectral.dense(), sum(parts) / 2, atol=1e-16)


def test_order_and_language_of_the_parts_do_not_matter(queen, near) -> None:
    expected = nq.weights.combine([queen, near], [0.3, 0.7])
    zh = near.with_names("zh").reorder(near.with_names("zh").ids[::-1])
    assert nq.weights.combine([queen, zh], [0.3, 0.7]) == expected
    assert nq.weights.combine([queen.reorder(queen.ids[::-1]), near], [0.3, 0.7]) == expected


@pytest.mark.parametrize("shares", [[0.5], [0.5, 0.6], [1.5, -0.5], [1.0, 0.0], [float("nan"), 0.5]])
def test_shares_must_be_convex(queen, near, shares: list[float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        nq.weights.combine([queen, near], shares)


def test_nested(queen, near) -> None:
    economy = nq.weights.economic()
    total = nq.weights.nested(near, economy, share=0.25)
    np.testing.assert_allclose(total.dense(), 0.25 * near.dense() + 0.75 * economy.dense(), atol=1e-16)
    masked = nq.weights.nested(queen, economy, how="product", transform="none")
    np.testing.assert_allclose(masked.dense(), queen.base.toarray() * economy.base.toarray())
    assert total.data_years == masked.data_years == (2005, 2010) and "Qu and Lee" in total.note
    for bad in (0, 1, -0.2):
        with pytest.raises(ValueError, match="strictly between"):
            nq.weights.nested(near, economy, share=bad)
    with pytest.raises(ValueError, match="'mean' is not known"):
        nq.weights.nested(near, economy, how="mean")  # type: ignore[arg-type]


def test_product_and_union(queen, near) -> None:
    knn = nq.weights.knn(3)
    both = nq.weights.product([queen, knn], transform="none", islands="keep")
    np.testing.assert_array_equal(both.dense(), queen.base.toarray() * knn.base.toarray())
    either = nq.weights.union([queen, knn], transform="none")
    np.testing.assert_array_equal(either.dense(), np.maximum(queen.base.toarray(), knn.base.toarray()))


def test_units_must_be_the_same(queen) -> None:
    with pytest.raises(AlignmentError, match=r"queen and queen are not over the same units.*Hainan"):
        nq.weights.union([queen, nq.weights.contiguity(hainan="drop")])
    with pytest.raises(ValueError, match="at least two"):
        nq.weights.union([queen])
    with pytest.raises(TypeError, match="is a ndarray; turn it into labelled weights"):
        nq.weights.union([queen, queen.dense()])


def test_sequence(queen, near) -> None:
    zh = near.with_names("zh")
    s = nq.weights.sequence({2014: zh, 2012: queen, 2013: near.reorder(near.ids[::-1])})
    assert s.years == (2012, 2013, 2014) and s.ids == queen.ids and len(s) == 3
    assert all(w.ids == queen.ids for w in s.values())
    assert s[2013] == s[2014] == near and 2012 in s and 2020 not in s
    np.testing.assert_array_equal(s[2013].dense(), near.dense())
    with pytest.raises(KeyError, match="no weights for 2020; there are 2012, 2013, 2014"):
        s[2020]
    with pytest.raises(AttributeError, match="immutable"):
        s.years2 = 1
    with pytest.raises(TypeError):
        s[2012] = near  # type: ignore[index]
    assert s.with_transform("none")[2012].transform == "none"
    assert s.subset(["Beijing", "Tianjin", "Hebei"])[2012].n == 3
    assert list(s.report().columns) == [2012, 2013, 2014] and "3 periods 2012..2014" in repr(s)
    with pytest.raises(AlignmentError, match="Hainan"):
        nq.weights.sequence({1: queen, 2: nq.weights.contiguity(hainan="drop")})
    with pytest.raises(ValueError, match="at least one period"):
        nq.weights.sequence({})


def test_a_sequence_says_what_it_is_and_carries_forward_only_when_asked() -> None:
    early, late = nq.weights.contiguity(), nq.weights.knn(4)
    s = nq.weights.sequence({2010: early, 2020: late})
    assert s.at(2010) == s.at(2019) == early and s.at(2020) == s.at(2031) == late
    with pytest.raises(KeyError, match=r"no weights for 2015; there are 2010, 2020; .at\(2015\) takes"):
        s[2015]
    with pytest.raises(KeyError, match="no weights for 2005; there are 2010, 2020'"):
        s[2005]
    with pytest.raises(KeyError, match="no weights for 2005 or before; there are 2010, 2020"):
        s.at(2005)
    for many in (s, {2010: early, 2020: late}):
        with pytest.raises(TypeError, match=r"one W per year \(2010, 2020\).*nq\.weights\.sequence.*\[2010\]"):
            nq.weights.from_any(many)


def test_matrices_over_other_units_name_what_is_apart() -> None:
    w = nq.weights.contiguity()
    with pytest.raises(
        AlignmentError, match=r"only in queen: Hainan\. Take both among the units they share: w\.subset"
    ):
        nq.weights.combine([nq.weights.contiguity(hainan="drop").renamed("thirty"), w], [0.5, 0.5])
    some = pd.Series(1.0, index=list(w.ids[:-1]))
    with pytest.raises(AlignmentError, match=r"missing from the data: Xinjiang\. To use the weights among fewer units"):
        w.lag(some)
