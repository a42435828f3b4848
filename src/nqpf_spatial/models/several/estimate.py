r"""Estimation with several or changing weights: the columns and the likelihood of `estimate`, with a lag per matrix and period.

.. math:: y_t = \sum_m \rho_m W_{mt} y_t + X_t\beta + \sum_j W^d_{jt} X_t\theta_j + \mu + \alpha_t\iota + e_t

or, in a convex combination, ``rho_m = rho g_m`` and ``theta_m = theta g_m`` with shares g on the simplex.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import logdet as ld
from nqpf_spatial.kernels.combination import Mixture, fit_combination, mixture
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.moments import Reduced, reduce_columns
from nqpf_spatial.kernels.several import (
    JointLogDet,
    SeveralLikelihood,
    SeveralML,
    fit_lags,
    joint_logdet,
    mismatch,
    pooled,
)
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.estimate import (
    IN_LIKELIHOOD,
    Columns,
    Estimate,
    Weights,
    _check_size,
    build_likelihood,
    check_absorbed,
    check_collinear,
    check_explained,
    lagged_names,
)
from nqpf_spatial.models.several.weights import SeveralWeights, Stack, Term, check_distinct, lag_over, stack
from nqpf_spatial.models.spec import Model
from nqpf_spatial.weights.core import SpatialWeights


@dataclass(frozen=True, eq=False)
class SeveralEstimate(Estimate):
    """An `Estimate` whose lag has several or changing matrices.

    `columns.wy` and `fit.rho` are the composite lag and its coefficient: the lag itself with one changing W, that of the
    combination, and otherwise ``sum r_m W_m y`` over ``sum r_m``, so that ``y - rho Wy - Z beta`` holds everywhere.

    Attributes
    ----------
    lag : Stack
        Matrices of the lag terms.
    joint : SeveralLikelihood
    data : Mixture or None
        Data and lattice of a convex combination.
    gap : (q, q) ndarray or None
        Observed information minus the variance of the score, in the free parameters, where they differ.
    """

    lag: Stack | None = None
    joint: SeveralLikelihood | None = None
    data: Mixture | None = None
    gap: NDArray | None = None

    @property
    def several(self) -> SeveralWeights:
        """The weights as terms."""
        assert isinstance(self.weights, SeveralWeights)
        return self.weights

    @property
    def ml(self) -> SeveralML:
        """The maximum with its coefficients per lag."""
        assert isinstance(self.fit, SeveralML)
        return self.fit

    @property
    def spatial_names(self) -> tuple[str, ...]:
        """Names of the spatial parameters: ``rho``; ``rho:name`` per lag; ``rho`` and ``share:name`` in a combination."""
        names = [term.name for term in self.several.terms]
        if self.several.combine:
            return ("rho", *(f"share:{name}" for name in names))
        return tuple(f"rho:{name}" if len(names) > 1 else "rho" for name in names)

    def matrix_terms(self) -> dict[str, tuple[str, str, str]]:
        """Parameters that belong to one matrix: (kind, matrix, regressor), kind of "rho", "share" and "W"."""
        found = {}
        for name in self.spatial_names:
            kind, _, matrix = name.partition(":")
            if matrix:
                found[name] = (kind, matrix, "")
        for term in self.several.durbin_terms:
            for regressor in self.design.names:
                if term.name and f"W:{term.name}:{regressor}" in self.columns.names:
                    found[f"W:{term.name}:{regressor}"] = ("W", term.name, regressor)
        return found

    @property
    def spatial_values(self) -> NDArray:
        """Their values."""
        fit = self.ml
        return fit.r if fit.shares is None else np.append(fit.rho, fit.shares)

    @property
    def changing(self) -> bool:
        """Whether any lag has weights that differ between periods."""
        return self.lag is not None and self.lag.share.size > 1


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Columns before the shares are known: own regressors, lagged ones per Durbin matrix, lags of the outcome."""

    own: NDArray  # (K, T, N)
    lagged: NDArray  # (J, D, T, N) in a combination, (1, L, T, N) flat otherwise
    names: tuple[str, ...]
    lagged_names: tuple[str, ...]
    wy: NDArray  # (M, T, N)


