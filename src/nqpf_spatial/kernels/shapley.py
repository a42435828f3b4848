r"""The Shapley value of games given by the values of all their coalitions.

.. math:: \phi_i = \sum_{S \subseteq M \setminus i} \frac{|S|!\,(m-|S|-1)!}{m!}\,[v(S \cup i) - v(S)]

(Shapley 1953; as a decomposition of distributional measures Shorrocks 2013). Coalitions are numbered by
their bits: player i takes part in coalition c if bit i of c is set.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

#: players of a game: the number of coalitions doubles with every one
MOST = 16


def members(m: int) -> NDArray[np.bool_]:
    """(2^m, m) which of the m players take part in every coalition."""
    return (np.arange(2**m)[:, None] >> np.arange(m)) & 1 == 1


def weights(m: int) -> NDArray:
    """(m, 2^m) matrix that turns the values of the coalitions into the parts of the players.

    Examples
    --------
    >>> weights(1)
    array([[-1.,  1.]])
    """
    present = members(m)
    size = present.sum(axis=1)
    # joining a coalition of s others has weight s! (m-s-1)! / m! = 1 / (m C(m-1, s))
    joined = np.array([0.0] + [1.0 / (m * comb(m - 1, s - 1)) for s in range(1, m + 1)])
    left = np.array([1.0 / (m * comb(m - 1, s)) for s in range(m)] + [0.0])
    return np.where(present, joined[size][:, None], -left[size][:, None]).T


def shapley(values: NDArray) -> NDArray:
    """Parts (..., m) of the players from the values (..., 2^m) of all coalitions; they sum to ``v(all) - v(none)``.

    Examples
    --------
    >>> import numpy as np
    >>> shapley(np.array([0.0, 1.0, 2.0, 5.0]))  # together they make two more than apart, shared equally
    array([2., 3.])
    """
    m = int(values.shape[-1]).bit_length() - 1
    if values.shape[-1] != 2**m:
        raise ValueError(f"{values.shape[-1]} coalitions are no power of two")
    return values @ weights(m).T


def r_squared(y: NDArray, x: NDArray) -> float:
    """R2 of a least-squares regression of y (n,) on a constant and x (n, k)."""
    centred = y - y.mean()
    if not x.shape[1]:
        return 0.0
    columns = x - x.mean(axis=0)
    beta, *_ = np.linalg.lstsq(columns, centred, rcond=None)
    rest = centred - columns @ beta
    return float(1.0 - rest @ rest / (centred @ centred))


def shapley_r2(y: NDArray, groups: Sequence[NDArray]) -> NDArray:
    """Split the R2 of the full regression over groups of regressors (Shorrocks 2013, Journal of Economic Inequality 11, 99-126).

    Parameters
    ----------
    y : (n,) ndarray
    groups : sequence of (n, k_g) ndarray
        Columns of each group; a group enters or leaves as a whole (Owen value).

    Returns
    -------
    (G,) ndarray
        Shares that add up to the R2 of all groups together.

    Examples
    --------
    >>> x = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([[0.0], [1.0], [0.0], [1.0]])
    >>> shapley_r2(2 * x[0][:, 0] + x[1][:, 0], x).round(2).tolist()
    [0.8, 0.2]
    """
    g = len(groups)
    if not 1 <= g <= MOST:
        raise ValueError(f"{g} groups: between 1 and {MOST} can be split, the number of regressions is 2 ** groups")
    empty = np.empty((y.size, 0))
    values = [
        r_squared(y, np.column_stack([empty, *(x for x, on in zip(groups, present, strict=True) if on)]))
        for present in members(g)
    ]
    return shapley(np.array(values))
