"""Impacts taken apart: by order of neighbourhood, by unit, from block to block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial import provinces
from nqpf_spatial.errors import PanelError
from nqpf_spatial.models.impacts.inference import coefficients, dense_weights, positions, regressors
from nqpf_spatial.models.missing import impacts as unbalanced_impacts
from nqpf_spatial.models.missing.networks import networks_of

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit


@dataclass(frozen=True)
class _Carrier:
    """The matrix G that carries a first round ``beta I + theta W_d`` to y.

    Attributes
    ----------
    matrix : (N, N) ndarray
        ``(I - rho W)^-1``, or what stands for it at a horizon of a dynamic fit.
    slopes : list of (int, (N, N) ndarray)
        Positions in params of the parameters it depends on, with the derivative.
    """

    matrix: NDArray
    slopes: list[tuple[int, NDArray]]


def _carrier(fit: SpatialFit, horizon: int | str | None, cumulative: bool) -> _Carrier:
    if fit.dynamic:
        from nqpf_spatial.models.dynamic.effects import matrix_at

        return _Carrier(*matrix_at(fit, 0 if horizon is None else horizon, cumulative))
    w = dense_weights(fit)[0]
    inverse = np.linalg.inv(np.eye(w.shape[0]) - (fit.rho or 0.0) * w)
    place = [] if fit.rho is None else [int(fit.params.index.get_loc("rho"))]
    return _Carrier(inverse, [(at, inverse @ w @ inverse) for at in place])


def check_order(q: object) -> None:
    """Refuse orders that are no counts."""
    if isinstance(q, bool) or not isinstance(q, int | np.integer) or q < 0:
        raise ValueError(f"q={q!r}: the highest order is a whole number, zero or more")


def by_order(
    fit: SpatialFit, q: int = 5, horizon: int | str | None = None, cumulative: bool = False
) -> pd.DataFrame:  # fmt: skip
    r"""Impacts by order of neighbourhood.

    Order p is ``rho^p W^p (beta I + theta W_d)``: order 0 is what happens before any feedback (LeSage and Pace 2009,
    section 2.7.3). The last row, ``"rest"``, is what the orders above q add, so that columns sum to the impacts. In the long run
    of a dynamic fit ``(rho + eta) / (1 - tau)`` stands for rho and ``1 / (1 - tau)`` multiplies all orders.

    Returns
    -------
    DataFrame
        Index (term, order), columns direct, indirect, total.
    """
    check_order(q)
    if networks_of(fit) is not None:
        return _orders({term: unbalanced_impacts.order_parts(fit, _pair(fit, term), q) for term in regressors(fit)})
    w, wd = dense_weights(fit)
    scale, rate = 1.0, fit.rho or 0.0
    if fit.dynamic:
        from nqpf_spatial.models.dynamic.effects import order_rates

        scale, rate, w = order_rates(fit, 0 if horizon is None else horizon, cumulative)
    n = w.shape[0]
    found: dict[str, list[tuple[float, float]]] = {}
    for term in regressors(fit):
        first = scale * _first_round(fit, term, wd)
        matrix: NDArray = first
        total = np.linalg.solve(np.eye(n) - rate * w, first)
        parts: list[NDArray] = []
        for _ in range(q + 1):
            parts.append(matrix)
            matrix = rate * (w @ matrix)
        parts.append(total - sum(parts))
        found[term] = [(float(np.trace(part)) / n, float(part.sum()) / n) for part in parts]
    return _orders(found)


def _orders(found: Mapping[str, list[tuple[float, float]]]) -> pd.DataFrame:
    """The table of (direct, total) by order; the last one is the rest."""
    lines = [
        (term, order if order < len(parts) - 1 else "rest", direct, total - direct, total)
        for term, parts in found.items()
        for order, (direct, total) in enumerate(parts)
    ]
    return pd.DataFrame(lines, columns=["term", "order", "direct", "indirect", "total"]).set_index(["term", "order"])


def by_unit(
    fit: SpatialFit, term: str | None = None, horizon: int | str | None = None, cumulative: bool = False
) -> pd.DataFrame:
    """Impacts unit by unit.

    Returns
    -------
    DataFrame
        With a term, the N x N matrix S: row i, column j is the change of y in unit i when the regressor rises by one
        in unit j. Without, per unit: ``own`` (diagonal), ``received`` (rest of the row), ``sent`` (rest of the column).
        On observed sub-networks means over the periods in which the unit, or both units, are observed.
    """
    if term is not None:
        units = list(fit.estimate.design.units)
        return pd.DataFrame(
            effect_matrix(fit, term, horizon, cumulative),
            index=pd.Index(units, name="to"),
            columns=pd.Index(units, name="from"),
        )
    parts = {}
    for name in regressors(fit):
        if networks_of(fit) is not None:
            columns = unbalanced_impacts.unit_parts(fit, _pair(fit, name))
        else:
            s = effect_matrix(fit, name, horizon, cumulative)
            own = np.diag(s)
            columns = np.stack([own, s.sum(axis=1) - own, s.sum(axis=0) - own], axis=1)
        parts[name] = pd.DataFrame(
            columns,
            columns=["own", "received", "sent"],
            index=pd.Index(fit.estimate.design.units, name=fit.estimate.design.levels[0]),
        )
    return pd.concat(parts, axis=1, names=["term", "effect"])


def effect_matrix(
    fit: SpatialFit, term: str, horizon: int | str | None = None, cumulative: bool = False
) -> NDArray:  # fmt: skip
    """``(I - rho W)^-1 (beta I + theta W_d)`` of one regressor column; for dynamic fits at a horizon, 0 by default."""
    if term not in regressors(fit):
        raise ValueError(f"term={term!r} is no regressor; the regressors are {', '.join(regressors(fit))}")
    if networks_of(fit) is not None:
        return unbalanced_impacts.effect_matrix(fit, _pair(fit, term))
    return _carrier(fit, horizon, cumulative).matrix @ _first_round(fit, term, dense_weights(fit)[1])


def _first_round(fit: SpatialFit, term: str, wd: NDArray) -> NDArray:
    beta, theta = _pair(fit, term)
    return beta * np.eye(wd.shape[0]) + theta * wd


def _pair(fit: SpatialFit, term: str) -> NDArray:
    """(beta, theta) of a regressor column."""
    return coefficients(fit.params.to_numpy()[None], positions(fit, [term]))[0, 0]


def by_block(
    fit: SpatialFit, groups: str | Mapping[Any, Any] | pd.Series = "block", alpha: float = 0.05,
    horizon: int | str | None = None, cumulative: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Mean change of y in the units of one block when the regressor rises by one in every unit of another.

    Sums over ``from`` give the mean total effect of a rise everywhere. Standard errors by the delta method.

    Parameters
    ----------
    groups : str, mapping or Series
        "block", "north_south", "hub", "cluster" for provinces; or a map from unit to block.

    Returns
    -------
    DataFrame
        Index (term, to, from), columns estimate, se, z, p, lower, upper.
    """
    names, member = membership(fit, groups)
    value, slopes = _between(fit, member, horizon, cumulative)
    params, covariance = fit.params.to_numpy(), fit.cov_params().to_numpy()
    parts = {}
    for term in regressors(fit):
        position = positions(fit, [term])[0]
        pair = coefficients(params[None], position[None])[0, 0]
        gradient = np.zeros((*value[0].shape, params.size))
        for at, part in zip(position, value, strict=True):
            if at >= 0:
                gradient[..., at] = part
        for at, slope in slopes:
            gradient[..., at] = pair[0] * slope[0] + pair[1] * slope[1]
        se = np.sqrt(np.einsum("abi,ij,abj->ab", gradient, covariance, gradient))
        parts[term] = _frame(pair[0] * value[0] + pair[1] * value[1], se, names, alpha)
    return pd.concat(parts, names=["term"])


