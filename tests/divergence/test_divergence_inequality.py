"""Inequality, Theil and Dagum results: published numbers, exact splits, inference, domains."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial import provinces
from nqpf_spatial.divergence import polarize
from nqpf_spatial.errors import PanelError

D = nq.divergence
NAMES = [p.name_en for p in provinces.PROVINCES]
BLOCK = {p.name_en: p.block for p in provinces.PROVINCES}


@pytest.fixture(scope="module")
def x() -> pd.Series:
    rng = np.random.default_rng(2)
    index = pd.MultiIndex.from_product([NAMES, range(2011, 2025)], names=["province", "year"])
    lift = np.array([{"East": 0.6, "Central": 0.1, "West": -0.3, "Northeast": 0.0}[BLOCK[n]] for n in NAMES])
    noise = rng.normal(0, 0.3, (31, 1)) + np.cumsum(rng.normal(0.05, 0.04, (31, 14)), axis=1)
    return pd.Series(np.exp(lift[:, None] + noise).ravel(), index=index, name="rd")


@pytest.fixture(scope="module")
def mexico() -> tuple[pd.Series, pd.Series]:
    """GDP per head of the Mexican states 1940-2000, which PySAL ships, and the regions of Hanson (1998)."""
    from libpysal.examples import get_path

    frame = pd.read_csv(get_path("mexico.csv"), encoding="utf-8").set_index("State")
    wide = frame[[f"pcgdp{y}" for y in range(1940, 2010, 10)]].astype(float)
    wide.columns = range(1940, 2010, 10)
    long = wide.stack()
    long.index.names = ["state", "year"]
    return long.rename("pcgdp"), frame["hanson98"]


def test_theil_of_the_mexican_states_is_what_pysal_prints(mexico: tuple[pd.Series, pd.Series]) -> None:
    """Documentation of PySAL's inequality 1.1: Theil and TheilD."""
    x, regions = mexico
    found = D.theil(x, groups=regions)
    total = [0.20894344, 0.15222451, 0.10472941, 0.10194725, 0.09560113, 0.10511256, 0.10660832]
    between = [0.0345889, 0.02816853, 0.05260921, 0.05931219, 0.03205257, 0.02963731, 0.03635872]
    within = [0.17435454, 0.12405598, 0.0521202, 0.04263506, 0.06354856, 0.07547525, 0.0702496]
    for column, printed in (("total", total), ("between", between), ("within", within)):
        np.testing.assert_allclose(found.table[column], printed, atol=5e-9)


def test_permutation_p_values_agree_with_pysal(mexico: tuple[pd.Series, pd.Series]) -> None:
    """PySAL's documentation: 0.4, 0.344, 0.001, 0.001, 0.034, 0.072, 0.032 with 999 permutations, another seed."""
    x, regions = mexico
    found = D.theil(x, groups=regions, permutations=999, seed=10).permutation["pvalue"]
    printed = np.array([0.4, 0.344, 0.001, 0.001, 0.034, 0.072, 0.032])
    error = 3 * np.sqrt(2 * printed * (1 - printed) / 999) + 0.003
    assert (np.abs(found - printed) < error).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_every_split_adds_up_to_1e_12(x: pd.Series, weighted: bool) -> None:
    w = pd.Series(np.linspace(1, 5, 31), index=NAMES) if weighted else None
    d = D.dagum(x, groups="block", weights=w)
    parts = d.table[["within", "net_between", "transvariation"]].sum(axis=1)
    np.testing.assert_allclose(parts, d.table["total"], atol=1e-12)
    np.testing.assert_allclose(
        d.contributions.T.groupby(level=0).sum().T["net_between"], d.table["net_between"], atol=1e-12
    )
    np.testing.assert_allclose(d.table["total"], D.gini(x, weights=w).table["gini"], atol=1e-12)
    for kind, name in (("T", "theil_t"), ("L", "theil_l")):
        t = D.theil(x, groups="north_south", nested="block", kind=kind, weights=w)
        np.testing.assert_allclose(t.table[t.parts[1:]].sum(axis=1), t.table["total"], atol=1e-12)
        np.testing.assert_allclose(t.table["total"], D.inequality(x, name, weights=w).table[name], atol=1e-12)
        outer = D.theil(x, groups="north_south", kind=kind, weights=w).table["between"]
        np.testing.assert_allclose(t.table["between_north_south"], outer, atol=1e-12)


