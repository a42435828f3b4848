"""Printed tables: every format holds the same cells, and every cell is the number of the result."""

import io
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from rich.cells import cell_len

import nqpf_spatial as nq
from nqpf_spatial.report import grid
from nqpf_spatial.report.grid import Cell, Row, Table, number, probability, significant, star_levels, stars_of

docx = pytest.importorskip("docx")
openpyxl = pytest.importorskip("openpyxl")
lxml_html = pytest.importorskip("lxml.html")
pytest.importorskip("maketables")

HOSTILE = r"=R&D_share 100% #1 {x} ~ ^ \ $5 <b>bold</b> | *a* [c]"


@pytest.fixture(scope="module")
def fits():
    w, other = nq.weights.contiguity(), nq.weights.knn(k=4)
    data = nq.simulate("SDM", w, T=8, params={"x": 1.0, "z": -0.01, "W:x": 0.5, "rho": 0.4}, seed=1)
    formula = "y ~ x + z | unit + period"
    return {"queen": nq.sdm(formula, data, w), "knn": nq.sdm(formula, data, other), "gmm": nq.gmm(formula, data, w)}


@pytest.fixture(scope="module", params=["en", "zh", "ci"])
def printed(request, fits):
    lang = "zh" if request.param == "zh" else "en"
    brackets = "ci" if request.param == "ci" else "se"
    labels = {"x": HOSTILE, "z": "人均产出，对数"}
    return nq.compare(fits, lang=lang, brackets=brackets, labels=labels, show="both", digits=3).table


def rows_of(table):
    """Printed cells by row, the label first; block heads left out."""
    return [[row.label, *(c.printed for c in row.cells)] for row in table.rows]


def blocks_of(table):
    return list(dict.fromkeys(row.block for row in table.rows))


# -- readers of the formats, written against the formats and not against the writers -------------------------------


def read_tex(text):
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    found = []
    for line in body.splitlines():
        if " & " not in line:
            continue
        cells = [part.strip() for part in re.split(r"(?<!\\)&", line.removesuffix(r" \\"))]
        found.append([untex(cell) for cell in cells])
    return found


def untex(cell):
    cell = re.sub(r"\\times 10\^\{(-?)(\d+)\}", lambda m: f"e{m[1] or '+'}{int(m[2]):02d}", cell)
    cell = re.sub(r"\^\{(\*+)\}", r"\1", cell).replace(r",\ ", ", ")
    for made, sign in (
        (r"\textbackslash{}", "\\"),
        (r"\textasciitilde{}", "~"),
        (r"\textasciicircum{}", "^"),
        (r"\textbar{}", "|"),
        (r"$\sigma^2$", "σ²"),
        (r"$^2$", "²"),
        (r"$\rho$", "ρ"),
        (r"$\times$", "×"),
        ("$<$", "<"),
        ("$>$", ">"),
    ):
        cell = cell.replace(made, sign)
    cell = re.sub(r"\\([&%$#_{}])", "\x00\\1", cell)
    return re.sub(r"(?<!\x00)\$", "", cell).replace("\x00", "")


def read_html(text):
    found = []
    for row in lxml_html.fromstring(text).iter("tr"):
        cells = [c for c in row if c.tag in ("td", "th")]
        if cells and any(c.tag == "td" for c in cells) and not row.get("class", "").startswith("gt_sourcenotes"):
            found.append([c.text_content() for c in cells])
    return found


