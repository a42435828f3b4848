"""From a labelled frame and labelled weights to arrays in one canonical order; every defect is an error here."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula, ModelSpec
from formulaic.errors import FactorEvaluationError
from numpy.typing import NDArray
from scipy.sparse import csgraph, csr_array

from nqpf_spatial import provinces
from nqpf_spatial.errors import PanelError
from nqpf_spatial.models.labels import canonical, complete_window, enumerate_some, kind_hint, match
from nqpf_spatial.models.missing.choices import Dropped, Missing, Selection, cell_name, select
from nqpf_spatial.models.spec import ParsedFormula, check_functions, effect_flags

_TIMES = ("year", "yr", "time", "date", "period", "quarter", "month", "年份", "年")

#: prefix of the unit means that the Mundlak form appends to the regressors
MEAN = "mean:"


@dataclass(frozen=True, eq=False)
class Design:
    """Arrays behind a fit.

    Attributes
    ----------
    y : (T, N) ndarray
    x : (K, T, N) ndarray
        Own regressors; the intercept is left out when any fixed effect absorbs it.
    names : tuple of str
        Names of the K columns.
    units, periods : tuple
        Labels of the N units, as the panel writes them, and of the T periods (one None in a cross-section).
    levels : tuple of str
        Names of the index levels.
    unit, time : bool
        Which fixed effects.
    frame : DataFrame
        The variables of the formula in canonical order, for marginal effects of transformed variables.
    formula : Formula
    lag_only : tuple of str
        Columns that enter with their spatial lag only.
    observed : (T, N) bool ndarray or None
        Cells that are there; the arrays are NaN elsewhere. None if all are.
    dropped : Dropped
        What ``missing=`` left out.
    """

    y: NDArray
    x: NDArray
    names: tuple[str, ...]
    outcome: str
    units: tuple[Hashable, ...]
    periods: tuple[Hashable, ...]
    levels: tuple[str, ...]
    unit: bool
    time: bool
    frame: pd.DataFrame
    formula: Formula
    lag_only: tuple[str, ...] = ()
    observed: NDArray | None = None
    dropped: Dropped = field(default_factory=Dropped)

    @property
    def nobs(self) -> int:
        """Observed cells."""
        return int(self.y.size if self.observed is None else self.observed.sum())

    @property
    def integrated(self) -> bool:
        """Whether missing outcomes are integrated out, so that the regressors are there in every cell."""
        return self.observed is not None and self.dropped.asked.choice == "marginalise"

    @property
    def effects_rank(self) -> int:
        """Rank of the dummies of the fixed effects."""
        t, n = self.shape
        if not (self.unit and self.time):
            return n * self.unit + t * self.time
        seen = np.ones((t, n), dtype=bool) if self.observed is None else self.observed
        links = csr_array(np.block([[np.zeros((n, n)), seen.T], [seen, np.zeros((t, t))]]))
        return int(n + t - csgraph.connected_components(links, directed=False)[0])

    @property
    def shape(self) -> tuple[int, int]:
        """(T, N)."""
        return self.y.shape  # type: ignore[return-value]

    def frame_index(self) -> pd.Index:
        """Index of the observations in canonical order: unit by unit, period by period."""
        if len(self.levels) == 1:
            return pd.Index(self.units, name=self.levels[0])
        return pd.MultiIndex.from_product([self.units, self.periods], names=self.levels)

    def cell_names(self, positions: NDArray) -> list[str]:
        """Names of observations by their positions in canonical order, for messages."""
        cells = _Cells(self.units, self.periods)
        return [cells.name(int(p)) for p in positions]

    def series(self, values: NDArray, name: str) -> pd.Series:
        """(T, N) values of the observed cells as a labelled Series."""
        whole = pd.Series(values.T.ravel(), index=self.frame_index(), name=name)
        return whole if self.observed is None else whole[self.observed.T.ravel()]

    def grid(self, values: NDArray) -> NDArray:
        """(..., T, N) from values (R, ...), unit by unit; of the rows of `frame`, or of as many whole periods as there are.

        NaN where a cell has no row.
        """
        n, whole = self.shape[1], values
        if self.observed is not None and values.shape[0] == self.observed.sum():
            whole = np.full((self.observed.size, *values.shape[1:]), np.nan)
            whole[self.observed.T.ravel()] = values
        return np.moveaxis(whole.reshape(n, whole.shape[0] // n, *values.shape[1:]), (0, 1), (-1, -2))

    def evaluate(self, frame: pd.DataFrame) -> NDArray:
        """Regressor columns (K, T, N) of the same formula, with the same factor coding, on another frame of the same units."""
        right = self._spec().get_model_matrix(frame, na_action="ignore", output="pandas")
        names = [name for name in self.names if not name.startswith(MEAN)]
        return self.grid(right[names].to_numpy(dtype=float))

    def _spec(self) -> ModelSpec:
        return self.formula.rhs.get_model_matrix(self.frame, na_action="ignore", output="pandas").model_spec

    def checksum(self) -> str:
        """SHA-256 of the arrays: the same data give the same digest whatever their order was."""
        digest = hashlib.sha256()
        for array in (self.y, self.x):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def build_design(
    parsed: ParsedFormula,
    data: pd.DataFrame,
    ids: tuple[Hashable, ...] | None,
    years: tuple[object, object] | None = None,
    missing: Missing | None = None,
) -> Design:
    """Align, check and reshape.

    Parameters
    ----------
    parsed : ParsedFormula
    data : DataFrame
        Index (unit, period) for a panel, (unit) for a cross-section.
    ids : tuple or None
        Units of W in its canonical order; None without W.
    years : (first, last), optional
        Periods to keep, both ends included.
    missing : Missing, optional
        What to do about missing cells; an error that names them by default.
    """
    levels = _levels(data)
    unit, time = effect_flags(parsed.effects, levels, data.columns)
    if len(levels) == 2:
        _check_level_order(data.index, ids, levels)
    columns = _needed_columns(data, parsed, levels)
    index = _in_time(data.index)
    if years is not None:
        kept = _select_periods(index, years, levels)
        index, columns = index[kept], {name: values[kept] for name, values in columns.items()}
    cell, units, periods = _coded(index, ids, levels)
    if missing is None or missing.choice == "raise":
        _check_absent(cell, _Cells(units, periods))
        picked = Selection(np.argsort(cell, kind="stable"), units, periods, None, Dropped())
    else:
        outcomes = {str(v) for v in parsed.formula.lhs.required_variables}
        picked = select(cell, columns, outcomes, (units, periods), missing)
    # a plain index from here on: rows are known by their position
    frame = pd.DataFrame({name: values[picked.rows] for name, values in columns.items()})
    outcome, target, columns_x, matrix = _evaluate(parsed, frame)
    cells = _Cells(units, periods, None if missing is None or missing.choice == "raise" else cell[picked.rows])
    seen = None if picked.observed is None else picked.observed.T.ravel()
    if cells.at is None:  # outcome and regressors at once: a window must suit them all
        _check_finite(np.column_stack((target, matrix)), (outcome, *columns_x), cells)
    _check_finite(target[:, None], (outcome,), cells, seen if seen is not None and seen.size == target.size else None)
    _check_finite(matrix, columns_x, cells)
    shown = [k for k, name in enumerate(columns_x) if not ((unit or time) and name == "Intercept")]
    names = tuple(columns_x[k] for k in shown)
    clash = [name for name in names if name.startswith(("W:", MEAN)) or name in ("rho", "lambda", "sigma2")]
    if clash:
        raise PanelError(
            f"regressors named {enumerate_some(clash)} read like parameters of the model; rename the variables"
        )
    empty = np.empty((len(picked.periods), len(picked.units)))
    design = Design(
        empty, empty[None], names, outcome, picked.units, picked.periods, levels, unit, time, frame, parsed.formula,
        observed=picked.observed, dropped=picked.dropped,
    )  # fmt: skip
    y, x = (np.ascontiguousarray(design.grid(values)) for values in (target, matrix[:, shown]))
    return replace(design, y=y, x=x)


def _levels(data: pd.DataFrame) -> tuple[str, ...]:
    if not isinstance(data, pd.DataFrame):
        raise PanelError(f"data must be a DataFrame with index (unit, period) or (unit), not {type(data).__name__}")
    if data.index.nlevels > 2:
        raise PanelError(
            f"the index has {data.index.nlevels} levels; use (unit, period), or (unit) for a cross-section"
        )
    default = ("unit", "period")
    if data.index.nlevels == 2 and data.index.names[0] is not None and data.index.names[0] == data.index.names[1]:
        raise PanelError(
            f"both levels of the index are named {data.index.names[0]!r}: name them apart, data.index.names = [...]"
        )
    return tuple(str(name) if name is not None else default[i] for i, name in enumerate(data.index.names))


def _needed_columns(data: pd.DataFrame, parsed: ParsedFormula, levels: tuple[str, ...]) -> dict[str, Any]:
    """Arrays of the variables of the formula; the levels of the index count as variables too."""
    repeated = () if data.columns.is_unique else set(data.columns[data.columns.duplicated()])
    clash = [v for v in parsed.variables if v in repeated]
    if clash:
        raise PanelError(f"columns occur twice in the data: {enumerate_some(clash)}")
    unknown = [v for v in parsed.variables if v not in data.columns and v not in levels]
    if unknown:
        check_functions(unknown, parsed.text)
        near = {v: difflib.get_close_matches(v, map(str, data.columns), n=3) for v in unknown}
        hint = "; ".join(f"{v!r}" + (f" (nearest: {', '.join(n)})" if n else "") for v, n in near.items())
        raise PanelError(f"the data have no column {hint}. nq.data.codebook() lists the packaged variables")
    more = [w for w in parsed.words if w in data.columns and w not in parsed.variables and w not in levels]
    return {
        v: (data[v] if v in data.columns else data.index.get_level_values(levels.index(v))).array
        for v in (*parsed.variables, *more)
    }


def _in_time(index: pd.Index) -> pd.Index:
    """The index with a categorical level of periods as what its categories are.

    The order of categories is that in which a file or a conversion met them: numbers and dates have an order of their own, and text too
    unless somebody has said that the categories are ordered.
    """
    if index.nlevels < 2 or not isinstance(period := index.get_level_values(1), pd.CategoricalIndex):
        return index
    kind = period.categories.dtype
    if period.ordered and pd.api.types.is_string_dtype(kind):
        return index
    return pd.MultiIndex.from_arrays([index.get_level_values(0), period.astype(kind)], names=index.names)


def _select_periods(index: pd.Index, years: tuple[object, object], levels: tuple[str, ...]) -> NDArray:
    if len(levels) == 1:
        raise PanelError("years= needs a panel with index (unit, period); the data are a cross-section")
    if not isinstance(years, (tuple, list)) or len(years) != 2:
        raise ValueError(f"years={years!r}: give (first, last), for instance years=(2012, 2024)")
    period = index.get_level_values(1)
    # text such as "2004" is in an index of dates if any date of that year is, but compares as its first day
    dates = isinstance(period, pd.DatetimeIndex)
    absent = [edge for edge in years if edge not in period or (dates and isinstance(edge, str))]
    if absent:
        raise PanelError(
            f"years={tuple(years)}: the data have no {enumerate_some(absent)}; they run from {period.min()} to "
            f"{period.max()}{kind_hint(absent[0], period, levels[1])}"
        )
    first, last = years
    words = isinstance(period, pd.CategoricalIndex)  # in an order of their own
    if np.greater(*period.categories.get_indexer([first, last])) if words else first > last:  # type: ignore[operator]
        raise PanelError(f"years={tuple(years)}: the first is after the last; write years=({last}, {first})")
    return np.asarray((period >= first) & (period <= last))


def _coded(
    index: pd.Index, ids: tuple[Hashable, ...] | None, levels: tuple[str, ...]
) -> tuple[NDArray, tuple[Hashable, ...], tuple[Hashable, ...]]:
    """Cell of every row, numbered unit by unit, period by period in canonical order; duplicates are errors."""
    if not len(index):
        raise PanelError("the data have no rows")
    of_rows = index.get_level_values(0)
    if isinstance(of_rows, pd.CategoricalIndex):  # categories without rows have no position
        of_rows = of_rows.remove_unused_categories()
    labels = of_rows.unique()
    if labels.hasnans:
        raise PanelError(f"the index level {levels[0]!r} has missing labels")
    order = canonical(list(labels)) if ids is None else list(ids)
    position = match(list(labels), order)
    units = tuple(sorted(labels, key=position.__getitem__))
    unit_code = of_rows.map(position).to_numpy()
    if len(levels) == 1:
        periods: tuple[Hashable, ...] = (None,)
        period_code = np.zeros(len(index), dtype=int)
    else:
        times = index.get_level_values(1).unique().sort_values()
        if times.hasnans:
            raise PanelError(f"the index level {levels[1]!r} has missing labels")
        periods = tuple(times.tolist())
        period_code = times.get_indexer(index.get_level_values(1))
    cell = unit_code * len(periods) + period_code
    twice = np.flatnonzero(np.bincount(cell) > 1)
    if twice.size:
        named = enumerate_some([_Cells(units, periods).name(int(c)) for c in twice])
        raise PanelError(f"rows occur more than once: {named}. Keep one row per cell")
    return cell, units, periods


def _check_level_order(index: pd.Index, ids: tuple[Hashable, ...] | None, levels: tuple[str, ...]) -> None:
    """(period, unit) instead of (unit, period) would cluster and demean over the wrong thing."""
    first, second = (index.get_level_values(k).unique() for k in (0, 1))
    units = ids is not None and set(second) == set(ids) != set(first)
    named = levels[0].lower() in _TIMES and levels[1].lower() not in _TIMES
    provincial = all(map(provinces.is_province, second)) and not all(map(provinces.is_province, first))
    if units or named or (provincial and not pd.api.types.is_numeric_dtype(second)):
        raise PanelError(
            f"the index levels are in the order ({', '.join(levels)}); use data.swaplevel() for (unit, period)"
        )


@dataclass(frozen=True)
class _Cells:
    """Names of observations by their position, for messages; `at` are the cells of the rows where not all have one."""

    units: tuple[Hashable, ...]
    periods: tuple[Hashable, ...]
    at: NDArray | None = None

    def name(self, position: int) -> str:
        t = len(self.periods)
        cell = position if self.at is None else int(self.at[position])
        return cell_name(self.units[cell // t], self.periods[cell % t])


def _check_absent(cell: NDArray, cells: _Cells) -> None:
    absent = np.setdiff1d(np.arange(len(cells.units) * len(cells.periods)), cell)
    if absent.size:
        raise PanelError(
            f"the panel is not balanced, these rows are absent: {enumerate_some([cells.name(int(p)) for p in absent])}. "
            'Choose another window with years=, or say what is to be done: nq.fit takes missing="drop_units", '
            '"drop_years" or "subnetwork"'
        )


def _evaluate(parsed: ParsedFormula, frame: pd.DataFrame) -> tuple[str, NDArray, tuple[str, ...], NDArray]:
    """Name and values of the outcome, names and (rows, K) values of the regressors, on ordered rows."""
    formula = parsed.formula
    text = [c for c in frame.columns if not _is_real(frame[c])]
    _check_numeric(formula, frame, text)
    if parsed.plain is not None:
        outcome, *names = parsed.plain
        columns = [frame[name].to_numpy(dtype=float) for name in names]
        if parsed.intercept:
            names, columns = ["Intercept", *names], [np.ones(len(frame)), *columns]
        matrix = np.column_stack(columns) if columns else np.empty((len(frame), 0))
        return outcome, frame[outcome].to_numpy(dtype=float), tuple(names), matrix
    try:
        # NaN must survive: dropping rows silently would break the panel, so they are found and named afterwards
        with np.errstate(all="ignore"):  # log of zero and the like: the cells are named below
            matrices = formula.get_model_matrix(frame, na_action="ignore", output="pandas")
    except FactorEvaluationError as error:
        raise PanelError(f"the formula cannot be evaluated on the data: {error}") from error
    left, right = matrices.lhs, matrices.rhs
    if left.shape[1] != 1:
        raise PanelError(f"the outcome has {left.shape[1]} columns; it must be one numeric variable")
    target = left.to_numpy(dtype=float)[:, 0]
    return str(left.columns[0]), target, tuple(map(str, right.columns)), right.to_numpy(dtype=float)


def _is_real(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_complex_dtype(values)


def _check_numeric(formula: Formula, frame: pd.DataFrame, text: list[str]) -> None:
    """Text columns are welcome as factors, C(name), but not where a number is meant."""
    bare = {str(term) for side in (formula.lhs, formula.rhs) for term in side}
    bad = [c for c in text if c in bare]
    if bad:
        kinds = ", ".join(f"{c!r} ({frame[c].dtype}, for instance {frame[c].iloc[0]!r})" for c in bad)
        raise PanelError(f"not numeric: {kinds}. Convert with pd.to_numeric, or write C({bad[0]}) for a factor")


def _check_finite(values: NDArray, names: tuple[str, ...], cells: _Cells, observed: NDArray | None = None) -> None:
    """Every value finite; those that `observed` says are not there need not be."""
    wrong = ~np.isfinite(values)
    if observed is not None:
        wrong &= observed[:, None]
    if not wrong.any():
        return
    bad = [f"{names[c]} {cells.name(int(r))}" for c, r in zip(*np.nonzero(wrong.T), strict=True)]
    if cells.at is not None:
        raise PanelError(
            f"the formula makes infinite or undefined values of data that are there, in {len(bad)} cells: "
            f"{enumerate_some(bad)}. missing= is about cells without data: change the formula or the data"
        )
    window = complete_window(wrong.any(axis=1).reshape(len(cells.units), len(cells.periods)), cells.periods)
    raise PanelError(
        f"missing or infinite values in {len(bad)} cells: {enumerate_some(bad)}. Nothing is filled or dropped unasked: "
        f"choose another window with years={window}, other variables, or say what is to be done: nq.fit takes "
        'missing="drop_units", "drop_years" or "subnetwork"'
    )
