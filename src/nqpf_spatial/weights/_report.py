"""What a matrix is and what is dangerous in it: one table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csgraph

from nqpf_spatial.kernels.spectrum import REAL_TOLERANCE
from nqpf_spatial.weights._labels import shorten
from nqpf_spatial.weights._standardise import row_sums
from nqpf_spatial.weights.guards import require_weights

if TYPE_CHECKING:
    from nqpf_spatial.weights.core import SpatialWeights

#: Share of possible links from which a matrix counts as near-complete.
NEAR_COMPLETE = 0.9

#: Effective neighbours over possible ones from which the weights count as near-equal.
NEAR_EQUAL = 0.9

#: Largest matrix whose eigenvalues are computed for a report without being asked.
_REPORT_LIMIT = 2000

Row = tuple[str, Any, str]


def report(w: SpatialWeights, eigenvalues: bool | None = None) -> pd.DataFrame:
    """Report on a matrix.

    Parameters
    ----------
    w : SpatialWeights
    eigenvalues : bool, optional
        Whether to compute all eigenvalues; default: up to 2,000 units.

    Returns
    -------
    DataFrame
        Indexed by item; columns ``value`` and ``flag``. A flag says what to beware of and is empty otherwise.

    Notes
    -----
    Effective neighbours of i: (sum_j w_ij)^2 / sum_j w_ij^2, the number of equal weights with the same
    concentration. A matrix is near-complete from 90 % of all links, near-equal from 90 % of the possible
    effective neighbours: with time effects it then carries almost no information on rho (Smith 2009,
    Geographical Analysis 41).

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> table = nq.weights.report(nq.weights.contiguity())
    >>> table.loc["links", "value"], table.loc["components", "value"], table.loc["Hainan", "value"][:6]
    (138, 1, 'linked')
    """
    require_weights(w)
    rows: list[Row] = [
        ("name", w.name, ""),
        ("date", w.date or "not stated", ""),
        ("formula", w.formula or "not stated", ""),
        ("standardisation", w.transform, ""),
        *_links(w),
        *_shape(w),
        *(_spectrum(w) if (w.n <= _REPORT_LIMIT if eigenvalues is None else eigenvalues) else _no_spectrum(w)),
        *_origin(w),
        ("checksum", w.checksum, ""),
    ]
    table = pd.DataFrame(rows, columns=["item", "value", "flag"]).set_index("item")
    return table.astype({"value": object})


def effective_neighbours(w: SpatialWeights) -> np.ndarray:
    """Number of equal weights as concentrated as each row; 0 for islands."""
    squares = np.asarray(w.sparse.power(2).sum(axis=1), dtype=np.float64).ravel()
    sums = row_sums(w.sparse)
    return np.divide(sums**2, squares, out=np.zeros_like(sums), where=squares > 0)


def _links(w: SpatialWeights) -> list[Row]:
    possible = w.n * (w.n - 1)
    degree = np.diff(w.sparse.indptr)
    density = w.sparse.nnz / possible if possible else 0.0
    effective = effective_neighbours(w)
    near_complete = "near-complete: with time effects rho is weakly identified" if density >= NEAR_COMPLETE else ""
    share = float(effective.mean()) / (w.n - 1) if w.n > 1 else 0.0
    near_equal = "near-equal weights: with time effects rho is hardly identified" if share >= NEAR_EQUAL else ""
    unseen = np.flatnonzero(np.bincount(w.sparse.indices, minlength=w.n) == 0).tolist()
    return [
        ("units", w.n, ""),
        ("links", w.sparse.nnz, ""),
        ("density", density, near_complete),
        ("neighbours, mean", float(degree.mean()), ""),
        ("neighbours, range", f"{degree.min()} to {degree.max()}", ""),
        ("effective neighbours, mean", float(effective.mean()), near_equal),
        ("islands", shorten(w.islands) or "none", "their lag is zero" if w.islands else ""),
        (
            "nobody's neighbours",
            shorten(w.ids[k] for k in unseen) or "none",
            "they receive but never send a spillover" if unseen else "",
        ),
    ]


def _shape(w: SpatialWeights) -> list[Row]:
    pieces = int(csgraph.connected_components(w.sparse, directed=False, return_labels=False))
    split = "disconnected: rho is shared, spillovers are not" if pieces > 1 else ""
    sums = row_sums(w.sparse)
    uneven = "" if w.is_row_stochastic else "rows differ in sum: total effects differ between units"
    return [
        ("components", pieces, split),
        ("symmetric", w.is_symmetric, ""),
        ("row-stochastic", w.is_row_stochastic, ""),
        ("row sums", f"{sums.min():.6g} to {sums.max():.6g}", uneven),
    ]


def _spectrum(w: SpatialWeights) -> list[Row]:
    s = w.spectrum()
    turning = int((np.abs(s.values.imag) > REAL_TOLERANCE * s.radius).sum())
    low, high = w.rho_interval()
    asymmetric = "asymmetric beyond standardisation: real eigenvalues are not guaranteed"
    flag = "complex eigenvalues: the log-determinant sums them as complex numbers" if turning else ""
    return [
        ("eigenvalues, real parts", f"{s.values.real.min():.6g} to {s.values.real.max():.6g}", ""),
        ("complex eigenvalues", turning, flag),
        ("similar to symmetric", s.symmetric_similar, "" if s.symmetric_similar else asymmetric),
        ("rho interval", f"({low:.6g}, {high:.6g})", ""),
    ]


def _no_spectrum(w: SpatialWeights) -> list[Row]:
    return [("eigenvalues", f"not computed for {w.n} units; see rho_interval()", "")]


def _origin(w: SpatialWeights) -> list[Row]:
    years = "" if w.data_years is None else "-".join(dict.fromkeys(str(y) for y in w.data_years))
    rows: list[Row] = [(key, value, _fact_flag(key, value)) for key, value in dict(w.facts).items()]
    if years:
        rows.append(("data of", years, f"the sample must start after {years[-4:]}"))
    if w.note:
        rows.append(("note", w.note, ""))
    rows.append(("source", w.source or "not stated", ""))
    return rows


def _fact_flag(key: str, value: Any) -> str:
    if key.startswith("near-equal pairs"):
        return "their weight is capped by the floor"
    if key.startswith("zero flows") and not str(value).startswith("0 "):
        return "no link where nobody moved"
    if key.startswith("breaks in the data"):
        return "levels before and after are not comparable"
    return ""


def html(w: SpatialWeights) -> str:
    """Rich representation for notebooks."""
    table = report(w, eigenvalues=w.n <= 500)
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(str(item))}</th>"
        f"<td style='text-align:left'>{escape(_text(row.value))}</td>"
        f"<td style='text-align:left'><em>{escape(row.flag)}</em></td></tr>"
        for item, row in zip(table.index, table.itertuples(), strict=True)
        if item != "name"
    )
    return f"<table><caption><strong>{escape(w.name)}</strong>: spatial weights</caption>{cells}</table>"


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
