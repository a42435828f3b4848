"""Which way to the log-determinant of ``I - rho W``: all eigenvalues, or one sparse factorisation per value of rho."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from scipy.sparse import csc_array, csr_array, tril

from nqpf_spatial.kernels import logdet as ld
from nqpf_spatial.kernels.factor import FactorLogDet, by_lu
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.kernels.spectrum import symmetric_similar
from nqpf_spatial.weights import SpatialWeights

#: Up to here all eigenvalues are cheaper than the factorisations they save.
EIGENVALUES_UP_TO = 1500


def log_determinant(w: SpatialWeights) -> LogDet | FactorLogDet:
    """By eigenvalues for small or dense W, by sparse factorisations beyond.

    Every way is exact. Beyond `EIGENVALUES_UP_TO` units a W that is similar to a symmetric matrix (any row-standardised
    symmetric one) is factorised by CHOLMOD where cvxopt is installed (the extra ``large``; about five times as fast, and the
    way to a million units), else by SuperLU; ``fit.provenance`` names it.
    """
    if w.n <= EIGENVALUES_UP_TO or w.sparse.nnz > 0.05 * w.n**2:
        return ld.from_eigenvalues(w.eigenvalues(), w.rho_interval())
    low, high = w.rho_interval()
    similar = symmetric_similar(w.sparse) if find_spec("cvxopt") else None
    if similar is None:
        return FactorLogDet(by_lu(csc_array(w.sparse)), low, high, "sparse LU (SuperLU)")
    return FactorLogDet(by_cholesky(similar), low, high, "sparse Cholesky (CHOLMOD)")


def by_cholesky(similar: csr_array) -> Callable[[float], float]:
    """``ln|I - r S|`` of a symmetric S as a function of r by CHOLMOD, ordered and analysed once."""
    from cvxopt import cholmod, matrix, spmatrix

    n = similar.shape[0]
    lower = tril(similar, format="coo")
    rows, columns = (np.concatenate([a, np.arange(n)]).tolist() for a in (lower.row, lower.col))

    def system(r: float) -> spmatrix:
        return spmatrix(matrix(np.concatenate([-r * lower.data, np.ones(n)])), rows, columns, (n, n))

    symbolic = cholmod.symbolic(system(0.1), uplo="L")

    def value(r: float) -> float:
        try:
            cholmod.numeric(system(r), symbolic)
        except (
            ArithmeticError
        ):  # not positive definite: beyond the end of the interval, which Lanczos knows to 1e-5 or so
            return -np.inf
        return 2.0 * float(np.log(np.array(cholmod.diag(symbolic))).sum())

    return value
