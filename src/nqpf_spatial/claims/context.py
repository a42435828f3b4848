"""What the evaluation of claims shares: register, panel, weight matrices, seed.

The matrices are those of the register's `weights` block, asked from :mod:`nqpf_spatial.weights` by name. A
builder this release does not have is an absence with a reason, never a substitute.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from nqpf_spatial.claims.register import Register, load
from nqpf_spatial.errors import DataSourceError

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.weights import SpatialWeights

#: seed of every draw behind a verdict; recorded in the verdict
SEED = 2024


T = TypeVar("T")


class NotInRelease(RuntimeError):
    """A part a rule asks for is not in this release; the message names it."""


@dataclass(frozen=True)
class Context:
    """Inputs of an evaluation, built once per run.

    Attributes
    ----------
    register : Register
    seed : int
        Seed of every draw.
    fast : bool
        Leave out the variants marked heavy; the record says so.
    """

    register: Register = field(default_factory=load)
    seed: int = SEED
    fast: bool = False

    @cached_property
    def panel(self) -> pd.DataFrame:
        """The packaged panel with all variables, index (province, year)."""
        import nqpf_spatial as nq

        return nq.load_panel()

    @cached_property
    def p_values(self) -> dict[str, float | None]:
        """Claim id -> the p-value it brings into its family's correction; filled by the runner before it decides."""
        return {}

    @cached_property
    def _results(self) -> dict[Hashable, Any]:
        return {}

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return what `compute` returns, computed at the first call with this key (baselines serve several claims)."""
        if key not in self._results:
            self._results[key] = compute()
        found: T = self._results[key]
        return found

    def flows(self, name: str) -> pd.DataFrame:
        """A migration matrix, origins in rows."""
        import nqpf_spatial as nq

        return nq.load_flows(name)

    @property
    def release(self) -> str:
        """Name of the data release."""
        return str(self.panel.attrs["release"])

    @cached_property
    def _weights(self) -> dict[str, SpatialWeights]:
        return {}

    def weights(self, w_id: str) -> SpatialWeights:
        """Build a matrix of the register's `weights` block, row-standardised.

        Raises
        ------
        NotInRelease
            If this release has no builder for it.
        DataSourceError
            If the register does not know the id.
        """
        import nqpf_spatial as nq

        if w_id not in self.register.weights["matrices"]:
            known = ", ".join(self.register.weights["matrices"])
            raise DataSourceError(f"the register has no weight matrix {w_id!r}; it has {known}")
        if w_id not in self._weights:
            if w_id not in nq.weights.REGISTERED:
                raise NotInRelease(f"W {w_id}: nq.weights builds {', '.join(nq.weights.REGISTERED)}")
            self._weights[w_id] = nq.weights.registered(w_id)
        return self._weights[w_id]

    def available(self, w_ids: Iterable[str]) -> tuple[dict[str, SpatialWeights], dict[str, str]]:
        """Split matrices into those that can be built and the reasons for the others."""
        built: dict[str, SpatialWeights] = {}
        missing: dict[str, str] = {}
        for w_id in w_ids:
            try:
                built[w_id] = self.weights(w_id)
            except NotInRelease as reason:
                missing[w_id] = str(reason)
        return built, missing

    def complete_years(self, variable: str) -> frozenset[int]:
        """Years in which a variable exists for every province (availability, never a value)."""
        if variable not in self.panel.columns:
            raise DataSourceError(f"the panel has no variable {variable!r}; see nq.data.codebook()")
        present = self.panel[variable].notna().groupby(level="year").all()
        return frozenset(int(y) for y in present.index[present])
