"""Blocks and the computing hubs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial import provinces
from nqpf_spatial.errors import AlignmentError

EAST_HUBS = {"Beijing", "Tianjin", "Hebei", "Shanghai", "Jiangsu", "Zhejiang", "Anhui", "Guangdong"}
WEST_HUBS = {"Inner Mongolia", "Chongqing", "Sichuan", "Guizhou", "Gansu", "Ningxia"}


@pytest.mark.parametrize("scheme", ["block", "north_south", "hub", "cluster"])
def test_blocks_against_libpysal(scheme: str) -> None:
    from libpysal.graph import Graph

    w = nq.weights.block(scheme, transform="none")
    member = pd.Series({p.name_en: provinces.group_of(p, scheme) for p in provinces.PROVINCES})
    peer = Graph.build_block_contiguity(member)
    order = [list(peer.unique_ids).index(x) for x in w.ids]
    np.testing.assert_array_equal(w.dense(), peer.sparse.toarray()[np.ix_(order, order)])
    between = nq.weights.block(scheme, between=True, transform="none")
    np.testing.assert_array_equal(w.dense() + between.dense() + np.eye(31), np.ones((31, 31)))


def test_groups_of_other_units() -> None:
    w = nq.weights.block(pd.Series({"x": 1, "y": 2, "z": 1, "u": 2}), transform="none")
    assert w.to_frame().loc["x"].to_dict() == {"u": 0, "x": 0, "y": 0, "z": 1}
    with pytest.raises(AlignmentError, match="no neighbours: y"):
        nq.weights.block(pd.Series({"x": 1, "y": 2, "z": 1}))
    with pytest.raises(AlignmentError, match="belong to no group: y"):
        nq.weights.block(pd.Series({"x": "p", "y": None, "z": "p"}))
    with pytest.raises(ValueError, match="'blok' is not a grouping"):
        nq.weights.block("blok")  # type: ignore[arg-type]


def test_hub_provinces_are_those_of_the_register() -> None:
    w = nq.weights.compute_network("hubs", outside="none", islands="keep", transform="none")
    linked = {x for x in w.ids if x not in w.islands}
    assert linked == EAST_HUBS | WEST_HUBS == {p.name_en for p in provinces.PROVINCES if p.hub}
    assert w.is_symmetric and w.sparse.nnz == 14 * 13
    narrow = nq.weights.compute_network("hubs", narrow=True, outside="none", islands="keep", transform="none")
    assert {x for x in narrow.ids if x not in narrow.islands} == {p.name_en for p in provinces.PROVINCES if p.cluster}


def test_eastern_demand_meets_western_hubs() -> None:
    w = nq.weights.compute_network("east_west", outside="none", islands="keep", transform="none").to_frame()
    rows = {x for x in w.index if w.loc[x].any()}
    columns = {x for x in w.columns if w[x].any()}
    assert (rows, columns) == (EAST_HUBS, WEST_HUBS) and w.to_numpy().sum() == 8 * 6
    supply = nq.weights.compute_network(
        "east_west", "supply", outside="none", islands="keep", transform="none"
    ).to_frame()
    pd.testing.assert_frame_equal(supply, w.T)
    both = nq.weights.compute_network("east_west", "both", outside="none", islands="keep", transform="none")
    np.testing.assert_array_equal(both.dense(), (w + w.T).to_numpy())
    assert both.rho_interval()[0] == pytest.approx(-1 / np.sqrt(48))  # complete bipartite 8 x 6


def test_outsiders_look_at_the_nearest_hub() -> None:
    w = nq.weights.compute_network(transform="none")
    table = w.to_frame()
    assert w.islands == () and table.loc["Xinjiang"].sum() == table.loc["Heilongjiang"].sum() == 1
    assert table.loc["Heilongjiang", "Beijing"] == 1 == table.loc["Hainan", "Guangdong"]
    assert not table["Hainan"].any() and table.loc["Beijing"].sum() == 13  # one way: hubs do not look back
    km = 1 / nq.weights.inverse_distance(transform="none").to_frame()
    for unit in table.index.difference(EAST_HUBS | WEST_HUBS):
        assert table.loc[unit].idxmax() == km.loc[unit, list(EAST_HUBS | WEST_HUBS)].idxmin()
    assert "17 other provinces" in w.report().loc["outside", "value"]
    demand = nq.weights.compute_network("east_west", islands="keep", transform="none").to_frame()
    assert demand.loc["Fujian"].idxmax() in WEST_HUBS and not demand.loc["Guizhou"].any()


def test_empty_rows_are_an_error_unless_kept_or_combined() -> None:
    with pytest.raises(AlignmentError, match="17 of 31 units have no neighbours"):
        nq.weights.compute_network(outside="none")
    with pytest.raises(AlignmentError, match="6 of 31 units have no neighbours: Inner Mongolia"):
        nq.weights.compute_network("east_west")
    network = nq.weights.compute_network(outside="none", islands="keep")
    both = nq.weights.combine([nq.weights.contiguity(), network], [0.5, 0.5])
    assert both.islands == () and both.is_row_stochastic
    for word, kind in (("links", "ring"), ("direction", "up"), ("outside", "far")):
        with pytest.raises(ValueError, match=f"'{kind}' is not known"):
            nq.weights.compute_network(**{word: kind})
