"""Comparisons: the numbers of every kind of result, blocks, labels, choices, and what may be ranked."""

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationWarning

STATISTICS = ["estimate", "se", "z", "p", "lower", "upper"]
FORMULA = "y ~ x + z | unit + period"


@pytest.fixture(scope="module")
def world():
    w, other = nq.weights.contiguity(), nq.weights.knn(k=4)
    params = {"x": 1.0, "z": -0.5, "W:x": 0.5, "rho": 0.4}
    return w, other, nq.simulate("SDM", w, T=8, params=params, seed=1)


@pytest.fixture(scope="module")
def fits(world):
    w, other, data = world
    return {
        "two-way": nq.sdm(FORMULA, data, w),
        "other W": nq.sdm(FORMULA, data, other).with_vcov("sandwich"),
        "dummies": nq.sdm(FORMULA, data, w, correction="none"),
        "random": nq.fit("y ~ x + z | period", data, w, effects="random"),
        "mundlak": nq.fit("y ~ x + z", data, w, effects="mundlak", model="SAR"),
        "sac": nq.sac(FORMULA, data, w),
        "gmm": nq.gmm(FORMULA, data, w),
        "dynamic": nq.sdm(FORMULA, data, w, dynamic="both"),
        "pooled": nq.ols("y ~ x + z", data),
    }


@pytest.fixture(scope="module")
def packaged():
    panel, w = nq.load_panel(), nq.weights.contiguity()
    return nq.sdm("ln_gdp_real_pc ~ ln_rd_intensity + pop_growth | province + year", panel, w, years=(2012, 2023))


def block(fit, term):
    if term in ("rho", "lambda"):
        return "Spatial"
    if term in ("L:y", "L:W:y"):
        return "Time"
    return "Wx" if term.startswith("W:") else "Main"


# -- numbers -------------------------------------------------------------------------------------------------------


def test_the_frame_has_every_number_of_every_fit(fits):
    frame = nq.compare(fits).frame
    counted = 0
    for name, fit in fits.items():
        tidy = fit.tidy()
        for term in tidy.index:
            got = frame.loc[(block(fit, term), term), name]
            pd.testing.assert_series_equal(got, tidy.loc[term], check_names=False, rtol=0, atol=0)
            counted += 1
        assert frame.loc[("Variance", "sigma2"), (name, "estimate")] == fit.sigma2
        assert frame[name]["estimate"].notna().sum() == len(tidy) + 1 + (name in ("random", "mundlak"))
    assert counted > 40
    assert frame.loc[("Variance", "sigma2"), ("two-way", "se")] == fits["two-way"].sigma2_se
    assert np.isnan(frame.loc[("Variance", "sigma2"), ("gmm", "se")])
    assert frame.loc[("Variance", "sigma2_mu"), ("random", "estimate")] == fits["random"].sigma2_mu


@pytest.mark.parametrize(("brackets", "column"), [("se", "se"), ("t", "z"), ("p", "p")])
def test_printed_numbers_are_rounded_numbers_of_the_fits(fits, brackets, column):
    made = nq.compare(fits, digits=3, brackets=brackets)
    rows = list(made.table.rows)
    for (part, _), values in made.frame.iterrows():
        upper = rows.pop(0)
        lower = rows.pop(0) if rows[0].label == "" else None
        for j, name in enumerate(fits):
            value = values[(name, "estimate")]
            cell = upper.cells[j]
            if np.isnan(value):
                assert cell.printed == ""
                continue
            if part == "Variance":
                assert float(cell.text) == pytest.approx(value, rel=5.01e-3)  # three significant figures
                continue
            p = values[(name, "p")]
            stars = "***" if p < 0.01 else "**" if p < 0.05 else "*" if p < 0.1 else ""
            assert cell.printed == f"{value:.3f}{stars}" or abs(value) < 5e-4
            wanted = values[(name, column)]
            got = lower.cells[j].text.strip("()")
            if column == "p" and wanted < 0.001:
                assert got == "<0.001"
            elif abs(wanted) >= 5e-4:
                assert got == f"{wanted:.3f}"


def test_intervals_at_the_level_asked_for(fits):
    made = nq.compare({"a": fits["two-way"]}, brackets="ci", alpha=0.1, digits=4)
    low, high = fits["two-way"].conf_int(0.1).loc["x"]
    assert made.table.rows[1].cells[0].text == f"[{low:.4f}, {high:.4f}]"
    assert "90% intervals in brackets" in made.table.notes[1]


