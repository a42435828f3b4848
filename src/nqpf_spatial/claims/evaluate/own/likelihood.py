"""WU-M2 (R-OWN): does a network-like W gain on geography?

Readings fixed before any verdict was computed:

* Log-likelihood per observation of the likelihood, so that halves of six and seven years compare. The halves are those of
  the hypothesis, cut to the years a variant has. The network-like W is "digital", the geographic ones are the two the
  hypothesis names; migration_flow is shown. w_mig_symmetric puts persons moving in either direction in the place of
  "digital".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.own.engine import Adjust, Criterion, Measured, noted, reading, word
from nqpf_spatial.claims.evaluate.own.models import ModelSetting, fit_durbin, of_mech, specification, unique
from nqpf_spatial.claims.evaluate.specification import Specification, matrix_of
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import own_series as rules
from nqpf_spatial.errors import DataSourceError

if TYPE_CHECKING:
    from nqpf_spatial.weights import SpatialWeights


def _named_matrices(claim: Claim) -> tuple[str, tuple[str, ...]]:
    """The network-like W and the geographic ones, as the hypothesis writes them."""
    found = re.search(r"W (\w+) minus that under (\w+) and (\w+)", claim.hypothesis or "")
    if found is None or not {*found.groups()} <= {*claim.W}:
        raise DataSourceError(f"the hypothesis of {claim.id} names no 'W ... minus that under ... and ...' among its W")
    network, *geo = found.groups()
    return network, tuple(geo)


def _network_start(claim: Claim, ctx: Context) -> ModelSetting:
    return ModelSetting(specification(claim, ctx), _named_matrices(claim)[0])


def _matrix(ctx: Context, spec: Specification, w: str) -> SpatialWeights:
    """A matrix of the claim on the provinces of a specification; "gross" is migration in either direction."""
    import nqpf_spatial as nq

    if w != "gross":
        found = matrix_of(ctx, replace(spec, w=w))
        assert found is not None
        return found
    both = nq.weights.migration("5yr_2010", "gross", sample_start=min(spec.years))
    return both if not spec.drop else both.subset([i for i in both.ids if i not in spec.drop], transform="row")


def likelihoods(claim: Claim, ctx: Context, setting: ModelSetting) -> Measured:
    """Log-likelihood per observation under every W in both halves."""
    import pandas as pd

    spec, (_, geo) = setting.spec, _named_matrices(claim)
    names = [setting.network, *geo, *(w for w in claim.W if w not in (setting.network, *geo, "digital"))]
    found: dict[str, dict[str, float]] = {}
    notes: list[str] = []
    checksums, n = {}, 0
    for first, last in _half_windows(claim):
        part = replace(spec, years=tuple(y for y in spec.years if first <= y <= last))
        row = {}
        for w in names:
            own: list[str] = []
            with noted(own):
                matrix = _matrix(ctx, part, w)
                fit = fit_durbin(ctx, part, matrix)
            notes += [f"{w}, {first}-{last}: {text}" for text in own]
            row[w], checksums[w] = fit.llf / fit.n_effective, matrix.checksum
            n += fit.nobs if w == setting.network else 0
        found[f"{part.years[0]}-{part.years[-1]}"] = row
    table = pd.DataFrame(found).rename_axis("w")
    gains = {w: tuple(float(table.loc[setting.network, h] - table.loc[w, h]) for h in table.columns) for w in geo}
    beside = {
        w: tuple(float(table.loc[w, h] - table.loc[geo[0], h]) for h in table.columns) for w in names[1 + len(geo) :]
    }
    smallest = min(b - a for a, b in gains.values())
    sample = {"formula": spec.formula, "halves": ", ".join(found), "n": n, "network": setting.network}
    return Measured(
        (gains, beside),
        smallest,
        n,
        sample,
        tables={"llf_per_observation": table},
        weights=checksums,
        notes=unique(notes),
    )


def _half_windows(claim: Claim) -> tuple[tuple[int, int], tuple[int, int]]:
    """Read "from 2012-2017 to 2018-2024"."""
    found = re.search(r"from (\d{4})-(\d{4}) to (\d{4})-(\d{4})", claim.hypothesis or "")
    if found is None:
        raise DataSourceError(f"the hypothesis of {claim.id} names no two halves")
    a, b, c, d = (int(y) for y in found.groups())
    return (a, b), (c, d)


def likelihood_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Differences in both halves and their change."""
    gains, beside = found.numbers
    network = found.sample["network"]
    out = []
    for w, (a, b) in gains.items():
        out.append(Evidence(f"log-likelihood per observation, {network} less {w}, first half", a, counted=False))
        out.append(Evidence(f"the same, second half, {w}", b, reading=word(b > 0)))
        out.append(Evidence(f"its change, {w}", b - a, reading=word(b > a, b < a)))
    for w, (a, b) in beside.items():
        out.append(Evidence(f"{w} less {next(iter(gains))}, first half (shown)", a, counted=False))
        out.append(Evidence(f"{w} less {next(iter(gains))}, second half (shown)", b, counted=False))
    return out


_LIKELIHOOD_VARIANTS = (
    "no_tibet", "no_municipalities", "alt_digital", "alt_innovation", "alt_urban_labour", "base_2023", "firstpub_growth",
    "drop_urbanization",
)  # fmt: skip


def _with_network(variant: str) -> Callable[[Claim, Context], list[tuple[str, Any]]]:
    """A variant of R-MECH, with the network-like W of the baseline."""

    def expand(claim: Claim, ctx: Context) -> list[tuple[str, Any]]:
        network = _named_matrices(claim)[0]
        return [(label, replace(s, network=network)) for label, s in of_mech(variant)(claim, ctx)]

    return expand


LIKELIHOOD = Criterion(
    limits=lambda claim, ctx: {},
    measure=likelihoods,
    rule=lambda found, adjust, limits: rules.network_gain(found.numbers[0]),
    evidence=likelihood_evidence,
    variants={
        **{v: _with_network(v) for v in _LIKELIHOOD_VARIANTS},
        "w_mig_symmetric": lambda claim, ctx: [
            ("symmetric migration W for digital", ModelSetting(specification(claim, ctx), "gross"))
        ],
    },
    mde_note="a difference of log-likelihoods of models that do not nest has no standard error in the criterion",
    start=_network_start,
    heavy=frozenset({"alt_digital", "alt_innovation"}),
)

#: claims decided here
READINGS: Mapping[str, ClaimReading] = {"WU-M2": reading(LIKELIHOOD)}
