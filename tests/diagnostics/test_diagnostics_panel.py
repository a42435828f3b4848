"""Baltagi-Song-Koh, Pesaran CD, serial correlation, heteroskedasticity, normality, collinearity."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from diagnostics_support import EFFECTS, PANELS, arrays, fitted, golden, panel, queen, weights
from scipy import optimize, stats
from statsmodels.stats.diagnostic import het_breuschpagan
from statsmodels.stats.outliers_influence import variance_inflation_factor

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import bsk_tests
from nqpf_spatial.kernels.residual_tests import cross_dependence, projected_basis, serial_correlation
from nqpf_spatial.models.diagnostics import (
    breusch_pagan_lm,
    bsk,
    collinearity,
    heteroskedasticity,
    normality,
    pesaran_cd,
    serial,
)

BSK = {
    "bsk_joint": ("LMH", 1e-9),
    "bsk_unit": ("LM1", 1e-9),
    "bsk_spatial": ("LM2", 1e-9),
    "bsk_spatial_given_unit": ("CLMlambda", 1e-7),  # splm stops its RE likelihood at 1e-8
    "bsk_unit_given_spatial": ("CLMmu", 5e-7),
}


@pytest.mark.parametrize("key", PANELS)
@pytest.mark.parametrize("ours", BSK)
def test_baltagi_song_koh_equal_splm(key: str, ours: str) -> None:
    theirs, tolerance = BSK[ours]
    expected = golden()[f"{key}.bsk.{theirs}"]["test"]["statistic"]
    assert bsk(fitted(key), w=weights(key))[ours].statistic == pytest.approx(expected, rel=tolerance)


def test_variance_tests_are_one_sided() -> None:
    """rice: splm prints the two-sided p of LM1, a variance can only be positive."""
    test = bsk(fitted("rice"), w=weights("rice"))["bsk_unit"]
    assert test.pvalue == pytest.approx(golden()["rice.bsk.LM1"]["test"]["p.value"] / 2, rel=1e-6)


def test_effects_of_the_fit_do_not_matter_for_the_pooled_regression() -> None:
    a, b = (bsk(fitted("produc", "SAR", e)) for e in ("none", "twoways"))
    assert [t.statistic for t in a] == pytest.approx([t.statistic for t in b], rel=1e-9)


def dense_log_likelihood(y: np.ndarray, z: np.ndarray, w: np.ndarray, sv: float, smu: float, lam: float) -> float:
    """Profile over beta of the normal likelihood with Omega of Baltagi, Song and Koh, stacked (t, n)."""
    t, n = y.shape
    b = np.eye(n) - lam * w
    omega = smu * np.kron(np.ones((t, t)), np.eye(n)) + sv * np.kron(np.eye(t), np.linalg.inv(b.T @ b))
    zf, yf = z.reshape(z.shape[0], -1).T, y.ravel()
    inverse = np.linalg.inv(omega)
    beta = np.linalg.solve(zf.T @ inverse @ zf, zf.T @ inverse @ yf)
    u = yf - zf @ beta
    return -0.5 * np.linalg.slogdet(omega)[1] - 0.5 * u @ inverse @ u


@pytest.fixture(scope="module")
def little() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(6)
    w = queen(3, 3).dense()
    t, n = 4, 9
    z = np.concatenate([np.ones((1, t, n)), rng.standard_normal((1, t, n))])
    y = z.sum(axis=0) + 0.7 * rng.standard_normal(n) + rng.standard_normal((t, n))
    return y, z, w


def test_scores_are_derivatives_of_the_likelihood(little: tuple) -> None:
    """CLM-lambda at the RE maximum and CLM-mu at the spatial error maximum: numerical score and Gaussian information."""
    y, z, w = little
    t, n = y.shape
    two = lambda p: -dense_log_likelihood(y, z, w, np.exp(p[0]), np.exp(p[1]), 0.0)
    sv, smu = np.exp(
        optimize.minimize(two, [0.0, -1.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13}).x
    )
    score = (dense_log_likelihood(y, z, w, sv, smu, 1e-5) - dense_log_likelihood(y, z, w, sv, smu, -1e-5)) / 2e-5
    trace = np.trace(w @ w + w.T @ w)
    s1 = sv + t * smu
    expected = score / np.sqrt((t - 1 + sv**2 / s1**2) * trace)
    u = bsk_tests.random_effects_residuals(y, z)
    assert bsk_tests.conditional_spatial(u, w) == pytest.approx(expected, rel=1e-5)

    three = lambda p: -dense_log_likelihood(y, z, w, np.exp(p[0]), 0.0, p[1])
    found = optimize.minimize(three, [0.0, 0.1], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13}).x
    sv, lam = float(np.exp(found[0])), float(found[1])
    score = (dense_log_likelihood(y, z, w, sv, 1e-6, lam) - dense_log_likelihood(y, z, w, sv, -1e-6, lam)) / 2e-6
    b = np.eye(n) - lam * w
    inverse = np.kron(np.eye(t), b.T @ b) / sv
    middle = np.linalg.inv(b.T @ b)
    parts = [
        np.kron(np.eye(t), middle),
        sv * np.kron(np.eye(t), middle @ (w.T @ b + b.T @ w) @ middle),
        np.kron(np.ones((t, t)), np.eye(n)),
    ]
    info = np.array([[0.5 * np.trace(inverse @ p @ inverse @ q) for q in parts] for p in parts])
    zf = np.stack([(part @ b.T).ravel() for part in z]).T
    beta = np.linalg.lstsq(zf, (y @ b.T).ravel(), rcond=None)[0]
    u = y - np.tensordot(beta, z, axes=1)
    assert bsk_tests.conditional_unit(u, w, lam) == pytest.approx(score * np.sqrt(np.linalg.inv(info)[2, 2]), rel=1e-5)


def test_standardised_statistics_have_exact_moments(little: tuple) -> None:
    y, z, w = little
    t, n = y.shape
    zf = z.reshape(2, -1).T
    m = np.eye(t * n) - zf @ np.linalg.solve(zf.T @ zf, zf.T)
    e = m @ y.ravel()
    found = bsk_tests.standardised(e.reshape(t, n), projected_basis(z, False, False), w)
    for value, d in (
        (found.unit, np.kron(np.ones((t, t)), np.eye(n))),
        (found.spatial, np.kron(np.eye(t), (w + w.T) / 2)),
    ):
        s = np.trace(m)
        mean = np.trace(m @ d) / s
        variance = 2 * (s * np.trace(m @ d @ m @ d) - np.trace(m @ d) ** 2) / (s**2 * (s + 2))
        assert value == pytest.approx((e @ d @ e / (e @ e) - mean) / np.sqrt(variance), rel=1e-9)


def test_joint_p_value_is_a_mixture() -> None:
    from nqpf_spatial.models.diagnostics._panel import _joint

    assert _joint(-1.0, -2.0) == (0.0, 1.0)
    statistic, p = _joint(-1.0, 2.0)
    assert statistic == 4.0 and p == pytest.approx(0.5 * stats.chi2.sf(4, 1) + 0.25 * stats.chi2.sf(4, 2))


def test_size_of_the_variance_and_joint_tests() -> None:
    """200 panels without effects and spatial terms: SLM1, SLM2 and the joint test at 5 %."""
    rng = np.random.default_rng(9)
    w = queen(5, 5).dense()
    z = np.concatenate([np.ones((1, 5, 25)), rng.standard_normal((2, 5, 25))])
    basis = projected_basis(z, False, False).reshape(3, -1)
    rejected = np.zeros(3)
    from nqpf_spatial.models.diagnostics._panel import _joint

    for _ in range(200):
        y = rng.standard_normal(125)
        e = (y - basis.T @ (basis @ y)).reshape(5, 25)
        exact = bsk_tests.standardised(e, basis.reshape(3, 5, 25), w)
        plain = bsk_tests.marginal(e, w)
        rejected += [
            stats.norm.sf(exact.unit) < 0.05,
            2 * stats.norm.sf(abs(exact.spatial)) < 0.05,
            _joint(plain.unit, plain.spatial)[1] < 0.05,
        ]
    low, high = stats.binom.ppf([5e-4, 1 - 5e-4], 200, 0.05)
    assert np.all((rejected >= low) & (rejected <= high)), rejected


@pytest.mark.parametrize("key", PANELS)
@pytest.mark.parametrize("effects", EFFECTS)
def test_cross_dependence_equals_plm(key: str, effects: str) -> None:
    expected = golden()[f"{key}.ols.{'pooling' if effects == 'none' else effects}"]
    fit = fitted(key, "OLS", effects)
    assert pesaran_cd(fit).statistic == pytest.approx(expected["pcdtest"]["statistic"], rel=1e-9)
    local = pesaran_cd(fit, local=True, w=weights(key))
    assert local.statistic == pytest.approx(expected["pcd_local"]["statistic"], rel=1e-9)
    lm = breusch_pagan_lm(fit)
    assert lm.statistic == pytest.approx(expected["pcdtest_lm"]["statistic"], rel=1e-9)
    assert lm.df == expected["pcdtest_lm"]["parameter"] and "rejects too often" in lm.note


def test_cd_is_nearly_constant_with_time_effects_and_normal_without() -> None:
    """Why the p-value is withheld: over 200 panels with two-way effects CD is -sqrt((T-1)/2) with a sd far below 1."""
    rng = np.random.default_rng(2)
    t, n, within, two = 10, 31, [], []
    for _ in range(200):
        e = rng.standard_normal((t, n))
        e = e - e.mean(axis=0)
        within.append(cross_dependence(e).cd)
        two.append(cross_dependence(e - e.mean(axis=1, keepdims=True)).cd)
    assert abs(np.mean(within)) < 0.25 and 0.8 < np.std(within) < 1.2
    assert np.mean(two) == pytest.approx(-np.sqrt((t - 1) / 2), abs=0.1) and np.std(two) < 0.3
    test = pesaran_cd(fitted("produc", "OLS", "twoways"))
    assert np.isnan(test.pvalue) and "Juodis and Reese" in test.note
    assert pesaran_cd(fitted("produc", "OLS", "individual")).pvalue < 1e-10


@pytest.mark.parametrize("unit", [True, False])
def test_serial_correlation_equals_statsmodels(unit: bool) -> None:
    rng = np.random.default_rng(8)
    t, n = 6, 20
    e = rng.standard_normal((t, n))
    e = e - e.mean(axis=0) if unit else e
    exog = sm.add_constant(e[:-1].T.ravel())
    groups = np.repeat(np.arange(n), t - 1)
    fit = sm.OLS(e[1:].T.ravel(), exog).fit(cov_type="cluster", cov_kwds={"groups": groups})
    found = serial_correlation(e, unit)
    null = -1 / (t - 1) if unit else 0.0
    assert found.slope == pytest.approx(fit.params[1], rel=1e-10)
    assert found.t == pytest.approx((fit.params[1] - null) / fit.bse[1], rel=1e-9)
    assert found.df == n - 1


def test_serial_correlation_of_within_residuals_has_its_size_and_power() -> None:
    """Two-way residuals, T = 5: uncorrelated errors give a slope of -1/4 and no rejection beyond the bounds; AR(1) does."""
    rng = np.random.default_rng(4)
    t, n, rejected, found = 5, 31, 0, 0
    for _ in range(200):
        e = rng.standard_normal((t, n))
        ar = np.empty_like(e)
        ar[0] = e[0]
        for p in range(1, t):
            ar[p] = 0.6 * ar[p - 1] + e[p]
        for kind, errors in enumerate((e, ar)):
            r = errors - errors.mean(axis=0)
            r = r - r.mean(axis=1, keepdims=True)
            test = serial_correlation(r, True)
            reject = 2 * stats.t.sf(abs(test.t), test.df) < 0.05
            rejected, found = (rejected + reject, found) if kind == 0 else (rejected, found + reject)
    low, high = stats.binom.ppf([5e-4, 1 - 5e-4], 200, 0.06)
    assert low <= rejected <= high and found > 160


def test_serial_row() -> None:
    test = serial(fitted("produc", "SDM", "twoways"))
    assert (test.df, test.df_denominator) == (1, 47) and test.pvalue < 1e-10
    assert "slope under the null -0.0625" in test.note and 0.5 < test.estimate < 1
    w = queen(3, 4)
    rng = np.random.default_rng(0)
    data = panel(w, rng.standard_normal((2, 12)), x=rng.standard_normal((2, 12)))
    with pytest.raises(IdentificationError, match="needs three periods; there are 2"):
        serial(nq.ols("y ~ x | unit", data))
    with pytest.raises(IdentificationError, match="three periods and two units; there are 2 and 12"):
        pesaran_cd(nq.ols("y ~ x | unit", data))


@pytest.mark.parametrize("key", ["columbus", "boston", "lattice1024"])
def test_normality_and_condition_number_equal_spreg(key: str) -> None:
    expected = golden()[f"{'lattice_n1024' if key == 'lattice1024' else key}.spreg.ols"]
    test = normality(fitted(key))
    assert test.statistic == pytest.approx(expected["jb"]["jb"], rel=1e-9)
    assert test.pvalue == pytest.approx(expected["jb"]["pvalue"], rel=1e-7) and test.df == 2
    assert collinearity(fitted(key))["condition"].statistic == pytest.approx(expected["cond"], rel=1e-9)


def test_heteroskedasticity_by_hand_and_why_spreg_differs() -> None:
    """n R^2 of e^2 on the regressors (7.2166 is what R's bptest prints); spreg 1.9 squares the regressors first."""
    fit = fitted("columbus")
    z = fit.estimate.columns.z.reshape(3, -1).T
    e = fit.resid.to_numpy()
    tests = heteroskedasticity(fit)
    g = e**2
    rest = g - z @ np.linalg.lstsq(z, g, rcond=None)[0]
    r2 = 1 - rest @ rest / np.sum((g - g.mean()) ** 2)
    assert tests["koenker"].statistic == pytest.approx(49 * r2, rel=1e-9)
    assert tests["koenker"].statistic == pytest.approx(7.2166, abs=5e-5)
    explained = np.sum((z @ np.linalg.lstsq(z, g, rcond=None)[0] - g.mean()) ** 2)
    assert tests["breusch_pagan"].statistic == pytest.approx(0.5 * explained / g.mean() ** 2, rel=1e-9)
    assert tests["koenker"].df == tests["breusch_pagan"].df == 2
    expected = golden()["columbus.spreg.ols"]
    squares = np.column_stack([z[:, :1], z[:, 1:] ** 2])
    assert het_breuschpagan(e, squares)[0] == pytest.approx(expected["kb"]["kb"], rel=1e-9)


def test_collinearity_of_the_within_design() -> None:
    fit = fitted("produc", "SDM", "twoways")
    from nqpf_spatial.kernels.moments import remove_effects

    flat = remove_effects(fit.estimate.columns.z, True, True).reshape(8, -1).T
    values = np.linalg.svd(flat / np.linalg.norm(flat, axis=0), compute_uv=False)
    tests = collinearity(fit)
    assert tests["condition"].statistic == pytest.approx(values[0] / values[-1], rel=1e-9)
    factors = [variance_inflation_factor(sm.add_constant(flat), i) for i in range(1, 9)]
    assert tests["vif"].statistic == pytest.approx(max(factors), rel=1e-6)
    assert tests["vif"].note == f"of {fit.params.index[int(np.argmax(factors))]}"


def test_residuals_under_test_are_those_of_the_fit() -> None:
    for model in ("SDM", "SEM", "SAC"):
        fit = fitted("produc", model, "twoways")
        assert normality(fit).statistic == pytest.approx(stats.jarque_bera(fit.resid).statistic, rel=1e-9)


def test_arrays_of_the_support_module_are_those_of_the_file() -> None:
    y, x, w = arrays("produc")
    assert y.shape == (17, 48) and x.shape == (4, 17, 48) and np.allclose(w.sum(axis=1), 1)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="need a panel"):
        bsk(fitted("columbus"), w=weights("columbus"))
    w = queen(3, 3)
    rng = np.random.default_rng(0)
    data = panel(w, rng.standard_normal((3, 9)))
    with pytest.raises(IdentificationError, match="regressors that vary"):
        heteroskedasticity(nq.ols("y ~ 1", data))
    still = rng.standard_normal((4, 9))
    still[:, 0] = 1.0
    with pytest.raises(IdentificationError, match="do not vary over time"):
        cross_dependence(still)
    with pytest.raises(IdentificationError, match="at least two periods"):
        bsk_tests.marginal(rng.standard_normal((1, 9)), w.dense())
