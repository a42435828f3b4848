"""The one estimation path: design and weights -> columns -> likelihood -> maximum, for every static model."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import logdet as ld
from nqpf_spatial.kernels.factor import FactorLogDet
from nqpf_spatial.kernels.ml import Likelihood, MLFit, fit_ml
from nqpf_spatial.kernels.moments import Reduced, reduce_columns, remove_effects, spatial_lag
from nqpf_spatial.kernels.random_effects import REFit
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.determinant import log_determinant
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.spec import Model
from nqpf_spatial.weights.core import SpatialWeights

if TYPE_CHECKING:
    from nqpf_spatial.models.missing.networks import Networks

CORRECTIONS = ("transform", "score", "none", "bias", "bootstrap")
#: corrections that are part of the likelihood; the others change the dummy-variable estimate afterwards
IN_LIKELIHOOD = ("transform", "score", "none")
_DENSE_UP_TO = 600  # below this size a dense product beats a sparse one


@dataclass(frozen=True, eq=False)
class Weights:
    """W of the lag, of the Durbin terms and of the error; None where the model has no such term.

    `tests` is the W that a model without spatial terms was given: its estimates do without, tests of its residuals use it.
    """

    lag: SpatialWeights | None
    durbin: SpatialWeights | None
    error: SpatialWeights | None
    tests: SpatialWeights | None = None

    def first(self) -> SpatialWeights | None:
        """Any of them: they share their units."""
        return self.lag or self.durbin or self.error

    def ids(self) -> tuple[Hashable, ...] | None:
        """Units in canonical order; None without weights."""
        first = self.for_tests()
        return None if first is None else first.ids

    def for_tests(self) -> SpatialWeights | None:
        """W of the model, else the one given for tests."""
        return self.first() or self.tests

    def described(self) -> list[tuple[str, str]]:
        """Name and transform of every matrix, each once."""
        return list(dict.fromkeys((w.name, w.transform) for w in (self.lag, self.durbin, self.error) if w is not None))

    def traced(self) -> dict[str, Any]:
        """Name and checksum of the matrix of every role."""
        roles = {"lag": self.lag, "durbin": self.durbin, "error": self.error, "tests": self.tests}
        return {role: {"name": w.name, "checksum": w.checksum} for role, w in roles.items() if w is not None}


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of the regression: Z = own regressors then lagged ones, with names; (k, T, N)."""

    z: NDArray
    names: tuple[str, ...]
    wy: NDArray


@dataclass(frozen=True, eq=False)
class Estimate:
    """Everything a result computes from.

    `random` with random unit effects; `networks` where cells are missing; `reduced` where the likelihood has sufficient
    statistics of fixed size.
    """

    model: Model
    design: Design
    weights: Weights
    columns: Columns
    correction: str
    reduced: Reduced | None
    likelihood: Likelihood
    fit: MLFit
    random: REFit | None = None
    networks: Networks | None = None


def matrix(w: SpatialWeights) -> NDArray:
    """W as the array type that multiplies fastest at its size."""
    return w.dense() if w.n <= _DENSE_UP_TO else w.sparse


def estimate(
    design: Design, model: Model, weights: Weights, correction: str, durbin: tuple[str, ...] | None
) -> Estimate:
    """Estimate one model on one design."""
    if design.observed is not None:
        from nqpf_spatial.models.missing.unbalanced import estimate_unbalanced

        return estimate_unbalanced(design, model, weights, correction, durbin)
    require_freed(model, weights, correction, design.time)
    columns = build_columns(design, model, weights, durbin)
    base = np.concatenate([columns.z, design.y[None], columns.wy[None]])
    lagged = None
    if weights.error is not None:
        w = matrix(weights.error)
        lagged = np.stack([spatial_lag(w, part) for part in base])
    check_absorbed(columns, design)
    reduced = reduce_columns(base, lagged, design.unit, design.time)
    check_collinear(reduced, columns)
    check_explained(reduced, columns)
    likelihood = build_likelihood(design, weights, correction)
    # dummy-variable ML counts every cell, also those that the dummies use up
    _check_size(likelihood.n - (design.effects_rank if correction == "none" else 0), len(columns.names))
    return Estimate(model, design, weights, columns, correction, reduced, likelihood, fit_ml(reduced, likelihood))


