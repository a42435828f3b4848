"""Weights from flows: census migration, any origin-destination table, gravity, travel cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.provinces import Names
from nqpf_spatial.weights import _labels
from nqpf_spatial.weights._attributes import attribute, same_units
from nqpf_spatial.weights._matrix import canonical_csr
from nqpf_spatial.weights._places import At, places
from nqpf_spatial.weights._powers import raised
from nqpf_spatial.weights._standardise import Transform
from nqpf_spatial.weights.core import Islands, SpatialWeights, check_islands
from nqpf_spatial.weights.guards import check_number, endogeneity_note, warn_if_in_sample
from nqpf_spatial.weights.interop import Diagonal, from_pandas, without_diagonal

Direction = Literal["in", "out", "gross"]

_DIRECTIONS = {
    "in": "w_ij = flow from j to i",
    "out": "w_ij = flow from i to j",
    "gross": "w_ij = flow from i to j plus flow from j to i",
}


def flows(
    table: pd.DataFrame | pd.Series,
    direction: Direction = "in",
    *,
    ids: Iterable[Any] | None = None,
    years: tuple[int, int] | None = None,
    sample_start: int | None = None,
    diagonal: Diagonal = "error",
    name: str = "flows",
    date: str = "",
    source: str = "flow table given; LeSage and Pace (2008)",
    transform: Transform = "row",
    islands: Islands = "error",
) -> SpatialWeights:
    """Weights from any origin-destination table.

    Parameters
    ----------
    table : DataFrame or Series
        Square, rows = origins, columns = destinations; or long with columns origin, destination, weight; or
        a Series with a two-level index (origin, destination).
    direction : {"in", "out", "gross"}
        Whose flows make j a neighbour of i: those from j to i, from i to j, or both.
    ids : iterable, optional
        All units of a long table, also those without flows.
    years : (first, last), optional
        Years in which the flows happened; with ``sample_start`` they are checked.
    sample_start : int, optional
        First year of the sample the matrix is meant for.
    diagonal : {"error", "drop"}
        Flows within a unit are an error unless dropping them is asked for.
    name, date, source : str
        Texts for the report.
    transform, islands
        As everywhere.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    in: w_ij = F_ji; out: w_ij = F_ij; gross: F_ij + F_ji, F[origin, destination]. Zero flows are no links;
    the report counts them. Flows in spatial models: LeSage and Pace (2008, Journal of Regional Science 48).

    *Usual mistake*: taking the origin-destination table itself for W. Its rows are origins, so W is "out";
    the influence of where people come from is its transpose.

    Examples
    --------
    >>> import pandas as pd
    >>> od = pd.DataFrame({"A": [0, 1, 2], "B": [10, 0, 3], "C": [20, 4, 0]}, index=["A", "B", "C"])
    >>> flows(od, "in", transform="none").to_frame().loc["B"].tolist()  # from A 10, from C 3
    [10.0, 0.0, 3.0]
    """
    if direction not in _DIRECTIONS:
        raise ValueError(f"direction={direction!r} is not known; choose one of {', '.join(_DIRECTIONS)}")
    warn_if_in_sample(name, years, sample_start)
    matrix, labels = from_pandas(table, None if ids is None else list(ids))
    if diagonal == "drop":
        matrix = without_diagonal(matrix)
    checked = _labels.check_ids(labels)
    f = canonical_csr(matrix, checked)
    links = {"in": f.T, "out": f, "gross": f + f.T}[direction].tocsr()
    empty = len(checked) * (len(checked) - 1) - links.nnz
    return SpatialWeights(
        checked,
        links,
        transform=transform,
        name=f"{name} {direction}",
        date=date or ("" if years is None else f"{years[0]}-{years[1]}"),
        formula=_DIRECTIONS[direction],
        note=endogeneity_note(date or ("" if years is None else f"{years[0]}-{years[1]}")),
        source=source,
        data_years=years,
        facts={"zero flows": f"{empty} ordered pairs"},
        islands_allowed=check_islands(islands),
    )


def migration(
    matrix: str = "5yr_2010",
    direction: Direction = "in",
    *,
    expanded: bool = False,
    sample_start: int | None = None,
    names: Names = "en",
    transform: Transform = "row",
) -> SpatialWeights:
    """Census migration between provinces.

    Parameters
    ----------
    matrix : str
        ``5yr_2000``, ``5yr_2005`` (experimental), ``5yr_2010``, ``5yr_2015``, ``5yr_2020`` or
        ``birthplace_2010``; see :func:`nqpf_spatial.data.flows_index`. For outcomes from 2012 on, an interval
        that ended before: 5yr_2010.
    direction : {"in", "out", "gross"}
        in: persons living in i at the census who lived in j five years before; out: persons living in j who
        lived in i; gross: both.
    expanded : bool
        Multiply by the expansion factor of the instrument. Irrelevant under row, spectral and min-max
        standardisation, needed to compare dates.
    sample_start : int, optional
        First year of the sample; an interval that reaches into it raises a warning.
    names, transform
        As everywhere.

    Returns
    -------
    SpatialWeights

    Warns
    -----
    DataBreakWarning
        For the experimental matrix of 2005.
    EndogeneityWarning
        If the interval reaches into the sample.

    Notes
    -----
    w_ij = M_ji (in), M_ij (out), M_ij + M_ji (gross), M[origin, destination] as tabulated. Mobility as W:
    Baicker (2005, Journal of Public Economics 89).

    *Usual mistake*: flows of the sample years, which answer to the outcome; and standardising a table by
    columns when its rows are origins.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.migration(transform="none").to_frame()
    >>> w.loc["Guangdong"].idxmax(), w.loc["Shanghai"].idxmax()
    ('Hunan', 'Anhui')
    """
    from nqpf_spatial.data import load_flows

    table = load_flows(matrix, names=names, expanded=expanded)
    period = str(table.attrs["period"])
    first, _, last = period.partition("-")
    if not last:  # a stock: everything up to the census
        first = last = matrix.rpartition("_")[2]
    what = "persons (expanded)" if expanded else "persons as tabulated"
    return flows(
        table,
        direction,
        years=(int(first), int(last)),
        sample_start=sample_start,
        name=f"migration {matrix}",
        date=period,
        source=f"{table.attrs['instrument']} ({table.attrs['source_id']}), {what}; Baicker (2005)",
        transform=transform,
    )


def gravity(
    variable: str | pd.Series = "gdp_real",
    years: int | tuple[int, int] | None = (2005, 2010),
    power: float = 2,
    *,
    exponents: tuple[float, float] = (1, 1),
    points: Any = None,
    ids: str | None = None,
    at: At = "capital",
    sample_start: int | None = None,
    data: pd.DataFrame | None = None,
    names: Names = "en",
    transform: Transform = "row",
) -> SpatialWeights:
    """Gravity: mass times mass over distance.

    Parameters
    ----------
    variable, years, sample_start, data
        The mass, positive: see :func:`nqpf_spatial.weights.economic`.
    power : float
        Exponent of the distance.
    exponents : (float, float)
        Exponents of the own and of the other mass.
    points, ids, at
        Where the units are: see :func:`nqpf_spatial.weights.knn`.
    names, transform
        As everywhere.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    w_ij = m_i^a m_j^b / d_ij^p, d in km (Tinbergen 1962; Isard 1960).

    *Usual mistake*: thinking that the own mass matters. Under row standardisation m_i cancels, and the matrix
    is the asymmetric economic-geographic one; take ``transform="spectral"`` to keep it.

    Examples
    --------
    >>> import pandas as pd
    >>> mass = pd.Series({"A": 1.0, "B": 2.0, "C": 4.0})
    >>> where = pd.DataFrame({"lon": [0, 1, 2], "lat": [0, 0, 0]}, index=["A", "B", "C"])
    >>> w = gravity(mass, None, points=where)
    >>> w.dense().round(3).tolist()  # row A: 2/1 against 4/4
    [[0.0, 0.667, 0.333], [0.2, 0.0, 0.8], [0.111, 0.889, 0.0]]
    """
    from nqpf_spatial.weights._neighbours import all_pairs
    from nqpf_spatial.weights._places import refuse_coincident

    check_number(power, "power")
    level = attribute(variable, years, data, names)
    warn_if_in_sample("gravity W", level.years, sample_start)
    units = places(points, ids, at, names)
    same_units(units.ids, level.ids, "points", level.name)
    if (level.values <= 0).any():
        bad = np.flatnonzero(level.values <= 0).tolist()
        raise ValueError(f"mass {level.name} must be positive; not so for {_labels.shorten(level.ids[k] for k in bad)}")
    pairs = all_pairs(units)
    refuse_coincident(units, pairs)
    rows, columns, distance = pairs
    own, other = exponents
    w = np.zeros((units.n, units.n))
    w[rows, columns] = raised(level.values[rows], own) * raised(level.values[columns], other) / raised(distance, power)
    return SpatialWeights(
        units.ids,
        w,
        transform=transform,
        name=f"gravity ({level.name})",
        date=level.when,
        formula=(f"w_ij = m_i^{own:g} m_j^{other:g} / d_ij^{power:g}; m = mean {level.name} {level.when}, d in km"),
        note=endogeneity_note(level.when),
        source="Isard (1960), Tinbergen (1962)",
        data_years=level.years,
        facts={"located at": units.what} | level.facts,
    )


def travel_cost(
    table: pd.DataFrame | pd.Series,
    power: float = 1,
    *,
    form: Literal["inverse", "exponential"] = "inverse",
    scale: float | None = None,
    cutoff: float | None = None,
    symmetrise: Literal["no", "mean", "min", "max"] = "no",
    diagonal: Diagonal = "error",
    name: str = "travel cost",
    date: str = "",
    transform: Transform = "row",
    islands: Islands = "error",
) -> SpatialWeights:
    """Weights from the user's own table of travel times, costs or road distances.

    Parameters
    ----------
    table : DataFrame or Series
        Square and labelled, or long (origin, destination, weight = cost). Every pair must be there.
    power : float
        For "inverse": exponent of the cost.
    form : {"inverse", "exponential"}
    scale : float
        For "exponential": cost at which the weight falls to 1/e.
    cutoff : float, optional
        Largest cost that makes a link.
    symmetrise : {"no", "mean", "min", "max"}
        Leave the cost of the two directions as they are, or combine them.
    diagonal : {"error", "drop"}
        Costs within a unit (other than 0 or blank) are an error unless dropping them is asked for.
    name, date, transform, islands
        As everywhere.

    Returns
    -------
    SpatialWeights

    Raises
    ------
    ValueError
        If a pair has no cost or a cost is not positive (the pairs are named), or units have a cost within
        themselves (they are named).

    Notes
    -----
    w_ij = c_ij^(-power), or exp(-c_ij / scale); c_ij the cost from i to j (Getis 2009, Geographical
    Analysis 41, on W from accessibility).

    *Usual mistake*: a missing connection entered as 0, which becomes the strongest link of all.

    Examples
    --------
    >>> import pandas as pd
    >>> hours = pd.DataFrame([[0, 2, 4], [2, 0, 5], [4, 5, 0]], index=list("abc"), columns=list("abc"))
    >>> travel_cost(hours).dense().round(3).tolist()[0]
    [0.0, 0.667, 0.333]
    """
    cost, labels = _cost_table(table, symmetrise, diagonal)
    off = ~np.eye(len(labels), dtype=bool)
    near = off if cutoff is None else off & (cost <= cutoff)
    w = np.zeros_like(cost)
    if form == "inverse":
        check_number(power, "power")
        if not power > 0:
            raise ValueError(f"power={power!r} must be positive")
        w[near], text = raised(cost[near], -power), f"1 / c_ij^{power:g}"
    elif form == "exponential":
        if scale is None or not scale > 0:
            raise ValueError(f"form='exponential' needs a positive scale=, got {scale!r}")
        w[near], text = np.exp(-cost[near] / scale), f"exp(-c_ij / {scale:g})"
    else:
        raise ValueError(f"form={form!r} is not known; choose 'inverse' or 'exponential'")
    return SpatialWeights(
        tuple(labels),
        w,
        transform=transform,
        name=name,
        date=date,
        formula=f"w_ij = {text}" + ("" if cutoff is None else f" if c_ij <= {cutoff:g}"),
        source="table of travel cost given; Getis (2009)",
        facts={"directions": "as given" if symmetrise == "no" else f"{symmetrise} of both directions"},
        islands_allowed=check_islands(islands),
    )


def _cost_table(
    table: pd.DataFrame | pd.Series, symmetrise: str, diagonal: str
) -> tuple[NDArray[np.float64], list[Any]]:
    """Dense costs, complete and positive off the diagonal."""
    if diagonal not in ("error", "drop"):
        raise ValueError(f"diagonal={diagonal!r} is not known; choose 'error' or 'drop'")
    raw, labels = from_pandas(table)
    cost = raw.toarray() if hasattr(raw, "toarray") else np.asarray(raw, dtype=np.float64)
    own = np.flatnonzero(np.nan_to_num(np.diag(cost)) != 0)
    if own.size and diagonal == "error":
        first = _labels.shorten((f"{labels[k]} {cost[k, k]:g}" for k in own), 4)
        raise ValueError(
            f"{own.size} units have a cost within themselves: {first}. A unit is not its own neighbour: "
            "give diagonal='drop' to leave these costs out"
        )
    bad = ~(np.isfinite(cost) & (cost > 0)) & ~np.eye(len(labels), dtype=bool)
    if bad.any():
        rows, columns = np.nonzero(bad)
        shown = [f"{labels[i]} -> {labels[j]}: {cost[i, j]:g}" for i, j in zip(rows[:4], columns[:4], strict=True)]
        raise ValueError(
            f"{rows.size} pairs have no positive finite cost: {'; '.join(shown)}. "
            "Complete the table, or give it as weights to from_any()"
        )
    combine = {"no": lambda a: a, "mean": lambda a: (a + a.T) / 2}
    combine |= {"min": lambda a: np.minimum(a, a.T), "max": lambda a: np.maximum(a, a.T)}
    if symmetrise not in combine:
        raise ValueError(f"symmetrise={symmetrise!r} is not known; choose one of {', '.join(combine)}")
    return combine[symmetrise](cost), labels
