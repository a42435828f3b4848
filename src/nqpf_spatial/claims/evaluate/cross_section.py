"""Regressions over provinces with one observation each: later growth on what was there before (WU-0.7, WU-1.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.parts import Number
from nqpf_spatial.claims.evaluate.regression import student
from nqpf_spatial.claims.evaluate.series import column
from nqpf_spatial.claims.evaluate.specification import Specification, complete_years
from nqpf_spatial.claims.evaluate.variants import MUNICIPALITIES, Untouched, check
from nqpf_spatial.errors import PanelError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class CrossSection:
    """A cross-section of provinces.

    Attributes
    ----------
    outcome : str
    years : tuple of int
        Window of the outcome.
    change : bool
        The outcome is the change of its logarithm from the first to the last year, log points a year; otherwise its mean over the
        years (of an outcome that is growth already).
    initial : tuple of (series, first year, last year)
        Regressors as means over their years.
    distance : bool
        The regressors enter as one composite: the mean of their distances to the best province, each over its standard deviation.
    candidates : tuple of (series, first year, last year)
        What else could explain the outcome, for the Shapley shares.
    drop : tuple of str
    """

    outcome: str
    years: tuple[int, ...]
    change: bool
    initial: tuple[tuple[str, int, int], ...]
    distance: bool = False
    candidates: tuple[tuple[str, int, int], ...] = ()
    drop: tuple[str, ...] = ()


def _mean(ctx: Context, name: str, first: int, last: int) -> pd.Series:
    """Mean of a series over a window, per province; a missing year stays missing."""
    table = column(ctx.panel, name).unstack("year").loc[:, first:last]
    if list(table.columns) != list(range(first, last + 1)):
        raise PanelError(f"{name} has no rows for all of {first}-{last}")
    return table.mean(axis=1, skipna=False)


def frame(ctx: Context, spec: CrossSection) -> pd.DataFrame:
    """Outcome, regressors and candidates, one row per province.

    Raises
    ------
    PanelError
        Missing cells, by name.
    """
    import pandas as pd

    first, last = spec.years[0], spec.years[-1]
    if spec.change:
        level = np.log(column(ctx.panel, spec.outcome)).unstack("year")
        y = 100.0 * (level[last] - level[first]) / (last - first)
    else:
        y = _mean(ctx, spec.outcome, first, last)
    columns = {spec.outcome: y, **{n: _mean(ctx, n, a, b) for n, a, b in (*spec.initial, *spec.candidates)}}
    rows = pd.DataFrame(columns).drop(index=list(spec.drop))
    lacking = [f"{n} {p}" for n in rows.columns for p in rows.index[rows[n].isna()]]
    if lacking:
        raise PanelError(f"missing values: {', '.join(lacking[:12])}")
    return rows


def composite(rows: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    """Mean of the distances to the best province, each over its standard deviation.

    Examples
    --------
    >>> import pandas as pd
    >>> composite(pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [4.0, 0.0, 2.0]}), ("a", "b")).tolist()
    [1.0, 1.5, 0.5]
    """
    parts = [(rows[n].max() - rows[n]) / rows[n].std(ddof=1) for n in names]
    return sum(parts[1:], start=parts[0]) / len(parts)


def regressor(rows: pd.DataFrame, spec: CrossSection) -> pd.DataFrame:
    """Columns of the stated regression: the composite distance, or the initial means."""
    import pandas as pd

    names = tuple(n for n, _, _ in spec.initial)
    return pd.DataFrame({"distance": composite(rows, names)}) if spec.distance else rows[list(names)]


def coefficient(ctx: Context, spec: CrossSection, candidates: bool = False) -> Number:
    """Slope of the stated regression by least squares, HC3 standard error, t with n - k degrees of freedom.

    Parameters
    ----------
    ctx : Context
    spec : CrossSection
    candidates : bool
        With the candidates as further regressors.

    Returns
    -------
    Number
    """
    import statsmodels.api as sm

    rows = frame(ctx, spec)
    x = regressor(rows, spec)
    if candidates:
        x = x.join(rows[[n for n, _, _ in spec.candidates]])
    fit = sm.OLS(rows[spec.outcome].to_numpy(), sm.add_constant(x.to_numpy())).fit(cov_type="HC3", use_t=True)
    alpha = ctx.register.threshold("R-COEF", "alpha")
    checks = {"r2": float(fit.rsquared)}
    return student(float(fit.params[1]), float(fit.bse[1]), int(fit.df_resid), int(fit.nobs), alpha, checks=checks)


def shapley(ctx: Context, spec: CrossSection) -> Number:
    """Shapley share of the regressors, as one group, in the R2 beside every candidate; holds where it is the largest."""
    from nqpf_spatial.kernels.shapley import shapley_r2

    rows = frame(ctx, spec)
    own = rows[[n for n, _, _ in spec.initial]]
    names = [n for n, _, _ in spec.candidates]
    groups = [own.to_numpy(), *(rows[[n]].to_numpy() for n in names)]
    shares = shapley_r2(rows[spec.outcome].to_numpy(), groups)
    checks = {f"share_{n}": float(s) for n, s in zip(["capability", *names], shares, strict=True)}
    return Number(float(shares[0]), len(rows), holds=bool(shares[0] > shares[1:].max()), checks=checks)


def _swap_initial(spec: CrossSection, old: str, new: tuple[str, int, int]) -> CrossSection:
    return replace(spec, initial=tuple(new if n == old else (n, a, b) for n, a, b in spec.initial))


def _swap_outcome(ctx: Context, spec: CrossSection, new: str) -> CrossSection:
    holder = Specification(new, (), (), spec.years, None, drop=spec.drop)
    present = complete_years(ctx, holder, new)
    return replace(spec, outcome=new, years=tuple(y for y in spec.years if y in present))


def _schooling(ctx: Context, spec: CrossSection) -> list[tuple[str, CrossSection]]:
    """Share with college education at the same date; census schooling of the last census before the outcome."""
    own = next(((n, a, b) for n, a, b in spec.initial if n == "schooling_years"), None)
    if own is None:
        raise Untouched("the claim has no schooling_years to replace")
    census = "mean_years_schooling"
    dates = complete_years(ctx, Specification(census, (), (), spec.years, None), census)
    before = max(y for y in dates if y < spec.years[0])
    return [
        ("college_share for schooling_years", _swap_initial(spec, own[0], ("college_share", own[1], own[2]))),
        (f"{census} of {before} for schooling_years", _swap_initial(spec, own[0], (census, before, before))),
    ]


def _energy(ctx: Context, spec: CrossSection) -> list[tuple[str, CrossSection]]:
    """Electricity intensity in the years that the variant's text names."""
    found = re.search(r"(\w+) of (\d{4})-(\d{4}) instead of (\w+)", str(ctx.register.variants["alt_energy"]["text"]))
    if found is None:
        raise NotInRelease("the register's text of alt_energy names no series and years")
    new, old = (found.group(1), int(found.group(2)), int(found.group(3))), found.group(4)
    return [(f"{new[0]} of {new[1]}-{new[2]} for {old}", _swap_initial(spec, old, new))]


