"""Users' own tables: long and wide, csv, xlsx, dta and frames; and their combination."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces import PROVINCES

LONG = pd.DataFrame(
    {
        "省份": ["陕西省", "山西", "Xizang", "山西", "CN-SN", "西藏自治区"],
        "年份": [2021, 2020, 2020, 2021, 2020, 2021],
        "x": [6.0, 1.0, np.nan, 2.0, 5.0, 4.0],
        "y": [60, 10, 30, 20, 50, 40],
    }
)
INDEX = [
    ("Shanxi", 2020),
    ("Shanxi", 2021),
    ("Tibet", 2020),
    ("Tibet", 2021),
    ("Shaanxi", 2020),
    ("Shaanxi", 2021),
]
X = [1.0, 2.0, np.nan, 4.0, 5.0, 6.0]
Y = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]


def wide(prefix: str = "", suffix: str = "") -> pd.DataFrame:
    """The x of LONG with a column per year."""
    return pd.DataFrame(
        {
            "province": ["陕西", "Shanxi", 540000],
            f"{prefix}2020{suffix}": [5.0, 1.0, None],
            f"{prefix}2021{suffix}": [6.0, 2.0, 4.0],
        }
    )


def assert_long(frame: pd.DataFrame, columns: tuple[str, ...] = ("x", "y")) -> None:
    """The frame holds LONG, sorted."""
    assert frame.index.tolist() == INDEX
    assert frame.index.names == ["province", "year"]
    assert tuple(frame.columns) == columns
    assert (frame.dtypes == np.float64).all()
    np.testing.assert_array_equal(frame["x"], X)
    if "y" in columns:
        np.testing.assert_array_equal(frame["y"], Y)


def test_long_frame() -> None:
    assert_long(nq.data.read_table(LONG, unit="省份", time="年份"))
    assert_long(nq.data.read_table(LONG.set_index(["省份", "年份"]), unit="省份", time="年份"))
    assert_long(nq.data.read_table(LONG, unit="省份", time="年份", value="x"), ("x",))
    assert_long(nq.data.read_table(LONG, unit="省份", time="年份", ignore=["y"]), ("x",))


def test_shuffled_rows_give_the_same_panel() -> None:
    shuffled = LONG.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(
        nq.data.read_table(shuffled, unit="省份", time="年份"),
        nq.data.read_table(LONG, unit="省份", time="年份"),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_csv(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "long.csv"
    LONG.to_csv(path, index=False, encoding=encoding)
    frame = nq.data.read_table(path, unit="省份", time="年份")
    assert_long(frame)
    assert frame.attrs == {"files": ["long.csv"]}


def test_excel_with_a_sheet(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="other", index=False)
        LONG.to_excel(book, sheet_name="数据", index=False)
    assert_long(nq.data.read_table(path, unit="省份", time="年份", sheet="数据"))


def test_stata_long_with_yearly_dates_and_value_labels(tmp_path: Path) -> None:
    path = tmp_path / "long.dta"
    frame = LONG.rename(columns={"省份": "prov", "年份": "year"})
    frame["year"] = pd.to_datetime(frame["year"].astype(str))
    frame["prov"] = frame["prov"].astype("category")
    frame.to_stata(path, write_index=False, convert_dates={"year": "ty"}, version=118)
    assert_long(nq.data.read_table(path, unit="prov"))


def test_stata_wide(tmp_path: Path) -> None:
    path = tmp_path / "wide.dta"
    wide("x").assign(province=lambda t: t["province"].map(str)).to_stata(path, write_index=False, version=118)
    assert_long(nq.data.read_table(path, layout="wide", value="x"), ("x",))


@pytest.mark.parametrize(("prefix", "suffix"), [("", ""), ("x", ""), ("x_", ""), ("", "年")])
def test_wide_headings(prefix: str, suffix: str) -> None:
    assert_long(nq.data.read_table(wide(prefix, suffix), layout="wide", value="x"), ("x",))


def test_wide_with_integer_headings() -> None:
    table = wide().rename(columns={"2020": 2020, "2021": 2021})
    assert_long(nq.data.read_table(table, layout="wide", value="x"), ("x",))


def test_the_packaged_panel_goes_round(tmp_path: Path) -> None:
    panel = nq.load_panel(["gdp", "population"], names="zh")
    path = tmp_path / "panel.csv"
    panel.to_csv(path)
    back = nq.data.read_table(path, names="zh")
    pd.testing.assert_frame_equal(back, panel)
    levels = back.index.levels[0].tolist()
    assert levels == [p.name_zh for p in PROVINCES]


def test_empty_cells_and_rows(tmp_path: Path) -> None:
    path = tmp_path / "gaps.csv"
    path.write_text("province,year,x\n北京,2020,\n,,\n北京,2021, \n北京,2022,0\n")
    frame = nq.data.read_table(path)
    assert frame["x"].isna().tolist() == [True, True, False]
    assert frame["x"].iloc[2] == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"省份": ["陕西省", "山西", "Xizang", "山西", "Atlantis", "西藏"]},
            "1 labels in column '省份' are no province.*allow",
        ),
        ({"省份": ["陕西省", "山西", None, "山西", "陕西", "西藏"]}, "1 rows have no unit in column '省份'"),
        (
            {"省份": ["陕西省", "山西", "西藏", "山西", "Shaanxi", "西藏"], "年份": [2021] * 6},
            "given twice: Shanxi 2021",
        ),
        ({"年份": [2021, 2020, "n.d.", 2021, 2020, 2021]}, r"not a year: 'n\.d\.' \(Xizang\)"),
        ({"年份": [2021, 2020, 20.5, 2021, 2020, 2021]}, r"not a year: 20\.5"),
        ({"x": [1, 2, 3, "four", 5, "…"]}, "x is no number in 山西 2021: 'four', 西藏自治区 2021: '…'"),
        ({"x": [1, 2, 3, np.inf, 5, 6]}, "x is no number in 山西 2021: 'inf'"),
        ({"z": list("abcdef")}, r"z is no number in .*ignore="),
    ],
)
def test_errors_of_long_tables(change: dict[str, list[object]], message: str) -> None:
    with pytest.raises(DataSourceError, match=message):
        nq.data.read_table(LONG.assign(**change), unit="省份", time="年份")


def test_other_errors(tmp_path: Path) -> None:
    with pytest.raises(DataSourceError, match="the table has no column prov; it has 省份, 年份, x, y"):
        nq.data.read_table(LONG, unit="prov", time="年份")
    with pytest.raises(DataSourceError, match="has no column q"):
        nq.data.read_table(LONG, unit="省份", time="年份", value=["x", "q"])
    with pytest.raises(DataSourceError, match="layout='wide' needs value="):
        nq.data.read_table(wide(), layout="wide")
    with pytest.raises(DataSourceError, match=r"columns that are no years: region, gdp2021.*ignore="):
        nq.data.read_table(wide().assign(region="a", gdp2021=1), layout="wide", value="x")
    with pytest.raises(DataSourceError, match="choose 'long' or 'wide'"):
        nq.data.read_table(LONG, layout="tall")  # type: ignore[arg-type]
    with pytest.raises(DataSourceError, match=r"sheet 'b'"):
        nq.data.read_table(saved(tmp_path, LONG), sheet="b")
    with pytest.raises(DataSourceError, match=r"cannot read none\.csv"):
        nq.data.read_table("none.csv")


def saved(folder: Path, frame: pd.DataFrame) -> Path:
    """A workbook of one sheet."""
    path = folder / "one.xlsx"
    frame.to_excel(path, sheet_name="a", index=False)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"t\.csv is empty"),
        ("province,year,x\n北京,2020,1,2\n", "row 2 has more cells than the header"),
        ("province,year,\n北京,2020,1\n", "a column has no heading"),
        ("province,year,x,x\n北京,2020,1,2\n", "or two have the same: province, year, x, x"),
        ("province,year,x\n北京,2020,NA\n", "x is no number in 北京 2020: 'NA'"),
    ],
)
def test_defective_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(DataSourceError, match=message):
        nq.data.read_table(path)


def test_short_rows_end_in_missing_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\nprovince,year,x,y\n北京,2020,1\n")
    assert nq.data.read_table(path).iloc[0].tolist() == pytest.approx([1, np.nan], nan_ok=True)


def test_units_of_any_kind_keep_their_labels() -> None:
    """US postal codes look like ISO codes of provinces: with "allow" nothing is translated."""
    states = pd.DataFrame({"state": ["SD", "HI", "AK", "HI"], "t": [2001, 2002, 2001, 2001], "v": [1, 4, 2, 3]})
    frame = nq.data.read_table(states, unit="state", time="t", provinces="allow")
    assert frame.index.tolist() == [("AK", 2001), ("HI", 2001), ("HI", 2002), ("SD", 2001)]
    assert frame.index.names == ["state", "t"]
    assert frame["v"].tolist() == [2, 3, 4, 1]


def test_combine_unites_rows_and_columns() -> None:
    a = nq.load_panel(["gdp"], years=(2019, 2020))
    b = nq.load_panel(["population", "gdp"], years=(2020, 2021), names="zh")
    out = nq.data.combine([a, b])
    assert out.columns.tolist() == ["gdp", "population"]
    assert out.index.get_level_values(0).unique().tolist() == [p.name_en for p in PROVINCES]
    assert len(out) == 93
    assert out["gdp"].notna().all()
    assert out["population"].isna().sum() == 31
    pd.testing.assert_frame_equal(out[["gdp"]], nq.load_panel(["gdp"], years=(2019, 2021)))


def test_combine_does_not_depend_on_row_order() -> None:
    a, b = nq.load_panel(["gdp"], years=(2019, 2020)), nq.load_panel(["population"], years=(2020, 2021))
    mixed = nq.data.combine([a.sample(frac=1, random_state=1), b.sample(frac=1, random_state=2)])
    pd.testing.assert_frame_equal(mixed, nq.data.combine([a, b]))


def test_combine_fills_a_missing_cell_only_from_a_published_one() -> None:
    a = nq.load_panel(["gdp"], years=(2020, 2020))
    gap = a.copy()
    gap.loc["Tibet"] = np.nan
    pd.testing.assert_frame_equal(nq.data.combine([gap, a]), a)
    assert nq.data.combine([gap, gap])["gdp"].isna().sum() == 1


def test_combine_refuses_conflicts() -> None:
    a = nq.load_panel(["gdp"], years=(2020, 2021))
    b = a.copy()
    b.loc[("Tibet", 2020), "gdp"] = 2000.0
    with pytest.raises(DataSourceError, match=r"1 cells have two values: gdp of Tibet 2020: 1956\.5 and 2000"):
        nq.data.combine([a, b])
    near = a * (1 + 1e-9)
    with pytest.raises(DataSourceError, match=r"62 cells have two values.* and 52 more"):
        nq.data.combine([a, near])
    pd.testing.assert_frame_equal(nq.data.combine([a, near], tolerance=1e-8), a)


def test_combine_refuses_other_shapes() -> None:
    a = nq.load_panel(["gdp"], years=(2020, 2020))
    with pytest.raises(DataSourceError, match="at least one"):
        nq.data.combine([])
    with pytest.raises(DataSourceError, match="indices differ"):
        nq.data.combine([a, a.rename_axis(["state", "year"])])
    with pytest.raises(DataSourceError, match="rows given twice"):
        nq.data.combine([pd.concat([a, a.iloc[:1]])])
    with pytest.raises(DataSourceError, match="without rows"):
        nq.data.combine([a.iloc[:0]])
    with pytest.raises(DataSourceError, match="two units: '亿元' and '万元'"):
        one, two = a.copy(), a.copy()
        one.attrs, two.attrs = {"units": {"gdp": "亿元"}}, {"units": {"gdp": "万元"}}
        nq.data.combine([one, two])


def test_combine_units_of_any_kind() -> None:
    index = pd.MultiIndex.from_product([["b", "a"], [1, 0]], names=["city", "t"])
    a = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]}, index=index)
    b = pd.DataFrame({"y": [5.0]}, index=index[:1])
    out = nq.data.combine([a, b])
    assert out.index.tolist() == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert out["x"].tolist() == [4, 3, 2, 1]
    assert out["y"].isna().tolist() == [True, True, True, False]


def test_a_cross_section_has_no_years():
    frame = pd.DataFrame({"省份": ["陕西省", "山西"], "x": [1, 2]})
    found = nq.data.read_table(frame, unit="省份", time=None)
    assert found.index.tolist() == ["Shanxi", "Shaanxi"] and found["x"].tolist() == [2.0, 1.0]
    other = nq.data.read_table(frame.rename(columns={"省份": "id"}), unit="id", time=None, provinces="allow")
    assert other.index.name == "id"
    with pytest.raises(DataSourceError, match="given twice"):
        nq.data.read_table(pd.concat([frame, frame]), unit="省份", time=None)
    with pytest.raises(DataSourceError, match="cross-section"):
        nq.data.read_table(frame, unit="省份", time=None, layout="wide", value="x")


def test_periods_that_are_no_years_belong_to_other_units_only():
    frame = pd.DataFrame({"id": ["a", "a", "b", "b"], "t": [1, 2, 1, 2.0], "x": [1, 2, 3, 4]})
    assert nq.data.read_table(frame, unit="id", time="t", provinces="allow").index.tolist()[-1] == ("b", 2)
    with pytest.raises(DataSourceError, match=r"not a year: 1\.5"):
        nq.data.read_table(frame.assign(t=[1, 2, 1.5, 2]), unit="id", time="t", provinces="allow")
    with pytest.raises(DataSourceError, match="not a year: 1"):
        nq.data.read_table(frame.assign(id=["Beijing", "Beijing", "Tibet", "Tibet"]), unit="id", time="t")


EXPORT = ["数据库：分省年度数据", "指标：示例(亿元)", "时间：最近2年", "地区,2023年,2022年", "北京市,2,1"]


@pytest.mark.parametrize("lines", [EXPORT, EXPORT[3:]], ids=["heading lines", "header row only"])
def test_an_nbs_export_is_sent_to_its_reader(tmp_path, lines):
    file = tmp_path / "export.csv"
    file.write_bytes("\n".join(lines).encode("gb18030"))
    with pytest.raises(DataSourceError, match=r"nq\.data\.read_nbs\('export\.csv'\)"):
        nq.data.read_table(file)


def test_a_table_of_ones_own_with_a_column_of_regions_is_none(tmp_path):
    file = tmp_path / "own.csv"
    file.write_text("地区,year,x\n北京,2020,1\n", encoding="utf-8")
    assert nq.data.read_table(file, unit="地区").shape == (1, 1)


def test_periods_that_are_counted_suggest_allow():
    table = pd.DataFrame({"unit": ["Beijing", "Beijing"], "t": [1, 2], "x": [1.0, 2.0]})
    with pytest.raises(DataSourceError, match=r"not a year: 1 \(Beijing\).*provinces='allow' takes periods"):
        nq.data.read_table(table, unit="unit", time="t")
    assert nq.data.read_table(table, unit="unit", time="t", provinces="allow").index.tolist() == [
        ("Beijing", 1),
        ("Beijing", 2),
    ]
    with pytest.raises(DataSourceError, match="not a year: 'Q1'") as caught:
        nq.data.read_table(table.assign(t=["Q1", "Q2"]), unit="unit", time="t")
    assert "allow" not in str(caught.value)
