"""Krugman's indices: specialisation of units, concentration of sectors."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame
from nqpf_spatial.divergence._frame import Array, Missing, Wide, Years
from nqpf_spatial.divergence._result import check_choice
from nqpf_spatial.divergence.concentration import ConcentrationResult, _checked, _units
from nqpf_spatial.errors import PanelError

Kind = Literal["specialisation", "concentration"]
Reference = Literal["mean", "total", "rest"]


def krugman(
    sectors: pd.DataFrame,
    kind: Kind = "specialisation",
    *,
    reference: Reference | None = None,
    years: Years = None,
    missing: Missing = "raise",
) -> ConcentrationResult:
    """Krugman's index of specialisation of units, or of concentration of sectors.

    Parameters
    ----------
    sectors : DataFrame
        Non-negative quantities, one sector per column, indexed by (unit, time) or by unit.
    kind : {"specialisation", "concentration"}
        How far the sectoral structure of each unit is from the reference structure; or how far the
        distribution of each sector over the units is from the distribution of all sectors together.
    reference : {"mean", "total", "rest"}, optional
        For specialisation: the unweighted mean structure of the units (default; the packaged variables
        ``krugman3`` and ``krugman9``), the structure of all units together, or of all others together. For
        concentration: all sectors together (default), or all others.
    years : (first, last), list or int, optional
    missing : {"raise", "drop_years", "drop_units"}
        Leave out years (units) in which some sector lacks a cell; sectors over different years are an error
        unless it says ``"drop_years"``.

    Returns
    -------
    ConcentrationResult
        Specialisation: ``table`` holds the mean over the units, ``.by_unit`` the index of each.
        Concentration: one column per sector; ``.by_unit`` each unit's share of all sectors.

    Raises
    ------
    PanelError
        Fewer than two sectors, missing or negative cells, a unit or sector without any quantity.

    Notes
    -----
    ``K_i = sum_j |s_ij - r_j|`` with shares s_ij of sector j in unit i, in [0, 2) (Krugman 1991, Geography
    and Trade, ch. 2); ``K_j = sum_i |c_ij - c_i|`` with shares c_ij of unit i in sector j. Some authors
    halve both.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame({"farm": [1.0, 3.0], "work": [3.0, 1.0]}, index=["u", "v"])
    >>> krugman(data).by_unit.iloc[:, 0].tolist()
    [0.5, 0.5]
    """
    check_choice("kind", kind, ("specialisation", "concentration"))
    special = kind == "specialisation"
    against = reference or ("mean" if special else "total")
    check_choice("reference", against, ("mean", "total", "rest") if special else ("total", "rest"))
    cube, first = _cube(sectors, years, missing)
    name = f"{cube.shape[2]} sectors, reference: {against}"
    if special:
        index = np.abs(cube / cube.sum(axis=2, keepdims=True) - _structure(cube, against)).sum(axis=2)
        table = pd.DataFrame({"krugman": index.mean(axis=1)}, index=first.index())
        by_unit = _units(index, first)
        return ConcentrationResult(
            table, by_unit, "Krugman specialisation", "index of the unit", name, ("krugman",), first.note
        )
    within = cube / cube.sum(axis=1, keepdims=True)
    rest = cube.sum(axis=2, keepdims=True) - (cube if against == "rest" else 0.0)
    index = np.abs(within - rest / rest.sum(axis=1, keepdims=True)).sum(axis=1)
    table = pd.DataFrame(index, index=first.index(), columns=list(sectors.columns))
    by_unit = _units(cube.sum(axis=2) / cube.sum(axis=(1, 2))[:, None], first)
    drawn = tuple(table.columns)
    return ConcentrationResult(table, by_unit, "Krugman concentration", "share of all sectors", name, drawn, first.note)


def _cube(sectors: pd.DataFrame, years: Years, missing: Missing) -> tuple[Array, Wide]:
    """Quantities (T, N, sectors) with the labels of the first sector, checked."""
    if not isinstance(sectors, pd.DataFrame) or sectors.shape[1] < 2:
        raise PanelError("krugman needs a DataFrame with at least two sectors in columns")
    parts = [_frame.wide(sectors[c].rename(str(c)), years=years, missing=missing) for c in sectors.columns]
    parts = [_checked(p) for p in _common(parts, missing)]
    cube = np.stack([p.values for p in parts], axis=2)
    empty = np.argwhere(cube.sum(axis=2) <= 0)
    if len(empty):
        where = [f"{parts[0].units[i]} {parts[0].times[t] or ''}".strip() for t, i in empty]
        raise PanelError(f"no quantity in any sector: {_frame.shorten(where)}")
    return cube, parts[0]


def _common(parts: list[Wide], missing: Missing) -> list[Wide]:
    """The sectors on the times and units they all have, where ``missing=`` allows it."""
    times = [t for t in parts[0].times if all(t in p.times for p in parts)]
    units = [u for u in parts[0].units if all(u in p.units for p in parts)]
    spans = ", ".join(f"{p.name} {p.times[0]}-{p.times[-1]}" for p in parts)
    if any(len(p.times) > len(times) for p in parts) and missing != "drop_years":
        raise PanelError(
            f"the sectors cover different years ({spans}); narrow the window with years=(first, last), "
            "or say missing='drop_years'"
        )
    if not times or len(units) < 2:
        raise PanelError(f"the sectors have {len(times)} years and {len(units)} units in common ({spans})")
    note = "; ".join(dict.fromkeys(f"{p.name}: {p.note}" for p in parts if p.note))
    out = []
    for p in parts:
        rows, columns = [p.times.index(t) for t in times], [p.units.index(u) for u in units]
        cells = np.ix_(rows, columns)
        out.append(
            replace(
                p, values=p.values[cells], weights=p.weights[cells], times=tuple(times), units=tuple(units), note=note
            )
        )
    return out


def _structure(cube: Array, reference: str) -> Array:
    """Reference shares of the sectors, shape (T, N or 1, sectors)."""
    if reference == "mean":
        return (cube / cube.sum(axis=2, keepdims=True)).mean(axis=1, keepdims=True)
    total = cube.sum(axis=1, keepdims=True) - (cube if reference == "rest" else 0.0)
    return total / total.sum(axis=2, keepdims=True)
