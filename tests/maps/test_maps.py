"""The base map and values by province in colours."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from shapely.geometry import Point

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.maps.base import _outlines
from nqpf_spatial.maps.choropleth import ABSENT


@pytest.fixture
def values():
    return nq.load_panel()["rd_intensity"].xs(2024, level="year")


def colours_of(ax):
    """Face colour by adcode, as drawn."""
    codes, _, _ = _outlines()
    return dict(zip(codes, ax.collections[0].get_facecolors(), strict=True))


def test_all_units_the_line_and_the_inset_are_there():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    corner = nq.maps.draw(ax, {110000: "red"})
    codes, _, line = _outlines()
    assert len(codes) == 34 and len(line) >= 9
    for part in (ax, corner):
        assert len(part.collections[0].get_paths()) == 34
        assert len(part.collections[1].get_segments()) == len(line)
    assert tuple(colours_of(ax)[110000]) == to_rgba("red")
    assert nq.maps.draw(ax, inset=False) is None


def test_simplified_outlines_hold_the_capitals():
    codes, outlines, _ = _outlines()
    for p in nq.provinces.PROVINCES:
        at = nq.maps.project(p.lon, p.lat)[0]
        inside = [c for c, path in zip(codes, outlines, strict=True) if path.contains_point(at)]
        assert p.adcode in inside, p.name_en


def test_projection_is_equal_area():
    frame = nq.maps.province_polygons("the test").to_crs(nq.maps.PROJECTION)
    assert frame.loc[650000].geometry.area / 1e6 == pytest.approx(1.66e6, rel=0.02)  # Xinjiang, 1.66 million km2
    for p, point in zip(nq.provinces.PROVINCES, nq.maps.base.province_points().values(), strict=False):
        assert p is not None and np.isfinite(point).all()
    for code, point in nq.maps.base.province_points().items():
        if code in frame.index:
            assert frame.loc[code].geometry.contains(Point(*point))


def test_the_largest_value_is_the_darkest_whatever_the_order_and_the_names(values):
    first = colours_of(nq.maps.choropleth(values))
    shuffled = values.sample(frac=1, random_state=1)
    shuffled.index = [nq.provinces.label(u, "zh") for u in shuffled.index]
    again = colours_of(nq.maps.choropleth(shuffled))
    assert all((first[c] == again[c]).all() for c in first)
    ranked = values.sort_values()
    shade = {p: first[nq.provinces.resolve(p).adcode][:3].sum() for p in ranked.index}
    assert shade[ranked.index[-1]] == min(shade.values()) and shade[ranked.index[0]] == max(shade.values())


def test_both_signs_are_centred_at_zero():
    ax = nq.maps.choropleth({"Beijing": -1.0, "上海": 3.0})
    bar = ax.figure.axes[1]
    assert bar.get_ylim() == (-3.0, 3.0)


def test_missing_provinces_are_grey_and_counted(values):
    ax = nq.maps.choropleth(values.drop("Tibet").replace({values["Beijing"]: np.nan}), lang="zh")
    drawn = colours_of(ax)
    for code in (540000, 110000):
        assert tuple(drawn[code]) == to_rgba(ABSENT)
    assert "北京、西藏无数据" in next(t.get_text() for t in ax.texts)
    ax.figure.canvas.draw()


@pytest.mark.parametrize("scheme", ["Quantiles", "EqualInterval", "FisherJenks", "NaturalBreaks", "StdMean"])
def test_classes_are_those_of_mapclassify(values, scheme):
    ax = nq.maps.choropleth(values, scheme=scheme, k=4, label="R&D")
    counts = [int(t.get_text().rpartition("(")[2].rstrip(")")) for t in ax.get_legend().get_texts()]
    assert sum(counts) == 31
    if scheme == "Quantiles":
        assert max(counts) - min(counts) <= 1


def test_names_in_both_languages_and_errors(values):
    for lang in ("en", "zh"):
        ax = nq.maps.choropleth(values, names=True, lang=lang)
        assert {t.get_text() for t in ax.texts} == {nq.provinces.label(p.adcode, lang) for p in nq.provinces.PROVINCES}
        ax.figure.canvas.draw()
    with pytest.raises(AlignmentError, match="no provinces: Texas"):
        nq.maps.choropleth({"Texas": 1.0})
    with pytest.raises(AlignmentError, match=r"one value per province, the index is \(province, year\)"):
        nq.maps.choropleth(nq.load_panel()["rd_intensity"])
    with pytest.raises(AlignmentError, match="more than one value for Beijing"):
        nq.maps.choropleth(pd.Series([1.0, 2.0], index=["Beijing", "北京"]))
    with pytest.raises(ValueError, match="Quantiles"):
        nq.maps.choropleth(values, scheme="Jenks")
    with pytest.raises(AlignmentError, match="no province has a finite value"):
        nq.maps.choropleth(values * np.nan)
