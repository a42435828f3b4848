"""Capital stock by perpetual inventory, with observed and estimated years kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nqpf_spatial.errors import AlignmentError, PanelError
from nqpf_spatial.indicators import _frame, _style
from nqpf_spatial.kernels import productivity as kernels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OBSERVED, ESTIMATED = "observed", "estimated"


_TO_YEARLY = "100 * price / price.groupby(level=0).shift()"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CapitalStock:
    """Capital stocks of every unit and year.

    Attributes
    ----------
    table : DataFrame
        Indexed by (unit, year): ``investment_real``, ``price`` (base year = 1), ``capital_stock`` (empty in
        estimated years), ``capital_stock_est`` (all years; only where some are estimated) and ``status``
        ("observed" or "estimated": investment or price of that year or of an earlier one is a bridge).
    initial : Series
        Stock of each unit at the end of the year before ``start``.
    growth : Series or None
        Growth rate behind a steady-state initial stock, log points / 100; None where the stock was given.
    depreciation : Series
        Rate of each unit.
    start, base_year : int
    """

    table: pd.DataFrame
    initial: pd.Series
    growth: pd.Series | None
    depreciation: pd.Series
    start: int
    base_year: int

    @property
    def initial_share(self) -> pd.DataFrame:
        """What is left of the assumed initial stock, as a share of each year's stock (years x units)."""
        stock = self.table[self._longest].unstack(level=0)
        age = np.asarray(stock.index, dtype=float)[:, None] - (self.start - 1)
        left = self.initial.to_numpy() * (1 - self.depreciation.to_numpy()) ** age
        return pd.DataFrame(left, index=stock.index, columns=stock.columns) / stock

    @property
    def _longest(self) -> str:
        return "capital_stock_est" if "capital_stock_est" in self.table else "capital_stock"

    def plot(self, *, lang: Literal["en", "zh"] = "en", ax: Axes | None = None) -> Axes:
        """Sum of the stocks over the units; estimated years dashed.

        Parameters
        ----------
        lang : {"en", "zh"}
        ax : matplotlib Axes, optional
        """
        ax = _style.new_axes(ax, lang)
        total = self.table[self._longest].groupby(level=1).sum()
        status = self.table["status"].groupby(level=1).first()
        observed = total[status == OBSERVED]
        ax.plot(observed.index, observed, color=_style.COLOURS[0], label=_style.word(OBSERVED, lang))
        if (status == ESTIMATED).any():
            rest = total[total.index >= observed.index[-1]]
            ax.plot(rest.index, rest, "--", color=_style.COLOURS[1], label=_style.word(ESTIMATED, lang))
        ax.set_ylabel(_style.word("capital stock", lang))
        _style.year_ticks(ax)
        ax.legend(frameon=False)
        return _style.finish(ax, lang)

    def _notes(self) -> list[str]:
        status = self.table["status"].groupby(level=1).first()
        guessed = status.index[status == ESTIMATED]
        share = self.initial_share.iloc[-1].mean()
        rate = self.depreciation.mean()
        notes = [
            f"prices of {self.base_year}; depreciation {100 * rate:.2f} % a year; the initial stock of "
            f"{self.start - 1} is assumed, {100 * share:.1f} % of the last stock on average",
        ]
        if len(guessed):
            notes.append(f"ESTIMATED years {guessed[0]}-{guessed[-1]}: investment or prices are bridged")
        return notes

    def _wide(self) -> pd.DataFrame:
        return self.table[self._longest].unstack(level=0).iloc[[0, -1]].T.describe().loc[["mean", "min", "max"]]

    def __repr__(self) -> str:
        return _style.text_page("Capital stock by perpetual inventory", self._wide(), self._notes())

    def _repr_html_(self) -> str:
        return _style.html_page("Capital stock by perpetual inventory", self._wide(), self._notes())


