"""The frozen result of a sweep: its table, what it says in few numbers, its curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.models.frames import copies
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.sweep.choices import Specification

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

_FACTS = ("rho", "lambda", "nobs", "n", "llf", "message", "warning")


@copies("table")
@dataclass(frozen=True, eq=False)
class Sweep:
    """A model under every combination of choices, made by `nqpf_spatial.sweep`.

    Attributes
    ----------
    table : DataFrame
        One row per specification, term and effect: ``spec``, the choices, ``term``, ``effect``, ``estimate``, ``se``, ``z``, ``p``,
        ``lower``, ``upper``, ``rho``, ``lambda``, ``nobs``, ``n`` (of the likelihood), ``llf``, ``message``, ``warning``. A specification
        that failed has one row with its message and no numbers.
    formula : str
        The base.
    alpha : float
        1 - level of the intervals.
    packaged : bool
        The data are the packaged panel, whose codebook has labels.
    specs : tuple of Specification
    estimate : callable
        Estimates a specification again.
    """

    table: pd.DataFrame
    formula: str
    alpha: float
    packaged: bool
    specs: tuple[Specification, ...]
    estimate: Callable[[Specification], SpatialFit] = field(repr=False)

    @cached_property
    def specifications(self) -> pd.DataFrame:
        """One row per specification: its choices, rho, lambda, n, log-likelihood, message and warnings."""
        columns = [*self._choices, *_FACTS]
        return self.table.drop_duplicates("spec").set_index("spec")[columns]

    @property
    def _choices(self) -> list[str]:
        columns = list(self.table.columns)
        return columns[1 : columns.index("term")]

    @property
    def varying(self) -> list[str]:
        """Choices with more than one value."""
        return [name for name in self._choices if self.table[name].nunique() > 1]

    @property
    def failures(self) -> pd.DataFrame:
        """Specifications that could not be estimated: their choices and the message."""
        found = self.specifications
        return found.loc[found["message"] != "", [*self._choices, "message"]]

    @property
    def warned(self) -> pd.DataFrame:
        """Specifications that warned: their choices and the warnings."""
        found = self.specifications
        return found.loc[found["warning"] != "", [*self._choices, "warning"]]

    def of(self, term: str | None = None, effect: str = "total") -> pd.DataFrame:
        """Rows of one term and effect (default: the first term), estimates in the order of the specifications.

        Raises
        ------
        ValueError
            No specification has it; the message lists what there is.
        """
        terms = [t for t in dict.fromkeys(self.table["term"]) if t]
        effects = [e for e in dict.fromkeys(self.table["effect"]) if e]
        term = terms[0] if term is None else term
        for name, value, known in (("term", term, terms), ("effect", effect, effects)):
            if value not in known:
                raise ValueError(f"{name}={value!r} is in no specification; choose one of {enumerate_some(known)}")
        return self.table[(self.table["term"] == term) & (self.table["effect"] == effect)].set_index("spec")

    def summary(self) -> pd.DataFrame:
        """What the specifications agree on, one row per term and effect.

        Returns
        -------
        DataFrame
            ``base`` (estimate of specification 0), ``median``, ``lowest``, ``highest``, ``specifications`` (with such an effect),
            ``absent`` (estimated, but the model has no such effect: spillovers of OLS or SEM), ``failed``; shares among the former:
            ``positive``, ``same_sign`` (as the median), ``significant`` at `alpha`, ``positive_significant``,
            ``negative_significant``.
        """
        failed = int((self.specifications["message"] != "").sum())
        rows = {}
        for key, part in self.table[self.table["term"] != ""].groupby(["term", "effect"], sort=False):
            absent = is_absent(part)
            shown = part[~absent]
            value, significant = shown["estimate"].to_numpy(), (shown["p"] < self.alpha).to_numpy()
            base = part.loc[part["spec"] == 0, "estimate"]
            counts = {"specifications": len(shown), "absent": int(absent.sum()), "failed": failed}
            rows[key] = {"base": base.iloc[0] if len(base) else np.nan, **_shares(value, significant), **counts}
        found = pd.DataFrame.from_dict(rows, orient="index")
        found.index = pd.MultiIndex.from_tuples(found.index, names=["term", "effect"])
        return found

    def refit(self, spec: int) -> SpatialFit:
        """The fit of a specification by its number, estimated again."""
        if not 0 <= spec < len(self.specs):
            raise ValueError(f"spec={spec}: the specifications are numbered 0 to {len(self.specs) - 1}")
        return self.estimate(self.specs[spec])

    def plot(
        self, term: str | None = None, effect: str = "total", lang: str = "en", statistic: str = "estimate"
    ) -> NDArray:
        """Specification curve; see `nqpf_spatial.models.sweep.curve.specification_curve`."""
        from nqpf_spatial.models.sweep.curve import specification_curve

        return specification_curve(self, term, effect, lang, statistic)

    def _head(self) -> str:
        bad, warned = len(self.failures), len(self.warned)
        said = f"; {warned} warned, see .warned" if warned else ""
        failed = f"; {bad} failed, see .failures" if bad else ""
        varying = ", ".join(f"{name} ({self.table[name].nunique()})" for name in self.varying) or "nothing"
        return f"{len(self.specs)} specifications of {self.formula}; varying: {varying}{failed}{said}"

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.summary().to_string(float_format=lambda v: f'{v:.4f}')}"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(self._head())}</p>{self.summary().to_html(float_format=lambda v: f'{v:.4f}')}"


def is_absent(rows: pd.DataFrame) -> pd.Series:
    """Rows of effects that the model does not have: zero without a standard error."""
    return (rows["estimate"] == 0.0) & (rows["se"] == 0.0)


def _shares(value: NDArray, significant: NDArray) -> dict[str, float]:
    if not value.size:
        names = ("median", "lowest", "highest", "positive", "same_sign", "significant")
        return dict.fromkeys([*names, "positive_significant", "negative_significant"], np.nan)
    median = float(np.median(value))
    return {
        "median": median,
        "lowest": float(value.min()),
        "highest": float(value.max()),
        "positive": float((value > 0).mean()),
        "same_sign": float((np.sign(value) == np.sign(median)).mean()),
        "significant": float(significant.mean()),
        "positive_significant": float((significant & (value > 0)).mean()),
        "negative_significant": float((significant & (value < 0)).mean()),
    }