def _between(
    fit: SpatialFit, member: NDArray, horizon: int | str | None, cumulative: bool
) -> tuple[NDArray, list[tuple[int, NDArray]]]:
    """Effects (2, G, G) between groups, of the own and the lagged regressor; positions in params with the derivatives."""
    if networks_of(fit) is not None:
        value, slope = unbalanced_impacts.between(fit, member)
        return value, [] if fit.rho is None else [(int(fit.params.index.get_loc("rho")), slope)]
    average = member / member.sum(axis=0)
    wd, carrier = dense_weights(fit)[1], _carrier(fit, horizon, cumulative)

    def both(matrix: NDArray) -> NDArray:
        return np.stack([average.T @ matrix @ member, average.T @ matrix @ wd @ member])

    return both(carrier.matrix), [(at, both(matrix)) for at, matrix in carrier.slopes]


def membership(fit: SpatialFit, groups: str | Mapping[Any, Any] | pd.Series) -> tuple[list[str], NDArray]:
    """Names of the groups, and the (N, G) zeros and ones that say who belongs to which."""
    units = fit.estimate.design.units
    if isinstance(groups, str):
        if not all(map(provinces.is_province, units)):
            raise PanelError("the units are not Chinese provinces: pass groups= as a mapping from unit to block")
        of = [str(provinces.group_of(unit, groups)) for unit in units]  # type: ignore[arg-type]
        names = [name for name in map(str, provinces.groups(groups)) if name in of]  # type: ignore[arg-type]
    else:
        given = dict(groups)
        absent = [str(unit) for unit in units if unit not in given]
        if absent:
            raise PanelError(f"groups= has no entry for {', '.join(absent[:12])}")
        of = [str(given[unit]) for unit in units]
        names = list(dict.fromkeys(of))
    return names, np.array([[name == own for name in names] for own in of], dtype=float)


def _frame(estimate: NDArray, se: NDArray, names: list[str], alpha: float) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([names, names], names=["to", "from"])
    frame = pd.DataFrame({"estimate": estimate.ravel(), "se": se.ravel()}, index=index)
    half = stats.norm.isf(alpha / 2) * frame["se"]
    z = frame["estimate"] / frame["se"]
    return frame.assign(
        z=z, p=2 * stats.norm.sf(np.abs(z)), lower=frame["estimate"] - half, upper=frame["estimate"] + half
    )
