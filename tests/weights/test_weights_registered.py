"""The seven matrices of the register, recomputed from the packaged tables with numpy alone."""

from __future__ import annotations

import numpy as np
import pytest

import nqpf_spatial as nq
from nqpf_spatial.provinces import PROVINCES

NAMES = ["queen", "inv_distance", "inv_distance_sq", "economic", "econ_geo_nested", "migration_flow", "digital"]


def _row(a: np.ndarray) -> np.ndarray:
    np.fill_diagonal(a, 0.0)
    return a / a.sum(axis=1, keepdims=True)


def _km() -> np.ndarray:
    lon, lat = np.radians([[p.lon, p.lat] for p in PROVINCES]).T
    cosine = np.sin(lat)[:, None] * np.sin(lat) + np.cos(lat)[:, None] * np.cos(lat) * np.cos(lon[:, None] - lon)
    d = 6371.0088 * np.arccos(np.clip(cosine, -1, 1))
    np.fill_diagonal(d, np.inf)
    return d


def _inverse_gap(m: np.ndarray) -> np.ndarray:
    gap = np.abs(m[:, None] - m)
    mean = np.mean([gap[i, j] for i in range(31) for j in range(i)])
    return 1 / np.maximum(gap, 0.05 * mean)


def _mean(variable: str, first: int, last: int) -> np.ndarray:
    wide = nq.load_panel([variable])[variable].unstack()
    return wide.loc[[p.name_en for p in PROVINCES], first:last].to_numpy().mean(axis=1)


def _expected(name: str) -> np.ndarray:
    if name == "queen":
        place = {p.name_en: k for k, p in enumerate(PROVINCES)}
        a = np.zeros((31, 31))
        for pair in nq.data.adjacency().itertuples():
            a[place[pair.province_i], place[pair.province_j]] = a[place[pair.province_j], place[pair.province_i]] = 1
        return _row(a)
    if name == "inv_distance":
        return _row(1 / _km())
    if name == "inv_distance_sq":
        return _row(1 / _km() ** 2)
    if name == "economic":
        return _row(_inverse_gap(_mean("gdp_real_pc", 2005, 2010)))
    if name == "econ_geo_nested":
        return _row(0.5 * _expected("inv_distance") + 0.5 * _expected("economic"))
    if name == "migration_flow":
        return _row(nq.load_flows("5yr_2010").to_numpy().T.copy())
    return _row(_inverse_gap(_mean("ln_broadband_pc", 2011, 2011)))


@pytest.mark.parametrize("name", NAMES)
def test_exactly_as_written_in_the_register(name: str) -> None:
    w = nq.weights.registered(name)
    # distances are rounded to the millimetre: 6e-9 of the shortest, squared
    np.testing.assert_allclose(w.dense(), _expected(name), rtol=1e-8, atol=1e-15)
    assert w.name == name and w.n == 31 and w.is_row_stochastic and w.islands == ()
    assert w.data_years is None or w.data_years[1] < 2012
    assert nq.weights.registered(name, names="zh") == w


def test_queen_has_sixty_nine_pairs() -> None:
    w = nq.weights.registered("queen")
    assert w.sparse.nnz == 2 * 69 and w.with_transform("none").is_symmetric


def test_the_set_has_the_names_and_the_order_of_the_register() -> None:
    assert list(nq.weights.w7()) == NAMES == list(nq.weights.REGISTERED)
    assert len({w.checksum for w in nq.weights.w7().values()}) == 7
    with pytest.raises(ValueError, match="'rook' is no matrix of the register; there are queen"):
        nq.weights.registered("rook")


def test_two_calls_give_the_same_bits() -> None:
    for name, w in nq.weights.w7().items():
        assert nq.weights.registered(name).checksum == w.checksum
