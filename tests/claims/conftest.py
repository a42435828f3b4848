"""A constructed panel in place of the real one: same index, same gaps, an effect of known sign."""

from functools import cached_property

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.claims.context import Context, NotInRelease

DIGITAL = ("ln_broadband_pc", "cable_pc", "digital_index", "digital_index_net", "digital_index_broad")
OTHERS = (
    "ln_rd_intensity", "patents_inv_pc", "rd_fte_pc", "pop_growth", "net_migration_rate", "urbanization_rate",
    "gov_share", "share_secondary", "ln_trade_ratio", "schooling_years",
)  # fmt: skip
OUTCOMES = ("solow_residual", "tfp_est")


def make_panel(beta, seed=0):
    """Outcome y = 0.2 Wy + beta x + effects + noise, 2000-2024; every GDP series is consistent with it."""
    real = nq.load_panel().loc[(slice(None), slice(2000, None)), :]
    rng = np.random.default_rng(seed)
    w = nq.weights.contiguity().dense()
    years = real.index.unique("year")
    n, t = w.shape[0], len(years)
    x = rng.standard_normal((t, n))
    inverse = np.linalg.inv(np.eye(n) - 0.2 * w)
    mu, alpha = rng.standard_normal(n), rng.standard_normal((t, 1))
    y = (beta * x + mu + alpha + 0.3 * rng.standard_normal((t, n))) @ inverse.T

    def column(values):
        return pd.Series(values.T.reshape(-1), index=real.index)

    def masked(values, name):
        return column(values).where(real[name].notna())

    def noise(scale):
        return scale * rng.standard_normal((t, n))

    level = column(np.exp(y))
    growth = 100 * np.exp(np.diff(y, axis=0, prepend=y[:1]))
    ones = pd.Series(1.0, index=real.index)
    data = {name: masked(x + (i > 0) * noise(0.1), name) for i, name in enumerate(DIGITAL)}
    data |= {name: masked(x + noise(0.1), name) for name in ("broadband_pc", "mobile_phone_penetration")}
    data |= {name: masked(noise(1.0), name) for name in OTHERS}
    data |= {name: masked(y + noise(0.05), name) for name in OUTCOMES}
    data |= dict.fromkeys(("gdp", "gdp_real"), level)
    data |= {name: column(growth) for name in ("gdp_index", "gdp_index_firstpub")}
    data |= {"ln_gdp_real_pc": column(y), "population": ones}
    data |= {
        name: column(np.exp(noise(1.0)))
        for name in (
            "rd_expenditure",
            "fiscal_expenditure",
            "trade_total",
            "tech_market_purchases",
            "electricity_consumption",
        )
    }
    data["gdp_real_per_urban_worker"] = level.where(real["gdp_real_per_urban_worker"].notna())
    data["gdp_v2023"] = level.where(real["gdp_v2023"].notna())
    frame = pd.DataFrame(data)
    frame.attrs = {"release": "constructed"}
    return frame


class Alone(Context):
    """The other claims of a family are not run on constructed panels: the bound m * p stands in."""

    @cached_property
    def p_values(self):
        return dict.fromkeys(self.register.claims)


class Constructed(Alone):
    """A context whose panel and weights are constructed."""

    beta = 0.0
    missing: tuple[str, ...] = ()

    @cached_property
    def panel(self):
        return make_panel(self.beta)

    def weights(self, w_id):
        if w_id in self.missing:
            raise NotInRelease(f"W {w_id}: nq.weights.{w_id} arrives later")
        queen = nq.weights.contiguity()
        ring = list(self.register.weights["matrices"]).index(w_id)
        if ring == 0:
            return queen
        rng = np.random.default_rng(ring)
        extra = queen.dense() + 0.3 * np.triu(rng.uniform(size=(queen.n, queen.n)) < 0.05, 1)
        extra = extra + extra.T
        np.fill_diagonal(extra, 0.0)
        return nq.weights.from_any(pd.DataFrame(extra, index=queen.ids, columns=queen.ids))


