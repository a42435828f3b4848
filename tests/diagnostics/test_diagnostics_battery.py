"""The table: rows, languages, rendering, rows that cannot be computed, corrections and random effects."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from diagnostics_support import FORMULAS, fitted, frame, panel, queen, weights

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationWarning
from nqpf_spatial.models.diagnostics import (
    Diagnosis,
    Test,
    collinearity,
    diagnose,
    heteroskedasticity,
    identification,
    lm_residual,
    lm_tests,
    lr_test,
    moran,
    mundlak,
    normality,
    pesaran_cd,
    serial,
    wald_test,
)
from nqpf_spatial.models.diagnostics._catalogue import CATALOGUE, GROUPS
from nqpf_spatial.models.diagnostics._refit import view
from nqpf_spatial.weights import from_any

MODELS = ("OLS", "SLX", "SAR", "SEM", "SDM", "SDEM", "SAC", "GNS")


@pytest.fixture(scope="module")
def battery() -> Diagnosis:
    return diagnose(fitted("produc", "SDM", "twoways", "transform"))


def test_rows_are_the_single_tests(battery: Diagnosis) -> None:
    fit = fitted("produc", "SDM", "twoways", "transform")
    assert battery["lr", "SDM -> SEM"] == lr_test(fit, "SEM")
    assert battery["wald", "SDM -> SAR"] == wald_test(fit, "SAR")
    assert battery["mundlak"] == mundlak(fit)
    assert battery["rlm_lag", "unit + period"] == lm_tests(fit)["rlm_lag"]
    assert battery["rlm_error_slx", "pooled"] == lm_tests(fit, effects="none", base="SLX")["rlm_error_slx"]
    assert battery["moran", "1986"] == moran(fit)["moran", "1986"]
    assert battery["identification"] == identification(fit)
    assert battery["jarque_bera"] == normality(fit)


def test_table_has_one_row_per_test_with_the_promised_columns(battery: Diagnosis) -> None:
    table = battery.table
    assert len(table) == len(battery) > 60
    assert list(table.columns[:8]) == ["scope", "estimate", "statistic", "df", "pvalue", "null", "source", "note"]
    assert (table["source"] != "").all()
    tested = table[table["pvalue"].notna()]
    assert (tested["null"] != "").all() and tested["pvalue"].between(0, 1).all()
    assert table["group"].drop_duplicates().tolist() == [en for key, (en, _) in GROUPS.items() if key != "time"]
    assert table.loc["LR of the unit effects", "df"] == 47
    assert not table.set_index(["key", "scope"]).index.has_duplicates


def test_every_test_of_the_battery_is_computed_for_a_two_way_sdm(battery: Diagnosis) -> None:
    assert [t.key for t in battery if not t.computed] == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("effects", ["none", "twoways"])
def test_every_model_has_a_table(model: str, effects: str) -> None:
    w = queen(4, 5)
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, 6, 20))
    data = panel(w, x.sum(axis=0) + rng.standard_normal((6, 20)), a=x[0], b=x[1])
    bars = " | unit + period" if effects == "twoways" else ""
    fit = nq.fit(f"y ~ a + b{bars}", data, None if model == "OLS" else w, model=model)
    found = diagnose(fit, w=w if model == "OLS" else None, replicates=60)
    keys = {t.key for t in found}
    assert {
        "lm_lag",
        "rlm_error_slx",
        "moran",
        "mundlak",
        "hausman",
        "lr_unit",
        "bsk_joint",
        "serial",
        "koenker",
    } <= keys
    for test in found:
        # either a number, or a reason
        assert test.computed or test.note, test.key
    missing = {t.key for t in found if not t.computed}
    allowed = {"hausman"} if effects == "none" else set()
    if fit.estimate.model.error:
        allowed |= {"mundlak", "moran"}
        allowed |= {"identification"} if fit.estimate.model.lag else set()
    assert missing == allowed


def test_cross_section_leaves_out_what_needs_a_panel() -> None:
    found = diagnose(fitted("columbus", "SDM"))
    keys = {t.key for t in found}
    assert not keys & {"lr_unit", "hausman", "mundlak", "bsk_joint", "pesaran_cd", "serial"}
    assert {"moran_outcome", "lm_lag", "lr", "lm_residual", "jarque_bera", "condition"} <= keys
    assert found["lm_lag"].scope == "" and len(found.select("moran")) == 1


def test_ols_without_weights_says_what_it_needs() -> None:
    found = diagnose(fitted("produc", "OLS", "twoways"))
    assert "pass them, diagnose(w=...)" in found["lm_lag"].note and not found["lm_lag"].computed
    assert found["serial"].computed and found["lr_unit"].computed
    full = diagnose(fitted("produc", "OLS", "twoways"), w=weights("produc"))
    assert full["lm_lag", "unit + period"].computed and full["moran", "all periods"].computed


def test_a_test_that_cannot_be_computed_keeps_its_row_and_says_why() -> None:
    """Two periods: no serial correlation, no CD; a fixed regressor: unit effects would absorb it."""
    w = queen(8, 8)
    rng = np.random.default_rng(1)
    fixed = np.tile(rng.standard_normal(64), (2, 1))
    data = panel(w, rng.standard_normal((2, 64)), x=fixed)
    found = diagnose(nq.sar("y ~ x", data, w), replicates=60)
    assert "three periods" in found["serial"].note and "three periods" in found["pesaran_cd"].note
    assert "absorbed by the unit effects: x" in found["lr_unit"].note
    assert "no means to test" in found["mundlak"].note
    row = found.table.loc["Serial correlation"]
    assert np.isnan(row["statistic"]) and np.isnan(row["pvalue"]) and row["df"] is pd.NA


@pytest.mark.parametrize("correction", ["bias", "bootstrap"])
def test_corrections_after_the_maximum_use_the_likelihood_they_correct(correction: str) -> None:
    formula = FORMULAS["produc"] + " | unit + period"
    fit = nq.sdm(formula, frame("produc"), weights("produc"), correction=correction)
    plain = fitted("produc", "SDM", "twoways", "none")
    assert lr_test(fit, "SAR").statistic == pytest.approx(lr_test(plain, "SAR").statistic, rel=1e-9)
    assert lm_residual(fit).statistic == pytest.approx(lm_residual(plain).statistic, rel=1e-6)
    for a, b in zip(lm_tests(fit), lm_tests(plain), strict=True):
        assert a.statistic == pytest.approx(b.statistic, rel=1e-9)
    assert wald_test(fit, "SAR").statistic != wald_test(plain, "SAR").statistic


def test_score_correction_equals_the_transformation_for_a_row_stochastic_w() -> None:
    formula = FORMULAS["produc"] + " | unit + period"
    fit = nq.sdm(formula, frame("produc"), weights("produc"), correction="score")
    transform = fitted("produc", "SDM", "twoways", "transform")
    pd.testing.assert_series_equal(lm_tests(fit).table["statistic"], lm_tests(transform).table["statistic"], rtol=1e-9)
    assert lm_residual(fit).statistic == pytest.approx(lm_residual(transform).statistic, rel=1e-5)


def test_score_correction_takes_weights_that_are_not_row_stochastic() -> None:
    w = queen(4, 5).with_transform("spectral")
    rng = np.random.default_rng(2)
    data = panel(w, rng.standard_normal((12, 20)), x=rng.standard_normal((12, 20)))
    found = diagnose(nq.sdm("y ~ x | unit + period", data, w, correction="score"), replicates=60)
    assert found["lm_lag", "unit + period"].computed and found["lm_residual"].computed
    assert "do not have rows that sum to one" in found["lr", "SDM -> SEM"].note


def quasi_demeaned(fit: nq.models.SpatialFit, key: str) -> tuple[pd.DataFrame, str]:
    """produc less ``1 - sqrt(phi)`` times its unit means, with the transformed intercept as a regressor."""
    data = frame(key)
    share = 1 - np.sqrt(fit.phi)
    means = data.groupby(level=0).transform("mean")
    starred = (data - share * means).assign(one=1 - share)
    left, right = FORMULAS[key].split("~")
    return starred, f"{left} ~ 0 + one + {right}"


@pytest.mark.parametrize("model", ["SAR", "SDM", "SEM"])
def test_random_effects_are_a_pooled_regression_of_quasi_demeaned_data(model: str) -> None:
    """Residual tests of a random effects fit equal those of the pooled fit to the transformed data."""
    fit = nq.fit(FORMULAS["produc"], frame("produc"), weights("produc"), model=model, effects="random")
    starred, formula = quasi_demeaned(fit, "produc")
    # pooled SDM of starred data: lag the regressors of the original model only
    lagged = {} if model != "SDM" else {"durbin": ["lpcap", "lpc", "lemp", "unemp"]}
    pooled = nq.fit(formula, starred, weights("produc"), model=model, **lagged)
    assert np.allclose(sorted(view(fit.estimate).e.ravel()), sorted(view(pooled.estimate).e.ravel()), atol=1e-5)
    assert lm_residual(fit).statistic == pytest.approx(lm_residual(pooled).statistic, rel=1e-3)
    assert moran(fit).tests[0].estimate == pytest.approx(moran(pooled).tests[0].estimate, abs=1e-5)
    if model != "SEM":
        assert moran(fit).tests[0].statistic == pytest.approx(moran(pooled).tests[0].statistic, rel=1e-3)
    assert pesaran_cd(fit).statistic == pytest.approx(pesaran_cd(pooled).statistic, rel=1e-4)
    assert serial(fit).statistic == pytest.approx(serial(pooled).statistic, rel=1e-3)
    assert fit.phi < 0.5 and pesaran_cd(fit).scope == "random unit"


def test_random_effects_fit_has_a_table() -> None:
    for effects in ("random", "mundlak"):
        fit = nq.sdm(FORMULAS["rice"], frame("rice"), weights("rice"), effects=effects)
        found = diagnose(fit, replicates=60)
        assert {t.key for t in found if not t.computed} == set()
        assert found["lr", "SDM -> SAR"].df == (4 if effects == "random" else 8)
        assert found["hausman"].df == 9  # slopes, their lags and rho
        assert found["lr_unit"].scope == "unit against pooled"


def test_hausman_row_is_the_same_from_either_side() -> None:
    fixed = nq.sdm(FORMULAS["rice"] + " | unit", frame("rice"), weights("rice"))
    random = nq.sdm(FORMULAS["rice"], frame("rice"), weights("rice"), effects="random")
    a = diagnose(fixed, replicates=60)["hausman"]
    assert diagnose(random, replicates=60)["hausman"].statistic == pytest.approx(a.statistic, rel=1e-6)
    assert fixed.diagnose(replicates=60)["hausman"].statistic == pytest.approx(a.statistic, rel=1e-6)


def test_baltagi_errors_have_no_iid_residuals() -> None:
    fit = nq.sem(FORMULAS["rice"], frame("rice"), weights("rice"), effects="random", random_error="baltagi")
    found = diagnose(fit)
    assert 'random_error="kkp"' in found["jarque_bera"].note and not found["jarque_bera"].computed
    assert found["bsk_joint"].computed and found["lr", "SEM -> OLS"].computed


def test_a_large_cross_section_names_the_limit() -> None:
    """1,600 units: what needs N x N products says so, the rest is computed."""
    side = 40
    step = sp.diags([1.0, 1.0, 1.0], [-1, 0, 1], shape=(side, side))
    links = sp.lil_array(sp.kron(step, step))
    links.setdiag(0)
    w = from_any(sp.csr_array(links), ids=[f"c{i:04d}" for i in range(side**2)], transform="row", name="lattice")
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"y": rng.standard_normal(w.n), "x": rng.standard_normal(w.n)}, pd.Index(w.ids, name="unit"))
    found = diagnose(nq.sar("y ~ x", data, w))
    missing = {t.key: t.note for t in found if not t.computed}
    assert set(missing) == {"moran", "lm_residual", "identification"}
    assert all("stops at N = 1500; here N = 1600" in note for note in missing.values())
    assert found["lm_lag"].computed and found["lr", "SAR -> OLS"].computed


def test_method_of_the_fit() -> None:
    fit = fitted("produc", "SDM", "twoways", "transform")
    assert isinstance(fit.diagnose(), Diagnosis)
    assert fit.diagnose(lang="zh").table.index[-1] == "最大方差膨胀因子"


def test_row_order_does_not_matter(battery: Diagnosis) -> None:
    data = frame("produc").sample(frac=1.0, random_state=4)
    again = diagnose(nq.sdm(FORMULAS["produc"] + " | unit + period", data, weights("produc"), vcov="expected"))
    pd.testing.assert_frame_equal(again.table, battery.table, rtol=1e-9)


def test_weak_identification_warns_from_the_battery() -> None:
    w = nq.weights.contiguity()
    near = from_any(np.ones((31, 31)) - np.eye(31) + w.dense(), ids=w.ids, transform="row", name="near-complete")
    data = nq.simulate("SAR", w, T=1, params={"x": 0.1, "rho": 0.0}, seed=1)
    with pytest.warns(IdentificationWarning, match="hardly identified"):
        found = diagnose(nq.sar("y ~ x", data, near))
    assert found["identification"].note.startswith("WEAK")


def test_languages(battery: Diagnosis) -> None:
    zh = battery.with_lang("zh")
    assert zh is not battery and battery.lang == "en"
    assert zh.table.loc["LM 滞后检验", "null"].iloc[0] == "rho = 0 (设 lambda = 0)"
    assert "个体与时间效应" in repr(zh) and "原假设" in repr(zh)
    assert (zh.table["statistic"].to_numpy() == battery.table["statistic"].to_numpy()).all()
    with pytest.raises(ValueError, match="lang='fr' is not known; choose one of 'en', 'zh'"):
        battery.with_lang("fr")
    for key, entry in CATALOGUE.items():
        assert all(entry.name) and entry.group in GROUPS and entry.source, key
        assert any("\u4e00" <= c <= "\u9fff" for c in entry.name[1]), key


def test_rendering(battery: Diagnosis) -> None:
    text, html = repr(battery), battery._repr_html_()
    assert text.startswith("Diagnosis of SDM  lgsp ~ lpcap") and "Which spatial terms (LM)" in text
    assert "<0.0001" in text and "Anselin" not in text
    assert html.count("<tr>") == len(battery) + len(GROUPS) and "Koley and Bera (2024)" in html
    latex = battery.to_latex()
    assert latex.count(r"\\") == len(battery) + 2 and r"\toprule" in latex and "Pesaran CD" in latex
    assert "检验" in battery.with_lang("zh").to_latex(caption="表")
    empty = repr(Diagnosis(()))
    assert empty == ""


def test_markup_in_names_is_escaped() -> None:
    w = queen(4, 4)
    rng = np.random.default_rng(0)
    data = panel(w, rng.standard_normal((4, 16)), **{"a<b>": rng.standard_normal((4, 16))})
    found = diagnose(nq.sar("y ~ `a<b>` | unit", data, w), replicates=60)
    assert "<b>`" not in found._repr_html_() and "a&lt;b&gt;" in found._repr_html_()


def test_a_test_is_frozen_and_speaks_for_itself() -> None:
    test = lm_tests(fitted("columbus"), w=weights("columbus"))["lm_lag"]
    assert isinstance(test, Test) and test.null == "rho = 0 (lambda = 0 given)"
    assert repr(test) == "LM lag: statistic 9.36368, df 1, p 0.0022; H0: rho = 0 (lambda = 0 given)"
    with pytest.raises(FrozenInstanceError):
        test.statistic = 0.0  # type: ignore[misc]
    needs = diagnose(fitted("produc"))["lm_lag"]
    assert repr(needs) == f"LM lag: {needs.note}"


def test_lookup(battery: Diagnosis) -> None:
    with pytest.raises(KeyError, match=r"occurs 2 times; ask for one of \('lm_lag', 'pooled'\)"):
        battery["lm_lag"]
    with pytest.raises(KeyError, match="no test 'nope' here; the keys are breusch_pagan, bsk_joint"):
        battery["nope"]
    assert len(battery.select("lr")) == 3 and [t.key for t in battery.select("lr")] == ["lr"] * 3


def test_heteroskedasticity_and_collinearity_are_tables() -> None:
    fit = fitted("columbus")
    assert [t.key for t in heteroskedasticity(fit)] == ["koenker", "breusch_pagan"]
    assert [t.key for t in collinearity(fit)] == ["condition", "vif"]


def test_provinces_under_any_name_give_the_same_table() -> None:
    """English and Chinese unit labels, the same numbers."""
    w = nq.weights.contiguity()
    data = nq.simulate("SDM", w, T=4, params={"x": 1.0, "W:x": 0.3, "rho": 0.4}, seed=5)
    names = {p.name_en: p.name_zh for p in nq.provinces.PROVINCES}
    chinese = data.rename(index=names, level=0)
    a, b = (diagnose(nq.sdm("y ~ x | unit + period", d, w), replicates=60) for d in (data, chinese))
    pd.testing.assert_frame_equal(a.table, b.table, rtol=1e-12)
