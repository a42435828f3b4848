"""Covariances and bootstraps of estimates on observed sub-networks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import linalg as sla

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import unbalanced_score as kernel
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.unbalanced import multiply, refit, solve
from nqpf_spatial.models.estimate import Estimate
from nqpf_spatial.models.missing.unbalanced import decompose

#: (n, n) arrays of all cells, one per parameter, are held at once
CELLS_UP_TO = 3000


def excess(est: Estimate) -> float:
    """Variance of the adjusted score of rho beyond its expected derivative; zero where there is a likelihood."""
    networks = est.networks
    assert networks is not None
    if est.correction == "none" or not est.model.lag or networks.removed.rank == 0:
        return 0.0
    g = [sla.solve((np.eye(w.shape[0]) - est.fit.rho * w).T, w.T).T for w in networks.matrices("lag")]
    return kernel.excess(g, networks.cells, networks.removed.dense())


def score(est: Estimate, project: bool = True) -> kernel.CellScore:
    """The score of an estimate as a linear-quadratic form in the errors of all cells."""
    networks, fit = est.networks, est.fit
    assert networks is not None
    seen = networks.observed
    if est.design.nobs > CELLS_UP_TO:
        raise IdentificationError(
            f"this covariance of an unbalanced panel holds arrays of all pairs of cells and stops at {CELLS_UP_TO} cells; "
            f'there are {est.design.nobs}: use vcov="observed"'
        )
    _, fixed, e = decompose(est)
    cells = kernel.Cells(
        est.columns.z[:, seen], fit.beta, fixed[seen], e[seen], fit.sigma2, networks.removed.dense(), networks.cells
    )
    lag = (networks.matrices("lag"), fit.rho) if est.model.lag else None
    error = (networks.matrices("error"), fit.lambda_) if est.model.error else None
    return kernel.score(cells, lag, error, project)


def unit_cells(est: Estimate, codes: NDArray) -> NDArray:
    """Group of every cell from the group of every unit."""
    assert est.networks is not None
    return codes[np.nonzero(est.networks.observed)[1]]


def replicates(est: Estimate, errors: Iterator[NDArray]) -> tuple[NDArray, NDArray]:
    """Refits (R, p) and sigma2 (R,) of data made from the estimate and blocks of errors (R, 1, n) on its cells."""
    networks, fit = est.networks, est.fit
    assert networks is not None
    if est.model.error:
        raise ValueError(
            f"bootstraps of {est.model.name} fits are for balanced panels; on sub-networks they are available without a spatial "
            "error (OLS, SLX, SAR, SDM)"
        )
    seen = networks.observed
    z = est.columns.z[:, seen]
    signal = fit.beta @ z + decompose(est)[1][seen]
    logdet = est.likelihood.rho
    assert logdet is None or isinstance(logdet, LogDet)
    params, sigma2 = [], []
    for block in errors:
        y = signal + block[:, 0]
        wy = np.zeros_like(y)
        if est.model.lag:
            y = solve(networks.matrices("lag"), fit.rho, networks.cells, y)
            wy = multiply(networks.matrices("lag"), networks.cells, y)
        found = refit(z, y, wy, networks.removed, est.likelihood.n, logdet)
        params.append(np.column_stack([found.beta, found.rho]) if est.model.lag else found.beta)
        sigma2.append(found.sigma2)
    return np.concatenate(params), np.concatenate(sigma2)
