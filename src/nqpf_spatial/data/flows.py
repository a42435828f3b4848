"""Migration between provinces: directed 31 x 31 matrices."""

from __future__ import annotations

import difflib
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.data import _store
from nqpf_spatial.errors import DataBreakWarning, DataSourceError, warn
from nqpf_spatial.provinces import PROVINCES, Names, label


@cache
def _matrices() -> dict[str, NDArray[np.float64]]:
    """All matrices as read-only arrays, origins in rows."""
    table = _store.read_csv("flows.csv.gz")
    out = {}
    for name, rows in table.groupby("matrix"):
        matrix = np.zeros((len(PROVINCES), len(PROVINCES)))
        origin = np.searchsorted(_store.ADCODES, rows["origin"])
        matrix[origin, np.searchsorted(_store.ADCODES, rows["destination"])] = rows["persons"]
        matrix.setflags(write=False)
        out[str(name)] = matrix
    return out


def flows_index() -> pd.DataFrame:
    """List the migration matrices.

    Returns
    -------
    pandas.DataFrame
        Indexed by matrix: period, instrument, definition, expansion_factor (tabulated persons to
        population), pairs, persons_tabulated, source_id, status.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.data.flows_index().at["5yr_2015", "instrument"]
    '2015 national 1% population sample survey'
    """
    return _store.flows_index().copy()


def load_flows(name: str = "5yr_2010", names: Names = "en", expanded: bool = False) -> pd.DataFrame:
    """Load a migration matrix.

    Parameters
    ----------
    name : str
        ``5yr_2000``, ``5yr_2005``, ``5yr_2010``, ``5yr_2015``, ``5yr_2020`` (residence five years before) or
        ``birthplace_2010``; see :func:`nqpf_spatial.data.flows_index`.
    names : {"en", "zh", "adcode", "iso"}
        Form of the province labels.
    expanded : bool
        Multiply by the expansion factor of the instrument. Weights that are row-standardised do not need
        it; comparing dates does.

    Returns
    -------
    pandas.DataFrame, 31 x 31
        Rows are origins, columns destinations, persons as tabulated in the long form or sample (times the
        factor if ``expanded``). People who stayed in their province are not tabulated: the diagonal is set
        to 0 and means "not a flow", not "nobody stayed". ``attrs`` holds matrix, period, instrument,
        definition, expansion_factor, expanded, status, source_id and release.

    Raises
    ------
    DataSourceError
        No such matrix.

    Warns
    -----
    DataBreakWarning
        The 2005 matrix is experimental.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> flows = nq.load_flows("5yr_2010")
    >>> flows.loc["Hunan", "Guangdong"] > flows.loc["Guangdong", "Hunan"]
    np.True_
    >>> int(flows.to_numpy().sum())
    5499391
    """
    index = _store.flows_index()
    if name not in index.index:
        near = difflib.get_close_matches(str(name), index.index, n=3)
        hint = f" (nearest: {', '.join(near)})" if near else ""
        raise DataSourceError(f"no migration matrix {name!r}{hint}; there are {', '.join(index.index)}")
    facts = index.loc[name]
    labels = [label(p, names) for p in PROVINCES]
    factor = float(facts["expansion_factor"]) if expanded else 1.0
    frame = pd.DataFrame(
        factor * _matrices()[name],
        index=pd.Index(labels, name="origin"),
        columns=pd.Index(labels, name="destination"),
    )
    frame.attrs = {
        "matrix": name,
        **{key: facts[key] for key in ("period", "instrument", "definition", "status", "source_id")},
        "expansion_factor": float(facts["expansion_factor"]),
        "expanded": bool(expanded),
        "release": _store.release()["release"],
    }
    if str(facts["status"]).startswith("experimental"):
        warn(f"migration matrix {name} is {facts['status']}", DataBreakWarning)
    return frame
