"""`gmm`: brute force with dummies, invariance, identification errors, simulation with an endogenous regressor."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import statsmodels.api as sm
from panels import EFFECTS, weights
from scipy import stats
from statsmodels.sandbox.regression.gmm import IV2SLS

from nqpf_spatial.errors import FewClustersWarning, IdentificationError, IdentificationWarning, PanelError
from nqpf_spatial.models.gmm.estimate import gmm
from nqpf_spatial.weights import from_any

N, T = 24, 5


def frame(n: int = N, t: int = T, seed: int = 5, het: bool = False, rho: float = 0.4) -> pd.DataFrame:
    """Panel with x2 correlated with the error, instruments z1 and z2, unit and time effects."""
    w = weights("graph", n).dense()
    rng = np.random.default_rng(seed)
    x1, z1, z2 = rng.normal(size=(3, t, n))
    e = rng.normal(size=(t, n)) * (np.linspace(0.5, 1.5, n) if het else 1.0)
    x2 = 0.8 * z1 + 0.6 * z2 + 0.7 * e + rng.normal(size=(t, n))
    signal = 1.0 * x1 - 0.5 * x2 + rng.normal(size=n) + 0.2 * rng.normal(size=(t, 1)) + e
    y = np.linalg.solve(np.eye(n) - rho * w, signal.T).T
    index = pd.MultiIndex.from_product([weights("graph", n).ids, range(t)], names=["unit", "period"])
    values = {"y": y, "x1": x1, "x2": x2, "z1": z1, "z2": z2}
    return pd.DataFrame({k: v.T.ravel() for k, v in values.items()}, index=index)


IV = {"endogenous": ["x2"], "instruments": ["z1", "z2"]}


def dense(effects: str, durbin: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """y, [Z, dummies], [H, dummies] with the explicit Kronecker product, unit by unit."""
    data = frame()
    w = np.kron(weights("graph", N).dense(), np.eye(T))
    y, x1, x2, z1, z2 = (data[c].to_numpy() for c in ("y", "x1", "x2", "z1", "z2"))
    units, periods = np.kron(np.eye(N), np.ones((T, 1))), np.kron(np.ones((N, 1)), np.eye(T))
    dummies = {
        "none": np.ones((N * T, 1)),
        "unit": units,
        "time": periods,
        "twoways": np.column_stack([units, periods[:, 1:]]),
    }[effects]
    z, names = [x1, x2], ["x1", "x2"]
    if durbin:
        z, names = [*z, w @ x1, w @ x2], [*names, "W:x1", "W:x2"]
    powers = range(1, 4 if durbin else 3)
    own = [x1, z1, z2]
    h = own + [np.linalg.matrix_power(w, p) @ c for p in powers for c in own]
    return y, np.column_stack([*z, w @ y, dummies]), np.column_stack([*h, dummies]), [*names, "rho"]


@pytest.mark.parametrize("model", ["SAR", "SDM"])
@pytest.mark.parametrize("effects", EFFECTS)
def test_brute_force_with_dummies(effects: str, model: str) -> None:
    y, z, h, names = dense(effects, model == "SDM")
    peer = IV2SLS(y, z, h).fit()
    fit = gmm("y ~ x1 + x2" + EFFECTS[effects], frame(), weights("graph", N), model=model, **IV)
    np.testing.assert_allclose(fit.params[names], peer.params[: len(names)], rtol=1e-9)
    divisor = N * T - z.shape[1]
    resid = y - z @ peer.params
    projected = h @ np.linalg.lstsq(h, z, rcond=None)[0]
    bread = np.linalg.inv(projected.T @ projected)[: len(names)]
    np.testing.assert_allclose(fit.bse[names] ** 2, resid @ resid / divisor * np.diag(bread), rtol=1e-8)
    np.testing.assert_allclose(fit.resid, resid, atol=1e-9)
    for vcov, score in (
        ("white", projected * resid[:, None]),
        ("cluster", (projected * resid[:, None]).reshape(N, T, -1).sum(axis=1)),
    ):
        robust = bread @ score.T @ score @ bread.T
        options = {**IV, "vcov": vcov, "divisor": "n"}
        again = gmm("y ~ x1 + x2" + EFFECTS[effects], frame(), weights("graph", N), model=model, **options)
        with pytest.warns(FewClustersWarning) if vcov == "cluster" else _nothing():
            got = again.cov_params().loc[names, names]
        np.testing.assert_allclose(got, robust, rtol=1e-7)


class _nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@pytest.mark.parametrize("effects", ["none", "twoways"])
def test_first_stage_is_the_f_test_of_the_auxiliary_regression(effects: str) -> None:
    _, z, h, _ = dense(effects, False)
    fit = gmm("y ~ x1 + x2" + EFFECTS[effects], frame(), weights("graph", N), model="SAR", **IV)
    excluded = 8
    for name, column in (("x2", 1), ("Wy", 2)):
        auxiliary = sm.OLS(z[:, column], h).fit()
        restriction = np.zeros((excluded, h.shape[1]))
        restriction[np.arange(excluded), np.arange(1, excluded + 1)] = 1.0
        peer = auxiliary.f_test(restriction)
        row = fit.first_stage().loc[name]
        np.testing.assert_allclose([row["f"], row["pvalue"]], [peer.fvalue, peer.pvalue], rtol=1e-7)
        assert (row["df"], row["df_resid"]) == (excluded, peer.df_denom)
    assert (fit.first_stage()["cragg_donald"] < fit.first_stage()["f"]).all()
    one = gmm("y ~ x1" + EFFECTS[effects], frame(), weights("graph", N)).first_stage()
    np.testing.assert_allclose(one["cragg_donald"], one["f"], rtol=1e-9)


def test_overidentification_by_the_definition() -> None:
    data, w = frame(), weights("graph", N)
    y, z, h, _ = dense("none", False)
    fit = gmm("y ~ x1 + x2", data, w, **IV)
    e = y - z @ IV2SLS(y, z, h).fit().params
    auxiliary = sm.OLS(e, h).fit()
    test = fit.overid()
    assert (test.name, test.df) == ("Sargan", 6)
    np.testing.assert_allclose(test.statistic, N * T * auxiliary.rsquared, rtol=1e-8)
    np.testing.assert_allclose(test.pvalue, stats.chi2.sf(test.statistic, 6), rtol=1e-12)
    weight = np.linalg.inv((h * e[:, None]).T @ (h * e[:, None]))
    cross = h.T @ z
    efficient = np.linalg.solve(cross.T @ weight @ cross, cross.T @ weight @ h.T @ y)
    moment = h.T @ (y - z @ efficient)
    hansen = gmm("y ~ x1 + x2", data, w, vcov="white", **IV).overid()
    assert hansen.name == "Hansen J"
    np.testing.assert_allclose(hansen.statistic, moment @ weight @ moment, rtol=1e-7)


@pytest.mark.parametrize("moments", ["2010", "1999"])
@pytest.mark.parametrize("effects", ["unit", "time", "twoways"])
def test_transformed_error_moments_by_projections(effects: str, moments: str) -> None:
    # the moments written with projection matrices Q on untransformed residuals; traces of Q A Q instead of n
    fit = gmm("y ~ x1 + x2" + EFFECTS[effects], frame(), weights("graph", N), model="SEM", moments=moments)
    w = weights("graph", N).dense()
    q_time = np.eye(T) - (1 / T if effects in ("unit", "twoways") else 0.0)
    q_unit = np.eye(N) - (1 / N if effects in ("time", "twoways") else 0.0)
    ranks = np.trace(q_time).round(), np.trace(q_unit).round()
    inner = q_unit @ w @ q_unit
    cross, half = inner.T @ inner, (inner + inner.T) / 2
    level, trace = np.trace(cross) / ranks[1], np.trace(half) / ranks[1]
    resid = gmm("y ~ x1 + x2" + EFFECTS[effects], frame(), model="OLS").resid
    u = resid.to_numpy().reshape(N, T).T

    def m(lambda_: float) -> np.ndarray:
        e = u - lambda_ * u @ w.T
        e = q_time @ e @ q_unit
        forms = np.array([(e * (e @ a)).sum() for a in (q_unit, cross, half)]) / (ranks[0] * ranks[1])
        if moments == "1999":
            loading = np.array([1.0, level, trace])
            return forms - loading * (loading @ forms) / (loading @ loading)
        return np.array([(forms[1] - level * forms[0]) / (1 + level**2), forms[2] - trace * forms[0]])

    grid = np.linspace(-0.95, 0.95, 3801)
    values = [m(v) @ m(v) for v in grid]
    start = fit.estimate.error[1].start
    assert abs(start - grid[int(np.argmin(values))]) < 1e-3
    step = 1e-5
    slope = (m(start + step) @ m(start + step) - m(start - step) @ m(start - step)) / (2 * step)
    assert abs(slope) < 1e-8


@pytest.mark.parametrize("model", ["SAR", "SDM", "SEM", "SAC", "GNS", "SLX", "OLS", "SDEM"])
def test_shuffled_rows_give_the_same_bits(model: str) -> None:
    data, w = frame(), weights("graph", N)
    mixed = data.sample(frac=1.0, random_state=3)
    order = np.random.default_rng(2).permutation(N)
    turned = from_any(w.dense()[np.ix_(order, order)], ids=[w.ids[i] for i in order], transform="none", name="mixed")
    cases = ((data, w), (mixed, w), (mixed, turned))
    one, two, three = (
        gmm("y ~ x1 + x2 | unit + period", d, None if model == "OLS" else v, model=model, **IV) for d, v in cases
    )
    assert (one.tidy() == two.tidy()).all(axis=None)
    np.testing.assert_allclose(one.tidy(), three.tidy(), rtol=1e-6, atol=1e-9)


def test_impacts_by_the_definition() -> None:
    w = weights("graph", N)
    fit = gmm("y ~ x1 + x2 | unit", frame(), w, model="SDM", **IV)
    inverse = np.linalg.inv(np.eye(N) - fit.rho * w.dense())
    s = inverse @ (fit.params["x1"] * np.eye(N) + fit.params["W:x1"] * w.dense())
    row = fit.impacts().table.loc["x1"]
    np.testing.assert_allclose(row[("direct", "estimate")], np.trace(s) / N, rtol=1e-9)
    np.testing.assert_allclose(row[("total", "estimate")], s.sum() / N, rtol=1e-9)
    lag = gmm("y ~ x1 + x2 | unit", frame(), w, model="SAR", **IV)
    delta, draws = (lag.impacts(m).table.loc["x1"] for m in ("delta", "simulate"))
    assert delta[("direct", "se")] == pytest.approx(draws[("direct", "se")], rel=0.05)
    with pytest.raises(ValueError, match="'delta' or 'simulate'"):
        fit.impacts("bootstrap")


def test_result_vocabulary() -> None:
    fit = gmm("y ~ x1 + x2 | unit", frame(), weights("graph", N), model="SAC", **IV)
    assert list(fit.params.index) == ["x1", "x2", "rho", "lambda"]
    assert list(fit.tidy().columns) == ["estimate", "se", "z", "p", "lower", "upper"]
    assert fit.endogenous == ("x2", "rho")
    assert fit.instruments == ("z1", "z2", "W:x1", "W:z1", "W:z2", "W2:x1", "W2:z1", "W2:z2")
    assert (fit.nobs, fit.n_effective) == (N * T, N * (T - 1))
    assert (fit.model, fit.effects, fit.vcov, fit.w.name) == ("SAC", ("unit",), "classical", "graph-row")
    assert fit.glance()["estimator"] == "generalised 2SLS, GM error (2010, hom)"
    for word in ("generalised 2SLS", "first-stage F: x2", "Sargan"):
        assert word in fit.summary() and word in fit._repr_html_()
    old = gmm("y ~ x1", frame(), weights("graph", N), model="SEM", moments="1999")
    assert np.isnan(old.bse["lambda"]) and "no standard error" in repr(old)
    with pytest.raises(ValueError, match="no endogenous column"):
        old.first_stage()


BAD = [
    ({"model": "SAR", "lag_order": 0}, IdentificationError, r"0 excluded instruments \(none\) for 1 endogenous"),
    ({"endogenous": ["x2"]}, IdentificationError, r"0 instruments \(none\) for 1 endogenous regressors \(x2\)"),
    ({"endogenous": ["x3"], "instruments": ["z1"]}, ValueError, "names x3, which are no regressors"),
    ({"endogenous": ["x2"], "instruments": ["x1"]}, ValueError, "names x1, which are regressors"),
    ({"endogenous": ["x2"], "instruments": ["z1", "z3"]}, IdentificationError, r"without=\['z3', 'W:z3', 'W2:z3'\]"),
    ({"endogenous": "x2"}, TypeError, r"endogenous=\['x2'\]"),
    ({"without": ["W:q"]}, ValueError, "without= names W:q; the instruments are W:x1"),
    ({"lag_order": 1.5}, ValueError, "whole number"),
    ({"vcov": "hac"}, ValueError, "'classical', 'white', 'cluster'"),
    ({"model": "SEM", "vcov": "cluster"}, ValueError, "no meaning with a modelled spatial error"),
    ({"model": "SEM", "vcov": "white"}, ValueError, "without fixed effects"),
    ({"endogenous": ["x2"], "instruments": ["gap"]}, PanelError, "gap c01 2"),
    ({"model": "SAR", "durbin": ["x1"]}, ValueError, "no meaning in a SAR"),
    ({"model": "SLX", "lag_instruments": False, **IV, "instruments": ["z1"]}, IdentificationError, "x2, W:x2"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD)
def test_errors_name_what_is_wrong(options: dict, error: type, message: str) -> None:
    data = frame().assign(z3=lambda d: 2.0 * d["z1"], gap=lambda d: d["z1"])
    data.loc[("c01", 2), "gap"] = np.nan
    with pytest.raises(error, match=message):
        gmm("y ~ x1 + x2 | unit", data, weights("graph", N), **options)


def test_collinear_regressors_and_too_many_instruments() -> None:
    data = frame().assign(x3=lambda d: d["x1"] - 2.0)
    with pytest.raises(IdentificationError, match="x3"):
        gmm("y ~ x1 + x3 | unit", data, weights("graph", N), model="SAR")
    with pytest.raises(IdentificationError, match="absorbed by the unit effects: level"):
        level = data.assign(level=data.groupby("unit")["x1"].transform("mean"))
        gmm("y ~ x1 + level | unit", level, weights("graph", N))
    few = data.loc[(slice(None), 0), :].droplevel(1)
    with pytest.raises(IdentificationError, match="24 effective observations for 29 instruments"):
        gmm("y ~ x1 + x2", few, weights("graph", N), lag_order=13)


def test_other_weights_for_the_durbin_terms() -> None:
    data, w, v = frame(), weights("graph", N), weights("knn", N)
    fit = gmm("y ~ x1 + x2", data, w, model="SDM", w_durbin=v, lag_order=1, **IV)
    assert fit.instruments == ("z1", "z2", "W:z1", "W:z2", "V:x1", "V:z1", "V:z2", "V2:x1", "V2:z1", "V2:z2")
    y, x1, x2, z1, z2 = (data[c].to_numpy() for c in ("y", "x1", "x2", "z1", "z2"))
    lag, other = (np.kron(m.dense(), np.eye(T)) for m in (w, v))
    one = np.ones(N * T)
    z = np.column_stack([one, x1, x2, other @ x1, other @ x2, lag @ y])
    h = [one, x1, other @ x1, z1, z2, other @ z1, other @ z2]
    h += [m @ c for m in (lag, lag @ lag) for c in (x1, z1, z2)]
    np.testing.assert_allclose(fit.params, IV2SLS(y, z, np.column_stack(h)).fit().params, rtol=1e-8)


def test_large_asymmetric_weights_have_inner_bounds() -> None:
    n = 4100
    rows = np.arange(n)
    links = sp.coo_array(
        (np.ones(2 * n), (np.tile(rows, 2), np.concatenate([(rows + 1) % n, (rows * 7 + 3) % n]))), (n, n)
    )
    links.setdiag(0)
    w = from_any(sp.csr_array(links), ids=[f"u{i:05d}" for i in rows], transform="row", name="large")
    rng = np.random.default_rng(1)
    x = rng.normal(size=n)
    y = sp.linalg.spsolve(sp.csc_array(sp.eye_array(n) - 0.4 * w.sparse), x + rng.normal(size=n))
    fit = gmm("y ~ x", pd.DataFrame({"y": y, "x": x}, index=pd.Index(w.ids, name="unit")), w)
    assert (np.abs(fit.params - [0.0, 1.0, 0.4]) < 3.5 * fit.bse).all()


def test_time_effects_need_row_standardised_error_weights() -> None:
    with pytest.raises(IdentificationError, match="do not have rows that sum to one"):
        gmm("y ~ x1 + x2 | period", frame(), weights("graph", N, "none"), model="SEM")


def test_rho_outside_its_interval_is_a_warning() -> None:
    with pytest.warns(IdentificationWarning, match=r"rho = 1\.\d+ lies outside its admissible interval"):
        gmm("y ~ x1 + x2 | unit + period", frame(rho=1.3), weights("graph", N), **IV)


def replicate(seed: int, model: str, **options) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and whether 95 % intervals cover, at N = 60, T = 4 with two-way effects and an endogenous x2."""
    fit = gmm(
        "y ~ x1 + x2 | unit + period",
        frame(60, 4, seed, het="vcov" in options),
        weights("graph", 60),
        model=model,
        **options,
    )
    truth = pd.Series({"x1": 1.0, "x2": -0.5, "rho": 0.4, "lambda": 0.0})[fit.params.index]
    inside = fit.conf_int()
    return (fit.params - truth).to_numpy(), ((inside["lower"] < truth) & (truth < inside["upper"])).to_numpy()


