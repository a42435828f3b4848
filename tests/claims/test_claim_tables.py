"""Verdicts as a table for a paper."""

from docx import Document

from nqpf_spatial import claims
from nqpf_spatial.claims import verdict_tables


def test_every_claim_has_its_row_in_the_order_of_the_register(tmp_path):
    register = claims.load()
    verdicts = claims.run(["WU-P12", "WU-P8", "LG-3.2"])
    table = verdict_tables.frame(verdicts, register)
    assert list(table.index) == ["LG-3.2", "WU-P8", "WU-P12"]
    assert table.loc["WU-P8", "verdict"] == "SUPPORTED"
    chinese = verdict_tables.frame(verdicts, register, "zh")
    assert chinese.loc["WU-P8", "判定"] == "支持" and "八处" in chinese.loc["WU-P8"].iloc[0]
    for lang in ("en", "zh"):
        text = verdict_tables.to_latex(verdicts, register, lang)
        assert text.count("\\\\") >= 4 and "longtable" in text and r"\toprule" in text
        path = tmp_path / f"{lang}.docx"
        verdict_tables.to_word(verdicts, register, path, lang)
        cells = [c.text for row in Document(str(path)).tables[0].rows for c in row.cells]
        assert {"WU-P8", "LG-3.2", "WU-P12"} <= set(cells)


def test_special_characters_are_escaped():
    register = claims.load()
    text = verdict_tables.to_latex(claims.run(["LG-3.2"]), register)
    body = text.replace(r"\%", "").replace(r"\&", "").replace(r"\_", "")
    assert "%" not in body
