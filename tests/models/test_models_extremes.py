"""Very small panels and outcomes of any size: results without stray warnings of arithmetic, or an error that says what is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError, PanelError

MODELS = ("OLS", "SLX", "SAR", "SDM", "SEM", "SDEM")
ALLOWED = pytest.mark.filterwarnings("ignore::nqpf_spatial.errors.IdentificationWarning")


def chain(n: int, t: int, seed: int = 0) -> tuple[pd.DataFrame, nq.weights.SpatialWeights]:
    rng = np.random.default_rng(seed)
    ids = [f"u{i}" for i in range(n)]
    links = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) == 1
    index = pd.MultiIndex.from_product([ids, range(t)], names=["unit", "period"])
    data = pd.DataFrame(rng.standard_normal((n * t, 2)), index=index, columns=["y", "x"])
    return data, nq.weights.from_any(links.astype(float), ids=ids, transform="row", name="chain")


@ALLOWED
@pytest.mark.parametrize("correction", ["transform", "score", "none", "bias", "bootstrap"])
@pytest.mark.parametrize("t", [2, 3])
def test_three_units(t: int, correction: str) -> None:
    """Warnings are errors here: every fit either works or is refused in words."""
    refused = 0
    for effects in ("", " | unit", " | period", " | unit + period"):
        for model in MODELS:
            for seed in range(2):
                data, w = chain(3, t, seed)
                try:
                    fit = nq.fit(
                        f"y ~ x{effects}", data, None if model == "OLS" else w, model=model, correction=correction
                    )
                except IdentificationError:
                    refused += 1
                    continue
                assert np.isfinite(fit.bse).all() and fit.sigma2 > 0
    assert 0 < refused < 48


@pytest.mark.parametrize("correction", ["none", "bias", "bootstrap"])
def test_dummies_that_use_up_the_observations_are_an_error(correction: str) -> None:
    data, w = chain(3, 2)
    with pytest.raises(IdentificationError, match="2 effective observations for 1 coefficients"):
        nq.sar("y ~ x | unit + period", data, w, correction=correction)


def test_two_units() -> None:
    data, w = chain(2, 8)
    fit = nq.slx("y ~ x | unit", data, w)
    with pytest.raises(PanelError, match="2 units are fewer than three clusters"):
        _ = fit.with_vcov("cluster").bse
    shown = nq.ols("y ~ x | unit + period", data).diagnose(w=w).table.set_index("key")
    # I is minus one whatever the data are
    assert shown.loc[["moran", "serial"], "statistic"].isna().all()


@pytest.mark.parametrize("scale", [1e12, 1e-12])
@pytest.mark.parametrize("model", MODELS)
def test_the_size_of_the_outcome_changes_nothing_but_the_units(model: str, scale: float) -> None:
    w = nq.weights.contiguity()
    data = nq.simulate("SDM", w, T=6, params={"x": 1.0, "W:x": 0.5, "rho": 0.3}, seed=1)
    plain, large = (
        nq.fit("y ~ x | unit + period", data.assign(y=data["y"] * s), None if model == "OLS" else w, model=model)
        for s in (1.0, scale)
    )
    for vcov in ("observed", "expected", "sandwich"):
        one, two = plain.with_vcov(vcov), large.with_vcov(vcov)
        np.testing.assert_allclose(two.zvalues, one.zvalues, rtol=1e-6)
    found, want = (f.impacts().tidy()["z"].dropna() for f in (large, plain))
    np.testing.assert_allclose(found, want, rtol=1e-6)
    for method in ("simulate", "bootstrap", "posterior"):
        assert np.isfinite(large.impacts(method, draws=50).tidy()[["estimate", "se"]]).all().all()


def test_a_high_level_leaves_the_tests_of_random_effects() -> None:
    """Cross-products of the level itself would leave no digit of the residuals."""
    w = nq.weights.contiguity()
    data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "rho": 0.3}, seed=1)
    plain, lifted = (nq.ols("y ~ x", data.assign(y=data["y"] + s)).diagnose(w=w).table for s in (0.0, 1e9))
    rows = [name for name in plain.index if name.startswith("BSK conditional")]
    assert len(rows) == 2
    np.testing.assert_allclose(
        lifted.loc[rows, "statistic"].astype(float), plain.loc[rows, "statistic"].astype(float), rtol=1e-4
    )


@pytest.mark.parametrize("effects", ["unit", "unit + period", "period"])
@pytest.mark.parametrize("t", [2, 7])
def test_corrected_dummy_variable_fits_have_the_information_of_what_the_dummies_leave(t: int, effects: str) -> None:
    """With unit effects alone the correction is the transformation; with time effects it differs by the step only."""
    w = nq.weights.contiguity()
    data = nq.simulate("SDM", w, T=t, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=1)
    bias, exact, boot = (
        nq.sdm(f"y ~ x | {effects}", data, w, correction=c) for c in ("bias", "transform", "bootstrap")
    )
    tolerance = 1e-7 if effects == "unit" else 0.05
    np.testing.assert_allclose(bias.bse, exact.bse, rtol=tolerance)
    assert bias.sigma2_se == pytest.approx(exact.sigma2_se, rel=tolerance)
    np.testing.assert_allclose(boot.bse, exact.bse, rtol=0.15)


@pytest.mark.filterwarnings("ignore::nqpf_spatial.errors.FewClustersWarning")
@pytest.mark.parametrize("vcov", ["driscoll-kraay", "cluster"])
def test_draws_and_joint_tests_with_a_covariance_of_few_periods_or_clusters(vcov: str) -> None:
    """Its rank is below the number of parameters: draws stay in the space it spans, joint tests of more restrictions do not exist."""
    from nqpf_spatial.models.diagnostics import wald_test
    from nqpf_spatial.models.impacts.samples import normal_draws

    w = nq.weights.contiguity()
    params = {"a": 1.0, "b": 0.2, "c": 0.1, "d": 0.0, "W:a": 0.3, "W:b": 0.0, "W:c": 0.0, "W:d": 0.0, "rho": 0.4}
    data = nq.simulate("SDM", w, T=4, params=params, seed=1)
    options = {"groups": {unit: i % 3 for i, unit in enumerate(w.ids)}} if vcov == "cluster" else {}
    fit = nq.sdm("y ~ a + b + c + d | unit + period", data, w).with_vcov(vcov, **options)
    rank = np.linalg.matrix_rank(fit.cov_params().to_numpy(), tol=1e-10)
    assert rank < len(fit.params)
    drawn, se = normal_draws(fit, 20_000, 0), fit.bse.to_numpy()
    scaled = np.cov(drawn.T) / np.outer(se, se)
    np.testing.assert_allclose(scaled, fit.cov_params() / np.outer(se, se), atol=0.04)
    assert np.isfinite(fit.impacts("simulate", draws=100).tidy()["se"]).all()
    if rank < 4:
        with pytest.raises(IdentificationError, match="singular in the 4 restrictions"):
            wald_test(fit, "SAR")


def test_several_lags_with_dummies_that_use_up_the_observations() -> None:
    data, w = chain(4, 2)
    other = nq.weights.from_any(np.ones((4, 4)) - np.eye(4), ids=list(w.ids), transform="row", name="all")
    with pytest.raises(IdentificationError, match="3 effective observations for 3 coefficients"):
        nq.sar("y ~ x | unit + period", data, {"a": w, "b": other}, correction="none")
