"""`fit.posterior`, `impacts(method="posterior")` and `nq.model_probabilities`."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from golden_support import EFFECTS as GOLDEN_EFFECTS
from golden_support import FORMULAS, PANELS, data, entries, weights
from panels import EFFECTS, panel
from panels import weights as small_weights
from scipy.sparse import csc_array
from scipy.special import logsumexp

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationWarning
from nqpf_spatial.kernels import logdet as ld
from nqpf_spatial.kernels.factor import FactorLogDet, by_lu
from nqpf_spatial.models import Prior, compare_fits, determinant
from nqpf_spatial.models import estimate as estimation
from nqpf_spatial.models.bayes.posterior import highest_density, log_marginal
from nqpf_spatial.models.impacts.inference import effects_at

MODELS = ("OLS", "SLX", "SAR", "SEM", "SDM", "SDEM")
STATIC = [(m, e) for m in MODELS for e in EFFECTS]


def small_fit(model: str, effects: str = "twoways", kind: str = "graph", n: int = 10, t: int = 6, **options):
    w = small_weights(kind, n)
    formula = "y ~ x1 + x2" + EFFECTS[effects]
    return nq.fit(formula, panel(kind, n, t), None if model == "OLS" else w, model=model, **options)


# -- golden probabilities ------------------------------------------------------------------------------------
#: dummy-variable likelihoods of produc with time effects are of W(Qy); see tests/kernels/test_posterior.py
GOLDEN = [
    (key, effects, correction)
    for key in PANELS
    for effects in GOLDEN_EFFECTS
    for correction in ("none", "transform")
    if not (effects == "none" and correction == "transform")
    and not (key == "produc" and effects in ("time", "twoways") and correction == "none")
]


@pytest.mark.parametrize(("key", "effects", "correction"), GOLDEN)
def test_published_conventions_give_the_golden_probabilities(key, effects, correction):
    e = entries()[f"{key}.own.logmarginal.{effects}.{'no' if correction == 'none' else 'LY'}"]
    found = nq.model_probabilities(
        FORMULAS[key] + GOLDEN_EFFECTS[effects], data(key), weights(key), correction=correction, prior="lesage"
    )
    table = found.table.droplevel("w")
    for model, value in e["lmarginal"].items():
        assert table.loc[model.upper(), "log_marginal"] == pytest.approx(value, abs=1e-6)
        assert table.loc[model.upper(), "probability"] == pytest.approx(e["probs"][model], rel=1e-5)


# -- posterior -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("model", "effects"), STATIC)
def test_posterior_of_a_large_sample_is_the_likelihood(model, effects):
    w = nq.weights.contiguity()
    params = {"x": 1.0, "W:x": 0.5, "rho": 0.35, "lambda": 0.35, "sigma2": 0.5}
    allowed = {"x", "sigma2"} | ({"W:x"} if model in ("SLX", "SDM", "SDEM") else set())
    allowed |= {"rho"} if model in ("SAR", "SDM") else {"lambda"} if model in ("SEM", "SDEM") else set()
    frame = nq.simulate(model, w, T=60, params={k: v for k, v in params.items() if k in allowed}, seed=5)
    fit = nq.fit("y ~ x" + EFFECTS[effects], frame, None if model == "OLS" else w, model=model)
    post = fit.posterior(draws=20_000, seed=3)
    summary = post.summary()
    names = fit.params.index
    assert list(post.draws.columns) == list(names)
    shift = (summary.loc[names, "mean"] - fit.params) / fit.bse
    assert shift.abs().max() < 0.12
    np.testing.assert_allclose(summary.loc[names, "sd"] / fit.bse, 1.0, atol=0.05)
    interval = fit.conf_int()
    for side in ("lower", "upper"):
        assert ((summary.loc[names, side] - interval[side]).abs() / fit.bse).max() < 0.2
    assert post.sigma2.mean() == pytest.approx(fit.sigma2, rel=0.01)


def test_impacts_have_the_layout_and_the_numbers_of_the_samples():
    fit = small_fit("SDM", n=14, t=12)
    impacts = fit.impacts(method="posterior", draws=4000, seed=2)
    delta = fit.impacts()
    assert impacts.table.columns.equals(delta.table.columns) and impacts.table.index.equals(delta.table.index)
    draws = fit.posterior(draws=4000, seed=2).draws
    total = (draws["x1"] + draws["W:x1"]) / (1.0 - draws["rho"])
    row = impacts.table.loc["x1", "total"]
    assert row["estimate"] == pytest.approx(total.mean(), rel=1e-10)
    assert row["se"] == pytest.approx(total.std(ddof=1), rel=1e-10)
    assert [row["lower"], row["upper"]] == pytest.approx(list(total.quantile([0.025, 0.975])))
    assert row["p"] == pytest.approx(2 * min((total > 0).mean(), (total < 0).mean()))
    for effects in (impacts.table, fit.posterior(draws=4000, seed=2).impacts().table):
        parts = effects.xs("estimate", axis=1, level="statistic")
        np.testing.assert_allclose(parts["direct"] + parts["indirect"], parts["total"], atol=1e-12)
    assert "posterior mean, 4000 samples" in repr(impacts) and "vcov" not in repr(impacts)
    assert impacts.outside == 0.0


def test_same_seed_same_bits_and_order_of_the_rows_does_not_matter():
    w = small_weights("graph", 10)
    frame = panel("graph", 10, 6)
    one = nq.sdm("y ~ x1 + x2 | unit + period", frame, w).posterior(draws=500, seed=9)
    other = nq.sdm("y ~ x1 + x2 | unit + period", frame.sample(frac=1, random_state=1), w).posterior(draws=500, seed=9)
    pd.testing.assert_frame_equal(one.draws, other.draws, check_exact=True)
    assert one.log_marginal == other.log_marginal
    assert not one.draws.equals(one.fit.posterior(draws=500, seed=10).draws)


def test_relabelling_the_units_changes_nothing():
    w = small_weights("knn", 10)
    frame = panel("knn", 10, 6)
    new = {unit: f"z{9 - i}" for i, unit in enumerate(w.ids)}  # reverses the canonical order
    renamed = frame.rename(index=new, level="unit")
    order = sorted(new.values())
    back = {v: k for k, v in new.items()}
    place = [w.ids.index(back[unit]) for unit in order]
    other = nq.weights.from_any(w.dense()[np.ix_(place, place)], ids=order, transform="none", name=w.name)
    for model in ("SAR", "SDEM"):
        formula = "y ~ x1 + x2 | unit + period"
        first, second = nq.fit(formula, frame, w, model=model), nq.fit(formula, renamed, other, model=model)
        assert log_marginal(first, "g") == pytest.approx(log_marginal(second, "g"), abs=1e-8)
        a, b = (f.posterior(draws=300, seed=1).draws for f in (first, second))
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_dummy_variable_likelihood_loses_one_observation_per_effect():
    """Flat effects integrate out: least squares on dummies, no spatial term, has nu = NT - k - N - T + 1."""
    fit = small_fit("OLS", correction="none", t=12)
    post = fit.posterior(draws=100_000, seed=1)
    n, t, k = 10, 12, 2
    nu = n * t - k - n - t + 1
    sse = fit.sigma2 * n * t
    assert post.sigma2.mean() == pytest.approx(sse / (nu - 2), rel=0.01)
    # the transformation has the same n and, without a spatial term, the same data
    other = small_fit("OLS", t=12).posterior(draws=100_000, seed=1)
    np.testing.assert_allclose(other.draws, post.draws, atol=1e-10)
    assert other.log_marginal == pytest.approx(post.log_marginal, abs=1e-9)


def test_summary_intervals():
    post = small_fit("SAR").posterior(draws=3000, seed=1)
    table = post.summary(alpha=0.2)
    rho = np.sort(post.draws["rho"])
    inside = ((rho >= table.loc["rho", "hpd_lower"]) & (rho <= table.loc["rho", "hpd_upper"])).mean()
    assert inside == pytest.approx(0.8, abs=1e-3)
    assert table.loc["rho", "hpd_upper"] - table.loc["rho", "hpd_lower"] <= (
        table.loc["rho", "upper"] - table.loc["rho", "lower"]
    )
    assert table.index[-1] == "sigma2" and table.loc["sigma2", "p_positive"] == 1.0
    skewed = np.sort(np.random.default_rng(0).exponential(size=(20_000, 1)), axis=0)
    low, high = highest_density(skewed, 0.05)
    assert low[0] < 0.01 and high[0] == pytest.approx(-np.log(0.05), abs=0.1)


def test_density_integrates_to_one_and_samples_follow_it():
    post = small_fit("SDEM").posterior(draws=20_000, seed=1)
    curve = post.density()
    assert curve.index.name == "lambda"
    assert np.trapezoid(curve, curve.index) == pytest.approx(1.0, abs=1e-4)
    mean = np.trapezoid(curve * curve.index, curve.index)
    assert post.draws["lambda"].mean() == pytest.approx(mean, abs=4 * post.draws["lambda"].std() / np.sqrt(20_000))
    with pytest.raises(ValueError, match="neither rho nor lambda"):
        small_fit("SLX").posterior(draws=10).density()


def test_normal_prior_by_name_pulls_one_coefficient():
    fit = small_fit("SDM")
    tight = Prior(beta="normal", mean={"x1": 3.0}, scale={"x1": 1e-4})
    draws = fit.posterior(draws=500, seed=1, prior=tight).draws
    assert draws["x1"].mean() == pytest.approx(3.0, abs=0.01)
    assert draws["x2"].mean() == pytest.approx(fit.params["x2"], abs=5 * fit.bse["x2"])
    wide = fit.posterior(draws=500, seed=1, prior=Prior(beta="normal", scale=1e6)).draws
    flat = fit.posterior(draws=500, seed=1).draws
    # nu counts k observations more under a proper prior, hence not the same bits
    assert (wide.mean() - flat.mean()).abs().max() < 0.1
    inside = fit.posterior(draws=500, seed=1, prior=Prior(interval=(0.1, 0.2))).draws["rho"]
    assert inside.between(0.1, 0.2).all()


def test_large_sparse_weights_give_the_same_posterior(monkeypatch):
    """The interpolant of factorised log-determinants stands in for eigenvalues."""
    w = nq.weights.contiguity()
    frame = nq.simulate("SAR", w, T=30, params={"x": 1.0, "rho": 0.4}, seed=2)
    exact = {m: nq.fit("y ~ x | unit + period", frame, w, model=m).posterior(200, 1) for m in ("SAR", "SEM")}
    monkeypatch.setattr(determinant, "EIGENVALUES_UP_TO", 10)
    monkeypatch.setattr(
        estimation, "log_determinant", lambda w: FactorLogDet(by_lu(csc_array(w.sparse)), *w.rho_interval(), "lu")
    )
    for model, other in exact.items():
        fit = nq.fit("y ~ x | unit + period", frame, w, model=model)
        assert not isinstance(fit.estimate.likelihood.rho or fit.estimate.likelihood.lambda_, ld.LogDet)
        found = fit.posterior(200, 1)
        assert found.log_marginal == pytest.approx(other.log_marginal, abs=1e-7)
        np.testing.assert_allclose(found.draws, other.draws, atol=1e-5)
        with pytest.raises(ValueError, match="leaves the admissible"):
            fit.posterior(200, 1, Prior(interval=(-3.0, 1.0)))


def test_results_are_frozen_and_print():
    post = small_fit("SAR").posterior(draws=200, seed=1)
    with pytest.raises(FrozenInstanceError):
        post.seed = 2
    assert "log marginal likelihood" in repr(post) and "<table" in post._repr_html_()
    bars = post.plot("sigma2").patches
    assert min(bar.get_x() for bar in bars) >= post.sigma2.min() > 0
    assert sum(bar.get_width() * bar.get_height() for bar in bars) == pytest.approx(1.0)
    assert post.plot().get_xlabel() == "ρ" and post.plot("x1").get_xlabel() == "x1"
    with pytest.raises(ValueError, match="no parameter"):
        post.plot("nothing")


def test_mass_at_the_end_of_the_interval_is_a_warning():
    w = nq.weights.contiguity()
    frame = nq.simulate("SAR", w, T=3, params={"x": 0.1, "rho": 0.8}, seed=6)
    fit = nq.sar("y ~ x | unit + period", frame, w)
    assert fit.rho < 0.95
    with pytest.warns(IdentificationWarning, match="last hundredth"):
        fit.impacts(method="posterior", draws=2000)


# -- refusals ------------------------------------------------------------------------------------------------
def test_fits_without_this_posterior_are_refused():
    with pytest.raises(ValueError, match="two spatial parameters"):
        small_fit("SAC").posterior()
    with pytest.raises(ValueError, match="two spatial parameters"):
        small_fit("GNS").impacts(method="posterior")
    with pytest.raises(ValueError, match="belongs to no likelihood"):
        small_fit("SAR", correction="bias").posterior()
    with pytest.raises(ValueError, match="random effects"):
        nq.sar("y ~ x1 + x2 | period", panel("graph", 10, 6), small_weights("graph", 10), effects="random").posterior()
    with pytest.raises(ValueError, match="at least two"):
        small_fit("SAR").posterior(draws=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta": "jeffreys"}, "not known"),
        ({"beta": "normal"}, "needs it"),
        ({"scale": 2.0}, "belongs to beta"),
        ({"g": 10.0}, "belongs to beta"),
        ({"beta": "g", "g": 0.0}, "positive"),
        ({"shape": 1.0}, "both positive"),
        ({"d": 0.5}, "at least 1"),
        ({"beta": "normal", "scale": {"x": -1.0}}, "are positive"),
    ],
)
def test_priors_that_are_none(options, message):
    with pytest.raises(ValueError, match=message):
        Prior(**options)


def test_prior_that_names_no_coefficient():
    with pytest.raises(ValueError, match="the prior names nothing, which the model has not; it has x1, x2"):
        small_fit("SAR").posterior(prior=Prior(beta="normal", scale={"nothing": 1.0}))


# -- model probabilities -------------------------------------------------------------------------------------
def two_weights(n: int = 10):
    return {"graph": small_weights("graph", n), "knn": small_weights("knn", n)}


FORMULA = "y ~ x1 + x2 | unit + period"


def test_table_of_models_and_weights():
    frame = panel("graph", 10, 6)
    found = nq.model_probabilities(FORMULA, frame, two_weights())
    table = found.table
    assert len(table) == 11 and table.loc["OLS"].index.tolist() == ["none"]
    assert table["probability"].sum() == pytest.approx(1.0) and table["prior"].sum() == pytest.approx(1.0)
    assert table["prior"].groupby("model").sum().to_numpy() == pytest.approx(np.full(6, 1 / 6))
    for (model, name), row in table.iterrows():
        w = None if name == "none" else two_weights()[name]
        fit = nq.fit(FORMULA, frame, w, model=model)
        assert row["log_marginal"] == pytest.approx(log_marginal(fit, "g"), abs=1e-8)
        pd.testing.assert_series_equal(found.fits[model, name].params, fit.params, rtol=1e-6)
    total = table["log_marginal"] + np.log(table["prior"])
    np.testing.assert_allclose(table["probability"], np.exp(total - logsumexp(total)))
    assert found.by_model["SAR"] == pytest.approx(table.loc["SAR", "probability"].sum())
    assert found.by_weights.index.tolist() == ["none", "graph", "knn"]
    assert found.best.model == table["probability"].idxmax()[0]
    assert found.n_effective == 45


def test_sequence_mapping_and_order_agree():
    frame = panel("graph", 10, 6)
    both = two_weights()
    one = nq.model_probabilities(FORMULA, frame, list(both.values()), ["SAR", "SDEM"])
    other = nq.model_probabilities(FORMULA, frame.iloc[::-1], dict(reversed(both.items())), ["sdem", "sar"])
    names = {w.name: key for key, w in both.items()}
    ours = one.table.rename(index=names, level="w").sort_index()
    pd.testing.assert_frame_equal(ours, other.table.sort_index())


def test_the_true_model_and_weights_win():
    w, wrong = nq.weights.contiguity(), nq.weights.knn(k=5)
    for model, params in (
        ("SEM", {"x": 1.0, "lambda": 0.6}),
        ("SDM", {"x": 1.0, "W:x": -0.8, "rho": 0.5}),
        ("OLS", {"x": 1.0}),
    ):
        frame = nq.simulate(model, w, T=15, params=params, seed=4)
        found = nq.model_probabilities("y ~ x | unit + period", frame, {"true": w, "wrong": wrong})
        assert found.by_model.idxmax() == model
        if model != "OLS":
            assert found.by_weights["true"] > 0.95


def test_default_prior_does_not_depend_on_units_of_measurement():
    frame = panel("graph", 10, 6)
    scaled = frame.assign(x1=1000.0 * frame["x1"])
    one, other = (nq.model_probabilities(FORMULA, f, two_weights()) for f in (frame, scaled))
    np.testing.assert_allclose(one.table["probability"], other.table["probability"], rtol=1e-7)
    flat = [nq.model_probabilities(FORMULA, f, two_weights(), prior="flat") for f in (frame, scaled)]
    assert (flat[0].table["probability"] - flat[1].table["probability"]).abs().max() > 0.01


def test_averaged_impacts_are_the_mixture():
    frame = panel("graph", 14, 12, theta=0.0, rho=0.15)
    found = nq.model_probabilities(FORMULA, frame, two_weights(14), ["OLS", "SAR", "SDEM"])
    assert found.by_model.min() > 0.01
    table = found.impacts(draws=60_000, seed=1)
    mean, second = np.zeros((2, 3)), np.zeros((2, 3))
    for key, fit in found.fits.items():
        names, sample = effects_at(fit, fit.posterior(20_000, 5, "g").draws.to_numpy())
        mean += found.table.loc[key, "probability"] * sample.mean(axis=0)
        second += found.table.loc[key, "probability"] * (sample**2).mean(axis=0)
    assert table.index.tolist() == names
    for j, effect in enumerate(("direct", "indirect", "total")):
        np.testing.assert_allclose(table[effect]["estimate"], mean[:, j], atol=0.005)
        np.testing.assert_allclose(table[effect]["se"], np.sqrt(second - mean**2)[:, j], rtol=0.04)
    assert table.columns.equals(found.best.impacts().table.columns)


def test_averaged_impacts_of_one_model_are_those_of_the_model():
    found = nq.model_probabilities(FORMULA, panel("graph", 10, 6), small_weights("graph", 10), ["SAR"], prior="flat")
    expected = found.best.impacts(method="posterior", draws=5000, seed=3).table
    ours = found.impacts(draws=5000, seed=3)
    np.testing.assert_allclose(ours.xs("estimate", axis=1, level=1), expected.xs("estimate", axis=1, level=1))
    np.testing.assert_allclose(ours.xs("lower", axis=1, level=1), expected.xs("lower", axis=1, level=1), atol=2e-3)


def test_model_prior():
    frame = panel("graph", 10, 6)
    found = nq.model_probabilities(FORMULA, frame, two_weights(), ["SAR", "SEM"], model_prior={"SAR": 3.0, "SEM": 1.0})
    assert found.table["prior"].tolist() == pytest.approx([0.375, 0.375, 0.125, 0.125])
    with pytest.raises(ValueError, match="for each of SAR, SEM"):
        nq.model_probabilities(FORMULA, frame, two_weights(), ["SAR", "SEM"], model_prior={"SAR": 1.0})
    never = nq.model_probabilities(FORMULA, frame, two_weights(), ["SAR", "SEM"], model_prior={"SAR": 1.0, "SEM": 0.0})
    assert never.by_model["SEM"] == 0.0


def test_likelihoods_of_other_observations_are_refused():
    first = small_fit("SAR")
    for other, word in (
        (small_fit("SEM", correction="none"), "n \\(45 against 60\\), correction"),
        (small_fit("SEM", "unit"), "n \\(45 against 50\\), effects"),
        (small_fit("SEM", t=7), "n \\(45 against 54\\)"),
        (nq.sem("y ~ x1 | unit + period", panel("graph", 10, 6, seed=8), small_weights("graph", 10)), "sum of the"),
    ):
        with pytest.raises(ValueError, match=f"not likelihoods of the same observations: {word}"):
            compare_fits({("SAR", "graph"): first, ("SEM", "graph"): other})
    with pytest.raises(ValueError, match="no fits"):
        compare_fits({})


def test_arguments_of_model_probabilities():
    frame, w = panel("graph", 10, 6), small_weights("graph", 10)
    with pytest.raises(ValueError, match="different names"):
        nq.model_probabilities(FORMULA, frame, [w, w])
    with pytest.raises(TypeError, match="from_any"):
        nq.model_probabilities(FORMULA, frame, [w.dense()])
    with pytest.raises(ValueError, match="each once"):
        nq.model_probabilities(FORMULA, frame, w, ["SAR", "sar"])
    with pytest.raises(ValueError, match="belongs to no likelihood"):
        nq.model_probabilities(FORMULA, frame, w, correction="bias")
    with pytest.raises(ValueError, match="two spatial parameters"):
        nq.model_probabilities(FORMULA, frame, w, ["SAR", "SAC"])


def test_probabilities_print_and_plot():
    found = nq.model_probabilities(FORMULA, panel("graph", 10, 6), two_weights())
    assert "most probable" in repr(found) and found._repr_html_().count("<table") == 3
    axes = found.plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == list(MODELS)
