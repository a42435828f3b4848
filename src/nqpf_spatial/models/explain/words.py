"""The sentences of `explain`, in English and Chinese: templates with named places for computed facts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

LANGUAGES = ("en", "zh")

#: key -> (English, Chinese); every place in braces is filled with a computed fact
SENTENCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "head_what": ("What was estimated", "估计了什么"),
        "head_read": ("How to read the effects", "如何解读各项效应"),
        "head_care": ("What to be careful about", "需要留意之处"),
        "model": (
            "{model} model of {outcome} on {k} regressors, by maximum likelihood on {nobs} observations: {n} units{periods}.",
            "以{outcome}为被解释变量、含 {k} 个解释变量的 {model} 模型，极大似然估计，样本 {nobs} 个观测：{n} 个单元{periods}。",
        ),
        "in_logs": ("{label} (log)", "{label}（对数）"),
        "periods": (", {t} periods ({first} to {last})", "，{t} 期（{first} 至 {last}）"),
        "drop_units": (
            "{cells} cells of the data are incomplete; the units that have some are left out{left}.",
            "数据中有 {cells} 个单元格不完整，含缺失的单元已剔除{left}。",
        ),
        "drop_years": (
            "{cells} cells of the data are incomplete; the periods that have some are left out{left}.",
            "数据中有 {cells} 个单元格不完整，含缺失的时期已剔除{left}。",
        ),
        "subnetwork": (
            "{cells} cells of the data are incomplete; every period is modelled on the network of the units observed in it{left}.",
            "数据中有 {cells} 个单元格不完整，每期仅就当期有观测的单元所构成的子网络建模{left}。",
        ),
        "marginalise": (
            "{cells} outcomes are missing; they are integrated out of the likelihood of the whole network, not filled in{left}.",
            "被解释变量有 {cells} 个缺失值，已从整个网络的似然中积分消去，未作填补{left}。",
        ),
        "left_out": (" ({names})", "（{names}）"),
        "fixed": (
            "Fixed effects of {effects} take out everything that is constant within them.",
            "{effects}固定效应吸收其内部不变的一切因素。",
        ),
        "pooled": (
            "There are no fixed effects: permanent differences between units stay in the estimates.",
            "未设固定效应：单元之间的长期差异留在估计之中。",
        ),
        "random": (
            "The unit effects are random: they are taken to be uncorrelated with the regressors.",
            "个体效应为随机效应：假定其与解释变量不相关。",
        ),
        "mundlak": (
            "The unit effects are random with the unit means of the regressors as controls (Mundlak).",
            "个体效应为随机效应，并以解释变量的单元均值作控制（Mundlak）。",
        ),
        "time": (
            "Outcomes persist: tau + rho + eta = {value:.3f} (95 % interval {lower:.3f} to {upper:.3f}); the process is {state}.",
            "被解释变量具有持续性：tau + rho + eta = {value:.3f}（95% 区间 {lower:.3f} 至 {upper:.3f}）；过程{state}。",
        ),
        "stable": ("stable", "平稳"),
        "not_stable": ("not stable, long-run effects do not exist", "不平稳，长期效应不存在"),
        "near_unit": (
            "stable at the estimate, but the interval reaches one: no bounded interval covers a long-run effect",
            "在估计值处平稳，但区间含一：没有任何有界区间能覆盖长期效应",
        ),
        "same_period": (
            "The effects below are those of the same period (short run), unless it says long run.",
            "以下除注明长期外，均为当期（短期）效应。",
        ),
        "long": (
            "{term}, long run: after a permanent rise by {step} everywhere, {outcome} ends up {total} (total effect {t}).",
            "{term}，长期：所有单元永久提高{step}后，{outcome}最终{total}（总效应 {t}）。",
        ),
        "long_complement": (
            "{term}, long run: after a permanent rise by {step} everywhere the data set no bound to the effect on {outcome}: its 95 % set "
            "(Fieller) is unbounded, every value except {lower:.4g} to {upper:.4g}.",
            "{term}，长期：所有单元永久提高{step}后，数据不能界定{outcome}的变化：总效应的 95% 置信集（Fieller）无界，"
            "为 {lower:.4g} 至 {upper:.4g} 以外的一切数值。",
        ),
        "long_line": (
            "{term}, long run: after a permanent rise by {step} everywhere the data set no bound to the effect on {outcome}: its 95 % set "
            "(Fieller) is unbounded and excludes no value.",
            "{term}，长期：所有单元永久提高{step}后，数据不能界定{outcome}的变化：总效应的 95% 置信集（Fieller）无界，不排除任何数值。",
        ),
        "long_unknown": (
            "{term}, long run: after a permanent rise by {step} everywhere the data set no bound to the effect on {outcome}; with these "
            "weights there is no Fieller set of it: report a finite horizon.",
            "{term}，长期：所有单元永久提高{step}后，数据不能界定{outcome}的变化；在此类权重下没有相应的 Fieller 置信集：请报告有限期的效应。",
        ),
        "w": (
            "Neighbours are defined by W = {name}: {links:.1f} neighbours per unit on average, {rows}.",
            "邻近关系由 W = {name} 定义：平均每个单元 {links:.1f} 个邻居，{rows}。",
        ),
        "rows_one": ("rows sum to one", "各行之和为一"),
        "rows_other": ("rows do not sum to one", "各行之和不为一"),
        "rho": (
            "rho = {value:.3f} (95 % interval {lower:.3f} to {upper:.3f}): outcomes of neighbours {move}.",
            "rho = {value:.3f}（95% 区间 {lower:.3f} 至 {upper:.3f}）：相邻单元的被解释变量{move}。",
        ),
        "lambda": (
            "lambda = {value:.3f} (95 % interval {lower:.3f} to {upper:.3f}): unexplained shocks of neighbours {move}.",
            "lambda = {value:.3f}（95% 区间 {lower:.3f} 至 {upper:.3f}）：相邻单元的未解释冲击{move}。",
        ),
        "move_together": ("move together", "同向变动"),
        "move_apart": ("move in opposite directions", "反向变动"),
        "move_unclear": (
            "may move together or apart, the interval contains zero",
            "方向不明，区间包含零",
        ),
        "effect": (
            "{term}: if it is higher by {step} in one unit, {outcome} there is {direct} on average (direct effect {d}); "
            "if it is higher by as much in all other units, {outcome} there is {indirect} (indirect effect, the spillover, {i}); "
            "if everywhere, {total} (total effect {t}).",
            "{term}：某单元提高{step}，该单元的{outcome}平均{direct}（直接效应 {d}）；"
            "其他所有单元都提高同样幅度，该单元的{outcome}{indirect}（间接效应即溢出 {i}）；"
            "所有单元都提高，则{total}（总效应 {t}）。",
        ),
        "effect_alone": (
            "{term}: if it is higher by {step} in a unit, {outcome} there is {direct} on average (effect {d}); the model has no "
            "spillovers.",
            "{term}：某单元提高{step}，该单元的{outcome}平均{direct}（效应 {d}）；该模型没有溢出。",
        ),
        "interval": (
            "{estimate:.4g}, 95 % {lower:.4g} to {upper:.4g}",
            "{estimate:.4g}，95% 区间 {lower:.4g} 至 {upper:.4g}",
        ),
        "higher": ("higher by {size}", "提高 {size}"),
        "lower": ("lower by {size}", "降低 {size}"),
        "unclear": ("not distinguishable from unchanged", "与不变无法区分"),
        "coefficients": (
            "Coefficients are not these effects: the coefficient of a neighbour's regressor (W:...) is not the spillover.",
            "系数并非上述效应：邻居解释变量的系数（W:...）不等于溢出效应。",
        ),
        "theta_differs": (
            "For {terms} the coefficient of the lag and the indirect effect differ in sign or in whether zero lies in the interval: "
            "report the effect.",
            "{terms}的滞后项系数与间接效应在符号或显著性上不一致：请报告效应。",
        ),
        "weak": (
            "{name} is weakly identified: its standard error is {se:.2f}. Sparser weights or more periods carry more information.",
            "{name} 的识别较弱：标准误为 {se:.2f}。更稀疏的权重或更长的时段能带来更多信息。",
        ),
        "no_correction": (
            "This is dummy-variable ML without a correction: with {n} units and both effects its intervals for rho are too short. "
            'correction="transform" is the remedy.',
            "这是未校正的虚拟变量极大似然：在 {n} 个单元、双向固定效应之下，rho 的区间过窄。"
            'correction="transform" 可以修正。',
        ),
        "cluster": (
            "Standard errors use the {vcov}. Clustered by unit, whether zero lies in the interval changes for: {effects}.",
            "标准误基于{vcov}。若按单元聚类，下列效应的区间是否包含零会改变：{effects}。",
        ),
        "cluster_same": (
            "Standard errors use the {vcov}; clustered by unit, no effect changes in whether zero lies in its interval.",
            "标准误基于{vcov}；若按单元聚类，各效应的区间是否包含零均不改变。",
        ),
        "moran": (
            "Residuals are still spatially correlated (Moran's I = {value:.3f}, {z:.2f} standard deviations from what the model "
            "expects, p = {p:.3f}): a spatial term may be missing.",
            "残差仍有空间相关（Moran's I = {value:.3f}，与模型下的期望值相差 {z:.2f} 个标准差，p = {p:.3f}）：可能缺少某个空间项。",
        ),
        "w_data": (
            "W uses economic data of {first} to {last}, the sample starts in {start}: W is {verdict}.",
            "W 使用 {first} 至 {last} 年的经济数据，样本始于 {start} 年：W {verdict}。",
        ),
        "w_before": ("predetermined", "为前定"),
        "w_inside": ("built from the sample itself and endogenous", "由样本期数据构造，具有内生性"),
        "shared": (
            "{term} and {outcome} share a published series by definition ({inputs}): part of the association is arithmetic.",
            "{term}与{outcome}在定义上共用公布序列（{inputs}）：部分关联来自算术关系。",
        ),
        "step": (
            "{term} has a documented break in {year}: {what}.",
            "{term}在 {year} 年有已记录的口径变动：{what}。",
        ),
        "unexplained": (
            "The effects are associations given the model; they are causal only if the regressors are unrelated to the shocks, "
            "which this fit cannot show.",
            "上述效应是模型之下的关联；只有在解释变量与冲击无关时才具因果含义，而本次估计无法证明这一点。",
        ),
        "percent": ("{value:.3g} %", "{value:.3g}%"),
        "one_percent": ("1 percent", " 1%"),
        "one_unit": ("one unit ({unit})", "一个单位（{unit}）"),
        "one_plain": ("one unit", "一个单位"),
        "units": ("{value:.3g} {unit}", "{value:.3g} {unit}"),
        "vcov_observed": ("observed information (independent normal errors)", "观测信息矩阵（独立正态误差）"),
        "vcov_expected": ("expected information (independent normal errors)", "期望信息矩阵（独立正态误差）"),
        "vcov_sandwich": ("QML sandwich (independent errors)", "拟极大似然三明治估计（独立误差）"),
        "join": (", ", "、"),
    }
)


def say(key: str, lang: str, **facts: Any) -> str:
    """One sentence in a language with its facts.

    Examples
    --------
    >>> say("percent", "en", value=0.1234), say("higher", "zh", size="0.12%")
    ('0.123 %', '提高 0.12%')
    """
    return SENTENCES[key][LANGUAGES.index(lang)].format(**facts)
