"""Names, null hypotheses and sources of the tests, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass

#: groups of the table, in its order
GROUPS = {
    "outcome": ("Spatial dependence of the outcome", "被解释变量的空间相关"),
    "lm": ("Which spatial terms (LM)", "空间项的选择 (LM)"),
    "nested": ("Can the model be simpler (LR, Wald)", "模型能否简化 (LR、Wald)"),
    "time": ("Time lags and stability", "时间滞后与稳定性"),
    "effects": ("Unit and time effects", "个体与时间效应"),
    "residuals": ("Residuals", "残差"),
    "identification": ("Identification", "识别"),
}

HEADINGS = {
    "en": {"name": "test", "scope": "on", "estimate": "estimate", "statistic": "statistic", "df": "df", "pvalue": "p",
           "null": "null hypothesis", "source": "source", "note": "note"},
    "zh": {"name": "检验", "scope": "范围", "estimate": "估计值", "statistic": "统计量", "df": "自由度", "pvalue": "p 值",
           "null": "原假设", "source": "来源", "note": "说明"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """What a test is called, what it tests, where it comes from."""

    group: str
    name: tuple[str, str]
    null: tuple[str, str]
    source: str


_ANSELIN_1988 = "Anselin (1988)"
_ABFY = "Anselin, Bera, Florax and Yoon (1996)"
_KOLEY = "Koley and Bera (2024)"
_BSK = "Baltagi, Song and Koh (2003)"
_CLIFF = "Cliff and Ord (1981)"
_ELHORST = "Elhorst (2014)"
_LESAGE = "LeSage and Pace (2009)"


def _e(group: str, en: str, zh: str, null_en: str, null_zh: str, source: str) -> Entry:
    return Entry(group, (en, zh), (null_en, null_zh), source)


CATALOGUE: dict[str, Entry] = {
    "moran_outcome": _e("outcome", "Moran's I of the outcome", "被解释变量的 Moran's I", "no spatial autocorrelation of y",
                        "y 无空间自相关", f"{_CLIFF}, randomisation; esda"),
    "lm_lag": _e("lm", "LM lag", "LM 滞后检验", "rho = 0 (lambda = 0 given)", "rho = 0 (设 lambda = 0)",
                 f"{_ANSELIN_1988}; {_ABFY}, eq. 13"),
    "lm_error": _e("lm", "LM error", "LM 误差检验", "lambda = 0 (rho = 0 given)", "lambda = 0 (设 rho = 0)",
                   f"Burridge (1980); {_ABFY}, eq. 9"),
    "rlm_lag": _e("lm", "robust LM lag", "稳健 LM 滞后检验", "rho = 0 (lambda small)", "rho = 0 (允许 lambda 较小)",
                  f"{_ABFY}, eq. 12"),
    "rlm_error": _e("lm", "robust LM error", "稳健 LM 误差检验", "lambda = 0 (rho small)", "lambda = 0 (允许 rho 较小)",
                    f"{_ABFY}, eq. 8"),
    "lm_sarma": _e("lm", "LM lag and error", "LM 滞后与误差联合检验", "rho = lambda = 0", "rho = lambda = 0", f"{_ABFY}, eq. 15"),
    "lm_wx": _e("lm", "LM WX", "LM WX 检验", "theta = 0 (rho = 0 given)", "theta = 0 (设 rho = 0)", _KOLEY),
    "rlm_wx": _e("lm", "robust LM WX", "稳健 LM WX 检验", "theta = 0 (rho small)", "theta = 0 (允许 rho 较小)", _KOLEY),
    "rlm_lag_wx": _e("lm", "LM lag robust to WX", "对 WX 稳健的 LM 滞后检验", "rho = 0 (theta small)",
                     "rho = 0 (允许 theta 较小)", _KOLEY),
    "lm_sdm": _e("lm", "LM lag and WX (SDM)", "LM 滞后与 WX 联合检验 (SDM)", "rho = theta = 0", "rho = theta = 0", _KOLEY),
    "lm_sdem": _e("lm", "LM error and WX (SDEM)", "LM 误差与 WX 联合检验 (SDEM)", "lambda = theta = 0", "lambda = theta = 0",
                  _KOLEY),
    "lm_lag_slx": _e("lm", "LM lag, WX in the model", "含 WX 的 LM 滞后检验", "rho = 0 (theta free, lambda = 0 given)",
                     "rho = 0 (theta 自由, 设 lambda = 0)", f"{_ABFY}, eq. 13, with WX among the regressors"),
    "lm_error_slx": _e("lm", "LM error, WX in the model", "含 WX 的 LM 误差检验", "lambda = 0 (theta free, rho = 0 given)",
                       "lambda = 0 (theta 自由, 设 rho = 0)", f"{_ABFY}, eq. 9, with WX among the regressors"),
    "rlm_lag_slx": _e("lm", "robust LM lag, WX in the model", "含 WX 的稳健 LM 滞后检验", "rho = 0 (theta free, lambda small)",
                      "rho = 0 (theta 自由, 允许 lambda 较小)", f"{_ABFY}, eq. 12, with WX among the regressors"),
    "rlm_error_slx": _e("lm", "robust LM error, WX in the model", "含 WX 的稳健 LM 误差检验",
                        "lambda = 0 (theta free, rho small)", "lambda = 0 (theta 自由, 允许 rho 较小)",
                        f"{_ABFY}, eq. 8, with WX among the regressors"),
    "lr": _e("nested", "LR", "LR 检验", "", "", f"{_LESAGE}; {_ELHORST}"),
    "wald": _e("nested", "Wald", "Wald 检验", "", "", f"{_ELHORST}; Burridge (1981) for the common factor"),
    "time_lags": _e("time", "Wald of the time lags", "时间滞后项 Wald 检验", "tau = eta = 0 (static)", "tau = eta = 0 (静态)", _ELHORST),
    "stability": _e("time", "Wald of the sum", "系数之和 Wald 检验", "tau + rho + eta = 1", "tau + rho + eta = 1",
                    "Yu, de Jong and Lee (2012)"),
    "lr_unit": _e("effects", "LR of the unit effects", "个体效应 LR 检验", "no unit effects", "无个体效应", _ELHORST),
    "lr_time": _e("effects", "LR of the time effects", "时间效应 LR 检验", "no time effects", "无时间效应", _ELHORST),
    "f_unit": _e("effects", "F of the unit effects", "个体效应 F 检验", "no unit effects", "无个体效应", "Baltagi (2021)"),
    "f_time": _e("effects", "F of the time effects", "时间效应 F 检验", "no time effects", "无时间效应", "Baltagi (2021)"),
    "hausman": _e("effects", "Hausman", "Hausman 检验", "unit effects uncorrelated with the regressors (random effects)",
                  "个体效应与解释变量不相关 (随机效应)", "Hausman (1978); Mutl and Pfaffermayr (2011)"),
    "mundlak": _e("effects", "Mundlak, robust", "Mundlak 稳健检验",
                  "unit effects uncorrelated with the regressors (random effects)", "个体效应与解释变量不相关 (随机效应)",
                  "Mundlak (1978); Debarsy (2012); Wooldridge (2010, section 10.7.3)"),
    "bsk_joint": _e("effects", "BSK joint, one-sided (LMH)", "BSK 联合单侧检验 (LMH)", "no random unit effects and no spatial error",
                    "无随机个体效应且无空间误差", f"{_BSK}, eq. 2.19"),
    "bsk_unit": _e("effects", "BSK marginal for unit effects (LM1)", "BSK 个体效应边际检验 (LM1)",
                   "no random unit effects (no spatial error given)", "无随机个体效应 (设无空间误差)", f"{_BSK}, eq. 2.12"),
    "bsk_spatial": _e("effects", "BSK marginal for the spatial error (LM2)", "BSK 空间误差边际检验 (LM2)",
                      "no spatial error (no random unit effects given)", "无空间误差 (设无随机个体效应)", f"{_BSK}, eq. 2.16"),
    "bsk_unit_standardised": _e("effects", "BSK marginal for unit effects, standardised (SLM1)", "BSK 个体效应标准化边际检验 (SLM1)",
                                "no random unit effects (no spatial error given)", "无随机个体效应 (设无空间误差)",
                                f"{_BSK}; Moulton and Randolph (1989)"),
    "bsk_spatial_standardised": _e("effects", "BSK marginal for the spatial error, standardised (SLM2)",
                                   "BSK 空间误差标准化边际检验 (SLM2)", "no spatial error (no random unit effects given)",
                                   "无空间误差 (设无随机个体效应)", _BSK),
    "bsk_spatial_given_unit": _e("effects", "BSK conditional for the spatial error (CLM-lambda)",
                                 "BSK 空间误差条件检验 (CLM-lambda)", "no spatial error (random unit effects allowed)",
                                 "无空间误差 (允许随机个体效应)", f"{_BSK}, eq. 2.25"),
    "bsk_unit_given_spatial": _e("effects", "BSK conditional for unit effects (CLM-mu)", "BSK 个体效应条件检验 (CLM-mu)",
                                 "no random unit effects (spatial error allowed)", "无随机个体效应 (允许空间误差)",
                                 f"{_BSK}, eq. 2.31"),
    "moran": _e("residuals", "Moran's I of the residuals", "残差的 Moran's I", "no spatial autocorrelation of the errors",
                "误差无空间自相关", f"{_CLIFF}; Tiefelsdorf and Boots (1995)"),
    "lm_residual": _e("residuals", "LM of the term left out", "遗漏空间项的 LM 检验", "", "", f"{_ANSELIN_1988}"),
    "pesaran_cd": _e("residuals", "Pesaran CD", "Pesaran CD 检验", "no cross-section dependence of the errors",
                     "误差无截面相关", "Pesaran (2004)"),
    "pesaran_cd_local": _e("residuals", "Pesaran CD of neighbours", "Pesaran 局部 CD 检验",
                           "no dependence of the errors of neighbours", "相邻单元误差不相关", "Pesaran (2004)"),
    "breusch_pagan_lm": _e("residuals", "Breusch-Pagan LM of all pairs", "Breusch-Pagan 截面相关 LM 检验",
                           "no cross-section dependence of the errors", "误差无截面相关", "Breusch and Pagan (1980)"),
    "serial": _e("residuals", "Serial correlation", "序列相关检验", "no first-order serial correlation of the errors",
                 "误差无一阶序列相关", "Wooldridge (2010, section 10.5.4)"),
    "koenker": _e("residuals", "Koenker-Bassett", "Koenker-Bassett 异方差检验", "equal error variances", "误差同方差",
                  "Koenker (1981)"),
    "breusch_pagan": _e("residuals", "Breusch-Pagan", "Breusch-Pagan 异方差检验", "equal error variances, normal errors",
                        "误差同方差 (正态)", "Breusch and Pagan (1979)"),
    "jarque_bera": _e("residuals", "Jarque-Bera", "Jarque-Bera 正态性检验", "normal errors", "误差服从正态分布",
                      "Jarque and Bera (1987)"),
    "identification": _e("identification", "sd of the spatial parameter", "空间参数的标准差", "", "", "parametric bootstrap"),
    "condition": _e("identification", "condition number of the design", "设计矩阵条件数", "", "",
                    "Belsley, Kuh and Welsch (1980)"),
    "vif": _e("identification", "largest variance inflation factor", "最大方差膨胀因子", "", "", "Marquardt (1970)"),
}  # fmt: skip
