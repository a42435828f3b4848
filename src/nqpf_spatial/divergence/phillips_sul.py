"""Convergence clubs of Phillips and Sul: log t test, clustering, merging, relative transition paths."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _codebook, _frame, _style
from nqpf_spatial.divergence._frame import Array, Missing, Wide, Years
from nqpf_spatial.divergence._result import Result, Test, check_choice
from nqpf_spatial.errors import PanelError, warn
from nqpf_spatial.kernels import convergence as _kernel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Trim = Literal["code", "paper"]
LongRun = Literal["phillips-sul", "andrews"]
Sieve = Literal["raise", "fixed", "one_by_one"]
Merge = Literal["phillips-sul", "von-lyncker-thoennessen"] | None


class UnitDependenceWarning(UserWarning):
    """The log t test of a logged series hangs on its unit of measurement: the mean of the logs is small."""


_COLUMNS = ["size", "beta", "se", "tstat", "pvalue", "convergent"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ClubsResult(Result):
    """Clubs of converging units.

    Attributes
    ----------
    table : DataFrame
        One row per club (highest first): size, slope of log t (twice the speed), standard error, t,
        one-sided p, whether its own test passes.
    members : dict of int to tuple
        Units of each club.
    membership : Series
        Club of each unit; ``<NA>`` for divergent units.
    divergent : tuple
        Units in no club.
    initial : DataFrame
        The clubs before merging, with the merged club each went into.
    log_t : Test
        Test of the whole panel.
    beta : float
        Its slope.
    paths : DataFrame
        Relative transition paths ``h_it``, years in rows.
    indicative : bool
        The panel is shorter than ``indicative_below`` years.
    """

    table: pd.DataFrame
    members: dict[int, tuple[object, ...]]
    membership: pd.Series
    divergent: tuple[object, ...]
    initial: pd.DataFrame
    log_t: Test
    beta: float
    paths: pd.DataFrame
    indicative: bool
    name: str
    settings: str
    note: str

    @property
    def n_clubs(self) -> int:
        """Number of clubs after merging."""
        return len(self.table)

    def _title(self) -> str:
        tag = ", indicative (short panel)" if self.indicative else ""
        found = f"{self.n_clubs} clubs, {len(self.divergent)} divergent units"
        return f"Convergence clubs of {self.name}: {found}{tag}"

    def _notes(self) -> list[str]:
        lines = [f"club {k}: {', '.join(map(str, units))}" for k, units in self.members.items()]
        if self.divergent:
            lines.append(f"divergent: {', '.join(map(str, self.divergent))}")
        return [*lines, str(self.log_t), self.settings, *([self.note] if self.note else [])]

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Relative transition paths, thin for units and thick for the mean of each club."""
        ax = _style.new_axes(ax, lang)
        years = self.paths.index
        for k, units in self.members.items():
            colour = _style.COLOURS[(k - 1) % len(_style.COLOURS)]
            part = self.paths[list(units)]
            ax.plot(years, part, color=colour, lw=0.6, alpha=0.45)
            label = f"{_style.word('club', lang)} {k} ({len(units)})"
            ax.plot(years, part.mean(axis=1), color=colour, lw=2.4, label=label)
        if self.divergent:
            part = self.paths[list(self.divergent)]
            ax.plot(years, part, color="0.55", lw=0.8, ls=":")
            ax.plot(
                [],
                [],
                color="0.55",
                ls=":",
                label=f"{_style.word('divergent', lang)} ({len(self.divergent)})",
            )
        ax.axhline(1.0, color="black", lw=0.7)
        ax.set_ylabel(_style.word("relative transition path", lang))
        ax.set_title(_style.title(self.name, lang), loc="left")
        ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
        _style.year_ticks(ax)
        return _style.finish(ax, lang)


