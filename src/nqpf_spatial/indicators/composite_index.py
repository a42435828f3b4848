"""Composite indices: entropy, equal, CRITIC, principal component, TOPSIS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from nqpf_spatial import __version__
from nqpf_spatial.errors import PanelError, warn
from nqpf_spatial.indicators import _frame, _style
from nqpf_spatial.kernels import composite as kernels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Method = Literal["entropy", "equal", "critic", "pca", "topsis", "linear"]
Normalise = Literal["pooled", "yearly"]
WeightRule: TypeAlias = str | Mapping[Any, float] | pd.Series | None

METHODS = ("entropy", "equal", "critic", "pca", "topsis", "linear")
_RULES: dict[str, Callable[[_frame.Array], _frame.Array]] = {
    "entropy": kernels.entropy_weights,
    "critic": kernels.critic_weights,
    "equal": lambda z: np.full(z.shape[1], 1.0 / z.shape[1]),
}
_YEARLY = (
    "normalise='yearly' gives the lowest unit of every year 0 and the highest 1: the common trend is gone, "
    "and levels or dispersions of different years cannot be compared. Use it for ranks within a year only"
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CompositeResult:
    """A composite index and what it is made of, rows in canonical order.

    Attributes
    ----------
    scores : Series
        The index, one value per row.
    weights : Series
        One weight per indicator; they sum to one. For "pca" the loadings, a vector of length one.
    contributions : DataFrame
        Weight times normalised value; rows add up to the score. Under TOPSIS, which is not additive, they
        add up to the linear index with the same weights.
    normalised : DataFrame
        Indicators on [0, 1], more is better.
    method, normalise : str
    negative : tuple
        Indicators of which less is better.
    dimensions : Series or None
        Dimension of each indicator, for the documented indices.
    details : mapping
        "variance_share" and "eigenvalues" for "pca"; "d_plus" and "d_minus" (Series) for "topsis".
    source : mapping
        Fingerprint of the data and, where known, the release they come from.
    left_out : tuple
        Years at either end that were left out because some indicator has no value for any unit.
    """

    scores: pd.Series
    weights: pd.Series
    contributions: pd.DataFrame
    normalised: pd.DataFrame
    method: str
    normalise: str
    negative: tuple[Any, ...]
    dimensions: pd.Series | None
    details: Mapping[str, Any]
    source: Mapping[str, str]
    left_out: tuple[Any, ...] = ()

    @property
    def variance_share(self) -> float | None:
        """Share of the total variance in the first principal component; None for other methods."""
        return self.details.get("variance_share")

    @property
    def obstacles(self) -> pd.DataFrame:
        """Obstacle degrees (障碍度): share of each indicator in a row's distance from the best.

        Rows sum to one; a row that is best in everything has none (NaN). Reported for non-negative
        weights only.

        Raises
        ------
        PanelError
            A principal component with a negative loading.
        """
        against = self.weights.index[self.weights < 0].tolist()
        if against:
            raise PanelError(
                "obstacle degrees need non-negative weights; the first component runs against "
                f"{_frame.shorten(against)}"
            )
        out = pd.DataFrame(np.nan, index=self.normalised.index, columns=self.normalised.columns)
        for rows in _blocks(self.normalised, self.normalise):
            slopes = np.ptp(self.contributions.to_numpy()[rows], axis=0)
            out.iloc[rows] = kernels.obstacle_degrees(self.normalised.to_numpy()[rows], slopes)
        return out

    def top_obstacles(self, n: int = 3) -> pd.DataFrame:
        """The n largest obstacles of every row: columns (rank, "indicator" | "degree")."""
        degrees = self.obstacles
        order = np.argsort(-degrees.to_numpy(), axis=1, kind="stable")[:, :n]
        parts: dict[Any, Any] = {}
        for k in range(order.shape[1]):
            values = np.take_along_axis(degrees.to_numpy(), order[:, k : k + 1], axis=1)[:, 0]
            names = degrees.columns.to_numpy()[order[:, k]]
            parts[k + 1, "indicator"] = np.where(np.isnan(values), None, names)  # type: ignore[call-overload]
            parts[k + 1, "degree"] = values
        return pd.DataFrame(parts, index=degrees.index)

    def dimension_scores(self) -> pd.DataFrame:
        """Sum of the contributions in each dimension.

        Raises
        ------
        PanelError
            The index was made without dimensions.
        """
        if self.dimensions is None:
            raise PanelError("this index has no dimensions; nq.indicators.nqpf_index has")
        order = list(dict.fromkeys(self.dimensions))
        return pd.DataFrame(
            {d: self.contributions[self.dimensions.index[self.dimensions == d]].sum(axis=1) for d in order}
        )

    def with_dimensions(self, dimensions: pd.Series) -> CompositeResult:
        """The same index with a dimension named for each indicator."""
        return replace(self, dimensions=dimensions.loc[self.weights.index])

    def provenance(self) -> dict[str, Any]:
        """What the index was made of, as plain values."""
        years = _frame.years_of(self.scores)
        return {
            "library": f"nqpf_spatial {__version__}",
            "method": self.method,
            "normalise": self.normalise,
            "indicators": [str(c) for c in self.weights.index],
            "negative": [str(c) for c in self.negative],
            "weights": {str(k): float(v) for k, v in self.weights.items()},
            "units": len(_frame.units_of(self.scores)),
            "years": [int(years[0]), int(years[-1])] if years else [],
            "years_left_out": [int(t) for t in self.left_out],
            "rows": len(self.scores),
            **self.source,
        }

    def plot(
        self,
        kind: Literal["scores", "weights", "obstacles"] = "scores",
        *,
        lang: Literal["en", "zh"] = "en",
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the index over time, its weights, or its obstacles.

        Parameters
        ----------
        kind : {"scores", "weights", "obstacles"}
            Mean and middle half of the units with block means for provinces (bars for a cross-section);
            bars of the weights; mean obstacle degrees, stacked over the years.
        lang : {"en", "zh"}
        ax : matplotlib Axes, optional
        """
        from nqpf_spatial.indicators import _plots

        _frame.check_choice("kind", kind, ("scores", "weights", "obstacles"))
        return getattr(_plots, f"composite_{kind}")(self, lang, ax)

    def _table(self) -> pd.DataFrame:
        table = pd.DataFrame({"weight" if self.method != "pca" else "loading": self.weights})
        if self.dimensions is not None:
            table.insert(0, "dimension", self.dimensions)
        table["direction"] = ["-" if c in self.negative else "+" for c in table.index]
        if self.method != "pca":  # contributions of z-scores are zero on average
            table["mean contribution"] = self.contributions.mean()
        if not (self.weights < 0).any():
            table["mean obstacle"] = self.obstacles.mean()
        return table

    def _title(self) -> str:
        years = _frame.years_of(self.scores)
        window = f", {years[0]}-{years[-1]}" if years else ""
        units = len(_frame.units_of(self.scores))
        return f"Composite index ({self.method}, {self.normalise} normalisation): {units} units{window}"

    def _notes(self) -> list[str]:
        s = self.scores
        notes = [f"scores: mean {s.mean():.4f}, from {s.min():.4f} to {s.max():.4f}"]
        notes += _frame.span_notes(self.left_out, _frame.years_of(s))
        if self.variance_share is not None:
            notes.append(f"the first principal component holds {100 * self.variance_share:.1f} % of the variance")
        if self.normalise == "yearly":
            notes.append(_YEARLY)
        return notes

    def __repr__(self) -> str:
        return _style.text_page(self._title(), self._table(), self._notes())

    def _repr_html_(self) -> str:
        return _style.html_page(self._title(), self._table(), self._notes())


