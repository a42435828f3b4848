"""Annual series as data: every quantity against its definition, provinces, groups, weights, missing cells."""

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.claims.evaluate.annual import Sample, Series, annual, cells, measures, membership
from nqpf_spatial.claims.evaluate.columns import base_of, column, coupling
from nqpf_spatial.claims.evaluate.misallocation import annual_loss
from nqpf_spatial.claims.evaluate.settings import Setting
from nqpf_spatial.claims.evaluate.view import View
from nqpf_spatial.errors import DataSourceError, PanelError

YEARS = tuple(range(2013, 2025))
X = "gdp_real_pc"


@pytest.fixture(scope="module")
def ctx(world):
    return world(0.03)


@pytest.fixture(scope="module")
def wide(ctx):
    return ctx.panel[X].unstack("province").loc[list(YEARS)]


def block(name):
    return list(nq.provinces.groups("block")[name])


def four(frame):
    """CV, Theil T, Gini, sd of logs of the columns, by their textbook formulas (divisor N)."""
    x = frame.to_numpy()
    mu = x.mean(axis=1, keepdims=True)
    pairs = np.abs(x[:, :, None] - x[:, None, :]).sum(axis=(1, 2)) / (2 * x.shape[1] ** 2 * mu[:, 0])
    rel = x / mu
    return pd.DataFrame(
        {
            "cv": x.std(axis=1) / mu[:, 0],
            "theil_t": (rel * np.log(rel)).mean(axis=1),
            "gini": pairs,
            "sd_log": np.log(x).std(axis=1),
        },
        index=frame.index,
    )


def test_dispersion_is_that_of_the_provinces(ctx, wide):
    found = annual(ctx, Series(X, "dispersion", Sample(YEARS)))
    np.testing.assert_allclose(found, four(wide), rtol=1e-10)
    east = annual(ctx, Series(X, "dispersion", Sample(YEARS, groups="block", of=("East",))))
    np.testing.assert_allclose(east, four(wide[block("East")]), rtol=1e-10)
    absolute = annual(ctx, Series(X, "dispersion", Sample(YEARS), absolute=True))
    np.testing.assert_allclose(absolute["sd"], wide.std(axis=1, ddof=0), rtol=1e-12)


def test_gap_between_two_groups(ctx, wide):
    found = annual(ctx, Series(X, "gap", Sample(YEARS, groups="block", of=("East", "West"))))
    east, west = wide[block("East")].mean(axis=1), wide[block("West")].mean(axis=1)
    means = pd.concat([east, west], axis=1)
    assert list(found.columns) == ["cv", "theil_t", "gini", "sd_log"]
    np.testing.assert_allclose(found["cv"], means.std(axis=1, ddof=0) / means.mean(axis=1), rtol=1e-10)
    np.testing.assert_allclose(found["sd_log"], np.log(east / west), rtol=1e-10)
    absolute = annual(ctx, Series(X, "gap", Sample(YEARS, groups="block", of=("East", "West")), absolute=True))
    np.testing.assert_allclose(absolute["sd"], (east - west) / 2, rtol=1e-10)


def test_the_gap_between_blocks_has_theil_and_gini_of_the_decompositions(ctx):
    sample = Sample(YEARS, groups="block")
    gap, dagum, theil = (annual(ctx, Series(X, q, sample)) for q in ("gap", "dagum", "theil"))
    np.testing.assert_allclose(gap["theil_t"], theil["between"], rtol=1e-10)
    np.testing.assert_allclose(gap["gini"], dagum["net_between"], rtol=1e-10)


def test_shares_are_those_of_the_provinces_in_the_sample(ctx, wide):
    inland = ("Central", "West")
    found = annual(ctx, Series(X, "share", Sample(YEARS, groups="block", of=inland)))["share"]
    own = wide[[p for b in inland for p in block(b)]].sum(axis=1)
    np.testing.assert_allclose(found, own / wide.sum(axis=1), rtol=1e-12)
    without = annual(ctx, Series(X, "share", Sample(YEARS, drop=("Tibet",), groups="block", of=inland)))["share"]
    np.testing.assert_allclose(without, (own - wide["Tibet"]) / (wide.sum(axis=1) - wide["Tibet"]), rtol=1e-12)


