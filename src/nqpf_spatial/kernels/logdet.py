r"""Log-determinant of ``I - rho W`` and its derivatives, from the exact eigenvalues of W.

.. math:: \ln|I - \rho W| = \sum_i \ln|1 - \rho\,\omega_i|

(Ord 1975, eq. 2.5). Complex eigenvalues come in conjugate pairs and are summed as complex
numbers. The Lee-Yu transformation of time effects replaces W by F'WF, whose spectrum is that
of the row-stochastic W without one eigenvalue 1, so that its log-determinant is
``ln|I - rho W| - ln(1 - rho)`` (Lee and Yu 2010, eq. 16): `drop_unit_root` does just that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nqpf_spatial.errors import IdentificationError


@dataclass(frozen=True, slots=True)
class LogDet:
    """``ln|I - r W|`` as a function of r on the admissible interval.

    Attributes
    ----------
    omega : (N,) real or complex ndarray
        Eigenvalues that enter the sum.
    low, high : float
        The open interval of r on which ``I - r W`` is nonsingular and that contains 0.
    """

    omega: NDArray
    low: float
    high: float

    def __call__(self, r: ArrayLike) -> NDArray:
        """Value at r (any shape)."""
        return np.log(np.abs(self._factors(r))).sum(axis=-1)

    def derivatives(self, r: ArrayLike) -> tuple[NDArray, NDArray]:
        """First and second derivative at r: ``-tr(G)`` and ``-tr(G G)`` with ``G = W (I - r W)^-1``."""
        g = self.omega / self._factors(r)
        return -g.sum(axis=-1).real, -(g * g).sum(axis=-1).real

    def _factors(self, r: ArrayLike) -> NDArray:
        return 1.0 - np.asarray(r, dtype=float)[..., None] * self.omega


def admissible_interval(omega: NDArray) -> tuple[float, float]:
    """Interval of r around 0 on which ``1 - r omega`` vanishes for no real eigenvalue.

    Only real eigenvalues bound it (LeSage and Pace 2009, section 4.3.2). Without a negative (positive)
    real eigenvalue the lower (upper) bound is that of the spectral radius, with the sign.
    """
    tolerance = 1e-9 * max(1.0, float(np.max(np.abs(omega), initial=0.0)))
    real = omega.real[np.abs(omega.imag) <= tolerance] if np.iscomplexobj(omega) else omega
    radius = float(np.max(np.abs(omega), initial=0.0))
    if radius <= tolerance:
        return -np.inf, np.inf
    smallest, largest = float(np.min(real, initial=0.0)), float(np.max(real, initial=0.0))
    low = 1.0 / smallest if smallest < -tolerance else -1.0 / radius
    high = 1.0 / largest if largest > tolerance else 1.0 / radius
    return low, high


def from_eigenvalues(omega: NDArray, interval: tuple[float, float] | None = None) -> LogDet:
    """Log-determinant from all eigenvalues of W."""
    low, high = interval or admissible_interval(omega)
    return LogDet(omega, low, high)


def drop_unit_root(logdet: LogDet) -> LogDet:
    """Log-determinant of ``F'WF``: one eigenvalue 1 of the row-stochastic W removed, same interval."""
    position = int(np.argmin(np.abs(logdet.omega - 1.0)))
    distance = abs(complex(logdet.omega[position]) - 1.0)
    if distance > 1e-6:
        raise IdentificationError(
            f"W has no eigenvalue 1 (nearest is {distance:.2g} away): its rows do not sum to one, so time effects "
            'cannot be transformed away. Use a row-standardised W, or correction="bias" or "none".'
        )
    return LogDet(np.delete(logdet.omega, position), logdet.low, logdet.high)
