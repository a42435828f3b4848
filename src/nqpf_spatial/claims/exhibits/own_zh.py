"""Chinese sentences of R-OWN: every counted figure with what it is, and WU-4.9 by interval."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from nqpf_spatial.claims.exhibits import names
from nqpf_spatial.claims.exhibits.phrases import name_zh, value_zh
from nqpf_spatial.claims.record import Evidence, Verdict
from nqpf_spatial.report.words import word

_PARTITIONS = {"block": "四大板块", "north_south": "南北方", "digital": "数字两类"}


def _series(name: str) -> str:
    return name_zh(name)


def _group(name: str) -> str:
    return word(name, "zh")


def _province(name: str) -> str:
    return names.province(name, "zh")


def _partition(name: str) -> str:
    return _PARTITIONS[name]


def _named(listed: str) -> str:
    """Indicators in brackets; "none" where a province has none."""
    return "无" if listed == "none" else "、".join(_series(n) for n in listed.split(", "))


def _same(text: str) -> str:
    return text


#: pattern of a figure -> its sentence and how each part is written
_PATTERNS: tuple[tuple[re.Pattern[str], str, tuple[Callable[[str], str], ...]], ...] = tuple(
    (re.compile(pattern), sentence, how)
    for pattern, sentence, how in (
        (r"Spearman correlation of the yearly changes of the two dispersions", "两个离散度年度变化的斯皮尔曼相关", ()),
        (
            r"smallest margin of Theil-T of (\w+) over that of output per resident, (\d+) years",
            "{0}的泰尔指数超出人均产出的最小幅度（{1} 个年份）",
            (_series, _same),
        ),
        (
            r"rank of post over pre error, (\w+) after (\d+), of (\d+)",
            "{0}在 {1} 年后事后与事前误差之比的位次（共 {2}）",
            (_series, _same, _same),
        ),
        (
            r"mean gap to the synthetic province, (\w+) after (\d+)",
            "{0}在 {1} 年后与合成对照的平均差距",
            (_series, _same),
        ),
        (r"industry growth over that of the nation, ratio", "产业增速与全国之比", ()),
        (
            r"share of Theil-T of (\w+) between the groups of (\w+), percent",
            "{0}泰尔指数中{1}组间份额（%）",
            (_series, _partition),
        ),
        (
            r"(\w+): indicators with a lead and growth above the median \((.+)\)",
            "{0}领先且增速高于中位数的指标数（{1}）",
            (_province, _named),
        ),
        (r"clusters chosen by the silhouette", "轮廓系数选出的类别数", ()),
        (r"more than one cluster by the gap statistic \(1: yes\)", "间隔统计量是否多于一类（1 为是）", ()),
        (r"adjusted Rand index with the stated members", "与所述成员的调整兰德指数", ()),
        (r"Central provinces in the upper class", "高值类中的中部省份数", ()),
        (r"Northeast provinces in the lower class", "低值类中的东北省份数", ()),
        (r"western provinces in the upper class", "高值类中的西部省份数", ()),
        (
            r"share of the named components in the distance of the two classes, percent",
            "所列分项占两类距离的份额（%）",
            (),
        ),
        (r"Hoover distance of (\w+) and the resource", "{0}与算力资源的 Hoover 距离", (_series,)),
        (
            r"its excess over the distance of GDP and population, (\w+)",
            "{0}一项超出地区生产总值与人口距离的部分",
            (_series,),
        ),
        (
            r"centre of (\w+) east of that of the resource, degrees of longitude",
            "{0}重心在资源重心以东的经度差（度）",
            (_series,),
        ),
        (
            r"gain of (\w+), second decade less first, points",
            "{0}人口份额第二个十年比第一个十年多增（百分点）",
            (_group,),
        ),
        (r"the same, second half, (\w+)", "数字权重比 {0} 的每观测对数似然增益，后半期", (_same,)),
        (r"its change, (\w+)", "数字权重比 {0} 的每观测对数似然增益由前半期到后半期的变化", (_same,)),
        (r"change of the contribution of productivity, log points a year", "生产率贡献的变化（每年对数点）", ()),
        (r"change of its share of growth", "生产率占增长份额的变化", ()),
        (r"provinces whose electricity intensity fell, of (\d+)", "电力强度下降的省份数（共 {0}）", (_same,)),
        (
            r"F of different slopes across blocks, permutation of the blocks",
            "四大板块斜率不同的 F 统计量（置换板块）",
            (),
        ),
        (r"farthest block from the pooled slope of (\w+), percent", "{0}的斜率离合并斜率最远的板块（%）", (_series,)),
        (r"mean pairwise correlation of growth", "各省增长率两两相关的均值", ()),
        (r"standardised total effect of (\w+)", "{0}的标准化总效应", (_series,)),
        (
            r"location quotient of (\w+), (\w+) \((\d+)\)",
            "{1}{0}的区位商（{2} 年）",
            (_series, _group, _same),
        ),
        (r"net inflow of (\w+), (\w+).*, thousand persons", "{0}在 {1} 的净流入（千人）", (_group, _same)),
    )
)


def what_zh(what: str) -> str:
    """A counted figure of R-OWN in Chinese.

    Raises
    ------
    KeyError
        If it has no sentence: a list of bare figures tells a reader nothing.

    Examples
    --------
    >>> what_zh("location quotient of generation_total, Central (2024)")
    '中部发电量的区位商（2024 年）'
    """
    for pattern, sentence, how in _PATTERNS:
        if found := pattern.fullmatch(what):
            return sentence.format(*(f(part) for f, part in zip(how, found.groups(), strict=True)))
    raise KeyError(f"no Chinese sentence for the figure {what!r}")


def _number(e: Evidence) -> str:
    """Value, corrected p-value and detectable effect where there are any."""
    value = value_zh(e.estimate) if isinstance(e.estimate, float) else str(e.estimate)
    inside = [] if e.p is None else [f"p={e.p:.4f}，族内校正后 {e.p if e.p_holm is None else e.p_holm:.4f}"]
    inside += [] if e.mde is None else [f"最小可检测 {e.mde:.3g}"]
    return f"{value}（{'，'.join(inside)}）" if inside else value


_MARK = {"support": "支持", "contradict": "相悖", "neither": "未定"}


def found_zh(verdict: Verdict) -> str:
    """The counted figures in sentences, those for, those against, those for neither."""
    counted = [e for e in verdict.evidence if e.counted]
    parts = []
    for reading, name in _MARK.items():
        own = [e for e in counted if e.reading == reading]
        if own:
            said = "；".join(f"{what_zh(e.what)}为 {_number(e)}" for e in own)
            parts.append(f"{name}的有 {len(own)} 项：{said}。")
    return f"计入 {len(counted)} 项数字。{''.join(parts)}"


def inflow_zh(verdict: Verdict) -> str:
    """WU-4.9: net inflow of both groups by interval, in ten thousands as Chinese counts."""
    table = verdict.tables["net_inflow_thousand"]
    intervals = [_interval(str(i), "experimental" in s) for i, s in table["status"].items()]
    sides = []
    for group in table.columns.drop("status"):
        flows = table[group].astype(float) / 10.0
        sign = "各期均为净流入" if (flows > 0).all() else f"{int((flows > 0).sum())} 期为净流入"
        sides.append(f"{word(str(group), 'zh')}净流入依次为 {'、'.join(f'{f:.0f}' for f in flows)} 万人，{sign}")
    return f"{'、'.join(intervals)}共 {len(table)} 个五年区间中，{'；'.join(sides)}。"


def _interval(name: str, experimental: bool) -> str:
    """An interval by its years.

    Examples
    --------
    >>> _interval("5yr_2005", True)
    '2000—2005 年（试验性数据）'
    """
    end = int(name.removeprefix("5yr_"))
    return f"{end - 5}—{end} 年{'（试验性数据）' if experimental else ''}"


#: claims whose sentence is their own
FOUND_ZH: Mapping[str, Callable[[Verdict], str]] = {"WU-4.9": inflow_zh}
