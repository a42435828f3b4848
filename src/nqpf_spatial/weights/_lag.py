"""Spatial lag of labelled data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.weights import _labels

if TYPE_CHECKING:
    from nqpf_spatial.weights.core import SpatialWeights


def lag(w: SpatialWeights, data: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    """W x for data indexed by unit or by (unit, period); see :meth:`SpatialWeights.lag`."""
    if not isinstance(data, pd.Series | pd.DataFrame):
        raise AlignmentError(
            f"lag() aligns by label and needs a Series or DataFrame indexed by unit, got {type(data).__name__}"
        )
    if data.index.nlevels == 1:
        return _cross_section(w, data, "the data")
    if data.index.nlevels != 2:
        raise AlignmentError(f"the index has {data.index.nlevels} levels; give (unit) or (unit, period)")
    parts = [
        _cross_section(w, part.droplevel(1), f"period {period}").set_axis(part.index)
        for period, part in data.groupby(level=1, sort=False)
    ]
    return pd.concat(parts).reindex(data.index)


def _cross_section(w: SpatialWeights, data: pd.Series | pd.DataFrame, what: str) -> pd.Series | pd.DataFrame:
    place = _labels.locate(w.ids, data.index, what)
    values = np.empty(data.shape)
    try:
        values[place] = data.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise AlignmentError(f"{what} has values that are not numbers: {error}") from error
    missing = ~np.isfinite(values).reshape(w.n, -1).all(axis=1)
    if missing.any():
        units = _labels.shorten(w.ids[k] for k in np.flatnonzero(missing))
        raise AlignmentError(f"{what} has missing or infinite values for {units}; their lag is not defined")
    result = (w.sparse @ values)[place]
    if isinstance(data, pd.Series):
        return pd.Series(result, index=data.index, name=data.name)
    return pd.DataFrame(result, index=data.index, columns=data.columns)