def test_effects_of_fits_and_of_impacts(fits):
    chosen = {name: fits[name] for name in ("two-way", "gmm", "pooled")}
    made = nq.compare(chosen, show="impacts").frame
    for name, fit in chosen.items():
        table = fit.impacts().table
        for effect in ("direct", "indirect", "total"):
            got = made[name].loc[effect][STATISTICS]
            pd.testing.assert_frame_equal(got, table[effect], check_names=False, check_index_type=False)
    simulated = fits["two-way"].impacts(method="simulate", draws=500, seed=3)
    made = nq.compare({"draws": simulated}, show="impacts")
    assert made.frame.loc[("total", "x"), ("draws", "se")] == simulated.table.loc["x", ("total", "se")]
    assert "Inference on effects: 500 draws." in made.table.notes


def test_spillovers_that_a_model_does_not_have_are_a_plain_zero(fits):
    made = nq.compare({"a": fits["pooled"]}, show="impacts")
    row = next(r for r in made.table.rows if r.block == "Indirect effects")
    assert row.cells[0].printed == "0"
    assert "0 without a standard error: the model has no such effect." in made.table.notes


def test_short_and_long_run_of_a_dynamic_fit(fits):
    made = nq.compare({"d": fits["dynamic"], "s": fits["two-way"]}, show="both").frame
    imp = fits["dynamic"].impacts()
    for run, table in (("short", imp.short.table), ("long", imp.long.table)):
        for effect in ("direct", "indirect", "total"):
            assert made.loc[(f"{run} {effect}", "x"), ("d", "estimate")] == table.loc["x", (effect, "estimate")]
            assert np.isnan(made.loc[(f"{run} {effect}", "x"), ("s", "estimate")])
    assert list(dict.fromkeys(made.index.get_level_values("block")))[:5] == [
        "Main",
        "Wx",
        "Time",
        "Spatial",
        "Variance",
    ]
    one = nq.compare({"d": imp.long}, show="impacts").frame
    assert set(one.index.get_level_values("block")) == {"long direct", "long indirect", "long total"}


def test_results_of_statsmodels(world):
    pytest.importorskip("maketables")
    import statsmodels.formula.api as smf

    data = world[2]
    result = smf.ols("y ~ x + z", data).fit(cov_type="HC1")
    made = nq.compare({"ols": result, "sdm": nq.sdm(FORMULA, data, world[0])})
    frame = made.frame
    for term in ("Intercept", "x", "z"):
        wanted = [result.params[term], result.bse[term], result.tvalues[term], result.pvalues[term]]
        assert frame.loc[("Main", term), "ols"][STATISTICS[:4]].tolist() == wanted
        assert frame.loc[("Main", term), "ols"][["lower", "upper"]].tolist() == result.conf_int().loc[term].tolist()
    assert made.statistics.loc["llf", "ols"] == result.llf
    assert made.statistics.loc["r2", "ols"] == result.rsquared
    assert any("HC1 (ols)" in note for note in made.table.notes)


# -- what stands around the numbers --------------------------------------------------------------------------------


def test_rows_below_say_what_the_fits_are(fits):
    made = nq.compare(fits)
    rows = {row.label: [c.printed for c in row.cells] for row in made.table.rows if row.block == "Fit"}
    names = list(fits)
    at = names.index
    assert rows["Unit effects"] == [*["fixed"] * 3, "random", "Mundlak", "fixed", "fixed", "fixed", "no"]
    assert rows["W"][at("other W")] == "knn 4"
    assert rows["W"][at("pooled")] == ""
    assert rows["Observations"] == [str(fit.nobs) for fit in fits.values()]
    assert rows["Effective observations"] == [str(fit.n_effective) for fit in fits.values()]
    for key, attribute in (("Log-likelihood", "llf"), ("AIC", "aic"), ("BIC", "bic")):
        assert rows[key] == [f"{getattr(f, attribute):.2f}" if hasattr(f, attribute) else "" for f in fits.values()]
    assert rows["First-stage F of Wy"][at("gmm")] == f"{fits['gmm'].first_stage()['f'].iloc[0]:.2f}"


