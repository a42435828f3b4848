"""Moran and LISA by year against esda, hand computation and invariances; maps."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import nqpf_spatial as nq
from nqpf_spatial.divergence import _maps, space
from nqpf_spatial.errors import AlignmentError, PanelError
from nqpf_spatial.maps.base import _outlines


@pytest.fixture(scope="module")
def w():
    return nq.weights.contiguity()


@pytest.fixture(scope="module")
def income():
    return nq.load_panel(["ln_gdp_real_pc"], years=(2013, 2016))["ln_gdp_real_pc"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_moran_by_definition_and_against_esda(income, w):
    from esda.moran import Moran

    result = space.moran_by_year(income, w, permutations=999)
    y = income.xs(2014, level="year").loc[list(w.ids)].to_numpy()
    z = y - y.mean()
    dense = w.dense()
    assert result.table.loc[2014, "I"] == pytest.approx(31 / dense.sum() * (z @ dense @ z) / (z @ z), abs=1e-14)
    peer = Moran(y, w.to_W(), transformation="O", permutations=0)
    assert result.table.loc[2014, "z"] == pytest.approx(peer.z_rand)
    assert result.table.loc[2014, "p_normal"] == pytest.approx(peer.p_rand)
    assert result.table["expected"].tolist() == [-1 / 30] * 4


def test_agrees_with_the_weights_room(income, w):
    """nq.weights.moran permutes with esda: other draws, same distribution."""
    other = nq.weights.moran(income.xs(2013, level="year"), w, permutations=9999, seed=3)
    mine = space.moran_by_year(income, w, years=2013)
    assert mine.table["I"].iloc[0] == pytest.approx(other["statistic"].iloc[0])
    assert mine.table["p_perm"].iloc[0] == pytest.approx(other["pvalue"].iloc[0], abs=0.0025)


@pytest.mark.parametrize("change", ["shuffle", "scale", "names", "reorder"])
def test_moran_and_lisa_invariances(income, w, change):
    data, weights = income, w
    if change == "shuffle":
        data = income.sample(frac=1, random_state=1)
    elif change == "scale":
        data = 3 * income + 100
    elif change == "names":
        data = nq.load_panel(["ln_gdp_real_pc"], years=(2013, 2016), names="zh")["ln_gdp_real_pc"]
    else:
        weights = w.reorder(list(reversed(w.ids)))
    a, b = (space.moran_by_year(d, v, permutations=199).table for d, v in ((income, w), (data, weights)))
    pd.testing.assert_frame_equal(a, b, check_exact=change != "scale", rtol=1e-9)
    a, b = (space.lisa_by_year(d, v, permutations=199).cells for d, v in ((income, w), (data, weights)))
    assert a["cluster"].tolist() == b["cluster"].tolist()
    assert a["pvalue"].to_numpy() == pytest.approx(b["pvalue"].to_numpy(), abs=1e-12)


def test_a_year_does_not_depend_on_the_others(income, w):
    alone = space.lisa_by_year(income, w, years=2015, permutations=199).cells
    among = space.lisa_by_year(income, w, permutations=199).cells
    pd.testing.assert_frame_equal(alone, among[among.index.get_level_values(1) == 2015], check_exact=True)


def test_local_statistics_add_up_to_the_global_one(income, w):
    """Anselin (1995), eq. 15: the sum of the I_i is proportional to I; row-stochastic W with n - 1 in place of n."""
    lisa = space.lisa_by_year(income, w, permutations=99).cells.xs(2013, level=1)
    moran = space.moran_by_year(income, w, years=2013, permutations=99).table["I"].iloc[0]
    assert lisa["I"].sum() / 30 == pytest.approx(moran, abs=1e-14)


def test_lisa_quadrants_by_hand(income, w):
    cells = space.lisa_by_year(income, w, permutations=99).cells.xs(2013, level=1)
    y = income.xs(2013, level="year").loc[list(w.ids)]
    z = (y - y.mean()) / y.std(ddof=0)
    lag = pd.Series(w.dense() @ z.to_numpy(), index=list(w.ids))
    assert cells["lag"].loc[list(w.ids)].to_numpy() == pytest.approx(lag.to_numpy())
    expected = np.where(z > 0, np.where(lag > 0, "HH", "HL"), np.where(lag > 0, "LH", "LL"))
    assert cells["quadrant"].loc[list(w.ids)].tolist() == expected.tolist()


def test_corrections_only_make_p_values_larger(income, w):
    plain, fdr, bonferroni = (
        space.lisa_by_year(income, w, permutations=999, correction=c) for c in ("none", "fdr", "bonferroni")
    )
    assert (plain.cells["pvalue"] <= fdr.cells["pvalue"] + 1e-15).all()
    assert (fdr.cells["pvalue"] <= bonferroni.cells["pvalue"] + 1e-15).all()
    assert bonferroni.cells["pvalue"].to_numpy() == pytest.approx(np.minimum(1, 31 * plain.cells["pvalue"]))
    assert "about 1.6 units would be called significant by chance" in repr(plain)
    assert "by chance" not in repr(fdr)


def test_directed_is_half_of_two_sided(income, w):
    two = space.lisa_by_year(income, w, years=2013, permutations=999).cells["pvalue"]
    one = space.lisa_by_year(income, w, years=2013, permutations=999, alternative="directed").cells["pvalue"]
    assert np.minimum(1, 2 * one).to_numpy() == pytest.approx(two.to_numpy())


def test_counts_and_clusters_agree(income, w):
    result = space.lisa_by_year(income, w, permutations=999)
    clusters = result.clusters()
    assert clusters.shape == (31, 4) and clusters.index[0] == "Beijing"
    for t in clusters:
        counts = clusters[t].value_counts()
        assert result.table.loc[t, "LL"] == counts.get("LL", 0)
        assert result.table.loc[t, "significant"] == 31 - counts.get("", 0)
    assert (result.cells["cluster"] == "").eq(result.cells["pvalue"] >= 0.05).all()


def test_size_under_the_null(w):
    """Two-sided p-values of independent values are uniform: about 5 % below 0.05."""
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([w.ids, range(300)], names=["province", "year"])
    noise = pd.Series(rng.normal(size=len(index)), index=index, name="noise")
    p = space.moran_by_year(noise, w, permutations=499).table["p_perm"]
    assert 0.02 < (p < 0.05).mean() < 0.09


def test_cross_section_of_any_units():
    lattice = nq.weights.from_any(
        pd.DataFrame(np.eye(8, k=1) + np.eye(8, k=-1), index=list("abcdefgh"), columns=list("abcdefgh"))
    )
    y = pd.Series(np.arange(8.0), index=list("abcdefgh"), name="y")
    moran, lisa = space.moran_by_year(y, lattice, permutations=99), space.lisa_by_year(y, lattice, permutations=99)
    assert moran.table.shape[0] == 1 and lisa.cells.index.tolist() == list("abcdefgh")
    with pytest.raises(AlignmentError, match="pass geometry="):
        lisa.plot()


def test_maps_show_the_clusters(income, w):
    result = space.lisa_by_year(income, w, permutations=999)
    for lang in ("en", "zh"):
        figure = result.plot(lang=lang, years=[2013, 2016], ncols=2)
        figure.savefig("/dev/null", format="png")
        maps = [ax for ax in figure.axes if ax.get_title()]
        assert [ax.get_title() for ax in maps] == ["2013", "2016"]
    codes = _outlines()[0]
    fill = [to_hex(c) for c in maps[1].collections[0].get_facecolor()]
    shown = dict(zip(codes, fill, strict=True))
    cluster = result.clusters()[2016]
    for unit, kind in cluster.items():
        assert shown[nq.provinces.resolve(unit).adcode] == _maps.CLUSTERS[kind].lower()
    # 34 province-level units are drawn; the three without data stay white
    assert fill.count("#ffffff") == 3
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["高-高", "低-低", "低-高", "高-低", "不显著"]


def test_maps_of_other_units_take_their_shapes():
    import geopandas as gpd
    from shapely.geometry import box

    names = [f"cell {k}" for k in range(9)]
    shapes = gpd.GeoSeries([box(k % 3, k // 3, k % 3 + 1, k // 3 + 1) for k in range(9)], index=names)
    weights = nq.weights.from_any(
        pd.DataFrame(
            [[float(abs(a % 3 - b % 3) + abs(a // 3 - b // 3) == 1) for b in range(9)] for a in range(9)],
            index=names, columns=names,
        )
    )  # fmt: skip
    y = pd.Series(np.arange(9.0), index=names, name="y")
    figure = space.lisa_by_year(y, weights, permutations=99).plot(geometry=shapes)
    figure.savefig("/dev/null", format="png")
    with pytest.raises(AlignmentError, match="geometry lacks cell 0"):
        space.lisa_by_year(y, weights, permutations=99).plot(geometry=shapes.iloc[1:])


def test_moran_picture_marks_insignificant_years(w):
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([w.ids, [2001, 2002]], names=["province", "year"])
    y = pd.Series(rng.normal(size=62), index=index, name="noise")
    ax = space.moran_by_year(y, w, permutations=199).plot(lang="zh")
    ax.figure.savefig("/dev/null", format="png")
    points = ax.collections[-1]
    assert [to_hex(c) for c in points.get_facecolor()] == ["#ffffff"] * 2
    assert ax.get_ylabel() == "莫兰指数"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x, w: space.moran_by_year(x.drop("Tibet"), w), AlignmentError, "Tibet"),
        (lambda x, w: space.moran_by_year(x * 0, w), PanelError, "same in all units in 2013, 2014"),
        (lambda x, w: space.moran_by_year(x, w, permutations=9), PanelError, "at least 99"),
        (lambda x, w: space.lisa_by_year(x, w, correction="holm"), ValueError, "correction='holm'"),
        (lambda x, w: space.lisa_by_year(x, w, alpha=5), ValueError, "alpha=5"),
        (lambda x, w: space.lisa_by_year(x, w, alternative="up"), ValueError, "alternative='up'"),
        (lambda x, w: space.moran_by_year(x.mask(x > x.max() - 1e-9), w), PanelError, "missing"),
        (lambda x, w: space.lisa_by_year(x, w, permutations=99).plot(years=[1999]), PanelError, "no times 1999"),
        (
            lambda x, w: space.moran_by_year(x, nq.weights.contiguity(hainan="island", islands="keep")),
            AlignmentError,
            "without neighbours: Hainan",
        ),
    ],
)
def test_errors_name_what_is_wrong(income, w, call, error, message):
    with pytest.raises(error, match=message):
        call(income, w)
