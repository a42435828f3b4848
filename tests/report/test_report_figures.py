"""Figures: what they show is what they were given, byte for byte the same on a rerun."""

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.report import figures


@pytest.fixture
def effects():
    return pd.DataFrame(
        {
            "panel": ["direct"] * 3 + ["total"] * 3,
            "row": ["a", "b", "c"] * 2,
            "estimate": [0.1, 0.2, -0.1, 0.3, 0.0, 0.1],
            "lower": [0.0, 0.1, -9.0, 0.2, -0.1, 0.0],
            "upper": [0.2, 0.3, 8.0, 0.4, 0.1, 0.2],
            "counted": [True, True, False] * 2,
        }
    )


def test_effects_one_panel_per_effect_rows_from_top(effects):
    figure = nq.report.effects(effects)
    assert [ax.get_title() for ax in figure.axes] == ["direct", "total"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["c", "b", "a"]
    # one wide interval that is not counted does not squeeze the others
    low, high = figure.axes[0].get_xlim()
    assert low > -1
    assert high < 1
    assert low < 0 < high


def test_a_curve_is_sorted_and_coloured_by_significance():
    frame = pd.DataFrame(
        {"panel": "x", "row": list("abcd"), "ratio": [3.0, -3.0, 0.5, 2.5], "counted": [True, True, True, False]}
    )
    (ax,) = nq.report.specification_curve(frame, critical=1.96).axes
    assert [t.get_text() for t in ax.get_yticklabels()] == ["b", "c", "d", "a"]
    points = ax.collections[-1]
    assert np.allclose(points.get_offsets()[:, 0], [-3.0, 0.5, 2.5, 3.0])
    from matplotlib.colors import to_rgba

    edges = [tuple(c) for c in points.get_edgecolors()]
    assert edges[0] == to_rgba(figures.RED)
    assert edges[2] == to_rgba(figures.GREY)
    assert edges[3] == to_rgba(figures.BLUE)


def test_shares_are_drawn_at_their_values():
    (ax,) = nq.report.shares(pd.Series({"a": 60.0, "b": 45.0, "c": 30.0}), support=50, contradict=40, xlabel="x").axes
    assert [p.get_width() for p in ax.patches] == [30.0, 45.0, 60.0]
    from matplotlib.colors import to_rgba

    assert [p.get_facecolor() for p in ax.patches] == [to_rgba(c) for c in (figures.RED, figures.GREY, figures.BLUE)]


def test_line_labels_do_not_overlap():
    frame = pd.DataFrame({"a": [1.0, 5.0], "b": [2.0, 5.001], "c": [0.0, 9.0]}, index=[2012, 2024])
    (ax,) = nq.report.lines(frame, ylabel="y").axes
    heights = sorted(t.xy[1] for t in ax.texts)
    assert np.diff(heights).min() > 0.3


def test_figures_are_the_same_bytes_and_show_themselves_in_jupyter(effects):
    first, second = (nq.report.png(nq.report.effects(effects), 60) for _ in range(2))
    assert first == second
    assert b"Software" not in first
    assert nq.report.effects(effects)._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_map_names_all_provinces_and_counts_the_groups(lang):
    figure = nq.report.province_map("hub", lang=lang)
    ax = figure.axes[0]
    names = {t.get_text() for t in ax.texts}
    assert names == {nq.provinces.label(p.adcode, lang) for p in nq.provinces.PROVINCES}
    legend = [t.get_text() for t in ax.get_legend().get_texts()]
    hubs = len(nq.provinces.groups("hub")["hub"])
    assert legend == [f"{nq.report.word('hub', lang)} ({hubs})", f"{nq.report.word('other', lang)} ({31 - hubs})"]


def test_names_lie_inside_their_province_and_dots_at_capitals():
    figure = nq.report.province_map("block", labels=False, marked={"贵州": "black"})
    assert not figure.axes[0].texts
    x, y = figure.axes[0].collections[-1].get_offsets()[0]
    from pyproj import Transformer

    guizhou = nq.provinces.resolve("Guizhou")
    back = Transformer.from_crs(nq.maps.PROJECTION, "EPSG:4326", always_xy=True).transform(x, y)
    assert back == pytest.approx((guizhou.lon, guizhou.lat), abs=1e-6)


def test_unknown_grouping():
    with pytest.raises(ValueError, match="'belts'"):
        nq.report.province_map("belts")
