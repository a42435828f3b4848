r"""Covariances that hold when the errors are not iid normal: the meat of the sandwich ``I^-1 Omega I^-1``.

Every element of the score is a linear-quadratic form in the error e,

.. math:: s_a = L_a'e + \sum_t (e_t' A_a e_t) - E[\cdot]

with L and A from the model (Kelejian and Prucha 2001; Lee 2004, eq. 3.3): ``L = Q B Z / s2`` for beta,
``L = Q B G1 Z beta / s2, A = H / s2`` for rho, ``A = G2 / s2`` for lambda, ``A = I / (2 s2^2)`` for sigma2. What
differs between the estimators is how the variance of that form is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.moments import remove_effects, spatial_lag


@dataclass(frozen=True, slots=True)
class ScoreForm:
    """Linear and quadratic parts of the score of (beta, [rho], [lambda], sigma2).

    Attributes
    ----------
    linear : (p, T, N) ndarray
    quadratic : (p, N, N) or (p, T, N, N) ndarray
        Symmetric; the same in every period, or one per period where the weights change.
    e : (T, N) ndarray
        Filtered residuals without effects.
    sigma2 : float
    kept : float
        n of the likelihood over NT: the share of the error variance that residuals keep.
    effects : (bool, bool)
    """

    linear: NDArray
    quadratic: NDArray
    e: NDArray
    sigma2: float
    kept: float
    effects: tuple[bool, bool]


def score_form(
    z: NDArray,
    beta: NDArray,
    sigma2: float,
    e: NDArray,
    lag: tuple[NDArray, float] | None,
    error: tuple[NDArray, float] | None,
    effects: tuple[bool, bool],
    n: int,
    fixed: NDArray | float = 0.0,
) -> ScoreForm:
    """Build the linear-quadratic form; `z` (k, T, N) before removal of the effects, dense weights, `fixed` (T, N) the estimated effects."""
    k, t, size = z.shape
    unit, time = effects
    eye = np.eye(size)
    b = eye if error is None else eye - error[1] * error[0]
    linear = [spatial_lag(b, part) for part in z]
    quadratic = [np.zeros((size, size))] * k
    if lag is not None:
        g1 = sla.solve((eye - lag[1] * lag[0]).T, lag[0].T).T
        linear.append(spatial_lag(b @ g1, np.tensordot(beta, z, axes=1) + fixed))
        quadratic.append(g1 if error is None else sla.solve(b.T, (b @ g1).T).T)
    if error is not None:
        linear.append(np.zeros((t, size)))
        quadratic.append(sla.solve(b.T, error[0].T).T)
    linear.append(np.zeros((t, size)))
    stack = np.stack([*quadratic, eye / (2 * sigma2)]) / sigma2
    if time:
        stack = stack - stack.mean(axis=1, keepdims=True)
        stack = stack - stack.mean(axis=2, keepdims=True)
    return ScoreForm(
        remove_effects(np.stack(linear), unit, time) / sigma2,
        0.5 * (stack + stack.transpose(0, 2, 1)),
        e,
        sigma2,
        n / (t * size),
        effects,
    )


def qml_meat(form: ScoreForm, expected: NDArray) -> NDArray:
    """Variance of the score for iid errors of any distribution: third and fourth moments added (Lee 2004, eq. 3.4)."""
    mu3, mu4 = error_moments(form)
    t = form.e.shape[0]
    over_time = 1.0 - 1.0 / t if form.effects[0] else 1.0
    diagonal = np.diagonal(form.quadratic, axis1=-2, axis2=-1)
    if diagonal.ndim == 3:
        if form.effects[0]:  # the diagonal blocks of Q A Q hold a share of the A of the other periods
            diagonal = (1.0 - 2.0 / t) * diagonal + diagonal.mean(axis=1, keepdims=True) / t
        squares = (mu4 - 3.0 * form.sigma2**2) * np.einsum("ptn,qtn->pq", diagonal, diagonal)
        cross = mu3 * np.einsum("ptn,qtn->pq", form.linear, diagonal)
    else:
        diagonal = over_time * diagonal
        squares = (mu4 - 3.0 * form.sigma2**2) * t * diagonal @ diagonal.T
        cross = mu3 * form.linear.sum(axis=1) @ diagonal.T
    return expected + squares + cross + cross.T


def error_moments(form: ScoreForm) -> tuple[float, float]:
    """Third and fourth moments of e from residuals, freed from what removing the effects does to them.

    For residuals ``Q e`` of a balanced panel, ``E(Qe)^3 = mu3 k3`` and ``E(Qe)^4 = mu4 k4 + 3 s^4 (k2^2 - k4)`` with
    ``k_r`` the sum of r-th powers of a row of the projector Q.
    """
    t, n = form.e.shape
    k2, k3, k4 = (_row_power(t, power, form.effects[0]) * _row_power(n, power, form.effects[1]) for power in (2, 3, 4))
    third, fourth = float(np.mean(form.e**3)), float(np.mean(form.e**4))
    if abs(k3) < 1e-12:
        raise IdentificationError(
            "with two periods and unit effects the third moment of the errors cannot be estimated: use "
            'vcov="cluster" or a bootstrap'
        )
    return third / k3, (fourth - 3.0 * form.sigma2**2 * (k2**2 - k4)) / k4


def _row_power(size: int, power: int, removed: bool) -> float:
    if not removed:
        return 1.0
    return (1.0 - 1.0 / size) ** power + (size - 1.0) * (-1.0 / size) ** power


def cluster_meat(form: ScoreForm, groups: NDArray) -> NDArray:
    """Variance of the score for errors independent between groups of units, anything within.

    Own parts are summed within groups. Products of errors of two groups have mean zero and are uncorrelated
    across pairs of groups, so each pair adds the square of its cross term; no order of units is involved.
    """
    _, code = np.unique(groups, return_inverse=True)
    g = int(code.max()) + 1
    member = np.eye(g)[code]  # (N, G)
    terms = member.T @ _products(form) @ member
    linear = np.einsum("ptn,tn,ng->gp", form.linear, form.e, member)
    inside = np.einsum("pgg->gp", terms) + linear
    # what the own squares are expected to be when all variances are equal; they are centred by it
    diagonal = np.diagonal(form.quadratic, axis1=-2, axis2=-1)
    own = (diagonal.mean(axis=1) if diagonal.ndim == 3 else diagonal) @ member
    inside = inside - form.e.shape[0] * form.sigma2 * form.kept * own.T
    upper = np.triu_indices(g, 1)
    between = 2.0 * terms[:, upper[0], upper[1]]
    return inside.T @ inside + between @ between.T


def period_meat(form: ScoreForm, lags: int) -> NDArray:
    """Driscoll and Kraay (1998): scores summed over units, Bartlett weights over time; any spatial dependence."""
    total = np.einsum("ptn,tn->tp", form.linear, form.e) + _squares(form, "tp")
    total = total - total.mean(axis=0)
    meat = total.T @ total
    for lag in range(1, lags + 1):
        product = total[lag:].T @ total[:-lag]
        meat += (1.0 - lag / (lags + 1.0)) * (product + product.T)
    return meat


def conley_meat(form: ScoreForm, kernel: NDArray) -> NDArray:
    """Conley (1999): products of the scores of units i and j weighted by `kernel` (N, N), any dependence over time."""
    scores = np.einsum("ptn,tn->np", form.linear, form.e) + _squares(form, "np")
    scores = scores - scores.mean(axis=0)
    return scores.T @ kernel @ scores


def _products(form: ScoreForm) -> NDArray:
    """Sum over t of ``A_t`` times ``e_t e_t'`` element by element, (p, N, N)."""
    if form.quadratic.ndim == 4:
        return np.einsum("ptnm,tn,tm->pnm", form.quadratic, form.e, form.e, optimize=True)
    return form.quadratic * (form.e.T @ form.e)


def _squares(form: ScoreForm, kept: str) -> NDArray:
    """``e_t' A_t e_t`` by period ("tp") or by unit ("np")."""
    matrices = "ptnm" if form.quadratic.ndim == 4 else "pnm"
    return np.einsum(f"tn,{matrices},tm->{kept}", form.e, form.quadratic, form.e)