def read_markdown(text):
    lines = [line for line in text.splitlines() if line.startswith("| ")][2:]
    cells = [[part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    plain = [[re.sub(r"\\(.)", r"\1", cell) for cell in row] for row in cells]
    return [row for row in plain if any(row[1:])]


def read_word(data):
    table = docx.Document(io.BytesIO(data)).tables[0]
    return [[cell.text for cell in row.cells] for row in table.rows]


# -- every format holds the same cells -----------------------------------------------------------------------------


def test_latex_holds_the_cells(printed):
    made = printed.to_latex()
    assert read_tex(made) == rows_of(printed)
    assert made.count(r"\toprule") == made.count(r"\bottomrule") == 1
    # an opening bracket behind a line break would be read as a length
    assert not re.search(r"\\\\\s*(\n\s*)?\[", made)


def test_both_kinds_of_html_hold_the_cells(printed):
    assert read_html(printed.to_html()) == rows_of(printed)
    assert read_html(printed._repr_html_()) == rows_of(printed)
    for made in (printed.to_html(), printed._repr_html_()):
        assert "<b>bold" not in made
        assert "&lt;b&gt;bold" in made


def test_markdown_holds_the_cells(printed):
    assert read_markdown(printed.to_markdown()) == rows_of(printed)


def test_text_holds_the_cells(printed):
    body = printed.to_text().splitlines()
    place = 0
    for label, *cells in rows_of(printed):
        place = next(
            i
            for i in range(place, len(body))
            if label in body[i] and re.sub(r"\s+", "", "".join(cells)) in re.sub(r"\s+", "", body[i])
        )
        assert [c for c in cells if c] == re.split(
            r"\s{2,}", body[place].replace(label, "", 1).strip() if label else body[place].strip()
        )
        place += 1


def test_word_joins_estimate_and_bracket_in_a_cell(printed, tmp_path):
    printed.to_word(tmp_path / "t.docx")
    rows = read_word((tmp_path / "t.docx").read_bytes())
    wanted = []
    for label, *cells in rows_of(printed):
        if label:
            wanted.append([label, *cells])
        else:
            wanted[-1] = [wanted[-1][0], *(f"{a}\n{b}" if b else a for a, b in zip(wanted[-1][1:], cells, strict=True))]
    heads = len(printed.header)
    blocks = blocks_of(printed)
    body = [row for row in rows[heads:-1] if not (row[0] in blocks and not any(row[1:]))]
    assert body == wanted
    assert set(rows[-1]) == {"\n".join(printed.notes)}


def shown(value, pattern):
    """What Excel shows for a number under the formats we use."""
    if pattern.startswith("[<"):
        limit, low, high = re.fullmatch(r"\[<([\d.]+)\]([^;]*);(.*)", pattern).groups()
        pattern = low if value < float(limit) else high
    elif ";" in pattern:
        plus, minus = pattern.split(";")
        pattern, value = (minus, -value) if value < 0 else (plus, value)
    parts = re.findall(r'"[^"]*"|0(?:\.0+)?(?:E\+00)?', pattern)
    out = []
    for part in parts:
        if part.startswith('"'):
            out.append(part.strip('"'))
        else:
            places = len(part.split("E")[0].partition(".")[2])
            out.append(f"{value:.{places}e}" if "E" in part else f"{value:.{places}f}")
    return "".join(out)


def test_a_workbook_holds_numbers_that_show_as_the_cells(printed, tmp_path):
    printed.to_excel(tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx")["table"]
    line, block, numbers = len(printed.header) + 1, "", 0
    for row in printed.rows:
        if row.block != block:
            block = row.block
            assert sheet.cell(line, 1).value == block
            line += 1
        label = sheet.cell(line, 1)
        assert (label.value or "") == row.label
        assert label.data_type != "f"  # "=..." is a label, not a formula
        for j, cell in enumerate(row.cells):
            got = sheet.cell(line, j + 2)
            if cell.value is None:
                assert (got.value or "") == cell.printed
            else:
                assert got.value == pytest.approx(cell.value, rel=1e-14)
                assert shown(got.value, got.number_format) == cell.printed
                numbers += 1
        line += 1
    assert numbers > 30
    notes = [sheet.cell(line + i, 1).value for i in range(len(printed.notes))]
    assert notes == list(printed.notes)


def test_the_second_sheet_has_full_precision(fits, tmp_path):
    nq.compare(fits).to_excel(tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx")["numbers"]
    rows = list(sheet.iter_rows(values_only=True))
    heads = list(rows[0])
    by_term = {(row[0], row[1]): dict(zip(heads, row, strict=True)) for row in rows[1:]}
    assert by_term["Wx", "W:x"]["knn | se"] == pytest.approx(fits["knn"].bse["W:x"], rel=1e-14)
    assert by_term["Variance", "sigma2"]["gmm | se"] is None


def test_every_format_has_all_notes(printed):
    tex, html, md = printed.to_latex(), printed.to_html(), printed.to_markdown()
    for note in printed.notes:
        assert note in printed.to_text()
        plain = note.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;")
        assert plain.replace("×", "&times;").replace("σ", "&sigma;") in html or plain in html
        assert note in re.sub(r"\\(.)", r"\1", md)
        assert note in untex(tex)


def test_the_same_table_gives_the_same_bytes(fits, tmp_path):
    made = []
    for i in (1, 2):
        table = nq.compare(fits, lang="zh").table
        table.to_word(tmp_path / f"{i}.docx", caption="图表")
        table.to_excel(tmp_path / f"{i}.xlsx")
        made.append((table.to_html(), (tmp_path / f"{i}.docx").read_bytes(), (tmp_path / f"{i}.xlsx").read_bytes()))
    assert made[0] == made[1]
    for data in made[0][1:]:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert re.findall(rb">(\d{4})-\d\d-\d\dT", archive.read("docProps/core.xml")) in ([b"2000"], [b"2000"] * 2)


def test_a_word_file_names_no_author(fits, tmp_path):
    nq.compare(fits).to_word(tmp_path / "t.docx")
    with zipfile.ZipFile(tmp_path / "t.docx") as archive:
        assert b"python-docx" not in archive.read("docProps/core.xml")


def test_word_has_a_chinese_typeface_and_caption(fits, tmp_path):
    nq.compare(fits, lang="zh").to_word(tmp_path / "t.docx", caption="空间杜宾模型")
    document = docx.Document(tmp_path / "t.docx")
    assert document.paragraphs[0].text.startswith("表 ")
    assert document.paragraphs[0].text.endswith("空间杜宾模型")
    fonts = {
        node.get("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}eastAsia")
        for node in document.element.body.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}rFonts")
    }
    assert fonts == {"宋体"}


def test_files_are_utf8_and_equal_what_is_returned(fits, tmp_path):
    made = nq.compare(fits, lang="zh")
    assert made.to_latex(tmp_path / "t.tex", caption="模型", label="tab:a") == (tmp_path / "t.tex").read_text("utf-8")
    assert r"\caption{模型}" in made.to_latex(caption="模型", label="tab:a")
    assert made.to_html(tmp_path / "t.html") == (tmp_path / "t.html").read_text("utf-8")


def test_last_digits_stand_below_each_other_whatever_the_script():
    cells = [number(0.5, 2, stars="***"), number(-0.25, 2, ("(", ")")), number(12, 2)]
    table = Table(
        "", (("a",),), tuple(Row("块", label, (c,)) for label, c in zip(["人均产出", "x", "σ²"], cells, strict=True))
    )
    lines = [line for line in table.to_text().splitlines() if re.search(r"\d", line)]
    ends = {cell_len(re.match(r".*\d", line)[0]) for line in lines}
    assert len(ends) == 1


# -- cells ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.12345, 3, "0.123"),
        (-0.12345, 0, "-1.2e-01"),
        (4e-5, 4, "4.0e-05"),
        (6e-5, 4, "0.0001"),
        (-4e-5, 4, "-4.0e-05"),
        (-0.0, 2, "0.00"),
        (0.0, 2, "0.00"),
        (float("nan"), 2, ""),
        (float("-inf"), 2, "-∞"),
        (1e6, 1, "1000000.0"),
    ],
)
def test_numbers(value, digits, text):
    assert number(value, digits).text == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00058173, "0.0005817"), (1234.5678, "1235"), (12.0, "12.00"), (3e-9, "3.000e-09"), (0.0, "0.000")],
)
def test_variances_have_significant_figures(value, text):
    assert significant(value, 4).text == text