def test_notes_say_how_the_fits_were_made(fits):
    text = "\n".join(nq.compare(fits).table.notes)
    for needed in (
        "Dependent variable: y.",
        "Standard errors in parentheses; * p < 0.1, ** p < 0.05, *** p < 0.01 (two-sided).",
        "unit + period (two-way, other W, dummies, sac, gmm, dynamic)",
        "random unit effects with unit means (Mundlak) (mundlak)",
        "Lee-Yu (2010) transformation (two-way, other W,",
        "dummy-variable ML, incidental-parameter bias not corrected (dummies)",
        "QML sandwich (other W)",
        "classical (gmm)",
        "knn 4, row-standardised (other W)",
        "first period 1 lost",
        "AIC and BIC can be compared within a group only",
    ):
        assert needed in text, needed
    same = nq.compare({"a": fits["two-way"], "b": fits["two-way"]}).table.notes
    assert "Sample: N = 31, T = 8 (1-8), observations 248, n of the likelihood 210." in same
    assert not any("group" in note for note in same)


def test_options_of_the_covariance_are_stated(world):
    w, _, data = world
    fit = nq.sdm(FORMULA, data, w)
    with pytest.warns(UserWarning, match="clusters|periods"):
        text = "\n".join(nq.compare([fit.with_vcov("driscoll-kraay", lags=2), fit.with_vcov("cluster")]).table.notes)
    assert "Driscoll-Kraay (lags 2) (1)" in text
    assert "clustered by unit (2)" in text


def test_weak_identification_is_said(world):
    weak = nq.weights.inverse_distance(power=1)
    data = nq.simulate("SAR", world[0], T=4, params={"x": 1.0, "rho": 0.3}, seed=1)
    with pytest.warns(IdentificationWarning, match="hardly identified"):
        fit = nq.sar("y ~ x | unit + period", data, weak)
    assert fit.bse["rho"] > 0.25
    assert "ρ is weakly identified (standard error above 0.25)." in nq.report.table(fit).notes
    assert any("ρ (dense) is weakly" in note for note in nq.compare({"dense": fit}).table.notes)


def test_heads(world, fits):
    w, _, data = world
    made = nq.compare(
        {("SDM", "queen"): fits["two-way"], ("SDM", "knn"): fits["other W"], ("SAR", "queen"): nq.sar(FORMULA, data, w)}
    )
    assert made.table.header == (("SDM", "SDM", "SAR"), ("queen", "knn", "queen"))
    assert made.frame.columns.nlevels == 3
    assert nq.compare([fits["two-way"], fits["gmm"]]).table.header == (("SDM", "SAR"), ("(1)", "(2)"))
    assert nq.compare({"SDM": fits["two-way"], "SAR, 2SLS": fits["gmm"]}).table.header == (("SDM", "SAR, 2SLS"),)
    second = data.rename(columns={"y": "q"})
    outcomes = nq.compare([fits["two-way"], nq.sdm(FORMULA.replace("y", "q"), second, w)], labels={"q": "Output"})
    assert outcomes.table.header[0] == ("y", "Output")
    assert outcomes.table.notes[0] == "Dependent variables: y; Output."
    with pytest.raises(ValueError, match="different numbers of levels"):
        nq.compare({"a": fits["two-way"], ("b", "c"): fits["other W"]})


def test_model_probabilities_are_a_collection_of_fits(world):
    w, other, data = world
    found = nq.model_probabilities(FORMULA, data, [w, other], models=["SAR", "SDM"])
    made = nq.compare(found)
    assert made.names == tuple(found.fits)
    assert made.frame[("SDM", "knn 4", "estimate")].loc[("Spatial", "rho")] == found.fits["SDM", "knn 4"].rho


# -- labels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_labels_of_the_codebook(packaged, lang):
    label = nq.data.codebook("ln_rd_intensity").loc["ln_rd_intensity", f"label_{lang}"]
    rows = [row.label for row in nq.compare([packaged], lang=lang).table.rows]
    assert label in rows
    assert f"W×{label}" in rows
    note = nq.compare([packaged], lang=lang).table.notes[0]
    assert nq.data.codebook("ln_gdp_real_pc").loc["ln_gdp_real_pc", f"label_{lang}"] in note


def test_a_users_label_comes_first(packaged):
    rows = [
        row.label
        for row in nq.compare([packaged], labels={"pop_growth": "n", "W:pop_growth": "neighbours' n"}).table.rows
    ]
    assert "n" in rows
    assert "neighbours' n" in rows


