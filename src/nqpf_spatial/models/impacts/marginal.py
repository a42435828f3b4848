"""Which rows an impact table has, and the derivatives of columns with respect to the variables behind them.

A square or an interaction has no effect of its own: the effect is that of the variable. Where a variable
enters through several columns, its columns are replaced by one row, the average marginal effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.models.design import Design


@dataclass(frozen=True)
class Row:
    """One row of the impact table.

    Attributes
    ----------
    name : str
        Column name, or variable name.
    columns : tuple of str
        Columns it works through.
    derivative : (C, N) or (C, n) ndarray or None
        Derivatives averaged over periods, or of the n observed cells of sub-networks; None when the row is one column and the
        derivative is one.
    by_period : (C, T, N) ndarray or None
        Derivatives of every period.
    """

    name: str
    columns: tuple[str, ...]
    derivative: NDArray | None
    by_period: NDArray | None = None


def rows(design: Design, terms: list[str], variables: list[str] | None) -> list[Row]:
    """Rows of the impact table for the regressor columns `terms`.

    Parameters
    ----------
    variables : list of str or None
        Variables whose average marginal effect is wanted whatever the form they enter in, for instance x of log(x).
    """
    used = columns_of_variables(design)
    unknown = [v for v in variables or [] if v not in used]
    if unknown:
        raise ValueError(f"of={unknown} are no variables of the formula; it uses {', '.join(used)}")
    wanted = {v for v, columns in used.items() if v in (variables or []) or _needs_row(design, v, columns, terms)}
    covered: set[str] = set()
    while True:  # a column that is replaced must be replaced for every variable in it
        covered = {c for v in wanted for c in used[v]}
        more = {v for v, columns in used.items() if covered & set(columns)} - wanted
        if not more:
            break
        wanted |= more
    found: list[Row] = []
    for term in terms:
        if term not in covered:
            found.append(Row(term, (term,), None))
            continue
        for v in used:
            if v in wanted and term in used[v]:
                found += [r for r in _variable_rows(design, v, used[v]) if r.name not in {f.name for f in found}]
    return found


def columns_of_variables(design: Design) -> dict[str, tuple[str, ...]]:
    """Columns of the design matrix that each variable of the right-hand side enters."""
    bare = [name for name in design.names if name != "Intercept"]
    if all(name in design.frame.columns for name in bare):  # nothing is transformed: no need to evaluate the formula
        return {name: (name,) for name in bare}
    spec = design._spec()
    used: dict[str, list[str]] = {}
    for term, columns in spec.term_indices.items():
        names = [spec.column_names[i] for i in columns if spec.column_names[i] in design.names]
        for variable in sorted(str(v) for v in spec.term_variables[term]):
            if variable in design.frame.columns:
                used.setdefault(variable, []).extend(names)
    return {v: tuple(dict.fromkeys(c)) for v, c in used.items()}


def is_factor(design: Design, variable: str) -> bool:
    """Whether a variable is text or enters as ``C(variable)``."""
    text = not pd.api.types.is_numeric_dtype(design.frame[variable])
    return text or any(name.startswith(f"C({variable}") for name in design.names)


def _needs_row(design: Design, variable: str, columns: tuple[str, ...], terms: list[str]) -> bool:
    """Several columns, unless they are the dummies of a factor without interactions: those are contrasts already."""
    if is_factor(design, variable) and not any(":" in c for c in columns):
        return False
    return len([c for c in columns if c in terms]) > 1


def _variable_rows(design: Design, variable: str, columns: tuple[str, ...]) -> list[Row]:
    positions = [design.names.index(c) for c in columns]
    if not is_factor(design, variable):
        change = _slope(design, variable)[positions]
        return [Row(variable, columns, _averaged(design, change), change)]
    levels = sorted(design.frame[variable].unique())
    base = design.evaluate(design.frame.assign(**{variable: levels[0]}))
    found = []
    for level in levels[1:]:
        change = (design.evaluate(design.frame.assign(**{variable: level})) - base)[positions]
        found.append(Row(f"{variable}: {level} - {levels[0]}", columns, _averaged(design, change), change))
    return found


def _averaged(design: Design, change: NDArray) -> NDArray:
    """(C, N) means over periods; cell by cell (C, n) where the network changes from period to period."""
    return change.mean(axis=1) if design.observed is None or design.integrated else change[:, design.observed]


def _slope(design: Design, variable: str) -> NDArray:
    """(K, T, N) derivative of every column by central differences; exact for polynomials up to the second degree."""
    values = design.frame[variable].astype(float)
    step = 1e-5 * np.maximum(values.abs(), float(values.abs().mean()) or 1.0) * 0.1
    up = design.evaluate(design.frame.assign(**{variable: values + step}))
    down = design.evaluate(design.frame.assign(**{variable: values - step}))
    return (up - down) / (2.0 * design.grid(step.to_numpy()))
