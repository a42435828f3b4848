"""The report's first page: scoreboard, filters, a card per claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nqpf_spatial.report.html import both, page, pictures, table, text
from nqpf_spatial.report.overview import Tension, badge, board, tension_cards
from nqpf_spatial.report.words import word

if TYPE_CHECKING:
    import pandas as pd

NOT_RUN = "not run"
TITLE = ("Claims on new quality productive forces, put to the test", "新质生产力与区域协调：逐条检验")
#: order of the scoreboard, from what the data say to what they cannot say
ORDER = (
    "SUPPORTED",
    "PARTLY",
    "MIXED",
    "CONTRADICTED",
    "INCONCLUSIVE",
    "NOT YET TESTABLE",
    "NOT TESTABLE",
    NOT_RUN,
)
_COLOURS = dict(
    zip(
        ORDER,
        ("#00694d", "#4d7c0f", "#8a5a00", "#b23c00", "#475569", "#6d5aa8", "#9ca3af", "#e5e7eb"),
        strict=True,
    )
)
_HEADERS: dict[str, tuple[str, str]] = {
    "what": ("quantity", "指标"),
    "w": ("W", "权重"),
    "estimate": ("estimate", "估计值"),
    "se": ("se", "标准误"),
    "lower": ("lower", "下限"),
    "upper": ("upper", "上限"),
    "p": ("p", "p"),
    "p_holm": ("p, corrected", "校正后 p"),
    "mde": ("detectable", "最小可检测效应"),
    "counted": ("counted", "计入"),
    "counts": ("counted", "计入"),
    "reading": ("reads as", "判读"),
    "se_delta": ("se, delta", "标准误（delta 法）"),
    "se_cluster": ("se, clustered", "标准误（聚类）"),
    "p_cluster": ("p, clustered", "p（聚类）"),
    "sd_rho": ("sd of rho", "rho 的标准差"),
    "rho": ("rho", "rho"),
    "variant": ("variant", "变体"),
    "specification": ("specification", "设定"),
    "alternative": ("effect", "效应"),
    "ran": ("run", "已运行"),
    "stated_sign": ("stated sign", "同向"),
    "significant": ("significant", "显著"),
    "n": ("n", "n"),
    "reason": ("reason", "原因"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What one card shows.

    Attributes
    ----------
    verdict, label : str
        Word of the vocabulary or "not run", and as it is shown.
    facts : sequence of (str, str, str)
        English name, Chinese name, text.
    pictures : sequence of (str, bytes, bytes)
        What it shows, PNG in English, PNG in Chinese.
    tables : mapping of (str, str) to DataFrame
        English and Chinese title -> table; shown folded.
    links : sequence of (str, str, str)
        English text, Chinese text, relative address.
    """

    id: str
    article: str
    family: str
    says_en: str
    says_zh: str
    where: str
    priority: str
    testability: str
    verdict: str
    label: str
    disclosure: str
    reason_en: str
    reason_zh: str
    facts: Sequence[tuple[str, str, str]] = ()
    pictures: Sequence[tuple[str, bytes, bytes]] = ()
    tables: Mapping[tuple[str, str], pd.DataFrame] = field(default_factory=dict)
    links: Sequence[tuple[str, str, str]] = ()


#: testability in Chinese ("direct" is an effect elsewhere)
_TESTABILITY = {
    "direct": "可直接检验",
    "proxy": "代理变量",
    "partial": "部分可检验",
    "needs-data": "缺数据",
    "not-testable": "不可检验",
}


