"""Random panels in the shape of the real one: its index and its gaps, no figure of it; effects of known sign are put in."""

from functools import cached_property

import numpy as np
import pandas as pd

import nqpf_spatial as nq
from nqpf_spatial.claims.context import Context

#: series that may be negative
SIGNED = ("growth", "net_", "outflow")


def random_panel(seed=0, change=None, persistence=0.5):
    """Every column random, missing where the real one is; `change(draw)` returns the columns to replace.

    `draw(name)` gives the (31, years) array of a column, `draw.noise(scale)` fresh noise of that shape.
    """
    real = nq.load_panel()
    rng = np.random.default_rng(seed)
    units, years = real.index.unique("province"), real.index.unique("year")
    shape = (len(units), len(years))
    index = pd.MultiIndex.from_product([units, years], names=["province", "year"])
    mask = real.reindex(index).notna()
    cube = {}
    for name in real.columns:
        e = rng.standard_normal(shape)
        for s in range(1, shape[1]):
            e[:, s] = persistence * e[:, s - 1] + e[:, s]
        values = rng.standard_normal((shape[0], 1)) + rng.standard_normal((1, shape[1])) + e
        cube[name] = values if any(s in name for s in SIGNED) else np.exp(0.2 * values)
    cube["dist_sea_gate"] = real["dist_sea_gate"].reindex(index).to_numpy().reshape(shape)  # geometry, not an outcome
    cube["gdp_index"], cube["gdp_index_firstpub"] = (100 * np.exp(0.02 * rng.standard_normal(shape)) for _ in range(2))
    if change is not None:
        cube |= change(cube, rng, list(years))
    frame = pd.DataFrame({name: values.ravel() for name, values in cube.items()}, index=index)
    frame = frame.where(mask.reindex(columns=frame.columns, fill_value=True)).reindex(real.index)
    frame.attrs = {"release": "constructed"}
    return frame


def random_flows(name, panel, elasticity=None):
    """Poisson flows between the provinces, with elasticities to log gaps of a year."""
    rng = np.random.default_rng(int(name[-4:]))
    units = list(panel.index.unique("province"))
    n = len(units)
    log = rng.standard_normal((n, 1)) + rng.standard_normal((1, n)) + 0.3 * rng.standard_normal((n, n)) + 4
    for column, (year, slope) in (elasticity or {}).items():
        z = np.log(panel[column].xs(year, level="year").loc[units].to_numpy())
        log = log + slope * (z[None, :] - z[:, None])
    table = rng.poisson(np.exp(log)).astype(float)
    np.fill_diagonal(table, 0.0)
    return pd.DataFrame(table, index=pd.Index(units, name="origin"), columns=pd.Index(units, name="destination"))


class RandomContext(Context):
    """A context on a random panel, with the real weights (geography and frozen series, no outcome of a claim)."""

    seed_of_panel = 0
    change = None
    elasticity = None

    @cached_property
    def panel(self):
        return random_panel(self.seed_of_panel, type(self).change)

    @cached_property
    def p_values(self):
        """The other claims of a family are not run on random panels: the bound m * p stands in."""
        return dict.fromkeys(self.register.claims)

    def flows(self, name):
        return random_flows(name, self.panel, (self.elasticity or {}).get(name))


def random_context(seed=0, change=None, elasticity=None, fast=False):
    made = type(
        "Made",
        (RandomContext,),
        {"seed_of_panel": seed, "change": staticmethod(change) if change else None, "elasticity": elasticity},
    )
    return made(fast=fast)