@pytest.mark.parametrize(
    ("model", "options"),
    [("SAR", IV), ("SAR", {**IV, "vcov": "cluster"}), ("SAC", IV)],
    ids=["iid", "cluster", "with error"],
)
def test_simulation_with_an_endogenous_regressor(model: str, options: dict) -> None:
    # few instruments: 2SLS is biased towards least squares in proportion to their number
    runs = [replicate(seed, model, lag_instruments=False, **options) for seed in range(150)]
    errors, coverage = np.array([r[0] for r in runs]), np.mean([r[1] for r in runs], axis=0)
    spread = errors.std(axis=0)
    assert (np.abs(errors.mean(axis=0)) < 0.15 * spread + 3.0 * spread / np.sqrt(len(runs))).all()
    assert (coverage > 0.91).all() and (coverage < 0.99).all(), coverage


def test_sargan_keeps_its_size_and_rejects_a_bad_instrument_far_more_often() -> None:
    options = {"endogenous": ["x2"], "lag_instruments": False}
    w, good, bad = weights("graph", 60), [], []
    for seed in range(100):
        data = frame(60, 4, seed)
        good.append(gmm("y ~ x1 + x2 | unit + period", data, w, instruments=["z1", "z2"], **options).overid().pvalue)
        data["z3"] = data["z2"] + 0.3 * data["y"]
        bad.append(gmm("y ~ x1 + x2 | unit + period", data, w, instruments=["z1", "z3"], **options).overid().pvalue)
    assert np.mean(np.array(good) < 0.05) < 0.12
    assert np.mean(np.array(bad) < 0.05) > 0.4


def test_ignoring_the_endogeneity_is_biased() -> None:
    # the same data without instruments: the coefficient of x2 is far off, so that the test above can fail
    off = [replicate(seed, "SAR")[0][1] for seed in range(40)]
    assert np.mean(off) > 0.2
