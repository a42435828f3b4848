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


def test_all_missing_years_ask_for_a_window(x: pd.Series) -> None:
    early = x.copy()
    early.loc[pd.IndexSlice[:, 2011]] = np.nan
    with pytest.raises(PanelError, match=r"2011: all units.*years=\(first, last\)"):
        D.gini(early)
    assert list(D.gini(early, years=(2012, 2014)).table.index) == [2012, 2013, 2014]
    assert list(D.gini(early, years=[2012, 2020]).table.index) == [2012, 2020]
    assert list(D.gini(early, years=2015).table.index) == [2015]


def test_windows_outside_the_data_are_errors(x: pd.Series) -> None:
    with pytest.raises(PanelError, match=r"no times in \(1990, 1995\)"):
        D.gini(x, years=(1990, 1995))
    with pytest.raises(PanelError, match="no times 2030"):
        D.gini(x, years=[2015, 2030])


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
