"""Residuals of one period on the map, and against those of the neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nqpf_spatial import provinces
from nqpf_spatial.errors import PanelError
from nqpf_spatial.fonts import typeface
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.pictures.look import finish, outcome_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def residuals_of(fit: Any, year: Any = None) -> tuple[pd.Series, Any]:
    """Residuals of one period by unit, and the period: the last one by default, None for a cross-section.

    Raises
    ------
    PanelError
        A period that the fit does not have.
    """
    design, resid = fit.estimate.design, fit.resid
    if design.periods == (None,):
        if year is not None:
            raise PanelError(f"year={year!r}: the fit is of a cross-section, leave it out")
        return resid, None
    chosen = design.periods[-1] if year is None else year
    if chosen not in design.periods:
        raise PanelError(f"year={year!r}: the fit has no such period; it has {enumerate_some(design.periods, 30)}")
    return resid.xs(chosen, level=design.levels[1]), chosen


def residual_map(fit: Any, year: Any = None, geometry: Any = None, lang: str = "en", ax: Axes | None = None) -> Axes:
    """Residuals of one period in colours, two shades around zero.

    Parameters
    ----------
    fit : SpatialFit or GMMFit
        On the provinces, or on any units with `geometry`.
    year : label of a period, optional
        The last one by default; the title names it.
    geometry : GeoDataFrame or GeoSeries, optional
        Shapes of units that are no provinces, indexed by unit.
    lang : {"en", "zh"}
    ax : matplotlib Axes, optional

    Raises
    ------
    ValueError
        Units that are not provinces, without `geometry`.
    """
    values, when = residuals_of(fit, year)
    zh = lang == "zh"
    title = f"{fit.model}{'的残差' if zh else ', residuals'}"
    if when is not None:
        title += f"，{when}年" if zh and isinstance(when, (int, np.integer)) else f"{'，' if zh else ', '}{when}"
    label = f"{outcome_name(fit, lang)}{'：实际值减拟合值' if zh else ': actual less fitted'}"
    if geometry is not None:
        return _shapes(values, geometry, title, label, lang, ax)
    if not all(map(provinces.is_province, values.index)):
        raise ValueError(
            f"the units are not Chinese provinces ({enumerate_some(list(values.index), 3)}): pass geometry=, a GeoDataFrame or "
            "GeoSeries indexed by unit"
        )
    from nqpf_spatial.maps import choropleth

    ax = choropleth(values, title=title, label=label, lang=lang, ax=ax)
    return finish(ax, lang, frame=True)


def _shapes(values: pd.Series, geometry: Any, title: str, label: str, lang: str, ax: Axes | None) -> Axes:
    """The same on shapes of the user's."""
    import matplotlib.pyplot as plt
    from matplotlib.colors import TwoSlopeNorm

    absent = [str(unit) for unit in values.index if unit not in geometry.index]
    if absent:
        raise PanelError(f"geometry= lacks {enumerate_some(absent)}; index it by the units of the fit")
    shapes = geometry.loc[list(values.index)]
    limit = float(np.abs(values).max()) or 1.0
    with typeface(lang):
        if ax is None:
            _, ax = plt.subplots(figsize=(7.2, 5.2), layout="constrained")
        norm = TwoSlopeNorm(0.0, -limit, limit)
        palette = plt.get_cmap("PuOr_r")
        shapes.plot(ax=ax, color=[palette(float(norm(v))) for v in values], edgecolor="0.55", linewidth=0.3)
        bar = ax.figure.colorbar(plt.cm.ScalarMappable(norm, palette), ax=ax, shrink=0.6, pad=0.01)
        bar.set_label(label)
        bar.outline.set_visible(False)  # type: ignore[operator]
        ax.set_axis_off()
        ax.set_title(title, fontsize=10)
        return finish(ax, lang, frame=True)


def residual_scatter(fit: Any, year: Any = None, w: Any = None, lang: str = "en", ax: Axes | None = None) -> Axes:
    """Residuals of one period against those of their neighbours; the slope is Moran's I.

    Parameters
    ----------
    fit : SpatialFit or GMMFit
    year : label of a period, optional
        The last one by default.
    w : SpatialWeights, optional
        Of the fit by default; needed for a fit without weights and for one with several.
    lang : {"en", "zh"}
    ax : matplotlib Axes, optional

    Notes
    -----
    Permutations do not apply to residuals, whose moments depend on the regressors: the test is a row of ``fit.diagnose()``.
    """
    from nqpf_spatial.weights import SpatialWeights, moran_plot

    weights = w or fit.w
    if weights is None:  # least squares that was given a W for its tests
        weights = fit.estimate.weights.tests
    if not isinstance(weights, SpatialWeights):
        raise ValueError(
            "the fit has no single W: pass w=, whose neighbours are meant"
            if weights is not None
            else "the fit has no weights: pass w=, whose neighbours are meant"
        )
    values, when = residuals_of(fit, year)
    zh = lang == "zh"
    name = f"{fit.model}{'的残差' if zh else ' residuals'}" + ("" if when is None else f"{'，' if zh else ', '}{when}")
    return moran_plot(values.rename(name), weights, permutations=0, lang="zh" if zh else "en", ax=ax)
