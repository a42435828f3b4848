"""The multiverse of a composite index: what its ranking owes to method, normalisation, indicators, units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """

    table: pd.DataFrame
    scores: pd.DataFrame
    last_year: Any

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
        return _style.text_page(self._title(), self.summary(), [])

    def _repr_html_(self) -> str:
        return _style.html_page(self._title(), self.summary(), [])


def index_multiverse(
    frame: pd.DataFrame,
    *,
    negative: Sequence[Any] = (),
    methods: Sequence[str] = ("entropy", "equal", "critic", "pca", "topsis"),
    normalise: Sequence[str] = ("pooled", "yearly"),
    drop_one: bool = True,
    samples: Mapping[str, Sequence[Any]] | None = None,
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
    samples : mapping name -> units to leave out, optional
        The first is the baseline. Default for provinces: all, and without Tibet ("31", "30"); for other
        units: all.

    Returns
    -------
    IndexMultiverse

    Raises
    ------
    PanelError
        As in `composite`; also unknown units to leave out, or fewer than three indicators with ``drop_one``.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> panel = nq.load_panel(["broadband_pc", "cable_pc", "ports_pc"], years=(2011, 2019))
    >>> m = nq.indicators.index_multiverse(panel)
    >>> len(m.table), bool(m.table["spearman"].max() == 1.0)
    (80, True)
    """
    table = _frame.canonical_table(frame, columns)
    for value in methods:
        _frame.check_choice("methods", value, METHODS[:-1])
    for value in normalise:
        _frame.check_choice("normalise", value, ("pooled", "yearly"))
    if drop_one and table.shape[1] < 3:
        raise PanelError(f"drop_one needs at least three indicators, there are {list(table.columns)}")
    left_out = _samples(table, samples)
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
    return _compared(specs, cells)


def _samples(table: pd.DataFrame, samples: Mapping[str, Sequence[Any]] | None) -> dict[str, list[Any]]:
    units = _frame.units_of(table)
    if samples is None:
        from nqpf_spatial import provinces

        if not _frame.are_provinces(units):
            return {"all": []}
        tibet = [u for u in units if provinces.resolve(u).name_en == "Tibet"]
        everyone: dict[str, list[Any]] = {str(len(units)): []}
        return {**everyone, str(len(units) - 1): tibet} if tibet else everyone
    for sample, out in samples.items():
        unknown = [u for u in out if u not in units]
        if unknown:
            raise PanelError(f"sample {sample!r} leaves out unknown units: {_frame.shorten(unknown)}")
    return {str(k): list(v) for k, v in samples.items()}


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
