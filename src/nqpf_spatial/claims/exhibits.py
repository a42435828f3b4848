"""Tables and pictures behind a verdict, and its summary in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nqpf_spatial.claims.record import Verdict
from nqpf_spatial.claims.register import load
from nqpf_spatial.report.words import label, word

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: series of R-SHARE in Chinese; English shows the codebook's name
_SERIES_ZH = {
    "computing": "智能算力",
    "broadband_ports": "宽带接入端口",
    "domain_names": "域名",
    "software_revenue": "软件业务收入",
}


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
    if not verdict.evidence:
        return {}
    if verdict.rule == "R-MECH":
        return {"effects": _effects(verdict, lang), "variants": _variants(verdict, lang)}
    if verdict.rule == "R-SHARE":
        return {"shares": _shares(verdict, lang)}
    if verdict.rule == "R-FACT":
        from nqpf_spatial.report.maps import province_map

        return {"hubs": province_map("hub", lang=lang)}
    return {}


def _effects(verdict: Verdict, lang: str) -> Figure:
    """Stated effects under every matrix."""
    from nqpf_spatial.report.figures import effects

    frame = verdict.evidence_frame().rename(columns={"w": "row"})
    frame["panel"] = [effect_name(what, lang) for what in frame["what"]]
    return effects(frame, lang=lang, level=float(frame["level"].iloc[0]))


def effect_name(what: str, lang: str) -> str:
    """Write the name of an effect for a panel title.

    Examples
    --------
    >>> effect_name("direct effect of x on y", "zh")
    '直接效应'
    """
    kind, _, rest = what.partition(" effect of ")
    return f"{word(kind, lang)}效应" if lang == "zh" else f"{kind} effect of {rest.partition(' on ')[0]}"


def _variants(verdict: Verdict, lang: str) -> Figure:
    """Every variant that ran, as estimate over standard error."""
    from scipy.stats import norm

    from nqpf_spatial.report.figures import specification_curve

    frame = verdict.variants_frame().query("ran").rename(columns={"counts": "counted"})
    frame["ratio"] = frame["estimate"].astype(float) / frame["se"].astype(float)
    frame["row"] = [_row(v, s) for v, s in zip(frame["variant"], frame["specification"], strict=True)]
    frame["panel"] = [f"{word(a, lang)}{'效应' if lang == 'zh' else ' effect'}" for a in frame["alternative"]]
    critical = float(norm.isf(verdict.parameters["alpha"] / 2))
    return specification_curve(frame, critical=critical, lang=lang)


def _row(variant: str, specification: str) -> str:
    """Short name of one specification.

    Examples
    --------
    >>> _row("alt_digital", "cable_pc for ln_broadband_pc"), _row("no_tibet", "without Tibet")
    ('alt_digital: cable_pc', 'no_tibet')
    """
    head = specification.partition(" for ")[0].removeprefix("W ").removeprefix("digital_")
    several = {"w_others", "alt_digital", "alt_innovation", "index_drop_one"}
    return f"{variant}: {head}" if variant in several else variant


def _shares(verdict: Verdict, lang: str) -> Figure:
    """Deciding shares against the two thresholds."""
    import pandas as pd

    from nqpf_spatial.report.figures import shares

    table = verdict.tables["shares"]["east_share_pct"]
    computing = verdict.tables["computing_by_block"].loc["East", "share_pct"]
    values = pd.concat([pd.Series({"computing": computing}), table])
    if lang == "zh":
        values.index = pd.Index([_SERIES_ZH.get(str(name), str(name)) for name in values.index])
    return shares(
        values,
        support=verdict.parameters["support_share_gt_pct"],
        contradict=verdict.parameters["contradict_share_lt_pct"],
        xlabel="share of the East, percent" if lang == "en" else "东部所占份额（%）",
        lang=lang,
    )


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
    if verdict.verdict == "NOT YET TESTABLE":
        return f"等待官方数据：{'；'.join(verdict.needs)}"
    found = _evidence_zh(verdict)
    shares = [
        _multiverse_zh(m.alternative, m.same_share, m.opposite_share, m.variants_counted) for m in verdict.multiverse
    ]
    return f"判定：{label(verdict.label, 'zh')}。{found}{''.join(shares)}"


def _evidence_zh(verdict: Verdict) -> str:
    """The deciding figures in Chinese."""
    counted = [e for e in verdict.evidence if e.counted]
    if verdict.rule == "R-MECH":
        base = verdict.parameters["baseline_w"]
        parts = []
        for what in dict.fromkeys(e.what for e in verdict.evidence):
            own = [e for e in counted if e.what == what]
            agree = sum(e.reading == "support" for e in own)
            parts += [
                f"{effect_name(what, 'zh')}在基准权重 {base} 下为 {e.estimate:.4f}"
                f"（p={e.p:.4f}，族内校正后 {e.p_holm:.4f}），"
                f"最小可检测效应 {e.mde:.4f}，{len(own)} 个计入的权重中 {agree} 个一致；"
                for e in verdict.evidence
                if e.what == what and e.w == base
            ]
        return "".join(parts)
    if verdict.rule == "R-SHARE":
        named = {"computing": verdict.tables["computing_by_block"].loc["East", "share_pct"]}
        named |= verdict.tables["shares"]["east_share_pct"].to_dict()
        return "东部份额（%）：" + "、".join(f"{_SERIES_ZH.get(k, k)} {v:.1f}" for k, v in named.items()) + "；"
    return "官方名单与陈述一致；" if counted and counted[0].reading == "support" else "官方名单与陈述不一致；"


def _multiverse_zh(alternative: str, same: float | None, opposite: float | None, n: int) -> str:
    """The shares of the variants in Chinese."""
    if same is None or opposite is None:
        return ""
    name = f"{word(alternative, 'zh')}效应：" if alternative else ""
    return f"{name}{n} 个计入的变体中同向比例 {same:.3f}，显著反向 {opposite:.3f}。"
