r"""Multipliers with several or changing weights, unit by unit.

.. math:: S_{kt} = A_t^{-1}\big(\beta_k I + \sum_j \theta_{kj} W^d_{jt}\big), \qquad A_t = I - \sum_m r_m W_{mt}

Diagonals and column sums of ``A_t^-1 V`` for V = I and every Durbin matrix are all that impacts need: they are linear in (beta, theta),
and ``d A^-1 V / d r_m = A^-1 W_m A^-1 V``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 4_000_000  # elements of the inverses held at once


def unit_values(r: NDArray, w: NDArray, durbin: NDArray) -> NDArray:
    """Diagonals and column sums of ``A_p^-1`` and ``A_p^-1 W^d_jp``.

    Parameters
    ----------
    r : (R, M) ndarray
    w : (P, M, N, N) ndarray
        Lag terms per pattern; M may be zero.
    durbin : (P, D, N, N) ndarray

    Returns
    -------
    (R, P, 2, 1 + D, N) ndarray
        ``[:, :, 0]`` diagonals, ``[:, :, 1]`` column sums.
    """
    p, n = w.shape[0], w.shape[-1]
    size = max(1, _BLOCK // (p * n * n))
    parts = [_values(r[i : i + size], w, durbin) for i in range(0, r.shape[0], size)]
    return np.concatenate(parts)


def mean_values(r: NDArray, w: NDArray, durbin: NDArray, share: NDArray) -> NDArray:
    """Mean diagonals and mean row sums (R, 2, 1 + D), averaged over patterns, block by block."""
    p, n = w.shape[0], w.shape[-1]
    size = max(1, _BLOCK // (p * n * n))
    parts = [
        np.einsum("p,rpscn->rsc", share, _values(r[i : i + size], w, durbin)) / n for i in range(0, r.shape[0], size)
    ]
    return np.concatenate(parts)


def _values(r: NDArray, w: NDArray, durbin: NDArray) -> NDArray:
    inverse = np.linalg.inv(np.eye(w.shape[-1]) - np.einsum("rm,pmij->rpij", r, w))
    return _views(inverse, durbin)


def unit_slopes(r: NDArray, w: NDArray, durbin: NDArray) -> NDArray:
    """Derivatives of `unit_values` with respect to r at one point r (M,): (M, P, 2, 1 + D, N)."""
    inverse = np.linalg.inv(np.eye(w.shape[-1]) - np.tensordot(w, r, axes=(1, 0)))
    slopes = inverse[:, None] @ w @ inverse[:, None]
    return _views(slopes.transpose(1, 0, 2, 3), durbin)


def _views(a: NDArray, durbin: NDArray) -> NDArray:
    """Diagonals and column sums of a (.., P, N, N) and a W^d_j: (.., P, 2, 1 + D, N)."""
    total = a.sum(axis=-2)
    diagonal = np.einsum("...pij,pdji->...pdi", a, durbin)
    lagged = np.einsum("...pi,pdij->...pdj", total, durbin)
    own = np.diagonal(a, axis1=-2, axis2=-1)
    rows = [np.concatenate([first[..., None, :], rest], axis=-2) for first, rest in ((own, diagonal), (total, lagged))]
    return np.stack(rows, axis=-3)


def effects(coefficients: NDArray, values: NDArray, derivative: NDArray, share: NDArray) -> NDArray:
    """Direct, indirect and total effect (R, 3) of one variable, averaged over patterns.

    Parameters
    ----------
    coefficients : (R, C, 1 + D) ndarray
        beta and theta_1 .. theta_D of the C columns the variable works through.
    values : (R, P, 2, 1 + D, N) ndarray
    derivative : (C, P, N) ndarray
        Derivatives of the columns with respect to the variable; ones for a plain regressor.
    share : (P,) ndarray
    """
    both = np.einsum("p,rcx,rpsxn,cpn->rs", share, coefficients, values, derivative, optimize=True) / values.shape[-1]
    return split(both)


def gradient(
    coefficients: NDArray, values: NDArray, slopes: NDArray, derivative: NDArray, share: NDArray
) -> tuple[NDArray, NDArray]:
    """Gradient of `effects` at one point: (3, C, 1 + D) in the coefficients and (3, M) in r; `coefficients` is (C, 1 + D)."""
    n = values.shape[-1]
    coef = np.einsum("p,psxn,cpn->scx", share, values, derivative, optimize=True) / n
    by_r = np.einsum("p,cx,mpsxn,cpn->sm", share, coefficients, slopes, derivative, optimize=True) / n
    return np.moveaxis(split(np.moveaxis(coef, 0, -1)), -1, 0), np.moveaxis(split(np.moveaxis(by_r, 0, -1)), -1, 0)


def split(both: NDArray) -> NDArray:
    """(.., 2) direct and total to (.., 3) direct, indirect and total."""
    return np.stack([both[..., 0], both[..., 1] - both[..., 0], both[..., 1]], axis=-1)