def composite(
    frame: pd.DataFrame,
    method: Method = "entropy",
    *,
    negative: str | Sequence[Any] = (),
    normalise: Normalise = "pooled",
    weights: WeightRule = None,
    columns: Sequence[Any] | None = None,
    years: tuple[int, int] | None = None,
) -> CompositeResult:
    """Composite index of several indicators.

    Parameters
    ----------
    frame : DataFrame
        Indicators in columns, rows indexed by (unit, year) or by unit; complete over the years common to all
        indicators. Years before the last indicator starts, or after the first ends (no unit has a value), are left
        out; the result names them. A gap inside, or of some units only, is an error.
    method : {"entropy", "equal", "critic", "pca", "topsis", "linear"}
        How indicators are weighted and put together; "linear" takes ``weights`` as they are.
    negative : str or sequence
        Column or columns of which less is better.
    normalise : {"pooled", "yearly"}
        Min-max (z-scores for "pca") over all rows, or over the rows of each year. Yearly destroys trends
        and warns.
    weights : str, mapping or Series, optional
        For "topsis": "entropy" (default), "equal", "critic", or given weights; for "linear": given weights.
        They must be non-negative and sum to one; nothing is rescaled.
    columns : sequence, optional
        Indicators to use; default all columns.
    years : (int, int), optional
        First and last year to use; default all that the indicators share.

    Returns
    -------
    CompositeResult

    Raises
    ------
    PanelError
        Missing cells (named), constant or non-numeric columns, repeated rows, weights that do not fit.

    Warns
    -----
    TrendWarning
        For ``normalise="yearly"``.

    Notes
    -----
    With z the normalised value, the linear indices are ``sum_j w_j z_ij``; "topsis" is the closeness to the
    ideal ``d- / (d+ + d-)`` (Hwang and Yoon 1981) with pooled ideals; "pca" is the first principal component
    of z-scores, signed to agree with the equal-weight index. Weights: see `kernels.composite`. Scores depend
    on the rows that are in: dropping a province or a year moves minima, maxima and weights.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame({"a": [1.0, 2, 3], "b": [9.0, 5, 7]}, index=["u", "v", "w"])
    >>> composite(data, "equal", negative=["b"]).scores.tolist()
    [0.0, 0.75, 0.75]
    """
    _frame.check_choice("normalise", normalise, ("pooled", "yearly"))
    if normalise == "yearly":
        warn(_YEARLY, _frame.TrendWarning)
    table = _frame.canonical_table(frame, columns, span=True, years=years)
    return build(table, method, _frame.column_list(negative), normalise, weights)


