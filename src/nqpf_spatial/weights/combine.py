"""Combinations of matrices over the same units, and sequences over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.weights import _labels
from nqpf_spatial.weights._standardise import Transform, standardise
from nqpf_spatial.weights.core import Islands, SpatialWeights, check_islands
from nqpf_spatial.weights.guards import require_weights


def combine(
    weights: Sequence[SpatialWeights],
    shares: Sequence[float],
    *,
    standardise_first: Transform = "row",
    transform: Transform = "row",
    name: str | None = None,
    islands: Islands = "error",
) -> SpatialWeights:
    """Convex combination of matrices.

    Parameters
    ----------
    weights : sequence of SpatialWeights
        Over the same units, in any order of theirs.
    shares : sequence of float
        Positive, summing to one.
    standardise_first : {"row", "spectral", "minmax", "none"}
        Standardisation of each matrix before the sum, so that the unit of one does not drown the other.
    transform : {"row", "spectral", "minmax", "none"}
        Standardisation of the sum.
    name : str, optional
    islands : {"error", "keep"}

    Returns
    -------
    SpatialWeights

    Notes
    -----
    W = sum_k a_k W_k, a_k > 0, sum a_k = 1 (Debarsy and LeSage 2018, Regional Science and
    Urban Economics 69).

    *Usual mistake*: adding matrices in different units (1/km and 1/yuan): the sum is then one of them.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.combine([nq.weights.contiguity(), nq.weights.inverse_distance()], [0.7, 0.3])
    >>> w.n, w.is_row_stochastic
    (31, True)
    """
    parts = _same(weights)
    a = np.asarray(list(shares), dtype=np.float64)
    if a.shape != (len(parts),):
        raise ValueError(f"{len(parts)} matrices need as many shares, got {a.size}")
    if not (np.isfinite(a).all() and (a > 0).all() and abs(a.sum() - 1) <= 1e-9):
        raise ValueError(f"shares must be positive and sum to one, got {a.tolist()}")
    total = sum(float(s) * standardise(w.base, standardise_first) for s, w in zip(a, parts, strict=True))
    text = " + ".join(f"{s:g} {w.name}" for s, w in zip(a, parts, strict=True))
    return _derived(parts, csr_array(total), transform, name or text, f"W = {text}, each {standardise_first}", islands)


def nested(
    geography: SpatialWeights | None = None,
    economy: SpatialWeights | None = None,
    *,
    how: Literal["sum", "product"] = "sum",
    share: float = 0.5,
    transform: Transform = "row",
    name: str | None = None,
    islands: Islands = "error",
) -> SpatialWeights:
    """Nested geographic x economic weights.

    Parameters
    ----------
    geography, economy : SpatialWeights, optional
        Over the same units. Default: inverse distance between capitals, and inverse gap of the mean real GDP
        per resident of 2005-2010.
    how : {"sum", "product"}
        sum: share x geography + (1 - share) x economy, each row-standardised first; product: element by
        element, of the matrices before standardisation.
    share : float
        Share of geography in the sum, strictly between 0 and 1.
    transform, name, islands
        As everywhere.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    sum: W = a G + (1 - a) E; product: w_ij = g_ij e_ij. Both are in use for Chinese provinces (the
    sum for instance in Shao, Li, Cao and Yang 2016, Economic Research Journal 51(9)).

    *Usual mistake*: the product of a sparse G with E read as "both channels": where G is zero the economy
    counts for nothing.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.weights.nested() == nq.weights.registered("econ_geo_nested")
    True
    """
    from nqpf_spatial.weights.distance import inverse_distance
    from nqpf_spatial.weights.economic import economic

    geography = inverse_distance() if geography is None else geography
    economy = economic() if economy is None else economy
    if how == "product":
        label = name or f"{geography.name} x {economy.name}"
        return product([geography, economy], transform=transform, name=label, islands=islands)
    if how != "sum":
        raise ValueError(f"how={how!r} is not known; choose 'sum' or 'product'")
    if not 0 < share < 1:
        raise ValueError(f"share={share!r} must lie strictly between 0 and 1")
    return combine([geography, economy], [share, 1 - share], transform=transform, name=name, islands=islands)


def product(
    weights: Sequence[SpatialWeights],
    *,
    transform: Transform = "row",
    name: str | None = None,
    islands: Islands = "error",
) -> SpatialWeights:
    """Element-by-element product of matrices before standardisation.

    Parameters
    ----------
    weights : sequence of SpatialWeights
        Over the same units.
    transform, name, islands
        As everywhere.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    w_ij = prod_k w_k,ij: links are the links common to all. With a binary matrix first, it masks the others
    (distance decay within common borders: Cliff and Ord 1973).

    *Usual mistake*: multiplying matrices that are row-standardised already: each row is then scaled by
    something that the final standardisation removes again, except under spectral or min-max.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.product([nq.weights.contiguity(), nq.weights.inverse_distance()])
    >>> w.sparse.nnz == nq.weights.contiguity().sparse.nnz
    True
    """
    parts = _same(weights)
    total = parts[0].base
    for w in parts[1:]:
        total = csr_array(total.multiply(w.base))
    text = " x ".join(w.name for w in parts)
    return _derived(parts, total, transform, name or text, f"w_ij = product of {text}", islands)


def union(
    weights: Sequence[SpatialWeights],
    *,
    transform: Transform = "row",
    name: str | None = None,
    islands: Islands = "error",
) -> SpatialWeights:
    """Links that any of the matrices has, each with weight one before standardisation.

    Parameters
    ----------
    weights : sequence of SpatialWeights
        Over the same units.
    transform, name, islands
        As everywhere.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    w_ij = 1 if max_k w_k,ij > 0 (set operations on neighbours: Bivand, Pebesma and
    Gomez-Rubio 2013, Applied Spatial Data Analysis with R, ch. 9).

    *Usual mistake*: expecting a sum of the weights; for that use :func:`combine`.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.union([nq.weights.contiguity(), nq.weights.knn(3)])
    >>> w.sparse.nnz >= nq.weights.contiguity().sparse.nnz
    True
    """
    parts = _same(weights)
    total = csr_array(sum(w.base.sign() for w in parts)).sign()
    text = " or ".join(w.name for w in parts)
    return _derived(parts, total, transform, name or text, f"w_ij = 1 if linked in {text}", islands)


def _same(weights: Sequence[SpatialWeights]) -> list[SpatialWeights]:
    """The matrices in the canonical order of units, under the labels of the first."""
    parts = list(weights)
    if len(parts) < 2:
        raise ValueError(f"give at least two matrices, got {len(parts)}")
    for k, w in enumerate(parts):
        require_weights(w, f"weights[{k}]")
    first = replace(parts[0], order="canonical")
    return [first, *(aligned(w, first.ids, first.name) for w in parts[1:])]


def aligned(w: SpatialWeights, ids: Sequence[Any], to: str) -> SpatialWeights:
    """The matrix with the given order and labels of the same units."""
    if w.ids == tuple(ids):
        return w
    try:
        return replace(w.reorder(ids), ids=tuple(ids))
    except AlignmentError as error:
        raise AlignmentError(_labels.apart(w.ids, w.name, ids, to)) from error


def _derived(
    parts: list[SpatialWeights],
    base: csr_array,
    transform: Transform,
    name: str,
    formula: str,
    islands: Islands,
) -> SpatialWeights:
    """Result that inherits dates, notes and the years of its parts."""
    years = [w.data_years for w in parts if w.data_years is not None]
    facts: dict[str, Any] = {}
    for w in parts:
        facts |= {f"{key} ({w.name})": value for key, value in dict(w.facts).items()}
    return SpatialWeights(
        parts[0].ids,
        base,
        transform=transform,
        name=name,
        date=", ".join(dict.fromkeys(w.date for w in parts if w.date)),
        formula=formula,
        note="; ".join(dict.fromkeys(w.note for w in parts if w.note)),
        source="; ".join(dict.fromkeys(w.source for w in parts if w.source)),
        data_years=(min(a for a, _ in years), max(b for _, b in years)) if years else None,
        facts=facts,
        islands_allowed=check_islands(islands),
    )


class WeightsSequence(Mapping[int, SpatialWeights]):
    """Time-varying weights: an immutable mapping period -> SpatialWeights over the same units.

    Parameters
    ----------
    weights : mapping
        Period -> SpatialWeights. All are put in the order of units of the first.

    Raises
    ------
    AlignmentError
        If the units differ between periods.

    Notes
    -----
    W_t is exogenous only if it is predetermined in every period (Lee and Yu 2012, Spatial Economic
    Analysis 7).
    Nothing is carried forward unasked: a period that is not there is an error; :meth:`at` takes the latest
    earlier matrix. ``nq.fit(formula, data, w=sequence)`` estimates with it.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.contiguity()
    >>> s = nq.weights.sequence({2012: w, 2013: w})
    >>> s.years, s[2013] == w
    ((2012, 2013), True)
    """

    __slots__ = ("_weights",)

    def __init__(self, weights: Mapping[int, SpatialWeights]) -> None:
        if not weights:
            raise ValueError("a sequence of weights needs at least one period")
        items = sorted(weights.items())
        first = items[0][1]
        aligned_items = {int(year): aligned(w, first.ids, f"period {items[0][0]}") for year, w in items}
        object.__setattr__(self, "_weights", aligned_items)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a sequence of weights is immutable; build a new one")

    def __getitem__(self, year: int) -> SpatialWeights:
        """Weights of a period."""
        weights: dict[int, SpatialWeights] = object.__getattribute__(self, "_weights")
        if year not in weights:
            hint = f"; .at({year}) takes the latest earlier one" if any(y < year for y in weights) else ""
            raise KeyError(f"no weights for {year}; there are {_labels.shorten(weights, 40)}{hint}")
        return weights[year]

    def at(self, year: int) -> SpatialWeights:
        """Weights of a period, or of the latest period before it that is there.

        Parameters
        ----------
        year : int

        Returns
        -------
        SpatialWeights

        Raises
        ------
        KeyError
            If the sequence starts later; the message names the periods there are.
        """
        earlier = [y for y in self.years if y <= year]
        if not earlier:
            raise KeyError(f"no weights for {year} or before; there are {_labels.shorten(self.years, 40)}")
        return self[earlier[-1]]

    def __iter__(self) -> Iterator[int]:
        return iter(object.__getattribute__(self, "_weights"))

    def __len__(self) -> int:
        return len(object.__getattribute__(self, "_weights"))

    @property
    def years(self) -> tuple[int, ...]:
        """Periods, ascending."""
        return tuple(self)

    @property
    def name(self) -> str:
        """Names of the matrices, each once."""
        return _labels.shorten(list(dict.fromkeys(w.name for w in self.values())), 4)

    @property
    def ids(self) -> tuple[Any, ...]:
        """Units, the same in every period."""
        return self[self.years[0]].ids

    def with_transform(self, transform: Transform) -> WeightsSequence:
        """Every matrix standardised differently."""
        return WeightsSequence({year: w.with_transform(transform) for year, w in self.items()})

    def subset(self, ids: Iterable[Any], islands: Islands = "error") -> WeightsSequence:
        """Every matrix among some of the units."""
        keep = list(ids)
        return WeightsSequence({year: w.subset(keep, islands=islands) for year, w in self.items()})

    def report(self) -> pd.DataFrame:
        """Report of every period, one column per period."""
        return pd.DataFrame({year: w.report()["value"] for year, w in self.items()})

    def __repr__(self) -> str:
        return f"<WeightsSequence: {len(self)} periods {self.years[0]}..{self.years[-1]}, {len(self.ids)} units>"


def sequence(weights: Mapping[int, SpatialWeights]) -> WeightsSequence:
    """Time-varying weights out of one matrix per period; see :class:`WeightsSequence`.

    Parameters
    ----------
    weights : mapping
        Year -> SpatialWeights, all over the same units.

    Returns
    -------
    WeightsSequence
        ``s[year]`` is the matrix of a year, ``s.at(year)`` that of the year or the latest before it. ``nq.fit`` takes it
        as ``w``: every period of the panel needs its matrix.

    Raises
    ------
    AlignmentError
        If the units differ between periods.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> s = nq.weights.sequence({2010: nq.weights.migration("5yr_2010"), 2020: nq.weights.migration("5yr_2020")})
    >>> s[2020].name, s.at(2015).name
    ('migration 5yr_2020 in', 'migration 5yr_2010 in')
    """
    return WeightsSequence(weights)
