r"""The score on stacked cells as a linear-quadratic form in the error, and what its variance is under several views of it.

.. math:: s_a = L_a'e + e'A_ae - E[\cdot], \qquad Var(s_a, s_b) = \sigma^2 L_a'L_b + 2\sigma^4 tr(A_aA_b)

for normal e and symmetric A (Kelejian and Prucha 2001). With ``B = I - lambda W2``, ``G1 = W1 (I - rho W1)^-1``,
``H = B G1 B^-1``, ``G2 = W2 B^-1``, period by period, and M the projector off the filtered dummies: ``L = M B Z / s2`` for beta;
``L = M B G1 (Z beta + D delta) / s2`` and ``A = M H / s2`` for rho; ``A = M G2 M / s2`` for lambda; ``A = M / (2 s2^2)`` for
sigma2. Other than in a balanced panel, M ties periods together: the forms are over all cells at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels.unbalanced import multiply


@dataclass(frozen=True, slots=True)
class CellScore:
    """Score of (beta, [rho], [lambda], sigma2) on n cells.

    Attributes
    ----------
    linear : (p, n) ndarray
    quadratic : (p, n, n) ndarray
        Symmetric.
    e : (n,) ndarray
        Filtered residuals without effects.
    sigma2 : float
    projector : (n, n) ndarray
    """

    linear: NDArray
    quadratic: NDArray
    e: NDArray
    sigma2: float
    projector: NDArray


@dataclass(frozen=True, slots=True)
class Cells:
    """A fit on stacked cells.

    Attributes
    ----------
    z : (k, n) ndarray
    beta : (k,) ndarray
    fixed : (n,) ndarray
        Estimated effects ``D delta``.
    e : (n,) ndarray
    sigma2 : float
    dummies : (n, r) ndarray
    cells : list of slice
    """

    z: NDArray
    beta: NDArray
    fixed: NDArray
    e: NDArray
    sigma2: float
    dummies: NDArray
    cells: list[slice]


def score(
    fit: Cells, lag: tuple[list[NDArray], float] | None, error: tuple[list[NDArray], float] | None, project: bool = True
) -> CellScore:
    """The forms; without `project` the quadratic ones are those of the likelihood with its dummies as parameters."""
    n, s2 = fit.e.size, fit.sigma2
    eye = np.eye(n)
    b = eye if error is None else eye - error[1] * _diagonal(error[0], fit.cells)
    q = sla.orth(b @ fit.dummies) if fit.dummies.shape[1] else fit.dummies
    m = eye - q @ q.T
    linear = list((b @ fit.z.T).T)
    quadratic = [np.zeros((n, n))] * fit.z.shape[0]
    left = m if project else eye
    if lag is not None:
        w = _diagonal(lag[0], fit.cells)
        g = sla.solve((eye - lag[1] * w).T, w.T).T
        h = g if error is None else sla.solve(b.T, (b @ g).T).T
        linear.append(b @ g @ (fit.beta @ fit.z + fit.fixed))
        quadratic.append(left @ h / s2)
    if error is not None:
        linear.append(np.zeros(n))
        quadratic.append(left @ sla.solve(b.T, _diagonal(error[0], fit.cells).T).T @ left / s2)
    linear.append(np.zeros(n))
    quadratic.append(left / (2.0 * s2**2))
    stack = np.stack(quadratic)
    return CellScore(np.stack(linear) @ m / s2, 0.5 * (stack + stack.transpose(0, 2, 1)), fit.e, s2, m)


def normal_variance(form: CellScore) -> NDArray:
    """Variance of the score for iid normal errors."""
    p = form.linear.shape[0]
    flat = form.quadratic.reshape(p, -1)
    return form.sigma2 * form.linear @ form.linear.T + 2.0 * form.sigma2**2 * flat @ flat.T


def excess(g: list[NDArray], cells: list[slice], dummies: NDArray) -> float:
    """What the variance of the adjusted score of rho has beside its expected derivative: ``tr(MGMG) - tr(MGG)``.

    That is ``tr(PGPG) - tr(PGG)`` with ``P = I - M``, `dummies` (n, r) an orthonormal basis of it; zero where G maps the
    effects into themselves, as in a balanced panel with row-stochastic W, where the adjusted score belongs to a likelihood.
    """
    gq = multiply(g, cells, dummies.T)
    qg = multiply([part.T for part in g], cells, dummies.T)
    inner = gq @ dummies
    return float(np.sum(inner * inner.T) - np.sum(qg * gq))


def qml_variance(form: CellScore) -> NDArray:
    """Variance of the score for iid errors of any distribution: third and fourth moments added (Lee 2004, eq. 3.4)."""
    mu3, mu4 = error_moments(form)
    diagonal = np.diagonal(form.quadratic, axis1=1, axis2=2)
    cross = mu3 * form.linear @ diagonal.T
    return normal_variance(form) + (mu4 - 3.0 * form.sigma2**2) * diagonal @ diagonal.T + cross + cross.T


def error_moments(form: CellScore) -> tuple[float, float]:
    """Third and fourth moments of e from residuals ``M e``, freed from what the projection does to them."""
    m = form.projector
    third, fourth = float(np.sum(m**3)), float(np.sum(m**4))
    if abs(third) < 1e-9 * form.e.size:
        raise IdentificationError(
            'the effects leave nothing of the third moment of the errors: use vcov="cluster" or a bootstrap'
        )
    own = float(np.sum(np.diag(m) ** 2)) - fourth
    return float(np.sum(form.e**3)) / third, (float(np.sum(form.e**4)) - 3.0 * form.sigma2**2 * own) / fourth


def cluster_variance(form: CellScore, code: NDArray) -> NDArray:
    """Variance of the score for errors independent between groups of cells, anything within.

    As `nqpf_spatial.kernels.sandwich.cluster_meat`: own parts summed within groups, the square of its cross term for each
    pair of groups.
    """
    g = int(code.max()) + 1
    member = np.eye(g)[code]
    terms = member.T @ (form.quadratic * np.outer(form.e, form.e)) @ member
    inside = np.einsum("pgg->gp", terms) + ((form.linear * form.e) @ member).T
    # what the own squares are expected to be when all variances are equal; they are centred by it
    expected = np.einsum("pij,ij,ig,jg->gp", form.quadratic, form.projector, member, member, optimize=True)
    inside = inside - form.sigma2 * expected
    upper = np.triu_indices(g, 1)
    between = 2.0 * terms[:, upper[0], upper[1]]
    return inside.T @ inside + between @ between.T


def _diagonal(matrices: list[NDArray], cells: list[slice]) -> NDArray:
    """Block-diagonal matrix of the weights of all periods."""
    n = cells[-1].stop
    out = np.zeros((n, n))
    for w, at in zip(matrices, cells, strict=True):
        out[at, at] = w
    return out
