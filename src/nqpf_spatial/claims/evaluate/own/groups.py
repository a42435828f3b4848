"""Claims of R-OWN on groups of provinces: WU-1.1, WU-1.10.

Readings fixed before any verdict was computed:

* WU-1.1: the permutation test is that of the part of Theil-T between the four blocks, latest year of each variable. The
  digital partition is the two clusters of WU-1.10 (baseline index, all provinces): their number follows the k that WU-1.10 states and would
  change with it; whether the data have so many is asked there and not here. "Every partition share" is the share of
  each of the three partitions in each of the variables. The claim brings the p-value its count hangs on: the k-th
  smallest where k of them must be below the level.
* WU-1.10: a province is its mean index over the window, weighing all of its years alike. Clusters are the exact best
  partition on the line (no starting values), "high" is the upper one of two. The number of clusters is chosen among 2 to 6 by
  the silhouette; the gap statistic (500 reference sets) says whether there is more than one at all. The stated membership for the adjusted
  Rand index is East and Central against West and Northeast: the "few" western provinces are not named, and are left to
  the criterion on the West. Blocks keep their counts where a variant leaves provinces out.
* alt_digital replaces the index by the other digital series; the one that is the baseline is not run again. club_sens
  changes convergence clubs, of which there are none here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.own.engine import (
    NO_ERROR,
    Adjust,
    Criterion,
    Measured,
    baseline,
    permutations,
    reading,
    word,
)
from nqpf_spatial.claims.evaluate.own.prose import number
from nqpf_spatial.claims.evaluate.own.settings import (
    SHARED,
    Runs,
    Setting,
    groups,
    index_variants,
    series,
    swapped,
)
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules import own_groups as rules
from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.kernels import partition

if TYPE_CHECKING:
    import pandas as pd

#: largest number of clusters looked at, reference sets of the gap statistic: conventions, no thresholds of the register
K_MAX, REFERENCES = 6, 500
#: stated membership: the upper class by block
UPPER = ("East", "Central")


# --- WU-1.10 --------------------------------------------------------------------------------------------------


def class_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of WU-1.10."""
    return dict(claim.parameters)


def levels(claim: Claim, ctx: Context, setting: Setting) -> pd.Series:
    """Mean of the index over the window, by province."""
    return series(claim, ctx, setting, claim.outcome[0]).groupby(level="province").mean()


