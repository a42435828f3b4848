"""The verdicts as a table for a paper: LaTeX and Word, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nqpf_spatial.claims.record import Verdict
from nqpf_spatial.claims.register import Register
from nqpf_spatial.report.words import label, word

if TYPE_CHECKING:
    import pandas as pd

_HEADS = {
    "en": ("claim", "statement (our paraphrase)", "rule", "testability", "verdict"),
    "zh": ("编号", "陈述（改述）", "规则", "可检验性", "判定"),
}
_TITLE = {"en": "Verdicts on the claims", "zh": "各条陈述的判定"}
_WIDTHS = "lp{0.52\\linewidth}lll"


def frame(verdicts: Iterable[Verdict], register: Register, lang: str = "en") -> pd.DataFrame:
    """One row per claim in the order of the register.

    Parameters
    ----------
    verdicts : iterable of Verdict
    register : Register
    lang : {"en", "zh"}

    Returns
    -------
    DataFrame
        Indexed by claim.
    """
    import pandas as pd

    place = {claim: i for i, claim in enumerate(register.claims)}
    rows = []
    for v in sorted(verdicts, key=lambda v: place[v.claim]):
        claim = register.claim(v.claim)
        says = claim.says_zh if lang == "zh" else claim.says_en
        rows.append((v.claim, says, v.rule, word(claim.testability, lang), label(v.label, lang)))
    return pd.DataFrame(rows, columns=list(_HEADS[lang])).set_index(_HEADS[lang][0])


def to_latex(verdicts: Iterable[Verdict], register: Register, lang: str = "en") -> str:
    r"""A longtable with booktabs rules; Chinese needs XeLaTeX with ctex.

    Returns
    -------
    str
        Needs ``\usepackage{booktabs,longtable}``.
    """
    table = frame(verdicts, register, lang).reset_index()
    style = table.style.hide(axis="index").format(escape="latex")
    return style.to_latex(
        environment="longtable", hrules=True, column_format=_WIDTHS, caption=_TITLE[lang], label="tab:verdicts"
    )


def to_word(verdicts: Iterable[Verdict], register: Register, path: Path, lang: str = "en") -> None:
    """A Word document with the table."""
    from nqpf_spatial.report import table

    table(frame(verdicts, register, lang), lang=lang, title=_TITLE[lang]).to_word(path)
