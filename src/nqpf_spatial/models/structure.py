"""A fit as its reduced form: which parameter multiplies what, through which weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.kernels.counterfactual import Parameters, Space
from nqpf_spatial.models.design import MEAN
from nqpf_spatial.models.dynamic.part import LAG, LAG_W
from nqpf_spatial.models.estimate import Weights, matrix
from nqpf_spatial.models.missing.networks import require_balanced

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit


@dataclass(frozen=True, eq=False)
class Structure:
    """Positions in ``fit.params``, -1 where the model has no such parameter, and the weights.

    Attributes
    ----------
    columns : tuple of str
        The K regressor columns that follow from the variables of the formula, as `Design.evaluate` gives them.
    beta, theta : (K,) int ndarray
    rho, tau, eta, lambda_ : int
    space : Space
    """

    columns: tuple[str, ...]
    beta: NDArray
    theta: NDArray
    rho: int
    tau: int
    eta: int
    lambda_: int
    space: Space

    def parameters(self, values: NDArray) -> Parameters:
        """Named parts of (R, p) parameter vectors."""

        def pick(position: NDArray | int) -> NDArray:
            at = np.asarray(position)
            return np.where(at >= 0, values[:, at], 0.0)

        return Parameters(*(pick(p) for p in (self.beta, self.theta, self.rho, self.tau, self.eta)))

    def spread(self, gradient: NDArray, p: int) -> NDArray:
        """Gradients (2K + 3, ...) in the order of the kernel as (p, ...) in the order of ``fit.params``."""
        order = np.concatenate([self.beta, self.theta, [self.rho, self.tau, self.eta]])
        out = np.zeros((p, *gradient.shape[1:]))
        present = order >= 0
        out[order[present]] = gradient[present]
        return out

    def dense(self) -> Space:
        """Space with dense weights."""
        return Space(
            *(
                None if w is None else (w if isinstance(w, np.ndarray) else w.toarray())
                for w in (self.space.lag, self.space.durbin, self.space.time)
            )
        )


def structure(fit: SpatialFit) -> Structure:
    """The reduced form of a fit, static or dynamic.

    Raises
    ------
    ValueError
        Several or changing weights: one coefficient and one matrix per role is what the reduced form here has.
    """
    est = fit.estimate
    if type(est.weights) is not Weights:
        raise ValueError("forecasts, counterfactuals and accountings take fits with one constant W per role")
    require_balanced(est, "this")
    columns = tuple(name for name in est.design.names if not name.startswith(MEAN))
    place = {name: i for i, name in enumerate(fit.params.index)}
    outcome = est.design.outcome
    tau, eta = (place.get(prefix + outcome, -1) if fit.dynamic else -1 for prefix in (LAG, LAG_W))
    first = est.weights.first()
    return Structure(
        columns,
        np.array([place.get(c, -1) for c in columns], dtype=int),
        np.array([place.get(f"W:{c}", -1) for c in columns], dtype=int),
        place.get("rho", -1),
        tau,
        eta,
        place.get("lambda", -1),
        Space(
            None if est.weights.lag is None else matrix(est.weights.lag),
            None if est.weights.durbin is None else matrix(est.weights.durbin),
            None if eta < 0 or first is None else matrix(first),
        ),
    )
