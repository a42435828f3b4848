"""Permutation inference for one regressor: what its coefficient would be if its paths belonged to other units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import impacts as kernel
from nqpf_spatial.models.dynamic.part import static_only
from nqpf_spatial.models.estimate import IN_LIKELIHOOD, estimate
from nqpf_spatial.models.impacts.inference import coefficients, multiplier, positions
from nqpf_spatial.models.missing.networks import require_balanced

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

EFFECTS = ("direct", "indirect", "total")


@dataclass(frozen=True, eq=False)
class Permutation:
    """Result of a permutation test.

    Attributes
    ----------
    statistic : float
        The estimated effect.
    pvalue : float
        Two-sided: share of permutations, the data included, with an effect at least as large in absolute value.
    df : None
        A permutation distribution has no degrees of freedom.
    null : str
    reference : (R,) ndarray
        Effects under the permutations.
    seed : int
    """

    statistic: float
    pvalue: float
    df: None
    null: str
    reference: NDArray
    seed: int

    def __repr__(self) -> str:
        return (
            f"permutation test, {self.reference.size} permutations, seed {self.seed}\n"
            f"H0: {self.null}\nstatistic {self.statistic:.5g}, p = {self.pvalue:.4f}"
        )


def permutation_test(
    fit: SpatialFit, term: str, effect: str = "direct", permutations: int = 999, seed: int = 0
) -> Permutation:
    """Permute the time paths of one regressor over the units, refit, compare the effect.

    The regressor and its spatial lag move together; the other variables and W stay (Manly 1997, section 8.2; the
    permuted variable keeps its own dynamics, not its correlation with the others).

    Parameters
    ----------
    fit : SpatialFit
    term : str
        A regressor of the formula.
    effect : {"direct", "indirect", "total"}
    permutations, seed : int
    """
    design = fit.estimate.design
    if term not in design.names:
        raise ValueError(f"term={term!r} is no regressor; the regressors are {', '.join(design.names)}")
    if effect not in EFFECTS:
        raise ValueError(f"effect={effect!r} is not known; choose one of {', '.join(EFFECTS)}")
    require_balanced(fit.estimate, "the permutation test, which gives units the paths of others,")
    static_only(
        fit.estimate,
        "the permutation test",
        "permuted paths of a regressor do not fit the y_{t-1} it made. See bootstrap()",
    )
    if fit.estimate.random is not None:
        raise ValueError('permutation tests are available for fixed effects; refit with effects="fixed"')
    if fit.correction not in IN_LIKELIHOOD:
        raise ValueError('permutation tests refit by maximum likelihood: use correction="transform" or "none"')
    observed = _effect(fit, fit.params.to_numpy(), term, effect)
    rng, row = np.random.default_rng(seed), design.names.index(term)
    reference = np.empty(permutations)
    for r in range(permutations):
        x = design.x.copy()
        x[row] = x[row][:, rng.permutation(design.shape[1])]
        try:
            est = estimate(replace(design, x=x), fit.estimate.model, fit.estimate.weights, fit.correction, _durbin(fit))
        except IdentificationError as error:
            raise IdentificationError(f"permutation {r} of {term!r} cannot be estimated: {error}") from error
        spatial = [est.fit.rho] if est.model.lag else []
        spatial += [est.fit.lambda_] if est.model.error else []
        reference[r] = _effect(fit, np.append(est.fit.beta, spatial), term, effect)
    extreme = int((np.abs(reference) >= abs(observed) * (1 - 1e-12)).sum())
    null = f"the {effect} effect of {term} does not depend on which unit has which path of it"
    return Permutation(observed, (extreme + 1) / (permutations + 1), None, null, reference, seed)


def _effect(fit: SpatialFit, params: NDArray, term: str, effect: str) -> float:
    rho = np.array([params[fit.params.index.get_loc("rho")] if fit.rho is not None else 0.0])
    values = kernel.impacts(coefficients(params[None], positions(fit, [term])), multiplier(fit, rho))
    return float(values[0, 0, EFFECTS.index(effect)])


def _durbin(fit: SpatialFit) -> tuple[str, ...] | None:
    if not fit.estimate.model.durbin:
        return None
    return tuple(n.removeprefix("W:") for n in fit.estimate.columns.names if n.startswith("W:"))
