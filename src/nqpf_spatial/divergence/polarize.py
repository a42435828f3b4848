"""Polarisation by year: Esteban-Ray, Esteban-Gradin-Ray, Duclos-Esteban-Ray, Wolfson, Zhang-Kanbur."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.divergence import _frame, _resample, _style, measures
from nqpf_spatial.divergence._frame import Array, GroupSpec, Missing, WeightSpec, Wide, Years
from nqpf_spatial.divergence._lines import measure_lines
from nqpf_spatial.divergence._result import Result, check_choice
from nqpf_spatial.divergence.measures import _two_rows
from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import inequality as _ineq
from nqpf_spatial.kernels import polarization as _kernel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INDICES = ("esteban_ray", "egr", "wolfson", "der", "zhang_kanbur")
_NEED_GROUPS = ("esteban_ray", "egr", "zhang_kanbur")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PolarizationResult(Result):
    """Polarisation indices by year.

    Attributes
    ----------
    table : DataFrame
        One column per index.
    details : DataFrame
        For Esteban-Gradin-Ray: ``simple``, ``error``, ``gini``, ``gini_between`` by year; else empty.
    classes : DataFrame or None
        Class of each unit by year where the grouping was estimated (``classes=``).
    parameters : dict
        ``alpha``, ``beta``, ``der_alpha``, ``bandwidth``, ``kind``.
    se, lower, upper, draws
        Bootstrap over units, None without ``bootstrap=``.
    """

    table: pd.DataFrame
    details: pd.DataFrame
    classes: pd.DataFrame | None
    parameters: dict[str, Any]
    se: pd.DataFrame | None
    lower: pd.DataFrame | None
    upper: pd.DataFrame | None
    draws: Array | None
    name: str
    weighted: bool
    level: float
    note: str

    def _title(self) -> str:
        return f"Polarisation of {self.name}, {'weighted' if self.weighted else 'unweighted'}"

    def _notes(self) -> list[str]:
        shown = ", ".join(f"{k} = {v}" for k, v in self.parameters.items())
        return [shown, *([self.note] if self.note else [])]

    def change(self, first: Any = None, last: Any = None) -> pd.DataFrame:
        """Change of every index between two times, with a bootstrap interval where there are draws."""
        a, b = _two_rows(self.table, first, last)
        return _resample.change_table(self.table.to_numpy(), self.draws, a, b, self.table.columns, self.level)

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Draw the indices over time, relative to the first year if there are several (those that can be negative: as they are)."""
        heading = _style.title(self.name, lang)
        return measure_lines(self.table, heading, lang, ax, lower=self.lower, upper=self.upper)


def _members(
    x: Wide, groups: GroupSpec | None, classes: int | None, data: Any
) -> tuple[Array, pd.DataFrame | None, NDArray[np.intp] | None]:
    """Indicator of the groups ``(K, N)`` or of estimated classes ``(T, K, N)``, the classes, the strata."""
    if groups is not None:
        g = _frame.membership(x, groups, data)
        return _ineq.indicator(g.codes, len(g.names)), None, g.codes
    if classes is None:
        return np.ones((1, len(x.units))), None, None
    for t, row in zip(x.index(), x.values, strict=True):
        distinct = len(np.unique(row))
        if not 2 <= classes <= distinct:
            raise PanelError(f"classes={classes} must lie between 2 and the {distinct} distinct values at {t}")
    pairs = zip(x.values, x.weights, strict=True)
    codes = np.stack([_kernel.optimal_partition(v, w, classes) for v, w in pairs])
    table = pd.DataFrame(codes, index=x.index(), columns=pd.Index(x.units, name=x.unit_name))
    return _ineq.indicator(codes, classes), table, None


def _check(wanted: list[str], alpha: float, beta: float, der_alpha: float, grouped: bool) -> None:
    for name in wanted:
        check_choice("index", name, INDICES)
    if not 0.0 < alpha <= 1.6:
        raise ValueError(f"alpha={alpha}: Esteban and Ray (1994) need 0 < alpha <= 1.6")
    if not 0.25 <= der_alpha <= 1.0:
        raise ValueError(f"der_alpha={der_alpha}: Duclos, Esteban and Ray (2004) need 0.25 <= alpha <= 1")
    if beta < 0:
        raise ValueError(f"beta={beta} must not be negative (0 gives the Esteban-Ray index)")
    lacking = [n for n in wanted if n in _NEED_GROUPS]
    if lacking and not grouped:
        raise ValueError(f"{', '.join(lacking)} need groups=... (or classes=... for estimated income classes)")


