"""Pictures of fits and impacts: matplotlib axes in, axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.impacts import Impacts

#: colour-blind safe (Okabe and Ito 2008)
COLOURS = {"direct": "#0072B2", "indirect": "#D55E00", "total": "#009E73"}


def impact_plot(impacts: Impacts, ax: Axes | None = None, effects: tuple[str, ...] = tuple(COLOURS)) -> Axes:
    """Point estimates and intervals of the impacts, one line per term and effect.

    Parameters
    ----------
    impacts : Impacts
    ax : matplotlib Axes, optional
        Drawn into; a new figure otherwise.
    effects : tuple of str
        Any of direct, indirect, total.
    """
    import matplotlib.pyplot as plt

    unknown = [e for e in effects if e not in COLOURS]
    if unknown:
        raise ValueError(f"effects={unknown} are not known; choose from {', '.join(COLOURS)}")
    table = impacts.table
    if ax is None:
        _, ax = plt.subplots(figsize=(7.0, 0.9 + 0.55 * len(table)), layout="constrained")
    centre = np.arange(len(table))[::-1]
    offsets = np.linspace(0.24, -0.24, len(effects)) if len(effects) > 1 else [0.0]
    for effect, offset in zip(effects, offsets, strict=True):
        part = table[effect]
        error = np.vstack([part["estimate"] - part["lower"], part["upper"] - part["estimate"]])
        ax.errorbar(
            part["estimate"], centre + offset, xerr=error, fmt="o", ms=4, lw=1.4, capsize=2,
            color=COLOURS[effect], label=effect,
        )  # fmt: skip
    ax.axvline(0.0, color="0.6", lw=0.8, zorder=0)
    ax.set_yticks(centre, list(table.index))
    ax.set_ylim(-0.6, len(table) - 0.4)
    ax.set_xlabel("effect, 95 % interval" if impacts.method == "delta" else f"effect, 95 % interval ({impacts.method})")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, ncols=len(effects), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax
