"""Pictures: what is drawn, in both languages, without missing glyphs (warnings are errors here)."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from indicator_support import panel

import nqpf_spatial as nq
from nqpf_spatial.indicators import _style


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def drawn(ax):
    """Render, so that a missing glyph or a broken layout shows."""
    ax.figure.savefig("/dev/null", format="png")
    return ax


def results():
    data = panel()
    named = data.rename(columns=dict(zip("abcd", ("rd_fte_pc", "broadband_pc", "cable_pc", "ports_pc"), strict=True)))
    index = nq.indicators.entropy_index(named)
    return {
        "scores": lambda **k: index.plot(**k),
        "weights": lambda **k: index.plot("weights", **k),
        "obstacles": lambda **k: index.plot("obstacles", **k),
        "curve": lambda **k: nq.indicators.index_multiverse(named).plot(**k),
        "ranks": lambda **k: nq.indicators.index_multiverse(named).plot("ranks", **k),
        "malmquist": lambda **k: nq.indicators.malmquist(data, ["a", "b"], ["c"]).plot(**k),
        "solow": lambda **k: nq.indicators.solow(data.rename(columns={"b": "k_est"}), "a", "k_est", "c", capital_share=0.4).plot(**k),
    }  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", list(results()))
def test_every_picture_renders(name, lang):
    drawn(results()[name](lang=lang))


def test_scores_show_the_mean_and_the_blocks():
    result = nq.indicators.entropy_index(panel())
    ax = result.plot()
    mean = next(line for line in ax.lines if line.get_label() == "mean")
    assert np.asarray(mean.get_ydata(), dtype=float) == pytest.approx(result.scores.groupby(level=1).mean().to_numpy())
    labels = {t.get_text() for t in ax.get_legend().get_texts()}
    assert {"mean", "middle half", "East", "West"} <= labels


def test_weights_are_coloured_by_dimension():
    index = nq.indicators.nqpf_index(years=(2011, 2019))
    ax = index.plot("weights", lang="zh")
    assert {t.get_text() for t in ax.get_legend().get_texts()} == {"劳动者", "劳动资料", "劳动对象"}
    widths = [bar.get_width() for bar in ax.patches]
    assert sorted(widths) == pytest.approx(sorted(index.weights))


def test_estimated_years_are_dashed():
    p = nq.load_panel(["gfcf", "fai_price_index", "rpi", "fai_growth"])
    price = p["fai_price_index"].copy()
    price.loc["Tibet"] = p["rpi"].loc["Tibet"].to_numpy()
    k = nq.indicators.capital_stock(p["gfcf"], price, start=2001, bridge_growth=p["fai_growth"], bridge_price=p["rpi"])
    ax = drawn(k.plot())
    solid, dashed = ax.lines
    assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    assert max(solid.get_xdata()) == 2017 and max(dashed.get_xdata()) == 2022


def test_frontier_ranks_units():
    import test_stochastic_frontier as frontier

    fit = nq.indicators.sfa(frontier.battese_coelli(), "y", ["a", "b"], model="decay", log=False)
    ax = drawn(fit.plot())
    best = fit.efficiency.groupby(level=0).mean().idxmax()
    assert ax.get_yticklabels()[0].get_text() == str(best)


def test_given_axes_are_used_and_languages_checked():
    _, ax = plt.subplots()
    assert nq.indicators.entropy_index(panel()).plot(ax=ax) is ax
    with pytest.raises(ValueError, match="lang='fr'"):
        nq.indicators.entropy_index(panel()).plot(lang="fr")
    with pytest.raises(ValueError, match="kind='pie'"):
        nq.indicators.entropy_index(panel()).plot("pie")


def test_characters_no_font_has_are_an_error():
    with pytest.raises(ImportError, match="missing: \U0002ffff"):
        _style.chinese_font(["\U0002ffff"])


def test_text_and_html():
    index = nq.indicators.nqpf_index(years=(2011, 2019))
    assert "labourers" in repr(index) and "<table" in index._repr_html_()
    m = nq.indicators.malmquist(panel(), ["a", "b"], ["c"])
    assert "geometric means" in repr(m) and "<table" in m._repr_html_()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_variables_go_by_their_labels_not_their_names(lang):
    index = nq.indicators.nqpf_index(years=(2011, 2019))
    book = nq.data.codebook()[f"label_{lang}"]
    ax = index.plot("weights", lang=lang)
    shown = [t.get_text() for t in ax.get_yticklabels()]
    assert not set(shown) & set(index.weights.index)
    assert {book[v] for v in index.weights.index if v in book.index} <= set(shown)
    legend = {t.get_text() for t in index.plot("obstacles", lang=lang).get_legend().get_texts()}
    assert legend == set(shown)
