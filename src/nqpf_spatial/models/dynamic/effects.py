"""Effects of a dynamic fit at a horizon, with their gradients: by eigenvalues of W where they suffice, else by matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import dynamic_response as kernel
from nqpf_spatial.kernels import impacts as static_kernel
from nqpf_spatial.models.dynamic.stability import parameter_names, spectrum, stability
from nqpf_spatial.models.impacts.inference import coefficients, dense_weights, positions
from nqpf_spatial.models.impacts.marginal import Row

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

Horizon = int | str


def require_long_run(fit: SpatialFit, horizon: Horizon) -> None:
    """The long run of an unstable process is an error."""
    if horizon != "long" or stability(fit).stable:
        return
    raise IdentificationError(
        f"the estimated process is not stable (largest root {stability(fit).radius:.4f}): it has no long run. Finite horizons "
        'always exist, impacts(horizon=5, cumulative=True); impacts(horizon="long", method="fieller") gives the set of long-run totals '
        "that the data do not exclude"
    )


def _parameters(fit: SpatialFit) -> NDArray:
    """Positions (3,) of tau, eta, rho in params; -1 where absent."""
    return np.array([-1 if n is None else fit.params.index.get_loc(n) for n in parameter_names(fit)], dtype=int)


def phi_of(fit: SpatialFit, params: NDArray) -> NDArray:
    """(R, 3) tau, eta, rho from (R, p) parameters."""
    position = _parameters(fit)
    return np.where(position >= 0, params[:, position], 0.0)


def _split(fit: SpatialFit, table_rows: list[Row]) -> tuple[list[int], list[tuple[int, tuple[str, ...], NDArray]]]:
    """Rows that eigenvalues suffice for, and rows that take matrices, with their columns and derivatives."""
    lag, durbin = fit.estimate.weights.lag, fit.estimate.weights.durbin
    one = lag is None or durbin is None or lag.checksum == durbin.checksum
    plain = [i for i, row in enumerate(table_rows) if row.derivative is None and one]
    same = np.ones((1, fit.estimate.design.shape[1]))
    rest = [
        (i, row.columns, same if row.derivative is None else row.derivative)
        for i, row in enumerate(table_rows)
        if i not in plain
    ]
    return plain, rest


def _units(fit: SpatialFit, phi: NDArray, horizon: Horizon, cumulative: bool) -> tuple[NDArray, NDArray]:
    w, durbin = fit.estimate.weights.first(), dense_weights(fit)[1]
    return kernel.unit_response(phi, np.zeros_like(durbin) if w is None else w.dense(), durbin, horizon, cumulative)


def matrix_at(fit: SpatialFit, horizon: Horizon, cumulative: bool) -> tuple[NDArray, list[tuple[int, NDArray]]]:
    """The matrix that carries a change to y at a horizon, and its derivatives with their positions in params."""
    require_long_run(fit, horizon)
    w, n = fit.estimate.weights.first(), fit.estimate.design.shape[1]
    phi = phi_of(fit, fit.params.to_numpy()[None])
    g, slopes = kernel.matrix_response(phi, np.zeros((n, n)) if w is None else w.dense(), horizon, cumulative)
    return g[0], [(int(at), slope[0]) for at, slope in zip(_parameters(fit), slopes, strict=True) if at >= 0]


def order_rates(fit: SpatialFit, horizon: Horizon, cumulative: bool) -> tuple[float, float, NDArray]:
    """Scale, rate and W of the expansion by orders: (1, rho) in the short run, (1, rho + eta) / (1 - tau) in the long run."""
    if cumulative or horizon not in (0, "long"):
        raise ValueError('by_order() is for horizon=0 and horizon="long", where the effect is a geometric series in W')
    require_long_run(fit, horizon)
    w, n = fit.estimate.weights.first(), fit.estimate.design.shape[1]
    tau, eta, rho = phi_of(fit, fit.params.to_numpy()[None])[0]
    dense = np.zeros((n, n)) if w is None else w.dense()
    return (1.0, rho, dense) if horizon == 0 else (1.0 / (1.0 - tau), (rho + eta) / (1.0 - tau), dense)


def effects_of(
    fit: SpatialFit, table_rows: list[Row], params: NDArray, horizon: Horizon, cumulative: bool
) -> NDArray:  # fmt: skip
    """(R, rows, 3) effects at R parameter vectors."""
    plain, rest = _split(fit, table_rows)
    phi = phi_of(fit, params)
    out = np.empty((params.shape[0], len(table_rows), 3))
    if plain:
        spec = spectrum(fit.estimate)
        g, _ = kernel.response(phi, spec.omega, horizon, cumulative)
        position = positions(fit, [table_rows[i].name for i in plain])
        out[:, plain] = kernel.effects(coefficients(params, position), g, spec)
    if rest:
        value, slope = _units(fit, phi, horizon, cumulative)
        units = static_kernel.UnitMultiplier(value, slope[0])
        for i, columns, derivative in rest:
            coef = coefficients(params, positions(fit, columns))
            out[:, i] = static_kernel.varying_impacts(coef, derivative, units)
    return out


def errors_of(fit: SpatialFit, table_rows: list[Row], horizon: Horizon, cumulative: bool) -> NDArray:
    """(rows, 3) standard errors by the analytic gradient."""
    params, covariance = fit.params.to_numpy()[None], fit.cov_params().to_numpy()
    phi, place = phi_of(fit, params), _parameters(fit)
    plain, rest = _split(fit, table_rows)
    gradient = np.zeros((len(table_rows), 3, params.shape[1] + 1))  # the last column takes what a model has not
    if plain:
        spec = spectrum(fit.estimate)
        position = positions(fit, [table_rows[i].name for i in plain])
        g, slope = kernel.response(phi, spec.omega, horizon, cumulative)
        found = kernel.gradients(coefficients(params, position), g, slope, spec)
        for i, row, where in zip(plain, found, position, strict=True):
            gradient[i][:, [*where, *place]] = row
    if rest:
        value, slopes = _units(fit, phi, horizon, cumulative)
        for i, columns, derivative in rest:
            position = positions(fit, columns)
            coef = coefficients(params, position)[0]
            for slope, at in zip(slopes, place, strict=True):
                own, across = static_kernel.varying_gradient(
                    coef, derivative, static_kernel.UnitMultiplier(value, slope)
                )
                gradient[i][:, position] = own
                gradient[i][:, at] = across
    gradient = gradient[:, :, :-1]
    return np.sqrt(np.einsum("rsp,pq,rsq->rs", gradient, covariance, gradient))


def with_fieller(
    fit: SpatialFit, table_rows: list[Row], table: pd.DataFrame, horizon: Horizon, half: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table with Fieller sets for the totals, and the sets.

    Numerator and denominator of the ratio are linear in the parameters: their covariance is exact.
    """
    p, covariance = len(fit.params), fit.cov_params().to_numpy()
    place = [i for i in (_parameters(fit) if horizon == "long" else _parameters(fit)[2:]) if i >= 0]
    found = {}
    for row in table_rows:
        top, bottom = np.zeros(p), np.zeros(p)
        position = positions(fit, row.columns)
        share = np.ones(len(row.columns)) if row.derivative is None else row.derivative.mean(axis=1)
        for pair, weight in zip(position, share, strict=True):
            top[[i for i in pair if i >= 0]] = weight
        bottom[place] = -1.0
        map_ = np.stack([top, bottom])
        a, b = map_ @ fit.params.to_numpy()
        both = map_ @ covariance @ map_.T
        lower, upper, shape = kernel.fieller(float(a), 1.0 + float(b), both, half)
        found[row.name] = (shape, lower, upper)
        z = a / np.sqrt(both[0, 0])
        ends = (lower, upper) if shape == "interval" else (-np.inf, np.inf)
        table.loc[row.name, [("total", s) for s in ("z", "p", "lower", "upper")]] = z, 2 * stats.norm.sf(abs(z)), *ends
    sets = pd.DataFrame.from_dict(found, orient="index", columns=["shape", "lower", "upper"])
    return table, sets.rename_axis("term")
