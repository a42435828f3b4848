"""Inequality by year: Gini, Theil, Atkinson, coefficient of variation, standard deviation of logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame, _resample, _style
from nqpf_spatial.divergence._frame import Array, Missing, WeightSpec, Wide, Years
from nqpf_spatial.divergence._lines import measure_lines
from nqpf_spatial.divergence._result import Result
from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import inequality as _kernel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: name -> (kernel, values must be: "positive", "non-negative" or "any")
MEASURES: dict[str, tuple[Callable[..., Array], str]] = {
    "gini": (_kernel.gini, "non-negative"),
    "theil_t": (_kernel.theil_t, "non-negative"),
    "theil_l": (_kernel.theil_l, "positive"),
    "cv": (_kernel.cv, "mean"),
    "sd_log": (_kernel.sd_log, "positive"),
    "sd": (_kernel.sd, "any"),
}
#: the four of the register's `gap_measure`
DEFAULT = ("cv", "theil_t", "gini", "sd_log")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InequalityResult(Result):
    """Inequality measures by year.

    Attributes
    ----------
    table : DataFrame
        Measures in columns, times in rows.
    se, lower, upper : DataFrame or None
        Bootstrap standard errors and percentile interval, None without ``bootstrap=``.
    draws : ndarray (R, T, M) or None
        The replicates themselves.
    name : str
        Name of the variable.
    weighted : bool
    level : float
        Level of the interval.
    note : str
        What an explicit ``missing=`` left out.
    """

    table: pd.DataFrame
    se: pd.DataFrame | None
    lower: pd.DataFrame | None
    upper: pd.DataFrame | None
    draws: Array | None
    name: str
    weighted: bool
    level: float
    note: str

    def _title(self) -> str:
        return f"Inequality of {self.name}, {'weighted' if self.weighted else 'unweighted'}"

    def _notes(self) -> list[str]:
        lines = [self.note] if self.note else []
        if self.draws is not None:
            lines.append(f"{len(self.draws)} bootstrap replicates of units; .lower and .upper at level {self.level:g}")
        return lines

    def change(self, first: Any = None, last: Any = None) -> pd.DataFrame:
        """Change of every measure between two times (the first and the last unless given).

        With ``bootstrap=`` the interval accounts for the same units standing in both years.
        """
        a, b = _two_rows(self.table, first, last)
        return _resample.change_table(self.table.to_numpy(), self.draws, a, b, self.table.columns, self.level)

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Draw the measures over time; several measures are drawn relative to the first year, with bands if bootstrapped."""
        heading = _style.title(self.name, lang)
        return measure_lines(self.table, heading, lang, ax, lower=self.lower, upper=self.upper)


def _two_rows(table: pd.DataFrame, first: Any, last: Any) -> tuple[int, int]:
    times = list(table.index)
    if len(times) < 2:
        raise PanelError("a change needs at least two times, the result has one")
    for t in (first, last):
        if t is not None and t not in times:
            raise PanelError(f"there is no time {t}; the result has {_frame.shorten(times, 30)}")
    return (0 if first is None else times.index(first)), (len(times) - 1 if last is None else times.index(last))


def _resolve(measures: Sequence[str] | str) -> dict[str, tuple[Callable[..., Array], str]]:
    wanted = [measures] if isinstance(measures, str) else list(measures)
    out: dict[str, tuple[Callable[..., Array], str]] = {}
    for name in wanted:
        if name in MEASURES:
            out[name] = MEASURES[name]
        elif name.startswith("atkinson(") and name.endswith(")"):
            out[name] = _atkinson_entry(float(name[9:-1]))
        else:
            known = ", ".join([*MEASURES, "atkinson(0.5)"])
            raise ValueError(f"measure {name!r} is not known; choose from {known}")
    if not out:
        raise ValueError("measures is empty; name at least one, e.g. measures=['gini']")
    return out


def _atkinson_entry(epsilon: float) -> tuple[Callable[..., Array], str]:
    if not np.isfinite(epsilon) or epsilon <= 0:
        raise ValueError(f"Atkinson needs epsilon > 0 (0.5 and 1 are usual), got {epsilon}")
    return partial(_kernel.atkinson, epsilon=epsilon), "positive" if epsilon >= 1 else "non-negative"


def check_domain(x: Wide, name: str, domain: str) -> None:
    """Refuse cells a measure is not defined for, naming them."""
    if domain in ("positive", "non-negative"):
        _frame.require(x, positive=domain == "positive", what=name)
    elif domain == "mean":
        mean = (x.values * x.weights).sum(axis=1)
        if (mean <= 0).any():
            raise PanelError(f"{name} needs a positive mean; it is not at {_frame.shorten(x.index()[mean <= 0], 30)}")


def evaluate(x: Wide, measures: Sequence[str] | str, w: Array) -> Array:
    """Values of the measures, ``(..., T, M)``, for weights ``w (..., T, N)``."""
    return np.stack([f(x.values, w) for f, _ in _resolve(measures).values()], axis=-1)