def classes(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Clusters of the mean index, how many are chosen, and how they compare with the stated members."""
    import pandas as pd

    level = levels(claim, ctx, setting)
    block = groups("block", setting).reindex(level.index)
    values = level.to_numpy()
    code = partition.classes(values, class_limits(claim, ctx)["k"])
    upper = pd.Series(code == code.max(), level.index)
    choice = partition.choose_k(values, K_MAX, REFERENCES, ctx.seed)
    ari = partition.adjusted_rand(upper.to_numpy(), block.isin(UPPER).to_numpy())
    blocks = list(dict.fromkeys(groups("block", Setting())))
    high = {b: int((upper & (block == b)).sum()) for b in blocks}
    found = rules.Classes(
        choice.silhouette, choice.one_cluster, ari, high, {b: int((block == b).sum()) for b in blocks}
    )
    table = pd.DataFrame({"index": level, "block": block, "upper_class": upper}).sort_values("index", ascending=False)
    numbers = pd.DataFrame({"gap": choice.gaps, "gap_error": choice.errors}, index=range(1, K_MAX + 1)).rename_axis("k")
    numbers["silhouette"] = pd.Series(choice.widths, index=range(2, K_MAX + 1))
    years = series(claim, ctx, setting, claim.outcome[0]).index.get_level_values("year")
    sample = {"years": f"{years.min()}-{years.max()}", "provinces": len(level), "index": setting.name(claim.outcome[0])}
    return Measured(found, ari, len(level), sample, tables={"classes": table, "number_of_clusters": numbers})


def class_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Numbers of clusters, agreement, and the blocks."""
    c, k = found.numbers, limits["k"]
    ari = word(c.ari >= limits["ari_support_ge"], c.ari < limits["ari_contradict_lt"])
    central = word(c.high["Central"] >= limits["central_high_ge"], c.low("Central") >= limits["central_high_ge"])
    return [
        Evidence("clusters chosen by the silhouette", float(c.silhouette_k), reading=word(c.silhouette_k == k)),
        Evidence(
            "more than one cluster by the gap statistic (1: yes)",
            float(not c.one_cluster),
            reading=word(not c.one_cluster),
        ),
        Evidence("adjusted Rand index with the stated members", c.ari, reading=ari),
        Evidence("Central provinces in the upper class", float(c.high["Central"]), reading=central),
        Evidence(
            "Northeast provinces in the lower class",
            float(c.low("Northeast")),
            reading=word(c.low("Northeast") >= limits["northeast_low_ge"]),
        ),
        Evidence(
            "western provinces in the upper class",
            float(c.high["West"]),
            reading=word(c.high["West"] <= limits["west_high_le"]),
        ),
        Evidence("eastern provinces in the upper class", float(c.high["East"]), counted=False),
    ]


def _other_digital(claim: Claim, ctx: Context) -> Runs:
    """The other digital series of R-MECH, each in the place of the index."""
    own = claim.outcome[0]
    listed = ctx.register.threshold("R-MECH", "baseline")["alternatives"]["digital"]
    return swapped(own, *(other for other in listed if other != own))(claim, ctx)


def _windows(text: str) -> dict[str, tuple[int, int]]:
    """Series and windows of "a 2011-2024 and b 2014-2024".

    Examples
    --------
    >>> _windows("digital_index_net 2011-2024 and digital_index_use, 2014-2024")
    {'digital_index_net': (2011, 2024), 'digital_index_use': (2014, 2024)}
    """
    import re

    return {name: (int(a), int(b)) for name, a, b in re.findall(r"(\w+),? (\d{4})-(\d{4})", text)}


def _stated_windows(variant: str) -> Any:
    """Indices a variant names with their windows."""

    def expand(claim: Claim, ctx: Context) -> Runs:
        windows = _windows(str(ctx.register.variants[variant]["text"]))
        return swapped(claim.outcome[0], *windows, years=windows)(claim, ctx)

    return expand


CLASSES = Criterion(
    limits=class_limits,
    measure=classes,
    rule=lambda found, adjust, limits: rules.two_classes(found.numbers, limits),
    evidence=class_evidence,
    variants={
        **{k: SHARED[k] for k in ("no_tibet", "no_municipalities")},
        **index_variants("digital_index"),
        "index_broad": _stated_windows("index_broad"),
        "index_candidates": _stated_windows("index_candidates"),
        "alt_digital": _other_digital,
    },
    mde_note="the criterion counts members and clusters: there is no standard error",
    notes=("the stated members are East and Central; the article names no list of western provinces",),
)


# --- WU-1.1 ---------------------------------------------------------------------------------------------------


def partition_limits(claim: Claim, ctx: Context) -> Mapping[str, Any]:
    """Numbers of WU-1.1."""
    return {
        "alpha": number(claim.support_if, r"p\s*<\s*([\d.]+)"),
        "min_variables": number(claim.support_if, r">=\s*(\d+) of \d+"),
        "contradict_min_variables": number(claim.contradict_if, r">=\s*(\d+) of \d+"),
        "share_ge": number(claim.support_if, r"share >=\s*(\d+)%"),
    }


def _digital(ctx: Context) -> pd.Series:
    """The two clusters of WU-1.10 as a grouping."""
    table = baseline(CLASSES, ctx.register.claim("WU-1.10"), ctx).tables["classes"]
    return table["upper_class"].map({True: "upper", False: "lower"})


def partitions(claim: Claim, ctx: Context, setting: Setting) -> Measured:
    """Part of Theil-T between the groups of three partitions, with the permutation test of the blocks."""
    import pandas as pd

    from nqpf_spatial import divergence

    rows, found = [], []
    for variable in claim.outcome:
        column = series(claim, ctx, setting, variable)
        year = int(column.index.get_level_values("year").max())
        cross = column.xs(year, level="year")
        labels = {
            "block": groups("block", setting).reindex(cross.index),
            "north_south": groups("north_south", setting).reindex(cross.index),
            "digital": _digital(ctx).reindex(cross.index),
        }
        draws = {"block": permutations(ctx)}
        results = {
            k: divergence.theil(cross, groups=label, permutations=draws.get(k, 0), seed=ctx.seed)
            for k, label in labels.items()
        }
        shares = {k: float(r.table["between_pct"].iloc[0]) for k, r in results.items()}  # type: ignore[union-attr]
        p = float(results["block"].permutation["pvalue"].iloc[0])  # type: ignore[union-attr,index]
        found.append(rules.Partitioned(variable, p, p, shares))
        rows.append({"variable": variable, "year": year, "provinces": len(cross), "p_block": p, **shares})
    table = pd.DataFrame(rows).set_index("variable")
    sample = {"year": {k: int(v) for k, v in table["year"].items()}, "provinces": int(table["provinces"].max())}
    lowest = min(v for f in found for v in f.shares.values())
    p = _hinge(found, partition_limits(claim, ctx))
    return Measured(found, lowest, int(table["provinces"].max()), sample, p=p, tables={"partitions": table})


def _hinge(found: list[rules.Partitioned], limits: Mapping[str, Any]) -> float:
    """The k-th smallest p-value where k variables must differ."""
    return sorted(f.p for f in found)[int(limits["min_variables"]) - 1]


def _corrected(found: list[rules.Partitioned], adjust: Adjust) -> list[rules.Partitioned]:
    from dataclasses import replace

    return [replace(f, p_holm=adjust(f.p)) for f in found]


def partition_rule(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> Outcome:
    """The criterion with corrected p-values."""
    return rules.partitions(_corrected(found.numbers, adjust), limits)


def partition_evidence(found: Measured, adjust: Adjust, limits: Mapping[str, Any]) -> list[Evidence]:
    """Share between the groups of every partition, with the test of the blocks."""
    out = []
    for f in _corrected(found.numbers, adjust):
        for k, v in f.shares.items():
            p, p_holm = (f.p, f.p_holm) if k == "block" else (None, None)
            holds = v >= limits["share_ge"] and (k != "block" or f.p_holm < limits["alpha"])
            what = f"share of Theil-T of {f.variable} between the groups of {k}, percent"
            read = word(holds, k == "block" and f.p >= limits["alpha"])
            out.append(Evidence(what, v, p=p, p_holm=p_holm, reading=read))
    return out


PARTITIONS = Criterion(
    limits=partition_limits,
    measure=partitions,
    rule=partition_rule,
    evidence=partition_evidence,
    variants={k: SHARED[k] for k in ("no_tibet", "ns_tibet_north")},
    mde_note=f"permutation tests have no standard error; {NO_ERROR}",
    p_value=lambda found: float(found.p),  # type: ignore[arg-type]
)

#: claims decided here
READINGS: Mapping[str, ClaimReading] = {"WU-1.1": reading(PARTITIONS), "WU-1.10": reading(CLASSES)}
