"""Mistakes in formulas and arguments: errors in plain words that name the culprit and the remedy, never another model."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import FewClustersWarning, IdentificationError, PanelError

W = nq.weights.contiguity()


@pytest.fixture
def data() -> pd.DataFrame:
    drawn = nq.simulate("SDM", W, T=5, params={"x": 1.0, "W:x": 0.5, "rho": 0.3}, seed=1)
    return drawn.assign(z=np.arange(len(drawn)) % 7, twice=2 * drawn["y"])


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (None, "formula=None is no text"),
        (["y ~ x"], "is no text; write 'y ~ x1"),
        ("y ~ I(z^2)", r"\^ is no power; write \*\*"),
        ("y ~ I((z + 1)^2)", r"\^ is no power; write \*\*"),
        ("y ~ x^2", r"'x\^2' stands for interactions.*write I\(x\*\*2\)"),
        ("y ~ x + z**2 | unit", r"'z\*\*2' stands for interactions"),
        ("y ~ .", "'.' for all other columns; name the regressors"),
        ("y ~ x + __import__('os').getcwd()", "cannot be read"),
    ],
)
def test_formulas_that_mean_something_else(data: pd.DataFrame, formula: str, words: str) -> None:
    for model in (nq.sar, nq.gmm):
        with pytest.raises(ValueError, match=words):
            model(formula, data, W)


@pytest.mark.parametrize("formula", ["y ~ (x + z)^2", "y ~ (x + z)**2", "y ~ I(x**2)", "y ~ np.exp(x**2)", "y ~ `a^2`"])
def test_powers_that_mean_what_they_say(data: pd.DataFrame, formula: str) -> None:
    assert np.isfinite(nq.sar(formula, data.assign(**{"a^2": data["x"]}), W).params).all()


def test_parser_errors_are_plain_text(data: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="cannot be read") as caught:
        nq.sar("y ~ x + | unit", data, W)
    assert re.fullmatch(r"[\x20-\x7e]+", str(caught.value))


@pytest.mark.parametrize(("name", "here"), [("ln", "log"), ("factor", "C"), ("sqrt", "np.sqrt")])
def test_functions_of_other_programs(data: pd.DataFrame, name: str, here: str) -> None:
    with pytest.raises(PanelError, match=f"no function {name}; here it is {re.escape(here)}"):
        nq.sar(f"y ~ {name}(x)", data, W)


def test_columns_where_levels_are_meant(data: pd.DataFrame) -> None:
    with pytest.raises(PanelError, match=re.escape("data.set_index(['unit', 'period'])")):
        nq.sar("y ~ x | unit + period", data.reset_index(), W)


@pytest.mark.parametrize("model", ["SDM", "SEM", "SLX", "SAR"])
def test_outcome_among_the_regressors_is_named(data: pd.DataFrame, model: str) -> None:
    with pytest.raises(IdentificationError, match="exact linear combination of twice: nothing is left"):
        nq.fit("y ~ x + twice | unit + period", data, W, model=model)


def test_outcome_among_the_regressors_elsewhere(data: pd.DataFrame) -> None:
    words = "exact linear combination of twice"
    with pytest.raises(IdentificationError, match=words):
        nq.gmm("y ~ x + twice | unit", data, W)
    with pytest.raises(IdentificationError, match=words):
        nq.ols("y ~ x + twice", data)
    with pytest.raises(IdentificationError, match=words):
        nq.sar("y ~ x + twice | unit", data, W, dynamic="lag_y")
    with pytest.raises(IdentificationError, match=words):
        nq.sar("y ~ x + twice | unit", data, {"a": W, "b": nq.weights.knn(k=3)})


@pytest.mark.parametrize("model", ["SDM", "OLS"])
def test_outcome_without_variation(data: pd.DataFrame, model: str) -> None:
    flat = data.assign(y=data.groupby(level=0)["y"].transform("mean"))
    with pytest.raises(IdentificationError, match="outcome y is constant once the unit and period effects"):
        nq.fit("y ~ x | unit + period", flat, None if model == "OLS" else W, model=model)


def test_complex_numbers_are_no_data(data: pd.DataFrame) -> None:
    with pytest.raises(PanelError, match=r"not numeric: 'x' \(complex128"):
        nq.sar("y ~ x", data.assign(x=data["x"] + 1j), W)


def test_window_from_end_to_start(data: pd.DataFrame) -> None:
    with pytest.raises(PanelError, match=re.escape("years=(4, 2): the first is after the last; write years=(2, 4)")):
        nq.sar("y ~ x", data, W, years=(4, 2))


def test_durbin_is_a_list(data: pd.DataFrame) -> None:
    words = re.escape("durbin='x': give a list of names, durbin=['x']")
    for estimator in (nq.sdm, nq.gmm):
        with pytest.raises(ValueError, match=words):
            estimator("y ~ x", data, W, **({} if estimator is nq.sdm else {"model": "SDM"}), durbin="x")
    with pytest.raises(ValueError, match=words):
        nq.sweep("y ~ x", data, [W], durbin="x", progress=False)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", [1.0, 2.0], True, None])
def test_simulated_parameters_are_numbers(value: object) -> None:
    with pytest.raises(ValueError, match="params needs one finite number per name"):
        nq.simulate("SAR", W, T=3, params={"x": value, "rho": 0.3})  # type: ignore[dict-item]


def test_warnings_point_at_the_line_of_the_caller():
    fit = nq.sar(
        "ln_gdp_real_pc ~ pop_growth | province + year", nq.load_panel(), nq.weights.contiguity(), years=(2015, 2024)
    )
    with pytest.warns(FewClustersWarning) as caught:
        fit.with_vcov("cluster").tidy()
    assert {w.filename for w in caught} == {__file__}


def test_the_window_without_missing_cells_is_named():
    with pytest.raises(PanelError, match=r"years= \(nothing is missing from 2011 to 2024\), other variables"):
        nq.sar("ln_gdp_real_pc ~ ln_broadband_pc | province + year", nq.load_panel(), nq.weights.contiguity())
