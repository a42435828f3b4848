"""New rows for a fit: regressors of later periods (or another cross-section) aligned with its units, and where in time they lie."""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic.errors import DataMismatchWarning
from numpy.typing import NDArray

from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.models.design import MEAN, Design, build_design
from nqpf_spatial.models.dynamic.part import lag_names
from nqpf_spatial.models.estimate import matrix
from nqpf_spatial.models.labels import enumerate_some, match
from nqpf_spatial.models.spec import ParsedFormula

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

_OUTCOME = "__none"  # stands for the outcome, which new rows need not have


@dataclass(frozen=True, eq=False)
class NewRows:
    """Regressors of new rows.

    Attributes
    ----------
    z : (k, H, N) ndarray
        Columns of the regression in the order of the fit, without time lags.
    units : tuple
        Labels as the new rows write them, in the order of the fit.
    periods : tuple
        H new periods; one None in a cross-section.
    index : Index
        Of the new rows, unit by unit.
    """

    z: NDArray
    units: tuple[Hashable, ...]
    periods: tuple[Hashable, ...]
    index: pd.Index


def new_rows(fit: SpatialFit, data: pd.DataFrame) -> NewRows:
    """Align new rows with a fit and evaluate its regressors on them.

    Raises
    ------
    AlignmentError
        Their units are not those of the fit.
    PanelError
        Missing cells, duplicated or absent rows, periods that are not after those of the fit, levels of factors that the fit has not seen.
    """
    design = fit.estimate.design
    if not isinstance(data, pd.DataFrame) or data.index.nlevels != len(design.levels):
        raise PanelError(f"data= is a DataFrame with index ({', '.join(design.levels)}), like the data of the fit")
    match(list(data.index.get_level_values(0).unique()), list(design.units), ("data=", "the fit"))
    aligned = build_design(_right_hand_side(design), data.assign(**{_OUTCOME: 0.0}), design.units)
    _check_later(design, aligned.periods)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataMismatchWarning)
        try:
            x = design.evaluate(aligned.frame)
        except DataMismatchWarning as warning:
            raise PanelError(
                f"data= has levels of a factor that the fit has not seen ({warning}); they have no coefficient. For periods use "
                "fixed time effects and time_effect="
            ) from warning
    return NewRows(_columns(fit, x), aligned.units, aligned.periods, aligned.frame_index())


def _right_hand_side(design: Design) -> ParsedFormula:
    """The formula with a stand-in for the outcome."""
    terms = [str(term) for term in design.formula.rhs]
    text = " + ".join(terms) if "1" in terms else " + ".join(["0", *terms])
    formula = Formula(f"{_OUTCOME} ~ {text}")
    variables = tuple(sorted(str(v) for v in formula.required_variables))
    return ParsedFormula(text, formula, (), variables, None, "1" in terms, tuple(design.frame.columns))


def _columns(fit: SpatialFit, x: NDArray) -> NDArray:
    """The columns of the fit on new rows: own, lagged, and unit means as the sample has them."""
    est = fit.estimate
    names = [name for name in est.design.names if not name.startswith(MEAN)]
    own = dict(zip(names, x, strict=True))
    for name in est.design.names:
        if name.startswith(MEAN):  # constant over time
            own[name] = np.broadcast_to(est.design.x[est.design.names.index(name), 0], x.shape[1:])
    columns = []
    for name in est.columns.names[: len(est.columns.names) - len(lag_names(est))]:
        if name in own:
            columns.append(own[name])
        else:
            assert est.weights.durbin is not None
            columns.append(spatial_lag(matrix(est.weights.durbin), np.asarray(own[name.removeprefix("W:")])))
    return np.stack(columns) if columns else np.empty((0, *x.shape[1:]))


def _check_later(design: Design, periods: tuple[Hashable, ...]) -> None:
    if len(design.levels) == 1:
        return
    last = design.periods[-1]
    early = [p for p in periods if not p > last]  # type: ignore[operator]
    if early:
        raise PanelError(
            f"data= has periods that are not after the last one of the fit ({last}): {enumerate_some(early)}. For changes within "
            "the sample see fit.counterfactual(...)"
        )


def positions(design: Design, periods: tuple[Hashable, ...]) -> tuple[NDArray, NDArray]:
    """Positions in time of the T periods of the fit (0, 1, ...) and of the new ones, in steps of the panel.

    Raises
    ------
    PanelError
        Labels without distances (text), or panels with unequal gaps.
    """
    labels = [*design.periods, *periods]
    t = len(design.periods)
    if all(isinstance(p, (int, np.integer, float)) for p in labels):
        values = np.array(labels, dtype=float)
    elif all(isinstance(p, pd.Period) for p in labels):
        values = np.array([p.ordinal for p in labels], dtype=float)  # type: ignore[attr-defined]
    elif all(isinstance(p, pd.Timestamp) for p in labels) and pd.infer_freq(pd.DatetimeIndex(labels)) is not None:
        values = np.arange(len(labels), dtype=float)
    else:
        raise PanelError(
            f"the distance in time from {design.periods[-1]!r} to {periods[-1]!r} is not known; use whole numbers (years), pandas "
            "periods or dates of one frequency in the second level of the index"
        )
    gaps = np.diff(values[:t])
    if t > 1 and not np.allclose(gaps, gaps[0]):
        raise PanelError("the periods of the fit have unequal gaps, so that there is no step in time")
    found = (values - values[0]) / (gaps[0] if t > 1 else 1.0)
    return found[:t], found[t:]


def check_consecutive(design: Design, periods: tuple[Hashable, ...]) -> None:
    """Paths with time lags need every period from the first one after the sample on."""
    position = positions(design, periods)[1]
    if not np.allclose(position, np.arange(len(position)) + len(design.periods)):
        raise PanelError(
            f"a fit with time lags is continued period by period from {design.periods[-1]}; data= has "
            f"{enumerate_some(list(periods))}: give every period"
        )
