"""Weights from groups: blocks, and the computing hubs of "East Data, West Computing"."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial import provinces
from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.kernels.geo import distance_matrix
from nqpf_spatial.provinces import Names, Scheme
from nqpf_spatial.weights import _labels
from nqpf_spatial.weights._standardise import Transform
from nqpf_spatial.weights.core import Islands, SpatialWeights, check_islands


def block(
    groups: Scheme | pd.Series = "block",
    *,
    between: bool = False,
    names: Names = "en",
    transform: Transform = "row",
    islands: Islands = "error",
) -> SpatialWeights:
    """Members of the same group are neighbours.

    Parameters
    ----------
    groups : {"block", "north_south", "hub", "cluster"} or Series
        Grouping of the provinces, or a Series unit -> group for other units.
    between : bool
        Instead: members of different groups are neighbours.
    names, transform, islands
        As everywhere.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    w_ij = 1 if i != j belong to the same group (Case 1991, Econometrica 59).

    *Usual mistake*: block weights of equal-sized groups together with group-by-time effects: W y is then a
    function of y and the group mean, and rho is not identified (Lee 2007, Journal of Econometrics 140).

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.block()
    >>> w.to_frame().loc["Jilin"].loc[lambda x: x > 0].to_dict()
    {'Liaoning': 0.5, 'Heilongjiang': 0.5}
    """
    member = _membership(groups, names)
    ids = _labels.check_ids(member.index)
    missing = [x for x, g in zip(ids, member, strict=True) if g is None or g != g]
    if missing:
        raise AlignmentError(f"these units belong to no group: {_labels.shorten(missing)}")
    codes = pd.factorize(member.to_numpy(dtype=object))[0]
    same = codes[:, None] == codes[None, :]
    w = (~same if between else same).astype(np.float64)
    np.fill_diagonal(w, 0.0)
    scheme = groups if isinstance(groups, str) else str(groups.name or "groups")
    return SpatialWeights(
        ids,
        w,
        transform=transform,
        name=f"{'between ' if between else ''}{scheme}",
        date="time-invariant",
        formula=f"w_ij = 1 if i and j are in {'different groups' if between else 'one group'} of {scheme}",
        source="Case (1991)",
        facts={"groups": ", ".join(f"{g} {k}" for g, k in member.value_counts(sort=False).items())},
        islands_allowed=check_islands(islands),
    )


def _membership(groups: Scheme | pd.Series, names: Names) -> pd.Series:
    if isinstance(groups, pd.Series) and groups.index.nlevels > 1:
        raise AlignmentError(
            f"groups= has an index of {groups.index.nlevels} levels; give one group per unit, for instance "
            "groups.groupby(level=0).first()"
        )
    if isinstance(groups, pd.Series):
        return groups
    listed = provinces.groups(groups, names=names)
    return pd.Series({label: group for group, members in listed.items() for label in members})


#: Hub regions whose demand for computing is to be served elsewhere; the other five serve it.
EASTERN_HUBS = (
    "Beijing-Tianjin-Hebei",
    "Yangtze River Delta",
    "Guangdong-Hong Kong-Macao Greater Bay Area",
)

Links = Literal["hubs", "east_west"]
ComputeDirection = Literal["demand", "supply", "both"]


def compute_network(
    links: Links = "hubs",
    direction: ComputeDirection = "demand",
    *,
    outside: Literal["nearest", "none"] = "nearest",
    narrow: bool = False,
    names: Names = "en",
    transform: Transform = "row",
    islands: Islands = "error",
) -> SpatialWeights:
    """Network of the national computing hubs ("East Data, West Computing").

    Parameters
    ----------
    links : {"hubs", "east_west"}
        hubs: all hub provinces with each other; east_west: provinces of the three eastern hub regions
        (Beijing-Tianjin-Hebei, Yangtze River Delta, Greater Bay Area), whose demand is to be served,
        with provinces of the five western ones (Chengdu-Chongqing, Guizhou, Inner Mongolia, Gansu, Ningxia).
    direction : {"demand", "supply", "both"}
        For "east_west": rows of the eastern provinces look at western hubs; the reverse; or both ways.
    outside : {"nearest", "none"}
        Provinces outside the network look at the nearest capital of a province they could be served by (one
        way), or at nobody.
    narrow : bool
        Only the 12 provinces that host one of the ten data-centre clusters, instead of all 14 of the hub
        regions.
    names, transform
        As everywhere.
    islands : {"error", "keep"}
        Rows that stay empty (with ``outside="none"``, or the serving side of "east_west") are an error unless
        they are kept with a zero lag, or the network is combined with geography:
        ``nq.weights.combine([nq.weights.contiguity(), network], [0.5, 0.5])``.

    Returns
    -------
    SpatialWeights

    Notes
    -----
    w_ij = 1 if i and j are linked in the plan, or j is the hub nearest to an outsider i. Hubs and clusters: approvals of the National Development and
    Reform Commission and others, December 2021 to February 2022. The matrix describes a plan, not traffic.

    *Usual mistake*: using it before 2022 as if the hubs were there, or treating hub regions as provinces:
    Zhangjiakou is not Hebei.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.weights.compute_network().to_frame().loc["Tibet"].idxmax()
    'Sichuan'
    >>> w = nq.weights.compute_network("east_west", islands="keep")
    >>> w.to_frame().loc["Shanghai"].loc[lambda x: x > 0].index.tolist()
    ['Inner Mongolia', 'Chongqing', 'Sichuan', 'Guizhou', 'Gansu', 'Ningxia']
    """
    if links not in ("hubs", "east_west"):
        raise ValueError(f"links={links!r} is not known; choose 'hubs' or 'east_west'")
    if direction not in ("demand", "supply", "both"):
        raise ValueError(f"direction={direction!r} is not known; choose 'demand', 'supply' or 'both'")
    east, west = (_hub_provinces(side, narrow) for side in ("east", "west"))
    labels: list[Hashable] = [provinces.label(p, names) for p in provinces.PROVINCES]
    is_east, is_west = (np.array([p.adcode in side for p in provinces.PROVINCES]) for side in (east, west))
    if links == "hubs":
        w = np.outer(is_east | is_west, is_east | is_west).astype(np.float64)
        np.fill_diagonal(w, 0.0)
        text, suffix = "both i and j belong to a computing hub", "hubs"
    else:
        demand = np.outer(is_east, is_west).astype(np.float64)
        w = {"demand": demand, "supply": demand.T, "both": demand + demand.T}[direction]
        side = {"demand": "i eastern, j western", "supply": "i western, j eastern", "both": "one of each"}[direction]
        text, suffix = f"eastern demand meets western hub ({side})", f"east-west {direction}"
    facts: dict[str, Any] = {"members": f"{len(east)} eastern and {len(west)} western hub provinces"}
    if outside == "nearest":
        w = w + _to_nearest(is_east | is_west, w.sum(axis=0) > 0)
        facts["outside"] = f"{31 - len(east | west)} other provinces linked one way to the nearest hub capital"
    elif outside != "none":
        raise ValueError(f"outside={outside!r} is not known; choose 'nearest' or 'none'")
    return SpatialWeights(
        tuple(labels),
        w,
        transform=transform,
        name=f"compute {suffix}{' narrow' if narrow else ''}",
        date="plan of 2021-2022",
        formula=f"w_ij = 1 if {text}",
        note="a plan approved in 2021-2022: predetermined only for later outcomes, and no measure of traffic",
        source="NDRC, CAC, MIIT, NEA: eight hubs and ten clusters (2021-12 to 2022-02)",
        facts=facts,
        islands_allowed=check_islands(islands),
    )


def _to_nearest(member: NDArray[np.bool_], hub: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Links of every province that is no member to the nearest hub, capital to capital."""
    lon, lat = np.array([[p.lon, p.lat] for p in provinces.PROVINCES]).T
    km = np.where(hub[None, :], distance_matrix(lon, lat), np.inf)
    links = np.zeros_like(km)
    outsiders = np.flatnonzero(~member)
    links[outsiders, km[outsiders].argmin(axis=1)] = 1.0
    return links


def _hub_provinces(side: str, narrow: bool) -> set[int]:
    """Adcodes of the hub provinces of one side."""
    from nqpf_spatial.data import compute_hubs

    hubs = compute_hubs()
    eastern = hubs["hub_en"].isin(EASTERN_HUBS)
    rows = hubs[eastern if side == "east" else ~eastern]
    members = rows["cluster_provinces" if narrow else "hub_provinces"]
    return {provinces.resolve(name).adcode for group in members for name in group}
