"""Log-determinant of ``I - rho W`` for large sparse W: exact, by one sparse factorisation per value of rho.

Eigenvalues of 10,000 units are out of reach, a factorisation takes a fraction of a second. Values are cached,
derivatives are those of the quartic through five exact values, so that an estimate needs some twelve factorisations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, eye_array
from scipy.sparse.linalg import splu

_STEP = 0.01  # of a difference, relative to the distance from the nearer end of the interval
_NEAR = 0.1  # of a step: values this close to earlier ones are read off the quartic through their neighbours


def by_lu(w: csc_array) -> Callable[[float], float]:
    """``ln|I - r W|`` as a function of r by SuperLU, for any sparse W."""
    identity = eye_array(w.shape[0], format="csc")

    def value(r: float) -> float:
        system = csc_array(identity - r * w)
        factor = splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        return float(np.log(np.abs(factor.U.diagonal())).sum())

    return value


@dataclass(frozen=True, slots=True)
class FactorLogDet:
    """``ln|I - r W|`` with the interface of `nqpf_spatial.kernels.logdet.LogDet`.

    Attributes
    ----------
    factorise : callable
        r -> ``ln|I - r W|``, exact.
    low, high : float
        Open interval of r.
    method : str
        What factorises, for provenance.
    unit_root : bool
        One eigenvalue 1 left out: ``ln|I - r W| - ln(1 - r)``, the Lee-Yu transformation of time effects.
    """

    factorise: Callable[[float], float]
    low: float
    high: float
    method: str
    unit_root: bool = False
    _values: dict[float, float] = field(default_factory=dict, compare=False, repr=False)
    _quartics: dict[float, tuple[float, NDArray]] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, r: ArrayLike) -> NDArray:
        """Value at r (any shape), one factorisation for every new value."""
        values = np.asarray(r, dtype=float)
        return np.array([self._value(float(v)) for v in values.ravel()]).reshape(values.shape)

    def derivatives(self, r: ArrayLike) -> tuple[NDArray, NDArray]:
        """First and second derivative, with a relative error of some 1e-7."""
        values = np.atleast_1d(np.asarray(r, dtype=float))
        first, second = np.empty(values.shape), np.empty(values.shape)
        for i, v in enumerate(values):
            centre, h, quartic = self._quartic(float(v))
            x = (v - centre) / h
            first[i] = np.polyval(np.polyder(quartic), x) / h
            second[i] = np.polyval(np.polyder(quartic, 2), x) / h**2
        if self.unit_root:
            first, second = first + 1 / (1 - values), second + 1 / (1 - values) ** 2
        return (first, second) if np.ndim(r) else (first[0], second[0])

    def without_unit_root(self) -> FactorLogDet:
        """The log-determinant of F'WF."""
        return replace(self, unit_root=True)

    def with_unit_root(self) -> FactorLogDet:
        """The log-determinant of W itself."""
        return replace(self, unit_root=False)

    def _value(self, r: float) -> float:
        if r not in self._values:
            self._values[r] = self.factorise(r)
        return self._values[r] - (float(np.log1p(-r)) if self.unit_root else 0.0)

    def _quartic(self, r: float) -> tuple[float, float, NDArray]:
        """Centre, step and coefficients of a quartic in ``(r - centre) / step`` through five values of ``ln|I - r W|``."""
        for centre, (h, quartic) in self._quartics.items():
            if abs(r - centre) <= _NEAR * h:
                return centre, h, quartic
        reach = min(r - self.low, self.high - r)
        h = _STEP * (reach if np.isfinite(reach) else 1.0)  # a W without cycles bounds rho on no side
        points = np.arange(-2.0, 3.0)
        whole = self.with_unit_root()
        quartic = np.linalg.solve(np.vander(points, 5), np.array([whole._value(float(r + k * h)) for k in points]))
        self._quartics[r] = h, quartic
        return r, h, quartic