def scoreboard(entries: Sequence[Entry]) -> str:
    """Count the verdicts by article, with a bar."""
    articles = sorted({e.article for e in entries})
    counts = {a: Counter(e.verdict for e in entries if e.article == a) for a in articles}
    total = Counter(e.verdict for e in entries)
    head = "".join(f'<th class="n">{text(a)}</th>' for a in articles)
    rows = "".join(
        f"<tr><td>{badge(w, w)}</td>"
        + "".join(f'<td class="n">{counts[a][w]}</td>' for a in articles)
        + f'<td class="n"><b>{total[w]}</b></td></tr>'
        for w in ORDER
        if total[w]
    )
    meter = "".join(
        f'<i style="flex:{total[w]};background:{_COLOURS[w]}" title="{text(w)}: {total[w]}"></i>'
        for w in ORDER
        if total[w]
    )
    return (
        f'<div class="score"><div class="meter">{meter}</div>'
        f"<table><thead><tr><th>{both('verdict', '判定')}</th>"
        f'{head}<th class="n">{both("all", "合计")}</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _zh(value: str) -> str:
    """Chinese for an option or a tag."""
    return _TESTABILITY.get(value, word(value, "zh"))


def _options(values: Iterable[str], all_en: str, all_zh: str) -> str:
    """Options of a filter in both languages."""
    first = f'<option value="" data-en="{all_en}" data-zh="{all_zh}">{all_en}</option>'
    rest = (
        f'<option value="{text(v)}" data-en="{text(v)}" data-zh="{text(_zh(v))}">{text(v)}</option>' for v in values
    )
    return first + "".join(rest)


def _filters(entries: Sequence[Entry]) -> str:
    """Selects and a search field."""
    present = {e.verdict for e in entries}
    parts = {
        "article": (sorted({e.article for e in entries}), "both articles", "两篇文章"),
        "family": (sorted({e.family for e in entries}), "all families", "全部类别"),
        "verdict": ([w for w in ORDER if w in present], "all verdicts", "全部判定"),
        "priority": (list(dict.fromkeys(e.priority for e in entries)), "all priorities", "全部优先级"),
        "testability": (
            list(dict.fromkeys(e.testability for e in entries)),
            "any testability",
            "全部可检验性",
        ),
    }
    selects = "".join(
        f'<select data-filter="{name}" aria-label="{name}">{_options(*given)}</select>' for name, given in parts.items()
    )
    shown = f'<span class="shown">{len(entries)}</span>'
    return (
        f'<div class="filters">{selects}<input data-filter="text" type="search" aria-label="search" '
        f'placeholder="search / 搜索" size="16"><span>{shown} {both("claims shown", "条陈述")}</span></div>'
    )


def card(entry: Entry) -> str:
    """Write one claim."""
    e = entry
    seen = " seen" if e.disclosure == "outcome-seen" else ""
    tags = (
        f'<span class="tag">{both(e.priority, word(e.priority, "zh"))}</span>'
        f'<span class="tag">{both(f"testability: {e.testability}", _TESTABILITY[e.testability])}</span>'
        f'<span class="tag{seen}">{both(e.disclosure, word(e.disclosure, "zh"))}</span>'
    )
    links = " · ".join(f'<a href="{text(href)}">{both(en, zh)}</a>' for en, zh, href in e.links)
    facts = "".join(f"<dt>{both(en, zh)}</dt><dd>{text(value)}</dd>" for en, zh, value in e.facts if value)
    shown = "".join(pictures(en, zh, f"{e.id}: {name}") for name, en, zh in e.pictures)
    tables = "".join(
        f"<details><summary>{both(*title)}</summary>{table(frame, _HEADERS)}</details>"
        for title, frame in e.tables.items()
    )
    lines = "".join(f"<p>{text(part)}</p>" for part in e.reason_en.split(" | "))
    reason = f'<div class="en">{lines}</div><p class="zh" lang="zh">{text(e.reason_zh)}</p>'
    more = f"<details><summary>{both('how it is read', '如何解读')}</summary><dl>{facts}</dl></details>"
    return (
        f'<article class="card{" data" if e.tables else ""}" id="{text(e.id)}" data-article="{text(e.article)}" '
        f'data-family="{text(e.family)}" '
        f'data-verdict="{text(e.verdict)}" data-priority="{text(e.priority)}" data-testability="{text(e.testability)}">'
        f"<header><b>{text(e.id)}</b>{badge(e.verdict, e.label)}{tags}</header>"
        f'<p class="says">{both(e.says_en, e.says_zh)}</p><p class="where">{text(e.where)}'
        f"{' · ' + links if links else ''}</p>"
        f'<div class="reason">{reason}</div>{shown}{tables}{more}</article>'
    )


def index_page(
    entries: Sequence[Entry],
    *,
    facts: Mapping[str, Any],
    notebooks: Sequence[tuple[str, str, bool]],
    fast: bool,
    tensions: Sequence[Tension] = (),
) -> str:
    """Write the whole page.

    Parameters
    ----------
    entries : sequence of Entry
        In the order of the cards.
    facts : mapping of str to str
        Data release, register checksum and the like, for the foot of the page.
    notebooks : sequence of (str, str, bool)
        Title, relative address, whether it ran through.
    fast : bool
        Whether variants were left out; the page says so at its top.
    tensions : sequence of Tension
        Statements shown side by side above the cards.

    Returns
    -------
    str
    """
    warning = both(
        "This was a fast run: variants marked heavy were left out. Verdicts of record come from a full run.",
        "这是快速运行：省略了耗时的变体；正式判定以完整运行为准。",
    )
    lead = both(
        "Two articles on new quality productive forces and regional coordination, restated claim by claim, and "
        "what official provincial figures say about each under a rule fixed beforehand. A verdict is about our "
        "reading of a statement. Claims marked not run have no verdict yet.",
        "将两篇关于新质生产力与区域协调的文章逐条改述，并按事先确定的规则用官方省级数据检验。"
        "判定针对的是我们对陈述的操作化解读；标为“尚未运行”的陈述尚无判定。规则、理由等登记册原文为英文。",
    )
    failed = f" {both('(failed)', '（运行失败）')}"
    books = "".join(
        f'<li><a href="{text(href)}">{text(title)}</a>{"" if ok else failed}</li>' for title, href, ok in notebooks
    )
    pairs = tension_cards(tensions, entries)
    foot = "".join(f"<dt>{text(k)}</dt><dd>{text(v)}</dd>" for k, v in facts.items())
    body = (
        '<header class="top"><div class="bar"><h1>'
        f"{both(*TITLE)}</h1>"
        '<button id="lang" type="button">English / 中文</button></div>'
        f'<p class="lead">{lead}</p>{f"<p class=warn>{warning}</p>" if fast else ""}</header><main>'
        f"<h2>{both('Scoreboard', '总览')}</h2>{scoreboard(entries)}{board(entries)}"
        + (f"<h2>{both('Statements that pull against each other', '相互矛盾的陈述')}</h2>{pairs}" if pairs else "")
        + (f"<h2>{both('Notebooks', '笔记本')}</h2><ul>{books}</ul>" if books else "")
        + f"<h2>{both('Claims', '各条陈述')}</h2>{_filters(entries)}"
        + "".join(card(e) for e in entries)
        + f"</main><footer><dl>{foot}</dl></footer>"
    )
    return page("nqpf_spatial: claims put to the test", body)
