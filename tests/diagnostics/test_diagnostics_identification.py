"""The bootstrap sd of rho and lambda: against one-by-one refits, against standard errors, and the warning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from diagnostics_support import fitted

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError, IdentificationWarning
from nqpf_spatial.kernels.identification import error_replicates
from nqpf_spatial.models.diagnostics import identification
from nqpf_spatial.models.diagnostics._identification import _error_draws, _errors, _lag_draws
from nqpf_spatial.weights import from_any


def one_by_one(fit: nq.models.SpatialFit, formula: str, replicates: int) -> np.ndarray:
    """The same data sets through nq.fit."""
    est, design = fit.estimate, fit.estimate.design
    w = est.weights.first()
    errors = _errors(est, replicates, 0)
    eye, array = np.eye(w.n), w.dense()
    rho, lam = est.fit.rho, est.fit.lambda_
    v = design.y - rho * est.columns.wy
    u = fit.resid.to_numpy().reshape(w.n, -1).T  # filtered residuals
    signal = v - np.linalg.solve(eye - lam * array, u.T).T
    found = []
    for e in errors:
        y = np.linalg.solve(eye - rho * array, (signal + np.linalg.solve(eye - lam * array, e.T).T).T).T
        data = design.series(y, "y").to_frame().assign(x=design.series(design.x[0], "x"))
        again = nq.fit(formula, data, w, model=fit.model)
        found.append(again.rho if fit.model == "SAR" else again.lambda_)
    return np.array(found)


@pytest.mark.parametrize("model", ["SAR", "SEM"])
@pytest.mark.parametrize("formula", ["y ~ x | unit + period", "y ~ x | unit"])
def test_replicates_equal_refits_one_by_one(model: str, formula: str) -> None:
    w = nq.weights.contiguity()
    params = {"x": 1.0, "rho" if model == "SAR" else "lambda": 0.4}
    data = nq.simulate(model, w, T=4, params=params, seed=2)
    fit = nq.fit(formula, data, w, model=model)
    draws = (_lag_draws if model == "SAR" else _error_draws)(fit.estimate, 50, 0)[:8]
    expected = one_by_one(fit, formula, 8)
    assert draws == pytest.approx(expected, abs=1e-8 if model == "SAR" else 2e-4)


@pytest.mark.parametrize("model", ["SAR", "SDM", "SEM", "SDEM"])
@pytest.mark.parametrize("effects", ["individual", "twoways"])
def test_sd_is_near_the_standard_error_in_a_large_panel(model: str, effects: str) -> None:
    fit = fitted("produc", model, effects, "transform")
    name = "rho" if fit.estimate.model.lag else "lambda"
    test = identification(fit, replicates=300)
    assert test.statistic == pytest.approx(fit.bse[name], rel=0.15)
    assert test.estimate == fit.params[name] and np.isnan(test.pvalue)


def test_same_seed_same_bits() -> None:
    fit = fitted("produc", "SAR", "twoways", "transform")
    assert identification(fit, replicates=60, seed=3) == identification(fit, replicates=60, seed=3)
    assert identification(fit, replicates=60, seed=3).statistic != identification(fit, replicates=60, seed=4).statistic


def test_weak_identification_warns_and_says_so_in_the_row() -> None:
    w = nq.weights.contiguity()
    data = nq.simulate("SAR", w, T=1, params={"x": 0.1, "rho": 0.0}, seed=1)
    near = from_any(np.ones((31, 31)) - np.eye(31) + w.dense(), ids=w.ids, transform="row", name="near-complete")
    fit = nq.sar("y ~ x", data, near)
    with pytest.warns(IdentificationWarning, match=r"rho = .* is hardly identified: .* standard deviation is"):
        test = identification(fit)
    assert test.statistic > 0.25 and test.note.startswith("WEAK")


def test_no_warning_where_the_data_speak() -> None:
    """pytest turns a warning into an error."""
    assert identification(fitted("produc", "SAR", "twoways", "transform")).statistic < 0.1


def test_error_replicates_recover_lambda() -> None:
    w = nq.weights.contiguity()
    rng = np.random.default_rng(5)
    fit = nq.sem("y ~ x | unit + period", nq.simulate("SEM", w, T=8, params={"x": 1.0, "lambda": 0.5}, seed=1), w)
    like = fit.estimate.likelihood
    errors = rng.standard_normal((200, 8, 31))
    draws = error_replicates(fit.estimate.columns.z, w.dense(), 0.5, errors, (True, True), like.n, like.m, like.lambda_)
    assert abs(draws.mean() - 0.5) < 0.03
    without = error_replicates(np.empty((0, 8, 31)), w.dense(), 0.5, errors, (True, True), like.n, like.m, like.lambda_)
    assert np.corrcoef(draws, without)[0, 1] > 0.99


def test_data_made_with_the_same_seed_do_not_come_back_as_errors() -> None:
    """The regressor is the second block of default_rng(0): as an error it would vanish from the residuals."""
    w = nq.weights.contiguity()
    rng = np.random.default_rng(0)
    y, x = rng.standard_normal((4, 31)), rng.standard_normal((4, 31))
    index = pd.MultiIndex.from_product([w.ids, range(4)], names=["unit", "period"])
    data = pd.DataFrame({"y": y.T.ravel(), "x": x.T.ravel()}, index=index)
    assert 0.05 < identification(nq.sar("y ~ x | unit", data, w)).statistic < 0.2


def test_refusals() -> None:
    with pytest.raises(ValueError, match="in a SLX fit it has no spatial parameter"):
        identification(fitted("columbus", "SLX"))
    with pytest.raises(ValueError, match="rho and lambda are estimated together"):
        identification(fitted("columbus", "SAC"))
    with pytest.raises(ValueError, match="replicates=10: a standard deviation needs at least 50"):
        identification(fitted("columbus", "SAR"), replicates=10)
    with pytest.raises(IdentificationError, match="lower replicates="):
        identification(fitted("lattice1024", "SAR"), replicates=100_000)
