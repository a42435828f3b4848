"""The packaged Chinese font: coverage, licence, embedding."""

import base64
import io
import re
from importlib import resources

import pytest
from fontTools.ttLib import TTFont

import nqpf_spatial as nq
from nqpf_spatial import fonts

FILES = resources.files("nqpf_spatial")


def test_it_holds_every_character_the_package_shows():
    register = (FILES / "claims" / "files" / "register.yaml").read_text(encoding="utf-8")
    labels = "".join(nq.data.codebook()["label_zh"]) + "".join(nq.provinces.table()["name_zh_full"])
    words = (FILES / "report" / "words.py").read_text(encoding="utf-8")
    assert fonts.missing_characters("".join(c for c in register + labels + words if ord(c) > 0x2E7F)) == ""


def test_it_names_what_it_does_not_hold():
    assert fonts.missing_characters("a齉b") == "齉"


def test_its_licence_is_packaged_and_its_name_is_its_own():
    licence = (FILES / "fonts" / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE" in licence
    assert "Noto Sans CJK SC 1.004" in licence
    font = TTFont(fonts.font_path())
    names = {r.nameID: r.toUnicode() for r in font["name"].names}
    assert names[1] == names[4] == fonts.FAMILY
    assert "SIL Open Font License" in names[13]


def test_the_embedded_cut_has_just_the_wide_characters_of_the_page():
    css = fonts.embedded_font("新质生产力 abc 新")
    data = re.search(r"base64,([A-Za-z0-9+/=]+)\)", css).group(1)
    cut = TTFont(io.BytesIO(base64.b64decode(data)))
    assert {chr(c) for c in cut.getBestCmap()} == set("新质生产力")
    assert css == fonts.embedded_font("新质生产力 abc 新")
    assert fonts.embedded_font("plain") == ""


def test_chinese_is_drawn_without_a_missing_glyph():
    # matplotlib warns about missing glyphs, and warnings are errors here
    series = nq.data.codebook(["ln_broadband_pc", "gov_share"])["label_zh"]
    import pandas as pd

    figure = nq.report.shares(
        pd.Series([60.0, 30.0], index=list(series)), support=50, contradict=40, xlabel="东部份额（%）", lang="zh"
    )
    assert nq.report.png(figure, 60).startswith(b"\x89PNG")


def test_languages_are_checked():
    with pytest.raises(ValueError, match="'fr'"), fonts.typeface("fr"):
        pass
    with pytest.raises(ValueError, match="'fr'"):
        nq.report.word("East", "fr")


def test_words():
    assert nq.report.label("INCONCLUSIVE (proxy)", "zh") == "无定论（代理）"
    assert nq.report.label("INCONCLUSIVE (proxy)", "en") == "INCONCLUSIVE (proxy)"
    vocabulary = nq.claims.load().rules["VERDICTS"].parameters["vocabulary"]
    assert len({nq.report.word(w, "zh") for w in vocabulary}) == len(vocabulary)
