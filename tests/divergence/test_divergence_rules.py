"""Rules of the register: defaults equal the packaged register, each reading reached on made data."""

from __future__ import annotations

import inspect
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial import provinces
from nqpf_spatial.errors import AlignmentError, PanelError

D = nq.divergence
NAMES = [p.name_en for p in provinces.PROVINCES]
BLOCK = np.array([p.block for p in provinces.PROVINCES])
YEARS = range(2013, 2025)


def panel(log_gap: np.ndarray, noise: float = 0.002, seed: int = 0) -> pd.Series:
    """Province values: an East lift that follows ``log_gap`` by year, fixed differences inside blocks."""
    rng = np.random.default_rng(seed)
    own = np.random.default_rng(99).permutation(np.linspace(-0.3, 0.3, 31))[:, None]
    east = (BLOCK == "East")[:, None]
    y = own + east * log_gap[None, :] + 0.06 * np.arange(len(log_gap)) + noise * rng.normal(size=(31, len(log_gap)))
    index = pd.MultiIndex.from_product([NAMES, YEARS], names=["province", "year"])
    return pd.Series(np.exp(y).ravel(), index=index, name="rd")


FLAT, UP, DOWN = (0.7 + s * np.linspace(0, 0.4, 12) for s in (0.0, 1.0, -1.0))


@pytest.mark.parametrize(
    ("rule", "function", "rename"),
    [
        ("R-TREND", "trend_label", {}),
        ("R-TREND", "trend_rule", {}),
        ("R-SHARE", "share", {}),
        ("R-LEVEL", "level_permutation", {}),
        ("R-OSSIFY", "ossify", {}),
        ("R-POLAR", "polar", {}),
        ("R-CLUB", "clubs", {"reject_t_lt": "critical", "indicative_below_T": "indicative_below"}),
    ],
)
def test_defaults_are_the_numbers_of_the_register(rule: str, function: str, rename: dict[str, str]) -> None:
    """Every parameter of the rule that the function has carries the pre-stated value."""
    import yaml

    text = (
        __import__("importlib.resources").resources.files("nqpf_spatial.claims") / "files" / "register.yaml"
    ).read_text("utf-8")
    numbers = next(r["parameters"] for r in yaml.safe_load(text)["rules"] if r["id"] == rule)
    signature = inspect.signature(getattr(D, function)).parameters
    compared = 0
    for name, value in numbers.items():
        mine = rename.get(name, name)
        if mine in signature:
            default = signature[mine].default
            assert (list(default) if isinstance(default, tuple) else default) == value, name
            compared += 1
    assert compared >= 1


def test_trend_rule_reads_dispersion_and_gaps() -> None:
    assert D.trend_rule(panel(UP)).label == "DIVERGING"
    assert D.trend_rule(panel(DOWN)).reading == "contradict"
    flat = D.trend_rule(panel(FLAT), groups="block")
    assert (flat.label, flat.reading) == ("STABLE", "otherwise")
    up = D.trend_rule(panel(UP), groups="block")
    assert up.label == "DIVERGING" and (up.table["label"] == "DIVERGING").sum() >= 3
    assert list(up.table.index) == ["cv", "theil_t", "gini", "sd_log"]
    with pytest.raises(PanelError, match="at least 8 years"):
        D.trend_rule(panel(UP), years=(2018, 2024))


def test_three_of_four_measures_must_agree() -> None:
    from nqpf_spatial.divergence.rules import agreed

    labels = pd.Series(["DIVERGING", "DIVERGING", "STABLE", "DIVERGING"])
    assert agreed(labels, 3) == "DIVERGING" and agreed(labels, 4) == "STABLE"
    assert agreed(pd.Series(["CONVERGING"] * 3 + ["DIVERGING"]), 3) == "CONVERGING"


