"""What the claims of R-OWN on spatial models share (WU-M2, WU-M16, WU-P2): the model, its baseline, its variants.

Reading fixed before any verdict was computed: all three are the spatial Durbin model of R-MECH (province and year effects,
Lee-Yu transformation) with the regressors, window and W of the claim; variants are those of R-MECH (its windows and swaps).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate import variants as mech_variants
from nqpf_spatial.claims.evaluate.specification import Specification, data_of, matrix_of
from nqpf_spatial.claims.register import Claim

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit
    from nqpf_spatial.weights import SpatialWeights


@dataclass(frozen=True, slots=True)
class ModelSetting:
    """A run: the specification of the model, and the W that stands for networks (WU-M2)."""

    spec: Specification
    network: str = ""


def specification(claim: Claim, ctx: Context) -> Specification:
    """Baseline model of a claim: its outcome, regressors and window, the baseline W of R-MECH, the first regressor in focus."""
    first, last = claim.years()
    return Specification(
        outcome=claim.outcome[0],
        regressors=claim.regressors,
        focus=(claim.regressors[0],),
        years=tuple(range(first, last + 1)),
        w=ctx.register.threshold("R-MECH", "baseline_w"),
    )


def start(claim: Claim, ctx: Context) -> ModelSetting:
    return ModelSetting(specification(claim, ctx))


def of_mech(variant: str) -> Callable[[Claim, Context], list[tuple[str, Any]]]:
    """A variant of R-MECH applied to the specification of the claim."""

    def expand(claim: Claim, ctx: Context) -> list[tuple[str, Any]]:
        listed = mech_variants.expand(variant, specification(claim, ctx), ctx)
        absent = [f"{label}: {reason}" for label, reason in listed if isinstance(reason, str)]
        if absent:
            # one entry of the register is one variant: it is run in full or listed with its reasons
            raise NotInRelease("; ".join(absent))
        return [(label, ModelSetting(spec)) for label, spec in listed if not isinstance(spec, str)]

    return expand


def fit_durbin(ctx: Context, spec: Specification, w: SpatialWeights | None = None) -> SpatialFit:
    import nqpf_spatial as nq

    if len(spec.years) < 2:
        raise NotInRelease(f"{len(spec.years)} years with all provinces, at least two are needed")
    matrix = matrix_of(ctx, spec) if w is None else w
    return nq.fit(spec.formula, data_of(ctx, spec), matrix, model="SDM", correction=spec.correction)


def unique(notes: list[str]) -> tuple[str, ...]:
    """Notes of several fits, each once."""
    return tuple(dict.fromkeys(notes))
