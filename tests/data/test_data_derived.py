"""Every derived variable, cell by cell, by another route: the formula text of the register, or loops."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

import nqpf_spatial as nq
from nqpf_spatial.data import _store, derive
from nqpf_spatial.data._formulas import Table
from nqpf_spatial.provinces import PROVINCES

NAMES = [p.name_en for p in PROVINCES]
PANEL = nq.load_panel()
CELLS = {name: PANEL[name].to_dict() for name in PANEL.columns}
with resources.as_file(resources.files("nqpf_spatial.data") / "files" / "derived.csv") as _path:
    DEFINED = pd.read_csv(_path, keep_default_na=False).set_index("name")
INDICES = {
    "digital_index": "broadband_pc cable_pc mobile_phone_penetration",
    "digital_index_broad": "broadband_pc cable_pc ports_pc mobile_users_pc mobile_traffic_pc ecommerce_pc "
    "computers_per_100_staff websites_per_100_firms",
    "digital_index_net": "broadband_pc cable_pc ports_pc",
    "digital_index_use": "mobile_traffic_pc ecommerce_pc express_pc",
    "nqpf_index": "rd_intensity rd_fte_pc patents_inv_pc broadband_pc cable_pc mobile_phone_penetration",
    "hd_index": "disposable_income_pc schooling_years beds_per_1000 doctors_per_1000",
    "hd_index_gdp": "gdp_real_pc schooling_years beds_per_1000 doctors_per_1000",
}
Cell = Callable[[str, int], float]


def get(name: str, province: str, year: int) -> float:
    """A value of the panel; NaN where it has none."""
    return CELLS[name].get((province, year), math.nan)


def stated_years(name: str) -> list[int]:
    """Years of a derived variable by the register."""
    row = DEFINED.loc[name]
    absent = {int(y) for y in row["absent_years"].split(";") if y}
    return [y for y in range(row["first_year"], row["last_year"] + 1) if y not in absent]


def national(name: str, year: int) -> list[float]:
    """Values of all provinces in a year."""
    return [get(name, p, year) for p in NAMES]


def share_of_total(name: str) -> Cell:
    """Percent of the sum over provinces."""
    return lambda p, t: 100 * get(name, p, t) / math.fsum(national(name, t))


def relative_to_mean(name: str) -> Cell:
    """Ratio to the unweighted mean."""
    return lambda p, t: get(name, p, t) / (math.fsum(national(name, t)) / 31)


def log_change(name: str) -> Cell:
    """Log points since the preceding year."""
    return lambda p, t: 100 * (math.log(get(name, p, t)) - math.log(get(name, p, t - 1)))


def gdp_real(p: str, t: int) -> float:
    """Base-year GDP carried year by year."""
    level, year = get("gdp", p, 2010), 2010
    while year < t:
        year += 1
        level *= get("gdp_index", p, year) / 100
    while year > t:
        level /= get("gdp_index", p, year) / 100
        year -= 1
    return level


def sector(name: str) -> Cell:
    """Share inside one vintage."""

    def cell(p: str, t: int) -> float:
        if t >= 2016:
            return get(f"va_{name}", p, t) / get("gdp", p, t)
        return get(f"va_{name}_v2023", p, t) / get("gdp_v2023", p, t)

    return cell


def price(p: str, t: int) -> float:
    """Price level of investment, 2010 = 1: fai_price_index to 2019, rpi afterwards; rpi for Tibet."""

    def step(year: int) -> float:
        name = "rpi" if p == "Tibet" or year > 2019 else "fai_price_index"
        return get(name, p, year) / 100

    level = 1.0
    for year in range(2011, t + 1):
        level *= step(year)
    for year in range(t + 1, 2011):
        level /= step(year)
    return level


def capital(p: str, t: int) -> float:
    """Stock by the sum of depreciated investments, not by recursion."""
    real = {s: get("gfcf", p, s) / price(p, s) for s in range(2001, min(t, 2017) + 1)}
    nominal = get("gfcf", p, 2017)
    for s in range(2018, t + 1):
        nominal *= 1 + get("fai_growth", p, s) / 100
        real[s] = nominal / price(p, s)
    real_2010 = get("gfcf", p, 2010) / price(p, 2010)
    growth = math.log(real_2010 / real[2001]) / 9
    start = real[2001] / (growth + 0.096)
    return start * 0.904 ** (t - 2000) + math.fsum(x * 0.904 ** (t - s) for s, x in real.items())


def solow_residual(p: str, t: int) -> float:
    """One labour share for all provinces and 2005-2017."""
    s = math.fsum(get("labour_share", q, y) for q in NAMES for y in range(2005, 2018)) / (31 * 13)
    n = get("population", p, t)
    return math.log(get("gdp_real", p, t) / n) - (1 - s) * math.log(get("capital_stock", p, t) / n)


def tfp_solow_growth(p: str, t: int) -> float:
    """Tornqvist labour share of the province."""
    s = (get("labour_share", p, t) + get("labour_share", p, t - 1)) / 2
    d = {v: math.log(get(v, p, t) / get(v, p, t - 1)) for v in ("gdp_real", "capital_stock", "population")}
    return 100 * (d["gdp_real"] - (1 - s) * d["capital_stock"] - s * d["population"])


def tfp_est(p: str, t: int) -> float:
    """Equal elasticities: the log of output over the geometric mean of inputs."""
    return math.log(get("gdp_real", p, t) / math.sqrt(get("capital_stock_est", p, t) * get("population", p, t)))


def net_flow_5yr(p: str, t: int) -> float:
    """From the matrices, not from the tabulated margins."""
    factor = nq.data.flows_index().loc[f"5yr_{t}", "expansion_factor"]
    with pytest.warns() if t == 2005 else _quiet():
        m = nq.load_flows(f"5yr_{t}")
    return 1000 * factor * (m[p].sum() - m.loc[p].sum()) / (10_000 * get("population", p, t))


class _quiet:
    def __enter__(self) -> None: ...
    def __exit__(self, *args: object) -> None: ...


def km(a: str, b: str) -> float:
    """Geodesic on a sphere with the mean Earth radius, by another library."""
    p, q = nq.provinces.resolve(a), nq.provinces.resolve(b)
    # the library rounds distances to the millimetre
    return round(Geod(a=6371.0088, b=6371.0088).inv(p.lon, p.lat, q.lon, q.lat)[2], 6)


KM = {(a, b): km(a, b) for a in NAMES for b in NAMES if a != b}


def market_potential(p: str, t: int) -> float:
    """Real GDP of the others over distance."""
    return math.fsum(get("gdp_real", q, t) / KM[p, q] for q in NAMES if q != p)


def dist_sea_gate(p: str, t: int) -> float:
    """Nearest of the three gates."""
    return min(0.0 if p == gate else KM[p, gate] for gate in ("Tianjin", "Shanghai", "Guangdong"))


def edu_gini(p: str, t: int) -> float:
    """Half the relative mean difference over all ordered pairs of classes."""
    years = {"none": 0, "primary": 6, "junior": 9, "senior": 12, "college": 16}
    share = {c: get(f"survey_edu_{c}", p, t) / get("survey_pop_6plus", p, t) for c in years}
    gaps = math.fsum(share[a] * share[b] * abs(years[a] - years[b]) for a in years for b in years)
    return gaps / 2 / math.fsum(share[c] * years[c] for c in years)


def krugman(shares: Callable[[str, int], list[float]]) -> Cell:
    """Distance to the mean structure."""

    def cell(p: str, t: int) -> float:
        table = [shares(q, t) for q in NAMES]
        mean = [math.fsum(column) / 31 for column in zip(*table, strict=True)]
        return math.fsum(abs(own - m) for own, m in zip(shares(p, t), mean, strict=True))

    return cell


NINE = [
    *("primary", "industry", "construction", "trade", "transport_post"),
    *("hotels", "finance", "real_estate", "other_services"),
]
BY_LOOPS: dict[str, Cell] = {
    "gdp_real": gdp_real,
    "gdp_pc_growth": log_change("gdp_real_pc"),
    **{f"share_{s}": sector(s) for s in ("primary", "secondary", "tertiary")},
    "capital_stock": capital,
    "capital_stock_est": capital,
    "solow_residual": solow_residual,
    "tfp_solow_growth": tfp_solow_growth,
    "tfp_est": tfp_est,
    "tfp_growth_est": lambda p, t: 100 * (get("tfp_est", p, t) - get("tfp_est", p, t - 1)),
    "pop_growth": log_change("population"),
    "net_flow_5yr": net_flow_5yr,
    "pop_share": share_of_total("population"),
    "rd_fte_share": share_of_total("rd_personnel_fte"),
    "trade_share": share_of_total("trade_total"),
    "market_potential": market_potential,
    "dist_sea_gate": dist_sea_gate,
    "edu_gini": edu_gini,
    "schooling_rel": relative_to_mean("schooling_years"),
    "schooling_rel_census": relative_to_mean("mean_years_schooling"),
    "krugman3": krugman(lambda p, t: [get(f"share_{s}", p, t) for s in ("primary", "secondary", "tertiary")]),
    "krugman9": krugman(lambda p, t: [get(f"va_{s}", p, t) / get("gdp", p, t) for s in NINE]),
}
BY_TEXT = [name for name in DEFINED.index if name not in BY_LOOPS and name not in INDICES]


def evaluate(text: str, p: str, t: int) -> float:
    """Evaluate the register's formula for one cell."""
    expression = re.split(r"[;:]", text)[0]
    expression = re.sub(
        r"\b(?!ln\b)([a-z]\w*)(?:\[(\d{4})\])?",
        lambda m: f"get('{m[1]}', {m[2] or t})",
        expression,
    )
    scope = {"__builtins__": {}, "ln": math.log, "get": lambda name, year: get(name, p, year)}
    return eval(expression, scope)