def _bandwidth(x: Wide, w: Array, alpha: float, bandwidth: float | str) -> Array:
    if bandwidth == "der":
        return _kernel.der_bandwidth(x.values, w, alpha)
    if isinstance(bandwidth, str) or bandwidth <= 0:
        raise ValueError(f"bandwidth={bandwidth!r} must be 'der' or a positive number in units of the series")
    return np.full(w.shape[:-1], float(bandwidth))


@dataclass(frozen=True, slots=True, eq=False)
class _Spec:
    """What is fixed while weights vary."""

    x: Wide
    member: Array
    alpha: float
    beta: float
    der_alpha: float
    bandwidth: float | str
    kind: str

    def one(self, index: str, w: Array) -> Array:
        """One index, ``(..., T)``, for weights ``(..., T, N)``."""
        v = self.x.values
        if index == "esteban_ray":
            return _kernel.esteban_ray(*_kernel.group_moments(v, w, self.member), self.alpha)
        if index == "egr":
            return _kernel.esteban_gradin_ray(v, w, self.member, self.alpha, self.beta).index
        if index == "wolfson":
            return _kernel.wolfson(v, w)
        if index == "der":
            h = _bandwidth(self.x, w, self.der_alpha, self.bandwidth)
            return _kernel.duclos_esteban_ray(v, w, self.der_alpha, h)
        parts = _ineq.theil_parts(v, w, self.member, self.kind)
        with np.errstate(divide="ignore", invalid="ignore"):
            return parts.between / parts.within

    def all(self, indices: list[str], w: Array) -> Array:
        """``(..., T, M)``."""
        return np.stack([self.one(name, w) for name in indices], axis=-1)


