"""Random effects against independent exact ML (own.re), splm, spreg and Elhorst on produc and rice.

Where a peer is off, the test says by how much and why; see docs/random_effects.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nqpf_spatial.kernels.logdet import LogDet, drop_unit_root, from_eigenvalues
from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.kernels.random_effects import REFit, fit_re
from nqpf_spatial.kernels.random_effects_information import expected_information_re
from nqpf_spatial.kernels.random_effects_likelihood import build_problem, solve
from nqpf_spatial.kernels.spectrum import interval

GOLDEN = Path(__file__).parents[1] / "golden"
#: variant -> (lag, durbin, error)
VARIANTS = {
    "re": (False, False, "none"),
    "sarre": (True, False, "none"),
    "sdmre": (True, True, "none"),
    "semre": (False, False, "baltagi"),
    "semre_durbin": (False, True, "baltagi"),
    "sem2re": (False, False, "kkp"),
    "sarsemre": (True, False, "baltagi"),
    "sarsem2re": (True, False, "kkp"),
}
CASES = [(data, variant) for data in ("produc", "rice") for variant in VARIANTS]


@dataclass(frozen=True)
class Panel:
    y: np.ndarray
    x: np.ndarray
    wx: np.ndarray
    wy: np.ndarray
    w: np.ndarray
    logdet: LogDet
    entries: dict


def logdet_of(w: np.ndarray) -> LogDet:
    omega = np.linalg.eigvals(w)
    return from_eigenvalues(omega, interval(omega))


@cache
def panel(name: str) -> Panel:
    content = json.loads((GOLDEN / f"{name}.json").read_text())
    meta = content["meta"]
    n, t = meta["N"], meta["T"]
    frame = pd.read_csv(GOLDEN / "data" / f"{name}.csv")
    links = pd.read_csv(GOLDEN / "data" / f"{name}_W.csv")
    w = np.zeros((n, n))
    w[links["i"] - 1, links["j"] - 1] = links["w"]
    y, *x = (frame[c].to_numpy(float).reshape(n, t).T for c in [meta["y"], *meta["x"]])
    wx = np.stack([spatial_lag(w, column) for column in x])
    logdet = logdet_of(w)
    return Panel(
        y,
        np.stack([np.ones((t, n)), *x]),
        wx,
        spatial_lag(w, y),
        w,
        logdet,
        {e["id"]: e for e in content["entries"]},
    )


@cache
def fit(name: str, variant: str) -> REFit:
    p = panel(name)
    lag, durbin, error = VARIANTS[variant]
    z = np.concatenate([p.x, p.wx]) if durbin else p.x
    has_error = error != "none"
    return fit_re(
        z,
        p.y,
        p.wy if lag else None,
        p.w if has_error else None,
        p.logdet if lag else None,
        p.logdet if has_error else None,
        error,
    )


def se(information: np.ndarray) -> np.ndarray:
    return np.sqrt(np.diag(np.linalg.inv(information)))


def column(fit: REFit, name: str) -> int:
    return fit.parameters.index(name)


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_equals_exact_ml(name: str, variant: str) -> None:
    found, gold = fit(name, variant), panel(name).entries[f"{name}.own.re.{variant}"]
    assert found.llf == pytest.approx(gold["loglik"], abs=1e-6)
    np.testing.assert_allclose(found.beta, list(gold["coefficients"].values()), rtol=1e-5)
    assert found.rho == pytest.approx(gold["lam"] or 0.0, abs=2e-6)
    assert found.lambda_ == pytest.approx(gold["rho_error"] or 0.0, abs=2e-6)
    assert found.sigma2 == pytest.approx(gold["sigma2_e"], rel=1e-6)
    assert found.sigma2_mu == pytest.approx(gold["sigma2_mu"], rel=2e-6)
    assert np.sqrt(found.phi) == pytest.approx(gold["theta_elhorst"], rel=1e-6)
    assert found.boundary == ()


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_equals_splm(name: str, variant: str) -> None:
    """splm's log-likelihood is complete for random effects; its beta is GLS at its spatial parameters."""
    found, gold = fit(name, variant), panel(name).entries[f"{name}.splm_re.{variant}"]
    assert found.llf == pytest.approx(gold["loglik"], abs=1e-6)
    np.testing.assert_allclose(found.beta, list(gold["coefficients"].values()), rtol=1e-5)
    assert found.llf >= gold["loglik"] - 1e-8
    # splm calls the lag lambda and the error rho
    assert found.lambda_ == pytest.approx(gold["errcomp"].get("rho", 0.0), abs=2e-6)
    assert found.rho == pytest.approx(gold.get("arcoef", {}).get("lambda", 0.0), abs=2e-6)
    assert found.sigma2_mu / found.sigma2 == pytest.approx(gold["errcomp"]["phi"], rel=5e-6)


@pytest.mark.parametrize("name", ["produc", "rice"])
@pytest.mark.parametrize("variant", ["re", "semre", "sem2re", "semre_durbin"])
def test_expected_se_of_beta_equals_splm_without_lag(name: str, variant: str) -> None:
    """Without a lag the expected information is block-diagonal: splm's GLS standard errors follow from it."""
    p, found = panel(name), fit(name, variant)
    _, durbin, error = VARIANTS[variant]
    z = np.concatenate([p.x, p.wx]) if durbin else p.x
    expected = expected_information_re(z, found, None, p.w if error != "none" else None)
    gold = p.entries[f"{name}.splm_re.{variant}"]
    np.testing.assert_allclose(se(expected)[: len(z)], list(gold["se"].values()), rtol=1e-6)
    # splm's standard errors of the error parameters come from a numerical Hessian
    if error != "none":
        observed = se(found.information)[column(found, "lambda")]
        assert observed == pytest.approx(gold["errcomp_se"]["rho"], rel=5e-4)
    if name == "rice":
        observed = se(found.information)[column(found, "phi")] / found.phi**2 / found.periods
        assert observed == pytest.approx(gold["errcomp_se"]["phi"], rel=2e-3)


