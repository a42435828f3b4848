"""Convex combinations: dense likelihoods, the boundary, profile intervals and tests against fits with one fixed W."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from several_reference import PERIODS, UNITS, changing, dense, labelled, make_panel, matrices, named, reference

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationWarning
from nqpf_spatial.models.several.results import SeveralFit

EFFECTS = {"none": "", "unit": " | unit", "time": " | period", "twoways": " | unit + period"}
W3 = named()
W2 = {k: W3[k] for k in ("near", "flow")}
FORMULA = "y ~ x1 + x2 | unit + period"


@pytest.fixture(scope="module")
def inside() -> pd.DataFrame:
    """Shares 0.4, 0.6 of near and flow, rho 0.5, theta 0.5."""
    return make_panel(list(W2.values()), [0.2, 0.3], [0.2, 0.3], scale=0.3)


@pytest.fixture(scope="module")
def corner() -> pd.DataFrame:
    """The flow matrix alone, with noise that leaves the estimate in the corner."""
    return make_panel([W3["flow"]], [0.5], [0.5], scale=0.2, seed=7)


@pytest.fixture(scope="module")
def fit(inside) -> SeveralFit:
    return nq.sdm(FORMULA, inside, W2, combine=True)


def single(frame: pd.DataFrame, weights: dict, shares, formula: str = FORMULA, **options) -> nq.models.SpatialFit:
    """The fit with the combination at given shares as the one W."""
    kept = [(w, float(s)) for w, s in zip(weights.values(), shares, strict=True) if s > 0]
    if len(kept) == 1:
        return nq.sdm(formula, frame, kept[0][0], **options)
    return nq.sdm(formula, frame, nq.weights.combine([w for w, _ in kept], [s for _, s in kept]), **options)


@pytest.mark.parametrize(
    ("model", "effects", "correction"),
    [
        ("SDM", "twoways", "transform"),
        ("SAR", "twoways", "transform"),
        ("SDM", "unit", "transform"),
        ("SDM", "time", "score"),
        ("SDM", "twoways", "none"),
        ("SAR", "none", "transform"),
    ],
)
def test_combination_is_the_maximum_of_the_dense_likelihood(inside, model, effects, correction) -> None:
    fit = nq.fit(f"y ~ x1 + x2{EFFECTS[effects]}", inside, W2, model=model, correction=correction, combine=True)
    unit, time = effects in ("unit", "twoways"), effects in ("time", "twoways")
    transform = correction != "none" and effects != "none"
    ref = reference(
        inside, list(W2.values()), "shares", unit=unit, time=time, transform=transform, durbin=model == "SDM"
    )
    best = ref.maximise([np.array([0.3, 0.5]), np.array([0.5, 0.2])])
    compare(fit, ref, best)
    assert list(fit.params.index[-3:]) == ["rho", "share:near", "share:flow"]
    assert fit.params[["share:near", "share:flow"]].sum() == pytest.approx(1.0, abs=1e-14)


def compare(fit: SeveralFit, ref, best: np.ndarray) -> None:
    """Estimates and covariance; the last share is one minus the others."""
    drop = ["Intercept", fit.params.index[-1]]
    params, se = (v.drop(drop, errors="ignore") for v in (fit.params, fit.bse))
    assert fit.llf == pytest.approx(float(ref.loglik(best)), abs=1e-8)
    np.testing.assert_allclose(params, best[:-1], atol=3e-7)
    covariance = np.linalg.inv(ref.information(best))
    np.testing.assert_allclose(se, np.sqrt(np.diag(covariance))[:-1], rtol=2e-4)
    assert fit.sigma2_se == pytest.approx(np.sqrt(covariance[-1, -1]), rel=2e-4)
    cov = fit.cov_params().loc[params.index, params.index].to_numpy()
    assert np.max(np.abs(cov - covariance[:-1, :-1]) / np.outer(se, se)) < 2e-4
    # the rows and columns of the shares sum to zero
    shares = [name for name in fit.params.index if name.startswith("share:")]
    np.testing.assert_allclose(fit.cov_params()[shares].sum(axis=1), 0.0, atol=1e-12)


def test_three_matrices() -> None:
    frame = make_panel(list(W3.values()), [0.2, 0.15, 0.25], [0.2, 0.15, 0.25], scale=0.2, seed=8)
    fit = nq.sdm(FORMULA, frame, W3, combine=True)
    shares = fit.params.iloc[-3:]
    assert ((shares > 0.02) & (shares < 0.98)).all(), "the case is meant to lie inside the simplex"
    ref = reference(frame, list(W3.values()), "shares", unit=True, time=True, transform=True)
    compare(fit, ref, ref.maximise([np.array([0.5, 0.3, 0.3]), np.array([0.6, 0.1, 0.5])]))


def test_changing_matrices_in_a_combination() -> None:
    weights = {"moving": changing(), "far": W3["far"]}
    frame = make_panel(list(weights.values()), [0.3, 0.3], [0.3, 0.3], scale=0.2, seed=6)
    for effects, correction in (("time", "transform"), ("none", "transform")):
        fit = nq.sdm(f"y ~ x1 + x2{EFFECTS[effects]}", frame, weights, combine=True, correction=correction)
        ref = reference(frame, list(weights.values()), "shares", unit=False, time=effects == "time", transform=True)
        compare(fit, ref, ref.maximise([np.array([0.4, 0.5])]))
    two_way = nq.sdm(FORMULA, frame, weights, combine=True, correction="score")
    ref = reference(frame, list(weights.values()), "shares", unit=True, time=True, transform=True)
    best = ref.maximise([np.array([0.4, 0.5])])
    np.testing.assert_allclose(two_way.params.iloc[:-1], best[:-1], atol=3e-7)
    # H^-1 (H - gap) H^-1 with the gap from NT x NT matrices, by the chain rule r = (rho g, rho (1 - g))
    rho, g = best[-3], best[-2]
    blocks = []
    for w in weights.values():
        block = np.zeros((PERIODS * UNITS, PERIODS * UNITS))
        for t in range(PERIODS):
            a = np.eye(UNITS) - rho * (
                g * dense(weights["moving"], PERIODS)[t] + (1 - g) * dense(W3["far"], PERIODS)[t]
            )
            part = slice(t * UNITS, (t + 1) * UNITS)
            block[part, part] = dense(w, PERIODS)[t] @ np.linalg.inv(a)
        blocks.append(block)
    q = np.kron(np.eye(PERIODS) - 1 / PERIODS, np.eye(UNITS) - 1 / UNITS)
    by_parameter = [g * blocks[0] + (1 - g) * blocks[1], rho * (blocks[0] - blocks[1])]
    gap = np.array([[np.trace(q @ a @ (np.eye(len(q)) - q) @ b) for b in by_parameter] for a in by_parameter])
    hessian = ref.information(best)
    variance = hessian.copy()
    variance[-3:-1, -3:-1] -= gap
    covariance = np.linalg.inv(hessian) @ variance @ np.linalg.inv(hessian)
    np.testing.assert_allclose(two_way.bse.iloc[:-1], np.sqrt(np.diag(covariance))[:-1], rtol=1e-4)


def test_durbin_terms_of_their_own_beside_a_combined_lag(inside) -> None:
    fit = nq.fit(FORMULA, inside, W2, w_durbin=W3["far"], combine=True)
    assert list(fit.params.index) == ["x1", "x2", "W:x1", "W:x2", "rho", "share:near", "share:flow"]
    ref = reference(inside, list(W2.values()), "shares", unit=True, time=True, transform=True, durbin=False)
    far = np.einsum("ij,ktj->kti", W3["far"].dense(), ref.own)
    z = np.concatenate([ref.own, far])
    ref.z_of, ref.k = (lambda s: z), 4
    compare(fit, ref, ref.maximise([np.array([0.3, 0.5]), np.array([0.6, 0.3])]))
    imp = fit.impacts().table
    a = np.eye(UNITS) - fit.rho * fit.combined().dense()
    s = np.linalg.solve(a, fit.params["x1"] * np.eye(UNITS) + fit.params["W:x1"] * W3["far"].dense())
    assert imp.loc["x1", ("total", "estimate")] == pytest.approx(s.sum() / UNITS, rel=1e-9)


def test_the_fit_with_the_estimated_combination_as_one_matrix_is_the_same(fit, inside) -> None:
    one = nq.sdm(FORMULA, inside, fit.combined())
    assert one.llf == pytest.approx(fit.llf, abs=1e-9)
    np.testing.assert_allclose(one.params, fit.params[one.params.index], rtol=1e-7)
    imp, theirs = fit.impacts().table, one.impacts().table
    np.testing.assert_allclose(imp.xs("estimate", axis=1, level=1), theirs.xs("estimate", axis=1, level=1), rtol=1e-7)
    # shares that are estimated add to what one does not know
    assert (imp[("total", "se")] >= theirs[("total", "se")] * (1 - 1e-9)).all()
    assert fit.combined().is_row_stochastic
    moving = {"moving": changing(), "far": W3["far"]}
    frame = make_panel(list(moving.values()), [0.3, 0.2], [0.3, 0.2], scale=0.2)
    several = nq.sdm("y ~ x1 + x2 | period", frame, moving, combine=True)
    again = nq.sdm("y ~ x1 + x2 | period", frame, several.combined())
    np.testing.assert_allclose(again.params, several.params[again.params.index], rtol=1e-6)


@pytest.mark.filterwarnings("ignore:no spatial dependence")
@pytest.mark.parametrize("seed", range(6))
def test_no_fixed_combination_has_a_higher_likelihood(seed: int) -> None:
    """Estimates in the interior, on edges and in corners against a fine lattice of fits with one W."""
    rng = np.random.default_rng(seed)
    g = rng.dirichlet(np.full(3, 0.4))
    rho = rng.uniform(-0.5, 0.7)
    frame = make_panel(list(W3.values()), list(rho * g), list(0.3 * g), scale=0.5, seed=seed)
    fit = nq.sar(FORMULA, frame, W3, combine=True)
    steps = 12
    best = max(
        nq.sar(FORMULA, frame, mixed(np.array([i, j, steps - i - j]) / steps)).llf
        for i, j in itertools.product(range(steps + 1), repeat=2)
        if i + j <= steps
    )
    assert fit.llf >= best - 1e-9
    assert fit.llf <= best + 1.0


def mixed(shares: np.ndarray) -> nq.weights.SpatialWeights:
    kept = [(w, float(s)) for w, s in zip(W3.values(), shares, strict=True) if s > 0]
    return kept[0][0] if len(kept) == 1 else nq.weights.combine([w for w, _ in kept], [s for _, s in kept])


def test_in_a_corner_the_numbers_are_those_of_the_single_matrix(corner) -> None:
    weights = {k: W3[k] for k in ("far", "flow")}
    fit, one = nq.sdm(FORMULA, corner, weights, combine=True), nq.sdm(FORMULA, corner, W3["flow"])
    assert fit.params["share:far"] == 0.0, "the case is meant to lie in the corner"
    assert fit.params["share:flow"] == 1.0
    np.testing.assert_allclose(fit.params[one.params.index], one.params, rtol=1e-9)
    np.testing.assert_allclose(fit.bse[one.params.index], one.bse, rtol=1e-8)
    assert fit.llf == pytest.approx(one.llf, abs=1e-10)
    np.testing.assert_allclose(fit.impacts().table, one.impacts().table, rtol=1e-7)
    assert fit.bse[["share:far", "share:flow"]].isna().all()
    assert "at the bound 0: share of far" in fit.summary()
    assert fit.combined() == W3["flow"]
    table = fit.shares()
    assert table.loc["far", "boundary"]
    assert table.loc["far", ["LR", "p", "lower"]].tolist() == [0.0, 1.0, 0.0]
    assert 0 < table.loc["far", "upper"] < 1
    draws = fit.impacts("simulate", draws=300, seed=1)
    assert draws.outside < 1
    for vcov in ("expected", "sandwich"):
        other = one.with_vcov(vcov).bse
        np.testing.assert_allclose(fit.with_vcov(vcov).bse[other.index], other, rtol=1e-7)


def test_profile_intervals_end_where_a_fixed_share_loses_the_quantile(fit, inside) -> None:
    for alpha in (0.05, 0.3):
        table = fit.shares(alpha)
        limit = stats.chi2.isf(alpha, 1)
        assert table.loc["near", "lower"] == pytest.approx(1 - table.loc["flow", "upper"], abs=1e-5)
        for end in ("lower", "upper"):
            share = table.loc["near", end]
            ratio = 2 * (fit.llf - single(inside, W2, [share, 1 - share]).llf)
            if 0 < share < 1:
                assert ratio == pytest.approx(limit, abs=1e-3)
            else:
                assert ratio <= limit
    assert (table["lower"] > 0).all()
    assert (table["upper"] < 1).all(), "at 30 % the ends are meant to lie inside"
    assert not table["weak"].any()
    assert "do not tell" not in fit.summary()


def test_profile_of_three_shares_maximises_over_the_rest() -> None:
    frame = make_panel(list(W3.values()), [0.2, 0.15, 0.25], [0.2, 0.15, 0.25], scale=0.2, seed=8)
    fit = nq.sdm(FORMULA, frame, W3, combine=True)
    from nqpf_spatial.models.several.shares import held_at

    for share in (0.0, 0.1, 0.7, 1.0):
        held = held_at(fit, 0, share)
        assert held.shares[0] == share
        rest = 1.0 - share
        lattice = [single(frame, W3, [share, rest * c, rest * (1 - c)]).llf for c in np.linspace(0, 1, 41)]
        assert held.llf >= max(lattice) - 1e-9
        assert held.llf <= max(lattice) + 0.05


def test_share_test_is_the_likelihood_ratio_of_the_fit_without_the_matrix(fit, inside) -> None:
    test = fit.share_test("near")
    ratio = 2 * (fit.llf - nq.sdm(FORMULA, inside, W2["flow"]).llf)
    assert test.statistic == pytest.approx(ratio, abs=1e-8)
    assert test.pvalue == pytest.approx(0.5 * stats.chi2.sf(ratio, 1), rel=1e-6)
    assert test.null == "the share of near is 0"
    table = fit.shares()
    assert table.loc["near", "LR"] == pytest.approx(ratio, abs=1e-8)
    boot = fit.share_test("near", "bootstrap", replicates=39, seed=3)
    assert boot.statistic == test.statistic
    assert 1 / 40 <= boot.pvalue <= 1
    assert boot == fit.share_test("near", "bootstrap", replicates=39, seed=3)
    with pytest.raises(ValueError, match="'near', 'flow'"):
        fit.share_test("sea")
    with pytest.raises(ValueError, match="at least 19"):
        fit.share_test("near", "bootstrap", replicates=5)
    with pytest.raises(ValueError, match="method='exact'"):
        fit.share_test("near", "exact")


def test_bootstrap_replicates_are_fits_of_samples_from_the_reduced_form(fit) -> None:
    """The first replicates of a parametric bootstrap, their samples rebuilt and estimated through the front door."""
    from nqpf_spatial.models.residuals import decompose

    boot = fit.bootstrap("parametric", 3, seed=5)
    est = fit.estimate
    signal = np.tensordot(est.fit.beta, est.columns.z, axes=1) + decompose(est)[1]
    e = fit.resid.to_numpy().reshape(UNITS, PERIODS).T
    sigma = np.sqrt(np.mean(e**2) * e.size / ((UNITS - 1) * (PERIODS - 1)))
    errors = sigma * np.random.default_rng(5).standard_normal((3, PERIODS, UNITS))
    a = np.eye(UNITS) - fit.rho * fit.combined().dense()
    for r in range(3):
        y = np.linalg.solve(a, (signal + errors[r]).T).T
        frame = est.design.series(y, "y").to_frame()
        for i, name in enumerate(est.design.names):
            frame[name] = est.design.series(est.design.x[i], name)
        again = nq.sdm(FORMULA, frame, W2, combine=True)
        np.testing.assert_allclose(boot.params.iloc[r], again.params, atol=1e-7)


def test_score_form_of_a_combination_follows_by_the_chain_rule(fit) -> None:
    """Linear and quadratic parts of (rho, share) against NT x NT matrices; the variance of the form is the expected information."""
    from nqpf_spatial.models.covariance import expected, score_form
    from nqpf_spatial.models.residuals import decompose

    est, s2, rho = fit.estimate, fit.sigma2, fit.rho
    g = fit.params["share:near"]
    near, flow = (np.kron(np.eye(PERIODS), W2[k].dense()) for k in ("near", "flow"))
    inverse = np.linalg.inv(np.eye(PERIODS * UNITS) - rho * (g * near + (1 - g) * flow))
    q = np.kron(np.eye(PERIODS) - 1 / PERIODS, np.eye(UNITS) - 1 / UNITS)
    z = est.columns.z.reshape(4, -1)
    x = est.design.x.reshape(2, -1)
    signal = est.fit.beta @ z + decompose(est)[1].ravel()
    by_rho = (g * near + (1 - g) * flow) @ inverse
    by_share = rho * (near - flow) @ inverse
    theta = fit.params[["W:x1", "W:x2"]].to_numpy()
    # the free share is the one against the larger of the two
    sign = -1.0 if g > 0.5 else 1.0
    linear = [*(q @ row / s2 for row in z), q @ by_rho @ signal / s2]
    linear += [sign * q @ (by_share @ signal + (near - flow) @ (theta @ x)) / s2, np.zeros(len(q))]
    quadratic = [np.zeros_like(q)] * 4 + [q @ by_rho @ q / s2, sign * q @ by_share @ q / s2, q / (2 * s2**2)]
    quadratic = [(a + a.T) / 2 for a in quadratic]
    form = score_form(est)
    np.testing.assert_allclose(form.linear.reshape(7, -1), linear, atol=1e-8)
    want = np.array([[s2 * a @ b + 2 * s2**2 * np.sum(c * d) for b, d in zip(linear, quadratic, strict=True)]
                     for a, c in zip(linear, quadratic, strict=True)])  # fmt: skip
    np.testing.assert_allclose(expected(est), want, rtol=1e-8, atol=1e-7)


def test_no_dependence_means_no_shares() -> None:
    """A seed whose likelihood ratio against no spatial term is not significant: the fit says so."""
    frame = make_panel(list(W2.values()), [0.0, 0.0], [0.0, 0.0], seed=21)
    with pytest.warns(IdentificationWarning, match="no spatial dependence"):
        fit = nq.sar(FORMULA, frame, W2, combine=True)
    llf = nq.ols(FORMULA, frame).llf
    from nqpf_spatial.models.several.shares import dependence

    statistic, df, p = dependence(fit.estimate)
    assert statistic == pytest.approx(2 * (fit.llf - llf), abs=1e-8)
    assert df == 1
    assert p == pytest.approx(stats.chi2.sf(statistic, 1))


def test_weak_shares_are_said(inside) -> None:
    """Matrices that nearly agree: every share does as well, the interval is [0, 1] and the text says so."""
    near, other = matrices()[2], matrices()[2].copy()
    other[0] *= np.linspace(0.5, 1.5, UNITS)
    weights = {"a": labelled(near, "a"), "b": labelled(other, "b")}
    fit = nq.sdm(FORMULA, inside, weights, combine=True)
    table = fit.shares()
    assert table["weak"].all()
    assert table[["lower", "upper"]].to_numpy().tolist() == [[0.0, 1.0], [0.0, 1.0]]
    for name in "ab":
        assert f"the data do not tell the share of {name}" in fit.summary()


def test_shares_belong_to_combinations(inside) -> None:
    fit = nq.sdm(FORMULA, inside, W2)
    for call in (fit.shares, fit.combined, lambda: fit.share_test("near")):
        with pytest.raises(ValueError, match="combine=True"):
            call()
    with pytest.raises(ValueError, match="alpha"):
        nq.sdm(FORMULA, inside, W2, combine=True).shares(1.5)


def test_parameters_are_counted_without_the_redundant_share(fit) -> None:
    assert fit.k_params == len(fit.params) - 1 + 1  # sigma2 in, one share out
    assert fit.aic == pytest.approx(-2 * fit.llf + 2 * fit.k_params)