def polarization(
    data: pd.Series | pd.DataFrame,
    indices: Sequence[str] | str = ("wolfson", "esteban_ray", "egr"),
    *,
    groups: GroupSpec | None = None,
    classes: int | None = None,
    alpha: float = 1.3,
    beta: float = 1.0,
    der_alpha: float = 0.5,
    bandwidth: float | str = "der",
    kind: str = "T",
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> PolarizationResult:
    """Polarisation indices for every year at once.

    Parameters
    ----------
    data : Series or DataFrame
        Non-negative values by (unit, time) or by unit; see :func:`inequality` for ``value``, ``weights``,
        ``years``, ``missing``, ``level`` and ``seed``.
    indices : sequence of {"esteban_ray", "egr", "wolfson", "der", "zhang_kanbur"}
    groups : {"block", "north_south", ...}, Series, mapping or column name, optional
        Groups for Esteban-Ray, Esteban-Gradin-Ray and Zhang-Kanbur.
    classes : int, optional
        Instead of ``groups``: estimate, year by year, the partition into so many income classes that hides
        the least inequality (the grouping of Esteban, Gradin and Ray).
    alpha : float
        Polarisation sensitivity of Esteban-Ray and Esteban-Gradin-Ray, in (0, 1.6].
    beta : float
        Weight of the inequality inside groups in Esteban-Gradin-Ray; 0 gives Esteban-Ray.
    der_alpha : float
        Sensitivity of Duclos-Esteban-Ray, in [0.25, 1].
    bandwidth : "der" or float
        Of its Gaussian kernel: the authors' rule or a number in units of the series.
    kind : {"T", "L"}
        Theil index in Zhang-Kanbur, between over within.
    bootstrap : int
        Replicates over units: inside each group where groups are given, else over all units. Not with
        ``classes`` (the partition is estimated).

    Returns
    -------
    PolarizationResult

    Notes
    -----
    All indices are relative: Esteban-Ray (1994) on group means over the mean with K = 1;
    Esteban-Gradin-Ray (2007) ``ER(alpha) - beta (G - G_between)``; Duclos-Esteban-Ray (2004) over
    ``mu^(1-alpha)``, so that alpha = 0 would be twice the Gini index; Wolfson (1994)
    ``2 (2 (1/2 - L(1/2)) - G) mu / m``, in [0, 1]; Zhang-Kanbur (2001). PySAL's ``inequality.wolfson``
    leaves out the leading 2 of Wolfson: half of ours.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.Series([1.0, 1.0, 3.0, 3.0], index=list("abcd"), name="x")
    >>> polarization(x, groups={"a": "A", "b": "A", "c": "B", "d": "B"}, alpha=1.0).table
       wolfson  esteban_ray   egr
    x      0.5         0.25  0.25
    """
    wanted = [indices] if isinstance(indices, str) else list(indices)
    _check(wanted, alpha, beta, der_alpha, groups is not None or classes is not None)
    check_choice("kind", kind, ("T", "L"))
    if groups is not None and classes is not None:
        raise ValueError("give groups= or classes=, not both")
    if bootstrap and classes is not None:
        raise ValueError("no bootstrap with classes=: the partition itself is estimated; give groups=")
    x = _frame.wide(data, value=value, weights=weights, years=years, missing=missing)
    positive = "zhang_kanbur" in wanted and kind == "L"
    _frame.require(x, positive=positive, what="polarisation")
    member, table, strata = _members(x, groups, classes, data)
    spec = _Spec(x, member, alpha, beta, der_alpha, bandwidth, kind)
    point = _finite(pd.DataFrame(spec.all(wanted, x.weights), index=x.index(), columns=wanted), x)
    draws = None
    if bootstrap:
        counts = _resample.multiplicities(len(x.units), bootstrap, seed, strata)
        size = x.values.size * (len(x.units) if "der" in wanted else 4)
        draws = _resample.collect(counts, size, lambda c: spec.all(wanted, c[:, None, :] * x.weights))
    spread = measures.spread(draws, point.index, wanted, level)
    used = _used(wanted, {"alpha": alpha, "beta": beta, "der_alpha": der_alpha, "bandwidth": bandwidth, "kind": kind})
    return PolarizationResult(
        point, _details(spec, wanted), table, used, *spread, draws, x.name, x.weighted, level, x.note
    )


def _finite(table: pd.DataFrame, x: Wide) -> pd.DataFrame:
    bad = ~np.isfinite(table.to_numpy())
    if bad.any():
        times = table.index[bad.any(axis=1)]
        raise PanelError(
            f"an index of {x.name} does not exist at {_frame.shorten(times, 30)}: no inequality inside any "
            "group (Zhang-Kanbur divides by it), a median of zero (Wolfson), no spread (Duclos-Esteban-Ray)"
        )
    return table


def _used(wanted: list[str], parameters: dict[str, Any]) -> dict[str, Any]:
    needs = {
        "alpha": {"esteban_ray", "egr"}, "beta": {"egr"}, "der_alpha": {"der"}, "bandwidth": {"der"},
        "kind": {"zhang_kanbur"},
    }  # fmt: skip
    return {k: v for k, v in parameters.items() if needs[k] & set(wanted)}


def _details(spec: _Spec, wanted: list[str]) -> pd.DataFrame:
    if "egr" not in wanted:
        return pd.DataFrame(index=spec.x.index())
    parts = _kernel.esteban_gradin_ray(spec.x.values, spec.x.weights, spec.member, spec.alpha, spec.beta)
    names = ("simple", "error", "gini", "gini_between")
    return pd.DataFrame({n: getattr(parts, n) for n in names}, index=spec.x.index())


def esteban_ray(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec,
    alpha: float = 1.3,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> PolarizationResult:
    """Esteban-Ray index by year; options as in :func:`polarization`."""
    return polarization(
        data, "esteban_ray", groups=groups, alpha=alpha,
        weights=weights, years=years, missing=missing, bootstrap=bootstrap, level=level, seed=seed, value=value,
    )  # fmt: skip


def egr(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec | None = None,
    classes: int | None = None,
    alpha: float = 1.3,
    beta: float = 1.0,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> PolarizationResult:
    """Esteban-Gradin-Ray index by year, with ``groups=`` or ``classes=``; see :func:`polarization`."""
    return polarization(
        data, "egr", groups=groups, classes=classes, alpha=alpha, beta=beta,
        weights=weights, years=years, missing=missing, bootstrap=bootstrap, level=level, seed=seed, value=value,
    )  # fmt: skip


def der(
    data: pd.Series | pd.DataFrame,
    alpha: float = 0.5,
    *,
    groups: GroupSpec | None = None,
    bandwidth: float | str = "der",
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> PolarizationResult:
    """Duclos-Esteban-Ray index by year; options as in :func:`polarization`."""
    return polarization(
        data, "der", groups=groups, der_alpha=alpha, bandwidth=bandwidth,
        weights=weights, years=years, missing=missing, bootstrap=bootstrap, level=level, seed=seed, value=value,
    )  # fmt: skip


def wolfson(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec | None = None,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> PolarizationResult:
    """Wolfson index by year; options as in :func:`polarization`."""
    return polarization(
        data, "wolfson", groups=groups,
        weights=weights, years=years, missing=missing, bootstrap=bootstrap, level=level, seed=seed, value=value,
    )  # fmt: skip


def zhang_kanbur(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec,
    kind: str = "T",
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> PolarizationResult:
    """Zhang-Kanbur index (Theil between over within) by year; options as in :func:`polarization`."""
    return polarization(
        data, "zhang_kanbur", groups=groups, kind=kind,
        weights=weights, years=years, missing=missing, bootstrap=bootstrap, level=level, seed=seed, value=value,
    )  # fmt: skip
