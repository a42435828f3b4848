"""A model under every combination of choices: `nq.sweep`."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nqpf_spatial.models import parallel
from nqpf_spatial.models.dynamic.impacts import DynamicImpacts
from nqpf_spatial.models.fit import fit as fit_model
from nqpf_spatial.models.impacts.inference import EFFECTS, STATISTICS
from nqpf_spatial.models.results import SpatialFit, check_alpha
from nqpf_spatial.models.sweep.choices import Grid, Specification, build_grid, without
from nqpf_spatial.models.sweep.result import Sweep
from nqpf_spatial.weights.core import SpatialWeights

#: what a specification may fail with; anything else is a defect of the program and stops the sweep
FAILURES = (ValueError, RuntimeError, ArithmeticError)
_FIXED = ("formula", "data", "w", "model", "years", "correction", "vcov")


@dataclass(frozen=True)
class _Task:
    """Specifications that differ in their covariance only: one estimation."""

    specs: tuple[Specification, ...]
    data: pd.DataFrame
    w: SpatialWeights | None
    dropped: tuple[Hashable, ...]
    vcovs: Mapping[str, tuple[str, Mapping[str, Any]]]
    options: Mapping[str, Any]
    alpha: float


@dataclass(frozen=True)
class _Answer:
    """Rows of one specification, or why there are none."""

    number: int
    rows: list[dict[str, Any]]
    message: str
    warnings: tuple[tuple[str, str], ...]


def sweep(
    formula: str,
    data: pd.DataFrame,
    weights: SpatialWeights | Sequence[SpatialWeights] | Mapping[str, SpatialWeights] | None = None,
    models: Sequence[str] | str = ("SDM",),
    *,
    years: Sequence[Any] | None = None,
    outcomes: Sequence[str] = (),
    swap: Mapping[str, Sequence[str]] | None = None,
    add: Sequence[str] = (),
    fixed: Sequence[str] = (),
    drop: str | Sequence[Any] | Mapping[str, Any] = (),
    corrections: Sequence[str] | str = ("transform",),
    vcov: str | Sequence[str] | Mapping[str, Any] = ("observed",),
    alpha: float = 0.05,
    n_jobs: int | None = None,
    progress: bool | None = None,
    **options: Any,
) -> Sweep:
    """Estimate a model under every combination of choices (specification curve, multiverse).

    Parameters
    ----------
    formula : str
        As in `nqpf_spatial.fit`; with the first value of every choice it is the base, specification 0.
    data : DataFrame
    weights : SpatialWeights, sequence or mapping of names, optional
    models : sequence of str
    years : (first, last) or sequence of them, optional
        Windows; None among them stands for all periods.
    outcomes : sequence of str
        Outcomes beside that of the formula.
    swap : mapping, optional
        Regressor -> variables that take its place. Rows of the table keep the name of the regressor.
    add : sequence of str
        More terms, such as ``"x3 + x4"``, each tried beside the formula as it is.
    fixed : sequence of str
        Fixed effects beside those of the formula: ``"province"``, ``""`` for none.
    drop : "each", sequence of units, or mapping of names to units
        What is left out in turn, beside nothing. W is cut to the units that stay and standardised anew in its own way.
    corrections, vcov
        As in `fit`; a mapping of names to (kind, options) gives covariances with options,
        ``{"DK 2": ("driscoll-kraay", {"lags": 2})}``.
    alpha : float
        1 - level of the intervals, and level of significance in `Sweep.summary`.
    n_jobs : int, optional
        As in joblib; None follows ``joblib.parallel_config``, one job otherwise. The result does not depend on it.
    progress : bool, optional
        Progress bar; by default in terminals only.
    **options
        Other arguments of `fit`, the same for all: ``durbin``, ``effects``, ``dynamic``, ...

    Returns
    -------
    Sweep
        ``table`` with one row per specification, term and effect; ``summary()``, ``plot()``, ``failures``, ``refit(number)``.

    Raises
    ------
    ValueError
        Choices that no specification could use: unknown models, names, units, options; or every specification failed.

    Notes
    -----
    A specification that cannot be estimated is a row with the message of its error. Models without spatial terms have no W, and
    formulas without effects nothing to correct: they occur once, under "none" and "not needed". Order of the specifications:
    outcome, swap, add, fixed, drop, years, model, W, correction, covariance, the last changing fastest. Every fit runs with one
    thread for linear algebra, so that the bits do not depend on `n_jobs` or the backend.

    References
    ----------
    Simonsohn, U., J. P. Simmons and L. D. Nelson (2020). Specification curve analysis. Nature Human Behaviour 4, 1208-1214.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w, other = nq.weights.contiguity(), nq.weights.knn(k=4)
    >>> data = nq.simulate("SDM", w, T=6, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=1)
    >>> found = nq.sweep("y ~ x | unit + period", data, [w, other], ["SAR", "SDM", "OLS"])
    >>> len(found.specifications), float(found.summary().loc[("x", "direct"), "positive"])
    (5, 1.0)
    """
    check_alpha(alpha)
    clash = [name for name in options if name in _FIXED]
    if clash:
        raise ValueError(f"{', '.join(clash)} is a choice of the sweep: see its own argument")
    grid = build_grid(formula, data, weights, models, years, outcomes, swap, add, fixed, drop, corrections, vcov)
    slim = _slim(data, grid, options)
    specs = grid.specifications()
    answers = parallel.run(_work, _tasks(specs, slim, grid, options, alpha), n_jobs, progress, "sweep")
    found = sorted((answer for part in answers for answer in part), key=lambda answer: answer.number)
    if all(answer.message for answer in found):
        raise ValueError(f"all {len(found)} specifications failed; the first with: {found[0].message}")
    table = _table(specs, found, list(grid.swaps))
    return Sweep(table, formula, alpha, "release" in data.attrs, tuple(specs), _Refit(slim, grid, dict(options)))


@dataclass(frozen=True, eq=False)
class _Refit:
    """What estimates a specification again."""

    data: pd.DataFrame
    grid: Grid
    options: Mapping[str, Any]

    def __call__(self, spec: Specification) -> SpatialFit:
        w = self.grid.weights.get(spec.w)
        task = _Task((spec,), self.data, w, self.grid.drop[spec.drop], self.grid.vcovs, self.options, 0.05)
        kind, options = self.grid.vcovs[spec.vcov]
        return _estimate(task).with_vcov(kind, **options)


def _slim(data: pd.DataFrame, grid: Grid, options: Mapping[str, Any]) -> pd.DataFrame:
    """The columns that matter: other processes get no more."""
    words = grid.variables(options)
    slim = data[[c for c in data.columns if c in words or not str(c).isidentifier()]].copy()
    slim.attrs = {key: value for key, value in data.attrs.items() if key == "release"}
    return slim


def _tasks(
    specs: Sequence[Specification], data: pd.DataFrame, grid: Grid, options: Mapping[str, Any], alpha: float
) -> list[_Task]:
    groups: dict[tuple[Any, ...], list[Specification]] = {}
    for spec in specs:
        key = tuple(value for name, value in spec.shown.items() if name != "vcov")
        groups.setdefault(key, []).append(spec)
    return [
        _Task(
            tuple(group), data, grid.weights.get(group[0].w), grid.drop[group[0].drop], grid.vcovs, options, alpha
        )
        for group in groups.values()
    ]  # fmt: skip


def _estimate(task: _Task) -> SpatialFit:
    """The fit of a task, with the default covariance."""
    spec, data, w = task.specs[0], task.data, task.w
    units = data.index.get_level_values(0)
    if task.dropped:
        if w is not None:
            w = without(w, list(units.unique()), task.dropped)
        data = data[~units.isin(task.dropped)]
    options = dict(task.options)
    if options.get("durbin") is not None and not isinstance(options["durbin"], str):
        taken = {slot: variable for variable, slot in spec.slots.items()}
        options["durbin"] = [taken.get(name, name) for name in options["durbin"]]
    if spec.correction != "not needed":
        options["correction"] = spec.correction
    return fit_model(spec.formula, data, w, model=spec.model, years=spec.years, **options)


def _work(task: _Task) -> list[_Answer]:
    """Estimate once, then every covariance; one answer per specification."""
    with parallel.collected() as told:
        try:
            fit = _estimate(task)
        except FAILURES as error:
            message = f"{type(error).__name__}: {error}"
            return [_Answer(spec.number, [], message, tuple(told)) for spec in task.specs]
    return [_with_vcov(task, spec, fit, told) for spec in task.specs]


def _with_vcov(task: _Task, spec: Specification, fit: SpatialFit, told: list[tuple[str, str]]) -> _Answer:
    kind, options = task.vcovs[spec.vcov]
    with parallel.collected() as more:
        try:
            rows = _rows(fit.with_vcov(kind, **options), spec, task.alpha)
        except FAILURES as error:
            return _Answer(spec.number, [], f"{type(error).__name__}: {error}", (*told, *more))
    return _Answer(spec.number, rows, "", tuple(dict.fromkeys([*told, *more])))


def _rows(fit: SpatialFit, spec: Specification, alpha: float) -> list[dict[str, Any]]:
    """One row per term and effect."""
    found = fit.impacts(alpha=alpha)
    parts = {"": found.table}
    if isinstance(found, DynamicImpacts):
        parts = {f"{run} ": found.runs.loc[run] for run in found.runs.index.unique("run")}
    facts = {
        "rho": np.nan if fit.rho is None else fit.rho,
        "lambda": np.nan if fit.lambda_ is None else fit.lambda_,
        "nobs": fit.nobs,
        "n": fit.n_effective,
        "llf": fit.llf,
    }
    rows = []
    for run, table in parts.items():
        values = table.to_numpy().reshape(len(table), len(EFFECTS), len(STATISTICS))  # the one layout of impacts
        for i, term in enumerate(table.index):
            for j, effect in enumerate(EFFECTS):
                numbers = dict(zip(STATISTICS, map(float, values[i, j]), strict=True))
                rows.append({"term": _slot(str(term), spec.slots), "effect": run + effect, **numbers, **facts})
    return rows


def _slot(term: str, slots: Mapping[str, str]) -> str:
    """A term under the name of the regressor its variable stands for."""
    return re.sub(r"[^\W\d]\w*", lambda found: slots.get(found[0], found[0]), term)


def _table(specs: Sequence[Specification], answers: Sequence[_Answer], swaps: Sequence[str]) -> pd.DataFrame:
    """All rows in the order of the specifications; one that failed has one row without numbers."""
    rows = []
    for spec, answer in zip(specs, answers, strict=True):
        warned = "; ".join(f"{category}: {text}" for category, text in answer.warnings)
        shown = {"spec": spec.number, **{f"swap: {k}" if k in swaps else k: v for k, v in spec.shown.items()}}
        for row in answer.rows or [{"term": "", "effect": ""}]:
            rows.append({**shown, **row, "message": answer.message, "warning": warned})
    numbers = [*STATISTICS, "rho", "lambda", "nobs", "n", "llf"]
    heads = list(dict.fromkeys([*rows[0], "term", "effect", *numbers]))
    heads = [h for h in heads if h not in ("term", "effect", *numbers, "message", "warning")]
    frame = pd.DataFrame(rows, columns=[*heads, "term", "effect", *numbers, "message", "warning"])
    return frame.astype(dict.fromkeys(numbers, float))