@pytest.fixture(scope="session")
def constructed():
    """Return a factory of contexts: effect, matrices left out."""

    def make(beta, missing=(), fast=False):
        return type("Made", (Constructed,), {"beta": beta, "missing": tuple(missing)})(fast=fast)

    return make


BLOCK_LEVEL = {"East": 1.0, "Central": 0.45, "West": 0.0, "Northeast": 0.25}
SOUTH_LEVEL = 0.5


def make_world(gap_growth, seed=0, noise=0.002, sign=1.0):
    """Every column of the real panel, in its real cells, with log gaps between provinces that grow at a known rate.

    log x = 3 + t / 20 + sign * exp(gap_growth * (t - 2013)) * (block + South + province) + noise
    """
    real = nq.load_panel()
    rng = np.random.default_rng(seed)
    provinces, years = real.index.unique("province"), real.index.unique("year").to_numpy()
    level = np.array(
        [BLOCK_LEVEL[nq.provinces.group_of(p)] + SOUTH_LEVEL * (nq.provinces.group_of(p, "north_south") == "South")
         for p in provinces]
    )  # fmt: skip
    spread = np.exp(gap_growth * (years - 2013.0))
    columns = {}
    for name in real.columns:
        own = level + 0.1 * rng.standard_normal(len(provinces))
        own = own - own.mean()
        x = 3.0 + (years - 2013.0)[None, :] / 20.0 + sign * spread[None, :] * own[:, None]
        x = x + noise * rng.standard_normal((len(provinces), len(years)))
        values = pd.Series(np.exp(x).ravel(), pd.MultiIndex.from_product([provinces, years], names=real.index.names))
        columns[name] = values.reindex(real.index).where(real[name].notna())
    columns["labour_share"] = real["labour_share"].notna().map({True: 0.5, False: np.nan})
    frame = pd.DataFrame(columns)
    frame.attrs = {"release": "constructed"}
    return frame


@pytest.fixture(scope="session")
def world():
    """Return a factory of contexts on a constructed panel: growth of the gaps, its seed, which side is ahead."""
    made = {}

    def make(gap_growth=0.0, seed=0, sign=1.0, noise=0.002, fast=False, edit=None):
        key = (gap_growth, seed, sign, noise)
        if key not in made:
            made[key] = make_world(gap_growth, seed, noise, sign)
        panel = made[key] if edit is None else edit(made[key].copy())
        panel.attrs = {"release": "constructed"}
        return type("World", (Context,), {"panel": panel})(fast=fast)

    return make


def random_panel(seed=0, **columns):
    """Noise in every cell the release has: positive, with unit effects and drift; `columns` replace some of it."""
    real = nq.load_panel()
    rng = np.random.default_rng(seed)
    units = real.index.get_level_values("province")
    years = real.index.get_level_values("year").to_numpy()
    out = {}
    for name in real.columns:
        level = dict(zip(units.unique(), rng.normal(0, 0.5, units.nunique()), strict=True))
        noise = rng.normal(0, 0.2, len(real))
        values = units.map(level).to_numpy(dtype=float) + 0.03 * (years - 2010) + noise
        out[name] = pd.Series(np.exp(values), real.index).where(real[name].notna())
    frame = pd.DataFrame(out)
    for name, column in columns.items():
        made = column(frame) if callable(column) else column
        frame[name] = made.reindex(frame.index).where(real[name].notna())
    frame.attrs = {"release": "random"}
    return frame


class Random(Alone):
    """A context whose panel is noise in the shape of the real one; the weights are the real ones."""

    @cached_property
    def panel(self):
        return random_panel(self.seed, **self.columns)


@pytest.fixture(scope="session")
def random_context():
    """Return a factory of contexts on noise: seed, whether fast, columns that replace noise."""

    def make(seed=0, fast=False, **columns):
        return type("MadeRandom", (Random,), {"columns": columns})(seed=seed, fast=fast)

    return make
