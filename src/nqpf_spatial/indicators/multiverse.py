"""The multiverse of a composite index: what its ranking owes to method, normalisation, indicators, units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from nqpf_spatial.errors import PanelError
from nqpf_spatial.indicators import _frame, _style
from nqpf_spatial.indicators.composite_index import METHODS, build

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CHOICES = ("method", "normalise", "dropped", "units")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IndexMultiverse:
    """Composite indices under every combination of choices, compared with a baseline.

    Attributes
    ----------
    table : DataFrame
        One row per specification: ``method, normalise, dropped, units`` (what was chosen), ``n_units``,
        ``spearman`` (rank correlation of all cells with the baseline), ``spearman_last`` (of the last year),
        ``mean_rank_shift`` and ``max_rank_shift`` (positions, last year, among the common units),
        ``trend`` (change of the mean from first to last year, in standard deviations of all cells),
        ``dispersion`` (standard deviation across units, last year over first), ``is_baseline``.
    scores : DataFrame
        One column per specification, rows as the data; NaN where a unit was left out.
    last_year : object or None
    left_out : tuple
        Years at either end that were left out, as in :class:`CompositeResult`.
    """

    table: pd.DataFrame
    scores: pd.DataFrame
    last_year: Any
    left_out: tuple[Any, ...] = ()

    @property
    def rank_correlations(self) -> pd.DataFrame:
        """Spearman correlations between all specifications, over the cells both have."""
        return self.scores.corr(method="spearman")

    def baseline_ranks(self) -> pd.Series:
        """Rank of every unit under the baseline in the last year, 1 is best."""
        return self.ranks()[self.table.index[self.table["is_baseline"]][0]]

    def ranks(self) -> pd.DataFrame:
        """Rank of every unit in the last year under every specification, 1 is best."""
        return _last(self.scores, self.last_year).rank(ascending=False)

    def summary(self) -> pd.DataFrame:
        """Median and lowest rank correlation with the baseline by choice."""
        rest = self.table[~self.table["is_baseline"]]
        parts = {}
        for choice in _CHOICES:
            grouped = rest.groupby(choice, sort=False)
            for value, group in grouped:
                parts[choice, value] = {
                    "specifications": len(group),
                    "median spearman": group["spearman"].median(),
                    "lowest spearman": group["spearman"].min(),
                    "median trend": group["trend"].median(),
                    "median dispersion": group["dispersion"].median(),
                }
        return pd.DataFrame.from_dict(parts, orient="index")

    def plot(
        self,
        kind: Literal["curve", "ranks"] = "curve",
        *,
        lang: Literal["en", "zh"] = "en",
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the specification curve, or the range of each unit's rank.

        Parameters
        ----------
        kind : {"curve", "ranks"}
        lang : {"en", "zh"}
        ax : matplotlib Axes, optional
        """
        from nqpf_spatial.indicators import _plots

        _frame.check_choice("kind", kind, ("curve", "ranks"))
        return getattr(_plots, f"multiverse_{kind}")(self, lang, ax)

    def _title(self) -> str:
        lowest = self.table["spearman"].min()
        return (
            f"Index multiverse: {len(self.table)} specifications; "
            f"lowest rank correlation with the baseline {lowest:.3f}"
        )

    def __repr__(self) -> str:
        return _style.text_page(self._title(), self.summary(), self._notes())

    def _repr_html_(self) -> str:
        return _style.html_page(self._title(), self.summary(), self._notes())

    def _notes(self) -> list[str]:
        return _frame.span_notes(self.left_out, _frame.years_of(self.scores))


def index_multiverse(
    frame: pd.DataFrame,
    *,
    negative: str | Sequence[Any] = (),
    methods: Sequence[str] = ("entropy", "equal", "critic", "pca", "topsis"),
    normalise: Sequence[str] = ("pooled", "yearly"),
    drop_one: bool = True,
    leave_out: Mapping[str, Any] | None = None,
    samples: Mapping[str, Any] | None = None,
    columns: Sequence[Any] | None = None,
) -> IndexMultiverse:
    """Composite indices over methods, normalisations, leave-one-indicator-out and samples of units.

    Parameters
    ----------
    frame, negative, columns
        As in :func:`nqpf_spatial.indicators.composite`.
    methods, normalise : sequences of str
        What to cross; the first of each belongs to the baseline. Normalisation by year is used without
        the warning, since comparing it is the point; a cross-section takes "pooled" only.
    drop_one : bool
        Also leave each indicator out in turn (needs three indicators).
    leave_out : mapping of sample name to the unit or units to LEAVE OUT, optional
        ``{"31": [], "30": ["Tibet"]}``; provinces under any form of their names. The first is the baseline.
        Default for provinces: all, and without Tibet ("31", "30"); for other units: all.
    samples : mapping, optional
        Another name of ``leave_out``.

    Returns
    -------
    IndexMultiverse

    Raises
    ------
    PanelError
        As in `composite`; also unknown units to leave out, fewer than three units left, or fewer than three
        indicators with ``drop_one``.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> panel = nq.load_panel(["broadband_pc", "cable_pc", "ports_pc"], years=(2011, 2019))
    >>> m = nq.indicators.index_multiverse(panel)
    >>> len(m.table), bool(m.table["spearman"].max() == 1.0)
    (80, True)
    """
    table, negative = _frame.canonical_table(frame, columns, span=True), _frame.column_list(negative)
    for value in methods:
        _frame.check_choice("methods", value, METHODS[:-1])
    for value in normalise:
        _frame.check_choice("normalise", value, ("pooled", "yearly"))
    if drop_one and table.shape[1] < 3:
        raise PanelError(f"drop_one needs at least three indicators, there are {list(table.columns)}")
    if leave_out is not None and samples is not None:
        raise PanelError("samples= is another name of leave_out=; give one of them")
    left_out = _samples(table, samples if leave_out is None else leave_out)
    dropped = ["none", *table.columns] if drop_one else ["none"]
    rows: list[tuple[Any, ...]] = []
    scores: dict[int, pd.Series] = {}
    for sample, out in left_out.items():
        part = table[~table.index.get_level_values(0).isin(out)]
        for drop in dropped:
            used = part if drop == "none" else part.drop(columns=drop)
            signs = [c for c in negative if c in used.columns or c not in table.columns]
            for norm in normalise:
                for method in methods:
                    scores[len(rows)] = build(used, method, signs, norm).scores
                    rows.append((method, norm, drop, sample, len(_frame.units_of(part))))
    specs = pd.DataFrame(rows, columns=[*_CHOICES, "n_units"])
    specs.index.name = "specification"
    cells = pd.DataFrame(scores).reindex(table.index)
    return replace(_compared(specs, cells), left_out=table.attrs.get("left_out", ()))


