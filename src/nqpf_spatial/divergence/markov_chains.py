"""Mobility between classes: Markov and spatial Markov chains, their long run, Shorrocks' index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.divergence import _frame, _style
from nqpf_spatial.divergence._frame import Array, Missing, Wide, Years
from nqpf_spatial.divergence._result import Result, Test, check_choice
from nqpf_spatial.errors import AlignmentError, PanelError
from nqpf_spatial.kernels import markov as _kernel
from nqpf_spatial.weights.guards import require_weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.weights import SpatialWeights

Classes = Literal["pooled", "yearly"]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MarkovResult(Result):
    """Markov chain of classes.

    Attributes
    ----------
    table : DataFrame
        Transition probabilities, origin in rows.
    counts : DataFrame
        Transitions behind them.
    se : DataFrame
        Standard errors ``sqrt(p (1 - p) / n)`` (Anderson and Goodman 1957).
    ergodic : Series or DataFrame
        Long-run distribution; one row per recurrent set where the chain has several.
    classes : DataFrame
        Class of each unit by year, 0 the lowest.
    cutoffs : ndarray or None
        Inner class limits (None with yearly classes).
    shorrocks : float
        Trace index of mobility.
    skipped : tuple
        Pairs of years that are not one step apart and gave no transitions.
    """

    table: pd.DataFrame
    counts: pd.DataFrame
    se: pd.DataFrame
    ergodic: pd.Series | pd.DataFrame
    classes: pd.DataFrame
    cutoffs: Array | None
    shorrocks: float
    skipped: tuple[tuple[Any, Any], ...]
    name: str
    note: str

    def _title(self) -> str:
        return f"Markov chain of {self.name}, {len(self.table)} classes, Shorrocks mobility {self.shorrocks:.4f}"

    def _notes(self) -> list[str]:
        lines = ["ergodic: " + ", ".join(f"{v:.4f}" for v in np.atleast_2d(self.ergodic.to_numpy())[0])]
        if isinstance(self.ergodic, pd.DataFrame):
            lines[0] = f"no unique long run: {len(self.ergodic)} sets of classes that are never left"
        if self.skipped:
            lines.append(f"no transition counted over gaps: {_frame.shorten(self.skipped)}")
        return lines + ([self.note] if self.note else [])

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Transition probabilities as a shaded table."""
        ax = _style.new_axes(ax, lang, (4.6, 4.2))
        shade(ax, self.table, lang)
        ax.set_title(_style.title(self.name, lang), loc="left")
        return _style.finish(ax, lang, grid=False)


def shade(ax: Axes, table: pd.DataFrame, lang: str) -> None:
    """A matrix of probabilities with the numbers in its cells."""
    p = table.to_numpy(dtype=float)
    ax.imshow(p, cmap="Blues", vmin=0, vmax=1)
    for (i, j), value in np.ndenumerate(p):
        if np.isfinite(value):
            ax.text(j, i, f"{value:.2f}", ha="center", va="center", color="white" if value > 0.6 else "black")
    ax.set_xticks(range(len(p)), [str(c + 1) for c in range(len(p))])
    ax.set_yticks(range(len(p)), [str(c + 1) for c in range(len(p))])
    ax.set_xlabel(_style.word("to class", lang))
    ax.set_ylabel(_style.word("from class", lang))


def _relative(x: Wide, relative: bool) -> Array:
    if not relative:
        return x.values
    mean = x.values.mean(axis=1, keepdims=True)
    if (mean <= 0).any():
        bad = x.index()[(mean <= 0)[:, 0]]
        raise PanelError(f"relative=True divides by the mean, which is not positive at {_frame.shorten(bad)}")
    return x.values / mean


def _codes(v: Array, k: int, classes: Classes | Sequence[float], x: Wide) -> tuple[Codes, Array | None, int]:
    """Class of every cell, the limits, the number of classes."""
    if not isinstance(classes, str):
        limits = np.asarray(classes, dtype=float)
        if limits.ndim != 1 or len(limits) < 1 or (np.diff(limits) <= 0).any():
            raise ValueError(f"classes={classes!r}: inner limits must rise, e.g. [0.75, 1.0, 1.25]")
        return _kernel.classify(v, limits), limits, len(limits) + 1
    check_choice("classes", classes, ("pooled", "yearly"))
    if k < 2:
        raise ValueError(f"k={k} classes: at least two are needed")
    blocks = [v] if classes == "pooled" else list(v)
    limits_of = [_kernel.quantile_cutoffs(b, k) for b in blocks]
    for t, limits, b in zip([None] if classes == "pooled" else x.times, limits_of, blocks, strict=True):
        if (np.diff(limits) <= 0).any() or limits[-1] >= b.max():
            where = "" if t is None else f" at {t}"
            raise PanelError(f"ties leave fewer than {k} classes of {x.name}{where}; lower k or give the limits")
    if classes == "pooled":
        return _kernel.classify(v, limits_of[0]), limits_of[0], k
    return np.stack([_kernel.classify(b, c) for b, c in zip(blocks, limits_of, strict=True)]), None, k


