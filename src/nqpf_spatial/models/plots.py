"""Pictures of fits and impacts: matplotlib axes in, axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nqpf_spatial.models.dynamic.paths import ImpulseResponses
    from nqpf_spatial.models.impacts.inference import Impacts
    from nqpf_spatial.models.threshold import ThresholdFit

#: colour-blind safe (Okabe and Ito 2008)
COLOURS = {"direct": "#0072B2", "indirect": "#D55E00", "total": "#009E73"}
_EFFECTS_ZH = {"direct": "直接", "indirect": "间接", "total": "总"}
_METHODS_ZH = {"simulate": "模拟", "bootstrap": "自助法", "posterior": "后验", "fieller": "Fieller"}


def impact_plot(
    impacts: Impacts, ax: Axes | None = None, effects: tuple[str, ...] = tuple(COLOURS), lang: str = "en"
) -> Axes:
    """Point estimates and intervals of the impacts, one line per term and effect.

    Parameters
    ----------
    impacts : Impacts
    ax : matplotlib Axes, optional
        Drawn into; a new figure otherwise.
    effects : tuple of str
        Any of direct, indirect, total.
    lang : {"en", "zh"}
    """
    import matplotlib.pyplot as plt

    from nqpf_spatial.fonts import typeface
    from nqpf_spatial.models.pictures.look import finish, term_names, wrapped

    unknown = [e for e in effects if e not in COLOURS]
    if unknown:
        raise ValueError(f"effects={unknown} are not known; choose from {', '.join(COLOURS)}")
    table, zh = impacts.table, lang == "zh"
    with typeface(lang):
        if ax is None:
            _, ax = plt.subplots(figsize=(7.0, 1.1 + 0.55 * len(table)), layout="constrained")
        centre = np.arange(len(table))[::-1]
        offsets = np.linspace(0.24, -0.24, len(effects)) if len(effects) > 1 else [0.0]
        for effect, offset in zip(effects, offsets, strict=True):
            _draw_effect(ax, table[effect], centre + offset, effect, zh)
        ax.axvline(0.0, color="0.6", lw=0.8, zorder=0)
        ax.set_yticks(centre, wrapped(term_names(impacts.fit, table.index, lang).values()))
        ax.set_ylim(-0.6, len(table) - 0.4)
        ax.set_xlabel(_effect_axis(impacts, lang))
        ax.legend(frameon=False, ncols=len(effects), loc="lower center", bbox_to_anchor=(0.5, 1.0))
        finish(ax, lang)
    return ax


def _draw_effect(ax: Axes, part: pd.DataFrame, place: NDArray, effect: str, zh: bool) -> None:
    """One effect of all terms; a set without bounds (Fieller) says so instead of a bar."""
    error = np.vstack([part["estimate"] - part["lower"], part["upper"] - part["estimate"]])
    error[~np.isfinite(error)] = np.nan
    label = f"{_EFFECTS_ZH[effect]}效应" if zh else effect
    ax.errorbar(
        part["estimate"], place, xerr=error, fmt="o", ms=4, lw=1.4, capsize=2, color=COLOURS[effect], label=label
    )
    open_set = np.isinf(part["upper"].to_numpy())
    for x, y in zip(part["estimate"].to_numpy()[open_set], place[open_set], strict=True):
        text = "集合无界" if zh else "no bounded set"
        ax.annotate(text, (x, y), (6, 0), textcoords="offset points", va="center", fontsize=7, color="0.4")


def _effect_axis(impacts: Impacts, lang: str) -> str:
    """Level of the intervals, horizon, and method where it is not the delta method."""
    zh, level = lang == "zh", f"{1 - impacts.alpha:.0%}"
    method = "" if impacts.method == "delta" else _METHODS_ZH[impacts.method] if zh else impacts.method
    how = [word for word in (impacts.when(lang), method) if word]
    if zh:
        return f"效应与{level}区间" + (f"（{'，'.join(how)}）" if how else "")
    return f"effect, {level} interval" + (f" ({', '.join(how)})" if how else "")


def response_plot(
    responses: ImpulseResponses,
    term: str | None = None,
    effects: tuple[str, ...] = tuple(COLOURS),
    lang: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Responses of one term over time, with pointwise intervals as bars, slightly apart where several effects are drawn.

    Parameters
    ----------
    responses : ImpulseResponses
    term : str, optional
        A regressor; may be left out where there is one only.
    effects : tuple of str
        Any of direct, indirect, total.
    lang : {"en", "zh"}
    ax : matplotlib Axes, optional
        Drawn into; a new figure otherwise.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    from nqpf_spatial.fonts import FAMILY, typeface
    from nqpf_spatial.models.pictures.look import term_names

    terms = list(responses.table.index.unique("term"))
    chosen = terms[0] if term is None and len(terms) == 1 else term
    if chosen not in terms:
        raise ValueError(f"term={term!r}: choose one of {', '.join(terms)}")
    unknown = [e for e in effects if e not in COLOURS]
    if unknown:
        raise ValueError(f"effects={unknown} are not known; choose from {', '.join(COLOURS)}")
    part, zh = responses.table.loc[chosen], lang == "zh"
    # titles and labels of axes that exist already keep the font they were made with
    font: dict[str, Any] = {"fontfamily": [FAMILY, "DejaVu Sans"]} if zh else {}
    offsets = np.linspace(-0.12, 0.12, len(effects)) if len(effects) > 1 else [0.0]
    with typeface(lang):
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
        for effect, offset in zip(effects, offsets, strict=True):
            line, at = part[effect], np.asarray(part.index, dtype=float) + offset
            ax.vlines(at, line["lower"], line["upper"], color=COLOURS[effect], lw=1.2, alpha=0.55)
            label = _EFFECTS_ZH[effect] if zh else effect
            ax.plot(at, line["estimate"], "o-", ms=3.5, lw=1.2, color=COLOURS[effect], label=label)
        ax.axhline(0.0, color="0.6", lw=0.8, zorder=0)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("变化之后的期数" if zh else "periods after the change", **font)
        level = f"{1 - responses.alpha:.0%}"
        ax.set_ylabel(f"效应（{level}区间）" if zh else f"effect, {level} interval", **font)
        permanent = ("永久变化的累积响应" if zh else "permanent change") if responses.cumulative else ""
        once = "一期变化的响应" if zh else "change of one period"
        name, colon = term_names(responses.fit, [chosen], lang)[str(chosen)], "：" if zh else ": "
        ax.set_title(f"{name}{colon}{permanent or once}", fontsize=10, loc="left", **font)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, ncols=len(effects), fontsize=9)
    return ax


def impact_map(
    impacts: Impacts, term: str, source: object = None, target: object = None, lang: str = "en", ax: Axes | None = None
) -> Axes:
    """Spillovers on the map of China: from one province, into one province, or received in total.

    Parameters
    ----------
    impacts : Impacts
        Of a fit on the provinces.
    term : str
        A regressor.
    source : province, optional
        The change of y everywhere when the regressor rises by one there; its own effect is written in the title.
    target : province, optional
        The change of y there when the regressor rises by one elsewhere. Without either, what every province
        receives when the regressor rises by one in all others.
    lang : {"en", "zh"}
    ax : matplotlib Axes, optional

    Raises
    ------
    ValueError
        Both source and target, or units that are not provinces.
    """
    from nqpf_spatial.models.pictures.look import outcome_name

    values, title = _map_values(impacts, term, source, target, lang)
    when, outcome = impacts.when(lang), outcome_name(impacts.fit, lang)
    title = f"{title}{'，' if lang == 'zh' else ', '}{when}" if when else title
    return province_map(values, title, f"{outcome}的变化" if lang == "zh" else f"change of {outcome}", lang, ax)


def province_map(values: dict[int, float], title: str, label: str, lang: str, ax: Axes | None = None) -> Axes:
    """Values by adcode on the map of China; NaN is drawn in grey.

    Shades of one colour from zero where all values have one sign, two colours around zero otherwise.
    """
    import matplotlib.pyplot as plt
    from matplotlib import colors

    from nqpf_spatial.fonts import typeface
    from nqpf_spatial.maps.base import draw
    from nqpf_spatial.models.pictures.look import finish

    shown = [v for v in values.values() if np.isfinite(v)]
    limit = float(np.max(np.abs(shown))) or 1.0
    one_sign = min(shown) >= 0 or max(shown) <= 0
    norm = colors.Normalize(min(0.0, min(shown)), max(0.0, max(shown))) if one_sign else colors.Normalize(-limit, limit)
    name = ("YlGnBu" if min(shown) >= 0 else "YlOrBr_r") if one_sign else "PuOr_r"
    palette = plt.get_cmap(name)
    with typeface(lang):
        if ax is None:
            _, ax = plt.subplots(figsize=(7.2, 5.4), layout="constrained")
        missing = "#8c8c8c"  # the province the rise comes from, or that receives it
        draw(
            ax, {code: missing if np.isnan(v) else colors.to_hex(palette(float(norm(v)))) for code, v in values.items()}
        )
        bar = ax.figure.colorbar(plt.cm.ScalarMappable(norm, palette), ax=ax, shrink=0.6, pad=0.01)
        bar.set_label(label)
        bar.outline.set_visible(False)  # type: ignore[operator]
        ax.set_title(title, fontsize=10)
        finish(bar.ax, lang, frame=True)
        finish(ax, lang, frame=True)
    return ax


def _map_values(impacts: Impacts, term: str, source: object, target: object, lang: str) -> tuple[dict[int, float], str]:
    """Effect by adcode, NaN for the province it is about, and the title."""
    from nqpf_spatial import provinces
    from nqpf_spatial.models.pictures.look import term_names

    if source is not None and target is not None:
        raise ValueError("give source= or target=, not both")
    units = impacts.fit.estimate.design.units
    if not all(provinces.is_province(u) for u in units):
        raise ValueError("the units are not Chinese provinces; draw by_unit(term) on your own map")
    codes = [provinces.resolve(u).adcode for u in units]
    s = impacts.effect_matrix(term)
    own = np.diag(s)
    zh, label = lang == "zh", term_names(impacts.fit, [term], lang)[term]
    if source is None and target is None:
        title = f"{label}：各省获得的溢出" if zh else f"{label}: spillovers received by each province"
        return dict(zip(codes, s.sum(axis=1) - own, strict=True)), title
    place = provinces.resolve(source if source is not None else target)
    if place.adcode not in codes:
        raise ValueError(f"{place.name_en} is not among the units of the fit")
    at = codes.index(place.adcode)
    values = (s[:, at] if source is not None else s[at]).copy()
    values[at] = np.nan
    name = place.name_zh if zh else place.name_en
    way = ("来自" if zh else "from") if source is not None else ("流入" if zh else "into")
    if zh:
        return dict(zip(codes, values, strict=True)), f"{label}：{way}{name}的溢出（灰色：本地效应 {own[at]:.4g}）"
    title = f"{label}: spillovers {way} {name} (grey: own effect {own[at]:.4g})"
    return dict(zip(codes, values, strict=True)), title


def threshold_plot(found: ThresholdFit, ax: Axes | None = None, which: int = 0, lang: str = "en") -> Axes:
    """Likelihood ratio of every candidate threshold; those below the dashed line are the confidence set.

    Parameters
    ----------
    found : ThresholdFit
    ax : matplotlib Axes, optional
    which : int
        Which of the thresholds, from 0.
    lang : {"en", "zh"}
    """
    import matplotlib.pyplot as plt

    from nqpf_spatial.fonts import typeface
    from nqpf_spatial.kernels.threshold import critical_ratio

    profile, estimate = found.profiles[which], found.thresholds[which]
    share = f"{1 - found.alpha:.0%}"
    words = {
        "en": ("likelihood ratio", f"{share} confidence set", f"threshold {estimate:.4g}"),
        "zh": ("似然比", f"{share}置信集", f"门槛值 {estimate:.4g}"),
    }
    if lang not in words:
        raise ValueError(f"lang={lang!r}: choose 'en' or 'zh'")
    ratio, inside, best = words[lang]
    with typeface(lang):
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
        ax.plot(profile.index, profile, color=COLOURS["direct"], lw=1.2)
        ax.axhline(critical_ratio(found.alpha), color="0.35", lw=0.9, ls="--", label=inside)
        ax.axvline(estimate, color=COLOURS["indirect"], lw=1.0, label=best)
        ax.set_ylim(0.0, None)
        ax.set_xlabel(found.variable)
        ax.set_ylabel(ratio)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize=8, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax
