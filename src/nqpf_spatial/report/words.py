"""Words of the report in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LANGUAGES = ("en", "zh")

#: text of the library -> Chinese; English is the text itself
_CHINESE: Mapping[str, str] = MappingProxyType(
    {
        # verdicts
        "SUPPORTED": "支持",
        "PARTLY": "部分支持",
        "MIXED": "结果不一",
        "CONTRADICTED": "相悖",
        "INCONCLUSIVE": "无定论",
        "NOT YET TESTABLE": "暂不可检验",
        "NOT TESTABLE": "不可检验",
        "not run": "尚未运行",
        "proxy": "代理",
        # register
        "direct": "直接",
        "indirect": "间接",
        "total": "总",
        "partial": "部分",
        "needs-data": "缺数据",
        "not-testable": "不可检验",
        "core": "核心",
        "core-untestable": "核心（不可检验）",
        "secondary": "次要",
        "appendix": "附录",
        "normative": "规范性",
        "design": "设计",
        "blind": "事前不知结果",
        "outcome-seen": "事前见过部分结果",
        "support": "支持",
        "contradict": "相悖",
        "neither": "两者皆非",
        "yes": "是",
        "no": "否",
        # groups of provinces
        "East": "东部",
        "Central": "中部",
        "West": "西部",
        "Northeast": "东北",
        "North": "北方",
        "South": "南方",
        "hub": "枢纽省份",
        "cluster": "集群所在省份",
        "other": "其他",
    }
)


def word(text: str, lang: str) -> str:
    """Return a word of the report in a language; text without a translation stays as it is.

    Parameters
    ----------
    text : str
    lang : {"en", "zh"}

    Returns
    -------
    str

    Examples
    --------
    >>> word("SUPPORTED", "zh"), word("SUPPORTED", "en"), word("queen", "zh")
    ('支持', 'SUPPORTED', 'queen')
    """
    if lang not in LANGUAGES:
        raise ValueError(f"lang={lang!r}: choose 'en' or 'zh'")
    return _CHINESE.get(text, text) if lang == "zh" else text


def label(text: str, lang: str) -> str:
    """Return the label of a verdict ("SUPPORTED (proxy)") in a language.

    Examples
    --------
    >>> label("SUPPORTED (proxy)", "zh")
    '支持（代理）'
    """
    head, _, tail = text.partition(" (")
    if not tail or lang == "en":
        return word(text, lang)
    return f"{word(head, lang)}（{word(tail.rstrip(')'), lang)}）"