def _trend(x: Wide, log: bool, hp_lambda: float | None) -> Array:
    """Filtered (log) series, ``(N, T)``."""
    y = x.values.T
    if log:
        _frame.require(x, positive=True, what="the logarithm in the log t test")
        y = np.log(y)
    mean = y.mean(axis=0)
    if (mean <= 0).any() or (y <= 0).any():
        low = [u for u, row in zip(x.units, y, strict=True) if (row <= 0).any()]
        raise PanelError(
            f"relative paths divide by the cross-section mean: {'logs of ' if log else ''}{x.name} must be "
            f"positive, they are not for {_frame.shorten(low)}. {_way_out(x.name, log)}"
        )
    if log and (mean[-1] / mean[0]) ** 2 > 1.5:
        _warn_unit(x.name, mean)
    if hp_lambda is None:
        return y
    if hp_lambda <= 0:
        raise ValueError(f"hp_lambda={hp_lambda} must be positive, or None for no filter")
    from statsmodels.tsa.filters.hp_filter import hpfilter

    return np.stack([np.asarray(hpfilter(row, lamb=hp_lambda)[1]) for row in y])


def _way_out(name: str, log: bool) -> str:
    """What to do about values (or logs) that are not positive."""
    if not log:
        return "Relative paths do not exist for such a variable; take another one, or its logarithm with log=True"
    unit = _codebook.unit_of(name)
    measured = f" ({name} is measured in {unit})" if unit else ""
    return (
        f"Measure in a smaller unit, e.g. multiply by 10,000: clubs(1e4 * x) with yuan instead of 10,000 yuan{measured}, "
        "or say log=False; the test is not invariant to either"
    )


def _warn_unit(name: str, mean: Array) -> None:
    warn(
        f"the mean of the logs of {name} goes from {mean[0]:.2f} to {mean[-1]:.2f}, which alone divides the variance "
        f"of the relative paths by {(mean[-1] / mean[0]) ** 2:.1f} and looks like convergence. Measure in smaller "
        "units (yuan instead of 10,000 yuan), so that the logs are large",
        UnitDependenceWarning,
    )


def _setup(t: int, r: float, trim: Trim, long_run: LongRun, critical: float) -> _kernel.Setup:
    check_choice("trim", trim, ("code", "paper"))
    check_choice("long_run", long_run, ("phillips-sul", "andrews"))
    if not 0.0 < r < 1.0:
        raise ValueError(f"r={r} must lie between 0 and 1; the authors advise 0.3 for T below 50, 0.2 above 100")
    start = max(2, math.floor(r * t) if trim == "paper" else math.floor(r * t + 0.5) + 1)
    if t - start + 1 < 5:
        raise PanelError(
            f"the log t regression would have {t - start + 1} points (T = {t}, r = {r}), it needs 5 or more: "
            "use a longer panel"
        )
    return _kernel.Setup(start, long_run == "andrews", critical)


def _prepare(
    data: pd.Series | pd.DataFrame,
    value: str | None,
    years: Years,
    missing: Missing,
    log: bool,
    hp: float | None,
) -> tuple[Wide, Array]:
    x = _frame.wide(data, value=value, years=years, missing=missing)
    _frame.require_times(x, "a path over time")
    distance = np.diff(np.asarray(x.times, dtype=float))
    if len(np.unique(distance)) > 1:
        raise PanelError(f"the log t test needs equally spaced times; {x.name} has {_frame.shorten(x.times, 30)}")
    return x, _trend(x, log, hp)


def _as_test(found: _kernel.LogT, setup: _kernel.Setup, t: int, series: str) -> Test:
    note = f"slope {found.beta:.4f}, se {found.se:.4f}, t = {setup.start}..{t}" + (f", {series}" if series else "")
    rejected = found.tstat < setup.critical
    decision = f"{'rejected' if rejected else 'not rejected'} (t {'<' if rejected else '>='} {setup.critical:g})"
    return Test("log t", found.tstat, None, found.pvalue, "all units converge", note, decision)