def test_a_users_own_data_have_no_codebook(world):
    w, _, data = world
    own = data.rename(columns={"x": "gdp", "z": "rd_intensity"})
    rows = [row.label for row in nq.compare([nq.sdm("y ~ gdp + rd_intensity | unit + period", own, w)]).table.rows]
    assert "gdp" in rows
    assert "W×gdp" in rows


def test_chinese_words_everywhere(fits):
    made = nq.compare(fits, lang="zh", show="coefficients").table
    words = [*(row.block for row in made.rows), *made.notes]
    assert {row.block for row in made.rows} == {"主要变量", "空间滞后项", "时间滞后项", "空间参数", "方差", "模型信息"}
    assert not [w for w in words if w and not any("\u4e00" <= c <= "\u9fff" for c in w)]
    assert "随机" in [c.text for row in made.rows for c in row.cells]


# -- choices -------------------------------------------------------------------------------------------------------


def terms_of(made):
    return [term for _, term in made.frame.index]


def test_keep_drop_and_order(fits):
    two = {"a": fits["two-way"], "b": fits["dynamic"]}
    kept = nq.compare(two, keep=["z"])
    assert terms_of(kept) == ["z", "W:z", "rho", "sigma2"]
    assert any(note.startswith("Not shown: x, W×x,") for note in kept.table.notes)
    assert "W:x" not in terms_of(nq.compare(two, drop=["W:x"]))
    assert "x" in terms_of(nq.compare(two, drop=["W:x"]))
    assert terms_of(nq.compare(two, drop=["*", "sigma2"])) == ["rho"]
    assert terms_of(nq.compare(two, order=["z"]))[:4] == ["z", "x", "W:z", "W:x"]
    assert terms_of(nq.compare(two, keep=["y"])) == ["L:y", "L:W:y", "rho", "sigma2"]
    assert not any(note.startswith("Not shown") for note in nq.compare(two).table.notes)
    for name in ("keep", "drop", "order"):
        with pytest.raises(ValueError, match=rf"{name}= names q"):
            nq.compare(two, **{name: ["q"]})
    with pytest.raises(ValueError, match="nothing to show"):
        nq.compare(two, drop=["*", "rho", "sigma2"])
    with pytest.raises(ValueError, match="give a list of names"):
        nq.compare(two, keep="x")


def test_restyled_comparisons_are_new_ones(fits):
    made = nq.compare({"a": fits["two-way"]})
    before = made.to_text()
    other = made.restyle(lang="zh", brackets="none", stars=False, keep=["x"])
    assert made.to_text() == before
    assert terms_of(other) == ["x", "W:x", "rho", "sigma2"]
    assert other.table.notes[1] == "表中为估计值。"
    with pytest.raises(FrozenInstanceError):
        made.names = ()
    with pytest.raises(ValueError, match="cannot be changed"):
        made.restyle(show="impacts")
    with pytest.raises(ValueError, match="cannot be changed"):
        made.restyle(colour="red")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"show": "all"}, "show='all'"),
        ({"brackets": "sd"}, "brackets='sd'"),
        ({"digits": -1}, "digits=-1"),
        ({"digits": 2.5}, "digits=2.5"),
        ({"alpha": 1.0}, "alpha=1.0"),
        ({"lang": "fr"}, "lang='fr'"),
        ({"stars": (2,)}, "stars="),
    ],
)
def test_unknown_options(fits, options, text):
    with pytest.raises(ValueError, match=text):
        nq.compare([fits["two-way"]], **options)


def test_what_cannot_be_compared(fits):
    pytest.importorskip("maketables")
    with pytest.raises(ValueError, match="nothing to compare"):
        nq.compare({})
    with pytest.raises(TypeError, match="object cannot be compared"):
        nq.compare([object()])
    with pytest.raises(ValueError, match="impacts have no coefficients"):
        nq.compare([fits["two-way"].impacts()])
    with pytest.raises(ValueError, match=r"intervals for alpha=0\.1"):
        nq.compare([fits["two-way"].impacts(alpha=0.1)], show="impacts")


# -- likelihoods ---------------------------------------------------------------------------------------------------


def test_results_on_the_same_observations_are_ranked(fits):
    made = nq.compare({name: fits[name] for name in ("other W", "two-way", "sac")})
    for criterion in ("aic", "bic"):
        ranked = made.rank(criterion)
        assert ranked[criterion].is_monotonic_increasing
        assert ranked["difference"].iloc[0] == 0
        for name in ranked.index:
            assert ranked.loc[name, criterion] == getattr(fits[name], criterion)
    assert made.rank("llf")["llf"].is_monotonic_decreasing
    assert "group" in made.statistics.index
    assert set(made.statistics.loc["group"]) == {"A"}


