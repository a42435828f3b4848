"""Pages are whole in themselves: no network, both languages, everything escaped."""

import html
import io
import re
from html.parser import HTMLParser

import nbformat
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nqpf_spatial.report.html import both, image, number, page, pictures, table
from nqpf_spatial.report.index import ORDER, Entry, index_page
from nqpf_spatial.report.notebook_page import notebook_page
from nqpf_spatial.report.overview import Tension

VOID = {"meta", "img", "br", "input", "hr", "link"}


class Checker(HTMLParser):
    """Balanced tags and addresses."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.addresses += [v for k, v in found.items() if k in ("src", "href") and v]
        if "id" in found:
            self.ids.append(found["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(text):
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    return checker


def tiny(shade):
    """A picture of four pixels by three."""
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), (shade, shade, shade)).save(buffer, "PNG")
    return buffer.getvalue()


def entry(name="WU-1.3", verdict="SUPPORTED", **options):
    given = {
        "id": name, "article": name[:2], "family": name.split(".")[0], "says_en": "Gaps <widen>.", "says_zh": "差距扩大。", "where": "par. 1",
        "priority": "core", "testability": "proxy", "verdict": verdict, "label": f"{verdict} (proxy)",
        "disclosure": "outcome-seen", "reason_en": "direct: a | total: b & c", "reason_zh": "判定：支持。",
    }  # fmt: skip
    return Entry(**{**given, **options})


def build(entries, **options):
    return index_page(entries, **{"facts": {"seed": 1}, "notebooks": [], "fast": False, **options})


def test_nothing_is_fetched():
    text = build(
        [entry(pictures=[("effects", tiny(0), tiny(255))], links=[("notebook 05", "笔记本 05", "notebooks/05.html")])],
        notebooks=[("05", "notebooks/05.html", True)],
    )
    checker = checked(text)
    assert "default-src 'none'" in text
    for address in checker.addresses:
        assert address.startswith("data:image/png;base64,") or not re.match(r"[a-z]+:|//", address)
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text


def test_both_languages_are_in_the_page():
    text = build([entry()])
    assert '<html lang="en" data-lang="en">' in text
    for piece in ("SUPPORTED (proxy)", "支持（代理）", "Gaps &lt;widen&gt;.", "差距扩大。", "Scoreboard", "总览"):
        assert piece in text
    assert "font/woff;base64" in text


def test_text_is_escaped_everywhere():
    nasty = "<script>alert(1)</script>"
    fields = ("says_en", "says_zh", "where", "reason_en", "reason_zh")
    text = build([entry(**dict.fromkeys(fields, nasty), facts=[("a", "b", nasty)])], facts={nasty: nasty})
    assert nasty not in text
    assert text.count("<script>") == 1
    assert html.escape(nasty) in text


def test_the_scoreboard_counts():
    kinds = ["SUPPORTED", "SUPPORTED", "MIXED", "not run"]
    entries = [entry(f"{'LG' if i else 'WU'}-{i}", k, label=k) for i, k in enumerate(kinds)]
    board = build(entries).split("<tbody>")[1].split("</tbody>")[0]
    rows = {
        re.search(r'class="en">([^<]*)<', r).group(1): [int(n) for n in re.findall(r">(\d+)<", r)]
        for r in board.split("<tr>")[1:]
    }
    assert rows == {"SUPPORTED": [1, 1, 2], "MIXED": [1, 0, 1], "not run": [1, 0, 1]}


def test_every_word_has_its_colour():
    for word in ORDER:
        assert f"v-{word.lower().replace(' ', '-')}" in build([entry(verdict=word, label=word)])


def test_a_fast_run_and_a_failed_notebook_are_said():
    text = build([entry()], fast=True, notebooks=[("05", "n.html", False)])
    assert "fast run" in text
    assert "快速运行" in text
    assert "(failed)" in text
    assert "fast run" not in build([entry()])


def test_alternatives_stand_in_paragraphs():
    assert "<p>direct: a</p><p>total: b &amp; c</p>" in build([entry()])


def test_tables():
    frame = pd.DataFrame({"what": ["a<b", "c"], "p": [0.0451234, np.nan], "counted": [True, False], "n": [403, 31]})
    text = table(frame.set_index("what"), {"p": ("p", "概率")})
    checked(text)
    assert "<td>a&lt;b</td>" in text
    assert '<td class="n">0.04512</td>' in text
    assert '<td class="n"></td>' in text
    assert '<td><span class="en">yes</span>' in text
    assert '<span class="zh" lang="zh">概率</span>' in text
    assert '<td class="n">403</td>' in text


def test_numbers():
    assert [number(v) for v in (1e-9, 123456.0, np.float64(0.5), np.int64(7), "x", np.True_)] == [
        "1e-09", "123,456", "0.5", "7", "x", "yes",
    ]  # fmt: skip


def test_both_collapses_equal_text():
    assert both("rho", "rho") == "rho"


def test_pictures_say_their_size_and_stand_once_where_the_languages_agree():
    assert image(tiny(0), "a", "zh").startswith('<img class="zh" alt="a" width="4" height="3"')
    assert pictures(tiny(0), tiny(0), "a").count("<img") == 1
    assert pictures(tiny(0), tiny(255), "a").count("<img") == 2


def test_flags_and_readings_of_tables_are_shown_in_both_languages():
    frame = pd.DataFrame({"what": ["x"], "counted": [True], "reading": ["support"], "reason": ["words " * 9]})
    text = table(frame.set_index("what"))
    assert '<span class="zh" lang="zh">是</span>' in text
    assert '<span class="zh" lang="zh">支持</span>' in text
    assert '<td class="t">words' in text


def test_a_page_without_script():
    text = page("t", "<p>中文</p>", script=False)
    assert "<script" not in text
    checked(text)


@pytest.fixture
def notebook():
    v4 = nbformat.v4
    outputs = [
        v4.new_output("stream", name="stdout", text="\x1b[31mred\x1b[0m <b>"),
        v4.new_output("execute_result", data={"text/html": "<table><tr><td>1</td></tr></table>", "text/plain": "x"}),
        v4.new_output("display_data", data={"image/png": "aGk=\n"}),
        v4.new_output("display_data", data={"text/markdown": "**bold** and 5 < 6"}),
        v4.new_output("display_data", data={"text/plain": "a < b"}),
        v4.new_output("error", ename="E", evalue="v", traceback=["line <1>"]),
    ]
    code = v4.new_code_cell("x < 1", execution_count=3, outputs=outputs)
    return v4.new_notebook(cells=[v4.new_markdown_cell("# Title\n*题目* `a<b`"), code, v4.new_raw_cell("raw <x>")])


def test_a_notebook_becomes_a_page_without_remote_parts(notebook):
    text = notebook_page(notebook, "05")
    checked(text)
    for piece in (
        "Title</h1>", "<em>题目</em>", "<code>a&lt;b</code>", "x &lt; 1", "code [3]", "red &lt;b&gt;", "<table><tr>",
        'src="data:image/png;base64,aGk="', "<strong>bold</strong>", "a &lt; b", "line &lt;1&gt;", "raw &lt;x&gt;",
    ):  # fmt: skip
        assert piece in text
    assert "mathjax" not in text.lower()
    assert "require" not in text
    assert "http" not in text.replace("http-equiv", "")


def test_the_board_leads_to_every_card_by_family():
    entries = [entry("WU-1.3"), entry("WU-1.7", "MIXED"), entry("LG-3.5", "INCONCLUSIVE")]
    text = build(entries)
    checker = checked(text)
    for e in entries:
        assert f"#{e.id}" in checker.addresses and e.id in checker.ids
    assert text.index(">LG-3<") < text.index(">WU-1<")
    assert 'class="chip v-mixed"' in text and 'data-family="WU-1"' in text


def test_tensions_stand_side_by_side_only_with_two_claims():
    entries = [entry("WU-0.3"), entry("LG-3.5", "INCONCLUSIVE")]
    pair = Tension("T1", "opposite <trends>", "both rules", ("LG-3.5", "WU-0.3"))
    text = build(entries, tensions=[pair])
    checked(text)
    part = text[text.index('class="tension"') : text.index("</section>")]
    assert part.index("LG-3.5") < part.index("WU-0.3") and "&lt;trends&gt;" in part and "both rules" in part
    assert 'class="tension"' not in build(entries[:1], tensions=[pair])


def test_cells_that_do_not_exist_are_blank_whatever_stands_for_them():
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": pd.Series([pd.NA, "x"], dtype="string")})
    text = table(frame)
    checked(text)
    assert "NA" not in text and text.count('<td class="n"></td>') == 1 and "<td></td>" in text