def _steps(x: Wide, gaps: Literal["raise", "skip"]) -> tuple[list[int], tuple[tuple[Any, Any], ...]]:
    """Rows a transition starts from, and the pairs of years that are further apart than one step."""
    check_choice("gaps", gaps, ("raise", "skip"))
    _frame.require_times(x, "a Markov chain")
    distance = np.diff(np.asarray(x.times, dtype=float))
    step = distance.min()
    far = tuple((x.times[i], x.times[i + 1]) for i in np.flatnonzero(distance > step))
    if far and gaps == "raise":
        raise PanelError(
            f"{x.name}: the times {_frame.shorten(far)} are further apart than the others; a move over a gap "
            "is not a one-step transition. Say gaps='skip' to count none there"
        )
    return [int(i) for i in np.flatnonzero(distance == step)], far


def markov(
    data: pd.Series | pd.DataFrame,
    *,
    k: int = 4,
    classes: Classes | Sequence[float] = "pooled",
    relative: bool = True,
    gaps: Literal["raise", "skip"] = "raise",
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> MarkovResult:
    """Markov chain of classes with its long run and Shorrocks' mobility.

    Parameters
    ----------
    data : Series or DataFrame
        Values by (unit, time); see :func:`inequality` for ``years``, ``missing``, ``value``.
    k : int
        Number of quantile classes.
    classes : {"pooled", "yearly"} or sequence of float
        Quantiles of all years together, of each year by itself, or the inner limits themselves.
    relative : bool
        Divide each year by its mean first, so that common growth is not mobility.
    gaps : {"raise", "skip"}
        What to do with years that are further apart than the others.

    Returns
    -------
    MarkovResult

    Raises
    ------
    PanelError
        Fewer classes than asked for because of ties; a class without departures, named.

    Notes
    -----
    ``p_ij = n_ij / n_i``; Shorrocks (1978) ``(k - tr P)/(k - 1)``; limits belong to the class below, as in
    mapclassify and giddy.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_product([list("abcd"), [2000, 2001, 2002]], names=["unit", "year"])
    >>> x = pd.Series([1, 1, 2, 2, 3, 3, 3, 2, 2, 4, 4, 4.0], index=index, name="x")
    >>> markov(x, classes=[2.5], relative=False).table.round(2).to_numpy().tolist()
    [[0.75, 0.25], [0.25, 0.75]]
    """
    x = _frame.wide(data, value=value, years=years, missing=missing)
    codes, limits, k = _codes(_relative(x, relative), k, classes, x)
    rows, skipped = _steps(x, gaps)
    counts = _kernel.transition_counts(codes[rows].ravel(), codes[[r + 1 for r in rows]].ravel(), k)
    if (counts.sum(axis=1) == 0).any():
        empty = np.flatnonzero(counts.sum(axis=1) == 0) + 1
        raise PanelError(f"no unit is ever in class {_frame.shorten(empty)} of {k} before the last year; lower k")
    p = _kernel.probabilities(counts)
    labels = pd.Index(range(1, k + 1), name="from")
    columns = pd.Index(range(1, k + 1), name="to")
    run = _kernel.long_run(p)
    ergodic: pd.Series | pd.DataFrame = pd.DataFrame(run.stationary, columns=columns)
    if len(run.recurrent) == 1:
        ergodic = pd.Series(run.stationary[0], index=pd.Index(range(1, k + 1), name="class"), name="ergodic")
    se = np.sqrt(p * (1.0 - p) / counts.sum(axis=1, keepdims=True))
    table, moves, error = (pd.DataFrame(a, index=labels, columns=columns) for a in (p, counts, se))
    shown = pd.DataFrame(codes, index=x.index(), columns=pd.Index(x.units, name=x.unit_name))
    return MarkovResult(table, moves, error, ergodic, shown, limits, _kernel.shorrocks(p), skipped, x.name, x.note)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SpatialMarkovResult(Result):
    """Markov chains conditioned on the class of the neighbours.

    Attributes
    ----------
    table : DataFrame
        Conditional transition probabilities, rows (neighbours, from); NaN where no unit was there.
    counts : DataFrame
        Transitions behind them.
    pooled : DataFrame
        Probabilities without conditioning.
    tests : dict of str to Test
        ``lr`` and ``q``: are the chains the same whatever the neighbours (Bickenbach and Bode 2003)?
    ergodic : DataFrame or None
        Long run per class of neighbours; None where a conditional chain has no unique one.
    cutoffs, lag_cutoffs : ndarray or None
    """

    table: pd.DataFrame
    counts: pd.DataFrame
    pooled: pd.DataFrame
    tests: dict[str, Test]
    ergodic: pd.DataFrame | None
    cutoffs: Array | None
    lag_cutoffs: Array | None
    name: str
    w_name: str
    note: str

    def _title(self) -> str:
        return f"Spatial Markov chain of {self.name}, W = {self.w_name}"

    def _notes(self) -> list[str]:
        return [str(t) for t in self.tests.values()] + ([self.note] if self.note else [])

    def plot(self, *, lang: str = "en", ax: Any = None) -> Axes:
        """One shaded table per class of neighbours, side by side; ``ax`` is an array of axes if given."""
        import matplotlib.pyplot as plt

        _style.check_lang(lang)
        keys = list(dict.fromkeys(self.table.index.get_level_values(0)))
        if ax is None:
            size = (2.6 * len(keys) + 0.4, 3.4)
            ax = plt.subplots(1, len(keys), figsize=size, layout="constrained", sharey=True)[1]
        for one, key in zip(np.ravel(ax), keys, strict=True):
            shade(one, self.table.loc[key], lang)
            one.set_ylabel(one.get_ylabel() if key == keys[0] else "")
            one.set_title(f"{_style.word('neighbours', lang)} {key}")
            _style.finish(one, lang, grid=False)
        return np.ravel(ax)[0]


def spatial_markov(
    data: pd.Series | pd.DataFrame,
    w: SpatialWeights,
    *,
    k: int = 4,
    m: int | None = None,
    classes: Literal["pooled", "yearly"] = "pooled",
    relative: bool = True,
    years: Years = None,
    missing: Missing = "raise",
    value: str | None = None,
) -> SpatialMarkovResult:
    """Markov chains of units grouped by the class of their neighbours, by giddy.

    Parameters
    ----------
    data : Series or DataFrame
        Values by (unit, time), years one step apart.
    w : SpatialWeights
        Its units must be those of the data; it is row-standardised for the lag.
    k, m : int
        Classes of the values and of the spatial lags; ``m`` defaults to ``k``.
    classes : {"pooled", "yearly"}
    relative : bool
        Divide each year by its mean first.

    Returns
    -------
    SpatialMarkovResult

    Raises
    ------
    AlignmentError
        Units of the data and of ``w`` differ, named.

    Notes
    -----
    Rey (2001); tests of homogeneity by Bickenbach and Bode (2003) as giddy computes them.
    """
    from giddy.markov import Spatial_Markov

    check_choice("classes", classes, ("pooled", "yearly"))
    x = _frame.wide(data, value=value, years=years, missing=missing)
    _steps(x, "raise")
    m = k if m is None else m
    v = _relative(x, relative)
    _codes(v, k, classes, x)
    order = _match(x, w)
    pysal = w.with_transform("row").to_W()
    found = Spatial_Markov(v.T[order], pysal, k=k, m=m, fixed=classes == "pooled", variable_name=x.name)
    near, own, to = (pd.Index(range(1, n + 1)) for n in (m, k, k))
    rows = pd.MultiIndex.from_product([near, own], names=["neighbours", "from"])
    counts = pd.DataFrame(np.concatenate(found.T), index=rows, columns=to.rename("to"))
    table = counts.div(counts.sum(axis=1).where(lambda s: s > 0), axis=0)
    null = "the transition probabilities do not depend on the neighbours"
    tests = {
        "lr": Test("LR", float(found.LR), float(found.dof_hom), float(found.LR_p_value), null),
        "q": Test("Q", float(found.Q), float(found.dof_hom), float(found.Q_p_value), null),
    }
    ergodic = None
    if all(np.isfinite(table.loc[h].to_numpy()).all() for h in near):
        runs = [_kernel.long_run(table.loc[h].to_numpy()) for h in near]
        if all(len(r.recurrent) == 1 for r in runs):
            ergodic = pd.DataFrame(
                np.vstack([r.stationary for r in runs]), index=near.rename("neighbours"), columns=own
            )
    fixed = classes == "pooled"
    limits = (np.asarray(found.cutoffs) if fixed else None, np.asarray(found.lag_cutoffs) if fixed else None)
    pooled = pd.DataFrame(found.p, index=own.rename("from"), columns=to.rename("to"))
    return SpatialMarkovResult(table, counts, pooled, tests, ergodic, *limits, x.name, w.name, x.note)


def _match(x: Wide, w: SpatialWeights) -> list[int]:
    """Positions of the units of ``w`` among those of ``x``."""
    require_weights(w)
    place = {_frame.key(u): i for i, u in enumerate(x.units)}
    mine = [_frame.key(u) for u in w.ids]
    unknown = [u for u, key in zip(w.ids, mine, strict=True) if key not in place]
    absent = [u for u in x.units if _frame.key(u) not in set(mine)]
    if unknown or absent:
        parts = [f"not in the data: {_frame.shorten(unknown)}"] if unknown else []
        parts += [f"not in {w.name}: {_frame.shorten(absent)}"] if absent else []
        raise AlignmentError(f"units of {x.name} and of W differ; {'; '.join(parts)}; use w.subset(...)")
    return [place[key] for key in mine]
