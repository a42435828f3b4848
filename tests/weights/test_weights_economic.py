"""Economic distance, similarity, asymmetric economic-geographic weights; the pre-sample rule."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError, DataSourceError, EndogeneityWarning, PanelError

INCOME = pd.Series({"Beijing": 7.0, "Tianjin": 6.0, "Hebei": 2.0, "Shanxi": 2.0}, name="income")


def test_hand_computed_gaps_with_a_floor() -> None:
    w = nq.weights.economic(INCOME, None, transform="none").to_frame()
    floor = 0.05 * (1 + 5 + 5 + 4 + 4 + 0) / 6
    assert w.loc["Beijing"].tolist() == [0, 1, 0.2, 0.2]
    assert w.loc["Tianjin"].tolist() == [1, 0, 0.25, 0.25]
    assert w.loc["Hebei", "Shanxi"] == pytest.approx(1 / floor, rel=1e-15) == pytest.approx(6.315789, abs=1e-6)
    row = nq.weights.economic(INCOME, None).to_frame().loc["Beijing"]
    np.testing.assert_allclose(row, [0, 1 / 1.4, 0.2 / 1.4, 0.2 / 1.4], rtol=1e-15)


def test_report_names_the_pairs_the_floor_caps() -> None:
    table = nq.weights.economic(INCOME, None).report()
    assert table.loc["floor", "value"].endswith("it binds for 1 pairs")
    assert table.loc["near-equal pairs", "value"] == "Hebei-Shanxi"
    assert "capped by the floor" in table.loc["near-equal pairs", "flag"]


def test_without_a_floor_equal_units_are_refused() -> None:
    with pytest.raises(ValueError, match="equal for Hebei-Shanxi: 1 / gap is infinite"):
        nq.weights.economic(INCOME, None, floor=None)
    apart = INCOME + [0, 0, 0, 0.5]
    w = nq.weights.economic(apart, None, floor=None, transform="none").to_frame()
    assert w.loc["Hebei", "Shanxi"] == 2.0


def test_exponential_form() -> None:
    w = nq.weights.economic(INCOME, None, form="exponential", scale=2.0, transform="none").to_frame()
    assert w.loc["Beijing", "Hebei"] == pytest.approx(np.exp(-2.5), rel=1e-15)
    assert w.loc["Hebei", "Shanxi"] == 1.0
    default = nq.weights.economic(INCOME, None, form="exponential", transform="none").to_frame()
    assert default.loc["Beijing", "Tianjin"] == pytest.approx(np.exp(-6 / 19), rel=1e-14)


def test_packaged_variable_is_a_mean_over_years() -> None:
    panel = nq.load_panel(["gdp_real_pc"])
    mean = panel["gdp_real_pc"].unstack().loc[:, 2005:2010].mean(axis=1)
    assert nq.weights.economic(years=(2005, 2010)) == nq.weights.economic(mean, (2005, 2010))
    own = nq.weights.economic("gdp_real_pc", (2005, 2010), data=panel.sample(frac=1, random_state=0))
    assert own == nq.weights.economic(years=(2005, 2010))
    assert nq.weights.economic(names="zh") == nq.weights.economic()


def test_breaks_in_the_data_are_reported_not_hidden() -> None:
    table = nq.weights.economic(years=(2005, 2010)).report()
    assert "2010: census step" in table.loc["breaks in the data", "value"]
    assert "breaks in the data" not in nq.weights.economic(years=2007).report().index


def test_pre_sample_rule() -> None:
    with pytest.warns(EndogeneityWarning, match="uses data of 2005-2012, but the sample starts in 2012"):
        late = nq.weights.economic(years=(2005, 2012), sample_start=2012)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        early = nq.weights.economic(years=(2005, 2010), sample_start=2012)
        nq.weights.check_presample(early, 2012)
        nq.weights.check_presample(nq.weights.contiguity(), 1990)
    with pytest.warns(EndogeneityWarning):
        nq.weights.check_presample(late, 2012)
    for builder in (nq.weights.similarity, nq.weights.asymmetric_economic, nq.weights.gravity):
        variable = "gdp_real"
        with pytest.warns(EndogeneityWarning):
            builder(variable, (2010, 2013), sample_start=2012)
    with pytest.warns(EndogeneityWarning):
        nq.weights.migration("5yr_2015", sample_start=2012)
    assert "Qu and Lee" in early.note and early.data_years == (2005, 2010)


def test_asymmetric_weights_scale_columns() -> None:
    geo = nq.weights.inverse_distance(power=2, transform="none").subset(INCOME.index)
    w = nq.weights.asymmetric_economic(INCOME, None, geography=geo, transform="none")
    np.testing.assert_allclose(w.dense(), geo.base.toarray() * INCOME.to_numpy() / INCOME.mean(), rtol=1e-15)
    assert not w.is_symmetric
    rows = nq.weights.from_any(
        pd.DataFrame(geo.base.toarray() * INCOME.to_numpy()[:, None], index=INCOME.index, columns=INCOME.index)
    )
    np.testing.assert_allclose(rows.dense(), geo.with_transform("row").dense(), rtol=1e-14)  # the usual mistake
    shuffled = nq.weights.asymmetric_economic(INCOME[::-1], None, geography=geo.reorder(INCOME.index[::-1]))
    assert shuffled == w.with_transform("row")
    with pytest.raises(ValueError, match="must be positive; not so for Hebei"):
        nq.weights.asymmetric_economic(INCOME - 2, None, geography=geo)
    with pytest.raises(AlignmentError, match=r"not over the same units; only in 1/d\^2: Inner Mongolia.*w.subset"):
        nq.weights.asymmetric_economic(INCOME, None)
    zh = geo.with_names("zh")
    assert nq.weights.asymmetric_economic(INCOME, None, geography=zh) == w.with_transform("row")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nq.weights.economic("gdp_reel_pc"), DataSourceError, "gdp_reel_pc"),
        (lambda: nq.weights.economic(years=(1980, 1985)), PanelError, "1980"),
        (lambda: nq.weights.economic(years=(2010, 2005)), ValueError, "first year comes after the last"),
        (lambda: nq.weights.economic(years="2010"), ValueError, "must be a year or"),
        (lambda: nq.weights.economic(years=None), ValueError, "years= is needed"),
        (lambda: nq.weights.economic("software_revenue", 2015), PanelError, "missing for Tibet 2015"),
        (lambda: nq.weights.economic(INCOME, None, form="linear"), ValueError, "'linear' is not known"),
        (lambda: nq.weights.economic(INCOME, None, floor=0), ValueError, "floor=0 must be"),
        (lambda: nq.weights.economic(INCOME, None, scale=2), ValueError, "belongs to form='exponential'"),
        (lambda: nq.weights.economic(INCOME, None, form="exponential", scale=-1), ValueError, "must be positive"),
        (lambda: nq.weights.economic(INCOME * 0, None), ValueError, "the same for all units"),
        (lambda: nq.weights.economic(INCOME.iloc[:1], None), ValueError, "at least two units"),
        (lambda: nq.weights.economic(INCOME.where(INCOME > 2), None), PanelError, "for Hebei, Shanxi"),
        (lambda: nq.weights.economic(INCOME.astype(str) + "x", None), PanelError, "not numbers"),
        (lambda: nq.weights.economic(INCOME, None, data=pd.DataFrame()), ValueError, "not both"),
        (lambda: nq.weights.economic("x", 2000, data=INCOME.to_frame("x")), PanelError, "two-level index"),
    ],
)
def test_defects_are_named(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_own_panels_are_checked() -> None:
    panel = pd.DataFrame({"x": [1.0, 2, 3, 4]}, index=pd.MultiIndex.from_product([["a", "b"], [2000, 2001]]))
    assert nq.weights.economic("x", (2000, 2001), data=panel).n == 2
    with pytest.raises(PanelError, match="'y' is not a column"):
        nq.weights.economic("y", 2000, data=panel)
    with pytest.raises(PanelError, match="more than one row for"):
        nq.weights.economic("x", 2000, data=pd.concat([panel, panel.iloc[:1]]))
    with pytest.raises(PanelError, match="missing for b 2001"):
        nq.weights.economic("x", (2000, 2001), data=panel.iloc[:3])


@pytest.mark.parametrize("form", ["en", "zh", "adcode"])
def test_a_series_by_unit_and_year_is_averaged(form: str) -> None:
    gdp = nq.load_panel(["gdp_real_pc", "gdp_real"], names=form)  # type: ignore[arg-type]
    w = nq.weights.economic(gdp["gdp_real_pc"], (2005, 2010))
    assert w == nq.weights.economic(names=form) and w.n == 31  # type: ignore[arg-type]
    assert nq.weights.economic(gdp["gdp_real_pc"].swaplevel().sort_index(), (2005, 2010)) == w
    assert nq.weights.gravity(gdp["gdp_real"], (2005, 2010)).n == 31
    with pytest.raises(ValueError, match="years= is needed to average 'gdp_real_pc'"):
        nq.weights.economic(gdp["gdp_real_pc"], None)
    with pytest.raises(PanelError, match="gdp_real_pc has no year 2025"):
        nq.weights.economic(gdp["gdp_real_pc"], (2011, 2025))


def test_groups_by_unit_and_year_are_an_error() -> None:
    groups = nq.load_panel("gdp")["gdp"] > 10_000
    with pytest.raises(AlignmentError, match="groups= has an index of 2 levels; give one group per unit"):
        nq.weights.block(groups)
