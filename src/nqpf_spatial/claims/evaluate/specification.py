"""One run of the spatial Durbin model of R-MECH: what it is made of, its fit, its stated effects."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nqpf_spatial import errors
from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.series import PATCHES

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.weights import SpatialWeights

EFFECTS = ("direct", "indirect", "total")
#: replicates of the parametric bootstrap behind the sd of rho; the register fixes the threshold only
REPLICATES = 999


@dataclass(frozen=True, slots=True)
class Specification:
    """A run of the model.

    Attributes
    ----------
    focus : str
        Regressor whose effects the claim states.
    years : tuple of int
        Years of the rows, in order; they need not be consecutive in a static model.
    w : str
        Id of the weight matrix in the register.
    drop : tuple of str
        Provinces left out; W is subset to the others and row-standardised again.
    lag : int
        Years by which every regressor is lagged.
    patches : tuple of str
        Replaced columns, by name in :data:`nqpf_spatial.claims.evaluate.series.PATCHES`.
    """

    outcome: str
    regressors: tuple[str, ...]
    focus: str
    years: tuple[int, ...]
    w: str
    drop: tuple[str, ...] = ()
    lag: int = 0
    correction: str = "transform"
    patches: tuple[str, ...] = ()

    @property
    def formula(self) -> str:
        """Formula of the fit."""
        return f"{self.outcome} ~ {' + '.join(self.regressors)} | province + year"


@dataclass(frozen=True, slots=True)
class Effect:
    """Direct, indirect or total effect of the focus: by draws, with its checks beside it."""

    estimate: float
    se: float
    z: float
    p: float
    lower: float
    upper: float
    se_delta: float
    p_delta: float
    se_cluster: float
    p_cluster: float


@dataclass(frozen=True, slots=True)
class Run:
    """A fitted specification, reduced to what a verdict needs."""

    specification: Specification
    effects: Mapping[str, Effect]
    rho: float
    sd_rho: float
    n: int
    provinces: int
    checksum: str
    notes: tuple[str, ...]
    impacts: pd.DataFrame


def columns(ctx: Context, spec: Specification) -> pd.DataFrame:
    """Return the panel with the replaced columns of the specification.

    Parameters
    ----------
    ctx : Context
    spec : Specification

    Returns
    -------
    DataFrame
        Index (province, year), every column of the formula.
    """
    panel = ctx.panel
    replaced: dict[str, pd.Series] = {}
    for patch in spec.patches:
        replaced.update(PATCHES[patch](panel))
    names = (spec.outcome, *spec.regressors)
    return panel.assign(**replaced)[list(names)]


def data_of(ctx: Context, spec: Specification) -> pd.DataFrame:
    """Return the rows of a specification: its years and provinces, regressors lagged by label.

    A missing cell stays missing, so that the fit refuses it by name.
    """
    frame = columns(ctx, spec)
    if spec.lag:
        moved = frame[list(spec.regressors)].rename(lambda year: year + spec.lag, level="year")
        frame = frame[[spec.outcome]].join(moved, how="left")
    province, year = (frame.index.get_level_values(level) for level in ("province", "year"))
    rows = frame.loc[year.isin(spec.years) & ~province.isin(spec.drop)]
    rows.attrs = {"release": ctx.panel.attrs["release"]}
    return rows


def matrix_of(ctx: Context, spec: Specification) -> SpatialWeights:
    """Return W of a specification, subset and row-standardised again where provinces are left out."""
    w = ctx.weights(spec.w)
    if not spec.drop:
        return w
    return w.subset([i for i in w.ids if i not in spec.drop], transform="row")


@contextmanager
def _noted(notes: list[str]) -> Iterator[None]:
    """Turn the library's own warnings (identification, few clusters, ...) into notes of the record."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for entry in caught:
        if entry.category.__module__ == errors.__name__:
            notes.append(f"{entry.category.__name__}: {entry.message}")
        else:
            warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)


def _effect(by_draws: Any, delta: Any, cluster: Any, name: str) -> Effect:
    """Collect one effect from the table by draws, its delta-method check and its clustered inference."""
    numbers = {k: float(by_draws[(name, k)]) for k in ("estimate", "se", "z", "p", "lower", "upper")}
    checks = {
        f"{k}_{how}": float(table[(name, k)])
        for how, table in (("delta", delta), ("cluster", cluster))
        for k in ("se", "p")
    }
    return Effect(**numbers, **checks)


def run(ctx: Context, spec: Specification) -> Run:
    """Fit a specification and compute its effects by draws, with the delta method as a check.

    Parameters
    ----------
    ctx : Context
    spec : Specification

    Returns
    -------
    Run

    Raises
    ------
    PanelError, AlignmentError, IdentificationError, ConvergenceError
        As the fit raises them.
    NotInRelease
        If W cannot be built.
    """
    import nqpf_spatial as nq

    notes: list[str] = []
    draws, alpha = ctx.register.threshold("R-MECH", "draws"), ctx.register.threshold("R-MECH", "alpha")
    with _noted(notes):
        w = matrix_of(ctx, spec)
        fit = nq.fit(spec.formula, data_of(ctx, spec), w, model="SDM", correction=spec.correction)
        simulated = fit.impacts(method="simulate", draws=draws, seed=ctx.seed, alpha=alpha)
        delta = fit.impacts(method="delta", alpha=alpha).table.loc[spec.focus]
        robust = fit.with_vcov("cluster").impacts(method="simulate", draws=draws, seed=ctx.seed, alpha=alpha)
        replicates = fit.bootstrap("parametric", replicates=REPLICATES, seed=ctx.seed)
    table, robust = simulated.table, robust.table.loc[spec.focus]
    return Run(
        specification=spec,
        effects={e: _effect(table.loc[spec.focus], delta, robust, e) for e in EFFECTS},
        rho=float(fit.params["rho"]),
        sd_rho=float(replicates.params["rho"].std(ddof=1)),
        n=int(fit.nobs),
        provinces=w.n,
        checksum=w.checksum,
        notes=tuple(notes),
        impacts=table,
    )
