"""Reading of NBS exports. All figures in the fixtures are invented; only the layouts are real."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces import PROVINCES

OLD_SITE = """数据库：分省年度数据
指标：示例指标(亿元)
时间：最近3年
地区,2023年,2022年,2021年
北京市,3.5,2.5,1.5
内蒙古自治区,,20,10
山西省,300,200,100
陕西省,3000,2000,
注：测试用数据，不是真实数字。
数据来源：国家统计局
"""
# The new site ends every cell with a tab and every row with a comma, and leaves the indicator out.
NEW_SITE_YEARS = """数据库：分省年度数据
时间：2021年-2023年
地区\t,2023年\t,2022年\t,2021年\t,
北京市\t,\t,2.5\t,1.5\t,
西藏自治区\t,0.3\t,0.2\t,0.1\t,
注：1. 测试用数据，不是真实数字。
2. 第二条说明, 含逗号。
数据来源：国家统计局"""
NEW_SITE_INDICATORS = """数据库：分省年度数据
时间：2024年
地区\t,年末示例人口 (万人) \t,示例比重 (%) \t,
北京市\t,2000\t,80.5\t,
广西壮族自治区\t,5000\t,\t,
数据来源：国家统计局"""
BY_INDICATOR = """数据库：分省年度数据
地区：陕西省
时间：最近2年
指标,2023年,2022年
示例甲(亿元),2,1
示例乙(万人),20,10
数据来源：国家统计局"""
BY_YEAR = """数据库：分省年度数据
指标：示例指标(亿元)
时间：最近2年
时间,北京市,上海市
2023年,2,4
2022年,1,3
数据来源：国家统计局"""


def save(folder: Path, text: str, encoding: str = "utf-8", name: str = "分省年度数据.csv") -> Path:
    """Write a fixture."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def expected_old() -> pd.DataFrame:
    """The old-site fixture as a panel, written by hand."""
    rows = {
        ("Beijing", 2021): 1.5,
        ("Beijing", 2022): 2.5,
        ("Beijing", 2023): 3.5,
        ("Shanxi", 2021): 100,
        ("Shanxi", 2022): 200,
        ("Shanxi", 2023): 300,
        ("Inner Mongolia", 2021): 10,
        ("Inner Mongolia", 2022): 20,
        ("Inner Mongolia", 2023): np.nan,
        ("Shaanxi", 2021): np.nan,
        ("Shaanxi", 2022): 2000,
        ("Shaanxi", 2023): 3000,
    }
    index = pd.MultiIndex.from_tuples(list(rows), names=["province", "year"])
    return pd.DataFrame({"示例指标": np.array(list(rows.values()), dtype=float)}, index=index)


