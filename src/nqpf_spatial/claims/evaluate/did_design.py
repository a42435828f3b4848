"""One design of R-DID: treated groups against provinces without a hub, before and after a common year.

Treatment is dated alike for all, so that two-way effects identify the average effect (no staggered adoption, hence no
forbidden comparisons). In a balanced panel the two-way estimate is the difference of mean changes, which is what labels are
permuted on; the event study is the least-squares regression of statsmodels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nqpf_spatial.claims.context import NotInRelease
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.kernels.randomisation import DifferenceTest, JointTest, difference_test, joint_test

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Window:
    """Years before the treatment, the treatment year, years after."""

    pre: tuple[int, ...]
    treatment: int
    post: tuple[int, ...]

    @property
    def years(self) -> tuple[int, ...]:
        """All of them in order."""
        return (*self.pre, self.treatment, *self.post)


@dataclass(frozen=True, slots=True)
class Groups:
    """Who is treated, by group, and with whom each group is compared."""

    treated: Mapping[str, tuple[str, ...]]
    control: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class GroupStudy:
    """What one treated group shows.

    Attributes
    ----------
    effect : DifferenceTest
        Mean change of the treated less that of the comparison, under random labels.
    pretrend : JointTest
        Differences of the years before, each against the last one before the treatment.
    se_cluster, p_cluster : float
        Of the two-way regression with covariance clustered by province, beside the randomisation.
    treated, control : tuple of str
        Provinces with data.
    """

    effect: DifferenceTest
    pretrend: JointTest
    se_cluster: float
    p_cluster: float
    treated: tuple[str, ...]
    control: tuple[str, ...]


def window_of(claim: Claim) -> Window:
    """Read the years of a claim's design from its parameters."""
    first, last = (int(y) for y in str(claim.parameters["pre"]).split("-"))
    start, end = (int(y) for y in str(claim.parameters["post"]).split("-"))
    return Window(tuple(range(first, last + 1)), int(claim.parameters["treatment_year"]), tuple(range(start, end + 1)))


def stated_groups(claim: Claim) -> dict[str, str]:
    """Read the treated groups of a claim: "block West and compute_hub 1 (6 provinces)".

    Returns
    -------
    dict of str to str
        Name of the group -> block. Both groups of the design are always estimated; those a claim names come first.

    Raises
    ------
    DataSourceError
        If the words, or the number of provinces, are not those of the packaged register of provinces.
    """
    from nqpf_spatial import provinces

    hubs = set(provinces.groups("hub")["hub"])
    out = {}
    for name, text in claim.parameters.items():
        if not name.startswith("treated_"):
            continue
        found = re.fullmatch(r"block (\w+) and compute_hub 1 \((\d+) provinces\)", str(text))
        if found is None:
            raise DataSourceError(
                f"claim {claim.id}: {name} is not 'block ... and compute_hub 1 (n provinces)': {text!r}"
            )
        block, n = found.groups()
        members = [p for p in provinces.groups("block").get(block, []) if p in hubs]
        if len(members) != int(n):
            raise DataSourceError(f"claim {claim.id} states {n} hub provinces in {block}, there are {len(members)}")
        out[f"{block} hubs"] = block
    return out


def groups_of(blocks: Mapping[str, str], *, narrow: bool, same_block: bool, drop: tuple[str, ...]) -> Groups:
    """Provinces of every treated group and of its comparison.

    Parameters
    ----------
    blocks : mapping of str to str
        Group -> block.
    narrow : bool
        Treated are the provinces that host a cluster; hub provinces without one are in neither group.
    same_block : bool
        Compare inside the block only.
    drop : tuple of str

    Returns
    -------
    Groups
    """
    from nqpf_spatial import provinces

    hubs = set(provinces.groups("hub")["hub"])
    chosen = set(provinces.groups("cluster")["cluster"]) if narrow else hubs
    member = provinces.groups("block")
    everyone = [p for names in member.values() for p in names if p not in drop]
    outside = [p for p in everyone if p not in hubs]
    treated = {g: tuple(str(p) for p in member[b] if p in chosen and p not in drop) for g, b in blocks.items()}
    control = {g: tuple(str(p) for p in outside if not same_block or p in member[b]) for g, b in blocks.items()}
    return Groups(treated, control)


