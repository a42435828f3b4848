"""The frozen matrix: one validated path in, canonical order, standardisation, labels."""

from __future__ import annotations

import dataclasses
import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array, csr_array

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.weights import SpatialWeights

BASE = np.array([[0, 2, 0, 1], [1, 0, 3, 0], [0, 4, 0, 0], [5, 0, 1, 0]], dtype=float)
IDS = ["delta", "alpha", "charlie", "bravo"]


def _shuffled(ids: list, base: np.ndarray, seed: int) -> SpatialWeights:
    order = np.random.default_rng(seed).permutation(len(ids))
    return SpatialWeights(tuple(ids[k] for k in order), base[np.ix_(order, order)])


def test_any_order_gives_the_same_bits() -> None:
    first = SpatialWeights(IDS, BASE)
    assert first.ids == ("alpha", "bravo", "charlie", "delta")
    for seed in range(10):
        again = _shuffled(IDS, BASE, seed)
        assert again.checksum == first.checksum
        assert again == first and hash(again) == hash(first)
        np.testing.assert_array_equal(again.dense(), first.dense())


def test_order_of_provinces_is_by_adcode_in_every_language() -> None:
    w = nq.weights.contiguity()
    assert w.ids[:4] == ("Beijing", "Tianjin", "Hebei", "Shanxi") and w.ids[-1] == "Xinjiang"
    for names in ("zh", "adcode", "iso"):
        other = nq.weights.contiguity(names=names)
        assert other.ids[0] == {"zh": "北京", "adcode": 110000, "iso": "CN-BJ"}[names]
        assert other == w
        assert w.with_names(names).ids == other.ids and w.with_names(names) == w
        assert other.with_names("en").ids == w.ids


def test_other_labels_come_in_natural_order_however_they_are_typed() -> None:
    base = np.array([[0, 1, 0], [0, 0, 2], [3, 0, 0]])
    as_int = SpatialWeights([10, 9, 100], base)
    as_text = SpatialWeights(["10", "9", "100"], base)
    as_float = SpatialWeights(np.array([10.0, 9.0, 100.0]), base)
    assert as_int.ids == as_float.ids == (9, 10, 100) and as_text.ids == ("9", "10", "100")
    assert as_int == as_text == as_float
    assert SpatialWeights(["unit 10", "unit 9", "a"], base).ids == ("a", "unit 9", "unit 10")
    negative = SpatialWeights([-1, 2, 0], base)
    assert negative == SpatialWeights(["-1", "2", "0"], base) and negative.ids == (0, 2, -1)


def test_one_bit_changes_the_checksum() -> None:
    w = SpatialWeights(IDS, BASE, transform="none")
    changed = BASE.copy()
    changed[0, 1] = np.nextafter(2.0, 3.0)
    assert SpatialWeights(IDS, changed, transform="none") != w
    assert SpatialWeights(["delta", "alpha", "charlie", "brava"], BASE, transform="none") != w


def test_explicit_zeros_and_split_entries_do_not_matter() -> None:
    rows, columns = np.nonzero(np.ones((4, 4)))
    stored = coo_array((BASE[rows, columns], (rows, columns)), shape=(4, 4))
    halves = coo_array(
        (np.r_[BASE[rows, columns], BASE[rows, columns]] / 2, (np.r_[rows, rows], np.r_[columns, columns]))
    )
    assert SpatialWeights(IDS, stored) == SpatialWeights(IDS, BASE) == SpatialWeights(IDS, halves)
    assert SpatialWeights(IDS, stored).sparse.nnz == 7


def test_standardisations_against_their_definitions() -> None:
    w = SpatialWeights(IDS, BASE, order="given")
    np.testing.assert_allclose(w.dense(), BASE / BASE.sum(axis=1, keepdims=True), rtol=0, atol=1e-16)
    radius = np.abs(np.linalg.eigvals(BASE)).max()
    np.testing.assert_allclose(w.with_transform("spectral").dense(), BASE / radius, rtol=1e-14)
    smaller = min(BASE.sum(axis=1).max(), BASE.sum(axis=0).max())
    np.testing.assert_allclose(w.with_transform("minmax").dense(), BASE / smaller, rtol=1e-15)
    np.testing.assert_array_equal(w.with_transform("none").dense(), BASE)
    assert [w.with_transform(t).is_row_stochastic for t in ("row", "spectral", "minmax", "none")] == [True] + [
        False
    ] * 3


@pytest.mark.parametrize("transform", ["row", "spectral", "minmax", "none"])
def test_standardising_twice_changes_no_bit(transform: str) -> None:
    rng = np.random.default_rng(5)
    base = rng.random((40, 40))
    np.fill_diagonal(base, 0)
    once = SpatialWeights(range(40), base, transform=transform)
    assert SpatialWeights(once.ids, once.sparse, transform=transform) == once