def assert_cells(name: str, cell: Cell, rel: float = 1e-11) -> None:
    """Compare all cells of a variable."""
    checked = 0
    for t in stated_years(name):
        for p in NAMES:
            mine = get(name, p, t)
            if math.isnan(mine):
                continue
            assert mine == pytest.approx(cell(p, t), rel=rel, abs=1e-10), (p, t)
            checked += 1
    assert checked == int(PANEL[name].notna().sum())
    assert checked >= 30


@pytest.mark.parametrize("name", BY_TEXT)
def test_formula_text_of_the_register(name: str) -> None:
    assert_cells(name, lambda p, t: evaluate(DEFINED.at[name, "formula"], p, t))


@pytest.mark.parametrize("name", BY_LOOPS)
def test_by_loops(name: str) -> None:
    assert_cells(name, BY_LOOPS[name])


@pytest.mark.parametrize("name", INDICES)
def test_entropy_indices(name: str) -> None:
    years = stated_years(name)
    table = PANEL.loc[PANEL.index.get_level_values("year").isin(years), INDICES[name].split()]
    assert not table.isna().any(axis=None)
    z = (table - table.min()) / (table.max() - table.min())
    p = z / z.sum()
    entropy = -(p * np.log(p.where(p > 0, 1))).sum() / np.log(len(table))
    weights = (1 - entropy) / (1 - entropy).sum()
    expected = z.mul(weights).sum(axis=1)
    assert PANEL[name].notna().sum() == len(table) == 31 * len(years)
    np.testing.assert_allclose(PANEL.loc[table.index, name], expected, rtol=1e-11, atol=1e-13)
    assert expected.between(0, 1).all()


