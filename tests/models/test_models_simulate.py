"""The simulator: reproducible, with the stated moments, and the estimator finds its parameters again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from panels import weights
from scipy import stats

import nqpf_spatial as nq

PARAMS = {"x": 1.0, "W:x": 0.5, "z": -0.5, "rho": 0.4, "sigma2": 0.25}


def test_simulate_is_reproducible() -> None:
    w = weights("knn")
    a, b, c = (nq.simulate("SDM", w, T=4, params=PARAMS, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(a, b, check_exact=True)
    assert not np.allclose(a["y"], c["y"])
    assert list(a.columns) == ["y", "x", "z"] and a.index.names == ["unit", "period"] and a.shape == (40, 3)
    cross = nq.simulate("SDM", w, params=PARAMS, seed=1)
    assert cross.index.name == "unit" and cross.shape == (10, 3)


@pytest.mark.parametrize("errors", ["normal", "t5", "chi2"])
def test_simulated_errors_have_the_stated_moments(errors: str) -> None:
    w = weights("knn", 30)
    data = nq.simulate("SAR", w, T=800, params={"rho": 0.5, "sigma2": 2.0}, effects=False, errors=errors, seed=3)
    wide_ = data["y"].unstack("unit")[list(w.ids)].to_numpy()
    e = wide_ - 0.5 * wide_ @ w.dense().T
    assert e.mean() == pytest.approx(0.0, abs=0.04)
    assert e.var() == pytest.approx(2.0, rel=0.05)
    skewness = {"normal": 0.0, "t5": 0.0, "chi2": np.sqrt(8 / 3)}[errors]
    assert stats.skew(e.ravel()) == pytest.approx(skewness, abs=0.25)
    assert (stats.kurtosis(e.ravel()) > 1.0) == (errors != "normal")


def test_estimates_of_a_large_simulated_panel_are_the_parameters() -> None:
    w = weights("knn", 60)
    for model, params in (
        ("SDM", PARAMS),
        ("SAC", {"x": 1.0, "rho": 0.4, "lambda": 0.3}),
        ("SDEM", {"x": 1.0, "W:x": 0.5, "lambda": 0.4}),
    ):
        data = nq.simulate(model, w, T=40, params=params, seed=5)
        names = [n for n in data.columns if n != "y"]
        fit = nq.fit(f"y ~ {' + '.join(names)} | unit + period", data, w, model=model)
        for name, value in params.items():
            if name == "sigma2":
                assert fit.sigma2 == pytest.approx(value, abs=5 * fit.sigma2_se)
            else:
                assert abs(fit.params[name] - value) < 4.5 * fit.bse[name], (model, name)


def test_simulate_refuses_what_the_model_has_not() -> None:
    w = weights("knn")
    with pytest.raises(ValueError, match="a SAR model has no W:x"):
        nq.simulate("SAR", w, T=2, params={"x": 1.0, "W:x": 0.5})
    with pytest.raises(ValueError, match="a SEM model has no rho"):
        nq.simulate("SEM", w, T=2, params={"rho": 0.2})
    with pytest.raises(ValueError, match=r"rho=1.0 lies outside the admissible interval \(.*, 1\) of W"):
        nq.simulate("SAR", w, T=2, params={"rho": 1.0})
    with pytest.raises(ValueError, match="errors='cauchy' is not known; choose one of 'normal'"):
        nq.simulate("SAR", w, T=2, params={}, errors="cauchy")


@pytest.mark.parametrize(
    ("params", "t"),
    [
        ({"Intercept": 5.0, "x": 1.0}, 2),
        ({"x": 1.0, "lambda_": 0.2}, 2),
        ({"x": 1.0, "sigma2": -1.0}, 2),
        ({"x": 1.0}, 0),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_simulate_refuses_or_understands_every_name(params: dict, t: int) -> None:
    with pytest.raises(ValueError):
        nq.simulate("SEM", weights("knn"), T=t, params=params)