def assert_same(frame: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Same labels in the same order, same values."""
    assert frame.index.tolist() == expected.index.tolist()
    assert frame.index.names == expected.index.names
    assert frame.columns.tolist() == expected.columns.tolist()
    np.testing.assert_array_equal(frame.to_numpy(), expected.to_numpy())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_old_site_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    frame = nq.data.read_nbs(save(tmp_path, OLD_SITE, encoding))
    assert_same(frame, expected_old())
    assert frame.attrs == {
        "units": {"示例指标": "亿元"},
        "notes": ["注：测试用数据，不是真实数字。", "数据来源：国家统计局"],
        "files": ["分省年度数据.csv"],
    }


def spreadsheet(text: str) -> list[list[str | float | None]]:
    """The cells of a fixture as a spreadsheet holds them: numbers are numbers, empty cells are empty."""
    rows = [[cell.strip() for cell in line.split(",")] for line in text.strip().split("\n")]
    return [[float(c) if c.replace(".", "").isdigit() else c or None for c in row] for row in rows]


def test_xlsx(tmp_path: Path) -> None:
    import openpyxl

    path = tmp_path / "export.xlsx"
    book = openpyxl.Workbook()
    for row in spreadsheet(OLD_SITE):
        book.active.append(row)
    book.save(path)
    assert_same(nq.data.read_nbs(path), expected_old())
    # some workbooks of this format are called .xls; the content decides
    renamed = path.rename(tmp_path / "export.xls")
    assert_same(nq.data.read_nbs(renamed), expected_old())


def biff(rows: list[list[str | float | None]]) -> bytes:
    """A minimal .xls: one BIFF8 sheet of labels and numbers in a compound file of 512-byte sectors."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    sheet = record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 6))
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if isinstance(cell, str):
                text = cell.encode("utf-16-le")
                sheet += record(0x204, struct.pack("<HHHHB", i, j, 0, len(cell), 1) + text)
            elif cell is not None:
                sheet += record(0x203, struct.pack("<HHHd", i, j, 0, cell))
    sheet += record(0x0A, b"")
    opening = record(0x809, struct.pack("<HHHHII", 0x600, 0x05, 0, 0, 0, 6)) + record(0x42, b"\xb0\x04")
    start = len(opening) + 13 + 4  # after this BOUNDSHEET record and the EOF
    opening += record(0x85, struct.pack("<IHBB", start, 0, 1, 0) + b"A") + record(0x0A, b"")
    stream = opening + sheet
    stream += bytes(max(4096, -(-len(stream) // 512) * 512) - len(stream))
    n = len(stream) // 512
    fat = [*range(1, n), 0xFFFFFFFE, 0xFFFFFFFE, 0xFFFFFFFD]
    fat += [0xFFFFFFFF] * (128 - len(fat))

    def entry(name: str, kind: int, child: int, first: int, size: int) -> bytes:
        label = name.encode("utf-16-le").ljust(64, b"\0")
        links = struct.pack("<HBBIII", 2 * len(name) + 2 if name else 0, kind, 1, *[0xFFFFFFFF] * 2, child)
        return label + links + bytes(36) + struct.pack("<III", first, size, 0)

    directory = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 0, len(stream))
    directory += 2 * entry("", 0, 0xFFFFFFFF, 0, 0)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(10) + struct.pack("<IIIIIIIII", 1, n, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, n + 1)
    header += struct.pack("<I", 0xFFFFFFFF) * 108
    return header + stream + directory + struct.pack("<128I", *fat)


def test_xls(tmp_path: Path) -> None:
    path = tmp_path / "export.xls"
    path.write_bytes(biff(spreadsheet(OLD_SITE)))
    assert_same(nq.data.read_nbs(path), expected_old())
    long = [["province", "year", "x"], ["北京", 2020.0, 1.5], ["山西", 2020.0, None]]
    path.write_bytes(biff(long))
    frame = nq.data.read_table(path)
    assert frame.index.tolist() == [("Beijing", 2020), ("Shanxi", 2020)]
    np.testing.assert_array_equal(frame["x"], [1.5, np.nan])


def test_spreadsheet_cells_that_are_no_numbers(tmp_path: Path) -> None:
    """What other readers take for missing ("NA", an error of Excel) is text here, and text is an error."""
    import openpyxl

    path = tmp_path / "export.xlsx"
    for text in ("NA", "#N/A", "n/a", "nan", "None"):
        book = openpyxl.Workbook()
        for row in spreadsheet(OLD_SITE.replace("3000", text)):
            book.active.append(row)
        book.save(path)
        with pytest.raises(DataSourceError, match=f"'{text}' is not a number"):
            nq.data.read_nbs(path)


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_damaged_workbook_is_named(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "broken.xls"
    path.write_bytes(start + bytes(600))
    with pytest.raises(DataSourceError, match=r"broken\.xls, sheet 0: "):
        nq.data.read_nbs(path)


def test_a_missing_sheet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(biff([["province", "year", "x"]]))
    with pytest.raises(DataSourceError, match=r"a\.xls, sheet 'b': No sheet named"):
        nq.data.read_table(path, sheet="b")


@pytest.mark.parametrize(("suffix", "package"), [("xls", "xlrd"), ("xlsx", "openpyxl")])
def test_a_missing_engine_is_an_instruction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" if suffix == "xls" else b"PK\x03\x04")
    with pytest.raises(DataSourceError, match=rf"a\.{suffix}.*{package}.*nqpf-spatial\[tables\]"):
        nq.data.read_nbs(path)


def test_new_site_with_years(tmp_path: Path) -> None:
    frame = nq.data.read_nbs(save(tmp_path, NEW_SITE_YEARS), value="x")
    assert frame["x"].loc["Tibet"].to_dict() == {2021: 0.1, 2022: 0.2, 2023: 0.3}
    assert np.isnan(frame.at[("Beijing", 2023), "x"])
    assert frame.attrs["notes"] == [
        "注：1. 测试用数据，不是真实数字。",
        "2. 第二条说明,含逗号。",
        "数据来源：国家统计局",
    ]


def test_new_site_with_indicators(tmp_path: Path) -> None:
    frame = nq.data.read_nbs(save(tmp_path, NEW_SITE_INDICATORS))
    assert frame.columns.tolist() == ["年末示例人口", "示例比重"]
    assert frame.attrs["units"] == {"年末示例人口": "万人", "示例比重": "%"}
    assert frame.loc[("Guangxi", 2024), "年末示例人口"] == 5000
    assert np.isnan(frame.loc[("Guangxi", 2024), "示例比重"])


def test_one_province_by_indicators(tmp_path: Path) -> None:
    frame = nq.data.read_nbs(save(tmp_path, BY_INDICATOR))
    assert frame.columns.tolist() == ["示例甲", "示例乙"]
    assert frame.to_numpy().tolist() == [[1, 10], [2, 20]]
    assert frame.index.tolist() == [("Shaanxi", 2022), ("Shaanxi", 2023)]


def test_years_in_rows(tmp_path: Path) -> None:
    frame = nq.data.read_nbs(save(tmp_path, BY_YEAR), value="x", names="zh")
    assert frame["x"].to_dict() == {
        ("北京", 2022): 1,
        ("北京", 2023): 2,
        ("上海", 2022): 3,
        ("上海", 2023): 4,
    }


def test_without_heading_lines(tmp_path: Path) -> None:
    text = "地区,2023年,2022年\n北京市,,1\n数据来源：国家统计局,,\n"
    frame = nq.data.read_nbs(save(tmp_path, text), value="x")
    assert frame["x"].isna().tolist() == [False, True]


def test_all_provinces_come_in_canonical_order(tmp_path: Path) -> None:
    rows = [f"{p.name_zh_full},{i}" for i, p in enumerate(PROVINCES)]
    head = "数据库：分省年度数据\n指标：示例\n时间：2023年\n地区,2023年\n"
    shuffled = save(tmp_path, head + "\n".join(reversed(rows)))
    frame = nq.data.read_nbs(shuffled, value="x")
    assert frame["x"].tolist() == list(range(31))
    assert frame.attrs["units"] == {"x": ""}


def test_thousands_separators(tmp_path: Path) -> None:
    text = '指标：示例(元)\n地区,2023年\n北京市,"1,234,567.5"\n'
    assert nq.data.read_nbs(save(tmp_path, text), value="x").to_numpy().tolist() == [[1234567.5]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OLD_SITE.replace("山西省", "山西省内"), r"row 7: unknown or ambiguous province '山西省内'.*山西"),
        (OLD_SITE.replace("山西省", "全国"), "row 7: unknown or ambiguous province '全国'"),
        (OLD_SITE.replace("200,", "二百,"), "'二百' is not a number .*山西省.*2022年|'二百' is not a number"),
        (OLD_SITE.replace("200,", "--,"), "'--' is not a number"),
        (OLD_SITE.replace("山西省", "陕西"), "of Shaanxi 2023 is given twice"),
        (OLD_SITE.replace("2022年", "2023年"), "of Beijing 2023 is given twice"),
        (OLD_SITE.replace("2022年", "备注"), r"columns 备注 do not fit the others"),
        (OLD_SITE.replace("地区,", "省份,"), "row 4: '省份' is neither a heading line"),
        (OLD_SITE + "北京市,1,2,3\n", "'北京市' stands after the notes"),
        (OLD_SITE.replace("北京市,3.5,2.5,1.5", "北京市,3.5,2.5,1.5,9"), "row 5: cells outside the header"),
        ("数据库：分省年度数据\n", "no header row"),
        ("a,b\n1,2\n", "row 1: 'a' is neither a heading line"),
        (NEW_SITE_YEARS, r"does not name its indicator .*value="),
        (NEW_SITE_INDICATORS.replace("2024年", "最近2年"), "时间 is '最近2年', not one year: give year="),
        (BY_INDICATOR.replace("2023年", "全国"), "do not fit the others"),
        (BY_INDICATOR.replace("陕西省", "某省"), "line 地区: unknown or ambiguous province '某省'"),
        (BY_YEAR.replace("2022年,", "去年,"), "'去年' is not a year"),
    ],
)
def test_errors_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataSourceError, match=message):
        nq.data.read_nbs(save(tmp_path, text))


def test_year_can_be_given(tmp_path: Path) -> None:
    text = NEW_SITE_INDICATORS.replace("2024年", "")
    frame = nq.data.read_nbs(save(tmp_path, text), year=2019)
    assert frame.index.get_level_values("year").unique().tolist() == [2019]


def test_one_name_for_several_indicators_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSourceError, match=r"2 indicators \(年末示例人口, 示例比重\); leave value out"):
        nq.data.read_nbs(save(tmp_path, NEW_SITE_INDICATORS), value="x")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataSourceError, match=r"cannot read nothing\.csv"):
        nq.data.read_nbs(tmp_path / "nothing.csv")
    with pytest.raises(DataSourceError, match="cannot be decoded as ascii; give encoding="):
        nq.data.read_nbs(save(tmp_path, OLD_SITE), encoding="ascii")
    path = tmp_path / "bad.csv"
    path.write_bytes(b"\xff\x00\xff\x81\xff")
    with pytest.raises(DataSourceError, match="cannot be decoded as UTF-8 and GB 18030"):
        nq.data.read_nbs(path)


def test_two_exports_combine(tmp_path: Path) -> None:
    one = nq.data.read_nbs(save(tmp_path, OLD_SITE, name="1.csv"), value="x")
    two = nq.data.read_nbs(save(tmp_path, NEW_SITE_YEARS, name="2.csv"), value="y")
    both = nq.data.combine([one, two])
    assert both.loc[("Beijing", 2022)].tolist() == [2.5, 2.5]
    assert both.loc[("Tibet", 2021)].isna().tolist() == [True, False]
    assert both.attrs["files"] == ["1.csv", "2.csv"]
    assert both.attrs["units"] == {"x": "亿元", "y": ""}
