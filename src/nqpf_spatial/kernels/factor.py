"""Log-determinant of ``I - rho W`` for large sparse W: exact, by one sparse factorisation per value of rho.

Eigenvalues of 10,000 units are out of reach, a factorisation takes a fraction of a second. Values are cached,
derivatives are five-point differences of exact values, so that an estimate needs some twenty factorisations.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, eye_array
from scipy.sparse.linalg import splu

_STEP = 0.01  # of a difference, relative to the distance from the nearer end of the interval


@dataclass(frozen=True, slots=True)
class FactorLogDet:
    """``ln|I - r W|`` with the interface of `nqpf_spatial.kernels.logdet.LogDet`.

    Attributes
    ----------
    matrix : csc_array (N, N)
    low, high : float
        Open interval of r.
    unit_root : bool
        One eigenvalue 1 left out: ``ln|I - r W| - ln(1 - r)``, the Lee-Yu transformation of time effects.
    """

    matrix: csc_array
    low: float
    high: float
    unit_root: bool = False
    _cache: dict[float, float] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, r: ArrayLike) -> NDArray:
        """Value at r (any shape), one factorisation for every new value."""
        values = np.asarray(r, dtype=float)
        return np.array([self._value(float(v)) for v in values.ravel()]).reshape(values.shape)

    def derivatives(self, r: ArrayLike) -> tuple[NDArray, NDArray]:
        """First and second derivative by five-point differences, with a relative error of some 1e-7."""
        values = np.atleast_1d(np.asarray(r, dtype=float))
        first, second = np.empty(values.shape), np.empty(values.shape)
        for i, v in enumerate(values):
            h = _STEP * min(v - self.low, self.high - v)
            a, b, c, d, e = (self._value(float(v + k * h)) for k in (-2, -1, 0, 1, 2))
            first[i] = (a - 8 * b + 8 * d - e) / (12 * h)
            second[i] = (-a + 16 * b - 30 * c + 16 * d - e) / (12 * h * h)
        return (first, second) if np.ndim(r) else (first[0], second[0])

    def without_unit_root(self) -> FactorLogDet:
        """The log-determinant of F'WF."""
        return FactorLogDet(self.matrix, self.low, self.high, True, self._cache)

    def _value(self, r: float) -> float:
        if r not in self._cache:
            system = csc_array(eye_array(self.matrix.shape[0], format="csc") - r * self.matrix)
            factor = splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
            self._cache[r] = float(np.log(np.abs(factor.U.diagonal())).sum())
        return self._cache[r] - (float(np.log1p(-r)) if self.unit_root else 0.0)
