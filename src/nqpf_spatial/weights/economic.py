"""Economic distance and similarity: gaps in income, broadband, innovation, ..."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.provinces import Names
from nqpf_spatial.weights._attributes import Attribute, attribute
from nqpf_spatial.weights._standardise import Transform
from nqpf_spatial.weights.core import SpatialWeights
from nqpf_spatial.weights.guards import endogeneity_note, warn_if_in_sample

Array = NDArray[np.float64]
Form = Literal["inverse", "exponential"]

_SOURCES = {
    "inverse": "Case, Rosen and Hines (1993)",
    "exponential": "exponential decay as in Fingleton and Le Gallo (2008)",
}

#: significant digits of the largest level that enter the gaps
_DIGITS = 12


def economic(
    variable: str | pd.Series = "gdp_real_pc",
    years: int | tuple[int, int] | None = (2005, 2010),
    *,
    form: Form = "inverse",
    floor: float | None = 0.05,
    scale: float | None = None,
    sample_start: int | None = None,
    data: pd.DataFrame | None = None,
    names: Names = "en",
    transform: Transform = "row",
) -> SpatialWeights:
    """Economic distance: the closer the levels of a variable, the larger the weight.

    Parameters
    ----------
    variable : str or Series
        Variable of the packaged panel (or of ``data``), or one value per unit.
    years : int or (first, last)
        Years averaged. Use years before the sample; the default is the mean of 2005-2010. Pass None with a
        Series whose years are not known.
    form : {"inverse", "exponential"}
    floor : float or None
        For "inverse": smallest gap that counts, as a share of the mean pairwise gap. Without it two
        provinces that happen to be equal get all the weight. None: no floor; equal units are then an error.
    scale : float, optional
        For "exponential": gap at which the weight falls to 1/e; default: the mean pairwise gap.
    sample_start : int, optional
        First year of the sample the matrix is meant for; data that reach into it raise a warning.
    data : DataFrame, optional
        The user's own panel with MultiIndex (unit, year).
    names : {"en", "zh", "adcode", "iso"}
        Labels of the packaged panel.
    transform : {"row", "spectral", "minmax", "none"}

    Returns
    -------
    SpatialWeights

    Warns
    -----
    EndogeneityWarning
        If ``years`` reach into the sample.

    Notes
    -----
    inverse: ``w_ij = 1 / max(|m_i - m_j|, f)``, f = floor x mean pairwise gap; exponential:
    ``w_ij = exp(-|m_i - m_j| / scale)``; m the mean over ``years``. Economic proximity in W: Case, Rosen and Hines (1993, Journal
    of Public Economics 52).

    *Usual mistake*: m from the sample years, so that W is made of the outcome; and no floor, so that the
    matrix is a list of coincidences. Taking the logarithm first compares ratios instead of amounts.

    Examples
    --------
    >>> import pandas as pd
    >>> income = pd.Series({"A": 10.0, "B": 20.0, "C": 40.0})
    >>> economic(income, None, transform="none").dense().round(3).tolist()
    [[0.0, 0.1, 0.033], [0.1, 0.0, 0.05], [0.033, 0.05, 0.0]]
    """
    level = attribute(variable, years, data, names)
    warn_if_in_sample("economic W", level.years, sample_start)
    return _gap_weights(level, form, floor, scale, transform, f"economic ({level.name})")


def similarity(
    variable: str | pd.Series = "ln_broadband_pc",
    years: int | tuple[int, int] | None = 2011,
    *,
    form: Form = "inverse",
    floor: float | None = 0.05,
    scale: float | None = None,
    sample_start: int | None = None,
    data: pd.DataFrame | None = None,
    names: Names = "en",
    transform: Transform = "row",
) -> SpatialWeights:
    """Similarity in a digital or innovation level.

    Parameters
    ----------
    variable : str or Series
        Default: log fixed-broadband subscribers per head; an innovation level is for instance
        ``"ln_rd_intensity"``.
    years : int or (first, last)
        Default: 2011, the first year of that series and before every outcome year of the study.
    form, floor, scale, sample_start, data, names, transform
        See :func:`economic`.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    ``w_ij = 1 / max(|b_i - b_j|, f)``, f = floor x mean pairwise gap. Technological proximity in W: Parent and
    LeSage (2008, Journal of Applied Econometrics 23).

    *Usual mistake*: reading it as a network. No data traffic between provinces is published; two provinces
    with equal broadband density need not exchange a byte.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.weights.similarity().data_years
    (2011, 2011)
    """
    level = attribute(variable, years, data, names)
    warn_if_in_sample("similarity W", level.years, sample_start)
    return _gap_weights(level, form, floor, scale, transform, f"similarity ({level.name})")


def asymmetric_economic(
    variable: str | pd.Series = "gdp_real_pc",
    years: int | tuple[int, int] | None = (2005, 2010),
    geography: SpatialWeights | None = None,
    *,
    sample_start: int | None = None,
    data: pd.DataFrame | None = None,
    names: Names = "en",
    transform: Transform = "row",
) -> SpatialWeights:
    """Asymmetric economic-geographic weights: rich neighbours count more.

    Parameters
    ----------
    variable, years, sample_start, data, names, transform
        See :func:`economic`. The variable must be positive.
    geography : SpatialWeights, optional
        Geographic matrix that is reweighted, before its standardisation; default: inverse squared distance
        between capitals.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    W = G diag(m_1 / mbar, ..., m_N / mbar): w_ij = g_ij m_j / mbar (Li, Tan and Bai 2010, Management World
    no. 7, after Lin, Long and Wu 2005, China Economic Quarterly 4). The pull of Shanghai on Anhui exceeds
    the pull of Anhui on Shanghai.

    *Usual mistake*: diag(m) G instead of G diag(m). The factor of a row cancels when rows are standardised
    and nothing but geography is left.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.asymmetric_economic(transform="none").to_frame()
    >>> bool(w.loc["Anhui", "Shanghai"] > w.loc["Shanghai", "Anhui"])
    True
    """
    from nqpf_spatial.weights.combine import aligned
    from nqpf_spatial.weights.distance import inverse_distance

    level = attribute(variable, years, data, names)
    warn_if_in_sample("asymmetric economic W", level.years, sample_start)
    _need_positive(level)
    geo = inverse_distance(power=2, names=names) if geography is None else geography
    geo = aligned(geo, level.ids, level.name)
    return SpatialWeights(
        level.ids,
        geo.base.multiply(level.values / level.values.mean()).tocsr(),
        transform=transform,
        name=f"{geo.name} x {level.name}",
        date=level.when,
        formula=f"w_ij = g_ij m_j / mean(m); g = {geo.name}, m = mean {level.name} {level.when}",
        note=endogeneity_note(level.when),
        source="Li, Tan and Bai (2010); Lin, Long and Wu (2005)",
        data_years=level.years,
        facts=dict(geo.facts) | level.facts,
        islands_allowed=geo.islands_allowed,
    )


def _need_positive(level: Attribute) -> None:
    from nqpf_spatial.weights._labels import shorten

    bad = np.flatnonzero(level.values <= 0).tolist()
    if bad:
        raise ValueError(f"{level.name} must be positive; not so for {shorten(level.ids[k] for k in bad)}")


def _rounded(values: NDArray) -> NDArray:
    """Levels without their last bits: those of a logarithm hang on the processor, and the checksum of W would with them."""
    largest = float(np.abs(values).max())
    return values if largest == 0 else values.round(_DIGITS - 1 - int(np.floor(np.log10(largest))))


def _gap_weights(
    level: Attribute, form: str, floor: float | None, scale: float | None, transform: Transform, name: str
) -> SpatialWeights:
    """Weights from the pairwise gaps of a level."""
    if level.values.size < 2:
        raise ValueError("economic distance needs at least two units")
    values = _rounded(level.values)
    gap = np.abs(values[:, None] - values[None, :])
    mean_gap = float(gap[np.triu_indices_from(gap, 1)].mean())
    if mean_gap == 0:
        raise ValueError(f"{level.name} is the same for all units: there is no economic distance")
    if form == "inverse":
        if scale is not None:
            raise ValueError("scale= belongs to form='exponential'")
        weights, text, facts = _inverse(level, gap, mean_gap, floor)
    elif form == "exponential":
        width = mean_gap if scale is None else scale
        if not width > 0:
            raise ValueError(f"scale={scale!r} must be positive")
        weights, text, facts = np.exp(-gap / width), f"exp(-|m_i - m_j| / {width:.6g})", {}
    else:
        raise ValueError(f"form={form!r} is not known; choose 'inverse' or 'exponential'")
    np.fill_diagonal(weights, 0.0)
    return SpatialWeights(
        level.ids,
        weights,
        transform=transform,
        name=name,
        date=level.when,
        formula=f"w_ij = {text}; m = mean {level.name} {level.when}".rstrip(),
        note=endogeneity_note(level.when),
        source=_SOURCES[form],
        data_years=level.years,
        facts=facts | level.facts,
    )


def _inverse(level: Attribute, gap: Array, mean_gap: float, floor: float | None) -> tuple[Array, str, dict[str, Any]]:
    """1 / gap with a floor; near-equal pairs are counted, equal ones without a floor are refused."""
    if floor is not None and not (np.isfinite(floor) and floor > 0):
        raise ValueError(f"floor={floor!r} must be a positive share of the mean pairwise gap, or None")
    smallest = 0.0 if floor is None else floor * mean_gap
    first, second = np.nonzero(np.triu(gap <= smallest, 1))
    pairs = [f"{level.ids[i]}-{level.ids[j]}" for i, j in zip(first.tolist(), second.tolist(), strict=True)]
    if floor is None and pairs:
        raise ValueError(
            f"{level.name} is equal for {', '.join(pairs[:3])}: 1 / gap is infinite. Give floor=, e.g. 0.05"
        )
    bounded = np.maximum(gap, smallest)
    np.fill_diagonal(bounded, 1.0)
    if floor is None:
        return 1 / bounded, "1 / |m_i - m_j|", {"floor": "none: near-equal units may dominate their rows"}
    facts = {"floor": f"{floor:g} of the mean pairwise gap = {smallest:.6g}; it binds for {len(pairs)} pairs"}
    if pairs:
        facts["near-equal pairs"] = "; ".join(pairs[:8]) + (" ..." if len(pairs) > 8 else "")
    return 1 / bounded, f"1 / max(|m_i - m_j|, {smallest:.6g})", facts
