"""R-FACT on the list of computing hubs (WU-P8).

Readings fixed beforehand:

* The stated list is the one in the claim's hypothesis; a stated name matches an official hub whose full name
  is it or ends with it ("Greater Bay Area").
* Number and list are two parts of one fact: both must hold.
* Variant hub_narrow counts hubs through the provinces that host a data-centre cluster: a hub stays in the
  list when at least one of its provinces does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Alternative, Assessment
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.record import Evidence, Reading, VariantResult
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import fact, multiverse
from nqpf_spatial.claims.rules.base import Outcome

if TYPE_CHECKING:
    import pandas as pd


def stated_list(hypothesis: str) -> tuple[str, ...]:
    """Read the list of names out of a hypothesis that ends in "names A, B, C."

    Examples
    --------
    >>> stated_list("The list has two entries and names Guizhou, Gansu.")
    ('Guizhou', 'Gansu')
    """
    _, found, names = hypothesis.partition(" names ")
    if not found:
        raise ValueError(f"the hypothesis states no list after 'names': {hypothesis!r}")
    return tuple(name.strip() for name in names.rstrip(". ").split(","))


def match_names(stated: Iterable[str], official: Iterable[str]) -> list[str]:
    """Write stated names as the official ones where one, and only one, is or ends with them."""
    known = list(official)
    out = []
    for name in stated:
        hits = [o for o in known if o == name or o.endswith(f" {name}")]
        out.append(hits[0] if len(hits) == 1 else name)
    return out


def _compare(stated: tuple[str, ...], official: list[str], parameters: Mapping[str, Any]) -> Outcome:
    """Number of hubs and their names."""
    return fact.every(
        [
            fact.number(float(parameters["hubs"]), float(len(official)), parameters),
            fact.entries(match_names(stated, official), official),
        ]
    )


def _through_clusters(
    claim: Claim, ctx: Context, table: pd.DataFrame, stated: tuple[str, ...], parameters: Mapping[str, Any]
) -> VariantResult:
    """Variant hub_narrow: hubs with a province that hosts a cluster."""
    from nqpf_spatial import provinces

    hosts = set(provinces.groups("cluster")["cluster"])
    members = table.set_index("hub_en")["hub_provinces"]
    narrow = [h for h in dict.fromkeys(table["hub_en"]) if any(hosts.intersection(c) for c in members.loc[[h]])]
    outcome = _compare(stated, narrow, parameters)
    (name,) = claim.variants
    return VariantResult(
        variant=name,
        specification="hubs with at least one province that hosts a cluster",
        counts=bool(ctx.register.variants[name]["counts"]),
        ran=True,
        stated_sign=outcome.support,
        significant=outcome.contradict,
        estimate=float(len(narrow)),
        reason=outcome.reason,
    )


def hub_list(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> Assessment:
    """Compare the eight stated hubs with the official list of 2022.

    Returns
    -------
    Assessment
        Without p-value, interval or minimum detectable effect: a list has no sampling error.
    """
    from nqpf_spatial import data, provinces

    parameters = {**ctx.register.rules[claim.rule].parameters, **claim.parameters}
    table = data.compute_hubs()
    stated = stated_list(str(claim.hypothesis))
    official = list(dict.fromkeys(table["hub_en"]))
    outcome = _compare(stated, official, parameters)

    row = _through_clusters(claim, ctx, table, stated, parameters)
    reading: Reading = "support" if outcome.support else "contradict"
    shares = multiverse.judge(
        [row], "contradict" if outcome.contradict else "support", ctx.register.rules["MULTIVERSE"].parameters
    )
    return Assessment(
        alternatives=(Alternative("", outcome, shares),),
        evidence=(
            Evidence("number of hubs in the official list", float(len(official)), reading=reading),
            Evidence("number of hubs stated", float(parameters["hubs"])),
            Evidence("hubs in the official list", ", ".join(sorted(official)), reading=reading),
        ),
        variants=(row,),
        sample={
            "hubs": len(official),
            "clusters": len(table),
            "provinces_in_hubs": len(provinces.groups("hub")["hub"]),
        },
        mde_note="a list has no sampling error: there is no minimum detectable effect",
        tables={"hubs": table},
    )


#: claims decided here
READINGS: Mapping[str, ClaimReading] = {"WU-P8": ClaimReading(hub_list)}
