"""Alignment by label: order never matters, defects are errors that name units and years."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial import provinces
from nqpf_spatial.divergence import _frame
from nqpf_spatial.errors import AlignmentError, PanelError

D = nq.divergence
NAMES = [p.name_en for p in provinces.PROVINCES]


def panel(seed: int = 0, years: range = range(2011, 2021), names: list[str] = NAMES) -> pd.Series:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([names, years], names=["province", "year"])
    growth = np.cumsum(rng.normal(0.05, 0.04, size=(len(names), len(years))), axis=1)
    level = rng.normal(0, 0.5, size=(len(names), 1))
    return pd.Series(np.exp(level + growth).ravel(), index=index, name="rd")


@pytest.fixture
def x() -> pd.Series:
    return panel()


def test_shuffled_rows_and_swapped_levels_give_identical_bits(x: pd.Series) -> None:
    base = D.dagum(x, groups="block", bootstrap=50, permutations=50, seed=3)
    for other in (x.sample(frac=1, random_state=1), x.swaplevel(), x.swaplevel().sample(frac=1, random_state=2)):
        found = D.dagum(other, groups="block", bootstrap=50, permutations=50, seed=3)
        pd.testing.assert_frame_equal(found.table, base.table, check_exact=True)
        pd.testing.assert_frame_equal(found.upper, base.upper, check_exact=True)
        pd.testing.assert_frame_equal(found.permutation, base.permutation, check_exact=True)


@pytest.mark.parametrize("form", ["name_zh", "name_zh_full", "adcode", "iso"])
def test_every_form_of_name_gives_the_same_numbers(x: pd.Series, form: str) -> None:
    rename = {p.name_en: getattr(p, form) for p in provinces.PROVINCES}
    other = x.rename(index=rename, level=0).sample(frac=1, random_state=5)
    weights = pd.Series(np.arange(1.0, 32.0), index=NAMES)  # in English beside labels in another form
    found = D.theil(other, groups="north_south", nested="block", weights=weights)
    base = D.theil(x, groups="north_south", nested="block", weights=weights)
    pd.testing.assert_frame_equal(found.table, base.table, check_exact=True)


def test_canonical_order_is_adcode_then_numbers_then_natural_text() -> None:
    assert _frame.canonical(["西藏", "Shanxi", "京"]) == ["京", "Shanxi", "西藏"]
    assert _frame.canonical([10, 9, 100]) == [9, 10, 100]
    assert _frame.canonical(["unit 10", "unit 9", "a"]) == ["a", "unit 9", "unit 10"]


def test_two_letter_labels_are_not_taken_for_provinces() -> None:
    s = pd.Series([1.0, 2.0, 3.0], index=["SD", "NY", "AH"], name="states")
    with pytest.raises(AlignmentError, match="needs Chinese provinces"):
        D.dagum(s, groups="block")


def test_missing_cells_are_named_and_never_filled(x: pd.Series) -> None:
    hole = x.copy()
    hole[("Tibet", 2013)] = np.nan
    hole[("Hainan", 2013)] = np.inf
    with pytest.raises(PanelError, match=r"rd has 2 missing or infinite cells \(2013: Hainan, Tibet\)"):
        D.gini(hole)
    years = D.gini(hole, missing="drop_years")
    assert 2013 not in years.table.index and len(years.table) == 9 and "2013" in years.note
    units = D.gini(hole, missing="drop_units")
    assert "Hainan, Tibet" in units.note
    kept = [n for n in NAMES if n not in ("Tibet", "Hainan")]
    pd.testing.assert_frame_equal(units.table, D.gini(x.loc[kept]).table)
    with pytest.raises(PanelError, match="choose 'raise', 'drop_years' or 'drop_units'"):
        D.gini(hole, missing="fill")


def test_a_year_absent_for_one_unit_is_a_missing_cell(x: pd.Series) -> None:
    with pytest.raises(PanelError, match="2012: Beijing"):
        D.gini(x.drop(index=("Beijing", 2012)))


def test_empty_years_at_the_ends_are_no_part_of_the_series(x: pd.Series) -> None:
    late = x.copy()
    years = x.index.get_level_values(1)
    late[years.isin([2011, 2012, 2020])] = np.nan
    inside = x[(years >= 2013) & (years <= 2019)]
    found = D.gini(late)
    pd.testing.assert_frame_equal(found.table, D.gini(inside).table)
    assert found.note == "series 2013-2019" and "series 2013-2019" in str(found)
    assert D.gini(inside).note == ""
    with pytest.raises(PanelError, match=r"no times 2011, 2012 of years=\(2011, 2014\)"):
        D.gini(late, years=(2011, 2014))
    late[("Tibet", 2013)] = np.nan
    with pytest.raises(PanelError, match=r"2013: Tibet"):
        D.gini(late)
    with pytest.raises(PanelError, match="rd has no value at all in 2011-2020"):
        D.gini(x * np.nan)


def test_columns_of_the_whole_panel_work_as_they_are() -> None:
    """The panel starts in 1990, real GDP per head in 2000: the calls of the design."""
    series = nq.load_panel()["gdp_real_pc"]
    w = nq.weights.contiguity()
    calls = [
        D.dagum(series, groups="block"),
        D.theil(series, groups="block"),
        D.clubs(1e4 * series),
        D.spatial_markov(series, w),
        D.markov(series),
        D.moran_by_year(series, w, permutations=99),
        D.sigma(series),
        D.ranks(series),
        D.hhi(series),
        D.densities(series),
    ]
    for found in calls:
        assert "series 2000-2024" in str(found), type(found)


def test_empty_years_in_between_ask_for_a_decision(x: pd.Series) -> None:
    early = x.copy()
    early.loc[pd.IndexSlice[:, 2012]] = np.nan
    with pytest.raises(PanelError, match=r"2012: all units.*years=\(first, last\)"):
        D.gini(early)
    assert list(D.gini(early, years=(2013, 2015)).table.index) == [2013, 2014, 2015]
    assert list(D.gini(early, years=[2013, 2020]).table.index) == [2013, 2020]
    assert list(D.gini(early, years=2015).table.index) == [2015]


def test_dead_ends_of_missing_name_the_units_or_years_and_the_way_out(x: pd.Series) -> None:
    hole = x.copy()
    hole.loc["Tibet"] = np.nan
    with pytest.raises(PanelError, match=r"leaves no year.*Tibet in every year; say missing='drop_units'"):
        D.gini(hole, missing="drop_years")
    gone = x.copy()
    gone.loc[pd.IndexSlice[:, 2015]] = np.nan
    with pytest.raises(PanelError, match=r"leaves no unit.*2015 for every unit.*missing='drop_years'"):
        D.gini(gone, missing="drop_units")


def test_windows_outside_the_data_are_errors(x: pd.Series) -> None:
    with pytest.raises(PanelError, match=r"no times 1990, .* of years=\(1990, 1995\)"):
        D.gini(x, years=(1990, 1995))
    with pytest.raises(PanelError, match=r"rd has no times 2009, 2010 of years=\(2009, 2013\); it has 2011"):
        D.gini(x, years=(2009, 2013))
    with pytest.raises(PanelError, match="no times 2021"):
        D.gini(x, years=(2013, 2021))
    with pytest.raises(PanelError, match="no times 2030"):
        D.gini(x, years=[2015, 2030])
    with pytest.raises(PanelError, match="first <= last"):
        D.gini(x, years=(2015, 2013))


def test_text_for_years_is_one_clear_error(x: pd.Series) -> None:
    text = x.rename(index=str, level=1)
    for call in (D.gini, D.markov, D.clubs, D.sigma):
        with pytest.raises(PanelError, match=r"times of rd \(index level 'year'\) must be numbers.*'2011'"):
            call(text)
    for years in ("2013", ("2011", "2013"), ["2013"]):
        with pytest.raises(PanelError, match="must be numbers"):
            D.gini(x, years=years)
    with pytest.raises(PanelError, match="cross-section without times"):
        D.gini(x.xs(2013, level=1), years=2013)


def test_a_wide_table_is_asked_to_be_stacked(x: pd.Series) -> None:
    with pytest.raises(PanelError, match=r"stacked.*\.stack\(\)"):
        D.gini(x.unstack())


def test_groups_of_a_scheme_answer_to_their_chinese_names(x: pd.Series) -> None:
    chinese = x.rename(index={p.name_en: p.name_zh for p in provinces.PROVINCES}, level=0)
    found = D.ratio(chinese, groups="block", over=("东部", "西部"))
    np.testing.assert_array_equal(found, D.ratio(x, groups="block", over=("East", "West")))
    assert found.name == "rd: 东部 / 西部"
    assert D.share(chinese, "枢纽", groups="hub").reading == D.share(x, "hub", groups="hub").reading
    with pytest.raises(AlignmentError, match="no group '南部'"):
        D.ratio(chinese, groups="block", over=("南部", "西部"))


def test_repeated_cells_text_columns_and_wrong_containers(x: pd.Series) -> None:
    with pytest.raises(PanelError, match="repeated cells"):
        D.gini(pd.concat([x, x.iloc[:2]]))
    with pytest.raises(PanelError, match="must be numeric"):
        D.gini(x.astype(str))
    with pytest.raises(PanelError, match="labelled pandas Series"):
        D.gini([1.0, 2.0])
    with pytest.raises(PanelError, match=r"index \(unit, time\)"):
        D.gini(pd.concat([x], keys=["a"]))
    with pytest.raises(AlignmentError, match="mean the same unit"):
        D.gini(pd.Series([1.0, 2.0], index=["Beijing", "北京"], name="x"))
    with pytest.raises(PanelError, match="need 2 units"):
        D.gini(pd.Series([1.0], index=["a"], name="x"))


def test_a_frame_with_columns_for_value_weights_and_groups(x: pd.Series) -> None:
    frame = x.to_frame()
    frame["pop"] = np.tile(np.arange(1.0, 11.0), 31)
    frame["side"] = ["a" if u < "M" else "b" for u in frame.index.get_level_values(0)]
    by_name = D.dagum(frame, value="rd", weights="pop", groups="side")
    by_object = D.dagum(x, weights=frame["pop"], groups=frame["side"])
    pd.testing.assert_frame_equal(by_name.table, by_object.table)
    with pytest.raises(PanelError, match="say which column"):
        D.dagum(frame, groups="side")
    with pytest.raises(PanelError, match="leave it out"):
        D.gini(x, value="rd")
    with pytest.raises(AlignmentError, match="pass the column itself"):
        D.gini(x, weights="pop")


def test_weights_align_by_label_or_say_who_is_missing(x: pd.Series) -> None:
    w = pd.Series(np.arange(1.0, 32.0), index=NAMES)
    same = D.gini(x, weights=w.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(same.table, D.gini(x, weights=w.to_dict()).table)
    with pytest.raises(AlignmentError, match="weights lack 1 units of rd: Tibet"):
        D.gini(x, weights=w.drop("Tibet"))
    by_year = pd.Series(1.0, index=x.index)
    with pytest.raises(AlignmentError, match="weights lack the times 2020"):
        D.gini(x, weights=by_year.drop(index=2020, level=1))
    with pytest.raises(PanelError, match="non-negative and not all zero"):
        D.gini(x, weights=w - 10)
    more = pd.concat([w, pd.Series({"Elsewhere": 3.0})])
    pd.testing.assert_frame_equal(D.gini(x, weights=more).table, same.table)


def test_groups_must_be_complete_constant_and_more_than_one(x: pd.Series) -> None:
    g = pd.Series({u: "AB"[i % 2] for i, u in enumerate(NAMES)})
    with pytest.raises(AlignmentError, match="1 units have no group: Tibet"):
        D.dagum(x, groups=g.drop("Tibet"))
    with pytest.raises(AlignmentError, match="at least two different values"):
        D.dagum(x, groups=dict.fromkeys(NAMES, "A"))
    late = x.index.get_level_values(1) >= 2015
    moving = pd.Series(np.where(late, "B", "A"), index=x.index)
    with pytest.raises(AlignmentError, match="changes over time: Beijing"):
        D.dagum(x, groups=moving)
    with pytest.raises(AlignmentError, match="neither a column of the data nor one of block"):
        D.dagum(x, groups="regions")


def test_group_order_is_the_scheme_the_category_or_the_alphabet(x: pd.Series) -> None:
    assert D.dagum(x, groups="block").groups == ("East", "Central", "West", "Northeast")
    g = pd.Series({u: ("z" if i % 2 else "a") for i, u in enumerate(NAMES)})
    assert D.dagum(x, groups=g).groups == ("a", "z")
    ordered = g.astype(pd.CategoricalDtype(["z", "a"]))
    assert D.dagum(x, groups=ordered).groups == ("z", "a")


def test_the_package_is_lazy_and_no_function_hides_behind_a_module() -> None:
    from pathlib import Path

    import nqpf_spatial.divergence as package

    modules = {p.stem for p in Path(package.__file__).parent.glob("*.py")}
    assert not modules & set(package._NAMES)
    assert all(callable(getattr(package, name)) for name in package.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'ginni'"):
        package.ginni  # noqa: B018


def test_tests_print_as_one_line_with_their_decision(x: pd.Series) -> None:
    test = D.log_t(1e4 * x)
    text = repr(test)
    assert "\n" not in text and "H0: all units converge, " in text and "t = " in text
    assert ("not rejected (t >= -1.65)" in text) == (test.statistic >= -1.65)
    modes = D.silverman_test(x, years=2013, draws=99, seed=1)
    assert repr(modes) == str(modes) and "at most 1 mode, " in repr(modes) and "p = " in repr(modes)
    assert ("not rejected at 5 %" in repr(modes)) == (modes.pvalue >= 0.05)


def test_small_p_values_are_not_printed_as_zero() -> None:
    from nqpf_spatial.divergence._result import Test

    assert "p < 0.001; H0: none, rejected at 5 %" in repr(Test("t", 9.0, 3.0, 1e-9, "none"))


def test_logs_that_are_not_positive_name_the_unit_and_the_way_out(x: pd.Series) -> None:
    income = nq.load_panel()["gdp_real_pc"]
    for call in (D.clubs, D.log_t, D.transition_paths):
        with pytest.raises(PanelError, match=r"gdp_real_pc is measured in .*10,?000|1e4 \* x") as caught:
            call(income)
        assert "1e4 * x" in str(caught.value) and "gdp_real_pc is measured in" in str(caught.value)
    with pytest.raises(PanelError, match=r"1e4 \* x") as caught:
        D.clubs(0.01 * x)
    assert "is measured in" not in str(caught.value)
