"""What a fit says when the data say little, and that units of measurement change nothing but the units of the numbers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError, IdentificationWarning
from nqpf_spatial.kernels import scaled
from nqpf_spatial.models import diagnostics as dg
from nqpf_spatial.weights import from_any

FORMULA = "y ~ x | unit + period"


def near_equal(n: int = 31):
    """Complete weights with a little structure."""
    place = np.arange(n)
    array = 1.0 / (30.0 + np.abs(place[:, None] - place))
    np.fill_diagonal(array, 0.0)
    return from_any(array, ids=[f"c{i:02d}" for i in range(n)], transform="row", name="near-equal")


@pytest.fixture(scope="module")
def weak_data():
    return nq.simulate("SAR", near_equal(), T=8, params={"x": 0.2, "rho": 0.3}, seed=1)


@pytest.mark.parametrize(("model", "name"), [("SAR", "rho"), ("SDM", "rho"), ("SEM", "lambda"), ("SDEM", "lambda")])
def test_near_equal_weights_with_time_effects_are_said_at_fit_time(model, name, weak_data):
    """The sd in the warning is that of the identification row of `diagnose`."""
    w = near_equal()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = nq.fit(FORMULA, weak_data, w, model=model)
    if fit.estimate.fit.boundary:
        assert "end of the admissible interval" in str(caught[0].message)
        return
    with pytest.warns(IdentificationWarning) as again:
        sd = dg.identification(fit).statistic
    assert [str(c.message) for c in caught] == [str(a.message) for a in again]
    assert f"{name} = {fit.params[name]:.3f} is hardly identified" in str(caught[0].message)
    assert f"its standard deviation is {sd:.2f}" in str(caught[0].message)
    assert sd > 0.25


def test_the_same_weights_without_time_effects_carry_information(weak_data):
    """pytest turns a warning into an error."""
    fit = nq.sar("y ~ x | unit", weak_data, near_equal())
    assert dg.identification(fit).statistic < 0.25


def test_dense_weights_with_structure_do_not_warn():
    w = nq.weights.inverse_distance(power=2)
    data = nq.simulate("SDM", w, T=12, params={"x": 1.0, "W:x": 0.3, "rho": 0.4}, seed=1)
    assert nq.sdm(FORMULA, data, w).bse["rho"] < 0.2


def test_a_dynamic_fit_says_it_too():
    w = near_equal()
    data = nq.simulate("SAR", w, T=9, params={"x": 0.2, "L:y": 0.4, "rho": 0.2}, seed=5)
    with pytest.warns(IdentificationWarning, match="rho = .* is hardly identified"):
        nq.sar(FORMULA, data, w, dynamic="lag_y")


# -- units of measurement -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data():
    return nq.simulate("SDM", nq.weights.contiguity(), T=6, params={"x": 1.0, "z": 0.5, "rho": 0.4}, seed=1)


@pytest.mark.parametrize("factor", [1e12, 1e-12])
@pytest.mark.parametrize("options", [{"model": "SDM"}, {"model": "SDEM"}, {"model": "SDM", "dynamic": "lag_y"}])
def test_the_scale_of_the_outcome_changes_no_test(factor, options, data):
    """Errors are raised for warnings, so that none about ill-conditioned matrices may occur either."""
    w, formula = nq.weights.contiguity(), "y ~ x + z | unit + period"
    one = nq.fit(formula, data, w, **options)
    other = nq.fit(formula, data.assign(y=factor * data["y"]), w, **options)
    for test, again in zip(one.diagnose(replicates=60), other.diagnose(replicates=60), strict=True):
        assert (test.key, test.scope, test.df) == (again.key, again.scope, again.df)
        if test.key == "condition" and options.get("dynamic"):
            continue  # y_{t-1} is one of the columns, scaled to unit length: equal up to rounding
        assert again.statistic == pytest.approx(test.statistic, rel=1e-6, nan_ok=True), test.key
        assert again.pvalue == pytest.approx(test.pvalue, rel=1e-5, abs=1e-12, nan_ok=True), test.key
    ratio = other.impacts().table["total"] / one.impacts().table["total"]
    np.testing.assert_allclose(ratio[["estimate", "se", "lower", "upper"]], factor, rtol=1e-7)


@pytest.mark.parametrize("model", ["SLX", "SAR", "SDM", "SEM"])
def test_a_diagnosis_of_three_units_has_no_stray_warning(model):
    w = from_any(np.array([[0.0, 1, 1], [1, 0, 0], [1, 0, 0]]), ids=["a", "b", "c"], transform="row", name="w3")
    params = {
        "x": 1.0,
        **({"rho": 0.4} if model in ("SAR", "SDM") else {}),
        **({"lambda": 0.4} if model == "SEM" else {}),
    }
    fit = nq.fit("y ~ x | unit + period", nq.simulate(model, w, T=12, params=params, seed=1), w, model=model)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=IdentificationWarning)
        found = fit.diagnose(replicates=60)
    assert "four units or more" in found["moran_outcome"].note
    with pytest.raises(IdentificationError, match="four units"):
        dg.moran_outcome(fit)


def test_scaled_solutions():
    rng = np.random.default_rng(1)
    a = rng.standard_normal((5, 5))
    a = a @ a.T
    d = np.diag(10.0 ** np.array([-9, 3, 0, 8, -4]))
    b = rng.standard_normal((5, 2))
    np.testing.assert_allclose(scaled.solve(d @ a @ d, d @ b), np.linalg.inv(d) @ np.linalg.solve(a, b), rtol=1e-9)
    np.testing.assert_allclose(scaled.solve(a, b[:, 0]), np.linalg.solve(a, b[:, 0]), rtol=1e-9)
    np.testing.assert_allclose(
        scaled.inverse(d @ a @ d), np.linalg.inv(d) @ np.linalg.inv(a) @ np.linalg.inv(d), rtol=1e-9
    )
    with pytest.raises(np.linalg.LinAlgError):
        scaled.solve(np.zeros((2, 2)), np.ones(2))


# -- covariances that do not enter --------------------------------------------------------------------------


def test_impacts_say_that_the_covariance_of_the_fit_does_not_enter(data):
    fit = nq.sdm("y ~ x + z | unit + period", data, nq.weights.contiguity())
    robust = fit.with_vcov("sandwich")
    for method in ("bootstrap", "posterior"):
        words = "vcov 'sandwich' of the fit does not enter"
        assert words in repr(robust.impacts(method, draws=50))
        assert words in robust.impacts(method, draws=50)._repr_html_()
        assert "does not enter" not in repr(fit.impacts(method, draws=50))
    assert "vcov sandwich" in repr(robust.impacts())


def test_other_results_say_that_the_covariance_of_the_fit_does_not_enter(data):
    w = nq.weights.contiguity()
    fit = nq.sdm("y ~ x + z | unit + period", data, w)
    several = nq.sdm("y ~ x + z | unit + period", data, {"near": w, "far": nq.weights.inverse_distance(power=2)})
    dynamic = nq.sar("y ~ x + z | period", data, w, dynamic="lag_y")
    made = {
        "sandwich": [
            lambda f: f.posterior(50),
            lambda f: f.counterfactual({"x": 1.0}, method="posterior", draws=50),
            lambda f: f.counterfactual({"x": 1.0}, method="bootstrap", draws=50),
        ],
        "expected": [lambda f: f.impacts("bootstrap", draws=50)],
    }
    for vcov, calls in made.items():
        for call in calls:
            for plain in (fit,) if vcov == "sandwich" else (fit, several, dynamic):
                assert f"vcov {vcov!r} of the fit does not enter" in repr(call(plain.with_vcov(vcov)))
                assert "does not enter" not in repr(call(plain))
    assert "vcov expected" in repr(several.with_vcov("expected").impacts())
    assert "vcov sandwich" in repr(fit.with_vcov("sandwich").counterfactual({"x": 1.0}, method="simulate", draws=50))


def test_tables_name_no_covariance_below_effects_that_have_none(data):
    robust = nq.sdm("y ~ x + z | unit + period", data, nq.weights.contiguity()).with_vcov("sandwich")
    delta, boot = (
        str(nq.compare({"a": robust.impacts(m, **o)}, show="impacts"))
        for m, o in (("delta", {}), ("bootstrap", {"draws": 50}))
    )
    assert "sandwich" in delta.lower()
    assert "sandwich" not in boot.lower()
