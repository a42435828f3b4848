"""Convergence clubs against Phillips and Sul (2009), Stata's psecta, and their own rules."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import diags_array, eye_array
from scipy.sparse.linalg import spsolve

import nqpf_spatial as nq
from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import convergence as kernel

D = nq.divergence
REFERENCE = Path(__file__).parent / "reference"


@pytest.fixture(scope="module")
def world() -> np.ndarray:
    """152 countries, 1970-2003; the years 1971-1980 do not enter the regression and repeat 1970."""
    table = pd.read_csv(REFERENCE / "phillips_sul_2009.csv", comment="#", index_col="country")
    y = np.empty((len(table), 34))
    y[:, :11] = table.iloc[:, :1]
    y[:, 11:] = table.iloc[:, 1:]
    return y


def test_the_152_countries_of_phillips_and_sul(world: np.ndarray) -> None:
    """Phillips and Sul (2009): seven clubs of 50, 30, 21, 24, 14, 11 and 2 countries; 4 and 5 merge.

    R's ConvergenceClubs prints the same sizes. Slopes and standard errors to the digits they print.
    """
    setup = kernel.Setup(start=12)
    whole = kernel.log_t(world, setup)
    assert whole.beta == pytest.approx(-0.875, abs=5e-4) and whole.tstat < -150
    clubs, divergent = kernel.find_clubs(world, world[:, -1], setup, "raise", 0.0, 0.05)
    assert [len(c) for c in clubs] == [50, 30, 21, 24, 14, 11, 2] and len(divergent) == 0
    published = [
        (0.382, 0.041),
        (0.240, 0.035),
        (0.110, 0.032),
        (0.131, 0.064),
        (0.190, 0.111),
        (1.003, 0.166),
        (-0.470, 0.842),
    ]
    for club, (beta, se) in zip(clubs, published, strict=True):
        found = kernel.log_t(world, setup, club)
        assert (found.beta, found.se) == pytest.approx((beta, se), abs=0.0016)
    assert kernel.merge_in_turn(world, clubs, setup) == [[0], [1], [2], [3, 4], [5], [6]]
    assert kernel.merge_best(world, clubs, setup) == [[0], [1], [2], [3, 4], [5], [6]]


def simulated(seed: int) -> pd.Series:
    """The panels of make_clubs_psecta.py."""
    rng = np.random.default_rng(seed)
    start = 8 + rng.normal(size=(20, 1)) * 0.5
    y = start + np.cumsum(rng.normal(size=(20, 25)) * 0.03, axis=1)
    index = pd.MultiIndex.from_product([range(20), range(1990, 2015)], names=["unit", "year"])
    return pd.Series(y.ravel(), index=index, name="y")


@pytest.mark.parametrize(
    "case", json.loads((REFERENCE / "clubs_psecta.json").read_text()), ids=lambda c: f"{c['seed']}-{c['sieve']}"
)
def test_clubs_are_those_of_psecta(case: dict) -> None:
    y = simulated(case["seed"])
    raw = {"hp_lambda": None, "log": False, "sieve": case["sieve"]}
    first = D.clubs(y, merge=None, **raw)
    assert first.membership.fillna(0).tolist() == case["clubs"]
    assert D.clubs(y, **raw).membership.fillna(0).tolist() == case["merged"]
    assert (first.beta, first.log_t.statistic) == pytest.approx((case["beta"], case["tstat"]), rel=1e-9)
    assert (
        first.membership.fillna(0).tolist()
        != D.clubs(y, merge=None, **{**raw, "sieve": "fixed"}).membership.fillna(0).tolist()
    )


def test_every_club_passes_its_own_test_unless_fixed() -> None:
    for seed in range(12):
        r = D.clubs(simulated(seed), hp_lambda=None, log=False)
        assert r.table["convergent"].all()
        assert sum(len(m) for m in r.members.values()) + len(r.divergent) == 20


def test_filter_is_the_hodrick_prescott_trend() -> None:
    y = simulated(1)
    found = D.transition_paths(np.exp(y).rename("x"), hp_lambda=400).table
    second = diags_array([np.ones(23), -2 * np.ones(23), np.ones(23)], offsets=[0, 1, 2], shape=(23, 25))
    system = (eye_array(25) + 400 * second.T @ second).tocsc()
    trend = spsolve(system, y.unstack(0).to_numpy())
    np.testing.assert_allclose(found, trend / trend.mean(axis=1, keepdims=True), rtol=1e-9)
    np.testing.assert_allclose(found.mean(axis=1), 1.0)


def test_one_club_where_all_converge() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(1, 31)
    y = 8 + 0.02 * t + rng.normal(size=(10, 1)) / t**1.5
    index = pd.MultiIndex.from_product([range(10), 1990 + t], names=["unit", "year"])
    r = D.clubs(pd.Series(y.ravel(), index=index, name="y"), log=False, hp_lambda=None)
    assert r.n_clubs == 1 and r.divergent == () and r.membership.eq(1).all() and not r.indicative
    assert r.beta == pytest.approx(3.0, abs=0.8)  # H falls like t^-3: b = 3 less the log log term


def test_short_panels_are_indicative() -> None:
    y = simulated(2)
    r = D.clubs(y, years=(1990, 2003), log=False)
    assert r.indicative and "indicative" in str(r)
    assert not D.clubs(y, years=(1990, 2004), log=False).indicative


def test_trim_of_the_code_and_of_the_paper() -> None:
    y = simulated(4)
    assert "t = 9..25" in D.log_t(y, log=False, hp_lambda=None, r=0.3).note  # drops round(7.5) = 8
    assert "t = 7..25" in D.log_t(y, log=False, hp_lambda=None, r=0.3, trim="paper").note
    a = D.log_t(y, log=False, hp_lambda=None, long_run="andrews")
    b = D.log_t(y, log=False, hp_lambda=None)
    assert a.statistic != b.statistic and a.note.split(",")[0] == b.note.split(",")[0]


def test_absorbing_divergent_units_only_adds_passing_ones() -> None:
    for seed in range(20):
        plain = D.clubs(simulated(seed), log=False, hp_lambda=None)
        more = D.clubs(simulated(seed), log=False, hp_lambda=None, absorb_divergent=True)
        assert set(more.divergent) <= set(plain.divergent)
        assert more.table["convergent"].all()


def test_order_of_rows_does_not_matter_and_labels_come_back() -> None:
    y = simulated(6)
    a, b = D.clubs(y, log=False), D.clubs(y.sample(frac=1, random_state=0), log=False)
    pd.testing.assert_series_equal(a.membership, b.membership)
    pd.testing.assert_frame_equal(a.table, b.table, check_exact=True)


def test_what_cannot_be_tested_says_why() -> None:
    y = simulated(3)
    with pytest.raises(PanelError, match="must be positive, they are not for 1, 3, 4"):
        D.clubs(np.exp(y - 8).rename("share"))
    with pytest.raises(PanelError, match="needs positive values"):
        D.clubs(y - 8)
    with pytest.raises(PanelError, match="equally spaced"):
        D.log_t(y.drop(index=1995, level=1), log=False)
    with pytest.raises(PanelError, match=r"4 points \(T = 6"):
        D.log_t(y, years=(1990, 1995), log=False)
    flat = pd.Series(5.0, index=y.index, name="flat")
    with pytest.raises(PanelError, match="units are identical"):
        D.log_t(flat, log=False, hp_lambda=None)
    for options, message in (
        ({"merge": "all"}, "merge='all'"),
        ({"sieve": "max"}, "sieve='max'"),
        ({"trim": "x"}, "trim='x'"),
        ({"r": 1.5}, "r=1.5"),
        ({"hp_lambda": -1}, "hp_lambda=-1"),
        ({"c_step": 0}, "c_step=0"),
        ({"long_run": "nw"}, "long_run='nw'"),
    ):
        with pytest.raises(ValueError, match=message):
            D.clubs(y, log=False, **options)


def test_the_table_before_merging_says_where_each_club_went() -> None:
    r = D.clubs(simulated(1), log=False, hp_lambda=None)
    for club, members in r.members.items():
        assert len(members) == r.initial.loc[r.initial["merged_into"] == club, "size"].sum()


def test_small_units_of_a_logged_series_are_warned_about() -> None:
    """Three units with a constant log gap and 6 percent growth: no convergence, whatever the unit."""
    t = np.arange(20)
    logs = 0.5 + np.array([[-0.2], [0.0], [0.3]]) + 0.06 * t + 0.001 * np.random.default_rng(0).normal(size=(3, 20))
    index = pd.MultiIndex.from_product([list("abc"), 2005 + t], names=["unit", "year"])
    in_ten_thousands = pd.Series(np.exp(logs).ravel(), index=index, name="gdp_pc")
    with pytest.warns(D.UnitDependenceWarning, match=r"from 0\.53 to 1\.67, which alone divides .* by 9\.9"):
        small = D.log_t(in_ten_thousands, hp_lambda=None)
    large = D.log_t(1e4 * in_ten_thousands, hp_lambda=None)
    assert large.statistic < -1.65 and float(small.note.split()[1].rstrip(",")) > float(
        large.note.split()[1].rstrip(",")
    )