def test_middle_level_is_the_between_part_inside_each_outer_group(x: pd.Series) -> None:
    t = D.theil(x, groups="north_south", nested="block")
    sides = pd.Series({p.name_en: p.north_south for p in provinces.PROVINCES})
    year = x.xs(2020, level=1)
    expected = 0.0
    for side in ("North", "South"):
        mine = year[sides[year.index] == side]
        expected += mine.sum() / year.sum() * D.theil(mine, groups="block").table["between"].iloc[0]
    assert t.table.loc[2020, "between_block_in_north_south"] == pytest.approx(expected, abs=1e-12)
    assert "South / East" in t.groups.columns.get_level_values(0)


def test_pair_table_shows_gini_below_and_affluence_above(x: pd.Series) -> None:
    d = D.dagum(x, groups="block")
    table = d.pairs(2015)
    assert table.loc["West", "East"] == d.pair_gini.loc[2015, "East - West"]
    assert table.loc["East", "West"] == d.pair_affluence.loc[2015, "East - West"]
    east = x.xs(2015, level=1).loc[[n for n in NAMES if BLOCK[n] == "East"]]
    assert table.loc["East", "East"] == pytest.approx(D.gini(east).table["gini"].iloc[0], abs=1e-14)
    with pytest.raises(PanelError, match="no time 1999"):
        d.pairs(1999)


def test_change_of_theil_is_exact_and_attributes_to_groups(x: pd.Series) -> None:
    for options in ({"kind": "T"}, {"kind": "L"}, {"nested": "block", "kind": "T"}):
        groups = "north_south" if "nested" in options else "block"
        t = D.theil(x, groups=groups, **options)
        change = t.change(2012, 2022)
        assert change["change"].sum() == pytest.approx(
            t.table.loc[2022, "total"] - t.table.loc[2012, "total"], abs=1e-14
        )
        assert change["percent_of_change"].sum() == pytest.approx(100.0)
    even = D.theil(x, groups="block", kind="L").change()
    assert even.xs("weight", level="through")["change"].abs().max() == 0.0  # provinces do not change their number


def test_change_of_dagum_adds_up(x: pd.Series) -> None:
    c = D.dagum(x, groups="block", bootstrap=60, seed=1).change(2011, 2024)
    assert c.loc[["within", "net_between", "transvariation"], "change"].sum() == pytest.approx(c.loc["total", "change"])
    assert (c["lower"] <= c["upper"]).all() and (c["se"] > 0).all()


def test_gini_change_is_reranking_minus_progressivity(x: pd.Series) -> None:
    table = D.gini_change(x, dates=[2011, 2017, 2024]).table
    np.testing.assert_allclose(table["change"], table["reranking"] - table["progressivity"], atol=1e-14)
    gini = D.gini(x).table["gini"]
    np.testing.assert_allclose(table["end"], [gini[2017], gini[2024]], atol=1e-14)
    assert (table["reranking"] >= 0).all()
    same_order = D.gini_change(
        pd.concat({2000: x.xs(2011, level=1), 2001: x.xs(2011, level=1) ** 0.8}).swaplevel().rename("z")
    )
    assert same_order.table["reranking"].iloc[0] == pytest.approx(0.0, abs=1e-15)
    with pytest.raises(PanelError, match="at least two times"):
        D.gini_change(x, years=2015)


def test_bootstrap_matches_resampling_the_units_by_hand(x: pd.Series) -> None:
    found = D.inequality(x, ["gini", "cv"], bootstrap=40, seed=9)
    counts = np.random.default_rng(9).multinomial(31, np.full(31, 1 / 31), size=40)
    wide = x.unstack(1).loc[NAMES]  # canonical order
    for r in (0, 17, 39):
        drawn = np.repeat(np.arange(31), counts[r])
        sample = pd.DataFrame(wide.to_numpy()[drawn], columns=wide.columns).stack()
        sample.index.names = ["unit", "year"]
        by_hand = D.inequality(sample.rename("s"), ["gini", "cv"]).table
        np.testing.assert_allclose(found.draws[r], by_hand, atol=1e-13)
    np.testing.assert_allclose(found.lower["gini"], np.quantile(found.draws[:, :, 0], 0.025, axis=0))


def test_stratified_bootstrap_keeps_group_sizes(x: pd.Series) -> None:
    from nqpf_spatial.divergence._resample import multiplicities

    codes = np.array([["East", "Central", "West", "Northeast"].index(BLOCK[n]) for n in NAMES])
    counts = multiplicities(31, 25, 1, codes)
    for g, size in enumerate((10, 6, 12, 3)):
        assert (counts[:, codes == g].sum(axis=1) == size).all()


