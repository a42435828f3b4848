"""Beta convergence: growth on the initial level, its design for spatial models, half-lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri

from nqpf_spatial.divergence import _frame, _style
from nqpf_spatial.divergence._frame import Array, Missing, Wide, Years
from nqpf_spatial.divergence._result import Result, check_choice
from nqpf_spatial.errors import AlignmentError, IdentificationError, PanelError, warn

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class NickellBiasWarning(UserWarning):
    """A lagged level with unit effects in a short panel: the convergence coefficient is too negative."""


@dataclass(frozen=True, slots=True)
class HalfLife:
    """Speed of convergence and half-life with delta-method intervals.

    Attributes
    ----------
    coefficient, se : float
        Coefficient of the (lagged or initial) log level and its standard error (NaN if unknown).
    speed, speed_se : float
        ``-ln(1 + coefficient * period) / period`` a year for average growth over ``period`` years.
    years : float
        Half-life ``ln 2 / speed``; infinite or negative where there is no convergence.
    lower, upper : float
        Interval of the half-life: the interval of the speed turned over; upper is infinite where that of
        the speed contains zero.
    """

    coefficient: float
    se: float
    speed: float
    speed_se: float
    years: float
    lower: float
    upper: float


def half_life(
    coefficient: Any,
    se: float | None = None,
    *,
    term: str | None = None,
    period: float = 1.0,
    level: float = 0.95,
) -> HalfLife:
    """Speed of convergence and half-life implied by a coefficient of the log level.

    Parameters
    ----------
    coefficient : float or fit
        A number, or a fit with ``params`` and ``bse`` (``nq.fit``, statsmodels) and ``term`` naming the log
        level. For a spatial model this is the response of a region's own growth without feedback; take
        numbers from ``fit.impacts()`` to count what comes back from the neighbours.
    se : float, optional
        Standard error of a number.
    period : float
        Years over which growth was averaged: 1 for annual growth on the lagged level.
    level : float

    Returns
    -------
    HalfLife

    Raises
    ------
    IdentificationError
        A coefficient of ``-1/period`` or less: the level would overshoot, no speed exists.

    Notes
    -----
    Barro and Sala-i-Martin (1992): average growth ``= a - ((1 - exp(-lambda tau)) / tau) ln y_0``, hence
    ``lambda = -ln(1 + b tau) / tau`` and, by the delta method, ``se(lambda) = se(b) / (1 + b tau)``.

    Examples
    --------
    >>> h = half_life(-0.02, 0.005)
    >>> round(h.speed, 5), round(h.years, 2), round(h.upper, 1)
    (0.0202, 34.31, 67.9)
    """
    if term is not None:
        if term not in coefficient.params:
            raise KeyError(f"the fit has no term {term!r}; it has {_frame.shorten(coefficient.params.index, 30)}")
        b, s = float(coefficient.params[term]), float(coefficient.bse[term])
    else:
        b, s = float(coefficient), float("nan") if se is None else float(se)
    inside = 1.0 + b * period
    if inside <= 0:
        raise IdentificationError(f"coefficient {b:.4f} over {period:g} years implies overshooting: no speed exists")
    speed, speed_se = -np.log(inside) / period, s / inside
    reach = ndtri(0.5 + level / 2.0) * speed_se
    low, high = speed - reach, speed + reach
    years = np.log(2.0) / speed if speed != 0 else np.inf
    upper = np.log(2.0) / low if low > 0 else np.inf
    lower = np.log(2.0) / high if high > 0 else np.nan
    if np.isnan(s):
        lower = upper = np.nan
    return HalfLife(b, s, float(speed), float(speed_se), float(years), float(lower), float(upper))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BetaResult(Result):
    """Growth on the initial level.

    Attributes
    ----------
    table : DataFrame
        Coefficients with standard error, t, p and interval.
    half_life : HalfLife
        Of the log level.
    r2 : float
    nobs : int
    data : DataFrame
        What was regressed: ``growth``, ``level`` and controls.
    kind : {"cross", "panel"}
    vcov : str
    fit : statsmodels results
    """

    table: pd.DataFrame
    half_life: HalfLife
    r2: float
    nobs: int
    data: pd.DataFrame
    kind: str
    vcov: str
    fit: Any
    name: str
    note: str = ""

    def _title(self) -> str:
        return f"Beta convergence of {self.name} ({self.kind}, {self.vcov}), n = {self.nobs}, R2 = {self.r2:.3f}"

    def _notes(self) -> list[str]:
        h = self.half_life
        life = f"half-life {h.years:.1f} years [{h.lower:.1f}, {h.upper:.1f}]"
        return [f"speed {100 * h.speed:.2f} % a year, {life}", *([self.note] if self.note else [])]

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Growth against the initial level; with controls both are cleaned of them (Frisch-Waugh)."""
        ax = _style.new_axes(ax, lang, (5.6, 4.4))
        exog = pd.DataFrame(self.fit.model.exog, columns=self.fit.model.exog_names)
        others = exog.drop(columns="level").to_numpy()
        pair = np.column_stack([np.asarray(self.fit.model.endog), exog["level"]])
        rest = pair - others @ np.linalg.lstsq(others, pair, rcond=None)[0] + pair.mean(axis=0)
        ax.plot(rest[:, 1], rest[:, 0], "o", ms=4, color=_style.COLOURS[0])
        ends = np.array([rest[:, 1].min(), rest[:, 1].max()])
        slope = float(self.table.loc["level", "estimate"])
        ax.plot(ends, rest[:, 0].mean() + slope * (ends - rest[:, 1].mean()), color=_style.COLOURS[1])
        ax.set_xlabel(_style.word("log of the initial value", lang))
        ax.set_ylabel(_style.word("growth per year", lang))
        ax.set_title(_style.title(self.name, lang), loc="left")
        return _style.finish(ax, lang)


