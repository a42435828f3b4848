"""Families of derived variables: one small pure function each, on arrays of shape (31 provinces, years)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.kernels.composite import entropy_weights, minmax
from nqpf_spatial.kernels.geo import distance_matrix
from nqpf_spatial.provinces import PROVINCES, resolve

Array = NDArray[np.float64]

BASE_YEAR = 2010
"""Constant prices are those of this year."""
DEPRECIATION = 0.096
"""Annual rate of depreciation of the capital stock (Zhang, Wu and Zhang 2004, Economic Research Journal)."""
CAPITAL_WEIGHT = 0.5
"""Output elasticity of capital in ``tfp_est``."""
SCHOOL_YEARS = {"none": 0, "primary": 6, "junior": 9, "senior": 12, "college": 16}
"""Years of schooling counted for the classes of the annual survey: a convention."""
SEA_GATES = ("Tianjin", "Shanghai", "Guangdong")
"""Provinces whose seats (Tianjin, Shanghai, Guangzhou) are the sea gates of ``dist_sea_gate``."""
SURVEY_YEAR = 2008
"""Year of the land survey."""
NINE_SECTORS = tuple(
    f"va_{s}"
    for s in (
        *("primary", "industry", "construction", "trade", "transport_post"),
        *("hotels", "finance", "real_estate", "other_services"),
    )
)


@dataclass(frozen=True, slots=True)
class Table:
    """Variables as arrays (31, years), with access by name and by year.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Published variables and the derived ones computed so far.
    years : tuple of int
        Years of the columns, without gaps.
    """

    arrays: dict[str, Array]
    years: tuple[int, ...]

    def __getitem__(self, name: str) -> Array:
        """All years of a variable."""
        return self.arrays[name]

    def span(self, name: str, first: int, last: int) -> Array:
        """Years first to last of a variable."""
        return self.arrays[name][:, first - self.years[0] : last - self.years[0] + 1]

    def at(self, name: str, year: int) -> Array:
        """One year of a variable, as a column (31, 1)."""
        return self.span(name, year, year)

    def empty(self) -> Array:
        """An array without values."""
        return np.full((len(PROVINCES), len(self.years)), np.nan)

    def place(self, values: Array, first: int) -> Array:
        """An array with values in the years from first on, and none elsewhere."""
        out = self.empty()
        start = first - self.years[0]
        out[:, start : start + values.shape[1]] = values
        return out


Function = Callable[[Table], Array]


@dataclass(frozen=True, slots=True)
class Formula:
    """How a variable is derived, and from where.

    Attributes
    ----------
    compute : callable
        Table -> array (31, years).
    other_years, other_provinces : bool
        Whether a cell also depends on inputs of other years or other provinces.
    """

    compute: Function
    other_years: bool = False
    other_provinces: bool = False


def lag(x: Array) -> Array:
    """Value of the preceding year."""
    return np.hstack([np.full((len(x), 1), np.nan), x[:, :-1]])


def ratio(above: str, below: str, scale: float = 1.0) -> Formula:
    """Scaled ratio of two variables."""
    return Formula(lambda t: scale * t[above] / t[below])


def log_ratio(above: str, below: str) -> Formula:
    """Log of a ratio."""
    return Formula(lambda t: np.log(t[above] / t[below]))


def log(name: str) -> Formula:
    """Log of a variable."""
    return Formula(lambda t: np.log(t[name]))


def growth(name: str) -> Formula:
    """Annual change of the log, in log points."""
    return Formula(lambda t: 100 * (np.log(t[name]) - np.log(lag(t[name]))), other_years=True)


def national_share(name: str) -> Formula:
    """Share of the sum over provinces, percent; a year lacking a province has no sum."""
    return Formula(lambda t: 100 * t[name] / t[name].sum(axis=0), other_provinces=True)


def relative(name: str) -> Formula:
    """Relative to the unweighted mean of provinces."""
    return Formula(lambda t: t[name] / t[name].mean(axis=0), other_provinces=True)


def sector_share(sector: str) -> Formula:
    """Share of a sector in GDP, each side of 2016 inside its own vintage."""

    def compute(t: Table) -> Array:
        old = t[f"va_{sector}_v2023"] / t["gdp_v2023"]
        return np.where(np.asarray(t.years) >= 2016, t[f"va_{sector}"] / t["gdp"], old)

    return Formula(compute)


def entropy_index(components: tuple[str, ...], first: int, last: int) -> Formula:
    """Weighted sum of min-max normalised components; range and entropy weights pooled over the window."""

    def compute(t: Table) -> Array:
        pooled = np.stack([t.span(c, first, last).ravel() for c in components], axis=1)
        z = minmax(pooled)
        # a sum, not @: the same bits with any BLAS
        return t.place((z * entropy_weights(z)).sum(axis=1).reshape(len(PROVINCES), -1), first)

    return Formula(compute, other_years=True, other_provinces=True)


def chain(index: Array, base: int) -> Array:
    """Chain annual indices (preceding year = 1) to a level that is 1 in column ``base``."""
    later = np.cumprod(index[:, base + 1 :], axis=1)
    # the index of year s leads from s-1 to s, so going back to t uses the indices of t+1 .. base
    earlier = 1 / np.cumprod(index[:, base:0:-1], axis=1)[:, ::-1]
    return np.hstack([earlier, np.ones_like(index[:, :1]), later])


def gdp_real(t: Table) -> Array:
    """GDP of the base year times the chained index, forwards and backwards."""
    return t.at("gdp", BASE_YEAR) * chain(t["gdp_index"] / 100, BASE_YEAR - t.years[0])


def price_level(t: Table, *names: tuple[str, int]) -> Array:
    """Chain price indices to a level, base year = 1; each index is used up to its stated last year.

    Tibet has no ``fai_price_index``; the retail price index stands in, as the register states.
    """
    index, done = t.empty(), t.years[0] - 1
    tibet = PROVINCES.index(resolve("Tibet"))
    for name, last in names:
        columns = slice(done + 1 - t.years[0], last + 1 - t.years[0])
        index[:, columns] = t[name][:, columns]
        index[tibet, columns] = t["rpi"][tibet, columns]
        done = last
    return chain(index / 100, BASE_YEAR - t.years[0])


def accumulate(start: Array, investment: Array) -> Array:
    """Perpetual inventory ``K[t] = K[t-1] (1 - d) + I[t]`` from the stock before the first investment."""
    stock = np.empty_like(investment)
    previous = start
    for k in range(investment.shape[1]):
        previous = previous * (1 - DEPRECIATION) + investment[:, k]
        stock[:, k] = previous
    return stock


def capital_stock(t: Table) -> Array:
    """Perpetual inventory from 2001.

    The stock before the first investment is that of steady growth, at the mean of the nine annual log
    changes of real investment between 2001 and 2010.
    """
    real = t["gfcf"] / price_level(t, ("fai_price_index", 2017))
    flow = Table({"real": real}, t.years).span("real", 2001, 2017)
    growth = np.diff(np.log(flow[:, : 2010 - 2001 + 1]), axis=1).mean(axis=1)
    return t.place(accumulate(flow[:, 0] / (growth + DEPRECIATION), flow), 2001)


def capital_stock_est(t: Table) -> Array:
    """Carry the stock on after 2017: investment grows with ``fai_growth``, prices with rpi after 2019."""
    nominal = t.at("gfcf", 2017) * np.cumprod(1 + t.span("fai_growth", 2018, 2022) / 100, axis=1)
    price = price_level(t, ("fai_price_index", 2019), ("rpi", 2022))
    flow = nominal / Table({"price": price}, t.years).span("price", 2018, 2022)
    known = t.span("capital_stock", 2001, 2017)
    return t.place(np.hstack([known, accumulate(known[:, -1], flow)]), 2001)


def labour_share(t: Table) -> Array:
    """Compensation of employees over the four items of the income approach."""
    others = t["depreciation"] + t["net_production_tax"] + t["operating_surplus"]
    return t["labour_compensation"] / (t["labour_compensation"] + others)


def solow_residual(t: Table) -> Array:
    """Log residual per resident, one labour share for all."""
    s = t.span("labour_share", 2005, 2017).mean()
    return np.log(t["gdp_real"] / t["population"]) - (1 - s) * np.log(t["capital_stock"] / t["population"])


def tfp_solow_growth(t: Table) -> Array:
    """Growth residual with the province's own labour share, mean of both years (Tornqvist)."""
    s = (t["labour_share"] + lag(t["labour_share"])) / 2
    y, k, n = (np.log(t[v]) - np.log(lag(t[v])) for v in ("gdp_real", "capital_stock", "population"))
    return 100 * (y - (1 - s) * k - s * n)