def build_columns(design: Design, model: Model, weights: Weights, durbin: tuple[str, ...] | None = None) -> Columns:
    """Z and Wy; `durbin` names the regressors that get a spatial lag (default: all)."""
    own = [i for i, name in enumerate(design.names) if name not in design.lag_only]
    z, names = [design.x[own]], [design.names[i] for i in own]
    if model.durbin:
        assert weights.durbin is not None
        lagged = lagged_names(design, weights.durbin.is_row_stochastic, durbin)
        w = matrix(weights.durbin)
        rows = [design.names.index(name) for name in lagged]
        z.append(np.stack([spatial_lag(w, design.x[row]) for row in rows]) if rows else np.empty((0, *design.shape)))
        names += [f"W:{name}" for name in lagged]
    wy = spatial_lag(matrix(weights.lag), design.y) if weights.lag is not None else np.zeros_like(design.y)
    return Columns(np.concatenate(z), tuple(names), wy)


def lagged_names(design: Design, row_stochastic: bool, durbin: tuple[str, ...] | None) -> list[str]:
    """The lag of the intercept is another regressor unless the rows of W sum to one."""
    available = [name for name in design.names if name != "Intercept" or not row_stochastic]
    if durbin is None:
        return available
    spelled = {name.replace(" ", ""): name for name in design.names}
    unknown = [name for name in durbin if name.replace(" ", "") not in spelled]
    if unknown:
        raise ValueError(
            f"durbin= names {enumerate_some(unknown)}, which are no regressors; the regressors are {', '.join(design.names)}"
        )
    chosen = {spelled[name.replace(" ", "")] for name in durbin}
    return [name for name in available if name in chosen]


def build_likelihood(design: Design, weights: Weights, correction: str) -> Likelihood:
    """n, m and log-determinants under the chosen correction.

    ``"none"`` is dummy-variable ML (n = NT, m = T); ``"transform"`` is Lee and Yu (2010): unit effects leave
    T - 1 periods, time effects N - 1 units and one eigenvalue 1 less; ``"score"`` is the same for W whose rows do not sum
    to one, with the adjusted log-determinant.
    """
    t, n = design.shape
    transform = correction in ("transform", "score")
    periods = t - 1 if transform and design.unit else t
    units = n - 1 if transform and design.time else n
    logdets = []
    for role, w in (("lag", weights.lag), ("error", weights.error)):
        logdet = None if w is None else log_determinant(w)
        if w is not None and role == "error" and design.time and not w.is_row_stochastic:
            raise IdentificationError(
                f"the error weights {w.name!r} do not have rows that sum to one, so the error filter changes the time "
                'effects. Use row-standardised error weights, w.with_transform("row"), or leave out the fixed time effects and write '
                f"+ C({design.levels[1]})"
            )
        if logdet is not None and w is not None and transform and design.time:
            if w.is_row_stochastic or correction == "transform":
                _require_row_stochastic(w, role)
                logdet = logdet.without_unit_root() if isinstance(logdet, FactorLogDet) else ld.drop_unit_root(logdet)
            elif isinstance(logdet, FactorLogDet):
                raise IdentificationError(
                    f'correction="score" needs the eigenvectors of W, too many with {w.n} units; use a row-standardised W'
                )
            else:
                logdet = ld.adjust(logdet, w.dense())
        logdets.append(logdet)
    return Likelihood(units * periods, periods, *logdets)