def test_the_share_of_a_block_is_the_sum_of_the_registered_shares():
    """On the real panel, a figure that is a definition: pop_share, summed over the West, is the West's share."""
    from nqpf_spatial.claims.context import Context

    ctx = Context()
    west = ctx.panel["pop_share"].unstack("province").loc[list(YEARS), block("West")].sum(axis=1)
    found = annual(ctx, Series(base_of(ctx, "pop_share"), "share", Sample(YEARS, groups="block", of=("West",))))
    assert np.abs(100 * found["share"] - west).max() < 1e-9


def test_mean_relative_and_ratio(ctx, wide):
    west = Sample(YEARS, groups="block", of=("West",))
    mean = wide[block("West")].mean(axis=1)
    np.testing.assert_allclose(annual(ctx, Series(X, "mean", west))["mean"], mean, rtol=1e-12)
    relative = annual(ctx, Series(X, "relative", west))["relative mean"]
    np.testing.assert_allclose(relative, mean / wide.mean(axis=1), rtol=1e-12)
    ratio = annual(ctx, Series(X, "ratio", Sample(YEARS, groups="block", of=("East", "West"))))["ratio"]
    np.testing.assert_allclose(ratio, wide[block("East")].mean(axis=1) / mean, rtol=1e-12)
    turned = annual(ctx, Series(X, "ratio", Sample(YEARS, groups="block", of=("West", "East"))))["ratio"]
    np.testing.assert_allclose(turned, 1 / ratio, rtol=1e-12)


def test_polarisation_is_the_library_s_with_the_registered_alpha(ctx):
    view = View(ctx.register.claim("WU-0.2"), ctx, Setting())
    series = view.series("rd_intensity", "polarisation", "block")
    assert series.alpha == ctx.register.threshold("R-POLAR", "er_alpha")
    x = ctx.panel["rd_intensity"].loc[(slice(None), list(YEARS))]
    direct = nq.divergence.polarization(x, ["wolfson", "esteban_ray"], groups="block", alpha=series.alpha).table
    np.testing.assert_allclose(annual(ctx, series), direct, rtol=1e-12)
    other = View(view.claim, ctx, Setting(er_alpha=1.6)).series("rd_intensity", "polarisation", "block")
    assert not np.allclose(annual(ctx, other)["esteban_ray"], direct["esteban_ray"])
    np.testing.assert_allclose(annual(ctx, other)["wolfson"], direct["wolfson"], rtol=1e-12)


def test_weights_change_the_figures_and_are_aligned_by_label(ctx, wide):
    weighted = annual(ctx, Series(X, "dispersion", Sample(YEARS, weights="population")))
    w = ctx.panel["population"].unstack("province").loc[list(YEARS), wide.columns]
    mu = (wide * w).sum(axis=1) / w.sum(axis=1)
    cv = np.sqrt((w * wide.sub(mu, axis=0) ** 2).sum(axis=1) / w.sum(axis=1)) / mu
    np.testing.assert_allclose(weighted["cv"], cv, rtol=1e-10)


def test_shuffled_rows_change_nothing(world, ctx):
    shuffled = world(0.03, edit=lambda p: p.sample(frac=1.0, random_state=1))
    for q, of in (
        ("gap", ("East", "West")),
        ("share", ("West",)),
        ("dagum", ()),
        ("polarisation", ()),
        ("relative", ("West",)),
    ):
        s = Series(X, q, Sample(YEARS, groups="block", of=of))
        pd.testing.assert_frame_equal(annual(ctx, s), annual(shuffled, s))
        assert measures(ctx, s) == measures(shuffled, s) if q != "polarisation" else True


def test_moved_provinces_only_move_in_a_scheme_that_has_the_group():
    names = ["Tibet", "Liaoning"]
    moved = (("Tibet", "North"), ("Liaoning", "East"))
    assert membership(Sample((2020,), groups="north_south", moved=moved), names) == {
        "Tibet": "North",
        "Liaoning": "North",
    }
    assert membership(Sample((2020,), groups="block", moved=moved), names) == {"Tibet": "West", "Liaoning": "East"}


def test_missing_cells_are_named_and_never_filled(world):
    def hole(panel):
        panel.loc[("Hunan", 2015), X] = np.nan
        return panel

    with pytest.raises(PanelError, match="gdp_real_pc: no values at Hunan 2015"):
        cells(world(0.03, edit=hole), X, Sample(YEARS))
    assert len(cells(world(0.03, edit=hole), X, Sample(YEARS, drop=("Hunan",)))) == 30 * 12
    with pytest.raises(PanelError, match="no values at 1950"):
        cells(world(0.03), X, Sample((1950,)))
    with pytest.raises(PanelError, match="at least 8 years"):
        measures(world(0.03), Series(X, "dispersion", Sample(YEARS[:7])))


