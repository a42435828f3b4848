"""One regression of a claim: outcome, regressors, years, provinces, weights; its data and its fit of R-MECH."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nqpf_spatial import errors
from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.series import PATCHES, column, parts

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.weights import SpatialWeights

EFFECTS = ("direct", "indirect", "total")
#: replicates of the parametric bootstrap behind the sd of rho; the register fixes the threshold only
REPLICATES = 999
#: matrix of a variant that is none of the register's own: migration in both directions
SYMMETRIC = "migration_symmetric"
#: effects of a panel model of the register
TWO_WAY = "province + year"
#: outcome that is a growth rate -> the log level it is the change of
_LEVELS = {"gdp_pc_growth": "ln_gdp_real_pc"}


@dataclass(frozen=True, slots=True)
class Specification:
    """A run of the model.

    Attributes
    ----------
    outcome, regressors : str, tuple of str
        Names as :func:`nqpf_spatial.claims.evaluate.series.column` reads them.
    focus : tuple of str
        Regressors (or products) whose effects the claim states, in its order; "" for one that a variant leaves out.
    years : tuple of int
        Years of the rows, in order; they need not be consecutive in a static model.
    w : str or None
        Id of the weight matrix in the register; None for a model without spatial terms.
    drop : tuple of str
        Provinces left out; W is subset to the others and row-standardised again.
    lag : int
        Years by which every regressor is lagged.
    patches : tuple of str
        Replaced columns, by name in :data:`nqpf_spatial.claims.evaluate.series.PATCHES`.
    products : tuple of pairs
        Interactions: factors in deviations from their sample mean, multiplied.
    effects : str
        What stands after ``|``.
    regroup : tuple of (province, group)
        Provinces counted to another group.
    within_products : bool
        Factors in deviations from their province and year means before they are multiplied.
    long : bool
        One change from the first to the last of the years in place of annual ones: growth a year on regressors of the first
        year, a cross-section.
    """

    outcome: str
    regressors: tuple[str, ...]
    focus: tuple[str, ...]
    years: tuple[int, ...]
    w: str | None
    drop: tuple[str, ...] = ()
    lag: int = 0
    correction: str = "transform"
    patches: tuple[str, ...] = ()
    products: tuple[tuple[str, str], ...] = ()
    effects: str = TWO_WAY
    regroup: tuple[tuple[str, str], ...] = ()
    within_products: bool = False
    long: bool = False

    @property
    def formula(self) -> str:
        """Formula of the fit."""
        right = " + ".join([*self.regressors, *(product(*p) for p in self.products)])
        return f"{self.outcome} ~ {right}" + ("" if self.long or not self.effects else f" | {self.effects}")

    @property
    def names(self) -> tuple[str, ...]:
        """Outcome, regressors and factors of the products, each once."""
        return tuple(dict.fromkeys([self.outcome, *self.regressors, *(f for p in self.products for f in p)]))


def product(left: str, right: str) -> str:
    """Name of the column of an interaction.

    Examples
    --------
    >>> product("level", "broadband")
    'level_x_broadband'
    """
    return f"{left}_x_{right}"


@dataclass(frozen=True, slots=True)
class Effect:
    """Direct, indirect or total effect of a regressor: by draws, with its checks beside it (None where rho is at a boundary)."""

    estimate: float
    se: float
    z: float
    p: float
    lower: float
    upper: float
    se_delta: float | None
    p_delta: float | None
    se_cluster: float | None
    p_cluster: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """A fitted specification, reduced to what a verdict needs.

    Attributes
    ----------
    effects : mapping
        Regressor of the focus -> name of the effect -> Effect.
    boundary : bool
        Whether the likelihood is highest at an end of the admissible interval of rho.
    """

    specification: Specification
    effects: Mapping[str, Mapping[str, Effect]]
    rho: float
    sd_rho: float
    n: int
    provinces: int
    checksum: str
    notes: tuple[str, ...]
    impacts: pd.DataFrame
    boundary: bool = False


def columns(ctx: Context, spec: Specification) -> pd.DataFrame:
    """Return the columns of a specification, all years and provinces.

    Parameters
    ----------
    ctx : Context
    spec : Specification

    Returns
    -------
    DataFrame
        Index (province, year), every series of the formula and every factor of its products.
    """
    import pandas as pd

    panel = patched(ctx, spec.patches)
    return pd.DataFrame({name: column(panel, name, dict(spec.regroup)) for name in spec.names})


def patched(ctx: Context, patches: tuple[str, ...]) -> pd.DataFrame:
    """Return the panel with replaced columns (computed once per context)."""

    def build() -> pd.DataFrame:
        replaced: dict[str, pd.Series] = {}
        for patch in patches:
            replaced.update(PATCHES[patch](ctx.panel))
        return ctx.panel.assign(**replaced)

    return ctx.once(("panel", patches), build) if patches else ctx.panel


def complete_years(ctx: Context, spec: Specification, name: str) -> frozenset[int]:
    """Years in which a series of a specification exists for all of its provinces (availability, never a value)."""

    def find() -> frozenset[int]:
        series = column(patched(ctx, spec.patches), name, dict(spec.regroup))
        kept = series[~series.index.get_level_values("province").isin(spec.drop)]
        present = kept.notna().groupby(level="year").all()
        return frozenset(int(y) for y in present.index[present])

    return ctx.once(("years", spec.patches, spec.drop, name), find)


def data_of(ctx: Context, spec: Specification) -> pd.DataFrame:
    """Return the rows of a specification: its years and provinces, regressors lagged by label, products formed.

    A missing cell stays missing, so that the fit refuses it by name.
    """
    frame = columns(ctx, spec)
    if spec.lag:
        moved = frame.drop(columns=spec.outcome).rename(lambda year: year + spec.lag, level="year")
        frame = frame[[spec.outcome]].join(moved, how="left")
    if spec.long:
        frame = _long(ctx, spec, frame)
        rows = frame.loc[~frame.index.isin(spec.drop)]
    else:
        province, year = (frame.index.get_level_values(level) for level in ("province", "year"))
        rows = frame.loc[year.isin(spec.years) & ~province.isin(spec.drop)]
    for left, right in spec.products:
        centred = [_centred(rows[f], spec.within_products) for f in (left, right)]
        rows = rows.assign(**{product(left, right): centred[0] * centred[1]})
    rows.attrs = {"release": ctx.panel.attrs["release"]}
    return rows


def _centred(factor: pd.Series, within: bool) -> pd.Series:
    """A factor of a product in deviations from its mean, or from its province and year means; a group stays 0 and 1."""
    if str(factor.name).startswith("in_"):
        return factor
    if not within:
        return factor - factor.mean()
    by_province, by_year = (factor.groupby(level=level).transform("mean") for level in ("province", "year"))
    return factor - by_province - by_year + factor.mean()


def _long(ctx: Context, spec: Specification, frame: pd.DataFrame) -> pd.DataFrame:
    """Growth a year from the first to the last year, on what the regressors were in the first."""
    import pandas as pd

    panel, groups = patched(ctx, spec.patches), dict(spec.regroup)
    first, last = spec.years[0], spec.years[-1]
    prefix, rest = parts(spec.outcome)
    level = column(panel, f"ln_{rest}" if prefix == "growth" else _LEVELS[spec.outcome], groups)
    start = {
        name: column(panel, parts(name)[1] if parts(name)[0] == "lag" else name, groups).xs(first, level="year")
        for name in frame.columns.drop(spec.outcome)
    }
    change = (level.xs(last, level="year") - level.xs(first, level="year")) / (last - first)
    return pd.DataFrame({spec.outcome: 100.0 * change, **start})


def has_levels(outcome: str) -> bool:
    """Tell whether an outcome is the growth of a series whose level exists."""
    return outcome in _LEVELS or parts(outcome)[0] == "growth"


def optional_matrix_of(ctx: Context, spec: Specification) -> SpatialWeights | None:
    """Return W of a specification, None where it has none."""
    return None if spec.w is None else matrix_of(ctx, spec)


def matrix_of(ctx: Context, spec: Specification) -> SpatialWeights:
    """Return W of a specification, subset and row-standardised again where provinces are left out."""
    if spec.w is None:
        raise ValueError(f"the specification {spec.formula} has no W")
    w = _symmetric() if spec.w == SYMMETRIC else ctx.weights(spec.w)
    if not spec.drop:
        return w
    return w.subset([i for i in w.ids if i not in spec.drop], transform="row")


def _symmetric() -> SpatialWeights:
    """Migration of the register's interval in both directions."""
    import nqpf_spatial as nq

    return nq.weights.migration("5yr_2010", "gross", sample_start=2012).renamed(SYMMETRIC)


