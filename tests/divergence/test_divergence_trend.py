"""Trends: Theil-Sen, Mann-Kendall with Hamed-Rao against pymannkendall, breaks, the label of R-TREND."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import PanelError

D = nq.divergence
CASES = json.loads((Path(__file__).parent / "reference" / "mann_kendall_pymannkendall.json").read_text())


def annual(values: object, start: int = 2013) -> pd.Series:
    v = np.asarray(values, dtype=float)
    return pd.Series(v, index=range(start, start + len(v)), name="gini")


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"n{len(c['y'])}-{c['factor']:.2f}")
def test_mann_kendall_and_hamed_rao_are_those_of_pymannkendall(case: dict) -> None:
    """pymannkendall 1.4.3; see reference/README.md for the choice of lengths."""
    y = annual(case["y"])
    plain, corrected = D.mann_kendall(y, correction="none"), D.mann_kendall(y)
    assert (plain.statistic, plain.pvalue) == pytest.approx((case["plain_z"], case["plain_p"]), rel=1e-9)
    assert (corrected.statistic, corrected.pvalue) == pytest.approx((case["hr_z"], case["hr_p"]), rel=1e-9)
    assert f"factor {case['factor']:.3f}" in corrected.note
    assert D.theil_sen(y).slope == pytest.approx(case["slope"], rel=1e-9)


def test_order_of_rows_and_shifts_of_years_do_not_matter() -> None:
    y = annual(CASES[1]["y"])
    assert D.mann_kendall(y.sample(frac=1, random_state=1)) == D.mann_kendall(y)
    assert D.mann_kendall(annual(CASES[1]["y"], 1900)).pvalue == D.mann_kendall(y).pvalue


def test_slope_uses_true_distances_between_years() -> None:
    y = pd.Series([1.0, 2.0, 4.0, 5.0], index=[2000, 2001, 2003, 2004], name="y")
    found = D.theil_sen(y)
    assert (found.slope, found.intercept + 2002 * found.slope) == pytest.approx((1.0, 3.0))
    assert found.lower <= 1.0 <= found.upper


def undefined() -> pd.Series:
    """A series whose corrected variance is not positive, found by search."""
    for seed in range(3000):
        y = annual(np.random.default_rng(seed).normal(size=12))
        try:
            D.mann_kendall(y)
        except ValueError:
            return y
    raise AssertionError("none found")


def test_a_correction_that_does_not_exist_is_an_error_or_the_plain_test() -> None:
    y = undefined()
    with pytest.raises(ValueError, match=r"variance is not positive.*use correction='none'"):
        D.mann_kendall(y)
    stood_in = D.mann_kendall(y, if_undefined="plain")
    assert stood_in.pvalue == D.mann_kendall(y, correction="none").pvalue
    assert stood_in.note.startswith("plain variance used")
    assert "plain variance used" in D.trend_label(np.exp(y)).test.note
    with pytest.raises(ValueError, match="variance is not positive"):
        D.trend_label(np.exp(y), if_undefined="raise")


def test_size_of_the_plain_test_under_independence() -> None:
    rng = np.random.default_rng(0)
    p = [D.mann_kendall(annual(rng.normal(size=12)), correction="none").pvalue for _ in range(800)]
    assert 0.025 < np.mean(np.array(p) < 0.05) < 0.06


def test_change_is_fitted_end_over_fitted_start() -> None:
    y = annual(0.3 * 1.02 ** np.arange(12) * np.array([1.001, 0.999] * 6))
    r = D.trend_label(y)
    assert r.label == "DIVERGING" and r.n == 12
    assert r.change_pct == pytest.approx(100 * (np.exp(11 * r.slope) - 1))
    fitted = r.table["fitted"]
    assert 100 * (fitted.iloc[-1] / fitted.iloc[0] - 1) == pytest.approx(r.change_pct)
    assert r.slope == pytest.approx(D.theil_sen(np.log(y)).slope)


@pytest.mark.parametrize(
    ("yearly", "label"), [(1.010, "DIVERGING"), (1.002, "STABLE"), (0.990, "CONVERGING"), (0.998, "STABLE")]
)
def test_label_needs_size_as_well_as_significance(yearly: float, label: str) -> None:
    """A clean trend is always significant; 12 years at 0.2 percent stay below 5 percent."""
    r = D.trend_label(annual(0.4 * yearly ** np.arange(12)))
    assert r.pvalue < 0.001 and r.label == label


def test_a_large_change_without_significance_is_stable() -> None:
    y = annual([1.0, 1.6, 0.8, 1.5, 0.9, 1.7, 0.9, 1.8, 1.0, 1.7, 1.1, 1.9])
    r = D.trend_label(y, correction="none")
    assert r.change_pct > 5 and r.pvalue > 0.05 and r.label == "STABLE"
    assert D.trend_label(y, correction="none", alpha=0.5).label == "DIVERGING"
    assert D.trend_label(y, correction="none", alpha=0.5, diverging_change_pct_ge=500).label == "STABLE"


def test_the_label_does_not_depend_on_the_scale() -> None:
    y = annual(np.exp(np.random.default_rng(2).normal(0, 0.1, 12)))
    a, b = D.trend_label(y), D.trend_label(1000 * y)
    assert (a.label, a.pvalue) == (b.label, b.pvalue) and a.change_pct == pytest.approx(b.change_pct)


def test_what_the_rule_refuses() -> None:
    with pytest.raises(PanelError, match="needs at least 8 years, gini has 7"):
        D.trend_label(annual(range(1, 8)))
    with pytest.raises(PanelError, match="positive values; gini is not at 2014"):
        D.trend_label(annual([1, 0, 1, 2, 1, 2, 1, 2]))
    with pytest.raises(PanelError, match="missing at 2015"):
        D.trend_label(annual([1, 2, np.nan, 2, 1, 2, 1, 2, 3]))
    with pytest.raises(PanelError, match="indexed by year"):
        D.mann_kendall(pd.Series([1.0] * 9, index=list("abcdefghi")))
    with pytest.raises(PanelError, match="repeated years 2013"):
        D.mann_kendall(pd.concat([annual(range(9)), annual([1.0])]))
    with pytest.raises(ValueError, match="correction='hr'"):
        D.mann_kendall(annual(range(9)), correction="hr")


def test_a_break_is_found_where_it_is_and_the_test_keeps_its_size() -> None:
    t = np.arange(14)
    rng = np.random.default_rng(3)
    broken = annual(0.1 * t + 1.5 * (t >= 8) + rng.normal(0, 0.1, 14), 2010)
    r = D.structural_break(broken, kind="level", seed=0)
    assert r.year == 2018 and r.test.pvalue < 0.01 and list(r.table.index) == list(range(2013, 2022))
    p = [D.structural_break(annual(0.2 * t + rng.normal(size=14)), seed=k, draws=199).test.pvalue for k in range(150)]
    assert 0.01 < np.mean(np.array(p) <= 0.05) < 0.1
    with pytest.raises(ValueError, match="margin=9"):
        D.structural_break(broken, margin=9)
    with pytest.raises(ValueError, match="kind='bend'"):
        D.structural_break(broken, kind="bend")


def test_table_of_labels_has_a_row_per_column() -> None:
    frame = pd.DataFrame({"up": annual(1.03 ** np.arange(10)), "down": annual(0.97 ** np.arange(10))})
    table = D.trend_table(frame, min_years=10)
    assert table["label"].to_dict() == {"up": "DIVERGING", "down": "CONVERGING"}
    assert table.loc["up", "change_pct"] == pytest.approx(100 * (1.03**9 - 1))
