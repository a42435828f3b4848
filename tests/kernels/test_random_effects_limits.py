"""Random effects: boundary, limits, invariances, simulation and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import sparse

from nqpf_spatial.errors import ConvergenceError, IdentificationError
from nqpf_spatial.kernels import random_effects_search as search
from nqpf_spatial.kernels.logdet import LogDet, drop_unit_root, from_eigenvalues
from nqpf_spatial.kernels.ml import Likelihood, fit_ml
from nqpf_spatial.kernels.moments import reduce_columns, spatial_lag
from nqpf_spatial.kernels.random_effects import REFit, fit_re, variance_components
from nqpf_spatial.kernels.random_effects_information import expected_information_re
from nqpf_spatial.kernels.random_effects_likelihood import build_problem
from nqpf_spatial.kernels.random_effects_predict import random_effects_predict
from nqpf_spatial.kernels.spectrum import interval

CASES = [(lag, error) for lag in (False, True) for error in ("none", "kkp", "baltagi")]
RHO, LAMBDA = 0.4, 0.5


def ring(n: int) -> np.ndarray:
    """Each unit has its two neighbours and one farther on; row-standardised, not symmetric."""
    w = np.zeros((n, n))
    i = np.arange(n)
    for step, weight in ((1, 1.0), (-1, 1.0), (5, 0.5)):
        w[i, (i + step) % n] += weight
    w[0, 3] += 1.0
    return w / w.sum(axis=1, keepdims=True)


def logdet_of(w: np.ndarray) -> LogDet:
    omega = np.linalg.eigvals(w)
    return from_eigenvalues(omega, interval(omega))


def simulate(lag: bool, error: str, seed: int, n: int = 31, t: int = 6, s_mu: float = 1.0) -> tuple:
    rng = np.random.default_rng(seed)
    w = ring(n)
    z = np.stack([np.ones((t, n)), rng.normal(size=(t, n)) + rng.normal(size=n)])
    mu, e = s_mu * rng.normal(size=n), rng.normal(size=(t, n))
    b = np.linalg.inv(np.eye(n) - LAMBDA * w * (error != "none"))
    u = mu + e @ b.T if error == "baltagi" else (mu + e) @ b.T
    y = (np.tensordot([1.0, 2.0], z, axes=1) + u) @ np.linalg.inv(np.eye(n) - RHO * w * lag).T
    return z, y, w


def arguments(lag: bool, error: str, y: np.ndarray, w: np.ndarray, time: bool = False) -> tuple:
    logdet = logdet_of(w)
    logdet = drop_unit_root(logdet) if time else logdet
    has = error != "none"
    wy = spatial_lag(w, y) if lag else None
    return y, wy, w if has else None, logdet if lag else None, logdet if has else None, error


def fit(lag: bool, error: str, z: np.ndarray, y: np.ndarray, w: np.ndarray, time: bool = False) -> REFit:
    return fit_re(z, *arguments(lag, error, y, w, time), time)


def fixed_or_pooled(lag: bool, error: str, z: np.ndarray, y: np.ndarray, w: np.ndarray, unit: bool):
    """The kernel without random effects: unit effects transformed away, or pooled."""
    wy = spatial_lag(w, y)
    base = np.concatenate([z, y[None], wy[None] * lag])
    lagged = np.stack([spatial_lag(w, part) for part in base]) if error != "none" else None
    logdet = logdet_of(w)
    m = len(y) - unit
    like = Likelihood(m * y.shape[1], m, logdet if lag else None, logdet if error != "none" else None)
    return fit_ml(reduce_columns(base, lagged, unit, False), like)


@pytest.mark.parametrize(("lag", "error"), CASES)
def test_without_heterogeneity_phi_is_one_and_the_fit_is_pooled(lag: bool, error: str) -> None:
    z, y, w = simulate(lag, error, 5, s_mu=0.0)
    # negative correlation within units: the variance of the unit effects would be negative
    rng = np.random.default_rng(6)
    e = rng.normal(size=y.shape)
    y = (np.tensordot([1.0, 2.0], z, axes=1) + (e - 0.9 * e.mean(axis=0))) @ np.linalg.inv(np.eye(31) - RHO * w * lag).T
    found, pooled = fit(lag, error, z, y, w), fixed_or_pooled(lag, error, z, y, w, unit=False)
    assert found.boundary == ("phi",)
    assert (found.phi, found.sigma2_mu) == (1.0, 0.0)
    assert "phi" not in found.parameters
    assert found.llf == pytest.approx(pooled.llf, abs=1e-9)
    np.testing.assert_allclose(found.beta, pooled.beta, rtol=1e-8)
    np.testing.assert_allclose([found.rho, found.lambda_], [pooled.rho, pooled.lambda_], atol=1e-8)
    np.testing.assert_allclose(found.information, pooled.information, rtol=1e-6, atol=1e-5)
    values, covariance = variance_components(found)
    np.testing.assert_allclose(values, [0.0, pooled.sigma2], rtol=1e-8)
    assert covariance[0, 0] == 0.0 < covariance[1, 1]
    predicted = random_effects_predict(found, z, *arguments(lag, error, y, w)[:3])
    assert not predicted.mu.any()
    assert (
        expected_information_re(z, found, w if lag else None, w if error != "none" else None).shape
        == (len(found.parameters),) * 2
    )


@pytest.mark.parametrize("error", ["none", "baltagi"])
def test_large_unit_effects_lead_to_fixed_effects(error: str) -> None:
    """Without a lag, and with unit effects outside the spatial error, the between part loses all weight."""
    z, y, w = simulate(False, error, 2)
    y = y + 1e5 * np.random.default_rng(0).normal(size=31)
    found, fixed = fit(False, error, z, y, w), fixed_or_pooled(False, error, z[1:], y, w, unit=True)
    assert found.boundary == ()
    assert found.beta[1] == pytest.approx(fixed.beta[0], rel=1e-6)
    assert found.lambda_ == pytest.approx(fixed.lambda_, abs=1e-6)
    assert found.sigma2 == pytest.approx(fixed.sigma2, rel=1e-6)
    predicted = random_effects_predict(found, z, *arguments(False, error, y, w)[:3])
    means = (y - found.beta[1] * z[1]).mean(axis=0) - found.beta[0]
    np.testing.assert_allclose(predicted.mu, means, atol=1e-3)


@pytest.mark.parametrize(("lag", "error"), [(True, "none"), (False, "kkp")])
def test_large_unit_effects_do_not_lead_to_fixed_effects_when_they_are_spatial(lag: bool, error: str) -> None:
    """The between part then says how the unit effects themselves spread in space, whatever their size.

    Here they repel one another while the errors attract: random effects see less than fixed effects.
    """
    z, y, w = simulate(lag, error, 2)
    spread = np.linalg.inv(np.eye(31) + 0.9 * w)
    y = y + 1e5 * spread @ np.random.default_rng(0).normal(size=31)
    found, fixed = fit(lag, error, z, y, w), fixed_or_pooled(lag, error, z[1:], y, w, unit=True)
    parameter = "rho" if lag else "lambda_"
    assert getattr(fixed, parameter) > 0.3
    assert getattr(found, parameter) < getattr(fixed, parameter) - 0.05


@pytest.mark.parametrize(("lag", "error"), CASES)
@pytest.mark.parametrize("time", [False, True])
def test_order_of_units_and_scale_do_not_matter(lag: bool, error: str, time: bool) -> None:
    z, y, w = simulate(lag, error, 3)
    z = z[1:] if time else z
    base = fit(lag, error, z, y, w, time)
    predicted = random_effects_predict(base, z, *arguments(lag, error, y, w, time)[:3])
    order = np.random.default_rng(9).permutation(31)
    moved = fit(lag, error, z[:, :, order], y[:, order], w[np.ix_(order, order)], time)
    again = random_effects_predict(
        moved, z[:, :, order], *arguments(lag, error, y[:, order], w[np.ix_(order, order)], time)[:3]
    )
    scaled = fit(lag, error, 1e4 * z, 1e-3 * y, w, time)
    assert moved.llf == pytest.approx(base.llf, abs=1e-9)
    assert scaled.llf == pytest.approx(base.llf + base.n * np.log(1e3), abs=1e-7)
    np.testing.assert_allclose(scaled.beta, 1e-7 * base.beta, rtol=1e-7)
    np.testing.assert_allclose(
        [scaled.sigma2, scaled.sigma2_mu], 1e-6 * np.array([base.sigma2, base.sigma2_mu]), rtol=1e-7
    )
    for other in (moved, scaled):
        np.testing.assert_allclose([other.rho, other.lambda_, other.phi], [base.rho, base.lambda_, base.phi], atol=1e-8)
    np.testing.assert_allclose(moved.information, base.information, rtol=1e-6, atol=1e-6)
    for name in ("mu", "unit_effect", "resid", "whitened"):
        np.testing.assert_allclose(getattr(again, name), getattr(predicted, name)[..., order], atol=1e-8)


@pytest.mark.parametrize(("lag", "error"), CASES)
def test_time_effects_change_nothing_once_transformed_away(lag: bool, error: str) -> None:
    z, y, w = simulate(lag, error, 4)
    base = fit(lag, error, z[1:], y, w, time=True)
    shifted = fit(lag, error, z[1:], y + 10 * np.arange(6.0)[:, None] ** 2, w, time=True)
    assert shifted.llf == pytest.approx(base.llf, abs=1e-8)
    np.testing.assert_allclose(shifted.beta, base.beta, rtol=1e-8)
    assert base.n == 30 * 6
    assert base.units == 30


@pytest.mark.parametrize(("lag", "error"), CASES)
def test_nested_models_are_ordered(lag: bool, error: str) -> None:
    """More parameters never lower the likelihood, and at lambda = 0 both error structures agree."""
    z, y, w = simulate(lag, error, 8)
    found = fit(lag, error, z, y, w)
    assert found.llf >= fixed_or_pooled(lag, error, z, y, w, unit=False).llf - 1e-9
    assert found.llf >= fit(lag, "none", z, y, w).llf - 1e-9
    assert found.llf >= fit(False, error, z, y, w).llf - 1e-9
    assert fit(True, error, z, y, w).llf >= found.llf - 1e-9


@pytest.mark.parametrize("error", ["none", "kkp", "baltagi"])
def test_no_regressors(error: str) -> None:
    _, y, w = simulate(True, error, 8)
    found = fit(True, error, np.empty((0, *y.shape)), y - 1.0, w)
    assert found.beta.shape == (0,)
    assert found.parameters[0] == "rho"
    np.linalg.cholesky(found.information)


@pytest.mark.parametrize(("lag", "error"), CASES)
def test_simulation_recovers_the_parameters(lag: bool, error: str) -> None:
    """80 panels of 31 units: means within three simulation errors, plus the bias of order 1/N that ML has."""
    draws = 80
    truth = {"beta1": 2.0, "rho": RHO, "lambda": LAMBDA, "sigma2": 1.0}
    estimates: dict[str, list[float]] = {name: [] for name in truth}
    errors: dict[str, list[float]] = {name: [] for name in truth}
    components = []
    for seed in range(draws):
        z, y, w = simulate(lag, error, 100 + seed)
        found = fit(lag, error, z, y, w)
        se = np.sqrt(np.diag(np.linalg.inv(found.information)))
        values = {"beta1": found.beta[1], "rho": found.rho, "lambda": found.lambda_, "sigma2": found.sigma2}
        for name in set(found.parameters) & set(truth):
            estimates[name].append(values[name])
            errors[name].append(se[found.parameters.index(name)])
        components.append(found.sigma2_mu)
    for name, values in estimates.items():
        if values:
            spread = np.std(values, ddof=1)
            assert abs(np.mean(values) - truth[name]) < 3 * spread / np.sqrt(draws) + 0.02, name
            assert np.mean(errors[name]) == pytest.approx(spread, rel=0.3), name
    assert np.mean(components) == pytest.approx(1.0, abs=3 * np.std(components) / np.sqrt(draws) + 0.05)


@pytest.mark.parametrize("seed", [2, 15, 23, 32])
def test_no_random_start_climbs_higher(seed: int) -> None:
    """Complete weights, two periods, huge unit effects: narrow maxima far apart, near the ends of the intervals."""
    n, t = 25, 2
    rng = np.random.default_rng(seed)
    w = rng.uniform(size=(n, n)) * (rng.uniform(size=(n, n)) < 1.0)
    np.fill_diagonal(w, 0.0)
    w[np.arange(n), (np.arange(n) + 1) % n] += 0.2
    w /= w.sum(axis=1, keepdims=True)
    z = np.stack([np.ones((t, n)), rng.normal(size=(t, n))])
    mu, e = 1e4 * rng.normal(size=n), rng.normal(size=(t, n))
    y = (z[1] + mu + e @ np.linalg.inv(np.eye(n) + 0.6 * w).T) @ np.linalg.inv(np.eye(n) - 0.9 * w).T
    found = fit(True, "baltagi", z, y, w)
    y, wy, w_error, one, two, _ = arguments(True, "baltagi", y, w)
    problem = build_problem(z, y, wy, w_error, (one, two), True, False)
    low, high = search._bounds(problem)
    compared = 0
    for start in low + (high - low) * rng.uniform(0.02, 0.98, size=(30, 3)):
        try:
            value = search._newton(problem, start)[0]
        except ConvergenceError:
            continue
        compared += 1
        assert value <= found.llf + 1e-6
    assert compared > 10


def test_maximum_at_the_end_of_the_interval_is_reported() -> None:
    """Without the unit root the likelihood stays finite at rho = 1, and may be highest there."""
    n, t = 12, 3
    rng = np.random.default_rng(4)
    w = ring(n)
    z = rng.normal(size=(1, t, n))
    y = (z[0] + 0.3 * rng.normal(size=(t, n))) @ np.linalg.inv(np.eye(n) - 1.08 * w).T
    found = fit(True, "none", z, y, w, time=True)
    assert found.boundary == ("rho",)
    assert found.rho == pytest.approx(1.0, abs=1e-6)
    assert np.isfinite(found.llf)


def test_sparse_error_weights_serve_the_kkp_error() -> None:
    z, y, w = simulate(True, "kkp", 1)
    given = list(arguments(True, "kkp", y, w))
    dense = fit_re(z, *given)
    given[2] = sparse.csr_array(w)
    found = fit_re(z, *given)
    np.testing.assert_allclose([found.llf, found.rho, found.lambda_], [dense.llf, dense.rho, dense.lambda_], rtol=1e-9)
    ours, theirs = (random_effects_predict(f, z, y, given[1], m) for f, m in ((found, given[2]), (dense, w)))
    np.testing.assert_allclose(ours.whitened, theirs.whitened, atol=1e-8)


def test_mundlak_terms_give_the_within_slope() -> None:
    """With the time means among the regressors, and without spatial terms, the slope is that of fixed effects."""
    z, y, w = simulate(False, "none", 7)
    y = y + z[1].mean(axis=0)  # effects correlated with the regressor
    means = np.broadcast_to(z[1].mean(axis=0), y.shape)[None]
    within = fixed_or_pooled(False, "none", z[1:], y, w, unit=True).beta[0]
    assert fit(False, "none", np.concatenate([z, means]), y, w).beta[1] == pytest.approx(within, rel=1e-9)
    assert abs(fit(False, "none", z, y, w).beta[1] - within) > 0.01


def test_same_input_same_bits() -> None:
    z, y, w = simulate(True, "baltagi", 1)
    one, two = fit(True, "baltagi", z, y, w), fit(True, "baltagi", z, y, w)
    for field in dataclasses.fields(one):
        assert np.array_equal(getattr(one, field.name), getattr(two, field.name))


def test_two_maxima_the_higher_one_is_found() -> None:
    """SAC with one W for lag and error: (0.75, -0.5) and (-0.5, 0.75) look alike; both are recovered."""
    n, t = 40, 8
    rng = np.random.default_rng(0)
    w = ring(n)
    z = np.stack([np.ones((t, n)), rng.normal(size=(t, n))])
    for rho, lambda_ in ((0.75, -0.5), (-0.5, 0.75)):
        u = (rng.normal(size=n) + rng.normal(size=(t, n))) @ np.linalg.inv(np.eye(n) - lambda_ * w).T
        y = (z[0] + z[1] + u) @ np.linalg.inv(np.eye(n) - rho * w).T
        found = fit(True, "kkp", z, y, w)
        np.testing.assert_allclose([found.rho, found.lambda_], [rho, lambda_], atol=0.2)


# -- what is refused ---------------------------------------------------------------------------------------
def test_errors_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    z, y, w = simulate(True, "kkp", 1)
    wy, logdet = spatial_lag(w, y), logdet_of(w)
    cases = [
        (ValueError, "choose one of 'none', 'kkp', 'baltagi'", (z, y, None, None, None, None, "anselin")),
        (ValueError, "wy and logdet_rho belong together", (z, y, wy, None, None, None)),
        (ValueError, "error='kkp' needs w_error and logdet_lambda", (z, y, None, w, None, None, "kkp")),
        (ValueError, "error='none' takes no w_error", (z, y, None, w, None, logdet, "none")),
        (ValueError, r"z has shape \(2, 6, 31\); it must be", (z, y[:5], None, None, None, None)),
        (
            ValueError,
            "31 eigenvalues for 30 units; with time effects use drop_unit_root",
            (z[1:], y, wy, None, logdet, None, "none", True),
        ),
        (IdentificationError, "at least two periods", (z[:, :1], y[:1], None, None, None, None)),
        (
            IdentificationError,
            r"columns \[2\] of z are linear",
            (np.concatenate([z, z[1:]]), y, None, None, None, None),
        ),
        (
            IdentificationError,
            "Wy is a linear function",
            (np.concatenate([z, wy[None]]), y, wy, None, logdet, None),
        ),
        (IdentificationError, "the residuals vanish", (z, z[0] - 3 * z[1], *[None] * 4)),
        (
            IdentificationError,
            "the residuals do not vary within units",
            (z[:1], np.tile(y[:1], (6, 1)), None, None, None, None),
        ),
        (
            IdentificationError,
            "4 effective observations for 2 coefficients",
            (z[:, :2, :2], y[:2, :2], None, None, None, None),
        ),
    ]
    for kind, message, given in cases:
        with pytest.raises(kind, match=message):
            fit_re(*given)
    loose = LogDet(np.zeros(30), -2.0, 2.0)
    with pytest.raises(IdentificationError, match="rows of the error weights do not sum to one"):
        fit_re(z[1:], y, None, 0.5 * w, None, loose, "kkp", time=True)
    monkeypatch.setattr(search, "_newton", lambda *_: (_ for _ in ()).throw(ConvergenceError("stopped")))
    with pytest.raises(ConvergenceError, match="stopped"):
        fit_re(z, y, None, None, None, None)


def test_newton_reports_where_it_stopped() -> None:
    z, y, w = simulate(True, "kkp", 1)
    y_, wy, w_error, one, two, _ = arguments(True, "kkp", y, w)
    problem = build_problem(z, y_, wy, w_error, (one, two), False, False)
    with pytest.raises(ConvergenceError, match=r"\(rho, lambda, ln phi\) = .* after 1 iterations"):
        search._newton(problem, np.array([0.0, 0.0, -3.0]), max_iter=1)