@contextmanager
def noted(notes: list[str]) -> Iterator[None]:
    """Turn the library's own warnings (identification, few clusters, ...) into notes of the record."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for entry in caught:
        if entry.category.__module__ == errors.__name__:
            notes.append(f"{entry.category.__name__}: {entry.message}")
        else:
            warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)


def _effect(by_draws: Any, delta: Any, cluster: Any, name: str, boundary: bool) -> Effect:
    """Collect one effect from the table by draws, its delta-method check and its clustered inference.

    At a boundary the information has no inverse worth the name: what comes out of it is rounding noise of the processor.
    """
    numbers = {k: float(by_draws[(name, k)]) for k in ("estimate", "se", "z", "p", "lower", "upper")}
    checks: dict[str, float | None] = {
        f"{k}_{how}": None if boundary else float(table[(name, k)])
        for how, table in (("delta", delta), ("cluster", cluster))
        for k in ("se", "p")
    }
    return Effect(**numbers, **checks)  # type: ignore[arg-type]


def run(ctx: Context, spec: Specification) -> Run:
    """Fit a specification and compute its effects by draws, with the delta method as a check (once per context).

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
    return ctx.once(("run", spec), lambda: _run(ctx, spec))


def _run(ctx: Context, spec: Specification) -> Run:
    import nqpf_spatial as nq

    notes: list[str] = []
    draws, alpha = ctx.register.threshold("R-MECH", "draws"), ctx.register.threshold("R-MECH", "alpha")
    with noted(notes):
        w = matrix_of(ctx, spec)
        fit = nq.fit(spec.formula, data_of(ctx, spec), w, model="SDM", correction=spec.correction)
        table = fit.impacts(method="simulate", draws=draws, seed=ctx.seed, alpha=alpha).table
        delta = fit.impacts(method="delta", alpha=alpha).table
        clustered = fit.with_vcov("cluster")
        robust = clustered.impacts(method="simulate", draws=draws, seed=ctx.seed, alpha=alpha).table
        replicates = fit.bootstrap("parametric", replicates=REPLICATES, seed=ctx.seed)
    end = bool(fit.estimate.fit.boundary)
    return Run(
        specification=spec,
        effects={
            f: {e: _effect(table.loc[f], delta.loc[f], robust.loc[f], e, end) for e in EFFECTS} for f in spec.focus if f
        },
        rho=float(fit.params["rho"]),
        sd_rho=float(replicates.params["rho"].std(ddof=1)),
        n=int(fit.nobs),
        provinces=w.n,
        checksum=w.checksum,
        notes=tuple(notes),
        impacts=table,
        boundary=end,
    )