def tfp_est(t: Table) -> Array:
    """Log residual with a fixed output elasticity of capital."""
    a = CAPITAL_WEIGHT
    return np.log(t["gdp_real"]) - a * np.log(t["capital_stock_est"]) - (1 - a) * np.log(t["population"])


def net_flow(factors: dict[int, float]) -> Function:
    """Net five-year migration per 1000 residents; tabulated persons expanded by the factor of the date."""

    def compute(t: Table) -> Array:
        factor = np.array([factors.get(year, np.nan) for year in t.years])
        return 1000 * factor * (t["inflow_5yr"] - t["outflow_5yr"]) / (10_000 * t["population"])

    return compute


def distances() -> Array:
    """Great-circle km between the seats of the 31 governments."""
    return distance_matrix([p.lon for p in PROVINCES], [p.lat for p in PROVINCES])


def market_potential(t: Table) -> Array:
    """Real GDP of all other provinces over distance (Harris 1954)."""
    km = distances()
    np.fill_diagonal(km, np.inf)
    return (t["gdp_real"][None, :, :] / km[:, :, None]).sum(axis=1)


def dist_sea_gate(t: Table) -> Array:
    """Distance to the nearest sea gate: a constant of the province."""
    gates = [PROVINCES.index(resolve(g)) for g in SEA_GATES]
    return np.repeat(distances()[:, gates].min(axis=1)[:, None], len(t.years), axis=1)


