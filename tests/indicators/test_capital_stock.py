"""Capital stocks: packaged variables, hand computation, what is observed and what is estimated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError, PanelError


def series(values, units=("Beijing", "Hebei"), first=2001):
    """Rows of years x units as a Series (province, year)."""
    values = np.asarray(values, dtype=float)
    index = pd.MultiIndex.from_product([units, range(first, first + len(values))], names=["province", "year"])
    return pd.Series(values.T.ravel(), index=index)


FLOW = series([[10, 5], [11, 6], [12, 6], [13, 7]])
PRICE = series([[100, 100], [110, 100], [100, 102], [95, 101]])
SHORT = {"base_year": 2002, "growth_window": (2001, 2004)}


@pytest.fixture(scope="module")
def release():
    p = nq.load_panel(["gfcf", "fai_price_index", "rpi", "fai_growth", "capital_stock", "capital_stock_est"])
    price = p["fai_price_index"].copy()
    price.loc["Tibet"] = p["rpi"].loc["Tibet"].to_numpy()
    return p, price


def test_packaged_stock_is_reproduced(release):
    p, price = release
    k = nq.indicators.capital_stock(p["gfcf"], price, start=2001)
    expected = p["capital_stock"].dropna()
    assert k.table["capital_stock"].reindex(expected.index).to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12)
    assert set(k.table["status"]) == {"observed"} and "capital_stock_est" not in k.table


def test_packaged_estimate_is_reproduced_and_marked(release):
    p, price = release
    k = nq.indicators.capital_stock(p["gfcf"], price, start=2001, bridge_growth=p["fai_growth"], bridge_price=p["rpi"])
    expected = p["capital_stock_est"].dropna()
    assert k.table["capital_stock_est"].reindex(expected.index).to_numpy() == pytest.approx(
        expected.to_numpy(), rel=1e-12
    )
    by = k.table["status"].groupby(level="year").unique().str.join("")
    assert by.loc[:2017].eq("observed").all() and by.loc[2018:].eq("estimated").all()
    assert k.table.loc[k.table["status"] == "estimated", "capital_stock"].isna().all()
    assert k.table.loc[k.table["status"] == "observed", "capital_stock"].notna().all()
    assert "ESTIMATED years 2018-2022" in repr(k)


def test_tibet_s_missing_price_index_is_seen(release):
    with pytest.raises(PanelError, match="price_index has no year with all units; without any value: Tibet"):
        nq.indicators.capital_stock(release[0]["gfcf"], release[0]["fai_price_index"], start=2001)


def test_by_hand():
    k = nq.indicators.capital_stock(FLOW, PRICE, 0.1, **SHORT)
    level = {2001: 1 / 1.1, 2002: 1.0, 2003: 1.0, 2004: 0.95}
    real = {t: v / level[t] for t, v in zip(level, (10, 11, 12, 13), strict=True)}
    g = np.log(real[2004] / real[2001]) / 3
    stock = real[2001] / (g + 0.1)
    assert k.initial["Beijing"] == pytest.approx(stock)
    for t in level:
        stock = 0.9 * stock + real[t]
        row = k.table.loc[("Beijing", t)]
        assert row["price"] == pytest.approx(level[t]) and row["investment_real"] == pytest.approx(real[t])
        assert row["capital_stock"] == pytest.approx(stock)
    assert k.growth["Beijing"] == pytest.approx(g)


def test_initial_stock_and_rates_per_unit():
    k = nq.indicators.capital_stock(
        FLOW, PRICE, {"Beijing": 0.1, "Hebei": 0.05}, initial={"Hebei": 40.0, "Beijing": 80.0}, base_year=2001
    )
    assert k.growth is None
    assert k.table.loc[("Beijing", 2001), "capital_stock"] == pytest.approx(0.9 * 80 + 10)
    assert k.table.loc[("Hebei", 2001), "capital_stock"] == pytest.approx(0.95 * 40 + 5)
    left = k.initial_share.loc[2004, "Beijing"]
    assert left == pytest.approx(80 * 0.9**4 / k.table.loc[("Beijing", 2004), "capital_stock"])


def test_base_year_only_changes_the_unit():
    a = nq.indicators.capital_stock(FLOW, PRICE, 0.1, base_year=2002, growth_window=(2001, 2004)).table
    b = nq.indicators.capital_stock(FLOW, PRICE, 0.1, base_year=2004, growth_window=(2001, 2004)).table
    ratio = (a["capital_stock"] / b["capital_stock"]).unstack(level=0)
    assert ratio.std().to_numpy() == pytest.approx([0, 0], abs=1e-12)
    assert ratio["Hebei"].iloc[0] == pytest.approx(1 / (1.02 * 1.01))


def test_order_of_rows_does_not_matter():
    a = nq.indicators.capital_stock(FLOW, PRICE, **SHORT).table
    b = nq.indicators.capital_stock(FLOW.iloc[::-1], PRICE.sample(frac=1, random_state=0), **SHORT).table
    pd.testing.assert_frame_equal(a, b, check_exact=True)


def test_a_bridged_year_marks_all_later_ones():
    more = series([[20, 20], [21, 21]], first=2005)
    growth = series([[10.0, 0.0], [5.0, -10.0]], first=2005)
    price = series([[101.0, 100.0]], first=2005)
    k = nq.indicators.capital_stock(
        FLOW,
        PRICE,
        0.1,
        bridge_growth=growth,
        bridge_price=pd.concat([price, more.loc[(slice(None), [2006])] * 5]),
        **SHORT,
    )
    assert k.table.loc["Beijing", "status"].tolist() == ["observed"] * 4 + ["estimated"] * 2
    assert k.table.loc[("Beijing", 2005), "investment_real"] == pytest.approx(13 * 1.1 / (0.95 * 1.01))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"investment": FLOW.drop(("Hebei", 2003))}, PanelError, "investment 2001-2004 has 1 cells.*Hebei 2003"),
        ({"investment": FLOW.mask(FLOW == 12.0, 0.0)}, PanelError, "not positive: Beijing 2003"),
        ({"price_index": PRICE.drop(("Hebei", 2003))}, PanelError, "price_index 2002-2004.*Hebei 2003"),
        ({"price_index": PRICE.drop("Hebei")}, AlignmentError, "only in one: Hebei"),
        ({"growth_window": (1999, 2003)}, PanelError, r"growth_window=\(1999, 2003\)"),
        ({"depreciation": {"Beijing": 0.1}}, AlignmentError, "depreciation needs one.*Hebei"),
        ({"depreciation": 1.5}, PanelError, "depreciation must lie"),
        ({"initial": {"Beijing": -1.0, "Hebei": 1.0}}, AlignmentError, "initial needs one non-negative"),
        ({"investment": FLOW.droplevel("year").groupby(level=0).first()}, PanelError, r"indexed by \(unit, year\)"),
        ({"investment": pd.concat([FLOW, FLOW])}, PanelError, "repeated cells"),
    ],
)
def test_errors_name_what_is_wrong(change, error, message):
    arguments = {"investment": FLOW, "price_index": PRICE, "depreciation": 0.1, **SHORT, **change}
    with pytest.raises(error, match=message):
        nq.indicators.capital_stock(**arguments)


@pytest.mark.parametrize("base_year", [2002, 2004])
def test_a_gap_in_the_last_year_of_prices_does_not_shorten_the_stock(base_year):
    price = PRICE.drop(("Beijing", 2004))
    with pytest.raises(PanelError, match=r"price_index 2002-2004 has 1 cells.*: Beijing 2004"):
        nq.indicators.capital_stock(FLOW, price, 0.1, base_year=base_year, growth_window=(2001, 2003))
    with pytest.raises(PanelError, match=r"investment 2001-2004 has 1 cells.*: Hebei 2004"):
        nq.indicators.capital_stock(FLOW.drop(("Hebei", 2004)), PRICE, 0.1, base_year=base_year)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p / 100, r"its median is 1\.0.*multiplied by 100"),
        (lambda p: p - 100, "growth rate in percent gets 100 added"),
        (lambda p: p * 4, "must be an index with the preceding year = 100"),
    ],
)
def test_price_index_in_another_scale(release, change, message):
    p, price = release
    with pytest.raises(PanelError, match=message):
        nq.indicators.capital_stock(p["gfcf"], change(price), start=2001)
    with pytest.raises(PanelError, match="bridge_price must be an index"):
        nq.indicators.capital_stock(p["gfcf"], price, start=2001, bridge_price=change(p["rpi"]))


def test_price_index_that_is_a_level():
    flow = series(np.linspace([10, 5], [19, 9], 8))
    level = series(100 * np.cumprod([[1, 1], *[[1.03, 1.02]] * 7], axis=0))
    with pytest.raises(PanelError, match="level with 2001 = 100"):
        nq.indicators.capital_stock(flow, level, base_year=2002)
    yearly = 100 * level / level.groupby(level=0).shift()
    k = nq.indicators.capital_stock(flow, yearly, base_year=2002)
    assert k.table["price"].xs("Beijing").loc[2008] == pytest.approx(1.03**6)
    steady = series(np.full((8, 2), 100.0))  # prices that never change are no level
    assert (nq.indicators.capital_stock(flow, steady, base_year=2002).table["price"] == 1).all()


def test_a_unit_without_price_index_is_told_the_substitute(release):
    p, _ = release
    with pytest.raises(PanelError, match=r"without any value: Tibet\. .*panel\['rpi'\]\.loc\['Tibet'\]"):
        nq.indicators.capital_stock(p["gfcf"], p["fai_price_index"], start=2001)
