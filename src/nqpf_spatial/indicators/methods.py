"""One function per method of making a composite index: short names for :func:`composite`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from nqpf_spatial.indicators.composite_index import CompositeResult, Normalise, WeightRule, composite


def entropy_index(
    frame: pd.DataFrame,
    *,
    negative: str | Sequence[Any] = (),
    normalise: Normalise = "pooled",
    columns: Sequence[Any] | None = None,
    years: tuple[int, int] | None = None,
) -> CompositeResult:
    """Composite index with entropy weights; see :func:`composite`.

    Parameters
    ----------
    frame, negative, normalise, columns, years
        As in :func:`composite`.

    Returns
    -------
    CompositeResult

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> panel = nq.load_panel(["broadband_pc", "cable_pc", "mobile_phone_penetration"], years=(2011, 2019))
    >>> nq.indicators.entropy_index(panel).weights.round(3).to_dict()
    {'broadband_pc': 0.293, 'cable_pc': 0.443, 'mobile_phone_penetration': 0.264}
    """
    return composite(frame, "entropy", negative=negative, normalise=normalise, columns=columns, years=years)


def equal_index(
    frame: pd.DataFrame,
    *,
    negative: str | Sequence[Any] = (),
    normalise: Normalise = "pooled",
    columns: Sequence[Any] | None = None,
    years: tuple[int, int] | None = None,
) -> CompositeResult:
    """Composite index with equal weights; see :func:`composite`.

    Parameters
    ----------
    frame, negative, normalise, columns, years
        As in :func:`composite`.

    Returns
    -------
    CompositeResult
    """
    return composite(frame, "equal", negative=negative, normalise=normalise, columns=columns, years=years)


def critic_index(
    frame: pd.DataFrame,
    *,
    negative: str | Sequence[Any] = (),
    normalise: Normalise = "pooled",
    columns: Sequence[Any] | None = None,
    years: tuple[int, int] | None = None,
) -> CompositeResult:
    """Composite index with CRITIC weights (contrast times conflict); see :func:`composite`.

    Parameters
    ----------
    frame, negative, normalise, columns, years
        As in :func:`composite`.

    Returns
    -------
    CompositeResult
    """
    return composite(frame, "critic", negative=negative, normalise=normalise, columns=columns, years=years)


def pca_index(
    frame: pd.DataFrame,
    *,
    negative: str | Sequence[Any] = (),
    normalise: Normalise = "pooled",
    columns: Sequence[Any] | None = None,
    years: tuple[int, int] | None = None,
) -> CompositeResult:
    """First principal component of the standardised indicators; see :func:`composite`.

    Parameters
    ----------
    frame, negative, normalise, columns, years
        As in :func:`composite`; standardisation to z-scores is pooled or yearly.

    Returns
    -------
    CompositeResult
        Scores have mean zero; ``.variance_share`` says how much of the variance they hold. The sign is the
        one that correlates positively with the equal-weight index.
    """
    return composite(frame, "pca", negative=negative, normalise=normalise, columns=columns, years=years)


def topsis_index(
    frame: pd.DataFrame,
    *,
    weights: WeightRule = "entropy",
    negative: str | Sequence[Any] = (),
    normalise: Normalise = "pooled",
    columns: Sequence[Any] | None = None,
    years: tuple[int, int] | None = None,
) -> CompositeResult:
    """Closeness to the ideal (TOPSIS) with entropy or other weights; see :func:`composite`.

    Parameters
    ----------
    frame, negative, normalise, columns, years
        As in :func:`composite`.
    weights : {"entropy", "equal", "critic"}, mapping or Series

    Returns
    -------
    CompositeResult
    """
    return composite(
        frame, "topsis", negative=negative, normalise=normalise, weights=weights, columns=columns, years=years
    )
