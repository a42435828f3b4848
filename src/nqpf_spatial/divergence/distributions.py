"""Distributions over time: kernel densities, ridge plots, Silverman's test for the number of modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame, _style
from nqpf_spatial.divergence._frame import Array, Groups, GroupSpec, Missing, WeightSpec, Wide, Years
from nqpf_spatial.divergence._result import Result, Test
from nqpf_spatial.errors import PanelError
from nqpf_spatial.kernels import density as _kernel

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DensityResult(Result):
    """Kernel densities by year.

    Attributes
    ----------
    table : DataFrame
        By year: bandwidth, number of modes, main mode, 10th and 90th percentile of the density.
    curves : DataFrame
        Density on the grid (rows); columns years, or (group, year).
    """

    table: pd.DataFrame
    curves: pd.DataFrame
    name: str
    axis: str
    groups: tuple[Any, ...]
    note: str

    def _title(self) -> str:
        return f"Kernel densities of {self.name}"

    def _notes(self) -> list[str]:
        return [self.note] if self.note else []

    def plot(self, *, lang: str = "en", ax: Any = None) -> Axes:
        """Ridge plot: one curve per year, the latest at the bottom; one panel per group.

        With groups ``ax`` is an array of as many axes.
        """
        import matplotlib.pyplot as plt

        _style.check_lang(lang)
        panels = list(self.groups) or [None]
        if ax is None:
            size = (3.0 * len(panels) + (2.4 if len(panels) == 1 else 0.6), 5.0)
            ax = plt.subplots(1, len(panels), figsize=size, layout="constrained", sharey=True, sharex=True)[1]
        for k, (one, group) in enumerate(zip(np.ravel(ax), panels, strict=True)):
            part = self.curves if group is None else self.curves[group]
            _ridge(one, part, _style.COLOURS[k % len(_style.COLOURS)])
            one.set_title(self.name if group is None else _style.word(group, lang), loc="left")
            one.set_xlabel(_style.word(self.axis, lang))
            _style.finish(one, lang, grid=False)
        return np.ravel(ax)[0]


def _ridge(ax: Axes, curves: pd.DataFrame, colour: str) -> None:
    """One row per year; the highest curve of the panel reaches over about two rows."""
    years = list(curves.columns)
    scale = 2.2 / float(np.nanmax(curves.to_numpy()))
    for row, year in enumerate(years):
        base = len(years) - 1.0 - row
        f = base + scale * curves[year].to_numpy()
        ax.fill_between(curves.index, base, f, color=colour, alpha=0.75, lw=0, zorder=row + 1)
        ax.plot(curves.index, f, color="white", lw=1.0, zorder=row + 1)
    ax.set_yticks(np.arange(len(years))[::-1], [str(y) for y in years])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _transformed(x: Wide, relative: bool, log: bool) -> tuple[Array, str]:
    v = x.values
    if relative:
        _frame.require(x, positive=False, what="a relative distribution")
        v = v / ((v * x.weights).sum(axis=1) / x.weights.sum(axis=1))[:, None]
    if log:
        _frame.require(x, positive=True, what="a distribution of logarithms")
        v = np.log(v)
    return v, "logarithm" if log else "relative to the mean" if relative else "value"


def densities(
    data: pd.Series | pd.DataFrame,
    *,
    groups: GroupSpec | None = None,
    relative: bool = True,
    log: bool = False,
    bandwidth: float | None = None,
    points: int = 256,
    weights: WeightSpec = None,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> DensityResult:
    """Gaussian kernel densities of every year, on one grid.

    Parameters
    ----------
    data : Series or DataFrame
        Values by (unit, time) or by unit; see :func:`inequality` for the common options.
    groups : scheme, Series, mapping or column name, optional
        One set of curves per group; each group needs at least three units.
    relative : bool
        Divide each year by its mean.
    log : bool
        Distribution of (relative) logarithms.
    bandwidth : float, optional
        The same for all curves; default Silverman's rule of thumb for each.
    points : int
        Grid points.

    Returns
    -------
    DensityResult

    Notes
    -----
    Silverman (1986). With equal weights and the same bandwidth the curves are those of
    ``scipy.stats.gaussian_kde``.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.Series([1.0, 1.1, 0.9, 3.0, 3.1, 2.9], index=list("abcdef"), name="x")
    >>> int(densities(x, bandwidth=0.2).table["modes"].iloc[0])
    2
    """
    if bandwidth is not None and bandwidth <= 0:
        raise ValueError(f"bandwidth={bandwidth} must be positive, or None for Silverman's rule")
    x = _frame.wide(data, value=value, weights=weights, years=years, missing=missing, min_units=3)
    v, axis = _transformed(x, relative, log)
    g = None if groups is None else _frame.membership(x, groups, data)
    _check_spread(v, x, g)
    parts = {None: np.ones(len(x.units), bool)} if g is None else {n: g.codes == k for k, n in enumerate(g.names)}
    widths = {
        (name, t): bandwidth or _kernel.silverman_bandwidth(v[i, mine], x.weights[i, mine])
        for name, mine in parts.items()
        for i, t in enumerate(x.index())
    }
    reach = 3.0 * max(widths.values())
    grid = np.linspace(v.min() - reach, v.max() + reach, points)
    curves = {
        (t if name is None else (name, t)): _kernel.density(v[i, mine], x.weights[i, mine], widths[(name, t)], grid)
        for name, mine in parts.items()
        for i, t in enumerate(x.index())
    }
    frame = pd.DataFrame(curves, index=pd.Index(grid, name=axis))
    table = _summary(frame, {t if n is None else (n, t): h for (n, t), h in widths.items()})
    return DensityResult(table, frame, x.name, axis, () if g is None else g.names, x.note)


def _check_spread(v: Array, x: Wide, g: Groups | None) -> None:
    if g is not None and (g.size() < 3).any():
        small = [n for n, s in zip(g.names, g.size(), strict=True) if s < 3]
        raise PanelError(f"a density needs at least three units; fewer in {_frame.shorten(small)}")
    codes = np.zeros(v.shape[1], dtype=int) if g is None else g.codes
    for k in np.unique(codes):
        flat = np.ptp(v[:, codes == k], axis=1) == 0
        if flat.any():
            raise PanelError(f"all values of {x.name} are equal at {_frame.shorten(x.index()[flat])}: no density")


def _summary(curves: pd.DataFrame, widths: dict[Any, float]) -> pd.DataFrame:
    grid = curves.index.to_numpy(dtype=float)
    rows = []
    for column in curves.columns:
        f = curves[column].to_numpy()
        rising = np.diff(f) > 0
        cdf = np.cumsum(f) / f.sum()
        low, high = np.interp([0.1, 0.9], cdf, grid)
        modes = int((rising[:-1] & ~rising[1:]).sum())
        rows.append([widths[column], modes, grid[int(np.argmax(f))], low, high])
    names = ["bandwidth", "modes", "main_mode", "p10", "p90"]
    return pd.DataFrame(rows, index=curves.columns, columns=names)


def silverman_test(
    data: pd.Series | pd.DataFrame,
    *,
    modes: int = 1,
    draws: int = 999,
    seed: int | None = 0,
    log: bool = False,
    points: int = 512,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> Test:
    """Silverman's bootstrap test that a distribution has at most ``modes`` modes.

    Parameters
    ----------
    data : Series or DataFrame
        One cross-section: by unit, or by (unit, time) with ``years`` naming one year.
    modes : int
        Number of modes under the null hypothesis; 1 tests for bimodality and more.
    draws : int
        Smoothed bootstrap samples.
    log : bool
        Test the logarithms. (Dividing by the mean changes nothing.)

    Returns
    -------
    Test
        ``statistic`` is the critical bandwidth in units of the (log) data.

    Notes
    -----
    Silverman (1981): samples are drawn from the density at the critical bandwidth ``h_k``, rescaled to the
    variance of the data; p is the share of samples with more than k modes at ``h_k``. The test is
    conservative (Hall and York 2001).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> x = pd.Series(np.concatenate([np.linspace(0, 1, 20), np.linspace(8, 9, 20)]), name="x")
    >>> silverman_test(x, seed=1, draws=199).pvalue < 0.05
    True
    """
    if modes < 1:
        raise ValueError(f"modes={modes}: at least one mode under the null hypothesis")
    x = _frame.wide(data, value=value, years=years, missing=missing, min_units=5)
    if len(x.times) != 1:
        raise PanelError(f"the test needs one year, {x.name} has {_frame.shorten(x.times, 30)}; say years=...")
    v = _transformed(x, False, log)[0][0]
    if len(np.unique(v)) <= modes:
        raise PanelError(f"{x.name} has {len(np.unique(v))} distinct values: too few to test for {modes} modes")
    h = _kernel.critical_bandwidth(v, modes, points)
    samples = _kernel.silverman_draws(v, h, draws, np.random.default_rng(seed))
    more = int((_kernel.count_modes(samples, h, points) > modes).sum())
    null = f"at most {modes} mode{'s' if modes > 1 else ''}"
    return Test("Silverman", h, None, (1.0 + more) / (1.0 + draws), null, f"critical bandwidth, {draws} draws")
