"""Centre of gravity and standard deviational ellipse of a variable over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nqpf_spatial.divergence import _codebook, _frame, _maps
from nqpf_spatial.divergence._frame import Array, Missing, Wide, Years
from nqpf_spatial.divergence._result import Result
from nqpf_spatial.errors import AlignmentError, PanelError, warn
from nqpf_spatial.kernels import centrography
from nqpf_spatial.kernels.geo import great_circle
from nqpf_spatial.weights._places import places

if TYPE_CHECKING:
    from matplotlib.axes import Axes

At = Literal["capital", "centroid"]


class IntensityWarning(UserWarning):
    """A rate or an amount per head is used as if its cells added up to a total."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CenterResult(Result):
    """Centre of gravity, or standard deviational ellipse, by time.

    Attributes
    ----------
    table : DataFrame
        One row per time: ``lon``, ``lat`` (degrees); ``shift_km`` and ``bearing`` (degrees clockwise from
        north) of the move since the time before; ``from_first_km``. For the ellipse also ``major_km`` and
        ``minor_km`` (semi-axes), ``axis_bearing`` (of the major axis, 0 to 180), ``area_km2`` and
        ``flattening`` (1 - minor / major).
    name : str
    at : str
        Where the units are.
    ellipses : mapping time -> Ellipse
        In km around the centre of the time; empty for the centre of gravity.
    on_map : bool
        Whether the units are Chinese provinces.
    """

    table: pd.DataFrame
    name: str
    at: str
    ellipses: Mapping[Any, centrography.Ellipse]
    on_map: bool
    note: str = ""

    def _title(self) -> str:
        what = "Standard deviational ellipse" if self.ellipses else "Centre of gravity"
        return f"{what} of {self.name}, units at {self.at}"

    def _notes(self) -> list[str]:
        total = self.table["shift_km"].sum()
        line = f"path {total:.1f} km, first to last {self.table['from_first_km'].iloc[-1]:.1f} km (great circle)"
        return [line, *([self.note] if self.note else [])]

    def outline(self, time: Any, scale: float = 1.0, n: int = 181) -> Array:
        """Longitude and latitude of points on the ellipse of a time.

        Parameters
        ----------
        time : object
        scale : float
            Multiple of the semi-axes.
        n : int

        Returns
        -------
        ndarray, shape (n, 2)

        Raises
        ------
        PanelError
            No ellipse of that time.
        """
        if time not in self.ellipses:
            raise PanelError(f"there is no ellipse of {time}; there are {_frame.shorten(self.ellipses, 30)}")
        lon, lat = self.table.loc[self._row(time), ["lon", "lat"]].astype(float)
        outline = centrography.ellipse_outline(self.ellipses[time], n, scale)
        return centrography.azimuthal_inverse(outline, lon, lat)

    def _row(self, time: Any) -> Any:
        return self.table.index[list(self.ellipses).index(time)]

    def plot(self, *, lang: str = "en", ax: Axes | None = None, years: Sequence[Any] | None = None) -> Axes:
        """Draw the path of the centre; with ellipses, those of the first and last time.

        Parameters
        ----------
        lang : {"en", "zh"}
        ax : matplotlib Axes, optional
        years : sequence, optional
            Times whose ellipses are drawn.
        """
        times = list(self.table.index)
        shown = [] if not self.ellipses else list(dict.fromkeys(years or (times[0], times[-1])))
        outlines = {t: self.outline(t if t in self.ellipses else None) for t in shown}
        lonlat = self.table[["lon", "lat"]].to_numpy()
        return _maps.path(lonlat, times, outlines, self.on_map, lang, ax)


def gravity_center(
    data: pd.Series | pd.DataFrame,
    *,
    value: str | None = None,
    points: pd.DataFrame | None = None,
    at: At = "capital",
    years: Years = None,
    missing: Missing = "raise",
) -> CenterResult:
    """Centre of gravity of a variable over time.

    Parameters
    ----------
    data : Series or DataFrame
        Non-negative quantities (population, output), indexed by (unit, time) or by unit. Rates have no
        centre of gravity: packaged variables whose unit is one are warned of.
    value : str, optional
        Column of a DataFrame.
    points : DataFrame or GeoDataFrame, optional
        Where units are: columns lon and lat in degrees, indexed by unit, or geometries. Default: provinces.
    at : {"capital", "centroid"}
        For provinces: capitals, or centroids of the polygons (``maps`` extra). Capitals describe where
        people are rather better than centroids of provinces half of which is desert.
    years, missing
        As in the other measures.

    Returns
    -------
    CenterResult

    Raises
    ------
    PanelError
        Negative or missing cells, or a time in which all are zero.
    AlignmentError
        Units without a point.

    Warns
    -----
    IntensityWarning
        The series has the name of a packaged variable whose unit in the codebook is a rate, a ratio, an index
        or an amount per head; the numbers are computed all the same.

    Notes
    -----
    The centre c is the point at which the weighted mean of the azimuthal equidistant coordinates around c
    is zero: it minimises ``sum_i w_i d(c, i)^2`` over great-circle distances. The usual weighted mean of
    degrees, ``sum w lon / sum w``, treats a degree of longitude as equally long everywhere; for Chinese
    provinces the two lie some tens of kilometres apart.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> people = nq.load_panel(["population"], years=(2011, 2020))["population"]
    >>> gravity_center(people).table[["lon", "lat"]].iloc[[0, -1]].round(2).values.tolist()
    [[113.45, 32.63], [113.33, 32.38]]
    """
    x, lonlat, where, on_map = _located(data, value, points, at, years, missing)
    table = _path(x, lonlat)
    return CenterResult(table, x.name, where, {}, on_map, x.note)


