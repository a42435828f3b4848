"""Posterior densities of parameters, and probabilities of models by weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nqpf_spatial.fonts import typeface
from nqpf_spatial.models.pictures.look import BLUE, ORANGE, finish, term_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.bayes.averaging import ModelProbabilities
    from nqpf_spatial.models.bayes.posterior import Posterior


def posterior_plot(found: Posterior, term: str | None = None, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Posterior of one parameter (default: the spatial one): exact density or histogram, and the ML estimate.

    Parameters
    ----------
    found : Posterior
    term : str, optional
        As in ``fit.params``, or ``"sigma2"``.
    ax : matplotlib Axes, optional
    lang : {"en", "zh"}
    """
    import matplotlib.pyplot as plt

    spatial = found.draws.columns[-1] if found.marginal.density is not None else None
    term = term or spatial or found.draws.columns[0]
    samples = found.draws.assign(sigma2=found.sigma2)
    if term not in samples.columns:
        raise ValueError(f"term={term!r} is no parameter; choose one of {', '.join(samples.columns)}")
    zh = lang == "zh"
    with typeface(lang):
        if ax is None:
            _, ax = plt.subplots(figsize=(6.0, 3.4), layout="constrained")
        if term == spatial:
            curve = found.density()
            near = curve[curve > 1e-4 * curve.max()]
            ax.fill_between(near.index, near, color=BLUE, alpha=0.25, lw=0)
            ax.plot(near.index, near, color=BLUE, lw=1.4)
        else:
            # a histogram has no mass beyond the samples: none below zero for a variance
            ax.hist(samples[term], bins=60, density=True, color=BLUE, alpha=0.4)
        estimate = found.fit.sigma2 if term == "sigma2" else found.fit.params[term]
        ax.axvline(estimate, color=ORANGE, lw=1.2, label="极大似然估计" if zh else "maximum likelihood")
        ax.set_xlabel("σ²" if term == "sigma2" else term_names(found.fit, [term], lang)[term])
        ax.set_ylabel("后验密度" if zh else "posterior density")
        ax.legend(frameon=False)
        finish(ax, lang)
    return ax


def probability_plot(found: ModelProbabilities, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Probabilities as a field of models by weights.

    Parameters
    ----------
    found : ModelProbabilities
    ax : matplotlib Axes, optional
    lang : {"en", "zh"}
    """
    import matplotlib.pyplot as plt

    wide = found.table["probability"].unstack("w")
    wide = wide.loc[found.by_model.index, found.by_weights.index]
    with typeface(lang):
        if ax is None:
            size = (2.0 + 1.2 * wide.shape[1], 1.2 + 0.45 * wide.shape[0])
            _, ax = plt.subplots(figsize=size, layout="constrained")
        ax.imshow(wide.fillna(0.0), cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
        for (i, j), value in np.ndenumerate(wide.to_numpy()):
            if np.isfinite(value):
                ax.text(j, i, f"{value:.3f}", ha="center", va="center", color="white" if value > 0.55 else "0.2")
        ax.set_xticks(range(wide.shape[1]), list(wide.columns))
        ax.set_yticks(range(wide.shape[0]), list(wide.index))
        ax.set_xlabel("空间权重矩阵 W" if lang == "zh" else "W")
        ax.set_title("后验概率" if lang == "zh" else "posterior probability")
        finish(ax, lang, frame=True)
    return ax
