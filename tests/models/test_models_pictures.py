"""Pictures of fits and impacts: what they show, on given axes, in both languages, and what they refuse."""

from __future__ import annotations

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from panels import panel, weights

import nqpf_spatial as nq
from nqpf_spatial.errors import PanelError
from nqpf_spatial.models.pictures import blocks

FORMULA = "ln_gdp_real_pc ~ ln_broadband_pc + ln_rd_intensity | province + year"


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fit():
    return nq.sdm(FORMULA, nq.load_panel(), nq.weights.contiguity(), years=(2012, 2024))


@pytest.fixture(scope="module")
def plain():
    return nq.sdm("y ~ x1 + x2 | unit + period", panel("graph"), weights("graph"))


def drawn(ax):
    """All texts, after a rendering that would warn about glyphs that no font has."""
    from matplotlib.text import Text

    ax.figure.canvas.draw()
    return [t.get_text() for t in ax.figure.findobj(Text) if t.get_text()]


KINDS = {
    "coefficients": lambda f, **o: f.plot(**o),
    "profile": lambda f, **o: f.plot("profile", **o),
    "residual_map": lambda f, **o: f.plot("residual_map", **o),
    "moran": lambda f, **o: f.plot("moran", **o),
    "impacts": lambda f, **o: f.impacts().plot(**o),
    "matrix": lambda f, **o: f.impacts().plot_blocks("ln_rd_intensity", **o),
    "chord": lambda f, **o: f.impacts().plot_blocks("ln_rd_intensity", "chord", groups="north_south", **o),
    "from": lambda f, **o: f.impacts().map("ln_rd_intensity", source="Beijing", **o),
    "into": lambda f, **o: f.impacts().map("ln_rd_intensity", target="Beijing", **o),
    "posterior": lambda f, **o: f.posterior(draws=200).plot(**o),
}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_draw_on_given_axes_in_both_languages(fit, kind, lang):
    mine = plt.subplots(figsize=(7, 5))[1]
    assert KINDS[kind](fit, lang=lang, ax=mine) is mine
    texts = drawn(mine)
    assert any(ord(c) > 0x2E7F for text in texts for c in text) == (lang == "zh")
    assert not any("ln_rd_intensity" in text for text in texts)  # labels of the codebook
    assert KINDS[kind](fit, lang=lang) is not mine


def test_coefficients_are_the_table(plain):
    ax = plain.plot(alpha=0.1)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["x1", "x2", "W×x1", "W×x2", "ρ"]
    points = np.concatenate([c.lines[0].get_xdata() for c in ax.containers])
    np.testing.assert_allclose(points.astype(float), plain.params)
    segments = np.concatenate([np.array(c.lines[2][0].get_segments(), dtype=float) for c in ax.containers])
    np.testing.assert_allclose(segments[:, :, 0], plain.conf_int(0.1).to_numpy())
    assert "90%" in ax.get_xlabel()
    chosen = plain.plot(terms=["rho", "x1"])
    assert [t.get_text() for t in chosen.get_yticklabels()] == ["ρ", "x1"]
    with pytest.raises(ValueError, match="the fit has x1, x2, W:x1"):
        plain.plot(terms=["x9"])
    with pytest.raises(ValueError, match="list of names"):
        plain.plot(terms="x1")
    with pytest.raises(ValueError, match=r"kind='pie'.*coefficients"):
        plain.plot("pie")
    with pytest.raises(ValueError, match="lang='fr'"):
        plain.plot(lang="fr")


def test_other_estimators_have_the_same_pictures():
    frame, w = panel("graph"), weights("graph")
    two = nq.sar("y ~ x1 | unit", frame, {"a": w, "b": weights("ring")})
    assert "ρ a" in [t.get_text() for t in two.plot().get_yticklabels()]
    assert "x1" in [t.get_text() for t in nq.gmm("y ~ x1 | unit", frame, w).plot().get_yticklabels()]
    dynamic = nq.sar("y ~ x1 | unit + period", frame, w, dynamic="lag_y")
    assert "y (t-1)" in [t.get_text() for t in dynamic.plot().get_yticklabels()]
    with pytest.raises(ValueError, match="no single W"):
        two.plot("moran")
    assert two.plot("moran", w=w) is not None
    with pytest.raises(ValueError, match="no weights"):
        nq.ols("y ~ x1 | unit", frame).plot("moran")


def test_profile_shows_both_intervals(plain):
    found = plain.profile()
    ax = found.plot()
    labels = " ".join(t.get_text() for t in ax.get_legend().get_texts())
    for name in ("lr", "wald"):
        assert all(f"{v:.3f}" in labels for v in found.intervals.loc[name])
    assert f"{plain.rho:.3f}" in labels and f"{found.intervals.loc['admissible', 'upper']:.3f}" in ax.get_xlabel()


def test_residuals_of_one_period(fit, plain):
    ax = fit.plot("residual_map", year=2020)
    assert ax.get_title() == "SDM, residuals, 2020" and "actual less fitted" in ax.figure.axes[1].get_ylabel()
    assert fit.plot("residual_map", lang="zh").get_title() == "SDM的残差，2024年"
    with pytest.raises(PanelError, match=r"year=1999: .*2012"):
        fit.plot("residual_map", year=1999)
    with pytest.raises(ValueError, match=r"not Chinese provinces.*geometry="):
        plain.plot("residual_map")
    scatter = fit.plot("moran", year=2020)
    values = fit.resid.xs(2020, level="year")
    expected = nq.weights.moran(values, fit.w, permutations=99)["statistic"].iloc[0]
    assert scatter.get_title() == f"Moran's I = {expected:.3f}"


def test_residuals_on_shapes_of_ones_own(plain):
    geopandas = pytest.importorskip("geopandas")
    from shapely.geometry import box

    units = list(plain.estimate.design.units)
    shapes = geopandas.GeoSeries([box(i, 0, i + 1, 1) for i in range(len(units))], index=units)
    ax = plain.plot("residual_map", geometry=shapes.sample(frac=1, random_state=1), lang="zh")
    assert len(ax.collections[0].get_paths()) == len(units)
    with pytest.raises(PanelError, match="geometry= lacks c00"):
        plain.plot("residual_map", geometry=shapes.drop("c00"))
    cross = nq.sar("y ~ x1", panel("graph", t=1), weights("graph"))
    assert cross.plot("residual_map", geometry=shapes).get_title() == "SAR, residuals"
    with pytest.raises(PanelError, match="cross-section"):
        cross.plot("moran", year=2001)


def test_matrix_of_blocks_is_the_table(fit):
    imp = fit.impacts()
    ax = imp.plot_blocks("ln_rd_intensity")
    table = imp.by_block().xs("ln_rd_intensity", level="term")["estimate"].unstack("from")
    names = [t.get_text() for t in ax.get_xticklabels()]
    assert names == ["East", "Central", "West", "Northeast"] == [t.get_text() for t in ax.get_yticklabels()]
    np.testing.assert_allclose(ax.images[0].get_array(), table.loc[names, names])
    with pytest.raises(ValueError, match="term=None: choose one of ln_broadband_pc, ln_rd_intensity"):
        imp.plot_blocks()
    with pytest.raises(ValueError, match="kind='pie'"):
        imp.plot_blocks("ln_rd_intensity", "pie")


def test_chords_divide_the_circle_by_what_is_sent_and_received():
    size = np.array([[0.0, 2.0, 1.0], [3.0, 0.0, 0.0], [0.5, 1.5, 0.0]])
    spans, ends = blocks._layout(size)
    length = np.array([stop - start for start, stop in spans])
    np.testing.assert_allclose(length / length.sum(), (size.sum(axis=0) + size.sum(axis=1)) / (2 * size.sum()))
    np.testing.assert_allclose(length.sum(), 2 * np.pi * (1 - 3 * blocks._GAP))
    assert (1, 2) not in ends and len(ends) == 5
    pieces = sorted(arc for pair in ends.values() for arc in pair)
    assert all(a[1] <= b[0] + 1e-12 for a, b in itertools.pairwise(pieces))  # nothing overlaps
    for (i, j), (source, target) in ends.items():
        assert spans[j][0] - 1e-12 <= source[0] and source[1] <= spans[j][1] + 1e-12
        assert spans[i][0] - 1e-12 <= target[0] and target[1] <= spans[i][1] + 1e-12
        np.testing.assert_allclose(source[1] - source[0], target[1] - target[0])


def test_chords_mark_negative_effects_and_refuse_models_without_any(plain):
    groups = {unit: "ab"[i % 2] for i, unit in enumerate(plain.estimate.design.units)}
    ax = plain.impacts().plot_blocks("x2", "chord", groups=groups)
    table = plain.impacts().by_block(groups).xs("x2", level="term")["estimate"]
    hatched = [p for p in ax.patches if p.get_hatch()]
    assert len(hatched) == int((table.loc[[("a", "b"), ("b", "a")]] < 0).sum())
    assert ("hatched" in " ".join(drawn(ax))) == bool(hatched)
    alone = nq.ols("y ~ x1 | unit", panel("graph"))
    with pytest.raises(ValueError, match="no effects between blocks"):
        alone.impacts().plot_blocks("x1", "chord", groups=groups)


def test_views_of_dynamic_impacts_name_their_horizon():
    data = nq.load_panel()
    fit = nq.sdm("ln_gdp_real_pc ~ ln_rd_intensity | province + year", data, nq.weights.contiguity(), years=(2012, 2024),
                 dynamic="lag_y")  # fmt: skip
    ax = fit.impacts(horizon=2).plot_blocks()
    assert ax.get_title().endswith("2 periods later")
