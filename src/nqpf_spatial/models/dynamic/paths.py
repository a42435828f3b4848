"""Effects over time: what a change does in the periods after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from nqpf_spatial.models.dynamic.impacts import dynamic_impacts
from nqpf_spatial.models.dynamic.part import part
from nqpf_spatial.models.dynamic.stability import stability
from nqpf_spatial.models.impacts.inference import EFFECTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.results import SpatialFit


@dataclass(frozen=True, eq=False, repr=False)
class ImpulseResponses:
    """Direct, indirect and total effects 0, 1, ... periods after a change.

    Attributes
    ----------
    table : DataFrame
        Index (term, horizon); columns (direct, indirect, total) x (estimate, se, z, p, lower, upper).
    cumulative : bool
        False: the change lasts one period. True: it is permanent.
    alpha : float
    fit : SpatialFit
    """

    table: pd.DataFrame
    cumulative: bool
    alpha: float
    fit: SpatialFit

    def tidy(self) -> pd.DataFrame:
        """Long form: one row per term, horizon and effect."""
        long = self.table.stack(level=0)
        long.index.names = ["term", "horizon", "effect"]
        return long.loc[:, ["estimate", "se", "z", "p", "lower", "upper"]]

    def plot(
        self,
        term: str | None = None,
        effects: tuple[str, ...] = EFFECTS,
        lang: str = "en",
        ax: Axes | None = None,
    ) -> Axes:
        """Responses with intervals; see `nqpf_spatial.models.plots.response_plot`."""
        from nqpf_spatial.models.plots import response_plot

        return response_plot(self, term, effects, lang, ax)

    def _head(self) -> str:
        change = "a permanent change" if self.cumulative else "a change of one period"
        return f"Responses to {change} (delta method); dynamic {self.fit.model}, {stability(self.fit).line()}"

    def _shown(self) -> pd.DataFrame:
        return self.table.loc[:, pd.IndexSlice[:, ["estimate", "lower", "upper"]]]

    def __repr__(self) -> str:
        return f"{self._head()}\n{self._shown().to_string(float_format=lambda v: f'{v:.4f}')}"

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>{self._shown().to_html(float_format=lambda v: f'{v:.4f}')}"


def impulse_responses(
    fit: SpatialFit, horizons: int = 10, *, cumulative: bool = False, alpha: float = 0.05
) -> ImpulseResponses:
    """Effects 0 to `horizons` periods after a change of one period (or, cumulative, of a permanent one), delta method.

    Parameters
    ----------
    fit : SpatialFit
        With time lags.
    horizons : int
        Last horizon.
    cumulative : bool
    alpha : float

    Returns
    -------
    ImpulseResponses
        ``.table`` has the index (term, horizon); ``.plot(term)`` draws it.
    """
    part(fit.estimate)
    if horizons < 0:
        raise ValueError(f"horizons={horizons}: give the number of periods after the change, 0 or more")
    parts = {h: dynamic_impacts(fit, h, cumulative=cumulative, alpha=alpha).table for h in range(horizons + 1)}
    table = pd.concat(parts, names=["horizon", "term"]).swaplevel()
    order = [(term, h) for term in parts[0].index for h in parts]
    return ImpulseResponses(table.loc[order], cumulative, alpha, fit)