def test_given_order_keeps_the_weights_bit_for_bit() -> None:
    w = nq.weights.inverse_distance(transform="spectral")
    order = list(reversed(w.ids))
    back = w.reorder(order)
    assert back.ids == tuple(order) and back == w
    np.testing.assert_array_equal(back.dense(), w.dense()[::-1, ::-1])
    np.testing.assert_array_equal(back.reorder(w.ids).dense(), w.dense())
    assert back.with_transform("row").ids == tuple(order)
    with pytest.raises(AlignmentError, match="missing from the order: Xinjiang"):
        w.reorder(w.ids[:-1])


def test_subset_is_standardised_anew_and_names_new_islands() -> None:
    w = nq.weights.contiguity()
    part = w.subset(["河北", "Beijing", 120000, "Shanxi"])
    assert part.ids == ("Beijing", "Tianjin", "Hebei", "Shanxi") and part.is_row_stochastic
    np.testing.assert_allclose(part.dense()[2], [1 / 3, 1 / 3, 0, 1 / 3])
    with pytest.raises(AlignmentError, match="Hainan"):
        w.subset(["Beijing", "Tianjin", "Hainan"])
    kept = w.subset(["Beijing", "Tianjin", "Hainan"], islands="keep")
    assert kept.islands == ("Hainan",) and not kept.dense()[2].any()
    with pytest.raises(AlignmentError, match="not in the weights: Texas"):
        w.subset(["Beijing", "Texas"])
    assert w.subset(w.ids, transform="none").transform == "none"


def test_arrays_and_fields_are_frozen() -> None:
    w = SpatialWeights(IDS, BASE)
    for array in (w.sparse.data, w.sparse.indices, w.base.data):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        w.name = "x"  # type: ignore[misc]
    w.dense()[0, 1] = 99  # a copy
    assert w == SpatialWeights(IDS, BASE)


def test_input_arrays_are_not_touched() -> None:
    base = csr_array(BASE)
    base.data.flags.writeable = True
    SpatialWeights(IDS, base)
    base.data[0] = 7.0  # still the caller's own, and writable
    assert base.data[0] == 7.0


def test_survives_pickling_for_parallel_work() -> None:
    w = nq.weights.registered("economic")
    again = pickle.loads(pickle.dumps(w))  # noqa: S301
    assert again == w and again.facts == w.facts and again.ids == w.ids


