"""Invariances that hold for any data, tried on drawn panels (deterministic draws)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import SWITCHES, panel, weights

import nqpf_spatial as nq
from nqpf_spatial.kernels.logdet import from_eigenvalues
from nqpf_spatial.weights import SpatialWeights, from_any

quick = settings(derandomize=True, max_examples=10, deadline=None, database=None)
SPATIAL = ("SAR", "SDM", "SEM", "SDEM", "SAC")
FORMULAS = {"none": "y ~ x1 + x2", **{e: f"y ~ x1 + x2 | {e}" for e in ("unit", "period", "unit + period")}}

kinds = st.sampled_from(["ring", "graph", "knn"])
models = st.sampled_from(SPATIAL)
effects = st.sampled_from(["none", "unit", "period", "unit + period"])
corrections = st.sampled_from(["transform", "none"])
seeds = st.integers(0, 50)
factors = st.floats(0.01, 100.0)


def data(kind: str, model: str, seed: int, n: int = 12, t: int = 6) -> tuple[pd.DataFrame, SpatialWeights]:
    lag, durbin, error = SWITCHES[model]
    frame = panel(kind, n=n, t=t, rho=0.3 * lag, lambda_=0.3 * error, theta=0.4 * durbin, seed=seed)
    return frame, weights(kind, n)


def close(a: object, b: object, tol: float = 1e-7) -> None:
    np.testing.assert_allclose(np.asarray(a, dtype=float), np.asarray(b, dtype=float), rtol=tol, atol=tol)


@quick
@given(kind=kinds, model=models, effect=effects, correction=corrections, seed=seeds, cy=factors, cx=factors)
def test_units_of_measurement(kind, model, effect, correction, seed, cy, cx) -> None:
    frame, w = data(kind, model, seed)
    fit = nq.fit(FORMULAS[effect], frame, w, model=model, correction=correction)
    scaled = frame.assign(y=cy * frame["y"], x1=cx * frame["x1"])
    new = nq.fit(FORMULAS[effect], scaled, w, model=model, correction=correction)
    factor = pd.Series(cy, index=fit.params.index)
    factor[[n for n in ("x1", "W:x1") if n in factor]] = cy / cx
    factor[[n for n in ("rho", "lambda") if n in factor]] = 1.0
    close(new.params / factor, fit.params)
    close(new.bse / factor, fit.bse)
    close(new.sigma2 / cy**2, fit.sigma2)
    close(new.llf + fit.n_effective * np.log(cy), fit.llf)
    close(
        new.impacts().table.loc["x1", ("total", "estimate")] * cx / cy,
        fit.impacts().table.loc["x1", ("total", "estimate")],
    )


@quick
@given(kind=kinds, model=models, correction=corrections, seed=seeds, shift=st.floats(-50, 50))
def test_constants_that_the_effects_take_up(kind, model, correction, seed, shift) -> None:
    """Anything constant over time, and anything constant over units (rows of W sum to one)."""
    frame, w = data(kind, model, seed)
    rng = np.random.default_rng(seed)
    units = frame.index.get_level_values(0)
    by_unit = pd.Series(rng.normal(size=w.n), index=w.ids).reindex(units).to_numpy()
    by_period = rng.normal(size=2100)[frame.index.get_level_values(1)]
    for effect, moved in (
        ("none", shift),
        ("unit", shift + by_unit),
        ("period", shift + by_period),
        ("unit + period", shift + by_unit + by_period),
    ):
        fit = nq.fit(FORMULAS[effect], frame, w, model=model, correction=correction)
        other = frame.assign(y=frame["y"] + moved, x1=frame["x1"] - 0.5 * moved, x2=frame["x2"] + 2 * moved)
        new = nq.fit(FORMULAS[effect], other, w, model=model, correction=correction)
        names = [n for n in fit.params.index if n != "Intercept"]
        close(new.params[names], fit.params[names], 1e-6)
        close(new.llf, fit.llf, 1e-7)
        close(new.bse[names], fit.bse[names], 1e-6)


@quick
@given(model=models, effect=effects, seed=seeds)
def test_relabelling_and_reordering(model, effect, seed) -> None:
    """Labels that sort in another order: the numbers stay."""
    frame, w = data("knn", model, seed)
    fit = nq.fit(FORMULAS[effect], frame, w, model=model)
    names = [f"z{k:02d}" for k in np.random.default_rng(seed).permutation(w.n)]
    table = dict(zip(w.ids, names, strict=True))
    renamed = from_any(w.dense(), ids=names, transform="none")
    new = nq.fit(FORMULAS[effect], frame.rename(index=table, level=0), renamed, model=model)
    close(new.params, fit.params, 1e-9)
    close(new.bse, fit.bse, 1e-8)
    close(new.llf, fit.llf, 1e-11)
    resid = fit.resid.rename(index=table, level=0)
    close(new.resid, resid.reindex(new.resid.index), 1e-8)


@quick
@given(kind=kinds, effect=effects, correction=corrections, seed=seeds)
def test_nested_models_have_ordered_likelihoods(kind, effect, correction, seed) -> None:
    frame, w = data(kind, "SDM", seed)
    llf = {
        m: nq.fit(FORMULAS[effect], frame, None if m == "OLS" else w, model=m, correction=correction).llf
        for m in SWITCHES
        if m != "GNS"
    }
    pairs = [("SAR", "OLS"), ("SEM", "OLS"), ("SLX", "OLS"), ("SDM", "SAR"), ("SDM", "SLX"), ("SDM", "SEM")]
    pairs += [("SDEM", "SEM"), ("SDEM", "SLX"), ("SAC", "SAR"), ("SAC", "SEM")]
    for large, small in pairs:
        assert llf[large] >= llf[small] - 1e-9, (large, small)


@quick
@given(kind=kinds, effect=effects, seed=seeds)
def test_dropping_all_durbin_terms_gives_the_smaller_model(kind, effect, seed) -> None:
    frame, w = data(kind, "SAR", seed)
    for large, small in (("SDM", "SAR"), ("SDEM", "SEM"), ("GNS", "SAC"), ("SLX", "OLS")):
        a = nq.fit(FORMULAS[effect], frame, w, model=large, durbin=[])
        b = nq.fit(FORMULAS[effect], frame, None if small == "OLS" else w, model=small)
        close(a.params, b.params, 1e-9)
        close(a.llf, b.llf, 1e-11)


@quick
@given(kind=kinds, model=st.sampled_from(list(SWITCHES)), effect=effects, seed=seeds)
def test_direct_and_indirect_add_to_total(kind, model, effect, seed) -> None:
    frame, w = data(kind, model, seed)
    fit = nq.fit(FORMULAS[effect], frame, None if model == "OLS" else w, model=model)
    table = fit.impacts().table
    close(table[("direct", "estimate")] + table[("indirect", "estimate")], table[("total", "estimate")], 1e-12)
    for term in ("x1", "x2"):  # rows of W sum to one
        both = fit.params[term] + fit.params.get(f"W:{term}", 0.0)
        close(table.loc[term, ("total", "estimate")], both / (1.0 - (fit.rho or 0.0)), 1e-9)


@quick
@given(model=models, scale=st.floats(0.05, 20.0), seed=seeds)
def test_scale_of_the_weights(model, scale, seed) -> None:
    """rho W is what counts: rho moves against the scale of W, everything else stays."""
    w, scaled = weights("graph", 10, "none"), weights("graph", 10, "none", scale)
    lag, durbin, error = SWITCHES[model]
    frame = panel("graph", transform="none", rho=0.1 * lag, lambda_=0.1 * error, theta=0.2 * durbin, seed=seed)
    fit, new = (nq.fit(FORMULAS["unit"], frame, v, model=model) for v in (w, scaled))
    for name in fit.params.index:
        factor = scale if name.startswith("W:") or name in ("rho", "lambda") else 1.0
        close(new.params[name] * factor, fit.params[name], 1e-6)
        close(new.bse[name] * factor, fit.bse[name], 1e-6)
    close(new.llf, fit.llf, 1e-9)
    close(new.impacts().table, fit.impacts().table, 1e-6)


SCALES = [1e-6, 1e-4, 1e-2, 1e2, 1e4, 1e6]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("model", ["SAR", "SEM"])
def test_weights_in_any_unit(model: str, scale: float) -> None:
    """Inverse kilometres or persons: no scale of W is special."""
    w, scaled = weights("graph", 10, "none"), weights("graph", 10, "none", scale)
    lag, _, error = SWITCHES[model]
    frame = panel("graph", transform="none", rho=0.1 * lag, lambda_=0.1 * error, theta=0.0)
    fit, new = (nq.fit(FORMULAS["unit"], frame, v, model=model) for v in (w, scaled))
    close(new.params.iloc[-1] * scale, fit.params.iloc[-1], 1e-6)
    close(new.bse.iloc[-1] * scale, fit.bse.iloc[-1], 1e-6)
    close(new.llf, fit.llf, 1e-9)


@quick
@given(kind=kinds, model=models, effect=effects, seed=seeds)
def test_another_basis_of_the_regressors(kind, model, effect, seed) -> None:
    frame, w = data(kind, model, seed)
    fit = nq.fit(FORMULAS[effect], frame, w, model=model)
    new = nq.fit(FORMULAS[effect], frame.assign(x1=frame["x1"] + 3 * frame["x2"]), w, model=model)
    spatial = [n for n in fit.params.index if n in ("rho", "lambda")]
    close(new.params[spatial], fit.params[spatial])
    close(new.params["x2"] + 3 * new.params["x1"], fit.params["x2"])
    close(new.bse[spatial], fit.bse[spatial])
    close(new.llf, fit.llf, 1e-10)


@quick
@given(kind=kinds, model=models, effect=effects, correction=corrections, seed=seeds)
def test_order_of_the_periods_does_not_matter(kind, model, effect, correction, seed) -> None:
    frame, w = data(kind, model, seed)
    years = sorted(set(frame.index.get_level_values(1)))
    mixed = dict(zip(years, np.random.default_rng(seed).permutation(years).tolist(), strict=True))
    fit, new = (
        nq.fit(FORMULAS[effect], f, w, model=model, correction=correction)
        for f in (frame, frame.rename(index=mixed, level=1))
    )
    close(new.params, fit.params, 1e-9)
    close(new.llf, fit.llf, 1e-11)


@quick
@given(kind=kinds, model=models, seed=seeds)
def test_the_same_panel_twice_halves_the_covariance(kind, model, seed) -> None:
    frame, w = data(kind, model, seed)
    twice = pd.concat([frame, frame.rename(index=lambda t: t + 100, level=1)])
    fit, new = (nq.fit("y ~ x1 + x2", f, w, model=model) for f in (frame, twice))
    close(new.params, fit.params, 1e-8)
    close(new.bse * np.sqrt(2.0), fit.bse, 1e-7)
    close(new.llf, 2 * fit.llf, 1e-10)


@quick
@given(kind=kinds, model=models, seed=seeds)
def test_unit_effects_differ_between_corrections_by_the_degrees_of_freedom_only(kind, model, seed) -> None:
    frame, w = data(kind, model, seed)
    none, transform = (nq.fit(FORMULAS["unit"], frame, w, model=model, correction=c) for c in ("none", "transform"))
    close(transform.params, none.params, 1e-9)
    close(transform.bse, none.bse * np.sqrt(6 / 5), 1e-7)
    close(transform.sigma2, none.sigma2 * 6 / 5, 1e-9)


@quick
@given(kind=kinds, model=models, effect=effects, seed=seeds)
def test_formula_language_does_not_change_the_numbers(kind, model, effect, seed) -> None:
    """Plain names take a shorter way through the design than expressions do."""
    frame, w = data(kind, model, seed)
    plain = nq.fit(FORMULAS[effect], frame, w, model=model)
    written = nq.fit(FORMULAS[effect].replace("x1", "I(x1 * 1.0)"), frame, w, model=model)
    assert np.array_equal(plain.params.to_numpy(), written.params.to_numpy())
    assert plain.llf == written.llf


@quick
@given(n=st.integers(2, 14), seed=st.integers(0, 10_000), share=st.floats(-0.98, 0.98), row=st.booleans())
def test_log_determinant_equals_slogdet(n, seed, share, row) -> None:
    rng = np.random.default_rng(seed)
    a = rng.random((n, n)) * (rng.random((n, n)) < 0.6) + np.roll(np.eye(n), 1, axis=1)
    np.fill_diagonal(a, 0.0)
    w = from_any(a, ids=[f"u{k}" for k in range(n)], transform="row" if row else "none")
    found = from_eigenvalues(w.eigenvalues(), w.rho_interval())
    r = share * (found.high if share > 0 else -found.low)
    sign, value = np.linalg.slogdet(np.eye(n) - r * w.dense())
    assert sign == 1.0
    assert float(found(r)) == pytest.approx(value, abs=1e-8)


@quick
@given(kind=kinds, model=models, effect=effects, correction=corrections, seed=seeds)
def test_covariances_are_positive_definite_and_likelihoods_maximal(kind, model, effect, correction, seed) -> None:
    """Moving rho or lambda a little and refitting nothing else lowers the likelihood."""
    frame, w = data(kind, model, seed)
    fit = nq.fit(FORMULAS[effect], frame, w, model=model, correction=correction)
    for vcov in ("observed", "expected"):
        assert np.all(np.linalg.eigvalsh(fit.with_vcov(vcov).cov_params()) > 0)
    from nqpf_spatial.kernels.ml import evaluate

    est = fit.estimate
    for rho, lambda_ in ((1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)):
        moved = evaluate(
            est.reduced,
            est.likelihood,
            est.fit.beta,
            est.fit.rho + rho * est.model.lag,
            est.fit.lambda_ + lambda_ * est.model.error,
            est.fit.sigma2,
        )
        assert moved.llf <= fit.llf + 1e-12
