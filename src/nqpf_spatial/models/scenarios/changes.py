"""What is changed: relative, absolute or computed changes of the variables of a formula, on the frame behind a fit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.data import catalogue, codebook
from nqpf_spatial.errors import AlignmentError, PanelError
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.selection import align_units

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

_PERCENT = re.compile(r"([+-])\s*(\d+(?:\.\d*)?|\.\d+)\s*%")
_SURE_LOG = re.compile(r"(ln|log)_", re.IGNORECASE)
_MAYBE_LOG = re.compile(r"(ln|log|l_)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Percent:
    """A relative change of a quantity; see `percent`."""

    size: float
    log: bool | None = None


def percent(size: float, log: bool | None = None) -> Percent:
    r"""A change of `size` per cent of the quantity a variable measures.

    A variable in levels is multiplied by ``1 + size/100``. A variable that is a logarithm already gets
    :math:`\ln(1 + size/100)` added, which is the same change of the quantity behind it; multiplying a logarithm
    by 1.1 is not a rise by 10 per cent of anything.

    Parameters
    ----------
    size : float
        In per cent, above -100.
    log : bool, optional
        Whether the variable is a logarithm. By default packaged variables are looked up in the codebook, others are
        taken for logarithms if their names begin with ``ln_`` or ``log_``; names like ``lngdp`` are an error that
        asks for this argument.

    Examples
    --------
    >>> percent(10)
    Percent(size=10.0, log=None)
    """
    if not np.isfinite(size) or size <= -100:
        raise ValueError(f"percent({size}): give a finite number above -100, 10 for a rise by 10 %")
    return Percent(float(size), log)


Change: TypeAlias = Percent | str | float | pd.Series | pd.DataFrame | Callable[[pd.Series], Any]


def change_frame(
    fit: SpatialFit, changes: Mapping[str, Change], units: NDArray, periods: NDArray
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The frame behind the fit with the changes made, and each change in words.

    Parameters
    ----------
    fit : SpatialFit
    changes : mapping
    units, periods : (N,), (T,) bool ndarray
        Where and when.
    """
    design = fit.estimate.design
    if not isinstance(changes, Mapping) or not changes:
        raise TypeError('changes= is a mapping from variables to changes, for instance {"ln_rd_intensity": "+10%"}')
    _check_variables(design, changes)
    rows = np.repeat(units, periods.size) & np.tile(periods, units.size)
    frame, words = design.frame.copy(), {}
    for name, change in changes.items():
        old = frame[name]
        if not pd.api.types.is_numeric_dtype(old) and not callable(change):
            raise PanelError(f"{name!r} is not numeric: give a function of its values")
        new, words[name] = _changed(fit, name, change, pd.Series(old.to_numpy(), index=design.frame_index()), rows)
        values = old.to_numpy(dtype=float if pd.api.types.is_numeric_dtype(old) else object).copy()
        values[rows] = new
        frame[name] = values
    return frame, words


def _check_variables(design: Design, changes: Mapping[str, Any]) -> None:
    known = [str(v) for v in design.formula.rhs.required_variables]
    outcome = {str(v) for v in design.formula.lhs.required_variables}
    of_outcome = [name for name in changes if name in outcome]
    if of_outcome:
        raise ValueError(
            f"{enumerate_some(of_outcome)} belongs to the outcome {design.outcome}, which is what responds"
        )
    unknown = [name for name in changes if name not in known]
    if unknown:
        raise ValueError(
            f"no variables of the formula: {enumerate_some(unknown)}; it uses {', '.join(sorted(known))}. "
            "Name variables, not columns: x for log(x), I(x**2) and x:z"
        )


def _changed(
    fit: SpatialFit, name: str, change: Change, series: pd.Series, rows: NDArray
) -> tuple[NDArray | float, str]:
    """New values of the selected rows, and the change in words."""
    design, old = fit.estimate.design, series[rows]
    if isinstance(change, str):
        change = _parse(name, change)
    if isinstance(change, Percent):
        return _relative(fit, name, change, old)
    if isinstance(change, (bool, np.bool_)) or change is None:
        raise TypeError(f"{name}: {change!r} is no change; give a number, '+10%', a Series, a DataFrame or a function")
    if isinstance(change, (int, float, np.number)):
        _check_finite(name, np.array([float(change)]))
        return old.to_numpy(dtype=float) + float(change), f"{float(change):+.6g}"
    if isinstance(change, (pd.Series, pd.DataFrame)):
        step = _labelled(name, change, design, rows)
        _check_finite(name, step)
        return old.to_numpy(dtype=float) + step, f"plus values of a {type(change).__name__}"
    if callable(change):
        new = np.asarray(change(old.copy()))
        if new.shape not in ((), (len(old),)):
            raise ValueError(f"{name}: the function returned shape {new.shape} for {len(old)} values")
        return new, "set by a function"
    raise TypeError(
        f"{name}: a {type(change).__name__} is no change; give a number, '+10%', a Series, a DataFrame or a function"
    )


