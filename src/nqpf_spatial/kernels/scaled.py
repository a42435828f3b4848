"""Solutions with covariance and information matrices whose entries have different units of measurement.

A symmetric matrix is brought to a unit diagonal first: an outcome in yuan instead of billions then neither costs digits nor looks like a
singular matrix.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray


def solve(a: NDArray, b: NDArray) -> NDArray:
    """``a^{-1} b`` for a symmetric a (n, n) and b (n,) or (n, m)."""
    scale = _scale(a)
    across = scale if b.ndim == 1 else scale[:, None]
    return across * sla.solve(a * np.outer(scale, scale), across * b, assume_a="sym")


def inverse(a: NDArray) -> NDArray:
    """``a^{-1}`` for a symmetric a (n, n)."""
    scale = _scale(a)
    pair = np.outer(scale, scale)
    return pair * sla.inv(a * pair)


def _scale(a: NDArray) -> NDArray:
    size = np.sqrt(np.abs(np.diag(a)))
    return 1.0 / np.where(size > 0, size, 1.0)