def standard_ellipse(
    data: pd.Series | pd.DataFrame,
    *,
    value: str | None = None,
    points: pd.DataFrame | None = None,
    at: At = "capital",
    years: Years = None,
    missing: Missing = "raise",
) -> CenterResult:
    """Standard deviational ellipse of a variable over time.

    Parameters
    ----------
    data, value, points, at, years, missing
        As in :func:`gravity_center`.

    Returns
    -------
    CenterResult

    Raises
    ------
    PanelError, AlignmentError
        As in :func:`gravity_center`.

    Notes
    -----
    In the azimuthal equidistant plane around the centre of gravity of the time, where distances and
    directions from the centre are exact; semi-axes are weighted standard deviations (Yuill 1971) without
    the factors ``sqrt(2)`` of ArcGIS or ``sqrt(2 n / (n - 2))`` of CrimeStat; see
    `nqpf_spatial.kernels.centrography.standard_ellipse`.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> people = nq.load_panel(["population"], years=(2011, 2020))["population"]
    >>> standard_ellipse(people).table.loc[2020, ["major_km", "minor_km"]].round().tolist()
    [720.0, 567.0]
    """
    x, lonlat, where, on_map = _located(data, value, points, at, years, missing)
    table = _path(x, lonlat)
    ellipses = {}
    for t, time in enumerate(x.times):
        lon, lat = (float(v) for v in table.iloc[t][["lon", "lat"]])
        xy = centrography.azimuthal(lonlat[:, 0], lonlat[:, 1], lon, lat)
        ellipses[time] = centrography.standard_ellipse(xy, x.values[t])
    shapes = [(e.major, e.minor, e.bearing, e.area, _flattening(e)) for e in ellipses.values()]
    columns = ["major_km", "minor_km", "axis_bearing", "area_km2", "flattening"]
    table = table.join(pd.DataFrame(shapes, index=table.index, columns=columns))
    return CenterResult(table, x.name, where, ellipses, on_map, x.note)


def _flattening(e: centrography.Ellipse) -> float:
    # all the weight in one point: no ellipse to speak of
    return 1 - e.minor / e.major if e.major > 0 else np.nan


def _located(
    data: Any, value: str | None, points: Any, at: At, years: Years, missing: Missing
) -> tuple[Wide, Array, str, bool]:
    x = _frame.wide(data, value=value, years=years, missing=missing)
    if _codebook.is_intensity(x.name):
        warn(
            f"{x.name} is measured in {_codebook.unit_of(x.name)}: its cells do not add up to a total, and where "
            "their centre lies means nothing; take the quantity behind it (output, people)",
            IntensityWarning,
        )
    bad = [(u, t) for k, u in enumerate(x.units) for t in x.times if x.values[x.times.index(t), k] < 0]
    if bad:
        cells = ", ".join(f"{u} {'' if t is None else t}".strip() for u, t in bad[:6])
        raise PanelError(f"{x.name} has {len(bad)} negative cells, which have no centre of gravity: {cells}")
    empty = [t for t, v in zip(x.times, x.values, strict=True) if v.sum() <= 0]
    if empty:
        raise PanelError(f"{x.name} is zero everywhere in {_frame.shorten(empty)}")
    known = places(points, at=at)
    if not known.geographic:
        raise AlignmentError("points must be geographic (longitude and latitude); this CRS is planar")
    row = {_frame.key(u): k for k, u in enumerate(known.ids)}
    absent = [u for u in x.units if _frame.key(u) not in row]
    if absent:
        raise AlignmentError(f"{len(absent)} units have no point: {_frame.shorten(absent)}; pass points=")
    lonlat = known.xy[[row[_frame.key(u)] for u in x.units]]
    return x, lonlat, known.what, points is None and _frame.all_provinces(x.units)


def _path(x: Wide, lonlat: Array) -> pd.DataFrame:
    centers = np.array([centrography.spherical_center(lonlat[:, 0], lonlat[:, 1], w) for w in x.values])
    lon, lat = centers.T
    step = np.full(len(centers), np.nan)
    bearing = np.full(len(centers), np.nan)
    step[1:] = great_circle(lon[:-1], lat[:-1], lon[1:], lat[1:])
    for t in range(1, len(centers)):
        east, north = centrography.azimuthal(lon[t : t + 1], lat[t : t + 1], lon[t - 1], lat[t - 1])[0]
        bearing[t] = np.degrees(np.arctan2(east, north)) % 360.0 if step[t] > 0 else np.nan
    columns = {"lon": lon, "lat": lat, "shift_km": step, "bearing": bearing}
    columns["from_first_km"] = great_circle(lon[0], lat[0], lon, lat)
    return pd.DataFrame(columns, index=x.index())