def capital_stock(
    investment: pd.Series,
    price_index: pd.Series,
    depreciation: float | Mapping[Any, float] | pd.Series = 0.096,
    *,
    start: int | None = None,
    base_year: int = 2010,
    growth_window: tuple[int, int] | None = None,
    initial: Mapping[Any, float] | pd.Series | None = None,
    bridge_growth: pd.Series | None = None,
    bridge_price: pd.Series | None = None,
) -> CapitalStock:
    """Capital stocks by perpetual inventory.

    Parameters
    ----------
    investment : Series indexed by (unit, year)
        Gross fixed capital formation in current prices.
    price_index : Series indexed by (unit, year)
        Price index of investment, preceding year = 100 (not a level with one year = 100, which is refused).
    depreciation : float, mapping or Series
        Annual rate, one or per unit; default 0.096 (Zhang, Wu and Zhang 2004). 0.1096 is the other usual one
        (Shan 2008).
    start : int, optional
        First year of investment that is used; default: the first with all units.
    base_year : int
        Stocks are at prices of this year.
    growth_window : (int, int), optional
        Years whose mean log growth of real investment makes the steady-state initial stock; default: the
        first ten years from ``start``.
    initial : mapping or Series, optional
        Stock of each unit at the end of the year before ``start``, at base-year prices, in place of the
        steady state.
    bridge_growth : Series, optional
        Growth of investment in percent, which carries investment on after its last year, as far as prices
        reach. Years that use it are estimates.
    bridge_price : Series, optional
        Price index (preceding year = 100) for the years after the last in which ``price_index`` has all
        units. Years that use it are estimates.

    Returns
    -------
    CapitalStock

    Raises
    ------
    PanelError
        A cell that is needed is missing or not positive (named); windows outside the data; no steady state; a price
        index that is a ratio, a growth rate or a level.
    AlignmentError
        Series of different units.

    Notes
    -----
    ``K_t = (1 - d) K_{t-1} + I_t / P_t``, ``K_{start-1} = (I_start / P_start) / (g + d)`` with g the mean
    log growth of ``I / P`` in ``growth_window``; P is the chained price index. A unit whose index was
    never published needs a substitute put into ``price_index`` by hand, so that it is seen.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> p = nq.load_panel(["gfcf", "fai_price_index", "rpi"])
    >>> price = p["fai_price_index"].copy()
    >>> price.loc["Tibet"] = p["rpi"].loc["Tibet"].to_numpy()
    >>> k = nq.indicators.capital_stock(p["gfcf"], price, start=2001)
    >>> float(k.table.loc[("Beijing", 2017), "capital_stock"].round(1)), set(k.table["status"])
    (55898.9, {'observed'})
    """
    flow, price = _wide(investment, "investment"), _yearly_prices(price_index, "price_index")
    units = list(flow.columns)
    _same_units(units, price, "price_index")
    _last_complete(flow, "investment")
    first = int(flow.index[flow.notna().all(axis=1)][0] if start is None else start)
    last_flow = int(flow.index[-1])
    last_price = _last_complete(price, "price_index")
    flow = _bridged_flow(flow, bridge_growth, last_flow, units)
    price = _bridged_price(price, bridge_price, last_price, units)
    # bridges go as far as both reach; observed investment is never cut off
    last = max(last_flow, min(int(flow.index[-1]), _last_complete(price, "price_index")))
    flow = _needed(flow, first, last, "investment")
    level = _price_level(price, min(first, base_year), max(last, base_year), base_year).loc[first:last]
    real, rate = flow / level, _per_unit(depreciation, units, "depreciation")
    growth, begin = None, _per_unit(initial, units, "initial") if initial is not None else None
    if begin is None:
        growth = _growth(real, growth_window or (first, min(first + 9, last_flow)))
        begin = pd.Series(kernels.steady_state_stock(real.iloc[0], growth, rate), index=real.columns)
    values = kernels.perpetual_inventory(real, begin, rate)
    stock = pd.DataFrame(values, index=real.index, columns=real.columns)
    known = (real.index <= last_flow) & (real.index <= last_price)
    table, rate = _long(real, level, stock, known), rate.rename("depreciation")
    return CapitalStock(table, begin.rename("initial"), growth, rate, first, base_year)


def _last_complete(table: pd.DataFrame, what: str) -> int:
    complete = table.index[table.notna().all(axis=1)]
    if not len(complete):
        empty = table.columns[table.isna().all()]
        hint = ""
        if what == "price_index" and len(empty):
            unit = repr(empty[0])
            hint = (
                ". Put a substitute into it by hand, for instance the retail price index: price = "
                f"panel['fai_price_index'].copy(); price.loc[{unit}] = panel['rpi'].loc[{unit}].to_numpy()"
            )
        raise PanelError(
            f"{what} has no year with all units; without any value: {_frame.shorten(empty) or 'none'}{hint}"
        )
    return int(complete[-1])


def _yearly_prices(series: pd.Series, what: str) -> pd.DataFrame:
    """Price index as years x units, refused unless it is one with the preceding year = 100."""
    table = _wide(series, what)
    middle = float(np.nanmedian(table.to_numpy())) if table.notna().any(axis=None) else 100.0
    if not 70 <= middle <= 150:
        raise PanelError(
            f"{what} must be an index with the preceding year = 100; its median is {middle:g}. A ratio to the "
            "preceding year is multiplied by 100, a growth rate in percent gets 100 added, a level is made one by "
            f"{_TO_YEARLY}"
        )
    mean = table.dropna(axis=1, how="all").mean(axis=1)
    base = table.index[(table == 100).sum(axis=1) == table.notna().sum(axis=1)]
    if len(base) == 1 and len(table) >= 5 and float((mean.diff().iloc[1:] > 0).mean()) >= 0.8:
        raise PanelError(
            f"{what} looks like a level with {base[0]} = 100 (every unit is exactly 100 then, and it grows over the "
            f"years); it must be an index with the preceding year = 100: {_TO_YEARLY}"
        )
    return table