def _without(*provinces: str) -> Callable[[Context, CrossSection], list[tuple[str, CrossSection]]]:
    return lambda ctx, spec: [(f"without {', '.join(provinces)}", replace(spec, drop=(*spec.drop, *provinces)))]


def _outcome(new: str) -> Callable[[Context, CrossSection], list[tuple[str, CrossSection]]]:
    return lambda ctx, spec: [(f"outcome {new}", _swap_outcome(ctx, spec, new))]


_VARIANTS: Mapping[str, Callable[[Context, CrossSection], list[tuple[str, CrossSection]]]] = {
    "no_tibet": _without("Tibet"),
    "no_municipalities": _without(*MUNICIPALITIES),
    "ns_no_beijing": _without("Beijing"),
    "alt_tfp": _outcome("tfp_growth_est"),
    "alt_solow": _outcome("tfp_solow_growth"),
    "alt_schooling": _schooling,
    "alt_energy": _energy,
}


def expand(variant: str, spec: CrossSection, ctx: Context) -> list[tuple[str, CrossSection]]:
    """List the runs of a variant on a cross-section; see :func:`nqpf_spatial.claims.evaluate.variants.expand`."""
    check(variant, ctx)
    if variant == "ns_tibet_north":
        raise Untouched("the split of North and South does not enter the coefficient")
    if variant not in _VARIANTS:
        raise NotInRelease(f"variant {variant} is not written for cross-sections yet")
    return _VARIANTS[variant](ctx, spec)