def test_frozen_gaps_support_moving_ones_contradict() -> None:
    frozen = D.ossify(panel(FLAT))
    assert frozen.reading == "support" and frozen.table["holds"].all()
    assert frozen.table.loc["(ii) Spearman", "value"] > 0.99
    moving = D.ossify(panel(UP))
    assert moving.reading == "contradict" and "DIVERGING" in moving.reason
    ends = panel(UP).unstack(1)[[2013, 2024]].loc[NAMES].to_numpy()
    ratio = ends[BLOCK == "East"].mean(axis=0) / ends[BLOCK == "West"].mean(axis=0)
    assert moving.table.loc["(iv) East/West, change %", "value"] == pytest.approx(100 * (ratio[1] / ratio[0] - 1))


def test_stable_gaps_with_churning_ranks_are_neither() -> None:
    """No trend between blocks, but provinces swap places inside them every year."""
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([NAMES, YEARS], names=["province", "year"])
    y = np.zeros((31, 12))
    for b in np.unique(BLOCK):
        mine = np.flatnonzero(b == BLOCK)
        spots = np.linspace(-1.5, 1.5, len(mine))
        y[mine] = np.stack([rng.permutation(spots) for _ in range(12)], axis=1)
    r = D.ossify(pd.Series(np.exp(y).ravel(), index=index, name="z"))
    assert r.reading == "otherwise"
    assert r.table["holds"].tolist() == [True, True, False, False, True]
    assert D.ossify(pd.Series(np.exp(y).ravel(), index=index, name="z"), min_of_ii_to_iv=1).reading == "support"


def test_common_growth_is_not_mobility() -> None:
    r = D.ossify(panel(FLAT, noise=0.0))
    assert r.table.loc["(iii) Shorrocks", "value"] < 0.05
    raw = D.ossify(panel(FLAT, noise=0.0), relative=False)
    assert raw.table.loc["(iii) Shorrocks", "value"] > 0.1  # 6 percent a year moves everybody up the pooled classes


def test_an_absent_year_is_skipped_in_the_chain() -> None:
    short = panel(FLAT).drop(index=2017, level=1)
    assert D.ossify(short).reading == "support"


def test_polarisation_needs_both_indices() -> None:
    rising = D.polar(panel(UP))
    assert (rising.label, rising.reading) == ("DIVERGING", "support")
    assert list(rising.table.index) == ["wolfson", "esteban_ray", "esteban_ray(1)", "esteban_ray(1.6)"]
    assert rising.table["decides"].tolist() == [True, True, False, False]
    assert D.polar(panel(DOWN)).reading == "contradict"
    assert D.polar(panel(FLAT)).label == "STABLE" and "egr" in D.polar(panel(FLAT)).evidence


def test_one_label_may_suffice_if_asked() -> None:
    from nqpf_spatial.divergence.rules_frozen import _joint

    one = pd.Series(["STABLE", "DIVERGING"])
    assert _joint(one, True) == "STABLE" and _joint(one, False) == "DIVERGING"
    assert _joint(pd.Series(["CONVERGING", "DIVERGING"]), False) == "STABLE"


def totals(east: float) -> pd.Series:
    values = np.where(BLOCK == "East", east / 10, (100 - east) / 21)
    return pd.Series(values, index=NAMES, name="racks")


@pytest.mark.parametrize(
    ("east", "reading"), [(50.1, "support"), (50.0, "otherwise"), (40.0, "otherwise"), (39.9, "contradict")]
)
def test_share_at_its_thresholds(east: float, reading: str) -> None:
    r = D.share(totals(east).round(9), "East")
    assert r.reading == reading
    assert r.table.loc["East", "share_pct"] == pytest.approx(east) and r.table["share_pct"].sum() == pytest.approx(100)