def test_small_p_values():
    assert probability(0.0004, 3).text == "<0.001"
    assert probability(0.001, 3).text == "0.001"
    assert probability(float("nan"), 3).text == ""
    cell = probability(1e-9, 3, ("(", ")"))
    assert cell.text == "(<0.001)"
    assert shown(cell.value, cell.pattern) == cell.text
    assert shown(0.5, cell.pattern) == "(0.500)"


def test_patterns_put_the_sign_inside_the_bracket():
    cell = number(-1.5, 2, ("(", ")"), stars="*")
    assert cell.printed == "(-1.50)*"
    assert shown(cell.value, cell.pattern) == "(-1.50)*"


def test_stars_by_choice():
    levels = star_levels((0.01, 0.1, 0.05))
    assert levels == grid.STARS
    assert [stars_of(p, levels) for p in (0.005, 0.01, 0.05, 0.0999, 0.1, np.nan)] == ["***", "**", "*", "*", "", ""]
    assert stars_of(0.03, star_levels({"†": 0.05})) == "†"
    assert star_levels(False) == {}
    for wrong in ((0.1, 0.1), (0.0,), (1.5,), (0.5, 0.4, 0.3, 0.2, 0.1), {"": 0.05}):
        with pytest.raises(ValueError, match="levels"):
            star_levels(wrong)


