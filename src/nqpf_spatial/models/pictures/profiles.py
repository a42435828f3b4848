"""The profile likelihood of rho drawn: its maximum, both intervals, and where it exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nqpf_spatial.fonts import typeface
from nqpf_spatial.models.pictures.look import BLUE, GREEN, GREY, ORANGE, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.profile import RhoProfile

_WORDS = {
    "en": {
        "maximum": "maximum, ρ = {rho:.3f}",
        "lr": "{level} likelihood ratio, {lower:.3f} to {upper:.3f}",
        "wald": "{level} Wald, {lower:.3f} to {upper:.3f}",
        "x": "ρ (admissible from {lower:.3f} to {upper:.3f})",
        "y": "log-likelihood, highest with this ρ",
    },
    "zh": {
        "maximum": "最大值，ρ = {rho:.3f}",
        "lr": "似然比{level}区间，{lower:.3f}至{upper:.3f}",
        "wald": "Wald {level}区间，{lower:.3f}至{upper:.3f}",
        "x": "ρ（可取范围{lower:.3f}至{upper:.3f}）",
        "y": "给定ρ时的最大对数似然值",
    },
}


def profile_plot(found: RhoProfile, lang: str = "en", ax: Axes | None = None) -> Axes:
    """Highest log-likelihood over rho, the part inside the likelihood-ratio interval filled, the Wald interval below it.

    Parameters
    ----------
    found : RhoProfile
    lang : {"en", "zh"}
    ax : matplotlib Axes, optional
        Drawn into; a new figure otherwise.
    """
    import matplotlib.pyplot as plt

    with typeface(lang):
        if ax is None:
            _, ax = plt.subplots(figsize=(6.6, 4.0), layout="constrained")
        _draw(ax, found, _WORDS[lang])
        finish(ax, lang)
    return ax


def _draw(ax: Axes, found: RhoProfile, words: dict[str, str]) -> None:
    spans = {name: {"lower": row["lower"], "upper": row["upper"]} for name, row in found.intervals.iterrows()}
    shown, level = _window(found), f"{1 - found.alpha:.0%}"
    curve, cut = found.table.loc[shown[0] : shown[1], "llf"], found.llf - 0.5 * found.cut
    bottom = found.llf - 1.6 * found.cut
    for i, (low, high) in enumerate(found.pieces):
        inner = curve.loc[low:high]
        label = words["lr"].format(level=level, **spans["lr"]) if i == 0 else None
        ax.fill_between([low, *inner.index, high], cut, [cut, *inner, cut], color=BLUE, alpha=0.22, lw=0, label=label)
        ax.vlines([low, high], bottom, cut, color=BLUE, lw=0.9, ls=":")
    ax.plot(curve.index, curve, color=BLUE, lw=1.6)
    ax.axhline(cut, color=GREY, lw=0.9, ls="--")
    ax.plot([found.rho], [found.llf], "o", color=ORANGE, ms=6, zorder=4, label=words["maximum"].format(rho=found.rho))
    wald = [spans["wald"]["lower"], spans["wald"]["upper"]]
    label = words["wald"].format(level=level, **spans["wald"])
    ax.plot(wald, [bottom + 0.18 * found.cut] * 2, "|-", color=GREEN, lw=2.0, ms=10, mew=2.0, label=label)
    for end in spans["admissible"].values():
        if shown[0] < end < shown[1]:
            ax.axvline(end, color="black", lw=1.0)
    ax.set(xlim=shown, ylim=(bottom, found.llf + 0.12 * found.cut), xlabel=words["x"].format(**spans["admissible"]))
    ax.set_ylabel(words["y"])
    ax.legend(frameon=False, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


def _window(found: RhoProfile) -> tuple[float, float]:
    """What is shown: both intervals with some room, not the far ends where the likelihood falls without bound."""
    rows = found.intervals.loc[["lr", "wald"]]
    low, high = float(rows["lower"].min()), float(rows["upper"].max())
    room = 0.35 * (high - low)
    return low - room, high + room