def test_location_quotients_stand_beside_the_share() -> None:
    gdp = pd.DataFrame({"gdp": totals(60.0)})
    r = D.share(totals(30.0), "East", against=gdp.sample(frac=1, random_state=0))
    assert r.table.loc["East", "lq_gdp"] == pytest.approx(0.5)
    with pytest.raises(AlignmentError, match="no group 'South'"):
        D.share(totals(30.0), "South")
    with pytest.raises(AlignmentError, match="are not those of racks"):
        D.share(totals(30.0), "East", against=gdp.drop("Tibet"))


def test_share_of_the_year_asked_for() -> None:
    x = pd.concat({2020: totals(30.0), 2021: totals(60.0)}).swaplevel().rename("racks")
    x.index.names = ["province", "year"]
    assert D.share(x, "East").reading == "support"
    assert D.share(x, "East", year=2020).reading == "contradict"
    assert D.share(x, "East").evidence["share"].tolist() == pytest.approx([0.3, 0.6])
    with pytest.raises(PanelError, match="has no year 2019"):
        D.share(x, "East", year=2019)


def test_small_groups_are_compared_over_all_arrangements() -> None:
    x = pd.Series([5.0, 6.0, 7.0, 1.0, 2.0, 6.5, 0.5], index=list("abcdefg"), name="x")
    r = D.level_permutation(x, "A", groups=dict(zip("abcdefg", "AAABBBB", strict=True)))
    v = x.to_numpy()
    gaps = [v[list(c)].mean() - np.delete(v, list(c)).mean() for c in combinations(range(7), 3)]
    observed = v[:3].mean() - v[3:].mean()
    assert r.table["pvalue"].iloc[0] == pytest.approx(np.mean(np.array(gaps) >= observed - 1e-12))
    assert "all 35 arrangements" in r.reason


def test_level_readings_and_the_same_sign_clause() -> None:
    high = D.level_permutation(panel(FLAT), "East", "West", seed=1)
    assert high.reading == "support" and high.table["pvalue"].iloc[0] < 0.01
    low = D.level_permutation(panel(FLAT), "West", "East", seed=1)
    assert low.reading == "contradict" and low.table["pvalue_below"].iloc[0] < 0.01
    assert D.level_permutation(panel(0 * FLAT), "East", seed=1).reading == "otherwise"
    crossing = np.linspace(-0.3, 0.8, 12)
    assert D.level_permutation(panel(crossing), "East", seed=1).reading == "otherwise"
    assert D.level_permutation(panel(crossing), "East", seed=1, same_sign_every_year=False).reading == "support"


def test_level_permutes_only_the_two_groups_and_respects_weights_and_sides() -> None:
    x = panel(FLAT)
    moved = x.copy()
    central = np.isin(x.index.get_level_values(0), [n for n, b in zip(NAMES, BLOCK, strict=True) if b == "Central"])
    moved[central] *= 100
    a, b = (D.level_permutation(s, "East", "West", seed=3).table for s in (x, moved))
    pd.testing.assert_frame_equal(a, b)
    two = D.level_permutation(x, "East", "West", seed=3, sides=2)
    assert two.table["pvalue"].iloc[0] == pytest.approx(2 * a["pvalue"].iloc[0])
    w = pd.Series(np.arange(1.0, 32.0), index=NAMES)
    year = x.xs(2024, level=1)[NAMES].to_numpy()
    east = BLOCK == "East"
    expected = np.average(year[east], weights=w[east]) - np.average(year[~east], weights=w[~east])
    assert D.level_permutation(x, "East", weights=w, seed=3).table["difference"].iloc[0] == pytest.approx(expected)
    with pytest.raises(ValueError, match="sides=3"):
        D.level_permutation(x, "East", sides=3)


def test_level_p_values_are_uniform_without_a_difference() -> None:
    rng = np.random.default_rng(5)
    p = [
        D.level_permutation(pd.Series(rng.normal(size=31), index=NAMES, name="z"), "East", seed=k, permutations=199)
        .table["pvalue"]
        .iloc[0]
        for k in range(200)
    ]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.1 and 0.4 < np.mean(p) < 0.6