def estimate_several(
    design: Design, model: Model, weights: SeveralWeights, correction: str, durbin: tuple[str, ...] | None
) -> SeveralEstimate:
    """Estimate a model with several or changing weights.

    Raises
    ------
    AlignmentError
        Periods without a W.
    IdentificationError
        Matrices that are not distinct, a correction that the weights do not allow, collinear or absorbed regressors.
    ValueError
        A correction that is not available here.
    """
    check_correction(correction)
    n = design.shape[1]
    lag = stack(weights.terms, design.periods, n)
    for terms, role in ((weights.terms, "lag"), (weights.durbin_terms, "Durbin")):
        if len(terms) > 1:
            check_distinct(terms, stack(terms, design.periods, n), role)
    logdet = None if not model.lag else log_determinant(design, weights, lag, correction)
    plain = build_likelihood(design, Weights(None, None, None), correction)
    joint = SeveralLikelihood(plain.n, plain.m, logdet)
    blocks = _blocks(design, model, weights, durbin)
    stacked = Columns(
        np.concatenate([blocks.own, blocks.lagged.reshape(-1, *design.shape)]), _all_names(blocks, weights), design.y
    )
    check_absorbed(stacked, design)
    base = np.concatenate([stacked.z, design.y[None], blocks.wy])
    factor = reduce_columns(base, None, design.unit, design.time).base
    est = SeveralEstimate(
        model, design, weights, stacked, correction, Reduced(factor, None, stacked.z.shape[0]), plain,
        None, lag=lag, joint=joint,  # type: ignore[arg-type]
    )  # fmt: skip
    used = design.effects_rank if correction == "none" else 0
    _check_size(joint.n - used, len(stacked.names) + len(weights.terms))
    return _combined(est, blocks) if weights.combine else _separate(est, blocks)


def check_correction(correction: str) -> None:
    """The corrections that are part of a likelihood or score; the others are about one constant W."""
    if correction not in IN_LIKELIHOOD:
        raise ValueError(
            f'correction={correction!r} is not available with several or changing weights; use "transform", or "score", which '
            "is free of the incidental-parameter bias whatever changes over time"
        )