@pytest.mark.parametrize("name", INDICES)
def test_components_of_an_index_are_those_of_the_register(name: str) -> None:
    assert DEFINED.at[name, "inputs"].split(";") == INDICES[name].split()


def test_all_derived_variables_are_tested() -> None:
    assert len(DEFINED) == 84
    assert {*BY_TEXT, *BY_LOOPS, *INDICES} == set(DEFINED.index)
    assert list(derive.formulas(_store.windows(), {})) == list(DEFINED.index)


@pytest.mark.parametrize("name", DEFINED.index)
def test_years_and_provinces_are_those_of_the_register(name: str) -> None:
    counts = PANEL[name].groupby(level="year").count()
    assert counts[counts > 0].index.tolist() == stated_years(name)
    stated = DEFINED.at[name, "provinces"]
    n = counts[stated_years(name)]
    if stated == 29:
        # electricity: "29 provinces from 2016" in the coverage note; before, all 31 are published
        assert set(n[n.index >= 2016]) == {29}
        assert set(n[n.index < 2016]) == {31}
    else:
        assert set(n) == {stated}


class Recorder(dict):
    """Arrays that remember which were asked for."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        super().__init__(arrays)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        self.asked.add(name)
        return super().__getitem__(name)


@pytest.mark.parametrize("name", DEFINED.index)
def test_a_formula_uses_exactly_its_stated_inputs(name: str) -> None:
    recorder = Recorder(_store.arrays())
    _store.formulas()[name].compute(Table(recorder, _store.years()))
    assert recorder.asked == {i for i in DEFINED.at[name, "inputs"].split(";") if i}


@pytest.mark.parametrize("name", DEFINED.index)
def test_the_stated_reach_of_a_formula_is_true(name: str) -> None:
    """Disturb the inputs in one province and year: the cells that move must be within the stated reach."""
    formula, years = _store.formulas()[name], _store.years()
    t = stated_years(name)[len(stated_years(name)) // 2]
    column, row = years.index(t), 4
    arrays = {k: v.copy() for k, v in _store.arrays().items()}
    before = formula.compute(Table(arrays, years)).copy()
    for k in DEFINED.at[name, "inputs"].split(";"):
        if k:
            arrays[k][row, column] *= 1.01
    moved = ~np.isclose(formula.compute(Table(arrays, years)), before, rtol=1e-12, atol=0, equal_nan=True)
    inside = np.array([y in stated_years(name) for y in years])
    moved = moved[:, inside]
    if not formula.other_provinces:
        assert not np.delete(moved, row, axis=0).any()
    if not formula.other_years:
        assert not np.delete(moved, stated_years(name).index(t), axis=1).any()


def test_units_make_sense() -> None:
    """Orders of magnitude that a slip of units would break."""
    y = PANEL.xs(2020, level="year")
    assert 2 < y["gdp_real_pc"].min() < y["gdp_real_pc"].max() < 20
    assert y["pop_share"].sum() == pytest.approx(100)
    assert 1500 < y["electricity_pc"].min() < y["electricity_pc"].max() < 20000
    assert 0.2 < y["rd_intensity"].min() < y["rd_intensity"].max() < 7
    assert 100 < y["mobile_traffic_pc"].median() < 200
    assert (
        PANEL["capital_stock"].xs(2017, level="year").div(PANEL["gdp_real"].xs(2017, level="year")).between(2, 8).all()
    )