def schooling(t: Table) -> Array:
    """Mean years of schooling from the classes of the annual survey."""
    total = sum((y * t[f"survey_edu_{c}"] for c, y in SCHOOL_YEARS.items()), np.zeros(1))
    return total / t["survey_pop_6plus"]


def edu_gini(t: Table) -> Array:
    """Gini of years of schooling over classes (Thomas, Wang and Fan 2001)."""
    share = {c: t[f"survey_edu_{c}"] / t["survey_pop_6plus"] for c in SCHOOL_YEARS}
    pairs = combinations(SCHOOL_YEARS.items(), 2)
    gaps = sum((share[a] * share[b] * abs(ya - yb) for (a, ya), (b, yb) in pairs), np.zeros(1))
    return gaps / t["schooling_years"]


def krugman(shares: Callable[[Table], list[Array]]) -> Formula:
    """Sum over sectors of the distance to the unweighted mean structure (Krugman 1991)."""

    def compute(t: Table) -> Array:
        return sum((np.abs(s - s.mean(axis=0)) for s in shares(t)), np.zeros(1))

    return Formula(compute, other_provinces=True)


def over_land(*names: str) -> Formula:
    """Lengths (10 thousand km) over the land area of the survey year (km2)."""
    return Formula(
        lambda t: 10_000 * sum((t[n] for n in names), np.zeros(1)) / t.at("land_area", SURVEY_YEAR),
        other_years=True,
    )
