"""Words about a fit: every number is the fit's, every caution appears when its fact holds and only then."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import FewClustersWarning, IdentificationWarning
from nqpf_spatial.models.explain.words import SENTENCES

FORMULA = "ln_gdp_real_pc ~ ln_broadband_pc + pop_growth | province + year"


@pytest.fixture(scope="module")
def w():
    return nq.weights.contiguity()


@pytest.fixture(scope="module")
def fit(w):
    return nq.sdm(FORMULA, nq.load_panel(), w, years=(2012, 2024))


@pytest.fixture(scope="module")
def made(w):
    """A panel made from known parameters, positive so that logarithms exist."""
    return nq.simulate("SDM", w, T=8, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=3)


def sentences(explanation, section):
    return explanation.sections[section][1]


def test_every_number_of_the_effects_is_that_of_the_impacts(fit):
    table = fit.impacts().table
    for lang in ("en", "zh"):
        for term, line in zip(table.index, sentences(fit.explain(lang), 1), strict=False):
            for effect in ("direct", "indirect", "total"):
                for statistic in ("estimate", "lower", "upper"):
                    assert f"{table.loc[term, (effect, statistic)]:.4g}" in line, (term, effect, statistic)


def test_logarithms_are_read_as_percent_and_levels_exactly(fit):
    table = fit.impacts().table
    elastic = sentences(fit.explain(), 1)[0]
    assert "higher by 1 percent in one unit" in elastic
    assert f"higher by {table.loc['ln_broadband_pc', ('direct', 'estimate')]:.3g} % on average" in elastic
    level = nq.ols("ln_gdp_real_pc ~ urbanization_rate | province", nq.load_panel(), years=(2012, 2024))
    slope = level.params["urbanization_rate"]
    line = sentences(level.explain(), 1)[0]
    assert "one unit (percent)" in line and f"higher by {100 * np.expm1(slope):.3g} % on average" in line


def test_log_regressor_of_a_level_outcome_is_divided_by_a_hundred(w, made):
    data = made.assign(x=np.exp(made["x"]))
    res = nq.sar("y ~ log(x) | unit + period", data, w)
    direct = res.impacts().table.loc["log(x)", ("direct", "estimate")]
    line = sentences(res.explain(), 1)[0]
    assert line.startswith("x: if it is higher by 1 percent")
    assert f"higher by {direct / 100:.3g} on average" in line


def test_an_interval_with_zero_is_not_a_change(fit, w, made):
    noise = made.assign(z=np.random.default_rng(7).normal(size=len(made)))
    res = nq.sdm("y ~ x + z | unit + period", noise, w)
    row = res.impacts().table.loc["z", "direct"]
    assert row["lower"] < 0 < row["upper"]
    assert "y there is not distinguishable from unchanged on average" in sentences(res.explain(), 1)[1]


def test_models_without_spillovers_say_so(made, w):
    for res in (nq.ols("y ~ x | unit + period", made), nq.sem("y ~ x | unit + period", made, w)):
        assert "the model has no spillovers" in sentences(res.explain(), 1)[0]
        assert "W:..." not in str(res.explain())


def test_weak_identification_is_said_at_the_threshold(made, w):
    strong = nq.sar("y ~ x | unit + period", made, w)
    assert strong.bse["rho"] < 0.25 and "weakly identified" not in str(strong.explain())
    near_equal = nq.weights.inverse_distance(power=0.5)
    data = nq.simulate("SAR", near_equal, T=3, params={"x": 0.1, "rho": 0.0}, seed=2)
    with pytest.warns(IdentificationWarning, match="hardly identified"):
        weak = nq.sar("y ~ x | unit + period", data, near_equal)
    assert weak.bse["rho"] > 0.25 and f"standard error is {weak.bse['rho']:.2f}" in " ".join(
        str(weak.explain()).split()
    )


def test_missing_correction_and_shared_series_and_breaks_are_said(fit, w):
    assert "without a correction" not in " ".join(str(fit.explain()).split())
    plain = nq.sdm(FORMULA, nq.load_panel(), w, years=(2012, 2024), correction="none")
    assert "without a correction: with 31 units" in " ".join(str(plain.explain()).split())
    assert "share a published series by definition (population)" in " ".join(str(fit.explain()).split())
    early = nq.ols("ln_gdp_real_pc ~ urbanization_rate | province + year", nq.load_panel(), years=(2008, 2012))
    assert "has a documented break in 2010" in " ".join(str(early.explain()).split())
    assert "has a documented break in 2010" not in " ".join(str(fit.explain()).split())


def test_clustered_inference_is_compared_by_computation(fit):
    other = fit.with_vcov("cluster")
    with pytest.warns(FewClustersWarning):
        table, clustered = fit.impacts().table, other.impacts().table
    line = next(s for s in sentences(fit.explain(), 2) if s.startswith("Standard errors use"))
    for term, label in (("ln_broadband_pc", "broadband subscribers per resident"), ("pop_growth", "population growth")):
        for effect in ("direct", "indirect", "total"):
            zero = [t.loc[term, (effect, "lower")] <= 0 <= t.loc[term, (effect, "upper")] for t in (table, clustered)]
            assert (re.search(rf"{label}[^,]*(, log points)? \({effect}\)", line) is not None) == (zero[0] != zero[1])
    assert not any(s.startswith("Standard errors use") for s in sentences(other.explain(), 2))


def test_random_effects_pooled_and_cross_sections(made, w):
    assert "effects are random" in str(nq.sar("y ~ x | period", made, w, effects="random").explain())
    assert "There are no fixed effects" in str(nq.sar("y ~ x", made, w).explain())
    cross = made.xs(made.index.levels[1][0], level="period")
    text = str(nq.sdm("y ~ x", cross, w).explain())
    assert "31 units." in text and "fixed effects" not in text


def test_time_lags_are_read_in_the_short_and_the_long_run(made, w):
    res = nq.sdm("y ~ x | unit + period", made, w, dynamic="both")
    what, effects, _ = (res.explain().sections[i][1] for i in range(3))
    assert f"tau + rho + eta = {res.stability().sum:.3f}" in what[-1] and "the process is stable" in what[-1]
    assert f"{res.impacts().long.table.loc['x', ('total', 'estimate')]:.4g}" in effects[2]
    assert f"{res.impacts().table.loc['x', ('total', 'estimate')]:.4g}" in effects[1]
    assert "L:y" not in str(res.explain("zh"))


def persistent(w, effect, **options):
    frame = nq.simulate("SAR", w, T=14, params={"x": effect, "L:y": 0.75, "rho": 0.22}, seed=2)
    return nq.sar("y ~ x | unit + period", frame, w, dynamic="lag_y", **options)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_near_a_sum_of_one_the_long_run_is_an_unbounded_set(w, lang):
    shapes = {}
    for effect in (1.0, 0.0):
        res = persistent(w, effect)
        assert res.stability().stable and res.stability().near_unit
        found = res.impacts("fieller", horizon="long").sets.loc["x"]
        what, effects, _ = (res.explain(lang).sections[i][1] for i in range(3))
        line = effects[2]
        shapes[effect] = found["shape"]
        assert ("unbounded" if lang == "en" else "无界") in line
        assert ("interval reaches one" if lang == "en" else "区间含一") in what[-1]
        # the bounded interval of the delta method is nowhere
        total = res.impacts().long.table.loc["x", "total"]
        assert not any(f"{total[end]:.4g}" in line for end in ("estimate", "lower", "upper"))
        if found["shape"] == "complement":
            assert f"{found['lower']:.4g}" in line and f"{found['upper']:.4g}" in line
        else:
            assert ("excludes no value" if lang == "en" else "不排除任何数值") in line
    assert shapes == {1.0: "complement", 0.0: "line"}


def test_near_a_sum_of_one_weights_without_a_fieller_set(w):
    res = persistent(w.with_transform("spectral"), 1.0, correction="score")
    assert res.stability().stable and res.stability().near_unit
    for lang, words in (("en", "report a finite horizon"), ("zh", "请报告有限期的效应")):
        assert words in res.explain(lang).sections[1][1][2]


def test_both_languages_have_every_sentence_and_every_place():
    for key, (english, chinese) in SENTENCES.items():
        assert set(re.findall(r"\{(\w+)", english)) == set(re.findall(r"\{(\w+)", chinese)), key


def test_chinese_is_chinese_and_html_is_escaped(fit, made, w):
    text = str(fit.explain("zh"))
    assert "省份、年份固定效应" in text and "if it" not in text
    res = nq.sar("y ~ x | unit + period", made, w.renamed("<queen>"))
    assert "&lt;" in res.explain()._repr_html_()
    with pytest.raises(ValueError, match="choose 'en' or 'zh'"):
        fit.explain("de")


def test_units_and_leftover_correlation_are_said_in_full(w):
    res = nq.sdm(
        "ln_gdp_real_pc ~ ln_broadband_pc + ln_rd_intensity + pop_growth | province + year",
        nq.load_panel(),
        w,
        years=(2012, 2024),
    )
    text = str(res.explain("zh"))
    assert "一个单位（对数点（100×对数变化））" in text and "log points" not in text
    assert "standard deviations from what the model" in " ".join(str(res.explain()).split())
