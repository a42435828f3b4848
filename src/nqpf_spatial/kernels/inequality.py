"""Inequality measures and their exact decompositions on plain arrays.

Shapes: values ``x (..., N)``; weights ``w (..., N)``, any non-negative numbers with a positive sum, which
broadcast against ``x``. A bootstrap is nothing but weights with a leading axis of replicates: nothing is
resampled, so a thousand replicates cost about as much as one pass of matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Array = NDArray[np.float64]


def shares(w: Array) -> Array:
    """Weights over their sum along the last axis."""
    return w / w.sum(axis=-1, keepdims=True)


def mean(x: Array, w: Array) -> Array:
    """Weighted mean along the last axis; ``w`` sums to one."""
    return (x * w).sum(axis=-1)


def by_rank(x: Array, w: Array) -> tuple[Array, Array]:
    """Values in ascending order and the shares that go with them, both ``(..., N)``."""
    p = shares(w)
    order = np.argsort(x, axis=-1, kind="stable")
    shape = np.broadcast_shapes(x.shape, p.shape)
    order = np.broadcast_to(order, shape)
    values = np.take_along_axis(np.broadcast_to(x, shape), order, axis=-1)
    return values, np.take_along_axis(np.broadcast_to(p, shape), order, axis=-1)


def gini(x: Array, w: Array) -> Array:
    """Gini index: half the relative mean difference.

    Parameters
    ----------
    x : ndarray (..., N)
        Non-negative values with a positive mean.
    w : ndarray (..., N)
        Weights; leading axes may exceed those of ``x``.

    Returns
    -------
    ndarray (...)

    Notes
    -----
    ``G = sum_ij p_i p_j |x_i - x_j| / (2 mu)`` with ``p`` the weight shares, evaluated on sorted values as
    ``sum_i p_i x_i (2 F_i - p_i) / mu - 1`` with ``F`` the cumulative share (no pairs needed).
    """
    values, p = by_rank(x, w)
    rank = 2.0 * np.cumsum(p, axis=-1) - p
    return (p * values * rank).sum(axis=-1) / mean(values, p) - 1.0


def theil_t(x: Array, w: Array) -> Array:
    """Theil's T, GE(1): ``sum_i p_i (x_i/mu) ln(x_i/mu)``; a zero contributes zero (the limit)."""
    p = shares(w)
    r = x / mean(x, p)[..., None]
    return (p * xlogy(r, r)).sum(axis=-1)


def theil_l(x: Array, w: Array) -> Array:
    """Theil's L, GE(0), mean log deviation: ``sum_i p_i ln(mu/x_i)``; values must be positive."""
    p = shares(w)
    return -(p * np.log(x / mean(x, p)[..., None])).sum(axis=-1)


def atkinson(x: Array, w: Array, epsilon: float) -> Array:
    """Atkinson index ``1 - (sum_i p_i (x_i/mu)^(1-eps))^(1/(1-eps))``, at eps = 1 one minus GM/AM."""
    p = shares(w)
    r = x / mean(x, p)[..., None]
    if epsilon == 1.0:
        return 1.0 - np.exp((p * np.log(r)).sum(axis=-1))
    return 1.0 - (p * r ** (1.0 - epsilon)).sum(axis=-1) ** (1.0 / (1.0 - epsilon))


def sd(x: Array, w: Array) -> Array:
    """Standard deviation with divisor N (the units are the population, not a sample of it)."""
    p = shares(w)
    return np.sqrt((p * (x - mean(x, p)[..., None]) ** 2).sum(axis=-1))


def cv(x: Array, w: Array) -> Array:
    """Coefficient of variation, divisor N."""
    return sd(x, w) / mean(x, shares(w))


def sd_log(x: Array, w: Array) -> Array:
    """Standard deviation of logarithms, divisor N."""
    return sd(np.log(x), w)


def concentration(y: Array, rank_by: Array, w: Array) -> Array:
    """Concentration index of ``y`` with the units ranked by another variable; ties share their rank.

    ``C = sum_ij p_i p_j (y_i - y_j) sign(r_i - r_j) / (2 mu_y)``; it is the Gini index when ``r = y``.
    """
    p = shares(w)
    sign = np.sign(rank_by[..., :, None] - rank_by[..., None, :])
    gap = y[..., :, None] - y[..., None, :]
    pairs = (p[..., :, None] * p[..., None, :] * gap * sign).sum(axis=(-2, -1))
    return pairs / (2.0 * mean(y, p))


def indicator(codes: NDArray[np.intp], k: int) -> Array:
    """One row per group: ``(..., N)`` codes -> ``(..., K, N)`` zeros and ones."""
    return (codes[..., None, :] == np.arange(k)[:, None]).astype(np.float64)


def by_group(values: Array, member: Array) -> Array:
    """Sums over the members of each group: ``(..., N)`` and ``(..., K, N)`` give ``(..., K)``."""
    return np.einsum("...n,...kn->...k", values, member)


def _ratio(a: Array, b: Array) -> Array:
    """``a / b`` with 0 where ``b`` is 0 (a group that a replicate left empty contributes nothing)."""
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(a.shape, b.shape)), where=b != 0.0)


