"""Data reduction: effects removed, columns lagged, everything compressed to one small triangular factor.

With two-way effects the spatial lag is taken first and the effects are removed from the lag, ``Q(Wy)``;
``W(Qy)`` is a different variable unless W is doubly stochastic (Lee and Yu 2010, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Reduced:
    """Sufficient statistics of a static spatial model.

    For any (rho, lambda) the filtered columns have the cross-products of ``base - lambda * lagged``.

    Attributes
    ----------
    base : (q, k + 2) ndarray
        Triangular factor of the columns Z (k), y, Wy after removal of the effects.
    lagged : (q, k + 2) ndarray or None
        The same columns lagged by the error weights, in the same rotation; None without error lag.
    k : int
        Number of columns of Z.
    """

    base: NDArray
    lagged: NDArray | None
    k: int

    def at(self, lambda_: float) -> NDArray:
        """Factor of the columns filtered by ``I - lambda W2``."""
        return self.base if self.lagged is None else self.base - lambda_ * self.lagged


def spatial_lag(w: NDArray, a: NDArray) -> NDArray:
    """``W a_t`` for every period: `a` is (T, N) or (T, N, K), `w` is (N, N) dense or sparse."""
    if a.ndim == 2:
        return np.ascontiguousarray((w @ a.T).T)
    t, n, k = a.shape
    return np.ascontiguousarray((w @ a.transpose(1, 0, 2).reshape(n, t * k)).reshape(n, t, k).transpose(1, 0, 2))


def remove_effects(a: NDArray, unit: bool, time: bool) -> NDArray:
    """Residuals of (..., T, N) arrays on unit and / or time effects (balanced panel)."""
    if unit:
        a = a - a.mean(axis=-2, keepdims=True)
    if time:
        a = a - a.mean(axis=-1, keepdims=True)
    return a


def reduce_columns(base: NDArray, lagged: NDArray | None, unit: bool, time: bool) -> Reduced:
    """Compress (p, T, N) columns, ordered Z, y, Wy, to their triangular factor.

    Parameters
    ----------
    base, lagged : (p, T, N) ndarray
        Columns and, for models with an error lag, the same columns lagged by the error weights.
    unit, time : bool
        Effects to remove.
    """
    p = base.shape[0]
    columns = base if lagged is None else np.concatenate([base, lagged])
    flat = remove_effects(columns, unit, time).reshape(columns.shape[0], -1).T
    factor = sla.qr(flat, mode="r", overwrite_a=True, check_finite=False)[0][: flat.shape[1]]
    return Reduced(factor[:, :p], None if lagged is None else factor[:, p:], p - 2)
