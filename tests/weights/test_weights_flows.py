"""Flows: census migration against its marginals, origin-destination tables, gravity, travel cost."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError, DataBreakWarning, DataSourceError, EndogeneityWarning

OD = pd.DataFrame({"a": [0, 1, 2], "b": [10, 0, 3], "c": [20, 4, 0]}, index=["a", "b", "c"])  # rows: origins


@pytest.mark.parametrize("matrix", ["5yr_2000", "5yr_2005", "5yr_2010", "5yr_2015", "5yr_2020", "birthplace_2010"])
def test_migration_reproduces_the_census_marginals(matrix: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataBreakWarning)
        table = nq.load_flows(matrix)
        inward, outward, gross = (nq.weights.migration(matrix, d, transform="none") for d in ("in", "out", "gross"))
    assert table.to_numpy().sum() == nq.data.flows_index().loc[matrix, "persons_tabulated"]
    arrivals, departures = table.sum(axis=0), table.sum(axis=1)
    np.testing.assert_array_equal(inward.to_frame().sum(axis=1), arrivals)  # row sums: who came to i
    np.testing.assert_array_equal(inward.to_frame().sum(axis=0), departures)
    np.testing.assert_array_equal(outward.to_frame().sum(axis=1), departures)
    np.testing.assert_array_equal(gross.to_frame().sum(axis=1), arrivals + departures)
    np.testing.assert_array_equal(inward.dense().T, outward.dense())
    assert gross.is_symmetric and not inward.is_symmetric


def test_direction_of_the_register() -> None:
    """Persons living in i who lived in j: row Guangdong, column Hunan is the flow from Hunan to Guangdong."""
    flow = nq.load_flows("5yr_2010").loc["Hunan", "Guangdong"]
    w = nq.weights.migration("5yr_2010", "in", transform="none").to_frame()
    assert w.loc["Guangdong", "Hunan"] == flow > w.loc["Hunan", "Guangdong"]


def test_expansion_changes_the_level_only() -> None:
    plain, expanded = (nq.weights.migration("5yr_2015", expanded=e, transform="none") for e in (False, True))
    np.testing.assert_allclose(expanded.dense(), plain.dense() * 64.5161, rtol=1e-12)
    np.testing.assert_allclose(expanded.with_transform("row").dense(), plain.with_transform("row").dense(), rtol=1e-13)


def test_the_experimental_matrix_warns_and_zero_flows_are_counted() -> None:
    with pytest.warns(DataBreakWarning, match="experimental"):
        w = nq.weights.migration("5yr_2005")
    zero = int((_quiet("5yr_2005").to_numpy() == 0).sum()) - 31
    assert zero == 15
    assert w.report().loc["zero flows", "value"] == f"{zero} ordered pairs"
    assert "no link where nobody moved" in w.report().loc["zero flows", "flag"]
    assert nq.weights.migration().report().loc["zero flows", "flag"] == ""
    with pytest.raises(DataSourceError, match="5yr_2011"):
        nq.weights.migration("5yr_2011")


def _quiet(name: str) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nq.load_flows(name)


def test_a_stock_reaches_up_to_its_census() -> None:
    assert nq.weights.migration("birthplace_2010").data_years == (2010, 2010)
    with pytest.warns(EndogeneityWarning, match="2010-2010"):
        nq.weights.migration("birthplace_2010", sample_start=2010)


def test_any_table() -> None:
    inward = nq.weights.flows(OD, "in", transform="none").to_frame()
    assert inward.loc["b"].tolist() == [10, 0, 3] and inward.loc["c"].tolist() == [20, 4, 0]
    assert nq.weights.flows(OD, "out", transform="none").dense().tolist() == OD.to_numpy().tolist()
    assert nq.weights.flows(OD, "gross", transform="none").dense()[0].tolist() == [0, 11, 22]
    long = OD.stack().loc[lambda s: s > 0]
    assert nq.weights.flows(long, "in") == nq.weights.flows(OD, "in")
    with pytest.raises(ValueError, match="'net' is not known"):
        nq.weights.flows(OD, "net")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="own neighbours"):
        nq.weights.flows(OD + np.eye(3, dtype=int))
    assert nq.weights.flows(OD + np.eye(3, dtype=int), diagonal="drop") == nq.weights.flows(OD)
    with pytest.raises(ValueError, match="negative"):
        nq.weights.flows(OD - 2)


def test_gravity_by_hand() -> None:
    mass = pd.Series({"A": 1.0, "B": 2.0, "C": 4.0})
    where = pd.DataFrame({"lon": [0.0, 1.0, 3.0], "lat": [0.0, 0.0, 0.0]}, index=["A", "B", "C"])
    km = round(6371.0088 * np.pi / 180, 6)
    w = nq.weights.gravity(mass, None, points=where, transform="none").to_frame()
    assert w.loc["A", "B"] == pytest.approx(1 * 2 / km**2, rel=1e-12)
    assert w.loc["B", "C"] == pytest.approx(2 * 4 / (2 * km) ** 2, rel=1e-8)
    odd = nq.weights.gravity(mass, None, power=1, exponents=(0.5, 2), points=where, transform="none").to_frame()
    assert odd.loc["C", "A"] == pytest.approx(4**0.5 * 1 / (3 * km), rel=1e-8)
    with pytest.raises(ValueError, match="must be positive; not so for A"):
        nq.weights.gravity(mass - 1, None, points=where)
    with pytest.raises(AlignmentError, match=r"only in points: .*only in values: A, B, C"):
        nq.weights.gravity(mass, None)


def test_own_mass_cancels_under_row_standardisation() -> None:
    gravity = nq.weights.gravity("gdp_real", (2005, 2010))
    asymmetric = nq.weights.asymmetric_economic("gdp_real", (2005, 2010))
    np.testing.assert_allclose(gravity.dense(), asymmetric.dense(), rtol=1e-12)


HOURS = pd.DataFrame([[0, 2, 4], [1, 0, 5], [4, 5, 0.0]], index=list("abc"), columns=list("abc"))


def test_travel_cost() -> None:
    w = nq.weights.travel_cost(HOURS, transform="none").to_frame()
    assert w.loc["a", "b"] == 0.5 and w.loc["b", "a"] == 1.0
    assert nq.weights.travel_cost(HOURS, power=2, transform="none").dense()[0, 2] == 1 / 16
    decay = nq.weights.travel_cost(HOURS, form="exponential", scale=2.0, transform="none").dense()
    assert decay[1, 2] == pytest.approx(np.exp(-2.5))
    for how, value in (("mean", 1.5), ("min", 1.0), ("max", 2.0)):
        both = nq.weights.travel_cost(HOURS, symmetrise=how, transform="none")
        assert both.is_symmetric and both.dense()[0, 1] == 1 / value
    assert nq.weights.travel_cost(HOURS, cutoff=4, transform="none").sparse.nnz == 4


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (("a", "b", 0.0), {}, ValueError, "a -> b: 0"),
        (("a", "b", np.nan), {}, ValueError, "a -> b: nan"),
        (("c", "a", -1.0), {}, ValueError, "c -> a: -1"),
        (None, {"power": 0}, ValueError, "must be positive"),
        (None, {"form": "linear"}, ValueError, "'linear' is not known"),
        (None, {"form": "exponential"}, ValueError, "needs a positive scale"),
        (None, {"symmetrise": "median"}, ValueError, "'median' is not known"),
        (None, {"cutoff": 1.5}, AlignmentError, "no neighbours: a, c"),
    ],
)
def test_travel_cost_defects(change, options: dict, error: type[Exception], message: str) -> None:
    table = HOURS.copy()
    if change is not None:
        table.loc[change[0], change[1]] = change[2]
    with pytest.raises(error, match=message):
        nq.weights.travel_cost(table, **options)


def test_a_long_table_of_costs_must_hold_every_pair() -> None:
    pairs = HOURS.stack().loc[lambda s: s > 0]
    assert nq.weights.travel_cost(pairs) == nq.weights.travel_cost(HOURS)
    with pytest.raises(ValueError, match="1 pairs have no positive finite cost: c -> b"):
        nq.weights.travel_cost(pairs.iloc[:-1])


def test_costs_within_a_unit_are_dropped_only_when_asked() -> None:
    within = HOURS.astype(float)
    within.loc["b", "b"] = 0.7
    with pytest.raises(ValueError, match=r"1 units have a cost within themselves: b 0\.7.*diagonal='drop'"):
        nq.weights.travel_cost(within)
    assert nq.weights.travel_cost(within, diagonal="drop") == nq.weights.travel_cost(HOURS)
    blank = HOURS.astype(float)
    blank.loc["b", "b"] = np.nan
    assert nq.weights.travel_cost(blank) == nq.weights.travel_cost(HOURS)
    with pytest.raises(ValueError, match="diagonal='keep' is not known"):
        nq.weights.travel_cost(within, diagonal="keep")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="power='1' must be a number"):
        nq.weights.travel_cost(HOURS, "1")  # type: ignore[arg-type]
