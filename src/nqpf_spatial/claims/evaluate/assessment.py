"""What the evaluation of a claim hands to VERDICTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.record import Evidence, Holm, Multiverse, VariantResult
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules.base import Outcome

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Alternative:
    """One stated alternative of a claim ("direct", "total"; "" where there is one) with its two readings."""

    name: str
    outcome: Outcome
    multiverse: Multiverse


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything a verdict rests on, before the word is chosen."""

    alternatives: tuple[Alternative, ...]
    evidence: tuple[Evidence, ...]
    variants: tuple[VariantResult, ...]
    sample: Mapping[str, Any]
    mde_note: str
    holm: Holm | None = None
    weights: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    seed: int | None = None
    tables: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Reading:
    """How one claim is evaluated.

    Attributes
    ----------
    evaluate : callable
        (claim, context, options) -> Assessment.
    options : mapping
        What distinguishes this claim from others read the same way.
    p_value : callable, optional
        (claim, context, options) -> the raw two-sided p-value the claim brings into the correction of its family, from its
        baseline alone. A criterion of several tests brings the one it hangs on: the largest where all must hold, the
        k-th smallest where k must hold; stated alternatives bring the larger, so that no other claim gains by the choice.
        None where the criterion has no p-value.
    """

    evaluate: Callable[[Claim, Context, Mapping[str, Any]], Assessment]
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    p_value: Callable[[Claim, Context, Mapping[str, Any]], float | None] | None = None
