"""Every static model against other software on public data, at the tolerances of tests/golden/README.md.

The checks are in golden_cross.py and golden_panel.py, one function per kind of entry.
"""

from __future__ import annotations

import golden_cross  # noqa: F401  registers its checks
import numpy as np
import pytest
from dense_reference import profile_loglik
from golden_panel import splm_vectors
from golden_pending import NOT_COVERED
from golden_support import CASES, assert_all, data, dense_impacts, entries, fitted, panel_system, weights
from scipy import optimize


@pytest.mark.parametrize("golden", sorted(CASES))
def test_golden(golden: str) -> None:
    assert_all(CASES[golden](entries()[golden]))


@pytest.mark.parametrize(
    ("model", "effects"), [("sdm", "twoways"), ("sdm", "time"), ("sem", "twoways"), ("sac", "time")]
)
def test_brute_force_from_the_peers_estimate_climbs_to_ours(model: str, effects: str) -> None:
    """Started at splm's time and two-way estimates, a general optimiser ends at our numbers."""
    e = entries()[f"produc.splm.{model}.{effects}.ml"]
    coefficients = splm_vectors(e, model)[0]
    fit = fitted("produc", model, effects, "none")
    order = list(fit.params.index)
    scale = fit.bse.to_numpy()
    system = panel_system("produc", model, effects, False)
    spatial = [n for n in order if n in ("rho", "lambda")]
    k = len(order) - len(spatial)

    def value(p: np.ndarray) -> float:
        p = p * scale
        extra = dict(zip(spatial, p[k:], strict=True))
        return -profile_loglik(system, p[:k], extra.get("rho", 0.0), extra.get("lambda", 0.0))

    start = np.array([coefficients[n] for n in order]) / scale
    found = optimize.minimize(value, start, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-7, "maxiter": 200})
    assert -found.fun == pytest.approx(fit.llf, abs=1e-6)
    assert np.max(np.abs(found.x - fit.params.to_numpy() / scale)) < 2e-3  # in standard errors
    assert value(start) - found.fun > 1e-4


def test_binary_weights_spatialreg_impacts_are_not_the_definition() -> None:
    """spatialreg divides by (1 - rho) whatever the row sums are; ours is the mean row sum of the inverse."""
    e = entries()["columbusB.sar_ml"]
    fit, rho = fitted("columbusB", "sar"), e["rho"]
    for term in ("INC", "HOVAL"):
        wrong = e["impacts_exact"][term]["total"]
        assert wrong == pytest.approx(e["coefficients"][term] / (1 - rho), rel=1e-9)
        right = dense_impacts(weights("columbusB").dense(), fit.rho, fit.params[term], 0.0)
        row = fit.impacts().table.loc[term]
        assert row[("total", "estimate")] == pytest.approx(right["total"], rel=1e-10)
        assert abs(row[("total", "estimate")] / wrong - 1) > 0.25


def test_every_golden_entry_is_covered_or_listed() -> None:
    listed = set().union(*NOT_COVERED.values())
    assert sum(len(ids) for ids in NOT_COVERED.values()) == len(listed), "an id is listed under two reasons"
    known = set(entries())
    assert not set(CASES) - known, f"checked ids that do not exist: {sorted(set(CASES) - known)}"
    assert not listed - known, f"listed ids that do not exist: {sorted(listed - known)}"
    assert not listed & set(CASES), f"listed as not covered, but checked: {sorted(listed & set(CASES))}"
    assert not known - listed - set(CASES), f"neither checked nor listed: {sorted(known - listed - set(CASES))}"


def test_data_are_the_ones_the_peers_used() -> None:
    """Order of rows and units as the golden files say, so that values can be compared one by one."""
    assert data("produc").shape == (48 * 17, 5)
    assert data("rice").shape[0] == 171 * 6
    assert weights("produc").is_row_stochastic and weights("rice").is_row_stochastic
    columns = weights("rice").dense().sum(axis=0)
    assert np.allclose(columns, 1.0) and not np.allclose(weights("produc").dense().sum(axis=0), 1.0)