def inequality(
    data: pd.Series | pd.DataFrame,
    measures: Sequence[str] | str = DEFAULT,
    *,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> InequalityResult:
    """Compute inequality measures for every year at once.

    Parameters
    ----------
    data : Series or DataFrame
        Values indexed by (unit, time) or by unit. With a DataFrame, ``value`` names the column and
        ``weights`` may name another one.
    measures : sequence of str
        From ``gini``, ``theil_t``, ``theil_l``, ``cv``, ``sd_log``, ``sd`` and ``atkinson(eps)``.
    weights : Series, mapping or str, optional
        Importance of each unit, e.g. population; indexed like ``data`` or by unit. Default: every unit
        counts once.
    years : (first, last), list or int, optional
        Window; a tuple of two is a range, a list names the years.
    missing : {"raise", "drop_years", "drop_units"}
        What to do with missing cells; the result says what was left out.
    bootstrap : int
        Replicates of a bootstrap over units (the same units in every year).
    level : float
        Level of the percentile interval.
    seed : int, optional
        Seed of the bootstrap.
    value : str, optional

    Returns
    -------
    InequalityResult

    Raises
    ------
    PanelError
        Missing cells, or cells outside the domain of a measure (a zero for Theil L and the standard
        deviation of logs, a negative value for all but ``cv`` and ``sd``), named.
    AlignmentError
        Weights that do not cover the cells.

    Notes
    -----
    Standard deviations divide by N: the provinces are all the provinces. Gini is
    ``sum_ij p_i p_j |x_i - x_j| / (2 mu)``, without the factor N/(N-1) some programs use. Theil T, L:
    Theil (1967); Atkinson (1970). Definitions: `nqpf_spatial.kernels.inequality`.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.Series([1.0, 2.0, 3.0, 4.0], index=["a", "b", "c", "d"], name="income")
    >>> inequality(x, ["gini", "cv", "atkinson(1)"]).table.round(4)
              gini      cv  atkinson(1)
    income  0.25  0.4472       0.1147
    """
    chosen = _resolve(measures)
    x = _frame.wide(data, value=value, weights=weights, years=years, missing=missing)
    for name, (_, domain) in chosen.items():
        check_domain(x, name, domain)
    names = list(chosen)
    point = pd.DataFrame(evaluate(x, names, x.weights), index=x.index(), columns=names)
    if not bootstrap:
        return InequalityResult(point, None, None, None, None, x.name, x.weighted, level, x.note)
    counts = _resample.multiplicities(len(x.units), bootstrap, seed)
    draws = _resample.collect(counts, x.values.size, lambda c: evaluate(x, names, c[:, None, :] * x.weights))
    se, lower, upper = spread(draws, point.index, names, level)
    return InequalityResult(point, se, lower, upper, draws, x.name, x.weighted, level, x.note)


def spread(
    draws: Array | None, index: pd.Index, names: list[str], level: float
) -> tuple[pd.DataFrame | None, pd.DataFrame | None, pd.DataFrame | None]:
    """Standard error and interval of draws ``(R, T, M)`` as labelled tables; None without draws."""
    if draws is None:
        return None, None, None
    low, high = _resample.interval(draws, level)
    se, lower, upper = (pd.DataFrame(a, index=index, columns=names) for a in (draws.std(axis=0, ddof=1), low, high))
    return se, lower, upper


def gini(
    data: pd.Series | pd.DataFrame,
    *,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> InequalityResult:
    """Gini index by year; options as in :func:`inequality`.

    Examples
    --------
    >>> import pandas as pd
    >>> gini(pd.Series([0.0, 0.0, 1.0], index=list("abc"), name="x")).table["gini"].round(4).tolist()
    [0.6667]
    """
    return inequality(
        data, "gini", weights=weights, years=years, missing=missing, bootstrap=bootstrap, level=level, seed=seed, value=value,
    )  # fmt: skip


def atkinson(
    data: pd.Series | pd.DataFrame,
    epsilon: float = 0.5,
    *,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> InequalityResult:
    """Atkinson index by year with inequality aversion ``epsilon > 0``; options as in :func:`inequality`.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.Series([10.0, 20.0, 30.0, 40.0, 50.0], index=list("abcde"), name="x")
    >>> atkinson(x, 0.5).table.iloc[0].round(5).to_dict()
    {'atkinson(0.5)': 0.06315}
    """
    return inequality(
        data, f"atkinson({epsilon:g})", weights=weights, years=years, missing=missing, bootstrap=bootstrap, level=level, seed=seed, value=value,
    )  # fmt: skip


def cv(
    data: pd.Series | pd.DataFrame,
    *,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> InequalityResult:
    """Coefficient of variation by year, divisor N; options as in :func:`inequality`."""
    return inequality(
        data, "cv", weights=weights, years=years, missing=missing, bootstrap=bootstrap, level=level, seed=seed, value=value,
    )  # fmt: skip


def sd_log(
    data: pd.Series | pd.DataFrame,
    *,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    bootstrap: int = 0,
    level: float = 0.95,
    seed: int | None = 0,
    value: str | None = None,
) -> InequalityResult:
    """Standard deviation of logarithms by year, divisor N; options as in :func:`inequality`."""
    return inequality(
        data, "sd_log", weights=weights, years=years, missing=missing, bootstrap=bootstrap, level=level, seed=seed, value=value,
    )  # fmt: skip
