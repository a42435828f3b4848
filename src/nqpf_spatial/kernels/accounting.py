r"""Which parts of a spatial model make up the inequality of its outcome: components, coalitions of them, their values.

The outcome of period t is, exactly,

.. math:: y_t = S\,[X_t\beta + W_d X_t\theta + \mu + \alpha_t\iota + u_t + (\tau I + \eta W)y_{t-1}], \qquad S = (I - \rho W)^{-1},

so that a counterfactual in which some components are switched off is the same map of other components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.kernels import inequality
from nqpf_spatial.kernels.counterfactual import Parameters, Space, inverses, lagged, propagate


@dataclass(frozen=True, slots=True)
class Components:
    """What makes up the outcome besides the regressors, for R parameter vectors.

    Attributes
    ----------
    unit : (R, N) ndarray
        Unit effects, as they enter the equation.
    common : (R, T) ndarray
        Effects common to all units of a period.
    error : (R, T, N) ndarray
        Structural errors u, spatial propagation of u included.
    """

    unit: NDArray
    common: NDArray
    error: NDArray


def outcomes(
    signal: NDArray, parts: Components, par: Parameters, space: Space, first: NDArray | None = None
) -> NDArray:
    """Outcomes (R, T, N) from ``X beta + W X theta`` (R, T, N) and the components."""
    forcing = signal + parts.unit[:, None] + parts.common[..., None] + parts.error
    return propagate(forcing, par, space, first)


def components(
    y: NDArray, signal: NDArray, par: Parameters, space: Space, effects: tuple[bool, bool],
    first: NDArray | None = None, error: tuple[NDArray, NDArray] | None = None,
) -> Components:  # fmt: skip
    """Take outcomes apart at R parameter vectors, the inverse of `outcomes` but for the split of effects and error.

    Parameters
    ----------
    y, signal : (R, T, N) ndarray
    effects : (unit, time)
        Estimated as means of the filtered composite, as the likelihood does.
    first : (R, N) ndarray, optional
        y before the first period, with time lags.
    error : (W, lambda), optional
        Weights (N, N) and coefficient (R,) of the error.
    """
    composite = y - par.rho[:, None, None] * lagged(space.lag, y) - signal
    if first is not None:
        before = np.concatenate([first[:, None], y[:, :-1]], axis=1)
        composite = composite - par.tau[:, None, None] * before - par.eta[:, None, None] * lagged(space.time, before)
    if error is not None:
        w, lambda_ = error
        composite = composite - lambda_[:, None, None] * lagged(w, composite)
    unit, common = np.zeros(composite.shape[::2]), np.zeros(composite.shape[:2])
    if effects[1]:
        common = composite.mean(axis=2)
    if effects[0]:
        unit = composite.mean(axis=1)
        if effects[1]:
            unit = unit - unit.mean(axis=1, keepdims=True)
    rest = composite - unit[:, None] - common[..., None]
    if error is None:
        return Components(unit, common, rest)
    back = inverses(w, lambda_, y.shape[2]).swapaxes(-1, -2)
    return Components((unit[:, None] @ back)[:, 0], common / (1.0 - lambda_[:, None]), rest @ back)


def without_spillovers(par: Parameters) -> Parameters:
    """The parameters with everything that crosses borders set to zero: theta, rho and eta."""
    return replace(par, theta=np.zeros_like(par.theta), rho=np.zeros_like(par.rho), eta=np.zeros_like(par.eta))


def coalition_outcomes(
    own: NDArray, through: NDArray | None, others: Sequence[NDArray], par: Parameters, space: Space,
    first: NDArray | None = None, inverse: NDArray | None = None,
) -> NDArray:  # fmt: skip
    """Outcomes of the last period in every coalition.

    Parameters
    ----------
    own : (R, 2^G, T, N) ndarray
        ``X_s beta`` for every subset s of G groups of regressors, numbered by bits.
    through : (R, 2^G, T, N) ndarray or None
        ``W X_s theta``; None where nothing crosses borders, and then there is no player "spillovers".
    others : sequence of (R, 2, T, N) ndarray
        Other components, off and on.
    first : (R, 2, N) ndarray, optional
        y before the first period, off and on: one more player, the last.
    inverse : (R, N, N) ndarray, optional
        ``(I - rho W)^{-1}``, if at hand.

    Returns
    -------
    (R, 2^m, N) ndarray
        Bits: the G groups, spillovers, the others in their order, initial conditions.
    """
    r, subsets, t, n = own.shape
    states = [(par, own if through is None else own + through, inverse)]
    if through is not None:
        states.insert(0, (without_spillovers(par), own, None))
    found = []
    for parameters, signal, multiplier in states:
        forcing = np.concatenate([signal, *others, *([] if first is None else [np.zeros((r, 2, t, n))])], axis=1)
        start = None
        if first is not None:
            start = np.zeros((r, forcing.shape[1], n))
            start[:, -2:] = first
        last = propagate(forcing, parameters, space, start, multiplier)[:, :, -1]
        value = last[:, :subsets]
        for i in range((last.shape[1] - subsets) // 2):
            pair = last[:, subsets + 2 * i : subsets + 2 * i + 2]
            value = (pair[:, :, None] + value[:, None]).reshape(r, -1, n)
        found.append(value.reshape(r, -1, subsets, n))
    return np.stack(found, axis=2).reshape(r, -1, n)


# -- measures with their parts --------------------------------------------------------------------------------------
def theil(x: NDArray, codes: NDArray | None, kind: str = "T") -> NDArray:
    """Theil index (..., 1), or (..., 3) with its parts between and within groups."""
    ones = np.ones(x.shape[-1])
    if codes is None:
        return (inequality.theil_t if kind == "T" else inequality.theil_l)(x, ones)[..., None]
    found = inequality.theil_parts(x, ones, inequality.indicator(codes, int(codes.max()) + 1), kind)
    return np.stack([found.total, found.between, found.within], axis=-1)


def dagum(x: NDArray, codes: NDArray | None) -> NDArray:
    """Gini index (..., 1), or (..., 4) with Dagum's parts: within, net between, transvariation.

    Sums over sorted values in place of the pairs of `inequality.dagum_parts`, which it equals.
    """
    total = inequality.gini(x, np.ones(x.shape[-1]))
    if codes is None:
        return total[..., None]
    n, mean = x.shape[-1], x.mean(axis=-1)
    within, share, means = np.zeros_like(total), [], []
    for code in range(int(codes.max()) + 1):
        inside = x[..., codes == code]
        size = inside.shape[-1]
        share.append(size / n)
        means.append(inside.mean(axis=-1))
        within = within + inequality.gini(inside, np.ones(size)) * share[-1] ** 2 * means[-1] / mean
    net = np.zeros_like(total)
    for j in range(len(share)):
        for h in range(j):
            net = net + np.abs(means[j] - means[h]) * share[j] * share[h] / mean
    return np.stack([total, within, net, total - within - net], axis=-1)


def spread(x: NDArray, codes: NDArray | None, kind: str) -> NDArray:
    """Coefficient of variation or standard deviation of logarithms, (..., 1)."""
    return (inequality.cv if kind == "cv" else inequality.sd_log)(x, np.ones(x.shape[-1]))[..., None]
