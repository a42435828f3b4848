"""Polarisation results: parts, estimated classes, parameters, inference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial import provinces
from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import polarization as kernel

D = nq.divergence
NAMES = [p.name_en for p in provinces.PROVINCES]
ALL = ["esteban_ray", "egr", "wolfson", "der", "zhang_kanbur"]


@pytest.fixture(scope="module")
def x() -> pd.Series:
    rng = np.random.default_rng(4)
    index = pd.MultiIndex.from_product([NAMES, range(2015, 2021)], names=["province", "year"])
    return pd.Series(rng.lognormal(0, 0.4, 186), index=index, name="rd")


def test_fronts_give_the_columns_of_the_whole(x: pd.Series) -> None:
    whole = D.polarization(x, ALL, groups="block", alpha=1.1, beta=0.5, der_alpha=0.7).table
    pairs = {
        "esteban_ray": D.esteban_ray(x, groups="block", alpha=1.1),
        "egr": D.egr(x, groups="block", alpha=1.1, beta=0.5),
        "wolfson": D.wolfson(x),
        "der": D.der(x, 0.7),
        "zhang_kanbur": D.zhang_kanbur(x, groups="block"),
    }
    for name, result in pairs.items():
        pd.testing.assert_series_equal(whole[name], result.table[name])


def test_zhang_kanbur_is_theil_between_over_within(x: pd.Series) -> None:
    for kind in ("T", "L"):
        t = D.theil(x, groups="block", kind=kind).table
        found = D.zhang_kanbur(x, groups="block", kind=kind).table["zhang_kanbur"]
        np.testing.assert_allclose(found, t["between"] / t["within"], rtol=1e-12)


def test_details_of_egr_add_up(x: pd.Series) -> None:
    r = D.egr(x, groups="block", alpha=1.3, beta=0.8)
    np.testing.assert_allclose(r.table["egr"], r.details["simple"] - 0.8 * r.details["error"], atol=1e-14)
    np.testing.assert_allclose(r.details["error"], r.details["gini"] - r.details["gini_between"], atol=1e-14)
    np.testing.assert_allclose(r.details["gini"], D.gini(x).table["gini"], atol=1e-14)


def test_beta_zero_is_esteban_ray(x: pd.Series) -> None:
    a, b = D.egr(x, groups="block", beta=0.0).table["egr"], D.esteban_ray(x, groups="block").table["esteban_ray"]
    np.testing.assert_allclose(a, b, atol=1e-15)


def test_estimated_classes_hide_less_than_blocks_and_are_shown(x: pd.Series) -> None:
    free, fixed = D.egr(x, classes=4), D.egr(x, groups="block")
    assert (free.details["error"] < fixed.details["error"]).all()
    year = x.xs(2018, level=1)
    np.testing.assert_array_equal(
        free.classes.loc[2018], kernel.optimal_partition(year[free.classes.columns].to_numpy(), np.ones(31), 4)
    )
    assert free.classes.loc[2018, year.idxmax()] == 3


def test_integer_weights_are_repeated_units(x: pd.Series) -> None:
    year = x.xs(2016, level=1)
    times = pd.Series(np.arange(31) % 3 + 1, index=NAMES)
    long = year.repeat(times[year.index]).reset_index(drop=True)
    group = pd.Series({p.name_en: p.block for p in provinces.PROVINCES})
    long_group = group[year.index].repeat(times[year.index]).reset_index(drop=True)
    some = ["esteban_ray", "egr", "wolfson", "zhang_kanbur"]
    a = D.polarization(year, some, groups="block", weights=times).table.iloc[0]
    b = D.polarization(long, some, groups=long_group).table.iloc[0]
    np.testing.assert_allclose(a, b, rtol=1e-11)


def test_no_index_depends_on_the_unit_of_measurement(x: pd.Series) -> None:
    a, b = (D.polarization(s, ALL, groups="block").table for s in (x, 1000 * x))
    np.testing.assert_allclose(a, b, rtol=1e-10)


def test_bootstrap_draws_inside_groups_and_gives_changes(x: pd.Series) -> None:
    r = D.polarization(x, ALL, groups="block", bootstrap=25, seed=3)
    assert r.draws.shape == (25, 6, 5) and np.isfinite(r.draws).all()
    assert (r.lower <= r.upper).to_numpy().all()
    change = r.change(2015, 2020)
    assert change.loc["wolfson", "change"] == pytest.approx(r.table["wolfson"].iloc[-1] - r.table["wolfson"].iloc[0])
    again = D.polarization(x.sample(frac=1, random_state=0), ALL, groups="block", bootstrap=25, seed=3)
    assert np.array_equal(r.draws, again.draws)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"indices": "esteban"}, "index='esteban' is not known"),
        ({"indices": "egr", "groups": "block", "alpha": 2.0}, "0 < alpha <= 1.6"),
        ({"indices": "der", "der_alpha": 0.1}, "0.25 <= alpha <= 1"),
        ({"indices": "egr", "groups": "block", "beta": -1}, "must not be negative"),
        ({"indices": ["egr", "esteban_ray"]}, "egr, esteban_ray need groups"),
        ({"indices": "egr", "groups": "block", "classes": 3}, "not both"),
        ({"indices": "egr", "classes": 3, "bootstrap": 9}, "partition itself is estimated"),
        ({"indices": "der", "bandwidth": -1.0}, "must be 'der' or a positive number"),
        ({"indices": "zhang_kanbur", "groups": "block", "kind": "Q"}, "kind='Q' is not known"),
    ],
)
def test_bad_parameters_are_explained(x: pd.Series, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        D.polarization(x, **options)


def test_degenerate_years_are_named(x: pd.Series) -> None:
    alone = {n: n for n in NAMES}
    with pytest.raises(PanelError, match="does not exist at 2015"):
        D.zhang_kanbur(
            pd.Series([1.0, 1.0, 2.0], index=pd.MultiIndex.from_product([list("abc"), [2015]]), name="z"),
            groups={"a": 1, "b": 1, "c": 2},
        )
    with pytest.raises(PanelError, match="classes=40 must lie between 2 and the 31 distinct values"):
        D.egr(x, classes=40)
    with pytest.raises(PanelError, match="polarisation needs non-negative values"):
        D.wolfson(x - 1)
    np.testing.assert_allclose(
        D.esteban_ray(x, groups=alone, alpha=1.3).table["esteban_ray"],
        2 * 31**-1.3 * D.gini(x).table["gini"],
        rtol=1e-12,
    )


def test_parameters_used_are_recorded(x: pd.Series) -> None:
    assert D.wolfson(x).parameters == {}
    assert D.egr(x, groups="block").parameters == {"alpha": 1.3, "beta": 1.0}
    assert "alpha = 1.3" in str(D.egr(x, groups="block"))