def beta_design(
    data: pd.Series | pd.DataFrame,
    controls: pd.DataFrame | None = None,
    *,
    lag: int = 1,
    log: bool = True,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> pd.DataFrame:
    """Frame of growth, lagged level and lagged controls, ready for ``nq.fit``.

    Parameters
    ----------
    data : Series or DataFrame
        Values by (unit, time), times one year apart.
    controls : DataFrame, optional
        Indexed by (unit, time); each column enters with its value ``lag`` years before.
    lag : int
        Years of growth; ``growth`` is the average per year over them.
    log : bool
        Growth of logs (percent growth) or of the values themselves.

    Returns
    -------
    DataFrame
        Index (unit, time) of the later year; columns ``growth``, ``level`` and the controls.

    Examples
    --------
    Spatial beta convergence is one more fit: ``nq.sdm("growth ~ level | province + year", frame, W)`` and
    then ``half_life(fit, term="level")``.

    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_product([list("ab"), [2000, 2001]], names=["unit", "year"])
    >>> beta_design(pd.Series([1.0, 1.1, 2.0, 2.1], index=index, name="x")).round(4).to_numpy().tolist()
    [[0.0953, 0.0], [0.0488, 0.6931]]
    """
    x = _frame.wide(data, value=value, years=years, missing=missing)
    if lag < 1 or len(x.times) <= lag:
        raise PanelError(f"lag={lag} needs more than {lag} times; {x.name} has {len(x.times)}")
    if set(np.diff(np.asarray(x.times, dtype=float))) != {1.0}:
        raise PanelError(f"growth over {lag} years needs consecutive years; {x.name} has {_frame.shorten(x.times, 30)}")
    if log:
        _frame.require(x, positive=True, what="growth of logarithms")
    y = np.log(x.values) if log else x.values
    index = pd.MultiIndex.from_product([x.units, x.times[lag:]], names=[x.unit_name, x.time_name])
    out = pd.DataFrame({"growth": ((y[lag:] - y[:-lag]) / lag).T.ravel(), "level": y[:-lag].T.ravel()}, index=index)
    for column in [] if controls is None else controls.columns:
        out[str(column)] = _lagged(controls[column], x, lag)  # type: ignore[index]
    return out


def _lagged(series: pd.Series, x: Wide, lag: int) -> Array:
    """Control values ``lag`` years before, in the order of the design."""
    if series.index.nlevels != 2:
        raise AlignmentError(f"control {series.name} needs the index (unit, time)")
    wanted = pd.MultiIndex.from_product([x.units, x.times[:-lag]])
    unit, time = _frame.levels(series.index)
    keyed = pd.Series(
        series.to_numpy(dtype=float),
        index=pd.MultiIndex.from_arrays(
            [
                [_frame.key(u) for u in series.index.get_level_values(unit)],
                series.index.get_level_values(time),
            ]
        ),
    )
    values = keyed.reindex([(_frame.key(u), t) for u, t in wanted]).to_numpy()
    if not np.isfinite(values).all():
        cells = [c for c, v in zip(wanted, values, strict=True) if not np.isfinite(v)]
        raise PanelError(f"control {series.name} is missing at {_frame.shorten(cells, 5)}")
    return values


def _cross(x: Wide, controls: pd.DataFrame | None) -> tuple[pd.DataFrame, float]:
    """Average growth over the window on the initial level and the controls of the first year."""
    period = float(x.times[-1] - x.times[0])
    y = np.log(x.values)
    index = pd.Index(x.units, name=x.unit_name)
    out = pd.DataFrame({"growth": (y[-1] - y[0]) / period, "level": y[0]}, index=index)
    for column in [] if controls is None else controls.columns:
        c = controls[column]  # type: ignore[index]
        wide = _frame.wide(c, years=[x.times[0]]) if c.index.nlevels == 2 else _frame.wide(c)
        place = {_frame.key(u): v for u, v in zip(wide.units, wide.values[0], strict=True)}
        absent = [u for u in x.units if _frame.key(u) not in place]
        if absent:
            raise AlignmentError(f"control {column} lacks {_frame.shorten(absent)}")
        out[str(column)] = [place[_frame.key(u)] for u in x.units]
    return out, period


def _covariance(vcov: str, groups: Any) -> dict[str, Any]:
    if vcov == "cluster":
        return {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
    return {"cov_type": "nonrobust" if vcov == "classical" else vcov}


def beta(
    data: pd.Series | pd.DataFrame,
    controls: pd.DataFrame | None = None,
    *,
    kind: Literal["cross", "panel"] = "cross",
    vcov: Literal["classical", "HC1", "HC3", "cluster"] | None = None,
    years: Years = None,
    missing: Missing = "raise",
    level: float = 0.95,
    value: str | None = None,
) -> BetaResult:
    """Beta convergence by least squares: absolute without controls, conditional with them.

    Parameters
    ----------
    data : Series or DataFrame
        Positive values by (unit, time).
    controls : DataFrame, optional
        By unit, or by (unit, time): the first year's values (cross) or last year's (panel) are used.
    kind : {"cross", "panel"}
        One growth rate per unit over the window, or annual growth with unit and year effects.
    vcov : {"classical", "HC1", "HC3", "cluster"}, optional
        Default HC3 for a cross-section (small N), clusters of units for a panel.

    Returns
    -------
    BetaResult

    Warns
    -----
    NickellBiasWarning
        For a panel: unit effects bias the coefficient towards convergence. Where there is none at all it
        tends to ``-3/(T + 1)`` as units are added (Harris and Tzavalis 1999).

    Notes
    -----
    Barro and Sala-i-Martin (1992); bias of Nickell (1981). The spatial version is
    ``nq.fit`` on :func:`beta_design`, which see.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> index = pd.MultiIndex.from_product([range(40), [2000, 2010]], names=["unit", "year"])
    >>> start = rng.normal(size=40)
    >>> end = 0.2 + np.exp(-0.03 * 10) * start + 0.01 * rng.normal(size=40)
    >>> x = pd.Series(np.exp(np.column_stack([start, end])).ravel(), index=index, name="x")
    >>> round(beta(x).half_life.speed, 2)
    0.03
    """
    import statsmodels.api as sm

    check_choice("kind", kind, ("cross", "panel"))
    vcov = vcov or ("HC3" if kind == "cross" else "cluster")
    check_choice("vcov", vcov, ("classical", "HC1", "HC3", "cluster"))
    x = _frame.wide(data, value=value, years=years, missing=missing, min_units=5)
    _frame.require(x, positive=True, what="growth of logarithms")
    _frame.require_times(x, "convergence")
    same = [t for t, v in zip(x.times, x.values, strict=True) if np.ptp(v) == 0]
    if same:
        raise PanelError(f"{x.name} is the same in all units in {_frame.shorten(same)}: there is nothing to converge")
    if kind == "cross":
        frame, period = _cross(x, controls)
        design = sm.add_constant(frame.drop(columns="growth"), prepend=True, has_constant="raise")
        clusters = None
        if vcov == "cluster":
            raise ValueError("vcov='cluster' needs kind='panel': a cross-section has one row per unit")
    else:
        frame, period = beta_design(x.frame().stack().swaplevel().rename(x.name), controls), 1.0
        design, clusters = _with_effects(frame), pd.factorize(frame.index.get_level_values(0))[0]
    if np.linalg.matrix_rank(design.to_numpy()) < design.shape[1]:
        raise IdentificationError(
            f"the regressors {_frame.shorten(frame.columns[1:])} are collinear (with the effects)"
        )
    fit = sm.OLS(frame["growth"], design).fit(use_t=True, **_covariance(vcov, clusters))
    if kind == "panel":
        _warn_nickell(float(fit.params["level"]), len(x.times) - 1)
    shown = [c for c in design.columns if not c.startswith("_")]
    interval = fit.conf_int(alpha=1.0 - level).loc[shown]
    table = pd.DataFrame({"estimate": fit.params, "se": fit.bse, "t": fit.tvalues, "p": fit.pvalues}).loc[shown]
    table["lower"], table["upper"] = interval[0], interval[1]
    life = half_life(fit, term="level", period=period, level=level)
    return BetaResult(table, life, float(fit.rsquared), int(fit.nobs), frame, kind, vcov, fit, x.name, x.note)


def _with_effects(frame: pd.DataFrame) -> pd.DataFrame:
    """Regressors with dummies of units and years (names start with an underscore)."""
    parts = [frame.drop(columns="growth")]
    for level, prefix in ((0, "_unit"), (1, "_time")):
        codes = pd.Series(frame.index.get_level_values(level), index=frame.index)
        parts.append(pd.get_dummies(codes, prefix=prefix, drop_first=level == 1, dtype=float))
    return pd.concat(parts, axis=1)


def _warn_nickell(b: float, t: int) -> None:
    warn(
        f"unit effects and a lagged level with T = {t}: the coefficient {b:.3f} is biased towards convergence "
        f"(Nickell 1981); without any convergence it would come out near {-3.0 / (t + 1):.3f}. Compare kind='cross'",
        NickellBiasWarning,
    )
