"""Spatial pattern over time: Moran's I, local Moran, centre of gravity, standard deviational ellipse."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _frame, _maps, _style
from nqpf_spatial.divergence._centres import gravity_center, standard_ellipse
from nqpf_spatial.divergence._frame import Array, Missing, Wide, Years
from nqpf_spatial.divergence._result import Result, check_choice
from nqpf_spatial.errors import AlignmentError, PanelError
from nqpf_spatial.kernels import autocorrelation
from nqpf_spatial.weights.guards import require_weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nqpf_spatial.weights.core import SpatialWeights

Alternative = Literal["two-sided", "greater", "less", "directed"]
Correction = Literal["none", "fdr", "bonferroni"]
__all__ = ["gravity_center", "lisa_by_year", "moran_by_year", "standard_ellipse"]

QUADRANTS = {1: "HH", 2: "LH", 3: "LL", 4: "HL"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MoranResult(Result):
    """Moran's I by year.

    Attributes
    ----------
    table : DataFrame
        One row per time: ``I``, ``expected`` (-1 / (n - 1)), ``sd`` and ``z`` under randomisation (Cliff
        and Ord), ``p_normal`` (two-sided, from z), ``p_perm`` (from permutations), ``lower`` and
        ``upper`` (middle 95 % of the permuted statistics).
    name, weights : str
    permutations, seed : int
    alternative : str
    """

    table: pd.DataFrame
    name: str
    weights: str
    permutations: int
    seed: int
    alternative: str
    note: str = ""

    def _title(self) -> str:
        return f"Moran's I of {self.name}, weights {self.weights}"

    def _notes(self) -> list[str]:
        lines = [f"{self.permutations} permutations, seed {self.seed}, p_perm {self.alternative}"]
        return [*lines, *([self.note] if self.note else [])]

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """Draw I over time with the middle 95 % of the permuted statistics; open points: p_perm >= 0.05."""
        ax = _style.new_axes(ax, lang)
        t = self.table
        ax.fill_between(
            t.index, t["lower"], t["upper"], color="0.88", linewidth=0,
            label=_maps.word("middle 95 % of permutations", lang),
        )  # fmt: skip
        colour = _style.COLOURS[0]
        ax.plot(t.index, t["I"], color=colour, label=_maps.word("Moran's I", lang))
        face = np.where(t["p_perm"] < 0.05, colour, "white")
        ax.scatter(t.index, t["I"], s=26, c=face, edgecolors=colour, zorder=3)
        ax.axhline(0, color="0.5", linewidth=0.8)
        ax.set_ylabel(_maps.word("Moran's I", lang))
        ax.set_title(_style.title(self.name, lang), loc="left", fontsize=10)
        ax.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1.0, 1.0), fontsize=8)
        _style.year_ticks(ax)
        return _maps.finish(ax, lang)


def moran_by_year(
    data: pd.Series | pd.DataFrame,
    w: SpatialWeights,
    *,
    value: str | None = None,
    years: Years = None,
    permutations: int = 9999,
    seed: int = 0,
    alternative: Alternative = "two-sided",
    missing: Missing = "raise",
) -> MoranResult:
    """Moran's I of every year.

    Parameters
    ----------
    data : Series or DataFrame
        Values indexed by (unit, time), or by unit.
    w : SpatialWeights
        Of exactly these units, used as it is (nothing is standardised anew); aligned by label.
    value : str, optional
        Column of a DataFrame.
    years : (first, last), list or int, optional
    permutations : int
        Random permutations of the values over the units; every year sees the same ones.
    seed : int
    alternative : {"two-sided", "greater", "less", "directed"}
        Of ``p_perm``; "directed" is esda's and GeoDa's pseudo p (see
        `nqpf_spatial.kernels.autocorrelation.pseudo_p`).
    missing : {"raise", "drop_years", "drop_units"}

    Returns
    -------
    MoranResult

    Raises
    ------
    AlignmentError
        Units of data and weights differ, or a unit has no neighbours.
    PanelError
        Missing cells, a year in which all values are equal, fewer than 99 permutations.

    Notes
    -----
    ``I = n / S0 * sum_ij w_ij z_i z_j / sum_i z_i^2`` (Moran 1950), moments under randomisation of Cliff
    and Ord (1981, ch. 2.3), both from PySAL's esda.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> income = nq.load_panel(["ln_gdp_real_pc"], years=(2013, 2015))["ln_gdp_real_pc"]
    >>> moran_by_year(income, nq.weights.contiguity(), permutations=999).table["I"].round(3).tolist()
    [0.411, 0.405, 0.403]
    """
    x, aligned = _prepared(data, w, value, years, missing, permutations)
    from esda.moran import Moran

    drawn = autocorrelation.permuted_moran(x.values, aligned.sparse, permutations, seed)
    classic = aligned.to_W()
    rows = []
    for t, values in enumerate(x.values):
        m = Moran(values, classic, transformation="O", permutations=0)
        slack = 1e-12 * max(1.0, abs(m.I))
        above, below = (drawn[:, t] >= m.I - slack).sum(), (drawn[:, t] <= m.I + slack).sum()
        p = autocorrelation.pseudo_p(above, below, permutations, alternative)
        low, high = np.quantile(drawn[:, t], [0.025, 0.975])
        rows.append((m.I, m.EI, m.seI_rand, m.z_rand, m.p_rand, float(p), low, high))
    columns = ["I", "expected", "sd", "z", "p_normal", "p_perm", "lower", "upper"]
    table = pd.DataFrame(rows, index=x.index(), columns=columns)
    return MoranResult(table, x.name, w.name, permutations, seed, alternative, x.note)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LisaResult(Result):
    """Local Moran statistics by year.

    Attributes
    ----------
    table : DataFrame
        One row per time: number of units significant at ``alpha``, and in "HH", "LL", "LH", "HL" of them.
    cells : DataFrame
        Indexed by (unit, time): ``I``, ``z`` (over conditional permutations), ``lag`` (of the standardised
        values), ``quadrant``, ``pvalue``, ``cluster`` (the quadrant where significant, else empty).
    name, weights : str
    permutations, seed : int
    alternative, correction : str
    alpha : float
    """

    table: pd.DataFrame
    cells: pd.DataFrame
    name: str
    weights: str
    permutations: int
    seed: int
    alternative: str
    correction: str
    alpha: float
    note: str = ""

    def _title(self) -> str:
        return f"Local Moran clusters of {self.name}, weights {self.weights}"

    def _notes(self) -> list[str]:
        n = self.cells.index.get_level_values(0).nunique()
        notes = [
            f"{self.permutations} conditional permutations, seed {self.seed}, {self.alternative}, "
            f"alpha = {self.alpha:g}, correction: {self.correction}"
        ]
        if self.correction == "none":
            notes.append(
                f"{n} tests a year: about {n * self.alpha:.1f} units would be called significant by chance alone"
            )
        return [*notes, *([self.note] if self.note else [])]

    def clusters(self) -> pd.DataFrame:
        """Clusters as a table of units by times."""
        found = self.cells["cluster"]
        return found.to_frame(None) if found.index.nlevels == 1 else found.unstack(level=1, sort=False)

    def plot(  # type: ignore[override]
        self, *, lang: str = "en", years: Any = None, ncols: int = 4, geometry: Any = None
    ) -> Figure:
        """Maps of the clusters in small multiples, one per time.

        Parameters
        ----------
        lang : {"en", "zh"}
        years : sequence, optional
            Times to show; default all.
        ncols : int
            Maps in a row.
        geometry : GeoDataFrame or GeoSeries indexed by unit, optional
            Shapes of the units; not needed for provinces (``maps`` extra).

        Returns
        -------
        matplotlib.figure.Figure
        """
        table = self.clusters()
        shown = list(table.columns) if years is None else list(years)
        absent = [t for t in shown if t not in table.columns]
        if absent:
            raise PanelError(f"there are no times {_frame.shorten(absent)}; there are {list(table.columns)}")
        return _maps.cluster_maps({t: table[t].to_dict() for t in shown}, lang, ncols, geometry)


def lisa_by_year(
    data: pd.Series | pd.DataFrame,
    w: SpatialWeights,
    *,
    value: str | None = None,
    years: Years = None,
    permutations: int = 9999,
    seed: int = 0,
    alternative: Alternative = "two-sided",
    correction: Correction = "none",
    alpha: float = 0.05,
    missing: Missing = "raise",
) -> LisaResult:
    """Local Moran statistics (LISA) of every year.

    Parameters
    ----------
    data, w, value, years, missing
        As in :func:`moran_by_year`.
    permutations : int
        Conditional permutations: the unit keeps its value, the others are shuffled.
    seed : int
        Every year sees the same random orders.
    alternative : {"two-sided", "greater", "less", "directed"}
        "directed" is the pseudo p of esda and GeoDa, half the two-sided one.
    correction : {"none", "fdr", "bonferroni"}
        For the many units of a year: Benjamini and Hochberg (1995), or Bonferroni.
    alpha : float
        Level below which a unit belongs to a cluster.

    Returns
    -------
    LisaResult

    Raises
    ------
    AlignmentError, PanelError
        As in :func:`moran_by_year`.

    Notes
    -----
    ``I_i = (n - 1) z_i sum_j w_ij z_j / sum_k z_k^2`` (Anselin 1995) and its quadrant from PySAL's esda.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> income = nq.load_panel(["ln_gdp_real_pc"], years=(2013, 2014))["ln_gdp_real_pc"]
    >>> lisa = lisa_by_year(income, nq.weights.contiguity(), permutations=999)
    >>> lisa.cells.loc[("Shanghai", 2014), ["quadrant", "cluster"]].tolist()
    ['HH', 'HH']
    """
    check_choice("correction", correction, ("none", "fdr", "bonferroni"))
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha!r} must lie between 0 and 1")
    x, aligned = _prepared(data, w, value, years, missing, permutations)
    parts = [_lisa(values, aligned, permutations, seed, alternative) for values in x.values]
    for part in parts:
        part["pvalue"] = _adjusted(part["pvalue"], correction)
        part["cluster"] = part["quadrant"].where(part["pvalue"] < alpha, "")
    kinds = ("HH", "LL", "LH", "HL")
    counts = [
        {"significant": int((p["cluster"] != "").sum()), **{q: int((p["cluster"] == q).sum()) for q in kinds}}
        for p in parts
    ]
    table = pd.DataFrame(counts, index=x.index())
    cells = _cells(x, parts)
    return LisaResult(table, cells, x.name, w.name, permutations, seed, alternative, correction, alpha, x.note)


def _cells(x: Wide, parts: list[pd.DataFrame]) -> pd.DataFrame:
    """One row per unit and time, units in canonical order; per unit for a cross-section."""
    if x.cross_section:
        return parts[0].set_axis(pd.Index(x.units, name=x.unit_name))
    stacked = pd.concat([p.set_axis(list(x.units)) for p in parts], keys=x.times).swaplevel()
    return stacked.reindex(pd.MultiIndex.from_product([x.units, x.times], names=[x.unit_name, x.time_name]))


def _lisa(values: Array, w: SpatialWeights, permutations: int, seed: int, alternative: str) -> pd.DataFrame:
    from esda.moran import Moran_Local

    with warnings.catch_warnings():
        # esda changes the global filters on its way; nothing of it concerns the caller
        local = Moran_Local(values, w.to_W(), transformation="O", permutations=0)
    reference = autocorrelation.local_reference(values, w.sparse, permutations, seed)
    spread = np.where(reference.sd > 0, reference.sd, np.nan)
    p = autocorrelation.pseudo_p(reference.at_least, reference.at_most, permutations, alternative)
    return pd.DataFrame(
        {
            "I": local.Is,
            "z": (local.Is - reference.mean) / spread,
            "lag": w.sparse @ local.z,
            "quadrant": [QUADRANTS[int(q)] for q in local.q],
            "pvalue": p,
        }
    )


def _adjusted(p: pd.Series, correction: str) -> Array:
    if correction == "none":
        return p.to_numpy()
    if correction == "bonferroni":
        return np.minimum(1.0, p.to_numpy() * len(p))
    from statsmodels.stats.multitest import multipletests

    return multipletests(p.to_numpy(), method="fdr_bh")[1]


def _prepared(
    data: Any, w: SpatialWeights, value: str | None, years: Years, missing: Missing, permutations: int
) -> tuple[Wide, SpatialWeights]:
    if not isinstance(permutations, (int, np.integer)) or permutations < 99:
        raise PanelError(f"permutations={permutations!r} must be a whole number of at least 99")
    x = _frame.wide(data, value=value, years=years, missing=missing, min_units=4)
    flat = [t for t, v in zip(x.times, x.values, strict=True) if np.ptp(v) == 0]
    if flat:
        raise PanelError(f"{x.name} is the same in all units in {_frame.shorten(flat)}: Moran's I does not exist")
    require_weights(w)
    aligned = w.reorder(x.units)
    if aligned.islands:
        raise AlignmentError(
            f"{w.name} has units without neighbours: {_frame.shorten(aligned.islands)}; take them out of data "
            "and weights (w.subset), or give them a link"
        )
    return x, aligned
