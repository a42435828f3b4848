"""Which model and which weights: posterior probabilities from exact marginal likelihoods, and averages over them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp

from nqpf_spatial.models.bayes.posterior import Prior, as_prior, log_marginal, posterior, warn_at_edge
from nqpf_spatial.models.estimate import IN_LIKELIHOOD, Weights, estimate
from nqpf_spatial.models.fit import fit as fit_model
from nqpf_spatial.models.frames import copies
from nqpf_spatial.models.impacts.inference import effects_at, impact_table
from nqpf_spatial.models.impacts.samples import sign_probability
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.models.spec import Model, get_model
from nqpf_spatial.weights.combine import WeightsSequence
from nqpf_spatial.weights.core import SpatialWeights
from nqpf_spatial.weights.guards import check_presample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODELS = ("OLS", "SLX", "SAR", "SEM", "SDM", "SDEM")
#: in place of the name of W in models without one
NO_WEIGHTS = "none"
_LEAST = 200  # samples of a model in an average, however improbable it is


@copies("table")
@dataclass(frozen=True, eq=False)
class ModelProbabilities:
    """Posterior probabilities of models and weights.

    Attributes
    ----------
    table : DataFrame
        Index (model, w); columns ``log_marginal``, ``prior``, ``probability``.
    fits : dict
        The fits by (model, w).
    prior : Prior
        Of the parameters of every model.
    n_effective : int
        Observations of the likelihood, the same for all.
    """

    table: pd.DataFrame
    fits: dict[tuple[str, str], SpatialFit]
    prior: Prior
    n_effective: int

    @property
    def by_model(self) -> pd.Series:
        """Probability of every model, summed over the weights."""
        return self.table["probability"].groupby(level="model", sort=False).sum()

    @property
    def by_weights(self) -> pd.Series:
        """Probability of every W, summed over the models; ``"none"`` stands for models without W."""
        return self.table["probability"].groupby(level="w", sort=False).sum()

    @property
    def best(self) -> SpatialFit:
        """The most probable fit."""
        return self.fits[self.table["probability"].idxmax()]

    def impacts(self, draws: int = 10_000, seed: int = 0, alpha: float = 0.05) -> pd.DataFrame:
        """Model-averaged impacts in the layout of `Impacts.table`.

        Every fit contributes exact posterior samples, weighted by its probability: ``estimate`` and ``se`` are mean and
        standard deviation of the mixture, which holds the uncertainty about model and W too; a model without spillovers
        contributes zeros. p is twice the smaller posterior probability of a sign.
        """
        names: list[str] = []
        parts, weights = [], []
        for number, (key, probability) in enumerate(self.table["probability"].items()):
            fit = self.fits[key]
            found = posterior(fit, max(_LEAST, round(probability * draws)), seed + number, self.prior)
            if probability > 0.01:
                warn_at_edge(found)
            names, effects = effects_at(fit, found.draws.to_numpy())
            parts.append(effects)
            weights.append(np.full(effects.shape[0], probability / effects.shape[0]))
        sample, weight = np.concatenate(parts), np.concatenate(weights)
        mean = np.average(sample, axis=0, weights=weight)
        se = np.sqrt(np.average((sample - mean) ** 2, axis=0, weights=weight))
        lower, upper = (_weighted_quantile(sample, weight, q) for q in (alpha / 2, 1 - alpha / 2))
        return impact_table(names, mean, se, lower, upper, sign_probability(sample, weight))

    def plot(self, ax: Axes | None = None, lang: str = "en") -> Axes:
        """Probabilities as a field of models by weights."""
        from nqpf_spatial.models.pictures.posteriors import probability_plot

        return probability_plot(self, ax, lang)

    def _head(self) -> str:
        return (
            f"Posterior model probabilities; beta prior {self.prior.beta}, n = {self.n_effective}, correction "
            f"{self.best.correction}; most probable: {' with '.join(self.table['probability'].idxmax())}"
        )

    def _blocks(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        ordered = self.table.sort_values("probability", ascending=False, kind="stable")
        return ordered, self.by_model.to_frame(), self.by_weights.to_frame()

    def __repr__(self) -> str:
        return "\n\n".join([self._head(), *(b.to_string(float_format=lambda v: f"{v:.4f}") for b in self._blocks())])

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>" + "".join(b.to_html(float_format=lambda v: f"{v:.4f}") for b in self._blocks())


def model_probabilities(
    formula: str,
    data: pd.DataFrame,
    weights: SpatialWeights | Sequence[SpatialWeights] | Mapping[str, SpatialWeights],
    models: Sequence[str] = MODELS,
    *,
    years: tuple[object, object] | None = None,
    durbin: list[str] | tuple[str, ...] | None = None,
    correction: str = "transform",
    prior: Prior | str = "g",
    model_prior: Mapping[str, float] | None = None,
) -> ModelProbabilities:
    r"""Posterior probabilities of models and weights from exact marginal likelihoods.

    .. math:: P(M_j \mid y) \propto P(M_j) \int p(y \mid \theta_j, M_j)\, p(\theta_j \mid M_j)\, d\theta_j

    Parameters
    ----------
    formula, data, years, durbin, correction
        As in `nqpf_spatial.fit`; the same for every model, so that all likelihoods are about the same n observations.
    weights : SpatialWeights, sequence or mapping of names
        Names must differ; a mapping gives new ones.
    models : sequence of str
        Any of OLS, SLX, SAR, SEM, SDM, SDEM.
    prior : Prior or {"g", "flat", "lesage"}
        Of the parameters. Default: Zellner's g-prior with ``g = max(n, k^2)``, which does not depend on the units of
        measurement; a flat prior does between models with different regressors. Uniform for rho and lambda on the
        admissible interval of each W.
    model_prior : mapping, optional
        Prior odds of the models; equal by default. A model's share is divided equally among the weights.

    Returns
    -------
    ModelProbabilities

    References
    ----------
    LeSage, J. P. (2014). Spatial econometric panel data model specification: a Bayesian approach. Spatial Statistics 9,
    122-145. LeSage, J. P. and O. Parent (2007). Bayesian model averaging for spatial econometric models. Geographical
    Analysis 39, 241-267.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w, other = nq.weights.contiguity(), nq.weights.knn(k=4)
    >>> data = nq.simulate("SAR", w, T=10, params={"x": 1.0, "rho": 0.5}, seed=1)
    >>> found = nq.model_probabilities("y ~ x | unit + period", data, [w, other], models=["OLS", "SAR", "SEM", "SDM"])
    >>> found.best.model, found.best.w.name == w.name
    ('SAR', True)
    """
    if correction not in IN_LIKELIHOOD:
        raise ValueError(
            f"correction={correction!r} belongs to no likelihood; choose one of {', '.join(map(repr, IN_LIKELIHOOD))}"
        )
    specs = [get_model(name) for name in models]
    if len({s.name for s in specs}) < len(specs) or not specs:
        raise ValueError(f"models={list(models)}: name at least one model, each once")
    # one design per order of the units: alignment and formula are work for every fit but the same for all
    base: dict[tuple[Hashable, ...] | None, SpatialFit] = {}
    fits: dict[tuple[str, str], SpatialFit] = {}
    for spec in specs:
        for name, w in named_weights(weights).items():
            spatial = spec.lag or spec.durbin or spec.error
            key, order = (spec.name, name if spatial else NO_WEIGHTS), w.ids if spatial else None
            lagged = durbin if spec.durbin else None
            if key in fits:
                continue
            if order in base:
                fits[key] = _refit(base[order], spec, w, lagged)
            else:
                fits[key] = base[order] = fit_model(
                    formula, data, w if spatial else None,
                    model=spec.name, years=years, durbin=lagged, correction=correction,
                )  # fmt: skip
    return compare_fits(fits, prior=prior, model_prior=model_prior)


def compare_fits(
    fits: Mapping[tuple[str, str], SpatialFit],
    *,
    prior: Prior | str = "g",
    model_prior: Mapping[str, float] | None = None,
) -> ModelProbabilities:
    """Posterior probabilities of fits that are already there, by (model, name of W).

    Raises
    ------
    ValueError
        The fits are not about the same observations: other data, effects, correction or n.
    """
    _check_comparable(fits)
    chosen = as_prior(prior)
    keys = list(fits)
    values = np.array([log_marginal(fits[key], chosen) for key in keys])
    before = _prior_probabilities(keys, model_prior)
    with np.errstate(divide="ignore"):
        total = values + np.log(before)
    table = pd.DataFrame(
        {"log_marginal": values, "prior": before, "probability": np.exp(total - logsumexp(total))},
        index=pd.MultiIndex.from_tuples(keys, names=["model", "w"]),
    )
    return ModelProbabilities(table, dict(fits), chosen, fits[keys[0]].n_effective)


def _refit(base: SpatialFit, spec: Model, w: SpatialWeights, durbin: Sequence[str] | None) -> SpatialFit:
    first = base.estimate.design.periods[0]
    if isinstance(first, int):
        check_presample(w, first)
    weights = Weights(*(w if needed else None for needed in (spec.lag, spec.durbin, spec.error)))
    lagged = None if durbin is None else tuple(durbin)
    return replace(base, estimate=estimate(base.estimate.design, spec, weights, base.correction, lagged))


def named_weights(
    weights: SpatialWeights | Sequence[SpatialWeights] | Mapping[str, SpatialWeights],
) -> dict[str, SpatialWeights]:
    """Weights by name, from one, several or a mapping; names must differ."""
    if isinstance(weights, WeightsSequence):
        raise TypeError(
            "weights= is a sequence over time; alternatives here are constant matrices, each under a name of its own"
        )
    if isinstance(weights, SpatialWeights):
        weights = [weights]
    pairs = list(weights.items()) if isinstance(weights, Mapping) else [(getattr(w, "name", None), w) for w in weights]
    for _, w in pairs:
        if not isinstance(w, SpatialWeights):
            raise TypeError(
                f"weights= holds a {type(w).__name__}; make it labelled with nq.weights.from_any(..., ids=...)"
            )
    names = [str(name) for name, _ in pairs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or not names or NO_WEIGHTS in names:
        raise ValueError(
            f"weights= needs one or more W with different names, none of them {NO_WEIGHTS!r}; given {names}. Name them with "
            'a mapping, weights={"queen": w, "other": w2}'
        )
    return dict(zip(names, (w for _, w in pairs), strict=True))


def _check_comparable(fits: Mapping[tuple[str, str], SpatialFit]) -> None:
    if not fits:
        raise ValueError("there are no fits to compare")
    facts = {key: likelihood_facts(fit) for key, fit in fits.items()}
    first_key, first = next(iter(facts.items()))
    for key, other in facts.items():
        different = [f"{name} ({first[name]} against {other[name]})" for name in first if first[name] != other[name]]
        if different:
            raise ValueError(
                f"{' with '.join(first_key)} and {' with '.join(key)} are not likelihoods of the same observations: "
                f"{', '.join(different)}. Fit them to the same data with the same effects and correction"
            )


def likelihood_facts(fit: SpatialFit) -> dict[str, object]:
    """What must agree before two likelihoods may be compared: n, correction, effects, outcome and its sum."""
    design = fit.estimate.design
    y = np.sort(design.y[np.isfinite(design.y)])
    return {
        "n": fit.n_effective,
        "periods": "-".join(str(p) for p in (design.periods[0], design.periods[-1]) if p is not None) or "one",
        "time lags": " + ".join(fit.dynamic) or "none",
        "correction": fit.correction if fit.effects else "not needed",
        "effects": " + ".join(fit.effects) or "none",
        "outcome": design.outcome,
        "sum of the outcome": round(float(y.sum()), 6),
    }


def _prior_probabilities(keys: list[tuple[str, str]], model_prior: Mapping[str, float] | None) -> NDArray:
    """Every model its share, divided equally among its weights."""
    models = [model for model, _ in keys]
    odds = (
        dict.fromkeys(models, 1.0)
        if model_prior is None
        else {str(k).upper(): float(v) for k, v in model_prior.items()}
    )
    if set(odds) != set(models) or min(odds.values()) < 0 or sum(odds.values()) <= 0:
        raise ValueError(f"model_prior= needs a non-negative number for each of {', '.join(dict.fromkeys(models))}")
    total = sum(odds.values())
    return np.array([odds[model] / total / models.count(model) for model in models])


def _weighted_quantile(sample: NDArray, weight: NDArray, q: float) -> NDArray:
    """Smallest value with at least a share q of the weight at or below it; samples on the first axis."""
    order = sample.argsort(axis=0)
    reached = np.cumsum(weight[order], axis=0)
    position = (reached < q * reached[-1:]).sum(axis=0)
    return np.take_along_axis(np.take_along_axis(sample, order, axis=0), position[None], axis=0)[0]