def _samples(table: pd.DataFrame, samples: Mapping[str, Any] | None) -> dict[str, list[Any]]:
    units = _frame.units_of(table)
    if samples is None:
        from nqpf_spatial import provinces

        if not _frame.are_provinces(units):
            return {"all": []}
        tibet = [u for u in units if provinces.resolve(u).name_en == "Tibet"]
        everyone: dict[str, list[Any]] = {str(len(units)): []}
        return {**everyone, str(len(units) - 1): tibet} if tibet else everyone
    chosen = {str(k): _left_out(str(k), out, units) for k, out in samples.items()}
    for sample, out in chosen.items():
        rest = [u for u in units if u not in out]
        if len(rest) < 3:
            raise PanelError(
                f"sample {sample!r} leaves {len(rest)} unit{'' if len(rest) == 1 else 's'}"
                f"{': ' if rest else ''}{_frame.shorten(rest)}; a ranking needs three. The mapping names the units to "
                "leave out, not those to keep"
            )
    return chosen


def _left_out(sample: str, out: Any, units: list[Any]) -> list[Any]:
    """Units to leave out, as the data name them; provinces under any form of name."""
    from nqpf_spatial import provinces

    given = [out] if isinstance(out, str | int) else list(out)
    place: dict[Any, Any] = {u: u for u in units}
    keys: list[Any] = given
    if _frame.are_provinces(units):
        place = {provinces.resolve(u).adcode: u for u in units}
        keys = [provinces.resolve(x).adcode if provinces.is_province(x) else None for x in given]
    unknown = [x for x, key in zip(given, keys, strict=True) if key not in place]
    if unknown:
        raise PanelError(f"sample {sample!r} leaves out unknown units: {_frame.shorten(unknown)}")
    return [place[key] for key in keys]


def _compared(specs: pd.DataFrame, cells: pd.DataFrame) -> IndexMultiverse:
    years = _frame.years_of(cells)
    last = years[-1] if years else None
    base = cells[0]
    base_last = _last(cells, last)[0]
    columns: dict[str, list[float]] = {
        k: [] for k in ("spearman", "spearman_last", "mean_rank_shift", "max_rank_shift", "trend", "dispersion")
    }
    for k in cells.columns:
        own, own_last = cells[k], _last(cells, last)[k]
        shift = np.abs(_rank(own_last[own_last.notna()]) - _rank(base_last[own_last.notna()]))
        columns["spearman"].append(_spearman(base, own))
        columns["spearman_last"].append(_spearman(base_last, own_last))
        columns["mean_rank_shift"].append(float(shift.mean()))
        columns["max_rank_shift"].append(float(shift.max()))
        trend, dispersion = (np.nan, np.nan) if len(years) < 2 else _movement(own)
        columns["trend"].append(trend)
        columns["dispersion"].append(dispersion)
    table = specs.assign(**columns, is_baseline=specs.index == 0)
    return IndexMultiverse(table, cells, last)


def _last(cells: pd.DataFrame, last: Any) -> pd.DataFrame:
    return cells if last is None else cells.xs(last, level=1)


def _rank(values: pd.Series) -> _frame.Array:
    return rankdata(-values.to_numpy())


def _spearman(a: pd.Series, b: pd.Series) -> float:
    both = a.notna() & b.notna()
    # clipped: a rank correlation of identical rankings is one, not one plus rounding
    return float(np.clip(np.corrcoef(_rank(a[both]), _rank(b[both]))[0, 1], -1.0, 1.0))


def _movement(scores: pd.Series) -> tuple[float, float]:
    """Change of the mean in standard deviations of all cells; last over first dispersion."""
    wide = scores.unstack()
    first, last = wide.iloc[:, 0], wide.iloc[:, -1]
    return (
        float((last.mean() - first.mean()) / scores.std(ddof=0)),
        float(last.std(ddof=0) / first.std(ddof=0)),
    )