def log_t(
    data: pd.Series | pd.DataFrame,
    *,
    hp_lambda: float | None = 400.0,
    log: bool = True,
    r: float = 0.3,
    trim: Trim = "code",
    long_run: LongRun = "phillips-sul",
    critical: float = -1.65,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> Test:
    """Phillips-Sul test that all units converge.

    Parameters
    ----------
    data : Series or DataFrame
        Positive values by (unit, time), times equally spaced; see :func:`inequality` for ``years``,
        ``missing``, ``value``.
    hp_lambda : float or None
        Hodrick-Prescott smoothing of each (log) series, 400 for annual data in Phillips and Sul; None if
        the series are trends already.
    log : bool
        Take logarithms first. The test of a logged series is not invariant to the unit of measurement:
        growth of the mean log shrinks the relative variance by itself, much so where the logs are small.
        Measure in small units (yuan, not 10,000 yuan).
    r : float
        Share of early periods left out.
    trim : {"code", "paper"}
        Leave out ``round(r T)`` periods, as the authors' program, Stata and R do, or start at ``[r T]``, as
        the paper writes.
    long_run : {"phillips-sul", "andrews"}
        Long-run variance of the residuals: arithmetic of the authors' program (as Stata and R), or of the
        textbook. They differ in short panels.
    critical : float
        One-sided critical value.

    Returns
    -------
    Test
        ``statistic`` is t; the slope stands in the note.

    Warns
    -----
    UnitDependenceWarning
        The mean log grows so much that this alone divides the relative variance by 1.5 or more.

    Notes
    -----
    ``log(H_1/H_t) - 2 log(log t) = a + b log t + u_t`` with ``H_t`` the cross-section variance of
    ``h_it = y_it / mean_i y_it``; b is twice the speed of convergence. Phillips and Sul (2007, 2009).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> index = pd.MultiIndex.from_product([range(10), range(2000, 2030)], names=["unit", "year"])
    >>> gap = rng.normal(size=(10, 1)) / np.arange(1, 31) ** 1.5
    >>> y = pd.Series((8 + 0.02 * np.arange(30) + gap).ravel(), index=index, name="y")
    >>> log_t(y, log=False, hp_lambda=None).pvalue > 0.5
    True
    """
    x, y = _prepare(data, value, years, missing, log, hp_lambda)
    setup = _setup(y.shape[1], r, trim, long_run, critical)
    return _as_test(_whole(x, y, setup), setup, y.shape[1], x.note)


def _whole(x: Wide, y: Array, setup: _kernel.Setup) -> _kernel.LogT:
    found = _kernel.log_t(y, setup)
    if math.isnan(found.tstat):
        raise PanelError(
            f"the log t test of {x.name} does not exist: the units are identical in some year, or the "
            "long-run variance of this short series is not positive (try long_run='andrews')"
        )
    return found


def clubs(
    data: pd.Series | pd.DataFrame,
    *,
    merge: Merge = "phillips-sul",
    absorb_divergent: bool = False,
    sieve: Sieve = "raise",
    c: float = 0.0,
    c_step: float = 0.05,
    order_by: float = 0.0,
    hp_lambda: float | None = 400.0,
    log: bool = True,
    r: float = 0.3,
    trim: Trim = "code",
    long_run: LongRun = "phillips-sul",
    critical: float = -1.65,
    indicative_below: int = 15,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> ClubsResult:
    """Find clubs of units that converge among themselves (R-CLUB).

    Parameters
    ----------
    data, hp_lambda, log, r, trim, long_run, critical, years, missing, value
        See :func:`log_t`.
    merge : {"phillips-sul", "von-lyncker-thoennessen"} or None
        Merge neighbouring clubs in turn (Phillips and Sul 2009), or the first pair whose union passes and
        beats the next pair, again and again (von Lyncker and Thoennessen 2017).
    absorb_divergent : bool
        Afterwards give divergent units to clubs that still pass with them (von Lyncker and Thoennessen).
    sieve : {"raise", "fixed", "one_by_one"}
        How units join the core group: criterion ``c``, raised by ``c_step`` until the club passes (Phillips
        and Sul 2007, Stata's default); without raising (R's default); or one unit at a time if the club
        fails (Schnurbus, Haupt and Meier 2016, Stata's ``adjust``).
    c, c_step : float
        Sieve criterion c* and its increment.
    order_by : float
        0: units are ordered by the last period; else by the mean of this last share of periods.
    indicative_below : int
        Panels with fewer periods are labelled indicative.

    Returns
    -------
    ClubsResult

    Notes
    -----
    Step 2 takes the core group with the largest t. (R's ConvergenceClubs 1.4 took the largest absolute t.)
    If the whole panel passes there is one club. A subgroup whose statistic does not exist counts as failing.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> index = pd.MultiIndex.from_product([list("abcdefgh"), range(1990, 2020)], names=["unit", "year"])
    >>> level = np.repeat([9.0, 6.0], 4)[:, None]
    >>> gap = rng.normal(size=(8, 1)) / np.arange(1, 31)
    >>> y = pd.Series((level + 0.02 * np.arange(30) + gap).ravel(), index=index, name="y")
    >>> clubs(y, log=False, hp_lambda=None).membership.to_dict()
    {'a': 1, 'b': 1, 'c': 1, 'd': 1, 'e': 2, 'f': 2, 'g': 2, 'h': 2}
    """
    check_choice("merge", merge, ("phillips-sul", "von-lyncker-thoennessen", None))
    check_choice("sieve", sieve, ("raise", "fixed", "one_by_one"))
    if c_step <= 0 or not 0.0 <= order_by < 1.0:
        raise ValueError(f"c_step={c_step} must be positive and order_by={order_by} in [0, 1)")
    x, y = _prepare(data, value, years, missing, log, hp_lambda)
    setup = _setup(y.shape[1], r, trim, long_run, critical)
    whole = _whole(x, y, setup)
    key = y[:, -max(1, math.ceil(order_by * y.shape[1])) :].mean(axis=1)
    first, divergent = _kernel.find_clubs(y, key, setup, sieve, c, c_step)
    into = _merged(y, first, setup, merge)
    final = [np.sort(np.concatenate([first[i] for i in group])) for group in into]
    if absorb_divergent:
        final, divergent = _kernel.absorb(y, final, divergent, setup)
    how = f"r = {r} ({trim}), long-run variance {long_run}, sieve {sieve} c = {c}, merging {merge}"
    settings = f"log {log}, HP lambda {hp_lambda}, {how}"
    names = {k + 1: tuple(x.units[i] for i in part) for k, part in enumerate(final)}
    return ClubsResult(
        table=_club_table(y, final, setup),
        members=names,
        membership=_membership(x, final),
        divergent=tuple(x.units[i] for i in divergent),
        initial=_initial(y, first, into, setup),
        log_t=_as_test(whole, setup, y.shape[1], ""),
        beta=whole.beta,
        paths=pd.DataFrame(_kernel.relative_paths(y).T, index=x.index(), columns=pd.Index(x.units, name=x.unit_name)),
        indicative=y.shape[1] < indicative_below,
        name=x.name,
        settings=settings,
        note=x.note,
    )


def _merged(y: Array, first: list[np.ndarray], setup: _kernel.Setup, merge: Merge) -> list[list[int]]:
    if merge is None or len(first) < 2:
        return [[k] for k in range(len(first))]
    function = _kernel.merge_in_turn if merge == "phillips-sul" else _kernel.merge_best
    return function(y, first, setup)


def _club_table(y: Array, parts: list[np.ndarray], setup: _kernel.Setup) -> pd.DataFrame:
    rows = []
    for part in parts:
        f = _kernel.log_t(y, setup, part)
        rows.append([len(part), f.beta, f.se, f.tstat, f.pvalue, f.tstat > setup.critical])
    return pd.DataFrame(rows, index=pd.Index(range(1, len(parts) + 1), name="club"), columns=_COLUMNS)


def _initial(y: Array, first: list[np.ndarray], into: list[list[int]], setup: _kernel.Setup) -> pd.DataFrame:
    table = _club_table(y, first, setup)
    table["merged_into"] = [next(k for k, group in enumerate(into, 1) if i in group) for i in range(len(first))]
    return table


def _membership(x: Wide, parts: list[np.ndarray]) -> pd.Series:
    club = pd.Series(pd.NA, index=pd.Index(x.units, name=x.unit_name), dtype="Int64", name="club")
    for k, part in enumerate(parts, 1):
        club.iloc[part] = k
    return club
