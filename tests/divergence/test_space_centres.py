"""Centre of gravity and standard deviational ellipse over time."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.divergence import space
from nqpf_spatial.errors import AlignmentError, PanelError
from nqpf_spatial.kernels.geo import great_circle


@pytest.fixture(scope="module")
def people():
    return nq.load_panel(["population"], years=(2011, 2020))["population"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def square(weights, times=(2000, 2001)):
    """Four towns on a square degree at the equator, with weights per time."""
    index = pd.MultiIndex.from_product([["t1", "t2", "t3", "t4"], times], names=["town", "year"])
    data = pd.Series(np.array(weights, dtype=float).T.ravel(), index=index, name="people")
    points = pd.DataFrame({"lon": [0, 1, 0, 1], "lat": [0, 0, 1, 1]}, index=["t1", "t2", "t3", "t4"])
    return data, points


def test_center_by_hand():
    data, points = square([[1, 1, 1, 1], [3, 1, 3, 1]])
    table = space.gravity_center(data, points=points).table
    assert table.loc[2000, ["lon", "lat"]].tolist() == pytest.approx([0.5, 0.5], abs=1e-4)
    # three quarters of the weight on the western side
    assert table.loc[2001, "lon"] == pytest.approx(0.25, abs=1e-3)
    assert table.loc[2001, "shift_km"] == pytest.approx(27.8, abs=0.05)
    assert table.loc[2001, "bearing"] == pytest.approx(270.0, abs=0.1)
    assert np.isnan(table.loc[2000, "shift_km"])


def test_path_lengths_are_great_circles(people):
    t = space.gravity_center(people).table
    for a, b in ((2011, 2012), (2019, 2020)):
        assert t.loc[b, "shift_km"] == pytest.approx(great_circle(t.lon[a], t.lat[a], t.lon[b], t.lat[b]))
    assert t.loc[2020, "from_first_km"] <= t["shift_km"].sum() + 1e-9


def test_the_mean_of_degrees_is_somewhere_else(people):
    """Averaging degrees ignores that they shrink towards the pole."""
    c = space.gravity_center(people).table.loc[2020]
    w = people.xs(2020, level=1)
    lon = np.average([nq.provinces.resolve(u).lon for u in w.index], weights=w)
    lat = np.average([nq.provinces.resolve(u).lat for u in w.index], weights=w)
    assert 10 < great_circle(lon, lat, c["lon"], c["lat"]) < 60


def test_all_weight_in_one_place(people):
    only = people.where(people.index.get_level_values(0) == "Hubei", 0.0)
    t = space.standard_ellipse(only).table
    wuhan = nq.provinces.resolve("Hubei")
    assert t[["lon", "lat"]].iloc[0].tolist() == pytest.approx([wuhan.lon, wuhan.lat], abs=1e-7)
    assert t["major_km"].max() < 1e-3


@pytest.mark.parametrize("call", [space.gravity_center, space.standard_ellipse])
def test_invariances(people, call):
    a = call(people).table
    pd.testing.assert_frame_equal(a, call(people.sample(frac=1, random_state=0)).table, check_exact=True)
    pd.testing.assert_frame_equal(a, call(7 * people).table, rtol=1e-8)
    zh = nq.load_panel(["population"], years=(2011, 2020), names="zh")["population"]
    pd.testing.assert_frame_equal(a, call(zh).table, check_exact=True)


def test_ellipse_by_hand_and_outline():
    data, points = square([[1, 1, 1, 1], [4, 1, 1, 4]])
    result = space.standard_ellipse(data, points=points)
    side = great_circle(0.0, 0.5, 1.0, 0.5)
    first, second = result.table.loc[2000], result.table.loc[2001]
    assert (first["major_km"], first["minor_km"]) == pytest.approx((side / 2, side / 2), rel=1e-3)
    # weight on the diagonal from south-west to north-east
    assert second["axis_bearing"] == pytest.approx(45, abs=0.1)
    assert second["major_km"] / second["minor_km"] == pytest.approx(2.0, rel=1e-3)
    assert second["flattening"] == pytest.approx(0.5, abs=1e-3)
    outline = result.outline(2001)
    away = great_circle(outline[:, 0], outline[:, 1], second["lon"], second["lat"])
    assert (away.max(), away.min()) == pytest.approx((second["major_km"], second["minor_km"]), rel=1e-6)
    assert second["area_km2"] == pytest.approx(np.pi * second["major_km"] * second["minor_km"])


def test_capitals_and_centroids_differ(people):
    capital = space.gravity_center(people, years=2020).table.iloc[0]
    centroid = space.gravity_center(people, years=2020, at="centroid").table.iloc[0]
    assert 5 < great_circle(capital["lon"], capital["lat"], centroid["lon"], centroid["lat"]) < 150


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pictures(people, lang):
    for result in (space.gravity_center(people), space.standard_ellipse(people)):
        ax = result.plot(lang=lang)
        ax.figure.savefig("/dev/null", format="png")
        title = ax.get_title(loc="left")
        assert title in {"mean centre", "standard ellipse", "重心", "标准差椭圆"}
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["2011", "2020"]


def test_picture_of_other_units_has_degrees():
    data, points = square([[1, 1, 1, 1], [3, 1, 3, 1]])
    ax = space.gravity_center(data, points=points).plot()
    ax.figure.savefig("/dev/null", format="png")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("longitude", "latitude")


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        (square([[1, 1, 1, 1], [-3, 1, 3, 1]])[0], {}, PanelError, "1 negative cells.*t1 2001"),
        (square([[1, 1, 1, 1], [0, 0, 0, 0]])[0], {}, PanelError, "zero everywhere in 2001"),
        (square([[1, 1, 1, 1], [1, 1, 1, 1]])[0], {"points": None}, AlignmentError, "4 units have no point: t1"),
    ],
)
def test_errors_name_what_is_wrong(data, options, error, message):
    arguments = {"points": square([[1] * 4, [1] * 4])[1], **options}
    with pytest.raises(error, match=message):
        space.gravity_center(data, **arguments)


def test_unknown_time_of_an_ellipse(people):
    with pytest.raises(PanelError, match="no ellipse of 1999"):
        space.standard_ellipse(people).outline(1999)


def test_the_centre_of_a_rate_is_warned_of_and_that_of_a_quantity_is_not() -> None:
    panel = nq.load_panel()
    for name in ("rd_intensity", "gdp_real_pc"):
        with pytest.warns(nq.divergence.IntensityWarning, match=f"{name} is measured in .*do not add up"):
            nq.divergence.gravity_center(panel[name], years=2020)
        with pytest.warns(nq.divergence.IntensityWarning):
            nq.divergence.standard_ellipse(panel[name], years=2020)
    for name in ("gdp", "population"):
        nq.divergence.gravity_center(panel[name], years=2020)
    nq.divergence.gravity_center(panel["rd_intensity"].rename("mine"), years=2020)