def _wide(series: pd.Series, what: str) -> pd.DataFrame:
    """Years x units, units in canonical order; missing cells stay."""
    if not isinstance(series, pd.Series) or series.index.nlevels != 2:
        raise PanelError(f"{what} must be a Series indexed by (unit, year)")
    if not series.index.is_unique:
        raise PanelError(f"{what} has repeated cells: {_frame.shorten(series.index[series.index.duplicated()], 5)}")
    year_first = str(series.index.names[0]).lower() in ("year", "年份")
    table = series.astype(float).unstack(level=1 if year_first else 0).sort_index()
    names = (series.index.names[1 if year_first else 0], series.index.names[0 if year_first else 1])
    table.columns.name, table.index.name = names[0] or "unit", names[1] or "year"
    table = table[_frame.in_order(list(table.columns))]
    return table[table.notna().any(axis=1)]


def _same_units(units: list[Any], other: pd.DataFrame, what: str) -> None:
    apart = set(units) ^ set(other.columns)
    if apart:
        raise AlignmentError(f"investment and {what} must have the same units; only in one: {_frame.shorten(apart)}")


def _needed(table: pd.DataFrame, first: int, last: int, what: str) -> pd.DataFrame:
    """Years first to last, all cells present and positive."""
    part = table.reindex(range(first, last + 1))
    bad = [(u, t) for t in part.index for u in part.columns if not part.at[t, u] > 0]
    if bad:
        cells = ", ".join(f"{u} {t}" for u, t in bad[:6])
        raise PanelError(f"{what} {first}-{last} has {len(bad)} cells that are missing or not positive: {cells}")
    part.index.name, part.columns.name = table.index.name, table.columns.name
    return part


def _price_level(price: pd.DataFrame, first: int, last: int, base: int) -> pd.DataFrame:
    """Chained index, base year = 1."""
    steps = np.log(_needed(price, first + 1, last, "price_index") / 100) if last > first else price.iloc[:0]
    level = pd.concat([pd.DataFrame(0.0, index=[first], columns=price.columns), steps]).cumsum()
    out = np.exp(level - level.loc[base])
    out.index.name, out.columns.name = price.index.name, price.columns.name
    return out


def _bridged_flow(flow: pd.DataFrame, growth: pd.Series | None, last: int, units: list[Any]) -> pd.DataFrame:
    if growth is None:
        return flow
    rates = _wide(growth, "bridge_growth")
    _same_units(units, rates, "bridge_growth")
    ends = _last_complete(rates, "bridge_growth")
    if ends <= last:
        return flow
    factors = _needed(1 + rates[flow.columns] / 100, last + 1, ends, "1 + bridge_growth / 100")
    return pd.concat([flow, factors.cumprod() * flow.loc[last]])


def _bridged_price(price: pd.DataFrame, bridge: pd.Series | None, last: int, units: list[Any]) -> pd.DataFrame:
    if bridge is None:
        return price
    more = _yearly_prices(bridge, "bridge_price")
    _same_units(units, more, "bridge_price")
    ends = _last_complete(more, "bridge_price")
    return price if ends <= last else pd.concat([price.loc[:last], more.loc[last + 1 : ends, price.columns]])


def _per_unit(values: float | Mapping[Any, float] | pd.Series, units: list[Any], what: str) -> pd.Series:
    index = pd.Index(units)
    if isinstance(values, (int, float)):
        return pd.Series(float(values), index=index)
    series = pd.Series(dict(values), dtype=float)
    apart = set(series.index) ^ set(units)
    if apart or not (series >= 0).all():
        raise AlignmentError(
            f"{what} needs one non-negative number for every unit; amiss: {_frame.shorten(apart) or 'the values'}"
        )
    return series[index]


def _growth(real: pd.DataFrame, window: tuple[int, int]) -> pd.Series:
    first, last = window
    if not real.index[0] <= first < last <= real.index[-1]:
        raise PanelError(f"growth_window={window} must lie in {real.index[0]}-{real.index[-1]}, first before last")
    return (np.log(real.loc[last] / real.loc[first]) / (last - first)).rename("growth")


def _long(real: pd.DataFrame, level: pd.DataFrame, stock: pd.DataFrame, known: Any) -> pd.DataFrame:
    def column(table: pd.DataFrame) -> pd.Series:
        return table.T.stack()

    out = pd.DataFrame({"investment_real": column(real), "price": column(level)})
    status = np.tile(np.where(known, OBSERVED, ESTIMATED), real.shape[1])
    out["capital_stock"] = column(stock).where(status == OBSERVED)
    if not known.all():
        out["capital_stock_est"] = column(stock)
    out["status"] = status
    return out