def _parse(name: str, text: str) -> Percent:
    found = _PERCENT.fullmatch(unicodedata.normalize("NFKC", text).replace("−", "-").strip())
    if not found:
        raise ValueError(
            f"{name}: {text!r} is no change; write '+10%' or '-5%' with its sign, or a number for an absolute change"
        )
    return percent(float(found[1] + found[2]))


def _relative(fit: SpatialFit, name: str, change: Percent, old: pd.Series) -> tuple[NDArray, str]:
    values = old.to_numpy(dtype=float)
    kind = log_kind(fit, name) if change.log is None else ("log" if change.log else "level")
    if kind == "growth":
        raise ValueError(
            f"{name} is a growth rate; a percentage of it is ambiguous. Give the change in its own units, for instance +1.0, or a "
            "function"
        )
    if kind == "unclear":
        raise ValueError(
            f"{name}: is it a logarithm? Write nq.models.percent(..., log=True) if it is, log=False if it is a level"
        )
    if kind == "log":
        step = float(np.log1p(change.size / 100.0))
        return values + step, f"{change.size:+g} % of the quantity behind the logarithm ({step:+.6f})"
    if (values < 0).any():
        raise ValueError(
            f"{name}: {change.size:+g} % of values of which some are negative ({float(values.min()):.4g}). If it is a logarithm, write "
            f"nq.models.percent({change.size:g}, log=True); if it is a rate or a balance, give the change in its own units"
        )
    return values * (1.0 + change.size / 100.0), f"{change.size:+g} %"


def log_kind(fit: SpatialFit, name: str) -> str:
    """``"log"``, ``"level"``, ``"growth"`` or ``"unclear"``: by the codebook for packaged variables, by the name for others."""
    if fit.release is not None and name in codebook().index:
        unit = str(catalogue.entry(name)["unit"]).casefold()
        if unit.startswith("log points"):
            return "growth"
        return "log" if unit.startswith("log") else "level"
    if _SURE_LOG.match(name):
        return "log"
    return "unclear" if _MAYBE_LOG.match(name) else "level"


def outcome_is_log(fit: SpatialFit) -> bool:
    """Whether the outcome is a logarithm, in the formula or in the data; an error for names that leave it open."""
    name = fit.estimate.design.outcome
    if re.match(r"(np\.)?(log|ln)\s*\(", name):
        return True
    kind = log_kind(fit, name)
    if kind == "unclear":
        raise ValueError(
            f"is the outcome {name} a logarithm? Rename it to ln_... or log_... if it is, or say so with scale="
        )
    return kind == "log"


def _labelled(name: str, change: pd.Series | pd.DataFrame, design: Design, rows: NDArray) -> NDArray:
    """Steps of the selected rows from labelled values: units, (unit, period), or units x periods."""
    n, t = len(design.units), len(design.periods)
    if isinstance(change, pd.Series) and change.index.nlevels == 2:
        change = change.unstack()
    frame = change.to_frame() if isinstance(change, pd.Series) else change
    if not frame.index.is_unique or not frame.columns.is_unique:
        raise AlignmentError(f"{name}: the labels of the change occur twice")
    known = align_units(frame.index, design.units, f"the change of {name}")
    grid = np.full((n, t), np.nan)
    for position, label in known.items():
        if isinstance(change, pd.Series):
            grid[position] = float(frame.loc[label].iloc[0])
            continue
        for j, period in enumerate(design.periods):
            if period in frame.columns:
                grid[position, j] = float(frame.loc[label, period])
    step = grid.reshape(-1)
    absent = design.cell_names(np.flatnonzero(rows & np.isnan(step)))
    if absent:
        raise AlignmentError(
            f"the change of {name} has no value for {enumerate_some(absent, 6)}; choose units and periods with where= and years=, "
            "or write the zeros out"
        )
    return step[rows]


def _check_finite(name: str, step: NDArray) -> None:
    if not np.isfinite(step).all():
        raise ValueError(f"{name}: the change has missing or infinite values")