def require_freed(model: Model, weights: Weights, correction: str, time: bool) -> None:
    """With a spatial error the expected score of rho is ``tr(J B G B^-1)``: no adjusted log-determinant has it as its derivative."""
    lag = weights.lag
    if correction == "score" and time and lag is not None and weights.error is not None and not lag.is_row_stochastic:
        raise IdentificationError(
            f"a {model.name} model with time effects has no score freed of them when the rows of the lag weights {lag.name!r} do not "
            "sum to one: the error filter changes what removing them takes from the score of rho. Row-standardise with "
            '.with_transform("row"), or estimate SAR or SDM'
        )


def _require_row_stochastic(w: SpatialWeights | None, role: str) -> None:
    if w is not None and not w.is_row_stochastic:
        raise IdentificationError(
            f'correction="transform" with time effects needs rows of W that sum to one; those of the {role} weights '
            f'{w.name!r} do not (transform={w.transform!r}). Use w.with_transform("row"), or correction="score", which takes '
            'any W; correction="none" carries the incidental-parameter bias'
        )


def check_absorbed(columns: Columns, design: Design) -> None:
    """Regressors that vanish once the fixed effects are removed are an error that names them."""
    if design.unit or design.time:
        within = remove_effects(np.concatenate([columns.z, design.y[None]]), design.unit, design.time)
        name_absorbed(columns.z, within[:-1], columns.names, design)
        if design.unit and design.shape[0] < 2:
            raise IdentificationError("unit effects need at least two periods; the panel has one")
        if np.linalg.norm(within[-1]) <= 1e-9 * np.linalg.norm(design.y):
            raise IdentificationError(
                f"the outcome {design.outcome} is constant once the {_effects_named(design)} effects are removed: nothing is left "
                "to explain. Use another outcome, or drop the effects that absorb it"
            )


def name_absorbed(z: NDArray, within: NDArray, names: tuple[str, ...], design: Design) -> None:
    """Refuse columns (k, ...) of which the removal of the effects leaves nothing."""
    size, left = (np.sqrt((a**2).sum(axis=tuple(range(1, a.ndim)))) for a in (z, within))
    gone = [name for name, a, b in zip(names, left, size, strict=True) if a <= 1e-9 * b]
    if gone:
        raise IdentificationError(
            f"absorbed by the {_effects_named(design)} effects: {enumerate_some(gone)} (constant once the effects are removed). "
            "Leave them out, or drop the effects that absorb them"
        )


def _effects_named(design: Design) -> str:
    return " and ".join(e for e, on in zip(design.levels, (design.unit, design.time), strict=True) if on)


def check_collinear(reduced: Reduced, columns: Columns) -> None:
    """Regressors that are linear combinations of those before them are an error that names them."""
    factor = reduced.base[:, : reduced.k]
    size = np.sqrt((factor**2).sum(axis=0))
    rest = np.abs(np.diag(factor)) if factor.shape[0] >= reduced.k else np.zeros(reduced.k)
    bad = [name for name, a, b in zip(columns.names, rest, size, strict=True) if not a > 1e-10 * b]
    if bad:
        raise IdentificationError(
            f"linear combinations of the regressors before them: {enumerate_some(bad)}. Leave them out"
        )


def check_explained(reduced: Reduced, columns: Columns) -> None:
    """An outcome that regressors reproduce exactly leaves nothing to estimate; an error that names them."""
    k = reduced.k
    factor, outcome = reduced.base[:, :k], reduced.base[:, k]
    size = np.linalg.norm(outcome)
    if factor.shape[0] <= k or np.linalg.norm(outcome[k:]) > 1e-11 * size:
        return
    beta = linalg.solve_triangular(factor[:k], outcome[:k])
    used = np.abs(beta) * np.linalg.norm(factor, axis=0) > 1e-8 * size
    named = enumerate_some([name for name, on in zip(columns.names, used, strict=True) if on])
    raise IdentificationError(
        f"the outcome is an exact linear combination of {named}: nothing is left to explain. Leave out the regressor that "
        "holds the outcome"
    )


def _check_size(n: int, k: int) -> None:
    if n <= k + 2:
        raise IdentificationError(f"{n} effective observations for {k} coefficients, the spatial parameters and sigma2")
