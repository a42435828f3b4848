"""Comparisons of groups as data: means, permutation p-values, the sign of every year."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.claims.evaluate.annual import Sample
from nqpf_spatial.claims.evaluate.comparisons import Comparison, by_year, difference, sides

YEARS = tuple(range(2013, 2025))
X = "gdp_real_pc"


@pytest.fixture(scope="module")
def ctx(world):
    return world(0.03)


def block(name):
    return list(nq.provinces.groups("block")[name])


def test_difference_of_means_in_the_last_year(ctx):
    wide = ctx.panel[X].unstack("province").loc[list(YEARS)]
    d = difference(ctx, Comparison(X, ("East",), ("West",), Sample(YEARS, groups="block")))
    gap = wide[block("East")].mean(axis=1) - wide[block("West")].mean(axis=1)
    assert d.estimate == pytest.approx(gap.iloc[-1])
    np.testing.assert_allclose(by_year(ctx, Comparison(X, ("East",), ("West",), Sample(YEARS, groups="block"))), gap)
    assert (d.above, d.below, d.year, d.same_sign) == (10, 12, "2024", True)


def test_exact_p_against_all_arrangements(ctx):
    d = difference(ctx, Comparison(X, ("East",), ("Northeast",), Sample(YEARS, groups="block")))
    x = ctx.panel[X].xs(2024, level="year")[block("East") + block("Northeast")].to_numpy()
    gaps = []
    for chosen in combinations(range(13), 10):
        inside = np.isin(np.arange(13), chosen)
        gaps.append(x[inside].mean() - x[~inside].mean())
    observed = x[:10].mean() - x[10:].mean()
    assert d.p_above == pytest.approx(np.mean(np.array(gaps) >= observed - 1e-12))
    assert d.sd == pytest.approx(np.std(gaps))


def test_random_p_is_near_a_brute_force_and_the_same_for_the_same_seed(world, ctx):
    comparison = Comparison("rd_intensity", ("Central",), (), Sample(YEARS, groups="block"))
    d = difference(ctx, comparison)
    x = ctx.panel["rd_intensity"].xs(2024, level="year")
    inside = x.index.isin(block("Central"))
    rng = np.random.default_rng(9)
    draws = np.array([x.to_numpy()[rng.permutation(31)][inside] for _ in range(20_000)]).mean(axis=1)
    observed = x[inside].mean()
    assert d.p_above == pytest.approx((draws >= observed).mean(), abs=0.012)
    again = world(0.03, edit=lambda p: p.sample(frac=1.0, random_state=2))
    assert difference(again, comparison) == d


def test_a_sign_that_turns_is_seen(world):
    def flip(panel):
        late = panel.index.get_level_values("year") < 2016
        east = panel.index.get_level_values("province").isin(block("East"))
        panel.loc[late & east, X] /= 50.0
        return panel

    turned = world(0.03, edit=flip)
    d = difference(turned, Comparison(X, ("East",), ("West",), Sample(YEARS, groups="block")))
    assert d.estimate > 0 and not d.same_sign
    mean = difference(turned, Comparison(X, ("East",), ("West",), Sample(YEARS, groups="block"), window_mean=True))
    assert mean.year == "2013-2024" and not mean.same_sign


def test_mean_over_the_window(ctx):
    d = difference(ctx, Comparison(X, ("South",), ("North",), Sample(YEARS, groups="north_south"), window_mean=True))
    x = ctx.panel[X].unstack("province").loc[list(YEARS)].mean()
    groups = nq.provinces.groups("north_south")
    assert d.estimate == pytest.approx(x[list(groups["South"])].mean() - x[list(groups["North"])].mean())


def test_named_provinces_against_all_others(ctx):
    coast = ("Shanghai", "Jiangsu")
    comparison = Comparison(X, coast, (), Sample(YEARS))
    found = sides(comparison, ctx.panel.index.unique("province"))
    assert sorted(p for p, s in found.items() if s == "above") == sorted(coast) and len(found) == 31
    assert difference(ctx, comparison).name == "Shanghai, Jiangsu above others in gdp_real_pc"


def test_weighted_means(ctx):
    d = difference(ctx, Comparison(X, ("East",), ("West",), Sample(YEARS, groups="block", weights="population")))
    x, w = (ctx.panel[n].xs(2024, level="year") for n in (X, "population"))
    mean = {b: np.average(x[block(b)], weights=w[block(b)]) for b in ("East", "West")}
    assert d.estimate == pytest.approx(mean["East"] - mean["West"])


def test_false_rejections_are_at_the_level(world):
    """A column without any difference between the blocks: p below 0.05 in about one case of twenty."""
    rng = np.random.default_rng(5)

    def noise(panel):
        values = rng.standard_normal((len(panel), 200))
        return pd.DataFrame(values, panel.index, [f"noise{i}" for i in range(200)])

    ctx = world(0.03, edit=noise)
    sample = Sample((2024,), groups="block")
    p = [difference(ctx, Comparison(f"noise{i}", ("East",), ("Northeast",), sample)).p_above for i in range(200)]
    assert 0.01 <= np.mean(np.array(p) < 0.05) <= 0.10
