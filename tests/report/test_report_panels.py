"""Panels of annual series, transition paths, runs of a multiverse: what is drawn."""

import numpy as np
import pandas as pd
import pytest

from nqpf_spatial.report import panels

YEARS = range(2013, 2021)


def frame(columns=("cv", "gini")):
    return pd.DataFrame({c: np.linspace(1, 2 + i, 8) for i, c in enumerate(columns)}, index=YEARS)


@pytest.mark.parametrize(("n", "shape"), [(1, 1), (4, 4), (5, 5), (9, 9)])
def test_one_panel_per_table(n, shape):
    figure = panels.series_panels({f"t{i}": frame() for i in range(n)}, ylabel="x")
    axes = figure.get_axes()
    assert len(axes) == shape
    assert [a.get_title() for a in axes] == [f"t{i}" for i in range(n)]
    figure.draw_without_rendering()


def test_absent_years_are_bridged_by_a_dashed_line_only():
    broken = frame(("cv",)).drop(index=2016)
    (ax,) = panels.series_panels({"t": broken}, ylabel="x").get_axes()
    dashed, *solid = ax.get_lines()
    assert dashed.get_linestyle() == "--" and len(dashed.get_xdata()) == 7
    assert [list(line.get_xdata()) for line in solid[:2]] == [[2013, 2014, 2015], [2017, 2018, 2019, 2020]]


def test_legend_and_zero_line():
    figure = panels.series_panels({"t": frame()}, ylabel="x", zero=True, names={"cv": "variation"})
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == ["variation", "gini"]
    assert not panels.series_panels({"t": frame(("cv",))}, ylabel="x").legends
    with pytest.raises(ValueError, match="at least one"):
        panels.series_panels({}, ylabel="x")


def test_paths_by_group_and_units_in_none():
    table = pd.DataFrame(np.ones((8, 4)), index=YEARS, columns=list("abcd"))
    groups = pd.Series(["club 1", "club 1", "club 2", None], index=list("abcd"))
    (ax,) = panels.paths(table, groups, title="t", ylabel="y", other="in none").get_axes()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["club 1 (2)", "club 2 (1)", "in none (1)"]


def test_runs_at_their_readings():
    rows = pd.DataFrame(
        {"row": ["a", "b", "c"], "reading": ["support", "contradict", "support"], "counted": [True, True, False]}
    )
    words = {"support": "yes", "neither": "-", "contradict": "no"}
    (ax,) = panels.runs(rows, words=words, xlabel="x").get_axes()
    assert [t.get_text() for t in ax.get_xticklabels()] == ["no", "-", "yes"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["c", "b", "a"]
    hollow, against, full = ax.get_lines()
    assert hollow.get_markerfacecolor() == "white" and full.get_markerfacecolor() != "white"
    assert list(against.get_xdata()) == [0] and list(full.get_xdata()) == [2]


def test_chinese_text_is_drawn_without_missing_glyphs():
    figure = panels.series_panels({"人均实际地区生产总值\n四大板块差距": frame()}, ylabel="首年 = 100", lang="zh")
    figure.draw_without_rendering()
