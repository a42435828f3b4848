"""Fits of pyfixest beside ours: the same numbers where both estimate the same, and one table for both."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nqpf_spatial as nq

pf = pytest.importorskip("pyfixest")
FORMULA = "y ~ x + z | unit + period"


@pytest.fixture(scope="module")
def data():
    params = {"x": 1.0, "z": -0.5, "W:x": 0.5, "rho": 0.4}
    return nq.simulate("SDM", nq.weights.contiguity(), T=8, params=params, seed=1)


@pytest.fixture
def feols(data, others_warn):
    return pf.feols(FORMULA, data.reset_index(), vcov="iid")


def test_two_way_least_squares_agree(data, feols):
    ours = nq.ols(FORMULA, data)
    np.testing.assert_allclose(ours.params, feols.coef().loc[ours.params.index], rtol=1e-8)
    n = ours.n_effective  # (N-1)(T-1); pyfixest divides by what the slopes leave of it, maximum likelihood by n itself
    np.testing.assert_allclose(ours.bse * np.sqrt(n / (n - 2)), feols.se().loc[ours.params.index], rtol=1e-8)
    np.testing.assert_allclose(ours.resid.loc[data.index], feols.resid(), atol=1e-8)


def test_the_formula_of_pyfixest_is_ours(data, feols):
    assert feols._fml.replace(" ", "") == FORMULA.replace(" ", "")
    assert nq.sdm(feols._fml, data, nq.weights.contiguity()).effects == ("unit", "period")


def cells(frame, column=0):
    return [str(v).partition("*")[0].split()[0] for v in frame.loc["coef"].iloc[:, column] if str(v).strip()]


def test_etable_of_pyfixest_and_our_table_show_the_same_numbers(data, feols, others_warn):
    pytest.importorskip("maketables")
    theirs = pf.etable([feols], type="df")
    ours = nq.compare({"OLS": nq.ols(FORMULA, data)}, digits=3)
    mine = [row.cells[0].text for row in ours.table.rows if row.label in ("x", "z")]
    assert cells(theirs) == mine
    with pytest.raises(TypeError, match="Feols"):  # pyfixest's own function takes its own results only
        pf.etable([feols, nq.ols(FORMULA, data)], type="df")


def test_one_table_of_maketables_for_both(data, feols, others_warn):
    maketables = pytest.importorskip("maketables")
    fit = nq.sdm(FORMULA, data, nq.weights.contiguity())
    made = maketables.ETable([fit, feols]).df
    assert cells(made, 0) == [f"{v:.3f}" for v in fit.params]
    assert cells(made, 1) == [f"{v:.3f}" for v in feols.coef()]
    assert made.loc[("stats", "Observations")].tolist() == ["248", "248"]


def test_one_comparison_for_both(data, feols, others_warn):
    pytest.importorskip("maketables")
    fit = nq.sdm(FORMULA, data, nq.weights.contiguity())
    made = nq.compare({"SDM": fit, "FE": feols})
    for name, coef, se in (("SDM", fit.params, fit.bse), ("FE", feols.coef(), feols.se())):
        main = made.frame.loc["Main"][name]
        np.testing.assert_array_equal(main["estimate"], coef.loc[main.index])
        np.testing.assert_array_equal(main["se"], se.loc[main.index])
    text = made.to_text()
    assert re.search(r"Unit effects +fixed +fixed", text) and re.search(r"Period effects +fixed +fixed", text)
    assert re.search(r"Estimator +ML +Feols", text) and "iid (FE)" in text
    with pytest.raises(ValueError, match="FE have no likelihood"):
        made.rank()
