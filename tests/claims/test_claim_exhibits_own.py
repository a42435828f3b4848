"""Pictures, tables and Chinese reasons of R-DID and R-OWN: every claim in both languages, without a warning."""

import pandas as pd
import pytest

from nqpf_spatial import claims, fonts
from nqpf_spatial.claims import exhibits
from nqpf_spatial.claims.evaluate import did, own
from nqpf_spatial.claims.evaluate.own import groups, mismatch, series, slopes
from nqpf_spatial.claims.exhibits import names
from nqpf_spatial.claims.runner import decide
from nqpf_spatial.report import bars
from nqpf_spatial.report.figures import png

REGISTER = claims.load()


@pytest.fixture(scope="module")
def context(random_context):
    """One panel of noise for all claims, few permutations."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (did, groups, mismatch, series, slopes):
            patch.setattr(module, "permutations", lambda ctx: 199)
        patch.setattr(groups, "REFERENCES", 20)
        yield random_context(seed=3, fast=True)


@pytest.mark.parametrize("claim", [*did.READINGS, *own.READINGS])
def test_every_claim_is_drawn_and_told_in_both_languages(claim, context):
    verdict = decide(REGISTER.claim(claim), context)
    for lang in ("en", "zh"):
        drawn = exhibits.figures(verdict, lang)
        assert drawn and all(png(figure, 40).startswith(b"\x89PNG") for figure in drawn.values())
    text = exhibits.reason_zh(verdict)
    counted = [e for e in verdict.evidence if e.counted]
    assert text.startswith("判定：") and len(counted) > 0
    assert fonts.missing_characters("".join(c for c in text if ord(c) > 0x2E7F)) == ""
    titles = {exhibits.table_title_zh(verdict, name) for name in exhibits.tables(verdict)}
    assert all(any(ord(c) > 0x2E7F for c in title) for title in titles)
    assert all(isinstance(table, pd.DataFrame) for table in verdict.tables.values())
    verdict.to_dict()  # finite numbers only
    assert str(verdict.card()).startswith(f"{claim}: ")


def test_chinese_reason_quotes_the_figures(context):
    verdict = decide(REGISTER.claim("WU-2.8"), context)
    (west,) = [e for e in verdict.evidence if e.counted]
    text = exhibits.reason_zh(verdict)
    assert f"{west.estimate:.4f}" in text and f"{west.mde:.4f}" in text and "西部枢纽" in text
    slope = decide(REGISTER.claim("WU-M17"), context)
    assert f"{slope.evidence[0].estimate:.4g}" in exhibits.reason_zh(slope)


def test_names():
    assert names.variable("unknown_series", "en") == "unknown_series"
    assert names.variable("digital_index||cable_pc", "zh").endswith("（不含 cable_pc）")


def test_bars_take_colours_by_row_or_by_column():
    frame = pd.DataFrame({"a": [1.0, -2.0], "b": [0.5, 1.0]}, index=["x", "y"])
    for part, colours in ((frame, None), (frame[["a"]], ["#0072B2", "#D55E00"])):
        figure = bars.grouped_bars(part, xlabel="v", lines=(0.0, 1.0), colours=colours)
        assert len(figure.axes[0].patches) == part.size
    (one, two) = [p.get_facecolor() for p in figure.axes[0].patches]
    assert one != two