def build(
    table: pd.DataFrame, method: str, negative: Sequence[Any], normalise: str, weights: WeightRule = None
) -> CompositeResult:
    """Index of a canonical table, without warnings (see `composite`)."""
    _frame.check_choice("method", method, METHODS)
    unknown = [c for c in negative if c not in table.columns]
    if unknown:
        raise PanelError(f"negative names no column: {_frame.shorten(unknown)}; there are {list(table.columns)}")
    given, left_out = list(table.columns), table.attrs.get("left_out", ())
    # one order of the columns whatever order they come in: sums then agree to the bit
    table = table[sorted(given, key=str)]
    flip = [c in set(negative) for c in table.columns]
    z = _normalised(table, flip, normalise, kernels.minmax)
    details: dict[str, Any] = {}
    if method == "pca":
        if weights is not None:
            raise PanelError("weights cannot be given for method='pca': the loadings are its weights")
        values = _normalised(table, flip, normalise, kernels.zscore)
        component = kernels.first_component(values)
        w, scores = component.loadings, component.scores
        details = {"variance_share": component.share, "eigenvalues": component.eigenvalues}
        parts = values * w
    else:
        w = _weights(table, z, method, weights)
        parts = z * w
        scores = parts.sum(axis=1)
    if method == "topsis":
        closeness = kernels.topsis(z, w)
        scores = closeness.scores
        details = {k: pd.Series(getattr(closeness, k), index=table.index) for k in ("d_plus", "d_minus")}
    return CompositeResult(
        scores=pd.Series(scores, index=table.index, name=f"{method}_index{_frame.suffix(given)}"),
        weights=pd.Series(w, index=table.columns, name="weight")[given],
        contributions=pd.DataFrame(parts, index=table.index, columns=table.columns)[given],
        normalised=pd.DataFrame(z, index=table.index, columns=table.columns)[given],
        method=method,
        normalise=normalise,
        negative=tuple(c for c in given if c in set(negative)),
        dimensions=None,
        details=details,
        source=_source(table),
        left_out=left_out,
    )


def _source(table: pd.DataFrame) -> dict[str, str]:
    out = {"data_sha256": _frame.fingerprint(table)}
    release = table.attrs.get("release")
    if isinstance(release, Mapping):
        out["release"] = str(release.get("release", release.get("name", release.get("version", ""))))
    elif release is not None:
        out["release"] = str(release)
    return out


def _blocks(table: pd.DataFrame, normalise: str) -> list[Any]:
    """Rows that are normalised together."""
    if normalise == "pooled":
        return [slice(None)]
    if not _frame.has_years(table):
        raise PanelError("normalise='yearly' needs a frame indexed by (unit, year)")
    years = table.index.get_level_values(1).to_numpy()
    return [np.flatnonzero(years == t) for t in _frame.years_of(table)]


def _normalised(
    table: pd.DataFrame, flip: list[bool], normalise: str, rule: Callable[[Any, Any], _frame.Array]
) -> _frame.Array:
    values = table.to_numpy()
    out = np.empty(values.shape)
    for rows in _blocks(table, normalise):
        block = values[rows]
        if len(block) < 2 or (np.ptp(block, axis=0) == 0).any():
            year = "" if normalise == "pooled" else f" in {table.index[rows[0]][1]}"
            constant = table.columns[np.ptp(block, axis=0) == 0]
            raise PanelError(
                f"constant columns cannot be normalised: {_frame.shorten(constant)}{year} "
                f"({len(block)} rows). Leave them out"
            )
        out[rows] = rule(block, flip)
    return out


def _weights(table: pd.DataFrame, z: _frame.Array, method: str, weights: WeightRule) -> _frame.Array:
    if method in _RULES:
        if weights is not None:
            raise PanelError(f"method={method!r} makes its own weights; give weights with 'linear' or 'topsis'")
        return _RULES[method](z)
    if weights is None and method == "topsis":
        return _RULES["entropy"](z)
    if weights is None:
        raise PanelError("method='linear' needs weights: one per column, summing to one")
    if isinstance(weights, str):
        _frame.check_choice("weights", weights, _RULES)
        return _RULES[weights](z)
    series = pd.Series(dict(weights), dtype=float)
    if set(series.index) != set(table.columns):
        raise PanelError(
            f"weights must name the indicators {list(table.columns)} and nothing else; got {list(series.index)}"
        )
    w = series[table.columns].to_numpy()
    if not np.isfinite(w).all() or (w < 0).any() or abs(w.sum() - 1.0) > 1e-8:
        raise PanelError(f"weights must be non-negative and sum to one; got {w.tolist()} with sum {w.sum():.6g}")
    return w
