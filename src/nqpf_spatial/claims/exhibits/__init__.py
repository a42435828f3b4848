"""Tables and pictures behind a verdict, and its summary in Chinese.

A dispatch: each module of this package lists, in ``EXHIBITS``, the claims or rules it shows. A claim's own entry comes
before that of its rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nqpf_spatial.claims.exhibits import criteria, did, facts, mechanism, own, regressions, spillover
from nqpf_spatial.claims.exhibits import shares as share_exhibits
from nqpf_spatial.claims.exhibits.base import Exhibit, multiverse_zh
from nqpf_spatial.claims.record import Verdict
from nqpf_spatial.claims.register import load
from nqpf_spatial.report.words import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: claim id or rule id -> how it is shown
EXHIBITS: Mapping[str, Exhibit] = {
    **facts.EXHIBITS,
    **share_exhibits.EXHIBITS,
    **mechanism.EXHIBITS,
    **regressions.EXHIBITS,
    **criteria.EXHIBITS,
    **spillover.EXHIBITS,
    **did.EXHIBITS,
    **own.EXHIBITS,
}

#: titles in Chinese of the tables every verdict has
_TITLES_ZH = {"evidence": "证据", "variants": "变体"}


def exhibit(verdict: Verdict) -> Exhibit:
    """Return how a verdict is shown.

    Raises
    ------
    KeyError
        If a decided claim has no exhibit: one belongs to every reading.
    """
    for key in (verdict.claim, verdict.rule):
        if key in EXHIBITS:
            return EXHIBITS[key]
    raise KeyError(f"no exhibit for claim {verdict.claim} or rule {verdict.rule}; there are {', '.join(EXHIBITS)}")


def figures(verdict: Verdict, lang: str = "en") -> dict[str, Figure]:
    """Draw the pictures behind a verdict.

    Parameters
    ----------
    verdict : Verdict
    lang : {"en", "zh"}

    Returns
    -------
    dict of str to Figure
        Empty for claims decided from the register alone and for claims not run.
    """
    return exhibit(verdict).draw(verdict, lang) if verdict.evidence else {}


def tables(verdict: Verdict) -> dict[str, pd.DataFrame]:
    """Collect the tables behind a verdict: evidence, variants, and those of its rule.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    dict of str to DataFrame
    """
    out: dict[str, pd.DataFrame] = {}
    if verdict.evidence:
        out["evidence"] = verdict.evidence_frame().set_index("what")
    if verdict.variants:
        out["variants"] = verdict.variants_frame().set_index("variant")
    return {**out, **verdict.tables}


def table_title_zh(verdict: Verdict, name: str) -> str:
    """Title in Chinese of one of the tables; its English name where it has none."""
    own = exhibit(verdict).titles_zh if verdict.evidence else {}
    return {**_TITLES_ZH, **own}.get(name, name.replace("_", " "))


def reason_zh(verdict: Verdict) -> str:
    """Summarise in Chinese why a verdict is what it is, from the figures on record.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    str
        What the register says in English is quoted in English.

    Examples
    --------
    >>> from nqpf_spatial import claims
    >>> claims.reason_zh(claims.run(["WU-P8"])[0])[:5]
    '判定：支持'
    """
    cannot_test = load().claim(verdict.claim).cannot_test
    if verdict.status == "not run":
        return f"尚未运行：规则 {verdict.rule} 对本条的解读将在后续版本中加入。"
    if verdict.verdict == "NOT TESTABLE":
        return f"属于规范、定义、预测或不可观测的陈述，不作检验。登记册原文：{cannot_test or '无'}"
    if verdict.verdict == "NOT YET TESTABLE" and not verdict.evidence:
        return f"等待官方数据：{'；'.join(verdict.needs)}"
    shown = exhibit(verdict)
    shares = "".join(multiverse_zh(m, shown.alternative_zh) for m in verdict.multiverse)
    return f"判定：{label(verdict.label, 'zh')}。{shown.found_zh(verdict)}{shares}"
