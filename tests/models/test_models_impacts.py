"""Impacts of fits: the dense definition, delta method against numerical gradients, simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from golden_support import fitted
from panels import SWITCHES, panel, weights

import nqpf_spatial as nq

EFFECTS = ("direct", "indirect", "total")
FORMULA = "y ~ x1 + x2 | unit + period"


def definition(params: pd.Series, term: str, lag: np.ndarray, durbin: np.ndarray) -> np.ndarray:
    """(direct, indirect, total) from the matrix of partial derivatives; analytic in the parameters."""
    n = lag.shape[0]
    own, lagged = params.get(term, 0.0), params.get(f"W:{term}", 0.0)
    s = np.linalg.inv(np.eye(n) - params.get("rho", 0.0) * lag) @ (own * np.eye(n) + lagged * durbin)
    direct, total = np.trace(s) / n, s.sum() / n
    return np.array([direct, total - direct, total])


def gradient(params: pd.Series, term: str, lag: np.ndarray, durbin: np.ndarray) -> np.ndarray:
    out = np.empty((3, len(params)))
    for j in range(len(params)):
        step = params.astype(complex)
        step.iloc[j] += 1e-30j
        out[:, j] = definition(step, term, lag, durbin).imag / 1e-30
    return out


CASES = [
    *((m, "knn", "row", None, " | unit + period") for m in SWITCHES),
    *((m, "knn", "spectral", None, " | unit") for m in ("SAR", "SDM", "SLX", "SDEM", "SAC")),
    *((m, "graph", "none", None, " | unit") for m in ("SAR", "SDM", "SLX")),
    *((m, "knn", "row", ("graph", "row"), " | unit + period") for m in ("SDM", "GNS", "SLX")),
    *((m, "knn", "row", ("graph", "none"), " | unit") for m in ("SDM", "SLX")),
]


@pytest.mark.parametrize(("model", "kind", "transform", "separate", "effects"), CASES)
def test_impacts_and_delta_errors_are_the_definition(model, kind, transform, separate, effects) -> None:
    w = weights(kind, transform=transform)
    rho = 0.35 if transform == "row" else 0.1
    frame = panel(kind, transform=transform, rho=rho * SWITCHES[model][0])
    options = {} if separate is None else {"w_durbin": weights(separate[0], transform=separate[1])}
    fit = nq.fit(f"y ~ x1 + x2{effects}", frame, None if model == "OLS" else w, model=model, **options)
    durbin = options.get("w_durbin", w).dense()
    table = fit.impacts().table
    covariance = fit.cov_params().to_numpy()
    for term in ("x1", "x2"):
        expected = definition(fit.params, term, w.dense(), durbin)
        g = gradient(fit.params, term, w.dense(), durbin)
        se = np.sqrt(np.einsum("ip,pq,iq->i", g, covariance, g))
        for k, effect in enumerate(EFFECTS):
            row = table.loc[term, effect]
            assert row["estimate"] == pytest.approx(expected[k], rel=1e-9, abs=1e-12)
            assert row["se"] == pytest.approx(se[k], rel=1e-7, abs=1e-12)
            assert row["upper"] - row["estimate"] == pytest.approx(1.959963984540054 * se[k], rel=1e-7, abs=1e-12)


def test_without_lag_the_spillover_is_theta_times_the_mean_row_sum() -> None:
    w = weights("graph", transform="none")
    fit = nq.slx("y ~ x1 + x2 | unit", panel("graph", transform="none", rho=0.0), w)
    table = fit.impacts().table
    total = float(w.dense().sum() / w.n)
    assert total > 1.5
    for term in ("x1", "x2"):
        assert table.loc[term, ("indirect", "estimate")] == pytest.approx(total * fit.params[f"W:{term}"], rel=1e-12)
        assert table.loc[term, ("indirect", "se")] == pytest.approx(total * fit.bse[f"W:{term}"], rel=1e-12)
        assert table.loc[term, ("direct", "estimate")] == fit.params[term]


def test_simulation_agrees_with_the_delta_method_where_rho_is_well_determined() -> None:
    fit = nq.sdm("y ~ x1 + x2 | unit + period", panel("knn", n=30, t=12), weights("knn", 30))
    delta, simulated = fit.impacts().table, fit.impacts("simulate", draws=20_000, seed=2).table
    for effect in EFFECTS:
        np.testing.assert_array_equal(simulated[(effect, "estimate")], delta[(effect, "estimate")])
        np.testing.assert_allclose(simulated[(effect, "se")], delta[(effect, "se")], rtol=0.08)
        np.testing.assert_allclose(simulated[(effect, "lower")], delta[(effect, "lower")], atol=0.05)
    with_alpha = fit.impacts("simulate", draws=20_000, seed=2, alpha=0.5).table
    assert (with_alpha[("total", "upper")] < simulated[("total", "upper")]).all()


def test_simulated_intervals_are_quantiles_of_draws_from_the_normal_distribution() -> None:
    fit = nq.sar(FORMULA, panel("knn", n=30, t=12), weights("knn", 30))
    table = fit.impacts("simulate", draws=4_000, seed=0).table
    rng = np.random.default_rng(123)
    draws = rng.multivariate_normal(fit.params.to_numpy(), fit.cov_params().to_numpy(), size=400_000)
    total = draws[:, 0] / (1 - draws[:, 2])
    np.testing.assert_allclose(table.loc["x1", ("total", "se")], total.std(), rtol=0.05)
    low, high = np.quantile(total, [0.025, 0.975])
    assert table.loc["x1", ("total", "lower")] == pytest.approx(low, abs=0.1 * total.std())
    assert table.loc["x1", ("total", "upper")] == pytest.approx(high, abs=0.1 * total.std())


def test_same_seed_same_bits() -> None:
    fit = nq.sdm(FORMULA, panel("knn"), weights("knn"))
    first, again, other = (fit.impacts("simulate", draws=500, seed=s).table for s in (4, 4, 5))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert not np.allclose(first[("direct", "se")], other[("direct", "se")], rtol=1e-6)


def test_draws_outside_the_interval_are_left_out_and_reported() -> None:
    fit = fitted("columbus", "sdm")
    wide = fit.impacts("simulate", draws=40_000, seed=0)
    assert 0 < wide.outside < 0.01
    assert wide.draws == round(40_000 * (1 - wide.outside))
    assert "of the draws outside the admissible interval" in repr(wide)


def test_simulated_intervals_do_not_depend_on_the_seed_where_standard_deviations_do() -> None:
    """b / (1 - rho) has no finite variance: the interval of quantiles is stable, the standard deviation is not."""
    fit = fitted("columbus", "sdm")
    rows = [fit.impacts("simulate", draws=10_000, seed=s).table.loc["HOVAL", "total"] for s in range(4)]
    width = [row["upper"] - row["lower"] for row in rows]
    assert max(width) / min(width) < 1.1
    assert max(row["se"] for row in rows) / min(row["se"] for row in rows) > 2


def test_table_layout() -> None:
    imp = nq.sdm(FORMULA, panel("knn"), weights("knn")).impacts()
    assert list(imp.table.index) == ["x1", "x2"] and imp.table.index.name == "term"
    statistics = ["estimate", "se", "z", "p", "lower", "upper"]
    assert list(imp.table.columns) == [(e, s) for e in EFFECTS for s in statistics]
    long = imp.tidy()
    assert list(long.index) == [(t, e) for t in ("x1", "x2") for e in EFFECTS] and list(long.columns) == statistics
    assert long.loc[("x2", "total"), "p"] == imp.table.loc["x2", ("total", "p")]
    assert "delta method" in repr(imp) and "SDM" in repr(imp) and "<table" in imp._repr_html_()
    z = imp.table[("total", "z")]
    np.testing.assert_allclose(z, imp.table[("total", "estimate")] / imp.table[("total", "se")], rtol=1e-14)


def test_impacts_use_the_covariance_of_the_fit() -> None:
    fit = nq.sdm(FORMULA, panel("knn"), weights("knn"))
    observed, expected = (fit.with_vcov(v).impacts().table for v in ("observed", "expected"))
    np.testing.assert_array_equal(observed[("total", "estimate")], expected[("total", "estimate")])
    assert not np.allclose(observed[("total", "se")], expected[("total", "se")], rtol=1e-6)


def test_refusals() -> None:
    fit = nq.sdm(FORMULA, panel("knn"), weights("knn"))
    with pytest.raises(ValueError, match=r"method='mc' is not known; choose one of 'delta', 'simulate'"):
        fit.impacts(method="mc")
    with pytest.raises(ValueError, match="draws=1: at least two"):
        fit.impacts("simulate", draws=1)


def test_a_model_without_regressors_has_no_impacts() -> None:
    fit = nq.sar("y ~ 1 | unit", panel("knn"), weights("knn"))
    with pytest.raises(ValueError, match="no regressors"):
        fit.impacts()


def test_small_effects_do_not_read_as_zero():
    w = nq.weights.contiguity()
    data = nq.simulate("SDM", w, T=6, params={"x": 1.0, "W:x": 0.5, "rho": 0.3}, seed=2).assign(
        x=lambda d: d["x"] * 1e6
    )
    shown = repr(nq.sdm("y ~ x | unit + period", data, w).impacts())
    assert "e-07" in shown and "0.0000 0.0000" not in shown