def _blocks(design: Design, model: Model, weights: SeveralWeights, durbin: tuple[str, ...] | None) -> _Blocks:
    own = [i for i, name in enumerate(design.names) if name not in design.lag_only]
    names = tuple(design.names[i] for i in own)
    wy = np.array([lag_over(term, design.periods, design.y) for term in weights.terms]).reshape(-1, *design.shape)
    lagged: list[NDArray] = []
    labels: list[str] = []
    if model.durbin:
        terms = weights.durbin_terms or weights.terms
        stochastic = {term.name: all(w.is_row_stochastic for w in term.over(design.periods)) for term in terms}
        together = weights.combine and not weights.durbin_terms
        for term in terms:
            # shares multiply whole blocks: the lag of the intercept is in all of them or in none
            flat = all(stochastic.values()) if together else stochastic[term.name]
            chosen = lagged_names(design, flat, durbin)
            rows = [design.names.index(name) for name in chosen]
            lagged += [lag_over(term, design.periods, design.x[row]) for row in rows]
            label = f"W:{term.name}:" if term.name and not together else "W:"
            labels += [label + name for name in chosen]
    stackable = np.array(lagged).reshape(len(lagged), *design.shape)
    if model.durbin and weights.combine and not weights.durbin_terms:
        count = len(weights.terms)
        return _Blocks(
            design.x[own], stackable.reshape(count, -1, *design.shape), names, tuple(labels[: len(labels) // count]), wy
        )
    return _Blocks(design.x[own], stackable[None], names, tuple(labels), wy)


def _all_names(blocks: _Blocks, weights: SeveralWeights) -> tuple[str, ...]:
    """A name per column; in a combination the lag of a regressor is named once per matrix, for messages."""
    if blocks.lagged.shape[0] == 1:
        return (*blocks.names, *blocks.lagged_names)
    parts = [f"W:{term.name}:{name.removeprefix('W:')}" for term in weights.terms for name in blocks.lagged_names]
    return (*blocks.names, *parts)


def log_determinant(design: Design, weights: SeveralWeights, lag: Stack, correction: str) -> JointLogDet:
    """Joint log-determinant under the correction, which must be valid for these weights."""
    freed = correction in ("transform", "score")
    changing = lag.share.size > 1
    if correction == "transform" and changing and design.unit:
        raise IdentificationError(
            'correction="transform" does not exist for weights that change over time together with unit effects: differences '
            'over time mix the W of different periods. Use correction="score", whose score has expectation zero for every N '
            'and T, or leave out the unit effects; correction="none" carries the incidental-parameter bias'
        )
    one = len(weights.terms) == 1
    if freed and design.time and not lag.stochastic and (correction == "transform" or not one):
        raise IdentificationError(_rows_message(weights.terms, design, correction))
    drop = freed and design.time and lag.stochastic
    if not one:
        return joint_logdet(lag.w, lag.share, drop)
    over = weights.terms[0].over(design.periods)
    parts = []
    for p in range(lag.share.size):
        w = over[int(np.argmax(lag.pattern == p))]
        part: LogDet = ld.from_eigenvalues(w.eigenvalues(), w.rho_interval())
        if drop:
            part = ld.drop_unit_root(part)
        elif freed and design.time:
            part = _adjusted(part, w, design.periods[int(np.argmax(lag.pattern == p))])
        parts.append(part)
    return joint_logdet(lag.w, lag.share, drop, pooled(parts, lag.share))


def _adjusted(part: LogDet, w: SpatialWeights, period: object) -> LogDet:
    try:
        return ld.adjust(part, w.dense())
    except IdentificationError as error:
        raise IdentificationError(
            f'the W of {period} has no full set of eigenvectors, which correction="score" needs where rows do not sum to one: use '
            '.with_transform("row")'
        ) from error


def _rows_message(terms: tuple[Term, ...], design: Design, correction: str) -> str:
    bad = []
    for term in terms:
        wrong = [p for p, w in zip(design.periods, term.over(design.periods), strict=True) if not w.is_row_stochastic]
        when = "" if len(wrong) == len(design.periods) else f" ({', '.join(map(str, wrong[:6]))})"
        bad += [(term.name or "w") + when] if wrong else []
    other = (
        'or correction="score", which takes any W' if len(terms) == 1
        else "with several matrices the score freed from the time effects is the gradient of no likelihood unless their rows do"
    )  # fmt: skip
    return (
        f"correction={correction!r} with time effects needs rows of W that sum to one; those of {enumerate_names(bad)} do not. "
        f'Use .with_transform("row"); {other}; correction="none" carries the incidental-parameter bias'
    )


def enumerate_names(names: list[str]) -> str:
    """Names in quotes."""
    return ", ".join(repr(name) for name in names)


def _separate(est: SeveralEstimate, blocks: _Blocks) -> SeveralEstimate:
    assert est.reduced is not None
    assert est.joint is not None
    check_collinear(est.reduced, est.columns)
    check_explained(est.reduced, est.columns)
    fit = fit_lags(est.reduced.base, est.reduced.k, est.joint)
    total = float(fit.r.sum())
    wy = np.tensordot(fit.r, blocks.wy, axes=1) / total if fit.r.size > 1 else blocks.wy.sum(axis=0)
    columns = replace(est.columns, wy=wy)
    return replace(est, columns=columns, fit=fit, gap=score_gap(est, fit))


def _combined(est: SeveralEstimate, blocks: _Blocks) -> SeveralEstimate:
    assert est.reduced is not None
    assert est.joint is not None
    together = blocks.lagged.shape[0] == len(est.several.terms) and blocks.lagged.shape[0] > 1
    d = blocks.lagged.shape[1] if together else 0
    k = est.reduced.k - d * len(est.several.terms)
    check_collinear(Reduced(est.reduced.base, None, k), replace(est.columns, names=est.columns.names[:k]))
    data = mixture(est.reduced.base, k, d, est.joint)
    fit = fit_combination(data)
    assert fit.shares is not None
    lagged = np.tensordot(fit.shares, blocks.lagged, axes=1) if together else blocks.lagged[0]
    wy = np.tensordot(fit.shares, blocks.wy, axes=1)
    columns = Columns(np.concatenate([blocks.own, lagged]), (*blocks.names, *blocks.lagged_names), wy)
    check_collinear(Reduced(data.columns(fit.shares), None, data.k + data.d), columns)
    return replace(est, columns=columns, fit=fit, data=data, gap=score_gap(est, fit))


def coefficient_map(fit: SeveralML, k: int) -> NDArray:
    """Derivative (M, q) of the coefficients r of the lags with respect to the free parameters, sigma2 included."""
    m, size = fit.r.size, fit.information.shape[0]
    if fit.shares is None or fit.tangent is None:
        out = np.zeros((m, size))
        out[:, k : k + m] = np.eye(m)
        return out
    return np.column_stack([fit.shares, fit.rho * np.eye(m)]) @ fit.tangent[k : k + 1 + m]


def score_gap(est: SeveralEstimate, fit: SeveralML) -> NDArray | None:
    """What the variance of the freed score lacks to its curvature, in the free parameters; None where the score is a likelihood's."""
    design, lag = est.design, est.lag
    assert est.joint is not None
    assert lag is not None
    plain = not est.changing and (lag.stochastic or not design.time)
    if est.correction != "score" or est.joint.logdet is None or plain:
        return None
    gap = mismatch(est.joint.logdet.multipliers(fit.r), lag.share, design.shape[0], (design.unit, design.time))
    by = coefficient_map(fit, fit.beta.size)
    return by.T @ gap @ by


def free_covariance(fit: SeveralML, covariance: NDArray) -> NDArray:
    """Covariance of (beta, spatial parameters, sigma2) from that of the free ones."""
    return covariance if fit.tangent is None else fit.tangent @ covariance @ fit.tangent.T
