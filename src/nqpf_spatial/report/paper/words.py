"""Words of the document in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from nqpf_spatial.models.naming import check_lang
from nqpf_spatial.report.table_words import level_name

#: the twelve pieces in their order
PIECES = (
    "descriptive",
    "moran",
    "lisa",
    "lm",
    "hausman",
    "effects",
    "degeneration",
    "baseline",
    "decomposition",
    "robustness",
    "heterogeneity",
    "mechanism",
)

_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # titles
        "descriptive": ("Descriptive statistics", "描述性统计"),
        "moran": ("Moran's I of the outcome by period", "被解释变量的各期莫兰指数"),
        "lisa": ("Local Moran clusters of the outcome", "被解释变量的局部莫兰集聚"),
        "lm": ("LM tests for spatial terms", "空间项的LM检验"),
        "hausman": ("Fixed or random unit effects", "固定效应与随机效应的选择"),
        "effects": ("Unit and time effects (LR)", "个体与时间效应的LR检验"),
        "degeneration": ("Can the model be simpler (LR, Wald)", "模型退化检验（LR、Wald）"),
        "baseline": ("Baseline estimates", "基准回归"),
        "decomposition": ("Direct, indirect and total effects", "直接、间接与总效应分解"),
        "robustness": ("Robustness", "稳健性检验"),
        "heterogeneity": ("Heterogeneity: {what} by group", "异质性：{what}的分组效应"),
        "mechanism": ("Mechanism", "机制检验"),
        "heterogeneity plain": ("Heterogeneity", "异质性分析"),
        # document
        "document": ("Tables and figures: {what}", "图表：{what}"),
        "table": ("Table {n}. {title}", "表{n} {title}"),
        "figure": ("Figure {n}. {title}", "图{n} {title}"),
        "not made": ("Not made: {why}", "未生成：{why}"),
        "part not made": ("Not made, {part}: {why}", "未生成（{part}）：{why}"),
        "fact model": ("Model", "模型"),
        "fact formula": ("Specification", "设定"),
        "fact w": ("Spatial weights", "空间权重矩阵"),
        "fact sample": ("Sample", "样本"),
        "fact made by": ("Computed with", "计算工具"),
        "sample panel": ("N = {n}, T = {t} ({first} to {last})", "N = {n}，T = {t}（{first}至{last}）"),
        "sample cross": ("N = {n}, one period", "N = {n}，单期截面"),
        "data release": ("data release {release}", "数据版本{release}"),
        # heads
        "N": ("N", "N"),
        "mean": ("Mean", "均值"),
        "sd": ("Std. dev.", "标准差"),
        "min": ("Min.", "最小值"),
        "p50": ("Median", "中位数"),
        "max": ("Max.", "最大值"),
        "VIF": ("VIF", "VIF"),
        "VIF within": ("VIF, within", "VIF（去效应）"),
        "I": ("Moran's I", "莫兰指数"),
        "expected": ("E(I)", "E(I)"),
        "z": ("z", "z值"),
        "p_normal": ("p, normal", "p值（正态）"),
        "p_perm": ("p, permuted", "p值（置换）"),
        "lower": ("2.5%", "2.5%"),
        "upper": ("97.5%", "97.5%"),
        "significant": ("Significant", "显著个数"),
        "HH": ("High-high", "高-高"),
        "LL": ("Low-low", "低-低"),
        "LH": ("Low-high", "低-高"),
        "HL": ("High-low", "高-低"),
        "all units": ("All", "全样本"),
        # columns
        "base": ("Baseline", "基准"),
        "lagged": ("Lagged {k}", "滞后{k}期"),
        "winsorised": ("Winsorised {p}", "缩尾{p}"),
        "municipalities": ("No municipalities", "剔除直辖市"),
        "by group": ("By group", "分组"),
        "step total": ("(1) Total", "（1）总效应"),
        "step mediator": ("({n}) Mediator", "（{n}）中介变量"),
        "step both": ("({n}) With mediator", "（{n}）加入中介"),
        # parts
        "map": ("map", "地图"),
        "column": ("column {name}", "列{name}"),
        "part weights": ("other weights", "替换权重矩阵"),
        "part lag": ("lagged regressors", "解释变量滞后"),
        "part winsorize": ("winsorising", "缩尾处理"),
        "part drop": ("without some units", "剔除部分个体"),
        # notes
        "note descriptive": (
            "VIF: variance inflation factors of the pooled regressors with a constant. VIF, within: after removing the fixed effects of "
            "the specification.",
            "VIF为含常数项的混合样本方差膨胀因子；VIF（去效应）为剔除设定中的固定效应之后的方差膨胀因子。",
        ),
        "note moran": (
            "W: {w}. Moments under randomisation; p, normal two-sided; p, permuted from {permutations} permutations (seed {seed}), two-sided, "
            "with the middle 95% of the permuted statistics.",
            "空间权重矩阵：{w}。随机化假设下的矩；p值（正态）为双侧；p值（置换）由{permutations}次置换得到（种子{seed}），双侧，并列出置换统计量的中间95%区间。",
        ),
        "note lisa": (
            "W: {w}. {permutations} conditional permutations (seed {seed}), two-sided, level {alpha}, not corrected for the {n} tests of a "
            "period: about {chance} units would be called significant by chance.",
            "空间权重矩阵：{w}。{permutations}次条件置换（种子{seed}），双侧，显著性水平{alpha}；未对每期{n}次检验作多重校正，仅凭偶然约有{chance}个个体显著。",
        ),
        "note members": ("{quadrant} in {when}: {who}.", "{quadrant}（{when}）：{who}。"),
        "note members cross": ("{quadrant}: {who}.", "{quadrant}：{who}。"),
        "note effects only": (
            "Coefficients are in the frame of this table; printed are the effects and the spatial parameters.",
            "表中列出效应与空间参数；系数见本表的数据框。",
        ),
        "note weights": ("{name}: the same specification with W = {w}.", "{name}：设定不变，W改为{w}。"),
        "note lag kept": (
            "{name}: values of the regressors {k} period(s) before, by label within the unit; the data hold the earlier periods, so that no "
            "period is lost.",
            "{name}：解释变量取同一个体{k}期之前的值（按标签对齐）；数据中有更早的时期，不损失样本期。",
        ),
        "note lag lost": (
            "{name}: values of the regressors {k} period(s) before, by label within the unit; the sample starts in {start}, {lost} period(s) "
            "at its beginning are lost.",
            "{name}：解释变量取同一个体{k}期之前的值（按标签对齐）；样本自{start}开始，损失最初{lost}期。",
        ),
        "note winsor": (
            "{name}: values beyond the {low} and {high} quantiles (pooled over the sample) are set to these quantiles; cells changed: {cells}.",
            "{name}：超出样本混合{low}与{high}分位数的取值以该分位数替代；改变的单元格数：{cells}。",
        ),
        "note drop": (
            "{name}: without {who}; W among the others, standardised anew.",
            "{name}：剔除{who}；W在其余个体间重新标准化。",
        ),
        "note groups": (
            "Groups: {groups}. {what} enters once per group (zero outside it), so that a row compares the coefficients of a group; W:{what} of a "
            "group is what comes from its units.",
            "分组：{groups}。{what}按组分别进入模型（组外取零），各行为该组系数的效应；空间滞后项表示来自该组个体的溢出。",
        ),
        "note equality": (
            "LR test that all groups share one slope and one spillover: {statistic} on {df} df, p = {p}.",
            "各组斜率与溢出相同的LR检验：统计量{statistic}，自由度{df}，p = {p}。",
        ),
        "note mechanism": (
            "Steps: outcome on the regressors; mediator on the same regressors; outcome on regressors and mediator. The comparison describes "
            "channels; it identifies one only if the mediator is as good as random given regressors and effects.",
            "步骤：被解释变量对解释变量；中介变量对相同解释变量；被解释变量对解释变量与中介变量。该比较描述渠道；仅当给定解释变量与效应后中介变量近似随机时才识别因果机制。",
        ),
        # figures
        "figure moran": ("Moran's I over time", "莫兰指数的变动"),
        "figure lisa": ("Local Moran clusters", "局部莫兰集聚图"),
        "figure decomposition": ("Effects and their 95% intervals", "效应及其95%置信区间"),
        "figure robustness": ("Effects of {what} across the variants", "{what}在各变体中的效应"),
        "direct": ("Direct", "直接效应"),
        "indirect": ("Indirect", "间接效应"),
        "total": ("Total", "总效应"),
        # why a piece is missing
        "why cross effects": (
            "the data are a cross-section: there are no unit and time effects.",
            "数据为截面：不存在个体与时间效应。",
        ),
        "why simplest": ("{model} contains no simpler model.", "{model}不包含更简单的模型。"),
        "why no weights": (
            "weights= names no other W; pass weights={{name: W}}.",
            "weights=未给出其他权重矩阵；请传入weights={{名称: W}}。",
        ),
        "why no lag": ("lag= is 0.", "lag=为0。"),
        "why cross lag": ("the data are a cross-section: nothing comes before.", "数据为截面：没有前期。"),
        "why lag outcome": (
            "{names} stand on both sides of the formula; lagging them would change the outcome.",
            "{names}同时出现在公式两侧；滞后会改变被解释变量。",
        ),
        "why lag spacing": ("the periods are not equally spaced.", "时期间隔不等。"),
        "why lag short": (
            "a lag of {k} leaves too few of the {t} periods.",
            "滞后{k}期后，{t}个时期所剩过少。",
        ),
        "why no winsor": ("winsorize= is 0.", "winsorize=为0。"),
        "why no drop": ("drop= names no units to leave out.", "drop=未指定要剔除的个体。"),
        "why drop provinces": (
            "the units are not the Chinese provinces, so that there are no municipalities; pass drop={{name: [units]}}.",
            "个体不是中国省份，不存在直辖市；请传入drop={{名称: [个体]}}。",
        ),
        "why drop absent": ("the sample has none of {who}.", "样本中没有{who}。"),
        "why no groups": ("heterogeneity= is None.", "heterogeneity=为None。"),
        "why groups provinces": (
            "the units are not the Chinese provinces, so that they have no group {scheme!r}; pass heterogeneity={{unit: group}}.",
            "个体不是中国省份，没有分组{scheme!r}；请传入heterogeneity={{个体: 组}}。",
        ),
        "why one group": ("all units are in one group, {group}.", "全部个体属于同一组{group}。"),
        "why no mediator": (
            'mechanism= names no mediator; pass mechanism={{"mediator": column}}.',
            'mechanism=未给出中介变量；请传入mechanism={{"mediator": 列名}}。',
        ),
        "why no variants": ("no variant could be fitted.", "没有可估计的变体。"),
        "why map": (
            "the units are not the Chinese provinces; pass geometry=, shapes indexed by unit.",
            "个体不是中国省份；请传入geometry=（以个体为索引的图形）。",
        ),
        "why map extra": ("maps need the extra nqpf-spatial[maps].", "地图需要扩展nqpf-spatial[maps]。"),
    }
)  # fmt: skip


def say(key: str, lang: str, **parts: object) -> str:
    """A word or sentence of the document.

    Examples
    --------
    >>> say("table", "zh", n=1, title="描述性统计"), say("base", "en")
    ('表1 描述性统计', 'Baseline')
    """
    check_lang(lang)
    return _WORDS[key][lang == "zh"].format(**parts)


_NOTES = (
    (
        re.compile(r"dummy-variable likelihoods of (\d+) observations; Bartlett-corrected (\S+), p ([<=] \S+)"),
        r"虚拟变量似然，观测数\1；Bartlett修正统计量\2，p \3",
    ),
    (re.compile(r"Wald statistic (\S+) on (\d+) means, clustered by unit"), r"\2个个体均值的Wald统计量\1，按个体聚类"),
    (re.compile(r"^not computed: "), "未计算："),
)


def note_of(text: str, lang: str) -> str:
    """The note of a test; in Chinese where its wording is known, else as it is.

    Examples
    --------
    >>> note_of("Wald statistic 21.37 on 6 means, clustered by unit", "zh")
    '6个个体均值的Wald统计量21.37，按个体聚类'
    """
    if lang == "zh":
        for pattern, made in _NOTES:
            text = pattern.sub(made, text)
    return text


def scope_of(text: str, lang: str) -> str:
    """What a test was computed on, with translated level names.

    Examples
    --------
    >>> scope_of("province + year against year", "zh"), scope_of("pooled", "zh"), scope_of("pooled", "en")
    ('省份 + 年份 对 年份', '混合', 'pooled')
    """
    if lang == "en":
        return text
    known = {"pooled": "混合", "against": "对", "random": "随机"}
    return " ".join(known.get(word, level_name(word, lang)) for word in text.split(" "))