# -- single results ------------------------------------------------------------------------------------------------


def test_a_fit_has_its_numbers(fits):
    fit = fits["queen"]
    table = nq.report.table(fit, digits=6)
    for row in table.rows:
        term = {"ρ": "rho", "W×x": "W:x", "W×z": "W:z"}.get(row.label, row.label)
        if term == "σ²":
            assert row.cells[0].value == fit.sigma2
            assert row.cells[1].value == fit.sigma2_se
            continue
        wanted = fit.tidy().loc[term]
        assert [c.value for c in row.cells] == wanted.tolist()
        assert float(row.cells[0].text) == pytest.approx(wanted["estimate"], abs=5e-7)
    assert [row.block for row in table.rows] == ["Main", "Main", "Wx", "Wx", "Spatial", "Variance"]
    assert f"{fit.llf:.2f}" in table.notes[0]


def test_impacts_in_blocks(fits):
    imp = fits["queen"].impacts(alpha=0.1)
    table = nq.report.table(imp, digits=5)
    assert blocks_of(table) == ["Direct effects", "Indirect effects", "Total effects"]
    effects = dict(zip(blocks_of(table), ("direct", "indirect", "total"), strict=True))
    for row in table.rows:
        assert [c.value for c in row.cells] == imp.table.loc[row.label, effects[row.block]].tolist()


def test_impacts_keep_their_own_level_in_the_heads(fits):
    assert nq.report.table(fits["queen"].impacts(alpha=0.1)).header[0][4:] == ("[90%", "90%]")
    assert nq.report.table(fits["queen"], alpha=0.01).header[0][4:] == ("[99%", "99%]")


def test_a_diagnosis_prints_its_tests(fits):
    diagnosis = fits["queen"].diagnose()
    table = nq.report.table(diagnosis, lang="zh")
    assert len(table.rows) == len(diagnosis)
    at = table.header[0].index("统计量")
    printed = diagnosis.with_lang("zh").printed()
    assert [row.cells[at].text for row in table.rows] == printed["statistic"].tolist()
    assert read_tex(table.to_latex()) == rows_of(table)
    assert nq.report.table(diagnosis).notes != ()


def test_frames_series_and_results_with_a_table(fits):
    frame = pd.DataFrame({"n": [1, 2, 3], "v": [0.5, np.nan, 1e-9], "ok": [True, False, True]}, index=list("abc"))
    table = nq.report.table(frame, digits=2, lang="zh", labels={"v": "值", "a": "甲"})
    assert rows_of(table) == [["甲", "1", "0.50", "是"], ["b", "2", "", "否"], ["c", "3", "1.0e-09", "是"]]
    assert table.header == (("n", "值", "ok"),)
    two = pd.DataFrame({"v": [1.0, 2.0, 3.0]}, index=pd.MultiIndex.from_tuples([("p", "x"), ("q", "x"), ("p", "y")]))
    assert [(r.block, r.label) for r in nq.report.table(two).rows] == [("p", "x"), ("p", "y"), ("q", "x")]
    assert rows_of(nq.report.table(two["v"], digits=1))[1] == ["y", "3.0"]
    probabilities = type("Result", (), {"table": frame})()
    assert nq.report.table(probabilities).frame.shape == (3, 3)
    imp = fits["queen"].impacts().by_order(2)
    assert nq.report.table(imp).rows[0].cells[0].value == imp.iloc[0, 0]


def test_what_has_no_table_is_refused():
    with pytest.raises(TypeError, match="list has no table"):
        nq.report.table([1])
    with pytest.raises(ValueError, match="empty"):
        nq.report.table(pd.DataFrame())
    with pytest.raises(ValueError, match="lang='de'"):
        nq.report.table(pd.DataFrame({"a": [1]}), lang="de")


def test_tables_are_frozen():
    table = Table("", (("a",),), (Row("", "x", (Cell("1"),)),))
    with pytest.raises(AttributeError):
        table.title = "other"