@pytest.mark.parametrize("other", ["dummies", "random", "dynamic", "pooled"])
def test_results_on_other_observations_are_not(fits, other):
    made = nq.compare({"two-way": fits["two-way"], other: fits[other]})
    with pytest.raises(ValueError, match="not likelihoods of the same observations"):
        made.rank()
    assert made.statistics.loc["group"].tolist() == ["A", "B"]
    rows = {row.label: [c.text for c in row.cells] for row in made.table.rows}
    assert rows["Comparable likelihoods"] == ["A", "B"]
    assert rows["BIC"] == [f"{fits['two-way'].bic:.2f}", f"{fits[other].bic:.2f}"]  # shown all the same


def test_other_data_with_the_same_n_are_not_ranked(world, fits):
    w, _, data = world
    moved = data.assign(y=data["y"] * 2)
    with pytest.raises(ValueError, match="sum of the outcome"):
        nq.compare([fits["two-way"], nq.sdm(FORMULA, moved, w)]).rank()


def test_without_a_likelihood_there_is_no_rank(fits):
    with pytest.raises(ValueError, match="gmm have no likelihood"):
        nq.compare({"two-way": fits["two-way"], "gmm": fits["gmm"]}).rank()
    with pytest.raises(ValueError, match="criterion='hqic'"):
        nq.compare([fits["two-way"]]).rank("hqic")


def test_criteria_of_statsmodels_count_other_parameters(world):
    pytest.importorskip("maketables")
    import statsmodels.formula.api as smf

    data = world[2]
    result, own = smf.ols("y ~ x + z", data).fit(), nq.ols("y ~ x + z", data)
    assert result.llf == pytest.approx(own.llf, abs=1e-9)
    assert result.aic == pytest.approx(own.aic - 2)  # sigma2 is not counted there
    with pytest.raises(ValueError, match="counts"):
        nq.compare([result, own]).rank()


def test_order_of_rows_of_the_data_does_not_matter(world, fits):
    w, _, data = world
    shuffled = data.sample(frac=1.0, random_state=5)
    assert nq.compare([nq.sdm(FORMULA, shuffled, w)]).to_text() == nq.compare([fits["two-way"]]).to_text()


def test_a_comparison_in_a_notebook(fits):
    html = nq.compare(fits)._repr_html_()
    assert html.startswith("<table>")
    assert "<script" not in html


def test_weights_of_different_roles_are_named(world):
    w, other, data = world
    fit = nq.fit(FORMULA, data, w, model="SAC", w_error=other)
    made = nq.compare([fit])
    assert made.statistics.loc["w"].tolist() == ["queen + knn 4"]
    assert "W: queen, row-standardised, knn 4, row-standardised." in made.table.notes


def test_a_cross_section_and_an_estimator_without_a_standard_error(world):
    w = world[0]
    data = nq.simulate("SDM", w, T=1, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=1)
    made = nq.compare({"ml": nq.sdm("y ~ x", data, w), "gm": nq.gmm("y ~ x", data, w, model="SEM", moments="1999")})
    assert np.isnan(made.frame.loc[("Spatial", "lambda"), ("gm", "se")])
    labels = [row.label for row in made.table.rows]
    at = labels.index("λ")
    assert labels[at + 1] == "σ²"  # no row of brackets
    assert made.table.rows[at].cells[1].stars == ""
    assert not any("effects" in label for label in labels)
    assert "Fixed effects: none." in made.table.notes
    assert "Correction: none needed." in made.table.notes


def test_no_warning_comes_from_printing(fits, recwarn):
    nq.compare({"a": fits["two-way"]}).to_text()
    assert not [w for w in recwarn if issubclass(w.category, IdentificationWarning)]


@pytest.mark.parametrize("writer", ["to_text", "to_markdown", "to_html", "to_latex"])
def test_texts_are_written_where_a_path_says(fits, tmp_path, writer):
    made = getattr(nq.compare({"邻接": fits["two-way"]}), writer)
    assert made(tmp_path / "table") == made()
    assert (tmp_path / "table").read_text(encoding="utf-8").rstrip("\n") == made().rstrip("\n")