def wide_of(column: pd.Series, window: Window, who: Groups) -> pd.DataFrame:
    """Provinces by years of the design; provinces without any value are not in it, a gap elsewhere is an error.

    Raises
    ------
    NotInRelease
        If the series does not reach over the years of the design.
    """
    names = {p for side in (who.treated, who.control) for members in side.values() for p in members}
    table = column.unstack("year").reindex(columns=list(window.years))
    table = table.loc[[p for p in table.index if p in names]].dropna(axis=0, how="all")
    empty = [str(y) for y in window.years if table[y].isna().all()]
    if table.empty or empty:
        raise NotInRelease(f"{column.name} has no values in {', '.join(empty) or 'any year'}")
    holes = table.isna().stack()
    if holes.any():
        cells = ", ".join(f"{p} {y}" for p, y in holes.index[holes][:6])
        raise NotInRelease(f"{column.name} has missing cells: {cells}")
    return table


def study(
    wide: pd.DataFrame, window: Window, who: Groups, draws: int, seed: int, level: float
) -> dict[str, GroupStudy]:
    """Average effect and pre-trends of every treated group.

    Parameters
    ----------
    wide : DataFrame
        Provinces in rows, the years of the window in columns.
    window : Window
    who : Groups
    draws : int
        Arrangements; all of them where there are no more.
    seed : int
    level : float
        Of the interval.

    Returns
    -------
    dict of str to GroupStudy
    """
    change = wide[list(window.post)].mean(axis=1) - wide[list(window.pre)].mean(axis=1)
    before = wide[list(window.pre[:-1])].sub(wide[window.pre[-1]], axis=0)
    out = {}
    for group in who.treated:
        inside = tuple(p for p in who.treated[group] if p in wide.index)
        outside = tuple(p for p in who.control[group] if p in wide.index)
        units = [*inside, *outside]
        label = np.arange(len(units)) < len(inside)
        if len(inside) < 2 or len(outside) < 2:
            raise NotInRelease(f"{group}: {len(inside)} treated and {len(outside)} comparison provinces with data")
        effect = difference_test(change.loc[units].to_numpy(), label, draws, seed, level)
        trend = joint_test(before.loc[units].to_numpy(), label, draws, seed)
        se, p = two_way(wide.loc[units], window, set(inside))
        out[group] = GroupStudy(effect, trend, se, p, inside, outside)
    return out


def two_way(wide: pd.DataFrame, window: Window, treated: set[str]) -> tuple[float, float]:
    """Clustered standard error and p-value of treated x post with province and year effects (statsmodels)."""
    kept = wide[[*window.pre, *window.post]]
    inside = np.array([p in treated for p in kept.index], dtype=float)
    after = np.array([y in window.post for y in kept.columns], dtype=float)
    fit = _regression(kept.to_numpy(), np.outer(inside, after)[None])
    return float(fit.bse[0]), float(fit.pvalues[0])


def _regression(y: np.ndarray, x: np.ndarray):  # type: ignore[no-untyped-def]
    """Least squares of y (n, T) on x (k, n, T), province and year dummies, clustered by province."""
    import statsmodels.api as sm

    n, t = y.shape
    provinces = np.kron(np.eye(n), np.ones((t, 1)))
    years = np.kron(np.ones((n, 1)), np.eye(t))[:, 1:]
    design = np.hstack([x.reshape(len(x), n * t).T, provinces, years])
    codes = np.repeat(np.arange(n), t)
    return sm.OLS(y.ravel(), design).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)


def event_study(wide: pd.DataFrame, window: Window, who: Groups, level: float = 0.95) -> pd.DataFrame:
    """Yearly differences of every group to the comparison, the last year before the treatment being zero, in one regression.

    Parameters
    ----------
    wide : DataFrame
    window : Window
    who : Groups
        With one comparison for all groups, or each with its own: a group is then estimated apart.
    level : float

    Returns
    -------
    DataFrame
        Index (group, year); columns estimate, se, lower, upper: covariance clustered by province.
    """
    import pandas as pd

    shared = len(set(who.control.values())) == 1
    designs = [list(who.treated)] if shared else [[g] for g in who.treated]
    base = window.pre[-1]
    parts = []
    for names in designs:
        inside = {g: {p for p in who.treated[g] if p in wide.index} for g in names}
        outside = {p for g in names for p in who.control[g] if p in wide.index}
        part = wide.loc[[p for p in wide.index if p in outside.union(*inside.values())]]
        cells = [(g, y) for g in names for y in part.columns if y != base]
        x = np.array([np.outer([p in inside[g] for p in part.index], part.columns == y) for g, y in cells], dtype=float)
        fit = _regression(part.to_numpy(), x)
        bounds = fit.conf_int(1.0 - level)[: len(cells)]
        frame = pd.DataFrame(
            {
                "estimate": fit.params[: len(cells)],
                "se": fit.bse[: len(cells)],
                "lower": bounds[:, 0],
                "upper": bounds[:, 1],
            },
            index=pd.MultiIndex.from_tuples(cells, names=["group", "year"]),
        )
        parts.append(frame)
    return pd.concat(parts)
