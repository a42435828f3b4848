"""W among the units that are there: cut once for units left out of a fit, or period by period for a sub-network."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import AlignmentError, PanelError
from nqpf_spatial.kernels.unbalanced import Effects, effects, period_cells
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.estimate import Estimate, Weights
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.missing.choices import Missing, cell_name
from nqpf_spatial.weights.core import SpatialWeights

ROLES = ("lag", "durbin", "error")


@dataclass(frozen=True, eq=False)
class Network:
    """One set of observed units and the periods that share it.

    Attributes
    ----------
    units : (n,) int ndarray
        Positions of the observed units, ascending.
    periods : tuple of int
    weights : Weights
        Among these units, in their order.
    """

    units: NDArray
    periods: tuple[int, ...]
    weights: Weights


@dataclass(frozen=True, eq=False)
class Networks:
    """The sub-networks of an unbalanced panel.

    Attributes
    ----------
    observed : (T, N) bool ndarray
    parts : tuple of Network
        In the order of their first period; together they cover every period once.
    cells : list of slice
        Where the cells of a period are in the stack of all cells.
    removed : Effects
        Dummies of the fixed effects on the cells.
    islands : tuple of (unit, period)
        Cells whose unit lost all its neighbours for that period; their lag is zero.
    """

    observed: NDArray
    parts: tuple[Network, ...]
    cells: list[slice]
    removed: Effects
    islands: tuple[tuple[Hashable, Hashable], ...]

    def matrices(self, role: str) -> list[NDArray]:
        """Dense weights of a role, one array per period."""
        dense = {t: getattr(part.weights, role).dense() for part in self.parts for t in part.periods[:1]}
        first = {t: part.periods[0] for part in self.parts for t in part.periods}
        return [dense[first[t]] for t in range(self.observed.shape[0])]

    def scatter(self, values: NDArray) -> NDArray:
        """(..., T, N) from stacked cells (..., n): NaN where nothing is observed."""
        out = np.full((*values.shape[:-1], *self.observed.shape), np.nan)
        out[..., self.observed] = values
        return out


def networks_of(fit: object) -> Networks | None:
    """The sub-networks of a result; None for whole networks, and for results of other estimators."""
    return getattr(getattr(fit, "estimate", None), "networks", None)


def build_networks(design: Design, weights: Weights) -> Networks:
    """Cut W for every set of units that is observed together.

    Raises
    ------
    ValueError
        Without `subset=`: whether rows are standardised anew is for the user to say.
    AlignmentError
        Units without neighbours in a period, unless ``islands="keep"``.
    PanelError
        A period without any links.
    """
    observed, asked = design.observed, design.dropped.asked
    assert observed is not None
    if weights.for_tests() is not None and asked.subset is None and not observed.all():
        raise ValueError(_unsaid("the units that are not observed in a period"))
    patterns: dict[bytes, list[int]] = {}
    for t, row in enumerate(observed):
        patterns.setdefault(row.tobytes(), []).append(t)
    present = {id(w): w for w in (weights.lag, weights.durbin, weights.error, weights.tests) if w is not None}
    cut: dict[int, list[SpatialWeights]] = {key: [] for key in present}
    islands: dict[tuple[Hashable, Hashable], None] = {}
    for periods in patterns.values():
        units = np.flatnonzero(observed[periods[0]])
        for key, w in present.items():
            lone = _islands(w, units, [design.periods[t] for t in periods])
            islands |= {(design.units[i], design.periods[t]): None for t in periods for i in lone}
            cut[key].append(_among(w, units, asked.subset))
    if islands and asked.islands == "error":
        named = enumerate_some([cell_name(*cell) for cell in islands])
        raise AlignmentError(
            f'without neighbours in the network of the period: {named}. Say islands="keep" (their lag is zero then), take '
            'weights with more links, or leave the units out with missing="drop_units"'
        )
    parts = tuple(
        Network(
            np.flatnonzero(observed[periods[0]]),
            tuple(periods),
            Weights(
                *(
                    None if w is None else cut[id(w)][i]
                    for w in (weights.lag, weights.durbin, weights.error, weights.tests)
                )
            ),
        )
        for i, periods in enumerate(patterns.values())
    )
    return Networks(
        observed, parts, period_cells(observed), effects(observed, design.unit, design.time), tuple(islands)
    )


def require_balanced(est: Estimate, what: str) -> None:
    """Refuse what is made for panels in which every unit is there in every period."""
    if est.design.observed is not None:
        raise PanelError(
            f"{what} is for panels in which every unit is observed in every period; {est.design.nobs} of "
            f'{est.design.y.size} cells are. Fit with missing="drop_units" or missing="drop_years" for it'
        )


def cut_units(weights: Weights, units: Sequence[Hashable], left_out: Sequence[Hashable], asked: Missing) -> Weights:
    """Weights among the units that a fit keeps.

    Raises
    ------
    ValueError
        Without `subset=`.
    AlignmentError
        Units that lose all their neighbours, unless ``islands="keep"``.
    """
    first = weights.for_tests() if left_out else None
    if first is None:
        return weights
    if asked.subset is None:
        raise ValueError(_unsaid(enumerate_some(left_out)))
    present = {id(w): w for w in (weights.lag, weights.durbin, weights.error, weights.tests) if w is not None}
    kept = _positions(first, units)  # they share their units and the order of these
    lone = dict.fromkeys(w.ids[i] for w in present.values() for i in _islands(w, kept, None))
    if lone and asked.islands == "error":
        raise AlignmentError(
            f"without {enumerate_some(left_out)}, these units have no neighbours: {enumerate_some(list(lone))}. Say "
            'islands="keep" (their lag is zero then), or take weights with more links'
        )
    done = {key: _among(w, kept, asked.subset) for key, w in present.items()}
    return Weights(
        *(None if w is None else done[id(w)] for w in (weights.lag, weights.durbin, weights.error, weights.tests))
    )


def _unsaid(who: str) -> str:
    return (
        f'W is cut by {who}; say how its rows are treated: subset="keep" leaves the elements as they are (rows that lose '
        'neighbours sum to less), subset="restandardise" standardises anew among the units that are there'
    )


def _positions(w: SpatialWeights, units: Sequence[Hashable]) -> NDArray:
    """Positions in W of the units of a panel, which may write provinces differently."""
    part = w.subset(units, islands="keep")
    place = {unit: i for i, unit in enumerate(w.ids)}
    return np.sort([place[unit] for unit in part.ids])


def _islands(w: SpatialWeights, units: NDArray, periods: Sequence[Hashable] | None) -> list[int]:
    """Positions of units that have neighbours in W, but none among `units`; no links at all is an error."""
    part = w.sparse[units, :][:, units]
    if part.nnz == 0:
        when = "" if periods is None else f" observed in {enumerate_some(periods)}"
        raise PanelError(f"weights {w.name!r} have no links among the {units.size} units{when}")
    lone = np.diff(part.indptr) == 0
    had = np.diff(w.sparse.indptr)[units] > 0
    return [int(i) for i in units[lone & had]]


def _among(w: SpatialWeights, units: NDArray, subset: str | None) -> SpatialWeights:
    """W among the units at the given positions, in its order of units."""
    if units.size == w.n:
        return w
    ids = [w.ids[i] for i in units]
    whole = replace(w, base=w.sparse, transform="none", islands_allowed=True) if subset == "keep" else w
    part = whole.subset(ids, islands="keep")
    return part if list(part.ids) == ids else part.reorder(ids)
