"""Words of the tables in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nqpf_spatial.models.naming import check_lang

_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # blocks
        "Main": ("Main", "主要变量"),
        "Wx": ("Wx", "空间滞后项"),
        "Time": ("Time", "时间滞后项"),
        "Spatial": ("Spatial", "空间参数"),
        "Variance": ("Variance", "方差"),
        "Fit": ("Fit", "模型信息"),
        "direct": ("Direct effects", "直接效应"),
        "indirect": ("Indirect effects", "间接效应"),
        "total": ("Total effects", "总效应"),
        "short direct": ("Short-run direct effects", "短期直接效应"),
        "short indirect": ("Short-run indirect effects", "短期间接效应"),
        "short total": ("Short-run total effects", "短期总效应"),
        "long direct": ("Long-run direct effects", "长期直接效应"),
        "long indirect": ("Long-run indirect effects", "长期间接效应"),
        "long total": ("Long-run total effects", "长期总效应"),
        # heads of one result
        "estimate": ("Estimate", "估计值"),
        "se": ("Std. err.", "标准误"),
        "z": ("z", "z值"),
        "p": ("p", "p值"),
        # rows below the coefficients
        "w": ("W", "空间权重矩阵"),
        "estimator": ("Estimator", "估计方法"),
        "correction": ("Correction", "偏差修正"),
        "covariance": ("Covariance", "协方差"),
        "units": ("Units", "个体数"),
        "periods": ("Periods", "时期数"),
        "nobs": ("Observations", "观测数"),
        "n": ("Effective observations", "有效观测数"),
        "r2": ("R²", "R²"),
        "llf": ("Log-likelihood", "对数似然值"),
        "log marginal": ("Log marginal likelihood", "对数边际似然值"),
        "aic": ("AIC", "AIC"),
        "bic": ("BIC", "BIC"),
        "instruments": ("Excluded instruments", "工具变量个数"),
        "first stage": ("First-stage F of Wy", "Wy第一阶段F值"),
        "group": ("Comparable likelihoods", "似然可比组"),
        # cells
        "fixed": ("fixed", "固定"),
        "random": ("random", "随机"),
        "mundlak": ("Mundlak", "Mundlak"),
        "no": ("no", "否"),
        "not stated": ("not stated", "未注明"),
        # corrections
        "transform": ("Lee-Yu (2010) transformation", "Lee-Yu（2010）变换"),
        "score": ("score adjusted for the fixed effects", "针对固定效应的得分调整"),
        "none": ("dummy-variable ML, incidental-parameter bias not corrected", "虚拟变量极大似然，未修正偶发参数偏差"),
        "bias": ("analytic bias correction of Lee and Yu (2010)", "Lee-Yu（2010）解析偏差修正"),
        "bootstrap": ("bootstrap bias correction", "自助法偏差修正"),
        "dynamic transform": ("Lee-Yu (2010) transformation of the time effects, score adjusted for the unit effects",
                              "时间效应Lee-Yu（2010）变换，个体效应得分调整"),
        "dynamic score": ("score adjusted for time and unit effects", "针对时间与个体效应的得分调整"),
        "dynamic bias": ("one-step bias correction of Yu, de Jong and Lee (2008) and Lee and Yu (2010)",
                         "Yu-de Jong-Lee（2008）与Lee-Yu（2010）一步偏差修正"),
        "dynamic direct": ("one-step bias correction after time dummies, Lee and Yu (2010)",
                           "时间虚拟变量后的一步偏差修正，Lee-Yu（2010）"),
        "dynamic none": ("dummy-variable QML, bias of order 1/T not corrected", "虚拟变量拟极大似然，未修正1/T阶偏差"),
        "dynamic not needed": ("none needed", "无需修正"),
        "dynamic model": ("dynamic {model}", "动态{model}"),
        "not needed": ("none needed", "无需修正"),
        "within": ("within estimation, no correction needed", "组内估计，无需修正"),
        # covariances
        "observed": ("observed information", "观测信息矩阵"),
        "expected": ("expected information", "期望信息矩阵"),
        "sandwich": ("QML sandwich", "QML三明治"),
        "cluster": ("clustered", "聚类"),
        "driscoll-kraay": ("Driscoll-Kraay", "Driscoll-Kraay"),
        "conley": ("Conley", "Conley"),
        "classical": ("classical", "经典"),
        "white": ("heteroskedasticity-robust", "异方差稳健"),
        "by": ("{kind} by {level}", "按{level}{kind}"),
        # standardisations of W
        "W row": ("row-standardised", "行标准化"),
        "W spectral": ("standardised by its spectral radius", "谱半径标准化"),
        "W minmax": ("min-max standardised", "极小极大标准化"),
        "W none": ("not standardised", "未标准化"),
        # notes
        "outcome": ("Dependent variable: {name}.", "被解释变量：{name}。"),
        "outcomes": ("Dependent variables: {names}.", "被解释变量：{names}。"),
        "brackets se": ("Standard errors in parentheses", "括号内为标准误"),
        "brackets t": ("z statistics in parentheses", "括号内为z统计量"),
        "brackets p": ("p-values in parentheses", "括号内为p值"),
        "brackets ci": ("{level} intervals in brackets", "方括号内为{level}置信区间"),
        "brackets none": ("Estimates", "表中为估计值"),
        "stars": ("; {list} (two-sided).", "；{list}（双侧）。"),
        "no stars": (".", "。"),
        "note effects": ("Fixed effects: {what}.", "固定效应：{what}。"),
        "note random": ("random unit effects", "随机个体效应"),
        "note mundlak": ("random unit effects with unit means (Mundlak)", "含个体均值的随机效应（Mundlak）"),
        "note correction": ("Correction: {what}.", "偏差修正：{what}。"),
        "note covariance": ("Covariance: {what}.", "协方差：{what}。"),
        "note w": ("W: {what}.", "空间权重矩阵：{what}。"),
        "note missing": ("Incomplete cells: {what}.", "不完整的单元格：{what}。"),
        "missing drop_units": ("units left out", "剔除单元"),
        "missing drop_years": ("periods left out", "剔除时期"),
        "missing subnetwork": ("every period on its observed sub-network", "各期仅用当期有观测的子网络"),
        "missing marginalise": ("missing outcomes integrated out", "缺失的被解释变量经积分消去"),
        "missing keep": ("elements of W kept", "W元素不变"),
        "missing restandardise": ("W standardised anew", "W重新标准化"),
        "cells": ("{count}", "{count}个"),
        "colon": (": ", "："),
        "note window": ("Sample: {what}.", "样本：{what}。"),
        "sample": ("N = {n}, T = {t}{window}, observations {nobs}, n of the likelihood {used}",
                   "N = {n}，T = {t}{window}，观测数{nobs}，似然函数观测数{used}"),
        "sample gmm": ("N = {n}, T = {t}{window}, observations {nobs}, after fixed effects {used}",
                       "N = {n}，T = {t}{window}，观测数{nobs}，扣除固定效应后{used}"),
        "sample foreign": ("observations {nobs}", "观测数{nobs}"),
        "note hidden": ("Not shown: {what}.", "未列出：{what}。"),
        "note dynamic": ("Time lags: {what}.", "时间滞后：{what}。"),
        "stability": ("first period {first} lost, τ + ρ + η = {sum} [{lower}, {upper}], largest root {radius}, {verdict}",
                      "首期{first}损失，τ + ρ + η = {sum} [{lower}, {upper}]，最大根{radius}，{verdict}"),
        "stable": ("stable", "平稳"),
        "near unit": ("stable, but the interval contains one", "平稳，但区间包含1"),
        "unstable": ("not stable, no long run", "不平稳，无长期效应"),
        "note horizon": ("Horizon of the effects: {what}.", "效应的时点：{what}。"),
        "note posterior": (
            "Posterior means and standard deviations, p twice the smaller probability of a sign: {what}.",
            "后验均值与后验标准差，p值为较小符号概率的两倍：{what}。",
        ),
        "prior": ("{prior} prior, {draws} samples", "{prior}先验，{draws}个样本"),
        "note shares": (
            "Shares of W have no stars, tests or intervals here: zero and one are the ends of their range, where Wald's do not hold; "
            "see shares().",
            "权重份额不标星号、检验与区间：零和一是其取值边界，Wald方法不成立，见shares()。",
        ),
        "note weak": ("{what} is weakly identified (standard error above {limit}).", "{what}识别较弱（标准误大于{limit}）。"),
        "note lag": (
            "Coefficients of a model with a spatial lag are not marginal effects; see the impacts.",
            "含空间滞后的模型，其系数不是边际效应，见效应分解。",
        ),
        "note zero": ("0 without a standard error: the model has no such effect.", "仅列0者：模型本身不含该效应。"),
        "note delta": ("Inference on effects: {what}.", "效应的推断：{what}。"),
        "delta": ("delta method", "delta方法"),
        "simulate": ("{draws} draws", "{draws}次模拟"),
        "bootstrap draws": ("bootstrap, {draws} replicates", "自助法，{draws}次"),
        "posterior": ("posterior, {draws} samples", "后验，{draws}个样本"),
        "fieller": ("Fieller sets", "Fieller集"),
        "note groups": (
            "Log-likelihood, AIC and BIC can be compared within a group only: {what}.",
            "对数似然值、AIC与BIC仅在同组内可比：{what}。",
        ),
        "all": ("all columns", "各列"),
        "effects row": ("{level} effects", "{level}效应"),
        "province": ("Province", "省份"),
        "year": ("Year", "年份"),
        "unit": ("Unit", "个体"),
        "period": ("Period", "时期"),
        "none at all": ("none", "无"),
        # one result
        "likelihood line": ("log-likelihood {llf}, AIC {aic}, BIC {bic}", "对数似然值{llf}，AIC {aic}，BIC {bic}"),
    }
)  # fmt: skip


def say(key: str, lang: str, **parts: object) -> str:
    """A word or sentence of the tables.

    Examples
    --------
    >>> say("indirect", "zh"), say("outcome", "en", name="y")
    ('间接效应', 'Dependent variable: y.')
    """
    check_lang(lang)
    text = _WORDS[key][lang == "zh"]
    return text.format(**parts) if parts else text


def level_name(level: str, lang: str) -> str:
    """Name of an index level: province, year, unit and period have translations."""
    key = level.lower()
    return say(key, lang) if key in ("province", "year", "unit", "period") else level


def comma(lang: str) -> str:
    """What stands between the members of a list."""
    return "，" if lang == "zh" else ", "


def semicolon(lang: str) -> str:
    """What stands between the parts of a note."""
    return "；" if lang == "zh" else "; "
