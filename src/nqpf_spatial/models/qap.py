"""Regressions on pairs of units: do larger gaps in one thing go with larger gaps in another?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.errors import AlignmentError, IdentificationError, PanelError
from nqpf_spatial.kernels import qap as kernel
from nqpf_spatial.models.labels import canonical, enumerate_some, match

#: a labelled square matrix, or one per period
Matrices: TypeAlias = pd.DataFrame | Mapping[Any, pd.DataFrame]
EFFECTS: Mapping[str, tuple[bool, bool]] = {
    "none": (False, False),
    "period": (False, True),
    "pair": (True, False),
    "pair + period": (True, True),
}


@dataclass(frozen=True, slots=True, eq=False)
class QapResult:
    """Result of `mrqap`.

    Attributes
    ----------
    table : DataFrame
        One row per regressor: estimate, t (as if pairs were independent), p (permutation), null_sd (standard deviation of the
        estimate over the rearrangements).
    reference : DataFrame
        t statistics of the rearrangements, one column per regressor.
    nobs, units, periods : int
        Pairs times periods used, and what they are made of.
    r2 : float
    effects : str
    directed : bool
    permutations, seed : int
    """

    table: pd.DataFrame
    reference: pd.DataFrame
    nobs: int
    units: int
    periods: int
    r2: float
    effects: str
    directed: bool
    permutations: int
    seed: int

    def _head(self) -> str:
        kind = "directed" if self.directed else "undirected"
        return (
            f"MRQAP, {self.units} units, {self.periods} period(s), {self.nobs} {kind} pairs, effects: {self.effects}; "
            f"{self.permutations} permutations, seed {self.seed}; R2 {self.r2:.3f}"
        )

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.table.to_string(float_format=lambda v: f'{v:.4g}')}"

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>{self.table.to_html(float_format=lambda v: f'{v:.4g}')}"


def pairwise_gaps(data: pd.Series | pd.DataFrame) -> pd.DataFrame | dict[Hashable, pd.DataFrame]:
    r"""Matrix of absolute differences between units, one per period where there are periods.

    Parameters
    ----------
    data : Series or DataFrame
        Indexed by unit, or by (unit, period). Of a frame the differences of all columns are added up:
        :math:`\sum_c |x_{ic} - x_{jc}|`, the distance behind Krugman's index where the columns are shares.

    Returns
    -------
    DataFrame or dict of DataFrame
        Square, labelled by unit in both directions, zeros on the diagonal.

    Raises
    ------
    PanelError
        Missing values, named.

    Examples
    --------
    >>> import pandas as pd
    >>> pairwise_gaps(pd.Series([1.0, 4.0, 2.0], index=list("abc"))).loc["a"].tolist()
    [0.0, 3.0, 1.0]
    """
    frame = data.to_frame() if isinstance(data, pd.Series) else data
    if frame.isna().any(axis=None):
        where = [str(i) for i in frame.index[frame.isna().any(axis=1)]]
        raise PanelError(f"missing values at {enumerate_some(where)}: leave out the units or periods yourself")
    if frame.index.nlevels == 1:
        values = frame.to_numpy(dtype=float)
        gaps = np.abs(values[:, None, :] - values[None, :, :]).sum(axis=2)
        return pd.DataFrame(gaps, index=frame.index, columns=frame.index)
    found: dict[Hashable, pd.DataFrame] = {}
    for period, part in frame.groupby(level=1):
        one = pairwise_gaps(part.droplevel(1))
        assert isinstance(one, pd.DataFrame)
        found[period] = one
    return found


def mrqap(
    outcome: Matrices,
    regressors: Mapping[str, Matrices],
    *,
    effects: str | None = None,
    directed: bool = False,
    tested: Sequence[str] | None = None,
    permutations: int = 4999,
    seed: int = 0,
) -> QapResult:
    """Regress one matrix of pairs on others, with inference by permutation of units.

    Parameters
    ----------
    outcome : DataFrame or mapping of period to DataFrame
        Square matrix labelled by unit, or one per period; the diagonal is not used.
    regressors : mapping of str to the same
        In any order of units and periods.
    effects : {"none", "period", "pair", "pair + period"}, optional
        "none" (with a constant) for one period, "period" for several, by default. "pair" leaves changes over time only.
    directed : bool
        Use all cells off the diagonal; by default one triangle, and the matrices must be symmetric.
    tested : list of str, optional
        Regressors whose coefficients are tested; all by default. The others are controls without a p-value, which saves time.
    permutations, seed : int

    Returns
    -------
    QapResult

    Raises
    ------
    AlignmentError
        Units or periods differ; the message names them.
    PanelError
        Missing cells, or matrices that are not symmetric.
    IdentificationError
        Regressors that are constant or combinations of one another once the effects are removed.

    Notes
    -----
    Double semi-partialling (Dekker, Krackhardt and Snijders 2007): the residual of a regressor on the others is rearranged, rows
    and columns together and in all periods alike; t statistics are compared, not coefficients, and p counts the data as one
    rearrangement. Least-squares standard errors on pairs are far too small: see the simulation in the tests.

    References
    ----------
    Krackhardt, D. (1988). Predicting with networks: nonparametric multiple regression analysis of dyadic data. Social Networks 10,
    359-381. Dekker, D., D. Krackhardt and T. A. B. Snijders (2007). Sensitivity of MRQAP tests to collinearity and autocorrelation
    conditions. Psychometrika 72, 563-581.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> x = pd.Series(rng.standard_normal(20))
    >>> y = 2 * x + 0.2 * rng.standard_normal(20)
    >>> res = mrqap(pairwise_gaps(y), {"x": pairwise_gaps(x)}, permutations=199)
    >>> round(res.table.loc["x", "estimate"]), res.table.loc["x", "p"]
    (2, np.float64(0.005))
    """
    chosen = effects if effects is not None else "none" if isinstance(outcome, pd.DataFrame) else "period"
    if chosen not in EFFECTS:
        raise ValueError(f"effects={effects!r} is not known; choose one of {', '.join(map(repr, EFFECTS))}")
    if permutations < 99:
        raise ValueError(f"permutations={permutations}: at least 99 are needed, some thousands are usual")
    if not regressors:
        raise ValueError("give at least one regressor")
    names = list(regressors)
    if unknown := [name for name in tested or () if name not in names]:
        raise ValueError(
            f"tested= names {enumerate_some(unknown)}, which are no regressors; they are {', '.join(names)}"
        )
    positions = None if tested is None else tuple(names.index(name) for name in tested)
    frames = {"the outcome": _by_period(outcome), **{name: _by_period(m) for name, m in regressors.items()}}
    units, periods = _labels(frames)
    cube = np.stack([_array(name, m, units, periods, directed) for name, m in frames.items()])
    n = len(units)
    pairs = np.nonzero(~np.eye(n, dtype=bool)) if directed else np.triu_indices(n, 1)
    _check_rank(cube[1:], (pairs[0], pairs[1]), EFFECTS[chosen], names)
    rng = np.random.default_rng(seed)
    found = kernel.mrqap(cube[0], cube[1:], (pairs[0], pairs[1]), EFFECTS[chosen], permutations, rng, positions)
    index = pd.Index(names, name="term")
    table = pd.DataFrame({"estimate": found.beta, "t": found.t, "p": found.p, "null_sd": found.null_sd}, index=index)
    reference = pd.DataFrame(found.reference.T, columns=index)
    return QapResult(
        table, reference, found.n, n, len(periods), found.r2, chosen, directed, permutations, seed
    )  # fmt: skip


def _by_period(matrices: Matrices) -> Mapping[Any, pd.DataFrame]:
    if isinstance(matrices, pd.DataFrame):
        return {None: matrices}
    if not isinstance(matrices, Mapping) or not matrices:
        raise TypeError(
            "give a labelled square DataFrame, or a mapping of period to DataFrame, for instance pairwise_gaps(...)"
        )
    return matrices


def _labels(frames: Mapping[str, Mapping[Any, pd.DataFrame]]) -> tuple[list[Hashable], list[Any]]:
    """Units and periods, the same in all matrices."""
    first = next(iter(frames.values()))
    periods = list(first) if len(first) == 1 else sorted(first)
    units = canonical(list(first[periods[0]].index))
    for name, matrices in frames.items():
        if set(matrices) != set(periods):
            raise AlignmentError(
                f"periods of {name}: {enumerate_some(sorted(map(str, matrices)))}; of the outcome: {enumerate_some(periods)}"
            )
        for period, matrix in matrices.items():
            for axis in (matrix.index, matrix.columns):
                if axis.has_duplicates:
                    raise AlignmentError(
                        f"{name} ({period}) repeats units: {enumerate_some(list(axis[axis.duplicated()]))}"
                    )
                match(list(axis), units, (f"{name} ({period})", "the outcome"))
    return units, periods


def _array(
    name: str, matrices: Mapping[Any, pd.DataFrame], units: list[Hashable], periods: list[Any], directed: bool
) -> NDArray:
    """(T, N, N) values in canonical order."""
    out = np.empty((len(periods), len(units), len(units)))
    for t, period in enumerate(periods):
        matrix = matrices[period]
        rows, columns = (match(list(axis), units) for axis in (matrix.index, matrix.columns))
        order = [
            np.argsort([place[u] for u in axis]) for place, axis in ((rows, matrix.index), (columns, matrix.columns))
        ]
        out[t] = matrix.to_numpy(dtype=float)[np.ix_(*order)]
    off = ~np.eye(len(units), dtype=bool)
    if not np.isfinite(out[:, off]).all():
        bad = [f"{units[i]}-{units[j]} {periods[t]}" for t, i, j in np.argwhere(~np.isfinite(out) & off)]
        raise PanelError(f"{name} has missing or infinite cells: {enumerate_some(bad)}")
    if not directed and not np.allclose(out, out.transpose(0, 2, 1), equal_nan=True):
        raise PanelError(f"{name} is not symmetric; say directed=True to use both directions of a pair")
    return out


def _check_rank(x: NDArray, pairs: tuple[NDArray, NDArray], effects: tuple[bool, bool], names: list[str]) -> None:
    raw = x[:, :, pairs[0], pairs[1]]
    columns = kernel.within(raw, *effects).reshape(len(names), -1)
    scale = np.sqrt((raw.reshape(len(names), -1) ** 2).sum(axis=1))
    size = np.sqrt((columns**2).sum(axis=1))
    gone = [n for n, s, a in zip(names, size, scale, strict=True) if s <= 1e-9 * a]
    if gone:
        raise IdentificationError(f"constant once the effects are removed: {enumerate_some(gone)}")
    if np.linalg.matrix_rank(columns / size[:, None]) < len(names):
        raise IdentificationError(f"the regressors {enumerate_some(names)} are linear combinations of one another")