@pytest.mark.parametrize(
    ("ids", "base", "error", "message"),
    [
        (IDS[:3], BASE, AlignmentError, "4 rows, but there are 3 ids"),
        (IDS, BASE[:3], AlignmentError, r"square, got shape \(3, 4\)"),
        (IDS, BASE[0], AlignmentError, "two dimensions"),
        (["a", "b", "a", "c"], BASE, AlignmentError, "not unique.*: a"),
        (["a", 1, "1", "c"], BASE, AlignmentError, "not unique.*: 1"),
        (["a", None, "b", "c"], BASE, AlignmentError, "missing .* at positions 1"),
        (["a", float("nan"), "b", "c"], BASE, AlignmentError, "missing"),
        (["a", " ", "b", "c"], BASE, AlignmentError, "missing"),
        (["a", ["x"], "b", "c"], BASE, AlignmentError, "hashable"),
        ([], BASE, AlignmentError, "empty"),
        (["Beijing", "北京", "Hebei", "Shanxi"], BASE, AlignmentError, "same province: Beijing, 北京"),
        (IDS, np.where(BASE == 3, np.nan, BASE), ValueError, "1 not finite: alpha <- charlie: nan"),
        (IDS, np.where(BASE == 3, np.inf, BASE), ValueError, "not finite: alpha <- charlie: inf"),
        (IDS, np.where(BASE == 3, -3, BASE), ValueError, "negative: alpha <- charlie: -3"),
        (IDS, BASE + np.eye(4), ValueError, "own neighbours .*: delta, alpha"),
        (IDS, BASE.astype(complex), ValueError, "real numbers"),
        (IDS, BASE.astype(str), ValueError, "real numbers"),
        (IDS, np.where(np.arange(4)[:, None] == 2, 0, BASE), AlignmentError, "no neighbours: charlie"),
    ],
)
def test_defects_are_named(ids: list, base: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SpatialWeights(ids, base)


def test_unknown_words_list_the_allowed_ones() -> None:
    with pytest.raises(ValueError, match="'rows' is not known; choose one of row, spectral, minmax, none"):
        SpatialWeights(IDS, BASE, transform="rows")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'ignore' is not known; choose 'error' or 'keep'"):
        nq.weights.contiguity(islands="ignore")  # type: ignore[arg-type]


def test_scale_of_an_empty_or_nilpotent_matrix_is_refused() -> None:
    for base in (np.zeros((3, 3)), np.triu(np.ones((3, 3)), 1)):
        with pytest.raises(ValueError, match="scale of the matrix is zero"):
            SpatialWeights("abc", base, transform="spectral", islands_allowed=True)


def test_lag_by_label() -> None:
    w = nq.weights.contiguity()
    x = pd.Series(np.arange(31.0) ** 2, index=w.ids, name="x")
    expected = pd.Series(w.dense() @ x.to_numpy(), index=w.ids, name="x")
    pd.testing.assert_series_equal(w.lag(x), expected, rtol=1e-15)
    zh = x.rename(dict(zip(w.ids, w.with_names("zh").ids, strict=True)))
    np.testing.assert_array_equal(w.lag(zh).to_numpy(), w.lag(x).to_numpy())
    shuffled = x.sample(frac=1, random_state=3)
    pd.testing.assert_series_equal(w.lag(shuffled).reindex(w.ids), w.lag(x))


def test_lag_of_a_panel_goes_year_by_year() -> None:
    w = nq.weights.knn(4)
    panel = nq.load_panel(["gdp", "ln_broadband_pc"], years=(2015, 2017))
    lagged = w.lag(panel.sample(frac=1, random_state=0))
    assert set(lagged.index) == set(panel.index)
    for year in (2015, 2016, 2017):
        expected = w.dense() @ panel.xs(year, level="year").to_numpy()
        np.testing.assert_allclose(lagged.xs(year, level="year").loc[list(w.ids)], expected, rtol=1e-14)


def test_lag_refuses_what_it_cannot_align() -> None:
    w = nq.weights.contiguity()
    x = pd.Series(1.0, index=w.ids)
    with pytest.raises(AlignmentError, match="missing from the data: Xinjiang"):
        w.lag(x.iloc[:-1])
    with pytest.raises(AlignmentError, match="Hebei"):
        w.lag(x.where(x.index != "Hebei"))
    with pytest.raises(AlignmentError, match="not numbers"):
        w.lag(x.astype(str) + "x")
    with pytest.raises(AlignmentError, match="got ndarray"):
        w.lag(x.to_numpy())  # type: ignore[arg-type]
    with pytest.raises(AlignmentError, match=r"not unique.*: Beijing"):
        w.lag(pd.concat([x, x.iloc[:1]]))


def test_symmetry_is_judged_on_the_matrix_as_it_is() -> None:
    w = nq.weights.contiguity(transform="none")
    assert w.is_symmetric and not w.with_transform("row").is_symmetric
    assert w.with_transform("spectral").is_symmetric
    assert not nq.weights.knn(3, transform="none").is_symmetric


def test_names_are_for_provinces_only() -> None:
    with pytest.raises(AlignmentError, match="is for provinces"):
        SpatialWeights(IDS, BASE).with_names("zh")


def test_text_holds_what_matters_and_no_clock() -> None:
    w = nq.weights.contiguity()
    text = repr(w)
    assert "queen" in text and "31 units" in text and w.checksum[:12] in text and ":" not in text.split("1997")[0]
    assert len(w) == 31 and w.to_frame().loc["Hainan", "Guangdong"] == 1.0


def test_checksums_do_not_hang_on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sines and logarithms of other processors differ in their last bits; W must not."""
    names = ("inv_distance", "inv_distance_sq", "econ_geo_nested")
    before = [nq.weights.registered(name).checksum for name in names]
    digital = nq.load_panel()["ln_broadband_pc"].xs(2011, level="year")
    similar = nq.weights.similarity(digital, None).checksum
    sine = np.sin
    monkeypatch.setattr(np, "sin", lambda x: np.nextafter(sine(x), 2.0))
    assert [nq.weights.registered(name).checksum for name in names] == before
    assert nq.weights.similarity(digital * (1 + 2e-16), None).checksum == similar


def test_checksums_on_a_processor_without_vector_units() -> None:
    """Numpy takes other routines for powers and logarithms there."""
    vector_units = " ".join(np.__config__.show("dicts")["SIMD Extensions"].get("found", []))
    code = "import nqpf_spatial as nq; print(*(w.checksum for w in nq.weights.w7().values()))"
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": vector_units}
    plain = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert plain.stdout.split() == [w.checksum for w in nq.weights.w7().values()]


def test_checksum_of_the_baseline_matrix_is_pinned() -> None:
    # Ratios of small integers: the same bits on every machine.
    assert nq.weights.contiguity().checksum == "8524b7216cbbb0cba0a454fccd6089e99116b2596087339d1d2e2eaab41db805"