def test_same_seed_same_bits_other_seed_other_bits(x: pd.Series) -> None:
    a, b, c = (D.gini(x, bootstrap=30, seed=s).draws for s in (4, 4, 5))
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_blocks_of_replicates_do_not_change_the_result(x: pd.Series, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = D.dagum(x, groups="block", bootstrap=30, permutations=30, seed=2)
    monkeypatch.setattr("nqpf_spatial.divergence._resample._BLOCK", 4000)
    small = D.dagum(x, groups="block", bootstrap=30, permutations=30, seed=2)
    np.testing.assert_array_equal(whole.draws, small.draws)
    pd.testing.assert_frame_equal(whole.permutation, small.permutation)


def test_bootstrap_interval_covers_a_known_gini() -> None:
    """Lognormal with sigma 0.5: G = 2 Phi(sigma / sqrt 2) - 1 = 0.2763. 95 % intervals of 200 samples of 60."""
    rng = np.random.default_rng(0)
    inside = 0
    for k in range(200):
        s = pd.Series(np.exp(0.5 * rng.normal(size=60)), name="x")
        r = D.gini(s, bootstrap=200, seed=k)
        inside += r.lower.iloc[0, 0] <= 0.2763264 <= r.upper.iloc[0, 0]
    assert 170 <= inside <= 197  # percentile intervals of the Gini are somewhat short


def test_permutation_test_finds_a_gap_and_not_noise(x: pd.Series) -> None:
    found = D.dagum(x, groups="block", permutations=199, seed=1)
    test = found.test(2024)
    assert test.pvalue == pytest.approx(1 / 200) and test.df is None and "exchangeable" in test.null
    rng = np.random.default_rng(8)
    noise = pd.Series(rng.lognormal(size=31), index=NAMES, name="z")
    p = [
        D.theil(
            pd.Series(rng.permutation(noise.to_numpy()), index=NAMES, name="z"), groups="block", permutations=99, seed=k
        )
        .permutation["pvalue"]
        .iloc[0]
        for k in range(60)
    ]
    assert 0.3 < np.mean(p) < 0.7 and np.mean(np.array(p) <= 0.1) < 0.25
    with pytest.raises(ValueError, match="call with permutations=999"):
        D.dagum(x, groups="block").test(2024)


def test_domains_name_the_cells(x: pd.Series) -> None:
    zero = x.copy()
    zero[("Tibet", 2012)] = 0.0
    assert np.isfinite(D.inequality(zero, ["gini", "theil_t", "cv", "atkinson(0.5)"]).table.to_numpy()).all()
    for measure in ("theil_l", "sd_log", "atkinson(1)"):
        with pytest.raises(PanelError, match="2012: Tibet"):
            D.inequality(zero, measure)
    negative = x.copy()
    negative[("Hebei", 2013)] = -1.0
    for measure in ("gini", "theil_t"):
        with pytest.raises(PanelError, match=r"non-negative.*2013: Hebei"):
            D.inequality(negative, measure)
    assert np.isfinite(D.inequality(negative, ["cv", "sd"]).table.to_numpy()).all()
    with pytest.raises(PanelError, match=r"positive mean.*2011"):
        D.gini(x * 0)
    with pytest.raises(PanelError, match="cv needs a positive mean"):
        D.cv(x - x.groupby(level=1).transform("mean") - 1)


def test_unknown_measures_and_parameters() -> None:
    s = pd.Series([1.0, 2.0], index=["a", "b"], name="x")
    with pytest.raises(ValueError, match="measure 'ginni' is not known; choose from gini"):
        D.inequality(s, "ginni")
    with pytest.raises(ValueError, match="epsilon > 0"):
        D.atkinson(s, 0)
    with pytest.raises(ValueError, match="kind='M' is not known"):
        D.theil(s, groups={"a": 1, "b": 2}, kind="M")
    with pytest.raises(ValueError, match="need groups"):
        D.theil(s, permutations=9)
    with pytest.raises(ValueError, match="level=2"):
        D.gini(s, bootstrap=5, level=2)
    with pytest.raises(ValueError, match="is empty"):
        D.inequality(s, [])


def test_single_member_groups_have_no_inside() -> None:
    s = pd.Series([1.0, 2.0, 4.0], index=list("abc"), name="x")
    g = {"a": "A", "b": "B", "c": "C"}
    d, t = D.dagum(s, groups=g), D.theil(s, groups=g)
    assert d.table["within"].iloc[0] == 0.0 and t.table["within"].iloc[0] == pytest.approx(0.0, abs=1e-15)
    assert d.table["net_between"].iloc[0] == pytest.approx(D.gini(s).table["gini"].iloc[0])


def test_equality_gives_zero_and_no_percentages() -> None:
    s = pd.Series([2.0, 2.0, 2.0], index=list("abc"), name="x")
    d = D.dagum(s, groups={"a": 1, "b": 1, "c": 2})
    assert d.table["total"].iloc[0] == pytest.approx(0.0, abs=1e-15)


def test_gap_measures_are_those_of_the_group_means(x: pd.Series) -> None:
    found = D.gap(x, groups="block").table
    np.testing.assert_allclose(found["gini"], D.dagum(x, groups="block").table["net_between"], atol=1e-14)
    np.testing.assert_allclose(found["theil_t"], D.theil(x, groups="block").table["between"], atol=1e-14)
    means = x.groupby([x.index.get_level_values(0).map(BLOCK), "year"]).mean().unstack(0)
    np.testing.assert_allclose(found["cv"], means.std(axis=1, ddof=0) / means.mean(axis=1), atol=1e-14)
    two = D.gap(x, groups="north_south").table
    ratio = D.ratio(x, groups="north_south", over=("South", "North"))
    np.testing.assert_allclose(two["sd_log"], np.abs(np.log(ratio)), atol=1e-14)
    with pytest.raises(PanelError, match=r"mean of a group must be positive.*2011: A"):
        D.gap(x * (x.index.get_level_values(0) != "Beijing"), groups={n: "A" if n == "Beijing" else "B" for n in NAMES})


def test_results_print_and_render(x: pd.Series) -> None:
    for r in (
        D.inequality(x, bootstrap=20, seed=1),
        D.theil(x, groups="block"),
        D.dagum(x, groups="block"),
        D.gini_change(x),
    ):
        assert "rd" in str(r) and "<table" in r._repr_html_() and repr(r) == str(r)
    with pytest.raises(AttributeError):
        D.gini(x).table = None
    c = D.gini(x, bootstrap=20, seed=1).change(2012, 2020)
    assert list(c.columns) == ["start", "end", "change", "change_pct", "se", "lower", "upper"]
    with pytest.raises(PanelError, match="no time 1900"):
        D.gini(x).change(1900)


@pytest.mark.parametrize(
    "name", ["gini", "cv", "sd_log", "atkinson", "esteban_ray", "egr", "der", "wolfson", "zhang_kanbur"]
)
def test_short_names_show_their_options_and_pass_all_of_them_on(name: str) -> None:
    function = getattr(nq.divergence, name)
    shown = inspect.signature(function).parameters
    common = {"weights", "years", "missing", "bootstrap", "level", "seed", "value"}
    assert common <= set(shown) and not any(p.kind is p.VAR_KEYWORD for p in shown.values())
    rng = np.random.default_rng(5)
    index = pd.MultiIndex.from_product([list("abcdef"), [2000, 2001, 2002]], names=["unit", "year"])
    frame = pd.DataFrame({"x": rng.uniform(1, 2, 18), "w": rng.uniform(1, 2, 18)}, index=index)
    frame.loc[("f", 2002), "x"] = np.nan
    groups = {"groups": dict(zip("abcdef", "AABBCC", strict=True))} if "groups" in shown else {}
    options = {"weights": "w", "years": (2001, 2002), "missing": "drop_units", "bootstrap": 9, "level": 0.5, "seed": 3}
    found = function(frame, value="x", **options, **groups)
    long = nq.divergence.polarization if name in polarize.INDICES else nq.divergence.inequality
    other = long(frame, "atkinson(0.5)" if name == "atkinson" else name, value="x", **options, **groups)
    pd.testing.assert_frame_equal(found.table, other.table)
    pd.testing.assert_frame_equal(found.upper, other.upper)
    assert list(found.table.index) == [2001, 2002] and found.level == 0.5 and "units left out" in found.note


def test_permutation_test_of_all_years_is_the_default() -> None:
    rng = np.random.default_rng(5)
    index = pd.MultiIndex.from_product([list("abcdef"), [2000, 2001, 2002]], names=["unit", "year"])
    x = pd.Series(rng.uniform(1, 2, 18), index=index, name="x")
    groups = dict(zip("abcdef", "AAABBB", strict=True))
    for function in (nq.divergence.theil, nq.divergence.dagum):
        result = function(x, groups=groups, permutations=199, seed=1)
        assert result.test().statistic == pytest.approx(result.permutation["statistic"].mean())
        assert "mean over 3 times" in result.test().note
        one = function(x, groups=groups, years=2001, permutations=199, seed=1)
        assert (one.test().statistic, one.test().pvalue) == (one.test(2001).statistic, one.test(2001).pvalue)
    # identical years: the mean over them is each of them
    same = pd.Series(np.repeat(x.xs(2000, level=1).to_numpy(), 3), index=index, name="x")
    result = nq.divergence.theil(same, groups=groups, permutations=199, seed=1)
    assert result.test().pvalue == result.test(2000).pvalue