def test_trends_are_the_library_s(ctx):
    series = Series(X, "dispersion", Sample(YEARS))
    table = nq.divergence.trend_table(annual(ctx, series))
    for m in measures(ctx, series):
        row = table.loc[m.name]
        assert (m.change_pct, m.p, m.n) == (row["change_pct"], row["pvalue"], row["n"])
        assert m.lower_pct <= m.change_pct <= m.upper_pct


def test_constructed_columns(ctx):
    panel = ctx.panel
    for name, expected in (
        ("tfp_est (level)", np.exp(panel["tfp_est"])),
        ("gdp per resident (current prices)", panel["gdp"] / panel["population"]),
        ("ln_fie_ratio (registered capital)", np.log(panel["fie_registered_capital"] / panel["gdp"])),
    ):
        found = column(ctx, name)
        assert found.index.is_monotonic_increasing and found.name == name
        pd.testing.assert_series_equal(found, expected.sort_index(), check_names=False)
    rebuilt = column(ctx, "digital_index (without cable_pc)")
    assert rebuilt.notna().sum() == 31 * 13 and rebuilt.between(0, 1).sum() == 31 * 13
    assert not np.allclose(rebuilt.dropna(), column(ctx, "digital_index (equal)").dropna())
    swapped = column(ctx, "hd_index_gdp (college_share for schooling_years)")
    assert swapped.dropna().index.unique("year").tolist() == list(range(2011, 2020))
    for bad in ("nothing", "digital_index (by magic)", "hd_index_gdp (a for b)"):
        with pytest.raises(DataSourceError, match=r"no (column|way)"):
            column(ctx, bad)


def test_first_published_growth_of_the_real_panel_is_a_growth_rate():
    """The identity gdp_pc_growth = gdp_growth - population growth holds for the swapped index as well."""
    from nqpf_spatial.claims.context import Context

    ctx = Context()
    per_head = column(ctx, "gdp_pc_growth (first published)")
    total = column(ctx, "gdp_growth (first published)")
    people = 100 * np.log(ctx.panel["population"]).unstack("year").diff(axis=1).stack()
    gap = (per_head - total + people.reindex(per_head.index)).dropna()
    assert len(gap) == 31 * 13 and np.abs(gap).max() < 1e-9


def test_coupling_is_between_zero_and_one_and_inside_the_year(ctx):
    for name in coupling("retail_pc", "ln_trade_ratio"):
        d = column(ctx, name)
        assert d.dropna().between(0, 1).all()
    u, v = (ctx.panel[n].xs(2020, level="year") for n in ("retail_pc", "ln_trade_ratio"))
    expected = ((u.rank() - 0.5) / 31 * (v.rank() - 0.5) / 31) ** 0.25
    found = column(ctx, coupling("retail_pc", "ln_trade_ratio")[1]).xs(2020, level="year")
    np.testing.assert_allclose(found.loc[expected.index], expected)


def test_misallocation_against_numerical_optimisation():
    from scipy.optimize import minimize

    rng = np.random.default_rng(3)
    y, k, a = rng.uniform(1, 5, 4), rng.uniform(1, 5, 4), 0.45
    b = y / k**a

    def output(z):
        share = np.exp(z) / np.exp(z).sum()
        return -(b * (share * k.sum()) ** a).sum()

    best = -minimize(output, np.zeros(4), tol=1e-14).fun
    found = annual_loss(pd.DataFrame([y]), pd.DataFrame([k]), a)
    assert found[0] == pytest.approx(1 - y.sum() / best, rel=1e-6)
    equal = pd.DataFrame([k * 2.0])  # equal marginal products: nothing is lost
    assert annual_loss(equal, pd.DataFrame([k]), a)[0] == 0.0


def test_misallocation_refuses_what_it_is_not_defined_for():
    one = pd.DataFrame({"A": [1.0], "B": [2.0]})
    for bad in (0.0, 1.0):
        with pytest.raises(ValueError, match=r"\(0, 1\)"):
            annual_loss(one, one, bad)
    with pytest.raises(ValueError, match="same provinces"):
        annual_loss(one, one.rename(columns={"B": "C"}), 0.5)
    with pytest.raises(ValueError, match="positive"):
        annual_loss(one, one.assign(B=0.0), 0.5)
