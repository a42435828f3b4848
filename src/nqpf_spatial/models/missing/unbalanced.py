"""Estimation where cells are missing: the sub-network observed in every period, on the same path to the same result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import logdet as ld
from nqpf_spatial.kernels import unbalanced as kernel
from nqpf_spatial.kernels.logdet import LogDet, TraceLogDet
from nqpf_spatial.kernels.ml import Likelihood, MLFit, fit_ml
from nqpf_spatial.kernels.spectrum import similar_eigensystem
from nqpf_spatial.kernels.unbalanced_error import ErrorSystem, fit_contrasts
from nqpf_spatial.models.design import Design
from nqpf_spatial.models.determinant import EIGENVALUES_UP_TO
from nqpf_spatial.models.estimate import (
    Columns,
    Estimate,
    Weights,
    _check_size,
    check_collinear,
    check_explained,
    lagged_names,
    name_absorbed,
    require_freed,
)
from nqpf_spatial.models.missing import marginalised
from nqpf_spatial.models.missing.networks import Networks, build_networks
from nqpf_spatial.models.spec import Model
from nqpf_spatial.weights.core import SpatialWeights

#: inverses of (n, n) matrices at some hundred values of rho, for every set of observed units
TRACES_UP_TO = 150


def estimate_unbalanced(
    design: Design, model: Model, weights: Weights, correction: str, durbin: tuple[str, ...] | None
) -> Estimate:
    """Estimate one model on what is observed of a design."""
    if design.integrated:
        return marginalised.estimate_marginalised(design, model, weights, correction, durbin)
    networks = build_networks(design, weights)
    for part in networks.parts:
        require_freed(model, part.weights, correction, design.time)
    columns = _columns(design, networks, model, weights, durbin)
    seen = networks.observed
    base = np.concatenate([columns.z[:, seen], design.y[None, seen], columns.wy[None, seen]])
    lagged = None
    if model.error:
        lagged = kernel.multiply(networks.matrices("error"), networks.cells, base)
    if design.unit or design.time:
        z = base[: len(columns.names)]
        name_absorbed(z, networks.removed.remove(z), columns.names, design)
    spread = _filter_spreads(design, networks)
    if spread and correction != "none":
        return _contrasts(design, model, weights, correction, networks, columns, base)
    reduced = kernel.reduce_cells(base, lagged, networks.removed)
    check_collinear(reduced, columns)
    check_explained(reduced, columns)
    likelihood = _likelihood(design, networks, correction)
    _check_size(likelihood.n - (networks.removed.rank if correction == "none" else 0), len(columns.names))
    if not spread:
        found = fit_ml(reduced, likelihood)
        return Estimate(model, design, weights, columns, correction, reduced, likelihood, found, networks=networks)
    fit = _with_dummies(base, networks, likelihood)
    return Estimate(model, design, weights, columns, correction, None, likelihood, fit, networks=networks)


def decompose(est: Estimate) -> tuple[NDArray, NDArray, NDArray]:
    """Composite ``y - rho Wy - Z beta``, its fixed effects and the filtered residual e; (T, N), NaN where unobserved."""
    networks = est.networks
    if networks is None:
        return marginalised.decompose(est)
    seen, fit = networks.observed, est.fit
    composite = (est.design.y - fit.rho * est.columns.wy - np.tensordot(fit.beta, est.columns.z, axes=1))[seen]
    if est.weights.error is None:
        e = networks.removed.remove(composite)
        return networks.scatter(composite), networks.scatter(composite - e), networks.scatter(e)
    matrices = networks.matrices("error")
    columns = np.concatenate([networks.removed.dense().T, composite[None]])
    columns = (columns - fit.lambda_ * kernel.multiply(matrices, networks.cells, columns)).T
    q = np.linalg.qr(columns[:, :-1])[0]
    e = columns[:, -1] - q @ (q.T @ columns[:, -1])
    u = kernel.solve(matrices, fit.lambda_, networks.cells, e)
    return networks.scatter(composite), networks.scatter(composite - u), networks.scatter(e)


def _columns(
    design: Design, networks: Networks, model: Model, weights: Weights, durbin: tuple[str, ...] | None
) -> Columns:
    """Z and Wy with the lags taken inside the network of each period; NaN where nothing is observed."""
    seen = networks.observed
    own = [i for i, name in enumerate(design.names) if name not in design.lag_only]
    z, names = [design.x[own]], [design.names[i] for i in own]
    if model.durbin:
        lagged = lagged_names(design, _stochastic(networks, "durbin"), durbin)
        rows = [design.names.index(name) for name in lagged]
        values = kernel.multiply(networks.matrices("durbin"), networks.cells, design.x[rows][:, seen])
        z.append(networks.scatter(values))
        names += [f"W:{name}" for name in lagged]
    wy = np.zeros(int(seen.sum()))
    if model.lag:
        wy = kernel.multiply(networks.matrices("lag"), networks.cells, design.y[seen])
    return Columns(np.concatenate(z), tuple(names), networks.scatter(wy))


def _stochastic(networks: Networks, role: str) -> bool:
    return all(getattr(part.weights, role).is_row_stochastic for part in networks.parts)


def _filter_spreads(design: Design, networks: Networks) -> bool:
    """Whether the error filter moves the effects out of the space that their dummies span."""
    if networks.parts[0].weights.error is None or not (design.unit or design.time):
        return False
    return design.unit or not _stochastic(networks, "error")


def _likelihood(design: Design, networks: Networks, correction: str) -> Likelihood:
    """n and log-determinants; the periods are inside the latter, so that m is one."""
    corrected = correction != "none" and (design.unit or design.time)
    n = design.nobs - (networks.removed.rank if corrected else 0)
    logdets: list[LogDet | None] = []
    for role in ("lag", "error"):
        if getattr(networks.parts[0].weights, role) is None:
            logdets.append(None)
        elif not corrected:
            logdets.append(_log_determinant(networks, role))
        elif not design.unit and _stochastic(networks, role):
            logdets.append(_log_determinant(networks, role, unit_root=False))
        else:
            _require_score(design, role, correction)
            logdets.append(_adjusted(networks, role))
    return Likelihood(n, 1, *logdets)


def _require_score(design: Design, role: str, correction: str) -> None:
    if correction == "score":
        return
    why = (
        f"the lag spreads {design.levels[0]} effects over units that come and go"
        if design.unit
        else f"rows of the {role} weights among the observed units do not sum to one"
    )
    raise IdentificationError(
        f'correction="transform" does not exist here: {why}. Use correction="score", which frees the score from its '
        'expectation and equals the transformation in a balanced panel; correction="none" carries the incidental-parameter bias'
    )


def _parts(networks: Networks, role: str) -> list[tuple[SpatialWeights, tuple[int, ...]]]:
    found = [(getattr(part.weights, role), part.periods) for part in networks.parts]
    largest = max(w.n for w, _ in found)
    if largest > EIGENVALUES_UP_TO:
        raise IdentificationError(
            f"networks of {largest} units: the likelihood of an unbalanced panel needs the eigenvalues of W in every period "
            f'and stops at {EIGENVALUES_UP_TO} units. Use missing="drop_units" or missing="drop_years"'
        )
    return found


def _require_few(found: list[tuple[SpatialWeights, tuple[int, ...]]]) -> None:
    largest = max(w.n for w, _ in found)
    if largest > TRACES_UP_TO:
        raise IdentificationError(
            f"W has one-way links, which may leave it without eigenvectors; the adjusted score then takes inverses for every value "
            f'of rho and stops at {TRACES_UP_TO} units; here are {largest}. Use links that go both ways, correction="none", or '
            'missing="drop_units"'
        )


def _interval(logdets: list[LogDet]) -> tuple[float, float]:
    """Values admissible in every network; finite, also where no network bounds a side."""
    return max(max(v.low for v in logdets), -1e3), min(min(v.high for v in logdets), 1e3)


def _log_determinant(networks: Networks, role: str, unit_root: bool = True) -> LogDet:
    """``sum_t ln|I - r W_t|``, without one eigenvalue 1 per period where time effects are transformed away."""
    found = _parts(networks, role)
    each = [ld.from_eigenvalues(w.eigenvalues(), w.rho_interval()) for w, _ in found]
    each = each if unit_root else [ld.drop_unit_root(v) for v in each]
    weights = [np.full(v.omega.size, float(len(periods))) for v, (_, periods) in zip(each, found, strict=True)]
    return LogDet(np.concatenate([v.omega for v in each]), *_interval(each), np.concatenate(weights))


def _adjusted(networks: Networks, role: str) -> LogDet:
    """``sum_t tr[M_tt ln(I - r W_t)]``: what is left of the log-determinants when the score is freed of the effects."""
    found = _parts(networks, role)
    shares = [sum(networks.removed.block(networks.cells[t]) for t in periods) for _, periods in found]
    systems = [system for w, _ in found if (system := similar_eigensystem(w.sparse)) is not None]
    if len(systems) < len(found):
        _require_few(found)
        each = [ld.from_eigenvalues(w.eigenvalues(), w.rho_interval()) for w, _ in found]
        blocks = tuple((w.dense(), np.asarray(m)) for (w, _), m in zip(found, shares, strict=True))
        return TraceLogDet(np.concatenate([v.omega for v in each]), *_interval(each), blocks=blocks)
    each = [ld.from_eigenvalues(values) for values, _, _ in systems]
    low, high = _interval(each)
    if any(w.is_row_stochastic for w, _ in found):
        high = 1.0  # the Perron root is one, not one up to rounding
    weights = [((inverse @ m) * v.T).sum(axis=1) for (_, v, inverse), m in zip(systems, shares, strict=True)]
    return LogDet(np.concatenate([v.omega for v in each]), low, high, np.concatenate(weights))


def _with_dummies(base: NDArray, networks: Networks, likelihood: Likelihood) -> MLFit:
    """Dummy-variable ML of a model whose error filter spreads the effects: dummies as regressors, then left out."""
    dummies = networks.removed.dense().T
    columns = np.concatenate([dummies, base])
    lagged = kernel.multiply(networks.matrices("error"), networks.cells, columns)
    none = kernel.effects(networks.observed, False, False)
    found = fit_ml(kernel.reduce_cells(columns, lagged, none), likelihood)
    r, info = dummies.shape[0], found.information
    schur = info[r:, r:] - info[r:, :r] @ np.linalg.solve(info[:r, :r], info[:r, r:])
    return replace(found, beta=found.beta[r:], information=0.5 * (schur + schur.T))


def _contrasts(
    design: Design,
    model: Model,
    weights: Weights,
    correction: str,
    networks: Networks,
    columns: Columns,
    base: NDArray,
) -> Estimate:
    """Models with an error lag and effects that its filter spreads."""
    if model.lag:
        raise IdentificationError(
            f"a {model.name} model with {' and '.join(_named(design))} effects on sub-networks has no likelihood without "
            'the effects: use correction="none" (dummy-variable ML, biased when periods are few), SDM or SDEM, or missing="drop_units"'
        )
    system = error_system(base[:-2], base[-2], networks)
    _check_size(system.n, len(columns.names))
    check_collinear(kernel.reduce_cells(base, None, networks.removed), columns)
    likelihood = Likelihood(system.n, 1, None, system.logdet)
    fit = fit_contrasts(system)
    return Estimate(model, design, weights, columns, correction, None, likelihood, fit, networks=networks)


def error_system(z: NDArray, y: NDArray, networks: Networks) -> ErrorSystem:
    """The contrasts of stacked cells."""
    return ErrorSystem(
        z,
        y,
        networks.removed.dense().T,
        networks.matrices("error"),
        networks.cells,
        _log_determinant(networks, "error"),
    )


def _named(design: Design) -> list[str]:
    return [level for level, on in zip(design.levels, (design.unit, design.time), strict=True) if on]


def predict(est: Estimate, effects: NDArray) -> tuple[NDArray, NDArray]:
    """Signal ``Z_t beta + effects`` and reduced form ``(I - rho W_t)^-1`` times it, (T, N).

    NaN outside the sub-networks; every cell of a whole network.
    """
    signal = np.tensordot(est.fit.beta, est.columns.z, axes=1) + effects
    if est.networks is None:
        lag = est.weights.lag
        if lag is None:
            return signal, signal
        return signal, np.linalg.solve(np.eye(lag.n) - est.fit.rho * lag.dense(), signal.T).T
    cells = signal[est.networks.observed]
    if est.model.lag:
        cells = kernel.solve(est.networks.matrices("lag"), est.fit.rho, est.networks.cells, cells)
    return signal, est.networks.scatter(cells)


def split_effects(est: Estimate, effects: NDArray) -> tuple[float, NDArray, NDArray]:
    """Intercept, unit and time effects that sum to zero; units and periods must hang together to be compared."""
    design = est.design
    seen = np.ones(design.shape, dtype=bool) if design.observed is None or design.integrated else design.observed
    t, n = design.shape
    if design.unit and design.time and design.effects_rank < n + t - 1:
        raise IdentificationError(
            f"the observed cells fall into groups of {design.levels[0]}s and {design.levels[1]}s that share none: the effects of one "
            "group cannot be compared with those of another"
        )
    return kernel.split_effects(effects[seen], seen, design.unit, design.time)