@dataclass(frozen=True, slots=True)
class TheilParts:
    """Decomposition of a Theil index by groups.

    Attributes
    ----------
    total, between, within : ndarray (...)
        ``total = between + within`` up to rounding.
    index : ndarray (..., K)
        The index inside each group.
    population, income : ndarray (..., K)
        Shares of the groups in weights and in weighted values.
    contribution : ndarray (..., K)
        Contribution of each group's inside to ``within``.
    """

    total: Array
    between: Array
    within: Array
    index: Array
    population: Array
    income: Array
    contribution: Array


def theil_parts(x: Array, w: Array, member: Array, kind: str) -> TheilParts:
    """Split a Theil index exactly into between and within groups.

    Parameters
    ----------
    x, w : ndarray (..., N)
        Values and weights.
    member : ndarray (..., K, N)
        Rows of :func:`indicator`; its leading axes broadcast against those of ``x`` and ``w``.
    kind : {"T", "L"}

    Notes
    -----
    Theil (1967), Shorrocks (1980): ``T = sum_g s_g T_g + sum_g s_g ln(mu_g/mu)`` with
    income shares ``s``; ``L = sum_g p_g L_g + sum_g p_g ln(mu/mu_g)`` with population shares ``p``.
    """
    p = shares(w)
    r = x / mean(x, p)[..., None]
    pg = by_group(p, member)
    sg = by_group(p * r, member)
    relative = _ratio(sg, pg)
    safe = np.where(relative > 0.0, relative, 1.0)
    if kind == "T":
        weight, gap = sg, xlogy(sg, safe)
        inner, total = by_group(p * xlogy(r, r), member) - gap, theil_t(x, p)
    else:
        weight, gap = pg, -xlogy(pg, safe)
        inner, total = -by_group(p * np.log(r), member) - gap, theil_l(x, p)
    between, within = gap.sum(axis=-1), inner.sum(axis=-1)
    return TheilParts(total, between, within, _ratio(inner, weight), pg, sg, inner)


@dataclass(frozen=True, slots=True)
class DagumParts:
    """Dagum's decomposition of the Gini index into three parts.

    Attributes
    ----------
    total, within, net, transvariation : ndarray (...)
        ``total = within + net + transvariation``; ``net`` is the net between-group part (Gnb).
    index : ndarray (..., K, K)
        ``G_jh``: on the diagonal the Gini index inside a group, off it between two groups.
    affluence : ndarray (..., K, K)
        ``D_jh``, relative economic affluence: 1 without overlap, 0 with equal means.
    net_pair, transvariation_pair : ndarray (..., K, K)
        Contributions of each pair, in both triangles (the sum of one triangle is the total).
    within_group : ndarray (..., K)
        Contributions to ``within``.
    population, income : ndarray (..., K)
        Shares of the groups.
    """

    total: Array
    within: Array
    net: Array
    transvariation: Array
    index: Array
    affluence: Array
    net_pair: Array
    transvariation_pair: Array
    within_group: Array
    population: Array
    income: Array


def dagum_parts(x: Array, w: Array, member: Array) -> DagumParts:
    """Split the Gini index into within, net between and transvariation (Dagum 1997).

    Parameters
    ----------
    x : ndarray (T, N) or (N,)
        Values; weights and groups may carry further leading axes.
    w : ndarray (..., N)
    member : ndarray (..., K, N)

    Notes
    -----
    With ``Delta_jh`` the mean absolute difference of a member of j and a member of h,
    ``G_jh = Delta_jh / (mu_j + mu_h)``, ``D_jh = (d_jh - p_jh)/(d_jh + p_jh) = |mu_j - mu_h| / Delta_jh``,
    ``G_w = sum_j G_jj p_j s_j``, ``G_nb = sum_{h<j} G_jh (p_j s_h + p_h s_j) D_jh`` and ``G_t`` the same
    with ``1 - D_jh``. Two groups of equal constants have ``Delta = 0``; ``D`` is then 0.
    """
    p = shares(w)
    mu = mean(x, p)[..., None, None]
    gap = np.abs(x[..., :, None] - x[..., None, :])
    weighted = member * p[..., None, :]
    pairs = weighted @ gap @ np.swapaxes(weighted, -1, -2)
    pg = weighted.sum(axis=-1)
    totals = (weighted * x[..., None, :]).sum(axis=-1)
    means = _ratio(totals, pg)
    pp = pg[..., :, None] * pg[..., None, :]
    delta = _ratio(pairs, pp)
    distance = np.abs(means[..., :, None] - means[..., None, :])
    off = 1.0 - np.eye(pg.shape[-1])
    net_pair = off * distance * pp / mu
    trans_pair = off * pairs / mu - net_pair
    within_group = np.diagonal(pairs, axis1=-2, axis2=-1) / (2.0 * mu[..., 0])
    return DagumParts(
        total=gini(x, p),
        within=within_group.sum(axis=-1),
        net=net_pair.sum(axis=(-2, -1)) / 2.0,
        transvariation=trans_pair.sum(axis=(-2, -1)) / 2.0,
        index=_ratio(delta, means[..., :, None] + means[..., None, :]),
        affluence=_ratio(distance, delta) * off,
        net_pair=net_pair,
        transvariation_pair=trans_pair,
        within_group=within_group,
        population=pg,
        income=totals / mu[..., 0],
    )
