r"""The Shapley value of games given by the values of all their coalitions.

.. math:: \phi_i = \sum_{S \subseteq M \setminus i} \frac{|S|!\,(m-|S|-1)!}{m!}\,[v(S \cup i) - v(S)]

(Shapley 1953; as a decomposition of distributional measures Shorrocks 2013, eqs. 7-8). Coalitions are numbered by
their bits: player i takes part in coalition c if bit i of c is set.
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray


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