def test_splm_standard_errors_with_a_lag_ignore_the_covariance_with_rho() -> None:
    """splm conditions beta on rho: its intercept is a third too certain on rice and produc SAR-SEM."""
    for name, variant in (("rice", "sarsemre"), ("produc", "sarsemre"), ("rice", "sarre")):
        found, gold = fit(name, variant), panel(name).entries[f"{name}.splm_re.{variant}"]
        k = len(found.beta)
        ours, theirs = se(found.information), np.array(list(gold["se"].values()))
        assert ours[0] > 1.25 * theirs[0]
        # with rho held fixed, expected against observed information is all that is left
        fixed = np.delete(np.delete(found.information, k, 0), k, 1)
        np.testing.assert_allclose(se(fixed)[:k], theirs, rtol=0.15)


@pytest.mark.parametrize(("name", "variant", "id_"), [("rice", "sarre", "sar"), ("rice", "sdmre", "sdm")])
def test_spreg_lag_log_likelihood_lacks_the_random_effect_jacobian(name: str, variant: str, id_: str) -> None:
    found, gold = fit(name, variant), panel(name).entries[f"{name}.spreg.re_lag.{id_}"]
    np.testing.assert_allclose([*found.beta, found.rho], gold["coefficients"][:-1], rtol=2e-6)
    assert gold["loglik"] + 0.5 * found.units * np.log(found.phi) == pytest.approx(found.llf, abs=1e-5)
    assert found.llf == pytest.approx(gold["loglik_exact"], abs=1e-6)


def test_spreg_standard_error_of_rho_is_off() -> None:
    """spreg's information matrix is wrong in its phi row and not symmetric: se(rho) is 8 times too small."""
    p, found = panel("produc"), fit("produc", "sdmre")
    gold = p.entries["produc.spreg.re_lag.sdm"]
    theirs = gold["se"][gold["coef_names"].index("rho")]
    expected = expected_information_re(np.concatenate([p.x, p.wx]), found, p.w, None)
    ours = [se(m)[column(found, "rho")] for m in (found.information, expected)]
    assert min(ours) > 8 * theirs
    np.testing.assert_allclose(ours, p.entries["produc.splm_re.sdmre"]["arcoef_se"], rtol=0.06)


def test_elhorst_spatial_error_uses_eigenvectors_that_are_not_orthogonal() -> None:
    """He takes V' for the inverse of V: right for symmetric W, not for a row-standardised one."""
    found, gold = fit("produc", "semre"), panel("produc").entries["produc.elhorst_re.sem"]
    assert found.llf - gold["loglik"] > 1.5
    assert abs(gold["param"][1] - found.beta[1]) > 0.4 * se(found.information)[1]


@pytest.mark.parametrize("model", ["sar", "sdm"])
def test_time_effects_by_dummies_are_elhorst_and_by_transformation_differ(model: str) -> None:
    """Explicit dummies reproduce Elhorst up to his grid; the transformation removes their bias in rho."""
    p = panel("produc")
    gold = p.entries[f"produc.elhorst_re_timeFE.{model}"]
    t, n = p.y.shape
    z = p.x[1:] if model == "sar" else np.concatenate([p.x[1:], p.wx])
    dummies = np.stack([np.tile(np.eye(t)[s][:, None], (1, n)) for s in range(t)])
    by_dummies = fit_re(np.concatenate([z, dummies]), p.y, p.wy, None, p.logdet, None)
    assert by_dummies.rho == pytest.approx(gold["param"][-1], abs=2e-3)
    np.testing.assert_allclose(by_dummies.beta[: len(z)], gold["param"][:-1], rtol=0.02)
    transformed = fit_re(z, p.y, p.wy, None, drop_unit_root(p.logdet), None, time=True)
    assert transformed.n == (n - 1) * t
    assert transformed.rho > by_dummies.rho + 0.01


def test_splm_standard_error_of_a_lag_near_zero_is_numerical_noise() -> None:
    """Its Hessian steps are relative to the parameter; central differences with a fixed step give ours."""
    p, found = panel("produc"), fit("produc", "sarsemre")
    problem = build_problem(p.x, p.y, p.wy, p.w, (p.logdet, p.logdet), True, False)
    x, h = np.array([found.rho, found.lambda_, found.phi]), np.diag([2e-3, 2e-3, 2e-4])
    value = lambda at: solve(problem, *at)[2]
    hessian = [
        [sum(a * b * value(x + a * i + b * j) for a in (1, -1) for b in (1, -1)) / (4 * i.max() * j.max()) for j in h]
        for i in h
    ]
    ours = se(found.information)[len(p.x) : -1]
    np.testing.assert_allclose(ours, np.sqrt(np.diag(np.linalg.inv(-np.array(hessian)))), rtol=2e-3)
    assert p.entries["produc.splm_re.sarsemre"]["arcoef_se"] < 0.4 * ours[0]
