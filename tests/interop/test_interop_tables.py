"""Our results in the tables of maketables and statsmodels, beside results of statsmodels."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.iolib.summary2 import summary_col

import nqpf_spatial as nq

maketables = pytest.importorskip("maketables")
FORMULA = "y ~ x + z | unit + period"


@pytest.fixture(scope="module")
def data():
    w = nq.weights.contiguity()
    return nq.simulate("SDM", w, T=8, params={"x": 1.0, "z": -0.5, "W:x": 0.5, "rho": 0.4}, seed=1)


@pytest.fixture(scope="module")
def results(data):
    w = nq.weights.contiguity()
    return [
        nq.sdm(FORMULA, data, w),
        nq.gmm(FORMULA, data, w),
        nq.fit("y ~ x + z | period", data, w, effects="mundlak", model="SAR"),
        nq.sdm(FORMULA, data, w, dynamic="lag_y"),
        smf.ols("y ~ x + z", data).fit(),
    ]


@pytest.fixture
def untouched():
    """The readers of maketables, put back afterwards."""
    from maketables import extractors

    before = list(extractors._EXTRACTOR_REGISTRY)
    yield extractors
    extractors.clear_extractors()
    for reader in before:
        extractors.register_extractor(reader)


def check_cells(made, results):
    """Every estimate with three decimals, in the column of its result."""
    counted = 0
    for j, result in enumerate(results):
        column = made.loc["coef"].iloc[:, j]
        cells = [re.match(r"-?[\d.]+", str(cell))[0] for cell in column if str(cell)]
        assert sorted(cells) == sorted(f"{v:.3f}" for v in result.params)
        counted += len(cells)
    assert counted == sum(len(result.params) for result in results)


def test_etable_reads_our_fits_as_they_are(results):
    made = maketables.ETable(results).df
    check_cells(made, results)
    assert made.loc[("stats", "Observations")].tolist() == ["248", "248", "248", "217", "248"]
    assert {column[0] for column in made.columns} == {"y"}


def test_the_plug_in_format_adds_effects_w_and_n(results, untouched):
    nq.report.register_maketables()
    nq.report.register_maketables()
    assert sum(getattr(r, "nqpf_spatial", False) for r in untouched._EXTRACTOR_REGISTRY) == 1
    made = maketables.ETable(results).df
    check_cells(made, results)
    assert made.loc[("fe", "unit")].tolist() == ["x", "x", "-", "x", "-"]
    assert made.loc[("fe", "period")].tolist() == ["x", "x", "x", "x", "-"]
    assert made.loc[("stats", "W")].tolist() == ["queen"] * 4 + ["-"]
    n = "n of the likelihood"
    assert made.loc[("stats", n)].tolist() == [*(str(r.n_effective) for r in results[:4]), "-"]
    assert made.loc[("stats", "S.E. type")].tolist() == ["observed", "classical", "observed", "observed", "nonrobust"]


def test_the_format_itself(results):
    for result in results[:4]:
        table = result.__maketables_coef_table__
        assert table.columns.tolist() == ["b", "se", "t", "p", "ci95l", "ci95u", "ci90l", "ci90u"]
        assert (table["b"] == result.params).all()
        assert (table["p"] == result.pvalues).all()
        assert (table["ci90u"] == result.conf_int(0.1)["upper"]).all()
        assert result.__maketables_depvar__ == "y"
        assert result.__maketables_var_labels__ is None
        assert result.__maketables_stat__("N") == result.nobs
        assert result.__maketables_stat__("no such statistic") is None
    assert results[0].__maketables_fixef_string__ == "unit+period"
    assert results[0].__maketables_stat__("ll") == results[0].llf
    assert results[1].__maketables_stat__("ll") is None


def test_labels_of_the_packaged_panel():
    panel, w = nq.load_panel(), nq.weights.contiguity()
    fit = nq.sdm("ln_gdp_real_pc ~ ln_rd_intensity | province + year", panel, w, years=(2012, 2023))
    labels = fit.__maketables_var_labels__
    assert labels["ln_rd_intensity"] == "Log R&D intensity"
    assert labels["ln_gdp_real_pc"] == "Log real GDP per resident"
    made = maketables.ETable([fit.impacts()]).df
    assert "Log R&D intensity (indirect)" in made.loc["coef"].index
    assert made.columns[0][0] == "Log real GDP per resident"


def test_etable_of_impacts(results):
    imp = results[0].impacts()
    made = maketables.ETable([imp], coef_fmt="b:.6f (se:.6f)").df
    for (term, effect), row in imp.tidy().iterrows():
        assert made.loc[("coef", f"{term} ({effect})")].iloc[0] == f"{row['estimate']:.6f} ({row['se']:.6f})"


def test_summary_col_through_the_view(results):
    views = [nq.report.as_statsmodels(result) for result in results[:4]]
    info = {"N": lambda r: f"{r.nobs:.0f}", "llf": lambda r: f"{r.llf:.3f}"}
    names = ["SDM", "GMM", "Mundlak", "dynamic", "OLS"]
    made = summary_col([*views, results[4]], stars=True, info_dict=info, model_names=names).tables[0]
    assert made.columns.tolist() == names
    lines = made.index.tolist()
    for name, result in zip(names, results, strict=True):
        for term in result.params.index:
            at = lines.index(term)
            p = result.pvalues[term]
            stars = "*" * (int(p < 0.1) + int(p < 0.05) + int(p < 0.01))
            assert made[name].iloc[at] == f"{result.params[term]:.4f}{stars}"
            assert made[name].iloc[at + 1] == f"({result.bse[term]:.4f})"
    assert made.loc["N"].tolist() == ["248", "248", "248", "217", "248"]
    assert made.loc["llf"].tolist() == [f"{r.llf:.3f}" if hasattr(r, "llf") else "" for r in results]


def test_the_view_is_the_fit_under_other_names(results):
    fit = results[0]
    view = nq.report.as_statsmodels(fit)
    assert view.model.endog_names == "y"
    assert view.model.exog_names == fit.params.index.tolist()
    assert (view.tvalues == fit.zvalues).all()
    assert np.array_equal(view.conf_int(0.1), fit.conf_int(0.1))
    assert fit.model == "SDM"
    with pytest.raises(TypeError, match="no fit"):
        nq.report.as_statsmodels(pd.DataFrame())
    with pytest.raises(AttributeError):
        view.rsquared  # noqa: B018


def test_summary_params_of_statsmodels(results):
    from statsmodels.iolib.summary2 import summary_params

    made = summary_params(nq.report.as_statsmodels(results[0]), use_t=False)
    assert np.allclose(made.to_numpy(), results[0].tidy().to_numpy(), rtol=0, atol=0)
