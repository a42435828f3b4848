r"""One-step analytic bias corrections of dynamic QML: the limits for large T of what `kernels.dynamic` computes for every T.

.. math:: \theta_c = \hat\theta + I(\hat\theta)^{-1} b(\hat\theta)

with I the expected information and b minus the limit of the expected score. For unit effects (Yu, de Jong and Lee 2008)

.. math:: b = \sum_i w_i \frac{1}{(1-a_i)(1-\rho\omega_i)}\,(1,\ \omega_i,\ \omega_i)', \qquad b_{\sigma^2} = \frac{N}{2\sigma^2}

in (tau, eta, rho). For time dummies that are estimated ("direct", Lee and Yu 2010, Econometric Theory) the element of rho
gains ``T i'Gi/N`` and that of sigma2 ``T / (2 s2)``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit_effect_bias(
    omega: NDArray, weights: NDArray | None, periods: int, units: int, phi: NDArray, sigma2: float
) -> NDArray:
    r"""b of (tau, eta, rho, sigma2).

    The limit does not exist for roots at one. Following Lee and Yu (2010, Econometric Theory), roots above ``1 - 1/N`` count as unit
    roots: of their power series the first term is kept and T/2 stands for the rest.

    Parameters
    ----------
    omega, weights : (N,) ndarray
        Eigenvalues of W that enter the likelihood, with their shares (one where None).
    periods, units : int
    phi : (3,) ndarray
        (tau, eta, rho).
    """
    share = np.ones(omega.shape) if weights is None else weights
    tau, eta, rho = phi
    s = 1.0 / (1.0 - rho * omega)
    a = (tau + eta * omega) * s
    unit = a.real > 1.0 - 1.0 / units
    with np.errstate(divide="ignore", invalid="ignore"):
        regular = np.where(unit, s, s / np.where(unit, 1.0, 1.0 - a))
    first = np.where(unit, omega * s * (1.0 + a), omega * regular)
    rest = np.where(unit, 0.5 * periods / (1.0 - rho), 0.0)
    parts = (regular + rest, omega * regular + rest, first + rest)
    return np.array([*((share * part).sum().real for part in parts), units / (2.0 * sigma2)])


def time_dummy_bias(total: float, periods: int, sigma2: float) -> NDArray:
    """What time dummies add to b: `total` is ``i'Gi/N``, ``1/(1 - rho)`` for a row-stochastic W."""
    return np.array([0.0, 0.0, periods * total, periods / (2.0 * sigma2)])
