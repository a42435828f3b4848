"""Productivity on plain arrays: perpetual inventory, data envelopment analysis, Malmquist index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog
from scipy.sparse import block_diag, coo_array

from nqpf_spatial.errors import ConvergenceError, PanelError

Array = NDArray[np.float64]
Orientation = Literal["output", "input"]
Returns = Literal["crs", "vrs"]


def steady_state_stock(first_investment: ArrayLike, growth: ArrayLike, depreciation: ArrayLike) -> Array:
    """Capital stock before the first year of investment, as if it had grown at a steady rate.

    Parameters
    ----------
    first_investment : array_like, shape (n,)
        Real investment of the first year.
    growth : array_like, shape (n,)
        Growth rate of real investment, per year (0.1 = 10 percent).
    depreciation : array_like, scalar or shape (n,)
        Rate per year.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    PanelError
        ``growth + depreciation`` is not positive: no steady state.

    Notes
    -----
    ``K_0 = I_1 / (g + d)`` (Harberger 1978; Hall and Jones 1999, Quarterly Journal of Economics 114, p. 89).

    Examples
    --------
    >>> steady_state_stock([15.0], [0.05], 0.10)
    array([100.])
    """
    rate = np.asarray(growth, dtype=np.float64) + np.asarray(depreciation, dtype=np.float64)
    if not (rate > 0).all():
        raise PanelError(
            f"growth + depreciation must be positive for a steady-state initial stock; the smallest is {rate.min():.4g}"
        )
    return np.asarray(first_investment, dtype=np.float64) / rate


def perpetual_inventory(investment: ArrayLike, initial: ArrayLike, depreciation: ArrayLike) -> Array:
    """Capital stocks by perpetual inventory with geometric depreciation.

    Parameters
    ----------
    investment : array_like, shape (T, n)
        Real investment, one row per year.
    initial : array_like, shape (n,)
        Stock at the end of the year before the first row.
    depreciation : array_like, scalar or shape (n,)
        Rate per year, in [0, 1).

    Returns
    -------
    ndarray, shape (T, n)
        Stock at the end of each year.

    Raises
    ------
    PanelError
        A depreciation rate outside [0, 1).

    Notes
    -----
    ``K_t = (1 - d) K_{t-1} + I_t`` (Goldsmith 1951; OECD 2009, Measuring Capital, ch. 5).

    Examples
    --------
    >>> perpetual_inventory([[15.0], [15.75]], [100.0], 0.10)
    array([[105.  ],
           [110.25]])
    """
    flow = np.asarray(investment, dtype=np.float64)
    rate = np.broadcast_to(np.asarray(depreciation, dtype=np.float64), flow.shape[1:])
    if not ((rate >= 0) & (rate < 1)).all():
        raise PanelError(f"depreciation must lie in [0, 1); got {rate.min():.4g} to {rate.max():.4g}")
    stock = np.empty_like(flow)
    before = np.asarray(initial, dtype=np.float64)
    for t, invested in enumerate(flow):
        before = (1.0 - rate) * before + invested
        stock[t] = before
    return stock


def dea(
    x: ArrayLike,
    y: ArrayLike,
    x_ref: ArrayLike | None = None,
    y_ref: ArrayLike | None = None,
    orientation: Orientation = "output",
    returns: Returns = "crs",
) -> Array:
    """Radial efficiency of units against the frontier spanned by reference units.

    Parameters
    ----------
    x, y : array_like, shapes (n, m) and (n, s)
        Positive inputs and outputs of the units to be judged.
    x_ref, y_ref : array_like, shapes (r, m) and (r, s), optional
        Units that span the frontier; default: the units themselves.
    orientation : {"output", "input"}
    returns : {"crs", "vrs"}
        Constant or variable returns to scale.

    Returns
    -------
    ndarray, shape (n,)
        Output orientation: the output distance function ``D = 1 / phi``; input orientation: ``theta``.
        At most one inside the reference set; above one for a unit beyond a frontier of other units.

    Raises
    ------
    PanelError
        Shapes that do not match, or a cell that is missing or not positive.
    ConvergenceError
        A programme without solution (variable returns against a frontier of other units).

    Notes
    -----
    ``max phi : Y'l >= phi y_0, X'l <= x_0, l >= 0`` and ``min theta : Y'l >= y_0, X'l <= theta x_0, l >= 0``,
    with ``sum l = 1`` under variable returns (Charnes, Cooper and Rhodes 1978; Banker, Charnes and Cooper
    1984). The programmes of all units are solved as one block-diagonal programme by HiGHS. Every
    constraint is divided by the unit's own value, so the units of measurement do not matter.

    Examples
    --------
    >>> dea([[2.0], [4.0]], [[1.0], [4.0]])
    array([0.5, 1. ])
    """
    x, y = _positive(x, "inputs"), _positive(y, "outputs")
    xr = x if x_ref is None else _positive(x_ref, "reference inputs")
    yr = y if y_ref is None else _positive(y_ref, "reference outputs")
    if len(x) != len(y) or len(xr) != len(yr) or x.shape[1] != xr.shape[1] or y.shape[1] != yr.shape[1]:
        raise PanelError(
            f"shapes do not match: inputs {x.shape}, outputs {y.shape}, reference {xr.shape} and {yr.shape}"
        )
    if orientation not in ("output", "input") or returns not in ("crs", "vrs"):
        raise ValueError(
            f"orientation must be 'output' or 'input' and returns 'crs' or 'vrs'; got {orientation!r}, {returns!r}"
        )
    scores = _solve_blocks(xr[None] / x[:, None], yr[None] / y[:, None], orientation, returns)
    return 1.0 / scores if orientation == "output" else scores


def _positive(a: ArrayLike, what: str) -> Array:
    table = np.asarray(a, dtype=np.float64)
    if table.ndim != 2 or not table.size:
        raise PanelError(f"{what} must be a table (units, variables); got shape {table.shape}")
    bad = np.argwhere(~(np.isfinite(table) & (table > 0)))
    if len(bad):
        cells = ", ".join(f"({i}, {j})" for i, j in bad[:5])
        raise PanelError(f"{what} must be positive; {len(bad)} cells are not, first (row, column): {cells}")
    return table


def _solve_blocks(xs: Array, ys: Array, orientation: Orientation, returns: Returns) -> Array:
    """Scores of n programmes with data relative to the judged unit: xs (n, r, m), ys (n, r, s)."""
    n, r, m = xs.shape
    s = ys.shape[2]
    rows = m + s
    # variables of a block: r intensities, then the score; rows: inputs, then outputs (all "<=")
    block = np.zeros((n, rows, r + 1))
    block[:, :m, :r] = xs.transpose(0, 2, 1)
    block[:, m:, :r] = -ys.transpose(0, 2, 1)
    bound = np.zeros((n, rows))
    cost = np.zeros((n, r + 1))
    if orientation == "output":
        block[:, m:, r], bound[:, :m], cost[:, r] = 1.0, 1.0, -1.0
    else:
        block[:, :m, r], bound[:, m:], cost[:, r] = -1.0, -1.0, 1.0
    equal = None
    if returns == "vrs":
        one = np.append(np.ones(r), 0.0)
        equal = block_diag([one[None]] * n, format="csr")
    a_ub = _block_diagonal(block)
    result = linprog(cost.ravel(), a_ub, bound.ravel(), equal, None if equal is None else np.ones(n), method="highs-ds")
    if result.status != 0:
        raise ConvergenceError(
            f"linear programme not solved ({result.message}); under variable returns a unit can lie where "
            "a frontier of other units does not reach"
        )
    return np.asarray(result.x).reshape(n, r + 1)[:, r]


def _block_diagonal(block: Array) -> coo_array:
    n, rows, columns = block.shape
    k, i, j = np.indices(block.shape).reshape(3, -1)
    return coo_array((block.ravel(), (k * rows + i, k * columns + j)), shape=(n * rows, n * columns)).tocsr()


@dataclass(frozen=True, slots=True)
class Distances:
    """Distances behind a Malmquist index, T periods and N units.

    Attributes
    ----------
    same : ndarray, shape (T, N)
        Period t against the frontier of t, constant returns.
    ahead : ndarray, shape (T - 1, N)
        Period t + 1 against the frontier of t.
    back : ndarray, shape (T - 1, N)
        Period t against the frontier of t + 1.
    variable : ndarray, shape (T, N)
        Period t against the frontier of t, variable returns.
    """

    same: Array
    ahead: Array
    back: Array
    variable: Array


@dataclass(frozen=True, slots=True)
class Malmquist:
    """Malmquist index between adjacent periods and its decomposition, each of shape (T - 1, N).

    Attributes
    ----------
    index : ndarray
        ``efficiency * technical``; above one is progress.
    efficiency, technical : ndarray
        Efficiency change (catching up) and technical change (shift of the frontier).
    pure, scale : ndarray
        ``efficiency = pure * scale``.
    distances : Distances
    """

    index: Array
    efficiency: Array
    technical: Array
    pure: Array
    scale: Array
    distances: Distances


def malmquist(x: ArrayLike, y: ArrayLike, orientation: Orientation = "output") -> Malmquist:
    """Malmquist productivity index of Fare, Grosskopf, Norris and Zhang.

    Parameters
    ----------
    x, y : array_like, shapes (T, N, m) and (T, N, s)
        Positive inputs and outputs; T >= 2.
    orientation : {"output", "input"}
        Under constant returns both give the same index, efficiency and technical change; they split
        efficiency change differently into pure efficiency and scale.

    Returns
    -------
    Malmquist

    Raises
    ------
    PanelError
        Fewer than two periods, shapes that do not match, or a cell that is missing or not positive.

    Notes
    -----
    ``M = [D^t(t+1) / D^t(t) * D^{t+1}(t+1) / D^{t+1}(t)]^{1/2}``, ``EC = D^{t+1}(t+1) / D^t(t)``,
    ``TC = [D^t(t+1) / D^{t+1}(t+1) * D^t(t) / D^{t+1}(t)]^{1/2}`` (Fare, Grosskopf, Norris and Zhang 1994,
    American Economic Review 84, section I), distances under constant returns; pure efficiency change is EC
    under variable returns, scale change their ratio. The index is not transitive: the product over years
    need not equal the direct comparison of first and last year.

    Examples
    --------
    >>> m = malmquist([[[2.0], [4.0]], [[2.0], [4.0]]], [[[1.0], [4.0]], [[2.0], [6.0]]])
    >>> m.index, m.technical
    (array([[2. , 1.5]]), array([[1.5, 1.5]]))
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 3 or y.ndim != 3 or x.shape[:2] != y.shape[:2] or len(x) < 2:
        raise PanelError(
            f"inputs and outputs must be (T, N, variables) with T >= 2; got shapes {x.shape} and {y.shape}"
        )
    steps = range(len(x) - 1)
    same = np.stack([dea(a, b, orientation=orientation) for a, b in zip(x, y, strict=True)])
    variable = np.stack([dea(a, b, orientation=orientation, returns="vrs") for a, b in zip(x, y, strict=True)])
    ahead = np.stack([dea(x[t + 1], y[t + 1], x[t], y[t], orientation) for t in steps])
    back = np.stack([dea(x[t], y[t], x[t + 1], y[t + 1], orientation) for t in steps])
    efficiency, pure = same[1:] / same[:-1], variable[1:] / variable[:-1]
    technical = np.sqrt(ahead / same[1:] * same[:-1] / back)
    return Malmquist(
        index=efficiency * technical,
        efficiency=efficiency,
        technical=technical,
        pure=pure,
        scale=efficiency / pure,
        distances=Distances(same, ahead, back, variable),
    )
