"""Distributions, modes, Markov chains on the US states, ranks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gaussian_kde

import nqpf_spatial as nq
from nqpf_spatial import provinces
from nqpf_spatial.errors import AlignmentError, PanelError

D = nq.divergence
NAMES = [p.name_en for p in provinces.PROVINCES]


@pytest.fixture(scope="module")
def states() -> pd.Series:
    """Income per head of the 48 US states 1929-2009, shipped with libpysal."""
    from libpysal.examples import get_path

    frame = pd.read_csv(get_path("usjoin.csv")).set_index("Name")
    wide = frame[[str(y) for y in range(1929, 2010)]].astype(float)
    wide.columns = range(1929, 2010)
    long = wide.stack()
    long.index.names = ["state", "year"]
    return long.rename("income")


@pytest.fixture(scope="module")
def state_weights(states: pd.Series) -> "nq.weights.SpatialWeights":  # noqa: UP037
    """Contiguity of the states: rows of states48.gal are the rows of usjoin.csv."""
    from pathlib import Path

    from libpysal.examples import get_path
    from libpysal.weights import W

    names = list(dict.fromkeys(states.index.get_level_values(0)))
    lines = Path(get_path("states48.gal")).read_text().split("\n")[1:]
    near = {}
    for head, tail in zip(lines[::2], lines[1::2], strict=False):
        if head.strip():
            near[names[int(head.split()[0])]] = [names[int(j)] for j in tail.split()]
    return nq.weights.from_any(W(near, silence_warnings=True))


def test_markov_chain_of_the_states_is_what_giddy_prints(states: pd.Series) -> None:
    """Documentation of giddy 2.3: relative incomes in pooled quintiles."""
    m = D.markov(states, k=5)
    printed = [[707, 58, 7, 1, 0], [50, 629, 80, 1, 1], [4, 79, 610, 73, 2], [0, 7, 72, 650, 37], [0, 0, 0, 48, 724]]
    np.testing.assert_array_equal(m.counts, printed)
    np.testing.assert_allclose(m.ergodic, [0.17957376, 0.21631443, 0.21499942, 0.21134662, 0.17776576], atol=5e-9)
    np.testing.assert_allclose(m.cutoffs, [0.83999133, 0.94707545, 1.03242697, 1.14911154], atol=5e-9)


def test_yearly_quintiles_and_shorrocks_are_what_giddy_prints(states: pd.Series) -> None:
    m = D.markov(states, k=5, classes="yearly")
    printed = [[729, 71, 1, 0, 0], [72, 567, 80, 3, 0], [0, 81, 631, 86, 2], [0, 3, 86, 573, 56], [0, 0, 1, 57, 741]]
    np.testing.assert_array_equal(m.counts, printed)
    assert round(m.shorrocks, 5) == 0.19759
    assert D.markov(states, k=5, classes="yearly", relative=False).shorrocks == m.shorrocks
    p = m.table.to_numpy()
    np.testing.assert_allclose(m.se, np.sqrt(p * (1 - p) / m.counts.sum(axis=1).to_numpy()[:, None]))


def test_spatial_markov_of_the_states_is_what_giddy_prints(states: pd.Series, state_weights: object) -> None:
    """Documentation of giddy 2.3: LR 170.659, Q 200.624, 60 degrees of freedom, five long runs."""
    s = D.spatial_markov(states.sample(frac=1, random_state=0), state_weights, k=5)
    assert (round(s.tests["lr"].statistic, 3), round(s.tests["q"].statistic, 3)) == (170.659, 200.624)
    assert s.tests["lr"].df == 60 and "neighbours" in s.tests["q"].null
    np.testing.assert_allclose(s.table.loc[(1, 1)], [0.96341463, 0.0304878, 0.00609756, 0, 0], atol=5e-9)
    np.testing.assert_allclose(s.ergodic.loc[5], [0.01776781, 0.19964349, 0.19009833, 0.25524697, 0.3372434], atol=5e-8)
    np.testing.assert_allclose(s.lag_cutoffs, [0.88973386, 0.95891917, 1.01469758, 1.1183566], atol=5e-9)
    np.testing.assert_array_equal(s.counts.groupby(level=1).sum(), D.markov(states, k=5).counts)


def test_spatial_markov_needs_the_units_of_the_weights(states: pd.Series, state_weights: object) -> None:
    with pytest.raises(AlignmentError, match="not in the data: Wyoming"):
        D.spatial_markov(states.drop(index="Wyoming", level=0), state_weights)


def chain(years: list[int]) -> pd.Series:
    index = pd.MultiIndex.from_product([list("abcd"), years], names=["unit", "year"])
    rng = np.random.default_rng(0)
    return pd.Series(rng.lognormal(size=len(index)), index=index, name="x")


def test_moves_over_a_gap_are_refused_or_skipped() -> None:
    x = chain([2011, 2012, 2014, 2015])
    with pytest.raises(PanelError, match=r"\(2012, 2014\) are further apart"):
        D.markov(x, k=2)
    m = D.markov(x, k=2, gaps="skip")
    assert m.counts.to_numpy().sum() == 8 and m.skipped == ((2012, 2014),)
    assert "no transition counted over gaps" in str(m)
    assert D.markov(chain([2000, 2005, 2010]), k=2).counts.to_numpy().sum() == 8  # every five years is a step


def test_ties_empty_classes_and_bad_limits() -> None:
    index = pd.MultiIndex.from_product([list("abcd"), [2000, 2001]], names=["unit", "year"])
    tied = pd.Series([1.0, 1, 1, 1, 1, 1, 5, 6], index=index, name="x")
    with pytest.raises(PanelError, match="ties leave fewer than 4 classes"):
        D.markov(tied, relative=False)
    late = pd.Series([1.0, 1, 2, 2, 1, 9, 2, 2], index=index, name="x")
    with pytest.raises(PanelError, match="ever in class 3 of 3 before the last year"):
        D.markov(late, classes=[1.5, 5.0], relative=False)
    with pytest.raises(ValueError, match="inner limits must rise"):
        D.markov(late, classes=[2.0, 1.0])
    with pytest.raises(ValueError, match="classes='quintile' is not known"):
        D.markov(late, classes="quintile")
    with pytest.raises(ValueError, match="at least two"):
        D.markov(late, k=1)
    with pytest.raises(PanelError, match="at least two times"):
        D.markov(late, years=2000, classes=[1.5])


def test_a_chain_with_two_long_runs_has_two_rows() -> None:
    index = pd.MultiIndex.from_product([list("abcd"), [2000, 2001, 2002]], names=["unit", "year"])
    x = pd.Series(np.repeat([1.0, 1.0, 3.0, 3.0], 3), index=index, name="x")
    m = D.markov(x, classes=[2.0], relative=False)
    assert m.ergodic.to_numpy().tolist() == [[1.0, 0.0], [0.0, 1.0]] and m.shorrocks == 0.0
    assert "no unique long run" in str(m)


@pytest.fixture(scope="module")
def x() -> pd.Series:
    rng = np.random.default_rng(9)
    index = pd.MultiIndex.from_product([NAMES, range(2018, 2023)], names=["province", "year"])
    return pd.Series(rng.lognormal(0, 0.5, 155), index=index, name="rd")


def test_densities_are_those_of_scipy_and_integrate_to_one(x: pd.Series) -> None:
    r = D.densities(x, bandwidth=0.25)
    year = x.xs(2020, level=1)
    relative = (year / year.mean()).to_numpy()
    peer = gaussian_kde(relative, bw_method=0.25 / relative.std(ddof=1))
    np.testing.assert_allclose(r.curves[2020], peer(r.curves.index), rtol=1e-8)
    area = np.trapezoid(r.curves.to_numpy(), r.curves.index, axis=0)
    np.testing.assert_allclose(area, 1.0, atol=2e-3)
    assert list(r.table.columns) == ["bandwidth", "modes", "main_mode", "p10", "p90"]


def test_densities_by_block_use_the_members_only(x: pd.Series) -> None:
    r = D.densities(x, groups="block", relative=False, log=True)
    assert r.groups == ("East", "Central", "West", "Northeast")
    east = [p.name_en for p in provinces.PROVINCES if p.block == "East"]
    v = np.log(x.xs(2019, level=1)[east]).to_numpy()
    h = r.table.loc[("East", 2019), "bandwidth"]
    peer = gaussian_kde(v, bw_method=h / v.std(ddof=1))
    np.testing.assert_allclose(r.curves[("East", 2019)], peer(r.curves.index), rtol=1e-8, atol=1e-300)


def test_densities_refuse_small_groups_and_constants(x: pd.Series) -> None:
    with pytest.raises(PanelError, match="fewer in B"):
        D.densities(x, groups={n: "B" if n in ("Tibet", "Hainan") else "A" for n in NAMES})
    with pytest.raises(PanelError, match="all values of rd are equal at 2018"):
        D.densities(x * 0 + 1)
    with pytest.raises(ValueError, match="bandwidth=0"):
        D.densities(x, bandwidth=0)


def test_silverman_finds_two_modes_and_keeps_its_size() -> None:
    rng = np.random.default_rng(1)
    two = pd.Series(np.concatenate([rng.normal(0, 1, 20), rng.normal(8, 1, 20)]), name="z")
    assert D.silverman_test(two, seed=0, draws=199).pvalue < 0.02
    assert D.silverman_test(two, modes=2, seed=0, draws=199).pvalue > 0.1
    p = [D.silverman_test(pd.Series(rng.normal(size=31), name="z"), seed=k, draws=99).pvalue for k in range(40)]
    assert np.mean(np.array(p) < 0.05) < 0.1  # conservative under one mode


def test_silverman_takes_one_year_and_is_free_of_scale(x: pd.Series) -> None:
    a = D.silverman_test(x, years=2020, seed=3, draws=99)
    b = D.silverman_test(50 * x, years=2020, seed=3, draws=99)
    assert a.pvalue == b.pvalue and b.statistic == pytest.approx(50 * a.statistic, rel=1e-3)
    assert a.null == "at most 1 mode"
    with pytest.raises(PanelError, match="needs one year"):
        D.silverman_test(x)
    with pytest.raises(PanelError, match="distinct values"):
        D.silverman_test(pd.Series([1.0, 1, 1, 2, 2, 2], name="z"), modes=2)
    with pytest.raises(ValueError, match="modes=0"):
        D.silverman_test(x, years=2020, modes=0)


def test_ranks_give_paths_moves_and_correlations(x: pd.Series) -> None:
    r = D.ranks(x, first=2019)
    wide = x.unstack(1).loc[NAMES]
    pd.testing.assert_frame_equal(r.paths.T, wide.rank(ascending=False), check_dtype=False, check_names=False)
    assert r.spearman.statistic == pytest.approx(wide[2019].corr(wide[2022], method="spearman"))
    assert r.kendall.statistic == pytest.approx(wide[2019].corr(wide[2022], method="kendall"))
    assert r.correlations.loc[2019, "spearman_first"] == pytest.approx(1.0)
    assert r.correlations.loc[2021, "kendall_before"] == pytest.approx(wide[2020].corr(wide[2021], method="kendall"))
    assert (r.table["rise"] == r.table["first"] - r.table["last"]).all()
    assert r.table["first"].idxmin() == wide[2019].idxmax()
