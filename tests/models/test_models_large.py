"""Large sparse W: the factorisation path agrees with eigenvalues, and is taken where they are out of reach."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_array

import nqpf_spatial as nq
from nqpf_spatial.kernels.factor import FactorLogDet, by_lu
from nqpf_spatial.kernels.spectrum import symmetric_similar
from nqpf_spatial.models import determinant as path


@pytest.fixture(scope="module")
def lattice() -> nq.weights.SpatialWeights:
    return nq.weights.lattice(18, 18)


def knn_of_lattice(rows: int, columns: int) -> nq.weights.SpatialWeights:
    grid = [(i, j) for i in range(rows) for j in range(columns)]
    noise = np.random.default_rng(0).uniform(0, 0.3, (len(grid), 2))
    points = pd.DataFrame(np.array(grid) / 10 + noise / 10, columns=["lon", "lat"])
    return nq.weights.knn(4, points=points)


def test_factorisation_equals_eigenvalues(lattice):
    exact = path.log_determinant(lattice)
    low, high = lattice.rho_interval()
    factor = FactorLogDet(by_lu(csc_array(lattice.sparse)), low, high, "lu")
    for r in (-0.7, 0.0, 0.35, 0.95):
        assert float(factor(r)) == pytest.approx(float(exact(r)), abs=1e-10)
        sign, value = np.linalg.slogdet(np.eye(lattice.n) - r * lattice.dense())
        assert sign == 1.0
        assert float(factor(r)) == pytest.approx(value, abs=1e-10)
        for ours, theirs in zip(factor.derivatives(r), exact.derivatives(r), strict=True):
            assert float(ours) == pytest.approx(float(theirs), rel=1e-6, abs=1e-6)
    transformed = factor.without_unit_root()
    assert float(transformed(0.5)) == pytest.approx(float(exact(0.5)) - np.log(0.5), abs=1e-10)


def test_cholesky_equals_lu_and_dense_determinants(lattice):
    cholesky = path.by_cholesky(symmetric_similar(lattice.sparse))
    lu = by_lu(csc_array(lattice.sparse))
    for r in (-1.2, -0.7, 0.0, 0.35, 0.95, 0.999):
        _, value = np.linalg.slogdet(np.eye(lattice.n) - r * lattice.dense())
        assert cholesky(r) == pytest.approx(value, abs=1e-10)
        assert lu(r) == pytest.approx(value, abs=1e-10)
    assert cholesky(1.01) == -np.inf  # not positive definite: outside of the admissible interval


def test_the_way_taken_is_named_and_hangs_on_w_and_on_what_is_installed(monkeypatch):
    queen, nearest = nq.weights.lattice(40, 39), knn_of_lattice(40, 39)
    assert path.log_determinant(queen).method == "sparse Cholesky (CHOLMOD)"
    assert path.log_determinant(nearest).method == "sparse LU (SuperLU)"  # k nearest neighbours: not symmetric
    monkeypatch.setattr(path, "find_spec", lambda name: None)
    assert path.log_determinant(queen).method == "sparse LU (SuperLU)"


def test_derivatives_next_to_a_known_place_need_no_factorisation(lattice):
    calls = []
    exact = by_lu(csc_array(lattice.sparse))
    factor = FactorLogDet(lambda r: calls.append(r) or exact(r), *lattice.rho_interval(), "lu")
    eigen = path.log_determinant(lattice)
    factor.derivatives(0.5)
    for r in (0.5, 0.5004, 0.4996):
        for ours, theirs in zip(factor.derivatives(r), eigen.derivatives(r), strict=True):
            assert float(ours) == pytest.approx(float(theirs), rel=1e-6)
    assert len(calls) == 5
    factor.derivatives(0.52)
    assert len(calls) == 10


@pytest.mark.parametrize("model", ["SAR", "SDM", "SEM"])
def test_fits_agree_on_both_paths(lattice, model, monkeypatch):
    params = {"a": 1.0, "b": 0.5, "rho": 0.4} if model != "SEM" else {"a": 1.0, "b": 0.5, "lambda": 0.4}
    data = nq.simulate(model if model != "SDM" else "SAR", lattice, T=3, params=params, seed=1)
    one = nq.fit("y ~ a + b | unit + period", data, lattice, model=model)
    monkeypatch.setattr(path, "EIGENVALUES_UP_TO", 10)
    two = nq.fit("y ~ a + b | unit + period", data, lattice, model=model)
    assert isinstance(two.estimate.likelihood.rho or two.estimate.likelihood.lambda_, FactorLogDet)
    np.testing.assert_allclose(two.params, one.params, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(two.bse, one.bse, rtol=1e-6)
    assert two.llf == pytest.approx(one.llf, abs=1e-8)
    pd.testing.assert_frame_equal(two.impacts().table, one.impacts().table, rtol=1e-6, atol=1e-9)
    if model != "SEM":
        with pytest.raises(ValueError, match="need as many factorisations"):
            two.impacts("simulate")
    with pytest.raises(ValueError, match="eigenvalues of W"):
        two.bootstrap()


def test_four_thousand_units_are_fitted_without_eigenvalues():
    w = nq.weights.lattice(70, 60)
    rng = np.random.default_rng(0)
    x = rng.standard_normal(w.n)
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import spsolve

    y = spsolve(csc_array(eye_array(w.n) - 0.5 * w.sparse), x + rng.standard_normal(w.n))
    fit = nq.sar("y ~ x", pd.DataFrame({"y": y, "x": x}, index=pd.Index(w.ids, name="cell")), w)
    assert isinstance(fit.estimate.likelihood.rho, FactorLogDet)
    assert abs(fit.rho - 0.5) < 4 * fit.bse["rho"]
    assert fit.bse["rho"] < 0.05


def test_weights_without_cycles_bound_rho_on_no_side(monkeypatch):
    """Every unit hangs on the one before: ln|I - rho W| = 0, and the estimate is least squares on Wy and x."""
    n, rng = 200, np.random.default_rng(0)
    chain = csc_array(np.eye(n, k=-1))
    w = nq.weights.from_any(chain, ids=list(range(n)), islands="keep")
    x = rng.standard_normal(n)
    y = np.linalg.solve(np.eye(n) - 0.5 * chain.toarray(), x + rng.standard_normal(n))
    monkeypatch.setattr(path, "EIGENVALUES_UP_TO", 10)
    fit = nq.sar("y ~ x", pd.DataFrame({"y": y, "x": x}, index=pd.Index(range(n), name="unit")), w)
    assert isinstance(fit.estimate.likelihood.rho, FactorLogDet)
    z = np.column_stack([np.ones(n), x, chain @ y])
    beta = np.linalg.lstsq(z, y)[0]
    np.testing.assert_allclose(fit.params, beta, rtol=1e-8)
    sigma2 = float(((y - z @ beta) ** 2).mean())
    np.testing.assert_allclose(fit.bse["rho"], np.sqrt(sigma2 * np.linalg.inv(z.T @ z)[2, 2]), rtol=1e-6)


def test_a_maximum_at_the_end_of_the_interval_is_found_and_said_on_both_paths(lattice, monkeypatch):
    """y is its own neighbourhood mean but for little: the likelihood rises to rho = 1."""
    smooth = np.linalg.matrix_power(lattice.dense(), 60) @ np.random.default_rng(3).standard_normal(lattice.n)
    data = pd.DataFrame({"y": smooth * 1e3, "x": np.random.default_rng(4).standard_normal(lattice.n)},
                        index=pd.Index(lattice.ids, name="cell"))  # fmt: skip
    found = []
    for up_to in (1500, 10):
        monkeypatch.setattr(path, "EIGENVALUES_UP_TO", up_to)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            fit = nq.sar("y ~ x - 1", data, lattice)
        found.append((fit.rho, fit.estimate.fit.boundary, [str(w.message) for w in said]))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-6)
    assert found[0][1] == found[1][1] and len(found[0][2]) == len(found[1][2])
